//! CGI (RFC 3875): meta-variables and standard input are the request, standard output is the response.
//!
//! The command line is ignored. Apache puts the words of a query without `=` there, so the client chooses it.

use std::borrow::Cow;
use std::io::{self, Read, Write};
use std::os::unix::ffi::OsStringExt;
use std::thread;

use http::StatusCode;
use rustix::process::{Resource, getrlimit};

use crate::service::Limits;
use crate::service::{MetaVariables, Request, Response, Service, mark_single_request};

/// Tests whether the environment is that of a CGI program: servers always set `REQUEST_METHOD`, and `GATEWAY_INTERFACE`
/// as RFC 3875 §4.1.4 has it.
pub(crate) fn is_environment() -> bool {
    ["REQUEST_METHOD", "GATEWAY_INTERFACE"].iter().any(|name| Environment.get(name).is_some())
}

/// Answers the one request in the environment and standard input.
///
/// # Errors
/// If the response could not be written.
///
/// # Example
///
/// ```no_run
/// use rpcgi::{Server, gateway::cgi};
///
/// let endpoint = Server::new("Example").method("add", |a: i32, b: i32| a + b).build()?;
/// cgi::serve(&endpoint)?;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub fn serve(service: &dyn Service) -> io::Result<()> {
    mark_single_request();
    match read_request(Environment, Stdin, &service.limits(), |head| service.admit(head)) {
        Ok(request) if request.method() == "POST" => write_response(handle(service, &request), Stdout),
        // its body is no part of the request, and has not been read
        Ok(request) => respond(service.handle(&request)),
        Err(response) => respond(response),
    }
}

/// The size below which a stack does not hold what a document may nest; an overflow ends the process without an answer.
const SMALL_STACK: u64 = 256 << 10;
const STACK: usize = 2 << 20;

/// Has a request answered, on a stack that is large enough.
fn handle(service: &dyn Service, request: &Request) -> Response {
    if getrlimit(Resource::Stack).current.is_none_or(|stack| stack >= SMALL_STACK) {
        return service.handle(request);
    }
    let answer = || service.handle(request);
    let answered =
        thread::scope(|scope| Some(thread::Builder::new().stack_size(STACK).spawn_scoped(scope, answer).ok()?.join()));
    match answered {
        Some(Ok(response)) => response,
        Some(Err(_)) => Response::text(StatusCode::INTERNAL_SERVER_ERROR, "internal error"),
        None => {
            log::error!("the stack is too small (ulimit -s), and a thread with a larger one cannot be started");
            out_of_order()
        }
    }
}

/// Writes a response without looking at the request. Its body is read first and discarded: Apache's mod_cgid gives the
/// client no answer of a program that does not read.
///
/// # Errors
/// If it could not be written.
pub(crate) fn respond(response: Response) -> io::Result<()> {
    /// The most octets of a body to read for that.
    const MAX_DISCARDED: u64 = 64 << 20;

    let declared =
        Environment.get("CONTENT_LENGTH").and_then(|value| std::str::from_utf8(&value).ok()?.trim().parse().ok());
    // a failure to read them is no loss
    _ = io::copy(&mut Stdin.take(declared.unwrap_or(0).min(MAX_DISCARDED)), &mut io::sink());
    write_response(response, Stdout)
}

/// Returns the response of a program that cannot serve; the cause is for the log.
pub(crate) fn out_of_order() -> Response {
    Response::text(StatusCode::INTERNAL_SERVER_ERROR, "this service is out of order")
}

/// The environment of the process. It is not copied: a variable is looked up on request.
struct Environment;

impl MetaVariables for Environment {
    fn get(&self, name: &str) -> Option<Cow<'_, [u8]>> {
        Some(std::env::var_os(name)?.into_vec().into())
    }
}

/// Standard input without a buffer: reads only what is asked for, in as few calls as possible.
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

fn read_request(
    variables: impl MetaVariables + 'static,
    input: impl Read,
    limits: &Limits,
    admit: impl FnOnce(&mut Request) -> Result<(), Response>,
) -> Result<Request, Response> {
    let mut head = Request::new(variables, Vec::new());
    let length = ContentLength::of(&head, limits)?;
    admit(&mut head)?;
    let body = length.read(input, limits.body)?;
    length.complete(head, body, limits)
}

/// The length of the body (RFC 3875 §4.1.2).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum ContentLength {
    /// No octets: only a POST has a body worth reading; any other is ignored.
    Nothing,
    /// This many octets, within the limit.
    Octets(usize),
    /// As many as come: the client sent the body in chunks, which the server has joined. Some servers then set no
    /// length, some an empty one, some -1.
    ToTheEnd,
}

impl ContentLength {
    /// Reads the length from the head of a request.
    ///
    /// # Errors
    /// The response that refuses the request: 400, 413, or 500 if its method is unknown.
    pub(super) fn of(head: &Request, limits: &Limits) -> Result<ContentLength, Response> {
        let method = head.variable_octets("REQUEST_METHOD").unwrap_or_default();
        if method.is_empty() {
            log::warn!("the web server has sent no REQUEST_METHOD: with nginx, `include fastcgi_params` is missing");
            return Err(Response::text(StatusCode::INTERNAL_SERVER_ERROR, "the web server is not set up for this"));
        }
        if *method != *b"POST" {
            return Ok(ContentLength::Nothing);
        }
        let value = head.variable_octets("CONTENT_LENGTH").unwrap_or_default();
        match value.trim_ascii() {
            b"" | b"-1" => Ok(ContentLength::ToTheEnd),
            digits if digits.iter().all(u8::is_ascii_digit) => {
                // a number too large to count is over any limit
                let octets = std::str::from_utf8(digits).ok().and_then(|text| text.parse().ok());
                match octets.filter(|octets| *octets <= limits.body) {
                    Some(octets) => Ok(ContentLength::Octets(octets)),
                    None => Err(Response::too_large(limits.body)),
                }
            }
            other => {
                let message = format!("expected a number as Content-Length, found \"{}\"", other.escape_ascii());
                Err(Response::text(StatusCode::BAD_REQUEST, message))
            }
        }
    }

    /// Returns the number of octets to read: exactly those declared (RFC 3875 §4.2), or enough to see that they are
    /// over the limit.
    pub(super) fn most(self, limit: usize) -> usize {
        match self {
            ContentLength::Nothing => 0,
            ContentLength::Octets(octets) => octets,
            ContentLength::ToTheEnd => limit.saturating_add(1),
        }
    }

    /// Reads the body, and no further even if the server leaves the pipe open.
    fn read(self, input: impl Read, limit: usize) -> Result<Vec<u8>, Response> {
        let mut body = match self {
            ContentLength::Octets(octets) => Vec::with_capacity(octets),
            ContentLength::Nothing | ContentLength::ToTheEnd => Vec::new(),
        };
        input.take(self.most(limit) as u64).read_to_end(&mut body).map_err(|error| {
            log::warn!("the body cannot be read: {error}");
            Response::text(StatusCode::BAD_REQUEST, "the body cannot be read")
        })?;
        Ok(body)
    }

    /// Makes the request from its head and its complete body.
    ///
    /// # Errors
    /// The response to a body that is not what was declared, or over the limit: 400 or 413.
    pub(super) fn complete(self, mut head: Request, mut body: Vec<u8>, limits: &Limits) -> Result<Request, Response> {
        body.truncate(self.most(limits.body));
        match self {
            ContentLength::Octets(octets) if body.len() < octets => {
                let message = format!("expected a body of {octets} octets, found {}", body.len());
                Err(Response::text(StatusCode::BAD_REQUEST, message))
            }
            _ if body.len() > limits.body => Err(Response::too_large(limits.body)),
            _ => {
                head.set_body(body);
                Ok(head)
            }
        }
    }
}

/// Writes a document response.
fn write_response(response: Response, mut output: impl Write) -> io::Result<()> {
    /// The largest body that goes out with the head in one write; copying a longer one would cost more than a second
    /// write.
    const SMALL: usize = 64 << 10;

    let mut head = document_head(&response);
    let content = response.into_content();
    if content.len() <= SMALL {
        head.extend_from_slice(&content);
        return output.write_all(&head);
    }
    output.write_all(&head)?;
    output.write_all(&content)
}

/// Returns the head of a document response (RFC 3875 §6.2.1), with the empty line at its end.
pub(super) fn document_head(response: &Response) -> Vec<u8> {
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
    head
}

#[cfg(test)]
mod tests {
    use super::*;

    fn post(content_length: &'static str) -> impl MetaVariables {
        move |name: &str| match name {
            "REQUEST_METHOD" => Some(b"POST"[..].into()),
            "CONTENT_LENGTH" => Some(content_length.as_bytes().into()),
            _ => None,
        }
    }

    fn limits() -> Limits {
        Limits { body: 20, ..Limits::default() }
    }

    /// Returns the status and text of a refusal.
    fn refusal(response: Response) -> (u16, String) {
        (response.status.as_u16(), String::from_utf8(response.body.into()).unwrap())
    }

    fn too_large() -> (u16, String) {
        (413, "the body has more than 20 octets\n".into())
    }

    #[test]
    fn content_length_in_every_form() {
        let of = |value| ContentLength::of(&Request::new(post(value), Vec::new()), &limits()).map_err(refusal);
        for value in ["", "  ", "-1"] {
            assert_eq!(of(value), Ok(ContentLength::ToTheEnd), "{value:?}");
        }
        assert_eq!(of("0"), Ok(ContentLength::Octets(0)));
        assert_eq!(of(" 012 "), Ok(ContentLength::Octets(12)));
        assert_eq!(of("20"), Ok(ContentLength::Octets(20)));
        assert_eq!(of("21"), Err(too_large()));
        assert_eq!(of("99999999999999999999999"), Err(too_large()));
        for value in ["-2", "+5", "5abc", "0x10", "1.5", "5, 5"] {
            let message = format!("expected a number as Content-Length, found \"{value}\"\n");
            assert_eq!(of(value), Err((400, message)), "{value:?}");
        }
    }

    #[test]
    fn body_is_as_long_as_declared() {
        let body = |length, input: &[u8]| {
            read_request(post(length), input, &limits(), |_| Ok(()))
                .map(|request| request.body().to_vec())
                .map_err(refusal)
        };
        assert_eq!(body("5", b"hello, and more"), Ok(b"hello".to_vec()));
        assert_eq!(body("0", b"hello"), Ok(Vec::new()));
        assert_eq!(body("", b"hello"), Ok(b"hello".to_vec()));
        assert_eq!(body("6", b"hello"), Err((400, "expected a body of 6 octets, found 5\n".into())));
        assert_eq!(body("", &[b'x'; 21]), Err(too_large()));
    }

    /// An input that fails if it is read.
    struct Untouched;

    impl Read for Untouched {
        fn read(&mut self, _: &mut [u8]) -> io::Result<usize> {
            Err(io::Error::other("it was read"))
        }
    }

    #[test]
    fn nothing_is_read_without_need() {
        assert!(
            read_request(post("21"), Untouched, &limits(), |_| Ok(())).is_err_and(|response| response.status == 413)
        );
        for method in ["GET", "HEAD", "PUT"] {
            let variables = move |name: &str| match name {
                "REQUEST_METHOD" => Some(method.as_bytes().into()),
                "CONTENT_LENGTH" => Some(b"5"[..].into()),
                _ => None,
            };
            assert!(read_request(variables, Untouched, &limits(), |_| Ok(())).is_ok(), "{method}");
        }
    }

    #[test]
    fn a_request_without_a_method_is_the_web_servers_mistake() {
        let variables = |name: &str| (name == "REQUEST_METHOD").then(|| b""[..].into());
        let response = read_request(variables, Untouched, &limits(), |_| Ok(())).err().unwrap();
        assert_eq!(refusal(response), (500, "the web server is not set up for this\n".into()));
    }

    /// An output that takes a few octets at a time.
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
