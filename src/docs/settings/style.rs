//! A style sheet of the author's own, which follows the page's.

use std::fmt;
use std::str::FromStr;

/// The most octets of a style sheet.
const MAX_OCTETS: usize = 64 << 10;

/// A style sheet in CSS, of up to 64 KiB.
///
/// # Errors
/// Parsing a text that cannot stand in a page fails with [`ParseStyleError`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Style(String);

/// The reason why a text is not a style sheet of the page.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum ParseStyleError {
    /// It has so many octets, more than 64 KiB.
    TooLarge(usize),
    /// It has `</`, by which the element that it is in could end.
    Tag,
    /// It has `@import` or `url(`, which the page's policy lets load nothing.
    Loads,
}

impl fmt::Display for ParseStyleError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            ParseStyleError::TooLarge(octets) => {
                write!(f, "expected a style sheet of at most {MAX_OCTETS} octets, found {octets}")
            }
            ParseStyleError::Tag => f.write_str("expected a style sheet without `</`, which would end it in the page"),
            ParseStyleError::Loads => f.write_str(
                "expected a style sheet without `@import` and `url(`: the page loads nothing from elsewhere",
            ),
        }
    }
}

impl std::error::Error for ParseStyleError {}

impl FromStr for Style {
    type Err = ParseStyleError;

    fn from_str(text: &str) -> Result<Style, ParseStyleError> {
        let small = text.to_lowercase();
        match text.len() {
            octets if octets > MAX_OCTETS => Err(ParseStyleError::TooLarge(octets)),
            _ if text.contains("</") => Err(ParseStyleError::Tag),
            _ if small.contains("@import") || small.contains("url(") => Err(ParseStyleError::Loads),
            _ => Ok(Style(text.to_owned())),
        }
    }
}

impl Style {
    pub(in crate::docs) fn text(&self) -> &str {
        &self.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn styles_stay_in_their_element() {
        assert_eq!("h1 { color: red; }".parse::<Style>().map(|style| style.0), Ok("h1 { color: red; }".to_owned()));
        for (text, error) in [
            ("x{}</style><script>".to_owned(), ParseStyleError::Tag),
            ("@IMPORT 'x'".to_owned(), ParseStyleError::Loads),
            ("a { background: URL(x) }".to_owned(), ParseStyleError::Loads),
            (" ".repeat(MAX_OCTETS + 1), ParseStyleError::TooLarge(MAX_OCTETS + 1)),
        ] {
            assert_eq!(text.parse::<Style>(), Err(error));
        }
    }
}
