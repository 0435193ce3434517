//! A connection: a socket and its state. It never waits for its peer; it reports what it waits for.

use std::convert::identity;
use std::fmt;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::time::{Duration, Instant};

use http::StatusCode;
use rustix::io::Errno;
use rustix::net::{self, RecvFlags, SendFlags, Shutdown, sockopt};

use super::codec::{Arrival, Closing, Codec, Outgoing};
use super::poller::Wait;
use crate::gateway::memory::{Memory, Reservation};
use crate::service::Limits;
use crate::service::logger;
use crate::service::{Request, Response, Service};

/// The most octets of answers that a peer may leave unread; beyond that, nothing more is read from it. Enough to refuse
/// a request for every possible id.
const MAX_UNREAD: usize = 2 << 20;

/// The idle time after which a connection that is told to end closes: any earlier, and a request that the web server is
/// about to send on it would be lost.
const QUIET: Duration = Duration::from_millis(500);

/// The number of reads from one connection, each as large as possible, before others have their turn.
const MAX_READS: usize = 64;

/// The longest time that a thread waits for an idle connection.
const MOMENT: Duration = Duration::from_millis(10);

/// The reason a connection ends.
#[derive(Debug)]
pub(super) enum End<C: Codec> {
    /// The regular end.
    Closed,
    /// The peer left in the middle of a request.
    Left,
    /// The peer stopped in the middle of a request or response.
    Stalled,
    Failed(Errno),
    /// The poller cannot take it.
    Unwatched(Errno),
    Violation(C::Violation),
}

impl<C: Codec> fmt::Display for End<C> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            End::Closed => f.write_str("closed"),
            End::Left => f.write_str("the peer left in the middle of a request"),
            End::Stalled => f.write_str("the peer stopped in the middle of a request or response"),
            End::Failed(error) => error.fmt(f),
            End::Unwatched(error) => write!(f, "it cannot be watched: {error}"),
            End::Violation(violation) => violation.fmt(f),
        }
    }
}

impl<C: Codec> From<Errno> for End<C> {
    fn from(error: Errno) -> End<C> {
        End::Failed(error)
    }
}

pub(super) struct Connection<C: Codec> {
    socket: OwnedFd,
    codec: C,
    /// Records to send; the first `sent` octets are gone.
    output: Vec<u8>,
    sent: usize,
    /// The answer to write after them.
    answer: Option<C::Answer>,
    /// Octets read beyond a request whose answer is still on its way.
    unread: Vec<u8>,
    /// Set if the peer has ended it: then it is read until that end is seen, as the poller reports it only once.
    pub(super) is_ended: bool,
    /// Set if it stopped with work left to do, which the poller does not report.
    pub(super) is_unfinished: bool,
    /// Set once the peer has been told that nothing more comes.
    is_shut: bool,
    /// Set once reading has a time limit, see [`Connection::linger`].
    is_timed: bool,
    /// The last time that octets went either way.
    active: Instant,
    /// The memory of the answer.
    reserved: Option<Reservation>,
    /// The memory that it waits for, and the time at which it gives up.
    waiting: Option<(Reservation, Option<Instant>)>,
}

impl<C: Codec> Connection<C> {
    pub(super) fn new(socket: OwnedFd, limits: &Limits) -> Connection<C> {
        Connection {
            socket,
            codec: C::new(limits),
            output: Vec::new(),
            sent: 0,
            answer: None,
            unread: Vec::new(),
            is_ended: false,
            is_unfinished: false,
            is_shut: false,
            is_timed: false,
            active: Instant::now(),
            reserved: None,
            waiting: None,
        }
    }

    /// Does all it can without waiting: reads, has requests answered, writes.
    ///
    /// # Errors
    /// The reason, if the connection has ended.
    pub(super) fn turn(&mut self, worker: &mut ThreadContext<'_>) -> Result<Wait, End<C>> {
        self.go_on(worker, true)
    }

    /// Waits a moment for octets, which costs less than the poller, and goes on. `None` if nothing came.
    ///
    /// # Errors
    /// As [`turn`](Connection::turn).
    pub(super) fn linger(&mut self, worker: &mut ThreadContext<'_>) -> Result<Option<Wait>, End<C>> {
        if !self.is_timed {
            sockopt::set_socket_timeout(&self.socket, sockopt::Timeout::Recv, Some(MOMENT))?;
            self.is_timed = true;
        }
        match self.receive(worker, RecvFlags::empty())? {
            Octets::None => Ok(None),
            octets => self.go_on(worker, octets == Octets::Many).map(Some),
        }
    }

    /// Returns the time to close it if nothing happens before. `stopped` is the time it was told to end, if it was.
    pub(super) fn deadline(&self, stall: Duration, stopped: Option<Instant>) -> Option<Instant> {
        if let Some((_, until)) = &self.waiting {
            return *until;
        }
        match self.idle_since() {
            None => self.active.checked_add(stall),
            Some(since) => Some(since.max(stopped?) + QUIET),
        }
    }

    /// Returns the time since which it has been idle, if it is.
    pub(super) fn idle_since(&self) -> Option<Instant> {
        let is_busy = self.codec.is_midway()
            || self.codec.closing().is_some()
            || self.sent < self.output.len()
            || !self.unread.is_empty();
        (!is_busy).then_some(self.active)
    }

    /// Tests if it waits for memory, and not for its peer.
    pub(super) fn is_waiting(&self) -> bool {
        self.waiting.is_some()
    }

    fn go_on(&mut self, worker: &mut ThreadContext<'_>, mut more: bool) -> Result<Wait, End<C>> {
        self.is_unfinished = false;
        for _ in 0..MAX_READS {
            let is_sent = self.send()?;
            match self.codec.closing() {
                Some(Closing::Now) if is_sent => return Err(End::Closed),
                Some(Closing::Now) => return Ok(self.waits(Wait::Room)),
                Some(Closing::AfterInput) if is_sent => self.shut()?,
                Some(Closing::AfterInput) | None => {}
            }
            if !is_sent && (self.answer.is_some() || self.output.len() - self.sent > MAX_UNREAD) {
                return Ok(self.waits(Wait::Room));
            }
            if !self.has_memory(worker) {
                return Ok(self.waits(Wait::Memory));
            }
            if self.answer.is_some() {
                // a refusal, which is to be sent
                continue;
            }
            if !more && self.unread.is_empty() {
                return Ok(self.waits(if is_sent { Wait::Input } else { Wait::Either }));
            }
            more = self.read(worker)?;
        }
        // others have waited long enough
        self.is_unfinished = true;
        Ok(self.waits(Wait::Either))
    }

    /// Reserves the memory that the incoming request lacks; `false` if there is none yet. A request that has waited too
    /// long is refused.
    fn has_memory(&mut self, worker: &ThreadContext<'_>) -> bool {
        let Some(lengths) = self.codec.lacks() else { return true };
        let length = lengths.end;
        let (memory, until) = match self.waiting.take() {
            Some(waiting) => waiting,
            None => {
                let memory = worker.host.memory().reserve(lengths, || worker.host.waker(worker.slot));
                (memory, Instant::now().checked_add(worker.host.limits().wait))
            }
        };
        if memory.is_granted() {
            self.codec.supply(length, memory);
        } else if until.is_some_and(|until| until <= Instant::now()) {
            drop(memory);
            let (arrival, log) = logger::capture(|| self.codec.give_up(length));
            if let Some(arrival) = arrival {
                self.answer(arrival, log, worker);
            }
        } else {
            self.waiting = Some((memory, until));
            return false;
        }
        true
    }

    fn waits(&mut self, wait: Wait) -> Wait {
        // octets after the end of a request get no more time by coming in small pieces
        if !self.is_shut {
            self.active = Instant::now();
        }
        wait
    }

    /// Sends the pending output; `false` if the peer does not take all of it now.
    fn send(&mut self) -> Result<bool, End<C>> {
        loop {
            while self.sent < self.output.len() {
                match net::send(&self.socket, &self.output[self.sent..], self.send_flags()) {
                    Ok(sent) => self.sent += sent,
                    Err(Errno::AGAIN) => {
                        self.forget_sent();
                        return Ok(false);
                    }
                    Err(Errno::INTR) => {}
                    Err(error) => return Err(error.into()),
                }
            }
            self.sent = 0;
            self.output.clear();
            match &mut self.answer {
                Some(answer) if !answer.is_done() => answer.write(&mut self.output),
                _ => {
                    self.answer = None;
                    self.reserved = None;
                    // an idle connection holds no memory
                    self.output = Vec::new();
                    return Ok(true);
                }
            }
        }
    }

    /// Drops sent octets once there are many: a peer that reads slowly and keeps asking must not make the buffer grow
    /// for ever.
    fn forget_sent(&mut self) {
        if self.sent > MAX_UNREAD / 16 {
            self.output.drain(..self.sent);
            self.sent = 0;
        }
    }

    fn send_flags(&self) -> SendFlags {
        let flags = SendFlags::DONTWAIT | SendFlags::NOSIGNAL;
        // with MORE, TCP sends the last octets together with the end of the connection, so no web server tries to use
        // it again
        let is_last = self.answer.as_ref().is_some_and(Outgoing::is_done) && self.codec.closing() == Some(Closing::Now);
        if is_last { flags | SendFlags::MORE } else { flags }
    }

    /// Tells the peer that nothing more comes.
    fn shut(&mut self) -> Result<(), End<C>> {
        if !self.is_shut {
            net::shutdown(&self.socket, Shutdown::Write)?;
            self.is_shut = true;
            self.active = Instant::now();
        }
        Ok(())
    }

    /// Takes the octets left over from before, or reads once; `false` if there are no more now.
    fn read(&mut self, worker: &mut ThreadContext<'_>) -> Result<bool, End<C>> {
        let unread = std::mem::take(&mut self.unread);
        if unread.is_empty() {
            return Ok(self.receive(worker, RecvFlags::DONTWAIT)? == Octets::Many);
        }
        self.take(&unread, worker)?;
        Ok(true)
    }

    /// Reads once.
    fn receive(&mut self, worker: &mut ThreadContext<'_>, flags: RecvFlags) -> Result<Octets, End<C>> {
        let length = loop {
            match net::recv(&self.socket, &mut *worker.buffer, flags) {
                Ok((_, length)) => break length,
                Err(Errno::AGAIN) => return Ok(Octets::None),
                Err(Errno::INTR) => {}
                Err(error) => return Err(error.into()),
            }
        };
        if length == 0 {
            return self.ended().map(|()| Octets::None);
        }
        self.take(&worker.buffer[..length], worker)?;
        Ok(if self.is_ended || length == worker.buffer.len() { Octets::Many } else { Octets::Some })
    }

    /// Handles the end of the peer's octets; the peer may still read.
    fn ended(&mut self) -> Result<(), End<C>> {
        if self.codec.is_midway() {
            return Err(End::Left);
        }
        if self.sent == self.output.len() {
            return Err(End::Closed);
        }
        self.codec.close();
        Ok(())
    }

    fn take(&mut self, mut octets: &[u8], worker: &ThreadContext<'_>) -> Result<(), End<C>> {
        loop {
            let mut admit = |head: &mut Request| worker.admit(head);
            let (arrival, log) = logger::capture(|| self.codec.take(&mut octets, &mut self.output, &mut admit));
            let Some(arrival) = arrival.map_err(End::Violation)? else {
                // these belong to a request that waits for memory
                self.unread = octets.to_vec();
                return Ok(());
            };
            self.answer(arrival, log, worker);
            if !self.send()? {
                self.unread = octets.to_vec();
                return Ok(());
            }
        }
    }

    /// Has a request answered; `log` holds the lines logged about it so far.
    fn answer(&mut self, arrival: Arrival, mut log: Vec<u8>, worker: &ThreadContext<'_>) {
        let Arrival { request_id, request, memory } = arrival;
        let (response, lines) = logger::capture(|| worker.respond(request));
        // the answer takes up memory until its peer has read it
        self.reserved = memory;
        if let Some(reserved) = &mut self.reserved {
            reserved.shrink_to(response.body.len());
        }
        log.extend_from_slice(&lines);
        if worker.host.is_stopping() {
            self.codec.close();
        }
        self.answer = Some(C::answer(request_id, response, &log, &mut self.output));
    }
}

impl<C: Codec> AsFd for Connection<C> {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.socket.as_fd()
    }
}

/// The result of reading once.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Octets {
    /// There are none now.
    None,
    Some,
    /// There may be more.
    Many,
}

/// The place that connections live in.
pub(super) trait Host {
    fn service(&self) -> &dyn Service;

    fn limits(&self) -> &Limits;

    fn memory(&self) -> &Memory;

    /// Makes a callback that wakes the connection in a slot.
    fn waker(&self, slot: u32) -> Box<dyn FnOnce() + Send>;

    fn is_stopping(&self) -> bool;
}

/// The context that a thread brings to the connections it works for.
pub(super) struct ThreadContext<'a> {
    /// The buffer that octets are read into.
    pub(super) buffer: Box<[u8]>,
    pub(super) host: &'a dyn Host,
    /// The slot of the connection that it works for.
    pub(super) slot: u32,
}

impl ThreadContext<'_> {
    fn admit(&self, head: &mut Request) -> Result<(), Response> {
        catch_unwind(AssertUnwindSafe(|| self.host.service().admit(head))).unwrap_or_else(|_| Err(panicked()))
    }

    fn respond(&self, request: Result<Request, Response>) -> Response {
        let respond = || request.map_or_else(identity, |request| self.host.service().handle(&request));
        catch_unwind(AssertUnwindSafe(respond)).unwrap_or_else(|_| panicked())
    }
}

#[cold]
fn panicked() -> Response {
    log::error!("a request was not answered: the service panicked");
    Response::text(StatusCode::INTERNAL_SERVER_ERROR, "internal error")
}
