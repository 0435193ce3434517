//! Sockets: where connections come from, which are ready, which threads work for them, and how they live and end.
//!
//! A gateway brings a [`Codec`]: octets in, requests and octets out.
//!
//! | file | what it knows |
//! |---|---|
//! | `listener` | where connections come from |
//! | `poller`, `watch` | which connections are ready; which threads wait for that |
//! | `connection` | a socket, and the state of its codec |
//! | `pool` | the connections there are, and their life and death |

mod codec;
mod connection;
mod listener;
mod poller;
mod pool;
mod watch;

pub(super) use self::codec::{Admit, Arrival, Closing, Codec, Outgoing};
pub use self::listener::{Address, ListenError, Listener, ParseAddressError};
pub(super) use self::pool::serve;
