//! Gateways: the ways in which requests arrive. Each serves a [`Service`](crate::Service), and knows nothing of what
//! it does; [`run`](crate::run) chooses one.

pub mod cgi;
#[cfg(all(target_os = "linux", feature = "fastcgi"))]
pub mod fastcgi;
#[cfg(feature = "http")]
pub mod http;
#[cfg(any(all(target_os = "linux", feature = "fastcgi"), feature = "http"))]
mod memory;
#[cfg(all(target_os = "linux", feature = "fastcgi"))]
mod socket;

#[cfg(all(target_os = "linux", feature = "fastcgi"))]
use self::fastcgi::Listener;

/// The starter of the program, as its environment and descriptor 0 tell.
pub(crate) enum Start {
    /// A web server, for one request (RFC 3875).
    Cgi,
    /// A process manager, with sockets to accept FastCGI's connections on.
    #[cfg(all(target_os = "linux", feature = "fastcgi"))]
    FastCgi(Vec<Listener>),
    /// An operator, with a command line.
    CommandLine,
}

impl Start {
    /// Recognises it without looking at the command line: a web server may have put words of the request's query there
    /// (RFC 3875 §4.4).
    pub(crate) fn recognise() -> Start {
        if cgi::is_environment() {
            return Start::Cgi;
        }
        #[cfg(all(target_os = "linux", feature = "fastcgi"))]
        {
            let listeners = Listener::inherited();
            if !listeners.is_empty() {
                return Start::FastCgi(listeners);
            }
        }
        Start::CommandLine
    }
}
