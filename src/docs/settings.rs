//! The author's settings of a service's page.

use std::fmt;
use std::str::FromStr;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;

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
    /// Markdown.
    pub(super) contact: String,
    /// Markdown.
    pub(super) authentication: String,
    pub(super) noindex: bool,
    pub(super) footer: bool,
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
            contact: String::new(),
            authentication: String::new(),
            noindex: false,
            footer: true,
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

    /// Sets a picture for the head of the page.
    pub fn logo(mut self, logo: Logo) -> Docs {
        self.logo = Some(logo);
        self
    }

    /// Sets the colour of links and of the element that has the focus.
    pub fn accent(mut self, accent: Accent) -> Docs {
        self.accent = Some(accent);
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

    /// Sets whether the page ends with a line that names rpcgi: yes unless set.
    pub fn footer(mut self, footer: bool) -> Docs {
        self.footer = footer;
        self
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

/// A picture as a data URI: `data:image/png;base64,...`, or of another type that browsers show.
///
/// # Errors
/// Parsing a text that is not such a URI fails with [`ParseLogoError`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Logo(pub(super) String);

/// An error for a text that is not a picture as a data URI.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ParseLogoError;

impl fmt::Display for ParseLogoError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("expected a picture as a data URI: data:image/png;base64,... (or gif, jpeg, svg+xml, webp)")
    }
}

impl std::error::Error for ParseLogoError {}

impl FromStr for Logo {
    type Err = ParseLogoError;

    fn from_str(text: &str) -> Result<Logo, ParseLogoError> {
        let (media_type, data) =
            text.strip_prefix("data:image/").and_then(|rest| rest.split_once(',')).ok_or(ParseLogoError)?;
        let kind = media_type.split(';').next().unwrap_or_default();
        let is_data = !data.is_empty() && data.bytes().all(|octet| octet.is_ascii_graphic());
        let is_base64 = media_type.ends_with(";base64");
        let is_decoded = !is_base64 || STANDARD.decode(data).is_ok();
        match ["gif", "jpeg", "png", "svg+xml", "webp"].contains(&kind) && is_data && is_decoded {
            true => Ok(Logo(text.to_owned())),
            false => Err(ParseLogoError),
        }
    }
}

/// A colour as `#rrggbb` that is legible on white. Dark themes use a lighter one of the same hue.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Accent([u8; 3]);

/// The least contrast of text (WCAG 2.2, success criterion 1.4.3).
const CONTRAST: f64 = 4.5;

/// The page's backgrounds: of text, and of text that stands out a little.
const LIGHT: [[u8; 3]; 2] = [[0xff, 0xff, 0xff], [0xf3, 0xf4, 0xf6]];
const DARK: [[u8; 3]; 2] = [[0x14, 0x16, 0x1a], [0x20, 0x24, 0x2b]];

/// The reason why a text is not an accent.
#[derive(Clone, Copy, Debug, PartialEq)]
#[non_exhaustive]
pub enum ParseAccentError {
    /// The text is not a colour of the form `#rrggbb`.
    NoColour,
    /// The colour's contrast to the page, which is white and light grey, is only this, and must be 4.5.
    TooLight(f64),
}

impl fmt::Display for ParseAccentError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            ParseAccentError::NoColour => f.write_str("expected a colour as #1a5fb4"),
            ParseAccentError::TooLight(contrast) => {
                write!(f, "expected a darker colour: on the page its contrast is {contrast:.2}, less than {CONTRAST}")
            }
        }
    }
}

impl std::error::Error for ParseAccentError {}

impl FromStr for Accent {
    type Err = ParseAccentError;

    fn from_str(text: &str) -> Result<Accent, ParseAccentError> {
        let digits = text.strip_prefix('#').filter(|digits| digits.len() == 6).ok_or(ParseAccentError::NoColour)?;
        let is_hex = digits.bytes().all(|digit| digit.is_ascii_hexdigit());
        let number = u32::from_str_radix(digits, 16).ok().filter(|_| is_hex).ok_or(ParseAccentError::NoColour)?;
        let [_, red, green, blue] = number.to_be_bytes();
        let colour = [red, green, blue];
        match least_contrast(colour, LIGHT) {
            contrast if contrast < CONTRAST => Err(ParseAccentError::TooLight(contrast)),
            _ => Ok(Accent(colour)),
        }
    }
}

impl Accent {
    /// Returns its rules, for the end of the style sheet.
    pub(super) fn style(self) -> String {
        let written = |[red, green, blue]: [u8; 3]| format!("#{red:02x}{green:02x}{blue:02x}");
        format!(
            ":root{{--accent:{}}}@media(prefers-color-scheme:dark){{:root{{--accent:{}}}}}",
            written(self.0),
            written(self.in_the_dark())
        )
    }

    /// Mixes it with as much white as dark themes need.
    fn in_the_dark(self) -> [u8; 3] {
        let mixed = |white: u16| self.0.map(|part| (u16::from(part) + (255 - u16::from(part)) * white / 100) as u8);
        (0..=100).map(mixed).find(|colour| least_contrast(*colour, DARK) >= CONTRAST).unwrap_or([255; 3])
    }
}

/// Returns the least contrast of a colour to some others.
fn least_contrast(colour: [u8; 3], others: [[u8; 3]; 2]) -> f64 {
    let contrast = |other: [u8; 3]| {
        let (a, b) = (luminance(colour), luminance(other));
        (a.max(b) + 0.05) / (a.min(b) + 0.05)
    };
    others.map(contrast).into_iter().fold(f64::INFINITY, f64::min)
}

/// Returns the lightness of a colour (WCAG 2.2, "relative luminance").
fn luminance(colour: [u8; 3]) -> f64 {
    let linear = |part: u8| match f64::from(part) / 255.0 {
        part if part <= 0.040_45 => part / 12.92,
        part => ((part + 0.055) / 1.055).powf(2.4),
    };
    let [red, green, blue] = colour.map(linear);
    0.2126 * red + 0.7152 * green + 0.0722 * blue
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn accents_are_seen() {
        let accent: Accent = "#1a5fb4".parse().unwrap();
        let dark = accent.in_the_dark();
        assert!(least_contrast(dark, DARK) >= CONTRAST && dark != [255; 3]);
        assert!(least_contrast([0; 3], LIGHT) > 18.0 && (least_contrast([255; 3], [[0; 3]; 2]) - 21.0).abs() < 1e-9);
        let refusal = "#ffee00".parse::<Accent>().unwrap_err().to_string();
        assert!(refusal.starts_with("expected a darker colour: on the page its contrast is 1.0"), "{refusal}");
        for text in ["", "red", "#12345", "#1234567", "#12345g", "#+12345", "é12345"] {
            assert_eq!(text.parse::<Accent>(), Err(ParseAccentError::NoColour), "{text}");
        }
    }

    #[test]
    fn logos_are_pictures() {
        assert!("data:image/png;base64,AAAA".parse::<Logo>().is_ok());
        assert!("data:image/svg+xml,%3Csvg/%3E".parse::<Logo>().is_ok());
        for text in [
            "",
            "https://a.example/x.png",
            "data:text/html,x",
            "data:image/png;base64,",
            "data:image/png;base64,!!!",
            "data:image/x,\"a b\"",
        ] {
            assert_eq!(text.parse::<Logo>(), Err(ParseLogoError), "{text}");
        }
    }
}
