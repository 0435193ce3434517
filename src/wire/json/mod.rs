//! Reading and writing of JSON text: `serde_json`, under the rules that hold in every format.
//!
//! Vocabulary: values, and nothing of calls. [`JsonText`] reads a text from the front: it handles what stands between
//! values, and `serde_json` reads the values straight into their types. [`write`] is the way back.

mod notation;
mod numbers;
mod text;
mod typed;

pub(crate) use self::notation::{as_json, write, write_string};
#[cfg(feature = "program")]
pub(crate) use self::numbers::check as check_numbers;
pub(crate) use self::text::JsonText;
use crate::service::Limits;

/// The settings shared by all JSON texts of a server.
#[derive(Clone, Copy, Debug)]
pub(crate) struct JsonOptions {
    pub(crate) limits: Limits,
    /// Set if integers beyond 2^53 travel as text: a double does not hold them exactly.
    pub(crate) large_integers_as_text: bool,
}
