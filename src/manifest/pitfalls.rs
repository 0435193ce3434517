//! What people get wrong in command lines that are right as far as their text goes.

use std::fs::{self, File};
use std::io::Read;
use std::path::Path;

use super::call::Param;
use super::mistake::{Mistakes, Text, did_you_mean};
use super::words::Word;

/// Interpreters, and the options behind which they take a word for program text.
const INTERPRETERS: &[(&str, &[&str])] = &[
    ("sh", &["-c"]),
    ("bash", &["-c", "-lc"]),
    ("dash", &["-c"]),
    ("ksh", &["-c"]),
    ("zsh", &["-c"]),
    ("python", &["-c"]),
    ("python3", &["-c"]),
    ("perl", &["-e", "-E", "-ne", "-pe", "-le"]),
    ("ruby", &["-e", "-ne", "-pe"]),
    ("php", &["-r"]),
    ("node", &["-e", "-p", "--eval", "--print"]),
];

/// Programs whose first word is program text.
const TEXT_FIRST: &[&str] = &["awk", "gawk", "mawk", "sed", "jq"];

/// Words that mean something to a shell alone.
const OPERATORS: &[&str] = &["|", "||", "&", "&&", ";", "<", ">", ">>", "2>", "2>&1"];

/// What is wrong with the words behind a program.
pub(super) fn check_words(
    program: &str,
    written: &[Text<'_>],
    words: &[Word],
    params: &[Param],
    mistakes: &mut Mistakes,
) {
    check_program_text(program, written, words, mistakes);
    for (text, span) in written.iter().filter(|(text, _)| OPERATORS.contains(text)) {
        mistakes.warn(span, format!("there is no shell: `{text}` is a word like any other"));
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

/// What callers send must not become a part of a program's text.
fn check_program_text(program: &str, written: &[Text<'_>], words: &[Word], mistakes: &mut Mistakes) {
    let name = program.rsplit('/').next().unwrap_or(program);
    let options =
        INTERPRETERS.iter().find(|(interpreter, _)| *interpreter == name).map_or(&[][..], |(_, options)| options);
    let is_text = |index: usize| match index.checked_sub(1) {
        Some(before) if !options.is_empty() => words[before].literal().is_some_and(|word| options.contains(&word)),
        _ => {
            TEXT_FIRST.contains(&name)
                && words[..index].iter().all(|word| word.literal().is_some_and(|word| word.starts_with('-')))
                && !written[index].0.starts_with('-')
        }
    };
    for (index, word) in words.iter().enumerate().filter(|(index, _)| is_text(*index)) {
        if word.params().next().is_some() {
            let message = format!("what callers send would be a part of the text that `{name}` runs");
            let help =
                "give it as a word of its own behind the text: [\"sh\", \"-c\", 'echo \"$1\"', \"sh\", \"{param}\"]";
            mistakes.add_with_help(&written[index].1, message, help);
        }
    }
}

/// What the files lack that a command line names.
pub(super) fn check_files(
    program: &Text<'_>,
    found: &Path,
    folder: &Path,
    written: &[Text<'_>],
    mistakes: &mut Mistakes,
) {
    let (name, span) = program;
    if name.contains('/')
        && let Some((message, help)) = problem_of_script(found)
    {
        mistakes.add_with_help(span, format!("`{name}`: {message}"), help);
    }
    let short = name.rsplit('/').next().unwrap_or(name);
    if !INTERPRETERS.iter().any(|(interpreter, _)| *interpreter == short) {
        return;
    }
    // the first word that is no option is a file, if none of the options has the text
    let Some((script, span)) = written.first().filter(|(word, _)| !word.starts_with('-') && !word.contains(['{', '}']))
    else {
        return;
    };
    if !folder.join(script).exists() {
        mistakes.add_with_help(
            span,
            format!("there is no file `{script}`"),
            format!("it is looked for in {}", folder.display()),
        );
    }
}

/// Why the kernel does not start a script.
fn problem_of_script(path: &Path) -> Option<(String, String)> {
    let mut start = [0; 256];
    let read = File::open(path).and_then(|mut file| file.read(&mut start)).ok()?;
    let start = &start[..read];
    let Some(line) = start.strip_prefix(b"#!") else {
        let is_text = !start.contains(&0) && !start.is_empty();
        return is_text
            .then(|| ("its first line does not name an interpreter".into(), "#!/bin/sh, for a shell".into()));
    };
    let line = String::from_utf8_lossy(line.split(|octet| *octet == b'\n').next().unwrap_or_default()).into_owned();
    if line.ends_with('\r') {
        return Some(("its first line ends in CR and LF".into(), "save it with the line ends of Unix".into()));
    }
    let interpreter = line.split_whitespace().next().unwrap_or_default();
    match fs::metadata(interpreter) {
        Ok(_) => None,
        Err(error) => {
            Some((format!("its first line names {interpreter}: {error}"), "#!/usr/bin/env python3, say".into()))
        }
    }
}

/// What would mend a command line whose program is not there.
pub(super) fn help_to_find(program: &str, folder: &Path) -> String {
    let path = folder.join(program.trim_start_matches("./"));
    if program.contains(char::is_whitespace) {
        return "there is no shell: each word stands for itself, as in [\"date\", \"-u\"]".into();
    }
    if ["cd", "source", "export", "set", "exit", "ulimit"].contains(&program) {
        return "this is a word of shells, and there is none".into();
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
    let near = did_you_mean(program, INTERPRETERS.iter().map(|(name, _)| *name));
    near.unwrap_or_else(|| {
        "it is looked for in /usr/local/bin, /usr/bin and /bin; one beside the manifest is named `./name`".into()
    })
}
