//! The CGI gateway, through real programs.

use std::process::Command;

use crate::harness::{Answer, Cgi, document, example};

const ADD: &str = "<methodCall><methodName>add</methodName><params><param><value><int>2</int></value></param><param><value><int>3</int></value></param></params></methodCall>";

#[track_caller]
fn assert_five(answer: &Answer) {
    assert!(answer.body.contains("<value><int>5</int></value>"), "{}\n{}", answer.head, answer.body);
    assert_eq!(answer.status, Some(0));
}

#[test]
fn answers_a_call() {
    let answer = Cgi::post("interop", ADD).answer();
    assert_five(&answer);
    let expected = format!(
        "Status: 200 OK\r\ncontent-type: text/xml; charset=utf-8\r\nx-content-type-options: nosniff\r\nvary: Accept-Encoding\r\ncontent-length: {}",
        answer.body.len()
    );
    assert_eq!((answer.head, answer.log), (expected, String::new()));
}

#[test]
fn exit_status_is_zero_whenever_there_is_an_answer() {
    for (cgi, status) in [
        (Cgi::post("interop", "nonsense"), "200 OK"),
        (Cgi::new("interop", "PUT"), "405 Method Not Allowed"),
        (Cgi::new("interop", "OPTIONS"), "204 No Content"),
        (Cgi::new("interop", "OPTIONS").env("REQUEST_URI", "*"), "204 No Content"),
        (Cgi::post("interop", ADD).env("REQUEST_URI", "/nothing"), "404 Not Found"),
        (Cgi::post("interop", ADD).env("CONTENT_TYPE", "text/plain"), "415 Unsupported Media Type"),
        (Cgi::post("interop", ADD).env("CONTENT_LENGTH", "99999999999999999999"), "413 Payload Too Large"),
        (Cgi::post("interop", ADD).env("CONTENT_LENGTH", "x"), "400 Bad Request"),
        (Cgi::post("interop", ADD).env("CONTENT_LENGTH", "1000"), "400 Bad Request"),
        (Cgi::post("interop", ADD).env("HTTP_ORIGIN", "http://evil.example").env("HTTP_HOST", "x"), "403 Forbidden"),
    ] {
        let answer = cgi.answer();
        assert_eq!((answer.head.lines().next(), answer.status), (Some(&*format!("Status: {status}")), Some(0)));
    }
}

#[test]
fn content_length() {
    assert_five(&Cgi::post("interop", ADD).without("CONTENT_LENGTH").answer());
    for absent in ["", "-1"] {
        assert_five(&Cgi::post("interop", ADD).env("CONTENT_LENGTH", absent).answer());
    }
    assert_five(&Cgi::post("interop", ADD).more_input("<rest>").answer());
    let answer = Cgi::post("interop", ADD).env("CONTENT_LENGTH", "1000").answer();
    assert_eq!(answer.body, format!("expected a body of 1000 octets, found {}\n", ADD.len()));
}

/// Apache appends the words of a query without `=` to the command line.
#[test]
fn the_command_line_is_not_looked_at() {
    for words in [
        &["serve", "--listen", "127.0.0.1:1"][..],
        &["doc"],
        &["--help"],
        &["--version"],
        &["-h", "%2D", "\u{AD}", "--\u{AD}"],
        &["-c", "/etc/passwd"],
        &["%00", "..%2f..%2fetc%2fpasswd"],
        &[&"a".repeat(100_000)],
    ] {
        let with = |cgi: Cgi| words.iter().fold(cgi, |cgi, word| cgi.argument(word));
        assert_five(&with(Cgi::post("interop", ADD)).answer());
        let answer = with(Cgi::new("interop", "GET").without("GATEWAY_INTERFACE")).answer();
        assert!(answer.head.contains("text/html") && answer.body.ends_with("</html>"), "{words:?}");
        let answer = with(Cgi::new("interop", "GET").without("REQUEST_METHOD")).answer();
        assert_eq!(answer.head.lines().next(), Some("Status: 500 Internal Server Error"), "{words:?}");
    }
}

#[test]
fn get_is_the_page() {
    let answer = Cgi::new("wheel", "GET").env("HTTP_HOST", "h.example").answer();
    assert!(answer.head.starts_with("Status: 200 OK\r\ncontent-type: text/html; charset=utf-8\r\n"), "{}", answer.head);
    assert!(answer.body.contains("<code>http://h.example/RPC2</code>") && answer.body.contains("wheel.spinList"));
    let etag = answer.head.split("etag: ").nth(1).unwrap().lines().next().unwrap().to_owned();
    let answer = Cgi::new("wheel", "GET").env("HTTP_HOST", "h.example").env("HTTP_IF_NONE_MATCH", &etag).answer();
    assert_eq!(
        (&answer.head[..], &answer.body[..]),
        (
            &*format!(
                "Status: 304 Not Modified\r\netag: {etag}\r\ncache-control: no-cache\r\nvary: Accept, Accept-Encoding"
            ),
            ""
        )
    );
    let answer = Cgi::new("interop", "HEAD").env("REQUEST_URI", "/nothing").answer();
    assert_eq!((answer.head.lines().next(), &answer.body[..]), (Some("Status: 404 Not Found"), ""));
    let answer = Cgi::new("wheel", "HEAD").env("HTTP_HOST", "h.example").answer();
    assert!(answer.head.contains(&etag) && answer.head.contains("content-length: ") && answer.body.is_empty());
}

#[test]
fn non_utf8_variables_are_no_reason_to_fail() {
    use std::ffi::OsStr;
    use std::os::unix::ffi::OsStrExt;

    let mut cgi = Cgi::post("interop", ADD);
    cgi.command.env("HTTP_X_NAME", OsStr::from_bytes(b"\xFF\xFE")).env("QUERY_STRING", OsStr::from_bytes(b"a=\xFF"));
    assert_five(&cgi.answer());
    let mut cgi = Cgi::post("interop", ADD);
    cgi.command.env("CONTENT_LENGTH", OsStr::from_bytes(b"\xFF"));
    assert_eq!(cgi.answer().body, "expected a number as Content-Length, found \"\\xff\"\n");
}

#[test]
fn the_log_is_standard_error() {
    let call = document("panic", &[]);
    let answer = Cgi::post("noisy", &call).answer();
    assert!(answer.body.contains("<int>-32603</int>") && answer.body.contains("internal error"), "{}", answer.body);
    assert!(!answer.body.contains("secret"));
    assert!(answer.log.contains("error: method \"panic\": panicked: a secret of 42 (request "), "{}", answer.log);
    assert_eq!(answer.status, Some(0));
    let answer = Cgi::post("noisy", &document("echo", &["a\nerror: forged\u{9b}"])).answer();
    assert!(answer.log.contains("panicked: a\\nerror: forged\\u{9b} (request "), "{}", answer.log);
    let call = document("internal", &[]);
    let answer = Cgi::post("noisy", &call).env("REMOTE_ADDR", "192.0.2.9").answer();
    assert!(answer.log.contains("error: method \"internal\": outer: inner (request "), "{}", answer.log);
    assert!(answer.log.contains("info: call \"internal\" from 192.0.2.9: fault -32603 in "), "{}", answer.log);
}

#[test]
fn a_service_that_cannot_be_built_is_out_of_order() {
    let answer = Cgi::post("noisy", ADD).env("DUPLICATE", "1").answer();
    assert_eq!(answer.head.lines().next(), Some("Status: 500 Internal Server Error"));
    assert_eq!(answer.body, "this service is out of order\n");
    assert!(answer.log.starts_with("error: method \"panic\" is registered twice: the one at "), "{}", answer.log);
    assert_eq!(answer.status, Some(0));
}

/// A stack too small for the depth a document may have: the call is answered on another.
#[test]
fn a_small_stack() {
    let nested = |depth: usize| {
        let (open, close) = ("<value><array><data>".repeat(depth), "</data></array></value>".repeat(depth));
        let params = format!("<param>{open}<value><int>1</int></value>{close}</param>");
        format!("<methodCall><methodName>interopEchoTests.echoValue</methodName><params>{params}</params></methodCall>")
    };
    for kilobytes in [64, 96, 128, 8192] {
        for (depth, expected) in
            [(1, "<int>1</int>"), (60, "<int>1</int>"), (64, "<int>1</int>"), (65, "-32600"), (500, "-32600")]
        {
            let mut command = Command::new("sh");
            command.args(["-c", &format!("ulimit -s {kilobytes}; exec \"$0\"")]).arg(example("interop"));
            let answer = Cgi::post_to(command, &nested(depth)).answer();
            assert_eq!(answer.status, Some(0), "{kilobytes} {depth}: {}", answer.log);
            assert!(answer.body.contains(expected), "{kilobytes} {depth}: {}", answer.body);
        }
    }
}

/// Half-made files of a process that was killed are removed.
#[test]
fn half_made_databases_are_removed() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("openacademy.sqlite");
    let mut gone = Command::new("true").spawn().unwrap();
    let id = gone.id();
    gone.wait().unwrap();
    let beside = |name: String| folder.path().join(name);
    let left = [format!("openacademy.sqlite.{id}.ThreadId(1)"), format!("openacademy.sqlite.{id}.ThreadId(2)-journal")];
    let others = [
        format!("openacademy.sqlite.{}.ThreadId(1)", std::process::id()),
        "openacademy.sqlite.old".to_owned(),
        format!("other.sqlite.{id}.ThreadId(1)"),
    ];
    left.iter().chain(&others).for_each(|name| std::fs::write(beside(name.clone()), "half").unwrap());
    let call = document("system.listMethods", &[]);
    let cgi = Cgi::post("openacademy", &call).env("OPENACADEMY_FILE", file.to_str().unwrap());
    assert_eq!(cgi.answer().status, Some(0));
    assert!(left.iter().all(|name| !beside(name.clone()).exists()));
    assert!(others.iter().all(|name| beside(name.clone()).exists()));
}
