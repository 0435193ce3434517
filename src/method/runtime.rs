//! The runtime of `async` methods (tokio): the one that is there, or one that is made when the first of them is called.

use std::sync::OnceLock;

use tokio::runtime::{Builder, Handle, Runtime};

use crate::service::is_single_request;

static RUNTIME: OnceLock<Runtime> = OnceLock::new();

/// Runs the future of a method to its end, on the thread of the call: it holds that thread, where panics are caught and
/// lines are logged. Tasks that it spawns run on the threads of the runtime that the call came from
/// ([`Endpoint::handle_async`](crate::Endpoint::handle_async)), or on the runtime's own, if there are any.
///
/// # Panics
/// On a thread that already drives a runtime, and if none can be made; the call is then an internal fault.
pub(crate) fn block_on<T>(future: impl Future<Output = T>) -> T {
    match Handle::try_current() {
        Ok(runtime) => runtime.block_on(future),
        Err(_) => RUNTIME.get_or_init(new).block_on(future),
    }
}

fn new() -> Runtime {
    let mut builder = if is_single_request() { Builder::new_current_thread() } else { Builder::new_multi_thread() };
    builder.enable_all().build().unwrap_or_else(|error| panic!("no runtime for async methods: {error}"))
}
