//! The web site of a service: its page and the page's twins, kept pages, and the form that tries a method.
//!
//! It is given facts, a registry to describe, and a function that answers a document; it knows no endpoint.
//!
//! | file | what it does |
//! |---|---|
//! | `query` | reads what a request asks for |
//! | `kept` | keeps rendered pages, compressed |
//! | `try_it` | serves the form, and calls what it says |

mod cache;
mod query;
mod try_it;

use std::borrow::Cow;
use std::sync::Arc;

use flate2::Compression;
use http::StatusCode;
use http::header::{self, HeaderValue};

use self::cache::{Page, PageCache, PageKey, Rendered};
use self::query::Query;
use crate::docs::{self, Access, Asset, Assets, Docs, Facts, Format, TryIt, Visit};
use crate::method::Registry;
use crate::protocol::{Answer, Protocol};
use crate::service::compression::{self, Coding};
use crate::service::{Request, Response, is_forwarded, is_local_host};
use crate::wire::fault::{Fault, catch_panic};
use crate::wire::value::excerpt;

/// A function that answers a document, as a client would be answered.
pub(crate) type Answerer<'a> = &'a dyn Fn(&[u8]) -> (&'static Protocol, Answer);

const NOSNIFF: HeaderValue = HeaderValue::from_static("nosniff");

/// The web site of a service.
pub(crate) struct Site {
    registry: Arc<Registry>,
    facts: Facts,
    kept: PageCache,
}

impl Site {
    pub(crate) fn new(registry: Arc<Registry>, facts: Facts) -> Site {
        Site { registry, facts, kept: PageCache::default() }
    }

    /// Tests if anybody may see the page.
    pub(crate) fn is_public(&self) -> bool {
        self.facts.docs.access == Access::Public
    }

    /// Answers a GET.
    ///
    /// # Errors
    /// The response to one that is not served.
    #[cold]
    pub(crate) fn get(&self, request: &Request) -> Result<Response, Response> {
        catch_panic(|| {
            let query = Query::of(request);
            if let Some(name) = &query.asset {
                return self.asset(name);
            }
            match query.method.as_ref().filter(|_| self.can_try(request)) {
                Some(name) => self.form(request, name),
                None => self.page(request, &query),
            }
        })
        .unwrap_or_else(|fault| Err(page_failed(&fault)))
    }

    /// Answers a POST that a form of the page has sent; `None` if it is not one, or none is taken.
    #[cold]
    pub(crate) fn submit(&self, request: &Request, answer: Answerer<'_>) -> Option<Result<Response, Response>> {
        let name = Query::of(request).method.filter(|_| self.can_try(request))?;
        Some(catch_panic(|| self.submitted(request, &name, answer)).unwrap_or_else(|fault| Err(page_failed(&fault))))
    }

    /// Describes the service at a URL, for no client in particular. Assets are in the page, as it may be kept where
    /// nothing is beside it.
    pub(crate) fn describe(&self, format: Format, url: Option<String>) -> String {
        let base = url.as_deref().unwrap_or_default().trim_end_matches('/').to_owned();
        let docs = Docs::clone(&self.facts.docs).assets(Assets::Inline);
        let facts = Facts { docs, ..self.facts.clone() };
        self.render(format, &facts, &Visit { url, base, ..Visit::default() })
    }

    fn render(&self, format: Format, facts: &Facts, visit: &Visit) -> String {
        docs::render(format, facts, visit, &|generator| self.registry.outline_all(generator))
    }

    /// Tests whether methods can be tried on the page of this request.
    fn can_try(&self, request: &Request) -> bool {
        self.is_public()
            && match self.facts.docs.try_it {
                Some(try_it) => try_it != TryIt::Off,
                None => is_local(request),
            }
    }

    /// Serves the page, or one of its twins.
    fn page(&self, request: &Request, query: &Query) -> Result<Response, Response> {
        let format = query.format(request)?;
        let visit = Visit { filter: query.filter(), number: query.page(), ..self.visit(request) };
        let render = |visit: &Visit| Rendered {
            text: self.render(format, &self.facts, visit),
            policy: docs::content_security_policy(&self.facts.docs, visit.can_try),
        };
        // pages whose list may change at any time, or is filtered, are not kept
        let is_kept = self.registry.is_settled() && visit.filter.is_empty();
        let key = PageKey { format, visit, coding: compression::accepted(request) };
        let page = match is_kept {
            true => self.kept.get(key, render),
            false => Arc::new(Page::new(key.clone(), render(&key.visit), Compression::default())),
        };
        Ok(page_response(request, format, &page))
    }

    /// Returns what a description depends on, for a request.
    fn visit(&self, request: &Request) -> Visit {
        let origin = request.base().unwrap_or_default();
        let program = request.variable("SCRIPT_NAME").unwrap_or_default();
        Visit {
            url: request.url(),
            base: format!("{origin}{}", program.trim_end_matches('/')),
            auth_type: request.variable("AUTH_TYPE").map(Cow::into_owned),
            can_try: self.can_try(request),
            ..Visit::default()
        }
    }

    /// Serves the style sheet or the script that a page has linked.
    fn asset(&self, name: &str) -> Result<Response, Response> {
        let asset = Asset::find(name, &self.facts.docs)
            .ok_or_else(|| Response::text(StatusCode::NOT_FOUND, format!("there is no asset \"{}\"", excerpt(name))))?;
        let cached = HeaderValue::from_static("public, max-age=31536000, immutable");
        Ok(Response::new(StatusCode::OK, HeaderValue::from_static(asset.content_type), asset.text)
            .with(header::CACHE_CONTROL, cached)
            .with(header::X_CONTENT_TYPE_OPTIONS, NOSNIFF))
    }
}

/// Makes the response with a page, or says that the client has it already (RFC 9110 §13.1.2).
fn page_response(request: &Request, format: Format, page: &Page) -> Response {
    let common = [
        (header::ETAG, page.etag.value(page.coding)),
        (header::CACHE_CONTROL, HeaderValue::from_static("no-cache")),
        (header::VARY, HeaderValue::from_static("Accept, Accept-Encoding")),
    ];
    if request.variable("HTTP_IF_NONE_MATCH").is_some_and(|known| page.etag.is_among(&known)) {
        let mut response = Response::empty(StatusCode::NOT_MODIFIED);
        response.headers.extend(common);
        return response;
    }
    let content_type = HeaderValue::from_static(format.content_type());
    let mut response = Response::new(StatusCode::OK, content_type, page.body.clone());
    response.headers.extend(common);
    let coding = page.coding.map(|coding: Coding| HeaderValue::from_static(coding.name()));
    response.headers.extend(coding.map(|coding| (header::CONTENT_ENCODING, coding)));
    response
        .with(header::CONTENT_SECURITY_POLICY, page.policy.clone())
        .with(header::REFERRER_POLICY, HeaderValue::from_static("same-origin"))
        .with(header::X_CONTENT_TYPE_OPTIONS, NOSNIFF)
}

/// Tests whether a request comes from this machine, was sent to it, and names no proxy in between.
fn is_local(request: &Request) -> bool {
    request.remote_addr().is_some_and(|address| address.to_canonical().is_loopback())
        && request.variable("HTTP_HOST").is_some_and(|host| is_local_host(&host))
        && !is_forwarded(request)
}

#[cold]
fn page_failed(fault: &Fault) -> Response {
    log::error!("the page {}", fault.cause().unwrap_or_default());
    Response::text(StatusCode::INTERNAL_SERVER_ERROR, "internal error")
}
