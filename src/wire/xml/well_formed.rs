//! The rules of XML 1.0 (5th edition) for markup that quick-xml does not check: names, attributes, references in them,
//! the declaration, the targets of instructions, the text of comments.
//!
//! Each check takes its piece of the document, and reports a mistake with its octet in that piece. The reader calls
//! them only for rare markup: an element without attributes never comes here.

use std::collections::HashSet;

use crate::wire::Category;

/// A mistake, and its place in the checked piece.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct IllFormed {
    pub(crate) at: usize,
    pub(crate) category: Category,
    pub(crate) message: String,
}

type Checked = Result<(), IllFormed>;

fn syntax(at: usize, message: impl Into<String>) -> IllFormed {
    IllFormed { at, category: Category::Syntax, message: message.into() }
}

/// Checks the name of an element (§2.3). A name whose prefix is not bound is still well-formed.
pub(crate) fn check_name(name: &str) -> Checked {
    let mut characters = name.char_indices();
    match characters.next() {
        Some((_, first)) if is_name_start(first) => {}
        _ => return Err(syntax(0, format!("expected the name of an element, found {}", seen(name)))),
    }
    match characters.find(|(_, character)| !is_name_character(*character)) {
        Some((at, _)) => {
            Err(syntax(at, format!("expected the name of an element to end, found {}", seen(&name[at..]))))
        }
        None => Ok(()),
    }
}

/// Checks the attributes of a start tag, behind its name (§3.1).
pub(crate) fn check_attributes(text: &str) -> Checked {
    let mut cursor = Cursor { text, at: 0 };
    let mut names = HashSet::new();
    loop {
        let is_apart = cursor.skip_space();
        if cursor.rest().is_empty() {
            return Ok(());
        }
        if !is_apart {
            return Err(cursor.expected("white space before an attribute"));
        }
        let start = cursor.at;
        let Attribute { name, value, value_at } = cursor.attribute()?;
        if !names.insert(name) {
            return Err(syntax(start, format!("expected attribute \"{name}\" once, found it again")));
        }
        check_value(value).map_err(|ill| IllFormed { at: value_at + ill.at, ..ill })?;
    }
}

/// Checks the value of an attribute: no `<`, only references that resolve, and only characters of XML (§2.3, §4.1).
fn check_value(value: &str) -> Checked {
    check_characters(value)?;
    if let Some(at) = value.find('<') {
        return Err(syntax(at, "expected &lt; in the value of an attribute, found <"));
    }
    for (at, _) in value.match_indices('&') {
        let rest = &value[at + 1..];
        let name = rest.split_once(';').map(|(name, _)| name).filter(|name| is_reference(name));
        let Some(name) = name else { return Err(syntax(at, "found & that begins no reference")) };
        resolve(name).map_err(|ill| IllFormed { at, ..ill })?;
    }
    Ok(())
}

/// Tests if a text has the form of a reference's name, known or not.
fn is_reference(name: &str) -> bool {
    name.starts_with('#') || check_name(name).is_ok()
}

/// Returns the character that a reference stands for: one of the five entities that need no declaration, or by its
/// number (§4.1, §4.6).
pub(crate) fn resolve(name: &str) -> Result<char, IllFormed> {
    let Some(number) = name.strip_prefix('#') else {
        return match name {
            "lt" => Ok('<'),
            "gt" => Ok('>'),
            "amp" => Ok('&'),
            "quot" => Ok('"'),
            "apos" => Ok('\''),
            _ => Err(syntax(0, format!("undefined entity \"{}\"", cut(name).escape_debug()))),
        };
    };
    let (digits, radix) = match number.strip_prefix('x') {
        Some(digits) => (digits, 16),
        None => (number, 10),
    };
    // Rust would take a sign too
    let has_digits_only = !digits.is_empty() && digits.chars().all(|digit| digit.is_digit(radix));
    if !has_digits_only {
        return Err(syntax(0, "invalid character reference"));
    }
    let number = u32::from_str_radix(digits, radix).ok();
    match number.and_then(char::from_u32) {
        Some(character) if is_allowed(character) => Ok(character),
        Some('\0') | None => Err(syntax(0, "invalid character reference")),
        Some(character) => Err(forbidden(0, character)),
    }
}

/// Checks the text of a comment (§2.5).
pub(crate) fn check_comment(text: &str) -> Checked {
    check_characters(text)?;
    match text.find("--") {
        Some(at) => Err(syntax(at, "expected no -- in a comment, found one")),
        None if text.ends_with('-') => Err(syntax(text.len() - 1, "expected a comment to end in -->, found --->")),
        None => Ok(()),
    }
}

/// Checks a processing instruction (§2.6).
pub(crate) fn check_instruction(text: &str) -> Checked {
    check_characters(text)?;
    let target = text.split(is_space).next().unwrap_or_default();
    check_name(target).map_err(|ill| {
        syntax(ill.at, format!("expected the target of a processing instruction, found {}", seen(&text[ill.at..])))
    })?;
    match target.eq_ignore_ascii_case("xml") {
        true => Err(syntax(0, format!("expected another target than \"xml\" in an instruction, found \"{target}\""))),
        false => Ok(()),
    }
}

/// Checks an XML declaration, from its `xml` on (§2.8, §4.3.1, §2.9).
pub(crate) fn check_declaration(text: &str) -> Checked {
    /// The parts in their order; only the first is required.
    const PARTS: [&str; 3] = ["version", "encoding", "standalone"];

    let mut cursor = Cursor { text, at: "xml".len() };
    let mut next = 0;
    loop {
        let is_apart = cursor.skip_space();
        if cursor.rest().is_empty() {
            return match next {
                0 => Err(cursor.expected("version=\"1.0\" in the XML declaration")),
                _ => Ok(()),
            };
        }
        if !is_apart {
            return Err(cursor.expected("white space in the XML declaration"));
        }
        let start = cursor.at;
        let Attribute { name, value, value_at } = cursor.attribute()?;
        let Some(index) = PARTS.iter().position(|part| *part == name).filter(|index| *index >= next) else {
            let left = PARTS[next..].join(" or ");
            let expected = if left.is_empty() { "the end" } else { &left };
            let message = format!("expected {expected} in the XML declaration, found \"{}\"", cut(name).escape_debug());
            return Err(syntax(start, message));
        };
        if next == 0 && index > 0 {
            return Err(syntax(start, format!("expected version in the XML declaration, found \"{name}\"")));
        }
        let is_meant = match name {
            "version" => is_version(value),
            "encoding" => is_encoding(value),
            _ => matches!(value, "yes" | "no"),
        };
        if !is_meant {
            let expected = ["version 1.0", "the name of an encoding", "standalone yes or no"][index];
            let message = format!("expected {expected}, found \"{}\"", cut(value).escape_debug());
            return Err(syntax(value_at, message));
        }
        next = index + 1;
    }
}

/// Tests if a version is `1.` and digits (§2.8): documents of a later 1.x are read as 1.0.
fn is_version(value: &str) -> bool {
    let digits = value.strip_prefix("1.").unwrap_or_default();
    !digits.is_empty() && digits.bytes().all(|digit| digit.is_ascii_digit())
}

fn is_encoding(value: &str) -> bool {
    let is_known = |octet: u8| octet.is_ascii_alphanumeric() || matches!(octet, b'.' | b'_' | b'-');
    value.starts_with(|first: char| first.is_ascii_alphabetic()) && value.bytes().all(is_known)
}

fn check_characters(text: &str) -> Checked {
    match text.char_indices().find(|(_, character)| !is_allowed(*character)) {
        Some((at, character)) => Err(forbidden(at, character)),
        None => Ok(()),
    }
}

fn forbidden(at: usize, character: char) -> IllFormed {
    let message = format!("character U+{:04X}, which XML does not allow", u32::from(character));
    IllFormed { at, category: Category::Character, message }
}

/// Tests if §2.2 allows a character.
pub(crate) fn is_allowed(character: char) -> bool {
    !matches!(character, '\0'..='\x08' | '\x0B' | '\x0C' | '\x0E'..='\x1F' | '\u{FFFE}' | '\u{FFFF}')
}

fn is_space(character: char) -> bool {
    matches!(character, ' ' | '\t' | '\r' | '\n')
}

/// Tests if a character is a NameStartChar (§2.3).
fn is_name_start(character: char) -> bool {
    matches!(character,
        ':' | '_' | 'A'..='Z' | 'a'..='z' | '\u{C0}'..='\u{D6}' | '\u{D8}'..='\u{F6}' | '\u{F8}'..='\u{2FF}'
        | '\u{370}'..='\u{37D}' | '\u{37F}'..='\u{1FFF}' | '\u{200C}'..='\u{200D}' | '\u{2070}'..='\u{218F}'
        | '\u{2C00}'..='\u{2FEF}' | '\u{3001}'..='\u{D7FF}' | '\u{F900}'..='\u{FDCF}' | '\u{FDF0}'..='\u{FFFD}'
        | '\u{10000}'..='\u{EFFFF}')
}

/// Tests if a character is a NameChar (§2.3).
fn is_name_character(character: char) -> bool {
    is_name_start(character)
        || matches!(character, '-' | '.' | '0'..='9' | '\u{B7}' | '\u{300}'..='\u{36F}' | '\u{203F}'..='\u{2040}')
}

/// Returns the first character of a text, for a message.
fn seen(text: &str) -> String {
    match text.chars().next() {
        None => "the end".into(),
        Some(' ' | '\t' | '\r' | '\n') => "white space".into(),
        Some(character) => format!("\"{}\"", character.escape_debug()),
    }
}

/// Cuts a text to a length that fits a message.
fn cut(text: &str) -> &str {
    text.char_indices().nth(40).map_or(text, |(at, _)| &text[..at])
}

/// A cursor that moves through a text from the front.
struct Cursor<'t> {
    text: &'t str,
    at: usize,
}

struct Attribute<'t> {
    name: &'t str,
    value: &'t str,
    value_at: usize,
}

impl<'t> Cursor<'t> {
    fn rest(&self) -> &'t str {
        &self.text[self.at..]
    }

    /// Skips white space, and returns whether there was any.
    fn skip_space(&mut self) -> bool {
        let rest = self.rest();
        let left = rest.trim_start_matches(is_space);
        self.at += rest.len() - left.len();
        left.len() < rest.len()
    }

    /// Reads `name="value"`, with the other quotes or white space around the sign as well.
    fn attribute(&mut self) -> Result<Attribute<'t>, IllFormed> {
        let rest = self.rest();
        let name = &rest[..rest.find(|character| !is_name_character(character)).unwrap_or(rest.len())];
        if !name.starts_with(is_name_start) {
            return Err(self.expected("the name of an attribute"));
        }
        self.at += name.len();
        self.skip_space();
        if !self.rest().starts_with('=') {
            return Err(self.expected(&format!("= and a value behind attribute \"{}\"", cut(name).escape_debug())));
        }
        self.at += 1;
        self.skip_space();
        let Some(quote) = self.rest().chars().next().filter(|quote| matches!(quote, '"' | '\'')) else {
            return Err(self.expected(&format!("the value of attribute \"{}\" in quotes", cut(name).escape_debug())));
        };
        let value_at = self.at + 1;
        let Some(length) = self.text[value_at..].find(quote) else {
            return Err(self.expected(&format!("the value of attribute \"{}\" to end", cut(name).escape_debug())));
        };
        self.at = value_at + length + 1;
        Ok(Attribute { name, value: &self.text[value_at..value_at + length], value_at })
    }

    fn expected(&self, what: &str) -> IllFormed {
        syntax(self.at, format!("expected {what}, found {}", seen(self.rest())))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Returns the place and message of a mistake.
    fn told(checked: Checked) -> Option<(usize, String)> {
        checked.err().map(|ill| (ill.at, ill.message))
    }

    #[test]
    fn attributes() {
        for good in
            ["", " ", " a='1'", " a = \"<\"".replace('<', "&lt;").as_str(), "\n\ta='\"' xml:b=\"&#65;'\" ", " é='1'"]
        {
            assert_eq!(told(check_attributes(good)), None, "{good}");
        }
        for (bad, at, message) in [
            (" a", 2, "expected = and a value behind attribute \"a\", found the end"),
            (" a=", 3, "expected the value of attribute \"a\" in quotes, found the end"),
            (" a=1", 3, "expected the value of attribute \"a\" in quotes, found \"1\""),
            (" a='1", 3, "expected the value of attribute \"a\" to end, found \"\\'\""),
            (" a='1'b='2'", 6, "expected white space before an attribute, found \"b\""),
            (" a='1' a='2'", 7, "expected attribute \"a\" once, found it again"),
            (" a='<'", 4, "expected &lt; in the value of an attribute, found <"),
            (" a='x & y'", 6, "found & that begins no reference"),
            (" a='&nbsp;'", 4, "undefined entity \"nbsp\""),
            (" a='&#0;'", 4, "invalid character reference"),
            (" a='&#1;'", 4, "character U+0001, which XML does not allow"),
            (" a='&#+65;'", 4, "invalid character reference"),
            (" a='&#x110000;'", 4, "invalid character reference"),
            (" a='\u{1}'", 4, "character U+0001, which XML does not allow"),
            (" 1='1'", 1, "expected the name of an attribute, found \"1\""),
            (" /", 1, "expected the name of an attribute, found \"/\""),
        ] {
            assert_eq!(told(check_attributes(bad)), Some((at, message.to_owned())), "{bad}");
        }
    }

    #[test]
    fn names() {
        for good in ["a", "_", "ex:i8", "é·", "x-1.2", "a:b:c"] {
            assert_eq!(told(check_name(good)), None, "{good}");
        }
        for (bad, at) in [("", 0), ("1a", 0), ("-a", 0), ("a/", 1), ("a\u{D7}", 1), ("a\"b", 1)] {
            assert_eq!(told(check_name(bad)).map(|(at, _)| at), Some(at), "{bad:?}");
        }
    }

    #[test]
    fn declarations() {
        for good in [
            "xml version=\"1.0\"",
            "xml  version = '1.1' ",
            "xml version='1.0' encoding='utf-8'",
            "xml version='1.0' standalone='no'",
            "xml version='1.0'\nencoding=\"UTF-8\"\tstandalone='yes'",
        ] {
            assert_eq!(told(check_declaration(good)), None, "{good}");
        }
        for (bad, at, message) in [
            ("xml", 3, "expected version=\"1.0\" in the XML declaration, found the end"),
            ("xml encoding='utf-8'", 4, "expected version in the XML declaration, found \"encoding\""),
            ("xml version='2.0'", 13, "expected version 1.0, found \"2.0\""),
            ("xml version='1.'", 13, "expected version 1.0, found \"1.\""),
            ("xml version='1.0'encoding='x'", 17, "expected white space in the XML declaration, found \"e\""),
            (
                "xml version='1.0' version='1.0'",
                18,
                "expected encoding or standalone in the XML declaration, found \"version\"",
            ),
            ("xml version='1.0' standalone='maybe'", 30, "expected standalone yes or no, found \"maybe\""),
            (
                "xml version='1.0' standalone='no' encoding='x'",
                34,
                "expected the end in the XML declaration, found \"encoding\"",
            ),
            ("xml version='1.0' encoding='8'", 28, "expected the name of an encoding, found \"8\""),
            ("xml version=1.0", 12, "expected the value of attribute \"version\" in quotes, found \"1\""),
        ] {
            assert_eq!(told(check_declaration(bad)), Some((at, message.to_owned())), "{bad}");
        }
    }

    #[test]
    fn instructions_and_comments() {
        for good in ["a", "a b?c", "xml-stylesheet x", "xmlx"] {
            assert_eq!(told(check_instruction(good)), None, "{good}");
        }
        for (bad, at) in [(" a", 0), ("1a", 0), ("", 0), ("XmL", 0), ("xML x", 0), ("a/", 1), ("a \u{FFFE}", 2)] {
            assert_eq!(told(check_instruction(bad)).map(|(at, _)| at), Some(at), "{bad:?}");
        }
        for good in ["", " a - b ", "-a"] {
            assert_eq!(told(check_comment(good)), None, "{good}");
        }
        for (bad, at) in [("a--b", 1), ("a-", 1), ("-", 0), ("\u{1}", 0), ("x\u{FFFF}", 1)] {
            assert_eq!(told(check_comment(bad)).map(|(at, _)| at), Some(at), "{bad:?}");
        }
    }
}
