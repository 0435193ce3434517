//! FastCGI (1.0), as a responder: many requests, over connections that web servers keep.
//!
//! | file | what it knows |
//! |---|---|
//! | `record`, `responder` | the protocol, without any I/O |
//!
//! Sockets, threads and the life of connections are the sockets' room: this is their codec.

mod record;
mod responder;

use std::io;
use std::net::IpAddr;
use std::sync::Arc;

use self::responder::Responder;
use super::socket;
pub use super::socket::{Address, ListenError, Listener, ParseAddressError};
use crate::service::Service;

/// Serves connections of web servers until a signal ends it; `ready` is called when it can.
///
/// TERM, INT and USR1 end it when what runs has been answered, or [`Limits::stop`](crate::Limits::stop) has passed; a second TERM or INT
/// ends the process at once.
///
/// # Errors
/// If it cannot begin: there is no descriptor or thread to be had.
///
/// # Example
///
/// ```no_run
/// use rpcgi::Server;
/// use rpcgi::gateway::fastcgi::{self, Listener};
///
/// let endpoint = Server::new("Example").method("add", |a: i32, b: i32| a + b).build()?;
/// let listeners = Listener::bind(&"unix:/run/example.sock".parse()?)?;
/// fastcgi::serve(endpoint, listeners, || println!("ready"))?;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub fn serve(service: impl Service + 'static, listeners: Vec<Listener>, ready: impl FnOnce()) -> io::Result<()> {
    serve_until(Arc::new(service), listeners, ready, || ())
}

/// The same; `abandon` is called before a second signal ends the process at once, to end what it has started.
pub(crate) fn serve_until(
    service: Arc<dyn Service>,
    listeners: Vec<Listener>,
    ready: impl FnOnce(),
    abandon: fn(),
) -> io::Result<()> {
    socket::serve::<Responder>(service, listeners, allowed(), ready, abandon)
}

/// Returns the addresses of FCGI_WEB_SERVER_ADDRS (FastCGI 1.0 §3.2), if that is set.
fn allowed() -> Option<Vec<IpAddr>> {
    let list = std::env::var_os("FCGI_WEB_SERVER_ADDRS")?;
    let address = |text: &str| {
        let address = text.trim().parse().ok().map(|address: IpAddr| address.to_canonical());
        if address.is_none() {
            log::warn!("FCGI_WEB_SERVER_ADDRS: expected an IP address, found \"{text}\"");
        }
        address
    };
    Some(list.to_string_lossy().split(',').filter_map(address).collect())
}
