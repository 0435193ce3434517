//! XML-RPC inside of another program: here at `/RPC2` of an axum application.
//!
//! Try it: `cargo run --features tower --example embed`, and open <http://127.0.0.1:8001/RPC2>.

use std::net::SocketAddr;

use axum::Router;
use axum::extract::{ConnectInfo, Request as Asked};
use axum::middleware::map_request;
use axum::routing::get;
use rpcgi::{Request, Server, method, methods};

/// The name of the application, which a layer gives to the methods.
#[derive(Clone)]
struct Application(&'static str);

/// Says where you are seen to come from.
#[method]
fn whoami(request: &Request) -> String {
    request.remote_addr().map_or("no address".into(), |address| address.to_string())
}

/// Names the application around this service.
#[method]
fn application(request: &Request) -> Option<&'static str> {
    request.extension::<Application>().map(|Application(name)| *name)
}

/// Tells the service the address of the client, and the application.
async fn introduce(ConnectInfo(peer): ConnectInfo<SocketAddr>, mut request: Asked) -> Asked {
    request.extensions_mut().insert(peer);
    request.extensions_mut().insert(Application("embed"));
    request
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let endpoint = Server::new("Embedded").methods(methods![application, whoami]).build()?;
    let app = Router::new()
        .route("/", get(|| async { "an application with XML-RPC at /RPC2\n" }))
        .route_service("/RPC2", endpoint)
        .layer(map_request(introduce));
    let address = std::env::args().nth(1).unwrap_or("127.0.0.1:8001".into());
    let listener = tokio::net::TcpListener::bind(address).await?;
    println!("Serving at http://{}/RPC2", listener.local_addr()?);
    axum::serve(listener, app.into_make_service_with_connect_info::<SocketAddr>()).await?;
    Ok(())
}
