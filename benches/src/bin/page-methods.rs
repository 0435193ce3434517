//! The program whose page `benches/page` measures: as many methods as the environment says in `METHODS`, or 10, and
//! `add`.

use std::process::ExitCode;

use rpcgi::{Server, method, methods};
use rpcgi_benches::described;

/// It asks the system for memory once or twice, where musl's own asks for each size apart.
#[global_allocator]
static ALLOCATOR: dlmalloc::GlobalDlmalloc = dlmalloc::GlobalDlmalloc;

/// Adds two numbers.
#[method]
fn add(a: i32, b: i32) -> Option<i32> {
    a.checked_add(b)
}

fn main() -> ExitCode {
    let count = std::env::var("METHODS").ok().and_then(|count| count.parse().ok()).unwrap_or(10);
    Server::new("Articles").methods(methods![add]).methods(described(count - 1)).run()
}
