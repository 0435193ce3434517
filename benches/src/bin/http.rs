//! The tiny call as JSON-RPC over HTTP: the development server against jsonrpsee's, in turns, over kept connections of
//! the loopback.
//!
//! `cargo build --release -p rpcgi-benches --features http --bins && cargo run --release -p rpcgi-benches --bin http`

use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

const TURNS: usize = 15;
const SLICE: Duration = Duration::from_millis(400);
const BODY: &str = r#"{"jsonrpc": "2.0", "method": "add", "params": [2, 3], "id": 1}"#;

struct Server {
    child: Child,
    address: String,
}

impl Server {
    /// Starts a program beside this one, which says its address in its first line.
    fn start(program: &str, arguments: &[&str]) -> Server {
        let path = std::env::current_exe().expect("it has a path").with_file_name(program);
        let mut child = Command::new(path).args(arguments).stdout(Stdio::piped()).spawn().expect("it is built");
        let mut line = String::new();
        BufReader::new(child.stdout.take().expect("it is piped")).read_line(&mut line).expect("it says where");
        let address = line.split("http://").nth(1).and_then(|url| url.split('/').next()).expect("a URL");
        Server { child, address: address.to_owned() }
    }

    /// Returns the calls per second over this many connections at once.
    fn calls_per_second(&self, connections: usize) -> f64 {
        let started = Instant::now();
        let clients: Vec<_> = (0..connections)
            .map(|_| {
                let address = self.address.clone();
                thread::spawn(move || calls(&address))
            })
            .collect();
        let done: u32 = clients.into_iter().map(|client| client.join().expect("it does not panic")).sum();
        f64::from(done) / started.elapsed().as_secs_f64()
    }

    /// Returns the processor ticks that it has used.
    fn ticks(&self) -> u64 {
        let stat = std::fs::read_to_string(format!("/proc/{}/stat", self.child.id())).expect("it runs");
        let fields: Vec<&str> = stat.rsplit(')').next().expect("a name").split_whitespace().collect();
        [11, 12].iter().map(|at| fields[*at].parse::<u64>().expect("a number")).sum()
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        _ = self.child.kill();
        _ = self.child.wait();
    }
}

/// Calls one after the other over one connection, for a slice of time.
fn calls(address: &str) -> u32 {
    let request = format!(
        "POST / HTTP/1.1\r\nHost: {address}\r\nContent-Type: application/json\r\nContent-Length: {}\r\n\r\n{BODY}",
        BODY.len()
    );
    let mut stream = TcpStream::connect(address).expect("it listens");
    stream.set_nodelay(true).expect("it is TCP");
    let mut response = vec![0; 4096];
    let started = Instant::now();
    let mut count = 0;
    while started.elapsed() < SLICE {
        stream.write_all(request.as_bytes()).expect("it reads");
        let mut len = 0;
        while !is_whole(&response[..len]) {
            let read = stream.read(&mut response[len..]).expect("it answers");
            assert!(read > 0, "it hung up");
            len += read;
        }
        count += 1;
    }
    count
}

/// Tests if a response is whole: both servers answer with a short object that ends in a brace.
fn is_whole(response: &[u8]) -> bool {
    let body = response.windows(4).position(|end| end == b"\r\n\r\n").map(|at| &response[at + 4..]);
    body.is_some_and(|body| body.ends_with(b"}") && body.windows(10).any(|part| part == b"\"result\":5"))
}

fn main() {
    let servers = [
        Server::start("http-peer", &["127.0.0.1:0"]),
        Server::start("http-add", &["serve", "--listen", "127.0.0.1:0"]),
    ];
    for connections in [1, 16] {
        let mut rates = [Vec::new(), Vec::new()];
        let before = servers.each_ref().map(Server::ticks);
        let mut counts = [0.0; 2];
        for turn in 0..=TURNS {
            for (index, server) in servers.iter().enumerate() {
                let rate = server.calls_per_second(connections);
                counts[index] += rate * SLICE.as_secs_f64();
                // the first turn warms up
                if turn > 0 {
                    rates[index].push(rate);
                }
            }
        }
        let mut ratios: Vec<f64> = rates[1].iter().zip(&rates[0]).map(|(ours, theirs)| ours / theirs).collect();
        ratios.sort_by(f64::total_cmp);
        println!("{connections} kept connections: {:.2} times the calls of jsonrpsee", ratios[TURNS / 2]);
        for (index, name) in ["jsonrpsee", "rpcgi"].into_iter().enumerate() {
            // a tick is 10 ms
            let microseconds = (servers[index].ticks() - before[index]) as f64 * 10_000.0 / counts[index];
            rates[index].sort_by(f64::total_cmp);
            println!(
                "  {name:<10} {:>8.0} calls a second, {microseconds:.1} us of processor each",
                rates[index][TURNS / 2]
            );
        }
    }
}
