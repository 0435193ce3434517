//! Browsers, by WebDriver. What WebDriver does not know, each browser does in its own way, or not at all.

mod chromium;
mod driver;
mod firefox;

use fantoccini::actions::{InputSource, KeyAction, KeyActions};
use fantoccini::elements::Element;
use fantoccini::error::CmdError;
use fantoccini::wd::PrintConfiguration;
use fantoccini::{Client, ClientBuilder, Locator};
use hyper_util::client::legacy::connect::HttpConnector;
use serde_json::{Value as Json, json};
use tokio::runtime::Runtime;

use self::driver::Driver;
use crate::harness::{soon, wait_for};

/// A browser with one window. Each action waits until its element is there.
pub struct Browser {
    kind: Kind,
    runtime: Runtime,
    client: Client,
    _driver: Driver,
    _profile: tempfile::TempDir,
}

#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Kind {
    Chromium,
    Firefox,
}

/// The settings of a reader, which both browsers can start with. Nothing moves, since what moves cannot be clicked.
#[derive(Clone, Copy, Default)]
pub struct Settings {
    pub is_dark: bool,
    pub has_no_scripts: bool,
}

impl Browser {
    /// Starts Chromium, whose settings can be changed at any time: `prefer`, `switch_scripts`.
    pub fn start() -> Browser {
        Browser::start_with(Kind::Chromium, Settings::default())
    }

    pub fn start_with(kind: Kind, settings: Settings) -> Browser {
        match kind {
            Kind::Chromium => {
                let browser = Browser::chromium(&[], &[]);
                browser.prefer(&[("prefers-color-scheme", if settings.is_dark { "dark" } else { "light" })]);
                browser.switch_scripts(!settings.has_no_scripts);
                browser
            }
            Kind::Firefox => Browser::firefox(settings),
        }
    }

    fn connect(kind: Kind, driver: Driver, profile: tempfile::TempDir, capabilities: Json) -> Browser {
        let Json::Object(capabilities) = capabilities else { unreachable!("they are an object") };
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        let connected = runtime.block_on(async {
            ClientBuilder::new(HttpConnector::new()).capabilities(capabilities).connect(&driver.url()).await
        });
        let client = connected.unwrap_or_else(|error| panic!("no {kind:?}: {error}"));
        Browser { kind, runtime, client, _driver: driver, _profile: profile }
    }

    fn wait<T>(&self, done: impl Future<Output = T>) -> T {
        self.runtime.block_on(done)
    }

    pub fn open(&self, url: &str) {
        self.wait(self.client.goto(url)).unwrap_or_else(|error| panic!("{url}: {error}"));
    }

    pub fn url(&self) -> String {
        self.wait(self.client.current_url()).unwrap().to_string()
    }

    /// Waits until the URL has something in it.
    #[track_caller]
    pub fn expect_url(&self, part: &str) {
        assert!(soon(|| self.url().contains(part)), "{part} is not in {}", self.url());
    }

    /// Sets the size of the page, in CSS pixels. A window of Firefox is at least 500 wide.
    pub fn resize(&self, width: u32, height: u32) {
        match self.kind {
            Kind::Chromium => self.resize_page(width, height),
            Kind::Firefox => self.resize_window(width, height),
        }
    }

    /// Goes back in the history.
    pub fn back(&self) {
        self.wait(self.client.back()).unwrap();
    }

    pub fn reload(&self) {
        self.wait(self.client.refresh()).unwrap();
    }

    /// Runs a script that ends in `return`, and returns its value.
    #[track_caller]
    pub fn run(&self, script: &str) -> Json {
        self.wait(self.client.execute(script, Vec::new())).unwrap_or_else(|error| panic!("{script}: {error}"))
    }

    /// Runs the body of an asynchronous function, and returns its value.
    #[track_caller]
    pub fn run_async(&self, body: &str) -> Json {
        let script = format!(
            "const done = arguments[arguments.length - 1];
            (async () => {{ {body} }})().then((value) => done([value]), (error) => done(String(error)))"
        );
        let ended = self.wait(self.client.execute_async(&script, Vec::new()));
        let ended = ended.unwrap_or_else(|error| panic!("{body} at {}: {error}", self.url()));
        ended.get(0).cloned().unwrap_or_else(|| panic!("{body} at {}: {ended}", self.url()))
    }

    /// Waits until a script gives true.
    #[track_caller]
    pub fn expect(&self, condition: &str) {
        let holds = || self.run(&format!("return Boolean({condition})")) == true;
        assert!(soon(holds), "{condition} is not so at {}: {:?}", self.url(), self.console());
    }

    #[track_caller]
    pub fn find(&self, selector: &str) {
        self.with(selector, async |_| Ok(()));
    }

    /// Does something with an element, as soon as that can be done: it may not be there yet, or be replaced just now.
    #[track_caller]
    fn with<T>(&self, selector: &str, action: impl AsyncFn(Element) -> Result<T, CmdError>) -> T {
        let mut last = None;
        let done = wait_for(|| {
            let done = self.wait(async { action(self.client.find(Locator::Css(selector)).await?).await });
            done.map_err(|error| last = Some(error)).ok()
        });
        done.unwrap_or_else(|| panic!("{selector} at {}: {last:?}", self.url()))
    }

    #[track_caller]
    pub fn click(&self, selector: &str) {
        self.with(selector, async |element| element.click().await);
    }

    /// Presses keys, wherever the focus is.
    pub fn press(&self, keys: &str) {
        let actions = keys.chars().flat_map(|key| [KeyAction::Down { value: key }, KeyAction::Up { value: key }]);
        let actions = actions.fold(KeyActions::new("keyboard".into()), |actions, action| actions.then(action));
        self.wait(self.client.perform_actions(actions)).unwrap_or_else(|error| panic!("{keys}: {error}"));
    }

    /// Types into a field.
    #[track_caller]
    pub fn type_into(&self, selector: &str, keys: &str) {
        self.with(selector, async |element| element.send_keys(keys).await);
    }

    /// Replaces what is in a field.
    #[track_caller]
    pub fn fill(&self, selector: &str, text: &str) {
        self.with(selector, async |element| {
            element.clear().await?;
            element.send_keys(text).await
        });
    }

    #[track_caller]
    pub fn text(&self, selector: &str) -> String {
        self.with(selector, async |element| element.text().await)
    }

    /// Counts elements, also where no scripts run.
    pub fn count(&self, selector: &str) -> usize {
        self.wait(self.client.find_all(Locator::Css(selector))).unwrap().len()
    }

    /// Returns what is in a field, also where no scripts run.
    #[track_caller]
    pub fn value(&self, selector: &str) -> String {
        self.with(selector, async |element| element.prop("value").await).unwrap_or_default()
    }

    /// Takes a picture of the window.
    pub fn picture(&self) -> Vec<u8> {
        self.wait(self.client.screenshot()).unwrap()
    }

    /// Prints the page, as PDF.
    pub fn print(&self) -> Vec<u8> {
        self.wait(self.client.print(PrintConfiguration::default())).unwrap()
    }

    /// Returns the new lines of the console: errors of the script, and what the policy has kept out. Firefox's driver
    /// tells none.
    pub fn console(&self) -> Vec<String> {
        match self.kind {
            Kind::Chromium => self.log(),
            Kind::Firefox => Vec::new(),
        }
    }

    /// Returns what axe finds against the Web Content Accessibility Guidelines 2.2, levels A and AA.
    pub fn accessibility_violations(&self) -> Vec<String> {
        let axe = super::npm("axe-core/axe.min.js");
        let axe = std::fs::read_to_string(&axe).unwrap_or_else(|error| panic!("{}: {error}", axe.display()));
        let tags = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"];
        let options = json!({ "runOnly": { "type": "tag", "values": tags }, "resultTypes": ["violations"] });
        let found = self.run_async(&format!("{axe}; return await axe.run(document, {options})"));
        let violations = found["violations"].as_array().unwrap_or_else(|| panic!("axe says {found}"));
        let told = |violation: &Json| {
            let places: Vec<String> = violation["nodes"]
                .as_array()
                .into_iter()
                .flatten()
                .map(|node| format!("{} {}", node["html"], node["failureSummary"]))
                .collect();
            format!("{}: {}", violation["id"], places.join("\n  "))
        };
        violations.iter().map(told).collect()
    }
}

impl Drop for Browser {
    fn drop(&mut self) {
        _ = self.runtime.block_on(self.client.clone().close());
    }
}
