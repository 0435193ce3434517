//! Sockets: where connections come from, which are ready, which threads wait for that.

mod listener;
mod poller;
mod watch;

pub use self::listener::{Address, ListenError, Listener, ParseAddressError};
pub(super) use self::poller::{Event, Poller, Wait};
pub(super) use self::watch::Watch;
