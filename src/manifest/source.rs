//! The file of a manifest.

use std::fmt;
use std::fs::{self, File, Metadata, OpenOptions};
use std::io::{self, Read};
use std::os::unix::fs::{MetadataExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

use rustix::fs::OFlags;

use crate::wire::Position;

/// The most octets of a manifest: some ten thousand methods.
const MAX_MANIFEST: u64 = 4 << 20;

/// The reason why a file that every user may write to is not served.
pub(crate) const WRITABLE: &str = "every user may write to it, so it cannot be trusted";

/// The text of a manifest, and its file.
pub(crate) struct ManifestSource {
    /// Without links in it.
    pub(crate) path: PathBuf,
    pub(crate) text: String,
    pub(crate) identity: Identity,
    /// The mode of the file, and the user who owns it.
    pub(crate) mode: u32,
    pub(crate) owner: u32,
}

/// The identity of a file and of its state.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Identity {
    pub(crate) file: (u64, u64),
    changed: (i64, i64, i64, i64),
    size: u64,
}

impl Identity {
    /// Returns the identity of the file at a path.
    ///
    /// # Errors
    /// If no file can be seen there.
    pub(crate) fn at(path: &Path) -> io::Result<Identity> {
        fs::metadata(path).map(|metadata| Identity::of(&metadata))
    }

    fn of(metadata: &Metadata) -> Identity {
        Identity {
            file: (metadata.dev(), metadata.ino()),
            changed: (metadata.mtime(), metadata.mtime_nsec(), metadata.ctime(), metadata.ctime_nsec()),
            size: metadata.size(),
        }
    }
}

/// Files that something depends on, as they were when it was made.
#[derive(Clone, Debug, Default)]
pub(crate) struct WatchedFiles(Vec<(PathBuf, Option<Identity>)>);

impl WatchedFiles {
    pub(super) fn watch(&mut self, file: PathBuf) {
        self.0.push((file.clone(), Identity::at(&file).ok()));
    }

    /// Tests whether one has changed. A file that cannot be seen, as in the middle of being replaced, has not.
    pub(crate) fn have_changed(&self) -> bool {
        let has_changed = |(file, known): &(PathBuf, Option<Identity>)| {
            Identity::at(file).is_ok_and(|identity| Some(&identity) != known.as_ref())
        };
        self.0.iter().any(has_changed)
    }
}

/// The reason why a file is not read as a manifest.
#[derive(Debug)]
pub(crate) enum OpenError {
    NotOpened(io::Error),
    NotRead(io::Error),
    Folder,
    /// A device, a pipe or the like.
    NoFile,
    /// It has this many octets.
    TooLong(u64),
    NotUtf8(Position),
    /// Another file is in its place by now.
    Replaced,
    /// Every user may write to it.
    Writable,
}

impl fmt::Display for OpenError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            OpenError::NotOpened(error) => write!(f, "it cannot be opened: {error}"),
            OpenError::NotRead(error) => write!(f, "it cannot be read: {error}"),
            OpenError::Folder => f.write_str("expected a file, but it is a folder"),
            OpenError::NoFile => f.write_str("expected a file, but it is not a regular file"),
            OpenError::TooLong(octets) => write!(f, "it has {octets} octets, more than {MAX_MANIFEST}"),
            OpenError::NotUtf8(Position { line, column }) => {
                write!(f, "expected UTF-8, found something else at line {line} column {column}")
            }
            OpenError::Replaced => f.write_str("it was replaced while it was read"),
            OpenError::Writable => write!(f, "{WRITABLE}: chmod o-w"),
        }
    }
}

impl ManifestSource {
    /// Reads the file, to serve it.
    ///
    /// # Errors
    /// If it is no manifest, or must not be one.
    pub(crate) fn open(path: &Path) -> Result<ManifestSource, OpenError> {
        let source = ManifestSource::open_to_check(path)?;
        match source.mode & 0o002 {
            0 => Ok(source),
            _ => Err(OpenError::Writable),
        }
    }

    /// Reads the file, even if every user may write to it.
    ///
    /// # Errors
    /// If it is no manifest.
    pub(crate) fn open_to_check(path: &Path) -> Result<ManifestSource, OpenError> {
        // opening a pipe would block
        let options = OpenOptions::new().read(true).custom_flags(OFlags::NONBLOCK.bits() as i32).open(path);
        let mut file: File = options.map_err(OpenError::NotOpened)?;
        // what was opened, whatever the path leads to by now
        let metadata = file.metadata().map_err(OpenError::NotRead)?;
        check(&metadata)?;
        let mut octets = Vec::with_capacity(metadata.len() as usize + 1);
        let read = file.by_ref().take(MAX_MANIFEST + 1).read_to_end(&mut octets);
        read.map_err(OpenError::NotRead)?;
        let text = String::from_utf8(octets)
            .map_err(|error| OpenError::NotUtf8(Position::of(error.as_bytes(), error.utf8_error().valid_up_to())))?;
        let path = fs::canonicalize(path).map_err(OpenError::NotRead)?;
        let identity = Identity::of(&metadata);
        // links may have been changed in between
        if Identity::at(&path).ok().map(|identity| identity.file) != Some(identity.file) {
            return Err(OpenError::Replaced);
        }
        Ok(ManifestSource { path, text, identity, mode: metadata.mode(), owner: metadata.uid() })
    }

    /// Creates one of a text that is to be written to a path.
    pub(crate) fn unwritten(path: &Path, text: String) -> ManifestSource {
        let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
        let folder = fs::canonicalize(folder).unwrap_or_else(|_| folder.to_owned());
        let path = path.file_name().map_or_else(|| folder.clone(), |name| folder.join(name));
        let identity = Identity { file: (0, 0), changed: (0, 0, 0, 0), size: 0 };
        ManifestSource { path, text, identity, mode: 0o755, owner: 0 }
    }

    /// Returns the folder it is in.
    pub(crate) fn folder(&self) -> &Path {
        self.path.parent().unwrap_or(Path::new("/"))
    }
}

fn check(metadata: &Metadata) -> Result<(), OpenError> {
    if !metadata.is_file() {
        return Err(if metadata.is_dir() { OpenError::Folder } else { OpenError::NoFile });
    }
    match metadata.len() > MAX_MANIFEST {
        true => Err(OpenError::TooLong(metadata.len())),
        false => Ok(()),
    }
}
