//! Manifests: a text that describes a service whose methods are programs.
//!
//! | file | what it knows |
//! |---|---|
//! | `source` | the file, its permissions and its state |
//! | `keys` | the keys, their meaning and the form of their values |
//! | `read` | builds a `Server` from a parsed manifest, and collects all mistakes |
//! | `mistake`, `pitfalls` | mistakes and their help; common errors in command lines |
//! | `htaccess` | files that a web server would hand out |
//! | `data_type` | types as they are described, and their values |
//! | `example` | examples of calls, read as calls are |
//! | `method`, `call` | a method: arguments in, result out; a call on its way |
//! | `program`, `worker` | the programs that do the work: one for each call, or one that stays |
//! | `json_rpc_worker` | what workers read and write |
//! | `doctor` | the method by which a deployed service says what it sees |
//! | `fallback` | names that no method has, which a script, worker or module is asked for |
//! | `module` | modules whose functions are methods as they are |
//! | `encoding` | the text that they read and write |
//! | `words`, `launch`, `process`, `pool` | command lines, environments, processes, and their number |
//! | `descendants` | what processes have started |
//! | `signals` | signals that end processes |

mod call;
mod command_line;
mod data_type;
mod descendants;
mod doctor;
mod encoding;
mod example;
mod fallback;
mod form;
mod htaccess;
mod json_rpc_worker;
mod keys;
mod launch;
mod lints;
mod method;
mod mistake;
mod module;
mod pool;
mod process;
mod program;
mod read;
mod shared;
mod signals;
mod source;
mod worker;

use std::sync::Arc;
use std::thread;
use std::time::Duration;

pub(crate) use self::doctor::{DOCTOR, DoctorKey, KEY_HEADER, LONGEST, now};
pub(crate) use self::htaccess::Htaccess;
pub(crate) use self::keys::{reference, schema};
pub(crate) use self::mistake::{Mistake, Severity};
pub(crate) use self::process::end_all;
use self::process::{Process, dismiss_all, reap_adopted};
pub(crate) use self::read::{ProgramCheck, ReadManifest, read};
pub(crate) use self::signals::end_programs;
pub(crate) use self::source::{Identity, ManifestSource, WRITABLE, WatchedFiles};
use self::worker::Worker;
use crate::server::Server;
use crate::service::logger::{self, LogFile};

/// A service that a manifest describes.
pub(crate) struct Manifest {
    pub(crate) server: Server,
    pub(crate) workers: Workers,
    /// The names of the methods that come from modules, in the order of their sources.
    pub(crate) functions: Vec<String>,
    /// The names of the files that are scripts: these are run to see what they serve.
    pub(crate) scripts: Vec<String>,
}

/// The interval between two looks at idle workers.
const HEALTH_CHECK_INTERVAL: Duration = Duration::from_secs(1);

/// Workers that get no more calls.
pub(crate) struct Retired(Vec<Process>);

impl Retired {
    /// Shuts them down.
    pub(crate) fn dismiss(self) {
        dismiss_all(self.0);
    }
}

/// The workers of a manifest.
#[derive(Default)]
pub(crate) struct Workers(Vec<Arc<Worker>>);

impl Workers {
    /// Shuts down all idle workers; busy ones finish their call.
    pub(crate) fn stop(&self) {
        self.retire().dismiss();
    }

    /// Takes all idle workers out of service, and logs what they have said.
    pub(crate) fn retire(&self) -> Retired {
        Retired(self.0.iter().flat_map(|worker| worker.take_idle()).collect())
    }

    /// Starts a thread that looks after idle workers as long as they are kept: it reaps those that have ended, logs
    /// what the others say, and reaps what programs have left behind.
    pub(crate) fn start_health_checks(self: &Arc<Self>, log_file: Option<Arc<LogFile>>) {
        let workers = Arc::downgrade(self);
        let check = move || {
            loop {
                thread::sleep(HEALTH_CHECK_INTERVAL);
                let Some(there) = workers.upgrade() else { return };
                logger::to_file(log_file.as_deref(), || there.0.iter().for_each(|worker| worker.check_idle()));
                reap_adopted();
            }
        };
        // without the thread, workers are looked after at each call
        _ = thread::Builder::new().name("health-check".into()).spawn(check);
    }
}
