//! The static program: one file, which needs no other.

use std::fs;
use std::io::Write;
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::path::PathBuf;
use std::process::{Command, Stdio};

use serde_json::json;

use super::{outcome, request};

/// The limit for the size of the program, which people upload.
const LARGEST: u64 = 6_300_000;

/// Returns the program as the README builds it.
fn program() -> PathBuf {
    let tests = std::env::current_exe().expect("a running test has a path");
    let target = tests.ancestors().nth(3).expect("tests are three folders deep");
    let path = target.join("x86_64-unknown-linux-musl/release/rpcgi");
    assert!(path.exists(), "{} is not built: `tests/run` does that", path.display());
    path
}

#[test]
fn it_is_small() {
    let size = fs::metadata(program()).expect("it is there").len();
    assert!(size < LARGEST, "{size} octets");
}

/// The program works alone in a folder that is all there is, with a manifest that runs rpcgi itself.
#[test]
fn it_needs_nothing_beside_it() {
    if fs::metadata("/proc/self").is_ok_and(|process| process.uid() != 0) {
        assert!(std::env::var_os("CI").is_none(), "CI runs as root");
        eprintln!("skipped: only root can make a folder all there is");
        return;
    }
    let folder = tempfile::tempdir().expect("a folder");
    fs::copy(program(), folder.path().join("rpcgi")).expect("there is room");
    let manifest =
        "#!/rpcgi\ntitle = \"Alone\"\n[method.version]\nreturns = \"string\"\nrun = [\"./rpcgi\", \"--version\"]\n";
    let path = folder.path().join("api.cgi");
    fs::write(&path, manifest).expect("it is ours");
    fs::set_permissions(&path, fs::Permissions::from_mode(0o755)).expect("it is ours");
    let ask = |method: &str, body: &str| {
        let mut command = Command::new("chroot");
        command
            .arg(folder.path())
            .arg("/api.cgi")
            .env_clear()
            .env("REQUEST_METHOD", method)
            .env("PATH", "/usr/sbin:/usr/bin");
        command.env("SCRIPT_FILENAME", "/api.cgi").env("CONTENT_LENGTH", body.len().to_string());
        command.env("CONTENT_TYPE", "application/json");
        let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().expect("chroot is there");
        child.stdin.take().expect("it is piped").write_all(body.as_bytes()).expect("it reads");
        let output = child.wait_with_output().expect("it ends");
        super::text(&output.stdout).split_once("\r\n\r\n").expect("a head").1.to_owned()
    };
    let version = outcome(&ask("POST", &request("version", json!([]))));
    assert_eq!(version, Ok(concat!("rpcgi ", env!("CARGO_PKG_VERSION")).into()));
    let page = ask("GET", "");
    assert!(page.starts_with("<!DOCTYPE html>") && page.contains("id=\"m-version\""), "{page}");
    let mut left: Vec<_> = fs::read_dir(folder.path()).unwrap().map(|entry| entry.unwrap().file_name()).collect();
    left.sort_unstable();
    assert_eq!(left, ["api.cgi", "rpcgi"]);
}
