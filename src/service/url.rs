//! URLs and their parts: hosts, ports, schemes, and the URL that a service is known by.

use std::net::{IpAddr, Ipv6Addr};
use std::str::FromStr;

use super::path;

/// A request as seen from outside; unknown parts are empty.
#[derive(Debug, Default)]
pub(crate) struct ClientView {
    pub(super) address: Option<IpAddr>,
    pub(super) scheme: Option<String>,
    pub(super) host: Option<String>,
    /// The part of the path that a proxy has removed.
    pub(super) prefix: String,
    pub(super) url: Option<BaseUrl>,
}

impl ClientView {
    /// Checks the parts that pages and messages repeat.
    pub(super) fn check(&self) -> Result<(), String> {
        if let Some(scheme) = self.scheme.as_ref().filter(|scheme| !is_scheme(scheme)) {
            return Err(format!("expected http or https as the scheme that a proxy tells, found \"{}\"", cut(scheme)));
        }
        match self.host.as_ref().filter(|host| !is_host(host)) {
            Some(host) => Err(format!("expected a host as a proxy tells it, found \"{}\"", cut(host))),
            None => Ok(()),
        }
    }
}

/// The public URL of a service: all that comes before the path of a request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct BaseUrl {
    scheme: String,
    pub(super) host: String,
    /// Without a slash at its end.
    path: String,
    /// Set if it was written with one.
    has_slash: bool,
}

impl BaseUrl {
    /// Returns the URL without its path.
    pub(crate) fn origin(&self) -> String {
        format!("{}://{}", self.scheme, self.host)
    }

    /// Tests if it is the whole URL of a request for `/`: it has a path, without a slash at its end.
    pub(super) fn is_whole(&self) -> bool {
        !self.path.is_empty() && !self.has_slash
    }

    /// Returns all that comes before the path of a request. A proxy may have removed the path of this URL, or not.
    pub(super) fn before(&self, path: &str) -> String {
        let is_there = path.strip_prefix(&self.path[..]).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'));
        if is_there { self.origin() } else { self.origin() + &self.path }
    }
}

impl FromStr for BaseUrl {
    type Err = String;

    fn from_str(url: &str) -> Result<BaseUrl, String> {
        let expected = || format!("expected a URL as \"https://api.example/path\", found \"{}\"", cut(url));
        let (scheme, rest) = url.split_once("://").ok_or_else(expected)?;
        let scheme = scheme.to_ascii_lowercase();
        let (host, path) = rest.split_at(rest.find('/').unwrap_or(rest.len()));
        let is_known = is_scheme(&scheme) && is_host(host) && !path.contains(['?', '#']);
        let path = path::normal(path).filter(|path| is_known && path.len() <= MAX_PATH).ok_or_else(expected)?;
        let host = match split_port(host) {
            (name, Some(port)) if port == default_port(&scheme) => name,
            _ => host,
        };
        let has_slash = path.ends_with('/');
        let path = path.trim_end_matches('/').to_owned();
        Ok(BaseUrl { host: host.to_ascii_lowercase(), path, has_slash, scheme })
    }
}

/// The most octets of a path: more than any web server in front takes, and little beside a page that repeats it.
pub(super) const MAX_PATH: usize = 2048;
const MAX_PORT_DIGITS: usize = 5;
/// The most octets of a host's name (RFC 1035 §2.3.4, without the dots at its ends).
const MAX_HOST_NAME: usize = 253;

/// Tests if a text is a host with an optional port (RFC 3986 §3.2.2): a name, or an IPv6 address in brackets.
pub(super) fn is_host(host: &str) -> bool {
    let (name, port) = split_port(host);
    let is_name = |name: &str| {
        let is_known = |octet: u8| octet.is_ascii_alphanumeric() || b"-._~%!$&'()*+,;=".contains(&octet);
        !name.is_empty() && name.len() <= MAX_HOST_NAME && name.bytes().all(is_known)
    };
    let address = name.strip_prefix('[').and_then(|rest| rest.strip_suffix(']'));
    port.is_none_or(is_port) && address.map_or_else(|| is_name(name), |address| address.parse::<Ipv6Addr>().is_ok())
}

pub(crate) fn is_scheme(scheme: &str) -> bool {
    scheme.eq_ignore_ascii_case("http") || scheme.eq_ignore_ascii_case("https")
}

/// Returns the default port of a scheme.
pub(crate) fn default_port(scheme: &str) -> &'static str {
    if scheme.eq_ignore_ascii_case("https") { "443" } else { "80" }
}

pub(super) fn is_port(port: &str) -> bool {
    port.len() <= MAX_PORT_DIGITS && port.bytes().all(|octet| octet.is_ascii_digit())
}

/// Shortens a request's text for a message.
pub(super) fn cut(text: &str) -> String {
    text.chars().take(100).flat_map(char::escape_debug).collect()
}

/// Splits `host:port`; the port is `None` if there is none. An IPv6 address is in brackets.
pub(crate) fn split_port(host: &str) -> (&str, Option<&str>) {
    match host.rsplit_once(':') {
        Some((name, port)) if !port.contains(']') => (name, Some(port)),
        _ => (host, None),
    }
}

/// Tests whether a host's name, as `Host` has it, is one of this machine alone.
pub(crate) fn is_local_host(host: &str) -> bool {
    let name = split_port(host).0;
    let ip = name.trim_start_matches('[').trim_end_matches(']').parse::<IpAddr>();
    name.eq_ignore_ascii_case("localhost") || ip.is_ok_and(|ip| ip.is_loopback())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn base(url: &str) -> BaseUrl {
        url.parse().unwrap()
    }

    #[test]
    fn urls_roundtrip() {
        for url in ["https://api.example", "http://[::1]:8080/a/b", "https://h.example:80/~ann", "http://h/%C3%BC"] {
            let parsed = base(url);
            let written = parsed.before("/not/there");
            assert_eq!(written, url);
            assert_eq!(base(&written), parsed);
        }
    }

    /// Forms that mean the same by RFC 3986 §6.2.2 and §6.2.3.
    #[test]
    fn urls_spec() {
        for (url, origin, before, is_whole) in [
            ("HTTPS://API.Example:443/", "https://api.example", "https://api.example", false),
            ("http://h:80/%7Eann/./x/", "http://h", "http://h/~ann/x", false),
            ("http://h/app", "http://h", "http://h/app", true),
            ("http://h:443/app/", "http://h:443", "http://h:443/app", false),
        ] {
            let url = base(url);
            assert_eq!((&url.origin()[..], &url.before("/")[..], url.is_whole()), (origin, before, is_whole));
        }
        for (path, expected) in
            [("/app", "http://h"), ("/app/x", "http://h"), ("/application", "http://h/app"), ("/x/app", "http://h/app")]
        {
            assert_eq!(base("http://h/app").before(path), expected, "{path}");
        }
        for (host, name, port) in [
            ("h", "h", None),
            ("h:81", "h", Some("81")),
            ("h:", "h", Some("")),
            ("[::1]", "[::1]", None),
            ("[::1]:81", "[::1]", Some("81")),
        ] {
            assert_eq!(split_port(host), (name, port));
            assert!(is_host(host), "{host}");
        }
        for host in ["localhost", "LOCALHOST:81", "127.0.0.2", "[::1]:81"] {
            assert!(is_local_host(host), "{host}");
        }
    }

    #[test]
    fn urls_invalid() {
        let long = format!("http://h/{}", "a".repeat(MAX_PATH));
        for url in [
            "",
            "h.example",
            "ftp://h",
            "http://",
            "http://h h",
            "http://h/?a",
            "http://h/#a",
            "http://h:99999999",
            &long,
        ] {
            let found: String = url.chars().take(100).collect();
            let expected = format!("expected a URL as \"https://api.example/path\", found \"{found}\"");
            assert_eq!(url.parse::<BaseUrl>(), Err(expected));
        }
        for host in ["", ":81", "h:x", "h:123456", "[::1", "[h]", "h/", "a@b", "h\n", &"a".repeat(254)] {
            assert!(!is_host(host), "{host:?}");
        }
        for host in ["localhost.example", "128.0.0.1", "[::2]", ""] {
            assert!(!is_local_host(host), "{host}");
        }
    }

    #[test]
    fn seen_invalid() {
        let seen = |scheme: &str, host: &str| {
            ClientView { scheme: Some(scheme.into()), host: Some(host.into()), ..ClientView::default() }.check()
        };
        assert_eq!(seen("HTTPS", "h:81"), Ok(()));
        assert_eq!(ClientView::default().check(), Ok(()));
        let expected = "expected http or https as the scheme that a proxy tells, found \"ws\\n\"";
        assert_eq!(seen("ws\n", "h"), Err(expected.into()));
        assert_eq!(seen("http", "h h"), Err("expected a host as a proxy tells it, found \"h h\"".into()));
    }
}
