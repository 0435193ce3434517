//! The encoding of a program's text: UTF-8, unless the manifest says otherwise.

use std::borrow::Cow;
use std::str::FromStr;

use crate::wire::value::{Value, text_of};

/// An encoding that a program reads and writes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct ProgramEncoding(&'static encoding_rs::Encoding);

impl ProgramEncoding {
    pub(super) const UTF_8: ProgramEncoding = ProgramEncoding(encoding_rs::UTF_8);

    /// Encodes a text.
    ///
    /// # Errors
    /// A message with what was expected, if the encoding lacks a character of the text.
    pub(super) fn encode(self, text: &str) -> Result<Cow<'_, [u8]>, String> {
        match self.0.encode(text) {
            (octets, _, false) => Ok(octets),
            (_, _, true) => Err(format!("expected characters of {}, found others", self.0.name())),
        }
    }

    /// Returns the text of a scalar, as a program gets it.
    ///
    /// # Errors
    /// As [`encode`](ProgramEncoding::encode).
    pub(super) fn text_of(self, value: &Value) -> Result<Option<Vec<u8>>, String> {
        match value {
            Value::String(text) if self != ProgramEncoding::UTF_8 => {
                self.encode(text).map(|octets| Some(octets.into_owned()))
            }
            value => Ok(text_of(value)),
        }
    }

    /// Escapes a JSON text to characters that every encoding has.
    pub(super) fn json(self, text: Vec<u8>) -> Vec<u8> {
        if self == ProgramEncoding::UTF_8 {
            return text;
        }
        let Ok(text) = String::from_utf8(text) else { unreachable!("JSON is written in UTF-8") };
        let mut escaped = Vec::with_capacity(text.len());
        for character in text.chars() {
            match character.is_ascii() {
                true => escaped.push(character as u8),
                // characters beyond ASCII stand in strings alone
                false => character.encode_utf16(&mut [0; 2]).iter().for_each(|unit| {
                    escaped.extend_from_slice(format!("\\u{unit:04x}").as_bytes());
                }),
            }
        }
        escaped
    }

    /// Decodes what a program has written to UTF-8; octets that are declared as UTF-8 are not checked here.
    ///
    /// # Errors
    /// A message with what was expected, if octets stand for no character.
    pub(super) fn decode(self, octets: Cow<'_, [u8]>) -> Result<Cow<'_, [u8]>, String> {
        if self == ProgramEncoding::UTF_8 {
            return Ok(octets);
        }
        match self.0.decode_without_bom_handling_and_without_replacement(&octets) {
            Some(text) => Ok(text.into_owned().into_bytes().into()),
            None => Err(format!("expected text in {}, found octets that are invalid in it", self.0.name())),
        }
    }

    /// Decodes what a program has written, as far as it can be read.
    pub(super) fn decode_lossy(self, octets: &[u8]) -> Cow<'_, str> {
        self.0.decode_without_bom_handling(octets).0
    }
}

impl FromStr for ProgramEncoding {
    type Err = String;

    /// # Errors
    /// A message with what was expected, for an unknown name, and for UTF-16, in which no line can be found.
    fn from_str(label: &str) -> Result<ProgramEncoding, String> {
        let known = encoding_rs::Encoding::for_label_no_replacement(label.as_bytes());
        known.filter(|encoding| encoding.is_ascii_compatible()).map(ProgramEncoding).ok_or_else(|| {
            let shown = label.escape_debug();
            format!("expected an encoding as \"iso-8859-15\" or \"windows-1252\", found \"{shown}\"")
        })
    }
}
