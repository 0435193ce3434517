//! The part of a gateway that knows its protocol: octets in, requests out, responses in, octets out, without any I/O.

use std::fmt;
use std::ops::Range;

use crate::gateway::memory::Reservation;
use crate::service::{Limits, Request, Response};

/// The protocol of one connection, one request at a time.
pub(in crate::gateway) trait Codec: Send + Sized + 'static {
    /// The name of the gateway, for its threads.
    const NAME: &'static str;

    /// A response on its way out.
    type Answer: Outgoing;

    /// The reason a connection cannot go on.
    type Violation: fmt::Display + fmt::Debug;

    fn new(limits: &Limits) -> Self;

    /// Takes octets from the front, up to the end of a request if there is one, or to where memory is
    /// [lacking](Codec::lacks). Answers that are due at once go to `output`; `admit` decides on each request when its
    /// head is complete.
    fn take(
        &mut self,
        octets: &mut &[u8],
        output: &mut Vec<u8>,
        admit: Admit<'_>,
    ) -> Result<Option<Arrival>, Self::Violation>;

    /// Returns the range of body lengths for which memory must be reserved before more is taken.
    fn lacks(&self) -> Option<Range<usize>>;

    /// Takes memory for a body of this length.
    fn supply(&mut self, length: usize, memory: Reservation);

    /// Refuses the request, of this length, for lack of memory.
    fn give_up(&mut self, length: usize) -> Option<Arrival>;

    /// Tests whether the connection waits for more of a request.
    fn is_midway(&self) -> bool;

    /// Returns when the connection is to be closed, if it is.
    fn closing(&self) -> Option<Closing>;

    /// Takes no more requests.
    fn close(&mut self);

    /// Begins the answer to a request; `log` is for its peer's log, where there is one.
    fn answer(request_id: u16, response: Response, log: &[u8], output: &mut Vec<u8>) -> Self::Answer;
}

/// A response on its way out.
pub(in crate::gateway) trait Outgoing: Send {
    /// Writes the next octets, some 64 KiB of them.
    fn write(&mut self, output: &mut Vec<u8>);

    /// Tests whether all of it is written.
    fn is_done(&self) -> bool;
}

/// The decision on a request by its head.
pub(in crate::gateway) type Admit<'a> = &'a mut dyn FnMut(&mut Request) -> Result<(), Response>;

/// The time to close a connection that takes no more requests.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::gateway) enum Closing {
    /// As soon as everything is written.
    Now,
    /// When the peer closes it too: the rest of a request is still on its way. If it were never read, the kernel would
    /// answer with a reset, which can take the response with it.
    AfterInput,
}

/// A request that is complete, or is refused before that.
pub(in crate::gateway) struct Arrival {
    pub(in crate::gateway) request_id: u16,
    /// The request, or the response that refuses it.
    pub(in crate::gateway) request: Result<Request, Response>,
    /// The memory that it takes up until it is answered.
    pub(in crate::gateway) memory: Option<Reservation>,
}
