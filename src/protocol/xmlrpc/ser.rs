//! Writing: straight from the source type into octets, without an XML writer in between.

use std::fmt::{self, Display};
use std::io::Write;

use memchr::memchr3;
use serde::ser::{self, Serialize, SerializeMap, SerializeSeq};

use super::error::{Category, Error};
use super::reader::is_allowed;
use super::unwritable;
use crate::call::{FaultMembers, OUTCOME};
use crate::value::{Base64, DateTime};

/// What a document may look like.
#[derive(Clone, Copy)]
pub(crate) struct WriteOptions {
    /// Whether nil is written; if not, it is an error.
    pub(crate) nil: bool,
    /// Octets the document may have, about.
    pub(crate) limit: usize,
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
) -> Result<(), Error> {
    let mut writer = Writer { out, options, before_params: false, inside: None, failure: None };
    value.serialize(&mut writer).map_err(|error| writer.explain(error))
}

/// Appends a `<methodCall>` whose params are the items of `params`.
pub(super) fn write_call<P: Serialize + ?Sized>(method_name: &str, params: &P, out: &mut Vec<u8>) -> Result<(), Error> {
    out.extend_from_slice(b"<methodCall><methodName>");
    escape(method_name, out);
    out.extend_from_slice(b"</methodName><params>");
    let mut writer = Writer { out, options: WriteOptions::default(), before_params: true, inside: None, failure: None };
    params.serialize(&mut writer).map_err(|error| writer.explain(error))?;
    if writer.before_params {
        return Err(Error::new(Category::Data, "params are a tuple, an array or a unit"));
    }
    out.extend_from_slice(b"</params></methodCall>\n");
    Ok(())
}

struct Writer<'a> {
    out: &'a mut Vec<u8>,
    options: WriteOptions,
    /// The next sequence is the params of a call.
    before_params: bool,
    /// The name of the type whose content is next: a [`DateTime`]'s or a [`Base64`]'s.
    inside: Option<&'static str>,
    failure: Option<Failure>,
}

/// The first thing that went wrong, and the way to it from the inside out.
struct Failure {
    error: Error,
    path: Vec<String>,
}

impl Writer<'_> {
    #[inline]
    fn push(&mut self, octets: &[u8]) {
        self.out.extend_from_slice(octets);
    }

    /// A scalar, whose text needs no escape.
    #[inline]
    fn scalar(&mut self, before: &str, text: &[u8], after: &str) -> Result<(), Error> {
        self.push(before.as_bytes());
        self.push(text);
        self.push(after.as_bytes());
        Ok(())
    }

    #[inline]
    fn integer(&mut self, value: i64) -> Result<(), Error> {
        let mut buffer = itoa::Buffer::new();
        let text = buffer.format(value).as_bytes();
        match i32::try_from(value) {
            Ok(_) => self.scalar("<value><int>", text, "</int></value>"),
            Err(_) => self.scalar("<value><i8>", text, "</i8></value>"),
        }
    }

    #[inline]
    fn string(&mut self, text: &str) -> Result<(), Error> {
        self.push(b"<value><string>");
        escape(text, self.out);
        self.push(b"</string></value>");
        self.check_limit()
    }

    fn octets(&mut self, octets: &[u8]) -> Result<(), Error> {
        if octets.len() > self.options.limit {
            return self.over_limit();
        }
        self.push(b"<value><base64>");
        Base64::encode_into(octets, self.out);
        self.push(b"</base64></value>");
        self.check_limit()
    }

    fn nil(&mut self) -> Result<(), Error> {
        match self.options.nil {
            true => self.scalar("<value><nil/></value>", b"", ""),
            false => Err(Error::new(Category::Data, "nil is switched off")),
        }
    }

    #[inline]
    fn check_limit(&self) -> Result<(), Error> {
        if self.out.len() <= self.options.limit { Ok(()) } else { self.over_limit() }
    }

    #[cold]
    fn over_limit(&self) -> Result<(), Error> {
        Err(Error::new(Category::Limit, format!("longer than {} octets", self.options.limit)))
    }

    /// Writes one part of a compound; if that fails, adds its name to the path.
    #[inline]
    fn part<T: Serialize + ?Sized>(&mut self, value: &T, step: impl FnOnce() -> String) -> Result<(), Error> {
        value.serialize(&mut *self).map_err(|error| self.fail_inside(error, step()))
    }

    #[cold]
    fn fail_inside(&mut self, error: Error, step: String) -> Error {
        let failure = self.failure.get_or_insert_with(|| Failure { error: error.clone(), path: Vec::new() });
        failure.path.push(step);
        error
    }

    /// The first error there was, with the way to it.
    #[cold]
    fn explain(&mut self, error: Error) -> Error {
        match self.failure.take() {
            None => error,
            Some(Failure { error, path }) if path.is_empty() => error,
            Some(Failure { error, path }) => {
                let path: String = path.into_iter().rev().collect();
                Error::new(error.category(), format!("{error}, at {}", path.trim_start_matches('.')))
            }
        }
    }

    /// Writes one outcome of several: what cannot be written becomes a fault in its place.
    fn outcome<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<(), Error> {
        let start = self.out.len();
        match value.serialize(&mut *self) {
            Err(error) if error.category() != Category::Limit => {
                if let Some(failure) = &mut self.failure {
                    // the array around the one result is none of the method's
                    failure.path.pop();
                }
                let error = self.explain(error);
                self.out.truncate(start);
                FaultMembers(&unwritable(&error)).serialize(self)
            }
            written => written,
        }
    }

    /// Opens the struct of one member that stands for a variant with content.
    fn variant(&mut self, name: &str) {
        self.push(b"<value><struct>");
        self.member(name);
    }

    fn member(&mut self, name: &str) {
        self.push(b"<member><name>");
        escape(name, self.out);
        self.push(b"</name>");
    }
}

/// Appends text with what XML gives a meaning escaped, and CR, which would come back as LF. A character that XML
/// forbids becomes U+FFFD.
#[inline]
fn escape(text: &str, out: &mut Vec<u8>) {
    /// How far to look octet by octet before a search that is worth its start.
    const NEAR: usize = 16;

    let octets = text.as_bytes();
    let mut done = 0;
    loop {
        let near = octets.len().min(done + NEAR);
        let found = octets[done..near].iter().position(|octet| SPECIAL[usize::from(*octet)]).map(|at| done + at);
        let found = found.or_else(|| Some(near + find_special(&octets[near..])?));
        let Some(at) = found else {
            out.extend_from_slice(&octets[done..]);
            return;
        };
        out.extend_from_slice(&octets[done..at]);
        done = at + escape_one(text, at, out);
    }
}

/// The octets that a closer look is due at.
static SPECIAL: [bool; 256] = {
    let mut special = [false; 256];
    let mut octet = 0;
    while octet < 0x20 {
        special[octet] = !matches!(octet as u8, b'\t' | b'\n');
        octet += 1;
    }
    special[b'<' as usize] = true;
    special[b'>' as usize] = true;
    special[b'&' as usize] = true;
    special[0xEF] = true; // begins U+FFFE and U+FFFF
    special
};

fn find_special(octets: &[u8]) -> Option<usize> {
    /// Long enough for the search to run, short enough that what it finds in vain costs little.
    const PIECE: usize = 256;

    let mut start = 0;
    for piece in octets.chunks(PIECE) {
        let markup = memchr3(b'<', b'>', b'&', piece);
        let piece = &piece[..markup.unwrap_or(piece.len())];
        // no early exit: so the loop runs over many octets at a time
        let other = |octet: u8| (octet < 0x20 && !matches!(octet, b'\t' | b'\n')) || octet == 0xEF;
        if piece.iter().fold(false, |found, octet| found | other(*octet)) {
            return piece.iter().position(|octet| other(*octet)).map(|at| start + at);
        }
        if markup.is_some() {
            return Some(start + piece.len());
        }
        start += PIECE;
    }
    None
}

/// Appends what stands for the special character at an octet, and says how many octets that character has.
fn escape_one(text: &str, at: usize, out: &mut Vec<u8>) -> usize {
    let octets = &text.as_bytes()[at..];
    match octets[0] {
        b'<' => out.extend_from_slice(b"&lt;"),
        b'>' => out.extend_from_slice(b"&gt;"),
        b'&' => out.extend_from_slice(b"&amp;"),
        b'\r' => out.extend_from_slice(b"&#13;"),
        0xEF => {
            let character = &octets[..3];
            let allowed = text[at..].chars().next().is_some_and(is_allowed);
            out.extend_from_slice(if allowed { character } else { "\u{FFFD}".as_bytes() });
            return 3;
        }
        _ => out.extend_from_slice("\u{FFFD}".as_bytes()),
    }
    1
}

macro_rules! double {
    ($method:ident($type:ty)) => {
        fn $method(self, value: $type) -> Result<(), Error> {
            if !value.is_finite() {
                return Err(Error::new(Category::Data, format!("{value} is no double of XML-RPC")));
            }
            self.push(b"<value><double>");
            // beyond these bounds the shortest form has an exponent, which XML-RPC does not
            if value == 0.0 || (1e-5..1e16).contains(&value.abs()) {
                self.push(zmij::Buffer::new().format_finite(value).as_bytes());
            } else if write!(self.out, "{value}").is_err() {
                unreachable!("writing to a Vec cannot fail");
            }
            self.push(b"</double></value>");
            Ok(())
        }
    };
}

macro_rules! integers {
    ($($method:ident($type:ty)),*) => {$(
        #[inline]
        fn $method(self, value: $type) -> Result<(), Error> {
            match i64::try_from(value) {
                Ok(value) => self.integer(value),
                Err(_) => Err(Error::new(Category::Data, format!("{value} is beyond i8"))),
            }
        }
    )*};
}

impl<'w, 'a> ser::Serializer for &'w mut Writer<'a> {
    type Ok = ();
    type Error = Error;
    type SerializeSeq = Items<'w, 'a>;
    type SerializeTuple = Items<'w, 'a>;
    type SerializeTupleStruct = Items<'w, 'a>;
    type SerializeTupleVariant = Items<'w, 'a>;
    type SerializeMap = Members<'w, 'a>;
    type SerializeStruct = Members<'w, 'a>;
    type SerializeStructVariant = Members<'w, 'a>;

    integers!(
        serialize_i8(i8),
        serialize_i16(i16),
        serialize_i32(i32),
        serialize_i64(i64),
        serialize_i128(i128),
        serialize_u8(u8),
        serialize_u16(u16),
        serialize_u32(u32),
        serialize_u64(u64),
        serialize_u128(u128)
    );

    double!(serialize_f32(f32));
    double!(serialize_f64(f64));

    fn serialize_bool(self, value: bool) -> Result<(), Error> {
        self.scalar("<value><boolean>", if value { b"1" } else { b"0" }, "</boolean></value>")
    }

    fn serialize_char(self, value: char) -> Result<(), Error> {
        self.string(value.encode_utf8(&mut [0; 4]))
    }

    fn serialize_str(self, value: &str) -> Result<(), Error> {
        if self.inside == Some(DateTime::NAME) {
            return self.scalar("<value><dateTime.iso8601>", value.as_bytes(), "</dateTime.iso8601></value>");
        }
        self.string(value)
    }

    /// [`Base64`] gives its octets to a format that is not, and text to all others.
    fn is_human_readable(&self) -> bool {
        self.inside != Some(Base64::NAME)
    }

    fn serialize_bytes(self, value: &[u8]) -> Result<(), Error> {
        self.octets(value)
    }

    fn serialize_none(self) -> Result<(), Error> {
        self.nil()
    }

    fn serialize_some<T: Serialize + ?Sized>(self, value: &T) -> Result<(), Error> {
        value.serialize(self)
    }

    fn serialize_unit(self) -> Result<(), Error> {
        if std::mem::take(&mut self.before_params) { Ok(()) } else { self.nil() }
    }

    fn serialize_unit_struct(self, _name: &'static str) -> Result<(), Error> {
        self.nil()
    }

    fn serialize_unit_variant(self, _name: &'static str, _index: u32, variant: &'static str) -> Result<(), Error> {
        self.string(variant)
    }

    fn serialize_newtype_struct<T: Serialize + ?Sized>(self, name: &'static str, value: &T) -> Result<(), Error> {
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
    ) -> Result<(), Error> {
        self.variant(variant);
        self.part(value, || format!(".{variant}"))?;
        self.push(b"</member></struct></value>");
        Ok(())
    }

    fn serialize_seq(self, _len: Option<usize>) -> Result<Items<'w, 'a>, Error> {
        Ok(Items::new(self, "</data></array></value>"))
    }

    fn serialize_tuple(self, _len: usize) -> Result<Items<'w, 'a>, Error> {
        Ok(Items::new(self, "</data></array></value>"))
    }

    fn serialize_tuple_struct(self, _name: &'static str, _len: usize) -> Result<Items<'w, 'a>, Error> {
        Ok(Items::new(self, "</data></array></value>"))
    }

    fn serialize_tuple_variant(
        self,
        _name: &'static str,
        _index: u32,
        variant: &'static str,
        _len: usize,
    ) -> Result<Items<'w, 'a>, Error> {
        self.variant(variant);
        Ok(Items::new(self, "</data></array></value></member></struct></value>"))
    }

    fn serialize_map(self, _len: Option<usize>) -> Result<Members<'w, 'a>, Error> {
        Ok(Members::new(self, "</struct></value>"))
    }

    fn serialize_struct(self, _name: &'static str, _len: usize) -> Result<Members<'w, 'a>, Error> {
        Ok(Members::new(self, "</struct></value>"))
    }

    fn serialize_struct_variant(
        self,
        _name: &'static str,
        _index: u32,
        variant: &'static str,
        _len: usize,
    ) -> Result<Members<'w, 'a>, Error> {
        self.variant(variant);
        Ok(Members::new(self, "</struct></value></member></struct></value>"))
    }
}

/// An array being written, or the params of a call.
struct Items<'w, 'a> {
    writer: &'w mut Writer<'a>,
    count: usize,
    params: bool,
    end: &'static str,
}

impl<'w, 'a> Items<'w, 'a> {
    fn new(writer: &'w mut Writer<'a>, end: &'static str) -> Self {
        if std::mem::take(&mut writer.before_params) {
            return Items { writer, count: 0, params: true, end: "" };
        }
        writer.push(b"<value><array><data>");
        Items { writer, count: 0, params: false, end }
    }
}

impl SerializeSeq for Items<'_, '_> {
    type Ok = ();
    type Error = Error;

    #[inline]
    fn serialize_element<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<(), Error> {
        let index = self.count;
        self.count += 1;
        if self.params {
            self.writer.push(b"<param>");
        }
        self.writer.part(value, || format!("[{index}]"))?;
        if self.params {
            self.writer.push(b"</param>");
        }
        self.writer.check_limit()
    }

    fn end(self) -> Result<(), Error> {
        self.writer.push(self.end.as_bytes());
        Ok(())
    }
}

macro_rules! as_seq {
    ($($trait:ident::$method:ident),*) => {$(
        impl ser::$trait for Items<'_, '_> {
            type Ok = ();
            type Error = Error;

            fn $method<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<(), Error> {
                SerializeSeq::serialize_element(self, value)
            }

            fn end(self) -> Result<(), Error> {
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
struct Members<'w, 'a> {
    writer: &'w mut Writer<'a>,
    /// Where the name of the current member starts, for the path of an error.
    name: usize,
    end: &'static str,
}

impl<'w, 'a> Members<'w, 'a> {
    fn new(writer: &'w mut Writer<'a>, end: &'static str) -> Self {
        writer.push(b"<value><struct>");
        Members { writer, name: 0, end }
    }

    #[inline]
    fn field<T: Serialize + ?Sized>(&mut self, name: &'static str, value: &T) -> Result<(), Error> {
        self.writer.member(name);
        self.writer.part(value, || format!(".{name}"))?;
        self.writer.push(b"</member>");
        self.writer.check_limit()
    }
}

impl SerializeMap for Members<'_, '_> {
    type Ok = ();
    type Error = Error;

    fn serialize_key<T: Serialize + ?Sized>(&mut self, key: &T) -> Result<(), Error> {
        self.writer.push(b"<member><name>");
        self.name = self.writer.out.len();
        if fmt::Write::write_fmt(&mut Escaped(self.writer.out), format_args!("{}", Key(key))).is_err() {
            return Err(ser::Error::custom("a map has keys that are neither text nor numbers"));
        }
        self.writer.push(b"</name>");
        Ok(())
    }

    fn serialize_value<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<(), Error> {
        let name = self.name..self.writer.out.len() - "</name>".len();
        if let Err(error) = value.serialize(&mut *self.writer) {
            let step = format!(".{}", String::from_utf8_lossy(&self.writer.out[name]));
            return Err(self.writer.fail_inside(error, step));
        }
        self.writer.push(b"</member>");
        self.writer.check_limit()
    }

    fn end(self) -> Result<(), Error> {
        self.writer.push(self.end.as_bytes());
        Ok(())
    }
}

macro_rules! as_struct {
    ($($trait:ident),*) => {$(
        impl ser::$trait for Members<'_, '_> {
            type Ok = ();
            type Error = Error;

            #[inline]
            fn serialize_field<T: Serialize + ?Sized>(&mut self, name: &'static str, value: &T) -> Result<(), Error> {
                self.field(name, value)
            }

            fn end(self) -> Result<(), Error> {
                SerializeMap::end(self)
            }
        }
    )*};
}

as_struct!(SerializeStruct, SerializeStructVariant);

/// A map's key as text: what serde writes into a formatter, which is text, numbers and enums without content.
struct Key<'a, K: ?Sized>(&'a K);

impl<K: Serialize + ?Sized> Display for Key<'_, K> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.serialize(f)
    }
}

/// Takes text and escapes it.
struct Escaped<'a>(&'a mut Vec<u8>);

impl fmt::Write for Escaped<'_> {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        escape(text, self.0);
        Ok(())
    }
}
