//! JSON-RPC through an endpoint, against `serde_json` alone decoding and encoding documents of the same types.
//!
//! `cargo run --release -p rpcgi-benches --bin jsonrpc`

use std::borrow::Cow;

use rpcgi::{Base64, Request, Server, Service};
use rpcgi_benches::{Article, Contender, base64, call, compare, ints, structs};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

#[derive(Deserialize)]
struct JsonRequest<'a, P> {
    #[serde(rename = "jsonrpc")]
    _jsonrpc: &'a str,
    #[serde(rename = "method")]
    _method: &'a str,
    params: P,
    id: i64,
}

#[derive(Serialize)]
struct JsonResponse<R> {
    jsonrpc: &'static str,
    result: R,
    id: i64,
}

/// Returns a document that calls a method with the params of an XML-RPC document.
fn document<T: DeserializeOwned + Serialize>(method: &str, call: &str) -> Vec<u8> {
    let (_, params) = rpcgi::xmlrpc::call_from_slice::<(T,)>(call.as_bytes()).expect("it is a call");
    request(method, &params)
}

fn request(method: &str, params: &impl Serialize) -> Vec<u8> {
    let params = serde_json::to_string(params).expect("they are values");
    format!(r#"{{"jsonrpc": "2.0", "method": "{method}", "params": {params}, "id": 1}}"#).into_bytes()
}

fn alone<P: DeserializeOwned, R: Serialize>(document: &[u8], run: impl Fn(P) -> R) -> Vec<u8> {
    let JsonRequest { params, id, .. } = serde_json::from_slice(document).expect("it is a request");
    serde_json::to_vec(&JsonResponse { jsonrpc: "2.0", result: run(params), id }).expect("it can be written")
}

fn main() {
    let endpoint = Server::new("Bench")
        .method("add", |a: i32, b: i32| a + b)
        .method("ints", |ints: Vec<i32>| ints)
        .method("articles", |articles: Vec<Article>| articles)
        .method("octets", |octets: Base64| octets)
        .build()
        .expect("they have names of their own");
    let through = |document: &[u8]| {
        let variable = |name: &str| match name {
            "REQUEST_METHOD" => Some(Cow::Borrowed(&b"POST"[..])),
            "CONTENT_TYPE" => Some(Cow::Borrowed(&b"application/json"[..])),
            _ => None,
        };
        let request = Request::new(variable, document.to_vec());
        let endpoint = &endpoint;
        move || endpoint.handle(&request).body
    };

    let add = request("add", &(2, 3));
    compare(
        "a tiny call",
        vec![
            Contender::new("serde_json alone", || alone(&add, |(a, b): (i32, i32)| a + b)),
            Contender::new("rpcgi", through(&add)),
        ],
    );
    let ints = document::<Vec<i32>>("ints", &call(&ints(100_000)));
    compare(
        "100,000 ints, there and back",
        vec![
            Contender::new("serde_json alone", || alone(&ints, |(ints,): (Vec<i32>,)| ints)),
            Contender::new("rpcgi", through(&ints)),
        ],
    );
    let articles = document::<Vec<Article>>("articles", &call(&structs(10_000)));
    compare(
        "10,000 structs of five members, there and back",
        vec![
            Contender::new("serde_json alone", || alone(&articles, |(articles,): (Vec<Article>,)| articles)),
            Contender::new("rpcgi", through(&articles)),
        ],
    );
    let octets = document::<Base64>("octets", &call(&base64()));
    compare(
        "1 MB of base64, there and back",
        vec![
            Contender::new("serde_json alone", || alone(&octets, |(octets,): (Base64,)| octets)),
            Contender::new("rpcgi", through(&octets)),
        ],
    );
}
