//! The languages of modules: how their files are called, what runs them, and the harness of each.

use std::path::Path;

/// The language of a module.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::manifest) enum Language {
    Python,
    Php,
    JavaScript,
    Ruby,
    Perl,
    Lua,
}

/// A row of the table of languages.
struct Row {
    language: Language,
    name: &'static str,
    extensions: &'static [&'static str],
    /// What runs it, the first that is there; also the beginnings of what a first line names.
    interpreters: &'static [&'static str],
    harness: &'static str,
    /// How a call is written in which a param is left out before others.
    gaps: Gaps,
}

/// How a call is written in which a param is left out before others.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Gaps {
    /// The others go by name.
    Named,
    /// It is marked as absent.
    Absent,
    /// It is nil.
    Nil,
    /// The language has no way.
    Refused,
}

static LANGUAGES: &[Row] = &[
    Row {
        language: Language::Python,
        name: "Python",
        extensions: &["py"],
        interpreters: &["python3", "python"],
        harness: include_str!("harness/python.py"),
        gaps: Gaps::Named,
    },
    Row {
        language: Language::Php,
        name: "PHP",
        extensions: &["php"],
        interpreters: &["php"],
        harness: include_str!("harness/php.php"),
        gaps: Gaps::Named,
    },
    Row {
        language: Language::JavaScript,
        name: "JavaScript",
        extensions: &["js", "mjs", "cjs"],
        interpreters: &["node", "nodejs"],
        harness: include_str!("harness/node.js"),
        gaps: Gaps::Absent,
    },
    Row {
        language: Language::Ruby,
        name: "Ruby",
        extensions: &["rb"],
        interpreters: &["ruby"],
        harness: include_str!("harness/ruby.rb"),
        gaps: Gaps::Refused,
    },
    Row {
        language: Language::Perl,
        name: "Perl",
        extensions: &["pl", "pm"],
        interpreters: &["perl"],
        harness: include_str!("harness/perl.pl"),
        gaps: Gaps::Nil,
    },
    Row {
        language: Language::Lua,
        name: "Lua",
        extensions: &["lua"],
        interpreters: &["lua5.4", "lua"],
        harness: include_str!("harness/lua.lua"),
        gaps: Gaps::Nil,
    },
];

impl Language {
    fn row(self) -> Option<&'static Row> {
        LANGUAGES.iter().find(|row| row.language == self)
    }

    /// Returns its name for people.
    pub(super) fn name(self) -> &'static str {
        self.row().map_or("?", |row| row.name)
    }

    /// Returns the programs that run it; the first that is there is meant.
    pub(super) fn interpreters(self) -> &'static [&'static str] {
        self.row().map_or(&[], |row| row.interpreters)
    }

    /// Returns the text of its harness: what each call needs, and the parts that follow it, which few have.
    pub(super) fn harness(self) -> (&'static str, &'static str) {
        let text = self.row().map_or("", |row| row.harness);
        text.split_at(text.find("\n# part: ").unwrap_or(text.len()))
    }

    pub(super) fn gaps(self) -> Gaps {
        self.row().map_or(Gaps::Refused, |row| row.gaps)
    }

    /// Returns whether its harness talks over pipes, because it cannot use a socket.
    pub(super) fn is_on_pipes(self) -> bool {
        self == Language::Lua
    }

    /// Tests whether functions of it may wait, and others run meanwhile in the same process.
    pub(super) fn has_promises(self) -> bool {
        matches!(self, Language::Python | Language::JavaScript)
    }

    /// Returns the line of an account that tells what went wrong: Python's traceback ends with it.
    pub(super) fn cause(self, account: &str) -> &str {
        let mut lines = account.lines().map(str::trim).filter(|line| !line.is_empty());
        let cause = if self == Language::Python { lines.next_back() } else { lines.next() };
        cause.unwrap_or_default()
    }

    /// Finds the language of a file by its extension, or else by its first line, with the interpreter that this names.
    pub(super) fn of(file: &Path, text: &str) -> Option<(Language, Option<String>)> {
        let extension = file.extension().and_then(|extension| extension.to_str()).unwrap_or_default();
        let known = LANGUAGES.iter().find(|row| row.extensions.contains(&extension));
        known.map(|row| (row.language, None)).or_else(|| Language::of_first_line(text))
    }

    fn of_first_line(text: &str) -> Option<(Language, Option<String>)> {
        let mut words = text.strip_prefix("#!")?.lines().next()?.split_whitespace();
        let first = words.next()?;
        let program = if first.ends_with("/env") { words.next()? } else { first };
        let name = program.rsplit('/').next().unwrap_or(program);
        let is_of = |row: &&Row| row.interpreters.iter().any(|interpreter| name.starts_with(interpreter));
        LANGUAGES.iter().find(is_of).map(|row| (row.language, Some(program.to_owned())))
    }

    /// Returns all extensions, for people.
    pub(super) fn extensions() -> String {
        let dotted = LANGUAGES.iter().flat_map(|row| row.extensions).map(|extension| format!(".{extension}"));
        dotted.collect::<Vec<_>>().join(", ")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn by_extension_and_first_line() {
        let of = |file: &str, text: &str| Language::of(Path::new(file), text);
        assert_eq!(of("a.py", "#!/usr/bin/perl\n"), Some((Language::Python, None)));
        assert_eq!(of("a.mjs", ""), Some((Language::JavaScript, None)));
        let python = |program: &str| Some((Language::Python, Some(program.to_owned())));
        assert_eq!(of("sums.cgi", "#!/usr/bin/env python3\nx"), python("python3"));
        assert_eq!(of("sums", "#!/srv/venv/bin/python3.12 -u\n"), python("/srv/venv/bin/python3.12"));
        assert_eq!(of("sums", "#! /usr/bin/lua5.4\n"), Some((Language::Lua, Some("/usr/bin/lua5.4".to_owned()))));
        for text in ["", "#!", "#!/bin/sh\n", "#!/usr/bin/env\n", "print(1)"] {
            assert_eq!(of("sums.txt", text), None, "{text:?}");
        }
    }

    #[test]
    fn every_language_has_a_row() {
        for language in
            [Language::Python, Language::Php, Language::JavaScript, Language::Ruby, Language::Perl, Language::Lua]
        {
            assert!(language.row().is_some(), "{language:?}");
        }
    }
}
