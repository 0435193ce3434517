//! An American roulette wheel, to call with XML-RPC: `spin` and `spinList`, also as `wheel.spin` and `wheel.spinList`.
//!
//! Try it: `cargo run --example wheel -- serve`, and open the URL it prints.

use std::hash::{BuildHasher, RandomState};
use std::process::ExitCode;

use rpcgi::{Fault, Server, service};

/// The wheel.
pub struct Wheel;

const RED: [u64; 18] = [1, 3, 5, 7, 9, 12, 14, 16, 18, 19, 21, 23, 25, 27, 30, 32, 34, 36];
const MAX_SPINS: i32 = 1000;

#[service(rename_all = "camelCase")]
impl Wheel {
    /// Spins the wheel once.
    ///
    /// Returns where the ball came to rest: the number (`0` to `36`, or `00`), its colour (`RED`, `BLACK` or `GREEN`),
    /// whether it is `EVEN` or `ODD`, and whether it is `LOW` (up to 18) or `HIGH`. The zeros are `GREEN`, and `ZERO`
    /// in the last two places.
    #[method(alias = "wheel.spin")]
    pub fn spin(&self) -> [String; 4] {
        let pocket = RandomState::new().hash_one("spin") % 38;
        let colour = if RED.contains(&pocket) { "RED" } else { "BLACK" };
        let parity = if pocket.is_multiple_of(2) { "EVEN" } else { "ODD" };
        let half = if pocket <= 18 { "LOW" } else { "HIGH" };
        match pocket {
            0 => ["0", "GREEN", "ZERO", "ZERO"].map(String::from),
            37 => ["00", "GREEN", "ZERO", "ZERO"].map(String::from),
            number => [&number.to_string(), colour, parity, half].map(String::from),
        }
    }

    /// Spins the wheel several times.
    ///
    /// Returns an array of what spin() returns.
    #[method(alias = "wheel.spinList", fault(1, "less than 0 spins, or more than 1000"))]
    pub fn spin_list(
        &self,
        /// how often: 1 unless given, 1000 at most
        spins: Option<i32>,
    ) -> Result<Vec<[String; 4]>, Fault> {
        match spins.unwrap_or(1) {
            spins @ 0..=MAX_SPINS => Ok((0..spins).map(|_| self.spin()).collect()),
            spins => Err(Fault::new(1, format!("expected 0 to {MAX_SPINS} spins, found {spins}"))),
        }
    }
}

fn main() -> ExitCode {
    Server::new("Roulette")
        .title("An American roulette wheel")
        .documentation("Thirty-eight pockets and a ball. *Rien ne va plus!*")
        .methods(Wheel)
        .run()
}
