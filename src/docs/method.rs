//! A method's section of the page: its name and signatures, its help, a call and its answer, its values.

use maud::{Markup, Render, html};

use super::markdown::anchor;
use super::samples::{SampleCall, Samples};
use super::try_it::{self, TRY};
use super::{Page, example};
use crate::description::{Description, Detail, Signature};

impl Page<'_> {
    /// Writes the section of a method, straight into the page: most of it are samples, which are long.
    pub(super) fn method(&self, method: &Description, samples: &Samples, page: &mut String) {
        let id = anchor(&method.name);
        let params = example::params(method);
        let call = SampleCall::new(&method.name, &params, &self.facts.dialects);
        // an anchor has no character that would need an escape
        *page += "<section class=\"method\" id=\"";
        *page += &id;
        *page += "\">";
        html! {
            h3 { a href={ "#" (id) } { (name(method)) } (self.badges(method)) }
            (self.about(method))
        }
        .render_to(page);
        *page += "<div class=\"calls\">";
        samples.write(&call, self.answer(method).as_deref(), page);
        if self.visit.can_try && !self.is_closed(method) {
            html! { p { a.try href={ "?" (TRY) "=" (try_it::encoded(&method.name)) } { "Try it" } } }.render_to(page);
        }
        *page += "</div>";
        self.more(method).render_to(page);
        *page += "</section>";
    }

    /// Tests whether this reader may not call a method.
    pub(super) fn is_closed(&self, method: &Description) -> bool {
        self.visit.closed.contains(&method.name)
    }

    /// Renders what a reader should know before a call, in a word each.
    pub(super) fn badges(&self, method: &Description) -> Markup {
        html! {
            @if method.deprecated.is_some() { b.old { "deprecated" } }
            @if method.is_unsafe { b.risk { "changes something" } }
            @if self.is_closed(method) { b { "not for you" } }
            @if let Some(version) = &method.since { b { "since " (version) } }
        }
    }

    /// Renders what a method is for: its signatures and its help.
    pub(super) fn about(&self, method: &Description) -> Markup {
        html! {
            div.about {
                (signatures(method))
                @if let Some(text) = &method.deprecated {
                    div.warn { @if text.is_empty() { p { "Deprecated." } } @else { (self.help(text)) } }
                }
                @if self.is_closed(method) { p.note { "You may not call it." } }
                (self.help(&method.help))
            }
        }
    }

    /// Renders what goes into a method and comes out of it.
    pub(super) fn more(&self, method: &Description) -> Markup {
        let details = html! {
            @for detail in &method.details {
                @if method.details.len() > 1 { (in_detail(detail)) }
                (self.detail(detail))
            }
            @if !method.faults.is_empty() { (self.faults(&method.faults)) }
        };
        html! { @if !details.0.is_empty() { div.more { (details) } } }
    }
}

/// Renders a name; what precedes the last dot is its group.
pub(super) fn name(method: &Description) -> Markup {
    let (prefix, name) = method.name.split_at(method.name.rfind('.').map_or(0, |dot| dot + 1));
    html! { @if !prefix.is_empty() { span { (prefix) } } (name) }
}

/// Renders the ways to call a method, each as the name goes on: `(base: int, exponent?: int) → int`
fn signatures(method: &Description) -> Markup {
    html! {
        @if method.signatures.is_empty() { p.sig { code { "(…)" } " takes any params" } }
        @for detail in &method.details { (in_detail(detail)) }
        @if method.details.is_empty() { @for signature in &method.signatures { (by_types(signature)) } }
    }
}

fn in_detail(detail: &Detail) -> Markup {
    html! {
        p.sig { code {
            "("
            @for (index, param) in detail.params.iter().enumerate() {
                @if index > 0 { ", " }
                (param.name) @if param.optional { "?" } ": " i { (param.shape.type_name()) }
            }
            ") → " i { (detail.returns.type_name()) }
        } }
    }
}

/// Renders a signature of which only the types are known: `(int, int) → int`
fn by_types(signature: &Signature) -> Markup {
    html! {
        p.sig { code {
            "("
            @for (index, wire) in signature.params.iter().enumerate() {
                @if index > 0 { ", " }
                i { (wire.in_words()) }
            }
            ") → " i { (signature.returns.in_words()) }
        } }
    }
}
