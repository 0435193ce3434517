//! The client half: requests out, responses in.

use std::fmt;

use serde::de::{Deserialize, DeserializeOwned, Deserializer};
use serde::ser::Serialize;
use serde_json::value::RawValue;
use serde_json::{Number, Value as Json};

use crate::service::Limits;
use crate::wire::fault::Fault;
use crate::wire::json::{self, JsonOptions, JsonText};
use crate::wire::value::WriteError;
use crate::wire::{Category, Error};

/// The id of a request, which its response has too.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Id {
    /// A number, which is best whole.
    Number(Number),
    /// A string.
    String(String),
}

impl Serialize for Id {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Id::Number(number) => number.serialize(serializer),
            Id::String(text) => text.serialize(serializer),
        }
    }
}

impl<'de> Deserialize<'de> for Id {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Id, D::Error> {
        match Json::deserialize(deserializer)? {
            Json::Number(number) => Ok(Id::Number(number)),
            Json::String(text) => Ok(Id::String(text)),
            _ => Err(serde::de::Error::custom("expected string or number as id")),
        }
    }
}

macro_rules! id_from {
    ($($number:ty),*) => {$(
        impl From<$number> for Id {
            fn from(number: $number) -> Id {
                Id::Number(number.into())
            }
        }
    )*};
}

id_from!(i32, u32, i64, u64);

impl From<&str> for Id {
    fn from(text: &str) -> Id {
        Id::String(text.to_owned())
    }
}

impl From<String> for Id {
    fn from(text: String) -> Id {
        Id::String(text)
    }
}

/// Writes a request: a call of a method by name, with params and an id.
///
/// A sequence, tuple or array gives the params by position, a struct or map by name, and `()` stands for none.
///
/// # Errors
/// Of [`Category::Data`] for params that are none of these, or that JSON cannot have: NaN, infinities, maps whose keys
/// are neither text nor numbers.
///
/// # Example
///
/// ```
/// use rpcgi::jsonrpc;
///
/// assert_eq!(
///     jsonrpc::request_to_vec("add", &(2, 3), 1)?,
///     br#"{"jsonrpc":"2.0","id":1,"method":"add","params":[2,3]}"#,
/// );
/// assert_eq!(jsonrpc::request_to_vec("now", &(), "a")?, br#"{"jsonrpc":"2.0","id":"a","method":"now"}"#);
/// # Ok::<(), jsonrpc::Error>(())
/// ```
pub fn request_to_vec<P: Serialize + ?Sized>(
    method_name: &str,
    params: &P,
    id: impl Into<Id>,
) -> Result<Vec<u8>, Error> {
    let mut out = Vec::new();
    write_request(method_name, &written_params(params)?, Some(&id.into()), &[], &mut out);
    Ok(out)
}

/// Writes a notification: a request that is not answered.
///
/// # Errors
/// As [`request_to_vec`].
///
/// # Example
///
/// ```
/// use rpcgi::jsonrpc;
///
/// assert_eq!(
///     jsonrpc::notification_to_vec("log", &["done"])?,
///     br#"{"jsonrpc":"2.0","method":"log","params":["done"]}"#,
/// );
/// # Ok::<(), jsonrpc::Error>(())
/// ```
pub fn notification_to_vec<P: Serialize + ?Sized>(method_name: &str, params: &P) -> Result<Vec<u8>, Error> {
    let mut out = Vec::new();
    write_request(method_name, &written_params(params)?, None, &[], &mut out);
    Ok(out)
}

/// Appends a request to a text; `params` and the values of further members are JSON, empty params are left out.
pub(crate) fn write_request(
    method_name: &str,
    params: &[u8],
    id: Option<&Id>,
    members: &[(&str, &[u8])],
    out: &mut Vec<u8>,
) {
    out.extend_from_slice(b"{\"jsonrpc\":\"2.0\"");
    match id {
        Some(Id::Number(number)) => out.extend_from_slice(format!(",\"id\":{number}").as_bytes()),
        Some(Id::String(text)) => {
            out.extend_from_slice(b",\"id\":");
            json::write_string(text, out);
        }
        None => {}
    }
    out.extend_from_slice(b",\"method\":");
    json::write_string(method_name, out);
    let params = Some(("params", params)).filter(|(_, params)| !params.is_empty());
    for (name, value) in params.iter().chain(members) {
        out.push(b',');
        json::write_string(name, out);
        out.push(b':');
        out.extend_from_slice(value);
    }
    out.push(b'}');
}

fn written_params<P: Serialize + ?Sized>(params: &P) -> Result<Vec<u8>, Error> {
    let limits = Limits { response: usize::MAX, ..Limits::default() };
    let mut out = Vec::new();
    json::write(params, &JsonOptions { limits, large_integers_as_text: false }, &mut out)
        .map_err(|error: WriteError| Error::new(Category::Data, format!("params: {error}")))?;
    match out.first() {
        Some(b'[' | b'{') => Ok(out),
        _ if out == b"null" => Ok(Vec::new()),
        _ => Err(Error::new(Category::Data, "params are a tuple, an array, a struct, a map or a unit")),
    }
}

/// A response: the id of its request, and a result or an error.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct Response<T> {
    /// The id of the request; `None` if the server could not read it.
    pub id: Option<Id>,
    /// The result, or the error.
    pub outcome: Result<T, ErrorObject>,
}

/// An error as JSON-RPC has it (§5.1).
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct ErrorObject {
    /// The kind of error. Codes from -32768 to -32000 are reserved by the specification.
    pub code: i64,
    /// A short description.
    pub message: String,
    /// Further information.
    pub data: Option<Json>,
}

impl fmt::Display for ErrorObject {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.code, self.message)
    }
}

impl std::error::Error for ErrorObject {}

/// A fault with the code, message and data; a code beyond 32 bits becomes [`Fault::APPLICATION`].
impl From<ErrorObject> for Fault {
    fn from(error: ErrorObject) -> Fault {
        let fault = Fault::new(i32::try_from(error.code).unwrap_or(Fault::APPLICATION), error.message);
        match error.data {
            Some(data) => fault.with_data(data),
            None => fault,
        }
    }
}

/// Reads a response to one request, of version 2.0 or 1.0.
///
/// # Errors
/// An [`Error`] that says what was expected, what was found, and where: of [`Category::Structure`] for JSON that is no
/// response, of [`Category::Data`] for a result that is not of the type.
///
/// # Example
///
/// ```
/// use rpcgi::jsonrpc;
///
/// let response = br#"{"jsonrpc": "2.0", "id": 1, "error": {"code": -32601, "message": "no such method"}}"#;
/// let error = jsonrpc::response_from_slice::<i32>(response)?.outcome.unwrap_err();
/// assert_eq!((error.code, &error.message[..]), (-32601, "no such method"));
/// # Ok::<(), jsonrpc::Error>(())
/// ```
pub fn response_from_slice<T: DeserializeOwned>(document: &[u8]) -> Result<Response<T>, Error> {
    let options = JsonOptions { limits: Limits::default(), large_integers_as_text: false };
    let raw = RawResponse::read(document, &options)?;
    let id = raw.id.map(|id| parsed(id, "id")).transpose()?;
    let outcome = match (raw.error, raw.result) {
        (Some(error), _) => Err(ErrorObject {
            code: error.code,
            message: error.message,
            data: error.data.map(|data| parsed(data, "data")).transpose()?,
        }),
        (None, Some(result)) => {
            let mut text = JsonText::new(document, &options)?;
            text.go_to(result.at);
            Ok(text.value()?)
        }
        (None, None) => return Err(no_response("expected member \"result\" or \"error\", found neither")),
    };
    Ok(Response { id, outcome })
}

/// A response whose values are still as they are written.
pub(crate) struct RawResponse<'de> {
    pub(crate) id: Option<&'de str>,
    /// A result of null beside an error is none.
    pub(crate) result: Option<RawResult<'de>>,
    pub(crate) error: Option<RawError<'de>>,
}

/// A result as it is written, and its place in the text.
pub(crate) struct RawResult<'de> {
    pub(crate) text: &'de str,
    at: usize,
}

/// An error object whose data is still as it is written.
pub(crate) struct RawError<'de> {
    pub(crate) code: i64,
    pub(crate) message: String,
    pub(crate) data: Option<&'de str>,
}

impl<'de> RawResponse<'de> {
    /// Reads the members of a response.
    ///
    /// # Errors
    /// Of [`Category::Syntax`] for a text that is no JSON, of [`Category::Structure`] for one that is no response.
    pub(crate) fn read(document: &'de [u8], options: &'de JsonOptions) -> Result<RawResponse<'de>, Error> {
        let mut text = JsonText::new(document, options)?;
        if !text.take(b'{') {
            return Err(text.unexpected("a response, which is an object"));
        }
        let mut response = RawResponse { id: None, result: None, error: None };
        let mut first = true;
        while text.next_item(std::mem::take(&mut first), b'}')? {
            let name = text.name()?;
            text.peek();
            let at = text.at();
            let value = text.skip()?;
            match (&*name, value) {
                ("id" | "error", "null") => {}
                ("id", id) => response.id = Some(id),
                ("result", result) => response.result = Some(RawResult { text: result, at }),
                ("error", error) => response.error = Some(RawError::read(error)?),
                _ => {}
            }
        }
        match text.peek() {
            None => Ok(response),
            Some(_) => Err(text.unexpected("the end")),
        }
    }
}

impl<'de> RawError<'de> {
    fn read(text: &'de str) -> Result<RawError<'de>, Error> {
        #[derive(serde::Deserialize)]
        struct Members<'a> {
            code: i64,
            #[serde(default)]
            message: String,
            #[serde(borrow)]
            data: Option<&'a RawValue>,
        }

        let members: Members<'de> =
            serde_json::from_str(text).map_err(|error| no_response(&format!("error: {error}")))?;
        let Members { code, message, data } = members;
        Ok(RawError { code, message, data: data.map(RawValue::get) })
    }
}

/// Reads a part of a response.
fn parsed<T: DeserializeOwned>(text: &str, name: &str) -> Result<T, Error> {
    serde_json::from_str(text).map_err(|error| no_response(&format!("{name}: {error}")))
}

#[cold]
fn no_response(problem: &str) -> Error {
    Error::new(Category::Structure, problem)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use serde_json::json;

    use super::*;

    fn told<T>(result: Result<T, Error>) -> Option<(Category, String)> {
        result.err().map(|error| (error.category(), error.to_string()))
    }

    fn response(document: &str) -> Response<Json> {
        response_from_slice(document.as_bytes()).unwrap()
    }

    #[test]
    fn ids_roundtrip() {
        for id in [Id::from(1), (-7_i64).into(), u64::MAX.into(), "".into(), "a\"ü\n".into()] {
            let text = serde_json::to_string(&id).unwrap();
            assert_eq!(serde_json::from_str::<Id>(&text).unwrap(), id);
            let request: Json = serde_json::from_slice(&request_to_vec("f", &(), id.clone()).unwrap()).unwrap();
            let document = json!({ "jsonrpc": "2.0", "result": 1, "id": request["id"] }).to_string();
            assert_eq!(response(&document).id, Some(id));
        }
    }

    /// Requests of <https://www.jsonrpc.org/specification>.
    #[test]
    fn requests_spec() {
        let named = BTreeMap::from([("minuend", 42), ("subtrahend", 23)]);
        for (found, expected) in [
            (
                request_to_vec("subtract", &[42, 23], 1),
                r#"{"jsonrpc":"2.0","id":1,"method":"subtract","params":[42,23]}"#,
            ),
            (
                request_to_vec("subtract", &named, 4),
                r#"{"jsonrpc":"2.0","id":4,"method":"subtract","params":{"minuend":42,"subtrahend":23}}"#,
            ),
            (request_to_vec("foobar", &(), "1"), r#"{"jsonrpc":"2.0","id":"1","method":"foobar"}"#),
            (request_to_vec("f", &[0; 0], 1), r#"{"jsonrpc":"2.0","id":1,"method":"f","params":[]}"#),
            (
                notification_to_vec("update", &(1, 2, 3, 4, 5)),
                r#"{"jsonrpc":"2.0","method":"update","params":[1,2,3,4,5]}"#,
            ),
            (notification_to_vec("foobar", &()), r#"{"jsonrpc":"2.0","method":"foobar"}"#),
        ] {
            assert_eq!(String::from_utf8(found.unwrap()).unwrap(), expected);
        }
    }

    #[test]
    fn responses_spec() {
        let error = |code, message: &str, data| Err(ErrorObject { code, message: message.into(), data });
        for (document, id, outcome) in [
            (r#"{"jsonrpc": "2.0", "result": 19, "id": 1}"#, Some(Id::from(1)), Ok(json!(19))),
            (r#"{"jsonrpc": "2.0", "result": ["hello", 5], "id": "9"}"#, Some("9".into()), Ok(json!(["hello", 5]))),
            (r#"{"id": 1, "result": null}"#, Some(1.into()), Ok(Json::Null)),
            (
                r#"{"jsonrpc": "2.0", "error": {"code": -32601, "message": "Method not found"}, "id": "1"}"#,
                Some("1".into()),
                error(-32601, "Method not found", None),
            ),
            (
                r#"{"jsonrpc": "2.0", "error": {"code": -32700, "message": "Parse error"}, "id": null}"#,
                None,
                error(-32700, "Parse error", None),
            ),
            (
                r#"{"error": {"code": 1, "message": "full", "data": {"seats": 40}}, "id": 1}"#,
                Some(1.into()),
                error(1, "full", Some(json!({ "seats": 40 }))),
            ),
            (r#"{"result": "Hello", "error": null, "id": 1}"#, Some(1.into()), Ok(json!("Hello"))),
            (r#"{"result": null, "error": {"code": 7, "more": []}, "id": 1}"#, Some(1.into()), error(7, "", None)),
        ] {
            assert_eq!(response(document), Response { id, outcome }, "{document}");
        }
    }

    #[test]
    fn requests_invalid() {
        let no_params = "params are a tuple, an array, a struct, a map or a unit";
        for (found, expected) in [
            (told(request_to_vec("f", &1, 1)), no_params),
            (told(request_to_vec("f", "[]", 1)), no_params),
            (told(notification_to_vec("f", &true)), no_params),
            (told(request_to_vec("f", &[1.0, f64::NAN], 1)), "params: NaN is no double of JSON, at [1]"),
            (
                told(request_to_vec("f", &BTreeMap::from([((1, 2), 3)]), 1)),
                "params: a map has keys that are neither text nor numbers",
            ),
        ] {
            assert_eq!(found, Some((Category::Data, expected.to_owned())));
        }
    }

    #[test]
    fn responses_invalid() {
        for (document, category, expected) in [
            ("", Category::Syntax, "expected a response, which is an object, found the end at line 1 column 1"),
            ("[]", Category::Syntax, "expected a response, which is an object, found `[` at line 1 column 1"),
            (r#"{"result": 1"#, Category::Syntax, "expected `,` or `}`, found the end at line 1 column 13"),
            (r#"{"result": 1} 2"#, Category::Syntax, "expected the end, found `2` at line 1 column 15"),
            (r#"{"id": 1}"#, Category::Structure, "expected member \"result\" or \"error\", found neither"),
            (r#"{"error": null}"#, Category::Structure, "expected member \"result\" or \"error\", found neither"),
            (r#"{"result": 1, "id": [1]}"#, Category::Structure, "id: expected string or number as id"),
            (r#"{"error": {}, "id": 1}"#, Category::Structure, { "error: missing field `code` at line 1 column 2" }),
            (r#"{"result": "a", "id": 1}"#, Category::Data, "expected int, found string \"a\" at line 1 column 14"),
        ] {
            let found = told(response_from_slice::<i32>(document.as_bytes()));
            assert_eq!(found, Some((category, expected.to_owned())), "{document}");
        }
        let far = ErrorObject { code: 1 << 40, message: "far".into(), data: Some(json!(1)) };
        let fault = Fault::from(far);
        assert_eq!((fault.code, fault.data()), (Fault::APPLICATION, Some(&json!(1))));
    }
}
