//! Mistakes in a manifest, told to its author.

use std::ops::Range;

/// A string of a manifest, and where it stands.
pub(super) type SpannedText<'t> = (&'t str, Range<usize>);

/// Something that is wrong, or may be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Mistake {
    pub(crate) severity: Severity,
    /// A text with what was expected and what is there.
    pub(crate) message: String,
    /// The octets it is about; none if it is the file as a whole.
    pub(crate) span: Option<Range<usize>>,
    /// A suggestion that would mend it.
    pub(crate) help: Option<String>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Severity {
    /// The manifest cannot be served.
    Error,
    /// It can be served, but not everywhere, or not for long.
    Warning,
}

impl Mistake {
    /// Returns a mistake in the file as a whole.
    pub(crate) fn of_file(severity: Severity, message: impl Into<String>, help: impl Into<String>) -> Mistake {
        Mistake { severity, message: message.into(), span: None, help: Some(help.into()) }
    }
}

/// The mistakes found so far: all of them are told at once.
#[derive(Debug, Default)]
pub(super) struct Mistakes(pub(super) Vec<Mistake>);

impl Mistakes {
    pub(super) fn add(&mut self, span: &Range<usize>, message: impl Into<String>) {
        let message = message.into();
        self.0.push(Mistake { severity: Severity::Error, message, span: Some(span.clone()), help: None });
    }

    pub(super) fn add_with_help(&mut self, span: &Range<usize>, message: impl Into<String>, help: impl Into<String>) {
        self.add(span, message);
        if let Some(last) = self.0.last_mut() {
            last.help = Some(help.into());
        }
    }

    pub(super) fn warn(&mut self, span: &Range<usize>, message: impl Into<String>) {
        self.add(span, message);
        if let Some(last) = self.0.last_mut() {
            last.severity = Severity::Warning;
        }
    }

    pub(super) fn warn_with_help(&mut self, span: &Range<usize>, message: impl Into<String>, help: impl Into<String>) {
        self.add_with_help(span, message, help);
        if let Some(last) = self.0.last_mut() {
            last.severity = Severity::Warning;
        }
    }

    pub(super) fn are_fatal(&self) -> bool {
        self.0.iter().any(|mistake| mistake.severity == Severity::Error)
    }
}

/// Suggests the known word that is most like an unknown one.
pub(super) fn did_you_mean<'a>(word: &str, known: impl Iterator<Item = &'a str>) -> Option<String> {
    const ALIKE: f64 = 0.75;

    let best = known.map(|known| (strsim::jaro_winkler(word, known), known)).max_by(|a, b| a.0.total_cmp(&b.0));
    best.filter(|(likeness, _)| *likeness >= ALIKE).map(|(_, known)| format!("did you mean `{known}`?"))
}
