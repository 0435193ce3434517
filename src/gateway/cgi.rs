//! CGI (RFC 3875): meta-variables and standard input are the request, standard output is the response.
//!
//! The command line is not looked at. Apache puts the words of a query without `=` there, so it is the client's to
//! choose.

use std::borrow::Cow;
use std::io::{self, Read, Write};
use std::os::unix::ffi::OsStringExt;

use http::StatusCode;

use crate::limits::Limits;
use crate::service::{MetaVariables, Request, Response, Service};

/// Whether the environment is that of a CGI program: servers set `REQUEST_METHOD` without fail, and
/// `GATEWAY_INTERFACE` as RFC 3875 §4.1.4 has it.
pub(crate) fn is_environment() -> bool {
    ["REQUEST_METHOD", "GATEWAY_INTERFACE"].iter().any(|name| Environment.get(name).is_some())
}

/// Answers the one request that the environment and standard input have.
///
/// # Errors
/// If the response could not be written.
pub(crate) fn serve(service: &dyn Service) -> io::Result<()> {
    let response = match read_request(Environment, Stdin, service.limits()) {
        Ok(request) => service.handle(&request),
        Err(response) => response,
    };
    write_response(response, Stdout)
}

/// Writes a response for a program that cannot serve; the cause is the log's.
///
/// # Errors
/// If it could not be written.
pub(crate) fn fail() -> io::Result<()> {
    write_response(Response::text(StatusCode::INTERNAL_SERVER_ERROR, "this service is out of order"), Stdout)
}

/// The environment of the process. It is not copied: a variable is looked up when somebody asks for it.
struct Environment;

impl MetaVariables for Environment {
    fn get(&self, name: &str) -> Option<Cow<'_, [u8]>> {
        Some(std::env::var_os(name)?.into_vec().into())
    }
}

/// Standard input without a buffer: what is asked for is read, in as few calls as it takes.
struct Stdin;

impl Read for Stdin {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        Ok(rustix::io::read(rustix::stdio::stdin(), buffer)?)
    }
}

/// Standard output without a buffer.
struct Stdout;

impl Write for Stdout {
    fn write(&mut self, octets: &[u8]) -> io::Result<usize> {
        Ok(rustix::io::write(rustix::stdio::stdout(), octets)?)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// Makes the request; only a POST has a body worth reading.
///
/// # Errors
/// The response to a request that cannot be had: 400 or 413.
fn read_request(
    variables: impl MetaVariables + 'static,
    input: impl Read,
    limits: &Limits,
) -> Result<Request, Response> {
    let is_post = variables.get("REQUEST_METHOD").is_some_and(|method| *method == *b"POST");
    let body = match is_post {
        true => read_body(&ContentLength::of(&variables)?, input, limits.body)?,
        false => Vec::new(),
    };
    Ok(Request::new(variables, body))
}

/// How long the body is (RFC 3875 §4.1.2).
#[derive(Debug, PartialEq, Eq)]
enum ContentLength {
    /// Exactly so many octets.
    Octets(usize),
    /// More than can be counted.
    Beyond,
    /// As many as come: the client sent the body in chunks, which the server has joined. Some servers then set no
    /// length, some an empty one, some -1.
    ToTheEnd,
}

impl ContentLength {
    fn of(variables: &impl MetaVariables) -> Result<ContentLength, Response> {
        let value = variables.get("CONTENT_LENGTH").unwrap_or_default();
        match value.trim_ascii() {
            b"" | b"-1" => Ok(ContentLength::ToTheEnd),
            digits if digits.iter().all(u8::is_ascii_digit) => {
                let text = std::str::from_utf8(digits).unwrap_or_default();
                Ok(text.parse().map_or(ContentLength::Beyond, ContentLength::Octets))
            }
            other => {
                let message = format!("expected a number as Content-Length, found \"{}\"", other.escape_ascii());
                Err(Response::text(StatusCode::BAD_REQUEST, message))
            }
        }
    }
}

/// Reads the body: exactly as many octets as declared (RFC 3875 §4.2), no more even if the server leaves the pipe open,
/// and nothing at all if they are over the limit.
fn read_body(length: &ContentLength, input: impl Read, limit: usize) -> Result<Vec<u8>, Response> {
    let (capacity, most) = match *length {
        ContentLength::Octets(octets) if octets <= limit => (octets, octets),
        ContentLength::Octets(_) | ContentLength::Beyond => return Err(Response::too_large(limit)),
        ContentLength::ToTheEnd => (0, limit.saturating_add(1)),
    };
    let mut body = Vec::with_capacity(capacity);
    input.take(most as u64).read_to_end(&mut body).map_err(|error| {
        log::warn!("the body cannot be read: {error}");
        Response::text(StatusCode::BAD_REQUEST, "the body cannot be read")
    })?;
    match *length {
        ContentLength::Octets(octets) if body.len() < octets => {
            let message = format!("expected a body of {octets} octets, found {}", body.len());
            Err(Response::text(StatusCode::BAD_REQUEST, message))
        }
        ContentLength::ToTheEnd if body.len() > limit => Err(Response::too_large(limit)),
        _ => Ok(body),
    }
}

/// Writes a document response (RFC 3875 §6.2.1).
fn write_response(response: Response, mut output: impl Write) -> io::Result<()> {
    /// A body up to this size goes out with the head in one write; copying a longer one would cost more than that.
    const SMALL: usize = 64 << 10;

    let mut head = Vec::with_capacity(512);
    head.extend_from_slice(b"Status: ");
    head.extend_from_slice(response.status.as_str().as_bytes());
    head.push(b' ');
    head.extend_from_slice(response.status.canonical_reason().unwrap_or("Unknown").as_bytes());
    for (name, value) in &response.headers {
        head.extend_from_slice(b"\r\n");
        head.extend_from_slice(name.as_str().as_bytes());
        head.extend_from_slice(b": ");
        head.extend_from_slice(value.as_bytes());
    }
    if let Some(length) = response.content_length() {
        head.extend_from_slice(b"\r\ncontent-length: ");
        head.extend_from_slice(itoa::Buffer::new().format(length).as_bytes());
    }
    head.extend_from_slice(b"\r\n\r\n");
    let content = response.into_content();
    if content.len() <= SMALL {
        head.extend_from_slice(&content);
        return output.write_all(&head);
    }
    output.write_all(&head)?;
    output.write_all(&content)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn content_length(value: &'static str) -> Result<ContentLength, String> {
        let variables = move |name: &str| (name == "CONTENT_LENGTH").then(|| value.as_bytes().into());
        ContentLength::of(&variables).map_err(|response| String::from_utf8(response.body).unwrap())
    }

    #[test]
    fn content_length_in_every_form() {
        for value in ["", "  ", "-1"] {
            assert_eq!(content_length(value), Ok(ContentLength::ToTheEnd), "{value:?}");
        }
        assert_eq!(content_length("0"), Ok(ContentLength::Octets(0)));
        assert_eq!(content_length(" 012 "), Ok(ContentLength::Octets(12)));
        assert_eq!(content_length("99999999999999999999999"), Ok(ContentLength::Beyond));
        for value in ["-2", "+5", "5abc", "0x10", "1.5", "5, 5"] {
            let message = format!("expected a number as Content-Length, found \"{value}\"\n");
            assert_eq!(content_length(value), Err(message), "{value:?}");
        }
    }

    fn body(length: ContentLength, input: &[u8]) -> Result<Vec<u8>, (u16, String)> {
        read_body(&length, input, 10)
            .map_err(|response| (response.status.as_u16(), String::from_utf8(response.body).unwrap()))
    }

    #[test]
    fn body_is_as_long_as_declared() {
        use ContentLength::{Beyond, Octets, ToTheEnd};

        assert_eq!(body(Octets(5), b"hello, and more"), Ok(b"hello".to_vec()));
        assert_eq!(body(Octets(0), b"hello"), Ok(Vec::new()));
        assert_eq!(body(ToTheEnd, b"hello"), Ok(b"hello".to_vec()));
        assert_eq!(body(Octets(6), b"hello"), Err((400, "expected a body of 6 octets, found 5\n".into())));
        let too_large = || Err((413, "the body has more than 10 octets\n".into()));
        assert_eq!(body(ToTheEnd, b"hello, world"), too_large());
        assert_eq!(body(Octets(11), b""), too_large());
        assert_eq!(body(Beyond, b""), too_large());
    }

    /// Fails if it is read.
    struct Untouched;

    impl Read for Untouched {
        fn read(&mut self, _: &mut [u8]) -> io::Result<usize> {
            Err(io::Error::other("it was read"))
        }
    }

    #[test]
    fn nothing_is_read_without_need() {
        assert!(read_body(&ContentLength::Octets(11), Untouched, 10).is_err_and(|response| response.status == 413));
        for method in ["GET", "HEAD", "PUT", ""] {
            let variables = move |name: &str| match name {
                "REQUEST_METHOD" => Some(method.as_bytes().into()),
                "CONTENT_LENGTH" => Some(b"5"[..].into()),
                _ => None,
            };
            assert!(read_request(variables, Untouched, &Limits::default()).is_ok(), "{method}");
        }
    }

    /// Takes a few octets at a time.
    struct Narrow(Vec<u8>);

    impl Write for &mut Narrow {
        fn write(&mut self, octets: &[u8]) -> io::Result<usize> {
            let len = octets.len().min(7);
            self.0.extend_from_slice(&octets[..len]);
            Ok(len)
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    #[test]
    fn response_spec() {
        let response = Response::text(StatusCode::NOT_FOUND, "gone");
        for (head_only, content) in [(false, "gone\n"), (true, "")] {
            let mut output = Narrow(Vec::new());
            write_response(Response { head_only, ..response.clone() }, &mut output).unwrap();
            assert_eq!(
                String::from_utf8(output.0).unwrap(),
                format!(
                    "Status: 404 Not Found\r\ncontent-type: text/plain; charset=utf-8\r\n\
                     x-content-type-options: nosniff\r\ncontent-length: 5\r\n\r\n{content}"
                )
            );
        }
        let mut output = Narrow(Vec::new());
        write_response(Response::empty(StatusCode::NO_CONTENT), &mut output).unwrap();
        assert_eq!(output.0, b"Status: 204 No Content\r\n\r\n");
    }
}
