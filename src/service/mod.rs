//! The door: a request in, a response out.
//!
//! Its two sides know nothing of each other: a gateway makes a [`Request`] of whatever arrives and writes a
//! [`Response`] however its server wants it, and a [`Service`] answers.

mod about;
pub(crate) mod compression;
mod cookie;
mod forwarded;
mod limits;
pub(crate) mod logger;
pub(crate) mod origin;
pub(crate) mod path;
mod request;
mod response;
mod url;

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

pub use self::about::{About, PageError, PageRequest};
pub use self::cookie::Cookie;
pub use self::forwarded::Forwarded;
pub(crate) use self::forwarded::{Surroundings, is_forwarded, network};
pub use self::limits::Limits;
pub use self::logger::LogFormat;
pub use self::request::{MetaVariables, Request};
pub use self::response::{HeaderError, Response};
pub(crate) use self::url::{BaseUrl, is_local_host, split_port};

/// Set in a process that answers one request and ends.
static IS_SINGLE: AtomicBool = AtomicBool::new(false);

/// Notes that this process answers one request and ends, as a CGI program does.
pub(crate) fn mark_single_request() {
    IS_SINGLE.store(true, Ordering::Relaxed);
}

/// Tests whether this process answers one request and ends: threads cost it more than they bring, and a host may allow
/// none.
#[cfg(feature = "async")]
pub(crate) fn is_single_request() -> bool {
    IS_SINGLE.load(Ordering::Relaxed)
}

/// A handler of requests.
///
/// A program serves one by [`run`](crate::run) or by a [gateway](crate::gateway); an [`Endpoint`](crate::Endpoint) is
/// one, and so is whatever stands around it.
///
/// # Example
///
/// A service around an endpoint, which is closed at night:
///
/// ```
/// use http::StatusCode;
/// use rpcgi::{About, Endpoint, Limits, Request, Response, Server, Service};
///
/// struct Daytime(Endpoint);
///
/// impl Service for Daytime {
///     fn limits(&self) -> Limits {
///         self.0.limits()
///     }
///
///     fn admit(&self, head: &mut Request) -> Result<(), Response> {
/// #       fn is_night() -> bool { false }
///         if is_night() {
///             return Err(Response::text(StatusCode::SERVICE_UNAVAILABLE, "closed until seven"));
///         }
///         self.0.admit(head)
///     }
///
///     fn handle(&self, request: &Request) -> Response {
///         self.0.handle(request)
///     }
///
///     fn about(&self) -> Option<About<'_>> {
///         self.0.about()
///     }
/// }
///
/// let endpoint = Server::new("Example").method("add", |a: i32, b: i32| a + b).build()?;
/// # let service = Daytime(endpoint.clone());
/// # let call = br#"{"jsonrpc": "2.0", "method": "add", "params": [2, 3], "id": 1}"#.to_vec();
/// # let response = service.answer(http::Request::post("/").body(call).unwrap().into());
/// # assert_eq!(response.status, 200);
/// # if false {
/// rpcgi::run(Daytime(endpoint));
/// # }
/// # Ok::<(), rpcgi::BuildError>(())
/// ```
pub trait Service: Send + Sync {
    /// Returns the limits of what a gateway may accept for it.
    fn limits(&self) -> Limits;

    /// Decides on a request by its head, before a gateway reads the body; it may add to it.
    ///
    /// # Errors
    /// The response that refuses it. The body is not read then.
    fn admit(&self, _head: &mut Request) -> Result<(), Response> {
        Ok(())
    }

    /// Tells whether [`admit`](Service::admit) has work to do, for which a gateway that must not block sets a thread
    /// aside. It has, unless a service knows better.
    fn has_guards(&self) -> bool {
        true
    }

    /// Answers one request, which it has admitted.
    fn handle(&self, request: &Request) -> Response;

    /// Admits a complete request and answers it.
    fn answer(&self, mut request: Request) -> Response {
        match self.admit(&mut request) {
            Ok(()) => self.handle(&request),
            Err(refusal) => refusal,
        }
    }

    /// Describes the service, for the command line of its program.
    fn about(&self) -> Option<About<'_>> {
        None
    }

    /// Makes it ready, before a program serves it: the place to set up a log.
    fn start(&self) {}

    /// Tests if a request to another host than this machine may be meant for the service. A development server that
    /// listens on this machine alone asks this: only a proxy can have forwarded such a request, or a misled browser
    /// have sent it. `false` unless a service knows better.
    fn is_own_host(&self, _request: &Request) -> bool {
        false
    }
}

impl<S: Service + ?Sized> Service for Arc<S> {
    fn limits(&self) -> Limits {
        (**self).limits()
    }

    fn admit(&self, head: &mut Request) -> Result<(), Response> {
        (**self).admit(head)
    }

    fn has_guards(&self) -> bool {
        (**self).has_guards()
    }

    fn handle(&self, request: &Request) -> Response {
        (**self).handle(request)
    }

    fn about(&self) -> Option<About<'_>> {
        (**self).about()
    }

    fn start(&self) {
        (**self).start();
    }

    fn is_own_host(&self, request: &Request) -> bool {
        (**self).is_own_host(request)
    }
}
