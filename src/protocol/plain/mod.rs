//! A third protocol, for tests alone: proof that one is a folder and a row. A call is a line, `call NAME INT..`.

use http::StatusCode;
use http::header::HeaderValue;

use super::{Answer, Evidence, Incoming, Options, Protocol};
use crate::call::{Capability, Dispatch, ValueParams, Values, make_call};
use crate::description::{Dialect, Written};
use crate::wire::fault::Fault;
use crate::wire::value::{Value, WireTypes};
use crate::wire::{Category, Error};

pub(super) static PLAIN: Protocol = Protocol {
    dialect: Dialect { name: "plain", title: "Plain", media_type: "text/x-plain-call", write_call, write_answer },
    capability: Capability { name: "plain", url: "urn:plain", version: 1 },
    recognise: |incoming: &Incoming<'_>| match incoming.document.starts_with(b"call ") {
        true => Evidence::Root,
        false => incoming.evidence(b"", &["text/x-plain-call"]),
    },
    answer,
    read_answer: |answer| match String::from_utf8_lossy(answer).trim().parse::<i64>() {
        Ok(number) => Ok(Ok(Value::Int(number))),
        Err(error) => Err(Error::new(Category::Structure, error.to_string())),
    },
    text: |document| String::from_utf8_lossy(document).into_owned(),
};

fn write_call(name: &str, params: &[Value]) -> Written {
    let words = params.iter().filter_map(|param| if let Value::Int(number) = param { Some(number) } else { None });
    Written::Text(words.fold(format!("call {name}"), |call, word| format!("{call} {word}")))
}

fn write_answer(result: &Value) -> Written {
    Written::Text(serde_json::to_string(result).unwrap_or_default())
}

fn answer(document: &[u8], _options: &Options, dispatch: &Dispatch<'_>) -> Answer {
    let text = String::from_utf8_lossy(document);
    let mut words = text.split_whitespace().skip(1);
    let name = words.next().unwrap_or_default();
    let params = words.filter_map(|word| word.parse::<i64>().ok()).map(Value::Int).collect();
    let outcome = make_call(dispatch, name, &mut ValueParams::new(Values::ByPosition(params), WireTypes::All));
    let (status, body) = match outcome.map(|reply| serde_json::to_string(&reply)) {
        Ok(Ok(result)) => (StatusCode::OK, result),
        Ok(Err(error)) => (StatusCode::INTERNAL_SERVER_ERROR, error.to_string()),
        Err(Fault { message, .. }) => (StatusCode::UNPROCESSABLE_ENTITY, message),
    };
    Answer { status, content_type: Some(HeaderValue::from_static("text/plain")), body: body.into_bytes() }
}
