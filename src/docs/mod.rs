//! The documentation page: descriptions in, one HTML document out; and its twins, the same as JSON and as Markdown.
//!
//! It loads nothing from anywhere, and is complete without its script. From the outside in:
//!
//! | | |
//! |---|---|
//! | `settings` | the author's settings of the page |
//! | `format` | the twins, and the choice of one |
//! | `document` | the document: its head, facts, contents, footer |
//! | `method` | a method's section: signatures, tables |
//! | `samples`, `example` | calls in a dozen languages, with plausible values |
//! | `trial`, `form` | the page on which a method is tried: its form, fields to params |
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

/// The most characters of a filter: more than a reader types.
pub(crate) const LONGEST_FILTER: usize = 200;

/// The version of a service that has none.
pub(crate) const UNVERSIONED: &str = "0.0.0";

/// The contents of the page: the server and its methods.
pub(crate) struct Page<'a> {
    pub(crate) title: &'a str,
    pub(crate) name: &'a str,
    /// Markdown.
    pub(crate) documentation: &'a str,
    /// The version of the service.
    pub(crate) version: &'a str,
    pub(crate) limits: &'a Limits,
    pub(crate) docs: &'a Docs,
    /// The authentication that the web server asks callers for.
    pub(crate) auth_type: Option<&'a str>,
    /// Set if methods can be tried.
    pub(crate) tries: bool,
    /// The calls that need confirmation first.
    pub(crate) asks: Asks,
    /// The URL of the calls, if it is known.
    pub(crate) url: Option<String>,
    /// Other services, served at paths below.
    pub(crate) places: Vec<Place>,
    /// Sorted by name.
    pub(crate) methods: Vec<Description>,
    /// Words that a method must have in its name or help to be shown; empty for all.
    pub(crate) filter: &'a str,
    /// A cache of rendered help texts: those of types stand in many places.
    pub(crate) rendered: RefCell<HashMap<String, Markup>>,
    /// Writes a call as an XML-RPC document.
    pub(crate) xml: &'a dyn Fn(&str, &[Value]) -> String,
}

/// Another service.
pub(crate) struct Place {
    pub(crate) url: String,
    pub(crate) name: String,
}

impl Page<'_> {
    /// Renders the page in a format; `None` for OpenRPC, which is made of schemas.
    pub(crate) fn render(&self, format: Format) -> Option<String> {
        match format {
            Format::Html => Some(self.html()),
            Format::Json => Some(json::render(self)),
            Format::Markdown => Some(text::render(self)),
            Format::OpenRpc => None,
        }
    }
}
