//! An endpoint: one request in, one response out.

use std::fmt;
use std::sync::Arc;

use flate2::Compression;
use http::StatusCode;
use http::header::{self, HeaderName, HeaderValue};
use serde::Serialize;
use serde::de::DeserializeOwned;

#[cfg(feature = "program")]
use crate::call::{Params, ValueParams, Values};
#[cfg(feature = "docs")]
use crate::docs::Format;
use crate::method::Registry;
use crate::protocol::{Answer, Incoming, Options, Protocol, xmlrpc};
use crate::service::logger::{self, LogFile};
use crate::service::origin::Origins;
use crate::service::{About, Limits, Request, Response, Service, Surroundings, compression, path};
#[cfg(feature = "docs")]
use crate::service::{PageError, PageRequest};
#[cfg(feature = "docs")]
use crate::site::Site;
use crate::wire::fault::{Fault, catch_panic};
use crate::wire::value::excerpt;
#[cfg(feature = "program")]
use crate::wire::value::{Value, WireTypes};

/// A function that decides on a request by its head.
pub(super) type Guard = Arc<dyn Fn(&mut Request) -> Result<(), Response> + Send + Sync>;

/// The settings of an endpoint, checked.
pub(super) struct Setup {
    pub(super) name: String,
    pub(super) version: String,
    pub(super) options: Options,
    /// The paths it answers at; empty for all.
    pub(super) paths: Vec<String>,
    pub(super) surroundings: Surroundings,
    pub(super) origins: Origins,
    pub(super) guards: Vec<Guard>,
    pub(super) log_file: Option<Arc<LogFile>>,
    pub(super) log_level: log::LevelFilter,
}

/// A service that answers: one [`Request`] in, one [`Response`] out.
///
/// It can be used from several threads at once. A call runs on the thread that makes it, so an asynchronous program
/// needs a thread that may block.
///
/// # Example
///
/// ```
/// use rpcgi::{Request, Server, Service};
///
/// let endpoint = Server::new("Example").method("add", |a: i32, b: i32| a + b).build()?;
/// let call = rpcgi::xmlrpc::call_to_vec("add", &(2, 3)).unwrap();
/// let response = endpoint.handle(&http::Request::post("/RPC2").body(call).unwrap().into());
/// assert_eq!(rpcgi::xmlrpc::response_from_slice(&response.body).unwrap(), Ok(5));
/// # Ok::<(), rpcgi::BuildError>(())
/// ```
#[derive(Clone)]
pub struct Endpoint {
    pub(super) registry: Arc<Registry>,
    #[cfg(feature = "docs")]
    pub(super) site: Arc<Site>,
    pub(super) setup: Arc<Setup>,
    /// Others, by their paths.
    pub(super) places: Arc<[(String, Endpoint)]>,
}

const ACCEPT_ENCODING: HeaderValue = HeaderValue::from_static("Accept-Encoding");
/// The methods of HTTP that are answered, with a page and without.
const METHODS: &str = "GET, HEAD, OPTIONS, POST";
const METHODS_WITHOUT_PAGE: &str = "OPTIONS, POST";
const X_REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");
const NOSNIFF: HeaderValue = HeaderValue::from_static("nosniff");

impl Endpoint {
    /// Answers a document given as octets, without any gateway: a `<methodCall>` by a `<methodResponse>`, a JSON-RPC
    /// request by a response, and a notification by nothing. A mistake in the document becomes a fault. Python's
    /// `handle_request(request_text)`.
    ///
    /// # Example
    ///
    /// ```
    /// let endpoint = rpcgi::Server::new("Example").method("add", |a: i32, b: i32| a + b).build()?;
    /// let answer = endpoint.handle_document(br#"{"jsonrpc": "2.0", "method": "add", "params": [2, 3], "id": 7}"#);
    /// assert_eq!(answer, br#"{"jsonrpc":"2.0","result":5,"id":7}"#);
    /// # Ok::<(), rpcgi::BuildError>(())
    /// ```
    pub fn handle_document(&self, document: &[u8]) -> Vec<u8> {
        let request = Request::new(|_: &str| None, document.to_vec());
        self.respond_to_document(&request, None, document).1.body
    }

    /// Calls a method with params, a tuple or an array, and reads its result into a type. For tests: params and result
    /// are those that go over the wire, by XML-RPC.
    ///
    /// # Errors
    /// The fault of the method; also one for params that cannot be written ([`Fault::INVALID_CALL`]), and for a result
    /// of another type ([`Fault::APPLICATION`]).
    ///
    /// # Example
    ///
    /// ```
    /// let endpoint = rpcgi::Server::new("Example").method("add", |a: i32, b: i32| a + b).build()?;
    /// assert_eq!(endpoint.call::<i32>("add", (2, 3)), Ok(5));
    /// assert_eq!(endpoint.call::<i32>("ad", (2, 3)).unwrap_err().code, rpcgi::Fault::METHOD_NOT_FOUND);
    /// # Ok::<(), rpcgi::BuildError>(())
    /// ```
    pub fn call<T: DeserializeOwned>(&self, name: &str, params: impl Serialize) -> Result<T, Fault> {
        let call = xmlrpc::call_to_vec(name, &params)
            .map_err(|error| Fault::new(Fault::INVALID_CALL, format!("the params cannot be written: {error}")))?;
        let answer = self.handle_document(&call);
        xmlrpc::response_from_slice(&answer)
            .unwrap_or_else(|error| Err(Fault::new(Fault::APPLICATION, format!("the result is another: {error}"))))
    }

    /// Returns the documentation page; `url` is where the methods are called.
    #[cfg(feature = "docs")]
    #[cold]
    pub fn page(&self, url: Option<String>) -> String {
        self.site.describe(Format::Html, url)
    }

    /// Describes a method.
    #[cfg(feature = "program")]
    pub(crate) fn describe_method(&self, name: &str) -> Option<crate::description::Description> {
        self.registry.describe(name).ok()
    }

    /// Describes the methods that are listed, but for those that every service has.
    #[cfg(feature = "program")]
    pub(crate) fn describe_listed(&self) -> Vec<crate::description::Description> {
        let own = |name: &String| !crate::method::system::names().any(|system| system == name);
        let names = self.registry.names().into_iter().filter(own);
        names.filter_map(|name| self.registry.describe(&name).ok()).collect()
    }

    /// Calls a method by values, without a document around them.
    #[cfg(feature = "program")]
    pub(crate) fn call_by_values(&self, name: &str, params: Vec<Value>) -> Result<Value, Fault> {
        let request = Request::new(|_: &str| None, Vec::new());
        let mut params = ValueParams::new(Values::ByPosition(params), WireTypes::All);
        let reply = self.registry.call(name, &request, Params::new(&mut params))?;
        Value::of(&reply).map_err(|error| Fault::internal(format!("the result cannot be written: {error}")))
    }

    /// Returns the endpoints at paths below it.
    #[cfg(feature = "program")]
    pub(crate) fn places(&self) -> &[(String, Endpoint)] {
        &self.places
    }

    /// Returns the file that its log goes to, beside standard error.
    #[cfg(feature = "program")]
    pub(crate) fn log_file(&self) -> Option<Arc<LogFile>> {
        self.setup.log_file.clone()
    }

    /// Returns the level that a logger made for it lets through.
    #[cfg(feature = "program")]
    pub(crate) fn log_level(&self) -> log::LevelFilter {
        self.setup.log_level
    }

    /// Answers one request from a program with a runtime of its own. (Feature `async`.)
    ///
    /// Methods run where the runtime lets them block ([`tokio::task::spawn_blocking`]), `async` ones on the runtime
    /// itself.
    ///
    /// # Panics
    /// Outside of a runtime of tokio.
    ///
    /// # Example
    ///
    /// ```
    /// use rpcgi::{Fault, Server};
    ///
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// let nap = async |milliseconds: u64| {
    ///     tokio::time::sleep(std::time::Duration::from_millis(milliseconds)).await;
    ///     Ok::<_, Fault>(milliseconds)
    /// };
    /// let endpoint = Server::new("Example").async_method("nap", nap).build()?;
    /// let call = r#"{"jsonrpc": "2.0", "method": "nap", "params": [5], "id": 1}"#;
    /// let response = endpoint.handle_async(http::Request::post("/RPC2").body(call)?.into()).await;
    /// assert_eq!(response.body, r#"{"jsonrpc":"2.0","result":5,"id":1}"#);
    /// # Ok(())
    /// # }
    /// ```
    #[cfg(feature = "async")]
    pub async fn handle_async(&self, request: Request) -> Response {
        let endpoint = self.clone();
        blocking(move || endpoint.answer(request)).await.unwrap_or_else(|refusal| refusal)
    }

    /// Returns the endpoint at the path of a request: this one or one of its others.
    ///
    /// # Errors
    /// The response to a path at which there is none.
    fn find(&self, request: &Request) -> Result<&Endpoint, Response> {
        if self.places.is_empty() {
            return self.check_path(request);
        }
        let path = normal_path(request)?;
        let path_info = path::normal(&path::encoded(&request.variable_octets("PATH_INFO").unwrap_or_default()));
        let path_info = path_info.ok_or_else(|| Response::nothing_at(&path))?;
        match self.place(&path).or_else(|| self.place(&path_info)) {
            Some(other) => other.check_path(request),
            None if self.setup.paths.is_empty() && !matches!(&path_info[..], "" | "/" | "*") => {
                Err(Response::nothing_at(&path))
            }
            None => self.check_path(request),
        }
    }

    /// Returns the other endpoint at a path.
    fn place(&self, path: &str) -> Option<&Endpoint> {
        self.places.iter().find(|(place, _)| *place == path).map(|(_, endpoint)| endpoint)
    }

    /// Returns itself, if it answers at the path of the request.
    fn check_path(&self, request: &Request) -> Result<&Endpoint, Response> {
        let paths = &self.setup.paths;
        if paths.is_empty() {
            return Ok(self);
        }
        let path = normal_path(request)?;
        // `OPTIONS *` asks about the whole server (RFC 9110 §9.3.7)
        match paths.contains(&path) || path == "*" {
            true => Ok(self),
            false => Err(Response::nothing_at(&path)),
        }
    }

    /// Reads the head of a request, and returns the endpoint at its path.
    ///
    /// # Errors
    /// The response to a head that cannot be meant, or to a path at which there is nothing.
    fn open(&self, request: &Request) -> Result<&Endpoint, Response> {
        request.check_target()?;
        self.setup.surroundings.apply_to(request)?;
        self.find(request)
    }

    /// Runs the guards of this endpoint, and those of the one at the path.
    fn run_guards(&self, head: &mut Request) -> Result<(), Response> {
        let found = self.open(head)?;
        let own = self.setup.guards.iter();
        let others = if std::ptr::eq(found, self) { &[][..] } else { &found.setup.guards };
        let mut guards = own.chain(others);
        logger::to_file(found.setup.log_file.as_deref(), || {
            catch_panic(|| guards.try_for_each(|guard| guard(head))).unwrap_or_else(|fault| {
                log::error!("a guard {}", fault.cause().unwrap_or_default());
                Err(Response::text(StatusCode::INTERNAL_SERVER_ERROR, "internal error"))
            })
        })
    }

    /// Answers a request, itself or by the endpoint at its path.
    fn respond_to(&self, request: &Request) -> Response {
        if self.has_guards() && !request.is_admitted() {
            log::error!("a request was not answered: its guards did not run, as `Service::answer` has them do");
            let refusal = Response::text(StatusCode::INTERNAL_SERVER_ERROR, "internal error");
            return self.finish(request, &self.setup.origins, refusal);
        }
        let (origins, response) = match self.open(request) {
            Ok(endpoint) => {
                let route = || endpoint.route(request);
                (&endpoint.setup.origins, logger::to_file(endpoint.setup.log_file.as_deref(), route))
            }
            Err(refusal) => (&self.setup.origins, Err(refusal)),
        };
        self.finish(request, origins, response.unwrap_or_else(|refusal| refusal))
    }

    /// Adds to a response what every response has.
    fn finish(&self, request: &Request, origins: &Origins, mut response: Response) -> Response {
        response.head_only = request.method() == "HEAD";
        let id = request.known_id().and_then(|id| HeaderValue::from_str(&id).ok());
        response.headers.extend(id.map(|id| (X_REQUEST_ID, id)));
        response.headers.extend(request.take_response_headers());
        origins.expose(request, response)
    }

    /// Returns the response; the error is one too, to a request that is not served.
    fn route(&self, request: &Request) -> Result<Response, Response> {
        let has_page = self.has_page();
        let methods = if has_page { METHODS } else { METHODS_WITHOUT_PAGE };
        match &*request.method() {
            "POST" => self.post(request),
            #[cfg(feature = "docs")]
            "GET" | "HEAD" if has_page => self.site.get(request),
            "OPTIONS" => {
                let allow = HeaderValue::from_static(methods);
                let response = Response::empty(StatusCode::NO_CONTENT).with(header::ALLOW, allow);
                Ok(self.setup.origins.preflight(request, response))
            }
            method => {
                let message = format!("expected one of {methods}, found \"{}\"", excerpt(method));
                let allow = HeaderValue::from_static(methods);
                Err(Response::text(StatusCode::METHOD_NOT_ALLOWED, message).with(header::ALLOW, allow))
            }
        }
    }

    /// Tests whether there is a page that a client may see.
    fn has_page(&self) -> bool {
        #[cfg(feature = "docs")]
        return self.site.is_public();
        #[cfg(not(feature = "docs"))]
        false
    }

    /// Answers a call.
    fn post(&self, request: &Request) -> Result<Response, Response> {
        self.setup.origins.check(request)?;
        let content_type = request.variable("CONTENT_TYPE");
        let media_type = content_type.as_deref().map(media_type);
        let limit = self.setup.options.limits.body;
        if request.body().len() > limit {
            return Err(Response::too_large(limit));
        }
        #[cfg(feature = "docs")]
        if media_type.is_some_and(is_form)
            && let Some(submitted) =
                self.site.submit(request, &|document| self.respond_to_document(request, None, document))
        {
            return submitted;
        }
        media_type.map_or(Ok(()), check_media_type)?;
        let body = compression::decode(request.variable("HTTP_CONTENT_ENCODING").as_deref(), request.body(), limit)?;
        let (_, Answer { status, content_type, body }) = self.respond_to_document(request, media_type, &body);
        let Some(content_type) = content_type else { return Ok(Response::empty(status)) };
        let response = Response::new(status, content_type, body).with(header::X_CONTENT_TYPE_OPTIONS, NOSNIFF);
        Ok(compress(request, response))
    }

    /// Answers a document in the protocol that it is written in.
    fn respond_to_document(
        &self,
        request: &Request,
        media_type: Option<&str>,
        document: &[u8],
    ) -> (&'static Protocol, Answer) {
        let protocol = Protocol::of(&Incoming::new(request, media_type, document));
        let answer = (protocol.answer)(document, &self.setup.options, &self.registry.dispatch(request));
        logger::log_calls(request, answer.body.len());
        (protocol, answer)
    }

    /// Writes a description, for the command line.
    #[cfg(feature = "docs")]
    fn describe(&self, request: &PageRequest<'_>) -> Result<String, PageError> {
        let endpoint = match request.path {
            None | Some("/") => self,
            Some(path) => path::normal(path)
                .and_then(|path| self.place(&path))
                .ok_or_else(|| PageError::new(format!("there is no server at {path}")))?,
        };
        let format = if request.format.is_empty() {
            Format::Html
        } else {
            request.format.parse().map_err(|message: String| PageError::new(message))?
        };
        Ok(endpoint.site.describe(format, request.url.map(str::to_owned)))
    }
}

/// Runs a function where the runtime lets it block.
///
/// # Errors
/// The response to a request whose function did not come to its end.
#[cfg(feature = "async")]
pub(super) async fn blocking<T: Send + 'static>(run: impl FnOnce() -> T + Send + 'static) -> Result<T, Response> {
    tokio::task::spawn_blocking(run).await.map_err(|error| {
        log::error!("a request was not answered: {error}");
        Response::text(StatusCode::INTERNAL_SERVER_ERROR, "internal error")
    })
}

/// Returns the path of a request as it is compared.
///
/// # Errors
/// The response to one that nothing can be at.
fn normal_path(request: &Request) -> Result<String, Response> {
    let path = request.path();
    path::normal(&path).ok_or_else(|| Response::nothing_at(&path))
}

impl Service for Endpoint {
    fn limits(&self) -> Limits {
        self.setup.options.limits
    }

    fn has_guards(&self) -> bool {
        !self.setup.guards.is_empty() || self.places.iter().any(|(_, other)| !other.setup.guards.is_empty())
    }

    fn admit(&self, head: &mut Request) -> Result<(), Response> {
        if !self.has_guards() {
            return Ok(());
        }
        let id = head.id().to_owned();
        let run = || logger::to_file(self.setup.log_file.as_deref(), || self.run_guards(head));
        let admitted = logger::of_id(&id, run);
        head.mark_admitted();
        admitted.map_err(|refusal| {
            let origins = self.find(head).map_or(&self.setup.origins, |found| &found.setup.origins);
            self.finish(head, origins, refusal)
        })
    }

    fn handle(&self, request: &Request) -> Response {
        let respond = || self.respond_to(request);
        logger::of_request(request, || logger::to_file(self.setup.log_file.as_deref(), respond))
    }

    fn about(&self) -> Option<About<'_>> {
        let mut about = About::new(&self.setup.name, &self.setup.version);
        about.protocols = Protocol::dialects().map(|dialect| dialect.title).collect();
        #[cfg(feature = "docs")]
        let about = about.with_page(|request| self.describe(request));
        Some(about)
    }

    fn start(&self) {
        logger::install(self.setup.log_level);
        logger::set_file(self.setup.log_file.clone());
    }

    fn is_own_host(&self, request: &Request) -> bool {
        self.setup.surroundings.is_own_host(request)
    }
}

impl fmt::Debug for Endpoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Endpoint").field("name", &self.setup.name).field("methods", &self.registry).finish()
    }
}

/// Returns a Content-Type without its parameters.
fn media_type(content_type: &str) -> &str {
    content_type.split(';').next().unwrap_or_default().trim()
}

/// Returns whether a media type is the one in which browsers send a form.
fn is_form(media_type: &str) -> bool {
    media_type.eq_ignore_ascii_case("application/x-www-form-urlencoded")
}

/// Refuses the types that an HTML form can send across sites; any other document is recognised by its content.
fn check_media_type(media_type: &str) -> Result<(), Response> {
    let is = |name: &str| media_type.eq_ignore_ascii_case(name);
    let is_multipart = media_type.split('/').next().is_some_and(|first| first.eq_ignore_ascii_case("multipart"));
    if !is_form(media_type) && !is("text/plain") && !is_multipart {
        return Ok(());
    }
    let found = media_type.to_ascii_lowercase();
    let expected: Vec<&str> = Protocol::dialects().map(|dialect| dialect.media_type).collect();
    let expected = expected.join(" or ");
    let message = format!("expected Content-Type {expected}, found \"{}\"", found.escape_debug());
    Err(Response::text(StatusCode::UNSUPPORTED_MEDIA_TYPE, message))
}

/// Compresses a response if that is worth it and the client takes it.
fn compress(request: &Request, mut response: Response) -> Response {
    response.headers.push((header::VARY, ACCEPT_ENCODING));
    let Some(coding) = compression::choose(request, response.body.len()) else {
        return response;
    };
    match compression::encode(coding, &response.body, Compression::default()) {
        Ok(body) => {
            response.body = body.into();
            response.with(header::CONTENT_ENCODING, HeaderValue::from_static(coding.name()))
        }
        Err(error) => {
            log::error!("a response cannot be compressed: {error}");
            response
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Mutex;

    use super::*;
    #[cfg(feature = "docs")]
    use crate::docs::{Docs, TryIt};
    use crate::server::Server;
    use crate::service::HeaderError;

    fn server() -> Server {
        Server::new("Sums").method("add", |a: i32, b: i32| a + b)
    }

    fn post(body: &str) -> http::request::Builder {
        http::Request::post("/RPC2").header("Host", "h.example").header("Content-Length", body.len())
    }

    fn answered(endpoint: &Endpoint, body: &str) -> Response {
        endpoint.answer(post(body).body(body).unwrap().into())
    }

    fn text(response: &Response) -> &str {
        std::str::from_utf8(&response.body).unwrap()
    }

    fn header<'r>(response: &'r Response, name: &str) -> Option<&'r str> {
        response.header(&HeaderName::try_from(name).unwrap())?.to_str().ok()
    }

    #[test]
    fn calls_roundtrip() {
        let endpoint = server().build().unwrap();
        let xml = xmlrpc::call_to_vec("add", &(2, 3)).unwrap();
        let xml = answered(&endpoint, &String::from_utf8(xml).unwrap());
        assert_eq!(xmlrpc::response_from_slice::<i32>(&xml.body).unwrap(), Ok(5));
        let json = answered(&endpoint, r#"{"jsonrpc": "2.0", "method": "add", "params": [2, 3], "id": 1}"#);
        assert_eq!(text(&json), r#"{"jsonrpc":"2.0","result":5,"id":1}"#);
        assert_eq!(endpoint.call::<i32>("add", (2, 3)), Ok(5));
    }

    /// Status and content type are the protocol's own.
    #[test]
    fn plain_protocol_spec() {
        let endpoint = server().build().unwrap();
        for (call, status, body) in [
            ("call add 2 3", 200, "5"),
            ("call ad 2 3", 422, "there is no method \"ad\", did you mean \"add\"?"),
            ("call add 2", 422, "method \"add\" takes 2 params, found 1"),
        ] {
            let response = answered(&endpoint, call);
            assert_eq!((response.status.as_u16(), text(&response)), (status, body));
            assert_eq!(header(&response, "content-type"), Some("text/plain"));
            assert_eq!(header(&response, "x-content-type-options"), Some("nosniff"));
        }
        let marked = post("").header("Content-Type", "text/x-plain-call; a=b").body("x add 2 3").unwrap();
        assert_eq!(text(&endpoint.answer(marked.into())), "5");
        let capabilities: xmlrpc::Value = endpoint.call("system.getCapabilities", ()).unwrap();
        let plain = xmlrpc::Members::from([("specUrl", "urn:plain".into()), ("specVersion", xmlrpc::Value::from(1))]);
        assert_eq!(capabilities.member("plain"), Some(&plain.into()));
    }

    #[cfg(feature = "docs")]
    #[test]
    fn plain_protocol_on_the_page_spec() {
        let endpoint = server().build().unwrap();
        let get = |query: &str| {
            let request = http::Request::get(format!("/RPC2{query}")).header("Host", "h.example").body("");
            endpoint.answer(request.unwrap().into())
        };
        let page = get("");
        assert!(text(&page).contains("<dt>Protocols</dt><dd>XML-RPC, JSON-RPC 2.0, Plain</dd>"), "{}", text(&page));
        let twin: serde_json::Value = serde_json::from_slice(&get("?format=json").body).unwrap();
        assert_eq!(twin["protocols"], serde_json::json!(["XML-RPC", "JSON-RPC 2.0", "Plain"]));
    }

    #[cfg(feature = "docs")]
    #[test]
    fn plain_protocol_in_the_form_roundtrip() {
        let endpoint = server().docs(Docs::new().try_it(TryIt::On)).build().unwrap();
        let uri = "/RPC2?try=add";
        let form = endpoint.answer(http::Request::get(uri).header("Host", "h.example").body("").unwrap().into());
        assert_eq!(form.status, StatusCode::OK);
        let radio = "<input type=\"radio\" name=\"protocol\" value=\"plain\"> Plain";
        assert!(text(&form).contains(radio), "{}", text(&form));
        let cookie = header(&form, "set-cookie").unwrap().split(';').next().unwrap();
        let token = text(&form).split("name=\"token\" value=\"").nth(1).unwrap().split('"').next().unwrap();
        let sent = |cookie: &str| {
            let body = format!("token={token}&way=0&g0=1&v0=40&g1=1&v1=2&protocol=plain");
            let request = http::Request::post(uri)
                .header("Host", "h.example")
                .header("Content-Type", "application/x-www-form-urlencoded")
                .header("Sec-Fetch-Site", "same-origin")
                .header("Cookie", cookie);
            endpoint.answer(request.body(body).unwrap().into())
        };
        let answer = sent(cookie);
        assert_eq!(answer.status, StatusCode::OK);
        let shown = text(&answer);
        assert!(shown.contains(">call add 40 2</pre>") && shown.contains(">42</pre>"), "{shown}");
        let refusal = sent("a=1");
        assert_eq!(refusal.status, StatusCode::FORBIDDEN);
        assert!(!text(&refusal).contains(">42</pre>"));
    }

    #[test]
    fn guards_spec() {
        let seen = Arc::new(Mutex::new(Vec::new()));
        let noted = Arc::clone(&seen);
        let guarded = server().method("user", |request: &Request| request.user().map(|user| user.into_owned()));
        let guarded = guarded.guard(move |request| {
            noted.lock().unwrap().push(request.body().len());
            request.set_response_header("X-Guard", "1").unwrap();
            match request.header("Authorization").as_deref() {
                Some("Bearer x3yz") => request.set_user("ann"),
                _ => return Err(Response::text(StatusCode::UNAUTHORIZED, "a token is needed")),
            }
            Ok(())
        });
        let endpoint = guarded.build().unwrap();
        assert!(endpoint.has_guards());
        let mut head = http::Request::post("/RPC2").body("").unwrap().into();
        let refusal = endpoint.admit(&mut head).unwrap_err();
        assert_eq!((refusal.status.as_u16(), text(&refusal)), (401, "a token is needed\n"));
        assert_eq!(header(&refusal, "x-guard"), Some("1"));
        assert_eq!(*seen.lock().unwrap(), [0]);
        let mut head: Request = post("").header("Authorization", "Bearer x3yz").body("").unwrap().into();
        endpoint.admit(&mut head).unwrap();
        head.set_body(br#"{"jsonrpc": "2.0", "method": "user", "id": 1}"#.to_vec());
        let response = endpoint.handle(&head);
        assert_eq!(text(&response), r#"{"jsonrpc":"2.0","result":"ann","id":1}"#);
        assert_eq!(header(&response, "x-guard"), Some("1"));
    }

    #[test]
    fn guards_invalid() {
        let endpoint = server().guard(|_| Ok(())).build().unwrap();
        let request = post("").body("call add 2 3").unwrap().into();
        let response = endpoint.handle(&request);
        assert_eq!((response.status.as_u16(), text(&response)), (500, "internal error\n"));
        let panicking = Server::new("x").at("/RPC2", server().guard(|_| panic!("oh"))).build().unwrap();
        let response = answered(&panicking, "call add 2 3");
        assert_eq!((response.status.as_u16(), text(&response)), (500, "internal error\n"));
        assert_eq!(text(&answered(&endpoint, "call add 2 3")), "5");
    }

    #[test]
    fn response_headers_spec() {
        let method = |request: &Request, name: String| -> Result<bool, HeaderError> {
            request.set_response_header("X-First", "1")?;
            request.set_response_header(&name, "no-store")?;
            Ok(true)
        };
        let endpoint = server().method("set", method).build().unwrap();
        let call = |name: &str| format!(r#"{{"jsonrpc": "2.0", "method": "set", "params": ["{name}"], "id": 1}}"#);
        let response = answered(&endpoint, &call("Cache-Control"));
        assert_eq!(text(&response), r#"{"jsonrpc":"2.0","result":true,"id":1}"#);
        assert_eq!((header(&response, "cache-control"), header(&response, "x-first")), (Some("no-store"), Some("1")));
        for name in ["Content-Type", "Location"] {
            let response = answered(&endpoint, &call(name));
            let expected = r#"{"jsonrpc":"2.0","error":{"code":-32603,"message":"internal error"},"id":1}"#;
            assert_eq!(text(&response), expected);
            assert_eq!((header(&response, "location"), header(&response, "x-first")), (None, Some("1")));
            assert_eq!(header(&response, "content-type"), Some("application/json"));
        }
    }

    #[test]
    fn requests_invalid() {
        let limits = Limits { body: 20, ..Limits::default() };
        let endpoint = server().limits(limits).paths(["/RPC2"]).build().unwrap();
        let typed = |content_type: &str| {
            let expected = "text/xml or application/json or text/x-plain-call";
            (415, format!("expected Content-Type {expected}, found \"{content_type}\"\n"))
        };
        let large = "a".repeat(21);
        for (method, path, content_type, body, (status, expected)) in [
            ("POST", "/x", "text/xml", "", (404, "there is nothing at /x\n".to_owned())),
            ("POST", "/RPC2", "text/xml", &large[..], (413, "the body has more than 20 octets\n".into())),
            ("POST", "/RPC2", "Text/Plain; charset=utf-8", "", typed("text/plain")),
            ("POST", "/RPC2", "multipart/form-data", "", typed("multipart/form-data")),
            ("POST", "/RPC2", "application/x-www-form-urlencoded", "", typed("application/x-www-form-urlencoded")),
        ] {
            let request = http::Request::builder().method(method).uri(path).header("Content-Type", content_type);
            let response = endpoint.answer(request.body(body).unwrap().into());
            assert_eq!((response.status.as_u16(), text(&response)), (status, &expected[..]));
        }
        let response = endpoint.answer(http::Request::put("/RPC2").body("").unwrap().into());
        let allow = if cfg!(feature = "docs") { METHODS } else { METHODS_WITHOUT_PAGE };
        assert_eq!((response.status.as_u16(), header(&response, "allow")), (405, Some(allow)));
        assert_eq!(text(&response), format!("expected one of {allow}, found \"PUT\"\n"));
    }
}
