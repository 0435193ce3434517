//! The rules for decoding a value of the wire into Rust, once for every source of values.
//!
//! A [`Source`] opens one value as a [`Node`]; [`TypedDeserializer`] compares that with the type that Rust asks for,
//! and hands it over or says, in the wire's words, what was expected and what was found.

use std::borrow::Cow;
use std::fmt::Display;
use std::marker::PhantomData;

use serde::de::{
    self, DeserializeSeed, Deserializer, EnumAccess, IntoDeserializer, MapAccess, SeqAccess, VariantAccess, Visitor,
};

use super::Untyped;
use super::base64::Base64;
use super::date_time::DateTime;
use crate::wire::Type;

/// One value, opened: a scalar whole, an array or struct ready to be read.
pub(crate) enum Node<'de, A, S> {
    Int(i64),
    /// An integer beyond those of [`Node::Int`], which a type without a sign may hold.
    Unsigned(u64),
    Boolean(bool),
    String(Cow<'de, str>),
    /// A string of a format that has no types for dates and octets: it may be one of them.
    Text(Cow<'de, str>),
    Double(f64),
    /// As written; [`DateTime`] reads it.
    DateTime(Cow<'de, str>),
    Base64(Vec<u8>),
    Array(A),
    Struct(S),
    Nil,
}

impl<A, S> Node<'_, A, S> {
    /// Describes the value, for "expected int, found ...".
    fn describe(&self) -> Cow<'static, str> {
        match self {
            Node::Int(value) => format!("int {value}").into(),
            Node::Unsigned(value) => format!("int {value}").into(),
            Node::Boolean(value) => format!("boolean {}", u8::from(*value)).into(),
            Node::String(_) | Node::Text(_) => "string".into(),
            Node::Double(value) => format!("double {value}").into(),
            Node::DateTime(_) => Type::DateTime.name().into(),
            Node::Base64(_) => "base64".into(),
            Node::Array(_) => "array".into(),
            Node::Struct(_) => "struct".into(),
            Node::Nil => "nil".into(),
        }
    }

    fn mismatch<E: de::Error>(&self, expected: impl Display) -> E {
        E::custom(format_args!("expected {expected}, found {}", self.describe()))
    }
}

/// A value that has not been opened.
pub(crate) trait Source<'de>: Sized {
    type Error: de::Error;
    type Array: SeqAccess<'de, Error = Self::Error>;
    type Struct: MapAccess<'de, Error = Self::Error>;

    /// Opens the value.
    fn open(self) -> Result<Node<'de, Self::Array, Self::Struct>, Self::Error>;

    /// Ends an array; an error if items are left.
    fn close_array(array: Self::Array) -> Result<(), Self::Error>;

    /// Ends a struct; an error if members are left.
    fn close_struct(members: Self::Struct) -> Result<(), Self::Error>;
}

/// The serde deserializer over a [`Source`].
pub(crate) enum TypedDeserializer<'de, S: Source<'de>> {
    Closed(S),
    /// Opened to see whether it is nil, which it is not.
    Open(Node<'de, S::Array, S::Struct>),
}

impl<'de, S: Source<'de>> TypedDeserializer<'de, S> {
    #[inline]
    fn open(self) -> Result<Node<'de, S::Array, S::Struct>, S::Error> {
        match self {
            TypedDeserializer::Closed(source) => source.open(),
            TypedDeserializer::Open(node) => Ok(node),
        }
    }

    /// Reads an integer from `min` to `max`.
    #[inline]
    fn integer(self, min: i64, max: u64) -> Result<WholeNumber, S::Error> {
        match self.open()? {
            Node::Int(value) if value < min || value > 0 && value.unsigned_abs() > max => {
                Err(out_of_range(min, max, value.into()))
            }
            Node::Int(value) => Ok(WholeNumber::Signed(value)),
            Node::Unsigned(value) if value > max => Err(out_of_range(min, max, value.into())),
            Node::Unsigned(value) => Ok(WholeNumber::Unsigned(value)),
            node => Err(node.mismatch("int")),
        }
    }

    #[inline]
    fn array<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, S::Error> {
        match self.open()? {
            Node::Array(array) => visit_array::<S, V>(array, visitor),
            node => Err(node.mismatch("array")),
        }
    }

    #[inline]
    fn members<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, S::Error> {
        match self.open()? {
            Node::Struct(members) => visit_struct::<S, V>(members, visitor),
            node => Err(node.mismatch("struct")),
        }
    }
}

/// An integer of 64 bits.
enum WholeNumber {
    Signed(i64),
    Unsigned(u64),
}

#[cold]
fn out_of_range<E: de::Error>(min: i64, max: u64, value: i128) -> E {
    E::custom(format_args!("expected an integer from {min} to {max}, found {value}"))
}

/// Returns the double that has all digits of an integer, if there is one. JavaScript writes doubles from 2^53 on as
/// integers: the digits that tell them from their neighbours, then zeros. These count as such doubles.
#[inline]
pub(crate) fn exactly(integer: i128) -> Option<f64> {
    const ALL_ARE_EXACT: u128 = 1 << 53;

    match integer.unsigned_abs() <= ALL_ARE_EXACT {
        true => Some(integer as f64),
        false => large_exactly(integer),
    }
}

#[cold]
fn large_exactly(integer: i128) -> Option<f64> {
    let double = integer as f64;
    (double.to_string() == integer.to_string()).then_some(double)
}

/// Returns the error for an integer that no double holds exactly.
#[cold]
pub(crate) fn beyond_double<E: de::Error>(integer: i128) -> E {
    E::custom(format_args!("expected double, found int {integer}, which a double cannot hold exactly"))
}

fn visit_array<'de, S: Source<'de>, V: Visitor<'de>>(mut array: S::Array, visitor: V) -> Result<V::Value, S::Error> {
    let value = visitor.visit_seq(&mut array)?;
    S::close_array(array)?;
    Ok(value)
}

fn visit_struct<'de, S: Source<'de>, V: Visitor<'de>>(
    mut members: S::Struct,
    visitor: V,
) -> Result<V::Value, S::Error> {
    let value = visitor.visit_map(&mut members)?;
    S::close_struct(members)?;
    Ok(value)
}

fn visit_text<'de, E: de::Error, V: Visitor<'de>>(text: Cow<'de, str>, visitor: V) -> Result<V::Value, E> {
    match text {
        Cow::Borrowed(text) => visitor.visit_borrowed_str(text),
        Cow::Owned(text) => visitor.visit_string(text),
    }
}

/// Hands over an opened value as the type it has.
fn visit_node<'de, S: Source<'de>, V: Visitor<'de>>(
    node: Node<'de, S::Array, S::Struct>,
    visitor: V,
) -> Result<V::Value, S::Error> {
    match node {
        Node::Int(value) => visitor.visit_i64(value),
        Node::Unsigned(value) => visitor.visit_u64(value),
        Node::Boolean(value) => visitor.visit_bool(value),
        Node::String(text) | Node::Text(text) => visit_text(text, visitor),
        Node::Double(value) => visitor.visit_f64(value),
        Node::DateTime(text) => visitor.visit_newtype_struct(Text { text, error: PhantomData }),
        Node::Base64(octets) => visitor.visit_byte_buf(octets),
        Node::Array(array) => visit_array::<S, V>(array, visitor),
        Node::Struct(members) => visit_struct::<S, V>(members, visitor),
        Node::Nil => visitor.visit_unit(),
    }
}

macro_rules! integers {
    ($($method:ident($type:ty)),*) => {$(
        #[inline]
        fn $method<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, S::Error> {
            let max = u64::try_from(<$type>::MAX).unwrap_or(u64::MAX);
            match self.integer(i64::try_from(<$type>::MIN).unwrap_or(i64::MIN), max)? {
                WholeNumber::Signed(value) => visitor.visit_i64(value),
                WholeNumber::Unsigned(value) => visitor.visit_u64(value),
            }
        }
    )*};
}

impl<'de, S: Source<'de>> Deserializer<'de> for TypedDeserializer<'de, S> {
    type Error = S::Error;

    integers!(
        deserialize_i8(i8),
        deserialize_i16(i16),
        deserialize_i32(i32),
        deserialize_i64(i64),
        deserialize_i128(i128),
        deserialize_u8(u8),
        deserialize_u16(u16),
        deserialize_u32(u32),
        deserialize_u64(u64),
        deserialize_u128(u128)
    );

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, S::Error> {
        visit_node::<S, V>(self.open()?, visitor)
    }

    fn deserialize_bool<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, S::Error> {
        match self.open()? {
            Node::Boolean(value) => visitor.visit_bool(value),
            node => Err(node.mismatch("boolean")),
        }
    }

    fn deserialize_f32<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, S::Error> {
        self.deserialize_f64(visitor)
    }

    /// Accepts an int too, if a double holds it: JavaScript and Lua have one type for numbers, and write whole doubles
    /// as ints.
    fn deserialize_f64<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, S::Error> {
        match self.open()? {
            Node::Double(value) => visitor.visit_f64(value),
            Node::Int(value) => visitor.visit_f64(exactly(value.into()).ok_or_else(|| beyond_double(value.into()))?),
            Node::Unsigned(value) => {
                visitor.visit_f64(exactly(value.into()).ok_or_else(|| beyond_double(value.into()))?)
            }
            node => Err(node.mismatch("double")),
        }
    }

    fn deserialize_char<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, S::Error> {
        self.deserialize_str(visitor)
    }

    fn deserialize_str<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, S::Error> {
        match self.open()? {
            Node::String(text) | Node::Text(text) => visit_text(text, visitor),
            node => Err(node.mismatch("string")),
        }
    }

    fn deserialize_string<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, S::Error> {
        self.deserialize_str(visitor)
    }

    fn deserialize_bytes<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, S::Error> {
        match self.open()? {
            Node::Base64(octets) => visitor.visit_byte_buf(octets),
            Node::Text(text) => match Base64::decode(&text) {
                Ok(octets) => visitor.visit_byte_buf(octets),
                Err(_) => Err(Node::<S::Array, S::Struct>::Text(text).mismatch("base64")),
            },
            node => Err(node.mismatch("base64")),
        }
    }

    fn deserialize_byte_buf<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, S::Error> {
        self.deserialize_bytes(visitor)
    }

    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, S::Error> {
        match self.open()? {
            Node::Nil => visitor.visit_none(),
            node => visitor.visit_some(TypedDeserializer::<S>::Open(node)),
        }
    }

    fn deserialize_unit<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, S::Error> {
        match self.open()? {
            Node::Nil => visitor.visit_unit(),
            node => Err(node.mismatch("nil")),
        }
    }

    fn deserialize_unit_struct<V: Visitor<'de>>(self, _name: &'static str, visitor: V) -> Result<V::Value, S::Error> {
        self.deserialize_unit(visitor)
    }

    fn deserialize_newtype_struct<V: Visitor<'de>>(self, name: &'static str, visitor: V) -> Result<V::Value, S::Error> {
        match name {
            DateTime::NAME => match self.open()? {
                Node::DateTime(text) | Node::Text(text) => visit_text(text, visitor),
                node => Err(node.mismatch(Type::DateTime.name())),
            },
            Base64::NAME => self.deserialize_bytes(visitor),
            // formats that have no types for dates and octets know nothing of this name
            Untyped::NAME => self.array(visitor),
            _ => visitor.visit_newtype_struct(self),
        }
    }

    fn deserialize_seq<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, S::Error> {
        self.array(visitor)
    }

    fn deserialize_tuple<V: Visitor<'de>>(self, _len: usize, visitor: V) -> Result<V::Value, S::Error> {
        self.array(visitor)
    }

    fn deserialize_tuple_struct<V: Visitor<'de>>(
        self,
        _name: &'static str,
        _len: usize,
        visitor: V,
    ) -> Result<V::Value, S::Error> {
        self.array(visitor)
    }

    fn deserialize_map<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, S::Error> {
        self.members(visitor)
    }

    fn deserialize_struct<V: Visitor<'de>>(
        self,
        _name: &'static str,
        _fields: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, S::Error> {
        self.members(visitor)
    }

    /// Reads a string as a variant without content, and a struct of one member, named for the variant, as one with
    /// content.
    fn deserialize_enum<V: Visitor<'de>>(
        self,
        _name: &'static str,
        _variants: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, S::Error> {
        match self.open()? {
            Node::String(text) | Node::Text(text) => {
                visitor.visit_enum(IntoDeserializer::<S::Error>::into_deserializer(text))
            }
            Node::Struct(mut members) => {
                let value = visitor.visit_enum(Variant(&mut members))?;
                S::close_struct(members)?;
                Ok(value)
            }
            node => Err(node.mismatch("string or struct of one member")),
        }
    }

    fn deserialize_identifier<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, S::Error> {
        self.deserialize_str(visitor)
    }

    fn deserialize_ignored_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, S::Error> {
        self.deserialize_any(visitor)
    }
}

/// Text as a deserializer that borrows from the document where it can.
struct Text<'de, E> {
    text: Cow<'de, str>,
    error: PhantomData<E>,
}

impl<'de, E: de::Error> Deserializer<'de> for Text<'de, E> {
    type Error = E;

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, E> {
        visit_text(self.text, visitor)
    }

    serde::forward_to_deserialize_any! {
        bool i8 i16 i32 i64 i128 u8 u16 u32 u64 u128 f32 f64 char str string bytes byte_buf option unit unit_struct
        newtype_struct seq tuple tuple_struct map struct enum identifier ignored_any
    }
}

/// The name of a member. A map's keys may be numbers: names are read as such.
pub(crate) struct MemberName<'de, E> {
    name: Cow<'de, str>,
    error: PhantomData<E>,
}

impl<'de, E> MemberName<'de, E> {
    #[inline]
    pub(crate) fn new(name: Cow<'de, str>) -> MemberName<'de, E> {
        MemberName { name, error: PhantomData }
    }
}

macro_rules! number_names {
    ($($method:ident => $visit:ident),*) => {$(
        fn $method<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, E> {
            match self.name.parse() {
                Ok(number) => visitor.$visit(number),
                Err(_) => self.deserialize_str(visitor),
            }
        }
    )*};
}

impl<'de, E: de::Error> Deserializer<'de> for MemberName<'de, E> {
    type Error = E;

    #[inline]
    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, E> {
        visit_text(self.name, visitor)
    }

    number_names!(
        deserialize_bool => visit_bool, deserialize_i8 => visit_i8, deserialize_i16 => visit_i16,
        deserialize_i32 => visit_i32, deserialize_i64 => visit_i64, deserialize_i128 => visit_i128,
        deserialize_u8 => visit_u8, deserialize_u16 => visit_u16, deserialize_u32 => visit_u32,
        deserialize_u64 => visit_u64, deserialize_u128 => visit_u128, deserialize_f32 => visit_f32,
        deserialize_f64 => visit_f64
    );

    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, E> {
        visitor.visit_some(self)
    }

    fn deserialize_newtype_struct<V: Visitor<'de>>(self, _name: &'static str, visitor: V) -> Result<V::Value, E> {
        visitor.visit_newtype_struct(self)
    }

    fn deserialize_enum<V: Visitor<'de>>(
        self,
        _name: &'static str,
        _variants: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, E> {
        visitor.visit_enum(IntoDeserializer::<E>::into_deserializer(self.name))
    }

    serde::forward_to_deserialize_any! {
        char str string bytes byte_buf unit unit_struct seq tuple tuple_struct map struct identifier ignored_any
    }
}

/// The one member of a struct that stands for a variant with content.
pub(crate) struct Variant<'a, A>(pub(crate) &'a mut A);

impl<'de, A: MapAccess<'de>> EnumAccess<'de> for Variant<'_, A> {
    type Error = A::Error;
    type Variant = Self;

    fn variant_seed<T: DeserializeSeed<'de>>(self, seed: T) -> Result<(T::Value, Self), A::Error> {
        match self.0.next_key_seed(seed)? {
            Some(name) => Ok((name, self)),
            None => Err(de::Error::custom("expected struct of one member, found an empty one")),
        }
    }
}

impl<'de, A: MapAccess<'de>> VariantAccess<'de> for Variant<'_, A> {
    type Error = A::Error;

    fn unit_variant(self) -> Result<(), A::Error> {
        self.0.next_value()
    }

    fn newtype_variant_seed<T: DeserializeSeed<'de>>(self, seed: T) -> Result<T::Value, A::Error> {
        self.0.next_value_seed(seed)
    }

    fn tuple_variant<V: Visitor<'de>>(self, len: usize, visitor: V) -> Result<V::Value, A::Error> {
        self.0.next_value_seed(TupleContent { len, visitor })
    }

    fn struct_variant<V: Visitor<'de>>(
        self,
        fields: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, A::Error> {
        self.0.next_value_seed(StructContent { fields, visitor })
    }
}

/// The content of a tuple variant.
struct TupleContent<V> {
    len: usize,
    visitor: V,
}

impl<'de, V: Visitor<'de>> DeserializeSeed<'de> for TupleContent<V> {
    type Value = V::Value;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<V::Value, D::Error> {
        deserializer.deserialize_tuple(self.len, self.visitor)
    }
}

/// The content of a struct variant.
struct StructContent<V> {
    fields: &'static [&'static str],
    visitor: V,
}

impl<'de, V: Visitor<'de>> DeserializeSeed<'de> for StructContent<V> {
    type Value = V::Value;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<V::Value, D::Error> {
        deserializer.deserialize_struct("", self.fields, self.visitor)
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use serde::de::{Deserialize, DeserializeOwned};
    use serde_json::json;

    use super::super::source::ValueSource;
    use super::super::{DataError, Members, Value, WireTypes};
    use super::*;

    type Opened = TypedDeserializer<'static, ValueSource<DataError>>;

    #[derive(Debug, PartialEq, serde::Deserialize)]
    enum Figure {
        Point,
        Circle(f64),
        Line(i32, i32),
        Square { side: i32 },
    }

    fn read<T: DeserializeOwned>(value: impl Into<Value>) -> Result<T, DataError> {
        T::deserialize(value.into().into_typed(WireTypes::All))
    }

    fn refusal<T: DeserializeOwned>(value: impl Into<Value>) -> String {
        read::<T>(value).err().map(|error| error.to_string()).unwrap_or_default()
    }

    fn one(name: &str, value: impl Into<Value>) -> Value {
        Members::from([(name, value.into())]).into()
    }

    #[test]
    fn values_roundtrip() {
        let date = "19980717T14:08:55.5".parse::<DateTime>().unwrap();
        for value in [
            Value::Int(i64::MIN),
            true.into(),
            "".into(),
            f64::MIN_POSITIVE.into(),
            date.into(),
            Base64(vec![0, 255]).into(),
            vec![Value::Nil, Value::Array(Vec::new())].into(),
            one("a", one("b", 1)),
            Value::Nil,
        ] {
            assert_eq!(read::<Value>(value.clone()).unwrap(), value);
            assert_eq!(read::<Option<Value>>(value.clone()).unwrap(), Some(value).filter(|value| *value != Value::Nil));
        }
    }

    #[test]
    fn types_spec() {
        assert_eq!(read::<i32>(41).unwrap(), 41);
        assert_eq!(read::<u8>(255).unwrap(), 255);
        assert_eq!(u64::deserialize(Opened::Open(Node::Unsigned(u64::MAX))).unwrap(), u64::MAX);
        assert_eq!(read::<f64>(-12.214).unwrap().to_bits(), (-12.214_f64).to_bits());
        assert_eq!(
            read::<f64>(1_152_921_504_606_847_000_i64).unwrap().to_bits(),
            (1_152_921_504_606_846_976_f64).to_bits()
        );
        assert_eq!(read::<char>("x").unwrap(), 'x');
        assert_eq!(read::<Base64>(Base64(b"you can't read this!".to_vec())).unwrap().0, b"you can't read this!");
        let octets = Opened::Open(Node::Text("eW91IGNhbid0IHJlYWQgdGhpcyE=".into()));
        assert_eq!(Base64::deserialize(octets).unwrap().0, b"you can't read this!");
        let date = Opened::Open(Node::Text("1998-07-17T14:08:55".into()));
        assert_eq!(DateTime::deserialize(date).unwrap(), "19980717T14:08:55".parse().unwrap());
        for (value, figure) in [
            ("Point".into(), Figure::Point),
            (one("Circle", 1.5), Figure::Circle(1.5)),
            (one("Line", vec![Value::Int(1), Value::Int(2)]), Figure::Line(1, 2)),
            (one("Square", one("side", 3)), Figure::Square { side: 3 }),
        ] {
            assert_eq!(read::<Figure>(value).unwrap(), figure);
        }
        assert_eq!(read::<BTreeMap<i16, bool>>(one("-7", true)).unwrap(), BTreeMap::from([(-7, true)]));
        assert_eq!(json!(exactly(1 << 53)), json!(9_007_199_254_740_992.0));
        assert_eq!(exactly((1 << 53) + 1), None);
    }

    #[test]
    fn types_invalid() {
        let unsigned = Opened::Open(Node::Unsigned(u64::MAX));
        let unsigned = i64::deserialize(unsigned).unwrap_err().to_string();
        for (found, expected) in [
            (refusal::<i8>(128), "expected an integer from -128 to 127, found 128"),
            (refusal::<u32>(-1), "expected an integer from 0 to 4294967295, found -1"),
            (
                unsigned,
                "expected an integer from -9223372036854775808 to 9223372036854775807, found 18446744073709551615",
            ),
            (refusal::<i32>("1"), "expected int, found string"),
            (refusal::<bool>(1), "expected boolean, found int 1"),
            (
                refusal::<f64>(9_007_199_254_740_993_i64),
                "expected double, found int 9007199254740993, which a double cannot hold exactly",
            ),
            (refusal::<f64>("1"), "expected double, found string"),
            (refusal::<String>(true), "expected string, found boolean 1"),
            (refusal::<Base64>("eW91"), "expected base64, found string"),
            (refusal::<DateTime>("19980717T14:08:55"), "expected dateTime.iso8601, found string"),
            (refusal::<()>(1.5), "expected nil, found double 1.5"),
            (refusal::<Vec<i32>>(Members::new()), "expected array, found struct"),
            (refusal::<BTreeMap<String, i32>>(Value::Nil), "expected struct, found nil"),
            (refusal::<BTreeMap<i16, i32>>(one("x", 1)), "expected int, found string \"x\""),
            (refusal::<(i32,)>(vec![1.into(), 2.into()]), "expected the end of the array, found one more item"),
            (refusal::<Figure>(1), "expected string or struct of one member, found int 1"),
            (refusal::<Figure>(Members::new()), "expected struct of one member, found an empty one"),
            (refusal::<Figure>("Cone"), "expected \"Point\" or \"Circle\" or \"Line\" or \"Square\", found \"Cone\""),
            (
                refusal::<Figure>(Members::from([("Circle", 1), ("Line", 2)])),
                "expected the end of the struct, found one more member",
            ),
        ] {
            assert_eq!(found, expected);
        }
    }
}
