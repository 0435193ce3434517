//! The threads that wait at the poller, kept few.
//!
//! While any thread waits there, the kernel wakes one for every event, which costs more than many calls do. So only a
//! few wait, as many as there are processors, and the others are in reserve. When methods that block hold up all of the
//! few, a thread from the reserve steps in, so that other clients' calls are not held up too.

use std::num::NonZeroUsize;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Condvar, Mutex, OnceLock, PoisonError};
use std::thread::{self, Thread};
use std::time::Duration;

/// The longest time that the few may all be away from the poller until one of the reserve is called.
const PATIENCE: Duration = Duration::from_millis(1);

pub(in crate::gateway) struct Watch {
    /// The number of threads that wait at the poller when there is nothing to do.
    few: usize,
    /// The number of all threads.
    threads: usize,
    /// The number of threads that are not in reserve.
    active: AtomicUsize,
    /// The number of threads that wait at the poller now.
    waiting: AtomicUsize,
    /// The number of times that a thread has begun to wait there.
    rounds: AtomicUsize,
    /// The number of threads called from the reserve that have not come yet.
    called: Mutex<usize>,
    call: Condvar,
    /// Set when no thread was left at the poller, until the guard has seen one there again.
    is_alarmed: AtomicBool,
    guard: OnceLock<Thread>,
}

impl Watch {
    pub(in crate::gateway) fn new(threads: usize) -> Watch {
        Watch {
            // with only one, each call that blocks would delay the others by the guard's patience
            few: thread::available_parallelism().map_or(1, NonZeroUsize::get).max(2).min(threads),
            threads,
            active: AtomicUsize::new(threads),
            waiting: AtomicUsize::new(0),
            rounds: AtomicUsize::new(0),
            called: Mutex::new(0),
            call: Condvar::new(),
            is_alarmed: AtomicBool::new(false),
            guard: OnceLock::new(),
        }
    }

    /// Goes to the poller, by way of the reserve if enough others are there.
    pub(in crate::gateway) fn wait_turn(&self) {
        while self.waiting.load(Ordering::SeqCst) > 0 && self.retire() {
            let called = self.called.lock().unwrap_or_else(PoisonError::into_inner);
            let waited = self.call.wait_while(called, |called| *called == 0);
            *waited.unwrap_or_else(PoisonError::into_inner) -= 1;
        }
        self.waiting.fetch_add(1, Ordering::SeqCst);
        self.rounds.fetch_add(1, Ordering::Relaxed);
    }

    /// Leaves the poller, to handle an event.
    pub(in crate::gateway) fn leave(&self) {
        let nobody_waits = self.waiting.fetch_sub(1, Ordering::SeqCst) == 1;
        if nobody_waits
            && !self.is_alarmed.swap(true, Ordering::SeqCst)
            && let Some(guard) = self.guard.get()
        {
            guard.unpark();
        }
    }

    /// Tests whether all but one of the few wait at the poller, and at least one does.
    pub(in crate::gateway) fn is_staffed(&self) -> bool {
        let waiting = self.waiting.load(Ordering::SeqCst);
        waiting > 0 && waiting + 1 >= self.few
    }

    /// Runs the guard thread, for ever: calls a thread from the reserve while none is at the poller.
    pub(in crate::gateway) fn guard(&self) {
        self.guard.get_or_init(thread::current);
        let mut rounds = 0;
        loop {
            while !self.is_alarmed.load(Ordering::SeqCst) {
                thread::park();
            }
            thread::sleep(PATIENCE);
            let before = std::mem::replace(&mut rounds, self.rounds.load(Ordering::Relaxed));
            if self.waiting.load(Ordering::SeqCst) > 0 {
                self.is_alarmed.store(false, Ordering::SeqCst);
                // the last may have left in between, while the alarm was still set
                if self.waiting.load(Ordering::SeqCst) == 0 {
                    self.is_alarmed.store(true, Ordering::SeqCst);
                }
            } else if before == rounds {
                self.call_one();
            }
        }
    }

    /// Moves a thread to the reserve, if more than the few are active.
    fn retire(&self) -> bool {
        let fewer = |active| (active > self.few).then(|| active - 1);
        self.active.fetch_update(Ordering::SeqCst, Ordering::SeqCst, fewer).is_ok()
    }

    fn call_one(&self) {
        let more = |active| (active < self.threads).then(|| active + 1);
        if self.active.fetch_update(Ordering::SeqCst, Ordering::SeqCst, more).is_ok() {
            *self.called.lock().unwrap_or_else(PoisonError::into_inner) += 1;
            self.call.notify_one();
        }
    }
}
