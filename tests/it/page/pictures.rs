//! The look of the page: pictures of Chromium compared with those kept in `pictures/`, so that none changes unseen.
//!
//! `GOLDEN=1 cargo test --all-features --test it -- page::pictures` writes them anew.

mod small;

use std::fs;
use std::path::Path;

use rpcgi::{Docs, Fault, Method, Server, TryIt};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use self::small::Small;
use super::browser::Browser;
use super::local::Local;

/// A state of a page, as a reader sees it.
struct State {
    name: &'static str,
    /// In CSS pixels.
    width: u32,
    theme: Theme,
    path: &'static str,
    /// The script that runs first: the body of an asynchronous function.
    script: &'static str,
}

#[derive(Clone, Copy)]
enum Theme {
    Light,
    Dark,
    Print,
    ForcedColours,
}

use Theme::{Dark, ForcedColours, Light, Print};

const STATES: [State; 12] = [
    State { name: "wide-light", width: 1440, theme: Light, path: "/gallery", script: "" },
    State { name: "wide-dark", width: 1440, theme: Dark, path: "/gallery", script: "" },
    State { name: "wide-answer", width: 1440, theme: Light, path: "/gallery", script: ANSWER },
    State { name: "middle-light", width: 820, theme: Light, path: "/gallery", script: "" },
    State { name: "middle-dark", width: 820, theme: Dark, path: "/gallery", script: "" },
    State { name: "narrow-light", width: 390, theme: Light, path: "/gallery", script: "" },
    State { name: "narrow-method", width: 390, theme: Dark, path: "/gallery", script: METHOD },
    State { name: "none-found", width: 1440, theme: Light, path: "/gallery", script: NONE_FOUND },
    State { name: "fault", width: 1440, theme: Light, path: "/gallery?try=gallery.fail", script: CALL },
    State { name: "index", width: 1440, theme: Light, path: "/", script: "" },
    State { name: "print", width: 820, theme: Print, path: "/gallery", script: METHOD },
    State { name: "forced-colours", width: 1440, theme: ForcedColours, path: "/gallery", script: "" },
];

const METHOD: &str = "one(\"[id='m-gallery.show']\").scrollIntoView();";

const ANSWER: &str = "
    // a form that was open in this window before is open again
    if (!one('.trial')) one(\"[id='m-gallery.show'] a.try\").click();
    (await until('.trial .go')).click();
    await until('.state');
    one('.outcome').scrollIntoView({ block: 'end' });";

const CALL: &str = "
    one('.trial .go').click();
    await until('.state');
    scrollTo(0, 0);";

const NONE_FOUND: &str = "
    one('#q').value = 'no-such-word';
    one('#q').dispatchEvent(new Event('input', { bubbles: true }));";

/// Helpers of the scripts above.
const HELPERS: &str = "
    const one = (selector) => document.querySelector(selector);
    const until = async (selector) => {
        while (!one(selector)) await new Promise(requestAnimationFrame);
        return one(selector);
    };";

/// A script that makes the same what is different each time.
const SETTLE: &str = "
    for (const outcome of document.querySelectorAll('.outcome')) {
        const texts = document.createTreeWalker(outcome, NodeFilter.SHOW_TEXT);
        while (texts.nextNode()) {
            texts.currentNode.data = texts.currentNode.data.replace(/[0-9.]+ ms/, '1.0 ms');
        }
    }
    document.activeElement?.blur();
    await document.fonts.ready;
    await new Promise(requestAnimationFrame);";

/// Something to show.
#[derive(Serialize, Deserialize, JsonSchema)]
struct Painting {
    /// what it is called
    title: String,
    /// in *centimetres*
    width: f64,
    colours: Vec<String>,
    painter: Option<String>,
}

/// Returns pages with all that a page can have.
fn gallery(accent: &str) -> Server {
    let logo = "data:image/svg+xml;base64,PHN2ZyB4bWxucz0iaHR0cDovL3d3dy53My5vcmcvMjAwMC9zdmciIHdpZHRoPSI0OCIgaGVpZ2h0PSI0OCI+PGNpcmNsZSBjeD0iMjQiIGN5PSIyNCIgcj0iMjAiIGZpbGw9IiMxYTVmYjQiLz48L3N2Zz4=";
    let docs = Docs::new()
        .try_it(TryIt::On)
        .accent(accent.parse().unwrap())
        .logo(logo.parse().unwrap())
        .contact("[Ann](mailto:ann@example.org)")
        .authentication("None is needed.");
    let show = Method::new("gallery.show", |painting: Painting, count: Option<i32>| {
        _ = count;
        painting
    });
    let gallery = Server::new("Gallery")
        .title("Gallery of methods")
        .version("2.1.0")
        .documentation(
            "All that a page can have: see gallery.show(), *emphasis*, `code`, RFC 3875, and\n\n\
             | a table | of two columns |\n|---|---|\n| one | two |",
        )
        .docs(docs.clone())
        .methods([
            show.params(["painting", "count"])
                .help("Shows what it was given.\n\n* a list\n* of two\n\nA paragraph with a [link](https://example.org/).")
                .fault(4, "the wall is *full*")
                .since("1.2"),
            Method::new("gallery.fail", || Err::<i32, _>(Fault::new(3, "it was meant to fail"))).help("Always fails."),
            Method::new("gallery.remove", |name: String| name.len())
                .params(["name"])
                .help("Removes one.")
                .mark_unsafe(),
            Method::new("old.show", |text: String| text).params(["text"]).deprecated("Call gallery.show() instead."),
            Method::new("plain", || 7).help("Returns seven."),
        ]);
    Server::new("Museum")
        .documentation("Each room has methods of its own.")
        .docs(docs)
        .at("/gallery", gallery)
        .at("/notes", Server::new("Notes of visitors"))
}

/// A page in a browser whose pictures are the same on every machine.
struct Viewer {
    browser: Browser,
    _served: Local,
}

impl Viewer {
    fn start(accent: &str) -> Viewer {
        let font = Path::new("/usr/share/fonts/truetype/dejavu/DejaVuSans.ttf");
        assert!(font.exists(), "the fonts DejaVu are installed: `tests/run` does that");
        let served = Local::serve(gallery(accent).build().unwrap());
        // the page and its samples say where they are: not at another port each time
        let address = served.url.split('/').nth(2).unwrap();
        let rules = format!("--host-resolver-rules=MAP museum.example:80 {address}");
        let arguments = ["--font-render-hinting=none", "--disable-lcd-text", "--force-color-profile=srgb", &rules];
        let fonts = folder().join("fonts.conf");
        let browser = Browser::chromium(&arguments, &[("FONTCONFIG_FILE", fonts.to_str().unwrap())]);
        Viewer { browser, _served: served }
    }

    /// Takes a picture as large as the window.
    fn screenshot(&self, state: &State) -> Vec<u8> {
        let (media, feature) = match state.theme {
            Light => ("", ("prefers-color-scheme", "light")),
            Dark => ("", ("prefers-color-scheme", "dark")),
            Print => ("print", ("prefers-color-scheme", "light")),
            ForcedColours => ("", ("forced-colors", "active")),
        };
        let height = if state.width < 500 { 844 } else { 900 };
        self.browser.show_as(media, &[feature]);
        self.browser.resize(state.width, height);
        self.browser.open(&format!("http://museum.example{}", state.path));
        self.browser.run_async(&format!("{HELPERS}{}{SETTLE}", state.script));
        self.browser.picture()
    }
}

fn folder() -> &'static Path {
    Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/it/page/pictures"))
}

fn target() -> &'static Path {
    Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/target/pictures"))
}

const ACCENT: &str = "#7a1f5c";

#[test]
fn every_state_looks_as_before() {
    let viewer = Viewer::start(ACCENT);
    // the differences of an earlier run would mislead
    _ = fs::remove_dir_all(target());
    let changed: Vec<String> = STATES.iter().filter_map(|state| look(&viewer, state).err()).collect();
    assert!(
        changed.is_empty(),
        "these look different, see target/pictures; if that is meant, GOLDEN=1 keeps them:\n{}",
        changed.join("\n")
    );
}

/// Compares a state with the picture kept of it.
///
/// # Errors
/// If it looks different, how much.
fn look(viewer: &Viewer, state: &State) -> Result<(), String> {
    let kept = folder().join(state.name).with_extension("png");
    let screenshot = viewer.screenshot(state);
    let new = Small::of_screenshot(&screenshot);
    if std::env::var_os("GOLDEN").is_some() {
        fs::write(kept, new.to_png()).unwrap();
        return Ok(());
    }
    let kept = fs::read(kept).map_err(|error| format!("{}: {error}", state.name))?;
    let difference = Small::read(&kept).compare(&new);
    if !difference.is_seen() {
        return Ok(());
    }
    fs::create_dir_all(target()).unwrap();
    fs::write(target().join(format!("{}.png", state.name)), screenshot).unwrap();
    fs::write(target().join(format!("{}-difference.png", state.name)), difference.picture.to_png()).unwrap();
    let (share, mean) = (difference.share * 100.0, difference.mean);
    Err(format!("{}: {share:.1} % of its blocks, by {mean:.2} of 255 on average", state.name))
}

/// The mechanism itself: a page looks the same twice, and different in another colour, wherever that colour is seen.
#[test]
fn another_accent_is_noticed() {
    let [viewer, other] = [ACCENT, "#0b6e4f"].map(Viewer::start);
    for state in &STATES[..4] {
        let small = |viewer: &Viewer| Small::of_screenshot(&viewer.screenshot(state));
        let first = small(&viewer);
        assert!(!first.compare(&small(&viewer)).is_seen(), "{}: not the same twice", state.name);
        let difference = first.compare(&small(&other));
        assert!(difference.is_seen(), "{}: {} {}", state.name, difference.mean, difference.share);
    }
}
