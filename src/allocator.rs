//! The allocator of the program and of the examples, never of the library: a program that uses that has its own.
//!
//! A few large calls take up hundreds of megabytes for a moment, which libc's allocator keeps for good, and for each
//! thread apart. This one gives them back at once.

/// On musl, where no compiler of C is at hand: it asks the system for memory once or twice, and musl's own for each size.
#[cfg(target_env = "musl")]
#[global_allocator]
static ALLOCATOR: dlmalloc::GlobalDlmalloc = dlmalloc::GlobalDlmalloc;

#[cfg(not(target_env = "musl"))]
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// Starts the program anew with the allocator's settings, which it reads from the environment before anything runs. A CGI
/// program ends before they matter. Where that cannot be, all works, and memory is kept for longer.
pub fn settle() {
    #[cfg(all(unix, not(target_env = "musl")))]
    settled::settle();
}

#[cfg(all(unix, not(target_env = "musl")))]
mod settled {
    use std::env;
    use std::os::unix::process::CommandExt;
    use std::process::Command;

    /// Tells that the settings are there.
    const FIRST: &str = "MIMALLOC_PURGE_DELAY";

    const SETTINGS: [(&str, &str); 3] = [
        // what is free goes back to the system at once
        (FIRST, "0"),
        // in KiB: what is reserved in advance has to fit where addresses are limited (RLIMIT_AS)
        ("MIMALLOC_ARENA_RESERVE", "32768"),
        // libc's own, which is still asked for a little by each thread, and reserves 64 MiB of addresses for that
        ("MALLOC_ARENA_MAX", "1"),
    ];

    pub(super) fn settle() {
        let is_set = |name: &str| env::var_os(name).is_some();
        let is_cgi = is_set("REQUEST_METHOD") || is_set("GATEWAY_INTERFACE");
        let Ok(program) = env::current_exe() else { return };
        let mut words = env::args_os();
        let Some(name) = words.next().filter(|_| !is_cgi && !is_set(FIRST)) else { return };
        let missing = SETTINGS.into_iter().filter(|(name, _)| !is_set(name));
        // it returns if it has failed
        _ = Command::new(program).arg0(name).args(words).envs(missing).exec();
    }
}
