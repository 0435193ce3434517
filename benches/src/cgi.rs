//! CGI programs, started as a web server does.

use std::fs;
use std::io::{Write, pipe};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

/// A call of `add(2, 3)`.
pub const BODY: &[u8] = b"<?xml version=\"1.0\"?>\n<methodCall><methodName>add</methodName><params>\
    <param><value><int>2</int></value></param><param><value><int>3</int></value></param></params></methodCall>\n";

/// Copies a program to the place where it runs: the file as the linker wrote it is mapped at a higher price.
pub fn install(program: &Path) -> PathBuf {
    let name = program.file_name().expect("a program has a name").to_string_lossy();
    let place = std::env::temp_dir().join(format!("rpcgi-bench-{}-{name}", std::process::id()));
    fs::copy(program, &place).expect("there is room");
    place
}

/// Installs a program of this workspace for musl, and returns its place.
pub fn program(name: &str) -> PathBuf {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../target/x86_64-unknown-linux-musl/release").join(name);
    assert!(path.exists(), "{name} is not built: see the head of this file");
    install(&path)
}

/// Returns the command for a program in the environment that a web server gives it, for a POST.
pub fn command(program: &Path, document: &[u8]) -> Command {
    let mut command = Command::new(program);
    command.env_clear();
    for (name, value) in [
        ("GATEWAY_INTERFACE", "CGI/1.1"),
        ("SERVER_PROTOCOL", "HTTP/1.1"),
        ("SERVER_SOFTWARE", "bench"),
        ("SERVER_NAME", "localhost"),
        ("SERVER_PORT", "80"),
        ("REQUEST_METHOD", "POST"),
        ("REQUEST_URI", "/cgi-bin/add"),
        ("SCRIPT_NAME", "/cgi-bin/add"),
        ("QUERY_STRING", ""),
        ("REMOTE_ADDR", "127.0.0.1"),
        ("CONTENT_TYPE", "text/xml"),
        ("HTTP_HOST", "localhost"),
        ("HTTP_USER_AGENT", "bench"),
        ("PATH", "/usr/bin:/bin"),
    ] {
        command.env(name, value);
    }
    command.env("CONTENT_LENGTH", document.len().to_string()).env("SCRIPT_FILENAME", program);
    command
}

/// Starts a program for its page, not compressed, which has to have this text.
pub fn get(program: &Path, expected: &str) {
    let output = command(program, b"")
        .env("REQUEST_METHOD", "GET")
        .env_remove("CONTENT_TYPE")
        .env_remove("CONTENT_LENGTH")
        .stdin(Stdio::null())
        .output()
        .expect("it ends");
    let answer = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success() && answer.contains(expected), "{answer}");
}

/// Starts a program for one call, whose answer has to have this text.
pub fn call(program: &Path, document: &[u8], expected: &str) {
    let (input, mut body) = pipe().expect("a pipe");
    body.write_all(document).expect("it fits into the pipe");
    drop(body);
    let child = command(program, document).stdin(input).stdout(Stdio::piped()).spawn().expect("it starts");
    let output = child.wait_with_output().expect("it ends");
    let answer = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success() && answer.contains(expected), "{answer}");
}
