//! The encodings of documents: from octets to characters and back.
//!
//! A document names its encoding itself, by a byte order mark or in its declaration. HTTP's `charset` is ignored: where
//! the two contradict each other, every implementation in the field goes by the document.

use std::borrow::Cow;

use encoding_rs::{UTF_8, UTF_16BE, UTF_16LE};

use crate::wire::Position;
use crate::wire::{Category, Error};

/// An encoding that documents are written in.
///
/// # Example
///
/// ```
/// use rpcgi::xmlrpc::Encoding;
///
/// let latin: Encoding = "ISO-8859-1".parse()?;
/// assert_eq!(latin.to_string(), "iso-8859-1");
/// assert!("klingon".parse::<Encoding>().is_err());
/// # Ok::<(), rpcgi::xmlrpc::Error>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Encoding(Charset);

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Charset {
    /// ASCII, with character references for everything else.
    Ascii,
    /// ISO-8859-1 as XML means it. The encoding standard of the web, and so `encoding_rs`, means windows-1252 by that
    /// name.
    Latin1,
    Other(&'static encoding_rs::Encoding),
}

impl Encoding {
    /// UTF-8, the default for everything that is written.
    pub const UTF_8: Encoding = Encoding(Charset::Other(UTF_8));

    /// US-ASCII: everything else as character references.
    pub const US_ASCII: Encoding = Encoding(Charset::Ascii);

    /// Returns the encoding of this name, for documents that are read.
    fn for_label(label: &str) -> Option<Encoding> {
        let is = |names: &[&str]| names.iter().any(|name| name.eq_ignore_ascii_case(label));
        let charset = if is(&["utf-8"]) {
            // the encoding of nearly all clients needs no search
            Charset::Other(UTF_8)
        } else if is(&["us-ascii", "ascii", "iso646-us", "ansi_x3.4-1968"]) {
            Charset::Ascii
        } else if is(&["iso-8859-1", "iso_8859-1", "iso8859-1", "latin1", "l1"]) {
            Charset::Latin1
        } else {
            Charset::Other(encoding_rs::Encoding::for_label_no_replacement(label.as_bytes())?)
        };
        Some(Encoding(charset))
    }

    /// Returns the name for a declaration and a `charset`.
    pub(crate) fn name(self) -> String {
        match self.0 {
            Charset::Ascii => "us-ascii".into(),
            Charset::Latin1 => "iso-8859-1".into(),
            Charset::Other(encoding) => encoding.name().to_ascii_lowercase(),
        }
    }

    /// Writes `text`: a character the encoding does not have becomes a character reference.
    pub(crate) fn encode(self, text: Vec<u8>) -> Vec<u8> {
        if self == Encoding::UTF_8 {
            return text;
        }
        let Ok(text) = String::from_utf8(text) else { unreachable!("the serializer writes UTF-8") };
        match self.0 {
            Charset::Other(encoding) => encoding.encode(&text).0.into_owned(),
            Charset::Ascii => with_references(&text, 0x7F),
            Charset::Latin1 => with_references(&text, 0xFF),
        }
    }
}

fn with_references(text: &str, last: u32) -> Vec<u8> {
    let mut out = Vec::with_capacity(text.len());
    for character in text.chars() {
        match u8::try_from(u32::from(character)) {
            Ok(octet) if u32::from(octet) <= last => out.push(octet),
            _ => out.extend_from_slice(format!("&#{};", u32::from(character)).as_bytes()),
        }
    }
    out
}

impl Default for Encoding {
    fn default() -> Encoding {
        Encoding::UTF_8
    }
}

impl std::fmt::Display for Encoding {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.name())
    }
}

impl std::str::FromStr for Encoding {
    type Err = Error;

    /// # Errors
    /// [`Category::Encoding`] for an unknown name, and for UTF-16, which is read but not written.
    fn from_str(label: &str) -> Result<Encoding, Error> {
        match Encoding::for_label(label) {
            Some(Encoding(Charset::Other(encoding))) if encoding.output_encoding() != encoding => {
                Err(Error::new(Category::Encoding, format!("documents are not written in {}", encoding.name())))
            }
            Some(encoding) => Ok(encoding),
            None => Err(unsupported(label)),
        }
    }
}

fn unsupported(label: &str) -> Error {
    Error::new(Category::Encoding, format!("unsupported encoding \"{}\"", label.escape_debug()))
}

/// Returns the document in UTF-8, without a byte order mark. A document that was in UTF-8 is not checked: the reader
/// does that.
pub(crate) fn decode(document: &[u8]) -> Result<Cow<'_, [u8]>, Error> {
    match document {
        [0xEF, 0xBB, 0xBF, rest @ ..] => Ok(rest.into()),
        [0xFF, 0xFE, rest @ ..] | rest @ [b'<', 0, ..] => transcode(UTF_16LE, rest),
        [0xFE, 0xFF, rest @ ..] | rest @ [0, b'<', ..] => transcode(UTF_16BE, rest),
        _ => match declared(document)? {
            None => Ok(document.into()),
            Some(label) => decode_as(label, document),
        },
    }
}

fn decode_as<'a>(label: &str, document: &'a [u8]) -> Result<Cow<'a, [u8]>, Error> {
    let start = Position { line: 1, column: 1 };
    match Encoding::for_label(label).ok_or_else(|| unsupported(label).at(start))?.0 {
        Charset::Other(encoding) if encoding == UTF_8 => Ok(document.into()),
        Charset::Other(encoding) if encoding == UTF_16LE || encoding == UTF_16BE => {
            Err(Error::new(Category::Encoding, format!("declared as {label}, but it is not")).at(start))
        }
        Charset::Other(encoding) => transcode(encoding, document),
        Charset::Latin1 => Ok(match encoding_rs::mem::decode_latin1(document) {
            Cow::Borrowed(text) => text.as_bytes().into(),
            Cow::Owned(text) => text.into_bytes().into(),
        }),
        Charset::Ascii if document.is_ascii() => Ok(document.into()),
        Charset::Ascii => {
            let at = document.iter().position(|octet| !octet.is_ascii()).unwrap_or_default();
            let message = format!("octet {:02X} is not us-ascii", document[at]);
            Err(Error::new(Category::Character, message).at(Position::of(document, at)))
        }
    }
}

fn transcode<'a>(encoding: &'static encoding_rs::Encoding, document: &'a [u8]) -> Result<Cow<'a, [u8]>, Error> {
    match encoding.decode_without_bom_handling_and_without_replacement(document) {
        Some(Cow::Borrowed(text)) => Ok(text.as_bytes().into()),
        Some(Cow::Owned(text)) => Ok(text.into_bytes().into()),
        None => {
            let readable = encoding.decode_without_bom_handling(document).0;
            let at = readable.find('\u{FFFD}').unwrap_or_default();
            let message = format!("octets that are not {}", encoding.name().to_ascii_lowercase());
            Err(Error::new(Category::Character, message).at(Position::of(readable.as_bytes(), at)))
        }
    }
}

/// Returns the encoding that an XML declaration names. All encodings but UTF-16 write the declaration in ASCII.
fn declared(document: &[u8]) -> Result<Option<&str>, Error> {
    const MAX_DECLARATION: usize = 256;

    let declaration = document.strip_prefix(b"<?xml").filter(|rest| rest.first().is_some_and(u8::is_ascii_whitespace));
    let Some(rest) = declaration else { return Ok(None) };
    let rest = &rest[..rest.len().min(MAX_DECLARATION)];
    let end = rest.iter().position(|octet| *octet == b'>').unwrap_or(rest.len());
    let declaration = &rest[..end];
    let name = b"encoding";
    let Some(at) = declaration.windows(name.len()).position(|window| window == name) else { return Ok(None) };
    let value = std::str::from_utf8(&declaration[at + name.len()..]).unwrap_or_default();
    let label = quoted(value).ok_or_else(|| {
        Error::new(Category::Syntax, "an encoding that is not in quotes").at(Position { line: 1, column: 1 })
    })?;
    Ok(Some(label))
}

/// Returns the text in quotes after an equals sign.
fn quoted(value: &str) -> Option<&str> {
    let value = value.trim_start().strip_prefix('=')?.trim_start();
    let quote = value.chars().next().filter(|quote| matches!(quote, '"' | '\''))?;
    value[1..].split_once(quote).map(|(label, _)| label)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn decoded(document: &[u8]) -> Result<String, (Category, String)> {
        match decode(document) {
            Ok(text) => Ok(String::from_utf8(text.into_owned()).unwrap()),
            Err(error) => Err((error.category(), error.to_string())),
        }
    }

    #[test]
    fn documents_roundtrip() {
        for (label, text) in [
            ("utf-8", "<a>ü\u{20AC}\u{1D11E}</a>"),
            ("iso-8859-1", "<a>ü\u{80}\u{FF}</a>"),
            ("iso-8859-15", "<a>ü\u{20AC}</a>"),
            ("windows-1252", "<a>ü\u{20AC}</a>"),
            ("shift_jis", "<a>\u{65E5}\u{672C}</a>"),
            ("us-ascii", "<a>x</a>"),
        ] {
            let encoding: Encoding = label.parse().unwrap();
            assert_eq!(encoding.to_string(), label);
            let document = format!("<?xml version='1.0' encoding='{label}'?>{text}");
            assert_eq!(decoded(&encoding.encode(document.clone().into_bytes())), Ok(document));
        }
    }

    /// Octets of XML 1.0, Appendix F.
    #[test]
    fn documents_spec() {
        for (document, expected) in [
            (&b"\xEF\xBB\xBF<a/>"[..], "<a/>"),
            (b"\xFE\xFF\0<\0a\0/\0>", "<a/>"),
            (b"\xFF\xFE<\0a\0/\0>\0", "<a/>"),
            (b"\0<\0\xFC\0/\0>", "<\u{FC}/>"),
            (b"<\0\xAC\x20/\0>\0", "<\u{20AC}/>"),
            (b"<?xml version='1.0' encoding='ISO-8859-1'?>\xFC", "<?xml version='1.0' encoding='ISO-8859-1'?>ü"),
            (b"<?xml version='1.0' encoding = \"l1\"?>\x80", "<?xml version='1.0' encoding = \"l1\"?>\u{80}"),
            (b"<?xml version='1.0'?><a encoding='x'/>", "<?xml version='1.0'?><a encoding='x'/>"),
            (b"", ""),
        ] {
            assert_eq!(decoded(document), Ok(expected.to_owned()));
        }
        let text = "<a>ü\u{20AC}</a>".as_bytes().to_vec();
        assert_eq!(Encoding::US_ASCII.encode(text.clone()), b"<a>&#252;&#8364;</a>");
        assert_eq!("latin1".parse::<Encoding>().unwrap().encode(text), b"<a>\xFC&#8364;</a>");
    }

    #[test]
    fn documents_invalid() {
        let start = "<?xml version='1.0' encoding=";
        for (rest, category, expected) in [
            (&b"'klingon'?><a/>"[..], Category::Encoding, "unsupported encoding \"klingon\" at line 1 column 1"),
            (b"'utf-16'?><a/>", Category::Encoding, "declared as utf-16, but it is not at line 1 column 1"),
            (b"utf-8?><a/>", Category::Syntax, "an encoding that is not in quotes at line 1 column 1"),
            (b"'us-ascii'?>\n<a>\xFC", Category::Character, "octet FC is not us-ascii at line 2 column 4"),
            (b"'euc-kr'?>\n\xFF", Category::Character, "octets that are not euc-kr at line 2 column 1"),
        ] {
            assert_eq!(decoded(&[start.as_bytes(), rest].concat()), Err((category, expected.to_owned())));
        }
        let cut = (Category::Character, "octets that are not utf-16be at line 1 column 2".to_owned());
        assert_eq!(decoded(b"\xFE\xFF\0<\0"), Err(cut));
    }

    #[test]
    fn labels_invalid() {
        for (label, expected) in [
            ("klingon", "unsupported encoding \"klingon\""),
            ("", "unsupported encoding \"\""),
            ("utf-16", "documents are not written in UTF-16LE"),
            ("UTF-16BE", "documents are not written in UTF-16BE"),
        ] {
            let error = label.parse::<Encoding>().unwrap_err();
            assert_eq!((error.category(), &error.to_string()[..]), (Category::Encoding, expected));
        }
    }
}
