//! `Content-Encoding`, both ways: gzip and deflate (RFC 9110 §8.4).

use std::borrow::Cow;
use std::io::{self, Read, Write};

use flate2::Compression;
use flate2::read::{DeflateDecoder, MultiGzDecoder, ZlibDecoder};
use flate2::write::{GzEncoder, ZlibEncoder};
use http::StatusCode;

use super::request::Request;
use super::response::Response;

/// The most octets of a body that is sent as it is: compressed, it would hardly save a packet.
const WORTH_COMPRESSING: usize = 1400;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Coding {
    Gzip,
    Deflate,
}

impl Coding {
    pub(crate) fn name(self) -> &'static str {
        match self {
            Coding::Gzip => "gzip",
            Coding::Deflate => "deflate",
        }
    }
}

/// Decodes a request's body, up to `limit` octets.
///
/// # Errors
/// A response: 415 for a coding that is not known, 400 for data that is not of its coding, 413 for more than `limit`.
pub(crate) fn decode<'a>(
    content_encoding: Option<&str>,
    body: &'a [u8],
    limit: usize,
) -> Result<Cow<'a, [u8]>, Response> {
    let coding = content_encoding.unwrap_or_default().trim().to_ascii_lowercase();
    let decoded = match &coding[..] {
        "" | "identity" => return Ok(Cow::Borrowed(body)),
        "gzip" | "x-gzip" => read(MultiGzDecoder::new(body), limit),
        "deflate" if is_zlib(body) => read(ZlibDecoder::new(body), limit),
        "deflate" => read(DeflateDecoder::new(body), limit),
        _ => {
            let message =
                format!("unsupported Content-Encoding \"{}\", expected gzip, deflate or none", coding.escape_debug());
            return Err(Response::text(StatusCode::UNSUPPORTED_MEDIA_TYPE, message));
        }
    };
    match decoded {
        Ok(decoded) if decoded.len() <= limit => Ok(Cow::Owned(decoded)),
        Ok(_) => {
            let message = format!("the body has more than {limit} octets once decompressed");
            Err(Response::text(StatusCode::PAYLOAD_TOO_LARGE, message))
        }
        Err(_) => Err(Response::text(StatusCode::BAD_REQUEST, format!("the body is not {coding} data"))),
    }
}

/// Reads up to one octet more than `limit`.
fn read(decoder: impl Read, limit: usize) -> io::Result<Vec<u8>> {
    let mut decoded = Vec::new();
    decoder.take((limit as u64).saturating_add(1)).read_to_end(&mut decoded)?;
    Ok(decoded)
}

/// Returns whether a body is zlib data (RFC 1950), as "deflate" means; some send bare deflate data (RFC 1951).
fn is_zlib(body: &[u8]) -> bool {
    matches!(body, [first, second, ..] if first & 0x0F == 8 && u16::from_be_bytes([*first, *second]) % 31 == 0)
}

/// Returns the coding for a body of `len` octets, if one is worth it and the client accepts it.
pub(crate) fn choose(request: &Request, len: usize) -> Option<Coding> {
    if is_worth_it(len) { accepted(request) } else { None }
}

/// Returns whether a body of `len` octets is worth a coding.
pub(crate) fn is_worth_it(len: usize) -> bool {
    len > WORTH_COMPRESSING
}

/// The coding that the client takes.
pub(crate) fn accepted(request: &Request) -> Option<Coding> {
    preferred(&request.variable("HTTP_ACCEPT_ENCODING")?)
}

/// Returns gzip if a list of codings has it, else deflate if the list has that.
fn preferred(accepted: &str) -> Option<Coding> {
    let takes = |name: &str| accepts(accepted, name).or_else(|| accepts(accepted, "*"));
    [Coding::Gzip, Coding::Deflate].into_iter().find(|coding| takes(coding.name()) == Some(true))
}

/// Returns whether a list of codings accepts one of them; `None` if it does not name it.
fn accepts(list: &str, name: &str) -> Option<bool> {
    list.split(',').find_map(|item| {
        let mut parts = item.split(';').map(str::trim);
        parts.next().filter(|coding| coding.eq_ignore_ascii_case(name))?;
        let weight = parts.find_map(|part| part.strip_prefix("q=").or_else(|| part.strip_prefix("Q=")));
        Some(weight.is_none_or(|weight| weight.trim().parse::<f32>().is_ok_and(|weight| weight > 0.0)))
    })
}

/// Encodes a response's body, with more effort if it is sent more than once.
pub(crate) fn encode(coding: Coding, body: &[u8], effort: Compression) -> io::Result<Vec<u8>> {
    match coding {
        Coding::Gzip => {
            let mut encoder = GzEncoder::new(Vec::new(), effort);
            encoder.write_all(body)?;
            encoder.finish()
        }
        Coding::Deflate => {
            let mut encoder = ZlibEncoder::new(Vec::new(), effort);
            encoder.write_all(body)?;
            encoder.finish()
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn choose_by_what_the_client_takes() {
        use Coding::{Deflate, Gzip};

        for (accept_encoding, coding) in [
            ("gzip", Some(Gzip)),
            ("deflate", Some(Deflate)),
            ("deflate, gzip;q=0.5", Some(Gzip)),
            ("GZIP ; q=1", Some(Gzip)),
            ("gzip;q=0", None),
            ("gzip;q=0, deflate", Some(Deflate)),
            ("gzip;q=x", None),
            ("*", Some(Gzip)),
            ("gzip;q=0, *", Some(Deflate)),
            ("br, identity", None),
            ("", None),
        ] {
            assert_eq!(preferred(accept_encoding), coding, "{accept_encoding:?}");
        }
        let request =
            Request::new(|name: &str| (name == "HTTP_ACCEPT_ENCODING").then(|| b"gzip"[..].into()), Vec::new());
        assert_eq!(choose(&request, WORTH_COMPRESSING), None);
        assert_eq!(choose(&request, WORTH_COMPRESSING + 1), Some(Gzip));
    }

    #[test]
    fn decode_roundtrip() {
        let body = b"<methodCall/>".repeat(500);
        for coding in [Coding::Gzip, Coding::Deflate] {
            let encoded = encode(coding, &body, Compression::default()).unwrap();
            assert!(encoded.len() < body.len() / 10);
            assert_eq!(decode(Some(coding.name()), &encoded, body.len()).unwrap(), body);
            let over = decode(Some(coding.name()), &encoded, body.len() - 1).unwrap_err();
            assert_eq!(over.status, StatusCode::PAYLOAD_TOO_LARGE);
            let cut = decode(Some(coding.name()), &encoded[..encoded.len() / 2], body.len()).unwrap_err();
            assert_eq!(cut.status, StatusCode::BAD_REQUEST);
        }
    }

    #[test]
    fn decode_takes_bare_deflate_data() {
        let mut encoder = flate2::write::DeflateEncoder::new(Vec::new(), Compression::default());
        encoder.write_all(b"hello hello hello").unwrap();
        let encoded = encoder.finish().unwrap();
        assert_eq!(decode(Some("deflate"), &encoded, 100).unwrap(), &b"hello hello hello"[..]);
    }
}
