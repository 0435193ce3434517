//! XML-RPC as a serde format: `serde_json`'s shape for `<value>`, `<methodCall>` and `<methodResponse>`.
//!
//! Documents are decoded straight into the target type and encoded straight from it; a tree ([`Value`]) is built only
//! on request. The specification is at <http://xmlrpc.com/spec.md>; `nil`, `i8` and the extensions of Apache's
//! implementation (`ex:i8`, `ex:nil`, ...) are read too.
//!
//! | wire | Rust | read | written |
//! |---|---|---|---|
//! | `int`, `i4` | `i32` and narrower | also `i1`, `i2`, `ex:` forms, blanks around it, a leading `+` | `<int>` |
//! | `i8` | `i64`, `u32`, `u64` | `ex:i8` | `<int>` if it fits 32 bits, else `<i8>`; beyond `i64` an error |
//! | `boolean` | `bool` | `0`, `1`, `false`, `true` | `0`, `1` |
//! | `string` | `String`, `char`, enums without content | text without an element, CDATA, references | a character that XML forbids as U+FFFD |
//! | `double` | `f64`, `f32` | exponents, a leading `+` or `.`; an `int` too | the shortest decimal that reads back the same; NaN and infinities are errors |
//! | `dateTime.iso8601` | [`DateTime`](crate::DateTime) | dashes, zone, fraction or none of them | `YYYYMMDDTHH:MM:SS` |
//! | `base64` | [`Base64`](crate::Base64), serde's bytes | white space anywhere, padding or none | one line |
//! | `array` | `Vec`, tuples, sets | `<data/>`, no `<data>` | `<data>` always |
//! | `struct` | structs, maps, enums with content | members in any order, a value before its name | in the order of the fields |
//! | `nil` | `Option`, `()` | `nil`, `ex:nil` | `<nil/>` |
//!
//! Documents are read in UTF-8, UTF-16, US-ASCII, ISO-8859-1 and whatever else `encoding_rs` knows, by their own
//! declaration. A DOCTYPE is an error. The functions that
//! read documents apply the default [`Limits`](crate::Limits).
//!
//! # Example
//!
//! ```
//! use rpcgi::xmlrpc;
//! use serde::{Deserialize, Serialize};
//!
//! #[derive(Serialize, Deserialize, Debug, PartialEq)]
//! struct Spin { number: String, red: bool }
//!
//! let octets = xmlrpc::to_vec(&Spin { number: "32".into(), red: true })?;
//! assert_eq!(
//!     String::from_utf8_lossy(&octets),
//!     "<value><struct><member><name>number</name><value><string>32</string></value></member>\
//!      <member><name>red</name><value><boolean>1</boolean></value></member></struct></value>",
//! );
//! let spin: Spin = xmlrpc::from_slice(&octets)?;
//! assert!(spin.red);
//! # Ok::<(), xmlrpc::Error>(())
//! ```

mod answer;
mod de;
mod ser;
mod tag;

use std::borrow::Cow;

use serde::Serialize;
use serde::de::DeserializeOwned;

pub use crate::wire::Position;
pub use crate::wire::compat::Compat;
pub use crate::wire::value::{Members, ParseDateTimeError, Value};
pub use crate::wire::xml::Encoding;
pub use crate::wire::{Category, Error};

pub(crate) use self::answer::XML_RPC;
use self::de::CallReader;
use self::ser::WriteOptions;
use crate::service::Limits;
use crate::wire::fault::{Fault, FaultMembers};
use crate::wire::value::{WireTypes, WriteError};
use crate::wire::xml::decode;

/// Reads a document whose root is a `<value>`.
///
/// # Errors
/// An [`Error`] that says what was expected, what was found, and where.
///
/// # Example
///
/// ```
/// let numbers: Vec<i32> = rpcgi::xmlrpc::from_slice(
///     b"<value><array><data><value><int>1</int></value><value><i4>2</i4></value></data></array></value>",
/// )?;
/// assert_eq!(numbers, [1, 2]);
///
/// let error = rpcgi::xmlrpc::from_slice::<i32>(b"<value>\n<string>1</string></value>").unwrap_err();
/// assert_eq!(error.to_string(), "expected int, found string at line 1 column 1");
/// # Ok::<(), rpcgi::xmlrpc::Error>(())
/// ```
pub fn from_slice<T: DeserializeOwned>(document: &[u8]) -> Result<T, Error> {
    let limits = Limits::default();
    de::read_value_document(&Document::new(document, &limits)?.0, &limits)
}

/// Writes a `<value>`, in UTF-8 and without an XML declaration.
///
/// # Errors
/// Of [`Category::Data`], for what XML-RPC cannot carry: NaN, infinities, integers beyond 64 bits, maps whose keys are
/// neither text nor numbers. The message says where in the value it stands.
///
/// # Example
///
/// ```
/// assert_eq!(rpcgi::xmlrpc::to_vec(&1.5)?, b"<value><double>1.5</double></value>");
///
/// let error = rpcgi::xmlrpc::to_vec(&[[0.0], [f64::NAN]]).unwrap_err();
/// assert_eq!(error.to_string(), "NaN is no double of XML-RPC, at [1][0]");
/// # Ok::<(), rpcgi::xmlrpc::Error>(())
/// ```
pub fn to_vec<T: Serialize + ?Sized>(value: &T) -> Result<Vec<u8>, Error> {
    let mut out = Vec::new();
    ser::write_value(value, WriteOptions::default(), &mut out)?;
    Ok(out)
}

/// Decodes a [`Value`] into a type, by the rules for documents.
///
/// # Errors
/// Of [`Category::Data`], if the value is not of the type; without a position.
///
/// # Example
///
/// ```
/// use rpcgi::xmlrpc::{self, Value};
///
/// let pair: (i32, f64) = xmlrpc::from_value(Value::Array(vec![1.into(), 2.into()]))?;
/// assert_eq!(pair, (1, 2.0));
/// # Ok::<(), xmlrpc::Error>(())
/// ```
pub fn from_value<T: DeserializeOwned>(value: Value) -> Result<T, Error> {
    T::deserialize(value.into_typed::<Error>(WireTypes::All))
}

/// Reads a `<methodCall>`: the method's name, and all params into one type, a tuple or a `Vec`.
///
/// # Errors
/// An [`Error`] that says what was expected, what was found, and where; more or fewer params than the type has are an
/// error too.
///
/// # Example
///
/// ```
/// let (name, (a, b)): (String, (i32, i32)) = rpcgi::xmlrpc::call_from_slice(
///     b"<methodCall><methodName>add</methodName><params><param><value><int>2</int></value></param>\
///       <param><value><int>3</int></value></param></params></methodCall>",
/// )?;
/// assert_eq!((&name[..], a, b), ("add", 2, 3));
/// # Ok::<(), rpcgi::xmlrpc::Error>(())
/// ```
pub fn call_from_slice<P: DeserializeOwned>(document: &[u8]) -> Result<(String, P), Error> {
    let limits = Limits::default();
    let document = Document::new(document, &limits)?;
    let (method_name, reader) = CallReader::new(&document.0, &limits)?;
    Ok((method_name.into_owned(), reader.params()?))
}

/// Writes a `<methodCall>` whose params are the items of `params`: a tuple, a `Vec`, an array; `()` for none.
///
/// # Errors
/// As [`to_vec`]; and of [`Category::Data`] if `params` is something else.
///
/// # Example
///
/// ```
/// let document = rpcgi::xmlrpc::call_to_vec("add", &(2, 3))?;
/// assert!(document.ends_with(
///     b"<methodCall><methodName>add</methodName><params><param><value><int>2</int></value></param>\
///       <param><value><int>3</int></value></param></params></methodCall>\n"
/// ));
/// # Ok::<(), rpcgi::xmlrpc::Error>(())
/// ```
pub fn call_to_vec<P: Serialize + ?Sized>(method_name: &str, params: &P) -> Result<Vec<u8>, Error> {
    let mut out = DECLARATION.to_vec();
    ser::write_call(method_name, params, &mut out)?;
    Ok(out)
}

/// Reads a `<methodResponse>`: the result, or the fault.
///
/// # Errors
/// An [`Error`] that says what was expected, what was found, and where.
///
/// # Example
///
/// ```
/// let response = rpcgi::xmlrpc::response_from_slice::<i32>(
///     b"<methodResponse><fault><value><struct><member><name>faultCode</name><value><int>4</int></value></member>\
///       <member><name>faultString</name><value>Too many parameters.</value></member></struct></value></fault>\
///       </methodResponse>",
/// )?;
/// assert_eq!(response.unwrap_err().code, 4);
/// # Ok::<(), rpcgi::xmlrpc::Error>(())
/// ```
pub fn response_from_slice<T: DeserializeOwned>(document: &[u8]) -> Result<Result<T, Fault>, Error> {
    let limits = Limits::default();
    de::read_response(&Document::new(document, &limits)?.0, &limits)
}

/// Writes a `<methodResponse>` with a result, or with a fault.
///
/// # Errors
/// As [`to_vec`].
///
/// # Example
///
/// ```
/// use rpcgi::{Fault, xmlrpc};
///
/// let document = xmlrpc::response_to_vec(Ok(&5))?;
/// assert!(document.ends_with(b"<params><param><value><int>5</int></value></param></params></methodResponse>\n"));
///
/// let fault = Fault::new(4, "Too many parameters.");
/// let document = xmlrpc::response_to_vec::<()>(Err(&fault))?;
/// assert_eq!(xmlrpc::response_from_slice::<()>(&document)?, Err(fault));
/// # Ok::<(), xmlrpc::Error>(())
/// ```
pub fn response_to_vec<T: Serialize + ?Sized>(response: Result<&T, &Fault>) -> Result<Vec<u8>, Error> {
    Ok(write_response(response, Encoding::UTF_8, WriteOptions::default())?)
}

const DECLARATION: &[u8] = b"<?xml version=\"1.0\" encoding=\"utf-8\"?>\n";

/// Writes a `<methodResponse>` with a server's settings.
fn write_response<T: Serialize + ?Sized>(
    response: Result<&T, &Fault>,
    encoding: Encoding,
    options: WriteOptions,
) -> Result<Vec<u8>, WriteError> {
    match response {
        Ok(result) => {
            let mut out = declaration(encoding);
            out.extend_from_slice(b"<methodResponse><params><param>");
            ser::write_value(result, options, &mut out)?;
            out.extend_from_slice(b"</param></params></methodResponse>\n");
            Ok(encoding.encode(out))
        }
        Err(fault) => Ok(write_fault(fault, encoding)),
    }
}

/// Writes a `<methodResponse>` with a fault, which is always possible.
fn write_fault(fault: &Fault, encoding: Encoding) -> Vec<u8> {
    let mut out = declaration(encoding);
    out.extend_from_slice(b"<methodResponse><fault>");
    if ser::write_value(&FaultMembers(fault), WriteOptions::default(), &mut out).is_err() {
        unreachable!("an int and a string can be written");
    }
    out.extend_from_slice(b"</fault></methodResponse>\n");
    encoding.encode(out)
}

/// Returns the beginning of a document.
fn declaration(encoding: Encoding) -> Vec<u8> {
    let mut out = Vec::with_capacity(256);
    match encoding == Encoding::UTF_8 {
        true => out.extend_from_slice(DECLARATION),
        false => out.extend_from_slice(format!("<?xml version=\"1.0\" encoding=\"{encoding}\"?>\n").as_bytes()),
    }
    out
}

/// A document in UTF-8, within the limit.
struct Document<'a>(Cow<'a, [u8]>);

impl<'a> Document<'a> {
    /// Decodes the characters of a document.
    ///
    /// # Errors
    /// Of [`Category::Limit`], [`Category::Encoding`] or [`Category::Character`].
    fn new(document: &'a [u8], limits: &Limits) -> Result<Document<'a>, Error> {
        if document.len() > limits.body {
            let message = format!("a document of {} octets, longer than {}", document.len(), limits.body);
            return Err(Error::new(Category::Limit, message));
        }
        decode(document).map(Document)
    }
}
