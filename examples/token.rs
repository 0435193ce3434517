//! A bearer token for all methods but `ping`, and an own page for those who have one.
//!
//! Try it: `API_TOKEN=x3yz cargo run --example token -- serve`, and
//! `rpcgi call http://127.0.0.1:8000/ ping`, which needs no token. The others do:
//! `curl -H 'Authorization: Bearer x3yz' -d '{"jsonrpc": "2.0", "method": "whoami", "id": 1}' http://127.0.0.1:8000/`

use std::process::ExitCode;

use http::{HeaderValue, StatusCode, header};
use rpcgi::{Call, Fault, Request, Response, Server, method, methods};

#[path = "../src/allocator.rs"]
mod allocator;

/// Answers that the service is there.
#[method]
fn ping() -> &'static str {
    "pong"
}

/// Names the user whose token the request has.
#[method]
fn whoami(request: &Request) -> Option<String> {
    request.user().map(Into::into)
}

/// Names the user if the token is right, and refuses a wrong one before the body is read (RFC 6750 §3).
fn check_token(request: &mut Request) -> Result<(), Response> {
    let Some(authorization) = request.header("Authorization") else { return Ok(()) };
    let token = authorization.strip_prefix("Bearer ");
    let expected = std::env::var("API_TOKEN").ok().filter(|token| !token.is_empty());
    if token.is_some() && token == expected.as_deref() {
        request.set_user("operator");
        return Ok(());
    }
    let challenge = HeaderValue::from_static("Bearer error=\"invalid_token\"");
    Err(Response::text(StatusCode::UNAUTHORIZED, "this token is not known").with(header::WWW_AUTHENTICATE, challenge))
}

/// Lets a call pass that needs no user, or has one.
fn known_users_only(call: &Call<'_>) -> Result<(), Fault> {
    match call.name() == "ping" || call.request().user().is_some() {
        true => Ok(()),
        false => Err(Fault::new(401, format!("{} needs a token: Authorization: Bearer TOKEN", call.name()))),
    }
}

fn main() -> ExitCode {
    allocator::settle();
    Server::new("Token").methods(methods![ping, whoami]).guard(check_token).before(known_users_only).run()
}
