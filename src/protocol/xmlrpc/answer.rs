//! The server half: a methodCall in, a methodResponse out; and XML-RPC's row in the table of protocols.

use http::header::HeaderValue;

use super::de::CallReader;
use super::ser::WriteOptions;
use super::{Document, Error, call_to_vec, response_from_slice, response_to_vec, write_fault, write_response};
use crate::call::{Capability, Dispatch, Reply, make_call};
use crate::description::{Dialect, Written};
use crate::protocol::{Answer, Incoming, Options, Protocol};
use crate::wire::fault::{Fault, catch_panic};
use crate::wire::value::Value;
use crate::wire::xml::{Encoding, decode};

/// XML-RPC's row.
pub(crate) static XML_RPC: Protocol = Protocol {
    dialect: Dialect { name: "xml-rpc", title: "XML-RPC", media_type: "text/xml", write_call, write_answer },
    capability: Capability { name: "xmlrpc", url: "http://www.xmlrpc.com/spec", version: 1 },
    recognise: |incoming: &Incoming<'_>| incoming.evidence(b"<", &["text/xml", "application/xml"]),
    answer,
    read_answer: response_from_slice,
    text,
};

/// Writes a call for people: without the declaration, which says only what is the case anyway, and without params
/// where there are none.
fn write_call(name: &str, params: &[Value]) -> Written {
    // there is no value that it does not have, but for doubles that are no numbers
    match without_declaration(&call_to_vec(name, params).unwrap_or_default()) {
        Written::Text(call) if params.is_empty() => Written::Text(call.replacen("<params></params>", "", 1)),
        call => call,
    }
}

fn write_answer(result: &Value) -> Written {
    without_declaration(&response_to_vec(Ok(result)).unwrap_or_default())
}

fn without_declaration(document: &[u8]) -> Written {
    let document = String::from_utf8_lossy(document.trim_ascii_end());
    Written::Text(document.split_once("?>\n").map_or(&*document, |(_, root)| root).to_owned())
}

fn text(document: &[u8]) -> String {
    let octets = decode(document).unwrap_or(document.into());
    String::from_utf8_lossy(&octets).into_owned()
}

/// Answers a document: a methodCall by a methodResponse, anything else by a fault.
fn answer(document: &[u8], options: &Options, dispatch: &Dispatch<'_>) -> Answer {
    // methods catch their own panics; this is for the types they take and return
    let answered = catch_panic(|| {
        let outcome = call(document, options, dispatch);
        if let Err(fault) = &outcome {
            log::debug!("fault {fault}");
        }
        let write_options = WriteOptions { nil: options.nil, limit: options.limits.response };
        write_response(outcome.as_ref(), options.encoding, write_options).unwrap_or_else(|error| {
            let fault = as_told("", error.into_fault(), options);
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

fn call(document: &[u8], options: &Options, dispatch: &Dispatch<'_>) -> Result<Reply, Fault> {
    let limits = &options.limits;
    let not_read = |error: Error| as_told("", error.into(), options);
    let document = Document::new(document, limits).map_err(not_read)?;
    let (method_name, mut params) = CallReader::new(&document.0, limits).map_err(not_read)?;
    make_call(dispatch, &method_name, &mut params).map_err(|fault| as_told(&method_name, fault, options))
}

/// Puts a fault of a call into the words of the system that is imitated, if there is one.
fn as_told(name: &str, fault: Fault, options: &Options) -> Fault {
    match options.compat {
        Some(compat) => compat.fault(name, fault),
        None => fault,
    }
}

fn text_xml(encoding: Encoding) -> HeaderValue {
    if encoding == Encoding::UTF_8 {
        return HeaderValue::from_static("text/xml; charset=utf-8");
    }
    HeaderValue::try_from(format!("text/xml; charset={encoding}")).unwrap_or(HeaderValue::from_static("text/xml"))
}

#[cfg(test)]
mod tests {
    use http::StatusCode;

    use super::*;
    use crate::call::{ParamError, Params, Values};
    use crate::service::Limits;

    /// Returns the params; a method `panic` panics, and any other name is not found.
    fn dispatch(name: &str, params: Params<'_, '_>) -> Result<Reply, Fault> {
        match name {
            "echo" => match params.into_values() {
                Ok(Values::ByPosition(values)) => Ok(Reply::new(values)),
                Ok(Values::ByName(_)) => unreachable!("XML-RPC has no named params"),
                Err(ParamError::Document(fault)) => Err(fault),
                Err(ParamError::Mismatch(mismatch)) => Err(Fault::new(Fault::INVALID_PARAMS, mismatch.message)),
            },
            "nan" => Ok(Reply::new([f64::NAN])),
            "panic" => panic!("oh"),
            _ => Err(Fault::new(Fault::METHOD_NOT_FOUND, format!("no {name}"))),
        }
    }

    fn answered(document: &[u8], encoding: Encoding) -> Answer {
        let limits = Limits { body: 200, ..Limits::default() };
        answer(
            document,
            &Options { limits, encoding, nil: true, compat: None, large_integers_as_text: false },
            &dispatch,
        )
    }

    #[test]
    fn calls_roundtrip() {
        for params in [vec![], vec![Value::Int(1)], vec!["ü<".into(), Value::Nil, vec![Value::from(1.5)].into()]] {
            let Written::Text(call) = (XML_RPC.dialect.write_call)("echo", &params) else {
                panic!("a document of XML-RPC is a text");
            };
            assert!(call.starts_with("<methodCall><methodName>echo</methodName>"));
            let limits = Options {
                limits: Limits::default(),
                encoding: Encoding::US_ASCII,
                compat: None,
                nil: true,
                large_integers_as_text: false,
            };
            let answer = answer(call.as_bytes(), &limits, &dispatch);
            assert_eq!((XML_RPC.read_answer)(&answer.body).unwrap(), Ok(Value::Array(params)));
        }
    }

    #[test]
    fn answers_spec() {
        let call = b"<methodCall><methodName>echo</methodName><params><param><value>\xC3\xBC</value></param></params>\
                     </methodCall>";
        for (encoding, content_type, octets) in [
            (Encoding::UTF_8, "text/xml; charset=utf-8", &b"\xC3\xBC"[..]),
            ("iso-8859-1".parse().unwrap(), "text/xml; charset=iso-8859-1", b"\xFC"),
            (Encoding::US_ASCII, "text/xml; charset=us-ascii", b"&#252;"),
        ] {
            let answer = answered(call, encoding);
            assert_eq!(answer.status, StatusCode::OK);
            assert_eq!(answer.content_type.unwrap(), content_type);
            let start = format!(
                "<?xml version=\"1.0\" encoding=\"{encoding}\"?>\n<methodResponse><params><param><value><array><data>\
                 <value><string>"
            );
            let end = b"</string></value></data></array></value></param></params></methodResponse>\n";
            assert_eq!(answer.body, [start.as_bytes(), octets, end].concat());
        }
        assert_eq!(
            (XML_RPC.text)(b"<?xml version='1.0' encoding='latin1'?>\xFC"),
            "<?xml version='1.0' encoding='latin1'?>ü"
        );
    }

    #[test]
    fn calls_invalid() {
        let call = |name: &str, end: &str| format!("<methodCall><methodName>{name}</methodName>{end}");
        let end = "</methodCall>";
        for (document, code, expected) in [
            (call("a", end), -32601, "no a"),
            (call("panic", end), -32603, "internal error"),
            (call("nan", end), -32603, "the result cannot be written: NaN is no double of XML-RPC, at [0]"),
            (call("echo", "</b>"), -32700, "expected </methodCall>, found </b> at line 1 column 42"),
            ("<a/>".into(), -32600, "expected <methodCall>, found <a> at line 1 column 1"),
            (String::new(), -32700, "expected <methodCall>, found the end of the document at line 1 column 1"),
            (" ".repeat(201), -32600, "a document of 201 octets, longer than 200"),
            ("<?xml version='1.0' encoding='x'?>".into(), -32701, "unsupported encoding \"x\" at line 1 column 1"),
            (call("a\u{1}", end), -32702, "character U+0001, which XML does not allow at line 1 column 26"),
            (
                call("echo", "<params><param><value><int>x</int></value></param></params></methodCall>"),
                -32602,
                "expected int a whole number, found \"x\" at line 1 column 57",
            ),
        ] {
            let answer = answered(document.as_bytes(), Encoding::UTF_8);
            assert_eq!(answer.status, StatusCode::OK);
            assert_eq!((XML_RPC.read_answer)(&answer.body).unwrap(), Err(Fault::new(code, expected)), "{document}");
        }
    }
}
