//! A CGI program with fifty methods that each start `expr`: what `benches/manifest` measures a manifest against.

use std::process::{Command, ExitCode};

use rpcgi::{Fault, Method, Server};

/// It asks the system for memory once or twice, where musl's own asks for each size apart.
#[global_allocator]
static ALLOCATOR: dlmalloc::GlobalDlmalloc = dlmalloc::GlobalDlmalloc;

fn add(a: i32, b: i32) -> Result<i64, Fault> {
    let mut command = Command::new("/usr/bin/expr");
    command.args([&a.to_string(), "+", &b.to_string()]).env_clear().current_dir("/tmp");
    let output = command.output().map_err(Fault::internal)?;
    let text = String::from_utf8(output.stdout).map_err(Fault::internal)?;
    text.trim().parse().map_err(Fault::internal)
}

fn main() -> ExitCode {
    let method = |number| {
        Method::new(format!("calc.add{number}"), add)
            .help("Adds two numbers.\n\nThe sum is exact, and has 64 bits.")
            .params(["a", "b"])
    };
    Server::new("Calculator").methods((0..50).map(method).collect::<Vec<_>>()).run()
}
