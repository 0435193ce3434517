//! Many manifests in one process: each request names its own, as with mod_fcgid's `FcgidWrapper`.
//!
//! Which file that is, the web server decides by the URL. So only files are taken whose names end as they should, and
//! that belong to somebody who could as well put programs there.

use std::collections::HashMap;
use std::fs;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use super::kept::{Kept, WhenBroken};
use crate::gateway::cgi;
use crate::limits::Limits;
use crate::service::{Request, Response, Service};

/// The most manifests that are kept: each may have workers.
const MOST: usize = 64;

/// The manifests that have been asked for.
pub(super) struct Wrapper {
    suffixes: Vec<String>,
    kept: Mutex<HashMap<PathBuf, Arc<Kept>>>,
}

impl Wrapper {
    pub(super) fn new(suffixes: Vec<String>) -> Wrapper {
        Wrapper { suffixes, kept: Mutex::default() }
    }

    /// The manifest that a request names.
    fn find(&self, request: &Request) -> Result<Arc<Kept>, String> {
        let named = request
            .variable("SCRIPT_FILENAME")
            .ok_or("there is no SCRIPT_FILENAME: the web server has to set it to the path of a manifest")?;
        let path = Path::new(&*named);
        self.check(path)?;
        if let Some(kept) = self.lock().get(path) {
            return Ok(Arc::clone(kept));
        }
        let kept = Arc::new(Kept::new(path, WhenBroken::KeepOld)?);
        let mut all = self.lock();
        if all.len() >= MOST {
            // any will do: it is read again when it is asked for
            let first = all.keys().next().cloned();
            first.and_then(|first| all.remove(&first));
        }
        Ok(Arc::clone(all.entry(path.to_owned()).or_insert(kept)))
    }

    /// Whether a file may be served.
    fn check(&self, path: &Path) -> Result<(), String> {
        let problem = |problem: &str| Err(format!("{}: {problem}", path.display()));
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        if !path.is_absolute() || !self.suffixes.iter().any(|suffix| name.ends_with(suffix)) {
            return problem(&format!("expected an absolute path that ends in {}", self.suffixes.join(" or ")));
        }
        let Ok(metadata) = fs::metadata(path) else { return problem("there is no such file") };
        let program = std::env::current_exe().and_then(fs::metadata).map(|program| program.uid());
        let trusted = [Some(0), Some(rustix::process::geteuid().as_raw()), program.ok()];
        match trusted.contains(&Some(metadata.uid())) {
            true => Ok(()),
            false => problem(
                "it belongs to a user who may be anybody: expected root, or who this program runs as or belongs to",
            ),
        }
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<PathBuf, Arc<Kept>>> {
        self.kept.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Lets all workers end.
    pub(super) fn stop(&self) {
        self.lock().values().for_each(|kept| kept.stop());
    }
}

impl Service for Wrapper {
    fn limits(&self) -> Limits {
        Limits::default()
    }

    fn handle(&self, request: &Request) -> Response {
        match self.find(request) {
            Ok(kept) => kept.handle(request),
            Err(problem) => {
                log::error!("{problem}");
                cgi::out_of_order()
            }
        }
    }
}
