//! Programs that are started for a call: their surroundings, their results, and how they fail.

use std::time::{Duration, Instant};

use serde_json::{Value as Json, json};

use super::{Folder, Service, runs};
use crate::harness::soon;

/// Serves a manifest whose one method runs a shell's text.
fn shell(returns: &str, more: &str, script: &str) -> Service {
    Folder::new(&format!("[limits]\ntimeout = 10\n[method.run]\nreturns = {returns}\nrun = [\"./program\"]\n{more}\n"))
        .with("program", &format!("#!/bin/sh\n{script}\n"))
        .serve()
}

#[test]
fn what_a_program_finds_around_itself() {
    let folder = Folder::new(
        r#"
[method."environment"]
params = [
    { name = "a_b", type = "int" },
    { name = "flag", type = "boolean", default = true },
    { name = "when", type = "dateTime.iso8601", optional = true },
    { name = "none", type = "string", optional = true },
    { name = "data", type = "base64", optional = true },
    { name = "list", type = "array", optional = true },
]
returns = { type = "array", items = "string" }
output = "lines"
run = ["env"]
env = { MODE = "test", TZ = "UTC" }

[method."folder"]
returns = "string"
run = ["pwd"]
"#,
    );
    let params = json!({ "a_b": 5, "when": "20261124T12:00:00", "data": "eA==", "list": [1] });
    let body = super::request("environment", params);
    let cgi = folder.post(&body).env("CONTENT_TYPE", "application/json").env("HTTP_PROXY", "http://evil.example");
    let cgi = cgi.env("HTTP_X_SECRET", "secret").env("SECRET", "secret").env("REMOTE_ADDR", "192.0.2.7");
    let answer = cgi.env("REMOTE_USER", "eve").env("UNIQUE_ID", "abc@1").env("LD_PRELOAD", "").answer();
    let environment = super::outcome(&answer.body).unwrap();
    let all = environment.as_array().unwrap().iter().map(|line| line.as_str().unwrap());
    // the mark differs for each process
    let (marks, mut lines): (Vec<&str>, Vec<&str>) = all.partition(|line| line.starts_with("RPCGI_PROCESS="));
    assert_eq!(marks.len(), 1);
    lines.sort_unstable();
    let home = format!("HOME={}", folder.path().display());
    let expected = [
        &home[..],
        "LANG=C.UTF-8",
        "MODE=test",
        "PATH=/usr/local/bin:/usr/bin:/bin",
        "PYTHONUNBUFFERED=1",
        "RPCGI_METHOD=environment",
        "RPCGI_PARAM_a_b=5",
        "RPCGI_PARAM_flag=1",
        "RPCGI_PARAM_when=2026-11-24T12:00:00",
        "RPCGI_REMOTE_ADDR=192.0.2.7",
        "RPCGI_REQUEST_ID=abc@1",
        "TZ=UTC",
    ];
    assert_eq!(lines, expected);
    // a user that the web server has let in is another matter
    let cgi =
        folder.post(&body).env("CONTENT_TYPE", "application/json").env("REMOTE_USER", "ann").env("AUTH_TYPE", "Basic");
    assert!(cgi.answer().body.contains("\"RPCGI_REMOTE_USER=ann\""));
    assert_eq!(folder.call_by_cgi("folder", json!([])), Ok(folder.path().to_str().unwrap().into()));
}

#[test]
fn results_of_every_type() {
    for (returns, more, script, expected) in [
        ("\"int\"", "", "echo ' 5 '", json!(5)),
        ("\"i8\"", "", "echo 9007199254740993", json!(9_007_199_254_740_993_i64)),
        ("\"double\"", "", "echo .5", json!(0.5)),
        ("\"boolean\"", "", "echo true", json!(true)),
        ("\"dateTime.iso8601\"", "", "echo 1998-07-17T14:08:55Z", json!("1998-07-17T14:08:55")),
        ("\"string\"", "", "printf 'a\\nb \\n\\n'", json!("a\nb \n")),
        ("\"string\"", "", "printf 'a\\r\\n'", json!("a")),
        ("\"string\"", "output = \"json\"", "printf '%s' '\"a\\n\"'", json!("a\n")),
        ("\"nil\"", "", "echo whatever", Json::Null),
        ("\"base64\"", "", "printf '\\000\\377'", json!("AP8=")),
        ("\"array\"", "output = \"lines\"", "printf 'a\\nb\\r\\n\\nc'", json!(["a", "b", "", "c"])),
        ("{ type = \"array\", items = \"int\" }", "output = \"lines\"", "seq 3", json!([1, 2, 3])),
        ("\"array\"", "output = \"lines\"", ":", json!([])),
        ("\"struct\"", "", "echo '{\"a\": [1, null]}'", json!({ "a": [1, null] })),
        // as PHP writes a struct without members
        ("\"struct\"", "", "echo '[]'", json!({})),
        ("\"undefined\"", "", "echo 2.5", json!(2.5)),
        ("\"int\"", "success = [0, 1]", "echo 0; exit 1", json!(0)),
    ] {
        let service = shell(returns, more, script);
        assert_eq!(service.call("run", json!([])), Ok(expected), "{script}");
    }
}

#[test]
fn results_that_are_not_of_the_type() {
    let wrong = |json: bool| {
        format!("the program did not write {}: ", if json { "JSON of its type" } else { "a value of its type" })
    };
    for (returns, more, script, message) in [
        ("\"int\"", "", "echo five", "expected int (32 bits; i8 has 64), found \"five\""),
        ("\"int\"", "", ":", "expected int (32 bits; i8 has 64), found \"\""),
        ("\"int\"", "", "echo 2147483648", "expected int (32 bits; i8 has 64), found \"2147483648\""),
        ("{ type = \"int\", maximum = 9 }", "", "echo 10", "expected a number of at most 9, found 10"),
        ("\"string\"", "", "printf 'a\\377'", "expected UTF-8, found octet FF after 1 octets"),
        ("\"struct\"", "", "printf '{\"a\": 1'", "EOF while parsing an object at line 1 column 7"),
        ("\"struct\"", "", "echo '{} {}'", "expected the end, found `{` at line 1 column 4"),
        ("\"struct\"", "", "echo '[1]'", "expected struct, found array at line 1 column 3"),
        (
            "{ type = \"struct\", members = { a = \"int\" } }",
            "",
            "echo '{}'",
            "expected struct with member \"a\", found none of that name",
        ),
        (
            "{ type = \"array\", items = \"int\" }",
            "output = \"lines\"",
            "echo 1; echo x",
            "expected int (32 bits; i8 has 64), found \"x\" in line 2",
        ),
    ] {
        let service = shell(returns, more, script);
        let (code, found) = service.call("run", json!([])).unwrap_err();
        assert_eq!(code, -32400, "{script}");
        let is_json = returns.contains("struct");
        assert!(found.starts_with(&wrong(is_json)) && found.contains(message), "{script}: {found}");
        service.expect_log("warn: method \"run\": the program wrote \"");
        service.expect_log("warn: method \"run\": the program did not write ");
    }
}

#[test]
fn a_program_that_fails_says_why() {
    for (more, script, code, message) in [
        (
            "tell_errors = true",
            "echo cause >&2; echo 'no such \u{1b}[31mwheel' >&2; echo >&2; exit 4",
            4,
            "no such  [31mwheel",
        ),
        ("tell_errors = true", "exit 5", 5, "the program ended with status 5"),
        ("faults = { 6 = \"there are no seats\" }", "echo secret >&2; exit 6", 6, "there are no seats"),
        ("", "kill -9 $$", -32400, "the program was ended by signal 9"),
        ("", "echo 1 >&2; exit 0", 0, ""),
    ] {
        let service = shell("\"nil\"", more, script);
        let expected = if code == 0 { Ok(Json::Null) } else { Err((code, message.to_owned())) };
        assert_eq!(service.call("run", json!([])), expected, "{script}");
    }
    // callers do not see the output: they can name the request to the operator
    let service = shell("\"nil\"", "", "echo one >&2; printf '\\033two' >&2; exit 1");
    let (code, message) = service.call("run", json!([])).unwrap_err();
    let id = message.strip_prefix("the program failed (request ").and_then(|rest| rest.strip_suffix(")"));
    let who = "warn: method \"run\"";
    let id = format!("(request {})\n", id.unwrap_or_else(|| panic!("{message}")));
    assert_eq!(code, -32400);
    service.expect_log(&format!("{who}: one {id}{who}: \\u{{1b}}two {id}{who}: the program ended with status 1 {id}"));
}

/// One log may have the lines of several manifests.
#[test]
fn by_cgi_lines_tell_the_manifest() {
    let folder = Folder::new("[method.run]\nrun = [\"sh\", \"-c\", \"echo one >&2\"]\n");
    let cgi = folder.post(&super::request("run", json!([]))).env("CONTENT_TYPE", "application/json");
    let answer = cgi.env("HTTP_X_REQUEST_ID", "a@1").answer();
    assert_eq!(answer.log, format!("warn: {}: method \"run\": one (request a@1)\n", folder.manifest().display()));
    assert!(answer.head.contains("\r\nx-request-id: a@1\r\n"), "{}", answer.head);
}

#[test]
fn a_program_that_cannot_be_started() {
    let folder = Folder::new(
        "[method.a]\nrun = [\"no-such-program\"]\n[method.b]\nrun = [\"./plain\"]\n[method.c]\nrun = [\"./bad\"]\n[method.d]\nrun = [\"./open\"]\n",
    );
    folder.write("plain", "echo\n", 0o644);
    folder.write("open", "#!/bin/sh\n", 0o777);
    let service = folder.with("bad", "#!/no/such/interpreter\n").serve();
    for (method, cause) in [
        ("a", "there is no program `no-such-program`"),
        ("b", "`./plain` is not executable"),
        ("c", "./bad cannot be started: No such file or directory"),
        ("d", "every user may write to `./open`, so it is not started: chmod o-w"),
    ] {
        assert_eq!(service.call(method, json!([])), Err((-32400, "the program cannot be started".into())));
        service.expect_log(&format!("error: method \"{method}\": {cause}"));
    }
}

#[test]
fn a_program_that_takes_too_long_ends_with_all_it_has_started() {
    let script = "sleep 987654321 & trap '' TERM; echo hello; sleep 987654321; sleep 987654321";
    let service = shell("\"string\"", "timeout = 0.3", script);
    let started = Instant::now();
    let outcome = service.call("run", json!([]));
    assert_eq!(outcome, Err((-32400, "the program took longer than 0.3 seconds".into())));
    // TERM is ignored, and then there is KILL
    assert!(started.elapsed() < Duration::from_secs(10));
    assert!(soon(|| !runs("987654321")));
    service.expect_log("warn: method \"run\": the program took longer than 0.3 seconds");
}

#[test]
fn what_a_program_leaves_behind_does_not_hold_up_the_answer() {
    // a child that keeps the pipe ends with its program
    let service = shell("\"string\"", "", "sleep 987654322 & echo done");
    let started = Instant::now();
    assert_eq!(service.call("run", json!([])), Ok("done".into()));
    assert!(started.elapsed() < Duration::from_secs(5));
    assert!(soon(|| !runs("987654322")));
    // a child that has let go of everything goes on
    let service = shell("\"string\"", "", "sleep 9.87654323 </dev/null >/dev/null 2>&1 & echo done");
    assert_eq!(service.call("run", json!([])), Ok("done".into()));
    assert!(runs("9.87654323"));
}

#[test]
fn a_program_that_writes_without_end() {
    let service = shell("\"string\"", "", "exec yes 123456789");
    let (code, message) = service.call("run", json!([])).unwrap_err();
    assert_eq!((code, &message[..]), (-32400, "the program wrote more than 16777216 octets"));
    assert!(soon(|| !runs("123456789")));
    // on standard error it is cut, and the result stands
    let service = shell("\"string\"", "", "head -c 30000000 /dev/zero | tr '\\0' x >&2; echo fine");
    assert_eq!(service.call("run", json!([])), Ok("fine".into()));
    service.expect_log("(there was more)");
}

#[test]
fn a_program_that_does_not_read() {
    let folder = Folder::new(
        "[method.run]\nparams = [{ name = \"a\", type = \"string\" }]\nreturns = \"string\"\nrun = [\"./program\"]\nstdin = \"{a}\"\n",
    );
    let service = folder.with("program", "#!/bin/sh\nexec <&-\necho done\n").serve();
    assert_eq!(service.call("run", json!(["x".repeat(1_000_000)])), Ok("done".into()));
}

#[test]
fn a_hundred_calls_at_once() {
    // long enough for calls to overlap
    let service = shell("\"string\"", "", "sleep 0.02; echo done");
    std::thread::scope(|scope| {
        let calls: Vec<_> = (0..100).map(|_| scope.spawn(|| service.call("run", json!([])))).collect();
        for call in calls {
            assert_eq!(call.join().unwrap(), Ok("done".into()));
        }
    });
}

#[test]
fn the_queue_is_bounded_in_length_and_time() {
    let limits =
        "[limits]\nprograms = 1\nqueue = 1\nwait = 0.2\n[method.run]\nreturns = \"string\"\nrun = [\"./program\"]\n";
    // longer than a call waits
    let service = Folder::new(limits).with("program", "#!/bin/sh\necho x >> started\nsleep 1.5\necho done\n").serve();
    std::thread::scope(|scope| {
        let first = scope.spawn(|| service.call("run", json!([])));
        assert!(soon(|| service.folder.path().join("started").exists()));
        let others: Vec<_> = (0..2).map(|_| scope.spawn(|| service.call("run", json!([])))).collect();
        let mut faults: Vec<_> = others.into_iter().map(|call| call.join().unwrap().unwrap_err()).collect();
        faults.sort();
        let waited = (-32400, "nothing became free in 0.2 seconds: try again later".to_owned());
        assert_eq!(faults, [waited, (-32400, "too many calls wait already: try again later".to_owned())]);
        assert_eq!(first.join().unwrap(), Ok("done".into()));
    });
}

/// When a web server ends the CGI program, or a developer the server, the programs they wait for end too.
#[test]
fn programs_end_with_whoever_waits_for_them() {
    let folder = Folder::new("[method.run]\nrun = [\"./program\"]\n").with("program", "#!/bin/sh\nsleep 987654327\n");
    let path = folder.manifest();
    let mut command = std::process::Command::new(&path);
    let body = super::request("run", json!([]));
    command.env("REQUEST_METHOD", "POST").env("SCRIPT_FILENAME", &path).env("CONTENT_LENGTH", body.len().to_string());
    let mut cgi = command.stdin(std::process::Stdio::piped()).stdout(std::process::Stdio::null()).spawn().unwrap();
    std::io::Write::write_all(&mut cgi.stdin.take().unwrap(), body.as_bytes()).unwrap();
    assert!(soon(|| runs("987654327")));
    assert!(std::process::Command::new("kill").arg(cgi.id().to_string()).status().unwrap().success());
    assert_eq!(cgi.wait().unwrap().code(), Some(143));
    assert!(soon(|| !runs("987654327")));

    // one runs, and another waits for its place
    let manifest = std::fs::read_to_string(folder.manifest()).unwrap();
    folder.write("service.cgi", &format!("{manifest}\n[limits]\nprograms = 1\n"), 0o755);
    let mut service = folder.serve();
    let address = service.served.address.clone();
    let calls = [0, 1].map(|_| {
        let address = address.clone();
        std::thread::spawn(move || std::panic::catch_unwind(|| super::call_at(&address, "run", json!([]))))
    });
    assert!(soon(|| runs("987654327")));
    assert!(service.served.interrupt().success());
    assert!(soon(|| !runs("987654327")));
    for call in calls {
        _ = call.join();
    }
}

/// No program runs any more while rpcgi writes the answer.
#[test]
fn a_cgi_program_that_waits_for_its_client_can_be_ended() {
    let folder =
        Folder::new("[method.run]\nreturns = \"base64\"\nrun = [\"head\", \"-c\", \"3000000\", \"/dev/zero\"]\n");
    let path = folder.manifest();
    let body = super::request("run", json!([]));
    let mut command = std::process::Command::new(&path);
    command.env("REQUEST_METHOD", "POST").env("SCRIPT_FILENAME", &path).env("CONTENT_LENGTH", body.len().to_string());
    let mut cgi = command.stdin(std::process::Stdio::piped()).stdout(std::process::Stdio::piped()).spawn().unwrap();
    std::io::Write::write_all(&mut cgi.stdin.take().unwrap(), body.as_bytes()).unwrap();
    // its head is here, so the program has ended
    let mut head = [0; 20];
    std::io::Read::read_exact(cgi.stdout.as_mut().unwrap(), &mut head).unwrap();
    assert!(std::process::Command::new("kill").arg(cgi.id().to_string()).status().unwrap().success());
    assert_eq!(std::os::unix::process::ExitStatusExt::signal(&cgi.wait().unwrap()), Some(15));
}

#[test]
fn lines_are_bounded_as_array_items_are() {
    let service = shell("\"array\"", "output = \"lines\"", "yes '' | head -c 2000000");
    let (code, message) = service.call("run", json!([])).unwrap_err();
    assert!(code == -32400 && message.contains("more than 500000 lines"), "{message}");
}

#[test]
fn nothing_is_left_of_programs() {
    // every other call takes longer than it may
    let service = shell("\"string\"", "timeout = 0.1", "case $RPCGI_REQUEST_ID in *[02468]) sleep 5;; esac; exit 3");
    let processes = || {
        let children = format!("/proc/{0}/task/{0}/children", service.served.id());
        std::fs::read_to_string(children).map_or(0, |children| children.split_whitespace().count())
    };
    let descriptors = || std::fs::read_dir(format!("/proc/{}/fd", service.served.id())).expect("it runs").count();
    _ = service.call("run", json!([]));
    let before = descriptors();
    for _ in 0..20 {
        assert!(service.call("run", json!([])).is_err());
    }
    assert!(soon(|| processes() == 0));
    assert!(soon(|| descriptors() <= before), "{} instead of {before}", descriptors());
}

#[test]
fn text_in_another_encoding() {
    let param = "params = [{ name = \"a\", type = \"string\" }]\nencoding = \"iso-8859-15\"\n";
    let folder = Folder::new(&format!(
        "[method.word]\nreturns = \"base64\"\n{param}run = [\"printf\", \"%s\", \"é{{a}}\"]\n\
         [method.stdin]\nreturns = \"base64\"\n{param}run = [\"cat\"]\nstdin = \"{{a}}\"\n\
         [method.env]\nreturns = \"base64\"\n{param}run = [\"sh\", \"-c\", 'printf %s \"$RPCGI_PARAM_a\"']\n\
         [method.json]\nreturns = \"string\"\n{param}run = [\"cat\"]\nstdin = \"json\"\noutput = \"text\"\n\
         [method.echo]\nreturns = \"string\"\n{param}run = [\"echo\", \"{{a}}\"]\n\
         [method.lines]\nreturns = {{ type = \"array\", items = \"string\" }}\noutput = \"lines\"\n{param}run = [\"echo\", \"{{a}}\"]\n\
         [method.fails]\ntell_errors = true\n{param}run = [\"sh\", \"-c\", 'echo \"$1\" >&2; exit 3', \"sh\", \"{{a}}\"]\n\
         [worker.w]\nencoding = \"iso-8859-15\"\nrun = [\"./worker\"]\n[method.worker]\nreturns = \"string\"\nworker = \"w\"\n\
         params = [{{ name = \"a\", type = \"string\" }}]\n"
    ))
    .with(
        "worker",
        "#!/usr/bin/env python3\nimport json, sys\nfor line in sys.stdin:\n    call = json.loads(line)\n    \
         assert line.isascii()\n    answer = {'jsonrpc': '2.0', 'id': call['id'], 'result': call['params'][0]}\n    \
         sys.stdout.buffer.write(json.dumps(answer, ensure_ascii=False).encode('iso-8859-15') + b'\\n')\n    \
         sys.stdout.buffer.flush()\n",
    );
    let service = folder.serve();
    // the euro is octet A4 there, and e with an acute accent E9
    for (method, expected) in [
        ("word", "6aQ="),
        ("stdin", "pA=="),
        ("env", "pA=="),
        ("json", "{\"a\":\"\\u20ac\"}"),
        ("echo", "€"),
        ("worker", "€"),
    ] {
        assert_eq!(service.call(method, json!(["€"])), Ok(expected.into()), "{method}");
    }
    assert_eq!(service.call("lines", json!(["€\né"])), Ok(json!(["€", "é"])));
    assert_eq!(service.call("fails", json!(["€"])), Err((3, "€".into())));
    service.expect_log("warn: method \"fails\": € (request ");
    let (code, message) = service.call("echo", json!(["→"])).unwrap_err();
    assert_eq!(code, -32602);
    assert!(message.ends_with("param 1 \"a\": expected characters of ISO-8859-15, found others"), "{message}");
    assert_eq!(service.call("worker", json!(["→"])).unwrap_err().0, -32400);
}
