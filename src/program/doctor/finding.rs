//! What was found.

use serde_json::{Value as Json, json};

/// How bad something is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Level {
    Ok,
    Warning,
    Broken,
}

impl Level {
    fn name(self) -> &'static str {
        match self {
            Level::Ok => "ok",
            Level::Warning => "warning",
            Level::Broken => "broken",
        }
    }
}

/// Something that was found.
pub(super) struct Finding {
    /// For programs: it stays the same.
    pub(super) id: &'static str,
    pub(super) level: Level,
    pub(super) what: String,
    /// What mends it.
    pub(super) mend: Option<String>,
}

/// All that was found of a service.
pub(super) struct Report {
    url: String,
    pub(super) findings: Vec<Finding>,
}

impl Report {
    pub(super) fn new(url: &str) -> Report {
        Report { url: url.to_owned(), findings: Vec::new() }
    }

    pub(super) fn ok(&mut self, id: &'static str, what: impl Into<String>) {
        self.findings.push(Finding { id, level: Level::Ok, what: what.into(), mend: None });
    }

    pub(super) fn warn(&mut self, id: &'static str, what: impl Into<String>, mend: impl Into<String>) {
        self.findings.push(Finding { id, level: Level::Warning, what: what.into(), mend: Some(mend.into()) });
    }

    pub(super) fn broken(&mut self, id: &'static str, what: impl Into<String>, mend: impl Into<String>) {
        self.findings.push(Finding { id, level: Level::Broken, what: what.into(), mend: Some(mend.into()) });
    }

    pub(super) fn worst(&self) -> Level {
        self.findings.iter().map(|finding| finding.level).max().unwrap_or(Level::Ok)
    }

    /// Returns it for people.
    pub(super) fn human(&self) -> String {
        let mut text = format!("{}\n", self.url);
        for Finding { level, what, mend, .. } in &self.findings {
            text += &format!("{:>8}  {what}\n", level.name());
            for (index, line) in mend.iter().flat_map(|mend| mend.lines()).enumerate() {
                text += &format!("{:>8}  {line}\n", if index == 0 { "→" } else { "" });
            }
        }
        let count = |level| self.findings.iter().filter(|finding| finding.level == level).count();
        let (broken, warnings) = (count(Level::Broken), count(Level::Warning));
        text + &match (broken, warnings) {
            (0, 0) => "All is well.\n".to_owned(),
            (0, warnings) => format!("It works, with {}.\n", counted(warnings, "warning")),
            (broken, _) => format!("It is broken: {}, {}.\n", counted(broken, "fault"), counted(warnings, "warning")),
        }
    }

    /// Returns it for programs.
    pub(super) fn json(&self) -> String {
        let object = |Finding { id, level, what, mend }: &Finding| json!({ "id": id, "level": level.name(), "what": what, "mend": mend });
        format!("{:#}\n", self.findings.iter().map(object).collect::<Json>())
    }
}

fn counted(count: usize, what: &str) -> String {
    if count == 1 { format!("1 {what}") } else { format!("{count} {what}s") }
}
