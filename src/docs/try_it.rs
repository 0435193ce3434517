//! The page on which a method is tried: its form, and the outcome of the call.

use std::time::Duration;

use http::StatusCode;
use maud::{Markup, html};

use super::form::{self, Fields};
use super::markdown::anchor;
use super::{Page, example};
use crate::description::{Description, Detail};
use crate::wire::value::Value;

/// The query key that opens this page: `try=wheel.spin`.
pub(crate) const TRY: &str = "try";

/// The most octets shown of a document.
const MAX_SHOWN: usize = 256 << 10;

/// The state of an attempt: the form as it was sent, and the outcome.
#[derive(Default)]
pub(crate) struct Attempt {
    /// The fields as entered; `None` at first.
    pub(crate) fields: Option<Fields>,
    /// The reason why nothing was called.
    pub(crate) complaint: Option<String>,
    pub(crate) outcome: Option<CallMade>,
}

/// A call that was made, and its answer.
pub(crate) struct CallMade {
    pub(crate) request: String,
    pub(crate) response: String,
    pub(crate) status: StatusCode,
    pub(crate) took: Duration,
    /// The result as JSON, or the fault's code and text; `None` if there was nothing to answer.
    pub(crate) outcome: Option<Result<String, (i32, String)>>,
}

/// The calls that the page asks about first, because they may change something that the owner wants to keep.
#[derive(Clone, Copy, Default)]
pub(crate) struct Confirmations {
    /// Set for a call of the method.
    pub(crate) call: bool,
    /// Set for a document written by hand.
    pub(crate) document: bool,
}

impl Confirmations {
    /// Returns whether the entered call needs a confirmation that is missing.
    pub(crate) fn are_missing(self, fields: &Fields) -> bool {
        let asks = if fields.way().is_some() { self.call } else { self.document };
        asks && fields.get("confirm").is_none()
    }
}

impl Fields {
    /// Does the work of a button of the form, except that of the call; returns whether one was pressed.
    pub(crate) fn press(&mut self, method: &Description) -> bool {
        let ways = example::ways(method);
        self.way().and_then(|way| ways.get(way)).is_some_and(|detail| self.resize(detail))
    }

    pub(crate) fn token(&self) -> &str {
        self.get("token").unwrap_or_default()
    }
}

impl Page<'_> {
    /// Returns the document that was entered, or builds it from the params that were.
    ///
    /// # Errors
    /// A message that says what was expected where, and what was found.
    pub(crate) fn entered(&self, method: &Description, fields: &Fields) -> Result<String, String> {
        let ways = example::ways(method);
        let Some(way) = fields.way() else {
            return Ok(fields.get("document").unwrap_or_default().to_owned());
        };
        let detail = ways.get(way).ok_or("expected one of the ways to call the method")?;
        let params = form::params(detail, fields)?;
        Ok(self.written_call(fields.get("protocol"), &method.name, &params))
    }

    /// Renders the document on which a method is tried; the token proves that a form comes from it.
    pub(crate) fn attempt(&self, method: &Description, attempt: &Attempt, token: &str) -> String {
        let home = format!("?q=#{}", anchor(&method.name));
        let header = html! {
            p { a href=(home) { (self.facts.name) } }
            h1 { "Try " (method.name) }
        };
        let main = html! {
            div.about { (self.about(method)) }
            section.trial {
                h2 { "Call" }
                (self.forms(method, attempt, token))
                @if let Some(complaint) = &attempt.complaint { p.complaint role="alert" tabindex="-1" id=(outcome_id(method)) { (complaint) } }
                @if let Some(outcome) = &attempt.outcome { (outcome.render(&outcome_id(method))) }
            }
        };
        self.document(&format!("Try {}", method.name), header, None, main)
    }

    /// Renders the document that says that there is no such method.
    pub(crate) fn no_method(&self, message: &str) -> String {
        let header = html! { p { a href="?q=" { (self.facts.name) } } h1 { "Nothing to try" } };
        self.document("Nothing to try", header, None, html! { p { (message) } })
    }

    /// Renders a form for each way to call the method, and one for a whole document.
    fn forms(&self, method: &Description, attempt: &Attempt, token: &str) -> Markup {
        let ways = example::ways(method);
        // one of a group is open; on a page with several methods, one of each
        let group = format!("way-{}", anchor(&method.name));
        let entered = attempt.fields.as_ref();
        let chosen = entered.map_or_else(|| ways.first().map(|_| 0), Fields::way);
        html! {
            @for (index, detail) in ways.iter().enumerate() {
                details name=(group) open[chosen == Some(index)] {
                    summary { @if ways.len() > 1 { (way_title(detail)) } @else { "Fields" } }
                    @let fields = entered.filter(|_| chosen == Some(index)).cloned();
                    @let fields = fields.unwrap_or_else(|| Fields::of(detail, &example(method, index, detail)));
                    (self.fields_form(method, detail, index, &fields, token))
                }
            }
            details name=(group) open[chosen.is_none()] {
                summary { "Raw" }
                (self.raw_form(method, entered.filter(|_| chosen.is_none()), token))
            }
        }
    }

    fn fields_form(&self, method: &Description, detail: &Detail, way: usize, fields: &Fields, token: &str) -> Markup {
        let chosen = fields.get("protocol").or(self.facts.dialects.first().map(|dialect| dialect.name));
        let contents = html! {
            // the button that Enter presses
            button hidden {}
            input type="hidden" name="way" value=(way);
            @if detail.params.is_empty() { p.note { "It takes no params." } }
            (form::fields(detail, fields))
            fieldset.protocol {
                legend { "Protocol" }
                @for dialect in &self.facts.dialects {
                    label {
                        input type="radio" name="protocol" value=(dialect.name) checked[chosen == Some(dialect.name)];
                        " " (dialect.title)
                    }
                }
            }
        };
        self.form(method, token, contents, self.confirmations.call)
    }

    fn raw_form(&self, method: &Description, entered: Option<&Fields>, token: &str) -> Markup {
        let fields = entered.cloned().unwrap_or_default();
        let document = match fields.get("document") {
            Some(document) => document.to_owned(),
            None => self.written_call(None, &method.name, &example::params(method)),
        };
        let contents = html! {
            label.field { span { "A document of " (self.facts.protocols(" or ")) } textarea name="document" rows="8" spellcheck="false" {
                // browsers drop a first line break
                "\n" (document)
            } }
        };
        self.form(method, token, contents, self.confirmations.document)
    }

    /// Renders a form around these fields, which asks for confirmation if `asks` is set.
    fn form(&self, method: &Description, token: &str, contents: Markup, asks: bool) -> Markup {
        html! {
            form method="post" action={ "?" (TRY) "=" (encoded(&method.name)) "#" (outcome_id(method)) } {
                input type="hidden" name="token" value=(token);
                (contents)
                @if asks {
                    p { label { input type="checkbox" name="confirm" value="1"; " This may change something. Call it anyway." } }
                }
                p { button.go { "Call " (method.name) } }
            }
        }
    }
}

impl CallMade {
    fn render(&self, id: &str) -> Markup {
        html! {
            div.outcome role="status" tabindex="-1" id=(id) {
                @match &self.outcome {
                    Some(Ok(result)) => {
                        p { strong { (self.status.to_string()) } " after " (milliseconds(self.took)) ", a result:" }
                        pre tabindex="0" { code { (shortened(result)) } }
                    },
                    Some(Err((code, text))) => {
                        p { strong { (self.status.to_string()) } " after " (milliseconds(self.took)) ", a fault:" }
                        p.fault { strong { (code) } " " (text) }
                    },
                    None => p { strong { (self.status.to_string()) } " after " (milliseconds(self.took)) },
                }
                div.documents {
                    div { h3 { "Request" } pre tabindex="0" { code { (shortened(&self.request)) } } }
                    div { h3 { "Response" } pre tabindex="0" { code { (shortened(&self.response)) } } }
                }
            }
        }
    }
}

/// Returns the params that a form shows at first.
fn example(method: &Description, way: usize, detail: &Detail) -> Vec<Value> {
    if way == 0 { example::params(method) } else { example::params_of(detail) }
}

/// Returns the id of a call's outcome on the page.
fn outcome_id(method: &Description) -> String {
    format!("outcome-{}", anchor(&method.name))
}

fn way_title(detail: &Detail) -> String {
    let names = detail.params.iter().map(|param| format!("{}: {}", param.name, param.shape.type_name()));
    let names: Vec<String> = names.collect();
    format!("With {}", if names.is_empty() { "nothing".to_owned() } else { names.join(", ") })
}

fn milliseconds(took: Duration) -> String {
    format!("{:.1} ms", took.as_secs_f64() * 1000.0)
}

/// Renders the start of a document, up to the length that is shown.
fn shortened(text: &str) -> Markup {
    let end = (0..=MAX_SHOWN.min(text.len())).rev().find(|end| text.is_char_boundary(*end)).unwrap_or_default();
    html! {
        (text[..end])
        @if end < text.len() { "\n... " (text.len()) " octets in all" }
    }
}

/// Encodes a value for a query.
pub(super) fn encoded(text: &str) -> String {
    form_urlencoded::byte_serialize(text.as_bytes()).collect()
}
