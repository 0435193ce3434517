//! What is there already: a module, a running service, an OpenRPC document.

use std::fs;
use std::path::Path;

use serde_json::Value as Json;

use super::text::{MethodText, ServiceText};
use super::{introspection, openrpc};
use crate::manifest::{Manifest, ManifestSource, ProgramCheck, ReadManifest, Severity, read};
use crate::program::http::{self, HttpError};
use crate::program::report;
use crate::run::CommandError;
use crate::service::{PageRequest, Service};

/// What was found, and what its author should know.
pub(super) struct Found {
    pub(super) service: ServiceText,
    pub(super) notes: Vec<String>,
}

/// Looks at a source, for a manifest at a path.
pub(super) fn find(manifest: &Path, source: &str) -> Result<Found, CommandError> {
    if source.starts_with("http://") || source.starts_with("https://") {
        return of_url(source).map_err(|message| format!("{source}: {message}").into());
    }
    let path = Path::new(source);
    let octets = fs::read(path).map_err(|error| report::of_file(path, &error.to_string()))?;
    let is_json = octets.trim_ascii_start().starts_with(b"{") && path.extension().is_none_or(|found| found != "rpcgi");
    match is_json {
        true => of_document(&octets).map_err(|message| report::of_file(path, &message).into()),
        false => of_module(manifest, path),
    }
}

/// Reads the document of OpenRPC in a file.
fn of_document(octets: &[u8]) -> Result<Found, String> {
    let document: Json = serde_json::from_slice(octets).map_err(|error| format!("expected JSON: {error}"))?;
    if !openrpc::is_one(&document) {
        return Err("expected an OpenRPC document: an object with `openrpc` and `methods`".into());
    }
    let mut notes = Vec::new();
    let service = openrpc::read(&document, &mut notes);
    Ok(Found { service: titled(service, "Service"), notes })
}

/// Asks a service: for its OpenRPC document, or else method by method.
fn of_url(url: &str) -> Result<Found, String> {
    let question = br#"{"jsonrpc": "2.0", "id": 1, "method": "rpc.discover", "params": []}"#;
    let answer = match http::post(url, "application/json", question) {
        Ok(answer) => answer,
        // a document by itself is not posted to
        Err(HttpError::Status(..)) => http::get(url).unwrap_or_default(),
        Err(error) => return Err(error.into_message()),
    };
    let answer: Option<Json> = serde_json::from_slice(&answer).ok();
    let document = answer.as_ref().map(|answer| answer.get("result").unwrap_or(answer));
    let mut notes = Vec::new();
    let service = match document.filter(|document| openrpc::is_one(document)) {
        Some(document) => openrpc::read(document, &mut notes),
        None => introspection::read(url, &mut notes)?,
    };
    Ok(Found { service: titled(service, "Service"), notes })
}

/// Gives a service a title that has none.
fn titled(service: ServiceText, title: &str) -> ServiceText {
    match service.title.is_empty() {
        true => ServiceText { title: title.to_owned(), ..service },
        false => service,
    }
}

/// Loads a module as a manifest would, and takes what its page would say.
fn of_module(manifest: &Path, path: &Path) -> Result<Found, CommandError> {
    let module = relative(manifest, path)?;
    let quoted = serde_json::to_string(&module).map_err(|error| error.to_string())?;
    let text = format!("module = {quoted}\n");
    let source = ManifestSource::unwritten(manifest, text);
    let ReadManifest { manifest: loaded, mistakes, .. } = read(&source, ProgramCheck::Programs);
    let Some(Manifest { server, workers, functions, scripts }) = loaded else {
        let errors = mistakes.iter().filter(|mistake| mistake.severity == Severity::Error);
        let texts: Vec<String> = errors.map(|mistake| mistake.message.clone()).collect();
        return Err(report::of_file(path, &texts.join("; ")).into());
    };
    let endpoint = server.build().map_err(|error| error.to_string())?;
    let request = PageRequest { path: None, format: "openrpc", url: None };
    let document = endpoint.about().and_then(|about| about.page(&request)).transpose();
    let document = document.map_err(CommandError::usage)?.unwrap_or_default();
    workers.stop();
    let document: Json = serde_json::from_str(&document).map_err(|error| error.to_string())?;
    let mut notes: Vec<String> = mistakes.into_iter().map(|mistake| mistake.message).collect();
    let mut service = openrpc::read(&document, &mut notes);
    // in the order of the source
    let place = |method: &MethodText| functions.iter().position(|name| *name == method.name);
    service.methods.sort_by_key(place);
    service.methods.iter_mut().for_each(|method| method.help = without_more(&method.help));
    let stem = |path: &Path| path.file_stem().unwrap_or_default().to_string_lossy().into_owned();
    if service.title == stem(manifest) {
        service.title = stem(path);
    }
    service.module = Some(module);
    if !scripts.is_empty() {
        notes.extend(of_script(path));
    }
    Ok(Found { service, notes })
}

/// Returns the path of a module as a manifest in another place names it.
fn relative(manifest: &Path, module: &Path) -> Result<String, CommandError> {
    let shown = |path: &Path| path.display().to_string();
    let of_file = |error: std::io::Error| report::of_file(module, &error.to_string());
    let module = fs::canonicalize(module).map_err(of_file)?;
    let folder = manifest.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let folder = fs::canonicalize(folder).map_err(|error| format!("{}: {error}", folder.display()))?;
    Ok(module.strip_prefix(&folder).map_or_else(|_| shown(&module), shown))
}

/// Leaves out the paragraphs of a help that are made of what a function takes besides its params.
fn without_more(help: &str) -> String {
    let is_made = |paragraph: &&str| {
        paragraph.starts_with("Any number of further params may follow")
            || paragraph.starts_with("Params of any further names may be given")
    };
    help.split("\n\n").filter(|paragraph| !is_made(paragraph)).collect::<Vec<_>>().join("\n\n")
}

/// Says what will differ from the script by itself.
fn of_script(path: &Path) -> Vec<String> {
    let name = path.display();
    vec![
        format!("{name} is a script: it was run to see what it serves. What will differ:"),
        "* faults of unknown names, wrong params and exceptions have codes of their own, and exceptions stay in the log; \
         compat = \"python\", \"twisted\", \"odoo\" or \"phpxmlrpc\" restores those of another system"
            .into(),
        "* None is answered as nil; nil = false makes it a fault again".into(),
        "* there are `system.` methods, a page and JSON-RPC whatever the script says; introspection = false, docs = \
         \"off\""
            .into(),
        "* params are checked against what stands in the manifest: without a [method] entry the function sees them as \
         they come"
            .into(),
        "* what the script prints goes to the log, and by FastCGI one process answers many calls".into(),
    ]
}
