//! Methods over values, and overloads: bodies that choose by what came.

use std::sync::Arc;

use schemars::SchemaGenerator;

use super::{About, Body, Failure, Method, Refusal};
use crate::call::{ParamSource, Params, Reply, ValueSource, Values};
use crate::description::{Definitions, FunctionSchemas, Signature, details, generator, signatures};
use crate::service::Request;
use crate::wire::Type;
use crate::wire::fault::Fault;
use crate::wire::value::{FormatTypes, Value, shown};

/// The function of a dynamic method.
type DynamicCall = dyn Fn(&Request, Vec<Value>) -> Result<Reply, Fault> + Send + Sync;

/// A function of values, with the signatures it was declared with.
#[derive(Clone)]
pub(super) struct Dynamic {
    pub(super) call: Arc<DynamicCall>,
    pub(super) signatures: Vec<Signature>,
}

impl Dynamic {
    fn check(&self, params: &[Value]) -> Result<(), Failure> {
        let fits = |signature: &Signature| {
            let mut types = signature.params.iter().zip(params);
            signature.params.len() == params.len() && types.all(|(wire, param)| wire.accepts(param.type_name()))
        };
        match self.signatures.is_empty() || self.signatures.iter().any(fits) {
            true => Ok(()),
            false => Err(no_signature_fits(&self.signatures, &Values::ByPosition(params.to_vec()))),
        }
    }

    /// Puts params with names in the order of the declared names.
    fn in_order(&self, about: &About, members: Vec<(String, Value)>) -> Result<Vec<Value>, Failure> {
        let declared = self.signatures.iter().map(|signature| signature.params.len()).max();
        let most = declared.unwrap_or(about.params.len());
        let mut source = ValueSource::new(Values::ByName(members), FormatTypes::All);
        let values: Vec<Value> = (0..most).map_while(|index| source.take(about.param_name(index))).collect();
        let Some(left) = source.next_name()? else { return Ok(values) };
        match (values.len()..most).any(|index| about.param_name(index).is(&left)) {
            true => Err(Failure::Params(Refusal::missing(about.param_name(values.len())))),
            false => {
                let left = shown(&left);
                let message = format!("takes no param \"{left}\"");
                Err(Failure::Params(Refusal { param: Some(left), ..Refusal::new(message) }))
            }
        }
    }
}

impl Body for Dynamic {
    fn call(&self, about: &About, request: &Request, params: Params<'_, '_>) -> Result<Reply, Failure> {
        let params = match params.into_values()? {
            Values::ByPosition(values) => values,
            Values::ByName(members) => self.in_order(about, members)?,
        };
        self.check(&params)?;
        Ok((self.call)(request, params)?)
    }

    fn functions(&self, about: &About, _generator: &mut SchemaGenerator) -> Vec<FunctionSchemas> {
        let param = |(index, wire): (usize, &Type)| about.param_schema(index, false, wire.schema());
        let function = |signature: &Signature| FunctionSchemas {
            params: signature.params.iter().enumerate().map(param).collect(),
            returns: signature.returns.schema(),
        };
        self.signatures.iter().map(function).collect()
    }

    fn is_typed(&self) -> bool {
        false
    }

    fn with_signature(&self, signature: Signature) -> Option<Arc<dyn Body>> {
        let mut declared = self.clone();
        declared.signatures.push(signature);
        Some(Arc::new(declared))
    }
}

/// Several functions under one name.
pub(super) struct Overload(pub(super) Vec<Method>);

impl Overload {
    /// Returns the description of one of them: its own if it names its params, or else that of all.
    fn about<'a>(method: &'a Method, about: &'a About) -> &'a About {
        if method.about.params.is_empty() { about } else { &method.about }
    }
}

impl Body for Overload {
    fn call(&self, about: &About, request: &Request, params: Params<'_, '_>) -> Result<Reply, Failure> {
        let format = params.format();
        let values = params.into_values()?;
        for method in &self.0 {
            let mut source = ValueSource::new(values.clone(), format);
            match method.body.call(Overload::about(method, about), request, Params::new(&mut source)) {
                Err(Failure::Params(_)) => {}
                outcome => return outcome,
            }
        }
        let mut generator = generator();
        let functions = self.functions(about, &mut generator);
        let details = details(&functions, &Definitions::of(generator));
        Err(no_signature_fits(&signatures(&details), &values))
    }

    fn functions(&self, about: &About, generator: &mut SchemaGenerator) -> Vec<FunctionSchemas> {
        let functions = |method: &Method| method.body.functions(Overload::about(method, about), generator);
        self.0.iter().flat_map(functions).collect()
    }
}

#[cold]
fn no_signature_fits(signatures: &[Signature], values: &Values) -> Failure {
    let known =
        |signature: &Signature| signature.params.iter().map(|param| param.in_words()).collect::<Vec<_>>().join(", ");
    let known: Vec<String> = signatures.iter().map(|signature| format!("({})", known(signature))).collect();
    let found: Vec<String> = match values {
        Values::ByPosition(values) => values.iter().map(|value| value.type_name().to_owned()).collect(),
        Values::ByName(members) => {
            members.iter().map(|(name, value)| format!("{} {}", value.type_name(), shown(name))).collect()
        }
    };
    let message = format!("takes params {}, found ({})", known.join(" or "), found.join(", "));
    Failure::Params(Refusal::new(message))
}
