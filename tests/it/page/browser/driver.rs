//! The programs that drive browsers.

use std::fs::{self, File};
use std::path::Path;
use std::process::{Child, Command, Stdio};

use crate::harness::wait_for;

/// A driver, ended when it is let go.
pub struct Driver {
    process: Child,
    port: u16,
}

impl Driver {
    /// Starts a driver that chooses a free port, and says it in a line after these words. Of several started at once,
    /// one now and then ends without: it is started anew.
    pub fn start(command: &mut Command, log: &Path, words: &str) -> Driver {
        let name = command.get_program().to_string_lossy().into_owned();
        let started = (0..10).find_map(|_| try_to_start(command, log, words));
        started.unwrap_or_else(|| panic!("{name} says its port: {:?}", fs::read_to_string(log)))
    }

    pub fn url(&self) -> String {
        format!("http://127.0.0.1:{}", self.port)
    }
}

impl Drop for Driver {
    fn drop(&mut self) {
        _ = self.process.kill();
        _ = self.process.wait();
    }
}

fn try_to_start(command: &mut Command, log: &Path, words: &str) -> Option<Driver> {
    // a file, since a pipe that is not read to the end would stop a driver that goes on to write
    command.stdin(Stdio::null()).stdout(File::create(log).unwrap()).stderr(Stdio::null());
    let process = command
        .spawn()
        .unwrap_or_else(|error| panic!("{:?} is installed: `tests/run` does that; but {error}", command.get_program()));
    let mut driver = Driver { process, port: 0 };
    let port = wait_for(|| {
        let has_ended = driver.process.try_wait().is_ok_and(|status| status.is_some());
        let port = port_in(&fs::read_to_string(log).unwrap_or_default(), words);
        (port.is_some() || has_ended).then_some(port)
    });
    driver.port = port.flatten()?;
    Some(driver)
}

fn port_in(text: &str, words: &str) -> Option<u16> {
    // a whole line, or its port may be half written
    let (line, _) = text.split_once(words)?.1.split_once('\n')?;
    line.trim_end_matches('.').parse().ok()
}
