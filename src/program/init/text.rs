//! The text of a manifest, of what is known of a service.

use std::fmt::Write as _;

use serde_json::Value as Json;

/// What is known of a service.
#[derive(Debug, Default)]
pub(super) struct ServiceText {
    pub(super) title: String,
    /// Markdown.
    pub(super) documentation: String,
    pub(super) version: Option<String>,
    /// The module that has the methods, as the manifest names it.
    pub(super) module: Option<String>,
    /// In order.
    pub(super) methods: Vec<MethodText>,
}

/// What is known of a method.
#[derive(Debug, Default)]
pub(super) struct MethodText {
    pub(super) name: String,
    pub(super) title: String,
    /// Markdown, without the title.
    pub(super) help: String,
    pub(super) params: Vec<ParamText>,
    /// `None` for anything.
    pub(super) returns: Option<TypeText>,
    /// Several ways to call it, by the names of types, that of the result first.
    pub(super) signatures: Vec<Vec<String>>,
    pub(super) faults: Vec<(i64, String)>,
    /// Tables of examples, with params and maybe a result.
    pub(super) examples: Vec<ExampleText>,
    pub(super) is_deprecated: bool,
    pub(super) is_unsafe: bool,
    /// What is to be known when it is filled in, as comments.
    pub(super) notes: Vec<String>,
}

/// A call that makes sense. There is no null in it, which TOML does not have.
#[derive(Debug)]
pub(super) struct ExampleText {
    /// An array, or an object of them by their names.
    pub(super) params: Json,
    pub(super) result: Option<Json>,
}

/// What is known of a param.
#[derive(Debug)]
pub(super) struct ParamText {
    pub(super) name: String,
    pub(super) of: TypeText,
    pub(super) is_optional: bool,
    /// A scalar.
    pub(super) default: Option<Json>,
}

/// A type by its name in manifests, with what more is known of it.
#[derive(Debug, Default)]
pub(super) struct TypeText {
    pub(super) name: String,
    pub(super) help: String,
    pub(super) or_nil: bool,
    /// Keys whose values are scalars, or arrays of them.
    pub(super) keys: Vec<(&'static str, Json)>,
    pub(super) items: Option<Box<TypeText>>,
    pub(super) values: Option<Box<TypeText>>,
    /// Names, types, and whether they may be missing.
    pub(super) members: Vec<(String, TypeText, bool)>,
}

impl TypeText {
    pub(super) fn named(name: &str) -> TypeText {
        TypeText { name: name.to_owned(), ..TypeText::default() }
    }

    /// Tests whether its name says all.
    fn is_bare(&self) -> bool {
        let TypeText { name: _, help, or_nil, keys, items, values, members } = self;
        help.is_empty() && !or_nil && keys.is_empty() && items.is_none() && values.is_none() && members.is_empty()
    }

    /// Returns it as it stands in a manifest: its name, or a table.
    fn written(&self) -> String {
        match self.is_bare() {
            true => string(&self.name),
            false => format!("{{ {} }}", self.pairs().join(", ")),
        }
    }

    /// Returns the pairs of its table.
    fn pairs(&self) -> Vec<String> {
        let mut pairs = vec![format!("type = {}", string(&self.name))];
        if !self.help.is_empty() {
            pairs.push(format!("help = {}", string(&self.help)));
        }
        if self.or_nil {
            pairs.push("nil = true".into());
        }
        pairs.extend(self.keys.iter().map(|(key, written)| format!("{key} = {}", value(written))));
        pairs.extend(self.items.iter().map(|items| format!("items = {}", items.written())));
        pairs.extend(self.values.iter().map(|values| format!("values = {}", values.written())));
        if !self.members.is_empty() {
            let member = |(name, of, is_optional): &(String, TypeText, bool)| match is_optional {
                false => format!("{} = {}", key(name), of.written()),
                true => {
                    let pairs = of.pairs();
                    format!("{} = {{ {}, optional = true }}", key(name), pairs.join(", "))
                }
            };
            let members: Vec<String> = self.members.iter().map(member).collect();
            pairs.push(format!("members = {{ {} }}", members.join(", ")));
        }
        pairs
    }
}

/// Returns the text of a manifest, without its first line.
pub(super) fn of(service: &ServiceText) -> String {
    let mut text = format!("title = {}\n", string(&service.title));
    if let Some(version) = &service.version {
        text += &format!("version = {}\n", string(version));
    }
    if !service.documentation.is_empty() {
        text += &format!("documentation = {}\n", string(&service.documentation));
    }
    if let Some(module) = &service.module {
        text += &format!("module = {}\n", string(module));
    }
    for method in &service.methods {
        text.push('\n');
        text += &of_method(method, service.module.is_some());
    }
    text
}

fn of_method(method: &MethodText, is_function: bool) -> String {
    let mut text = format!("[method.{}]\n", key(&method.name));
    // a String takes all that is written
    let mut line = |name: &str, value: String| _ = writeln!(text, "{name} = {value}");
    if !method.title.is_empty() {
        line("title", string(&method.title));
    }
    if !method.help.is_empty() {
        line("help", string(&method.help));
    }
    if !method.params.is_empty() {
        line("params", of_params(&method.params));
    }
    match (&method.returns, method.signatures.is_empty()) {
        (_, false) => {
            let types = |types: &Vec<String>| {
                format!("[{}]", types.iter().map(|name| string(name)).collect::<Vec<_>>().join(", "))
            };
            line("signatures", format!("[{}]", method.signatures.iter().map(types).collect::<Vec<_>>().join(", ")));
        }
        (Some(returns), true) => line("returns", returns.written()),
        (None, true) if !is_function => line("returns", string("any")),
        (None, true) => {}
    }
    if !method.faults.is_empty() {
        let faults = method.faults.iter().map(|(code, text)| format!("{} = {}", key(&code.to_string()), string(text)));
        line("faults", format!("{{ {} }}", faults.collect::<Vec<_>>().join(", ")));
    }
    if !method.examples.is_empty() {
        line("examples", of_examples(&method.examples));
    }
    if method.is_deprecated {
        line("deprecated", "true".into());
    }
    if method.is_unsafe {
        line("unsafe", "true".into());
    }
    for note in &method.notes {
        text += &format!("# {}\n", note.replace(char::is_control, " "));
    }
    if !is_function {
        text += "run = [\"false\"]  # to be filled in: the program, and {param} for each param\n";
    }
    text
}

fn of_params(params: &[ParamText]) -> String {
    let param = |ParamText { name, of, is_optional, default }: &ParamText| {
        let mut pairs = vec![format!("name = {}", string(name))];
        pairs.extend(of.pairs());
        match default {
            Some(default) => pairs.push(format!("default = {}", value(default))),
            None if *is_optional => pairs.push("optional = true".into()),
            None => {}
        }
        format!("    {{ {} }},\n", pairs.join(", "))
    };
    format!("[\n{}]", params.iter().map(param).collect::<String>())
}

/// The beginning of the line of an example, which no other line has.
const EXAMPLE: &str = "    { params = ";

fn of_examples(examples: &[ExampleText]) -> String {
    let example = |ExampleText { params, result }: &ExampleText| {
        let result = result.iter().map(|result| format!(", result = {}", value(result)));
        format!("{EXAMPLE}{}{} }},\n", value(params), result.collect::<String>())
    };
    format!("[\n{}]", examples.iter().map(example).collect::<String>())
}

/// Takes away the examples in whose lines there are mistakes, by their places; `None` if there are others.
pub(super) fn without_examples(text: &str, mistakes: &[usize]) -> Option<String> {
    let (mut kept, mut at, mut left) = (String::new(), 0, mistakes.len());
    for line in text.split_inclusive('\n') {
        let inside = mistakes.iter().filter(|place| (at..at + line.len()).contains(place)).count();
        at += line.len();
        match inside > 0 && line.starts_with(EXAMPLE) {
            true => left -= inside,
            false => kept.push_str(line),
        }
    }
    (left == 0).then(|| kept.replace("examples = [\n]\n", ""))
}

/// Returns a key, in quotes where it needs them.
fn key(name: &str) -> String {
    let is_bare = |octet: u8| octet.is_ascii_alphanumeric() || b"_-".contains(&octet);
    if !name.is_empty() && name.bytes().all(is_bare) { name.to_owned() } else { string_on_one_line(name) }
}

/// Returns a text as a string of TOML, over several lines if it has them.
fn string(text: &str) -> String {
    if !text.trim_end().contains('\n') {
        return string_on_one_line(text);
    }
    let mut out = String::from("\"\"\"\n");
    let mut quotes = 0;
    for character in text.chars() {
        quotes = if character == '"' { quotes + 1 } else { 0 };
        match character {
            '\n' => out.push('\n'),
            '"' if quotes < 3 => out.push('"'),
            '"' => {
                out.push_str("\\\"");
                quotes = 0;
            }
            character => push_escaped(character, &mut out),
        }
    }
    // quotes at the end would belong to those behind them
    if text.ends_with('"') {
        out.push_str("\\\n");
    }
    out + "\"\"\""
}

fn string_on_one_line(text: &str) -> String {
    let mut out = String::from("\"");
    for character in text.chars() {
        match character {
            '"' => out.push_str("\\\""),
            '\n' => out.push_str("\\n"),
            character => push_escaped(character, &mut out),
        }
    }
    out + "\""
}

fn push_escaped(character: char, out: &mut String) {
    match character {
        '\\' => out.push_str("\\\\"),
        '\t' => out.push_str("\\t"),
        '\r' => out.push_str("\\r"),
        character if character.is_control() => *out += &format!("\\u{:04X}", u32::from(character)),
        character => out.push(character),
    }
}

/// Returns a value as TOML has it, on one line.
fn value(json: &Json) -> String {
    match json {
        Json::String(text) => string_on_one_line(text),
        Json::Array(items) => format!("[{}]", items.iter().map(value).collect::<Vec<_>>().join(", ")),
        Json::Object(members) if members.is_empty() => "{}".into(),
        Json::Object(members) => {
            let members = members.iter().map(|(name, member)| format!("{} = {}", key(name), value(member)));
            format!("{{ {} }}", members.collect::<Vec<_>>().join(", "))
        }
        // numbers and booleans are the same in both
        other => other.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_text_is_read_as_it_was() {
        for text in [
            "",
            "plain",
            "a \"quoted\" word",
            "two\nlines",
            "\n\nbegins and ends\n\n",
            "back\\slash\nand \\n",
            "\"\"\"\nthree\"\"\"\"",
            "ends\nin \"",
            "tab\tand\u{0}\u{1b}\u{7f}\u{85}\ncontrol\r\n",
            "ü€😀\n",
        ] {
            let document = format!("a = {}", string(text));
            let table = toml::de::DeTable::parse(&document).unwrap_or_else(|error| panic!("{error} in {document}"));
            let read = table.get_ref().get("a").and_then(|value| value.get_ref().as_str().map(str::to_owned));
            assert_eq!(read.as_deref(), Some(text), "{document}");
        }
    }

    #[test]
    fn examples_with_mistakes_are_taken_away() {
        let example = |params: Json| ExampleText { params, result: Some(serde_json::json!({ "a b": [1.0, {}] })) };
        let method = MethodText {
            name: "m".into(),
            examples: vec![example(serde_json::json!([1, "x\n"])), example(serde_json::json!({ "a": true }))],
            ..MethodText::default()
        };
        let text = of_method(&method, true);
        let lines = [
            "    { params = [1, \"x\\n\"], result = { \"a b\" = [1.0, {}] } },\n",
            "    { params = { a = true }, result = { \"a b\" = [1.0, {}] } },\n",
        ];
        assert_eq!(text, format!("[method.m]\nexamples = [\n{}{}]\n", lines[0], lines[1]));
        let places = lines.map(|line| text.find(line).unwrap() + 5);
        let kept = without_examples(&text, &places[..1]).unwrap();
        assert_eq!(kept, format!("[method.m]\nexamples = [\n{}]\n", lines[1]));
        assert_eq!(without_examples(&text, &places).unwrap(), "[method.m]\n");
        assert_eq!(without_examples(&text, &[0, places[0]]), None);
    }

    #[test]
    fn keys_are_quoted_where_they_must_be() {
        assert_eq!(["a", "a-b_1", "a.b", "", "ü"].map(key), ["a", "a-b_1", "\"a.b\"", "\"\"", "\"ü\""]);
    }
}
