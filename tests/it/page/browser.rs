//! Chromium, by WebDriver.

use std::io::{BufRead, BufReader};
use std::process::{Child, Command, Stdio};

use fantoccini::actions::{InputSource, KeyAction, KeyActions};
use fantoccini::elements::Element;
use fantoccini::error::CmdError;
use fantoccini::wd::WebDriverCompatibleCommand;
use fantoccini::{Client, ClientBuilder, Locator};
use hyper_util::client::legacy::connect::HttpConnector;
use serde_json::{Value as Json, json};
use tokio::runtime::Runtime;

use crate::harness::{soon, wait_for};

/// A browser with one window. Each action waits until its element is there.
pub struct Browser {
    driver: Child,
    runtime: Runtime,
    client: Client,
    _profile: tempfile::TempDir,
}

/// The arguments that Chromium needs where there is no network and no desktop.
const ARGUMENTS: &[&str] = &[
    "--headless=new",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--disable-dev-shm-usage",
    "--hide-scrollbars",
];

impl Browser {
    pub fn start() -> Browser {
        let (driver, port) = start_driver();
        let profile = tempfile::tempdir().unwrap();
        let mut arguments: Vec<String> = ARGUMENTS.iter().map(|argument| (*argument).to_owned()).collect();
        arguments.push(format!("--user-data-dir={}", profile.path().display()));
        let capabilities = json!({
            "goog:chromeOptions": { "args": arguments, "binary": "/usr/bin/chromium" },
            "goog:loggingPrefs": { "browser": "ALL" },
        });
        let Json::Object(capabilities) = capabilities else { unreachable!() };
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        let connected = runtime.block_on(async {
            ClientBuilder::new(HttpConnector::new())
                .capabilities(capabilities)
                .connect(&format!("http://127.0.0.1:{port}"))
                .await
        });
        let client = connected.unwrap_or_else(|error| panic!("no browser: {error}"));
        let browser = Browser { driver, runtime, client, _profile: profile };
        // what moves cannot be clicked
        browser.prefer(&[]);
        browser
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

    /// Asks Chromium itself (DevTools protocol).
    pub fn devtools(&self, command: &'static str, params: Json) -> Json {
        self.wait(
            self.client
                .issue_cmd(Chromium { path: "goog/cdp/execute", body: json!({ "cmd": command, "params": params }) }),
        )
        .unwrap_or_else(|error| panic!("{command}: {error}"))
    }

    /// Sets the width of the page, in CSS pixels; a window has a least width, a page has none.
    pub fn resize(&self, width: u32, height: u32) {
        let metrics = json!({ "width": width, "height": height, "deviceScaleFactor": 1, "mobile": false });
        self.devtools("Emulation.setDeviceMetricsOverride", metrics);
    }

    /// Sets media features, such as `prefers-color-scheme`; no motion, unless that is among them.
    pub fn prefer(&self, features: &[(&str, &str)]) {
        let features = [&[("prefers-reduced-motion", "reduce")], features].concat();
        let features: Vec<Json> =
            features.iter().map(|(name, value)| json!({ "name": name, "value": value })).collect();
        self.devtools("Emulation.setEmulatedMedia", json!({ "features": features }));
    }

    pub fn switch_scripts(&self, on: bool) {
        self.devtools("Emulation.setScriptExecutionDisabled", json!({ "value": !on }));
    }

    /// Runs a script that ends in `return`, and returns its value.
    #[track_caller]
    pub fn run(&self, script: &str) -> Json {
        self.wait(self.client.execute(script, Vec::new())).unwrap_or_else(|error| panic!("{script}: {error}"))
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

    /// Takes a picture of the window.
    pub fn picture(&self) -> Vec<u8> {
        self.wait(self.client.screenshot()).unwrap()
    }

    /// Returns the new lines of the console: errors of the script, and what the policy has kept out.
    pub fn console(&self) -> Vec<String> {
        let lines =
            self.wait(self.client.issue_cmd(Chromium { path: "se/log", body: json!({ "type": "browser" }) })).unwrap();
        let lines = lines.as_array().cloned().unwrap_or_default();
        let line = |line: Json| line["message"].as_str().unwrap_or_default().to_owned();
        // browsers ask for this of their own accord
        lines.into_iter().map(line).filter(|line| !line.contains("favicon.ico")).collect()
    }

    /// Returns what axe finds against the Web Content Accessibility Guidelines 2.2, levels A and AA.
    pub fn accessibility_violations(&self) -> Vec<String> {
        let axe = super::npm("axe-core/axe.min.js");
        let axe = std::fs::read_to_string(&axe).unwrap_or_else(|error| panic!("{}: {error}", axe.display()));
        let tags = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"];
        let options = json!({ "runOnly": { "type": "tag", "values": tags }, "resultTypes": ["violations"] });
        let script = format!(
            "{axe}; const done = arguments[arguments.length - 1]; axe.run(document, {options}).then(done, (e) => done(String(e)))"
        );
        let found = self.wait(self.client.execute_async(&script, Vec::new())).unwrap();
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
        _ = self.driver.kill();
        _ = self.driver.wait();
    }
}

/// Starts the driver, which says its port. Of several started at once, one now and then ends without: it is started
/// anew.
fn start_driver() -> (Child, u16) {
    (0..10).find_map(|_| try_to_start_driver()).expect("chromedriver says its port")
}

fn try_to_start_driver() -> Option<(Child, u16)> {
    let mut driver = Command::new("chromedriver")
        .arg("--port=0")
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .unwrap_or_else(|error| panic!("chromedriver is installed: `tests/run` does that; but {error}"));
    let lines = BufReader::new(driver.stdout.take().unwrap()).lines();
    let port = lines.map_while(Result::ok).find_map(|line| {
        line.strip_prefix("ChromeDriver was started successfully on port ")?.trim_end_matches('.').parse().ok()
    });
    match port {
        Some(port) => Some((driver, port)),
        None => {
            _ = driver.kill();
            _ = driver.wait();
            None
        }
    }
}

/// A command of Chromium's driver.
#[derive(Debug)]
struct Chromium {
    path: &'static str,
    body: Json,
}

impl WebDriverCompatibleCommand for Chromium {
    fn endpoint(&self, base_url: &url::Url, session_id: Option<&str>) -> Result<url::Url, url::ParseError> {
        base_url.join(&format!("session/{}/{}", session_id.unwrap_or_default(), self.path))
    }

    fn method_and_body(&self, _: &url::Url) -> (http::Method, Option<String>) {
        (http::Method::POST, Some(self.body.to_string()))
    }
}
