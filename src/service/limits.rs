//! Limits on the cost of one request, and of all together.

use std::num::NonZeroUsize;
use std::time::Duration;

/// The limits of a request, and of a FastCGI responder. A caller whose request is over one gets an answer that names
/// the limit.
///
/// Every limit has a default with a reason, and `system.getCapabilities` reports those of a request.
///
/// # Example
///
/// ```
/// use rpcgi::Limits;
///
/// let mut limits = Limits::default();
/// limits.body = 64 << 20; // somebody uploads photographs
/// assert_eq!(limits.depth, 64);
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Limits {
    /// Octets of a request body, before and after decompression: 16 MiB.
    ///
    /// Room for a photograph in base64; small enough that a hundred such requests at once fit in a small machine.
    pub body: usize,
    /// Arrays and structs inside one another: 64.
    ///
    /// People do not nest deeper by hand, xmlrpc-c stops there too, and the recursion fits any thread's stack.
    pub depth: u32,
    /// Array items and struct members in one document, together: 500,000.
    ///
    /// As a tree of [`Value`](crate::Value)s they take some 50 MB, three times the largest body.
    pub members: usize,
    /// Calls in one `system.multicall` or one batch of JSON-RPC, and names in one `system.describeMethods`: 100.
    ///
    /// A screenful of work in one round trip; not a way to try a thousand passwords in one. For the same reason a batch
    /// may not have a `system.multicall` in it.
    pub calls: usize,
    /// Octets of a response document, before compression: 64 MiB. The answers to a batch of JSON-RPC are one document.
    ///
    /// Four times the largest request: a result above it is a mistake in a method, and is not written to its end.
    pub response: usize,
    /// Octets of all meta-variables of a request by FastCGI: 256 KiB.
    ///
    /// Web servers stop at some 100 KiB of headers; a larger request does not come from one.
    pub params: usize,
    /// Octets that all calls of a process take up together, by FastCGI and by the development server: 256 MiB.
    ///
    /// Before its body is read a document counts seven times its length, which it may take up as a tree of small
    /// structs with its answer; a compressed one counts as what it may become. So two of the largest run at once, and
    /// thousands of the usual size. A call that does not fit waits, and holds no thread; one that exceeds the limit by
    /// itself waits until it is the only one.
    pub memory: usize,
    /// The time that a call waits for [`memory`](Limits::memory), before it is answered with 503 and `Retry-After`: 10
    /// s.
    ///
    /// A client that has waited longer has given up.
    pub wait: Duration,
    /// FastCGI connections open at once: 1,000. At least one, and at most three quarters of the files that the process
    /// may open (`ulimit -n`); web servers that ask are told this number.
    ///
    /// A connection that waits for its next request costs a kilobyte and no thread. Further ones wait in the socket's
    /// backlog, unless others have long been idle: those are closed.
    pub connections: usize,
    /// Methods that run at once under FastCGI: `None` for four times the processors, and at least 8.
    ///
    /// Methods wait, for databases and disks, more than they compute. Set it to what the database takes. An `async`
    /// method holds its thread too.
    pub threads: Option<NonZeroUsize>,
    /// The time that a FastCGI connection may stop in the middle of a request or response: 60 s.
    ///
    /// Web servers give up after the same time. `Duration::MAX` is for ever.
    pub stall: Duration,
    /// The time that a FastCGI responder that was told to end waits for the methods that run: 30 s.
    ///
    /// A process manager seldom waits longer than 90 s before ending it by force.
    pub stop: Duration,
}

impl Default for Limits {
    fn default() -> Self {
        Limits {
            body: 16 << 20,
            depth: 64,
            members: 500_000,
            calls: 100,
            response: 64 << 20,
            params: 256 << 10,
            memory: 256 << 20,
            wait: Duration::from_secs(10),
            connections: 1000,
            threads: None,
            stall: Duration::from_secs(60),
            stop: Duration::from_secs(30),
        }
    }
}
