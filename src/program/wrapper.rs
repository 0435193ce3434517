//! Many manifests in one process: each request names its own, as with mod_fcgid's `FcgidWrapper`.
//!
//! The web server derives that file from the URL. So a file is taken only if its name has one of the suffixes, and its
//! owner could as well put programs there.

use std::collections::HashMap;
use std::fs;
use std::num::NonZeroUsize;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread;

use super::reload::{OnMistake, ReloadingManifest};
use crate::gateway::cgi;
use crate::service::Limits;
use crate::service::logger;
use crate::service::{Request, Response, Service};

/// The most manifests that are kept: each may have workers.
const MAX_MANIFESTS: usize = 64;

/// The number of threads: calls that wait for the programs of one manifest must not hold up the others.
const THREADS: NonZeroUsize = NonZeroUsize::new(128).expect("it is not zero");

/// The manifests that requests have named.
pub(super) struct Wrapper {
    suffixes: Vec<String>,
    /// The users who may own them.
    owners: Vec<u32>,
    kept: Mutex<Manifests>,
}

#[derive(Default)]
struct Manifests {
    /// By their paths without links; each with the number of the last request that named it.
    by_path: HashMap<PathBuf, (Arc<ReloadingManifest>, u64)>,
    asked: u64,
}

impl Wrapper {
    pub(super) fn new(suffixes: Vec<String>) -> Wrapper {
        let program = std::env::current_exe().and_then(fs::metadata).map(|program| program.uid());
        let owners = [0, rustix::process::geteuid().as_raw()].into_iter().chain(program).collect();
        Wrapper { suffixes, owners, kept: Mutex::default() }
    }

    /// Returns the manifest that a request names.
    fn find(&self, request: &Request) -> Result<Arc<ReloadingManifest>, String> {
        let named = request.variable("SCRIPT_FILENAME");
        let named =
            named.ok_or("there is no SCRIPT_FILENAME: the web server has to set it to the path of a manifest")?;
        let problem = |problem: String| format!("{named}: {problem}");
        let path = fs::canonicalize(Path::new(&*named)).map_err(|error| problem(error.to_string()))?;
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        if !self.suffixes.iter().any(|suffix| name.ends_with(suffix)) {
            return Err(problem(format!("expected a name that ends in {}", self.suffixes.join(" or "))));
        }
        if let Some(kept) = self.lock().ask(&path) {
            return Ok(kept);
        }
        let kept = ReloadingManifest::with_owners(&path, OnMistake::KeepOld, Some(self.owners.clone()));
        if let Some(problem) = kept.problem() {
            log::error!("{problem}");
        }
        Ok(self.lock().add(path, Arc::new(kept)))
    }

    fn lock(&self) -> MutexGuard<'_, Manifests> {
        self.kept.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Stops all workers.
    pub(super) fn stop(&self) {
        let all: Vec<Arc<ReloadingManifest>> = self.lock().by_path.values().map(|(kept, _)| Arc::clone(kept)).collect();
        thread::scope(|scope| {
            for kept in &all {
                scope.spawn(|| kept.stop());
            }
        });
    }
}

impl Manifests {
    fn ask(&mut self, path: &Path) -> Option<Arc<ReloadingManifest>> {
        self.asked += 1;
        let (kept, asked) = self.by_path.get_mut(path)?;
        *asked = self.asked;
        Some(Arc::clone(kept))
    }

    /// Adds a manifest, unless another thread has; the one least recently named makes room for it.
    fn add(&mut self, path: PathBuf, kept: Arc<ReloadingManifest>) -> Arc<ReloadingManifest> {
        if self.by_path.len() >= MAX_MANIFESTS && !self.by_path.contains_key(&path) {
            let oldest = self.by_path.iter().min_by_key(|(_, (_, asked))| *asked).map(|(path, _)| path.clone());
            oldest.and_then(|oldest| self.by_path.remove(&oldest));
        }
        let asked = self.asked;
        Arc::clone(&self.by_path.entry(path).or_insert((kept, asked)).0)
    }
}

impl Service for Wrapper {
    fn limits(&self) -> Limits {
        Limits { threads: Some(THREADS), ..Limits::default() }
    }

    fn handle(&self, request: &Request) -> Response {
        match self.find(request) {
            Ok(kept) => logger::named(&kept.path().to_string_lossy(), || kept.handle(request)),
            Err(problem) => {
                log::error!("{problem}");
                cgi::out_of_order()
            }
        }
    }
}
