//! Manifests behind real web servers.

use std::fs;
use std::os::unix::fs::{MetadataExt, PermissionsExt, chown};
use std::path::PathBuf;

use serde_json::{Value as Json, json};

use super::{Folder, Outcome, outcome, request};
use crate::web_servers::WebServer;

#[track_caller]
fn call(server: &WebServer, path: &str, method: &str, params: Json) -> Outcome {
    let body = request(method, params);
    let length = body.len();
    let head = format!("POST {path} HTTP/1.0\r\nContent-Type: application/json\r\nContent-Length: {length}");
    let response = server.send(&head, &body);
    assert!(
        response.lines().next().is_some_and(|line| line.ends_with(" 200 OK")),
        "{path}: {response}{}",
        server.log()
    );
    outcome(response.split_once("\r\n\r\n").expect("a head").1)
}

/// Checks methods of a manifest at a path, and its page.
#[track_caller]
fn assert_calc(server: &WebServer, path: &str) {
    assert_eq!(call(server, path, "calc.add", json!([2, 3])), Ok(5.into()), "{path}");
    assert_eq!(call(server, path, "calc.divide", json!({ "dividend": 22, "divisor": 7 })), Ok("3.142857".into()));
    assert_eq!(call(server, path, "calc.divide", json!([1, 0])), Err((3, "the divisor is zero".into())));
    assert_eq!(call(server, path, "calc.add", json!(["$(id)", 3])).unwrap_err().0, -32602);
    let date = call(server, path, "calc.date", json!([1])).unwrap();
    assert!(date.as_str().is_some_and(|date| date.starts_with("20") && date.contains('T')), "{date}");
    let page = server.send(&format!("GET {path} HTTP/1.1"), "");
    assert!(
        page.contains(&format!("<code>{}</code>", server.url(path))) && page.contains("id=\"m-calc.divide\""),
        "{page}"
    );
}

#[track_caller]
fn assert_wheel(server: &WebServer, path: &str) {
    let spins = call(server, path, "wheel.spinList", json!([3])).unwrap();
    let spins = spins.as_array().unwrap();
    assert!(
        spins.len() == 3 && spins.iter().all(|spin| spin.as_array().is_some_and(|spin| spin.len() == 4)),
        "{spins:?}"
    );
    assert_eq!(call(server, path, "wheel.spin", json!([])).unwrap().as_array().unwrap().len(), 4);
    let (code, message) = call(server, path, "wheel.spinList", json!([1001])).unwrap_err();
    assert!(code == -32602 && message.contains("expected a number of at most 1000, found 1001"), "{message}");
}

#[track_caller]
fn assert_notes(server: &WebServer, path: &str) {
    let text = format!("by way of {path}");
    let id = call(server, path, "notes.create", json!([text])).unwrap();
    let notes = call(server, path, "notes.list", json!([text])).unwrap();
    assert_eq!((&notes[0]["id"], &notes[0]["text"]), (&id, &json!(text)), "{path}");
    assert_eq!(call(server, path, "notes.delete", json!([id])), Ok(Json::Null));
    assert_eq!(call(server, path, "notes.delete", json!([id])).unwrap_err().0, 1);
}

#[track_caller]
fn assert_languages(server: &WebServer, path: &str) {
    for language in ["python", "php", "perl", "node"] {
        assert_eq!(call(server, path, &format!("{language}.add"), json!([2, 3.5])), Ok(json!(5.5)), "{path}");
        let greeting = call(server, path, &format!("{language}.greet"), json!(["Jörg"]));
        assert_eq!(greeting, Ok("Hello, Jörg!".into()), "{path}");
    }
}

/// Checks the services of one module each, in six languages.
#[track_caller]
fn assert_modules(server: &WebServer, folder: &str, suffix: &str) {
    let call =
        |name: &str, method: &str, params: Json| call(server, &format!("{folder}{name}{suffix}"), method, params);
    let bike = json!({ "number": 2, "name": "Old Faithful", "price": 2.0 });
    assert_eq!(call("bikes", "bikes", json!([3])), Ok(json!([bike])), "{folder}");
    assert_eq!(call("bikes", "price", json!({ "number": 1, "hours": 5 })), Ok(json!(18.0)));
    assert_eq!(call("bikes", "price", json!([9])), Err((404, "there is no bike 9".into())));
    assert_eq!(call("bikes", "due", json!(["2026-11-24T12:00:00", 30])), Ok("2026-11-25T18:00:00".into()));
    assert_eq!(call("tides", "height", json!([{ "high": 3.5, "low": 1 }, 60])), Ok(json!(3.34)));
    let tides = call("tides", "high_tides", json!(["2026-11-24T12:00:00", 2]));
    assert_eq!(tides, Ok(json!(["2026-11-25T00:25:00", "2026-11-25T12:50:00"])));
    assert_eq!(call("tides", "high_tides", json!(["2026-11-24T12:00:00", 101])).unwrap_err().0, -32602);
    assert_eq!(call("words", "count", json!(["a bike"])), Ok(json!({ "words": 2, "letters": 5 })));
    assert_eq!(call("words", "count", json!([""])), Err((1, "there is no word in the text".into())));
    assert_eq!(call("words", "frequent", json!(["a b a"])), Ok(json!({ "a": 2 })));
    assert_eq!(call("dice", "roll", json!({ "count": 3, "sides": 6 })).unwrap().as_array().map(Vec::len), Some(3));
    assert_eq!(call("dice", "roll", json!([0])).unwrap_err().0, 1);
    assert_eq!(call("units", "convert", json!([3, "mile", "km"])), Ok(json!(4.828032)));
    assert_eq!(call("units", "convert", json!([3, "inch", "km"])), Err((1, "there is no unit inch".into())));
    assert_eq!(call("colours", "mix", json!(["#000000", "#ffffff"])), Ok("#808080".into()));
    let page = server.send(&format!("GET {folder}bikes{suffix} HTTP/1.1"), "");
    assert!(page.contains("Tells what it costs to rent a bike."), "{page}");
}

#[test]
fn apache() {
    let apache = WebServer::apache();
    for (folder, suffix) in [("cgi-bin", ""), ("fcgid", ""), ("rpc", ".rpc")] {
        assert_calc(&apache, &format!("/{folder}/calc{suffix}"));
        assert_wheel(&apache, &format!("/{folder}/roulette{suffix}"));
        assert_notes(&apache, &format!("/{folder}/notes{suffix}"));
        assert_languages(&apache, &format!("/{folder}/languages{suffix}"));
        assert_modules(&apache, &format!("/{folder}/"), suffix);
    }
}

#[test]
fn hostile_queries_change_nothing() {
    let apache = WebServer::apache();
    let page = |query: &str| {
        // not in chunks
        let response = apache.send(&format!("GET /cgi-bin/calc{query} HTTP/1.0"), "");
        response.split_once("\r\n\r\n").map(|(_, page)| page.to_owned()).expect("a response")
    };
    let plain = page("");
    for query in
        ["?--serve", "?/etc/passwd", "?%2D%2Dhelp", "?%AD", "?%ADd+allow_url_include%3d1", "?serve+--listen+0.0.0.0:1"]
    {
        assert_eq!(page(query), plain, "{query}");
        let body = request("calc.add", json!([2, 3]));
        let response = apache.post(&format!("/cgi-bin/calc{query}"), "", &body);
        assert!(response.contains("\"result\":5,\"id\":1}"), "{query}: {response}");
    }
    // the program itself in a folder of programs, asked for a manifest by the query
    let folder = apache.folder.path().join("rpcgi");
    fs::copy(folder.join("bin/rpcgi"), folder.join("cgi-bin/copy")).expect("there is room");
    for query in [
        String::new(),
        format!("?{}", folder.join("cgi-bin/calc").display()),
        "?--help".into(),
        "?check+/etc/passwd".into(),
    ] {
        let response = apache.post(&format!("/cgi-bin/copy{query}"), "", "");
        assert!(
            response.starts_with("HTTP/1.1 403 ") && response.contains("This is the program rpcgi, not a service."),
            "{query}: {response}"
        );
    }
}

#[test]
fn a_broken_manifest_is_told_to_the_log_alone() {
    let apache = WebServer::apache();
    let path = apache.folder.path().join("rpcgi/cgi-bin/broken");
    let program = apache.folder.path().join("rpcgi/bin/rpcgi");
    fs::write(&path, format!("#!{}\ntitle = \"Broken\"\n[method.secret]\n", program.display())).expect("it is ours");
    fs::set_permissions(&path, fs::Permissions::from_mode(0o755)).expect("it is ours");
    let response = apache.send("GET /cgi-bin/broken HTTP/1.1", "");
    assert!(
        response.starts_with("HTTP/1.1 500 ") && response.contains("\nthis service is out of order\n"),
        "{response}"
    );
    // Apache's CGI gives no answer of a program that does not read the body
    let response = apache.post("/cgi-bin/broken", "", &"x".repeat(300_000));
    assert!(response.starts_with("HTTP/1.1 500 ") && response.contains("this service is out of order"), "{response}");
    apache.expect_log("broken:3:9: the method `secret` has neither `run` nor `worker`");
}

/// The files that mod_fcgid's wrapper may serve.
#[test]
fn the_wrapper_serves_manifests_of_trusted_owners_alone() {
    let apache = WebServer::apache();
    let manifests = apache.folder.path().join("rpcgi/manifests");
    for beside in ["notes.py", "worker.php"] {
        assert!(apache.send(&format!("GET /rpc/{beside} HTTP/1.1"), "").starts_with("HTTP/1.1 403 "));
    }
    let page = apache.send("GET /rpc/calc.rpc/more?a=b HTTP/1.1", "");
    assert!(page.starts_with("HTTP/1.1 200 ") && page.contains("<h1>Calculator</h1>"), "{page}");
    if fs::metadata(&manifests).expect("it is there").uid() != 0 {
        eprintln!("skipped: only root can give files away");
        return;
    }
    let strange = manifests.join("strange.rpc");
    fs::copy(manifests.join("calc.rpc"), &strange).expect("there is room");
    chown(&strange, Some(12345), None).expect("we are root");
    // a link is what it leads to
    std::os::unix::fs::symlink(&strange, manifests.join("link.rpc")).expect("it is ours");
    std::os::unix::fs::symlink("/etc/passwd", manifests.join("passwd.rpc")).expect("it is ours");
    for name in ["link.rpc", "passwd.rpc"] {
        assert!(apache.send(&format!("GET /rpc/{name} HTTP/1.1"), "").starts_with("HTTP/1.1 500 "), "{name}");
    }
    apache.expect_log("passwd.rpc: expected a name that ends in .rpc or .cgi or .fcgi");
    let response = apache.send("GET /rpc/strange.rpc HTTP/1.1", "");
    assert!(
        response.starts_with("HTTP/1.1 500 ") && response.contains("\nthis service is out of order\n"),
        "{response}"
    );
    apache.expect_log("strange.rpc: its owner is not trusted");
}

#[test]
fn nginx_with_fcgiwrap_and_by_fastcgi() {
    let nginx = WebServer::nginx();
    assert_calc(&nginx, "/cgi-bin/calc");
    assert_wheel(&nginx, "/cgi-bin/roulette");
    assert_notes(&nginx, "/cgi-bin/notes");
    assert_languages(&nginx, "/cgi-bin/languages");
    assert_modules(&nginx, "/cgi-bin/", "");
    assert_notes(&nginx, "/notes");
}

#[test]
fn lighttpd() {
    let lighttpd = WebServer::lighttpd();
    assert_calc(&lighttpd, "/cgi-bin/calc");
    assert_wheel(&lighttpd, "/cgi-bin/roulette");
    assert_languages(&lighttpd, "/cgi-bin/languages");
    assert_modules(&lighttpd, "/cgi-bin/", "");
    assert_notes(&lighttpd, "/notes");
}

/// Started by spawn-fcgi, with the manifest on the command line.
#[test]
fn spawn_fcgi() {
    let folder = Folder::new("[method.hello]\nreturns = \"string\"\nrun = [\"echo\", \"Hello!\"]\n");
    let (socket, pid) = (folder.path().join("socket"), folder.path().join("pid"));
    for words in [vec![folder.manifest()], vec![super::rpcgi().into(), "fcgi".into(), folder.manifest()]] {
        let mut command = std::process::Command::new("spawn-fcgi");
        command.arg("-s").arg(&socket).arg("-P").arg(&pid).arg("--").args(&words);
        let started = command.output().expect("spawn-fcgi is installed: `tests/run` does that");
        assert!(started.status.success(), "{started:?}");
        let answer =
            crate::harness::cgi_fcgi(&socket.display().to_string(), "POST", &crate::harness::document("hello", &[]));
        assert!(super::text(&answer.stdout).contains("<string>Hello!</string>"), "{answer:?}");
        let pid = fs::read_to_string(&pid).expect("it was written");
        assert!(std::process::Command::new("kill").arg(pid.trim()).status().expect("kill runs").success());
        fs::remove_file(&socket).expect("it is there");
    }
}

/// A folder that suEXEC takes programs from, gone with the test.
struct SuexecFolder(PathBuf);

impl Drop for SuexecFolder {
    fn drop(&mut self) {
        _ = fs::remove_dir_all(&self.0);
    }
}

/// As another user, as shared hosts do it.
#[test]
fn suexec() {
    /// Debian's `nobody`.
    const NOBODY: u32 = 65534;

    if fs::metadata("/proc/self").is_ok_and(|process| process.uid() != 0) {
        assert!(std::env::var_os("CI").is_none(), "CI runs as root");
        eprintln!("skipped: suEXEC takes programs from /var/www alone, where only root may put them");
        return;
    }
    let folder = SuexecFolder(PathBuf::from(format!("/var/www/rpcgi-test-{}", std::process::id())));
    let script = folder.0.join("api.cgi");
    let server = WebServer::apache_as("nobody", "nogroup", &folder.0);
    let program = server.folder.path().join("rpcgi/bin/rpcgi");
    let manifest = "title = \"Mine\"\n[method.whoami]\nreturns = \"string\"\nrun = [\"id\", \"-un\"]\n[method.path]\nreturns = \"string\"\nrun = [\"./path\"]\n";
    fs::create_dir_all(&folder.0).expect("we are root");
    fs::write(&script, format!("#!{}\n{manifest}", program.display())).expect("we are root");
    fs::write(folder.0.join("path"), "#!/bin/sh\necho \"$PATH $RPCGI_REMOTE_ADDR\"\n").expect("we are root");
    for path in [&folder.0, &script, &folder.0.join("path")] {
        fs::set_permissions(path, fs::Permissions::from_mode(0o755)).expect("we are root");
        chown(path, Some(NOBODY), Some(NOBODY)).expect("we are root");
    }
    assert_eq!(call(&server, "/api.cgi", "whoami", json!([])), Ok("nobody".into()));
    assert_eq!(call(&server, "/api.cgi", "path", json!([])), Ok("/usr/local/bin:/usr/bin:/bin 127.0.0.1".into()));
    let page = server.send("GET /api.cgi?--help HTTP/1.1", "");
    assert!(page.starts_with("HTTP/1.1 200 ") && page.contains("<h1>Mine</h1>"), "{page}");
}
