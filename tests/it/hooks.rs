//! Guards and hooks: the examples that have them, behind every gateway.

use std::io::{Read, Write};
use std::os::unix::net::UnixStream;
use std::time::Duration;

use http::{HeaderValue, StatusCode, header};
use rpcgi::{Call, Cookie, Fault, HeaderError, Registry, Request, Response, Server, Service};
use serde_json::{Value as Json, json};

use crate::fastcgi::Responder;
use crate::harness::{Cgi, Served, example};

fn json_rpc(method: &str, params: &Json) -> String {
    json!({ "jsonrpc": "2.0", "method": method, "params": params, "id": 1 }).to_string()
}

/// Posts a document to an example that listens, and returns the response.
fn post(served: &Served, headers: &str, body: &str) -> String {
    let head = format!("POST /RPC2 HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n{headers}");
    served.send(&format!("{head}Content-Length: {}\r\n\r\n{body}", body.len()))
}

const TOKEN: &str = "Authorization: Bearer x3yz\r\n";

fn with_token(program: &str) -> Served {
    let mut command = std::process::Command::new(example(program));
    command.args(["serve", "--port", "0"]).env("API_TOKEN", "x3yz");
    Served::start_command(command)
}

#[test]
fn a_bearer_token_for_all_but_ping() {
    let served = with_token("token");
    let body = |response: &str| serde_json::from_str::<Json>(response.split("\r\n\r\n").nth(1).unwrap()).unwrap();
    let asked = |headers, method| body(&post(&served, headers, &json_rpc(method, &json!([]))));
    assert_eq!(asked("", "ping")["result"], "pong");
    for method in ["whoami", "system.listMethods", "rpc.discover", "nothing"] {
        let fault = asked("", method);
        assert_eq!(fault["error"]["code"], 401, "{fault}");
    }
    assert_eq!(asked(TOKEN, "whoami")["result"], "operator");
    assert_eq!(asked(TOKEN, "nothing")["error"]["code"], -32601);
    // inside of batches and multicall each call passes on its own
    let batch = format!("[{}, {}]", json_rpc("ping", &json!([])), json_rpc("whoami", &json!([])));
    let answers = body(&post(&served, "", &batch));
    assert_eq!((&answers[0]["result"], &answers[1]["error"]["code"]), (&json!("pong"), &json!(401)));
    let calls = ["ping", "whoami"].map(|name| json!({ "methodName": name, "params": [] }));
    let calls = json!([calls]);
    assert_eq!(body(&post(&served, "", &json_rpc("system.multicall", &calls)))["error"]["code"], 401);
    let answers = body(&post(&served, TOKEN, &json_rpc("system.multicall", &calls)));
    assert_eq!(answers["result"], json!([["pong"], ["operator"]]));
    // XML-RPC is asked the same
    let response = post(&served, "", "<methodCall><methodName>whoami</methodName></methodCall>");
    assert!(response.contains("<name>faultCode</name><value><int>401</int></value>"), "{response}");
    // a document that breaks off is broken first of all
    let response = post(&served, "", r#"{"jsonrpc": "2.0", "method": "whoami", "id": 1"#);
    assert_eq!(body(&response)["error"]["code"], -32700);
}

/// Checks that a response is the refusal of a token.
#[track_caller]
fn assert_refused(response: &str) {
    assert!(response.contains("401 Unauthorized"), "{response}");
    let lower = response.to_ascii_lowercase();
    assert!(lower.contains("\r\nwww-authenticate: bearer error=\"invalid_token\"\r\n"), "{response}");
    assert!(response.contains("this token is not known"), "{response}");
    assert!(lower.contains("\r\nx-request-id: "), "{response}");
}

#[test]
fn guards_answer_before_the_body_is_read() {
    let wrong = "Bearer wrong";
    // a development server: the body never comes
    let served = with_token("token");
    let response = served.send(&format!(
        "POST / HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\nAuthorization: {wrong}\r\nX-Request-Id: a1\r\n\
         Expect: 100-continue\r\nContent-Length: 1000\r\n\r\n"
    ));
    assert_refused(&response);
    assert!(response.contains("\r\nx-request-id: a1\r\n"), "{response}");
    // CGI: the declared body is longer than what is there
    let answer = Cgi::post("token", "").env("HTTP_AUTHORIZATION", wrong).env("HTTP_X_REQUEST_ID", "a1");
    let answer = answer.env("CONTENT_LENGTH", "1000").answer();
    assert_refused(&format!("{}{}", answer.head, answer.body));
    // FastCGI: the params are all that comes
    let responder = Responder::start("token");
    let mut stream = UnixStream::connect(responder.socket()).unwrap();
    stream.set_read_timeout(Some(Duration::from_secs(20))).unwrap();
    stream
        .write_all(&head_alone(&[
            ("REQUEST_METHOD", "POST"),
            ("CONTENT_LENGTH", "1000"),
            ("HTTP_AUTHORIZATION", wrong),
            ("HTTP_X_REQUEST_ID", "a1"),
        ]))
        .unwrap();
    let mut octets = vec![0; 4096];
    let length = stream.read(&mut octets).unwrap();
    assert_refused(&String::from_utf8_lossy(&octets[..length]));
}

/// Returns the records of a request whose body is still to come.
fn head_alone(params: &[(&str, &str)]) -> Vec<u8> {
    let record = |kind: u8, content: &[u8]| {
        let length = u16::try_from(content.len()).unwrap().to_be_bytes();
        [&[1, kind, 0, 1, length[0], length[1], 0, 0], content].concat()
    };
    let pairs = params.iter().flat_map(|(name, value)| {
        let lengths = [name.len(), value.len()].map(|length| u8::try_from(length).unwrap());
        [&lengths[..], name.as_bytes(), value.as_bytes()].concat()
    });
    [record(1, &[0, 1, 0, 0, 0, 0, 0, 0]), record(4, &pairs.collect::<Vec<u8>>()), record(4, &[])].concat()
}

#[test]
fn a_limit_for_each_address() {
    let served = Served::start("rate_limit", &["serve", "--port", "0"]);
    let call = json_rpc("time", &json!([]));
    for left in ["4", "3", "2", "1", "0"] {
        let response = post(&served, "", &call);
        assert!(response.starts_with("HTTP/1.1 200 "), "{response}");
        assert!(response.contains(&format!("\r\nx-ratelimit-remaining: {left}\r\n")), "{response}");
    }
    for _ in 0..2 {
        let response = post(&served, "", &call);
        assert!(response.starts_with("HTTP/1.1 429 "), "{response}");
        assert!(response.contains("\r\nretry-after: "), "{response}");
        assert!(response.contains("more than 5 requests in 10s: try again in "), "{response}");
    }
    // the page counts too
    let page = served.send("GET / HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n");
    assert!(page.starts_with("HTTP/1.1 429 "), "{page}");
}

#[test]
fn a_counter_by_method() {
    let responder = Responder::start("counter");
    let call = |method: &str, params: Json| responder.call(&json_rpc(method, &params), &[]);
    for (a, b) in [(7, 2), (1, 0)] {
        call("div", json!([a, b]));
    }
    let calls = json!([[{ "methodName": "div", "params": [9, 3] }, { "methodName": "nothing", "params": [] }]]);
    call("system.multicall", calls);
    call("nothing", json!([]));
    call("system.listMethods", json!([]));
    let stats = call("stats", json!([]));
    let stats: Json = serde_json::from_str(stats.split("\r\n\r\n").nth(1).unwrap_or(&stats)).unwrap();
    let div = &stats["result"]["div"];
    assert_eq!((&div["calls"], &div["faults"]), (&json!(3), &json!(1)), "{stats}");
    let names: Vec<&String> = stats["result"].as_object().unwrap().keys().collect();
    assert_eq!(names, ["div", "system.multicall"], "{stats}");
}

#[test]
fn hooks_of_registries_stay_with_their_methods() {
    let refuse = |name: &'static str| {
        move |call: &Call<'_>| match call.request().header("X-Role").as_deref() {
            Some(role) if role.contains(name) => Ok(()),
            _ => Err(Fault::new(403, format!("{} is for {name}", call.name()))),
        }
    };
    let inner = Registry::new().method("list", || 1).before(refuse("inner"));
    let outer = Registry::new().mount("inner", inner).method("own", || 2).before(refuse("outer"));
    let fallback = Registry::new().fallback(|name: &str| (name == "late").then(|| rpcgi::Method::new("late", || 3)));
    let server =
        Server::new("x").mount("outer", outer).method("ping", || 0).mount("f", fallback.before(refuse("late")));
    let endpoint = server.build().unwrap();
    let call = |name: &str, role: &str| {
        let request = http::Request::post("/").header("X-Role", role).body(json_rpc(name, &json!([]))).unwrap();
        let answer: Json = serde_json::from_slice(&endpoint.answer(request.into()).body).unwrap();
        match answer.get("result") {
            Some(result) => Ok(result.as_i64().unwrap()),
            None => Err(answer["error"]["message"].as_str().unwrap().to_owned()),
        }
    };
    assert_eq!(call("ping", ""), Ok(0));
    assert_eq!(call("outer.own", "outer"), Ok(2));
    assert_eq!(call("outer.own", ""), Err("outer.own is for outer".into()));
    // the outermost is asked first
    assert_eq!(call("outer.inner.list", ""), Err("outer.inner.list is for outer".into()));
    assert_eq!(call("outer.inner.list", "outer"), Err("outer.inner.list is for inner".into()));
    assert_eq!(call("outer.inner.list", "outer, inner"), Ok(1));
    assert_eq!(call("f.late", ""), Err("f.late is for late".into()));
    assert_eq!(call("f.late", "late"), Ok(3));
}

#[test]
fn guards_of_servers_at_paths_come_after_those_around_them() {
    let guard = |name: &'static str| {
        move |request: &mut Request| match request.header("X-Pass").is_some_and(|pass| pass.contains(name)) {
            true => Ok(()),
            false => Err(Response::text(StatusCode::FORBIDDEN, format!("not past {name}"))),
        }
    };
    let below = Server::new("b").method("b", || 1).guard(guard("inner"));
    let endpoint = Server::new("a").method("a", || 2).guard(guard("outer")).at("/b", below).build().unwrap();
    let ask = |path: &str, pass: &str| {
        let request = http::Request::get(path).header("X-Pass", pass).body(Vec::new()).unwrap();
        let response = endpoint.answer(request.into());
        (response.status.as_u16(), String::from_utf8_lossy(&response.body).into_owned())
    };
    assert_eq!(ask("/", ""), (403, "not past outer\n".into()));
    assert_eq!(ask("/b", ""), (403, "not past outer\n".into()));
    assert_eq!(ask("/b", "outer"), (403, "not past inner\n".into()));
    assert_eq!(ask("/", "outer").0, 200);
    assert_eq!(ask("/b", "outer inner").0, 200);
    // what guards have not seen is not answered
    let request: Request = http::Request::get("/").header("X-Pass", "outer").body(Vec::new()).unwrap().into();
    assert_eq!(endpoint.handle(&request).status, 500);
}

#[test]
fn methods_set_headers_and_cookies() {
    let mark = |request: &Request, value: String| -> Result<bool, HeaderError> {
        request.set_response_header("Cache-Control", "no-store")?;
        request.set_response_header("cache-control", "max-age=60")?;
        request.set_cookie(&Cookie::new("a", value.clone()))?;
        request.set_cookie(&Cookie::new("b", value))?;
        Ok(true)
    };
    let reserved =
        |request: &Request, name: String| request.set_response_header(&name, "x").err().map(|e| e.to_string());
    let endpoint = Server::new("x").method("mark", mark).method("reserved", reserved).build().unwrap();
    let call = |method: &str, param: &str| {
        let body = json_rpc(method, &json!([param]));
        endpoint.answer(http::Request::post("https://h.example/").body(body).unwrap().into())
    };
    let response = call("mark", "1");
    let all = |name: header::HeaderName| {
        let values = response.headers.iter().filter(move |(key, _)| *key == name);
        values.map(|(_, value)| value.to_str().unwrap()).collect::<Vec<_>>()
    };
    assert_eq!(all(header::CACHE_CONTROL), ["max-age=60"]);
    let cookies = ["a", "b"].map(|name| format!("{name}=1; Path=/; HttpOnly; SameSite=Lax; Secure"));
    assert_eq!(all(header::SET_COOKIE), cookies);
    // a value that would split the head is an internal fault, and no header
    let response = call("mark", "1\r\nX-Evil: 1");
    assert!(String::from_utf8_lossy(&response.body).contains("-32603"));
    assert!(response.header(&header::SET_COOKIE).is_none());
    for name in ["Content-Type", "content-length", "Status", "Location", "Transfer-Encoding", "X-Request-Id"] {
        let answer: Json = serde_json::from_slice(&call("reserved", name).body).unwrap();
        assert_eq!(answer["result"], format!("the header {name} is not a method's to set"), "{answer}");
    }
    assert_eq!(
        call("reserved", "Content-Type").header(&header::CONTENT_TYPE),
        Some(&HeaderValue::from_static("application/json"))
    );
}

#[test]
fn a_panic_in_a_hook_is_a_fault() {
    let panics = |call: &Call<'_>| if call.name() == "a" { panic!("a secret") } else { Ok(()) };
    let tells = |_: &Call<'_>, _: Result<(), &Fault>, _: Duration| panic!("another");
    let endpoint = Server::new("x").method("a", || 1).method("b", || 2).before(panics).after(tells).build().unwrap();
    assert_eq!(endpoint.call::<i32>("b", ()), Ok(2));
    assert_eq!(endpoint.call::<i32>("a", ()).unwrap_err(), Fault::new(Fault::INTERNAL, "internal error"));
    let guarded = Server::new("x").method("a", || 1).guard(|_: &mut Request| panic!("a secret")).build().unwrap();
    let response = guarded.answer(http::Request::get("/").body(Vec::new()).unwrap().into());
    assert_eq!((response.status.as_u16(), &response.body[..]), (500, &b"internal error\n"[..]));
}
