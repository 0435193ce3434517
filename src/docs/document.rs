//! The document: its parts in their order, and its footer.

use maud::{DOCTYPE, Markup, Render, html};

use super::contents::Contents;
use super::markdown::{self, anchor};
use super::samples::Samples;
use super::{Footer, Format, Page, assets, values};

impl Page<'_> {
    /// Renders the HTML document.
    pub(super) fn html(&self) -> String {
        let samples = Samples::new(self.visit.url.as_deref(), &self.facts.dialects, self.credentials());
        let contents = Contents::of(self);
        let before = html! { header { (self.head(&samples)) } (self.search(&contents)) (self.list(&contents)) };
        let main = Writing(|page: &mut String| self.methods(&contents, &samples, page));
        self.document(&self.facts.title, before, main)
    }

    /// Writes the sections of the methods of a page.
    fn methods(&self, contents: &Contents<'_>, samples: &Samples, page: &mut String) {
        let own = contents.own();
        let built_in = contents.built_in();
        if own.is_empty() && self.visit.filter.is_empty() && self.facts.others.is_empty() {
            no_methods().render_to(page);
        }
        for group in &own {
            *page += "<section class=\"group\">";
            html! { h2 { (group.title()) } }.render_to(page);
            group.methods.iter().for_each(|method| self.method(method, samples, page));
            *page += "</section>";
        }
        contents.pager(&self.visit.filter).render_to(page);
        if !built_in.is_empty() {
            *page += "<details class=\"group system\"";
            *page += if self.visit.filter.is_empty() { ">" } else { " open>" };
            html! { summary { h2 { "Built in" } " " span { "about the service itself" } } }.render_to(page);
            built_in.iter().for_each(|method| self.method(method, samples, page));
            *page += "</details>";
        }
        values::shared_faults().render_to(page);
        values::types().render_to(page);
    }

    /// Builds a document of these parts: what stands before the methods, and those.
    pub(super) fn document(&self, title: &str, before: Markup, main: impl Render) -> String {
        let page = html! {
            (DOCTYPE)
            html lang="en" {
                head {
                    meta charset="utf-8";
                    meta name="viewport" content="width=device-width, initial-scale=1";
                    @if self.facts.docs.noindex { meta name="robots" content="noindex"; }
                    title { (title) }
                    (assets::elements(&self.facts.docs, self.visit.can_try))
                    @for twin in Format::twins() {
                        link rel="alternate" type=(twin.media_type()) title=(twin.title())
                            href={ "?format=" (twin.name()) };
                    }
                }
                body {
                    a.skip href="#methods" { "Skip to the content" }
                    (before)
                    main id="methods" { (main) }
                    (self.footer())
                }
            }
        };
        page.into_string()
    }

    /// Renders help text, with names of methods as links to them.
    pub(super) fn help(&self, text: &str) -> Markup {
        if text.is_empty() {
            return html! {};
        }
        if markdown::is_words(text) {
            return html! { p { (text) } };
        }
        if let Some(rendered) = self.rendered.borrow().get(text) {
            return rendered.clone();
        }
        let known = |name: &str| {
            let listed = self.methods.binary_search_by(|method| method.name[..].cmp(name));
            listed.is_ok().then(|| anchor(name))
        };
        let rendered = markdown::render(text, &known);
        self.rendered.borrow_mut().insert(text.to_owned(), rendered.clone());
        rendered
    }

    fn footer(&self) -> Markup {
        html! {
            @match &self.facts.docs.footer {
                Footer::None => {},
                Footer::Program => footer { p { "Documented and served by rpcgi " (env!("CARGO_PKG_VERSION")) "." } },
                Footer::Text(text) => footer { (self.help(text)) },
            }
        }
    }
}

/// Content that is written straight into the page: a copy of its own would be large.
struct Writing<F>(F);

impl<F: Fn(&mut String)> Render for Writing<F> {
    fn render_to(&self, page: &mut String) {
        (self.0)(page);
    }
}

/// Renders what stands where a service has no methods yet.
fn no_methods() -> Markup {
    html! {
        section.group {
            h2 { "Methods" }
            p.empty { "This service has no methods of its own yet. They will stand here." }
        }
    }
}
