//! Cookies that methods and guards set (RFC 6265 §4.1).

use std::fmt::Write;
use std::time::Duration;

use super::response::HeaderError;

/// A cookie for the client, by default for all paths of the host until the browser closes, out of reach of scripts, and
/// not sent with requests that other sites cause (`Path=/; HttpOnly; SameSite=Lax`).
///
/// # Example
///
/// ```
/// use std::time::Duration;
/// use rpcgi::{Cookie, HeaderError, Request, method};
///
/// /// Remembers a language.
/// #[method]
/// fn speak(request: &Request, language: String) -> Result<bool, HeaderError> {
///     request.set_cookie(&Cookie::new("language", language).max_age(Duration::from_secs(86_400)))?;
///     Ok(true)
/// }
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
#[must_use]
pub struct Cookie {
    name: String,
    value: String,
    path: String,
    max_age: Option<Duration>,
    is_strict: bool,
    is_open_to_scripts: bool,
}

impl Cookie {
    /// Creates a cookie. Its value is octets of ASCII without blanks, quotes, commas, semicolons and backslashes.
    pub fn new(name: impl Into<String>, value: impl Into<String>) -> Cookie {
        Cookie {
            name: name.into(),
            value: value.into(),
            path: "/".into(),
            max_age: None,
            is_strict: false,
            is_open_to_scripts: false,
        }
    }

    /// Sets the path below which the client sends it.
    pub fn path(mut self, path: impl Into<String>) -> Cookie {
        self.path = path.into();
        self
    }

    /// Sets the time that the client keeps it, in whole seconds; zero removes it.
    pub fn max_age(mut self, age: Duration) -> Cookie {
        self.max_age = Some(age);
        self
    }

    /// Has the client send it with requests of this site's pages alone (`SameSite=Strict`).
    pub fn strict(mut self) -> Cookie {
        self.is_strict = true;
        self
    }

    /// Lets scripts of the page read it (no `HttpOnly`).
    pub fn open_to_scripts(mut self) -> Cookie {
        self.is_open_to_scripts = true;
        self
    }

    /// Returns the value of `Set-Cookie`.
    ///
    /// # Errors
    /// For a name, value or path that no cookie can have.
    pub(super) fn header(&self, is_https: bool) -> Result<String, HeaderError> {
        let is_token = |octet: u8| octet.is_ascii_graphic() && !b"()<>@,;:\\\"/[]?={}".contains(&octet);
        if self.name.is_empty() || !self.name.bytes().all(is_token) {
            return Err(HeaderError::Name(self.name.clone()));
        }
        let is_plain = |octet: u8| octet.is_ascii_graphic() && !b"\",;\\".contains(&octet);
        if !self.value.bytes().all(is_plain)
            || !self.path.bytes().all(|octet| octet.is_ascii_graphic() && octet != b';')
        {
            return Err(HeaderError::Value(format!("cookie {}", self.name)));
        }
        let mut header = format!("{}={}; Path={}", self.name, self.value, self.path);
        if let Some(age) = self.max_age {
            // a String takes whatever is written to it
            _ = write!(header, "; Max-Age={}", age.as_secs());
        }
        header += if self.is_open_to_scripts { "" } else { "; HttpOnly" };
        header += if self.is_strict { "; SameSite=Strict" } else { "; SameSite=Lax" };
        header += if is_https { "; Secure" } else { "" };
        Ok(header)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn header_spec() {
        let cookie = Cookie::new("sid", "a.b-c").path("/app").max_age(Duration::from_secs(60)).strict();
        assert_eq!(cookie.header(true).unwrap(), "sid=a.b-c; Path=/app; Max-Age=60; HttpOnly; SameSite=Strict; Secure");
        assert_eq!(Cookie::new("a", "").open_to_scripts().header(false).unwrap(), "a=; Path=/; SameSite=Lax");
    }

    #[test]
    fn header_invalid() {
        for (name, value, path) in
            [("", "x", "/"), ("a=b", "x", "/"), ("a", "x;y", "/"), ("a", "x\r\ny", "/"), ("a", "x", "/;")]
        {
            assert!(Cookie::new(name, value).path(path).header(false).is_err(), "{name:?} {value:?} {path:?}");
        }
    }
}
