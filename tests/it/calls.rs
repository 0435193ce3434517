//! Calls to an endpoint in this process.

use rpcgi::xmlrpc::{self, Value};
use rpcgi::{Endpoint, Fault};
use serde::Serialize;

/// Calls a method with params of the types they have.
#[track_caller]
pub fn call(endpoint: &Endpoint, name: &str, params: &impl Serialize) -> Result<Value, Fault> {
    let document = xmlrpc::call_to_vec(name, params).expect("the params can be written");
    answer(endpoint, &document)
}

/// Sends a document.
#[track_caller]
pub fn answer(endpoint: &Endpoint, document: &[u8]) -> Result<Value, Fault> {
    let response = endpoint.handle_document(document);
    xmlrpc::response_from_slice(&response)
        .unwrap_or_else(|error| panic!("{error} in {}", String::from_utf8_lossy(&response)))
}

/// Returns a methodCall with the values of its params as written.
pub fn document(name: &str, values: &[&str]) -> String {
    let params: String = values.iter().map(|value| format!("<param><value>{value}</value></param>")).collect();
    format!("<methodCall><methodName>{name}</methodName><params>{params}</params></methodCall>")
}
