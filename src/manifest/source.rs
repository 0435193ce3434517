//! The file of a manifest.

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

impl ManifestSource {
    /// Reads the file, to serve it.
    ///
    /// # Errors
    /// The reason why it is no manifest, or must not be one.
    pub(crate) fn open(path: &Path) -> Result<ManifestSource, String> {
        let source = ManifestSource::open_to_check(path)?;
        match source.mode & 0o002 {
            0 => Ok(source),
            _ => Err(format!("{WRITABLE}: chmod o-w")),
        }
    }

    /// Reads the file, even if every user may write to it.
    ///
    /// # Errors
    /// The reason why it is no manifest.
    pub(crate) fn open_to_check(path: &Path) -> Result<ManifestSource, String> {
        // opening a pipe would block
        let options = OpenOptions::new().read(true).custom_flags(OFlags::NONBLOCK.bits() as i32).open(path);
        let mut file: File = options.map_err(|error| format!("it cannot be opened: {error}"))?;
        // what was opened, whatever the path leads to by now
        let metadata = file.metadata().map_err(|error| error.to_string())?;
        check(&metadata)?;
        let mut octets = Vec::with_capacity(metadata.len() as usize + 1);
        let read = file.by_ref().take(MAX_MANIFEST + 1).read_to_end(&mut octets);
        read.map_err(|error| format!("it cannot be read: {error}"))?;
        let text = String::from_utf8(octets).map_err(|error| {
            let Position { line, column } = Position::of(error.as_bytes(), error.utf8_error().valid_up_to());
            format!("expected UTF-8, found something else at line {line} column {column}")
        })?;
        let path = fs::canonicalize(path).map_err(|error| error.to_string())?;
        let identity = Identity::of(&metadata);
        // links may have been changed in between
        if Identity::at(&path).ok().map(|identity| identity.file) != Some(identity.file) {
            return Err("it was replaced while it was read".into());
        }
        Ok(ManifestSource { path, text, identity, mode: metadata.mode(), owner: metadata.uid() })
    }

    /// Returns the folder it is in.
    pub(crate) fn folder(&self) -> &Path {
        self.path.parent().unwrap_or(Path::new("/"))
    }
}

fn check(metadata: &Metadata) -> Result<(), String> {
    if !metadata.is_file() {
        let what = if metadata.is_dir() { "it is a folder" } else { "it is not a regular file" };
        return Err(format!("expected a file, but {what}"));
    }
    match metadata.len() > MAX_MANIFEST {
        true => Err(format!("it has {} octets, more than {MAX_MANIFEST}", metadata.len())),
        false => Ok(()),
    }
}
