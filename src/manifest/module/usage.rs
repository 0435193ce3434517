//! Examples in comments: calls of a function with plain values, and a result behind them.
//!
//! One reader for all languages: their literals differ little, and what is no literal in one is none that is read here.

use serde_json::{Map, Value as Json};

use super::description::ExampleDescription;
use super::language::Language;

/// The deepest literal.
const MAX_DEPTH: usize = 32;

/// Takes the examples out of the code of a comment, and returns what is left of it.
pub(super) fn take(language: Language, name: &str, code: &str, found: &mut Vec<ExampleDescription>) -> String {
    let lines: Vec<&str> = code.lines().collect();
    let (before, mut left, mut at) = (found.len(), Vec::new(), 0);
    while let Some(line) = lines.get(at) {
        let example = match language {
            Language::Python => doctest(name, &lines[at..]),
            _ => commented(name, &lines[at..]),
        };
        match example {
            Some((example, length)) => {
                found.push(ExampleDescription { text: lines[at..at + length].join("\n"), ..example });
                at += length;
            }
            None => {
                left.push(*line);
                at += 1;
            }
        }
    }
    // YARD has a title in front, which is for what is gone
    if language == Language::Ruby && found.len() > before && left.len() == 1 {
        left.clear();
    }
    left.join("\n").trim_matches('\n').to_owned()
}

/// Takes the examples out of a help where doctests are blocks of code.
pub(super) fn take_doctests(name: &str, help: &str, found: &mut Vec<ExampleDescription>) -> String {
    const BEGIN: &str = "```python\n>>> ";
    let (mut kept, mut rest) = (String::new(), help);
    while let Some(at) = rest.find(BEGIN) {
        let code = &rest[at + "```python\n".len()..];
        let Some(end) = code.find("\n```") else { break };
        kept.push_str(&rest[..at]);
        let left = take(Language::Python, name, &code[..end], found);
        rest = &code[end + "\n```".len()..];
        match left.is_empty() {
            true => {
                kept.truncate(kept.trim_end().len());
                kept.push_str(if rest.trim().is_empty() { "" } else { "\n\n" });
                rest = rest.trim_start_matches('\n');
            }
            false => kept.push_str(&format!("```python\n{left}\n```")),
        }
    }
    kept.push_str(rest);
    kept.trim().to_owned()
}

/// Reads `>>> add(2, 3)`, and the result in the lines below. Returns the number of lines too.
fn doctest(name: &str, lines: &[&str]) -> Option<(ExampleDescription, usize)> {
    let code = lines[0].strip_prefix(">>> ")?;
    let is_result = |line: &&&str| !line.is_empty() && !line.starts_with(">>>");
    let result: Vec<&str> = lines[1..].iter().take_while(is_result).copied().collect();
    let mut reader = Reader { rest: code };
    let example = reader.call(name)?;
    reader.end()?;
    let length = 1 + result.len();
    let result = if result.is_empty() { None } else { Some(read(&result.join("\n"))?) };
    Some((ExampleDescription { result, ..example }, length))
}

/// Reads `add(2, 3) // 5`, or the comment on the next line.
fn commented(name: &str, lines: &[&str]) -> Option<(ExampleDescription, usize)> {
    let mut reader = Reader { rest: lines[0] };
    let example = reader.call(name)?;
    reader.take(";");
    let (comment, length) = match reader.end() {
        None => (Some(comment_of(reader.rest)?), 1),
        Some(()) => {
            let next = lines.get(1).and_then(|line| comment_of(line));
            let length = if next.is_some() { 2 } else { 1 };
            (next, length)
        }
    };
    let result = match comment {
        Some(comment) => Some(read(comment)?),
        None => None,
    };
    Some((ExampleDescription { result, ..example }, length))
}

/// Returns what a comment at the end of a line says, without the arrow before a result.
fn comment_of(text: &str) -> Option<&str> {
    let text = text.trim();
    let rest = ["//", "--", "#"].iter().find_map(|mark| text.strip_prefix(mark))?.trim_start();
    Some(["=>", "->", ">", "→"].iter().find_map(|arrow| rest.strip_prefix(arrow)).unwrap_or(rest).trim())
}

/// Reads a literal that is all of a text.
fn read(text: &str) -> Option<Json> {
    let mut reader = Reader { rest: text };
    let value = reader.value(0)?;
    reader.end().map(|()| value)
}

/// The rest of a text that is read from its front.
struct Reader<'t> {
    rest: &'t str,
}

impl<'t> Reader<'t> {
    fn take(&mut self, mark: &str) -> bool {
        let rest = self.rest.trim_start().strip_prefix(mark);
        self.rest = rest.unwrap_or(self.rest);
        rest.is_some()
    }

    fn end(&self) -> Option<()> {
        self.rest.trim().is_empty().then_some(())
    }

    fn word(&mut self) -> &'t str {
        let rest = self.rest.trim_start();
        let is_outside = |letter: char| !letter.is_alphanumeric() && letter != '_';
        let (word, rest) = rest.split_at(rest.find(is_outside).unwrap_or(rest.len()));
        self.rest = rest;
        word
    }

    /// Reads a call of a function, whose name may have those of modules before it.
    fn call(&mut self, name: &str) -> Option<ExampleDescription> {
        let (path, rest) = self.rest.trim_start().split_once('(')?;
        let is_part = |letter: char| letter.is_alphanumeric() || "_.:\\$->".contains(letter);
        let last = |path: &'t str| path.rsplit(['.', ':', '\\', '>']).next().unwrap_or_default();
        let own = name.rsplit('.').next().unwrap_or(name);
        if !path.chars().all(is_part) || last(path) != own {
            return None;
        }
        self.rest = rest;
        let mut example = ExampleDescription::default();
        while !self.take(")") {
            match self.name_before(&["=", ":"]) {
                Some(name) => example.named.push((name, self.value(0)?)),
                // what has no name comes first
                None if example.named.is_empty() => example.params.push(self.value(0)?),
                None => return None,
            }
            if !self.take(",") && !self.rest.trim_start().starts_with(')') {
                return None;
            }
        }
        Some(example)
    }

    /// Reads a name, if one of the marks is behind it.
    fn name_before(&mut self, marks: &[&str]) -> Option<String> {
        let mut ahead = Reader { rest: self.rest };
        let word = ahead.word();
        let is_name = word.chars().next().is_some_and(|first| !first.is_ascii_digit());
        let is_marked = is_name && marks.iter().any(|mark| ahead.take(mark));
        // `==`, `::` and the like are something else
        (is_marked && !ahead.rest.starts_with(['=', ':'])).then(|| {
            self.rest = ahead.rest;
            word.to_owned()
        })
    }

    fn value(&mut self, depth: usize) -> Option<Json> {
        self.rest = self.rest.trim_start();
        let first = self.rest.chars().next().filter(|_| depth < MAX_DEPTH)?;
        match first {
            '"' | '\'' => self.string(first).map(Json::from),
            '[' => self.items(']', depth),
            '{' => self.items('}', depth),
            '(' => self.tuple(depth),
            '0'..='9' | '-' | '+' | '.' => self.number(),
            // Ruby's symbols
            ':' => {
                self.take(":");
                Some(self.word()).filter(|word| !word.is_empty()).map(Json::from)
            }
            _ => match self.word() {
                "true" | "True" | "TRUE" => Some(true.into()),
                "false" | "False" | "FALSE" => Some(false.into()),
                "null" | "NULL" | "nil" | "None" | "undefined" => Some(Json::Null),
                _ => None,
            },
        }
    }

    fn string(&mut self, quote: char) -> Option<String> {
        let (mut text, mut letters) = (String::new(), self.rest.char_indices().skip(1));
        while let Some((at, letter)) = letters.next() {
            match letter {
                letter if letter == quote => {
                    self.rest = &self.rest[at + letter.len_utf8()..];
                    // a variable inside, in Ruby and PHP
                    let is_made = text.contains("#{") || quote == '"' && text.contains('$');
                    return (!is_made).then_some(text);
                }
                '\\' => text.push(match letters.next()?.1 {
                    'n' => '\n',
                    't' => '\t',
                    letter @ ('\\' | '\'' | '"' | '/') => letter,
                    _ => return None,
                }),
                letter => text.push(letter),
            }
        }
        None
    }

    fn number(&mut self) -> Option<Json> {
        let is_outside = |letter: char| !letter.is_ascii_alphanumeric() && !"+-._".contains(letter);
        let (digits, rest) = self.rest.split_at(self.rest.find(is_outside).unwrap_or(self.rest.len()));
        self.rest = rest;
        let digits = digits.trim_start_matches('+').replace('_', "");
        let is_zero_first =
            digits.trim_start_matches('-').starts_with('0') && digits.bytes().all(|octet| octet.is_ascii_digit());
        match digits.parse::<i64>() {
            // octal in some languages
            Ok(number) => (!is_zero_first || number == 0).then(|| number.into()),
            Err(_) if digits.bytes().any(|octet| b".eE".contains(&octet)) => {
                let number = digits.parse::<f64>().ok().filter(|number| number.is_finite())?;
                Some(number.into())
            }
            Err(_) => None,
        }
    }

    /// Reads an array or an object: each language has its own marks for them, and for what stands behind a name.
    fn items(&mut self, close: char, depth: usize) -> Option<Json> {
        self.rest = &self.rest[1..];
        let close = close.to_string();
        let (mut items, mut members) = (Vec::new(), Map::new());
        while !self.take(&close) {
            match self.name_before(&[":", "=>", "="]) {
                Some(name) => _ = members.insert(name, self.value(depth + 1)?),
                None => {
                    let value = self.value(depth + 1)?;
                    match self.take("=>") || self.take(":") {
                        true => _ = members.insert(value.as_str()?.to_owned(), self.value(depth + 1)?),
                        false => items.push(value),
                    }
                }
            }
            if !self.take(",") && !self.rest.trim_start().starts_with(&close) {
                return None;
            }
        }
        match (items.is_empty(), members.is_empty()) {
            (false, false) => None,
            (true, false) => Some(members.into()),
            (true, true) if close == "}" => Some(members.into()),
            (_, true) => Some(items.into()),
        }
    }

    /// Reads a tuple of Python's, or a value in parentheses.
    fn tuple(&mut self, depth: usize) -> Option<Json> {
        self.rest = &self.rest[1..];
        let (mut items, mut is_tuple) = (Vec::new(), true);
        while !self.take(")") {
            items.push(self.value(depth + 1)?);
            is_tuple = self.take(",");
            if !is_tuple && !self.rest.trim_start().starts_with(')') {
                return None;
            }
        }
        match &items[..] {
            [only] if !is_tuple => Some(only.clone()),
            _ => Some(items.into()),
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn literals() {
        for (text, value) in [
            ("5", json!(5)),
            ("-1_000", json!(-1000)),
            ("2.50", json!(2.5)),
            ("1e3", json!(1000.0)),
            ("'it\\'s'", json!("it's")),
            ("\"a\\n\"", json!("a\n")),
            ("True", json!(true)),
            ("nil", json!(null)),
            (":red", json!("red")),
            ("(1, 2)", json!([1, 2])),
            ("(1,)", json!([1])),
            ("(1)", json!(1)),
            ("()", json!([])),
            ("[1, [2], ]", json!([1, [2]])),
            ("{'a': 1, \"b\": [None]}", json!({ "a": 1, "b": [null] })),
            ("{a: 1, b: 'x'}", json!({ "a": 1, "b": "x" })),
            ("['a' => 1, 'b' => ['c' => 2]]", json!({ "a": 1, "b": { "c": 2 } })),
            ("{ :a => 1 }", json!({ "a": 1 })),
            ("{a = 1}", json!({ "a": 1 })),
            ("{1, 2}", json!([1, 2])),
            ("{}", json!({})),
        ] {
            assert_eq!(read(text), Some(value), "{text}");
        }
        let deep = "[".repeat(1000);
        for text in [
            "x", "f()", "1 + 2", "b'x'", "'open", "[1", "0x1F", "012", "\"$a\"", "\"#{a}\"", "{1: 2}", "1..2", "",
            &deep,
        ] {
            assert_eq!(read(text), None, "{text}");
        }
    }

    /// Returns the examples in some code, and what is left of it.
    fn taken(language: Language, code: &str) -> (Json, String) {
        let mut found = Vec::new();
        let left = take(language, "add", code, &mut found);
        let found = found.into_iter().map(|example| json!([example.params, example.named, example.result]));
        (found.collect(), left)
    }

    #[test]
    fn calls() {
        for (language, code, expected, left) in [
            (Language::JavaScript, "add(2, 3) // 5", json!([[[2, 3], [], 5]]), ""),
            (Language::JavaScript, "add(2, 3); // => 5", json!([[[2, 3], [], 5]]), ""),
            (Language::JavaScript, "add(2, 3)\n// 5\nadd(1)", json!([[[2, 3], [], 5], [[1], [], null]]), ""),
            (
                Language::JavaScript,
                "const x = 5\nsums.add(1, 2)\nadd(x, 2)",
                json!([[[1, 2], [], null]]),
                "const x = 5\nadd(x, 2)",
            ),
            (Language::JavaScript, "add(2, 3) // adds them", json!([]), "add(2, 3) // adds them"),
            (Language::JavaScript, "add(2)(3)\nadd(2, 3).x\nadded(2)", json!([]), "add(2)(3)\nadd(2, 3).x\nadded(2)"),
            (Language::Php, "add(a: 2, b: 3) // 5", json!([[[], [["a", 2], ["b", 3]], 5]]), ""),
            (Language::Php, "$sums->add(2, 3); // 5", json!([[[2, 3], [], 5]]), ""),
            (Language::Ruby, "Two numbers\nadd(2, 3) #=> 5", json!([[[2, 3], [], 5]]), ""),
            (Language::Ruby, "Two numbers\nadd 2, 3", json!([]), "Two numbers\nadd 2, 3"),
            (Language::Lua, "sums.add(2, 3) --> 5", json!([[[2, 3], [], 5]]), ""),
            (
                Language::Python,
                ">>> add(2, b=3)\n5\n>>> add(1, 2)",
                json!([[[2], [["b", 3]], 5], [[1, 2], [], null]]),
                "",
            ),
            (Language::Python, ">>> add(2,\n...     3)\n5", json!([]), ">>> add(2,\n...     3)\n5"),
            (
                Language::Python,
                ">>> add('x')\nTraceback (most recent call last):",
                json!([]),
                ">>> add('x')\nTraceback (most recent call last):",
            ),
        ] {
            assert_eq!(taken(language, code), (expected, left.to_owned()), "{code}");
        }
    }

    #[test]
    fn doctests_in_help() {
        let mut found = Vec::new();
        let help = "Adds.\n\n```python\n>>> add(2, 3)\n5\n```\n\nMore.\n\n```python\n>>> x = 1\n>>> add(1, 1)\n2\n```";
        assert_eq!(take_doctests("add", help, &mut found), "Adds.\n\nMore.\n\n```python\n>>> x = 1\n```");
        assert_eq!(
            found.iter().map(|example| &*example.text).collect::<Vec<_>>(),
            [">>> add(2, 3)\n5", ">>> add(1, 1)\n2"]
        );
        assert_eq!(take_doctests("add", "```python\n>>> add(1, 1)\n```", &mut found), "");
    }
}
