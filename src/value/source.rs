//! Values as a source for the rules of [`Typed`], and what is left of the format they came from.

use std::borrow::Cow;
use std::fmt;
use std::iter::Map;
use std::marker::PhantomData;
use std::vec::IntoIter;

use schemars::{JsonSchema, Schema, SchemaGenerator};
use serde::de::value::{MapDeserializer, SeqDeserializer};
use serde::de::{self, Deserialize, Deserializer, IntoDeserializer, SeqAccess, Visitor};

use super::Value;
use super::base64::Base64;
use super::typed::{Node, Source, Typed};

impl Value {
    /// Decodes a value into a type by the rules that decode a document.
    pub(crate) fn into_typed<'de, E: de::Error>(self, format: FormatTypes) -> Typed<'de, ValueSource<E>> {
        Typed::Closed(ValueSource { value: self, format, error: PhantomData })
    }
}

/// Which types the format had that a value came from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum FormatTypes {
    All,
    /// None for dates and octets: any string may be one.
    Text,
}

/// Values, and where they came from.
pub(crate) struct Received {
    pub(crate) values: Vec<Value>,
    pub(crate) format: FormatTypes,
}

impl Received {
    /// How formats that have all types recognise it.
    pub(super) const NAME: &'static str = "$rpcgi::Received";
}

impl<'de> Deserialize<'de> for Received {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Received, D::Error> {
        deserializer.deserialize_newtype_struct(Received::NAME, ReceivedVisitor)
    }
}

struct ReceivedVisitor;

impl<'de> Visitor<'de> for ReceivedVisitor {
    type Value = Received;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("array")
    }

    fn visit_newtype_struct<D: Deserializer<'de>>(self, deserializer: D) -> Result<Received, D::Error> {
        Ok(Received { values: Vec::deserialize(deserializer)?, format: FormatTypes::Text })
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Received, A::Error> {
        let mut values = Vec::new();
        while let Some(value) = seq.next_element()? {
            values.push(value);
        }
        Ok(Received { values, format: FormatTypes::All })
    }
}

impl JsonSchema for Received {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> Cow<'static, str> {
        "Received".into()
    }

    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        Vec::<Value>::json_schema(generator)
    }
}

/// A [`Value`] as a source for [`Typed`].
pub(crate) struct ValueSource<E> {
    value: Value,
    format: FormatTypes,
    error: PhantomData<E>,
}

/// A value inside another, as serde's own deserializers for arrays and structs take it.
pub(crate) struct Inner {
    value: Value,
    format: FormatTypes,
}

impl Inner {
    fn all(value: Value) -> Inner {
        Inner { value, format: FormatTypes::All }
    }

    fn text(value: Value) -> Inner {
        Inner { value, format: FormatTypes::Text }
    }
}

impl<'de, E: de::Error> IntoDeserializer<'de, E> for Inner {
    type Deserializer = Typed<'de, ValueSource<E>>;

    fn into_deserializer(self) -> Self::Deserializer {
        self.value.into_typed(self.format)
    }
}

impl<'de, E: de::Error> Source<'de> for ValueSource<E> {
    type Error = E;
    type Array = SeqDeserializer<Map<IntoIter<Value>, fn(Value) -> Inner>, E>;
    type Struct = MapDeserializer<'de, Map<IntoIter<(String, Value)>, fn((String, Value)) -> (String, Inner)>, E>;

    fn open(self) -> Result<Node<'de, Self::Array, Self::Struct>, E> {
        let inner: fn(Value) -> Inner = match self.format {
            FormatTypes::All => Inner::all,
            FormatTypes::Text => Inner::text,
        };
        Ok(match self.value {
            Value::Int(value) => Node::Int(value),
            Value::Boolean(value) => Node::Boolean(value),
            Value::String(value) if self.format == FormatTypes::Text => Node::Text(value.into()),
            Value::String(value) => Node::String(value.into()),
            Value::Double(value) => Node::Double(value),
            // with the fraction of a second, which is read though not written
            Value::DateTime(value) => Node::DateTime(value.0.to_string().into()),
            Value::Base64(Base64(value)) => Node::Base64(value),
            Value::Array(items) => Node::Array(SeqDeserializer::new(items.into_iter().map(inner))),
            Value::Struct(members) => {
                let member: fn((String, Value)) -> (String, Inner) = match self.format {
                    FormatTypes::All => |(name, value)| (name, Inner::all(value)),
                    FormatTypes::Text => |(name, value)| (name, Inner::text(value)),
                };
                Node::Struct(MapDeserializer::new(members.into_iter().map(member)))
            }
            Value::Nil => Node::Nil,
        })
    }

    fn close_array(array: Self::Array) -> Result<(), E> {
        array.end()
    }

    fn close_struct(members: Self::Struct) -> Result<(), E> {
        members.end()
    }
}
