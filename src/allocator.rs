//! The allocator of the program and the examples, never of the library: a program that uses the library has its own.
//!
//! A few large calls take up hundreds of megabytes for a moment, which libc's allocator keeps for good, for each thread
//! separately. This one gives them back at once.

/// The allocator on musl, where no C compiler is at hand: it asks the system for memory once or twice, and musl's own
/// for each size.
#[cfg(target_env = "musl")]
#[global_allocator]
static ALLOCATOR: dlmalloc::GlobalDlmalloc = dlmalloc::GlobalDlmalloc;

#[cfg(not(target_env = "musl"))]
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// Restarts the program with the allocator's settings, which it reads from the environment before anything runs. A CGI
/// program ends before they matter. If a restart fails, everything works, but memory is kept for longer.
pub fn settle() {
    #[cfg(all(unix, not(target_env = "musl")))]
    settled::settle();
}

#[cfg(all(unix, not(target_env = "musl")))]
mod settled {
    use std::env;
    use std::os::unix::process::CommandExt;
    use std::process::Command;

    /// The setting that shows that all are in place.
    const FIRST: &str = "MIMALLOC_PURGE_DELAY";

    const SETTINGS: [(&str, &str); 3] = [
        // free memory goes back to the system at once
        (FIRST, "0"),
        // in KiB: what is reserved in advance has to fit where addresses are limited (RLIMIT_AS)
        ("MIMALLOC_ARENA_RESERVE", "32768"),
        // libc's own allocator: each thread still asks it for a little, and it reserves 64 MiB of addresses for that
        ("MALLOC_ARENA_MAX", "1"),
    ];

    pub(super) fn settle() {
        let is_set = |name: &str| env::var_os(name).is_some();
        let is_cgi = is_set("REQUEST_METHOD") || is_set("GATEWAY_INTERFACE");
        let Ok(program) = env::current_exe() else { return };
        let mut words = env::args_os();
        let Some(name) = words.next().filter(|_| !is_cgi && !is_set(FIRST)) else { return };
        let missing = SETTINGS.into_iter().filter(|(name, _)| !is_set(name));
        // it returns only if it has failed
        _ = Command::new(program).arg0(name).args(words).envs(missing).exec();
    }
}
