//! A manifest that a long-running process serves, and reads anew when its file has changed.

use std::io::IsTerminal;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, TryLockError};
use std::time::{Duration, Instant};

use http::StatusCode;

use super::report;
use crate::gateway::cgi;
use crate::manifest::{Identity, Manifest, ManifestSource, ProgramCheck, ReadManifest, WatchedFiles, Workers, read};
use crate::server::Endpoint;
use crate::service::Limits;
use crate::service::logger;
use crate::service::{Request, Response, Service};

/// The behaviour while the file has mistakes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum OnMistake {
    /// Tells them to the caller, who is the author.
    Tell,
    /// Serves the manifest as it was before.
    KeepOld,
}

/// The users who may own the file of a manifest; `None` for any user.
pub(super) type Owners = Option<Vec<u32>>;

/// The least delay before a manifest that could not be read is tried again unchanged.
const RETRY: Duration = Duration::from_millis(200);

/// The same as a multiple of the time that the try took: a module may take long to fail.
const PAUSE: u32 = 10;

/// A manifest and its service.
pub(super) struct ReloadingManifest {
    path: PathBuf,
    on_mistake: OnMistake,
    owners: Owners,
    state: Mutex<LoadedManifest>,
    /// Held by the one that reads the manifest anew.
    reading: Mutex<()>,
}

/// The service of a state of the file.
#[derive(Clone)]
struct LoadedManifest {
    /// None if the file could not be read.
    identity: Option<Identity>,
    /// The other files it depends on.
    files: WatchedFiles,
    serving: Result<Arc<Serving>, String>,
    /// The problem that was reported last, and the time from which a manifest with one is tried again.
    problem: Option<String>,
    retry: Option<Instant>,
}

struct Serving {
    endpoint: Endpoint,
    workers: Arc<Workers>,
}

impl ReloadingManifest {
    /// Reads a manifest to serve.
    ///
    /// # Errors
    /// The problem that keeps it from being served, for the operator.
    pub(super) fn new(path: &Path, on_mistake: OnMistake) -> Result<ReloadingManifest, String> {
        let kept = ReloadingManifest::with_owners(path, on_mistake, None);
        kept.lock().serving.as_ref().map_err(Clone::clone)?;
        Ok(kept)
    }

    /// The same for a file that has to belong to one of `owners`; `problem` returns what is wrong with it.
    pub(super) fn with_owners(path: &Path, on_mistake: OnMistake, owners: Owners) -> ReloadingManifest {
        let state = LoadedManifest::read(path, on_mistake, &owners);
        ReloadingManifest {
            path: path.to_owned(),
            on_mistake,
            owners,
            state: Mutex::new(state),
            reading: Mutex::new(()),
        }
    }

    /// Returns the reason why the manifest is not served, if it is not.
    pub(super) fn problem(&self) -> Option<String> {
        self.lock().serving.as_ref().err().cloned()
    }

    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    /// Returns the service of the file as it is now. While one call reads it anew, the others go on with what it was.
    fn serving(&self) -> Result<Arc<Serving>, String> {
        let known = self.lock().clone();
        if !known.is_due(&self.path) {
            return known.serving;
        }
        match (self.reading.try_lock(), known.serving) {
            (Err(TryLockError::WouldBlock), Ok(serving)) => return Ok(serving),
            (Err(TryLockError::WouldBlock), Err(_)) => drop(self.reading.lock()),
            (Ok(_) | Err(TryLockError::Poisoned(_)), _) => {
                // it may have been read since
                if self.lock().clone().is_due(&self.path) {
                    self.read_anew();
                }
            }
        }
        self.lock().serving.clone()
    }

    #[cold]
    fn read_anew(&self) {
        let new = LoadedManifest::read(&self.path, self.on_mistake, &self.owners);
        let mut state = self.lock();
        let Err(problem) = &new.serving else {
            *state = new;
            return;
        };
        // a problem is logged once, however often it is met
        let is_news = state.problem.as_ref() != Some(problem);
        let problem = problem.clone();
        match self.on_mistake {
            OnMistake::KeepOld => {
                if is_news && state.serving.is_ok() {
                    log::error!("{problem}; it is served as it was before");
                } else if is_news {
                    log::error!("{problem}");
                }
                let serving = state.serving.clone();
                *state = LoadedManifest { serving, problem: Some(problem), ..new };
            }
            OnMistake::Tell => {
                if is_news {
                    eprintln!("{problem}\n");
                }
                *state = LoadedManifest { problem: Some(problem), ..new };
            }
        }
    }

    fn lock(&self) -> MutexGuard<'_, LoadedManifest> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Stops the workers.
    pub(super) fn stop(&self) {
        let serving = self.lock().serving.clone();
        if let Ok(serving) = serving {
            serving.workers.stop();
        }
    }
}

impl Service for ReloadingManifest {
    fn limits(&self) -> Limits {
        let serving = self.lock().serving.clone();
        serving.map_or_else(|_| Limits::default(), |serving| serving.endpoint.limits())
    }

    /// A manifest sets no guards.
    fn has_guards(&self) -> bool {
        false
    }

    fn is_own_host(&self, request: &Request) -> bool {
        self.serving().is_ok_and(|serving| serving.endpoint.is_own_host(request))
    }

    fn handle(&self, request: &Request) -> Response {
        match self.serving() {
            Ok(serving) => serving.endpoint.handle(request),
            Err(problem) if self.on_mistake == OnMistake::Tell => {
                Response::text(StatusCode::INTERNAL_SERVER_ERROR, problem)
            }
            Err(_) => cgi::out_of_order(),
        }
    }
}

impl LoadedManifest {
    /// Tests whether it has to be read anew. A file that cannot be seen, as in the middle of being replaced, counts as
    /// unchanged.
    fn is_due(&self, path: &Path) -> bool {
        let Ok(identity) = Identity::at(path) else { return false };
        let is_retried = self.retry.is_some_and(|retry| Instant::now() >= retry);
        is_retried || self.identity.as_ref().is_some_and(|known| *known != identity) || self.files.have_changed()
    }

    fn read(path: &Path, on_mistake: OnMistake, owners: &Owners) -> LoadedManifest {
        let started = Instant::now();
        let mut loaded = LoadedManifest::read_once(path, on_mistake, owners);
        if loaded.serving.is_err() {
            loaded.retry = Some(Instant::now() + RETRY.max(started.elapsed() * PAUSE));
        }
        loaded
    }

    fn read_once(path: &Path, on_mistake: OnMistake, owners: &Owners) -> LoadedManifest {
        let broken = |identity, problem| LoadedManifest {
            identity,
            files: WatchedFiles::default(),
            serving: Err(problem),
            problem: None,
            retry: None,
        };
        let source = match ManifestSource::open(path) {
            Ok(source) => source,
            Err(problem) => return broken(None, report::of_file(path, &problem.to_string())),
        };
        let identity = Some(source.identity.clone());
        // a link may have been put in its place
        if owners.is_some() && source.path != path {
            return broken(None, report::of_file(path, "it is somewhere else by now"));
        }
        if owners.as_ref().is_some_and(|owners| !owners.contains(&source.owner)) {
            return broken(identity, report::of_file(path, FOREIGN));
        }
        let look = if on_mistake == OnMistake::Tell { ProgramCheck::Programs } else { ProgramCheck::Watching };
        let ReadManifest { manifest, mistakes, files, .. } = read(&source, look);
        let told = || match on_mistake {
            OnMistake::Tell => report::human(path, &source.text, &mistakes, std::io::stderr().is_terminal()),
            OnMistake::KeepOld => report::one_line(path, &source.text, &mistakes),
        };
        // with several manifests, no log file is for lines that belong to none of them
        let is_alone = owners.is_none();
        match manifest.map(|manifest| Serving::new(manifest, is_alone)) {
            Some(Ok(serving)) => {
                if on_mistake == OnMistake::Tell && !mistakes.is_empty() {
                    eprintln!("{}\n", told());
                }
                LoadedManifest { identity, files, serving: Ok(Arc::new(serving)), problem: None, retry: None }
            }
            Some(Err(problem)) => broken(identity, report::of_file(path, &problem)),
            None => LoadedManifest { files, ..broken(identity, told()) },
        }
    }
}

const FOREIGN: &str = "its owner is not trusted: expected root, the user this program runs as, or the program's owner";

impl Serving {
    fn new(manifest: Manifest, is_alone: bool) -> Result<Serving, String> {
        let Manifest { server, workers, .. } = manifest;
        let endpoint = server.build().map_err(|error| error.to_string())?;
        logger::let_through(endpoint.log_level());
        if is_alone {
            logger::set_file(endpoint.log_file());
        }
        let workers = Arc::new(workers);
        workers.start_health_checks(endpoint.log_file());
        Ok(Serving { endpoint, workers })
    }
}
