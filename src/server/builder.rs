//! The builder of a service.

use std::borrow::Cow;
use std::collections::BTreeSet;
use std::fmt;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use super::endpoint::{Endpoint, Guard, Setup};
#[cfg(feature = "docs")]
use crate::docs::{Docs, Facts, OtherService};
#[cfg(feature = "async")]
use crate::method::Async;
use crate::method::system::{Abilities, Info, System, UNVERSIONED};
use crate::method::{Call, DuplicateMethod, Fallback, Function, Registry};
#[cfg(feature = "docs")]
use crate::protocol::Protocol;
use crate::protocol::{Options, PROTOCOLS};
use crate::service::logger::{LogFile, LogFormat};
use crate::service::origin::Origins;
use crate::service::{BaseUrl, Forwarded, Limits, Request, Response, Surroundings, network, path};
#[cfg(feature = "docs")]
use crate::site::Site;
use crate::wire::compat::Compat;
use crate::wire::fault::Fault;
use crate::wire::xml::Encoding;

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
#[must_use = "a server does nothing until it is built or run"]
pub struct Server {
    registry: Registry,
    switched_off: Vec<String>,
    settings: Settings,
    others: Vec<(String, Server)>,
}

/// Everything but the methods.
struct Settings {
    name: String,
    #[cfg(feature = "docs")]
    title: Option<String>,
    documentation: String,
    version: String,
    options: Options,
    paths: Vec<String>,
    /// The URL as it was set; mistakes in it are reported when the server is built.
    url: Option<String>,
    trusted_proxies: Vec<String>,
    forwarded: Forwarded,
    origins: Origins,
    guards: Vec<Guard>,
    log_calls: bool,
    log_file: Option<PathBuf>,
    log_format: LogFormat,
    #[cfg(feature = "docs")]
    docs: Docs,
}

impl fmt::Debug for Server {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Server")
            .field("name", &self.settings.name)
            .field("methods", &self.registry)
            .finish_non_exhaustive()
    }
}

impl Settings {
    /// Returns the service's entry in the OpenRPC document.
    fn info(&self) -> Info {
        Info { title: self.name.clone(), description: self.documentation.clone(), version: self.version.clone() }
    }

    /// Returns the facts for the page.
    #[cfg(feature = "docs")]
    fn facts(&self, places: &[(String, Endpoint)]) -> Facts {
        let other =
            |(path, other): &(String, Endpoint)| OtherService { path: path.clone(), name: other.setup.name.clone() };
        Facts {
            title: self.title.clone().unwrap_or_else(|| self.name.clone()),
            name: self.name.clone(),
            documentation: self.documentation.clone(),
            version: self.version.clone(),
            max_body: self.options.limits.body,
            max_calls: self.options.limits.calls,
            docs: self.docs.clone(),
            dialects: Protocol::dialects().collect(),
            others: places.iter().map(other).collect(),
        }
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
            #[cfg(feature = "docs")]
            title: None,
            documentation: String::new(),
            version: UNVERSIONED.into(),
            options: Options {
                limits: Limits::default(),
                encoding: Encoding::UTF_8,
                nil: true,
                compat: None,
                large_integers_as_text: false,
            },
            paths: Vec::new(),
            url: None,
            trusted_proxies: Vec::new(),
            forwarded: Forwarded::default(),
            origins: Origins::default(),
            guards: Vec::new(),
            log_calls: false,
            log_file: None,
            log_format: LogFormat::default(),
            #[cfg(feature = "docs")]
            docs: Docs::new(),
        };
        Server { registry: Registry::new(), switched_off: Vec::new(), settings, others: Vec::new() }
    }

    /// Sets the title of the page, for the browser's tab: its name unless set. Python's `set_server_title`.
    #[cfg(feature = "docs")]
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
        self.settings.options.limits = limits;
        self
    }

    /// Answers at these paths only, and 404 elsewhere; at any path unless set. Python's `rpc_paths`.
    ///
    /// A path is that of the URL, with the name of the CGI program in it: see [`Request::path`]. Paths that mean the
    /// same are the same (RFC 3986 §6.2.2): `/%7eann` is `/~ann`, and `/ü` its UTF-8, encoded.
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
    /// let server = Server::new("Example").url("https://api.example").method("where", |request: &Request|
    /// request.url());
    /// # let endpoint = server.build().unwrap();
    /// # let call = br#"{"jsonrpc": "2.0", "method": "where", "id": 1}"#.to_vec();
    /// # let request = http::Request::post("/RPC2").header("Host", "127.0.0.1:8000").body(call).unwrap();
    /// # let answer = endpoint.handle(&request.into());
    /// # assert_eq!(answer.body, &br#"{"jsonrpc":"2.0","result":"https://api.example/RPC2","id":1}"#[..]);
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
        self.settings.options.nil = nil;
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
        self.settings.options.encoding = encoding;
        self
    }

    /// Sets the system whose faults XML-RPC's callers get: codes, texts, also inside of `system.multicall`. Its default
    /// for nil holds too, until [`nil`](Server::nil) is set after this: all of them are without it.
    ///
    /// # Example
    ///
    /// ```
    /// use rpcgi::{Server, xmlrpc::Compat};
    ///
    /// let server = Server::new("Example").compat(Compat::Python);
    /// # let endpoint = server.build().unwrap();
    /// let call = rpcgi::xmlrpc::call_to_vec("spin", &()).unwrap();
    /// let answer = endpoint.handle_document(&call);
    /// let fault = rpcgi::xmlrpc::response_from_slice::<()>(&answer).unwrap().unwrap_err();
    /// assert_eq!(fault.to_string(), "1: <class 'Exception'>:method \"spin\" is not supported");
    /// ```
    pub fn compat(mut self, compat: Compat) -> Server {
        self.settings.options.compat = Some(compat);
        self.settings.options.nil = false;
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
        self.settings.options.large_integers_as_text = as_text;
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

    /// Adds a guard: a function that decides on every request by its head, before the body is read. It may name the
    /// [user](Request::set_user), [attach](Request::extensions_mut) what it has found out, and set headers of the
    /// response. Guards run in the order they are added, for the page and for calls; those of this server before those
    /// of a server [at a path](Server::at).
    ///
    /// # Example
    ///
    /// Only those who know a token may call, and see the page:
    ///
    /// ```
    /// use http::{HeaderValue, StatusCode, header};
    /// use rpcgi::{Request, Response, Server};
    ///
    /// let server = Server::new("Example").guard(|request: &mut Request| {
    ///     if request.header("Authorization").as_deref() == Some("Bearer x3yz") {
    ///         request.set_user("ann");
    ///         return Ok(());
    ///     }
    ///     let challenge = HeaderValue::from_static("Bearer");
    ///     Err(Response::text(StatusCode::UNAUTHORIZED, "a token is needed").with(header::WWW_AUTHENTICATE, challenge))
    /// });
    /// # server.build().unwrap();
    /// ```
    pub fn guard(mut self, guard: impl Fn(&mut Request) -> Result<(), Response> + Send + Sync + 'static) -> Server {
        self.settings.guards.push(Arc::new(guard));
        self
    }

    /// Adds a function that decides on each call before its method runs, see [`Registry::before`]. It is asked for all
    /// calls: of the `system.` methods, of names that no method has, and of each call inside of a batch or multicall.
    pub fn before(mut self, before: impl Fn(&Call<'_>) -> Result<(), Fault> + Send + Sync + 'static) -> Server {
        self.registry = self.registry.before(before);
        self
    }

    /// Adds a function that is told of each call when it has been answered, see [`Registry::after`].
    pub fn after(mut self, after: impl Fn(&Call<'_>, Result<(), &Fault>, Duration) + Send + Sync + 'static) -> Server {
        self.registry = self.registry.after(after);
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
    #[cfg(feature = "docs")]
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

    /// Makes an endpoint, and notes what is wrong with it.
    fn build_noting(self, error: &mut BuildError) -> Endpoint {
        let log_level = self.log_level();
        let Server { mut registry, switched_off, settings, others } = self;
        let abilities = Abilities {
            limits: settings.options.limits,
            compat: settings.options.compat,
            nil: settings.options.nil,
            protocols: PROTOCOLS.iter().map(|protocol| protocol.capability).collect(),
        };
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
            let other = server.build_noting(error);
            let below = other.places.to_vec();
            places.push((path, other));
            places.extend(below);
        }
        let mut taken = BTreeSet::new();
        error.paths.extend(places.iter().map(|(path, _)| path).filter(|path| !taken.insert(*path)).cloned());
        let surroundings = settings.surroundings().unwrap_or_else(|message| {
            error.addresses.push(message);
            Surroundings::default()
        });
        #[cfg(feature = "docs")]
        let site = Site::new(Arc::clone(&registry), settings.facts(&places));
        let Settings { name, version, options, paths, origins, guards, log_file, log_format, .. } = settings;
        let log_file = log_file.map(|path| {
            let path = std::path::absolute(&path).unwrap_or(path);
            Arc::new(LogFile::new(path, log_format))
        });
        let setup = Setup { name, version, options, paths, surroundings, origins, guards, log_file, log_level };
        Endpoint {
            registry,
            #[cfg(feature = "docs")]
            site: Arc::new(site),
            setup: Arc::new(setup),
            places: places.into(),
        }
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

/// Returns a path as it is compared. One without a normal form stays as it is, and no request matches it.
fn normal(path: String) -> String {
    path::normal(&path).unwrap_or(path)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::service::Service;

    fn mistakes(server: Server) -> String {
        server.build().err().map(|error| error.to_string()).unwrap_or_default()
    }

    /// Calls the method `name` by JSON-RPC at a path.
    fn called(endpoint: &Endpoint, path: &str) -> (u16, String) {
        let call = r#"{"jsonrpc": "2.0", "method": "name", "id": 1}"#;
        let response = endpoint.handle(&http::Request::post(path).body(call).unwrap().into());
        (response.status.as_u16(), String::from_utf8(response.body.to_vec()).unwrap())
    }

    #[test]
    fn places_roundtrip() {
        let named = |name: &'static str| Server::new(name).method("name", move || name);
        let outer = named("outer").paths(["/RPC2", "/%7Eann"]).at("/a", named("a").at("b/%63", named("c")));
        let endpoint = outer.build().unwrap();
        for (path, name) in [("/RPC2", "outer"), ("/~ann", "outer"), ("/a", "a"), ("/b/c", "c"), ("/x/../a", "a")] {
            let expected = format!("{{\"jsonrpc\":\"2.0\",\"result\":\"{name}\",\"id\":1}}");
            assert_eq!(called(&endpoint, path), (200, expected), "{path}");
        }
        assert_eq!(called(&endpoint, "/x"), (404, "there is nothing at /x\n".into()));
    }

    #[test]
    fn settings_spec() {
        let server = Server::new("Sums").version("1.2").nil(false).method("nothing", || ()).without("system.multicall");
        let endpoint = server.encoding(Encoding::US_ASCII).method("text", || "ü").build().unwrap();
        let about = endpoint.about().unwrap();
        assert_eq!((about.name, about.version), ("Sums", "1.2"));
        assert_eq!(about.protocols, ["XML-RPC", "JSON-RPC 2.0", "Plain"]);
        let fault = Fault::new(-32603, "the result cannot be written: nil is switched off");
        assert_eq!(endpoint.call::<()>("nothing", ()), Err(fault));
        assert_eq!(endpoint.call::<bool>("system.methodExist", ["system.multicall"]), Ok(false));
        let call = b"<methodCall><methodName>text</methodName></methodCall>";
        let answer = String::from_utf8(endpoint.handle_document(call)).unwrap();
        assert!(answer.starts_with("<?xml version=\"1.0\" encoding=\"us-ascii\"?>\n"), "{answer}");
        assert!(answer.contains("<string>&#252;</string>"), "{answer}");
        let server = Server::new("").at("/a", Server::new("").log_calls(true));
        assert_eq!((server.log_level(), Server::new("").log_level()), (log::LevelFilter::Info, log::LevelFilter::Warn));
    }

    #[test]
    fn servers_invalid() {
        let server = || Server::new("x");
        for (found, expected) in [
            (mistakes(server().without("system.x")), "there is no method \"system.x\" to switch off"),
            (mistakes(server().at("/a", server()).at("a", server())), "there are two servers at /a"),
            (
                mistakes(server().url("h.example")),
                "expected a URL as \"https://api.example/path\", found \"h.example\"",
            ),
            (
                mistakes(server().at("/a", server().at("/b", server().without("a"))).without("b")),
                "there is no method \"b\" to switch off; there is no method \"a\" to switch off",
            ),
        ] {
            assert_eq!(found, expected);
        }
        let error =
            server().method("a", || 1).method("a", || 1).method("system.listMethods", || 1).build().unwrap_err();
        let names: Vec<&str> = error.duplicates.iter().map(|duplicate| &duplicate.name[..]).collect();
        assert_eq!(names, ["a", "system.listMethods"]);
        assert_eq!(server().trusted_proxies(["10.0.0.0/8", "x"]).build().unwrap_err().addresses.len(), 1);
    }
}
