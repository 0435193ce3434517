//! How a call is written on the wire.

pub mod xmlrpc;
