//! The logger of a program that has none of its own: lines on standard error.
//!
//! Web servers write what a CGI program says there to their log, with a time of their own. Under FastCGI standard error
//! may lead elsewhere, so a gateway can have the lines of one call beside.

use std::cell::RefCell;
use std::io::Write;

use log::{Level, LevelFilter, Log, Metadata, Record};

/// The most octets of lines that are captured at a time: more than anybody reads in a web server's log.
const MOST_CAPTURED: usize = 8 << 10;

thread_local! {
    /// Whose lines these are, where one log has those of several.
    #[cfg(feature = "program")]
    static NAME: RefCell<Option<String>> = const { RefCell::new(None) };

    /// What is captured on this thread, if anything is to be.
    static CAPTURED: RefCell<Option<Vec<u8>>> = const { RefCell::new(None) };
}

/// Sets the logger, unless the program has one.
pub(crate) fn install(level: LevelFilter) {
    if log::set_logger(&Logger).is_ok() {
        log::set_max_level(level);
    }
}

/// Runs something whose lines on this thread begin with a name.
#[cfg(feature = "program")]
pub(crate) fn named<T>(name: &str, run: impl FnOnce() -> T) -> T {
    struct Restored(Option<String>);

    impl Drop for Restored {
        fn drop(&mut self) {
            NAME.set(self.0.take());
        }
    }

    let _restored = Restored(NAME.replace(Some(name.to_owned())));
    run()
}

/// Lets lines up to this level through too.
#[cfg(feature = "program")]
pub(crate) fn let_through(level: LevelFilter) {
    log::set_max_level(level.max(log::max_level()));
}

/// Runs something, and returns with it the lines it has logged on this thread that an operator must see, which are
/// warnings and errors. None if the program has a logger of its own.
#[cfg(target_os = "linux")]
pub(crate) fn capture<T>(run: impl FnOnce() -> T) -> (T, Vec<u8>) {
    CAPTURED.set(Some(Vec::new()));
    let result = run();
    (result, CAPTURED.take().unwrap_or_default())
}

struct Logger;

impl Log for Logger {
    fn enabled(&self, _: &Metadata<'_>) -> bool {
        true
    }

    fn log(&self, record: &Record<'_>) {
        let line = line(record);
        // in one piece, so lines of several processes do not mix; if that fails, nobody is left to be told
        _ = std::io::stderr().write_all(line.as_bytes());
        if record.level() <= Level::Warn {
            CAPTURED.with_borrow_mut(|captured| {
                if let Some(captured) = captured {
                    let room = MOST_CAPTURED.saturating_sub(captured.len());
                    captured.extend_from_slice(&line.as_bytes()[..room.min(line.len())]);
                }
            });
        }
    }

    fn flush(&self) {}
}

/// A record is one line, whatever a caller has put into its text.
fn line(record: &Record<'_>) -> String {
    let mut line = record.level().as_str().to_ascii_lowercase();
    line.push_str(": ");
    #[cfg(feature = "program")]
    NAME.with_borrow(|name| {
        if let Some(name) = name {
            push_escaped(&mut line, name);
            line.push_str(": ");
        }
    });
    push_escaped(&mut line, &record.args().to_string());
    line.push('\n');
    line
}

fn push_escaped(line: &mut String, text: &str) {
    for character in text.chars() {
        match character.is_control() {
            true => line.extend(character.escape_default()),
            false => line.push(character),
        }
    }
}
