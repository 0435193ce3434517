//! The documentation page: descriptions in, one HTML document out; and its twins, the same as JSON and as Markdown.
//!
//! It loads nothing from anywhere, and is complete without its script. From the outside in:
//!
//! | | |
//! |---|---|
//! | `settings` | what the owner of a service says of the page |
//! | `format` | the twins, and how a caller asks for one |
//! | `document` | the document: its head, facts, contents, footer |
//! | `method` | a method's section: signatures, tables |
//! | `samples`, `example` | calls in a dozen languages, with plausible values |
//! | `trial`, `form` | the page that a method is tried on: its form, fields to params |
//! | `assets` | style and script, and the policy that allows them |
//! | `markdown` | help texts |
//! | `json`, `text` | the twins |

mod assets;
mod document;
mod example;
mod form;
mod format;
mod json;
mod markdown;
mod method;
mod samples;
mod settings;
mod text;
mod trial;

use std::cell::RefCell;
use std::collections::HashMap;

use maud::Markup;

pub(crate) use self::assets::{ASSET, Asset, content_security_policy};
pub(crate) use self::form::{Fields, MOST_OCTETS};
pub(crate) use self::format::Format;
pub use self::settings::{Accent, Access, Assets, Docs, Logo, ParseAccentError, ParseLogoError, Trying};
pub(crate) use self::trial::{Asks, Outcome, TRY, Trial};
use crate::description::Description;
use crate::service::Limits;
use crate::wire::value::Value;

/// The most characters of a filter: more than anybody types.
pub(crate) const LONGEST_FILTER: usize = 200;

/// The version of a service that has none.
pub(crate) const UNVERSIONED: &str = "0.0.0";

/// What the page says of the server, and of its methods.
pub(crate) struct Page<'a> {
    pub(crate) title: &'a str,
    pub(crate) name: &'a str,
    /// Markdown.
    pub(crate) documentation: &'a str,
    /// Of the service.
    pub(crate) version: &'a str,
    pub(crate) limits: &'a Limits,
    pub(crate) docs: &'a Docs,
    /// What the web server asks callers for.
    pub(crate) auth_type: Option<&'a str>,
    /// Whether methods can be tried.
    pub(crate) tries: bool,
    /// Before what a method that is tried asks.
    pub(crate) asks: Asks,
    /// Where the methods are called, if it is known.
    pub(crate) url: Option<String>,
    /// Others, served at paths below.
    pub(crate) places: Vec<Place>,
    /// Sorted by name.
    pub(crate) methods: Vec<Description>,
    /// Words that the methods shown have in their names or help; empty for all.
    pub(crate) filter: &'a str,
    /// Help texts that were rendered: those of types stand in many places.
    pub(crate) rendered: RefCell<HashMap<String, Markup>>,
    /// Writes a call as XML-RPC has it.
    pub(crate) xml: &'a dyn Fn(&str, &[Value]) -> String,
}

/// Another service.
pub(crate) struct Place {
    pub(crate) url: String,
    pub(crate) name: String,
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
}
