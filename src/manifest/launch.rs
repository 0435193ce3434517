//! The start of a program: its path, its folder, and an environment of its own.

use std::ffi::OsStr;
use std::fmt;
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::os::unix::process::CommandExt;
use std::path::PathBuf;
use std::process::Command;

use super::encoding::ProgramEncoding;
use crate::service::Request;

/// The search path for programs that are named without a slash.
const PATH: &str = "/usr/local/bin:/usr/bin:/bin";

/// A program as it is to be started.
#[derive(Debug)]
pub(super) struct Launch {
    /// Its name, as the manifest has it.
    pub(super) name: String,
    /// The manifest's folder: names with a slash are relative to it, and programs work in it.
    pub(super) folder: PathBuf,
    /// The variables that the manifest adds to the environment.
    pub(super) environment: Vec<(String, String)>,
    /// The encoding of its input and output.
    pub(super) encoding: ProgramEncoding,
}

/// The reason why a program cannot be found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum NotFound {
    Nowhere,
    NotExecutable,
    /// Every user may write to it, so it may do anything.
    Writable,
}

/// A program that cannot be found.
#[derive(Debug)]
pub(super) struct MissingProgram<'a> {
    name: &'a str,
    problem: NotFound,
}

impl fmt::Display for MissingProgram<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.problem {
            NotFound::Nowhere => write!(f, "there is no program `{}`", self.name),
            NotFound::NotExecutable => write!(f, "`{}` is not executable", self.name),
            NotFound::Writable => write!(f, "every user may write to `{}`, so it is not started: chmod o-w", self.name),
        }
    }
}

impl Launch {
    /// Returns a command that starts it, without words yet.
    pub(super) fn command(&self) -> Result<Command, MissingProgram<'_>> {
        let mut command = Command::new(self.find()?);
        command.arg0(&self.name);
        self.surround(&mut command);
        Ok(command)
    }

    /// Returns the same for a program whose answers go to descriptor 3, and what it prints to the log.
    pub(super) fn command_with_answers_at_3(&self) -> Result<Command, MissingProgram<'_>> {
        let mut command = Command::new("/bin/sh");
        command.arg("-c").arg("exec \"$0\" \"$@\" 3>&1 1>&2").arg(self.find()?);
        self.surround(&mut command);
        Ok(command)
    }

    /// Sets the folder that a program works in, and its environment.
    fn surround(&self, command: &mut Command) {
        command.current_dir(&self.folder).env_clear();
        command.env("PATH", PATH).env("LANG", "C.UTF-8").env("HOME", &self.folder);
        // else the output of a Python program comes late, or never if it is ended
        command.env("PYTHONUNBUFFERED", "1");
        for name in ["LANG", "TZ", "HOME"] {
            if let Some(value) = std::env::var_os(name).filter(|value| !value.is_empty()) {
                command.env(name, value);
            }
        }
        command.envs(self.environment.iter().map(|(name, value)| (name, value)));
    }

    /// Finds its path.
    pub(super) fn find(&self) -> Result<PathBuf, MissingProgram<'_>> {
        self.look_for(&self.name).map_err(|problem| MissingProgram { name: &self.name, problem })
    }

    /// Tests if a program is in the PATH that it gets.
    pub(super) fn knows(&self, name: &str) -> bool {
        self.look_for(name).is_ok()
    }

    fn look_for(&self, name: &str) -> Result<PathBuf, NotFound> {
        if name.contains('/') {
            return executable(self.folder.join(name));
        }
        let own = self.environment.iter().find(|(name, _)| name == "PATH");
        let path = own.map_or(PATH, |(_, path)| path);
        let mut problem = NotFound::Nowhere;
        for place in path.split(':') {
            match executable(self.folder.join(place).join(name)) {
                Err(NotFound::Nowhere) => {}
                Err(closer) => problem = closer,
                found => return found,
            }
        }
        Err(problem)
    }
}

fn executable(path: PathBuf) -> Result<PathBuf, NotFound> {
    match fs::metadata(&path) {
        Ok(metadata) if !metadata.is_file() || metadata.permissions().mode() & 0o111 == 0 => {
            Err(NotFound::NotExecutable)
        }
        Ok(metadata) if metadata.permissions().mode() & 0o002 != 0 => Err(NotFound::Writable),
        Ok(_) => Ok(path),
        Err(_) => Err(NotFound::Nowhere),
    }
}

/// The part of a request that a program may know: never a header.
pub(super) struct Context {
    pub(super) remote_addr: Option<String>,
    /// Set only if the web server has authenticated a user.
    pub(super) remote_user: Option<String>,
    pub(super) request_id: String,
}

impl Context {
    pub(super) fn of(request: &Request) -> Context {
        Context {
            remote_addr: request.remote_addr().map(|address| address.to_string()),
            remote_user: request.user().map(|user| user.into_owned()),
            request_id: request.id().to_owned(),
        }
    }

    /// Sets it as environment variables.
    pub(super) fn tell(&self, command: &mut Command, method: &str) {
        let variables = [
            ("RPCGI_METHOD", Some(method)),
            ("RPCGI_REMOTE_ADDR", self.remote_addr.as_deref()),
            ("RPCGI_REMOTE_USER", self.remote_user.as_deref()),
            ("RPCGI_REQUEST_ID", Some(&self.request_id)),
        ];
        for (name, value) in variables {
            // no environment has NUL in it
            if let Some(value) = value.filter(|value| !value.contains('\0')) {
                command.env(name, OsStr::new(value));
            }
        }
    }
}
