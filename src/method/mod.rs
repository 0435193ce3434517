//! A method: something that can be called, and that describes itself.
//!
//! Any function or closure becomes one, through the trait [`Function`]: its arguments are decoded from the params one
//! by one, its return value is encoded as the result. Its description is built only on request.

mod arguments;
mod dynamic;
mod function;
mod hooks;
mod refusal;
pub(crate) mod registry;
#[cfg(feature = "async")]
mod runtime;
pub(crate) mod system;

use std::borrow::Cow;
use std::fmt;
use std::ops::Deref;
use std::panic::Location;
use std::sync::Arc;

use schemars::{Schema, SchemaGenerator};
use serde::Serialize;

#[cfg(feature = "program")]
pub(crate) use self::arguments::Arguments;
use self::dynamic::{Dynamic, Overload};
#[cfg(feature = "async")]
pub use self::function::Async;
pub use crate::description::Signature;

pub use self::function::{Fallible, Function, TypedFunction, WithRequest};
pub use self::hooks::Call;
use self::hooks::Hooks;
pub(crate) use self::refusal::{CallError, Refusal};
pub use self::registry::{DuplicateMethod, Fallback, Registry};
use crate::call::{ParamName, Params, Reply};
use crate::description::{Definitions, Description, Example, FunctionSchemas, Outline, ParamSchema, generator};
use crate::service::Request;
use crate::wire::fault::{Fault, catch_panic};
use crate::wire::value::Value;

/// A method under its name, with its description.
///
/// The attribute `#[method]` makes one of a function, with [`methods!`](crate::methods) to name several; this type
/// makes one of a closure.
///
/// # Example
///
/// ```
/// use rpcgi::{Method, Server};
///
/// let power = Method::new("pow", |base: i64, exponent: u32| {
///     base.checked_pow(exponent).ok_or(rpcgi::Fault::new(3, "the result is beyond 64 bits"))
/// });
/// let power = power.help("Raises a number to a power.").params(["base", "exponent"]);
/// let server = Server::new("Calculator").methods(power);
/// # server.build().unwrap();
/// ```
#[derive(Clone)]
#[must_use = "a method does nothing until it is registered"]
pub struct Method {
    about: StaticOrShared<Metadata>,
    body: StaticOrShared<dyn Body>,
    /// Of the registries it was mounted from, the outermost first.
    hooks: Vec<Arc<Hooks>>,
    /// Set for methods about methods.
    is_introspection: bool,
}

/// The description of a method, without its types.
#[doc(hidden)]
#[derive(Clone, Debug)]
pub struct Metadata {
    pub name: Cow<'static, str>,
    /// Markdown; the first paragraph is the title.
    pub help: Cow<'static, str>,
    /// Names and help of the params.
    pub params: Cow<'static, [(Cow<'static, str>, Cow<'static, str>)]>,
    pub aliases: Cow<'static, [Cow<'static, str>]>,
    /// Codes of faults it may answer, and when it does.
    pub faults: Cow<'static, [(i32, Cow<'static, str>)]>,
    pub hidden: bool,
    /// Markdown: why it is deprecated, and what to call instead. Empty if there is no more to say.
    pub deprecated: Option<Cow<'static, str>>,
    /// The version of the service that introduced it.
    pub since: Option<Cow<'static, str>>,
    pub is_unsafe: bool,
    pub examples: Examples,
    pub location: &'static Location<'static>,
}

/// The calls of a method that make sense.
#[doc(hidden)]
#[derive(Clone, Debug)]
pub enum Examples {
    /// Written in a macro, and made on request; `None` for one with a value that cannot be sent.
    Written(fn() -> Vec<Option<Example>>),
    Made(Vec<Example>),
}

impl Examples {
    pub const NONE: Examples = Examples::Made(Vec::new());

    fn list(&self) -> Vec<Example> {
        match self {
            Examples::Written(write) => write().into_iter().flatten().collect(),
            Examples::Made(examples) => examples.clone(),
        }
    }

    fn add(&mut self, example: Example) {
        let mut examples = self.list();
        examples.push(example);
        *self = Examples::Made(examples);
    }
}

/// A value that a macro wrote, which costs nothing to register, or one made at run time, which is shared.
enum StaticOrShared<T: ?Sized + 'static> {
    Static(&'static T),
    Owned(Arc<T>),
}

impl<T: ?Sized> Clone for StaticOrShared<T> {
    fn clone(&self) -> StaticOrShared<T> {
        match self {
            StaticOrShared::Static(value) => StaticOrShared::Static(value),
            StaticOrShared::Owned(value) => StaticOrShared::Owned(Arc::clone(value)),
        }
    }
}

impl<T: ?Sized> Deref for StaticOrShared<T> {
    type Target = T;

    fn deref(&self) -> &T {
        match self {
            StaticOrShared::Static(value) => value,
            StaticOrShared::Owned(value) => value,
        }
    }
}

impl StaticOrShared<Metadata> {
    fn make_mut(&mut self) -> &mut Metadata {
        if let StaticOrShared::Static(about) = self {
            *self = StaticOrShared::Owned(Arc::new(about.clone()));
        }
        match self {
            StaticOrShared::Owned(about) => Arc::make_mut(about),
            StaticOrShared::Static(_) => unreachable!("it was made owned above"),
        }
    }
}

impl Method {
    /// Creates a method of a function or closure.
    ///
    /// Its arguments are of any types that are `DeserializeOwned + JsonSchema`, after a `&Request` if it needs to know
    /// who calls. The caller may leave out an `Option` at the end. It returns any type that is `Serialize +
    /// JsonSchema`, or a `Result` of one and an error that is `Into<Fault>`.
    ///
    /// If the compiler asks for type annotations here, the error of the `Result` is itself such a type (a `String`
    /// is): `.map_err(Fault::from)` makes it clear.
    #[track_caller]
    pub fn new<Kind, Args>(name: impl Into<Cow<'static, str>>, function: impl Function<Kind, Args>) -> Method
    where
        Kind: 'static,
        Args: 'static,
    {
        Method::from_parts(about(name.into()), StaticOrShared::Owned(Arc::new(TypedFunction::new(function))))
    }

    /// Creates a method over [`Value`]s, for a function that knows its types only at run time.
    ///
    /// Its params are checked against its [`signature`](Method::signature)s; without any it accepts everything, and
    /// `system.methodSignature` cannot tell its types.
    ///
    /// # Example
    ///
    /// ```
    /// use rpcgi::{Fault, Method, Request, Signature, Type};
    /// use rpcgi::xmlrpc::Value;
    ///
    /// let count = |_: &Request, params: Vec<Value>| Ok::<_, Fault>(params.len() as i32);
    /// let count = Method::dynamic("count", count).signature(Signature::new(Type::Int, [Type::Undefined]));
    /// # let _ = count;
    /// ```
    #[track_caller]
    pub fn dynamic<F, R, E>(name: impl Into<Cow<'static, str>>, function: F) -> Method
    where
        F: Fn(&Request, Vec<Value>) -> Result<R, E> + Send + Sync + 'static,
        R: Serialize + Send + 'static,
        E: Into<Fault>,
    {
        let call = move |request: &Request, params: Vec<Value>| match function(request, params) {
            Ok(result) => Ok(Reply::new(result)),
            Err(error) => Err(error.into()),
        };
        Method::from_parts(
            about(name.into()),
            StaticOrShared::Owned(Arc::new(Dynamic { call: Arc::new(call), signatures: Vec::new() })),
        )
    }

    /// Combines several functions under one name; the first whose parameter types accept the call runs.
    ///
    /// # Example
    ///
    /// ```
    /// use rpcgi::Method;
    ///
    /// let add = Method::overload("add", [
    ///     Method::new("add", |a: i32, b: i32| a.checked_add(b)),
    ///     Method::new("add", |a: f64, b: f64| a + b),
    /// ]);
    /// # let _ = add;
    /// ```
    #[track_caller]
    pub fn overload(name: impl Into<Cow<'static, str>>, methods: impl Into<Vec<Method>>) -> Method {
        let methods: Vec<Method> = methods.into();
        let mut about = about(name.into());
        if let Some(method) = methods.first() {
            about.make_mut().help = method.about.help.clone();
        }
        Method::from_parts(about, StaticOrShared::Owned(Arc::new(Overload(methods))))
    }

    /// Creates a method with a custom body.
    #[cfg(feature = "program")]
    pub(crate) fn of(about: Metadata, body: impl Body + 'static) -> Method {
        Method::from_parts(StaticOrShared::Owned(Arc::new(about)), StaticOrShared::Owned(Arc::new(body)))
    }

    /// Creates a method with several custom bodies: the first whose params accept the call runs.
    #[cfg(feature = "program")]
    pub(crate) fn of_several(about: Metadata, bodies: Vec<impl Body + 'static>) -> Method {
        let name = about.name.clone();
        let one = |body| Method::of(Metadata { name: name.clone(), ..about.clone() }, body);
        let methods = bodies.into_iter().map(one).collect();
        Method::of(about.clone(), Overload(methods))
    }

    /// Creates a method for the code of `#[service]`.
    #[doc(hidden)]
    pub fn described<Kind: 'static, Args: 'static, F: Function<Kind, Args>>(
        about: &'static Metadata,
        function: F,
    ) -> Method {
        Method::from_parts(StaticOrShared::Static(about), StaticOrShared::Owned(Arc::new(TypedFunction::new(function))))
    }

    /// Creates a method for the code of `#[method]`.
    #[doc(hidden)]
    pub fn constant<Kind: 'static, Args: 'static, F: Function<Kind, Args>>(
        about: &'static Metadata,
        body: &'static TypedFunction<F, Kind, Args>,
    ) -> Method {
        Method::from_parts(StaticOrShared::Static(about), StaticOrShared::Static(body))
    }

    fn from_parts(about: StaticOrShared<Metadata>, body: StaticOrShared<dyn Body>) -> Method {
        Method { about, body, hooks: Vec::new(), is_introspection: false }
    }

    /// Sets the help, in Markdown: the first paragraph is the title.
    pub fn help(mut self, help: impl Into<Cow<'static, str>>) -> Method {
        self.about.make_mut().help = help.into();
        self
    }

    /// Names the params, in order. JSON-RPC's callers may send them by these names; one without a name is `p1`, `p2`,
    /// by its place.
    pub fn params<N: Into<Cow<'static, str>>>(mut self, names: impl IntoIterator<Item = N>) -> Method {
        self.about.make_mut().params = names.into_iter().map(|name| (name.into(), "".into())).collect();
        self
    }

    /// Documents a fault that it may answer: the code and, in Markdown, the cause. The page and the OpenRPC document
    /// list it.
    ///
    /// # Example
    ///
    /// ```
    /// use rpcgi::{Fault, Method};
    ///
    /// let state = |number: usize| ["Alabama", "Alaska"].get(number).copied().ok_or(Fault::new(800, "no such state"));
    /// let state = Method::new("state", state).params(["number"]).fault(800, "there is no state of this number");
    /// # let _ = state;
    /// ```
    pub fn fault(mut self, code: i32, text: impl Into<Cow<'static, str>>) -> Method {
        self.about.make_mut().faults.to_mut().push((code, text.into()));
        self
    }

    /// Publishes the method under one more name.
    pub fn alias(mut self, name: impl Into<Cow<'static, str>>) -> Method {
        self.about.make_mut().aliases.to_mut().push(name.into());
        self
    }

    /// Leaves the method out of `system.listMethods` and the page. It can still be called.
    pub fn hidden(mut self) -> Method {
        self.about.make_mut().hidden = true;
        self
    }

    /// Marks it as deprecated, and says in Markdown what to call instead; the text may be empty. The page and the
    /// OpenRPC document show the mark.
    pub fn deprecated(mut self, text: impl Into<Cow<'static, str>>) -> Method {
        self.about.make_mut().deprecated = Some(text.into());
        self
    }

    /// Names the [version](crate::Server::version) of the service that introduced it; the page shows it.
    pub fn since(mut self, version: impl Into<Cow<'static, str>>) -> Method {
        self.about.make_mut().since = Some(version.into());
        self
    }

    /// Adds the params of a call that makes sense, for the page's samples and the OpenRPC document. Without any, the
    /// samples show values that the types allow.
    ///
    /// # Example
    ///
    /// ```
    /// let state = rpcgi::Method::new("state", |number: usize| number).example([41.into()]).example([1.into()]);
    /// # let _ = state;
    /// ```
    pub fn example(mut self, params: impl Into<Vec<Value>>) -> Method {
        self.about.make_mut().examples.add(Example { params: params.into(), result: None });
        self
    }

    /// Adds a call that makes sense, with its result.
    ///
    /// # Example
    ///
    /// ```
    /// use rpcgi::Method;
    ///
    /// let add = Method::new("add", |a: i32, b: i32| a.checked_add(b)).params(["a", "b"]);
    /// let add = add.example_with_result([2.into(), 3.into()], 5).example([20.into(), 22.into()]);
    /// # let _ = add;
    /// ```
    pub fn example_with_result(mut self, params: impl Into<Vec<Value>>, result: impl Into<Value>) -> Method {
        self.about.make_mut().examples.add(Example { params: params.into(), result: Some(result.into()) });
        self
    }

    /// Marks it as unsafe: a call changes something that users may want to keep. Where methods can be
    /// [tried](crate::Docs::try_it), the page asks before it calls. (Safe methods: RFC 9110 §9.2.1.)
    ///
    /// # Example
    ///
    /// ```
    /// let remove = rpcgi::Method::new("notes.remove", |title: String| title.len()).mark_unsafe();
    /// # let _ = remove;
    /// ```
    pub fn mark_unsafe(mut self) -> Method {
        self.about.make_mut().is_unsafe = true;
        self
    }

    /// Declares a way to call a [dynamic](Method::dynamic) method, beside those declared before. A method of typed
    /// arguments declares its own, and stays as it is.
    pub fn signature(mut self, signature: Signature) -> Method {
        if let Some(body) = self.body.with_signature(signature) {
            self.body = StaticOrShared::Owned(body);
        }
        self
    }

    /// Returns the name it was created with.
    pub fn name(&self) -> &str {
        &self.about.name
    }

    pub(crate) fn name_shared(&self) -> Cow<'static, str> {
        match &self.about {
            StaticOrShared::Static(about) => Cow::Borrowed(&about.name),
            StaticOrShared::Owned(about) => about.name.clone(),
        }
    }

    /// Marks it as one that tells about methods.
    fn mark_introspection(mut self) -> Method {
        self.is_introspection = true;
        self
    }

    fn is_introspection(&self) -> bool {
        self.is_introspection
    }

    /// Puts the hooks of a registry around it.
    fn hooked(mut self, hooks: &Arc<Hooks>) -> Method {
        self.hooks.insert(0, Arc::clone(hooks));
        self
    }

    fn hooks(&self) -> &[Arc<Hooks>] {
        &self.hooks
    }

    pub(crate) fn aliases(&self) -> &[Cow<'static, str>] {
        &self.about.aliases
    }

    pub(crate) fn is_hidden(&self) -> bool {
        self.about.hidden
    }

    pub(crate) fn is_unsafe(&self) -> bool {
        self.about.is_unsafe
    }

    /// Returns its place in the source.
    pub(crate) fn location(&self) -> &'static Location<'static> {
        self.about.location
    }

    /// Calls the method. `name` is the one the caller used.
    ///
    /// A panic inside it is an internal fault: the process lives on.
    pub(crate) fn call(&self, name: &str, request: &Request, params: Params<'_, '_>) -> Result<Reply, Fault> {
        match catch_panic(|| self.body.call(&self.about, request, params))? {
            Ok(reply) => Ok(reply),
            Err(CallError::Fault(fault)) => Err(fault),
            Err(CallError::Params(refusal)) => Err(refusal.into_fault(name)),
        }
    }

    /// Describes the method under the name of its registration.
    pub(crate) fn describe(&self, name: impl Into<String>) -> Description {
        let mut generator = generator();
        let outline = self.outline(&mut generator);
        outline.into_description(name, &Definitions::of(generator))
    }

    /// Describes the method by schemas of a generator.
    pub(crate) fn outline(&self, generator: &mut SchemaGenerator) -> Outline {
        Outline {
            help: self.about.help.trim().to_owned(),
            functions: self.body.functions(&self.about, generator),
            in_detail: self.body.is_typed() || !self.about.params.is_empty(),
            faults: self.about.faults.iter().map(|(code, text)| (*code, text.trim().to_owned())).collect(),
            deprecated: self.about.deprecated.as_deref().map(|text| text.trim().to_owned()),
            since: self.about.since.as_deref().map(str::to_owned),
            is_unsafe: self.about.is_unsafe,
            examples: self.about.examples.list(),
        }
    }
}

impl fmt::Debug for Method {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Method").field("name", &self.name()).finish_non_exhaustive()
    }
}

impl From<Method> for Vec<Method> {
    fn from(method: Method) -> Vec<Method> {
        vec![method]
    }
}

#[track_caller]
fn about(name: Cow<'static, str>) -> StaticOrShared<Metadata> {
    StaticOrShared::Owned(Arc::new(Metadata::named(name)))
}

impl Metadata {
    /// Creates what is known of a method by its name alone.
    #[track_caller]
    pub(crate) fn named(name: Cow<'static, str>) -> Metadata {
        Metadata {
            name,
            help: "".into(),
            params: Cow::Borrowed(&[]),
            aliases: Cow::Borrowed(&[]),
            faults: Cow::Borrowed(&[]),
            hidden: false,
            deprecated: None,
            since: None,
            is_unsafe: false,
            examples: Examples::NONE,
            location: Location::caller(),
        }
    }

    pub(crate) fn param_name(&self, index: usize) -> ParamName<'_> {
        ParamName { index, name: self.params.get(index).map(|(name, _)| &**name) }
    }

    pub(crate) fn param_schema(&self, index: usize, optional: bool, schema: Schema) -> ParamSchema {
        let help = self.params.get(index).map(|(_, help)| help.trim().to_owned()).unwrap_or_default();
        ParamSchema { name: self.param_name(index).to_string(), help, optional, schema }
    }
}

/// The body of a [`Method`].
pub(crate) trait Body: Send + Sync {
    fn call(&self, about: &Metadata, request: &Request, params: Params<'_, '_>) -> Result<Reply, CallError>;

    /// Returns the functions behind it, or those declared for it.
    fn functions(&self, about: &Metadata, generator: &mut SchemaGenerator) -> Vec<FunctionSchemas>;

    /// Returns whether its arguments have Rust types, which tell more than signatures.
    fn is_typed(&self) -> bool {
        true
    }

    /// Returns the same with one more declared signature; `None` if its signatures are not declared.
    fn with_signature(&self, _signature: Signature) -> Option<Arc<dyn Body>> {
        None
    }
}
