//! The documentation page: rendered for 100 methods, for 1,000, and for 5,000 on several pages, as it is the first time; as it is kept, against a
//! call, inside and by FastCGI; and by CGI, for 10 methods.
//!
//! ```sh
//! cargo build --release --target x86_64-unknown-linux-musl -p rpcgi-benches --bin page-methods
//! cargo run --release -p rpcgi-benches --bin page
//! ```

use std::fs;
use std::process::Command;

use rpcgi::{Endpoint, Request, Server, Service};
use rpcgi_benches::cgi::{self, BODY, program};
use rpcgi_benches::fastcgi::{self, compare_by};
use rpcgi_benches::{Contender, compare, described};

fn endpoint(methods: usize) -> Endpoint {
    Server::new("Articles").methods(described(methods)).build().expect("it is right")
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
    let (hundred, thousand, many) = (endpoint(100), endpoint(1000), endpoint(5000));
    compare(
        "rendering the page",
        vec![
            Contender::new("100 methods", || hundred.page(None)),
            Contender::new("1,000 methods", || thousand.page(None)),
            Contender::new("a page of 5,000 methods", || many.page(None)),
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
    by_fastcgi();
    by_cgi();
    println!(
        "100 methods: {} octets, {} compressed",
        hundred.handle(&plain).body.len(),
        hundred.handle(&compressed).body.len()
    );
}

/// Measures the page over one connection, which is kept.
fn by_fastcgi() {
    let folder = tempfile::tempdir().expect("a folder for the sockets");
    let program = program("page-methods");
    let start = |name: &'static str| {
        let socket = folder.path().join(name);
        let mut command = Command::new(&program);
        command.env("METHODS", "100").args(["fcgi", "--listen"]).arg(format!("unix:{}", socket.display()));
        fastcgi::Server::start(name, command, socket)
    };
    let (calls, pages) = (start("a call"), start("the kept page"));
    let call = fastcgi::request(std::str::from_utf8(BODY).expect("it is text"), "text/xml", true);
    let page = fastcgi::get();
    compare_by("by FastCGI, 100 methods", &[&calls, &pages], |server| {
        fastcgi::load(server, if server.name == calls.name { &call } else { &page }, 1)
    });
    fs::remove_file(program).expect("it was ours");
}

fn by_cgi() {
    let program = program("page-methods");
    compare(
        "by CGI, 10 methods, exec to exit",
        vec![
            Contender::new("a call", || cgi::call(&program, BODY, ">5<")),
            Contender::new("the page", || cgi::get(&program, "m-group8.method8")),
        ],
    );
    fs::remove_file(program).expect("it was ours");
}
