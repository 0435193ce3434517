//! A pool of a fixed number of items, with a bounded queue of callers.

use std::fmt;
use std::ops::{Deref, DerefMut};
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

/// A pool of places for programs, or of workers.
pub(super) struct Pool<T> {
    state: Mutex<PoolState<T>>,
    /// Notified when an item comes back.
    returned: Condvar,
    /// The number of callers that may wait.
    queue: usize,
    /// The longest time that a caller waits.
    wait: Duration,
}

struct PoolState<T> {
    /// The item that came back last is the first to go out again.
    idle: Vec<T>,
    waiting: usize,
}

/// The reason why no item could be taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Busy {
    /// As many callers wait as may.
    QueueFull,
    /// No item has come back in time.
    Waited(Duration),
}

impl fmt::Display for Busy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Busy::QueueFull => f.write_str("too many calls wait already: try again later"),
            Busy::Waited(wait) => write!(f, "nothing became free in {} seconds: try again later", wait.as_secs_f64()),
        }
    }
}

impl<T> Pool<T> {
    pub(super) fn new(things: impl IntoIterator<Item = T>, queue: usize, wait: Duration) -> Pool<T> {
        let state = PoolState { idle: things.into_iter().collect(), waiting: 0 };
        Pool { state: Mutex::new(state), returned: Condvar::new(), queue, wait }
    }

    /// Takes an item, and waits if none is idle.
    pub(super) fn take(&self) -> Result<PoolGuard<'_, T>, Busy> {
        let mut state = self.lock();
        if let Some(thing) = state.idle.pop() {
            return Ok(PoolGuard { thing: Some(thing), pool: self });
        }
        if state.waiting >= self.queue {
            return Err(Busy::QueueFull);
        }
        state.waiting += 1;
        let deadline = Instant::now() + self.wait;
        loop {
            if let Some(thing) = state.idle.pop() {
                state.waiting -= 1;
                return Ok(PoolGuard { thing: Some(thing), pool: self });
            }
            let left = deadline.saturating_duration_since(Instant::now());
            if left.is_zero() {
                state.waiting -= 1;
                return Err(Busy::Waited(self.wait));
            }
            let waited = self.returned.wait_timeout(state, left);
            state = waited.unwrap_or_else(PoisonError::into_inner).0;
        }
    }

    /// Takes the item that has been idle longest, for a short while.
    pub(super) fn take_oldest(&self) -> Option<T> {
        let mut state = self.lock();
        if state.idle.is_empty() { None } else { Some(state.idle.remove(0)) }
    }

    /// Returns the number of idle items.
    pub(super) fn count(&self) -> usize {
        self.lock().idle.len()
    }

    /// Takes away all idle items.
    pub(super) fn drain(&self) -> Vec<T> {
        std::mem::take(&mut self.lock().idle)
    }

    /// Puts an item back.
    pub(super) fn put(&self, thing: T) {
        self.lock().idle.push(thing);
        self.returned.notify_one();
    }

    fn lock(&self) -> MutexGuard<'_, PoolState<T>> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A taken item, which goes back when it is dropped.
pub(super) struct PoolGuard<'p, T> {
    thing: Option<T>,
    pool: &'p Pool<T>,
}

impl<T> Deref for PoolGuard<'_, T> {
    type Target = T;

    fn deref(&self) -> &T {
        self.thing.as_ref().expect("it is there until it is let go of")
    }
}

impl<T> DerefMut for PoolGuard<'_, T> {
    fn deref_mut(&mut self) -> &mut T {
        self.thing.as_mut().expect("it is there until it is let go of")
    }
}

impl<T> Drop for PoolGuard<'_, T> {
    fn drop(&mut self) {
        if let Some(thing) = self.thing.take() {
            self.pool.put(thing);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_more_than_there_are() {
        let pool = Pool::new([1, 2], 1, Duration::from_millis(20));
        let (a, b) = (pool.take().ok().unwrap(), pool.take().ok().unwrap());
        assert_eq!((*a, *b), (2, 1));
        assert_eq!(pool.take().err(), Some(Busy::Waited(Duration::from_millis(20))));
        std::thread::scope(|scope| {
            let third = scope.spawn(|| pool.take().map(|taken| *taken));
            while pool.lock().waiting == 0 {
                std::thread::yield_now();
            }
            assert_eq!(pool.take().err(), Some(Busy::QueueFull));
            drop(a);
            assert_eq!(third.join().unwrap(), Ok(2));
        });
        drop(b);
        assert_eq!(pool.drain().len(), 2);
    }
}
