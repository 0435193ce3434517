//! XML for every protocol that speaks it: tokens, encodings, escaping, and what is wrong with a document.
//!
//! The tags and the grammar of a format are the protocol's.

mod encoding;
mod escape;
mod reader;
mod well_formed;

pub use self::encoding::Encoding;
pub(crate) use self::encoding::decode;
pub(crate) use self::escape::escape;
pub(crate) use self::reader::{Reader, TagName, Token, append};
