//! Helpers that tests share: calls in this process, programs by CGI, by HTTP and by FastCGI, and waiting.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::path::PathBuf;
use std::process::{Child, Command, Output, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use rpcgi::xmlrpc::{self, Value};
use rpcgi::{Endpoint, Fault};
use serde::Serialize;

/// Waits until a look finds something; returns `None` if it has not in time.
pub fn wait_for<T>(mut look: impl FnMut() -> Option<T>) -> Option<T> {
    let deadline = Instant::now() + Duration::from_secs(20);
    loop {
        let found = look();
        if found.is_some() || Instant::now() > deadline {
            return found;
        }
        // the one pause between two looks, of all tests
        thread::sleep(Duration::from_millis(5));
    }
}

/// Waits for a condition; returns whether it came true in time.
pub fn soon(mut is_true: impl FnMut() -> bool) -> bool {
    wait_for(|| is_true().then_some(())).is_some()
}

/// Calls a method with params of the types they have.
#[track_caller]
pub fn call(endpoint: &Endpoint, name: &str, params: &impl Serialize) -> Result<Value, Fault> {
    let document = xmlrpc::call_to_vec(name, params).expect("the params can be written");
    answer(endpoint, &document)
}

/// Sends a document.
#[track_caller]
pub fn answer(endpoint: &Endpoint, document: &[u8]) -> Result<Value, Fault> {
    let response = endpoint.handle_document(document);
    xmlrpc::response_from_slice(&response)
        .unwrap_or_else(|error| panic!("{error} in {}", String::from_utf8_lossy(&response)))
}

/// Returns a methodCall with the values of its params as written.
pub fn document(name: &str, values: &[&str]) -> String {
    let params: String = values.iter().map(|value| format!("<param><value>{value}</value></param>")).collect();
    format!("<methodCall><methodName>{name}</methodName><params>{params}</params></methodCall>")
}

/// Returns the path of the example of this name.
pub fn example(name: &str) -> PathBuf {
    let tests = std::env::current_exe().expect("a running test has a path");
    let path = tests.ancestors().nth(2).expect("tests are two folders deep").join("examples").join(name);
    assert!(path.exists(), "{} is not built: run `cargo build --examples`, as `tests/run` does", path.display());
    path
}

/// A request to an example as a CGI program.
pub struct Cgi {
    pub command: Command,
    input: Vec<u8>,
}

pub struct Answer {
    pub head: String,
    pub body: String,
    pub log: String,
    pub status: Option<i32>,
}

impl Cgi {
    pub fn new(program: &str, method: &str) -> Cgi {
        Cgi::of(Command::new(example(program)), method)
    }

    /// Prepares a request to any program.
    pub fn of(mut command: Command, method: &str) -> Cgi {
        command.env_clear().env("REQUEST_METHOD", method).env("GATEWAY_INTERFACE", "CGI/1.1");
        Cgi { command, input: Vec::new() }.env("SCRIPT_NAME", "/cgi-bin/x.cgi").env("REQUEST_URI", "/RPC2")
    }

    pub fn post(program: &str, body: &str) -> Cgi {
        Cgi::post_to(Command::new(example(program)), body)
    }

    pub fn post_to(command: Command, body: &str) -> Cgi {
        let mut cgi =
            Cgi::of(command, "POST").env("CONTENT_TYPE", "text/xml").env("CONTENT_LENGTH", &body.len().to_string());
        cgi.input = body.into();
        cgi
    }

    pub fn env(mut self, name: &str, value: &str) -> Cgi {
        self.command.env(name, value);
        self
    }

    pub fn without(mut self, name: &str) -> Cgi {
        self.command.env_remove(name);
        self
    }

    pub fn argument(mut self, word: &str) -> Cgi {
        self.command.arg(word);
        self
    }

    /// Adds octets to standard input beyond the body.
    pub fn more_input(mut self, octets: &str) -> Cgi {
        self.input.extend_from_slice(octets.as_bytes());
        self
    }

    #[track_caller]
    pub fn answer(mut self) -> Answer {
        let piped = self.command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = piped.spawn().expect("the program starts");
        // a program that answers early may not read it all
        _ = child.stdin.take().expect("it is piped").write_all(&self.input);
        let output = child.wait_with_output().expect("the program ends");
        let text = String::from_utf8(output.stdout).expect("the answer is text");
        let (head, body) = text.split_once("\r\n\r\n").unwrap_or_else(|| panic!("no head in {text:?}"));
        let log = String::from_utf8_lossy(&output.stderr).into_owned();
        Answer { head: head.to_owned(), body: body.to_owned(), log, status: output.status.code() }
    }
}

/// An example serving on a port of its own, ended with the test.
pub struct Served {
    child: Child,
    pub address: String,
}

impl Served {
    pub fn start(program: &str, arguments: &[&str]) -> Served {
        let mut command = Command::new(example(program));
        command.env_clear().args(arguments);
        Served::start_command(command)
    }

    pub fn start_command(mut command: Command) -> Served {
        command.stdin(Stdio::null()).stdout(Stdio::piped());
        let mut child = command.spawn().expect("the program starts");
        let mut line = String::new();
        let output = child.stdout.take().expect("it is piped");
        BufReader::new(output).read_line(&mut line).expect("it says where");
        let url = line.split("http://").nth(1).unwrap_or_else(|| panic!("no URL in {line:?}"));
        let address = url.split('/').next().expect("a host").to_owned();
        Served { child, address }
    }

    pub fn id(&self) -> u32 {
        self.child.id()
    }

    /// Waits for its end.
    pub fn wait(&mut self) -> std::process::ExitStatus {
        self.child.wait().expect("it is our child")
    }

    /// Sends octets, and reads to the end of the connection.
    pub fn send(&self, request: &str) -> String {
        let mut stream = TcpStream::connect(&self.address).expect("it listens");
        stream.write_all(request.as_bytes()).expect("it reads");
        let mut response = String::new();
        stream.read_to_string(&mut response).expect("it answers");
        response
    }
}

impl Served {
    /// Ends it as Ctrl-C does.
    pub fn interrupt(&mut self) -> std::process::ExitStatus {
        let sent = Command::new("kill").args(["-INT", &self.child.id().to_string()]).status().expect("kill runs");
        assert!(sent.success());
        self.child.wait().expect("it is our child")
    }
}

impl Drop for Served {
    fn drop(&mut self) {
        _ = self.child.kill();
        _ = self.child.wait();
    }
}

/// Runs `cgi-fcgi` of libfcgi's tools at an address: a file, or HOST:PORT.
pub fn cgi_fcgi(address: &str, method: &str, body: &str) -> Output {
    let mut command = Command::new("cgi-fcgi");
    command.args(["-bind", "-connect", address]).env_clear().env("REQUEST_METHOD", method);
    command.env("CONTENT_LENGTH", body.len().to_string()).env("CONTENT_TYPE", "text/xml").env("REQUEST_URI", "/RPC2");
    let command = command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn().expect("cgi-fcgi is installed: `tests/run` does that");
    child.stdin.take().expect("it is piped").write_all(body.as_bytes()).expect("it reads");
    child.wait_with_output().expect("it ends")
}
