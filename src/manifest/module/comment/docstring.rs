//! Docstrings of Python: fields of reST, sections as Google and NumPy have them.

use super::types::{self, Names, Notation};
use super::{Told, ToldParam, dedented};
use crate::manifest::module::description::TypeDescription;

/// What the lines of a section are about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Section {
    Params,
    Returns,
    Raises,
    /// Members of a class, which are told elsewhere.
    Attributes,
}

/// Reads a docstring.
pub(super) fn read(text: &str) -> Told {
    let lines = clean(text);
    let mut told = Told::default();
    let mut help: Vec<String> = Vec::new();
    let mut at = 0;
    while let Some(line) = lines.get(at) {
        let next = lines.get(at + 1).map(String::as_str).unwrap_or_default();
        if let Some(section) = section_of(line.trim()).filter(|_| is_underline(next)) {
            let end = end_of_numpy(&lines, at + 2);
            numpy(section, &lines[at + 2..end], &mut told);
            at = end;
        } else if let Some(section) = google_section(&lines, at) {
            let end = end_of_block(&lines, at + 1, 0);
            google(section, &lines[at + 1..end], &mut told);
            at = end;
        } else if let Some((field, argument, rest)) = field(line) {
            let end = end_of_block(&lines, at + 1, 0);
            add_field(field, argument, &joined(rest, &lines[at + 1..end]), &mut told);
            at = end;
        } else if let Some((directive, rest)) = line.strip_prefix(".. ").and_then(|line| line.split_once("::")) {
            let end = end_of_block(&lines, at + 1, 0);
            let body = joined("", &lines[at + 1..end]);
            match directive {
                "deprecated" => told.deprecated = Some(body),
                "versionadded" => told.since = Some(rest.trim().to_owned()),
                _ => help.extend(lines[at..end].iter().cloned()),
            }
            at = end;
        } else {
            help.push(line.clone());
            at += 1;
        }
    }
    told.help = markdown(&help);
    told
}

/// Returns the lines without the indentation that only the place of the docstring has (PEP 257).
fn clean(text: &str) -> Vec<String> {
    let text = text.replace('\t', "        ");
    let mut lines = text.lines();
    let first = lines.next().unwrap_or_default().trim().to_owned();
    let rest: Vec<&str> = lines.collect();
    let mut cleaned = vec![first];
    cleaned.extend(dedented(&rest));
    cleaned
}

fn section_of(title: &str) -> Option<Section> {
    match title {
        "Args" | "Arguments" | "Parameters" | "Params" | "Keyword Args" | "Keyword Arguments" | "Other Parameters" => {
            Some(Section::Params)
        }
        "Return" | "Returns" | "Yields" => Some(Section::Returns),
        "Raises" | "Exceptions" => Some(Section::Raises),
        "Attributes" => Some(Section::Attributes),
        _ => None,
    }
}

fn is_underline(line: &str) -> bool {
    line.trim().len() >= 3 && line.trim().bytes().all(|octet| octet == b'-')
}

/// Returns the section that begins at a line in Google's way: with a colon, and what follows is indented.
fn google_section(lines: &[String], at: usize) -> Option<Section> {
    let section = lines.get(at)?.strip_suffix(':').and_then(section_of)?;
    let follows = lines.iter().skip(at + 1).find(|line| !line.is_empty())?;
    follows.starts_with(' ').then_some(section)
}

/// Returns the end of lines that are indented by more than `depth`, or blank.
fn end_of_block(lines: &[String], start: usize, depth: usize) -> usize {
    let is_outside = |line: &&String| !line.is_empty() && indent(line) <= depth;
    let length = lines.iter().skip(start).take_while(|line| !is_outside(line)).count();
    // blank lines at the end belong to what follows
    let blank = lines[start..start + length].iter().rev().take_while(|line| line.is_empty()).count();
    start + length - blank.min(length)
}

/// Returns the end of a section of NumPy's: where the next begins.
fn end_of_numpy(lines: &[String], start: usize) -> usize {
    let start = start.min(lines.len());
    let is_next = |at: &usize| lines.get(at + 1).is_some_and(|line| is_underline(line)) && !lines[*at].is_empty();
    (start..lines.len()).find(is_next).unwrap_or(lines.len())
}

fn indent(line: &str) -> usize {
    line.len() - line.trim_start().len()
}

/// Returns the parts of a field of reST: `:param int x: text`.
fn field(line: &str) -> Option<(&str, &str, &str)> {
    let (head, rest) = line.strip_prefix(':')?.split_once(':')?;
    let (name, argument) = head.split_once(' ').unwrap_or((head, ""));
    let is_field = [
        "param",
        "parameter",
        "arg",
        "argument",
        "key",
        "keyword",
        "type",
        "return",
        "returns",
        "rtype",
        "raise",
        "raises",
        "except",
        "exception",
        "yield",
        "yields",
    ];
    is_field.contains(&name).then_some((name, argument.trim(), rest.trim()))
}

fn add_field(name: &str, argument: &str, text: &str, told: &mut Told) {
    match name {
        "type" => param(argument, told).of = read_type(text),
        "return" | "returns" | "yield" | "yields" => told.returns.help = text.to_owned(),
        "rtype" => told.returns.of = read_type(text),
        "raise" | "raises" | "except" | "exception" => told.raises.push((argument.to_owned(), text.to_owned())),
        _ => {
            let (written, name) = argument.rsplit_once(' ').unwrap_or(("", argument));
            let of = read_type(written);
            let param = param(name, told);
            param.help = text.to_owned();
            param.of = of.or(param.of.take());
        }
    }
}

/// Returns what is told of a param so far.
fn param<'t>(name: &str, told: &'t mut Told) -> &'t mut ToldParam {
    let name = name.trim_start_matches(['*', '\\']).to_owned();
    let known = told.params.iter().position(|param| param.name == name);
    let at = known.unwrap_or_else(|| {
        told.params.push(ToldParam { name, ..ToldParam::default() });
        told.params.len() - 1
    });
    &mut told.params[at]
}

fn read_type(text: &str) -> Option<TypeDescription> {
    let text = text.trim().trim_end_matches('.');
    let words = text.split(", ").filter(|word| *word != "optional" && !word.starts_with("default"));
    types::read(Notation::Python, &words.collect::<Vec<_>>().join(", "), &Names::new())
}

/// Reads the items of a section of Google's: `name (type): help`, continued by what is indented more.
fn google(section: Section, lines: &[String], told: &mut Told) {
    let lines: Vec<&str> = lines.iter().map(String::as_str).collect();
    let lines = dedented(&lines);
    if section == Section::Returns {
        let text = joined("", &lines);
        let (written, rest) = text.split_once(": ").unwrap_or(("", &text));
        match read_type(written) {
            Some(of) if !written.contains(' ') || written.contains('[') => {
                (told.returns.of, told.returns.help) = (Some(of), rest.to_owned());
            }
            _ => told.returns.help = text,
        }
        return;
    }
    for (head, body) in items_of(&lines) {
        let (name, rest) = split_at_colon(&head);
        let text = joined(rest, &body);
        let (name, written) =
            name.split_once(" (").map_or((name, ""), |(name, rest)| (name, rest.trim_end_matches(')')));
        match section {
            Section::Params => {
                let param = param(name.trim(), told);
                (param.help, param.of) = (text, read_type(written));
            }
            Section::Raises => told.raises.push((name.trim().to_owned(), text)),
            Section::Returns | Section::Attributes => {}
        }
    }
}

/// Reads the items of a section of NumPy's: `name : type`, and the help indented below.
fn numpy(section: Section, lines: &[String], told: &mut Told) {
    for (head, body) in items_of(lines) {
        let (names, written) = head.split_once(':').unwrap_or((&head, ""));
        let text = joined("", &body);
        match section {
            Section::Params => {
                for name in names.split(',') {
                    let param = param(name.trim(), told);
                    (param.help, param.of) = (text.clone(), read_type(written));
                }
            }
            Section::Returns => {
                let written = if written.is_empty() { names } else { written };
                (told.returns.of, told.returns.help) = (read_type(written), text);
            }
            Section::Raises => told.raises.push((names.trim().to_owned(), text)),
            Section::Attributes => {}
        }
    }
}

/// Returns lines that are not indented, each with those below it that are.
fn items_of(lines: &[String]) -> Vec<(String, Vec<String>)> {
    let mut items: Vec<(String, Vec<String>)> = Vec::new();
    for line in lines {
        match items.last_mut() {
            Some((_, body)) if line.is_empty() || line.starts_with(' ') => body.push(line.clone()),
            _ if line.trim().is_empty() => {}
            _ => items.push((line.clone(), Vec::new())),
        }
    }
    items
}

/// Splits at the first colon outside of brackets.
fn split_at_colon(text: &str) -> (&str, &str) {
    let mut depth = 0;
    for (at, letter) in text.char_indices() {
        match letter {
            '(' | '[' => depth += 1,
            ')' | ']' => depth -= 1,
            ':' if depth == 0 => return (&text[..at], text[at + 1..].trim()),
            _ => {}
        }
    }
    (text, "")
}

/// Joins a text with the lines that continue it.
fn joined(first: &str, rest: &[String]) -> String {
    let rest: Vec<&str> = rest.iter().map(String::as_str).collect();
    let mut lines = vec![first.trim().to_owned()];
    lines.extend(dedented(&rest));
    markdown(&lines)
}

/// Makes Markdown of lines: examples of the interpreter's become code.
fn markdown(lines: &[String]) -> String {
    let mut text = String::new();
    let mut is_code = false;
    for line in lines {
        let begins = line.starts_with(">>> ");
        if begins && !is_code {
            text.push_str("```python\n");
        } else if is_code && line.is_empty() {
            text.push_str("```\n");
        }
        is_code = begins || is_code && !line.is_empty();
        match is_code || line.trim_start().starts_with("```") {
            true => text.push_str(line),
            // reST writes code between two
            false => text.push_str(&line.replace("``", "`")),
        }
        text.push('\n');
    }
    if is_code {
        text.push_str("```\n");
    }
    text.trim().to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn params(told: &Told) -> Vec<(&str, &str, Option<&str>)> {
        told.params.iter().map(|param| (&*param.name, &*param.help, param.of.as_ref().map(|of| &*of.name))).collect()
    }

    #[test]
    fn three_forms() {
        let rest =
            "Adds.\n\n    :param int a: one\n        more\n    :param b: two\n    :type b: float\n    :returns: it\n";
        let google = "Adds.\n\n    Args:\n        a (int): one\n            more\n        b (float, optional): two\n\n    \
                      Returns:\n        int: it\n";
        let numpy = "Adds.\n\n    Parameters\n    ----------\n    a : int\n        one\n        more\n    b : float, optional\n        \
                     two\n\n    Returns\n    -------\n    int\n        it\n";
        for text in [rest, google, numpy] {
            let told = read(text);
            assert_eq!(told.help, "Adds.", "{text}");
            assert_eq!(params(&told), [("a", "one\nmore", Some("integer")), ("b", "two", Some("double"))], "{text}");
            assert_eq!(told.returns.help, "it", "{text}");
        }
    }

    #[test]
    fn what_follows_a_section_is_help() {
        let told = read("Adds.\n\nArgs:\n    a: one\n\nMore, with ``code``.\n\nRaises:\n    KeyError: none\n");
        assert_eq!(told.help, "Adds.\n\n\nMore, with `code`.");
        assert_eq!(told.raises, [("KeyError".to_owned(), "none".to_owned())]);
        assert_eq!(read("").help, "");
        assert_eq!(read("Args:").help, "Args:");
    }
}
