//! Requests: meta-variables and a body, and what guards and methods add to them.

use std::borrow::Cow;
use std::fmt;
use std::net::{IpAddr, Ipv6Addr, SocketAddr};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, OnceLock, PoisonError};
use std::time::{SystemTime, UNIX_EPOCH};

use http::header::{self, HeaderMap, HeaderName, HeaderValue};
use http::{Extensions, StatusCode, Uri};

use super::cookie::Cookie;
use super::path;
use super::response::{HeaderError, Response, checked_header};
use super::url::{BaseUrl, ClientView, MAX_PATH, cut, default_port, is_host, is_port, is_scheme, split_port};

/// The meta-variables of a request (RFC 3875 §4.1), looked up by name on request.
///
/// Any function from a name to a value implements it.
///
/// # Example
///
/// ```
/// use rpcgi::Request;
///
/// let request = Request::new(|name: &str| (name == "REMOTE_ADDR").then(|| b"192.0.2.7"[..].into()), Vec::new());
/// assert_eq!(request.remote_addr().unwrap().to_string(), "192.0.2.7");
/// ```
pub trait MetaVariables: Send + Sync {
    /// Returns the octets of the meta-variable `name`.
    fn get(&self, name: &str) -> Option<Cow<'_, [u8]>>;
}

impl<F: Fn(&str) -> Option<Cow<'static, [u8]>> + Send + Sync> MetaVariables for F {
    fn get(&self, name: &str) -> Option<Cow<'_, [u8]>> {
        self(name)
    }
}

/// A request: meta-variables as CGI has them (RFC 3875 §4.1), and a body of whole octets.
///
/// A method that takes `&Request` as its first argument learns from it who calls and how:
///
/// ```
/// use rpcgi::{Request, method};
///
/// /// Says where you are seen to come from.
/// #[method]
/// fn whoami(request: &Request) -> String {
///     let address = request.remote_addr().map_or("somewhere".into(), |address| address.to_string());
///     format!("{} at {address}", request.user().unwrap_or("somebody".into()))
/// }
/// ```
pub struct Request {
    variables: Box<dyn MetaVariables>,
    body: Vec<u8>,
    extensions: Extensions,
    /// The user that a guard has named.
    user: Option<String>,
    /// Set once a service has admitted it.
    is_admitted: bool,
    /// Made on first use.
    id: OnceLock<String>,
    /// The request as its client sees it, where proxies or the URL are known.
    seen: OnceLock<ClientView>,
    /// Headers for the response.
    headers: Mutex<Vec<(HeaderName, HeaderValue)>>,
}

impl fmt::Debug for Request {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Request { body, extensions, user, .. } = self;
        let mut request = f.debug_struct("Request");
        request.field("method", &self.method()).field("path", &self.path()).field("user", user);
        request.field("octets", &body.len()).field("extensions", extensions).finish_non_exhaustive()
    }
}

impl Request {
    /// Creates a request from meta-variables and a body.
    pub fn new(variables: impl MetaVariables + 'static, body: Vec<u8>) -> Request {
        Request {
            variables: Box::new(variables),
            body,
            extensions: Extensions::new(),
            user: None,
            is_admitted: false,
            headers: Mutex::default(),
            id: OnceLock::new(),
            seen: OnceLock::new(),
        }
    }

    /// Returns the octets of a meta-variable; an empty one counts as absent (RFC 3875 §4.1).
    ///
    /// `HTTP_PROXY` is always absent: it is a header that the client chooses, and other programs take it for
    /// configuration ("httpoxy").
    pub fn variable_octets(&self, name: &str) -> Option<Cow<'_, [u8]>> {
        if name == "HTTP_PROXY" {
            return None;
        }
        self.variables.get(name).filter(|value| !value.is_empty())
    }

    /// Returns a meta-variable as text; octets that are not UTF-8 are replaced by U+FFFD.
    pub fn variable(&self, name: &str) -> Option<Cow<'_, str>> {
        self.variable_octets(name).map(|octets| match octets {
            Cow::Borrowed(octets) => String::from_utf8_lossy(octets),
            Cow::Owned(octets) => match String::from_utf8(octets) {
                Ok(text) => Cow::Owned(text),
                Err(error) => Cow::Owned(String::from_utf8_lossy(error.as_bytes()).into_owned()),
            },
        })
    }

    /// Returns a header of the request as text, by its name in any case; several of the same name are joined with `, `.
    ///
    /// `Authorization` is found under both names that web servers give it, `HTTP_AUTHORIZATION` and
    /// `REDIRECT_HTTP_AUTHORIZATION`; most do not pass it on unless they are told to, see the README.
    pub fn header(&self, name: &str) -> Option<Cow<'_, str>> {
        let mut variable = String::with_capacity("HTTP_".len() + name.len());
        variable.push_str("HTTP_");
        variable.extend(name.chars().map(
            |character| {
                if character == '-' { '_' } else { character.to_ascii_uppercase() }
            },
        ));
        match &variable[..] {
            "HTTP_CONTENT_TYPE" | "HTTP_CONTENT_LENGTH" => self.variable(&variable["HTTP_".len()..]),
            "HTTP_AUTHORIZATION" => self.variable(&variable).or_else(|| self.variable("REDIRECT_HTTP_AUTHORIZATION")),
            _ => self.variable(&variable),
        }
    }

    /// Returns `REQUEST_METHOD`; empty if the server sent none.
    pub fn method(&self) -> Cow<'_, str> {
        self.variable("REQUEST_METHOD").unwrap_or_default()
    }

    /// Returns the path of the URL as the client sees it: that of `REQUEST_URI`, else `SCRIPT_NAME` and `PATH_INFO`.
    ///
    /// Servers differ widely in what they put into the latter two; `REQUEST_URI` is not part of RFC 3875, but all of
    /// them send it.
    pub fn path(&self) -> Cow<'_, str> {
        if let Some(uri) = self.variable("REQUEST_URI") {
            let end = uri.find('?').unwrap_or(uri.len());
            let start = match uri.find("://") {
                Some(scheme) if scheme < end && !uri.starts_with('/') => {
                    uri[scheme + 3..end].find('/').map_or(end, |path| scheme + 3 + path)
                }
                _ => 0,
            };
            return if start < end { uri[start..end].to_owned().into() } else { "/".into() };
        }
        // these two arrive decoded (RFC 3875 §4.1.5, §4.1.13)
        let encoded = |name| self.variable_octets(name).map(|octets| path::encoded(&octets)).unwrap_or_default();
        match encoded("SCRIPT_NAME") + &encoded("PATH_INFO") {
            path if path.is_empty() => "/".into(),
            path => path.into(),
        }
    }

    /// Notes how its client sees it.
    pub(super) fn set_seen(&self, seen: ClientView) {
        // the first to see it knows best: the outermost server
        _ = self.seen.set(seen);
    }

    /// Returns the host that the request was sent to, with its port if it came with one; `None` if the server tells
    /// none.
    pub(crate) fn host(&self) -> Option<Cow<'_, str>> {
        if let Some(host) = self.seen.get().and_then(|seen| seen.host.as_deref()) {
            return Some(host.into());
        }
        if let Some(host) = self.variable("HTTP_HOST") {
            return Some(host);
        }
        let name = self.variable("SERVER_NAME")?;
        let is_bare_address = name.contains(':') && name.parse::<Ipv6Addr>().is_ok();
        Some(if is_bare_address { format!("[{name}]").into() } else { name })
    }

    /// Checks the URL that the request claims to have, as pages and messages repeat it.
    ///
    /// # Errors
    /// The response to an invalid URL: 400, or 414 for a path that is too long.
    pub(crate) fn check_target(&self) -> Result<(), Response> {
        let refuse = |message: String| Err(Response::text(StatusCode::BAD_REQUEST, message));
        if let Some(host) = self.host().filter(|host| !is_host(host)) {
            return refuse(format!("expected the name of a host and a port, found \"{}\"", cut(&host)));
        }
        if let Some(port) = self.variable("SERVER_PORT").filter(|port| !is_port(port)) {
            return refuse(format!("expected a port of at most five digits, found \"{}\"", cut(&port)));
        }
        if let Some(scheme) = self.variable("REQUEST_SCHEME").filter(|scheme| !is_scheme(scheme)) {
            return refuse(format!("expected the scheme http or https, found \"{}\"", cut(&scheme)));
        }
        match self.path().len() > MAX_PATH {
            true => {
                let message = format!("the path has more than {MAX_PATH} octets");
                Err(Response::text(StatusCode::URI_TOO_LONG, message))
            }
            false => Ok(()),
        }
    }

    /// Returns the URL as the client sees it, without its query; `None` if the server tells no host.
    ///
    /// It begins with [`Server::url`](crate::Server::url) if that is set, or with what a
    /// [trusted proxy](crate::Server::trusted_proxies) tells.
    pub fn url(&self) -> Option<String> {
        let path = self.path();
        let base = self.base_of(&path)?;
        let is_whole = self.seen.get().and_then(|seen| seen.url.as_ref()).is_some_and(BaseUrl::is_whole);
        Some(if is_whole && path == "/" { base } else { base + &path })
    }

    /// Returns the URL up to its path; `None` if the server tells no host.
    pub(crate) fn base(&self) -> Option<String> {
        self.base_of(&self.path())
    }

    fn base_of(&self, path: &str) -> Option<String> {
        let seen = self.seen.get();
        if let Some(url) = seen.and_then(|seen| seen.url.as_ref()) {
            return Some(url.before(path));
        }
        let https = self.variable("HTTPS").is_some_and(|value| !value.eq_ignore_ascii_case("off"));
        let told = seen.and_then(|seen| seen.scheme.as_deref()).map(Cow::Borrowed);
        let scheme = match told.or_else(|| self.variable("REQUEST_SCHEME")) {
            Some(scheme) => scheme,
            None => if https { "https" } else { "http" }.into(),
        };
        let host = self.host()?;
        // the port of this server is not the proxy's
        let is_proxied = seen.is_some_and(|seen| seen.scheme.is_some() || seen.host.is_some());
        let port = self.variable("SERVER_PORT").filter(|port| {
            // a Host header without a port may have lost it on the way (Debian's nginx sends $host)
            *port != default_port(&scheme) && split_port(&host).1.is_none() && !is_proxied
        });
        let colon = if port.is_some() { ":" } else { "" };
        let prefix = seen.map_or("", |seen| &seen.prefix[..]);
        Some(format!("{scheme}://{host}{colon}{}{prefix}", port.unwrap_or_default()))
    }

    /// Returns the origin of the service's own pages, if its URL is set.
    pub(crate) fn own_origin(&self) -> Option<String> {
        self.seen.get()?.url.as_ref().map(BaseUrl::origin)
    }

    /// Returns the address of the client: `REMOTE_ADDR`, or the one that a [trusted
    /// proxy](crate::Server::trusted_proxies) tells.
    pub fn remote_addr(&self) -> Option<IpAddr> {
        match self.seen.get().and_then(|seen| seen.address) {
            Some(address) => Some(address),
            None => self.variable("REMOTE_ADDR")?.parse().ok(),
        }
    }

    /// Returns the user: the one that a [guard](crate::Server::guard) has named, or else the one that the web server
    /// has let in, `REMOTE_USER` or after an internal redirect `REDIRECT_REMOTE_USER`.
    ///
    /// The latter only with an `AUTH_TYPE`: nginx sets `REMOTE_USER` from any `Authorization` header without checking
    /// it.
    pub fn user(&self) -> Option<Cow<'_, str>> {
        if let Some(user) = &self.user {
            return Some(user.into());
        }
        self.variable("AUTH_TYPE").or_else(|| self.variable("REDIRECT_AUTH_TYPE"))?;
        self.variable("REMOTE_USER").or_else(|| self.variable("REDIRECT_REMOTE_USER"))
    }

    /// Names the user, as a guard does that has checked who it is.
    pub fn set_user(&mut self, name: impl Into<String>) {
        self.user = Some(name.into());
    }

    /// Returns the value of a cookie of the client (RFC 6265 §4.2); the first, if there are several of the name.
    ///
    /// # Example
    ///
    /// ```
    /// use rpcgi::Request;
    ///
    /// let request: Request = http::Request::get("/").header("Cookie", "a=1; session=x3").body("").unwrap().into();
    /// assert_eq!(request.cookie("session").as_deref(), Some("x3"));
    /// ```
    pub fn cookie(&self, name: &str) -> Option<String> {
        let cookies = self.variable("HTTP_COOKIE")?;
        let mut pairs = cookies.split(';').filter_map(|pair| pair.trim().split_once('='));
        let (_, value) = pairs.find(|(key, _)| *key == name)?;
        let quoted = value.strip_prefix('"').and_then(|value| value.strip_suffix('"'));
        Some(quoted.unwrap_or(value).to_owned())
    }

    /// Returns the value of a type that was attached to the request: by a layer of axum, say, or by a
    /// [guard](crate::Server::guard) that has found out about the client.
    ///
    /// # Example
    ///
    /// ```
    /// use rpcgi::{Request, Server, Service};
    ///
    /// #[derive(Clone)]
    /// struct Tenant(String);
    ///
    /// let server = Server::new("Example").method("tenant", |request: &Request| {
    ///     request.extension::<Tenant>().map(|Tenant(name)| name.clone())
    /// });
    /// # let endpoint = server.build().unwrap();
    /// # let call = br#"{"jsonrpc": "2.0", "method": "tenant", "id": 1}"#.to_vec();
    /// let request = http::Request::post("/RPC2").extension(Tenant("acme".into())).body(call).unwrap();
    /// # let answer = endpoint.handle(&request.into());
    /// # assert_eq!(answer.body, &br#"{"jsonrpc":"2.0","result":"acme","id":1}"#[..]);
    /// ```
    pub fn extension<T: Send + Sync + 'static>(&self) -> Option<&T> {
        self.extensions.get()
    }

    /// Returns the values attached to the request, to add one.
    pub fn extensions_mut(&mut self) -> &mut Extensions {
        &mut self.extensions
    }

    /// Sets a header of the response, whatever becomes of the call. `Set-Cookie` is added, any other replaced.
    ///
    /// Of several calls in one document each may set headers; those of the last one stand.
    ///
    /// # Errors
    /// [`HeaderError`] for a name or value that no header can have (CR, LF), and for headers that gateway and protocol
    /// write themselves: `Content-Type`, `Content-Length`, `Content-Encoding`, `Location`, `Status` and their like.
    ///
    /// # Example
    ///
    /// ```
    /// use rpcgi::{HeaderError, Request, method};
    ///
    /// /// Returns the time that the prices are good for.
    /// #[method]
    /// fn prices(request: &Request) -> Result<i32, HeaderError> {
    ///     request.set_response_header("Cache-Control", "private, max-age=60")?;
    ///     Ok(60)
    /// }
    /// ```
    pub fn set_response_header(&self, name: &str, value: &str) -> Result<(), HeaderError> {
        let (name, value) = checked_header(name, value)?;
        let mut headers = self.headers.lock().unwrap_or_else(PoisonError::into_inner);
        if name != header::SET_COOKIE {
            headers.retain(|(known, _)| *known != name);
        }
        headers.push((name, value));
        Ok(())
    }

    /// Sets a cookie of the client.
    ///
    /// It is marked `Secure` if the request came by https.
    ///
    /// # Errors
    /// [`HeaderError`] for a name or value that no cookie can have (RFC 6265 §4.1.1).
    pub fn set_cookie(&self, cookie: &Cookie) -> Result<(), HeaderError> {
        let is_https = self.base().is_some_and(|base| base.starts_with("https:"));
        self.set_response_header("Set-Cookie", &cookie.header(is_https)?)
    }

    /// Takes out the headers that were set for the response.
    pub(crate) fn take_response_headers(&self) -> Vec<(HeaderName, HeaderValue)> {
        std::mem::take(&mut *self.headers.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// Notes that its service has admitted it.
    pub(crate) fn mark_admitted(&mut self) {
        self.is_admitted = true;
    }

    pub(crate) fn is_admitted(&self) -> bool {
        self.is_admitted
    }

    /// Returns the id of this request, by which the log and the client refer to it.
    ///
    /// It is the web server's (`UNIQUE_ID` of Apache's mod_unique_id, `REQUEST_ID` as nginx may set it) or the client's
    /// (`X-Request-Id`), if that is 1 to 64 of `A-Za-z0-9_@-`; else it is made on first use.
    ///
    /// # Example
    ///
    /// ```
    /// use rpcgi::Request;
    ///
    /// let request = Request::new(|name: &str| (name == "UNIQUE_ID").then(|| b"aX3@x"[..].into()), Vec::new());
    /// assert_eq!(request.id(), "aX3@x");
    /// ```
    pub fn id(&self) -> &str {
        self.id.get_or_init(|| self.brought_id().map_or_else(new_id, Cow::into_owned))
    }

    /// Returns the id to answer with, if there is one: sent with the request, or made by now.
    pub(crate) fn known_id(&self) -> Option<Cow<'_, str>> {
        self.id.get().map(|id| id[..].into()).or_else(|| self.brought_id())
    }

    fn brought_id(&self) -> Option<Cow<'_, str>> {
        let is_known = |octet: u8| octet.is_ascii_alphanumeric() || matches!(octet, b'-' | b'_' | b'@');
        let is_id = |id: &str| id.len() <= 64 && id.bytes().all(is_known);
        let names = ["UNIQUE_ID", "REQUEST_ID", "HTTP_X_REQUEST_ID"];
        names.into_iter().find_map(|name| self.variable(name).filter(|id| is_id(id)))
    }

    /// Returns the body as it came, before any decompression.
    pub fn body(&self) -> &[u8] {
        &self.body
    }

    /// Adds the body to a head.
    pub(crate) fn set_body(&mut self, body: Vec<u8>) {
        self.body = body;
    }
}

/// Makes an id that no other request of this machine has.
#[cold]
fn new_id() -> String {
    static COUNT: AtomicU64 = AtomicU64::new(0);

    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().as_micros();
    format!("{now:x}-{:x}-{:x}", std::process::id(), COUNT.fetch_add(1, Ordering::Relaxed))
}

/// Converts a request of the `http` crate, as axum and hyper have it. `REMOTE_ADDR` is its extension of type
/// [`SocketAddr`].
impl<B: Into<Vec<u8>>> From<http::Request<B>> for Request {
    fn from(request: http::Request<B>) -> Request {
        let (mut head, body) = request.into_parts();
        let extensions = std::mem::take(&mut head.extensions);
        let peer = extensions.get::<SocketAddr>().copied();
        Request { extensions, ..Request::new(HttpVariables { head, peer }, body.into()) }
    }
}

/// The head of an HTTP request as meta-variables.
struct HttpVariables {
    head: http::request::Parts,
    peer: Option<SocketAddr>,
}

impl MetaVariables for HttpVariables {
    fn get(&self, name: &str) -> Option<Cow<'_, [u8]>> {
        let HttpVariables { head, peer } = self;
        match name {
            "REQUEST_METHOD" => Some(head.method.as_str().as_bytes().into()),
            "REQUEST_URI" => Some(head.uri.path_and_query()?.as_str().as_bytes().into()),
            "REQUEST_SCHEME" => Some(head.uri.scheme_str()?.as_bytes().into()),
            "PATH_INFO" => Some(path::decoded(head.uri.path()).into()),
            "QUERY_STRING" => Some(head.uri.query()?.as_bytes().into()),
            "REMOTE_ADDR" => Some(peer.as_ref()?.ip().to_string().into_bytes().into()),
            "REMOTE_PORT" => Some(peer.as_ref()?.port().to_string().into_bytes().into()),
            "CONTENT_TYPE" => joined(&head.headers, "content-type"),
            "CONTENT_LENGTH" => joined(&head.headers, "content-length"),
            "HTTP_HOST" => joined(&head.headers, "host").or_else(|| authority(&head.uri)),
            _ => joined(&head.headers, &name.strip_prefix("HTTP_")?.replace('_', "-")),
        }
    }
}

/// Returns the host in the URI, where HTTP/2 has it.
fn authority(uri: &Uri) -> Option<Cow<'_, [u8]>> {
    Some(uri.authority()?.as_str().as_bytes().into())
}

fn joined<'a>(headers: &'a HeaderMap, name: &str) -> Option<Cow<'a, [u8]>> {
    let mut values = headers.get_all(name).iter();
    let first = values.next()?.as_bytes();
    Some(values.fold(first.into(), |joined, value| [&joined, &b", "[..], value.as_bytes()].concat().into()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn request(variables: &'static [(&'static str, &'static str)]) -> Request {
        let lookup =
            move |name: &str| variables.iter().find(|(key, _)| *key == name).map(|(_, value)| value.as_bytes().into());
        Request::new(lookup, Vec::new())
    }

    #[test]
    fn empty_is_absent() {
        assert_eq!(request(&[("REMOTE_USER", "")]).variable("REMOTE_USER"), None);
    }

    #[test]
    fn proxy_is_dropped() {
        let request = request(&[("HTTP_PROXY", "http://evil.example")]);
        assert_eq!(request.header("Proxy"), None);
        assert_eq!(request.variable("HTTP_PROXY"), None);
    }

    #[test]
    fn authorization_has_two_names() {
        for name in ["HTTP_AUTHORIZATION", "REDIRECT_HTTP_AUTHORIZATION"] {
            let variables: &'static [_] = vec![(name, "Basic YTpi")].leak();
            assert_eq!(request(variables).header("authorization").as_deref(), Some("Basic YTpi"));
        }
    }

    #[test]
    fn user_needs_an_auth_type() {
        assert_eq!(request(&[("REMOTE_USER", "eve")]).user(), None);
        assert_eq!(request(&[("REMOTE_USER", "ann"), ("AUTH_TYPE", "Basic")]).user().as_deref(), Some("ann"));
    }

    #[test]
    fn path_is_the_public_one() {
        for (variables, path) in [
            (&[("REQUEST_URI", "/app/RPC2?a=b"), ("SCRIPT_NAME", "/app/api.cgi")][..], "/app/RPC2"),
            (&[("REQUEST_URI", "http://host/RPC2?x=http://y/")], "/RPC2"),
            (&[("REQUEST_URI", "http://host")], "/"),
            (&[("REQUEST_URI", "/evil/../x://y/RPC2")], "/evil/../x://y/RPC2"),
            (&[("REQUEST_URI", "/a?u=http://host/b")], "/a"),
            (&[("SCRIPT_NAME", "/cgi-bin/api.cgi"), ("PATH_INFO", "/x")], "/cgi-bin/api.cgi/x"),
            (&[("SCRIPT_NAME", ""), ("PATH_INFO", "/plain/x")], "/plain/x"),
            (&[], "/"),
        ] {
            assert_eq!(request(variables.to_vec().leak()).path(), path, "{variables:?}");
        }
    }

    #[test]
    fn url_is_the_public_one() {
        for (variables, url) in [
            (&[("HTTP_HOST", "h.example"), ("REQUEST_URI", "/a?b=c")][..], Some("http://h.example/a")),
            (&[("HTTP_HOST", "h.example"), ("HTTPS", "on"), ("SERVER_PORT", "443")], Some("https://h.example/")),
            (&[("HTTP_HOST", "h.example"), ("SERVER_PORT", "8080")], Some("http://h.example:8080/")),
            (&[("HTTP_HOST", "h.example:81"), ("SERVER_PORT", "8080")], Some("http://h.example:81/")),
            (&[("HTTP_HOST", "[::1]:81")], Some("http://[::1]:81/")),
            (&[("SERVER_NAME", "s.example"), ("REQUEST_SCHEME", "https")], Some("https://s.example/")),
            (&[], None),
        ] {
            assert_eq!(request(variables.to_vec().leak()).url().as_deref(), url, "{variables:?}");
        }
    }

    #[test]
    fn http_head_as_meta_variables() {
        let request = http::Request::post("/RPC2?q=1")
            .header("Content-Type", "text/xml")
            .header("Cookie", "a=1")
            .header("Cookie", "b=2")
            .header("Host", "h.example")
            .extension(SocketAddr::from(([192, 0, 2, 7], 99)))
            .body("<x/>")
            .unwrap();
        let request = Request::from(request);
        assert_eq!(request.method(), "POST");
        assert_eq!(request.path(), "/RPC2");
        assert_eq!(request.variable("QUERY_STRING").as_deref(), Some("q=1"));
        assert_eq!(request.header("content-type").as_deref(), Some("text/xml"));
        assert_eq!(request.header("cookie").as_deref(), Some("a=1, b=2"));
        assert_eq!(request.url().as_deref(), Some("http://h.example/RPC2"));
        assert_eq!(request.remote_addr(), Some(IpAddr::from([192, 0, 2, 7])));
        assert_eq!(request.body(), b"<x/>");
    }
    fn header_values(request: &Request) -> Vec<(String, String)> {
        let headers = request.take_response_headers();
        headers.iter().map(|(name, value)| (name.to_string(), value.to_str().unwrap().to_owned())).collect()
    }

    #[test]
    fn cookies_roundtrip() {
        for (name, value) in [("a", ""), ("session", "x3=="), ("b-c", "!#$%&'()*+-./:<=>?@[]^_`{|}~")] {
            let answered = request(&[("HTTP_HOST", "h.example"), ("HTTPS", "on")]);
            answered.set_cookie(&Cookie::new(name, value)).unwrap();
            let [(header, cookie)] = &header_values(&answered)[..] else { panic!("there is one header") };
            assert_eq!(header, "set-cookie");
            let (pair, attributes) = cookie.split_once("; ").unwrap();
            assert_eq!(attributes, "Path=/; HttpOnly; SameSite=Lax; Secure");
            let next = http::Request::get("/").header("Cookie", format!("other=1; {pair}")).body("").unwrap();
            assert_eq!(Request::from(next).cookie(name).as_deref(), Some(value));
        }
    }

    #[test]
    fn extensions_and_user_roundtrip() {
        let mut request = request(&[("REMOTE_USER", "ann"), ("AUTH_TYPE", "Basic")]);
        assert_eq!(request.extension::<u8>(), None);
        request.extensions_mut().insert(7_u8);
        assert_eq!((request.extension::<u8>(), request.extension::<i8>()), (Some(&7), None));
        request.set_user("bob");
        assert_eq!(request.user().as_deref(), Some("bob"));
        let attached = http::Request::get("/").extension("acme".to_owned()).body("").unwrap();
        assert_eq!(Request::from(attached).extension::<String>().map(String::as_str), Some("acme"));
    }

    /// Cookies of RFC 6265 §3.1, and the names that servers give to users.
    #[test]
    fn cookies_and_users_spec() {
        let cookies = request(&[("HTTP_COOKIE", "SID=31d4d96e407aad42; lang=\"en-US\";SID=2; x = y;z")]);
        for (name, value) in
            [("SID", Some("31d4d96e407aad42")), ("lang", Some("en-US")), ("sid", None), ("z", None), ("", None)]
        {
            assert_eq!(cookies.cookie(name).as_deref(), value, "{name}");
        }
        assert_eq!(request(&[]).cookie("SID"), None);
        let redirected = request(&[("REDIRECT_REMOTE_USER", "ann"), ("REDIRECT_AUTH_TYPE", "Digest")]);
        assert_eq!(redirected.user().as_deref(), Some("ann"));
    }

    #[test]
    fn response_headers_spec() {
        let request = request(&[]);
        request.set_response_header("X-A", "1").unwrap();
        request.set_response_header("Set-Cookie", "a=1").unwrap();
        request.set_response_header("x-a", "2").unwrap();
        request.set_response_header("set-cookie", "b=2").unwrap();
        let expected = [("set-cookie", "a=1"), ("x-a", "2"), ("set-cookie", "b=2")];
        assert_eq!(header_values(&request), expected.map(|(name, value)| (name.to_owned(), value.to_owned())));
        assert_eq!(header_values(&request), []);
    }

    #[test]
    fn response_headers_invalid() {
        let request = request(&[]);
        for (name, value, error) in [
            ("Content-Length", "1", HeaderError::Reserved("Content-Length".into())),
            ("location", "/", HeaderError::Reserved("location".into())),
            ("X A", "1", HeaderError::Name("X A".into())),
            ("X-A", "1\r\nLocation: /", HeaderError::Value("X-A".into())),
        ] {
            assert_eq!(request.set_response_header(name, value), Err(error));
        }
        let cookie = request.set_cookie(&Cookie::new("a", "x;y")).unwrap_err();
        assert_eq!(cookie.to_string(), "the value of cookie a has characters that it cannot have");
        let cookie = request.set_cookie(&Cookie::new("a b", "x")).unwrap_err();
        assert_eq!(cookie.to_string(), "expected the name of a header or cookie, found \"a b\"");
        assert_eq!(header_values(&request), []);
    }
}
