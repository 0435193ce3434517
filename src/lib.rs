#![doc = include_str!("../README.md")]
#![warn(unreachable_pub)]

mod call;
mod cli;
mod docs;
mod fault;
mod gateway;
mod limits;
mod method;
mod protocol;
mod registry;
mod server;
mod service;
mod signature;
mod system;
mod value;

// the attribute macros write `::rpcgi`, also in this crate's own tests
extern crate self as rpcgi;

pub use crate::fault::Fault;
pub use crate::limits::Limits;
pub use crate::method::{Function, Method};
pub use crate::protocol::xmlrpc;
pub use crate::registry::{DuplicateMethod, Fallback, Registry};
pub use crate::server::{BuildError, Endpoint, Server};
pub use crate::service::{MetaVariables, Request, Response, Service};
pub use crate::signature::{Signature, Type};
pub use crate::value::{Base64, DateTime, Value};
pub use rpcgi_macros::{method, service};

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

/// What the macros write; not for anybody else.
#[doc(hidden)]
pub mod __private {
    pub use crate::method::{About, Fallible, WithRequest};

    /// A function with `#[method]`, by the type of its name.
    #[diagnostic::on_unimplemented(
        message = "`{Self}` is not a method",
        label = "a function with `#[method]` is wanted here"
    )]
    pub trait Published {
        fn method() -> crate::Method;
    }
}
