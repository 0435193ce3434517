//! The description as Markdown, for people with a text editor and programs that read as people do.

use std::fmt::Write;

use super::Page;
use crate::description::{Constraint, Description, Detail, Named, Shape, Signature};

pub(super) fn render(page: &Page<'_>) -> String {
    let mut text = format!("# {}\n", one_line(&page.facts.name));
    paragraph(&mut text, &page.facts.documentation);
    if let Some(url) = &page.visit.url {
        paragraph(&mut text, &format!("Call these methods by {}: `POST {}`", page.facts.protocols(" or "), code(url)));
    }
    for (url, name) in page.others() {
        let _ = write!(text, "\nOther methods: {} at <{}>\n", one_line(name), code(&url));
    }
    page.methods.iter().for_each(|described| method(&mut text, described));
    text
}

fn method(text: &mut String, method: &Description) {
    let _ = write!(text, "\n## `{}`\n", code(&method.name));
    if !method.signatures.is_empty() {
        text.push('\n');
    }
    for signature in &method.signatures {
        let _ = writeln!(text, "* `{}`", code(&written(method, signature)));
    }
    if let Some(instead) = &method.deprecated {
        paragraph(text, &format!("**Deprecated.** {instead}"));
    }
    if let Some(version) = &method.since {
        paragraph(text, &format!("Since version {}.", one_line(version)));
    }
    if method.is_unsafe {
        paragraph(text, "It changes something.");
    }
    paragraph(text, &method.help);
    method.details.iter().for_each(|described| detail(text, described));
    if !method.faults.is_empty() {
        text.push_str("\n| fault | meaning |\n|---|---|\n");
        for (code, meaning) in &method.faults {
            let _ = writeln!(text, "| {code} | {} |", cell(meaning));
        }
    }
}

fn written(method: &Description, signature: &Signature) -> String {
    let params: Vec<&str> = signature.params.iter().map(|wire| wire.in_words()).collect();
    format!("{} {}({})", signature.returns.in_words(), method.name, params.join(", "))
}

fn detail(text: &mut String, detail: &Detail) {
    if !detail.params.is_empty() {
        text.push_str("\n| param | type | meaning |\n|---|---|---|\n");
        for param in &detail.params {
            row(text, &param.name, param.optional, &param.help, &param.shape);
        }
    }
    let returns = &detail.returns;
    let is_plain = returns.members.is_empty() && returns.items.is_none() && returns.places.is_empty();
    if !(returns.help.is_empty() && is_plain) {
        text.push_str("\n| result | type | meaning |\n|---|---|---|\n");
        row(text, "", false, &returns.help, returns);
    }
}

/// Writes a row for a value, and one for each member inside it.
fn row(text: &mut String, name: &str, optional: bool, help: &str, shape: &Shape) {
    let left_out = if optional { ", may be left out" } else { "" };
    let own = if help == shape.help { "" } else { &shape.help[..] };
    let parts = [help.to_owned(), own.to_owned(), constraints(shape)];
    let meaning: Vec<String> = parts.into_iter().filter(|part| !part.is_empty()).map(|part| cell(&part)).collect();
    let shown = if name.is_empty() { String::new() } else { format!("`{}`", code(name)) };
    let _ = writeln!(text, "| {shown} | {}{left_out} | {} |", type_of(shape), meaning.join("; "));
    let inner = [shape].into_iter().chain(shape.items.as_deref()).chain(&shape.places);
    for Named { name: member, help, optional, shape } in inner.flat_map(|inner| &*inner.members) {
        row(text, &format!("{name}.{member}"), *optional, help, shape);
    }
}

fn type_of(shape: &Shape) -> String {
    format!("{}{}", shape.type_name(), if shape.nullable { " or nil" } else { "" })
}

fn constraints(shape: &Shape) -> String {
    let listed = (!shape.values.is_empty()).then(|| format!("one of {}", shape.values.join(", ")));
    let constraint = |constraint: &Constraint| match constraint {
        Constraint::Minimum(value) => format!("at least {value}"),
        Constraint::Maximum(value) => format!("at most {value}"),
        Constraint::MaxLength(value) => format!("at most {value} characters"),
        Constraint::Pattern(value) => format!("matching `{}`", code(value)),
        Constraint::Default(value) => format!("{value} if left out"),
    };
    listed.into_iter().chain(shape.constraints.iter().map(constraint)).collect::<Vec<_>>().join(", ")
}

fn paragraph(text: &mut String, paragraph: &str) {
    let paragraph = paragraph.trim();
    if !paragraph.is_empty() {
        let _ = write!(text, "\n{paragraph}\n");
    }
}

/// Makes text fit between backticks.
fn code(text: &str) -> String {
    one_line(text).replace('`', "'")
}

fn one_line(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// Makes text fit into a table.
fn cell(text: &str) -> String {
    one_line(text).replace('|', "\\|")
}
