//! A method that runs a program or a worker, and checks arguments and result against their descriptions.

use schemars::SchemaGenerator;

use super::call::{Contract, ManifestCall, Param};
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

impl ManifestMethod {
    fn arguments(&self, about: &Metadata, params: Params<'_, '_>) -> Result<Vec<Option<Value>>, CallError> {
        let is_optional = |index: usize| self.contract.params[index].optional;
        let mut arguments = Arguments::new(about, self.contract.params.len(), &is_optional, params);
        let mut values = Vec::with_capacity(self.contract.params.len());
        for param in &self.contract.params {
            let value = match param.optional {
                true => arguments.next_seeded(OrNil(param.of.reading()))?,
                false => arguments.next_seeded(param.of.reading())?,
            };
            let given = value.filter(|value| !param.optional || *value != Value::Nil);
            values.push(given.or_else(|| param.default.clone()));
        }
        arguments.finish()?;
        Ok(values)
    }
}

impl Body for ManifestMethod {
    fn call(&self, about: &Metadata, request: &Request, params: Params<'_, '_>) -> Result<Reply, CallError> {
        let arguments = self.arguments(about, params)?;
        let call = ManifestCall { about, contract: &self.contract, arguments, request };
        let result = match &self.runner {
            Runner::Program(program) => program.run(&call)?,
            Runner::Worker(job) => job.run(&call)?,
        };
        Ok(Reply::new(result))
    }

    fn functions(&self, about: &Metadata, _generator: &mut SchemaGenerator) -> Vec<FunctionSchemas> {
        let param = |(index, param): (usize, &Param)| {
            let mut schema = param.of.schema(param.optional, param.default.as_ref());
            // the description belongs to the param
            schema.remove("description");
            about.param_schema(index, param.optional, schema)
        };
        let params = self.contract.params.iter().enumerate().map(param).collect();
        vec![FunctionSchemas { params, returns: self.contract.returns.schema(false, None) }]
    }
}
