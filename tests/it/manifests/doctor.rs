//! `rpcgi doctor`: what it says of web servers that are set up well, and of those that are broken in one way each.

use std::fs;
use std::io::{Read, Write};
use std::net::TcpListener;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::Command;
use std::thread;
use std::time::Duration;

use serde_json::Value as Json;

use super::{Folder, run, text};
use crate::web_servers::WebServer;

/// What was found: the exit status, and findings by id.
struct Found {
    status: Option<i32>,
    findings: Vec<Json>,
    text: String,
}

impl Found {
    fn level(&self, id: &str) -> Option<&str> {
        self.findings.iter().find(|finding| finding["id"] == id)?["level"].as_str()
    }

    fn of(&self, id: &str) -> &Json {
        self.findings.iter().find(|finding| finding["id"] == id).unwrap_or_else(|| panic!("no {id} in {}", self.text))
    }
}

fn look(words: &[&str]) -> Found {
    let output = run(&[&["doctor", "--json"], words].concat());
    let told = text(&output.stdout);
    let findings =
        serde_json::from_str(&told).unwrap_or_else(|error| panic!("{error}: {told}{}", text(&output.stderr)));
    Found { status: output.status.code(), findings, text: told }
}

/// Checks that one thing is found, at its level, with a directive that mends it.
#[track_caller]
fn assert_found(server: &WebServer, path: &str, id: &str, level: &str, mend: &str) {
    let found = look(&[&server.url(path)]);
    let finding = found.of(id);
    assert_eq!(finding["level"], level, "{}\n{}", found.text, server.log());
    assert!(finding["mend"].as_str().is_some_and(|text| text.contains(mend)), "no {mend} in {finding}");
    let status = if level == "broken" { 2 } else { 1 };
    assert_eq!(found.status, Some(status), "{}", found.text);
}

#[test]
fn the_example_configurations_are_well() {
    thread::scope(|scope| {
        for (server, paths) in [
            (WebServer::apache as fn() -> std::sync::Arc<WebServer>, &["/cgi-bin/bikes", "/fcgid/calc", "/RPC2"][..]),
            (WebServer::nginx, &["/notes", "/RPC2", "/cgi-bin/calc"]),
            (WebServer::lighttpd, &["/notes", "/RPC2", "/cgi-bin/calc"]),
        ] {
            scope.spawn(move || {
                let server = server();
                for path in paths {
                    let found = look(&[&server.url(path)]);
                    let is_broken = found.findings.iter().any(|finding| finding["level"] == "broken");
                    assert!(!is_broken && found.status <= Some(1), "{path}: {}{}", found.text, server.log());
                    for id in ["calls", "json", "page", "size", "gzip"] {
                        assert_eq!(found.level(id), Some("ok"), "{path}: {}", found.text);
                    }
                }
            });
        }
    });
}

#[test]
fn apache_broken_in_six_ways() {
    let cgi = "DocumentRoot \"ROOT/www\"\n<Directory \"ROOT\">\nRequire all granted\nOptions EXTRA\n</Directory>\n";
    let copy = |name: &'static str, change: fn(String) -> String, mode: u32| {
        move |root: &Path| {
            let manifest = fs::read_to_string(root.join("cgi-bin/calc")).unwrap();
            fs::write(root.join("www").join(name), change(manifest)).unwrap();
            fs::set_permissions(root.join("www").join(name), fs::Permissions::from_mode(mode)).unwrap();
        }
    };
    let handler = "AddHandler cgi-script .cgi\n";
    let with = |options: &str| cgi.replace("EXTRA", options);
    // 1: nothing says that it is to be run
    let server = WebServer::apache_with(&with("None"), copy("calc.cgi", |text| text, 0o755));
    assert_found(&server, "/calc.cgi", "source-shown", "broken", "AddHandler cgi-script .cgi");
    // 2: a handler, and no permission to run anything
    let server = WebServer::apache_with(&(with("None") + handler), copy("calc.cgi", |text| text, 0o755));
    assert_found(&server, "/calc.cgi", "forbidden", "broken", "Options +ExecCGI");
    // 3: line ends of Windows
    let crlf = copy("calc.cgi", |text| text.replace('\n', "\r\n"), 0o755);
    let server = WebServer::apache_with(&(with("+ExecCGI") + handler), crlf);
    assert_found(&server, "/calc.cgi", "server-error", "broken", "CR before line ends");
    // 4: it may not be executed
    let server = WebServer::apache_with(&(with("+ExecCGI") + handler), copy("calc.cgi", |text| text, 0o644));
    assert_found(&server, "/calc.cgi", "server-error", "broken", "the mode 755");
    // 5: files can be listed, and the version is told
    let server = WebServer::apache_with(&(with("+ExecCGI +Indexes") + handler), copy("calc.cgi", |text| text, 0o755));
    assert_found(&server, "/calc.cgi", "listing", "warning", "Options -Indexes");
    assert_found(&server, "/calc.cgi", "versions", "warning", "ServerTokens Prod");
    // 6: mod_fcgid takes no more than 128 KB
    let fcgid = with("+ExecCGI") + "AddHandler fcgid-script .cgi\nFcgidMaxRequestLen 131072\n";
    let server = WebServer::apache_with(&fcgid, copy("calc.cgi", |text| text, 0o755));
    assert_found(&server, "/calc.cgi", "size", "warning", "FcgidMaxRequestLen 16777216");
}

#[test]
fn nginx_broken_in_four_ways() {
    let pass = "include fastcgi_params; fastcgi_pass unix:ROOT/run/notes.sock;";
    // 7: bodies of 1 MB at most, which is what nginx has unless told otherwise
    let server = WebServer::nginx_site(&format!("location = /notes {{ {pass} }}"), Some("notes"));
    assert_found(&server, "/notes", "size", "warning", "client_max_body_size 16m;");
    // 8: nothing listens behind it
    let server = WebServer::nginx_site(&format!("location = /notes {{ {pass} }}"), None);
    assert_found(&server, "/notes", "no-program", "broken", "rpcgi fcgi service.rpc --listen");
    // 9: the manifest is a file among others
    let server = WebServer::nginx_site("location /m/ { alias ROOT/manifests/; default_type text/plain; }", None);
    assert_found(&server, "/m/notes.rpc", "source-shown", "broken", "nginx runs no CGI");
    // 10: calls are redirected
    let server = WebServer::nginx_site(
        &format!("location = /old {{ return 301 /notes; }} location = /notes {{ {pass} }}"),
        Some("notes"),
    );
    assert_found(&server, "/old", "redirect", "broken", "/notes");
}

#[test]
fn lighttpd_broken_in_two_ways() {
    let cgi = "server.modules = ( \"mod_cgi\", \"mod_dirlisting\" )\ncgi.assign = ( \".cgi\" => \"\" )\nserver.max-request-size = 1000\n";
    let place = |root: &Path| {
        for name in ["bikes.py", "bikes"] {
            let path = root.join("www").join(if name == "bikes" { "bikes.cgi" } else { name });
            fs::copy(root.join("cgi-bin").join(name), path).unwrap();
        }
    };
    // 11: bodies of 1 MB at most
    let server = WebServer::lighttpd_with(cgi, place);
    assert_found(&server, "/bikes.cgi", "size", "warning", "server.max-request-size");
    // 12: the module beside it can be fetched
    let folder = Folder::untitled(&format!("url = \"{}\"\nmodule = \"bikes.py\"\n", server.url("/bikes.cgi")));
    fs::copy(super::own("bikes.py"), folder.path().join("bikes.py")).unwrap();
    let found = look(&[folder.manifest().to_str().unwrap()]);
    assert_eq!(found.of("source")["level"], "broken", "{}", found.text);
    assert!(found.of("source")["mend"].as_str().unwrap().contains("url.access-deny"), "{}", found.text);
}

#[test]
fn a_key_opens_what_is_inside() {
    let printed = text(&run(&["doctor", "--key"]).stdout);
    let line = printed.lines().find(|line| line.starts_with("doctor = ")).expect("it is printed").to_owned();
    // 13: Apache holds the header Authorization back
    let server = WebServer::apache_with(
        "DocumentRoot \"ROOT/www\"\n<Directory \"ROOT\">\nRequire all granted\nOptions +ExecCGI\nAddHandler cgi-script .cgi\n\
         </Directory>\n",
        |root| {
            let manifest = fs::read_to_string(root.join("cgi-bin/bikes")).unwrap();
            let (first, rest) = manifest.split_once('\n').unwrap();
            fs::write(root.join("www/bikes.cgi"), format!("{first}\n{line}\n{rest}")).unwrap();
            fs::copy(root.join("cgi-bin/bikes.py"), root.join("www/bikes.py")).unwrap();
            fs::set_permissions(root.join("www/bikes.cgi"), fs::Permissions::from_mode(0o755)).unwrap();
        },
    );
    let folder = tempfile::tempdir().unwrap();
    let key = folder.path().join("key");
    fs::write(&key, &printed).unwrap();
    let url = server.url("/bikes.cgi");
    let found = look(&[&url, "--key-file", key.to_str().unwrap()]);
    assert_eq!(found.level("authorization"), Some("warning"), "{}{}", found.text, server.log());
    assert!(found.of("authorization")["mend"].as_str().unwrap().contains("CGIPassAuth On"), "{}", found.text);
    assert!(found.of("gateway")["what"].as_str().unwrap().contains("started for each call"), "{}", found.text);
    assert_eq!(found.level("interpreter"), Some("ok"), "{}", found.text);
    assert_eq!(found.level("folder"), Some("warning"), "{}", found.text);
    // nobody else learns that there is such a method
    let called = run(&["call", &url, "rpcgi.doctor"]);
    assert_eq!(text(&called.stderr), "fault -32601: there is no method \"rpcgi.doctor\"\n");
    let names = text(&run(&["call", &url, "system.listMethods"]).stdout);
    assert!(!names.contains("doctor"), "{names}");
    let key = printed.lines().nth(1).unwrap();
    let post = |body: &str| {
        let head = format!(
            "POST /bikes.cgi HTTP/1.0\r\nContent-Type: application/json\r\nX-Rpcgi-Doctor-Key: {key}\r\nContent-Length: {}",
            body.len()
        );
        server.send(&head, body)
    };
    let call = r#"{"jsonrpc": "2.0", "id": 1, "method": "rpcgi.doctor"}"#;
    assert!(post(call).contains("\"authorization\""), "{}", post(call));
    assert!(post(&format!("[{call}]")).contains("-32601"));
    let multicall = r#"{"jsonrpc": "2.0", "id": 1, "method": "system.multicall", "params": [[{"methodName": "rpcgi.doctor", "params": []}]]}"#;
    assert!(post(multicall).contains("-32601"), "{}", post(multicall));
    // another key
    let other = folder.path().join("other");
    fs::write(&other, run(&["doctor", "--key"]).stdout).unwrap();
    let found = look(&[&url, "--key-file", other.to_str().unwrap()]);
    assert_eq!(found.level("key"), Some("warning"), "{}", found.text);
}

#[test]
fn keys_that_are_none() {
    let check = |line: &str| {
        let folder = Folder::new(&format!("doctor = \"{line}\"\n[method.a]\nrun = [\"true\"]\n"));
        text(&run(&["check", folder.manifest().to_str().unwrap()]).stdout)
    };
    let printed = text(&run(&["doctor", "--key"]).stdout);
    let line =
        printed.lines().find_map(|line| line.strip_prefix("doctor = \"")).unwrap().trim_end_matches('"').to_owned();
    let (digest, _) = line.split_once(':').unwrap();
    assert!(check(&line).contains("nothing is wrong"), "{}", check(&line));
    assert!(check("secret").contains("error: expected {SHA256}BASE64:END"), "{}", check("secret"));
    let year = format!("{digest}:2099-01-01T00:00:00Z");
    assert!(check(&year).contains("error: a key is good for 7 days at most"), "{}", check(&year));
    let over = format!("{digest}:2026-01-01T00:00:00Z");
    assert!(check(&over).contains("warning: this key is over"), "{}", check(&over));
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("key"), "short\n").unwrap();
    let output = run(&["doctor", "http://127.0.0.1:9/", "--key-file", folder.path().join("key").to_str().unwrap()]);
    assert!(text(&output.stderr).contains("expected a key"), "{}", text(&output.stderr));
}

/// Answers each connection by a function, until the end of the tests.
fn answering(answer: impl Fn(&mut std::net::TcpStream) + Send + 'static) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    let address = listener.local_addr().expect("it has one");
    thread::spawn(move || {
        for stream in listener.incoming() {
            let Ok(mut stream) = stream else { continue };
            let mut head = [0; 4096];
            // what was asked does not matter
            _ = stream.read(&mut head);
            answer(&mut stream);
        }
    });
    format!("http://{address}/")
}

#[test]
fn what_is_no_service() {
    let plain = answering(|stream| {
        _ = stream.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\nConnection: close\r\n\r\nhello");
    });
    let found = look(&[&plain]);
    assert_eq!((found.level("not-rpcgi"), found.status), (Some("broken"), Some(2)), "{}", found.text);
    let redirecting = answering(|stream| {
        let head = b"HTTP/1.1 302 Found\r\nLocation: https://elsewhere.example/\r\nContent-Length: 0\r\nConnection: close\r\n\r\n";
        _ = stream.write_all(head);
    });
    let found = look(&[&redirecting]);
    assert!(found.of("redirect")["what"].as_str().unwrap().contains("https://elsewhere.example/"), "{}", found.text);
    let hanging = answering(|_| thread::sleep(Duration::from_secs(60)));
    let found = look(&[&hanging, "--timeout", "1"]);
    assert_eq!(found.level("timeout"), Some("broken"), "{}", found.text);
    let endless = answering(|stream| {
        _ = stream.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 10000000000\r\n\r\n");
        while stream.write_all(&[b'x'; 65536]).is_ok() {}
    });
    let found = look(&[&endless]);
    assert_eq!(found.level("endless"), Some("broken"), "{}", found.text);
    let found = look(&["http://127.0.0.1:1/"]);
    assert_eq!((found.level("unreachable"), found.status), (Some("broken"), Some(2)), "{}", found.text);
    for (words, expected) in [
        (&["ftp://host/"][..], "expected a URL as https://HOST/PATH"),
        (&["nothing.cgi"], "nothing.cgi: it cannot be opened"),
        (&[], "required"),
    ] {
        let output = run(&[&["doctor"], words].concat());
        assert!(!output.status.success() && text(&output.stderr).contains(expected), "{}", text(&output.stderr));
    }
    let folder = Folder::new("[method.a]\nrun = [\"true\"]\n");
    let output = run(&["doctor", folder.manifest().to_str().unwrap()]);
    assert!(text(&output.stderr).contains("it has no `url`"), "{}", text(&output.stderr));
}

#[test]
fn a_certificate_of_nobody() {
    let folder = tempfile::tempdir().unwrap();
    let (key, certificate) = (folder.path().join("key.pem"), folder.path().join("cert.pem"));
    let made = Command::new("openssl")
        .args(["req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "1", "-subj", "/CN=other.example", "-keyout"])
        .arg(&key)
        .arg("-out")
        .arg(&certificate)
        .output()
        .expect("openssl is there");
    assert!(made.status.success(), "{}", text(&made.stderr));
    let program = "import http.server, ssl, sys\n\
                   server = http.server.HTTPServer(('127.0.0.1', 0), http.server.BaseHTTPRequestHandler)\n\
                   context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)\ncontext.load_cert_chain(sys.argv[1], sys.argv[2])\n\
                   server.socket = context.wrap_socket(server.socket, server_side=True)\n\
                   print(server.server_address[1], flush=True)\nserver.serve_forever()\n";
    let mut server = Command::new("python3")
        .args(["-c", program])
        .args([&certificate, &key])
        .stdout(std::process::Stdio::piped())
        .stderr(std::process::Stdio::null())
        .spawn()
        .expect("Python is there");
    let mut port = String::new();
    std::io::BufRead::read_line(&mut std::io::BufReader::new(server.stdout.take().unwrap()), &mut port).unwrap();
    let found = look(&[&format!("https://127.0.0.1:{}/", port.trim())]);
    server.kill().unwrap();
    server.wait().unwrap();
    assert_eq!((found.level("certificate"), found.status), (Some("broken"), Some(2)), "{}", found.text);
}

#[test]
fn for_people() {
    let output = run(&["doctor", "http://127.0.0.1:1/"]);
    let said = text(&output.stdout);
    assert!(said.starts_with("http://127.0.0.1:1/\n  broken  nothing answers: "), "{said}");
    assert!(said.ends_with("It is broken: 1 fault, 0 warnings.\n"), "{said}");
}
