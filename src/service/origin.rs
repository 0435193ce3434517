//! Access of web pages that make calls from a browser.
//!
//! A browser lets any page send some POSTs anywhere, with the user's cookies. So a call that a browser marks as coming
//! from another site is refused, unless that site was named; and the named ones get the headers that let them read the
//! answer (CORS).

use http::StatusCode;
use http::header::{self, HeaderValue};

use super::request::Request;
use super::response::Response;
use super::url::{default_port, is_scheme, split_port};

/// The hint for a page whose Host a proxy may have changed.
const REWRITTEN: &str = "; if it is the service's own, a proxy has sent another Host than the browser: set `url`, or \
    `trusted_proxies`, to say what it is";

/// The origins that may call, besides this host's own.
#[derive(Clone, Debug, Default)]
pub(crate) struct Origins(Vec<String>);

impl Origins {
    pub(crate) fn allow(&mut self, origin: String) {
        self.0.push(as_sent(&origin));
    }

    fn allows(&self, origin: &str) -> bool {
        self.0.iter().any(|allowed| allowed == "*" || allowed.eq_ignore_ascii_case(origin))
    }

    /// Refuses a call from a page of another site.
    ///
    /// # Errors
    /// A response: 403.
    pub(crate) fn check(&self, request: &Request) -> Result<(), Response> {
        let origin = request.variable("HTTP_ORIGIN");
        let site = request.variable("HTTP_SEC_FETCH_SITE");
        // behind a proxy that sends another Host, only the browser knows
        let is_own_page = site.is_some_and(|site| site.eq_ignore_ascii_case("same-origin"));
        if is_own_page || origin.as_ref().is_some_and(|origin| self.allows(origin)) {
            return Ok(());
        }
        let cross_site =
            request.variable("HTTP_SEC_FETCH_SITE").is_some_and(|site| site.eq_ignore_ascii_case("cross-site"));
        let foreign = origin.as_ref().filter(|origin| !is_own(origin, request));
        if !cross_site && foreign.is_none() {
            return Ok(());
        }
        let is_host = origin.as_ref().is_some_and(|origin| origin.contains("://"));
        let hint = if cross_site || !is_host { "" } else { REWRITTEN };
        let origin = origin.map(|origin| format!(" \"{}\"", origin.escape_debug())).unwrap_or_default();
        Err(Response::text(StatusCode::FORBIDDEN, format!("pages of the origin{origin} may not make calls here{hint}")))
    }

    /// Refuses a form that is not on a page of this host, by what the browser says: `Sec-Fetch-Site`, else `Origin`,
    /// else `Referer`. A browser that says nothing passes if `lets_silent` is set.
    ///
    /// # Errors
    /// A response: 403.
    pub(crate) fn check_form(request: &Request, lets_silent: bool) -> Result<(), Response> {
        let said = ["HTTP_SEC_FETCH_SITE", "HTTP_ORIGIN", "HTTP_REFERER"];
        let said = said.into_iter().find_map(|name| Some((name, request.variable(name)?)));
        let is_own = match &said {
            Some(("HTTP_SEC_FETCH_SITE", site)) => site.eq_ignore_ascii_case("same-origin"),
            Some((_, url)) => is_own(&origin_of(url), request),
            None => lets_silent,
        };
        let hint = match said {
            Some(("HTTP_SEC_FETCH_SITE", _)) | None => "",
            Some(_) => REWRITTEN,
        };
        match is_own {
            true => Ok(()),
            false => {
                let message = format!("a form is taken only from the page of this service{hint}");
                Err(Response::text(StatusCode::FORBIDDEN, message))
            }
        }
    }

    /// Adds the headers that let the page of a named origin read this response.
    pub(crate) fn expose(&self, request: &Request, response: Response) -> Response {
        if self.0.is_empty() {
            return response;
        }
        let response = response.with(header::VARY, HeaderValue::from_static("Origin"));
        let origin = request.variable("HTTP_ORIGIN").filter(|origin| self.allows(origin));
        match origin.and_then(|origin| HeaderValue::from_str(&origin).ok()) {
            Some(origin) => response.with(header::ACCESS_CONTROL_ALLOW_ORIGIN, origin),
            None => response,
        }
    }

    /// Adds the answer to a preflight request to the response to OPTIONS.
    pub(crate) fn preflight(&self, request: &Request, response: Response) -> Response {
        if !request.variable("HTTP_ORIGIN").is_some_and(|origin| self.allows(&origin)) {
            return response;
        }
        response
            .with(header::ACCESS_CONTROL_ALLOW_METHODS, HeaderValue::from_static("POST"))
            .with(
                header::ACCESS_CONTROL_ALLOW_HEADERS,
                HeaderValue::from_static("Authorization, Content-Encoding, Content-Type"),
            )
            .with(header::ACCESS_CONTROL_MAX_AGE, HeaderValue::from_static("86400"))
    }
}

/// Returns an origin as browsers send it: in lower case, and without the default port of its scheme.
fn as_sent(origin: &str) -> String {
    let origin = origin.to_ascii_lowercase();
    match origin.split_once("://").map(|(scheme, host)| (scheme, split_port(host))) {
        Some((scheme, (name, Some(port)))) if is_scheme(scheme) && port == default_port(scheme) => {
            format!("{scheme}://{name}")
        }
        _ => origin,
    }
}

/// Returns a URL without its path.
fn origin_of(url: &str) -> String {
    let end = url.match_indices('/').nth(2).map_or(url.len(), |(at, _)| at);
    url[..end].to_owned()
}

/// Returns whether an origin is the host that the request was sent to. A host that came without its port may have lost
/// it on the way: then the server's own port counts.
fn is_own(origin: &str, request: &Request) -> bool {
    if request.own_origin().is_some_and(|own| own.eq_ignore_ascii_case(&as_sent(origin))) {
        return true;
    }
    let Some((scheme, origin)) = origin.split_once("://") else {
        return false;
    };
    let Some(host) = request.host() else {
        return false;
    };
    let (origin_name, origin_port) = split_port(origin);
    let (host_name, host_port) = split_port(&host);
    let same_port = match host_port {
        Some(port) => port == origin_port.unwrap_or(default_port(scheme)),
        None => origin_port.is_none_or(|port| request.variable("SERVER_PORT").is_some_and(|own| own == port)),
    };
    same_port && origin_name.eq_ignore_ascii_case(host_name)
}

#[cfg(test)]
mod tests {
    use super::*;

    type Variables = &'static [(&'static str, &'static str)];

    fn request(variables: Variables) -> Request {
        let lookup = move |name: &str| {
            let own = [("HTTP_HOST", "h.example"), ("SERVER_PORT", "80")];
            let found = variables.iter().chain(&own).find(|(key, _)| *key == name);
            found.map(|(_, value)| value.as_bytes().to_vec().into())
        };
        Request::new(lookup, Vec::new())
    }

    fn origins(allowed: &[&str]) -> Origins {
        let mut origins = Origins::default();
        allowed.iter().for_each(|origin| origins.allow((*origin).to_owned()));
        origins
    }

    fn told(result: Result<(), Response>) -> Option<(u16, String)> {
        let refusal = result.err()?;
        Some((refusal.status.as_u16(), String::from_utf8(refusal.body.to_vec()).unwrap()))
    }

    #[test]
    fn named_origins_roundtrip() {
        for (named, sent) in [
            ("https://app.example", "https://app.example"),
            ("HTTPS://App.Example:443", "https://app.example"),
            ("http://app.example:8080", "http://app.example:8080"),
            ("*", "https://app.example"),
            ("null", "null"),
        ] {
            let variables: Variables = vec![("HTTP_ORIGIN", sent), ("HTTP_SEC_FETCH_SITE", "cross-site")].leak();
            let (request, origins) = (request(variables), origins(&["https://other.example", named]));
            assert_eq!(told(origins.check(&request)), None, "{named}");
            let response = origins.expose(&request, Response::empty(StatusCode::OK));
            assert_eq!(response.header(&header::ACCESS_CONTROL_ALLOW_ORIGIN).unwrap(), sent);
            assert_eq!(response.header(&header::VARY).unwrap(), "Origin");
        }
    }

    /// Headers of the Fetch standard §3.2.
    #[test]
    fn preflight_spec() {
        let preflight = request(&[("HTTP_ORIGIN", "https://app.example")]);
        let answered = origins(&["https://app.example"]).preflight(&preflight, Response::empty(StatusCode::OK));
        for (name, value) in [
            (header::ACCESS_CONTROL_ALLOW_METHODS, "POST"),
            (header::ACCESS_CONTROL_ALLOW_HEADERS, "Authorization, Content-Encoding, Content-Type"),
            (header::ACCESS_CONTROL_MAX_AGE, "86400"),
        ] {
            assert_eq!(answered.header(&name).unwrap(), value);
        }
        let others = origins(&["https://x.example"]);
        let unnamed = others.expose(&preflight, others.preflight(&preflight, Response::empty(StatusCode::OK)));
        assert_eq!(unnamed.headers, [(header::VARY, HeaderValue::from_static("Origin"))]);
        let none = Origins::default().expose(&preflight, Response::empty(StatusCode::OK));
        assert!(none.headers.is_empty());
    }

    #[test]
    fn own_pages_spec() {
        let variables: [Variables; 6] = [
            &[],
            &[("HTTP_ORIGIN", "http://h.example")],
            &[("HTTP_ORIGIN", "http://H.Example:80")],
            &[("HTTP_ORIGIN", "https://public.example"), ("HTTP_SEC_FETCH_SITE", "same-origin")],
            &[("HTTP_ORIGIN", "http://h.example:81"), ("HTTP_HOST", "h.example:81")],
            &[("HTTP_SEC_FETCH_SITE", "none")],
        ];
        for variables in variables {
            assert_eq!(told(Origins::default().check(&request(variables))), None, "{variables:?}");
        }
        let forms: [Variables; 3] = [
            &[("HTTP_SEC_FETCH_SITE", "same-origin"), ("HTTP_ORIGIN", "https://x.example")],
            &[("HTTP_ORIGIN", "http://h.example")],
            &[("HTTP_REFERER", "http://h.example/page?a=b")],
        ];
        for variables in forms {
            assert_eq!(told(Origins::check_form(&request(variables), false)), None, "{variables:?}");
        }
        assert_eq!(told(Origins::check_form(&request(&[]), true)), None);
    }

    #[test]
    fn foreign_pages_invalid() {
        for (variables, expected) in [
            (
                &[("HTTP_ORIGIN", "https://evil.example")][..],
                format!("pages of the origin \"https://evil.example\" may not make calls here{REWRITTEN}\n"),
            ),
            (
                &[("HTTP_ORIGIN", "http://h.example:81")],
                format!("pages of the origin \"http://h.example:81\" may not make calls here{REWRITTEN}\n"),
            ),
            (&[("HTTP_ORIGIN", "null")], "pages of the origin \"null\" may not make calls here\n".into()),
            (&[("HTTP_SEC_FETCH_SITE", "Cross-Site")], "pages of the origin may not make calls here\n".into()),
            (
                &[("HTTP_ORIGIN", "http://h.example"), ("HTTP_SEC_FETCH_SITE", "cross-site")],
                "pages of the origin \"http://h.example\" may not make calls here\n".into(),
            ),
        ] {
            let refusal = told(origins(&["https://app.example"]).check(&request(variables)));
            assert_eq!(refusal, Some((403, expected)));
        }
    }

    #[test]
    fn foreign_forms_invalid() {
        let plain = "a form is taken only from the page of this service";
        for (variables, lets_silent, hint) in [
            (&[][..], false, ""),
            (&[("HTTP_SEC_FETCH_SITE", "same-site")], true, ""),
            (&[("HTTP_SEC_FETCH_SITE", "none"), ("HTTP_ORIGIN", "http://h.example")], true, ""),
            (&[("HTTP_ORIGIN", "null")], true, REWRITTEN),
            (&[("HTTP_REFERER", "http://h.example.evil/h.example")], true, REWRITTEN),
        ] {
            let refusal = told(Origins::check_form(&request(variables), lets_silent));
            assert_eq!(refusal, Some((403, format!("{plain}{hint}\n"))), "{variables:?}");
        }
    }
}
