//! The form of a method's params: a field for each value, and the values that were entered.
//!
//! A field is named by the value's place: `v0.2` is the third member of the first param. Beside `v`, its value, there
//! are `g`, whether it is given at all, and `n`, how many items an array has.

use std::collections::BTreeMap;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use maud::{Markup, html};
use serde_json::Value as Json;

use super::{example, samples};
use crate::description::{Detail, Shape};
use crate::wire::Type;
use crate::wire::value::{Base64, Value, excerpt};

/// The most items of arrays in a form, together.
const MAX_ITEMS: usize = 1000;

/// The most fields of a form, and the most octets of its body.
const MAX_FIELDS: usize = 10_000;
pub(crate) const MAX_FORM_OCTETS: usize = 1 << 20;

/// The text entered into a form, by the names of its fields.
#[derive(Clone, Debug, Default)]
pub(crate) struct Fields(BTreeMap<String, String>);

impl Fields {
    /// Reads a form as browsers send it: `application/x-www-form-urlencoded`.
    ///
    /// # Errors
    /// If it has more fields or items than a form may have.
    pub(crate) fn read(body: &[u8]) -> Result<Fields, String> {
        let fields = Fields(form_urlencoded::parse(body).into_owned().take(MAX_FIELDS + 1).collect());
        if fields.0.len() > MAX_FIELDS {
            return Err(format!("expected at most {MAX_FIELDS} fields in a form, found more"));
        }
        match fields.counts().fold(0, usize::saturating_add) {
            0..=MAX_ITEMS => Ok(fields),
            items => Err(format!("expected at most {MAX_ITEMS} items in a form, found {items}")),
        }
    }

    /// Enters params; the places after the last of them are left out.
    pub(super) fn of(detail: &Detail, params: &[Value]) -> Fields {
        let mut fields = Fields::default();
        for (index, param) in detail.params.iter().enumerate() {
            fields.fill(&index.to_string(), &param.shape, params.get(index));
        }
        fields
    }

    pub(super) fn get(&self, name: &str) -> Option<&str> {
        self.0.get(name).map(String::as_str)
    }

    /// Returns the index of the chosen way to call the method; `None` for a document.
    pub(super) fn way(&self) -> Option<usize> {
        self.get("way")?.parse().ok()
    }

    /// Adds or removes an item if a button of an array was pressed; returns whether one was.
    pub(super) fn resize(&mut self, detail: &Detail) -> bool {
        let (place, more) = match (self.0.remove("more"), self.0.remove("fewer")) {
            (Some(place), _) => (place, true),
            (None, Some(place)) => (place, false),
            (None, None) => return false,
        };
        let count = self.count(&place);
        let all: usize = self.counts().sum();
        if let Some(items) = find(detail, &place).and_then(|shape| shape.items.as_deref()) {
            let changed = match more {
                true if all < MAX_ITEMS => count + 1,
                true => count,
                false => count.saturating_sub(1),
            };
            self.0.insert(format!("n{place}"), changed.to_string());
            if changed > count {
                self.fill(&format!("{place}.{count}"), items, Some(&example::value("", items, count)));
            }
        }
        true
    }

    /// Returns the number of items of each array.
    fn counts(&self) -> impl Iterator<Item = usize> {
        let counts = self.0.iter().filter(|(name, _)| name.starts_with('n'));
        counts.map(|(_, count)| count.parse().unwrap_or_default())
    }

    fn count(&self, place: &str) -> usize {
        self.get(&format!("n{place}")).and_then(|count| count.parse().ok()).unwrap_or_default()
    }

    fn is_given(&self, place: &str) -> bool {
        self.0.contains_key(&format!("g{place}"))
    }

    fn text(&self, place: &str) -> &str {
        self.get(&format!("v{place}")).unwrap_or_default()
    }

    /// Enters a value, and marks it as given.
    fn fill(&mut self, place: &str, shape: &Shape, value: Option<&Value>) {
        if value.is_some_and(|value| *value != Value::Nil || shape.wire == Type::Nil) {
            self.0.insert(format!("g{place}"), "1".into());
        }
        let example = example::value("", shape, 0);
        let value = value.unwrap_or(&example);
        match Control::of(shape) {
            Control::Members => {
                for (index, member) in shape.members.iter().enumerate() {
                    self.fill(&format!("{place}.{index}"), &member.shape, value.member(&member.name));
                }
            }
            Control::Items(items) => {
                let Value::Array(values) = value else { return };
                self.0.insert(format!("n{place}"), values.len().to_string());
                for (index, value) in values.iter().enumerate() {
                    self.fill(&format!("{place}.{index}"), items, Some(value));
                }
            }
            Control::Places => {
                let Value::Array(values) = value else { return };
                for (index, (shape, value)) in shape.places.iter().zip(values).enumerate() {
                    self.fill(&format!("{place}.{index}"), shape, Some(value));
                }
            }
            Control::Scalar | Control::Json => {
                self.0.insert(format!("v{place}"), text_of(value, shape));
            }
        }
    }
}

/// The control for a value.
enum Control<'a> {
    /// One field.
    Scalar,
    /// A field for JSON: the inside is not known.
    Json,
    /// A group of the members.
    Members,
    /// A control for each item.
    Items(&'a Shape),
    /// A group of the items, each with a shape of its own.
    Places,
}

impl Control<'_> {
    fn of(shape: &Shape) -> Control<'_> {
        match (shape.wire, shape.items.as_deref()) {
            (Type::Struct, _) if !shape.members.is_empty() => Control::Members,
            (Type::Array, _) if !shape.places.is_empty() => Control::Places,
            (Type::Array, Some(items)) => Control::Items(items),
            (Type::Struct | Type::Array | Type::Undefined, _) => Control::Json,
            _ => Control::Scalar,
        }
    }
}

/// Finds the shape at a place, as `0.2`.
fn find<'a>(detail: &'a Detail, place: &str) -> Option<&'a Shape> {
    let mut indices = place.split('.').map(|index| index.parse::<usize>().ok());
    let mut shape = &detail.params.get(indices.next()??)?.shape;
    for index in indices {
        shape = match Control::of(shape) {
            Control::Members => &shape.members.get(index?)?.shape,
            Control::Items(items) => items,
            Control::Places => shape.places.get(index?)?,
            Control::Scalar | Control::Json => return None,
        };
    }
    Some(shape)
}

/// Returns the text of a scalar in its field.
fn text_of(value: &Value, shape: &Shape) -> String {
    match value {
        // text that could be taken for JSON is in quotes
        Value::String(text) if shape.wire == Type::Undefined && serde_json::from_str::<Json>(text).is_ok() => {
            Json::from(&text[..]).to_string()
        }
        Value::String(text) => text.clone(),
        Value::DateTime(date_time) => samples::iso(date_time),
        Value::Base64(octets) => STANDARD.encode(&octets.0),
        Value::Nil => String::new(),
        value if shape.wire == Type::Boolean => matches!(value, Value::Boolean(true)).to_string(),
        value => samples::as_json(value),
    }
}

/// Renders the fields of all params.
pub(super) fn fields(detail: &Detail, fields: &Fields) -> Markup {
    html! {
        @for (index, param) in detail.params.iter().enumerate() {
            (field(&param.name, &index.to_string(), &param.shape, param.optional, fields))
        }
    }
}

fn field(name: &str, place: &str, shape: &Shape, optional: bool, fields: &Fields) -> Markup {
    let label = html! { span { (name) span.note { " " (shape.type_name()) } } };
    let inside = |name: &str, index: usize, shape: &Shape, optional: bool| {
        field(name, &format!("{place}.{index}"), shape, optional, fields)
    };
    html! {
        @if optional || shape.nullable {
            label.given {
                input type="checkbox" name=(format!("g{place}")) value="1" checked[fields.is_given(place)];
                " Send " (name)
            }
        }
        @match Control::of(shape) {
            Control::Scalar | Control::Json => label.field { (label) (input(&format!("v{place}"), shape, fields.text(place))) },
            Control::Members => fieldset {
                legend { (label) }
                @for (index, member) in shape.members.iter().enumerate() {
                    (inside(&member.name, index, &member.shape, member.optional))
                }
            },
            Control::Places => fieldset {
                legend { (label) }
                @for (index, shape) in shape.places.iter().enumerate() {
                    (inside(&format!("{name}[{index}]"), index, shape, false))
                }
            },
            Control::Items(items) => fieldset {
                legend { (label) }
                @let count = fields.count(place);
                input type="hidden" name=(format!("n{place}")) value=(count);
                @for index in 0..count { (inside(&format!("{name}[{index}]"), index, items, false)) }
                button name="more" value=(place) { "Add one to " (name) }
                @if count > 0 { " " button name="fewer" value=(place) { "Remove one from " (name) } }
            },
        }
    }
}

fn input(name: &str, shape: &Shape, text: &str) -> Markup {
    let choice = |value: &str| html! { option value=(value) selected[value == text] { (value) } };
    html! {
        @match shape.wire {
            _ if !shape.values.is_empty() => select name=(name) { @for value in &shape.values { (choice(value)) } },
            Type::Boolean => select name=(name) { (choice("true")) (choice("false")) },
            Type::Int | Type::I8 => input name=(name) value=(text) inputmode="numeric" autocomplete="off";,
            Type::Double => input name=(name) value=(text) inputmode="decimal" autocomplete="off";,
            Type::DateTime => input type="datetime-local" step="1" name=(name) value=(text);,
            Type::Struct | Type::Array | Type::Undefined => {
                textarea name=(name) rows="2" spellcheck="false" { "\n" (text) }
                span.note { @if shape.wire == Type::Undefined { "JSON, or text" } @else { "JSON" } }
            },
            Type::Nil => span.note { "is always nil" },
            Type::Base64 => { input name=(name) value=(text) autocomplete="off"; span.note { "in base64" } },
            // as high as its text: in an input, line breaks are lost
            Type::String => textarea name=(name) rows=(text.lines().count().clamp(1, 12)) autocomplete="off" { "\n" (text) },
        }
    }
}

/// Reads the params that were entered for one of the ways to call a method.
///
/// # Errors
/// A message that says what was expected where, and what was found.
pub(super) fn params(detail: &Detail, fields: &Fields) -> Result<Vec<Value>, String> {
    let mut params = Vec::with_capacity(detail.params.len());
    for (index, param) in detail.params.iter().enumerate() {
        params.push(entered(&param.name, &index.to_string(), &param.shape, param.optional, fields)?);
    }
    let last_given = params.iter().rposition(Option::is_some).map_or(0, |index| index + 1);
    params.truncate(last_given);
    Ok(params.into_iter().map(|param| param.unwrap_or(Value::Nil)).collect())
}

/// Reads a value that was entered; `None` if it is left out.
fn entered(name: &str, place: &str, shape: &Shape, optional: bool, fields: &Fields) -> Result<Option<Value>, String> {
    if (optional || shape.nullable) && !fields.is_given(place) {
        return Ok((!optional).then_some(Value::Nil));
    }
    let item = |index: usize, shape: &Shape| {
        let value = entered(&format!("{name}[{index}]"), &format!("{place}.{index}"), shape, false, fields);
        value.map(|value| value.unwrap_or(Value::Nil))
    };
    Ok(Some(match Control::of(shape) {
        Control::Scalar | Control::Json => {
            let text = fields.text(place);
            scalar(text, shape)
                .ok_or_else(|| format!("{name}: expected {}, found \"{}\"", shape.wire, excerpt(text)))?
        }
        Control::Items(of) => {
            Value::Array((0..fields.count(place)).map(|index| item(index, of)).collect::<Result<_, _>>()?)
        }
        Control::Places => {
            let places = shape.places.iter().enumerate();
            Value::Array(places.map(|(index, shape)| item(index, shape)).collect::<Result<_, _>>()?)
        }
        Control::Members => {
            let mut members = Vec::with_capacity(shape.members.len());
            for (index, member) in shape.members.iter().enumerate() {
                let name = format!("{name}.{}", member.name);
                let value = entered(&name, &format!("{place}.{index}"), &member.shape, member.optional, fields)?;
                members.extend(value.map(|value| (member.name.clone(), value)));
            }
            Value::Struct(members.into())
        }
    }))
}

/// Parses a text as a value of a shape.
fn scalar(text: &str, shape: &Shape) -> Option<Value> {
    let word = text.trim();
    Some(match shape.wire {
        Type::Int => Value::Int(word.parse::<i32>().ok()?.into()),
        Type::I8 => Value::Int(word.parse().ok()?),
        Type::Double => Value::Double(word.parse().ok().filter(|number: &f64| number.is_finite())?),
        Type::Boolean => Value::Boolean(word.parse().ok()?),
        // browsers send line breaks as CR LF
        Type::String => Value::String(text.replace("\r\n", "\n")),
        // browsers leave the seconds out if they are 0
        Type::DateTime if word.matches(':').count() == 1 => Value::DateTime(format!("{word}:00").parse().ok()?),
        Type::DateTime => Value::DateTime(word.parse().ok()?),
        Type::Base64 => Value::Base64(Base64(Base64::decode(word).ok()?)),
        Type::Nil => Value::Nil,
        Type::Undefined => match serde_json::from_str(text) {
            Ok(json) => example::of_json(&json, shape),
            Err(_) => Value::String(text.to_owned()),
        },
        Type::Struct | Type::Array => {
            let json: Json = serde_json::from_str(text).ok()?;
            let fits = if shape.wire == Type::Struct { json.is_object() } else { json.is_array() };
            fits.then(|| example::of_json(&json, shape))?
        }
    })
}
