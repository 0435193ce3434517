//! Errors of documents, in every format.

use std::fmt::{self, Display};

use serde::de;
use serde::ser;

use crate::wire::Position;
use crate::wire::fault::Fault;
use crate::wire::value::{DataError, WriteError, say_in_words};

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
    say_in_words!();
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
