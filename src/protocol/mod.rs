//! The protocols: how calls are recognised, answered, written and read. Each is a folder, and a row of the table here.
//!
//! | folder | protocol |
//! |---|---|
//! | `xmlrpc` | XML-RPC, a serde format in public |
//! | `jsonrpc` | JSON-RPC 2.0 and the requests of 1.0, its client half in public |
//!
//! A protocol owns the loop over the calls of a document. It calls up through [`Dispatch`], and the method pulls its
//! params down out of the document. It knows no gateway, server, registry nor other protocol.

pub mod jsonrpc;
#[cfg(test)]
mod plain;
pub mod xmlrpc;

use http::StatusCode;
use http::header::HeaderValue;

use crate::call::{Capability, Dispatch};
use crate::description::Dialect;
use crate::service::{Limits, Request};
use crate::wire::Error;
use crate::wire::compat::Compat;
use crate::wire::fault::Fault;
use crate::wire::value::Value;
use crate::wire::xml::Encoding;

/// The table of protocols. Of two that recognise a request by the same evidence the first answers it, and the first of
/// all answers what none recognises.
pub(crate) static PROTOCOLS: &[&Protocol] = &[
    &xmlrpc::XML_RPC,
    &jsonrpc::JSON_RPC,
    #[cfg(test)]
    &plain::PLAIN,
];

/// A row of the table.
pub(crate) struct Protocol {
    /// The protocol as documentation tells of it, which has the writer of calls.
    pub(crate) dialect: Dialect,
    /// Its entry in `system.getCapabilities`.
    pub(crate) capability: Capability,
    /// Tells how a request is recognised as one of this protocol.
    pub(crate) recognise: fn(&Incoming<'_>) -> Evidence,
    /// Answers a document.
    pub(crate) answer: fn(&[u8], &Options, &Dispatch<'_>) -> Answer,
    /// Reads an answer; one to several calls is a result as it stands.
    pub(crate) read_answer: ReadAnswer,
    /// Returns a document as text, whatever encoding it declares.
    pub(crate) text: fn(&[u8]) -> String,
}

/// Reads an answer as a result or a fault.
type ReadAnswer = fn(&[u8]) -> Result<Result<Value, Fault>, Error>;

impl Protocol {
    /// Returns the protocol that a request is written in.
    pub(crate) fn of(incoming: &Incoming<'_>) -> &'static Protocol {
        // the last of the greatest is the first of the table
        let best = PROTOCOLS.iter().rev().max_by_key(|protocol| (protocol.recognise)(incoming));
        best.copied().unwrap_or(PROTOCOLS[0])
    }

    /// Returns all protocols as documentation tells of them.
    pub(crate) fn dialects() -> impl Iterator<Item = &'static Dialect> {
        PROTOCOLS.iter().map(|protocol| &protocol.dialect)
    }
}

/// The settings of a server for all documents, of which each protocol takes its own.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Options {
    pub(crate) limits: Limits,
    /// The encoding of XML that is written; documents that are read declare their own.
    pub(crate) encoding: Encoding,
    /// Set if XML-RPC has nil; if not, it is an error.
    pub(crate) nil: bool,
    /// The system in whose words XML-RPC's faults are told, if they are not our own.
    pub(crate) compat: Option<Compat>,
    /// Set if JSON has integers beyond 2^53 as text.
    pub(crate) large_integers_as_text: bool,
}

/// A request as protocols look at it: its head and its document.
pub(crate) struct Incoming<'a> {
    /// The head, for protocols that mark their requests there.
    #[allow(dead_code, reason = "SOAPAction and MCP's headers are found here")]
    pub(crate) request: &'a Request,
    media_type: Option<&'a str>,
    #[cfg_attr(not(test), allow(dead_code, reason = "SOAP's root element is found here"))]
    pub(crate) document: &'a [u8],
    first_octet: Option<u8>,
}

impl<'a> Incoming<'a> {
    pub(crate) fn new(request: &'a Request, media_type: Option<&'a str>, document: &'a [u8]) -> Incoming<'a> {
        // white space, byte order marks, and what stands beside ASCII in UTF-16
        let is_significant =
            |octet: &u8| !matches!(octet, b' ' | b'\t' | b'\r' | b'\n' | 0 | 0xEF | 0xBB | 0xBF | 0xFE | 0xFF);
        Incoming { request, media_type, document, first_octet: document.iter().copied().find(is_significant) }
    }

    /// Returns the evidence that the first octet, or else the media type gives.
    pub(crate) fn evidence(&self, first_octets: &[u8], media_types: &[&str]) -> Evidence {
        let is_known = |found: &str| media_types.iter().any(|media_type| found.eq_ignore_ascii_case(media_type));
        if self.first_octet.is_some_and(|octet| first_octets.contains(&octet)) {
            Evidence::FirstOctet
        } else if self.media_type.is_some_and(is_known) {
            Evidence::MediaType
        } else {
            Evidence::None
        }
    }
}

/// The sign by which a protocol recognises a request, the strongest last.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Evidence {
    None,
    /// The `Content-Type`: clients send the wrong one.
    MediaType,
    /// The first significant octet of the document.
    FirstOctet,
    /// The name of the root element, or the like: no other protocol has it.
    #[cfg_attr(not(test), allow(dead_code, reason = "SOAP's envelope is one"))]
    Root,
}

/// An answer to a document.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: StatusCode,
    /// `None` where there is no body.
    pub(crate) content_type: Option<HeaderValue>,
    pub(crate) body: Vec<u8>,
}

impl Answer {
    /// Creates an answer of status 200.
    pub(crate) fn ok(content_type: HeaderValue, body: Vec<u8>) -> Answer {
        Answer { status: StatusCode::OK, content_type: Some(content_type), body }
    }

    /// Creates the answer to a document that asks for none: 204.
    pub(crate) fn nothing() -> Answer {
        Answer { status: StatusCode::NO_CONTENT, content_type: None, body: Vec::new() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn name_of(document: &[u8], media_type: Option<&str>) -> &'static str {
        let request = Request::new(|_: &str| None, Vec::new());
        Protocol::of(&Incoming::new(&request, media_type, document)).dialect.name
    }

    #[test]
    fn the_first_significant_octet_decides() {
        let utf16 = |text: &str| text.encode_utf16().flat_map(u16::to_le_bytes).collect::<Vec<u8>>();
        for media_type in [None, Some("text/xml"), Some("application/json")] {
            for document in ["{}", " \r\n\t[", "\u{FEFF}{"] {
                assert_eq!(name_of(document.as_bytes(), media_type), "json-rpc", "{document:?}");
                assert_eq!(name_of(&utf16(document), media_type), "json-rpc", "{document:?}");
            }
            for document in ["<a/>", "\n<", "\u{FEFF}<"] {
                assert_eq!(name_of(document.as_bytes(), media_type), "xml-rpc", "{document:?}");
                assert_eq!(name_of(&utf16(document), media_type), "xml-rpc", "{document:?}");
            }
        }
    }

    #[test]
    fn where_it_does_not_the_media_type_does() {
        for document in ["", "  ", "nonsense", "\"x\"", "5"] {
            for media_type in ["application/json", "Application/JSON-RPC", "application/jsonrequest"] {
                assert_eq!(name_of(document.as_bytes(), Some(media_type)), "json-rpc");
            }
            for media_type in [None, Some("text/xml"), Some("application/jsonp")] {
                assert_eq!(name_of(document.as_bytes(), media_type), "xml-rpc");
            }
        }
    }
}
