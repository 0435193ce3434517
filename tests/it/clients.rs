//! Clients of other languages, through real web servers and every gateway.

use std::process::{Command, Output};

use crate::harness::{Served, example};
use crate::web_servers::WebServer;

fn client(name: &str) -> String {
    format!("{}/tests/clients/{name}", env!("CARGO_MANIFEST_DIR"))
}

#[track_caller]
fn run(program: &str, arguments: &[&str]) -> Output {
    let output = Command::new(program).args(arguments).output();
    output.unwrap_or_else(|error| panic!("{program} is installed: `tests/run` does that; but {error}"))
}

/// Runs a client at each URL that leads to the interop example, by CGI and by FastCGI.
#[track_caller]
fn run_everywhere(program: &str, arguments: &[&str], expected: &str) {
    let (apache, nginx, lighttpd) = (WebServer::apache(), WebServer::nginx(), WebServer::lighttpd());
    for (server, path) in [
        (&apache, "/RPC2"),
        (&apache, "/fcgid/interop"),
        (&apache, "/one"),
        (&apache, "/many"),
        (&nginx, "/RPC2"),
        (&nginx, "/many"),
        (&lighttpd, "/RPC2"),
        (&lighttpd, "/one"),
        (&lighttpd, "/cgi-bin/interop"),
    ] {
        let url = server.url(path);
        let output = run(program, &[arguments, &[&url]].concat());
        let (stdout, stderr) = (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
        assert!(output.status.success() && stdout.ends_with(expected), "{url}: {stdout}{stderr}{}", server.log());
    }
}

#[test]
fn python() {
    run_everywhere("python3", &[&client("python.py")], "python: all answers as expected\n");
}

#[test]
fn perl() {
    // Debian's perl has Debian's modules
    run_everywhere("/usr/bin/perl", &[&client("perl.pl")], "perl: all answers as expected\n");
}

#[test]
fn xmlrpc_c() {
    let folder = tempfile::tempdir().expect("a folder for the client");
    let program = folder.path().join("client").display().to_string();
    let flags = run("xmlrpc-c-config", &["client", "--cflags", "--libs"]);
    let flags = String::from_utf8(flags.stdout).expect("it is text");
    // the client library brings curl itself
    let libraries = flags.split_whitespace().filter(|flag| *flag != "-lcurl");
    let source = client("xmlrpc_c.c");
    let arguments: Vec<&str> = [&source[..], "-o", &program].into_iter().chain(libraries).collect();
    let compiled = run("cc", &arguments);
    assert!(compiled.status.success(), "{}", String::from_utf8_lossy(&compiled.stderr));
    run_everywhere(&program, &[], "xmlrpc-c: all answers as expected\n");
}

/// The exercise of Odoo's documentation, where many processes, several, or one work on the same file.
#[test]
fn openacademy() {
    let apache = WebServer::apache();
    openacademy_at(&apache.url("/cgi-bin/openacademy"));
    openacademy_at(&apache.url("/fcgid/openacademy"));
    openacademy_at(&WebServer::nginx_with("openacademy").url("/service"));
    let folder = tempfile::tempdir().expect("a folder for the database");
    let mut command = Command::new(example("openacademy"));
    command.args(["serve", "--listen", "127.0.0.1:0"]);
    command.env_clear().env("OPENACADEMY_FILE", folder.path().join("openacademy.sqlite"));
    let served = Served::start_command(command);
    openacademy_at(&format!("http://{}", served.address));
}

#[track_caller]
fn openacademy_at(url: &str) {
    let output = run("python3", &[&client("openacademy.py"), url]);
    let (stdout, stderr) = (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    let expected = "openacademy: all answers as expected\n";
    assert!(output.status.success() && stdout.ends_with(expected), "{url}: {stdout}{stderr}");
}

/// Writes an interface down from what introspection tells.
#[test]
fn xml_rpc_api2txt() {
    let nginx = WebServer::nginx();
    let output = run("/usr/bin/perl", &["/usr/bin/xml-rpc-api2txt", &nginx.url("/RPC2")]);
    let text = String::from_utf8_lossy(&output.stdout);
    for line in ["array wheel.spinList (int)", "int examples.addtwo (int, int)", "Spins the wheel once."] {
        assert!(text.contains(line), "{line} is not in {text}{}", String::from_utf8_lossy(&output.stderr));
    }
}
