//! XML 1.0, as far as protocols need it: the only file that knows quick-xml.
//!
//! A document becomes [`Token`]s: elements by their tag, which a format knows by [`TagName`], and text with references
//! resolved and line ends normalised. Comments, processing instructions and attributes are checked and passed over; a
//! DOCTYPE is refused before anything in it is looked at. What is not well-formed by XML 1.0 is an error, and every
//! error knows its line and column.

use std::borrow::Cow;
use std::fmt;
use std::marker::PhantomData;

use quick_xml::events::{BytesCData, BytesRef, BytesStart, BytesText, Event};

use super::well_formed::{self, IllFormed, is_allowed};
use crate::service::Limits;
use crate::wire::Position;
use crate::wire::{Category, Error};

/// The elements that a format knows, by their names.
pub(crate) trait TagName: Copy + PartialEq + fmt::Display {
    /// Returns the tag of a name, or the one that stands for all unknown names.
    fn of(name: &str) -> Self;

    fn is_known(self) -> bool;
}

/// A piece of a document. An empty element is a start and an end.
pub(crate) enum Token<'a, T> {
    Start(T),
    End(T),
    Text(Cow<'a, str>),
    Reference(char),
    Eof,
}

#[derive(Clone)]
pub(crate) struct Reader<'a, T> {
    document: &'a [u8],
    xml: quick_xml::Reader<&'a [u8]>,
    /// The start of the last token.
    start: usize,
    /// Set inside the root element: outside of it only markup and white space may stand.
    is_inside: bool,
    limits: Limits,
    members: usize,
    /// The first error. Errors lose their place and category on their way through serde's types; this one keeps them.
    failure: Option<Error>,
    tags: PhantomData<T>,
}

impl<'a, T: TagName> Reader<'a, T> {
    /// Starts to read a document in UTF-8, which is checked on the way.
    pub(crate) fn new(document: &'a [u8], limits: &Limits) -> Reader<'a, T> {
        let mut xml = quick_xml::Reader::from_reader(document);
        xml.config_mut().expand_empty_elements = true;
        Reader {
            document,
            xml,
            start: 0,
            is_inside: false,
            limits: *limits,
            members: 0,
            failure: None,
            tags: PhantomData,
        }
    }

    #[inline]
    pub(crate) fn next(&mut self) -> Result<Token<'a, T>, Error> {
        loop {
            self.start = self.xml.buffer_position() as usize;
            return match self.xml.read_event() {
                Ok(Event::Start(element)) => {
                    let tag = T::of(element.name().as_ref());
                    self.is_inside = true;
                    if !tag.is_known() || element.len() > element.name().as_ref().len() {
                        self.check_element(&element)?;
                    }
                    Ok(Token::Start(tag))
                }
                Ok(Event::End(element)) => Ok(Token::End(T::of(element.name().as_ref()))),
                Ok(Event::Text(text)) if is_plain(&text) => Ok(Token::Text(text.into_inner())),
                Ok(Event::Text(text)) => self.text_checked(text),
                Ok(Event::CData(text)) => self.section(text),
                Ok(Event::GeneralRef(reference)) => self.resolve(reference),
                Ok(Event::Eof) => Ok(Token::Eof),
                Ok(Event::DocType(_)) => Err(self.fail(Category::Syntax, "DOCTYPE is not allowed")),
                Ok(Event::Decl(_)) if self.start > 0 => {
                    Err(self.fail(Category::Syntax, "an XML declaration that is not at the start"))
                }
                Ok(Event::Decl(text)) => {
                    self.check("<?".len(), well_formed::check_declaration(&text))?;
                    continue;
                }
                Ok(Event::PI(text)) => {
                    self.check("<?".len(), well_formed::check_instruction(&text))?;
                    continue;
                }
                Ok(Event::Comment(text)) => {
                    self.check("<!--".len(), well_formed::check_comment(&text))?;
                    continue;
                }
                // the reader turns it into a start and an end
                Ok(Event::Empty(_)) => continue,
                Err(error) => Err(self.broken(error)),
            };
        }
    }

    /// Returns the next token that is not white space between elements.
    #[inline]
    pub(crate) fn markup(&mut self) -> Result<Token<'a, T>, Error> {
        loop {
            match self.next()? {
                Token::Text(text) if text.trim_ascii().is_empty() => {}
                Token::Reference(character) if character.is_ascii_whitespace() => {}
                token => return Ok(token),
            }
        }
    }

    #[inline]
    pub(crate) fn expect_start(&mut self, tag: T) -> Result<(), Error> {
        match self.markup()? {
            Token::Start(found) if found == tag => Ok(()),
            token => Err(self.unexpected(format_args!("<{tag}>"), token)),
        }
    }

    #[inline]
    pub(crate) fn expect_end(&mut self, tag: T) -> Result<(), Error> {
        match self.markup()? {
            Token::End(found) if found == tag => Ok(()),
            token => Err(self.unexpected(format_args!("</{tag}>"), token)),
        }
    }

    /// Checks that only white space and comments follow the root element.
    pub(crate) fn expect_eof(&mut self) -> Result<(), Error> {
        self.is_inside = false;
        match self.markup()? {
            Token::Eof => Ok(()),
            _ => {
                self.skip_white_space();
                Err(self.fail(Category::Syntax, "expected the end of the document, found more"))
            }
        }
    }

    /// Returns the text up to the end tag, which is consumed. Comments and CDATA sections do not split it.
    #[inline]
    pub(crate) fn text(&mut self, end: T) -> Result<Cow<'a, str>, Error> {
        let mut text = Cow::Borrowed("");
        loop {
            match self.next()? {
                Token::Text(piece) => append(&mut text, piece),
                Token::Reference(character) => text.to_mut().push(character),
                Token::End(tag) if tag == end => return Ok(text),
                token => return Err(self.unexpected(format_args!("</{end}>"), token)),
            }
        }
    }

    /// Passes over the rest of an element whose start tag was read.
    pub(crate) fn skip(&mut self) -> Result<(), Error> {
        let mut open = 1_usize;
        while open > 0 {
            match self.next()? {
                Token::Start(_) => open += 1,
                Token::End(_) => open -= 1,
                Token::Eof => return Err(self.unexpected("an end tag", Token::Eof)),
                Token::Text(_) | Token::Reference(_) => {}
            }
        }
        Ok(())
    }

    /// Counts an array item or a struct member.
    #[inline]
    pub(crate) fn count_member(&mut self) -> Result<(), Error> {
        self.members += 1;
        if self.members > self.limits.members {
            let message = format!("more than {} array items and struct members", self.limits.members);
            return Err(self.fail(Category::Limit, message));
        }
        Ok(())
    }

    /// Goes into an array or struct.
    #[inline]
    pub(crate) fn check_depth(&mut self, depth: u32) -> Result<(), Error> {
        if depth >= self.limits.depth {
            let message = format!("arrays and structs nested deeper than {}", self.limits.depth);
            return Err(self.fail(Category::Limit, message));
        }
        Ok(())
    }

    /// Returns the start of the last token.
    #[inline]
    pub(crate) fn start(&self) -> usize {
        self.start
    }

    /// Returns an error at the last token.
    #[cold]
    pub(crate) fn fail(&mut self, category: Category, message: impl Into<String>) -> Error {
        self.locate(Error::new(category, message), self.start)
    }

    /// Keeps an error as the first, at the octet `start`, unless there is an earlier one.
    #[cold]
    pub(crate) fn locate(&mut self, error: Error, start: usize) -> Error {
        let document = self.document;
        self.failure.get_or_insert_with(|| error.at(Position::of(document, start))).clone()
    }

    /// Returns the first error there was, else this one.
    #[cold]
    pub(crate) fn first_failure(&mut self, error: Error) -> Error {
        self.failure.take().unwrap_or(error)
    }

    /// Returns the error for a token that has no place here.
    #[cold]
    pub(crate) fn unexpected(&mut self, expected: impl fmt::Display, found: Token<'a, T>) -> Error {
        let category = if matches!(found, Token::Eof) { Category::Syntax } else { Category::Structure };
        self.skip_white_space();
        let found = match found {
            Token::Start(_) => format!("<{}>", self.name_at(self.start + 1)),
            Token::End(tag) => format!("</{tag}>"),
            Token::Text(_) | Token::Reference(_) => "text".into(),
            Token::Eof => "the end of the document".into(),
        };
        self.fail(category, format!("expected {expected}, found {found}"))
    }

    /// Moves the place of an error to the first visible character of a text.
    fn skip_white_space(&mut self) {
        let rest = self.document.get(self.start..).unwrap_or_default();
        self.start += rest.len() - rest.trim_ascii_start().len();
    }

    /// Returns the name of the element that starts at an octet, cut to a length that fits a message.
    fn name_at(&self, start: usize) -> String {
        const MAX_SHOWN: usize = 40;

        let rest = self.document.get(start..).unwrap_or_default();
        let is_end = |octet: &u8| octet.is_ascii_whitespace() || matches!(octet, b'>' | b'/');
        let name = &rest[..rest.iter().position(is_end).unwrap_or(rest.len())];
        let name: String =
            String::from_utf8_lossy(&name[..name.len().min(4 * MAX_SHOWN)]).chars().take(MAX_SHOWN).collect();
        name.escape_debug().to_string()
    }

    /// Passes on the result of checking a piece that begins `behind` octets after the start of this token.
    #[inline]
    fn check(&mut self, behind: usize, checked: Result<(), IllFormed>) -> Result<(), Error> {
        checked.map_err(|ill| {
            let IllFormed { at, category, message } = ill;
            self.locate(Error::new(category, message), self.start + behind + at)
        })
    }

    /// Checks a start tag that is more than a name we know.
    #[cold]
    fn check_element(&mut self, element: &BytesStart<'_>) -> Result<(), Error> {
        let name = element.name();
        let name = name.as_ref();
        self.check("<".len(), well_formed::check_name(name))?;
        self.check("<".len() + name.len(), well_formed::check_attributes(&element[name.len()..]))
    }

    /// Text that needs a closer look.
    fn text_checked(&mut self, text: BytesText<'a>) -> Result<Token<'a, T>, Error> {
        if let Some(at) = text.find("]]>") {
            let error = Error::new(Category::Syntax, "expected ]]&gt; in text, found ]]>");
            return Err(self.locate(error, self.start + at));
        }
        self.allowed(text.xml10_content())
    }

    fn section(&mut self, section: BytesCData<'a>) -> Result<Token<'a, T>, Error> {
        match self.is_inside {
            true => self.allowed(section.xml10_content()),
            false => Err(self.fail(Category::Syntax, "found a CDATA section outside of the root element")),
        }
    }

    /// Checks that XML allows every character of a text (XML 1.0 §2.2).
    fn allowed(&mut self, text: Cow<'a, str>) -> Result<Token<'a, T>, Error> {
        match text.chars().find(|character| !is_allowed(*character)) {
            Some(character) => Err(self.forbidden(character)),
            None => Ok(Token::Text(text)),
        }
    }

    #[cold]
    fn forbidden(&mut self, character: char) -> Error {
        // searched in the document itself: its line ends may have two octets, and sections begin with markup
        let mut octets = [0; 4];
        let octets = character.encode_utf8(&mut octets).as_bytes();
        let rest = self.document.get(self.start..).unwrap_or_default();
        let at = self.start + rest.windows(octets.len()).position(|window| window == octets).unwrap_or(0);
        let message = format!("character U+{:04X}, which XML does not allow", u32::from(character));
        self.locate(Error::new(Category::Character, message), at)
    }

    fn resolve(&mut self, reference: BytesRef<'a>) -> Result<Token<'a, T>, Error> {
        if !self.is_inside {
            return Err(self.fail(Category::Syntax, "found a reference outside of the root element"));
        }
        match well_formed::resolve(&reference) {
            Ok(character) => Ok(Token::Reference(character)),
            Err(IllFormed { category, message, .. }) => Err(self.fail(category, message)),
        }
    }

    #[cold]
    fn broken(&mut self, error: quick_xml::Error) -> Error {
        use quick_xml::errors::IllFormedError as IllFormed;

        match error {
            quick_xml::Error::Encoding(_) => {
                let at = match std::str::from_utf8(&self.document[self.start..]) {
                    Err(error) => self.start + error.valid_up_to(),
                    Ok(_) => self.start,
                };
                self.locate(Error::new(Category::Character, "octets that are not utf-8"), at)
            }
            quick_xml::Error::IllFormed(IllFormed::MismatchedEndTag { expected, .. }) => {
                let found = self.name_at(self.start + 2);
                self.fail(Category::Syntax, format!("expected </{expected}>, found </{found}>"))
            }
            quick_xml::Error::IllFormed(IllFormed::UnmatchedEndTag(_)) => {
                let found = self.name_at(self.start + 2);
                self.fail(Category::Syntax, format!("found </{found}> without its start tag"))
            }
            quick_xml::Error::IllFormed(IllFormed::UnclosedReference) => {
                self.fail(Category::Syntax, "found & that begins no reference")
            }
            quick_xml::Error::Syntax(_) => self.fail(Category::Syntax, "markup that is not closed"),
            _ => self.fail(Category::Syntax, "not well-formed"),
        }
    }
}

#[inline]
pub(crate) fn append<'a>(text: &mut Cow<'a, str>, piece: Cow<'a, str>) {
    if text.is_empty() {
        *text = piece;
    } else {
        text.to_mut().push_str(&piece);
    }
}

/// Tests if text needs no closer look: no control octet but tab and line feed, none that begins U+FFFE and U+FFFF, and
/// no `>`, which may end `]]>`.
#[inline]
fn is_plain(text: &str) -> bool {
    // no early exit: so the loop runs over many octets at a time
    let special = |octet: u8| (octet < 0x20 && !matches!(octet, b'\t' | b'\n')) || matches!(octet, b'>' | 0xEF);
    !text.bytes().fold(false, |found, octet| found | special(octet))
}

#[cfg(test)]
mod tests {
    use super::super::escape;
    use super::*;

    #[derive(Clone, Copy, Debug, PartialEq)]
    enum Tag {
        A,
        B,
        Unknown,
    }

    impl TagName for Tag {
        fn of(name: &str) -> Tag {
            match name {
                "a" => Tag::A,
                "b" => Tag::B,
                _ => Tag::Unknown,
            }
        }

        fn is_known(self) -> bool {
            self != Tag::Unknown
        }
    }

    impl fmt::Display for Tag {
        fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str(match self {
                Tag::A => "a",
                Tag::B => "b",
                Tag::Unknown => "unknown",
            })
        }
    }

    /// Writes the tokens of a document one after the other, references in brackets.
    fn tokens(document: &[u8]) -> Result<String, Error> {
        let mut reader = Reader::<Tag>::new(document, &Limits::default());
        let mut seen = String::new();
        loop {
            match reader.next()? {
                Token::Start(tag) => seen += &format!("<{tag}>"),
                Token::End(tag) => seen += &format!("</{tag}>"),
                Token::Text(text) => seen += &text,
                Token::Reference(character) => seen += &format!("[{character}]"),
                Token::Eof => return Ok(seen),
            }
        }
    }

    fn refusal<T>(
        document: &[u8],
        read: impl Fn(&mut Reader<'_, Tag>) -> Result<T, Error>,
    ) -> Option<(Category, String)> {
        let limits = Limits { depth: 1, members: 1, ..Limits::default() };
        let error = read(&mut Reader::new(document, &limits)).err()?;
        Some((error.category(), error.to_string()))
    }

    #[test]
    fn text_roundtrip() {
        for text in ["", "a", " a\tb\n ", "<&>\"'", "]]>", "\r\n\r", "ü\u{1D11E}\u{FFFD}", "\u{EFFF}\u{F000}"] {
            let mut document = b"<a>".to_vec();
            escape(text, &mut document);
            document.extend_from_slice(b"</a>");
            let mut reader = Reader::new(&document, &Limits::default());
            reader.expect_start(Tag::A).unwrap();
            assert_eq!(reader.text(Tag::A).unwrap(), text);
            reader.expect_eof().unwrap();
        }
    }

    /// Examples of XML 1.0: §2.1, §2.5, §2.6, §2.7, §2.11, §3.1, §4.6.
    #[test]
    fn documents_spec() {
        for (document, expected) in [
            ("<?xml version=\"1.0\"?><a>Hello, world!</a>", "<a>Hello, world!</a>"),
            ("<a><!-- declarations for <head> & <body> -->x</a>", "<a>x</a>"),
            ("<?xml-stylesheet href=\"x\"?><a/>", "<a></a>"),
            ("<a><![CDATA[<greeting>Hello, world!</greeting>]]></a>", "<a><greeting>Hello, world!</greeting></a>"),
            ("<a>1\r\n2\r3\n4</a>", "<a>1\n2\n3\n4</a>"),
            ("<a x='1'\n y=\"&lt;\" ></a\n>", "<a></a>"),
            ("<b>&lt;&amp;&#38;&#x26;&apos;</b>", "<b>[<][&][&][&][']</b>"),
            ("\n<a><b/><c></c></a>\n", "\n<a><b></b><unknown></unknown></a>\n"),
        ] {
            assert_eq!(tokens(document.as_bytes()).unwrap(), expected);
        }
    }

    #[test]
    fn documents_invalid() {
        for (document, category, expected) in [
            ("<!DOCTYPE a><a/>", Category::Syntax, "DOCTYPE is not allowed at line 1 column 1"),
            (
                "<a/><?xml version=\"1.0\"?>",
                Category::Syntax,
                "an XML declaration that is not at the start at line 1 column 5",
            ),
            ("<a>\nx]]>y</a>", Category::Syntax, "expected ]]&gt; in text, found ]]> at line 2 column 2"),
            ("<a>x & y</a>", Category::Syntax, "found & that begins no reference at line 1 column 6"),
            ("<a>&nbsp;</a>", Category::Syntax, "undefined entity \"nbsp\" at line 1 column 4"),
            ("&lt;<a/>", Category::Syntax, "found a reference outside of the root element at line 1 column 1"),
            ("<![CDATA[]]>", Category::Syntax, "found a CDATA section outside of the root element at line 1 column 1"),
            ("<a>\u{1}</a>", Category::Character, "character U+0001, which XML does not allow at line 1 column 4"),
            (
                "<a>\r\nx\u{FFFE}</a>",
                Category::Character,
                "character U+FFFE, which XML does not allow at line 2 column 2",
            ),
            (
                "<a x=1/>",
                Category::Syntax,
                "expected the value of attribute \"x\" in quotes, found \"1\" at line 1 column 6",
            ),
            ("<1/>", Category::Syntax, "expected the name of an element, found \"1\" at line 1 column 2"),
            ("<a><!-- a--b --></a>", Category::Syntax, "expected no -- in a comment, found one at line 1 column 10"),
        ] {
            let error = tokens(document.as_bytes()).unwrap_err();
            assert_eq!((error.category(), error.to_string()), (category, expected.to_owned()));
        }
        let error = tokens(b"<a>\n\xC3\xBC\xFC</a>").unwrap_err();
        let expected = "octets that are not utf-8 at line 2 column 2";
        assert_eq!((error.category(), &error.to_string()[..]), (Category::Character, expected));
    }

    #[test]
    fn unclosed_elements_invalid() {
        for (document, expected) in [
            ("<a><b></a>", "expected </b>, found </a> at line 1 column 7"),
            ("<a/>\n</b>", "found </b> without its start tag at line 2 column 1"),
            ("<a", "markup that is not closed at line 1 column 1"),
            ("<a><![CDATA[x]]</a>", "markup that is not closed at line 1 column 4"),
            ("<a><!-- x", "markup that is not closed at line 1 column 4"),
        ] {
            let error = tokens(document.as_bytes()).unwrap_err();
            assert_eq!((error.category(), &error.to_string()[..]), (Category::Syntax, expected));
        }
        let skipped = refusal(b"<a><b></b>", |reader| {
            reader.expect_start(Tag::A)?;
            reader.skip()
        });
        let expected = "expected an end tag, found the end of the document at line 1 column 11";
        assert_eq!(skipped, Some((Category::Syntax, expected.to_owned())));
    }

    #[test]
    fn structures_invalid() {
        let a = |reader: &mut Reader<'_, Tag>| reader.expect_start(Tag::A);
        for (found, category, expected) in [
            (refusal(b" <c d='1'/>", a), Category::Structure, "expected <a>, found <c> at line 1 column 2"),
            (refusal(b"\n x<a/>", a), Category::Structure, "expected <a>, found text at line 2 column 2"),
            (refusal(b" ", a), Category::Syntax, "expected <a>, found the end of the document at line 1 column 2"),
            (
                refusal(b"<a>x<b/></a>", |reader| a(reader).and_then(|()| reader.text(Tag::A).map(|_| ()))),
                Category::Structure,
                "expected </a>, found <b> at line 1 column 5",
            ),
            (
                refusal(b"<a></a>\n <b/>", |reader| {
                    a(reader)?;
                    reader.expect_end(Tag::A)?;
                    reader.expect_eof()
                }),
                Category::Syntax,
                "expected the end of the document, found more at line 2 column 2",
            ),
            (
                refusal(b"<a/>", |reader| reader.check_depth(1)),
                Category::Limit,
                "arrays and structs nested deeper than 1 at line 1 column 1",
            ),
            (
                refusal(b"<a/>", |reader| reader.count_member().and_then(|()| reader.count_member())),
                Category::Limit,
                "more than 1 array items and struct members at line 1 column 1",
            ),
        ] {
            assert_eq!(found, Some((category, expected.to_owned())));
        }
    }
}
