//! Modules: the functions of a file are methods as they are.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::Command;
use std::thread;

use serde_json::{Value as Json, json};

use super::{Folder, Outcome, outcome, request, run, text};
use crate::harness::soon;

/// The languages of `tests/modules/sums.*`, and what the function that counts characters is called there.
const LANGUAGES: [(&str, &str); 6] =
    [("py", "count"), ("php", "count_text"), ("js", "count"), ("rb", "count"), ("pl", "count"), ("lua", "count")];

/// Makes a folder with a manifest for a module, which is put there.
fn folder(manifest: &str, file: &str, module: &str) -> Folder {
    let folder = Folder::new(&format!("module = \"{file}\"\ncache = \"../{}\"\n{manifest}", cache_name()));
    folder.write(file, module, 0o644);
    folder
}

/// Returns the name of a folder for a cache that no other test has.
fn cache_name() -> String {
    use std::sync::atomic::{AtomicU32, Ordering};
    static COUNT: AtomicU32 = AtomicU32::new(0);
    format!("rpcgi-test-cache-{}-{}", std::process::id(), COUNT.fetch_add(1, Ordering::Relaxed))
}

fn sums(extension: &str) -> Folder {
    let file = format!("sums.{extension}");
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/modules").join(&file);
    folder("context = \"request\"\n", &file, &fs::read_to_string(path).expect("it is there"))
}

/// Checks the same calls in all languages.
#[track_caller]
fn assert_sums(extension: &str, count: &str, call: impl Fn(&str, Json) -> Outcome) {
    let text_of_add = |reason: &str| format!("method \"add\" param 1 \"a\": {reason}");
    for (method, params, expected) in [
        ("add", json!([2, 3]), Ok(json!(5))),
        ("add", json!([2]), Ok(json!(7))),
        ("add", json!({ "b": 1, "a": 2 }), Ok(json!(3))),
        ("add", json!([2_000_000_000, 2_000_000_000]), Ok(json!(4_000_000_000_i64))),
        ("half", json!([3]), Ok(json!(1.5))),
        ("greet", json!(["Jörg"]), Ok(json!("Hello, Jörg!"))),
        ("is_even", json!([4]), Ok(json!(true))),
        ("nothing", json!([]), Ok(Json::Null)),
        ("squares", json!([3]), Ok(json!([1, 4, 9]))),
        ("total", json!([[1, 2, 3]]), Ok(json!(6))),
        ("point", json!({ "x": 3, "y": 4 }), Ok(json!({ "x": 3, "y": 4 }))),
        ("swap", json!([{ "x": 3, "y": 4 }]), Ok(json!({ "x": 4, "y": 3 }))),
        ("lengths", json!([["bike", "Łódź"]]), Ok(json!({ "bike": 4, "Łódź": 4 }))),
        ("same", json!([[1, { "a": [true, "é"] }, 2.5]]), Ok(json!([1, { "a": [true, "é"] }, 2.5]))),
        ("big", json!([]), Ok(json!(9_007_199_254_740_993_i64))),
        (count, json!(["Łódź"]), Ok(json!(4))),
        ("three", json!({ "c": 9 }), Ok(json!([1, 2, 9]))),
        ("three", json!({ "c": 9, "a": 8 }), Ok(json!([8, 2, 9]))),
        ("say", json!([]), Ok(json!(1))),
        ("fail", json!([]), Err((42, "no bikes left".into()))),
    ] {
        assert_eq!(call(method, params.clone()), expected, "{extension}: {method} {params}");
    }
    let (code, message) = call("crash", json!([])).unwrap_err();
    assert!(code == -32400 && message.starts_with("the program failed (request "), "{extension}: {message}");
    assert_eq!(call("_hidden", json!([])).unwrap_err().0, -32601, "{extension}");
    assert_eq!(call("add", json!([1, 2, 3])).unwrap_err().0, -32602, "{extension}");
    if !["lua", "php"].contains(&extension) {
        // there an empty struct is an empty array, and no table of Lua has nil in it
        assert_eq!(call("same", json!([[null, {}]])), Ok(json!([null, {}])), "{extension}");
    }
    if extension != "pl" {
        let (code, message) = call("add", json!(["2", 3])).unwrap_err();
        assert!(code == -32602 && message.starts_with(&text_of_add("expected int, found string")), "{message}");
    }
    let greeting = call("who", json!(["Hello"])).unwrap();
    assert!(greeting.as_str().is_some_and(|greeting| greeting.starts_with("Hello, ")), "{extension}: {greeting}");
}

#[test]
fn the_same_functions_in_every_language() {
    thread::scope(|scope| {
        for (extension, count) in LANGUAGES {
            scope.spawn(move || {
                let service = sums(extension).serve();
                assert_sums(extension, count, |method, params| service.call(method, params));
                service.expect_log("something to log");
                service.expect_log("secret");
                let url = format!("http://{}/", service.served.address);
                let client = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/clients/modules.py");
                let output = Command::new("python3").arg(client).args([&url, count]).output().expect("Python is there");
                assert!(output.status.success(), "{extension}: {}{}", text(&output.stderr), service.log());
            });
        }
    });
}

#[test]
fn the_same_functions_by_cgi() {
    for (extension, count) in LANGUAGES {
        let folder = sums(extension);
        let call = |method: &str, params: Json| {
            let post = folder.post(&request(method, params)).env("CONTENT_TYPE", "application/json");
            outcome(&post.env("REMOTE_ADDR", "192.0.2.7").answer().body)
        };
        assert_sums(extension, count, call);
        assert_eq!(call("who", json!(["Hello"])), Ok("Hello, 192.0.2.7".into()), "{extension}");
    }
}

#[test]
fn what_is_described_is_listed() {
    for (extension, _) in LANGUAGES {
        let folder = sums(extension);
        let manifest = folder.manifest();
        let checked = text(&run(&["check", manifest.to_str().expect("it is text")]).stdout);
        assert!(checked.contains(": nothing is wrong\n\n20 functions are methods:\n  add("), "{extension}: {checked}");
        let doc = text(&run(&["doc", manifest.to_str().expect("it is text"), "--format", "md"]).stdout);
        assert!(doc.contains("Adds two numbers") && doc.contains("The second is five if it is left out"), "{doc}");
        if extension != "pl" {
            assert!(checked.contains("add(a: int, b?: int) → int  "), "{extension}: {checked}");
            assert!(doc.contains("the first number"), "{extension}: {doc}");
        }
    }
}

#[test]
fn what_a_module_may_not_be() {
    for (file, module, expected) in [
        ("m.py", "def f(:\n", "the module cannot be loaded: SyntaxError"),
        ("m.py", "raise ValueError('no')\n", "the module cannot be loaded: ValueError: no"),
        ("m.py", "import sys\nsys.exit(3)\n", "the module cannot be loaded: SystemExit: 3"),
        ("m.py", "import os\nos._exit(3)\n", "the module cannot be loaded: "),
        ("m.php", "<?php function f( {\n", "the module cannot be loaded: "),
        ("m.js", "exports.f = (\n", "the module cannot be loaded: "),
        ("m.rb", "def f(\n", "the module cannot be loaded: "),
        ("m.pl", "sub f {\n", "the module cannot be loaded: "),
        ("m.lua", "function f(\n", "the module cannot be loaded: "),
        ("m.txt", "x", "expected a module that ends in one of .py, .php"),
    ] {
        let folder = folder("", file, module);
        let checked = run(&["check", folder.manifest().to_str().expect("it is text")]);
        let told = text(&checked.stdout);
        assert!(checked.status.code() == Some(1) && told.contains(expected), "{file} {module}: {told}");
        let answer = folder.post(&request("f", json!([]))).answer();
        assert!(answer.head.contains("Status: 500"), "{}", answer.head);
        assert!(!answer.body.contains("m.py") && !answer.body.contains("ValueError"), "{}", answer.body);
        assert!(answer.log.contains(expected), "{}", answer.log);
    }
}

#[test]
fn what_is_published_can_be_chosen() {
    let module = "from os import getcwd\n\ndef add(a, b=1): return a + b\ndef add_all(*numbers): return sum(numbers)\n\
                  def main(): return 1\ndef options(a, *, deep=False, **more): return [a, deep, more]\n\
                  def _own(): return 1\nclass Service:\n    def hello(self, name): return 'Hello, ' + name\n\
                  \n    @property\n    def effect(self): raise SystemExit\n";
    let names = |manifest: &str| {
        let folder = folder(manifest, "m.py", module);
        let names = folder.call_by_cgi("system.listMethods", json!([])).expect("a list");
        let names = names.as_array().expect("a list").iter().map(|name| name.as_str().expect("a name").to_owned());
        names.filter(|name| !name.starts_with("system.") && name != "rpc.discover").collect::<Vec<_>>()
    };
    assert_eq!(names(""), ["add", "add_all", "options"]);
    assert_eq!(names("only = [\"add*\", \"main\"]"), ["add", "add_all", "main"]);
    assert_eq!(names("without = [\"add*\", \"system.multicall\"]"), ["options"]);
    assert_eq!(names("object = \"Service\""), ["hello"]);
    assert_eq!(names("[method.sum]\nfunction = \"add\"\n[method.options]\nhidden = true\n"), ["add_all", "sum"]);
    assert_eq!(names("[method.main]\ntitle = \"Does it\"\n"), ["add", "add_all", "main", "options"]);
    assert_eq!(names("[method.add]\nrun = [\"echo\"]\n"), ["add", "add_all", "options"]);
    let folder = folder(
        "[method.sum]\nfunction = \"add\"\nparams = [{ name = \"b\", maximum = 9, type = \"int\" }]\n",
        "m.py",
        module,
    );
    assert_eq!(folder.call_by_cgi("sum", json!([1])), Ok(2.into()));
    assert_eq!(folder.call_by_cgi("sum", json!([1, 10])).unwrap_err().0, -32602);
    assert_eq!(folder.call_by_cgi("add_all", json!([1, 2, 3, 4])), Ok(10.into()));
    assert_eq!(
        folder.call_by_cgi("options", json!({ "a": 1, "deep": true, "x": 2 })),
        Ok(json!([1, true, { "x": 2 }]))
    );
    let several = Folder::new(
        "[module.a]\nfile = \"m.py\"\nonly = [\"add\"]\n[module.b]\nfile = \"m.py\"\nobject = \"Service\"\n",
    )
    .with("m.py", module);
    assert_eq!(several.call_by_cgi("a.add", json!([1, 2])), Ok(3.into()));
    assert_eq!(several.call_by_cgi("b.hello", json!(["Ann"])), Ok("Hello, Ann".into()));
    assert_eq!(several.call_by_cgi("a.options", json!([1])).unwrap_err().0, -32601);
}

#[test]
fn what_functions_may_do() {
    let module = "import os, sys, subprocess, time\n\ndef leave(): sys.exit(3)\ndef die(): os._exit(3)\ndef deep(): return deep()\n\
                  def itself():\n    all = []\n    all.append(all)\n    return all\ndef nan(): return float('nan')\n\
                  def some(): return {1, 2, 3}\ndef endless():\n    while True: yield 1\ndef wide(): return 2 ** 70\n\
                  def odd(): return b'\\xff'\ndef function(): return len\n\
                  def fork():\n    if os.fork() == 0:\n        return 'child'\n    os.wait()\n    return 'parent'\n\
                  def close():\n    os.close(0)\n    os.close(1)\n    return 1\n\
                  def shell(): return subprocess.run(['sh', '-c', 'cat; echo out; ls /proc/self/fd | wc -l'], stdout=subprocess.PIPE).stdout.decode()\n\
                  class Odd(Exception):\n    code = 7\n    def __str__(self): raise ValueError('no text')\n\
                  def odd_text(): raise Odd()\ndef sleep(): time.sleep(20)\ndef pid(): return os.getpid()\n\
                  def large(): return 'x' * 30_000_000\nasync def later(): return 'later'\n\
                  def read(): return sys.stdin.read()\n";
    let service = folder("[limits]\ntimeout = 3\n", "m.py", module).serve();
    let failed = |name: &str| {
        let (code, message) = service.call(name, json!([])).unwrap_err();
        assert!(code == -32400, "{name}: {code} {message}");
        message
    };
    let pid = service.call("pid", json!([])).expect("a number");
    assert!(failed("leave").starts_with("the program failed"));
    assert!(failed("deep").starts_with("the program failed"));
    assert!(failed("odd_text").starts_with("the program failed"));
    assert_eq!(service.call("some", json!([])), Ok(json!([1, 2, 3])));
    assert_eq!(service.call("odd", json!([])), Ok(json!("/w==")));
    assert_eq!(service.call("fork", json!([])), Ok("parent".into()));
    assert_eq!(service.call("read", json!([])), Ok("".into()));
    assert_eq!(service.call("close", json!([])), Ok(1.into()));
    assert_eq!(service.call("later", json!([])), Ok("later".into()));
    for (name, expected) in [
        ("itself", "the result cannot be written: it contains itself"),
        ("nan", "the result cannot be written: NaN"),
        ("endless", "the result cannot be written: more than 1000000 items"),
        ("wide", "the result cannot be written: an integer of more than 64 bits"),
        ("function", "the result cannot be written: a function"),
    ] {
        assert_eq!(service.call(name, json!([])), Err((-32603, expected.into())), "{name}");
    }
    assert_eq!(service.call("pid", json!([])), Ok(pid), "{}", service.log());
    let shell = service.call("shell", json!([])).expect("it ends");
    assert!(shell.as_str().is_some_and(|shell| shell.starts_with("out\n")), "{shell}");
    assert!(failed("large").contains("wrote more than 16777216 octets"));
    assert!(failed("die").contains("died during the call"));
    assert!(failed("sleep").contains("took longer than 3 seconds"));
    assert!(service.call("pid", json!([])).is_ok());
}

#[test]
fn modules_are_loaded_anew_when_they_change() {
    let folder = folder("", "m.py", "import helper\ndef which(): return helper.WHICH\n");
    folder.write("helper.py", "WHICH = 1\n", 0o644);
    let service = folder.serve();
    assert_eq!(service.call("which", json!([])), Ok(1.into()));
    service.folder.write("helper.py", "WHICH = 22\n", 0o644);
    assert_eq!(service.call("which", json!([])), Ok(22.into()));
    service.folder.write(
        "m.py",
        "import helper\ndef which(): return helper.WHICH + 1\ndef other(a: int): return a\n",
        0o644,
    );
    assert_eq!(service.call("which", json!([])), Ok(23.into()));
    assert_eq!(service.call("other", json!([5])), Ok(5.into()));
}

#[test]
fn a_call_that_runs_is_finished_by_the_module_that_began_it() {
    let first = "import os, time\ndef which(): return 1\ndef wait():\n    open('running', 'w').close()\n    \
                 while not os.path.exists('go'): time.sleep(0.01)\n    return which()\n";
    let service = folder("", "m.py", first).serve();
    let place = |name: &str| service.folder.path().join(name);
    thread::scope(|scope| {
        let call = scope.spawn(|| service.call("wait", json!([])));
        assert!(soon(|| place("running").exists()), "{}", service.log());
        service.folder.write("m.py", "def which(): return 22\n", 0o644);
        assert_eq!(service.call("which", json!([])), Ok(22.into()));
        service.folder.write("go", "", 0o644);
        assert_eq!(call.join().expect("no panic"), Ok(1.into()));
    });
}

#[test]
fn functions_are_told_who_calls() {
    let module = "import rpcgi\ndef by_type(a: int, request: rpcgi.Request):\n    \
                  return [a, request.user, dict(request.headers), request['remote_addr'], bool(request.request_id)]\n\
                  def by_name(request: int): return request\n";
    let folder = folder("headers = [\"X-Api-Key\"]\n", "m.py", module);
    let call = |method: &str| {
        let post = folder.post(&request(method, json!([5]))).env("CONTENT_TYPE", "application/json");
        let post = post.env("REMOTE_ADDR", "192.0.2.1").env("AUTH_TYPE", "Basic").env("REMOTE_USER", "ann");
        outcome(&post.env("HTTP_X_API_KEY", "secret").env("HTTP_COOKIE", "mine=1").answer().body)
    };
    assert_eq!(call("by_type"), Ok(json!([5, "ann", { "X-Api-Key": "secret" }, "192.0.2.1", true])));
    // a param of that name alone is the caller's
    assert_eq!(call("by_name"), Ok(5.into()));
}

#[test]
fn several_calls_are_in_flight() {
    let module = "import asyncio\nmost = now = 0\nasync def wait(seconds: float) -> int:\n    global most, now\n    now += 1\n    \
                  most = max(most, now)\n    await asyncio.sleep(seconds)\n    now -= 1\n    return most\n\
                  def die():\n    import os\n    os._exit(1)\n";
    let service = folder("concurrent = 8\n", "m.py", module).serve();
    thread::scope(|scope| {
        let calls: Vec<_> = (0..8).map(|_| scope.spawn(|| service.call("wait", json!([0.3])))).collect();
        let most = calls
            .into_iter()
            .map(|call| call.join().expect("no panic").expect("a number"))
            .max_by_key(|most| most.as_i64());
        assert!(most.and_then(|most| most.as_i64()).is_some_and(|most| most > 3), "{}", service.log());
    });
    assert_eq!(service.call("die", json!([])).unwrap_err().0, -32400);
    assert_eq!(service.call("wait", json!([0.0])), Ok(1.into()));
}

#[test]
fn what_is_kept_is_checked() {
    let folder = folder("", "m.py", "def f(): return 1\n");
    let cache = folder.path().parent().expect("a folder").join(
        fs::read_to_string(folder.manifest())
            .expect("it is text")
            .split("../")
            .nth(1)
            .and_then(|rest| rest.split('"').next())
            .expect("a name"),
    );
    let files = || {
        fs::read_dir(&cache)
            .map(|files| files.flatten().map(|file| file.path()).collect::<Vec<_>>())
            .unwrap_or_default()
    };
    assert_eq!(folder.call_by_cgi("f", json!([])), Ok(1.into()));
    assert!(!files().is_empty());
    assert_eq!(fs::metadata(&cache).expect("it is there").permissions().mode() & 0o777, 0o700);
    folder.write("m.py", "def f(): return 2\ndef g(): return 3\n", 0o644);
    assert_eq!(folder.call_by_cgi("g", json!([])), Ok(3.into()));
    // half written, and of one octet less
    for file in files() {
        let text = fs::read(&file).expect("it is ours");
        fs::write(&file, &text[..text.len() / 2]).expect("it is ours");
    }
    assert_eq!(folder.call_by_cgi("f", json!([])), Ok(2.into()));
    for file in files() {
        let mut text = fs::read(&file).expect("it is ours");
        let middle = text.len() / 2;
        text[middle] ^= 1;
        fs::write(&file, text).expect("it is ours");
    }
    assert_eq!(folder.call_by_cgi("f", json!([])), Ok(2.into()));
    // a link, and a folder that others may write to, are not used
    fs::set_permissions(&cache, fs::Permissions::from_mode(0o777)).expect("it is ours");
    let before = files().len();
    folder.write("m.py", "def f(): return 4\n", 0o644);
    assert_eq!(folder.call_by_cgi("f", json!([])), Ok(4.into()));
    assert_eq!(files().len(), before);
    fs::remove_dir_all(&cache).expect("it is ours");
    let elsewhere = tempfile::tempdir().expect("a folder");
    std::os::unix::fs::symlink(elsewhere.path(), &cache).expect("it is ours");
    assert_eq!(folder.call_by_cgi("f", json!([])), Ok(4.into()));
    assert_eq!(fs::read_dir(elsewhere.path()).expect("it is there").count(), 0);
    fs::remove_file(&cache).expect("it is ours");
}

#[test]
fn names_that_files_may_have() {
    for name in ["json.py", "my-tools.py"] {
        let folder = folder("", name, "import json as other\ndef f(a: int) -> int: return a\n");
        assert_eq!(folder.call_by_cgi("f", json!([1])), Ok(1.into()), "{name}");
    }
    let folder = folder("", "tools", "#!/usr/bin/env python3\ndef f(): return __name__ == '__main__'\n");
    assert_eq!(folder.call_by_cgi("f", json!([])), Ok(false.into()));
}

#[test]
fn a_manifest_is_called_without_a_server() {
    let folder = folder("", "m.py", "def add(a: int, b: int = 1) -> int: return a + b\n");
    let manifest = folder.manifest();
    let manifest = manifest.to_str().expect("it is text");
    assert_eq!(text(&run(&["call", manifest, "add", "2", "3"]).stdout), "5\n");
    assert_eq!(text(&run(&["call", "--json-rpc", manifest, "add", "2"]).stdout), "3\n");
    let refused = run(&["call", manifest, "add", "x"]);
    assert!(refused.status.code() == Some(3) && text(&refused.stderr).contains("expected int"), "{refused:?}");
    let missing = run(&["call", "no/such.cgi", "add"]);
    assert!(
        missing.status.code() == Some(2) && text(&missing.stderr).contains("or the path of a manifest"),
        "{missing:?}"
    );
}

#[test]
fn what_takes_too_long_to_load() {
    let manifest = "[limits]\ntimeout = 1\n";
    let slow = folder(manifest, "m.py", "import time\ntime.sleep(20)\ndef f(): return 1\n");
    let answer = slow.post(&request("f", json!([]))).answer();
    assert!(answer.head.contains("Status: 500") && answer.log.contains("took longer than 1 seconds"), "{}", answer.log);
    let printing = folder("", "m.py", "print('loaded')\ndef f(): return 1\n");
    assert_eq!(printing.call_by_cgi("f", json!([])), Ok(1.into()));
}

#[test]
fn a_hundred_calls_by_two_processes() {
    let module = "import os, time\ndef pid() -> int:\n    time.sleep(0.01)\n    return os.getpid()\n";
    let service = folder("count = 2\n", "m.py", module).serve();
    let pids: std::collections::BTreeSet<i64> = thread::scope(|scope| {
        let calls: Vec<_> = (0..100).map(|_| scope.spawn(|| service.call("pid", json!([])))).collect();
        calls
            .into_iter()
            .map(|call| call.join().expect("no panic").expect("a number").as_i64().expect("a number"))
            .collect()
    });
    assert_eq!(pids.len(), 2);
}

#[test]
fn without_a_cache_check_tells_the_cost() {
    let folder = Folder::new("module = \"m.py\"\ncache = \"off\"\n").with("m.py", "def f(): return 1\n");
    let checked = text(&run(&["check", folder.manifest().to_str().expect("it is text")]).stdout);
    assert!(checked.contains("nothing is kept: each call by CGI describes the module anew, here in "), "{checked}");
    assert_eq!(folder.call_by_cgi("f", json!([])), Ok(1.into()));
    let inside = Folder::new("module = \"m.py\"\ncache = \"kept\"\n").with("m.py", "def f(): return 1\n");
    let checked = text(&run(&["check", inside.manifest().to_str().expect("it is text")]).stdout);
    assert!(checked.contains("the web server could hand it out"), "{checked}");
    assert!(!inside.path().join("kept").exists());
}
