//! What the service itself sees, told to the holder of a key.

use serde_json::Value as Json;

use super::finding::Report;
use super::mend::{Ill, ServerKind};
use super::probe::Probe;
use crate::manifest::{DOCTOR, KEY_HEADER};

/// Asks the service, and notes what it tells.
pub(super) fn look(probe: &Probe, key: &str, found: &mut Report) {
    let call = format!("{{\"jsonrpc\": \"2.0\", \"id\": 1, \"method\": \"{DOCTOR}\"}}");
    // of a user who is nobody: only whether the header arrives is of interest
    let headers = [("Content-Type", "application/json"), (KEY_HEADER, key), ("Authorization", "Basic ZG9jdG9yOg==")];
    let Ok(answer) = probe.post(&probe.url, &headers, call.as_bytes()) else { return };
    let again = probe.post(&probe.url, &headers, call.as_bytes()).ok();
    let server = ServerKind::of(answer.header("Server").unwrap_or_default());
    let told: Json = serde_json::from_slice(&answer.body).unwrap_or_default();
    let Some(told) = told.get("result").filter(|told| told.is_object()) else {
        let mend =
            "is the line of `rpcgi doctor --key` in the manifest that answers there, not over, and this its key?";
        return found.warn("key", "the service does not take the key", mend);
    };
    let process = |answer: &Json| answer["result"]["process"].clone();
    let next = again.and_then(|answer| serde_json::from_slice::<Json>(&answer.body).ok());
    match next.is_some_and(|next| process(&next) == told["process"]) {
        true => found.ok("gateway", "it keeps running between calls: FastCGI, or a server of its own"),
        false => found.ok("gateway", "it is started for each call: CGI, or one of several processes"),
    }
    match told["authorization"] == true {
        true => found.ok("authorization", "the header Authorization arrives"),
        false => found.warn(
            "authorization",
            "the header Authorization does not arrive: no method learns who calls",
            server.mend(Ill::Authorization),
        ),
    }
    if probe.url.starts_with("https:") && told["https"] != true {
        found.warn(
            "https-seen",
            "the service does not see that the way is encrypted",
            "url = \"https://..\" in the manifest",
        );
    }
    if told["user"] == 0 {
        found.warn(
            "root",
            "it runs as root",
            "a user of its own: User in Apache and nginx, suEXEC, the unit of systemd",
        );
    }
    if told["folder_is_served"] == true {
        found.warn(
            "folder",
            "the manifest's folder is inside of what the web server hands out",
            "a cgi-bin outside of the documents, or rules for its other files",
        );
    }
    match &told["log"] {
        Json::Bool(false) => {
            found.warn("log", "the log cannot be written", "let the user who runs the service write to it")
        }
        Json::Bool(true) => found.ok("log", "the log can be written"),
        _ => found.ok("log", "the log goes to the web server's own"),
    }
    for module in told["modules"].as_array().into_iter().flatten() {
        of_module(module, found);
    }
}

fn of_module(module: &Json, found: &mut Report) {
    let text = |name: &str| module[name].as_str().unwrap_or_default();
    let (file, language) = (text("file"), text("language"));
    match module["interpreter"].as_str() {
        Some(interpreter) => found.ok("interpreter", format!("{file} is {language}, run by {interpreter}")),
        None => found.broken(
            "interpreter",
            format!("nothing is there to run {file}, which is {language}"),
            "interpreter = \"/path/to/it\"",
        ),
    }
    match module["cache"].as_str() {
        Some(folder) if folder.starts_with("/tmp") => found.warn(
            "cache",
            format!("what is known of {file} is kept in {folder}, where no code is kept: calls by CGI take longer"),
            "cache = \"../cache\", a private folder of the user who runs it",
        ),
        Some(folder) => found.ok("cache", format!("what is known of {file} is kept in {folder}")),
        None => found.warn(
            "cache",
            format!("{file} is described anew at each call by CGI: {}", text("cache_problem")),
            "cache = \"../cache\", a private folder of the user who runs it",
        ),
    }
}
