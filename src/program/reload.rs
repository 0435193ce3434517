//! A manifest that a long-running process serves, and reads anew when its file has changed.

use std::io::IsTerminal;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use http::StatusCode;

use super::report;
use crate::gateway::cgi;
use crate::manifest::{Identity, Manifest, ManifestSource, ProgramCheck, Workers, read};
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

/// The delay before a file that could not be read is tried again.
const RETRY: Duration = Duration::from_millis(200);

/// A manifest and its service.
pub(super) struct ReloadingManifest {
    path: PathBuf,
    on_mistake: OnMistake,
    owners: Owners,
    state: Mutex<LoadedManifest>,
}

/// The service of a state of the file.
#[derive(Clone)]
struct LoadedManifest {
    /// None if the file could not be read: it is tried again.
    identity: Option<Identity>,
    serving: Result<Arc<Serving>, String>,
    /// The problem that was reported last, and the time of the last failure.
    problem: Option<String>,
    failed: Option<Instant>,
}

struct Serving {
    endpoint: Endpoint,
    /// The files that command lines name, as they were when the workers were new.
    files: Vec<(PathBuf, Option<Identity>)>,
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
        let mut state = LoadedManifest::read(path, on_mistake, &owners);
        state.failed = state.serving.is_err().then(Instant::now);
        ReloadingManifest { path: path.to_owned(), on_mistake, owners, state: Mutex::new(state) }
    }

    /// Returns the reason why the manifest is not served, if it is not.
    pub(super) fn problem(&self) -> Option<String> {
        self.lock().serving.as_ref().err().cloned()
    }

    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    /// Returns the service of the file as it is now.
    fn serving(&self) -> Result<Arc<Serving>, String> {
        let mut state = self.lock();
        // a file that cannot be seen, as in the middle of being replaced, counts as unchanged
        if let Ok(identity) = Identity::at(&self.path) {
            let is_due = match &state.identity {
                Some(known) => *known != identity || state.serving.as_ref().is_ok_and(|serving| serving.is_outdated()),
                None => state.failed.is_none_or(|failed| failed.elapsed() >= RETRY),
            };
            if is_due {
                self.read_anew(&mut state);
            }
        }
        state.serving.clone()
    }

    #[cold]
    fn read_anew(&self, state: &mut LoadedManifest) {
        let new = LoadedManifest::read(&self.path, self.on_mistake, &self.owners);
        let Err(problem) = &new.serving else {
            *state = new;
            return;
        };
        state.failed = Some(Instant::now());
        // a problem is logged once, however often it is met
        let is_news = state.problem.as_ref() != Some(problem);
        match self.on_mistake {
            OnMistake::KeepOld => {
                if is_news && state.serving.is_ok() {
                    log::error!("{problem}; it is served as it was before");
                } else if is_news {
                    log::error!("{problem}");
                }
                state.problem = Some(problem.clone());
                state.identity = new.identity;
            }
            OnMistake::Tell => {
                if is_news {
                    eprintln!("{problem}\n");
                }
                *state = LoadedManifest { problem: Some(problem.clone()), failed: state.failed, ..new };
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
    fn read(path: &Path, on_mistake: OnMistake, owners: &Owners) -> LoadedManifest {
        let broken =
            |identity, problem| LoadedManifest { identity, serving: Err(problem), problem: None, failed: None };
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
        let (manifest, mistakes) = read(&source, look);
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
                LoadedManifest { identity, serving: Ok(Arc::new(serving)), problem: None, failed: None }
            }
            Some(Err(problem)) => broken(identity, report::of_file(path, &problem)),
            None => broken(identity, told()),
        }
    }
}

const FOREIGN: &str = "its owner is not trusted: expected root, the user this program runs as, or the program's owner";

impl Serving {
    fn new(manifest: Manifest, is_alone: bool) -> Result<Serving, String> {
        let Manifest { server, workers, files } = manifest;
        let files =
            files.into_iter().map(|file| (Identity::at(&file).ok(), file)).map(|(known, file)| (file, known)).collect();
        let endpoint = server.build().map_err(|error| error.to_string())?;
        logger::let_through(endpoint.log_level());
        if is_alone {
            logger::set_file(endpoint.log_file());
        }
        let workers = Arc::new(workers);
        workers.start_health_checks(endpoint.log_file());
        Ok(Serving { endpoint, files, workers })
    }

    /// Tests if a file that a command line names has changed. A file that cannot be seen, as in the middle of being
    /// replaced, has not.
    fn is_outdated(&self) -> bool {
        self.files
            .iter()
            .any(|(file, known)| Identity::at(file).is_ok_and(|identity| Some(&identity) != known.as_ref()))
    }
}
