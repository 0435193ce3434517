//! Requests to the service, each bounded in time and octets. Redirects are seen, and not followed.

use std::time::{Duration, Instant};

use ureq::Agent;

use crate::program::http::NO_TLS;
use crate::wire::value::excerpt;

/// The most octets that are read of an answer.
const MAX_ANSWER: u64 = 2 << 20;

/// A way to ask the service.
pub(super) struct Probe {
    pub(super) url: String,
    agent: Agent,
}

/// An answer.
pub(super) struct Answer {
    pub(super) status: u16,
    headers: ureq::http::HeaderMap,
    /// The beginning of its body.
    pub(super) body: Vec<u8>,
    /// Set if there was more than is read.
    pub(super) is_endless: bool,
    pub(super) took: Duration,
}

/// The reason why there is no answer.
pub(super) enum Silence {
    /// It did not come in time.
    TooLate(Duration),
    /// The certificate is not trusted.
    Certificate(String),
    Other(String),
}

impl Answer {
    pub(super) fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name)?.to_str().ok()
    }

    pub(super) fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }

    /// Returns the beginning of its body on one line.
    pub(super) fn excerpt(&self) -> String {
        excerpt(&self.text().split_whitespace().collect::<Vec<_>>().join(" "))
    }
}

impl Probe {
    pub(super) fn new(url: &str, timeout: Duration) -> Probe {
        let builder =
            Agent::config_builder().http_status_as_error(false).timeout_global(Some(timeout)).max_redirects(0);
        let builder = builder.user_agent(concat!("rpcgi-doctor/", env!("CARGO_PKG_VERSION")));
        Probe { url: url.to_owned(), agent: Agent::new_with_config(builder.build()) }
    }

    pub(super) fn get(&self, url: &str, headers: &[(&str, &str)]) -> Result<Answer, Silence> {
        let request = headers.iter().fold(self.agent.get(url), |request, (name, value)| request.header(*name, *value));
        self.read(url, || request.call())
    }

    pub(super) fn post(&self, url: &str, headers: &[(&str, &str)], body: &[u8]) -> Result<Answer, Silence> {
        let request = headers.iter().fold(self.agent.post(url), |request, (name, value)| request.header(*name, *value));
        self.read(url, || request.send(body))
    }

    fn read(
        &self,
        url: &str,
        send: impl FnOnce() -> Result<ureq::http::Response<ureq::Body>, ureq::Error>,
    ) -> Result<Answer, Silence> {
        if cfg!(target_env = "musl") && url.starts_with("https:") {
            return Err(Silence::Other(NO_TLS.into()));
        }
        let started = Instant::now();
        let silence = |error: ureq::Error| match error {
            ureq::Error::Timeout(_) => Silence::TooLate(started.elapsed()),
            error => {
                let text = error.to_string();
                match text.to_lowercase().contains("certificate") {
                    true => Silence::Certificate(text),
                    false => Silence::Other(text),
                }
            }
        };
        let mut response = send().map_err(silence)?;
        let took = started.elapsed();
        let (status, headers) = (response.status().as_u16(), response.headers().clone());
        let mut body = Vec::new();
        let mut reader = std::io::Read::take(response.body_mut().as_reader(), MAX_ANSWER + 1);
        if let Err(error) = std::io::Read::read_to_end(&mut reader, &mut body)
            && body.is_empty()
        {
            return Err(match error.kind() {
                std::io::ErrorKind::TimedOut => Silence::TooLate(started.elapsed()),
                _ => Silence::Other(error.to_string()),
            });
        }
        let is_endless = body.len() as u64 > MAX_ANSWER;
        Ok(Answer { status, headers, body, is_endless, took })
    }
}
