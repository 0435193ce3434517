//! How requests arrive. Each gateway takes a [`Service`](crate::Service) and knows nothing of what it does.

pub(crate) mod cgi;
#[cfg(feature = "http")]
pub(crate) mod http;

use rustix::net::sockopt::socket_acceptconn;

/// What started the program, as its environment and descriptor 0 tell.
pub(crate) enum Start {
    /// A web server, for one request (RFC 3875).
    Cgi,
    /// A process manager of FastCGI, with the socket to accept connections on.
    FastCgi,
    /// Somebody with a command line.
    CommandLine,
}

impl Start {
    /// Finds out, without a look at the command line: a web server may have put words of the request's query there
    /// (RFC 3875 §4.4).
    pub(crate) fn recognise() -> Start {
        if cgi::is_environment() {
            Start::Cgi
        } else if socket_acceptconn(rustix::stdio::stdin()) == Ok(true) {
            Start::FastCgi
        } else {
            Start::CommandLine
        }
    }
}
