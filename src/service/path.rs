//! Paths of URLs in a normal form, so that equivalent ones are equal (RFC 3986 §6.2.2).

/// Tests whether an octet of a path needs no encoding: `pchar` and `/` (§3.3).
fn is_plain(octet: u8) -> bool {
    is_unreserved(octet) || b"!$&'()*+,;=:@/".contains(&octet)
}

/// Tests whether an octet means the same encoded or not (§2.3).
fn is_unreserved(octet: u8) -> bool {
    octet.is_ascii_alphanumeric() || b"-._~".contains(&octet)
}

/// Returns the normal form of a path: unreserved octets decoded, other escapes in upper case, all else encoded that
/// must be, and no dot segments. `None` for a path with both an empty and a dot segment: servers disagree on what the
/// dots remove there.
pub(crate) fn normal(path: &str) -> Option<String> {
    let path = with_normal_escapes(path.as_bytes());
    let segments = || path.split('/').skip(1);
    let has_dots = segments().any(|segment| matches!(segment, "." | ".."));
    if !has_dots {
        return Some(path);
    }
    // the last one is empty where the path ends in a slash
    let count = segments().count();
    if segments().take(count.saturating_sub(1)).any(str::is_empty) {
        return None;
    }
    let mut kept: Vec<&str> = Vec::new();
    for segment in segments() {
        match segment {
            "." => {}
            ".." => _ = kept.pop(),
            segment => kept.push(segment),
        }
    }
    // dots at the end leave the slash before them
    if path.ends_with("/.") || path.ends_with("/..") {
        kept.push("");
    }
    Some(format!("/{}", kept.join("/")))
}

fn with_normal_escapes(path: &[u8]) -> String {
    let mut normal = String::with_capacity(path.len());
    let mut rest = path;
    while let [octet, behind @ ..] = rest {
        let meant = escaped(octet, behind);
        rest = if meant.is_some() { &behind[2..] } else { behind };
        match meant {
            Some(meant) if is_unreserved(meant) => normal.push(char::from(meant)),
            Some(meant) => push_escape(meant, &mut normal),
            None if is_plain(*octet) => normal.push(char::from(*octet)),
            None => push_escape(*octet, &mut normal),
        }
    }
    normal
}

/// Returns the octet that an escape stands for, if one begins here.
fn escaped(octet: &u8, behind: &[u8]) -> Option<u8> {
    let digit = |octet: &u8| char::from(*octet).to_digit(16).map(|digit| digit as u8);
    match behind {
        [high, low, ..] if *octet == b'%' => Some(digit(high)? << 4 | digit(low)?),
        _ => None,
    }
}

fn push_escape(octet: u8, out: &mut String) {
    const DIGITS: &[u8; 16] = b"0123456789ABCDEF";

    out.push('%');
    out.extend([octet >> 4, octet & 15].map(|digit| char::from(DIGITS[usize::from(digit)])));
}

/// Encodes a path that has no escapes, as CGI passes it (RFC 3875 §4.1.5).
pub(crate) fn encoded(octets: &[u8]) -> String {
    let mut encoded = String::with_capacity(octets.len());
    for octet in octets {
        match is_plain(*octet) {
            true => encoded.push(char::from(*octet)),
            false => push_escape(*octet, &mut encoded),
        }
    }
    encoded
}

/// Decodes a path to octets, as CGI passes it.
pub(crate) fn decoded(path: &str) -> Vec<u8> {
    let mut octets = Vec::with_capacity(path.len());
    let mut rest = path.as_bytes();
    while let [octet, behind @ ..] = rest {
        let meant = escaped(octet, behind);
        octets.push(meant.unwrap_or(*octet));
        rest = if meant.is_some() { &behind[2..] } else { behind };
    }
    octets
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_form() {
        for (path, expected) in [
            ("/", Some("/")),
            ("/RPC2", Some("/RPC2")),
            ("/%7Eann/x", Some("/~ann/x")),
            ("/%52PC2", Some("/RPC2")),
            ("/a%2fb", Some("/a%2Fb")),
            ("/a%2Fb", Some("/a%2Fb")),
            ("/\u{FC}", Some("/%C3%BC")),
            ("/%c3%bc", Some("/%C3%BC")),
            ("/a b\"", Some("/a%20b%22")),
            ("/100%", Some("/100%25")),
            ("/%zz", Some("/%25zz")),
            ("/a/./b", Some("/a/b")),
            ("/a/../b", Some("/b")),
            ("/a/%2e%2E/b", Some("/b")),
            ("/a/.", Some("/a/")),
            ("/a/b/..", Some("/a/")),
            ("/../../a", Some("/a")),
            ("/a//b", Some("/a//b")),
            ("/a/", Some("/a/")),
            ("/a/../", Some("/")),
            ("/a//../b", None),
            ("//./a", None),
            ("*", Some("*")),
            ("", Some("")),
        ] {
            assert_eq!(normal(path).as_deref(), expected, "{path}");
        }
    }

    #[test]
    fn with_escapes_and_without() {
        assert_eq!(encoded("/a b/ü%".as_bytes()), "/a%20b/%C3%BC%25");
        assert_eq!(decoded("/a%20b/%C3%bc%25%2"), "/a b/ü%%2".as_bytes());
    }
}
