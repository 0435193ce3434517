//! The page on which a method is tried: its form, and the outcome of the call beside it.

use std::time::Duration;

use http::StatusCode;
use maud::{Markup, html};

use super::form::{self, Fields, Form, Mistake};
use super::markdown::anchor;
use super::{Credentials, Page, example, samples};
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
    /// The values that are none of their types.
    pub(crate) mistakes: Vec<Mistake>,
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
    /// The mistakes: what was expected where, and what was found.
    pub(crate) fn entered(&self, method: &Description, fields: &Fields) -> Result<String, Vec<Mistake>> {
        let ways = example::ways(method);
        let Some(way) = fields.way() else {
            return Ok(fields.get("document").unwrap_or_default().to_owned());
        };
        let unknown = || vec![Mistake::of_form("expected one of the ways to call the method")];
        let params = form::params(ways.get(way).ok_or_else(unknown)?, fields)?;
        Ok(self.written_call(fields.get("protocol"), &method.name, &params))
    }

    /// Renders the document on which a method is tried; the token proves that a form comes from it.
    pub(crate) fn attempt(&self, method: &Description, attempt: &Attempt, token: &str) -> String {
        let home = format!("?q=#{}", anchor(&method.name));
        let before = html! {
            header.narrow {
                p { a href=(home) { (self.facts.name) } }
                h1 { "Try " (method.name) }
                @let badges = self.badges(method);
                @if !badges.0.is_empty() { p.badges { (badges) } }
                (self.about(method))
            }
        };
        let main = html! {
            div.trial {
                div.tabs { (self.forms(method, attempt, token)) }
                div.outcome id=(outcome_id(method)) { (self.outcome(attempt)) }
            }
            (self.more(method))
        };
        self.document(&format!("Try {}", method.name), before, main)
    }

    /// Renders what came of an attempt, or where that will stand.
    fn outcome(&self, attempt: &Attempt) -> Markup {
        html! {
            @if let Some(complaint) = &attempt.complaint { p.complaint role="alert" tabindex="-1" { (complaint) } }
            @for mistake in &attempt.mistakes { p.complaint role="alert" tabindex="-1" { (mistake.to_string()) } }
            @match &attempt.outcome {
                Some(made) => (self.made(made, attempt.fields.as_ref().is_some_and(Fields::takes_all))),
                None if attempt.complaint.is_none() && attempt.mistakes.is_empty() => {
                    p.empty { "The answer will stand here." }
                },
                None => {},
            }
        }
    }

    /// Renders the document that says that there is no such method.
    pub(crate) fn no_method(&self, message: &str) -> String {
        let before = html! { header.narrow { p { a href="?q=" { (self.facts.name) } } h1 { "Nothing to try" } } };
        self.document("Nothing to try", before, html! { p { (message) } })
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
                    @let mistakes = if fields.is_some() { &attempt.mistakes[..] } else { &[] };
                    @let fields = fields.unwrap_or_else(|| Fields::of(detail, &example(method, index, detail)));
                    @let id = format!("{}-{index}", outcome_id(method));
                    (self.fields_form(method, (index, detail), &Form { fields: &fields, mistakes, id: &id }, token))
                }
            }
            details name=(group) open[chosen.is_none()] {
                summary { "Document" }
                (self.raw_form(method, entered.filter(|_| chosen.is_none()), token))
            }
        }
    }

    fn fields_form(
        &self,
        method: &Description,
        (way, detail): (usize, &Detail),
        form: &Form<'_>,
        token: &str,
    ) -> Markup {
        let chosen = form.fields.get("protocol").or(self.facts.dialects.first().map(|dialect| dialect.name));
        let contents = html! {
            // the button that Enter presses
            button hidden {}
            input type="hidden" name="way" value=(way);
            (self.secrets())
            @if detail.params.is_empty() { p.note { "It takes no params." } }
            (form.all(detail))
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
        let query = form.fields.query();
        let beside = html! {
            button name="write" value="1" { "Edit the document" }
            a.link href=(format!("?{TRY}={}&{query}", encoded(&method.name))) { "Link to this form" }
        };
        self.form(method, token, contents, beside, self.confirmations.call)
    }

    fn raw_form(&self, method: &Description, entered: Option<&Fields>, token: &str) -> Markup {
        let fields = entered.cloned().unwrap_or_default();
        let document = match fields.get("document") {
            Some(document) => document.to_owned(),
            None => self.written_call(None, &method.name, &example::params(method)),
        };
        let rows = document.lines().count().clamp(6, 24);
        let contents = html! {
            (self.secrets())
            label.raw {
                span.note { "Any document of " (self.facts.protocols(" or ")) }
                textarea name="document" rows=(rows) spellcheck="false" {
                    // browsers drop a first line break
                    "\n" (document)
                }
            }
        };
        self.form(method, token, contents, html! {}, self.confirmations.document)
    }

    /// Renders fields for what a caller must send to be known. They have no names: the script alone reads them, and
    /// sends them as a header.
    fn secrets(&self) -> Markup {
        let field = |name: &str, part: &str, kind: &str| {
            html! {
                label.field { span { (name) span.note { " kept in this tab alone" } } input type=(kind) data-secret=(part) autocomplete="off"; }
            }
        };
        html! {
            @match self.credentials() {
                None => {},
                Some(Credentials::Bearer) => div.secrets hidden { (field("Token", "token", "password")) },
                Some(Credentials::Basic) => div.secrets hidden {
                    (field("Name", "user", "text"))
                    (field("Password", "password", "password"))
                },
            }
        }
    }

    /// Renders a form around these fields, which asks for confirmation if `asks` is set.
    fn form(&self, method: &Description, token: &str, contents: Markup, beside: Markup, asks: bool) -> Markup {
        html! {
            form method="post" action={ "?" (TRY) "=" (encoded(&method.name)) "#" (outcome_id(method)) } {
                input type="hidden" name="token" value=(token);
                (contents)
                @if asks {
                    p.ask { label { input type="checkbox" name="confirm" value="1"; " This may change something. Call it anyway." } }
                }
                p.act { button.go { "Call " (method.name) } (beside) }
            }
        }
    }

    /// Renders a call that was made; all of its answer also for a sender that keeps it.
    fn made(&self, made: &CallMade, with_all: bool) -> Markup {
        let CallMade { request, response, status, took, outcome } = made;
        let (class, what) = match outcome {
            Some(Ok(_)) => ("yes", ", a result"),
            Some(Err(_)) => ("no", ", a fault"),
            None => ("yes", ", nothing to answer"),
        };
        html! {
            p.state role="status" tabindex="-1" {
                b class=(class) { (status.to_string()) } " after " (milliseconds(*took)) ", " (response.len()) " octets" (what)
            }
            div.tabs {
                @match outcome {
                    Some(Ok(result)) => (shown("Result", result, true)),
                    Some(Err((code, text))) => details open {
                        summary { "Fault" }
                        div.fault { b { (code) } " " (visible(text)) }
                    },
                    None => {},
                }
                (shown("Request", request, false))
                (shown("Response", response, outcome.is_none()))
            }
            @if response.len() > MAX_SHOWN { (self.all_of(made)) }
            @if with_all && response.len() > MAX_SHOWN { template.whole { (response) } }
        }
    }

    /// Renders how to get all of an answer that is too large to be shown.
    fn all_of(&self, made: &CallMade) -> Markup {
        let url = self.visit.url.as_deref();
        html! {
            p.note.large { "Only the start is shown. This gets all of it:" }
            pre tabindex="0" { (shortened(&samples::curl(url, &made.request))) }
        }
    }
}

fn shown(title: &str, text: &str, is_open: bool) -> Markup {
    html! { details open[is_open] { summary { (title) } pre tabindex="0" { (shortened(text)) } } }
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
        (visible(&text[..end]))
        @if end < text.len() { "\n... " (text.len()) " octets in all" }
    }
}

/// Writes control characters as the pictures that Unicode has of them.
fn visible(text: &str) -> String {
    let shown = |character: char| match character {
        '\n' | '\t' => character,
        '\u{7f}' => '\u{2421}',
        control if control.is_ascii_control() => char::from_u32(0x2400 + u32::from(control)).unwrap_or('\u{fffd}'),
        control if control.is_control() => '\u{fffd}',
        plain => plain,
    };
    text.chars().map(shown).collect()
}

/// Encodes a value for a query.
pub(super) fn encoded(text: &str) -> String {
    form_urlencoded::byte_serialize(text.as_bytes()).collect()
}
