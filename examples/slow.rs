//! Methods that take their time, and the settings that matter then.
//!
//! Try it: `cargo run --example slow -- fcgi --listen unix:/tmp/slow.sock`, or behind `nginx-example.conf`.

use std::env;
use std::process::ExitCode;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;
use std::time::Duration;

use rpcgi::{Fault, Limits, Server, method, methods};

#[path = "../src/allocator.rs"]
mod allocator;

/// The number of calls that sleep.
static ASLEEP: AtomicUsize = AtomicUsize::new(0);

/// Sleeps, as a method does that waits for a database.
#[method]
fn sleep(milliseconds: u32) -> u32 {
    ASLEEP.fetch_add(1, Ordering::Relaxed);
    thread::sleep(Duration::from_millis(milliseconds.into()));
    ASLEEP.fetch_sub(1, Ordering::Relaxed);
    milliseconds
}

/// Counts the calls that sleep.
#[method]
fn asleep() -> usize {
    ASLEEP.load(Ordering::Relaxed)
}

/// Counts the octets of a text.
#[method]
fn len(text: String) -> usize {
    text.len()
}

/// Says which process this is.
#[method]
fn pid() -> u32 {
    std::process::id()
}

/// Makes a text of so many octets.
#[method]
fn text(octets: u32) -> Result<String, Fault> {
    match octets {
        0..=10_000_000 => Ok("x".repeat(octets as usize)),
        _ => Err(Fault::new(1, "no text has more than 10,000,000 octets")),
    }
}

/// Returns the limits from the environment.
fn limits() -> Limits {
    let number = |name| env::var(name).ok().and_then(|value: String| value.parse::<u64>().ok());
    let mut limits = Limits::default();
    if let Some(threads) = number("THREADS") {
        limits.threads = usize::try_from(threads).ok().and_then(|threads| threads.try_into().ok());
    }
    if let Some(connections) = number("CONNECTIONS") {
        limits.connections = usize::try_from(connections).unwrap_or(limits.connections);
    }
    if let Some(milliseconds) = number("STALL") {
        limits.stall = Duration::from_millis(milliseconds);
    }
    if let Some(milliseconds) = number("STOP") {
        limits.stop = Duration::from_millis(milliseconds);
    }
    limits
}

fn main() -> ExitCode {
    allocator::settle();
    Server::new("Slow").limits(limits()).methods(methods![sleep, asleep, len, pid, text]).run()
}
