//! A cache of descriptions as they are sent.
//!
//! A process renders and compresses each only once. A page depends on the URL that a client has used, and so on a
//! header of the client's choice: only a few are kept.

use std::collections::VecDeque;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::sync::{Arc, Mutex, PoisonError};

use bytes::Bytes;
use flate2::Compression;
use http::header::HeaderValue;

use crate::docs::{Format, Visit};
use crate::service::compression::{self, Coding};

/// The most pages that are kept: those of a few names of the host, in a few formats.
const MAX_PAGES: usize = 8;

/// The facts that a description depends on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct PageKey {
    pub(super) format: Format,
    pub(super) visit: Visit,
    /// The coding that the client accepts.
    pub(super) coding: Option<Coding>,
}

/// A description as text, with the policy for it.
pub(super) struct Rendered {
    pub(super) text: String,
    pub(super) policy: HeaderValue,
}

/// A description, ready to be sent.
pub(super) struct Page {
    key: PageKey,
    pub(super) body: Bytes,
    /// The coding of the body.
    pub(super) coding: Option<Coding>,
    pub(super) etag: Etag,
    pub(super) policy: HeaderValue,
}

impl Page {
    pub(super) fn new(key: PageKey, Rendered { text, policy }: Rendered, effort: Compression) -> Page {
        let etag = Etag::of(&text);
        let coding = key.coding.filter(|_| compression::is_worth_it(text.len()));
        let encoded = |coding| (coding, compression::encode(coding, text.as_bytes(), effort));
        let (coding, body) = match coding.map(encoded) {
            Some((coding, Ok(body))) => (Some(coding), body),
            Some((_, Err(error))) => {
                log::error!("a page cannot be compressed: {error}");
                (None, text.into_bytes())
            }
            None => (None, text.into_bytes()),
        };
        Page { key, body: body.into(), coding, etag, policy }
    }
}

/// The pages that were requested last, the newest first.
#[derive(Default)]
pub(super) struct PageCache(Mutex<VecDeque<Arc<Page>>>);

impl PageCache {
    /// Returns the page of this key, which is rendered if it is not kept.
    pub(super) fn get(&self, key: PageKey, render: impl FnOnce(&Visit) -> Rendered) -> Arc<Page> {
        if let Some(page) = self.find(&key) {
            return page;
        }
        // without the lock: other requests need not wait for it
        let rendered = render(&key.visit);
        let page = Arc::new(Page::new(key, rendered, Compression::best()));
        let mut kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        kept.push_front(Arc::clone(&page));
        kept.truncate(MAX_PAGES);
        page
    }

    fn find(&self, key: &PageKey) -> Option<Arc<Page>> {
        let mut kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let at = kept.iter().position(|page| page.key == *key)?;
        let page = kept.remove(at)?;
        kept.push_front(Arc::clone(&page));
        Some(page)
    }
}

/// The entity tag of a page (RFC 9110 §8.8.3): another coding of the page has another.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Etag(u64);

impl Etag {
    fn of(page: &str) -> Etag {
        // the same in every process of a program, as CGI needs it: these hashers start alike
        let mut hasher = DefaultHasher::new();
        page.hash(&mut hasher);
        Etag(hasher.finish())
    }

    pub(super) fn value(self, coding: Option<Coding>) -> HeaderValue {
        let tag = match coding {
            None => format!("\"{:016x}\"", self.0),
            Some(coding) => format!("\"{:016x}-{}\"", self.0, coding.name()),
        };
        HeaderValue::try_from(tag).unwrap_or(HeaderValue::from_static("\"\""))
    }

    /// Returns whether a list of tags has this one, in any coding; servers in between add codings of their own.
    pub(super) fn is_among(self, list: &str) -> bool {
        let wanted = format!("{:016x}", self.0);
        list.split(',').any(|tag| {
            let tag = tag.trim();
            let tag = tag.strip_prefix("W/").unwrap_or(tag).trim_matches('"');
            tag == "*" || tag.split('-').next() == Some(&wanted)
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_few_are_kept() {
        let pages = PageCache::default();
        let key = |number: usize| PageKey {
            format: Format::Html,
            visit: Visit { url: Some(format!("http://{number}.example/")), ..Visit::default() },
            coding: None,
        };
        let get = |number: usize| {
            let mut is_rendered = false;
            let page = pages.get(key(number), |visit| {
                is_rendered = true;
                let policy = HeaderValue::from_static("");
                Rendered { text: visit.url.clone().unwrap_or_default(), policy }
            });
            assert_eq!(page.body, format!("http://{number}.example/").into_bytes());
            is_rendered
        };
        assert!(get(0) && !get(0));
        assert!((1..MAX_PAGES).all(get));
        // the one that was asked for again stays
        assert!(!get(0) && get(MAX_PAGES) && !get(0) && get(1));
    }
}
