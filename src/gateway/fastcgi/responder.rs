//! A connection as a responder (FastCGI 1.0 §6.2) sees it: octets in, requests and records out, without any I/O.
//!
//! ```text
//!            BEGIN_REQUEST           PARAMS ""            STDIN ""
//!   (idle) ────────────────> params ───────────> stdin ───────────> Arrival ──> Answer
//!      ^                       │                   │                              │
//!      └───────────────────────┴── ABORT_REQUEST, or refused before its end ──────┘
//! ```
//!
//! One request at a time: no web server sends several over one connection. Without KEEP_CONN, the connection closes
//! where the arrow leads back to idle.

use std::borrow::Cow;
use std::fmt;

use http::StatusCode;

use super::record::{
    self, BeginRequest, HEADER_LEN, MAX_CONTENT, Part, ProtocolStatus, Reader, RecordType, Role, UnknownVersion,
};
use crate::gateway::cgi::{self, ContentLength};
use crate::limits::Limits;
use crate::service::{MetaVariables, Request, Response};

/// The state of a connection.
pub(super) struct Responder {
    limits: Limits,
    reader: Reader,
    /// The content of a record that is looked at when it is whole.
    collected: Vec<u8>,
    request: Option<Incoming>,
    closing: Option<Closing>,
}

/// When a connection that takes no more requests is to be closed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Closing {
    /// As soon as everything is written.
    Now,
    /// When the peer closes it too: the rest of a request is still on its way, and were it never read, the kernel would
    /// answer it by a reset, which can take the response with it.
    AfterInput,
}

/// A request that is complete, or is refused before that.
pub(super) struct Arrival {
    pub(super) request_id: u16,
    /// The request, or the response to one that cannot be had.
    pub(super) request: Result<Request, Response>,
}

/// Why a connection cannot go on: where the next record begins, or what it belongs to, is not known.
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
struct Incoming {
    id: u16,
    keep_connection: bool,
    params: Vec<u8>,
    /// What is known when the params have ended.
    head: Option<(Params, ContentLength)>,
    body: Vec<u8>,
    /// Whether the body has ended.
    is_whole: bool,
}

impl Responder {
    pub(super) fn new(limits: &Limits) -> Responder {
        Responder {
            limits: *limits,
            reader: Reader::default(),
            collected: Vec::new(),
            request: None,
            closing: None,
        }
    }

    /// Takes octets from the front, up to the end of a request if there is one. Records that must be answered at once
    /// are, in `output`.
    pub(super) fn take(&mut self, octets: &mut &[u8], output: &mut Vec<u8>) -> Result<Option<Arrival>, Violation> {
        while self.closing.is_none() {
            let Some(part) = self.reader.next(octets)? else {
                return Ok(None);
            };
            if let Some(arrival) = self.part(&part, output)? {
                return Ok(Some(arrival));
            }
        }
        *octets = &[];
        Ok(None)
    }

    /// Whether the connection waits for more of a request.
    pub(super) fn is_midway(&self) -> bool {
        self.closing.is_none() && (self.request.is_some() || self.reader.is_midway())
    }

    /// Whether and when the connection is to be closed.
    pub(super) fn closing(&self) -> Option<Closing> {
        self.closing
    }

    /// Takes no more requests.
    pub(super) fn close(&mut self) {
        self.closing.get_or_insert(Closing::Now);
    }

    fn part(&mut self, part: &Part<'_>, output: &mut Vec<u8>) -> Result<Option<Arrival>, Violation> {
        match (part.record_type, &mut self.request) {
            (_, _) if part.request_id == 0 => self.management(part, output),
            (RecordType::BeginRequest, _) => self.begin(part, output)?,
            (record_type, Some(request)) if request.id == part.request_id => match record_type {
                RecordType::AbortRequest if part.is_last => self.abort(output),
                RecordType::Params => return Ok(self.params(part)),
                RecordType::Stdin => return Ok(self.stdin(part)),
                // the data of a filter, and what only applications send
                _ => {}
            },
            // what a peer has still sent for a request that has ended (§3.3)
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
            // it has begun already; to end either of the two would end both
            Some(request) if request.id == id => {}
            Some(_) => record::write_end_request(output, id, ProtocolStatus::CantMpxConn),
            None => {
                let keep_connection = begin.keep_connection;
                self.request =
                    Some(Incoming { id, keep_connection, params: Vec::new(), head: None, body: Vec::new(), is_whole: false });
                if begin.role != Role::Responder {
                    self.end_early(output, ProtocolStatus::UnknownRole);
                }
            }
        }
        Ok(())
    }

    fn abort(&mut self, output: &mut Vec<u8>) {
        self.end_early(output, ProtocolStatus::RequestComplete);
    }

    /// Ends a request that nobody wants, or can have, an answer to.
    fn end_early(&mut self, output: &mut Vec<u8>, status: ProtocolStatus) {
        if let Some(request) = self.leave(Closing::AfterInput) {
            record::write_end_request(output, request.id, status);
        }
    }

    fn params(&mut self, part: &Part<'_>) -> Option<Arrival> {
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
        let head = Params::new(params)
            .and_then(|params| ContentLength::of(&params, &self.limits).map(|length| (params, length)));
        match head {
            Ok(head) => request.head = Some(head),
            Err(response) => return self.refuse(response),
        }
        self.arrive()
    }

    fn stdin(&mut self, part: &Part<'_>) -> Option<Arrival> {
        let request = self.request.as_mut()?;
        let limit = self.limits.body;
        let most = request.head.as_ref().map_or(limit + 1, |(_, length)| length.most(limit));
        let room = most.saturating_sub(request.body.len());
        request.body.extend_from_slice(&part.content[..room.min(part.content.len())]);
        if request.body.len() > limit {
            return self.refuse(Response::too_large(limit));
        }
        request.is_whole |= part.is_empty;
        self.arrive()
    }

    /// The request, if both of its streams have ended.
    fn arrive(&mut self) -> Option<Arrival> {
        self.request.as_ref().filter(|request| request.is_whole && request.head.is_some())?;
        let request = self.leave(Closing::Now)?;
        let (params, length) = request.head?;
        Some(Arrival { request_id: request.id, request: length.request(params, request.body, &self.limits) })
    }

    /// Answers a request before its end; what is left of it is for a request that is not there.
    fn refuse(&mut self, response: Response) -> Option<Arrival> {
        let request = self.leave(Closing::AfterInput)?;
        Some(Arrival { request_id: request.id, request: Err(response) })
    }

    fn leave(&mut self, closing: Closing) -> Option<Incoming> {
        let request = self.request.take()?;
        if !request.keep_connection {
            self.closing = Some(closing);
        }
        Some(request)
    }
}

/// Writes GET_VALUES_RESULT (§4.1): each of the names that has a value, once.
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
struct Params {
    octets: Vec<u8>,
    pairs: Vec<Pair>,
}

/// Where a name-value pair stands among the octets: the value behind the name.
struct Pair {
    name: usize,
    value: usize,
    end: usize,
}

impl Params {
    /// # Errors
    /// The response to params that break off.
    fn new(octets: Vec<u8>) -> Result<Params, Response> {
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
        Ok(Params { octets, pairs })
    }
}

impl MetaVariables for Params {
    fn get(&self, name: &str) -> Option<Cow<'_, [u8]>> {
        // the last of a name: nginx sends both of a variable that its configuration sets twice
        let mut pairs = self.pairs.iter().rev();
        let pair = pairs.find(|pair| self.octets[pair.name..pair.value] == *name.as_bytes())?;
        Some(self.octets[pair.value..pair.end].into())
    }
}

/// A response on its way out, as records.
pub(super) struct Answer {
    request_id: u16,
    /// The head of the document response.
    head: Vec<u8>,
    body: Vec<u8>,
    /// Octets of head and body that are written.
    written: usize,
    is_done: bool,
}

impl Answer {
    /// The answer to a request; `log` is what its FCGI_STDERR says, and is written at once.
    pub(super) fn new(request_id: u16, response: Response, log: &[u8], output: &mut Vec<u8>) -> Answer {
        if !log.is_empty() {
            for content in log.chunks(MAX_CONTENT) {
                record::write(output, RecordType::Stderr, request_id, content);
            }
            record::write(output, RecordType::Stderr, request_id, &[]);
        }
        let head = cgi::document_head(&response);
        Answer { request_id, head, body: response.into_content(), written: 0, is_done: false }
    }

    /// Writes the next records, some 64 KiB of them.
    pub(super) fn write(&mut self, output: &mut Vec<u8>) {
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

    /// Whether all of it is written.
    pub(super) fn is_done(&self) -> bool {
        self.is_done
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
