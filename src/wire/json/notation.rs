//! Writing.

use serde::ser::Serialize;

use super::JsonOptions;
use crate::wire::value::{self, Base64, Double, Integer, Notation, Value, WriteError};

/// Appends a value to a text.
pub(crate) fn write<T: Serialize + ?Sized>(
    value: &T,
    options: &JsonOptions,
    out: &mut Vec<u8>,
) -> Result<(), WriteError> {
    let notation = Json { large_integers_as_text: options.large_integers_as_text };
    value::write(value, notation, options.limits.response, out)
}

/// Returns a value as it stands in documents for people and programs; null for one that JSON cannot have.
pub(crate) fn as_json(value: &Value) -> serde_json::Value {
    let mut text = Vec::new();
    let written = value::write(value, Json { large_integers_as_text: false }, usize::MAX, &mut text);
    written.ok().and_then(|()| serde_json::from_slice(&text).ok()).unwrap_or_default()
}

/// Appends a string to a text.
#[inline]
pub(crate) fn write_string(text: &str, out: &mut Vec<u8>) {
    if serde_json::to_writer(out, text).is_err() {
        unreachable!("a Vec takes every text");
    }
}

/// The notation of JSON.
#[derive(Clone, Copy)]
struct Json {
    large_integers_as_text: bool,
}

/// The magnitude up to which a double holds every integer exactly.
const LARGEST_EXACT: u64 = 1 << 53;

impl Notation for Json {
    const NAME: &'static str = "JSON";

    #[inline]
    fn integer<I: Integer>(self, value: I, out: &mut Vec<u8>) -> Result<(), WriteError> {
        let mut buffer = itoa::Buffer::new();
        let text = buffer.format(value);
        let is_large = || value.try_into().map_or(true, |value| value.unsigned_abs() > LARGEST_EXACT);
        match self.large_integers_as_text && is_large() {
            true => write_string(text, out),
            false => out.extend_from_slice(text.as_bytes()),
        }
        Ok(())
    }

    #[inline]
    fn double<D: Double>(self, value: D, out: &mut Vec<u8>) {
        out.extend_from_slice(zmij::Buffer::new().format_finite(value).as_bytes());
    }

    #[inline]
    fn boolean(self, value: bool, out: &mut Vec<u8>) {
        out.extend_from_slice(if value { b"true" } else { b"false" });
    }

    #[inline]
    fn string(self, text: &str, out: &mut Vec<u8>) {
        write_string(text, out);
    }

    /// Writes the date with dashes, as JavaScript's `Date` requires.
    fn date_time(self, text: &str, out: &mut Vec<u8>) {
        let octets = text.as_bytes();
        for piece in [b"\"", &octets[..4], b"-", &octets[4..6], b"-", &octets[6..], b"\""] {
            out.extend_from_slice(piece);
        }
    }

    fn octets(self, octets: &[u8], out: &mut Vec<u8>) {
        out.push(b'"');
        Base64::encode_into(octets, out);
        out.push(b'"');
    }

    #[inline]
    fn nil(self, out: &mut Vec<u8>) -> Result<(), WriteError> {
        out.extend_from_slice(b"null");
        Ok(())
    }

    #[inline]
    fn begin_array(self, out: &mut Vec<u8>) {
        out.push(b'[');
    }

    #[inline]
    fn begin_item(self, first: bool, out: &mut Vec<u8>) {
        if !first {
            out.push(b',');
        }
    }

    #[inline]
    fn end_array(self, out: &mut Vec<u8>) {
        out.push(b']');
    }

    #[inline]
    fn begin_struct(self, out: &mut Vec<u8>) {
        out.push(b'{');
    }

    #[inline]
    fn begin_member(self, first: bool, name: &str, out: &mut Vec<u8>) {
        if !first {
            out.push(b',');
        }
        write_string(name, out);
        out.push(b':');
    }

    #[inline]
    fn end_member(self, _out: &mut Vec<u8>) {}

    #[inline]
    fn end_struct(self, out: &mut Vec<u8>) {
        out.push(b'}');
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::service::Limits;
    use crate::wire::value::{DateTime, Value};

    fn written<T: Serialize>(value: T, large_integers_as_text: bool) -> Result<String, WriteError> {
        let options = JsonOptions { limits: Limits { response: 40, ..Limits::default() }, large_integers_as_text };
        let mut out = Vec::new();
        write(&value, &options, &mut out)?;
        Ok(String::from_utf8(out).unwrap())
    }

    #[test]
    fn doubles_roundtrip() {
        for double in [0.0, -0.0, 0.1, 1e21, -1e-7, f64::MAX, f64::MIN_POSITIVE, 5e-324, 9_007_199_254_740_993.0] {
            let text = written(double, false).unwrap();
            assert_eq!(text.parse::<f64>().unwrap().to_bits(), double.to_bits(), "{text}");
            assert_eq!(serde_json::from_str::<f64>(&text).unwrap().to_bits(), double.to_bits(), "{text}");
        }
    }

    /// Escapes of RFC 8259 §7, dates of ECMA-262 §21.4.1.32, octets of RFC 4648 §10.
    #[test]
    fn scalars_spec() {
        let date: DateTime = "19980717T14:08:55.5".parse().unwrap();
        for (value, expected) in [
            (Value::Int(-7), "-7"),
            (Value::Int(i64::MAX), "9223372036854775807"),
            (Value::Boolean(true), "true"),
            (Value::Boolean(false), "false"),
            (Value::Double(-12.214), "-12.214"),
            ("\"\\/\u{8}\u{C}\n\r\t\u{1F}\u{7F}ü".into(), "\"\\\"\\\\/\\b\\f\\n\\r\\t\\u001f\u{7F}ü\""),
            (date.into(), "\"1998-07-17T14:08:55\""),
            (Base64(b"fo".to_vec()).into(), "\"Zm8=\""),
            (Value::Nil, "null"),
            (vec![Value::Array(Vec::new()), 1.into()].into(), "[[],1]"),
        ] {
            assert_eq!(written(value, false).unwrap(), expected);
        }
        // 2^53 is the last integer that all doubles up to it tell from its neighbours
        for (integer, expected) in [
            (9_007_199_254_740_992_i64, "9007199254740992"),
            (9_007_199_254_740_993, "\"9007199254740993\""),
            (-9_007_199_254_740_993, "\"-9007199254740993\""),
        ] {
            assert_eq!(written(integer, true).unwrap(), expected);
        }
        assert_eq!(written(u64::MAX, true).unwrap(), "\"18446744073709551615\"");
    }

    #[test]
    fn scalars_invalid() {
        for (found, is_limit, expected) in [
            (written(f64::NAN, false), false, "NaN is no double of JSON"),
            (written(f32::INFINITY, false), false, "inf is no double of JSON"),
            (written("a".repeat(40), false), true, "longer than 40 octets"),
        ] {
            assert_eq!(
                found.err().map(|error| (error.is_limit(), error.to_string())),
                Some((is_limit, expected.into()))
            );
        }
    }
}
