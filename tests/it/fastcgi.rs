//! The FastCGI gateway, through real programs, and spoken to directly.

use std::fmt::Write as _;
use std::io::{self, BufRead, BufReader, ErrorKind, Read, Write};
use std::net::Shutdown;
use std::os::unix::net::UnixStream;
use std::path::PathBuf;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::{Duration, Instant};

use crate::harness::{document, example, soon};

/// An example as a responder on a unix socket of its own, ended with the test.
pub struct Responder {
    child: Child,
    folder: tempfile::TempDir,
    log: Arc<Mutex<String>>,
}

impl Responder {
    pub fn start(program: &str) -> Responder {
        Responder::start_with(program, &[], "")
    }

    /// Starts it with an environment, and after a shell's words, as `ulimit -n 20;`.
    pub fn start_with(program: &str, environment: &[(&str, &str)], before: &str) -> Responder {
        let folder = tempfile::tempdir().expect("a folder for the socket");
        let mut command = Command::new("sh");
        command.args(["-c", &format!("{before} exec \"$0\" \"$@\"")]).arg(example(program));
        command.arg("fcgi").arg("--listen").arg(format!("unix:{}", folder.path().join("socket").display()));
        command.env_clear().envs(environment.iter().copied());
        let mut child =
            command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().expect("it starts");
        let log = Arc::new(Mutex::new(String::new()));
        let (lines, kept) = (BufReader::new(child.stderr.take().expect("it is piped")), Arc::clone(&log));
        thread::spawn(move || {
            lines.lines().map_while(Result::ok).for_each(|line| *kept.lock().unwrap() += &(line + "\n"))
        });
        let mut line = String::new();
        BufReader::new(child.stdout.take().expect("it is piped")).read_line(&mut line).expect("it says so");
        assert!(line.starts_with("Serving FastCGI at unix:"), "{line}{}", log.lock().unwrap());
        Responder { child, folder, log }
    }

    pub fn socket(&self) -> PathBuf {
        self.folder.path().join("socket")
    }

    pub fn id(&self) -> u32 {
        self.child.id()
    }

    fn connect(&self) -> Connection {
        Connection::new(UnixStream::connect(self.socket()).expect("it listens"))
    }

    /// Returns the body of the answer to a call.
    #[cfg(feature = "async")]
    pub fn call(&self, body: &str, pairs: &[(&str, &str)]) -> String {
        self.connect().ask(&post_with(1, false, pairs, body.as_bytes())).body()
    }

    fn log(&self) -> String {
        self.log.lock().unwrap().clone()
    }

    /// Waits until something has been logged.
    #[track_caller]
    pub fn expect_log(&self, text: &str) {
        assert!(soon(|| self.log().contains(text)), "{text:?} is not in {:?}", self.log());
    }

    /// Waits until so many calls of `slow`'s method `sleep` are at work.
    #[track_caller]
    fn expect_asleep(&self, calls: usize) {
        let (ask, expected) = (post(1, false, &document("asleep", &[])), format!("<int>{calls}</int>"));
        assert!(soon(|| self.connect().ask(&ask).body().contains(&expected)), "not {calls} calls sleep");
    }

    fn signal(&self, signal: &str) {
        let sent = Command::new("kill").args([signal, &self.id().to_string()]).status().expect("kill runs");
        assert!(sent.success());
    }

    /// Waits for its end.
    fn wait(&mut self) -> ExitStatus {
        self.child.wait().expect("it is our child")
    }

    /// Returns a number of `/proc/PID/status`, such as `VmHWM` in KiB.
    fn status(&self, name: &str) -> u64 {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.id())).expect("it runs");
        let line = status.lines().find(|line| line.starts_with(name)).expect("the kernel says so");
        line.split_whitespace().nth(1).and_then(|number| number.parse().ok()).expect("it is a number")
    }

    /// Returns the ticks of processor time it has taken.
    fn processor_time(&self) -> u64 {
        let stat = std::fs::read_to_string(format!("/proc/{}/stat", self.id())).expect("it runs");
        let fields: Vec<&str> = stat.rsplit(')').next().unwrap().split_whitespace().collect();
        fields[11..13].iter().map(|ticks| ticks.parse::<u64>().unwrap()).sum()
    }

    /// Returns the number of its open files.
    fn descriptors(&self) -> usize {
        std::fs::read_dir(format!("/proc/{}/fd", self.id())).expect("it runs").count()
    }

    /// Checks that an ordinary call is answered, and that memory was never more than 32 MB.
    #[track_caller]
    fn assert_well(&self) {
        let answer = self.connect().ask(&post(1, false, &document("len", &["hello"])));
        assert!(answer.body().contains("<int>5</int>"), "{answer:?}{}", self.log());
        let peak = self.status("VmHWM");
        assert!(peak < 32 << 10, "a peak of {peak} KiB");
    }
}

impl Drop for Responder {
    fn drop(&mut self) {
        _ = self.child.kill();
        _ = self.child.wait();
    }
}

/// The web server's end of a connection.
struct Connection {
    stream: UnixStream,
    /// The octets read beyond the last record.
    octets: Vec<u8>,
}

/// The answer to a request, up to its END_REQUEST.
#[derive(Debug, Default, PartialEq, Eq)]
struct Answer {
    stdout: Vec<u8>,
    stderr: Vec<u8>,
    /// The protocol status of END_REQUEST.
    status: u8,
    id: u16,
}

impl Answer {
    fn text(&self) -> String {
        String::from_utf8_lossy(&self.stdout).into_owned()
    }

    fn body(&self) -> String {
        self.text().split_once("\r\n\r\n").map(|(_, body)| body.to_owned()).unwrap_or_default()
    }
}

impl Connection {
    fn new(stream: UnixStream) -> Connection {
        stream.set_read_timeout(Some(Duration::from_secs(20))).expect("it is a socket");
        stream.set_write_timeout(Some(Duration::from_secs(20))).expect("it is a socket");
        Connection { stream, octets: Vec::new() }
    }

    #[track_caller]
    fn send(&mut self, octets: &[u8]) {
        self.stream.write_all(octets).expect("the responder reads");
    }

    #[track_caller]
    fn ask(&mut self, octets: &[u8]) -> Answer {
        self.send(octets);
        self.answer()
    }

    /// Returns the next record: its type, its id, its content; `None` at the end.
    fn record(&mut self) -> io::Result<Option<(u8, u16, Vec<u8>)>> {
        loop {
            if let Some(header) = self.octets.first_chunk::<8>() {
                let [_, record_type, id_high, id_low, length_high, length_low, padding, _] = *header;
                let length = usize::from(u16::from_be_bytes([length_high, length_low]));
                let whole = 8 + length + usize::from(padding);
                if self.octets.len() >= whole {
                    let content = self.octets[8..8 + length].to_vec();
                    self.octets.drain(..whole);
                    return Ok(Some((record_type, u16::from_be_bytes([id_high, id_low]), content)));
                }
            }
            let mut buffer = [0; 16 << 10];
            let read = self.stream.read(&mut buffer)?;
            if read == 0 {
                return Ok(None);
            }
            self.octets.extend_from_slice(&buffer[..read]);
        }
    }

    #[track_caller]
    fn answer(&mut self) -> Answer {
        let mut answer = Answer::default();
        while let Some((record_type, id, content)) = self.record().expect("the responder answers") {
            match record_type {
                3 => return Answer { id, status: content[4], ..answer },
                6 => answer.stdout.extend(content),
                7 => answer.stderr.extend(content),
                other => panic!("a record of type {other}"),
            }
        }
        panic!("the connection ends before the request does: {answer:?}");
    }

    /// Tests whether the responder closes the connection.
    fn is_closed(&mut self) -> bool {
        matches!(self.record(), Ok(None))
            || matches!(self.stream.read(&mut [0]), Err(error) if error.kind() == ErrorKind::ConnectionReset)
    }
}

fn record(record_type: u8, id: u16, content: &[u8]) -> Vec<u8> {
    let length = u16::try_from(content.len()).unwrap().to_be_bytes();
    let id = id.to_be_bytes();
    [&[1, record_type, id[0], id[1], length[0], length[1], 0, 0], content].concat()
}

fn begin(id: u16, keep: bool) -> Vec<u8> {
    record(1, id, &[0, 1, keep.into(), 0, 0, 0, 0, 0])
}

fn pair(name: &str, value: &str) -> Vec<u8> {
    let mut pair = Vec::new();
    for text in [name, value] {
        pair.extend_from_slice(&(text.len() as u32 | 1 << 31).to_be_bytes());
    }
    [&pair, name.as_bytes(), value.as_bytes()].concat()
}

/// Returns a stream, with the empty record that ends it.
fn stream(record_type: u8, id: u16, content: &[u8]) -> Vec<u8> {
    let records: Vec<u8> = content.chunks(65_535).flat_map(|chunk| record(record_type, id, chunk)).collect();
    [records, record(record_type, id, b"")].concat()
}

fn params(id: u16, pairs: &[(&str, &str)]) -> Vec<u8> {
    stream(4, id, &pairs.iter().flat_map(|(name, value)| pair(name, value)).collect::<Vec<u8>>())
}

fn post_with(id: u16, keep: bool, pairs: &[(&str, &str)], body: &[u8]) -> Vec<u8> {
    let pairs = [&[("REQUEST_METHOD", "POST"), ("CONTENT_TYPE", "text/xml")], pairs].concat();
    [begin(id, keep), params(id, &pairs), stream(5, id, body)].concat()
}

fn post(id: u16, keep: bool, body: &str) -> Vec<u8> {
    post_with(id, keep, &[("CONTENT_LENGTH", &body.len().to_string())], body.as_bytes())
}

fn call(id: u16, method: &str, params: &[&str]) -> Vec<u8> {
    post(id, true, &document(method, params))
}

/// Returns a call with a param of type int.
fn call_int(id: u16, method: &str, param: u32) -> Vec<u8> {
    post(id, true, &String::from_utf8(rpcgi::xmlrpc::call_to_vec(method, &[param]).unwrap()).unwrap())
}

#[test]
fn calls_over_one_connection() {
    let responder = Responder::start("slow");
    let mut connection = responder.connect();
    for id in [1, 2, 255, 256, 65_535] {
        let answer = connection.ask(&call(id, "len", &["hello"]));
        assert!(answer.text().starts_with("Status: 200 OK\r\ncontent-type: text/xml; charset=utf-8\r\n"), "{answer:?}");
        assert!(answer.body().contains("<int>5</int>"), "{answer:?}");
        assert_eq!((answer.id, answer.status, answer.stderr), (id, 0, Vec::new()));
    }
    let answer = connection.ask(&post(3, false, &document("len", &["hello"])));
    assert!(answer.body().contains("<int>5</int>"), "{answer:?}");
    assert!(connection.is_closed());
}

#[test]
fn long_bodies_and_answers() {
    let responder = Responder::start("slow");
    let mut connection = responder.connect();
    let text = "x".repeat(3_000_000);
    let answer = connection.ask(&call(1, "len", &[&text]));
    assert!(answer.body().contains("<int>3000000</int>"), "{answer:?}");
    for octets in [65_000, 66_000, 5_000_000] {
        let answer = connection.ask(&call_int(1, "text", octets));
        assert_eq!(answer.body().bytes().filter(|octet| *octet == b'x').count(), octets as usize + 1, "and <?xml");
    }
    // what they took is given back
    let before = responder.status("VmRSS");
    assert!(soon(|| responder.status("VmRSS") < 32 << 10), "{before} KiB, {} KiB", responder.status("VmRSS"));
}

#[test]
fn requests_behind_one_another() {
    let responder = Responder::start("slow");
    let mut connection = responder.connect();
    // more answers than the socket takes, before the client reads
    let many: Vec<u8> = (1..=20).flat_map(|id| call_int(id, "text", 100_000)).collect();
    connection.send(&many);
    for id in 1..=20 {
        let answer = connection.answer();
        assert_eq!((answer.id, answer.body().len() > 100_000), (id, true));
    }
}

#[test]
fn every_cut_of_a_request() {
    let responder = Responder::start("slow");
    let request = post(1, true, &document("len", &["hello"]));
    for cut in 0..request.len() {
        let mut connection = responder.connect();
        connection.send(&request[..cut]);
    }
    responder.assert_well();
    let mut connection = responder.connect();
    for cut in 1..request.len() {
        connection.send(&request[..cut]);
        // so that it is read apart, mostly: the responder says nothing before the request is whole
        thread::sleep(Duration::from_millis(1));
        let answer = connection.ask(&request[cut..]);
        assert!(answer.body().contains("<int>5</int>"), "{answer:?}");
    }
    assert_eq!(responder.log(), "");
}

#[test]
fn params_without_measure() {
    let responder = Responder::start("slow");
    // 64 MB, to their end and beyond
    let mut connection = responder.connect();
    connection.send(&begin(1, true));
    let block = record(4, 1, &pair("K", &"v".repeat(65_000)));
    for _ in 0..1000 {
        connection.send(&block);
    }
    connection.send(&[record(4, 1, b""), stream(5, 1, b"body"), call(2, "len", &["hello"])].concat());
    let refused = connection.answer();
    assert!(refused.text().starts_with("Status: 431 Request Header Fields Too Large\r\n"), "{refused:?}");
    assert_eq!(refused.body(), "the meta-variables have more than 262144 octets\n");
    assert!(connection.answer().body().contains("<int>5</int>"));
    // many small ones are no harm
    let many: Vec<(String, String)> = (0..20_000).map(|number| (format!("H{number:x}"), String::new())).collect();
    let mut octets = vec![];
    for (name, _) in &many {
        octets.extend_from_slice(&[name.len() as u8, 0]);
        octets.extend_from_slice(name.as_bytes());
    }
    octets.extend(pair("REQUEST_METHOD", "POST"));
    let request =
        [begin(1, true), stream(4, 1, &octets), stream(5, 1, document("len", &["hello"]).as_bytes())].concat();
    assert!(connection.ask(&request).body().contains("<int>5</int>"));
    // a name of 2 GiB
    let huge = [&b"\xff\xff\xff\xff\x01"[..], b"name"].concat();
    let answer = connection.ask(&[begin(1, true), stream(4, 1, &huge), stream(5, 1, b"")].concat());
    assert!(answer.text().starts_with("Status: 400 Bad Request\r\n"), "{answer:?}");
    responder.assert_well();
}

#[test]
fn bodies_without_measure() {
    let responder = Responder::start("slow");
    let mut connection = responder.connect();
    connection.send(&[begin(1, false), params(1, &[("REQUEST_METHOD", "POST")])].concat());
    let block = record(5, 1, &[b'x'; 65_528]);
    // the answer comes early, and a client that sends on is listened to
    for _ in 0..1000 {
        connection.send(&block);
    }
    let answer = connection.answer();
    assert!(answer.text().starts_with("Status: 413 Payload Too Large\r\n"), "{answer:?}");
    assert!(connection.is_closed());
    drop(connection);
    let mut connection = responder.connect();
    let declared = params(1, &[("REQUEST_METHOD", "POST"), ("CONTENT_LENGTH", "16777217")]);
    let answer = connection.ask(&[begin(1, true), declared].concat());
    assert_eq!(answer.body(), "the body has more than 16777216 octets\n");
    let body = document("len", &["hello"]);
    let short = (body.len() + 1).to_string();
    let answer = connection.ask(&post_with(1, true, &[("CONTENT_LENGTH", &short)], body.as_bytes()));
    assert!(answer.text().starts_with("Status: 400 "), "{answer:?}");
    let answer = connection.ask(&post_with(1, true, &[], body.as_bytes()));
    assert!(answer.body().contains("<int>5</int>"), "{answer:?}");
    responder.assert_well();
}

#[test]
fn misuse() {
    let responder = Responder::start("slow");
    let unknown_type = |number| Some((11, 0, vec![number, 0, 0, 0, 0, 0, 0, 0]));
    for (octets, reply) in [
        (&b"\x01\x01\0"[..], None),
        (&begin(1, true)[..12], None),
        (&[begin(1, true), record(4, 1, b"\x05")[..9].to_vec()].concat(), None),
        (&record(0, 0, b"x"), unknown_type(0)),
        (&record(99, 1, b"x"), None),
        (&record(1, 0, &[0, 1, 1, 0, 0, 0, 0, 0]), unknown_type(1)),
        (&record(5, 7, b"for nobody"), None),
    ] {
        let mut connection = responder.connect();
        connection.send(octets);
        connection.stream.shutdown(Shutdown::Write).expect("it is open");
        let came = connection.record().expect("it closes in peace");
        assert_eq!(came, reply, "{}", octets.escape_ascii());
        if reply.is_some() {
            assert_eq!(connection.record().expect("it closes in peace"), None);
        }
    }
    for (octets, line) in [
        (&b"\x02\x01\0\x01\0\x08\0\0"[..], "expected a record of FastCGI version 1, found 2"),
        (b"GET / HTTP/1.1\r\nHost: x\r\n\r\n", "found 71 ('G'): does the peer speak HTTP?"),
        (&record(1, 1, b"\0\x01"), "expected a BEGIN_REQUEST of 8 octets, found 2"),
    ] {
        let mut connection = responder.connect();
        connection.send(octets);
        assert!(connection.is_closed());
        responder.expect_log(line);
    }
    responder.assert_well();
}

#[test]
fn all_ids_at_once() {
    let responder = Responder::start("slow");
    let mut connection = responder.connect();
    let begins: Vec<u8> = (1..=u16::MAX).flat_map(|id| begin(id, true)).collect();
    connection.send(&begins);
    for id in 2..=u16::MAX {
        let answer = connection.answer();
        assert_eq!((answer.id, answer.status), (id, 1));
    }
    connection.send(
        &[params(1, &[("REQUEST_METHOD", "POST")]), stream(5, 1, document("len", &["hello"]).as_bytes())].concat(),
    );
    assert!(connection.answer().body().contains("<int>5</int>"));
    responder.assert_well();
}

#[test]
fn the_slow_the_silent_and_the_gone() {
    let responder = Responder::start("slow");
    let silent: Vec<Connection> = (0..200).map(|_| responder.connect()).collect();
    let mut halves: Vec<Connection> = (0..300).map(|_| responder.connect()).collect();
    halves.iter_mut().for_each(|connection| connection.send(&begin(1, true)));
    responder.assert_well();
    drop((silent, halves));
    // an octet at a time
    let mut connection = responder.connect();
    for octet in call(1, "len", &["hello"]) {
        connection.send(&[octet]);
        // a slow client is what this is about
        thread::sleep(Duration::from_millis(2));
    }
    assert!(connection.answer().body().contains("<int>5</int>"));
    // half-closed, behind a request and within
    let mut connection = responder.connect();
    connection.send(&call(1, "len", &["hello"]));
    connection.stream.shutdown(Shutdown::Write).expect("it is open");
    assert!(connection.answer().body().contains("<int>5</int>"));
    assert!(connection.is_closed());
    let mut connection = responder.connect();
    connection.send(&begin(1, true));
    connection.stream.shutdown(Shutdown::Write).expect("it is open");
    assert!(connection.is_closed());
    // gone while the answer is written, or even made
    for _ in 0..20 {
        let mut connection = responder.connect();
        connection.send(&call_int(1, "text", 5_000_000));
        let mut some = [0; 100];
        connection.stream.read_exact(&mut some).expect("it begins");
        drop(connection);
        responder.connect().send(&call_int(1, "sleep", 5));
    }
    let answer = responder.connect().ask(&call(1, "len", &["hello"]));
    assert!(answer.body().contains("<int>5</int>"));
    // none of this belongs in the log
    assert_eq!(responder.log(), "");
}

#[test]
fn who_stops_midway_is_left() {
    let responder = Responder::start_with("slow", &[("STALL", "300")], "");
    let mut idle = responder.connect();
    assert!(idle.ask(&call(1, "len", &["hello"])).body().contains("<int>5</int>"));
    let descriptors = responder.descriptors();
    let started = Instant::now();
    let mut midway = responder.connect();
    midway.send(&begin(1, true));
    let mut deaf = responder.connect();
    deaf.send(&call_int(1, "text", 5_000_000));
    assert!(midway.is_closed());
    assert!(started.elapsed() > Duration::from_millis(250), "{:?}", started.elapsed());
    // a client that does not read is left too; what the socket had taken is there
    assert!(soon(|| responder.descriptors() == descriptors));
    let mut read = Vec::new();
    _ = deaf.stream.read_to_end(&mut read);
    assert!(read.len() < 5_000_000);
    assert!(idle.ask(&call(1, "len", &["hello"])).body().contains("<int>5</int>"));
}

#[test]
fn an_idle_connection_costs_little() {
    let responder = Responder::start("slow");
    responder.assert_well();
    let large = call(1, "len", &[&"x".repeat(200_000)]);
    for _ in 0..20 {
        // so that every thread has what it needs
        assert!(responder.connect().ask(&large).body().contains("<int>200000</int>"));
    }
    let before = responder.status("VmRSS");
    let mut connections: Vec<Connection> = (0..400).map(|_| responder.connect()).collect();
    for connection in &mut connections {
        assert!(connection.ask(&large).body().contains("<int>200000</int>"));
    }
    let each = (responder.status("VmRSS").saturating_sub(before)) as f64 / 400.0;
    assert!(each < 16.0, "{each} KiB a connection");
    let ticks = responder.processor_time();
    // what it takes in an idle second
    thread::sleep(Duration::from_secs(1));
    assert!(responder.processor_time() - ticks <= 1);
    assert!(connections[7].ask(&large).body().contains("<int>200000</int>"));
}

#[test]
fn beyond_the_cap_connections_wait() {
    let responder = Responder::start_with("slow", &[("CONNECTIONS", "3")], "");
    let mut connection = responder.connect();
    connection.send(&record(9, 0, b"\x0e\0FCGI_MAX_CONNS"));
    assert_eq!(connection.record().unwrap().unwrap().2, b"\x0e\x01FCGI_MAX_CONNS3");
    let mut busy: Vec<Connection> = (0..2).map(|_| responder.connect()).collect();
    for busy in &mut busy {
        assert!(busy.ask(&call(1, "len", &["hello"])).body().contains("<int>5</int>"));
        busy.send(&begin(1, true));
    }
    assert!(connection.ask(&call(1, "len", &["hello"])).body().contains("<int>5</int>"));
    // one that has long been idle gives way
    let mut fourth = responder.connect();
    assert!(fourth.ask(&call(1, "len", &["hello"])).body().contains("<int>5</int>"));
    assert!(connection.is_closed());
    // others do not: the next waits
    fourth.send(&begin(1, true));
    let mut fifth = responder.connect();
    fifth.send(&call(1, "len", &["hello"]));
    fifth.stream.set_read_timeout(Some(Duration::from_millis(1500))).unwrap();
    assert!(fifth.record().is_err_and(|error| error.kind() == ErrorKind::WouldBlock));
    drop(busy);
    fifth.stream.set_read_timeout(Some(Duration::from_secs(20))).unwrap();
    assert!(fifth.answer().body().contains("<int>5</int>"));
}

#[test]
fn out_of_descriptors() {
    let responder = Responder::start_with("slow", &[], "ulimit -n 20;");
    let mut connections: Vec<Connection> = (0..40).map(|_| responder.connect()).collect();
    connections.iter_mut().for_each(|connection| connection.send(&begin(1, true)));
    responder.expect_log("no connection can be accepted, until that changes: Too many open files");
    let ticks = responder.processor_time();
    // what it takes in a second in which nothing changes
    thread::sleep(Duration::from_millis(1000));
    assert!(responder.processor_time() - ticks <= 5, "it spins");
    assert_eq!(responder.log().lines().count(), 1, "{}", responder.log());
    drop(connections);
    responder.assert_well();
}

#[test]
fn more_connections_than_descriptors() {
    // this process needs as many
    let limit = rustix::process::getrlimit(rustix::process::Resource::Nofile);
    let raised = rustix::process::Rlimit { current: limit.maximum, maximum: limit.maximum };
    rustix::process::setrlimit(rustix::process::Resource::Nofile, raised).expect("up to the maximum it may");
    let responder = Responder::start_with("slow", &[], "ulimit -n 1024;");
    let mut connections: Vec<Connection> = (0..1500).map(|_| responder.connect()).collect();
    for connection in connections.iter_mut().rev().take(20) {
        assert!(connection.ask(&call(1, "len", &["hello"])).body().contains("<int>5</int>"));
    }
    responder.assert_well();
    drop(connections);
    responder.assert_well();
    assert_eq!(responder.log(), "");
}

#[test]
fn slow_methods_hold_nobody_up() {
    // many more than processors, so that most are in reserve
    let threads = 4 * thread::available_parallelism().expect("it is known").get();
    let responder = Responder::start_with("slow", &[("THREADS", &threads.to_string())], "");
    let mut sleepers: Vec<Connection> = (1..threads).map(|_| responder.connect()).collect();
    let started = Instant::now();
    sleepers.iter_mut().for_each(|sleeper| sleeper.send(&call_int(1, "sleep", 3000)));
    responder.expect_asleep(threads - 1);
    for _ in 0..5 {
        responder.assert_well();
    }
    assert!(started.elapsed() < Duration::from_millis(2500), "{:?}", started.elapsed());
    for sleeper in &mut sleepers {
        assert!(sleeper.answer().body().contains("<int>3000</int>"));
    }
    // together, not one after the other
    assert!(started.elapsed() < Duration::from_millis(6000), "{:?}", started.elapsed());
}

#[test]
fn a_failed_call_is_told_to_the_web_server() {
    let responder = Responder::start("noisy");
    let mut connection = responder.connect();
    let answer = connection.ask(&call(1, "panic", &[]));
    assert!(answer.body().contains("internal error") && !answer.body().contains("secret"), "{answer:?}");
    let line = "error: method \"panic\": panicked: a secret of 42 (request ";
    let said = String::from_utf8_lossy(&answer.stderr);
    assert!(said.starts_with(line) && said.ends_with(")\n"), "{said}");
    responder.expect_log(&said);
    let answer = connection.ask(&call(2, "internal", &[]));
    let said = String::from_utf8_lossy(&answer.stderr);
    assert!(said.starts_with("error: method \"internal\": outer: inner (request "), "{said}");
    // what an nginx without its `include` sends
    let answer = connection.ask(&[begin(4, true), params(4, &[("HTTP_HOST", "x")]), stream(5, 4, b"")].concat());
    assert!(answer.text().starts_with("Status: 500 "), "{answer:?}");
    assert!(String::from_utf8_lossy(&answer.stderr).contains("`include fastcgi_params` is missing"), "{answer:?}");
    // a call that went well says nothing there, though the log has a line for it
    let answer = connection.ask(&call(3, "system.listMethods", &[]));
    assert_eq!((answer.status, answer.stderr.len()), (0, 0));
    responder.expect_log("info: call \"system.listMethods\": ok in ");
}

#[test]
fn term_finishes_what_runs() {
    for signal in ["-TERM", "-INT", "-USR1"] {
        let mut responder = Responder::start("slow");
        let socket = responder.socket();
        let mut idle = responder.connect();
        assert!(idle.ask(&call(1, "len", &["hello"])).body().contains("<int>5</int>"));
        let mut busy = responder.connect();
        busy.send(&call_int(1, "sleep", 700));
        let mut half = responder.connect();
        // the answer to the second record says that the first has been read
        half.send(&[begin(1, true), record(9, 0, b"\x0e\0FCGI_MAX_CONNS")].concat());
        assert_eq!(half.record().unwrap().unwrap().0, 10);
        responder.expect_asleep(1);
        responder.signal(signal);
        assert!(soon(|| !socket.exists()), "the socket is removed");
        assert!(UnixStream::connect(&socket).is_err());
        // a web server may have been about to use a connection that it keeps
        assert!(idle.ask(&call(1, "len", &["hello"])).body().contains("<int>5</int>"));
        assert!(idle.is_closed());
        half.send(
            &[params(1, &[("REQUEST_METHOD", "POST")]), stream(5, 1, document("len", &["hello"]).as_bytes())].concat(),
        );
        assert!(half.answer().body().contains("<int>5</int>"));
        assert!(busy.answer().body().contains("<int>700</int>"), "{signal}");
        assert!(busy.is_closed());
        assert_eq!(responder.wait().code(), Some(0), "{signal}");
    }
}

#[test]
fn term_waits_so_long() {
    let mut responder = Responder::start_with("slow", &[("STOP", "300")], "");
    let mut busy = responder.connect();
    busy.send(&call_int(1, "sleep", 60_000));
    responder.expect_asleep(1);
    let started = Instant::now();
    responder.signal("-TERM");
    assert_eq!(responder.wait().code(), Some(0));
    assert!((250..20_000).contains(&started.elapsed().as_millis()), "{:?}", started.elapsed());
    responder.expect_log("warn: 1 connections were not finished in 300ms");
}

#[test]
fn a_second_term_ends_at_once() {
    let mut responder = Responder::start("slow");
    let mut busy = responder.connect();
    busy.send(&call_int(1, "sleep", 60_000));
    responder.expect_asleep(1);
    let socket = responder.socket();
    responder.signal("-TERM");
    assert!(soon(|| !socket.exists()));
    responder.signal("-TERM");
    assert_eq!(responder.wait().code(), Some(128 + 15));
}

/// With too few descriptors the program says so and ends, rather than listen and never answer.
#[test]
fn too_few_descriptors_are_no_start() {
    let mut refused = 0;
    for most in 6..=16 {
        let folder = tempfile::tempdir().unwrap();
        let socket = folder.path().join("socket");
        let mut command = Command::new("sh");
        command.args(["-c", &format!("ulimit -n {most}; exec \"$0\" \"$@\"")]).arg(example("interop"));
        command.args(["fcgi", "--listen", &format!("unix:{}", socket.display())]).env_clear();
        let mut child = command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        let mut line = String::new();
        BufReader::new(child.stdout.take().unwrap()).read_line(&mut line).unwrap();
        if line.starts_with("Serving FastCGI") {
            let mut connection = Connection::new(UnixStream::connect(&socket).unwrap());
            let answer = connection.ask(&post(1, false, &document("examples.addtwo", &["hello"])));
            assert!(answer.body().contains("methodResponse"), "{most}: {answer:?}");
            _ = child.kill();
            _ = child.wait();
        } else {
            let mut log = String::new();
            child.stderr.take().unwrap().read_to_string(&mut log).unwrap();
            assert!(!child.wait().unwrap().success(), "{most}: {log}");
            refused += 1;
        }
    }
    assert!(refused > 0);
}

/// A listener that cannot be watched is watched again a little later.
#[test]
fn a_listener_that_fails_once_is_tried_again() {
    let folder = tempfile::tempdir().unwrap();
    let socket = folder.path().join("socket");
    let mut command = Command::new("strace");
    command.args([
        "-f",
        "-qq",
        "-o",
        "/dev/null",
        "-e",
        "trace=epoll_ctl",
        "-e",
        "inject=epoll_ctl:error=ENOMEM:when=3",
    ]);
    command.arg(example("interop")).args(["fcgi", "--listen", &format!("unix:{}", socket.display())]).env_clear();
    let mut child = command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    let mut line = String::new();
    BufReader::new(child.stdout.take().unwrap()).read_line(&mut line).unwrap();
    assert!(line.starts_with("Serving FastCGI"), "strace is installed: `tests/run` does that: {line}");
    // each thread fails once at its third: that may be at a connection, which is closed then
    let answered = (0..40).filter(|_| {
        let mut stream = UnixStream::connect(&socket).unwrap();
        let mut answer = Vec::new();
        let sent = stream.write_all(&post(1, false, &document("examples.addtwo", &["hello"])));
        sent.and_then(|()| stream.read_to_end(&mut answer)).is_ok() && !answer.is_empty()
    });
    let answered = answered.count();
    assert!(answered >= 25, "{answered}");
    let interrupted = Command::new("pkill").args(["-KILL", "-P", &child.id().to_string()]).status();
    assert!(interrupted.is_ok_and(|status| status.success()));
    _ = child.wait();
    let mut log = String::new();
    child.stderr.take().unwrap().read_to_string(&mut log).unwrap();
    assert!(log.contains("no connection can be accepted, until that changes"), "{log}");
}

/// Each recorded request is the same by CGI and by FastCGI.
#[test]
fn the_request_is_the_same_in_all_gateways() {
    let responder = Responder::start("context");
    let rows = crate::environments::ROWS;
    let mut seen = String::new();
    for row in rows {
        let body = document("context", &[]);
        let length = body.len().to_string();
        let mut pairs = vec![("CONTENT_LENGTH", &length[..])];
        pairs.extend(row.variables);
        let by_fastcgi = responder.connect().ask(&post_with(1, false, &pairs, body.as_bytes())).body();
        let mut cgi = crate::harness::Cgi::post("context", &body).without("SCRIPT_NAME").without("REQUEST_URI");
        for (name, value) in row.variables {
            cgi = cgi.env(name, value);
        }
        assert_eq!(cgi.answer().body, by_fastcgi, "{}", row.server);
        let member = |name: &str, value: &str| {
            let value = if value.is_empty() { "<string></string>".into() } else { format!("<string>{value}</string>") };
            format!("<member><name>{name}</name><value>{value}</value></member>")
        };
        for (name, value) in [("path", row.path), ("url", row.url)] {
            let expected = member(name, value);
            if !by_fastcgi.contains(&expected) {
                writeln!(seen, "{}: expected {expected}, found {by_fastcgi}", row.server).unwrap();
            }
        }
    }
    assert_eq!(seen, "");
}
