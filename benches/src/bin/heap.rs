//! The memory that decoding takes beyond the body, in octets per octet of input.
//!
//! `cargo run --release -p rpcgi-benches --bin heap`

use peak_alloc::PeakAlloc;
use rpcgi::xmlrpc;
use rpcgi_benches::{Article, call, ints, structs};
use serde::de::DeserializeOwned;

#[global_allocator]
static HEAP: PeakAlloc = PeakAlloc;

fn report<T: DeserializeOwned>(title: &str, document: &str) {
    let before = HEAP.current_usage();
    HEAP.reset_peak_usage();
    let decoded = xmlrpc::call_from_slice::<(T,)>(document.as_bytes()).expect("it is a call");
    let peak = HEAP.peak_usage() - before;
    drop(decoded);
    println!("{title:<40} {:.2} octets for each of {}", peak as f64 / document.len() as f64, document.len());
}

fn main() {
    report::<Vec<i32>>("100,000 ints into Vec<i32>", &call(&ints(100_000)));
    report::<Vec<Article>>("10,000 structs into a Vec of a struct", &call(&structs(10_000)));
}
