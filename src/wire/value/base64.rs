//! Octets.

use std::borrow::Cow;
use std::fmt;
use std::ops::{Deref, DerefMut};

use base64::Engine;
use base64::alphabet;
use base64::engine::DecodePaddingMode;
use base64::engine::general_purpose::{GeneralPurpose, GeneralPurposeConfig, STANDARD};
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::de::{self, Deserialize, Deserializer, Visitor};
use serde::ser::{Serialize, Serializer};

/// Octets that travel as `base64`, in every protocol.
///
/// XML-RPC writes them as a `<base64>` element, a format without such a type as a base64 string (RFC 4648 §4), where a
/// plain `Vec<u8>` would become an array of numbers.
///
/// # Example
///
/// ```
/// use rpcgi::{Base64, xmlrpc};
///
/// let octets: Base64 = xmlrpc::from_slice(b"<value><base64>\n  aGVs\n  bG8=\n</base64></value>")?;
/// assert_eq!(octets, Base64(b"hello".to_vec()));
/// # Ok::<(), xmlrpc::Error>(())
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Base64(pub Vec<u8>);

/// The standard alphabet; padding is optional, since half of the implementations in the field leave it out.
const READER: GeneralPurpose = GeneralPurpose::new(
    &alphabet::STANDARD,
    GeneralPurposeConfig::new()
        .with_decode_padding_mode(DecodePaddingMode::Indifferent)
        .with_decode_allow_trailing_bits(true),
);

impl Base64 {
    /// The name by which formats that have the type recognise it.
    pub(crate) const NAME: &'static str = "$rpcgi::Base64";

    /// Reads base64 text: white space anywhere, padding or none.
    pub(crate) fn decode(text: &str) -> Result<Vec<u8>, base64::DecodeError> {
        let octets = text.as_bytes();
        if !octets.iter().any(u8::is_ascii_whitespace) {
            return READER.decode(octets);
        }
        let mut dense = Vec::with_capacity(octets.len());
        for piece in octets.split(u8::is_ascii_whitespace) {
            dense.extend_from_slice(piece);
        }
        READER.decode(dense)
    }

    /// Appends `octets` as base64 text in one line.
    pub(crate) fn encode_into(octets: &[u8], out: &mut Vec<u8>) {
        let start = out.len();
        // `None` would mean that the text's length is beyond usize: octets that are in memory stay far below.
        let len = base64::encoded_len(octets.len(), true).unwrap_or_default();
        out.resize(start + len, 0);
        if STANDARD.encode_slice(octets, &mut out[start..]).is_err() {
            unreachable!("the slice is as long as encoded_len says");
        }
    }
}

impl From<Vec<u8>> for Base64 {
    fn from(octets: Vec<u8>) -> Base64 {
        Base64(octets)
    }
}

impl From<Base64> for Vec<u8> {
    fn from(octets: Base64) -> Vec<u8> {
        octets.0
    }
}

impl Deref for Base64 {
    type Target = Vec<u8>;

    fn deref(&self) -> &Vec<u8> {
        &self.0
    }
}

impl DerefMut for Base64 {
    fn deref_mut(&mut self) -> &mut Vec<u8> {
        &mut self.0
    }
}

impl Serialize for Base64 {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_newtype_struct(Base64::NAME, &Octets(&self.0))
    }
}

/// The content: octets for a format that recognised the name, text for all others.
struct Octets<'a>(&'a [u8]);

impl Serialize for Octets<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        if serializer.is_human_readable() {
            serializer.serialize_str(&STANDARD.encode(self.0))
        } else {
            serializer.serialize_bytes(self.0)
        }
    }
}

impl<'de> Deserialize<'de> for Base64 {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Base64, D::Error> {
        deserializer.deserialize_newtype_struct(Base64::NAME, Base64Visitor)
    }
}

struct Base64Visitor;

impl<'de> Visitor<'de> for Base64Visitor {
    type Value = Base64;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("base64")
    }

    fn visit_newtype_struct<D: Deserializer<'de>>(self, deserializer: D) -> Result<Base64, D::Error> {
        deserializer.deserialize_any(self)
    }

    fn visit_bytes<E>(self, octets: &[u8]) -> Result<Base64, E> {
        Ok(Base64(octets.into()))
    }

    fn visit_byte_buf<E>(self, octets: Vec<u8>) -> Result<Base64, E> {
        Ok(Base64(octets))
    }

    fn visit_str<E: de::Error>(self, text: &str) -> Result<Base64, E> {
        Base64::decode(text).map(Base64).map_err(|_| E::invalid_value(de::Unexpected::Str(text), &self))
    }
}

impl JsonSchema for Base64 {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> Cow<'static, str> {
        "Base64".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({ "type": "string", "contentEncoding": "base64" })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn decode_takes_every_form_in_the_field() {
        for text in ["aGVsbG8h", "aGVs\r\nbG8h", " a G V s b G 8 h\t", "\naGVsbG8h\n"] {
            assert_eq!(Base64::decode(text).as_deref(), Ok(&b"hello!"[..]), "{text:?}");
        }
        assert_eq!(Base64::decode("aGk=").as_deref(), Ok(&b"hi"[..]));
        assert_eq!(Base64::decode("aGk").as_deref(), Ok(&b"hi"[..]));
        assert_eq!(Base64::decode("").as_deref(), Ok(&b""[..]));
    }

    #[test]
    fn decode_invalid() {
        for text in ["a", "aGk*", "=aGk", "aG=k"] {
            assert!(Base64::decode(text).is_err(), "{text:?}");
        }
    }

    #[test]
    fn json_writes_a_string() {
        let octets = Base64(vec![0, 255]);
        assert_eq!(serde_json::to_string(&octets).unwrap(), "\"AP8=\"");
        assert_eq!(serde_json::from_str::<Base64>("\"AP8=\"").unwrap(), octets);
    }
}
