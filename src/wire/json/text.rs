//! A text, read from the front.

use std::borrow::Cow;
use std::fmt;
use std::marker::PhantomData;

use serde::de::{Deserialize, DeserializeSeed, Deserializer, IgnoredAny, Visitor};
use serde_json::value::RawValue;

use super::JsonOptions;
use super::numbers;
use super::typed::{self, AS_WRITTEN, Doubles, Guarded, LimitGuard};
use crate::wire::{Category, Error, Position};

/// A text, read from the front.
pub(crate) struct JsonText<'de> {
    text: &'de str,
    at: usize,
    guard: LimitGuard<'de>,
}

impl<'de> JsonText<'de> {
    /// # Errors
    /// If the octets are not UTF-8 (RFC 8259 §8.1).
    pub(crate) fn new(octets: &'de [u8], options: &'de JsonOptions) -> Result<JsonText<'de>, Error> {
        // some clients send a byte order mark, which is not part of the text
        let octets = octets.strip_prefix("\u{FEFF}".as_bytes()).unwrap_or(octets);
        let not_utf8 = |found: &str, at: usize| {
            let message = format!("expected UTF-8, found {found}");
            Error::new(Category::Syntax, message).at(Position::of(octets, at))
        };
        if matches!(octets, [0, ..] | [_, 0, ..] | [0xFF, 0xFE, ..] | [0xFE, 0xFF, ..]) {
            return Err(not_utf8("UTF-16 or UTF-32", 0));
        }
        match std::str::from_utf8(octets) {
            Ok(text) => Ok(JsonText { text, at: 0, guard: LimitGuard::new(options) }),
            Err(error) => {
                let at = error.valid_up_to();
                Err(not_utf8(&format!("octet {:02X}", octets[at]), at))
            }
        }
    }

    /// Returns the number of octets read.
    pub(crate) fn at(&self) -> usize {
        self.at
    }

    /// Moves back, or forward again, to an earlier place.
    pub(crate) fn go_to(&mut self, at: usize) {
        self.at = at;
    }

    /// Returns the next octet that is not white space; `None` at the end.
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

    /// Skips `octet` if it is next; returns whether it was.
    #[inline]
    pub(crate) fn take(&mut self, octet: u8) -> bool {
        let found = self.peek() == Some(octet);
        self.at += usize::from(found);
        found
    }

    /// Skips the comma before every item but the first, and returns whether there is one more item; if not, skips
    /// `end`.
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

    /// Reads the name of a member. A name that no string can hold (lone surrogates) is returned as written.
    #[inline]
    pub(crate) fn name(&mut self) -> Result<Cow<'de, str>, Error> {
        if self.peek() != Some(b'"') {
            return Err(self.unexpected("the name of a member"));
        }
        let name = match self.string() {
            Err(error) if error.category() == Category::Data => self.skip()?.into(),
            name => name?,
        };
        match self.take(b':') {
            true => Ok(name),
            false => Err(self.unexpected("`:`")),
        }
    }

    /// Reads a string, borrowed from the text where possible.
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

    /// Reads a value. If it is not of the type, the text stays in front of it.
    #[inline]
    pub(crate) fn value<T: Deserialize<'de>>(&mut self) -> Result<T, Error> {
        self.seeded(PhantomData::<T>)
    }

    /// Reads a value by a seed, as [`value`](JsonText::value) does by a type.
    #[inline]
    pub(crate) fn seeded<S: DeserializeSeed<'de>>(&mut self, seed: S) -> Result<S::Value, Error> {
        let mut deserializer = serde_json::Deserializer::from_str(&self.text[self.at..]);
        // the depth is counted by the guard
        deserializer.disable_recursion_limit();
        self.guard.begin();
        match seed.deserialize(Guarded::new(&mut deserializer, &self.guard)) {
            Ok(value) if self.guard.has_failed() => {
                // the type has swallowed an error, and the library may have stopped anywhere
                let start = self.at;
                self.skip()?;
                self.check_numbers(start)?;
                Ok(value)
            }
            Ok(value) => {
                let start = self.at;
                self.at += deserializer.into_iter::<IgnoredAny>().byte_offset();
                self.check_numbers(start)?;
                Ok(value)
            }
            Err(error) => Err(self.explain(error)),
        }
    }

    /// Skips a value of any type, however deep, and returns it as written.
    pub(crate) fn skip(&mut self) -> Result<&'de str, Error> {
        let mut deserializer = serde_json::Deserializer::from_str(&self.text[self.at..]);
        match <&RawValue>::deserialize(&mut deserializer) {
            Ok(value) => {
                self.at += deserializer.into_iter::<IgnoredAny>().byte_offset();
                Ok(value.get())
            }
            Err(error) => Err(self.locate(Category::Syntax, &error)),
        }
    }

    /// Checks the numbers of the value just read if one of them may have lost digits. If one has, the text goes back in
    /// front of the value.
    #[inline]
    fn check_numbers(&mut self, start: usize) -> Result<(), Error> {
        match self.guard.doubles() == Doubles::default() {
            true => Ok(()),
            false => self.check_large_numbers(start),
        }
    }

    #[cold]
    fn check_large_numbers(&mut self, start: usize) -> Result<(), Error> {
        let doubles = self.guard.doubles();
        for (at, number) in numbers::of(&self.text[start..self.at]) {
            if let Some(message) = numbers::loss(number, doubles) {
                self.at = start;
                let position = Position::of(self.text.as_bytes(), start + at);
                return Err(Error::new(Category::Data, message).at(position));
            }
        }
        Ok(())
    }

    /// Counts a value against the limit, as the values inside of other values are.
    pub(crate) fn count_member(&self) -> Result<(), Error> {
        self.guard.count_member().map_err(|_| self.over_limit())
    }

    /// Returns the error for a value that could not be read: in the text itself, or just in the type.
    #[cold]
    fn explain(&mut self, error: typed::GuardedError<serde_json::Error>) -> Error {
        if self.guard.exceeded().is_some() {
            return self.over_limit();
        }
        let start = self.at;
        if let Err(error) = self.skip() {
            return error;
        }
        self.at = start;
        self.locate(Category::Data, &error.into_library())
    }

    #[cold]
    fn over_limit(&self) -> Error {
        let message = self.guard.exceeded().unwrap_or_default();
        Error::new(Category::Limit, message).at(self.position())
    }

    /// Returns the error for a text that does not continue as `expected`.
    #[cold]
    pub(crate) fn unexpected(&mut self, expected: &str) -> Error {
        self.peek();
        let found = match self.text[self.at..].chars().next() {
            None => "the end".to_owned(),
            Some(character) if character.is_control() => format!("`{}`", character.escape_debug()),
            Some(character) => format!("`{character}`"),
        };
        let message = format!("expected {expected}, found {found}");
        Error::new(Category::Syntax, message).at(self.position())
    }

    /// Returns the position at which reading continues.
    #[cold]
    pub(crate) fn position(&self) -> Position {
        Position::of(self.text.as_bytes(), self.at)
    }

    /// Converts an error of the library, which began to read here.
    #[cold]
    fn locate(&self, category: Category, error: &serde_json::Error) -> Error {
        let (message, octets) = (error.to_string(), self.text.as_bytes());
        // it counts lines and their octets from 1, and says 0 if it knows no place
        let lines = octets[self.at..].split_inclusive(|octet| *octet == b'\n').take(error.line().saturating_sub(1));
        let at = self.at + lines.map(<[u8]>::len).sum::<usize>() + error.column().saturating_sub(1);
        let end = if error.line() == 0 { None } else { message.rfind(" at line ") };
        let message = message[..end.unwrap_or(message.len())].to_owned();
        // the library has stopped behind the number, or at its last octet
        let message = match message.contains(AS_WRITTEN) {
            true => numbers::refused(&message, numbers::around(self.text, at)),
            false => message,
        };
        Error::new(category, message).at(Position::of(octets, at))
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

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::super::write_string;
    use super::*;
    use crate::service::Limits;
    use crate::wire::value::Value;

    fn options() -> JsonOptions {
        JsonOptions { limits: Limits { depth: 3, members: 4, ..Limits::default() }, large_integers_as_text: false }
    }

    fn refusal(text: &[u8], read: impl Fn(&mut JsonText<'_>) -> Result<(), Error>) -> Option<(Category, String)> {
        let options = options();
        let error = JsonText::new(text, &options).and_then(|mut text| read(&mut text)).err()?;
        Some((error.category(), error.to_string()))
    }

    fn wrong_value<T: for<'de> Deserialize<'de>>(text: &str) -> Option<(Category, String)> {
        refusal(text.as_bytes(), |text| text.value::<T>().map(|_| ()))
    }

    #[test]
    fn strings_roundtrip() {
        let options = options();
        for (string, is_borrowed) in [("", true), ("grün 🎡", true), ("a\"\\\n\t\0/", false), ("\u{7F}\u{2028}", true)]
        {
            let mut written = Vec::new();
            write_string(string, &mut written);
            let read = JsonText::new(&written, &options).unwrap().string().unwrap();
            assert_eq!(read, string);
            assert_eq!(matches!(read, Cow::Borrowed(_)), is_borrowed, "{string:?}");
        }
    }

    /// A surrogate pair as RFC 8259 §7 has it.
    #[test]
    fn texts_spec() {
        let options = options();
        let text = "\u{FEFF} {\"a\" :\r\n[1,\t\"\\uD834\\uDD1E\"] , \"\\uD800\":{}}  ";
        let mut text = JsonText::new(text.as_bytes(), &options).unwrap();
        assert!(text.take(b'{') && text.next_item(true, b'}').unwrap());
        assert_eq!(text.name().unwrap(), "a");
        text.peek();
        let at = text.at();
        assert_eq!(text.value::<(i32, String)>().unwrap(), (1, "\u{1D11E}".into()));
        text.go_to(at);
        assert_eq!(text.skip().unwrap(), "[1,\t\"\\uD834\\uDD1E\"]");
        assert!(text.next_item(false, b'}').unwrap());
        // no string can hold it
        assert_eq!(text.name().unwrap(), "\"\\uD800\"");
        assert_eq!(text.value::<BTreeMap<String, i32>>().unwrap(), BTreeMap::new());
        assert!(!text.next_item(false, b'}').unwrap());
        assert_eq!(text.peek(), None);
        assert_eq!(text.position(), Position { line: 2, column: 37 });
    }

    #[test]
    fn texts_invalid() {
        for (found, category, expected) in [
            (
                refusal(b"\xFF\xFE[\0", |text| text.skip().map(|_| ())),
                Category::Syntax,
                "expected UTF-8, found UTF-16 or UTF-32 at line 1 column 1",
            ),
            (
                refusal(b"[\n\"\xFF\"]", |text| text.skip().map(|_| ())),
                Category::Syntax,
                "expected UTF-8, found octet FF at line 2 column 2",
            ),
            (
                refusal(b" x", |text| text.name().map(|_| ())),
                Category::Syntax,
                "expected the name of a member, found `x` at line 1 column 2",
            ),
            (
                refusal(b"\"a\"\n", |text| text.name().map(|_| ())),
                Category::Syntax,
                "expected `:`, found the end at line 2 column 1",
            ),
            (
                refusal(b"\x01", |text| text.next_item(false, b']').map(|_| ())),
                Category::Syntax,
                "expected `,` or `]`, found `\\u{1}` at line 1 column 1",
            ),
            (wrong_value::<Vec<i32>>("[1"), Category::Syntax, "EOF while parsing a list at line 1 column 2"),
            (wrong_value::<i32>("01"), Category::Syntax, "invalid number at line 1 column 2"),
            (wrong_value::<i32>("1.5"), Category::Data, "expected int, found double 1.5 at line 1 column 3"),
            (
                wrong_value::<Vec<i32>>("\n[1, true]"),
                Category::Data,
                "expected int, found boolean 1 at line 2 column 8",
            ),
            (
                wrong_value::<Value>("[18446744073709551616]"),
                Category::Data,
                "expected an integer of at most 64 bits, found 18446744073709551616: a string can have it \
                 at line 1 column 2",
            ),
            (
                wrong_value::<Value>("[[[[]]]]"),
                Category::Limit,
                "arrays and structs nested deeper than 3 at line 1 column 1",
            ),
            (
                wrong_value::<Value>(" [1,2,3,4,5]"),
                Category::Limit,
                "more than 4 array items and struct members at line 1 column 1",
            ),
        ] {
            assert_eq!(found, Some((category, expected.to_owned())));
        }
    }
}
