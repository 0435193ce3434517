//! Firefox. It has no DevTools protocol: what a reader prefers is a setting that it starts with.

use std::process::Command;

use serde_json::json;

use super::driver::Driver;
use super::{Browser, Kind, Settings};

impl Browser {
    pub(super) fn firefox(settings: Settings) -> Browser {
        let profile = tempfile::tempdir().unwrap();
        let mut command = Command::new("geckodriver");
        command.args(["--port=0", "--websocket-port=0", "--profile-root"]).arg(profile.path());
        // as root it starts in no home but one of root's
        command.env("HOME", profile.path());
        let driver = Driver::start(&mut command, &profile.path().join("driver.log"), "Listening on 127.0.0.1:");
        let preferences = json!({
            "javascript.enabled": !settings.has_no_scripts,
            // 0 is dark, 1 is light
            "layout.css.prefers-color-scheme.content-override": u8::from(!settings.is_dark),
            "ui.prefersReducedMotion": 1,
        });
        let capabilities = json!({
            "moz:firefoxOptions": { "args": ["-headless"], "binary": "/usr/bin/firefox-esr", "prefs": preferences },
        });
        Browser::connect(Kind::Firefox, driver, profile, capabilities)
    }

    /// Sets the size of the window so that the page in it has this size, if a window can be that small.
    pub(super) fn resize_window(&self, width: u32, height: u32) {
        let around = self.run("return [outerWidth - innerWidth, outerHeight - innerHeight]");
        let [wide, high] = [0, 1].map(|index| u32::try_from(around[index].as_u64().unwrap_or_default()).unwrap());
        self.wait(self.client.set_window_size(width + wide, height + high)).unwrap();
    }
}
