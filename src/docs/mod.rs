//! The documentation page: descriptions in, one HTML document out; and its twins, the same as JSON and as Markdown.
//!
//! It loads nothing from anywhere, has no scripts, and its style is inline under a policy that allows just that style.

mod format;
mod json;
mod markdown;
mod text;

use std::sync::LazyLock;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use http::header::HeaderValue;
use maud::{DOCTYPE, Markup, PreEscaped, html};
use sha2::{Digest, Sha256};

pub(crate) use self::format::Format;
use self::markdown::{anchor, code};
use crate::fault::SHARED;
use crate::limits::Limits;
use crate::signature::{Constraint, Description, Detail, Member, Param, Shape, Signature, Type};

/// The most characters of a filter: more than anybody types.
pub(crate) const LONGEST_FILTER: usize = 200;

/// The version of a service that has none.
pub(crate) const UNVERSIONED: &str = "0.0.0";

const STYLE: &str = include_str!("style.css");

/// What the page says of the server, and of its methods.
pub(crate) struct Page<'a> {
    pub(crate) title: &'a str,
    pub(crate) name: &'a str,
    /// Markdown.
    pub(crate) documentation: &'a str,
    /// Of the service.
    pub(crate) version: &'a str,
    pub(crate) limits: &'a Limits,
    /// Where the methods are called, if it is known.
    pub(crate) url: Option<String>,
    /// Others, served at paths below.
    pub(crate) places: Vec<Place>,
    /// Sorted by name.
    pub(crate) methods: Vec<Description>,
    /// Words that the methods shown have in their names or help; empty for all.
    pub(crate) filter: &'a str,
}

/// Another service.
pub(crate) struct Place {
    pub(crate) url: String,
    pub(crate) name: String,
}

/// The `Content-Security-Policy` for the page: its own style and nothing else.
pub(crate) fn content_security_policy() -> HeaderValue {
    static POLICY: LazyLock<HeaderValue> = LazyLock::new(|| {
        let hash = STANDARD.encode(Sha256::digest(STYLE));
        let policy = format!(
            "default-src 'none'; style-src 'sha256-{hash}'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'"
        );
        HeaderValue::try_from(policy).unwrap_or(HeaderValue::from_static("default-src 'none'"))
    });

    POLICY.clone()
}

impl Page<'_> {
    /// The page in a format. There is none of OpenRPC here, which is made of schemas.
    pub(crate) fn render(&self, format: Format) -> Option<String> {
        match format {
            Format::Html => Some(self.html()),
            Format::Json => Some(json::render(self)),
            Format::Markdown => Some(text::render(self)),
            Format::OpenRpc => None,
        }
    }

    /// The HTML document.
    fn html(&self) -> String {
        let page = html! {
            (DOCTYPE)
            html lang="en" {
                head {
                    meta charset="utf-8";
                    meta name="viewport" content="width=device-width, initial-scale=1";
                    title { (self.title) }
                    style { (PreEscaped(STYLE)) }
                    @for twin in twins() {
                        link rel="alternate" type=(twin.media_type()) title=(twin.title())
                            href=(format!("?format={}", twin.name()));
                    }
                }
                body {
                    a.skip href="#methods" { "Skip to the methods" }
                    header {
                        h1 { (self.name) }
                        (self.help(self.documentation))
                        (self.endpoint())
                        (self.search())
                    }
                    nav aria-label="Methods" { @for group in self.groups() { (contents(&group)) } }
                    main id="methods" {
                        @for group in self.groups() { (self.group(&group)) }
                        (shared_faults())
                    }
                }
            }
        };
        page.into_string()
    }

    fn help(&self, text: &str) -> Markup {
        let known = |name: &str| {
            let listed = self.methods.binary_search_by(|method| method.name[..].cmp(name));
            listed.is_ok().then(|| anchor(name))
        };
        markdown::render(text, &known)
    }

    fn endpoint(&self) -> Markup {
        let Limits { body, calls, .. } = self.limits;
        html! {
            dl.facts {
                @if let Some(url) = &self.url { dt { "Calls" } dd { code { "POST " (url) } } }
                dt { "Protocols" } dd { "XML-RPC, JSON-RPC 2.0" }
                @if self.version != UNVERSIONED { dt { "Version" } dd { (self.version) } }
                dt { "Limits" } dd { (octets(*body)) " in a request, " (calls) " calls in one" }
                dt { "For programs" } dd { @for twin in twins() {
                    a href=(format!("?format={}", twin.name())) { (twin.title()) } " "
                } }
            }
            @if !self.places.is_empty() {
                p { "There are other methods at:" }
                ul { @for Place { url, name } in &self.places { li { a href=(url) { (url) } " " (name) } } }
            }
        }
    }

    /// A form that leaves the methods that have some words, and how many those are.
    fn search(&self) -> Markup {
        html! {
            form role="search" {
                label { "Only methods with " input type="search" name="q" maxlength=(LONGEST_FILTER) value=(self.filter); }
                " " button { "Show" }
                @if !self.filter.is_empty() {
                    p { (self.shown().count()) " of " (self.methods.len()) " methods. " a href="?q=" { "Show all" } }
                }
            }
        }
    }

    /// The methods that have all words of the filter.
    fn shown(&self) -> impl Iterator<Item = &Description> {
        let words: Vec<String> = self.filter.split_whitespace().map(str::to_lowercase).collect();
        self.methods.iter().filter(move |method| {
            let text = format!("{}\n{}", method.name, method.help).to_lowercase();
            words.iter().all(|word| text.contains(word))
        })
    }

    /// The methods by what their names have before the last dot, those without one first.
    fn groups(&self) -> Vec<Group<'_>> {
        let mut groups: Vec<Group<'_>> = Vec::new();
        for method in self.shown() {
            let prefix = method.name.rsplit_once('.').map_or("", |(prefix, _)| prefix);
            match groups.iter_mut().find(|group| group.prefix == prefix) {
                Some(group) => group.methods.push(method),
                None => groups.push(Group { prefix, methods: vec![method] }),
            }
        }
        // those about methods are looked for last
        groups.sort_by_key(|group| (matches!(group.prefix, "system" | "rpc"), group.prefix));
        groups
    }

    fn group(&self, group: &Group<'_>) -> Markup {
        html! {
            section {
                h2 { @if group.prefix.is_empty() { "Methods" } @else { (group.prefix) } }
                @for method in &group.methods { (self.method(method)) }
            }
        }
    }

    fn method(&self, method: &Description) -> Markup {
        let id = anchor(&method.name);
        html! {
            section id=(id) {
                h3 { (method.name) " " a href=(format!("#{id}")) aria-label=(format!("Link to {}", method.name)) { "#" } }
                (signatures(method))
                @if let Some(text) = &method.deprecated { p { strong { "Deprecated." } } (self.help(text)) }
                (self.help(&method.help))
                @for detail in &method.details { (self.detail(detail)) }
                @if !method.faults.is_empty() { (self.faults(&method.faults)) }
            }
        }
    }

    fn detail(&self, detail: &Detail) -> Markup {
        html! {
            @if !detail.params.is_empty() { (self.params(&detail.params)) }
            @if !is_plain(&detail.returns) { (self.returns(&detail.returns)) }
        }
    }

    fn params(&self, params: &[Param]) -> Markup {
        html! {
            table {
                caption { "Params" }
                thead { tr { th scope="col" { "Name" } th scope="col" { "Type" } th scope="col" { "Meaning" } } }
                tbody {
                    @for param in params {
                        tr {
                            th scope="row" { (code(&param.name)) }
                            td { (type_of(&param.shape)) (left_out(param.optional)) }
                            td { (self.help(&param.help)) (self.inside(&param.shape)) }
                        }
                    }
                }
            }
        }
    }

    fn returns(&self, shape: &Shape) -> Markup {
        html! {
            table {
                caption { "Result" }
                thead { tr { th scope="col" { "Type" } th scope="col" { "Meaning" } } }
                tbody { tr { td { (type_of(shape)) } td { (self.inside(shape)) } } }
            }
        }
    }

    fn faults(&self, faults: &[(i32, String)]) -> Markup {
        html! {
            table {
                caption { "Faults" }
                thead { tr { th scope="col" { "Code" } th scope="col" { "Meaning" } } }
                tbody {
                    @for (code, text) in faults {
                        tr { th scope="row" { (code) } td { (self.help(text)) } }
                    }
                }
            }
        }
    }

    /// What there is to tell about the inside of a value: its own text, its values, its members.
    fn inside(&self, shape: &Shape) -> Markup {
        html! {
            (self.help(&shape.help))
            @if !shape.values.is_empty() {
                p { "One of " @for (index, value) in shape.values.iter().enumerate() {
                    @if index > 0 { ", " } (code(value))
                } }
            }
            @if !shape.constraints.is_empty() {
                p { @for (index, constraint) in shape.constraints.iter().enumerate() {
                    @if index > 0 { ", " } (written_constraint(constraint))
                } }
            }
            @if !shape.members.is_empty() { (self.members(&shape.members)) }
            @if let Some(items) = &shape.items { (self.inside(items)) }
        }
    }

    fn members(&self, members: &[Member]) -> Markup {
        html! {
            details {
                summary { "Members: " @for (index, member) in members.iter().enumerate() {
                    @if index > 0 { ", " } (code(&member.name))
                } }
                table {
                    thead { tr { th scope="col" { "Name" } th scope="col" { "Type" } th scope="col" { "Meaning" } } }
                    tbody {
                        @for member in members {
                            tr {
                                th scope="row" { (code(&member.name)) }
                                td { (type_of(&member.shape)) (left_out(member.optional)) }
                                td { (self.help(&member.help)) (self.inside(&member.shape)) }
                            }
                        }
                    }
                }
            }
        }
    }
}

/// Methods with the same prefix.
struct Group<'a> {
    prefix: &'a str,
    methods: Vec<&'a Description>,
}

fn contents(group: &Group<'_>) -> Markup {
    html! {
        @if !group.prefix.is_empty() { p { strong { (group.prefix) } } }
        ul {
            @for method in &group.methods {
                li {
                    a href=(format!("#{}", anchor(&method.name))) { (method.name) }
                    @let title = markdown::plain(&method.title());
                    @if !title.is_empty() { span.note { " " (title) } }
                    @if method.deprecated.is_some() { span.note { " (deprecated)" } }
                }
            }
        }
    }
}

/// The ways to call a method.
fn signatures(method: &Description) -> Markup {
    html! {
        ul.signatures {
            @if method.signatures.is_empty() {
                li { code { (method.name) "(...)" } span.note { " takes whatever it is given" } }
            }
            @for detail in &method.details { li { (in_detail(&method.name, detail)) } }
            @if method.details.is_empty() {
                @for signature in &method.signatures { li { (by_types(&method.name, signature)) } }
            }
        }
    }
}

/// `math.pow(base: int, exponent?: int) → int`
fn in_detail(name: &str, detail: &Detail) -> Markup {
    html! {
        code {
            strong { (name) } "("
            @for (index, param) in detail.params.iter().enumerate() {
                @if index > 0 { ", " }
                (param.name) @if param.optional { "?" } ": " (type_name(&param.shape))
            }
            ") → " (type_name(&detail.returns))
        }
    }
}

/// `math.pow(int, int) → int`
fn by_types(name: &str, signature: &Signature) -> Markup {
    html! {
        code {
            strong { (name) } "("
            @for (index, wire) in signature.params.iter().enumerate() { @if index > 0 { ", " } (wire.name()) }
            ") → " (signature.returns.name())
        }
    }
}

/// `array of struct`
fn type_name(shape: &Shape) -> String {
    match shape.items.as_deref() {
        Some(items) if items.wire != Type::Undefined => format!("{} of {}", shape.wire, type_name(items)),
        _ => shape.wire.to_string(),
    }
}

/// The faults that every method may answer.
fn shared_faults() -> Markup {
    html! {
        section id="faults" {
            h2 { "Faults" }
            p { "Any call may be answered by one of these; a method's own are told with it." }
            table {
                caption { "Faults of all methods" }
                thead { tr { th scope="col" { "Code" } th scope="col" { "Meaning" } } }
                tbody { @for (_, code, meaning) in SHARED { tr { th scope="row" { (code) } td { (meaning) } } } }
            }
        }
    }
}

/// The page in other formats.
fn twins() -> impl Iterator<Item = Format> {
    Format::ALL.into_iter().filter(|format| *format != Format::Html)
}

/// A number of octets, in words.
fn octets(count: usize) -> String {
    let units = [(1 << 30, "GiB"), (1 << 20, "MiB"), (1 << 10, "KiB")];
    match units.into_iter().find(|(unit, _)| count >= *unit && count.is_multiple_of(*unit)) {
        Some((unit, name)) => format!("{} {name}", count / unit),
        None => format!("{count} octets"),
    }
}

fn type_of(shape: &Shape) -> Markup {
    html! {
        (code(type_name(shape)))
        @if shape.nullable { " or " (code("nil")) }
    }
}

fn written_constraint(constraint: &Constraint) -> Markup {
    html! {
        @match constraint {
            Constraint::Minimum(number) => { "at least " (code(number)) }
            Constraint::Maximum(number) => { "at most " (code(number)) }
            Constraint::MaxLength(count) => { "at most " (count) " characters" }
            Constraint::Pattern(pattern) => { "matching " (code(pattern)) }
            Constraint::Default(value) => { (code(value)) " if left out" }
        }
    }
}

fn left_out(optional: bool) -> Markup {
    html! { @if optional { ", may be left out" } }
}

/// Whether the type says all there is to say.
fn is_plain(shape: &Shape) -> bool {
    let Shape { wire: _, nullable, help, items, members, values, constraints } = shape;
    let has_lists = !(members.is_empty() && values.is_empty() && constraints.is_empty());
    !nullable && help.is_empty() && !has_lists && items.is_none()
}
