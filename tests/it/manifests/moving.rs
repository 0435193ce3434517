//! Moving in: programs that serve XML-RPC by themselves run as they are, and answer as the systems that they come from.

use std::fs;
use std::io::{BufRead, BufReader};
use std::net::TcpListener;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::thread;

use serde_json::{Value as Json, json};

use super::{Folder, Service, run, text};
use crate::harness::{Served, soon};
use crate::web_servers::WebServer;

/// Returns the path of a file in `tests`.
fn file(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests").join(name)
}

/// Makes a folder with a manifest for a script of `tests/modules/scripts`.
fn script(name: &str, manifest: &str) -> Folder {
    let folder = Folder::untitled(&format!("module = \"{name}\"\ncache = \"off\"\n{manifest}"));
    folder.write(name, &fs::read_to_string(file("modules/scripts").join(name)).expect("it is there"), 0o644);
    folder
}

/// Makes a folder with a manifest for a script of this text.
fn written(name: &str, source: &str) -> Folder {
    let folder = Folder::untitled(&format!("module = \"{name}\"\ncache = \"off\"\n"));
    folder.write(name, source, 0o644);
    folder
}

/// Returns what `check` says.
fn checked(folder: &Folder) -> String {
    text(&run(&["check", folder.manifest().to_str().expect("it is text")]).stdout)
}

/// Puts the scripts of all languages into a folder of a web server, each with a manifest.
fn place_scripts(folder: &Path, suffix: &str) {
    for name in ["bikes.py", "bikes.rb", "bikes.pl", "bikes.php"] {
        let source = fs::read_to_string(file("modules/scripts").join(name)).expect("it is there");
        fs::write(folder.join(name), source).expect("it is ours");
        let manifest = folder.join(format!("{}{suffix}", name.replace('.', "_")));
        fs::write(&manifest, format!("#!{}\nmodule = \"{name}\"\n", super::rpcgi())).expect("it is ours");
        fs::set_permissions(manifest, fs::Permissions::from_mode(0o755)).expect("it is ours");
    }
}

/// Checks calls of scripts at a web server.
#[track_caller]
fn assert_scripts(server: &WebServer, folder: &str, suffix: &str) {
    for (script, method, more, expected) in [
        ("bikes_py", "price", &["racer", "2"][..], "50"),
        ("bikes_py", "when", &[DATE], "[\"DateTime\",\"20261124T12:00:00\",\"2026-11-24T12:00:00\"]"),
        ("bikes_rb", "price", &["racer", "2"], "50"),
        ("bikes_pl", "Bikes.price", &["racer", "2"], "50"),
        ("bikes_php", "price", &["racer", "2"], "50"),
        ("bikes_php", "no.such", &[], "fault -32601: there is no method \"no.such\""),
    ] {
        let url = server.url(&format!("{folder}{script}{suffix}"));
        let output = run(&[&["call", &url, method], more].concat());
        let said = format!("{}{}", text(&output.stdout), text(&output.stderr));
        assert_eq!(said.trim(), expected, "{url}: {}", server.log());
    }
}

#[test]
fn scripts_behind_web_servers() {
    thread::scope(|scope| {
        scope.spawn(|| {
            // by CGI, by .htaccess alone, by mod_fcgid
            let configuration = "<Directory \"ROOT\">\nRequire all granted\nAllowOverride All\n</Directory>\n\
                                 ScriptAlias \"/cgi/\" \"ROOT/cgi/\"\nAlias \"/plain/\" \"ROOT/plain/\"\n\
                                 Alias \"/fcgid/\" \"ROOT/fcgid/\"\n<Directory \"ROOT/fcgid\">\nOptions +ExecCGI\n\
                                 AddHandler fcgid-script .cgi\n</Directory>\n";
            let server = WebServer::apache_with(configuration, |root| {
                for name in ["cgi", "plain", "fcgid"] {
                    fs::create_dir(root.join(name)).expect("it is ours");
                    place_scripts(&root.join(name), ".cgi");
                }
                fs::write(root.join("plain/.htaccess"), "Options +ExecCGI\nAddHandler cgi-script .cgi\n")
                    .expect("it is ours");
            });
            for folder in ["/cgi/", "/plain/", "/fcgid/"] {
                assert_scripts(&server, folder, ".cgi");
            }
        });
        scope.spawn(|| {
            let configuration = "server.modules = ( \"mod_cgi\" )\ncgi.assign = ( \".cgi\" => \"\" )\n";
            let server = WebServer::lighttpd_with(configuration, |root| place_scripts(&root.join("www"), ".cgi"));
            assert_scripts(&server, "/", ".cgi");
        });
        scope.spawn(|| {
            let folder = tempfile::tempdir().expect("a folder");
            fs::set_permissions(folder.path(), fs::Permissions::from_mode(0o755)).expect("it is ours");
            place_scripts(folder.path(), ".rpc");
            let mut locations = String::new();
            let mut programs = Vec::new();
            for name in ["bikes_py", "bikes_rb", "bikes_pl", "bikes_php"] {
                let socket = folder.path().join(format!("{name}.sock"));
                let mut program = Command::new(super::rpcgi());
                program.arg("fcgi").arg(folder.path().join(format!("{name}.rpc"))).stdout(Stdio::null());
                program.arg("--listen").arg(format!("unix:{},mode=0666", socket.display()));
                programs.push(Original(program.spawn().expect("it starts")));
                let pass = format!("include fastcgi_params; fastcgi_pass unix:{};", socket.display());
                locations += &format!("location = /{name}.rpc {{ {pass} }}\n");
                assert!(soon(|| socket.exists()), "it does not listen");
            }
            let server = WebServer::nginx_site(&locations, None);
            assert_scripts(&server, "/", ".rpc");
        });
    });
}

/// Calls by XML-RPC, as the old clients do.
fn xml(service: &Service, method: &str, arguments: &[&str]) -> String {
    let url = format!("http://{}/", service.served.address);
    let output = run(&[&["call", &url, method], arguments].concat());
    format!("{}{}", text(&output.stdout), text(&output.stderr)).trim().to_owned()
}

#[test]
fn a_cgi_script_of_python() {
    let folder = script("bikes.py", "");
    let checked = checked(&folder);
    assert!(checked.contains("bikes.py is a script: it was run to see what it serves"), "{checked}");
    for line in [
        "price(kind: any, days?: any) → any",
        "helmets.count() → any",
        "desk.open_at(hour: int) → any",
        "double(number: any) → any",
        "stock.kinds() → any",
        "greet(name: any) → any",
        "pow(base: any, exp: any, mod?: any) → any",
    ] {
        assert!(checked.contains(line), "no {line} in {checked}");
    }
    assert!(!checked.contains("_secret") && !checked.contains("Desk"), "{checked}");
    let page = folder.post("").env("REQUEST_METHOD", "GET").answer().body;
    for part in ["<title>Bikes to rent</title>", "Bike rental", "Bikes by the day.", "Tells what a bike costs."] {
        assert!(page.contains(part), "no {part} in {page}");
    }
    let service = folder.serve();
    let call = |method: &str, params: Json| service.call(method, params);
    assert_eq!(call("price", json!(["racer", 2])), Ok(json!(50)));
    assert_eq!(call("price", json!({ "days": 3, "kind": "tandem" })), Ok(json!(90)));
    assert_eq!(call("price", json!(["unicycle"])), Err((404, "there is no bike unicycle".into())));
    assert_eq!(call("stock.kinds", json!([])), Ok(json!(["racer", "tandem"])));
    assert_eq!(call("double", json!([4])), Ok(json!(8)));
    assert_eq!(call("pow", json!([2, 10])), Ok(json!(1024)));
    assert_eq!(call("helmets.count", json!([])), Ok(json!(7)));
    assert_eq!(call("desk.open_at", json!([10])), Ok(json!(true)));
    assert_eq!(call("greet", json!(["Ann"])), Ok(json!("Welcome, Ann!")));
    for unknown in ["_secret", "desk._open", "no.such", "Desk", "__init__"] {
        let message = format!("there is no method \"{unknown}\"");
        assert_eq!(call(unknown, json!([])), Err((-32601, message)));
    }
    assert_eq!(call("price", json!([])).unwrap_err().0, -32602);
    assert!(call("crash", json!([])).unwrap_err().1.starts_with("the program failed (request "));
    service.expect_log("NoBike: under the stairs");
    assert_eq!(
        xml(&service, "when", &["dateTime.iso8601:20261124T12:00:00"]),
        "[\"DateTime\",\"20261124T12:00:00\",\"2026-11-24T12:00:00\"]"
    );
    assert_eq!(xml(&service, "octets", &["base64:aGVsbG8="]), "[\"Binary\",\"aGVsbG8=\"]");
}

#[test]
fn a_server_of_python_with_an_instance_that_decides() {
    let folder = script("office.py", "");
    let checked = checked(&folder);
    assert!(checked.contains("paths = [\"/RPC2\"]"), "{checked}");
    assert!(checked.contains("tomorrow") && checked.contains("stop() → any"), "{checked}");
    let service = folder.serve();
    assert_eq!(xml(&service, "tomorrow", &["dateTime.iso8601:20261124T12:00:00"]), "\"2026-11-25T12:00:00\"");
    assert_eq!(xml(&service, "reversed", &["base64:aGVsbG8="]), "\"b2xsZWg=\"");
    assert_eq!(xml(&service, "system.methodHelp", &["tomorrow"]), "\"Tells the day after a date.\"");
    // names that it does not list are its own matter, and may come and go
    assert_eq!(service.call("made_up.name", json!([1])), Ok(json!(["made_up.name", [1]])));
    assert!(service.call("later", json!([])).is_err());
    assert_eq!(service.call("add_name", json!(["later"])), Ok(Json::Null));
    assert_eq!(service.call("later", json!([])), Ok(json!("made later")));
    // the next call has a process of its own again
    assert_eq!(service.call("stop", json!([])), Ok(json!(true)));
    assert!(service.call("later", json!([])).is_err());
    assert_eq!(service.call("made_up.name", json!([])), Ok(json!(["made_up.name", []])));
}

/// Checks calls by XML-RPC, each by its words and what `rpcgi call` says.
#[track_caller]
fn assert_calls(name: &str, calls: &[(&[&str], &str)]) {
    let service = script(name, "").serve();
    for (words, expected) in calls {
        assert_eq!(xml(&service, words[0], &words[1..]), *expected, "{name}: {words:?}\n{}", service.log());
    }
}

const DATE: &str = "dateTime.iso8601:20261124T12:00:00";

#[test]
fn a_script_of_ruby() {
    let said = checked(&script("bikes.rb", ""));
    for line in ["price(kind: string, days: int) → int  Tells what a bike costs.", "shop.greet(name: any) → any"] {
        assert!(said.contains(line), "no {line} in {said}");
    }
    assert!(!said.contains("secret"), "{said}");
    assert_calls(
        "bikes.rb",
        &[
            (&["price", "racer", "2"], "50"),
            (&["price", "unicycle", "1"], "fault 404: there is no bike unicycle"),
            (&["price", "racer"], "fault -32602: wrong number of params: 1"),
            (&["kinds"], "[\"racer\",\"tandem\"]"),
            (&["when", DATE], "[\"XMLRPC::DateTime\",2026,\"2026-11-24T12:00:00Z\",\"2026-11-24T12:00:00\"]"),
            (&["octets", "base64:aGVsbG8="], "[\"ASCII-8BIT\",\"aGVsbG8=\"]"),
            (&["bike", "racer"], "{\"___class___\":\"Bike\",\"kind\":\"racer\"}"),
            (&["shop.greet", "Ann"], "\"Welcome, Ann!\""),
            (&["desk.halves", "3"], "[1.5,\"3\"]"),
            (&["shop.secret"], "fault -32601: there is no method \"shop.secret\""),
            (&["shop.instance_eval", "1"], "fault -32601: there is no method \"shop.instance_eval\""),
        ],
    );
}

#[test]
fn scripts_of_perl() {
    let said = checked(&script("bikes.pl", ""));
    for line in ["Bikes.price", "Tells what a bike costs.", "Shop.greet", "Desk.who", "hello"] {
        assert!(said.contains(line), "no {line} in {said}");
    }
    assert!(!said.contains("_secret") && !said.contains("not_served"), "{said}");
    assert_calls(
        "bikes.pl",
        &[
            (&["hello", "Ann"], "\"Hello, Ann, from main!\""),
            (&["Bikes.price", "racer", "2"], "50"),
            (&["Bikes.price", "unicycle"], "fault 404: there is no bike unicycle"),
            (&["Bikes.when", DATE], "[\"2026-11-24T12:00:00\",\"SCALAR\"]"),
            (&["Bikes.code"], "[\"007\",7,2.5,true]"),
            (&["Bikes.octets", "base64:aGVsbG8="], "\"aGVsbG8=\""),
            (&["Desk.who"], "\"Ann\""),
            (&["Shop.other"], "fault -32601: there is no method \"Shop.other\""),
            (&["not_served"], "fault -32601: there is no method \"not_served\""),
        ],
    );
    assert_calls(
        "frontier.pl",
        &[
            (&["add", "2", "3"], "5"),
            (&["sums.square", "1.5"], "2.25"),
            (&["flags", "true", DATE], "[\"Frontier::RPC2::Boolean\",\"Frontier::RPC2::DateTime::ISO8601\"]"),
            (&["back", "base64:aGVsbG8="], "\"aGVsbG8=\""),
            (&["text"], "\"007\""),
            (&["no"], "fault -32601: there is no method \"no\""),
        ],
    );
}

#[test]
fn scripts_of_php() {
    assert_calls(
        "bikes.php",
        &[
            (&["price", "racer", "2"], "50"),
            (&["price", "unicycle"], "fault 404: there is no bike unicycle in the shop"),
            (&["bikes.when", DATE], "[\"datetime\",\"20261124T12:00:00\",true,\"2026-11-24T12:00:00\"]"),
            (&["octets", "base64:aGVsbG8="], "{\"kind\":\"base64\",\"data\":\"b2xsZWg=\"}"),
            (&["desk.who"], "\"Ann\""),
            (&["no"], "fault -32601: there is no method \"no\""),
        ],
    );
    let said = checked(&script("phpvals.php", ""));
    assert!(said.contains("sums.add(first: int, second: int) → int  Adds two numbers."), "{said}");
    assert_calls(
        "phpvals.php",
        &[
            (&["sums.add", "2", "3"], "5"),
            (&["sums.add", "2"], "fault -32602: the params are not those of its signature"),
            (&["sums.half", "3"], "fault 801: 3 is odd"),
            (&["back", DATE], "\"20261124T12:00:00\""),
            (&["octets", "hello"], "\"aGVsbG8=\""),
        ],
    );
}

#[test]
fn what_cannot_be_run_in_other_languages_is_said() {
    for (name, source, expected) in [
        ("a.rb", "require 'xmlrpc/server'\nputs 1\n", "it never called `serve`"),
        ("a.rb", "require 'xmlrpc/server'\nXMLRPC::Server.new(1).set_valid_ip(/./)\n", "let the web server do that"),
        (
            "a.rb",
            "require 'xmlrpc/server'\nclass Guarded < XMLRPC::CGIServer\n  private def dispatch(*all) = super\nend\n\
             Guarded.new.serve\n",
            "the server has a `dispatch` of its own",
        ),
        (
            "a.php",
            "<?php\nclass Guarded extends PhpXmlRpc\\Server\n{\n    function execute($request)\n    {\n    }\n}\n$server = new \
             Guarded([], false);\n$server->functions_parameters_type = 'phpvals';\n$server->service();\n",
            "the server has a `execute` of its own",
        ),
        (
            "a.pl",
            "use XMLRPC::Transport::HTTP;\npackage Guarded;\nour @ISA = ('XMLRPC::Transport::HTTP::CGI');\n\
             sub handle { my $self = shift; $self->SUPER::handle(@_) }\npackage main;\n\
             Guarded->dispatch_to('a')->handle;\nsub a { 1 }\n",
            "handle",
        ),
        ("a.pl", "use XMLRPC::Transport::HTTP;\n", "it never called `handle` or `answer`"),
        (
            "a.pl",
            "use XMLRPC::Transport::HTTP;\nXMLRPC::Transport::HTTP::CGI->dispatch_to('/srv/modules')->handle;\n",
            "name the packages instead",
        ),
        ("a.php", "<?php\n$server = xmlrpc_server_create();\n", "it never called xmlrpc_server_call_method()"),
        (
            "a.php",
            "<?php\nuse PhpXmlRpc\\Server;\nnew Server(['a' => ['function' => 'strlen']]);\n",
            "set functions_parameters_type = 'phpvals'",
        ),
    ] {
        let said = checked(&written(name, source));
        assert!(said.starts_with("error: the module cannot be loaded: "), "{source}\n{said}");
        assert!(said.contains(expected), "no {expected} for\n{source}\n{said}");
    }
}

#[test]
fn by_cgi_a_script_ends_as_it_always_did() {
    let folder = script("bikes.py", "");
    assert_eq!(folder.call_by_cgi("double", json!([21])), Ok(json!(42)));
    assert_eq!(folder.call_by_cgi("greet", json!(["Ann"])), Ok(json!("Welcome, Ann!")));
}

#[test]
fn names_are_taken_away_from_scripts_too() {
    let service = script("office.py", "without = [\"made_up.*\", \"stop\"]\n").serve();
    assert_eq!(service.call("made_up.name", json!([])).unwrap_err().0, -32601);
    assert_eq!(service.call("stop", json!([])).unwrap_err().0, -32601);
    assert_eq!(service.call("add_name", json!(["x"])), Ok(Json::Null));
}

#[test]
fn what_cannot_be_run_is_said() {
    let server = "from xmlrpc.server import *\nserver = SimpleXMLRPCServer(('', 8000))\n";
    for (source, expected) in [
        (
            "from xmlrpc.server import CGIXMLRPCRequestHandler\nimport os\nif os.environ.get('QUERY_STRING'):\n    \
             CGIXMLRPCRequestHandler().handle_request()\nelse:\n    print('Content-Type: text/html\\n\\nHello')\n"
                .to_owned(),
            "the script has ended without serving: it never called handle_request() or serve_forever()",
        ),
        (
            "from xmlrpc.server import CGIXMLRPCRequestHandler\nimport sys\n\
             CGIXMLRPCRequestHandler().handle_request(sys.stdin.read())\n"
                .to_owned(),
            "Call handle_request() without it",
        ),
        (
            "from xmlrpc.server import *\nclass Guarded(SimpleXMLRPCRequestHandler):\n    def do_POST(self):\n        \
             pass\nSimpleXMLRPCServer(('', 1), Guarded).serve_forever()\n"
                .to_owned(),
            "the request handler has a `do_POST` of its own, which rpcgi does not run",
        ),
        (
            "from xmlrpc.server import *\nclass Local(SimpleXMLRPCServer):\n    def verify_request(self, *_):\n        \
             return False\nLocal(('', 1)).serve_forever()\n"
                .to_owned(),
            "the server's class has a `verify_request` of its own",
        ),
        (
            "from xmlrpc.server import SimpleXMLRPCDispatcher\nimport http.server\n\
             http.server.HTTPServer(('127.0.0.1', 0), http.server.BaseHTTPRequestHandler).serve_forever()\n"
                .to_owned(),
            "the script listens at a socket of its own",
        ),
        (format!("{server}print(server.socket.getsockname())\n"), "a script has no socket under rpcgi"),
        (format!("{server}print server\nserver.serve_forever()\n"), "This is Python 2"),
        ("import SimpleXMLRPCServer\n".to_owned(), "This is Python 2"),
        (format!("{server}1 / 0\n"), "ZeroDivisionError: division by zero"),
    ] {
        let folder = written("old.py", &source);
        let checked = checked(&folder);
        assert!(checked.starts_with("error: the module cannot be loaded: "), "{source}\n{checked}");
        assert!(checked.contains(expected), "no {expected} for\n{source}\n{checked}");
        let answer = folder.post("<methodCall/>").answer();
        assert!(answer.head.contains("Status: 500"), "{}", answer.head);
    }
}

#[test]
fn a_script_may_be_taken_as_a_module() {
    let folder = script("bikes.py", "as = \"module\"\nonly = [\"price\"]\n");
    let service = folder.serve();
    assert_eq!(service.call("price", json!(["racer"])), Ok(json!(25)));
    assert_eq!(service.call("double", json!([1])).unwrap_err().0, -32601);
    let folder = script("bikes.py", "object = \"handler\"\n");
    let said = checked(&folder);
    assert!(said.contains("`object` is for modules, and this is a script"), "{said}");
    let folder = written("sums.lua", "return {}\n");
    fs::write(folder.manifest(), fs::read_to_string(folder.manifest()).unwrap() + "as = \"script\"\n").unwrap();
    let said = checked(&folder);
    assert!(said.contains("no scripts of Lua are known"), "{said}");
}

/// A server in Python, until the end of the test.
struct Original(Child);

impl Drop for Original {
    fn drop(&mut self) {
        // it may have ended by itself
        _ = self.0.kill();
        _ = self.0.wait();
    }
}

/// Returns a port that was free a moment ago.
fn free_port() -> u16 {
    TcpListener::bind("127.0.0.1:0").and_then(|listener| listener.local_addr()).expect("there is one").port()
}

/// Returns whether a client has come to its end at a URL, and what it has printed.
fn ask(url: &str) -> (bool, String, String) {
    let output = Command::new("python3").arg(file("clients/compat.py")).arg(url).output().expect("Python is there");
    (output.status.success(), text(&output.stdout), text(&output.stderr))
}

#[test]
fn faults_are_those_of_twisted() {
    let mut original = Command::new("/usr/bin/python3");
    original.arg(file("modules/scripts/twisted_faults.py")).stdout(Stdio::piped()).stderr(Stdio::null());
    let mut original = Original(original.spawn().expect("Python is there"));
    let mut port = String::new();
    BufReader::new(original.0.stdout.take().unwrap()).read_line(&mut port).unwrap();
    assert!(!port.is_empty(), "Debian's python3-twisted is there: `tests/run` installs it");
    // it has no `system.` methods unless they are added
    let own = |text: String| text.lines().filter(|line| !line.starts_with("system.")).collect::<Vec<_>>().join("\n");
    let (_, expected, complaints) = ask(&format!("http://127.0.0.1:{}/", port.trim()));
    assert!(
        expected.contains("8002 error") && expected.contains("8001 no such subHandler no"),
        "{expected}{complaints}"
    );
    let service = script("faults.py", "compat = \"twisted\"\n").serve();
    let (_, found, complaints) = ask(&format!("http://{}/", service.served.address));
    assert_eq!(own(found), own(expected), "{complaints}{}", service.log());
}

#[test]
fn faults_are_those_of_cpython() {
    let port = free_port();
    let mut original = Command::new("python3");
    original.arg(file("modules/scripts/faults.py")).env("FAULTS_PORT", port.to_string()).stdout(Stdio::null());
    let _original = Original(original.spawn().expect("Python is there"));
    let url = format!("http://127.0.0.1:{port}/");
    assert!(soon(|| ask(&url).0), "{}", ask(&url).2);
    let (_, expected, _) = ask(&url);
    let service = script("faults.py", "compat = \"python\"\n").serve();
    let (_, found, complaints) = ask(&format!("http://{}/", service.served.address));
    assert_eq!(found, expected, "{complaints}{}", service.log());
    assert!(found.contains("<class '__main__.Own'>:mine"), "{found}");
}

#[test]
fn faults_of_other_systems() {
    let expected = [
        ("twisted", 8001, "no such subHandler no", 8002, "error"),
        ("odoo", 1, "Exception: Method not found: no.such", 1, "ValueError: no, really: not"),
        ("phpxmlrpc", 1, "Unknown method", 17, "Internal server error"),
    ];
    for (compat, not_found, text_of_it, failure, text_of_that) in expected {
        let service = script("faults.py", &format!("compat = \"{compat}\"\n")).serve();
        assert_eq!(xml(&service, "no.such", &[]), format!("fault {not_found}: {text_of_it}"));
        assert_eq!(xml(&service, "fail", &[]), format!("fault {failure}: {text_of_that}"));
        assert_eq!(xml(&service, "refuse", &[]), "fault 7: seven of them");
        assert!(xml(&service, "nothing", &[]).starts_with("fault "), "{compat}");
        // JSON-RPC has codes of its own
        assert_eq!(service.call("no.such", json!([])).unwrap_err().0, -32601);
    }
    let said = checked(&script("faults.py", "compat = \"odoo\"\n"));
    assert!(said.contains("callers get the class and the text of each exception"), "{said}");
}

#[test]
fn the_printed_client_of_the_wheel() {
    let program = "import sys, xmlrpc.client\nserver = xmlrpc.client.ServerProxy(sys.argv[1])\n\
                   print(len(server.spin()), len(server.wheel.spin()), len(server.wheel.spinList(3)))\n";
    let spins = |address: &str| {
        let output = Command::new("python3").args(["-c", program, &format!("http://{address}/")]).output();
        let output = output.expect("Python is there");
        assert_eq!(text(&output.stdout), "4 4 3\n", "{}", text(&output.stderr));
    };
    let manifest = super::own("wheel");
    spins(&Served::start(super::rpcgi(), &["serve", manifest.to_str().unwrap(), "--listen", "127.0.0.1:0"]).address);
    spins(&Served::start("wheel", &["serve", "--listen", "127.0.0.1:0"]).address);
}
