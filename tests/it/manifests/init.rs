//! `rpcgi init FILE --from SOURCE`: manifests of what is there already.

use std::fs;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpListener;
use std::path::Path;
use std::process::{Command, Output, Stdio};
use std::thread;

use serde_json::{Value as Json, json};

use super::{Folder, own, rpcgi, run, text};
use crate::harness::Served;

/// Runs the command, for the manifest `made.cgi` of a folder.
fn init(folder: &Path, source: &str) -> Output {
    let file = folder.join("made.cgi");
    run(&["init", file.to_str().expect("it is text"), "--from", source])
}

#[track_caller]
fn assert_made(folder: &Path, source: &str) -> String {
    let output = init(folder, source);
    assert!(output.status.success(), "{source}: {}{}", text(&output.stdout), text(&output.stderr));
    let made = folder.join("made.cgi");
    let checked = run(&["check", made.to_str().expect("it is text")]);
    assert!(checked.status.success(), "{source}: {}", text(&checked.stdout));
    fs::read_to_string(made).expect("it was written")
}

/// Returns the OpenRPC document of a manifest.
fn document(manifest: &Path) -> Json {
    let output = run(&["doc", manifest.to_str().expect("it is text"), "--format", "openrpc"]);
    serde_json::from_slice(&output.stdout).unwrap_or_else(|error| panic!("{error}: {}", text(&output.stderr)))
}

fn file_of_tests(name: &str) -> String {
    fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("tests").join(name)).expect("it is there")
}

#[test]
fn what_modules_say_is_spelled_out() {
    for extension in ["py", "php", "js", "rb", "pl", "lua"] {
        let file = format!("sums.{extension}");
        let folder = Folder::untitled(&format!("title = \"sums\"\nmodule = \"{file}\"\ncache = \"off\"\n"));
        folder.write(&file, &file_of_tests(&format!("modules/{file}")), 0o644);
        let made = assert_made(folder.path(), folder.path().join(&file).to_str().unwrap());
        assert!(made.contains(&format!("module = \"{file}\"\n")), "{made}");
        assert!(made.contains("[method.add]\ntitle = \"Adds two numbers.\"\nhelp = "), "{made}");
        let (bare, spelled_out) = (document(&folder.manifest()), document(&folder.path().join("made.cgi")));
        assert_eq!(bare["methods"], spelled_out["methods"], "{file}");
        // and what it says holds
        let called = run(&["call", folder.path().join("made.cgi").to_str().unwrap(), "add", "2"]);
        assert_eq!(text(&called.stdout), "7\n", "{file}: {}", text(&called.stderr));
    }
}

#[test]
fn a_script_moves_in_one_command() {
    let folder = Folder::untitled("title = \"other\"\n");
    folder.write("old.py", &file_of_tests("modules/scripts/bikes.py"), 0o644);
    let output = init(folder.path(), folder.path().join("old.py").to_str().unwrap());
    let (said, complaints) = (text(&output.stdout), text(&output.stderr));
    assert!(output.status.success() && said.contains("with 11 methods. What next: rpcgi serve"), "{said}{complaints}");
    for part in ["it was run to see what it serves", "compat = \"python\"", "nil = false", "goes to the log"] {
        assert!(complaints.contains(part), "no {part} in {complaints}");
    }
    let made = fs::read_to_string(folder.path().join("made.cgi")).unwrap();
    assert!(made.contains("title = \"Bike rental\"\ndocumentation = \"Bikes by the day.\"\n"), "{made}");
    let called = run(&["call", folder.path().join("made.cgi").to_str().unwrap(), "price", "racer", "2"]);
    assert_eq!(text(&called.stdout), "50\n", "{}", text(&called.stderr));
}

#[test]
fn a_file_that_stands_is_compared() {
    let folder = Folder::untitled("title = \"other\"\n");
    folder.write("sums.py", &file_of_tests("modules/sums.py"), 0o644);
    let source = folder.path().join("sums.py");
    let made = assert_made(folder.path(), source.to_str().unwrap());
    let again = init(folder.path(), source.to_str().unwrap());
    assert_eq!((again.status.code(), text(&again.stdout)), (Some(0), String::new()));
    folder.write("made.cgi", &made.replace("Adds two numbers.", "Adds."), 0o755);
    let again = init(folder.path(), source.to_str().unwrap());
    let differences = text(&again.stdout);
    assert_eq!(again.status.code(), Some(1));
    assert!(differences.contains("-title = \"Adds.\"\n+title = \"Adds two numbers.\"\n"), "{differences}");
    assert!(fs::read_to_string(folder.path().join("made.cgi")).unwrap().contains("\"Adds.\""));
}

#[test]
fn a_running_service_is_asked() {
    let served = Served::start(rpcgi(), &["serve", own("notes").to_str().unwrap(), "--listen", "127.0.0.1:0"]);
    let folder = Folder::untitled("title = \"other\"\n");
    let made = assert_made(folder.path(), &format!("http://{}/", served.address));
    assert!(made.contains("[method.\"notes.create\"]\ntitle = \"Keeps a note.\"\nparams = [\n"), "{made}");
    assert_eq!(made.matches("run = [\"false\"]  # to be filled in").count(), 3, "{made}");
    let (original, copy) = (document(&own("notes")), document(&folder.path().join("made.cgi")));
    assert_eq!(original["methods"], copy["methods"]);
    let called = run(&["call", folder.path().join("made.cgi").to_str().unwrap(), "notes.list"]);
    assert!(text(&called.stderr).contains("fault -32400: the program failed"), "{}", text(&called.stderr));
}

#[test]
fn a_service_of_python_is_asked() {
    let program = "import sys\nfrom xmlrpc.server import SimpleXMLRPCServer\n\
                   class Server(SimpleXMLRPCServer):\n    def system_methodSignature(self, name):\n        \
                   return {'zebra': [['string', 'int', 'datetime']], 'both': [['int', 'int'], ['string', 'string']]}\
                   .get(name, 'signatures not supported')\n\
                   def zebra(a, b): pass\nzebra.__doc__ = 'Runs.\\n\\nFast \"\"\"and far.'\n\
                   server = Server(('127.0.0.1', 0), logRequests=False)\n\
                   server.register_function(zebra)\nserver.register_function(lambda: 1, 'both')\n\
                   server.register_function(lambda: 1, 'a name that cannot be')\n\
                   server.register_introspection_functions()\nserver.register_multicall_functions()\n\
                   print(server.server_address[1], flush=True)\nserver.serve_forever()\n";
    let mut original = Command::new("python3").args(["-c", program]).stdout(Stdio::piped()).spawn().expect("it starts");
    let mut port = String::new();
    BufReader::new(original.stdout.take().unwrap()).read_line(&mut port).unwrap();
    let folder = Folder::untitled("title = \"other\"\n");
    let output = init(folder.path(), &format!("http://127.0.0.1:{}/", port.trim()));
    original.kill().unwrap();
    original.wait().unwrap();
    assert!(output.status.success(), "{}", text(&output.stderr));
    let said = text(&output.stderr);
    assert!(said.contains("\"a name that cannot be\": no method of a manifest can have this name"), "{said}");
    let made = fs::read_to_string(folder.path().join("made.cgi")).unwrap();
    let (both, zebra) = (made.find("[method.both]").unwrap(), made.find("[method.zebra]").unwrap());
    // in its own order
    assert!(both < zebra, "{made}");
    assert!(made.contains("signatures = [[\"int\", \"int\"], [\"string\", \"string\"]]\n"), "{made}");
    assert!(made.contains("title = \"Runs.\"\nhelp = \"Fast \\\"\\\"\\\"and far.\"\n"), "{made}");
    assert!(made.contains("{ name = \"p2\", type = \"dateTime.iso8601\" }"), "{made}");
}

/// Answers every request alike, until the end of the tests.
fn answering(status: &'static str, kind: &'static str, body: String) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    let address = listener.local_addr().expect("it has one");
    thread::spawn(move || {
        for stream in listener.incoming() {
            let Ok(mut stream) = stream else { continue };
            let mut head = [0; 4096];
            // what was asked does not matter
            _ = stream.read(&mut head);
            let length = body.len();
            let answer = format!(
                "HTTP/1.1 {status}\r\nContent-Type: {kind}\r\nContent-Length: {length}\r\nConnection: close\r\n\r\n{body}"
            );
            _ = stream.write_all(answer.as_bytes());
        }
    });
    format!("http://{address}/")
}

#[test]
fn services_that_tell_nothing() {
    let fault = "<methodResponse><fault><value><struct><member><name>faultCode</name><value><int>1</int></value></member>\
                 <member><name>faultString</name><value>closed</value></member></struct></value></fault></methodResponse>";
    for (status, kind, body, expected) in [
        ("200 OK", "text/xml", fault, "it does not tell its methods: system.listMethods answers fault 1: closed"),
        ("200 OK", "text/html", "<p>Hello", "the answer is none of XML-RPC's"),
        ("404 Not Found", "text/plain", "nothing here", "HTTP status 404: nothing here"),
        ("302 Found", "text/plain", "elsewhere", "HTTP status 302"),
    ] {
        let folder = Folder::untitled("title = \"other\"\n");
        let output = init(folder.path(), &answering(status, kind, body.to_owned()));
        let said = text(&output.stderr);
        assert!(!output.status.success() && said.contains(expected), "no {expected} in {said}");
        assert!(!folder.path().join("made.cgi").exists());
    }
}

#[test]
fn documents_that_lie() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    listener.set_nonblocking(true).unwrap();
    let outside = format!("http://{}/schema.json", listener.local_addr().unwrap());
    let long = "x".repeat(1_000_000);
    let document = json!({
        "openrpc": "1.3.2",
        "info": { "title": "Liar \"\"\" \n# title", "version": "2", "description": long },
        "methods": [
            { "name": "outside", "params": [{ "name": "a", "schema": { "$ref": outside } }], "result": { "schema": { "$ref": "#/nowhere" } } },
            { "name": "itself", "params": [{ "$ref": "#/methods/1/params/0" }] },
            { "name": "deep", "params": [{ "name": "a b", "required": true, "schema": { "$ref": "#/components/schemas/Tree" } }] },
            { "name": "not a name", "params": [] },
            { "name": "deep", "params": "none" },
            { "name": "odd", "params": [{ "name": "1", "schema": { "type": "string", "pattern": "(", "default": 5, "enum": [1, 2] } }, { "name": "1", "schema": false }, 7], "result": 5, "errors": [{ "code": "x" }, { "code": 4, "message": "four" }], "summary": 7 },
            { "name": "range", "params": [{ "name": "n", "required": false, "schema": { "oneOf": [{ "type": "integer", "minimum": 1, "format": "int32" }, { "type": "null" }] } }], "result": { "schema": { "type": ["string", "null"] } } },
            { "name": "system.listMethods", "params": [] },
            7,
        ],
        "components": { "schemas": { "Tree": { "type": "object", "properties": { "left": { "$ref": "#/components/schemas/Tree" } }, "required": ["left"] } } },
    });
    let folder = Folder::untitled("title = \"other\"\n");
    folder.write("openrpc.json", &document.to_string(), 0o644);
    let output = init(folder.path(), folder.path().join("openrpc.json").to_str().unwrap());
    let said = text(&output.stderr);
    assert!(output.status.success(), "{said}");
    for expected in [
        format!("outside: \"{outside}\" is outside of the document, and is not fetched"),
        "outside: \"#/nowhere\" is nowhere in the document".to_owned(),
        "itself: a reference leads to itself".to_owned(),
        "not a name: no method of a manifest can have this name".to_owned(),
        "\"deep\" is there twice: the first counts".to_owned(),
        "odd: the pattern \"(\" is left out".to_owned(),
    ] {
        assert!(said.contains(&expected), "no {expected} in {said}");
    }
    assert!(listener.accept().is_err(), "it was fetched");
    let made = fs::read_to_string(folder.path().join("made.cgi")).unwrap();
    let checked = run(&["check", folder.path().join("made.cgi").to_str().unwrap()]);
    assert!(checked.status.success(), "{}", text(&checked.stdout));
    for part in [
        "{ name = \"n\", type = \"int\", minimum = 1, optional = true }",
        "returns = { type = \"string\", nil = true }",
        "{ name = \"a_b\", type = \"struct\", members = { left = ",
        "faults = { 4 = \"four\" }",
    ] {
        assert!(made.contains(part), "no {part} in {}", &made[made.len() - 3000..]);
    }
    for (octets, expected) in [("{\"openrpc\": 1}", "expected an OpenRPC document"), ("{", "expected JSON")] {
        folder.write("bad.json", octets, 0o644);
        let output = init(folder.path(), folder.path().join("bad.json").to_str().unwrap());
        let said = text(&output.stderr);
        assert!(!output.status.success() && said.contains(expected), "{said}");
    }
}

#[test]
fn what_cannot_be_loaded() {
    let folder = Folder::untitled("title = \"other\"\n");
    folder.write("broken.py", "1 / 0\n", 0o644);
    for (source, expected) in
        [("broken.py", "ZeroDivisionError"), ("none.py", "No such file"), ("service.cgi", "expected a module")]
    {
        let output = init(folder.path(), folder.path().join(source).to_str().unwrap());
        let said = text(&output.stderr);
        assert!(!output.status.success() && said.contains(expected), "{source}: {said}");
    }
}
