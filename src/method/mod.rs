//! A method: something that can be called, and that can tell about itself.
//!
//! Any function or closure becomes one, through the trait [`Function`]: its arguments are decoded from the params one
//! by one, its result is encoded from what it returns. What it tells about itself is built when somebody asks.

pub(crate) mod registry;
#[cfg(feature = "async")]
pub(crate) mod runtime;
pub(crate) mod system;

use std::borrow::Cow;
use std::convert::identity;
use std::fmt;
use std::marker::PhantomData;
use std::ops::Deref;
use std::panic::Location;
use std::sync::Arc;

use schemars::{JsonSchema, Schema, SchemaGenerator};
use serde::Serialize;
use serde::de::{self, DeserializeOwned, DeserializeSeed, Deserializer, Visitor};

pub use self::registry::{DuplicateMethod, Fallback, Registry};
#[cfg(feature = "async")]
use self::runtime::block_on;
use crate::call::{Mismatch, ParamError, ParamName, ParamSource, Params, Reply, ValueSource, Values};
use crate::description::bounds::{Checker, checker_of, is_plain};
use crate::description::{
    Definitions, Description, FunctionSchemas, Outline, ParamSchema, Signature, Type, details, generator, least,
    signatures,
};
use crate::service::Request;
use crate::wire::Position;
use crate::wire::fault::{Fault, catch_panic};
use crate::wire::value::{DataError, FormatTypes, Value, place, shown};

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
pub struct Method {
    about: Shared<About>,
    body: Shared<dyn Body>,
}

/// What is known about a method beside its types.
#[doc(hidden)]
#[derive(Clone, Debug)]
pub struct About {
    pub name: Cow<'static, str>,
    /// Markdown; the first paragraph is the title.
    pub help: Cow<'static, str>,
    /// Names and help of the params.
    pub params: Cow<'static, [(Cow<'static, str>, Cow<'static, str>)]>,
    pub aliases: Cow<'static, [Cow<'static, str>]>,
    /// Codes of faults it may answer, and when it does.
    pub faults: Cow<'static, [(i32, Cow<'static, str>)]>,
    pub hidden: bool,
    /// Markdown: why not to call it any more, and what to call instead. Empty if there is no more to say.
    pub deprecated: Option<Cow<'static, str>>,
    /// The version of the service that had it first.
    pub since: Option<Cow<'static, str>>,
    pub is_unsafe: bool,
    /// Params of a call that makes sense.
    pub example: Option<Cow<'static, [Value]>>,
    pub location: &'static Location<'static>,
}

/// What a macro wrote costs nothing to register, and what was made at run time is shared.
enum Shared<T: ?Sized + 'static> {
    Static(&'static T),
    Owned(Arc<T>),
}

impl<T: ?Sized> Clone for Shared<T> {
    fn clone(&self) -> Shared<T> {
        match self {
            Shared::Static(value) => Shared::Static(value),
            Shared::Owned(value) => Shared::Owned(Arc::clone(value)),
        }
    }
}

impl<T: ?Sized> Deref for Shared<T> {
    type Target = T;

    fn deref(&self) -> &T {
        match self {
            Shared::Static(value) => value,
            Shared::Owned(value) => value,
        }
    }
}

impl Shared<About> {
    fn make_mut(&mut self) -> &mut About {
        if let Shared::Static(about) = self {
            *self = Shared::Owned(Arc::new(about.clone()));
        }
        match self {
            Shared::Owned(about) => Arc::make_mut(about),
            Shared::Static(_) => unreachable!("it was made owned above"),
        }
    }
}

impl Method {
    /// A method of a function or closure.
    ///
    /// Its arguments are anything that is `DeserializeOwned + JsonSchema`, before them `&Request` if it wants to know
    /// who calls. An `Option` at the end may be left out by the caller. It returns anything that is
    /// `Serialize + JsonSchema`, or a `Result` of that and anything that is `Into<Fault>`.
    ///
    /// If the compiler asks for type annotations here, the error of the `Result` is itself such a type (a `String`
    /// is): `.map_err(Fault::from)` makes it clear.
    #[track_caller]
    pub fn new<Kind, Args>(name: impl Into<Cow<'static, str>>, function: impl Function<Kind, Args>) -> Method
    where
        Kind: 'static,
        Args: 'static,
    {
        Method { about: about(name.into()), body: Shared::Owned(Arc::new(Typed::new(function))) }
    }

    /// A method over [`Value`]s, for what knows its types only when it runs.
    ///
    /// With [`signature`](Method::signature)s its params are checked against them; without any it takes everything,
    /// and `system.methodSignature` knows nothing of it.
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
        Method {
            about: about(name.into()),
            body: Shared::Owned(Arc::new(Dynamic { call: Arc::new(call), signatures: Vec::new() })),
        }
    }

    /// A method of several with one name: the first whose arguments take the params runs.
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
        Method { about, body: Shared::Owned(Arc::new(Overload(methods))) }
    }

    /// A method whose body is none of a function's.
    #[cfg(feature = "program")]
    pub(crate) fn of(about: About, body: impl Body + 'static) -> Method {
        Method { about: Shared::Owned(Arc::new(about)), body: Shared::Owned(Arc::new(body)) }
    }

    /// What `#[service]` makes.
    #[doc(hidden)]
    pub fn described<Kind: 'static, Args: 'static, F: Function<Kind, Args>>(
        about: &'static About,
        function: F,
    ) -> Method {
        Method { about: Shared::Static(about), body: Shared::Owned(Arc::new(Typed::new(function))) }
    }

    /// What `#[method]` makes.
    #[doc(hidden)]
    pub fn constant<Kind: 'static, Args: 'static, F: Function<Kind, Args>>(
        about: &'static About,
        body: &'static Typed<F, Kind, Args>,
    ) -> Method {
        Method { about: Shared::Static(about), body: Shared::Static(body) }
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

    /// Tells of a fault that it may answer: the code, and when that is, in Markdown. The page lists it, and the OpenRPC
    /// document.
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

    /// Tells callers not to begin to use it, and in Markdown what to call instead; the text may be empty. The page and
    /// the OpenRPC document mark it.
    pub fn deprecated(mut self, text: impl Into<Cow<'static, str>>) -> Method {
        self.about.make_mut().deprecated = Some(text.into());
        self
    }

    /// Names the [version](crate::Server::version) of the service that had it first; the page tells it.
    pub fn since(mut self, version: impl Into<Cow<'static, str>>) -> Method {
        self.about.make_mut().since = Some(version.into());
        self
    }

    /// Gives the params of a call that makes sense, for the page's samples. Without them it shows values that the types
    /// allow.
    ///
    /// # Example
    ///
    /// ```
    /// let state = rpcgi::Method::new("state", |number: usize| number).example([41.into()]);
    /// # let _ = state;
    /// ```
    pub fn example(mut self, params: impl Into<Vec<Value>>) -> Method {
        self.about.make_mut().example = Some(Cow::Owned(params.into()));
        self
    }

    /// Marks it as unsafe: a call changes something that somebody may want to keep. Where methods can be
    /// [tried](crate::Docs::trying), the page asks before it calls. (Safe methods: RFC 9110 §9.2.1.)
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

    /// Declares a way to call a [dynamic](Method::dynamic) method, one of several if there are more. A method of typed
    /// arguments declares its own, and this changes nothing.
    pub fn signature(mut self, signature: Signature) -> Method {
        if let Some(body) = self.body.with_signature(signature) {
            self.body = Shared::Owned(body);
        }
        self
    }

    /// The name it was made with.
    pub fn name(&self) -> &str {
        &self.about.name
    }

    pub(crate) fn name_shared(&self) -> Cow<'static, str> {
        match &self.about {
            Shared::Static(about) => Cow::Borrowed(&about.name),
            Shared::Owned(about) => about.name.clone(),
        }
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

    /// Where in the source it was written.
    pub(crate) fn location(&self) -> &'static Location<'static> {
        self.about.location
    }

    /// Calls the method. `name` is the one the caller used.
    ///
    /// A panic inside is an internal fault: the process lives on.
    pub(crate) fn call(&self, name: &str, request: &Request, params: Params<'_, '_>) -> Result<Reply, Fault> {
        match catch_panic(|| self.body.call(&self.about, request, params))? {
            Ok(reply) => Ok(reply),
            Err(Failure::Fault(fault)) => Err(fault),
            Err(Failure::Params(refusal)) => Err(refusal.into_fault(name)),
        }
    }

    /// Describes the method under the name it has where it is registered.
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
            example: self.about.example.as_deref().map(<[Value]>::to_vec),
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
fn about(name: Cow<'static, str>) -> Shared<About> {
    Shared::Owned(Arc::new(About {
        name,
        help: "".into(),
        params: Cow::Borrowed(&[]),
        aliases: Cow::Borrowed(&[]),
        faults: Cow::Borrowed(&[]),
        hidden: false,
        deprecated: None,
        since: None,
        is_unsafe: false,
        example: None,
        location: Location::caller(),
    }))
}

/// Why a call came to nothing.
#[doc(hidden)]
#[derive(Debug)]
pub enum Failure {
    /// The params do not fit, and nothing ran.
    Params(Refusal),
    Fault(Fault),
}

/// Why params do not fit.
#[doc(hidden)]
#[derive(Debug)]
pub struct Refusal {
    /// Goes after the method's name.
    message: String,
    /// The one that it is about.
    param: Option<String>,
    /// The place inside of it.
    path: Option<String>,
    position: Option<Position>,
}

impl Refusal {
    pub(crate) fn new(message: impl Into<String>) -> Refusal {
        Refusal { message: message.into(), param: None, path: None, position: None }
    }

    /// A refusal for one param's sake.
    pub(crate) fn of_param(param: ParamName<'_>, mismatch: Mismatch) -> Refusal {
        let param = Some(param.to_string());
        Refusal { message: mismatch.message, param, path: None, position: mismatch.position }
    }

    /// A refusal for lack of a param.
    fn missing(param: ParamName<'_>) -> Refusal {
        Refusal::of_param(param, Mismatch::new(format!("takes param \"{param}\", found none of that name")))
    }

    #[cold]
    pub(crate) fn into_fault(self, method_name: &str) -> Fault {
        let mut data = serde_json::Map::new();
        data.extend(self.param.map(|param| ("param".to_owned(), param.into())));
        data.extend(self.path.map(|path| ("path".to_owned(), path.into())));
        if let Some(Position { line, column }) = self.position {
            data.extend([("line".to_owned(), line.into()), ("column".to_owned(), column.into())]);
        }
        let message = format!("method \"{}\" {}", shown(method_name), self.message);
        let fault = Fault::new(Fault::INVALID_PARAMS, message);
        if data.is_empty() { fault } else { fault.with_data(data.into()) }
    }
}

/// A param is not what was asked for, or what is at a place inside of it.
#[cold]
fn unfit(name: ParamName<'_>, mut mismatch: Mismatch, place: &str) -> Refusal {
    let quoted = name.name.map(|name| format!(" \"{name}\"")).unwrap_or_default();
    let path = (!place.is_empty()).then(|| format!("{name}{place}"));
    let inside = path.as_ref().map(|path| format!(", in {path}")).unwrap_or_default();
    mismatch.message = format!("param {}{quoted}{inside}: {}", name.index + 1, mismatch.message);
    Refusal { path, ..Refusal::of_param(name, mismatch) }
}

impl From<Refusal> for Failure {
    fn from(refusal: Refusal) -> Failure {
        Failure::Params(refusal)
    }
}

impl From<Fault> for Failure {
    fn from(fault: Fault) -> Failure {
        Failure::Fault(fault)
    }
}

impl From<ParamError> for Failure {
    fn from(error: ParamError) -> Failure {
        match error {
            ParamError::Document(fault) => Failure::Fault(fault),
            ParamError::Mismatch(mismatch) => {
                let message = format!("takes other params: {}", mismatch.message);
                Failure::Params(Refusal { position: mismatch.position, ..Refusal::new(message) })
            }
        }
    }
}

/// What a [`Method`] does.
pub(crate) trait Body: Send + Sync {
    fn call(&self, about: &About, request: &Request, params: Params<'_, '_>) -> Result<Reply, Failure>;

    /// The functions behind it, or what is declared of them.
    fn functions(&self, about: &About, generator: &mut SchemaGenerator) -> Vec<FunctionSchemas>;

    /// Whether its arguments have types of Rust's, which tell more than signatures.
    fn is_typed(&self) -> bool {
        true
    }

    /// The same with one more declared signature, if signatures are declared.
    fn with_signature(&self, _signature: Signature) -> Option<Arc<dyn Body>> {
        None
    }
}

/// A function that can be a method.
///
/// Implemented for every function and closure of up to eight arguments that fit [`Method::new`]; `Kind` and `Args` only
/// tell the implementations apart.
#[diagnostic::on_unimplemented(
    message = "this function cannot be a method",
    label = "arguments or result do not fit",
    note = "arguments: first `&Request` if wanted, then owned types that are `serde::de::DeserializeOwned + schemars::JsonSchema`",
    note = "result: a type that is `serde::Serialize + schemars::JsonSchema + Send + 'static`, or a `Result` of one and an error that is `Into<rpcgi::Fault>`",
    note = "the function must be `Send + Sync + 'static` and have at most eight arguments"
)]
pub trait Function<Kind, Args>: Send + Sync + 'static {
    #[doc(hidden)]
    fn call(&self, about: &About, request: &Request, params: Params<'_, '_>) -> Result<Reply, Failure>;

    /// Schemas of the arguments, which of them may be left out, and the schema of the result.
    #[doc(hidden)]
    fn schemas(generator: &mut SchemaGenerator) -> (Vec<(Schema, bool)>, Schema);
}

/// Marks functions that return their result.
#[doc(hidden)]
pub enum Plain {}

/// Marks functions that return a `Result`.
#[doc(hidden)]
pub enum Fallible {}

/// Marks functions whose first argument is the request.
#[doc(hidden)]
pub struct WithRequest<Kind>(PhantomData<Kind>);

/// Marks `async` functions.
#[cfg(feature = "async")]
#[doc(hidden)]
pub struct Async<Kind>(PhantomData<Kind>);

macro_rules! function {
    ($Fn:ident, $finish:path, $kind:ty, ($($error:ident)?), ($($request:ident: $Request:ty)?), $($Arg:ident $arg:ident),*) => {
        impl<F, R, $($error,)? $($Arg),*> Function<$kind, (R, $($error,)? $($Arg),*)> for F
        where
            F: $Fn($($Request,)? $($Arg),*) -> function!(@returns R $($error)?) + Send + Sync + 'static,
            R: Serialize + JsonSchema + Send + 'static,
            $($error: Into<Fault>,)?
            $($Arg: DeserializeOwned + JsonSchema + 'static,)*
        {
            #[allow(unused_variables, unused_mut, unused_assignments)]
            fn call(&self, about: &About, request: &Request, params: Params<'_, '_>) -> Result<Reply, Failure> {
                let optional: &[fn() -> bool] = &[$(is_optional::<$Arg>),*];
                let is_optional = |index: usize| optional[index]();
                let mut arguments = Arguments::new(about, optional.len(), &is_optional, params);
                $(let $arg: $Arg = arguments.next()?;)*
                arguments.finish()?;
                $(let $request = request;)?
                let result = $finish(self($($request,)? $($arg),*));
                function!(@reply result $($error)?)
            }

            fn schemas(generator: &mut SchemaGenerator) -> (Vec<(Schema, bool)>, Schema) {
                let params = vec![$((generator.subschema_for::<$Arg>(), is_optional::<$Arg>())),*];
                (params, generator.subschema_for::<R>())
            }
        }
    };
    (@returns $R:ident) => { $R };
    (@returns $R:ident $E:ident) => { Result<$R, $E> };
    (@reply $result:ident) => { Ok(Reply::new($result)) };
    (@reply $result:ident $E:ident) => {
        match $result {
            Ok(result) => Ok(Reply::new(result)),
            Err(error) => Err(Failure::Fault(error.into())),
        }
    };
}

macro_rules! functions {
    ($($Arg:ident $arg:ident),*) => {
        function!(Fn, identity, Plain, (), (), $($Arg $arg),*);
        function!(Fn, identity, Fallible, (E), (), $($Arg $arg),*);
        function!(Fn, identity, WithRequest<Plain>, (), (request: &Request), $($Arg $arg),*);
        function!(Fn, identity, WithRequest<Fallible>, (E), (request: &Request), $($Arg $arg),*);
        #[cfg(feature = "async")]
        const _: () = {
            function!(AsyncFn, block_on, Async<Plain>, (), (), $($Arg $arg),*);
            function!(AsyncFn, block_on, Async<Fallible>, (E), (), $($Arg $arg),*);
            function!(AsyncFn, block_on, Async<WithRequest<Plain>>, (), (request: &Request), $($Arg $arg),*);
            function!(AsyncFn, block_on, Async<WithRequest<Fallible>>, (E), (request: &Request), $($Arg $arg),*);
        };
    };
}

functions!();
functions!(A a);
functions!(A a, B b);
functions!(A a, B b, C c);
functions!(A a, B b, C c, D d);
functions!(A a, B b, C c, D d, G g);
functions!(A a, B b, C c, D d, G g, H h);
functions!(A a, B b, C c, D d, G g, H h, I i);
functions!(A a, B b, C c, D d, G g, H h, I i, J j);

/// The params of a call, on their way to becoming arguments.
pub(crate) struct Arguments<'p, 'a, 'de> {
    about: &'p About,
    /// How many there are.
    count: usize,
    /// For each argument, whether it may be left out.
    is_optional: &'p dyn Fn(usize) -> bool,
    params: Params<'a, 'de>,
    /// Which argument is next.
    index: usize,
    found: usize,
}

impl<'p, 'a, 'de> Arguments<'p, 'a, 'de> {
    pub(crate) fn new(
        about: &'p About,
        count: usize,
        is_optional: &'p dyn Fn(usize) -> bool,
        params: Params<'a, 'de>,
    ) -> Self {
        Arguments { about, count, is_optional, params, index: 0, found: 0 }
    }

    fn next<T: DeserializeOwned + JsonSchema + 'static>(&mut self) -> Result<T, Failure> {
        let checker = if is_plain::<T>() { None } else { checker_of::<T>() };
        let argument = match checker {
            None => self.take(PhantomData)?,
            Some(checker) => self.next_checked(checker)?,
        };
        match argument {
            Some(argument) => Ok(argument),
            None => T::deserialize(Missing).map_err(|_| self.missing(self.index - 1)),
        }
    }

    /// The next one, if it is there, after a look at all its values.
    fn next_checked<T: DeserializeOwned>(&mut self, checker: &Checker) -> Result<Option<T>, Failure> {
        let Some(value) = self.take(PhantomData::<Value>)? else { return Ok(None) };
        let name = self.about.param_name(self.index - 1);
        if let Err((place, refusal)) = checker.check(&value) {
            return Err(unfit(name, Mismatch::new(refusal), &place).into());
        }
        let argument = T::deserialize(value.into_typed::<DataError>(self.params.format()));
        argument.map(Some).map_err(|error| unfit(name, Mismatch::new(error), &place::taken()).into())
    }

    /// The next one by a seed; `None` if it was left out and may be.
    #[cfg(feature = "program")]
    pub(crate) fn next_seeded<S: DeserializeSeed<'de>>(&mut self, seed: S) -> Result<Option<S::Value>, Failure> {
        match self.take(seed)? {
            None if !(self.is_optional)(self.index - 1) => Err(self.missing(self.index - 1)),
            argument => Ok(argument),
        }
    }

    /// The next one, if it is there.
    fn take<S: DeserializeSeed<'de>>(&mut self, seed: S) -> Result<Option<S::Value>, Failure> {
        let name = self.about.param_name(self.index);
        self.index += 1;
        place::begin();
        match self.params.next_seeded(name, seed) {
            Ok(argument) => {
                self.found += usize::from(argument.is_some());
                Ok(argument)
            }
            Err(ParamError::Document(fault)) => Err(Failure::Fault(fault)),
            Err(ParamError::Mismatch(mismatch)) => Err(unfit(name, mismatch, &place::taken()).into()),
        }
    }

    /// Nothing runs before the call was read to its end.
    pub(crate) fn finish(&mut self) -> Result<(), Failure> {
        if let Some(name) = self.params.next_name()? {
            return Err(self.not_taken(&name));
        }
        match self.params.finish()? {
            0 => Ok(()),
            left => Err(self.wrong_count(self.found + left)),
        }
    }

    #[cold]
    fn missing(&mut self, index: usize) -> Failure {
        // a document that breaks off later is broken first of all
        if let Err(fault) = self.params.finish() {
            return Failure::Fault(fault);
        }
        match self.params.by_name() {
            true => Failure::Params(Refusal::missing(self.about.param_name(index))),
            false => self.wrong_count(self.found),
        }
    }

    /// A param has a name that no argument has, or one that was there before.
    #[cold]
    fn not_taken(&mut self, found: &str) -> Failure {
        if let Err(fault) = self.params.finish() {
            return Failure::Fault(fault);
        }
        let is_known = (0..self.count).any(|index| self.about.param_name(index).is(found));
        let found = shown(found);
        let message = match is_known {
            true => format!("takes param \"{found}\" once, found it again"),
            false => format!("takes no param \"{found}\"{}", self.names()),
        };
        Failure::Params(Refusal { param: Some(found), ..Refusal::new(message) })
    }

    #[cold]
    fn wrong_count(&self, found: usize) -> Failure {
        let most = self.count;
        let least = least((0..most).map(self.is_optional));
        let count = if least == most { most.to_string() } else { format!("{least} to {most}") };
        let s = if most == 1 { "" } else { "s" };
        Failure::Params(Refusal::new(format!("takes {count} param{s}{}, found {found}", self.names())))
    }

    /// The names there are, in brackets.
    fn names(&self) -> String {
        let names = (0..self.count).filter_map(|index| self.about.param_name(index).name);
        let names: Vec<&str> = names.collect();
        if names.is_empty() { String::new() } else { format!(" ({})", names.join(", ")) }
    }
}

impl About {
    pub(crate) fn param_name(&self, index: usize) -> ParamName<'_> {
        ParamName { index, name: self.params.get(index).map(|(name, _)| &**name) }
    }

    pub(crate) fn param_schema(&self, index: usize, optional: bool, schema: Schema) -> ParamSchema {
        let help = self.params.get(index).map(|(_, help)| help.trim().to_owned()).unwrap_or_default();
        ParamSchema { name: self.param_name(index).to_string(), help, optional, schema }
    }
}

/// Whether a param of this type may be left out.
fn is_optional<T: DeserializeOwned>() -> bool {
    T::deserialize(Missing).is_ok()
}

/// Stands for a param that was left out: `None` for what asks for an option, an error for everything else.
struct Missing;

impl<'de> Deserializer<'de> for Missing {
    type Error = DataError;

    fn deserialize_any<V: Visitor<'de>>(self, _visitor: V) -> Result<V::Value, DataError> {
        Err(de::Error::custom("a param that is missing"))
    }

    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, DataError> {
        visitor.visit_none()
    }

    serde::forward_to_deserialize_any! {
        bool i8 i16 i32 i64 i128 u8 u16 u32 u64 u128 f32 f64 char str string bytes byte_buf unit unit_struct
        newtype_struct seq tuple tuple_struct map struct enum identifier ignored_any
    }
}

/// A function of typed arguments.
#[doc(hidden)]
pub struct Typed<F, Kind, Args> {
    pub function: F,
    pub marker: PhantomData<fn(Kind, Args)>,
}

impl<F, Kind, Args> Typed<F, Kind, Args> {
    fn new(function: F) -> Typed<F, Kind, Args> {
        Typed { function, marker: PhantomData }
    }
}

impl<F: Function<Kind, Args>, Kind, Args> Body for Typed<F, Kind, Args> {
    fn call(&self, about: &About, request: &Request, params: Params<'_, '_>) -> Result<Reply, Failure> {
        self.function.call(about, request, params)
    }

    fn functions(&self, about: &About, generator: &mut SchemaGenerator) -> Vec<FunctionSchemas> {
        let (params, returns) = F::schemas(generator);
        let param = |(index, (schema, optional)): (usize, (Schema, bool))| about.param_schema(index, optional, schema);
        let params = params.into_iter().enumerate().map(param).collect();
        vec![FunctionSchemas { params, returns }]
    }
}

/// What a dynamic method calls.
type DynamicCall = dyn Fn(&Request, Vec<Value>) -> Result<Reply, Fault> + Send + Sync;

/// A function of values, with the signatures it was declared with.
#[derive(Clone)]
struct Dynamic {
    call: Arc<DynamicCall>,
    signatures: Vec<Signature>,
}

impl Dynamic {
    fn check(&self, params: &[Value]) -> Result<(), Failure> {
        let fits = |signature: &Signature| {
            let mut types = signature.params.iter().zip(params);
            signature.params.len() == params.len() && types.all(|(wire, param)| wire.accepts(param.type_name()))
        };
        match self.signatures.is_empty() || self.signatures.iter().any(fits) {
            true => Ok(()),
            false => Err(no_signature_fits(&self.signatures, &Values::ByPosition(params.to_vec()))),
        }
    }

    /// Params with names in the order of their names.
    fn in_order(&self, about: &About, members: Vec<(String, Value)>) -> Result<Vec<Value>, Failure> {
        let declared = self.signatures.iter().map(|signature| signature.params.len()).max();
        let most = declared.unwrap_or(about.params.len());
        let mut source = ValueSource::new(Values::ByName(members), FormatTypes::All);
        let values: Vec<Value> = (0..most).map_while(|index| source.take(about.param_name(index))).collect();
        let Some(left) = source.next_name()? else { return Ok(values) };
        match (values.len()..most).any(|index| about.param_name(index).is(&left)) {
            true => Err(Failure::Params(Refusal::missing(about.param_name(values.len())))),
            false => {
                let left = shown(&left);
                let message = format!("takes no param \"{left}\"");
                Err(Failure::Params(Refusal { param: Some(left), ..Refusal::new(message) }))
            }
        }
    }
}

impl Body for Dynamic {
    fn call(&self, about: &About, request: &Request, params: Params<'_, '_>) -> Result<Reply, Failure> {
        let params = match params.into_values()? {
            Values::ByPosition(values) => values,
            Values::ByName(members) => self.in_order(about, members)?,
        };
        self.check(&params)?;
        Ok((self.call)(request, params)?)
    }

    fn functions(&self, about: &About, _generator: &mut SchemaGenerator) -> Vec<FunctionSchemas> {
        let param = |(index, wire): (usize, &Type)| about.param_schema(index, false, wire.schema());
        let function = |signature: &Signature| FunctionSchemas {
            params: signature.params.iter().enumerate().map(param).collect(),
            returns: signature.returns.schema(),
        };
        self.signatures.iter().map(function).collect()
    }

    fn is_typed(&self) -> bool {
        false
    }

    fn with_signature(&self, signature: Signature) -> Option<Arc<dyn Body>> {
        let mut declared = self.clone();
        declared.signatures.push(signature);
        Some(Arc::new(declared))
    }
}

/// Functions under one name.
struct Overload(Vec<Method>);

impl Overload {
    /// What is known about one of them: its own names of params, or those of all.
    fn about<'a>(method: &'a Method, about: &'a About) -> &'a About {
        if method.about.params.is_empty() { about } else { &method.about }
    }
}

impl Body for Overload {
    fn call(&self, about: &About, request: &Request, params: Params<'_, '_>) -> Result<Reply, Failure> {
        let format = params.format();
        let values = params.into_values()?;
        for method in &self.0 {
            let mut source = ValueSource::new(values.clone(), format);
            match method.body.call(Overload::about(method, about), request, Params::new(&mut source)) {
                Err(Failure::Params(_)) => {}
                outcome => return outcome,
            }
        }
        let mut generator = generator();
        let functions = self.functions(about, &mut generator);
        let details = details(&functions, &Definitions::of(generator));
        Err(no_signature_fits(&signatures(&details), &values))
    }

    fn functions(&self, about: &About, generator: &mut SchemaGenerator) -> Vec<FunctionSchemas> {
        let functions = |method: &Method| method.body.functions(Overload::about(method, about), generator);
        self.0.iter().flat_map(functions).collect()
    }
}

#[cold]
fn no_signature_fits(signatures: &[Signature], values: &Values) -> Failure {
    let known =
        |signature: &Signature| signature.params.iter().map(|param| param.in_words()).collect::<Vec<_>>().join(", ");
    let known: Vec<String> = signatures.iter().map(|signature| format!("({})", known(signature))).collect();
    let found: Vec<String> = match values {
        Values::ByPosition(values) => values.iter().map(|value| value.type_name().to_owned()).collect(),
        Values::ByName(members) => {
            members.iter().map(|(name, value)| format!("{} {}", value.type_name(), shown(name))).collect()
        }
    };
    let message = format!("takes params {}, found ({})", known.join(" or "), found.join(", "));
    Failure::Params(Refusal::new(message))
}
