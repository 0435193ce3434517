//! The documentation page: rendered for 100 methods and for 1,000, as it is the first time, and as it is kept, against a
//! call.
//!
//! ```sh
//! cargo run --release -p rpcgi-benches --bin page
//! ```

use rpcgi::{Endpoint, Method, Request, Server, Service};
use rpcgi_benches::{Article, Contender, compare};

fn endpoint(methods: usize) -> Endpoint {
    let method = |number: usize| {
        let about = |article: Article, count: Option<i32>| (article, count);
        Method::new(format!("group{}.method{number}", number % 10), about)
            .help(format!("Does what number {number} is for.\n\nSee `method1`, *or* a list:\n\n* one\n* two"))
            .params(["article", "count"])
            .fault(4, "there is *no* such article")
    };
    Server::new("Articles").methods((0..methods).map(method).collect::<Vec<_>>()).build().expect("it is right")
}

fn get(compressed: bool) -> Request {
    let coding = if compressed { "gzip" } else { "identity" };
    http::Request::get("/RPC2")
        .header("host", "h.example")
        .header("accept-encoding", coding)
        .body(Vec::new())
        .expect("a request")
        .into()
}

fn main() {
    let (hundred, thousand) = (endpoint(100), endpoint(1000));
    compare(
        "rendering the page",
        vec![
            Contender::new("100 methods", || hundred.page(None)),
            Contender::new("1,000 methods", || thousand.page(None)),
        ],
    );
    let call = rpcgi::xmlrpc::call_to_vec("system.methodExist", &["group1.method1"]).expect("a call");
    let post: Request = http::Request::post("/RPC2").header("host", "h.example").body(call).expect("a request").into();
    let (plain, compressed) = (get(false), get(true));
    compare(
        "answering, 100 methods",
        vec![
            Contender::new("a call", || hundred.handle(&post)),
            Contender::new("the kept page, compressed", || hundred.handle(&compressed)),
            Contender::new("the kept page, as it is", || hundred.handle(&plain)),
        ],
    );
    println!(
        "100 methods: {} octets, {} compressed",
        hundred.handle(&plain).body.len(),
        hundred.handle(&compressed).body.len()
    );
}
