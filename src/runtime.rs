//! The runtime of `async` methods (tokio). It is made when the first of them is called.

use std::sync::OnceLock;

use tokio::runtime::{Builder, Runtime};

static RUNTIME: OnceLock<Runtime> = OnceLock::new();

/// Runs the future of a method to its end, on the thread of the call: that is the thread it holds, and the one on which
/// a panic is caught and a line is logged. What it spawns runs on the runtime's own threads.
///
/// # Panics
/// On a thread that already drives a runtime, and if none can be made; the call is then an internal fault.
pub(crate) fn block_on<T>(future: impl Future<Output = T>) -> T {
    let runtime = RUNTIME.get_or_init(|| {
        let runtime = Builder::new_multi_thread().enable_all().build();
        runtime.unwrap_or_else(|error| panic!("no runtime for async methods: {error}"))
    });
    runtime.block_on(future)
}
