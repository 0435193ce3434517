//! `rpcgi check`: mistakes in a manifest, and in the place it is in, as a web server sees it.

use std::fs;
use std::io::{self, IsTerminal, Write};
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::path::Path;
use std::process::ExitCode;

use super::cgi_manifest::own_file;
use super::report::{self, ReportFormat};
use super::try_examples::try_examples;
use crate::manifest::{Htaccess, Identity, Manifest, ManifestSource, Mistake, ProgramCheck, Severity, WRITABLE, read};
use crate::server::Endpoint;

/// The longest first line that every Linux accepts: kernels before 5.1 read no further.
const MAX_FIRST_LINE: usize = 127;

/// Checks manifests. The exit status is 1 if there are errors; with `strict`, also if there are warnings. With `tries`,
/// an example that fails is an error.
pub(super) fn check(paths: &[impl AsRef<Path>], format: ReportFormat, strict: bool, tries: bool) -> ExitCode {
    let (mut told, mut objects, mut failed) = (Vec::new(), Vec::new(), false);
    for path in paths {
        let path = path.as_ref();
        let (mut text, mut functions, mut scripts) = (String::new(), Vec::new(), Vec::new());
        let mut tried = None;
        let mistakes = match ManifestSource::open_to_check(path) {
            Ok(source) => {
                let mut mistakes = of_place(&source);
                let read = read(&source, ProgramCheck::Strictly);
                mistakes.extend(read.mistakes);
                if let Some(Manifest { server, workers, functions: names, scripts: run }) = read.manifest {
                    scripts = run;
                    // what keeps a server from being built was told as a mistake
                    let endpoint = server.build().ok();
                    functions = endpoint.as_ref().map(|endpoint| described(endpoint, &names)).unwrap_or_default();
                    tried = endpoint.filter(|_| tries).map(|endpoint| try_examples(&endpoint));
                    mistakes.extend(tried.iter_mut().flat_map(|tried| std::mem::take(&mut tried.failed)));
                    workers.stop();
                }
                text = source.text;
                mistakes
            }
            Err(problem) => {
                let mistake =
                    Mistake { severity: Severity::Error, message: problem.to_string(), span: None, help: None };
                vec![mistake]
            }
        };
        failed |= mistakes.iter().any(|mistake| strict || mistake.severity == Severity::Error);
        match format {
            ReportFormat::Human => {
                told.push(match mistakes.is_empty() {
                    true => format!("{}: nothing is wrong", path.display()),
                    false => report::human(path, &text, &mistakes, io::stdout().is_terminal()),
                });
                scripts.dedup();
                told.extend(scripts.iter().map(|name| format!("{name} is a script: it was run to see what it serves")));
                told.extend(listed(&functions));
                told.extend(tried.map(|tried| tried.told()));
            }
            ReportFormat::Json => objects.extend(report::json(path, &text, &mistakes)),
        }
    }
    let text = match format {
        ReportFormat::Human => told.join("\n\n"),
        ReportFormat::Json => format!("{:#}", serde_json::Value::from(objects)),
    };
    // a reader that goes away has seen enough
    _ = writeln!(io::stdout(), "{text}");
    ExitCode::from(u8::from(failed))
}

/// Returns how the functions of a manifest's modules are called, and what each does.
fn described(endpoint: &Endpoint, functions: &[String]) -> Vec<(String, String)> {
    let described = functions.iter().filter_map(|name| endpoint.describe_method(name));
    described.map(|method| (method.calls().join(", "), method.title())).collect()
}

/// Returns these as a list, if there are any.
fn listed(functions: &[(String, String)]) -> Option<String> {
    let widest = functions.iter().map(|(call, _)| call.chars().count()).filter(|width| *width <= MAX_COLUMN).max();
    let width = widest.unwrap_or_default();
    let line = |(call, title): &(String, String)| format!("  {call:width$}  {title}").trim_end().to_owned();
    let lines: Vec<String> = functions.iter().map(line).collect();
    let what = if lines.len() == 1 { "function is a method" } else { "functions are methods" };
    (!lines.is_empty()).then(|| format!("{} {what}:\n{}", lines.len(), lines.join("\n")))
}

/// The widest column of calls; wider ones stand out of it.
const MAX_COLUMN: usize = 60;

/// Returns the mistakes in the first line, the permissions and the folder.
fn of_place(source: &ManifestSource) -> Vec<Mistake> {
    let mut mistakes = Vec::new();
    first_line(&source.text, &mut mistakes);
    let mut note = |severity, message: &str, help: &str| mistakes.push(Mistake::of_file(severity, message, help));
    let name = source.path.display();
    if source.mode & 0o100 == 0 {
        note(Severity::Error, "it may not be executed", &format!("chmod 755 {name}"));
    }
    if source.mode & 0o002 != 0 {
        note(Severity::Error, WRITABLE, &format!("chmod o-w {name}"));
    } else if source.mode & 0o020 != 0 {
        let message = "its group may write to it, and suEXEC does not run such files";
        note(Severity::Warning, message, &format!("chmod g-w {name}"));
    }
    if Htaccess::of(source.folder()).hands_out(&source.path) {
        let suffix = source.path.extension().unwrap_or_default().to_string_lossy();
        let message = "by .htaccess, the web server does not run it, but would hand out its text";
        note(Severity::Warning, message, &format!("in .htaccess: AddHandler cgi-script .{suffix}"));
    }
    if let Ok(folder) = fs::metadata(source.folder()) {
        let path = source.folder().display();
        // where only owners may replace their files it does not matter
        if folder.permissions().mode() & 0o1002 == 0o002 {
            let message = format!("every user may write to its folder {path}, and put another file in its place");
            note(Severity::Warning, &message, &format!("chmod o-w {path}"));
        } else if folder.permissions().mode() & 0o1020 == 0o020 {
            let message = format!("a group may write to its folder {path}, and suEXEC runs nothing there");
            note(Severity::Warning, &message, &format!("chmod g-w {path}"));
        }
        if folder.uid() != source.owner {
            let message = format!("it belongs to another user than its folder {path}, and suEXEC runs no such files");
            note(Severity::Warning, &message, "chown one of them");
        }
    }
    mistakes
}

fn first_line(text: &str, mistakes: &mut Vec<Mistake>) {
    let line = text.split('\n').next().unwrap_or_default();
    let mut note = |severity, message: String, help: &str| {
        let span = Some(0..line.trim_end_matches('\r').len());
        mistakes.push(Mistake { severity, message, span, help: Some(help.to_owned()) });
    };
    if let Some(rest) = line.strip_prefix('\u{FEFF}') {
        let what = if rest.starts_with("#!") { "the first line" } else { "the file" };
        note(Severity::Error, format!("a byte order mark stands before {what}"), "save it as UTF-8 without BOM");
        return;
    }
    let Some(command) = line.strip_prefix("#!") else {
        note(Severity::Error, "the first line does not name the program".into(), &format!("#!{}", own_path()));
        return;
    };
    if line.ends_with('\r') {
        let help = "save it with the line ends of Unix: the kernel looks for a program whose name ends in CR";
        note(Severity::Error, "the first line ends in CR and LF".into(), help);
    }
    if line.len() > MAX_FIRST_LINE {
        let message = format!("the first line has {} octets, and old kernels read only {MAX_FIRST_LINE}", line.len());
        note(Severity::Warning, message, "put the program where its path is shorter");
    }
    let mut words = command.trim().splitn(2, [' ', '\t']);
    let (program, rest) = (words.next().unwrap_or_default(), words.next());
    if program.ends_with("/env") {
        let help = format!("#!{}", own_path());
        note(Severity::Warning, "suEXEC has a PATH of its own, where `env` may not find the program".into(), &help);
    } else if let Some(rest) = rest {
        let message = format!("the first line has more than the program: \"{}\"", rest.escape_debug());
        note(Severity::Error, message, &format!("#!{program}"));
    }
    let started = if program.ends_with("/env") { rest.unwrap_or_default().trim() } else { program };
    let name = Path::new(started).file_name().unwrap_or_default().to_string_lossy();
    let is_own = Identity::at(Path::new(started)).is_ok_and(|identity| Some(identity.file) == own_file());
    match fs::metadata(program) {
        Ok(metadata) if metadata.is_file() && metadata.permissions().mode() & 0o111 != 0 => {
            if !is_own && !name.contains("rpcgi") {
                let message = format!("the first line names {started}, which is not rpcgi and does not read manifests");
                note(Severity::Error, message, &format!("#!{}", own_path()));
            }
        }
        Ok(_) => note(Severity::Error, format!("{program} may not be executed"), &format!("chmod 755 {program}")),
        Err(error) => note(Severity::Error, format!("{program}: {error}"), &format!("#!{}", own_path())),
    }
}

/// Returns the path of this program.
fn own_path() -> String {
    std::env::current_exe().map_or_else(|_| "/usr/local/bin/rpcgi".into(), |path| path.display().to_string())
}
