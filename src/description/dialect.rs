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
    pub(crate) write_call: fn(&str, &[Value]) -> WrittenCall,
}

/// A call, written for people.
pub(crate) enum WrittenCall {
    /// A document as it is sent.
    Text(String),
    /// A document in JSON, which a program may write as a literal of its language.
    Json(Value),
}
