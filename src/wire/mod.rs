//! What is written on the wire, for every protocol: values, texts, positions, faults.

pub(crate) mod fault;
pub(crate) mod json;
mod position;
pub(crate) mod value;

pub use self::position::Position;
