//! Writing.

use serde::ser::Serialize;

use super::Options;
use crate::wire::value::{self, Base64, Double, Integer, Notation, WriteError};

/// Appends a value to a text.
pub(crate) fn write<T: Serialize + ?Sized>(value: &T, options: &Options, out: &mut Vec<u8>) -> Result<(), WriteError> {
    let notation = Json { large_integers_as_text: options.large_integers_as_text };
    value::write(value, notation, options.limits.response, out)
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
