//! The page in all states that a service can put it in, and what is too large or too odd for it.

use std::process::Command;

use rpcgi::{Assets, Base64, Docs, Endpoint, Fault, Logo, Method, Request, Response, Server, Service, TryIt};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::json;

use super::browser::Browser;
use super::local::Local;

fn get(endpoint: &Endpoint, query: &str) -> String {
    let request = http::Request::get(format!("/RPC2?{query}")).header("host", "h.example");
    let response: Response = endpoint.handle(&request.body(Vec::new()).unwrap().into());
    assert_eq!(response.status, 200, "{query}");
    String::from_utf8(response.body.into()).unwrap()
}

/// Returns a service with so many methods.
fn many(count: usize) -> Endpoint {
    let method = |number: usize| Method::new(format!("shelf{:02}.book{number:04}", number % 50), |page: i32| page);
    Server::new("Library").methods((0..count).map(method).collect::<Vec<_>>()).build().unwrap()
}

#[test]
fn more_methods_than_a_page_has() {
    let endpoint = many(5000);
    let shown = |page: &str| page.matches("<section class=\"method\"").count();
    let first = get(&endpoint, "");
    assert_eq!(shown(&first), 1000);
    assert!(
        first.contains("Page 1 of 6")
            && first.contains("<a rel=\"next\" href=\"?page=2\">")
            && !first.contains("rel=\"prev\"")
    );
    let names: usize = (1..=6).map(|page| shown(&get(&endpoint, &format!("page={page}")))).sum();
    assert_eq!(names, 5008, "each method is on one page");
    let last = get(&endpoint, "page=6");
    assert!(last.contains("id=\"m-system.multicall\"") && last.contains("<a rel=\"prev\" href=\"?page=5\">"));
    for page in ["page=7", "page=99999999999999999999", "page=x", "page=-1", "page=0", "page="] {
        assert!([8, 1000].contains(&shown(&get(&endpoint, page))), "{page}");
    }
    // the filter looks at all of them, and goes on over pages
    assert_eq!(shown(&get(&endpoint, "q=book4711")), 1);
    let found = get(&endpoint, "q=book&page=2");
    assert!(
        shown(&found) == 1000
            && found.contains("href=\"?q=book&amp;page=3\"")
            && found.contains("5000 of 5008 methods.")
    );
    assert!(!get(&many(900), "").contains("Page 1"));
}

/// The server alone can find what is not on this page.
#[test]
fn the_filter_of_several_pages_asks_the_server() {
    let served = Local::serve(many(1200));
    let browser = Browser::start();
    browser.open(&served.url);
    browser.expect("document.querySelector('dialog')");
    browser.type_into("#q", "book1111\u{e007}");
    browser.expect("document.querySelectorAll('section.method').length === 1");
    browser.expect_url("q=book1111");
    // and so does a link to a method on another page
    browser.open(&format!("{}#m-shelf49.book1199", served.url));
    browser.expect("document.querySelector('section.method').id === 'm-shelf49.book1199'");
}

#[test]
fn nothing_found_and_nothing_there() {
    let found = get(&many(3), "q=no-such-word");
    assert!(
        found.contains("No method has all of these words. A part of a word is enough. <a href=\"?q=\">Show all</a>"),
        "{found}"
    );
    let empty = get(&Server::new("Empty").build().unwrap(), "");
    assert!(
        empty.contains("This service has no methods of its own yet.") && empty.contains("<summary>0 methods</summary>")
    );
    // the call that is printed is one that works
    let call = empty.split("-d '").nth(1).unwrap().split("'</pre>").next().unwrap();
    let answer = Server::new("Empty").build().unwrap().handle_document(call.as_bytes());
    assert!(String::from_utf8(answer).unwrap().contains("\"system.listMethods\""), "{call}");
    let closed = get(&Server::new("Closed").without("system.listMethods").build().unwrap(), "");
    assert!(!closed.contains("<p class=answer>Answer</p><pre tabindex"));
}

#[derive(Serialize, Deserialize, JsonSchema)]
struct Tree {
    name: String,
    children: Vec<Tree>,
}

macro_rules! nested {
    ($($outer:ident $inner:ty),*) => {$(
        #[derive(Serialize, Deserialize, JsonSchema)]
        struct $outer { inside: $inner, beside: i32 }
    )*};
}
nested!(One Two, Two Three, Three Four, Four Five, Five i32);

#[derive(Serialize, Deserialize, JsonSchema)]
#[serde(tag = "kind", rename_all = "lowercase")]
enum Binding {
    Paper { pages: u16 },
    Leather { colour: String },
}

macro_rules! twenty {
    ($($name:ident)*) => {
        #[derive(Deserialize, JsonSchema)]
        #[allow(dead_code, reason = "only its schema is read")]
        struct Twenty { $(#[doc = "means something"] $name: Option<String>),* }
    };
}
twenty!(a b c d e f g h i j k l m n o p q r s t);

/// Returns a service with all that is hard to draw.
fn hard() -> Endpoint {
    let help = "| a | b |\n|---|---|\n| 1 | 2 |\n\n```\ncode that is much longer than a telephone is wide, so that it has to be broken somewhere\n```\n\n\
                * a list\n* of two\n\n![a picture](https://example.org/track.gif)\n\nשלום עולם, مرحبا بالعالم";
    let server =
        Server::new("مرحبا").documentation("תיעוד בעברית").docs(Docs::new().authentication("Basic").try_it(TryIt::On));
    server
        .methods([
            Method::new("a".repeat(200), |text: String| text).help(help),
            Method::new("tree", |tree: Tree| tree).deprecated("Call forest() instead.").since("2.0"),
            Method::new("deep", |one: One| one),
            Method::new("bind", |binding: Binding| binding).mark_unsafe(),
            Method::new("without.help", || ()),
            Method::new("twenty", |_: Twenty, _: [i32; 20]| true),
            Method::new("large", |_: bool| true).help("word ".repeat(200_000)),
            Method::new("شمال.جنوب", |_: i64, _: Option<f64>| Base64(Vec::new())),
        ])
        .build()
        .unwrap()
}

#[test]
fn hard_states_fit_and_can_be_read() {
    let served = Local::serve(hard());
    let browser = Browser::start();
    for (width, scheme) in [(390, "light"), (820, "dark"), (1440, "light")] {
        browser.prefer(&[("prefers-color-scheme", scheme)]);
        browser.resize(width, 900);
        browser.open(&served.url);
        let widths = browser.run("return [document.documentElement.scrollWidth, document.documentElement.clientWidth]");
        assert!(widths[0].as_u64() <= widths[1].as_u64(), "{width}: {widths}");
        browser.run("document.querySelector(\"[id='m-large']\").remove()");
        let violations = browser.accessibility_violations();
        assert!(violations.is_empty(), "{width}: {violations:#?}");
    }
    assert_eq!(browser.run("return document.querySelectorAll('.about img').length"), 0);
    assert_eq!(browser.console(), [""; 0]);
}

/// A service whose methods tell what came with a call.
fn telling(authentication: &str) -> Endpoint {
    let who = |request: &Request| request.variable("HTTP_AUTHORIZATION").unwrap_or_default().into_owned();
    let login = |password: String, count: i32| format!("{} {count}", password.len());
    let docs = Docs::new().authentication(authentication).try_it(TryIt::On);
    let server = Server::new("Telling").docs(docs).methods([
        Method::new("who", who),
        Method::new("login", login).params(["password", "count"]),
        Method::new("large", || "x".repeat(10_000_000)),
        Method::new("bell", || Err::<i32, _>(Fault::new(7, "rings: \u{7}\u{1b}[31m"))),
    ]);
    server.build().unwrap()
}

fn opened(browser: &Browser, served: &Local, name: &str) {
    browser.open("about:blank");
    browser.open(&served.url);
    browser.expect("document.querySelector('dialog')");
    browser.click(&format!("[id='m-{name}'] .try"));
    browser.find(".trial .go");
}

const RESULT: &str = "document.querySelector('.outcome .tabs > [open] > pre')?.lastChild.data";

/// They are sent as a header, kept in the tab, and never part of a page.
#[test]
fn credentials_stay_in_the_tab() {
    for (scheme, fields, header) in [
        ("A token: Bearer", &[("token", "s3cret")][..], "Bearer s3cret"),
        ("Basic", &[("user", "ann"), ("password", "ü")], "Basic YW5uOsO8"),
    ] {
        let served = Local::serve(telling(scheme));
        let browser = Browser::start();
        browser.resize(1440, 900);
        opened(&browser, &served, "who");
        for (name, value) in fields {
            browser.fill(&format!(".trial [open] [data-secret={name}]"), value);
        }
        browser.click(".trial [open] .go");
        browser.expect(&format!("{RESULT} === '\"{header}\"'"));
        let (name, value) = fields[fields.len() - 1];
        let markup = browser.run("return document.querySelector('.trial form').innerHTML");
        assert!(!markup.as_str().unwrap().contains(value), "{markup}");
        // the next form of the tab has them, the address has not
        opened(&browser, &served, "login");
        assert_eq!(browser.run(&format!("return document.querySelector('.trial [data-secret={name}]').value")), value);
        let stored = browser.run("return JSON.stringify({ ...localStorage })");
        assert!(!stored.as_str().unwrap().contains(value), "{stored}");
        assert_eq!(browser.console(), [""; 0]);
    }
}

/// A link opens the form as it is filled in; it calls nothing, and has no secrets.
#[test]
fn a_link_carries_the_form() {
    let served = Local::serve(telling(""));
    let browser = Browser::start();
    browser.resize(1440, 900);
    opened(&browser, &served, "login");
    browser.fill(".trial [open] [name=s0]", "hunter2");
    browser.fill(".trial [open] [name=v1]", "41");
    let link = browser.run("return document.querySelector('.trial [open] .link').href");
    let link = link.as_str().unwrap();
    assert!(link.contains("try=login") && link.contains("v1=41") && !link.contains("hunter2"), "{link}");
    // going away and back keeps what was typed
    browser.open("about:blank");
    browser.open(&served.url);
    browser.click("[id='m-login'] .try");
    browser.expect("document.querySelector('.trial [open] [name=v1]')?.value === '41'");
    browser.switch_scripts(false);
    browser.open(link);
    assert_eq!(browser.run("return document.querySelector('.trial [open] [name=v1]').value"), "41");
    assert_eq!(browser.text(".outcome"), "The answer will stand here.");
    // the server's own link is the same
    let own = browser.run("return document.querySelector('.trial [open] .link').href");
    assert!(own.as_str().unwrap().contains("v1=41") && !own.as_str().unwrap().contains("s0"), "{own}");
}

#[test]
fn a_field_at_fault_is_marked() {
    let served = Local::serve(telling(""));
    let browser = Browser::start();
    browser.resize(1440, 900);
    opened(&browser, &served, "login");
    let top = "document.querySelector('.trial').getBoundingClientRect().top + scrollY";
    let before = browser.run(&format!("return {top}")).as_f64().unwrap();
    browser.fill(".trial [open] [name=v1]", "many");
    browser.click(".trial [open] .go");
    browser.find("[aria-invalid]");
    assert_eq!(browser.run("return document.querySelector('[aria-invalid]').name"), "v1");
    let told = "document.getElementById(document.querySelector('[aria-invalid]').getAttribute('aria-describedby')).textContent";
    assert_eq!(browser.run(&format!("return {told}")), "expected int, found \"many\"");
    assert!(browser.accessibility_violations().is_empty(), "{:#?}", browser.accessibility_violations());
    // the answer stands beside the fields, and nothing has moved
    browser.fill(".trial [open] [name=v1]", "3");
    browser.click(".trial [open] .go");
    browser.expect(&format!("{RESULT} === '\"6 3\"'"));
    let place = "return [document.querySelector('.trial [open] form').getBoundingClientRect().right <= document.querySelector('.outcome').getBoundingClientRect().left]";
    assert_eq!(browser.run(place), json!([true]));
    let after = browser.run(&format!("return {top}")).as_f64().unwrap();
    assert!((after - before).abs() < 1.0, "{before} {after}");
    // what is sent can be seen and edited
    browser.click(".trial [open] [value=json-rpc]");
    browser.click(".trial [open] [name=write]");
    browser.expect(
        "document.querySelector('.trial > .tabs > [open] [name=document]')?.value.includes('\"method\": \"login\"')",
    );
}

/// The start is shown; a script keeps the rest for the reader, and without one there is the command that gets it.
#[test]
fn large_answers_are_cut() {
    let served = Local::serve(telling(""));
    let browser = Browser::start();
    browser.resize(1440, 900);
    opened(&browser, &served, "large");
    browser.click(".trial [open] .go");
    browser.expect("document.querySelector('.large a')?.download === 'answer'");
    assert!(
        browser.text(".large").starts_with("Only the start is shown. Download all of it (100"),
        "{}",
        browser.text(".large")
    );
    assert!(browser.run("return document.querySelector('.outcome').textContent.length").as_u64().unwrap() < 1_000_000);
    browser.switch_scripts(false);
    browser.open(&format!("{}?try=large", served.url));
    browser.click(".trial [open] .go");
    browser.find(".large");
    let command = browser.text(".large + pre");
    assert!(
        command.starts_with("curl http://127.0.0.1:") && command.contains("<methodName>large</methodName>"),
        "{command}"
    );
    let folder = tempfile::tempdir().unwrap();
    assert!(Command::new("sh").arg("-c").arg(&command).current_dir(folder.path()).status().unwrap().success());
    assert!(folder.path().join("answer").metadata().unwrap().len() > 10_000_000);
}

#[test]
fn control_characters_are_shown() {
    let served = Local::serve(telling(""));
    let browser = Browser::start();
    browser.resize(1440, 900);
    opened(&browser, &served, "bell");
    // XML has none
    browser.click(".trial [open] [value=json-rpc]");
    browser.click(".trial [open] .go");
    browser.find(".fault");
    assert_eq!(browser.text(".fault"), "7 rings: \u{2407}\u{241b}[31m");
}

/// A style sheet, a logo and a footer of one's own are parts of the page, under its policy.
#[test]
fn themes() {
    let style = "h1 { text-transform: uppercase; }".parse().unwrap();
    let docs = Docs::new().logo(Logo::letter()).style(style).footer("*Ours*, and nobody else's.");
    for docs in [docs.clone(), docs.assets(Assets::Linked)] {
        let served = Local::serve(Server::new("Themed").docs(docs).build().unwrap());
        let browser = Browser::start();
        browser.open(&served.url);
        browser.expect("document.querySelector('dialog')");
        assert_eq!(browser.run("return getComputedStyle(document.querySelector('h1')).textTransform"), "uppercase");
        assert_eq!(browser.run("return document.querySelector('.logo').naturalWidth"), 48);
        assert_eq!(browser.text("footer"), "Ours, and nobody else's.");
        assert_eq!(browser.console(), [""; 0]);
    }
}

#[test]
fn themes_of_manifests() {
    let folder = tempfile::tempdir().unwrap();
    let write = |name: &str, text: &[u8]| std::fs::write(folder.path().join(name), text).unwrap();
    let run = |command: &str| {
        let manifest = folder.path().join("service.cgi");
        let output = Command::new(env!("CARGO_BIN_EXE_rpcgi")).arg(command).arg(manifest).output().unwrap();
        (String::from_utf8(output.stdout).unwrap(), String::from_utf8(output.stderr).unwrap())
    };
    write(
        "service.cgi",
        b"#!/usr/bin/rpcgi\ntitle = \"A\"\n[docs]\nlogo = \"logo.svg\"\nstyle = \"own.css\"\nfooter = \"Ours.\"\n[method.a]\nrun = [\"true\"]\n",
    );
    write("logo.svg", b"<svg xmlns='http://www.w3.org/2000/svg'/>");
    write("own.css", b"h1 { color: green; }");
    let (page, _) = run("doc");
    for part in ["src=\"data:image/svg+xml;base64,PHN2ZyB", "h1 { color: green; }</style>", "<footer><p>Ours.</p>"] {
        assert!(page.contains(part), "{part} is not in {page}");
    }
    for (logo, style, expected) in [
        (&b"<svg onload='alert(1)'/>"[..], &b""[..], "expected an SVG without scripts, found one that has some"),
        (b"no picture", b"", "expected a picture (gif, jpeg, png, svg, webp)"),
        (&[0x89, b'P', b'N', b'G'].repeat(9000), b"", "expected a picture of at most 32768 octets, found 36000"),
        (b"<svg/>", b"x</style>", "expected a style sheet without `</`, which would end it in the page"),
        (b"<svg/>", b"@import 'x';", "the page loads nothing from elsewhere"),
        (b"<svg/>", b"\xff", "expected a style sheet in UTF-8"),
    ] {
        write("logo.svg", logo);
        write("own.css", style);
        let (told, more) = run("check");
        assert!(format!("{told}{more}").contains(expected), "{expected}: {told}{more}");
    }
}
