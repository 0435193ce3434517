//! `rpcgi init`: writes a manifest, a first one or one of what is there already.
//!
//! | file | what it knows |
//! |---|---|
//! | `source` | what is there: a module, a running service, an OpenRPC document |
//! | `openrpc`, `introspection` | what these two say of methods |
//! | `text` | the text of a manifest |

mod introspection;
mod openrpc;
mod source;
mod text;

use std::fs::{self, OpenOptions};
use std::io::Write;
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use self::source::Found;
use super::{print, report};
use crate::manifest::{ManifestSource, ProgramCheck, Severity, read};
use crate::run::{self, CommandError};

/// The manifest that is written where nothing is there yet, but for its first line.
const FIRST: &str = include_str!("first.toml");

#[derive(clap::Args)]
pub(super) struct InitOptions {
    /// The file; one that is there already is never written
    #[arg(default_value = "service.cgi")]
    file: PathBuf,
    /// Writes a manifest of what is there: a module or script, the URL of a service, an OpenRPC document
    ///
    /// If FILE is there already, the differences are told: the exit status is 0 if there are none, and 1 if any.
    #[arg(long, value_name = "SOURCE")]
    from: Option<String>,
}

/// Writes a manifest, and returns the exit status.
pub(super) fn init(options: &InitOptions) -> ExitCode {
    match &options.from {
        None => run::finish(first(&options.file)),
        Some(source) => match from(&options.file, source) {
            Ok(status) => status,
            Err(error) => run::finish(Err(error)),
        },
    }
}

fn first(path: &Path) -> Result<(), CommandError> {
    let text = format!("{}{FIRST}", first_line()?);
    write_new(path, &text)?;
    let name = path.display();
    let next = format!(
        "{name} is written. What next:\n  rpcgi serve {name}     to try it\n  rpcgi check {name}     to see what a web \
         server would have against it\nThen put it where your web server runs programs. Under Apache, in a folder that is \
         no cgi-bin, the\nfile .htaccess has to say so:\n  Options +ExecCGI\n  AddHandler cgi-script .cgi\n  SetEnvIf \
         Authorization \"(.+)\" HTTP_AUTHORIZATION=$1\nOther files there can be downloaded: keep programs and data in a \
         folder of their own.\n"
    );
    print(next.as_bytes())
}

/// Writes a manifest of what is there, or tells in what one that stands differs from that.
fn from(path: &Path, source: &str) -> Result<ExitCode, CommandError> {
    let Found { service, mut notes } = source::find(path, source)?;
    let text = format!("{}{}", first_line()?, text::of(&service));
    let text = checked(path, text, &mut notes)?;
    for note in notes {
        eprintln!("{note}");
    }
    if path.exists() {
        let standing = fs::read_to_string(path).map_err(|error| report::of_file(path, &error.to_string()))?;
        let differences = differences(&standing, &text);
        print(differences.as_bytes())?;
        return Ok(ExitCode::from(u8::from(!differences.is_empty())));
    }
    write_new(path, &text)?;
    let (name, count) = (path.display(), service.methods.len());
    let methods = if count == 1 { "1 method".to_owned() } else { format!("{count} methods") };
    let next = if service.module.is_some() { "rpcgi serve" } else { "fill in its `run` lines, then: rpcgi check" };
    print(format!("{name} is written, with {methods}. What next: {next} {name}\n").as_bytes())?;
    Ok(ExitCode::SUCCESS)
}

/// Returns the line that names this program.
fn first_line() -> Result<String, CommandError> {
    let program = std::env::current_exe().map_err(|error| format!("where rpcgi is cannot be told: {error}"))?;
    Ok(format!("#!{}\n", program.display()))
}

fn write_new(path: &Path, text: &str) -> Result<(), CommandError> {
    let file = OpenOptions::new().write(true).create_new(true).mode(0o755).open(path);
    let written = file.and_then(|mut file| file.write_all(text.as_bytes()));
    Ok(written.map_err(|error| format!("{} cannot be written: {error}", path.display()))?)
}

/// Reads what is to be written as it will be read, and leaves out examples that do not fit their methods: a document of
/// somebody else may have any.
fn checked(path: &Path, text: String, notes: &mut Vec<String>) -> Result<String, CommandError> {
    let read = |text: &str| read(&ManifestSource::unwritten(path, text.to_owned()), ProgramCheck::Text);
    let found = read(&text);
    if found.manifest.is_some() {
        return Ok(text);
    }
    let errors = found.mistakes.iter().filter(|mistake| mistake.severity == Severity::Error);
    let places: Option<Vec<usize>> = errors.map(|mistake| Some(mistake.span.as_ref()?.start)).collect();
    let fitting = places.and_then(|places| text::without_examples(&text, &places));
    if let Some(fitting) = fitting.filter(|fitting| read(fitting).manifest.is_some()) {
        notes.extend(found.mistakes.iter().map(|mistake| format!("an example is left out: {}", mistake.message)));
        return Ok(fitting);
    }
    let mistakes = report::human(path, &text, &found.mistakes, false);
    Err(format!("what would be written is no manifest, which is a mistake of rpcgi's:\n{mistakes}").into())
}

/// Returns the lines in which a file differs from what would be written, with those around them.
fn differences(standing: &str, written: &str) -> String {
    similar::TextDiff::from_lines(standing, written).unified_diff().header("standing", "written now").to_string()
}
