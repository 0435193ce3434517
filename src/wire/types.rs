//! The types of the wire.

use std::fmt;

use schemars::Schema;
use serde_json::Map;

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

/// A row of the table of types.
struct Row {
    wire: Type,
    name: &'static str,
    /// Other names of XML-RPC's.
    aliases: &'static [&'static str],
    /// Names in other languages, for suggestions.
    synonyms: &'static [&'static str],
    /// JSON's name for its values, for people.
    json: &'static str,
    /// Its meaning, beyond its name.
    #[cfg_attr(not(feature = "docs"), allow(dead_code, reason = "the page tells it"))]
    meaning: &'static str,
}

/// The table of types: their names, and what there is to say of them.
static TYPES: [Row; 11] = [
    Row {
        wire: Type::Int,
        name: "int",
        aliases: &["i4"],
        synonyms: &["number", "int32", "short"],
        json: "a number",
        meaning: "of 32 bits, signed",
    },
    Row {
        wire: Type::I8,
        name: "i8",
        aliases: &[],
        synonyms: &["long", "int64", "bigint"],
        json: "a number",
        meaning: "of 64 bits, signed",
    },
    Row {
        wire: Type::Boolean,
        name: "boolean",
        aliases: &[],
        synonyms: &["bool", "flag"],
        json: "true or false",
        meaning: "",
    },
    Row {
        wire: Type::String,
        name: "string",
        aliases: &[],
        synonyms: &["str", "text", "varchar"],
        json: "a string",
        meaning: "",
    },
    Row {
        wire: Type::Double,
        name: "double",
        aliases: &[],
        synonyms: &["float", "real", "decimal", "float64"],
        json: "a number",
        meaning: "",
    },
    Row {
        wire: Type::DateTime,
        name: "dateTime.iso8601",
        aliases: &[],
        synonyms: &["date", "datetime", "time", "timestamp"],
        json: "a string",
        meaning: "as 2026-11-24T12:00:00, without a time zone; in XML-RPC without the dashes",
    },
    Row {
        wire: Type::Base64,
        name: "base64",
        aliases: &[],
        synonyms: &["bytes", "binary", "blob", "file"],
        json: "a string",
        meaning: "octets in base64",
    },
    Row {
        wire: Type::Struct,
        name: "struct",
        aliases: &[],
        synonyms: &["object", "dict", "map", "hash", "table", "record"],
        json: "an object",
        meaning: "",
    },
    Row {
        wire: Type::Array,
        name: "array",
        aliases: &[],
        synonyms: &["list", "tuple", "set", "sequence"],
        json: "an array",
        meaning: "",
    },
    Row {
        wire: Type::Nil,
        name: "nil",
        aliases: &[],
        synonyms: &["null", "none", "void", "unit"],
        json: "null",
        meaning: "",
    },
    Row {
        wire: Type::Undefined,
        name: "undefined",
        aliases: &[Type::ANY],
        synonyms: &["anything", "mixed", "value", "variant"],
        json: "anything",
        meaning: "",
    },
];

impl Type {
    /// The name of `undefined` for people, to whom that reads like a mistake.
    const ANY: &'static str = "any";

    /// Returns the name on the wire.
    pub fn name(self) -> &'static str {
        self.row().name
    }

    fn row(self) -> &'static Row {
        // the rows stand in the order of the variants, as a test checks
        &TYPES[self as usize]
    }

    /// Returns the name for people: `any` for `undefined`.
    pub(crate) fn in_words(self) -> &'static str {
        match self {
            Type::Undefined => Type::ANY,
            known => known.name(),
        }
    }

    /// Finds a type by one of its names on the wire, or by `any`.
    #[cfg(feature = "program")]
    pub(crate) fn of_name(name: &str) -> Option<Type> {
        let is_of = |row: &&Row| row.name == name || row.aliases.contains(&name);
        TYPES.iter().find(is_of).map(|row| row.wire)
    }

    /// Returns all names that [`of_name`](Type::of_name) knows.
    #[cfg(feature = "program")]
    pub(crate) fn names() -> impl Iterator<Item = &'static str> {
        TYPES.iter().flat_map(|row| std::iter::once(row.name).chain(row.aliases.iter().copied()))
    }

    /// Finds the type that another language calls so.
    #[cfg(feature = "program")]
    pub(crate) fn of_synonym(word: &str) -> Option<Type> {
        let word = word.to_lowercase();
        TYPES.iter().find(|row| row.synonyms.contains(&&*word)).map(|row| row.wire)
    }

    /// Returns what the page tells of each type: its name for people, what it is in JSON, and what it means.
    #[cfg(feature = "docs")]
    pub(crate) fn table() -> impl Iterator<Item = (&'static str, &'static str, &'static str)> {
        TYPES.iter().map(|row| (row.wire.in_words(), row.json, row.meaning))
    }

    /// Returns the JSON Schema of a value of this type.
    pub(crate) fn schema(self) -> Schema {
        let keywords: &[(&str, &str)] = match self {
            Type::Int => &[("type", "integer"), ("format", "int32")],
            Type::I8 => &[("type", "integer"), ("format", "int64")],
            Type::Boolean => &[("type", "boolean")],
            Type::String => &[("type", "string")],
            Type::Double => &[("type", "number"), ("format", "double")],
            Type::DateTime => &[("type", "string"), ("format", "dateTime.iso8601")],
            Type::Base64 => &[("type", "string"), ("contentEncoding", "base64")],
            Type::Struct => &[("type", "object")],
            Type::Array => &[("type", "array")],
            Type::Nil => &[("type", "null")],
            Type::Undefined => return true.into(),
        };
        keywords.iter().map(|(keyword, word)| ((*keyword).to_owned(), (*word).into())).collect::<Map<_, _>>().into()
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_stand_in_the_order_of_the_variants() {
        for row in &TYPES {
            assert_eq!(row.wire.row().name, row.name);
        }
        assert_eq!(TYPES.last().map(|row| row.wire as usize), Some(TYPES.len() - 1));
    }

    #[test]
    fn no_name_is_two_types() {
        let names = TYPES.iter().flat_map(|row| {
            std::iter::once(&row.name).chain(row.aliases).chain(row.synonyms).copied().collect::<Vec<_>>()
        });
        let mut names: Vec<&str> = names.collect();
        let all = names.len();
        names.sort_unstable();
        names.dedup();
        assert_eq!(names.len(), all);
    }
}
