//! The things that can be a method, and their names.

use std::collections::BTreeMap;
use std::sync::Mutex;

use rpcgi::xmlrpc::{Encoding, Value};
use rpcgi::{
    Base64, DateTime, Endpoint, Fallback, Fault, Limits, Method, Registry, Request, Server, Service, Signature, Type,
    method, methods, service,
};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::harness::call;

mod inner {
    /// Multiplies.
    #[rpcgi::method(alias = "times")]
    pub fn product(a: i32, b: i32) -> i32 {
        a * b
    }
}

/// Says hello.
#[method(name = "greet.hello")]
fn hello(name: String) -> String {
    format!("Hello, {name}!")
}

/// Cannot be seen.
#[method(hidden)]
fn secret() -> i32 {
    42
}

type Answer<T> = Result<T, Fault>;

#[method]
fn by_alias(fail: bool) -> Answer<i32> {
    if fail { Err(Fault::new(7, "as asked")) } else { Ok(1) }
}

#[method]
fn by_text(fail: bool) -> Result<i32, String> {
    if fail { Err("a text".into()) } else { Ok(1) }
}

#[method]
fn by_box(path: String) -> Result<String, Box<dyn std::error::Error + Send + Sync>> {
    match &path[..] {
        "fault" => Err(Box::new(Fault::new(8, "a fault in a box"))),
        path => Ok(std::fs::read_to_string(path)?),
    }
}

#[derive(Debug)]
enum BankError {
    NoMoney,
    NoAccount,
}

impl From<BankError> for Fault {
    fn from(error: BankError) -> Fault {
        match error {
            BankError::NoMoney => Fault::new(1, "no money"),
            BankError::NoAccount => Fault::new(2, "no account"),
        }
    }
}

#[method]
fn withdraw(account: String, amount: u32) -> Result<u32, BankError> {
    match (&account[..], amount) {
        ("ann", ..=100) => Ok(100 - amount),
        ("ann", _) => Err(BankError::NoMoney),
        _ => Err(BankError::NoAccount),
    }
}

#[test]
fn functions() {
    let server =
        Server::new("Test").methods(methods![hello, inner::product, secret, by_alias, by_text, by_box, withdraw]);
    let endpoint = server.build().unwrap();
    let fault = |code, message: &str| Err(Fault::new(code, message));
    assert_eq!(call(&endpoint, "greet.hello", &("Ann",)), Ok("Hello, Ann!".into()));
    assert_eq!(call(&endpoint, "product", &(6, 7)), Ok(42.into()));
    assert_eq!(call(&endpoint, "times", &(6, 7)), Ok(42.into()));
    assert_eq!(call(&endpoint, "secret", &()), Ok(42.into()));
    assert_eq!(call(&endpoint, "by_alias", &(false,)), Ok(1.into()));
    assert_eq!(call(&endpoint, "by_alias", &(true,)), fault(7, "as asked"));
    assert_eq!(call(&endpoint, "by_text", &(true,)), fault(-32500, "a text"));
    assert_eq!(call(&endpoint, "by_box", &("fault",)), fault(8, "a fault in a box"));
    assert_eq!(call(&endpoint, "by_box", &("/nowhere/secret",)), fault(-32603, "internal error"));
    assert_eq!(call(&endpoint, "withdraw", &("ann", 30)), Ok(70.into()));
    assert_eq!(call(&endpoint, "withdraw", &("ann", 101)), fault(1, "no money"));
    assert_eq!(call(&endpoint, "withdraw", &("bob", 1)), fault(2, "no account"));
    assert_eq!(call(&endpoint, "hello", &("Ann",)).unwrap_err().code, -32601);
    let listed = call(&endpoint, "system.listMethods", &()).unwrap();
    let Value::Array(listed) = listed else { panic!("{listed:?}") };
    assert!(listed.contains(&"times".into()) && !listed.contains(&"secret".into()));
    assert_eq!(hello("Ann".into()), "Hello, Ann!", "a method is still a function");
}

struct Account {
    balance: Mutex<i64>,
}

#[service(rename_all = "camelCase")]
impl Account {
    pub fn new(balance: i64) -> Self {
        Account { balance: Mutex::new(balance) }
    }

    /// Puts money in.
    pub fn pay_in(&self, amount: u32) -> i64 {
        self.change(amount.into())
    }

    #[method(name = "withdraw", alias = "takeOut")]
    pub fn pay_out(&self, request: &Request, amount: u32) -> Result<i64, String> {
        match request.user() {
            Some(user) if user == "ann" => Ok(self.change(-i64::from(amount))),
            _ => Err("only Ann may do this".into()),
        }
    }

    /// The rate, for all.
    pub fn interest_rate() -> f64 {
        1.5
    }

    #[method(skip)]
    pub fn audit(&self) -> i64 {
        self.change(0)
    }

    #[method(hidden)]
    pub fn reset(&self) {
        *self.balance.lock().unwrap() = 0;
    }

    fn change(&self, amount: i64) -> i64 {
        let mut balance = self.balance.lock().unwrap();
        *balance += amount;
        *balance
    }

    pub(crate) fn inside(&self) -> i64 {
        self.audit()
    }
}

#[test]
fn services() {
    assert_eq!(Account::new(5).inside(), 5);
    let endpoint = Server::new("Test").mount("account", Account::new(10)).build().unwrap();
    assert_eq!(call(&endpoint, "account.payIn", &(5,)), Ok(15.into()));
    assert_eq!(call(&endpoint, "account.interestRate", &()), Ok(1.5.into()));
    assert_eq!(call(&endpoint, "account.withdraw", &(5,)), Err("only Ann may do this".into()));
    assert_eq!(call(&endpoint, "account.takeOut", &(5,)), Err("only Ann may do this".into()));
    assert_eq!(call(&endpoint, "account.reset", &()), Ok(Value::Nil));
    assert_eq!(call(&endpoint, "account.payIn", &(5,)), Ok(5.into()));
    for name in ["account.new", "account.change", "account.audit", "account.inside", "account.payOut", "account.pay_in"]
    {
        assert_eq!(call(&endpoint, name, &()).unwrap_err().code, -32601, "{name}");
    }
}

#[test]
fn the_request_is_there_for_who_asks() {
    fn whoami(request: &Request, greeting: String) -> String {
        let header = |name| request.header(name).unwrap_or_default().into_owned();
        let address = request.remote_addr().unwrap();
        format!("{greeting} {} {address} {} {}", request.user().unwrap(), header("X-Colour"), request.body().len())
    }
    let endpoint = Server::new("Test").method("whoami", whoami).build().unwrap();
    let document = rpcgi::xmlrpc::call_to_vec("whoami", &("Hi",)).unwrap();
    let len = document.len();
    let variables = |name: &str| {
        let value = match name {
            "REQUEST_METHOD" => "POST",
            "REMOTE_ADDR" => "192.0.2.1",
            "AUTH_TYPE" => "Basic",
            "REMOTE_USER" => "ann",
            "HTTP_X_COLOUR" => "red",
            _ => return None,
        };
        Some(value.as_bytes().into())
    };
    let response = endpoint.handle(&Request::new(variables, document));
    let result = rpcgi::xmlrpc::response_from_slice::<String>(&response.body).unwrap();
    assert_eq!(result, Ok(format!("Hi ann 192.0.2.1 red {len}")));
}

#[derive(Serialize, Deserialize, JsonSchema)]
struct Point {
    x: f64,
    y: f64,
}

#[test]
fn closures_of_every_shape() {
    let factor = 3;
    let endpoint = Server::new("Test")
        .method("none", || ())
        .method("captured", move |a: i32| a * factor)
        .method("request", |request: &Request| request.body().is_empty())
        .method("request2", |_: &Request, a: i32, b: Option<i32>| a + b.unwrap_or(10))
        .method("fallible", |a: i32| u8::try_from(a).map_err(|_| Fault::new(9, "no octet")))
        .method("eight", |a: i8, b: i16, c: i32, d: i64, e: u8, f: u16, g: u32, h: u64| {
            i64::from(a) + i64::from(b) + i64::from(c) + d + i64::from(e) + i64::from(f) + i64::from(g) + h as i64
        })
        .method("mirror", |point: Point| Point { x: -point.x, y: -point.y })
        .method("map", |map: BTreeMap<String, Vec<Option<bool>>>| map)
        .method("types", |date: DateTime, octets: Base64| (octets, date))
        .method("optional", |a: Option<i32>, b: i32, c: Option<i32>, d: Option<i32>| vec![a, Some(b), c, d])
        .build()
        .unwrap();
    assert_eq!(call(&endpoint, "none", &()), Ok(Value::Nil));
    assert_eq!(call(&endpoint, "captured", &(2,)), Ok(6.into()));
    assert_eq!(call(&endpoint, "request", &()), Ok(false.into()));
    assert_eq!(call(&endpoint, "request2", &(1,)), Ok(11.into()));
    assert_eq!(call(&endpoint, "request2", &(1, 2)), Ok(3.into()));
    assert_eq!(call(&endpoint, "request2", &(1, None::<i32>)), Ok(11.into()));
    assert_eq!(call(&endpoint, "fallible", &(256,)), Err(Fault::new(9, "no octet")));
    assert_eq!(call(&endpoint, "eight", &(1, 2, 3, 4, 5, 6, 7, 8)), Ok(36.into()));
    let mirrored = call(&endpoint, "mirror", &(Point { x: 1.0, y: 2.0 },)).unwrap();
    assert_eq!(mirrored.member("y"), Some(&(-2.0).into()));
    let map = BTreeMap::from([("a", [Some(true), None])]);
    assert!(matches!(call(&endpoint, "map", &(map,)), Ok(Value::Struct(_))));
    let date: DateTime = "20260102T03:04:05".parse().unwrap();
    let types = call(&endpoint, "types", &(date, Base64(vec![1])));
    assert_eq!(types, Ok(Value::Array(vec![Base64(vec![1]).into(), date.into()])));
    let optional = Value::Array(vec![1.into(), 2.into(), Value::Nil, Value::Nil]);
    assert_eq!(call(&endpoint, "optional", &(1, 2)), Ok(optional));
    let fault = call(&endpoint, "optional", &(1,)).unwrap_err();
    assert_eq!(fault.message, "method \"optional\" takes 2 to 4 params, found 1");
}

#[test]
fn overloads_take_what_fits() {
    let add = Method::overload(
        "add",
        [
            Method::new("add", |a: i32, b: i32| a + b),
            Method::new("add", |a: f64, b: f64| a + b),
            Method::new("add", |a: String| a),
        ],
    );
    let endpoint = Server::new("Test").methods(add).build().unwrap();
    assert_eq!(call(&endpoint, "add", &(1, 2)), Ok(3.into()));
    assert_eq!(call(&endpoint, "add", &(1.5, 2.0)), Ok(3.5.into()));
    assert_eq!(call(&endpoint, "add", &(1, 2.5)), Ok(3.5.into()));
    assert_eq!(call(&endpoint, "add", &("x",)), Ok("x".into()));
    let fault = Fault::new(
        -32602,
        "method \"add\" takes params (int, int) or (double, double) or (string), found (boolean, int)",
    );
    assert_eq!(call(&endpoint, "add", &(true, 1)), Err(fault));
}

#[test]
fn dynamic_methods_check_what_they_declare() {
    let count = |_: &Request, params: Vec<Value>| Ok::<_, Fault>(params.len() as i32);
    let declared = Method::dynamic("declared", count)
        .signature(Signature::new(Type::Int, [Type::Double, Type::Undefined]))
        .signature(Signature::new(Type::Int, []));
    let endpoint = Server::new("Test").methods([declared, Method::dynamic("any", count)]).build().unwrap();
    assert_eq!(call(&endpoint, "any", &(1, "x", true)), Ok(3.into()));
    assert_eq!(call(&endpoint, "declared", &()), Ok(0.into()));
    assert_eq!(call(&endpoint, "declared", &(1.5, "x")), Ok(2.into()));
    assert_eq!(call(&endpoint, "declared", &(1, "x")), Ok(2.into()), "an int will do for a double");
    let fault = call(&endpoint, "declared", &("x", "x")).unwrap_err();
    assert_eq!(fault.message, "method \"declared\" takes params (double, any) or (), found (string, string)");
}

#[test]
fn mounts_nest_and_have_separators() {
    let leaf = || Registry::new().method("leaf", || 1);
    let endpoint = Server::new("Test")
        .mount("a", Registry::new().mount("b", Registry::new().mount("c", leaf())))
        .separator("/")
        .mount("x", Registry::new().separator("::").mount("y", leaf()))
        .separator("")
        .mount("pre_", leaf())
        .build()
        .unwrap();
    for name in ["a.b.c.leaf", "x/y::leaf", "pre_leaf"] {
        assert_eq!(call(&endpoint, name, &()), Ok(1.into()), "{name}");
    }
    for name in ["a.b.c", "a", "leaf", "a/b/c/leaf", "a.b.c.leaf.", ".a.b.c.leaf", "a..b.c.leaf"] {
        assert_eq!(call(&endpoint, name, &()).unwrap_err().code, -32601, "{name}");
    }
}

struct Countries;

impl Fallback for Countries {
    fn method(&self, name: &str) -> Option<Method> {
        let capital = match name {
            "france" => "Paris",
            "spain" => "Madrid",
            _ => return None,
        };
        Some(Method::new(name.to_owned(), move || capital).help("Tells a capital."))
    }

    fn names(&self) -> Vec<String> {
        vec!["spain".into(), "france".into()]
    }
}

#[test]
fn fallbacks_answer_for_names_not_registered() {
    let endpoint = Server::new("Test")
        .method("capital.spain", || "registered")
        .mount("capital", Registry::new().fallback(Countries))
        .fallback(|name: &str| {
            name.starts_with("any.").then(|| Method::dynamic(name.to_owned(), |_, params| Ok::<_, Fault>(params)))
        })
        .build()
        .unwrap();
    assert_eq!(call(&endpoint, "capital.france", &()), Ok("Paris".into()));
    assert_eq!(call(&endpoint, "capital.spain", &()), Ok("registered".into()), "what is registered goes first");
    assert_eq!(call(&endpoint, "any.thing", &(1,)), Ok(Value::Array(vec![1.into()])));
    assert_eq!(call(&endpoint, "france", &()).unwrap_err().code, -32601);
    assert_eq!(call(&endpoint, "capital.italy", &()).unwrap_err().code, -32601);
    assert_eq!(call(&endpoint, "system.methodHelp", &("capital.france",)), Ok("Tells a capital.".into()));
    let Value::Array(listed) = call(&endpoint, "system.listMethods", &()).unwrap() else { panic!() };
    let listed: Vec<_> =
        listed.into_iter().filter(|name| !matches!(name, Value::String(name) if name.starts_with("system"))).collect();
    assert_eq!(listed, ["capital.france".into(), "capital.spain".into(), "rpc.discover".into()]);
}

#[test]
fn a_name_is_registered_once() {
    let server = Server::new("Test").method("a", || 1).method("a", || 2).methods(methods![hello]);
    let server = server.mount("greet", Registry::new().method("hello", || 3)).without("system.nothing");
    let error = server.build().unwrap_err();
    let [a, hello] = &error.duplicates[..] else { panic!("{error}") };
    assert_eq!((&a.name[..], &hello.name[..]), ("a", "greet.hello"));
    assert_eq!((a.first.file(), hello.first.file()), (file!(), file!()));
    assert!(a.first.column() < a.second.column() && hello.first.line() < hello.second.line(), "{error}");
    let expected = format!(
        "method \"a\" is registered twice: the one at {} and the one at {}; \
         method \"greet.hello\" is registered twice: the one at {} and the one at {}; \
         there is no method \"system.nothing\" to switch off",
        a.first, a.second, hello.first, hello.second
    );
    assert_eq!(error.to_string(), expected);
    assert!(Server::new("Test").method("system.listMethods", || 1).build().is_err());
}

#[test]
fn a_panic_is_a_fault_and_the_next_call_is_answered() {
    let endpoint = Server::new("Test")
        .method("panic", |text: String| -> i32 { panic!("{text}") })
        .method("one", || 1)
        .build()
        .unwrap();
    let fault = call(&endpoint, "panic", &("a secret",)).unwrap_err();
    assert_eq!(fault, Fault::new(-32603, "internal error"));
    assert_eq!(call(&endpoint, "one", &()), Ok(1.into()));
}

/// Fails in places that are not the method's own.
#[derive(JsonSchema)]
struct Panicking;

impl Serialize for Panicking {
    fn serialize<S: serde::Serializer>(&self, _: S) -> Result<S::Ok, S::Error> {
        panic!("while it is written")
    }
}

#[test]
fn a_panic_in_a_type_or_a_fallback_is_a_fault_too() {
    let server = Server::new("Test").method("written", || Panicking).method("one", || 1);
    let endpoint = server.fallback(|name: &str| -> Option<Method> { panic!("{name}") }).build().unwrap();
    for name in ["written", "other"] {
        assert_eq!(call(&endpoint, name, &()), Err(Fault::new(-32603, "internal error")), "{name}");
    }
    assert_eq!(call(&endpoint, "one", &()), Ok(1.into()));
}

#[test]
fn dates_keep_their_fractions_on_the_way() {
    let nanosecond = |date: DateTime| i64::from(chrono::Timelike::nanosecond(&date.0));
    let methods = [Method::new("x", |_: i32| 0_i64), Method::new("x", nanosecond)];
    let endpoint = Server::new("Test").methods(Method::overload("nanosecond", methods)).build().unwrap();
    let call = "<dateTime.iso8601>20260101T00:00:00.25</dateTime.iso8601>";
    let call = crate::harness::document("nanosecond", &[call]);
    assert_eq!(crate::harness::answer(&endpoint, call.as_bytes()), Ok(250_000_000.into()));
}

struct Names;

#[service]
impl Names {
    /// An argument may be named as anything.
    pub fn mix(&self, r: &Request, service: i32, request: i32, r#self_: i32) -> i32 {
        let _ = r;
        service * 100 + request * 10 + r#self_
    }

    #[cfg(any())]
    pub fn never(&self, missing: DoesNotExist) {}
}

#[method]
#[cfg(any())]
fn never(missing: DoesNotExist) {}

#[test]
fn names_and_conditions_of_functions_are_theirs() {
    let endpoint = Server::new("Test").methods(Names).build().unwrap();
    assert_eq!(call(&endpoint, "mix", &(1, 2, 3)), Ok(123.into()));
    assert_eq!(call(&endpoint, "never", &()).unwrap_err().code, -32601);
}

#[test]
fn nil_can_be_refused() {
    let endpoint = Server::new("Test")
        .nil(false)
        .method("rows", || vec![("a", Some(1)), ("b", None)])
        .method("unit", || ())
        .method("take", |value: Option<i32>| value.is_none())
        .build()
        .unwrap();
    let fault = |message: &str| Err(Fault::new(-32603, message));
    assert_eq!(call(&endpoint, "rows", &()), fault("the result cannot be written: nil is switched off, at [1][1]"));
    assert_eq!(call(&endpoint, "unit", &()), fault("the result cannot be written: nil is switched off"));
    assert_eq!(call(&endpoint, "take", &(None::<i32>,)), Ok(true.into()), "it is read all the same");
}

#[test]
fn results_that_cannot_be_written_are_faults() {
    let mut limits = Limits::default();
    limits.response = 1000;
    let server = Server::new("Test")
        .limits(limits)
        .method("nan", || [0.0, f64::NAN])
        .method("long", |len: usize| "x".repeat(len));
    let endpoint = server.method("many", |len: usize| vec![1; len]).build().unwrap();
    let fault = |message: &str| Err(Fault::new(-32603, message));
    assert_eq!(call(&endpoint, "nan", &()), fault("the result cannot be written: NaN is no double of XML-RPC, at [1]"));
    assert!(call(&endpoint, "long", &(500,)).is_ok());
    assert_eq!(call(&endpoint, "long", &(1000,)), fault("the result cannot be written: longer than 1000 octets"));
    assert_eq!(call(&endpoint, "many", &(1_000_000,)), fault("the result cannot be written: longer than 1000 octets"));
}

fn echoing(encoding: Encoding) -> Endpoint {
    Server::new("Test").encoding(encoding).method("text", || "né€\u{1F600}").build().unwrap()
}

#[test]
fn answers_in_other_encodings() {
    for (name, octets) in [
        ("us-ascii", &b"n&#233;&#8364;&#128512;"[..]),
        ("iso-8859-1", b"n\xE9&#8364;&#128512;"),
        ("windows-1252", b"n\xE9\x80&#128512;"),
        ("utf-8", "né€\u{1F600}".as_bytes()),
    ] {
        let encoding: Encoding = name.parse().unwrap();
        let endpoint = echoing(encoding);
        assert_eq!(call(&endpoint, "text", &()), Ok("né€\u{1F600}".into()), "{name}");
        let call = rpcgi::xmlrpc::call_to_vec("text", &()).unwrap();
        let response = endpoint.handle_document(&call);
        assert!(
            response.windows(octets.len()).any(|window| window == octets),
            "{name}: {}",
            String::from_utf8_lossy(&response)
        );
        let response = endpoint.handle(&http::Request::post("/").body(call).unwrap().into());
        assert_eq!(response.headers[0].1, format!("text/xml; charset={name}"));
    }
    let error = "utf-16".parse::<Encoding>().unwrap_err();
    assert_eq!(error.to_string(), "documents are not written in UTF-16LE");
}

struct Store<T>(T);

#[service]
impl<T: Clone + Send + Sync + Serialize + JsonSchema + 'static> Store<T> {
    pub fn get(&self) -> T {
        self.0.clone()
    }
}

#[test]
fn services_may_be_generic() {
    let endpoint = Server::new("Test").mount("number", Store(1)).mount("text", Store("x".to_owned())).build().unwrap();
    assert_eq!(call(&endpoint, "number.get", &()), Ok(1.into()));
    assert_eq!(call(&endpoint, "text.get", &()), Ok("x".into()));
}

#[test]
fn methods_can_be_made_inside_a_function() {
    /// Only here.
    #[method]
    fn local(r#type: i32) -> i32 {
        r#type
    }
    let endpoint = Server::new("Test").methods(methods![local]).build().unwrap();
    assert_eq!(call(&endpoint, "local", &(1,)), Ok(1.into()));
    let fault = call(&endpoint, "local", &("x",)).unwrap_err();
    assert!(fault.message.starts_with("method \"local\" param 1 \"type\": expected int"), "{fault}");
}

/// A type that is only read.
#[derive(Deserialize, JsonSchema)]
struct Size(#[allow(dead_code, reason = "only its type matters")] u8);

#[test]
fn examples_are_written_with_their_methods() {
    #[method(example(_b = 2.5, a = 5_000_000_000, result = -1), example(c = "x", a = 1, _b = 2), example(a = -1))]
    fn local(a: i64, _b: Option<f64>, c: Option<String>) -> i64 {
        a + c.map_or(0, |text| text.len() as i64)
    }
    #[method(example(result = 7, return = "seven"))]
    fn named(result: Size) -> &'static str {
        let Size(_) = result;
        "seven"
    }
    #[method(example(x = f64::NAN), example(x = 1))]
    fn sent(x: f64) -> f64 {
        x
    }
    let built = Method::new("built", |a: i32| a).params(["a"]).example([1.into()]).example_with_result([2.into()], 2);
    let endpoint = Server::new("Test").methods(methods![local, named, sent]).methods(built).build().unwrap();
    let discovered: serde_json::Value = {
        let answer = endpoint.handle_document(br#"{"jsonrpc": "2.0", "method": "rpc.discover", "id": 1}"#);
        serde_json::from_slice(&answer).unwrap()
    };
    let methods = discovered["result"]["methods"].as_array().unwrap();
    let values = |name: &str| -> Vec<serde_json::Value> {
        let method = methods.iter().find(|method| method["name"] == name).unwrap();
        let value = |param: &serde_json::Value| param["value"].clone();
        let example = |example: &serde_json::Value| {
            let params: Vec<_> = example["params"].as_array().unwrap().iter().map(value).collect();
            serde_json::json!([params, example["result"]["value"]])
        };
        method["examples"].as_array().unwrap().iter().map(example).collect()
    };
    for (name, expected) in [
        ("local", serde_json::json!([[[5_000_000_000_i64, 2.5], -1], [[1, 2.0, "x"], null], [[-1], null]])),
        ("named", serde_json::json!([[[7], "seven"]])),
        ("sent", serde_json::json!([[[1.0], null]])),
        ("built", serde_json::json!([[[1], null], [[2], 2]])),
    ] {
        assert_eq!(serde_json::Value::from(values(name)), expected, "{name}");
    }
}
