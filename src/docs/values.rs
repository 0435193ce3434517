//! Values as definition lists: params, results, and members inside of them; and what holds for all methods, their
//! faults and types.

use maud::{Markup, html};

use super::Page;
use crate::description::{Constraint, Detail, Named, Shape};
use crate::wire::Type;
use crate::wire::fault::SHARED;

/// The most members that are shown unasked.
const OPEN_MEMBERS: usize = 8;

impl Page<'_> {
    /// Renders params and result of one way to call a method.
    pub(super) fn detail(&self, detail: &Detail) -> Markup {
        html! {
            @if !detail.params.is_empty() {
                (self.heading("Params"))
                (self.list_of(&detail.params, 0))
            }
            @if !is_plain(&detail.returns) {
                (self.heading("Result"))
                dl { div {
                    dt { (type_of(&detail.returns)) }
                    (self.meaning("", &detail.returns, 0))
                } }
            }
        }
    }

    /// Renders a heading inside of a method, or, where the document has this method alone, of the document.
    fn heading(&self, text: &str) -> Markup {
        html! { @if self.methods.is_empty() { h2 { (text) } } @else { h4 { (text) } } }
    }

    pub(super) fn faults(&self, faults: &[(i32, String)]) -> Markup {
        html! {
            (self.heading("Faults"))
            dl { @for (code, text) in faults { div { dt { code { (code) } } dd { (self.help(text)) } } } }
        }
    }

    /// Renders values that have names, in which others may be: as deep as `depth` says.
    fn list_of(&self, values: &[Named], depth: usize) -> Markup {
        html! {
            dl { @for Named { name, help, optional, shape } in values {
                div {
                    dt {
                        code { (name) } " " (type_of(shape))
                        @if *optional { " " em { "optional" } }
                    }
                    (self.meaning(help, shape, depth))
                }
            } }
        }
    }

    /// Renders what a value means, its help, the values it may have, its bounds, an example; and what is inside of it.
    fn meaning(&self, help: &str, shape: &Shape, depth: usize) -> Markup {
        let told = self.told_inside(shape);
        let inside = self.inside(shape, depth);
        html! {
            // the list wants one at least
            @if !help.is_empty() || !told.0.is_empty() || inside.0.is_empty() { dd { (self.help(help)) (told) } }
            (inside)
        }
    }

    fn told_inside(&self, shape: &Shape) -> Markup {
        html! {
            (self.help(&shape.help))
            @if !shape.values.is_empty() { p.set { @for value in &shape.values { code { (value) } " " } } }
            @if !shape.constraints.is_empty() {
                p.note { @for (index, constraint) in shape.constraints.iter().enumerate() {
                    @if index > 0 { ", " } (written_constraint(constraint))
                } }
            }
            @if let Some(example) = own_example(shape) { p.note { "for example " code { (example) } } }
            @if let Some(items) = &shape.items { (self.told_inside(items)) }
            @else { @for place in &shape.places { (self.told_inside(place)) } }
        }
    }

    /// Renders the members of a value and of the values inside it, and the alternatives of one that may be several.
    fn inside(&self, shape: &Shape, depth: usize) -> Markup {
        let inner = shape.items.as_deref().into_iter().chain(&shape.places);
        html! {
            @if shape.wire == Type::Undefined && !shape.alternatives.is_empty() {
                dd { (self.alternatives(&shape.alternatives, depth)) }
            } @else if !shape.members.is_empty() {
                dd { (self.members(shape, depth)) }
            }
            @for shape in inner { (self.inside(shape, depth)) }
        }
    }

    fn alternatives(&self, shapes: &[Shape], depth: usize) -> Markup {
        html! {
            details open[depth == 0] {
                summary { "One of" }
                dl { @for shape in shapes { div {
                    dt { (type_of(shape)) }
                    (self.meaning("", shape, depth + 1))
                } } }
            }
        }
    }

    /// Renders members as a tree: open where they are few and not told before, else their names.
    fn members(&self, shape: &Shape, depth: usize) -> Markup {
        let is_new = shape.name.as_ref().is_none_or(|name| self.told.borrow_mut().insert(name.clone()));
        let is_open = is_new && depth == 0 && shape.members.len() <= OPEN_MEMBERS;
        html! {
            details open[is_open] {
                summary {
                    "Members"
                    @if !is_open { i { @for (index, member) in shape.members.iter().enumerate() {
                        @if index > 0 { ", " } (member.name)
                    } } }
                }
                (self.list_of(&shape.members, depth + 1))
            }
        }
    }
}

/// Renders the faults that every method may answer.
pub(super) fn shared_faults() -> Markup {
    html! {
        section.group id="faults" {
            h2 { "Faults" }
            p { "The answers to calls that fail; a method’s own stand with it." }
            dl { @for (_, code, meaning) in SHARED { div { dt { code { (code) } } dd { (meaning) } } } }
        }
    }
}

/// Renders the types of either protocol.
pub(super) fn types() -> Markup {
    html! {
        section.group id="types" {
            h2 { "Types" }
            p { "Types have their XML-RPC names. In JSON-RPC, params may also be passed by name." }
            dl { @for (name, json, meaning) in Type::table() {
                div { dt { code { (name) } " " span { (json) } } dd { (meaning) } }
            } }
        }
    }
}

pub(super) fn type_of(shape: &Shape) -> Markup {
    html! { span { (shape.type_name()) @if shape.nullable { " or nil" } } }
}

fn written_constraint(constraint: &Constraint) -> Markup {
    html! {
        @match constraint {
            Constraint::Minimum(number) => { "at least " (number) }
            Constraint::Maximum(number) => { "at most " (number) }
            Constraint::MaxLength(count) => { "at most " (count) " characters" }
            Constraint::Pattern(pattern) => { "matching " code { (pattern) } }
            Constraint::Default(value) => { code { (value) } " if left out" }
        }
    }
}

/// Returns the example of a value that no sample shows: one inside of what is shown by another.
fn own_example(shape: &Shape) -> Option<&serde_json::Value> {
    let has_default = shape.constraints.iter().any(|constraint| matches!(constraint, Constraint::Default(_)));
    shape.example.as_ref().filter(|_| !has_default)
}

/// Returns whether the type tells everything about the value.
fn is_plain(shape: &Shape) -> bool {
    let has_lists = !(shape.members.is_empty() && shape.values.is_empty() && shape.constraints.is_empty());
    let is_plain_inside = shape.items.iter().map(AsRef::as_ref).chain(&shape.places).all(is_plain);
    let has_text = !shape.help.is_empty() || own_example(shape).is_some() || !shape.alternatives.is_empty();
    !shape.nullable && !has_text && !has_lists && is_plain_inside
}
