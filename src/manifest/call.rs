//! A call on its way to a program or a worker: the contract of its method, and its arguments.

use std::time::Duration;

use super::data_type::DataType;
use super::method::Signature;
use crate::call::{Mismatch, ParamName};
use crate::method::{Metadata, Refusal};
use crate::service::Limits;
use crate::service::Request;
use crate::wire::fault::Fault;
use crate::wire::json;
use crate::wire::value::{Value, place};

/// The description of a param.
#[derive(Clone, Debug)]
pub(super) struct Param {
    pub(super) name: String,
    pub(super) of: DataType,
    pub(super) optional: bool,
    pub(super) default: Option<Value>,
    /// The value that a function gives it if it is left out, for people to see.
    pub(super) own_default: Option<Value>,
    /// Set if it may begin with `-` where that could be an option.
    pub(super) leading_dash: bool,
}

/// The types that a method takes and returns, and the limits of a call.
pub(super) struct Contract {
    pub(super) params: Vec<Param>,
    pub(super) more: MoreParams,
    /// Set if any params are passed on as they come, by a script whose functions see for themselves.
    pub(super) is_unchecked: bool,
    pub(super) returns: DataType,
    pub(super) timeout: Duration,
    /// Octets that a program or worker may write for a call.
    pub(super) max_output: usize,
    pub(super) limits: Limits,
    /// Passes on to callers the errors of programs and workers that the manifest does not name.
    pub(super) tell_errors: bool,
}

impl Contract {
    /// Returns the contract for one way to call the method, and how many of the params that has.
    pub(super) fn by_signature(&self, signature: Signature) -> (Contract, usize) {
        let takes = signature.params.len();
        let mut params = self.params.clone();
        for (param, of) in params.iter_mut().zip(signature.params) {
            // what is described of the param holds for its type alone
            if param.of.wire != of.wire {
                param.of = DataType { help: std::mem::take(&mut param.of.help), ..of };
            }
            param.optional = false;
        }
        let more = MoreParams::default();
        (Contract { params, more, returns: signature.returns, ..*self }, takes)
    }
}

/// What a function takes besides its params.
#[derive(Debug, Default)]
pub(super) struct MoreParams {
    /// Any number of these at the end.
    pub(super) rest: Option<DataType>,
    /// Any number of these by names of the caller's choice.
    pub(super) options: Option<DataType>,
}

impl MoreParams {
    /// Returns what takes any params.
    pub(super) fn anything() -> MoreParams {
        MoreParams { rest: Some(DataType::any()), options: Some(DataType::any()) }
    }
}

/// A call on its way.
pub(super) struct ManifestCall<'a> {
    pub(super) about: &'a Metadata,
    pub(super) contract: &'a Contract,
    /// One for each param; `None` where it was left out.
    pub(super) arguments: Vec<Option<Value>>,
    /// What came besides them, by position and by name.
    pub(super) rest: Vec<Value>,
    pub(super) options: Vec<(String, Value)>,
    pub(super) request: &'a Request,
}

impl ManifestCall<'_> {
    /// Returns the fault of a program or worker that failed for a reason of its own, which the log has under the same
    /// id.
    pub(super) fn failed_inside(&self) -> Fault {
        Fault::new(Fault::SYSTEM, format!("the program failed (request {})", self.request.id()))
    }
}

/// Refuses one param, in the words for a type that does not fit.
pub(super) fn refuse(index: usize, param: &Param, problem: &str) -> Refusal {
    let message = format!("param {} \"{}\": {problem}", index + 1, param.name);
    Refusal::of_param(ParamName { index, name: Some(&param.name) }, Mismatch::new(message))
}

/// Returns the manifest's text for the code of a fault.
pub(super) fn known_fault(call: &ManifestCall<'_>, code: i32) -> Option<String> {
    call.about.faults.iter().find(|(known, _)| *known == code).map(|(_, text)| text.to_string())
}

/// Returns the fault of a program that cannot be started, and logs the cause.
pub(super) fn not_started(about: &Metadata, cause: &str) -> Fault {
    log::error!("method \"{}\": {cause}", about.name);
    Fault::new(Fault::SYSTEM, "the program cannot be started")
}

/// Returns the fault of a call that the machine has failed, and logs it with the method's name.
pub(super) fn failed(about: &Metadata, message: &str) -> Fault {
    log::warn!("method \"{}\": {message}", about.name);
    Fault::new(Fault::SYSTEM, message)
}

/// Writes a value as a JSON text, for a program to read.
pub(super) fn write_json(value: &Value, limits: Limits) -> Result<Vec<u8>, Fault> {
    let mut text = Vec::new();
    json::write(value, &json::JsonOptions { limits, large_integers_as_text: false }, &mut text)
        .map_err(|error| Fault::internal(error.to_string()))?;
    Ok(text)
}

/// Reads a value of a type from a JSON text that a program has written.
///
/// # Errors
/// A message with what was expected, what is there, and where.
pub(super) fn read_json(octets: &[u8], of: &DataType, limits: Limits) -> Result<Value, String> {
    let options = json::JsonOptions { limits, large_integers_as_text: false };
    let mut text = json::JsonText::new(octets, &options).map_err(|error| error.to_string())?;
    place::begin();
    let value = text.seeded(of.reading_output()).map_err(|error| match place::taken() {
        place if place.is_empty() => error.to_string(),
        place => format!("in result{place}: {error}"),
    })?;
    match text.peek() {
        None => Ok(value),
        Some(_) => Err(text.unexpected("the end").to_string()),
    }
}

/// Writes what a program has said on standard error to the log, line by line.
pub(super) fn log_lines(who: &str, complaints: &str) {
    for line in complaints.lines().filter(|line| !line.trim().is_empty()) {
        log::warn!("{who}: {line}");
    }
}
