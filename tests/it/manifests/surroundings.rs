//! The URL of a service as its clients see it: `url`, and trusted proxies.

use std::process::Command;

use serde_json::{Value as Json, json};

use super::{Folder, request, rpcgi};
use crate::harness::{Cgi, Served};

const WHO: &str = "[method.who]\nreturns = \"string\"\nrun = [\"sh\", \"-c\", 'echo \"$RPCGI_REMOTE_ADDR\"']\n";

/// Returns the status of a GET by CGI, and the URL that it tells.
fn told(folder: &Folder, path: &str, variables: &[(&str, &str)]) -> (u16, String) {
    let manifest = folder.manifest();
    let mut cgi = Cgi::of(Command::new(rpcgi()), "GET").argument(manifest.to_str().unwrap());
    cgi =
        cgi.env("SCRIPT_FILENAME", manifest.to_str().unwrap()).env("REQUEST_URI", path).env("HTTP_HOST", "inner:8000");
    cgi = cgi.env("QUERY_STRING", "format=json").env("REMOTE_ADDR", "127.0.0.1");
    for (name, value) in variables {
        cgi = cgi.env(name, value);
    }
    let answer = cgi.answer();
    let status = answer.head.split(' ').nth(1).unwrap().parse().unwrap();
    let document = serde_json::from_str::<Json>(&answer.body).ok();
    (status, document.map_or(answer.body, |document| document["url"].as_str().unwrap_or_default().to_owned()))
}

#[test]
fn urls() {
    for (manifest, path, variables, expected) in [
        ("", "/RPC2", &[][..], "http://inner:8000/RPC2"),
        ("url = \"https://api.example\"\n", "/RPC2", &[], "https://api.example/RPC2"),
        ("url = \"https://api.example/\"\n", "/", &[], "https://api.example/"),
        ("url = \"https://api.example/app/\"\n", "/RPC2", &[], "https://api.example/app/RPC2"),
        ("url = \"https://api.example/app\"\n", "/app/RPC2", &[], "https://api.example/app/RPC2"),
        ("url = \"https://api.example/app\"\n", "/", &[], "https://api.example/app"),
        ("url = \"https://api.example/app/\"\n", "/", &[], "https://api.example/app/"),
        ("trusted_proxies = [\"127.0.0.1\"]\n", "/", &[("HTTP_X_FORWARDED_PREFIX", "/app")], "http://inner:8000/app/"),
        // any client can send a header
        ("", "/RPC2", &[("HTTP_X_FORWARDED_HOST", "evil.example")], "http://inner:8000/RPC2"),
        ("trusted_proxies = [\"10.0.0.0/8\"]\n", "/a", &[("HTTP_X_FORWARDED_PROTO", "https")], "http://inner:8000/a"),
        ("trusted_proxies = [\"127.0.0.1\"]\n", "/a", &[("HTTP_X_FORWARDED_PROTO", "https")], "https://inner:8000/a"),
        (
            "trusted_proxies = [\"127.0.0.1\"]\n",
            "/RPC2",
            &[
                ("HTTP_X_FORWARDED_PROTO", "http, https"),
                ("HTTP_X_FORWARDED_HOST", "evil.example, api.example"),
                ("HTTP_X_FORWARDED_PREFIX", "/app/"),
                ("SERVER_PORT", "8000"),
            ],
            "https://api.example/app/RPC2",
        ),
        (
            "trusted_proxies = [\"127.0.0.1\"]\nforwarded = \"rfc7239\"\n",
            "/RPC2",
            &[
                ("HTTP_FORWARDED", "host=evil.example, for=192.0.2.7;proto=https;host=\"api.example:8443\""),
                ("HTTP_X_FORWARDED_HOST", "evil.example"),
            ],
            "https://api.example:8443/RPC2",
        ),
        (
            "trusted_proxies = [\"127.0.0.1\"]\nurl = \"https://api.example\"\n",
            "/RPC2",
            &[("HTTP_X_FORWARDED_HOST", "other.example")],
            "https://api.example/RPC2",
        ),
    ] {
        let folder = Folder::new(&format!("{manifest}{WHO}"));
        assert_eq!(told(&folder, path, variables), (200, expected.into()), "{manifest} {path}");
    }
}

#[test]
fn what_no_proxy_can_mean() {
    let folder = Folder::new(&format!("trusted_proxies = [\"127.0.0.1\"]\n{WHO}"));
    for (name, value) in [
        ("HTTP_X_FORWARDED_PROTO", "gopher"),
        ("HTTP_X_FORWARDED_HOST", "a<b"),
        ("HTTP_X_FORWARDED_PREFIX", "https://evil.example"),
    ] {
        let (status, message) = told(&folder, "/", &[(name, value)]);
        assert!(status == 400 && message.contains("found"), "{status} {message}");
    }
}

/// The address that a program is told, at `serve`, where the peer is this machine.
#[test]
fn addresses() {
    let who = |manifest: &str, headers: &str| {
        let service = Folder::new(&format!("{manifest}{WHO}")).serve();
        let answer = call(&service.served, "localhost", headers);
        let body = answer.split_once("\r\n\r\n").unwrap().1;
        serde_json::from_str::<Json>(body).unwrap()["result"].as_str().unwrap().to_owned()
    };
    let forwarded = "X-Forwarded-For: 6.6.6.6\r\nX-Forwarded-For: 192.0.2.7, 10.1.2.3\r\n";
    assert_eq!(who("", forwarded), "127.0.0.1");
    let trusting = "trusted_proxies = [\"127.0.0.1\", \"10.0.0.0/8\"]\n";
    assert_eq!(who(trusting, forwarded), "192.0.2.7");
    assert_eq!(who(trusting, "Forwarded: for=192.0.2.7\r\n"), "127.0.0.1");
    assert_eq!(
        who(&format!("{trusting}forwarded = \"rfc7239\"\n"), "Forwarded: for=\"[2001:db8::7]:1\"\r\n"),
        "2001:db8::7"
    );
}

fn call(served: &Served, host: &str, headers: &str) -> String {
    let body = request("who", json!([]));
    served.send(&format!(
        "POST / HTTP/1.1\r\nHost: {host}\r\n{headers}Connection: close\r\nContent-Type: application/json\r\n\
         Content-Length: {}\r\n\r\n{body}",
        body.len()
    ))
}

/// Hosts that are answered at a loopback address, and origins that are its own.
#[test]
fn own_hosts_and_origins() {
    let status = |answer: &str| answer.split(' ').nth(1).unwrap().to_owned();
    let plain = Folder::new(WHO).serve();
    let refused = call(&plain.served, "api.example", "");
    assert!(status(&refused) == "403" && refused.contains("`url` or `trusted_proxies`"), "{refused}");
    assert_eq!(status(&call(&plain.served, "api.example", "X-Forwarded-For: 192.0.2.7\r\n")), "403");
    let rewritten = call(&plain.served, "localhost", "Origin: https://api.example\r\n");
    assert!(status(&rewritten) == "403" && rewritten.contains("`url`, or `trusted_proxies`"), "{rewritten}");
    let elsewhere = call(&plain.served, "localhost", "Origin: https://a.example\r\nSec-Fetch-Site: cross-site\r\n");
    assert!(status(&elsewhere) == "403" && !elsewhere.contains("`url`"), "{elsewhere}");

    let known = Folder::new(&format!("url = \"https://api.example\"\n{WHO}")).serve();
    assert_eq!(status(&call(&known.served, "api.example", "")), "200");
    assert_eq!(status(&call(&known.served, "other.example", "")), "403");
    assert_eq!(status(&call(&known.served, "localhost", "Origin: https://api.example\r\n")), "200");
    assert_eq!(status(&call(&known.served, "localhost", "Origin: http://api.example\r\n")), "403");

    let trusting = Folder::new(&format!("trusted_proxies = [\"127.0.0.1\"]\n{WHO}")).serve();
    assert_eq!(status(&call(&trusting.served, "api.example", "X-Forwarded-For: 192.0.2.7\r\n")), "200");
    // a page that was led here says nothing of a proxy
    assert_eq!(status(&call(&trusting.served, "api.example", "")), "403");
    let forwarded = "X-Forwarded-Host: api.example\r\nX-Forwarded-Proto: https\r\nOrigin: https://api.example\r\n";
    assert_eq!(status(&call(&trusting.served, "localhost", forwarded)), "200");
}

#[test]
fn what_is_wrong_with_them_is_told() {
    for (manifest, expected) in [
        ("url = \"api.example\"\n", "expected a URL as \"https://api.example/path\", found \"api.example\""),
        ("trusted_proxies = [\"10.0.0.0/99\"]\n", "found \"10.0.0.0/99\""),
        ("trusted_proxies = [\"localhost\"]\n", "expected an address as \"127.0.0.1\""),
        ("forwarded = \"rfc7239\"\n", "has no effect without `trusted_proxies`"),
    ] {
        let folder = Folder::new(&format!("{manifest}{WHO}"));
        let output = Command::new(rpcgi()).args(["check", "--strict"]).arg(folder.manifest()).output().unwrap();
        let told = String::from_utf8(output.stdout).unwrap();
        assert!(output.status.code() == Some(1) && told.contains(expected), "{told}");
    }
}
