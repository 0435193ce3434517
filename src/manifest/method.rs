//! A method that runs a program or a worker, and checks arguments and result against their descriptions.

use schemars::SchemaGenerator;

use super::call::{Call, Param, Terms};
use super::data_type::OrNil;
use super::program::Program;
use super::worker::Job;
use crate::call::{Params, Reply};
use crate::description::FunctionSchemas;
use crate::method::{About, Arguments, Body, Failure};
use crate::service::Request;
use crate::wire::value::Value;

/// The program or worker that does the work.
pub(super) enum Runner {
    Program(Program),
    Worker(Job),
}

/// A method that a manifest describes.
pub(super) struct ManifestMethod {
    pub(super) terms: Terms,
    pub(super) runner: Runner,
}

impl ManifestMethod {
    fn arguments(&self, about: &About, params: Params<'_, '_>) -> Result<Vec<Option<Value>>, Failure> {
        let is_optional = |index: usize| self.terms.params[index].optional;
        let mut arguments = Arguments::new(about, self.terms.params.len(), &is_optional, params);
        let mut values = Vec::with_capacity(self.terms.params.len());
        for param in &self.terms.params {
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
    fn call(&self, about: &About, request: &Request, params: Params<'_, '_>) -> Result<Reply, Failure> {
        let arguments = self.arguments(about, params)?;
        let call = Call { about, terms: &self.terms, arguments, request };
        let result = match &self.runner {
            Runner::Program(program) => program.run(&call)?,
            Runner::Worker(job) => job.run(&call)?,
        };
        Ok(Reply::new(result))
    }

    fn functions(&self, about: &About, _generator: &mut SchemaGenerator) -> Vec<FunctionSchemas> {
        let param = |(index, param): (usize, &Param)| {
            let mut schema = param.of.schema(param.optional, param.default.as_ref());
            // the description belongs to the param
            schema.remove("description");
            about.param_schema(index, param.optional, schema)
        };
        let params = self.terms.params.iter().enumerate().map(param).collect();
        vec![FunctionSchemas { params, returns: self.terms.returns.schema(false, None) }]
    }
}
