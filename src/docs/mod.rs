//! The documentation page: descriptions in, one HTML document out; and its twins, the same as JSON and as Markdown.
//!
//! It loads nothing from anywhere, and is complete without its script. From the outside in:
//!
//! | | |
//! |---|---|
//! | `settings` | the author's settings of the page |
//! | `format` | the twins, and the choice of one |
//! | `document` | the document: its parts in their order, its footer |
//! | `head` | what a reader sees first: the name, the facts, a call and its answer |
//! | `contents` | the filter, the names of the methods, and which of them are on a page |
//! | `method` | a method's section: its signatures, help, calls |
//! | `values` | params, results and members, as lists; the faults and types of all methods |
//! | `samples`, `example` | calls in a dozen languages and their answers, with plausible values |
//! | `try_it`, `form` | the page on which a method is tried: its form, fields to params |
//! | `assets` | style and script, and the policy that allows them |
//! | `markdown` | help texts |
//! | `json`, `text` | the twins |

mod assets;
mod contents;
mod document;
mod example;
mod form;
mod format;
mod head;
mod json;
mod markdown;
mod method;
mod samples;
mod settings;
mod text;
mod try_it;
mod values;

use std::cell::RefCell;
use std::collections::{HashMap, HashSet};
use std::rc::Rc;

use maud::Markup;
use schemars::SchemaGenerator;

pub(crate) use self::assets::{ASSET, Asset, content_security_policy};
pub(crate) use self::form::{Fields, MAX_FORM_OCTETS};
pub(crate) use self::format::Format;
use self::samples::SampleAnswer;
pub use self::settings::{
    Accent, Access, Assets, Docs, Footer, Logo, ParseAccentError, ParseLogoError, ParseStyleError, Style, TryIt,
};
pub(crate) use self::try_it::{Attempt, CallMade, Confirmations, TRY};
use crate::description::openrpc::{self, Info};
use crate::description::{Description, Dialect, Outline, describe, generator};
use crate::wire::value::Value;

/// The most characters of a filter: more than a reader types.
pub(crate) const MAX_FILTER: usize = 200;

/// The facts of a service, which are the same for every reader.
#[derive(Clone)]
pub(crate) struct Facts {
    pub(crate) name: String,
    pub(crate) title: String,
    /// Markdown.
    pub(crate) documentation: String,
    pub(crate) version: String,
    /// The most octets in a request, and calls in one.
    pub(crate) max_body: usize,
    pub(crate) max_calls: usize,
    pub(crate) docs: Docs,
    /// The protocols that it speaks.
    pub(crate) dialects: Vec<&'static Dialect>,
    /// Services at paths below.
    pub(crate) others: Vec<OtherService>,
}

impl Facts {
    /// Returns the service's entry in an OpenRPC document.
    pub(crate) fn info(&self) -> Info {
        Info { title: self.name.clone(), description: self.documentation.clone(), version: self.version.clone() }
    }

    fn dialect(&self, name: &str) -> Option<&'static Dialect> {
        self.dialects.iter().copied().find(|dialect| dialect.name == name)
    }

    /// Returns the protocols in words: `XML-RPC, JSON-RPC 2.0`.
    fn protocols(&self, separator: &str) -> String {
        self.dialects.iter().map(|dialect| dialect.title).collect::<Vec<_>>().join(separator)
    }
}

/// A service at a path below.
#[derive(Clone)]
pub(crate) struct OtherService {
    pub(crate) path: String,
    pub(crate) name: String,
}

/// One request for a description.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Visit {
    /// The URL of the calls, if it is known.
    pub(crate) url: Option<String>,
    /// The URL that the paths of other services follow.
    pub(crate) base: String,
    /// The authentication that the web server asks for.
    pub(crate) auth_type: Option<String>,
    /// Set if methods can be tried.
    pub(crate) can_try: bool,
    /// Words that the methods shown have in their names, their help, or their params and results; empty for all.
    pub(crate) filter: String,
    /// The number of the page, from 0, where there are more methods than one has.
    pub(crate) number: usize,
    /// The names of methods that this reader may not call.
    pub(crate) closed: Vec<String>,
}

/// The scheme by which callers are known, as the page's samples and forms send it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Credentials {
    /// A name and a password (RFC 7617).
    Basic,
    /// A token (RFC 6750).
    Bearer,
}

/// A source of outlines: the listed methods by name, with the schemas of a generator.
pub(crate) type Outlines<'a> = &'a dyn Fn(&mut SchemaGenerator) -> Vec<(String, Outline)>;

/// Renders the description of a service in a format.
pub(crate) fn render(format: Format, facts: &Facts, visit: &Visit, outlines: Outlines<'_>) -> String {
    let page = || {
        let mut generator = generator();
        let outlines = outlines(&mut generator);
        Page { methods: describe(outlines, generator), ..Page::new(facts, visit) }
    };
    match format {
        Format::Html => page().html(),
        Format::Json => json::render(&page()),
        Format::Markdown => text::render(&page()),
        Format::OpenRpc => {
            let mut generator = openrpc::generator();
            let methods = outlines(&mut generator);
            openrpc::text(&openrpc::document(&facts.info(), visit.url.clone(), methods, generator))
        }
    }
}

/// A description of the service for one request.
pub(crate) struct Page<'a> {
    facts: &'a Facts,
    visit: &'a Visit,
    /// Sorted by name.
    methods: Vec<Description>,
    /// The calls that need confirmation.
    pub(crate) confirmations: Confirmations,
    /// Help texts that were rendered: those of types occur in many places.
    rendered: RefCell<HashMap<String, Markup>>,
    /// The types whose members were told.
    told: RefCell<HashSet<String>>,
    /// Answers that were written, by their results: many methods answer alike.
    answers: RefCell<HashMap<String, Rc<SampleAnswer>>>,
}

impl<'a> Page<'a> {
    /// Creates a page without methods.
    pub(crate) fn new(facts: &'a Facts, visit: &'a Visit) -> Page<'a> {
        Page {
            facts,
            visit,
            methods: Vec::new(),
            confirmations: Confirmations::default(),
            rendered: RefCell::default(),
            told: RefCell::default(),
            answers: RefCell::default(),
        }
    }

    /// Asks for confirmation before these calls.
    pub(crate) fn asking(self, confirmations: Confirmations) -> Page<'a> {
        Page { confirmations, ..self }
    }

    /// Returns what callers must send, as far as it is known: by the web server, or by what the author says.
    fn credentials(&self) -> Option<Credentials> {
        let asked = self.visit.auth_type.as_deref().unwrap_or(&self.facts.docs.authentication);
        let is_asked = |scheme: &str| {
            asked.split(|other: char| !other.is_alphanumeric()).any(|word| word.eq_ignore_ascii_case(scheme))
        };
        match (is_asked("Bearer"), is_asked("Basic")) {
            (true, _) => Some(Credentials::Bearer),
            (false, true) => Some(Credentials::Basic),
            (false, false) => None,
        }
    }

    /// Writes a call as the document of a protocol: the named one, or else the first.
    fn written_call(&self, protocol: Option<&str>, name: &str, params: &[Value]) -> String {
        let named = protocol.and_then(|name| self.facts.dialect(name));
        named
            .or(self.facts.dialects.first().copied())
            .map(|dialect| samples::as_text(dialect, name, params))
            .unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn facts() -> Facts {
        Facts {
            name: "Shop".into(),
            title: "Shop".into(),
            documentation: String::new(),
            version: openrpc::UNVERSIONED.into(),
            max_body: 1 << 20,
            max_calls: 10,
            docs: Docs::new(),
            dialects: Vec::new(),
            others: Vec::new(),
        }
    }

    #[test]
    fn methods_that_a_reader_may_not_call() {
        let facts = facts();
        let method = |name: &str| Description { name: name.into(), ..Description::default() };
        let visit = Visit { can_try: true, closed: vec!["close".into()], ..Visit::default() };
        let page = Page { methods: vec![method("close"), method("open")], ..Page::new(&facts, &visit) }.html();
        let section =
            |name: &str| page.split(&format!("id=\"m-{name}\">")).nth(1).unwrap().split("</section>").next().unwrap();
        assert!(
            section("close").contains("<b>not for you</b>") && !section("close").contains("class=\"try\""),
            "{page}"
        );
        assert!(!section("open").contains("not for you") && section("open").contains("class=\"try\""), "{page}");
    }

    #[test]
    fn credentials_by_what_is_asked() {
        for (auth_type, text, expected) in [
            (None, "", None),
            (None, "None is needed.", None),
            (Some("Basic"), "", Some(Credentials::Basic)),
            (Some("basic"), "A token: Bearer", Some(Credentials::Basic)),
            (None, "`Authorization: Bearer TOKEN`", Some(Credentials::Bearer)),
            (None, "Basically none", None),
        ] {
            let facts = Facts { docs: Docs::new().authentication(text), ..facts() };
            let visit = Visit { auth_type: auth_type.map(str::to_owned), ..Visit::default() };
            assert_eq!(Page::new(&facts, &visit).credentials(), expected, "{auth_type:?} {text}");
        }
    }
}
