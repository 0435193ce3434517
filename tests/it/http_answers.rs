//! The answer to each kind of HTTP request.

use std::io::{Read, Write};

use flate2::Compression;
use flate2::read::{GzDecoder, ZlibDecoder};
use flate2::write::{GzEncoder, ZlibEncoder};
use rpcgi::xmlrpc::{self, Value};
use rpcgi::{Endpoint, Fault, Limits, Response, Server, Service};

fn server() -> Server {
    Server::new("Test").method("echo", |value: Value| value).method("long", || "x".repeat(5000))
}

fn endpoint() -> Endpoint {
    server().build().unwrap()
}

fn echo_call() -> Vec<u8> {
    xmlrpc::call_to_vec("echo", &("hello",)).unwrap()
}

/// Sends a request with these headers.
fn send(endpoint: &Endpoint, method: &str, path: &str, headers: &[(&str, &str)], body: Vec<u8>) -> Response {
    let mut request = http::Request::builder().method(method).uri(path);
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    endpoint.handle(&request.body(body).unwrap().into())
}

fn post(headers: &[(&str, &str)], body: Vec<u8>) -> Response {
    send(&endpoint(), "POST", "/", headers, body)
}

#[track_caller]
fn header<'a>(response: &'a Response, name: &str) -> Option<&'a str> {
    response.header(&name.parse().unwrap()).map(|value| value.to_str().unwrap())
}

#[track_caller]
fn assert_text(response: &Response, status: u16, text: &str) {
    assert_eq!((response.status.as_u16(), &*String::from_utf8_lossy(&response.body)), (status, &*format!("{text}\n")));
    assert_eq!(header(response, "content-type"), Some("text/plain; charset=utf-8"));
}

#[track_caller]
fn assert_echoed(response: &Response) {
    assert_eq!(response.status, 200);
    assert_eq!(xmlrpc::response_from_slice::<String>(&response.body).unwrap(), Ok("hello".into()));
}

#[test]
fn post_is_a_call() {
    let response = post(&[("content-type", "text/xml")], echo_call());
    assert_echoed(&response);
    assert_eq!(header(&response, "content-type"), Some("text/xml; charset=utf-8"));
    assert_eq!(header(&response, "x-content-type-options"), Some("nosniff"));
    let response = post(&[], b"nonsense".to_vec());
    assert_eq!(response.status, 200);
    assert_eq!(xmlrpc::response_from_slice::<String>(&response.body).unwrap().unwrap_err().code, -32600);
}

#[test]
fn content_types() {
    for content_type in [
        "text/xml",
        "TEXT/XML; charset=x",
        "application/xml",
        "application/soap+xml",
        "application/json",
        "application/octet-stream",
        "",
    ] {
        assert_echoed(&post(&[("content-type", content_type)], echo_call()));
    }
    for (content_type, shown) in [
        ("application/x-www-form-urlencoded", "application/x-www-form-urlencoded"),
        ("Multipart/Form-Data; boundary=x", "multipart/form-data"),
        ("text/plain;charset=utf-8", "text/plain"),
    ] {
        let response = post(&[("content-type", content_type)], echo_call());
        assert_text(&response, 415, &format!("expected Content-Type text/xml or application/json, found \"{shown}\""));
    }
}

#[test]
fn other_methods() {
    for method in ["PUT", "DELETE", "PATCH", "PROPFIND", "get"] {
        let response = send(&endpoint(), method, "/", &[], Vec::new());
        assert_text(&response, 405, &format!("expected one of GET, HEAD, OPTIONS, POST, found \"{method}\""));
        assert_eq!(header(&response, "allow"), Some("GET, HEAD, OPTIONS, POST"));
    }
}

#[test]
fn paths() {
    let endpoint = server().paths(["/", "/RPC2"]).build().unwrap();
    for path in ["/", "/RPC2", "/RPC2?a=b", "http://host/RPC2"] {
        assert_echoed(&send(&endpoint, "POST", path, &[], echo_call()));
        assert_eq!(send(&endpoint, "GET", path, &[], Vec::new()).status, 200);
    }
    for (path, shown) in [("/rpc2", "/rpc2"), ("/RPC2/", "/RPC2/"), ("/RPC2/x?y=/RPC2", "/RPC2/x"), ("/x", "/x")] {
        for method in ["GET", "POST", "OPTIONS", "PUT"] {
            assert_text(&send(&endpoint, method, path, &[], echo_call()), 404, &format!("there is nothing at {shown}"));
        }
    }
}

/// Servers at paths of their own: by the whole path, or by what follows the program's name.
#[test]
fn servers_at_paths() {
    let named = |name: &'static str| Server::new(name).method("name", move || name);
    let root = || named("root").at("/a", named("a").at("/a/b", named("b"))).at("/c", named("c").cors(["*"]));
    let call = || xmlrpc::call_to_vec("name", &()).unwrap();
    let ask = |endpoint: &Endpoint, variables: &[(&str, &str)]| {
        let variables: Vec<(String, String)> =
            variables.iter().map(|(name, value)| (name.to_string(), value.to_string())).collect();
        let get = move |name: &str| {
            let found = variables.iter().find(|(known, _)| known == name)?;
            Some(std::borrow::Cow::Owned(found.1.clone().into_bytes()))
        };
        endpoint.handle(&rpcgi::Request::new(get, call()))
    };
    let answered = |response: &Response| match response.status.as_u16() {
        200 => xmlrpc::response_from_slice::<String>(&response.body).unwrap().unwrap(),
        status => status.to_string(),
    };
    let endpoint = root().build().unwrap();
    for (script_name, path_info, name) in [
        ("", "/", "root"),
        ("", "/a", "a"),
        ("", "/a/b", "b"),
        ("", "/c", "c"),
        ("", "/a/", "404"),
        ("", "/b", "404"),
        ("", "/x/a", "404"),
        ("/cgi-bin/x.cgi", "", "root"),
        ("/cgi-bin/x.cgi", "/", "root"),
        ("/cgi-bin/x.cgi", "/a", "a"),
        ("/cgi-bin/x.cgi", "/a/b", "b"),
        ("/cgi-bin/x.cgi", "/a/c", "404"),
        ("/a", "", "a"),
        ("/a/b", "", "b"),
    ] {
        let variables = [("REQUEST_METHOD", "POST"), ("SCRIPT_NAME", script_name), ("PATH_INFO", path_info)];
        assert_eq!(answered(&ask(&endpoint, &variables)), name, "{script_name} {path_info}");
        let uri = format!("{script_name}{path_info}?x=/a");
        let variables = [&variables[..], &[("REQUEST_URI", &uri)]].concat();
        assert_eq!(answered(&ask(&endpoint, &variables)), name, "{uri}");
    }
    // the settings are those of the server at the path
    let foreign = [("origin", "https://app.example")];
    assert_eq!(answered(&send(&endpoint, "POST", "/c", &foreign, call())), "c");
    assert_eq!(send(&endpoint, "POST", "/a", &foreign, call()).status, 403);
    let page = String::from_utf8(send(&endpoint, "GET", "/", &[("host", "h")], Vec::new()).body.into()).unwrap();
    assert!(page.contains("<a href=\"http://h/a/b\">b</a>"), "{page}");
    // its own paths are as they are set
    let endpoint = root().paths(["/r"]).build().unwrap();
    for (path, name) in [("/r", "root"), ("/a", "a"), ("/", "404"), ("/x", "404")] {
        assert_eq!(answered(&send(&endpoint, "POST", path, &[], call())), name, "{path}");
    }
    let error = root().at("/c", named("d")).at("/a/b", named("e").without("system.x")).build().unwrap_err();
    assert_eq!(
        error.to_string(),
        "there is no method \"system.x\" to switch off; there are two servers at /c; there are two servers at /a/b"
    );
}

#[test]
fn bodies_over_the_limit() {
    let mut limits = Limits::default();
    limits.body = 1000;
    let endpoint = server().limits(limits).build().unwrap();
    let call = |len: usize| xmlrpc::call_to_vec("echo", &("x".repeat(len),)).unwrap();
    let overhead = call(0).len();
    assert_eq!(send(&endpoint, "POST", "/", &[], call(1000 - overhead)).status, 200);
    let response = send(&endpoint, "POST", "/", &[], call(1001 - overhead));
    assert_text(&response, 413, "the body has more than 1000 octets");
    for (coding, body) in [("gzip", gzip(&call(1001 - overhead))), ("deflate", deflate(&call(100_000)))] {
        let response = send(&endpoint, "POST", "/", &[("content-encoding", coding)], body);
        assert_text(&response, 413, "the body has more than 1000 octets once decompressed");
    }
}

fn gzip(body: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::best());
    encoder.write_all(body).unwrap();
    encoder.finish().unwrap()
}

fn deflate(body: &[u8]) -> Vec<u8> {
    let mut encoder = ZlibEncoder::new(Vec::new(), Compression::best());
    encoder.write_all(body).unwrap();
    encoder.finish().unwrap()
}

/// 64 MiB in 300 KiB; what is decoded stays within the limit.
#[test]
fn gzip_bomb() {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
    let zeros = vec![b' '; 1 << 20];
    for _ in 0..64 {
        encoder.write_all(&zeros).unwrap();
    }
    let bomb = encoder.finish().unwrap();
    assert!(bomb.len() < 1 << 20);
    let response = post(&[("content-encoding", "gzip")], bomb);
    assert_text(&response, 413, "the body has more than 16777216 octets once decompressed");
}

#[test]
fn content_encodings() {
    let call = echo_call();
    for (coding, body) in [
        ("gzip", gzip(&call)),
        ("x-gzip", gzip(&call)),
        ("GZip", gzip(&call)),
        ("deflate", deflate(&call)),
        ("identity", call.clone()),
    ] {
        assert_echoed(&post(&[("content-encoding", coding)], body));
    }
    for (coding, body) in
        [("gzip", call.clone()), ("gzip", gzip(&call)[..40].to_vec()), ("deflate", call.clone()), ("gzip", Vec::new())]
    {
        let response = post(&[("content-encoding", coding)], body);
        assert_text(&response, 400, &format!("the body is not {coding} data"));
    }
    for coding in ["br", "compress", "gzip, gzip"] {
        let response = post(&[("content-encoding", coding)], gzip(&call));
        assert_text(
            &response,
            415,
            &format!("unsupported Content-Encoding \"{coding}\", expected gzip, deflate or none"),
        );
    }
}

#[test]
fn accept_encodings() {
    let call = xmlrpc::call_to_vec("long", &()).unwrap();
    let unpacked = |response: &Response, coding: &str| {
        let mut body = Vec::new();
        match coding {
            "gzip" => GzDecoder::new(&response.body[..]).read_to_end(&mut body).unwrap(),
            _ => ZlibDecoder::new(&response.body[..]).read_to_end(&mut body).unwrap(),
        };
        body
    };
    for coding in ["gzip", "deflate"] {
        let response = post(&[("accept-encoding", coding)], call.clone());
        assert_eq!(
            (header(&response, "content-encoding"), header(&response, "vary")),
            (Some(coding), Some("Accept-Encoding"))
        );
        let result = xmlrpc::response_from_slice::<String>(&unpacked(&response, coding)).unwrap();
        assert_eq!(result, Ok("x".repeat(5000)));
    }
    for (accepted, body) in [("gzip;q=0", call.clone()), ("br", call), ("gzip", echo_call())] {
        let response = post(&[("accept-encoding", accepted)], body);
        assert_eq!(header(&response, "content-encoding"), None, "{accepted}");
        assert!(xmlrpc::response_from_slice::<String>(&response.body).unwrap().is_ok());
    }
}

#[test]
fn calls_from_pages_of_other_sites() {
    let host = ("host", "api.example");
    for headers in [
        &[host, ("origin", "http://api.example")][..],
        &[host, ("origin", "https://API.example")],
        &[("host", "api.example:8080"), ("origin", "http://api.example:8080")],
        &[("host", "api.example:443"), ("origin", "https://api.example")],
        &[host, ("sec-fetch-site", "same-origin")],
        &[host, ("sec-fetch-site", "none")],
        &[("host", "[::1]:80"), ("origin", "http://[::1]")],
    ] {
        assert_echoed(&post(headers, echo_call()));
    }
    for (headers, shown) in [
        (&[host, ("origin", "http://evil.example")][..], " \"http://evil.example\""),
        (&[host, ("origin", "null")], " \"null\""),
        (&[host, ("origin", "http://api.example:8080")], " \"http://api.example:8080\""),
        (&[host, ("origin", "http://api.example.evil.example")], " \"http://api.example.evil.example\""),
        (&[("host", "api.example:80"), ("origin", "http://api.example:8080")], " \"http://api.example:8080\""),
        (&[host, ("sec-fetch-site", "cross-site")], ""),
        (&[host, ("sec-fetch-site", "cross-site"), ("origin", "http://api.example")], " \"http://api.example\""),
    ] {
        let maybe = "; if it is the service's own, a proxy has sent another Host than the browser: set `url`, or \
            `trusted_proxies`, to say what it is";
        let is_sure =
            shown.is_empty() || shown.contains("null") || headers.iter().any(|(name, _)| name.starts_with("sec"));
        let more = if is_sure { "" } else { maybe };
        let message = format!("pages of the origin{shown} may not make calls here{more}");
        assert_text(&post(headers, echo_call()), 403, &message);
    }
}

#[test]
fn cors_is_off_unless_set() {
    let preflight =
        [("origin", "https://app.example"), ("access-control-request-method", "POST"), ("host", "api.example")];
    let response = send(&endpoint(), "OPTIONS", "/", &preflight, Vec::new());
    assert_eq!((response.status.as_u16(), header(&response, "allow")), (204, Some("GET, HEAD, OPTIONS, POST")));
    assert_eq!(header(&response, "access-control-allow-origin"), None);
    let endpoint = server().cors(["https://app.example"]).build().unwrap();
    let response = send(&endpoint, "OPTIONS", "/", &preflight, Vec::new());
    assert_eq!(header(&response, "access-control-allow-origin"), Some("https://app.example"));
    assert_eq!(header(&response, "access-control-allow-methods"), Some("POST"));
    assert_eq!(
        header(&response, "access-control-allow-headers"),
        Some("Authorization, Content-Encoding, Content-Type")
    );
    assert_eq!(header(&response, "vary"), Some("Origin"));
    let headers = [("origin", "https://app.example"), ("host", "api.example"), ("sec-fetch-site", "cross-site")];
    let response = send(&endpoint, "POST", "/", &headers, echo_call());
    assert_echoed(&response);
    assert_eq!(header(&response, "access-control-allow-origin"), Some("https://app.example"));
    let headers = [("origin", "https://evil.example"), ("host", "api.example")];
    assert_eq!(send(&endpoint, "POST", "/", &headers, echo_call()).status, 403);
    let response = send(&endpoint, "OPTIONS", "/", &headers, Vec::new());
    assert_eq!(header(&response, "access-control-allow-origin"), None);
    let endpoint = server().cors(["*"]).build().unwrap();
    assert_echoed(&send(&endpoint, "POST", "/", &headers, echo_call()));
}

#[test]
fn documents_without_http() {
    let response = endpoint().handle_document(&echo_call());
    assert_eq!(xmlrpc::response_from_slice::<String>(&response).unwrap(), Ok("hello".into()));
    let fault = xmlrpc::response_from_slice::<String>(&endpoint().handle_document(b"")).unwrap();
    let message = "expected <methodCall>, found the end of the document at line 1 column 1";
    assert_eq!(fault, Err(Fault::new(-32700, message)));
}

#[test]
fn responses_of_the_http_crate() {
    let call = http::Request::post("/").body(echo_call()).unwrap();
    let response: http::Response<Vec<u8>> = endpoint().handle(&call.into()).into();
    assert_eq!(response.headers()["content-length"], response.body().len().to_string());
    let head = http::Request::head("/").body(Vec::new()).unwrap();
    let response: http::Response<Vec<u8>> = endpoint().handle(&head.into()).into();
    assert!(response.body().is_empty());
    assert_ne!(response.headers()["content-length"], "0");
    let options = http::Request::options("/").body(Vec::new()).unwrap();
    let response: http::Response<Vec<u8>> = endpoint().handle(&options.into()).into();
    assert!(!response.headers().contains_key("content-length"));
}

/// Two paths that mean the same are the same, however they arrive (RFC 3986 §6.2.2).
#[test]
fn paths_that_mean_the_same() {
    let endpoint = server().paths(["/~ann/RPC2", "/\u{FC}", "/a b"]).build().unwrap();
    let by_cgi = |variables: &'static [(&str, &str)]| {
        let get = move |name: &str| {
            let known = [("REQUEST_METHOD", "POST")];
            let mut all = known.iter().chain(variables);
            all.find(|(known, _)| *known == name).map(|(_, value)| value.as_bytes().into())
        };
        endpoint.handle(&rpcgi::Request::new(get, echo_call())).status.as_u16()
    };
    for (path, status) in [
        ("/~ann/RPC2", 200),
        ("/%7Eann/%52PC2", 200),
        ("/%7eann/./RPC2", 200),
        ("/x/../~ann/RPC2", 200),
        ("/%c3%bc", 200),
        ("/a%20b", 200),
        ("/~ann/RPC2/", 404),
        ("/~ann%2FRPC2", 404),
        ("/x//../~ann/RPC2", 404),
    ] {
        assert_eq!(send(&endpoint, "POST", path, &[], echo_call()).status.as_u16(), status, "{path}");
    }
    assert_eq!(by_cgi(&[("SCRIPT_NAME", "/~ann"), ("PATH_INFO", "/RPC2")]), 200);
    assert_eq!(by_cgi(&[("SCRIPT_NAME", ""), ("PATH_INFO", "/\u{FC}")]), 200);
    assert_eq!(by_cgi(&[("SCRIPT_NAME", "/a b")]), 200);
    assert_eq!(by_cgi(&[("SCRIPT_NAME", "/a%20b")]), 404);
    assert_eq!(by_cgi(&[("REQUEST_URI", "/a%20b?x"), ("SCRIPT_NAME", "/a b")]), 200);
}

/// The page repeats a request's own URL, so that is bounded.
#[test]
fn targets_that_cannot_be_meant() {
    let get = |host: &str, path: &str| send(&endpoint(), "GET", path, &[("host", host)], Vec::new());
    let long = "a".repeat(254);
    for host in [&long[..], "a b", "h/x", "ann@h", "h:123456", "h:8a", "[::1", "[x]", "::1", "h\"x"] {
        let cut = if host == long { &host[..100] } else { host };
        let message = format!("expected the name of a host and a port, found \"{}\"", cut.escape_debug());
        assert_text(&get(host, "/"), 400, &message);
    }
    for host in ["h", "h:80", "h.example:", "[::1]:8000", "[::1]", "127.0.0.1:1", "_", &long[1..]] {
        assert_eq!(get(host, "/").status, 200, "{host}");
    }
    assert_eq!(get("h", &format!("/{}", "x".repeat(2047))).status, 200);
    assert_text(&get("h", &format!("/{}", "x".repeat(2048))), 414, "the path has more than 2048 octets");
}
