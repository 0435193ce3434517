//! Common errors in command lines whose text is right.

use std::fs::{self, File};
use std::io::Read;
use std::net::Ipv6Addr;
use std::ops::Range;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use super::call::Param;
use super::command_line::Word;
use super::launch::Launch;
use super::mistake::{Mistakes, SpannedText, did_you_mean};
use super::program::BYTE_ORDER_MARK;
use crate::service::split_port;

/// A program that runs text from its command line.
struct Interpreter {
    names: &'static [&'static str],
    /// JsonOptions with the text behind them. One of a single letter may stand at the end of several (`-we`).
    text: &'static [&'static str],
    /// JsonOptions with words behind them that are no text, and the number of these.
    words: &'static [(&'static str, usize)],
    /// JsonOptions after which the text is in a file, not on the command line.
    files: &'static [&'static str],
    /// Set if the first word that is no option is text too, unless an option has some.
    text_first: bool,
}

const SHELL: Interpreter = Interpreter {
    names: &["sh", "bash", "dash", "ash", "ksh", "zsh"],
    text: &["-c"],
    words: &[("-o", 1), ("-O", 1)],
    files: &[],
    text_first: false,
};

const INTERPRETERS: &[Interpreter] = &[
    SHELL,
    Interpreter { names: &["python"], text: &["-c"], words: &[("-W", 1), ("-X", 1)], files: &["-m"], ..SHELL },
    Interpreter { names: &["perl", "ruby"], text: &["-e", "-E"], words: &[("-I", 1), ("-r", 1)], ..SHELL },
    Interpreter { names: &["php"], text: &["-r"], words: &[("-d", 1), ("-c", 1)], files: &["-f"], ..SHELL },
    Interpreter {
        names: &["node", "nodejs"],
        text: &["-e", "-p", "--eval", "--print"],
        words: &[("-r", 1), ("--require", 1), ("--import", 1)],
        ..SHELL
    },
    Interpreter {
        names: &["awk", "gawk", "mawk"],
        text: &[],
        words: &[("-v", 1), ("-F", 1)],
        files: &["-f", "--file"],
        text_first: true,
    },
    Interpreter {
        names: &["sed"],
        text: &["-e", "--expression"],
        words: &[("-l", 1)],
        files: &["-f", "--file"],
        text_first: true,
    },
    Interpreter {
        names: &["jq"],
        text: &[],
        words: &[("--arg", 2), ("--argjson", 2), ("--slurpfile", 2), ("--rawfile", 2), ("--indent", 1), ("-L", 1)],
        files: &["-f", "--from-file"],
        text_first: true,
    },
];

/// Programs that start another one, which their command line names.
const WRAPPERS: &[&str] = &["env", "nice", "nohup", "timeout", "sudo", "setsid", "busybox", "xargs", "chroot"];

/// The wrappers that do nothing else to it.
const PREFIXES: &[&str] = &["env", "nice", "nohup", "timeout", "setsid"];

/// Programs to which the words of shells are words like any other.
const OPERANDS: &[&str] = &["find", "expr", "test", "["];

/// Words that mean something to a shell alone.
const OPERATORS: &[&str] = &["|", "||", "&", "&&", ";", "<", ">", ">>", "2>", "2>&1"];

/// Checks the words behind a program.
pub(super) fn check_words(
    program: &str,
    written: &[SpannedText<'_>],
    words: &[Word],
    params: &[Param],
    mistakes: &mut Mistakes,
) {
    check_program_text(program, written, words, mistakes);
    for (text, span) in written.iter().filter(|(text, _)| OPERATORS.contains(text)) {
        if !OPERANDS.contains(&base_name(program)) {
            mistakes.warn(span, format!("there is no shell: `{text}` is a word like any other"));
        }
    }
    // a word that is left out moves those behind it
    for (index, word) in words.iter().enumerate() {
        let left_out = word.whole().filter(|param| params[*param].optional && params[*param].default.is_none());
        if let (Some(param), true) = (left_out, words[index + 1..].iter().any(|word| word.params().next().is_some())) {
            let name = &params[param].name;
            mistakes
                .warn(&written[index].1, format!("without `{name}` the words behind it move up: give it a default"));
        }
    }
}

/// Returns the name of a program without its folder and version: `python` for `/usr/bin/python3.12`.
fn base_name(program: &str) -> &str {
    let name = program.rsplit('/').next().unwrap_or(program);
    name.trim_end_matches(|character: char| character.is_ascii_digit() || character == '.')
}

fn interpreter(program: &str) -> Option<&'static Interpreter> {
    INTERPRETERS.iter().find(|interpreter| interpreter.names.contains(&base_name(program)))
}

/// Checks that no value from a caller becomes a part of a program's text.
fn check_program_text(program: &str, written: &[SpannedText<'_>], words: &[Word], mistakes: &mut Mistakes) {
    let (mut program, mut start) = (program, 0);
    if WRAPPERS.contains(&base_name(program))
        && let Some(at) = words.iter().position(|word| word.literal().is_some_and(|word| interpreter(word).is_some()))
    {
        (program, start) = (written[at].0, at + 1);
    }
    let Some(interpreter) = interpreter(program) else { return };
    for index in interpreter.texts(&written[start..]) {
        let (word, (_, span)) = (&words[start + index], &written[start + index]);
        if word.params().next().is_some() {
            let message = format!("what callers send would be a part of the text that `{}` runs", base_name(program));
            let help =
                "give it as a word of its own behind the text: [\"sh\", \"-c\", 'echo \"$1\"', \"sh\", \"{param}\"]";
            mistakes.add_with_help(span, message, help);
        }
    }
}

impl Interpreter {
    /// Returns the indexes of the words that are, or contain, text to run.
    fn texts(&self, words: &[SpannedText<'_>]) -> Vec<usize> {
        let (mut texts, mut has_file, mut index) = (Vec::new(), false, 0);
        while let Some((word, _)) = words.get(index) {
            let takes = self.words.iter().find(|(option, _)| option == word).map_or(0, |(_, count)| *count);
            if !word.starts_with('-') || *word == "-" {
                if self.text_first && !has_file && texts.is_empty() {
                    texts.push(index);
                }
                break;
            } else if self.text.contains(word) || self.ends_in_text(word) {
                // options may stand between
                let skipped =
                    words[index + 1..].iter().take_while(|(word, _)| !self.text_first && word.starts_with('-'));
                index += 1 + skipped.count();
                texts.push(index);
                // the words behind it are for the text
                if !self.text_first {
                    break;
                }
            } else if self.text.iter().any(|option| word.starts_with(option)) {
                // joined to its option
                texts.push(index);
            } else if self.files.iter().any(|option| word.starts_with(option)) {
                has_file = true;
                index += usize::from(self.files.contains(word));
                if !self.text_first {
                    break;
                }
            } else if *word == "--" {
                has_file |= !self.text_first;
            }
            index += 1 + takes;
        }
        texts.retain(|index| *index < words.len());
        texts
    }

    /// Tests whether the last of several letters is an option with text.
    fn ends_in_text(&self, word: &str) -> bool {
        let letters = word.strip_prefix('-').filter(|letters| !letters.starts_with('-') && !letters.contains('{'));
        let last = letters.and_then(|letters| letters.chars().last());
        last.is_some_and(|last| self.text.iter().any(|option| option.len() == 2 && option.ends_with(last)))
    }
}

/// Returns the words of a command line that may name the file with the code: the program itself, or what an interpreter
/// reads. What other programs are given is data, which may change with every call.
pub(super) fn code<'w>(written: &'w [SpannedText<'_>]) -> impl Iterator<Item = &'w str> {
    let program = written.first().map_or("", |(program, _)| program);
    let is_read = |word: &str| interpreter(word).is_some() || WRAPPERS.contains(&base_name(word));
    let of_interpreter = if is_read(program) { written.get(1..).unwrap_or_default() } else { &[] };
    // a program of the system is named without a slash, and the author does not edit it
    let own = Some(program).filter(|program| program.contains('/') && !is_read(program));
    own.into_iter().chain(of_interpreter.iter().map(|(word, _)| *word).filter(|word| !word.starts_with('-')))
}

/// Checks the files that a command line names.
pub(super) fn check_files(
    launch: &Launch,
    program: &SpannedText<'_>,
    found: &Path,
    written: &[SpannedText<'_>],
    mistakes: &mut Mistakes,
) {
    let (name, span) = program;
    if name.contains('/')
        && let Some((message, help)) = problem_of_script(found, launch)
    {
        mistakes.add_with_help(span, format!("`{name}`: {message}"), help);
    }
    let Some(((name, span), written)) = started(program, written) else { return };
    if !launch.knows(name) {
        let help = help_to_find(name, &launch.folder);
        return mistakes.add_with_help(span, format!("there is no program `{name}`"), help);
    }
    let Some(interpreter) = interpreter(name).filter(|interpreter| !interpreter.text_first) else { return };
    // the first word that is no option is a file, if none of the options has the text
    let Some((script, span)) = written.first().filter(|(word, _)| !word.starts_with('-') && !word.contains(['{', '}']))
    else {
        return;
    };
    let folder = &launch.folder;
    let file = folder.join(script);
    // node finds files whose suffix is left out
    if !file.exists() && !folder.join(format!("{script}.js")).exists() {
        let help = format!("it is looked for in {}", folder.display());
        mistakes.add_with_help(span, format!("there is no file `{script}`"), help);
    } else if let Some((message, help)) = interpreter.problem_of_text(&file) {
        mistakes.add_with_help(span, format!("`{script}`: {message}"), help);
    } else if fs::read(&file).is_ok_and(|text| text.starts_with(BYTE_ORDER_MARK)) {
        let message = format!("`{script}`: a byte order mark stands before its text, which not everything reads");
        mistakes.warn_with_help(span, message, NO_MARK);
    }
}

/// Returns the program that prefixes such as `env` start in the end, and its words.
fn started<'w, 't>(
    program: &'w SpannedText<'t>,
    words: &'w [SpannedText<'t>],
) -> Option<(&'w SpannedText<'t>, &'w [SpannedText<'t>])> {
    let (mut program, mut words) = (program, words);
    while PREFIXES.contains(&base_name(program.0)) {
        let is_own = |word: &str| word.starts_with('-') || word.contains('=') || word.parse::<f64>().is_ok();
        let at = words.iter().position(|(word, _)| !is_own(word) && !is_time(word))?;
        (program, words) = (&words[at], &words[at + 1..]);
    }
    (!program.0.contains(['{', '}'])).then_some((program, words))
}

/// Tests if a word is a number of seconds, minutes, hours or days, as `timeout` has it.
fn is_time(word: &str) -> bool {
    word.strip_suffix(['s', 'm', 'h', 'd']).is_some_and(|number| number.parse::<f64>().is_ok())
}

/// Returns the help for an origin that no browser sends (RFC 6454 §6.2).
pub(super) fn origin(origin: &str) -> Option<String> {
    let Some((scheme, rest)) = origin.split_once("://") else {
        return Some(format!("with its scheme: \"https://{}\"", origin.escape_debug()));
    };
    let is_scheme = scheme.starts_with(|first: char| first.is_ascii_alphabetic())
        && scheme.chars().all(|character| character.is_ascii_alphanumeric() || "+-.".contains(character));
    if !is_scheme || ["ws", "wss", "ftp", "file"].contains(&&scheme.to_ascii_lowercase()[..]) {
        return Some("the scheme of the page that calls: https, http, or that of a browser's extension".into());
    }
    if let Some(end) = rest.find(['/', '?', '#']) {
        return Some(format!("without a path: \"{scheme}://{}\"", rest[..end].escape_debug()));
    }
    if let Some((_, host)) = rest.split_once('@') {
        return Some(format!("without a user: \"{scheme}://{}\"", host.escape_debug()));
    }
    if !rest.is_ascii() {
        return Some("browsers send such a name in ASCII, as \"https://xn--mnchen-3ya.example\"".into());
    }
    let (host, port) = split_port(rest);
    let is_host = match host.strip_prefix('[').and_then(|host| host.strip_suffix(']')) {
        Some(address) => address.parse::<Ipv6Addr>().is_ok(),
        None => {
            let is_known = |character: char| character.is_ascii_alphanumeric() || "-._".contains(character);
            !host.is_empty() && host.chars().all(is_known)
        }
    };
    if !is_host {
        return Some("a name, or an address; one of IPv6 in brackets".into());
    }
    port.filter(|port| port.parse::<u16>().is_err()).map(|_| "a port is a number up to 65535".into())
}

/// Checks the place of a log file.
pub(super) fn check_log_file(path: &Path, span: &Range<usize>, folder: &Path, mistakes: &mut Mistakes) {
    let parent = path.parent().unwrap_or(Path::new("/"));
    match fs::canonicalize(parent) {
        Err(error) => mistakes.add(span, format!("{}: {error}", parent.display())),
        Ok(_) if fs::metadata(path).is_ok_and(|file| file.is_file() && file.permissions().mode() & 0o111 != 0) => {
            mistakes.add(span, format!("{} is a program, and nothing is written into it", path.display()));
        }
        Ok(parent) if parent.starts_with(folder) => mistakes.warn_with_help(
            span,
            "the log lies beside the manifest, where the web server may hand it out",
            "a folder outside, such as one in your home: \"/home/ann/log/service.log\"",
        ),
        Ok(_) if path.is_dir() => mistakes.add(span, format!("{} is a folder", path.display())),
        Ok(_) => {}
    }
}

impl Interpreter {
    /// Returns the problem and its help, if a file that exists cannot be run.
    fn problem_of_text(&self, path: &Path) -> Option<(&'static str, &'static str)> {
        let text = fs::read(path).ok()?;
        let has_mark = text.starts_with(BYTE_ORDER_MARK);
        let is_shell = self.names == SHELL.names;
        if has_mark && is_shell {
            return Some(("a byte order mark stands before its first word, which then is no command", NO_MARK));
        }
        if has_mark && self.names.contains(&"php") {
            return Some(("a byte order mark stands before `<?php`, and is written before every result", NO_MARK));
        }
        (is_shell && memchr::memmem::find(&text, b"\r\n").is_some())
            .then_some(("its lines end in CR and LF, and the CR is a part of their last words", LINE_ENDS))
    }
}

const NO_MARK: &str = "save it as UTF-8 without BOM";
const LINE_ENDS: &str = "save it with the line ends of Unix";

/// Returns the reason why the kernel does not start a script, and its help.
fn problem_of_script(path: &Path, launch: &Launch) -> Option<(String, String)> {
    let mut start = [0; 256];
    let read = File::open(path).and_then(|mut file| file.read(&mut start)).ok()?;
    let start = &start[..read];
    if start.starts_with(BYTE_ORDER_MARK) {
        let message = "a byte order mark stands before its first line, and the kernel does not start it".to_owned();
        return Some((message, NO_MARK.into()));
    }
    let Some(line) = start.strip_prefix(b"#!") else {
        let is_text = !start.contains(&0) && !start.is_empty();
        return is_text
            .then(|| ("its first line does not name an interpreter".into(), "#!/bin/sh, for a shell".into()));
    };
    let line = String::from_utf8_lossy(line.split(|octet| *octet == b'\n').next().unwrap_or_default()).into_owned();
    if line.ends_with('\r') {
        return Some(("its first line ends in CR and LF".into(), LINE_ENDS.into()));
    }
    let mut words = line.split_whitespace();
    let interpreter = words.next().unwrap_or_default();
    match fs::metadata(interpreter) {
        Ok(_) if base_name(interpreter) == "env" => {
            let is_name = |word: &&str| !word.starts_with('-') && !word.contains('=');
            let name = words.find(is_name).filter(|name| !launch.knows(name))?;
            let message = format!("its first line asks `env` for {name}, which is not in the PATH that programs get");
            let near = did_you_mean(name, INTERPRETERS.iter().flat_map(|interpreter| interpreter.names).copied());
            let debian = (name == "python").then(|| "#!/usr/bin/env python3".to_owned());
            Some((
                message,
                debian.or(near).unwrap_or_else(|| "its whole path, or env = { PATH = \"..\" } in the manifest".into()),
            ))
        }
        Ok(_) => None,
        Err(error) => {
            Some((format!("its first line names {interpreter}: {error}"), "#!/usr/bin/env python3, say".into()))
        }
    }
}

/// Returns the help for a command line whose program is not there.
pub(super) fn help_to_find(program: &str, folder: &Path) -> String {
    let path = folder.join(program.trim_start_matches("./"));
    if program.contains(char::is_whitespace) {
        return "there is no shell: each word stands for itself, as in [\"date\", \"-u\"]".into();
    }
    if ["cd", "source", "export", "set", "exit", "ulimit"].contains(&program) {
        return "this is a command of shells, and no shell is involved".into();
    }
    if program.starts_with("~") {
        return "`~` means nothing here: write the whole path".into();
    }
    if path.is_file() && program.contains('/') {
        return format!("chmod 755 {}", path.display());
    }
    if program.starts_with('/') {
        return "it is no file of this machine".into();
    }
    if program.contains('/') {
        return format!("it is looked for in {}", folder.display());
    }
    if path.exists() {
        return format!("one beside the manifest is named `./{program}`");
    }
    let near = did_you_mean(program, INTERPRETERS.iter().flat_map(|interpreter| interpreter.names).copied());
    near.unwrap_or_else(|| {
        "it is looked for in /usr/local/bin, /usr/bin and /bin; one beside the manifest is named `./name`".into()
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Returns the words that are taken for text.
    fn texts(command: &str) -> Vec<&str> {
        let words: Vec<SpannedText<'_>> = command.split(' ').map(|word| (word, 0..0)).collect();
        let interpreter = interpreter(words[0].0).expect("it is one");
        interpreter.texts(&words[1..]).into_iter().map(|index| words[index + 1].0).collect()
    }

    #[test]
    fn texts_of_interpreters() {
        for (command, expected) in [
            ("sh -c TEXT sh x", &["TEXT"][..]),
            ("bash -x -c TEXT x", &["TEXT"]),
            ("bash -ec TEXT", &["TEXT"]),
            ("sh -c -x TEXT x", &["TEXT"]),
            ("bash -o pipefail -c TEXT", &["TEXT"]),
            ("bash script.sh -c x", &[]),
            ("sh", &[]),
            ("sh -c", &[]),
            ("/usr/bin/python3.12 -Ic TEXT -c x", &["TEXT"]),
            ("python3 -cTEXT", &["-cTEXT"]),
            ("python3 script.py -c x", &[]),
            ("python3 -m http -c x", &[]),
            ("perl -we TEXT x", &["TEXT"]),
            ("php8.2 -d a=b -r TEXT", &["TEXT"]),
            ("php script.php -r x", &[]),
            ("node --eval=TEXT", &["--eval=TEXT"]),
            ("node tool.js -p x", &[]),
            ("awk -v n={x} TEXT file", &["TEXT"]),
            ("awk -F : TEXT", &["TEXT"]),
            ("awk -fprog.awk x", &[]),
            ("awk -f prog.awk x", &[]),
            ("sed -n TEXT x", &["TEXT"]),
            ("sed -e TEXT -e MORE x", &["TEXT", "MORE"]),
            ("sed --expression=TEXT x", &["--expression=TEXT"]),
            ("sed --file=x.sed x", &[]),
            ("jq --arg a x TEXT", &["TEXT"]),
            ("jq --indent 2 TEXT", &["TEXT"]),
        ] {
            assert_eq!(texts(command), expected, "{command}");
        }
    }
}
