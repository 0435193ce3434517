//! `rpcgi doctor`: asks a deployed service as a client would, and says what its host does.
//!
//! | file | what it knows |
//! |---|---|
//! | `probe` | requests to the service, each bounded in time and octets |
//! | `outside`, `inside` | what can be seen from outside, and what the service itself tells the holder of a key |
//! | `finding` | what was found, for people and for programs |
//! | `mend` | the directives that mend it, by web server |

mod finding;
mod inside;
mod mend;
mod outside;
mod probe;

use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::Duration;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

use self::finding::{Level, Report};
use self::probe::Probe;
use super::{print, report};
use crate::manifest::{DoctorKey, LONGEST, ManifestSource, ProgramCheck, now, read};
use crate::run::{self, CommandError};

pub(super) const HELP: &str = "\
Asks a deployed service as a client would, and says what its host does

Exit status: 0 if all is well, 1 for warnings, 2 if it is broken. What cannot be
seen from outside is told to the holder of a key: `rpcgi doctor --key` prints one,
with a line for the manifest that is good for 7 days; then
`rpcgi doctor URL --key-file FILE`, where FILE has the key.";

#[derive(clap::Args)]
pub(super) struct DoctorOptions {
    /// The URL of the service, or a manifest whose `url` tells it
    #[arg(required_unless_present = "key")]
    service: Option<String>,
    /// Prints a new key, and the line for the manifest
    #[arg(long, conflicts_with_all = ["service", "key_file", "json"])]
    key: bool,
    /// The file that has the key
    #[arg(long, value_name = "FILE")]
    key_file: Option<PathBuf>,
    /// Writes an array of objects: id, level, what, mend
    #[arg(long)]
    json: bool,
    /// The time to wait for each answer, in seconds
    #[arg(long, value_name = "SECONDS", default_value_t = 20, value_parser = clap::value_parser!(u64).range(1..=600))]
    timeout: u64,
}

/// Looks at a service, and returns the exit status.
pub(super) fn doctor(options: &DoctorOptions) -> ExitCode {
    if options.key {
        return run::finish(print_key());
    }
    match look(options) {
        Ok(found) => {
            let text = if options.json { found.json() } else { found.human() };
            // a reader that goes away has seen enough
            _ = print(text.as_bytes());
            ExitCode::from(match found.worst() {
                Level::Ok => 0,
                Level::Warning => 1,
                Level::Broken => 2,
            })
        }
        Err(error) => run::finish(Err(error)),
    }
}

/// What is to be looked at.
struct Patient {
    url: String,
    /// Files that nobody should be able to fetch, if the manifest is known: names, and how they begin.
    files: Vec<(String, Vec<u8>)>,
}

fn look(options: &DoctorOptions) -> Result<Report, CommandError> {
    let service = options.service.as_deref().unwrap_or_default();
    let patient = if service.contains("://") { of_url(service)? } else { of_manifest(Path::new(service))? };
    let key = options.key_file.as_deref().map(read_key).transpose()?;
    let probe = Probe::new(&patient.url, Duration::from_secs(options.timeout));
    let mut found = Report::new(&patient.url);
    if outside::look(&probe, &patient.files, &mut found)
        && let Some(key) = key
    {
        inside::look(&probe, &key, &mut found);
    }
    Ok(found)
}

fn of_url(url: &str) -> Result<Patient, CommandError> {
    if !url.starts_with("http://") && !url.starts_with("https://") {
        return Err(CommandError::usage(format!(
            "expected a URL as https://HOST/PATH, found \"{}\"",
            url.escape_debug()
        )));
    }
    Ok(Patient { url: url.to_owned(), files: Vec::new() })
}

/// Takes the URL of a manifest, and the files beside it.
fn of_manifest(path: &Path) -> Result<Patient, CommandError> {
    let source = ManifestSource::open(path).map_err(|problem| report::of_file(path, &problem.to_string()))?;
    let mistakes = read(&source, ProgramCheck::Text);
    let url = mistakes.url.ok_or_else(|| {
        let help = "url = \"https://HOST/PATH\" tells where it is deployed, or give that URL in place of the manifest";
        CommandError::usage(report::of_file(path, &format!("it has no `url`: {help}")))
    })?;
    let own = path.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
    let files = std::fs::read_dir(source.folder()).into_iter().flatten().flatten();
    let files = files.filter(|file| file.file_type().is_ok_and(|kind| kind.is_file())).take(MAX_FILES);
    let files = files.map(|file| file.file_name().to_string_lossy().into_owned()).filter(|name| *name != own);
    let beginning = |name: String| {
        let octets = std::fs::read(source.folder().join(&name)).ok()?;
        Some((name, octets.into_iter().take(200).collect())).filter(|(_, octets): &(_, Vec<u8>)| !octets.is_empty())
    };
    Ok(Patient { url, files: files.filter_map(beginning).collect() })
}

/// The most files beside a manifest that are asked for.
const MAX_FILES: usize = 50;

fn read_key(path: &Path) -> Result<String, CommandError> {
    let text = std::fs::read_to_string(path).map_err(|error| report::of_file(path, &error.to_string()))?;
    let key = text
        .lines()
        .map(str::trim)
        .find(|line| !line.is_empty() && !line.starts_with('#') && !line.starts_with("doctor"));
    match key.filter(|key| key.len() >= 32 && key.bytes().all(|octet| octet.is_ascii_graphic())) {
        Some(key) => Ok(key.to_owned()),
        None => Err(CommandError::usage(report::of_file(path, "expected a key, as `rpcgi doctor --key` prints it"))),
    }
}

fn print_key() -> Result<(), CommandError> {
    let mut octets = [0; 32];
    getrandom::fill(&mut octets).map_err(|error| format!("there is no randomness: {error}"))?;
    let key = URL_SAFE_NO_PAD.encode(octets);
    let line = DoctorKey::line(&key, now() + LONGEST);
    let text = format!(
        "# The key: keep it in a file of yours, for rpcgi doctor URL --key-file FILE\n{key}\n\n# The line for the top of \
         the manifest; it is good for 7 days, and tells nobody the key\ndoctor = \"{line}\"\n"
    );
    print(text.as_bytes())
}
