//! The method `rpcgi.doctor`, by which a deployed service says what it sees: for the holder of a key, and nobody else.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use chrono::{DateTime, Utc};
use serde_json::{Value as Json, json};
use sha2::{Digest, Sha256};

use crate::method::Method;
use crate::service::Request;
use crate::wire::fault::Fault;

/// The name of the method.
pub(crate) const DOCTOR: &str = "rpcgi.doctor";

/// The header that has the key.
pub(crate) const KEY_HEADER: &str = "X-Rpcgi-Doctor-Key";

/// The longest time that a key may be good for.
pub(crate) const LONGEST: Duration = Duration::from_secs(7 * 24 * 3600);

/// Returns the time.
pub(crate) fn now() -> DateTime<Utc> {
    SystemTime::now().into()
}

/// What is known of a key: the digest of its text, and the time of its end.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct DoctorKey {
    digest: [u8; 32],
    end: DateTime<Utc>,
}

impl DoctorKey {
    /// Returns what a manifest has of a key.
    pub(crate) fn line(key: &str, end: DateTime<Utc>) -> String {
        let digest = STANDARD.encode(Sha256::digest(key));
        format!("{{SHA256}}{digest}:{}", end.format("%Y-%m-%dT%H:%M:%SZ"))
    }

    /// Reads that.
    ///
    /// # Errors
    /// A text with what was expected.
    pub(super) fn read(text: &str, now: DateTime<Utc>) -> Result<DoctorKey, String> {
        let expected = || "expected {SHA256}BASE64:END, as `rpcgi doctor --key` prints it".to_owned();
        let (digest, end) = text.strip_prefix("{SHA256}").and_then(|rest| rest.split_once(':')).ok_or_else(expected)?;
        let digest = STANDARD.decode(digest).ok().and_then(|octets| octets.try_into().ok()).ok_or_else(expected)?;
        let end = DateTime::parse_from_rfc3339(end).map_err(|_| expected())?.to_utc();
        match (end - now).to_std() {
            Ok(left) if left > LONGEST + Duration::from_secs(60) => {
                Err(format!("a key is good for 7 days at most, and this one is until {end}"))
            }
            _ => Ok(DoctorKey { digest, end }),
        }
    }

    /// Tests whether it is over.
    pub(super) fn is_over(&self, now: DateTime<Utc>) -> bool {
        self.end <= now
    }

    /// Tests whether a key is this one. All octets are looked at, so that the time tells nothing.
    fn is(&self, key: &str) -> bool {
        let digest = Sha256::digest(key);
        self.digest.iter().zip(digest).fold(0, |different, (one, other)| different | (one ^ other)) == 0
    }
}

/// What is told to the holder of a key.
pub(super) struct Surroundings {
    pub(super) key: DoctorKey,
    /// The manifest's folder.
    pub(super) folder: PathBuf,
    /// The file of the log, if there is one.
    pub(super) log: Option<PathBuf>,
    pub(super) modules: Vec<ModuleState>,
}

/// What is known of a module.
pub(super) struct ModuleState {
    pub(super) file: String,
    pub(super) language: &'static str,
    /// Its path.
    pub(super) interpreter: Option<PathBuf>,
    /// The folder where its description is kept, or why it is not.
    pub(super) cache: Result<PathBuf, String>,
}

impl Surroundings {
    /// Makes the method. Callers without the key, and calls among others, get the answer that a name gets which is
    /// nobody's.
    pub(super) fn method(self) -> Method {
        let answer = move |request: &Request| -> Result<Json, Fault> {
            let is_holder = request.header(KEY_HEADER).is_some_and(|key| self.key.is(&key));
            match is_holder && !self.key.is_over(now()) && is_only_call(request.body()) {
                true => Ok(self.told(request)),
                false => Err(Fault::new(Fault::METHOD_NOT_FOUND, format!("there is no method \"{DOCTOR}\""))),
            }
        };
        Method::new(DOCTOR, answer).hidden()
    }

    fn told(&self, request: &Request) -> Json {
        let variable = |name: &str| request.variable(name).map(|value| value.into_owned());
        let root = variable("DOCUMENT_ROOT");
        let is_within = root.as_ref().is_some_and(|root| root != "/" && self.folder.starts_with(root));
        let modules: Vec<Json> = self.modules.iter().map(ModuleState::told).collect();
        json!({
            "version": env!("CARGO_PKG_VERSION"),
            "process": std::process::id(),
            "user": rustix::process::geteuid().as_raw(),
            "authorization": request.header("Authorization").is_some(),
            "remote_user": request.user(),
            "https": variable("HTTPS").is_some_and(|value| value != "off"),
            "server_software": variable("SERVER_SOFTWARE"),
            "script_name": variable("SCRIPT_NAME"),
            "path_info": variable("PATH_INFO"),
            "request_uri": variable("REQUEST_URI").is_some(),
            "remote_addr": variable("REMOTE_ADDR"),
            "folder_is_served": is_within,
            "log": self.log.as_ref().map(|log| is_writable(log)),
            "modules": modules,
        })
    }
}

impl ModuleState {
    fn told(&self) -> Json {
        let (cache, problem) = match &self.cache {
            Ok(folder) => (Some(folder.display().to_string()), None),
            Err(problem) => (None, Some(problem)),
        };
        json!({
            "file": self.file,
            "language": self.language,
            "interpreter": self.interpreter.as_ref().map(|path| path.display().to_string()),
            "cache": cache,
            "cache_problem": problem,
        })
    }
}

/// Tests whether a log can be written: the file, or its folder where it is not there yet.
fn is_writable(log: &Path) -> bool {
    let place = if log.exists() { log } else { log.parent().unwrap_or(Path::new("/")) };
    fs::metadata(place).is_ok() && rustix::fs::access(place, rustix::fs::Access::WRITE_OK).is_ok()
}

/// Tests whether a document is a call of this method by itself, not one of several.
fn is_only_call(document: &[u8]) -> bool {
    match document.trim_ascii_start().first() {
        Some(b'{') => serde_json::from_slice::<Json>(document).is_ok_and(|call| call["method"] == DOCTOR),
        Some(b'<') => {
            let text = String::from_utf8_lossy(document);
            let name = text.split_once("<methodName>").and_then(|(_, rest)| rest.split_once("</methodName>"));
            name.is_some_and(|(name, _)| name.trim() == DOCTOR)
        }
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use chrono::TimeDelta;

    use super::*;

    #[test]
    fn keys_are_read_as_they_were_written() {
        let now = super::now();
        let line = DoctorKey::line("secret", now + TimeDelta::days(6));
        let key = DoctorKey::read(&line, now).unwrap();
        assert!(key.is("secret") && !key.is("Secret") && !key.is("") && !key.is_over(now));
        assert!(key.is_over(now + TimeDelta::days(6)));
        let year = DoctorKey::line("secret", now + TimeDelta::days(365));
        assert!(DoctorKey::read(&year, now).unwrap_err().starts_with("a key is good for 7 days at most"));
        let over = DoctorKey::read(&DoctorKey::line("secret", now - TimeDelta::days(1)), now).unwrap();
        assert!(over.is_over(now));
        for text in
            ["", "secret", "{SHA256}", "{SHA256}x:2026-11-27T00:00:00Z", "{SHA256}:now", &line.replace('T', " at ")]
        {
            assert!(DoctorKey::read(text, now).unwrap_err().starts_with("expected {SHA256}BASE64:END"), "{text}");
        }
    }

    #[test]
    fn calls_among_others_are_none() {
        let xml =
            |name: &str| format!("<?xml version=\"1.0\"?>\n<methodCall><methodName>{name}</methodName></methodCall>");
        for (document, is_only) in [
            (xml(DOCTOR), true),
            (xml("system.multicall") + "<methodName>rpcgi.doctor</methodName>", false),
            (format!("{{\"method\": \"{DOCTOR}\"}}"), true),
            (format!("[{{\"method\": \"{DOCTOR}\"}}]"), false),
            (String::new(), false),
        ] {
            assert_eq!(is_only_call(document.as_bytes()), is_only, "{document}");
        }
    }
}
