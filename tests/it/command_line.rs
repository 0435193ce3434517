//! A program that was started by hand, and the development server.

use std::io::{Read, Write};
use std::net::TcpStream;
use std::process::{Command, Output, Stdio};

use crate::harness::{Served, example, soon};

fn run(arguments: &[&str]) -> Output {
    let mut command = Command::new(example("wheel"));
    command.env_clear().args(arguments).stdin(Stdio::null()).output().expect("the program runs")
}

fn text(octets: &[u8]) -> String {
    String::from_utf8(octets.to_vec()).expect("it is text")
}

#[test]
fn help_and_version() {
    let help = run(&["--help"]);
    assert_eq!(help.status.code(), Some(0));
    for word in ["Usage: wheel <COMMAND>", "serve", "doc", "--version"] {
        assert!(text(&help.stdout).contains(word), "{}", text(&help.stdout));
    }
    let version = run(&["--version"]);
    let served = run(&["doc", "--format", "json"]);
    let description: serde_json::Value = serde_json::from_slice(&served.stdout).unwrap();
    let (name, number) = (description["name"].as_str().unwrap(), description["version"].as_str().unwrap());
    assert_eq!(text(&version.stdout), format!("{name} {number}\n"));
    assert!(text(&help.stdout).starts_with(&format!("{name}: a service of ")), "{}", text(&help.stdout));
}

#[test]
fn without_words_it_explains_itself() {
    let output = run(&[]);
    assert_eq!((output.status.code(), output.stdout.len()), (Some(2), 0));
    assert!(text(&output.stderr).contains("Usage: wheel <COMMAND>"));
    let output = run(&["srve"]);
    assert_eq!(output.status.code(), Some(2));
    assert!(text(&output.stderr).contains("a similar subcommand exists: 'serve'"), "{}", text(&output.stderr));
    let output = run(&["serve", "--listen", "nowhere"]);
    assert_eq!(output.status.code(), Some(2));
}

#[test]
fn doc_writes_the_page() {
    let output = run(&["doc"]);
    assert_eq!(output.status.code(), Some(0));
    let page = text(&output.stdout);
    assert!(page.starts_with("<!DOCTYPE html>") && page.ends_with("</html>") && page.contains("wheel.spinList"));
}

#[test]
fn doc_writes_the_page_of_a_server_at_a_path() {
    let doc = |arguments: &[&str]| Command::new(example("openacademy")).env_clear().args(arguments).output().unwrap();
    let root = doc(&["doc"]);
    assert!(text(&root.stdout).contains("<a href=\"/xmlrpc/common\">Open Academy: common</a>"));
    assert!(!text(&root.stdout).contains("id=\"m-login\""));
    assert_eq!(text(&doc(&["doc", "/"]).stdout), text(&root.stdout));
    assert!(text(&doc(&["doc", "/xmlrpc/common"]).stdout).contains("id=\"m-login\""));
    let nothing = doc(&["doc", "/x"]);
    assert_eq!((nothing.status.code(), text(&nothing.stderr)), (Some(2), "there is no server at /x\n".into()));
}

/// The output of `doc` equals what is served, octet by octet.
#[test]
fn doc_writes_what_is_served() {
    let served = Served::start("wheel", &["serve", "--listen", "127.0.0.1:0"]);
    let url = format!("http://{}/", served.address);
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("page").display().to_string();
    for format in ["html", "json", "md", "openrpc"] {
        // as a client on another machine gets it, which cannot try methods
        let address = &served.address;
        let head = format!(
            "GET /?format={format} HTTP/1.1\r\nHost: {address}\r\nX-Forwarded-For: 192.0.2.7\r\nConnection: close"
        );
        let response = served.send(&format!("{head}\r\n\r\n"));
        let (answer, body) = response.split_once("\r\n\r\n").unwrap();
        let etag = answer.lines().find_map(|line| line.strip_prefix("etag: ")).unwrap();
        let known = served.send(&format!("{head}\r\nIf-None-Match: {etag}\r\n\r\n"));
        assert!(known.starts_with("HTTP/1.1 304 ") && known.ends_with("\r\n\r\n"), "{known}");
        assert_eq!(text(&run(&["doc", "--format", format, "--url", &url]).stdout), body, "{format}");
        assert!(run(&["doc", "--format", format, "--url", &url, "-o", &file]).status.success());
        assert_eq!(std::fs::read_to_string(&file).unwrap(), body, "{format}");
    }
    let output = run(&["doc", "--format", "wsdl"]);
    assert_eq!(output.status.code(), Some(2));
    assert!(text(&output.stderr).contains("expected html, json, md, openrpc as format, found \"wsdl\""), "{output:?}");
}

#[test]
fn a_mistake_in_the_program_is_told() {
    let mut command = Command::new(example("noisy"));
    let output = command.env_clear().env("DUPLICATE", "1").arg("doc").output().unwrap();
    assert_eq!(output.status.code(), Some(2));
    assert!(text(&output.stderr).starts_with("method \"panic\" is registered twice: the one at examples/noisy.rs:"));
}

#[test]
fn serve() {
    let served = Served::start("wheel", &["serve", "--listen", "127.0.0.1:0"]);
    let request = |head: &str, body: &str| served.send(&format!("{head}\r\nConnection: close\r\n\r\n{body}"));
    let host = format!("Host: {}", served.address);
    let page = request(&format!("GET / HTTP/1.1\r\n{host}"), "");
    assert!(
        page.starts_with("HTTP/1.1 200 OK\r\n") && page.contains(&format!("<code>http://{}/</code>", served.address)),
        "{page}"
    );
    let call = "<methodCall><methodName>wheel.spin</methodName></methodCall>";
    let length = format!("Content-Length: {}", call.len());
    let response = request(&format!("POST /RPC2 HTTP/1.1\r\n{host}\r\n{length}"), call);
    assert!(response.contains("<methodResponse><params>"), "{response}");
    let chunked = format!("{:x}\r\n{call}\r\n0\r\n\r\n", call.len());
    let response = request(&format!("POST / HTTP/1.1\r\n{host}\r\nTransfer-Encoding: chunked"), &chunked);
    assert!(response.contains("<methodResponse><params>"), "{response}");
    let response = request(&format!("POST / HTTP/1.1\r\n{host}\r\nContent-Length: 99999999999"), "");
    assert!(response.starts_with("HTTP/1.1 413 "), "{response}");
    let response = request(&format!("POST / HTTP/1.0\r\n{length}"), call);
    assert!(response.contains("<methodResponse><params>"), "{response}");
    for evil in ["evil.example", "evil.example:80", "127.0.0.1.evil.example", "localhost.evil.example:8000"] {
        let response = request(&format!("GET / HTTP/1.1\r\nHost: {evil}"), "");
        assert!(response.starts_with("HTTP/1.1 403 "), "{response}");
        assert!(response.contains("expected a name of this machine as Host, found \""), "{response}");
    }
    for own in ["localhost", "LOCALHOST:1", "[::1]:8000", "127.0.0.2"] {
        assert!(request(&format!("GET / HTTP/1.1\r\nHost: {own}"), "").starts_with("HTTP/1.1 200 "));
    }
}

/// A client that has closed its sending side, and one that sends far too much before it reads.
#[test]
fn serve_answers_impolite_clients() {
    let served = Served::start("interop", &["serve", "--port", "0"]);
    let mut stream = TcpStream::connect(&served.address).unwrap();
    let call = crate::harness::document("examples.addtwo", &["x"]);
    let head = |length: usize| {
        format!("POST / HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\nContent-Length: {length}\r\n\r\n")
    };
    stream.write_all(format!("{}{call}", head(call.len())).as_bytes()).unwrap();
    stream.shutdown(std::net::Shutdown::Write).unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    assert!(answer.starts_with("HTTP/1.1 200 OK"), "{answer}");
    let mut stream = TcpStream::connect(&served.address).unwrap();
    stream.write_all(head(24 << 20).as_bytes()).unwrap();
    for _ in 0..24 {
        stream.write_all(&vec![b'x'; 1 << 20]).unwrap();
    }
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    assert!(answer.starts_with("HTTP/1.1 413 "), "{answer}");
}

/// After TERM, a call that runs is still answered.
#[test]
fn serve_answers_what_runs_when_it_is_told_to_end() {
    let mut served = Served::start("slow", &["serve", "--port", "0"]);
    let mut stream = TcpStream::connect(&served.address).unwrap();
    let call = xmlrpc_sleep(700);
    let head = format!("POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: {}\r\n\r\n", call.len());
    stream.write_all(format!("{head}{call}").as_bytes()).unwrap();
    let asleep = crate::harness::document("asleep", &[]);
    let head = "POST / HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\nContent-Length: ";
    let asleep = format!("{head}{}\r\n\r\n{asleep}", asleep.len());
    assert!(soon(|| served.send(&asleep).contains("<int>1</int>")), "the call does not run");
    assert!(Command::new("kill").args(["-TERM", &served.id().to_string()]).status().unwrap().success());
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    assert!(answer.starts_with("HTTP/1.1 200 OK") && answer.contains("<int>700</int>"), "{answer}");
    assert!(served.wait().success());
}

fn xmlrpc_sleep(milliseconds: u32) -> String {
    format!(
        "<methodCall><methodName>sleep</methodName><params><param><value><int>{milliseconds}</int></value></param>\
         </params></methodCall>"
    )
}

#[test]
fn serve_ends_on_ctrl_c() {
    let mut served = Served::start("wheel", &["serve", "--listen", "127.0.0.1:0"]);
    let interrupt = Command::new("kill").args(["-INT", &served.id().to_string()]).status().unwrap();
    assert!(interrupt.success());
    assert_eq!(served.wait().code(), Some(0));
}

#[test]
fn an_address_in_use_is_told() {
    let served = Served::start("wheel", &["serve", "--listen", "127.0.0.1:0"]);
    let output = run(&["serve", "--listen", &served.address]);
    assert_eq!(output.status.code(), Some(1));
    let message = format!("cannot listen at {}: Address already in use (os error 98)\n", served.address);
    assert_eq!(text(&output.stderr), message);
}

#[test]
fn embedded_in_axum() {
    let served = Served::start("embed", &["127.0.0.1:0"]);
    let call = "<methodCall><methodName>whoami</methodName></methodCall>";
    let head = format!("POST /RPC2 HTTP/1.1\r\nHost: x\r\nConnection: close\r\nContent-Length: {}", call.len());
    let response = served.send(&format!("{head}\r\n\r\n{call}"));
    assert!(response.contains("<string>127.0.0.1</string>"), "{response}");
    // from a layer around it
    let call = r#"{"jsonrpc":"2.0","method":"application","id":1}"#;
    let head = format!("POST /RPC2 HTTP/1.1\r\nHost: x\r\nConnection: close\r\nContent-Length: {}", call.len());
    let response = served.send(&format!("{head}\r\n\r\n{call}"));
    assert!(response.ends_with("\"result\":\"embed\",\"id\":1}"), "{response}");
    let page = served.send("GET /RPC2 HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n");
    assert!(page.contains("<h1>Embedded</h1>"), "{page}");
}
