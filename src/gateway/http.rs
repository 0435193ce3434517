//! A development server on a local port (HTTP/1.1, by hyper).
//!
//! Not for the open internet: there, a web server in front does what this one does not.

use std::convert::Infallible;
use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use http::{StatusCode, header};
use http_body_util::{BodyExt, Full, LengthLimitError, Limited};
use hyper::body::{Body, Bytes, Incoming};
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use tokio::net::{TcpListener, TcpStream};
use tokio::signal::unix::{SignalKind, signal};

use crate::service::{Request, Response, Service, is_local_host, split_port};

/// Serves at an address until Ctrl-C (INT), TERM or HUP; `ready` is told the URL.
///
/// # Errors
/// If the address cannot be listened at.
pub(crate) fn serve(service: Arc<dyn Service>, address: SocketAddr, ready: impl FnOnce(&str)) -> io::Result<()> {
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    let served = runtime.block_on(async {
        let listener = TcpListener::bind(address).await?;
        let address = listener.local_addr()?;
        // before anybody can know that there is something to end
        let mut interrupt = signal(SignalKind::interrupt())?;
        let mut terminate = signal(SignalKind::terminate())?;
        let mut hang_up = signal(SignalKind::hangup())?;
        ready(&format!("http://{address}/"));
        tokio::select! {
            _ = accept(&listener, service, address) => {}
            _ = interrupt.recv() => {}
            _ = terminate.recv() => {}
            _ = hang_up.recv() => {}
        }
        Ok(())
    });
    // a method that still runs is not waited for: somebody at a terminal wants to go on
    runtime.shutdown_background();
    served
}

async fn accept(listener: &TcpListener, service: Arc<dyn Service>, address: SocketAddr) -> Infallible {
    loop {
        match listener.accept().await {
            Ok((stream, peer)) => {
                tokio::spawn(converse(stream, peer, Arc::clone(&service), address));
            }
            Err(error) => {
                log::warn!("no connection accepted: {error}");
                // as with too many open files: it takes a while to mend
                tokio::time::sleep(Duration::from_millis(100)).await;
            }
        }
    }
}

/// Answers the requests of one connection.
async fn converse(stream: TcpStream, peer: SocketAddr, service: Arc<dyn Service>, address: SocketAddr) {
    let answer = service_fn(move |request| {
        let service = Arc::clone(&service);
        async move { Ok::<_, Infallible>(answer(service, request, peer, address).await) }
    });
    if let Err(error) = hyper::server::conn::http1::Builder::new().serve_connection(TokioIo::new(stream), answer).await
    {
        log::debug!("connection from {peer}: {error}");
    }
}

async fn answer(
    service: Arc<dyn Service>,
    request: http::Request<Incoming>,
    peer: SocketAddr,
    address: SocketAddr,
) -> http::Response<Full<Bytes>> {
    let response = match read(request, &*service, peer, address).await {
        // a method may block
        Ok(request) => match tokio::task::spawn_blocking(move || service.handle(&request)).await {
            Ok(response) => response,
            Err(error) => {
                log::error!("a request was not answered: {error}");
                Response::text(StatusCode::INTERNAL_SERVER_ERROR, "internal error")
            }
        },
        Err(response) => response,
    };
    response.into()
}

async fn read(
    request: http::Request<Incoming>,
    service: &dyn Service,
    peer: SocketAddr,
    address: SocketAddr,
) -> Result<Request, Response> {
    check_host(&request, address)?;
    let limit = service.limits().body;
    let (mut head, body) = request.into_parts();
    if body.size_hint().lower() > limit as u64 {
        return Err(Response::too_large(limit));
    }
    let body = Limited::new(body, limit).collect().await.map_err(|error| match error.is::<LengthLimitError>() {
        true => Response::too_large(limit),
        false => Response::text(StatusCode::BAD_REQUEST, "the body ends before it should"),
    })?;
    head.extensions.insert(peer);
    Ok(http::Request::from_parts(head, body.to_bytes()).into())
}

/// A page of another site can make its own name lead to this port and then read what is here ("DNS rebinding"): so at a
/// loopback address only names of this machine are answered.
fn check_host(request: &http::Request<Incoming>, address: SocketAddr) -> Result<(), Response> {
    if !address.ip().is_loopback() {
        return Ok(());
    }
    let host = request.headers().get(header::HOST).and_then(|host| host.to_str().ok()).unwrap_or("localhost");
    if is_local_host(host) {
        return Ok(());
    }
    let name = split_port(host).0;
    let message = format!("expected a name of this machine as Host, found \"{}\"", name.escape_debug());
    Err(Response::text(StatusCode::FORBIDDEN, message))
}
