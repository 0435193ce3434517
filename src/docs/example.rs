//! Plausible params of a method: for samples, and as the first values of its form.

use std::borrow::Cow;

use serde_json::Value as Json;

use crate::description::{Constraint, Description, Detail, Named, Shape};
use crate::wire::Type;
use crate::wire::value::{Base64, DateTime, Value};

/// Examples of strings, by a part of their name.
const STRINGS: [(&str, &str); 8] = [
    ("mail", "ann@example.org"),
    ("ur", "https://example.org/"),
    ("pass", "secret"),
    ("user", "ann"),
    ("login", "ann"),
    ("name", "Ann"),
    ("path", "/srv/example"),
    ("lang", "en"),
];

/// Returns the ways to call a method in detail, also for one with signatures alone; none if they are unknown.
pub(super) fn ways(method: &Description) -> Cow<'_, [Detail]> {
    if !method.details.is_empty() {
        return Cow::Borrowed(&method.details);
    }
    let param = |(index, wire): (usize, &Type)| {
        let name = format!("p{}", index + 1);
        Named { name, help: String::new(), optional: false, shape: Shape::of(*wire) }
    };
    let signatures = method.signatures.iter();
    let way = |params: &[Type]| params.iter().enumerate().map(param).collect();
    signatures
        .map(|signature| Detail { params: way(&signature.params), returns: Shape::of(signature.returns) })
        .collect()
}

/// Returns params for a method: those of its own example, or one of each.
pub(super) fn params(method: &Description) -> Vec<Value> {
    let first = || ways(method).first().map(params_of).unwrap_or_default();
    method.examples.first().map_or_else(first, |example| example.params.clone())
}

/// Returns params for one of the ways to call a method.
pub(super) fn params_of(detail: &Detail) -> Vec<Value> {
    detail.params.iter().enumerate().map(|(place, param)| value(&param.name, &param.shape, place)).collect()
}

/// Returns a value of a shape that depends on its name and its place, so that not all are alike.
pub(super) fn value(name: &str, shape: &Shape, place: usize) -> Value {
    if let Some(example) = shape.example.as_ref().filter(|example| !example.is_null()) {
        return of_json(example, shape);
    }
    if let Some(first) = shape.alternatives.first() {
        return value(name, first, place);
    }
    if let Some(text) = shape.values.first() {
        return of_text(text, shape.wire);
    }
    match shape.wire {
        Type::Int | Type::I8 => Value::Int(bounded(shape, place as f64 + 2.0) as i64),
        Type::Double => Value::Double(bounded(shape, place as f64 + 1.5)),
        Type::Boolean => Value::Boolean(true),
        Type::String | Type::Undefined => Value::String(string(name, shape)),
        Type::DateTime => "20261124T12:00:00".parse().map_or(Value::Nil, Value::DateTime),
        Type::Base64 => Value::Base64(Base64(b"hello".to_vec())),
        Type::Array => Value::Array(items(name, shape)),
        Type::Struct => Value::Struct(members(shape).into()),
        Type::Nil => Value::Nil,
    }
}

/// Returns the wanted number, or the nearest one within the bounds of a shape.
fn bounded(shape: &Shape, wanted: f64) -> f64 {
    let bound = |number: &str| number.parse::<f64>().ok();
    shape.constraints.iter().fold(wanted, |wanted, constraint| match constraint {
        Constraint::Minimum(least) => bound(least).map_or(wanted, |least| wanted.max(least)),
        Constraint::Maximum(most) => bound(most).map_or(wanted, |most| wanted.min(most)),
        _ => wanted,
    })
}

fn string(name: &str, shape: &Shape) -> String {
    let name = name.to_lowercase();
    let known = STRINGS.iter().find(|(part, _)| match *part {
        "ur" => name == "url" || name == "uri",
        part => name.contains(part),
    });
    let longest = shape.constraints.iter().find_map(|constraint| match constraint {
        Constraint::MaxLength(most) => most.parse().ok(),
        _ => None,
    });
    known.map_or("text", |(_, example)| example).chars().take(longest.unwrap_or(usize::MAX)).collect()
}

fn items(name: &str, shape: &Shape) -> Vec<Value> {
    if !shape.places.is_empty() {
        return shape.places.iter().enumerate().map(|(place, shape)| value(name, shape, place)).collect();
    }
    match shape.items.as_deref() {
        Some(items) if items.is_cut => Vec::new(),
        Some(items) => (0..shape.least_items.clamp(1, 100)).map(|place| value(name, items, place)).collect(),
        None => vec![Value::Int(2)],
    }
}

/// Returns the required members; if there are none, the first.
fn members(shape: &Shape) -> Vec<(String, Value)> {
    if let (true, Some(items)) = (shape.members.is_empty(), shape.items.as_deref()) {
        return if items.is_cut { Vec::new() } else { vec![("key".into(), value("", items, 0))] };
    }
    let some_must = shape.members.iter().any(|member| !member.optional);
    let wanted =
        shape.members.iter().enumerate().filter(|(place, member)| !member.optional || !some_must && *place == 0);
    wanted.map(|(place, member)| (member.name.clone(), value(&member.name, &member.shape, place))).collect()
}

/// Reads a listed value from its text.
fn of_text(text: &str, wire: Type) -> Value {
    match wire {
        Type::Int | Type::I8 => text.parse().map_or(Value::Nil, Value::Int),
        Type::Double => text.parse().map_or(Value::Nil, Value::Double),
        Type::Boolean => Value::Boolean(text == "true"),
        _ => Value::String(text.to_owned()),
    }
}

/// Reads a value of a shape from JSON, which has no dates and no octets.
pub(super) fn of_json(json: &Json, shape: &Shape) -> Value {
    match (json, shape.wire) {
        (Json::String(text), Type::DateTime) => match text.parse::<DateTime>() {
            Ok(date_time) => Value::DateTime(date_time),
            Err(_) => Value::String(text.clone()),
        },
        (Json::String(text), Type::Base64) => match Base64::decode(text) {
            Ok(octets) => Value::Base64(Base64(octets)),
            Err(_) => Value::String(text.clone()),
        },
        (Json::Number(number), Type::Double) => Value::Double(number.as_f64().unwrap_or_default()),
        (Json::Array(items), _) => {
            let anything = Shape::of(Type::Undefined);
            let place = |index: usize| shape.places.get(index).or(shape.items.as_deref()).unwrap_or(&anything);
            Value::Array(items.iter().enumerate().map(|(index, item)| of_json(item, place(index))).collect())
        }
        (Json::Object(members), _) => {
            let anything = Shape::of(Type::Undefined);
            let of = |name: &str| {
                let member = shape.members.iter().find(|member| member.name == name).map(|member| &member.shape);
                member.or(shape.items.as_deref()).unwrap_or(&anything)
            };
            Value::Struct(members.iter().map(|(name, json)| (name.clone(), of_json(json, of(name)))).collect())
        }
        (Json::Null, _) => Value::Nil,
        (Json::Bool(value), _) => Value::Boolean(*value),
        (Json::String(text), _) => Value::String(text.clone()),
        (Json::Number(number), _) => {
            number.as_i64().map_or_else(|| Value::Double(number.as_f64().unwrap_or_default()), Value::Int)
        }
    }
}
