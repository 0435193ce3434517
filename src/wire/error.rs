//! Errors of documents, in every format.

use std::fmt::{self, Display};

use serde::de;
use serde::ser;

use crate::wire::Position;
use crate::wire::fault::Fault;
use crate::wire::value::{DataError, WriteError, wire_error_impl};

/// The error for a document that could not be read, or a value that could not be written.
///
/// Displayed in lower case and without a full stop: what was expected, what was found, and where.
#[derive(Clone)]
pub struct Error(Box<Inner>);

#[derive(Clone)]
struct Inner {
    category: Category,
    message: String,
    position: Option<Position>,
}

/// The kind of an [`Error`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Category {
    /// The document is not well-formed XML (a DOCTYPE is not either), or no JSON.
    Syntax,
    /// The declared encoding is not supported.
    Encoding,
    /// The document has octets that its encoding does not allow, or a character that XML does not.
    Character,
    /// The document is well-formed, but none of its protocol.
    Structure,
    /// The document is beyond one of the [`Limits`](crate::Limits).
    Limit,
    /// A value is not of the type asked for, or cannot be written.
    Data,
}

impl Error {
    #[cold]
    pub(crate) fn new(category: Category, message: impl Into<String>) -> Error {
        Error(Box::new(Inner { category, message: message.into(), position: None }))
    }

    pub(crate) fn at(mut self, position: Position) -> Error {
        self.0.position = Some(position);
        self
    }

    /// Returns the kind of thing that is wrong.
    pub fn category(&self) -> Category {
        self.0.category
    }

    /// Returns the place in the document; `None` if no document was read: a value was written, or taken from a
    /// [`Value`](crate::Value), or the document was too long to look at.
    pub fn position(&self) -> Option<Position> {
        self.0.position
    }
}

impl Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0.message)?;
        match self.0.position {
            Some(Position { line, column }) => write!(f, " at line {line} column {column}"),
            None => Ok(()),
        }
    }
}

impl fmt::Debug for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Error({:?}, \"{self}\")", self.0.category)
    }
}

impl std::error::Error for Error {}

impl From<DataError> for Error {
    fn from(error: DataError) -> Error {
        Error::new(Category::Data, error.0)
    }
}

impl de::Error for Error {
    wire_error_impl!();
}

impl ser::Error for Error {
    fn custom<T: Display>(message: T) -> Error {
        Error::new(Category::Data, message.to_string())
    }
}

impl From<WriteError> for Error {
    fn from(error: WriteError) -> Error {
        let category = if error.is_limit() { Category::Limit } else { Category::Data };
        Error::new(category, error.to_string())
    }
}

/// The fault that answers a document: the error's words, and as data its line and column.
impl From<Error> for Fault {
    fn from(error: Error) -> Fault {
        let code = match error.category() {
            Category::Syntax => Fault::NOT_WELL_FORMED,
            Category::Encoding => Fault::UNSUPPORTED_ENCODING,
            Category::Character => Fault::INVALID_CHARACTER,
            Category::Structure | Category::Limit => Fault::INVALID_CALL,
            Category::Data => Fault::INVALID_PARAMS,
        };
        let fault = Fault::new(code, error.to_string());
        match error.position() {
            Some(Position { line, column }) => fault.with_data(serde_json::json!({ "line": line, "column": column })),
            None => fault,
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::service::Limits;
    use crate::wire::json::{self as json_text, JsonOptions};

    #[test]
    fn parts_roundtrip() {
        for position in [None, Some(Position { line: 3, column: 14 })] {
            for category in [Category::Syntax, Category::Data] {
                let error = Error::new(category, "it is wrong");
                let error = position.map_or(error.clone(), |position| error.at(position));
                assert_eq!((error.category(), error.position()), (category, position));
                let place = if position.is_some() { " at line 3 column 14" } else { "" };
                assert_eq!(error.to_string(), format!("it is wrong{place}"));
                assert_eq!(format!("{error:?}"), format!("Error({category:?}, \"it is wrong{place}\")"));
            }
        }
    }

    /// Codes of the *Specification for Fault Code Interoperability*.
    #[test]
    fn faults_spec() {
        for (category, code) in [
            (Category::Syntax, -32700),
            (Category::Encoding, -32701),
            (Category::Character, -32702),
            (Category::Structure, -32600),
            (Category::Limit, -32600),
            (Category::Data, -32602),
        ] {
            let fault = Fault::from(Error::new(category, "it is wrong"));
            assert_eq!((fault.code, &fault.message[..], fault.data()), (code, "it is wrong", None));
        }
        let fault = Fault::from(Error::new(Category::Syntax, "no end").at(Position { line: 2, column: 5 }));
        assert_eq!(fault.message, "no end at line 2 column 5");
        assert_eq!(fault.data(), Some(&json!({ "line": 2, "column": 5 })));
    }

    #[test]
    fn values_invalid() {
        let write_error = |response: usize| {
            let limits = Limits { response, ..Limits::default() };
            let options = JsonOptions { limits, large_integers_as_text: false };
            Error::from(json_text::write(&("abc", f64::NAN), &options, &mut Vec::new()).unwrap_err())
        };
        for (error, category, expected) in [
            (
                <Error as de::Error>::invalid_type(de::Unexpected::Bool(true), &"i32"),
                Category::Data,
                "expected int, found boolean 1",
            ),
            (
                <Error as de::Error>::invalid_length(3, &"a tuple of size 2"),
                Category::Data,
                "expected array of 2 items, found 3 items",
            ),
            (
                <Error as de::Error>::unknown_field("c", &["a", "b"]),
                Category::Data,
                "expected members \"a\" or \"b\", found \"c\"",
            ),
            (<Error as de::Error>::duplicate_field("a"), Category::Data, "expected member \"a\" once, found it again"),
            (
                <Error as de::Error>::custom("data did not match any variant of untagged enum Secret"),
                Category::Data,
                "data did not match any variant",
            ),
            (<Error as ser::Error>::custom("it has no form"), Category::Data, "it has no form"),
            (write_error(100), Category::Data, "NaN is no double of JSON, at [1]"),
            (write_error(3), Category::Limit, "longer than 3 octets, at [0]"),
        ] {
            assert_eq!((error.category(), error.to_string()), (category, expected.to_owned()));
        }
    }
}
