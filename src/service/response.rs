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

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    fn whole(response: &Response) -> (u16, &[u8]) {
        (response.status.as_u16(), &response.body)
    }

    #[test]
    fn responses_roundtrip() {
        let cookie = |value| (header::SET_COOKIE, HeaderValue::from_static(value));
        let response = Response::new(StatusCode::CREATED, HeaderValue::from_static("text/x"), "body");
        let response = [cookie("a=1"), cookie("b=2")]
            .into_iter()
            .fold(response, |response, (name, value)| response.with(name, value));
        assert_eq!(response.header(&header::SET_COOKIE).unwrap(), "a=1");
        let converted: http::Response<Bytes> = response.clone().into();
        assert_eq!((converted.status(), converted.body()), (response.status, &response.body));
        let cookies: Vec<_> = converted.headers().get_all(header::SET_COOKIE).iter().collect();
        assert_eq!(cookies, ["a=1", "b=2"]);
        assert_eq!(converted.headers()[header::CONTENT_TYPE], "text/x");
        assert_eq!(converted.headers()[header::CONTENT_LENGTH], "4");
    }

    /// Content of responses by RFC 9110 §8.6 and §9.3.2.
    #[test]
    fn content_spec() {
        for (status, head_only, length, content) in [
            (StatusCode::OK, false, Some(2), "x\n"),
            (StatusCode::OK, true, Some(2), ""),
            (StatusCode::NOT_MODIFIED, true, None, ""),
        ] {
            let response = Response { head_only, ..Response::text(status, "x") };
            assert_eq!(response.content_length(), length);
            let converted: http::Response<Bytes> = response.into();
            assert_eq!(converted.body(), content);
            assert_eq!(converted.headers().contains_key(header::CONTENT_LENGTH), length.is_some());
        }
        let empty = Response::empty(StatusCode::NO_CONTENT);
        assert_eq!((empty.content_length(), empty.headers.len(), empty.into_content().len()), (None, 0, 0));
        let text = Response::text(StatusCode::OK, "x");
        assert_eq!(text.header(&header::CONTENT_TYPE).unwrap(), "text/plain; charset=utf-8");
        assert_eq!(text.header(&header::X_CONTENT_TYPE_OPTIONS).unwrap(), "nosniff");
    }

    #[test]
    fn requests_invalid() {
        assert_eq!(whole(&Response::nothing_at("/a\n\"")), (404, &b"there is nothing at /a\\n\\\"\n"[..]));
        assert_eq!(whole(&Response::too_large(10)), (413, &b"the body has more than 10 octets\n"[..]));
        for (wait, seconds) in [(0, "1"), (10, "10")] {
            let response = Response::no_room(&Limits { wait: Duration::from_secs(wait), ..Limits::default() });
            let expected = b"there are too many large calls at once: try again later\n";
            assert_eq!(whole(&response), (503, &expected[..]));
            assert_eq!(response.header(&header::RETRY_AFTER).unwrap(), seconds);
        }
    }

    #[test]
    fn headers_invalid() {
        for (name, value, expected) in [
            ("", "x", "expected the name of a header or cookie, found \"\""),
            ("a b", "x", "expected the name of a header or cookie, found \"a b\""),
            ("a\n", "x", "expected the name of a header or cookie, found \"a\\n\""),
            ("X-A", "x\r\ny", "the value of X-A has characters that it cannot have"),
            ("Content-Type", "x", "the header Content-Type is not a method's to set"),
            ("STATUS", "200", "the header STATUS is not a method's to set"),
            ("Access-Control-Allow-Origin", "*", "the header Access-Control-Allow-Origin is not a method's to set"),
        ] {
            assert_eq!(checked_header(name, value).unwrap_err().to_string(), expected);
        }
        for name in RESERVED {
            assert_eq!(checked_header(name, "x"), Err(HeaderError::Reserved(name.to_owned())));
        }
        let (name, value) = checked_header("Cache-Control", "no-store").unwrap();
        assert_eq!((name, value), (header::CACHE_CONTROL, HeaderValue::from_static("no-store")));
    }
}
