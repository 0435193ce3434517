//! Half an answer is never told as whole, and nothing is left behind.

use std::fs;
use std::io::{BufRead, BufReader, Read, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use serde_json::json;

use super::{Folder, Outcome, outcome, request, rpcgi, runs};
use crate::harness::soon;

/// Makes a call by CGI while strace injects a failure of a system call. `None` if rpcgi has not answered, and said so.
fn call_under_strace(folder: &Folder, what: &str, body: &str) -> Option<Outcome> {
    let path = folder.manifest();
    let mut command = Command::new("strace");
    let trace = format!("trace={}", what.split(':').next().expect("a system call"));
    command.args(["-qq", "-e", &trace, "-e", &format!("inject={what}"), "-o", "/dev/null"]).arg(&path);
    command.env("REQUEST_METHOD", "POST").env("SCRIPT_FILENAME", &path).env("CONTENT_TYPE", "application/json");
    command.env("CONTENT_LENGTH", body.len().to_string());
    command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut strace = command.spawn().expect("strace is installed: `tests/run` does that");
    strace.stdin.take().unwrap().write_all(body.as_bytes()).unwrap();
    let output = strace.wait_with_output().unwrap();
    let answer = super::text(&output.stdout);
    match answer.split_once("\r\n\r\n") {
        Some((head, body)) if head.starts_with("Status: 200") => Some(outcome(body)),
        _ => {
            assert!(answer.starts_with("Status: ") || !output.status.success(), "{what}: {answer} {output:?}");
            None
        }
    }
}

#[test]
fn a_result_is_whole_however_long_rpcgi_stood_still() {
    let folder = Folder::new("[method.seq]\nreturns = \"string\"\nrun = [\"seq\", \"1\", \"10000\"]\n");
    let whole: Vec<String> = (1..=10_000).map(|number: u32| number.to_string()).collect();
    let whole = whole.join("\n");
    std::thread::scope(|scope| {
        for when in 1..=12 {
            let (folder, whole) = (&folder, &whole);
            scope.spawn(move || {
                let what = format!("ppoll:delay_exit=700000:when={when}");
                let result = call_under_strace(folder, &what, &request("seq", json!([])));
                assert!(result == Some(Ok(whole.clone().into())), "{what}: {} octets", format!("{result:?}").len());
            });
        }
    });
}

#[test]
fn an_error_at_a_pipe_is_no_end() {
    let folder = Folder::new(
        "[method.cat]\nparams = [{ name = \"text\", type = \"string\" }]\nreturns = \"string\"\nstdin = \"{text}\"\n\
         run = [\"cat\"]\n",
    );
    let body = request("cat", json!(["hello"]));
    let mut faults = 0;
    for (call, most) in [("write", 3), ("read", 24)] {
        for error in ["ENOMEM", "EIO"] {
            for when in 1..=most {
                let what = format!("{call}:error={error}:when={when}");
                match call_under_strace(&folder, &what, &body) {
                    None => {}
                    Some(Ok(result)) => assert_eq!(result, json!("hello"), "{what}"),
                    Some(Err((code, message))) => {
                        assert_eq!((code, &message[..]), (-32400, "what the program writes cannot be read"), "{what}");
                        faults += 1;
                    }
                }
            }
        }
    }
    assert!(faults >= 4, "{faults} faults: nothing was injected where it matters");
}

/// Children that have left the group of the program, and their parent too.
#[test]
fn all_that_a_program_has_started_ends_with_it() {
    let script = "#!/bin/sh\nsetsid sleep 987654401 &\n(setsid sh -c 'sleep 987654402 & sleep 987654403' &)\n\
                  (env -i setsid sleep 987654404 &)\nsleep 987654405\n";
    let folder = Folder::new("[method.run]\ntimeout = 0.5\nrun = [\"./program\"]\n").with("program", script);
    let all = ["987654401", "987654402", "987654403", "987654404", "987654405"];
    let service = folder.serve();
    let message = "the program took longer than 0.5 seconds".to_owned();
    assert_eq!(service.call("run", json!([])), Err((-32400, message)));
    for sleep in all {
        assert!(soon(|| !runs(sleep)), "{sleep} goes on");
    }
}

/// A child that has closed the pipes goes on after a success, and leaves no zombie when it ends.
#[test]
fn what_is_left_behind_is_taken_leave_of() {
    let script = "#!/bin/sh\n(setsid sleep 1 >/dev/null 2>&1 </dev/null & echo $! >started)\necho done\n";
    let folder = Folder::new("[method.run]\nreturns = \"string\"\nrun = [\"./program\"]\n").with("program", script);
    let service = folder.serve();
    assert_eq!(service.call("run", json!([])), Ok("done".into()));
    let pid = fs::read_to_string(service.folder.path().join("started")).unwrap();
    let process = format!("/proc/{}", pid.trim());
    assert!(Path::new(&process).exists());
    assert!(soon(|| !Path::new(&process).exists()));
}

/// A worker that takes no notice of TERM, nor of the end of its input.
#[test]
fn a_stubborn_worker_keeps_no_cgi_program() {
    let worker = "#!/usr/bin/env python3\nimport json, signal, sys, time\nsignal.signal(signal.SIGTERM, signal.SIG_IGN)\n\
        call = json.loads(sys.stdin.readline())\nprint(json.dumps({'jsonrpc': '2.0', 'id': call['id'], 'result': 1}), flush=True)\n\
        while True:\n    time.sleep(987654)\n";
    let folder =
        Folder::new("[worker.w]\nrun = [\"./worker987654406\"]\n[method.run]\nreturns = \"int\"\nworker = \"w\"\n")
            .with("worker987654406", worker);
    let path = folder.manifest();
    let body = request("run", json!([]));
    let mut command = Command::new(&path);
    command.env("REQUEST_METHOD", "POST").env("SCRIPT_FILENAME", &path).env("CONTENT_LENGTH", body.len().to_string());
    let mut cgi = command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
    cgi.stdin.take().unwrap().write_all(body.as_bytes()).unwrap();
    let mut answer = String::new();
    cgi.stdout.take().unwrap().read_to_string(&mut answer).unwrap();
    assert!(answer.contains("\"result\":1"), "{answer}");
    // as mod_cgid does
    kill(&cgi, "-TERM");
    assert_eq!(cgi.wait().unwrap().code(), Some(143));
    assert!(!runs("worker987654406"));
}

fn kill(child: &Child, signal: &str) {
    assert!(Command::new("kill").args([signal, &child.id().to_string()]).status().unwrap().success());
}

/// Serves a manifest by FastCGI, at a socket beside it.
fn respond(folder: &Folder) -> (Child, PathBuf) {
    let socket = folder.path().join("socket");
    let mut command = Command::new(rpcgi());
    command.env_clear().env("PATH", "/usr/bin:/bin").arg("fcgi").arg(folder.manifest());
    command.arg("--listen").arg(format!("unix:{}", socket.display())).stdin(Stdio::null()).stdout(Stdio::piped());
    let mut responder = command.stderr(Stdio::null()).spawn().unwrap();
    let mut line = String::new();
    BufReader::new(responder.stdout.as_mut().unwrap()).read_line(&mut line).unwrap();
    assert!(line.starts_with("Serving"), "{line}");
    (responder, socket)
}

/// Sends a call to a socket of FastCGI.
fn send(socket: &Path, body: &str) -> Child {
    let mut call = Command::new("cgi-fcgi");
    call.args(["-bind", "-connect"]).arg(socket).env("REQUEST_METHOD", "POST");
    call.env("CONTENT_TYPE", "application/json").env("CONTENT_LENGTH", body.len().to_string());
    call.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::null());
    let mut call = call.spawn().expect("cgi-fcgi is installed: `tests/run` does that");
    // a refusal may come before all of it is read
    _ = call.stdin.take().unwrap().write_all(body.as_bytes());
    call
}

#[test]
fn a_second_term_takes_programs_along() {
    for signal in ["-TERM", "-INT"] {
        let folder = Folder::new("[limits]\nstop = 60\n[method.run]\nrun = [\"./program\"]\n")
            .with("program", "#!/bin/sh\nsetsid sleep 987654407 &\nsleep 987654408\n");
        let (mut responder, socket) = respond(&folder);
        let mut call = send(&socket, &request("run", json!([])));
        assert!(soon(|| runs("987654407") && runs("987654408")));
        kill(&responder, signal);
        assert!(soon(|| !socket.exists()));
        kill(&responder, signal);
        let expected = if signal == "-TERM" { 143 } else { 130 };
        assert_eq!(responder.wait().unwrap().code(), Some(expected));
        assert!(soon(|| !runs("987654407") && !runs("987654408")), "{signal}");
        _ = call.wait();
    }
}

/// Returns a folder with a manifest that has memory for one call of 100 kB at a time, with a slow method and a quick
/// one. The slow one takes longer than some calls wait, and tells that it has started.
fn narrow(wait: &str) -> Folder {
    Folder::new(&format!(
        "[limits]\nmemory = 1000000\nwait = {wait}\n[method.slow]\nreturns = \"int\"\noutput = \"text\"\nstdin = \"{{text}}\"\n\
         run = [\"sh\", \"-c\", \"echo >>started; sleep 0.7; wc -c\"]\nparams = [{{ name = \"text\", type = \"string\" }}]\n\
         [method.quick]\nreturns = \"int\"\noutput = \"text\"\nstdin = \"{{text}}\"\nrun = [\"wc\", \"-c\"]\n\
         params = [{{ name = \"text\", type = \"string\" }}]\n"
    ))
}

/// Counts the sockets that a process has open.
fn sockets(id: u32) -> usize {
    let files = fs::read_dir(format!("/proc/{id}/fd")).expect("it runs").flatten();
    let targets = files.filter_map(|file| fs::read_link(file.path()).ok());
    targets.filter(|target| target.to_string_lossy().starts_with("socket:")).count()
}

/// Makes large calls of a server with this process and folder while one runs that has reserved all memory, and a small
/// one.
fn with_little_memory(
    post: impl Fn(&str) -> String + Sync,
    (id, folder): (u32, &Folder),
    wait: &str,
) -> (Vec<String>, String) {
    let large = request("slow", json!(["x".repeat(100_000)]));
    std::thread::scope(|scope| {
        let before = sockets(id);
        let calls: Vec<_> = (0..3).map(|_| scope.spawn(|| post(&large))).collect();
        // one runs, and the others wait or have been refused
        let have_come = || calls.iter().filter(|call| call.is_finished()).count() + sockets(id) >= before + 3;
        assert!(soon(|| folder.path().join("started").exists() && have_come()), "{wait}");
        let small = post(&request("quick", json!(["x"])));
        let mut answers: Vec<String> = calls.into_iter().map(|call| call.join().unwrap()).collect();
        answers.sort();
        assert!(answers.iter().all(|answer| answer.contains("100000") || answer.contains("503")), "{wait} {answers:?}");
        (answers, small)
    })
}

fn assert_little_memory(post: impl Fn(&str) -> String + Sync, server: (u32, &Folder), wait: &str) {
    let (answers, small) = with_little_memory(post, server, wait);
    // it does not wait behind the large ones
    assert!(small.contains("\"result\":1"), "{small}");
    let refused: Vec<&String> = answers.iter().filter(|answer| answer.contains("503")).collect();
    match wait {
        "10" => assert_eq!(refused.len(), 0, "{answers:?}"),
        _ => {
            assert_eq!(refused.len(), 2, "{answers:?}");
            assert!(
                refused.iter().all(|answer| answer.to_lowercase().contains("\r\nretry-after: 1\r\n")),
                "{refused:?}"
            );
        }
    }
}

#[test]
fn large_calls_wait_for_memory_at_serve() {
    for wait in ["10", "0.2"] {
        let service = narrow(wait).serve();
        let post = |body: &str| {
            let head = "POST / HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\nContent-Type: application/json";
            service.served.send(&format!("{head}\r\nContent-Length: {}\r\n\r\n{body}", body.len()))
        };
        assert_little_memory(post, (service.served.id(), &service.folder), wait);
        // a body that does not tell its length is counted as it comes
        let chunk = request("quick", json!(["x".repeat(200_000)]));
        let head = "POST / HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\nContent-Type: application/json";
        let chunked = format!("{head}\r\nTransfer-Encoding: chunked\r\n\r\n{:x}\r\n{chunk}\r\n0\r\n\r\n", chunk.len());
        assert!(service.served.send(&chunked).contains("200000"));
    }
}

#[test]
fn large_calls_wait_for_memory_at_fastcgi() {
    for wait in ["10", "0.2"] {
        let folder = narrow(wait);
        let (mut responder, socket) = respond(&folder);
        let post = |body: &str| {
            let answer = send(&socket, body).wait_with_output().unwrap();
            String::from_utf8(answer.stdout).unwrap()
        };
        assert_little_memory(post, (responder.id(), &folder), wait);
        // all of it is free again
        assert!(post(&request("quick", json!(["x".repeat(150_000)]))).contains("150000"));
        kill(&responder, "-TERM");
        assert!(responder.wait().unwrap().success());
    }
}
