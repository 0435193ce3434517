//! Values made of any type, by the rules that write it: a notation of its own, which is read at once.

use serde::Serialize;

use super::writer::{self, Double, Integer, Notation, WriteError};
use super::{Base64, Members, Value};

impl Value {
    /// Makes a value of what a type is on the wire.
    pub(crate) fn of<T: Serialize + ?Sized>(value: &T) -> Result<Value, WriteError> {
        let mut pieces = Vec::new();
        writer::write(value, Pieces, usize::MAX, &mut pieces)?;
        Pieces::read(&mut &pieces[..]).ok_or_else(|| WriteError::new("expected a value, found none"))
    }
}

/// A notation that is shorter to read than those of the protocols: each piece is a mark, the length of its text, and
/// the text.
#[derive(Clone, Copy)]
struct Pieces;

impl Pieces {
    fn put(mark: u8, text: &[u8], out: &mut Vec<u8>) {
        out.push(mark);
        out.extend_from_slice(&text.len().to_le_bytes());
        out.extend_from_slice(text);
    }

    /// Takes the next piece.
    fn take<'a>(from: &mut &'a [u8]) -> Option<(u8, &'a [u8])> {
        let (mark, rest) = from.split_first()?;
        let (length, rest) = rest.split_first_chunk()?;
        let (text, rest) = rest.split_at_checked(usize::from_le_bytes(*length))?;
        *from = rest;
        Some((*mark, text))
    }

    /// Reads a value; `None` at the end of an array.
    fn read(from: &mut &[u8]) -> Option<Value> {
        let (mark, octets) = Pieces::take(from)?;
        let text = || std::str::from_utf8(octets).ok();
        Some(match mark {
            b'i' => Value::Int(text()?.parse().ok()?),
            b'd' => Value::Double(text()?.parse().ok()?),
            b'b' => Value::Boolean(octets == b"1"),
            b's' => Value::String(text()?.to_owned()),
            b't' => Value::DateTime(text()?.parse().ok()?),
            b'o' => Value::Base64(Base64(octets.to_vec())),
            b'n' => Value::Nil,
            b'[' => Value::Array(std::iter::from_fn(|| Pieces::read(from)).collect()),
            b'{' => {
                let mut members = Vec::new();
                while let Some((b'm', name)) = Pieces::take(from) {
                    members.push((String::from_utf8(name.to_vec()).ok()?, Pieces::read(from)?));
                }
                Value::Struct(Members::from(members))
            }
            _ => return None,
        })
    }
}

impl Notation for Pieces {
    const NAME: &'static str = "a value";

    fn integer<I: Integer>(self, value: I, out: &mut Vec<u8>) -> Result<(), WriteError> {
        match value.try_into() {
            Ok::<i64, _>(value) => Pieces::put(b'i', value.to_string().as_bytes(), out),
            Err(_) => return Err(WriteError::new(format!("expected an integer of 64 bits, found {value}"))),
        }
        Ok(())
    }

    fn double<D: Double>(self, value: D, out: &mut Vec<u8>) {
        Pieces::put(b'd', zmij::Buffer::new().format_finite(value).as_bytes(), out);
    }

    fn boolean(self, value: bool, out: &mut Vec<u8>) {
        Pieces::put(b'b', if value { b"1" } else { b"0" }, out);
    }

    fn string(self, text: &str, out: &mut Vec<u8>) {
        Pieces::put(b's', text.as_bytes(), out);
    }

    fn date_time(self, text: &str, out: &mut Vec<u8>) {
        Pieces::put(b't', text.as_bytes(), out);
    }

    fn octets(self, octets: &[u8], out: &mut Vec<u8>) {
        Pieces::put(b'o', octets, out);
    }

    fn nil(self, out: &mut Vec<u8>) -> Result<(), WriteError> {
        Pieces::put(b'n', b"", out);
        Ok(())
    }

    fn begin_array(self, out: &mut Vec<u8>) {
        Pieces::put(b'[', b"", out);
    }

    fn begin_item(self, _first: bool, _out: &mut Vec<u8>) {}

    fn end_array(self, out: &mut Vec<u8>) {
        Pieces::put(b']', b"", out);
    }

    fn begin_struct(self, out: &mut Vec<u8>) {
        Pieces::put(b'{', b"", out);
    }

    fn begin_member(self, _first: bool, name: &str, out: &mut Vec<u8>) {
        Pieces::put(b'm', name.as_bytes(), out);
    }

    fn end_member(self, _out: &mut Vec<u8>) {}

    fn end_struct(self, out: &mut Vec<u8>) {
        Pieces::put(b'}', b"", out);
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;

    #[test]
    fn values_roundtrip() {
        let members = [("", Value::Nil), ("a", Value::Array(vec![Value::Array(Vec::new()), true.into()]))];
        let date = Value::DateTime("20261124T12:00:00".parse().unwrap());
        for value in [date, Base64(vec![0, 255]).into(), "grün".into(), 1e300.into(), Value::Struct(members.into())] {
            assert_eq!(Value::of(&value).unwrap(), value);
        }
    }

    #[test]
    fn values_spec() {
        assert_eq!(Value::of(&(1_u8, 0.1_f32, "a", None::<i32>)).unwrap(), {
            Value::Array(vec![1.into(), 0.1.into(), "a".into(), Value::Nil])
        });
        let members = Value::Struct([("1", Value::from("x"))].into());
        assert_eq!(Value::of(&BTreeMap::from([(1, 'x')])).unwrap(), members);
    }

    #[test]
    fn values_invalid() {
        for (error, expected) in [
            (Value::of(&[u64::MAX]).unwrap_err(), "64 bits, found 18446744073709551615"),
            (Value::of(&f64::NAN).unwrap_err(), "NaN"),
        ] {
            assert!(error.to_string().contains(expected), "{error}");
        }
    }
}
