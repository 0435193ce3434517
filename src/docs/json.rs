//! The description as JSON, for programs.

use serde_json::{Map, Value as Json, json};

use super::{Facts, Page};
use crate::description::{Constraint, Description, Detail, Example, Named, Shape, Signature};
use crate::wire::Type;
use crate::wire::json::as_json;

pub(super) fn render(page: &Page<'_>) -> String {
    let Page {
        facts: Facts { name, title, documentation, version, max_body, max_calls, docs, dialects, .. },
        visit,
        methods,
        ..
    } = page;
    let other = |(url, name): (String, &str)| json!({ "name": name, "url": url });
    let document = json!({
        "name": name,
        "title": title,
        "version": version,
        "documentation": documentation,
        "url": visit.url,
        "protocols": dialects.iter().map(|dialect| dialect.title).collect::<Vec<_>>(),
        "authentication": docs.authentication,
        "contact": docs.contact,
        "limits": { "body": max_body, "calls": max_calls },
        "others": page.others().map(other).collect::<Vec<_>>(),
        "methods": methods.iter().map(method).collect::<Vec<_>>(),
    });
    format!("{document:#}\n")
}

fn method(method: &Description) -> Json {
    let fault = |(code, text): &(i32, String)| json!({ "code": code, "meaning": text });
    let mut object = json!({
        "name": method.name,
        "title": method.title(),
        "help": method.help,
        "deprecated": method.deprecated,
        "since": method.since,
        "unsafe": method.is_unsafe,
        "signatures": method.signatures.iter().map(Signature::names).collect::<Vec<_>>(),
        "details": method.details.iter().map(detail).collect::<Vec<_>>(),
        "faults": method.faults.iter().map(fault).collect::<Vec<_>>(),
    });
    if !method.examples.is_empty() {
        object["examples"] = method.examples.iter().map(example).collect();
    }
    object
}

fn example(Example { params, result }: &Example) -> Json {
    let mut object = json!({ "params": params.iter().map(as_json).collect::<Vec<_>>() });
    if let Some(result) = result {
        object["result"] = as_json(result);
    }
    object
}

fn detail(detail: &Detail) -> Json {
    json!({ "params": detail.params.iter().map(named).collect::<Vec<_>>(), "returns": shape(&detail.returns) })
}

fn named(Named { name, help, optional, shape }: &Named) -> Json {
    let mut object = json!({ "name": name, "optional": optional });
    for (key, value) in shape_members(shape) {
        object[key] = value;
    }
    if !help.is_empty() {
        object["help"] = help.clone().into();
    }
    object
}

fn shape(shape: &Shape) -> Json {
    shape_members(shape).into()
}

/// Returns the known properties of a value; unknown ones are left out.
fn shape_members(of: &Shape) -> Map<String, Json> {
    let parts = [
        ("type", Some(of.wire.name().into())),
        ("typeName", of.name.as_deref().filter(|_| matches!(of.wire, Type::Struct | Type::Undefined)).map(Json::from)),
        ("nil", of.nullable.then_some(true.into())),
        ("help", (!of.help.is_empty()).then(|| of.help.clone().into())),
        ("example", of.example.clone()),
        ("values", (!of.values.is_empty()).then(|| of.values.clone().into())),
        ("items", of.items.as_deref().map(shape)),
        ("places", (!of.places.is_empty()).then(|| of.places.iter().map(shape).collect())),
        ("members", (!of.members.is_empty()).then(|| of.members.iter().map(named).collect())),
    ];
    let constraints = of.constraints.iter().map(|constraint| {
        let (key, value) = match constraint {
            Constraint::Minimum(value) => ("minimum", value),
            Constraint::Maximum(value) => ("maximum", value),
            Constraint::MaxLength(value) => ("maxLength", value),
            Constraint::Pattern(value) => return ("pattern", Some(Json::from(value.clone()))),
            Constraint::Default(value) => ("default", value),
        };
        (key, serde_json::from_str(value).ok())
    });
    let parts = parts.into_iter().chain(constraints);
    parts.filter_map(|(key, value)| Some((key.to_owned(), value?))).collect()
}
