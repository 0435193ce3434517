//! A real Apache with `apache-example.conf` as it stands, and what only a real web server shows.

use crate::harness::document;
use crate::web_servers::{WebServer, assert_bodies, assert_context, assert_refused_early, assert_serves};

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
        assert_serves(&apache, path);
    }
    assert!(apache.send("GET /app/static.txt HTTP/1.1", "").ends_with("a file\n"));
    assert!(apache.send("GET /RPC2/x HTTP/1.1", "").starts_with("HTTP/1.1 404 "));
}

#[test]
fn hostile_queries_change_nothing() {
    let apache = WebServer::apache();
    let long = "a".repeat(4000);
    let plain = |path: &str| {
        // not in chunks
        let page = apache.send(&format!("GET {path} HTTP/1.0"), "");
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
fn head_has_no_body() {
    let apache = WebServer::apache();
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

#[test]
fn the_request_as_methods_see_it() {
    let apache = WebServer::apache();
    assert_context(&apache, "/cgi-bin/context", "a=1, b=2");
    assert_context(&apache, "/fcgid/context", "a=1, b=2");
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
