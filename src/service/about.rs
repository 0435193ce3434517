//! What a service tells of itself.

use std::fmt;

/// A service's own words about itself, for the command line of its program and for services around it.
#[non_exhaustive]
pub struct About<'a> {
    /// The name of the service.
    pub name: &'a str,
    /// The version of the service.
    pub version: &'a str,
    /// The protocols it speaks, as `XML-RPC`.
    pub protocols: Vec<&'a str>,
    page: Option<Box<Describe<'a>>>,
}

type Describe<'a> = dyn Fn(&PageRequest<'_>) -> Result<String, PageError> + 'a;

/// A request for a description, without a web server.
#[derive(Clone, Copy, Debug, Default)]
#[non_exhaustive]
pub struct PageRequest<'a> {
    /// The path of another service inside of this one.
    pub path: Option<&'a str>,
    /// The format, by the name that a query has: `html`, `json`, `md` or `openrpc`; empty for the page.
    pub format: &'a str,
    /// The URL of the calls, if it is known.
    pub url: Option<&'a str>,
}

/// A description that does not exist: there is no such path, or format.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PageError(String);

impl PageError {
    /// Creates an error that says what was expected, and what was found.
    pub fn new(message: impl Into<String>) -> PageError {
        PageError(message.into())
    }
}

impl fmt::Display for PageError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for PageError {}

impl<'a> About<'a> {
    /// Describes a service that has no page.
    pub fn new(name: &'a str, version: &'a str) -> About<'a> {
        About { name, version, protocols: Vec::new(), page: None }
    }

    /// Adds the function that writes the page and its twins.
    pub fn with_page(self, page: impl Fn(&PageRequest<'_>) -> Result<String, PageError> + 'a) -> About<'a> {
        About { page: Some(Box::new(page)), ..self }
    }

    /// Returns the page, or one of its twins; `None` if the service has none.
    ///
    /// # Errors
    /// If there is no such path, or format.
    pub fn page(&self, request: &PageRequest<'_>) -> Option<Result<String, PageError>> {
        self.page.as_ref().map(|page| page(request))
    }
}

impl fmt::Debug for About<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("About").field("name", &self.name).field("version", &self.version).finish_non_exhaustive()
    }
}
