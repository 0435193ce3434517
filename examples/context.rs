//! The facts that a method can learn of the request it is called by.
//!
//! Try it: `cargo run --example context -- serve`, and call `context`.

use std::collections::BTreeMap;
use std::process::ExitCode;

use rpcgi::{Request, Server, method, methods};

#[path = "../src/allocator.rs"]
mod allocator;

/// Tells what is known of this call.
#[method]
fn context(request: &Request) -> BTreeMap<&'static str, String> {
    let header = |name| request.header(name).unwrap_or_default().into_owned();
    let remote_addr = request.remote_addr().map(|address| address.to_string());
    BTreeMap::from([
        ("method", request.method().into_owned()),
        ("path", request.path().into_owned()),
        ("url", request.url().unwrap_or_default()),
        ("query", request.variable("QUERY_STRING").unwrap_or_default().into_owned()),
        ("authorization", header("Authorization")),
        ("colour", header("X-Colour")),
        ("proxy", header("Proxy")),
        ("cookie", header("Cookie")),
        ("remote_addr", remote_addr.unwrap_or_default()),
        ("user", request.user().unwrap_or_default().into_owned()),
    ])
}

fn main() -> ExitCode {
    allocator::settle();
    Server::new("Context").methods(methods![context]).run()
}
