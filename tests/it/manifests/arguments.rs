//! Arguments of callers arrive as they are, wherever the manifest puts them, and none is taken for a command.

use serde_json::{Value as Json, json};

use super::{Folder, Service};

const RECORDERS: &str = r#"
[limits]
body = 4_000_000

[method."word"]
params = [{ name = "a", type = "string", leading_dash = true }]
returns = "base64"
run = ["printf", "%s", "{a}"]

[method."inside"]
params = [{ name = "a", type = "string" }]
returns = "base64"
run = ["printf", "%s", "<{a}|{a}>"]

[method."stdin"]
params = [{ name = "a", type = "string" }]
returns = "base64"
run = ["cat"]
stdin = "{a}"

[method."octets"]
params = [{ name = "a", type = "base64" }]
returns = "base64"
run = ["cat"]
stdin = "{a}"

[method."json"]
params = [{ name = "a", type = "string" }, { name = "b", type = "undefined", optional = true }]
returns = "undefined"
run = ["cat"]
stdin = "json"

[method."variable"]
params = [{ name = "a", type = "string" }]
returns = "base64"
run = ["sh", "-c", 'printf %s "$RPCGI_PARAM_a"']

[method."plain"]
params = [{ name = "a", type = "string" }]
returns = "string"
run = ["echo", "{a}"]

[method."operand"]
tell_errors = true
params = [{ name = "a", type = "string" }]
returns = "string"
run = ["ls", "-d", "--", "{a}"]
"#;

/// Returns five hundred strings of pieces that are special to shells, programs and templates.
fn hostile() -> Vec<String> {
    const PIECES: &[&str] = &[
        "'",
        "\"",
        "\\",
        "`id`",
        "$(id)",
        "${IFS}",
        "$HOME",
        "\n",
        "\r\n",
        "\t",
        " ",
        "  ",
        ";",
        "|",
        "&",
        "&&",
        "||",
        "<",
        ">",
        ">>/tmp/x",
        "*",
        "?",
        "[a]",
        "~",
        "~root",
        "!",
        "!!",
        "#",
        "%",
        "%s",
        "%n",
        "%00",
        "\u{1}",
        "\u{7f}",
        "\u{80}",
        "\u{ad}",
        "\u{2028}",
        "\u{202e}",
        "\u{feff}",
        "\u{fffd}",
        "😀",
        "é",
        "-rf",
        "--help",
        "-",
        "--",
        "=",
        "{a}",
        "{{a}}",
        "{}",
        "{",
        "}",
        "$1",
        "$@",
        "../..",
        "/etc/passwd",
        "file:///",
        "<script>",
        "</value>",
        "&lt;",
        "]]>",
        "\u{1b}[31m",
        "0",
        "-1",
        "1e999",
        "NaN",
        "null",
        "true",
        "a",
        "",
    ];
    let mut state = 7_u64;
    let mut next = |below: usize| {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (state >> 33) as usize % below
    };
    let single = PIECES.iter().map(|piece| (*piece).to_owned());
    let mut strings: Vec<String> = single.collect();
    while strings.len() < 500 {
        let count = 2 + next(6);
        strings.push((0..count).map(|_| PIECES[next(PIECES.len())]).collect());
    }
    strings
}

fn base64(text: &str) -> Json {
    use base64::Engine;
    base64::engine::general_purpose::STANDARD.encode(text).into()
}

fn recorders() -> Service {
    Folder::new(RECORDERS).serve()
}

#[test]
fn hostile_strings_arrive_as_they_are() {
    let service = recorders();
    let strings = hostile();
    assert_eq!(strings.len(), 500);
    for text in &strings {
        assert_eq!(service.call("word", json!([text])), Ok(base64(text)), "{text:?}");
        assert_eq!(service.call("inside", json!([text])), Ok(base64(&format!("<{text}|{text}>"))), "{text:?}");
        assert_eq!(service.call("stdin", json!([text])), Ok(base64(text)), "{text:?}");
    }
    for text in strings.iter().step_by(10) {
        assert_eq!(service.call("variable", json!([text])), Ok(base64(text)), "{text:?}");
        assert_eq!(service.call("json", json!([text, [text]])), Ok(json!({ "a": text, "b": [text] })), "{text:?}");
    }
}

#[test]
fn options_are_refused_where_they_could_be_some() {
    let service = recorders();
    for text in ["-rf", "--help", "-", "--", "-\n"] {
        let (code, message) = service.call("plain", json!([text])).unwrap_err();
        let expected =
            "method \"plain\" param 1 \"a\": expected a string that does not begin with \"-\", found one that does";
        assert_eq!((code, &message[..]), (-32602, expected), "{text:?}");
        // behind `--`, inside of a word, or where the manifest allows it
        let (code, message) = service.call("operand", json!([text])).unwrap_err();
        assert!(code == 2 && message.contains("No such file or directory"), "{message}");
        assert_eq!(service.call("inside", json!([text])), Ok(base64(&format!("<{text}|{text}>"))));
        assert_eq!(service.call("word", json!([text])), Ok(base64(text)));
    }
}

#[test]
fn nul_is_refused_on_a_command_line() {
    let service = recorders();
    let (code, message) = service.call("plain", json!(["a\0b"])).unwrap_err();
    let expected = "method \"plain\" param 1 \"a\": expected a string without NUL, found one";
    assert_eq!((code, &message[..]), (-32602, expected));
    assert_eq!(service.call("stdin", json!(["a\0b"])), Ok(base64("a\0b")));
}

#[test]
fn a_megabyte() {
    let service = recorders();
    let large = "é$(id)\n".repeat(150_000);
    assert_eq!(service.call("stdin", json!([large])), Ok(base64(&large)));
    assert_eq!(service.call("octets", json!([base64(&large)])), Ok(base64(&large)));
    assert_eq!(service.call("json", json!([large])), Ok(json!({ "a": large })));
    let (code, message) = service.call("word", json!([large])).unwrap_err();
    assert_eq!(code, -32602);
    assert!(message.contains("expected a string of at most 131071 octets"), "{message}");
    let most = "x".repeat(131_071);
    assert_eq!(service.call("word", json!([most])), Ok(base64(&most)));
}

#[test]
fn arguments_are_checked_before_anything_is_started() {
    let service = Folder::new(
        r#"
[method."checked"]
returns = "nil"
run = ["touch", "started"]
params = [
    { name = "count", type = "int", minimum = 1, maximum = 10 },
    { name = "word", type = "string", pattern = "^[a-z]+$", max_length = 5, default = "abc" },
    { name = "colour", type = "string", choices = ["red", "black"], optional = true },
    { name = "point", type = "struct", optional = true, members = { x = "double", y = "double", label = { type = "string", optional = true } } },
    { name = "days", type = "array", optional = true, items = { type = "dateTime.iso8601" } },
    { name = "data", type = "base64", optional = true },
]
"#,
    )
    .serve();
    let refused = |params: Json, problem: &str| {
        let (code, message) = service.call("checked", params.clone()).unwrap_err();
        assert_eq!(code, -32602, "{params}");
        assert!(message.contains(problem), "{params}: {message}");
    };
    refused(json!([]), "takes 1 to 6 params (count, word, colour, point, days, data), found 0");
    refused(json!({ "word": "a" }), "takes param \"count\", found none of that name");
    refused(json!({ "count": 1, "wort": "a" }), "takes no param \"wort\"");
    refused(json!([0]), "param 1 \"count\": expected a number of at least 1, found 0");
    refused(json!([11]), "param 1 \"count\": expected a number of at most 10, found 11");
    refused(json!(["1"]), "param 1 \"count\": expected int, found string \"1\"");
    refused(json!([1, "abcdef"]), "param 2 \"word\": expected a string of at most 5 characters, found 6");
    refused(json!([1, "A"]), "param 2 \"word\": expected a string that matches ^[a-z]+$, found \"A\"");
    refused(json!([1, "a", "green"]), "param 3 \"colour\": expected \"red\" or \"black\", found \"green\"");
    refused(json!([1, "a", null, { "x": 1 }]), "param 4 \"point\": expected struct with member \"y\", found none");
    refused(
        json!([1, "a", null, { "x": 1, "y": "2" }]),
        "param 4 \"point\", in point.y: expected double, found string",
    );
    refused(
        json!([1, "a", null, { "x": 1, "y": 2, "z": 3 }]),
        "expected members \"x\" or \"y\" or \"label\", found \"z\"",
    );
    refused(json!([1, "a", null, null, ["now"]]), "param 5 \"days\", in days[0]: ");
    refused(json!({ "count": 1, "data": "*" }), "param 6 \"data\": expected base64");
    assert!(!service.folder.path().join("started").exists());
    let point = json!({ "y": 2.5, "x": 1 });
    assert_eq!(service.call("checked", json!([1, null, "red", point, ["2026-11-24T12:00:00"]])), Ok(Json::Null));
    assert!(service.folder.path().join("started").exists());
}
