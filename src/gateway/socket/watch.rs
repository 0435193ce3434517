//! How many threads wait at the poller.
//!
//! While any thread waits there, the kernel wakes one for every event, which costs more than many a call does. So a few
//! wait, as many as there are processors, and the others are in reserve. When all of the few are held up by methods
//! that block, one of the reserve comes, so that nobody else's call is held up with them.

use std::num::NonZeroUsize;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Condvar, Mutex, OnceLock, PoisonError};
use std::thread::{self, Thread};
use std::time::Duration;

/// How long the few may all be away from the poller until one of the reserve is called.
const PATIENCE: Duration = Duration::from_millis(1);

pub(in crate::gateway) struct Watch {
    /// How many wait at the poller when there is nothing to do.
    few: usize,
    /// How many there are in all.
    threads: usize,
    /// How many are not in reserve.
    active: AtomicUsize,
    /// How many wait at the poller.
    waiting: AtomicUsize,
    /// Counts every time that one begins to wait there.
    rounds: AtomicUsize,
    /// How many of the reserve are called and have not come yet.
    called: Mutex<usize>,
    call: Condvar,
    /// Whether nobody was at the poller, and the guard has not seen anybody there since.
    is_alarmed: AtomicBool,
    guard: OnceLock<Thread>,
}

impl Watch {
    pub(in crate::gateway) fn new(threads: usize) -> Watch {
        Watch {
            // with one, each call that blocks would cost the others the guard's patience
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

    /// Goes to the poller; if there are others enough, by way of the reserve.
    pub(in crate::gateway) fn attend(&self) {
        while self.waiting.load(Ordering::SeqCst) > 0 && self.retire() {
            let called = self.called.lock().unwrap_or_else(PoisonError::into_inner);
            let waited = self.call.wait_while(called, |called| *called == 0);
            *waited.unwrap_or_else(PoisonError::into_inner) -= 1;
        }
        self.waiting.fetch_add(1, Ordering::SeqCst);
        self.rounds.fetch_add(1, Ordering::Relaxed);
    }

    /// Leaves the poller, to do something.
    pub(in crate::gateway) fn leave(&self) {
        let nobody_waits = self.waiting.fetch_sub(1, Ordering::SeqCst) == 1;
        if nobody_waits
            && !self.is_alarmed.swap(true, Ordering::SeqCst)
            && let Some(guard) = self.guard.get()
        {
            guard.unpark();
        }
    }

    /// Whether all of the few but one wait at the poller, and that is anybody.
    pub(in crate::gateway) fn is_attended(&self) -> bool {
        let waiting = self.waiting.load(Ordering::SeqCst);
        waiting > 0 && waiting + 1 >= self.few
    }

    /// What one more thread does, for ever: it looks after the poller while nobody is there.
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
                // the last may have left in between, and seen that there was an alarm
                if self.waiting.load(Ordering::SeqCst) == 0 {
                    self.is_alarmed.store(true, Ordering::SeqCst);
                }
            } else if before == rounds {
                self.call_one();
            }
        }
    }

    /// Leaves the active, if they are more than the few.
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
