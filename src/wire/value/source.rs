//! Values as a source for the rules of [`TypedDeserializer`], with a trace of the format they came from.

use std::borrow::Cow;
use std::fmt;
use std::marker::PhantomData;
use std::vec::IntoIter;

use schemars::{JsonSchema, Schema, SchemaGenerator};
use serde::de::{self, Deserialize, DeserializeSeed, Deserializer, MapAccess, SeqAccess, Visitor};

use super::Value;
use super::base64::Base64;
use super::place;
use super::typed::{MemberName, Node, Source, TypedDeserializer};

impl Value {
    /// Decodes a value into a type by the rules that decode a document.
    pub(crate) fn into_typed<'de, E: de::Error>(self, format: WireTypes) -> TypedDeserializer<'de, ValueSource<E>> {
        self.into_typed_at(format, 0)
    }

    /// Decodes a value that is inside of `depth` arrays and structs.
    pub(crate) fn into_typed_at<'de, E: de::Error>(
        self,
        format: WireTypes,
        depth: u32,
    ) -> TypedDeserializer<'de, ValueSource<E>> {
        TypedDeserializer::Closed(ValueSource { value: self, format, depth, error: PhantomData })
    }
}

/// The types of the format that a value came from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum WireTypes {
    All,
    /// None for dates and octets: any string may be one.
    Text,
}

/// Values, and the types of the format they came from.
pub(crate) struct Untyped {
    pub(crate) values: Vec<Value>,
    pub(crate) format: WireTypes,
}

impl Untyped {
    /// The name by which formats that have all types recognise it.
    pub(super) const NAME: &'static str = "$rpcgi::Untyped";
}

impl<'de> Deserialize<'de> for Untyped {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Untyped, D::Error> {
        deserializer.deserialize_newtype_struct(Untyped::NAME, ReceivedVisitor)
    }
}

struct ReceivedVisitor;

impl<'de> Visitor<'de> for ReceivedVisitor {
    type Value = Untyped;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("array")
    }

    fn visit_newtype_struct<D: Deserializer<'de>>(self, deserializer: D) -> Result<Untyped, D::Error> {
        Ok(Untyped { values: Vec::deserialize(deserializer)?, format: WireTypes::Text })
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Untyped, A::Error> {
        let mut values = Vec::new();
        while let Some(value) = seq.next_element()? {
            values.push(value);
        }
        Ok(Untyped { values, format: WireTypes::All })
    }
}

impl JsonSchema for Untyped {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> Cow<'static, str> {
        "Untyped".into()
    }

    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        Vec::<Value>::json_schema(generator)
    }
}

/// A [`Value`] as a source for [`TypedDeserializer`].
pub(crate) struct ValueSource<E> {
    value: Value,
    format: WireTypes,
    depth: u32,
    error: PhantomData<E>,
}

/// The items of an array, or the members of a struct.
pub(crate) struct Inside<I, E> {
    left: I,
    /// The number of items that were taken.
    index: usize,
    /// The value of the current member, and its name.
    member: Option<(String, Value)>,
    format: WireTypes,
    depth: u32,
    error: PhantomData<E>,
}

impl<'de, E: de::Error> SeqAccess<'de> for Inside<IntoIter<Value>, E> {
    type Error = E;

    fn next_element_seed<T: DeserializeSeed<'de>>(&mut self, seed: T) -> Result<Option<T::Value>, E> {
        let Some(value) = self.left.next() else { return Ok(None) };
        let item = seed.deserialize(value.into_typed_at::<E>(self.format, self.depth));
        if item.is_err() {
            place::note_item(self.depth, self.index);
        }
        self.index += 1;
        item.map(Some)
    }

    fn size_hint(&self) -> Option<usize> {
        Some(self.left.len())
    }
}

impl<'de, E: de::Error> MapAccess<'de> for Inside<IntoIter<(String, Value)>, E> {
    type Error = E;

    fn next_key_seed<K: DeserializeSeed<'de>>(&mut self, seed: K) -> Result<Option<K::Value>, E> {
        self.member = self.left.next();
        match &self.member {
            Some((name, _)) => seed.deserialize(MemberName::new(name.clone().into())).map(Some),
            None => Ok(None),
        }
    }

    fn next_value_seed<V: DeserializeSeed<'de>>(&mut self, seed: V) -> Result<V::Value, E> {
        let Some((name, value)) = self.member.take() else {
            return Err(E::custom("expected the value of a member, found none"));
        };
        let value = seed.deserialize(value.into_typed_at::<E>(self.format, self.depth));
        if value.is_err() {
            place::note_member(self.depth, &name);
        }
        value
    }

    fn size_hint(&self) -> Option<usize> {
        Some(self.left.len())
    }
}

impl<'de, E: de::Error> Source<'de> for ValueSource<E> {
    type Error = E;
    type Array = Inside<IntoIter<Value>, E>;
    type Struct = Inside<IntoIter<(String, Value)>, E>;

    fn open(self) -> Result<Node<'de, Self::Array, Self::Struct>, E> {
        let ValueSource { value, format, depth, error } = self;
        let depth = depth + 1;
        Ok(match value {
            Value::Int(value) => Node::Int(value),
            Value::Boolean(value) => Node::Boolean(value),
            Value::String(value) if format == WireTypes::Text => Node::Text(value.into()),
            Value::String(value) => Node::String(value.into()),
            Value::Double(value) => Node::Double(value),
            // with the fraction of a second, which is read though not written
            Value::DateTime(value) => Node::DateTime(value.0.to_string().into()),
            Value::Base64(Base64(value)) => Node::Base64(value),
            Value::Array(items) => {
                let left = items.into_iter();
                Node::Array(Inside { left, index: 0, member: None, format, depth, error })
            }
            Value::Struct(members) => {
                let left = members.into_iter();
                Node::Struct(Inside { left, index: 0, member: None, format, depth, error })
            }
            Value::Nil => Node::Nil,
        })
    }

    fn close_array(mut array: Self::Array) -> Result<(), E> {
        match array.left.next() {
            None => Ok(()),
            Some(_) => Err(E::custom("expected the end of the array, found one more item")),
        }
    }

    fn close_struct(mut members: Self::Struct) -> Result<(), E> {
        match members.left.next() {
            None => Ok(()),
            Some(_) => Err(E::custom("expected the end of the struct, found one more member")),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::{DataError, DateTime, Members};
    use super::*;

    #[derive(Debug, PartialEq, serde::Deserialize)]
    struct Book {
        authors: Vec<String>,
        year: Option<i32>,
    }

    fn book(authors: impl Into<Value>) -> Value {
        Members::from([("authors", authors.into()), ("year", 1998.into())]).into()
    }

    fn read<T: de::DeserializeOwned>(value: Value, format: WireTypes) -> Result<T, DataError> {
        place::begin();
        T::deserialize(value.into_typed(format))
    }

    /// Returns the place of a mistake, and its text.
    fn refusal<T: de::DeserializeOwned>(value: Value) -> Option<(String, String)> {
        read::<T>(value, WireTypes::All).err().map(|error| (place::taken(), error.to_string()))
    }

    #[test]
    fn received_roundtrip() {
        let values = vec![Value::Int(1), book(vec!["a".into()]), Base64(vec![1]).into(), Value::Nil];
        let received: Untyped = read(Value::Array(values.clone()), WireTypes::All).unwrap();
        assert_eq!((received.values, received.format), (values, WireTypes::All));
        // a format without types for dates and octets does not know the name
        let received: Untyped = serde_json::from_str(r#"[1, {"a": [null]}]"#).unwrap();
        let values = vec![1.into(), Members::from([("a", vec![Value::Nil])]).into()];
        assert_eq!((received.values, received.format), (values, WireTypes::Text));
    }

    #[test]
    fn types_of_the_format_spec() {
        let date: DateTime = "19980717T14:08:55.25".parse().unwrap();
        assert_eq!(read::<DateTime>(date.into(), WireTypes::All).unwrap(), date);
        assert_eq!(read::<DateTime>("1998-07-17T14:08:55.25".into(), WireTypes::Text).unwrap(), date);
        assert_eq!(read::<Base64>("Zm9vYmFy".into(), WireTypes::Text).unwrap().0, b"foobar");
        let expected = Book { authors: vec!["a".into()], year: Some(1998) };
        assert_eq!(read::<Book>(book(vec!["a".into()]), WireTypes::All).unwrap(), expected);
    }

    #[test]
    fn places_invalid() {
        let one = |value: Value| Value::Array(vec![value]);
        for (found, place, expected) in [
            (refusal::<Book>(1.into()), "", "expected struct, found int 1"),
            (refusal::<Book>(book(1)), ".authors", "expected array, found int 1"),
            (refusal::<Book>(book(vec!["a".into(), true.into()])), ".authors[1]", "expected string, found boolean 1"),
            (refusal::<Vec<Book>>(one(book(Value::Nil))), "[0].authors", "expected array, found nil"),
            (
                refusal::<Book>(Members::from([("year", 1)]).into()),
                "",
                "expected struct with member \"authors\", found none of that name",
            ),
            (
                refusal::<[i32; 1]>(vec![1.into(), 2.into()].into()),
                "",
                "expected the end of the array, found one more item",
            ),
            (refusal::<(i32, i32)>(one(1.into())), "", "expected array of 2 items, found 1 items"),
            (refusal::<DateTime>("19980717T14:08:55".into()), "", "expected dateTime.iso8601, found string"),
        ] {
            assert_eq!(found, Some((place.to_owned(), expected.to_owned())));
        }
    }
}
