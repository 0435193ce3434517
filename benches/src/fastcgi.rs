//! FastCGI responders, and the load on them.

use std::fs;
use std::io::{ErrorKind, Read, Write};
use std::os::unix::net::UnixStream;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use rustix::event::epoll;

use crate::median;

const ROUNDS: usize = 9;

/// The length of one round of one server.
pub const SLICE: Duration = Duration::from_millis(500);

/// A process with a FastCGI socket.
#[allow(missing_docs)]
pub struct Server {
    pub name: &'static str,
    pub child: Child,
    pub socket: PathBuf,
}

impl Server {
    /// Starts it, and waits for its socket.
    pub fn start(name: &'static str, mut command: Command, socket: PathBuf) -> Server {
        let child = command.stdin(Stdio::null()).stdout(Stdio::null()).spawn().expect("it starts");
        wait_until(|| UnixStream::connect(&socket).is_ok());
        Server { name, child, socket }
    }

    /// Returns the seconds of processor time it has taken.
    pub fn processor_time(&self) -> f64 {
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

/// Waits for something, ten seconds at most.
pub fn wait_until(is_true: impl Fn() -> bool) {
    let deadline = Instant::now() + Duration::from_secs(10);
    while !is_true() {
        assert!(Instant::now() < deadline, "it does not start");
        thread::sleep(Duration::from_millis(10));
    }
}

/// Returns a POST as nginx 1.22 sends it, with the stock `fastcgi_params`.
pub fn request(body: &str, content_type: &str, keep: bool) -> Vec<u8> {
    let length = body.len().to_string();
    let about_body = [("HTTP_CONTENT_LENGTH", &length[..]), ("HTTP_CONTENT_TYPE", content_type)];
    request_of("POST", [content_type, &length], &about_body, body, keep)
}

/// Returns a GET of the page, on a connection that is kept, as a browser's comes through nginx.
pub fn get() -> Vec<u8> {
    request_of("GET", ["", ""], &[("HTTP_ACCEPT_ENCODING", "gzip, deflate, br")], "", true)
}

fn request_of(
    method: &str,
    [content_type, length]: [&str; 2],
    headers: &[(&str, &str)],
    body: &str,
    keep: bool,
) -> Vec<u8> {
    let mut params = Vec::new();
    let variables = [
        ("SCRIPT_FILENAME", "/srv/www/rpc"),
        ("QUERY_STRING", ""),
        ("REQUEST_METHOD", method),
        ("CONTENT_TYPE", content_type),
        ("CONTENT_LENGTH", length),
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
    ];
    for (name, value) in variables.iter().chain(headers) {
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

/// Tests if an answer has ended: END_REQUEST is the only record of 16 octets at the end.
fn is_whole(answer: &[u8]) -> bool {
    answer.len() > 16 && answer[answer.len() - 16..][..2] == [1, 3]
}

/// Runs one round of one server; returns calls per second, and processor seconds per call.
pub fn load(server: &Server, request: &[u8], connections: usize) -> (f64, f64) {
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
    /// Sends and receives as much as goes without waiting; returns whether the answer is whole.
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

/// Lets servers take turns, and prints the medians of their ratios to the first, turn by turn.
pub fn compare_by(title: &str, servers: &[&Server], load: impl Fn(&Server) -> (f64, f64)) {
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
