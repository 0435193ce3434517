//! `rpcgi check`: each kind of mistake, told as the files in `tests/manifests` have it.
//!
//! `GOLDEN=write cargo test --all-features --test it diagnostics` writes them anew.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use serde_json::Value as Json;

use super::{Folder, own, rpcgi, run, text};

fn golden() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/manifests")
}

/// Returns the diagnosis of a manifest, with the names of this machine's places replaced.
fn diagnosis(path: &Path) -> String {
    let folder = tempfile::tempdir().unwrap();
    fs::set_permissions(folder.path(), fs::Permissions::from_mode(0o755)).unwrap();
    let copy = folder.path().join("service.cgi");
    let manifest = fs::read_to_string(path).unwrap().replace("#!RPCGI", &format!("#!{}", rpcgi()));
    fs::write(&copy, manifest).unwrap();
    fs::set_permissions(&copy, fs::Permissions::from_mode(0o755)).unwrap();
    for (name, text, mode) in [
        ("plain", "", 0o644),
        ("noline", "echo hello\n", 0o755),
        ("windows", "#!/bin/sh\r\necho hello\r\n", 0o755),
        ("nowhere", "#!/usr/bin/pythn3\n", 0o755),
        ("marked", "\u{FEFF}#!/bin/sh\necho hello\n", 0o755),
        ("unknown", "#!/usr/bin/env no-such-interpreter\n", 0o755),
        ("windows.sh", "echo hello\r\n", 0o644),
        ("marked.sh", "\u{FEFF}echo hello\n", 0o644),
        ("marked.php", "\u{FEFF}<?php echo 1;\n", 0o644),
        ("marked.py", "\u{FEFF}print(1)\r\n", 0o644),
    ] {
        fs::write(folder.path().join(name), text).unwrap();
        fs::set_permissions(folder.path().join(name), fs::Permissions::from_mode(mode)).unwrap();
    }
    let output = run(&["check", copy.to_str().unwrap()]);
    assert_eq!((output.status.code(), text(&output.stderr)), (Some(1), String::new()), "{}", path.display());
    text(&output.stdout).replace(rpcgi(), "RPCGI").replace(&folder.path().display().to_string(), "FOLDER")
}

#[test]
fn every_kind_of_mistake() {
    let mut manifests: Vec<PathBuf> = fs::read_dir(golden()).unwrap().map(|entry| entry.unwrap().path()).collect();
    manifests.retain(|path| path.extension().is_some_and(|extension| extension == "toml"));
    manifests.sort();
    assert!(manifests.len() >= 8, "{manifests:?}");
    for path in manifests {
        let (found, file) = (diagnosis(&path), path.with_extension("txt"));
        if std::env::var_os("GOLDEN").is_some() {
            fs::write(&file, &found).unwrap();
        }
        assert_eq!(found, fs::read_to_string(&file).unwrap_or_default(), "{}", path.display());
    }
}

#[test]
fn for_programs() {
    let folder = Folder::new("[method.hello]\nruns = [\"echo\"]\n");
    let output = run(&["check", "--format", "json", folder.manifest().to_str().unwrap()]);
    assert_eq!(output.status.code(), Some(1));
    let mistakes: Json = serde_json::from_slice(&output.stdout).unwrap();
    let unknown = &mistakes[1];
    assert_eq!(unknown["message"], "there is no key `runs` here");
    assert_eq!((&unknown["line"], &unknown["column"], &unknown["end_column"]), (&4.into(), &1.into(), &5.into()));
    assert_eq!((&unknown["source"], &unknown["help"]), (&"runs = [\"echo\"]".into(), &"did you mean `run`?".into()));
    assert_eq!(
        (&unknown["severity"], &unknown["file"]),
        (&"error".into(), &folder.manifest().to_str().unwrap().into())
    );
}

/// Checks the exit status of `rpcgi check`, and the lines that its output must have.
#[track_caller]
fn assert_told(path: &Path, status: i32, lines: &[&str]) {
    let output = run(&["check", path.to_str().unwrap()]);
    let told = text(&output.stdout);
    assert_eq!(output.status.code(), Some(status), "{told}");
    for line in lines {
        assert!(told.contains(line), "{line:?} is not in {told}");
    }
}

#[test]
fn what_hosts_have_against_a_file() {
    const HELLO: &str = "[method.hello]\nrun = [\"echo\"]\n";
    let folder = Folder::new(HELLO);
    let (path, program) = (folder.manifest(), rpcgi());
    let fine = fs::read_to_string(&path).unwrap();
    assert_told(&path, 0, &["service.cgi: nothing is wrong\n"]);
    let rewrite = |text: &str, mode| folder.write("service.cgi", text, mode);
    rewrite(&fine, 0o644);
    assert_told(&path, 1, &["error: ", "it may not be executed", "help: chmod 755 "]);
    rewrite(&fine, 0o775);
    assert_told(&path, 0, &["warning: ", "its group may write to it, and suEXEC does not run such files"]);
    assert_eq!(run(&["check", "--strict", path.to_str().unwrap()]).status.code(), Some(1));
    rewrite(&fine, 0o757);
    assert_told(&path, 1, &["every user may write to it", "help: chmod o-w "]);
    rewrite(&fine.replace('\n', "\r\n"), 0o755);
    assert_told(&path, 1, &["the first line ends in CR and LF", "save it with the line ends of Unix"]);
    rewrite(&format!("\u{FEFF}{fine}"), 0o755);
    assert_told(&path, 1, &["a byte order mark stands before the first line"]);
    rewrite(&fine.replacen("#!", "#", 1), 0o755);
    assert_told(&path, 1, &["the first line does not name the program", &format!("help: #!{program}")]);
    rewrite(&fine.replacen(program, "/no/such/rpcgi", 1), 0o755);
    assert_told(&path, 1, &["/no/such/rpcgi: No such file or directory"]);
    rewrite(&fine.replacen(program, "/etc/passwd", 1), 0o755);
    assert_told(&path, 1, &["/etc/passwd may not be executed"]);
    rewrite(&fine.replacen(program, "/bin/sh", 1), 0o755);
    assert_told(&path, 1, &["the first line names /bin/sh, which is not rpcgi", &format!("help: #!{program}")]);
    rewrite(&fine.replacen(program, "/usr/bin/env rpcgi", 1), 0o755);
    assert_told(&path, 0, &["suEXEC has a PATH of its own"]);
    rewrite(&fine.replacen(program, &format!("{program} serve"), 1), 0o755);
    assert_told(&path, 1, &["the first line has more than the program: \"serve\""]);
    rewrite(&fine.replacen(program, &format!("/{}", "x".repeat(127)), 1), 0o755);
    assert_told(&path, 1, &["the first line has 130 octets, and old kernels read only 127"]);
    rewrite(&fine, 0o755);
    fs::set_permissions(folder.path(), fs::Permissions::from_mode(0o777)).unwrap();
    assert_told(&path, 0, &["every user may write to its folder"]);
    fs::set_permissions(folder.path(), fs::Permissions::from_mode(0o755)).unwrap();
    assert_told(Path::new("/no/such/file"), 1, &["/no/such/file: it cannot be opened: No such file or directory"]);
    assert_told(Path::new("/dev/null"), 1, &["expected a file, but it is not a regular file"]);
}

/// Files that Apache would hand out of a folder whose `.htaccess` names the programs.
#[test]
fn what_would_be_handed_out() {
    let folder = Folder::new(
        "[worker.w]\nrun = [\"python3\", \"worker.py\"]\n[method.hello]\nworker = \"w\"\n\
         [method.read]\nrun = [\"cat\", \"data.txt\"]\n",
    );
    folder.write("worker.py", "", 0o644);
    folder.write("data.txt", "", 0o644);
    let path = folder.manifest();
    assert_told(&path, 0, &["nothing is wrong"]);
    folder.write(".htaccess", "Options +ExecCGI\nAddHandler cgi-script .cgi\n", 0o644);
    assert_told(&path, 1, &["hand out `worker.py`", "hand out `data.txt`", "<Files \"worker.py\"> Require all denied"]);
    folder.write(".htaccess", "AddHandler cgi-script .fcgi\n", 0o644);
    assert_told(&path, 1, &["the web server does not run it", "AddHandler cgi-script .cgi", "hand out `worker.py`"]);
    // nothing of programs: that is said elsewhere
    folder.write(".htaccess", "Options -Indexes\n", 0o644);
    assert_told(&path, 0, &["nothing is wrong"]);
    let hidden = "AddHandler cgi-script .cgi\n<FilesMatch \"\\.(py|txt)$\">\nRequire all denied\n</FilesMatch>\n";
    folder.write(".htaccess", hidden, 0o644);
    assert_told(&path, 0, &["nothing is wrong"]);
}

/// The manifests of this repository have nothing wrong with them but that their program is not installed here.
#[test]
fn our_own() {
    for name in ["calc", "wheel", "notes", "languages"] {
        let output = run(&["check", "--format", "json", own(name).to_str().unwrap()]);
        let mistakes: Vec<Json> = serde_json::from_slice(&output.stdout).unwrap();
        let of_the_text = mistakes.iter().filter(|mistake| mistake["line"].as_u64().is_some_and(|line| line > 1));
        assert_eq!(of_the_text.count(), 0, "{name}: {mistakes:?}");
    }
}
