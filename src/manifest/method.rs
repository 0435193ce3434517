//! A method that runs a program or a worker, and checks arguments and result against their descriptions.

use std::sync::Arc;

use schemars::SchemaGenerator;

use super::call::{Contract, ManifestCall, MoreParams, Param};
use super::data_type::{DataType, OrNil};
use super::program::Program;
use super::worker::Job;
use crate::call::{Params, Reply};
use crate::description::FunctionSchemas;
use crate::method::{Arguments, Body, CallError, Metadata, Method};
use crate::service::Request;
use crate::wire::value::Value;

/// The program or worker that does the work.
pub(super) enum Runner {
    Program(Program),
    Worker(Job),
}

/// A method that a manifest describes.
pub(super) struct ManifestMethod {
    pub(super) contract: Contract,
    /// How many of its params may be given: those behind belong to other signatures.
    takes: usize,
    runner: Arc<Runner>,
}

/// One way to call a method: what it returns for which params.
#[derive(Clone)]
pub(super) struct Signature {
    pub(super) returns: DataType,
    pub(super) params: Vec<DataType>,
}

/// Arguments by their params, then what came besides: by position, and by name.
pub(super) type Taken = (Vec<Option<Value>>, Vec<Value>, Vec<(String, Value)>);

impl ManifestMethod {
    /// Creates a method.
    pub(super) fn new(contract: Contract, runner: Runner) -> ManifestMethod {
        ManifestMethod { takes: contract.params.len(), contract, runner: Arc::new(runner) }
    }

    /// Creates a method that may be called in several ways; in one, as its contract says, if there is no signature.
    pub(super) fn with_signatures(
        about: Metadata,
        contract: Contract,
        signatures: Vec<Signature>,
        runner: Runner,
    ) -> Method {
        if signatures.is_empty() {
            return Method::of(about, ManifestMethod::new(contract, runner));
        }
        let runner = Arc::new(runner);
        let method = |signature| {
            let (contract, takes) = contract.by_signature(signature);
            ManifestMethod { contract, takes, runner: Arc::clone(&runner) }
        };
        let bodies: Vec<ManifestMethod> = signatures.into_iter().map(method).collect();
        Method::of_several(about, bodies)
    }
}

impl Contract {
    /// Reads the params of a call, of which the first so many are taken.
    pub(super) fn arguments(&self, takes: usize, about: &Metadata, params: Params<'_, '_>) -> Result<Taken, CallError> {
        let takes = if self.is_unchecked { 0 } else { takes };
        let is_optional = |index: usize| self.params[index].optional;
        let mut arguments = Arguments::new(about, takes, &is_optional, params);
        let mut values = Vec::with_capacity(self.params.len());
        for param in &self.params[..takes] {
            let value = match param.optional {
                true => arguments.next_seeded(OrNil(param.of.reading()))?,
                false => arguments.next_seeded(param.of.reading())?,
            };
            let given = value.filter(|value| !param.optional || param.of.or_nil || *value != Value::Nil);
            values.push(given.or_else(|| param.default.clone()));
        }
        values.resize(self.params.len(), None);
        let anything = MoreParams::anything();
        let MoreParams { rest, options } = if self.is_unchecked { &anything } else { &self.more };
        let rest = rest.as_ref().map(|of| arguments.rest_seeded(of.reading())).transpose()?;
        let options = options.as_ref().map(|of| arguments.options_seeded(of.reading())).transpose()?;
        arguments.finish()?;
        Ok((values, rest.unwrap_or_default(), options.unwrap_or_default()))
    }
}

impl Body for ManifestMethod {
    fn call(&self, about: &Metadata, request: &Request, params: Params<'_, '_>) -> Result<Reply, CallError> {
        let (arguments, rest, options) = self.contract.arguments(self.takes, about, params)?;
        let call = ManifestCall { about, contract: &self.contract, arguments, rest, options, request };
        let result = match &*self.runner {
            Runner::Program(program) => program.run(&call)?,
            Runner::Worker(job) => job.run(&call)?,
        };
        Ok(Reply::new(result))
    }

    fn functions(&self, about: &Metadata, _generator: &mut SchemaGenerator) -> Vec<FunctionSchemas> {
        let Contract { params, more, returns, .. } = &self.contract;
        if params.is_empty() && more.rest.is_some() && more.options.is_some() {
            // nothing is known of them
            return Vec::new();
        }
        let param = |(index, param): (usize, &Param)| {
            let mut schema = param.of.schema(param.optional, param.default.as_ref().or(param.own_default.as_ref()));
            // the description belongs to the param
            schema.remove("description");
            about.param_schema(index, param.optional, schema)
        };
        let params = params[..self.takes].iter().enumerate().map(param).collect();
        vec![FunctionSchemas { params, returns: returns.schema(false, None) }]
    }
}
