//! `FIRST-STEPS.md`, done as it is written: what is in its boxes is pasted, and what comes out is what it says.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use super::{rpcgi, text};
use crate::harness::{example, soon};
use crate::web_servers::{WebServer, free_port};

/// A box of the guide: its language, the file that it is, and its text.
struct Block {
    language: String,
    title: Option<String>,
    text: String,
}

/// Returns the boxes of a section.
fn blocks(section: &str) -> Vec<Block> {
    let guide = fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("FIRST-STEPS.md")).expect("it is there");
    let (_, rest) = guide.split_once(&format!("\n## {section}\n")).unwrap_or_else(|| panic!("no {section}"));
    let section = rest.split("\n## ").next().unwrap_or_default();
    let mut blocks = Vec::new();
    for (index, part) in section.split("```").enumerate() {
        if index % 2 == 0 {
            continue;
        }
        let (head, text) = part.split_once('\n').expect("a box has a first line");
        let (language, title) =
            head.split_once(" title=").map_or((head, None), |(language, title)| (language, Some(title)));
        blocks.push(Block { language: language.to_owned(), title: title.map(str::to_owned), text: text.to_owned() });
    }
    blocks
}

/// A machine for one of the five: a folder in which its paths are, and what it has started.
struct Machine {
    folder: tempfile::TempDir,
    address: Option<String>,
    children: Vec<Child>,
    /// Where commands run.
    work: PathBuf,
    /// In place of 8000 and 8001, which other programs may have.
    port: u16,
}

impl Drop for Machine {
    fn drop(&mut self) {
        for child in &mut self.children {
            // it may have ended by itself
            _ = child.kill();
            _ = child.wait();
        }
    }
}

impl Machine {
    fn new() -> Machine {
        let folder = tempfile::tempdir().expect("a folder");
        let open = |path: &Path| fs::set_permissions(path, fs::Permissions::from_mode(0o755)).expect("it is ours");
        open(folder.path());
        for name in ["home/cgi-bin", "srv", "bin", "run", "etc/systemd/system", "work"] {
            fs::create_dir_all(folder.path().join(name)).expect("it is ours");
            open(&folder.path().join(name));
        }
        fs::copy(rpcgi(), folder.path().join("work/rpcgi")).expect("there is room");
        let work = folder.path().join("work");
        Machine { folder, address: None, children: Vec::new(), work, port: free_port() }
    }

    /// Puts this machine's paths in place of those in the guide.
    fn here(&self, text: &str) -> String {
        let root = self.folder.path().display();
        let mut text = text.to_owned();
        for (there, here) in
            [("/home/ann", "home"), ("/srv/rpcgi", "srv"), ("/run/rpcgi", "run"), ("/usr/local/bin", "bin")]
        {
            text = text.replace(there, &format!("{root}/{here}"));
        }
        text = text.replace("sudo ", "");
        for port in ["8000", "8001"] {
            text = text.replace(port, &self.port.to_string());
        }
        match &self.address {
            Some(address) => text.replace("https://ann.example", address),
            None => text,
        }
    }

    fn write(&self, name: &str, text: &str) {
        let path = match name.strip_prefix('/') {
            Some(rest) => self.folder.path().join(rest),
            None => self.work.join(name),
        };
        fs::create_dir_all(path.parent().expect("it has a folder")).expect("it is ours");
        fs::write(path, self.here(text)).expect("it is ours");
    }

    /// Runs what is in a box, as a shell does, and returns what it writes.
    fn shell(&self, text: &str) -> String {
        let path = format!(
            "{0}/bin:{0}/work:/usr/bin:/bin:{1}",
            self.folder.path().display(),
            std::env::var("PATH").unwrap_or_default()
        );
        // what it leaves running ends with it
        let script = format!("trap 'kill $(jobs -p) 2> /dev/null || true' EXIT\n{}", self.here(text));
        let output = Command::new("bash")
            .args(["-euc", &script])
            .current_dir(&self.work)
            .env("PATH", path)
            .env("HOME", self.folder.path())
            .stdin(Stdio::null())
            .output()
            .expect("bash is there");
        assert!(output.status.success(), "{text}\n{}{}", text_of(&output.stdout), text_of(&output.stderr));
        text_of(&output.stdout)
    }

    /// Does what commands of `lftp` do, from the folder of work to the account.
    fn upload(&self, commands: &str) {
        for line in commands.lines() {
            let words: Vec<&str> = line.split(' ').collect();
            let there = |name: &str| self.folder.path().join("home").join(name);
            match words[..] {
                ["mkdir", name] => fs::create_dir_all(there(name)).expect("it is ours"),
                ["put", name, "-o", to] => drop(fs::copy(self.work.join(name), there(to)).expect("it is there")),
                ["chmod", mode, name] => {
                    let mode = u32::from_str_radix(mode, 8).expect("a mode");
                    fs::set_permissions(there(name), fs::Permissions::from_mode(mode)).expect("it is there");
                }
                _ => panic!("{line}"),
            }
        }
    }

    /// Starts what a unit of systemd would.
    fn start_unit(&mut self, unit: &str) {
        let line = unit.lines().find_map(|line| line.strip_prefix("ExecStart=")).expect("it says what to start");
        let line = self.here(line);
        let mut words = line.split(' ');
        let mut command = Command::new(words.next().expect("a program"));
        self.children.push(command.args(words).stdin(Stdio::null()).stdout(Stdio::null()).spawn().expect("it starts"));
        let socket = self.folder.path().join("run/service.sock");
        assert!(soon(|| socket.exists()), "it does not listen");
    }
}

fn text_of(octets: &[u8]) -> String {
    text(octets)
}

/// Starts an Apache with the cgi-bin of an account.
fn host(machine: &mut Machine) -> WebServer {
    let programs = machine.folder.path().join("home/cgi-bin").display().to_string();
    let server = WebServer::apache_with(
        &format!(
            "ScriptAlias \"/cgi-bin/\" \"{programs}/\"\n<Directory \"{programs}\">\nRequire all granted\n</Directory>\n"
        ),
        |_| {},
    );
    machine.address = Some(server.url(""));
    server
}

/// Does what the boxes of a section say, but for those that `other` takes.
fn follow(machine: &mut Machine, section: &str, mut other: impl FnMut(&mut Machine, &Block) -> bool) {
    let mut written = String::new();
    for block in blocks(section) {
        if other(machine, &block) {
            continue;
        }
        match (&*block.language, &block.title) {
            (_, Some(name)) => machine.write(name, &block.text),
            ("sh", None) => written = machine.shell(&block.text),
            ("lftp", None) => machine.upload(&block.text),
            ("text", None) => assert_eq!(written.trim_end(), machine.here(&block.text).trim_end(), "{section}"),
            (language, None) => panic!("{section}: what is to be done with {language}?"),
        }
    }
}

#[test]
fn with_an_ftp_account_and_with_only_a_url() {
    let mut machine = Machine::new();
    let server = host(&mut machine);
    follow(&mut machine, "With an FTP account and a cgi-bin", |_, block| block.language == "apache");
    follow(&mut machine, "With only a URL to call", |_, _| false);
    assert!(!server.log().contains("rpcgi: error"), "{}", server.log());
}

#[test]
fn without_a_cgi_bin() {
    let machine = Machine::new();
    let blocks = blocks("With an FTP account and a cgi-bin");
    let of = |name: &str| {
        let block = blocks.iter().find(|block| block.title.as_deref() == Some(name)).expect("it is there");
        machine.here(&block.text)
    };
    fs::create_dir_all(machine.folder.path().join("home/bin")).unwrap();
    fs::copy(rpcgi(), machine.folder.path().join("home/bin/rpcgi")).unwrap();
    let server = WebServer::apache_with(
        "DocumentRoot \"ROOT/www\"\n<Directory \"ROOT/www\">\nRequire all granted\nAllowOverride All\n</Directory>\n",
        |root| {
            for name in ["bikes.py", "bikes.cgi", ".htaccess"] {
                fs::write(root.join("www").join(name), of(name)).unwrap();
            }
            fs::set_permissions(root.join("www/bikes.cgi"), fs::Permissions::from_mode(0o755)).unwrap();
        },
    );
    let call = super::request("price", serde_json::json!([3]));
    let head = format!("POST /bikes.cgi HTTP/1.0\r\nContent-Type: application/json\r\nContent-Length: {}", call.len());
    let answer = server.send(&head, &call);
    assert!(answer.contains("\"result\":13.5"), "{answer}{}", server.log());
    let source = server.send("GET /bikes.py HTTP/1.0", "");
    assert!(source.starts_with("HTTP/1.1 403"), "{source}");
}

#[test]
fn with_a_server_of_ones_own_and_nginx() {
    let mut machine = Machine::new();
    let mut server = None;
    let mut unit = String::new();
    follow(&mut machine, "With a server of your own and nginx", |machine, block| match &block.language[..] {
        "ini" => {
            unit.clone_from(&block.text);
            false
        }
        "nginx" => {
            let started = WebServer::nginx_site(&machine.here(&block.text), None);
            machine.address = Some(started.url(""));
            server = Some(started);
            true
        }
        "sh" if block.text.contains("systemctl") => {
            machine.start_unit(&unit);
            true
        }
        // it has just been started with the text
        "sh" if block.text.contains("nginx -s reload") => true,
        _ => false,
    });
    assert!(server.is_some());
}

#[test]
fn with_a_python_script_to_move() {
    let mut machine = Machine::new();
    follow(&mut machine, "With a Python script to move", |_, _| false);
}

#[test]
fn with_rust() {
    let mut machine = Machine::new();
    let program = example("first_steps").display().to_string();
    let source = fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("examples/first_steps.rs")).unwrap();
    let mut written = String::new();
    follow(&mut machine, "With Rust", |machine, block| match &*block.language {
        // it is an example of this repository, and has been built with the others
        "sh" if block.text.contains("cargo new") => true,
        "rust" => {
            assert!(source.ends_with(&block.text), "examples/first_steps.rs is another program");
            true
        }
        "sh" => {
            written = machine.shell(&block.text.replace("cargo run --", &program));
            true
        }
        "text" => {
            assert_eq!(written.trim_end(), machine.here(&block.text).trim_end());
            true
        }
        _ => false,
    });
}
