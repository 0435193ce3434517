//! JSON text and what becomes of it: `serde_json`, under the rules that hold in every format.
//!
//! Vocabulary: knows values, and nothing of calls. [`Text`] goes through a text from the front: what stands between
//! values here, the values themselves by `serde_json`, straight into their types. [`write`] is the way back.

mod notation;
mod numbers;
mod text;
mod typed;

pub(crate) use self::notation::{write, write_string};
#[cfg(feature = "program")]
pub(crate) use self::numbers::check as check_numbers;
pub(crate) use self::text::Text;
use crate::service::Limits;

/// What is settled for all texts of a server.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Options {
    pub(crate) limits: Limits,
    /// Whether integers beyond 2^53 are text, which a double does not have exactly.
    pub(crate) large_integers_as_text: bool,
}
