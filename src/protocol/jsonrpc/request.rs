//! A request, read from the front: its envelope, and its params as they are asked for.

use std::borrow::Cow;

use crate::call::{Dispatch, Mismatch, ParamError, ParamName, ParamSource, Reply, TakeParam, make_call};
use crate::wire::fault::{Fault, catch_panic};
use crate::wire::json::JsonText;
use crate::wire::value::{WireTypes, excerpt};
use crate::wire::{Category, Error};

pub(super) fn expect_end(text: &mut JsonText<'_>) -> Result<(), Fault> {
    match text.peek() {
        None => Ok(()),
        Some(_) => Err(text.unexpected("the end").into()),
    }
}

/// The version of the answer that a request wants.
#[derive(Clone, Copy)]
pub(super) enum Version {
    One,
    Two,
}

/// The parts of a request around its params.
#[derive(Default)]
pub(super) struct Envelope<'de> {
    jsonrpc: Option<Version>,
    method_name: Option<Cow<'de, str>>,
    /// The id as written.
    pub(super) id: Option<&'de str>,
    /// Set for each member that was there.
    seen: [bool; RequestMember::Other as usize],
    /// The first mistake that makes it an invalid request.
    problem: Option<Fault>,
}

/// A member of a request, in the specification's order.
#[derive(Clone, Copy, Debug, PartialEq)]
enum RequestMember {
    Jsonrpc,
    Method,
    Params,
    Id,
    Other,
}

impl RequestMember {
    fn of(name: &str) -> RequestMember {
        match name {
            "jsonrpc" => RequestMember::Jsonrpc,
            "method" => RequestMember::Method,
            "params" => RequestMember::Params,
            "id" => RequestMember::Id,
            _ => RequestMember::Other,
        }
    }
}

impl Envelope<'_> {
    /// Returns the version: without `jsonrpc`, a valid request is one of 1.0.
    pub(super) fn version(&self) -> Version {
        match self.jsonrpc {
            Some(version) => version,
            None if self.method_name.is_some() && !self.seen[RequestMember::Jsonrpc as usize] => Version::One,
            None => Version::Two,
        }
    }

    /// Notes a member, which may be there only once.
    fn note(&mut self, member: RequestMember) {
        let seen = self.seen.get_mut(member as usize);
        if seen.is_some_and(|seen| std::mem::replace(seen, true)) {
            let name = format!("{member:?}").to_lowercase();
            self.refuse(format!("expected member \"{name}\" once, found it again"));
        }
    }

    fn refuse(&mut self, message: impl Into<String>) {
        self.problem.get_or_insert_with(|| Fault::new(Fault::INVALID_CALL, message));
    }
}

/// A request, and how far it is read.
pub(super) struct Request<'t, 'de> {
    text: &'t mut JsonText<'de>,
    /// Set if nothing may follow the request.
    whole: bool,
    pub(super) envelope: Envelope<'de>,
    stage: Stage,
    /// Set if the params have names.
    by_name: bool,
    /// The named params that were passed over, and their places.
    waiting: Vec<(Cow<'de, str>, usize)>,
    /// The place of the params, if the method's name came after them.
    params_at: Option<usize>,
    /// Set if the client gets an error, even for a notification.
    malformed: bool,
}

#[derive(Clone, Copy, PartialEq)]
enum Stage {
    /// In front of a member, maybe the first, or the end.
    Members { first: bool },
    /// Among the params, in front of the first or behind one.
    Params { first: bool },
    /// Behind the params.
    Tail,
    /// Read to its end, or as far as possible.
    Done,
}

impl<'t, 'de> Request<'t, 'de> {
    pub(super) fn new(text: &'t mut JsonText<'de>, whole: bool) -> Request<'t, 'de> {
        Request {
            text,
            whole,
            envelope: Envelope::default(),
            stage: Stage::Members { first: true },
            by_name: false,
            waiting: Vec::new(),
            params_at: None,
            malformed: false,
        }
    }

    pub(super) fn is_notification(&self) -> bool {
        let no_id = match self.envelope.version() {
            Version::Two => self.envelope.id.is_none(),
            Version::One => matches!(self.envelope.id, None | Some("null")),
        };
        no_id && !self.malformed
    }

    pub(super) fn call(&mut self, dispatch: &Dispatch<'_>) -> Result<Reply, Fault> {
        self.begin()?;
        let Some(method_name) = self.envelope.method_name.clone() else {
            self.malformed = true;
            return Err(Fault::new(Fault::INVALID_CALL, "expected member \"method\", found none"));
        };
        make_call(dispatch, &method_name, self)
    }

    /// Reads up to the params.
    fn begin(&mut self) -> Result<(), Fault> {
        if !self.text.take(b'{') {
            return Err(self.no_object());
        }
        self.members(true)?;
        if self.stage == Stage::Done {
            self.check()?;
        }
        if let Some(at) = self.params_at {
            self.text.go_to(at);
            self.open_params()?;
        }
        Ok(())
    }

    #[cold]
    fn no_object(&mut self) -> Fault {
        self.malformed = true;
        let mut fault = Fault::from(self.text.unexpected("a request, which is an object"));
        if self.text.skip().is_ok() && self.expect_end().is_ok() {
            fault.code = Fault::INVALID_CALL;
        }
        fault
    }

    fn expect_end(&mut self) -> Result<(), Fault> {
        if self.whole { expect_end(self.text) } else { Ok(()) }
    }

    /// Reads members: up to the params if they can be read now, or to the end.
    fn members(&mut self, up_to_params: bool) -> Result<(), Fault> {
        self.try_members(up_to_params).map_err(|fault| self.broken(fault))
    }

    /// Gives up on a text that is not JSON: not even the id is certain.
    #[cold]
    fn broken(&mut self, fault: impl Into<Fault>) -> Fault {
        self.envelope.id = None;
        self.malformed = true;
        self.stage = Stage::Done;
        fault.into()
    }

    fn try_members(&mut self, up_to_params: bool) -> Result<(), Fault> {
        let mut first = self.stage == Stage::Members { first: true };
        while self.text.next_item(std::mem::take(&mut first), b'}')? {
            let member = RequestMember::of(&self.text.name()?);
            self.envelope.note(member);
            match member {
                RequestMember::Jsonrpc => self.jsonrpc()?,
                RequestMember::Method => self.envelope.method_name = self.string("method")?,
                RequestMember::Params => {
                    let is_next = self.envelope.method_name.is_some() && self.envelope.problem.is_none();
                    if up_to_params && is_next {
                        return self.open_params();
                    }
                    self.text.peek();
                    self.params_at = Some(self.text.at());
                    self.text.skip()?;
                }
                RequestMember::Id => self.id()?,
                RequestMember::Other => _ = self.text.skip()?,
            }
        }
        self.expect_end()?;
        self.stage = Stage::Done;
        Ok(())
    }

    /// Reads a member that must be a string; anything else makes the request invalid.
    fn string(&mut self, name: &str) -> Result<Option<Cow<'de, str>>, Fault> {
        match self.text.string() {
            Ok(value) => Ok(Some(value)),
            Err(error) if error.category() == Category::Data => {
                self.envelope.refuse(format!("member \"{name}\": {error}"));
                self.text.skip()?;
                Ok(None)
            }
            Err(error) => Err(error.into()),
        }
    }

    fn jsonrpc(&mut self) -> Result<(), Fault> {
        let version = self.string("jsonrpc")?;
        self.envelope.jsonrpc = match version.as_deref() {
            Some("2.0") => Some(Version::Two),
            Some("1.0") => Some(Version::One),
            Some(other) => {
                let found = excerpt(other);
                self.envelope.refuse(format!("member \"jsonrpc\": expected \"2.0\", found \"{found}\""));
                None
            }
            None => None,
        };
        Ok(())
    }

    fn id(&mut self) -> Result<(), Fault> {
        let id = self.text.skip()?;
        match type_of(id) {
            found @ ("array" | "object" | "boolean") => {
                self.envelope.refuse(format!("member \"id\": expected string, number or null, found {found}"));
            }
            _ => self.envelope.id = Some(id),
        }
        Ok(())
    }

    /// Enters the params.
    fn open_params(&mut self) -> Result<(), Fault> {
        let found = self.text.peek();
        if let Some(b'[' | b'{') = found {
            self.text.go_to(self.text.at() + 1);
            self.by_name = found == Some(b'{');
            self.stage = Stage::Params { first: true };
            return Ok(());
        }
        let value = self.text.skip()?;
        // clients send null for none
        if value != "null" {
            let found = type_of(value);
            self.envelope.refuse(format!("member \"params\": expected array or object, found {found}"));
        }
        self.stage = Stage::Tail;
        Ok(())
    }

    /// Checks a request that was read to its end.
    fn check(&mut self) -> Result<(), Fault> {
        match self.envelope.problem.take() {
            Some(problem) => {
                self.malformed = true;
                Err(problem)
            }
            None => Ok(()),
        }
    }

    /// Goes to the next param, or to the name of the next; `false` behind the last.
    fn advance(&mut self) -> Result<bool, Error> {
        let Stage::Params { first } = self.stage else {
            return Ok(false);
        };
        let more = self.text.next_item(first, if self.by_name { b'}' } else { b']' })?;
        self.stage = if more { Stage::Params { first: false } } else { Stage::Tail };
        Ok(more)
    }

    /// Reads the name of the next param.
    fn advance_to_name(&mut self) -> Result<Option<Cow<'de, str>>, Error> {
        match self.by_name && self.advance()? {
            true => self.text.name().map(Some),
            false => Ok(None),
        }
    }

    /// Leaves the param whose name was read for later.
    fn leave(&mut self, name: Cow<'de, str>) -> Result<(), Error> {
        self.text.peek();
        self.waiting.push((name, self.text.at()));
        self.text.skip()?;
        self.text.count_member()
    }

    /// Finds the param of a name, and goes there.
    fn find(&mut self, wanted: ParamName<'_>) -> Result<Found, Error> {
        if !self.by_name {
            return self.advance().map(|more| if more { Found::Next } else { Found::Nothing });
        }
        if let Some(index) = self.waiting.iter().position(|(name, _)| wanted.is(name)) {
            let behind = self.text.at();
            self.text.go_to(self.waiting.remove(index).1);
            return Ok(Found::Behind(behind));
        }
        while let Some(name) = self.advance_to_name()? {
            if wanted.is(&name) {
                return Ok(Found::Next);
            }
            self.leave(name)?;
        }
        Ok(Found::Nothing)
    }

    /// Goes behind the params, and says how many were left.
    fn drain(&mut self) -> Result<usize, Error> {
        let mut left = self.waiting.len();
        while self.advance()? {
            if self.by_name {
                self.text.name()?;
            }
            self.text.skip()?;
            left += 1;
        }
        Ok(left)
    }

    /// What is told of an error among the params.
    fn refuse(&mut self, error: Error) -> Fault {
        match error.category() {
            Category::Syntax => self.broken(error),
            // the text goes on
            _ => error.into(),
        }
    }
}

/// Returns the type of a value, in JSON's words.
fn type_of(value: &str) -> &'static str {
    match value.as_bytes().first() {
        Some(b'[') => "array",
        Some(b'{') => "object",
        Some(b'"') => "string",
        Some(b't' | b'f') => "boolean",
        Some(b'n') => "null",
        _ => "number",
    }
}

/// The place of a param.
enum Found {
    Nothing,
    /// Here.
    Next,
    /// Here; the text then continues at another place.
    Behind(usize),
}

impl<'de> ParamSource<'de> for Request<'_, 'de> {
    fn by_name(&self) -> bool {
        self.by_name
    }

    fn format(&self) -> WireTypes {
        WireTypes::Text
    }

    fn next_name(&mut self) -> Result<Option<String>, Fault> {
        if self.waiting.is_empty() {
            let name = self.advance_to_name().map_err(|error| self.refuse(error))?;
            name.map_or(Ok(()), |name| self.leave(name)).map_err(|error| self.refuse(error))?;
        }
        Ok(self.waiting.first().map(|(name, _)| name.to_string()))
    }

    fn next(&mut self, name: ParamName<'_>, take: &mut dyn TakeParam<'de>) -> Result<bool, ParamError> {
        let found = self.find(name).map_err(|error| ParamError::Document(self.refuse(error)))?;
        if let Found::Nothing = found {
            return Ok(false);
        }
        // the text goes on in any case: the members behind the params are still to be read
        let taken = catch_panic(|| take.take_json(self.text));
        match (found, &taken) {
            (Found::Behind(at), _) => self.text.go_to(at),
            (_, Ok(Ok(()))) => {}
            _ => _ = self.text.skip().map_err(|error| ParamError::Document(self.broken(error)))?,
        }
        match taken {
            Ok(Ok(())) => Ok(true),
            Ok(Err(error)) if error.category() == Category::Data => {
                let position = error.position();
                Err(ParamError::Mismatch(Mismatch { message: error.to_string(), position }))
            }
            Ok(Err(error)) => Err(ParamError::Document(self.refuse(error))),
            Err(panic) => Err(ParamError::Document(panic)),
        }
    }

    fn finish(&mut self) -> Result<usize, Fault> {
        let left = self.drain().map_err(|error| self.broken(error))?;
        if self.stage == Stage::Tail {
            match self.params_at {
                Some(_) => self.stage = Stage::Done,
                None => self.members(false)?,
            }
            self.check()?;
        }
        Ok(left)
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value as Json, json};

    use super::super::request_to_vec;
    use super::*;
    use crate::call::Params;
    use crate::call::Values;
    use crate::service::Limits;
    use crate::wire::json::JsonOptions;

    /// Answers a call with its name and params, as JSON.
    fn echo(name: &str, params: Params<'_, '_>) -> Result<Reply, Fault> {
        match params.into_values() {
            Ok(Values::ByPosition(values)) => Ok(Reply::new((name.to_owned(), values))),
            Ok(Values::ByName(members)) => {
                let members: crate::wire::value::Members = members.into();
                Ok(Reply::new((name.to_owned(), crate::Value::from(members))))
            }
            Err(ParamError::Document(fault)) => Err(fault),
            Err(ParamError::Mismatch(mismatch)) => Err(Fault::new(Fault::INVALID_PARAMS, mismatch.message)),
        }
    }

    /// The outcome of a request, its id as written, and whether it wants no answer.
    type Outcome = (Result<Json, Fault>, Option<String>, bool);

    fn outcome(document: &[u8]) -> Outcome {
        let options = JsonOptions { limits: Limits::default(), large_integers_as_text: false };
        let mut text = JsonText::new(document, &options).unwrap();
        let mut request = Request::new(&mut text, true);
        let called = request.call(&echo).map(|reply| serde_json::to_value(reply).unwrap());
        (called, request.envelope.id.map(str::to_owned), request.is_notification())
    }

    #[test]
    fn requests_roundtrip() {
        let named = json!({ "a": [1, null], "ü": { "": "x" } });
        for params in [json!([]), json!([1, "a\"b", [2.5]]), named] {
            let request = request_to_vec("math.add", &params, "x\n1").unwrap();
            let expected = (Ok(json!(["math.add", params])), Some("\"x\\n1\"".to_owned()), false);
            assert_eq!(outcome(&request), expected);
        }
    }

    /// Requests of <https://www.jsonrpc.org/specification>, and of 1.0.
    #[test]
    fn requests_spec() {
        let id = |id: &str| Some(id.to_owned());
        for (document, expected, id, is_notification) in [
            (
                r#"{"jsonrpc": "2.0", "method": "subtract", "params": [42, 23], "id": 1}"#,
                json!(["subtract", [42, 23]]),
                id("1"),
                false,
            ),
            (
                r#"{"jsonrpc": "2.0", "method": "subtract", "params": {"subtrahend": 23, "minuend": 42}, "id": 3}"#,
                json!(["subtract", { "subtrahend": 23, "minuend": 42 }]),
                id("3"),
                false,
            ),
            (
                r#"{"jsonrpc": "2.0", "method": "update", "params": [1,2,3,4,5]}"#,
                json!(["update", [1, 2, 3, 4, 5]]),
                None,
                true,
            ),
            (r#"{"jsonrpc": "2.0", "method": "foobar"}"#, json!(["foobar", []]), None, true),
            (r#"{"jsonrpc": "2.0", "method": "foobar", "id": null}"#, json!(["foobar", []]), id("null"), false),
            (r#"{"params": [7], "id": "x", "method": "late"}"#, json!(["late", [7]]), id("\"x\""), false),
            (r#"{"method": "f", "params": ["Hello"], "id": null}"#, json!(["f", ["Hello"]]), id("null"), true),
            (r#"{"method": "f", "params": null, "id": 1.5, "x": {}}"#, json!(["f", []]), id("1.5"), false),
        ] {
            assert_eq!(outcome(document.as_bytes()), (Ok(expected), id, is_notification), "{document}");
        }
    }

    #[test]
    fn requests_invalid() {
        for (document, code, expected, id) in [
            (
                r#"{"jsonrpc": "2.0", "method": 1, "id": 1}"#,
                -32600,
                { "member \"method\": expected string, found int 1 at line 1 column 30" },
                Some("1"),
            ),
            (
                r#"{"jsonrpc": "3.0", "method": "f", "id": 1}"#,
                -32600,
                { "member \"jsonrpc\": expected \"2.0\", found \"3.0\"" },
                Some("1"),
            ),
            (r#"{"jsonrpc": "2.0", "id": 1}"#, -32600, "expected member \"method\", found none", Some("1")),
            (
                r#"{"method": "f", "id": [1]}"#,
                -32600,
                { "member \"id\": expected string, number or null, found array" },
                None,
            ),
            (
                r#"{"method": "f", "method": "g", "id": 1}"#,
                -32600,
                { "expected member \"method\" once, found it again" },
                Some("1"),
            ),
            (
                r#"{"method": "f", "params": "bar", "id": 1}"#,
                -32600,
                { "member \"params\": expected array or object, found string" },
                Some("1"),
            ),
            ("1", -32600, "expected a request, which is an object, found `1` at line 1 column 1", None),
            ("", -32700, "expected a request, which is an object, found the end at line 1 column 1", None),
            (r#"{"id": 1, "method": "f"} x"#, -32700, "expected the end, found `x` at line 1 column 26", None),
            (
                r#"{"id": 1, "method": "f", "params": [1 2]}"#,
                -32700,
                { "expected `,` or `]`, found `2` at line 1 column 39" },
                None,
            ),
            (
                r#"{"id": 1, "method": "f", "params": [1], "x"}"#,
                -32700,
                { "expected `:`, found `}` at line 1 column 44" },
                None,
            ),
            (
                r#"{"id": 1, "method": "f", "params": {"a": 1, "a": 2}}"#,
                -32602,
                "param \"a\" is there twice",
                Some("1"),
            ),
        ] {
            let expected = (Err(Fault::new(code, expected)), id.map(str::to_owned), false);
            assert_eq!(outcome(document.as_bytes()), expected, "{document}");
        }
    }
}
