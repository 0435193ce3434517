//! Every way to start a FastCGI responder.

use std::fs;
use std::io::{BufRead, BufReader, Read};
use std::net::TcpStream;
use std::os::unix::fs::PermissionsExt;
use std::os::unix::net::UnixStream;
use std::path::Path;
use std::process::{Child, Command, Stdio};

use crate::harness::{cgi_fcgi, example, soon};

/// Ends it with the test.
struct Ended(Child);

impl Drop for Ended {
    fn drop(&mut self) {
        _ = self.0.kill();
        _ = self.0.wait();
    }
}

#[track_caller]
fn assert_answers(address: &str) {
    let call = "<methodCall><methodName>wheel.spin</methodName></methodCall>";
    let output = cgi_fcgi(address, "POST", call);
    let text = String::from_utf8_lossy(&output.stdout);
    assert!(text.starts_with("Status: 200 OK\r\n") && text.contains("<methodResponse><params>"), "{output:?}");
    let page = cgi_fcgi(address, "GET", "");
    assert!(String::from_utf8_lossy(&page.stdout).ends_with("</html>"), "{page:?}");
}

/// Waits until a program listens at a unix socket.
#[track_caller]
fn expect_listener(path: &Path) {
    assert!(soon(|| UnixStream::connect(path).is_ok()), "nobody listens at {}", path.display());
}

fn fcgi(arguments: &[&str]) -> Command {
    let mut command = Command::new(example("wheel"));
    command.env_clear().arg("fcgi").args(arguments).stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
    command
}

/// Starts a responder by hand; returns the addresses that it says it listens at.
fn start(mut command: Command) -> (Ended, Vec<String>) {
    let mut child = command.spawn().expect("it starts");
    let mut line = String::new();
    BufReader::new(child.stdout.take().expect("it is piped")).read_line(&mut line).expect("it says so");
    let addresses = line.trim_end().trim_start_matches("Serving FastCGI at ").trim_end_matches(" until Ctrl-C");
    let addresses = addresses.split(" and ").map(str::to_owned).collect();
    (Ended(child), addresses)
}

#[track_caller]
fn assert_refused(arguments: &[&str], message: &str) {
    let output = fcgi(arguments).output().expect("it starts");
    let text = String::from_utf8_lossy(&output.stderr);
    assert!(!output.status.success() && text.contains(message), "{output:?}");
}

#[test]
fn by_spawn_fcgi() {
    let folder = tempfile::tempdir().expect("a folder");
    let (socket, pid) = (folder.path().join("socket"), folder.path().join("pid"));
    let mut command = Command::new("spawn-fcgi");
    command.arg("-s").arg(&socket).arg("-P").arg(&pid).arg("--").arg(example("wheel"));
    let started = command.output().expect("spawn-fcgi is installed: `tests/run` does that");
    assert!(started.status.success(), "{started:?}");
    expect_listener(&socket);
    assert_answers(&socket.display().to_string());
    let pid = fs::read_to_string(pid).expect("it was written");
    assert!(Command::new("kill").arg(pid.trim()).status().expect("kill runs").success());
}

#[test]
fn by_systemd() {
    let folder = tempfile::tempdir().expect("a folder");
    let sockets = ["one", "two"].map(|name| folder.path().join(name));
    let mut command = Command::new("systemd-socket-activate");
    for socket in &sockets {
        command.arg("-l").arg(socket);
    }
    command.arg(example("wheel")).env_clear().stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    let _started = Ended(command.spawn().expect("systemd is installed: `tests/run` does that"));
    expect_listener(&sockets[1]);
    for socket in &sockets {
        assert_answers(&socket.display().to_string());
    }
}

#[test]
fn by_hand_at_several_addresses() {
    let folder = tempfile::tempdir().expect("a folder");
    let socket = folder.path().join("socket");
    let unix = format!("unix:{},mode=0600", socket.display());
    let (mut started, addresses) =
        start(fcgi(&["--listen", &unix, "--listen", "tcp:127.0.0.1:0", "--listen", "tcp:localhost:0", "--port", "0"]));
    assert_eq!(addresses.len(), 4);
    assert_eq!(addresses[0], format!("unix:{}", socket.display()));
    assert_eq!(fs::metadata(&socket).unwrap().permissions().mode() & 0o777, 0o600);
    assert_answers(&socket.display().to_string());
    for address in &addresses[1..] {
        assert_answers(address.trim_start_matches("tcp:"));
    }
    assert_refused(&["--port", "x"], "expected a port");
    // another program listens there
    assert_refused(&["--listen", &unix], "another program listens there");
    started.0.kill().expect("it runs");
    started.0.wait().expect("it is our child");
    // left behind by a program that was killed, it is free
    let (_started, _) = start(fcgi(&["--listen", &unix]));
    assert_answers(&socket.display().to_string());
}

#[test]
fn what_is_in_the_way_is_told() {
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("precious");
    fs::write(&file, "precious").unwrap();
    let unix = format!("unix:{}", file.display());
    assert_refused(
        &["--listen", &unix],
        &format!("cannot listen at {unix}: there is a file, and it is not a socket\n"),
    );
    assert_eq!(fs::read(&file).unwrap(), b"precious");
    assert_refused(
        &["--listen", "unix:/nowhere/socket"],
        "cannot listen at unix:/nowhere/socket: No such file or directory",
    );
    assert_refused(&["--listen", "unix:x,group=no-such-group"], "there is no group \"no-such-group\"");
    assert_refused(&["--listen", "9000"], "expected unix:PATH[,mode=MODE][,group=GROUP] or tcp:HOST:PORT[,public]");
    assert_refused(&[], "--listen <ADDRESS>");
    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let tcp = format!("tcp:{}", taken.local_addr().unwrap());
    assert_refused(&["--listen", &tcp], &format!("cannot listen at {tcp}: Address already in use"));
}

#[test]
fn off_the_loopback_it_takes_a_word() {
    assert_refused(
        &["--listen", "tcp:0.0.0.0:0"],
        "write tcp:HOST:PORT,public if only the web server gets through to it",
    );
    let (mut started, addresses) = start(fcgi(&["--listen", "tcp:0.0.0.0:0,public"]));
    assert_answers(&addresses[0].trim_start_matches("tcp:").replace("0.0.0.0", "127.0.0.1"));
    let mut log = String::new();
    started.0.kill().expect("it runs");
    started.0.stderr.take().expect("it is piped").read_to_string(&mut log).expect("it ends");
    assert!(log.contains("warn: 0.0.0.0:0 can be reached by other machines"), "{log}");
}

#[test]
fn only_the_web_servers_addresses() {
    for (allowed, answers) in [("192.0.2.1", false), ("", false), ("192.0.2.1, 127.0.0.1", true)] {
        let mut command = fcgi(&["--listen", "tcp:127.0.0.1:0"]);
        command.env("FCGI_WEB_SERVER_ADDRS", allowed);
        let (_started, addresses) = start(command);
        let address = addresses[0].trim_start_matches("tcp:");
        match answers {
            true => assert_answers(address),
            false => {
                let mut stream = TcpStream::connect(address).expect("it listens");
                assert!(matches!(stream.read(&mut [0]), Ok(0) | Err(_)), "{allowed:?}");
            }
        }
    }
}

#[test]
fn without_sockets_it_says_what_there_is() {
    let output = fcgi(&["--help"]).output().expect("it starts");
    let help = String::from_utf8_lossy(&output.stdout);
    for word in ["unix:PATH[,mode=MODE][,group=GROUP]", "tcp:HOST:PORT[,public]", "FCGI_WEB_SERVER_ADDRS"] {
        assert!(help.contains(word), "{help}");
    }
}
