//! Any octets as a document: the answer is a response.
#![no_main]

use std::sync::LazyLock;

use rpcgi::xmlrpc::{self, Value};
use rpcgi::{DateTime, Endpoint, Server};

static ENDPOINT: LazyLock<Endpoint> = LazyLock::new(|| {
    let server = Server::new("Fuzz").method("echo", |value: Value| value);
    server.method("typed", |a: i32, b: Option<Vec<DateTime>>| (a, b)).build().expect("no name twice")
});

libfuzzer_sys::fuzz_target!(|document: &[u8]| {
    let response = ENDPOINT.handle_document(document);
    let is_json = response.is_empty() || serde_json::from_slice::<serde_json::Value>(&response).is_ok();
    assert!(is_json || xmlrpc::response_from_slice::<Value>(&response).is_ok());
});
