//! Values as literals of a language, and its strings; what is longer than a line is broken and indented.

use std::fmt::Write;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;

use crate::wire::value::{DateTime, Value};

/// The notation of a language for values.
pub(super) struct Literals {
    /// The blanks by which the inside of an array or a map is indented.
    step: usize,
    array: (&'static str, &'static str),
    map: (&'static str, &'static str),
    /// An empty map.
    empty: &'static str,
    pair: &'static str,
    nil: &'static str,
    no_yes: [&'static str; 2],
    /// The suffix of a number of more than 32 bits.
    long: &'static str,
    string: fn(&str, &mut String),
    date_time: fn(&DateTime, &mut String),
    octets: fn(&[u8], &mut String),
}

pub(super) const JSON: Literals = Literals {
    step: 2,
    array: ("[", "]"),
    map: ("{", "}"),
    empty: "{}",
    pair: ": ",
    nil: "null",
    no_yes: ["false", "true"],
    long: "",
    string: push_json_string,
    date_time: |date_time, out| push_json_string(&iso(date_time), out),
    octets: |octets, out| push_json_string(&STANDARD.encode(octets), out),
};

pub(super) const PYTHON: Literals = Literals {
    step: 4,
    nil: "None",
    no_yes: ["False", "True"],
    date_time: |date_time, out| *out += &format!("xmlrpc.client.DateTime(\"{date_time}\")"),
    octets: |octets, out| *out += &format!("xmlrpc.client.Binary(b\"{}\")", octets.escape_ascii()),
    ..JSON
};

pub(super) const PHP: Literals = Literals {
    step: 4,
    // PHP would turn an array with numeric keys into a JSON array
    map: ("(object) [", "]"),
    empty: "(object) []",
    pair: " => ",
    string: push_single_quoted,
    date_time: |date_time, out| push_single_quoted(&iso(date_time), out),
    octets: |octets, out| push_single_quoted(&STANDARD.encode(octets), out),
    ..JSON
};

pub(super) const RUBY: Literals = Literals { step: 2, map: ("{ ", " }"), empty: "{}", nil: "nil", ..PHP };

pub(super) const PERL: Literals =
    Literals { step: 4, nil: "undef", no_yes: ["JSON::PP::false", "JSON::PP::true"], ..RUBY };

/// The notation inside `json!`, where a literal without a type has 32 bits.
pub(super) const RUST: Literals = Literals { long: "_i64", string: |text, out| *out += &rust_string(text), ..JSON };

/// The most characters in a line of a sample, where it can be broken.
pub(super) const WIDTH: usize = 64;

impl Literals {
    /// Writes a value where a line is indented by so many blanks; what it is broken into is indented by more.
    pub(super) fn written(&self, value: &Value, indent: usize) -> String {
        let mut out = String::with_capacity(256);
        self.value(value, indent, indent, &mut out);
        out
    }

    /// Writes a value behind so many characters of a line; what it is broken into is not indented.
    pub(super) fn behind(&self, column: usize, value: &Value) -> String {
        let mut out = String::with_capacity(256);
        self.value(value, column, 0, &mut out);
        out
    }

    /// Writes a value in one line, however long.
    pub(super) fn in_one_line(&self, value: &Value) -> String {
        let mut out = String::new();
        self.in_line(value, &mut out);
        out
    }

    /// Writes values as arguments in parentheses, one in a line if they do not fit behind `column` characters.
    pub(super) fn arguments(&self, values: &[Value], column: usize, indent: usize) -> String {
        let mut out = String::with_capacity(256);
        let inner = values.iter().map(|value| self.width(value) + 2).sum::<usize>();
        match column + inner <= WIDTH {
            true => self.inline(values, &mut out),
            false => {
                for value in values {
                    new_line(indent + self.step, &mut out);
                    self.value(value, indent + self.step, indent + self.step, &mut out);
                    out.push(',');
                }
                new_line(indent, &mut out);
            }
        }
        out
    }

    fn value(&self, value: &Value, column: usize, indent: usize, out: &mut String) {
        let is_broken = || column + self.width(value) > WIDTH;
        match value {
            Value::Array(items) if !items.is_empty() && is_broken() => {
                *out += self.array.0;
                for (index, item) in items.iter().enumerate() {
                    *out += if index == 0 { "" } else { "," };
                    new_line(indent + self.step, out);
                    self.value(item, indent + self.step, indent + self.step, out);
                }
                new_line(indent, out);
                *out += self.array.1;
            }
            Value::Struct(members) if !members.is_empty() && is_broken() => {
                *out += self.map.0.trim_end();
                for (index, (name, value)) in members.iter().enumerate() {
                    *out += if index == 0 { "" } else { "," };
                    new_line(indent + self.step, out);
                    (self.string)(name, out);
                    *out += self.pair;
                    let column = indent + self.step + name.chars().count() + 2 + self.pair.len();
                    self.value(value, column, indent + self.step, out);
                }
                new_line(indent, out);
                *out += self.map.1.trim_start();
            }
            value => self.in_line(value, out),
        }
    }

    /// Writes a value in one line.
    fn in_line(&self, value: &Value, out: &mut String) {
        match value {
            Value::Int(number) => {
                *out += itoa::Buffer::new().format(*number);
                if i32::try_from(*number).is_err() {
                    *out += self.long;
                }
            }
            // writing to a String does not fail
            Value::Double(number) => _ = write!(out, "{number:?}"),
            Value::Boolean(value) => *out += self.no_yes[usize::from(*value)],
            Value::String(text) => (self.string)(text, out),
            Value::DateTime(date_time) => (self.date_time)(date_time, out),
            Value::Base64(octets) => (self.octets)(&octets.0, out),
            Value::Nil => *out += self.nil,
            Value::Array(items) => {
                *out += self.array.0;
                self.inline(items, out);
                *out += self.array.1;
            }
            Value::Struct(members) if members.is_empty() => *out += self.empty,
            Value::Struct(members) => {
                *out += self.map.0;
                for (index, (name, value)) in members.iter().enumerate() {
                    *out += if index == 0 { "" } else { ", " };
                    (self.string)(name, out);
                    *out += self.pair;
                    self.in_line(value, out);
                }
                *out += self.map.1;
            }
        }
    }

    /// Writes values with commas in between.
    fn inline(&self, values: &[Value], out: &mut String) {
        for (index, value) in values.iter().enumerate() {
            *out += if index == 0 { "" } else { ", " };
            self.in_line(value, out);
        }
    }

    /// Returns about how many octets a value takes in one line; more than a line has for any that is longer.
    fn width(&self, value: &Value) -> usize {
        const QUOTES: usize = 2;
        const SEPARATOR: usize = 2;
        match value {
            Value::Array(items) => {
                let mut width = self.array.0.len() + self.array.1.len();
                for item in items {
                    width += self.width(item) + SEPARATOR;
                    if width > WIDTH + SEPARATOR {
                        break;
                    }
                }
                width - if items.is_empty() { 0 } else { SEPARATOR }
            }
            Value::Struct(members) => {
                let mut width = self.map.0.len() + self.map.1.len();
                for (name, value) in members.iter() {
                    width += name.len() + QUOTES + self.pair.len() + self.width(value) + SEPARATOR;
                    if width > WIDTH + SEPARATOR {
                        break;
                    }
                }
                width - if members.is_empty() { 0 } else { SEPARATOR }
            }
            Value::String(text) => text.len().min(WIDTH) + QUOTES,
            Value::Int(number) => itoa::Buffer::new().format(*number).len(),
            Value::Boolean(_) | Value::Nil => self.no_yes[0].len(),
            Value::Double(_) => 6,
            Value::DateTime(_) => "\"2026-11-24T12:00:00\"".len(),
            Value::Base64(octets) => octets.0.len().min(WIDTH) * 4 / 3 + QUOTES,
        }
    }
}

/// Begins a line that is indented by so many blanks.
pub(super) fn new_line(indent: usize, out: &mut String) {
    const BLANKS: &str = "                                                                ";
    out.push('\n');
    *out += &BLANKS[..indent.min(BLANKS.len())];
}

/// Writes a date in the form that this server's JSON-RPC has.
pub(in crate::docs) fn iso(date_time: &DateTime) -> String {
    // chrono's own form, which has no fraction if there is none
    format!("{:?}", date_time.0)
}

/// Appends a string of JSON, which is also one of Python, JavaScript, Go and Java.
pub(super) fn push_json_string(text: &str, out: &mut String) {
    let is_plain = |octet: u8| octet >= b' ' && octet != b'"' && octet != b'\\';
    if text.bytes().all(is_plain) {
        out.push('"');
        *out += text;
        out.push('"');
    } else {
        *out += &serde_json::Value::from(text).to_string();
    }
}

pub(super) fn json_string(text: &str) -> String {
    let mut out = String::new();
    push_json_string(text, &mut out);
    out
}

pub(super) fn rust_string(text: &str) -> String {
    format!("{text:?}")
}

/// Appends a string of PHP, Perl and Ruby.
pub(super) fn push_single_quoted(text: &str, out: &mut String) {
    out.push('\'');
    if memchr::memchr2(b'\\', b'\'', text.as_bytes()).is_none() {
        *out += text;
        out.push('\'');
        return;
    }
    for part in text.split_inclusive(['\\', '\'']) {
        let last = part.ends_with(['\\', '\'']);
        let (plain, quoted) = part.split_at(part.len() - usize::from(last));
        *out += plain;
        if last {
            out.push('\\');
            *out += quoted;
        }
    }
    out.push('\'');
}

pub(super) fn single_quoted(text: &str) -> String {
    let mut out = String::new();
    push_single_quoted(text, &mut out);
    out
}

/// Writes a string of PowerShell, where typographic quotation marks end one too.
pub(super) fn doubled_quotes(text: &str) -> String {
    if text.is_ascii() && !text.contains('\'') {
        return ["'", text, "'"].concat();
    }
    let doubled = text.chars().flat_map(|character| {
        let is_quote = matches!(character, '\'' | '\u{2018}'..='\u{201b}');
        std::iter::repeat_n(character, if is_quote { 2 } else { 1 })
    });
    format!("'{}'", doubled.collect::<String>())
}

/// Writes a word of a command line, in quotes if needed.
pub(super) fn shell_word(text: &str) -> String {
    let is_plain = |octet: u8| octet.is_ascii_alphanumeric() || b"_-./:@,+%".contains(&octet);
    match !text.is_empty() && text.bytes().all(is_plain) {
        true => text.to_owned(),
        false if text.bytes().any(is_command) => {
            ["$'", &text.chars().map(shell_escape).collect::<String>(), "'"].concat()
        }
        false if !text.contains('\'') => ["'", text, "'"].concat(),
        false => format!("'{}'", text.replace('\'', r"'\''")),
    }
}

/// Tests whether a terminal would obey an octet, and not show it.
fn is_command(octet: u8) -> bool {
    octet.is_ascii_control() && octet != b'\n' && octet != b'\t'
}

/// Writes a character for `$'..'`.
fn shell_escape(character: char) -> String {
    match character {
        '\'' | '\\' => format!("\\{character}"),
        control if control.is_ascii_control() => format!("\\x{:02x}", u32::from(control)),
        plain => plain.to_string(),
    }
}

pub(super) fn go_text(text: &str) -> String {
    if text.contains('`') { json_string(text) } else { format!("`{text}`") }
}

/// Writes a text block of Java.
pub(super) fn java_text(text: &str) -> String {
    format!("\"\"\"\n            {}\"\"\"", text.replace('\\', r"\\").replace("\"\"", "\"\\\""))
}
