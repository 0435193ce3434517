//! Workers: programs that stay, in every way they may go wrong.

use std::time::{Duration, Instant};

use serde_json::{Value as Json, json};

use super::{Folder, Service, run, runs};
use crate::harness::{Served, soon};

/// A worker in Python that does what its calls say.
const WORKER: &str = r#"#!/usr/bin/env python3
import json, os, sys, time

def say(**answer):
    print(json.dumps({"jsonrpc": "2.0", **answer}), flush=True)

open("starts", "a").write("x")
for line in sys.stdin:
    call = json.loads(line)
    id, what = call["id"], call["params"][0] if call["params"] else "pid"
    if what == "pid":
        say(id=id, result=os.getpid())
    elif what == "die":
        sys.stderr.write("cause\n")
        os._exit(3)
    elif what == "die later":
        say(id=id, result=os.getpid())
        os._exit(3)
    elif what == "twice":
        say(id=id, result=1)
        say(id=id, result=2)
    elif what == "wrong id":
        say(id=id + 1, result=1)
    elif what == "garbage":
        print("Traceback (most recent call last):", flush=True)
    elif what == "no result":
        say(id=id)
    elif what == "half":
        sys.stdout.write('{"jsonrpc": "2.0", "id": ')
        sys.stdout.flush()
        os._exit(0)
    elif what == "never":
        # longer than any call may take
        time.sleep(60)
    elif what == "without end":
        while True:
            sys.stdout.write("x" * 65536)
    elif what == "type":
        say(id=id, result="text")
    elif what == "error":
        say(id=id, error={"code": 7, "message": "no seats", "data": {"seats": 40}})
    elif what == "error without words":
        say(id=id, error={"code": 8})
    elif what == "error without id":
        say(id=None, error={"code": -32700, "message": "what?"})
    elif what == "log":
        sys.stderr.write("a line\nanother\n")
        say(id=id, result=1)
    elif what == "slow":
        # long enough for others to be asked meanwhile
        time.sleep(0.3)
        say(id=id, result=os.getpid())
    elif what == "context":
        say(id=id, result=len(call["rpcgi"]["request_id"]))
    elif what == "count":
        say(id=id, result=len(call["params"]))
"#;

const MANIFEST: &str = r#"
[limits]
timeout = 5
wait = 20
output = 1_000_000

[worker.w]
run = ["./worker", "987654324"]

[method."do"]
params = [{ name = "what", type = "string", optional = true }, { name = "b", type = "int", optional = true }, { name = "c", type = "int", optional = true }]
returns = "int"
worker = "w"
faults = { 7 = "no seats", 8 = "no words" }

[method."hurry"]
params = [{ name = "what", type = "string" }]
returns = "int"
worker = "w"
timeout = 0.2
"#;

fn service(more: &str) -> Service {
    Folder::new(&format!("{MANIFEST}{more}")).with("worker", WORKER).serve()
}

fn act(service: &Service, what: &str) -> super::Outcome {
    service.call("do", json!([what]))
}

fn starts(service: &Service) -> u64 {
    std::fs::metadata(service.folder.path().join("starts")).map_or(0, |file| file.len())
}

#[test]
fn one_program_answers_many_calls() {
    let service = service("");
    assert_eq!(starts(&service), 0);
    let pid = act(&service, "pid").unwrap();
    for _ in 0..50 {
        assert_eq!(act(&service, "pid"), Ok(pid.clone()));
    }
    assert_eq!(starts(&service), 1);
    // arguments that are left out at the end are not there, and nil before another
    assert_eq!(service.call("do", json!({ "what": "count" })), Ok(1.into()));
    assert_eq!(service.call("do", json!({ "what": "count", "c": 5 })), Ok(3.into()));
    assert!(act(&service, "context").unwrap().as_i64().unwrap() > 5);
}

#[test]
fn its_faults_are_its_own() {
    let service = service("");
    assert_eq!(act(&service, "error"), Err((7, "no seats".into())));
    assert_eq!(act(&service, "error without words"), Err((8, "no words".into())));
    // the codes that JSON-RPC keeps for servers are about the worker, and so are their texts
    let (code, message) = act(&service, "error without id").unwrap_err();
    assert!(code == -32400 && message.starts_with("the program failed (request "), "{code} {message}");
    service.expect_log("warn: worker \"w\": what? (request ");
    let (code, message) = act(&service, "type").unwrap_err();
    let expected =
        "the worker \"w\" answered what it should not: expected int, found string \"text\" at line 1 column 6";
    assert_eq!((code, &message[..]), (-32400, expected));
    assert_eq!(act(&service, "log"), Ok(1.into()));
    assert!(soon(|| service.log().contains("warn: worker \"w\": a line (request ")), "{}", service.log());
    service.expect_log("warn: worker \"w\": another (request ");
    assert_eq!(starts(&service), 1);
}

#[test]
fn a_call_in_flight_is_lost_and_the_next_is_answered() {
    let service = service("");
    assert!(act(&service, "pid").is_ok());
    for (what, problem) in [
        ("die", "the worker \"w\" died during the call"),
        ("half", "the worker \"w\" died during the call"),
        ("wrong id", "the worker \"w\" answered a call that it was not sent"),
        ("garbage", "the worker \"w\" answered something that is no JSON-RPC response"),
        ("no result", "the worker \"w\" answered something that is no JSON-RPC response"),
        ("without end", "the worker \"w\" wrote more than 1000000 octets"),
    ] {
        let before = starts(&service);
        assert_eq!(act(&service, what), Err((-32400, problem.into())), "{what}");
        assert!(act(&service, "pid").is_ok(), "{what}");
        assert_eq!(starts(&service), before + 1, "{what}");
    }
    service.expect_log("warn: worker \"w\": cause (request ");
    service.expect_log("warn: worker \"w\" ended with status 3 (request ");
    service
        .expect_log("error: worker \"w\" answered something that is no JSON-RPC response, and is started anew: Traceback (most recent call last):");
}

#[test]
fn what_it_answers_twice_harms_nobody() {
    let service = service("");
    assert_eq!(act(&service, "twice"), Ok(1.into()));
    let pid = act(&service, "pid").unwrap();
    assert!(pid.as_i64().unwrap() > 2);
    assert_eq!(starts(&service), 1);
}

#[test]
fn one_that_dies_between_calls_is_replaced_without_a_fault() {
    let service = service("");
    for _ in 0..3 {
        let pid = act(&service, "die later").unwrap();
        let has_ended = || {
            let stat = std::fs::read_to_string(format!("/proc/{pid}/stat"));
            stat.map_or(true, |stat| stat.contains(") Z "))
        };
        assert!(soon(has_ended));
        let next = act(&service, "pid");
        assert!(next.is_ok(), "{next:?} {}", service.log());
    }
}

#[test]
fn one_that_does_not_answer_is_ended() {
    let service = service("");
    let pid = act(&service, "pid").unwrap();
    let started = Instant::now();
    let outcome = service.call("hurry", json!(["never"]));
    assert_eq!(outcome, Err((-32400, "the worker \"w\" took longer than 0.2 seconds".into())));
    assert!(started.elapsed() < Duration::from_secs(5));
    assert!(!std::path::Path::new(&format!("/proc/{pid}")).exists());
    assert_ne!(act(&service, "pid"), Ok(pid));
}

#[test]
fn one_that_dies_again_and_again_is_started_later_each_time() {
    let service = Folder::new(&MANIFEST.replace("wait = 20", "wait = 0.5"))
        .with("worker", "#!/bin/sh\necho x >> starts\nread call\nexit 1\n")
        .serve();
    let mut messages = Vec::new();
    let began = Instant::now();
    while began.elapsed() < Duration::from_secs(20) {
        let (code, message) = act(&service, "pid").unwrap_err();
        assert_eq!(code, -32400);
        let is_last = message.contains("is started again in");
        messages.push(message);
        if is_last {
            break;
        }
    }
    // at once, then after 0.1 s, 0.2 s, 0.4 s, and 0.8 s is longer than a call waits
    let (last, died) = messages.split_last().unwrap();
    assert_eq!(last, "the worker \"w\" died 5 times, and is started again in 1 s");
    assert!(
        died.len() == 5 && died.iter().all(|message| message == "the worker \"w\" died during the call"),
        "{messages:?}"
    );
}

#[test]
fn one_that_is_not_there() {
    let service = Folder::new("[worker.w]\nrun = [\"./nothing\"]\n[method.do]\nworker = \"w\"\n").serve();
    assert_eq!(service.call("do", json!([])), Err((-32400, "the worker \"w\" cannot be started".into())));
    service.expect_log("error: worker \"w\" cannot be started: there is no program `./nothing`");
}

#[test]
fn as_many_at_a_time_as_it_says() {
    let service = service("").folder;
    let manifest = MANIFEST.replace("[worker.w]", "[worker.w]\ncount = 3");
    service.write("service.cgi", &format!("#!{}\ntitle = \"Three\"\n{manifest}", super::rpcgi()), 0o755);
    let service = service.serve();
    let mut pids: Vec<Json> = std::thread::scope(|scope| {
        let calls: Vec<_> = (0..9).map(|_| scope.spawn(|| act(&service, "slow").unwrap())).collect();
        calls.into_iter().map(|call| call.join().unwrap()).collect()
    });
    pids.sort_by_key(Json::as_i64);
    pids.dedup();
    assert_eq!(pids.len(), 3);
    assert_eq!(starts(&service), 3);
}

#[test]
fn a_hundred_calls_at_once() {
    let service = service("");
    std::thread::scope(|scope| {
        let calls: Vec<_> = (0..100).map(|_| scope.spawn(|| act(&service, "pid"))).collect();
        assert!(calls.into_iter().all(|call| call.join().unwrap().is_ok()));
    });
    assert_eq!(starts(&service), 1);
}

#[test]
fn by_cgi_it_is_started_for_the_one_call_and_ends() {
    let folder = Folder::new(&MANIFEST.replace("987654324", "987654325")).with("worker", WORKER);
    for _ in 0..2 {
        let pid = folder.call_by_cgi("do", json!(["pid"])).unwrap();
        assert!(!std::path::Path::new(&format!("/proc/{pid}")).exists());
    }
    assert_eq!(std::fs::read(folder.path().join("starts")).unwrap(), b"xx");
    assert_eq!(folder.call_by_cgi("do", json!(["error"])), Err((7, "no seats".into())));
    assert!(soon(|| !runs("987654325")));
}

#[test]
fn they_end_with_the_server() {
    let folder = Folder::new(&MANIFEST.replace("987654324", "987654326")).with("worker", WORKER);
    let mut service = folder.serve();
    assert!(act(&service, "pid").is_ok() && runs("987654326"));
    assert!(service.served.interrupt().success());
    assert!(soon(|| !runs("987654326")));
}

/// A worker is looked after while it is idle.
#[test]
fn one_that_dies_idle_leaves_nothing() {
    let service = service("");
    let pid = act(&service, "die later").unwrap();
    assert!(soon(|| !std::path::Path::new(&format!("/proc/{pid}")).exists()));
    service.expect_log("warn: worker \"w\" ended with status 3");
}

/// Lines as long as one read, and empty ones, are nothing special.
#[test]
fn lines_of_every_length() {
    let worker = "#!/usr/bin/env python3\nimport json, os, sys\nfor line in sys.stdin:\n    call = json.loads(line)\n    \
        answer = json.dumps({'jsonrpc': '2.0', 'id': call['id'], 'result': os.getpid()})\n    length = int(call['params'][0])\n    \
        print(answer + ' ' * (length - len(answer) - 1) + ('\\n' * (length % 2)), flush=True)\n";
    // another worker, which is looked at after this one
    let other = "[worker.z]\nrun = [\"./other\"]\n[method.other]\nreturns = \"int\"\nworker = \"z\"\n";
    let folder = Folder::new(&format!("{MANIFEST}{other}")).with("worker", worker).with("other", WORKER);
    let service = folder.serve();
    let (pid, other) = (act(&service, "100").unwrap(), service.call("other", json!([])).unwrap());
    for length in [4095, 4096, 4097, 8192, 16384, 65536, 131072, 4096] {
        assert_eq!(act(&service, &length.to_string()), Ok(pid.clone()), "{length}");
    }
    // the attendant has been there, and has gone on
    assert!(std::process::Command::new("kill").arg(other.to_string()).status().unwrap().success());
    service.expect_log("warn: worker \"z\" ");
    assert_eq!(act(&service, "4096"), Ok(pid));
    assert!(!service.log().contains("worker \"w\""), "{}", service.log());
}

#[test]
fn one_that_chatters_is_replaced() {
    let worker = "#!/usr/bin/env python3\nimport json, os, sys\nfor line in sys.stdin:\n    \
        print(json.dumps({'jsonrpc': '2.0', 'id': json.loads(line)['id'], 'result': os.getpid()}), flush=True)\n    \
        sys.stdout.write('chatter\\n' * 30000)\n    sys.stdout.flush()\n";
    let service = Folder::new(MANIFEST).with("worker", worker).serve();
    let first = act(&service, "pid").unwrap();
    // a call that comes before the chatter is answered by it
    service.expect_log("wrote a line without a call: chatter");
    let second = act(&service, "pid").unwrap();
    assert!(first != second && second.is_i64());
    assert!(service.log().lines().count() < 100, "{}", service.log().lines().count());
}

#[test]
fn what_it_says_unasked_harms_nobody() {
    let service = Folder::new(MANIFEST).with(
        "worker",
        &WORKER.replace(
            "result=1)\n        say(id=id, result=2)",
            "result=1)\n        print('debug', flush=True)\n        open('said', 'w')",
        ),
    );
    let service = service.serve();
    assert_eq!(act(&service, "twice"), Ok(1.into()));
    assert!(soon(|| service.folder.path().join("said").exists()));
    assert!(act(&service, "pid").is_ok());
    service.expect_log("warn: worker \"w\" wrote a line without a call: debug");
}

#[test]
fn a_reload_does_not_wait_for_stubborn_ones() {
    let stubborn = "#!/usr/bin/env python3\nimport json, os, signal, sys, time\nsignal.signal(signal.SIGTERM, signal.SIG_IGN)\n\
        for line in sys.stdin:\n    print(json.dumps({'jsonrpc': '2.0', 'id': json.loads(line)['id'], 'result': os.getpid()}), flush=True)\ntime.sleep(30)\n";
    let service = Folder::new(MANIFEST).with("worker", stubborn).serve();
    let pid = act(&service, "pid").unwrap();
    let manifest = std::fs::read_to_string(service.folder.manifest()).unwrap();
    service.folder.write("service.cgi", &format!("{manifest}\n# changed\n"), 0o755);
    let started = Instant::now();
    assert_ne!(act(&service, "pid"), Ok(pid.clone()));
    assert!(started.elapsed() < Duration::from_millis(900), "{:?}", started.elapsed());
    // it ends all the same
    assert!(soon(|| !std::path::Path::new(&format!("/proc/{pid}")).exists()));
}

/// A worker whose file is edited is started anew, as the manifest is read anew.
#[test]
fn an_edited_worker_is_noticed() {
    let answers = |result: u32| {
        format!(
            "import json, sys\nfor line in sys.stdin:\n    \
             print(json.dumps({{'jsonrpc': '2.0', 'id': json.loads(line)['id'], 'result': {result}}}), flush=True)\n"
        )
    };
    let manifest = MANIFEST.replace("./worker", "python3\", \"worker.py");
    let service = Folder::new(&manifest).with("worker.py", &answers(1)).serve();
    assert_eq!(act(&service, "x"), Ok(1.into()));
    service.folder.write("worker.py", &answers(22), 0o755);
    assert_eq!(act(&service, "x"), Ok(22.into()));
}

/// The notes of the repository's cgi-bin.
#[test]
fn notes() {
    let folder = tempfile::tempdir().expect("a folder");
    let mut command = std::process::Command::new(super::rpcgi());
    command
        .env_clear()
        .env("HOME", folder.path())
        .arg("serve")
        .arg(super::own("notes"))
        .args(["--listen", "127.0.0.1:0"]);
    let served = Served::start_command(command);
    let call = |method: &str, params: Json| super::call_at(&served.address, method, params);
    let texts = ["first", "'); DROP TABLE note; --", "zwölf $(id) 100 %"];
    std::thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| texts.map(|text| assert!(call("notes.create", json!([text])).unwrap().is_i64())));
        }
    });
    let all = call("notes.list", json!([])).unwrap();
    assert_eq!(all.as_array().unwrap().len(), 12);
    let some = call("notes.list", json!({ "containing": "DROP" })).unwrap();
    assert_eq!(some.as_array().unwrap().len(), 4);
    let id = some[0]["id"].clone();
    assert_eq!(some[0]["text"], texts[1]);
    assert_eq!(call("notes.delete", json!([id])), Ok(Json::Null));
    assert_eq!(call("notes.delete", json!([id])), Err((1, format!("there is no note {id}"))));
    assert_eq!(call("notes.list", json!([])).unwrap().as_array().unwrap().len(), 11);
    // by the program's own client too, with types that JSON does not have
    let listed = run(&["call", &format!("http://{}/", served.address), "notes.list", "zw"]);
    assert!(listed.status.success() && super::text(&listed.stdout).contains("zwölf"), "{listed:?}");
}

/// The ten lines in each language.
#[test]
fn four_languages() {
    let mut command = std::process::Command::new(super::rpcgi());
    command.env_clear().arg("serve").arg(super::own("languages")).args(["--listen", "127.0.0.1:0"]);
    let served = Served::start_command(command);
    for language in ["python", "php", "perl", "node"] {
        let call =
            |method: &str, params: Json| super::call_at(&served.address, &format!("{language}.{method}"), params);
        assert_eq!(call("add", json!([2, 3.5])), Ok(json!(5.5)), "{language} is installed: `tests/run` does that");
        for name in ["Jörg", "\"quoted\" \\ 'and' \u{1}\n", "😀"] {
            assert_eq!(call("greet", json!([name])), Ok(format!("Hello, {name}!").into()), "{language}");
        }
    }
}
