//! The query of a request for the site, read once.

use http::StatusCode;

use crate::docs::{ASSET, Format, LONGEST_FILTER, TRY};
use crate::service::{Request, Response};

/// The parts of a query that the site knows; of several with a name the first counts.
#[derive(Default)]
pub(super) struct Query {
    /// A style sheet or script.
    pub(super) asset: Option<String>,
    /// A method to try.
    pub(super) method: Option<String>,
    filter: Option<String>,
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
        written.chars().take(LONGEST_FILTER).collect::<String>().trim().to_owned()
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
