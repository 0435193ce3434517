//! The CGI program that `benches/cgi` measures: `add`, and `len` of an array or a string.

use std::process::ExitCode;

use rpcgi::{Method, Server, method, methods};

/// It asks the system for memory once or twice, where musl's own asks for each size apart.
#[global_allocator]
static ALLOCATOR: dlmalloc::GlobalDlmalloc = dlmalloc::GlobalDlmalloc;

/// Adds two numbers.
#[method]
fn add(a: i32, b: i32) -> Option<i32> {
    a.checked_add(b)
}

/// Counts the items of an array.
#[method(name = "len")]
fn array_len(items: Vec<i32>) -> usize {
    items.len()
}

/// Counts the octets of a string.
#[method(name = "len")]
fn string_len(text: String) -> usize {
    text.len()
}

fn main() -> ExitCode {
    let len = Method::overload("len", methods![array_len, string_len]);
    Server::new("Sums").methods(methods![add]).methods(len).run()
}
