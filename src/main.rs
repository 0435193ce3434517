//! The program `rpcgi`.

mod allocator;

use std::process::ExitCode;

fn main() -> ExitCode {
    allocator::settle();
    rpcgi::__private::program()
}
