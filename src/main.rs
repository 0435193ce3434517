//! The program `rpcgi`.

use std::process::ExitCode;

/// It asks the system for memory once or twice, where musl's own asks for each size apart.
#[cfg(target_env = "musl")]
#[global_allocator]
static ALLOCATOR: dlmalloc::GlobalDlmalloc = dlmalloc::GlobalDlmalloc;

fn main() -> ExitCode {
    rpcgi::__private::program()
}
