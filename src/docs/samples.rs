//! Samples: calls of a method from a dozen languages, as programs that run unchanged, and what they are answered.
//!
//! A template in the folder `samples` is the program, in which `{{call}}` stands for the call and `{{url}}` for the URL
//! of the service. Lines that begin with `{{bearer}}` are for services that ask for a token, those with `{{basic}}` for
//! others that ask for a name and a password, `{{auth}}` for both, `{{open}}` for those that ask for nothing. A language that comes with XML-RPC or JSON writes the params in its own
//! way.

mod literals;
mod xml;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;

pub(super) use self::literals::iso;
use self::literals::{
    JSON, PERL, PHP, PYTHON, RUBY, RUST, doubled_quotes, go_text, java_text, json_string, rust_string, shell_word,
    single_quoted,
};
pub(super) use self::xml::indented as indented_xml;
use super::Credentials;
use crate::description::{Dialect, Written};
use crate::wire::value::Value;

/// The URL in samples if the service's own is not known.
const ANYWHERE: &str = "https://example.org/cgi-bin/service";

/// A call or an answer in each protocol; empty for one that is not spoken.
struct Documents {
    xml: String,
    json: Value,
    json_text: String,
}

impl Documents {
    fn write(dialects: &[&'static Dialect], write: impl Fn(&Dialect) -> Written) -> Documents {
        let mut documents = Documents { xml: String::new(), json: Value::Nil, json_text: String::new() };
        for dialect in dialects {
            match write(dialect) {
                Written::Text(text) if dialect.name == XML_RPC => documents.xml = indented_xml(&text),
                Written::Json(json) if dialect.name == JSON_RPC => {
                    // behind `-d` and a quote
                    documents.json_text = JSON.behind(6, &json);
                    documents.json = json;
                }
                _ => {}
            }
        }
        documents
    }
}

/// A call, to be written in any language.
pub(super) struct SampleCall<'a> {
    name: &'a str,
    params: &'a [Value],
    documents: Documents,
}

impl<'a> SampleCall<'a> {
    pub(super) fn new(name: &'a str, params: &'a [Value], dialects: &[&'static Dialect]) -> SampleCall<'a> {
        let documents = Documents::write(dialects, |dialect| (dialect.write_call)(name, params));
        SampleCall { name, params, documents }
    }
}

/// Writes a call as the document of a protocol.
pub(super) fn as_text(dialect: &Dialect, name: &str, params: &[Value]) -> String {
    match (dialect.write_call)(name, params) {
        Written::Text(text) => indented_xml(&text),
        Written::Json(json) => as_json(&json),
    }
}

/// Writes the command that sends a document.
pub(super) fn curl(url: Option<&str>, document: &str) -> String {
    let media_type = if document.trim_start().starts_with('<') { "text/xml" } else { "application/json" };
    let url = shell_word(url.unwrap_or(ANYWHERE));
    format!("curl {url} -H 'Content-Type: {media_type}' -o answer \\\n  -d {}", shell_word(document))
}

/// Writes a value as JSON.
pub(super) fn as_json(value: &Value) -> String {
    JSON.written(value, 0)
}

/// The protocols of the samples, by their names in the table.
const XML_RPC: &str = "xml-rpc";
const JSON_RPC: &str = "json-rpc";

/// The part of an answer that a sample shows: the document of its protocol, or the result alone.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Shows {
    Xml,
    Json,
    Result,
}

impl Shows {
    /// The class of the samples that show it, and of what they show.
    fn class(self) -> &'static str {
        match self {
            Shows::Xml => "x",
            Shows::Json => "j",
            Shows::Result => "r",
        }
    }
}

/// A language: its template, and its way to write URL and call.
struct Language {
    name: &'static str,
    /// The protocol of the sample, which is left out where the service does not speak it.
    protocol: &'static str,
    shows: Shows,
    template: &'static str,
    url: fn(&str) -> String,
    call: fn(&SampleCall<'_>) -> String,
}

static LANGUAGES: [Language; 12] = [
    Language {
        name: "curl",
        protocol: JSON_RPC,
        shows: Shows::Json,
        template: include_str!("samples/curl-json.sh"),
        url: shell_word,
        call: |call| shell_word(&call.documents.json_text),
    },
    Language {
        name: "curl, XML",
        protocol: XML_RPC,
        shows: Shows::Xml,
        template: include_str!("samples/curl.sh"),
        url: shell_word,
        call: |call| shell_word(&call.documents.xml),
    },
    Language {
        name: "Python",
        protocol: XML_RPC,
        shows: Shows::Result,
        template: include_str!("samples/python.py"),
        url: json_string,
        call: python_call,
    },
    Language {
        name: "PHP",
        protocol: JSON_RPC,
        shows: Shows::Json,
        template: include_str!("samples/php.php"),
        url: single_quoted,
        call: |call| PHP.written(&call.documents.json, 0),
    },
    Language {
        name: "Perl",
        protocol: JSON_RPC,
        shows: Shows::Json,
        template: include_str!("samples/perl.pl"),
        url: single_quoted,
        call: |call| PERL.written(&call.documents.json, 0),
    },
    Language {
        name: "Ruby",
        protocol: JSON_RPC,
        shows: Shows::Json,
        template: include_str!("samples/ruby.rb"),
        url: single_quoted,
        call: |call| RUBY.written(&call.documents.json, 0),
    },
    Language {
        name: "JavaScript",
        protocol: JSON_RPC,
        shows: Shows::Json,
        template: include_str!("samples/javascript.mjs"),
        url: json_string,
        call: |call| JSON.written(&call.documents.json, 2),
    },
    Language {
        name: "Go",
        protocol: JSON_RPC,
        shows: Shows::Json,
        template: include_str!("samples/go.go"),
        url: json_string,
        call: |call| go_text(&call.documents.json_text),
    },
    Language {
        name: "Java",
        protocol: JSON_RPC,
        shows: Shows::Json,
        template: include_str!("samples/java.java"),
        url: json_string,
        call: |call| java_text(&JSON.written(&call.documents.json, 12)),
    },
    Language {
        name: "Rust",
        protocol: JSON_RPC,
        shows: Shows::Json,
        template: include_str!("samples/rust.rs"),
        url: rust_string,
        call: |call| RUST.written(&call.documents.json, 4),
    },
    Language {
        name: "PowerShell",
        protocol: JSON_RPC,
        shows: Shows::Json,
        template: include_str!("samples/powershell.ps1"),
        url: doubled_quotes,
        call: |call| doubled_quotes(&call.documents.json_text),
    },
    Language {
        name: "rpcgi",
        protocol: XML_RPC,
        shows: Shows::Result,
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
    /// Prepares samples that call a service at a URL, with credentials if it asks for any.
    pub(super) fn new(url: Option<&str>, dialects: &[&'static Dialect], credentials: Option<Credentials>) -> Samples {
        let is_spoken = |language: &&Language| dialects.iter().any(|dialect| dialect.name == language.protocol);
        let prepared = |language: &'static Language| {
            let url = (language.url)(url.unwrap_or(ANYWHERE));
            let part = |part: &str| {
                let mut escaped = String::new();
                push_escaped(&part.replace("{{url}}", &url), &mut escaped);
                escaped
            };
            let template = with_credentials(language.template, credentials);
            Prepared { language, parts: template.trim_end().split("{{call}}").map(part).collect() }
        };
        Samples(LANGUAGES.iter().filter(is_spoken).map(prepared).collect())
    }

    /// Writes the samples of one call, of which the first is open, and below them what is answered.
    pub(super) fn write(&self, call: &SampleCall<'_>, answer: Option<&SampleAnswer>, page: &mut String) {
        *page += "<div class=\"tabs\">";
        for (index, prepared) in self.0.iter().enumerate() {
            *page += "<details class=";
            *page += prepared.language.shows.class();
            *page += if index == 0 { " open><summary>" } else { "><summary>" };
            *page += prepared.language.name;
            *page += "</summary><pre>";
            prepared.write(call, page);
            *page += "</pre></details>";
        }
        *page += "</div>";
        if let (Some(answer), false) = (answer, self.0.is_empty()) {
            answer.write(page);
        }
    }

    /// Writes the first sample of one call alone, and what is answered to it.
    pub(super) fn write_first(&self, call: &SampleCall<'_>, answer: Option<&SampleAnswer>, page: &mut String) {
        let Some(first) = self.0.first() else { return };
        *page += "<pre tabindex=\"0\">";
        first.write(call, page);
        *page += "</pre>";
        if let Some(answer) = answer {
            *page += ANSWER;
            answer.write_as(first.language.shows, "", page);
        }
    }
}

const ANSWER: &str = "<p class=answer>Answer</p>";

impl Prepared {
    fn write(&self, call: &SampleCall<'_>, page: &mut String) {
        let written = (self.language.call)(call);
        for (index, part) in self.parts.iter().enumerate() {
            if index > 0 {
                push_escaped(&written, page);
            }
            *page += part;
        }
    }
}

/// The answer to a call, in each way that a sample shows it.
pub(super) struct SampleAnswer {
    documents: Documents,
    result: String,
}

impl SampleAnswer {
    pub(super) fn new(result: &Value, dialects: &[&'static Dialect]) -> SampleAnswer {
        let documents = Documents::write(dialects, |dialect| (dialect.write_answer)(result));
        SampleAnswer { documents, result: as_json(result) }
    }

    /// Writes all of them; the style shows the one of the sample that is open.
    fn write(&self, page: &mut String) {
        *page += ANSWER;
        for shows in [Shows::Json, Shows::Xml, Shows::Result] {
            self.write_as(shows, shows.class(), page);
        }
    }

    fn write_as(&self, shows: Shows, class: &str, page: &mut String) {
        let text = match shows {
            Shows::Xml => &self.documents.xml,
            Shows::Json => &self.documents.json_text,
            Shows::Result => &self.result,
        };
        if text.is_empty() {
            return;
        }
        *page += "<pre";
        if !class.is_empty() {
            *page += " class=";
            *page += class;
        }
        *page += ">";
        push_escaped(text, page);
        *page += "</pre>";
    }
}

/// Leaves those lines of a template that are for these credentials, and for any.
fn with_credentials(template: &str, credentials: Option<Credentials>) -> String {
    let login = match credentials {
        None => "",
        Some(Credentials::Bearer) => "--header \"Authorization: Bearer $TOKEN\" \\\n  ",
        Some(Credentials::Basic) => "--user \"$LOGIN\" ",
    };
    let marks = [
        ("{{auth}}", credentials.is_some()),
        ("{{open}}", credentials.is_none()),
        ("{{bearer}}", credentials == Some(Credentials::Bearer)),
        ("{{basic}}", credentials == Some(Credentials::Basic)),
    ];
    let kept = template.split_inclusive('\n').filter_map(|line| {
        let marked = marks.iter().find_map(|(mark, is_kept)| line.strip_prefix(mark).map(|line| (line, *is_kept)));
        let (line, is_kept) = marked.unwrap_or((line, true));
        is_kept.then_some(line)
    });
    kept.collect::<String>().replace("{{login}}", login)
}

/// Appends text between tags, where quotes need no escape: programs have many.
pub(super) fn push_escaped(text: &str, page: &mut String) {
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

/// Writes a call as `server.wheel.spin(3)`, or by `getattr` if the name is not one of Python's.
fn python_call(call: &SampleCall<'_>) -> String {
    let function = match call.name.split('.').all(is_python_name) {
        true => format!("server.{}", call.name),
        false => format!("getattr(server, {})", json_string(call.name)),
    };
    let arguments = PYTHON.arguments(call.params, "print(".len() + function.chars().count() + 2, 0);
    format!("{function}({arguments})")
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
    let words = option.into_iter().chain(end_of_options).chain([shell_word(call.name)]).chain(arguments);
    in_lines(words)
}

/// Joins words of a command line; a line that would be too long goes on in the next.
fn in_lines(words: impl Iterator<Item = String>) -> String {
    const WIDTH: usize = 64;
    let mut line = String::new();
    let mut column = 0;
    for word in words {
        if column > 0 {
            let goes_on = column + word.chars().count() < WIDTH;
            line += if goes_on { " " } else { " \\\n  " };
            column = if goes_on { column + 1 } else { 2 };
        }
        column += word.chars().count();
        line += &word;
    }
    line
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
        value => JSON.in_one_line(value),
    }
}
