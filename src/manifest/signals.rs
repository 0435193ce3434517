//! Signals to a process that has started programs. (On Linux; elsewhere they mean what they always do.)

use std::os::fd::BorrowedFd;
use std::sync::atomic::{AtomicBool, Ordering};

static ENDS_PROGRAMS: AtomicBool = AtomicBool::new(false);

/// Makes programs end with this process from here on, when a web server ends it (CGI).
pub(crate) fn end_programs() {
    ENDS_PROGRAMS.store(true, Ordering::Relaxed);
}

/// Returns the descriptor that gets an octet for a signal to end, if programs are to end with this process.
pub(super) fn interrupted() -> Option<BorrowedFd<'static>> {
    if ENDS_PROGRAMS.load(Ordering::Relaxed) { system::interrupted() } else { None }
}

/// Prepares to start a program: heeds signals, and makes the system keep the status of children, even if the process
/// that started this one ignores that of its own.
pub(super) fn prepare() {
    system::keep_children();
    interrupted();
}

/// Sets whether programs run: while none does, a signal ends this process as any other.
pub(super) fn programs_run(run: bool) {
    system::programs_run(run);
}

#[cfg(target_os = "linux")]
mod system {
    use std::os::fd::{AsFd, BorrowedFd};
    use std::os::unix::net::UnixStream;
    use std::sync::atomic::{AtomicBool, Ordering};
    use std::sync::{Arc, LazyLock, Once, OnceLock};

    use signal_hook::consts::{SIGCHLD, SIGINT, SIGTERM};
    use signal_hook::{flag, low_level::pipe};

    static NONE_RUNS: LazyLock<Arc<AtomicBool>> = LazyLock::new(Arc::default);

    pub(super) fn programs_run(run: bool) {
        NONE_RUNS.store(!run, Ordering::SeqCst);
    }

    pub(super) fn interrupted() -> Option<BorrowedFd<'static>> {
        static RECEIVER: OnceLock<Option<UnixStream>> = OnceLock::new();

        RECEIVER.get_or_init(receiver).as_ref().map(AsFd::as_fd)
    }

    fn receiver() -> Option<UnixStream> {
        let (receiver, sender) = UnixStream::pair().ok()?;
        for signal in [SIGTERM, SIGINT] {
            flag::register_conditional_default(signal, Arc::clone(&NONE_RUNS)).ok()?;
            pipe::register(signal, sender.try_clone().ok()?).ok()?;
        }
        Some(receiver)
    }

    pub(super) fn keep_children() {
        static KEPT: Once = Once::new();

        KEPT.call_once(|| {
            // any handler will do; the flag is never read
            _ = flag::register(SIGCHLD, Arc::default());
            // this process adopts what programs leave behind; without that it is found by its mark
            _ = rustix::process::set_child_subreaper(Some(rustix::process::getpid()));
        });
    }
}

#[cfg(not(target_os = "linux"))]
mod system {
    use std::os::fd::BorrowedFd;

    pub(super) fn interrupted() -> Option<BorrowedFd<'static>> {
        None
    }

    pub(super) fn keep_children() {}

    pub(super) fn programs_run(_: bool) {}
}
