//! A limit of requests for each address: five in ten seconds, the sixth is refused before its body is read.
//!
//! It counts in its own memory, and so as a FastCGI responder or a development server. A CGI program starts anew for
//! each request, and would have to count in a file.
//!
//! Try it: `cargo run --example rate_limit -- serve`, and call six times.

use std::collections::HashMap;
use std::net::IpAddr;
use std::process::ExitCode;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use http::{StatusCode, header};
use rpcgi::{Request, Response, Server, method, methods};

#[path = "../src/allocator.rs"]
mod allocator;

const WINDOW: Duration = Duration::from_secs(10);
const MAX_REQUESTS: u32 = 5;

/// The most addresses that are remembered: more, and those of the last window are forgotten.
const MAX_ADDRESSES: usize = 10_000;

/// The requests of each address since the start of its window.
#[derive(Default)]
struct Counts(Mutex<HashMap<IpAddr, (Instant, u32)>>);

impl Counts {
    /// Counts a request, and returns the time to wait if it is one too many.
    fn count(&self, address: IpAddr) -> Result<u32, Duration> {
        let mut counts = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if counts.len() >= MAX_ADDRESSES {
            counts.retain(|_, (start, _)| start.elapsed() < WINDOW);
        }
        let (start, count) = counts.entry(address).or_insert((Instant::now(), 0));
        if start.elapsed() >= WINDOW {
            (*start, *count) = (Instant::now(), 0);
        }
        *count += 1;
        if *count > MAX_REQUESTS { Err(WINDOW.saturating_sub(start.elapsed())) } else { Ok(MAX_REQUESTS - *count) }
    }
}

/// Returns the time of the server, in seconds since 1970.
#[method]
fn time() -> u64 {
    std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).map_or(0, |time| time.as_secs())
}

fn main() -> ExitCode {
    allocator::settle();
    let counts = Counts::default();
    let limit = move |request: &mut Request| {
        let Some(address) = request.remote_addr() else { return Ok(()) };
        match counts.count(address) {
            Ok(left) => {
                // whatever is wrong with a header is a mistake here, and no reason to refuse the request
                _ = request.set_response_header("X-RateLimit-Remaining", &left.to_string());
                Ok(())
            }
            Err(wait) => {
                let seconds = wait.as_secs() + 1;
                let message = format!("more than {MAX_REQUESTS} requests in {WINDOW:?}: try again in {seconds} s");
                Err(Response::text(StatusCode::TOO_MANY_REQUESTS, message).with(header::RETRY_AFTER, seconds.into()))
            }
        }
    };
    Server::new("Rate limit").methods(methods![time]).guard(limit).run()
}
