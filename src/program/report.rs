//! Reports of mistakes: for people with their lines, for programs as JSON, for a log in one line.

use std::ops::Range;
use std::path::Path;

use annotate_snippets::{AnnotationKind, Level, Renderer, Snippet};
use serde_json::{Value as Json, json};

use crate::manifest::{Mistake, Severity};
use crate::wire::Position;

/// The format of a report.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub(super) enum ReportFormat {
    /// With the lines they stand in
    Human,
    /// An array of objects
    Json,
}

/// Formats mistakes for people, each with its line.
pub(super) fn human(path: &Path, text: &str, mistakes: &[Mistake], in_colour: bool) -> String {
    let renderer =
        if in_colour && std::env::var_os("NO_COLOR").is_none() { Renderer::styled() } else { Renderer::plain() };
    let path = path.display().to_string();
    let render = |mistake: &Mistake| {
        let level = match mistake.severity {
            Severity::Error => Level::ERROR,
            Severity::Warning => Level::WARNING,
        };
        let title = match mistake.span {
            Some(_) => mistake.message.clone(),
            None => format!("{path}: {}", mistake.message),
        };
        let mut group = level.primary_title(title).elements([] as [annotate_snippets::Element<'_>; 0]);
        if let Some(span) = &mistake.span {
            let annotation = AnnotationKind::Primary.span(shown(text, span));
            group = group.element(Snippet::source(text).path(&*path).annotation(annotation));
        }
        if let Some(help) = &mistake.help {
            group = group.element(Level::HELP.message(help.clone()));
        }
        renderer.render(&[group])
    };
    mistakes.iter().map(render).collect::<Vec<_>>().join("\n\n")
}

/// Cuts a span to the text, at whole characters.
fn shown(text: &str, span: &Range<usize>) -> Range<usize> {
    let whole = |at: usize| (0..=at.min(text.len())).rev().find(|at| text.is_char_boundary(*at)).unwrap_or_default();
    let start = whole(span.start);
    start..whole(span.end).max(start)
}

/// Formats mistakes for programs, as JSON objects.
pub(super) fn json(path: &Path, text: &str, mistakes: &[Mistake]) -> Vec<Json> {
    let object = |mistake: &Mistake| {
        let start = mistake.span.as_ref().map(|span| Position::of(text.as_bytes(), span.start));
        let end = mistake.span.as_ref().map(|span| Position::of(text.as_bytes(), span.end));
        json!({
            "file": path.display().to_string(),
            "severity": severity(mistake),
            "message": mistake.message,
            "help": mistake.help,
            "line": start.map(|start| start.line),
            "column": start.map(|start| start.column),
            "end_line": end.map(|end| end.line),
            "end_column": end.map(|end| end.column),
            "source": start.and_then(|start| text.lines().nth(start.line - 1)),
        })
    };
    mistakes.iter().map(object).collect()
}

fn severity(mistake: &Mistake) -> &'static str {
    match mistake.severity {
        Severity::Error => "error",
        Severity::Warning => "warning",
    }
}

/// Formats mistakes for a log: the first error, and the number of others.
pub(super) fn one_line(path: &Path, text: &str, mistakes: &[Mistake]) -> String {
    let errors = || mistakes.iter().filter(|mistake| mistake.severity == Severity::Error);
    let Some(first) = errors().next() else { return of_file(path, "it is no manifest") };
    let path = path.display();
    let place = match &first.span {
        Some(span) => {
            let Position { line, column } = Position::of(text.as_bytes(), span.start);
            format!("{path}:{line}:{column}")
        }
        None => path.to_string(),
    };
    let more = match errors().count() {
        1 => String::new(),
        count => format!(" (and {} more: rpcgi check {path})", count - 1),
    };
    format!("{place}: {}{more}", first.message)
}

/// Formats a problem of a file as a whole.
pub(super) fn of_file(path: &Path, problem: &str) -> String {
    format!("{}: {problem}", path.display())
}
