//! The wire formats of calls: XML-RPC and JSON-RPC.

pub(crate) mod jsonrpc;
pub mod xmlrpc;

/// The protocols that share a URL.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Protocol {
    XmlRpc,
    JsonRpc,
}

impl Protocol {
    /// Returns the protocol of a document: the one its first significant octet belongs to. If that is neither's, the
    /// media type decides which of them refuses it.
    pub(crate) fn of(document: &[u8], media_type: Option<&str>) -> Protocol {
        // white space, byte order marks, and the zero octets beside ASCII in UTF-16
        let is_significant =
            |octet: &&u8| !matches!(octet, b' ' | b'\t' | b'\r' | b'\n' | 0 | 0xEF | 0xBB | 0xBF | 0xFE | 0xFF);
        match document.iter().find(is_significant) {
            Some(b'<') => Protocol::XmlRpc,
            Some(b'{' | b'[') => Protocol::JsonRpc,
            _ if media_type.is_some_and(is_json) => Protocol::JsonRpc,
            _ => Protocol::XmlRpc,
        }
    }
}

/// Tests whether a media type is one that clients send JSON-RPC with.
fn is_json(media_type: &str) -> bool {
    let known = ["application/json", "application/json-rpc", "application/jsonrequest"];
    known.iter().any(|known| media_type.eq_ignore_ascii_case(known))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_significant_octet_decides() {
        let utf16 = |text: &str| text.encode_utf16().flat_map(u16::to_le_bytes).collect::<Vec<u8>>();
        for media_type in [None, Some("text/xml"), Some("application/json")] {
            for document in ["{}", " \r\n\t[", "\u{FEFF}{"] {
                assert_eq!(Protocol::of(document.as_bytes(), media_type), Protocol::JsonRpc, "{document:?}");
                assert_eq!(Protocol::of(&utf16(document), media_type), Protocol::JsonRpc, "{document:?}");
            }
            for document in ["<a/>", "\n<", "\u{FEFF}<"] {
                assert_eq!(Protocol::of(document.as_bytes(), media_type), Protocol::XmlRpc, "{document:?}");
                assert_eq!(Protocol::of(&utf16(document), media_type), Protocol::XmlRpc, "{document:?}");
            }
        }
    }

    #[test]
    fn where_it_does_not_the_media_type_does() {
        for document in ["", "  ", "nonsense", "\"x\"", "5"] {
            for media_type in ["application/json", "Application/JSON-RPC", "application/jsonrequest"] {
                assert_eq!(Protocol::of(document.as_bytes(), Some(media_type)), Protocol::JsonRpc);
            }
            for media_type in [None, Some("text/xml"), Some("application/jsonp")] {
                assert_eq!(Protocol::of(document.as_bytes(), media_type), Protocol::XmlRpc);
            }
        }
    }
}
