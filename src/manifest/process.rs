//! A running program: its input, its output, and its end.
//!
//! It runs in a process group of its own, and its descendants are known by a mark (`descendants`). The holder of a
//! [`Process`] moves octets both ways with [`turn`](Process::turn), which waits for the first event; no thread is
//! needed. However a process is dropped, nothing of it is left: no zombie, no descriptor.

use std::fs::File;
use std::io::{self, ErrorKind, Read as _, Write};
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::os::unix::net::UnixStream;
use std::os::unix::process::{CommandExt, ExitStatusExt};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::io::Errno;
use rustix::process::{Pid, Signal, WaitId, WaitIdOptions, kill_process_group, waitid};

use super::{descendants, signals};

/// The time between TERM and KILL.
const GRACE: Duration = Duration::from_secs(2);

/// The time a process has to end by itself after its standard input has ended.
const FAREWELL: Duration = Duration::from_secs(1);

/// The time that the children of an ended program may keep its pipes open.
const LINGER: Duration = Duration::from_millis(500);

/// The time between TERM and KILL for programs when rpcgi itself is told to end. Apache's mod_cgid keeps the client's
/// connection waiting for that end.
const LAST_MOMENT: Duration = Duration::from_millis(40);

/// The interval between two looks at programs that were told to end.
const SHORT_LOOK: Duration = Duration::from_millis(2);

/// The exit status of a program that was ended by TERM.
const INTERRUPTED_STATUS: i32 = 128 + 15;

/// The interval between two checks whether a process has ended, on a system without descriptors for processes.
const LOOK: Duration = Duration::from_millis(10);

/// Octets read at a time: what a pipe holds, but less at first, because most answers are short.
const BUFFER: usize = 64 << 10;
const SMALL_BUFFER: usize = 4 << 10;

/// The most octets of standard error that are kept: more than an operator reads in a log.
const MAX_STDERR: usize = 1 << 20;

/// A running program.
pub(super) struct Process {
    child: Child,
    /// Readable when it has ended, where the system has such descriptors.
    end: Option<OwnedFd>,
    stdin: Option<File>,
    stdout: Stream,
    stderr: Stream,
    /// Set if its input and output are one socket, whose halves end one by one.
    is_on_socket: bool,
    /// The time at which it was seen to have ended.
    ended: Option<Instant>,
    is_reaped: bool,
    /// The mark in its environment, which its children inherit.
    mark: String,
}

/// Our ends of what leads to a process and from it.
struct Ends {
    stdin: Option<File>,
    stdout: Option<File>,
    stderr: Option<File>,
}

/// A pipe from a process, and the octets that have come through it and were not taken.
struct Stream {
    pipe: Option<File>,
    octets: Vec<u8>,
    most: usize,
    /// Set if more than `most` octets have come.
    is_over: bool,
}

/// The outcome of one read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Read {
    Octets,
    /// Nothing is there now.
    Nothing,
    End,
}

/// The outcome of a turn.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Turn {
    /// There is time left.
    Moved,
    /// The deadline has passed.
    Late,
}

/// The programs that run, and whether more may start.
static RUNNING: Mutex<Running> = Mutex::new(Running { programs: Vec::new(), is_closed: false });

struct Running {
    /// The leader of each group, with its mark.
    programs: Vec<(Pid, String)>,
    is_closed: bool,
}

impl Running {
    fn leaders(&self) -> Vec<Pid> {
        self.programs.iter().map(|(leader, _)| *leader).collect()
    }

    fn marks(&self) -> Vec<String> {
        self.programs.iter().map(|(_, mark)| mark.clone()).collect()
    }

    fn have_exited(&self) -> bool {
        self.programs.iter().all(|(leader, _)| has_exited(*leader))
    }
}

fn running() -> MutexGuard<'static, Running> {
    RUNNING.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Ends all running programs, with all that they have started, and lets no more start: the caller is about to end the
/// process.
pub(crate) fn end_all() {
    let mut all = running();
    all.is_closed = true;
    if all.programs.is_empty() {
        return;
    }
    let deadline = Instant::now() + LAST_MOMENT;
    let signal_all = |running: &Running, signal| running.leaders().into_iter().for_each(|group| send(group, signal));
    let marks = all.marks();
    let roots = all.leaders();
    signal_all(&all, Signal::TERM);
    descendants::signal(&roots, &marks, Signal::TERM);
    while !all.have_exited() && Instant::now() < deadline {
        drop(all);
        std::thread::sleep(SHORT_LOOK);
        all = running();
    }
    // programs that are not reaped yet: their numbers are still theirs
    signal_all(&all, Signal::KILL);
    descendants::kill(&roots, &marks);
}

/// Reaps what programs have left behind and this process has adopted: no other process would.
pub(crate) fn reap_adopted() {
    let all = running();
    let peek = WaitIdOptions::EXITED | WaitIdOptions::NOHANG | WaitIdOptions::NOWAIT;
    // mostly nothing has ended
    if !matches!(waitid(WaitId::All, peek), Ok(Some(_))) {
        return;
    }
    let leaders = all.leaders();
    for pid in descendants::ended_children().into_iter().filter(|pid| !leaders.contains(pid)) {
        _ = waitid(WaitId::Pid(pid), WaitIdOptions::EXITED | WaitIdOptions::NOHANG);
    }
}

/// Starts a program in a group of its own, with a mark by which its descendants are known.
fn spawn(command: &mut Command) -> io::Result<(Child, String)> {
    let mark = new_mark();
    command.env(descendants::MARK, &mark);
    signals::prepare();
    let mut running = running();
    if running.is_closed {
        return Err(io::Error::other("rpcgi is about to end"));
    }
    let child = command.process_group(0).spawn()?;
    running.programs.push((Pid::from_child(&child), mark.clone()));
    signals::programs_run(true);
    Ok((child, mark))
}

/// Returns a mark that no other process has.
fn new_mark() -> String {
    static COUNT: AtomicU64 = AtomicU64::new(0);

    format!("{}-{}", std::process::id(), COUNT.fetch_add(1, Ordering::Relaxed))
}

/// Tests if a child has ended, without reaping it: its group keeps its number until then.
fn has_exited(leader: Pid) -> bool {
    let options = WaitIdOptions::EXITED | WaitIdOptions::NOHANG | WaitIdOptions::NOWAIT;
    !matches!(waitid(WaitId::Pid(leader), options), Ok(None))
}

/// Ends programs together: closes their input, at which they should end by themselves, then uses force.
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
    /// Starts a program, which may write at most `most` octets before the caller takes them.
    ///
    /// # Errors
    /// If it cannot be started.
    pub(super) fn start(command: &mut Command, most: usize) -> io::Result<Process> {
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let (mut child, mark) = spawn(command)?;
        let ends = Ends {
            stdin: child.stdin.take().map(|pipe| OwnedFd::from(pipe).into()),
            stdout: child.stdout.take().map(|pipe| OwnedFd::from(pipe).into()),
            stderr: child.stderr.take().map(|pipe| OwnedFd::from(pipe).into()),
        };
        Process::new(child, mark, ends, most)
    }

    /// Starts a program whose standard input is a socket, for its input and its output. What it writes to standard
    /// output and standard error is for the log.
    ///
    /// # Errors
    /// If it cannot be started.
    pub(super) fn start_on_socket(mut command: Command, most: usize) -> io::Result<Process> {
        let (ours, theirs) = UnixStream::pair()?;
        let (log, log_end) = io::pipe()?;
        command.stdin(OwnedFd::from(theirs)).stdout(log_end.try_clone()?).stderr(log_end);
        let (child, mark) = spawn(&mut command)?;
        // it holds their ends, which would never be closed
        drop(command);
        let ends = Ends {
            stdin: Some(OwnedFd::from(ours.try_clone()?).into()),
            stdout: Some(OwnedFd::from(ours).into()),
            stderr: Some(OwnedFd::from(log).into()),
        };
        let mut process = Process::new(child, mark, ends, most)?;
        process.is_on_socket = true;
        Ok(process)
    }

    fn new(child: Child, mark: String, ends: Ends, most: usize) -> io::Result<Process> {
        let process = Process {
            end: descriptor(&child),
            child,
            stdin: ends.stdin,
            stdout: Stream::new(ends.stdout, most),
            stderr: Stream::new(ends.stderr, MAX_STDERR),
            is_on_socket: false,
            ended: None,
            is_reaped: false,
            mark,
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
    /// If the system fails: the octets that have come are not all there are.
    pub(super) fn turn(&mut self, input: &mut &[u8], deadline: Instant) -> io::Result<Turn> {
        self.turn_or_wake(input, deadline, None)
    }

    /// Does the same, but waits no longer than until `waker` can be read.
    ///
    /// # Errors
    /// As for `turn`.
    pub(super) fn turn_until_woken(
        &mut self,
        input: &mut &[u8],
        deadline: Instant,
        waker: impl AsFd,
    ) -> io::Result<Turn> {
        self.turn_or_wake(input, deadline, Some(waker.as_fd()))
    }

    fn turn_or_wake(
        &mut self,
        input: &mut &[u8],
        deadline: Instant,
        waker: Option<BorrowedFd<'_>>,
    ) -> io::Result<Turn> {
        let [write, out, err, end, interrupted, _] = self.wait(!input.is_empty(), deadline, waker)?;
        if interrupted {
            end_all();
            std::process::exit(INTERRUPTED_STATUS);
        }
        if write {
            self.write(input)?;
        }
        if out {
            self.stdout.read()?;
        }
        if err {
            self.stderr.read()?;
        }
        if end && self.ended.is_none() && self.has_exited() {
            self.ended = Some(Instant::now());
        }
        // a program that never rests is late too
        Ok(if Instant::now() < deadline { Turn::Moved } else { Turn::Late })
    }

    /// Waits, and returns which of stdin, stdout, stderr, the end, a signal and the waker are ready.
    fn wait(&self, has_input: bool, deadline: Instant, waker: Option<BorrowedFd<'_>>) -> io::Result<[bool; 6]> {
        let until_end = self.ended.is_none();
        let sources = [
            (self.stdin.as_ref().filter(|_| has_input).map(AsFd::as_fd), PollFlags::OUT),
            (self.stdout.pipe.as_ref().map(AsFd::as_fd), PollFlags::IN),
            (self.stderr.pipe.as_ref().map(AsFd::as_fd), PollFlags::IN),
            (self.end.as_ref().filter(|_| until_end).map(AsFd::as_fd), PollFlags::IN),
            (signals::interrupted(), PollFlags::IN),
            (waker, PollFlags::IN),
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
        let mut ready = [false, false, false, must_look, false, false];
        for (index, polled) in watched().zip(&polled) {
            ready[index] = !polled.revents().is_empty();
        }
        Ok(ready)
    }

    /// Takes what it could write at once from the front of `input`.
    ///
    /// # Errors
    /// If the system fails.
    pub(super) fn write(&mut self, input: &mut &[u8]) -> io::Result<()> {
        let Some(stdin) = &mut self.stdin else { return Ok(()) };
        match stdin.write(input) {
            Ok(count) => *input = &input[count..],
            Err(error) if matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::Interrupted) => {}
            // it reads no more, which is its right
            Err(error) if error.kind() == ErrorKind::BrokenPipe => self.stdin = None,
            Err(error) => {
                self.stdin = None;
                return Err(error);
            }
        }
        Ok(())
    }

    /// Tells it that nothing more will come.
    pub(super) fn close_input(&mut self) {
        if let Some(socket) = self.stdin.take().filter(|_| self.is_on_socket) {
            // the other half is still read; a peer that is gone needs no sign
            _ = rustix::net::shutdown(&socket, rustix::net::Shutdown::Write);
        }
    }

    /// Tests whether it still reads.
    pub(super) fn reads(&self) -> bool {
        self.stdin.is_some()
    }

    /// Tests if it has ended, without reaping it.
    pub(super) fn has_exited(&self) -> bool {
        has_exited(self.pid())
    }

    /// Tests if it had ended at the last turn.
    pub(super) fn has_ended(&self) -> bool {
        match self.end {
            Some(_) => self.ended.is_some(),
            None => self.has_exited(),
        }
    }

    /// Tests if it has ended and no more output will come: its pipes are closed, or its children keep them open for too
    /// long and they are empty. Time alone is no sign of that: this process may have stood still.
    ///
    /// # Errors
    /// If the pipes cannot be read.
    pub(super) fn is_over(&mut self) -> io::Result<bool> {
        let are_closed = self.stdout.pipe.is_none() && self.stderr.pipe.is_none();
        match self.ended {
            Some(_) if are_closed => Ok(true),
            Some(ended) if ended.elapsed() >= LINGER => {
                let read = [self.stdout.read()?, self.stderr.read()?];
                Ok(!read.contains(&Read::Octets))
            }
            _ => Ok(false),
        }
    }

    /// Returns the latest time to wait until: this deadline, or earlier if it has ended.
    pub(super) fn until(&self, deadline: Instant) -> Instant {
        self.ended.map_or(deadline, |ended| deadline.min(ended + LINGER))
    }

    /// Returns its output that was not taken yet.
    pub(super) fn output(&mut self) -> &mut Vec<u8> {
        &mut self.stdout.octets
    }

    /// Tests whether it has written more than it may.
    pub(super) fn writes_too_much(&self) -> bool {
        self.stdout.is_over
    }

    /// Returns the number of octets that it has written and that were not taken yet.
    pub(super) fn said(&self) -> usize {
        self.stdout.octets.len() + self.stderr.octets.len()
    }

    /// Tests whether it will write no more.
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

    /// Gives a program that has closed its output the time to end.
    pub(super) fn let_end(&mut self) {
        if self.is_silent() {
            self.wait_for_end(Instant::now() + FAREWELL);
        }
    }

    /// Reaps a program that has ended by itself. Its children go on if they have closed the pipes, and are killed if
    /// they have not.
    pub(super) fn finish(mut self) -> io::Result<ExitStatus> {
        if self.stdout.pipe.is_some() || self.stderr.pipe.is_some() {
            self.signal(Signal::KILL);
        }
        self.reap()
    }

    /// Ends it, with all that it has started.
    pub(super) fn end(mut self) {
        self.signal(Signal::TERM);
        {
            // a program that is just being started has no mark yet
            let _all = running();
            descendants::signal(&[self.pid()], std::slice::from_ref(&self.mark), Signal::TERM);
        }
        self.wait_for_end(Instant::now() + GRACE);
        self.kill_all();
    }

    /// Ends it and all that it has started, by force.
    fn kill_all(mut self) {
        self.signal(Signal::KILL);
        self.kill_descendants();
        // nothing withstands KILL, and the status is of no interest
        _ = self.reap();
    }

    fn kill_descendants(&self) {
        let _all = running();
        descendants::kill(&[self.pid()], std::slice::from_ref(&self.mark));
    }

    /// Reaps a program that was told to end: by force if it has not, and then with all that it has started.
    fn kill(mut self) {
        if !self.has_exited() {
            return self.kill_all();
        }
        self.signal(Signal::KILL);
        _ = self.reap();
    }

    /// Waits for its end, and for that of its children that still hold its pipes.
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
            // before another process can get its number
            let mut running = running();
            running.programs.retain(|(leader, _)| *leader != self.pid());
            signals::programs_run(!running.programs.is_empty());
        }
        self.child.wait()
    }

    fn pid(&self) -> Pid {
        Pid::from_child(&self.child)
    }
}

/// Sends a signal to a group; that fails if all its processes have ended.
fn send(group: Pid, signal: Signal) {
    _ = kill_process_group(group, signal);
}

impl Drop for Process {
    fn drop(&mut self) {
        if !self.is_reaped {
            self.signal(Signal::KILL);
            self.kill_descendants();
            _ = self.reap();
        }
    }
}

impl Stream {
    fn new(pipe: Option<File>, most: usize) -> Stream {
        Stream { pipe, octets: Vec::new(), most, is_over: false }
    }

    /// Reads once.
    ///
    /// # Errors
    /// If that fails, which is not the end: there may have been more.
    fn read(&mut self) -> io::Result<Read> {
        let Some(pipe) = &mut self.pipe else { return Ok(Read::End) };
        let start = self.octets.len();
        let room = start.clamp(SMALL_BUFFER, BUFFER);
        self.octets.resize(start + room, 0);
        let read = match pipe.read(&mut self.octets[start..]) {
            // a socket whose other end was closed before all was read
            Err(error) if error.kind() == ErrorKind::ConnectionReset => Ok(0),
            read => read,
        };
        self.octets.truncate(start + *read.as_ref().unwrap_or(&0));
        match read {
            Err(error) if matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::Interrupted) => Ok(Read::Nothing),
            Err(error) => {
                self.pipe = None;
                Err(error)
            }
            Ok(0) => {
                self.pipe = None;
                Ok(Read::End)
            }
            Ok(_) => {
                if self.octets.len() > self.most {
                    self.octets.truncate(self.most);
                    self.is_over = true;
                }
                Ok(Read::Octets)
            }
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

/// Describes how a program ended.
pub(super) fn in_words(status: ExitStatus) -> String {
    match (status.code(), status.signal()) {
        (Some(code), _) => format!("ended with status {code}"),
        (None, Some(signal)) => format!("was ended by signal {signal}"),
        (None, None) => "ended".into(),
    }
}
