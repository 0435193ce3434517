//! Trials of methods on the page: the permission, the page with the form, and the answer to the form.
//!
//! Other sites can send a form too, with the user's cookies. So it is accepted only where methods can be tried, from a
//! page of this host, and with a token: a hash of the method's name, the time, and a secret that only this browser has,
//! in a cookie. The server keeps nothing, so it works where each request has a process of its own.

use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use http::StatusCode;
use http::header::{self, HeaderValue};
use sha2::{Digest, Sha256};

use super::{Answerer, NOSNIFF, Site};
use crate::description::Description;
use crate::docs::{self, Attempt, CallMade, Confirmations, Fields, MAX_FORM_OCTETS, Page, TryIt, Visit};
use crate::service::origin::Origins;
use crate::service::{Cookie, Limits, Request, Response};
use crate::wire::fault::Fault;
use crate::wire::json;
use crate::wire::value::Value;

const COOKIE: &str = "rpcgi-try";

/// The longest time that a page may have been open.
const FRESH: Duration = Duration::from_secs(3600);

impl Site {
    /// Serves the form of a method, with the values that a link to it carries, or as it is at first.
    ///
    /// # Errors
    /// The response to a request for a method that there is not, or with too many values.
    pub(super) fn form(&self, request: &Request, name: &str) -> Result<Response, Response> {
        let method = self.registry.describe(name).map_err(|fault| self.no_method(request, &fault))?;
        let query = request.variable_octets("QUERY_STRING").unwrap_or_default();
        let fields = Fields::read(&query).map_err(|message| Response::text(StatusCode::BAD_REQUEST, message))?;
        let attempt = Attempt { fields: fields.way().is_some().then_some(fields), ..Attempt::default() };
        Ok(self.respond(request, &method, StatusCode::OK, &attempt))
    }

    /// Answers a form that was sent.
    ///
    /// # Errors
    /// The response to one that is not taken.
    pub(super) fn submitted(&self, request: &Request, name: &str, answer: Answerer<'_>) -> Result<Response, Response> {
        Origins::check_form(request, self.facts.docs.try_it == Some(TryIt::On))?;
        if request.body().len() > MAX_FORM_OCTETS {
            return Err(Response::too_large(MAX_FORM_OCTETS));
        }
        let method = self.registry.describe(name).map_err(|fault| self.no_method(request, &fault))?;
        let fields =
            Fields::read(request.body()).map_err(|message| Response::text(StatusCode::BAD_REQUEST, message))?;
        let (status, attempt) = self.attempt(request, &method, fields, answer);
        Ok(self.respond(request, &method, status, &attempt))
    }

    /// Does what a form asks for, if that is allowed.
    fn attempt(
        &self,
        request: &Request,
        method: &Description,
        mut fields: Fields,
        answer: Answerer<'_>,
    ) -> (StatusCode, Attempt) {
        let refused = |status, fields, complaint: &str| {
            (status, Attempt { fields: Some(fields), complaint: Some(complaint.to_owned()), ..Attempt::default() })
        };
        if !Secret::of(request).is_some_and(|secret| secret.has_made(fields.token(), &method.name)) {
            let complaint = "This form was open for more than an hour, or its cookie is missing. Please call again.";
            return refused(StatusCode::FORBIDDEN, fields, complaint);
        }
        if fields.press(method) {
            return (StatusCode::OK, Attempt { fields: Some(fields), ..Attempt::default() });
        }
        let visit = self.visit(request);
        let page = self.page_of(method, &visit);
        match page.entered(method, &fields) {
            Err(mistakes) => {
                (StatusCode::BAD_REQUEST, Attempt { fields: Some(fields), mistakes, ..Attempt::default() })
            }
            Ok(document) if fields.wants_document() => {
                (StatusCode::OK, Attempt { fields: Some(Fields::of_document(document)), ..Attempt::default() })
            }
            Ok(_) if page.confirmations.are_missing(&fields) => {
                refused(StatusCode::BAD_REQUEST, fields, "Please confirm this call.")
            }
            Ok(document) => {
                let outcome = Some(call(document, answer));
                (StatusCode::OK, Attempt { fields: Some(fields), outcome, ..Attempt::default() })
            }
        }
    }

    #[cold]
    fn no_method(&self, request: &Request, fault: &Fault) -> Response {
        let page = Page::new(&self.facts, &self.visit(request)).no_method(&fault.message);
        self.response(StatusCode::NOT_FOUND, page)
    }

    /// Returns a page on which a method is tried. A document may call any method, and so may `system.multicall`.
    fn page_of<'a>(&'a self, method: &Description, visit: &'a Visit) -> Page<'a> {
        let call = self.registry.may_change(&method.name, method.is_unsafe);
        let document = call || self.registry.has_unsafe();
        Page::new(&self.facts, visit).asking(Confirmations { call, document })
    }

    /// Returns the page of a method in the state of an attempt.
    fn respond(&self, request: &Request, method: &Description, status: StatusCode, attempt: &Attempt) -> Response {
        let known = Secret::of(request);
        let is_new = known.is_none();
        let secret = known.unwrap_or_else(Secret::new);
        let page = self.page_of(method, &self.visit(request)).attempt(method, attempt, &secret.token(&method.name));
        if is_new {
            let path = request.path();
            let folder = &path[..path.rfind('/').map_or(0, |slash| slash + 1)];
            // with a path that no cookie can have, the form says what is missing
            _ = request.set_cookie(&Cookie::new(COOKIE, secret.0).path(folder).strict());
        }
        self.response(status, page)
    }

    /// Makes the response with a page for one request alone.
    fn response(&self, status: StatusCode, page: String) -> Response {
        Response::new(status, HeaderValue::from_static("text/html; charset=utf-8"), page)
            .with(header::CACHE_CONTROL, HeaderValue::from_static("no-store"))
            .with(header::CONTENT_SECURITY_POLICY, docs::content_security_policy(&self.facts.docs, true))
            // with no referrer, browsers send no origin with a form either
            .with(header::REFERRER_POLICY, HeaderValue::from_static("same-origin"))
            .with(header::X_CONTENT_TYPE_OPTIONS, NOSNIFF)
    }
}

/// Makes the call of a document, and reads its answer.
fn call(document: String, answer: Answerer<'_>) -> CallMade {
    let started = Instant::now();
    let (protocol, answer) = answer(document.as_bytes());
    let took = started.elapsed();
    let outcome = || match (protocol.read_answer)(&answer.body) {
        Ok(Ok(value)) => Ok(shown_as_json(&value)),
        Ok(Err(fault)) => Err((fault.code, fault.message)),
        Err(error) => Ok(not_shown(&error)),
    };
    CallMade {
        request: document,
        response: (protocol.text)(&answer.body),
        status: answer.status,
        took,
        outcome: answer.content_type.is_some().then(outcome),
    }
}

/// The secret of one browser, in its cookie: 32 hexadecimal digits.
struct Secret(String);

impl Secret {
    fn new() -> Secret {
        let mut octets = [0; 16];
        if let Err(error) = getrandom::fill(&mut octets) {
            // no browser has this one, so nothing can be tried
            log::error!("no random number: {error}");
            return Secret(String::new());
        }
        Secret(hex(&octets))
    }

    fn of(request: &Request) -> Option<Secret> {
        let secret = request.cookie(COOKIE)?;
        let is_whole = secret.len() == 32 && secret.bytes().all(|digit| digit.is_ascii_hexdigit());
        is_whole.then_some(Secret(secret))
    }

    /// Returns a token for the form of a method, from now on.
    fn token(&self, name: &str) -> String {
        self.token_at(name, seconds())
    }

    fn token_at(&self, name: &str, time: u64) -> String {
        format!("{time}-{}", hex(&Sha256::digest(format!("{}\n{time}\n{name}", self.0))))
    }

    /// Returns whether a token is one of this browser's for the form of a method, and not too old.
    fn has_made(&self, token: &str, name: &str) -> bool {
        let Some(time) = token.split('-').next().and_then(|time| time.parse().ok()) else { return false };
        let age = seconds().checked_sub(time);
        age.is_some_and(|age| age <= FRESH.as_secs()) && self.token_at(name, time) == token
    }
}

fn seconds() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |time| time.as_secs())
}

fn hex(octets: &[u8]) -> String {
    octets.iter().map(|octet| format!("{octet:02x}")).collect()
}

/// Writes a result as JSON for readers.
fn shown_as_json(value: &Value) -> String {
    let options = json::JsonOptions { limits: Limits::default(), large_integers_as_text: false };
    let mut text = Vec::new();
    match json::write(value, &options, &mut text) {
        Ok(()) => indented(&text),
        Err(error) => not_shown(&error),
    }
}

fn indented(text: &[u8]) -> String {
    let json = serde_json::from_slice::<serde_json::Value>(text);
    json.map_or_else(|_| String::from_utf8_lossy(text).into_owned(), |json| format!("{json:#}"))
}

fn not_shown(error: &dyn std::fmt::Display) -> String {
    format!("the answer is not shown as JSON: {error}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tokens_are_of_one_browser_one_method_one_hour() {
        let secret = Secret::new();
        let token = secret.token("a");
        assert!(secret.has_made(&token, "a"));
        assert!(!secret.has_made(&token, "b") && !Secret::new().has_made(&token, "a"));
        let (old, early) = (seconds() - FRESH.as_secs() - 1, seconds() + 60);
        for token in [&secret.token_at("a", old)[..], &secret.token_at("a", early), "", "-", &token[1..]] {
            assert!(!secret.has_made(token, "a"), "{token}");
        }
    }
}
