//! Chromium, and what only its DevTools protocol can do.

use std::process::Command;

use fantoccini::wd::WebDriverCompatibleCommand;
use serde_json::{Value as Json, json};

use super::driver::Driver;
use super::{Browser, Kind};

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
    /// Starts Chromium with more arguments, and with variables in its environment.
    pub fn chromium(arguments: &[&str], variables: &[(&str, &str)]) -> Browser {
        let profile = tempfile::tempdir().unwrap();
        let mut command = Command::new("chromedriver");
        command.arg("--port=0").envs(variables.iter().copied());
        let said = "ChromeDriver was started successfully on port ";
        let driver = Driver::start(&mut command, &profile.path().join("driver.log"), said);
        let folder = format!("--user-data-dir={}", profile.path().join("profile").display());
        let arguments = [ARGUMENTS, arguments, &[&folder]].concat();
        let capabilities = json!({
            "goog:chromeOptions": { "args": arguments, "binary": "/usr/bin/chromium" },
            "goog:loggingPrefs": { "browser": "ALL" },
        });
        let browser = Browser::connect(Kind::Chromium, driver, profile, capabilities);
        browser.prefer(&[]);
        browser
    }

    /// Asks Chromium itself (DevTools protocol).
    pub fn devtools(&self, command: &'static str, params: Json) -> Json {
        self.ask_driver("goog/cdp/execute", json!({ "cmd": command, "params": params }))
    }

    fn ask_driver(&self, path: &'static str, body: Json) -> Json {
        self.wait(self.client.issue_cmd(DriverCommand { path, body: body.clone() }))
            .unwrap_or_else(|error| panic!("{body}: {error}"))
    }

    /// Sets the size of the page: a window has a least width, a page has none.
    pub(super) fn resize_page(&self, width: u32, height: u32) {
        let metrics = json!({ "width": width, "height": height, "deviceScaleFactor": 1, "mobile": false });
        self.devtools("Emulation.setDeviceMetricsOverride", metrics);
    }

    /// Sets media features, such as `prefers-color-scheme`; no motion, unless that is among them.
    pub fn prefer(&self, features: &[(&str, &str)]) {
        self.show_as("", features);
    }

    /// Sets the media type, such as `print`, and media features.
    pub fn show_as(&self, media: &str, features: &[(&str, &str)]) {
        let features = [&[("prefers-reduced-motion", "reduce")], features].concat();
        let features: Vec<Json> =
            features.iter().map(|(name, value)| json!({ "name": name, "value": value })).collect();
        self.devtools("Emulation.setEmulatedMedia", json!({ "media": media, "features": features }));
    }

    pub fn switch_scripts(&self, on: bool) {
        self.devtools("Emulation.setScriptExecutionDisabled", json!({ "value": !on }));
    }

    pub(super) fn log(&self) -> Vec<String> {
        let lines = self.ask_driver("se/log", json!({ "type": "browser" }));
        let lines = lines.as_array().cloned().unwrap_or_default();
        let line = |line: Json| line["message"].as_str().unwrap_or_default().to_owned();
        // browsers ask for this of their own accord
        lines.into_iter().map(line).filter(|line| !line.contains("favicon.ico")).collect()
    }
}

/// A command of Chromium's driver.
#[derive(Debug)]
struct DriverCommand {
    path: &'static str,
    body: Json,
}

impl WebDriverCompatibleCommand for DriverCommand {
    fn endpoint(&self, base_url: &url::Url, session_id: Option<&str>) -> Result<url::Url, url::ParseError> {
        base_url.join(&format!("session/{}/{}", session_id.unwrap_or_default(), self.path))
    }

    fn method_and_body(&self, _: &url::Url) -> (http::Method, Option<String>) {
        (http::Method::POST, Some(self.body.to_string()))
    }
}
