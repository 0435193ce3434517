//! A worker's process that has several calls in flight.
//!
//! No thread of its own moves the octets: one of those that wait for an answer leads, which is to do it for all, and
//! leaves that to another as soon as it has its own.

use std::collections::BTreeMap;
use std::io::{self, PipeReader, PipeWriter, Read, Write};
use std::os::fd::AsFd;
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Instant;

use serde::Deserialize;

use super::process::Process;
use super::worker::{Terms, Worker, WorkerError, WorkerSlot, take_line};

/// A process, and the calls in flight.
pub(super) struct SharedProcess {
    state: Mutex<Shared>,
    /// Notified when there are answers, when nobody leads, and when a call is over.
    changed: Condvar,
    /// The most calls in flight.
    most: usize,
    /// Wakes the one that leads: there is more to be written.
    waker: (PipeReader, PipeWriter),
}

#[derive(Default)]
struct Shared {
    slot: WorkerSlot,
    is_led: bool,
    /// What is still to be written.
    outbox: Vec<u8>,
    /// The calls in flight by their numbers, each with the lines that came for it.
    calls: BTreeMap<u64, Waiting>,
    /// The time of the last answer.
    answered: Option<Instant>,
}

/// A call in flight.
#[derive(Default)]
struct Waiting {
    lines: Vec<Vec<u8>>,
    /// Set if the process is gone, with the cause.
    lost: Option<String>,
}

/// A line that says which call it answers.
#[derive(Deserialize)]
struct Numbered {
    id: Option<u64>,
}

impl SharedProcess {
    /// Makes a place for a process that may have `most` calls in flight.
    ///
    /// # Errors
    /// If the system has no descriptors left.
    pub(super) fn new(most: usize) -> io::Result<SharedProcess> {
        let waker = io::pipe()?;
        for end in [waker.0.as_fd(), waker.1.as_fd()] {
            rustix::io::ioctl_fionbio(end, true)?;
        }
        Ok(SharedProcess { state: Mutex::default(), changed: Condvar::new(), most, waker })
    }

    /// Returns the number of calls in flight.
    pub(super) fn load(&self) -> usize {
        self.lock().calls.len()
    }

    /// Takes over a process that runs already.
    pub(super) fn adopt(&self, slot: WorkerSlot) {
        self.lock().slot = slot;
    }

    /// Takes the process away, if no call is in flight.
    pub(super) fn take_idle(&self) -> Option<Process> {
        let mut state = self.lock();
        if state.calls.is_empty() && !state.is_led { state.slot.process.take() } else { None }
    }

    /// Makes sure that a process that no call is using is as it should be.
    pub(super) fn check_idle(&self, worker: &Worker) {
        let mut state = self.lock();
        if state.calls.is_empty() && !state.is_led {
            worker.discard_unless_fine(&mut state.slot);
        }
    }

    /// Sends what `write` makes for the next number, and takes the answer that `read` finds.
    pub(super) fn ask<T>(
        &self,
        worker: &Worker,
        terms: &Terms,
        write: impl FnOnce(u64) -> Vec<u8>,
        mut read: impl FnMut(&[u8], u64) -> Result<Option<T>, WorkerError>,
    ) -> Result<T, WorkerError> {
        let mut state = self.place(worker)?;
        let asked = Instant::now();
        if !state.is_led {
            worker.make_ready(&mut state.slot)?;
        }
        state.slot.last += 1;
        let id = state.slot.last;
        let greeting = std::mem::take(&mut state.slot.greeting);
        state.outbox.extend_from_slice(&greeting);
        state.outbox.extend_from_slice(&write(id));
        state.calls.insert(id, Waiting::default());
        if state.is_led {
            // a waker that is full wakes too
            _ = (&self.waker.1).write(&[0]);
        }
        let outcome = loop {
            let Waiting { lines, lost } = state.calls.get_mut(&id).map(std::mem::take).unwrap_or_default();
            let answer = lines.iter().find_map(|line| read(line, id).transpose());
            if let Some(answer) = answer {
                break answer;
            }
            if let Some(cause) = lost {
                break Err(WorkerError::Lost(cause));
            }
            if Instant::now() >= terms.deadline {
                break Err(WorkerError::Overdue(worker.too_long(terms)));
            }
            state = match state.is_led {
                true => {
                    let left = terms.deadline.saturating_duration_since(Instant::now());
                    let woken = self.changed.wait_timeout(state, left);
                    woken.unwrap_or_else(PoisonError::into_inner).0
                }
                false => self.lead(state, worker, terms),
            };
        };
        state.calls.remove(&id);
        let is_stuck = match &outcome {
            Ok(_) => {
                state.slot.deaths = 0;
                false
            }
            // a process that answers others is alive
            Err(WorkerError::Overdue(_)) => state.answered.is_none_or(|answered| answered < asked),
            Err(_) => true,
        };
        if is_stuck && !state.is_led {
            let cause = format!("the {} was ended while it had other calls", worker.who);
            state.lose_all(&cause);
            worker.discard(&mut state.slot, true);
        }
        drop(state);
        self.changed.notify_all();
        outcome
    }

    /// Waits until one more call may be in flight.
    fn place(&self, worker: &Worker) -> Result<MutexGuard<'_, Shared>, WorkerError> {
        let deadline = Instant::now() + worker.wait;
        let mut state = self.lock();
        while state.calls.len() >= self.most {
            let left = deadline.saturating_duration_since(Instant::now());
            if left.is_zero() {
                let seconds = worker.wait.as_secs_f64();
                let message = format!("nothing became free in {seconds} seconds: try again later");
                return Err(WorkerError::NotSent(message));
            }
            let waited = self.changed.wait_timeout(state, left);
            state = waited.unwrap_or_else(PoisonError::into_inner).0;
        }
        Ok(state)
    }

    /// Moves octets for all calls once.
    fn lead<'s>(&'s self, mut state: MutexGuard<'s, Shared>, worker: &Worker, terms: &Terms) -> MutexGuard<'s, Shared> {
        let Some(mut process) = state.slot.process.take() else {
            state.lose_all(&format!("the {} died during the call", worker.who));
            return state;
        };
        state.is_led = true;
        let outbox = std::mem::take(&mut state.outbox);
        drop(state);
        let mut input = &outbox[..];
        let turned = process.turn_until_woken(&mut input, process.until(terms.deadline), &self.waker.0);
        // as many as came
        while matches!((&self.waker.0).read(&mut [0; 64]), Ok(64)) {}
        let is_over = turned.is_err() || process.is_silent() || process.is_over().unwrap_or(true);
        let mut searched = 0;
        let lines: Vec<Vec<u8>> = std::iter::from_fn(|| take_line(process.output(), &mut searched)).collect();
        let writes_too_much = process.output().len() > terms.max_output;
        worker.log(&mut process);
        let mut state = self.lock();
        state.is_led = false;
        if !lines.is_empty() {
            state.answered = Some(Instant::now());
        }
        lines.into_iter().for_each(|line| state.deliver(line));
        let unsent = input.to_vec();
        state.outbox.splice(0..0, unsent);
        state.slot.process = Some(process);
        if writes_too_much || is_over {
            let cause = match writes_too_much {
                true => format!("the {} wrote more than {} octets", worker.who, terms.max_output),
                false => format!("the {} died during the call", worker.who),
            };
            state.lose_all(&cause);
            worker.discard(&mut state.slot, true);
        }
        self.changed.notify_all();
        state
    }

    fn lock(&self) -> MutexGuard<'_, Shared> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Shared {
    /// Gives a line to the call it answers; one that answers none is about the process, and so all get it.
    fn deliver(&mut self, line: Vec<u8>) {
        match serde_json::from_slice::<Numbered>(&line).ok().and_then(|numbered| numbered.id) {
            // a late answer is nobody's
            Some(id) => self.calls.get_mut(&id).into_iter().for_each(|call| call.lines.push(line.clone())),
            None => self.calls.values_mut().for_each(|call| call.lines.push(line.clone())),
        }
    }

    /// Tells all calls that the process is gone.
    fn lose_all(&mut self, cause: &str) {
        self.outbox.clear();
        self.calls.values_mut().for_each(|call| call.lost = Some(cause.to_owned()));
    }
}
