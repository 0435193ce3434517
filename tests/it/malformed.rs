//! Bad input, and the exact answer to it.

use rpcgi::xmlrpc::{self, Value};
use rpcgi::{Endpoint, Fault, Limits, Method, Server, method, methods};

use crate::harness::{answer, document};

/// Adds two numbers.
#[method]
fn add(a: i32, b: i32) -> Result<i32, Fault> {
    a.checked_add(b).ok_or(Fault::new(3, "the sum is beyond 32 bits"))
}

/// Repeats a text.
#[method]
fn repeat(text: String, times: Option<u8>) -> String {
    text.repeat(times.unwrap_or(1).into())
}

fn endpoint() -> Endpoint {
    let server = Server::new("Test").methods(methods![add, repeat]).method("echo", |value: Value| value);
    server.methods(Method::overload("sum", methods![add])).build().unwrap()
}

#[track_caller]
fn assert_fault(document: impl AsRef<[u8]>, code: i32, message: &str) {
    let document = document.as_ref();
    let shown = String::from_utf8_lossy(&document[..document.len().min(300)]);
    assert_eq!(answer(&endpoint(), document), Err(Fault::new(code, message)), "{shown}");
}

/// Documents that quick-xml accepts and XML 1.0 does not. Version `1.1` and unbound prefixes stay allowed.
#[test]
fn not_well_formed_by_xml_1_0() {
    let call = |inside: &str| format!("<methodCall{inside}<methodName>echo</methodName><params/></methodCall>");
    for (inside, message) in [
        ("><!-- a -- b -->", "expected no -- in a comment, found one at line 1 column 20"),
        ("><!-- a --->", "expected a comment to end in -->, found ---> at line 1 column 20"),
        ("><!-->", "markup that is not closed at line 1 column 13"),
        (" a=1>", "expected the value of attribute \"a\" in quotes, found \"1\" at line 1 column 15"),
        (" a>", "expected = and a value behind attribute \"a\", found the end at line 1 column 14"),
        (" a='1' a='1'>", "expected attribute \"a\" once, found it again at line 1 column 19"),
        (" a='<'>", "expected &lt; in the value of an attribute, found < at line 1 column 16"),
        (" a='&'>", "found & that begins no reference at line 1 column 16"),
        (" a='&nbsp;'>", "undefined entity \"nbsp\" at line 1 column 16"),
        (" a='&#0;'>", "invalid character reference at line 1 column 16"),
        (" a='1'b='2'>", "expected white space before an attribute, found \"b\" at line 1 column 18"),
        ("><? a?>", "expected the target of a processing instruction, found white space at line 1 column 15"),
        ("><?1a?>", "expected the target of a processing instruction, found \"1\" at line 1 column 15"),
        ("><?XmL?>", "expected another target than \"xml\" in an instruction, found \"XmL\" at line 1 column 15"),
        ("><1/>", "expected the name of an element, found \"1\" at line 1 column 14"),
    ] {
        assert_fault(call(inside), -32700, message);
    }
    for (inside, message) in [
        (" a='&#1;'>", "character U+0001, which XML does not allow at line 1 column 16"),
        (" a='\u{1}'>", "character U+0001, which XML does not allow at line 1 column 16"),
        ("><!-- \u{FFFE} -->", "character U+FFFE, which XML does not allow at line 1 column 18"),
        ("><?a \u{8}?>", "character U+0008, which XML does not allow at line 1 column 17"),
    ] {
        assert_fault(call(inside), -32702, message);
    }
    let echo = call(">");
    for (declaration, message) in [
        ("<?xml?>", "expected version=\"1.0\" in the XML declaration, found the end at line 1 column 6"),
        ("<?xml version='2.0'?>", "expected version 1.0, found \"2.0\" at line 1 column 16"),
        (
            "<?xml encoding='utf-8' version='1.0'?>",
            "expected version in the XML declaration, found \"encoding\" at line 1 column 7",
        ),
        (
            "<?xml version='1.0' standalone='maybe'?>",
            "expected standalone yes or no, found \"maybe\" at line 1 column 33",
        ),
        ("<![CDATA[ ]]>", "found a CDATA section outside of the root element at line 1 column 1"),
        ("&#32;", "found a reference outside of the root element at line 1 column 1"),
    ] {
        assert_fault(format!("{declaration}{echo}"), -32700, message);
    }
    assert_fault(format!("{echo}&#32;"), -32700, "found a reference outside of the root element at line 1 column 64");
    let text =
        "<methodCall><methodName>echo</methodName><params><param><value>a]]>b</value></param></params></methodCall>";
    assert_fault(text, -32700, "expected ]]&gt; in text, found ]]> at line 1 column 65");
    for good in
        ["<?xml version='1.1' standalone='yes'?><!-- a-b --><?xmlx?>", "<?xml version=\"1.0\" encoding='UTF-8' ?>\n"]
    {
        let text = "<methodCall x:a = '&lt;>' b=\"'\"><methodName>echo</methodName><params><param><value>]]&gt;<![CDATA[>]]></value>\
            </param></params></methodCall>";
        assert_eq!(answer(&endpoint(), format!("{good}{text}").as_bytes()), Ok("]]>>".into()), "{good}");
    }
}

#[test]
fn not_well_formed() {
    for (document, message) in [
        ("", "expected <methodCall>, found the end of the document at line 1 column 1"),
        ("  \n ", "expected <methodCall>, found the end of the document at line 2 column 2"),
        ("<methodCall>", "expected <methodName>, found the end of the document at line 1 column 13"),
        ("<methodCall", "markup that is not closed at line 1 column 1"),
        ("<methodCall><methodName>add</methodNam>", "expected </methodName>, found </methodNam> at line 1 column 28"),
        ("<methodCall><methodName>a&b</methodName>", "found & that begins no reference at line 1 column 26"),
        ("<methodCall><methodName>&nbsp;</methodName>", "undefined entity \"nbsp\" at line 1 column 25"),
        ("</methodCall>", "found </methodCall> without its start tag at line 1 column 1"),
        ("<methodCall><!-- </methodCall>", "markup that is not closed at line 1 column 13"),
        (
            "<methodCall><methodName>echo</methodName></methodCall>\n.",
            "expected the end of the document, found more at line 2 column 1",
        ),
        (
            "<methodCall><methodName>echo</methodName></methodCall><a/>",
            "expected the end of the document, found more at line 1 column 55",
        ),
        (
            "<methodCall><methodName>echo</methodName><params/></methodCall><methodCall/>",
            "expected the end of the document, found more at line 1 column 64",
        ),
    ] {
        assert_fault(document, -32700, message);
    }
}

#[test]
fn not_a_call() {
    for (document, message) in [
        ("hello", "expected <methodCall>, found text at line 1 column 1"),
        ("<methodResponse/>", "expected <methodCall>, found <methodResponse> at line 1 column 1"),
        ("<html><body/></html>", "expected <methodCall>, found <html> at line 1 column 1"),
        ("<methodCall/>", "expected <methodName>, found </methodCall> at line 1 column 14"),
        ("<methodCall><params/></methodCall>", "expected <methodName>, found </methodCall> at line 1 column 22"),
        ("<methodCall><methodName/></methodCall>", "expected a name in <methodName>, found none at line 1 column 26"),
        (
            "<methodCall><methodName> </methodName></methodCall>",
            "expected a name in <methodName>, found none at line 1 column 26",
        ),
        (
            "<methodCall><methodName>a</methodName><methodName>b</methodName></methodCall>",
            "expected <params> or </methodCall>, found <methodName> at line 1 column 39",
        ),
        (
            "<methodCall><methodName>add</methodName><params/><params/></methodCall>",
            "expected </methodCall>, found <params> at line 1 column 50",
        ),
        (
            "<methodCall><methodName>echo</methodName><params><value>1</value></params></methodCall>",
            "expected <param> or </params>, found <value> at line 1 column 50",
        ),
        (
            "<methodCall><methodName>echo</methodName><params><param/></params></methodCall>",
            "expected <value>, found </param> at line 1 column 58",
        ),
        (
            "<methodCall><methodName>echo</methodName><params><param><value/><value/></param></params></methodCall>",
            "expected </param>, found <value> at line 1 column 65",
        ),
        (
            "<methodCall><methodName>echo</methodName><params><param><value><colour>red</colour></value></param></params></methodCall>",
            "expected the element of a type, found <colour> at line 1 column 64",
        ),
        (
            "<methodCall><methodName>echo</methodName><params><param><value>1<int>2</int></value></param></params></methodCall>",
            "expected </value>, found <int> at line 1 column 65",
        ),
        (
            "<methodCall><methodName>echo</methodName><params><param><value><int>2</int>3</value></param></params></methodCall>",
            "expected </value>, found text at line 1 column 76",
        ),
        (
            "<methodCall><methodName>echo</methodName><params><param><value><int>2</int><int>2</int></value></param></params></methodCall>",
            "expected </value>, found <int> at line 1 column 76",
        ),
    ] {
        assert_fault(document, -32600, message);
    }
}

#[test]
fn doctype_is_refused_before_anything_is_expanded() {
    let message = "DOCTYPE is not allowed at line 2 column 1";
    let call = "<methodCall><methodName>&a9;</methodName></methodCall>";
    let bomb: String = (1..10).map(|n| format!("<!ENTITY a{n} \"{}\">", format!("&a{};", n - 1).repeat(10))).collect();
    for doctype in [
        "<!DOCTYPE methodCall>".to_owned(),
        "<!DOCTYPE methodCall SYSTEM \"http://127.0.0.1:1/x.dtd\">".to_owned(),
        "<!DOCTYPE x [<!ENTITY a9 SYSTEM \"file:///etc/passwd\">]>".to_owned(),
        format!("<!DOCTYPE x [<!ENTITY a0 \"ha\">{bomb}]>"),
    ] {
        assert_fault(format!("<?xml version=\"1.0\"?>\n{doctype}{call}"), -32700, message);
    }
}

#[test]
fn encodings() {
    assert_fault(
        "<?xml version=\"1.0\" encoding=\"klingon\"?><methodCall/>",
        -32701,
        "unsupported encoding \"klingon\" at line 1 column 1",
    );
    let mut call = document("echo", &["<string>caf\u{e9}</string>"]).into_bytes();
    let at = call.iter().position(|octet| *octet == 0xC3).unwrap();
    call.remove(at);
    assert_fault(&call, -32702, "octets that are not utf-8 at line 1 column 75");
    let message = "character U+0008, which XML does not allow at line 1 column 74";
    assert_fault(document("echo", &["<string>ab\u{8}</string>"]), -32702, message);
}

fn nested(depth: usize) -> String {
    let value =
        format!("{}<int>1</int>{}", "<array><data><value>".repeat(depth), "</value></data></array>".repeat(depth));
    document("echo", &[&value])
}

#[test]
fn nesting() {
    assert!(answer(&endpoint(), nested(64).as_bytes()).is_ok());
    let message = "arrays and structs nested deeper than 64 at line 1 column 1344";
    assert_fault(nested(65), -32600, message);
    assert_fault(nested(100_000), -32600, message);
    let open = "<array><data><value>".repeat(100_000);
    assert_fault(format!("<methodCall><methodName>echo</methodName><params><param><value>{open}"), -32600, message);
    let structs = "<struct><member><name>a</name><value>".repeat(65);
    let message = "arrays and structs nested deeper than 64 at line 1 column 2432";
    assert_fault(document("echo", &[&structs]), -32600, message);
}

#[test]
fn more_members_than_allowed() {
    let items = "<value/>".repeat(1_000_000);
    let column = "<methodCall><methodName>echo</methodName><params><param><value><array><data>".len() + 500_000 * 8 + 1;
    let message = format!("more than 500000 array items and struct members at line 1 column {column}");
    assert_fault(document("echo", &[&format!("<array><data>{items}</data></array>")]), -32600, &message);
    let mut limits = Limits::default();
    limits.members = 3;
    let endpoint = Server::new("Test").limits(limits).method("echo", |value: Value| value).build().unwrap();
    let member = "<member><name>a</name><value/></member>";
    let call = document("echo", &[&format!("<struct>{}</struct>", member.repeat(3))]);
    assert!(answer(&endpoint, call.as_bytes()).is_ok());
    let call = document("echo", &[&format!("<struct>{}</struct>", member.repeat(4))]);
    let message = "more than 3 array items and struct members at line 1 column 189";
    assert_eq!(answer(&endpoint, call.as_bytes()), Err(Fault::new(-32600, message)));
}

#[test]
fn longer_than_allowed() {
    let mut limits = Limits::default();
    limits.body = 100;
    let endpoint = Server::new("Test").limits(limits).method("echo", |value: Value| value).build().unwrap();
    let message = "a document of 106 octets, longer than 100";
    assert_eq!(answer(&endpoint, document("echo", &["12345"]).as_bytes()), Err(Fault::new(-32600, message)));
}

#[test]
fn params_that_do_not_fit() {
    for (method, values, message) in [
        ("add", &["<int>1</int>"][..], "method \"add\" takes 2 params (a, b), found 1"),
        ("add", &[], "method \"add\" takes 2 params (a, b), found 0"),
        ("add", &["<int>1</int>", "<int>1</int>", "x", "y"], "method \"add\" takes 2 params (a, b), found 4"),
        ("repeat", &[], "method \"repeat\" takes 1 to 2 params (text, times), found 0"),
        (
            "repeat",
            &["x", "<int>1</int>", "<int>1</int>"],
            "method \"repeat\" takes 1 to 2 params (text, times), found 3",
        ),
        (
            "add",
            &["<int>1</int>", "<string>2</string>"],
            "method \"add\" param 2 \"b\": expected int, found string at line 1 column 98",
        ),
        ("add", &["2", "<int>1</int>"], "method \"add\" param 1 \"a\": expected int, found string at line 1 column 56"),
        (
            "add",
            &["<nil/>", "<int>1</int>"],
            "method \"add\" param 1 \"a\": expected int, found nil at line 1 column 56",
        ),
        (
            "add",
            &["<double>1</double>", "<int>1</int>"],
            "method \"add\" param 1 \"a\": expected int, found double 1 at line 1 column 56",
        ),
        (
            "repeat",
            &["x", "<int>256</int>"],
            "method \"repeat\" param 2 \"times\": expected an integer from 0 to 255, found 256 at line 1 column 90",
        ),
        (
            "add",
            &["<int>2147483648</int>", "<int>1</int>"],
            "method \"add\" param 1 \"a\": expected an integer from -2147483648 to 2147483647, found 2147483648 at line 1 column 56",
        ),
        (
            "add",
            &["<int>5abc</int>", "<int>1</int>"],
            "method \"add\" param 1 \"a\": expected int a whole number, found \"5abc\" at line 1 column 56",
        ),
        (
            "echo",
            &["<double>NaN</double>"],
            "method \"echo\" param 1: expected double a number, found \"NaN\" at line 1 column 57",
        ),
        (
            "echo",
            &["<boolean>2</boolean>"],
            "method \"echo\" param 1: expected boolean 0 or 1, found \"2\" at line 1 column 57",
        ),
        (
            "echo",
            &["<base64>!</base64>"],
            "method \"echo\" param 1: expected base64, found an invalid symbol 33, offset 0 at line 1 column 57",
        ),
        ("sum", &["<int>1</int>", "x"], "method \"sum\" takes params (int, int), found (int, string)"),
        (
            "sum",
            &["<int>1</int>", "<array/>", "<struct/>"],
            "method \"sum\" takes params (int, int), found (int, array, struct)",
        ),
        (
            "sum",
            &["<int>x</int>"],
            "method \"sum\" takes other params: expected int a whole number, found \"x\" at line 1 column 56",
        ),
    ] {
        assert_fault(document(method, values), -32602, message);
    }
}

#[test]
fn unknown_methods() {
    for (name, message) in [
        ("ad", "there is no method \"ad\", did you mean \"add\"?"),
        ("Add", "there is no method \"Add\", did you mean \"add\"?"),
        ("system.listmethods", "there is no method \"system.listmethods\", did you mean \"system.listMethods\"?"),
        ("quite.different", "there is no method \"quite.different\""),
        ("add.", "there is no method \"add.\", did you mean \"add\"?"),
        ("&lt;script&gt;", "there is no method \"<script>\""),
        ("a\nb", "there is no method \"a\\nb\""),
    ] {
        assert_fault(document(name, &["x", "<struct/>"]), -32601, message);
    }
    let long = "x".repeat(100_000);
    assert_fault(document(&long, &[]), -32601, &format!("there is no method \"{}...\"", &long[..100]));
    // broken is worse than unknown
    let broken = document("ad", &["x"]).replace("</params>", "");
    assert_fault(broken, -32700, "expected </params>, found </methodCall> at line 1 column 79");
}

/// Cut off anywhere, a call is never made, and the fault says that the document is broken.
#[test]
fn truncated_at_every_octet() {
    let calls = [
        document("add", &["<int>1</int>", "<i4>2</i4>"]),
        document("repeat", &["a &amp; b<![CDATA[ < ]]>"]),
        document(
            "echo",
            &["<struct><member><name>a</name><value><array><data><value/></data></array></value></member></struct>"],
        ),
        document("nothing", &["<int>1</int>"]),
    ];
    let endpoint = endpoint();
    for call in calls {
        let call = format!("<?xml version=\"1.0\"?>\n{call}");
        for end in 0..call.len() {
            let fault = answer(&endpoint, &call.as_bytes()[..end]).expect_err(&call[..end]);
            assert_eq!(fault.code, -32700, "{fault} for {}", &call[..end]);
        }
    }
}

/// Any octets get a response as their answer.
#[test]
fn mutated_anywhere() {
    let endpoint = endpoint();
    let call =
        document("echo", &["<struct><member><name>a</name><value><i4>1</i4></value></member></struct>"]).into_bytes();
    for at in 0..call.len() {
        for octet in [0, b'<', b'>', b'&', b'/', b'"', 0xFF] {
            let mut call = call.clone();
            call[at] = octet;
            let response = endpoint.handle_document(&call);
            assert!(xmlrpc::response_from_slice::<Value>(&response).is_ok());
        }
    }
}

#[test]
fn a_method_runs_only_if_the_call_is_whole() {
    use std::sync::Arc;
    use std::sync::atomic::{AtomicUsize, Ordering};

    let count = Arc::new(AtomicUsize::new(0));
    let counted = Arc::clone(&count);
    let endpoint = Server::new("Test")
        .method("count", move |_: i32| counted.fetch_add(1, Ordering::Relaxed) as i64)
        .build()
        .unwrap();
    let call = document("count", &["<int>1</int>"]);
    for broken in
        [call.replace("</methodCall>", ""), format!("{call}x"), call.replace("</params>", "<param/></params>")]
    {
        assert!(answer(&endpoint, broken.as_bytes()).is_err());
    }
    assert_eq!(count.load(Ordering::Relaxed), 0);
    assert!(answer(&endpoint, call.as_bytes()).is_ok());
    assert_eq!(count.load(Ordering::Relaxed), 1);
}
