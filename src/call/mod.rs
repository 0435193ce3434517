//! The seam between protocol and method: params on their way in, replies on their way out.

mod params;
mod reply;

pub(crate) use self::params::{Mismatch, ParamError, ParamName, ParamSource, Params, TakeParam, ValueSource, Values};
pub(crate) use self::reply::{Outcomes, Reply};
use crate::wire::fault::Fault;

/// The method that makes several calls at once, which may not be nested.
pub(crate) const MULTICALL: &str = "system.multicall";

/// The function that makes the calls a protocol reads: by a method's name and params.
pub(crate) type Dispatch<'a> = dyn Fn(&str, Params<'_, '_>) -> Result<Reply, Fault> + 'a;
