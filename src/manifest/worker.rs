//! Programs that stay, and answer one call after the other: JSON-RPC 2.0, one document a line.
//!
//! A worker is started when it is first needed. One that has died, or does not keep to the protocol, is replaced at the
//! next call; while one dies again and again, the next is started a little later each time.

use std::sync::Arc;
use std::time::{Duration, Instant};

use serde_json::Value as Json;

use super::call::{ManifestCall, failed, known_fault, log_lines, read_json, write_json};
use super::launch::{Context, Launch};
use super::pool::Pool;
use super::process::{Process, Turn, dismiss_all, in_words};
use super::program::BYTE_ORDER_MARK;
use crate::method::CallError;
use crate::protocol::jsonrpc::{self, RawError, RawResponse};
use crate::service::Limits;
use crate::wire::fault::Fault;
use crate::wire::json;
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
    pub(super) name: String,
    pub(super) launch: Launch,
    /// The words of its command line after the first.
    pub(super) words: Vec<String>,
    /// The time that a call waits for it.
    pub(super) wait: Duration,
    pub(super) slots: Pool<WorkerSlot>,
}

/// A place for one of the programs.
#[derive(Default)]
pub(super) struct WorkerSlot {
    process: Option<Process>,
    /// The number of deaths in a row without an answer, and the time of the last.
    deaths: u32,
    died: Option<Instant>,
    /// The number of the call that was sent last.
    last: u64,
}

/// The reason why there is no answer. The program is unusable from then on.
enum WorkerError {
    /// The call was not sent.
    NotSent(String),
    /// The program may have done its work.
    Lost(String),
    /// As `Lost`, but the program has not died by itself.
    Overdue(String),
}

/// A worker's part in a method.
pub(super) struct Job(pub(super) Arc<Worker>);

impl Job {
    pub(super) fn run(&self, call: &ManifestCall<'_>) -> Result<Value, CallError> {
        let Job(worker) = self;
        let mut params: Vec<Value> =
            call.arguments.iter().map(|argument| argument.clone().unwrap_or(Value::Nil)).collect();
        let given = call.arguments.iter().rposition(Option::is_some).map_or(0, |last| last + 1);
        params.truncate(given);
        let params = worker.launch.encoding.json(write_json(&Value::Array(params), call.contract.limits)?);
        let mut slot = worker.slots.take().map_err(|busy| failed(call.about, &busy.to_string()))?;
        let answer = worker.ask(&mut slot, &params, call);
        // a worker that died between two calls was not sent this one: another try does no harm
        let answer = match answer {
            Err(WorkerError::NotSent(_)) => worker.ask(&mut slot, &params, call),
            answer => answer,
        };
        match answer {
            Ok(answer) => answer.map_err(CallError::Fault),
            Err(WorkerError::NotSent(message) | WorkerError::Lost(message) | WorkerError::Overdue(message)) => {
                Err(CallError::Fault(failed(call.about, &message)))
            }
        }
    }
}

impl Worker {
    /// Sends a call, and takes the answer.
    fn ask(
        &self,
        slot: &mut WorkerSlot,
        params: &[u8],
        call: &ManifestCall<'_>,
    ) -> Result<Result<Value, Fault>, WorkerError> {
        self.make_ready(slot)?;
        slot.last += 1;
        let document = document(slot.last, params, call);
        let id = slot.last;
        let outcome = match &mut slot.process {
            Some(process) => self.exchange(process, &document, id, call),
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

    /// Makes sure that the slot has a program, which lives as far as can be told.
    fn make_ready(&self, slot: &mut WorkerSlot) -> Result<(), WorkerError> {
        let last = slot.last;
        if slot.process.as_mut().is_some_and(|process| !self.is_fine(process, last)) {
            self.discard(slot, true);
        }
        if slot.process.is_some() {
            return Ok(());
        }
        let Worker { name, wait, .. } = self;
        let rest = slot.backoff();
        if rest > *wait {
            let (deaths, seconds) = (slot.deaths, rest.as_secs_f64());
            let message = format!("the worker \"{name}\" died {deaths} times, and is started again in {seconds:.0} s");
            return Err(WorkerError::Lost(message));
        }
        std::thread::sleep(rest);
        let command = self.launch.command().map_err(|missing| missing.to_string());
        let started = command.and_then(|mut command| {
            command.args(&self.words).env("RPCGI_WORKER", name);
            Process::start(&mut command, usize::MAX).map_err(|error| error.to_string())
        });
        match started {
            Ok(process) => slot.process = Some(process),
            Err(cause) => {
                log::error!("worker \"{name}\" cannot be started: {cause}");
                slot.count_death();
                return Err(WorkerError::Lost(format!("the worker \"{name}\" cannot be started")));
            }
        }
        Ok(())
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
        let is_late = |line: &[u8]| {
            let options = json::JsonOptions { limits: Limits::default(), large_integers_as_text: false };
            let id = RawResponse::read(line, &options).ok().and_then(|response| response.id?.parse::<u64>().ok());
            id.is_some_and(|id| id <= last)
        };
        // a few, for the log
        let all_late = unasked.by_ref().take(MAX_LATE_LINES).fold(true, |all_late, line| {
            let shown = excerpt(&String::from_utf8_lossy(line));
            log::warn!("worker \"{}\" wrote a line without a call: {shown}", self.name);
            all_late && is_late(line)
        });
        all_late && unasked.next().is_none() && !process.is_silent() && !process.has_exited()
    }

    fn exchange(
        &self,
        process: &mut Process,
        document: &[u8],
        id: u64,
        call: &ManifestCall<'_>,
    ) -> Result<Result<Value, Fault>, WorkerError> {
        let deadline = Instant::now() + call.contract.timeout;
        let name = &self.name;
        let (mut input, mut searched, mut idle_lines) = (document, 0, 0);
        loop {
            while let Some(line) = take_line(process.output(), &mut searched) {
                match self.read(&line, id, call)? {
                    Some(answer) if input.is_empty() => return Ok(answer),
                    Some(_) => {
                        let message = format!("the worker \"{name}\" answered a call that it had not read");
                        return Err(WorkerError::Overdue(message));
                    }
                    None => {}
                }
                idle_lines += 1;
                if idle_lines > MAX_IDLE_LINES {
                    return Err(WorkerError::Overdue(format!("the worker \"{name}\" wrote many lines, but no answer")));
                }
            }
            if process.output().len() > call.contract.max_output {
                return Err(WorkerError::Overdue(format!(
                    "the worker \"{name}\" wrote more than {} octets",
                    call.contract.max_output
                )));
            }
            let broken = |error| WorkerError::Lost(format!("the worker \"{name}\" cannot be read: {error}"));
            if process.is_silent() || process.is_over().map_err(broken)? || !process.reads() {
                return Err(match input.len() == document.len() {
                    true => WorkerError::NotSent(format!("the worker \"{name}\" does not run")),
                    false => WorkerError::Lost(format!("the worker \"{name}\" died during the call")),
                });
            }
            let until = process.until(deadline);
            let turn = process.turn(&mut input, until).map_err(broken)?;
            if turn == Turn::Late && Instant::now() >= deadline {
                let seconds = call.contract.timeout.as_secs_f64();
                log::warn!("does worker \"{name}\" write a line for each call, and flush it?");
                return Err(WorkerError::Overdue(format!("the worker \"{name}\" took longer than {seconds} seconds")));
            }
        }
    }

    /// Reads a line; `None` if it answers a call that was answered before.
    fn read(&self, line: &[u8], id: u64, call: &ManifestCall<'_>) -> Result<Option<Result<Value, Fault>>, WorkerError> {
        let Worker { name, .. } = self;
        let garbage = |what: &str| {
            let line = excerpt(&self.launch.encoding.decode_lossy(line));
            log::error!("worker \"{name}\" answered {what}, and is started anew: {line}");
            log::error!(
                "on its standard output is one line for each call and nothing else; what is for the log goes to standard error"
            );
            WorkerError::Lost(format!("the worker \"{name}\" answered {what}"))
        };
        let line = match self.launch.encoding.decode(line.into()) {
            Ok(line) => line,
            Err(_) => return Err(garbage("in another encoding")),
        };
        let line = line.strip_prefix(BYTE_ORDER_MARK).unwrap_or(&line);
        if line.trim_ascii().is_empty() {
            return Ok(None);
        }
        let options = json::JsonOptions { limits: call.contract.limits, large_integers_as_text: false };
        let Ok(response) = RawResponse::read(line, &options) else {
            return Err(garbage("something that is no JSON-RPC response"));
        };
        let answered = match response.id.map(str::parse::<u64>) {
            Some(Ok(answered)) => Some(answered),
            Some(Err(_)) => return Err(garbage("a call that it was not sent")),
            None => None,
        };
        let outcome = match (answered, response) {
            (Some(other), _) if other < id => {
                log::warn!("worker \"{name}\" answered a call again");
                return Ok(None);
            }
            (Some(other), _) if other != id => return Err(garbage("a call that it was not sent")),
            (_, RawResponse { error: Some(error), result, .. })
                if result.as_ref().is_none_or(|result| result.text == "null") =>
            {
                let Ok(code) = i32::try_from(error.code) else {
                    return Err(garbage("something that is no JSON-RPC response"));
                };
                Err(fault_of(code, error, name, call))
            }
            (Some(_), RawResponse { error: None, result: Some(result), .. }) => {
                let value = read_json(result.text.as_bytes(), &call.contract.returns, call.contract.limits);
                value.map_err(|message| {
                    failed(call.about, &format!("the worker \"{name}\" answered what it should not: {message}"))
                })
            }
            _ => return Err(garbage("something that is no JSON-RPC response")),
        };
        Ok(Some(outcome))
    }

    fn log(&self, process: &mut Process) {
        let complaints = process.complaints();
        log_lines(&format!("worker \"{}\"", self.name), &self.launch.encoding.decode_lossy(&complaints));
    }

    /// Empties a slot whose program is unusable.
    fn discard(&self, slot: &mut WorkerSlot, has_died: bool) {
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
                Ok(status) => log::warn!("worker \"{}\" {}", self.name, in_words(status)),
                Err(error) => log::warn!("worker \"{}\" is gone: {error}", self.name),
            },
            false => process.end(),
        }
    }

    /// Looks after the programs that no call is using.
    pub(super) fn check_idle(&self) {
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
        let mut processes: Vec<Process> = self.slots.drain().into_iter().filter_map(|slot| slot.process).collect();
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

/// Makes the caller's fault of an error: in the worker's own words, unless they are about the worker and not about the
/// call.
fn fault_of(code: i32, error: RawError<'_>, worker: &str, call: &ManifestCall<'_>) -> Fault {
    // JSON-RPC 2.0 §5.1 keeps these codes for servers: the text may then tell internals
    let is_of_the_machine = matches!(code, Fault::INTERNAL | Fault::NOT_WELL_FORMED | -32099..=-32000);
    if is_of_the_machine && !call.contract.tell_errors {
        log_lines(&format!("worker \"{worker}\""), &error.message);
        return call.failed_inside();
    }
    let data = match error.data.map(read_data).transpose() {
        Ok(data) => data,
        Err(message) => {
            return failed(call.about, &format!("the worker \"{worker}\" answered what it should not: {message}"));
        }
    };
    let message = match error.message.is_empty() {
        true => known_fault(call, code).unwrap_or_else(|| "the worker says no more".into()),
        false => error.message,
    };
    let fault = Fault::new(code, message);
    match data {
        Some(data) => fault.with_data(data),
        None => fault,
    }
}

/// Reads the `data` of an error, unless a number in it would lose digits.
fn read_data(data: &str) -> Result<Json, String> {
    json::check_numbers(data)?;
    serde_json::from_str(data).map_err(|error| error.to_string())
}

/// Writes the line that a worker reads: a call, and its caller.
fn document(id: u64, params: &[u8], call: &ManifestCall<'_>) -> Vec<u8> {
    let Context { remote_addr, remote_user, request_id } = Context::of(call.request);
    let context =
        serde_json::json!({ "remote_addr": remote_addr, "remote_user": remote_user, "request_id": request_id });
    let mut document = Vec::with_capacity(params.len() + 256);
    let members = [("rpcgi", context.to_string().into_bytes())];
    let members = members.each_ref().map(|(name, value)| (*name, &value[..]));
    jsonrpc::write_request(&call.about.name, params, Some(&id.into()), &members, &mut document);
    document.push(b'\n');
    document
}

/// Takes the first line, if it is whole; `searched` is the number of octets known to have no line end.
fn take_line(output: &mut Vec<u8>, searched: &mut usize) -> Option<Vec<u8>> {
    let Some(at) = memchr::memchr(b'\n', &output[*searched..]) else {
        *searched = output.len();
        return None;
    };
    let rest = output.split_off(*searched + at + 1);
    *searched = 0;
    Some(std::mem::replace(output, rest))
}
