//! Text as XML writes it.

use memchr::memchr3;

use super::well_formed::is_allowed;

/// Appends text with markup characters escaped, and CR, which would come back as LF. A character that XML forbids
/// becomes U+FFFD.
#[inline]
pub(crate) fn escape(text: &str, out: &mut Vec<u8>) {
    /// The number of octets to look at one by one before a search is worth its start.
    const NEAR: usize = 16;

    let octets = text.as_bytes();
    let mut done = 0;
    loop {
        let near = octets.len().min(done + NEAR);
        let found = octets[done..near].iter().position(|octet| SPECIAL[usize::from(*octet)]).map(|at| done + at);
        let found = found.or_else(|| Some(near + find_special(&octets[near..])?));
        let Some(at) = found else {
            out.extend_from_slice(&octets[done..]);
            return;
        };
        out.extend_from_slice(&octets[done..at]);
        done = at + escape_one(text, at, out);
    }
}

/// The octets that need a closer look.
static SPECIAL: [bool; 256] = {
    let mut special = [false; 256];
    let mut octet = 0;
    while octet < 0x20 {
        special[octet] = !matches!(octet as u8, b'\t' | b'\n');
        octet += 1;
    }
    special[b'<' as usize] = true;
    special[b'>' as usize] = true;
    special[b'&' as usize] = true;
    special[0xEF] = true; // begins U+FFFE and U+FFFF
    special
};

fn find_special(octets: &[u8]) -> Option<usize> {
    /// Long enough for a fast search, short enough that a search in vain costs little.
    const PIECE: usize = 256;

    let mut start = 0;
    for piece in octets.chunks(PIECE) {
        let markup = memchr3(b'<', b'>', b'&', piece);
        let piece = &piece[..markup.unwrap_or(piece.len())];
        // no early exit: so the loop runs over many octets at a time
        let other = |octet: u8| (octet < 0x20 && !matches!(octet, b'\t' | b'\n')) || octet == 0xEF;
        if piece.iter().fold(false, |found, octet| found | other(*octet)) {
            return piece.iter().position(|octet| other(*octet)).map(|at| start + at);
        }
        if markup.is_some() {
            return Some(start + piece.len());
        }
        start += PIECE;
    }
    None
}

/// Appends the escape for the special character at an octet, and returns how many octets that character has.
fn escape_one(text: &str, at: usize, out: &mut Vec<u8>) -> usize {
    let octets = &text.as_bytes()[at..];
    match octets[0] {
        b'<' => out.extend_from_slice(b"&lt;"),
        b'>' => out.extend_from_slice(b"&gt;"),
        b'&' => out.extend_from_slice(b"&amp;"),
        b'\r' => out.extend_from_slice(b"&#13;"),
        0xEF => {
            let character = &octets[..3];
            let allowed = text[at..].chars().next().is_some_and(is_allowed);
            out.extend_from_slice(if allowed { character } else { "\u{FFFD}".as_bytes() });
            return 3;
        }
        _ => out.extend_from_slice("\u{FFFD}".as_bytes()),
    }
    1
}

#[cfg(test)]
mod tests {
    use super::*;

    fn escaped(text: &str) -> String {
        let mut out = Vec::new();
        escape(text, &mut out);
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn markup_roundtrip() {
        // around the lengths at which the search changes
        for length in [0, 1, 15, 16, 17, 31, 255, 271, 272, 273, 600] {
            for special in ["", "<", ">", "&", "\r", "&lt;", "\u{FFFD}", "ü\u{F000}"] {
                let text = ["x".repeat(length), special.to_owned(), "y".repeat(length), special.to_owned()].concat();
                let read = escaped(&text).replace("&lt;", "<").replace("&gt;", ">").replace("&#13;", "\r");
                assert_eq!(read.replace("&amp;", "&"), text, "{length} {special:?}");
            }
        }
    }

    /// The characters that XML 1.0 §2.4 and §2.11 ask to escape, and those that it need not.
    #[test]
    fn markup_spec() {
        for (text, expected) in [
            ("", ""),
            ("AT&T", "AT&amp;T"),
            ("<a>]]></a>", "&lt;a&gt;]]&gt;&lt;/a&gt;"),
            ("\"'", "\"'"),
            ("\t\r\n", "\t&#13;\n"),
            ("ü\u{F8FF}\u{FFFD}\u{1D11E}\u{7F}\u{85}", "ü\u{F8FF}\u{FFFD}\u{1D11E}\u{7F}\u{85}"),
        ] {
            assert_eq!(escaped(text), expected);
        }
    }

    #[test]
    fn forbidden_characters_invalid() {
        for forbidden in ["\0", "\u{1}", "\u{8}", "\u{B}", "\u{C}", "\u{1F}", "\u{FFFE}", "\u{FFFF}"] {
            for length in [0, 16, 300] {
                let (before, after) = ("x".repeat(length), "y");
                let expected = format!("{before}\u{FFFD}{after}");
                assert_eq!(escaped(&format!("{before}{forbidden}{after}")), expected, "{forbidden:?}");
            }
        }
    }
}
