//! A connection: the socket and the state it is in. It never waits for its peer; it says what it waits for.

use std::convert::identity;
use std::fmt;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::time::{Duration, Instant};

use http::StatusCode;
use rustix::io::Errno;
use rustix::net::{self, RecvFlags, SendFlags, Shutdown, sockopt};

use super::Pool;
use super::responder::{Answer, Arrival, Closing, Responder, Violation};
use crate::gateway::memory::Reservation;
use crate::gateway::socket::Wait;
use crate::logger;
use crate::service::Limits;
use crate::service::{Request, Response};

/// A peer that sends much and reads nothing may leave so many octets of answers unread; then nothing more is read from
/// it. As much as it takes to refuse all requests that can have an id.
const MOST_UNREAD: usize = 2 << 20;

/// A connection that is told to end closes when it has been idle for this long: until then, the web server may be about
/// to send a request on it, which would be lost.
const QUIET: Duration = Duration::from_millis(500);

/// How often a thread reads from one connection, each time as much as it can, before others have their turn.
const MOST_READS: usize = 64;

/// How long a thread stays with a connection on which nothing happens, at most.
const MOMENT: Duration = Duration::from_millis(10);

/// Why a connection ends.
#[derive(Debug)]
pub(super) enum End {
    /// As it should.
    Closed,
    /// The peer left in the middle of a request.
    Left,
    /// The peer stopped in the middle of a request or response.
    Stalled,
    Failed(Errno),
    /// The poller cannot take it.
    Unwatched(Errno),
    Violation(Violation),
}

impl fmt::Display for End {
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

impl From<Errno> for End {
    fn from(error: Errno) -> End {
        End::Failed(error)
    }
}

impl From<Violation> for End {
    fn from(violation: Violation) -> End {
        End::Violation(violation)
    }
}

pub(super) struct Connection {
    socket: OwnedFd,
    responder: Responder,
    /// Records to send, of which the first `sent` octets are gone.
    output: Vec<u8>,
    sent: usize,
    /// What comes after them.
    answer: Option<Answer>,
    /// Octets that were read behind a request whose answer is still on its way.
    unread: Vec<u8>,
    /// Whether the peer has ended it: then it is read until that end is seen, as the poller tells of it only once.
    pub(super) is_ended: bool,
    /// Whether it stopped before there was nothing left to do: nobody will tell of that.
    pub(super) is_unfinished: bool,
    /// Whether the peer has been told that nothing more comes.
    is_shut: bool,
    /// Whether reading has a time limit, see [`Connection::linger`].
    is_timed: bool,
    /// When octets last went either way.
    active: Instant,
    /// The memory of the answer.
    reserved: Option<Reservation>,
    /// The memory that it waits for, and until when.
    waiting: Option<(Reservation, Option<Instant>)>,
}

impl Connection {
    pub(super) fn new(socket: OwnedFd, limits: &Limits) -> Connection {
        Connection {
            socket,
            responder: Responder::new(limits),
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

    /// Goes on as far as that takes no waiting: reads, has requests answered, writes.
    ///
    /// # Errors
    /// If the connection has come to its end.
    pub(super) fn turn(&mut self, worker: &mut Worker<'_>) -> Result<Wait, End> {
        self.go_on(worker, true)
    }

    /// Waits a moment for octets, where a poller would cost more, and goes on. `None` if nothing came.
    ///
    /// # Errors
    /// As [`turn`](Connection::turn).
    pub(super) fn linger(&mut self, worker: &mut Worker<'_>) -> Result<Option<Wait>, End> {
        if !self.is_timed {
            sockopt::set_socket_timeout(&self.socket, sockopt::Timeout::Recv, Some(MOMENT))?;
            self.is_timed = true;
        }
        match self.receive(worker, RecvFlags::empty())? {
            Some(more) => self.go_on(worker, more).map(Some),
            None => Ok(None),
        }
    }

    /// When it is to be closed if nothing happens until then. `stopped` is when it was told to end, if it was.
    pub(super) fn deadline(&self, stall: Duration, stopped: Option<Instant>) -> Option<Instant> {
        if let Some((_, until)) = &self.waiting {
            return *until;
        }
        match self.idle_since() {
            None => self.active.checked_add(stall),
            Some(since) => Some(since.max(stopped?) + QUIET),
        }
    }

    /// Since when it has had nothing to do, if that is so.
    pub(super) fn idle_since(&self) -> Option<Instant> {
        let is_busy = self.responder.is_midway()
            || self.responder.closing().is_some()
            || self.sent < self.output.len()
            || !self.unread.is_empty();
        (!is_busy).then_some(self.active)
    }

    /// Tests if it waits for memory, and not for its peer.
    pub(super) fn is_waiting(&self) -> bool {
        self.waiting.is_some()
    }

    fn go_on(&mut self, worker: &mut Worker<'_>, mut more: bool) -> Result<Wait, End> {
        self.is_unfinished = false;
        for _ in 0..MOST_READS {
            let is_sent = self.send()?;
            match self.responder.closing() {
                Some(Closing::Now) if is_sent => return Err(End::Closed),
                Some(Closing::Now) => return Ok(self.waits(Wait::Room)),
                Some(Closing::AfterInput) if is_sent => self.shut()?,
                Some(Closing::AfterInput) | None => {}
            }
            if !is_sent && (self.answer.is_some() || self.output.len() - self.sent > MOST_UNREAD) {
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

    /// Reserves memory for the request that is on its way, if that is lacking; `false` if there is none yet. One that has
    /// waited too long is refused.
    fn has_memory(&mut self, worker: &Worker<'_>) -> bool {
        let Some(lengths) = self.responder.lacks() else { return true };
        let length = lengths.end;
        let (memory, until) = match self.waiting.take() {
            Some(waiting) => waiting,
            None => {
                let memory = worker.pool.memory.reserve(lengths, || worker.pool.waker(worker.slot));
                (memory, Instant::now().checked_add(worker.pool.limits.wait))
            }
        };
        if memory.is_granted() {
            self.responder.supply(length, memory);
        } else if until.is_some_and(|until| until <= Instant::now()) {
            drop(memory);
            let (arrival, log) = logger::capture(|| self.responder.give_up(length));
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
        // what comes after the end of a request is not waited for longer because it comes in small pieces
        if !self.is_shut {
            self.active = Instant::now();
        }
        wait
    }

    /// Sends what there is; `false` if the peer does not take all of it now.
    fn send(&mut self) -> Result<bool, End> {
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

    /// Gives up what is sent, once that is much: a peer that reads slowly and asks on must not make it grow for ever.
    fn forget_sent(&mut self) {
        if self.sent > MOST_UNREAD / 16 {
            self.output.drain(..self.sent);
            self.sent = 0;
        }
    }

    fn send_flags(&self) -> SendFlags {
        let flags = SendFlags::DONTWAIT | SendFlags::NOSIGNAL;
        // with MORE, TCP sends the last octets together with the end of the connection: no web server takes it for one
        // that it can use again
        let is_last =
            self.answer.as_ref().is_some_and(Answer::is_done) && self.responder.closing() == Some(Closing::Now);
        if is_last { flags | SendFlags::MORE } else { flags }
    }

    /// Tells the peer that nothing more comes.
    fn shut(&mut self) -> Result<(), End> {
        if !self.is_shut {
            net::shutdown(&self.socket, Shutdown::Write)?;
            self.is_shut = true;
            self.active = Instant::now();
        }
        Ok(())
    }

    /// Takes what was read before, or reads once; `false` if nothing more is there now.
    fn read(&mut self, worker: &mut Worker<'_>) -> Result<bool, End> {
        let unread = std::mem::take(&mut self.unread);
        if unread.is_empty() {
            return Ok(self.receive(worker, RecvFlags::DONTWAIT)?.unwrap_or(false));
        }
        self.take(&unread, worker)?;
        Ok(true)
    }

    /// Reads once; whether there may be more. `None` if nothing is there now.
    fn receive(&mut self, worker: &mut Worker<'_>, flags: RecvFlags) -> Result<Option<bool>, End> {
        let length = loop {
            match net::recv(&self.socket, &mut *worker.buffer, flags) {
                Ok((_, length)) => break length,
                Err(Errno::AGAIN) => return Ok(None),
                Err(Errno::INTR) => {}
                Err(error) => return Err(error.into()),
            }
        };
        if length == 0 {
            return self.ended().map(|()| None);
        }
        self.take(&worker.buffer[..length], worker)?;
        Ok(Some(self.is_ended || length == worker.buffer.len()))
    }

    /// The peer sends nothing more; it may still read.
    fn ended(&mut self) -> Result<(), End> {
        if self.responder.is_midway() {
            return Err(End::Left);
        }
        if self.sent == self.output.len() {
            return Err(End::Closed);
        }
        self.responder.close();
        Ok(())
    }

    fn take(&mut self, mut octets: &[u8], worker: &Worker<'_>) -> Result<(), End> {
        loop {
            let (arrival, log) = logger::capture(|| self.responder.take(&mut octets, &mut self.output));
            let Some(arrival) = arrival? else {
                // of a request that waits for memory
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

    /// Has a request answered; `log` is what was logged of it by now.
    fn answer(&mut self, arrival: Arrival, mut log: Vec<u8>, worker: &Worker<'_>) {
        let Arrival { request_id, request, memory } = arrival;
        let (response, lines) = logger::capture(|| worker.respond(request));
        // the answer is still there, until its peer has read it
        self.reserved = memory;
        if let Some(reserved) = &mut self.reserved {
            reserved.shrink_to(response.body.len());
        }
        log.extend_from_slice(&lines);
        if worker.pool.is_stopping() {
            self.responder.close();
        }
        self.answer = Some(Answer::new(request_id, response, &log, &mut self.output));
    }
}

impl AsFd for Connection {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.socket.as_fd()
    }
}

/// What a thread brings to the connections it works for.
pub(super) struct Worker<'a> {
    /// Where octets are read into.
    pub(super) buffer: Box<[u8]>,
    pub(super) pool: &'a Pool,
    /// The slot of the connection that it works for.
    pub(super) slot: u32,
}

impl Worker<'_> {
    fn respond(&self, request: Result<Request, Response>) -> Response {
        let respond = || request.map_or_else(identity, |request| self.pool.service.handle(&request));
        catch_unwind(AssertUnwindSafe(respond)).unwrap_or_else(|_| {
            log::error!("a request was not answered: the service panicked");
            Response::text(StatusCode::INTERNAL_SERVER_ERROR, "internal error")
        })
    }
}
