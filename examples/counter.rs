//! A counter of calls by method: how many, how many faults, how long they took.
//!
//! Try it: `cargo run --example counter -- serve`, call a few methods, and then `stats`.

use std::collections::BTreeMap;
use std::process::ExitCode;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use rpcgi::{Call, Fault, Server, method, methods};
use schemars::JsonSchema;
use serde::Serialize;

#[path = "../src/allocator.rs"]
mod allocator;

/// The calls of one method so far.
#[derive(Clone, Debug, Default, Serialize, JsonSchema)]
struct Stats {
    /// all calls
    calls: u32,
    /// those that were answered by a fault
    faults: u32,
    /// milliseconds of all together
    ms: f64,
}

/// Divides one number by another.
#[method]
fn div(a: i64, b: i64) -> Result<i64, Fault> {
    a.checked_div(b).ok_or(Fault::new(2, "division by zero"))
}

fn main() -> ExitCode {
    allocator::settle();
    let stats = Arc::new(Mutex::new(BTreeMap::<String, Stats>::new()));
    let shown = Arc::clone(&stats);
    let count = move |call: &Call<'_>, outcome: Result<(), &Fault>, took: Duration| {
        // names that no method has are the client's choice, and would fill the memory
        if call.signature().is_none() || call.is_introspection() {
            return;
        }
        let mut stats = stats.lock().unwrap_or_else(PoisonError::into_inner);
        let stats = stats.entry(call.name().to_owned()).or_default();
        stats.calls += 1;
        stats.faults += u32::from(outcome.is_err());
        stats.ms += took.as_secs_f64() * 1000.0;
    };
    Server::new("Counter")
        .methods(methods![div])
        .method("stats", move || shown.lock().unwrap_or_else(PoisonError::into_inner).clone())
        .after(count)
        .run()
}
