//! The program of `FIRST-STEPS.md`.

use rpcgi::{Fault, Server, method, methods};

/// Tells what it costs to rent a bike.
#[method(fault(1, "there are no bikes for so long"))]
fn price(
    /// how long, in hours
    hours: u32,
) -> Result<f64, Fault> {
    match hours {
        1..=48 => Ok(f64::from(hours) * 4.5),
        _ => Err(Fault::new(1, format!("expected 1 to 48 hours, found {hours}"))),
    }
}

fn main() -> std::process::ExitCode {
    Server::new("Bikes").methods(methods![price]).run()
}
