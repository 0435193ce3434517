//! The contents: which methods a page has, in which groups; the form that filters them; the list of their names.

use std::fmt::Write;

use maud::{Markup, html};

use super::markdown::{self, anchor};
use super::{MAX_FILTER, Page};
use crate::description::{Description, Detail, Named, Shape};

/// The most methods on a page: a service with more has several.
const PER_PAGE: usize = 1000;

/// The most methods whose sentences stand beside their names in the list.
const TELLING: usize = 60;

/// The most methods whose names are all shown at first on a telephone.
const OPEN: usize = 30;

/// The methods of a page, in their order.
pub(super) struct Contents<'a> {
    /// The methods that have the words of the filter, on all pages.
    found: Vec<&'a Description>,
    /// The number of the page, from 0.
    number: usize,
}

/// Methods whose names have the same words before the last dot.
pub(super) struct Group<'a> {
    pub(super) prefix: &'a str,
    pub(super) methods: Vec<&'a Description>,
}

impl Group<'_> {
    pub(super) fn title(&self) -> &str {
        if self.prefix.is_empty() { "Methods" } else { self.prefix }
    }
}

impl<'a> Contents<'a> {
    /// Finds the methods that have all words of the filter: own ones first, those without a prefix before the others.
    pub(super) fn of(page: &'a Page<'_>) -> Contents<'a> {
        let words: Vec<String> = page.visit.filter.split_whitespace().map(str::to_lowercase).collect();
        let has_all = |method: &&Description| {
            words.is_empty() || {
                let text = told(method);
                words.iter().all(|word| text.contains(word))
            }
        };
        let mut found: Vec<&Description> = page.methods.iter().filter(has_all).collect();
        found.sort_by_cached_key(|method| (is_built_in(method), prefix(&method.name)));
        let last = found.len().saturating_sub(1) / PER_PAGE;
        Contents { found, number: page.visit.number.min(last) }
    }

    /// Returns the methods of this page.
    fn shown(&self) -> &[&'a Description] {
        let start = self.number * PER_PAGE;
        &self.found[start..self.found.len().min(start + PER_PAGE)]
    }

    fn pages(&self) -> usize {
        self.found.len().div_ceil(PER_PAGE)
    }

    /// Returns the groups of the service's own methods.
    pub(super) fn own(&self) -> Vec<Group<'a>> {
        let mut groups: Vec<Group<'a>> = Vec::new();
        for method in self.shown().iter().copied().filter(|method| !is_built_in(method)) {
            let prefix = prefix(&method.name);
            match groups.last_mut().filter(|group| group.prefix == prefix) {
                Some(group) => group.methods.push(method),
                None => groups.push(Group { prefix, methods: vec![method] }),
            }
        }
        groups
    }

    /// Returns the methods that every service has.
    pub(super) fn built_in(&self) -> Vec<&'a Description> {
        self.shown().iter().copied().filter(|method| is_built_in(method)).collect()
    }

    /// Renders the links to the pages before and after this one.
    pub(super) fn pager(&self, filter: &str) -> Markup {
        let query = |number: usize| {
            let mut query = form_urlencoded::Serializer::new(String::new());
            if !filter.is_empty() {
                query.append_pair("q", filter);
            }
            format!("?{}", query.append_pair("page", &(number + 1).to_string()).finish())
        };
        html! {
            @if self.pages() > 1 {
                p.pages {
                    @if self.number > 0 { a rel="prev" href=(query(self.number - 1)) { "Previous" } " " }
                    "Page " (self.number + 1) " of " (self.pages()) " "
                    @if self.number + 1 < self.pages() { a rel="next" href=(query(self.number + 1)) { "Next" } }
                }
            }
        }
    }
}

/// Returns the part of a name before the last dot.
fn prefix(name: &str) -> &str {
    name.rsplit_once('.').map_or("", |(prefix, _)| prefix)
}

/// Tests whether a method is one of those about methods, for which few readers look.
pub(super) fn is_built_in(method: &Description) -> bool {
    matches!(prefix(&method.name), "system" | "rpc")
}

/// Returns what the page tells of a method, without its samples, in small letters: the text that is searched.
fn told(method: &Description) -> String {
    let mut text = format!("{}\n{}\n", method.name, method.help);
    for Detail { params, returns } in &method.details {
        params.iter().for_each(|param| told_of_named(param, &mut text));
        told_of(returns, &mut text);
    }
    for signature in &method.signatures {
        signature.names().into_iter().for_each(|name| told_word(name, &mut text));
    }
    for (code, meaning) in &method.faults {
        // writing to a String does not fail
        _ = writeln!(text, "{code} {meaning}");
    }
    text.to_lowercase()
}

fn told_of_named(Named { name, help, shape, .. }: &Named, text: &mut String) {
    told_word(name, text);
    told_word(help, text);
    told_of(shape, text);
}

fn told_of(shape: &Shape, text: &mut String) {
    told_word(&shape.type_name(), text);
    told_word(&shape.help, text);
    shape.values.iter().for_each(|value| told_word(value, text));
    shape.members.iter().for_each(|member| told_of_named(member, text));
    shape.items.as_deref().into_iter().chain(&shape.places).for_each(|inner| told_of(inner, text));
}

fn told_word(word: &str, text: &mut String) {
    *text += word;
    text.push('\n');
}

impl Page<'_> {
    /// Renders the form that filters the methods by words, and what it has found.
    pub(super) fn search(&self, contents: &Contents<'_>) -> Markup {
        let filter = &self.visit.filter;
        html! {
            form role="search" {
                a href="#contents" { "Contents" }
                label for="q" { "Only methods with" }
                // what is on other pages only the server can find
                input type="search" id="q" name="q" maxlength=(MAX_FILTER) placeholder="Filter" value=(filter)
                    data-paged[contents.pages() > 1];
                button { "Show" }
                p.found role="status" { @if !filter.is_empty() {
                    @match contents.found.len() {
                        0 => { (NOTHING_FOUND) " " }
                        found => { (found) " of " (self.methods.len()) " methods. " }
                    }
                    a href="?q=" { "Show all" }
                } }
            }
        }
    }

    /// Renders the names of the methods of a page, as links.
    pub(super) fn list(&self, contents: &Contents<'_>) -> Markup {
        let own = contents.own();
        let built_in = contents.built_in();
        let count = own.iter().map(|group| group.methods.len()).sum::<usize>();
        let is_telling = count <= TELLING;
        html! {
            nav #contents.many[!is_telling] aria-label="Methods" {
                details open[count <= OPEN] {
                    summary { (count) @if count == 1 { " method" } @else { " methods" } }
                    (contents.pager(&self.visit.filter))
                    div {
                        @for group in &own {
                            div.group {
                                p { b { (group.title()) } }
                                ul { @for method in &group.methods { (entry(method, group.prefix, is_telling)) } }
                            }
                        }
                        @if !built_in.is_empty() {
                            details.group open[!self.visit.filter.is_empty()] {
                                summary { "Built in" }
                                ul { @for method in &built_in { (entry(method, "", is_telling)) } }
                            }
                        }
                        div.group { ul {
                            li { a href="#faults" { "Faults" } }
                            li { a href="#types" { "Types" } }
                        } }
                    }
                }
            }
        }
    }
}

/// Advice to a reader who has found nothing.
const NOTHING_FOUND: &str = "No method has all of these words. A part of a word is enough.";

fn entry(method: &Description, prefix: &str, is_telling: bool) -> Markup {
    let name = if prefix.is_empty() { &method.name[..] } else { &method.name[prefix.len() + 1..] };
    html! {
        li {
            a href={ "#" (anchor(&method.name)) } { @if method.deprecated.is_some() { s { (name) } } @else { (name) } }
            @let title = if is_telling { markdown::plain(&method.title()) } else { String::new() };
            @if !title.is_empty() { " " small { (title) } }
            @if method.deprecated.is_some() { small { " deprecated" } }
        }
    }
}
