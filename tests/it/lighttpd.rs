//! A real lighttpd with `lighttpd-example.conf`.

use crate::apache::{assert_bodies, assert_context, assert_refused_early};
use crate::calls::document;
use crate::web_servers::WebServer;

#[test]
fn each_way_of_the_example_answers() {
    let lighttpd = WebServer::lighttpd();
    for path in ["/RPC2", "/one", "/cgi-bin/interop", "/RPC2?a=b"] {
        let response = lighttpd.post(path, "", &document("wheel.spin", &[]));
        assert!(response.starts_with("HTTP/1.1 200 OK\r\n"), "{path}: {response}{}", lighttpd.log());
        assert!(response.contains("<methodResponse><params>"), "{path}: {response}");
        let page = lighttpd.send(&format!("GET {path} HTTP/1.1"), "");
        let path = path.split('?').next().unwrap();
        assert!(page.contains(&format!("POST {}</code>", lighttpd.url(path))), "{path}: {page}");
        assert_bodies(&lighttpd, path);
        assert_refused_early(&lighttpd, path);
    }
}

#[test]
fn the_request_as_methods_see_it() {
    assert_context(&WebServer::lighttpd(), "/cgi-bin/context", "a=1; b=2");
}
