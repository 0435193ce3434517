//! A method that runs a program or a worker, and checks arguments and result against their descriptions.

use schemars::SchemaGenerator;

use super::call::{Contract, ManifestCall, MoreParams, Param};
use super::data_type::OrNil;
use super::program::Program;
use super::worker::Job;
use crate::call::{Params, Reply};
use crate::description::FunctionSchemas;
use crate::method::{Arguments, Body, CallError, Metadata};
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
    pub(super) runner: Runner,
}

/// Arguments by their params, then what came besides: by position, and by name.
type Taken = (Vec<Option<Value>>, Vec<Value>, Vec<(String, Value)>);

impl ManifestMethod {
    fn arguments(&self, about: &Metadata, params: Params<'_, '_>) -> Result<Taken, CallError> {
        let is_optional = |index: usize| self.contract.params[index].optional;
        let mut arguments = Arguments::new(about, self.contract.params.len(), &is_optional, params);
        let mut values = Vec::with_capacity(self.contract.params.len());
        for param in &self.contract.params {
            let value = match param.optional {
                true => arguments.next_seeded(OrNil(param.of.reading()))?,
                false => arguments.next_seeded(param.of.reading())?,
            };
            let given = value.filter(|value| !param.optional || param.of.or_nil || *value != Value::Nil);
            values.push(given.or_else(|| param.default.clone()));
        }
        let MoreParams { rest, options } = &self.contract.more;
        let rest = rest.as_ref().map(|of| arguments.rest_seeded(of.reading())).transpose()?;
        let options = options.as_ref().map(|of| arguments.options_seeded(of.reading())).transpose()?;
        arguments.finish()?;
        Ok((values, rest.unwrap_or_default(), options.unwrap_or_default()))
    }
}

impl Body for ManifestMethod {
    fn call(&self, about: &Metadata, request: &Request, params: Params<'_, '_>) -> Result<Reply, CallError> {
        let (arguments, rest, options) = self.arguments(about, params)?;
        let call = ManifestCall { about, contract: &self.contract, arguments, rest, options, request };
        let result = match &self.runner {
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
        let params = params.iter().enumerate().map(param).collect();
        vec![FunctionSchemas { params, returns: returns.schema(false, None) }]
    }
}
