//! A program that runs: what it is told, what it says, and its end.
//!
//! It runs in a process group of its own, with all it starts. Whoever holds a [`Process`] moves octets both ways with
//! [`turn`](Process::turn), which waits for whatever comes first; no thread is needed for it. However a process is let
//! go of, nothing of it is left: no zombie, no descriptor.

use std::io::{self, ErrorKind, Read, Write};
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::os::unix::process::{CommandExt, ExitStatusExt};
use std::process::{Child, ChildStdin, Command, ExitStatus, Stdio};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::io::Errno;
use rustix::process::{Pid, Signal, WaitId, WaitIdOptions, kill_process_group, waitid};

use super::signals;

/// How long a process has between TERM and KILL.
const GRACE: Duration = Duration::from_secs(2);

/// How long a process may take to end by itself when its standard input has.
const FAREWELL: Duration = Duration::from_secs(1);

/// How long what a program has started may keep its pipes open when it has ended itself.
const LINGER: Duration = Duration::from_millis(500);

/// The exit status of a program that was ended by TERM.
const INTERRUPTED_STATUS: i32 = 128 + 15;

/// How often a system without descriptors for processes looks whether one has ended.
const LOOK: Duration = Duration::from_millis(10);

/// Octets read at a time: what a pipe has, but most answers are short.
const BUFFER: usize = 64 << 10;
const SMALL_BUFFER: usize = 4 << 10;

/// The most octets of standard error that are kept: more than anybody reads in a log.
const MOST_COMPLAINTS: usize = 1 << 20;

/// A program that runs.
pub(super) struct Process {
    child: Child,
    /// Readable when it has ended, where the system has such descriptors.
    end: Option<OwnedFd>,
    stdin: Option<ChildStdin>,
    stdout: Stream<std::process::ChildStdout>,
    stderr: Stream<std::process::ChildStderr>,
    /// Since when it is seen to have ended.
    ended: Option<Instant>,
    is_reaped: bool,
}

/// A pipe from a process, and what has come through it and was not taken.
struct Stream<R> {
    pipe: Option<R>,
    octets: Vec<u8>,
    most: usize,
    /// Whether more has come than may.
    is_over: bool,
}

/// What a turn has come to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Turn {
    /// There is time left.
    Moved,
    /// There is none.
    Late,
}

/// The groups of programs that run, and whether any more may.
static RUNNING: Mutex<Running> = Mutex::new(Running { groups: Vec::new(), is_closed: false });

struct Running {
    groups: Vec<Pid>,
    is_closed: bool,
}

fn running() -> MutexGuard<'static, Running> {
    RUNNING.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Ends all programs that run, and lets no more start: whoever waits for them is about to end itself.
pub(crate) fn end_all() {
    let deadline = Instant::now() + LINGER;
    let signal_all = |running: &Running, signal| running.groups.iter().for_each(|group| send(*group, signal));
    let mut all = running();
    all.is_closed = true;
    signal_all(&all, Signal::TERM);
    while !all.groups.is_empty() && Instant::now() < deadline {
        drop(all);
        std::thread::sleep(LOOK);
        all = running();
    }
    // those that nobody has taken leave of: their numbers are still theirs
    signal_all(&all, Signal::KILL);
}

/// Lets programs end by themselves, as those do that find the end of their input, all at a time; then by force.
pub(super) fn dismiss_all(mut processes: Vec<Process>) {
    processes.iter_mut().for_each(Process::close_input);
    for (signal, time) in [(None, FAREWELL), (Some(Signal::TERM), GRACE)] {
        let deadline = Instant::now() + time;
        processes.iter().for_each(|process| signal.into_iter().for_each(|signal| process.signal(signal)));
        processes.iter_mut().for_each(|process| process.wait_for_end(deadline));
    }
    processes.into_iter().for_each(Process::kill);
}

impl Process {
    /// Starts a program. More octets than `most` must not come from it before somebody takes them.
    ///
    /// # Errors
    /// If it cannot be started.
    pub(super) fn start(command: &mut Command, most: usize) -> io::Result<Process> {
        let command = command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        signals::prepare();
        let mut child = {
            let mut running = running();
            if running.is_closed {
                return Err(io::Error::other("rpcgi is about to end"));
            }
            let child = command.process_group(0).spawn()?;
            running.groups.push(Pid::from_child(&child));
            signals::programs_run(true);
            child
        };
        let (stdin, stdout, stderr) = (child.stdin.take(), child.stdout.take(), child.stderr.take());
        let process = Process {
            end: descriptor(&child),
            child,
            stdin,
            stdout: Stream { pipe: stdout, octets: Vec::new(), most, is_over: false },
            stderr: Stream { pipe: stderr, octets: Vec::new(), most: MOST_COMPLAINTS, is_over: false },
            ended: None,
            is_reaped: false,
        };
        for pipe in process.pipes() {
            rustix::io::ioctl_fionbio(pipe, true)?;
        }
        Ok(process)
    }

    fn pipes(&self) -> impl Iterator<Item = BorrowedFd<'_>> {
        let stdin = self.stdin.as_ref().map(AsFd::as_fd);
        let stdout = self.stdout.pipe.as_ref().map(AsFd::as_fd);
        let stderr = self.stderr.pipe.as_ref().map(AsFd::as_fd);
        stdin.into_iter().chain(stdout).chain(stderr)
    }

    /// Waits until something can be moved, moves it, and takes what it could write from the front of `input`.
    ///
    /// # Errors
    /// If the system does not do its part.
    pub(super) fn turn(&mut self, input: &mut &[u8], deadline: Instant) -> io::Result<Turn> {
        let [write, out, err, end, interrupted] = self.wait(!input.is_empty(), deadline)?;
        if interrupted {
            end_all();
            std::process::exit(INTERRUPTED_STATUS);
        }
        if write {
            self.write(input);
        }
        if out {
            self.stdout.read();
        }
        if err {
            self.stderr.read();
        }
        if end && self.ended.is_none() && self.has_exited() {
            self.ended = Some(Instant::now());
        }
        // a program that never rests is late too
        Ok(if Instant::now() < deadline { Turn::Moved } else { Turn::Late })
    }

    /// Which of the pipes, and the end, can be attended to.
    fn wait(&self, has_input: bool, deadline: Instant) -> io::Result<[bool; 5]> {
        let until_end = self.ended.is_none();
        let sources = [
            (self.stdin.as_ref().filter(|_| has_input).map(AsFd::as_fd), PollFlags::OUT),
            (self.stdout.pipe.as_ref().map(AsFd::as_fd), PollFlags::IN),
            (self.stderr.pipe.as_ref().map(AsFd::as_fd), PollFlags::IN),
            (self.end.as_ref().filter(|_| until_end).map(AsFd::as_fd), PollFlags::IN),
            (signals::interrupted(), PollFlags::IN),
        ];
        let watched = || sources.iter().enumerate().filter_map(|(index, (source, _))| source.map(|_| index));
        let source = |(source, flags)| Some(PollFd::from_borrowed_fd(source?, flags));
        let mut polled: Vec<PollFd<'_>> = sources.into_iter().filter_map(source).collect();
        let mut left = deadline.saturating_duration_since(Instant::now());
        let must_look = until_end && self.end.is_none();
        if must_look {
            left = left.min(LOOK);
        }
        match poll(&mut polled, Timespec::try_from(left).ok().as_ref()) {
            Ok(_) | Err(Errno::INTR) => {}
            Err(error) => return Err(error.into()),
        }
        let mut ready = [false, false, false, must_look, false];
        for (index, polled) in watched().zip(&polled) {
            ready[index] = !polled.revents().is_empty();
        }
        Ok(ready)
    }

    fn write(&mut self, input: &mut &[u8]) {
        let Some(stdin) = &mut self.stdin else { return };
        match stdin.write(input) {
            Ok(count) => *input = &input[count..],
            Err(error) if matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::Interrupted) => {}
            // it reads no more
            Err(_) => self.stdin = None,
        }
    }

    /// Tells it that nothing more will come.
    pub(super) fn close_input(&mut self) {
        self.stdin = None;
    }

    /// Whether it still reads.
    pub(super) fn reads(&self) -> bool {
        self.stdin.is_some()
    }

    /// Whether it has ended, without taking leave of it: its group keeps its number until then.
    pub(super) fn has_exited(&self) -> bool {
        let options = WaitIdOptions::EXITED | WaitIdOptions::NOHANG | WaitIdOptions::NOWAIT;
        !matches!(waitid(WaitId::Pid(self.pid()), options), Ok(None))
    }

    /// Whether it has ended and nothing more will come: its pipes are closed, or what it has started keeps them open
    /// for longer than it should.
    pub(super) fn is_over(&self) -> bool {
        let are_closed = self.stdout.pipe.is_none() && self.stderr.pipe.is_none();
        self.ended.is_some_and(|ended| are_closed || ended.elapsed() >= LINGER)
    }

    /// Until when to wait at most, with this deadline.
    pub(super) fn until(&self, deadline: Instant) -> Instant {
        self.ended.map_or(deadline, |ended| deadline.min(ended + LINGER))
    }

    /// What it has written and nobody has taken.
    pub(super) fn output(&mut self) -> &mut Vec<u8> {
        &mut self.stdout.octets
    }

    /// Whether it has written more than it may.
    pub(super) fn writes_too_much(&self) -> bool {
        self.stdout.is_over
    }

    /// How much of what it has said nobody has taken.
    pub(super) fn said(&self) -> usize {
        self.stdout.octets.len() + self.stderr.octets.len()
    }

    /// Whether it will write no more.
    pub(super) fn is_silent(&self) -> bool {
        self.stdout.pipe.is_none()
    }

    /// Takes what it has written to standard error.
    pub(super) fn complaints(&mut self) -> Vec<u8> {
        let mut complaints = std::mem::take(&mut self.stderr.octets);
        if std::mem::take(&mut self.stderr.is_over) {
            complaints.extend_from_slice(b"\n(there was more)");
        }
        complaints
    }

    /// Gives one that has closed its output the time to end.
    pub(super) fn let_end(&mut self) {
        if self.is_silent() {
            self.wait_for_end(Instant::now() + FAREWELL);
        }
    }

    /// Takes leave of a program that has ended. What it has started goes on if it has let go of the pipes, and ends if
    /// it has not.
    pub(super) fn finish(mut self) -> io::Result<ExitStatus> {
        if self.stdout.pipe.is_some() || self.stderr.pipe.is_some() {
            self.signal(Signal::KILL);
        }
        self.reap()
    }

    /// Ends it, with all that is in its group.
    pub(super) fn end(mut self) {
        self.signal(Signal::TERM);
        self.wait_for_end(Instant::now() + GRACE);
        self.kill();
    }

    fn kill(mut self) {
        self.signal(Signal::KILL);
        // nothing withstands that, and what it says is not of interest
        _ = self.reap();
    }

    /// Waits for its end, and for that of whatever it has started that still has its pipes.
    fn wait_for_end(&mut self, deadline: Instant) {
        let has_pipes = |process: &Process| process.stdout.pipe.is_some() || process.stderr.pipe.is_some();
        while (!self.has_exited() || has_pipes(self)) && Instant::now() < deadline {
            // what it still writes must not keep it from ending
            self.stdout.octets.clear();
            if self.turn(&mut &[][..], deadline).is_err() {
                std::thread::sleep(LOOK);
            }
        }
    }

    fn signal(&self, signal: Signal) {
        send(self.pid(), signal);
    }

    fn reap(&mut self) -> io::Result<ExitStatus> {
        self.is_reaped = true;
        {
            // before its number can be another's
            let mut running = running();
            running.groups.retain(|group| *group != self.pid());
            signals::programs_run(!running.groups.is_empty());
        }
        self.child.wait()
    }

    fn pid(&self) -> Pid {
        Pid::from_child(&self.child)
    }
}

/// Sends a signal to a group; it fails if all in it have ended.
fn send(group: Pid, signal: Signal) {
    _ = kill_process_group(group, signal);
}

impl Drop for Process {
    fn drop(&mut self) {
        if !self.is_reaped {
            self.signal(Signal::KILL);
            _ = self.reap();
        }
    }
}

impl<R: Read> Stream<R> {
    fn read(&mut self) {
        let Some(pipe) = &mut self.pipe else { return };
        let start = self.octets.len();
        let room = start.clamp(SMALL_BUFFER, BUFFER);
        self.octets.resize(start + room, 0);
        let read = pipe.read(&mut self.octets[start..]);
        self.octets.truncate(start + *read.as_ref().unwrap_or(&0));
        match read {
            Err(error) if matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::Interrupted) => {}
            Ok(0) | Err(_) => self.pipe = None,
            Ok(_) if self.octets.len() > self.most => {
                self.octets.truncate(self.most);
                self.is_over = true;
            }
            Ok(_) => {}
        }
    }
}

#[cfg(target_os = "linux")]
fn descriptor(child: &Child) -> Option<OwnedFd> {
    rustix::process::pidfd_open(Pid::from_child(child), rustix::process::PidfdFlags::empty()).ok()
}

#[cfg(not(target_os = "linux"))]
fn descriptor(_: &Child) -> Option<OwnedFd> {
    None
}

/// How a program ended, in words.
pub(super) fn in_words(status: ExitStatus) -> String {
    match (status.code(), status.signal()) {
        (Some(code), _) => format!("ended with status {code}"),
        (None, Some(signal)) => format!("was ended by signal {signal}"),
        (None, None) => "ended".into(),
    }
}
