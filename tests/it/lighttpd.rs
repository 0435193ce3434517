//! A real lighttpd with `lighttpd-example.conf`.

use crate::web_servers::{WebServer, assert_bodies, assert_context, assert_refused_early, assert_serves};

#[test]
fn each_way_of_the_example_answers() {
    let lighttpd = WebServer::lighttpd();
    for path in ["/RPC2", "/one", "/cgi-bin/interop", "/RPC2?a=b"] {
        assert_serves(&lighttpd, path);
        assert_bodies(&lighttpd, path);
        assert_refused_early(&lighttpd, path);
    }
}

#[test]
fn the_request_as_methods_see_it() {
    assert_context(&WebServer::lighttpd(), "/cgi-bin/context", "a=1; b=2");
}
