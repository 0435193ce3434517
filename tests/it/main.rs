//! Everything that users of rpcgi see, from the format up to real clients behind a real web server.

mod apache;
#[cfg(feature = "async")]
mod asynchronous;
mod both_formats;
mod bounds;
mod cgi;
mod clients;
mod command_line;
mod environments;
mod fastcgi;
mod format;
mod harness;
mod hooks;
mod http_answers;
mod introspection;
mod jsonrpc;
mod lighttpd;
mod malformed;
#[cfg(feature = "program")]
mod manifests;
mod methods;
mod mistakes;
mod nginx;
mod openrpc;
mod page;
mod starts;
mod web_servers;
