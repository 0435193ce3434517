//! The descendants of a program, also in sessions and groups of their own.
//!
//! A process group is not enough, because a process may leave it (`setsid`), and neither is the tree of parents: a
//! process whose parent has ended is adopted, by this process where the system lets it. So every program gets a mark in
//! its environment, which its children inherit; one that has wiped its environment is found by its parent. (On Linux;
//! elsewhere there is nothing to look in, and the group has to do.)

use std::fs;
use std::os::unix::fs::MetadataExt;
use std::path::PathBuf;

use rustix::process::{Pid, Signal, kill_process};

/// The variable that marks what belongs to a program.
pub(super) const MARK: &str = "RPCGI_PROCESS";

/// The number of searches before giving up: nothing ends a program that forks faster than that.
const MAX_SEARCHES: usize = 10;

/// A process as `/proc` shows it.
struct ProcessSnapshot {
    pid: i32,
    stat: Stat,
    mark: Mark,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Mark {
    /// One of those that are looked for.
    Own,
    Other,
    None,
}

/// Sends a signal to every process that descends from these roots or has one of these marks, except the roots.
pub(super) fn signal(roots: &[Pid], marks: &[String], signal: Signal) {
    for pid in find(roots, marks) {
        _ = kill_process(pid, signal);
    }
}

/// Kills every process that descends from these roots or has one of these marks, until no more are found.
pub(super) fn kill(roots: &[Pid], marks: &[String]) {
    for _ in 0..MAX_SEARCHES {
        let found = find(roots, marks);
        if found.is_empty() {
            return;
        }
        found.iter().for_each(|pid| _ = kill_process(*pid, Signal::KILL));
    }
}

/// Returns the children of this process that have ended.
pub(super) fn ended_children() -> Vec<Pid> {
    let own = std::process::id().cast_signed();
    let has_ended = |pid: i32| Stat::of(pid).is_some_and(|stat| stat.state == 'Z' && stat.parent == own);
    pids().filter(|pid| has_ended(*pid)).filter_map(Pid::from_raw).collect()
}

fn pids() -> impl Iterator<Item = i32> {
    let entries = fs::read_dir("/proc").into_iter().flatten().flatten();
    entries.filter_map(|entry| entry.file_name().to_str()?.parse().ok())
}

/// Returns the running descendants, without the roots.
fn find(roots: &[Pid], marks: &[String]) -> Vec<Pid> {
    let processes = processes(marks);
    let roots: Vec<i32> = roots.iter().map(|root| root.as_raw_nonzero().get()).collect();
    let begun = roots.iter().filter_map(|root| Stat::of(*root)).map(|stat| stat.started).min().unwrap_or(u64::MAX);
    // adopted, without a mark, and no older: started by a program that wipes the environment of its daemons
    let own = std::process::id().cast_signed();
    let is_orphan =
        |seen: &ProcessSnapshot| seen.mark == Mark::None && seen.stat.parent == own && seen.stat.started >= begun;
    let is_found = |seen: &&ProcessSnapshot| seen.mark == Mark::Own || is_orphan(seen);
    let mut found: Vec<i32> = processes.iter().filter(is_found).map(|seen| seen.pid).collect();
    let mut front = [&roots[..], &found[..]].concat();
    while let Some(parent) = front.pop() {
        for child in processes.iter().filter(|seen| seen.stat.parent == parent) {
            if !found.contains(&child.pid) && !roots.contains(&child.pid) {
                found.push(child.pid);
                front.push(child.pid);
            }
        }
    }
    found.into_iter().filter(|pid| !roots.contains(pid)).filter_map(Pid::from_raw).collect()
}

/// Returns the processes of this user that have not ended.
fn processes(marks: &[String]) -> Vec<ProcessSnapshot> {
    let own = rustix::process::geteuid().as_raw();
    let process = |pid: i32| {
        let path = PathBuf::from(format!("/proc/{pid}"));
        // root may look at all, and need not
        if fs::metadata(&path).ok()?.uid() != own {
            return None;
        }
        let stat = Stat::of(pid).filter(|stat| !matches!(stat.state, 'Z' | 'X'))?;
        let mark = fs::read(path.join("environ")).map_or(Mark::Other, |variables| mark(&variables, marks));
        Some(ProcessSnapshot { pid, stat, mark })
    };
    pids().filter_map(process).collect()
}

/// The state of a process (`/proc/PID/stat`, proc(5)).
struct Stat {
    state: char,
    parent: i32,
    /// In ticks since the machine was started.
    started: u64,
}

impl Stat {
    fn of(pid: i32) -> Option<Stat> {
        let stat = fs::read(format!("/proc/{pid}/stat")).ok()?;
        // the name of the program may have brackets and spaces in it
        let behind = memchr::memrchr(b')', &stat)?;
        let fields: Vec<&str> = std::str::from_utf8(&stat[behind + 1..]).ok()?.split_ascii_whitespace().collect();
        let (state, parent, started) = (fields.first()?, fields.get(1)?, fields.get(19)?);
        Some(Stat { state: state.chars().next()?, parent: parent.parse().ok()?, started: started.parse().ok()? })
    }
}

fn mark(variables: &[u8], marks: &[String]) -> Mark {
    let value = |variable: &'_ [u8]| variable.strip_prefix(MARK.as_bytes())?.strip_prefix(b"=").map(<[u8]>::to_vec);
    let found = variables.split(|octet| *octet == 0).find_map(value);
    match found {
        None => Mark::None,
        Some(found) if marks.iter().any(|mark| mark.as_bytes() == found) => Mark::Own,
        Some(_) => Mark::Other,
    }
}
