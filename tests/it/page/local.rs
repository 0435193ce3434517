//! An endpoint of a test, served on a port of this machine.

use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;

use axum::Router;
use axum::body::{Body, Bytes};
use axum::extract::{ConnectInfo, State};
use rpcgi::{Endpoint, Request, Service};

/// Serves for as long as it is kept.
pub struct Local {
    _runtime: tokio::runtime::Runtime,
    pub url: String,
}

impl Local {
    pub fn serve(endpoint: Endpoint) -> Local {
        let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
        let listener = runtime.block_on(tokio::net::TcpListener::bind((Ipv4Addr::LOCALHOST, 0))).unwrap();
        let url = format!("http://{}/RPC2", listener.local_addr().unwrap());
        let app = Router::new().fallback(answer).with_state(Arc::new(endpoint));
        runtime.spawn(async move {
            axum::serve(listener, app.into_make_service_with_connect_info::<SocketAddr>()).await.unwrap();
        });
        Local { _runtime: runtime, url }
    }
}

async fn answer(
    State(endpoint): State<Arc<Endpoint>>,
    ConnectInfo(peer): ConnectInfo<SocketAddr>,
    request: http::Request<Body>,
) -> http::Response<Body> {
    let (mut head, body) = request.into_parts();
    head.extensions.insert(peer);
    let body: Bytes = axum::body::to_bytes(body, 1 << 20).await.unwrap();
    let request = Request::from(http::Request::from_parts(head, body));
    tokio::task::spawn_blocking(move || endpoint.handle(&request)).await.unwrap().into()
}
