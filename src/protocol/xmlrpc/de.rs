//! Reading: from tokens straight into the target type.
//!
//! [`ValueReader`] opens a `<value>`, and the rules of [`TypedDeserializer`] decide what becomes of it. [`CallReader`]
//! and [`read_response`] read the documents around values.

use std::borrow::Cow;
use std::num::IntErrorKind;
use std::ops::RangeInclusive;

use serde::de::{Deserialize, DeserializeSeed, IntoDeserializer, MapAccess, SeqAccess};

use super::tag::Tag;
use crate::call::{Mismatch, ParamError, ParamName, ParamSource, TakeParam};
use crate::service::Limits;
use crate::wire::fault::Fault;
use crate::wire::value::{
    Base64, DateTime, MemberName, Node, Source, TypedDeserializer, Value, WireTypes, excerpt, place,
};
use crate::wire::xml::{self, Token, append};
use crate::wire::{Category, Error};

type Reader<'a> = xml::Reader<'a, Tag>;

/// A value whose start tag was read.
struct ValueReader<'r, 'de> {
    reader: &'r mut Reader<'de>,
    depth: u32,
}

/// The first thing in a `<value>`.
enum Content<'de> {
    /// Text, and then the end of the value: a string without its element.
    Bare(Cow<'de, str>),
    Typed(Tag),
}

impl<'r, 'de> ValueReader<'r, 'de> {
    #[inline]
    fn content(&mut self) -> Result<Content<'de>, Error> {
        let mut text = Cow::Borrowed("");
        loop {
            match self.reader.next()? {
                Token::Start(tag) if text.trim_ascii().is_empty() => {
                    return Ok(Content::Typed(tag));
                }
                Token::Text(piece) => append(&mut text, piece),
                Token::Reference(character) => text.to_mut().push(character),
                Token::End(Tag::Value) => return Ok(Content::Bare(text)),
                token => return Err(self.reader.unexpected("</value>", token)),
            }
        }
    }

    /// Reads an integer. One with more bits than its element allows is read anyway if the target holds it, except for
    /// the short ones of Apache's extensions.
    #[inline]
    fn integer(
        &mut self,
        tag: Tag,
        range: RangeInclusive<i64>,
    ) -> Result<Node<'de, ArrayReader<'r, 'de>, StructReader<'r, 'de>>, Error> {
        let text = self.reader.text(tag)?;
        match text.trim_ascii().parse::<i64>() {
            Ok(value) if range.contains(&value) => Ok(Node::Int(value)),
            Ok(_) => Err(bad(tag, &text, format_args!("from {} to {}", range.start(), range.end()))),
            Err(error) => match text.trim_ascii().parse::<u64>() {
                Ok(value) => Ok(Node::Unsigned(value)),
                Err(_) => Err(no_integer(tag, &text, error.kind())),
            },
        }
    }

    fn double(&mut self) -> Result<f64, Error> {
        let text = self.reader.text(Tag::Double)?;
        // Rust reads "inf" and "nan" too, XML-RPC has no such doubles
        let is_number =
            |text: &str| text.bytes().all(|octet| matches!(octet, b'0'..=b'9' | b'+' | b'-' | b'.' | b'e' | b'E'));
        match text.trim_ascii().parse::<f64>() {
            Ok(value) if value.is_finite() => Ok(value),
            Ok(_) if is_number(text.trim_ascii()) => Err(bad(Tag::Double, &text, "within the range of a double")),
            _ => Err(bad(Tag::Double, &text, "a number")),
        }
    }

    fn boolean(&mut self) -> Result<bool, Error> {
        let text = self.reader.text(Tag::Boolean)?;
        match text.trim_ascii() {
            "1" | "true" => Ok(true),
            "0" | "false" => Ok(false),
            _ => Err(bad(Tag::Boolean, &text, "0 or 1")),
        }
    }

    fn base64(&mut self) -> Result<Vec<u8>, Error> {
        let text = self.reader.text(Tag::Base64)?;
        Base64::decode(&text).map_err(|error| {
            let found = error.to_string().to_lowercase();
            Error::new(Category::Data, format!("expected base64, found an {}", found.trim_end_matches('.')))
        })
    }
}

#[cold]
fn no_integer(tag: Tag, text: &str, kind: &IntErrorKind) -> Error {
    match kind {
        IntErrorKind::NegOverflow | IntErrorKind::PosOverflow => {
            bad(tag, text, "of at most 64 bits (a larger number can be sent as a string)")
        }
        _ => bad(tag, text, "a whole number"),
    }
}

/// Returns the error for an element whose text does not fit its type.
#[cold]
fn bad(tag: Tag, found: &str, expected: impl std::fmt::Display) -> Error {
    let found = excerpt(found.trim_ascii());
    Error::new(Category::Data, format!("expected {tag} {expected}, found \"{found}\""))
}

impl<'r, 'de> Source<'de> for ValueReader<'r, 'de> {
    type Error = Error;
    type Array = ArrayReader<'r, 'de>;
    type Struct = StructReader<'r, 'de>;

    #[inline]
    fn open(mut self) -> Result<Node<'de, Self::Array, Self::Struct>, Error> {
        let tag = match self.content()? {
            Content::Bare(text) => return Ok(Node::String(text)),
            Content::Typed(tag) => tag,
        };
        let node = match tag {
            Tag::Int | Tag::I8 => self.integer(tag, i64::MIN..=i64::MAX)?,
            Tag::I1 => self.integer(tag, i8::MIN.into()..=i8::MAX.into())?,
            Tag::I2 => self.integer(tag, i16::MIN.into()..=i16::MAX.into())?,
            Tag::Boolean => Node::Boolean(self.boolean()?),
            Tag::String => Node::String(self.reader.text(tag)?),
            Tag::Double => Node::Double(self.double()?),
            Tag::DateTime => Node::DateTime(self.reader.text(tag)?),
            Tag::Base64 => Node::Base64(self.base64()?),
            Tag::Struct => {
                self.reader.check_depth(self.depth)?;
                return Ok(Node::Struct(StructReader::new(self.reader, self.depth + 1)));
            }
            Tag::Array => {
                self.reader.check_depth(self.depth)?;
                return Ok(Node::Array(ArrayReader::new(self.reader, self.depth + 1)));
            }
            Tag::Nil => {
                self.reader.expect_end(tag)?;
                Node::Nil
            }
            _ => {
                return Err(self.reader.unexpected("the element of a type", Token::Start(tag)));
            }
        };
        self.reader.expect_end(Tag::Value)?;
        Ok(node)
    }

    fn close_array(array: ArrayReader<'r, 'de>) -> Result<(), Error> {
        array.close()
    }

    fn close_struct(members: StructReader<'r, 'de>) -> Result<(), Error> {
        members.close()
    }
}

/// Reads a value whose start tag was read, and adds its place to an error from its type.
#[inline]
fn read_value<'de, S: DeserializeSeed<'de>>(reader: &mut Reader<'de>, depth: u32, seed: S) -> Result<S::Value, Error> {
    let start = reader.start();
    seed.deserialize(TypedDeserializer::Closed(ValueReader { reader: &mut *reader, depth }))
        .map_err(|error| reader.locate(error, start))
}

/// Reads a value whose start tag was read into a tree, to keep it until its name, which follows, is read.
///
/// Not by way of serde, which would take the tree apart and build it again at every level.
fn read_tree(reader: &mut Reader<'_>, depth: u32) -> Result<Value, Error> {
    let start = reader.start();
    let value = match (ValueReader { reader: &mut *reader, depth }).open() {
        Ok(Node::Int(value)) => Ok(Value::Int(value)),
        Ok(Node::Unsigned(value)) => Value::deserialize(IntoDeserializer::<Error>::into_deserializer(value)),
        Ok(Node::Boolean(value)) => Ok(Value::Boolean(value)),
        Ok(Node::String(text) | Node::Text(text)) => Ok(Value::String(text.into_owned())),
        Ok(Node::Double(value)) => Ok(Value::Double(value)),
        Ok(Node::DateTime(text)) => DateTime::from_text(text.into_deserializer()).map(Value::DateTime),
        Ok(Node::Base64(octets)) => Ok(Base64(octets).into()),
        Ok(Node::Array(array)) => array.into_tree(),
        Ok(Node::Struct(members)) => members.into_tree(),
        Ok(Node::Nil) => Ok(Value::Nil),
        Err(error) => Err(error),
    };
    value.map_err(|error| reader.locate(error, start))
}

/// The items of an array.
struct ArrayReader<'r, 'de> {
    reader: &'r mut Reader<'de>,
    depth: u32,
    state: ArrayState,
    /// The number of items that were read.
    index: usize,
}

#[derive(PartialEq)]
enum ArrayState {
    /// Before `<data>`.
    Start,
    /// Among the items; this tag will end them.
    Items(Tag),
    /// After `</array>`.
    End,
}

impl<'r, 'de> ArrayReader<'r, 'de> {
    fn new(reader: &'r mut Reader<'de>, depth: u32) -> Self {
        ArrayReader { reader, depth, state: ArrayState::Start, index: 0 }
    }

    /// Goes to the next item; `false` after the last.
    #[inline]
    fn advance(&mut self) -> Result<bool, Error> {
        loop {
            match (self.reader.markup()?, &self.state) {
                (Token::Start(Tag::Value), ArrayState::Items(_)) => return Ok(true),
                (Token::Start(Tag::Data), ArrayState::Start) => self.state = ArrayState::Items(Tag::Data),
                // items without <data>
                (Token::Start(Tag::Value), ArrayState::Start) => {
                    self.state = ArrayState::Items(Tag::Array);
                    return Ok(true);
                }
                (Token::End(Tag::Data), ArrayState::Items(Tag::Data)) => {
                    self.reader.expect_end(Tag::Array)?;
                    self.state = ArrayState::End;
                    return Ok(false);
                }
                (Token::End(Tag::Array), ArrayState::Start | ArrayState::Items(Tag::Array)) => {
                    self.state = ArrayState::End;
                    return Ok(false);
                }
                (token, ArrayState::Start) => return Err(self.reader.unexpected("<data>", token)),
                (token, _) => {
                    return Err(self.reader.unexpected("<value> or the end of the array", token));
                }
            }
        }
    }

    fn into_tree(mut self) -> Result<Value, Error> {
        let mut items = Vec::new();
        while self.advance()? {
            self.reader.count_member()?;
            items.push(read_tree(self.reader, self.depth)?);
        }
        self.close()?;
        Ok(Value::Array(items))
    }

    fn close(mut self) -> Result<(), Error> {
        if self.state != ArrayState::End && self.advance()? {
            return Err(self.reader.fail(Category::Data, "expected the end of the array, found one more item"));
        }
        self.reader.expect_end(Tag::Value)
    }
}

impl<'de> SeqAccess<'de> for ArrayReader<'_, 'de> {
    type Error = Error;

    #[inline]
    fn next_element_seed<T: DeserializeSeed<'de>>(&mut self, seed: T) -> Result<Option<T::Value>, Error> {
        if self.state == ArrayState::End || !self.advance()? {
            return Ok(None);
        }
        self.reader.count_member()?;
        let item = read_value(self.reader, self.depth, seed);
        if item.is_err() {
            place::note_item(self.depth, self.index);
        }
        self.index += 1;
        item.map(Some)
    }
}

/// The members of a struct.
struct StructReader<'r, 'de> {
    reader: &'r mut Reader<'de>,
    depth: u32,
    /// The name of the current member.
    name: Cow<'de, str>,
    /// Its value, if it stood before the name.
    value: Option<Value>,
    ended: bool,
}

impl<'r, 'de> StructReader<'r, 'de> {
    fn new(reader: &'r mut Reader<'de>, depth: u32) -> Self {
        StructReader { reader, depth, name: Cow::Borrowed(""), value: None, ended: false }
    }

    /// Goes into the next member and reads its name; `None` after the last.
    #[inline]
    fn name(&mut self) -> Result<Option<Cow<'de, str>>, Error> {
        match self.reader.markup()? {
            Token::Start(Tag::Member) => {}
            Token::End(Tag::Struct) => {
                self.ended = true;
                return Ok(None);
            }
            token => return Err(self.reader.unexpected("<member> or </struct>", token)),
        }
        self.reader.count_member()?;
        match self.reader.markup()? {
            Token::Start(Tag::Name) => {}
            Token::Start(Tag::Value) => {
                self.value = Some(read_tree(self.reader, self.depth)?);
                self.reader.expect_start(Tag::Name)?;
            }
            token => return Err(self.reader.unexpected("<name>", token)),
        }
        self.reader.text(Tag::Name).map(Some)
    }

    fn into_tree(mut self) -> Result<Value, Error> {
        let mut members: Vec<(String, Value)> = Vec::new();
        while let Some(name) = self.name()? {
            let value = match self.value.take() {
                Some(value) => value,
                None => {
                    self.reader.expect_start(Tag::Value)?;
                    read_tree(self.reader, self.depth)?
                }
            };
            self.reader.expect_end(Tag::Member)?;
            members.push((name.into_owned(), value));
        }
        self.close()?;
        Ok(Value::Struct(members.into()))
    }

    fn close(mut self) -> Result<(), Error> {
        if !self.ended && self.name()?.is_some() {
            return Err(self.reader.fail(Category::Data, "expected the end of the struct, found one more member"));
        }
        self.reader.expect_end(Tag::Value)
    }
}

impl<'de> MapAccess<'de> for StructReader<'_, 'de> {
    type Error = Error;

    #[inline]
    fn next_key_seed<K: DeserializeSeed<'de>>(&mut self, seed: K) -> Result<Option<K::Value>, Error> {
        if self.ended {
            return Ok(None);
        }
        let Some(name) = self.name()? else {
            return Ok(None);
        };
        self.name = name.clone();
        let start = self.reader.start();
        seed.deserialize(MemberName::new(name)).map(Some).map_err(|error| self.reader.locate(error, start))
    }

    #[inline]
    fn next_value_seed<V: DeserializeSeed<'de>>(&mut self, seed: V) -> Result<V::Value, Error> {
        let value = match self.value.take() {
            Some(value) => {
                let start = self.reader.start();
                let value = value.into_typed_at::<Error>(WireTypes::All, self.depth);
                seed.deserialize(value).map_err(|error| self.reader.locate(error, start))
            }
            None => {
                self.reader.expect_start(Tag::Value)?;
                read_value(self.reader, self.depth, seed)
            }
        };
        if value.is_err() {
            place::note_member(self.depth, &self.name);
            return value;
        }
        self.reader.expect_end(Tag::Member)?;
        value
    }
}

/// Reads a document whose root is a `<value>`.
pub(super) fn read_value_document<'de, T: Deserialize<'de>>(document: &'de [u8], limits: &Limits) -> Result<T, Error> {
    let mut reader = Reader::new(document, limits);
    let value = reader
        .expect_start(Tag::Value)
        .and_then(|()| read_value(&mut reader, 0, std::marker::PhantomData))
        .and_then(|value| reader.expect_eof().map(|()| value));
    value.map_err(|error| reader.first_failure(error))
}

/// A methodCall: its name, and its params on demand.
///
/// The name may stand before or after the params.
pub(super) struct CallReader<'de> {
    reader: Reader<'de>,
    state: CallState,
    /// Set if the name stood after the params: what follows them was read already.
    read_ahead: bool,
}

#[derive(PartialEq)]
enum CallState {
    /// Before a `<param>` or `</params>`.
    Params,
    /// After the params.
    Tail,
    /// After `</methodCall>` and to the end.
    Done,
}

impl<'de> CallReader<'de> {
    /// Reads up to the params.
    pub(super) fn new(document: &'de [u8], limits: &Limits) -> Result<(Cow<'de, str>, CallReader<'de>), Error> {
        let reader = Reader::new(document, limits);
        let mut call = CallReader { reader, state: CallState::Params, read_ahead: false };
        match call.head() {
            Ok(method_name) => Ok((method_name, call)),
            Err(error) => Err(call.reader.first_failure(error)),
        }
    }

    fn head(&mut self) -> Result<Cow<'de, str>, Error> {
        self.reader.expect_start(Tag::MethodCall)?;
        match self.reader.markup()? {
            Token::Start(Tag::MethodName) => {
                let method_name = self.method_name()?;
                self.before_params()?;
                Ok(method_name)
            }
            Token::Start(Tag::Params) => {
                let params = self.reader.clone();
                self.reader.skip()?;
                self.reader.expect_start(Tag::MethodName)?;
                let method_name = self.method_name()?;
                end_call(&mut self.reader)?;
                self.reader = params;
                self.read_ahead = true;
                Ok(method_name)
            }
            token => Err(self.reader.unexpected("<methodName>", token)),
        }
    }

    fn method_name(&mut self) -> Result<Cow<'de, str>, Error> {
        let name = match self.reader.text(Tag::MethodName)? {
            Cow::Borrowed(name) => Cow::Borrowed(name.trim_ascii()),
            Cow::Owned(name) => name.trim_ascii().to_owned().into(),
        };
        if name.is_empty() {
            return Err(self.reader.fail(Category::Structure, "expected a name in <methodName>, found none"));
        }
        Ok(name)
    }

    fn before_params(&mut self) -> Result<(), Error> {
        match self.reader.markup()? {
            Token::Start(Tag::Params) => Ok(()),
            Token::End(Tag::MethodCall) => {
                self.state = CallState::Done;
                self.reader.expect_eof()
            }
            token => Err(self.reader.unexpected("<params> or </methodCall>", token)),
        }
    }

    /// Goes into the next param's value; `false` after the last.
    fn advance(&mut self) -> Result<bool, Error> {
        if self.state != CallState::Params {
            return Ok(false);
        }
        match self.reader.markup()? {
            Token::Start(Tag::Param) => {
                self.reader.expect_start(Tag::Value)?;
                Ok(true)
            }
            Token::End(Tag::Params) => {
                self.state = CallState::Tail;
                Ok(false)
            }
            token => Err(self.reader.unexpected("<param> or </params>", token)),
        }
    }

    fn next_param<T: DeserializeSeed<'de>>(&mut self, seed: T) -> Result<Option<T::Value>, Error> {
        if !self.advance()? {
            return Ok(None);
        }
        let param = read_value(&mut self.reader, 0, seed)?;
        self.reader.expect_end(Tag::Param)?;
        Ok(Some(param))
    }

    /// Reads the rest, and returns how many params were left.
    fn drain(&mut self) -> Result<usize, Error> {
        let mut left = 0;
        while self.advance()? {
            self.reader.skip()?;
            self.reader.expect_end(Tag::Param)?;
            left += 1;
        }
        if self.state == CallState::Tail {
            if !self.read_ahead {
                end_call(&mut self.reader)?;
            }
            self.state = CallState::Done;
        }
        Ok(left)
    }

    /// Reads all params as one type, and the document to its end.
    pub(super) fn params<P: Deserialize<'de>>(mut self) -> Result<P, Error> {
        let params = P::deserialize(AllParams(&mut self)).and_then(|params| match self.advance()? {
            true => Err(self.reader.fail(Category::Data, "expected the end of the params, found one more")),
            false => self.drain().map(|_| params),
        });
        params.map_err(|error| self.reader.first_failure(error))
    }
}

/// Reads what follows the last child of a methodCall.
fn end_call(reader: &mut Reader<'_>) -> Result<(), Error> {
    reader.expect_end(Tag::MethodCall)?;
    reader.expect_eof()
}

/// All params as one value: a sequence, or a unit for none.
struct AllParams<'a, 'de>(&'a mut CallReader<'de>);

impl<'de> serde::Deserializer<'de> for AllParams<'_, 'de> {
    type Error = Error;

    fn deserialize_any<V: serde::de::Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        visitor.visit_seq(self)
    }

    fn deserialize_unit<V: serde::de::Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        visitor.visit_unit()
    }

    serde::forward_to_deserialize_any! {
        bool i8 i16 i32 i64 i128 u8 u16 u32 u64 u128 f32 f64 char str string bytes byte_buf option unit_struct
        newtype_struct seq tuple tuple_struct map struct enum identifier ignored_any
    }
}

impl<'de> SeqAccess<'de> for AllParams<'_, 'de> {
    type Error = Error;

    fn next_element_seed<T: DeserializeSeed<'de>>(&mut self, seed: T) -> Result<Option<T::Value>, Error> {
        self.0.next_param(seed)
    }
}

impl<'de> ParamSource<'de> for CallReader<'de> {
    fn next(&mut self, _name: ParamName<'_>, take: &mut dyn TakeParam<'de>) -> Result<bool, ParamError> {
        self.next_param(Erased(take)).map(|param| param.is_some()).map_err(|error| {
            let error = self.reader.first_failure(error);
            // the reader stands somewhere inside of the param
            self.state = CallState::Done;
            match error.category() {
                Category::Data => {
                    ParamError::Mismatch(Mismatch { position: error.position(), message: error.to_string() })
                }
                _ => ParamError::Document(error.into()),
            }
        })
    }

    fn finish(&mut self) -> Result<usize, Fault> {
        self.drain().map_err(|error| self.reader.first_failure(error).into())
    }
}

/// A seed that passes a value's deserializer to a [`TakeParam`], which does not know its type.
struct Erased<'a, 'de>(&'a mut dyn TakeParam<'de>);

impl<'de> DeserializeSeed<'de> for Erased<'_, 'de> {
    type Value = ();

    fn deserialize<D: serde::Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        self.0.take(&mut <dyn erased_serde::Deserializer<'_>>::erase(deserializer)).map_err(serde::de::Error::custom)
    }
}

/// Reads a methodResponse: a result or a fault.
pub(super) fn read_response<'de, T: Deserialize<'de>>(
    document: &'de [u8],
    limits: &Limits,
) -> Result<Result<T, Fault>, Error> {
    let mut reader = Reader::new(document, limits);
    response(&mut reader).map_err(|error| reader.first_failure(error))
}

fn response<'de, T: Deserialize<'de>>(reader: &mut Reader<'de>) -> Result<Result<T, Fault>, Error> {
    #[derive(serde::Deserialize)]
    #[serde(rename_all = "camelCase")]
    struct FaultMembers {
        fault_code: i32,
        fault_string: String,
    }

    reader.expect_start(Tag::MethodResponse)?;
    let response = match reader.markup()? {
        Token::Start(Tag::Params) => {
            reader.expect_start(Tag::Param)?;
            reader.expect_start(Tag::Value)?;
            let result = read_value(reader, 0, std::marker::PhantomData)?;
            reader.expect_end(Tag::Param)?;
            reader.expect_end(Tag::Params)?;
            Ok(result)
        }
        Token::Start(Tag::Fault) => {
            reader.expect_start(Tag::Value)?;
            let members: FaultMembers = read_value(reader, 0, std::marker::PhantomData)?;
            reader.expect_end(Tag::Fault)?;
            Err(Fault::new(members.fault_code, members.fault_string))
        }
        token => return Err(reader.unexpected("<params> or <fault>", token)),
    };
    reader.expect_end(Tag::MethodResponse)?;
    reader.expect_eof()?;
    Ok(response)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::super::ser::{WriteOptions, write_value};
    use super::*;
    use crate::call::Params;
    use crate::wire::value::Members;

    fn read<T: for<'de> Deserialize<'de>>(document: &str) -> Result<T, Error> {
        read_value_document(document.as_bytes(), &Limits { depth: 2, members: 3, ..Limits::default() })
    }

    fn call(document: &str) -> Result<(String, Vec<Value>), Error> {
        let (name, call) = CallReader::new(document.as_bytes(), &Limits::default())?;
        Ok((name.into_owned(), call.params()?))
    }

    fn response(document: &str) -> Result<Result<Value, Fault>, Error> {
        read_response(document.as_bytes(), &Limits::default())
    }

    fn told<T>(result: Result<T, Error>) -> Option<(Category, String)> {
        result.err().map(|error| (error.category(), error.to_string()))
    }

    #[test]
    fn values_roundtrip() {
        for value in [
            Value::Int(i64::MIN),
            false.into(),
            " <&>\r\n".into(),
            1e-300.into(),
            Base64(vec![0, 255]).into(),
            "19980717T14:08:55".parse::<DateTime>().unwrap().into(),
            vec![Value::Nil, Value::Array(Vec::new())].into(),
            Members::from([("a", Value::from(1)), ("", Members::new().into())]).into(),
        ] {
            let mut document = Vec::new();
            write_value(&value, WriteOptions::default(), &mut document).unwrap();
            assert_eq!(read::<Value>(&String::from_utf8(document).unwrap()).unwrap(), value);
        }
    }

    /// Documents of <http://xmlrpc.com/spec.md>.
    #[test]
    fn documents_spec() {
        let document = "<?xml version=\"1.0\"?>\n<methodCall>\n  <methodName>examples.getStateName</methodName>\n  \
                        <params>\n    <param>\n      <value><i4>41</i4></value>\n    </param>\n  </params>\n\
                        </methodCall>";
        assert_eq!(call(document).unwrap(), ("examples.getStateName".into(), vec![41.into()]));
        let document = "<value><array><data><value><i4>12</i4></value><value><string>Egypt</string></value>\
                        <value><boolean>0</boolean></value></data></array></value>";
        assert_eq!(read::<(i32, String, bool)>(document).unwrap(), (12, "Egypt".into(), false));
        let document = "<value><struct><member><name>lowerBound</name><value><i4>18</i4></value></member>\
                        <member><name>upperBound</name><value><i4>139</i4></value></member></struct></value>";
        let bounds = BTreeMap::from([("lowerBound".to_owned(), 18), ("upperBound".into(), 139)]);
        assert_eq!(read::<BTreeMap<String, i32>>(document).unwrap(), bounds);
        let document = "<methodResponse><params><param><value>South Dakota</value></param></params></methodResponse>";
        assert_eq!(response(document).unwrap(), Ok("South Dakota".into()));
        let document = "<methodResponse><fault><value><struct><member><name>faultCode</name><value><int>4</int>\
                        </value></member><member><name>faultString</name><value><string>Too many parameters.</string>\
                        </value></member></struct></value></fault></methodResponse>";
        assert_eq!(response(document).unwrap(), Err(Fault::new(4, "Too many parameters.")));
    }

    #[test]
    fn other_forms_spec() {
        for (document, value) in [
            ("<value/>", Value::from("")),
            ("<value> a&amp;<![CDATA[<b>]]> </value>", " a&<b> ".into()),
            ("<value>\n<int> +7\n</int></value>", 7.into()),
            ("<value><ex:i8>-9223372036854775808</ex:i8></value>", i64::MIN.into()),
            ("<value><double>.5</double></value>", 0.5.into()),
            ("<value><boolean>true</boolean></value>", true.into()),
            ("<value><base64>eW91 IGNh\nbg</base64></value>", Base64(b"you can".to_vec()).into()),
            ("<value><array><value><nil/></value></array></value>", vec![Value::Nil].into()),
            ("<value><array/></value>", Value::Array(Vec::new())),
            (
                "<value><struct><member><value><i4>1</i4></value><name>a</name></member></struct></value>",
                Members::from([("a", 1)]).into(),
            ),
        ] {
            assert_eq!(read::<Value>(document).unwrap(), value, "{document}");
        }
        let document = "<methodCall><params><param><value>a</value></param></params><methodName> f </methodName>\
                        </methodCall>";
        assert_eq!(call(document).unwrap(), ("f".into(), vec!["a".into()]));
        assert_eq!(call("<methodCall><methodName>f</methodName></methodCall>").unwrap(), ("f".into(), Vec::new()));
    }

    #[test]
    fn values_invalid() {
        for (document, category, expected) in [
            ("<value><int>1.5</int></value>", Category::Data, "expected int a whole number, found \"1.5\""),
            ("<value><i1>128</i1></value>", Category::Data, "expected i1 from -128 to 127, found \"128\""),
            (
                "<value><i8>18446744073709551616</i8></value>",
                Category::Data,
                "expected i8 of at most 64 bits (a larger number can be sent as a string), \
                 found \"18446744073709551616\"",
            ),
            ("<value><double>inf</double></value>", Category::Data, "expected double a number, found \"inf\""),
            (
                "<value><double>1e999</double></value>",
                Category::Data,
                "expected double within the range of a double, found \"1e999\"",
            ),
            ("<value><boolean>2</boolean></value>", Category::Data, "expected boolean 0 or 1, found \"2\""),
            (
                "<value><dateTime.iso8601>now</dateTime.iso8601></value>",
                Category::Data,
                "\"now\" is not a date and time of the form YYYYMMDDTHH:MM:SS",
            ),
        ] {
            let expected = format!("{expected} at line 1 column 1");
            assert_eq!(told(read::<Value>(document)), Some((category, expected)));
        }
        for (document, category, expected) in [
            (
                "<value><float>1</float></value>",
                Category::Structure,
                "expected the element of a type, found <float> at line 1 column 8",
            ),
            ("<value><int>1</int>x</value>", Category::Structure, "expected </value>, found text at line 1 column 20"),
            ("<value>x<int>1</int></value>", Category::Structure, "expected </value>, found <int> at line 1 column 9"),
            (
                "<value><array><int/></array></value>",
                Category::Structure,
                "expected <data>, found <int> at line 1 column 15",
            ),
            (
                "<value><struct><name/></struct></value>",
                Category::Structure,
                "expected <member> or </struct>, found <name> at line 1 column 16",
            ),
            (
                "<value><struct><member></member></struct></value>",
                Category::Structure,
                "expected <name>, found </member> at line 1 column 24",
            ),
            ("<value/><value/>", Category::Syntax, "expected the end of the document, found more at line 1 column 9"),
            (
                "<value><array><data><value><array><data><value><array/></value></data></array></value></data></array>\
                 </value>",
                Category::Limit,
                "arrays and structs nested deeper than 2 at line 1 column 48",
            ),
            (
                "<value><array><value/><value/><value/><value/></array></value>",
                Category::Limit,
                "more than 3 array items and struct members at line 1 column 39",
            ),
        ] {
            assert_eq!(told(read::<Value>(document)), Some((category, expected.to_owned())), "{document}");
        }
    }

    #[test]
    fn documents_invalid() {
        for (found, category, expected) in [
            (told(call("<call/>")), Category::Structure, "expected <methodCall>, found <call> at line 1 column 1"),
            (
                told(call("<methodCall><methodName> </methodName></methodCall>")),
                Category::Structure,
                "expected a name in <methodName>, found none at line 1 column 26",
            ),
            (
                told(call("<methodCall></methodCall>")),
                Category::Structure,
                "expected <methodName>, found </methodCall> at line 1 column 13",
            ),
            (
                told(call("<methodCall><methodName>f</methodName><param/></methodCall>")),
                Category::Structure,
                "expected <params> or </methodCall>, found <param> at line 1 column 39",
            ),
            (
                told(call("<methodCall><methodName>f</methodName><params>")),
                Category::Syntax,
                "expected <param> or </params>, found the end of the document at line 1 column 47",
            ),
            (
                told(response("<methodResponse></methodResponse>")),
                Category::Structure,
                "expected <params> or <fault>, found </methodResponse> at line 1 column 17",
            ),
            (
                told(response("<methodResponse><params></params></methodResponse>")),
                Category::Structure,
                "expected <param>, found </params> at line 1 column 25",
            ),
            (
                told(response("<methodResponse><fault><value><int>4</int></value></fault></methodResponse>")),
                { Category::Data },
                "expected struct, found int 4 at line 1 column 24",
            ),
        ] {
            assert_eq!(found, Some((category, expected.to_owned())));
        }
        let document = b"<methodCall><methodName>f</methodName><params><param><value/></param>\
                         <param><value/></param></params></methodCall>";
        let (_, call) = CallReader::new(document, &Limits::default()).unwrap();
        let expected = "expected the end of the params, found one more at line 1 column 77";
        assert_eq!(told(call.params::<(String,)>()), Some((Category::Data, expected.to_owned())));
    }

    #[test]
    fn params_left_are_counted_and_read_to_the_end() {
        let document = |end: &str| {
            format!(
                "<methodCall><methodName>f</methodName><params><param><value>a</value></param>\
                 <param><value><int>x</int></value></param></params>{end}"
            )
        };
        let document = [document("</methodCall>"), document("</methodCall><a/>")];
        let [mut whole, mut broken] =
            [0, 1].map(|at: usize| CallReader::new(document[at].as_bytes(), &Limits::default()).unwrap().1);
        let first = Params::new(&mut whole).next::<String>(ParamName { index: 0, name: None });
        assert!(matches!(first, Ok(Some(text)) if text == "a"));
        assert_eq!(whole.finish(), Ok(1));
        let fault = Fault::new(-32700, "expected the end of the document, found more at line 1 column 142");
        assert_eq!(broken.finish(), Err(fault));
    }
}
