//! The samples of the page, each run in its own language: what it says works.

use std::fs;
use std::path::Path;
use std::process::{Command, Output};
use std::sync::{Arc, Mutex};

use rpcgi::{Base64, DateTime, Method, Server};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Value as Json, json};
use std::collections::BTreeMap;

use super::local::Local;

/// A person with animals.
#[derive(Serialize, Deserialize, JsonSchema)]
struct Person {
    #[schemars(example = "O'Hara \"&\" <Söhne> \\ $HOME #{x} `x` %s")]
    name: String,
    age: u8,
    nickname: Option<String>,
    pets: Vec<Pet>,
    born: DateTime,
}

#[derive(Serialize, Deserialize, JsonSchema)]
struct Pet {
    kind: Kind,
    weight: f64,
    is_tame: bool,
}

#[derive(Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
enum Kind {
    Cat,
    Dog,
}

/// The calls that were made: names and params.
type Calls = Arc<Mutex<Vec<Json>>>;

/// Returns a service that remembers its calls, and the params that it has to be called with.
fn service(calls: &Calls) -> (Server, Vec<(&'static str, Json)>) {
    let remember = |name: &'static str| {
        let calls = Arc::clone(calls);
        move |params: Json| {
            calls.lock().unwrap().push(json!([name, params]));
            true
        }
    };
    let (nothing, scalars, nested, odd, given, map) = (
        remember("nothing"),
        remember("a.scalars"),
        remember("nested"),
        remember("a.import"),
        remember("given"),
        remember("map"),
    );
    let server = Server::new("Samples").methods([
        Method::new("nothing", move || nothing(json!([]))),
        Method::new("a.scalars", move |n: i32, large: i64, x: f64, yes: bool, at: DateTime, data: Base64| {
            scalars(json!([n, large, x, yes, at.to_string(), data.0]))
        }),
        Method::new("nested", move |people: Vec<Person>, pair: (i32, String)| nested(json!([people, pair]))),
        Method::new("a.import", move |text: String, least: [u8; 2]| odd(json!([text, least])))
            .params(["text", "least"]),
        Method::new("given", move |text: String, nothing: Option<String>, large: i64| {
            given(json!([text, nothing, large]))
        })
        .example(["-5".into(), rpcgi::Value::Nil, 5_000_000_000_i64.into()]),
        Method::new("map", move |counts: BTreeMap<String, i32>| map(json!([counts]))),
    ]);
    let person = json!({
        "name": "O'Hara \"&\" <Söhne> \\ $HOME #{x} `x` %s", "age": 30, "nickname": null,
        "pets": [{ "kind": "cat", "weight": 2.5, "is_tame": true }], "born": "2026-11-24T12:00:00",
    });
    let expected = vec![
        ("nothing", json!([])),
        ("a.scalars", json!([2, 3, 3.5, true, "20261124T12:00:00", b"hello"])),
        ("nested", json!([[person], [2, "text"]])),
        ("a.import", json!(["text", [2, 3]])),
        ("given", json!(["-5", null, 5_000_000_000_i64])),
        ("map", json!([{ "key": 2 }])),
    ];
    (server, expected)
}

/// Returns a sample as it is on the page.
fn sample(page: &str, method: &str, language: &str) -> String {
    let section = page.split(&format!("id=\"m-{method}\"")).nth(1).expect("a section");
    let rest = section.split(&format!("<summary>{language}</summary><pre>")).nth(1).expect("a sample");
    let code = rest.split("</pre>").next().unwrap();
    code.replace("&lt;", "<").replace("&gt;", ">").replace("&quot;", "\"").replace("&amp;", "&")
}

fn output(command: &mut Command) -> Output {
    command.output().unwrap_or_else(|error| panic!("{command:?}: {error}"))
}

/// Runs the samples of a language, each as `run` does it from a file, and looks at what arrives.
fn assert_samples(language: &str, file: &str, methods: &[&str], run: impl Fn(&Path) -> Command) {
    let calls = Calls::default();
    let (server, expected) = service(&calls);
    let served = Local::serve(server.build().unwrap());
    let page = page_at(&served.url);
    let folder = tempfile::tempdir().unwrap();
    for (method, params) in expected.into_iter().filter(|(method, _)| methods.contains(method)) {
        let file = folder.path().join(file);
        let code = sample(&page, method, language);
        fs::write(&file, &code).unwrap();
        let output = output(run(&file).current_dir(folder.path()));
        assert!(output.status.success(), "{language}: {code}\n{output:?}");
        let arrived = std::mem::take(&mut *calls.lock().unwrap());
        assert_eq!(arrived, [json!([method, params])], "{language}: {code}\n{output:?}");
        let shown = String::from_utf8_lossy(&output.stdout).to_lowercase();
        assert!(["true", "1"].iter().any(|result| shown.contains(result)), "{language}: {code}\n{output:?}");
    }
}

fn page_at(url: &str) -> String {
    let output = output(Command::new("curl").args(["-sS", url]));
    String::from_utf8(output.stdout).unwrap()
}

const ALL: &[&str] = &["nothing", "a.scalars", "nested", "a.import", "given", "map"];

/// Returns a command whose path has the program that the samples name.
fn command(program: &str) -> Command {
    let own = Path::new(env!("CARGO_BIN_EXE_rpcgi")).parent().unwrap();
    let path = std::env::var("PATH").unwrap_or_default();
    let mut command = Command::new(program);
    command.env("PATH", format!("{}:{path}", own.display()));
    command
}

fn with_file<'f>(program: &'f str, arguments: &'f [&'f str]) -> impl Fn(&Path) -> Command + 'f {
    move |file: &Path| {
        let mut command = command(program);
        command.args(arguments).arg(file);
        command
    }
}

#[test]
fn samples_of_curl() {
    assert_samples("curl", "call.sh", ALL, with_file("sh", &[]));
    assert_samples("curl, XML", "call.sh", ALL, with_file("sh", &[]));
}

#[test]
fn samples_of_rpcgi() {
    assert_samples("rpcgi", "call.sh", ALL, with_file("sh", &[]));
}

#[test]
fn samples_of_python() {
    // its integers have 32 bits there
    assert_samples("Python", "call.py", &ALL[..4], with_file("python3", &[]));
    assert_samples("Python", "call.py", &ALL[5..], with_file("python3", &[]));
}

#[test]
fn samples_of_php() {
    assert_samples("PHP", "call.php", ALL, with_file("php", &[]));
}

#[test]
fn samples_of_perl() {
    assert_samples("Perl", "call.pl", ALL, with_file("perl", &["-Mwarnings"]));
}

#[test]
fn samples_of_ruby() {
    assert_samples("Ruby", "call.rb", ALL, with_file("ruby", &["-w"]));
}

#[test]
fn samples_of_javascript() {
    assert_samples("JavaScript", "call.mjs", ALL, with_file("node", &[]));
}

fn go(file: &Path) -> Command {
    let mut command = command("go");
    let cache = file.with_file_name("cache");
    command.arg("run").arg(file).env("GOCACHE", cache).env("GO111MODULE", "off").env("HOME", "/nonexistent");
    command
}

#[test]
fn samples_of_go() {
    assert_samples("Go", "call.go", &["nested", "given"], go);
}

#[test]
fn samples_of_java() {
    assert_samples("Java", "Call.java", &["nested", "given"], with_file("java", &[]));
}

/// Returns what runs a sample of Rust, with the crates that it names.
fn rust(folder: &Path) -> impl Fn(&Path) -> Command {
    let manifest = "[package]\nname = \"call\"\nversion = \"0.0.0\"\nedition = \"2024\"\n\n[dependencies]\nserde_json = \"1\"\n\
                    base64 = \"0.22\"\n\
                    ureq = { version = \"3\", default-features = false, features = [\"json\"] }\n\n[workspace]\n";
    fs::create_dir(folder.join("src")).unwrap();
    fs::write(folder.join("Cargo.toml"), manifest).unwrap();
    // the versions that are here
    fs::copy(Path::new(env!("CARGO_MANIFEST_DIR")).join("Cargo.lock"), folder.join("Cargo.lock")).unwrap();
    let folder = folder.to_owned();
    move |file| {
        fs::copy(file, folder.join("src/main.rs")).unwrap();
        let mut command = Command::new(env!("CARGO"));
        command.args(["run", "--quiet", "--manifest-path"]).arg(folder.join("Cargo.toml"));
        command
    }
}

#[test]
fn samples_of_rust() {
    let folder = tempfile::tempdir().unwrap();
    let run = rust(folder.path());
    assert_samples("Rust", "call.rs", &["nested", "given"], &run);
    assert_credentials("Rust", "call.rs", &run);
}

/// Runs the samples of a language where the service asks for credentials: they come from the environment.
fn assert_credentials(language: &str, file: &str, run: impl Fn(&Path) -> Command) {
    for (scheme, header) in [("Bearer", "Bearer s3cret"), ("Basic", "Basic YW5uOnMzY3JldA==")] {
        let who = |request: &rpcgi::Request| request.variable("HTTP_AUTHORIZATION").unwrap_or_default().into_owned();
        let docs = rpcgi::Docs::new().authentication(scheme);
        let served = Local::serve(Server::new("Asking").docs(docs).methods(Method::new("who", who)).build().unwrap());
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join(file);
        let code = sample(&page_at(&served.url), "who", language);
        fs::write(&file, &code).unwrap();
        let mut command = run(&file);
        command.current_dir(folder.path()).env("TOKEN", "s3cret").env("LOGIN", "ann:s3cret");
        let output = output(&mut command);
        let shown = String::from_utf8_lossy(&output.stdout).into_owned();
        assert!(output.status.success() && shown.contains(header), "{language}: {code}\n{output:?}");
    }
}

#[test]
fn samples_have_credentials() {
    assert_credentials("curl", "call.sh", with_file("sh", &[]));
    assert_credentials("curl, XML", "call.sh", with_file("sh", &[]));
    assert_credentials("rpcgi", "call.sh", with_file("sh", &[]));
    assert_credentials("Python", "call.py", with_file("python3", &[]));
    assert_credentials("PHP", "call.php", with_file("php", &[]));
    assert_credentials("Perl", "call.pl", with_file("perl", &["-Mwarnings"]));
    assert_credentials("Ruby", "call.rb", with_file("ruby", &["-w"]));
    assert_credentials("JavaScript", "call.mjs", with_file("node", &[]));
    assert_credentials("Go", "call.go", go);
    assert_credentials("Java", "Call.java", with_file("java", &[]));
}

/// Debian has no PowerShell: its sample is looked at, and not run.
#[test]
fn samples_of_powershell_are_written() {
    let calls = Calls::default();
    let page = service(&calls).0.build().unwrap().page(Some("http://h.example/it's".into()));
    let sample = sample(&page, "given", "PowerShell");
    let expected = "$call = '{\n  \"jsonrpc\": \"2.0\",\n  \"id\": 1,\n  \"method\": \"given\",\n  \
                    \"params\": [\"-5\", null, 5000000000]\n}'\n\
                    Invoke-RestMethod 'http://h.example/it''s' -Method Post `\n  \
                    -ContentType 'application/json; charset=utf-8' -Body $call";
    assert_eq!(sample, expected);
}
