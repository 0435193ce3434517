//! The logo: a picture in the head of the page, which is part of the page.

use std::fmt;
use std::str::FromStr;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;

use super::Accent;
use crate::service::path;

/// The most octets of a picture.
const MAX_OCTETS: usize = 32 << 10;

/// A picture: a data URI (`data:image/png;base64,...`), the octets of a file, or a letter.
///
/// GIF, JPEG, PNG, SVG and WebP, of up to 32 KiB. A browser runs no script of an SVG that is a picture in a page, and the
/// page's policy allows none; an SVG that has one is refused all the same, as somebody may open it by itself.
///
/// # Errors
/// Anything else fails with [`ParseLogoError`].
///
/// # Example
///
/// ```
/// use rpcgi::{Docs, Logo};
///
/// let docs = Docs::new().logo(Logo::of_octets(b"<svg xmlns='http://www.w3.org/2000/svg'/>")?);
/// let docs = Docs::new().logo(Logo::letter());
/// # let _ = docs;
/// # Ok::<(), rpcgi::ParseLogoError>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Logo(Picture);

#[derive(Clone, Debug, PartialEq, Eq)]
enum Picture {
    /// A data URI.
    Uri(String),
    /// The first letter of the service's name on the accent.
    Letter,
}

/// The reason why something is not a logo.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum ParseLogoError {
    /// It is no picture that browsers show.
    NoPicture,
    /// It has so many octets, more than 32 KiB.
    TooLarge(usize),
    /// It is an SVG with a script.
    Script,
}

impl fmt::Display for ParseLogoError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            ParseLogoError::NoPicture => f.write_str(
                "expected a picture (gif, jpeg, png, svg, webp): a file, or a data URI as data:image/png;base64,...",
            ),
            ParseLogoError::TooLarge(octets) => {
                write!(f, "expected a picture of at most {MAX_OCTETS} octets, found {octets}")
            }
            ParseLogoError::Script => f.write_str("expected an SVG without scripts, found one that has some"),
        }
    }
}

impl std::error::Error for ParseLogoError {}

impl FromStr for Logo {
    type Err = ParseLogoError;

    fn from_str(text: &str) -> Result<Logo, ParseLogoError> {
        let (media_type, data) =
            text.strip_prefix("data:image/").and_then(|rest| rest.split_once(',')).ok_or(ParseLogoError::NoPicture)?;
        let kind = media_type.split(';').next().unwrap_or_default();
        let is_text = !data.is_empty() && data.bytes().all(|octet| octet.is_ascii_graphic());
        if !is_text || !["gif", "jpeg", "png", "svg+xml", "webp"].contains(&kind) {
            return Err(ParseLogoError::NoPicture);
        }
        let octets = match media_type.ends_with(";base64") {
            true => STANDARD.decode(data).map_err(|_| ParseLogoError::NoPicture)?,
            // escaped as paths are (RFC 3986 §2.1)
            false => path::decoded(data),
        };
        check(&octets, kind == "svg+xml")?;
        Ok(Logo(Picture::Uri(text.to_owned())))
    }
}

impl Logo {
    /// Takes a picture as the octets of its file.
    ///
    /// # Errors
    /// For octets that are no picture, or one that is not taken.
    pub fn of_octets(octets: &[u8]) -> Result<Logo, ParseLogoError> {
        let kind = kind(octets).ok_or(ParseLogoError::NoPicture)?;
        check(octets, kind == "svg+xml")?;
        Ok(Logo(Picture::Uri(format!("data:image/{kind};base64,{}", STANDARD.encode(octets)))))
    }

    /// Makes a picture of the first letter of the service's name.
    pub fn letter() -> Logo {
        Logo(Picture::Letter)
    }

    /// Returns the picture of a service with a name and an accent as a data URI.
    pub(super) fn uri(&self, name: &str, accent: Accent) -> String {
        match &self.0 {
            Picture::Uri(uri) => uri.clone(),
            Picture::Letter => format!("data:image/svg+xml;base64,{}", STANDARD.encode(letter(name, accent))),
        }
    }
}

/// Draws the first letter of a name.
fn letter(name: &str, accent: Accent) -> String {
    let first = name.chars().find(|character| character.is_alphanumeric()).unwrap_or('?');
    let letter: String = first.to_uppercase().collect();
    format!(
        "<svg xmlns='http://www.w3.org/2000/svg' width='48' height='48'><rect width='48' height='48' rx='10' fill='{accent}'/>\
         <text x='24' y='33' font-family='system-ui, sans-serif' font-size='26' font-weight='700' text-anchor='middle' \
         fill='#fff'>{letter}</text></svg>"
    )
}

/// Returns the kind of a picture by its first octets, as media types name it.
fn kind(octets: &[u8]) -> Option<&'static str> {
    let has_svg =
        || std::str::from_utf8(octets).is_ok_and(|text| text.trim_start().starts_with('<') && text.contains("<svg"));
    match octets {
        [0x89, b'P', b'N', b'G', ..] => Some("png"),
        [b'G', b'I', b'F', b'8', ..] => Some("gif"),
        [0xff, 0xd8, 0xff, ..] => Some("jpeg"),
        [b'R', b'I', b'F', b'F', _, _, _, _, b'W', b'E', b'B', b'P', ..] => Some("webp"),
        _ => has_svg().then_some("svg+xml"),
    }
}

fn check(octets: &[u8], is_svg: bool) -> Result<(), ParseLogoError> {
    if octets.len() > MAX_OCTETS {
        return Err(ParseLogoError::TooLarge(octets.len()));
    }
    if !is_svg {
        return Ok(());
    }
    let text = String::from_utf8_lossy(octets).to_lowercase();
    // the name before each `=`
    let names = text.match_indices('=').map(|(at, _)| text[..at].trim_end());
    let is_handler = |before: &str| {
        let name = before.rsplit(|at: char| !at.is_alphanumeric()).next().unwrap_or_default();
        let is_attribute = before[..before.len() - name.len()].ends_with([' ', '\t', '\n', '\r', '/', '"', '\'']);
        name.starts_with("on") && is_attribute
    };
    let scripts = ["<script", ":script", "javascript:", "<foreignobject", "<!entity"];
    let has_script = scripts.iter().any(|word| text.contains(word));
    match has_script || names.into_iter().any(is_handler) {
        true => Err(ParseLogoError::Script),
        false => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

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
            assert_eq!(text.parse::<Logo>(), Err(ParseLogoError::NoPicture), "{text}");
        }
    }

    #[test]
    fn files_are_known_by_their_octets() {
        for (octets, start) in [
            (&b"\x89PNG\r\n\x1a\n"[..], "data:image/png;base64,"),
            (b"GIF89a", "data:image/gif;base64,"),
            (b"\xff\xd8\xff\xe0", "data:image/jpeg;base64,"),
            (b"RIFF\0\0\0\0WEBP", "data:image/webp;base64,"),
            (b"<?xml version='1.0'?>\n<svg xmlns='x'></svg>", "data:image/svg+xml;base64,"),
        ] {
            let logo = Logo::of_octets(octets).unwrap().uri("", Accent::default());
            assert!(logo.starts_with(start), "{logo}");
            assert_eq!(logo.parse::<Logo>().map(|logo| logo.uri("", Accent::default())), Ok(logo));
        }
        for octets in [&b""[..], b"text", b"<html></html>", b"\xff\xfe"] {
            assert_eq!(Logo::of_octets(octets), Err(ParseLogoError::NoPicture));
        }
    }

    #[test]
    fn large_ones_and_scripts_are_refused() {
        let large = [&b"GIF89a"[..], &[0; MAX_OCTETS]].concat();
        assert_eq!(Logo::of_octets(&large), Err(ParseLogoError::TooLarge(MAX_OCTETS + 6)));
        for inside in [
            "<script>alert(1)</script>",
            "<SCRIPT/>",
            "<a href='javascript:alert(1)'/>",
            "<rect onload='alert(1)'/>",
            "<rect\nonload = 'alert(1)'/>",
            "<rect onload= 'alert(1)'/>",
            "<s:script/>",
            "<foreignObject/>",
        ] {
            let svg = format!("<svg>{inside}</svg>");
            assert_eq!(Logo::of_octets(svg.as_bytes()), Err(ParseLogoError::Script), "{svg}");
            let uri = format!("data:image/svg+xml;base64,{}", STANDARD.encode(&svg));
            assert_eq!(uri.parse::<Logo>(), Err(ParseLogoError::Script), "{svg}");
        }
        assert_eq!("data:image/svg+xml,%3Csvg%3E%3Cscript/%3E%3C/svg%3E".parse::<Logo>(), Err(ParseLogoError::Script));
        assert!(Logo::of_octets(b"<svg><text>on the sea = blue</text></svg>").is_ok());
    }

    #[test]
    fn letters_of_any_script() {
        for (name, letter) in
            [("harbour", "H"), ("«été»", "É"), ("北京", "北"), ("-- <b>", "B"), ("", "?"), ("<&", "?")]
        {
            assert!(super::letter(name, Accent::default()).ends_with(&format!(">{letter}</text></svg>")), "{name}");
        }
    }
}
