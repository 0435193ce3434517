//! Calls by FastCGI, `add(2, 3)` with the 22 params that nginx sends, against a C responder on Debian's libfcgi that
//! answers a fixed text, the least that a server can do, and the crates there are: calls per second as a ratio to
//! libfcgi's, and processor time per call. Then bodies of 1 MB, and the same behind nginx.
//!
//! ```sh
//! # with Debian's libfcgi-dev and nginx-light
//! cargo build --release -p rpcgi-benches --bin fastcgi-add --bin fastcgi-floor --bin fastcgi-peer
//! cargo run --release -p rpcgi-benches --bin fastcgi
//! ```

use std::fs;
use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command};
use std::thread;
use std::time::Instant;

use rpcgi_benches::fastcgi::{SLICE, Server, compare_by, load, request, wait_until};

/// As many threads as a responder of libfcgi needs to serve as many connections.
const THREADS: &str = "16";

const ADD: &str = "<?xml version=\"1.0\"?>\n<methodCall><methodName>add</methodName><params>\
    <param><value><int>2</int></value></param><param><value><int>3</int></value></param></params></methodCall>\n";

fn main() {
    let folder = tempfile::tempdir().expect("a folder for the sockets");
    let socket = |name: &str| folder.path().join(name);
    let libfcgi = Server::start("libfcgi, C, fixed answer", libfcgi(folder.path(), &socket("c")), socket("c"));
    let rpcgi = Server::start("rpcgi", rpcgi(&socket("rpcgi")), socket("rpcgi"));
    let floor = Server::start("one read, one write", built("fastcgi-floor", &socket("floor")), socket("floor"));
    let peer = Server::start("tokio-fastcgi and dxr", built("fastcgi-peer", &socket("peer")), socket("peer"));
    let all = [&libfcgi, &rpcgi, &floor, &peer];
    let call = |keep| request(ADD, "text/xml", keep);
    compare("1 connection, kept", &all, &call(true), 1);
    compare("16 connections, kept", &all, &call(true), 16);
    compare("16 at a time, a connection for each call", &all, &call(false), 16);
    let large = format!(
        "<methodCall><methodName>len</methodName><params><param><value><string>{}</string></value></param></params>\
         </methodCall>",
        "x".repeat(1 << 20)
    );
    let decoded = request(&large, "text/xml", true);
    compare("1 MB in one string, 1 connection, kept", &[&libfcgi, &rpcgi], &decoded, 1);
    // as little as libfcgi's program does with it
    let refused = request(&large, "text/plain", true);
    compare("1 MB that is not looked at, 1 connection, kept", &[&libfcgi, &rpcgi], &refused, 1);
    let nginx = Nginx::start(folder.path(), &[&libfcgi, &rpcgi]);
    compare_behind_nginx("behind nginx, 16 connections, kept", &nginx, &[&libfcgi, &rpcgi]);
}

fn libfcgi(folder: &Path, socket: &Path) -> Command {
    let program = folder.join("libfcgi");
    let mut compiler = Command::new("cc");
    compiler.args(["-O2", "-o"]).arg(&program).arg(concat!(env!("CARGO_MANIFEST_DIR"), "/floor/fastcgi.c"));
    assert!(compiler.args(["-lfcgi", "-lpthread"]).status().expect("a C compiler").success(), "Debian: libfcgi-dev");
    let mut command = Command::new(program);
    command.arg(socket).arg(THREADS);
    command
}

fn rpcgi(socket: &Path) -> Command {
    let mut command = Command::new(program("fastcgi-add"));
    command.args(["fcgi", "--listen"]).arg(format!("unix:{},mode=0666", socket.display()));
    command
}

fn built(name: &str, socket: &Path) -> Command {
    let mut command = Command::new(program(name));
    command.arg(socket);
    command
}

/// Returns the path of a program of this package, built beside this one.
fn program(name: &str) -> PathBuf {
    let path = std::env::current_exe().expect("it has a path").with_file_name(name);
    assert!(path.exists(), "{name} is not built: see the head of this file");
    path
}

fn compare(title: &str, servers: &[&Server], request: &[u8], connections: usize) {
    compare_by(title, servers, |server| load(server, request, connections));
}

/// An nginx that passes `/0` to the first server, `/1` to the second.
struct Nginx {
    child: Child,
    port: u16,
}

impl Nginx {
    fn start(folder: &Path, servers: &[&Server]) -> Nginx {
        let root = folder.display();
        let port = TcpListener::bind("127.0.0.1:0").and_then(|listener| listener.local_addr()).expect("a port").port();
        let temporary: String = ["client_body", "fastcgi", "proxy", "uwsgi", "scgi"]
            .map(|kind| format!("{kind}_temp_path {root}/{kind};"))
            .concat();
        let (mut upstreams, mut locations) = (String::new(), String::new());
        for (index, server) in servers.iter().enumerate() {
            upstreams += &format!("upstream s{index} {{ server unix:{}; keepalive 32; }}\n", server.socket.display());
            locations += &format!(
                "location /{index} {{ fastcgi_pass s{index}; fastcgi_keep_conn on; include /etc/nginx/fastcgi_params; }}\n"
            );
        }
        let configuration = format!(
            "user root; daemon off; pid {root}/pid; error_log {root}/error.log; events {{ }}\nhttp {{ access_log off;\n\
             keepalive_requests 100000000; {temporary}\n{upstreams}server {{ listen 127.0.0.1:{port};\n{locations}}} }}\n"
        );
        let file = folder.join("nginx.conf");
        fs::write(&file, configuration).expect("it is ours");
        let child =
            Command::new("nginx").arg("-p").arg(folder).arg("-c").arg(file).spawn().expect("nginx is installed");
        wait_until(|| TcpStream::connect(("127.0.0.1", port)).is_ok());
        Nginx { child, port }
    }
}

impl Drop for Nginx {
    fn drop(&mut self) {
        // the parent, which ends its children
        _ = Command::new("kill").arg(self.child.id().to_string()).status();
        _ = self.child.wait();
    }
}

fn compare_behind_nginx(title: &str, nginx: &Nginx, servers: &[&Server]) {
    compare_by(title, servers, |server| {
        let index = servers.iter().position(|other| other.name == server.name).expect("it is one of them");
        let request = format!(
            "POST /{index} HTTP/1.1\r\nHost: localhost\r\nContent-Type: text/xml\r\nContent-Length: {}\r\n\r\n{ADD}",
            ADD.len()
        );
        let (started, before) = (Instant::now(), server.processor_time());
        let call = || {
            let mut stream = TcpStream::connect(("127.0.0.1", nginx.port)).expect("it listens");
            let (mut buffer, mut count) = ([0; 4096], 0_u32);
            while started.elapsed() < SLICE {
                stream.write_all(request.as_bytes()).expect("it reads");
                let mut answer = Vec::new();
                while !answer.ends_with(b"</methodResponse>\n") && !answer.ends_with(b"0\r\n\r\n") {
                    let read = stream.read(&mut buffer).expect("it answers");
                    assert!(read > 0, "it closes the connection");
                    answer.extend_from_slice(&buffer[..read]);
                }
                assert!(answer.starts_with(b"HTTP/1.1 200 "), "{}", String::from_utf8_lossy(&answer));
                count += 1;
            }
            count
        };
        let count: u32 = thread::scope(|scope| {
            let callers: Vec<_> = (0..16).map(|_| scope.spawn(call)).collect();
            callers.into_iter().map(|caller| caller.join().expect("it ends")).sum()
        });
        let seconds = started.elapsed().as_secs_f64();
        (f64::from(count) / seconds, (server.processor_time() - before) / f64::from(count))
    });
}
