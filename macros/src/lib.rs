//! The attribute macros of `rpcgi`, which re-exports them.

mod function;
mod method;
mod options;
mod service;

use proc_macro::TokenStream;

/// Makes a method of a function, for `rpcgi::methods!` to list.
///
/// The function itself stays as it is. Its doc comment is the method's help, in Markdown, and the first paragraph the
/// title; doc comments on its arguments explain the params. Arguments and result are as `rpcgi::Method::new` takes
/// them: `&Request` first, if wanted, then owned types; an `Option` at the end may be left out.
///
/// Options: `name = "..."` for another name than the function's, `alias = "..."` for one more, any number of times,
/// `hidden` to leave it out of listings.
///
/// # Example
///
/// ```
/// use rpcgi::{Fault, Request, Server, method, methods};
///
/// /// Divides one number by another.
/// ///
/// /// Rounds towards minus infinity.
/// #[method(name = "math.div", alias = "div")]
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
#[proc_macro_attribute]
pub fn method(options: TokenStream, item: TokenStream) -> TokenStream {
    method::expand(options.into(), item.into()).into()
}

/// Makes methods of the `pub` functions of an `impl` block, for `rpcgi::Server::mount` and `rpcgi::Server::methods`.
///
/// What is not `pub` is not published, nor are functions that return `Self`. The value the service is made of is shared
/// by all threads: what changes in it belongs in a `Mutex`.
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
#[proc_macro_attribute]
pub fn service(options: TokenStream, item: TokenStream) -> TokenStream {
    service::expand(options.into(), item.into()).into()
}
