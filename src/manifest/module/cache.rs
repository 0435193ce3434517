//! Descriptions that are kept between calls by CGI, in a folder that nobody else can write to.

use std::collections::BTreeMap;
use std::fs::{self, DirBuilder, File, OpenOptions};
use std::io::{Read, Write};
use std::os::unix::fs::{DirBuilderExt, MetadataExt, OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};

use rustix::fs::OFlags;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use uzers::os::unix::UserExt;

use super::description::ModuleDescription;
use super::harness::Harness;
use crate::manifest::launch::Launch;

/// The most octets of what is kept of one module.
const MAX_KEPT: u64 = 64 << 20;

/// The version of what is kept: one more than before where a description has something new.
const FORMAT: u8 = 2;

/// A private folder.
pub(super) struct Cache {
    folder: PathBuf,
    /// Set if code may be kept there too: not where others could have made the folder first.
    has_code: bool,
}

/// What is kept of a module.
#[derive(Deserialize, Serialize)]
struct Kept {
    /// The digests of the files that the description is made of.
    files: BTreeMap<String, String>,
    description: ModuleDescription,
}

impl Cache {
    /// Returns the cache in a folder, which is made if it is not there.
    ///
    /// # Errors
    /// The reason why nothing can be kept there.
    pub(super) fn at(folder: &Path, manifest: &Path) -> Result<Cache, String> {
        let folder = &without_links_above(folder);
        let shown = folder.display();
        if is_within_reach(folder, manifest) {
            return Err(format!("nothing is kept in {shown}: the web server could hand it out"));
        }
        // a folder that is there is as good as one that is made
        _ = DirBuilder::new().recursive(true).mode(0o700).create(folder);
        let metadata = fs::symlink_metadata(folder).map_err(|error| format!("{shown} cannot be made: {error}"))?;
        let own = rustix::process::geteuid().as_raw();
        if !metadata.is_dir() || metadata.uid() != own || metadata.permissions().mode() & 0o077 != 0 {
            return Err(format!("nothing is kept in {shown}: expected a folder of the user {own}, of mode 700"));
        }
        // links on the way may lead within reach
        let real = fs::canonicalize(folder).map_err(|error| format!("{shown}: {error}"))?;
        match is_within_reach(&real, manifest) {
            true => Err(format!("nothing is kept in {shown}: the web server could hand it out")),
            false => Ok(Cache { has_code: !real.starts_with("/tmp"), folder: real }),
        }
    }

    /// Finds the first folder where something can be kept.
    pub(super) fn find(manifest: &Path) -> Option<Cache> {
        let own = rustix::process::geteuid().as_raw();
        let configured = std::env::var_os("XDG_CACHE_HOME").map(PathBuf::from).filter(|folder| folder.is_absolute());
        let home = || uzers::get_user_by_uid(own).map(|user| user.home_dir().join(".cache"));
        let in_home = |folder: PathBuf| folder.join("rpcgi");
        let of_user = configured.map(in_home).and_then(|folder| Cache::at(&folder, manifest).ok());
        let of_user = of_user.or_else(|| Cache::at(&in_home(home()?), manifest).ok());
        of_user.or_else(|| Cache::at(Path::new(&format!("/tmp/rpcgi-{own}")), manifest).ok())
    }

    /// Returns the name under which a module's description is kept: of all that it depends on besides files.
    pub(super) fn key(&self, harness: &Harness, launch: &Launch) -> String {
        let mut key = Key::of_interpreter(harness, launch);
        key.add(harness.file.as_os_str().as_encoded_bytes());
        key.add(&[u8::from(harness.is_script)]);
        for setting in [&harness.object, &harness.context] {
            key.add(setting.as_deref().unwrap_or_default().as_bytes());
        }
        for (name, value) in &launch.environment {
            key.add(name.as_bytes());
            key.add(value.as_bytes());
        }
        key.finish()
    }

    /// Returns where the compiled harness is kept, if code may be.
    pub(super) fn code(&self, harness: &Harness, launch: &Launch) -> Option<PathBuf> {
        let key = || Key::of_interpreter(harness, launch).finish();
        self.has_code.then(|| self.folder.join(format!("{}.code", key())))
    }

    pub(super) fn folder(&self) -> &Path {
        &self.folder
    }

    /// Returns where the interpreter may keep what it compiles.
    pub(super) fn folder_of_code(&self) -> Option<&Path> {
        self.has_code.then_some(&self.folder)
    }

    /// Returns what is kept under a key, if all files are as they were.
    pub(super) fn load(&self, key: &str) -> Option<ModuleDescription> {
        let text = own_file(&self.path(key))?;
        let Kept { files, description } = serde_json::from_value(serde_json::from_slice(&text).ok()?).ok()?;
        let is_same = |(file, digest): (&String, &String)| digest_of(file).is_some_and(|found| found == *digest);
        (!files.is_empty() && files.iter().all(is_same)).then_some(description)
    }

    /// Keeps a description, if that is possible: it is asked for again if not.
    pub(super) fn store(&self, key: &str, description: &ModuleDescription) {
        let files = description.files.iter().filter_map(|file| Some((file.clone(), digest_of(file)?))).collect();
        let Ok(text) = serde_json::to_vec(&Kept { files, description: description.clone() }) else { return };
        let unfinished = self.folder.join(format!("{key}.{}", std::process::id()));
        let mut options = OpenOptions::new();
        options.write(true).create_new(true).mode(0o600);
        let written = options.open(&unfinished).and_then(|mut file: File| file.write_all(&text));
        let kept = written.and_then(|()| fs::rename(&unfinished, self.path(key)));
        if kept.is_err() {
            _ = fs::remove_file(&unfinished);
        }
    }

    fn path(&self, key: &str) -> PathBuf {
        self.folder.join(format!("{key}.json"))
    }
}

/// The name of what is kept, made of all that it depends on.
struct Key(Sha256);

impl Key {
    /// Begins with the harness, and what runs it.
    fn of_interpreter(harness: &Harness, launch: &Launch) -> Key {
        let mut key = Key(Sha256::new());
        key.add(env!("CARGO_PKG_VERSION").as_bytes());
        key.add(&[FORMAT]);
        let (core, parts) = harness.language.harness();
        key.add(core.as_bytes());
        key.add(parts.as_bytes());
        key.add(harness.language.stand_in().as_bytes());
        if let Some((metadata, path)) = launch.find().ok().and_then(|path| Some((fs::metadata(&path).ok()?, path))) {
            key.add(path.as_os_str().as_encoded_bytes());
            key.add(&metadata.len().to_le_bytes());
            key.add(&metadata.mtime().to_le_bytes());
        }
        key
    }

    fn add(&mut self, part: &[u8]) {
        self.0.update(part.len().to_le_bytes());
        self.0.update(part);
    }

    fn finish(self) -> String {
        hex(&self.0.finalize())
    }
}

/// Tests whether code is as it was written: its digest stands behind it.
pub(super) fn is_whole(code: &Path) -> bool {
    let octets = own_file(code).unwrap_or_default();
    let parts = octets.len().checked_sub(DIGEST).and_then(|length| octets.split_at_checked(length));
    parts.is_some_and(|(code, digest)| *Sha256::digest(code) == *digest)
}

/// The octets of a digest.
const DIGEST: usize = 32;

/// Reads a file that nobody else can have written.
fn own_file(path: &Path) -> Option<Vec<u8>> {
    let mut options = OpenOptions::new();
    options.read(true).custom_flags((OFlags::NOFOLLOW | OFlags::NONBLOCK).bits().cast_signed());
    let file = options.open(path).ok()?;
    let metadata = file.metadata().ok()?;
    let is_own = metadata.is_file() && metadata.uid() == rustix::process::geteuid().as_raw();
    if !is_own || metadata.permissions().mode() & 0o022 != 0 || metadata.len() > MAX_KEPT {
        return None;
    }
    let mut octets = Vec::new();
    file.take(MAX_KEPT).read_to_end(&mut octets).ok()?;
    Some(octets)
}

/// Returns a path whose folder has no links or dots in it, if that folder is there.
fn without_links_above(path: &Path) -> PathBuf {
    let above = path.parent().and_then(|above| fs::canonicalize(above).ok());
    above.zip(path.file_name()).map_or_else(|| path.to_owned(), |(above, name)| above.join(name))
}

/// Tests whether a web server may reach a folder: it is in or below that of the manifest, or of its documents.
fn is_within_reach(folder: &Path, manifest: &Path) -> bool {
    let documents = std::env::var_os("DOCUMENT_ROOT").map(PathBuf::from).filter(|root| root.is_absolute());
    folder.starts_with(manifest) || documents.is_some_and(|root| root != Path::new("/") && folder.starts_with(root))
}

fn digest_of(file: &str) -> Option<String> {
    fs::read(file).ok().map(|octets| hex(&Sha256::digest(octets)))
}

fn hex(octets: &[u8]) -> String {
    octets.iter().map(|octet| format!("{octet:02x}")).collect()
}
