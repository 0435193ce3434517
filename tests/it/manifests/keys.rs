//! Keys of a manifest and the methods of `Server` that they stand for: both behave the same.

use std::io::{Read, Write};

use rpcgi::xmlrpc::{Compat, Encoding, Value};
use rpcgi::{Access, Docs, Endpoint, Fallback, Logo, Method, Request, Server};
use rpcgi::{Service as _, Signature, Type};

use serde_json::{Value as Json, json};

use super::Folder;

/// What stands in every manifest here.
const METHODS: &str = r#"
[method.say]
run = ["printf", "%s", "grün"]
returns = "string"

[method.nothing]
run = ["true"]

[method.large]
run = ["echo", "9007199254740993"]
returns = "i8"
"#;

/// Creates a server with the same methods.
fn server() -> Server {
    Server::new("Keys").method("say", || "grün").method("nothing", || ()).method("large", || 9_007_199_254_740_993_i64)
}

/// A key, and the server that is built alike.
struct Row {
    /// Before the methods.
    top: &'static str,
    /// After the methods.
    tables: &'static str,
    server: fn() -> Server,
    /// What is asked: path, method of HTTP, body.
    asked: &'static [(&'static str, &'static str, &'static str)],
    /// What the answers have in common, so that it is seen that the key does something.
    seen: &'static str,
}

const SAY: &str = "<methodCall><methodName>say</methodName></methodCall>";
const NOTHING: &str = "<methodCall><methodName>nothing</methodName></methodCall>";
const GREET: &str = "<methodCall><methodName>greet</methodName></methodCall>";
const LARGE: &str = r#"{"jsonrpc": "2.0", "method": "large", "id": 1}"#;
const NAMES: &str = "<methodCall><methodName>system.listMethods</methodName></methodCall>";
const DISCOVER: &str = r#"{"jsonrpc": "2.0", "method": "rpc.discover", "id": 1}"#;
const SIGNATURES: &str = "<methodCall><methodName>system.methodSignature</methodName>\
                          <params><param><value>greet</value></param></params></methodCall>";

struct AnyName;

impl Fallback for AnyName {
    fn method(&self, name: &str) -> Option<Method> {
        let name = name.to_owned();
        Some(Method::new(name.clone(), move || name.clone()))
    }

    fn names(&self) -> Vec<String> {
        vec!["greet".into()]
    }
}

fn rows() -> Vec<Row> {
    vec![
        Row {
            top: "nil = false",
            tables: "",
            server: || server().nil(false),
            asked: &[("/", "POST", NOTHING)],
            seen: "nil is switched off",
        },
        Row {
            top: "encoding = \"us-ascii\"",
            tables: "",
            server: || server().encoding(Encoding::US_ASCII),
            asked: &[("/", "POST", SAY)],
            seen: "gr&#252;n",
        },
        Row {
            top: "large_integers_as_text = true",
            tables: "",
            server: || server().large_integers_as_text(true),
            asked: &[("/", "POST", LARGE)],
            seen: "\"9007199254740993\"",
        },
        Row {
            top: "compat = \"twisted\"",
            tables: "",
            server: || server().compat(Compat::Twisted),
            asked: &[("/", "POST", GREET), ("/", "POST", NOTHING)],
            seen: "800",
        },
        Row {
            top: "without = [\"system.multicall\", \"system.describeMethods\"]",
            tables: "",
            server: || server().without("system.multicall").without("system.describeMethods"),
            asked: &[("/", "POST", NAMES)],
            seen: "system.getCapabilities",
        },
        Row {
            top: "introspection = false",
            tables: "",
            server: || {
                let names = ["rpc.discover", "system.describeMethods", "system.listMethods", "system.methodExist"];
                let server = names.into_iter().fold(server(), Server::without);
                server.without("system.methodHelp").without("system.methodSignature")
            },
            asked: &[("/", "POST", NAMES), ("/", "POST", DISCOVER), ("/", "POST", SIGNATURES)],
            seen: "-32601",
        },
        Row {
            top: "docs = \"off\"",
            tables: "",
            server: || server().docs(Docs::new().access(Access::Off)).without("rpc.discover"),
            asked: &[("/", "POST", DISCOVER), ("/", "POST", NAMES)],
            seen: "",
        },
        Row {
            top: "[docs]\nlogo = \"letter\"\naccent = \"#1a5fb4\"\nfooter = \"*Ours.*\"",
            tables: "",
            server: || {
                let docs = Docs::new().logo(Logo::letter()).accent("#1a5fb4".parse().unwrap()).footer("*Ours.*");
                server().docs(docs)
            },
            asked: &[("/", "GET", "")],
            seen: "<footer><p><em>Ours.</em></p>",
        },
        Row {
            top: "docs = \"off\"\nintrospection = true",
            tables: "",
            server: || server().docs(Docs::new().access(Access::Off)),
            asked: &[("/", "POST", NAMES)],
            seen: "rpc.discover",
        },
        Row {
            top: "title = \"A title\"\nname = \"A name\"\nversion = \"3.2.1\"\ndocumentation = \"More of *it*.\"",
            tables: "",
            server: || {
                let whole = Server::new("A name").title("A title").version("3.2.1").documentation("More of *it*.");
                whole.method("say", || "grün").method("nothing", || ()).method("large", || 9_007_199_254_740_993_i64)
            },
            asked: &[("/", "GET", "")],
            seen: "<title>A title</title>",
        },
        Row {
            top: "paths = [\"/RPC2\"]",
            tables: "",
            server: || server().paths(["/RPC2"]),
            asked: &[("/", "POST", SAY), ("/RPC2", "POST", SAY)],
            seen: "",
        },
        Row {
            top: "",
            tables: "[method.hello]\nrun = [\"printf\", \"hi\"]\nreturns = \"string\"\naliases = [\"greet\", \"system.greet\"]",
            server: || server().methods(Method::new("hello", || "hi").alias("greet").alias("system.greet")),
            asked: &[("/", "POST", GREET), ("/", "POST", NAMES)],
            seen: "",
        },
        Row {
            top: "",
            tables: "[method.twice]\nrun = [\"echo\", \"4\"]\nparams = [\"a: int\"]\nreturns = \"int\"\n\
                     examples = [{ params = { a = 2 }, result = 4 }, { params = [5] }]",
            server: || {
                let twice = Method::new("twice", |a: i32| a.wrapping_mul(2)).params(["a"]);
                server().methods(twice.example_with_result([2.into()], 4).example([5.into()]))
            },
            asked: &[("/", "POST", DISCOVER)],
            seen: "\"examples\":[",
        },
        Row {
            top: "",
            tables: "[method.greet]\nrun = [\"printf\", \"hi\"]\nsignatures = [[\"string\", \"string\"], [\"string\", \"int\"]]",
            server: || {
                let greet =
                    Method::dynamic("greet", |_: &Request, _: Vec<Value>| Ok::<_, rpcgi::Fault>(Value::from("hi")));
                let greet = greet.signature(Signature::new(Type::String, [Type::String]));
                server().methods(greet.signature(Signature::new(Type::String, [Type::Int])))
            },
            asked: &[("/", "POST", SIGNATURES)],
            seen: "<value><string>int</string></value>",
        },
        Row {
            top: "",
            tables: "[worker.any]\nrun = [\"python3\", \"-uc\", \"import json, sys\\nfor line in sys.stdin:\\n    call = \
                     json.loads(line)\\n    print(json.dumps({'jsonrpc': '2.0', 'id': call['id'], 'result': \
                     call['method']}))\"]\n[fallback]\nworker = \"any\"\nlist = [\"greet\"]",
            server: || server().fallback(AnyName),
            asked: &[("/", "POST", GREET), ("/", "POST", NAMES)],
            seen: "greet",
        },
        Row {
            top: "",
            tables: "[at.\"/more\"]\ntitle = \"More\"\nmodule = \"more.py\"\ncache = \"off\"\nmethod = {}",
            server: || {
                let more = Server::new("More").method("greet", || "hi");
                server().at("/more", more)
            },
            asked: &[("/", "POST", SAY), ("/", "POST", GREET), ("/more", "POST", GREET), ("/more", "POST", SAY)],
            seen: "",
        },
        Row {
            top: "",
            tables: "[method.hello]\nrun = [\"printf\", \"hi\"]\nreturns = \"string\"\nhidden = true",
            server: || server().methods(Method::new("hello", || "hi").hidden()),
            asked: &[("/", "POST", NAMES)],
            seen: "say",
        },
    ]
}

/// Returns what an endpoint answers.
fn built(endpoint: &Endpoint, (path, method, body): (&str, &str, &str)) -> String {
    let request = http::Request::builder().method(method).uri(path).header("Host", "h.example");
    let request = if body.starts_with('{') { request.header("Content-Type", "application/json") } else { request };
    let response = endpoint.handle(&request.body(body.as_bytes().to_vec()).expect("it is one").into());
    format!("{} {}", response.status.as_u16(), String::from_utf8_lossy(&response.body))
}

/// Returns what the manifest answers, as a web server starts it.
fn manifested(folder: &Folder, (path, method, body): (&str, &str, &str)) -> String {
    let kind = if body.starts_with('{') { "application/json" } else { "text/xml" };
    let cgi = folder.post(body).env("REQUEST_METHOD", method).env("CONTENT_TYPE", kind).env("HTTP_HOST", "h.example");
    let cgi = cgi.env("SCRIPT_NAME", "").env("PATH_INFO", path).env("REQUEST_URI", path);
    let answer = cgi.env("PATH", "/usr/bin:/bin").answer();
    let status = answer.head.lines().find_map(|line| line.strip_prefix("Status: ")).unwrap_or("200");
    format!("{} {}", &status[..3], answer.body)
}

#[test]
fn keys_do_what_the_builder_does() {
    for Row { top, tables, server, asked, seen } in rows() {
        let title = if top.contains("title") { "" } else { "title = \"Keys\"\n" };
        let folder = Folder::untitled(&format!("{title}{top}\n{METHODS}\n{tables}\n"));
        folder.write("more.py", "def greet() -> str:\n    return \"hi\"\n", 0o644);
        let endpoint = server().build().expect("it can be built");
        let mut answers = String::new();
        for question in asked {
            let (manifested, built) = (manifested(&folder, *question), built(&endpoint, *question));
            assert_eq!(plain(&manifested), plain(&built), "{top}{tables}: {question:?}");
            answers += &manifested;
        }
        assert!(answers.contains(seen), "{top}{tables}: no {seen} in {answers}");
    }
}

/// Leaves out of a page what is about the gateway or the signatures, which Rust tells in more detail.
fn plain(answer: &str) -> String {
    match answer.contains("<!DOCTYPE html>") || answer.contains("<!doctype html>") {
        true => {
            let head = answer.split("</head>").next().unwrap_or_default();
            let title = head.split("<title>").nth(1).unwrap_or_default();
            let heading = answer.split("<h1").nth(1).and_then(|rest| rest.split("<h2").next()).unwrap_or_default();
            format!("{title}{}", heading.split("<form").next().unwrap_or_default())
        }
        false => answer.to_owned(),
    }
}

#[test]
fn a_module_answers_names_of_any_kind() {
    for (name, source) in [
        (
            "any.py",
            "def dispatch(name, params):\n    if name == 'no':\n        raise Missing(name)\n    return [name, params]\n\
             def list_methods():\n    return ['one', 'two.three']\nclass Missing(Exception):\n    code = -32601\n",
        ),
        (
            "any.php",
            "<?php\nfunction dispatch($name, $params) { if ($name == 'no') throw new Exception('missing', -32601); \
             return [$name, $params]; }\nfunction list_methods() { return ['one', 'two.three']; }\n",
        ),
        (
            "any.rb",
            "class Missing < StandardError\n  def code = -32601\nend\ndef dispatch(name, params)\n  raise Missing if name == \
             'no'\n  [name, params]\nend\ndef list_methods = ['one', 'two.three']\n",
        ),
        (
            "any.js",
            "class Missing extends Error { code = -32601 }\nexports.dispatch = (name, params) => { if (name === 'no') throw \
             new Missing(); return [name, params] }\nexports.list_methods = () => ['one', 'two.three']\n",
        ),
    ] {
        let folder = Folder::new(&format!(
            "without = [\"hidden.*\"]\n[fallback]\nmodule = \"{name}\"\ncache = \"off\"\n[method.own]\nrun = [\"printf\", \"own\"]\n\
             returns = \"string\"\n"
        ));
        folder.write(name, source, 0o644);
        let service = folder.serve();
        let call = |method: &str, params| service.call(method, params);
        assert_eq!(call("two.three", json!([1, "a"])), Ok(json!(["two.three", [1, "a"]])), "{name}");
        assert_eq!(call("one", json!({ "b": 2 })), Ok(json!(["one", { "b": 2 }])), "{name}");
        assert_eq!(call("own", json!([])), Ok(json!("own")), "{name}");
        assert_eq!(call("no", json!([])).unwrap_err().0, -32601, "{name}");
        assert_eq!(call("hidden.x", json!([])).unwrap_err().0, -32601, "{name}");
        assert_eq!(call("system.unknown", json!([])).unwrap_err().0, -32601, "{name}");
        let names = call("system.listMethods", json!([])).unwrap();
        let names: Vec<&str> = names.as_array().unwrap().iter().filter_map(Json::as_str).collect();
        assert!(names.starts_with(&["one", "own", "rpc.discover"]) && names.contains(&"two.three"), "{names:?}");
    }
}

#[test]
fn endpoints_have_what_they_do_not_say() {
    let folder = Folder::new(
        "module = \"counter.py\"\ncache = \"off\"\n[method.top]\nrun = [\"printf\", \"top\"]\nreturns = \"string\"\n\
         [at.\"/same\"]\ntitle = \"Same\"\n[at.\"/less\"]\nwithout = [\"top\", \"system.*\"]\n\
         [at.\"/other\"]\nmodule = \"other.py\"\nmethod = {}\n[at.\"/deep/er\"]\nmodule = \"counter.py\"\nonly = [\"count\"]\n",
    );
    folder.write("counter.py", "total = 0\ndef count():\n    global total\n    total += 1\n    return total\n", 0o644);
    folder.write("other.py", "def other():\n    return 'other'\n", 0o644);
    let service = folder.serve();
    let at = |path: &str, method: &str| {
        let body = super::request(method, json!([]));
        let address = &service.served.address;
        let mut stream = std::net::TcpStream::connect(address).unwrap();
        let head = format!(
            "POST {path} HTTP/1.0\r\nHost: {address}\r\nContent-Type: application/json\r\nContent-Length: {}",
            body.len()
        );
        stream.write_all(format!("{head}\r\n\r\n{body}").as_bytes()).unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).unwrap();
        super::outcome(answer.split_once("\r\n\r\n").unwrap().1)
    };
    // one process serves both, and another the one that says more about it
    assert_eq!(at("/", "count"), Ok(json!(1)));
    assert_eq!(at("/same", "count"), Ok(json!(2)));
    assert_eq!(at("/less", "count"), Ok(json!(3)));
    assert_eq!(at("/deep/er", "count"), Ok(json!(1)));
    assert_eq!(at("/same", "top"), Ok(json!("top")));
    for (path, method) in [("/less", "top"), ("/less", "system.listMethods"), ("/other", "count"), ("/other", "top")] {
        assert_eq!(at(path, method).unwrap_err().0, -32601, "{path} {method}");
    }
    assert_eq!(at("/other", "other"), Ok(json!("other")));
    assert_eq!(at("/", "other").unwrap_err().0, -32601);
}

#[test]
fn what_is_wrong_with_them_is_said() {
    for (manifest, expected) in [
        ("[fallback]\n", "the fallback is either a `worker` or a `module`"),
        ("[fallback]\nworker = \"a\"\nmodule = \"b.py\"\n", "the fallback is either a `worker` or a `module`"),
        ("[fallback]\nworker = \"a\"\n", "there is no worker `a`"),
        ("[fallback]\nmodule = \"b.py\"\n", "the module has no function `dispatch`"),
        ("[at.\"more\"]\ntitle = \"More\"\n", "expected a path that begins with \"/\", found \"more\""),
        ("[at.\"/more\"]\nlog = \"x.log\"\n", "`log` is for the whole service, not for /more alone"),
        ("[at.\"/more\".at.\"/less\"]\ntitle = \"x\"\n", "`at` is for the whole service, not for /more alone"),
        ("[method.a]\nrun = [\"true\"]\nsignatures = [[]]\n", "a signature begins with the type of the result"),
        (
            "[method.a]\nrun = [\"true\"]\nreturns = \"int\"\nsignatures = [[\"int\"]]\n",
            "a method has either `returns` or `signatures`",
        ),
        ("[method.a]\nrun = [\"true\"]\naliases = [\"a\"]\n", "there is a method `a` already"),
        ("[method.a]\nrun = [\"true\"]\naliases = [\"b c\"]\n", "expected a name of letters, digits"),
        (
            "[method.a]\nrun = [\"true\"]\n[method.b]\nrun = [\"true\"]\naliases = [\"a\"]\n",
            "there is a method `a` already",
        ),
        ("[method.a]\nrun = [\"true\"]\nparams = [\"a: strng\"]\n", "did you mean `string`?"),
        ("[method.a]\nrun = [\"true\"]\nparams = [\"a: int\", \"a: int\"]\n", "there is a param `a` already"),
        ("compat = \"pyhton\"\n[method.a]\nrun = [\"true\"]\n", "did you mean `python`?"),
        ("encoding = \"utf-16\"\n[method.a]\nrun = [\"true\"]\n", "documents are not written in"),
    ] {
        let folder = Folder::new(manifest);
        folder.write("b.py", "def other():\n    pass\n", 0o644);
        let output = super::run(&["check", folder.manifest().to_str().unwrap()]);
        let said = super::text(&output.stdout);
        assert!(said.contains(expected) && !output.status.success(), "no {expected} for\n{manifest}\n{said}");
    }
}
