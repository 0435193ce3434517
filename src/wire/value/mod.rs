//! Values without a Rust type of their own, and the two types that serde does not have.
//!
//! Vocabulary: every protocol reads and writes these, and this module knows none of them.

mod base64;
mod date_time;
mod error;
mod members;
mod of;
pub(crate) mod place;
mod source;
mod typed;
mod writer;

use std::borrow::Cow;
use std::fmt;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::de::{self, Deserialize, Deserializer, MapAccess, SeqAccess, Visitor};
use serde::ser::{Serialize, SerializeMap, Serializer};

pub use self::base64::Base64;
pub use self::date_time::{DateTime, ParseDateTimeError};
pub(crate) use self::error::{DataError, excerpt, wire_error_impl};
pub use self::members::Members;
pub(crate) use self::source::{Untyped, WireTypes};
pub(crate) use self::typed::{MemberName, Node, Source, TypedDeserializer, Variant, beyond_double, exactly};
pub(crate) use self::writer::{Double, Integer, Notation, OUTCOME, WriteError, write};
use crate::wire::Type;

/// Any value a call can carry, for methods and programs that do not know the types in advance.
///
/// Where the types are known, decode straight into them instead: it is faster and checks more. From JSON, which has no
/// types for them, dates and octets come as strings.
///
/// # Example
///
/// ```
/// use rpcgi::xmlrpc::{self, Value};
///
/// let value: Value =
/// xmlrpc::from_slice(b"<value><array><data><value>a</value><value><i4>1</i4></value></data></array></value>")?;
/// assert_eq!(value, Value::Array(vec!["a".into(), 1.into()]));
/// # Ok::<(), xmlrpc::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub enum Value {
    /// `int`, `i4` or `i8`.
    Int(i64),
    /// `boolean`.
    Boolean(bool),
    /// `string`.
    String(String),
    /// `double`.
    Double(f64),
    /// `dateTime.iso8601`.
    DateTime(DateTime),
    /// `base64`.
    Base64(Base64),
    /// `array`.
    Array(Vec<Value>),
    /// `struct`: members in the document's order, one of each name.
    Struct(Members),
    /// `nil`.
    Nil,
}

/// Returns a scalar as the octets of a word or text; `None` for an array, a struct or nil.
pub(crate) fn text_of(value: &Value) -> Option<Vec<u8>> {
    Some(match value {
        Value::Int(value) => value.to_string().into_bytes(),
        Value::Boolean(value) => u8::from(*value).to_string().into_bytes(),
        Value::String(value) => value.clone().into_bytes(),
        Value::Double(value) => value.to_string().into_bytes(),
        Value::DateTime(value) => value.0.format("%Y-%m-%dT%H:%M:%S").to_string().into_bytes(),
        Value::Base64(Base64(octets)) => octets.clone(),
        Value::Array(_) | Value::Struct(_) | Value::Nil => return None,
    })
}

impl Value {
    /// Returns the member `name` of a struct; `None` if this is not a struct or has no such member.
    pub fn member(&self, name: &str) -> Option<&Value> {
        match self {
            Value::Struct(members) => members.get(name),
            _ => None,
        }
    }

    /// Returns the name of this value's type, as signatures have it: `int`, `i8` beyond 32 bits, `dateTime.iso8601`,
    /// ...
    pub fn type_name(&self) -> &'static str {
        let wire = match self {
            Value::Int(value) if i32::try_from(*value).is_err() => Type::I8,
            Value::Int(_) => Type::Int,
            Value::Boolean(_) => Type::Boolean,
            Value::String(_) => Type::String,
            Value::Double(_) => Type::Double,
            Value::DateTime(_) => Type::DateTime,
            Value::Base64(_) => Type::Base64,
            Value::Array(_) => Type::Array,
            Value::Struct(_) => Type::Struct,
            Value::Nil => Type::Nil,
        };
        wire.name()
    }
}

macro_rules! from {
    ($($variant:ident($type:ty)),* $(,)?) => {$(
        impl From<$type> for Value {
            fn from(value: $type) -> Value {
                Value::$variant(value.into())
            }
        }
    )*};
}

from!(
    Int(i32),
    Int(i64),
    Boolean(bool),
    String(String),
    String(&str),
    Double(f64),
    DateTime(DateTime),
    Base64(Base64),
    Array(Vec<Value>),
);

impl Serialize for Value {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Value::Int(value) => serializer.serialize_i64(*value),
            Value::Boolean(value) => serializer.serialize_bool(*value),
            Value::String(value) => serializer.serialize_str(value),
            Value::Double(value) => serializer.serialize_f64(*value),
            Value::DateTime(value) => value.serialize(serializer),
            Value::Base64(value) => value.serialize(serializer),
            Value::Array(items) => items.serialize(serializer),
            Value::Struct(members) => {
                let mut map = serializer.serialize_map(Some(members.len()))?;
                for (name, value) in members {
                    map.serialize_entry(name, value)?;
                }
                map.end()
            }
            Value::Nil => serializer.serialize_none(),
        }
    }
}

impl<'de> Deserialize<'de> for Value {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Value, D::Error> {
        deserializer.deserialize_any(ValueVisitor)
    }
}

struct ValueVisitor;

impl<'de> Visitor<'de> for ValueVisitor {
    type Value = Value;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a value")
    }

    fn visit_bool<E>(self, value: bool) -> Result<Value, E> {
        Ok(Value::Boolean(value))
    }

    fn visit_i64<E>(self, value: i64) -> Result<Value, E> {
        Ok(Value::Int(value))
    }

    fn visit_u64<E: de::Error>(self, value: u64) -> Result<Value, E> {
        i64::try_from(value)
            .map(Value::Int)
            .map_err(|_| E::custom(format_args!("{value} is beyond i8: a string can have it")))
    }

    fn visit_f64<E>(self, value: f64) -> Result<Value, E> {
        Ok(Value::Double(value))
    }

    fn visit_str<E>(self, value: &str) -> Result<Value, E> {
        Ok(Value::String(value.into()))
    }

    fn visit_string<E>(self, value: String) -> Result<Value, E> {
        Ok(Value::String(value))
    }

    fn visit_bytes<E>(self, value: &[u8]) -> Result<Value, E> {
        Ok(Value::Base64(Base64(value.into())))
    }

    fn visit_byte_buf<E>(self, value: Vec<u8>) -> Result<Value, E> {
        Ok(Value::Base64(Base64(value)))
    }

    fn visit_none<E>(self) -> Result<Value, E> {
        Ok(Value::Nil)
    }

    fn visit_unit<E>(self) -> Result<Value, E> {
        Ok(Value::Nil)
    }

    fn visit_some<D: Deserializer<'de>>(self, deserializer: D) -> Result<Value, D::Error> {
        Value::deserialize(deserializer)
    }

    /// Reads a date, which [`TypedDeserializer`] announces this way.
    fn visit_newtype_struct<D: Deserializer<'de>>(self, deserializer: D) -> Result<Value, D::Error> {
        DateTime::from_text(deserializer).map(Value::DateTime)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Value, A::Error> {
        let mut items = Vec::new();
        while let Some(item) = seq.next_element()? {
            items.push(item);
        }
        Ok(Value::Array(items))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Value, A::Error> {
        let mut members: Vec<(String, Value)> = Vec::new();
        while let Some(member) = map.next_entry()? {
            members.push(member);
        }
        Ok(Value::Struct(members.into()))
    }
}

impl JsonSchema for Value {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> Cow<'static, str> {
        "Value".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!(true)
    }
}
