//! `system.*`.

use rpcgi::xmlrpc::Value;
use rpcgi::{Endpoint, Fault, Limits, Method, Request, Server, Signature, Type, method, methods};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::harness::call;

/// A place on the map.
#[derive(Serialize, Deserialize, JsonSchema)]
struct Place {
    /// degrees north
    latitude: f64,
    longitude: f64,
    name: Option<String>,
}

/// Finds places.
///
/// All of them, *slowly*.
#[method(name = "geo.find")]
fn find(
    /// what to look for
    text: String,
    /// how many at most
    most: Option<u32>,
    near: Option<Place>,
) -> Vec<Place> {
    let _ = (text, most);
    near.into_iter().collect()
}

fn endpoint() -> Endpoint {
    let dynamic = |_: &Request, params: Vec<Value>| Ok::<_, Fault>(params.len() as i32);
    Server::new("Test")
        .methods(methods![find])
        .methods(Method::overload(
            "add",
            [Method::new("add", |a: i32, b: i32| a + b), Method::new("add", |a: f64, b: f64| a + b)],
        ))
        .methods([
            Method::dynamic("unknown", dynamic),
            Method::dynamic("declared", dynamic).signature(Signature::new(Type::Int, [Type::Undefined])),
            Method::new("secret", || 1).hidden(),
        ])
        .method("types", |_: i64, _: bool, _: rpcgi::DateTime, _: rpcgi::Base64, _: Vec<Value>, _: Value, _: u16| 1.5)
        .build()
        .unwrap()
}

fn strings(value: Value) -> Vec<String> {
    rpcgi::xmlrpc::from_value(value).unwrap()
}

fn signatures(endpoint: &Endpoint, name: &str) -> Vec<String> {
    let lists: Vec<Vec<String>> =
        rpcgi::xmlrpc::from_value(call(endpoint, "system.methodSignature", &(name,)).unwrap()).unwrap();
    lists.into_iter().map(|list| format!("{}({})", list[0], list[1..].join(","))).collect()
}

#[test]
fn list_methods() {
    let expected = [
        "add",
        "declared",
        "geo.find",
        "rpc.discover",
        "system.describeMethods",
        "system.getCapabilities",
        "system.listMethods",
        "system.methodExist",
        "system.methodHelp",
        "system.methodSignature",
        "system.multicall",
        "types",
        "unknown",
    ];
    assert_eq!(strings(call(&endpoint(), "system.listMethods", &()).unwrap()), expected);
}

#[test]
fn method_help() {
    let endpoint = endpoint();
    let help = |name: &str| call(&endpoint, "system.methodHelp", &(name,));
    assert_eq!(help("geo.find"), Ok("Finds places.\n\nAll of them, *slowly*.".into()));
    assert_eq!(help("types"), Ok("".into()));
    assert_eq!(help("geo.fnd"), Err(Fault::new(-32601, "there is no method \"geo.fnd\", did you mean \"geo.find\"?")));
    assert!(matches!(help("system.multicall"), Ok(Value::String(help)) if help.starts_with("Makes several calls")));
}

#[test]
fn method_signature() {
    let endpoint = endpoint();
    assert_eq!(signatures(&endpoint, "geo.find"), ["array(string)", "array(string,i8)", "array(string,i8,struct)"]);
    assert_eq!(signatures(&endpoint, "add"), ["int(int,int)", "double(double,double)"]);
    assert_eq!(signatures(&endpoint, "declared"), ["int(undefined)"]);
    assert_eq!(signatures(&endpoint, "types"), ["double(i8,boolean,dateTime.iso8601,base64,array,undefined,int)"]);
    assert_eq!(signatures(&endpoint, "system.listMethods"), ["array()"]);
    assert_eq!(signatures(&endpoint, "system.methodHelp"), ["string(string)"]);
    assert_eq!(signatures(&endpoint, "system.methodSignature"), ["array(string)"]);
    assert_eq!(signatures(&endpoint, "system.multicall"), ["array(array)"]);
    assert_eq!(signatures(&endpoint, "system.getCapabilities"), ["struct()"]);
    assert_eq!(signatures(&endpoint, "system.methodExist"), ["boolean(string)"]);
    assert_eq!(call(&endpoint, "system.methodSignature", &("unknown",)), Ok("undef".into()));
    assert_eq!(call(&endpoint, "system.methodSignature", &("x",)).unwrap_err().code, -32601);
}

#[test]
fn method_exist() {
    let endpoint = endpoint();
    for (name, exists) in [("geo.find", true), ("secret", true), ("system.methodExist", true), ("geo", false)] {
        assert_eq!(call(&endpoint, "system.methodExist", &(name,)), Ok(exists.into()), "{name}");
    }
}

#[derive(Serialize)]
struct Call<P> {
    #[serde(rename = "methodName")]
    method_name: &'static str,
    params: P,
}

fn multicall(endpoint: &Endpoint, calls: &[Value]) -> Vec<Value> {
    match call(endpoint, "system.multicall", &(calls,)) {
        Ok(Value::Array(outcomes)) => outcomes,
        other => panic!("{other:?}"),
    }
}

fn item(method_name: &'static str, params: impl Serialize) -> Value {
    rpcgi::xmlrpc::from_slice(&rpcgi::xmlrpc::to_vec(&Call { method_name, params }).unwrap()).unwrap()
}

#[test]
fn multicall_answers_each_in_its_place() {
    let endpoint = endpoint();
    let outcomes = multicall(
        &endpoint,
        &[
            item("add", (1, 2)),
            item("ad", (1, 2)),
            Value::Int(1),
            item("add", ("x",)),
            item("system.multicall", ([0; 0],)),
            item("add", 1),
            Value::Struct([("methodName", "add")].into()),
            Value::Struct([("params", Value::Array(vec![]))].into()),
            Value::Struct([("methodName", Value::from(1)), ("params", Value::Array(vec![]))].into()),
            item("add", (1.5, 2)),
        ],
    );
    let fault = |code: i32, message: &str| {
        Value::Struct([("faultCode", Value::from(code)), ("faultString", message.into())].into())
    };
    let result = |value: Value| Value::Array(vec![value]);
    let expected = [
        result(3.into()),
        fault(-32601, "there is no method \"ad\", did you mean \"add\"?"),
        fault(-32600, "expected struct with members \"methodName\" and \"params\", found int"),
        fault(-32602, "method \"add\" takes params (int, int) or (double, double), found (string)"),
        fault(-32600, "system.multicall inside system.multicall"),
        fault(-32600, "expected array as params, found int"),
        fault(-32600, "expected member \"params\", found none"),
        fault(-32600, "expected member \"methodName\", found none"),
        fault(-32600, "expected string as methodName, found int"),
        result(3.5.into()),
    ];
    assert_eq!(outcomes, expected);
    assert_eq!(multicall(&endpoint, &[]), []);
    let fault = call(&endpoint, "system.multicall", &(1,)).unwrap_err();
    assert_eq!((fault.code, fault.message.contains("expected array, found int")), (-32602, true));
}

#[test]
fn multicall_has_a_limit() {
    let mut limits = Limits::default();
    limits.calls = 2;
    let endpoint = Server::new("Test").limits(limits).method("one", || 1).build().unwrap();
    assert_eq!(multicall(&endpoint, &[item("one", [0; 0]), item("one", [0; 0])]).len(), 2);
    let calls = vec![item("one", [0; 0]); 3];
    let fault = Fault::new(-32600, "3 calls in one system.multicall, more than 2");
    assert_eq!(call(&endpoint, "system.multicall", &(calls,)), Err(fault));
}

#[test]
fn multicall_survives_a_result_that_cannot_be_written() {
    let endpoint = Server::new("Test").method("nan", || [f64::NAN]).method("one", || 1).build().unwrap();
    let outcomes = multicall(&endpoint, &[item("nan", [0; 0]), item("one", [0; 0])]);
    let message = "the result cannot be written: NaN is no double of XML-RPC, at [0]";
    assert_eq!(outcomes[0].member("faultString"), Some(&message.into()));
    assert_eq!(outcomes[1], Value::Array(vec![1.into()]));
}

#[test]
fn capabilities() {
    let names = |value: &Value| match value {
        Value::Struct(members) => members.iter().map(|(name, _)| name.to_owned()).collect::<Vec<_>>(),
        other => panic!("{other:?}"),
    };
    let capabilities = call(&endpoint(), "system.getCapabilities", &()).unwrap();
    assert_eq!(
        names(&capabilities),
        ["faults_interop", "introspection", "json-rpc", "limits", "nil", "system.multicall", "xmlrpc"]
    );
    let xmlrpc = capabilities.member("xmlrpc").unwrap();
    assert_eq!(xmlrpc.member("specUrl"), Some(&"http://www.xmlrpc.com/spec".into()));
    assert_eq!(xmlrpc.member("specVersion"), Some(&1.into()));
    assert_eq!(capabilities.member("faults_interop").unwrap().member("specVersion"), Some(&20_010_516.into()));
    assert_eq!(capabilities.member("limits").unwrap().member("body"), Some(&(16 << 20).into()));
    let server = Server::new("Test").nil(false).without("system.multicall").without("system.methodSignature");
    let endpoint = server.build().unwrap();
    let capabilities = call(&endpoint, "system.getCapabilities", &()).unwrap();
    assert_eq!(names(&capabilities), ["faults_interop", "json-rpc", "limits", "xmlrpc"]);
    assert_eq!(call(&endpoint, "system.multicall", &(Vec::<Value>::new(),)).unwrap_err().code, -32601);
}

#[test]
fn each_can_be_switched_off() {
    let all = strings(call(&endpoint(), "system.listMethods", &()).unwrap());
    for name in all.iter().filter(|name| name.starts_with("system.")) {
        let endpoint = Server::new("Test").without(name).build().unwrap();
        assert_eq!(call(&endpoint, name, &()).unwrap_err().code, -32601, "{name}");
    }
}

#[test]
fn describe_methods() {
    let endpoint = endpoint();
    let described = call(&endpoint, "system.describeMethods", &(["geo.find"],)).unwrap();
    let Some(Value::Array(methods)) = described.clone().member("methodList").cloned() else { panic!("{described:?}") };
    assert_eq!(methods.len(), 1);
    assert_eq!(methods[0].member("purpose"), Some(&"Finds places.\n\nAll of them, *slowly*.".into()));
    let Some(Value::Array(signatures)) = methods[0].member("signatures") else { panic!("{methods:?}") };
    let Some(Value::Array(params)) = signatures[0].member("params") else { panic!("{signatures:?}") };
    assert_eq!(params[1].member("name"), Some(&"most".into()));
    assert_eq!(params[1].member("type"), Some(&"i8".into()));
    assert_eq!(params[1].member("description"), Some(&"how many at most".into()));
    assert_eq!(params[1].member("optional"), Some(&true.into()));
    let many: Vec<String> = (0..101).map(|number| number.to_string()).collect();
    let fault = Fault::new(-32600, "101 names of methods to describe, more than 100");
    assert_eq!(call(&endpoint, "system.describeMethods", &(many,)), Err(fault));
    let same = call(&endpoint, "system.describeMethods", &(vec!["geo.find"; 1000],));
    assert_eq!(same, Ok(described));
    let all = call(&endpoint, "system.describeMethods", &()).unwrap();
    assert!(matches!(all.member("methodList"), Some(Value::Array(methods)) if methods.len() == 13));
    assert_eq!(call(&endpoint, "system.describeMethods", &(["x"],)).unwrap_err().code, -32601);
}
