//! Two calls over one connection that Apache keeps, and two over a connection each, by CGI (mod_cgid): a manifest with
//! a worker in Python, and the same function in a script with Python's own CGI handler. mod_cgid lets the second call
//! of a connection wait until the program of the first has ended, so what a program does after its answer counts there.
//!
//! ```sh
//! # with Debian's apache2 and python3
//! cargo build --release
//! cargo run --release -p rpcgi-benches --bin apache
//! ```

use std::fs;
use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::{Child, Command};
use std::time::{Duration, Instant};

/// The number of rounds; each measures both ways, in turns.
const ROUNDS: usize = 40;

const WORKER: &str = "#!/usr/bin/env python3\nimport json, sys\nfor line in sys.stdin:\n    call = json.loads(line)\n    \
    print(json.dumps({'jsonrpc': '2.0', 'id': call['id'], 'result': sum(call['params'])}), flush=True)\n";

const SCRIPT: &str = "#!/usr/bin/env python3\nfrom xmlrpc.server import CGIXMLRPCRequestHandler\n\
    handler = CGIXMLRPCRequestHandler()\nhandler.register_function(lambda a, b: a + b, 'add')\nhandler.handle_request()\n";

const ADD: &str = "<?xml version=\"1.0\"?>\n<methodCall><methodName>add</methodName><params>\
    <param><value><int>2</int></value></param><param><value><int>3</int></value></param></params></methodCall>\n";

fn main() {
    let folder = tempfile::tempdir().expect("a folder");
    let program = Path::new(env!("CARGO_MANIFEST_DIR")).join("../target/release/rpcgi");
    assert!(program.exists(), "cargo build --release");
    let manifest = format!(
        "#!{}\ntitle = \"Sums\"\n[worker.w]\nrun = [\"./worker.py\"]\n[method.add]\nreturns = \"int\"\nworker = \"w\"\n\
         params = [{{ name = \"a\", type = \"int\" }}, {{ name = \"b\", type = \"int\" }}]\n",
        program.display()
    );
    let root = folder.path();
    fs::set_permissions(root, fs::Permissions::from_mode(0o755)).expect("it is ours");
    for (name, text) in [("worker.py", WORKER), ("script.cgi", SCRIPT), ("manifest.cgi", &manifest)] {
        fs::write(root.join(name), text).expect("it is ours");
        fs::set_permissions(root.join(name), fs::Permissions::from_mode(0o755)).expect("it is ours");
    }
    let apache = Apache::start(root);
    for name in ["manifest.cgi", "script.cgi"] {
        let (mut kept, mut new) = (Vec::new(), Vec::new());
        for _ in 0..ROUNDS {
            kept.push(apache.two_calls(name, true));
            new.push(apache.two_calls(name, false));
        }
        let (kept, new) = (median(kept), median(new));
        println!(
            "{name:14} kept {:6.1} ms, new {:6.1} ms, ratio {:.2}",
            kept.as_secs_f64() * 1e3,
            new.as_secs_f64() * 1e3,
            kept.as_secs_f64() / new.as_secs_f64()
        );
    }
}

fn median(mut times: Vec<Duration>) -> Duration {
    times.sort();
    times[times.len() / 2]
}

/// An Apache of its own.
struct Apache {
    child: Child,
    port: u16,
}

impl Apache {
    fn start(root: &Path) -> Apache {
        let port = TcpListener::bind("127.0.0.1:0").and_then(|listener| listener.local_addr()).expect("a port").port();
        let shown = root.display();
        let mut configuration = format!(
            "ServerRoot \"{shown}\"\nDefaultRuntimeDir \"{shown}\"\nServerName 127.0.0.1\nListen 127.0.0.1:{port}\n\
             PidFile pid\nErrorLog error.log\nScriptSock \"{shown}/cgisock\"\nScriptAlias \"/\" \"{shown}/\"\n"
        );
        for module in ["mpm_event", "authz_core", "alias", "cgid"] {
            configuration += &format!("LoadModule {module}_module /usr/lib/apache2/modules/mod_{module}.so\n");
        }
        // not as root
        if fs::metadata("/proc/self").is_ok_and(|own| std::os::unix::fs::MetadataExt::uid(&own) == 0) {
            configuration += "User www-data\nGroup www-data\n";
        }
        fs::write(root.join("httpd.conf"), configuration).expect("it is ours");
        let mut command = Command::new("/usr/sbin/apache2");
        let child = command.args(["-D", "FOREGROUND", "-f"]).arg(root.join("httpd.conf")).spawn().expect("apache2");
        let deadline = Instant::now() + Duration::from_secs(10);
        while TcpStream::connect(("127.0.0.1", port)).is_err() {
            assert!(Instant::now() < deadline, "Apache does not listen");
        }
        Apache { child, port }
    }

    /// Returns the time that two calls take, one after the other.
    fn two_calls(&self, name: &str, is_kept: bool) -> Duration {
        let connect = || TcpStream::connect(("127.0.0.1", self.port)).expect("it listens");
        let started = Instant::now();
        let mut stream = connect();
        call(&mut stream, name);
        if !is_kept {
            stream = connect();
        }
        call(&mut stream, name);
        started.elapsed()
    }
}

impl Drop for Apache {
    fn drop(&mut self) {
        _ = Command::new("kill").args(["-TERM", &self.child.id().to_string()]).status();
        _ = self.child.wait();
    }
}

fn call(stream: &mut TcpStream, name: &str) {
    let head =
        format!("POST /{name} HTTP/1.1\r\nHost: localhost\r\nContent-Type: text/xml\r\nContent-Length: {}", ADD.len());
    stream.write_all(format!("{head}\r\n\r\n{ADD}").as_bytes()).expect("it reads");
    let (mut answer, mut buffer) = (Vec::new(), [0; 4096]);
    while !is_whole(&answer) {
        let read = stream.read(&mut buffer).expect("it answers");
        assert!(read > 0, "{}", String::from_utf8_lossy(&answer));
        answer.extend_from_slice(&buffer[..read]);
    }
    let answer = String::from_utf8_lossy(&answer);
    assert!(answer.contains("<int>5</int>"), "{answer}");
}

/// Tests if a response has come to its end, by its length or its last chunk.
fn is_whole(answer: &[u8]) -> bool {
    let answer = String::from_utf8_lossy(answer);
    let Some((head, body)) = answer.split_once("\r\n\r\n") else { return false };
    let head = head.to_lowercase();
    match head.split("content-length: ").nth(1) {
        Some(rest) => {
            rest.lines().next().and_then(|length| length.parse().ok()).is_some_and(|length: usize| body.len() >= length)
        }
        None => body.ends_with("0\r\n\r\n"),
    }
}
