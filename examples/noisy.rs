//! Failures in methods, and what the log says of them: the caller learns no more than "internal error".
//!
//! Try it: `cargo run --example noisy -- serve`, and call `panic` or `internal`.

use std::io;
use std::process::ExitCode;

use rpcgi::{Fault, Server, method, methods};

#[path = "../src/allocator.rs"]
mod allocator;

/// Panics.
#[method]
fn panic() -> i32 {
    panic!("a secret of {}", 42)
}

/// Panics with a text of the caller's.
#[method]
fn echo(text: String) -> i32 {
    panic!("{text}")
}

/// Fails for a reason that callers must not learn.
#[method]
fn internal() -> Result<i32, Fault> {
    Err(Fault::internal(Reason(io::Error::other("inner"))))
}

/// An error with another one behind it.
#[derive(Debug)]
struct Reason(io::Error);

impl std::fmt::Display for Reason {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("outer")
    }
}

impl std::error::Error for Reason {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        Some(&self.0)
    }
}

fn main() -> ExitCode {
    allocator::settle();
    let server = Server::new("Noisy").log_calls(true).methods(methods![panic, echo, internal]);
    // a mistake that is found when the program starts
    match std::env::var_os("DUPLICATE") {
        Some(_) => server.methods(methods![panic]).run(),
        None => server.run(),
    }
}
