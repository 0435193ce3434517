//! The client half of HTTP, for commands that ask a service: bounded in octets and time, without redirects.

use std::time::Duration;

use ureq::Agent;

use crate::wire::value::excerpt;

/// The most octets of an answer.
const MAX_ANSWER: u64 = 16 << 20;

/// The time for one request.
const TIMEOUT: Duration = Duration::from_secs(30);

/// The reason why there is no answer.
pub(super) enum HttpError {
    /// The answer has another status than success, and begins with this.
    Status(u16, String),
    Network(String),
}

impl HttpError {
    pub(super) fn into_message(self) -> String {
        match self {
            HttpError::Status(status, text) => format!("HTTP status {status}: {text}"),
            HttpError::Network(message) => message,
        }
    }
}

/// Posts a document, and returns the body of the answer.
pub(super) fn post(url: &str, content_type: &str, document: &[u8]) -> Result<Vec<u8>, HttpError> {
    let agent = agent(url)?;
    read(agent.post(url).header("Content-Type", content_type).send(document))
}

/// Fetches a document.
pub(super) fn get(url: &str) -> Result<Vec<u8>, HttpError> {
    read(agent(url)?.get(url).call())
}

fn agent(url: &str) -> Result<Agent, HttpError> {
    if cfg!(target_env = "musl") && url.starts_with("https:") {
        return Err(HttpError::Network(NO_TLS.into()));
    }
    let builder = Agent::config_builder().http_status_as_error(false).timeout_global(Some(TIMEOUT)).max_redirects(0);
    Ok(Agent::new_with_config(builder.user_agent(concat!("rpcgi/", env!("CARGO_PKG_VERSION"))).build()))
}

/// What the static build says of URLs that begin with `https:`.
pub(super) const NO_TLS: &str = "this is the static build of rpcgi, which has no TLS: one by `cargo install rpcgi` has";

fn read(sent: Result<ureq::http::Response<ureq::Body>, ureq::Error>) -> Result<Vec<u8>, HttpError> {
    let network = |error: ureq::Error| HttpError::Network(error.to_string());
    let mut response = sent.map_err(network)?;
    let body = response.body_mut().with_config().limit(MAX_ANSWER).read_to_vec().map_err(network)?;
    match response.status().is_success() {
        true => Ok(body),
        false => {
            let text = String::from_utf8_lossy(&body);
            let first = text.lines().next().map(excerpt).unwrap_or_default();
            Err(HttpError::Status(response.status().as_u16(), first))
        }
    }
}
