//! The error for a value that does not fit, in the wire's words rather than Rust's.

use std::fmt::{self, Display};

use serde::de::{self, Expected, Unexpected};

/// The message about a value that does not fit: what was expected, and what was found.
#[derive(Debug)]
pub struct DataError(pub(crate) String);

impl Display for DataError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for DataError {}

/// Implements the functions of `serde::de::Error` for an error that converts from [`DataError`], in its words.
macro_rules! wire_error_impl {
    () => {
        fn custom<T: ::std::fmt::Display>(message: T) -> Self {
            <$crate::wire::value::DataError as ::serde::de::Error>::custom(message).into()
        }

        fn invalid_type(found: ::serde::de::Unexpected<'_>, expected: &dyn ::serde::de::Expected) -> Self {
            <$crate::wire::value::DataError as ::serde::de::Error>::invalid_type(found, expected).into()
        }

        fn invalid_value(found: ::serde::de::Unexpected<'_>, expected: &dyn ::serde::de::Expected) -> Self {
            <$crate::wire::value::DataError as ::serde::de::Error>::invalid_value(found, expected).into()
        }

        fn invalid_length(len: usize, expected: &dyn ::serde::de::Expected) -> Self {
            <$crate::wire::value::DataError as ::serde::de::Error>::invalid_length(len, expected).into()
        }

        fn unknown_variant(variant: &str, expected: &'static [&'static str]) -> Self {
            <$crate::wire::value::DataError as ::serde::de::Error>::unknown_variant(variant, expected).into()
        }

        fn unknown_field(field: &str, expected: &'static [&'static str]) -> Self {
            <$crate::wire::value::DataError as ::serde::de::Error>::unknown_field(field, expected).into()
        }

        fn missing_field(field: &'static str) -> Self {
            <$crate::wire::value::DataError as ::serde::de::Error>::missing_field(field).into()
        }

        fn duplicate_field(field: &'static str) -> Self {
            <$crate::wire::value::DataError as ::serde::de::Error>::duplicate_field(field).into()
        }
    };
}
use crate::wire::Type;
pub(crate) use wire_error_impl;

impl de::Error for DataError {
    fn custom<T: Display>(message: T) -> DataError {
        let message = message.to_string();
        // the name of a type, which serde puts last
        let end = message.find(" of untagged enum ").unwrap_or(message.len());
        DataError(message[..end].to_owned())
    }

    fn invalid_type(found: Unexpected<'_>, expected: &dyn Expected) -> DataError {
        DataError(format!("expected {}, found {}", expected_words(expected), found_words(found)))
    }

    fn invalid_value(found: Unexpected<'_>, expected: &dyn Expected) -> DataError {
        de::Error::invalid_type(found, expected)
    }

    fn invalid_length(len: usize, expected: &dyn Expected) -> DataError {
        DataError(format!("expected {}, found {len} items", expected_words(expected)))
    }

    fn unknown_variant(variant: &str, expected: &'static [&'static str]) -> DataError {
        DataError(format!("expected {}, found \"{}\"", one_of(expected), excerpt(variant)))
    }

    fn unknown_field(field: &str, expected: &'static [&'static str]) -> DataError {
        DataError(format!("expected members {}, found \"{}\"", one_of(expected), excerpt(field)))
    }

    fn missing_field(field: &'static str) -> DataError {
        DataError(format!("expected struct with member {field:?}, found none of that name"))
    }

    fn duplicate_field(field: &'static str) -> DataError {
        DataError(format!("expected member {field:?} once, found it again"))
    }
}

/// Returns serde's expectation without names of Rust types, which have no place in an answer.
fn expected_words(expected: &dyn Expected) -> String {
    let words = expected.to_string();
    let number = |words: &str| words.split(' ').find_map(|word| word.parse::<usize>().ok());
    match &words[..] {
        "i8" | "i16" | "i32" | "i64" | "i128" | "u8" | "u16" | "u32" | "u64" | "u128" | "isize" | "usize" => {
            "int".into()
        }
        "f32" | "f64" => "double".into(),
        "bool" | "a boolean" => "boolean".into(),
        "a string" => "string".into(),
        "a sequence" => "array".into(),
        "a map" => "struct".into(),
        _ if words.starts_with("unit struct ") => "nil".into(),
        _ if words.starts_with("a nonzero ") => "int other than 0".into(),
        _ if words.starts_with("struct ") => "struct".into(),
        _ if words.contains("enum ") => "string or struct".into(),
        _ if words.contains("tuple") => match number(&words) {
            Some(len) => format!("array of {len} items"),
            None => "array".into(),
        },
        _ => words,
    }
}

fn found_words(found: Unexpected<'_>) -> String {
    match found {
        Unexpected::Bool(value) => format!("boolean {}", u8::from(value)),
        Unexpected::Unsigned(value) => format!("int {value}"),
        Unexpected::Signed(value) => format!("int {value}"),
        Unexpected::Float(value) => format!("double {value}"),
        Unexpected::Str(text) => format!("string \"{}\"", excerpt(text)),
        Unexpected::Char(_) => "string".into(),
        Unexpected::Bytes(_) => "base64".into(),
        Unexpected::Unit | Unexpected::Option => "nil".into(),
        Unexpected::NewtypeStruct => Type::DateTime.name().into(),
        Unexpected::Seq => "array".into(),
        Unexpected::Map => "struct".into(),
        _ => "something else".into(),
    }
}

/// Prepares a client's text for a message: cut, and with unprintable characters escaped.
pub(crate) fn excerpt(text: &str) -> String {
    const MAX_EXCERPT: usize = 100;

    let more = if text.chars().nth(MAX_EXCERPT).is_some() { "..." } else { "" };
    let text: String = text.chars().take(MAX_EXCERPT).collect();
    format!("{}{more}", text.escape_debug())
}

fn one_of(names: &[&str]) -> String {
    names.iter().map(|name| format!("{name:?}")).collect::<Vec<_>>().join(" or ")
}
