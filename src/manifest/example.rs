//! Examples of calls: read by the rules for the calls themselves.

use std::ops::Range;

use serde::de::DeserializeSeed;
use toml::Spanned;
use toml::de::DeValue;

use super::call::Contract;
use super::form::{integer, number};
use super::keys::{ExampleTable, MethodTable, Table};
use super::method::Signature;
use super::read::{ManifestReader, items};
use crate::call::{Params, ValueParams, Values};
use crate::description::Example;
use crate::method::{CallError, Examples, Metadata};
use crate::wire::value::{DataError, Value, WireTypes, place};

/// The reason why an example is none: a message, and the param that it is about.
#[derive(Debug)]
pub(super) struct Unfit {
    pub(super) message: String,
    pub(super) param: Option<String>,
}

impl ManifestReader<'_> {
    /// Reads the examples of a method, and notes those that do not fit it.
    pub(super) fn examples(
        &mut self,
        table: &MethodTable<'_>,
        about: &Metadata,
        contract: &Contract,
        signatures: &[Signature],
    ) -> Examples {
        let mut examples = Vec::new();
        for written in items(&table.examples) {
            let Some(table) = written.get_ref().as_table() else { continue };
            examples.extend(self.example(&ExampleTable::read(table), &written.span(), about, contract, signatures));
        }
        Examples::Made(examples)
    }

    fn example(
        &mut self,
        table: &ExampleTable<'_>,
        span: &Range<usize>,
        about: &Metadata,
        contract: &Contract,
        signatures: &[Signature],
    ) -> Option<Example> {
        let params = table.params.as_ref().map(|written| written.value);
        let values = match params.map(Spanned::get_ref) {
            Some(DeValue::Table(named)) => {
                let mut written: Vec<_> = named.iter().collect();
                written.sort_by_key(|(name, _)| name.span().start);
                let values =
                    written.into_iter().map(|(name, value)| Some((name.get_ref().to_string(), self.any(value)?)));
                Values::ByName(values.collect::<Option<_>>()?)
            }
            Some(DeValue::Array(written)) => {
                Values::ByPosition(written.iter().map(|value| self.any(value)).collect::<Option<_>>()?)
            }
            // that was noted already
            Some(_) => return None,
            None => Values::ByPosition(Vec::new()),
        };
        let result = match &table.result {
            Some(written) => Some((self.any(written.value)?, &written.span)),
            None => None,
        };
        let of_param = |name: &str| {
            let index = contract.params.iter().position(|param| param.name == name);
            match params?.get_ref() {
                DeValue::Table(named) => named.get(name).map(Spanned::span),
                DeValue::Array(written) => written.get(index?).map(Spanned::span),
                _ => None,
            }
        };
        let (params, way) = match fit(values, about, contract, signatures) {
            Ok(fitting) => fitting,
            Err(Unfit { message, param }) => {
                let whole = || params.map_or_else(|| span.clone(), Spanned::span);
                self.mistakes.add(&param.as_deref().and_then(of_param).unwrap_or_else(whole), message);
                return None;
            }
        };
        let result = match result {
            Some((value, span)) => match fit_result(value, way.as_ref().unwrap_or(contract)) {
                Ok(value) => Some(value),
                Err(message) => {
                    self.mistakes.add(span, message);
                    return None;
                }
            },
            None => None,
        };
        Some(Example { params, result })
    }

    /// Reads a value that tells its own type.
    fn any(&mut self, value: &Spanned<DeValue<'_>>) -> Option<Value> {
        let read = match value.get_ref() {
            DeValue::String(text) => Some(Value::from(&**text)),
            DeValue::Integer(_) => integer(value).map(Value::Int),
            DeValue::Float(_) => number(value).filter(|number| number.is_finite()).map(Value::Double),
            DeValue::Boolean(flag) => Some(Value::Boolean(*flag)),
            DeValue::Datetime(date) => date.to_string().parse().ok().map(Value::DateTime),
            DeValue::Array(items) => {
                return items.iter().map(|item| self.any(item)).collect::<Option<_>>().map(Value::Array);
            }
            DeValue::Table(table) => {
                let mut written: Vec<_> = table.iter().collect();
                written.sort_by_key(|(name, _)| name.span().start);
                let member = |(name, value): (&Spanned<_>, &Spanned<_>)| {
                    Some((AsRef::<str>::as_ref(name.get_ref()).to_owned(), self.any(value)?))
                };
                let members = written.into_iter().map(member).collect::<Option<Vec<(String, Value)>>>();
                return members.map(|members| Value::Struct(members.into()));
            }
        };
        if read.is_none() {
            self.mistakes.add(&value.span(), "expected a number of 64 bits, or a date with a time of day");
        }
        read
    }
}

/// Reads params as those of a call, and puts them in order. Returns the contract of the signature that they fit, if
/// there are several.
///
/// # Errors
/// The reason that a caller would be told.
pub(super) fn fit(
    values: Values,
    about: &Metadata,
    contract: &Contract,
    signatures: &[Signature],
) -> Result<(Vec<Value>, Option<Contract>), Unfit> {
    if signatures.is_empty() {
        return Ok((in_order(values, about, contract, contract.params.len())?, None));
    }
    let mut unfit = None;
    for signature in signatures {
        let (contract, takes) = contract.by_signature(signature.clone());
        let same = match &values {
            Values::ByPosition(values) => Values::ByPosition(values.clone()),
            Values::ByName(members) => Values::ByName(members.clone()),
        };
        match in_order(same, about, &contract, takes) {
            Ok(params) => return Ok((params, Some(contract))),
            Err(reason) => unfit = Some(reason),
        }
    }
    match unfit {
        Some(reason) if signatures.len() == 1 => Err(reason),
        _ => Err(Unfit { message: "the example fits none of the signatures".into(), param: None }),
    }
}

/// Reads params by a contract, and puts them in order, without those at the end that were left out.
fn in_order(values: Values, about: &Metadata, contract: &Contract, takes: usize) -> Result<Vec<Value>, Unfit> {
    let given = match &values {
        Values::ByPosition(values) => values.len(),
        Values::ByName(members) => {
            let is_given = |index: &usize| members.iter().any(|(name, _)| *name == contract.params[*index].name);
            (0..takes).rev().find(is_given).map_or(0, |last| last + 1)
        }
    };
    let mut source = ValueParams::new(values, WireTypes::Text);
    let (arguments, rest, options) = match contract.arguments(takes, about, Params::new(&mut source)) {
        Ok(taken) => taken,
        Err(CallError::Fault(fault)) => return Err(Unfit { message: fault.message, param: None }),
        Err(CallError::Params(refusal)) => {
            let subject = if refusal.message().starts_with("takes") { "the method " } else { "" };
            let message = format!("{subject}{}", refusal.message());
            return Err(Unfit { message, param: refusal.param().map(str::to_owned) });
        }
    };
    if let Some((name, _)) = options.into_iter().next() {
        return Err(Unfit {
            message: format!("`{name}` has no place in an example: it goes by name alone"),
            param: Some(name),
        });
    }
    let known = arguments.into_iter().take(given).map(|value| value.unwrap_or(Value::Nil));
    match contract.is_unchecked {
        true => Ok(rest),
        false => Ok(known.chain(rest).collect()),
    }
}

/// Reads a result as what a method returns.
///
/// # Errors
/// A message that says what was expected, and what is there.
pub(super) fn fit_result(value: Value, contract: &Contract) -> Result<Value, String> {
    place::begin();
    let read = contract.returns.reading().deserialize(value.into_typed::<DataError>(WireTypes::Text));
    read.map_err(|error| format!("result{}: {error}", place::taken()))
}
