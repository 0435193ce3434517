//! Writing: the notation of XML-RPC, straight into octets, without an XML writer in between.

use std::io::Write;

use serde::ser::{self, Impossible, Serialize};

use crate::wire::value::{self, Base64, Double, Integer, Notation, WriteError};
use crate::wire::xml::escape;
use crate::wire::{Category, Error};

/// The options for a document to write.
#[derive(Clone, Copy)]
pub(super) struct WriteOptions {
    /// Set if nil is written; if not, it is an error.
    pub(super) nil: bool,
    /// The number of octets that the document may have, about.
    pub(super) limit: usize,
}

impl Default for WriteOptions {
    fn default() -> WriteOptions {
        WriteOptions { nil: true, limit: usize::MAX }
    }
}

/// Appends one `<value>`.
pub(super) fn write_value<T: Serialize + ?Sized>(
    value: &T,
    options: WriteOptions,
    out: &mut Vec<u8>,
) -> Result<(), WriteError> {
    value::write(value, Xml { nil: options.nil }, options.limit, out)
}

/// Appends a `<methodCall>` whose params are the items of `params`.
pub(super) fn write_call<P: Serialize + ?Sized>(method_name: &str, params: &P, out: &mut Vec<u8>) -> Result<(), Error> {
    out.extend_from_slice(b"<methodCall><methodName>");
    escape(method_name, out);
    out.extend_from_slice(b"</methodName><params>");
    params.serialize(ParamsSerializer { out: &mut *out, count: 0 })?;
    out.extend_from_slice(b"</params></methodCall>\n");
    Ok(())
}

/// The notation of XML-RPC.
#[derive(Clone, Copy)]
struct Xml {
    nil: bool,
}

/// Appends a scalar, whose text needs no escape.
#[inline]
fn scalar(before: &str, text: &[u8], after: &str, out: &mut Vec<u8>) {
    out.extend_from_slice(before.as_bytes());
    out.extend_from_slice(text);
    out.extend_from_slice(after.as_bytes());
}

impl Notation for Xml {
    const NAME: &'static str = "XML-RPC";

    #[inline]
    fn integer<I: Integer>(self, value: I, out: &mut Vec<u8>) -> Result<(), WriteError> {
        let Ok(narrow) = value.try_into() else {
            return Err(WriteError::new(format!("{value} is beyond i8: a string can have it")));
        };
        let mut buffer = itoa::Buffer::new();
        let text = buffer.format(narrow).as_bytes();
        match i32::try_from(narrow) {
            Ok(_) => scalar("<value><int>", text, "</int></value>", out),
            Err(_) => scalar("<value><i8>", text, "</i8></value>", out),
        }
        Ok(())
    }

    fn double<D: Double>(self, value: D, out: &mut Vec<u8>) {
        out.extend_from_slice(b"<value><double>");
        let magnitude = value.into().abs();
        // beyond these bounds the shortest form has an exponent, which XML-RPC does not
        if magnitude == 0.0 || (1e-5..1e16).contains(&magnitude) {
            out.extend_from_slice(zmij::Buffer::new().format_finite(value).as_bytes());
        } else if write!(out, "{value}").is_err() {
            unreachable!("writing to a Vec cannot fail");
        }
        out.extend_from_slice(b"</double></value>");
    }

    #[inline]
    fn boolean(self, value: bool, out: &mut Vec<u8>) {
        scalar("<value><boolean>", if value { b"1" } else { b"0" }, "</boolean></value>", out);
    }

    #[inline]
    fn string(self, text: &str, out: &mut Vec<u8>) {
        out.extend_from_slice(b"<value><string>");
        escape(text, out);
        out.extend_from_slice(b"</string></value>");
    }

    fn date_time(self, text: &str, out: &mut Vec<u8>) {
        scalar("<value><dateTime.iso8601>", text.as_bytes(), "</dateTime.iso8601></value>", out);
    }

    fn octets(self, octets: &[u8], out: &mut Vec<u8>) {
        out.extend_from_slice(b"<value><base64>");
        Base64::encode_into(octets, out);
        out.extend_from_slice(b"</base64></value>");
    }

    fn nil(self, out: &mut Vec<u8>) -> Result<(), WriteError> {
        if !self.nil {
            return Err(WriteError::new("nil is switched off"));
        }
        out.extend_from_slice(b"<value><nil/></value>");
        Ok(())
    }

    #[inline]
    fn begin_array(self, out: &mut Vec<u8>) {
        out.extend_from_slice(b"<value><array><data>");
    }

    #[inline]
    fn begin_item(self, _first: bool, _out: &mut Vec<u8>) {}

    #[inline]
    fn end_array(self, out: &mut Vec<u8>) {
        out.extend_from_slice(b"</data></array></value>");
    }

    #[inline]
    fn begin_struct(self, out: &mut Vec<u8>) {
        out.extend_from_slice(b"<value><struct>");
    }

    #[inline]
    fn begin_member(self, _first: bool, name: &str, out: &mut Vec<u8>) {
        out.extend_from_slice(b"<member><name>");
        escape(name, out);
        out.extend_from_slice(b"</name>");
    }

    #[inline]
    fn end_member(self, out: &mut Vec<u8>) {
        out.extend_from_slice(b"</member>");
    }

    #[inline]
    fn end_struct(self, out: &mut Vec<u8>) {
        out.extend_from_slice(b"</struct></value>");
    }
}

/// A serializer for the params of a call: the items of a sequence, or a unit for none.
struct ParamsSerializer<'a> {
    out: &'a mut Vec<u8>,
    count: usize,
}

impl ParamsSerializer<'_> {
    fn param<T: Serialize + ?Sized>(&mut self, param: &T) -> Result<(), Error> {
        self.count += 1;
        self.out.extend_from_slice(b"<param>");
        write_value(param, WriteOptions::default(), self.out)
            .map_err(|error| Error::new(Category::Data, format!("param {}: {error}", self.count)))?;
        self.out.extend_from_slice(b"</param>");
        Ok(())
    }
}

macro_rules! no_params {
    ($($method:ident($($type:ty),*) -> $result:ty),* $(,)?) => {$(
        fn $method(self, $(_: $type),*) -> Result<$result, Error> {
            Err(Error::new(Category::Data, "params are a tuple, an array or a unit"))
        }
    )*};
}

impl ser::Serializer for ParamsSerializer<'_> {
    type Ok = ();
    type Error = Error;
    type SerializeSeq = Self;
    type SerializeTuple = Self;
    type SerializeTupleStruct = Self;
    type SerializeTupleVariant = Impossible<(), Error>;
    type SerializeMap = Impossible<(), Error>;
    type SerializeStruct = Impossible<(), Error>;
    type SerializeStructVariant = Impossible<(), Error>;

    no_params!(
        serialize_bool(bool) -> (),
        serialize_i8(i8) -> (),
        serialize_i16(i16) -> (),
        serialize_i32(i32) -> (),
        serialize_i64(i64) -> (),
        serialize_u8(u8) -> (),
        serialize_u16(u16) -> (),
        serialize_u32(u32) -> (),
        serialize_u64(u64) -> (),
        serialize_f32(f32) -> (),
        serialize_f64(f64) -> (),
        serialize_char(char) -> (),
        serialize_str(&str) -> (),
        serialize_bytes(&[u8]) -> (),
        serialize_none() -> (),
        serialize_unit_struct(&'static str) -> (),
        serialize_unit_variant(&'static str, u32, &'static str) -> (),
        serialize_tuple_variant(&'static str, u32, &'static str, usize) -> Impossible<(), Error>,
        serialize_map(Option<usize>) -> Impossible<(), Error>,
        serialize_struct(&'static str, usize) -> Impossible<(), Error>,
        serialize_struct_variant(&'static str, u32, &'static str, usize) -> Impossible<(), Error>,
    );

    fn serialize_some<T: Serialize + ?Sized>(self, value: &T) -> Result<(), Error> {
        value.serialize(self)
    }

    fn serialize_unit(self) -> Result<(), Error> {
        Ok(())
    }

    fn serialize_newtype_struct<T: Serialize + ?Sized>(self, _name: &'static str, value: &T) -> Result<(), Error> {
        value.serialize(self)
    }

    fn serialize_newtype_variant<T: Serialize + ?Sized>(
        self,
        _name: &'static str,
        _index: u32,
        _variant: &'static str,
        _value: &T,
    ) -> Result<(), Error> {
        self.serialize_none()
    }

    fn serialize_seq(self, _len: Option<usize>) -> Result<Self, Error> {
        Ok(self)
    }

    fn serialize_tuple(self, _len: usize) -> Result<Self, Error> {
        Ok(self)
    }

    fn serialize_tuple_struct(self, _name: &'static str, _len: usize) -> Result<Self, Error> {
        Ok(self)
    }
}

macro_rules! as_params {
    ($($trait:ident::$method:ident),*) => {$(
        impl ser::$trait for ParamsSerializer<'_> {
            type Ok = ();
            type Error = Error;

            fn $method<T: Serialize + ?Sized>(&mut self, param: &T) -> Result<(), Error> {
                self.param(param)
            }

            fn end(self) -> Result<(), Error> {
                Ok(())
            }
        }
    )*};
}

as_params!(SerializeSeq::serialize_element, SerializeTuple::serialize_element, SerializeTupleStruct::serialize_field);

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::super::{Value, from_slice};
    use super::*;
    use crate::wire::value::{DateTime, Members};

    fn written<T: Serialize>(value: T) -> String {
        let mut out = Vec::new();
        write_value(&value, WriteOptions::default(), &mut out).unwrap();
        String::from_utf8(out).unwrap()
    }

    fn call<P: Serialize>(name: &str, params: P) -> Result<String, (Category, String)> {
        let mut out = Vec::new();
        write_call(name, &params, &mut out).map_err(|error| (error.category(), error.to_string()))?;
        Ok(String::from_utf8(out).unwrap())
    }

    #[test]
    fn doubles_roundtrip() {
        for double in [0.0, -0.0, 0.1, 1e-5, 9.9e-6, 1e15, 1e16, 1e23, f64::MAX, f64::MIN_POSITIVE, 5e-324] {
            let text = written(double);
            assert!(!text.trim_start_matches("<value><double>").split('<').next().unwrap().contains('e'), "{text}");
            assert_eq!(from_slice::<f64>(text.as_bytes()).unwrap().to_bits(), double.to_bits(), "{text}");
        }
    }

    /// Values of <http://xmlrpc.com/spec.md>.
    #[test]
    fn values_spec() {
        let date: DateTime = "19980717T14:08:55".parse().unwrap();
        for (value, expected) in [
            (Value::Int(-12), "<int>-12</int>"),
            (Value::Int(i32::MAX.into()), "<int>2147483647</int>"),
            (Value::Int(i64::from(i32::MIN) - 1), "<i8>-2147483649</i8>"),
            (true.into(), "<boolean>1</boolean>"),
            ("hello world".into(), "<string>hello world</string>"),
            ((-12.214).into(), "<double>-12.214</double>"),
            (date.into(), "<dateTime.iso8601>19980717T14:08:55</dateTime.iso8601>"),
            (Base64(b"you can't read this!".to_vec()).into(), "<base64>eW91IGNhbid0IHJlYWQgdGhpcyE=</base64>"),
            (
                Members::from([("lower&Bound", 18)]).into(),
                "<struct><member><name>lower&amp;Bound</name><value><int>18</int></value></member></struct>",
            ),
            (
                vec![12.into(), "Egypt".into(), Value::Array(Vec::new())].into(),
                "<array><data><value><int>12</int></value><value><string>Egypt</string></value>\
                 <value><array><data></data></array></value></data></array>",
            ),
            (Value::Nil, "<nil/>"),
        ] {
            assert_eq!(written(value), format!("<value>{expected}</value>"));
        }
    }

    #[test]
    fn calls_spec() {
        let start = "<methodCall><methodName>";
        let state = "<param><value><int>41</int></value></param>";
        for (found, expected) in [
            (call("examples.getStateName", (41,)), format!("examples.getStateName</methodName><params>{state}")),
            (call("f", [41]), format!("f</methodName><params>{state}")),
            (call("f", vec![41, 41]), format!("f</methodName><params>{state}{state}")),
            (call("f", Some(Value::Array(vec![41.into()]))), format!("f</methodName><params>{state}")),
            (call("a<b", ()), "a&lt;b</methodName><params>".to_owned()),
        ] {
            assert_eq!(found, Ok(format!("{start}{expected}</params></methodCall>\n")));
        }
    }

    #[test]
    fn values_invalid() {
        let no_nil = WriteOptions { nil: false, limit: 100 };
        let refusal = |value: &dyn erased_serde::Serialize| {
            let error = write_value(value, no_nil, &mut Vec::new()).err()?;
            Some((error.is_limit(), error.to_string()))
        };
        for (found, is_limit, expected) in [
            (refusal(&(1, ())), false, "nil is switched off, at [1]"),
            (refusal(&u64::MAX), false, "18446744073709551615 is beyond i8: a string can have it"),
            (
                refusal(&[i128::MIN]),
                false,
                "-170141183460469231731687303715884105728 is beyond i8: a string can have it, at [0]",
            ),
            (refusal(&f64::NAN), false, "NaN is no double of XML-RPC"),
            (refusal(&"0123456789".repeat(10)), true, "longer than 100 octets"),
        ] {
            assert_eq!(found, Some((is_limit, expected.to_owned())));
        }
    }

    #[test]
    fn calls_invalid() {
        let no_params = "params are a tuple, an array or a unit";
        for (found, expected) in [
            (call("f", 1), no_params),
            (call("f", "a"), no_params),
            (call("f", None::<i32>), no_params),
            (call("f", BTreeMap::from([("a", 1)])), no_params),
            (call("f", (1.0, f64::NAN)), "param 2: NaN is no double of XML-RPC"),
            (call("f", [[[0.0, f64::INFINITY]]]), "param 1: inf is no double of XML-RPC, at [0][1]"),
        ] {
            assert_eq!(found, Err((Category::Data, expected.to_owned())));
        }
    }
}
