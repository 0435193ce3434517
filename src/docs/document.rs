//! The document around the methods: its head, the facts about the service, contents, footer.

use maud::{DOCTYPE, Markup, Render, html};

use super::markdown::{self, anchor};
use super::samples::Samples;
use super::{Format, MAX_FILTER, Page, assets};
use crate::description::Description;
use crate::description::openrpc::UNVERSIONED;
use crate::wire::Type;
use crate::wire::fault::SHARED;

impl Page<'_> {
    /// Renders the HTML document.
    pub(super) fn html(&self) -> String {
        let samples = Samples::new(self.visit.url.as_deref(), &self.facts.dialects);
        let groups = self.groups();
        let header = html! {
            @if let Some(logo) = &self.facts.docs.logo { img.logo src=(logo.0) alt=""; }
            h1 { (self.facts.name) }
            (self.help(&self.facts.documentation))
            (self.facts())
            (self.search())
        };
        let main = Writing(|page: &mut String| {
            for group in &groups {
                self.group(group, &samples).render_to(page);
            }
            shared_faults().render_to(page);
            types().render_to(page);
        });
        self.document(&self.facts.title, header, Some(html! { @for group in &groups { (contents(group)) } }), main)
    }

    /// Builds a document of these parts.
    pub(super) fn document(&self, title: &str, header: Markup, contents: Option<Markup>, main: impl Render) -> String {
        let page = html! {
            (DOCTYPE)
            html lang="en" {
                head {
                    meta charset="utf-8";
                    meta name="viewport" content="width=device-width, initial-scale=1";
                    @if self.facts.docs.noindex { meta name="robots" content="noindex"; }
                    title { (title) }
                    (assets::elements(&self.facts.docs))
                    @for twin in twins() {
                        link rel="alternate" type=(twin.media_type()) title=(twin.title())
                            href={ "?format=" (twin.name()) };
                    }
                }
                body {
                    a.skip href="#methods" { "Skip to the content" }
                    header { (header) }
                    @if let Some(contents) = contents { nav aria-label="Methods" { (contents) } }
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

    /// Renders the facts that callers need first.
    fn facts(&self) -> Markup {
        html! {
            dl.facts {
                @if let Some(url) = &self.visit.url { dt { "Calls" } dd { code { "POST " (url) } } }
                dt { "Protocols" } dd { (self.facts.protocols(", ")) }
                @if let Some(text) = self.authentication() { dt { "Authentication" } dd { (text) } }
                @if self.facts.version != UNVERSIONED { dt { "Version" } dd { (self.facts.version) } }
                dt { "Limits" } dd { (octets(self.facts.max_body)) " in a request, " (self.facts.max_calls) " calls in one" }
                @if !self.facts.docs.contact.is_empty() { dt { "Contact" } dd { (self.help(&self.facts.docs.contact)) } }
                dt { "For programs" } dd { @for twin in twins() {
                    a href={ "?format=" (twin.name()) } { (twin.title()) } " "
                } }
            }
            @if !self.facts.others.is_empty() {
                p { "There are other methods at:" }
                ul { @for (url, name) in self.others() { li { a href=(url) { (url) } " " (name) } } }
            }
        }
    }

    /// Returns the URLs and names of the services at paths below.
    pub(super) fn others(&self) -> impl Iterator<Item = (String, &str)> {
        self.facts.others.iter().map(|other| (format!("{}{}", self.visit.base, other.path), &other.name[..]))
    }

    fn authentication(&self) -> Option<Markup> {
        match (&self.facts.docs.authentication[..], &self.visit.auth_type) {
            ("", None) => None,
            ("", Some(auth_type)) => Some(html! { "HTTP " (auth_type) ", asked for by the web server" }),
            (text, _) => Some(self.help(text)),
        }
    }

    /// Renders a form that filters the methods by words, and the number of matches.
    fn search(&self) -> Markup {
        html! {
            form role="search" {
                label for="q" { "Only methods with" }
                input type="search" id="q" name="q" maxlength=(MAX_FILTER) value=(self.visit.filter);
                button { "Show" }
                p.found role="status" { @if !self.visit.filter.is_empty() {
                    (self.shown().count()) " of " (self.methods.len()) " methods. " a href="?q=" { "Show all" }
                } }
            }
        }
    }

    /// Returns the methods that have all words of the filter.
    fn shown(&self) -> impl Iterator<Item = &Description> {
        let words: Vec<String> = self.visit.filter.split_whitespace().map(str::to_lowercase).collect();
        self.methods.iter().filter(move |method| {
            let text = format!("{}\n{}", method.name, method.help).to_lowercase();
            words.iter().all(|word| text.contains(word))
        })
    }

    /// Groups the methods by the part of their names before the last dot, those without one first.
    fn groups(&self) -> Vec<Group<'_>> {
        let mut groups: Vec<Group<'_>> = Vec::new();
        for method in self.shown() {
            let prefix = method.name.rsplit_once('.').map_or("", |(prefix, _)| prefix);
            match groups.iter_mut().find(|group| group.prefix == prefix) {
                Some(group) => group.methods.push(method),
                None => groups.push(Group { prefix, methods: vec![method] }),
            }
        }
        // readers look for the methods about methods last
        groups.sort_by_key(|group| (matches!(group.prefix, "system" | "rpc"), group.prefix));
        groups
    }

    fn group(&self, group: &Group<'_>, samples: &Samples) -> Markup {
        html! {
            section.group {
                h2 { (group.title()) }
                @for method in &group.methods { (self.method(method, samples)) }
            }
        }
    }

    fn footer(&self) -> Markup {
        html! {
            @if self.facts.docs.footer {
                footer { p.note { "Documented and served by rpcgi " (env!("CARGO_PKG_VERSION")) "." } }
            }
        }
    }
}

/// Content that is written straight into the page: a copy of its own would be large.
pub(super) struct Writing<F>(pub(super) F);

impl<F: Fn(&mut String)> Render for Writing<F> {
    fn render_to(&self, page: &mut String) {
        (self.0)(page);
    }
}

/// Methods with the same prefix.
struct Group<'a> {
    prefix: &'a str,
    methods: Vec<&'a Description>,
}

impl Group<'_> {
    fn title(&self) -> &str {
        if self.prefix.is_empty() { "Methods" } else { self.prefix }
    }
}

fn contents(group: &Group<'_>) -> Markup {
    html! {
        div.group {
            p { strong { (group.title()) } }
            ul {
                @for method in &group.methods {
                    li {
                        a href={ "#" (anchor(&method.name)) } { (method.name) }
                        @let title = markdown::plain(&method.title());
                        @if !title.is_empty() { span.note { " " (title) } }
                        @if method.deprecated.is_some() { span.note { " (deprecated)" } }
                    }
                }
            }
        }
    }
}

/// Renders the faults that every method may answer.
fn shared_faults() -> Markup {
    html! {
        section id="faults" {
            h2 { "Faults" }
            p { "Any call may be answered by one of these; each method lists its own." }
            table {
                caption { "Faults of all methods" }
                thead { tr { th scope="col" { "Code" } th scope="col" { "Meaning" } } }
                tbody { @for (_, code, meaning) in SHARED { tr { th scope="row" { (code) } td { (meaning) } } } }
            }
        }
    }
}

/// Renders the types of either protocol.
fn types() -> Markup {
    html! {
        section id="types" {
            h2 { "Types" }
            p { "Types have their XML-RPC names. In JSON-RPC, params may also be passed by name." }
            table {
                caption { "Types in XML-RPC and in JSON" }
                thead { tr { th scope="col" { "XML-RPC" } th scope="col" { "JSON" } th scope="col" { "Meaning" } } }
                tbody { @for (name, json, meaning) in Type::table() { tr { th scope="row" { (name) } td { (json) } td { (meaning) } } } }
            }
        }
    }
}

/// Returns the other formats of the page.
fn twins() -> impl Iterator<Item = Format> {
    Format::ALL.into_iter().filter(|format| *format != Format::Html)
}

/// Writes a number of octets in words.
fn octets(count: usize) -> String {
    let units = [(1 << 30, "GiB"), (1 << 20, "MiB"), (1 << 10, "KiB")];
    match units.into_iter().find(|(unit, _)| count >= *unit && count.is_multiple_of(*unit)) {
        Some((unit, name)) => format!("{} {name}", count / unit),
        None => format!("{count} octets"),
    }
}
