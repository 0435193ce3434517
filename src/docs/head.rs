//! The head of the page: the name, the facts that callers need first, one call and its answer.

use std::rc::Rc;

use maud::{Markup, PreEscaped, html};

use super::contents::is_built_in;
use super::samples::{SampleAnswer, SampleCall, Samples};
use super::{Format, Page, example};
use crate::description::Description;
use crate::description::openrpc::UNVERSIONED;

/// The method that every service has unless its author takes it away, and that needs no params.
const LIST_METHODS: &str = "system.listMethods";

impl Page<'_> {
    pub(super) fn head(&self, samples: &Samples) -> Markup {
        html! {
            div.about {
                (self.facts.docs.picture(&self.facts.name))
                h1 { (self.facts.name) }
                (self.help(&self.facts.documentation))
                (self.facts())
                (self.other_services())
            }
            div.calls {
                @if let Some(url) = &self.visit.url { p.url { b { "POST" } " " code { (url) } } }
                @if let Some(method) = self.first_call() { (self.call_and_answer(method, samples)) }
            }
        }
    }

    /// Finds a method that any reader can call as it is printed, and change nothing by it.
    fn first_call(&self) -> Option<&Description> {
        let needs_nothing = |method: &&Description| {
            let own = !is_built_in(method) && !method.is_unsafe && method.deprecated.is_none();
            let ways = example::ways(method);
            let way = ways.iter().any(|way| way.params.iter().all(|param| param.optional));
            own && way && !self.is_closed(method)
        };
        let list = || self.methods.iter().find(|method| method.name == LIST_METHODS);
        self.methods.iter().find(needs_nothing).or_else(list)
    }

    fn call_and_answer(&self, method: &Description, samples: &Samples) -> Markup {
        let call = SampleCall::new(&method.name, &[], &self.facts.dialects);
        let answer = self.answer(method);
        let mut written = String::new();
        samples.write_first(&call, answer.as_deref(), &mut written);
        html! { (PreEscaped(written)) }
    }

    /// Returns what a method may answer, if that is known.
    pub(super) fn answer(&self, method: &Description) -> Option<Rc<SampleAnswer>> {
        let names = || self.methods.iter().map(|method| method.name.clone().into()).take(LISTED).collect();
        let result = match &method.name[..] {
            LIST_METHODS => Some(crate::wire::value::Value::Array(names())),
            _ => example::result(method),
        };
        let result = result?;
        // dates and octets are those of their types only here
        let key = format!("{result:?}");
        let new = || Rc::new(SampleAnswer::new(&result, &self.facts.dialects));
        Some(Rc::clone(self.answers.borrow_mut().entry(key).or_insert_with(new)))
    }

    /// Renders the facts that callers need first.
    fn facts(&self) -> Markup {
        let docs = &self.facts.docs;
        let limits =
            || html! { (octets(self.facts.max_body)) " in a request, " (self.facts.max_calls) " calls in one" };
        html! {
            dl.facts {
                @if let Some(text) = self.authentication() { (fact("Authentication", &text)) }
                @if self.facts.version != UNVERSIONED { (fact("Version", &html! { (self.facts.version) })) }
                (fact("Protocols", &html! { (self.facts.protocols(", ")) }))
                (fact("Limits", &limits()))
                @if !docs.contact.is_empty() { (fact("Contact", &self.help(&docs.contact))) }
                (fact("For programs", &html! { @for twin in Format::twins() {
                    a href={ "?format=" (twin.name()) } { (twin.title()) } " "
                } }))
            }
        }
    }

    fn authentication(&self) -> Option<Markup> {
        match (&self.facts.docs.authentication[..], &self.visit.auth_type) {
            ("", None) => None,
            ("", Some(auth_type)) => Some(html! { "HTTP " (auth_type) ", asked for by the web server" }),
            (text, _) => Some(self.help(text)),
        }
    }

    /// Renders the services at paths below.
    fn other_services(&self) -> Markup {
        html! {
            @if !self.facts.others.is_empty() {
                h2 { "More services" }
                dl.others { @for (url, name) in self.others() {
                    div { dt { a href=(url) { (name) } } dd { code { (url) } } }
                } }
            }
        }
    }

    /// Returns the URLs and names of the services at paths below.
    pub(super) fn others(&self) -> impl Iterator<Item = (String, &str)> {
        self.facts.others.iter().map(|other| (format!("{}{}", self.visit.base, other.path), &other.name[..]))
    }
}

/// The most names in the example of what `system.listMethods` answers.
const LISTED: usize = 8;

fn fact(name: &str, text: &Markup) -> Markup {
    html! { div { dt { (name) } dd { (text) } } }
}

/// Writes a number of octets in words.
fn octets(count: usize) -> String {
    let units = [(1 << 30, "GiB"), (1 << 20, "MiB"), (1 << 10, "KiB")];
    match units.into_iter().find(|(unit, _)| count >= *unit && count.is_multiple_of(*unit)) {
        Some((unit, name)) => format!("{} {name}", count / unit),
        None => format!("{count} octets"),
    }
}
