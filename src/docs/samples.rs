//! Samples: calls of a method from a dozen languages, as programs that run unchanged.
//!
//! A template in the folder `samples` is the program, in which `{{call}}` stands for the call and `{{url}}` for the URL
//! of the service. A language that comes with XML-RPC or JSON writes the params in its own way.

use std::fmt::Write;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;

use crate::description::{Dialect, WrittenCall};
use crate::wire::value::{DateTime, Value};

/// The URL in samples if the service's own is not known.
const ANYWHERE: &str = "https://example.org/cgi-bin/service";

/// A call, to be written in any language.
pub(super) struct SampleCall<'a> {
    name: &'a str,
    params: &'a [Value],
    /// The document of XML-RPC.
    xml: String,
    /// The document of JSON-RPC, as a value and as text.
    json: Value,
    json_text: String,
}

impl<'a> SampleCall<'a> {
    pub(super) fn new(name: &'a str, params: &'a [Value], dialects: &[&'static Dialect]) -> SampleCall<'a> {
        let mut call = SampleCall { name, params, xml: String::new(), json: Value::Nil, json_text: String::new() };
        for dialect in dialects {
            match (dialect.write_call)(name, params) {
                WrittenCall::Text(text) if dialect.name == XML_RPC => call.xml = text,
                WrittenCall::Json(json) if dialect.name == JSON_RPC => {
                    call.json_text = as_json(&json);
                    call.json = json;
                }
                _ => {}
            }
        }
        call
    }
}

/// Writes a call as the document of a protocol.
pub(super) fn as_text(dialect: &Dialect, name: &str, params: &[Value]) -> String {
    match (dialect.write_call)(name, params) {
        WrittenCall::Text(text) => text,
        WrittenCall::Json(json) => as_json(&json),
    }
}

/// Writes a value as JSON.
pub(super) fn as_json(value: &Value) -> String {
    JSON.written(value)
}

/// The protocols of the samples, by their names in the table.
const XML_RPC: &str = "xml-rpc";
const JSON_RPC: &str = "json-rpc";

/// A language: its template, and its way to write URL and call.
struct Language {
    name: &'static str,
    /// The protocol of the sample, which is left out where the service does not speak it.
    protocol: &'static str,
    template: &'static str,
    url: fn(&str) -> String,
    call: fn(&SampleCall<'_>) -> String,
}

static LANGUAGES: [Language; 12] = [
    Language {
        name: "curl",
        protocol: XML_RPC,
        template: include_str!("samples/curl.sh"),
        url: shell_word,
        call: |call| shell_word(&call.xml),
    },
    Language {
        name: "curl, JSON",
        protocol: JSON_RPC,
        template: include_str!("samples/curl-json.sh"),
        url: shell_word,
        call: |call| shell_word(&call.json_text),
    },
    Language {
        name: "Python",
        protocol: XML_RPC,
        template: include_str!("samples/python.py"),
        url: json_string,
        call: python_call,
    },
    Language {
        name: "PHP",
        protocol: JSON_RPC,
        template: include_str!("samples/php.php"),
        url: single_quoted,
        call: |call| PHP.written(&call.json),
    },
    Language {
        name: "Perl",
        protocol: JSON_RPC,
        template: include_str!("samples/perl.pl"),
        url: single_quoted,
        call: |call| PERL.written(&call.json),
    },
    Language {
        name: "Ruby",
        protocol: JSON_RPC,
        template: include_str!("samples/ruby.rb"),
        url: single_quoted,
        call: |call| RUBY.written(&call.json),
    },
    Language {
        name: "JavaScript",
        protocol: JSON_RPC,
        template: include_str!("samples/javascript.mjs"),
        url: json_string,
        call: |call| call.json_text.clone(),
    },
    Language {
        name: "Go",
        protocol: JSON_RPC,
        template: include_str!("samples/go.go"),
        url: json_string,
        call: |call| go_text(&call.json_text),
    },
    Language {
        name: "Java",
        protocol: JSON_RPC,
        template: include_str!("samples/java.java"),
        url: json_string,
        call: |call| java_text(&call.json_text),
    },
    Language {
        name: "Rust",
        protocol: JSON_RPC,
        template: include_str!("samples/rust.rs"),
        url: rust_string,
        call: |call| RUST.written(&call.json),
    },
    Language {
        name: "PowerShell",
        protocol: JSON_RPC,
        template: include_str!("samples/powershell.ps1"),
        url: doubled_quotes,
        call: |call| doubled_quotes(&call.json_text),
    },
    Language {
        name: "rpcgi",
        protocol: XML_RPC,
        template: include_str!("samples/rpcgi.sh"),
        url: shell_word,
        call: command_line,
    },
];

/// The samples of a page, without the calls.
pub(super) struct Samples(Vec<Prepared>);

struct Prepared {
    language: &'static Language,
    /// The program as HTML, split at the call.
    parts: Vec<String>,
}

impl Samples {
    /// Prepares samples that call a service at a URL.
    pub(super) fn new(url: Option<&str>, dialects: &[&'static Dialect]) -> Samples {
        let is_spoken = |language: &&Language| dialects.iter().any(|dialect| dialect.name == language.protocol);
        let prepared = |language: &'static Language| {
            let url = (language.url)(url.unwrap_or(ANYWHERE));
            let part = |part: &str| {
                let mut escaped = String::new();
                push_escaped(&part.replace("{{url}}", &url), &mut escaped);
                escaped
            };
            Prepared { language, parts: language.template.trim_end().split("{{call}}").map(part).collect() }
        };
        Samples(LANGUAGES.iter().filter(is_spoken).map(prepared).collect())
    }

    /// Writes the samples of one call.
    pub(super) fn write(&self, call: &SampleCall<'_>, page: &mut String) {
        *page += "<div class=\"samples\">";
        for Prepared { language, parts } in &self.0 {
            let written = (language.call)(call);
            *page += "<details><summary>";
            *page += language.name;
            *page += "</summary><pre><code>";
            for (index, part) in parts.iter().enumerate() {
                if index > 0 {
                    push_escaped(&written, page);
                }
                *page += part;
            }
            *page += "</code></pre></details>";
        }
        *page += "</div>";
    }
}

/// Appends text between tags, where quotes need no escape: programs have many.
fn push_escaped(text: &str, page: &mut String) {
    let mut plain = 0;
    for at in memchr::memchr3_iter(b'&', b'<', b'>', text.as_bytes()) {
        *page += &text[plain..at];
        *page += match text.as_bytes()[at] {
            b'&' => "&amp;",
            b'<' => "&lt;",
            _ => "&gt;",
        };
        plain = at + 1;
    }
    *page += &text[plain..];
}

/// The notation of a language for values.
struct Literals {
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

const JSON: Literals = Literals {
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

const PYTHON: Literals = Literals {
    nil: "None",
    no_yes: ["False", "True"],
    date_time: |date_time, out| *out += &format!("xmlrpc.client.DateTime(\"{date_time}\")"),
    octets: |octets, out| *out += &format!("xmlrpc.client.Binary(b\"{}\")", octets.escape_ascii()),
    ..JSON
};

const PHP: Literals = Literals {
    // PHP would turn an array with numeric keys into a JSON array
    map: ("(object) [", "]"),
    empty: "(object) []",
    pair: " => ",
    string: push_single_quoted,
    date_time: |date_time, out| push_single_quoted(&iso(date_time), out),
    octets: |octets, out| push_single_quoted(&STANDARD.encode(octets), out),
    ..JSON
};

const RUBY: Literals = Literals { map: ("{ ", " }"), empty: "{}", nil: "nil", ..PHP };

const PERL: Literals = Literals { nil: "undef", no_yes: ["JSON::PP::false", "JSON::PP::true"], ..RUBY };

/// The notation inside `json!`, where a literal without a type has 32 bits.
const RUST: Literals = Literals { long: "_i64", string: |text, out| *out += &rust_string(text), ..JSON };

impl Literals {
    fn written(&self, value: &Value) -> String {
        let mut out = String::with_capacity(256);
        self.value(value, &mut out);
        out
    }

    fn value(&self, value: &Value, out: &mut String) {
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
                self.values(items, out);
                *out += self.array.1;
            }
            Value::Struct(members) if members.is_empty() => *out += self.empty,
            Value::Struct(members) => {
                *out += self.map.0;
                for (index, (name, value)) in members.iter().enumerate() {
                    *out += if index == 0 { "" } else { ", " };
                    (self.string)(name, out);
                    *out += self.pair;
                    self.value(value, out);
                }
                *out += self.map.1;
            }
        }
    }

    /// Writes values with commas in between.
    fn values(&self, values: &[Value], out: &mut String) {
        for (index, value) in values.iter().enumerate() {
            *out += if index == 0 { "" } else { ", " };
            self.value(value, out);
        }
    }
}

/// Writes a date in the form that this server's JSON-RPC has.
pub(super) fn iso(date_time: &DateTime) -> String {
    // chrono's own form, which has no fraction if there is none
    format!("{:?}", date_time.0)
}

/// Appends a string of JSON, which is also one of Python, JavaScript, Go and Java.
fn push_json_string(text: &str, out: &mut String) {
    let is_plain = |octet: u8| octet >= b' ' && octet != b'"' && octet != b'\\';
    if text.bytes().all(is_plain) {
        out.push('"');
        *out += text;
        out.push('"');
    } else {
        *out += &serde_json::Value::from(text).to_string();
    }
}

fn json_string(text: &str) -> String {
    let mut out = String::new();
    push_json_string(text, &mut out);
    out
}

fn rust_string(text: &str) -> String {
    format!("{text:?}")
}

/// Appends a string of PHP, Perl and Ruby.
fn push_single_quoted(text: &str, out: &mut String) {
    out.push('\'');
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

fn single_quoted(text: &str) -> String {
    let mut out = String::new();
    push_single_quoted(text, &mut out);
    out
}

/// Writes a string of PowerShell, where typographic quotation marks end one too.
fn doubled_quotes(text: &str) -> String {
    let doubled = text.chars().flat_map(|character| {
        let is_quote = matches!(character, '\'' | '\u{2018}'..='\u{201b}');
        std::iter::repeat_n(character, if is_quote { 2 } else { 1 })
    });
    format!("'{}'", doubled.collect::<String>())
}

/// Writes a word of a command line, in quotes if needed.
fn shell_word(text: &str) -> String {
    let is_plain = |character: char| character.is_ascii_alphanumeric() || "_-./:@,+%".contains(character);
    match !text.is_empty() && text.chars().all(is_plain) {
        true => text.to_owned(),
        false if !text.contains('\'') => ["'", text, "'"].concat(),
        false => format!("'{}'", text.replace('\'', r"'\''")),
    }
}

fn go_text(text: &str) -> String {
    if text.contains('`') { json_string(text) } else { format!("`{text}`") }
}

/// Writes a text block of Java.
fn java_text(text: &str) -> String {
    format!("\"\"\"\n            {}\"\"\"", text.replace('\\', r"\\").replace("\"\"", "\"\\\""))
}

/// Writes a call as `server.wheel.spin(3)`, or by `getattr` if the name is not one of Python's.
fn python_call(call: &SampleCall<'_>) -> String {
    let mut params = String::with_capacity(512);
    PYTHON.values(call.params, &mut params);
    match call.name.split('.').all(is_python_name) {
        true => format!("server.{}({params})", call.name),
        false => format!("getattr(server, {})({params})", json_string(call.name)),
    }
}

fn is_python_name(name: &str) -> bool {
    const KEYWORDS: [&str; 35] = [
        "False", "None", "True", "and", "as", "assert", "async", "await", "break", "class", "continue", "def", "del",
        "elif", "else", "except", "finally", "for", "from", "global", "if", "import", "in", "is", "lambda", "nonlocal",
        "not", "or", "pass", "raise", "return", "try", "while", "with", "yield",
    ];
    // names with two leading underscores are Python's own
    let starts = name.starts_with(|first: char| first.is_ascii_alphabetic() || first == '_') && !name.starts_with("__");
    let goes_on = name.chars().all(|character| character.is_ascii_alphanumeric() || character == '_');
    starts && goes_on && !KEYWORDS.contains(&name)
}

/// Writes the words of `rpcgi call` after the URL.
fn command_line(call: &SampleCall<'_>) -> String {
    let is_inside_json = |value: &Value| matches!(value, Value::Array(_) | Value::Struct(_));
    // JSON has no dates and no octets: called by JSON-RPC, a service knows them by their place
    let by_json_rpc = call.params.iter().any(|value| is_inside_json(value) && has_more_than_json(value));
    let option = by_json_rpc.then(|| "--json-rpc".to_owned());
    let end_of_options = call.name.starts_with('-').then(|| "--".to_owned());
    let arguments = call.params.iter().map(|value| shell_word(&argument(value)));
    option
        .into_iter()
        .chain(end_of_options)
        .chain([shell_word(call.name)])
        .chain(arguments)
        .collect::<Vec<_>>()
        .join(" ")
}

fn has_more_than_json(value: &Value) -> bool {
    match value {
        Value::DateTime(_) | Value::Base64(_) => true,
        Value::Array(items) => items.iter().any(has_more_than_json),
        Value::Struct(members) => members.iter().any(|(_, value)| has_more_than_json(value)),
        _ => false,
    }
}

/// Writes an argument that `rpcgi call` reads as a value of this type.
fn argument(value: &Value) -> String {
    match value {
        Value::String(text) => {
            let is_more = text.contains(':') || text.starts_with(['-', '{', '[', '"']);
            let is_text = !is_more && serde_json::from_str::<serde_json::Value>(text).is_err();
            if is_text { text.clone() } else { format!("string:{text}") }
        }
        Value::DateTime(date_time) => format!("dateTime.iso8601:{date_time}"),
        Value::Base64(octets) => format!("base64:{}", STANDARD.encode(&octets.0)),
        value => as_json(value),
    }
}
