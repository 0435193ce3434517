//! Programs that stay, and answer one call after the other, a document a line.
//!
//! A worker is started when it is first needed. One that has died, or does not keep to its dialect, is replaced at the
//! next call; while one dies again and again, the next is started a little later each time. What the lines say is a
//! [`Dialect`]'s matter: JSON-RPC 2.0 for workers of a manifest, the harnesses' own for modules.

use std::sync::Arc;
use std::time::{Duration, Instant};

use super::call::{ManifestCall, failed, log_lines};
use super::launch::Launch;
use super::pool::{Pool, PoolGuard};
use super::process::{Process, Turn, dismiss_all, in_words};
use super::shared::SharedProcess;
use crate::method::CallError;
use crate::wire::fault::Fault;
use crate::wire::value::{Value, excerpt};

/// The delay before a worker is started anew when the second in a row has died; doubled for each that follows.
const FIRST_BACK_OFF: Duration = Duration::from_millis(100);

/// The longest such delay.
const LAST_BACK_OFF: Duration = Duration::from_secs(30);

/// The most octets that a worker may write between two calls: more is no late answer.
const MAX_UNASKED: usize = 1 << 20;

/// The most late lines between two calls.
const MAX_LATE_LINES: usize = 10;

/// The most lines that answer nothing, in one call.
const MAX_IDLE_LINES: usize = 100;

/// Programs of one kind.
pub(crate) struct Worker {
    /// What it is, for messages: `worker "NAME"`.
    pub(super) who: String,
    pub(super) launch: Launch,
    pub(super) start: Box<dyn Start>,
    /// The time that a call waits for it.
    pub(super) wait: Duration,
    pub(super) slots: Pool<WorkerSlot>,
    /// Instead of these: processes that have several calls in flight.
    pub(super) shared: Vec<SharedProcess>,
}

/// The way in which a worker is started.
pub(super) trait Start: Send + Sync {
    /// Starts one, and returns it with the line that it has to read before its first call.
    ///
    /// # Errors
    /// The cause, for the log.
    fn start(&self, launch: &Launch) -> Result<(Process, Vec<u8>), String>;

    /// Returns what its author may have forgotten, if an answer does not come.
    fn hint(&self) -> Option<String> {
        None
    }

    /// Tests whether a line that came between two calls is a late answer to one of those before.
    fn is_late(&self, line: &[u8], last: u64) -> bool;
}

/// The way in which a method's calls and answers are written.
pub(super) trait Dialect: Send + Sync {
    /// Writes what a call has besides its number.
    ///
    /// # Errors
    /// If its arguments cannot be written.
    fn content(&self, worker: &Worker, call: &ManifestCall<'_>) -> Result<Vec<u8>, CallError>;

    /// Writes a call, as a line.
    fn document(&self, id: u64, content: &[u8], call: &ManifestCall<'_>) -> Vec<u8>;

    /// Reads a line; `None` if it answers a call that was answered before.
    ///
    /// # Errors
    /// If it is no answer: its worker is not to be trusted from then on.
    fn read(&self, worker: &Worker, line: &[u8], id: u64, call: &ManifestCall<'_>) -> Answer;
}

/// The outcome of a call, if a line has it.
pub(super) type Answer = Result<Option<Result<Value, Fault>>, WorkerError>;

/// A place for one of the programs.
#[derive(Default)]
pub(super) struct WorkerSlot {
    pub(super) process: Option<Process>,
    /// What the program has to read before its first call.
    pub(super) greeting: Vec<u8>,
    /// The number of deaths in a row without an answer, and the time of the last.
    pub(super) deaths: u32,
    died: Option<Instant>,
    /// The number of the call that was sent last.
    pub(super) last: u64,
}

/// The reason why there is no answer. The program is unusable from then on.
pub(super) enum WorkerError {
    /// The call was not sent.
    NotSent(String),
    /// The program may have done its work.
    Lost(String),
    /// As `Lost`, but the program has not died by itself.
    Overdue(String),
}

/// A worker's part in a method.
pub(super) struct Job {
    pub(super) worker: Arc<Worker>,
    pub(super) dialect: Arc<dyn Dialect>,
}

impl Job {
    pub(super) fn run(&self, call: &ManifestCall<'_>) -> Result<Value, CallError> {
        let Job { worker, dialect } = self;
        let content = dialect.content(worker, call)?;
        let terms = || {
            let deadline = Instant::now() + call.contract.timeout;
            Terms { deadline, timeout: call.contract.timeout, max_output: call.contract.max_output }
        };
        let write = |id| dialect.document(id, &content, call);
        let read = |line: &[u8], id| dialect.read(worker, line, id, call);
        let answer = match worker.shared.iter().min_by_key(|shared| shared.load()) {
            Some(shared) => shared.ask(worker, &terms(), write, read),
            None => {
                let mut slot = worker.slots.take().map_err(|busy| failed(call.about, &busy.to_string()))?;
                // a worker that died between two calls was not sent this one: another try does no harm
                match worker.ask(&mut slot, &terms(), write, read) {
                    Err(WorkerError::NotSent(_)) => worker.ask(&mut slot, &terms(), write, read),
                    answer => answer,
                }
            }
        };
        match answer {
            Ok(answer) => answer.map_err(CallError::Fault),
            Err(error) => Err(CallError::Fault(failed(call.about, &error.into_message()))),
        }
    }
}

impl WorkerError {
    pub(super) fn into_message(self) -> String {
        let (WorkerError::NotSent(message) | WorkerError::Lost(message) | WorkerError::Overdue(message)) = self;
        message
    }
}

/// What an answer may take.
pub(super) struct Terms {
    pub(super) deadline: Instant,
    pub(super) timeout: Duration,
    /// In octets.
    pub(super) max_output: usize,
}

impl Worker {
    /// Sends what `write` makes for the next number, and takes the answer that `read` finds.
    pub(super) fn ask<T>(
        &self,
        slot: &mut WorkerSlot,
        terms: &Terms,
        write: impl FnOnce(u64) -> Vec<u8>,
        mut read: impl FnMut(&[u8], u64) -> Result<Option<T>, WorkerError>,
    ) -> Result<T, WorkerError> {
        self.make_ready(slot)?;
        slot.last += 1;
        let id = slot.last;
        let mut document = std::mem::take(&mut slot.greeting);
        document.extend_from_slice(&write(id));
        let outcome = match &mut slot.process {
            Some(process) => self.exchange(process, &document, terms, |line| read(line, id)),
            None => unreachable!("it was made ready"),
        };
        match &outcome {
            Ok(_) => slot.deaths = 0,
            Err(WorkerError::NotSent(_) | WorkerError::Lost(_)) => self.discard(slot, true),
            Err(WorkerError::Overdue(_)) => self.discard(slot, false),
        }
        if let Some(process) = &mut slot.process {
            self.log(process);
        }
        outcome
    }

    /// Takes one of its places, and waits if all are taken.
    ///
    /// # Errors
    /// If that takes too long.
    pub(super) fn take(&self) -> Result<PoolGuard<'_, WorkerSlot>, String> {
        self.slots.take().map_err(|busy| busy.to_string())
    }

    /// Makes sure that the slot has a program, which lives as far as can be told.
    pub(super) fn make_ready(&self, slot: &mut WorkerSlot) -> Result<(), WorkerError> {
        self.discard_unless_fine(slot);
        if slot.process.is_some() {
            return Ok(());
        }
        let Worker { who, wait, .. } = self;
        let rest = slot.backoff();
        if rest > *wait {
            let (deaths, seconds) = (slot.deaths, rest.as_secs_f64());
            let message = format!("the {who} died {deaths} times, and is started again in {seconds:.0} s");
            return Err(WorkerError::Lost(message));
        }
        std::thread::sleep(rest);
        match self.start.start(&self.launch) {
            Ok((process, greeting)) => (slot.process, slot.greeting) = (Some(process), greeting),
            Err(cause) => {
                log::error!("{who} cannot be started: {cause}");
                slot.count_death();
                return Err(WorkerError::Lost(format!("the {who} cannot be started")));
            }
        }
        Ok(())
    }

    /// Empties a slot whose program has ended between two calls, or has written what it should not.
    pub(super) fn discard_unless_fine(&self, slot: &mut WorkerSlot) {
        let last = slot.last;
        if slot.process.as_mut().is_some_and(|process| !self.is_fine(process, last)) {
            self.discard(slot, true);
        }
    }

    /// Reads what a program has written between two calls. Returns `false` if it has ended, or has written anything but
    /// late answers.
    fn is_fine(&self, process: &mut Process, last: u64) -> bool {
        loop {
            let before = process.said();
            let has_turned = process.turn(&mut &[][..], Instant::now()).is_ok();
            if !has_turned || process.output().len() > MAX_UNASKED {
                return false;
            }
            if process.said() == before {
                break;
            }
        }
        self.log(process);
        let output = std::mem::take(process.output());
        let end = memchr::memrchr(b'\n', &output).map_or(0, |at| at + 1);
        process.output().extend_from_slice(&output[end..]);
        let mut unasked = output[..end].split(|octet| *octet == b'\n').filter(|line| !line.trim_ascii().is_empty());
        // a few, for the log
        let all_late = unasked.by_ref().take(MAX_LATE_LINES).fold(true, |all_late, line| {
            let shown = excerpt(&String::from_utf8_lossy(line));
            log::warn!("{} wrote a line without a call: {shown}", self.who);
            all_late && self.start.is_late(line, last)
        });
        all_late && unasked.next().is_none() && !process.is_silent() && !process.has_ended()
    }

    fn exchange<T>(
        &self,
        process: &mut Process,
        document: &[u8],
        terms: &Terms,
        mut read: impl FnMut(&[u8]) -> Result<Option<T>, WorkerError>,
    ) -> Result<T, WorkerError> {
        let who = &self.who;
        let (mut input, mut searched, mut idle_lines) = (document, 0, 0);
        let broken = |error| WorkerError::Lost(format!("the {who} cannot be read: {error}"));
        // mostly there is room for all of it
        process.write(&mut input).map_err(broken)?;
        loop {
            while let Some(line) = take_line(process.output(), &mut searched) {
                match read(&line)? {
                    Some(answer) if input.is_empty() => return Ok(answer),
                    Some(_) => {
                        return Err(WorkerError::Overdue(format!("the {who} answered a call that it had not read")));
                    }
                    None => {}
                }
                idle_lines += 1;
                if idle_lines > MAX_IDLE_LINES {
                    return Err(WorkerError::Overdue(format!("the {who} wrote many lines, but no answer")));
                }
            }
            if process.output().len() > terms.max_output {
                return Err(WorkerError::Overdue(format!("the {who} wrote more than {} octets", terms.max_output)));
            }
            if process.is_silent() || process.is_over().map_err(broken)? || !process.reads() {
                return Err(match input.len() == document.len() {
                    true => WorkerError::NotSent(format!("the {who} does not run")),
                    false => WorkerError::Lost(format!("the {who} died during the call")),
                });
            }
            let until = process.until(terms.deadline);
            let turn = process.turn(&mut input, until).map_err(broken)?;
            if turn == Turn::Late && Instant::now() >= terms.deadline {
                return Err(WorkerError::Overdue(self.too_long(terms)));
            }
        }
    }

    /// Returns the words for an answer that does not come.
    pub(super) fn too_long(&self, terms: &Terms) -> String {
        self.start.hint().into_iter().for_each(|hint| log::warn!("{hint}"));
        format!("the {} took longer than {} seconds", self.who, terms.timeout.as_secs_f64())
    }

    pub(super) fn log(&self, process: &mut Process) {
        let complaints = process.complaints();
        log_lines(&self.who, &self.launch.encoding.decode_lossy(&complaints));
    }

    /// Empties a slot whose program is unusable.
    pub(super) fn discard(&self, slot: &mut WorkerSlot, has_died: bool) {
        let Some(process) = slot.process.take() else { return };
        if has_died {
            slot.count_death();
        }
        self.reap(process);
    }

    fn reap(&self, mut process: Process) {
        process.let_end();
        self.log(&mut process);
        match process.has_exited() {
            true => match process.finish() {
                Ok(status) => log::warn!("{} {}", self.who, in_words(status)),
                Err(error) => log::warn!("{} is gone: {error}", self.who),
            },
            false => process.end(),
        }
    }

    /// Looks after the programs that no call is using.
    pub(super) fn check_idle(&self) {
        self.shared.iter().for_each(|shared| shared.check_idle(self));
        for _ in 0..self.slots.count() {
            let Some(mut slot) = self.slots.take_oldest() else { return };
            let last = slot.last;
            let is_spent = slot.process.as_mut().is_some_and(|process| !self.is_fine(process, last));
            let spent = if is_spent { slot.process.take() } else { None };
            if spent.is_some() {
                slot.count_death();
            }
            self.slots.put(slot);
            // that may take a while
            spent.into_iter().for_each(|process| self.reap(process));
        }
    }

    /// Takes away the programs that no call is using.
    pub(super) fn take_idle(&self) -> Vec<Process> {
        let idle = self.slots.drain().into_iter().filter_map(|slot| slot.process);
        let mut processes: Vec<Process> = idle.chain(self.shared.iter().filter_map(SharedProcess::take_idle)).collect();
        processes.iter_mut().for_each(|process| self.log(process));
        processes
    }
}

impl Drop for Worker {
    /// Ends the programs in another thread, so that the last owner does not wait.
    fn drop(&mut self) {
        let processes = self.take_idle();
        if !processes.is_empty() {
            // without a thread they are dropped here, which ends them at once
            _ = std::thread::Builder::new().spawn(move || dismiss_all(processes));
        }
    }
}

impl WorkerSlot {
    fn count_death(&mut self) {
        self.deaths = self.deaths.saturating_add(1);
        self.died = Some(Instant::now());
    }

    /// Returns the time that it has to stay empty.
    fn backoff(&self) -> Duration {
        let Some(died) = self.died.filter(|_| self.deaths > 1) else { return Duration::ZERO };
        let doubled = FIRST_BACK_OFF.saturating_mul(1 << (self.deaths - 2).min(20));
        doubled.min(LAST_BACK_OFF).saturating_sub(died.elapsed())
    }
}

/// Takes the first line, if it is whole; `searched` is the number of octets known to have no line end.
pub(super) fn take_line(output: &mut Vec<u8>, searched: &mut usize) -> Option<Vec<u8>> {
    let Some(at) = memchr::memchr(b'\n', &output[*searched..]) else {
        *searched = output.len();
        return None;
    };
    let rest = output.split_off(*searched + at + 1);
    *searched = 0;
    Some(std::mem::replace(output, rest))
}
