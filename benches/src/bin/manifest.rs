//! Manifests: a CGI call of one with fifty methods against the same methods compiled, and calls of a Python worker by
//! FastCGI against Python's own `DocCGIXMLRPCRequestHandler` by CGI.
//!
//! ```sh
//! rustup target add x86_64-unknown-linux-musl
//! cargo build --release --target x86_64-unknown-linux-musl
//! cargo build --release --target x86_64-unknown-linux-musl -p rpcgi-benches --bin cgi-run-50
//! cargo run --release -p rpcgi-benches --bin manifest
//! ```

use std::fmt::Write as _;
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Instant;

use rpcgi_benches::cgi::{call, program};
use rpcgi_benches::fastcgi::{SLICE, Server, load, request};
use rpcgi_benches::{Contender, compare, median};

const ROUNDS: usize = 9;

fn document(method: &str, params: &[&str]) -> String {
    let params: String = params.iter().map(|value| format!("<param><value>{value}</value></param>")).collect();
    format!(
        "<?xml version=\"1.0\"?>\n<methodCall><methodName>{method}</methodName><params>{params}</params></methodCall>\n"
    )
}

/// Returns a manifest with fifty methods, as people write them.
fn fifty_methods(program: &Path) -> String {
    let mut text = format!("#!{}\ntitle = \"Calculator\"\n", program.display());
    for number in 0..50 {
        write!(
            text,
            "\n[method.\"calc.add{number}\"]\ntitle = \"Adds two numbers.\"\nhelp = \"The sum is exact, and has 64 bits.\"\n\
             params = [\n    {{ name = \"a\", type = \"int\" }},\n    {{ name = \"b\", type = \"int\" }},\n]\nreturns = \"i8\"\n\
             run = [\"expr\", \"{{a}}\", \"+\", \"{{b}}\"]\n"
        )
        .expect("a String takes it");
    }
    text
}

const PYTHON: &str = "\
from xmlrpc.server import DocCGIXMLRPCRequestHandler
def add(a, b):
    \"Adds two numbers.\"
    return a + b
handler = DocCGIXMLRPCRequestHandler()
handler.register_function(add)
handler.handle_request()
";

fn script(folder: &Path, name: &str, text: &str) -> PathBuf {
    let path = folder.join(name);
    fs::write(&path, text).expect("it is ours");
    fs::set_permissions(&path, fs::Permissions::from_mode(0o755)).expect("it is ours");
    path
}

fn main() {
    let folder = tempfile::tempdir().expect("a folder");
    let (rpcgi, compiled) = (program("rpcgi"), program("cgi-run-50"));
    let text = fifty_methods(&rpcgi);
    let manifest = script(folder.path(), "fifty.cgi", &text);
    let add = document("calc.add25", &["<int>2</int>", "<int>3</int>"]);
    let exists = document("system.methodExist", &["calc.add25"]);
    compare(
        &format!("a CGI call that starts `expr`, exec to exit; the manifest has {} octets", text.len()),
        vec![
            Contender::new("50 methods, compiled", || call(&compiled, add.as_bytes(), ">5<")),
            Contender::new("50 methods, in a manifest", || call(&manifest, add.as_bytes(), ">5<")),
        ],
    );
    compare(
        "a CGI call that starts nothing (system.methodExist)",
        vec![
            Contender::new("50 methods, compiled", || call(&compiled, exists.as_bytes(), ">1<")),
            Contender::new("50 methods, in a manifest", || call(&manifest, exists.as_bytes(), ">1<")),
        ],
    );
    workers(folder.path(), &rpcgi);
    for program in [rpcgi, compiled] {
        fs::remove_file(program).expect("it was ours");
    }
}

/// Compares the calls per second of a Python function: by FastCGI to a worker that stays, and by CGI to Python itself.
fn workers(folder: &Path, rpcgi: &Path) {
    let cgi_bin = Path::new(env!("CARGO_MANIFEST_DIR")).join("../cgi-bin");
    let python = script(folder, "python.cgi", &format!("#!/usr/bin/python3\n{PYTHON}"));
    let by_cgi = document("add", &["<double>2</double>", "<double>3.5</double>"]);
    let socket = folder.join("socket");
    let mut command = Command::new(rpcgi);
    command.arg("fcgi").arg(cgi_bin.join("languages")).arg("--listen").arg(format!("unix:{}", socket.display()));
    let server = Server::start("worker", command, socket);
    let by_fastcgi = document("python.add", &["<double>2</double>", "<double>3.5</double>"]);
    for connections in [1, 16] {
        let (mut ratios, mut rates) = (Vec::new(), Vec::new());
        for round in 0..=ROUNDS {
            let rate = load(&server, &request(&by_fastcgi, "text/xml", true), connections).0;
            let (started, mut count) = (Instant::now(), 0);
            while started.elapsed() < SLICE {
                call(&python, by_cgi.as_bytes(), ">5.5<");
                count += 1;
            }
            // the first round warms up
            if round > 0 {
                rates.push(rate);
                ratios.push(rate / (f64::from(count) / started.elapsed().as_secs_f64()));
            }
        }
        println!(
            "a Python worker by FastCGI, {connections} kept: {:.0} calls/s, {:.0} times those of Python by CGI",
            median(rates),
            median(ratios)
        );
    }
}
