//! Methods that are `async` functions: results that come later, as Twisted's deferreds.
//!
//! Try it: `cargo run --example deferred --features async -- serve`

use std::process::ExitCode;
use std::time::Duration;

use rpcgi::{Fault, Request, Server, method, methods, service};
use tokio::time::sleep;

#[path = "../src/allocator.rs"]
mod allocator;

/// Answers after a while.
#[method]
async fn later(milliseconds: u32) -> u32 {
    sleep(Duration::from_millis(milliseconds.into())).await;
    milliseconds
}

/// Answers with the slower of two waits, which go on together.
#[method]
async fn both(
    /// the first, in milliseconds
    first: u32,
    /// the second
    second: u32,
) -> Result<u32, Fault> {
    let wait = |milliseconds| tokio::spawn(later(milliseconds));
    let (first, second) = (wait(first), wait(second));
    let (first, second) = (first.await.map_err(Fault::internal)?, second.await.map_err(Fault::internal)?);
    Ok(first.max(second))
}

/// A queue behind an asynchronous lock: methods of a service can await its state.
#[derive(Default)]
struct Queue {
    waiting: tokio::sync::Mutex<Vec<String>>,
}

#[service]
impl Queue {
    /// Adds a text, and returns the client's address.
    pub async fn push(&self, request: &Request, text: String) -> String {
        let mut waiting = self.waiting.lock().await;
        waiting.push(text);
        request.remote_addr().map_or("somebody".into(), |address| address.to_string())
    }

    /// Takes the text that was added first.
    pub async fn pop(&self) -> Result<String, Fault> {
        let mut waiting = self.waiting.lock().await;
        if waiting.is_empty() { Err(Fault::new(1, "nothing waits")) } else { Ok(waiting.remove(0)) }
    }
}

/// Panics, later.
#[method]
async fn fail() -> i32 {
    sleep(Duration::from_millis(1)).await;
    panic!("a secret")
}

fn main() -> ExitCode {
    allocator::settle();
    Server::new("Deferred")
        .methods(methods![later, both, fail])
        .mount("queue", Queue::default())
        .async_method("double", async |number: i32| number.checked_mul(2))
        .run()
}
