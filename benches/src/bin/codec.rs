//! The XML-RPC format: decoding against a bare scan of the same octets by quick-xml, and both ways against dxr.
//!
//! `cargo run --release -p rpcgi-benches --bin codec`

use dxr::{TryFromValue, TryToValue};
use quick_xml::Reader;
use quick_xml::events::Event;
use rpcgi::{Base64, xmlrpc};
use rpcgi_benches::{Article, Contender, base64, call, compare, ints, structs, text};
use serde::de::DeserializeOwned;

#[derive(TryFromValue, TryToValue)]
struct DxrArticle {
    id: i32,
    name: String,
    price: f64,
    sold: bool,
    since: dxr::DateTime,
}

/// Reads every event, resolves references, normalises line ends, and builds nothing.
fn scan(document: &str) -> usize {
    let mut reader = Reader::from_str(document);
    let mut seen = 0;
    loop {
        match reader.read_event().expect("it is well-formed") {
            Event::Eof => return seen,
            Event::Text(text) => seen += text.xml10_content().len(),
            Event::GeneralRef(reference) => {
                seen += match &*reference {
                    "amp" | "lt" | "gt" | "quot" | "apos" => 1,
                    _ => usize::from(reference.resolve_char_ref().expect("it is a number").is_some()),
                }
            }
            _ => seen += 1,
        }
    }
}

fn decode<T: DeserializeOwned>(document: &str) -> T {
    let (_, (param,)) = xmlrpc::call_from_slice::<(T,)>(document.as_bytes()).expect("it is a call");
    param
}

fn dxr_decode<T: TryFromValue>(document: &str) -> T {
    let call = dxr::MethodCall::from_xml(document).expect("it is a call");
    T::try_from_value(&call.params[0]).expect("it is of the type")
}

fn dxr_encode(value: &impl TryToValue) -> String {
    let response = dxr::MethodResponse { value: value.try_to_value().expect("it is a value") };
    response.to_xml().expect("it can be written")
}

fn decoding() {
    let (ints, structs) = (call(&ints(100_000)), call(&structs(10_000)));
    compare(
        "decode 100,000 ints into Vec<i32>",
        vec![
            Contender::new("quick-xml, scan only", || scan(&ints)),
            Contender::new("rpcgi", || decode::<Vec<i32>>(&ints)),
            Contender::new("dxr", || dxr_decode::<Vec<i32>>(&ints)),
        ],
    );
    compare(
        "decode 10,000 structs of five members into a Vec of a struct",
        vec![
            Contender::new("quick-xml, scan only", || scan(&structs)),
            Contender::new("rpcgi", || decode::<Vec<Article>>(&structs)),
            Contender::new("dxr", || dxr_decode::<Vec<DxrArticle>>(&structs)),
        ],
    );
    let base64 = call(&base64());
    compare(
        "decode 1 MB of base64 in lines",
        vec![
            Contender::new("quick-xml, scan only", || scan(&base64)),
            Contender::new("rpcgi", || decode::<Base64>(&base64)),
        ],
    );
    for (title, every) in
        [("plain text", usize::MAX), ("text, every 10th a reference", 10), ("nothing but references", 1)]
    {
        let text = call(&text(every));
        compare(
            &format!("decode 1 MB of {title}"),
            vec![
                Contender::new("quick-xml, scan only", || scan(&text)),
                Contender::new("rpcgi", || decode::<String>(&text)),
            ],
        );
    }
}

fn encoding() {
    let document = call(&ints(100_000));
    let numbers: Vec<i32> = decode(&document);
    compare(
        "encode 100,000 ints",
        vec![
            Contender::new("rpcgi", || xmlrpc::response_to_vec(Ok(&numbers)).expect("it can be written")),
            Contender::new("dxr", || dxr_encode(&numbers)),
        ],
    );
    let document = call(&structs(10_000));
    let articles: Vec<Article> = decode(&document);
    let dxr_articles: Vec<DxrArticle> = dxr_decode(&document);
    compare(
        "encode 10,000 structs of five members",
        vec![
            Contender::new("rpcgi", || xmlrpc::response_to_vec(Ok(&articles)).expect("it can be written")),
            Contender::new("dxr", || dxr_encode(&dxr_articles)),
        ],
    );
    let text = "if (a < b && c > d) return \"x\";\n".repeat(32_768);
    compare(
        "encode 1 MB of text with markup",
        vec![
            Contender::new("rpcgi", || xmlrpc::response_to_vec(Ok(&text)).expect("it can be written")),
            Contender::new("dxr", || dxr_encode(&text)),
        ],
    );
}

fn main() {
    decoding();
    encoding();
}
