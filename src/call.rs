//! The neutral vocabulary of a call: what every protocol decodes to and encodes from.

use std::borrow::Cow;

use serde::de::Deserialize;
use serde::ser::{Serialize, SerializeStruct, Serializer};

use crate::fault::Fault;
use crate::value::{DataError, Value};

/// A call: which method, with what.
pub(crate) struct Call<'de> {
    pub(crate) method_name: Cow<'de, str>,
    pub(crate) params: Params<'de>,
}

/// The params of a call, still in the document: each is decoded when it is asked for, straight into its type.
///
/// Methods get their params as arguments; this is what stands between the document and the function.
pub struct Params<'de>(Box<dyn ParamSource<'de> + 'de>);

/// Receives the deserializer of one param.
pub(crate) type ReadParam<'a, 'de> =
    dyn FnMut(&mut dyn erased_serde::Deserializer<'de>) -> Result<(), erased_serde::Error> + 'a;

/// Where params come from: a protocol's document, or values.
pub(crate) trait ParamSource<'de> {
    /// Gives the next param to `read`; `false` if there is none.
    fn next(&mut self, read: &mut ReadParam<'_, 'de>) -> Result<bool, ParamError>;

    /// Reads to the end of the call, and says how many params nobody asked for.
    fn finish(&mut self) -> Result<usize, Fault>;
}

/// Why a param could not be had.
pub(crate) enum ParamError {
    /// The document is broken.
    Document(Fault),
    /// The param is not what was asked for: what was expected, what came, where.
    Mismatch(String),
}

impl<'de> Params<'de> {
    pub(crate) fn new(source: impl ParamSource<'de> + 'de) -> Params<'de> {
        Params(Box::new(source))
    }

    /// The next param, `None` after the last.
    pub(crate) fn next<T: Deserialize<'de>>(&mut self) -> Result<Option<T>, ParamError> {
        let mut param = None;
        self.0.next(&mut |deserializer| {
            param = Some(erased_serde::deserialize(deserializer)?);
            Ok(())
        })?;
        Ok(param)
    }

    /// Reads to the end of the call, and says how many params nobody asked for.
    pub(crate) fn finish(&mut self) -> Result<usize, Fault> {
        self.0.finish()
    }

    /// All params, to the end of the call.
    pub(crate) fn into_values(mut self) -> Result<Vec<Value>, ParamError> {
        let mut values = Vec::new();
        while let Some(value) = self.next()? {
            values.push(value);
        }
        self.finish().map_err(ParamError::Document)?;
        Ok(values)
    }
}

impl From<Vec<Value>> for Params<'_> {
    fn from(values: Vec<Value>) -> Self {
        Params::new(values.into_iter())
    }
}

impl<'de> ParamSource<'de> for std::vec::IntoIter<Value> {
    fn next(&mut self, read: &mut ReadParam<'_, 'de>) -> Result<bool, ParamError> {
        let Some(value) = Iterator::next(self) else {
            return Ok(false);
        };
        let deserializer = value.into_typed::<DataError>();
        match read(&mut <dyn erased_serde::Deserializer<'_>>::erase(deserializer)) {
            Ok(()) => Ok(true),
            Err(error) => Err(ParamError::Mismatch(error.to_string())),
        }
    }

    fn finish(&mut self) -> Result<usize, Fault> {
        Ok(self.len())
    }
}

/// A method's result, not yet written.
pub struct Reply(Box<dyn erased_serde::Serialize + Send>);

impl Reply {
    pub(crate) fn new(result: impl Serialize + Send + 'static) -> Reply {
        Reply(Box::new(result))
    }
}

impl Serialize for Reply {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        erased_serde::serialize(&*self.0, serializer)
    }
}

/// The name of a newtype that stands for one outcome of several. A format that recognises it writes a fault in its
/// place if what is inside cannot be written, and goes on.
pub(crate) const OUTCOME: &str = "$rpcgi::Outcome";

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

/// A fault as the struct that stands for it.
pub(crate) struct FaultMembers<'a>(pub(crate) &'a Fault);

impl Serialize for FaultMembers<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut members = serializer.serialize_struct("Fault", 2)?;
        members.serialize_field("faultCode", &self.0.code)?;
        members.serialize_field("faultString", &self.0.message)?;
        members.end()
    }
}
