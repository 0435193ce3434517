//! Replies: results that are not yet written.

use std::fmt;

use serde::ser::{Serialize, Serializer};

use crate::wire::fault::{Fault, FaultMembers};
use crate::wire::json;
use crate::wire::value::{OUTCOME, WriteError};

/// A method's result, not yet written.
pub struct Reply(Box<dyn WriteResult + Send>);

/// A result that can be written in every format: erased, but for JSON, as [`TakeParam`] explains.
trait WriteResult: erased_serde::Serialize {
    fn write_json(&self, options: &json::JsonOptions, out: &mut Vec<u8>) -> Result<(), WriteError>;
}

impl<T: Serialize> WriteResult for T {
    fn write_json(&self, options: &json::JsonOptions, out: &mut Vec<u8>) -> Result<(), WriteError> {
        json::write(self, options, out)
    }
}

impl fmt::Debug for Reply {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Reply").finish_non_exhaustive()
    }
}

impl Reply {
    pub(crate) fn new(result: impl Serialize + Send + 'static) -> Reply {
        Reply(Box::new(result))
    }

    /// Appends the result to a JSON text.
    pub(crate) fn write_json(&self, options: &json::JsonOptions, out: &mut Vec<u8>) -> Result<(), WriteError> {
        self.0.write_json(options, out)
    }
}

impl Serialize for Reply {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        erased_serde::serialize(&*self.0, serializer)
    }
}

/// The outcomes of the calls in a `system.multicall`, in order.
pub(crate) struct Outcomes(pub(crate) Vec<Result<Reply, Fault>>);

impl Serialize for Outcomes {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_seq(self.0.iter().map(Outcome))
    }
}

/// An array of the one result, or the struct of a fault.
struct Outcome<'a>(&'a Result<Reply, Fault>);

impl Serialize for Outcome<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self.0 {
            Ok(result) => serializer.serialize_newtype_struct(OUTCOME, &[result]),
            Err(fault) => FaultMembers(fault).serialize(serializer),
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value as Json, json};

    use super::*;
    use crate::service::Limits;
    use crate::wire::value::Value;

    fn written(reply: &Reply, response: usize) -> Result<String, WriteError> {
        let limits = Limits { response, ..Limits::default() };
        let mut out = Vec::new();
        reply.write_json(&json::JsonOptions { limits, large_integers_as_text: true }, &mut out)?;
        Ok(String::from_utf8(out).unwrap())
    }

    fn outcomes() -> Outcomes {
        Outcomes(vec![
            Ok(Reply::new(1)),
            Err(Fault::new(7, "full").with_data(json!(1))),
            Ok(Reply::new(vec![f64::NAN])),
            Ok(Reply::new(())),
        ])
    }

    #[test]
    fn results_roundtrip() {
        for result in [json!(null), json!([1, "a", { "b": 2.5 }]), json!({ "": [] })] {
            let reply = Reply::new(result.clone());
            assert_eq!(serde_json::to_value(&reply).unwrap(), result);
            assert_eq!(serde_json::from_str::<Json>(&written(&reply, 100).unwrap()).unwrap(), result);
        }
    }

    #[test]
    fn results_spec() {
        let date = "19980717T14:08:55".parse::<crate::DateTime>().unwrap();
        for (reply, expected) in [
            (Reply::new(i64::MAX), "\"9223372036854775807\""),
            (Reply::new((date, Some('x'))), "[\"1998-07-17T14:08:55\",\"x\"]"),
            (Reply::new(Value::Nil), "null"),
            (
                Reply::new(outcomes()),
                "[[1],{\"faultCode\":7,\"faultString\":\"full\"},{\"faultCode\":-32603,\"faultString\":\
                 \"the result cannot be written: NaN is no double of JSON, at [0]\"},[null]]",
            ),
        ] {
            assert_eq!(written(&reply, 300).unwrap(), expected);
        }
    }

    #[test]
    fn results_invalid() {
        for (reply, is_limit, expected) in [
            (Reply::new(f64::NAN), false, "NaN is no double of JSON"),
            (Reply::new([Some(f32::INFINITY)]), false, "inf is no double of JSON, at [0]"),
            (Reply::new("a".repeat(20)), true, "longer than 20 octets"),
            // an answer that is too long is no fault of one call
            (Reply::new(outcomes()), true, "longer than 20 octets, at [1].faultString"),
        ] {
            let found = written(&reply, 20).err().map(|error| (error.is_limit(), error.to_string()));
            assert_eq!(found, Some((is_limit, expected.to_owned())));
        }
    }
}
