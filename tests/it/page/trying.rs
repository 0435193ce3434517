//! Methods tried on the page: by people in a browser, and by requests that are refused.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use rpcgi::{Docs, Endpoint, Method, Response, Server, Service, TryIt};

use super::browser::Browser;
use super::header;
use crate::harness::soon;
use crate::web_servers::WebServer;

fn places() -> [Arc<WebServer>; 2] {
    [WebServer::apache(), WebServer::nginx()]
}

const GO: &str = ".trial > .tabs > [open] .go";

/// Returns what is shown of the result, without the button that copies it.
fn result(browser: &Browser) -> String {
    const SHOWN: &str = "document.querySelector('.outcome .tabs > [open] > pre')";
    browser.expect(SHOWN);
    browser.run(&format!("return {SHOWN}.lastChild.data")).as_str().unwrap().to_owned()
}

/// Returns the selector of a field of the form that is open.
fn field(name: &str) -> String {
    format!(".trial > .tabs > [open] [name='{name}']")
}

#[test]
fn in_place() {
    let browser = Browser::start();
    browser.resize(1440, 900);
    for server in places() {
        browser.open(&server.url("/cgi-bin/gallery"));
        browser.expect("document.querySelector('dialog')");
        browser.click("[id='m-gallery.show'] .try");
        fill_in(&browser);
        browser.click(GO);
        browser.expect("document.querySelector('.state')");
        assert_shown(&browser);
        browser.expect_url("/cgi-bin/gallery");
        assert!(browser.accessibility_violations().is_empty(), "{:#?}", browser.accessibility_violations());
        // once more closes it
        browser.click("[id='m-gallery.show'] .try");
        browser.expect("!document.querySelector('.trial')");
    }
    assert_eq!(browser.console(), [""; 0]);
}

#[test]
fn without_scripts() {
    let browser = Browser::start();
    browser.switch_scripts(false);
    for server in places() {
        for width in [320, 768, 1440] {
            browser.resize(width, 900);
            browser.open(&server.url("/cgi-bin/gallery"));
            browser.click("[id='m-gallery.show'] .try");
            browser.expect_url("?try=gallery.show");
            fill_in(&browser);
            browser.click(GO);
            assert_shown(&browser);
            let widths =
                browser.run("return [document.documentElement.scrollWidth, document.documentElement.clientWidth]");
            assert!(widths[0].as_u64() <= widths[1].as_u64(), "{width}: {widths}");
            browser.click("header a");
            browser.expect_url("#m-gallery.show");
        }
    }
}

/// Enters something into a field of every kind.
fn fill_in(browser: &Browser) {
    browser.fill(&field("v0"), "<b>\"ä\" & more");
    assert_eq!(browser.run("return document.querySelector(\".trial [name='v0']\").value"), "<b>\"ä\" & more");
    browser.fill(&field("v1"), "7");
    browser.click(&format!("{} option[value=green]", field("v2")));
    browser.click(&format!("{} option[value=false]", field("v3")));
    browser.fill(&field("v4"), "-1.5");
    // one more person, with one more animal
    browser.click(".trial [name=more][value='7']");
    browser.fill(&field("v7.1.0"), "Eve");
    browser.click(".trial [name=more][value='7.1.1']");
    browser.fill(&field("v7.1.1.1"), "cat");
    browser.click(&field("g7.1.2"));
    browser.fill(&field("v7.1.2"), "42");
    browser.fill(&field("v8"), "[1, null]");
}

/// Returns the documents of the call that was made, which may be folded.
fn documents(browser: &Browser) -> String {
    let texts = browser.run("return document.querySelector('.outcome').textContent");
    texts.as_str().unwrap().to_owned()
}

fn assert_shown(browser: &Browser) {
    let result: serde_json::Value = serde_json::from_str(&result(browser)).expect("JSON");
    let expected = serde_json::json!({
        "text": "<b>\"ä\" & more", "count": 7, "colour": "green", "exact": false, "weight": -1.5,
        "when": "2026-11-24T12:00:00", "data": "aGVsbG8=",
        "people": [
            { "name": "Ann", "pets": ["text"] },
            { "name": "Eve", "pets": ["text", "cat"], "age": 42 },
        ],
        "more": [1, null],
    });
    assert_eq!(result, expected);
    let outcome = browser.text(".outcome");
    assert!(outcome.starts_with("200 OK after ") && outcome.contains(", a result"), "{outcome}");
    let documents = documents(browser);
    assert!(documents.contains("<methodName>gallery.show</methodName>") && documents.contains("<methodResponse>"));
}

#[test]
fn faults_raw_documents_and_what_is_asked_first() {
    let browser = Browser::start();
    browser.resize(1440, 900);
    for (server, scripts) in places().into_iter().zip([true, false]) {
        browser.switch_scripts(scripts);
        let open = |name: &str| {
            // what was open before would be again
            browser.open("about:blank");
            browser.open(&server.url("/cgi-bin/gallery"));
            if scripts {
                browser.expect("document.querySelector('dialog')");
            }
            browser.click(&format!("[id='m-{name}'] .try"));
            browser.find(GO);
        };
        open("gallery.fail");
        browser.click(GO);
        assert_eq!(browser.text(".fault"), "3 it was *meant* to fail");
        assert!(browser.text(".state").contains(", a fault"));
        // a value that does not fit
        open("gallery.show");
        browser.fill(&field("v1"), "11");
        browser.click(GO);
        assert!(browser.text(".fault").starts_with("-32602 "), "{}", browser.text(".fault"));
        browser.fill(&field("v1"), "many");
        browser.click(GO);
        browser.find(".complaint");
        assert_eq!(browser.text(".complaint"), "count: expected int, found \"many\"");
        assert_eq!(browser.run("return document.querySelector(\".trial [name='v1']\").value"), "many");
        // left out
        browser.click(&field("g1"));
        browser.click(GO);
        browser.expect("document.querySelector('.state')");
        assert!(result(&browser).contains("\"count\": 3"));
        // by JSON-RPC
        browser.click(&format!("{}[value=json-rpc]", field("protocol")));
        browser.click(GO);
        let is_json = || documents(&browser).contains("{\n  \"jsonrpc\": \"2.0\"");
        assert!(soon(is_json), "{}", documents(&browser));
        // raw
        open("plain");
        browser.click(".trial > .tabs > details:last-of-type > summary");
        browser.fill(&field("document"), "{\"jsonrpc\": \"2.0\", \"id\": 5, \"method\": \"plain\"}");
        // it could be a call of any method
        browser.click(GO);
        assert_eq!(browser.text(".complaint"), "Please confirm this call.");
        browser.click(&field("confirm"));
        browser.click(GO);
        assert_eq!(result(&browser), "7");
        assert!(documents(&browser).contains("\"id\":5"));
        // unsafe
        open("gallery.remove");
        browser.click(GO);
        assert_eq!(browser.text(".complaint"), "Please confirm this call.");
        browser.click(&field("confirm"));
        browser.click(GO);
        assert_eq!(result(&browser), "\"removed\"");
        // each time anew
        assert_eq!(browser.run("return document.querySelector(\".trial [name='confirm']\").checked"), false);
    }
}

/// Returns a service that counts its calls, which another site would like to make.
fn counting(docs: Docs) -> (Endpoint, Arc<AtomicUsize>) {
    let calls = Arc::new(AtomicUsize::new(0));
    let count = Arc::clone(&calls);
    let method = Method::new("count", move |by: usize| count.fetch_add(by, Ordering::Relaxed) + by).params(["by"]);
    let careful = Method::new("careful", || true).mark_unsafe();
    (Server::new("Counting").methods([method, careful]).docs(docs).build().unwrap(), calls)
}

struct Page {
    cookie: String,
    token: String,
}

fn request(endpoint: &Endpoint, method: &str, query: &str, headers: &[(&str, &str)], body: &str) -> Response {
    let mut request = http::Request::builder().method(method).uri(format!("/RPC2?{query}")).header("host", "h.example");
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    endpoint.handle(&request.body(body.as_bytes().to_vec()).unwrap().into())
}

/// Returns the page with the form, as a browser gets it.
fn form(endpoint: &Endpoint, name: &str) -> Page {
    let response = request(endpoint, "GET", &format!("try={name}"), &[], "");
    assert_eq!(response.status, 200);
    assert_eq!(header(&response, "cache-control"), "no-store");
    let cookie = header(&response, "set-cookie");
    assert!(cookie.contains("; HttpOnly; SameSite=Strict"), "{cookie}");
    let page = String::from_utf8(response.body.into()).unwrap();
    let token = page.split("name=\"token\" value=\"").nth(1).unwrap().split('"').next().unwrap().to_owned();
    Page { cookie: cookie.split(';').next().unwrap().to_owned(), token }
}

const FORM: (&str, &str) = ("content-type", "application/x-www-form-urlencoded");

#[test]
fn only_the_form_of_the_page_is_taken() {
    let (endpoint, calls) = counting(Docs::new().try_it(TryIt::SameOrigin));
    let Page { cookie, token } = form(&endpoint, "count");
    let body = format!("token={token}&way=0&v0=5&protocol=xml");
    let own = [("sec-fetch-site", "same-origin"), ("origin", "http://h.example"), ("cookie", &cookie[..]), FORM];
    let post = |headers: &[(&str, &str)], body: &str| request(&endpoint, "POST", "try=count", headers, body);
    let good = post(&own, &body);
    assert_eq!((good.status.as_u16(), calls.load(Ordering::Relaxed)), (200, 5));
    assert!(String::from_utf8(good.body.into()).unwrap().contains(", a result"));

    let old_token = {
        let (_, hash) = token.split_once('-').unwrap();
        format!("1000000000-{hash}")
    };
    let other = form(&endpoint, "careful").token;
    let with = |headers: &[(&'static str, &'static str)]| [&[("cookie", &cookie[..]), FORM], headers].concat();
    for (status, headers, body) in [
        // a page of another site, in browsers new and old
        (403, with(&[("sec-fetch-site", "cross-site"), ("origin", "https://evil.example")]), body.clone()),
        (403, with(&[("sec-fetch-site", "same-site"), ("origin", "http://h.example")]), body.clone()),
        (403, with(&[("origin", "https://evil.example")]), body.clone()),
        (403, with(&[("origin", "null")]), body.clone()),
        (403, with(&[("referer", "https://evil.example/http://h.example/")]), body.clone()),
        // no word of where it comes from
        (403, with(&[]), body.clone()),
        // an old token, none, another's, another method's
        (403, own.to_vec(), body.replace(&token, &old_token)),
        (403, own.to_vec(), body.replace(&token, "")),
        (403, own.to_vec(), body.replace(&token, &other)),
        (
            403,
            own[..2].iter().copied().chain([FORM, ("cookie", "rpcgi-try=00000000000000000000000000000000")]).collect(),
            body.clone(),
        ),
        (403, own[..2].iter().copied().chain([FORM]).collect(), body.clone()),
        // a form of another kind
        (415, [&own[..3], &[("content-type", "multipart/form-data; boundary=x")]].concat(), body.clone()),
        (415, [&own[..3], &[("content-type", "text/plain")]].concat(), body.clone()),
        // what does not fit
        (400, own.to_vec(), body.replace("v0=5", "v0=x")),
        (400, own.to_vec(), body.replace("way=0", "way=7")),
        (400, own.to_vec(), format!("{body}&n0=100000")),
    ] {
        let response = post(&headers, &body);
        assert_eq!(response.status.as_u16(), status, "{headers:?} {body}");
    }
    assert_eq!(calls.load(Ordering::Relaxed), 5, "nothing was called");

    // by Origin or Referer alone, as browsers that know no Sec-Fetch-Site
    for said in [("origin", "http://h.example"), ("referer", "http://h.example/RPC2?try=count")] {
        assert_eq!(post(&with(&[said]), &body).status, 200, "{said:?}");
    }
    // a form is taken nowhere else
    for query in ["", "try", "a=b"] {
        assert_eq!(
            request(&endpoint, "POST", query, &own, &body).status.as_u16(),
            if query == "try" { 404 } else { 415 }
        );
    }
    assert_eq!(request(&endpoint, "GET", "try=no.such", &[], "").status, 404);
    assert_eq!(request(&endpoint, "POST", "try=no.such", &own, &body).status, 404);
    // an old form is given back as it was, with a new token
    let response = post(&own, &body.replace(&token, &old_token).replace("v0=5", "v0=77"));
    let page = String::from_utf8(response.body.into()).unwrap();
    assert!(page.contains("name=\"v0\" value=\"77\"") && page.contains("open for more than an hour"), "{page}");
    // an unsafe method is asked about
    let body = format!("token={other}&way=0");
    assert_eq!(request(&endpoint, "POST", "try=careful", &own, &body).status, 403, "the token is of another cookie");
}

#[test]
fn on_takes_those_that_say_nothing() {
    let (endpoint, calls) = counting(Docs::new().try_it(TryIt::On));
    let Page { cookie, token } = form(&endpoint, "count");
    let body = format!("token={token}&way=0&v0=5");
    let post = |headers: &[(&str, &str)]| request(&endpoint, "POST", "try=count", headers, &body).status.as_u16();
    assert_eq!(post(&[("cookie", &cookie), FORM]), 200);
    assert_eq!(post(&[FORM]), 403);
    assert_eq!(post(&[("cookie", &cookie), FORM, ("origin", "https://evil.example")]), 403);
    assert_eq!(calls.load(Ordering::Relaxed), 5);
}

/// Off, unless the request comes from the machine itself and was sent to it.
#[test]
fn who_may_try() {
    let asked = |docs: Docs, peer: &str, host: &str, forwarded: bool| {
        let (endpoint, _) = counting(docs);
        let peer: std::net::SocketAddr = peer.parse().unwrap();
        let mut request = http::Request::get("/RPC2").header("host", host).extension(peer);
        if forwarded {
            request = request.header("x-forwarded-for", "192.0.2.7");
        }
        let page = endpoint.handle(&request.body(Vec::new()).unwrap().into()).body;
        String::from_utf8(page.into()).unwrap().contains("class=\"try\"")
    };
    for (peer, host, forwarded, tries) in [
        ("127.0.0.1:5", "localhost:8000", false, true),
        ("[::1]:5", "[::1]:8000", false, true),
        ("[::ffff:127.0.0.1]:5", "127.0.0.1", false, true),
        ("127.0.0.1:5", "h.example", false, false),
        ("127.0.0.1:5", "localhost", true, false),
        ("192.0.2.7:5", "localhost", false, false),
    ] {
        assert_eq!(asked(Docs::new(), peer, host, forwarded), tries, "{peer} {host}");
        assert!(asked(Docs::new().try_it(TryIt::On), peer, host, forwarded));
        assert!(!asked(Docs::new().try_it(TryIt::Off), peer, host, forwarded));
    }
    let (endpoint, _) = counting(Docs::new().try_it(TryIt::Off));
    let response = request(&endpoint, "POST", "try=count", &[FORM, ("sec-fetch-site", "same-origin")], "");
    assert_eq!(response.status, 415);
    let page = request(&endpoint, "GET", "try=count", &[], "");
    assert!(!String::from_utf8(page.body.into()).unwrap().contains("<form method=\"post\""));
}

/// Types whose values are never read.
#[allow(dead_code)]
mod shapes {
    use std::collections::BTreeMap;

    use rpcgi::{Method, Registry};
    use schemars::JsonSchema;
    use serde::Deserialize;

    #[derive(Deserialize, JsonSchema)]
    #[serde(tag = "kind", rename_all = "lowercase")]
    enum Tagged {
        Circle { radius: f64 },
        Rectangle { width: f64, height: f64 },
    }

    #[derive(Deserialize, JsonSchema)]
    #[serde(tag = "kind", content = "data")]
    enum Adjacent {
        One(i32),
        Two { text: String },
    }

    #[derive(Deserialize, JsonSchema)]
    #[serde(rename_all = "lowercase")]
    enum Mixed {
        Cash,
        Card { number: String },
    }

    #[derive(Deserialize, JsonSchema)]
    enum OnlyData {
        One { a: i32 },
        Two(String),
    }

    #[derive(Deserialize, JsonSchema)]
    struct Flat {
        own: i32,
        #[serde(flatten)]
        rest: Tagged,
    }

    #[derive(Deserialize, JsonSchema)]
    struct Ball {
        weight: f64,
    }

    #[derive(Deserialize, JsonSchema)]
    struct Pocket {
        number: u8,
    }

    #[derive(Deserialize, JsonSchema)]
    struct Tree(Vec<Tree>);

    #[derive(Deserialize, JsonSchema)]
    struct Node {
        name: String,
        children: BTreeMap<String, Node>,
        next: Option<Box<Node>>,
    }

    #[derive(Deserialize, JsonSchema)]
    #[serde(untagged)]
    enum Untagged {
        Number(i32),
        Text(String),
    }

    /// Returns a method for each shape that is hard to tell.
    pub fn methods() -> Registry {
        Registry::new()
            .method("tagged", |_: Tagged| true)
            .method("adjacent", |_: Adjacent| true)
            .method("mixed", |_: Mixed, _: Vec<Mixed>| true)
            .method("data", |_: OnlyData| true)
            .method("flat", |_: Flat| true)
            .method("pair", |_: (Ball, Pocket), _: (Vec<i32>, Vec<String>), _: [bool; 3]| true)
            .method("tree", |_: Tree| true)
            .method("node", |_: Node, _: Option<Node>| true)
            .method("untagged", |_: Untagged| true)
            .methods(Method::new("lines", |text: String| text.lines().count() == 2).example(["one\ntwo".into()]))
            .methods(
                Method::new("nil", |a: Option<i32>, b: i32| a.is_none() && b == 3)
                    .example([rpcgi::Value::Nil, 3.into()]),
            )
            .methods(Method::new("any", |value: rpcgi::Value| value == "5".into()).example(["5".into()]))
    }
}

/// Values that the page begins with are accepted, as a sample and in the form, whatever their types.
#[test]
fn examples_are_of_their_types() {
    let endpoint = Server::new("Shapes").methods(shapes::methods()).build().unwrap();
    let page = endpoint.page(Some("http://h.example/".into()));
    for sample in page.split("<summary>curl</summary>").skip(1) {
        let call = sample.split("-d '").nth(1).unwrap().split("'</pre>").next().unwrap();
        if !call.contains("system.") && !call.contains("rpc.") {
            let answer = String::from_utf8(endpoint.handle_document(call.as_bytes())).unwrap();
            assert_eq!(answer, "{\"jsonrpc\":\"2.0\",\"result\":true,\"id\":1}", "{call}");
        }
    }
    let served = super::local::Local::serve(endpoint);
    let browser = Browser::start();
    browser.resize(1440, 900);
    browser.open(&served.url);
    browser.expect("document.querySelector('dialog')");
    for name in
        ["tagged", "adjacent", "mixed", "data", "flat", "pair", "tree", "node", "untagged", "lines", "nil", "any"]
    {
        browser.click(&format!("[id='m-{name}'] .try"));
        browser.click(&format!("[id='m-{name}'] .trial [open] .go"));
        let outcome =
            format!("[id='m-{name}'] .outcome [open] > pre, [id='m-{name}'] .complaint, [id='m-{name}'] .fault");
        let shown = browser.text(&outcome);
        assert_eq!(shown.trim_start_matches("Copy\n"), "true", "{name}");
    }
    // each has its form open still
    assert_eq!(browser.run("return document.querySelectorAll('.trial > .tabs > [open]').length"), 12);
    assert!(!page.contains("array of Ball") && page.contains("array of (Ball, Pocket)"), "{page}");
}

/// Types that all refer to one another do not fill the machine.
#[test]
fn types_inside_of_one_another() {
    macro_rules! ring {
        ($($name:ident),*) => {$(
            #[derive(serde::Deserialize, schemars::JsonSchema)]
            #[allow(dead_code, non_snake_case)]
            struct $name { a: Vec<A>, b: Vec<B>, c: Vec<C>, d: Vec<D>, e: Vec<E>, f: Vec<F>, g: Vec<G>, h: Vec<H>, i: Vec<I>, j: Vec<J> }
        )*};
    }
    ring!(A, B, C, D, E, F, G, H, I, J);
    let endpoint = Server::new("Ring").method("a", |_: A| true).build().unwrap();
    let page = endpoint.page(None);
    assert!(page.len() < 3 << 20, "{}", page.len());
}

/// An unsafe method found by a fallback is asked about as well, however it is called.
#[test]
fn unsafe_methods_of_fallbacks_are_asked_about() {
    struct Removing;
    impl rpcgi::Fallback for Removing {
        fn method(&self, name: &str) -> Option<Method> {
            (name == "remove").then(|| Method::new("remove", || true).mark_unsafe())
        }

        fn names(&self) -> Vec<String> {
            vec!["remove".into()]
        }
    }
    let docs = Docs::new().try_it(TryIt::On);
    let endpoint = Server::new("Removing").fallback(Removing).docs(docs).build().unwrap();
    let Page { cookie, token } = form(&endpoint, "remove");
    let by_hand = "document=<methodCall><methodName>remove</methodName></methodCall>";
    for entered in ["way=0", by_hand] {
        for (confirm, status) in [("", 400), ("&confirm=1", 200)] {
            let body = format!("token={token}&{entered}{confirm}");
            let response = request(&endpoint, "POST", "try=remove", &[("cookie", &cookie), FORM], &body);
            let page = String::from_utf8(response.body.into()).unwrap();
            assert_eq!(response.status.as_u16(), status, "{body}: {page}");
            assert_eq!(page.matches("name=\"confirm\"").count(), 2, "{page}");
            assert_eq!(page.contains(", a result"), status == 200, "{page}");
        }
    }
    // also from the page of a method that changes nothing
    let Page { cookie, token } = form(&endpoint, "system.listMethods");
    let body = format!("token={token}&{by_hand}");
    let response = request(&endpoint, "POST", "try=system.listMethods", &[("cookie", &cookie), FORM], &body);
    assert_eq!(response.status, 400);
}

/// Forms that no reader fills in by hand are refused before they take up memory.
#[test]
fn hostile_forms() {
    let (endpoint, calls) = counting(Docs::new().try_it(TryIt::On));
    let many: String = (0..20_000).map(|number| format!("f{number}=&")).collect();
    for (status, body) in
        [(413, "x".repeat((1 << 20) + 1)), (400, many), (400, "n0=1000&n1=1000".into()), (403, "%FF=%FF&=".into())]
    {
        assert_eq!(request(&endpoint, "POST", "try=count", &[FORM], &body).status.as_u16(), status);
    }
    assert_eq!(calls.load(Ordering::Relaxed), 0);
    // without a page there is nothing to try, whatever the settings say
    let (endpoint, _) = counting(Docs::new().try_it(TryIt::On).access(rpcgi::Access::Off));
    assert_eq!(request(&endpoint, "POST", "try=count", &[FORM], "way=0").status, 415);
    assert_eq!(request(&endpoint, "GET", "try=count", &[], "").status, 405);
}
