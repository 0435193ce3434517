//! The attribute macros of `rpcgi`, which re-exports and documents them.

mod example;
mod function;
mod method;
mod options;
mod service;

use proc_macro::TokenStream;

/// See `rpcgi::method`.
#[proc_macro_attribute]
pub fn method(options: TokenStream, item: TokenStream) -> TokenStream {
    method::expand(options.into(), item.into()).into()
}

/// See `rpcgi::service`.
#[proc_macro_attribute]
pub fn service(options: TokenStream, item: TokenStream) -> TokenStream {
    service::expand(options.into(), item.into()).into()
}
