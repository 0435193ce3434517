//! Modules: files of Python, PHP and other languages whose functions are methods as they are.
//!
//! | file | what it knows |
//! |---|---|
//! | `language` | the languages: their extensions, interpreters and harnesses |
//! | `harness` | the conversation with a harness, whose text is in `harness/` |
//! | `tagged` | the values in it |
//! | `description` | what is known of a module's functions |
//! | `comment` | what comments tell of them |
//! | `usage` | the examples of calls in these |
//! | `cache` | descriptions that are kept between calls by CGI |
//! | `read` | makes methods of functions, with what the manifest lays over them |

mod cache;
mod comment;
mod description;
mod harness;
mod language;
mod read;
mod tagged;
mod usage;

use std::fs;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

use self::cache::Cache;
use self::description::ModuleDescription;
use self::harness::Harness;
use self::language::Language;
pub(super) use self::read::{LoadedModule, matches};
use super::launch::Launch;
use super::pool::Pool;
use super::shared::SharedProcess;
use super::worker::{Terms, Worker, WorkerError};

/// A module, and the processes that run it.
pub(super) struct Module {
    worker: Arc<Worker>,
    /// The same harness that the worker starts.
    harness: Arc<Harness>,
    cache: Option<Cache>,
}

/// The reason why there is no description of a module.
enum Undescribed {
    /// Its own account, for the author.
    Broken(String),
    /// The interpreter's, for the operator.
    NotRun(String),
}

impl Module {
    fn new(mut harness: Harness, launch: Launch, places: Places, cache: Option<Cache>) -> Module {
        if let Some(cache) = cache.as_ref().filter(|_| harness.language == Language::Python) {
            harness.code = cache.code(&harness, &launch);
            let folder = harness.file.parent().unwrap_or(Path::new("/"));
            let is_writable = rustix::fs::access(folder, rustix::fs::Access::WRITE_OK).is_ok();
            harness.pycache = cache.folder_of_code().filter(|_| !is_writable).map(Path::to_owned);
        }
        let harness = Arc::new(harness);
        let name = harness.file.file_name().unwrap_or_default().to_string_lossy().into_owned();
        let worker = Worker {
            who: format!("module \"{name}\""),
            launch,
            start: Box::new(Arc::clone(&harness)),
            wait: places.wait,
            slots: Pool::new((0..places.count).map(|_| Default::default()), places.queue, places.wait),
            shared: places.shared(),
        };
        Module { worker: Arc::new(worker), harness, cache }
    }

    /// Returns the description of the module: the one that is kept, or else what its harness tells, which goes on to
    /// serve calls.
    fn description(&self, timeout: Duration) -> Result<ModuleDescription, Undescribed> {
        let cached = self.cache.as_ref().map(|cache| (cache, cache.key(&self.harness, &self.worker.launch)));
        if let Some(kept) = cached.as_ref().and_then(|(cache, key)| cache.load(key)) {
            return Ok(kept);
        }
        let description = self.described(timeout)?;
        if let Some((cache, key)) = cached {
            cache.store(&key, &description);
        }
        Ok(description)
    }

    /// Asks the harness for a description, in a process of its own if none runs.
    fn described(&self, timeout: Duration) -> Result<ModuleDescription, Undescribed> {
        self.harness.describes.store(true, Ordering::Relaxed);
        let mut slot = self.worker.take().map_err(Undescribed::NotRun)?;
        let terms = Terms { deadline: Instant::now() + timeout, timeout, max_output: MAX_DESCRIPTION };
        let read = |line: &[u8], _| {
            let told = harness::read_description(line);
            told.map(Some).map_err(|message| WorkerError::Lost(format!("{}: {message}", self.worker.who)))
        };
        let told = self.worker.ask(&mut slot, &terms, |_| Vec::new(), read);
        let mut description = match told {
            Ok(Ok(description)) => description,
            Ok(Err(broken)) => return Err(Undescribed::Broken(broken)),
            Err(error) => return Err(Undescribed::NotRun(error.into_message())),
        };
        if let Some(shared) = self.worker.shared.first() {
            shared.adopt(std::mem::take(&mut *slot));
        }
        // a source that cannot be read has no comments
        let source = fs::read(&self.harness.file).unwrap_or_default();
        comment::complete(self.harness.language, &String::from_utf8_lossy(&source), &mut description);
        if let Some(context) = &self.harness.context {
            description.functions.iter_mut().for_each(|function| comment::take_context(function, context));
        }
        Ok(description)
    }
}

impl Places {
    /// Returns processes that have several calls in flight, if that is asked for.
    fn shared(&self) -> Vec<SharedProcess> {
        let count = if self.concurrent > 1 { self.count } else { 0 };
        // without descriptors, calls follow one another
        (0..count).filter_map(|_| SharedProcess::new(self.concurrent).ok()).collect()
    }
}

/// The most octets of a description.
const MAX_DESCRIPTION: usize = 64 << 20;

/// The number of a module's processes, and how long calls wait for one.
struct Places {
    count: usize,
    /// The most calls that each has in flight.
    concurrent: usize,
    queue: usize,
    wait: Duration,
}
