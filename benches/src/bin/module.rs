//! Modules: a CGI call of a function above the interpreter started with that module, in six languages; and by FastCGI
//! against Python's own CGI handler, a bare socket pair, and one process against two.
//!
//! Times are processor time of all processes that were started, since the interpreters' starts vary.
//!
//! ```sh
//! rustup target add x86_64-unknown-linux-musl
//! cargo build --release --target x86_64-unknown-linux-musl
//! cargo run --release -p rpcgi-benches --bin module
//! taskset -c 1 cargo run --release -p rpcgi-benches --bin module -- fastcgi
//! ```

use std::fs;
use std::io::{BufRead, BufReader, Write};
use std::os::fd::OwnedFd;
use std::os::unix::fs::PermissionsExt;
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Instant;

use rpcgi_benches::cgi::{call, program};
use rpcgi_benches::fastcgi::{SLICE, Server, load, request};
use rpcgi_benches::median;

const ROUNDS: usize = 9;

/// Starts in a round, of each side.
const STARTS: u32 = 20;

/// A language: the extension, a module, and the words that start its interpreter with that module.
struct Language {
    extension: &'static str,
    module: &'static str,
    start: &'static [&'static str],
}

const LANGUAGES: &[Language] = &[
    Language {
        extension: "py",
        module: "def add(a: int, b: int) -> int:\n    return a + b\n",
        start: &["python3", "-c", "import m"],
    },
    Language {
        extension: "php",
        module: "<?php\nfunction add(int $a, int $b): int { return $a + $b; }\n",
        start: &["php", "-r", "require 'm.php';"],
    },
    Language {
        extension: "js",
        module: "/** @param {integer} a\n * @param {integer} b */\nexports.add = (a, b) => a + b;\n",
        start: &["node", "-e", "require('./m.js')"],
    },
    Language { extension: "rb", module: "def add(a, b) = a + b\n", start: &["ruby", "-e", "require './m.rb'"] },
    Language {
        extension: "pl",
        module: "sub add { my ($a, $b) = @_; $a + $b }\n1;\n",
        start: &["perl", "-e", "require './m.pl'"],
    },
    Language {
        extension: "lua",
        module: "local M = {}\nfunction M.add(a, b) return a + b end\nreturn M\n",
        start: &["lua5.4", "-e", "dofile('m.lua')"],
    },
];

const PYTHON: &str = "#!/usr/bin/python3
from xmlrpc.server import DocCGIXMLRPCRequestHandler
def add(a, b):
    return a + b
handler = DocCGIXMLRPCRequestHandler()
handler.register_function(add)
handler.handle_request()
";

/// What a socket pair costs by itself: a line of JSON in, a line out.
const BARE: &str = "\
import json, socket
stream = socket.socket(fileno=0).makefile('rwb')
for line in stream:
    call = json.loads(line)
    stream.write(json.dumps({'id': call['id'], 'result': call['args'][0] + call['args'][1]}).encode() + b'\\n')
    stream.flush()
";

fn add() -> String {
    let params = "<param><value><int>2</int></value></param><param><value><int>3</int></value></param>";
    format!("<?xml version=\"1.0\"?>\n<methodCall><methodName>add</methodName><params>{params}</params></methodCall>\n")
}

fn script(folder: &Path, name: &str, text: &str) -> PathBuf {
    let path = folder.join(name);
    fs::write(&path, text).expect("it is ours");
    fs::set_permissions(&path, fs::Permissions::from_mode(0o755)).expect("it is ours");
    path
}

/// Returns the seconds of processor time of all children that have ended.
fn children_time() -> f64 {
    let stat = fs::read_to_string("/proc/self/stat").expect("it is Linux");
    let fields: Vec<&str> = stat.rsplit(')').next().unwrap_or_default().split_whitespace().collect();
    let ticks: f64 = fields[13..15].iter().map(|ticks| ticks.parse::<f64>().expect("a number")).sum();
    ticks / rustix::param::clock_ticks_per_second() as f64
}

/// Returns the milliseconds of processor time that one run takes.
fn time(mut run: impl FnMut()) -> f64 {
    let before = children_time();
    (0..STARTS).for_each(|_| run());
    (children_time() - before) * 1000.0 / f64::from(STARTS)
}

fn main() {
    let rpcgi = program("rpcgi");
    let folder = tempfile::tempdir().expect("a folder");
    // where code is kept too, and where descriptions alone are
    let target = Path::new(env!("CARGO_MANIFEST_DIR")).join("../target").canonicalize().expect("it is built there");
    let own = tempfile::Builder::new().prefix("cache").tempdir_in(target).expect("a folder");
    // `-- fastcgi`: without the starts
    let is_short = std::env::args().nth(1).is_some_and(|part| part == "fastcgi");
    for Language { extension, module, start } in LANGUAGES.iter().filter(|_| !is_short) {
        let place = folder.path().join(extension);
        fs::create_dir(&place).expect("it is ours");
        script(&place, &format!("m.{extension}"), module);
        let caches = [
            ("kept", own.path().join("cache").display().to_string()),
            ("text", folder.path().join("cache").display().to_string()),
            ("off", "off".into()),
        ];
        for (name, cache) in caches {
            let first =
                format!("#!{}\ntitle = \"Add\"\nmodule = \"m.{extension}\"\ncache = \"{cache}\"\n", rpcgi.display());
            let manifest = script(&place, &format!("{name}.cgi"), &first);
            let bare = || {
                let ended = Command::new(start[0])
                    .args(&start[1..])
                    .env_clear()
                    .env("PATH", "/usr/bin:/bin")
                    .current_dir(&place)
                    .status()
                    .expect("it starts");
                assert!(ended.success());
            };
            let (mut ratios, mut above, mut bares) = (Vec::new(), Vec::new(), Vec::new());
            for round in 0..=ROUNDS {
                let alone = time(bare);
                let called = time(|| call(&manifest, add().as_bytes(), ">5<"));
                // the first round fills caches
                if round > 0 {
                    ratios.push(called / alone);
                    above.push(called - alone);
                    bares.push(alone);
                }
            }
            println!(
                "{extension}, description {name}: {:.2} of the interpreter with the module ({:.1} ms), {:+.1} ms",
                median(ratios),
                median(bares),
                median(above)
            );
        }
    }
    by_fastcgi(folder.path(), &rpcgi);
    fs::remove_file(rpcgi).expect("it was ours");
}

fn serve(folder: &Path, rpcgi: &Path, name: &'static str, more: &str) -> Server {
    let text = format!("#!{}\ntitle = \"Add\"\nmodule = \"served.py\"\n{more}", rpcgi.display());
    let manifest = script(folder, &format!("{name}.cgi"), &text);
    let socket = folder.join(name);
    let mut command = Command::new(rpcgi);
    command.arg("fcgi").arg(manifest).arg("--listen").arg(format!("unix:{}", socket.display()));
    Server::start(name, command, socket)
}

fn by_fastcgi(folder: &Path, rpcgi: &Path) {
    let module = "def add(a: int, b: int) -> int:\n    return a + b\n\n\ndef work(a: int, b: int) -> int:\n    \
                  for _ in range(300000):\n        pass\n    return a + b\n";
    script(folder, "served.py", module);
    let python = script(folder, "python.cgi", PYTHON);
    let one = serve(folder, rpcgi, "one", "");
    let two = serve(folder, rpcgi, "two", "count = 2\n");
    let request_of = |name: &str| request(&add().replace("add", name), "text/xml", true);
    let (mut to_cgi, mut to_bare, mut to_one, mut rates) = (Vec::new(), Vec::new(), Vec::new(), Vec::new());
    for round in 0..=ROUNDS {
        let rate = load(&one, &request_of("add"), 1).0;
        let bare = bare_rate();
        let (started, mut count) = (Instant::now(), 0);
        while started.elapsed() < SLICE {
            call(&python, add().as_bytes(), ">5<");
            count += 1;
        }
        let cgi = f64::from(count) / started.elapsed().as_secs_f64();
        let [single, double] = [&one, &two].map(|server| load(server, &request_of("work"), 4).0);
        if round > 0 {
            to_cgi.push(rate / cgi);
            to_bare.push(rate / bare);
            to_one.push(double / single);
            rates.push(rate);
        }
    }
    println!(
        "by FastCGI: {:.0} calls/s, {:.0} times those of Python by CGI, {:.2} of a bare socket pair; two processes {:.2} \
         times one",
        median(rates),
        median(to_cgi),
        median(to_bare),
        median(to_one)
    );
}

/// Returns the calls per second over a socket pair.
fn bare_rate() -> f64 {
    let (ours, theirs) = UnixStream::pair().expect("a socket pair");
    let mut command = Command::new("python3");
    command.args(["-c", BARE]).stdin(OwnedFd::from(theirs)).stdout(Stdio::null());
    let mut child = command.spawn().expect("it starts");
    drop(command);
    let (mut reader, mut writer) = (BufReader::new(ours.try_clone().expect("a descriptor")), ours);
    let mut exchange = |id: u32| {
        let mut line = String::new();
        writer.write_all(format!("{{\"id\": {id}, \"args\": [2, 3]}}\n").as_bytes()).expect("it reads");
        reader.read_line(&mut line).expect("it answers");
        assert!(line.contains("\"result\": 5"), "{line}");
    };
    exchange(0);
    let (started, mut count) = (Instant::now(), 0);
    while started.elapsed() < SLICE {
        count += 1;
        exchange(count);
    }
    let rate = f64::from(count) / started.elapsed().as_secs_f64();
    drop((reader, writer));
    _ = child.kill();
    _ = child.wait();
    rate
}
