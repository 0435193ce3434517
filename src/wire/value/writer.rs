//! The rules for encoding a Rust value on the wire, once for every notation.
//!
//! [`write`] takes a value apart by serde, and a [`Notation`] writes its octets straight into the document. The
//! counterpart of [`TypedDeserializer`](super::TypedDeserializer), which reads.

use std::fmt::{self, Display, Write};

use serde::ser::{self, Serialize, SerializeMap, SerializeSeq};

use super::{Base64, DateTime};
use crate::wire::fault::{Fault, FaultMembers};

/// The name of a newtype that stands for one outcome of several. If its content cannot be written, a fault is written
/// in its place, and the others stay.
pub(crate) const OUTCOME: &str = "$rpcgi::Outcome";

/// The notation in which a format writes values.
pub(crate) trait Notation: Copy {
    /// The name of the format.
    const NAME: &'static str;

    fn integer<I: Integer>(self, value: I, out: &mut Vec<u8>) -> Result<(), WriteError>;

    /// Writes a number that is neither NaN nor infinite.
    fn double<D: Double>(self, value: D, out: &mut Vec<u8>);

    fn boolean(self, value: bool, out: &mut Vec<u8>);

    fn string(self, text: &str, out: &mut Vec<u8>);

    /// Writes a date and time, given as `YYYYMMDDTHH:MM:SS`.
    fn date_time(self, text: &str, out: &mut Vec<u8>);

    fn octets(self, octets: &[u8], out: &mut Vec<u8>);

    fn nil(self, out: &mut Vec<u8>) -> Result<(), WriteError>;

    fn begin_array(self, out: &mut Vec<u8>);

    /// Writes what stands before an item; `first` if it is the first of its array.
    fn begin_item(self, first: bool, out: &mut Vec<u8>);

    fn end_array(self, out: &mut Vec<u8>);

    fn begin_struct(self, out: &mut Vec<u8>);

    /// Writes what stands before a member's value, its name included.
    fn begin_member(self, first: bool, name: &str, out: &mut Vec<u8>);

    fn end_member(self, out: &mut Vec<u8>);

    fn end_struct(self, out: &mut Vec<u8>);
}

/// An integer of any width.
pub(crate) trait Integer: itoa::Integer + TryInto<i64> + Display + Copy {}

impl<I: itoa::Integer + TryInto<i64> + Display + Copy> Integer for I {}

/// A floating-point number of either width.
pub(crate) trait Double: zmij::Float + Into<f64> + Display + Copy {}

impl<D: zmij::Float + Into<f64> + Display + Copy> Double for D {}

/// The error for a value that cannot be written: the reason, and the place in the value.
#[derive(Clone, Debug)]
pub(crate) struct WriteError(Box<Reason>);

#[derive(Clone, Debug)]
struct Reason {
    message: String,
    is_limit: bool,
}

impl WriteError {
    #[cold]
    pub(crate) fn new(message: impl Into<String>) -> WriteError {
        WriteError(Box::new(Reason { message: message.into(), is_limit: false }))
    }

    /// Returns whether the document would be longer than it may be.
    pub(crate) fn is_limit(&self) -> bool {
        self.0.is_limit
    }

    /// Returns the fault for a result that cannot be written.
    pub(crate) fn into_fault(self) -> Fault {
        Fault::new(Fault::INTERNAL, format!("the result cannot be written: {self}"))
    }
}

impl Display for WriteError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0.message)
    }
}

impl std::error::Error for WriteError {}

impl ser::Error for WriteError {
    fn custom<T: Display>(message: T) -> WriteError {
        WriteError::new(message.to_string())
    }
}

/// Appends a value to a document, which may grow to about `limit` octets.
pub(crate) fn write<N: Notation, T: Serialize + ?Sized>(
    value: &T,
    notation: N,
    limit: usize,
    out: &mut Vec<u8>,
) -> Result<(), WriteError> {
    let mut writer = Writer { out, notation, limit, inside: None, failure: None, key: String::new() };
    value.serialize(&mut writer).map_err(|error| writer.explain(error))
}

struct Writer<'a, N> {
    out: &'a mut Vec<u8>,
    notation: N,
    limit: usize,
    /// The name of the type whose content is next: a [`DateTime`]'s or a [`Base64`]'s.
    inside: Option<&'static str>,
    failure: Option<LocatedError>,
    /// Room for the keys of the next map.
    key: String,
}

/// The first error, and the path to it from the inside out.
struct LocatedError {
    error: WriteError,
    path: Vec<String>,
}

impl<N: Notation> Writer<'_, N> {
    #[inline]
    fn string(&mut self, text: &str) -> Result<(), WriteError> {
        self.notation.string(text, self.out);
        self.check_limit()
    }

    fn octets(&mut self, octets: &[u8]) -> Result<(), WriteError> {
        if octets.len() > self.limit {
            return self.over_limit();
        }
        self.notation.octets(octets, self.out);
        self.check_limit()
    }

    #[inline]
    fn double<D: Double>(&mut self, value: D) -> Result<(), WriteError> {
        if !value.into().is_finite() {
            return Err(WriteError::new(format!("{value} is no double of {}", N::NAME)));
        }
        self.notation.double(value, self.out);
        Ok(())
    }

    #[inline]
    fn check_limit(&self) -> Result<(), WriteError> {
        if self.out.len() <= self.limit { Ok(()) } else { self.over_limit() }
    }

    #[cold]
    fn over_limit(&self) -> Result<(), WriteError> {
        let message = format!("longer than {} octets", self.limit);
        Err(WriteError(Box::new(Reason { message, is_limit: true })))
    }

    /// Writes one part of a compound; if that fails, adds its name to the path.
    #[inline]
    fn part<T: Serialize + ?Sized>(&mut self, value: &T, step: impl FnOnce() -> String) -> Result<(), WriteError> {
        match value.serialize(&mut *self) {
            Ok(()) => self.check_limit(),
            Err(error) => Err(self.fail_inside(error, step())),
        }
    }

    #[cold]
    fn fail_inside(&mut self, error: WriteError, step: String) -> WriteError {
        let failure = self.failure.get_or_insert_with(|| LocatedError { error: error.clone(), path: Vec::new() });
        failure.path.push(step);
        error
    }

    /// Returns the first error there was, with the path to it.
    #[cold]
    fn explain(&mut self, error: WriteError) -> WriteError {
        match self.failure.take() {
            None => error,
            Some(LocatedError { error, path }) if path.is_empty() => error,
            Some(LocatedError { mut error, path }) => {
                let path: String = path.into_iter().rev().collect();
                error.0.message = format!("{error}, at {}", path.trim_start_matches('.'));
                error
            }
        }
    }

    /// Writes one outcome of several: what cannot be written becomes a fault in its place.
    fn outcome<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<(), WriteError> {
        let start = self.out.len();
        match value.serialize(&mut *self) {
            Err(error) if !error.is_limit() => {
                if let Some(failure) = &mut self.failure {
                    // the array around the one result is not the method's
                    failure.path.pop();
                }
                let error = self.explain(error);
                self.out.truncate(start);
                FaultMembers(&error.into_fault()).serialize(self)
            }
            written => written,
        }
    }

    /// Opens the struct of one member that stands for a variant with content.
    fn variant(&mut self, name: &str) {
        self.notation.begin_struct(self.out);
        self.notation.begin_member(true, name, self.out);
    }

    fn end_variant(&mut self) {
        self.notation.end_member(self.out);
        self.notation.end_struct(self.out);
    }
}

macro_rules! scalars {
    ($($method:ident($type:ty): $kind:ident),*) => {$(
        #[inline]
        fn $method(self, value: $type) -> Result<(), WriteError> {
            scalars!(@ $kind self, value)
        }
    )*};
    (@ integer $self:ident, $value:ident) => { $self.notation.integer($value, $self.out) };
    (@ double $self:ident, $value:ident) => { $self.double($value) };
}

impl<'w, 'a, N: Notation> ser::Serializer for &'w mut Writer<'a, N> {
    type Ok = ();
    type Error = WriteError;
    type SerializeSeq = ArrayWriter<'w, 'a, N>;
    type SerializeTuple = ArrayWriter<'w, 'a, N>;
    type SerializeTupleStruct = ArrayWriter<'w, 'a, N>;
    type SerializeTupleVariant = ArrayWriter<'w, 'a, N>;
    type SerializeMap = StructWriter<'w, 'a, N>;
    type SerializeStruct = StructWriter<'w, 'a, N>;
    type SerializeStructVariant = StructWriter<'w, 'a, N>;

    scalars!(
        serialize_i8(i8): integer,
        serialize_i16(i16): integer,
        serialize_i32(i32): integer,
        serialize_i64(i64): integer,
        serialize_i128(i128): integer,
        serialize_u8(u8): integer,
        serialize_u16(u16): integer,
        serialize_u32(u32): integer,
        serialize_u64(u64): integer,
        serialize_u128(u128): integer,
        serialize_f32(f32): double,
        serialize_f64(f64): double
    );

    fn serialize_bool(self, value: bool) -> Result<(), WriteError> {
        self.notation.boolean(value, self.out);
        Ok(())
    }

    fn serialize_char(self, value: char) -> Result<(), WriteError> {
        self.string(value.encode_utf8(&mut [0; 4]))
    }

    fn serialize_str(self, value: &str) -> Result<(), WriteError> {
        if self.inside == Some(DateTime::NAME) {
            self.notation.date_time(value, self.out);
            return Ok(());
        }
        self.string(value)
    }

    /// Returns `false` inside of a [`DateTime`] or [`Base64`], which then give their own form rather than text for any
    /// format.
    fn is_human_readable(&self) -> bool {
        self.inside.is_none()
    }

    fn serialize_bytes(self, value: &[u8]) -> Result<(), WriteError> {
        self.octets(value)
    }

    fn serialize_none(self) -> Result<(), WriteError> {
        self.notation.nil(self.out)
    }

    fn serialize_some<T: Serialize + ?Sized>(self, value: &T) -> Result<(), WriteError> {
        value.serialize(self)
    }

    fn serialize_unit(self) -> Result<(), WriteError> {
        self.notation.nil(self.out)
    }

    fn serialize_unit_struct(self, _name: &'static str) -> Result<(), WriteError> {
        self.notation.nil(self.out)
    }

    fn serialize_unit_variant(self, _name: &'static str, _index: u32, variant: &'static str) -> Result<(), WriteError> {
        self.string(variant)
    }

    fn serialize_newtype_struct<T: Serialize + ?Sized>(self, name: &'static str, value: &T) -> Result<(), WriteError> {
        match name {
            DateTime::NAME | Base64::NAME => {
                self.inside = Some(name);
                let written = value.serialize(&mut *self);
                self.inside = None;
                written
            }
            OUTCOME => self.outcome(value),
            _ => value.serialize(self),
        }
    }

    fn serialize_newtype_variant<T: Serialize + ?Sized>(
        self,
        _name: &'static str,
        _index: u32,
        variant: &'static str,
        value: &T,
    ) -> Result<(), WriteError> {
        self.variant(variant);
        self.part(value, || format!(".{variant}"))?;
        self.end_variant();
        Ok(())
    }

    fn serialize_seq(self, _len: Option<usize>) -> Result<ArrayWriter<'w, 'a, N>, WriteError> {
        Ok(ArrayWriter::new(self, false))
    }

    fn serialize_tuple(self, _len: usize) -> Result<ArrayWriter<'w, 'a, N>, WriteError> {
        Ok(ArrayWriter::new(self, false))
    }

    fn serialize_tuple_struct(self, _name: &'static str, _len: usize) -> Result<ArrayWriter<'w, 'a, N>, WriteError> {
        Ok(ArrayWriter::new(self, false))
    }

    fn serialize_tuple_variant(
        self,
        _name: &'static str,
        _index: u32,
        variant: &'static str,
        _len: usize,
    ) -> Result<ArrayWriter<'w, 'a, N>, WriteError> {
        self.variant(variant);
        Ok(ArrayWriter::new(self, true))
    }

    fn serialize_map(self, _len: Option<usize>) -> Result<StructWriter<'w, 'a, N>, WriteError> {
        Ok(StructWriter::new(self, false))
    }

    fn serialize_struct(self, _name: &'static str, _len: usize) -> Result<StructWriter<'w, 'a, N>, WriteError> {
        Ok(StructWriter::new(self, false))
    }

    fn serialize_struct_variant(
        self,
        _name: &'static str,
        _index: u32,
        variant: &'static str,
        _len: usize,
    ) -> Result<StructWriter<'w, 'a, N>, WriteError> {
        self.variant(variant);
        Ok(StructWriter::new(self, true))
    }
}

/// An array being written.
struct ArrayWriter<'w, 'a, N> {
    writer: &'w mut Writer<'a, N>,
    count: usize,
    /// Set if it is the content of a variant.
    in_variant: bool,
}

impl<'w, 'a, N: Notation> ArrayWriter<'w, 'a, N> {
    #[inline]
    fn new(writer: &'w mut Writer<'a, N>, in_variant: bool) -> Self {
        writer.notation.begin_array(writer.out);
        ArrayWriter { writer, count: 0, in_variant }
    }
}

impl<N: Notation> SerializeSeq for ArrayWriter<'_, '_, N> {
    type Ok = ();
    type Error = WriteError;

    #[inline]
    fn serialize_element<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<(), WriteError> {
        let index = self.count;
        self.count += 1;
        self.writer.notation.begin_item(index == 0, self.writer.out);
        self.writer.part(value, || format!("[{index}]"))
    }

    fn end(self) -> Result<(), WriteError> {
        self.writer.notation.end_array(self.writer.out);
        if self.in_variant {
            self.writer.end_variant();
        }
        Ok(())
    }
}

macro_rules! as_seq {
    ($($trait:ident::$method:ident),*) => {$(
        impl<N: Notation> ser::$trait for ArrayWriter<'_, '_, N> {
            type Ok = ();
            type Error = WriteError;

            #[inline]
            fn $method<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<(), WriteError> {
                SerializeSeq::serialize_element(self, value)
            }

            fn end(self) -> Result<(), WriteError> {
                SerializeSeq::end(self)
            }
        }
    )*};
}

as_seq!(
    SerializeTuple::serialize_element,
    SerializeTupleStruct::serialize_field,
    SerializeTupleVariant::serialize_field
);

/// A struct being written.
struct StructWriter<'w, 'a, N> {
    writer: &'w mut Writer<'a, N>,
    first: bool,
    /// The name of the current member, in a map.
    key: String,
    /// Set if it is the content of a variant.
    in_variant: bool,
}

impl<'w, 'a, N: Notation> StructWriter<'w, 'a, N> {
    #[inline]
    fn new(writer: &'w mut Writer<'a, N>, in_variant: bool) -> Self {
        writer.notation.begin_struct(writer.out);
        let key = std::mem::take(&mut writer.key);
        StructWriter { writer, first: true, key, in_variant }
    }

    #[inline]
    fn begin_member(&mut self, name: &str) {
        self.writer.notation.begin_member(self.first, name, self.writer.out);
        self.first = false;
    }

    #[inline]
    fn field<T: Serialize + ?Sized>(&mut self, name: &'static str, value: &T) -> Result<(), WriteError> {
        self.begin_member(name);
        self.writer.part(value, || format!(".{name}"))?;
        self.writer.notation.end_member(self.writer.out);
        Ok(())
    }
}

impl<N: Notation> SerializeMap for StructWriter<'_, '_, N> {
    type Ok = ();
    type Error = WriteError;

    fn serialize_key<T: Serialize + ?Sized>(&mut self, key: &T) -> Result<(), WriteError> {
        self.key.clear();
        if write!(self.key, "{}", MapKey(key)).is_err() {
            return Err(WriteError::new("a map has keys that are neither text nor numbers"));
        }
        self.writer.notation.begin_member(self.first, &self.key, self.writer.out);
        self.first = false;
        Ok(())
    }

    fn serialize_value<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<(), WriteError> {
        self.writer.part(value, || format!(".{}", self.key))?;
        self.writer.notation.end_member(self.writer.out);
        Ok(())
    }

    fn end(self) -> Result<(), WriteError> {
        self.writer.notation.end_struct(self.writer.out);
        if self.in_variant {
            self.writer.end_variant();
        }
        self.writer.key = self.key;
        Ok(())
    }
}

macro_rules! as_struct {
    ($($trait:ident),*) => {$(
        impl<N: Notation> ser::$trait for StructWriter<'_, '_, N> {
            type Ok = ();
            type Error = WriteError;

            #[inline]
            fn serialize_field<T: Serialize + ?Sized>(
                &mut self,
                name: &'static str,
                value: &T,
            ) -> Result<(), WriteError> {
                self.field(name, value)
            }

            fn end(self) -> Result<(), WriteError> {
                SerializeMap::end(self)
            }
        }
    )*};
}

as_struct!(SerializeStruct, SerializeStructVariant);

/// A map's key as text: what serde writes into a formatter, which is text, numbers and enums without content.
struct MapKey<'a, K: ?Sized>(&'a K);

impl<K: Serialize + ?Sized> Display for MapKey<'_, K> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.serialize(f)
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use chrono::NaiveDate;
    use serde::Deserialize;

    use super::*;
    use crate::service::Limits;
    use crate::wire::json::{self, JsonOptions, JsonText};

    #[derive(Debug, Deserialize, PartialEq, serde::Serialize)]
    enum Figure {
        Point,
        Circle(f64),
        Line(i32, i32),
        Square { side: i32 },
    }

    #[derive(Debug, Deserialize, PartialEq, serde::Serialize)]
    struct Drawing {
        figures: Vec<Figure>,
        layers: BTreeMap<u8, Option<char>>,
        made: DateTime,
        thumbnail: Base64,
    }

    /// A result among several.
    struct OneOf(f64);

    impl Serialize for OneOf {
        fn serialize<S: ser::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
            serializer.serialize_newtype_struct(OUTCOME, &[self.0])
        }
    }

    fn options(response: usize) -> JsonOptions {
        JsonOptions { limits: Limits { response, ..Limits::default() }, large_integers_as_text: false }
    }

    fn written<T: Serialize>(value: &T, limit: usize) -> Result<String, WriteError> {
        let mut out = Vec::new();
        json::write(value, &options(limit), &mut out)?;
        Ok(String::from_utf8(out).unwrap())
    }

    fn refusal<T: Serialize>(value: &T, limit: usize) -> Option<(bool, String)> {
        written(value, limit).err().map(|error| (error.is_limit(), error.to_string()))
    }

    fn drawing() -> Drawing {
        Drawing {
            figures: vec![Figure::Point, Figure::Circle(0.5), Figure::Line(1, -1), Figure::Square { side: 3 }],
            layers: BTreeMap::from([(1, Some('a')), (20, None)]),
            made: "19980717T14:08:55".parse().unwrap(),
            thumbnail: Base64(b"foobar".to_vec()),
        }
    }

    #[test]
    fn structures_roundtrip() {
        let text = written(&drawing(), usize::MAX).unwrap();
        let options = options(usize::MAX);
        let read: Drawing = JsonText::new(text.as_bytes(), &options).unwrap().value().unwrap();
        assert_eq!(read, drawing());
    }

    #[test]
    fn structures_spec() {
        let expected = concat!(
            r#"{"figures":["Point",{"Circle":0.5},{"Line":[1,-1]},{"Square":{"side":3}}],"#,
            r#""layers":{"1":"a","20":null},"made":"1998-07-17T14:08:55","thumbnail":"Zm9vYmFy"}"#,
        );
        assert_eq!(written(&drawing(), usize::MAX).unwrap(), expected);
        assert_eq!(
            written(&[OneOf(1.0), OneOf(f64::NAN), OneOf(2.0)], usize::MAX).unwrap(),
            r#"[[1.0],{"faultCode":-32603,"faultString":"the result cannot be written: NaN is no double of JSON"},[2.0]]"#,
        );
    }

    #[test]
    fn structures_invalid() {
        let far = DateTime(NaiveDate::from_ymd_opt(12345, 1, 1).unwrap().and_hms_opt(0, 0, 0).unwrap());
        let by_list = BTreeMap::from([(vec![1], 1)]);
        for (found, is_limit, expected) in [
            (refusal(&f32::NEG_INFINITY, 100), false, "-inf is no double of JSON"),
            (refusal(&[[0.0], [f64::NAN]], 100), false, "NaN is no double of JSON, at [1][0]"),
            (refusal(&[Figure::Circle(f64::NAN)], 100), false, "NaN is no double of JSON, at [0].Circle"),
            (
                refusal(&BTreeMap::from([("a", [(1, f64::INFINITY)])]), 100),
                false,
                "inf is no double of JSON, at a[0][1]",
            ),
            (refusal(&far, 100), false, "the year of +12345-01-01 00:00:00 has not four digits"),
            (refusal(&by_list, 100), false, "a map has keys that are neither text nor numbers"),
            (refusal(&(1, by_list), 100), false, "a map has keys that are neither text nor numbers, at [1]"),
            (refusal(&"0123456789", 11), true, "longer than 11 octets"),
            (refusal(&Base64(vec![0; 20]), 19), true, "longer than 19 octets"),
            (refusal(&[OneOf(1.0), OneOf(2.0)], 10), true, "longer than 10 octets, at [1]"),
        ] {
            assert_eq!(found, Some((is_limit, expected.to_owned())));
        }
    }
}
