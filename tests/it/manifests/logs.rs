//! The log as a file.

use std::fs;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::{Path, PathBuf};

use serde_json::{Value as Json, json};

use super::{Folder, run, text};
use crate::harness::soon;

const FAILS: &str = "[method.fails]\nrun = [\"sh\", \"-c\", 'printf \"no\\033 bread\\n\" >&2; exit 7']\n\
    [method.fine]\nreturns = \"string\"\nrun = [\"echo\", \"{a}\"]\nparams = [{ name = \"a\", type = \"string\" }]\n";

/// Returns a folder for logs, and one with a manifest that has this for a log.
fn logging(log: &str) -> (tempfile::TempDir, PathBuf, Folder) {
    let place = tempfile::tempdir().unwrap();
    let file = place.path().join("service.log");
    let folder = Folder::new(&format!("{}{FAILS}", log.replace("FILE", file.to_str().unwrap())));
    (place, file, folder)
}

fn lines(file: &Path) -> Vec<String> {
    fs::read_to_string(file).unwrap_or_default().lines().map(str::to_owned).collect()
}

/// Returns the time, level, id and text of a line.
#[track_caller]
fn parts(line: &str) -> (String, String, String) {
    let [time, level, id, text] = line.splitn(4, ' ').collect::<Vec<_>>().try_into().unwrap();
    let is_time = chrono_like(time);
    assert!(is_time, "{line}");
    (level.to_owned(), id.to_owned(), text.to_owned())
}

/// Tests if a text is a time of RFC 3339 as the log has it: 2026-11-25T15:00:43.123Z.
fn chrono_like(time: &str) -> bool {
    let form: String = time.chars().map(|character| if character.is_ascii_digit() { '0' } else { character }).collect();
    form == "0000-00-00T00:00:00.000Z"
}

#[test]
fn a_file_has_time_level_and_id() {
    let (_place, file, folder) = logging("log = \"FILE\"\nlog_calls = true\n");
    let service = folder.serve();
    let (code, message) = service.call("fails", json!([])).unwrap_err();
    assert_eq!(code, -32400);
    let id = message.strip_prefix("the program failed (request ").unwrap().strip_suffix(')').unwrap().to_owned();
    service.call("fine", json!(["a secret"])).unwrap();
    assert!(soon(|| lines(&file).len() == 4), "{:?}", lines(&file));
    let lines = lines(&file);
    let expect = |line: &str, level: &str, text: &str| assert_eq!(parts(line), (level.into(), id.clone(), text.into()));
    expect(&lines[0], "warn", "method \"fails\": no\\u{1b} bread");
    expect(&lines[1], "warn", "method \"fails\": the program ended with status 7");
    let (level, of_call, text) = parts(&lines[2]);
    assert_eq!((&level[..], &of_call), ("info", &id));
    assert!(text.starts_with("call \"fails\" from 127.0.0.1: fault -32400 in "), "{text}");
    assert!(text.ends_with(" octets"), "{text}");
    let (_, other, text) = parts(&lines[3]);
    assert!(other != id && text.starts_with("call \"fine\" from 127.0.0.1: ok in "), "{text}");
    assert!(!lines.concat().contains("secret"));
    assert_eq!(fs::metadata(&file).unwrap().permissions().mode() & 0o777, 0o640);
    // what goes there goes to standard error too
    service.expect_log(&format!("warn: method \"fails\": no\\u{{1b}} bread (request {id})\n"));
}

#[test]
fn in_json() {
    let (_place, file, folder) = logging("log_calls = true\n[log]\nfile = \"FILE\"\nformat = \"json\"\n");
    let body = super::request("fine", json!(["x"]));
    let cgi = folder.post(&body).env("CONTENT_TYPE", "application/json").env("UNIQUE_ID", "aX3@x");
    let answer = cgi.env("REMOTE_ADDR", "192.0.2.7").env("AUTH_TYPE", "Basic").env("REMOTE_USER", "ann \"a\"").answer();
    let lines = lines(&file);
    let [line] = &lines[..] else { panic!("{lines:?}") };
    let line: Json = serde_json::from_str(line).unwrap();
    assert!(chrono_like(line["time"].as_str().unwrap()), "{line}");
    assert_eq!((&line["level"], &line["id"]), (&"info".into(), &"aX3@x".into()));
    assert_eq!((&line["method"], &line["user"]), (&"fine".into(), &"ann \"a\"".into()));
    assert_eq!((&line["address"], &line["outcome"]), (&"192.0.2.7".into(), &"ok".into()));
    assert_eq!(line["octets"], answer.body.len());
    assert!(line["ms"].as_f64().unwrap() > 0.0);
    assert!(answer.head.contains("\r\nx-request-id: aX3@x\r\n"), "{}", answer.head);
}

#[test]
fn a_file_that_is_renamed_is_opened_anew() {
    let (place, file, folder) = logging("log = \"FILE\"\n");
    let service = folder.serve();
    service.call("fails", json!([])).unwrap_err();
    let old = place.path().join("old");
    fs::rename(&file, &old).unwrap();
    let is_new = || {
        service.call("fails", json!([])).unwrap_err();
        file.exists()
    };
    assert!(soon(is_new));
    assert!(!lines(&old).is_empty() && !lines(&file).is_empty());
}

#[test]
fn links_and_pipes_are_no_files() {
    let (place, file, folder) = logging("log = \"FILE\"\n");
    let target = place.path().join("target");
    symlink(&target, &file).unwrap();
    let service = folder.serve();
    for _ in 0..2 {
        service.call("fails", json!([])).unwrap_err();
    }
    assert!(!target.exists());
    // told once
    service.expect_log(&format!("error: the log {} cannot be written: ", file.display()));
    assert_eq!(service.log().matches("cannot be written").count(), 1, "{}", service.log());
    fs::remove_file(&file).unwrap();
    let made = std::process::Command::new("mkfifo").arg(&file).status().unwrap();
    assert!(made.success());
    service.call("fails", json!([])).unwrap_err();
    fs::remove_file(&file).unwrap();
    let is_written = || {
        service.call("fails", json!([])).unwrap_err();
        !lines(&file).is_empty()
    };
    assert!(soon(is_written));
}

#[test]
fn a_log_that_may_be_fetched_is_told_of() {
    let folder = Folder::new(&format!("log = \"service.log\"\n{FAILS}"));
    let check = run(&["check", folder.manifest().to_str().unwrap()]);
    let told = text(&check.stdout);
    assert!(told.contains("warning: the log lies beside the manifest"), "{told}");
    let (place, file, folder) = logging("log = \"FILE\"\n");
    let body = super::request("fails", json!([]));
    let post = || folder.post(&body).env("CONTENT_TYPE", "application/json");
    let answer = post().env("DOCUMENT_ROOT", place.path().to_str().unwrap()).answer();
    assert!(answer.log.contains(&format!("warn: the log {} is below DOCUMENT_ROOT", file.display())), "{}", answer.log);
    // not for each line
    let answer = post().env("DOCUMENT_ROOT", place.path().to_str().unwrap()).answer();
    assert!(!answer.log.contains("DOCUMENT_ROOT"), "{}", answer.log);
    let folder = Folder::new(&format!("log = \"/no/such/folder/x.log\"\n{FAILS}"));
    let check = run(&["check", folder.manifest().to_str().unwrap()]);
    assert_eq!(check.status.code(), Some(1));
    assert!(text(&check.stdout).contains("/no/such/folder: No such file"), "{}", text(&check.stdout));
}

#[test]
fn a_program_is_no_log() {
    let folder = Folder::new(&format!("log = \"service.cgi\"\n{FAILS}"));
    let before = fs::read_to_string(folder.manifest()).unwrap();
    let check = run(&["check", folder.manifest().to_str().unwrap()]);
    assert_eq!(check.status.code(), Some(1));
    assert!(text(&check.stdout).contains("service.cgi is a program, and nothing is written into it"));
    let cgi = folder.post(&super::request("fails", json!([]))).env("CONTENT_TYPE", "application/json");
    assert!(cgi.answer().log.contains("cannot be written: it is a program"));
    assert_eq!(fs::read_to_string(folder.manifest()).unwrap(), before);
}
