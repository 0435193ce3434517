//! The logger of a program that has none of its own: lines on standard error, and in a file if one is named.
//!
//! Web servers write a CGI program's standard error to their log, with a time of their own. Under FastCGI it may lead
//! elsewhere, so a gateway can capture the lines of one call too. On many hosts the owner of a service sees neither;
//! the file is for that.

mod file;

use std::cell::RefCell;
use std::fmt::Write;
use std::path::PathBuf;
use std::sync::{Arc, PoisonError, RwLock};
use std::time::{Duration, SystemTime};

use chrono::{DateTime, SecondsFormat, Utc};
use log::kv::{Key, Value, VisitSource};
use log::{Level, LevelFilter, Log, Metadata, Record};
use scoped_tls::scoped_thread_local;
use serde_json::{Map, json};

pub(crate) use self::file::LogFile;
pub use self::file::LogFormat;
use self::file::say;
use super::request::Request;

/// The most octets of lines that are captured at a time: more than an operator reads in a web server's log.
const MAX_CAPTURED: usize = 8 << 10;

// the request being answered on this thread, and the file for its lines
scoped_thread_local!(static REQUEST: Request);
scoped_thread_local!(static ID: String);
scoped_thread_local!(static FILE: LogFile);

/// The file for lines that belong to no request, or to one without a file.
static COMMON: RwLock<Option<Arc<LogFile>>> = RwLock::new(None);

thread_local! {
    /// The manifest that lines belong to, where several share one log.
    #[cfg(feature = "program")]
    static NAME: RefCell<Option<String>> = const { RefCell::new(None) };

    /// Calls that are not logged yet.
    static CALLS: RefCell<Vec<CallLine>> = const { RefCell::new(Vec::new()) };

    /// The lines captured on this thread, while it captures them.
    static CAPTURED: RefCell<Option<Vec<u8>>> = const { RefCell::new(None) };
}

/// Sets the logger, unless the program has one.
pub(crate) fn install(level: LevelFilter) {
    if log::set_logger(&Logger).is_ok() {
        log::set_max_level(level);
    }
}

/// Sets the file for lines that belong to no request.
pub(crate) fn set_file(file: Option<Arc<LogFile>>) {
    *COMMON.write().unwrap_or_else(PoisonError::into_inner) = file;
}

/// Runs a function whose lines on this thread belong to a request.
pub(crate) fn of_request<T>(request: &Request, run: impl FnOnce() -> T) -> T {
    REQUEST.set(request, run)
}

/// Runs a function whose lines on this thread belong to the request of an id, while that is changed.
pub(crate) fn of_id<T>(id: &str, run: impl FnOnce() -> T) -> T {
    ID.set(&id.to_owned(), run)
}

/// Runs a function whose lines on this thread go to a file, if there is one.
pub(crate) fn to_file<T>(file: Option<&LogFile>, run: impl FnOnce() -> T) -> T {
    match file {
        Some(file) => FILE.set(file, run),
        None => run(),
    }
}

/// Runs a function whose lines on this thread begin with a name.
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

/// Also lets lines up to this level through.
#[cfg(feature = "program")]
pub(crate) fn let_through(level: LevelFilter) {
    log::set_max_level(level.max(log::max_level()));
}

/// Runs a function, and returns its result with the lines it has logged on this thread that an operator must see:
/// warnings and errors. There are none if the program has a logger of its own.
pub(crate) fn capture<T>(run: impl FnOnce() -> T) -> (T, Vec<u8>) {
    CAPTURED.set(Some(Vec::new()));
    let result = run();
    (result, CAPTURED.take().unwrap_or_default())
}

/// The target of lines about calls, for filters.
pub(crate) const CALLS_TARGET: &str = "rpcgi::call";

/// A call, as the log reports it.
pub(crate) struct CallLine {
    pub(crate) method: String,
    pub(crate) took: Duration,
    /// The code of its fault, if it is one.
    pub(crate) fault: Option<i32>,
}

/// Keeps a call until the length of the answer is known.
#[cold]
pub(crate) fn note_call(call: CallLine) {
    CALLS.with_borrow_mut(|calls| calls.push(call));
}

/// Logs the calls of a request, but never their params.
pub(crate) fn log_calls(request: &Request, octets: usize) {
    let calls = CALLS.take();
    if calls.is_empty() {
        return;
    }
    let user = request.user().unwrap_or_default();
    let address = request.remote_addr().map(|address| address.to_string()).unwrap_or_default();
    let part = |word: &str, value: &str| if value.is_empty() { String::new() } else { format!(" {word} {value}") };
    let who = part("by", &user) + &part("from", &address);
    for CallLine { method, took, fault } in calls {
        let outcome = fault.map_or("ok".into(), |code| format!("fault {code}"));
        let ms = took.as_micros() as f64 / 1000.0;
        log::info!(
            target: CALLS_TARGET,
            method = &*method, user = &*user, address = &*address, ms = ms, outcome = &*outcome, octets = octets;
            "call \"{method}\"{who}: {outcome} in {ms} ms, {octets} octets"
        );
    }
}

struct Logger;

impl Log for Logger {
    fn enabled(&self, _: &Metadata<'_>) -> bool {
        true
    }

    fn log(&self, record: &Record<'_>) {
        let line = Line::of(record);
        let said = line.for_the_web_server();
        // in one piece, so lines of several processes do not mix
        say(&said);
        if record.level() <= Level::Warn {
            CAPTURED.with_borrow_mut(|captured| {
                if let Some(captured) = captured {
                    let said = said + "\n";
                    let room = MAX_CAPTURED.saturating_sub(captured.len());
                    captured.extend_from_slice(&said.as_bytes()[..room.min(said.len())]);
                }
            });
        }
        if FILE.is_set() {
            FILE.with(|file| line.write_to(file));
        } else if let Some(file) = &*COMMON.read().unwrap_or_else(PoisonError::into_inner) {
            line.write_to(file);
        }
    }

    fn flush(&self) {}
}

/// Returns the id of the request that is answered on this thread.
fn id() -> Option<String> {
    match REQUEST.is_set() {
        true => Some(REQUEST.with(|request| request.id().to_owned())),
        false => ID.is_set().then(|| ID.with(String::clone)),
    }
}

/// A log record, with the context of its thread.
struct Line {
    level: String,
    /// The request's.
    id: Option<String>,
    text: String,
    /// Its key-values.
    members: Map<String, serde_json::Value>,
}

impl Line {
    fn of(record: &Record<'_>) -> Line {
        let mut line = Line {
            level: record.level().as_str().to_ascii_lowercase(),
            id: id(),
            text: record.args().to_string(),
            members: Map::new(),
        };
        // it only collects, which does not fail
        _ = record.key_values().visit(&mut line);
        line
    }

    /// Returns the line for the web server's log, which adds the time.
    fn for_the_web_server(&self) -> String {
        let mut line = format!("{}: ", self.level);
        #[cfg(feature = "program")]
        NAME.with_borrow(|name| {
            if let Some(name) = name {
                push_escaped(&mut line, name);
                line.push_str(": ");
            }
        });
        push_escaped(&mut line, &self.text);
        if let Some(id) = &self.id {
            _ = write!(line, " (request {id})");
        }
        line
    }

    fn write_to(&self, file: &LogFile) {
        let time = DateTime::<Utc>::from(SystemTime::now()).to_rfc3339_opts(SecondsFormat::Millis, true);
        let line = match file.format {
            LogFormat::Text => {
                let mut line = format!("{time} {} {} ", self.level, self.id.as_deref().unwrap_or("-"));
                push_escaped(&mut line, &self.text);
                line
            }
            LogFormat::Json => {
                let mut line = json!({ "time": time, "level": self.level, "id": self.id, "text": self.text });
                for (name, value) in &self.members {
                    if line.get(name).is_none() {
                        line[name] = value.clone();
                    }
                }
                line.to_string()
            }
        };
        file.write(&(line + "\n"), document_root);
    }
}

impl<'kvs> VisitSource<'kvs> for Line {
    fn visit_pair(&mut self, key: Key<'kvs>, value: Value<'kvs>) -> Result<(), log::kv::Error> {
        let number = value.to_u64().map(Into::into).or_else(|| value.to_f64().map(Into::into));
        let value = number.unwrap_or_else(|| match value.to_string() {
            text if text.is_empty() => serde_json::Value::Null,
            text => text.into(),
        });
        self.members.insert(key.to_string(), value);
        Ok(())
    }
}

/// Returns the folder that the web server hands out, if it has said so.
fn document_root() -> Option<PathBuf> {
    let of_request = |request: &Request| request.variable("DOCUMENT_ROOT").map(|root| root.into_owned().into());
    REQUEST.is_set().then(|| REQUEST.with(of_request)).flatten()
}

/// Appends a text to a line, and keeps it one line whatever the text of a caller.
fn push_escaped(line: &mut String, text: &str) {
    for character in text.chars() {
        match character.is_control() {
            true => line.extend(character.escape_default()),
            false => line.push(character),
        }
    }
}
