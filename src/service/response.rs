//! Responses, and the headers that may be set on them.

use std::fmt;

use bytes::Bytes;
use http::StatusCode;
use http::header::{self, HeaderMap, HeaderName, HeaderValue};

use super::Limits;

/// A response: a status, headers, and a body of whole octets.
///
/// Header values are [`HeaderValue`]s, which cannot hold CR or LF. `Content-Length` is not among them: every gateway
/// writes it from the body.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Response {
    /// The status.
    pub status: StatusCode,
    /// The headers, in order.
    pub headers: Vec<(HeaderName, HeaderValue)>,
    /// The body. A copy of it costs nothing.
    pub body: Bytes,
    /// Set for HEAD, whose response describes a body without having one (RFC 9110 §9.3.2).
    pub head_only: bool,
}

impl Response {
    /// Creates a response of this status, with a body of this media type.
    pub fn new(status: StatusCode, content_type: HeaderValue, body: impl Into<Bytes>) -> Response {
        // room for the few that follow
        let mut headers = Vec::with_capacity(4);
        headers.push((header::CONTENT_TYPE, content_type));
        Response { status, headers, body: body.into(), head_only: false }
    }

    /// Creates a response that says in a line of plain text what was wrong.
    pub fn text(status: StatusCode, message: impl Into<String>) -> Response {
        let message = message.into() + "\n";
        Response::new(status, HeaderValue::from_static("text/plain; charset=utf-8"), message)
            .with(header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"))
    }

    /// Returns the response to a request for a path that is not served.
    pub(crate) fn nothing_at(path: &str) -> Response {
        Response::text(StatusCode::NOT_FOUND, format!("there is nothing at {}", path.escape_debug()))
    }

    /// Returns the response to a body of more than `limit` octets.
    pub(crate) fn too_large(limit: usize) -> Response {
        Response::text(StatusCode::PAYLOAD_TOO_LARGE, format!("the body has more than {limit} octets"))
    }

    /// Returns the response to a call that has waited in vain for memory.
    pub(crate) fn no_room(limits: &Limits) -> Response {
        let seconds = limits.wait.as_secs().max(1);
        Response::text(StatusCode::SERVICE_UNAVAILABLE, "there are too many large calls at once: try again later")
            .with(header::RETRY_AFTER, seconds.into())
    }

    /// Creates a response without a body.
    pub fn empty(status: StatusCode) -> Response {
        Response { status, headers: Vec::new(), body: Bytes::new(), head_only: false }
    }

    /// Adds a header.
    pub fn with(mut self, name: HeaderName, value: HeaderValue) -> Response {
        self.headers.push((name, value));
        self
    }

    /// Returns the value of the first header of this name.
    pub fn header(&self, name: &HeaderName) -> Option<&HeaderValue> {
        self.headers.iter().find(|(key, _)| key == name).map(|(_, value)| value)
    }

    /// Returns the octets to send after the head: the body, or nothing where there must be none.
    pub(crate) fn into_content(self) -> Bytes {
        if self.head_only { Bytes::new() } else { self.body }
    }

    /// Returns the `Content-Length` to write; `None` for a response that cannot have one (RFC 9110 §8.6).
    pub(crate) fn content_length(&self) -> Option<usize> {
        let none = matches!(self.status, StatusCode::NO_CONTENT | StatusCode::NOT_MODIFIED);
        (!none).then_some(self.body.len())
    }
}

/// Converts to a response of the `http` crate, as axum and hyper have it.
/// A header that a method or guard cannot set.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum HeaderError {
    /// The name is none that a header can have.
    Name(String),
    /// The value of the header of this name has characters that no header can have.
    Value(String),
    /// The header is written by the gateway or the protocol.
    Reserved(String),
}

impl fmt::Display for HeaderError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            HeaderError::Name(name) => {
                write!(f, "expected the name of a header or cookie, found \"{}\"", name.escape_debug())
            }
            HeaderError::Value(name) => {
                write!(f, "the value of {} has characters that it cannot have", name.escape_debug())
            }
            HeaderError::Reserved(name) => write!(f, "the header {name} is not a method's to set"),
        }
    }
}

impl std::error::Error for HeaderError {}

/// The headers that gateways and protocols write, and those by which a web server does something else than to respond.
const RESERVED: [&str; 23] = [
    "access-control-allow-credentials",
    "access-control-allow-headers",
    "access-control-allow-methods",
    "access-control-allow-origin",
    "access-control-expose-headers",
    "access-control-max-age",
    "allow",
    "connection",
    "content-encoding",
    "content-length",
    "content-type",
    "date",
    "etag",
    "keep-alive",
    "location",
    "proxy-connection",
    "status",
    "te",
    "trailer",
    "transfer-encoding",
    "upgrade",
    "x-content-type-options",
    "x-request-id",
];

/// Parses a header that a method or guard sets.
pub(super) fn checked_header(name: &str, value: &str) -> Result<(HeaderName, HeaderValue), HeaderError> {
    let parsed = HeaderName::try_from(name).map_err(|_| HeaderError::Name(name.to_owned()))?;
    let value = HeaderValue::try_from(value).map_err(|_| HeaderError::Value(name.to_owned()))?;
    match RESERVED.contains(&parsed.as_str()) {
        true => Err(HeaderError::Reserved(name.to_owned())),
        false => Ok((parsed, value)),
    }
}

impl<B: From<Bytes>> From<Response> for http::Response<B> {
    fn from(response: Response) -> http::Response<B> {
        let mut headers = HeaderMap::with_capacity(response.headers.len() + 1);
        for (name, value) in &response.headers {
            headers.append(name.clone(), value.clone());
        }
        if let Some(length) = response.content_length() {
            headers.insert(header::CONTENT_LENGTH, length.into());
        }
        let status = response.status;
        let mut response = http::Response::new(response.into_content().into());
        *response.status_mut() = status;
        *response.headers_mut() = headers;
        response
    }
}
