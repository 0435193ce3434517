//! Reasons for which a call does not reach its function.

use crate::call::{Mismatch, ParamError, ParamName};
use crate::wire::Position;
use crate::wire::fault::Fault;
use crate::wire::value::excerpt;

/// The reason why a call failed.
#[doc(hidden)]
#[derive(Debug)]
pub enum CallError {
    /// The params do not fit, and nothing ran.
    Params(Refusal),
    Fault(Fault),
}

/// The reason why params do not fit.
#[doc(hidden)]
#[derive(Debug)]
pub struct Refusal {
    /// The text after the method's name.
    pub(super) message: String,
    /// The param that it is about.
    pub(super) param: Option<String>,
    /// The place inside that param.
    pub(super) path: Option<String>,
    pub(super) position: Option<Position>,
}

impl Refusal {
    pub(crate) fn new(message: impl Into<String>) -> Refusal {
        Refusal { message: message.into(), param: None, path: None, position: None }
    }

    /// Creates a refusal of one param.
    pub(crate) fn of_param(param: ParamName<'_>, mismatch: Mismatch) -> Refusal {
        let param = Some(param.to_string());
        Refusal { message: mismatch.message, param, path: None, position: mismatch.position }
    }

    /// Creates a refusal for a missing param.
    pub(super) fn missing(param: ParamName<'_>) -> Refusal {
        Refusal::of_param(param, Mismatch::new(format!("takes param \"{param}\", found none of that name")))
    }

    /// Returns the text after the method's name.
    #[cfg(feature = "program")]
    pub(crate) fn message(&self) -> &str {
        &self.message
    }

    /// Returns the name of the param that it is about.
    #[cfg(feature = "program")]
    pub(crate) fn param(&self) -> Option<&str> {
        self.param.as_deref()
    }

    #[cold]
    pub(crate) fn into_fault(self, method_name: &str) -> Fault {
        let mut data = serde_json::Map::new();
        data.extend(self.param.map(|param| ("param".to_owned(), param.into())));
        data.extend(self.path.map(|path| ("path".to_owned(), path.into())));
        if let Some(Position { line, column }) = self.position {
            data.extend([("line".to_owned(), line.into()), ("column".to_owned(), column.into())]);
        }
        let message = format!("method \"{}\" {}", excerpt(method_name), self.message);
        let fault = Fault::new(Fault::INVALID_PARAMS, message);
        if data.is_empty() { fault } else { fault.with_data(data.into()) }
    }
}

/// Creates a refusal of a param that does not fit, or of a value at a place inside it.
#[cold]
pub(super) fn unfit(name: ParamName<'_>, mut mismatch: Mismatch, place: &str) -> Refusal {
    let quoted = name.name.map(|name| format!(" \"{name}\"")).unwrap_or_default();
    let path = (!place.is_empty()).then(|| format!("{name}{place}"));
    let inside = path.as_ref().map(|path| format!(", in {path}")).unwrap_or_default();
    mismatch.message = format!("param {}{quoted}{inside}: {}", name.index + 1, mismatch.message);
    Refusal { path, ..Refusal::of_param(name, mismatch) }
}

impl From<Refusal> for CallError {
    fn from(refusal: Refusal) -> CallError {
        CallError::Params(refusal)
    }
}

impl From<Fault> for CallError {
    fn from(fault: Fault) -> CallError {
        CallError::Fault(fault)
    }
}

impl From<ParamError> for CallError {
    fn from(error: ParamError) -> CallError {
        match error {
            ParamError::Document(fault) => CallError::Fault(fault),
            ParamError::Mismatch(mismatch) => {
                let message = format!("takes other params: {}", mismatch.message);
                CallError::Params(Refusal { position: mismatch.position, ..Refusal::new(message) })
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    const NOTE: ParamName<'_> = ParamName { index: 1, name: Some("note") };
    const THIRD: ParamName<'_> = ParamName { index: 2, name: None };

    fn mismatch(position: Option<Position>) -> Mismatch {
        Mismatch { position, ..Mismatch::new("expected int, found nil") }
    }

    #[test]
    fn faults_roundtrip() {
        let fault = || Fault::new(7, "full").with_data(json!([1]));
        for failure in [CallError::from(fault()), ParamError::Document(fault()).into()] {
            assert!(matches!(&failure, CallError::Fault(same) if *same == fault() && same.data() == fault().data()));
        }
    }

    #[test]
    fn data_spec() {
        let position = Some(Position { line: 2, column: 5 });
        for (refusal, data) in [
            (Refusal::new("is closed"), None),
            (Refusal::missing(NOTE), Some(json!({ "param": "note" }))),
            (unfit(THIRD, mismatch(None), ""), Some(json!({ "param": "p3" }))),
            (
                unfit(NOTE, mismatch(position), ".a[0]"),
                Some(json!({ "param": "note", "path": "note.a[0]", "line": 2, "column": 5 })),
            ),
        ] {
            assert_eq!(refusal.into_fault("m").data(), data.as_ref());
        }
    }

    #[test]
    fn params_invalid() {
        for (refusal, expected) in [
            (Refusal::new("is closed"), "is closed"),
            (Refusal::missing(NOTE), "takes param \"note\", found none of that name"),
            (Refusal::missing(THIRD), "takes param \"p3\", found none of that name"),
            (Refusal::of_param(NOTE, mismatch(None)), "expected int, found nil"),
            (unfit(NOTE, mismatch(None), ""), "param 2 \"note\": expected int, found nil"),
            (unfit(NOTE, mismatch(None), "[3]"), "param 2 \"note\", in note[3]: expected int, found nil"),
            (unfit(THIRD, mismatch(None), ".a"), "param 3, in p3.a: expected int, found nil"),
        ] {
            assert_eq!(refusal.into_fault("a\"b"), Fault::new(-32602, format!("method \"a\\\"b\" {expected}")));
        }
        let CallError::Params(refusal) = ParamError::Mismatch(mismatch(Some(Position { line: 1, column: 2 }))).into()
        else {
            panic!("a mismatch is no fault of the document");
        };
        let fault = refusal.into_fault("m");
        assert_eq!(fault.message, "method \"m\" takes other params: expected int, found nil");
        assert_eq!(fault.data(), Some(&json!({ "line": 1, "column": 2 })));
    }
}
