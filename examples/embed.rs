//! XML-RPC inside of another program: here at `/RPC2` of an axum application.
//!
//! Try it: `cargo run --example embed`, and open <http://127.0.0.1:8001/RPC2>.

use std::net::SocketAddr;
use std::sync::Arc;

use axum::Router;
use axum::body::Bytes;
use axum::extract::{ConnectInfo, State};
use axum::http;
use axum::routing::{any, get};
use rpcgi::{Endpoint, Request, Response, Server, Service, method, methods};

/// Says where you are seen to come from.
#[method]
fn whoami(request: &Request) -> String {
    request.remote_addr().map_or("nobody knows".into(), |address| address.to_string())
}

async fn rpc(
    State(endpoint): State<Arc<Endpoint>>,
    ConnectInfo(peer): ConnectInfo<SocketAddr>,
    mut request: http::Request<axum::body::Body>,
) -> Result<http::Response<axum::body::Body>, http::StatusCode> {
    request.extensions_mut().insert(peer);
    let (head, body) = request.into_parts();
    let limit = endpoint.limits().body;
    let body: Bytes = axum::body::to_bytes(body, limit).await.map_err(|_| http::StatusCode::PAYLOAD_TOO_LARGE)?;
    let request: Request = http::Request::from_parts(head, body).into();
    // a method may block, so it runs where that is allowed
    let response: Response = tokio::task::spawn_blocking(move || endpoint.handle(&request))
        .await
        .map_err(|_| http::StatusCode::INTERNAL_SERVER_ERROR)?;
    Ok(response.into())
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let endpoint = Server::new("Embedded").methods(methods![whoami]).build()?;
    let app = Router::new()
        .route("/", get(|| async { "an application with XML-RPC at /RPC2\n" }))
        .route("/RPC2", any(rpc))
        .with_state(Arc::new(endpoint));
    let address = std::env::args().nth(1).unwrap_or("127.0.0.1:8001".into());
    let listener = tokio::net::TcpListener::bind(address).await?;
    println!("Serving at http://{}/RPC2", listener.local_addr()?);
    axum::serve(listener, app.into_make_service_with_connect_info::<SocketAddr>()).await?;
    Ok(())
}
