//! JSON text and what becomes of it: `serde_json`, under the rules that hold in every format.
//!
//! Vocabulary: knows values, and nothing of calls. [`Text`] goes through a text from the front: what stands between
//! values here, the values themselves by `serde_json`, straight into their types. [`write`] is the way back.

mod typed;

use std::borrow::Cow;
use std::fmt::{self, Display};

use serde::de::{Deserialize, Deserializer, IgnoredAny, Visitor};
use serde::ser::Serialize;
use serde_json::value::RawValue;

use self::typed::{Guard, Guarded};
use crate::limits::Limits;
use crate::value::{self, Base64, Double, Integer, Notation, WriteError};

/// What is settled for all texts of a server.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Options {
    pub(crate) limits: Limits,
    /// Whether integers beyond 2^53 are text, which a double does not have exactly.
    pub(crate) large_integers_as_text: bool,
}

/// Why a text, or a value in it, could not be read.
#[derive(Debug)]
pub(crate) struct Error {
    pub(crate) kind: ErrorKind,
    message: String,
    pub(crate) position: Position,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum ErrorKind {
    /// The text is no JSON.
    Syntax,
    /// It is beyond a limit.
    Limit,
    /// A value is not of the type asked for.
    Data,
}

/// A place in a text.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Position {
    /// One-based.
    pub(crate) line: usize,
    /// One-based, in characters.
    pub(crate) column: usize,
}

impl Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Position { line, column } = self.position;
        write!(f, "{} at line {line} column {column}", self.message)
    }
}

/// A text, read from the front.
pub(crate) struct Text<'de> {
    text: &'de str,
    at: usize,
    guard: Guard<'de>,
}

impl<'de> Text<'de> {
    /// # Errors
    /// If the octets are no UTF-8 (RFC 8259 §8.1).
    pub(crate) fn new(octets: &'de [u8], options: &'de Options) -> Result<Text<'de>, Error> {
        let not_utf8 = |found: &str, before: &[u8]| {
            let message = format!("expected UTF-8, found {found}");
            Error { kind: ErrorKind::Syntax, message, position: position(before) }
        };
        if matches!(octets, [0, ..] | [_, 0, ..] | [0xFF, 0xFE, ..] | [0xFE, 0xFF, ..]) {
            return Err(not_utf8("UTF-16 or UTF-32", b""));
        }
        // some clients send a byte order mark, which is no part of the text
        let octets = octets.strip_prefix("\u{FEFF}".as_bytes()).unwrap_or(octets);
        match std::str::from_utf8(octets) {
            Ok(text) => Ok(Text { text, at: 0, guard: Guard::new(options) }),
            Err(error) => {
                let known = error.valid_up_to();
                Err(not_utf8(&format!("octet {:02X}", octets[known]), &octets[..known]))
            }
        }
    }

    /// Octets read.
    pub(crate) fn at(&self) -> usize {
        self.at
    }

    /// Goes back, or forward again, to where it was.
    pub(crate) fn go_to(&mut self, at: usize) {
        self.at = at;
    }

    /// The next octet that is no white space; `None` at the end.
    #[inline]
    pub(crate) fn peek(&mut self) -> Option<u8> {
        let octets = self.text.as_bytes();
        loop {
            match octets.get(self.at) {
                Some(b' ' | b'\n' | b'\t' | b'\r') => self.at += 1,
                octet => return octet.copied(),
            }
        }
    }

    /// Goes behind `octet` if it is next.
    #[inline]
    pub(crate) fn take(&mut self, octet: u8) -> bool {
        let found = self.peek() == Some(octet);
        self.at += usize::from(found);
        found
    }

    /// Goes behind the comma that stands before every item but the first, and says whether there is one more; if not,
    /// goes behind `end`.
    #[inline]
    pub(crate) fn next_item(&mut self, first: bool, end: u8) -> Result<bool, Error> {
        if self.take(end) {
            return Ok(false);
        }
        match first || self.take(b',') {
            true => Ok(true),
            false => Err(self.unexpected(&format!("`,` or `{}`", char::from(end)))),
        }
    }

    /// Reads the name of a member. One that no string can be (lone surrogates) is told as it is written.
    #[inline]
    pub(crate) fn name(&mut self) -> Result<Cow<'de, str>, Error> {
        if self.peek() != Some(b'"') {
            return Err(self.unexpected("the name of a member"));
        }
        let name = match self.string() {
            Err(error) if error.kind == ErrorKind::Data => self.skip()?.into(),
            name => name?,
        };
        match self.take(b':') {
            true => Ok(name),
            false => Err(self.unexpected("`:`")),
        }
    }

    /// Reads a string, which is borrowed from the text where it can be.
    #[inline]
    pub(crate) fn string(&mut self) -> Result<Cow<'de, str>, Error> {
        struct Borrowed<'de>(Cow<'de, str>);

        impl<'de> Deserialize<'de> for Borrowed<'de> {
            #[inline]
            fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Borrowed<'de>, D::Error> {
                deserializer.deserialize_str(BorrowedVisitor).map(Borrowed)
            }
        }

        self.value().map(|Borrowed(string)| string)
    }

    /// Reads a value. If it is not of the type, the text goes on before it.
    #[inline]
    pub(crate) fn value<T: Deserialize<'de>>(&mut self) -> Result<T, Error> {
        let mut deserializer = serde_json::Deserializer::from_str(&self.text[self.at..]);
        // the depth is counted by the guard
        deserializer.disable_recursion_limit();
        self.guard.begin();
        match T::deserialize(Guarded::new(&mut deserializer, &self.guard)) {
            Ok(value) if self.guard.has_failed() => {
                // the type has made something of an error, and the library stands anywhere
                self.skip()?;
                Ok(value)
            }
            Ok(value) => {
                self.at += deserializer.into_iter::<IgnoredAny>().byte_offset();
                Ok(value)
            }
            Err(error) => Err(self.explain(error)),
        }
    }

    /// Goes behind a value of any type, however deep, and returns it as it is written.
    pub(crate) fn skip(&mut self) -> Result<&'de str, Error> {
        let mut deserializer = serde_json::Deserializer::from_str(&self.text[self.at..]);
        match <&RawValue>::deserialize(&mut deserializer) {
            Ok(value) => {
                self.at += deserializer.into_iter::<IgnoredAny>().byte_offset();
                Ok(value.get())
            }
            Err(error) => Err(self.locate(ErrorKind::Syntax, &error)),
        }
    }

    /// Counts one more value, as those inside of values are.
    pub(crate) fn count_member(&self) -> Result<(), Error> {
        self.guard.count_member().map_err(|_| self.over_limit())
    }

    /// What is wrong with the value that could not be read: the text itself, or just its type.
    #[cold]
    fn explain(&mut self, error: typed::Error<serde_json::Error>) -> Error {
        if self.guard.exceeded().is_some() {
            return self.over_limit();
        }
        let start = self.at;
        if let Err(error) = self.skip() {
            return error;
        }
        self.at = start;
        self.locate(ErrorKind::Data, &error.into_library())
    }

    #[cold]
    fn over_limit(&self) -> Error {
        let message = self.guard.exceeded().unwrap_or_default();
        Error { kind: ErrorKind::Limit, message, position: self.position() }
    }

    /// Nothing of what may stand here.
    #[cold]
    pub(crate) fn unexpected(&mut self, expected: &str) -> Error {
        self.peek();
        let found = match self.text[self.at..].chars().next() {
            None => "the end".to_owned(),
            Some(character) => format!("`{}`", character.escape_debug()),
        };
        let message = format!("expected {expected}, found {found}");
        Error { kind: ErrorKind::Syntax, message, position: self.position() }
    }

    /// Where the text goes on.
    #[cold]
    pub(crate) fn position(&self) -> Position {
        position(&self.text.as_bytes()[..self.at])
    }

    /// An error of the library's, which read from here on.
    #[cold]
    fn locate(&self, kind: ErrorKind, error: &serde_json::Error) -> Error {
        let (message, octets) = (error.to_string(), self.text.as_bytes());
        // it counts lines from 1 and their octets too, and is at 0 where it knows no place
        let lines = octets[self.at..].split_inclusive(|octet| *octet == b'\n').take(error.line().saturating_sub(1));
        let at = self.at + lines.map(<[u8]>::len).sum::<usize>() + error.column().saturating_sub(1);
        let end = if error.line() == 0 { None } else { message.rfind(" at line ") };
        let message = message[..end.unwrap_or(message.len())].to_owned();
        Error { kind, message, position: position(&octets[..at.min(octets.len())]) }
    }
}

struct BorrowedVisitor;

impl<'de> Visitor<'de> for BorrowedVisitor {
    type Value = Cow<'de, str>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a string")
    }

    #[inline]
    fn visit_borrowed_str<E>(self, text: &'de str) -> Result<Cow<'de, str>, E> {
        Ok(Cow::Borrowed(text))
    }

    fn visit_str<E>(self, text: &str) -> Result<Cow<'de, str>, E> {
        Ok(Cow::Owned(text.to_owned()))
    }
}

/// The place of what follows these octets.
#[cold]
fn position(octets: &[u8]) -> Position {
    let line_start = octets.iter().rposition(|octet| *octet == b'\n').map_or(0, |at| at + 1);
    let line = 1 + octets.iter().filter(|octet| **octet == b'\n').count();
    let is_first = |octet: &&u8| !matches!(octet, 0x80..=0xBF);
    Position { line, column: 1 + octets[line_start..].iter().filter(is_first).count() }
}

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

/// JSON's way to put values down.
#[derive(Clone, Copy)]
struct Json {
    large_integers_as_text: bool,
}

/// The largest integer up to which a double has all of them, and its negative the smallest.
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

    /// With dashes, as JavaScript's `Date` wants it.
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
