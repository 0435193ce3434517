//! One request in, one response out: the page or a call.

mod pages;
mod trial;

use std::borrow::Cow;
use std::collections::BTreeSet;
use std::fmt;
use std::path::PathBuf;
use std::sync::Arc;

use flate2::Compression;
use http::StatusCode;
use http::header::{self, HeaderName, HeaderValue};
use serde::Serialize;
use serde::de::DeserializeOwned;

use self::pages::{Key, Page, Pages, Rendered};
use crate::call::Params;
use crate::description::openrpc::{self, Info};
use crate::docs::{self, ASSET, Access, Asset, Assets, Docs, Format, Place};
use crate::logger::{self, LogFile, LogFormat};
#[cfg(feature = "async")]
use crate::method::Async;
use crate::method::Function;
use crate::method::registry::{DuplicateMethod, Fallback, Registry};
use crate::method::system::{Abilities, System};
use crate::protocol::xmlrpc::{self, Encoding};
use crate::protocol::{Protocol, jsonrpc};
use crate::service::Limits;
use crate::service::compression;
use crate::service::origin::Origins;
use crate::service::{BaseUrl, Forwarded, Request, Response, Service, Surroundings, network, path};
use crate::wire::fault::{Fault, catch_panic};
use crate::wire::json;
use crate::wire::value::{Value, shown};

/// A builder of a service: its methods, its page, its settings.
///
/// [`run`](Server::run) serves it however the program was started; [`build`](Server::build) makes an [`Endpoint`] of
/// it, to call from code of your own.
///
/// # Example
///
/// ```no_run
/// use rpcgi::{Server, method, methods};
///
/// /// Adds two numbers.
/// #[method]
/// fn add(a: i32, b: i32) -> i32 {
///     a + b
/// }
///
/// fn main() -> std::process::ExitCode {
///     Server::new("Calculator").documentation("Sums for everybody.").methods(methods![add]).run()
/// }
/// ```
pub struct Server {
    registry: Registry,
    switched_off: Vec<String>,
    settings: Settings,
    others: Vec<(String, Server)>,
}

/// Everything but the methods.
struct Settings {
    name: String,
    title: Option<String>,
    documentation: String,
    version: String,
    limits: Limits,
    paths: Vec<String>,
    /// The URL as it was set; mistakes in it are reported when the server is built.
    url: Option<String>,
    trusted_proxies: Vec<String>,
    forwarded: Forwarded,
    nil: bool,
    encoding: Encoding,
    large_integers_as_text: bool,
    origins: Origins,
    log_calls: bool,
    log_file: Option<PathBuf>,
    log_format: LogFormat,
    docs: Docs,
}

impl Settings {
    /// Returns the service's entry in the OpenRPC document.
    fn info(&self) -> Info {
        Info { title: self.name.clone(), description: self.documentation.clone(), version: self.version.clone() }
    }

    /// Parses the URL of the service and its trusted proxies.
    ///
    /// # Errors
    /// A message that says what was expected, and what was found.
    fn surroundings(&self) -> Result<Surroundings, String> {
        let url = self.url.as_ref().map(|url| url.parse::<BaseUrl>()).transpose()?;
        let proxies = self.trusted_proxies.iter().map(|proxy| network(proxy)).collect::<Result<_, String>>()?;
        Ok(Surroundings { url, proxies, forwarded: self.forwarded })
    }
}

impl Server {
    /// Creates a server of this name, which heads its page.
    pub fn new(name: impl Into<String>) -> Server {
        let settings = Settings {
            name: name.into(),
            title: None,
            documentation: String::new(),
            version: docs::UNVERSIONED.into(),
            limits: Limits::default(),
            paths: Vec::new(),
            url: None,
            trusted_proxies: Vec::new(),
            forwarded: Forwarded::default(),
            nil: true,
            encoding: Encoding::UTF_8,
            large_integers_as_text: false,
            origins: Origins::default(),
            log_calls: false,
            log_file: None,
            log_format: LogFormat::default(),
            docs: Docs::new(),
        };
        Server { registry: Registry::new(), switched_off: Vec::new(), settings, others: Vec::new() }
    }

    /// Sets the title of the page, for the browser's tab: its name unless set. Python's `set_server_title`.
    pub fn title(mut self, title: impl Into<String>) -> Server {
        self.settings.title = Some(title.into());
        self
    }

    /// Sets the text at the head of the page, in Markdown. Python's `set_server_documentation`.
    pub fn documentation(mut self, documentation: impl Into<String>) -> Server {
        self.settings.documentation = documentation.into();
        self
    }

    /// Sets the version of the service, which its OpenRPC document names: 0.0.0 unless set.
    ///
    /// # Example
    ///
    /// ```
    /// let server = rpcgi::Server::new("Example").version(env!("CARGO_PKG_VERSION"));
    /// # server.build().unwrap();
    /// ```
    pub fn version(mut self, version: impl Into<String>) -> Server {
        self.settings.version = version.into();
        self
    }

    /// Adds a function or closure under a name, see [`Method::new`](crate::Method::new).
    #[track_caller]
    pub fn method<Kind: 'static, Args: 'static>(
        mut self,
        name: impl Into<Cow<'static, str>>,
        function: impl Function<Kind, Args>,
    ) -> Server {
        self.registry = self.registry.method(name, function);
        self
    }

    /// Adds an `async` function or closure under a name. (Feature `async`.)
    ///
    /// It runs on a runtime of tokio, which is created when the first such method is called, however the program was
    /// started. The thread of the call waits for it: in a program with a runtime of its own, use the [`Endpoint`] on a
    /// thread that may block (`tokio::task::spawn_blocking`).
    ///
    /// # Example
    ///
    /// ```
    /// use rpcgi::{Fault, Request, Server};
    ///
    /// let server = Server::new("Example").async_method("nap", async |_: &Request, milliseconds: u64| {
    ///     tokio::time::sleep(std::time::Duration::from_millis(milliseconds)).await;
    ///     Ok::<_, Fault>(milliseconds)
    /// });
    /// # let endpoint = server.build().unwrap();
    /// # let call = rpcgi::xmlrpc::call_to_vec("nap", &[5]).unwrap();
    /// # assert_eq!(rpcgi::xmlrpc::response_from_slice(&endpoint.handle_document(&call)).unwrap(), Ok(5));
    /// ```
    #[cfg(feature = "async")]
    #[track_caller]
    pub fn async_method<Kind: 'static, Args: 'static>(
        mut self,
        name: impl Into<Cow<'static, str>>,
        function: impl Function<Async<Kind>, Args>,
    ) -> Server {
        self.registry = self.registry.async_method(name, function);
        self
    }

    /// Adds methods under their own names: [`methods!`](crate::methods), a service, a [`Registry`].
    pub fn methods(mut self, methods: impl Into<Registry>) -> Server {
        self.registry = self.registry.methods(methods);
        self
    }

    /// Adds methods behind a prefix and a separator, see [`Registry::mount`].
    pub fn mount(mut self, prefix: impl fmt::Display, methods: impl Into<Registry>) -> Server {
        self.registry = self.registry.mount(prefix, methods);
        self
    }

    /// Sets what stands between prefix and name in the mounts that follow; a dot unless set.
    pub fn separator(mut self, separator: impl Into<Cow<'static, str>>) -> Server {
        self.registry = self.registry.separator(separator);
        self
    }

    /// Adds a fallback that resolves names which are not registered, see [`Fallback`].
    pub fn fallback(mut self, fallback: impl Fallback + 'static) -> Server {
        self.registry = self.registry.fallback(fallback);
        self
    }

    /// Switches off one of the `system.` methods or `rpc.discover`, which are all on otherwise.
    ///
    /// # Example
    ///
    /// ```
    /// let server = rpcgi::Server::new("Example").without("system.multicall");
    /// # server.build().unwrap();
    /// ```
    pub fn without(mut self, name: impl Into<String>) -> Server {
        self.switched_off.push(name.into());
        self
    }

    /// Sets how much one request may cost.
    pub fn limits(mut self, limits: Limits) -> Server {
        self.settings.limits = limits;
        self
    }

    /// Answers at these paths only, and 404 elsewhere; at any path unless set. Python's `rpc_paths`.
    ///
    /// A path is that of the URL, with the name of the CGI program in it: see [`Request::path`]. Paths that mean the same
    /// are the same (RFC 3986 §6.2.2): `/%7eann` is `/~ann`, and `/ü` its UTF-8, encoded.
    pub fn paths<P: Into<String>>(mut self, paths: impl IntoIterator<Item = P>) -> Server {
        self.settings.paths = paths.into_iter().map(|path| normal(path.into())).collect();
        self
    }

    /// Serves another server at a path: its methods, its page, its settings. Twisted's `putChild`.
    ///
    /// The path is that of the URL, or the part after the name of the CGI program in it (`PATH_INFO`), also for servers
    /// inside that server. This server itself answers at all other paths; where the part after the program's name is
    /// known, only if it is empty, unless this server has [`paths`](Server::paths) of its own. Its page lists the
    /// others. Before a body is read, the [`limits`](Server::limits) of this server apply.
    ///
    /// # Example
    ///
    /// ```
    /// use rpcgi::{Server, Service};
    ///
    /// let common = Server::new("Common").method("version", || "1.0");
    /// let endpoint = Server::new("Example").at("/xmlrpc/common", common).build()?;
    /// let call = rpcgi::xmlrpc::call_to_vec("version", &()).unwrap();
    /// let response = endpoint.handle(&http::Request::post("/xmlrpc/common").body(call).unwrap().into());
    /// assert_eq!(rpcgi::xmlrpc::response_from_slice(&response.body).unwrap(), Ok("1.0".to_owned()));
    /// # Ok::<(), rpcgi::BuildError>(())
    /// ```
    pub fn at(mut self, path: impl Into<String>, server: Server) -> Server {
        let path: String = path.into();
        let path = if path.starts_with('/') { path } else { format!("/{path}") };
        self.others.push((normal(path), server));
        self
    }

    /// Sets the public URL of the service, as `https://api.example/app`: the URLs in page, samples and OpenRPC begin
    /// with it, where the request alone would not tell. The path of a request follows, unless it begins with the path
    /// of this URL already. Pages of this origin may make calls. It belongs on the outermost server.
    ///
    /// # Example
    ///
    /// ```
    /// use rpcgi::{Request, Server, Service};
    ///
    /// let server = Server::new("Example").url("https://api.example").method("where", |request: &Request| request.url());
    /// # let endpoint = server.build().unwrap();
    /// # let call = br#"{"jsonrpc": "2.0", "method": "where", "id": 1}"#.to_vec();
    /// # let request = http::Request::post("/RPC2").header("Host", "127.0.0.1:8000").body(call).unwrap();
    /// # let answer = endpoint.handle(&request.into());
    /// # assert_eq!(answer.body, br#"{"jsonrpc":"2.0","result":"https://api.example/RPC2","id":1}"#);
    /// ```
    pub fn url(mut self, url: impl Into<String>) -> Server {
        self.settings.url = Some(url.into());
        self
    }

    /// Sets the addresses (`127.0.0.1`) and networks (`10.0.0.0/8`) of proxies that may say which client they ask for:
    /// from these, and these alone, `X-Forwarded-For`, `-Proto`, `-Host` and `-Prefix` are read, or
    /// [`forwarded`](Server::forwarded). They count for [`Request::url`] and [`Request::remote_addr`], and so for page,
    /// log and limits. They belong on the outermost server.
    ///
    /// Of several addresses, the rightmost that is not a trusted proxy's counts; of the other headers, the last value.
    /// A proxy has to set or remove each of these headers: one that it passes on is the client's.
    pub fn trusted_proxies<P: Into<String>>(mut self, proxies: impl IntoIterator<Item = P>) -> Server {
        self.settings.trusted_proxies = proxies.into_iter().map(Into::into).collect();
        self
    }

    /// Sets the headers by which trusted proxies name the client: `X-Forwarded-*` unless set.
    pub fn forwarded(mut self, forwarded: Forwarded) -> Server {
        self.settings.forwarded = forwarded;
        self
    }

    /// Sets whether results may have nil, which is not part of the original XML-RPC: yes unless set. If not, a nil in a
    /// result is a fault that names its place. Python's `allow_none`.
    #[doc(alias = "allow_none")]
    pub fn nil(mut self, nil: bool) -> Server {
        self.settings.nil = nil;
        self
    }

    /// Sets the encoding of answers: UTF-8 unless set. A character it does not have is written as a reference.
    ///
    /// # Example
    ///
    /// ```
    /// use rpcgi::{Server, xmlrpc::Encoding};
    ///
    /// let server = Server::new("Example").encoding(Encoding::US_ASCII);
    /// # server.build().unwrap();
    /// ```
    pub fn encoding(mut self, encoding: Encoding) -> Server {
        self.settings.encoding = encoding;
        self
    }

    /// Sets whether JSON has integers beyond 2^53 as strings: no unless set. They are written exactly in any case, but
    /// a client that reads numbers as doubles (JavaScript) would round them.
    ///
    /// If set, a client may send every integer as a string too. XML-RPC is not affected.
    ///
    /// # Example
    ///
    /// ```
    /// let server = rpcgi::Server::new("Example").large_integers_as_text(true).method("largest", || i64::MAX);
    /// # let endpoint = server.build().unwrap();
    /// let answer = endpoint.handle_document(br#"{"jsonrpc": "2.0", "method": "largest", "id": 1}"#);
    /// assert_eq!(answer, br#"{"jsonrpc":"2.0","result":"9223372036854775807","id":1}"#);
    /// ```
    pub fn large_integers_as_text(mut self, as_text: bool) -> Server {
        self.settings.large_integers_as_text = as_text;
        self
    }

    /// Lets the pages of these origins (`https://app.example`) make calls from a browser; `*` lets all. Unless set,
    /// only those of this host may.
    pub fn cors<O: Into<String>>(mut self, origins: impl IntoIterator<Item = O>) -> Server {
        for origin in origins {
            self.settings.origins.allow(origin.into());
        }
        self
    }

    /// Sets whether [`run`](Server::run) logs a line for every call: no unless set. Python's `logRequests`.
    ///
    /// The lines go to `log`, at the level info; a program with a logger of its own receives them at that level.
    #[doc(alias = "logRequests")]
    pub fn log_calls(mut self, log_calls: bool) -> Server {
        self.settings.log_calls = log_calls;
        self
    }

    /// Sets a file for the log, beside standard error: under [`run`](Server::run), its lines go there too, each with
    /// time and [id](Request::id) of the request. A relative path begins at the directory where the program is started.
    ///
    /// The file is created with mode 0640, reopened within a second of being renamed, and may be shared by processes.
    /// It should not lie where a web server hands it out. A program's own logger, if it has one, takes its lines
    /// instead.
    ///
    /// # Example
    ///
    /// ```no_run
    /// rpcgi::Server::new("Example").log_file("/home/ann/log/example.log").log_calls(true).run();
    /// ```
    pub fn log_file(mut self, path: impl Into<PathBuf>) -> Server {
        self.settings.log_file = Some(path.into());
        self
    }

    /// Sets how the lines of the [`log_file`](Server::log_file) are written: as text unless set.
    pub fn log_format(mut self, format: LogFormat) -> Server {
        self.settings.log_format = format;
        self
    }

    /// Configures the page: who may see it, whether methods can be tried on it, its appearance.
    ///
    /// # Example
    ///
    /// ```
    /// use rpcgi::{Access, Docs, Server};
    ///
    /// let server = Server::new("Example").docs(Docs::new().access(Access::Off));
    /// # server.build().unwrap();
    /// ```
    pub fn docs(mut self, docs: Docs) -> Server {
        self.settings.docs = docs;
        self
    }

    /// Builds the endpoint.
    ///
    /// # Errors
    /// [`BuildError`], if methods share a name, servers share a path, or a method that does not exist is switched off.
    pub fn build(self) -> Result<Endpoint, BuildError> {
        let mut error = BuildError::default();
        let endpoint = self.build_noting(&mut error);
        if error == BuildError::default() { Ok(endpoint) } else { Err(error) }
    }

    /// Builds the endpoint, and collects its mistakes in `error`.
    fn build_noting(self, error: &mut BuildError) -> Endpoint {
        let Server { mut registry, switched_off, settings, others } = self;
        let abilities = Abilities { limits: settings.limits, nil: settings.nil };
        let info = settings.info();
        let registry = Arc::new_cyclic(|whole| {
            let mut system = System::new(whole, info, abilities);
            error.unknown.extend(switched_off.into_iter().filter(|name| !system.switch_off(name)));
            registry.seal(system);
            registry
        });
        error.duplicates.extend(registry.duplicates());
        let mut places: Vec<(String, Endpoint)> = Vec::with_capacity(others.len());
        for (path, server) in others {
            let mut other = server.build_noting(error);
            let below = std::mem::take(&mut other.places);
            places.push((path, other));
            places.extend(below);
        }
        let mut taken = BTreeSet::new();
        error.paths.extend(places.iter().map(|(path, _)| path).filter(|path| !taken.insert(*path)).cloned());
        let log_file = settings.log_file.as_ref().map(|path| {
            let path = std::path::absolute(path).unwrap_or_else(|_| path.clone());
            Arc::new(LogFile::new(path, settings.log_format))
        });
        let surroundings = settings.surroundings().unwrap_or_else(|message| {
            error.addresses.push(message);
            Surroundings::default()
        });
        Endpoint { registry, settings, surroundings, places, pages: Pages::default(), log_file }
    }

    /// Returns the level that a logger made for this server lets through.
    pub(crate) fn log_level(&self) -> log::LevelFilter {
        let own = if self.settings.log_calls { log::LevelFilter::Info } else { log::LevelFilter::Warn };
        self.others.iter().map(|(_, server)| server.log_level()).fold(own, Ord::max)
    }
}

/// The mistakes that keep a [`Server`] from being built.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct BuildError {
    /// Names that two methods share.
    pub duplicates: Vec<DuplicateMethod>,
    /// Names of `system.` methods that were switched off but do not exist.
    pub unknown: Vec<String>,
    /// Paths that two servers share.
    pub paths: Vec<String>,
    /// Mistakes in URLs and in addresses of proxies.
    pub addresses: Vec<String>,
}

impl fmt::Display for BuildError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let duplicates = self.duplicates.iter().map(DuplicateMethod::to_string);
        let unknown = self.unknown.iter().map(|name| format!("there is no method \"{name}\" to switch off"));
        let paths = self.paths.iter().map(|path| format!("there are two servers at {path}"));
        let addresses = self.addresses.iter().cloned();
        f.write_str(&duplicates.chain(unknown).chain(paths).chain(addresses).collect::<Vec<_>>().join("; "))
    }
}

impl std::error::Error for BuildError {}

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
pub struct Endpoint {
    registry: Arc<Registry>,
    settings: Settings,
    surroundings: Surroundings,
    /// Other endpoints, by their paths.
    places: Vec<(String, Endpoint)>,
    pages: Pages,
    log_file: Option<Arc<LogFile>>,
}

const ACCEPT_ENCODING: HeaderValue = HeaderValue::from_static("Accept-Encoding");
/// The methods of HTTP that are supported, with a page and without.
const METHODS: &str = "GET, HEAD, OPTIONS, POST";
const METHODS_WITHOUT_PAGE: &str = "OPTIONS, POST";
const X_REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");
const NOSNIFF: HeaderValue = HeaderValue::from_static("nosniff");
const TEXT_XML: HeaderValue = HeaderValue::from_static("text/xml; charset=utf-8");
const APPLICATION_JSON: HeaderValue = HeaderValue::from_static("application/json");

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
        self.answer(&request, None, document).map_or_else(Vec::new, |(_, answer)| answer)
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

    /// Returns the file of its log, beside standard error.
    pub(crate) fn log_file(&self) -> Option<Arc<LogFile>> {
        self.log_file.clone()
    }

    /// Returns the name and version of the service.
    pub(crate) fn name_and_version(&self) -> (&str, &str) {
        (&self.settings.name, &self.settings.version)
    }

    /// Renders the documentation page; `url` is where the methods are called.
    #[cold]
    pub fn page(&self, url: Option<String>) -> String {
        self.describe(Format::Html, url)
    }

    /// Renders the page, or one of its twins, as it is served at a URL, for no client in particular. Its assets are
    /// inline, as it may be kept where nothing is beside it.
    pub(crate) fn describe(&self, format: Format, url: Option<String>) -> String {
        let base = url.as_deref().unwrap_or_default().trim_end_matches('/').to_owned();
        let docs = self.settings.docs.clone().assets(Assets::Inline);
        self.describe_to(&Key { format, url, base, tries: false, auth_type: None, coding: None }, &docs, "")
    }

    /// Renders the page, or one of its twins, for a client. It has the methods that match a filter.
    fn describe_to(&self, key: &Key, docs: &Docs, filter: &str) -> String {
        match key.format {
            Format::OpenRpc => self.openrpc(key.url.clone()),
            format => {
                let methods = self.registry.describe_all();
                let page = docs::Page { docs, methods, filter, ..self.empty_page(key) };
                page.render(format).unwrap_or_default()
            }
        }
    }

    /// Returns a page without methods.
    fn empty_page<'a>(&'a self, key: &'a Key) -> docs::Page<'a> {
        let Settings { name, title, documentation, version, limits, docs, .. } = &self.settings;
        let place = |(path, other): &(String, Endpoint)| Place {
            url: format!("{}{path}", key.base),
            name: other.settings.name.clone(),
        };
        docs::Page {
            title: title.as_deref().unwrap_or(name),
            name,
            documentation,
            version,
            limits,
            docs,
            auth_type: key.auth_type.as_deref(),
            tries: key.tries,
            asks: Default::default(),
            url: key.url.clone(),
            places: self.places.iter().map(place).collect(),
            methods: Vec::new(),
            filter: "",
            rendered: Default::default(),
            xml: &xml_request,
        }
    }

    fn openrpc(&self, url: Option<String>) -> String {
        let mut generator = openrpc::generator();
        let methods = self.registry.outline_all(&mut generator);
        openrpc::text(&openrpc::document(&self.settings.info(), url, methods, generator))
    }

    /// Finds the endpoint at the path of a request: another below this one, or this one itself.
    ///
    /// # Errors
    /// The response to a path that neither has.
    fn find(&self, request: &Request) -> Result<&Endpoint, Response> {
        if self.places.is_empty() {
            return self.check_path(request);
        }
        let path = normal_path(request)?;
        let path_info = path::normal(&path::encoded(&request.variable_octets("PATH_INFO").unwrap_or_default()));
        let path_info = path_info.ok_or_else(|| Response::nothing_at(&path))?;
        match self.place(&path).or_else(|| self.place(&path_info)) {
            Some(other) => other.check_path(request),
            None if self.settings.paths.is_empty() && !matches!(&path_info[..], "" | "/" | "*") => {
                Err(Response::nothing_at(&path))
            }
            None => self.check_path(request),
        }
    }

    /// Returns the other endpoint at a path as an operator writes it.
    pub(crate) fn place_at(&self, path: &str) -> Option<&Endpoint> {
        self.place(&path::normal(path)?)
    }

    /// Returns the other endpoint at a path in its normal form.
    fn place(&self, path: &str) -> Option<&Endpoint> {
        self.places.iter().find(|(place, _)| *place == path).map(|(_, endpoint)| endpoint)
    }

    /// Returns the response of the endpoint at the path of the request.
    fn respond_to(&self, request: &Request) -> Response {
        let method = request.method();
        let found =
            request.check_target().and_then(|()| request.see(&self.surroundings)).and_then(|()| self.find(request));
        let (origins, response) = match found {
            Ok(endpoint) => {
                let route = || endpoint.route(&method, request);
                (&endpoint.settings.origins, logger::to_file(endpoint.log_file.as_deref(), route))
            }
            Err(refusal) => (&self.settings.origins, Err(refusal)),
        };
        let mut response = response.unwrap_or_else(|refusal| refusal);
        response.head_only = method == "HEAD";
        let id = request.known_id().and_then(|id| HeaderValue::from_str(&id).ok());
        response.headers.extend(id.map(|id| (X_REQUEST_ID, id)));
        origins.expose(request, response)
    }

    /// Returns the response; the error is also one, to a request that is not served.
    fn route(&self, method: &str, request: &Request) -> Result<Response, Response> {
        let has_page = self.settings.docs.access == Access::Public;
        let methods = if has_page { METHODS } else { METHODS_WITHOUT_PAGE };
        match method {
            "POST" => self.post(request),
            "GET" | "HEAD" if has_page => {
                catch_panic(|| self.get(request)).unwrap_or_else(|fault| Err(page_failed(&fault)))
            }
            "OPTIONS" => {
                let allow = HeaderValue::from_static(methods);
                let response = Response::empty(StatusCode::NO_CONTENT).with(header::ALLOW, allow);
                Ok(self.settings.origins.preflight(request, response))
            }
            method => {
                let message = format!("expected one of {methods}, found \"{}\"", shown(method));
                let allow = HeaderValue::from_static(methods);
                Err(Response::text(StatusCode::METHOD_NOT_ALLOWED, message).with(header::ALLOW, allow))
            }
        }
    }

    /// Returns itself, if it answers at the path of the request.
    fn check_path(&self, request: &Request) -> Result<&Endpoint, Response> {
        let paths = &self.settings.paths;
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

    /// Answers a call.
    fn post(&self, request: &Request) -> Result<Response, Response> {
        self.settings.origins.check(request)?;
        let content_type = request.variable("CONTENT_TYPE");
        let media_type = content_type.as_deref().map(media_type);
        let limit = self.settings.limits.body;
        if request.body().len() > limit {
            return Err(Response::too_large(limit));
        }
        if media_type.is_some_and(is_form)
            && let Some(name) = self.tried(request)
        {
            return catch_panic(|| self.try_method(request, &name)).unwrap_or_else(|fault| Err(page_failed(&fault)));
        }
        media_type.map_or(Ok(()), check_media_type)?;
        let body = compression::decode(request.variable("HTTP_CONTENT_ENCODING").as_deref(), request.body(), limit)?;
        let Some((content_type, answer)) = self.answer(request, media_type, &body) else {
            return Ok(Response::empty(StatusCode::NO_CONTENT));
        };
        let response =
            Response::new(StatusCode::OK, content_type, answer).with(header::X_CONTENT_TYPE_OPTIONS, NOSNIFF);
        Ok(compress(request, response))
    }

    /// Answers a document by another, with its type; `None` if there is nothing to answer.
    fn answer(&self, request: &Request, media_type: Option<&str>, document: &[u8]) -> Option<(HeaderValue, Vec<u8>)> {
        let Settings { encoding, nil, limits, large_integers_as_text, .. } = self.settings;
        let dispatch = |name: &str, params: Params<'_, '_>| self.registry.call(name, request, params);
        let answer = match Protocol::of(document, media_type) {
            Protocol::XmlRpc => {
                let answer = xmlrpc::answer(document, &xmlrpc::Options { encoding, nil, limits }, &dispatch);
                Some((text_xml(encoding), answer))
            }
            Protocol::JsonRpc => {
                let options = json::Options { limits, large_integers_as_text };
                jsonrpc::answer(document, &options, &dispatch).map(|answer| (APPLICATION_JSON, answer))
            }
        };
        logger::log_calls(request, answer.as_ref().map_or(0, |(_, answer)| answer.len()));
        answer
    }

    #[cold]
    fn get(&self, request: &Request) -> Result<Response, Response> {
        if let Some(name) = query(request, ASSET) {
            return self.asset(&name);
        }
        if let Some(name) = self.tried(request) {
            return self.trial_page(request, &name);
        }
        let format = asked_for(request)?;
        let key = self.key(request, format);
        let filter = filter_of(request);
        let render = |key: &Key| Rendered {
            text: self.describe_to(key, &self.settings.docs, &filter),
            policy: docs::content_security_policy(&self.settings.docs, key.tries),
        };
        // lists that a fallback may change at any time are not kept, nor the results of a search
        let page = match self.registry.is_settled() && filter.is_empty() {
            true => self.pages.get(key, render),
            false => Arc::new(Page::new(key.clone(), render(&key), Compression::default())),
        };
        let common = [
            (header::ETAG, page.etag.value(page.coding)),
            (header::CACHE_CONTROL, HeaderValue::from_static("no-cache")),
            (header::VARY, HeaderValue::from_static("Accept, Accept-Encoding")),
        ];
        if request.variable("HTTP_IF_NONE_MATCH").is_some_and(|known| page.etag.is_among(&known)) {
            let mut response = Response::empty(StatusCode::NOT_MODIFIED);
            response.headers.extend(common);
            return Ok(response);
        }
        let mut response =
            Response::new(StatusCode::OK, HeaderValue::from_static(format.content_type()), &page.body[..]);
        response.headers.extend(common);
        let coding = page.coding.map(|coding| HeaderValue::from_static(coding.name()));
        response.headers.extend(coding.map(|coding| (header::CONTENT_ENCODING, coding)));
        Ok(response
            .with(header::CONTENT_SECURITY_POLICY, page.policy.clone())
            .with(header::REFERRER_POLICY, HeaderValue::from_static("same-origin"))
            .with(header::X_CONTENT_TYPE_OPTIONS, NOSNIFF))
    }

    /// Returns the key of the description that this request asks for.
    fn key(&self, request: &Request, format: Format) -> Key {
        let url = request.url();
        let origin = request.base().unwrap_or_default();
        let program = request.variable("SCRIPT_NAME").unwrap_or_default();
        let base = format!("{origin}{}", program.trim_end_matches('/'));
        let auth_type = request.variable("AUTH_TYPE").map(Cow::into_owned);
        Key { format, url, base, tries: self.tries(request), auth_type, coding: compression::accepted(request) }
    }

    /// Returns the style sheet or the script that a page has linked.
    fn asset(&self, name: &str) -> Result<Response, Response> {
        let asset = Asset::find(name, &self.settings.docs)
            .ok_or_else(|| Response::text(StatusCode::NOT_FOUND, format!("there is no asset \"{}\"", shown(name))))?;
        let cached = HeaderValue::from_static("public, max-age=31536000, immutable");
        Ok(Response::new(StatusCode::OK, HeaderValue::from_static(asset.content_type), asset.text)
            .with(header::CACHE_CONTROL, cached)
            .with(header::X_CONTENT_TYPE_OPTIONS, NOSNIFF))
    }
}

/// Returns the normal form of a path; a path without one stays as it is, and no request matches it.
fn normal(path: String) -> String {
    path::normal(&path).unwrap_or(path)
}

/// Returns the normal form of a request's path.
///
/// # Errors
/// The response to a path without one.
fn normal_path(request: &Request) -> Result<String, Response> {
    let path = request.path();
    path::normal(&path).ok_or_else(|| Response::nothing_at(&path))
}

/// Writes a call as an XML-RPC document for readers, without the declaration, which states only the defaults.
fn xml_request(name: &str, params: &[Value]) -> String {
    // there is no value that XML-RPC cannot write
    let call = xmlrpc::call_to_vec(name, params).unwrap_or_default();
    let call = String::from_utf8_lossy(call.trim_ascii_end());
    call.split_once("?>\n").map_or(&*call, |(_, call)| call).to_owned()
}

#[cold]
fn page_failed(fault: &Fault) -> Response {
    log::error!("the page {}", fault.cause().unwrap_or_default());
    Response::text(StatusCode::INTERNAL_SERVER_ERROR, "internal error")
}

/// Returns the value of a name in the query of a request.
fn query(request: &Request, name: &str) -> Option<String> {
    let query = request.variable_octets("QUERY_STRING")?;
    form_urlencoded::parse(&query).find(|(key, _)| key == name).map(|(_, value)| value.into_owned())
}

/// Returns the words that a request looks for, by its query.
fn filter_of(request: &Request) -> String {
    let written = query(request, "q").unwrap_or_default();
    written.chars().take(docs::LONGEST_FILTER).collect::<String>().trim().to_owned()
}

/// Returns the format that a request wants the description in: by its query, or else by the types it accepts.
///
/// # Errors
/// The response to a query for an unknown format: 400.
fn asked_for(request: &Request) -> Result<Format, Response> {
    let named = query(request, "format").map(|name| name.parse()).transpose();
    let format = named.map_err(|message: String| Response::text(StatusCode::BAD_REQUEST, message))?;
    Ok(format.unwrap_or_else(|| Format::of_accept(&request.header("Accept").unwrap_or_default())))
}

impl Service for Endpoint {
    fn limits(&self) -> Limits {
        self.settings.limits
    }

    fn handle(&self, request: &Request) -> Response {
        logger::of_request(request, || logger::to_file(self.log_file.as_deref(), || self.respond_to(request)))
    }

    fn is_own_host(&self, request: &Request) -> bool {
        self.surroundings.is_own_host(request)
    }
}

impl fmt::Debug for Endpoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Endpoint").field("name", &self.settings.name).field("methods", &self.registry).finish()
    }
}

fn text_xml(encoding: Encoding) -> HeaderValue {
    if encoding == Encoding::UTF_8 {
        return TEXT_XML;
    }
    HeaderValue::try_from(format!("text/xml; charset={encoding}")).unwrap_or(HeaderValue::from_static("text/xml"))
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
    let message = format!("expected Content-Type text/xml or application/json, found \"{}\"", found.escape_debug());
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
            response.body = body;
            response.with(header::CONTENT_ENCODING, HeaderValue::from_static(coding.name()))
        }
        Err(error) => {
            log::error!("a response cannot be compressed: {error}");
            response
        }
    }
}
