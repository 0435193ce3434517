//! Trials of methods on the page: the permission, the page with the form, and the answer to the form.
//!
//! Other sites can send a form too, with the user's cookies. So it is accepted only where methods can be tried, from a
//! page of this host, and with a token: a hash of the method's name, the time, and a secret that only this browser has,
//! in a cookie. The server keeps nothing, so it works where each request has a process of its own.

use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use http::StatusCode;
use http::header::{self, HeaderValue};
use sha2::{Digest, Sha256};

use super::pages::Key;
use super::{Endpoint, NOSNIFF, query};
use crate::call::MULTICALL;
use crate::description::Description;
use crate::docs::{self, Access, Asks, Fields, Format, MOST_OCTETS, Outcome, TRY, Trial, Trying};
use crate::protocol::{Protocol, xmlrpc};
use crate::service::origin::Origins;
use crate::service::{Request, Response, is_forwarded, is_local_host};
use crate::wire::fault::Fault;
use crate::wire::json;
use crate::wire::value::Value;

const COOKIE: &str = "rpcgi-try";

/// The longest time that a page may have been open.
const FRESH: Duration = Duration::from_secs(3600);

impl Endpoint {
    /// Returns whether methods can be tried on the page of this request.
    pub(super) fn tries(&self, request: &Request) -> bool {
        self.settings.docs.access == Access::Public
            && match self.settings.docs.trying {
                Some(trying) => trying != Trying::Off,
                None => is_local(request),
            }
    }

    /// Returns the method that a request wants to try, by its query; `None` if it wants none, or may not.
    pub(super) fn tried(&self, request: &Request) -> Option<String> {
        query(request, TRY).filter(|_| self.tries(request))
    }

    /// Returns the page on which a method is tried, in its first state.
    pub(super) fn trial_page(&self, request: &Request, name: &str) -> Result<Response, Response> {
        let method = self.registry.describe(name).map_err(|fault| self.no_method(request, &fault))?;
        Ok(self.respond(request, &method, StatusCode::OK, Trial::default()))
    }

    /// Answers a form.
    pub(super) fn try_method(&self, request: &Request, name: &str) -> Result<Response, Response> {
        Origins::check_form(request, self.settings.docs.trying == Some(Trying::On))?;
        if request.body().len() > MOST_OCTETS {
            return Err(Response::too_large(MOST_OCTETS));
        }
        let method = self.registry.describe(name).map_err(|fault| self.no_method(request, &fault))?;
        let fields =
            Fields::read(request.body()).map_err(|message| Response::text(StatusCode::BAD_REQUEST, message))?;
        let (status, trial) = self.attempt(request, &method, fields);
        Ok(self.respond(request, &method, status, trial))
    }

    /// Does what a form asks for, if that is allowed.
    fn attempt(&self, request: &Request, method: &Description, mut fields: Fields) -> (StatusCode, Trial) {
        let refused = |status, fields, complaint: &str| {
            (status, Trial { fields: Some(fields), complaint: Some(complaint.to_owned()), outcome: None })
        };
        if !Secret::of(request).is_some_and(|secret| secret.has_made(fields.token(), &method.name)) {
            let complaint =
                "This form was open for more than an hour, or its cookie is not there. Please call once more.";
            return refused(StatusCode::FORBIDDEN, fields, complaint);
        }
        if fields.press(method) {
            return (StatusCode::OK, Trial { fields: Some(fields), ..Trial::default() });
        }
        let key = self.key(request, Format::Html);
        let page = self.trial_of(method, &key);
        if page.asks.is_open(&fields) {
            return refused(StatusCode::BAD_REQUEST, fields, "Please confirm that it is really meant.");
        }
        match page.entered(method, &fields) {
            Err(complaint) => refused(StatusCode::BAD_REQUEST, fields, &complaint),
            Ok(document) => {
                let outcome = Some(self.ask(request, document));
                (StatusCode::OK, Trial { fields: Some(fields), complaint: None, outcome })
            }
        }
    }

    #[cold]
    fn no_method(&self, request: &Request, fault: &Fault) -> Response {
        let page = self.empty_page(&self.key(request, Format::Html)).no_method(&fault.message);
        self.page_response(StatusCode::NOT_FOUND, page)
    }

    /// Returns a page on which a method is tried. A document may call any method, and so may `system.multicall`.
    fn trial_of<'a>(&'a self, method: &Description, key: &'a Key) -> docs::Page<'a> {
        let any = method.is_unsafe || self.registry.has_unsafe();
        let asks = Asks { call: method.is_unsafe || any && method.name == MULTICALL, document: any };
        docs::Page { asks, ..self.empty_page(key) }
    }

    /// Makes the call of a document.
    fn ask(&self, request: &Request, document: String) -> Outcome {
        let started = Instant::now();
        let answer = self.answer(request, None, document.as_bytes()).map(|(_, answer)| answer);
        let took = started.elapsed();
        let response = answer.as_deref().map(as_text).unwrap_or_default();
        let understood = answer.map(|answer| match Protocol::of(&answer, None) {
            Protocol::XmlRpc => xml_result(&answer),
            Protocol::JsonRpc => json_result(&answer),
        });
        Outcome { request: document, response, took, answer: understood }
    }

    /// Returns the page of a method in the state of a trial.
    fn respond(&self, request: &Request, method: &Description, status: StatusCode, trial: Trial) -> Response {
        let known = Secret::of(request);
        let is_new = known.is_none();
        let secret = known.unwrap_or_else(Secret::new);
        let key = self.key(request, Format::Html);
        let page = self.trial_of(method, &key).trial(method, &trial, &secret.token(&method.name));
        let response = self.page_response(status, page);
        let is_https = request.url().is_some_and(|url| url.starts_with("https:"));
        let secure = if is_https { "; Secure" } else { "" };
        let cookie = format!("{COOKIE}={}; HttpOnly; SameSite=Strict{secure}", secret.0);
        match HeaderValue::try_from(cookie) {
            Ok(cookie) if is_new => response.with(header::SET_COOKIE, cookie),
            _ => response,
        }
    }

    /// Returns the response of a page for one request alone.
    fn page_response(&self, status: StatusCode, page: String) -> Response {
        Response::new(status, HeaderValue::from_static("text/html; charset=utf-8"), page)
            .with(header::CACHE_CONTROL, HeaderValue::from_static("no-store"))
            .with(header::CONTENT_SECURITY_POLICY, docs::content_security_policy(&self.settings.docs, true))
            // with no referrer, browsers send no origin with a form either
            .with(header::REFERRER_POLICY, HeaderValue::from_static("same-origin"))
            .with(header::X_CONTENT_TYPE_OPTIONS, NOSNIFF)
    }
}

/// Returns whether a request comes from this machine, was sent to it, and was not forwarded by a proxy that says so.
fn is_local(request: &Request) -> bool {
    request.remote_addr().is_some_and(|address| address.to_canonical().is_loopback())
        && request.variable("HTTP_HOST").is_some_and(|host| is_local_host(&host))
        && !is_forwarded(request)
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
        let cookies = request.variable("HTTP_COOKIE")?;
        let secret = cookies.split(';').find_map(|cookie| cookie.trim().strip_prefix(COOKIE)?.strip_prefix('='))?;
        let is_whole = secret.len() == 32 && secret.bytes().all(|digit| digit.is_ascii_hexdigit());
        is_whole.then(|| Secret(secret.to_owned()))
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

/// Decodes an answer for readers, whatever encoding it declares.
fn as_text(answer: &[u8]) -> String {
    let octets = crate::wire::xml::decode(answer).unwrap_or(answer.into());
    String::from_utf8_lossy(&octets).into_owned()
}

/// Returns the result in an answer, as JSON for readers; or the fault.
fn xml_result(answer: &[u8]) -> Result<String, (i32, String)> {
    let not_read = |error: &dyn std::fmt::Display| format!("the answer is not shown as JSON: {error}");
    match xmlrpc::response_from_slice::<Value>(answer) {
        Ok(Ok(value)) => {
            let options = json::Options { limits: Default::default(), large_integers_as_text: false };
            let mut text = Vec::new();
            Ok(match json::write(&value, &options, &mut text) {
                Ok(()) => indented(&text),
                Err(error) => not_read(&error),
            })
        }
        Ok(Err(fault)) => Err((fault.code, fault.message)),
        Err(error) => Ok(not_read(&error)),
    }
}

fn json_result(answer: &[u8]) -> Result<String, (i32, String)> {
    let Ok(answer) = serde_json::from_slice::<serde_json::Value>(answer) else {
        return Ok(String::from_utf8_lossy(answer).into_owned());
    };
    match (answer.get("error"), answer.get("result")) {
        (Some(error), _) if !error.is_null() => {
            let code = error["code"].as_i64().and_then(|code| i32::try_from(code).ok()).unwrap_or_default();
            Err((code, error["message"].as_str().unwrap_or_default().to_owned()))
        }
        (_, Some(result)) => Ok(format!("{result:#}")),
        // a batch
        (_, None) => Ok(format!("{answer:#}")),
    }
}

fn indented(text: &[u8]) -> String {
    let json = serde_json::from_slice::<serde_json::Value>(text);
    json.map_or_else(|_| String::from_utf8_lossy(text).into_owned(), |json| format!("{json:#}"))
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
