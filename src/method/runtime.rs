//! The runtime of `async` methods (tokio). It is made when the first of them is called.

use std::sync::OnceLock;
use std::sync::atomic::{AtomicBool, Ordering};

use tokio::runtime::{Builder, Runtime};

static RUNTIME: OnceLock<Runtime> = OnceLock::new();

/// Set if the runtime gets threads of its own.
static HAS_THREADS: AtomicBool = AtomicBool::new(true);

/// Gives the runtime no threads of its own: for a process of one call, where threads cost more than they bring, and
/// where a host may allow none.
pub(crate) fn without_threads() {
    HAS_THREADS.store(false, Ordering::Relaxed);
}

/// Runs the future of a method to its end, on the thread of the call: it holds that thread, where panics are caught and
/// lines are logged. Tasks that it spawns run on the runtime's own threads, if there are any.
///
/// # Panics
/// On a thread that already drives a runtime, and if none can be made; the call is then an internal fault.
pub(crate) fn block_on<T>(future: impl Future<Output = T>) -> T {
    let runtime = RUNTIME.get_or_init(|| {
        let mut builder = if HAS_THREADS.load(Ordering::Relaxed) {
            Builder::new_multi_thread()
        } else {
            Builder::new_current_thread()
        };
        builder.enable_all().build().unwrap_or_else(|error| panic!("no runtime for async methods: {error}"))
    });
    runtime.block_on(future)
}
