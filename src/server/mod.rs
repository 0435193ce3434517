//! Services being put together, and as they answer.

mod builder;
mod endpoint;
#[cfg(feature = "tower")]
mod tower;

pub use self::builder::{BuildError, Server};
pub use self::endpoint::Endpoint;
