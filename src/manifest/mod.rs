//! Manifests: a text that describes a service whose methods are programs.
//!
//! | file | what it knows |
//! |---|---|
//! | `source` | the file, and what is asked of it |
//! | `keys` | what may stand in it |
//! | `read` | from what is written to what is meant, with all mistakes at once |
//! | `mistake`, `pitfalls` | how these are told; what is wrong though it is well written |
//! | `htaccess` | what a web server would hand out |
//! | `data_type` | types as they are described, and their values |
//! | `method`, `call` | a method: arguments in, result out; a call on its way |
//! | `program`, `worker` | who does the work: one for each call, or one that stays |
//! | `encoding` | the text that they read and write |
//! | `words`, `launch`, `process`, `pool` | command lines, environments, processes, and how many of them there are |
//! | `descendants` | what processes have started |
//! | `signals` | what ends processes from outside |

mod call;
mod data_type;
mod descendants;
mod encoding;
mod htaccess;
mod keys;
mod launch;
mod method;
mod mistake;
mod pitfalls;
mod pool;
mod process;
mod program;
mod read;
mod signals;
mod source;
mod words;
mod worker;

use std::path::PathBuf;
use std::sync::Arc;
use std::thread;
use std::time::Duration;

pub(crate) use self::htaccess::Htaccess;
pub(crate) use self::keys::{reference, schema};
pub(crate) use self::mistake::{Mistake, Severity};
pub(crate) use self::process::end_all;
use self::process::{Process, dismiss_all, reap_adopted};
pub(crate) use self::read::{Look, read};
pub(crate) use self::signals::end_programs;
pub(crate) use self::source::{Identity, Source, WRITABLE};
use self::worker::Worker;
use crate::logger::{self, LogFile};
use crate::server::Server;

/// A service, as a manifest means it.
pub(crate) struct Manifest {
    pub(crate) server: Server,
    pub(crate) workers: Workers,
    /// The files that its command lines name, if they were looked for.
    pub(crate) files: Vec<PathBuf>,
}

/// How often workers are looked after that nobody calls.
const ATTENDANCE: Duration = Duration::from_secs(1);

/// Workers that get no more calls.
pub(crate) struct Retired(Vec<Process>);

impl Retired {
    /// Lets them end.
    pub(crate) fn dismiss(self) {
        dismiss_all(self.0);
    }
}

/// The programs that stay.
#[derive(Default)]
pub(crate) struct Workers(Vec<Arc<Worker>>);

impl Workers {
    /// Lets them end, those apart that are answering a call.
    pub(crate) fn stop(&self) {
        self.retire().dismiss();
    }

    /// Takes them out of work, those apart that are answering a call. What they have said is logged by then.
    pub(crate) fn retire(&self) -> Retired {
        Retired(self.0.iter().flat_map(|worker| worker.take_idle()).collect())
    }

    /// Looks after those that nobody calls, from time to time and as long as they are there: one that has ended is
    /// taken leave of, and what one says goes to the log. So is what programs have left behind.
    pub(crate) fn attend(self: &Arc<Self>, log_file: Option<Arc<LogFile>>) {
        let workers = Arc::downgrade(self);
        let attend = move || {
            loop {
                thread::sleep(ATTENDANCE);
                let Some(there) = workers.upgrade() else { return };
                logger::to_file(log_file.as_deref(), || there.0.iter().for_each(|worker| worker.attend()));
                reap_adopted();
            }
        };
        // without it they are looked after when somebody calls
        _ = thread::Builder::new().name("attendant".into()).spawn(attend);
    }
}
