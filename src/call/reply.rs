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
    fn write_json(&self, options: &json::Options, out: &mut Vec<u8>) -> Result<(), WriteError>;
}

impl<T: Serialize> WriteResult for T {
    fn write_json(&self, options: &json::Options, out: &mut Vec<u8>) -> Result<(), WriteError> {
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
    pub(crate) fn write_json(&self, options: &json::Options, out: &mut Vec<u8>) -> Result<(), WriteError> {
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
