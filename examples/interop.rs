//! The methods that clients of XML-RPC are tested with, at `/RPC2` and `/`: UserLand's `validator1`, the
//! `interopEchoTests`, phpxmlrpc's `examples`, the roulette wheel, and those of Twisted's and Python's documentation.

use std::collections::BTreeMap;
use std::process::ExitCode;
use std::time::SystemTime;

use rpcgi::xmlrpc::Value;
use rpcgi::{
    Base64, DateTime, Fault, Limits, Method, Registry, Request, Server, Signature, Type, method, methods, service,
};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

#[path = "../src/allocator.rs"]
mod allocator;
#[allow(dead_code)]
#[path = "wheel.rs"]
mod wheel;

/// UserLand's validation suite.
struct Validator1;

/// Three brothers who never agreed on more than this.
#[derive(Deserialize, JsonSchema)]
struct Stooges {
    moe: i32,
    larry: i32,
    curly: i32,
}

impl Stooges {
    fn sum(&self) -> Result<i32, Fault> {
        sum([self.moe, self.larry, self.curly])
    }
}

fn sum(numbers: impl IntoIterator<Item = i32>) -> Result<i32, Fault> {
    numbers.into_iter().try_fold(0_i32, i32::checked_add).ok_or_else(overflow)
}

fn finite(number: f64) -> Result<f64, Fault> {
    if number.is_finite() { Ok(number) } else { Err(Fault::new(3, "the result is no finite number")) }
}

fn overflow() -> Fault {
    Fault::new(3, "the result is beyond 32 bits")
}

/// The number of each of the characters that XML escapes.
#[derive(Serialize, JsonSchema, Default)]
#[serde(rename_all = "camelCase")]
struct EntityCounts {
    /// how many `<`
    ct_left_angle_brackets: i32,
    /// how many `>`
    ct_right_angle_brackets: i32,
    /// how many `&`
    ct_ampersands: i32,
    /// how many `'`
    ct_apostrophes: i32,
    /// how many `"`
    ct_quotes: i32,
}

/// A number, times three powers of ten.
#[derive(Serialize, JsonSchema)]
struct Times {
    times10: i64,
    times100: i64,
    times1000: i64,
}

/// Year, month and day, each by its number as text.
type Calendar = BTreeMap<String, BTreeMap<String, BTreeMap<String, Value>>>;

#[service(rename_all = "camelCase")]
impl Validator1 {
    /// Adds up the member `curly` of all structs.
    pub fn array_of_structs_test(&self, structs: Vec<Stooges>) -> Result<i32, Fault> {
        sum(structs.iter().map(|stooges| stooges.curly))
    }

    /// Counts the characters that XML escapes.
    pub fn count_the_entities(&self, text: String) -> EntityCounts {
        let mut counts = EntityCounts::default();
        for character in text.chars() {
            match character {
                '<' => counts.ct_left_angle_brackets += 1,
                '>' => counts.ct_right_angle_brackets += 1,
                '&' => counts.ct_ampersands += 1,
                '\'' => counts.ct_apostrophes += 1,
                '"' => counts.ct_quotes += 1,
                _ => {}
            }
        }
        counts
    }

    /// Adds up the three members.
    pub fn easy_struct_test(&self, stooges: Stooges) -> Result<i32, Fault> {
        stooges.sum()
    }

    /// Returns the struct it is given.
    pub fn echo_struct_test(&self, value: Struct) -> Struct {
        value
    }

    /// Returns an array of what it is given.
    pub fn many_types_test(
        &self,
        number: i32,
        boolean: bool,
        string: String,
        double: f64,
        date_time: DateTime,
        octets: Base64,
    ) -> (i32, bool, String, f64, DateTime, Base64) {
        (number, boolean, string, double, date_time, octets)
    }

    /// Returns the first and the last of the strings as one.
    pub fn moderate_size_array_check(&self, strings: Vec<String>) -> Result<String, Fault> {
        match &strings[..] {
            [] => Err("expected at least one string, found none".into()),
            [only] => Ok(only.repeat(2)),
            [first, .., last] => Ok(format!("{first}{last}")),
        }
    }

    /// Adds up the members `moe`, `larry` and `curly` of the first of April 2000.
    pub fn nested_struct_test(&self, calendar: Calendar) -> Result<i32, Fault> {
        let day = calendar.get("2000").and_then(|year| year.get("04")).and_then(|month| month.get("01"));
        let day = day.ok_or("the calendar has no 2000, 04, 01")?;
        let stooges: Stooges =
            rpcgi::xmlrpc::from_value(day.clone()).map_err(|error| Fault::from(error.to_string()))?;
        stooges.sum()
    }

    /// Returns a number times 10, 100 and 1000.
    pub fn simple_struct_return_test(&self, number: i32) -> Times {
        let number = i64::from(number);
        Times { times10: number * 10, times100: number * 100, times1000: number * 1000 }
    }
}

/// A struct of any members.
type Struct = BTreeMap<String, Value>;

/// Says who is answering.
#[derive(Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
struct Toolkit {
    /// where to read about it
    toolkit_docs_url: String,
    toolkit_name: String,
    toolkit_version: String,
    toolkit_operating_system: String,
}

/// Says who is answering.
#[method(name = "whichToolkit")]
fn which_toolkit() -> Toolkit {
    Toolkit {
        toolkit_docs_url: "https://www.rust-lang.org/".into(),
        toolkit_name: "rpcgi".into(),
        toolkit_version: env!("CARGO_PKG_VERSION").into(),
        toolkit_operating_system: std::env::consts::OS.into(),
    }
}

/// Takes nothing, and returns a number.
#[method(name = "noInParams")]
fn no_in_params() -> i32 {
    42
}

/// A method that returns its one argument.
macro_rules! echo {
    ($name:literal, $type:ty) => {
        Method::new($name, |value: $type| value).help("Returns what it is given.").params(["value"])
    };
}

fn interop_echo_tests() -> Registry {
    Registry::from([
        echo!("echoString", String),
        echo!("echoInteger", i32),
        echo!("echoFloat", f64),
        echo!("echoBoolean", bool),
        echo!("echoStruct", Struct),
        echo!("echoDate", DateTime),
        echo!("echoBase64", Base64),
        echo!("echoStringArray", Vec<String>),
        echo!("echoIntegerArray", Vec<i32>),
        echo!("echoFloatArray", Vec<f64>),
        echo!("echoStructArray", Vec<Struct>),
        echo!("echoValue", Value),
    ])
    .methods(methods![which_toolkit, no_in_params])
}

const STATES: [&str; 51] = [
    "Alabama",
    "Alaska",
    "Arizona",
    "Arkansas",
    "California",
    "Colorado",
    "Columbia",
    "Connecticut",
    "Delaware",
    "Florida",
    "Georgia",
    "Hawaii",
    "Idaho",
    "Illinois",
    "Indiana",
    "Iowa",
    "Kansas",
    "Kentucky",
    "Louisiana",
    "Maine",
    "Maryland",
    "Massachusetts",
    "Michigan",
    "Minnesota",
    "Mississippi",
    "Missouri",
    "Montana",
    "Nebraska",
    "Nevada",
    "New Hampshire",
    "New Jersey",
    "New Mexico",
    "New York",
    "North Carolina",
    "North Dakota",
    "Ohio",
    "Oklahoma",
    "Oregon",
    "Pennsylvania",
    "Rhode Island",
    "South Carolina",
    "South Dakota",
    "Tennessee",
    "Texas",
    "Utah",
    "Vermont",
    "Virginia",
    "Washington",
    "West Virginia",
    "Wisconsin",
    "Wyoming",
];

/// Returns the name of a state of the USA by its place in the alphabet.
#[method(
    name = "examples.getStateName",
    alias = "examples_getStateName",
    fault(800, "there is no state of this number")
)]
fn get_state_name(
    /// 1 to 51
    number: i32,
) -> Result<&'static str, Fault> {
    let index = usize::try_from(number).ok().and_then(|number| number.checked_sub(1));
    let name = index.and_then(|index| STATES.get(index).copied());
    name.ok_or_else(|| Fault::new(800, format!("there is no state with number {number}")))
}

/// Sorts people by their age.
///
/// Leaves out people without a name or an age.
#[method(name = "examples.sortByAge", fault(800, "somebody is no struct"))]
fn sort_by_age(
    /// structs with the members `name` and `age`
    people: Vec<Value>,
) -> Result<Vec<Value>, Fault> {
    let mut sorted = Vec::new();
    for person in people {
        if !matches!(person, Value::Struct(_)) {
            return Err(Fault::new(800, format!("expected struct, found {}", person.type_name())));
        }
        if let (Some(Value::String(_)), Some(Value::Int(age))) = (person.member("name"), person.member("age")) {
            sorted.push((*age, person));
        }
    }
    sorted.sort_by_key(|(age, _)| *age);
    Ok(sorted.into_iter().map(|(_, person)| person).collect())
}

/// Adds two whole numbers.
#[method(name = "examples.addtwo")]
fn add_two(a: i32, b: i32) -> Result<i32, Fault> {
    sum([a, b])
}

/// Adds two numbers.
#[method(name = "examples.addtwodouble")]
fn add_two_double(a: f64, b: f64) -> Result<f64, Fault> {
    finite(a + b)
}

/// Returns the request document it is part of.
#[method(name = "examples.echo")]
fn echo_document(request: &Request, _text: String) -> String {
    format!("I got the following message:\n{}", String::from_utf8_lossy(request.body()))
}

/// Returns octets as text; what is not UTF-8 is replaced by U+FFFD.
#[method(name = "examples.decode64")]
fn decode64(octets: Base64) -> String {
    String::from_utf8_lossy(&octets).into_owned()
}

/// Inverts booleans.
#[method(name = "examples.invertBooleans")]
fn invert_booleans(booleans: Vec<bool>) -> Vec<bool> {
    booleans.into_iter().map(|boolean| !boolean).collect()
}

/// Always fails.
#[method]
fn fault() -> Result<(), Fault> {
    Err(Fault::new(123, "The fault procedure is faulty."))
}

/// Divides one whole number by another, rounding down.
#[method]
fn div(a: i32, b: i32) -> Result<i32, Fault> {
    let quotient = a.checked_div(b).ok_or_else(|| Fault::new(2, "division by zero, or a result beyond 32 bits"))?;
    Ok(quotient - i32::from(a % b != 0 && (a < 0) != (b < 0)))
}

/// Raises a whole number to a power.
#[method(name = "pow")]
fn int_pow(base: i32, exponent: i32) -> Result<i32, Fault> {
    let exponent = u32::try_from(exponent).map_err(|_| Fault::new(4, "a negative exponent needs doubles"))?;
    base.checked_pow(exponent).ok_or_else(overflow)
}

/// Raises a number to a power.
#[method(name = "pow")]
fn double_pow(base: f64, exponent: f64) -> Result<f64, Fault> {
    finite(base.powf(exponent))
}

/// Adds two numbers.
#[method(name = "add")]
fn add_ints(a: i32, b: i32) -> Result<i32, Fault> {
    sum([a, b])
}

/// Adds two numbers.
#[method(name = "add")]
fn add_doubles(a: f64, b: f64) -> Result<f64, Fault> {
    finite(a + b)
}

/// Returns what it gets, in the five ways that Twisted's documentation declares.
fn echo_of_twisted() -> Method {
    let echo = |_: &Request, mut params: Vec<Value>| Ok::<_, Fault>(params.pop().unwrap_or(Value::Nil));
    let echo = Method::dynamic("echo", echo).help("Returns what it gets.");
    let types = [Type::String, Type::Int, Type::Double, Type::Array, Type::Struct];
    types.into_iter().fold(echo, |echo, of| echo.signature(Signature::new(of, [of])))
}

/// Tells the time, in seconds since the beginning of 1970 in UTC.
#[method(name = "date.time")]
fn time() -> f64 {
    SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).map_or(0.0, |time| time.as_secs_f64())
}

/// Returns the values of a header of the request.
#[method(name = "headerValue")]
fn header_value(
    request: &Request,
    /// the name of the header
    name: String,
) -> Vec<String> {
    request.header(&name).into_iter().map(|value| value.into_owned()).collect()
}

/// Returns something to think about.
#[method]
fn quote() -> &'static str {
    "What is worth doing is worth doing twice, but not in the same place."
}

fn main() -> ExitCode {
    allocator::settle();
    let mut limits = Limits::default();
    // some clients ask for the help and the signature of every method in one multicall
    limits.calls = 200;
    Server::new("Interop")
        .title("rpcgi: methods to test clients with")
        .documentation("UserLand's validator1, interopEchoTests, phpxmlrpc's examples, a wheel, and more.")
        .paths(["/", "/RPC2", "/rpc", "/cgi-bin/interop", "/fcgid/interop", "/one", "/many"])
        .limits(limits)
        .mount("validator1", Validator1)
        .mount("interopEchoTests", interop_echo_tests())
        .methods(methods![
            get_state_name,
            sort_by_age,
            add_two,
            add_two_double,
            echo_document,
            decode64,
            invert_booleans
        ])
        .methods(echo!("examples.stringecho", String))
        .methods(wheel::Wheel)
        .methods(echo_of_twisted())
        .methods(methods![time, header_value, quote])
        .methods(Method::overload("add", methods![add_ints, add_doubles]))
        .methods(Method::overload("pow", methods![int_pow, double_pow]))
        .methods(methods![fault, div])
        .run()
}
