//! Manifests: a text that describes a service whose methods are programs.
//!
//! | file | what it knows |
//! |---|---|
//! | `source` | the file, and what is asked of it |
//! | `keys` | what may stand in it |
//! | `read` | from what is written to what is meant, with all mistakes at once |
//! | `mistake`, `pitfalls` | how these are told; what is wrong though it is well written |
//! | `data_type` | types as they are described, and their values |
//! | `method` | a method: arguments in, result out |
//! | `program`, `worker` | who does the work: one for each call, or one that stays |
//! | `words`, `launch`, `process`, `pool` | command lines, environments, processes, and how many of them there are |

mod data_type;
mod keys;
mod launch;
mod method;
mod mistake;
mod pitfalls;
mod pool;
mod process;
mod program;
mod read;
mod source;
mod words;
mod worker;

use std::sync::Arc;

pub(crate) use self::keys::{reference, schema};
pub(crate) use self::mistake::{Mistake, Severity};
pub(crate) use self::read::{Look, read};
pub(crate) use self::source::{Identity, Source, WRITABLE};
use self::worker::Worker;
use crate::server::Server;

/// A service, as a manifest means it.
pub(crate) struct Manifest {
    pub(crate) server: Server,
    pub(crate) workers: Workers,
}

/// The programs that stay.
#[derive(Default)]
pub(crate) struct Workers(Vec<Arc<Worker>>);

impl Workers {
    /// Lets them end, those apart that are answering a call.
    pub(crate) fn stop(&self) {
        self.0.iter().for_each(|worker| worker.stop());
    }
}
