//! A request as its client sees it: at the public URL of the service, from the address that proxies tell.
//!
//! Proxies describe a request in headers, which any client can send too: they count only if the peer is a trusted
//! proxy.

use std::net::{IpAddr, SocketAddr};

use http::StatusCode;
use ipnet::IpNet;

use super::path;
use super::request::Request;
use super::response::Response;
use super::url::{BaseUrl, ClientView, MAX_PATH, cut};

/// The headers by which [trusted proxies](crate::Server::trusted_proxies) describe the request of their client.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Forwarded {
    /// By `X-Forwarded-For`, `X-Forwarded-Proto`, `X-Forwarded-Host` and `X-Forwarded-Prefix`.
    #[default]
    XForwarded,
    /// By `Forwarded` (RFC 7239).
    Rfc7239,
}

/// The URL of a service, and the proxies in front of it.
#[derive(Clone, Debug, Default)]
pub(crate) struct Surroundings {
    pub(crate) url: Option<BaseUrl>,
    pub(crate) proxies: Vec<IpNet>,
    pub(crate) forwarded: Forwarded,
}

impl Surroundings {
    /// Has a request seen as its client sees it.
    ///
    /// # Errors
    /// The response to a request for which a proxy tells what cannot be meant: 400.
    pub(crate) fn apply_to(&self, request: &Request) -> Result<(), Response> {
        if !self.are_plain() {
            request.set_seen(self.see(request).map_err(|message| Response::text(StatusCode::BAD_REQUEST, message))?);
        }
        Ok(())
    }

    /// Tests if neither a URL nor proxies are known, so that a request is what it seems.
    pub(crate) fn are_plain(&self) -> bool {
        self.url.is_none() && self.proxies.is_empty()
    }

    /// Returns the request as its client sees it.
    ///
    /// # Errors
    /// A message: what was expected, and what a proxy says instead.
    pub(crate) fn see(&self, request: &Request) -> Result<ClientView, String> {
        let seen = match self.trusted_peer(request) {
            None => ClientView::default(),
            Some(peer) => match self.forwarded {
                Forwarded::XForwarded => self.by_x_forwarded(request, peer)?,
                Forwarded::Rfc7239 => self.by_forwarded(request, peer)?,
            },
        };
        seen.check()?;
        Ok(ClientView { url: self.url.clone(), ..seen })
    }

    /// Tests if a request may have been sent to this host: by the service's URL, or as a trusted proxy tells.
    pub(crate) fn is_own_host(&self, request: &Request) -> bool {
        let host = request.host();
        let is_of_url = |url: &BaseUrl| host.as_ref().is_some_and(|host| url.host.eq_ignore_ascii_case(host));
        let headers: &[&str] = match self.forwarded {
            Forwarded::XForwarded => &["HTTP_X_FORWARDED_FOR", "HTTP_X_FORWARDED_HOST", "HTTP_X_FORWARDED_PROTO"],
            Forwarded::Rfc7239 => &["HTTP_FORWARDED"],
        };
        self.url.as_ref().is_some_and(is_of_url)
            || self.trusted_peer(request).is_some() && headers.iter().any(|name| request.variable(name).is_some())
    }

    /// Returns the address that the request came from, if it is a trusted proxy's.
    fn trusted_peer(&self, request: &Request) -> Option<IpAddr> {
        let peer = request.variable("REMOTE_ADDR")?.parse().ok()?;
        Some(peer).filter(|peer| self.trusts(*peer))
    }

    fn trusts(&self, address: IpAddr) -> bool {
        let address = address.to_canonical();
        self.proxies.iter().any(|proxies| proxies.contains(&address))
    }

    fn by_x_forwarded(&self, request: &Request, peer: IpAddr) -> Result<ClientView, String> {
        let last = |name: &str| {
            let values = request.variable(name)?;
            values.rsplit(',').map(str::trim).find(|value| !value.is_empty()).map(str::to_owned)
        };
        let addresses = request.variable("HTTP_X_FORWARDED_FOR").unwrap_or_default();
        let prefix = last("HTTP_X_FORWARDED_PREFIX").unwrap_or_default();
        let is_path = prefix.is_empty() || prefix.starts_with('/') && prefix.len() <= MAX_PATH;
        let normal = path::normal(&prefix).filter(|_| is_path);
        let found = || format!("expected a path as X-Forwarded-Prefix, found \"{}\"", cut(&prefix));
        let normal = normal.ok_or_else(found)?;
        Ok(ClientView {
            address: Some(self.client(peer, addresses.rsplit(',').map(str::trim))),
            scheme: last("HTTP_X_FORWARDED_PROTO").map(|scheme| scheme.to_ascii_lowercase()),
            host: last("HTTP_X_FORWARDED_HOST"),
            prefix: normal.trim_end_matches('/').to_owned(),
            url: None,
        })
    }

    fn by_forwarded(&self, request: &Request, peer: IpAddr) -> Result<ClientView, String> {
        let header = request.variable("HTTP_FORWARDED").unwrap_or_default();
        let elements = elements(&header).ok_or("expected a closing quote in Forwarded, found none")?;
        let value = |element: &[(String, String)], name: &str| {
            element.iter().find(|(known, _)| known == name).map(|(_, value)| value.clone())
        };
        let addresses: Vec<String> =
            elements.iter().rev().map(|element| value(element, "for").unwrap_or_default()).collect();
        let last = |name: &str| elements.iter().rev().find_map(|element| value(element, name));
        Ok(ClientView {
            address: Some(self.client(peer, addresses.iter().map(String::as_str))),
            scheme: last("proto").map(|scheme| scheme.to_ascii_lowercase()),
            host: last("host"),
            prefix: String::new(),
            url: None,
        })
    }

    /// Returns the nearest address that is not a trusted proxy's; `told` are the addresses that proxies tell, the
    /// nearest first.
    fn client<'a>(&self, peer: IpAddr, told: impl Iterator<Item = &'a str>) -> IpAddr {
        let mut client = peer;
        for address in told.map_while(address) {
            client = address;
            if !self.trusts(address) {
                break;
            }
        }
        client
    }
}

/// The headers that proxies add, some of which tell the client's address.
const FORWARDING: [&str; 9] = [
    "HTTP_FORWARDED",
    "HTTP_VIA",
    "HTTP_X_FORWARDED_FOR",
    "HTTP_X_FORWARDED_HOST",
    "HTTP_X_FORWARDED_PORT",
    "HTTP_X_FORWARDED_PREFIX",
    "HTTP_X_FORWARDED_PROTO",
    "HTTP_X_FORWARDED_SERVER",
    "HTTP_X_REAL_IP",
];

/// Tests if a proxy says that it has forwarded the request.
pub(crate) fn is_forwarded(request: &Request) -> bool {
    FORWARDING.into_iter().any(|name| request.variable(name).is_some())
}

/// Reads the address of a proxy, or of a network of proxies.
///
/// # Errors
/// A message: what was expected, and what was found.
pub(crate) fn network(text: &str) -> Result<IpNet, String> {
    let address = text.parse::<IpAddr>().map(|address| IpNet::from(address.to_canonical()));
    address.or_else(|_| text.parse()).map_err(|_| {
        let shown = text.escape_debug();
        format!("expected an address as \"127.0.0.1\", or a network as \"10.0.0.0/8\", found \"{shown}\"")
    })
}

/// Reads an address as proxies write it: alone, or with a port.
fn address(text: &str) -> Option<IpAddr> {
    let text = text.trim_matches('"');
    let bare = text.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')).unwrap_or(text);
    bare.parse().ok().or_else(|| text.parse::<SocketAddr>().ok().map(|address| address.ip()))
}

/// Splits `Forwarded` (RFC 7239 §4) into elements, each with its pairs: names in lower case, values without quotes.
/// `None` if a quote stays open: it would hide what a proxy has added behind it.
fn elements(header: &str) -> Option<Vec<Vec<(String, String)>>> {
    let pair = |pair: &str| {
        let (name, value) = pair.split_once('=')?;
        Some((name.trim().to_ascii_lowercase(), value.trim().replace(['"', '\\'], "")))
    };
    let split = |element: &str| Some(unquoted(element, ';')?.into_iter().filter_map(pair).collect());
    unquoted(header, ',')?.into_iter().map(split).collect()
}

/// Splits a text at separators outside quotes; `None` if a quote stays open.
fn unquoted(text: &str, separator: char) -> Option<Vec<&str>> {
    let (mut is_quoted, mut is_escaped) = (false, false);
    let parts = text.split(|character| {
        let is_end = character == separator && !is_quoted;
        is_quoted ^= character == '"' && !is_escaped;
        is_escaped = is_quoted && character == '\\' && !is_escaped;
        is_end
    });
    let parts = parts.collect();
    (!is_quoted).then_some(parts)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn proxies(forwarded: Forwarded) -> Surroundings {
        let proxies = ["127.0.0.0/8", "10.0.0.7/32", "::1/128"].map(|network| network.parse().unwrap()).to_vec();
        Surroundings { url: None, proxies, forwarded }
    }

    fn request(peer: &'static str, header: &'static str, value: &'static str) -> Request {
        let lookup = move |name: &str| match name {
            "REMOTE_ADDR" => Some(peer.as_bytes().into()),
            "HTTP_HOST" => Some(b"inner.example"[..].into()),
            name if name == header => Some(value.as_bytes().into()),
            _ => None,
        };
        Request::new(lookup, Vec::new())
    }

    #[test]
    fn the_rightmost_address_that_is_not_trusted() {
        for (peer, told, expected) in [
            ("127.0.0.1", "192.0.2.7", Some("192.0.2.7")),
            ("127.0.0.1", "6.6.6.6, 192.0.2.7", Some("192.0.2.7")),
            ("127.0.0.1", "192.0.2.7, 10.0.0.7", Some("192.0.2.7")),
            ("127.0.0.1", "192.0.2.7,10.0.0.7,127.0.0.2", Some("192.0.2.7")),
            ("127.0.0.1", "10.0.0.7", Some("10.0.0.7")),
            ("127.0.0.1", "192.0.2.7:4711", Some("192.0.2.7")),
            ("::1", "[2001:db8::1]:80", Some("2001:db8::1")),
            ("::ffff:127.0.0.1", "2001:db8::1", Some("2001:db8::1")),
            ("127.0.0.1", "192.0.2.7, unknown", Some("127.0.0.1")),
            ("127.0.0.1", "192.0.2.7, junk, 10.0.0.7", Some("10.0.0.7")),
            ("127.0.0.1", "", Some("127.0.0.1")),
            ("192.0.2.9", "192.0.2.7", None),
        ] {
            let seen = proxies(Forwarded::XForwarded).see(&request(peer, "HTTP_X_FORWARDED_FOR", told)).unwrap();
            assert_eq!(seen.address.map(|address| address.to_string()).as_deref(), expected, "{peer} {told}");
        }
    }

    #[test]
    fn forwarded_as_its_rfc_has_it() {
        let header = "for=6.6.6.6;host=evil.example, For=\"[2001:db8:cafe::17]:4711\";Proto=https;by=x;host=\"a.example\", for=10.0.0.7";
        let seen = proxies(Forwarded::Rfc7239).see(&request("127.0.0.1", "HTTP_FORWARDED", header)).unwrap();
        assert_eq!(seen.address.unwrap().to_string(), "2001:db8:cafe::17");
        assert_eq!((seen.scheme.as_deref(), seen.host.as_deref()), (Some("https"), Some("a.example")));
        let seen = proxies(Forwarded::Rfc7239).see(&request("127.0.0.1", "HTTP_FORWARDED", "for=\"a,b;c\"")).unwrap();
        assert_eq!(seen.address.unwrap().to_string(), "127.0.0.1");
    }

    /// An open quote would swallow what the proxy adds.
    #[test]
    fn a_quote_that_stays_open_is_refused() {
        for header in ["for=6.6.6.6;x=\", for=192.0.2.7", "for=\"6.6.6.6, for=192.0.2.7", "for=\"a\\\""] {
            assert!(
                proxies(Forwarded::Rfc7239).see(&request("127.0.0.1", "HTTP_FORWARDED", header)).is_err(),
                "{header}"
            );
        }
    }

    #[test]
    fn one_of_the_two_and_never_both() {
        let seen = proxies(Forwarded::Rfc7239).see(&request("127.0.0.1", "HTTP_X_FORWARDED_FOR", "192.0.2.7")).unwrap();
        assert_eq!(seen.address.unwrap().to_string(), "127.0.0.1");
        let seen =
            proxies(Forwarded::XForwarded).see(&request("127.0.0.1", "HTTP_FORWARDED", "for=192.0.2.7")).unwrap();
        assert_eq!(seen.address.unwrap().to_string(), "127.0.0.1");
    }

    #[test]
    fn what_cannot_be_meant() {
        for (header, value) in [
            ("HTTP_X_FORWARDED_PROTO", "gopher"),
            ("HTTP_X_FORWARDED_HOST", "a b"),
            ("HTTP_X_FORWARDED_HOST", "a.example:123456"),
            ("HTTP_X_FORWARDED_PREFIX", "app"),
        ] {
            assert!(proxies(Forwarded::XForwarded).see(&request("127.0.0.1", header, value)).is_err(), "{value}");
            assert!(proxies(Forwarded::XForwarded).see(&request("192.0.2.9", header, value)).is_ok(), "{value}");
        }
    }

    #[test]
    fn base_urls() {
        for (url, path, expected) in [
            ("https://a.example", "/RPC2", "https://a.example"),
            ("HTTPS://A.Example:443/", "/RPC2", "https://a.example"),
            ("https://a.example:8443/app/", "/RPC2", "https://a.example:8443/app"),
            ("https://a.example/app", "/app/RPC2", "https://a.example"),
            ("https://a.example/app", "/apple", "https://a.example/app"),
            ("http://[::1]:80/app", "/", "http://[::1]/app"),
        ] {
            assert_eq!(url.parse::<BaseUrl>().unwrap().before(path), expected, "{url} {path}");
        }
        for url in [
            "",
            "a.example",
            "ftp://a.example",
            "https://",
            "https://a b",
            "https://u@a.example",
            "https://a/?b",
            "https://a/#b",
        ] {
            assert!(url.parse::<BaseUrl>().is_err(), "{url}");
        }
    }
}
