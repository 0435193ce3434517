//! A connection as a responder (FastCGI 1.0 §6.2) sees it: octets in, requests and records out, without any I/O.
//!
//! ```text
//!            BEGIN_REQUEST           PARAMS ""            STDIN ""
//!   (idle) ────────────────> params ───────────> stdin ───────────> Arrival ──> ResponseRecords
//!      ^                       │                   │                              │
//!      └───────────────────────┴── ABORT_REQUEST, or refused before its end ──────┘
//! ```
//!
//! One request at a time: no web server sends several over one connection. Without KEEP_CONN, the connection closes
//! where the arrow leads back to idle.

use std::borrow::Cow;
use std::fmt;
use std::ops::Range;

use bytes::Bytes;
use http::StatusCode;

use super::record::{
    self, BeginRequest, HEADER_LEN, MAX_CONTENT, Part, ProtocolStatus, RecordReader, RecordType, Role, UnknownVersion,
};
use crate::gateway::cgi::{self, ContentLength};
use crate::gateway::memory::{self, Reservation};
use crate::gateway::socket::{Admit, Arrival, Closing, Codec, Outgoing};
use crate::service::Limits;
use crate::service::{MetaVariables, Request, Response};

/// The most room made for a body before it has come.
const MAX_RESERVED: usize = 2 << 20;

/// The state of a connection.
pub(super) struct Responder {
    limits: Limits,
    reader: RecordReader,
    /// The content so far of a record that is handled as a whole.
    collected: Vec<u8>,
    request: Option<PendingRequest>,
    closing: Option<Closing>,
}

/// The reason a connection cannot go on: the start of the next record, or its purpose, is unknown.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Violation {
    UnknownVersion(u8),
    /// The content of a BEGIN_REQUEST was this short.
    ShortBeginRequest(usize),
}

impl fmt::Display for Violation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Violation::UnknownVersion(version) => {
                write!(f, "expected a record of FastCGI version 1, found {version}")?;
                if version.is_ascii_graphic() {
                    write!(f, " ('{}'): does the peer speak HTTP?", char::from(*version))?;
                }
                Ok(())
            }
            Violation::ShortBeginRequest(length) => {
                write!(f, "expected a BEGIN_REQUEST of {} octets, found {length}", BeginRequest::LEN)
            }
        }
    }
}

impl From<UnknownVersion> for Violation {
    fn from(UnknownVersion(version): UnknownVersion) -> Violation {
        Violation::UnknownVersion(version)
    }
}

/// A request on its way in.
struct PendingRequest {
    id: u16,
    keep_connection: bool,
    params: Vec<u8>,
    /// The part that is known once the params have ended.
    head: Option<RequestHead>,
    body: Vec<u8>,
    /// Set once the body has ended.
    is_whole: bool,
    /// The reserved memory, and the length of a body that it covers.
    memory: Option<Reservation>,
    covered: usize,
}

struct RequestHead {
    request: Request,
    length: ContentLength,
    is_compressed: bool,
}

impl RequestHead {
    /// # Errors
    /// The response to invalid params, or to a request that is not admitted.
    fn new(params: Vec<u8>, limits: &Limits, admit: Admit<'_>) -> Result<RequestHead, Response> {
        let mut request = Request::new(NameValuePairs::new(params)?, Vec::new());
        let length = ContentLength::of(&request, limits)?;
        admit(&mut request)?;
        let is_compressed = request.variable_octets("HTTP_CONTENT_ENCODING").is_some();
        Ok(RequestHead { request, length, is_compressed })
    }
}

impl Codec for Responder {
    const NAME: &'static str = "fastcgi";

    type Answer = ResponseRecords;
    type Violation = Violation;

    fn new(limits: &Limits) -> Responder {
        Responder {
            limits: *limits,
            reader: RecordReader::default(),
            collected: Vec::new(),
            request: None,
            closing: None,
        }
    }

    fn take(
        &mut self,
        octets: &mut &[u8],
        output: &mut Vec<u8>,
        admit: Admit<'_>,
    ) -> Result<Option<Arrival>, Violation> {
        while self.closing.is_none() {
            if self.lacks().is_some() {
                return Ok(None);
            }
            let Some(part) = self.reader.next(octets)? else {
                return Ok(None);
            };
            if let Some(arrival) = self.part(&part, output, admit)? {
                if self.closing.is_some() && !self.reader.skip_padding(octets) {
                    self.closing = Some(Closing::AfterInput);
                }
                return Ok(Some(arrival));
            }
        }
        *octets = &[];
        Ok(None)
    }

    fn lacks(&self) -> Option<Range<usize>> {
        self.request.as_ref()?.lacks(self.limits.body)
    }

    fn supply(&mut self, length: usize, memory: Reservation) {
        if let Some(request) = &mut self.request {
            request.covered = length;
            match &mut request.memory {
                Some(reserved) => reserved.absorb(memory),
                None => request.memory = Some(memory),
            }
        }
    }

    fn give_up(&mut self, length: usize) -> Option<Arrival> {
        self.refuse(memory::refusal(length, &self.limits))
    }

    fn is_midway(&self) -> bool {
        self.closing.is_none() && (self.request.is_some() || self.reader.is_midway())
    }

    fn closing(&self) -> Option<Closing> {
        self.closing
    }

    fn close(&mut self) {
        self.closing.get_or_insert(Closing::Now);
    }

    fn answer(request_id: u16, response: Response, log: &[u8], output: &mut Vec<u8>) -> ResponseRecords {
        ResponseRecords::new(request_id, response, log, output)
    }
}

impl Responder {
    fn part(&mut self, part: &Part<'_>, output: &mut Vec<u8>, admit: Admit<'_>) -> Result<Option<Arrival>, Violation> {
        match (part.record_type, &mut self.request) {
            (_, _) if part.request_id == 0 => self.management(part, output),
            (RecordType::BeginRequest, _) => self.begin(part, output)?,
            (record_type, Some(request)) if request.id == part.request_id => match record_type {
                RecordType::AbortRequest if part.is_last => self.end_early(output, ProtocolStatus::RequestComplete),
                RecordType::Params => return Ok(self.params(part, admit)),
                RecordType::Stdin => return Ok(self.stdin(part)),
                // the data of a filter, and types that only applications send
                _ => {}
            },
            // records that the peer still sent for a request that has ended (§3.3)
            _ => {}
        }
        Ok(None)
    }

    /// Answers a management record (§4).
    fn management(&mut self, part: &Part<'_>, output: &mut Vec<u8>) {
        if part.record_type != RecordType::GetValues {
            if part.is_last {
                record::write_unknown_type(output, part.record_type);
            }
            return;
        }
        self.collected.extend_from_slice(part.content);
        if part.is_last {
            let names = std::mem::take(&mut self.collected);
            write_values(output, &names, self.limits.connections);
        }
    }

    fn begin(&mut self, part: &Part<'_>, output: &mut Vec<u8>) -> Result<(), Violation> {
        let missing = BeginRequest::LEN.saturating_sub(self.collected.len());
        self.collected.extend_from_slice(&part.content[..missing.min(part.content.len())]);
        if !part.is_last {
            return Ok(());
        }
        let content = std::mem::take(&mut self.collected);
        let begin = BeginRequest::from_content(&content).ok_or(Violation::ShortBeginRequest(content.len()))?;
        let id = part.request_id;
        match &self.request {
            // it has begun already; ending either of the two would end both
            Some(request) if request.id == id => {}
            Some(_) => record::write_end_request(output, id, ProtocolStatus::CantMpxConn),
            None => {
                let keep_connection = begin.keep_connection;
                self.request = Some(PendingRequest {
                    id,
                    keep_connection,
                    params: Vec::new(),
                    head: None,
                    body: Vec::new(),
                    is_whole: false,
                    memory: None,
                    covered: 0,
                });
                if begin.role != Role::Responder {
                    self.end_early(output, ProtocolStatus::UnknownRole);
                }
            }
        }
        Ok(())
    }

    /// Ends a request without a response: it was aborted, or its role is unknown.
    fn end_early(&mut self, output: &mut Vec<u8>, status: ProtocolStatus) {
        if let Some(request) = self.leave(Closing::AfterInput) {
            record::write_end_request(output, request.id, status);
        }
    }

    fn params(&mut self, part: &Part<'_>, admit: Admit<'_>) -> Option<Arrival> {
        let request = self.request.as_mut().filter(|request| request.head.is_none())?;
        if request.params.len() + part.content.len() > self.limits.params {
            let message = format!("the meta-variables have more than {} octets", self.limits.params);
            return self.refuse(Response::text(StatusCode::REQUEST_HEADER_FIELDS_TOO_LARGE, message));
        }
        request.params.extend_from_slice(part.content);
        if !part.is_empty {
            return None;
        }
        let params = std::mem::take(&mut request.params);
        match RequestHead::new(params, &self.limits, admit) {
            Ok(head) => request.head = Some(head),
            Err(response) => return self.refuse(response),
        }
        self.arrive()
    }

    fn stdin(&mut self, part: &Part<'_>) -> Option<Arrival> {
        let request = self.request.as_mut()?;
        let limit = self.limits.body;
        let most = request.head.as_ref().map_or(limit.saturating_add(1), |head| head.length.most(limit));
        let room = most.saturating_sub(request.body.len());
        if let (Some(RequestHead { length: ContentLength::Octets(octets), .. }), true) =
            (&request.head, request.body.is_empty())
        {
            // a growing body is copied again and again; but a declared length need not come
            request.body.reserve_exact(MAX_RESERVED.min(*octets));
        }
        let content = &part.content[..room.min(part.content.len())];
        make_room(&mut request.body, content.len(), most);
        request.body.extend_from_slice(content);
        if request.body.len() > limit {
            return self.refuse(Response::too_large(limit));
        }
        request.is_whole |= part.is_empty;
        self.arrive()
    }

    /// Returns the request, if both of its streams have ended.
    fn arrive(&mut self) -> Option<Arrival> {
        self.request.as_ref().filter(|request| request.is_whole && request.head.is_some())?;
        let request = self.leave(Closing::Now)?;
        let PendingRequest { id, body, memory, head, .. } = request;
        let RequestHead { request, length, .. } = head?;
        Some(Arrival { request_id: id, request: length.complete(request, body, &self.limits), memory })
    }

    /// Answers a request before its end; the records that are left of it will be ignored.
    fn refuse(&mut self, response: Response) -> Option<Arrival> {
        let request = self.leave(Closing::AfterInput)?;
        Some(Arrival { request_id: request.id, request: Err(response), memory: request.memory })
    }

    fn leave(&mut self, closing: Closing) -> Option<PendingRequest> {
        let request = self.request.take()?;
        if !request.keep_connection {
            self.closing = Some(closing);
        }
        Some(request)
    }
}

impl PendingRequest {
    /// Returns the range of body lengths for which memory must be reserved, if any.
    fn lacks(&self, limit: usize) -> Option<Range<usize>> {
        let (most, length) = match self.head.as_ref().map(|head| head.length) {
            Some(ContentLength::Nothing) => (0, 0),
            Some(ContentLength::Octets(octets)) => (octets, octets),
            // as much as has come, and as much again
            Some(ContentLength::ToTheEnd) | None => (self.body.len(), 2 * self.body.len()),
        };
        let is_compressed = self.head.as_ref().is_some_and(|head| head.is_compressed);
        let in_memory = |length: usize| memory::length_in_memory(length.min(limit), is_compressed, limit);
        (in_memory(most) > self.covered).then(|| self.covered..in_memory(length))
    }
}

/// Makes room for more octets: as many again as there are, or if these are many, for all that can come. So a long body
/// is not copied again and again.
fn make_room(body: &mut Vec<u8>, more: usize, most: usize) {
    let wanted = body.len() + more;
    if wanted > body.capacity() {
        let doubled = if body.len() < MAX_RESERVED { 2 * body.capacity() } else { most };
        let capacity = doubled.min(most).max(wanted);
        body.reserve_exact(capacity - body.len());
    }
}

/// Writes GET_VALUES_RESULT (§4.1): each requested name that has a value, once.
fn write_values(output: &mut Vec<u8>, mut names: &[u8], connections: usize) {
    let connections = connections.to_string();
    // as many requests as connections: one request at a time on each
    let known = [("FCGI_MAX_CONNS", &connections[..]), ("FCGI_MAX_REQS", &connections), ("FCGI_MPXS_CONNS", "0")];
    let mut asked = [false; 3];
    while let Some((name, _)) = record::take_pair(&mut names) {
        if let Some(index) = known.iter().position(|(known, _)| known.as_bytes() == name) {
            asked[index] = true;
        }
    }
    let mut values = Vec::new();
    for ((name, value), _) in known.iter().zip(asked).filter(|(_, asked)| *asked) {
        record::write_pair(&mut values, name, value);
    }
    record::write(output, RecordType::GetValuesResult, 0, &values);
}

/// The params of a request, as they came.
struct NameValuePairs {
    octets: Vec<u8>,
    pairs: Vec<Pair>,
}

/// The position of a name-value pair among the octets: the value follows the name.
struct Pair {
    name: usize,
    value: usize,
    end: usize,
}

impl NameValuePairs {
    /// # Errors
    /// The response to params that break off.
    fn new(octets: Vec<u8>) -> Result<NameValuePairs, Response> {
        // some 25 octets each, mostly
        let mut pairs = Vec::with_capacity(octets.len() / 16);
        let mut rest = &octets[..];
        while !rest.is_empty() {
            let start = octets.len() - rest.len();
            let Some((name, value)) = record::take_pair(&mut rest) else {
                let message = format!("expected a name-value pair at octet {start} of the params, found a part of one");
                return Err(Response::text(StatusCode::BAD_REQUEST, message));
            };
            let end = octets.len() - rest.len();
            pairs.push(Pair { name: end - value.len() - name.len(), value: end - value.len(), end });
        }
        Ok(NameValuePairs { octets, pairs })
    }
}

impl MetaVariables for NameValuePairs {
    fn get(&self, name: &str) -> Option<Cow<'_, [u8]>> {
        // the last of a name counts: nginx sends both of a variable that its configuration sets twice
        let mut pairs = self.pairs.iter().rev();
        let pair = pairs.find(|pair| self.octets[pair.name..pair.value] == *name.as_bytes())?;
        Some(self.octets[pair.value..pair.end].into())
    }
}

/// A response on its way out, as records.
pub(super) struct ResponseRecords {
    request_id: u16,
    /// The head of the document response.
    head: Vec<u8>,
    body: Bytes,
    /// Octets of head and body that are written.
    written: usize,
    is_done: bool,
}

impl Outgoing for ResponseRecords {
    fn write(&mut self, output: &mut Vec<u8>) {
        let left = self.head.len() + self.body.len() - self.written;
        let length = left.min(MAX_CONTENT);
        output.reserve(length + 4 * HEADER_LEN);
        record::write_header(output, RecordType::Stdout, self.request_id, length);
        self.write_content(length, output);
        if length == left {
            record::write(output, RecordType::Stdout, self.request_id, &[]);
            record::write_end_request(output, self.request_id, ProtocolStatus::RequestComplete);
            self.is_done = true;
        }
    }

    fn is_done(&self) -> bool {
        self.is_done
    }
}

impl ResponseRecords {
    /// Creates the answer to a request; `log` goes to its FCGI_STDERR, at once.
    fn new(request_id: u16, response: Response, log: &[u8], output: &mut Vec<u8>) -> ResponseRecords {
        if !log.is_empty() {
            for content in log.chunks(MAX_CONTENT) {
                record::write(output, RecordType::Stderr, request_id, content);
            }
            record::write(output, RecordType::Stderr, request_id, &[]);
        }
        let head = cgi::document_head(&response);
        ResponseRecords { request_id, head, body: response.into_content(), written: 0, is_done: false }
    }

    fn write_content(&mut self, length: usize, output: &mut Vec<u8>) {
        let head = self.head.get(self.written..).unwrap_or_default();
        let head = &head[..head.len().min(length)];
        output.extend_from_slice(head);
        let start = (self.written + head.len()).saturating_sub(self.head.len());
        output.extend_from_slice(&self.body[start..][..length - head.len()]);
        self.written += length;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::gateway::memory::Memory;

    /// Returns a record, with padding.
    fn record(record_type: u8, id: u16, content: &[u8], padding: u8) -> Vec<u8> {
        let length = u16::try_from(content.len()).unwrap().to_be_bytes();
        let mut record =
            vec![1, record_type, id.to_be_bytes()[0], id.to_be_bytes()[1], length[0], length[1], padding, 0];
        record.extend_from_slice(content);
        record.resize(record.len() + usize::from(padding), b'-');
        record
    }

    fn begin(id: u16, keep: bool) -> Vec<u8> {
        record(1, id, &[0, 1, keep.into(), 0, 0, 0, 0, 0], 0)
    }

    fn abort(id: u16) -> Vec<u8> {
        record(2, id, b"", 0)
    }

    fn params(id: u16, pairs: &[(&[u8], &[u8])]) -> Vec<u8> {
        let mut content = Vec::new();
        for (name, value) in pairs {
            for length in [name.len(), value.len()] {
                match u8::try_from(length) {
                    Ok(length) if length < 128 => content.push(length),
                    _ => content.extend_from_slice(&(u32::try_from(length).unwrap() | 1 << 31).to_be_bytes()),
                }
            }
            content.extend_from_slice(name);
            content.extend_from_slice(value);
        }
        stream(4, id, &content)
    }

    /// Returns a stream in records of 100 octets, the last one empty.
    fn stream(record_type: u8, id: u16, content: &[u8]) -> Vec<u8> {
        let mut records: Vec<u8> = content
            .chunks(100)
            .enumerate()
            .flat_map(|(at, chunk)| record(record_type, id, chunk, at as u8 * 7))
            .collect();
        // nothing is awaited after the end of a body, see `padding_behind_the_end`
        records.extend(record(record_type, id, b"", if record_type == 5 { 0 } else { 3 }));
        records
    }

    const POST: (&[u8], &[u8]) = (b"REQUEST_METHOD", b"POST");

    fn post(id: u16, keep: bool, body: &[u8]) -> Vec<u8> {
        [begin(id, keep), params(id, &[POST]), stream(5, id, body)].concat()
    }

    fn limits() -> Limits {
        Limits { body: 1000, params: 1000, connections: 12, ..Limits::default() }
    }

    /// The outcome of some octets.
    #[derive(Debug, Default, PartialEq, Eq)]
    struct Transcript {
        /// For each request its id, and its body or the status of its refusal.
        arrivals: Vec<(u16, Result<String, u16>)>,
        output: Vec<u8>,
        closing: Option<Closing>,
        violation: Option<Violation>,
    }

    fn feed(octets: &[u8], cuts: impl Iterator<Item = usize>) -> Transcript {
        let mut responder = Responder::new(&limits());
        let memory = Memory::new(1 << 30);
        let mut outcome = Transcript::default();
        let mut start = 0;
        for cut in cuts.chain([octets.len()]) {
            let mut piece = &octets[start..cut];
            start = cut;
            while !piece.is_empty() && outcome.violation.is_none() {
                match responder.take(&mut piece, &mut outcome.output, &mut |_| Ok(())) {
                    Ok(Some(Arrival { request_id, request, .. })) => {
                        let request = request.map(|request| String::from_utf8_lossy(request.body()).into_owned());
                        outcome.arrivals.push((request_id, request.map_err(|response| response.status.as_u16())));
                    }
                    Ok(None) => match responder.lacks() {
                        Some(lengths) => {
                            let length = lengths.end;
                            responder.supply(length, memory.reserve(lengths, || unreachable!("there is enough")));
                        }
                        None => assert!(piece.is_empty()),
                    },
                    Err(violation) => outcome.violation = Some(violation),
                }
            }
        }
        outcome.closing = responder.closing();
        outcome
    }

    /// Returns the outcome of the octets, which is the same however they are cut.
    #[track_caller]
    fn outcome(octets: &[u8]) -> Transcript {
        let whole = feed(octets, std::iter::empty());
        assert_eq!(feed(octets, 1..octets.len()), whole, "octet by octet");
        for size in [2, 3, 7, 8, 9, 50, 113] {
            assert_eq!(feed(octets, (size..octets.len()).step_by(size)), whole, "in pieces of {size}");
        }
        if octets.len() < 1000 {
            for cut in 1..octets.len() {
                assert_eq!(feed(octets, [cut].into_iter()), whole, "cut at {cut}");
            }
        }
        whole
    }

    fn end(id: u16, status: u8) -> Vec<u8> {
        record(3, id, &[0, 0, 0, 0, status, 0, 0, 0], 0)
    }

    fn arrived(id: u16, body: &str) -> (u16, Result<String, u16>) {
        (id, Ok(body.to_owned()))
    }

    #[test]
    fn a_request_however_it_is_cut() {
        let body = "<call/>".repeat(60);
        let Transcript { arrivals, output, closing, violation } = outcome(&post(1, true, body.as_bytes()));
        assert_eq!((arrivals, output, closing, violation), (vec![arrived(1, &body)], Vec::new(), None, None));
        // streams need not come one after the other
        let mixed = [begin(9, true), stream(5, 9, b"early"), params(9, &[POST])].concat();
        assert_eq!(outcome(&mixed).arrivals, [arrived(9, "early")]);
    }

    #[test]
    fn a_kept_connection_takes_the_next_request() {
        let octets =
            [post(1, true, b"one"), post(65_535, true, b"two"), post(1, false, b"three"), post(1, true, b"four")];
        let outcome = outcome(&octets.concat());
        assert_eq!(outcome.arrivals, [arrived(1, "one"), arrived(65_535, "two"), arrived(1, "three")]);
        assert_eq!(outcome.closing, Some(Closing::Now));
    }

    #[test]
    fn padding_behind_the_end() {
        let padded = |keep| [begin(1, keep), params(1, &[POST]), record(5, 1, b"", 9)].concat();
        let kept = outcome(&[padded(true), padded(true)].concat());
        assert_eq!(kept.arrivals, [arrived(1, ""), arrived(1, "")]);
        // padding that has not come yet is read before the connection is closed
        let octets = padded(false);
        assert_eq!(feed(&octets, std::iter::empty()).closing, Some(Closing::Now));
        assert_eq!(feed(&octets, [octets.len() - 1].into_iter()).closing, Some(Closing::AfterInput));
    }

    #[test]
    fn params_as_octets() {
        let long = "v".repeat(300);
        let octets = [
            begin(1, true),
            params(
                1,
                &[
                    (b"REQUEST_METHOD", b"GET"),
                    (b"HTTP_BAD", b"\xff\xfe"),
                    (b"TWICE", b"first"),
                    (b"LONG", long.as_bytes()),
                    (b"TWICE", b"last"),
                    (b"twice", b"other"),
                    (b"EMPTY", b""),
                    (b"", b""),
                ],
            ),
            stream(5, 1, b""),
        ];
        let mut responder = Responder::new(&limits());
        let arrival = responder.take(&mut &octets.concat()[..], &mut Vec::new(), &mut |_| Ok(())).unwrap().unwrap();
        let request = arrival.request.ok().unwrap();
        assert_eq!(request.variable_octets("HTTP_BAD").as_deref(), Some(&b"\xff\xfe"[..]));
        assert_eq!(request.variable("HTTP_BAD").as_deref(), Some("\u{FFFD}\u{FFFD}"));
        assert_eq!(request.variable("TWICE").as_deref(), Some("last"));
        assert_eq!(request.variable("LONG").as_deref(), Some(&long[..]));
        assert_eq!(request.variable("EMPTY"), None);
        assert_eq!(request.variable("ABSENT"), None);
    }

    #[test]
    fn a_body_as_its_length_says() {
        let with_length = |length: &'static [u8], body: &[u8]| {
            let params = params(1, &[POST, (b"CONTENT_LENGTH", length)]);
            outcome(&[begin(1, true), params, stream(5, 1, body), post(2, true, b"next")].concat()).arrivals
        };
        let large = "x".repeat(1001);
        for (length, body, found) in [
            (&b"5"[..], "hello", Ok("hello")),
            (b"5", "hello, and more", Ok("hello")),
            (b"6", "hello", Err(400)),
            (b"0", "hello", Ok("")),
            (b"", "hello", Ok("hello")),
            (b"-1", "hello", Ok("hello")),
            (b"x", "hello", Err(400)),
            (b"1001", "", Err(413)),
            (b"99999999999999999999", "", Err(413)),
            (b"", &large, Err(413)),
            (b"1", &large, Ok("x")),
        ] {
            let arrivals = [(1, found.map(str::to_owned)), arrived(2, "next")];
            assert_eq!(with_length(length, body.as_bytes()), arrivals, "{length:?} {body}");
        }
    }

    #[test]
    fn a_get_has_no_body() {
        let octets = [begin(1, true), params(1, &[(b"REQUEST_METHOD", b"GET")]), stream(5, 1, &[b'x'; 3000])];
        assert_eq!(outcome(&octets.concat()).arrivals, [arrived(1, "")]);
    }

    #[test]
    fn refused_before_its_end() {
        let many: Vec<(&[u8], &[u8])> = (0..600).map(|_| (&b""[..], &b""[..])).collect();
        let broken = record(4, 1, b"\x04\xff\xff\xff\xffname", 0);
        for (params, status) in [
            (params(1, &many), 431),
            ([broken, record(4, 1, b"", 0)].concat(), 400),
            // nginx without its `include`
            (params(1, &[(b"HTTP_HOST", b"localhost")]), 500),
        ] {
            let octets = [begin(1, true), params.clone(), stream(5, 1, b"body"), post(1, true, b"next")].concat();
            assert_eq!(outcome(&octets).arrivals, [(1, Err(status)), arrived(1, "next")]);
            let octets = [begin(1, false), params, stream(5, 1, b"body")].concat();
            assert_eq!(outcome(&octets).closing, Some(Closing::AfterInput));
        }
    }

    #[test]
    fn one_request_at_a_time() {
        let parts = [
            begin(1, true),
            begin(2, true),
            params(1, &[POST]),
            params(2, &[POST]),
            begin(1, false),
            begin(3, false),
            stream(5, 2, b"two"),
            stream(5, 1, b"one"),
        ];
        let outcome = outcome(&parts.concat());
        assert_eq!(outcome.arrivals, [arrived(1, "one")]);
        assert_eq!(outcome.output, [end(2, 1), end(3, 1)].concat());
        assert_eq!(outcome.closing, None);
    }

    #[test]
    fn another_role_is_unknown() {
        for role in [0, 2, 3, 9] {
            let begin = |keep: u8| record(1, 5, &[0, role, keep, 0, 0, 0, 0, 0], 1);
            let kept = outcome(&[begin(1), params(5, &[POST]), stream(5, 5, b"x"), post(5, true, b"next")].concat());
            assert_eq!((kept.output, kept.arrivals), (end(5, 3), vec![arrived(5, "next")]));
            let closed = outcome(&[begin(0), params(5, &[POST])].concat());
            assert_eq!((closed.output, closed.closing), (end(5, 3), Some(Closing::AfterInput)));
        }
    }

    #[test]
    fn aborted_at_any_stage() {
        let stages = [begin(7, true), record(4, 7, b"\x01\x01", 0), record(4, 7, b"ab", 0), params(7, &[POST])];
        for count in 1..=stages.len() {
            let stages = &stages[..count];
            let octets = [&stages.concat()[..], &abort(7), &stream(5, 7, b"late"), &abort(7), &post(7, true, b"next")];
            let outcome = outcome(&octets.concat());
            assert_eq!((outcome.output, outcome.arrivals), (end(7, 0), vec![arrived(7, "next")]), "after {count}");
        }
        let within_the_body = [begin(7, true), params(7, &[POST]), record(5, 7, b"some", 0), abort(7)].concat();
        assert_eq!(outcome(&within_the_body).output, end(7, 0));
        // the answer has ended the request already
        let whole = post(7, true, b"some body");
        assert_eq!(outcome(&[whole, abort(7)].concat()).output, b"");
        assert_eq!(outcome(&[begin(7, false), abort(7)].concat()).closing, Some(Closing::AfterInput));
    }

    #[test]
    fn management_at_any_time() {
        let names = b"\x0e\0FCGI_MAX_CONNS\x03\0FOO\x0f\0FCGI_MPXS_CONNS\x0d\0FCGI_MAX_REQS\x0f\x02FCGI_MPXS_CONNS42";
        let values = b"\x0e\x02FCGI_MAX_CONNS12\x0d\x02FCGI_MAX_REQS12\x0f\x01FCGI_MPXS_CONNS0";
        let get_values = record(9, 0, names, 5);
        let result = record(10, 0, values, 0);
        let octets = [
            get_values.clone(),
            begin(1, true),
            get_values.clone(),
            params(1, &[POST]),
            record(99, 0, b"what?", 0),
            stream(5, 1, b"body"),
            get_values,
        ];
        let outcome = outcome(&octets.concat());
        assert_eq!(outcome.arrivals, [arrived(1, "body")]);
        assert_eq!(outcome.output, [&result[..], &result, &record(11, 0, b"\x63\0\0\0\0\0\0\0", 0), &result].concat());
        assert_eq!(self::outcome(&record(9, 0, b"", 0)).output, record(10, 0, b"", 0));
        // names that break off: the pairs before them are answered
        let broken = record(9, 0, b"\x0f\0FCGI_MPXS_CONNS\xff\xff\xff\xff", 0);
        assert_eq!(self::outcome(&broken).output, record(10, 0, b"\x0f\x01FCGI_MPXS_CONNS0", 0));
    }

    #[test]
    fn misuse_is_passed_over_or_told() {
        let parts = [
            // for requests that do not exist
            params(1, &[POST]),
            stream(5, 1, b"x"),
            abort(1),
            record(20, 1, b"x", 0),
            // types that only applications send
            record(3, 1, &[0; 8], 0),
            record(6, 1, b"x", 0),
            // requests have ids other than 0
            record(1, 0, &[0, 1, 1, 0, 0, 0, 0, 0], 0),
            record(0, 0, b"", 0),
            post(2, true, b"body"),
        ];
        let outcome = outcome(&parts.concat());
        assert_eq!(outcome.arrivals, [arrived(2, "body")]);
        let unknown = |number: u8| record(11, 0, &[number, 0, 0, 0, 0, 0, 0, 0], 0);
        assert_eq!(outcome.output, [unknown(1), unknown(0)].concat());
        // inside a request too
        let parts = [begin(2, true), record(8, 2, b"data", 0), record(20, 2, b"x", 0), post(2, true, b"body")];
        assert_eq!(self::outcome(&parts.concat()).arrivals, [arrived(2, "body")]);
    }

    #[test]
    fn violations() {
        for (octets, message) in [
            (&b"\x02\x01\0\x01\0\x08\0\0"[..], "expected a record of FastCGI version 1, found 2"),
            (
                b"GET / HTTP/1.1\r\n\r\n",
                "expected a record of FastCGI version 1, found 71 ('G'): does the peer speak HTTP?",
            ),
            (&record(1, 1, b"\0\x01\x01", 0), "expected a BEGIN_REQUEST of 8 octets, found 3"),
            (&record(1, 1, b"", 9), "expected a BEGIN_REQUEST of 8 octets, found 0"),
        ] {
            let violation = outcome(octets).violation.map(|violation| violation.to_string());
            assert_eq!(violation.as_deref(), Some(message));
        }
    }

    fn answer(response: Response, log: &[u8]) -> Vec<u8> {
        let mut output = Vec::new();
        let mut answer = ResponseRecords::new(258, response, log, &mut output);
        while !answer.is_done() {
            let before = output.len();
            answer.write(&mut output);
            assert!(output.len() - before <= (64 << 10) + 4 * HEADER_LEN);
        }
        output
    }

    #[test]
    fn answer_spec() {
        let response = Response::text(StatusCode::NOT_FOUND, "gone");
        let document = b"Status: 404 Not Found\r\ncontent-type: text/plain; charset=utf-8\r\n\
            x-content-type-options: nosniff\r\ncontent-length: 5\r\n\r\ngone\n";
        let stdout = [record(6, 258, document, 0), record(6, 258, b"", 0), end(258, 0)].concat();
        assert_eq!(answer(response.clone(), b""), stdout);
        let stderr = [record(7, 258, b"error: why\n", 0), record(7, 258, b"", 0)].concat();
        assert_eq!(answer(response, b"error: why\n"), [stderr, stdout].concat());
    }

    #[test]
    fn long_answers_span_records() {
        for length in [MAX_CONTENT - 60, MAX_CONTENT, 65_535, 65_536, 200_000] {
            let body: Vec<u8> = (0..length).map(|at| at as u8).collect();
            let mut response = Response::empty(StatusCode::OK);
            response.body = body.clone().into();
            let output = answer(response, b"");
            let mut reader = RecordReader::default();
            let mut rest = &output[..];
            let mut document = Vec::new();
            while let Some(part) = reader.next(&mut rest).unwrap() {
                if part.record_type == RecordType::Stdout {
                    document.extend_from_slice(part.content);
                }
            }
            assert!(document.ends_with(&body) && document.starts_with(b"Status: 200 OK\r\n"), "{length}");
            assert!(output.ends_with(&end(258, 0)));
        }
    }
}
