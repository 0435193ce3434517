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
use std::io::ErrorKind;
use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use rustix::event::epoll;

const ROUNDS: usize = 9;
const SLICE: Duration = Duration::from_millis(500);
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

/// A program of this package, built beside this one.
fn program(name: &str) -> PathBuf {
    let path = std::env::current_exe().expect("it has a path").with_file_name(name);
    assert!(path.exists(), "{name} is not built: see the head of this file");
    path
}

/// A process with a FastCGI socket.
struct Server {
    name: &'static str,
    child: Child,
    socket: PathBuf,
}

impl Server {
    fn start(name: &'static str, mut command: Command, socket: PathBuf) -> Server {
        let child = command.stdin(Stdio::null()).stdout(Stdio::null()).spawn().expect("it starts");
        wait_until(|| UnixStream::connect(&socket).is_ok());
        Server { name, child, socket }
    }

    /// Seconds of processor time it has taken.
    fn processor_time(&self) -> f64 {
        let stat = fs::read_to_string(format!("/proc/{}/stat", self.child.id())).expect("it runs");
        let fields: Vec<&str> = stat.rsplit(')').next().unwrap_or_default().split_whitespace().collect();
        let ticks: f64 = fields[11..13].iter().map(|ticks| ticks.parse::<f64>().expect("a number")).sum();
        ticks / rustix::param::clock_ticks_per_second() as f64
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        _ = self.child.kill();
        _ = self.child.wait();
    }
}

fn wait_until(is_true: impl Fn() -> bool) {
    let deadline = Instant::now() + Duration::from_secs(10);
    while !is_true() {
        assert!(Instant::now() < deadline, "it does not start");
        thread::sleep(Duration::from_millis(10));
    }
}

/// A POST as nginx 1.22 sends it, with the stock `fastcgi_params`.
fn request(body: &str, content_type: &str, keep: bool) -> Vec<u8> {
    let length = body.len().to_string();
    let mut params = Vec::new();
    for (name, value) in [
        ("SCRIPT_FILENAME", "/srv/www/rpc"),
        ("QUERY_STRING", ""),
        ("REQUEST_METHOD", "POST"),
        ("CONTENT_TYPE", content_type),
        ("CONTENT_LENGTH", &length),
        ("SCRIPT_NAME", "/rpc"),
        ("REQUEST_URI", "/rpc"),
        ("DOCUMENT_URI", "/rpc"),
        ("DOCUMENT_ROOT", "/usr/share/nginx/html"),
        ("SERVER_PROTOCOL", "HTTP/1.1"),
        ("REQUEST_SCHEME", "http"),
        ("GATEWAY_INTERFACE", "CGI/1.1"),
        ("SERVER_SOFTWARE", "nginx/1.22.1"),
        ("REMOTE_ADDR", "127.0.0.1"),
        ("REMOTE_PORT", "45678"),
        ("SERVER_ADDR", "127.0.0.1"),
        ("SERVER_PORT", "8080"),
        ("SERVER_NAME", "_"),
        ("REDIRECT_STATUS", "200"),
        ("HTTP_HOST", "127.0.0.1:8080"),
        ("HTTP_CONTENT_LENGTH", &length),
        ("HTTP_CONTENT_TYPE", content_type),
    ] {
        params.extend_from_slice(&[name.len() as u8, value.len() as u8]);
        params.extend_from_slice(name.as_bytes());
        params.extend_from_slice(value.as_bytes());
    }
    let mut octets = vec![1, 1, 0, 1, 0, 8, 0, 0, 0, 1, keep.into(), 0, 0, 0, 0, 0];
    for (record_type, stream) in [(4, &params[..]), (5, body.as_bytes())] {
        // nginx's records are 32 KiB at most, and padded
        for content in stream.chunks(32 << 10).chain([&b""[..]]) {
            let [high, low] = (content.len() as u16).to_be_bytes();
            let padding = (8 - content.len() % 8) % 8;
            octets.extend_from_slice(&[1, record_type, 0, 1, high, low, padding as u8, 0]);
            octets.extend_from_slice(content);
            octets.resize(octets.len() + padding, 0);
        }
    }
    octets
}

/// How an answer ends: by END_REQUEST, which is the only record of 16 octets at the end.
fn is_whole(answer: &[u8]) -> bool {
    answer.len() > 16 && answer[answer.len() - 16..][..2] == [1, 3]
}

/// One round of one server: calls per second, and processor seconds per call.
fn load(server: &Server, request: &[u8], connections: usize) -> (f64, f64) {
    let keep = request[10] == 1;
    let connect = || {
        let stream = UnixStream::connect(&server.socket).expect("it listens");
        stream.set_nonblocking(true).expect("it is a socket");
        stream
    };
    let poller = epoll::create(epoll::CreateFlags::CLOEXEC).expect("an epoll");
    let mut calls: Vec<Call> = Vec::new();
    let watch = |stream: &UnixStream, index: usize| {
        let flags = epoll::EventFlags::IN | epoll::EventFlags::OUT | epoll::EventFlags::ET;
        epoll::add(&poller, stream, epoll::EventData::new_u64(index as u64), flags).expect("it is open");
    };
    for index in 0..connections {
        let call = Call { stream: connect(), sent: 0, answer: Vec::new() };
        watch(&call.stream, index);
        calls.push(call);
    }
    let mut buffer = vec![0; 64 << 10];
    let mut events = Vec::with_capacity(connections);
    let (mut count, started, before) = (0_u32, Instant::now(), server.processor_time());
    while started.elapsed() < SLICE {
        events.clear();
        epoll::wait(&poller, rustix::buffer::spare_capacity(&mut events), None).expect("it waits");
        for event in &events {
            let index = event.data.u64() as usize;
            let call = &mut calls[index];
            if !call.go_on(request, &mut buffer) {
                continue;
            }
            count += 1;
            if !keep {
                *call = Call { stream: connect(), sent: 0, answer: Vec::new() };
                watch(&call.stream, index);
            }
            call.sent = 0;
            call.answer.clear();
            call.go_on(request, &mut buffer);
        }
    }
    let seconds = started.elapsed().as_secs_f64();
    (f64::from(count) / seconds, (server.processor_time() - before) / f64::from(count))
}

struct Call {
    stream: UnixStream,
    sent: usize,
    answer: Vec<u8>,
}

impl Call {
    /// Sends and receives as much as goes without waiting; whether the answer is whole.
    fn go_on(&mut self, request: &[u8], buffer: &mut [u8]) -> bool {
        while self.sent < request.len() {
            match self.stream.write(&request[self.sent..]) {
                Ok(sent) => self.sent += sent,
                Err(error) if error.kind() == ErrorKind::WouldBlock => return false,
                Err(error) => panic!("it does not read: {error}"),
            }
            if self.sent == request.len() {
                return false;
            }
        }
        loop {
            match self.stream.read(buffer) {
                Ok(0) => panic!("it closes the connection after {} octets", self.answer.len()),
                Ok(read) => self.answer.extend_from_slice(&buffer[..read]),
                Err(error) if error.kind() == ErrorKind::WouldBlock => return false,
                Err(error) => panic!("it does not answer: {error}"),
            }
            if is_whole(&self.answer) {
                return true;
            }
        }
    }
}

fn compare(title: &str, servers: &[&Server], request: &[u8], connections: usize) {
    compare_by(title, servers, |server| load(server, request, connections));
}

/// Lets servers take turns, and prints the medians of their ratios to the first, turn by turn.
fn compare_by(title: &str, servers: &[&Server], load: impl Fn(&Server) -> (f64, f64)) {
    let mut rounds: Vec<Vec<(f64, f64)>> = Vec::new();
    for round in 0..=ROUNDS {
        let figures = servers.iter().map(|server| load(server)).collect();
        // the first round warms up
        if round > 0 {
            rounds.push(figures);
        }
    }
    println!("{title}");
    for (index, server) in servers.iter().enumerate() {
        let of =
            |figure: fn(&[(f64, f64)], usize) -> f64| median(rounds.iter().map(|round| figure(round, index)).collect());
        println!(
            "  {:<28} {:>8.0} calls/s, ratio {:.2}   {:>6.1} us of processor time, ratio {:.2}",
            server.name,
            of(|round, index| round[index].0),
            of(|round, index| round[index].0 / round[0].0),
            of(|round, index| round[index].1) * 1e6,
            of(|round, index| round[index].1 / round[0].1),
        );
    }
}

fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    values[values.len() / 2]
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
