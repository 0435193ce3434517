//! The server half: documents in, responses out; and JSON-RPC's row in the table of protocols.

use http::header::HeaderValue;

use super::client::response_from_slice;
use super::request::{Envelope, Request, Version, expect_end};
use crate::call::{Capability, Dispatch, MULTICALL, ParamSource, Params, Reply};
use crate::description::{Dialect, WrittenCall};
use crate::protocol::{self, Answer, Incoming, Protocol};
use crate::service::Limits;
use crate::wire::Error;
use crate::wire::fault::{Fault, catch_panic};
use crate::wire::json::{self, Options, Text};
use crate::wire::value::{Members, Value};

/// JSON-RPC's row.
pub(crate) static JSON_RPC: Protocol = Protocol {
    dialect: Dialect { name: "json-rpc", title: "JSON-RPC 2.0", media_type: "application/json", write_call },
    capability: Capability { name: "json-rpc", url: "https://www.jsonrpc.org/specification", version: 2 },
    recognise: |incoming: &Incoming<'_>| {
        incoming.evidence(b"{[", &["application/json", "application/json-rpc", "application/jsonrequest"])
    },
    answer,
    read_answer,
    text: |document| String::from_utf8_lossy(document).into_owned(),
};

fn write_call(name: &str, params: &[Value]) -> WrittenCall {
    WrittenCall::Json(Value::Struct(Members::from([
        ("jsonrpc", Value::from("2.0")),
        ("id", Value::from(1)),
        ("method", Value::from(name)),
        ("params", Value::Array(params.to_vec())),
    ])))
}

fn read_answer(document: &[u8]) -> Result<Result<Value, Fault>, Error> {
    let options = json::Options { limits: Limits::default(), large_integers_as_text: false };
    let mut text = Text::new(document, &options)?;
    match text.peek() {
        Some(b'[') => text.value().map(Ok),
        _ => Ok(response_from_slice(document)?.outcome.map_err(Fault::from)),
    }
}

/// Answers a document, with nothing if it holds only notifications.
fn answer(document: &[u8], options: &protocol::Options, dispatch: &Dispatch<'_>) -> Answer {
    let protocol::Options { limits, large_integers_as_text, .. } = *options;
    let options = &Options { limits, large_integers_as_text };
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
    options: &'a Options,
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
        let mut text = Text::new(document, self.options)?;
        match text.take(b'[') {
            true => self.batch(&mut text),
            false => {
                self.request(Request::new(&mut text, true), self.dispatch);
                Ok(())
            }
        }
    }

    fn batch(&mut self, text: &mut Text<'_>) -> Result<(), Fault> {
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
fn requests(text: &mut Text<'_>, limit: usize) -> Result<Vec<usize>, Fault> {
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
