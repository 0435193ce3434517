//! What a running XML-RPC service says of its methods, by `system.listMethods` and its kin.

use std::time::{Duration, Instant};

use super::openrpc::{MAX_METHODS, distinct, is_name, titled, without_duplicates};
use super::text::{MethodText, ParamText, ServiceText, TypeText};
use crate::program::http::{self, HttpError};
use crate::protocol::xmlrpc;
use crate::wire::Type;
use crate::wire::fault::Fault;
use crate::wire::value::{Value, excerpt};

/// The time that all questions together may take.
const WHOLE: Duration = Duration::from_secs(120);

/// The most calls of one multicall.
const MAX_CALLS: usize = 50;

/// Asks a service for its methods.
///
/// # Errors
/// A text with the reason why it tells none.
pub(super) fn read(url: &str, notes: &mut Vec<String>) -> Result<ServiceText, String> {
    let deadline = Instant::now() + WHOLE;
    let names = match call(url, "system.listMethods", &[])? {
        Ok(Value::Array(names)) => names,
        Ok(other) => return Err(format!("system.listMethods answers {}, not an array of names", other.type_name())),
        Err(fault) => return Err(format!("it does not tell its methods: system.listMethods answers fault {fault}")),
    };
    let mut methods = Vec::new();
    for name in names.into_iter().take(MAX_METHODS) {
        match name {
            Value::String(name) if crate::method::system::names().any(|own| own == name) => {}
            Value::String(name) if is_name(&name) => methods.push(name),
            other => {
                let shown = if let Value::String(name) = &other { excerpt(name) } else { other.type_name().to_owned() };
                notes.push(format!("\"{shown}\": no method of a manifest can have this name, so it is left out"));
            }
        }
    }
    let mut told = Vec::new();
    for names in methods.chunks(MAX_CALLS / 2) {
        if Instant::now() > deadline {
            return Err(format!("it takes more than {} seconds to tell of its methods", WHOLE.as_secs()));
        }
        told.extend(ask(url, names, deadline)?);
    }
    let methods = methods.iter().zip(told).map(|(name, (signatures, help))| method(name, signatures, &help)).collect();
    Ok(ServiceText { title: title(url), methods: without_duplicates(methods, notes), ..ServiceText::default() })
}

/// Asks for the signatures and the help of methods: all at once, or one after the other where that is not possible.
fn ask(url: &str, names: &[String], deadline: Instant) -> Result<Vec<(Value, String)>, String> {
    let questions = names.iter().flat_map(|name| {
        ["system.methodSignature", "system.methodHelp"].map(|question| {
            let params = Value::Array(vec![name.as_str().into()]);
            Value::Struct([("methodName", Value::from(question)), ("params", params)].into())
        })
    });
    let questions = Value::Array(questions.collect());
    let mut answers: Vec<Value> = match call(url, "system.multicall", &[questions])? {
        Ok(Value::Array(answers)) if answers.len() == 2 * names.len() => answers.into_iter().map(only).collect(),
        _ => Vec::new(),
    };
    if answers.is_empty() {
        for name in names {
            if Instant::now() > deadline {
                return Err(format!("it takes more than {} seconds to tell of its methods", WHOLE.as_secs()));
            }
            for question in ["system.methodSignature", "system.methodHelp"] {
                answers.push(call(url, question, &[name.as_str().into()])?.unwrap_or(Value::Nil));
            }
        }
    }
    let mut answers = answers.into_iter();
    let pair = || {
        let signatures = answers.next()?;
        let help = if let Some(Value::String(help)) = answers.next() { help } else { String::new() };
        Some((signatures, help))
    };
    Ok(std::iter::from_fn(pair).collect())
}

/// Returns the one result in an answer of a multicall; nil for a fault.
fn only(answer: Value) -> Value {
    match answer {
        Value::Array(mut results) if results.len() == 1 => results.swap_remove(0),
        _ => Value::Nil,
    }
}

/// Calls a method.
///
/// # Errors
/// A text if there is no answer.
fn call(url: &str, method: &str, params: &[Value]) -> Result<Result<Value, Fault>, String> {
    let document = xmlrpc::call_to_vec(method, params).map_err(|error| error.to_string())?;
    let answer = http::post(url, "text/xml", &document).map_err(HttpError::into_message)?;
    xmlrpc::response_from_slice::<Value>(&answer).map_err(|error| {
        let start = excerpt(&String::from_utf8_lossy(&answer));
        format!("{method}: the answer is none of XML-RPC's: {error}; it begins with \"{start}\"")
    })
}

/// Makes what a manifest says of a method.
fn method(name: &str, signatures: Value, help: &str) -> MethodText {
    let (title, help) = titled("", &help.replace("\r\n", "\n"));
    let mut signatures = types(signatures);
    let mut method = MethodText { name: name.to_owned(), title, help, ..MethodText::default() };
    match signatures.len() {
        0 => method.notes.push("its params are not told: params = [\"NAME: TYPE\"]".into()),
        1 => {
            let mut types = signatures.remove(0).into_iter();
            method.returns = types.next().filter(|name| name != "any").map(|name| TypeText::named(&name));
            let param = |(index, name): (usize, String)| ParamText {
                name: format!("p{}", index + 1),
                of: TypeText::named(&name),
                is_optional: false,
                default: None,
            };
            method.params = distinct(types.enumerate().map(param).collect());
        }
        _ => method.signatures = signatures,
    }
    method
}

/// Reads signatures: arrays of types, that of the result first; nothing if they are not known.
fn types(signatures: Value) -> Vec<Vec<String>> {
    let Value::Array(signatures) = signatures else { return Vec::new() };
    let name = |of: Value| {
        let Value::String(name) = of else { return None };
        // other servers have other names for some
        let known = Type::of_name(&name).or_else(|| Type::of_synonym(&name));
        Some(known.map_or_else(|| "any".to_owned(), |of| of.in_words().to_owned()))
    };
    let one = |signature: Value| match signature {
        Value::Array(types) => {
            types.into_iter().map(name).collect::<Option<Vec<_>>>().filter(|types| !types.is_empty())
        }
        _ => None,
    };
    let mut found: Vec<Vec<String>> = signatures.into_iter().filter_map(one).collect();
    found.dedup();
    found
}

/// Returns the name of the host, as the title of a service that has none.
fn title(url: &str) -> String {
    let rest = url.split("://").nth(1).unwrap_or(url);
    let host = rest.split('/').next().unwrap_or(rest);
    host.rsplit('@').next().unwrap_or(host).to_owned()
}
