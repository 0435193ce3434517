//! The server half: a methodCall in, a methodResponse out; and XML-RPC's row in the table of protocols.

use http::header::HeaderValue;

use super::de::CallReader;
use super::ser::WriteOptions;
use super::{Document, call_to_vec, response_from_slice, write_fault, write_response};
use crate::call::{Capability, Dispatch, Reply, make_call};
use crate::description::{Dialect, WrittenCall};
use crate::protocol::{Answer, Incoming, Options, Protocol};
use crate::service::Limits;
use crate::wire::fault::{Fault, catch_panic};
use crate::wire::value::Value;
use crate::wire::xml::{Encoding, decode};

/// XML-RPC's row.
pub(crate) static XML_RPC: Protocol = Protocol {
    dialect: Dialect { name: "xml-rpc", title: "XML-RPC", media_type: "text/xml", write_call },
    capability: Capability { name: "xmlrpc", url: "http://www.xmlrpc.com/spec", version: 1 },
    recognise: |incoming: &Incoming<'_>| incoming.evidence(b"<", &["text/xml", "application/xml"]),
    answer,
    read_answer: response_from_slice,
    text,
};

/// Writes a call for people: without the declaration, which says only what is the case anyway.
fn write_call(name: &str, params: &[Value]) -> WrittenCall {
    // there is no value that it does not have, but for doubles that are no numbers
    let call = call_to_vec(name, params).unwrap_or_default();
    let call = String::from_utf8_lossy(call.trim_ascii_end());
    WrittenCall::Text(call.split_once("?>\n").map_or(&*call, |(_, call)| call).to_owned())
}

fn text(document: &[u8]) -> String {
    let octets = decode(document).unwrap_or(document.into());
    String::from_utf8_lossy(&octets).into_owned()
}

/// Answers a document: a methodCall by a methodResponse, anything else by a fault.
fn answer(document: &[u8], options: &Options, dispatch: &Dispatch<'_>) -> Answer {
    // methods catch their own panics; this is for the types they take and return
    let answered = catch_panic(|| {
        let outcome = call(document, &options.limits, dispatch);
        if let Err(fault) = &outcome {
            log::debug!("fault {fault}");
        }
        let write_options = WriteOptions { nil: options.nil, limit: options.limits.response };
        write_response(outcome.as_ref(), options.encoding, write_options).unwrap_or_else(|error| {
            let fault = error.into_fault();
            log::debug!("fault {fault}");
            write_fault(&fault, options.encoding)
        })
    });
    let body = answered.unwrap_or_else(|fault| {
        log::error!("a call {}", fault.cause().unwrap_or_default());
        write_fault(&fault, options.encoding)
    });
    Answer::ok(text_xml(options.encoding), body)
}

fn call(document: &[u8], limits: &Limits, dispatch: &Dispatch<'_>) -> Result<Reply, Fault> {
    let document = Document::new(document, limits)?;
    let (method_name, mut params) = CallReader::new(&document.0, limits)?;
    make_call(dispatch, &method_name, &mut params)
}

fn text_xml(encoding: Encoding) -> HeaderValue {
    if encoding == Encoding::UTF_8 {
        return HeaderValue::from_static("text/xml; charset=utf-8");
    }
    HeaderValue::try_from(format!("text/xml; charset={encoding}")).unwrap_or(HeaderValue::from_static("text/xml"))
}
