//! A manifest that a web server runs by CGI: this program is what its first line names.
//!
//! The command line has the manifest, and after it what the client has put into the query: Apache appends a query
//! without `=` (RFC 3875 §4.4). So exactly one word of it is read, and only if it is the file that the web server says
//! it runs.

use std::ffi::OsString;
use std::fs::File;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use http::StatusCode;

use super::report;
use crate::gateway::cgi;
use crate::manifest::{Identity, Manifest, ManifestSource, ProgramCheck, ReadManifest, end_programs, read};
use crate::run;
use crate::server::Server;
use crate::service::logger;
use crate::service::{Response, Service};

/// The reason why there is no manifest to serve.
enum ScriptError {
    /// The program was not started by a manifest.
    NoManifest,
    /// A manifest started it but does not work; the cause is for the log.
    OutOfOrder(String),
}

const EXPLANATION: &str = "This is the program rpcgi, not a service. Move it to a folder that the web server does not serve, \
    and put a manifest here whose first line names it: #!/path/to/rpcgi";

/// Answers the one request.
pub(super) fn answer() -> ExitCode {
    let name = |variable| std::env::var_os(variable).filter(|value| !value.is_empty());
    let written = match manifest(std::env::args_os().nth(1), name("SCRIPT_FILENAME")) {
        Ok(Manifest { server, workers, .. }) => {
            end_programs();
            let script = name("SCRIPT_FILENAME").unwrap_or_default();
            let answered = logger::named(&script.to_string_lossy(), || serve(server));
            let retired = workers.retire();
            detach_stdio();
            retired.dismiss();
            return answered;
        }
        Err(ScriptError::NoManifest) => cgi::respond(Response::text(StatusCode::FORBIDDEN, EXPLANATION)),
        Err(ScriptError::OutOfOrder(cause)) => {
            log::error!("{cause}");
            cgi::respond(cgi::out_of_order())
        }
    };
    run::written(written)
}

/// Answers the one request with a service.
fn serve(server: Server) -> ExitCode {
    logger::let_through(server.log_level());
    match server.build() {
        Ok(endpoint) => {
            endpoint.start();
            run::answer_cgi(endpoint)
        }
        Err(error) => run::refuse(&error),
    }
}

/// Replaces stdin, stdout and stderr after the answer: the web server waits as long as one of them is open.
fn detach_stdio() {
    if let Ok(nothing) = File::options().read(true).write(true).open("/dev/null") {
        _ = rustix::stdio::dup2_stdin(&nothing);
        _ = rustix::stdio::dup2_stdout(&nothing);
        _ = rustix::stdio::dup2_stderr(&nothing);
    }
}

/// Reads the manifest, if the first word of the command line is the file that the web server runs.
fn manifest(word: Option<OsString>, script: Option<OsString>) -> Result<Manifest, ScriptError> {
    let path = word.map(PathBuf::from).ok_or(ScriptError::NoManifest)?;
    let Some(script) = script.map(PathBuf::from) else {
        let cause = "there is no SCRIPT_FILENAME: the web server has to set it to the path of the manifest";
        return Err(ScriptError::OutOfOrder(cause.into()));
    };
    let file = |path: &Path| Identity::at(path).ok().map(|identity| identity.file);
    let script_file = file(&script);
    if script_file.is_none() || script_file == own_file() || file(&path) != script_file {
        return Err(ScriptError::NoManifest);
    }
    let source = ManifestSource::open(&path)
        .map_err(|problem| ScriptError::OutOfOrder(report::of_file(&path, &problem.to_string())))?;
    if Some(source.identity.file) != script_file {
        return Err(ScriptError::NoManifest);
    }
    let ReadManifest { manifest, mistakes, .. } = read(&source, ProgramCheck::Text);
    manifest.ok_or_else(|| ScriptError::OutOfOrder(report::one_line(&path, &source.text, &mistakes)))
}

/// Returns the device and inode of this program's file.
pub(super) fn own_file() -> Option<(u64, u64)> {
    let path = std::env::current_exe().ok()?;
    Some(Identity::at(&path).ok()?.file)
}
