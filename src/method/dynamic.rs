//! Methods over values, and overloads: bodies that choose by what came.

use std::sync::Arc;

use schemars::SchemaGenerator;

use super::{Body, CallError, Metadata, Method, Refusal};
use crate::call::{ParamSource, Params, Reply, ValueParams, Values};
use crate::description::{Definitions, FunctionSchemas, Signature, details, generator, signatures};
use crate::service::Request;
use crate::wire::Type;
use crate::wire::fault::Fault;
use crate::wire::value::{Value, WireTypes, excerpt};

/// The function of a dynamic method.
type DynamicCall = dyn Fn(&Request, Vec<Value>) -> Result<Reply, Fault> + Send + Sync;

/// A function of values, with the signatures it was declared with.
#[derive(Clone)]
pub(super) struct Dynamic {
    pub(super) call: Arc<DynamicCall>,
    pub(super) signatures: Vec<Signature>,
}

impl Dynamic {
    fn check(&self, params: &[Value]) -> Result<(), CallError> {
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
    fn in_order(&self, about: &Metadata, members: Vec<(String, Value)>) -> Result<Vec<Value>, CallError> {
        let declared = self.signatures.iter().map(|signature| signature.params.len()).max();
        let most = declared.unwrap_or(about.params.len());
        let mut source = ValueParams::new(Values::ByName(members), WireTypes::All);
        let values: Vec<Value> = (0..most).map_while(|index| source.take(about.param_name(index))).collect();
        let Some(left) = source.next_name()? else { return Ok(values) };
        match (values.len()..most).any(|index| about.param_name(index).is(&left)) {
            true => Err(CallError::Params(Refusal::missing(about.param_name(values.len())))),
            false => {
                let left = excerpt(&left);
                let message = format!("takes no param \"{left}\"");
                Err(CallError::Params(Refusal { param: Some(left), ..Refusal::new(message) }))
            }
        }
    }
}

impl Body for Dynamic {
    fn call(&self, about: &Metadata, request: &Request, params: Params<'_, '_>) -> Result<Reply, CallError> {
        let params = match params.into_values()? {
            Values::ByPosition(values) => values,
            Values::ByName(members) => self.in_order(about, members)?,
        };
        self.check(&params)?;
        Ok((self.call)(request, params)?)
    }

    fn functions(&self, about: &Metadata, _generator: &mut SchemaGenerator) -> Vec<FunctionSchemas> {
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
    fn about<'a>(method: &'a Method, about: &'a Metadata) -> &'a Metadata {
        if method.about.params.is_empty() { about } else { &method.about }
    }
}

impl Body for Overload {
    fn call(&self, about: &Metadata, request: &Request, params: Params<'_, '_>) -> Result<Reply, CallError> {
        let format = params.format();
        let values = params.into_values()?;
        for method in &self.0 {
            let mut source = ValueParams::new(values.clone(), format);
            match method.body.call(Overload::about(method, about), request, Params::new(&mut source)) {
                Err(CallError::Params(_)) => {}
                outcome => return outcome,
            }
        }
        let mut generator = generator();
        let functions = self.functions(about, &mut generator);
        let details = details(&functions, &Definitions::of(generator));
        Err(no_signature_fits(&signatures(&details), &values))
    }

    fn functions(&self, about: &Metadata, generator: &mut SchemaGenerator) -> Vec<FunctionSchemas> {
        let functions = |method: &Method| method.body.functions(Overload::about(method, about), generator);
        self.0.iter().flat_map(functions).collect()
    }
}

#[cold]
fn no_signature_fits(signatures: &[Signature], values: &Values) -> CallError {
    let known =
        |signature: &Signature| signature.params.iter().map(|param| param.in_words()).collect::<Vec<_>>().join(", ");
    let known: Vec<String> = signatures.iter().map(|signature| format!("({})", known(signature))).collect();
    let found: Vec<String> = match values {
        Values::ByPosition(values) => values.iter().map(|value| value.type_name().to_owned()).collect(),
        Values::ByName(members) => {
            members.iter().map(|(name, value)| format!("{} {}", value.type_name(), excerpt(name))).collect()
        }
    };
    let message = format!("takes params {}, found ({})", known.join(" or "), found.join(", "));
    CallError::Params(Refusal::new(message))
}

#[cfg(test)]
mod tests {
    use serde_json::{Value as Json, json};

    use super::*;
    use crate::wire::value::Members;

    fn call(method: &Method, values: Values) -> Result<Json, Fault> {
        let request = Request::new(|_: &str| None, Vec::new());
        let mut source = ValueParams::new(values, WireTypes::All);
        let reply = method.call("m", &request, Params::new(&mut source));
        reply.map(|reply| serde_json::to_value(reply).unwrap())
    }

    fn named(members: &[(&str, i32)]) -> Values {
        Values::ByName(members.iter().map(|(name, value)| ((*name).to_owned(), Value::from(*value))).collect())
    }

    fn echo() -> Method {
        Method::dynamic("m", |_: &Request, params: Vec<Value>| Ok::<_, Fault>(params))
    }

    /// Takes two ints, or a string.
    fn declared() -> Method {
        let pair = Signature::new(Type::Int, [Type::Int, Type::Int]);
        echo().params(["a", "b"]).signature(pair).signature(Signature::new(Type::Int, [Type::String]))
    }

    fn overloaded() -> Method {
        let add = Method::new("m", |a: i32, b: Option<i32>| a + b.unwrap_or_default()).params(["a", "b"]);
        Method::overload("m", [add, Method::new("m", |text: String| text + "!")])
    }

    #[test]
    fn params_roundtrip() {
        for params in [vec![], vec![Value::Nil, 1.5.into()], vec![Members::from([("a", 1)]).into()]] {
            let expected = serde_json::to_value(&params).unwrap();
            assert_eq!(call(&echo(), Values::ByPosition(params)), Ok(expected));
        }
        let by_name = echo().params(["a", "b"]);
        assert_eq!(call(&by_name, named(&[("b", 2), ("a", 1)])), Ok(json!([1, 2])));
        assert_eq!(call(&by_name, named(&[("a", 1)])), Ok(json!([1])));
    }

    #[test]
    fn signatures_spec() {
        for (values, expected) in [(vec![1.into(), 2.into()], json!([1, 2])), (vec!["x".into()], json!(["x"]))] {
            assert_eq!(call(&declared(), Values::ByPosition(values)), Ok(expected));
        }
        assert_eq!(call(&declared(), named(&[("b", 2), ("a", 1)])), Ok(json!([1, 2])));
        for (values, expected) in
            [(vec![1.into(), 2.into()], json!(3)), (vec![1.into()], json!(1)), (vec!["x".into()], json!("x!"))]
        {
            assert_eq!(call(&overloaded(), Values::ByPosition(values)), Ok(expected));
        }
        let names = |method: &Method| -> Vec<Vec<&str>> {
            method.describe("m").signatures.iter().map(Signature::names).collect()
        };
        assert_eq!(names(&declared()), [vec!["int", "int", "int"], vec!["int", "string"]]);
        assert_eq!(names(&overloaded()), [vec!["int", "int"], vec!["int", "int", "int"], vec!["string", "string"]]);
        assert!(names(&echo()).is_empty());
    }

    #[test]
    fn params_invalid() {
        let by_position = Values::ByPosition;
        for (found, expected) in [
            (
                call(&declared(), by_position(vec![1.into(), Value::Nil])),
                "takes params (int, int) or (string), found (int, nil)",
            ),
            (call(&declared(), by_position(Vec::new())), "takes params (int, int) or (string), found ()"),
            (call(&declared(), named(&[("b", 2)])), "takes param \"a\", found none of that name"),
            (call(&declared(), named(&[("a", 1), ("b", 2), ("c\n", 3)])), "takes no param \"c\\n\""),
            (
                call(&overloaded(), by_position(vec![true.into(), i64::MAX.into()])),
                "takes params (int) or (int, int) or (string), found (boolean, i8)",
            ),
            (call(&overloaded(), named(&[("c", 1)])), "takes params (int) or (int, int) or (string), found (int c)"),
        ] {
            assert_eq!(found, Err(Fault::new(-32602, format!("method \"m\" {expected}"))));
        }
        let failing = Method::dynamic("m", |_: &Request, _| Err::<(), _>(Fault::new(7, "full")));
        assert_eq!(call(&failing, by_position(Vec::new())), Err(Fault::new(7, "full")));
    }
}
