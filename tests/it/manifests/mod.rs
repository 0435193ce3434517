//! Manifests, by the program `rpcgi` as people run it.

mod alone;
mod arguments;
mod commands;
mod diagnostics;
mod doctor;
mod first_steps;
mod init;
mod keys;
mod logs;
mod modules;
mod moving;
mod programs;
mod reliability;
mod scripts;
mod surroundings;
mod web_servers;
mod workers;

use std::fs;
use std::io::{Read, Write};
use std::net::TcpStream;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use std::time::Duration;

use serde_json::{Value as Json, json};

use crate::harness::{Cgi, Served, soon};

/// Returns the path of the program.
pub fn rpcgi() -> &'static str {
    env!("CARGO_BIN_EXE_rpcgi")
}

/// Returns the path of a manifest of this repository.
pub fn own(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("cgi-bin").join(name)
}

/// Runs the program with a command line.
pub fn run(arguments: &[&str]) -> Output {
    Command::new(rpcgi()).args(arguments).env_remove("REQUEST_METHOD").stdin(Stdio::null()).output().expect("it starts")
}

pub fn text(octets: &[u8]) -> String {
    String::from_utf8_lossy(octets).into_owned()
}

/// A folder with a manifest in it, and the programs that this one names.
pub struct Folder(tempfile::TempDir);

impl Folder {
    /// Makes a folder with the manifest `service.cgi`, whose first line and title are made here.
    pub fn new(manifest: &str) -> Folder {
        Folder::untitled(&format!("title = \"Test\"\n{manifest}"))
    }

    /// Makes a folder with the manifest `service.cgi`, whose first line is made here.
    pub fn untitled(manifest: &str) -> Folder {
        let folder = Folder(tempfile::tempdir().expect("a folder"));
        fs::set_permissions(folder.path(), fs::Permissions::from_mode(0o755)).expect("it is ours");
        folder.write("service.cgi", &format!("#!{}\n{manifest}", rpcgi()), 0o755);
        folder
    }

    pub fn path(&self) -> &Path {
        self.0.path()
    }

    pub fn manifest(&self) -> PathBuf {
        self.path().join("service.cgi")
    }

    /// Writes a file.
    pub fn write(&self, name: &str, text: &str, mode: u32) {
        let path = self.path().join(name);
        fs::write(&path, text).expect("it is ours");
        fs::set_permissions(path, fs::Permissions::from_mode(mode)).expect("it is ours");
    }

    /// Adds one more file, a program.
    pub fn with(self, name: &str, text: &str) -> Folder {
        self.write(name, text, 0o755);
        self
    }

    /// Serves the manifest until the end of the test.
    pub fn serve(self) -> Service {
        let mut command = Command::new(rpcgi());
        command.env_clear().arg("serve").arg(self.manifest()).args(["--listen", "127.0.0.1:0"]);
        let log = fs::File::create(self.path().join("log")).expect("it is ours");
        command.stderr(log);
        Service { served: Served::start_command(command), folder: self }
    }

    /// Prepares a call by CGI, as a web server starts the manifest.
    pub fn post(&self, body: &str) -> Cgi {
        let path = self.manifest();
        Cgi::post_to(Command::new(&path), body).env("SCRIPT_FILENAME", path.to_str().expect("it is text"))
    }

    #[track_caller]
    pub fn call_by_cgi(&self, method: &str, params: Json) -> Outcome {
        let answer = self.post(&request(method, params)).env("CONTENT_TYPE", "application/json").answer();
        assert!(answer.body.starts_with('{'), "{}{}", answer.body, answer.log);
        outcome(&answer.body)
    }
}

/// The outcome of a call: a result, or the code and the text of a fault.
pub type Outcome = Result<Json, (i64, String)>;

pub fn request(method: &str, params: Json) -> String {
    json!({ "jsonrpc": "2.0", "id": 1, "method": method, "params": params }).to_string()
}

#[track_caller]
pub fn outcome(body: &str) -> Outcome {
    let answer: Json = serde_json::from_str(body).unwrap_or_else(|error| panic!("{error} in {body}"));
    match answer.get("error") {
        None => Ok(answer["result"].clone()),
        Some(error) => {
            Err((error["code"].as_i64().expect("a code"), error["message"].as_str().expect("a text").to_owned()))
        }
    }
}

/// A manifest that is served.
pub struct Service {
    pub served: Served,
    pub folder: Folder,
}

impl Service {
    /// Calls a method by JSON-RPC, on a connection of its own.
    #[track_caller]
    pub fn call(&self, method: &str, params: Json) -> Outcome {
        call_at(&self.served.address, method, params)
    }

    pub fn log(&self) -> String {
        fs::read_to_string(self.folder.path().join("log")).unwrap_or_default()
    }

    #[track_caller]
    pub fn expect_log(&self, text: &str) {
        assert!(soon(|| self.log().contains(text)), "{text:?} is not in {}", self.log());
    }
}

#[track_caller]
pub fn call_at(address: &str, method: &str, params: Json) -> Outcome {
    let body = request(method, params);
    let mut stream = TcpStream::connect(address).expect("it listens");
    stream.set_read_timeout(Some(Duration::from_secs(60))).expect("it is a socket");
    let head = format!(
        "POST / HTTP/1.1\r\nHost: {address}\r\nConnection: close\r\nContent-Type: application/json\r\nContent-Length: {}",
        body.len()
    );
    stream.write_all(format!("{head}\r\n\r\n{body}").as_bytes()).expect("it reads");
    let mut response = String::new();
    stream.read_to_string(&mut response).expect("it answers");
    outcome(response.split_once("\r\n\r\n").expect("a head").1)
}

/// Tests whether a process with this word on its command line is running.
pub fn runs(word: &str) -> bool {
    let processes = fs::read_dir("/proc").expect("it is Linux").flatten();
    processes
        .filter_map(|process| fs::read(process.path().join("cmdline")).ok())
        .any(|line| line.windows(word.len()).any(|window| window == word.as_bytes()))
}
