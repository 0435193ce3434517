//! The server half: documents in, responses out; and JSON-RPC's row in the table of protocols.

use http::header::HeaderValue;

use super::client::response_from_slice;
use super::request::{Envelope, Request, Version, expect_end};
use crate::call::{Capability, Dispatch, MULTICALL, ParamSource, Params, Reply};
use crate::description::{Dialect, Written};
use crate::protocol::{self, Answer, Incoming, Protocol};
use crate::service::Limits;
use crate::wire::Error;
use crate::wire::fault::{Fault, catch_panic};
use crate::wire::json::{self, JsonOptions, JsonText};
use crate::wire::value::{Members, Value};

/// JSON-RPC's row.
pub(crate) static JSON_RPC: Protocol = Protocol {
    dialect: Dialect {
        name: "json-rpc",
        title: "JSON-RPC 2.0",
        media_type: "application/json",
        write_call,
        write_answer,
    },
    capability: Capability { name: "json-rpc", url: "https://www.jsonrpc.org/specification", version: 2 },
    recognise: |incoming: &Incoming<'_>| {
        incoming.evidence(b"{[", &["application/json", "application/json-rpc", "application/jsonrequest"])
    },
    answer,
    read_answer,
    text: |document| String::from_utf8_lossy(document).into_owned(),
};

fn write_call(name: &str, params: &[Value]) -> Written {
    let mut members = vec![("jsonrpc", Value::from("2.0")), ("id", Value::from(1)), ("method", Value::from(name))];
    if !params.is_empty() {
        members.push(("params", Value::Array(params.to_vec())));
    }
    Written::Json(Value::Struct(members.into_iter().collect()))
}

fn write_answer(result: &Value) -> Written {
    let members = [("jsonrpc", Value::from("2.0")), ("result", result.clone()), ("id", Value::from(1))];
    Written::Json(Value::Struct(Members::from(members)))
}

fn read_answer(document: &[u8]) -> Result<Result<Value, Fault>, Error> {
    let options = json::JsonOptions { limits: Limits::default(), large_integers_as_text: false };
    let mut text = JsonText::new(document, &options)?;
    match text.peek() {
        Some(b'[') => text.value().map(Ok),
        _ => Ok(response_from_slice(document)?.outcome.map_err(Fault::from)),
    }
}

/// Answers a document, with nothing if it holds only notifications.
fn answer(document: &[u8], options: &protocol::Options, dispatch: &Dispatch<'_>) -> Answer {
    let protocol::Options { limits, large_integers_as_text, .. } = *options;
    let options = &JsonOptions { limits, large_integers_as_text };
    let mut answers = Answers { options, dispatch, out: Vec::with_capacity(256) };
    if let Err(fault) = answers.document(document) {
        answers.out.clear();
        answers.error(&Envelope::default(), &fault);
    }
    match answers.out.is_empty() {
        true => Answer::nothing(),
        false => Answer::ok(HeaderValue::from_static("application/json"), answers.out),
    }
}

/// The answers to a document, as they are written.
struct Answers<'a> {
    options: &'a JsonOptions,
    dispatch: &'a Dispatch<'a>,
    out: Vec<u8>,
}

impl Answers<'_> {
    /// # Errors
    /// If the document is not JSON, or over a limit: nothing has run then.
    fn document(&mut self, document: &[u8]) -> Result<(), Fault> {
        let limits = &self.options.limits;
        if document.len() > limits.body {
            let message = format!("a document of {} octets, longer than {}", document.len(), limits.body);
            return Err(Fault::new(Fault::INVALID_CALL, message));
        }
        let mut text = JsonText::new(document, self.options)?;
        match text.take(b'[') {
            true => self.batch(&mut text),
            false => {
                self.request(Request::new(&mut text, true), self.dispatch);
                Ok(())
            }
        }
    }

    fn batch(&mut self, text: &mut JsonText<'_>) -> Result<(), Fault> {
        let dispatch = self.dispatch;
        // multicall inside a batch is refused: together they would evade both limits
        let dispatch = &|name: &str, params: Params<'_, '_>| match name {
            MULTICALL => Err(Fault::new(Fault::INVALID_CALL, format!("{MULTICALL} inside a batch"))),
            name => dispatch(name, params),
        };
        for at in requests(text, self.options.limits.calls)? {
            text.go_to(at);
            let (before, start) = (self.out.len(), self.out.len() + 1);
            self.out.push(if before == 0 { b'[' } else { b',' });
            self.request(Request::new(text, false), dispatch);
            if self.out.len() == start {
                self.out.truncate(before);
            }
        }
        if !self.out.is_empty() {
            self.out.push(b']');
        }
        Ok(())
    }

    /// Answers one request; a notification gets no answer.
    fn request(&mut self, mut request: Request<'_, '_>, dispatch: &Dispatch<'_>) {
        let start = self.out.len();
        let answered = catch_panic(|| {
            let outcome = request.call(dispatch);
            if let Err(fault) = &outcome {
                log::debug!("fault {fault}");
            }
            match outcome {
                _ if request.is_notification() => {}
                Ok(reply) => self.result(&request.envelope, &reply),
                Err(fault) => self.error(&request.envelope, &fault),
            }
        });
        if let Err(fault) = answered {
            log::error!("a call {}", fault.cause().unwrap_or_default());
            self.out.truncate(start);
            let fault = request.finish().err().unwrap_or(fault);
            if !request.is_notification() {
                self.error(&request.envelope, &fault);
            }
        }
    }

    fn result(&mut self, envelope: &Envelope<'_>, reply: &Reply) {
        let start = self.out.len();
        self.out.extend_from_slice(match envelope.version() {
            Version::Two => b"{\"jsonrpc\":\"2.0\",\"result\":",
            Version::One => b"{\"result\":",
        });
        if let Err(error) = reply.write_json(self.options, &mut self.out) {
            self.out.truncate(start);
            let fault = error.into_fault();
            log::debug!("fault {fault}");
            return self.error(envelope, &fault);
        }
        if let Version::One = envelope.version() {
            self.out.extend_from_slice(b",\"error\":null");
        }
        self.end(envelope);
    }

    fn error(&mut self, envelope: &Envelope<'_>, fault: &Fault) {
        self.out.extend_from_slice(match envelope.version() {
            Version::Two => b"{\"jsonrpc\":\"2.0\",\"error\":{\"code\":",
            Version::One => b"{\"result\":null,\"error\":{\"code\":",
        });
        self.out.extend_from_slice(itoa::Buffer::new().format(fault.code).as_bytes());
        self.out.extend_from_slice(b",\"message\":");
        json::write_string(&fault.message, &mut self.out);
        if let Some(data) = fault.data() {
            self.out.extend_from_slice(b",\"data\":");
            self.out.extend_from_slice(data.to_string().as_bytes());
        }
        self.out.push(b'}');
        self.end(envelope);
    }

    fn end(&mut self, envelope: &Envelope<'_>) {
        self.out.extend_from_slice(b",\"id\":");
        self.out.extend_from_slice(envelope.id.unwrap_or("null").as_bytes());
        self.out.push(b'}');
    }
}

/// Returns the places of the requests in a batch, whose bracket was read.
fn requests(text: &mut JsonText<'_>, limit: usize) -> Result<Vec<usize>, Fault> {
    let mut requests = Vec::new();
    while text.next_item(requests.is_empty(), b']')? {
        if requests.len() == limit {
            return Err(Fault::new(Fault::INVALID_CALL, format!("more than {limit} calls in one batch")));
        }
        requests.push(text.at());
        text.skip()?;
    }
    expect_end(text)?;
    match requests.is_empty() {
        true => Err(Fault::new(Fault::INVALID_CALL, "expected at least one request in a batch, found none")),
        false => Ok(requests),
    }
}

#[cfg(test)]
mod tests {
    use http::StatusCode;

    use super::super::request_to_vec;
    use super::*;
    use crate::call::ParamName;
    use crate::wire::xml::Encoding;

    /// Calls `subtract`, `sum`, `get_data` and `echo`; `panic` panics, and no other name is found.
    fn dispatch(name: &str, mut params: Params<'_, '_>) -> Result<Reply, Fault> {
        let mut next = |index, name| match params.next::<i64>(ParamName { index, name: Some(name) }) {
            Ok(Some(number)) => Ok(number),
            _ => Err(Fault::new(Fault::INVALID_PARAMS, "Invalid params")),
        };
        match name {
            "subtract" => Ok(Reply::new(next(0, "minuend")? - next(1, "subtrahend")?)),
            "sum" => Ok(Reply::new(next(0, "a")? + next(1, "b")? + next(2, "c")?)),
            "get_data" => Ok(Reply::new(("hello", 5))),
            "large" => Ok(Reply::new(i64::MAX)),
            "nan" => Ok(Reply::new([f64::NAN])),
            "panic" => panic!("oh"),
            "data" => Err(Fault::new(7, "full").with_data(serde_json::json!({ "seats": 40 }))),
            _ => Err(Fault::new(Fault::METHOD_NOT_FOUND, "Method not found")),
        }
    }

    fn answered(document: &[u8]) -> Answer {
        let limits = Limits { body: 600, calls: 6, ..Limits::default() };
        let options = protocol::Options {
            limits,
            encoding: Encoding::UTF_8,
            nil: true,
            compat: None,
            large_integers_as_text: true,
        };
        answer(document, &options, &dispatch)
    }

    fn text(document: &str) -> String {
        String::from_utf8(answered(document.as_bytes()).body).unwrap()
    }

    #[test]
    fn calls_roundtrip() {
        let request = request_to_vec("subtract", &(42, 23), "ü\"").unwrap();
        let response = response_from_slice::<i64>(&answered(&request).body).unwrap();
        assert_eq!((response.id, response.outcome), (Some("ü\"".into()), Ok(19)));
        let Written::Json(call) = (JSON_RPC.dialect.write_call)("subtract", &[42.into(), 23.into()]) else {
            panic!("a document of JSON-RPC is JSON");
        };
        let answer = answered(serde_json::to_string(&call).unwrap().as_bytes());
        assert_eq!((JSON_RPC.read_answer)(&answer.body).unwrap(), Ok(19.into()));
        let batch = Value::Array(vec![call]);
        let answer = answered(serde_json::to_string(&batch).unwrap().as_bytes());
        let read = (JSON_RPC.read_answer)(&answer.body).unwrap().unwrap();
        assert!(matches!(&read, Value::Array(items) if items[0].member("result") == Some(&19.into())), "{read:?}");
    }

    /// Requests and responses of <https://www.jsonrpc.org/specification>, and of 1.0.
    #[test]
    fn answers_spec() {
        for (document, expected) in [
            (
                r#"{"jsonrpc": "2.0", "method": "subtract", "params": [23, 42], "id": 2}"#,
                r#"{"jsonrpc":"2.0","result":-19,"id":2}"#,
            ),
            (
                r#"{"jsonrpc": "2.0", "method": "subtract", "params": {"subtrahend": 23, "minuend": 42}, "id": 3}"#,
                r#"{"jsonrpc":"2.0","result":19,"id":3}"#,
            ),
            (
                r#"{"jsonrpc": "2.0", "method": "foobar", "id": "1"}"#,
                r#"{"jsonrpc":"2.0","error":{"code":-32601,"message":"Method not found"},"id":"1"}"#,
            ),
            (
                r#"[{"jsonrpc": "2.0", "method": "sum", "params": [1,2,4], "id": "1"},
                    {"jsonrpc": "2.0", "method": "notify_hello", "params": [7]},
                    {"jsonrpc": "2.0", "method": "subtract", "params": [42,23], "id": "2"},
                    {"foo": "boo"},
                    {"jsonrpc": "2.0", "method": "foo.get", "params": {"name": "myself"}, "id": "5"},
                    {"jsonrpc": "2.0", "method": "get_data", "id": "9"}]"#,
                concat!(
                    r#"[{"jsonrpc":"2.0","result":7,"id":"1"},{"jsonrpc":"2.0","result":19,"id":"2"},"#,
                    r#"{"jsonrpc":"2.0","error":{"code":-32600,"message":"#,
                    r#""expected member \"method\", found none"},"id":null},"#,
                    r#"{"jsonrpc":"2.0","error":{"code":-32601,"message":"Method not found"},"id":"5"},"#,
                    r#"{"jsonrpc":"2.0","result":["hello",5],"id":"9"}]"#,
                ),
            ),
            (r#"{"method": "subtract", "params": [3, 1], "id": 1}"#, r#"{"result":2,"error":null,"id":1}"#),
            (
                r#"{"method": "x", "params": [], "id": 1}"#,
                r#"{"result":null,"error":{"code":-32601,"message":"Method not found"},"id":1}"#,
            ),
            (
                r#"{"jsonrpc": "2.0", "method": "data", "id": 1}"#,
                r#"{"jsonrpc":"2.0","error":{"code":7,"message":"full","data":{"seats":40}},"id":1}"#,
            ),
            (
                r#"{"jsonrpc": "2.0", "method": "large", "id": 1}"#,
                r#"{"jsonrpc":"2.0","result":"9223372036854775807","id":1}"#,
            ),
        ] {
            assert_eq!(text(document), expected);
        }
        for document in [r#"{"jsonrpc": "2.0", "method": "foobar"}"#, r#"[{"jsonrpc": "2.0", "method": "panic"}]"#] {
            let answer = answered(document.as_bytes());
            assert_eq!((answer.status, answer.content_type, answer.body.len()), (StatusCode::NO_CONTENT, None, 0));
        }
        let answer = answered(br#"{"method": "large", "id": 1}"#);
        assert_eq!(
            (answer.status, answer.content_type.unwrap()),
            (StatusCode::OK, "application/json".parse().unwrap())
        );
    }

    #[test]
    fn documents_invalid() {
        for (document, code, expected) in [
            (
                r#"{"jsonrpc": "2.0", "method": "foobar, "params": "bar", "baz]"#,
                -32700,
                "expected `,` or `}`, found `p` at line 1 column 40",
            ),
            (
                r#"[{"jsonrpc": "2.0", "method": "sum", "id": "1"}, {"method"]"#,
                -32700,
                "expected `:` at line 1 column 59",
            ),
            ("[]", -32600, "expected at least one request in a batch, found none"),
            ("[1,1,1,1,1,1,1]", -32600, "more than 6 calls in one batch"),
            ("[1] x", -32700, "expected the end, found `x` at line 1 column 5"),
            (r#"{"jsonrpc": "2.0", "method": "panic", "id": null}"#, -32603, "internal error"),
            (
                r#"{"jsonrpc": "2.0", "method": "nan", "id": null}"#,
                -32603,
                "the result cannot be written: NaN is no double of JSON, at [0]",
            ),
        ] {
            let fault = Err(Fault::new(code, expected));
            assert_eq!((JSON_RPC.read_answer)(text(document).as_bytes()).unwrap(), fault, "{document}");
        }
        let answer = text(&" ".repeat(601));
        let expected = "a document of 601 octets, longer than 600";
        assert_eq!((JSON_RPC.read_answer)(answer.as_bytes()).unwrap(), Err(Fault::new(-32600, expected)));
        let answer = text(r#"[{"method": "system.multicall", "params": [[]], "id": 1}]"#);
        let expected =
            r#"[{"result":null,"error":{"code":-32600,"message":"system.multicall inside a batch"},"id":1}]"#;
        assert_eq!(answer, expected);
    }
}
