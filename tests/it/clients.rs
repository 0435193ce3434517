//! Clients of other languages, through a real Apache.

use std::process::{Command, Output};

use crate::apache::Apache;

fn client(name: &str) -> String {
    format!("{}/tests/clients/{name}", env!("CARGO_MANIFEST_DIR"))
}

#[track_caller]
fn run(program: &str, arguments: &[&str]) -> Output {
    let output = Command::new(program).args(arguments).output();
    output.unwrap_or_else(|error| panic!("{program} is installed: `tests/run` does that; but {error}"))
}

#[track_caller]
fn assert_says(output: &Output, expected: &str, apache: &Apache) {
    let (stdout, stderr) = (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    assert!(output.status.success() && stdout.ends_with(expected), "{stdout}{stderr}{}", apache.log());
}

#[test]
fn python() {
    let apache = Apache::running();
    let output = run("python3", &[&client("python.py"), &apache.url("/RPC2")]);
    assert_says(&output, "python: all answers as expected\n", &apache);
}

#[test]
fn perl() {
    let apache = Apache::running();
    // Debian's perl has Debian's modules
    let output = run("/usr/bin/perl", &[&client("perl.pl"), &apache.url("/RPC2")]);
    assert_says(&output, "perl: all answers as expected\n", &apache);
}

#[test]
fn xmlrpc_c() {
    let apache = Apache::running();
    let folder = tempfile::tempdir().expect("a folder for the client");
    let program = folder.path().join("client").display().to_string();
    let flags = run("xmlrpc-c-config", &["client", "--cflags", "--libs"]);
    let flags = String::from_utf8(flags.stdout).expect("it is text");
    // the client library brings curl itself
    let libraries = flags.split_whitespace().filter(|flag| *flag != "-lcurl");
    let source = client("xmlrpc_c.c");
    let arguments: Vec<&str> = [&source[..], "-o", &program].into_iter().chain(libraries).collect();
    assert_says(&run("cc", &arguments), "", &apache);
    assert_says(&run(&program, &[&apache.url("/RPC2")]), "xmlrpc-c: all answers as expected\n", &apache);
}

/// Writes an interface down from what introspection tells.
#[test]
fn xml_rpc_api2txt() {
    let apache = Apache::running();
    let output = run("/usr/bin/perl", &["/usr/bin/xml-rpc-api2txt", &apache.url("/RPC2")]);
    let text = String::from_utf8_lossy(&output.stdout);
    for line in ["array wheel.spinList (int)", "int examples.addtwo (int, int)", "Spins the wheel once."] {
        assert!(text.contains(line), "{line} is not in {text}{}", String::from_utf8_lossy(&output.stderr));
    }
}
