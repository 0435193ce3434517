//! A method's section of the page: its signatures, tables and samples.

use maud::{Markup, html};

use super::Page;
use super::document::Writing;
use super::example;
use super::markdown::anchor;
use super::samples::{SampleCall, Samples};
use super::try_it::{self, TRY};
use crate::description::{Constraint, Description, Detail, Named, Shape, Signature};
use crate::wire::Type;

impl Page<'_> {
    /// Renders the section of a method.
    pub(super) fn method(&self, method: &Description, samples: &Samples) -> Markup {
        let id = anchor(&method.name);
        let params = example::params(method);
        let call = SampleCall::new(&method.name, &params, &self.facts.dialects);
        html! {
            section.method id=(id) {
                h3 { a href={ "#" (id) } { (method.name) } }
                div.about { (self.about(method)) }
                div.calls {
                    (Writing(|page: &mut String| samples.write(&call, page)))
                    @if self.visit.can_try { p { a.try href={ "?" (TRY) "=" (try_it::encoded(&method.name)) } { "Try " (method.name) } } }
                }
            }
        }
    }

    /// Renders the description of a method, which stands under its name.
    pub(super) fn about(&self, method: &Description) -> Markup {
        html! {
            (signatures(method))
            @if let Some(version) = &method.since { p.note { "Since version " (version) "." } }
            @if let Some(text) = &method.deprecated { div.deprecated { p { strong { "Deprecated." } } (self.help(text)) } }
            @if method.is_unsafe { p.note { "Changes something." @if self.visit.can_try { " The page asks before it calls." } } }
            div.help { (self.help(&method.help)) }
            @for detail in &method.details {
                @if method.details.len() > 1 { h4 { (in_detail(&method.name, detail)) } }
                (self.detail(detail))
            }
            @if !method.faults.is_empty() { (self.faults(&method.faults)) }
        }
    }

    fn detail(&self, detail: &Detail) -> Markup {
        html! {
            @if !detail.params.is_empty() { (self.named("Params", &detail.params)) }
            @if !is_plain(&detail.returns) { (self.returns(&detail.returns)) }
        }
    }

    fn returns(&self, shape: &Shape) -> Markup {
        html! {
            table {
                caption { "Result" }
                thead { tr { th scope="col" { "Type" } th scope="col" { "Meaning" } } }
                tbody {
                    tr { td { (type_of(shape)) } td { (self.inside(shape)) } }
                    @let folded = self.folded(shape);
                    @if !folded.0.is_empty() { tr { td colspan="2" { (folded) } } }
                }
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

    /// Renders the details of a value: its own text, its values, its bounds.
    fn inside(&self, shape: &Shape) -> Markup {
        html! {
            (self.help(&shape.help))
            @if !shape.values.is_empty() {
                p { "One of " @for (index, value) in shape.values.iter().enumerate() {
                    @if index > 0 { ", " } code { (value) }
                } }
            }
            @if !shape.constraints.is_empty() {
                p { @for (index, constraint) in shape.constraints.iter().enumerate() {
                    @if index > 0 { ", " } (written_constraint(constraint))
                } }
            }
            @if let Some(example) = own_example(shape) { p { "For example " code { (example) } } }
            @if shape.wire == Type::Undefined && !shape.alternatives.is_empty() {
                p { "One of" }
                ul { @for shape in &shape.alternatives { li { (type_of(shape)) " " (self.inside(shape)) } } }
            }
            @if let Some(items) = &shape.items { (self.inside(items)) }
            @else { @for place in &shape.places { (self.inside(place)) } }
        }
    }

    /// Renders the members of a value, and of those inside it, folded.
    fn folded(&self, shape: &Shape) -> Markup {
        let inner = shape.items.as_deref().into_iter().chain(&shape.places);
        let told = if shape.wire == Type::Undefined { &shape.alternatives[..] } else { &[] };
        html! {
            @if !shape.members.is_empty() { (self.members(shape)) }
            @for shape in inner.chain(told) { (self.folded(shape)) }
        }
    }

    fn members(&self, shape: &Shape) -> Markup {
        let title = match &shape.name {
            Some(name) => format!("Members of {name}"),
            None => "Members".to_owned(),
        };
        html! {
            details {
                summary { (title) ": " @for (index, member) in shape.members.iter().enumerate() {
                    @if index > 0 { ", " } code { (member.name) }
                } }
                (self.named(&title, &shape.members))
            }
        }
    }

    /// Renders a table of named values.
    fn named(&self, title: &str, values: &[Named]) -> Markup {
        html! {
            table {
                caption { (title) }
                thead { tr { th scope="col" { "Name" } th scope="col" { "Type" } th scope="col" { "Meaning" } } }
                tbody {
                    @for Named { name, help, optional, shape } in values {
                        tr {
                            th scope="row" { code { (name) } }
                            td { (type_of(shape)) @if *optional { ", may be left out" } }
                            td { (self.help(help)) (self.inside(shape)) }
                        }
                        @let folded = self.folded(shape);
                        @if !folded.0.is_empty() { tr { td colspan="3" { (folded) } } }
                    }
                }
            }
        }
    }
}

/// Renders the ways to call a method.
fn signatures(method: &Description) -> Markup {
    html! {
        ul.signatures {
            @if method.signatures.is_empty() {
                li { code { (method.name) "(...)" } span.note { " takes any params" } }
            }
            @for detail in &method.details { li { (in_detail(&method.name, detail)) } }
            @if method.details.is_empty() {
                @for signature in &method.signatures { li { (by_types(&method.name, signature)) } }
            }
        }
    }
}

/// Renders a way to call a method: `math.pow(base: int, exponent?: int) → int`
fn in_detail(name: &str, detail: &Detail) -> Markup {
    html! {
        code {
            strong { (name) } "("
            @for (index, param) in detail.params.iter().enumerate() {
                @if index > 0 { ", " }
                (param.name) @if param.optional { "?" } ": " (param.shape.type_name())
            }
            ") → " (detail.returns.type_name())
        }
    }
}

/// Renders a signature: `math.pow(int, int) → int`
fn by_types(name: &str, signature: &Signature) -> Markup {
    html! {
        code {
            strong { (name) } "("
            @for (index, wire) in signature.params.iter().enumerate() { @if index > 0 { ", " } (wire.in_words()) }
            ") → " (signature.returns.in_words())
        }
    }
}

fn type_of(shape: &Shape) -> Markup {
    html! {
        code { (shape.type_name()) }
        @if shape.nullable { " or " code { "nil" } }
    }
}

fn written_constraint(constraint: &Constraint) -> Markup {
    html! {
        @match constraint {
            Constraint::Minimum(number) => { "at least " code { (number) } }
            Constraint::Maximum(number) => { "at most " code { (number) } }
            Constraint::MaxLength(count) => { "at most " (count) " characters" }
            Constraint::Pattern(pattern) => { "matching " code { (pattern) } }
            Constraint::Default(value) => { code { (value) } " if left out" }
        }
    }
}

/// Returns the example of a value, unless it has a default, which the page shows already.
fn own_example(shape: &Shape) -> Option<&serde_json::Value> {
    let has_default = shape.constraints.iter().any(|constraint| matches!(constraint, Constraint::Default(_)));
    shape.example.as_ref().filter(|_| !has_default)
}

/// Returns whether the type tells everything about the value.
fn is_plain(shape: &Shape) -> bool {
    let has_lists = !(shape.members.is_empty() && shape.values.is_empty() && shape.constraints.is_empty());
    let is_plain_inside = shape.items.iter().map(AsRef::as_ref).chain(&shape.places).all(is_plain);
    let has_text = !shape.help.is_empty() || own_example(shape).is_some();
    !shape.nullable && !has_text && !has_lists && is_plain_inside
}
