//! The FastCGI program that `benches/fastcgi` measures: `add`, and `len` of a string.

use std::process::ExitCode;

use rpcgi::{Server, method, methods};

/// Adds two numbers.
#[method]
fn add(a: i32, b: i32) -> Option<i32> {
    a.checked_add(b)
}

/// Counts the octets of a string.
#[method]
fn len(text: String) -> usize {
    text.len()
}

fn main() -> ExitCode {
    Server::new("Sums").methods(methods![add, len]).run()
}
