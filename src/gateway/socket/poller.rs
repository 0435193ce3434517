//! The poller (epoll): reports ready sockets and the timer.

use std::io;
use std::mem::MaybeUninit;
use std::os::fd::{AsFd, OwnedFd};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use rustix::event::epoll::{self, CreateFlags, EventData, EventFlags};
use rustix::io::Errno;
use rustix::time::{
    Itimerspec, TimerfdClockId, TimerfdFlags, TimerfdTimerFlags, Timespec, timerfd_create, timerfd_settime,
};

/// An event that the poller reports.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::gateway) enum Event {
    /// A connection waits to be accepted. Reported once, until the listener is [listened to
    /// again](Poller::listen_again).
    Listener(usize),
    /// The timer has gone off.
    Timer,
    /// Something has changed on a connection. The generation distinguishes successive connections in one slot.
    Connection { slot: u32, generation: u32 },
}

/// The reason a connection waits, and thus the events it is watched for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::gateway) enum Wait {
    /// Octets from the peer.
    Input,
    /// Room for octets to the peer.
    Room,
    /// Either of the two.
    Either,
    /// Memory that other requests give back; no event is watched for.
    Memory,
}

pub(in crate::gateway) struct Poller {
    epoll: OwnedFd,
    timer: OwnedFd,
    /// The moment that the timer is set to.
    next: Mutex<Option<Instant>>,
}

/// The flags of a listener, which is for one thread at a time.
const ONCE_READABLE: EventFlags = EventFlags::IN.union(EventFlags::ONESHOT);

impl Poller {
    pub(in crate::gateway) fn new() -> io::Result<Poller> {
        let epoll = epoll::create(CreateFlags::CLOEXEC)?;
        let timer = timerfd_create(TimerfdClockId::Monotonic, TimerfdFlags::CLOEXEC | TimerfdFlags::NONBLOCK)?;
        epoll::add(&epoll, &timer, Event::Timer.data(), EventFlags::IN | EventFlags::ET)?;
        Ok(Poller { epoll, timer, next: Mutex::new(None) })
    }

    /// Waits for one event; each event goes to one thread. Also returns whether the peer of a connection has ended it,
    /// which no other event reports.
    pub(in crate::gateway) fn wait(&self) -> Result<(Event, bool), Errno> {
        let mut events = [MaybeUninit::uninit()];
        loop {
            match epoll::wait(&self.epoll, &mut events, None) {
                Ok(([event], _)) => {
                    let (data, flags) = (event.data, event.flags);
                    let is_ended = flags.intersects(EventFlags::RDHUP | EventFlags::HUP | EventFlags::ERR);
                    return Ok((Event::from_data(data), is_ended));
                }
                Ok(_) | Err(Errno::INTR) => {}
                Err(error) => return Err(error),
            }
        }
    }

    pub(in crate::gateway) fn listen(&self, listener: impl AsFd, index: usize) -> Result<(), Errno> {
        epoll::add(&self.epoll, listener, Event::Listener(index).data(), ONCE_READABLE)
    }

    pub(in crate::gateway) fn listen_again(&self, listener: impl AsFd, index: usize) -> Result<(), Errno> {
        epoll::modify(&self.epoll, listener, Event::Listener(index).data(), ONCE_READABLE)
    }

    /// Watches a connection until it is closed. Any change is reported, and at once if it is ready.
    pub(in crate::gateway) fn watch(&self, connection: impl AsFd, event: Event, wait: Wait) -> Result<(), Errno> {
        epoll::add(&self.epoll, connection, event.data(), wait.flags())
    }

    /// Watches a connection for something else, or for nothing.
    pub(in crate::gateway) fn watch_for(
        &self,
        connection: impl AsFd,
        event: Event,
        wait: Option<Wait>,
    ) -> Result<(), Errno> {
        epoll::modify(&self.epoll, connection, event.data(), wait.map_or(EventFlags::ET, Wait::flags))
    }

    /// Sets the timer, unless it is set to an earlier time.
    pub(in crate::gateway) fn wake_at(&self, moment: Instant) {
        let mut next = self.next.lock().unwrap_or_else(PoisonError::into_inner);
        if next.is_some_and(|next| next <= moment) {
            return;
        }
        // zero would switch it off
        let wait = moment.saturating_duration_since(Instant::now()).max(Duration::from_nanos(1));
        let it_value = Timespec::try_from(wait).unwrap_or(Timespec { tv_sec: i64::MAX, tv_nsec: 0 });
        let once = Itimerspec { it_interval: Timespec { tv_sec: 0, tv_nsec: 0 }, it_value };
        match timerfd_settime(&self.timer, TimerfdTimerFlags::empty(), &once) {
            Ok(_) => *next = Some(moment),
            Err(error) => log::error!("the timer cannot be set: {error}"),
        }
    }

    /// Notes that the timer has gone off.
    pub(in crate::gateway) fn woken(&self) {
        *self.next.lock().unwrap_or_else(PoisonError::into_inner) = None;
    }
}

impl Wait {
    /// Returns the flags. They are edge-triggered: a connection that a thread holds for long is not reported again and
    /// again, and the poller needs no call between one request and the next.
    fn flags(self) -> EventFlags {
        EventFlags::ET
            | match self {
                Wait::Input => EventFlags::IN | EventFlags::RDHUP,
                Wait::Room => EventFlags::OUT,
                Wait::Either => EventFlags::IN | EventFlags::RDHUP | EventFlags::OUT,
                Wait::Memory => EventFlags::empty(),
            }
    }
}

impl Event {
    const LISTENER: u64 = 1 << 63;
    const TIMER: u64 = 1 << 62;

    fn data(self) -> EventData {
        EventData::new_u64(match self {
            Event::Listener(index) => Event::LISTENER | index as u64,
            Event::Timer => Event::TIMER,
            Event::Connection { slot, generation } => u64::from(slot) << 32 | u64::from(generation),
        })
    }

    fn from_data(data: EventData) -> Event {
        match data.u64() {
            number if number & Event::LISTENER != 0 => Event::Listener((number & !Event::LISTENER) as usize),
            number if number & Event::TIMER != 0 => Event::Timer,
            number => Event::Connection { slot: (number >> 32) as u32, generation: number as u32 },
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn events_roundtrip() {
        let connection = |slot, generation| Event::Connection { slot, generation };
        for event in [
            Event::Listener(0),
            Event::Listener(7),
            Event::Timer,
            connection(0, 0),
            connection(999, u32::MAX),
            connection((1 << 30) - 1, 1),
        ] {
            assert_eq!(Event::from_data(event.data()), event);
        }
    }
}
