//! The words of the program's command line.

use std::fs;
use std::net::TcpListener;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::{Command, Output};

use serde_json::{Value as Json, json};

use super::{Folder, own, rpcgi, run, text};
use crate::harness::{Served, soon};

const HELLO: &str = "[method.hello]\nreturns = \"string\"\nrun = [\"echo\", \"Hello!\"]\n";

#[track_caller]
fn assert_ends(output: &Output, status: i32, stdout: &str, stderr: &str) {
    let found = (output.status.code(), text(&output.stdout), text(&output.stderr));
    assert_eq!(found, (Some(status), stdout.into(), stderr.into()));
}

#[test]
fn by_hand_it_says_what_it_is() {
    let nothing = run(&[]);
    assert_eq!(nothing.status.code(), Some(2));
    for word in ["serve", "fcgi", "check", "doc", "init", "call", "schema", "completions", "man"] {
        assert!(text(&nothing.stderr).contains(&format!("\n  {word} ")), "{word}");
        let help = run(&[word, "--help"]);
        assert!(help.status.success() && text(&help.stdout).contains("Usage: rpcgi "), "{word}");
    }
    let folder = Folder::new(HELLO);
    let manifest = folder.manifest().display().to_string();
    let hint = format!("{manifest} is for a web server to run. To try it: rpcgi serve {manifest}\n");
    assert_ends(&run(&[&manifest]), 2, "", &hint);
    let nowhere = "there is no file chekc, nor a command of that name: `rpcgi --help` lists what there is\n";
    assert_ends(&run(&["chekc"]), 2, "", nowhere);
    assert!(text(&run(&["--version"]).stdout).starts_with("rpcgi "));
}

#[test]
fn doc_writes_the_page() {
    let page = run(&["doc", own("wheel").to_str().unwrap()]);
    let page = text(&page.stdout);
    assert!(page.starts_with("<!DOCTYPE html>") && page.contains("id=\"m-wheel.spinList\""), "{page}");
    assert!(page.contains("<title>An American roulette wheel</title>") && page.contains("<h1>Roulette</h1>"));
    // the bounds of a param
    assert!(page.contains("at least 0, at most 1000, <code>1</code> if left out"), "{page}");
}

#[test]
fn init_writes_a_manifest_that_is_right() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("new.cgi");
    let name = path.to_str().unwrap();
    let written = run(&["init", name]);
    assert!(written.status.success() && text(&written.stdout).contains(&format!("rpcgi serve {name}")), "{written:?}");
    assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o755, 0o755);
    assert_ends(&run(&["check", name]), 0, &format!("{name}: nothing is wrong\n"), "");
    let again = format!("{name} cannot be written: File exists (os error 17)\n");
    assert_ends(&run(&["init", name]), 1, "", &again);
    let served = Served::start_command({
        let mut command = Command::new(rpcgi());
        command.args(["serve", name, "--listen", "127.0.0.1:0"]);
        command
    });
    assert_eq!(super::call_at(&served.address, "add", json!([2, 3])), Ok(5.into()));
}

#[test]
fn schema_takes_what_the_program_takes() {
    let schema: Json = serde_json::from_slice(&run(&["schema"]).stdout).unwrap();
    let validator = jsonschema::validator_for(&schema).unwrap();
    for name in ["calc", "wheel", "notes", "languages"] {
        let manifest: toml::Table = toml::from_str(&fs::read_to_string(own(name)).unwrap()).unwrap();
        let manifest = serde_json::to_value(manifest).unwrap();
        let errors: Vec<String> = validator.iter_errors(&manifest).map(|error| error.to_string()).collect();
        assert!(errors.is_empty(), "{name}: {errors:?}");
    }
    for wrong in [
        json!({ "titel": "x", "method": {} }),
        json!({ "title": "x" }),
        json!({ "method": { "a": { "run": "echo" } } }),
        json!({ "method": { "a": { "params": [{ "name": "a", "type": "strin" }] } } }),
        json!({ "method": { "a": { "returns": { "type": "array", "items": { "type": "array", "items": "x" } } } } }),
        json!({ "method": {}, "limits": { "timeout": 0 } }),
    ] {
        assert!(!validator.is_valid(&wrong), "{wrong}");
    }
}

/// The guide has every key, and its tables have no others.
#[test]
fn the_guide_tells_of_every_key() {
    fn keys<'s>(schema: &'s Json, found: &mut Vec<&'s String>) {
        let properties = schema["properties"].as_object().into_iter().flatten();
        for (name, inner) in properties {
            found.push(name);
            keys(inner, found);
            keys(&inner["additionalProperties"], found);
            keys(&inner["items"], found);
        }
    }

    let schema: Json = serde_json::from_slice(&run(&["schema"]).stdout).unwrap();
    let guide = fs::read_to_string(own("README.md")).unwrap();
    let mut found = Vec::new();
    keys(&schema, &mut found);
    assert!(found.len() > 40, "{found:?}");
    for key in &found {
        let is_told =
            [format!("`{key}`"), format!("[{key}."), format!("[{key}]")].iter().any(|form| guide.contains(form));
        assert!(is_told, "`{key}` is not in the guide");
    }
    let limits = guide.split("## Limits").nth(1).unwrap();
    for row in limits.lines().filter_map(|line| line.strip_prefix("| `")) {
        let key = row.split('`').next().unwrap();
        assert!(found.iter().any(|known| *known == key), "{key} is no key");
    }
}

#[test]
fn completions_and_the_manual() {
    for shell in ["bash", "zsh", "fish", "powershell", "elvish"] {
        let completions = run(&["completions", shell]);
        assert!(text(&completions.stdout).contains("completions"), "{shell}");
    }
    let bash = Command::new("bash").arg("-n").stdin(std::process::Stdio::piped()).spawn().and_then(|mut bash| {
        use std::io::Write;
        bash.stdin.take().expect("it is piped").write_all(&run(&["completions", "bash"]).stdout)?;
        bash.wait()
    });
    assert!(bash.unwrap().success());
    let man = text(&run(&["man"]).stdout);
    for part in [
        ".TH rpcgi 1",
        ".SH \"SERVE\"",
        ".SH \"CALL\"",
        "\\-\\-json\\-rpc",
        "Exit status",
        ".SS [limits]",
        "\\fBleading_dash\\fR: true or false",
    ] {
        assert!(man.contains(part), "{part} is not in {man}");
    }
}

#[test]
fn call_is_a_client() {
    let folder = Folder::new(
        r#"
[method.echo]
params = [{ name = "a", type = "undefined" }]
returns = "undefined"
run = ["cat"]
stdin = "json"

[method.fail]
tell_errors = true
run = ["sh", "-c", "echo no >&2; exit 7"]

[method.nothing]
run = ["true"]

[method.octets]
params = [{ name = "a", type = "base64" }, { name = "b", type = "dateTime.iso8601" }, { name = "c", type = "double" }]
returns = "base64"
run = ["cat"]
stdin = "{a}"
"#,
    );
    let service = folder.serve();
    let url = format!("http://{}/RPC2", service.served.address);
    for protocol in [&[][..], &["--json-rpc"]] {
        let call = |words: &[&str]| run(&[&["call"], protocol, &[&url], words].concat());
        for (argument, expected) in [
            ("5", "5"),
            ("-5", "-5"),
            ("[1, {\"a\": [true]}]", "[1,{\"a\":[true]}]"),
            ("string:5", "\"5\""),
            ("Jörg", "\"Jörg\""),
        ] {
            let output = call(&["echo", argument]);
            assert_ends(&output, 0, &format!("{{\"a\":{expected}}}\n"), "");
        }
        assert_ends(
            &call(&["octets", "base64:AP8=", "dateTime.iso8601:20261124T12:00:00", "double:5"]),
            0,
            "\"AP8=\"\n",
            "",
        );
        assert_ends(&call(&["fail"]), 3, "", "fault 7: no\n");
        assert_ends(&call(&["nothing"]), 0, "null\n", "");
        let unknown = call(&["ecko", "1"]);
        assert_ends(&unknown, 3, "", "fault -32601: there is no method \"ecko\", did you mean \"echo\"?\n");
        assert_ends(&call(&["echo", "int:x"]), 2, "", "argument 1: expected int, found \"x\"\n");
    }
}

#[test]
fn call_tells_what_is_in_the_way() {
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = taken.local_addr().unwrap();
    drop(taken);
    let url = format!("http://{address}/");
    let refused = run(&["call", &url, "a"]);
    assert_eq!(refused.status.code(), Some(4));
    assert!(text(&refused.stderr).starts_with(&format!("{url}: ")), "{refused:?}");
    let service = Folder::new(&format!("paths = [\"/RPC2\"]\n{HELLO}")).serve();
    let url = format!("http://{}/elsewhere", service.served.address);
    let nothing = format!("{url} answers 404 Not Found: there is nothing at /elsewhere\n");
    assert_ends(&run(&["call", &url, "hello"]), 4, "", &nothing);
    // a server that answers, but not with RPC
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}/", listener.local_addr().unwrap());
    std::thread::spawn(move || {
        use std::io::{Read, Write};
        for stream in listener.incoming().take(2) {
            let mut stream = stream.unwrap();
            _ = stream.read(&mut [0; 4096]);
            _ = stream.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\nConnection: close\r\n\r\nhello");
        }
    });
    for protocol in [&[][..], &["--json-rpc"]] {
        let output = run(&[&["call"], protocol, &[&url, "a"]].concat());
        assert_eq!(output.status.code(), Some(5));
        let message = text(&output.stderr);
        assert!(
            message.starts_with("the answer is not understood: ") && message.contains("it begins with \"hello\""),
            "{message}"
        );
    }
}

#[test]
fn serve_reads_a_manifest_anew_when_it_changes() {
    let service = Folder::new(HELLO).serve();
    assert_eq!(service.call("hello", json!([])), Ok("Hello!".into()));
    let rewrite = |text: &str| {
        let manifest = format!("#!{}\ntitle = \"Test\"\n{text}", rpcgi());
        service.folder.write("new", &manifest, 0o755);
        fs::rename(service.folder.path().join("new"), service.folder.manifest()).unwrap();
    };
    rewrite(&HELLO.replace("Hello!", "Good morning!"));
    assert_eq!(service.call("hello", json!([])), Ok("Good morning!".into()));
    rewrite("[method.hello]\nrun = 5\n");
    let page = service
        .served
        .send(&format!("GET / HTTP/1.1\r\nHost: {}\r\nConnection: close\r\n\r\n", service.served.address));
    assert!(page.starts_with("HTTP/1.1 500 ") && page.contains("error: expected an array, found an integer"), "{page}");
    service.expect_log("error: expected an array, found an integer");
    rewrite(HELLO);
    assert_eq!(service.call("hello", json!([])), Ok("Hello!".into()));
    // a program that is missing is told, and the rest is served
    rewrite(&format!("{HELLO}[method.missing]\nrun = [\"./missing\"]\n"));
    assert_eq!(service.call("hello", json!([])), Ok("Hello!".into()));
    service.expect_log("there is no program `./missing`");
}

#[test]
fn serve_does_not_begin_with_mistakes() {
    let folder = Folder::new("[method.hello]\nrun = 5\n");
    let output = run(&["serve", folder.manifest().to_str().unwrap(), "--listen", "127.0.0.1:0"]);
    assert_eq!(output.status.code(), Some(1));
    assert!(text(&output.stderr).contains("4 | run = 5\n"), "{output:?}");
    let output = run(&["serve", "/no/such/file"]);
    assert_ends(&output, 1, "", "/no/such/file: it cannot be opened: No such file or directory (os error 2)\n");
}

#[test]
fn by_fastcgi_a_broken_manifest_is_served_as_it_was() {
    let folder = Folder::new(HELLO);
    let socket = folder.path().join("socket");
    let log = fs::File::create(folder.path().join("log")).unwrap();
    let mut command = Command::new(rpcgi());
    command.arg("fcgi").arg(folder.manifest()).arg("--listen").arg(format!("unix:{}", socket.display()));
    let mut child = command.stderr(log).stdout(std::process::Stdio::null()).spawn().unwrap();
    assert!(soon(|| socket.exists()));
    let says = |expected: &str| {
        let output =
            crate::harness::cgi_fcgi(socket.to_str().unwrap(), "POST", &crate::harness::document("hello", &[]));
        text(&output.stdout).contains(&format!("<string>{expected}</string>"))
    };
    assert!(says("Hello!"));
    let manifest = fs::read_to_string(folder.manifest()).unwrap();
    fs::write(folder.manifest(), manifest.replace("run =", "rnu =")).unwrap();
    assert!(says("Hello!"));
    let log = || fs::read_to_string(folder.path().join("log")).unwrap();
    assert!(
        log().contains("the method `hello` has neither `run` nor `worker` (and 1 more: ")
            && log().contains("it is served as it was before"),
        "{}",
        log()
    );
    fs::write(folder.manifest(), manifest.replace("Hello!", "Good morning!")).unwrap();
    assert!(says("Good morning!"));
    assert_eq!(log().lines().count(), 1);
    assert!(Command::new("kill").arg(child.id().to_string()).status().unwrap().success());
    assert!(child.wait().unwrap().success());
}

#[test]
fn examples_are_tried() {
    let folder = Folder::new(
        "[method.say]\nrun = [\"printf\", \"%s\", \"{text}\"]\nparams = [\"text: string\"]\nreturns = \"string\"\n\
         examples = [{ params = [\"a\"], result = \"a\" }, { params = [\"b\"], result = \"c\" }]\n\
         [method.fails]\nrun = [\"false\"]\nfaults = { 1 = \"it fails\" }\nexamples = [{}]\n\
         [method.remove]\nrun = [\"false\"]\nunsafe = true\nexamples = [{}]\n",
    );
    let manifest = folder.manifest();
    let checked = |options: &[&str]| {
        let output = run(&[&["check", manifest.to_str().unwrap()], options].concat());
        (output.status.code(), text(&output.stdout))
    };
    let (status, told) = checked(&["--try"]);
    assert_eq!(status, Some(1), "{told}");
    for line in [
        "example say(\"b\"): expected \"c\", found \"b\"\n",
        "example fails(): expected a result, found fault 1: it fails\n",
        "3 examples tried, 1 left out: its method is unsafe\n",
    ] {
        assert!(told.contains(line), "{line:?} is not in {told}");
    }
    assert!(!told.contains("remove("), "{told}");
    let (status, told) = checked(&[]);
    assert_eq!(status, Some(0), "{told}");
}

#[test]
fn examples_in_comments_are_tried() {
    for (extension, count) in
        [("py", "2 examples"), ("php", "1 example"), ("js", "1 example"), ("rb", "1 example"), ("lua", "1 example")]
    {
        let file = format!("sums.{extension}");
        let folder = Folder::new(&format!("module = \"{file}\"\ncache = \"off\"\n"));
        let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/modules").join(&file);
        folder.write(&file, &fs::read_to_string(source).unwrap(), 0o644);
        let output = run(&["check", "--try", folder.manifest().to_str().unwrap()]);
        let told = text(&output.stdout);
        assert!(told.contains(&format!("{count} tried")), "{file}: {told}");
        assert!(!told.contains("example add"), "{file}: {told}");
        let help = run(&["doc", folder.manifest().to_str().unwrap(), "--format", "json"]);
        let help = text(&help.stdout);
        assert!(!help.contains(">>>") && !help.contains("@example"), "{file}: {help}");
    }
}
