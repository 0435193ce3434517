//! The types of the wire.

use std::fmt;

use schemars::{Schema, json_schema};

/// A type of XML-RPC, as signatures name it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Type {
    /// `int`: 32 bits, signed.
    Int,
    /// `i8`: 64 bits, signed.
    I8,
    /// `boolean`.
    Boolean,
    /// `string`.
    String,
    /// `double`.
    Double,
    /// `dateTime.iso8601`.
    DateTime,
    /// `base64`.
    Base64,
    /// `struct`.
    Struct,
    /// `array`.
    Array,
    /// `nil`.
    Nil,
    /// `undefined`: any of them.
    Undefined,
}

impl Type {
    /// Returns the name on the wire.
    pub fn name(self) -> &'static str {
        match self {
            Type::Int => "int",
            Type::I8 => "i8",
            Type::Boolean => "boolean",
            Type::String => "string",
            Type::Double => "double",
            Type::DateTime => "dateTime.iso8601",
            Type::Base64 => "base64",
            Type::Struct => "struct",
            Type::Array => "array",
            Type::Nil => "nil",
            Type::Undefined => "undefined",
        }
    }

    /// Returns the name for people: `any` for `undefined`, which reads like a mistake.
    pub(crate) fn in_words(self) -> &'static str {
        match self {
            Type::Undefined => "any",
            known => known.name(),
        }
    }

    /// Returns the JSON Schema of a value of this type.
    pub(crate) fn schema(self) -> Schema {
        match self {
            Type::Int => json_schema!({ "type": "integer", "format": "int32" }),
            Type::I8 => json_schema!({ "type": "integer", "format": "int64" }),
            Type::Boolean => json_schema!({ "type": "boolean" }),
            Type::String => json_schema!({ "type": "string" }),
            Type::Double => json_schema!({ "type": "number", "format": "double" }),
            Type::DateTime => json_schema!({ "type": "string", "format": "dateTime.iso8601" }),
            Type::Base64 => json_schema!({ "type": "string", "contentEncoding": "base64" }),
            Type::Struct => json_schema!({ "type": "object" }),
            Type::Array => json_schema!({ "type": "array" }),
            Type::Nil => json_schema!({ "type": "null" }),
            Type::Undefined => json_schema!(true),
        }
    }

    /// Returns whether a value of the type `name` may stand where this type is declared: its own, an `int` for an `i8`
    /// or `double`, anything for `undefined`.
    pub(crate) fn accepts(self, name: &str) -> bool {
        match self {
            Type::Undefined => true,
            Type::I8 => matches!(name, "i8" | "int"),
            Type::Double => matches!(name, "double" | "int" | "i8"),
            _ => self.name() == name,
        }
    }
}

impl fmt::Display for Type {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}
