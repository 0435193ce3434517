//! Gateways, by which requests arrive. Each takes a [`Service`](crate::Service) and knows nothing of what it does.

pub(crate) mod cgi;
#[cfg(target_os = "linux")]
pub(crate) mod fastcgi;
#[cfg(feature = "http")]
pub(crate) mod http;
#[cfg(any(target_os = "linux", feature = "http"))]
mod memory;
#[cfg(target_os = "linux")]
pub(crate) mod socket;

#[cfg(target_os = "linux")]
use self::socket::Listener;

/// The starter of the program, as its environment and descriptor 0 tell.
pub(crate) enum Start {
    /// A web server, for one request (RFC 3875).
    Cgi,
    /// A process manager, with sockets to accept FastCGI's connections on.
    #[cfg(target_os = "linux")]
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
        #[cfg(target_os = "linux")]
        {
            let listeners = Listener::inherited();
            if !listeners.is_empty() {
                return Start::FastCgi(listeners);
            }
        }
        Start::CommandLine
    }
}
