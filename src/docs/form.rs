//! The form of a method's params: a field for each value, and the values that were entered.
//!
//! A field is named by the value's place: `v0.2` is the third member of the first param. Beside `v`, its value, or `s`,
//! one that is a secret, there are `g`, whether it is given at all, and `n`, how many items an array has.

use std::collections::BTreeMap;
use std::fmt;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use maud::{Markup, html};
use serde_json::Value as Json;

use super::example::{self, Purpose};
use super::samples;
use crate::description::{Detail, Named, Shape};
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

    /// Enters a document that was written by hand, or for it.
    pub(crate) fn of_document(document: String) -> Fields {
        Fields(BTreeMap::from([("document".to_owned(), document)]))
    }

    /// Tests whether the document of a call is wanted, to be edited.
    pub(crate) fn wants_document(&self) -> bool {
        self.0.contains_key("write") && self.way().is_some()
    }

    /// Tests whether the sender can take an answer of any size.
    pub(crate) fn takes_all(&self) -> bool {
        self.0.contains_key("whole")
    }

    /// Returns what was entered as a query, without what proves or is secret.
    pub(super) fn query(&self) -> String {
        let is_carried = |name: &str| {
            name == "way"
                || name == "protocol"
                || name.starts_with(['v', 'g', 'n']) && name[1..].starts_with(|digit: char| digit.is_ascii_digit())
        };
        let carried = self.0.iter().filter(|(name, _)| is_carried(name));
        form_urlencoded::Serializer::new(String::new()).extend_pairs(carried).finish()
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
    pub(crate) fn way(&self) -> Option<usize> {
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
                self.fill(&format!("{place}.{count}"), items, Some(&example::value("", items, count, Purpose::Call)));
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
        self.get(&format!("v{place}")).or_else(|| self.get(&format!("s{place}"))).unwrap_or_default()
    }

    /// Enters a value, and marks it as given.
    fn fill(&mut self, place: &str, shape: &Shape, value: Option<&Value>) {
        if value.is_some_and(|value| *value != Value::Nil || shape.wire == Type::Nil) {
            self.0.insert(format!("g{place}"), "1".into());
        }
        let example = example::value("", shape, 0, Purpose::Call);
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

/// A value that was entered and is none of its type.
#[derive(Clone, Debug)]
pub(crate) struct Mistake {
    /// The place of its field; empty for the form as a whole.
    place: String,
    /// Its name for readers, as `people[0].name`.
    name: String,
    message: String,
}

impl Mistake {
    pub(super) fn of_form(message: &str) -> Mistake {
        Mistake { place: String::new(), name: String::new(), message: message.to_owned() }
    }
}

impl fmt::Display for Mistake {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.name.is_empty() {
            true => f.write_str(&self.message),
            false => write!(f, "{}: {}", self.name, self.message),
        }
    }
}

/// A form with what was entered, and what is wrong with that.
pub(super) struct Form<'a> {
    pub(super) fields: &'a Fields,
    pub(super) mistakes: &'a [Mistake],
    /// The start of the ids on the page.
    pub(super) id: &'a str,
}

/// A field: the name and place of its value.
struct Field<'a> {
    name: &'a str,
    place: &'a str,
    shape: &'a Shape,
    optional: bool,
}

impl Field<'_> {
    /// Tests whether its value may be left out, or nil instead.
    fn may_be_absent(&self) -> bool {
        self.optional || self.shape.nullable
    }

    /// Tests whether a value is one that nobody should see, by its name.
    fn is_secret(&self) -> bool {
        let name = self.name.to_lowercase();
        self.shape.wire == Type::String && ["passw", "secret", "token"].iter().any(|word| name.contains(word))
    }
}

impl Form<'_> {
    /// Renders the fields of all params.
    pub(super) fn all(&self, detail: &Detail) -> Markup {
        html! {
            @for (index, Named { name, shape, optional, .. }) in detail.params.iter().enumerate() {
                (self.field(&Field { name, place: &index.to_string(), shape, optional: *optional }))
            }
        }
    }

    fn field(&self, field: &Field<'_>) -> Markup {
        let Field { name, place, shape, .. } = *field;
        let inside = |name: &str, index: usize, shape: &Shape, optional: bool| {
            self.field(&Field { name, place: &format!("{place}.{index}"), shape, optional })
        };
        let label = html! {
            @if field.may_be_absent() {
                label { input type="checkbox" name=(format!("g{place}")) value="1" checked[self.fields.is_given(place)]; " " (name) }
            } @else { (name) }
            span.note { " " (shape.type_name()) }
        };
        match Control::of(shape) {
            Control::Scalar | Control::Json if field.may_be_absent() => html! {
                div.field { span { (label) } (self.input(field)) (self.mistake(place)) }
            },
            Control::Scalar | Control::Json => html! {
                label.field { span { (label) } (self.input(field)) (self.mistake(place)) }
            },
            Control::Members => group(
                &label,
                &html! {
                    @for (index, member) in shape.members.iter().enumerate() {
                        (inside(&member.name, index, &member.shape, member.optional))
                    }
                },
            ),
            Control::Places => group(
                &label,
                &html! {
                    @for (index, shape) in shape.places.iter().enumerate() {
                        (inside(&format!("{name}[{index}]"), index, shape, false))
                    }
                },
            ),
            Control::Items(items) => group(
                &label,
                &html! {
                    @let count = self.fields.count(place);
                    input type="hidden" name=(format!("n{place}")) value=(count);
                    @for index in 0..count { (inside(&format!("{name}[{index}]"), index, items, false)) }
                    button name="more" value=(place) { "Add one to " (name) }
                    @if count > 0 { " " button name="fewer" value=(place) { "Remove one from " (name) } }
                },
            ),
        }
    }

    fn input(&self, field: &Field<'_>) -> Markup {
        let Field { place, shape, .. } = *field;
        let text = self.fields.text(place);
        let name = format!("{}{place}", if field.is_secret() { 's' } else { 'v' });
        let label = field.may_be_absent().then_some(field.name);
        let is_wrong = self.mistakes.iter().any(|mistake| mistake.place == place);
        let (invalid, told) = (is_wrong.then_some("true"), is_wrong.then(|| self.mistake_id(place)));
        let choice = |value: &str| html! { option value=(value) selected[value == text] { (value) } };
        let choices = |values: &[&str]| {
            html! {
                select name=(name) aria-label=[label] aria-invalid=[invalid] aria-describedby=[&told] {
                    @for value in values { (choice(value)) }
                }
            }
        };
        let line = |kind: Option<&str>, mode: Option<&str>| {
            html! {
                input name=(name) value=(text) type=[kind] inputmode=[mode] step=[kind.filter(|kind| *kind == "datetime-local").map(|_| "1")]
                    autocomplete="off" aria-label=[label] aria-invalid=[invalid] aria-describedby=[&told];
            }
        };
        let lines = |rows: usize, is_code: bool| {
            html! {
                textarea name=(name) rows=(rows) spellcheck=[is_code.then_some("false")] autocomplete="off"
                    // browsers drop a first line break
                    aria-label=[label] aria-invalid=[invalid] aria-describedby=[&told] { "\n" (text) }
            }
        };
        html! {
            @match shape.wire {
                _ if !shape.values.is_empty() => (choices(&shape.values.iter().map(String::as_str).collect::<Vec<_>>())),
                Type::Boolean => (choices(&["true", "false"])),
                Type::Int | Type::I8 => (line(None, Some("numeric"))),
                Type::Double => (line(None, Some("decimal"))),
                Type::DateTime => (line(Some("datetime-local"), None)),
                Type::Struct | Type::Array => { (lines(2, true)) span.note { "JSON" } },
                Type::Undefined => { (lines(2, true)) span.note { "JSON, or text" } },
                Type::Nil => span.note { "is always nil" },
                Type::Base64 => { (line(None, None)) span.note { "in base64" } },
                Type::String if field.is_secret() => (line(Some("password"), None)),
                Type::String if shape.format.as_deref() == Some("date") => (line(Some("date"), None)),
                // as high as its text: in an input, line breaks are lost
                Type::String => (lines(text.lines().count().clamp(1, 12), false)),
            }
        }
    }

    /// Renders what is wrong with the value at a place.
    fn mistake(&self, place: &str) -> Markup {
        let mistake = self.mistakes.iter().find(|mistake| mistake.place == place);
        html! { @if let Some(mistake) = mistake { span.mistake id=(self.mistake_id(place)) { (mistake.message) } } }
    }

    fn mistake_id(&self, place: &str) -> String {
        format!("{}-{place}", self.id)
    }
}

/// Renders a group of fields.
fn group(label: &Markup, fields: &Markup) -> Markup {
    html! { fieldset { legend { (label) } (fields) } }
}

/// Reads the params that were entered for one of the ways to call a method.
///
/// # Errors
/// A mistake for each field: what was expected where, and what was found.
pub(super) fn params(detail: &Detail, fields: &Fields) -> Result<Vec<Value>, Vec<Mistake>> {
    let mut reader = FormReader { fields, mistakes: Vec::new() };
    let mut params = Vec::with_capacity(detail.params.len());
    for (index, Named { name, shape, optional, .. }) in detail.params.iter().enumerate() {
        params.push(reader.entered(&Field { name, place: &index.to_string(), shape, optional: *optional }));
    }
    if !reader.mistakes.is_empty() {
        return Err(reader.mistakes);
    }
    let last_given = params.iter().rposition(Option::is_some).map_or(0, |index| index + 1);
    params.truncate(last_given);
    Ok(params.into_iter().map(|param| param.unwrap_or(Value::Nil)).collect())
}

struct FormReader<'a> {
    fields: &'a Fields,
    mistakes: Vec<Mistake>,
}

impl FormReader<'_> {
    /// Reads a value that was entered; `None` if it is left out.
    fn entered(&mut self, field: &Field<'_>) -> Option<Value> {
        let Field { name, place, shape, optional } = *field;
        if field.may_be_absent() && !self.fields.is_given(place) {
            return (!optional).then_some(Value::Nil);
        }
        Some(match Control::of(shape) {
            Control::Scalar | Control::Json => {
                let text = self.fields.text(place);
                scalar(text, shape).unwrap_or_else(|| {
                    let message = format!("expected {}, found \"{}\"", shape.wire.in_words(), excerpt(text));
                    self.mistakes.push(Mistake { place: place.to_owned(), name: name.to_owned(), message });
                    Value::Nil
                })
            }
            Control::Items(of) => {
                Value::Array((0..self.fields.count(place)).map(|index| self.item(field, index, of)).collect())
            }
            Control::Places => {
                Value::Array(shape.places.iter().enumerate().map(|(index, of)| self.item(field, index, of)).collect())
            }
            Control::Members => {
                let mut members = Vec::with_capacity(shape.members.len());
                for (index, Named { name: member, shape, optional, .. }) in shape.members.iter().enumerate() {
                    let (name, place) = (format!("{name}.{member}"), format!("{place}.{index}"));
                    let value = self.entered(&Field { name: &name, place: &place, shape, optional: *optional });
                    members.extend(value.map(|value| (member.clone(), value)));
                }
                Value::Struct(members.into())
            }
        })
    }

    fn item(&mut self, array: &Field<'_>, index: usize, shape: &Shape) -> Value {
        let (name, place) = (format!("{}[{index}]", array.name), format!("{}.{index}", array.place));
        self.entered(&Field { name: &name, place: &place, shape, optional: false }).unwrap_or(Value::Nil)
    }
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
