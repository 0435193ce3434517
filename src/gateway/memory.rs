//! The memory that calls take up together.
//!
//! A document may become a tree of values, with an answer beside it. So room for both is reserved before its body is
//! read; while there is none, the body stays unread until other calls are answered.

use std::collections::VecDeque;
use std::ops::Range;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use rustix::process::{Resource, getrlimit};

use crate::service::Limits;
use crate::service::Response;

/// The worst case of a document in memory, as measured: this many times its length, as a tree of small structs.
const FACTOR: usize = 7;

/// The factor by which decompression can lengthen a body: deflate yields no more.
const MAX_INFLATION: usize = 1032;

/// The fraction of the whole, one in this many, up to which a document does not queue behind larger ones.
const SMALL_PART: usize = 64;

/// A callback that wakes a waiter.
type Wake = Box<dyn FnOnce() + Send>;

/// The memory of a gateway.
#[derive(Clone)]
pub(super) struct Memory(Arc<MemoryState>);

struct MemoryState {
    /// In octets.
    whole: usize,
    free: AtomicUsize,
    /// The length of the queue.
    waiting: AtomicUsize,
    queue: Mutex<VecDeque<Place>>,
}

/// The place of a waiting reservation in the queue.
struct Place {
    octets: usize,
    state: Arc<Mutex<ReservationState>>,
    wake: Wake,
}

/// Room that is reserved, or will be. Dropping it gives the room back.
pub(super) struct Reservation {
    memory: Memory,
    octets: usize,
    /// The state of a reservation that has had to wait.
    waited: Option<Arc<Mutex<ReservationState>>>,
}

/// The state of a reservation that has had to wait.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum ReservationState {
    Waiting,
    Granted,
    /// It has given up, or has given its room back.
    Gone,
}

/// Returns the body length to reserve room for: a compressed body becomes longer, but not beyond the limit.
pub(super) fn length_in_memory(length: usize, is_compressed: bool, limit: usize) -> usize {
    match is_compressed {
        true => length.saturating_mul(MAX_INFLATION).min(limit),
        false => length,
    }
}

/// Returns the response to a call of this length that has waited in vain, and logs it.
pub(super) fn refusal(length: usize, limits: &Limits) -> Response {
    log::warn!("a call of {length} octets is refused: there was no memory for it (`memory` of the limits)");
    Response::no_room(limits)
}

impl Memory {
    /// Creates the memory of a gateway: this many octets, but at most half of the addresses that the process may have.
    pub(super) fn new(octets: usize) -> Memory {
        let addresses = getrlimit(Resource::As).current.and_then(|most| usize::try_from(most).ok());
        let octets = octets.min(addresses.map_or(usize::MAX, |most| most / 2));
        let queue = Mutex::default();
        Memory(Arc::new(MemoryState { whole: octets, free: octets.into(), waiting: 0.into(), queue }))
    }

    /// Reserves room for a document whose length grows: from the octets covered so far to those to be covered. It is
    /// granted at once or later, when the callback that `wake` makes is called. A document that would take up more than
    /// the whole gets all of it.
    pub(super) fn reserve(&self, lengths: Range<usize>, wake: impl FnOnce() -> Wake) -> Reservation {
        let Memory(shared) = self;
        let taken_up = |length: usize| length.saturating_mul(FACTOR).min(shared.whole);
        let octets = taken_up(lengths.end).saturating_sub(taken_up(lengths.start));
        let may_pass = shared.is_small(octets) || shared.waiting.load(Ordering::SeqCst) == 0;
        if may_pass && shared.take(octets) {
            return Reservation { memory: self.clone(), octets, waited: None };
        }
        let state = Arc::new(Mutex::new(ReservationState::Waiting));
        let place = Place { octets, state: Arc::clone(&state), wake: wake() };
        let mut queue = lock(&shared.queue);
        queue.push_back(place);
        shared.waiting.store(queue.len(), Ordering::SeqCst);
        drop(queue);
        // room given back in between was not offered to it
        shared.serve();
        Reservation { memory: self.clone(), octets, waited: Some(state) }
    }
}

impl MemoryState {
    fn take(&self, octets: usize) -> bool {
        let less = |free: usize| free.checked_sub(octets);
        self.free.fetch_update(Ordering::SeqCst, Ordering::SeqCst, less).is_ok()
    }

    fn give_back(&self, octets: usize) {
        self.free.fetch_add(octets, Ordering::SeqCst);
        if self.waiting.load(Ordering::SeqCst) > 0 {
            self.serve();
        }
    }

    /// Grants waiting reservations in order, as far as there is room; small ones pass large ones.
    #[cold]
    fn serve(&self) {
        let mut wakes = Vec::new();
        let mut queue = lock(&self.queue);
        let (mut left, mut is_held_up) = (VecDeque::new(), false);
        for place in queue.drain(..) {
            let may_pass = !is_held_up || self.is_small(place.octets);
            match self.settle(&place, may_pass) {
                ReservationState::Gone => {}
                ReservationState::Granted => wakes.push(place.wake),
                ReservationState::Waiting => {
                    is_held_up = true;
                    left.push_back(place);
                }
            }
        }
        self.waiting.store(left.len(), Ordering::SeqCst);
        *queue = left;
        drop(queue);
        wakes.into_iter().for_each(|wake| wake());
    }

    /// Grants a waiter its room if it may pass; returns its state.
    fn settle(&self, place: &Place, may_pass: bool) -> ReservationState {
        let mut state = lock(&place.state);
        if *state == ReservationState::Waiting && may_pass && self.take(place.octets) {
            *state = ReservationState::Granted;
        }
        *state
    }

    fn is_small(&self, octets: usize) -> bool {
        octets <= self.whole / SMALL_PART
    }
}

/// Locks a mutex; data that a panicked thread left is as good as any.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Reservation {
    /// Adds more room that was reserved for the same document.
    pub(super) fn absorb(&mut self, mut more: Reservation) {
        self.octets += std::mem::take(&mut more.octets);
    }

    /// Gives back all but this many octets.
    pub(super) fn shrink_to(&mut self, octets: usize) {
        let Memory(shared) = &self.memory;
        if let Some(more) = self.octets.checked_sub(octets).filter(|_| self.is_granted()) {
            self.octets = octets;
            shared.give_back(more);
        }
    }

    pub(super) fn is_granted(&self) -> bool {
        self.waited.as_ref().is_none_or(|state| *lock(state) == ReservationState::Granted)
    }
}

impl Drop for Reservation {
    fn drop(&mut self) {
        let leave = |state: &Arc<Mutex<ReservationState>>| {
            std::mem::replace(&mut *lock(state), ReservationState::Gone) == ReservationState::Granted
        };
        let is_granted = self.waited.as_ref().is_none_or(leave);
        let Memory(shared) = &self.memory;
        match is_granted {
            true => shared.give_back(self.octets),
            // those behind it may go on
            false => shared.serve(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn in_order_and_within_the_whole() {
        let memory = Memory::new(7000);
        let woken = Arc::new(Mutex::new(Vec::new()));
        let reserve = |length: usize| {
            let woken = Arc::clone(&woken);
            memory.reserve(0..length, || Box::new(move || woken.lock().unwrap().push(length)))
        };
        let first = reserve(600);
        let second = reserve(500);
        let third = reserve(300);
        assert!(first.is_granted() && !second.is_granted() && !third.is_granted());
        // a small one passes
        assert!(reserve(10).is_granted());
        drop(first);
        assert!(second.is_granted() && third.is_granted());
        assert_eq!(*woken.lock().unwrap(), [500, 300]);
        let fourth = reserve(2000);
        let fifth = reserve(150);
        drop(second);
        assert!(!fourth.is_granted() && !fifth.is_granted());
        // a waiter that gives up lets the next have it
        drop(fourth);
        assert!(fifth.is_granted());
        drop(third);
        drop(fifth);
        let all = reserve(2000);
        assert!(all.is_granted() && !reserve(900).is_granted());
        drop(all);
        // a reservation that grows is one in the end
        let mut grown = reserve(300);
        grown.absorb(memory.reserve(300..600, || unreachable!("there is enough")));
        assert_eq!(memory.0.free.load(Ordering::SeqCst), 7000 - 600 * FACTOR);
        grown.shrink_to(100);
        assert_eq!(memory.0.free.load(Ordering::SeqCst), 6900);
        drop(grown);
        assert_eq!(memory.0.free.load(Ordering::SeqCst), 7000);
        assert_eq!(memory.0.waiting.load(Ordering::SeqCst), 0);
    }
}
