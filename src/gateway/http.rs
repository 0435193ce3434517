//! A development server on a local port (HTTP/1.1, by hyper).
//!
//! Not for the open internet: there, a web server in front does what this one does not.

use std::convert::Infallible;
use std::io;
use std::net::SocketAddr;
use std::ops::Range;
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use http::{StatusCode, header};
use http_body_util::{BodyExt, Full};
use hyper::body::{Body, Bytes, Incoming};
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use tokio::net::{TcpListener, TcpStream};
use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::{oneshot, watch};
use tokio::task::JoinError;

use super::memory::{self, Memory, Reservation, length_in_memory};
use crate::service::Limits;
use crate::service::{Request, Response, Service, is_local_host, split_port};

/// The most octets of a body over the limit that are read and discarded, and for how long: otherwise a client that
/// sends all of it before it reads would not see the answer.
const MAX_DRAINED: usize = 64 << 20;
const MAX_DRAIN_TIME: Duration = Duration::from_secs(10);

/// Serves at an address until Ctrl-C (INT), TERM or HUP; `ready` is called with the URL.
///
/// TERM lets running calls be answered, for at most [`Limits::stop`](crate::Limits::stop), or until another signal
/// comes. The others end it at once: an author at a terminal wants to go on.
///
/// # Errors
/// If it cannot listen at the address.
///
/// # Example
///
/// ```no_run
/// use rpcgi::{Server, gateway::http};
///
/// let endpoint = Server::new("Example").method("add", |a: i32, b: i32| a + b).build()?;
/// http::serve(endpoint, ([127, 0, 0, 1], 8000).into(), |url| println!("serving at {url}"))?;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub fn serve(service: impl Service + 'static, address: SocketAddr, ready: impl FnOnce(&str)) -> io::Result<()> {
    let service: Arc<dyn Service> = Arc::new(service);
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    let served = runtime.block_on(async {
        let listener = TcpListener::bind(address).await?;
        let address = listener.local_addr()?;
        // before the caller knows that there is a server to end
        let mut interrupt = signal(SignalKind::interrupt())?;
        let mut terminate = signal(SignalKind::terminate())?;
        let mut hang_up = signal(SignalKind::hangup())?;
        ready(&format!("http://{address}/"));
        let limits = service.limits();
        let (stop, memory) = (limits.stop, Memory::new(limits.memory));
        // every connection has a receiver, so the end of the last is noticed
        let (stopping, _) = watch::channel(());
        tokio::select! {
            _ = accept(listener, service, address, memory, &stopping) => {}
            _ = interrupt.recv() => return Ok(()),
            _ = hang_up.recv() => return Ok(()),
            _ = terminate.recv() => {}
        }
        _ = stopping.send(());
        tokio::select! {
            _ = stopping.closed() => {}
            _ = tokio::time::sleep(stop) => log::warn!("not all calls were answered in {stop:?}"),
            _ = interrupt.recv() => {}
            _ = hang_up.recv() => {}
            _ = terminate.recv() => {}
        }
        Ok(())
    });
    runtime.shutdown_background();
    served
}

async fn accept(
    listener: TcpListener,
    service: Arc<dyn Service>,
    address: SocketAddr,
    memory: Memory,
    stopping: &watch::Sender<()>,
) -> Infallible {
    loop {
        match listener.accept().await {
            Ok((stream, peer)) => {
                let door = Door { service: Arc::clone(&service), peer, address, memory: memory.clone() };
                tokio::spawn(converse(stream, door, stopping.subscribe()));
            }
            Err(error) => {
                log::warn!("no connection accepted: {error}");
                // too many open files, for example, take a while to go away
                tokio::time::sleep(Duration::from_millis(100)).await;
            }
        }
    }
}

/// The context that the requests of a connection share.
#[derive(Clone)]
struct Door {
    service: Arc<dyn Service>,
    peer: SocketAddr,
    /// The address it listens at.
    address: SocketAddr,
    memory: Memory,
}

/// Answers the requests of one connection.
async fn converse(stream: TcpStream, door: Door, mut stopping: watch::Receiver<()>) {
    let peer = door.peer;
    let answer = service_fn(move |request| {
        let door = door.clone();
        async move { Ok::<_, Infallible>(answer(door, request).await) }
    });
    let mut server = hyper::server::conn::http1::Builder::new();
    // a client that has finished sending may still read
    let connection = server.half_close(true).serve_connection(TokioIo::new(stream), answer);
    let mut connection = pin!(connection);
    let served = tokio::select! {
        served = connection.as_mut() => served,
        _ = stopping.changed() => {
            connection.as_mut().graceful_shutdown();
            connection.await
        }
    };
    if let Err(error) = served {
        log::debug!("connection from {peer}: {error}");
    }
}

async fn answer(door: Door, request: http::Request<Incoming>) -> http::Response<Full<Bytes>> {
    let response = match read(request, &door).await {
        Ok((request, memory)) => {
            let handle = move || {
                let response = door.service.handle(&request);
                drop((request, memory));
                response
            };
            // a method may block
            match tokio::task::spawn_blocking(handle).await {
                Ok(response) => response,
                Err(error) => not_answered(&error),
            }
        }
        Err(response) => response,
    };
    response.into()
}

/// Reads a request to its end, and reserves the memory that it takes up.
async fn read(request: http::Request<Incoming>, door: &Door) -> Result<(Request, Option<Reservation>), Response> {
    let (mut parts, mut body) = request.into_parts();
    let is_compressed = parts.headers.contains_key(header::CONTENT_ENCODING);
    let expects = parts.headers.contains_key(header::EXPECT);
    parts.extensions.insert(door.peer);
    let mut collected = Vec::new();
    let read = async {
        let head = admit(http::Request::from_parts(parts, Vec::new()).into(), door).await?;
        let memory = collect(&mut body, &mut collected, is_compressed, door).await?;
        Ok((head, memory))
    };
    match read.await {
        Ok((mut request, memory)) => {
            request.set_body(collected);
            Ok((request, memory))
        }
        Err(refusal) => {
            // a client that asks before it sends the body has its answer already
            if !(expects && collected.is_empty()) {
                drain(body).await;
            }
            Err(refusal)
        }
    }
}

/// Has the service decide on a request by its head.
async fn admit(mut head: Request, door: &Door) -> Result<Request, Response> {
    check_host(&head, door)?;
    if !door.service.has_guards() {
        door.service.admit(&mut head)?;
        return Ok(head);
    }
    let service = Arc::clone(&door.service);
    let admit = move || service.admit(&mut head).map(|()| head);
    // a guard may block
    tokio::task::spawn_blocking(admit).await.unwrap_or_else(|error| Err(not_answered(&error)))
}

#[cold]
fn not_answered(error: &JoinError) -> Response {
    log::error!("a request was not answered: {error}");
    Response::text(StatusCode::INTERNAL_SERVER_ERROR, "internal error")
}

/// Collects a body, and reserves memory for it. A body of undeclared length gets memory as it comes, and as much again.
async fn collect(
    body: &mut Incoming,
    collected: &mut Vec<u8>,
    is_compressed: bool,
    door: &Door,
) -> Result<Option<Reservation>, Response> {
    let limits = door.service.limits();
    let limit = limits.body;
    let mut length = usize::try_from(body.size_hint().lower()).unwrap_or(usize::MAX);
    if length > limit {
        return Err(Response::too_large(limit));
    }
    let (mut memory, mut covered): (Option<Reservation>, usize) = (None, 0);
    loop {
        let needed = length_in_memory(length, is_compressed, limit);
        if needed > covered {
            let more = reserve(&door.memory, covered..needed, &limits).await?;
            match &mut memory {
                Some(memory) => memory.absorb(more),
                None => memory = Some(more),
            }
            covered = needed;
            collected.reserve_exact(length - collected.len());
        }
        match body.frame().await {
            None => return Ok(memory),
            Some(Ok(frame)) => collected.extend_from_slice(frame.data_ref().map_or(&[], |data| &data[..])),
            Some(Err(_)) => return Err(Response::text(StatusCode::BAD_REQUEST, "the body ends before it should")),
        }
        if collected.len() > limit {
            return Err(Response::too_large(limit));
        }
        if collected.len() > length {
            length = (2 * collected.len()).min(limit);
        }
    }
}

/// Reserves memory for a body that grows by these lengths, or refuses it after a while.
async fn reserve(memory: &Memory, lengths: Range<usize>, limits: &Limits) -> Result<Reservation, Response> {
    let (wake, woken) = oneshot::channel();
    let length = lengths.end;
    let reservation = memory.reserve(lengths, || Box::new(move || _ = wake.send(())));
    if !reservation.is_granted() {
        _ = tokio::time::timeout(limits.wait, woken).await;
    }
    match reservation.is_granted() {
        true => Ok(reservation),
        false => Err(memory::refusal(length, limits)),
    }
}

/// Reads what is left of a body, within bounds.
async fn drain(mut body: Incoming) {
    let read = async {
        let mut left = MAX_DRAINED;
        while let Some(Ok(frame)) = body.frame().await {
            let Some(rest) = left.checked_sub(frame.data_ref().map_or(0, Bytes::len)) else { return };
            left = rest;
        }
    };
    // a client that takes longer does not see the answer
    _ = tokio::time::timeout(MAX_DRAIN_TIME, read).await;
}

/// Refuses foreign host names. A page of another site can make its own name lead to this port and then read what is
/// here ("DNS rebinding"): so at a loopback address only names of this machine are answered, and those that the service
/// knows as its own.
fn check_host(head: &Request, door: &Door) -> Result<(), Response> {
    if !door.address.ip().is_loopback() {
        return Ok(());
    }
    let host = head.variable("HTTP_HOST").unwrap_or("localhost".into());
    if is_local_host(&host) || door.service.is_own_host(head) {
        return Ok(());
    }
    let name: String = split_port(&host).0.chars().take(100).collect();
    let message = format!(
        "expected a name of this machine as Host, found \"{}\"; behind a proxy, set `url` or `trusted_proxies`",
        name.escape_debug()
    );
    Err(Response::text(StatusCode::FORBIDDEN, message))
}
