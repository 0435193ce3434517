//! Ten times the work, how many times the time? At most eleven, if cost grows linearly.
//!
//! `cargo run --release -p rpcgi-benches --bin linear`

use rpcgi::Server;
use rpcgi::xmlrpc::Value;
use rpcgi_benches::{Contender, call, compare, structs};

fn members(count: usize) -> String {
    let member = |index| format!("<member><name>m{index}</name><value>x</value></member>");
    format!("<struct>{}</struct>", (0..count).map(member).collect::<String>())
}

fn nested(depth: usize) -> String {
    let (open, close) = ("<array><data><value>", "</value></data></array>");
    format!("{}<int>1</int>{}", open.repeat(depth), close.repeat(depth))
}

/// Returns nested structs whose values stand before their names.
fn backward(depth: usize) -> String {
    let (open, close) = ("<struct><member><value>", "</value><name>a</name></member></struct>");
    format!("{}<int>1</int>{}", open.repeat(depth), close.repeat(depth))
}

/// Returns a text of one length, in `count` pieces.
fn pieces(count: usize, piece: &str) -> String {
    let text = "x".repeat(1_000_000 / count);
    format!("<string>{}</string>", format!("{text}{piece}").repeat(count))
}

fn main() {
    let endpoint = Server::new("Linear").method("take", |_: Value| true).build().expect("no name twice");
    let answered = |document: &str| {
        let response = endpoint.handle_document(document.as_bytes());
        assert!(response.windows(9).any(|window| window == b"<boolean>"), "{}", String::from_utf8_lossy(&response));
    };
    let many =
        |value: String| call(&format!("<array><data>{}</data></array>", format!("<value>{value}</value>").repeat(100)));
    for (title, small, large) in [
        ("structs of five members, 1,000 and 10,000", call(&structs(1_000)), call(&structs(10_000))),
        ("members of one struct, 1,000 and 10,000", call(&members(1_000)), call(&members(10_000))),
        ("arrays in arrays, 6 and 60 deep, a hundred times", many(nested(6)), many(nested(60))),
        ("structs with values before names, 6 and 60 deep, a hundred times", many(backward(6)), many(backward(60))),
        (
            "pieces of CDATA, 1,000 and 10,000",
            call(&pieces(1_000, "<![CDATA[y]]>")),
            call(&pieces(10_000, "<![CDATA[y]]>")),
        ),
        (
            "pieces between comments, 1,000 and 10,000",
            call(&pieces(1_000, "<!-- -->")),
            call(&pieces(10_000, "<!-- -->")),
        ),
        ("references in a text, 10,000 and 100,000", call(&pieces(10_000, "&amp;")), call(&pieces(100_000, "&amp;"))),
    ] {
        let contenders =
            vec![Contender::new("one", || answered(&small)), Contender::new("ten times as many", || answered(&large))];
        compare(title, contenders);
    }
}
