//! A manifest that is served for long, and read anew when its file has changed.

use std::io::IsTerminal;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use http::StatusCode;

use super::report;
use crate::limits::Limits;
use crate::logger;
use crate::manifest::{Identity, Look, Manifest, Source, Workers, read};
use crate::server::Endpoint;
use crate::service::{Request, Response, Service};

/// What to do while the file has mistakes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum WhenBroken {
    /// Tell them to whoever calls: it is the author.
    Tell,
    /// Serve what it was before.
    KeepOld,
}

/// A manifest and its service.
pub(super) struct Kept {
    path: PathBuf,
    when_broken: WhenBroken,
    state: Mutex<State>,
}

/// The service of a state of the file.
#[derive(Clone)]
struct State {
    identity: Option<Identity>,
    serving: Result<Arc<Serving>, String>,
}

struct Serving {
    endpoint: Endpoint,
    workers: Workers,
}

impl Kept {
    /// Reads a manifest to serve.
    ///
    /// # Errors
    /// What is wrong with it, if it is to be told to nobody but whoever starts it.
    pub(super) fn new(path: &Path, when_broken: WhenBroken) -> Result<Kept, String> {
        let state = State::read(path, when_broken);
        state.serving.as_ref().map_err(Clone::clone)?;
        Ok(Kept { path: path.to_owned(), when_broken, state: Mutex::new(state) })
    }

    /// The service of the file as it is now.
    fn serving(&self) -> Result<Arc<Serving>, String> {
        let mut state = self.lock();
        // while it cannot be seen, as in the middle of being replaced, it is what it was
        if let Ok(identity) = Identity::at(&self.path)
            && state.identity.as_ref() != Some(&identity)
        {
            self.read_anew(&mut state);
        }
        state.serving.clone()
    }

    #[cold]
    fn read_anew(&self, state: &mut State) {
        let new = State::read(&self.path, self.when_broken);
        match (&new.serving, self.when_broken) {
            (Err(problem), WhenBroken::KeepOld) => {
                log::error!("{problem}; it is served as it was before");
                state.identity = new.identity;
            }
            (Err(problem), WhenBroken::Tell) => {
                eprintln!("{problem}\n");
                *state = new;
            }
            (Ok(_), _) => *state = new,
        }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Lets the workers end.
    pub(super) fn stop(&self) {
        if let Ok(serving) = &self.lock().serving {
            serving.workers.stop();
        }
    }
}

impl Service for Kept {
    fn limits(&self) -> Limits {
        self.serving().map_or_else(|_| Limits::default(), |serving| serving.endpoint.limits())
    }

    fn handle(&self, request: &Request) -> Response {
        match self.serving() {
            Ok(serving) => serving.endpoint.handle(request),
            Err(problem) => Response::text(StatusCode::INTERNAL_SERVER_ERROR, problem),
        }
    }
}

impl State {
    fn read(path: &Path, when_broken: WhenBroken) -> State {
        let source = match Source::open(path) {
            Ok(source) => source,
            Err(problem) => {
                let identity = Identity::at(path).ok();
                return State { identity, serving: Err(report::of_file(path, &problem)) };
            }
        };
        let identity = Some(source.identity.clone());
        let serving = match read(&source, Look::Text) {
            (Some(manifest), _) => Serving::new(manifest).map_err(|problem| report::of_file(path, &problem)),
            (None, mistakes) => Err(match when_broken {
                WhenBroken::Tell => report::human(path, &source.text, &mistakes, false),
                WhenBroken::KeepOld => report::one_line(path, &source.text, &mistakes),
            }),
        };
        if serving.is_ok() && when_broken == WhenBroken::Tell {
            tell_warnings(path, &source);
        }
        State { identity, serving: serving.map(Arc::new) }
    }
}

/// What does not keep a manifest from being served: a program that is not there may come.
fn tell_warnings(path: &Path, source: &Source) {
    let (_, mistakes) = read(source, Look::Programs);
    if !mistakes.is_empty() {
        eprintln!("{}\n", report::human(path, &source.text, &mistakes, std::io::stderr().is_terminal()));
    }
}

impl Serving {
    fn new(manifest: Manifest) -> Result<Serving, String> {
        let Manifest { server, workers } = manifest;
        logger::let_through(server.log_level());
        Ok(Serving { endpoint: server.build().map_err(|error| error.to_string())?, workers })
    }
}
