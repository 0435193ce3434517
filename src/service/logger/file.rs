//! The file that log lines go to.
//!
//! Processes share it: each line is one write at its end. Log rotation renames it, and it is opened anew.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::{MetadataExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use rustix::fs::OFlags;

/// The format of lines in the file of [`Server::log_file`](crate::Server::log_file).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum LogFormat {
    /// For people: `TIME LEVEL ID TEXT`. The time is in UTC (RFC 3339), and the id is that of the
    /// [request](crate::Request::id), or `-`.
    #[default]
    Text,
    /// For programs: a JSON object in each line, with the members `time`, `level`, `id` and `text`; the line of a call
    /// also has `method`, `user`, `address`, `ms`, `outcome` and `octets`.
    Json,
}

/// The time after which a renamed file is noticed.
const GLANCE: Duration = Duration::from_millis(500);

/// A file to write lines to, from several threads.
#[derive(Debug)]
pub(crate) struct LogFile {
    path: PathBuf,
    pub(super) format: LogFormat,
    state: Mutex<LogFileState>,
}

#[derive(Debug, Default)]
struct LogFileState {
    file: Option<File>,
    /// The last time that it was looked for.
    looked: Option<Instant>,
    /// Set while it cannot be written, so that this is reported once.
    is_failing: bool,
}

impl LogFile {
    pub(crate) fn new(path: PathBuf, format: LogFormat) -> LogFile {
        LogFile { path, format, state: Mutex::default() }
    }

    /// Appends a line; `root` returns the folder that the web server hands out, if it is known. A failure is reported
    /// once, until a write succeeds again.
    pub(super) fn write(&self, line: &str, root: fn() -> Option<PathBuf>) {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        match self.append(&mut state, line, root) {
            Ok(()) => state.is_failing = false,
            Err(error) => {
                state.file = None;
                if !std::mem::replace(&mut state.is_failing, true) {
                    say(&format!("error: the log {} cannot be written: {error}", self.path.display()));
                }
            }
        }
    }

    fn append(&self, state: &mut LogFileState, line: &str, root: fn() -> Option<PathBuf>) -> io::Result<()> {
        if state.looked.is_none_or(|looked| looked.elapsed() >= GLANCE) {
            state.looked = Some(Instant::now());
            if !state.file.as_ref().is_some_and(|file| self.is_at_its_place(file)) {
                state.file = None;
                state.file = Some(self.open(root)?);
            }
        }
        let mut file = state.file.as_ref().ok_or(io::ErrorKind::NotFound)?;
        match file.write(line.as_bytes())? {
            written if written == line.len() => Ok(()),
            // a full disk
            _ => Err(io::ErrorKind::WriteZero.into()),
        }
    }

    /// Tests if the file that is open is still the one of this name.
    fn is_at_its_place(&self, file: &File) -> bool {
        let (open, named) = (file.metadata(), fs::symlink_metadata(&self.path));
        open.is_ok_and(|open| named.is_ok_and(|named| (open.dev(), open.ino()) == (named.dev(), named.ino())))
    }

    fn open(&self, root: fn() -> Option<PathBuf>) -> io::Result<File> {
        // opening a pipe without a reader would block
        let flags = (OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::NOCTTY).bits().cast_signed();
        let mut options = OpenOptions::new();
        options.append(true).mode(0o640).custom_flags(flags);
        let file = match options.clone().create_new(true).open(&self.path) {
            Ok(file) => {
                self.warn_of_readers(root());
                file
            }
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => options.create(true).open(&self.path)?,
            Err(error) => return Err(error),
        };
        let metadata = file.metadata()?;
        if !metadata.is_file() {
            return Err(io::Error::other("it is not a regular file"));
        }
        // a manifest or another program, named by mistake
        match metadata.mode() & 0o111 {
            0 => Ok(file),
            _ => Err(io::Error::other("it is a program")),
        }
    }

    /// Warns of a new file that the web server may hand out.
    fn warn_of_readers(&self, root: Option<PathBuf>) {
        let whole = |path: &Path| fs::canonicalize(path).unwrap_or_else(|_| path.to_owned());
        if root.is_some_and(|root| whole(&self.path).starts_with(whole(&root))) {
            say(&format!(
                "warn: the log {} is below DOCUMENT_ROOT: move it, or it can be downloaded",
                self.path.display()
            ));
        }
    }
}

/// Writes a line to standard error; if that fails, there is no other place to report it.
pub(super) fn say(line: &str) {
    _ = io::stderr().write_all(format!("{line}\n").as_bytes());
}
