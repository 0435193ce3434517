//! The faults of other systems, for clients that look at their codes and texts.

use super::fault::Fault;

/// A system whose faults XML-RPC's callers get instead of this library's own.
///
/// Codes and texts are those of the system for the same situation. Faults that a method answers by itself stay as they
/// are. Of an exception, [`Python`](Compat::Python) and [`Odoo`](Compat::Odoo) tell class and text, where the method
/// has them: what is private must not stand there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Compat {
    /// CPython's `xmlrpc.server`: the code 1 for all, and texts such as `<class 'Exception'>:method "x" is not
    /// supported`.
    Python,
    /// Twisted's `xmlrpc.XMLRPC`: 8001 for a name that is not served, 8002 for everything else.
    Twisted,
    /// Odoo's `/xmlrpc/2`: 1 for everything, with class and text of an exception.
    Odoo,
    /// phpxmlrpc's server: 1, 3, 15 and 17.
    Phpxmlrpc,
}

/// What a call has failed by.
enum Failure<'f> {
    NoMethod,
    Params(&'f str),
    Document(&'f str),
    Result(&'f str),
    /// The class of an exception, if that is known, and its text.
    Exception(Option<&'f str>, &'f str),
}

impl Failure<'_> {
    /// Finds out what is behind a fault; `None` if it is the method's own.
    fn of(fault: &Fault) -> Option<Failure<'_>> {
        if let Some((class, text)) = fault.exception() {
            return Some(Failure::Exception(Some(class), text));
        }
        Some(match fault.code {
            Fault::METHOD_NOT_FOUND => Failure::NoMethod,
            Fault::INVALID_PARAMS => Failure::Params(&fault.message),
            Fault::NOT_WELL_FORMED | Fault::UNSUPPORTED_ENCODING | Fault::INVALID_CHARACTER | Fault::INVALID_CALL => {
                Failure::Document(&fault.message)
            }
            Fault::INTERNAL if fault.message.starts_with(NO_NIL) => Failure::Result(NIL_TEXT),
            Fault::INTERNAL | Fault::SYSTEM => Failure::Exception(None, &fault.message),
            _ => return None,
        })
    }
}

/// The beginning of this library's own text where a result has nil and must not.
const NO_NIL: &str = "the result cannot be written: nil is switched off";

/// What Python says of that.
const NIL_TEXT: &str = "cannot marshal None unless allow_none is enabled";

impl Compat {
    /// Tests whether callers get to know class and text of an exception.
    #[cfg(feature = "program")]
    pub(crate) fn tells_exceptions(self) -> bool {
        matches!(self, Compat::Python | Compat::Odoo)
    }

    /// Returns a fault as the system would answer it. `name` is the method that was called; empty if it could not be
    /// read.
    pub(crate) fn fault(self, name: &str, fault: Fault) -> Fault {
        let Some(failure) = Failure::of(&fault) else { return fault };
        let (code, text) = match self {
            Compat::Python => (1, in_python(name, &failure)),
            Compat::Twisted => in_twisted(name, &failure),
            Compat::Odoo => (1, in_odoo(name, &failure)),
            Compat::Phpxmlrpc => in_phpxmlrpc(&failure),
        };
        Fault::new(code, text)
    }
}

fn in_python(name: &str, failure: &Failure<'_>) -> String {
    match failure {
        Failure::NoMethod => format!("<class 'Exception'>:method \"{name}\" is not supported"),
        Failure::Params(text) | Failure::Result(text) => format!("<class 'TypeError'>:{text}"),
        Failure::Document(text) => format!("<class 'xml.parsers.expat.ExpatError'>:{text}"),
        Failure::Exception(class, text) => format!("<class '{}'>:{text}", class.unwrap_or("Exception")),
    }
}

fn in_twisted(name: &str, failure: &Failure<'_>) -> (i32, String) {
    match failure {
        Failure::NoMethod => match name.split_once('.') {
            Some((handler, _)) => (8001, format!("no such subHandler {handler}")),
            None => (8001, format!("procedure {name} not found")),
        },
        Failure::Document(text) => (8002, format!("Can't deserialize input: {text}")),
        Failure::Result(text) => (8002, format!("Can't serialize output: {text}")),
        Failure::Params(_) | Failure::Exception(..) => (8002, "error".into()),
    }
}

fn in_odoo(name: &str, failure: &Failure<'_>) -> String {
    match failure {
        Failure::NoMethod => format!("Exception: Method not found: {name}"),
        Failure::Params(text) | Failure::Result(text) => format!("TypeError: {text}"),
        Failure::Document(text) => format!("xml.parsers.expat.ExpatError: {text}"),
        Failure::Exception(class, text) => format!("{}: {text}", class.unwrap_or("Exception")),
    }
}

fn in_phpxmlrpc(failure: &Failure<'_>) -> (i32, String) {
    match failure {
        Failure::NoMethod => (1, "Unknown method".into()),
        Failure::Params(text) => (3, format!("Incorrect parameters passed to method: {text}")),
        Failure::Document(text) => (15, format!("Invalid request payload: {text}")),
        Failure::Result(_) | Failure::Exception(..) => (17, "Internal server error".into()),
    }
}
