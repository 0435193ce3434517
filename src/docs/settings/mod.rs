//! The author's settings of a service's page.

mod accent;
mod logo;
mod style;

use maud::{Markup, html};

pub use self::accent::{Accent, ParseAccentError};
pub use self::logo::{Logo, ParseLogoError};
pub use self::style::{ParseStyleError, Style};

/// The settings of a service's page: who may see it, whether methods can be tried on it, its appearance.
///
/// # Example
///
/// ```
/// use rpcgi::{Docs, Server, TryIt};
///
/// let docs = Docs::new().try_it(TryIt::SameOrigin).accent("#7a1f5c".parse()?).contact("<ann@example.org>");
/// let server = Server::new("Example").docs(docs);
/// # server.build()?;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug)]
#[must_use = "settings do nothing until a server has them"]
pub struct Docs {
    pub(crate) access: Access,
    pub(crate) try_it: Option<TryIt>,
    pub(crate) assets: Assets,
    pub(super) logo: Option<Logo>,
    pub(super) accent: Option<Accent>,
    pub(super) style: Option<Style>,
    /// Markdown.
    pub(super) contact: String,
    /// Markdown.
    pub(super) authentication: String,
    pub(super) noindex: bool,
    pub(super) footer: Footer,
}

impl Docs {
    /// Creates the settings of a public page; it tries methods if the request comes from the machine itself.
    pub fn new() -> Docs {
        Docs {
            access: Access::Public,
            try_it: None,
            assets: Assets::Inline,
            logo: None,
            accent: None,
            style: None,
            contact: String::new(),
            authentication: String::new(),
            noindex: false,
            footer: Footer::Program,
        }
    }

    /// Sets who may see the page: the public, unless set. This does not affect introspection: `system.listMethods` and
    /// the others are switched off by [`Server::without`](crate::Server::without).
    pub fn access(mut self, access: Access) -> Docs {
        self.access = access;
        self
    }

    /// Sets whether methods can be tried on the page. Unless set, they can if the request comes from the machine itself
    /// and was sent to it, as during development.
    pub fn try_it(mut self, try_it: TryIt) -> Docs {
        self.try_it = Some(try_it);
        self
    }

    /// Sets where style and script are: in the page, unless set.
    pub fn assets(mut self, assets: Assets) -> Docs {
        self.assets = assets;
        self
    }

    /// Sets a picture for the head of the page, or has one made of the first letter of the service's name.
    pub fn logo(mut self, logo: Logo) -> Docs {
        self.logo = Some(logo);
        self
    }

    /// Sets the page's one colour: that of links, types, and the element that has the focus; a wash of it lies behind
    /// the head and the forms.
    pub fn accent(mut self, accent: Accent) -> Docs {
        self.accent = Some(accent);
        self
    }

    /// Adds a style sheet, which follows the page's own. The policy of the page has its hash, so it needs no more rights;
    /// it can load nothing from elsewhere.
    ///
    /// # Example
    ///
    /// ```
    /// let docs = rpcgi::Docs::new().style("h1 { font-family: serif; }".parse()?);
    /// # let _ = docs;
    /// # Ok::<(), rpcgi::ParseStyleError>(())
    /// ```
    pub fn style(mut self, style: Style) -> Docs {
        self.style = Some(style);
        self
    }

    /// Sets the contact for questions, in Markdown.
    pub fn contact(mut self, contact: impl Into<String>) -> Docs {
        self.contact = contact.into();
        self
    }

    /// Describes how callers authenticate, in Markdown. Unless set, the page names the scheme that the web server asked
    /// for (`AUTH_TYPE`), if it did.
    pub fn authentication(mut self, authentication: impl Into<String>) -> Docs {
        self.authentication = authentication.into();
        self
    }

    /// Sets whether search engines are asked to leave the page out: no unless set.
    pub fn noindex(mut self, noindex: bool) -> Docs {
        self.noindex = noindex;
        self
    }

    /// Sets the end of the page: a line that names rpcgi (`true`, unless set), nothing (`false`), or a text in Markdown.
    ///
    /// # Example
    ///
    /// ```
    /// let docs = rpcgi::Docs::new().footer("[Imprint](https://example.org/imprint)");
    /// # let _ = docs;
    /// ```
    pub fn footer(mut self, footer: impl Into<Footer>) -> Docs {
        self.footer = footer.into();
        self
    }

    /// Renders the picture of the page's head.
    pub(super) fn picture(&self, name: &str) -> Markup {
        html! { @if let Some(logo) = &self.logo { img.logo src=(logo.uri(name, self.accent.unwrap_or_default())) alt=""; } }
    }
}

impl Default for Docs {
    fn default() -> Docs {
        Docs::new()
    }
}

/// The readers that may see the page.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Access {
    /// All readers.
    Public,
    /// No page: GET is answered by 405.
    Off,
}

/// The permission to try methods on the page.
///
/// TryIt a method is a POST of the page's own form. It is accepted only with a token that the page was given not more
/// than an hour ago, together with a cookie of the same browser; and from no page of another site.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum TryIt {
    /// No.
    Off,
    /// Yes, if the browser says that the form is of the same origin (`Sec-Fetch-Site`, else `Origin`, else `Referer`).
    SameOrigin,
    /// Yes, also for browsers that do not say so, or where a proxy removes that header.
    On,
}

/// The place of the page's style and script.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Assets {
    /// In the page, under a policy (`Content-Security-Policy`) that allows these alone, by their hashes.
    Inline,
    /// At the URL of the page with a query, cached for a year: for sites that impose a policy of their own, as
    /// `style-src 'self'`.
    Linked,
}

/// The end of a page.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Footer {
    /// Nothing.
    None,
    /// A line that names rpcgi and its version.
    Program,
    /// A text in Markdown.
    Text(String),
}

impl From<bool> for Footer {
    fn from(is_there: bool) -> Footer {
        if is_there { Footer::Program } else { Footer::None }
    }
}

impl From<&str> for Footer {
    fn from(text: &str) -> Footer {
        Footer::Text(text.to_owned())
    }
}

impl From<String> for Footer {
    fn from(text: String) -> Footer {
        Footer::Text(text)
    }
}
