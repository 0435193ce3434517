//! An endpoint as a service of tower, on the runtime that serves it.

use std::convert::Infallible;
use std::fmt::Display;
use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll};

use bytes::Bytes;
use http::StatusCode;
use http_body::Body;
use http_body_util::{BodyExt, Full, LengthLimitError, Limited};

use super::endpoint::{Endpoint, blocking};
use crate::service::{Request, Response, Service};

/// Answers a request of axum, hyper or whatever else speaks tower. (Feature `tower`.)
///
/// The body is read when the [guards](crate::Server::guard) have admitted the head, up to the limit; methods run where
/// they may block, `async` ones on the runtime that is there. The address of the client is the request's extension of
/// type [`SocketAddr`](std::net::SocketAddr), as with `From<http::Request>`.
///
/// # Example
///
/// ```
/// use tower_service::Service;
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let mut endpoint = rpcgi::Server::new("Example").method("add", |a: i32, b: i32| a + b).build()?;
/// let call = r#"{"jsonrpc": "2.0", "method": "add", "params": [2, 3], "id": 1}"#;
/// let request = http::Request::post("/RPC2").body(call.to_owned())?;
/// // an endpoint has a `call` of its own: tower calls the trait's
/// let response = Service::call(&mut endpoint, request).await?;
/// assert_eq!(response.status(), 200);
/// # Ok(())
/// # }
/// ```
impl<B> tower_service::Service<http::Request<B>> for Endpoint
where
    B: Body + Send + 'static,
    B::Data: Send,
    B::Error: Display + Into<Box<dyn std::error::Error + Send + Sync>>,
{
    type Response = http::Response<Full<Bytes>>;
    type Error = Infallible;
    type Future = Pin<Box<dyn Future<Output = Result<Self::Response, Infallible>> + Send>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: http::Request<B>) -> Self::Future {
        let endpoint = self.clone();
        Box::pin(async move { Ok(answer(endpoint, request).await.unwrap_or_else(|refusal| refusal).into()) })
    }
}

async fn answer<B>(endpoint: Endpoint, request: http::Request<B>) -> Result<Response, Response>
where
    B: Body,
    B::Error: Into<Box<dyn std::error::Error + Send + Sync>>,
{
    let (head, body) = request.into_parts();
    let mut request = admitted(&endpoint, http::Request::from_parts(head, Vec::new()).into()).await?;
    request.set_body(read(body, endpoint.limits().body).await?);
    Ok(blocking(move || endpoint.handle(&request)).await.unwrap_or_else(|refusal| refusal))
}

/// Has the guards decide on a head; they may block.
async fn admitted(endpoint: &Endpoint, mut head: Request) -> Result<Request, Response> {
    if !endpoint.has_guards() {
        return Ok(head);
    }
    let endpoint = endpoint.clone();
    blocking(move || endpoint.admit(&mut head).map(|()| head)).await?
}

async fn read<B>(body: B, limit: usize) -> Result<Vec<u8>, Response>
where
    B: Body,
    B::Error: Into<Box<dyn std::error::Error + Send + Sync>>,
{
    if body.size_hint().lower() > limit as u64 {
        return Err(Response::too_large(limit));
    }
    match Limited::new(body, limit).collect().await {
        Ok(collected) => Ok(collected.to_bytes().into()),
        Err(error) if error.is::<LengthLimitError>() => Err(Response::too_large(limit)),
        Err(error) => {
            log::warn!("the body cannot be read: {error}");
            Err(Response::text(StatusCode::BAD_REQUEST, "the body cannot be read"))
        }
    }
}
