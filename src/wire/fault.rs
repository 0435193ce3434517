//! A fault: what the caller gets instead of a result.

use std::any::Any;
use std::error::Error;
use std::fmt;
use std::panic::{AssertUnwindSafe, catch_unwind};

use serde::ser::{Serialize, SerializeStruct, Serializer};
use serde_json::Value as Json;

use crate::service::HeaderError;

/// The answer of a call that fails: a code for programs and a text for people.
///
/// A method returns one as the error of its `Result`, and it reaches the caller unchanged. A text alone
/// (`Err("no such wheel")?`) becomes a fault with the code [`Fault::APPLICATION`].
///
/// The codes below are those of the *Specification for Fault Code Interoperability* (2001), which JSON-RPC 2.0 shares.
///
/// # Example
///
/// ```
/// use rpcgi::Fault;
///
/// fn state_name(number: usize) -> Result<&'static str, Fault> {
///     ["Alabama", "Alaska"].get(number).copied().ok_or(Fault::new(800, "there is no such state"))
/// }
///
/// assert_eq!(state_name(7).unwrap_err().code, 800);
/// ```
pub struct Fault {
    /// `faultCode`. A method's own codes are best positive: those from -32768 to -32000 are taken.
    pub code: i32,
    /// `faultString`: what the caller can act on.
    pub message: String,
    data: Option<Box<Json>>,
    cause: Option<Box<dyn Error + Send + Sync>>,
    exception: Option<Box<Exception>>,
}

/// The class and the text of an exception that was not meant for callers.
type Exception = (String, String);

impl Fault {
    /// The document is not well-formed XML or JSON.
    pub const NOT_WELL_FORMED: i32 = -32700;
    /// The document declares an encoding that is not supported.
    pub const UNSUPPORTED_ENCODING: i32 = -32701;
    /// The document has octets that are invalid in its encoding, or a character that XML does not allow.
    pub const INVALID_CHARACTER: i32 = -32702;
    /// The document is well-formed, but not a call; or it is over a limit. JSON-RPC's Invalid Request.
    pub const INVALID_CALL: i32 = -32600;
    /// There is no method of that name.
    pub const METHOD_NOT_FOUND: i32 = -32601;
    /// The params do not fit the method.
    pub const INVALID_PARAMS: i32 = -32602;
    /// Something went wrong inside; the log has the cause, the caller learns no more.
    pub const INTERNAL: i32 = -32603;
    /// The machine has failed a method: a program took too long, could not be started, or wrote what it must not.
    pub const SYSTEM: i32 = -32400;
    /// An error of a method that chose no code of its own.
    pub const APPLICATION: i32 = -32500;

    /// Creates a fault with this code and text.
    pub fn new(code: i32, message: impl Into<String>) -> Fault {
        Fault { code, message: message.into(), data: None, cause: None, exception: None }
    }

    /// Creates the fault [`Fault::INTERNAL`] for an error that the caller cannot mend: the log gets `cause`, the caller
    /// the words "internal error".
    ///
    /// # Example
    ///
    /// ```
    /// use rpcgi::Fault;
    ///
    /// fn motd() -> Result<String, Fault> {
    ///     std::fs::read_to_string("/nowhere/motd").map_err(Fault::internal)
    /// }
    ///
    /// let fault = motd().unwrap_err();
    /// assert_eq!(fault.to_string(), "-32603: internal error");
    /// assert!(fault.cause().unwrap().contains("No such file"));
    /// ```
    pub fn internal(cause: impl Into<Box<dyn Error + Send + Sync>>) -> Fault {
        Fault { cause: Some(cause.into()), ..Fault::new(Fault::INTERNAL, "internal error") }
    }

    /// Adds data for programs, beside the code: the member `data` of JSON-RPC's error object. XML-RPC has no place for
    /// it.
    ///
    /// # Example
    ///
    /// ```
    /// use rpcgi::Fault;
    /// use serde_json::json;
    ///
    /// let fault = Fault::new(7, "there are no seats left").with_data(json!({ "seats": 40 }));
    /// assert_eq!(fault.data().unwrap()["seats"], 40);
    /// ```
    pub fn with_data(mut self, data: Json) -> Fault {
        self.data = Some(Box::new(data));
        self
    }

    /// Returns the data that was added by [`with_data`](Fault::with_data), or by the check of the params: the name of a
    /// `param` that does not fit, and the `line` and `column` where that was seen.
    pub fn data(&self) -> Option<&Json> {
        self.data.as_deref()
    }

    /// Adds the exception behind it, which is told where a system is imitated that tells such things.
    #[cfg(feature = "program")]
    pub(crate) fn with_exception(mut self, class: String, text: String) -> Fault {
        self.exception = Some(Box::new((class, text)));
        self
    }

    /// Returns class and text of the exception behind it, if they are known.
    pub(crate) fn exception(&self) -> Option<(&str, &str)> {
        self.exception.as_deref().map(|(class, text)| (&**class, &**text))
    }

    /// Returns the cause, for the log and not for the caller: the error behind an [internal](Fault::internal) fault,
    /// and the errors behind that one.
    pub fn cause(&self) -> Option<String> {
        let mut error: &(dyn Error + 'static) = &**self.cause.as_ref()?;
        let mut text = error.to_string();
        while let Some(source) = error.source() {
            text.push_str(": ");
            text.push_str(&source.to_string());
            error = source;
        }
        Some(text)
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.code, self.message)
    }
}

impl fmt::Debug for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Fault({}, {:?}", self.code, self.message)?;
        if let Some(cause) = self.cause() {
            write!(f, ", cause: {cause:?}")?;
        }
        f.write_str(")")
    }
}

impl Error for Fault {}

impl PartialEq for Fault {
    /// Compares what the caller sees: code and text.
    fn eq(&self, other: &Fault) -> bool {
        (self.code, &self.message) == (other.code, &other.message)
    }
}

/// The codes that every method shares, each with a name for programs and a text for people.
pub(crate) const SHARED: [(&str, i32, &str); 7] = [
    ("ParseError", Fault::NOT_WELL_FORMED, "The document is not well-formed"),
    ("InvalidRequest", Fault::INVALID_CALL, "The document is not a call, or exceeds a limit"),
    ("MethodNotFound", Fault::METHOD_NOT_FOUND, "There is no such method"),
    ("InvalidParams", Fault::INVALID_PARAMS, "The params do not match the method"),
    ("InternalError", Fault::INTERNAL, "Something went wrong on the server; its log has the cause"),
    ("ApplicationError", Fault::APPLICATION, "The method says what is wrong"),
    ("SystemError", Fault::SYSTEM, "The method could not be carried out: it took too long, for example"),
];

/// A fault as the struct that stands for it in XML-RPC.
pub(crate) struct FaultMembers<'a>(pub(crate) &'a Fault);

impl Serialize for FaultMembers<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut members = serializer.serialize_struct("Fault", 2)?;
        members.serialize_field("faultCode", &self.0.code)?;
        members.serialize_field("faultString", &self.0.message)?;
        members.end()
    }
}

/// Runs an author's code: a panic in it becomes an internal fault.
pub(crate) fn catch_panic<T>(run: impl FnOnce() -> T) -> Result<T, Fault> {
    catch_unwind(AssertUnwindSafe(run))
        .map_err(|panic| Fault::internal(format!("panicked: {}", panic_message(&*panic))))
}

fn panic_message(panic: &(dyn Any + Send)) -> &str {
    let text = panic.downcast_ref::<&str>().copied();
    text.or_else(|| panic.downcast_ref::<String>().map(String::as_str)).unwrap_or("with something that is no text")
}

/// An internal fault: the method has set a header that it cannot.
impl From<HeaderError> for Fault {
    fn from(error: HeaderError) -> Fault {
        Fault::internal(error)
    }
}

impl From<String> for Fault {
    fn from(message: String) -> Fault {
        Fault::new(Fault::APPLICATION, message)
    }
}

impl From<&str> for Fault {
    fn from(message: &str) -> Fault {
        Fault::new(Fault::APPLICATION, message)
    }
}

impl From<Box<dyn Error + Send + Sync>> for Fault {
    /// Returns a fault in the box as it was. Any other error may tell what callers must not learn: it goes to the log,
    /// see [`Fault::internal`].
    fn from(cause: Box<dyn Error + Send + Sync>) -> Fault {
        match cause.downcast::<Fault>() {
            Ok(fault) => *fault,
            Err(cause) => Fault::internal(cause),
        }
    }
}
