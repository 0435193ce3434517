//! JSON-RPC 2.0, over the methods that XML-RPC calls.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU32, Ordering};

use rpcgi::{Base64, DateTime, Endpoint, Fault, Limits, Method, Request, Server, Service, Signature, Type};
use rpcgi::{method, methods, xmlrpc};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Value as Json, json};

/// Takes one number from another.
#[method]
fn subtract(minuend: i64, subtrahend: i64) -> i64 {
    minuend - subtrahend
}

/// Books seats.
#[method]
fn book(course: String, seats: Option<u32>, remark: Option<String>) -> String {
    format!("{course} {seats:?} {remark:?}")
}

/// Wants a text, and does nothing with it.
#[method]
fn discard(_text: String) {}

#[derive(Serialize, Deserialize, JsonSchema)]
struct Point {
    x: i32,
    y: i32,
}

#[derive(Serialize, Deserialize, JsonSchema)]
enum Shape {
    Dot,
    Circle(f64),
    Polygon { points: Vec<Point> },
}

static NOTIFIED: AtomicU32 = AtomicU32::new(0);

fn server() -> Server {
    Server::new("Test")
        .methods(methods![subtract, book, discard])
        .method("sum", |numbers: xmlrpc::Value| numbers)
        .methods(Method::dynamic("sum3", |_: &Request, params: Vec<xmlrpc::Value>| Ok::<_, Fault>(params.len() as i64)))
        .methods(
            Method::dynamic("declared", |_: &Request, params: Vec<xmlrpc::Value>| Ok::<_, Fault>(params))
                .params(["a", "b"])
                .signature(Signature::new(Type::Array, [Type::Int, Type::String])),
        )
        .methods(Method::overload(
            "twice",
            [
                Method::new("twice", |number: i64| number * 2).params(["number"]),
                Method::new("twice", |text: String| text.repeat(2)).params(["text"]),
            ],
        ))
        .method("get_data", || ("hello", 5))
        .method("notify_hello", |count: u32| _ = NOTIFIED.fetch_add(count, Ordering::SeqCst))
        .method("shape", |shape: Shape| shape)
        .method("point", |point: Point| point)
        .method("when", |when: DateTime| when)
        .method("octets", |octets: Base64| octets)
        .methods(Method::overload(
            "instants",
            [
                Method::new("instants", |number: i32| BTreeMap::from([("number", number)])),
                Method::new("instants", |when: Vec<DateTime>| BTreeMap::from([("last", when.last().copied())])),
            ],
        ))
        .method("large", |number: i64| number)
        .method("unsigned", |number: u64| number)
        .method("half", |number: f64| number / 2.0)
        .method("nan", || vec![Some(1.0), Some(f64::NAN)])
        .method("value", |value: xmlrpc::Value| value)
        .method("tell", || Err::<(), _>(Fault::new(7, "no seats are left").with_data(json!({ "seats": 40 }))))
        .method("panic", || -> i32 { panic!("there is a secret") })
}

fn endpoint() -> Endpoint {
    server().build().unwrap()
}

/// Returns the answer to a document; no answer is null.
#[track_caller]
fn ask(endpoint: &Endpoint, document: impl AsRef<[u8]>) -> Json {
    let answer = endpoint.handle_document(document.as_ref());
    match answer.is_empty() {
        true => Json::Null,
        false => serde_json::from_slice(&answer)
            .unwrap_or_else(|error| panic!("{error} in {}", String::from_utf8_lossy(&answer))),
    }
}

/// Returns the result or error of a call.
#[track_caller]
fn call(method: &str, params: Json) -> Result<Json, Json> {
    let answer = ask(&endpoint(), json!({ "jsonrpc": "2.0", "method": method, "params": params, "id": 1 }).to_string());
    match answer.get("error") {
        Some(error) => Err(error.clone()),
        None => Ok(answer["result"].clone()),
    }
}

#[track_caller]
fn assert_refused(method: &str, params: Json, message: &str, data: Json) {
    let error = call(method, params).unwrap_err();
    assert_eq!((&error["code"], &error["message"]), (&json!(-32602), &json!(message)));
    assert_eq!(error.get("data").unwrap_or(&Json::Null), &data);
}

/// Checks the answer to a document that is not a request: the code, the text, and null for an id.
#[track_caller]
fn assert_error(document: impl AsRef<[u8]>, code: i32, message: &str) {
    // a document that begins with no bracket is JSON by its media type alone
    let request = http::Request::post("/").header("Content-Type", "application/json");
    let response = endpoint().handle(&request.body(document.as_ref().to_vec()).unwrap().into());
    let answer: Json = serde_json::from_slice(&response.body).unwrap();
    let error = &answer["error"];
    let shown = String::from_utf8_lossy(&document.as_ref()[..document.as_ref().len().min(200)]).into_owned();
    assert_eq!((&error["code"], &error["message"]), (&json!(code), &json!(message)), "{shown}");
    assert_eq!((&answer["jsonrpc"], &answer["id"]), (&json!("2.0"), &Json::Null), "{shown}");
}

/// The examples of section 7 of the specification, in its order. The messages are ours: they say more.
#[test]
fn examples_of_the_specification() {
    let endpoint = Server::new("Examples")
        .methods(methods![subtract])
        .methods(Method::dynamic("sum", |_: &Request, params: Vec<xmlrpc::Value>| {
            Ok::<i64, Fault>(xmlrpc::from_value::<Vec<i64>>(xmlrpc::Value::Array(params)).unwrap().iter().sum())
        }))
        .method("get_data", || ("hello", 5))
        .methods(Method::dynamic("update", |_: &Request, _| Ok::<_, Fault>(())))
        .method("notify_hello", |_: i32| ())
        .method("notify_sum", |_: i32, _: i32, _: i32| ())
        .build()
        .unwrap();
    let expect = |document: &str, expected: Json| {
        let mut answer = ask(&endpoint, document);
        let several = answer.as_array_mut().map(|answers| answers.iter_mut().collect::<Vec<_>>());
        let errors = match several {
            Some(answers) => answers,
            None => vec![&mut answer],
        };
        for answer in errors {
            if let Some(error) = answer.get_mut("error") {
                assert!(error["message"].as_str().is_some_and(|message| !message.is_empty()), "{error}");
                *error = json!({ "code": error["code"] });
            }
        }
        assert_eq!(answer, expected, "{document}");
    };
    let error = |code: i32, id: Json| json!({ "jsonrpc": "2.0", "error": { "code": code }, "id": id });
    // with positional parameters
    expect(
        r#"{"jsonrpc": "2.0", "method": "subtract", "params": [42, 23], "id": 1}"#,
        json!({ "jsonrpc": "2.0", "result": 19, "id": 1 }),
    );
    expect(
        r#"{"jsonrpc": "2.0", "method": "subtract", "params": [23, 42], "id": 2}"#,
        json!({ "jsonrpc": "2.0", "result": -19, "id": 2 }),
    );
    // with named parameters
    for (params, id) in [(r#"{"subtrahend": 23, "minuend": 42}"#, 3), (r#"{"minuend": 42, "subtrahend": 23}"#, 4)] {
        expect(
            &format!(r#"{{"jsonrpc": "2.0", "method": "subtract", "params": {params}, "id": {id}}}"#),
            json!({ "jsonrpc": "2.0", "result": 19, "id": id }),
        );
    }
    // notifications
    expect(r#"{"jsonrpc": "2.0", "method": "update", "params": [1,2,3,4,5]}"#, Json::Null);
    expect(r#"{"jsonrpc": "2.0", "method": "foobar"}"#, Json::Null);
    // of a method that is not there
    expect(r#"{"jsonrpc": "2.0", "method": "foobar", "id": "1"}"#, error(-32601, json!("1")));
    // with invalid JSON
    expect(r#"{"jsonrpc": "2.0", "method": "foobar, "params": "bar", "baz]"#, error(-32700, Json::Null));
    // that is no request
    expect(r#"{"jsonrpc": "2.0", "method": 1, "params": "bar"}"#, error(-32600, Json::Null));
    // a batch of invalid JSON
    expect(
        r#"[{"jsonrpc": "2.0", "method": "sum", "params": [1,2,4], "id": "1"}, {"jsonrpc": "2.0", "method"]"#,
        error(-32700, Json::Null),
    );
    // an empty one, and those of nothing that is a request
    expect("[]", error(-32600, Json::Null));
    expect("[1]", json!([error(-32600, Json::Null)]));
    expect("[1,2,3]", json!([error(-32600, Json::Null), error(-32600, Json::Null), error(-32600, Json::Null)]));
    // a mixed one
    expect(
        r#"[
            {"jsonrpc": "2.0", "method": "sum", "params": [1,2,4], "id": "1"},
            {"jsonrpc": "2.0", "method": "notify_hello", "params": [7]},
            {"jsonrpc": "2.0", "method": "subtract", "params": [42,23], "id": "2"},
            {"foo": "boo"},
            {"jsonrpc": "2.0", "method": "foo.get", "params": {"name": "myself"}, "id": "5"},
            {"jsonrpc": "2.0", "method": "get_data", "id": "9"}
        ]"#,
        json!([
            { "jsonrpc": "2.0", "result": 7, "id": "1" },
            { "jsonrpc": "2.0", "result": 19, "id": "2" },
            error(-32600, Json::Null),
            error(-32601, json!("5")),
            { "jsonrpc": "2.0", "result": ["hello", 5], "id": "9" },
        ]),
    );
    // all notifications
    expect(
        r#"[
            {"jsonrpc": "2.0", "method": "notify_sum", "params": [1,2,4]},
            {"jsonrpc": "2.0", "method": "notify_hello", "params": [7]}
        ]"#,
        Json::Null,
    );
}

/// Ids come back octet for octet, and members may stand in any order.
#[test]
fn ids_as_they_came() {
    for id in ["1", "-0", "1.50", "1e2", "12345678901234567890123", "\"a\\u0062\"", "\"\"", "null", "\"\\ud800\""] {
        for document in [
            format!(r#"{{"jsonrpc": "2.0", "method": "half", "params": [5], "id": {id}}}"#),
            format!(r#" {{"id":{id} , "params" : [5], "method":"half","jsonrpc":"2.0"}} "#),
            format!(r#"{{"params": {{"p1": 5}}, "x": [{{}}], "id": {id}, "method": "ha\u006cf", "jsonrpc": "2.0"}}"#),
        ] {
            let answer = endpoint().handle_document(document.as_bytes());
            let expected = format!(r#"{{"jsonrpc":"2.0","result":2.5,"id":{id}}}"#);
            assert_eq!(String::from_utf8_lossy(&answer), expected, "{document}");
        }
    }
    for (id, found) in [("[1]", "array"), ("{}", "object"), ("true", "boolean")] {
        for document in [
            format!(r#"{{"jsonrpc": "2.0", "method": "half", "params": [5], "id": {id}}}"#),
            format!(r#"{{"id": {id}, "jsonrpc": "2.0", "method": "half", "params": [5]}}"#),
        ] {
            assert_error(document, -32600, &format!("member \"id\": expected string, number or null, found {found}"));
        }
    }
}

/// A notification runs and gets no answer, whatever its outcome.
#[test]
fn notifications() {
    let before = NOTIFIED.load(Ordering::SeqCst);
    for (document, answered) in [
        (r#"{"jsonrpc": "2.0", "method": "notify_hello", "params": [1]}"#, false),
        (r#"{"method": "notify_hello", "params": [1], "id": null}"#, false),
        (r#"{"method": "notify_hello", "params": [1]}"#, false),
        (r#"[{"jsonrpc": "2.0", "method": "notify_hello", "params": {"p1": 1}}]"#, false),
        // these ran
        (r#"{"jsonrpc": "2.0", "method": "notify_hello", "params": ["x"]}"#, false),
        (r#"{"jsonrpc": "2.0", "method": "nan"}"#, false),
        (r#"{"jsonrpc": "2.0", "method": "panic"}"#, false),
        (r#"{"jsonrpc": "2.0", "method": "notify_hello", "params": [1]} x"#, true),
        (r#"{"jsonrpc": "2.0", "method": "notify_hello", "params": [1]"#, true),
        (r#"{"jsonrpc": "3.0", "method": "notify_hello", "params": [1]}"#, true),
        (r#"{"jsonrpc": "2.0", "params": [1]}"#, true),
    ] {
        let request = http::Request::post("/").body(document.as_bytes().to_vec()).unwrap();
        let response = endpoint().handle(&request.into());
        assert_eq!(response.status, if answered { 200 } else { 204 }, "{document}");
        assert_eq!(response.body.is_empty(), !answered, "{document}");
        assert_eq!(response.header(&http::header::CONTENT_TYPE).is_some(), answered, "{document}");
    }
    assert_eq!(NOTIFIED.load(Ordering::SeqCst) - before, 4);
}

#[test]
fn params_by_name() {
    let booked = |text: &str| Ok(json!(text));
    assert_eq!(call("book", json!({ "course": "Odoo" })), booked("Odoo None None"));
    assert_eq!(call("book", json!({ "remark": "x", "course": "Odoo" })), booked("Odoo None Some(\"x\")"));
    assert_eq!(call("book", json!({ "remark": null, "seats": 3, "course": "Odoo" })), booked("Odoo Some(3) None"));
    assert_eq!(call("sum3", json!({})), Ok(json!(0)));
    assert_eq!(call("get_data", json!({})), Ok(json!(["hello", 5])));
    assert_eq!(call("declared", json!({ "b": "x", "a": 1 })), Ok(json!([1, "x"])));
    assert_eq!(call("discard", json!({ "text": "x" })), Ok(Json::Null));
    assert_eq!(call("twice", json!({ "number": 4 })), Ok(json!(8)));
    assert_eq!(call("twice", json!({ "text": "ab" })), Ok(json!("abab")));
    let refused = |method: &str, params: &str, message: &str, data: Json| {
        let document = format!(r#"{{"jsonrpc": "2.0", "method": "{method}", "params": {params}, "id": 1}}"#);
        let answer = ask(&endpoint(), document);
        let mut expected = json!({ "code": -32602, "message": format!("method \"{method}\" {message}") });
        if !data.is_null() {
            expected["data"] = data;
        }
        assert_eq!(answer, json!({ "jsonrpc": "2.0", "error": expected, "id": 1 }));
    };
    let named = |name: &str| json!({ "param": name });
    refused("book", "{}", "takes param \"course\", found none of that name", named("course"));
    refused("book", r#"{"course": "x", "seat": 1}"#, "takes no param \"seat\" (course, seats, remark)", named("seat"));
    for params in [r#"{"course": "x", "course": "y"}"#, r#"{"seats": 1, "course": "x", "seats": 2}"#] {
        let name = if params.contains("seats") { "seats" } else { "course" };
        refused("book", params, &format!("takes param \"{name}\" once, found it again"), named(name));
    }
    refused(
        "book",
        r#"{"seats": "many", "course": "x"}"#,
        "param 2 \"seats\": expected int, found string \"many\" at line 1 column 63",
        json!({ "param": "seats", "line": 1, "column": 63 }),
    );
    refused("declared", r#"{"a": 1}"#, "takes params (int, string), found (int)", Json::Null);
    refused("declared", r#"{"b": "x"}"#, "takes param \"a\", found none of that name", named("a"));
    refused("declared", r#"{"a": 1, "c": 2}"#, "takes no param \"c\"", named("c"));
    refused("twice", r#"{"x": 1}"#, "takes params (i8) or (string), found (int x)", Json::Null);
    refused("sum3", r#"{"x": 1}"#, "takes no param \"x\"", named("x"));
    refused("half", r#"{"number": 1}"#, "takes param \"p1\", found none of that name", named("p1"));
}

#[test]
fn params_by_position() {
    assert_eq!(call("book", json!(["Odoo", null, "x"])), Ok(json!("Odoo None Some(\"x\")")));
    assert_eq!(call("get_data", json!([])), Ok(json!(["hello", 5])));
    assert_eq!(call("get_data", Json::Null), Ok(json!(["hello", 5])));
    assert_refused(
        "subtract",
        json!([1]),
        "method \"subtract\" takes 2 params (minuend, subtrahend), found 1",
        Json::Null,
    );
    assert_refused(
        "subtract",
        json!([1, 2, 3, [4]]),
        "method \"subtract\" takes 2 params (minuend, subtrahend), found 4",
        Json::Null,
    );
    assert_refused(
        "book",
        json!([]),
        "method \"book\" takes 1 to 3 params (course, seats, remark), found 0",
        Json::Null,
    );
    // where the second line is
    let document = "{\"jsonrpc\": \"2.0\", \"method\": \"subtract\",\n \"params\": [5, \"é\"], \"id\": 1}";
    assert_eq!(
        ask(&endpoint(), document)["error"],
        json!({
            "code": -32602,
            "message": "method \"subtract\" param 2 \"subtrahend\": expected int, found string \"é\" at line 2 column 18",
            "data": { "param": "subtrahend", "line": 2, "column": 18 },
        })
    );
}

/// Values that do not fit are refused in the words of the wire, without a name of Rust's.
#[test]
fn mismatches() {
    let long = "x".repeat(200);
    for (method, param, message) in [
        ("large", json!("5"), "expected int, found string \"5\""),
        ("large", json!(1.5), "expected int, found double 1.5"),
        (
            "large",
            json!(u64::MAX),
            "expected an integer from -9223372036854775808 to 9223372036854775807, found 18446744073709551615",
        ),
        ("large", json!(true), "expected int, found boolean 1"),
        ("large", json!(null), "expected int, found nil"),
        ("large", json!([1]), "expected int, found array"),
        ("large", json!({}), "expected int, found struct"),
        ("unsigned", json!(-1), "expected an integer from 0 to 18446744073709551615, found -1"),
        ("half", json!("x"), "expected double, found string \"x\""),
        ("when", json!("soon"), "\"soon\" is not a date and time of the form YYYYMMDDTHH:MM:SS"),
        ("when", json!(5), "expected dateTime.iso8601, found int 5"),
        ("octets", json!("*"), "expected base64, found string \"*\""),
        ("octets", json!([1]), "expected base64, found array"),
        ("point", json!({ "x": 1 }), "expected struct with member \"y\", found none of that name"),
        ("point", json!([1, 2]), "expected struct, found array"),
        ("point", json!({ "x": 1, "y": "z" }), "expected int, found string \"z\""),
        ("shape", json!("Line"), "expected \"Dot\" or \"Circle\" or \"Polygon\", found \"Line\""),
        ("shape", json!(5), "expected string or struct of one member, found int 5"),
        ("shape", json!({}), "expected struct of one member, found an empty one"),
        ("shape", json!({ "Circle": 1, "Dot": null }), "expected struct of one member, found one more"),
        ("value", json!(u64::MAX), "18446744073709551615 is beyond i8: a string can have it"),
        ("half", json!(long), &format!("expected double, found string \"{}...\"", &long[..100])),
    ] {
        let error = call(method, json!([param])).unwrap_err();
        let found = error["message"].as_str().unwrap();
        assert_eq!(error["code"], -32602, "{found}");
        let inside = if message.contains("\"z\"") { ", in p1.y" } else { "" };
        let expected = format!("method \"{method}\" param 1{inside}: {message} at line 1 column ");
        assert!(found.starts_with(&expected), "{found} is not {expected}");
        assert_eq!(error["data"]["param"], "p1", "{found}");
    }
}

#[test]
fn types() {
    assert_eq!(call("when", json!(["19980717T14:08:55"])), Ok(json!("1998-07-17T14:08:55")));
    assert_eq!(call("when", json!(["1998-07-17T16:08:55.5+02:00"])), Ok(json!("1998-07-17T14:08:55")));
    assert_eq!(call("octets", json!(["aGVsbG8"])), Ok(json!("aGVsbG8=")));
    // one of several functions too
    assert_eq!(call("instants", json!([["1998-07-17T14:08:55"]])), Ok(json!({ "last": "1998-07-17T14:08:55" })));
    for shape in [json!("Dot"), json!({ "Circle": 1.5 }), json!({ "Polygon": { "points": [{ "x": 1, "y": 2 }] } })] {
        assert_eq!(call("shape", json!([shape])), Ok(shape));
    }
    assert_eq!(call("shape", json!([{ "Circle": 1 }])), Ok(json!({ "Circle": 1.0 })));
    let value = json!([null, true, -1, "19980717T14:08:55", { "a": [], "b": { "c": 0.1 } }]);
    assert_eq!(call("value", json!([value])), Ok(value));
    let nan = call("nan", json!([])).unwrap_err();
    assert_eq!(
        nan,
        json!({ "code": -32603, "message": "the result cannot be written: NaN is no double of JSON, at [1]" })
    );
    assert_eq!(
        call("tell", json!([])),
        Err(json!({ "code": 7, "message": "no seats are left", "data": { "seats": 40 } }))
    );
    assert_eq!(call("panic", json!([])), Err(json!({ "code": -32603, "message": "internal error" })));
}

#[test]
fn integers_are_exact_and_text_where_that_is_set() {
    let numbers = [0, 1 << 53, -(1 << 53), (1 << 53) + 1, -(1 << 53) - 1, i64::MAX, i64::MIN];
    let (exact, text) = (endpoint(), server().large_integers_as_text(true).build().unwrap());
    for number in numbers {
        let request = |number: &str| format!(r#"{{"jsonrpc":"2.0","method":"large","params":[{number}],"id":1}}"#);
        let answer = |endpoint: &Endpoint, number: &str| {
            let answer = endpoint.handle_document(request(number).as_bytes());
            String::from_utf8(answer).unwrap()
        };
        let expected = |number: &str| format!(r#"{{"jsonrpc":"2.0","result":{number},"id":1}}"#);
        assert_eq!(answer(&exact, &number.to_string()), expected(&number.to_string()));
        let is_large = number.unsigned_abs() > 1 << 53;
        let written = if is_large { format!("\"{number}\"") } else { number.to_string() };
        assert_eq!(answer(&text, &number.to_string()), expected(&written));
        // and the text comes back
        assert_eq!(answer(&text, &format!("\"{number}\"")), expected(&written));
    }
    let answer =
        text.handle_document(br#"{"jsonrpc":"2.0","method":"unsigned","params":["18446744073709551615"],"id":1}"#);
    assert_eq!(answer, br#"{"jsonrpc":"2.0","result":"18446744073709551615","id":1}"#);
    let answer = ask(&text, r#"{"jsonrpc":"2.0","method":"large","params":["9223372036854775808"],"id":1}"#);
    assert!(answer["error"]["message"].as_str().unwrap().contains("expected an integer from"), "{answer}");
}

/// Without `jsonrpc` a request is one of 1.0, and so is the answer.
#[test]
fn requests_of_version_1() {
    let ask = |document: &str| ask(&endpoint(), document);
    assert_eq!(
        ask(r#"{"method": "subtract", "params": [42, 23], "id": 1}"#),
        json!({ "result": 19, "error": null, "id": 1 })
    );
    assert_eq!(
        ask(r#"{"jsonrpc": "1.0", "id": "curl", "method": "subtract", "params": {"minuend": 1, "subtrahend": 2}}"#),
        json!({ "result": -1, "error": null, "id": "curl" })
    );
    let answer = ask(r#"{"method": "foobar", "params": [], "id": 1}"#);
    let message = "there is no method \"foobar\"";
    assert_eq!(answer, json!({ "result": null, "error": { "code": -32601, "message": message }, "id": 1 }));
    assert_eq!(
        ask(
            r#"[{"method": "large", "params": [1], "id": 1}, {"jsonrpc": "2.0", "method": "large", "params": [2], "id": 2}]"#
        ),
        json!([{ "result": 1, "error": null, "id": 1 }, { "jsonrpc": "2.0", "result": 2, "id": 2 }])
    );
}

#[test]
fn not_a_request() {
    for (document, message) in [
        ("{}", "expected member \"method\", found none"),
        (r#"{"jsonrpc": "2.0"}"#, "expected member \"method\", found none"),
        (
            r#"{"jsonrpc": "3.0", "method": "large", "params": [1]}"#,
            "member \"jsonrpc\": expected \"2.0\", found \"3.0\"",
        ),
        (
            r#"{"method": "large", "params": [1], "jsonrpc": 2.0}"#,
            "member \"jsonrpc\": expected string, found double 2 at line 1 column 49",
        ),
        (
            r#"{"jsonrpc": "2.0", "method": ["large"]}"#,
            "member \"method\": expected string, found array at line 1 column 30",
        ),
        (
            r#"{"jsonrpc": "2.0", "method": "large", "params": "x"}"#,
            "member \"params\": expected array or object, found string",
        ),
        (
            r#"{"params": 5, "jsonrpc": "2.0", "method": "large"}"#,
            "member \"params\": expected array or object, found number",
        ),
        (
            r#"{"jsonrpc": "2.0", "method": "a", "method": "large", "params": [1]}"#,
            "expected member \"method\" once, found it again",
        ),
        (
            r#"{"jsonrpc": "2.0", "method": "large", "params": [1], "params": [2]}"#,
            "expected member \"params\" once, found it again",
        ),
        (
            r#"{"params": [1], "jsonrpc": "2.0", "method": "large", "params": [2]}"#,
            "expected member \"params\" once, found it again",
        ),
        (
            r#"{"jsonrpc": "2.0", "jsonrpc": "2.0", "method": "large", "params": [1]}"#,
            "expected member \"jsonrpc\" once, found it again",
        ),
        ("5", "expected a request, which is an object, found `5` at line 1 column 1"),
        ("\n \"x\"", "expected a request, which is an object, found `\"` at line 2 column 2"),
        ("[]", "expected at least one request in a batch, found none"),
    ] {
        assert_error(document, -32600, message);
    }
    // with the id, where there is one
    let answer = ask(&endpoint(), r#"{"jsonrpc": "2.0", "id": 5, "id": 6, "method": "large", "params": [1]}"#);
    assert_eq!(answer["error"]["message"], "expected member \"id\" once, found it again");
    let answer = ask(&endpoint(), r#"{"jsonrpc": "2.0", "method": 1, "params": [1], "id": "x"}"#);
    assert_eq!((&answer["error"]["code"], &answer["id"]), (&json!(-32600), &json!("x")));
}

#[test]
fn not_json() {
    let echo = |param: &str| format!(r#"{{"jsonrpc": "2.0", "method": "value", "params": [{param}], "id": 1}}"#);
    for (document, message) in [
        ("", "expected a request, which is an object, found the end at line 1 column 1"),
        ("nonsense", "expected a request, which is an object, found `n` at line 1 column 1"),
        ("{\"a\" 1}", "expected `:`, found `1` at line 1 column 6"),
        ("{a: 1}", "expected the name of a member, found `a` at line 1 column 2"),
        ("{\"a\": 1,}", "expected the name of a member, found `}` at line 1 column 9"),
        ("{\"a\": 1 \"b\": 2}", "expected `,` or `}`, found `\"` at line 1 column 9"),
        ("{\"a\":\n tru}", "expected ident at line 2 column 5"),
        ("[1, 2", "expected `,` or `]`, found the end at line 1 column 6"),
        ("[1 2]", "expected `,` or `]`, found `2` at line 1 column 4"),
        ("[1] [", "expected the end, found `[` at line 1 column 5"),
        (&(echo("1") + "x"), "expected the end, found `x` at line 1 column 62"),
        (&(echo("1") + &echo("2")), "expected the end, found `{` at line 1 column 62"),
        (&echo("1, ]"), "expected value at line 1 column 53"),
        (&echo("01"), "invalid number at line 1 column 51"),
        (&echo("+1"), "expected value at line 1 column 50"),
        (&echo(".5"), "expected value at line 1 column 50"),
        (&echo("1."), "invalid number at line 1 column 52"),
        (&echo("NaN"), "expected value at line 1 column 50"),
        (&echo("'x'"), "expected value at line 1 column 50"),
        (&echo("\"a\nb\""), "control character (\\u0000-\\u001F) found while parsing a string at line 1 column 51"),
        (&echo("\"\0\""), "control character (\\u0000-\\u001F) found while parsing a string at line 1 column 50"),
        (&echo("\"\\x\""), "invalid escape at line 1 column 52"),
        (&echo("\0"), "expected value at line 1 column 50"),
        (&echo("/* no */ 1"), "expected value at line 1 column 50"),
    ] {
        assert_error(document, -32700, message);
    }
    assert_error(
        b"{\"jsonrpc\": \"2.0\", \n\"method\": \"\xE9\"}",
        -32700,
        "expected UTF-8, found octet E9 at line 2 column 12",
    );
    let document = echo("1");
    let utf16 = |mark: &str, endian: fn(u16) -> [u8; 2]| -> Vec<u8> {
        format!("{mark}{document}").encode_utf16().flat_map(endian).collect()
    };
    for document in [
        utf16("", u16::to_le_bytes),
        utf16("", u16::to_be_bytes),
        utf16("\u{FEFF}", u16::to_le_bytes),
        utf16("\u{FEFF}", u16::to_be_bytes),
    ] {
        assert_error(document, -32700, "expected UTF-8, found UTF-16 or UTF-32 at line 1 column 1");
    }
    // a byte order mark does no harm
    assert_eq!(ask(&endpoint(), format!("\u{FEFF}{document}"))["result"], 1);
}

/// A string that JSON allows but Rust cannot hold is a param that does not fit.
#[test]
fn surrogates() {
    assert_eq!(call("value", json!(["\u{1F600}"])), Ok(json!("\u{1F600}")));
    let request = |text: &str| format!(r#"{{"jsonrpc": "2.0", "method": "value", "params": ["{text}"], "id": 1}}"#);
    assert_eq!(ask(&endpoint(), request(r"\ud83d\ude00"))["result"], "\u{1F600}");
    assert_eq!(ask(&endpoint(), request(r"a\u0000b"))["result"], "a\0b");
    for text in [r"\ud83d", r"\ude00", r"\ud83d\u0041", r"\ud83dx"] {
        let answer = ask(&endpoint(), request(text));
        assert_eq!((&answer["error"]["code"], &answer["id"]), (&json!(-32602), &json!(1)), "{answer}");
    }
    let answer = ask(&endpoint(), r#"{"jsonrpc": "2.0", "method": "\ud83d", "id": 1}"#);
    assert_eq!((&answer["error"]["code"], &answer["id"]), (&json!(-32600), &json!(1)), "{answer}");
}

#[test]
fn huge_numbers() {
    let request = |method: &str, number: &str| {
        ask(&endpoint(), format!(r#"{{"jsonrpc": "2.0", "method": "{method}", "params": [{number}], "id": 1}}"#))
    };
    let digits = "9".repeat(100_000);
    for number in ["1e400", "-1e400", &digits] {
        for method in ["half", "large", "value"] {
            let answer = request(method, number);
            assert_eq!((&answer["error"]["code"], &answer["id"]), (&json!(-32602), &json!(1)), "{answer}");
        }
    }
    assert_eq!(request("half", "1e-400")["result"], 0.0);
    assert_eq!(request("half", &format!("0.{digits}"))["result"], 0.5);
    // no integer loses a digit silently
    assert_eq!(request("half", &"9".repeat(300))["error"]["code"], -32602);
    assert_eq!(request("large", "1e3.5")["error"]["code"], -32700);
}

/// A document that breaks off anywhere runs nothing, and the error says where.
#[test]
fn truncated_at_every_octet() {
    let before = NOTIFIED.load(Ordering::SeqCst);
    let single = r#"{"jsonrpc": "2.0", "method": "notify_hello", "params": {"p1": 1000000}, "x": [{"y": "é\n"}], "id": "\u00e9"}"#;
    let first = r#"{"id": 1, "params": [1000000], "method": "notify_hello", "jsonrpc": "2.0"}"#;
    for document in [single.to_owned(), first.to_owned(), format!("[{single}, {first}]")] {
        for end in 0..document.len() {
            let request = http::Request::post("/").header("Content-Type", "application/json");
            let response = endpoint().handle(&request.body(document.as_bytes()[..end].to_vec()).unwrap().into());
            let answer: Json = serde_json::from_slice(&response.body).unwrap();
            assert_eq!(answer["error"]["code"], -32700, "{answer} for {}", &document.as_bytes()[..end].escape_ascii());
            assert_eq!(answer["id"], Json::Null);
            let message = answer["error"]["message"].as_str().unwrap();
            assert!(message.contains(" at line 1 column "), "{message}");
        }
    }
    // other tests notify by ones
    assert!(NOTIFIED.load(Ordering::SeqCst) - before < 1_000_000);
}

#[test]
fn nesting() {
    let nested = |depth: usize| format!("{}{}", "[".repeat(depth), "]".repeat(depth));
    let request = |method: &str, param: &str| {
        ask(&endpoint(), format!(r#"{{"jsonrpc": "2.0", "method": "{method}", "params": [{param}], "id": 1}}"#))
    };
    assert_eq!(request("value", &nested(64))["result"].to_string(), nested(64));
    for depth in [65, 128, 129, 100_000] {
        for param in [nested(depth), format!("{}1{}", "{\"a\":".repeat(depth), "}".repeat(depth))] {
            let answer = request("value", &param);
            let message = answer["error"]["message"].as_str().unwrap();
            assert!(message.starts_with("arrays and structs nested deeper than 64 at line 1 column "), "{message}");
            assert_eq!((&answer["error"]["code"], &answer["id"]), (&json!(-32600), &json!(1)));
        }
        // in values that are skipped
        assert_eq!(request("nothing", &nested(depth))["error"]["code"], -32601);
        let document =
            format!(r#"{{"jsonrpc": "2.0", "method": "large", "params": [1], "x": {}, "id": 1}}"#, nested(depth));
        assert_eq!(ask(&endpoint(), document)["result"], 1);
        assert_eq!(ask(&endpoint(), nested(depth))[0]["error"]["code"], -32600);
        assert_error("[".repeat(depth), -32700, &format!("EOF while parsing a list at line 1 column {depth}"));
    }
    let mut limits = Limits::default();
    limits.depth = 150;
    let deep = server().limits(limits).build().unwrap();
    let document = format!(r#"{{"jsonrpc": "2.0", "method": "value", "params": [{}], "id": 1}}"#, nested(150));
    let answer = deep.handle_document(document.as_bytes());
    assert!(String::from_utf8(answer).unwrap().contains(&nested(150)));
}

/// One limit for what a document may cost, in either format.
#[test]
fn limits() {
    let mut limits = Limits::default();
    limits.members = 10;
    limits.response = 100;
    limits.body = 1000;
    let endpoint = server().limits(limits).build().unwrap();
    let request = |method: &str, params: &str| {
        ask(&endpoint, format!(r#"{{"jsonrpc": "2.0", "method": "{method}", "params": {params}, "id": 1}}"#))
    };
    assert_eq!(request("value", "[[1,2,3,4,5,6,7,8,9,0]]")["result"], json!([1, 2, 3, 4, 5, 6, 7, 8, 9, 0]));
    for params in ["[[1,2,3,4,5,6,7,8,9,0,1]]", r#"[{"a":[1,2,3,4,5],"b":[6,7,8,9]}]"#] {
        let answer = request("value", params);
        assert_eq!((&answer["error"]["code"], &answer["id"]), (&json!(-32600), &json!(1)));
        let message = answer["error"]["message"].as_str().unwrap();
        assert!(message.starts_with("more than 10 array items and struct members at line 1 column "), "{message}");
    }
    let many: String = (0..11).map(|n| format!("\"x{n}\": 1,")).collect();
    let answer = request("large", &format!("{{{many} \"p1\": 1}}"));
    assert!(answer["error"]["message"].as_str().unwrap().starts_with("more than 10 array items"), "{answer}");
    let answer = request("value", &format!("[\"{}\"]", "x".repeat(100)));
    assert_eq!(answer["error"]["message"], "the result cannot be written: longer than 100 octets");
    let answer = request("value", &format!("[\"{}\"]", "x".repeat(1000)));
    assert!(answer["error"]["message"].as_str().unwrap().ends_with(" octets, longer than 1000"), "{answer}");
}

#[test]
fn batches() {
    let request = |id: usize| format!(r#"{{"jsonrpc":"2.0","method":"large","params":[{id}],"id":{id}}}"#);
    let batch = |count: usize| format!("[{}]", (0..count).map(request).collect::<Vec<_>>().join(","));
    let answers = ask(&endpoint(), batch(100));
    assert_eq!(answers.as_array().unwrap().len(), 100);
    assert_eq!(answers[99], json!({ "jsonrpc": "2.0", "result": 99, "id": 99 }));
    for count in [101, 1_000_000] {
        let document = if count == 101 { batch(count) } else { format!("[{}1]", "1,".repeat(count - 1)) };
        assert_error(document, -32600, "more than 100 calls in one batch");
    }
    // a request that fails, in whatever way, does not stop the others
    let document = format!(
        r#"[{}, {{"jsonrpc":"2.0","method":"nan","id":1}}, {{"jsonrpc":"2.0","method":"panic","id":2}}, null,
            {{"jsonrpc":"2.0","method":"value","params":[{}],"id":3}}, {{"jsonrpc":"2.0","method":"large","params":["x"]}}, {}]"#,
        request(0),
        "[".repeat(100) + &"]".repeat(100),
        request(4),
    );
    let answers = ask(&endpoint(), document);
    let codes: Vec<i64> =
        answers.as_array().unwrap().iter().map(|answer| answer["error"]["code"].as_i64().unwrap_or_default()).collect();
    assert_eq!(codes, [0, -32603, -32603, -32600, -32600, 0]);
    assert_eq!(answers[5]["result"], 4);
    // a multicall inside a batch would be too many calls
    let document = r#"[{"jsonrpc":"2.0","method":"system.multicall","params":[[]],"id":1}]"#;
    assert_eq!(ask(&endpoint(), document)[0]["error"]["message"], "system.multicall inside a batch");
    let document = r#"{"jsonrpc":"2.0","method":"system.multicall","params":[[
        {"methodName": "large", "params": [1]}, {"methodName": "nan", "params": []}, {"methodName": "when", "params": [1]},
        {"methodName": "when", "params": ["2026-01-01T00:00:00"]}, {"methodName": "octets", "params": ["aGk="]},
        {"methodName": "octets", "params": ["*"]}, {"methodName": "instants", "params": [["2026-01-01T00:00:00"]]}
    ]],"id":1}"#;
    assert_eq!(
        ask(&endpoint(), document)["result"],
        json!([
            [1],
            { "faultCode": -32603, "faultString": "the result cannot be written: NaN is no double of JSON, at [1]" },
            { "faultCode": -32602, "faultString": "method \"when\" param 1: expected dateTime.iso8601, found int 1" },
            ["2026-01-01T00:00:00"],
            ["aGk="],
            { "faultCode": -32602, "faultString": "method \"octets\" param 1: expected base64, found string" },
            [{ "last": "2026-01-01T00:00:00" }],
        ])
    );
}

/// The body says which protocol it is; if it does not, the media type does.
#[test]
fn content_types() {
    let answer_type = |content_type: Option<&str>, body: &str| {
        let request = content_type
            .into_iter()
            .fold(http::Request::post("/"), |request, content_type| request.header("Content-Type", content_type));
        let response = endpoint().handle(&request.body(body.as_bytes().to_vec()).unwrap().into());
        assert_eq!(response.status, 200);
        response.header(&http::header::CONTENT_TYPE).unwrap().to_str().unwrap().to_owned()
    };
    let (json, xml) = ("application/json", "text/xml; charset=utf-8");
    for content_type in [
        None,
        Some(json),
        Some("application/json-rpc"),
        Some("application/jsonrequest; charset=utf-8"),
        Some("text/xml"),
    ] {
        for body in ["{}", "\n [", r#"{"jsonrpc": "2.0", "method": "get_data", "id": 1}"#] {
            assert_eq!(answer_type(content_type, body), json, "{content_type:?} {body}");
        }
        for body in ["<methodCall/>", "\u{FEFF}<", " <methodCall><methodName>get_data</methodName></methodCall>"] {
            assert_eq!(answer_type(content_type, body), xml, "{content_type:?} {body}");
        }
    }
    for (content_type, expected) in
        [(None, xml), (Some("text/xml"), xml), (Some("application/json"), json), (Some("Application/JSON-RPC"), json)]
    {
        assert_eq!(answer_type(content_type, "nonsense"), expected);
        assert_eq!(answer_type(content_type, ""), expected);
    }
}

#[test]
fn introspection() {
    assert!(call("system.listMethods", json!([])).unwrap().as_array().unwrap().contains(&json!("subtract")));
    assert_eq!(call("system.methodHelp", json!({ "name": "subtract" })), Ok(json!("Takes one number from another.")));
    assert_eq!(call("system.methodSignature", json!(["subtract"])), Ok(json!([["i8", "i8", "i8"]])));
    assert_eq!(call("system.getCapabilities", json!([])).unwrap()["limits"]["calls"], 100);
}

/// Types with an ill-behaved `Deserialize`.
mod ill_behaved {
    use serde::{Deserialize, Deserializer};

    use super::*;

    /// A type that panics unless it is read from an int.
    #[derive(Serialize, JsonSchema)]
    pub struct Panics;

    impl<'de> Deserialize<'de> for Panics {
        fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Panics, D::Error> {
            match xmlrpc::Value::deserialize(deserializer)? {
                xmlrpc::Value::Int(_) => Ok(Panics),
                _ => panic!("a secret"),
            }
        }
    }

    /// A type that reads anything else than a point as `None`.
    #[derive(Serialize, JsonSchema)]
    pub struct Swallows(Option<Point>);

    impl<'de> Deserialize<'de> for Swallows {
        fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Swallows, D::Error> {
            Ok(Swallows(Point::deserialize(deserializer).ok()))
        }
    }

    /// A type that reads anything, and notes whether it was nil.
    #[derive(Serialize, JsonSchema)]
    pub struct Nothing(bool);

    impl<'de> Deserialize<'de> for Nothing {
        fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Nothing, D::Error> {
            Ok(Nothing(<()>::deserialize(deserializer).is_ok()))
        }
    }
}

#[test]
fn types_that_misbehave() {
    use ill_behaved::{Nothing, Panics, Swallows};

    let endpoint = server()
        .methods(Method::new("panics", |_: i32, _: Panics| 1).params(["a", "b"]))
        .method("swallows", |points: Vec<Swallows>| points.len())
        .method("nothing", |_: Nothing| "ran")
        .fallback(|name: &str| -> Option<Method> { panic!("a secret of {name}") })
        .build()
        .unwrap();
    let request = |method: &str, params: &str, rest: &str| {
        ask(&endpoint, format!(r#"{{"jsonrpc": "2.0", "method": "{method}", "params": {params}{rest}"#))
    };
    let error =
        |code: i32, message: &str| json!({ "jsonrpc": "2.0", "error": { "code": code, "message": message }, "id": 1 });
    // a panic is a fault of the call, and of nothing else
    let internal = error(-32603, "internal error");
    for params in [r#"[1, "x"]"#, r#"{"a": 1, "b": [["x"]]}"#, r#"{"b": {"c": "x"}, "a": 1}"#] {
        assert_eq!(request("panics", params, r#", "id": 1}"#), internal, "{params}");
        assert_eq!(request("panics", params, "}"), Json::Null, "{params}");
        assert_eq!(request("panics", params, r#", "id": 1} x"#)["error"]["code"], -32700, "{params}");
    }
    assert_eq!(request("unknown", "[]", r#", "id": 1}"#), internal);
    assert_eq!(request("unknown", "[]", "}"), Json::Null);
    let answer = ask(&endpoint, r#"{"method": "unknown", "id": 7, "params": []}"#);
    assert_eq!(answer, json!({ "result": null, "error": { "code": -32603, "message": "internal error" }, "id": 7 }));
    let nested = "[".repeat(64) + &"]".repeat(64);
    let batch = format!(
        r#"[{{"jsonrpc": "2.0", "method": "panics", "params": [1, [[["x"]]]], "id": 1}},
            {{"jsonrpc": "2.0", "method": "value", "params": [{nested}], "id": 2}}]"#
    );
    let answers = ask(&endpoint, batch);
    assert_eq!((&answers[0], &answers[1]["id"]), (&internal, &json!(2)));
    assert_eq!(answers[1]["result"].to_string(), nested);
    // an error that a type has swallowed is none, unless the text is not JSON
    let points = vec![r#"{"x": 1}"#; 100].join(",");
    assert_eq!(request("swallows", &format!("[[{points}]]"), r#", "id": 1}"#)["result"], 100);
    assert_eq!(request("nothing", "[null]", r#", "id": 1}"#)["result"], "ran");
    assert_eq!(request("nothing", "[5]", r#", "id": 1}"#)["result"], "ran");
    for text in ["nulx", "nux", "nul", "[1", "\"x"] {
        let answer = request("nothing", &format!("[{text}]"), r#", "id": 1}"#);
        assert_eq!((&answer["error"]["code"], &answer["id"]), (&json!(-32700), &Json::Null), "{text}");
    }
}

/// A mistake among the params leaves the rest of the request as it is.
#[test]
fn faults_among_params_keep_the_id() {
    let mut limits = Limits::default();
    limits.members = 3;
    let endpoint = server().limits(limits).build().unwrap();
    let request = |params: &str, rest: &str| {
        ask(&endpoint, format!(r#"{{"jsonrpc": "2.0", "method": "twice", "params": {params}{rest}"#))
    };
    let over = r#"{"a": 1, "b": 1, "c": 1, "d": [[1]], "e": 1}"#;
    let answer = request(over, r#", "id": 1}"#);
    assert_eq!((&answer["error"]["code"], &answer["id"]), (&json!(-32600), &json!(1)), "{answer}");
    assert_eq!(request(over, "}"), Json::Null);
    assert_eq!(request(over, r#", "id": 1} x"#)["error"]["code"], -32700);
    let answer = ask(&endpoint, format!(r#"{{"jsonrpc": "2.0", "method": "half", "params": {over}, "id": 1}}"#));
    assert_eq!((&answer["error"]["code"], &answer["id"]), (&json!(-32600), &json!(1)), "{answer}");
    // names that no string can hold
    for method in ["half", "twice"] {
        let document = format!(r#"{{"jsonrpc": "2.0", "method": "{method}", "params": {{"\ud800": 1}}, "id": 1}}"#);
        let answer = ask(&endpoint, document);
        assert_eq!((&answer["error"]["code"], &answer["id"]), (&json!(-32602), &json!(1)), "{answer}");
    }
    let answer = ask(&endpoint, r#"{"\ud800": 1, "jsonrpc": "2.0", "method": "half", "params": [3], "id": 1}"#);
    assert_eq!(answer["result"], 1.5);
    // too deep, and broken off
    let document = format!(r#"{{"jsonrpc": "2.0", "method": "value", "params": [{}], "id": 1}}"#, "[".repeat(70));
    let answer = ask(&endpoint, &document);
    assert_eq!((&answer["error"]["code"], &answer["id"]), (&json!(-32700), &Json::Null), "{answer}");
    let colon = document.find("\"id\":").unwrap() + 5;
    assert_eq!(answer["error"]["data"]["column"], colon, "{answer}");
}

/// Time grows with the document, not with its square: this takes a second, or an hour.
#[test]
fn a_great_many_names() {
    let members: Vec<String> = (0..300_000).map(|n| format!("\"{n:06}\": 1")).collect();
    for method in ["twice", "sum3", "half"] {
        let params = members.join(",");
        let answer =
            ask(&endpoint(), format!(r#"{{"jsonrpc": "2.0", "method": "{method}", "params": {{{params}}}, "id": 1}}"#));
        assert_eq!((&answer["error"]["code"], &answer["id"]), (&json!(-32602), &json!(1)));
    }
}

/// Keys of maps are text that other types are read from, in both formats.
#[test]
fn keys_of_maps() {
    #[derive(PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
    struct Id(u32);

    let endpoint = Server::new("Test")
        .method("ids", |map: BTreeMap<Id, i32>| map)
        .method("wide", |map: BTreeMap<i128, i32>| map)
        .method("flags", |map: BTreeMap<bool, i32>| map)
        .method("letters", |map: BTreeMap<char, i32>| map)
        .method("i128", |number: i128| number)
        .build()
        .unwrap();
    let by_json = |method: &str, param: &Json| {
        let document = json!({ "jsonrpc": "2.0", "method": method, "params": [param], "id": 1 }).to_string();
        let answer = ask(&endpoint, document);
        match answer.get("error") {
            None => Ok(answer["result"].clone()),
            Some(error) => Err(error["message"].as_str().unwrap().split(" at line").next().unwrap().to_owned()),
        }
    };
    let by_xml = |method: &str, param: &Json| {
        let document = xmlrpc::call_to_vec(method, &[param]).unwrap();
        let answer = xmlrpc::response_from_slice::<xmlrpc::Value>(&endpoint.handle_document(&document)).unwrap();
        answer
            .map(|value| serde_json::to_value(value).unwrap())
            .map_err(|fault| fault.message.split(" at line").next().unwrap().to_owned())
    };
    for (method, param) in [
        ("ids", json!({ "5": 1 })),
        ("wide", json!({ "-5": 1 })),
        ("flags", json!({ "true": 1 })),
        ("letters", json!({ "x": 1 })),
        ("i128", json!(5)),
    ] {
        assert_eq!(by_json(method, &param), Ok(param.clone()), "{method}");
        assert_eq!(by_xml(method, &param), Ok(param), "{method}");
    }
    for (method, param, found) in [
        ("ids", json!({ "x": 1 }), "expected int, found string \"x\""),
        ("wide", json!({ "x": 1 }), "expected int, found string \"x\""),
        ("flags", json!({ "x": 1 }), "expected boolean, found string \"x\""),
    ] {
        let expected = Err(format!("method \"{method}\" param 1: {found}"));
        assert_eq!(by_json(method, &param), expected);
        assert_eq!(by_xml(method, &param), expected);
    }
    for number in ["1.5", "1e50", "\"x\"", "null"] {
        let document = format!(r#"{{"jsonrpc": "2.0", "method": "i128", "params": [{number}], "id": 1}}"#);
        let answer = ask(&endpoint, document);
        assert_eq!((&answer["error"]["code"], &answer["id"]), (&json!(-32602), &json!(1)), "{answer}");
        assert!(answer["error"]["message"].as_str().unwrap().contains("expected int, found "), "{answer}");
    }
}

/// `8.0` is an int as JSON Schema has it, and what JavaScript, Lua and Gson write.
#[test]
fn numbers_keep_their_digits() {
    let server = Server::new("Test").method("int", |value: i64| value).method("double", |value: f64| value);
    let server = server.method("unsigned", |value: u64| value).method("any", |value: xmlrpc::Value| value);
    let endpoint = server.build().unwrap();
    let answer = |method: &str, param: &str| {
        let call = format!(r#"{{"jsonrpc": "2.0", "method": "{method}", "params": [{param}], "id": 1}}"#);
        let answer = String::from_utf8(endpoint.handle_document(call.as_bytes())).unwrap();
        let parsed: Json = serde_json::from_str(&answer).unwrap();
        match parsed["error"]["message"].as_str() {
            None => answer,
            Some(message) => message.split_once(" param 1: ").map_or(message, |(_, problem)| problem).to_owned(),
        }
    };
    let result = |text: &str| format!(r#"{{"jsonrpc":"2.0","result":{text},"id":1}}"#);
    for (method, param, expected) in [
        ("int", "8.0", "8"),
        ("int", "8e0", "8"),
        ("int", "1e18", "1000000000000000000"),
        ("unsigned", "18446744073709551615", "18446744073709551615"),
        ("double", "123456789012345680000", "1.2345678901234568e+20"),
        ("double", "9007199254740993.0", "9007199254740992.0"),
        ("any", "1e300", "1e+300"),
    ] {
        assert_eq!(answer(method, param), result(expected), "{method} {param}");
    }
    for (method, param, expected) in [
        ("int", "8.50", "expected int, found double 8.50"),
        ("int", "1e30", "expected int, found double 1e30"),
        ("int", "9007199254740993.0", "expected int, found double 9007199254740993.0"),
        ("unsigned", "-8.0", "expected an integer from 0 to 18446744073709551615, found -8"),
        (
            "double",
            "9007199254740993",
            "expected double, found int 9007199254740993, which a double cannot hold exactly",
        ),
    ] {
        let found = answer(method, param);
        assert!(found.starts_with(expected), "{method} {param}: {found}");
    }
    for (method, param, number) in [
        ("int", "18446744073709551616", "18446744073709551616"),
        ("double", "18446744073709551617", "18446744073709551617"),
        ("any", r#"[1, {"a": 18446744073709551616}]"#, "18446744073709551616"),
        ("any", "-100000000000000000000", "-100000000000000000000"),
    ] {
        let found = answer(method, param);
        let expected = format!("expected an integer of at most 64 bits, found {number}: a string can have it");
        assert!(found.starts_with(&expected), "{method} {param}: {found}");
    }
}
