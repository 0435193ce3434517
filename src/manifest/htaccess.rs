//! The files that Apache hands out of a folder, by the `.htaccess` in it and above it.
//!
//! Without one, the server's own configuration decides, which this program cannot read.

use std::fs;
use std::path::Path;

/// The directives that count, from the outermost folder to the innermost.
#[derive(Debug, Default)]
pub(crate) struct Htaccess {
    /// The suffixes of files that are run, and the patterns that hide others.
    run: Vec<String>,
    runs_all: bool,
    hidden: Vec<Hidden>,
    /// Set by directives that may hide any file, which are not understood here.
    is_unclear: bool,
    /// Set if one of them names the programs to run; else the server's own configuration does.
    is_told: bool,
}

/// Files that no client gets.
#[derive(Clone, Debug)]
enum Hidden {
    All,
    /// Files that match a shell pattern.
    Glob(String),
    /// Files whose names have one of these words in them: a rough reading of regular expressions.
    Words(Vec<String>),
}

impl Htaccess {
    /// Reads the directives that count for a folder.
    pub(crate) fn of(folder: &Path) -> Htaccess {
        let mut htaccess = Htaccess::default();
        let folders: Vec<&Path> = folder.ancestors().collect();
        for text in folders.into_iter().rev().filter_map(|folder| fs::read_to_string(folder.join(".htaccess")).ok()) {
            htaccess.read(&text);
        }
        htaccess
    }

    fn read(&mut self, text: &str) {
        // the files that the directives are about, if not all
        let mut section: Option<Hidden> = None;
        let joined = text.replace("\\\n", " ");
        for line in joined.lines().map(str::trim).filter(|line| !line.starts_with('#')) {
            let words: Vec<&str> = line.split_whitespace().map(|word| word.trim_matches(['"', '\'', '>'])).collect();
            let [directive, words @ ..] = &words[..] else { continue };
            let has = |wanted: &str| words.iter().any(|word| word.eq_ignore_ascii_case(wanted));
            match &directive.to_ascii_lowercase()[..] {
                "<files" => section = files(words),
                "<filesmatch" => section = words.first().map(|pattern| Hidden::Words(words_of(pattern))),
                "</files" | "</filesmatch" => section = None,
                "addhandler" if has("cgi-script") || has("fcgid-script") => {
                    self.is_told = true;
                    let suffixes = words.iter().skip(1).map(|suffix| suffix.trim_start_matches('.').to_lowercase());
                    self.run.extend(suffixes);
                }
                "sethandler" if has("cgi-script") || has("fcgid-script") => {
                    self.is_told = true;
                    match section.clone() {
                        None => self.runs_all = true,
                        Some(files) => self.hidden.push(files),
                    }
                }
                "require" | "deny" if has("denied") || has("all") && directive.eq_ignore_ascii_case("deny") => {
                    self.hidden.push(section.clone().unwrap_or(Hidden::All));
                }
                "require" if has("granted") && section.is_none() => {
                    self.hidden.retain(|hidden| !matches!(hidden, Hidden::All));
                }
                "require" if !has("granted") => self.hidden.push(section.clone().unwrap_or(Hidden::All)),
                "redirectmatch" | "rewriterule" => self.is_unclear = true,
                _ => {}
            }
        }
    }

    /// Tests if a client that asks for a file gets its text.
    pub(crate) fn hands_out(&self, file: &Path) -> bool {
        let name = file.file_name().unwrap_or_default().to_string_lossy();
        // each of its suffixes counts
        let is_run = name.split('.').skip(1).any(|suffix| self.run.contains(&suffix.to_lowercase()));
        // Apache hides these itself, on every system there is
        let is_own = name.starts_with(".ht");
        self.is_told
            && !(self.runs_all || is_run || is_own || self.is_unclear)
            && !self.hidden.iter().any(|hidden| hidden.has(&name))
    }
}

impl Hidden {
    fn has(&self, name: &str) -> bool {
        match self {
            Hidden::All => true,
            Hidden::Glob(glob) => matches(glob.as_bytes(), name.as_bytes()),
            Hidden::Words(words) => words.iter().any(|word| name.contains(&word[..])),
        }
    }
}

/// Reads the files of `<Files NAME>` or `<Files ~ EXPRESSION>`.
fn files(words: &[&str]) -> Option<Hidden> {
    match words {
        ["~", pattern, ..] => Some(Hidden::Words(words_of(pattern))),
        [glob, ..] => Some(Hidden::Glob((*glob).to_owned())),
        [] => None,
    }
}

/// Returns the words of a regular expression; one without words stands for everything.
fn words_of(pattern: &str) -> Vec<String> {
    let is_sign = |character: char| !character.is_alphanumeric() && character != '_' && character != '-';
    let words: Vec<String> = pattern.split(is_sign).filter(|word| !word.is_empty()).map(str::to_owned).collect();
    if words.is_empty() { vec![String::new()] } else { words }
}

/// Tests if a name matches a pattern with `*` and `?`.
fn matches(glob: &[u8], name: &[u8]) -> bool {
    match glob {
        [] => name.is_empty(),
        [b'*', rest @ ..] => (0..=name.len()).any(|at| matches(rest, &name[at..])),
        [first, rest @ ..] => {
            name.first().is_some_and(|octet| *first == b'?' || octet == first) && matches(rest, &name[1..])
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_handed_out() {
        let cgi = "JsonOptions +ExecCGI\nAddHandler cgi-script .cgi .rpc\n";
        for (more, name, expected) in [
            ("", "service.cgi", false),
            ("", "service.CGI", false),
            ("", "worker.py", true),
            ("", "worker.cgi.py", false),
            ("", ".htpasswd", false),
            ("<Files worker.py>\n  Require all denied\n</Files>\n", "worker.py", false),
            ("<Files \"worker.py\">\n  Require all denied\n</Files>\n", "other.py", true),
            ("<Files ~ \"\\.(py|db)$\">\nDeny from all\n</Files>", "x.db", false),
            ("<FilesMatch \"\\.(py|db)$\">\nOrder allow,deny\nDeny from all\n</FilesMatch>", "x.txt", true),
            ("<Files \"*.py\">\nRequire all granted\n</Files>", "x.py", true),
            ("Require valid-user\n", "worker.py", false),
            ("# Require all denied\n", "worker.py", true),
            ("Require all denied\nRequire all granted\n", "worker.py", true),
            ("<Files *.db>\nRequire all denied\nDeny from all\n</Files>\n", "worker.py", true),
            ("SetHandler cgi-script\n", "worker.py", false),
            ("RewriteRule \\.py$ - [F]\n", "worker.py", false),
        ] {
            let mut htaccess = Htaccess::default();
            htaccess.read(&format!("{cgi}{more}"));
            assert_eq!(htaccess.hands_out(Path::new(name)), expected, "{more} {name}");
        }
        let mut silent = Htaccess::default();
        silent.read("JsonOptions -Indexes\n");
        assert!(!silent.hands_out(Path::new("worker.py")));
    }
}
