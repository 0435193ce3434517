//! A real Apache with `apache-example.conf` as it stands, and what only a real web server shows.

use std::fmt::Write as _;
use std::fs;
use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::{Arc, Mutex, Weak};
use std::time::{Duration, Instant};

use crate::calls::document;
use crate::cgi::example;

/// Apache on a free port of the loopback, ended when the last test lets go of it.
pub struct Apache {
    child: Child,
    folder: tempfile::TempDir,
    pub port: u16,
}

/// The one Apache of all tests that run at a time.
static RUNNING: Mutex<Weak<Apache>> = Mutex::new(Weak::new());

const MODULES: &[&str] =
    &["mpm_event", "authn_core", "authz_core", "authz_user", "alias", "cgid", "mime", "setenvif", "env"];

impl Apache {
    pub fn running() -> Arc<Apache> {
        let mut running = RUNNING.lock().unwrap_or_else(|poisoned| poisoned.into_inner());
        running.upgrade().unwrap_or_else(|| {
            let apache = Arc::new(Apache::start());
            *running = Arc::downgrade(&apache);
            apache
        })
    }

    fn start() -> Apache {
        let folder = tempfile::tempdir().expect("a folder for Apache");
        let root = folder.path();
        // Apache's workers run as another user
        fs::set_permissions(root, fs::Permissions::from_mode(0o755)).expect("it is ours");
        install(root);
        // another may take the port in between, but the kernel hands out others first
        let port =
            TcpListener::bind("127.0.0.1:0").and_then(|listener| listener.local_addr()).expect("a free port").port();
        fs::write(root.join("httpd.conf"), configuration(root, port)).expect("it is ours");
        let log = fs::File::create(root.join("start.log")).expect("it is ours");
        let child = Command::new("apache2")
            .args(["-D", "FOREGROUND", "-f"])
            .arg(root.join("httpd.conf"))
            .stdin(Stdio::null())
            .stderr(log.try_clone().expect("a descriptor"))
            .stdout(log)
            .spawn()
            .expect("apache2 is installed: `tests/run` does that");
        let mut apache = Apache { child, folder, port };
        apache.wait();
        apache
    }

    fn wait(&mut self) {
        let deadline = Instant::now() + Duration::from_secs(20);
        while TcpStream::connect(("127.0.0.1", self.port)).is_err() {
            let ended = self.child.try_wait().expect("it is our child");
            assert!(ended.is_none() && Instant::now() < deadline, "Apache does not start: {}", self.log());
            std::thread::sleep(Duration::from_millis(10));
        }
    }

    pub fn log(&self) -> String {
        let read = |name| fs::read_to_string(self.folder.path().join(name)).unwrap_or_default();
        read("start.log") + &read("error.log")
    }

    pub fn url(&self, path: &str) -> String {
        format!("http://127.0.0.1:{}{path}", self.port)
    }

    /// Sends a request on a connection of its own; the head without the last line end.
    pub fn send(&self, head: &str, body: &str) -> String {
        let mut stream = TcpStream::connect(("127.0.0.1", self.port)).expect("Apache listens");
        let request = format!("{head}\r\nHost: 127.0.0.1:{}\r\nConnection: close\r\n\r\n{body}", self.port);
        stream.write_all(request.as_bytes()).expect("Apache reads");
        let mut response = Vec::new();
        stream.read_to_end(&mut response).expect("Apache answers");
        String::from_utf8(response).expect("it is text")
    }

    pub fn post(&self, path: &str, more: &str, body: &str) -> String {
        let length = body.len();
        self.send(&format!("POST {path} HTTP/1.1\r\nContent-Type: text/xml\r\nContent-Length: {length}{more}"), body)
    }
}

impl Drop for Apache {
    fn drop(&mut self) {
        // the parent, which ends its children; killed, it would leave them
        _ = Command::new("kill").arg(self.child.id().to_string()).status();
        _ = self.child.wait();
    }
}

/// The folders that the example speaks of.
fn install(root: &Path) {
    let cgi_bin = root.join("rpcgi/cgi-bin");
    let www = root.join("rpcgi/www");
    for folder in [&cgi_bin, &www] {
        fs::create_dir_all(folder).expect("it is ours");
    }
    for (program, place) in [
        ("interop", cgi_bin.join("interop")),
        ("wheel", cgi_bin.join("wheel")),
        ("noisy", cgi_bin.join("noisy")),
        ("context", cgi_bin.join("context")),
        ("wheel", www.join("wheel.cgi")),
    ] {
        fs::copy(example(program), place).expect("there is room");
    }
    fs::write(www.join("static.txt"), "a file\n").expect("it is ours");
}

fn configuration(root: &Path, port: u16) -> String {
    let modules = Path::new("/usr/lib/apache2/modules");
    let example = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("apache-example.conf");
    let root = root.display();
    let mut text = format!(
        "ServerRoot \"{root}\"\nDefaultRuntimeDir \"{root}\"\nServerName 127.0.0.1\nListen 127.0.0.1:{port}\n\
         PidFile pid\nErrorLog error.log\nLogLevel warn\nTypesConfig /dev/null\n"
    );
    for module in MODULES {
        let file = modules.join(format!("mod_{module}.so")).display().to_string();
        writeln!(text, "LoadModule {module}_module \"{file}\"").expect("a String takes it");
    }
    if is_root() {
        text += "User www-data\nGroup www-data\n";
    }
    text + &format!("Define RPCGI \"{root}/rpcgi\"\nInclude \"{}\"\n", example.display())
}

fn is_root() -> bool {
    fs::metadata("/proc/self").is_ok_and(|process| std::os::unix::fs::MetadataExt::uid(&process) == 0)
}

const SPIN: &str = "<methodCall><methodName>wheel.spin</methodName></methodCall>";

#[test]
fn each_way_of_the_example_answers() {
    let apache = Apache::running();
    for path in ["/RPC2", "/cgi-bin/wheel", "/app/wheel.cgi", "/cgi-bin/wheel/more/path?a=b"] {
        let response = apache.post(path, "", SPIN);
        assert!(response.starts_with("HTTP/1.1 200 OK\r\n"), "{path}: {response}{}", apache.log());
        assert!(response.contains("<methodResponse><params>"), "{path}: {response}");
        let page = apache.send(&format!("GET {path} HTTP/1.1"), "");
        let path = path.split('?').next().unwrap();
        assert!(page.contains(&format!("POST {}</code>", apache.url(path))), "{path}: {page}");
    }
    assert!(apache.send("GET /app/static.txt HTTP/1.1", "").ends_with("a file\n"));
    assert!(apache.send("GET /RPC2/x HTTP/1.1", "").starts_with("HTTP/1.1 404 "));
}

#[test]
fn hostile_queries_change_nothing() {
    let apache = Apache::running();
    let long = "a".repeat(4000);
    let plain = |path: &str| {
        let page = apache.send(&format!("GET {path} HTTP/1.1"), "");
        page.split_once("\r\n\r\n").map(|(_, page)| page.to_owned()).expect("a response")
    };
    let expected = plain("/cgi-bin/wheel");
    for query in [
        "--serve",
        "serve+--listen+0.0.0.0:1",
        "doc",
        "--help",
        "-h",
        "--version",
        "%2D%2Dhelp",
        "%ADd+allow_url_include%3d1",
        "-c+/etc/passwd",
        "..%2f..%2fetc%2fpasswd",
        "%3Cscript%3E",
        "a%3Db",
        &long,
    ] {
        assert_eq!(plain(&format!("/cgi-bin/wheel?{query}")), expected, "{query}");
        let response = apache.post(&format!("/cgi-bin/wheel?{query}"), "", SPIN);
        assert!(response.contains("<methodResponse><params>"), "{query}: {response}");
    }
}

#[test]
fn apache_answers_not_modified() {
    let apache = Apache::running();
    let page = apache.send("GET /RPC2 HTTP/1.1", "");
    let etag =
        page.lines().find_map(|line| line.strip_prefix("etag: ").or(line.strip_prefix("ETag: "))).expect("a tag");
    let response = apache.send(&format!("GET /RPC2 HTTP/1.1\r\nIf-None-Match: {etag}"), "");
    assert!(response.starts_with("HTTP/1.1 304 "), "{response}");
    assert!(response.ends_with("\r\n\r\n"), "{response}");
    let head = apache.send("HEAD /RPC2 HTTP/1.1", "");
    assert!(head.starts_with("HTTP/1.1 200 ") && head.ends_with("\r\n\r\n"), "{head}");
}

#[test]
fn chunked_and_large_bodies() {
    let apache = Apache::running();
    let chunks: String = SPIN
        .as_bytes()
        .chunks(7)
        .map(|chunk| format!("{:x}\r\n{}\r\n", chunk.len(), String::from_utf8_lossy(chunk)))
        .collect();
    let head = "POST /cgi-bin/wheel HTTP/1.1\r\nContent-Type: text/xml\r\nTransfer-Encoding: chunked";
    let response = apache.send(head, &format!("{chunks}0\r\n\r\n"));
    assert!(response.contains("<methodResponse><params>"), "{response}");
    let text = "x".repeat(3 << 20);
    let response = apache.post("/RPC2", "", &document("echo", &[&text]));
    // Apache sends it in chunks
    assert!(response.bytes().filter(|octet| *octet == b'x').count() >= text.len(), "{}", &response[..500]);
    let response = apache
        .send("POST /RPC2 HTTP/1.1\r\nContent-Type: text/xml\r\nContent-Length: 16777217\r\nExpect: 100-continue", "");
    assert!(response.starts_with("HTTP/1.1 413 "), "{response}");
}

#[test]
fn the_request_as_methods_see_it() {
    let apache = Apache::running();
    let response = apache.post(
        "/cgi-bin/context/a%20b?c=d",
        "\r\nAuthorization: Basic YW5uOnNlY3JldA==\r\nX-Colour: red\r\nProxy: http://evil.example\r\nCookie: a=1\r\nCookie: b=2",
        &document("context", &[]),
    );
    for (name, value) in [
        ("method", "POST"),
        ("path", "/cgi-bin/context/a%20b"),
        ("url", &apache.url("/cgi-bin/context/a%20b")),
        ("query", "c=d"),
        ("authorization", "Basic YW5uOnNlY3JldA=="),
        ("colour", "red"),
        ("proxy", ""),
        ("cookie", "a=1, b=2"),
        ("remote_addr", "127.0.0.1"),
        ("user", ""),
    ] {
        let member = format!("<member><name>{name}</name><value><string>{value}</string></value></member>");
        assert!(response.contains(&member), "{member} is not in {response}");
    }
}

#[test]
fn the_log_is_apaches() {
    let apache = Apache::running();
    let response = apache.post("/cgi-bin/noisy", "", &document("panic", &[]));
    assert!(response.contains("internal error") && !response.contains("secret"), "{response}");
    let deadline = Instant::now() + Duration::from_secs(10);
    while !apache.log().contains("error: method \"panic\": panicked: a secret of 42") {
        assert!(Instant::now() < deadline, "{}", apache.log());
        std::thread::sleep(Duration::from_millis(10));
    }
}
