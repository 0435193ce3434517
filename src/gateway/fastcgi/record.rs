//! Records (FastCGI 1.0 §3.3) and name-value pairs (§3.4): octets to types and back, without any I/O.

/// Octets of a record's header.
pub(super) const HEADER_LEN: usize = 8;

/// The most content of a written record: such a record is 64 KiB long, and needs no padding.
pub(super) const MAX_CONTENT: usize = (64 << 10) - HEADER_LEN;

/// The version of the protocol, the only one there is.
const VERSION: u8 = 1;

/// The type of a record (§8).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum RecordType {
    BeginRequest,
    AbortRequest,
    EndRequest,
    Params,
    Stdin,
    Stdout,
    Stderr,
    Data,
    GetValues,
    GetValuesResult,
    UnknownType,
    /// A type that is not in the specification.
    Other(u8),
}

impl RecordType {
    const KNOWN: [RecordType; 11] = [
        RecordType::BeginRequest,
        RecordType::AbortRequest,
        RecordType::EndRequest,
        RecordType::Params,
        RecordType::Stdin,
        RecordType::Stdout,
        RecordType::Stderr,
        RecordType::Data,
        RecordType::GetValues,
        RecordType::GetValuesResult,
        RecordType::UnknownType,
    ];

    fn from_number(number: u8) -> RecordType {
        let index = usize::from(number).wrapping_sub(1);
        RecordType::KNOWN.get(index).copied().unwrap_or(RecordType::Other(number))
    }

    pub(super) fn number(self) -> u8 {
        match self {
            RecordType::BeginRequest => 1,
            RecordType::AbortRequest => 2,
            RecordType::EndRequest => 3,
            RecordType::Params => 4,
            RecordType::Stdin => 5,
            RecordType::Stdout => 6,
            RecordType::Stderr => 7,
            RecordType::Data => 8,
            RecordType::GetValues => 9,
            RecordType::GetValuesResult => 10,
            RecordType::UnknownType => 11,
            RecordType::Other(number) => number,
        }
    }
}

/// The role of the application in a request (§6).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Role {
    Responder,
    /// An authorizer, a filter, or a role that is not in the specification.
    Other(u16),
}

/// The body of BEGIN_REQUEST (§5.1).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct BeginRequest {
    pub(super) role: Role,
    /// Set if the connection stays open after the request.
    pub(super) keep_connection: bool,
}

impl BeginRequest {
    pub(super) const LEN: usize = 8;
    const KEEP_CONN: u8 = 0b0000_0001;

    /// Reads the content of a record; `None` if it is too short.
    pub(super) fn from_content(content: &[u8]) -> Option<BeginRequest> {
        let [role_high, role_low, flags, ..] = *content.first_chunk::<{ BeginRequest::LEN }>()?;
        let role = match u16::from_be_bytes([role_high, role_low]) {
            1 => Role::Responder,
            other => Role::Other(other),
        };
        Some(BeginRequest { role, keep_connection: flags & BeginRequest::KEEP_CONN != 0 })
    }
}

/// The outcome of a request, for the protocol (§5.5).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum ProtocolStatus {
    RequestComplete = 0,
    CantMpxConn = 1,
    UnknownRole = 3,
}

/// A record of another version. Its layout and length are unknown, so the next record cannot be found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct UnknownVersion(pub(super) u8);

/// A part of a record's content.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Part<'a> {
    pub(super) record_type: RecordType,
    /// 0 in a management record.
    pub(super) request_id: u16,
    pub(super) content: &'a [u8],
    /// Set for the last part of the record. An empty record has one part, which is empty.
    pub(super) is_last: bool,
    /// Set if the record has no content at all, which is how a stream ends.
    pub(super) is_empty: bool,
}

/// A parser of a connection's octets into parts of records, wherever they are cut. It keeps no content.
#[derive(Default)]
pub(super) struct RecordReader {
    header: [u8; HEADER_LEN],
    /// The octets of the header that have come.
    header_len: usize,
    /// The octets of content still to come, once there is a header.
    content: usize,
    /// The octets of padding that come after it.
    padding: usize,
    /// Set once the header's record has given its last part.
    is_done: bool,
}

impl RecordReader {
    /// Returns the next part and takes it from the front of `octets`; `None` if it needs more octets than there are.
    pub(super) fn next<'a>(&mut self, octets: &mut &'a [u8]) -> Result<Option<Part<'a>>, UnknownVersion> {
        if self.is_done && !self.skip_padding(octets) {
            return Ok(None);
        }
        if self.header_len < HEADER_LEN && !self.read_header(octets)? {
            return Ok(None);
        }
        let content = take(octets, self.content);
        self.content -= content.len();
        self.is_done = self.content == 0;
        if content.is_empty() && !self.is_done {
            return Ok(None);
        }
        Ok(Some(Part {
            record_type: RecordType::from_number(self.header[1]),
            request_id: u16::from_be_bytes([self.header[2], self.header[3]]),
            content,
            is_last: self.is_done,
            is_empty: self.header[4..6] == [0, 0],
        }))
    }

    /// Tests whether a record has come in part.
    pub(super) fn is_midway(&self) -> bool {
        self.header_len > 0 && !(self.is_done && self.padding == 0)
    }

    /// Skips the padding after a last part; `false` if there is more of it than octets.
    pub(super) fn skip_padding(&mut self, octets: &mut &[u8]) -> bool {
        self.padding -= take(octets, self.padding).len();
        if self.padding == 0 {
            *self = RecordReader::default();
        }
        !self.is_done
    }

    fn read_header(&mut self, octets: &mut &[u8]) -> Result<bool, UnknownVersion> {
        let part = take(octets, HEADER_LEN - self.header_len);
        self.header[self.header_len..][..part.len()].copy_from_slice(part);
        self.header_len += part.len();
        if self.header_len > 0 && self.header[0] != VERSION {
            return Err(UnknownVersion(self.header[0]));
        }
        self.content = usize::from(u16::from_be_bytes([self.header[4], self.header[5]]));
        self.padding = usize::from(self.header[6]);
        Ok(self.header_len == HEADER_LEN)
    }
}

/// Takes up to `len` octets from the front.
fn take<'a>(octets: &mut &'a [u8], len: usize) -> &'a [u8] {
    let (front, rest) = octets.split_at(len.min(octets.len()));
    *octets = rest;
    front
}

/// Takes a name-value pair from the front (§3.4); `None` if there is no whole pair.
pub(super) fn take_pair<'a>(octets: &mut &'a [u8]) -> Option<(&'a [u8], &'a [u8])> {
    let name = take_length(octets)?;
    let value = take_length(octets)?;
    Some((octets.split_off(..name)?, octets.split_off(..value)?))
}

/// Takes a length: one octet, or four with the highest bit set.
fn take_length(octets: &mut &[u8]) -> Option<usize> {
    let first = *octets.first()?;
    if first < 0x80 {
        *octets = &octets[1..];
        return Some(usize::from(first));
    }
    let (length, rest) = octets.split_first_chunk::<4>()?;
    *octets = rest;
    usize::try_from(u32::from_be_bytes(*length) & 0x7fff_ffff).ok()
}

/// Writes a record; its content is at most 65,535 octets. It has no padding, which only helps peers that read in place.
pub(super) fn write(output: &mut Vec<u8>, record_type: RecordType, request_id: u16, content: &[u8]) {
    write_header(output, record_type, request_id, content.len());
    output.extend_from_slice(content);
}

/// Writes the header of a record.
pub(super) fn write_header(output: &mut Vec<u8>, record_type: RecordType, request_id: u16, content_length: usize) {
    let [id_high, id_low] = request_id.to_be_bytes();
    let length = u16::try_from(content_length).expect("a record is not made longer");
    let [length_high, length_low] = length.to_be_bytes();
    output.extend_from_slice(&[VERSION, record_type.number(), id_high, id_low, length_high, length_low, 0, 0]);
}

/// Writes END_REQUEST (§5.5).
pub(super) fn write_end_request(output: &mut Vec<u8>, request_id: u16, status: ProtocolStatus) {
    write(output, RecordType::EndRequest, request_id, &[0, 0, 0, 0, status as u8, 0, 0, 0]);
}

/// Writes UNKNOWN_TYPE (§4.2).
pub(super) fn write_unknown_type(output: &mut Vec<u8>, record_type: RecordType) {
    write(output, RecordType::UnknownType, 0, &[record_type.number(), 0, 0, 0, 0, 0, 0, 0]);
}

/// Writes a name-value pair of short texts.
pub(super) fn write_pair(output: &mut Vec<u8>, name: &str, value: &str) {
    for text in [name, value] {
        let length = u8::try_from(text.len()).ok().filter(|length| *length < 0x80);
        output.push(length.expect("only short texts are written"));
    }
    output.extend_from_slice(name.as_bytes());
    output.extend_from_slice(value.as_bytes());
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Reads the records of octets that come in pieces of `size`.
    fn records(octets: &[u8], size: usize) -> Vec<(RecordType, u16, Vec<u8>)> {
        let mut reader = RecordReader::default();
        let mut records = Vec::new();
        let mut record = Vec::new();
        for mut piece in octets.chunks(size) {
            while let Some(part) = reader.next(&mut piece).unwrap() {
                record.extend_from_slice(part.content);
                if part.is_last {
                    assert_eq!(part.is_empty, record.is_empty());
                    records.push((part.record_type, part.request_id, std::mem::take(&mut record)));
                }
            }
            assert!(piece.is_empty());
        }
        assert!(!reader.is_midway());
        records
    }

    #[test]
    fn records_spec() {
        // BEGIN_REQUEST of the specification's appendix B, a STDIN with padding, an empty one with padding
        let octets = b"\x01\x01\x00\x01\x00\x08\x00\x00\0\x01\0\0\0\0\0\0\
            \x01\x05\xff\xff\x00\x03\x05\x07abc-----\x01\x05\xff\xff\x00\x00\x02\x00--\x01\x63\x00\x00\x00\x01\x00\x00!";
        let expected = [
            (RecordType::BeginRequest, 1, b"\0\x01\0\0\0\0\0\0".to_vec()),
            (RecordType::Stdin, 65_535, b"abc".to_vec()),
            (RecordType::Stdin, 65_535, Vec::new()),
            (RecordType::Other(99), 0, b"!".to_vec()),
        ];
        for size in 1..=octets.len() {
            assert_eq!(records(octets, size), expected, "in pieces of {size}");
        }
    }

    #[test]
    fn records_roundtrip() {
        for record_type in RecordType::KNOWN.into_iter().chain([RecordType::Other(0), RecordType::Other(255)]) {
            assert_eq!(RecordType::from_number(record_type.number()), record_type);
            for length in [0, 1, 127, 128, MAX_CONTENT, 65_535] {
                let content = vec![b'x'; length];
                let mut octets = Vec::new();
                write(&mut octets, record_type, 7, &content);
                assert_eq!(octets.len(), HEADER_LEN + length);
                assert_eq!(records(&octets, 1000), [(record_type, 7, content)]);
            }
        }
    }

    #[test]
    fn records_invalid() {
        for (octets, version) in [(&b"\x02"[..], 2), (b"\x00\x01", 0), (b"GET / HTTP/1.1\r\n", b'G')] {
            assert_eq!(RecordReader::default().next(&mut &*octets), Err(UnknownVersion(version)));
        }
    }

    #[test]
    fn a_record_in_part_is_midway() {
        let octets = b"\x01\x05\x00\x01\x00\x02\x01\x00ab-";
        for end in 0..=octets.len() {
            let mut reader = RecordReader::default();
            let mut piece = &octets[..end];
            while reader.next(&mut piece).unwrap().is_some() {}
            assert_eq!(reader.is_midway(), end > 0 && end < octets.len(), "after {end} octets");
        }
    }

    #[test]
    fn begin_request_spec() {
        let of = BeginRequest::from_content;
        assert_eq!(of(b"\0\x01\0\0\0\0\0\0"), Some(BeginRequest { role: Role::Responder, keep_connection: false }));
        assert_eq!(of(b"\0\x01\x01\0\0\0\0\0"), Some(BeginRequest { role: Role::Responder, keep_connection: true }));
        // other flags are reserved, and so are the octets behind them
        assert_eq!(
            of(b"\x01\x02\xfe\0\0\0\0\0+"),
            Some(BeginRequest { role: Role::Other(258), keep_connection: false })
        );
        assert_eq!(of(b"\0\x01\x01\0\0\0\0"), None);
        assert_eq!(of(b""), None);
    }

    #[test]
    fn pairs_spec() {
        let long = "v".repeat(300);
        let octets = [&b"\x01\x02nab\x00\x00\x80\x00\x00\x01\x80\x00\x01\x2cn"[..], long.as_bytes()].concat();
        let mut rest = &octets[..];
        assert_eq!(take_pair(&mut rest), Some((&b"n"[..], &b"ab"[..])));
        assert_eq!(take_pair(&mut rest), Some((&b""[..], &b""[..])));
        assert_eq!(take_pair(&mut rest), Some((&b"n"[..], long.as_bytes())));
        assert!(rest.is_empty());
        let mut output = Vec::new();
        write_pair(&mut output, "n", "ab");
        assert_eq!(output, b"\x01\x02nab");
    }

    #[test]
    fn pairs_invalid() {
        for octets in [
            &b""[..],
            b"\x01",
            b"\x01\x01",
            b"\x01\x01n",
            b"\x80\x00\x00",
            b"\x01\x80\x00\x00",
            b"\xff\xff\xff\xff\x00name",
            b"\x04\xff\xff\xff\xffname",
        ] {
            assert_eq!(take_pair(&mut &*octets), None, "{}", octets.escape_ascii());
        }
    }
}
