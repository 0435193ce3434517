//! Dialects: protocols as documentation tells of them.

use crate::wire::value::Value;

/// A protocol, as documentation tells of it.
#[derive(Clone, Copy)]
pub(crate) struct Dialect {
    /// The name in forms and settings, as `json-rpc`.
    pub(crate) name: &'static str,
    /// The name for people, as `JSON-RPC 2.0`.
    pub(crate) title: &'static str,
    /// The media type of a call.
    pub(crate) media_type: &'static str,
    /// Writes a call of a method with params.
    pub(crate) write_call: fn(&str, &[Value]) -> Written,
    /// Writes the answer to it that has a result.
    pub(crate) write_answer: fn(&Value) -> Written,
}

/// A call or its answer, written for people.
pub(crate) enum Written {
    /// A document as it is sent.
    Text(String),
    /// A document in JSON, which a program may write as a literal of its language.
    Json(Value),
}
