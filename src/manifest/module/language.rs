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
    /// What stands in for the language's XML-RPC library, for scripts; empty if there is nothing.
    stand_in: &'static str,
    /// What the code of a script names.
    library: Library,
    /// How a call is written in which a param is left out before others.
    gaps: Gaps,
}

/// The marks of programs that serve XML-RPC through their language's library.
struct Library {
    /// How a line begins that names it; none for any line that is no comment.
    openers: &'static [&'static str],
    names: &'static [&'static str],
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
        harness: concat!(include_str!("harness/python.py"), "\n", include_str!("harness/scripts/python.py")),
        stand_in: "",
        library: Library { openers: &["import ", "from "], names: &["xmlrpc.server", "from xmlrpc import server"] },
        gaps: Gaps::Named,
    },
    Row {
        language: Language::Php,
        name: "PHP",
        extensions: &["php"],
        interpreters: &["php"],
        harness: include_str!("harness/php.php"),
        stand_in: include_str!("harness/scripts/php.php"),
        library: Library { openers: &[], names: &["xmlrpc_server_create", "PhpXmlRpc\\Server", "new xmlrpc_server("] },
        gaps: Gaps::Named,
    },
    Row {
        language: Language::JavaScript,
        name: "JavaScript",
        extensions: &["js", "mjs", "cjs"],
        interpreters: &["node", "nodejs"],
        harness: include_str!("harness/node.js"),
        stand_in: "",
        library: NO_LIBRARY,
        gaps: Gaps::Absent,
    },
    Row {
        language: Language::Ruby,
        name: "Ruby",
        extensions: &["rb"],
        interpreters: &["ruby"],
        harness: include_str!("harness/ruby.rb"),
        stand_in: include_str!("harness/scripts/ruby.rb"),
        library: Library { openers: &["require "], names: &["xmlrpc/server"] },
        gaps: Gaps::Refused,
    },
    Row {
        language: Language::Perl,
        name: "Perl",
        extensions: &["pl", "pm"],
        interpreters: &["perl"],
        harness: include_str!("harness/perl.pl"),
        stand_in: include_str!("harness/scripts/perl.pl"),
        library: Library {
            openers: &["use ", "require "],
            names: &["XMLRPC::Transport::", "Frontier::Responder", "Frontier::Daemon"],
        },
        gaps: Gaps::Nil,
    },
    Row {
        language: Language::Lua,
        name: "Lua",
        extensions: &["lua"],
        interpreters: &["lua5.4", "lua"],
        harness: include_str!("harness/lua.lua"),
        stand_in: "",
        library: NO_LIBRARY,
        gaps: Gaps::Nil,
    },
];

const NO_LIBRARY: Library = Library { openers: &[], names: &[] };

/// How lines of comments begin.
const COMMENTS: [&str; 4] = ["#", "//", "/*", "*"];

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

    /// Returns the text of what stands in for the language's XML-RPC library, where it is no part of the harness.
    pub(super) fn stand_in(self) -> &'static str {
        self.row().map_or("", |row| row.stand_in)
    }

    /// Tests whether programs of it that serve XML-RPC by themselves can be run.
    pub(super) fn has_scripts(self) -> bool {
        self.row().is_some_and(|row| !row.library.names.is_empty())
    }

    /// Tests whether a text is such a program: its code names the library.
    pub(super) fn is_script(self, text: &str) -> bool {
        let Some(Library { openers, names }) = self.row().map(|row| &row.library) else { return false };
        let is_code = |line: &&str| match openers.is_empty() {
            true => !COMMENTS.iter().any(|comment| line.starts_with(comment)),
            false => openers.iter().any(|opener| line.starts_with(opener)),
        };
        let mut lines = text.lines().map(str::trim_start).filter(is_code);
        lines.any(|line| names.iter().any(|name| line.contains(name)))
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
    fn scripts_name_their_library() {
        let scripts = [
            (Language::Python, "import os\nfrom xmlrpc.server import SimpleXMLRPCServer\n"),
            (Language::Python, "if True:\n    import xmlrpc.server as server\n"),
            (Language::Python, "from xmlrpc import server"),
            (Language::Ruby, "require 'xmlrpc/server'"),
            (Language::Perl, "use XMLRPC::Transport::HTTP;"),
            (Language::Perl, "  require Frontier::Responder;"),
            (Language::Php, "<?php\n$server = xmlrpc_server_create();"),
            (Language::Php, "use PhpXmlRpc\\Server;"),
        ];
        for (language, text) in scripts {
            assert!(language.is_script(text), "{text}");
        }
        let modules = [
            (Language::Python, "# import xmlrpc.server\nimport xmlrpc.client\n\"\"\"as xmlrpc.server does\"\"\""),
            (Language::Ruby, "# require 'xmlrpc/server'\nrequire 'xmlrpc/client'"),
            (Language::Perl, "# use XMLRPC::Transport::HTTP;\nuse XMLRPC::Lite;"),
            (Language::Php, "// xmlrpc_server_create()\n/* new PhpXmlRpc\\Server */\n * xmlrpc_server_create\n"),
            (Language::JavaScript, "require('xmlrpc')"),
            (Language::Lua, "require 'xmlrpc'"),
        ];
        for (language, text) in modules {
            assert!(!language.is_script(text), "{text}");
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
