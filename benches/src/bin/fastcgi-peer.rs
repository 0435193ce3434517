//! The same call by the crates there are: `tokio-fastcgi` and `dxr`. Usage: `fastcgi-peer SOCKET`

use std::collections::HashMap;
use std::io::Read;
use std::sync::Arc;

use dxr::{TryFromParams, TryToValue, Value};
use dxr_server::{Handler, HandlerFn, HandlerMap, HandlerResult};
use http::HeaderMap;
use tokio::net::{UnixListener, UnixStream};
use tokio_fastcgi::{RequestResult, Requests};

fn add(params: &[Value], _: HeaderMap) -> HandlerResult {
    let (a, b): (i32, i32) = TryFromParams::try_from_params(params)?;
    Ok((a + b).try_to_value()?)
}

async fn serve(mut stream: UnixStream, handlers: HandlerMap) {
    let mut requests = Requests::from_split_socket(stream.split(), 255, 255);
    while let Ok(Some(request)) = requests.next().await {
        let handlers = Arc::clone(&handlers);
        let answer = request.process(|request| async move {
            let mut body = String::new();
            if request.get_stdin().read_to_string(&mut body).is_err() {
                return RequestResult::Complete(1);
            }
            let mut headers = HeaderMap::new();
            headers.insert("content-length", body.len().into());
            let (_, _, document) = dxr_server::server(handlers, &body, headers).await;
            let head = format!("Content-Type: text/xml\r\nContent-Length: {}\r\n\r\n", document.len());
            match request.get_stdout().write((head + &document).as_bytes()).await {
                Ok(_) => RequestResult::Complete(0),
                Err(_) => RequestResult::Complete(1),
            }
        });
        if answer.await.is_err() {
            return;
        }
    }
}

fn main() {
    let socket = std::env::args().nth(1).expect("usage: fastcgi-peer SOCKET");
    let add: Box<dyn Handler> = Box::new(add as HandlerFn);
    let handlers: HandlerMap = Arc::new(HashMap::from([("add", add)]));
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().expect("a runtime");
    runtime.block_on(async {
        let listener = UnixListener::bind(socket).expect("it can listen");
        while let Ok((stream, _)) = listener.accept().await {
            tokio::spawn(serve(stream, Arc::clone(&handlers)));
        }
    });
}
