//! Real web servers on ports of their own, with the example configurations of this repository and the programs behind.

use std::fmt::Write as _;
use std::fs;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::{Arc, Mutex, Weak};
use std::time::Duration;

use crate::harness::{document, example, soon};

/// A web server, ended when the last test lets go of it, with the programs behind it.
pub struct WebServer {
    child: Child,
    /// Programs that it did not start itself.
    pub backends: Mutex<Vec<Backend>>,
    pub folder: tempfile::TempDir,
    pub port: u16,
}

/// A program that was started for a web server, ended with it.
pub struct Backend {
    pub child: Child,
    pub address: String,
}

impl Backend {
    /// Starts an example as a responder; if it has a database, in this folder.
    pub fn start(program: &str, address: &str, folder: &Path) -> Backend {
        let mut command = Command::new(example(program));
        command.arg("fcgi").env_clear().env("OPENACADEMY_FILE", database(folder));
        Backend::start_command(command, address)
    }

    /// Starts a manifest of the site in this folder as a responder.
    fn start_manifest(name: &str, folder: &Path) -> Backend {
        let root = folder.join("rpcgi");
        let mut command = Command::new(root.join("bin/rpcgi"));
        command.arg("fcgi").arg(root.join("cgi-bin").join(name)).env_clear();
        Backend::start_command(
            command,
            &format!("unix:{},mode=0666", root.join("run").join(name).with_extension("sock").display()),
        )
    }

    fn start_command(mut command: Command, address: &str) -> Backend {
        command.args(["--listen", address]).stdin(Stdio::null()).stdout(Stdio::piped());
        let mut child = command.spawn().expect("the program starts");
        let mut line = String::new();
        BufReader::new(child.stdout.take().expect("it is piped")).read_line(&mut line).expect("it says where");
        assert!(line.starts_with("Serving FastCGI at "), "{line}");
        Backend { child, address: address.to_owned() }
    }

    /// Starts fcgiwrap, which runs CGI programs for nginx.
    fn fcgiwrap(folder: &Path) -> Backend {
        let socket = folder.join("rpcgi/run/fcgiwrap.sock");
        let address = format!("unix:{}", socket.display());
        let mut command = Command::new("fcgiwrap");
        // one process: more would be children of it, and stay when it is ended
        command.args(["-c", "1", "-f", "-s", &address]).stdin(Stdio::null());
        let child = command.spawn().expect("fcgiwrap is installed: `tests/run` does that");
        let backend = Backend { child, address };
        assert!(soon(|| UnixStream::connect(&socket).is_ok()), "fcgiwrap does not start");
        fs::set_permissions(&socket, fs::Permissions::from_mode(0o666)).expect("it is ours");
        backend
    }

    pub fn signal(&mut self, signal: &str) {
        let sent = Command::new("kill").args([signal, &self.child.id().to_string()]).status().expect("kill runs");
        assert!(sent.success());
    }
}

impl Drop for Backend {
    fn drop(&mut self) {
        _ = self.child.kill();
        _ = self.child.wait();
    }
}

/// Apache for all tests that run at a time.
static APACHE: Mutex<Weak<WebServer>> = Mutex::new(Weak::new());
static NGINX: Mutex<Weak<WebServer>> = Mutex::new(Weak::new());
static LIGHTTPD: Mutex<Weak<WebServer>> = Mutex::new(Weak::new());

fn shared(running: &Mutex<Weak<WebServer>>, start: fn() -> WebServer) -> Arc<WebServer> {
    let mut running = running.lock().unwrap_or_else(|poisoned| poisoned.into_inner());
    running.upgrade().unwrap_or_else(|| {
        let server = Arc::new(start());
        *running = Arc::downgrade(&server);
        server
    })
}

impl WebServer {
    /// Returns the shared Apache: `/RPC2`, `/cgi-bin/NAME` and `/app/wheel.cgi` by CGI, `/fcgid/NAME` by mod_fcgid,
    /// `/one` and `/many` by mod_proxy_fcgi, `/rpc/NAME.rpc` by rpcgi as mod_fcgid's wrapper.
    pub fn apache() -> Arc<WebServer> {
        shared(&APACHE, || {
            let folder = site();
            let one = format!("unix:{},mode=0666", folder.path().join("rpcgi/run/one.sock").display());
            let many = [0, 1].map(|_| format!("tcp:127.0.0.1:{}", free_port()));
            let port = free_port();
            let configuration = apache_configuration(folder.path(), port, &many);
            fs::write(folder.path().join("httpd.conf"), configuration).expect("it is ours");
            let mut command = Command::new("apache2");
            command.args(["-D", "FOREGROUND", "-f"]).arg(folder.path().join("httpd.conf"));
            let backends = [&one]
                .into_iter()
                .chain(&many)
                .map(|address| Backend::start("interop", address, folder.path()))
                .collect();
            WebServer::start(command, folder, port, backends)
        })
    }

    /// Starts an Apache for one test, which runs the programs of a folder as another user.
    pub fn apache_as(user: &str, group: &str, programs: &Path) -> WebServer {
        let folder = site();
        let port = free_port();
        let mut configuration = apache_head(folder.path(), port, &["suexec"]);
        let programs = programs.display();
        writeln!(
            configuration,
            "SuexecUserGroup {user} {group}\nScriptAlias \"/\" \"{programs}/\"\n\
             <Directory \"{programs}\">\nRequire all granted\n</Directory>"
        )
        .expect("a String takes it");
        fs::write(folder.path().join("httpd.conf"), configuration).expect("it is ours");
        let mut command = Command::new("apache2");
        command.args(["-D", "FOREGROUND", "-f"]).arg(folder.path().join("httpd.conf"));
        WebServer::start(command, folder, port, Vec::new())
    }

    /// Starts an Apache for one test, with this configuration after its head; `ROOT` in it is the site's folder.
    pub fn apache_with(configuration: &str, prepare: impl FnOnce(&Path)) -> WebServer {
        let folder = site();
        let root = folder.path().join("rpcgi");
        prepare(&root);
        let port = free_port();
        let text = apache_head(folder.path(), port, &["autoindex", "dir"]);
        let text = text + &configuration.replace("ROOT", &root.display().to_string());
        fs::write(folder.path().join("httpd.conf"), text).expect("it is ours");
        let mut command = Command::new("apache2");
        command.args(["-D", "FOREGROUND", "-f"]).arg(folder.path().join("httpd.conf"));
        WebServer::start(command, folder, port, Vec::new())
    }

    /// Starts an nginx for one test, with these locations; `ROOT` in them is the site's folder. A manifest of the site is
    /// served at `ROOT/run/NAME.sock` if one is named.
    pub fn nginx_site(locations: &str, manifest: Option<&str>) -> WebServer {
        let folder = site();
        let port = free_port();
        let root = folder.path().display().to_string();
        let locations = locations.replace("ROOT", &format!("{root}/rpcgi"));
        let temporary: String = ["client_body", "fastcgi", "proxy", "uwsgi", "scgi"]
            .iter()
            .map(|kind| format!("{kind}_temp_path {root}/{kind};\n"))
            .collect();
        let text = format!(
            "daemon off; worker_processes 1; pid {root}/pid; error_log {root}/error.log warn;\n\
             events {{ worker_connections 64; }}\nhttp {{ access_log off;\n{temporary}server {{ listen 127.0.0.1:{port};\n\
             {locations}\n}}\n}}\n"
        );
        fs::write(folder.path().join("nginx.conf"), text).expect("it is ours");
        fs::copy("/etc/nginx/fastcgi_params", folder.path().join("fastcgi_params")).expect("nginx is installed");
        let mut command = Command::new("nginx");
        command.arg("-p").arg(folder.path()).arg("-c").arg(folder.path().join("nginx.conf"));
        let backends = manifest.map(|name| Backend::start_manifest(name, folder.path())).into_iter().collect();
        WebServer::start(command, folder, port, backends)
    }

    /// Starts a lighttpd for one test, with this configuration after its head; `ROOT` in it is the site's folder.
    pub fn lighttpd_with(configuration: &str, prepare: impl FnOnce(&Path)) -> WebServer {
        let folder = site();
        let root = folder.path().join("rpcgi");
        prepare(&root);
        let port = free_port();
        let user = if is_root() { "server.username = \"www-data\"\nserver.groupname = \"www-data\"\n" } else { "" };
        let text = format!(
            "server.bind = \"127.0.0.1\"\nserver.port = {port}\nserver.document-root = \"ROOT/www\"\n\
             server.errorlog = \"ROOT/run/lighttpd.log\"\n{user}{configuration}\n"
        );
        fs::write(folder.path().join("lighttpd.conf"), text.replace("ROOT", &root.display().to_string()))
            .expect("it is ours");
        let mut command = Command::new("lighttpd");
        command.arg("-D").arg("-f").arg(folder.path().join("lighttpd.conf"));
        WebServer::start(command, folder, port, Vec::new())
    }

    /// Returns the shared nginx: `/RPC2` and `/service` by one program, `/many` by three, `/notes` by a manifest,
    /// `/cgi-bin/NAME` by fcgiwrap.
    pub fn nginx() -> Arc<WebServer> {
        shared(&NGINX, || WebServer::nginx_with("interop"))
    }

    /// Starts an nginx as [`nginx`](WebServer::nginx) does, for one test alone and with another program.
    pub fn nginx_with(program: &str) -> WebServer {
        let folder = site();
        let one = format!("unix:{},mode=0666", folder.path().join("rpcgi/run/one.sock").display());
        let many = [0, 1, 2].map(|_| format!("tcp:127.0.0.1:{}", free_port()));
        let port = free_port();
        fs::write(folder.path().join("nginx.conf"), nginx_configuration(folder.path(), port, &many))
            .expect("it is ours");
        fs::copy("/etc/nginx/fastcgi_params", folder.path().join("fastcgi_params")).expect("nginx is installed");
        let mut command = Command::new("nginx");
        command.arg("-p").arg(folder.path()).arg("-c").arg(folder.path().join("nginx.conf"));
        let mut backends: Vec<Backend> =
            [&one].into_iter().chain(&many).map(|address| Backend::start(program, address, folder.path())).collect();
        backends.push(Backend::start_manifest("notes", folder.path()));
        backends.push(Backend::fcgiwrap(folder.path()));
        WebServer::start(command, folder, port, backends)
    }

    /// Returns the shared lighttpd: `/RPC2` and `/notes` by FastCGI, started by lighttpd; `/one` by FastCGI;
    /// `/cgi-bin/NAME` by CGI.
    pub fn lighttpd() -> Arc<WebServer> {
        shared(&LIGHTTPD, || {
            let folder = site();
            let one = format!("unix:{},mode=0666", folder.path().join("rpcgi/run/one.sock").display());
            let port = free_port();
            fs::write(folder.path().join("lighttpd.conf"), lighttpd_configuration(folder.path(), port))
                .expect("it is ours");
            let mut command = Command::new("lighttpd");
            command.arg("-D").arg("-f").arg(folder.path().join("lighttpd.conf"));
            let backend = Backend::start("interop", &one, folder.path());
            WebServer::start(command, folder, port, vec![backend])
        })
    }

    fn start(mut command: Command, folder: tempfile::TempDir, port: u16, backends: Vec<Backend>) -> WebServer {
        let log = fs::File::create(folder.path().join("start.log")).expect("it is ours");
        let name = command.get_program().to_owned();
        let child = command
            .stdin(Stdio::null())
            .stderr(log.try_clone().expect("a descriptor"))
            .stdout(log)
            .spawn()
            .unwrap_or_else(|error| panic!("{name:?} is installed: `tests/run` does that; but {error}"));
        let mut server = WebServer { child, backends: Mutex::new(backends), folder, port };
        server.wait();
        server
    }

    fn wait(&mut self) {
        let mut has_ended = false;
        let listens = soon(|| {
            has_ended = self.child.try_wait().expect("it is our child").is_some();
            has_ended || TcpStream::connect(("127.0.0.1", self.port)).is_ok()
        });
        assert!(listens && !has_ended, "it does not start: {}", self.log());
    }

    pub fn log(&self) -> String {
        let read = |name| fs::read_to_string(self.folder.path().join(name)).unwrap_or_default();
        read("start.log") + &read("error.log") + &read("rpcgi/run/lighttpd.log")
    }

    /// Waits until something is in the log.
    #[track_caller]
    pub fn expect_log(&self, text: &str) {
        assert!(soon(|| self.log().contains(text)), "{text:?} is not in {}", self.log());
    }

    pub fn url(&self, path: &str) -> String {
        format!("http://127.0.0.1:{}{path}", self.port)
    }

    /// Sends a request on a connection of its own; the head without the last line end.
    #[track_caller]
    pub fn send(&self, head: &str, body: &str) -> String {
        let mut stream = TcpStream::connect(("127.0.0.1", self.port)).expect("it listens");
        stream.set_read_timeout(Some(Duration::from_secs(60))).expect("it is a socket");
        let request = format!("{head}\r\nHost: 127.0.0.1:{}\r\nConnection: close\r\n\r\n{body}", self.port);
        // one that answers early may not read it all
        _ = stream.write_all(request.as_bytes());
        let mut response = Vec::new();
        stream.read_to_end(&mut response).unwrap_or_else(|error| panic!("it does not answer: {error} {}", self.log()));
        String::from_utf8(without_chunks(response)).expect("it is text")
    }

    #[track_caller]
    pub fn post(&self, path: &str, more: &str, body: &str) -> String {
        let length = body.len();
        self.send(&format!("POST {path} HTTP/1.1\r\nContent-Type: text/xml\r\nContent-Length: {length}{more}"), body)
    }
}

impl Drop for WebServer {
    fn drop(&mut self) {
        // the parent, which ends its children; killed, it would leave them
        _ = Command::new("kill").arg(self.child.id().to_string()).status();
        _ = self.child.wait();
    }
}

/// Returns a free port. Another program may take it before it is used, but the kernel hands out others first.
pub fn free_port() -> u16 {
    TcpListener::bind("127.0.0.1:0").and_then(|listener| listener.local_addr()).expect("a free port").port()
}

/// Makes the folders that the examples speak of, in one that the web servers' users can enter.
fn site() -> tempfile::TempDir {
    let folder = tempfile::tempdir().expect("a folder for the web server");
    let root = folder.path().join("rpcgi");
    let open = |path: &Path, mode| fs::set_permissions(path, fs::Permissions::from_mode(mode)).expect("it is ours");
    open(folder.path(), 0o755);
    for name in ["bin", "cgi-bin", "manifests", "www", "run"] {
        fs::create_dir_all(root.join(name)).expect("it is ours");
    }
    // servers make sockets here, as their users
    open(&root.join("run"), 0o777);
    for program in ["interop", "wheel", "noisy", "context", "openacademy"] {
        place(&example(program), &root.join("cgi-bin").join(program));
    }
    place(&example("wheel"), &root.join("www/wheel.cgi"));
    fs::write(root.join("www/static.txt"), "a file\n").expect("it is ours");
    install_manifests(&root);
    folder
}

/// Puts a program at another place, as a second name where the file system can: there are many sites.
fn place(program: &Path, path: &Path) {
    let placed = fs::hard_link(program, path).or_else(|_| fs::copy(program, path).map(|_| ()));
    placed.unwrap_or_else(|error| panic!("cannot put {} at {}: {error}", program.display(), path.display()));
}

/// Installs the program rpcgi, and the manifests of this repository with all that stands beside them.
fn install_manifests(root: &Path) {
    let program = root.join("bin/rpcgi");
    place(Path::new(env!("CARGO_BIN_EXE_rpcgi")), &program);
    let files = fs::read_dir(example_configuration("cgi-bin")).expect("it is there");
    let files = files.map(|file| file.expect("it can be read").path()).filter(|path| path.is_file());
    for path in files.chain([example_configuration("tests/it/page/gallery")]) {
        let name = path.file_name().expect("it is a file").to_string_lossy().into_owned();
        if name.contains('.') {
            for folder in ["cgi-bin", "manifests"] {
                fs::copy(&path, root.join(folder).join(&name)).expect("there is room");
            }
            continue;
        }
        let database = format!("env = {{ NOTES_FILE = \"{}\" }}", root.join("run/notes.sqlite").display());
        let manifest = fs::read_to_string(&path).expect("it is text");
        let manifest = manifest.replace("/usr/local/bin/rpcgi", &program.display().to_string());
        let manifest = manifest.replace("# env = { NOTES_FILE = \"/var/lib/rpcgi/notes.sqlite\" }", &database);
        // there is a program of this name
        let name = if name == "wheel" { "roulette" } else { &name };
        let script = root.join("cgi-bin").join(name);
        fs::write(&script, &manifest).expect("there is room");
        fs::set_permissions(script, fs::Permissions::from_mode(0o755)).expect("it is ours");
        fs::write(root.join("manifests").join(name).with_extension("rpc"), manifest).expect("there is room");
    }
}

/// Returns the database of a site's programs.
fn database(folder: &Path) -> PathBuf {
    folder.join("rpcgi/run/openacademy.sqlite")
}

fn is_root() -> bool {
    fs::metadata("/proc/self").is_ok_and(|process| process.uid() == 0)
}

fn example_configuration(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(name)
}

const APACHE_MODULES: &[&str] = &[
    "mpm_event",
    "authn_core",
    "authz_core",
    "authz_user",
    "alias",
    "cgid",
    "mime",
    "setenvif",
    "env",
    "fcgid",
    "proxy",
    "proxy_fcgi",
    "slotmem_shm",
    "proxy_balancer",
    "lbmethod_bybusyness",
];

fn apache_head(root: &Path, port: u16, more_modules: &[&str]) -> String {
    let modules = Path::new("/usr/lib/apache2/modules");
    let root = root.display();
    let mut text = format!(
        "ServerRoot \"{root}\"\nDefaultRuntimeDir \"{root}\"\nServerName 127.0.0.1\nListen 127.0.0.1:{port}\n\
         PidFile pid\nErrorLog error.log\nLogLevel warn\nTypesConfig /dev/null\n"
    );
    for module in APACHE_MODULES.iter().chain(more_modules) {
        let file = modules.join(format!("mod_{module}.so")).display().to_string();
        writeln!(text, "LoadModule {module}_module \"{file}\"").expect("a String takes it");
    }
    writeln!(text, "FcgidIPCDir \"{root}/rpcgi/run\"\nFcgidProcessTableFile \"{root}/fcgid_shm\"")
        .expect("a String takes it");
    if is_root() {
        text += "User www-data\nGroup www-data\n";
    }
    text
}

fn apache_configuration(root: &Path, port: u16, many: &[String]) -> String {
    let mut text = apache_head(root, port, &[]);
    let database = database(root);
    for directive in ["SetEnv", "FcgidInitialEnv"] {
        writeln!(text, "{directive} OPENACADEMY_FILE \"{}\"", database.display()).expect("a String takes it");
    }
    let root = root.display();
    for (number, address) in many.iter().enumerate() {
        let address = address.trim_start_matches("tcp:");
        writeln!(text, "Define RPCGI_BACKEND_{} {address}", number + 1).expect("a String takes it");
    }
    let example = example_configuration("apache-example.conf");
    text + &format!("Define RPCGI \"{root}/rpcgi\"\nInclude \"{}\"\n", example.display())
}

/// Returns the example itself; only its folder and its ports differ.
fn nginx_configuration(root: &Path, port: u16, many: &[String]) -> String {
    let mut example = fs::read_to_string(example_configuration("nginx-example.conf")).expect("it is there");
    let root = root.display();
    let listen = format!("127.0.0.1:{port}");
    let socket_folder = format!("{root}/rpcgi/run");
    let site = format!("{root}/rpcgi");
    let changes = [("127.0.0.1:8080", &listen[..]), ("/run/rpcgi", &socket_folder), ("/srv/rpcgi", &site)].into_iter();
    let ports = ["127.0.0.1:9001", "127.0.0.1:9002", "127.0.0.1:9003"].into_iter();
    for (from, to) in changes.chain(ports.zip(many.iter().map(|address| address.trim_start_matches("tcp:")))) {
        assert!(example.contains(from), "the example has {from}");
        example = example.replace(from, to);
    }
    let temporary: String = ["client_body", "fastcgi", "proxy", "uwsgi", "scgi"]
        .iter()
        .map(|kind| format!("{kind}_temp_path {root}/{kind};\n"))
        .collect();
    format!(
        "daemon off; worker_processes 2; pid {root}/pid; error_log {root}/error.log warn;\n\
         events {{ worker_connections 512; }}\nhttp {{ access_log off;\n{temporary}{example}}}\n"
    )
}

fn lighttpd_configuration(root: &Path, port: u16) -> String {
    let user = if is_root() { "server.username = \"www-data\"\nserver.groupname = \"www-data\"\n" } else { "" };
    let root = root.display();
    format!(
        "server.bind = \"127.0.0.1\"\nserver.port = {port}\nserver.document-root = \"{root}/rpcgi/www\"\n\
         server.errorlog = \"{root}/rpcgi/run/lighttpd.log\"\nserver.modules = ()\n{user}var.rpcgi = \"{root}/rpcgi\"\n\
         include \"{}\"\n",
        example_configuration("lighttpd-example.conf").display()
    )
}

/// Joins the body of a response that came in chunks (RFC 9112 §7.1), which may end inside of a character.
fn without_chunks(response: Vec<u8>) -> Vec<u8> {
    let Some(end) = response.windows(4).position(|octets| octets == b"\r\n\r\n") else { return response };
    let (head, mut rest) = response.split_at(end + 4);
    if !String::from_utf8_lossy(head).to_lowercase().contains("transfer-encoding: chunked") {
        return response;
    }
    let mut joined = head.to_vec();
    while let Some(line) = rest.windows(2).position(|octets| octets == b"\r\n") {
        let size = std::str::from_utf8(&rest[..line]).ok().and_then(|size| usize::from_str_radix(size, 16).ok());
        let Some(chunk) = size.filter(|size| *size > 0).and_then(|size| rest.get(line + 2..line + 2 + size)) else {
            break;
        };
        joined.extend(chunk);
        rest = &rest[(line + 4 + chunk.len()).min(rest.len())..];
    }
    joined
}

/// Checks that a call is answered at a path, and that the page there knows its URL.
#[track_caller]
pub fn assert_serves(server: &WebServer, path: &str) {
    let response = server.post(path, "", &document("wheel.spin", &[]));
    assert!(response.starts_with("HTTP/1.1 200 OK\r\n"), "{path}: {response}{}", server.log());
    assert!(response.contains("<methodResponse><params>"), "{path}: {response}");
    let page = server.send(&format!("GET {path} HTTP/1.1"), "");
    let tag =
        |line: &str| Some(line.split_once(": ").filter(|(name, _)| name.eq_ignore_ascii_case("etag"))?.1.to_owned());
    let etag = page.lines().find_map(tag).unwrap_or_else(|| panic!("{path}: {page}"));
    let known = server.send(&format!("GET {path} HTTP/1.1\r\nIf-None-Match: {etag}"), "");
    assert!(known.starts_with("HTTP/1.1 304 ") && known.ends_with("\r\n\r\n"), "{path}: {known}");
    let path = path.split('?').next().expect("there is a first");
    assert!(page.contains(&format!("<code>{}</code>", server.url(path))), "{path}: {page}");
}

/// Checks that a body over the limit is refused by its declared length, before it comes.
#[track_caller]
pub fn assert_refused_early(server: &WebServer, path: &str) {
    let head =
        format!("POST {path} HTTP/1.1\r\nContent-Type: text/xml\r\nContent-Length: 16777217\r\nExpect: 100-continue");
    let response = server.send(&head, "");
    assert!(response.starts_with("HTTP/1.1 413 "), "{path}: {response}");
}

/// Checks bodies in chunks, and large ones.
#[track_caller]
pub fn assert_bodies(server: &WebServer, path: &str) {
    let in_chunks = |body: &str| {
        let chunks: String = body
            .as_bytes()
            .chunks(1000)
            .map(|chunk| format!("{:x}\r\n{}\r\n", chunk.len(), String::from_utf8_lossy(chunk)))
            .collect();
        let head = format!("POST {path} HTTP/1.1\r\nContent-Type: text/xml\r\nTransfer-Encoding: chunked");
        server.send(&head, &format!("{chunks}0\r\n\r\n"))
    };
    for size in [100, 300_000] {
        let text = "x".repeat(size);
        let response = in_chunks(&document("interopEchoTests.echoString", &[&text]));
        // the answer may be in chunks too
        let found = response.bytes().filter(|octet| *octet == b'x').count();
        assert!(found >= size, "{path}: {}{}", &response[..response.len().min(500)], server.log());
    }
    let text = "x".repeat(3 << 20);
    let response = server.post(path, "", &document("interopEchoTests.echoString", &[&text]));
    let found = response.bytes().filter(|octet| *octet == b'x').count();
    assert!(found >= text.len(), "{path}: {}{}", &response[..response.len().min(500)], server.log());
}

/// Checks what `examples/context.rs` sees at a path, whatever is between. Web servers differ on two headers with
/// cookies, which no browser sends.
#[track_caller]
pub fn assert_context(server: &WebServer, path: &str, cookies: &str) {
    let response = server.post(
        &format!("{path}/a%20b?c=d"),
        "\r\nAuthorization: Basic YW5uOnNlY3JldA==\r\nX-Colour: red\r\nProxy: http://evil.example\r\nCookie: a=1\r\nCookie: b=2",
        &document("context", &[]),
    );
    for (name, value) in [
        ("method", "POST"),
        ("path", &format!("{path}/a%20b")[..]),
        ("url", &server.url(&format!("{path}/a%20b"))),
        ("query", "c=d"),
        ("authorization", "Basic YW5uOnNlY3JldA=="),
        ("colour", "red"),
        ("proxy", ""),
        ("cookie", cookies),
        ("remote_addr", "127.0.0.1"),
        ("user", ""),
    ] {
        let member = format!("<member><name>{name}</name><value><string>{value}</string></value></member>");
        assert!(response.contains(&member), "{member} is not in {response}{}", server.log());
    }
}
