//! What can be seen of a service from outside.

use std::io::Write;
use std::time::Duration;

use flate2::Compression;
use flate2::write::GzEncoder;
use serde_json::Value as Json;

use super::finding::Report;
use super::mend::{Ill, ServerKind};
use super::probe::{Answer, Probe, Silence};
use crate::protocol::xmlrpc;
use crate::wire::value::{Value, excerpt};

/// A call that changes nothing, and what of an answer says that it is XML-RPC's.
const CALL: &[u8] =
    b"<?xml version=\"1.0\"?>\n<methodCall><methodName>system.getCapabilities</methodName></methodCall>";
const JSON_CALL: &[u8] = br#"{"jsonrpc": "2.0", "id": 1, "method": "system.getCapabilities"}"#;
const XML: (&str, &str) = ("Content-Type", "text/xml");
const JSON: (&str, &str) = ("Content-Type", "application/json");

/// The time that a call may take without a word about it.
const SLOW: Duration = Duration::from_secs(1);

/// Looks at a service, and tells whether it answers calls.
pub(super) fn look(probe: &Probe, files: &[(String, Vec<u8>)], found: &mut Report) -> bool {
    let first = match probe.post(&probe.url, &[XML], CALL) {
        Ok(answer) => answer,
        Err(silence) => {
            silent(&silence, found);
            return false;
        }
    };
    let server = ServerKind::of(first.header("Server").unwrap_or_default());
    // what takes no calls may still hand out its text
    let shown = if first.status == 405 { probe.get(&probe.url, &[]).ok().filter(is_manifest) } else { None };
    if !answers(shown.as_ref().unwrap_or(&first), server, found) {
        return false;
    }
    identity(&first, found);
    times(probe, &first, found);
    json(probe, found);
    page(probe, server, found);
    sizes(probe, server, found);
    compression(probe, server, found);
    path_info(probe, server, found);
    https(probe, found);
    leaks(probe, &first, server, files, found);
    true
}

/// Notes why there is no answer.
fn silent(silence: &Silence, found: &mut Report) {
    match silence {
        Silence::TooLate(took) => found.broken(
            "timeout",
            format!("there is no answer after {} s", took.as_secs()),
            "the web server waits for the program, or a firewall drops what is sent: its error log, the program's log",
        ),
        Silence::Certificate(text) => found.broken(
            "certificate",
            format!("the certificate is not trusted: {text}"),
            "one of a known authority, for this very name, with the chain that belongs to it",
        ),
        Silence::Other(text) => found.broken(
            "unreachable",
            format!("nothing answers: {text}"),
            "the name of the host, the port, and whether the web server runs",
        ),
    }
}

/// Tests whether an answer is the text of a manifest.
fn is_manifest(answer: &Answer) -> bool {
    let text = answer.text();
    text.starts_with("#!") || text.contains("[method.") || text.lines().any(|line| line.starts_with("module = "))
}

/// Tells whether an answer is that of a service, and notes what it is if not.
fn answers(answer: &Answer, server: ServerKind, found: &mut Report) -> bool {
    let text = answer.text();
    let start = answer.excerpt();
    match answer.status {
        200 if is_manifest(answer) => found.broken(
            "source-shown",
            "the manifest's own text is sent to everybody: the web server does not run it",
            server.mend(Ill::NotRun),
        ),
        _ if answer.is_endless => {
            found.broken(
                "endless",
                "the answer has no end: more than 2 MiB were read",
                "this is no service of rpcgi's",
            );
        }
        200 if text.contains("<methodResponse>") => return true,
        200 => found.broken(
            "not-rpcgi",
            format!("what answers there is no XML-RPC service: it begins with \"{start}\""),
            "the URL of the service, with the name of the manifest in it",
        ),
        300..=399 => {
            let to = answer.header("Location").map(excerpt).unwrap_or_else(|| "nowhere".into());
            let mend = format!("clients have to call {to}: a redirected POST loses its call");
            found.broken("redirect", format!("calls are redirected to {to}"), mend);
        }
        401 => found.broken(
            "login",
            "the web server asks for a login before the service sees the call",
            "the doctor has none: let it in for a while, or look with a key from the machine itself",
        ),
        403 | 406 if start.to_lowercase().contains("security") => found.broken(
            "firewall",
            format!("something before the service refuses the call with {}: \"{start}\"", answer.status),
            "let XML documents through (mod_security: SecRuleEngine Off for this URL)",
        ),
        403 => found.broken("forbidden", "the web server refuses to run it (403)", server.mend(Ill::Forbidden)),
        404 | 410 => found.broken(
            "not-found",
            format!("there is nothing at this URL ({})", answer.status),
            "the URL of the service, with the name of the manifest in it",
        ),
        405 => found.broken("no-post", "the web server takes no POST there (405)", server.mend(Ill::NotRun)),
        500 => found.broken(
            "server-error",
            "the program does not start, or ends without an answer (500)",
            server.mend(Ill::Crash),
        ),
        502..=504 => found.broken(
            "no-program",
            format!("the web server does not reach the program behind it ({})", answer.status),
            server.mend(Ill::NoProgram),
        ),
        status => found.broken(
            "odd-status",
            format!("calls are answered with the status {status}: \"{start}\""),
            "the reason stands in the web server's error log",
        ),
    }
    false
}

/// Notes what answers.
fn identity(answer: &Answer, found: &mut Report) {
    let capabilities = xmlrpc::response_from_slice::<Value>(&answer.body).ok().and_then(Result::ok);
    let limits = capabilities.as_ref().and_then(|value| value.member("limits").cloned());
    match limits.as_ref().and_then(|limits| limits.member("specUrl")) {
        Some(Value::String(url)) if url == "urn:rpcgi:limits" => found.ok("calls", "calls are answered, by rpcgi"),
        _ => found.warn(
            "calls",
            "calls are answered, by something else than rpcgi, or by one that does not tell",
            "is this the URL that is meant?",
        ),
    }
}

/// Notes how long calls take, and whether connections are kept.
fn times(probe: &Probe, first: &Answer, found: &mut Report) {
    let Ok(again) = probe.post(&probe.url, &[XML], CALL) else { return };
    let milliseconds = |took: Duration| took.as_secs_f64() * 1000.0;
    let told = format!("a call takes {:.0} ms, the next {:.0} ms", milliseconds(first.took), milliseconds(again.took));
    match again.took > SLOW {
        true => found.warn("time", told, "FastCGI in place of CGI keeps the program, and modules loaded"),
        false => found.ok("time", told),
    }
    match again.header("Connection").is_some_and(|value| value.eq_ignore_ascii_case("close")) {
        true => found.warn(
            "keep-alive",
            "every call needs a connection of its own",
            "keep-alive of the web server (Apache: KeepAlive On)",
        ),
        false => found.ok("keep-alive", "connections are kept for further calls"),
    }
}

/// Notes whether JSON comes through.
fn json(probe: &Probe, found: &mut Report) {
    let answer = match probe.post(&probe.url, &[JSON], JSON_CALL) {
        Ok(answer) => answer,
        Err(silence) => return silent(&silence, found),
    };
    let is_answer = serde_json::from_slice::<Json>(&answer.body).is_ok_and(|answer| answer["jsonrpc"] == "2.0");
    match is_answer {
        true => found.ok("json", "JSON-RPC is answered as well"),
        false => found.warn(
            "json",
            format!("JSON-RPC is answered with the status {}: \"{}\"", answer.status, answer.excerpt()),
            "something before the service takes documents of the type application/json away",
        ),
    }
}

/// Notes whether there is a page.
fn page(probe: &Probe, server: ServerKind, found: &mut Report) {
    match probe.get(&probe.url, &[("Accept", "text/html")]) {
        Ok(answer) if answer.status == 200 && answer.text().to_lowercase().contains("<!doctype html") => {
            found.ok("page", "the page is there");
        }
        Ok(answer) if answer.status == 405 => found.ok("page", "there is no page: docs = \"off\""),
        Ok(answer) => found.warn(
            "page",
            format!("GET is answered with the status {}: \"{}\"", answer.status, answer.excerpt()),
            server.mend(Ill::Forbidden),
        ),
        Err(silence) => silent(&silence, found),
    }
}

/// Notes which sizes of calls come through: 100 KB, 1.5 MB, 10 MB.
fn sizes(probe: &Probe, server: ServerKind, found: &mut Report) {
    let mut largest = 0;
    for size in [100_000, 1_500_000, 10_000_000] {
        let text = "x".repeat(size);
        let call = format!(
            "<?xml version=\"1.0\"?>\n<methodCall><methodName>system.methodHelp</methodName><params><param><value>{text}</value>\
             </param></params></methodCall>"
        );
        let problem = match probe.post(&probe.url, &[XML], call.as_bytes()) {
            Ok(answer) if answer.text().contains("<methodResponse>") => None,
            Ok(answer) => Some(format!("the status {}", answer.status)),
            Err(_) => Some("a closed connection".to_owned()),
        };
        match problem {
            None => largest = size,
            Some(answer) => {
                let what = format!("calls of {} are answered with {answer}; {} pass", told(size), told(largest));
                return found.warn("size", what, server.mend(Ill::Size));
            }
        }
    }
    found.ok("size", "calls of 10 MB pass");
}

fn told(size: usize) -> String {
    match size {
        0 => "small ones".to_owned(),
        size if size < 1_000_000 => format!("{} KB", size / 1000),
        size => format!("{:.1} MB", size as f64 / 1e6),
    }
}

/// Notes whether compression works, both ways.
fn compression(probe: &Probe, server: ServerKind, found: &mut Report) {
    let out = probe.get(&probe.url, &[("Accept-Encoding", "gzip"), ("Accept", "text/html")]);
    let is_compressed =
        out.as_ref().is_ok_and(|answer| answer.header("Content-Encoding") == Some("gzip") || answer.status == 405);
    let mut encoder = GzEncoder::new(Vec::new(), Compression::default());
    let packed = encoder.write_all(CALL).and_then(|()| encoder.finish()).unwrap_or_default();
    let back = probe.post(&probe.url, &[XML, ("Content-Encoding", "gzip")], &packed);
    let is_read = back.is_ok_and(|answer| answer.text().contains("<methodResponse><params>"));
    match (is_compressed, is_read) {
        (true, true) => found.ok("gzip", "compression works, both ways"),
        (false, true) => found.warn("gzip", "answers do not come compressed", server.mend(Ill::Gzip)),
        (true, false) => found.warn("gzip", "compressed calls are not answered", server.mend(Ill::Gzip)),
        (false, false) => found.warn("gzip", "compression works in neither direction", server.mend(Ill::Gzip)),
    }
}

/// Notes whether longer paths come to the program.
fn path_info(probe: &Probe, server: ServerKind, found: &mut Report) {
    let url = format!("{}/doctor", probe.url.split(['?', '#']).next().unwrap_or_default().trim_end_matches('/'));
    match probe.post(&url, &[XML], CALL) {
        // a service that answers at its own path alone says so by itself
        Ok(answer) if answer.text().contains("<methodResponse>") => {
            found.ok("path-info", "what follows the path of the service comes to it as well");
        }
        Ok(_) => found.findings.push(super::finding::Finding {
            id: "path-info",
            level: super::finding::Level::Ok,
            what: "longer paths do not come to the service, which [at] in its manifest would need".into(),
            mend: Some(server.mend(Ill::PathInfo).into()),
        }),
        Err(_) => {}
    }
}

/// Notes whether passwords could be read on the way.
fn https(probe: &Probe, found: &mut Report) {
    let host = probe.url.split("://").nth(1).unwrap_or_default();
    let is_local = ["127.", "localhost", "[::1]"].iter().any(|local| host.starts_with(local));
    match probe.url.starts_with("https:") {
        true => found.ok("https", "the way to it is encrypted"),
        false if is_local => found.ok("https", "the way to it stays on this machine"),
        false => found.warn(
            "https",
            "whoever is on the way can read passwords and answers",
            "a certificate, and https:// for callers",
        ),
    }
}

/// Notes what is told to everybody and should not be.
fn leaks(probe: &Probe, first: &Answer, server: ServerKind, files: &[(String, Vec<u8>)], found: &mut Report) {
    let versions = ["Server", "X-Powered-By"]
        .map(|name| first.header(name).filter(|value| value.contains(|letter: char| letter.is_ascii_digit())));
    match versions.into_iter().flatten().next() {
        Some(version) => {
            found.warn("versions", format!("everybody is told \"{}\"", excerpt(version)), server.mend(Ill::Versions))
        }
        None => found.ok("versions", "no version of the web server is told"),
    }
    let path = probe.url.split(['?', '#']).next().unwrap_or_default();
    let after_host = path.find("://").map_or(0, |at| at + 3);
    let Some(slash) = path[after_host..].rfind('/') else { return };
    let folder = &path[..=after_host + slash];
    if let Ok(answer) = probe.get(folder, &[])
        && answer.status == 200
        && ["<title>Index of", "<h2>Index of", "Directory listing"].iter().any(|mark| answer.text().contains(mark))
    {
        found.warn("listing", format!("everybody may list the files at {folder}"), server.mend(Ill::Listing));
    }
    for (name, beginning) in files {
        let is_fetched = |answer: Answer| answer.status == 200 && answer.body.starts_with(beginning);
        if probe.get(&format!("{folder}{name}"), &[]).is_ok_and(is_fetched) {
            found.broken("source", format!("everybody may fetch {name} at {folder}{name}"), server.mend(Ill::Source));
        }
    }
}
