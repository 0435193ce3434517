//! A real nginx with `nginx-example.conf`, in front of one program and of several.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::thread;
use std::time::Duration;

use crate::harness::{document, soon};
use crate::web_servers::{Backend, WebServer, assert_bodies, assert_context, assert_refused_early, assert_serves};

#[test]
fn each_way_of_the_example_answers() {
    let nginx = WebServer::nginx();
    for path in ["/RPC2", "/many", "/many?a=b"] {
        assert_serves(&nginx, path);
        assert_bodies(&nginx, path);
        assert_refused_early(&nginx, path);
    }
    assert!(nginx.send("GET /RPC2/x HTTP/1.1", "").starts_with("HTTP/1.1 404 "));
    let head = nginx.send("HEAD /RPC2 HTTP/1.1", "");
    assert!(head.starts_with("HTTP/1.1 200 ") && head.ends_with("\r\n\r\n"), "{head}");
}

#[test]
fn the_request_as_methods_see_it() {
    // it sends one variable for each header, of which the last counts
    assert_context(&WebServer::nginx_with("context"), "/many", "b=2");
}

#[test]
fn the_log_is_nginxs() {
    let nginx = WebServer::nginx_with("noisy");
    let response = nginx.post("/RPC2", "", &document("panic", &[]));
    assert!(response.contains("internal error") && !response.contains("secret"), "{response}");
    nginx.expect_log("FastCGI sent in stderr: \"error: method \"panic\": panicked: a secret of 42 (request ");
    nginx.expect_log("request: \"POST /RPC2 HTTP/1.1\"");
}

/// The end of the callers, when it is dropped.
struct Ending<'a>(&'a AtomicBool);

impl Drop for Ending<'_> {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Relaxed);
    }
}

/// Calls `/many` from several threads over connections that are kept, while `meanwhile` runs; returns how many calls
/// were answered, and what came instead of answers.
fn under_load(nginx: &WebServer, meanwhile: impl FnOnce()) -> (usize, Vec<String>) {
    let is_over = AtomicBool::new(false);
    let answered = AtomicUsize::new(0);
    let call = || -> Vec<String> {
        let mut failures = Vec::new();
        let mut stream: Option<TcpStream> = None;
        while !is_over.load(Ordering::Relaxed) {
            let connection =
                stream.get_or_insert_with(|| TcpStream::connect(("127.0.0.1", nginx.port)).expect("it listens"));
            match call_once(connection) {
                Ok(response) if response.contains("<int>5</int>") => {
                    answered.fetch_add(1, Ordering::Relaxed);
                    // nginx does so after a thousand
                    if response.contains("Connection: close") {
                        stream = None;
                    }
                }
                Ok(response) => failures.push(response),
                Err(error) => {
                    failures.push(error.to_string());
                    stream = None;
                }
            }
        }
        failures
    };
    let more_are_answered = || {
        let before = answered.load(Ordering::Relaxed);
        soon(|| answered.load(Ordering::Relaxed) >= before + 300)
    };
    thread::scope(|scope| {
        let callers: Vec<_> = (0..6).map(|_| scope.spawn(call)).collect();
        // the callers end even if something panics
        let ending = Ending(&is_over);
        assert!(more_are_answered(), "before: {}", nginx.log());
        meanwhile();
        assert!(more_are_answered(), "after: {}", nginx.log());
        drop(ending);
        let failures = callers.into_iter().flat_map(|caller| caller.join().expect("it ends")).collect();
        (answered.load(Ordering::Relaxed), failures)
    })
}

fn call_once(stream: &mut TcpStream) -> std::io::Result<String> {
    let body = document("len", &["hello"]);
    let head =
        format!("POST /many HTTP/1.1\r\nHost: x\r\nContent-Type: text/xml\r\nContent-Length: {}\r\n\r\n", body.len());
    stream.set_read_timeout(Some(Duration::from_secs(20)))?;
    stream.write_all((head + &body).as_bytes())?;
    let mut reader = BufReader::new(stream);
    let (mut head, mut length) = (String::new(), 0);
    while !head.ends_with("\r\n\r\n") {
        let mut line = String::new();
        if reader.read_line(&mut line)? == 0 {
            return Err(std::io::ErrorKind::UnexpectedEof.into());
        }
        if let Some(value) = line.to_ascii_lowercase().strip_prefix("content-length: ") {
            length = value.trim().parse().expect("it is a number");
        }
        head += &line;
    }
    let mut body = vec![0; length];
    reader.read_exact(&mut body)?;
    Ok(head + &String::from_utf8_lossy(&body))
}

#[test]
fn backends_started_anew_under_load_lose_no_call() {
    let nginx = WebServer::nginx_with("slow");
    let (answered, failures) = under_load(&nginx, || {
        for backend in nginx.backends.lock().unwrap().iter_mut().skip(1) {
            backend.signal("-TERM");
            assert_eq!(backend.child.wait().expect("it is our child").code(), Some(0));
            *backend = Backend::start("slow", &backend.address.clone(), nginx.folder.path());
            // as long as nginx-example.conf says: each process of nginx keeps an account of its own of who has failed
            thread::sleep(Duration::from_millis(2200));
        }
    });
    assert!(failures.is_empty(), "{} of {answered} calls failed: {}{}", failures.len(), failures[0], nginx.log());
    assert!(answered > 100, "{answered}");
}

#[test]
fn without_a_backend_that_was_killed_it_goes_on() {
    let nginx = WebServer::nginx_with("slow");
    let (answered, failures) = under_load(&nginx, || {
        nginx.backends.lock().unwrap()[2].signal("-KILL");
        nginx.expect_log("connect() failed (111: Connection refused)");
    });
    // what it was working on is lost, which is at most one call of each caller
    assert!(failures.len() <= 6, "{} of {answered} calls failed: {}{}", failures.len(), failures[0], nginx.log());
    assert!(failures.iter().all(|failure| failure.starts_with("HTTP/1.1 502 ")), "{failures:?}");
    let (answered, failures) = under_load(&nginx, || ());
    assert!(failures.is_empty() && answered > 10, "{answered} {failures:?}");
}
