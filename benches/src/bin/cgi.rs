//! One CGI call from exec to exit, `add(2, 3)`, against a C program that reads the body and prints a fixed answer; and
//! the peak of its memory.
//!
//! ```sh
//! rustup target add x86_64-unknown-linux-musl      # and Debian's musl-tools
//! cargo build --release --target x86_64-unknown-linux-musl -p rpcgi-benches --bin cgi-add --bin cgi-add-100
//! cargo run --release -p rpcgi-benches --bin cgi
//! ```

use std::fs;
use std::io::{Read, Write, pipe};
use std::path::{Path, PathBuf};
use std::process::Command;

use rpcgi_benches::cgi::{BODY, call, command, install, program};
use rpcgi_benches::{Contender, compare};

/// Builds the C program, by musl's compiler and static.
fn floor() -> PathBuf {
    let program = std::env::temp_dir().join(format!("rpcgi-floor-{}", std::process::id()));
    let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("floor/cgi.c");
    let mut compiler = Command::new("musl-gcc");
    compiler.args(["-O2", "-static", "-no-pie", "-fno-pie", "-o"]).arg(&program).arg(source);
    assert!(compiler.status().expect("musl-gcc is there (Debian: musl-tools)").success());
    let installed = install(&program);
    fs::remove_file(program).expect("it was ours");
    installed
}

/// Returns the peak memory of a program, in KiB, when it wants to write its answer into a full pipe.
fn peak(program: &Path) -> String {
    const PIPE: usize = 4096;

    let (input, mut body) = pipe().expect("a pipe");
    body.write_all(BODY).expect("it fits into the pipe");
    let (mut answer, mut output) = pipe().expect("a pipe");
    rustix::pipe::fcntl_setpipe_size(&output, PIPE).expect("it may be small");
    output.write_all(&[b' '; PIPE]).expect("it fits");
    let mut child = command(program, BODY).stdin(input).stdout(output).spawn().expect("it starts");
    let status = loop {
        let status = fs::read_to_string(format!("/proc/{}/status", child.id())).expect("it has not ended");
        // asleep: all it can wait for is the pipe
        if status.contains("State:\tS") {
            break status;
        }
    };
    let mut rest = Vec::new();
    answer.read_to_end(&mut rest).expect("it ends");
    child.wait().expect("it ends");
    status.lines().find_map(|line| line.strip_prefix("VmHWM:")).unwrap_or("?").trim().to_owned()
}

fn add(program: &Path) {
    call(program, BODY, ">5<");
}

fn main() {
    let floor = floor();
    let (few, many) = (program("cgi-add"), program("cgi-add-100"));
    compare(
        "one CGI call, exec to exit",
        vec![
            Contender::new("C, static musl, fixed answer", || add(&floor)),
            Contender::new("rpcgi, static musl", || add(&few)),
            Contender::new("rpcgi, with 100 methods more", || add(&many)),
        ],
    );
    println!("peak memory: C {}, rpcgi {}, with 100 methods more {}", peak(&floor), peak(&few), peak(&many));
    for program in [floor, few, many] {
        fs::remove_file(program).expect("it was ours");
    }
}
