//! Names that no method of the manifest has: a script, a worker or a module is asked for them at each call.

use std::sync::Arc;
use std::time::Duration;

use super::call::{Contract, ManifestCall, MoreParams};
use super::data_type::DataType;
use super::json_rpc_worker::JsonRpcLines;
use super::method::{ManifestMethod, Runner};
use super::module::matches;
use super::worker::{Dialect, Job, Worker};
use crate::method::{Fallback, Metadata, Method};
use crate::service::{Limits, Request};
use crate::wire::value::Value;

/// Methods of any name that one worker or module answers.
pub(super) struct AnyName {
    pub(super) worker: Arc<Worker>,
    pub(super) dialect: Box<DialectOf>,
    /// What the names begin with, which the worker does not get to see.
    pub(super) prefix: String,
    /// The patterns of names that are meant; none for all.
    pub(super) only: Vec<String>,
    /// The patterns of names that are not.
    pub(super) without: Vec<String>,
    pub(super) names: Names,
    pub(super) terms: CallTerms,
}

/// Makes what calls of a name are written in.
pub(super) type DialectOf = dyn Fn(&str) -> Arc<dyn Dialect> + Send + Sync;

/// The names that are listed of methods of any name.
pub(super) enum Names {
    Fixed(Vec<String>),
    /// What a call of this name answers, written in this.
    Asked(&'static str, Arc<dyn Dialect>),
}

/// What the contract of each call has.
#[derive(Clone, Copy)]
pub(super) struct CallTerms {
    pub(super) timeout: Duration,
    pub(super) max_output: usize,
    pub(super) limits: Limits,
    pub(super) tell_errors: bool,
}

impl Fallback for AnyName {
    fn method(&self, name: &str) -> Option<Method> {
        let own = name.strip_prefix(&self.prefix)?;
        let is_of_server = name.starts_with("system.") || name.starts_with("rpc.");
        let is_chosen = self.only.is_empty() || self.only.iter().any(|pattern| matches(pattern, own));
        let is_taken_away = self.without.iter().any(|pattern| matches(pattern, name));
        if own.is_empty() || is_of_server || !is_chosen || is_taken_away {
            return None;
        }
        let job = Job { worker: Arc::clone(&self.worker), dialect: (self.dialect)(own) };
        Some(Method::of(
            Metadata::named(name.to_owned().into()),
            ManifestMethod::new(self.terms.contract(), Runner::Worker(job)),
        ))
    }

    fn names(&self) -> Vec<String> {
        let names = match &self.names {
            Names::Fixed(names) => names.clone(),
            Names::Asked(question, dialect) => self.ask(question, dialect),
        };
        names
            .into_iter()
            .map(|name| format!("{}{name}", self.prefix))
            .filter(|name| self.method(name).is_some())
            .collect()
    }
}

impl AnyName {
    /// Creates methods of any name that a worker answers. It is asked for the names to list, unless they are given.
    pub(super) fn of_worker(worker: Arc<Worker>, list: Option<Vec<String>>, terms: CallTerms) -> AnyName {
        AnyName {
            worker,
            dialect: Box::new(|_| Arc::new(JsonRpcLines)),
            prefix: String::new(),
            only: Vec::new(),
            without: Vec::new(),
            names: list.map_or_else(|| Names::Asked("system.listMethods", Arc::new(JsonRpcLines)), Names::Fixed),
            terms,
        }
    }

    /// Asks for the names to list.
    fn ask(&self, question: &str, dialect: &Arc<dyn Dialect>) -> Vec<String> {
        let job = Job { worker: Arc::clone(&self.worker), dialect: Arc::clone(dialect) };
        let (about, contract) = (Metadata::named(question.to_owned().into()), self.terms.contract());
        let request = Request::new(|_: &str| None, Vec::new());
        let call = ManifestCall {
            about: &about,
            contract: &contract,
            arguments: Vec::new(),
            rest: Vec::new(),
            options: Vec::new(),
            request: &request,
        };
        match job.run(&call) {
            Ok(Value::Array(names)) => {
                let text = |name| if let Value::String(name) = name { Some(name) } else { None };
                names.into_iter().filter_map(text).collect()
            }
            Ok(other) => {
                log::warn!(
                    "{}: expected an array of names from \"{question}\", found {}",
                    self.worker.who,
                    other.type_name()
                );
                Vec::new()
            }
            // what went wrong is in the log
            Err(_) => Vec::new(),
        }
    }
}

impl CallTerms {
    /// Returns the contract of a method of which nothing is known.
    fn contract(self) -> Contract {
        let CallTerms { timeout, max_output, limits, tell_errors } = self;
        Contract {
            params: Vec::new(),
            more: MoreParams::anything(),
            is_unchecked: true,
            returns: DataType::any(),
            timeout,
            max_output,
            limits,
            tell_errors,
        }
    }
}
