//! The page in a browser, used as people use it.

use std::fs;
use std::path::Path;
use std::process::Command;
use std::sync::Arc;

use rpcgi::{Access, Assets, Docs, Method, Server, TryIt};
use serde_json::json;

use super::browser::Browser;
use super::local::Local;
use super::npm;
use crate::web_servers::WebServer;

/// Returns the page by CGI, by fcgiwrap behind nginx, and by FastCGI behind nginx.
fn places() -> [(Arc<WebServer>, &'static str); 3] {
    [(WebServer::apache(), "/cgi-bin/gallery"), (WebServer::nginx(), "/cgi-bin/gallery"), (WebServer::nginx(), "/RPC2")]
}

const WIDTHS: [u32; 4] = [320, 390, 820, 1440];

/// Nothing sticks out to the side, whatever the width, and readers with low vision find nothing in their way.
#[test]
fn the_page_fits_and_can_be_read() {
    let browser = Browser::start();
    for (server, path) in places() {
        for scheme in ["light", "dark"] {
            browser.prefer(&[("prefers-color-scheme", scheme)]);
            for width in WIDTHS {
                browser.resize(width, 900);
                browser.open(&server.url(path));
                assert_fits(&browser, &format!("{path}, {scheme}, {width}"));
                // all that can be unfolded
                browser.run("for (const details of document.querySelectorAll('details')) details.open = true");
                assert_fits(&browser, &format!("{path}, {scheme}, {width}, unfolded"));
                let violations = browser.accessibility_violations();
                assert!(violations.is_empty(), "{path}, {scheme}, {width}: {violations:#?}");
            }
        }
    }
    assert_eq!(browser.console(), [""; 0]);
}

#[track_caller]
fn assert_fits(browser: &Browser, what: &str) {
    let widths = browser.run("return [document.documentElement.scrollWidth, document.documentElement.clientWidth]");
    assert!(
        widths[0].as_u64() <= widths[1].as_u64(),
        "{what}: the page is {} wide, the window {}",
        widths[0],
        widths[1]
    );
}

/// The same with more contrast, and in colours that the user has forced on it.
#[test]
fn other_colours_can_be_read() {
    let browser = Browser::start();
    let server = WebServer::nginx();
    let url = server.url("/cgi-bin/gallery");
    for features in [("prefers-contrast", "more"), ("forced-colors", "active")] {
        for scheme in ["light", "dark"] {
            browser.prefer(&[features, ("prefers-color-scheme", scheme)]);
            browser.open(&url);
            let violations = browser.accessibility_violations();
            assert!(violations.is_empty(), "{features:?}, {scheme}: {violations:#?}");
        }
    }
    browser.prefer(&[("prefers-reduced-motion", "reduce")]);
    assert_eq!(browser.run("return getComputedStyle(document.documentElement).scrollBehavior"), "auto");
    browser.prefer(&[("prefers-reduced-motion", "no-preference")]);
    assert_eq!(browser.run("return getComputedStyle(document.documentElement).scrollBehavior"), "smooth");
    // the accent is lighter where it is dark
    let colour = |scheme| {
        browser.prefer(&[("prefers-color-scheme", scheme)]);
        browser.run("return getComputedStyle(document.querySelector('nav a')).color")
    };
    assert_eq!(colour("light"), "rgb(122, 31, 92)");
    assert_ne!(colour("dark"), "rgb(122, 31, 92)");
}

/// Text left and samples right where there is room, one below the other where there is none.
#[test]
fn two_columns_and_one() {
    let browser = Browser::start();
    let server = WebServer::apache();
    let url = server.url("/cgi-bin/gallery");
    let place = |selector: &str| {
        let script =
            "const box = document.querySelector(arguments[0]).getBoundingClientRect(); return [box.left, box.top]";
        browser.run(&script.replace("arguments[0]", &format!("'{selector}'")))
    };
    for (width, is_wide) in [(320, false), (768, false), (1440, true)] {
        browser.resize(width, 900);
        browser.open(&url);
        let (about, calls) = (place(".method h3"), place(".method .calls"));
        let is_beside = calls[0].as_f64() > about[0].as_f64() && calls[1] == about[1];
        assert_eq!(is_beside, is_wide, "{width}: {about} {calls}");
        let (nav, main) = (place("nav"), place("main"));
        assert_eq!(main[0].as_f64() > nav[0].as_f64(), is_wide, "{width}: {nav} {main}");
    }
}

#[test]
fn what_somebody_types_leaves_methods() {
    let browser = Browser::start();
    let shown = "[...document.querySelectorAll('.method')].filter((method) => !method.hidden).length";
    for (server, path) in places() {
        browser.open(&server.url(path));
        let all = browser.run("return document.querySelectorAll('.method').length");
        browser.expect("document.querySelector('dialog')");
        browser.press("/");
        assert_eq!(browser.run("return document.activeElement.id"), "q");
        browser.type_into("#q", "SYSTEM.multi");
        browser.expect(&format!("{shown} === 1"));
        assert_eq!(browser.text(".found"), format!("1 of {all} methods"));
        assert_eq!(
            browser.run(
                "return [...document.querySelectorAll(\"nav li:has([href^='#m-'])\")].filter((li) => !li.hidden).length"
            ),
            1
        );
        // what stands in the help
        browser.fill("#q", "several calls");
        browser.expect(&format!("{shown} === 1"));
        // what stands in the samples alone
        browser.fill("#q", "HTTP::Tiny");
        browser.expect(&format!("{shown} === 0"));
        browser.press("\u{e00c}");
        browser.expect(&format!("{shown} === {all}"));
        // a link shows what it leads to
        browser.fill("#q", "no-such-method");
        browser.expect(&format!("{shown} === 0"));
        browser.run("location.hash = '#m-system.multicall'");
        browser.expect(&format!("{shown} === {all}"));
        browser.run("location.hash = '#m-no.such'");
        browser.expect("document.querySelector('.found').textContent === 'There is no method no.such here.'");
    }
    assert_eq!(browser.console(), [""; 0]);
}

#[test]
fn keys_go_from_method_to_method() {
    let browser = Browser::start();
    let server = WebServer::apache();
    browser.open(&server.url("/cgi-bin/gallery"));
    browser.expect("document.querySelector('dialog')");
    let focused = "document.activeElement.closest('.method')?.id";
    browser.press("j");
    browser.expect(&format!("{focused} === 'm-plain'"));
    browser.press("jj");
    browser.expect(&format!("{focused} === 'm-gallery.remove'"));
    browser.press("k");
    browser.expect(&format!("{focused} === 'm-gallery.fail'"));
    browser.press("?");
    browser.expect("document.querySelector('dialog').open");
    assert!(browser.text("dialog").contains("goes to the filter"));
    assert!(browser.accessibility_violations().is_empty());
    // users of speech input can switch them off
    browser.click("dialog input");
    browser.click("dialog button");
    browser.press("/");
    assert_ne!(browser.run("return document.activeElement.id"), "q");
    browser.open(&server.url("/cgi-bin/gallery"));
    browser.expect("document.querySelector('dialog')");
    browser.press("/");
    assert_ne!(browser.run("return document.activeElement.id"), "q");
    // and in a field they are letters
    browser.type_into("#q", "jk?/");
    assert_eq!(browser.run("return document.querySelector('#q').value"), "jk?/");
}

#[test]
fn the_language_is_remembered_and_copied() {
    let browser = Browser::start();
    let opened = "[...new Set([...document.querySelectorAll('.calls > .tabs > [open] > summary')].map((summary) => summary.textContent))].join()";
    for (server, path) in places() {
        let url = server.url(path);
        browser.devtools(
            "Browser.grantPermissions",
            json!({ "permissions": ["clipboardReadWrite", "clipboardSanitizedWrite"] }),
        );
        browser.resize(1440, 900);
        browser.open(&url);
        browser.click(".method .tabs details:nth-of-type(3) summary");
        browser.expect(&format!("{opened} === 'Python'"));
        browser.click(".method .tabs [open] .copy");
        browser.expect("document.querySelector('.method .tabs [open] .copy').textContent === 'Copied'");
        browser.run("navigator.clipboard.readText().then((text) => { document.title = text })");
        let copied = "import xmlrpc.client";
        browser.expect(&format!("document.title.startsWith('{copied}') && document.title.endsWith('))')"));
        browser.open(&url);
        browser.expect(&format!("{opened} === 'Python'"));
        // and nothing moves under the reader's eyes
        let last = "[...document.querySelectorAll('section > .method')].at(-1)";
        let place = format!("{last}.querySelector('.tabs').getBoundingClientRect().top");
        browser.run(&format!("{last}.scrollIntoView()"));
        let before = browser.run(&format!("return {place}")).as_f64().unwrap();
        browser.run(&format!("{last}.querySelector('summary').click()"));
        browser.expect(&format!("{opened} === 'curl'"));
        let after = browser.run(&format!("return {place}")).as_f64().unwrap();
        assert!((after - before).abs() < 1.0, "{before} {after}");
    }
    assert_eq!(browser.console(), [""; 0]);
}

#[test]
fn without_scripts_it_is_all_there() {
    let browser = Browser::start();
    browser.switch_scripts(false);
    for (server, path) in places() {
        for width in WIDTHS {
            browser.resize(width, 900);
            browser.open(&server.url(path));
            assert_eq!(
                browser.run("return document.querySelectorAll('dialog, .copy').length"),
                0,
                "there are no scripts"
            );
            assert_fits(&browser, path);
        }
        browser.click(".method .tabs details:nth-of-type(8) summary");
        assert!(browser.text(".method .tabs > details:nth-of-type(8) > pre").starts_with("package main"));
        browser.fill("#q", "several calls");
        browser.click("form[role=search] button");
        browser.expect_url("q=several+calls");
        assert_eq!(browser.run("return document.querySelectorAll('.method').length"), 1);
        assert!(browser.text(".found").starts_with("1 of "));
    }
}

/// On paper all is unfolded, but only the chosen sample is there.
#[test]
fn on_paper() {
    let browser = Browser::start();
    browser.resize(1440, 900);
    let server = WebServer::apache();
    browser.open(&server.url("/cgi-bin/gallery"));
    browser.expect("document.querySelector('dialog')");
    let is_shown = "document.querySelector('.more details details dl').checkVisibility()";
    assert_eq!(browser.run(&format!("return {is_shown}")), false);
    browser.devtools("Emulation.setEmulatedMedia", json!({ "media": "print" }));
    browser.expect(is_shown);
    for selector in ["nav", "form", ".try", ".tabs > details:not([open])"] {
        assert_eq!(browser.run(&format!("return document.querySelector('{selector}').offsetHeight")), 0, "{selector}");
    }
    assert_eq!(browser.run("return getComputedStyle(document.documentElement).backgroundColor"), "rgb(255, 255, 255)");
}

/// Words without end, and characters that turn the direction of text.
#[test]
fn hostile_names_stay_in_their_places() {
    let word = "w".repeat(10_000);
    let turning = "\u{202e}evil\u{2066}\u{200f}";
    let method = |name: String| {
        let call = |text: String, count: Option<i32>| (text, count);
        Method::new(name, call)
            .params([word.clone(), turning.to_owned()])
            .help(format!("{word} {turning}"))
            .fault(1, word.clone())
    };
    let server = Server::new(format!("{word}{turning}"))
        .documentation(format!("{turning} {word}"))
        .docs(Docs::new().contact(word.clone()).authentication(turning))
        .methods([method(word.clone()), method(format!("{turning}.{turning}"))]);
    let served = Local::serve(server.build().unwrap());
    let browser = Browser::start();
    for width in WIDTHS {
        browser.resize(width, 900);
        browser.open(&format!("{}/{}", served.url, "p".repeat(5000)));
        browser.run("for (const details of document.querySelectorAll('details')) details.open = true");
        assert_fits(&browser, &width.to_string());
        browser.open(&format!("{}?try={turning}.{turning}", served.url));
        assert_fits(&browser, &width.to_string());
    }
}

/// For sites that have a policy of their own, which knows no hashes.
#[test]
fn linked_assets() {
    let method = Method::new("seven", || 7);
    let docs = Docs::new().assets(Assets::Linked).try_it(TryIt::SameOrigin).accent("#7a1f5c".parse().unwrap());
    let served = Local::serve(Server::new("Linked").methods(method).docs(docs).build().unwrap());
    let browser = Browser::start();
    browser.open(&served.url);
    browser.expect("document.querySelector('dialog')");
    assert_eq!(browser.run("return getComputedStyle(document.querySelector('nav a')).color"), "rgb(122, 31, 92)");
    browser.click("[id='m-seven'] .try");
    browser.click(".trial .go:not([hidden])");
    browser.expect("document.querySelector('.outcome [open] > pre')?.lastChild.data === '7'");
    assert_eq!(browser.console(), [""; 0]);
    let page = String::from_utf8(Command::new("curl").args(["-sS", &served.url]).output().unwrap().stdout).unwrap();
    assert!(!page.contains("<style"), "{page}");
    for (attribute, content_type) in [("href=\"?asset=", "text/css"), ("src=\"?asset=", "text/javascript")] {
        let name = page.split(attribute).nth(1).unwrap().split('"').next().unwrap();
        let output = Command::new("curl").args(["-sSi", &format!("{}?asset={name}", served.url)]).output().unwrap();
        let response = String::from_utf8(output.stdout).unwrap();
        assert!(response.contains(&format!("content-type: {content_type}; charset=utf-8")), "{response}");
        assert!(response.contains("cache-control: public, max-age=31536000, immutable"), "{response}");
    }
    let output = Command::new("curl").args(["-sSi", &format!("{}?asset=style-0.css", served.url)]).output().unwrap();
    assert!(String::from_utf8(output.stdout).unwrap().starts_with("HTTP/1.1 404 "));
}

/// By the Nu Html Checker.
#[test]
fn the_markup_is_valid() {
    let folder = tempfile::tempdir().unwrap();
    let nginx = WebServer::nginx();
    let mut files = Vec::new();
    for (index, path) in [
        "/cgi-bin/gallery",
        "/RPC2",
        "/cgi-bin/gallery?q=show",
        "/cgi-bin/gallery?try=gallery.show",
        "/cgi-bin/gallery?try=gallery.remove",
        "/notes",
    ]
    .iter()
    .enumerate()
    {
        let file = folder.path().join(format!("{index}.html"));
        let status = Command::new("curl").args(["-sSf", "-o"]).arg(&file).arg(nginx.url(path)).status().unwrap();
        assert!(status.success(), "{path}");
        files.push(file);
    }
    let output = Command::new("java").arg("-jar").arg(npm("vnu-jar/build/dist/vnu.jar")).args(&files).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
}

#[test]
fn there_may_be_no_page() {
    let served = Local::serve(Server::new("Off").docs(Docs::new().access(Access::Off)).build().unwrap());
    let output = Command::new("curl").args(["-sSi", &served.url]).output().unwrap();
    let response = String::from_utf8(output.stdout).unwrap();
    assert!(response.starts_with("HTTP/1.1 405 ") && response.contains("allow: OPTIONS, POST\r\n"), "{response}");
    assert!(response.ends_with("expected one of OPTIONS, POST, found \"GET\"\n"), "{response}");
}

/// Makes the pictures of the README: `tests/pictures` runs it.
#[test]
#[ignore = "it writes to the repository"]
fn pictures() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let folder = root.join("pictures");
    fs::create_dir_all(&folder).unwrap();
    let mut command = Command::new(env!("CARGO_BIN_EXE_rpcgi"));
    command.args(["serve", "--listen", "127.0.0.1:8000"]).arg(root.join("cgi-bin/bikes"));
    let served = crate::harness::Served::start_command(command);
    let browser = Browser::start();
    let open = |width, height, scheme| {
        browser.prefer(&[("prefers-color-scheme", scheme)]);
        browser.resize(width, height);
        browser.open("about:blank");
        browser.open(&format!("http://{}/", served.address));
        browser.expect("document.querySelector('dialog')");
    };
    let keep = |name: &str| fs::write(folder.join(name).with_extension("png"), browser.picture()).unwrap();
    for scheme in ["light", "dark"] {
        open(1360, 850, scheme);
        keep(&format!("page-{scheme}"));
        browser.click("[id='m-price'] .try");
        browser.click(".trial [open] .go");
        browser.find(".state");
        browser.run("document.activeElement.blur(); document.querySelector('.trial').scrollIntoView()");
        keep(&format!("form-{scheme}"));
        open(390, 844, scheme);
        browser.click("[id='m-price'] details:nth-of-type(3) summary");
        browser.run("document.activeElement.blur(); document.getElementById('m-price').scrollIntoView()");
        keep(&format!("phone-{scheme}"));
    }
}
