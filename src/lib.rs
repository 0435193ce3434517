#![doc = include_str!("../README.md")]
#![warn(missing_debug_implementations, unreachable_pub)]
#![cfg_attr(docsrs, feature(doc_cfg))]
// with all features nothing is unused, which that build checks
#![cfg_attr(not(feature = "program"), allow(dead_code, unused_imports))]

mod call;
mod description;
#[cfg(feature = "docs")]
mod docs;
pub mod gateway;
#[cfg(feature = "program")]
mod manifest;
mod method;
#[cfg(feature = "program")]
mod program;
mod protocol;
mod run;
mod server;
mod service;
#[cfg(feature = "docs")]
mod site;
mod wire;

// the attribute macros write `::rpcgi`, also in this crate's own tests
extern crate self as rpcgi;

/// The crate `http`, whose types of requests, headers and statuses are used here, in the same version.
pub use http;

#[cfg(feature = "docs")]
pub use crate::docs::{
    Accent, Access, Assets, Docs, Footer, Logo, ParseAccentError, ParseLogoError, ParseStyleError, Style, TryIt,
};
pub use crate::method::{Call, DuplicateMethod, Fallback, Function, Method, Registry, Signature};
pub use crate::protocol::{jsonrpc, xmlrpc};
pub use crate::run::run;
pub use crate::server::{BuildError, Endpoint, Server};
pub use crate::service::{
    About, Cookie, Forwarded, HeaderError, Limits, LogFormat, MetaVariables, PageError, PageRequest, Request, Response,
    Service,
};
pub use crate::wire::Type;
pub use crate::wire::fault::Fault;
pub use crate::wire::value::{Base64, DateTime, Value};
/// Makes a method of a function, for [`methods!`] to list.
///
/// The function itself stays as it is. Its doc comment is the method's help, in Markdown, and the first paragraph the
/// title; doc comments on its arguments explain the params, which have the arguments' names without a leading
/// underscore. Arguments and result are as [`Method::new`] takes them: `&Request` first, if wanted, then owned types;
/// an `Option` at the end may be left out.
///
/// An `async` function is a method too, with the feature `async`: see `Server::async_method`.
///
/// Options: `name = "..."` for another name than the function's, `alias = "..."` for one more, any number of times,
/// `fault(CODE, "...")` to document a fault it may answer and its cause, any number of times too, `hidden` to leave it
/// out of listings, `deprecated = "..."` to tell callers what to call instead, `since = "..."` for the version of the
/// service that introduced it, `unsafe` if a call changes something, so that the page asks before it calls, and
/// `example(a = 7, b = 2, result = 3)` for a call that makes sense, any number of times.
///
/// # Examples of calls
///
/// An example has a value for each argument, in any order. An `Option` that it leaves out is left out of the call, or
/// nil if others follow; `result` may be left out too. Where an argument is itself called `result`, write `return` for
/// the result of the call.
///
/// A value is an expression of any type that is `Serialize`: the type of the argument need not be. An integer without a
/// type gets that of the argument. An example with a value that cannot be sent, such as NaN, is left out.
///
/// # Example
///
/// ```
/// use rpcgi::{Fault, Request, Server, method, methods};
///
/// /// Divides one number by another.
/// ///
/// /// The remainder it leaves is never negative.
/// #[method(name = "math.div", alias = "div", fault(2, "the divisor is zero"), example(a = 7, b = 2, result = 3))]
/// fn div(
///     /// the dividend
///     a: i64,
///     /// the divisor, not zero
///     b: i64,
/// ) -> Result<i64, Fault> {
///     a.checked_div_euclid(b).ok_or(Fault::new(2, "division by zero"))
/// }
///
/// let server = Server::new("Example").methods(methods![div]);
/// # server.build().unwrap();
/// assert_eq!(div(7, 2), Ok(3));
/// ```
pub use rpcgi_macros::method;

/// Makes methods of the `pub` functions of an `impl` block, for [`Server::mount`] and [`Server::methods`].
///
/// Functions that are not `pub` are not published, nor those that return `Self`. All threads share the value the
/// service is made of: fields that change belong in a `Mutex`.
///
/// Option of the block: `rename_all = "..."` with `camelCase`, `PascalCase`, `snake_case`, `kebab-case` or
/// `SCREAMING_SNAKE_CASE`. Options of a function, as `#[method(...)]`: those of the attribute `method`, and `skip` not
/// to publish it.
///
/// # Example
///
/// ```
/// use std::sync::atomic::{AtomicI64, Ordering};
/// use rpcgi::{Server, service};
///
/// #[derive(Default)]
/// struct Counter {
///     count: AtomicI64,
/// }
///
/// #[service(rename_all = "camelCase")]
/// impl Counter {
///     /// Adds one, and returns the count.
///     pub fn count_up(&self) -> i64 {
///         self.add(1)
///     }
///
///     fn add(&self, step: i64) -> i64 {
///         self.count.fetch_add(step, Ordering::Relaxed) + step
///     }
/// }
///
/// let server = Server::new("Example").mount("counter", Counter::default()); // counter.countUp
/// # server.build().unwrap();
/// ```
pub use rpcgi_macros::service;

/// Lists functions that have `#[method]`, for [`Server::methods`] and [`Registry::mount`].
///
/// # Example
///
/// ```
/// use rpcgi::{Server, method, methods};
///
/// mod math {
///     /// Adds two numbers.
///     #[rpcgi::method]
///     pub fn add(a: i32, b: i32) -> i32 {
///         a + b
///     }
/// }
///
/// /// Says hello.
/// #[method]
/// fn hello() -> &'static str {
///     "Hello!"
/// }
///
/// let server = Server::new("Example").methods(methods![hello, math::add]);
/// # server.build().unwrap();
/// ```
#[macro_export]
macro_rules! methods {
    ($($function:path),* $(,)?) => {
        [$(<$function as $crate::__private::Published>::method()),*]
    };
}

/// Items for the code that the macros write, and for no other.
#[doc(hidden)]
pub mod __private {
    pub use crate::description::Example;
    #[cfg(feature = "async")]
    pub use crate::method::Async;
    pub use crate::method::{Examples, Fallible, Metadata, TypedFunction, WithRequest};
    #[cfg(feature = "program")]
    pub use crate::program::program;

    /// Checks that a type can be an argument: rustc names what it lacks.
    pub fn argument<T: serde::de::DeserializeOwned + schemars::JsonSchema + 'static>() {}

    /// Returns an example's value as it is sent; `None` if it cannot be.
    pub fn example_value<T: serde::Serialize + ?Sized>(value: &T) -> Option<crate::xmlrpc::Value> {
        crate::xmlrpc::Value::of(value).ok()
    }

    /// The result type of a method. A call of `check` makes rustc name what it lacks, also behind an alias of `Result`.
    #[derive(Debug)]
    pub struct Returned<T>(pub std::marker::PhantomData<T>);

    impl<T, E> Returned<Result<T, E>> {
        pub const fn check(&self)
        where
            T: serde::Serialize + schemars::JsonSchema + Send + 'static,
            E: Into<crate::Fault>,
        {
        }
    }

    /// The same for a type that is not a `Result`: that one has a function of this name itself.
    pub trait PlainReturn {
        type Type;

        fn check(&self)
        where
            Self::Type: serde::Serialize + schemars::JsonSchema + Send + 'static;
    }

    impl<T> PlainReturn for Returned<T> {
        type Type = T;

        fn check(&self)
        where
            T: serde::Serialize + schemars::JsonSchema + Send + 'static,
        {
        }
    }

    /// A function with `#[method]`, by the type of its name.
    #[diagnostic::on_unimplemented(
        message = "`{Self}` is not a method",
        label = "a function with `#[method]` is wanted here"
    )]
    pub trait Published {
        fn method() -> crate::Method;
    }
}
