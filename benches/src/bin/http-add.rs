//! The development server's side of `http`: `add` of two ints. Usage: `http-add serve --listen ADDRESS:PORT`

use std::process::ExitCode;

use rpcgi::{Server, method, methods};

/// Adds two numbers.
#[method]
fn add(a: i32, b: i32) -> i32 {
    a + b
}

fn main() -> ExitCode {
    Server::new("Bench").methods(methods![add]).run()
}
