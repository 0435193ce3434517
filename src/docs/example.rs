//! Plausible params of a method: for samples, and as the first values of its form.

use std::borrow::Cow;

use serde_json::Value as Json;

use crate::description::{Constraint, Description, Detail, Named, Shape};
use crate::wire::Type;
use crate::wire::value::{Base64, DateTime, Value};

/// Examples of strings, by a part of their name; the first that fits counts.
const BY_NAME: [(&str, &str); 24] = [
    ("mail", "ann@example.org"),
    ("url", "https://example.org/"),
    ("uri", "https://example.org/"),
    ("pass", "secret"),
    ("user", "ann"),
    ("login", "ann"),
    ("file", "notes.txt"),
    ("name", "Ann"),
    ("path", "/srv/example"),
    ("lang", "en"),
    ("phone", "+44 20 7946 0000"),
    ("city", "Hamburg"),
    ("country", "DE"),
    ("currency", "EUR"),
    ("colo", "red"),
    ("host", "example.org"),
    ("date", "2026-11-24"),
    ("day", "2026-11-24"),
    ("time", "12:00:00"),
    ("title", "An example"),
    ("version", "1.0"),
    ("unit", "m"),
    ("key", "9f1c2"),
    ("id", "a1"),
];

/// Examples of strings, by the format that their schema says.
const BY_FORMAT: [(&str, &str); 11] = [
    ("date", "2026-11-24"),
    ("date-time", "2026-11-24T12:00:00Z"),
    ("partial-date-time", "2026-11-24T12:00:00"),
    ("time", "12:00:00Z"),
    ("partial-time", "12:00:00"),
    ("email", "ann@example.org"),
    ("uri", "https://example.org/"),
    ("uuid", "0a8c9f6e-1d2b-4c3a-9e5f-7b6a5c4d3e2f"),
    ("hostname", "example.org"),
    ("ipv4", "192.0.2.1"),
    ("ipv6", "2001:db8::1"),
];

/// The use of an example: in a call or in an answer.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Purpose {
    /// A call: what may be left out is.
    Call,
    /// An answer: it has all that an answer may have.
    Answer,
}

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
    let params = detail.params.iter().enumerate();
    params.map(|(place, param)| value(&param.name, &param.shape, place, Purpose::Call)).collect()
}

/// Returns the result of a method: that of its own example, or one that its type allows; `None` if nothing is known.
pub(super) fn result(method: &Description) -> Option<Value> {
    let own = method.examples.first().and_then(|example| example.result.clone());
    if own.is_some() {
        return own;
    }
    let ways = ways(method);
    let shape = &ways.first()?.returns;
    let is_known = shape.wire != Type::Undefined || shape.example.is_some() || !shape.alternatives.is_empty();
    is_known.then(|| value(&method.name, shape, 0, Purpose::Answer))
}

/// Returns a value of a shape that depends on its name and its place, so that not all are alike.
pub(super) fn value(name: &str, shape: &Shape, place: usize, purpose: Purpose) -> Value {
    if let Some(example) = shape.example.as_ref().filter(|example| !example.is_null()) {
        return of_json(example, shape);
    }
    if let Some(first) = shape.alternatives.first() {
        return value(name, first, place, purpose);
    }
    if let Some(text) = shape.values.first() {
        return of_text(text, shape.wire);
    }
    match shape.wire {
        Type::Int | Type::I8 => Value::Int(bounded(shape, number(name).unwrap_or(place as f64 + 2.0)) as i64),
        Type::Double => Value::Double(bounded(shape, place as f64 + 1.5)),
        Type::Boolean => Value::Boolean(true),
        Type::String | Type::Undefined => Value::String(string(name, shape)),
        Type::DateTime => "20261124T12:00:00".parse().map_or(Value::Nil, Value::DateTime),
        Type::Base64 => Value::Base64(Base64(b"hello".to_vec())),
        Type::Array => Value::Array(items(name, shape, purpose)),
        Type::Struct => Value::Struct(members(shape, purpose).into()),
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

/// Returns a number that is usual for a name.
fn number(name: &str) -> Option<f64> {
    let known = [("year", 2026.0), ("month", 11.0), ("day", 24.0), ("port", 8080.0), ("age", 30.0)];
    known.into_iter().find(|(word, _)| name.eq_ignore_ascii_case(word)).map(|(_, number)| number)
}

fn string(name: &str, shape: &Shape) -> String {
    let of_format = shape.format.as_ref().and_then(|format| BY_FORMAT.iter().find(|(known, _)| known == format));
    let name = name.to_ascii_lowercase();
    // short words are parts of many others
    let is_named = |word: &str| match word.len() {
        ..4 => name.split(|at: char| !at.is_alphanumeric()).any(|part| part == word),
        len => name.as_bytes().windows(len).any(|part| part == word.as_bytes()),
    };
    let known = of_format.or_else(|| BY_NAME.iter().find(|(word, _)| is_named(word)));
    let longest = shape.constraints.iter().find_map(|constraint| match constraint {
        Constraint::MaxLength(most) => most.parse().ok(),
        _ => None,
    });
    known.map_or("text", |(_, example)| example).chars().take(longest.unwrap_or(usize::MAX)).collect()
}

fn items(name: &str, shape: &Shape, purpose: Purpose) -> Vec<Value> {
    let value = |place, shape| value(name, shape, place, purpose);
    if !shape.places.is_empty() {
        return shape.places.iter().enumerate().map(|(place, shape)| value(place, shape)).collect();
    }
    match shape.items.as_deref() {
        Some(items) if items.is_cut => Vec::new(),
        Some(items) => (0..shape.least_items.clamp(1, 100)).map(|place| value(place, items)).collect(),
        None => vec![Value::Int(2)],
    }
}

/// Returns the members that there must be, or if there are none, the first; in an answer, all.
fn members(shape: &Shape, purpose: Purpose) -> Vec<(String, Value)> {
    if let (true, Some(items)) = (shape.members.is_empty(), shape.items.as_deref()) {
        return if items.is_cut { Vec::new() } else { vec![("key".into(), value("", items, 0, purpose))] };
    }
    let some_must = shape.members.iter().any(|member| !member.optional);
    // the members of several structs that are told as one do not occur together
    let has_all = purpose == Purpose::Answer && shape.alternatives.is_empty();
    let is_wanted =
        |place: usize, member: &Named| !member.optional || has_all && !member.shape.is_cut || !some_must && place == 0;
    let wanted = shape.members.iter().enumerate().filter(|(place, member)| is_wanted(*place, member));
    wanted.map(|(place, member)| (member.name.clone(), value(&member.name, &member.shape, place, purpose))).collect()
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
