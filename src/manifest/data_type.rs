//! Types that a manifest describes: how their values are read, and their schemas for the page.
//!
//! Values of a call and results of programs are read by the same rules as Rust types.

use std::fmt;

use schemars::Schema;
use serde::de::{self, DeserializeSeed, Deserializer, Error, MapAccess, SeqAccess, Visitor};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value as Json, json};

use crate::description::bounds::{Bounds, Number};
use crate::wire::Type;
use crate::wire::value::{Base64, DataError, DateTime, Members, Value, WireTypes, exactly, excerpt, place, text_of};

/// The description of a type.
#[derive(Clone, Debug)]
pub(super) struct DataType {
    pub(super) wire: Type,
    /// Markdown.
    pub(super) help: String,
    /// A value that makes sense.
    pub(super) example: Option<Value>,
    pub(super) bounds: Bounds,
    /// The members of a struct; if there are none, it is any struct.
    pub(super) members: Vec<Member>,
    /// The type of an array's items; `None` for anything.
    pub(super) items: Option<Box<DataType>>,
    /// The type of all members of a struct whose members may have any names; `None` for anything.
    pub(super) values: Option<Box<DataType>>,
    /// Set if an int has 64 bits: `integer`.
    pub(super) is_wide: bool,
    /// Set if it may also be nil.
    pub(super) or_nil: bool,
    /// Set if a string may also be octets, where a language knows no difference.
    pub(super) or_octets: bool,
    /// The type of a module's language that values become, where they do not tell by themselves.
    pub(super) cast: Option<Cast>,
}

/// A type of a language that values become only where it is asked for.
#[derive(Clone, Copy, Debug, Deserialize, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum Cast {
    /// JavaScript's `bigint`.
    BigInt,
    /// Ruby's `Date`.
    Day,
}

/// The name of an int of 64 bits, which is no type of the wire: written as an int where it fits, and else as an i8.
pub(super) const INTEGER: &str = "integer";

/// A member of a struct.
#[derive(Clone, Debug)]
pub(super) struct Member {
    pub(super) name: String,
    pub(super) optional: bool,
    pub(super) of: DataType,
}

impl DataType {
    /// Returns the description of any value of a type.
    pub(super) fn of(wire: Type) -> DataType {
        DataType {
            wire,
            help: String::new(),
            example: None,
            bounds: Bounds::default(),
            members: Vec::new(),
            items: None,
            values: None,
            is_wide: false,
            or_nil: false,
            or_octets: false,
            cast: None,
        }
    }

    /// Creates the type of anything, nil too.
    pub(super) fn any() -> DataType {
        DataType { or_nil: true, ..DataType::of(Type::Undefined) }
    }

    /// Keeps what a language needs to know of a type that a manifest describes again.
    pub(super) fn keep_form(&mut self, own: &DataType) {
        if self.wire != own.wire {
            return;
        }
        self.cast = self.cast.or(own.cast);
        self.or_octets |= own.or_octets;
        for (inner, own) in [(&mut self.items, &own.items), (&mut self.values, &own.values)] {
            if let (Some(inner), Some(own)) = (inner, own) {
                inner.keep_form(own);
            }
        }
        for member in &mut self.members {
            if let Some(own) = own.members.iter().find(|own| own.name == member.name) {
                member.of.keep_form(&own.of);
            }
        }
    }

    /// Returns the description of any value of the type of this name, if there is one.
    pub(super) fn of_name(name: &str) -> Option<DataType> {
        match name {
            INTEGER => Some(DataType { is_wide: true, ..DataType::of(Type::Int) }),
            name => Type::of_name(name).map(DataType::of),
        }
    }

    /// Tests whether a value of it is one word of text.
    pub(super) fn is_scalar(&self) -> bool {
        !matches!(self.wire, Type::Struct | Type::Array | Type::Nil | Type::Undefined)
    }

    /// Reads a value from its text.
    ///
    /// # Errors
    /// A message with what was expected and what came.
    pub(super) fn read_text(&self, text: &str) -> Result<Value, String> {
        let word = text.trim();
        let expected = || format!("expected {}, found \"{}\"", self.expected(), excerpt(text));
        let value = match self.wire {
            Type::Int if !self.is_wide => Value::Int(word.parse::<i32>().map_err(|_| expected())?.into()),
            Type::Int | Type::I8 => Value::Int(word.parse().map_err(|_| expected())?),
            Type::Double => {
                let number = word.parse().ok().filter(|number: &f64| number.is_finite()).ok_or_else(expected)?;
                if word.parse::<i128>().is_ok_and(|integer| exactly(integer).is_none()) {
                    return Err(format!("{}, which a double cannot hold exactly", expected()));
                }
                Value::Double(number)
            }
            Type::Boolean => match word {
                // as shells, and as Python and others write them
                "1" | "true" | "True" => Value::Boolean(true),
                "0" | "false" | "False" => Value::Boolean(false),
                _ => return Err(expected()),
            },
            Type::DateTime => Value::DateTime(word.parse().map_err(|_| expected())?),
            Type::Nil => Value::Nil,
            _ => Value::String(text.to_owned()),
        };
        self.bounds.refusal(&value).map_or(Ok(value), Err)
    }

    /// Describes the text of a value.
    fn expected(&self) -> &'static str {
        match self.wire {
            Type::Int if self.is_wide => "int (64 bits; a string can have more)",
            Type::Int => "int (32 bits; i8 has 64)",
            Type::I8 => "i8 (64 bits; a string can have more)",
            Type::Boolean => "boolean (1, 0, true or false)",
            Type::DateTime => "dateTime.iso8601 (2026-11-24T12:00:00)",
            wire => wire.name(),
        }
    }

    /// Returns its schema, as a Rust type has one. An optional value may be nil.
    pub(super) fn schema(&self, optional: bool, default: Option<&Value>) -> Schema {
        let mut schema = self.wire.schema();
        let Some(object) = schema.as_object_mut() else { return schema };
        if self.is_wide {
            object.remove("format");
        }
        if (optional || self.or_nil)
            && let Some(Json::String(name)) = object.get("type")
        {
            object.insert("type".into(), json!([name, "null"]));
        }
        let text = |text: &str| (!text.is_empty()).then(|| Json::from(text));
        for (keyword, value) in [
            ("description", text(&self.help)),
            ("enum", (!self.bounds.choices.is_empty()).then(|| self.bounds.choices.iter().map(as_json).collect())),
            ("pattern", self.bounds.pattern.as_ref().map(|pattern| pattern.as_str().into())),
            ("minimum", self.bounds.minimum.map(|bound| number_as_json(bound.number))),
            ("maximum", self.bounds.maximum.map(|bound| number_as_json(bound.number))),
            ("maxLength", self.bounds.max_length.map(Json::from)),
            ("default", default.map(as_json)),
            ("examples", self.example.as_ref().map(|example| json!([as_json(example)]))),
            ("items", self.items.as_ref().map(|items| items.schema(false, None).to_value())),
            ("additionalProperties", self.values.as_ref().map(|values| values.schema(false, None).to_value())),
        ] {
            object.extend(value.map(|value| (keyword.to_owned(), value)));
        }
        if !self.members.is_empty() {
            let members = self.members.iter();
            let property = |member: &Member| (member.name.clone(), member.of.schema(member.optional, None).to_value());
            let properties: Map<String, Json> = members.clone().map(property).collect();
            object.insert("properties".into(), properties.into());
            let required = members.filter(|member| !member.optional).map(|member| member.name.clone());
            object.insert("required".into(), required.collect());
            object.insert("additionalProperties".into(), false.into());
        }
        schema
    }
}

fn as_json(value: &Value) -> Json {
    match value {
        Value::Int(value) => (*value).into(),
        Value::Double(value) => (*value).into(),
        Value::Boolean(value) => (*value).into(),
        value => text_of(value).map(|text| String::from_utf8_lossy(&text).into()).unwrap_or_default(),
    }
}

fn number_as_json(number: Number) -> Json {
    match number {
        Number::Int(value) => value.into(),
        Number::Double(value) => value.into(),
    }
}

/// A reader of values of a type.
#[derive(Clone, Copy)]
pub(super) struct Reading<'t> {
    of: &'t DataType,
    /// Set if an empty array may stand for an empty struct: PHP writes both alike.
    is_output: bool,
}

impl DataType {
    /// Reads a param.
    pub(super) fn reading(&self) -> Reading<'_> {
        Reading { of: self, is_output: false }
    }

    /// Tests whether a value is read as what it is, and then looked at.
    fn is_looked_at(&self) -> bool {
        matches!(self.wire, Type::Nil | Type::Undefined) || self.is_wide || self.or_octets
    }

    /// Returns such a value, if it is of this type.
    fn fitting(&self, value: Value) -> Result<Value, String> {
        match (self.wire, &value) {
            (Type::Undefined, _)
            | (Type::Nil, Value::Nil)
            | (Type::Int, Value::Int(_))
            | (Type::String, Value::String(_) | Value::Base64(_)) => Ok(value),
            _ => Err(format!("expected {}, found {}", self.wire, value.type_name())),
        }
    }

    /// Makes of a result what it is described as; a value that is something else stays as it is.
    ///
    /// # Errors
    /// That value, with a message that tells what was expected and what came.
    pub(super) fn settle(&self, value: Value) -> Result<Value, (Value, String)> {
        if self.wire == Type::Undefined && self.bounds.choices.is_empty() {
            return Ok(value);
        }
        place::begin();
        let settled = self.reading_output().deserialize(value.clone().into_typed::<DataError>(WireTypes::All));
        settled.map_err(|error| (value, format!("in result{}: {error}", place::taken())))
    }

    /// Reads what a program has written.
    pub(super) fn reading_output(&self) -> Reading<'_> {
        Reading { of: self, is_output: true }
    }
}

impl<'t> Reading<'t> {
    /// Returns the same for an inner type.
    fn inner(self, of: &'t DataType) -> Reading<'t> {
        Reading { of, ..self }
    }
}

impl<'de> DeserializeSeed<'de> for Reading<'_> {
    type Value = Value;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Value, D::Error> {
        match self.of.or_nil {
            true => OrNil(self).deserialize(deserializer),
            false => self.read(deserializer),
        }
    }
}

impl Reading<'_> {
    /// Reads a value that is not nil, unless that is its type.
    fn read<'de, D: Deserializer<'de>>(self, deserializer: D) -> Result<Value, D::Error> {
        let value = match self.of.wire {
            _ if self.of.is_looked_at() => {
                self.of.fitting(Value::deserialize(deserializer)?).map_err(D::Error::custom)?
            }
            Type::Int => i32::deserialize(deserializer).map(Value::from)?,
            Type::I8 => i64::deserialize(deserializer).map(Value::from)?,
            Type::Boolean => bool::deserialize(deserializer).map(Value::from)?,
            Type::String => String::deserialize(deserializer).map(Value::from)?,
            Type::Double => f64::deserialize(deserializer).map(Value::from)?,
            Type::DateTime => DateTime::deserialize(deserializer).map(Value::from)?,
            Type::Base64 => Base64::deserialize(deserializer).map(Value::from)?,
            Type::Struct if self.is_output => deserializer.deserialize_any(StructVisitor(self))?,
            Type::Struct => deserializer.deserialize_map(StructVisitor(self))?,
            Type::Array => deserializer.deserialize_seq(ItemsVisitor(self))?,
            // these are looked at
            Type::Nil | Type::Undefined => Value::Nil,
        };
        match self.of.bounds.refusal(&value) {
            None => Ok(value),
            Some(message) => Err(D::Error::custom(message)),
        }
    }
}

/// A reader of values that may be nil.
pub(super) struct OrNil<'t>(pub(super) Reading<'t>);

impl<'de> DeserializeSeed<'de> for OrNil<'_> {
    type Value = Value;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Value, D::Error> {
        deserializer.deserialize_option(self)
    }
}

impl<'de> Visitor<'de> for OrNil<'_> {
    type Value = Value;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} or nil", self.0.of.wire)
    }

    fn visit_none<E>(self) -> Result<Value, E> {
        Ok(Value::Nil)
    }

    fn visit_unit<E>(self) -> Result<Value, E> {
        Ok(Value::Nil)
    }

    fn visit_some<D: Deserializer<'de>>(self, deserializer: D) -> Result<Value, D::Error> {
        self.0.read(deserializer)
    }
}

struct ItemsVisitor<'t>(Reading<'t>);

impl<'de> Visitor<'de> for ItemsVisitor<'_> {
    type Value = Value;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("array")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Value, A::Error> {
        let ItemsVisitor(reading) = self;
        let anything = DataType::of(Type::Undefined);
        let of = reading.of.items.as_deref().unwrap_or(&anything);
        let mut items = Vec::new();
        while let Some(item) = seq.next_element_seed(reading.inner(of))? {
            items.push(item);
        }
        Ok(Value::Array(items))
    }
}

struct StructVisitor<'t>(Reading<'t>);

impl<'de> Visitor<'de> for StructVisitor<'_> {
    type Value = Value;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("struct")
    }

    /// Reads an empty array, if that may stand for a struct.
    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Value, A::Error> {
        let StructVisitor(reading) = self;
        match seq.next_element::<de::IgnoredAny>()? {
            None if reading.is_output && reading.of.members.iter().all(|member| member.optional) => {
                Ok(Value::Struct(Members::new()))
            }
            _ => Err(A::Error::custom("expected struct, found array")),
        }
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Value, A::Error> {
        let StructVisitor(reading) = self;
        let described = &reading.of.members;
        let mut members: Vec<(String, Value)> = Vec::new();
        while let Some(name) = map.next_key::<String>()? {
            let value = match described.iter().find(|member| member.name == name) {
                Some(member) if members.iter().any(|(known, _)| *known == member.name) => {
                    return Err(A::Error::custom(format_args!("expected member {name:?} once, found it again")));
                }
                Some(Member { optional: true, of, .. }) => map.next_value_seed(OrNil(reading.inner(of)))?,
                Some(member) => map.next_value_seed(reading.inner(&member.of))?,
                None if described.is_empty() => match reading.of.values.as_deref() {
                    Some(values) => map.next_value_seed(reading.inner(values))?,
                    None => map.next_value()?,
                },
                None => return Err(unknown_member(&name, described)),
            };
            members.push((name, value));
        }
        let is_missing = |member: &&Member| !member.optional && !members.iter().any(|(known, _)| *known == member.name);
        match described.iter().find(is_missing) {
            None => Ok(Value::Struct(members.into())),
            Some(Member { name, .. }) => {
                let message = format_args!("expected struct with member {name:?}, found none of that name");
                Err(A::Error::custom(message))
            }
        }
    }
}

fn unknown_member<E: de::Error>(name: &str, described: &[Member]) -> E {
    let known: Vec<String> = described.iter().map(|member| format!("{:?}", member.name)).collect();
    E::custom(format_args!("expected members {}, found \"{}\"", known.join(" or "), excerpt(name)))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn number(wire: Type) -> DataType {
        let (minimum, maximum) = (Some(Number::Int(1).into()), Some(Number::Int(9).into()));
        DataType { bounds: Bounds { minimum, maximum, ..Bounds::default() }, ..DataType::of(wire) }
    }

    #[test]
    fn texts() {
        let ok = |of: &DataType, text: &str, value: Value| assert_eq!(of.read_text(text), Ok(value), "{text:?}");
        let refused =
            |of: &DataType, text: &str, message: &str| assert_eq!(of.read_text(text), Err(message.to_owned()));
        ok(&DataType::of(Type::Int), " 5 ", 5.into());
        refused(&DataType::of(Type::Int), "5.0", "expected int (32 bits; i8 has 64), found \"5.0\"");
        refused(&DataType::of(Type::Int), "2147483648", "expected int (32 bits; i8 has 64), found \"2147483648\"");
        ok(&DataType::of(Type::I8), "-2147483649", (-2_147_483_649_i64).into());
        ok(&DataType::of(Type::Double), "1e3", 1000.0.into());
        refused(&DataType::of(Type::Double), "nan", "expected double, found \"nan\"");
        ok(&DataType::of(Type::Boolean), "true", true.into());
        refused(&DataType::of(Type::Boolean), "yes", "expected boolean (1, 0, true or false), found \"yes\"");
        ok(&DataType::of(Type::String), " a ", " a ".into());
        ok(&DataType::of(Type::Nil), "whatever", Value::Nil);
        refused(
            &DataType::of(Type::DateTime),
            "today",
            "expected dateTime.iso8601 (2026-11-24T12:00:00), found \"today\"",
        );
        ok(&number(Type::Int), "9", 9.into());
        refused(&number(Type::Int), "0", "expected a number of at least 1, found 0");
        refused(&number(Type::Double), "9.5", "expected a number of at most 9, found 9.5");
    }
}
