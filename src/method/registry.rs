//! The methods of a server under their names.

use std::borrow::Cow;
use std::fmt;
use std::panic::Location;
use std::sync::Arc;
use std::time::{Duration, Instant};

use schemars::SchemaGenerator;

use super::hooks::Hooks;
use crate::call::{MULTICALL, Params, Reply};
use crate::description::{Description, Outline};
#[cfg(feature = "async")]
use crate::method::Async;
use crate::method::{Call, Function, Method};
use crate::service::Request;
use crate::service::logger;
use crate::wire::fault::Fault;
use crate::wire::value::excerpt;

/// A set of methods under their names, to be [mounted](Registry::mount) in another or served.
///
/// A name is looked up whole and as it is: dots and other separators have no meaning of their own.
///
/// # Example
///
/// ```
/// use rpcgi::{Registry, Server};
///
/// let accounts = Registry::new().method("list", || vec!["ann", "bob"]);
/// let admin = Registry::new().separator("/").mount("accounts", accounts);
/// let server = Server::new("Example").mount("admin", admin); // admin.accounts/list
/// # let endpoint = server.build().unwrap();
/// # let call = rpcgi::xmlrpc::call_to_vec("admin.accounts/list", &()).unwrap();
/// # let names = rpcgi::xmlrpc::response_from_slice::<Vec<String>>(&endpoint.handle_document(&call));
/// # assert_eq!(names.unwrap().unwrap(), ["ann", "bob"]);
/// ```
#[must_use = "a registry does nothing until it is mounted or served"]
pub struct Registry {
    /// In the order they were added; sorted by name once [sealed](Registry::seal).
    methods: Vec<(Cow<'static, str>, Method)>,
    /// In the order they are asked.
    fallbacks: Vec<Mounted>,
    separator: Cow<'static, str>,
    /// Of this registry; those of registries that were mounted are with their methods.
    hooks: Hooks,
}

/// A fallback, and what the registries around it have added.
struct Mounted {
    /// The prefix of the names it is asked for.
    prefix: String,
    fallback: Arc<dyn Fallback>,
    /// The outermost first.
    hooks: Vec<Arc<Hooks>>,
}

impl Mounted {
    fn new(fallback: impl Fallback + 'static) -> Mounted {
        Mounted { prefix: String::new(), fallback: Arc::new(fallback), hooks: Vec::new() }
    }

    fn method(&self, name: &str) -> Option<Method> {
        let method = self.fallback.method(name.strip_prefix(&self.prefix[..])?)?;
        Some(self.hooks.iter().rev().fold(method, |method, hooks| method.hooked(hooks)))
    }
}

/// A source of methods for unregistered names: Python's `_dispatch`, Twisted's `lookupProcedure` and `listProcedures`.
///
/// Any function from a name to a method is a fallback that lists nothing.
///
/// # Example
///
/// ```
/// use rpcgi::{Fallback, Method, Server};
///
/// struct Tables(Vec<String>);
///
/// impl Fallback for Tables {
///     fn method(&self, name: &str) -> Option<Method> {
///         let table = self.0.iter().find(|table| *table == name)?.clone();
///         Some(Method::new(table.clone(), move |key: i32| format!("{table} {key}")))
///     }
///
///     fn names(&self) -> Vec<String> {
///         self.0.clone()
///     }
/// }
///
/// let server = Server::new("Tables").fallback(Tables(vec!["orders".into(), "customers".into()]));
/// # server.build().unwrap();
/// ```
pub trait Fallback: Send + Sync {
    /// Returns the method of this name, without the prefix of the registry it is mounted with.
    fn method(&self, name: &str) -> Option<Method>;

    /// Returns the names to list.
    fn names(&self) -> Vec<String> {
        Vec::new()
    }
}

impl<F: Fn(&str) -> Option<Method> + Send + Sync> Fallback for F {
    fn method(&self, name: &str) -> Option<Method> {
        self(name)
    }
}

/// An error for two methods of the same name.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct DuplicateMethod {
    /// The name.
    pub name: String,
    /// The place of the first in the source.
    pub first: &'static Location<'static>,
    /// The place of the second.
    pub second: &'static Location<'static>,
}

impl DuplicateMethod {
    fn new(name: &str, first: &Method, second: &Method) -> DuplicateMethod {
        DuplicateMethod { name: name.to_owned(), first: first.location(), second: second.location() }
    }
}

impl fmt::Display for DuplicateMethod {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let DuplicateMethod { name, first, second } = self;
        write!(f, "method \"{name}\" is registered twice: the one at {first} and the one at {second}")
    }
}

impl std::error::Error for DuplicateMethod {}

impl Registry {
    /// Creates an empty registry.
    pub fn new() -> Registry {
        Registry { methods: Vec::new(), fallbacks: Vec::new(), separator: ".".into(), hooks: Hooks::default() }
    }

    /// Adds a function or closure under a name, see [`Method::new`].
    #[track_caller]
    pub fn method<Kind: 'static, Args: 'static>(
        mut self,
        name: impl Into<Cow<'static, str>>,
        function: impl Function<Kind, Args>,
    ) -> Registry {
        self.push(Method::new(name, function));
        self
    }

    /// Adds an `async` function or closure under a name, see [`Server::async_method`](crate::Server::async_method).
    #[cfg(feature = "async")]
    #[track_caller]
    pub fn async_method<Kind: 'static, Args: 'static>(
        self,
        name: impl Into<Cow<'static, str>>,
        function: impl Function<Async<Kind>, Args>,
    ) -> Registry {
        self.method(name, function)
    }

    /// Adds methods under their own names: [`methods!`](crate::methods), a service, another registry.
    pub fn methods(mut self, methods: impl Into<Registry>) -> Registry {
        self.merge(methods.into(), "");
        self
    }

    /// Adds methods under their own names behind a prefix and the [separator](Registry::separator).
    pub fn mount(mut self, prefix: impl fmt::Display, methods: impl Into<Registry>) -> Registry {
        let prefix = format!("{prefix}{}", self.separator);
        self.merge(methods.into(), &prefix);
        self
    }

    /// Sets what stands between prefix and name in the mounts that follow; a dot unless set.
    pub fn separator(mut self, separator: impl Into<Cow<'static, str>>) -> Registry {
        self.separator = separator.into();
        self
    }

    /// Adds a fallback that resolves names which are not registered. Several are asked in the order they were added.
    pub fn fallback(mut self, fallback: impl Fallback + 'static) -> Registry {
        self.fallbacks.push(Mounted::new(fallback));
        self
    }

    /// Adds a function that decides on each call before its method runs: of the methods of this registry, those that
    /// are added later too, under whatever names they are mounted; inside of a batch or multicall on each call of its
    /// own. Of several, that of the outermost registry is asked first. A panic in one is an internal fault.
    ///
    /// # Example
    ///
    /// ```
    /// use rpcgi::{Call, Fault, Registry, Server};
    ///
    /// fn admins_only(call: &Call<'_>) -> Result<(), Fault> {
    ///     match call.request().user().as_deref() {
    ///         Some("ann") => Ok(()),
    ///         _ => Err(Fault::new(403, format!("{} is for admins", call.name()))),
    ///     }
    /// }
    ///
    /// let accounts = Registry::new().method("list", || ["ann", "bob"]).before(admins_only);
    /// let server = Server::new("Example").mount("accounts", accounts).method("ping", || "pong");
    /// # let endpoint = server.build().unwrap();
    /// # assert_eq!(endpoint.call::<String>("ping", ()).unwrap(), "pong");
    /// # assert_eq!(endpoint.call::<Vec<String>>("accounts.list", ()).unwrap_err().code, 403);
    /// ```
    pub fn before(mut self, before: impl Fn(&Call<'_>) -> Result<(), Fault> + Send + Sync + 'static) -> Registry {
        self.hooks.add_before(before);
        self
    }

    /// Adds a function that is told of each call when it has been answered, or refused: its outcome, and the time it
    /// took. Of several, that of the innermost registry is told first.
    ///
    /// # Example
    ///
    /// ```
    /// use std::time::Duration;
    /// use rpcgi::{Call, Fault, Server};
    ///
    /// let server = Server::new("Example").after(|call: &Call<'_>, outcome: Result<(), &Fault>, took: Duration| {
    ///     if outcome.is_err() || took > Duration::from_secs(1) {
    ///         log::warn!("{}: {outcome:?} after {took:?}", call.name());
    ///     }
    /// });
    /// # server.build().unwrap();
    /// ```
    pub fn after(
        mut self,
        after: impl Fn(&Call<'_>, Result<(), &Fault>, Duration) + Send + Sync + 'static,
    ) -> Registry {
        self.hooks.add_after(after);
        self
    }

    /// Makes it ready for look-ups: nothing may be added from here on. `system` is asked before other fallbacks.
    ///
    /// Sorting only once keeps registering cheap, which a CGI program does anew for every call.
    pub(crate) fn seal(&mut self, system: impl Fallback + 'static) {
        self.methods.sort_by(|(a, _), (b, _)| a.cmp(b));
        self.fallbacks.insert(0, Mounted::new(system));
    }

    /// Returns the names that two methods share, one of them maybe in the `system` that it was sealed with.
    pub(crate) fn duplicates(&self) -> Vec<DuplicateMethod> {
        let pairs = self.methods.windows(2).filter(|pair| pair[0].0 == pair[1].0);
        let mut duplicates: Vec<DuplicateMethod> =
            pairs.map(|pair| DuplicateMethod::new(&pair[0].0, &pair[0].1, &pair[1].1)).collect();
        if let Some(Mounted { fallback: system, .. }) = self.fallbacks.first() {
            let taken = system.names().into_iter().filter_map(|name| {
                let second = self.registered(&name)?;
                Some(DuplicateMethod::new(&name, &system.method(&name)?, second))
            });
            duplicates.extend(taken);
        }
        duplicates
    }

    /// Returns whether its list of methods is fixed: there is no fallback but its own `system`.
    pub(crate) fn is_settled(&self) -> bool {
        self.fallbacks.len() <= 1
    }

    /// Tests whether a call of a method may change something: by itself, or by the calls that `system.multicall` makes.
    pub(crate) fn may_change(&self, name: &str, is_unsafe: bool) -> bool {
        is_unsafe || name == MULTICALL && self.has_unsafe()
    }

    /// Returns whether one of the methods is unsafe, of those registered and those that fallbacks list.
    pub(crate) fn has_unsafe(&self) -> bool {
        self.methods.iter().any(|(_, method)| method.is_unsafe())
            || self.names().iter().filter_map(|name| self.find(name)).any(|method| method.is_unsafe())
    }

    /// Returns whether there is a method of this name.
    pub(crate) fn contains(&self, name: &str) -> bool {
        self.find(name).is_some()
    }

    /// Returns the names to list, sorted.
    pub(crate) fn names(&self) -> Vec<String> {
        let registered =
            self.methods.iter().filter(|(_, method)| !method.is_hidden()).map(|(name, _)| name.to_string());
        let fallen_back = self.fallbacks.iter().flat_map(|Mounted { prefix, fallback, .. }| {
            fallback.names().into_iter().map(move |name| format!("{prefix}{name}"))
        });
        let mut names: Vec<String> = registered.chain(fallen_back).collect();
        names.sort_unstable();
        names.dedup();
        names
    }

    /// Describes the method of this name.
    pub(crate) fn describe(&self, name: &str) -> Result<Description, Fault> {
        Ok(self.find(name).ok_or_else(|| self.not_found(name))?.describe(name))
    }

    /// Outlines all methods to list with their schemas, sorted by name.
    pub(crate) fn outline_all(&self, generator: &mut SchemaGenerator) -> Vec<(String, Outline)> {
        let mut outline = |name: String| Some((self.find(&name)?.outline(generator), name));
        self.names().into_iter().filter_map(|name| outline(name).map(|(outline, name)| (name, outline))).collect()
    }

    /// Returns the function that makes the calls of a request.
    pub(crate) fn dispatch(&self, request: &Request) -> impl Fn(&str, Params<'_, '_>) -> Result<Reply, Fault> {
        move |name, params| self.call(name, request, params)
    }

    /// Calls the method of this name, and logs it.
    pub(crate) fn call(&self, name: &str, request: &Request, params: Params<'_, '_>) -> Result<Reply, Fault> {
        let started = log::log_enabled!(target: logger::CALLS_TARGET, log::Level::Info).then(Instant::now);
        let method = self.find(name);
        let outcome = match &method {
            Some(method) if self.hooks.is_empty() && method.hooks().is_empty() => method.call(name, request, params),
            method => self.call_with_hooks(name, request, params, method.as_deref()),
        };
        if let Some(cause) = outcome.as_ref().err().and_then(Fault::cause) {
            log::error!("method \"{}\": {cause}", excerpt(name));
        }
        if let Some(started) = started {
            let fault = outcome.as_ref().err().map(|fault| fault.code);
            logger::note_call(logger::CallLine { method: excerpt(name), took: started.elapsed(), fault });
        }
        outcome
    }

    /// Calls a method, if there is one and the hooks let it be called.
    #[cold]
    fn call_with_hooks(
        &self,
        name: &str,
        request: &Request,
        params: Params<'_, '_>,
        method: Option<&Method>,
    ) -> Result<Reply, Fault> {
        let started = Instant::now();
        let call = Call::new(name, request, method);
        let inner = method.map_or(&[][..], Method::hooks);
        let hooks = || std::iter::once(&self.hooks).chain(inner.iter().map(|hooks| &**hooks));
        let asked = hooks().try_for_each(|hooks| hooks.ask(&call));
        let outcome = asked.and_then(|()| match method {
            Some(method) => method.call(name, request, params),
            None => Err(self.not_found(name)),
        });
        let said = outcome.as_ref().map(|_| ());
        inner.iter().rev().for_each(|hooks| hooks.tell(&call, said, started.elapsed()));
        self.hooks.tell(&call, said, started.elapsed());
        outcome
    }

    fn find(&self, name: &str) -> Option<Cow<'_, Method>> {
        if let Some(method) = self.registered(name) {
            return Some(Cow::Borrowed(method));
        }
        self.fallbacks.iter().find_map(|fallback| fallback.method(name)).map(Cow::Owned)
    }

    fn registered(&self, name: &str) -> Option<&Method> {
        let index = self.methods.binary_search_by(|(registered, _)| (**registered).cmp(name)).ok()?;
        Some(&self.methods[index].1)
    }

    #[cold]
    fn not_found(&self, name: &str) -> Fault {
        let name = excerpt(name);
        let near = self.near(&name).map(|near| format!(", did you mean \"{near}\"?")).unwrap_or_default();
        Fault::new(Fault::METHOD_NOT_FOUND, format!("there is no method \"{name}\"{near}"))
    }

    /// Returns the listed name that is most like this one, if any is like it.
    fn near(&self, name: &str) -> Option<String> {
        const ALIKE: f64 = 0.85;

        let name = name.to_lowercase();
        let likeness = |listed: String| (strsim::jaro_winkler(&name, &listed.to_lowercase()), listed);
        let best = self.names().into_iter().map(likeness).max_by(|a, b| a.0.total_cmp(&b.0));
        best.filter(|(likeness, _)| *likeness >= ALIKE).map(|(_, name)| name)
    }

    fn push(&mut self, method: Method) {
        for alias in method.aliases() {
            self.methods.push((alias.clone(), method.clone()));
        }
        self.methods.push((method.name_shared(), method));
    }

    fn merge(&mut self, mut other: Registry, prefix: &str) {
        let hooks = (!other.hooks.is_empty()).then(|| Arc::new(std::mem::take(&mut other.hooks)));
        if let Some(hooks) = &hooks {
            let methods = std::mem::take(&mut other.methods);
            other.methods = methods.into_iter().map(|(name, method)| (name, method.hooked(hooks))).collect();
        }
        if self.methods.is_empty() && prefix.is_empty() {
            self.methods = other.methods;
        } else {
            let prefixed =
                |name: Cow<'static, str>| if prefix.is_empty() { name } else { Cow::Owned([prefix, &name].concat()) };
            self.methods.extend(other.methods.into_iter().map(|(name, method)| (prefixed(name), method)));
        }
        let fallbacks = other.fallbacks.into_iter();
        self.fallbacks.extend(fallbacks.map(|fallback| {
            let hooks = hooks.iter().chain(&fallback.hooks).cloned().collect();
            Mounted { prefix: [prefix, &fallback.prefix].concat(), hooks, ..fallback }
        }));
    }
}

impl Default for Registry {
    fn default() -> Registry {
        Registry::new()
    }
}

impl fmt::Debug for Registry {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_set().entries(self.methods.iter().map(|(name, _)| name)).finish()
    }
}

impl FromIterator<Method> for Registry {
    fn from_iter<I: IntoIterator<Item = Method>>(methods: I) -> Registry {
        let methods = methods.into_iter();
        let mut registry = Registry { methods: Vec::with_capacity(methods.size_hint().0), ..Registry::new() };
        for method in methods {
            registry.push(method);
        }
        registry
    }
}

impl From<Method> for Registry {
    fn from(method: Method) -> Registry {
        Registry::from_iter([method])
    }
}

impl From<Vec<Method>> for Registry {
    fn from(methods: Vec<Method>) -> Registry {
        Registry::from_iter(methods)
    }
}

impl<const N: usize> From<[Method; N]> for Registry {
    fn from(methods: [Method; N]) -> Registry {
        Registry::from_iter(methods)
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Mutex;

    use super::*;
    use crate::call::{ValueParams, Values};
    use crate::wire::value::WireTypes;

    /// Seals a registry around a `system` of one method.
    fn sealed(mut registry: Registry) -> Registry {
        struct System;

        impl Fallback for System {
            fn method(&self, name: &str) -> Option<Method> {
                (name == "system.ping").then(|| Method::new("system.ping", || "pong"))
            }

            fn names(&self) -> Vec<String> {
                vec!["system.ping".into()]
            }
        }

        registry.seal(System);
        registry
    }

    fn call(registry: &Registry, name: &str) -> Result<String, Fault> {
        let request = Request::new(|_: &str| None, Vec::new());
        let mut source = ValueParams::new(Values::ByPosition(Vec::new()), WireTypes::All);
        registry.call(name, &request, Params::new(&mut source)).map(|reply| serde_json::to_string(&reply).unwrap())
    }

    /// Adds hooks that note their name.
    fn noting(registry: Registry, hook: &'static str, notes: &Arc<Mutex<Vec<String>>>) -> Registry {
        let (before, after) = (Arc::clone(notes), Arc::clone(notes));
        registry
            .before(move |call| {
                before.lock().unwrap().push(format!("before {hook} {}", call.name()));
                Ok(())
            })
            .after(move |_, outcome, _| after.lock().unwrap().push(format!("after {hook} {}", outcome.is_ok())))
    }

    #[test]
    fn mounts_roundtrip() {
        let tables = |name: &str| (name == "t").then(|| Method::new("t", || "table"));
        let inner = Registry::new().method("list", || "inner").methods(Method::new("a", || "a").alias("b"));
        let middle = Registry::new().separator("/").mount("accounts", inner).fallback(tables).method("", || "empty");
        let registry =
            sealed(Registry::new().mount("x", middle).method("list", || "own").separator("").mount(7, {
                Registry::new().method("up", || "7up").methods(Method::new("hidden", || "hidden").hidden())
            }));
        let listed = ["7up", "list", "system.ping", "x.", "x.accounts/a", "x.accounts/b", "x.accounts/list"];
        assert_eq!(registry.names(), listed);
        for (name, result) in [
            ("7up", "7up"),
            ("7hidden", "hidden"),
            ("list", "own"),
            ("x.", "empty"),
            ("x.accounts/a", "a"),
            ("x.accounts/b", "a"),
            ("x.accounts/list", "inner"),
            ("x.t", "table"),
            ("system.ping", "pong"),
        ] {
            assert_eq!(call(&registry, name), Ok(format!("\"{result}\"")), "{name}");
            assert!(registry.contains(name));
        }
        for name in ["x", "accounts/list", "x.accounts.list", "x.u", "t", "LIST"] {
            assert!(!registry.contains(name), "{name}");
        }
    }

    #[test]
    fn hooks_spec() {
        let notes = Arc::default();
        let inner = noting(Registry::new().method("a", || 1), "inner", &notes);
        let outer = noting(Registry::new().mount("m", inner).method("b", || 2), "outer", &notes);
        let registry = sealed(noting(outer, "more", &notes));
        for (name, expected) in [
            ("m.a", &["before outer", "before more", "before inner", "after inner true", "after outer true"][..]),
            ("b", &["before outer", "before more", "after outer true"]),
            ("none", &["before outer", "before more", "after outer false"]),
        ] {
            _ = call(&registry, name);
            let seen = std::mem::take(&mut *notes.lock().unwrap());
            let mut expected: Vec<String> = expected.iter().map(|note| (*note).to_owned()).collect();
            expected.iter_mut().filter(|note| note.starts_with("before")).for_each(|note| *note += &format!(" {name}"));
            expected.push(expected.last().unwrap().replace("outer", "more"));
            assert_eq!(seen, expected);
        }
    }

    #[test]
    fn hooks_invalid() {
        let notes = Arc::default();
        let inner = noting(Registry::new().method("a", || 1), "inner", &notes);
        let outer = Registry::new().mount("m", inner).before(|_| Err(Fault::new(403, "closed")));
        let registry = sealed(noting(outer, "outer", &notes));
        assert_eq!(call(&registry, "m.a"), Err(Fault::new(403, "closed")));
        assert_eq!(*notes.lock().unwrap(), ["after inner false", "after outer false"]);
        assert_eq!(call(&registry, "none"), Err(Fault::new(403, "closed")));
    }

    #[test]
    fn duplicates_invalid() {
        let registry = Registry::new().method("a", || 1).method("b", || 1);
        let registry = registry.mount("m", Registry::new().method("a", || 1)).method("system.ping", || 1);
        let registry = sealed(registry.methods(Method::new("c", || 1).alias("a")).method("m.a", || 1));
        let duplicates = registry.duplicates();
        let names: Vec<&str> = duplicates.iter().map(|duplicate| &duplicate.name[..]).collect();
        assert_eq!(names, ["a", "m.a", "system.ping"]);
        let DuplicateMethod { first, second, .. } = duplicates[0];
        assert_eq!((first.file(), second.file()), (file!(), file!()));
        assert_eq!(second.line() - first.line(), 2);
        let expected = format!("method \"a\" is registered twice: the one at {first} and the one at {second}");
        assert_eq!(duplicates[0].to_string(), expected);
        assert_eq!(sealed(Registry::new().method("a", || 1).method("b", || 1)).duplicates(), []);
    }

    #[test]
    fn names_invalid() {
        let registry = sealed(Registry::new().method("accounts.list", || 1));
        for (name, expected) in [
            ("account.list", "there is no method \"account.list\", did you mean \"accounts.list\"?"),
            ("SYSTEM.PING", "there is no method \"SYSTEM.PING\", did you mean \"system.ping\"?"),
            ("x\n", "there is no method \"x\\n\""),
            ("", "there is no method \"\""),
        ] {
            assert_eq!(call(&registry, name), Err(Fault::new(-32601, expected)));
        }
        assert_eq!(registry.describe("x").unwrap_err(), Fault::new(-32601, "there is no method \"x\""));
    }
}
