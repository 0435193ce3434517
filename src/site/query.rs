//! The query of a request for the site, read once.

use http::StatusCode;

use crate::docs::{ASSET, Format, MAX_FILTER, TRY};
use crate::service::{Request, Response};

/// The parts of a query that the site knows; of several with a name the first counts.
#[derive(Default)]
pub(super) struct Query {
    /// A style sheet or script.
    pub(super) asset: Option<String>,
    /// A method to try.
    pub(super) method: Option<String>,
    filter: Option<String>,
    page: Option<String>,
    format: Option<String>,
}

impl Query {
    pub(super) fn of(request: &Request) -> Query {
        let mut query = Query::default();
        let octets = request.variable_octets("QUERY_STRING").unwrap_or_default();
        for (key, value) in form_urlencoded::parse(&octets) {
            let part = match &*key {
                ASSET => &mut query.asset,
                TRY => &mut query.method,
                "q" => &mut query.filter,
                "page" => &mut query.page,
                "format" => &mut query.format,
                _ => continue,
            };
            part.get_or_insert_with(|| value.into_owned());
        }
        query
    }

    /// Returns the words that the methods shown must have.
    pub(super) fn filter(&self) -> String {
        let written = self.filter.as_deref().unwrap_or_default();
        written.chars().take(MAX_FILTER).collect::<String>().trim().to_owned()
    }

    /// Returns the number of the page of methods, from 0; the first unless another is asked for.
    pub(super) fn page(&self) -> usize {
        let number = self.page.as_deref().and_then(|number| number.parse::<usize>().ok());
        number.map_or(0, |number| number.saturating_sub(1))
    }

    /// Returns the format that a request wants the description in: by its query, or else by what it accepts.
    ///
    /// # Errors
    /// The response to a query for an unknown one: 400.
    pub(super) fn format(&self, request: &Request) -> Result<Format, Response> {
        match &self.format {
            Some(name) => name.parse().map_err(|message: String| Response::text(StatusCode::BAD_REQUEST, message)),
            None => Ok(Format::of_accept(&request.header("Accept").unwrap_or_default())),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Creates a request with a query and an `Accept`.
    fn request(query: &str, accept: &'static str) -> Request {
        let query = query.to_owned().into_bytes();
        let lookup = move |name: &str| match name {
            "QUERY_STRING" => Some(query.clone().into()),
            "HTTP_ACCEPT" => Some(accept.as_bytes().into()),
            _ => None,
        };
        Request::new(lookup, Vec::new())
    }

    fn of(query: &str) -> Query {
        Query::of(&request(query, ""))
    }

    #[test]
    fn parts_roundtrip() {
        for text in ["", "wheel.spin", "a b+c&d=e;%\u{FC}\"", "?#/"] {
            let written = |key: &str| {
                form_urlencoded::Serializer::new(String::new())
                    .append_pair("other", "1")
                    .append_pair(key, text)
                    .finish()
            };
            assert_eq!(of(&written(TRY)).method.as_deref(), Some(text));
            assert_eq!(of(&written(ASSET)).asset.as_deref(), Some(text));
            assert_eq!(of(&written("q")).filter(), text);
        }
    }

    #[test]
    fn queries_spec() {
        let query = of("try=a%2Eb+c&q=+x+%C3%BC+&format=md&try=d&q=y&TRY=e");
        assert_eq!(
            (query.method.as_deref(), query.asset.as_deref(), &query.filter()[..]),
            (Some("a.b c"), None, "x ü")
        );
        assert_eq!(of(&format!("q={}", "ü".repeat(MAX_FILTER + 1))).filter().chars().count(), MAX_FILTER);
        for (query, accept, format) in [
            ("", "", Format::Html),
            ("", "application/json", Format::Json),
            ("format=md", "application/json", Format::Markdown),
            ("format=openrpc&format=wsdl", "", Format::OpenRpc),
        ] {
            let request = request(query, accept);
            assert_eq!(Query::of(&request).format(&request).unwrap(), format, "{query}");
        }
        let nothing = Query::of(&Request::new(|_: &str| None, Vec::new()));
        assert_eq!((nothing.method, nothing.asset, nothing.format), (None, None, None));
    }

    #[test]
    fn formats_invalid() {
        for (query, found) in
            [("format=wsdl", "wsdl"), ("format", ""), ("format=JSON", "JSON"), ("format=a%0A", "a\\n")]
        {
            let request = request(query, "application/json");
            let refusal = Query::of(&request).format(&request).unwrap_err();
            let expected = format!("expected html, json, md, openrpc as format, found \"{found}\"\n");
            assert_eq!((refusal.status, &refusal.body[..]), (StatusCode::BAD_REQUEST, expected.as_bytes()));
        }
    }
}
