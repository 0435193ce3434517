//! The page as readers use it, in Chromium and in Firefox.

use std::io::Read;

use flate2::read::ZlibDecoder;
use rpcgi::{Docs, Method, Server, TryIt};

use super::browser::{Browser, Kind, Settings};
use super::local::Local;

/// Runs each of these functions as one test for each browser.
macro_rules! in_both {
    ($($test:ident)*) => {
        mod chromium {
            $(#[test] fn $test() { super::$test(super::Kind::Chromium) })*
        }
        mod firefox {
            $(#[test] fn $test() { super::$test(super::Kind::Firefox) })*
        }
    };
}

in_both! {
    what_is_typed_leaves_methods
    keys_go_about
    the_language_is_remembered
    a_form_is_answered
    going_back_keeps_what_was_typed
    the_place_of_the_reader
    all_is_printed
    without_scripts
    light_and_dark
}

/// The samples of a method: one for each language, of which one is open.
const SAMPLES: &str = ".calls > .tabs > details";

const TRY_FIND: &str = "[id='m-shop.find'] a.try";

fn shop() -> Local {
    let find = Method::new("shop.find", |text: String, count: i32| format!("{count} of {text}"));
    let docs = Docs::new().try_it(TryIt::SameOrigin);
    let server = Server::new("Shop").docs(docs).methods([
        Method::new("shop.close", || true).help("Locks the door."),
        find.params(["text", "count"]).help("Finds goods.\n\nReturns what is on the shelf."),
    ]);
    Local::serve(server.build().unwrap())
}

/// Waits until this many methods are to be seen.
#[track_caller]
fn expect_methods(browser: &Browser, count: usize) {
    browser.expect(&format!("document.querySelectorAll('section.method:not([hidden])').length === {count}"));
}

fn what_is_typed_leaves_methods(kind: Kind) {
    let (served, browser) = (shop(), Browser::start_with(kind, Settings::default()));
    browser.open(&served.url);
    let all = browser.count("section.method");
    browser.type_into("#q", "SHOP.fi");
    expect_methods(&browser, 1);
    browser.expect("!document.getElementById('m-shop.find').hidden");
    assert!(!browser.text(".found").is_empty());
    // what stands in the help
    browser.fill("#q", "the shelf");
    expect_methods(&browser, 1);
    // the name of a param, and what only the samples say
    browser.fill("#q", "count");
    expect_methods(&browser, 1);
    browser.fill("#q", "HTTP::Tiny");
    expect_methods(&browser, 0);
    browser.fill("#q", "no-such-word");
    expect_methods(&browser, 0);
    assert!(!browser.text(".found").is_empty());
    browser.press("\u{e00c}");
    expect_methods(&browser, all);
    assert_eq!(browser.console(), [""; 0]);
}

fn keys_go_about(kind: Kind) {
    let (served, browser) = (shop(), Browser::start_with(kind, Settings::default()));
    browser.open(&served.url);
    let focused = |name: &str| {
        browser.expect(&format!("document.activeElement.closest('section.method')?.id === 'm-{name}'"));
    };
    browser.press("j");
    let first = browser.run("return document.activeElement.closest('section.method').id");
    browser.press("j");
    browser.expect(&format!("document.activeElement.closest('section.method')?.id !== {first}"));
    browser.press("k");
    focused(first.as_str().unwrap().strip_prefix("m-").unwrap());
    browser.press("/");
    browser.expect("document.activeElement.id === 'q'");
    // in a field they are letters
    browser.press("jk?");
    assert_eq!(browser.value("#q"), "jk?");
    browser.press("\u{e00c}");
    browser.run("document.activeElement.blur()");
    browser.press("?");
    browser.find("dialog[open]");
}

fn the_language_is_remembered(kind: Kind) {
    let (served, browser) = (shop(), Browser::start_with(kind, Settings::default()));
    browser.resize(1440, 900);
    browser.open(&served.url);
    let third = format!("[id='m-shop.find'] {SAMPLES}:nth-of-type(3) > summary");
    let language = browser.text(&third);
    let chosen = format!(
        "[...new Set([...document.querySelectorAll('{SAMPLES}[open] > summary')].map((summary) => summary.textContent))].join() === '{language}'"
    );
    browser.click(&third);
    browser.expect(&chosen);
    browser.reload();
    browser.expect(&chosen);
}

fn a_form_is_answered(kind: Kind) {
    let (served, browser) = (shop(), Browser::start_with(kind, Settings::default()));
    browser.open(&served.url);
    browser.click(TRY_FIND);
    call(&browser);
    assert_eq!(browser.console(), [""; 0]);
    // in place
    assert_eq!(browser.url(), served.url);
    // a value that does not fit calls nothing
    browser.fill(".trial [name=v1]", "many");
    browser.click(".trial .go");
    browser.expect("document.querySelector('.trial').textContent.includes('expected int')");
    assert_eq!(browser.value(".trial [name=v1]"), "many");
}

/// Calls the method with the form that is open.
#[track_caller]
fn call(browser: &Browser) {
    browser.fill(".trial [name=v0]", "\"tea\" & <ä>");
    browser.fill(".trial [name=v1]", "3");
    browser.click(".trial .go");
    let outcome = browser.text(".outcome");
    assert!(outcome.contains("3 of \\\"tea\\\" & <ä>"), "{outcome}");
}

fn going_back_keeps_what_was_typed(kind: Kind) {
    let (served, browser) = (shop(), Browser::start_with(kind, Settings::default()));
    browser.open(&served.url);
    browser.type_into("#q", "the shelf");
    expect_methods(&browser, 1);
    browser.open(&format!("{}?try=shop.find", served.url));
    browser.back();
    browser.expect("document.querySelector('#q').value === 'the shelf'");
    expect_methods(&browser, 1);
    // a new visit begins with all
    browser.open(&served.url);
    assert_eq!(browser.value("#q"), "");
}

fn all_is_printed(kind: Kind) {
    let (served, browser) = (shop(), Browser::start_with(kind, Settings::default()));
    browser.open(&served.url);
    let pages = pages(&browser.print());
    assert!((1..20).contains(&pages), "{pages} pages");
}

/// Counts the pages of a PDF, whose description may be compressed.
fn pages(pdf: &[u8]) -> usize {
    let mut text = String::from_utf8_lossy(pdf).into_owned();
    for (at, _) in pdf.windows(7).enumerate().filter(|(_, octets)| octets == b"stream\n") {
        let mut stream = Vec::new();
        // what else is compressed is no description
        _ = ZlibDecoder::new(&pdf[at + 7..]).read_to_end(&mut stream);
        text += &String::from_utf8_lossy(&stream);
    }
    text.split("/Type /Page").skip(1).filter(|rest| !rest.starts_with('s')).count()
}

fn without_scripts(kind: Kind) {
    let served = shop();
    let browser = Browser::start_with(kind, Settings { has_no_scripts: true, ..Settings::default() });
    browser.open(&served.url);
    let all = browser.count("section.method");
    assert!(all > 2 && browser.count("section.method[hidden]") == 0, "{all}");
    browser.fill("#q", "the shelf");
    browser.press("\u{e007}");
    browser.expect_url("q=the+shelf");
    assert_eq!(browser.count("section.method"), 1);
    browser.click(TRY_FIND);
    browser.expect_url("try=shop.find");
    call(&browser);
}

/// The rail marks the method that is being read.
fn the_place_of_the_reader(kind: Kind) {
    let (served, browser) = (shop(), Browser::start_with(kind, Settings::default()));
    browser.resize(1440, 600);
    browser.open(&served.url);
    let weight =
        |name: &str| format!("getComputedStyle(document.querySelector(\"nav a[href='#m-{name}']\")).fontWeight");
    for (name, other) in [("shop.find", "shop.close"), ("shop.close", "shop.find")] {
        browser.run(&format!("document.getElementById('m-{name}').scrollIntoView({{ behavior: 'instant' }})"));
        browser.expect(&format!("{} === '600' && {} === '400'", weight(name), weight(other)));
    }
}

fn light_and_dark(kind: Kind) {
    let served = shop();
    let background = |is_dark| {
        let browser = Browser::start_with(kind, Settings { is_dark, ..Settings::default() });
        browser.open(&served.url);
        browser.run("return getComputedStyle(document.documentElement).backgroundColor")
    };
    assert_eq!(background(false), "rgb(255, 255, 255)");
    assert_ne!(background(true), "rgb(255, 255, 255)");
}
