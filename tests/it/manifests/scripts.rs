//! A manifest as a web server starts it by CGI, and what must not be one.

use std::fs;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::Path;
use std::process::Command;

use serde_json::json;

use super::{Folder, rpcgi};
use crate::harness::{Answer, Cgi, document};

const HELLO: &str = "[method.hello]\nreturns = \"string\"\nrun = [\"echo\", \"Hello!\"]\n";

/// Sends a request to the program itself with these words, as from a first line or from a query.
fn started_with(words: &[&str], script: Option<&Path>) -> Answer {
    let mut command = Command::new(rpcgi());
    command.args(words);
    let cgi = Cgi::post_to(command, &document("hello", &[]));
    match script {
        Some(script) => cgi.env("SCRIPT_FILENAME", script.to_str().expect("it is text")).answer(),
        None => cgi.answer(),
    }
}

#[track_caller]
fn assert_explained(answer: &Answer) {
    assert_eq!(answer.head.lines().next(), Some("Status: 403 Forbidden"), "{}{}", answer.body, answer.log);
    assert!(answer.body.starts_with("This is the program rpcgi, not a service."), "{}", answer.body);
    assert_eq!(answer.status, Some(0));
}

/// Checks that the client gets no details, and the log one line.
#[track_caller]
fn assert_out_of_order(answer: &Answer, cause: &str) {
    assert_eq!(answer.head.lines().next(), Some("Status: 500 Internal Server Error"), "{}", answer.body);
    assert_eq!(answer.body, "this service is out of order\n");
    assert!(answer.log.starts_with("error: ") && answer.log.contains(cause), "{:?} has no {cause:?}", answer.log);
    assert_eq!((answer.log.lines().count(), answer.status), (1, Some(0)), "{}", answer.log);
}

#[track_caller]
fn assert_hello(answer: &Answer) {
    assert!(answer.body.contains("<string>Hello!</string>"), "{}{}{}", answer.head, answer.body, answer.log);
    assert_eq!((&answer.log[..], answer.status), ("", Some(0)));
}

#[test]
fn a_manifest_is_a_cgi_program() {
    let folder = Folder::new(HELLO);
    assert_hello(&folder.post(&document("hello", &[])).answer());
    assert_eq!(folder.call_by_cgi("hello", json!([])), Ok("Hello!".into()));
    let script = folder.manifest().display().to_string();
    let page = Cgi::of(Command::new(folder.manifest()), "GET").env("SCRIPT_FILENAME", &script).answer();
    assert!(page.head.contains("text/html") && page.body.contains("id=\"m-hello\""), "{}", page.body);
}

#[test]
fn the_words_of_a_query_are_not_looked_at() {
    let folder = Folder::new(HELLO);
    for words in [
        &["--serve"][..],
        &["/etc/passwd"],
        &["serve", "--listen", "0.0.0.0:1"],
        &["--help"],
        &["%2D%2Dhelp"],
        &["\u{AD}d", "%ADd"],
        &["-c", "/etc/passwd"],
        &[&"a".repeat(100_000)],
    ] {
        let cgi = words.iter().fold(folder.post(&document("hello", &[])), |cgi, word| cgi.argument(word));
        assert_hello(&cgi.answer());
    }
}

#[test]
fn the_program_itself_is_no_service() {
    let folder = Folder::new(HELLO);
    let (manifest, program) = (folder.manifest(), Path::new(rpcgi()));
    let named = manifest.to_str().unwrap();
    for words in [&[][..], &[named], &["/etc/passwd"], &["--help"], &["serve", named], &[rpcgi()]] {
        assert_explained(&started_with(words, Some(program)));
    }
    // in a folder of programs, under another name
    let copy = folder.path().join("copy");
    fs::copy(rpcgi(), &copy).unwrap();
    let cgi = Cgi::post_to(Command::new(&copy), "").env("SCRIPT_FILENAME", copy.to_str().unwrap()).argument(named);
    assert_explained(&cgi.answer());
    let mut get = Command::new(rpcgi());
    get.arg(named);
    assert_explained(&Cgi::of(get, "GET").env("SCRIPT_FILENAME", rpcgi()).answer());
}

#[test]
fn only_the_file_that_the_web_server_names() {
    let folder = Folder::new(HELLO);
    folder.write("other.cgi", &format!("#!{}\ntitle = \"Other\"\n{HELLO}", rpcgi()), 0o755);
    let (manifest, other) = (folder.manifest(), folder.path().join("other.cgi"));
    assert_explained(&started_with(&[other.to_str().unwrap()], Some(&manifest)));
    assert_explained(&started_with(&[manifest.to_str().unwrap()], Some(Path::new("/nowhere"))));
    assert_explained(&started_with(&["--", manifest.to_str().unwrap()], Some(&manifest)));
    assert_out_of_order(&started_with(&[manifest.to_str().unwrap()], None), "there is no SCRIPT_FILENAME");
    // by another name it is the same file
    let link = folder.path().join("link.cgi");
    symlink("service.cgi", &link).unwrap();
    assert_hello(&started_with(&[link.to_str().unwrap()], Some(&manifest)));
    assert_hello(&started_with(&[manifest.to_str().unwrap()], Some(&link)));
    // and a relative one leads there too, as with suEXEC
    let mut relative = Command::new(rpcgi());
    relative.arg("service.cgi").current_dir(folder.path());
    let cgi = Cgi::post_to(relative, &document("hello", &[])).env("SCRIPT_FILENAME", manifest.to_str().unwrap());
    assert_hello(&cgi.answer());
}

#[test]
fn through_a_link_programs_are_beside_the_file() {
    let folder = Folder::new("[method.hello]\nreturns = \"string\"\nrun = [\"./hello\"]\n");
    let folder = folder.with("hello", "#!/bin/sh\necho Hello!\n");
    let elsewhere = tempfile::tempdir().unwrap();
    let link = elsewhere.path().join("link.cgi");
    symlink(folder.manifest(), &link).unwrap();
    let cgi = Cgi::post_to(Command::new(&link), &document("hello", &[]));
    assert_hello(&cgi.env("SCRIPT_FILENAME", link.to_str().unwrap()).answer());
}

#[test]
fn what_is_no_manifest_is_out_of_order() {
    let folder = Folder::new("[method.hello]\nruns = [\"echo\"]\n[method.b]\n");
    let answer = |folder: &Folder| {
        let path = folder.manifest();
        started_with(&[path.to_str().unwrap()], Some(&path))
    };
    assert_out_of_order(
        &answer(&folder),
        "service.cgi:3:9: the method `hello` has neither `run` nor `worker` (and 2 more: rpcgi check ",
    );
    assert!(!answer(&folder).body.contains("hello"));
    folder.write("service.cgi", "title = ", 0o755);
    assert_out_of_order(&answer(&folder), "service.cgi:1:9: ");
    folder.write("service.cgi", HELLO, 0o757);
    assert_out_of_order(&answer(&folder), "every user may write to it");
    folder.write("service.cgi", &format!("{HELLO}\n#{}", "x".repeat(10 << 20)), 0o755);
    assert_out_of_order(&answer(&folder), "more than 4194304");
    fs::write(folder.manifest(), b"title = \"\xFF\"").unwrap();
    assert_out_of_order(&answer(&folder), "expected UTF-8, found something else at line 1 column 10");
    fs::remove_file(folder.manifest()).unwrap();
    fs::create_dir(folder.manifest()).unwrap();
    assert_out_of_order(&answer(&folder), "expected a file, but it is a folder");
    fs::remove_dir(folder.manifest()).unwrap();
    assert!(Command::new("mkfifo").arg(folder.manifest()).status().unwrap().success());
    assert_out_of_order(&answer(&folder), "expected a file, but it is not a regular file");
}

#[test]
fn names_of_the_house_are_taken() {
    let folder = Folder::new("[method.\"system.listMethods\"]\nrun = [\"true\"]\n");
    let path = folder.manifest();
    assert_out_of_order(
        &started_with(&[path.to_str().unwrap()], Some(&path)),
        "every service has a method `system.listMethods` of its own",
    );
    assert_eq!(fs::metadata(path).unwrap().permissions().mode() & 0o777, 0o755);
}
