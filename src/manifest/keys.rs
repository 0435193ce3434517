//! The keys of a manifest: the purpose of each, and the form of its value.
//!
//! The only description of them: manifests are checked against it, and the JSON Schema for editors is made of it.

use std::time::Duration;

use serde_json::{Map, Value as Json, json};
use toml::Spanned;
use toml::de::{DeTable, DeValue};

use super::mistake::{Mistakes, did_you_mean};

/// A key of a table.
pub(super) struct Key {
    pub(super) name: &'static str,
    about: &'static str,
    kind: Kind,
}

/// The form of a value.
pub(super) enum Kind {
    Text,
    Flag,
    /// A whole number, at least this and at most that.
    Count(i64, i64),
    /// Any number.
    Number,
    /// A duration.
    Seconds,
    /// A string, number or boolean.
    Scalar,
    /// One of these words.
    Word(&'static [&'static str]),
    List(&'static Kind),
    /// A table of these keys; a function, because types may be inside types.
    Table(fn() -> &'static [Key]),
    /// A table whose keys are names of the author's choice.
    Named(&'static Kind),
    Either(&'static [Kind]),
}

/// The most workers of a kind, and programs at once.
pub(super) const MOST_WORKERS: i64 = 1000;
pub(super) const MOST_PROGRAMS: i64 = 10_000;

/// The largest count: more than any author means.
const LARGEST: i64 = 1 << 40;

/// The names of types.
pub(super) const TYPES: &[&str] = &[
    "int",
    "i4",
    "i8",
    "boolean",
    "string",
    "double",
    "dateTime.iso8601",
    "base64",
    "struct",
    "array",
    "nil",
    "any",
    "undefined",
];

/// Names of the types in other languages, with ours.
const ELSEWHERE: &[(&[&str], &str)] = &[
    (&["integer", "number", "int32", "short"], "int"),
    (&["long", "int64", "bigint"], "i8"),
    (&["bool", "flag"], "boolean"),
    (&["str", "text", "varchar"], "string"),
    (&["float", "real", "decimal", "float64"], "double"),
    (&["date", "datetime", "time", "timestamp"], "dateTime.iso8601"),
    (&["bytes", "binary", "blob", "file"], "base64"),
    (&["object", "dict", "map", "hash", "table", "record"], "struct"),
    (&["list", "tuple", "set", "sequence"], "array"),
    (&["null", "none", "void", "unit"], "nil"),
    (&["anything", "mixed", "value", "variant"], "any"),
];

const fn key(name: &'static str, kind: Kind, about: &'static str) -> Key {
    Key { name, about, kind }
}

/// The top-level keys of a manifest.
pub(super) static MANIFEST: &[Key] = &[
    key("title", Kind::Text, "The title of the page, for the browser's tab: the name unless set"),
    key("name", Kind::Text, "The name of the service, which heads its page: the title unless set"),
    key("version", Kind::Text, "The version of the service, which its OpenRPC document names"),
    key("documentation", Kind::Text, "The text at the head of the page, in Markdown"),
    key("paths", Kind::List(&Kind::Text), "Answers at these paths of the URL only, and 404 elsewhere"),
    key("url", Kind::Text, "The service's URL as callers see it, if requests do not tell: https://api.example"),
    key(
        "trusted_proxies",
        Kind::List(&Kind::Text),
        "Addresses and networks of proxies that may name the client they ask for: 127.0.0.1, 10.0.0.0/8",
    ),
    key(
        "forwarded",
        Kind::Word(&["x-forwarded", "rfc7239"]),
        "The headers in which they name it: `x-forwarded` (X-Forwarded-For, -Proto, -Host and -Prefix) unless set, or `rfc7239` (Forwarded)",
    ),
    key(
        "log",
        Kind::Either(&[Kind::Text, Kind::Table(|| LOG)]),
        "The file that the log goes to, beside standard error; a relative path begins at the manifest's folder. Or a table with `file` and `format`",
    ),
    key("log_calls", Kind::Flag, "Whether the log has a line for every call"),
    key("tell_errors", Kind::Flag, TELL_ERRORS),
    key(
        "docs",
        Kind::Either(&[ACCESS, Kind::Table(|| DOCS)]),
        "Whether there is a page, or a table that configures it",
    ),
    key("limits", Kind::Table(|| LIMITS), "Limits for each request, and for all of them together"),
    key("cors", Kind::Table(|| CORS), "Which pages of other sites may make calls from a browser"),
    key("method", Kind::Named(&Kind::Table(|| METHOD)), "The methods, by their names"),
    key("worker", Kind::Named(&Kind::Table(|| WORKER)), "Programs that keep running, by their names"),
];

const TELL_ERRORS: &str = "Whether callers see error texts: the last line of standard error if `faults` does not name the exit status, and the text of a worker's internal error; false unless set";

/// The choices for access to the page.
const ACCESS: Kind = Kind::Word(&["public", "off"]);

static DOCS: &[Key] = &[
    key("access", ACCESS, "Who sees the page: `public` unless set; where it is `off`, GET is answered by 405"),
    key(
        "try",
        Kind::Word(&["off", "same-origin", "on"]),
        "Whether methods can be tried on the page: `off`; `same-origin`, if the browser says that the form is from this page; `on`, also if it says nothing. Unless set, only requests from the machine itself can try them",
    ),
    key(
        "assets",
        Kind::Word(&["inline", "linked"]),
        "Where style and script are: `inline` unless set; `linked` for sites with a Content-Security-Policy of their own",
    ),
    key("logo", Kind::Text, "A picture for the head of the page, as a data URI: data:image/png;base64,..."),
    key("accent", Kind::Text, "The colour of links, such as #1a5fb4; it must be readable on white"),
    key("contact", Kind::Text, "Where to ask for help, in Markdown"),
    key("authentication", Kind::Text, "How callers log in, in Markdown"),
    key("noindex", Kind::Flag, "Whether search engines are asked to leave the page out: false unless set"),
    key("footer", Kind::Flag, "Whether the page ends with a line that says what made it: true unless set"),
];

static LOG: &[Key] = &[
    key("file", Kind::Text, "The file that the log goes to, beside standard error"),
    key(
        "format",
        Kind::Word(&["text", "json"]),
        "The format of a line: `text` (TIME LEVEL ID TEXT) unless set, or `json` (an object)",
    ),
];

static LIMITS: &[Key] = &[
    key("body", Kind::Count(1, LARGEST), "Octets of a request body, before and after decompression: 16 MiB unless set"),
    key("depth", Kind::Count(1, LARGEST), "Arrays and structs inside one another: 64 unless set"),
    key("members", Kind::Count(1, LARGEST), "Array items and struct members in one document: 500000 unless set"),
    key("calls", Kind::Count(1, LARGEST), "Calls in one system.multicall or batch: 100 unless set"),
    key("response", Kind::Count(1, LARGEST), "Octets of a response, before compression: 64 MiB unless set"),
    key(
        "memory",
        Kind::Count(1, LARGEST),
        "Octets that all calls may take up together, by FastCGI and `serve`: 256 MiB unless set; a document counts seven times its length",
    ),
    key("params", Kind::Count(1, LARGEST), "FastCGI: octets of the meta-variables of a request: 256 KiB unless set"),
    key("connections", Kind::Count(1, LARGEST), "FastCGI: connections open at once: 1000 unless set"),
    key(
        "threads",
        Kind::Count(1, LARGEST),
        "FastCGI: calls at once, with those that wait: enough for `programs` and `queue` unless set",
    ),
    key("stall", Kind::Seconds, "FastCGI: seconds a connection may stop in the middle of a request: 60 unless set"),
    key("stop", Kind::Seconds, "FastCGI: seconds to wait for methods that run when told to end: 30 unless set"),
    key("programs", Kind::Count(1, MOST_PROGRAMS), "Programs that run at once, not counting workers: 8 unless set"),
    key("queue", Kind::Count(0, 100_000), "Calls that wait for a program or worker, at most: 100 unless set"),
    key("wait", Kind::Seconds, "Seconds that a call waits for a program, a worker or memory: 10 unless set"),
    key("timeout", Kind::Seconds, "Seconds that a call may take, if its method sets no timeout: 30 unless set"),
    key("output", Kind::Count(1, LARGEST), "Octets that a program may write for one call: 16 MiB unless set"),
];

static CORS: &[Key] =
    &[key("origins", Kind::List(&Kind::Text), "Origins as https://app.example; `*` lets all pages make calls")];

static METHOD: &[Key] = &[
    key("title", Kind::Text, "What it does, in one line: the first paragraph of the help unless set"),
    key("help", Kind::Text, "What it does, in Markdown"),
    key("params", Kind::List(&Kind::Table(|| PARAM)), "What it takes, in order"),
    key("returns", TYPE, "What it gives: a type, or a table that describes it; nil unless set"),
    key(
        "faults",
        Kind::Named(&Kind::Text),
        "What a fault means, by its code: the exit status of the program, or the code of the worker's error",
    ),
    key(
        "run",
        Kind::List(&Kind::Text),
        "The program and its words; `{param}` stands for a param. No shell is involved",
    ),
    key(
        "success",
        Kind::List(&Kind::Count(0, 255)),
        "The exit statuses with which the program gives a result: [0] unless set",
    ),
    key("stdin", Kind::Text, "What the program reads: \"{param}\", the octets of one param, or \"json\", all of them"),
    key(
        "output",
        Kind::Word(&["text", "lines", "json", "base64"]),
        "How the result is read from what the program writes: as `text`, one scalar, for a scalar; as octets (`base64`) for base64; as `json` for the rest, unless set. `lines` is an array",
    ),
    key("worker", Kind::Text, "The worker that answers, instead of `run`"),
    key("timeout", Kind::Seconds, "Seconds that a call may take"),
    key("tell_errors", Kind::Flag, TELL_ERRORS),
    key("env", Kind::Named(&Kind::Text), "More environment variables for the program"),
    key(
        "encoding",
        Kind::Text,
        "The encoding of the text that it reads and writes, as \"iso-8859-15\": UTF-8 unless set",
    ),
    key("hidden", Kind::Flag, "Whether it is left out of the page and of listings"),
    key("since", Kind::Text, "The version of the service that had it first"),
    key("unsafe", Kind::Flag, "Whether it changes something: where methods can be tried, the page asks first"),
    key(
        "deprecated",
        Kind::Either(&[Kind::Flag, Kind::Text]),
        "Whether callers should stop using it, or what to call instead, in Markdown",
    ),
];

static WORKER: &[Key] = &[
    key("run", Kind::List(&Kind::Text), "The program and its words"),
    key("count", Kind::Count(1, MOST_WORKERS), "How many of them run at once, at most: one unless set"),
    key("env", Kind::Named(&Kind::Text), "More environment variables for the program"),
    key(
        "encoding",
        Kind::Text,
        "The encoding of the text that it reads and writes, as \"iso-8859-15\": UTF-8 unless set",
    ),
];

/// A type by its name, or described.
const TYPE: Kind = Kind::Either(&[Kind::Word(TYPES), Kind::Table(|| DESCRIBED)]);

/// The keys that describe a type.
static DESCRIBED: &[Key] = &[TYPE_NAME, HELP, EXAMPLE, CHOICES, PATTERN, MINIMUM, MAXIMUM, MAX_LENGTH, MEMBERS, ITEMS];

static PARAM: &[Key] = &[
    key("name", Kind::Text, "The name: letters, digits and underscores"),
    TYPE_NAME,
    HELP,
    key("optional", Kind::Flag, "Whether it may be left out, or nil"),
    key("default", Kind::Scalar, "The value it has when it is left out"),
    EXAMPLE,
    CHOICES,
    PATTERN,
    MINIMUM,
    MAXIMUM,
    MAX_LENGTH,
    MEMBERS,
    ITEMS,
    key(
        "leading_dash",
        Kind::Flag,
        "Whether its value may begin with `-` at the start of a word of `run`, without a `--` before it",
    ),
];

static MEMBER: &[Key] = &[
    TYPE_NAME,
    HELP,
    key("optional", Kind::Flag, "Whether it may be left out, or nil"),
    EXAMPLE,
    CHOICES,
    PATTERN,
    MINIMUM,
    MAXIMUM,
    MAX_LENGTH,
    MEMBERS,
    ITEMS,
];

const TYPE_NAME: Key = key("type", Kind::Word(TYPES), "The type, by its name in XML-RPC");
const HELP: Key = key("help", Kind::Text, "What it means, in Markdown");
const EXAMPLE: Key = key("example", Kind::Scalar, "A realistic value, for the samples on the page");
const CHOICES: Key = key("choices", Kind::List(&Kind::Scalar), "The values it may have: strings or numbers");
const PATTERN: Key = key("pattern", Kind::Text, "A regular expression that a string has to match somewhere");
const MINIMUM: Key = key("minimum", Kind::Number, "The least a number may be");
const MAXIMUM: Key = key("maximum", Kind::Number, "The most a number may be");
const MAX_LENGTH: Key = key("max_length", Kind::Count(0, LARGEST), "How many characters a string may have");
const MEMBERS: Key = key("members", Kind::Named(&MEMBER_TYPE), "The members of a struct, by their names");
const ITEMS: Key = key("items", TYPE, "What the items of an array are");
const MEMBER_TYPE: Kind = Kind::Either(&[Kind::Word(TYPES), Kind::Table(|| MEMBER)]);

/// Checks a value against its kind, and notes every mistake in it.
pub(super) fn check(value: &Spanned<DeValue<'_>>, kind: &Kind, mistakes: &mut Mistakes) {
    let span = value.span();
    if !kind.takes(value.get_ref()) {
        let message = format!("expected {}, found {}", kind.expected(), found(value.get_ref()));
        return match (kind, value.get_ref()) {
            (Kind::Table(keys), DeValue::String(name)) if keys().as_ptr() == PARAM.as_ptr() => {
                let help = format!("{{ name = \"{}\", type = \"string\" }}", name.escape_debug());
                mistakes.add_with_help(&span, message, help)
            }
            (Kind::List(_), DeValue::String(_)) => {
                mistakes.add_with_help(&span, message, "in brackets: [\"a\", \"b\"]")
            }
            _ => mistakes.add(&span, message),
        };
    }
    match (kind, value.get_ref()) {
        (Kind::Count(least, most), DeValue::Integer(_)) => match integer(value) {
            Some(number) if (*least..=*most).contains(&number) => {}
            _ => mistakes.add(&span, format!("expected a whole number from {least} to {most}")),
        },
        (Kind::Number, _) if !number(value).is_some_and(f64::is_finite) => {
            mistakes.add(&span, "expected a number of 64 bits");
        }
        (Kind::Seconds, _) if seconds(value).is_none() => {
            mistakes.add(&span, "expected a number of seconds, more than 0 and at most a year");
        }
        (Kind::Word(words), DeValue::String(word)) if !words.contains(&&**word) => {
            let expected = format!("expected one of {}, found \"{word}\"", listed(words));
            let known_elsewhere = ELSEWHERE.iter().find(|(names, _)| names.contains(&&*word.to_lowercase()));
            let known_elsewhere = known_elsewhere.map(|(_, name)| *name).filter(|name| words.contains(name));
            let help = known_elsewhere.map(|name| format!("did you mean `{name}`?"));
            match help.or_else(|| did_you_mean(word, words.iter().copied())) {
                Some(help) => mistakes.add_with_help(&span, expected, help),
                None => mistakes.add(&span, expected),
            }
        }
        (Kind::List(items), DeValue::Array(values)) => values.iter().for_each(|value| check(value, items, mistakes)),
        (Kind::Table(keys), DeValue::Table(table)) => check_table(table, keys(), mistakes),
        (Kind::Named(kind), DeValue::Table(table)) => {
            table.iter().for_each(|(_, value)| check(value, kind, mistakes));
        }
        (Kind::Either(kinds), found) => {
            if let Some(kind) = kinds.iter().find(|kind| kind.takes(found)) {
                check(value, kind, mistakes);
            }
        }
        _ => {}
    }
}

/// Checks a table whose keys are known.
pub(super) fn check_table(table: &DeTable<'_>, keys: &'static [Key], mistakes: &mut Mistakes) {
    for (name, value) in table {
        match keys.iter().find(|key| *key.name == **name.get_ref()) {
            Some(key) => check(value, &key.kind, mistakes),
            None => unknown(name, value, keys, mistakes),
        }
    }
}

fn unknown(
    name: &Spanned<impl AsRef<str>>,
    value: &Spanned<DeValue<'_>>,
    keys: &'static [Key],
    mistakes: &mut Mistakes,
) {
    let word = name.get_ref().as_ref();
    if keys.as_ptr() == METHOD.as_ptr() && value.get_ref().is_table() {
        let help = format!("a name with dots is quoted: [method.\"...{word}\"]");
        return mistakes.add_with_help(&name.span(), format!("there is no table `{word}` in a method"), help);
    }
    let names: Vec<&str> = keys.iter().map(|key| key.name).collect();
    let help = did_you_mean(word, names.iter().copied());
    let help = help.unwrap_or_else(|| format!("known here: {}", names.join(", ")));
    mistakes.add_with_help(&name.span(), format!("there is no key `{word}` here"), help);
}

impl Kind {
    /// Tests whether a value may be of this kind, by its type alone.
    fn takes(&self, value: &DeValue<'_>) -> bool {
        match self {
            Kind::Text | Kind::Word(_) => matches!(value, DeValue::String(_)),
            Kind::Flag => matches!(value, DeValue::Boolean(_)),
            Kind::Count(..) => matches!(value, DeValue::Integer(_)),
            Kind::Number | Kind::Seconds => matches!(value, DeValue::Integer(_) | DeValue::Float(_)),
            Kind::Scalar => !matches!(value, DeValue::Array(_) | DeValue::Table(_)),
            Kind::List(_) => matches!(value, DeValue::Array(_)),
            Kind::Table(_) | Kind::Named(_) => matches!(value, DeValue::Table(_)),
            Kind::Either(kinds) => kinds.iter().any(|kind| kind.takes(value)),
        }
    }

    fn expected(&self) -> String {
        match self {
            Kind::Text => "a string".into(),
            Kind::Flag => "true or false".into(),
            Kind::Count(..) => "a whole number".into(),
            Kind::Number => "a number".into(),
            Kind::Seconds => "a number of seconds".into(),
            Kind::Scalar => "a string, a number, true or false".into(),
            Kind::Word(words) => format!("one of {}", listed(words)),
            Kind::List(_) => "an array".into(),
            Kind::Table(_) | Kind::Named(_) => "a table".into(),
            Kind::Either(kinds) => kinds.iter().map(Kind::expected).collect::<Vec<_>>().join(", or "),
        }
    }

    /// Returns the JSON Schema of the values that it takes.
    fn schema(&self) -> Json {
        match self {
            Kind::Text => json!({ "type": "string" }),
            Kind::Flag => json!({ "type": "boolean" }),
            Kind::Count(least, most) => json!({ "type": "integer", "minimum": least, "maximum": most }),
            Kind::Number => json!({ "type": "number" }),
            Kind::Seconds => json!({ "type": "number", "exclusiveMinimum": 0, "maximum": YEAR }),
            Kind::Scalar => json!({ "type": ["string", "number", "boolean"] }),
            Kind::Word(words) => json!({ "enum": words }),
            Kind::List(items) => json!({ "type": "array", "items": items.schema() }),
            // the one table that can be inside itself
            Kind::Table(keys) if keys().as_ptr() == DESCRIBED.as_ptr() => json!({ "$ref": "#/$defs/type" }),
            Kind::Table(keys) if keys().as_ptr() == MEMBER.as_ptr() => json!({ "$ref": "#/$defs/member" }),
            Kind::Table(keys) => table_schema(keys()),
            Kind::Named(kind) => json!({ "type": "object", "additionalProperties": kind.schema() }),
            Kind::Either(kinds) => json!({ "anyOf": kinds.iter().map(Kind::schema).collect::<Vec<_>>() }),
        }
    }
}

/// Returns all keys, for people: by their tables, each with the form of its value and its purpose.
pub(crate) fn reference() -> impl Iterator<Item = (&'static str, &'static str, String, &'static str)> {
    let tables = [
        ("", MANIFEST),
        ("[docs]", DOCS),
        ("[log]", LOG),
        ("[limits]", LIMITS),
        ("[cors]", CORS),
        ("[method.\"NAME\"]", METHOD),
        ("A param, and what a method returns", PARAM),
        ("[worker.NAME]", WORKER),
    ];
    tables
        .into_iter()
        .flat_map(|(table, keys)| keys.iter().map(move |key| (table, key.name, key.kind.expected(), key.about)))
}

/// Returns the JSON Schema of a manifest.
pub(crate) fn schema() -> Json {
    let mut schema = table_schema(MANIFEST);
    schema["$schema"] = "https://json-schema.org/draft/2020-12/schema".into();
    schema["title"] = "A manifest of rpcgi".into();
    schema["required"] = json!(["method"]);
    schema["$defs"] = json!({ "type": table_schema(DESCRIBED), "member": table_schema(MEMBER) });
    schema
}

fn table_schema(keys: &'static [Key]) -> Json {
    let property = |key: &Key| {
        let mut schema = key.kind.schema();
        schema["description"] = key.about.into();
        (key.name.to_owned(), schema)
    };
    let properties: Map<String, Json> = keys.iter().map(property).collect();
    json!({ "type": "object", "properties": properties, "additionalProperties": false })
}

/// Returns the type of a value, in words.
fn found(value: &DeValue<'_>) -> &'static str {
    match value {
        DeValue::String(_) => "a string",
        DeValue::Integer(_) => "an integer",
        DeValue::Float(_) => "a float",
        DeValue::Boolean(_) => "a boolean",
        DeValue::Datetime(_) => "a date",
        DeValue::Array(_) => "an array",
        DeValue::Table(_) => "a table",
    }
}

fn listed(words: &[&str]) -> String {
    words.iter().map(|word| format!("\"{word}\"")).collect::<Vec<_>>().join(", ")
}

/// Seconds in a year: longer than any author means.
const YEAR: f64 = 31_536_000.0;

/// Reads an integer that fits 64 bits.
pub(super) fn integer(value: &Spanned<DeValue<'_>>) -> Option<i64> {
    let number = value.get_ref().as_integer()?;
    i64::from_str_radix(number.as_str(), number.radix()).ok()
}

/// Reads any number, as a double.
pub(super) fn number(value: &Spanned<DeValue<'_>>) -> Option<f64> {
    match value.get_ref() {
        DeValue::Float(number) => number.as_str().parse().ok(),
        _ => integer(value).map(|number| number as f64),
    }
}

/// Reads a duration in seconds.
pub(super) fn seconds(value: &Spanned<DeValue<'_>>) -> Option<Duration> {
    number(value).filter(|seconds| *seconds > 0.0 && *seconds <= YEAR).map(Duration::from_secs_f64)
}
