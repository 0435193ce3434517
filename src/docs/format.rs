//! The formats of a description, and the choice between them.

use std::fmt;
use std::str::FromStr;

use crate::wire::value::excerpt;

/// A form of the description of a service.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Format {
    Html,
    Json,
    Markdown,
    OpenRpc,
}

impl Format {
    /// All formats; the first wins where a client accepts several alike.
    pub(crate) const ALL: [Format; 4] = [Format::Html, Format::Json, Format::Markdown, Format::OpenRpc];

    /// Returns the other formats of the page.
    pub(super) fn twins() -> impl Iterator<Item = Format> {
        Format::ALL.into_iter().filter(|format| *format != Format::Html)
    }

    /// Returns its name in a query and on a command line.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Format::Html => "html",
            Format::Json => "json",
            Format::Markdown => "md",
            Format::OpenRpc => "openrpc",
        }
    }

    /// Returns its name on the page.
    pub(super) fn title(self) -> &'static str {
        match self {
            Format::Html => "HTML",
            Format::Json => "JSON",
            Format::Markdown => "Markdown",
            Format::OpenRpc => "OpenRPC",
        }
    }

    /// Returns its media type, without parameters.
    pub(crate) fn media_type(self) -> &'static str {
        match self {
            Format::Html => "text/html",
            Format::Json => "application/json",
            Format::Markdown => "text/markdown",
            Format::OpenRpc => "application/openrpc+json",
        }
    }

    /// Returns the value of `Content-Type`.
    pub(crate) fn content_type(self) -> &'static str {
        match self {
            Format::Html => "text/html; charset=utf-8",
            Format::Markdown => "text/markdown; charset=utf-8",
            // always UTF-8 (RFC 8259 §8.1)
            Format::Json | Format::OpenRpc => self.media_type(),
        }
    }

    /// Returns the format that a client prefers by `Accept` (RFC 9110 §12.5.1), or the page if it accepts none.
    pub(crate) fn of_accept(accept: &str) -> Format {
        let quality = |format: Format| {
            let of = |range: &str| {
                let (media_type, parameters) = range.split_once(';').unwrap_or((range, ""));
                let quality = parameters.split(';').find_map(|parameter| parameter.trim().strip_prefix("q="));
                let (wanted, own) = (media_type.trim().to_ascii_lowercase(), format.media_type());
                // an exact media type counts more than a range
                let precision = match wanted.strip_suffix('*') {
                    None => 2 * u8::from(wanted == own),
                    Some("*/") => u8::from(format == Format::Html),
                    Some(start) => u8::from(own.starts_with(start) && format == Format::Html),
                };
                (precision > 0).then(|| (precision, quality.map_or(1.0, |quality| quality.parse().unwrap_or(0.0))))
            };
            let said = accept.split(',').filter_map(of).max_by_key(|(precision, _)| *precision);
            said.map_or(0.0, |(_, quality): (u8, f64)| quality)
        };
        // the first of equals
        Format::ALL.into_iter().rev().max_by(|a, b| quality(*a).total_cmp(&quality(*b))).unwrap_or(Format::Html)
    }
}

impl FromStr for Format {
    type Err = String;

    fn from_str(name: &str) -> Result<Format, String> {
        Format::ALL.into_iter().find(|format| format.name() == name).ok_or_else(|| {
            let known: Vec<&str> = Format::ALL.iter().map(|format| format.name()).collect();
            format!("expected {} as format, found \"{}\"", known.join(", "), excerpt(name))
        })
    }
}

impl fmt::Display for Format {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn by_name() {
        assert_eq!("md".parse(), Ok(Format::Markdown));
        for name in ["wsdl", ""] {
            let expected = format!("expected html, json, md, openrpc as format, found \"{name}\"");
            assert_eq!(name.parse::<Format>(), Err(expected));
        }
    }

    #[test]
    fn by_accept() {
        for (accept, format) in [
            ("", Format::Html),
            ("*/*", Format::Html),
            ("text/html,application/xhtml+xml,application/xml;q=0.9,image/avif,*/*;q=0.8", Format::Html),
            ("application/json", Format::Json),
            ("Application/JSON; charset=utf-8", Format::Json),
            ("application/json, */*;q=0.5", Format::Json),
            ("application/json;q=0.4, */*;q=0.5", Format::Html),
            ("text/*", Format::Html),
            ("text/markdown", Format::Markdown),
            ("text/markdown, text/html;q=0.9", Format::Markdown),
            ("application/openrpc+json", Format::OpenRpc),
            ("application/openrpc+json, application/json", Format::Json),
            ("image/png", Format::Html),
            ("application/json;q=x", Format::Html),
        ] {
            assert_eq!(Format::of_accept(accept), format, "{accept}");
        }
    }
}
