//! The contents of documents, for every protocol: values, texts, positions, faults.

pub(crate) mod compat;
mod error;
pub(crate) mod fault;
pub(crate) mod json;
mod position;
mod types;
pub(crate) mod value;
pub(crate) mod xml;

pub use self::error::{Category, Error};
pub use self::position::Position;
pub use self::types::Type;
