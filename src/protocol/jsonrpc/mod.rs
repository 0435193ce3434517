//! JSON-RPC 2.0 (<https://www.jsonrpc.org/specification>): requests written and responses read, by a client's needs.
//!
//! Params and results follow the rules of every format here: dates are strings as `2026-11-24T12:00:00`, octets are
//! strings in base64. What a server answers, and the requests of 1.0 that it understands too, are this crate's
//! [`Endpoint`](crate::Endpoint)'s. The functions that read documents apply the default [`Limits`](crate::Limits).
//!
//! # Example
//!
//! ```
//! use rpcgi::{Server, jsonrpc};
//!
//! let endpoint = Server::new("Example").method("add", |a: i32, b: i32| a + b).build().unwrap();
//! let request = jsonrpc::request_to_vec("add", &(2, 3), 7)?;
//! let response = jsonrpc::response_from_slice::<i32>(&endpoint.handle_document(&request))?;
//! assert_eq!(response.id, Some(7.into()));
//! assert_eq!(response.outcome, Ok(5));
//! # Ok::<(), jsonrpc::Error>(())
//! ```

// A request is read once, from the front: its params straight into the method's types when the method asks for them,
// and the rest before the method runs. Only unusual orders are read twice: params before the method's name, named
// params in another order than the method's, and a batch, which runs only after all of it is known to be JSON.

mod answer;
mod client;
mod request;

pub(crate) use self::answer::JSON_RPC;
pub use self::client::{ErrorObject, Id, Response, notification_to_vec, request_to_vec, response_from_slice};
#[cfg(feature = "program")]
pub(crate) use self::client::{RawError, RawResponse, write_request};
pub use crate::wire::{Category, Error, Position};
