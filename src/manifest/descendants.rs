//! What a program has started, and what that has started: also in sessions and groups of their own.
//!
//! A process group is not enough, for anybody may leave it (`setsid`), and neither is the tree of parents: whose parent
//! has ended is adopted, by this process where the system lets it. So every program gets a mark in its environment,
//! which what it starts inherits; and what has wiped its environment is found by its parent. (On Linux; elsewhere there
//! is nothing to look in, and the group has to do.)

use std::fs;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use rustix::process::{Pid, Signal, kill_process};

/// The variable that marks what belongs to a program.
pub(super) const MARK: &str = "RPCGI_PROCESS";

/// How often to look for more before giving up: what forks faster than that is ended by nobody.
const MOST_LOOKS: usize = 10;

/// A process as `/proc` shows it.
struct Seen {
    pid: i32,
    parent: i32,
    is_marked: bool,
}

/// Sends a signal to all that came from these roots or has one of these marks, the roots apart.
pub(super) fn signal(roots: &[Pid], marks: &[String], signal: Signal) {
    for pid in find(roots, marks) {
        _ = kill_process(pid, signal);
    }
}

/// Ends all that came from these roots or has one of these marks: by force, until nothing more is found.
pub(super) fn kill(roots: &[Pid], marks: &[String]) {
    for _ in 0..MOST_LOOKS {
        let found = find(roots, marks);
        if found.is_empty() {
            return;
        }
        found.iter().for_each(|pid| _ = kill_process(*pid, Signal::KILL));
    }
}

/// The children of this process that have ended.
pub(super) fn ended_children() -> Vec<Pid> {
    let own = std::process::id().cast_signed();
    let has_ended = |pid: i32| state(Path::new(&format!("/proc/{pid}"))) == Some(('Z', own));
    pids().filter(|pid| has_ended(*pid)).filter_map(Pid::from_raw).collect()
}

fn pids() -> impl Iterator<Item = i32> {
    let entries = fs::read_dir("/proc").into_iter().flatten().flatten();
    entries.filter_map(|entry| entry.file_name().to_str()?.parse().ok())
}

/// Those that run, the roots apart.
fn find(roots: &[Pid], marks: &[String]) -> Vec<Pid> {
    let processes = processes(marks);
    let roots: Vec<i32> = roots.iter().map(|root| root.as_raw_nonzero().get()).collect();
    let mut found: Vec<i32> = processes.iter().filter(|seen| seen.is_marked).map(|seen| seen.pid).collect();
    let mut front = [&roots[..], &found[..]].concat();
    while let Some(parent) = front.pop() {
        for child in processes.iter().filter(|seen| seen.parent == parent) {
            if !found.contains(&child.pid) && !roots.contains(&child.pid) {
                found.push(child.pid);
                front.push(child.pid);
            }
        }
    }
    found.into_iter().filter(|pid| !roots.contains(pid)).filter_map(Pid::from_raw).collect()
}

/// The processes of this user that have not ended.
fn processes(marks: &[String]) -> Vec<Seen> {
    let own = rustix::process::geteuid().as_raw();
    let process = |pid: i32| {
        let path = PathBuf::from(format!("/proc/{pid}"));
        // root may look at all, and need not
        if fs::metadata(&path).ok()?.uid() != own {
            return None;
        }
        let (state, parent) = state(&path)?;
        let is_marked = fs::read(path.join("environ")).is_ok_and(|variables| has_mark(&variables, marks));
        (!matches!(state, 'Z' | 'X')).then_some(Seen { pid, parent, is_marked })
    };
    pids().filter_map(process).collect()
}

/// In which state it is, and its parent: the fields behind the name, which may have brackets in it (proc(5)).
fn state(path: &Path) -> Option<(char, i32)> {
    let stat = fs::read(path.join("stat")).ok()?;
    let behind = memchr::memrchr(b')', &stat)?;
    let mut fields = std::str::from_utf8(&stat[behind + 1..]).ok()?.split_ascii_whitespace();
    Some((fields.next()?.chars().next()?, fields.next()?.parse().ok()?))
}

fn has_mark(variables: &[u8], marks: &[String]) -> bool {
    let value = |variable: &[u8]| variable.strip_prefix(MARK.as_bytes())?.strip_prefix(b"=").map(<[u8]>::to_vec);
    let mut values = variables.split(|octet| *octet == 0).filter_map(value);
    values.any(|value| marks.iter().any(|mark| mark.as_bytes() == value))
}
