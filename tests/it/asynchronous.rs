//! `async` methods, in every gateway.

use crate::fastcgi::Responder;
use crate::harness::{Cgi, Served};

fn call(method: &str, params: &[i32]) -> String {
    String::from_utf8(rpcgi::xmlrpc::call_to_vec(method, params).unwrap()).unwrap()
}

/// Returns calls, each with a part of its answer.
fn calls() -> Vec<(String, &'static str)> {
    let push = "<methodCall><methodName>queue.push</methodName><params><param><value>text</value></param></params></methodCall>";
    vec![
        (call("later", &[20]), "<int>20</int>"),
        (call("both", &[20, 30]), "<int>30</int>"),
        (call("double", &[21]), "<int>42</int>"),
        (call("queue.pop", &[]), "nothing waits"),
        (push.into(), "<string>192.0.2.7</string>"),
        (call("fail", &[]), "internal error"),
        (call("later", &[]), "method \"later\" takes 1 param (milliseconds), found 0"),
    ]
}

#[test]
fn by_cgi() {
    for (body, expected) in calls() {
        let answer = Cgi::post("deferred", &body).env("REMOTE_ADDR", "192.0.2.7").answer();
        assert!(answer.body.contains(expected), "{expected} is not in {}", answer.body);
    }
}

#[test]
fn by_fastcgi() {
    let responder = Responder::start("deferred");
    for (body, expected) in calls() {
        let answer = responder.call(&body, &[("REMOTE_ADDR", "192.0.2.7")]);
        assert!(answer.contains(expected), "{expected} is not in {answer}");
    }
    responder.expect_log("error: method \"fail\": panicked: a secret");
}

#[test]
fn by_the_development_server() {
    let served = Served::start("deferred", &["serve", "--listen", "127.0.0.1:0"]);
    for (body, expected) in calls() {
        let head = format!("POST / HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\nContent-Length: {}", body.len());
        let answer = served.send(&format!("{head}\r\n\r\n{body}"));
        let expected = expected.replace("192.0.2.7", "127.0.0.1");
        assert!(answer.contains(&expected), "{expected} is not in {answer}");
    }
}
