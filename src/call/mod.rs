//! The seam between protocol and method: params on their way in, replies on their way out.

mod params;
mod reply;

pub(crate) use self::params::{Mismatch, ParamError, ParamName, ParamSource, Params, TakeParam, ValueParams, Values};
pub(crate) use self::reply::{Outcomes, Reply};
use crate::wire::fault::Fault;

/// The method that makes several calls at once, which may not be nested.
pub(crate) const MULTICALL: &str = "system.multicall";

/// The function that makes the calls a protocol reads: by a method's name and params.
pub(crate) type Dispatch<'a> = dyn Fn(&str, Params<'_, '_>) -> Result<Reply, Fault> + 'a;

/// An entry of `system.getCapabilities`: a protocol or an extension, by its specification.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Capability {
    pub(crate) name: &'static str,
    /// The URL of the specification.
    pub(crate) url: &'static str,
    /// The version of the specification.
    pub(crate) version: i32,
}

/// Makes a call, and reads its document to the end: the one place that sees to it. A document that breaks off later is
/// refused for that before all else.
pub(crate) fn make_call(dispatch: &Dispatch<'_>, name: &str, source: &mut dyn ParamSource<'_>) -> Result<Reply, Fault> {
    let outcome = dispatch(name, Params::new(source));
    source.finish()?;
    outcome
}
