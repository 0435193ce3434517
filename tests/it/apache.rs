//! A real Apache with `apache-example.conf` as it stands, and what only a real web server shows.

use crate::calls::document;
use crate::web_servers::WebServer;

const SPIN: &str = "<methodCall><methodName>wheel.spin</methodName></methodCall>";

#[test]
fn each_way_of_the_example_answers() {
    let apache = WebServer::apache();
    for path in [
        "/RPC2",
        "/cgi-bin/wheel",
        "/app/wheel.cgi",
        "/cgi-bin/wheel/more/path?a=b",
        "/fcgid/wheel",
        "/fcgid/wheel/more/path?a=b",
        "/one",
        "/many",
    ] {
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
    let apache = WebServer::apache();
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
    let apache = WebServer::apache();
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
    let apache = WebServer::apache();
    assert_bodies(&apache, "/RPC2");
    assert_refused_early(&apache, "/RPC2");
    // here the program refuses
    for path in ["/fcgid/interop", "/one", "/many"] {
        assert_bodies(&apache, path);
        let response = apache.post(path, "", &"x".repeat((16 << 20) + 1));
        assert!(response.starts_with("HTTP/1.1 413 "), "{path}: {response}{}", apache.log());
        assert!(response.contains("the body has more than 16777216 octets\n"), "{path}: {response}");
    }
}

/// A body over the limit is refused by its declared length, before it comes.
#[track_caller]
pub fn assert_refused_early(server: &WebServer, path: &str) {
    let head =
        format!("POST {path} HTTP/1.1\r\nContent-Type: text/xml\r\nContent-Length: 16777217\r\nExpect: 100-continue");
    let response = server.send(&head, "");
    assert!(response.starts_with("HTTP/1.1 413 "), "{path}: {response}");
}

/// Bodies in chunks, and large ones.
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

#[test]
fn the_request_as_methods_see_it() {
    let apache = WebServer::apache();
    assert_context(&apache, "/cgi-bin/context", "a=1, b=2");
    assert_context(&apache, "/fcgid/context", "a=1, b=2");
}

/// What `examples/context.rs` sees at a path, whatever is between. Of two headers with cookies, which no browser sends,
/// web servers make different things.
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

#[test]
fn the_log_is_apaches() {
    let apache = WebServer::apache();
    for path in ["/cgi-bin/noisy", "/fcgid/noisy"] {
        let text = format!("by way of {path}");
        let response = apache.post(path, "", &document("echo", &[&text]));
        assert!(response.contains("internal error") && !response.contains(&text), "{response}");
        apache.expect_log(&format!("error: method \"echo\": panicked: {text}"));
    }
}
