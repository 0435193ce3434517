//! The methods about methods: introspection, `system.multicall` and `rpc.discover`.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::sync::{Arc, Weak};

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::Serialize;
use serde::ser::Serializer;

use crate::call::{Capability, MULTICALL, Outcomes, Params, Reply, ValueParams, Values};
use crate::description::openrpc;
pub(crate) use crate::description::openrpc::{Info, UNVERSIONED};
use crate::description::{Description, Detail, Shape, Signature, describe, generator};
use crate::method::Method;
use crate::method::registry::{Fallback, Registry};
use crate::service::Limits;
use crate::service::Request;
use crate::wire::Type;
use crate::wire::compat::Compat;
use crate::wire::fault::Fault;
use crate::wire::value::{Members, Untyped, Value, WireTypes};

/// The abilities of a server that its methods do not show.
#[derive(Clone)]
pub(crate) struct Abilities {
    pub(crate) limits: Limits,
    /// Set if results may have nil.
    pub(crate) nil: bool,
    /// The system in whose words XML-RPC's faults are told, if they are not our own.
    pub(crate) compat: Option<Compat>,
    /// The protocols it speaks.
    pub(crate) protocols: Vec<Capability>,
}

pub(crate) const DISCOVER: &str = "rpc.discover";
const LIST_METHODS: &str = "system.listMethods";

/// A row of the table of methods.
struct Row {
    name: &'static str,
    /// Markdown; the first paragraph is the title.
    help: &'static str,
    param: Option<&'static str>,
    /// The param of a call that makes sense, and the result of that.
    example: fn() -> Option<(Value, Option<Value>)>,
    make: fn(&'static str, &System, Arc<Registry>) -> Method,
}

/// The methods, sorted by name.
static METHODS: [Row; 8] = [
    Row {
        name: DISCOVER,
        help: "Describes the service for programs.\n\nThe answer is an OpenRPC document.",
        param: None,
        example: || None,
        make: |name, system, registry| {
            let info = system.info.clone();
            Method::new(name, move |request: &Request| discover(&registry, &info, request))
        },
    },
    Row {
        name: "system.describeMethods",
        help: "Describes methods: all, or those of the given names.",
        param: Some("names"),
        example: || Some((Value::Array(vec![LIST_METHODS.into()]), None)),
        make: |name, system, registry| {
            let limit = system.abilities.limits.calls;
            Method::new(name, move |names: Option<Vec<String>>| describe_methods(&registry, names, limit))
        },
    },
    Row {
        name: "system.getCapabilities",
        help: "Tells which protocols and extensions the server has, and which limits.",
        param: None,
        example: || None,
        make: |name, system, registry| {
            let abilities = system.abilities.clone();
            Method::new(name, move || capabilities(&registry, &abilities))
        },
    },
    Row {
        name: LIST_METHODS,
        help: "Lists the names of all methods.",
        param: None,
        example: || None,
        make: |name, _, registry| Method::new(name, move || registry.names()),
    },
    Row {
        name: "system.methodExist",
        help: "Tells whether there is a method of this name.",
        param: Some("name"),
        example: || Some((LIST_METHODS.into(), Some(true.into()))),
        make: |name, _, registry| Method::new(name, move |method: String| registry.contains(&method)),
    },
    Row {
        name: "system.methodHelp",
        help: "Tells what a method does.\n\nThe answer is Markdown; it is empty for a method without help.",
        param: Some("name"),
        example: || Some((LIST_METHODS.into(), Some("Lists the names of all methods.".into()))),
        make: |name, _, registry| {
            Method::new(name, move |method: String| registry.describe(&method).map(|method| method.help))
        },
    },
    Row {
        name: "system.methodSignature",
        help: "Lists the signatures of a method.\n\nEach is an array of type names: that of the result, then those of \
               the params. For a method whose signature is not known the answer is the string `undef`.",
        param: Some("name"),
        example: || Some((LIST_METHODS.into(), Some(Value::Array(vec![Value::Array(vec!["array".into()])])))),
        make: |name, _, registry| {
            let signatures = move |method: String| registry.describe(&method).map(|method| Signatures::of(&method));
            Method::new(name, signatures)
        },
    },
    Row {
        name: MULTICALL,
        help: "Makes several calls at once.\n\nTakes an array of structs with the members `methodName` and `params`, \
               an array. The answer has a place for each: an array of the one result, or a struct with the members \
               `faultCode` and `faultString`. A call that fails does not stop the others.\n\nThere may be no more \
               calls than `system.getCapabilities` tells, and none of this method itself; a batch of JSON-RPC may \
               not have it.",
        param: Some("calls"),
        example: || {
            let members = [("methodName", Value::from(LIST_METHODS)), ("params", Value::Array(Vec::new()))];
            let names = Value::Array(vec![LIST_METHODS.into()]);
            let result = Value::Array(vec![Value::Array(vec![names])]);
            Some((Value::Array(vec![Value::Struct(Members::from(members))]), Some(result)))
        },
        make: |name, system, registry| {
            let (limit, compat) = (system.abilities.limits.calls, system.abilities.compat);
            Method::new(name, move |request: &Request, calls: Untyped| {
                // another system is imitated where types have its names: in XML-RPC
                let compat = compat.filter(|_| calls.format == WireTypes::All);
                multicall(&registry, request, calls, limit, compat)
            })
        },
    },
];

impl Row {
    fn method(&'static self, system: &System, registry: Arc<Registry>) -> Method {
        let method = (self.make)(self.name, system, registry).help(self.help).params(self.param);
        let method = if self.name == MULTICALL { method } else { method.mark_introspection() };
        match (self.example)() {
            Some((param, Some(result))) => method.example_with_result([param], result),
            Some((param, None)) => method.example([param]),
            None => method,
        }
    }
}

/// Returns the names of the methods that every server has.
#[cfg(feature = "program")]
pub(crate) fn names() -> impl Iterator<Item = &'static str> {
    METHODS.iter().map(|row| row.name)
}

/// Returns the names of those that tell of the methods of a server.
#[cfg(feature = "program")]
pub(crate) fn introspection() -> impl Iterator<Item = &'static str> {
    names().filter(|name| !["system.getCapabilities", MULTICALL].contains(name))
}

/// The methods of this table, over the registry they are part of. Each is made when it is asked for: most calls ask for
/// none.
pub(crate) struct System {
    registry: Weak<Registry>,
    info: Info,
    abilities: Abilities,
    switched_off: Vec<String>,
}

impl System {
    pub(crate) fn new(registry: &Weak<Registry>, info: Info, abilities: Abilities) -> System {
        System { registry: Weak::clone(registry), info, abilities, switched_off: Vec::new() }
    }

    /// Disables a method; returns whether the name was known.
    pub(crate) fn switch_off(&mut self, name: &str) -> bool {
        let known = METHODS.iter().any(|row| row.name == name);
        if known {
            self.switched_off.push(name.to_owned());
        }
        known
    }

    fn is_on(&self, name: &str) -> bool {
        !self.switched_off.iter().any(|switched_off| switched_off == name)
    }
}

impl Fallback for System {
    fn method(&self, name: &str) -> Option<Method> {
        let row = METHODS.iter().find(|row| row.name == name && self.is_on(name))?;
        Some(row.method(self, self.registry.upgrade()?))
    }

    fn names(&self) -> Vec<String> {
        METHODS.iter().filter(|row| self.is_on(row.name)).map(|row| row.name.to_owned()).collect()
    }
}

/// The answer of `system.methodSignature`.
struct Signatures(Vec<Vec<&'static str>>);

impl Signatures {
    fn of(description: &Description) -> Signatures {
        Signatures(description.signatures.iter().map(|signature| signature.names()).collect())
    }
}

impl Serialize for Signatures {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self.0.is_empty() {
            true => serializer.serialize_str("undef"),
            false => self.0.serialize(serializer),
        }
    }
}

impl JsonSchema for Signatures {
    fn schema_name() -> Cow<'static, str> {
        "Signatures".into()
    }

    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        Vec::<Vec<String>>::json_schema(generator)
    }
}

/// The answer of `system.describeMethods`, in the form of xmlrpc-epi.
#[derive(Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
struct MethodList {
    /// the methods asked for, sorted by name
    method_list: Vec<MethodDescription>,
}

#[derive(Serialize, JsonSchema)]
struct MethodDescription {
    name: String,
    purpose: String,
    signatures: Vec<SignatureDescription>,
}

#[derive(Serialize, JsonSchema)]
struct SignatureDescription {
    params: Vec<ValueDescription>,
    returns: Vec<ValueDescription>,
}

#[derive(Serialize, JsonSchema)]
struct ValueDescription {
    name: String,
    r#type: String,
    description: String,
    optional: bool,
}

/// The answer of `rpc.discover`.
#[derive(Serialize)]
#[serde(transparent)]
struct Discovered(serde_json::Value);

impl JsonSchema for Discovered {
    fn schema_name() -> Cow<'static, str> {
        "OpenRpc".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({ "type": "object" })
    }
}

fn discover(registry: &Registry, info: &Info, request: &Request) -> Discovered {
    let mut generator = openrpc::generator();
    let methods = registry.outline_all(&mut generator);
    Discovered(openrpc::document(info, request.url(), methods, generator))
}

fn describe_methods(registry: &Registry, names: Option<Vec<String>>, limit: usize) -> Result<MethodList, Fault> {
    let descriptions = match names {
        None => {
            let mut generator = generator();
            let outlines = registry.outline_all(&mut generator);
            describe(outlines, generator)
        }
        Some(mut names) => {
            names.sort_unstable();
            names.dedup();
            if names.len() > limit {
                let message = format!("{} names of methods to describe, more than {limit}", names.len());
                return Err(Fault::new(Fault::INVALID_CALL, message));
            }
            names.iter().map(|name| registry.describe(name)).collect::<Result<_, _>>()?
        }
    };
    Ok(MethodList { method_list: descriptions.into_iter().map(describe_method).collect() })
}

fn describe_method(description: Description) -> MethodDescription {
    let signatures = match description.details.is_empty() {
        false => description.details.iter().map(describe_detail).collect(),
        true => description.signatures.iter().map(describe_signature).collect(),
    };
    MethodDescription { name: description.name, purpose: description.help, signatures }
}

fn describe_detail(detail: &Detail) -> SignatureDescription {
    let value = |name: &str, shape: &Shape, help: &str, optional| ValueDescription {
        name: name.to_owned(),
        r#type: shape.wire.name().to_owned(),
        description: help.to_owned(),
        optional,
    };
    SignatureDescription {
        params: detail
            .params
            .iter()
            .map(|param| value(&param.name, &param.shape, &param.help, param.optional))
            .collect(),
        returns: vec![value("", &detail.returns, &detail.returns.help, false)],
    }
}

fn describe_signature(signature: &Signature) -> SignatureDescription {
    let value = |wire: &Type| ValueDescription {
        name: String::new(),
        r#type: wire.name().to_owned(),
        description: String::new(),
        optional: false,
    };
    SignatureDescription {
        params: signature.params.iter().map(value).collect(),
        returns: vec![value(&signature.returns)],
    }
}

/// An entry of `system.getCapabilities`.
#[derive(Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
// what `flatten` derives for the map of numbers takes 20 KB of the program
#[schemars(extend("additionalProperties" = { "type": "integer", "format": "int64" }))]
struct CapabilityDescription {
    spec_url: String,
    spec_version: i32,
    /// The numbers of the entry `limits`.
    #[serde(flatten)]
    #[schemars(skip)]
    numbers: BTreeMap<&'static str, i64>,
}

fn capabilities(registry: &Registry, abilities: &Abilities) -> BTreeMap<&'static str, CapabilityDescription> {
    let capability = |name: &'static str, url: &str, version| {
        (name, CapabilityDescription { spec_url: url.to_owned(), spec_version: version, numbers: BTreeMap::new() })
    };
    let protocols =
        abilities.protocols.iter().map(|protocol| capability(protocol.name, protocol.url, protocol.version));
    let mut capabilities: BTreeMap<_, _> = protocols.collect();
    let faults = "http://xmlrpc-epi.sourceforge.net/specs/rfc.fault_codes.php";
    capabilities.extend([capability("faults_interop", faults, 20_010_516)]);
    let (name, limits_capability) = capability("limits", "urn:rpcgi:limits", 1);
    let numbers = limits(&abilities.limits);
    capabilities.insert(name, CapabilityDescription { numbers, ..limits_capability });
    if registry.contains("system.methodSignature") {
        capabilities.extend([capability("introspection", "http://phpxmlrpc.sourceforge.net/doc-2/ch10.html", 2)]);
    }
    if registry.contains(MULTICALL) {
        capabilities.extend([capability(MULTICALL, "http://www.xmlrpc.com/discuss/msgReader$1208", 1)]);
    }
    if abilities.nil {
        capabilities.extend([capability("nil", "http://www.ontosys.com/xml-rpc/extensions.php", 1)]);
    }
    capabilities
}

fn limits(limits: &Limits) -> BTreeMap<&'static str, i64> {
    let number = |limit: usize| i64::try_from(limit).unwrap_or(i64::MAX);
    BTreeMap::from([
        ("body", number(limits.body)),
        ("depth", limits.depth.into()),
        ("members", number(limits.members)),
        ("calls", number(limits.calls)),
        ("response", number(limits.response)),
        ("params", number(limits.params)),
    ])
}

impl JsonSchema for Outcomes {
    fn schema_name() -> Cow<'static, str> {
        "Outcomes".into()
    }

    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        Vec::<Value>::json_schema(generator)
    }
}

fn multicall(
    registry: &Registry,
    request: &Request,
    calls: Untyped,
    limit: usize,
    compat: Option<Compat>,
) -> Result<Outcomes, Fault> {
    let Untyped { values: calls, format } = calls;
    if calls.len() > limit {
        let message = format!("{} calls in one {MULTICALL}, more than {limit}", calls.len());
        return Err(Fault::new(Fault::INVALID_CALL, message));
    }
    let one = |call| {
        let (name, params) =
            open_call(call).map_err(|message| (String::new(), Fault::new(Fault::INVALID_CALL, message)))?;
        one_call(registry, request, &name, params, format).map_err(|fault| (name, fault))
    };
    let told = |(name, fault): (String, Fault)| match compat {
        Some(compat) => compat.fault(&name, fault),
        None => fault,
    };
    Ok(Outcomes(calls.into_iter().map(|call| one(call).map_err(told)).collect()))
}

fn one_call(
    registry: &Registry,
    request: &Request,
    name: &str,
    params: Vec<Value>,
    format: WireTypes,
) -> Result<Reply, Fault> {
    if name == MULTICALL {
        return Err(Fault::new(Fault::INVALID_CALL, format!("{MULTICALL} inside {MULTICALL}")));
    }
    registry.call(name, request, Params::new(&mut ValueParams::new(Values::ByPosition(params), format)))
}

/// Returns the name and params of one of several calls.
fn open_call(call: Value) -> Result<(String, Vec<Value>), String> {
    let Value::Struct(members) = call else {
        return Err(format!("expected struct with members \"methodName\" and \"params\", found {}", call.type_name()));
    };
    let (mut name, mut params) = (None, None);
    for (member, value) in members {
        match (&member[..], value) {
            ("methodName", Value::String(value)) => name = Some(value),
            ("params", Value::Array(value)) => params = Some(value),
            ("methodName", value) => {
                return Err(format!("expected string as methodName, found {}", value.type_name()));
            }
            ("params", value) => {
                return Err(format!("expected array as params, found {}", value.type_name()));
            }
            _ => {}
        }
    }
    Ok((
        name.ok_or("expected member \"methodName\", found none")?,
        params.ok_or("expected member \"params\", found none")?,
    ))
}

#[cfg(test)]
mod tests {
    use serde_json::{Value as Json, json};

    use super::*;

    /// Creates a registry with the method `add` and the methods of this table, but for `off`.
    fn registry(off: &str) -> Arc<Registry> {
        Arc::new_cyclic(|whole| {
            let info = Info { title: "Sums".into(), description: String::new(), version: "1.2".into() };
            let protocols = vec![Capability { name: "plain", url: "urn:plain", version: 1 }];
            let limits = Limits { calls: 3, ..Limits::default() };
            let mut system = System::new(whole, info, Abilities { limits, nil: true, compat: None, protocols });
            assert_eq!(system.switch_off(off), !off.is_empty());
            let add = Method::new("add", |a: i32, b: Option<i32>| a + b.unwrap_or(0)).params(["a", "b"]);
            let mut registry = Registry::from(add.help("Adds.\n\nTwo numbers."));
            registry.seal(system);
            registry
        })
    }

    fn call(registry: &Registry, name: &str, params: Json) -> Result<Json, Fault> {
        let request = Request::new(|_: &str| None, Vec::new());
        let params: Vec<Value> = serde_json::from_value(params).unwrap();
        let mut source = ValueParams::new(Values::ByPosition(params), WireTypes::All);
        let reply = registry.call(name, &request, Params::new(&mut source));
        reply.map(|reply| serde_json::to_value(reply).unwrap())
    }

    fn one(name: &str, params: Json) -> Json {
        json!({ "methodName": name, "params": params })
    }

    #[test]
    fn listed_methods_roundtrip() {
        for (off, count) in [("", 9), (DISCOVER, 8), (MULTICALL, 8)] {
            let registry = registry(off);
            let listed = call(&registry, LIST_METHODS, json!([])).unwrap();
            let listed = listed.as_array().unwrap();
            assert_eq!(listed.len(), count);
            for name in listed {
                assert_eq!(call(&registry, "system.methodExist", json!([name])), Ok(json!(true)), "{name}");
            }
            assert_eq!(call(&registry, "system.methodExist", json!([off])), Ok(json!(false)));
        }
    }

    /// Calls and answers of the specifications of introspection and multicall.
    #[test]
    fn answers_spec() {
        let registry = registry("");
        for (name, params, expected) in [
            ("system.methodHelp", json!(["add"]), json!("Adds.\n\nTwo numbers.")),
            ("system.methodSignature", json!(["add"]), json!([["int", "int"], ["int", "int", "int"]])),
            ("system.methodSignature", json!([LIST_METHODS]), json!([["array"]])),
            (
                MULTICALL,
                json!([[one("add", json!([1, 2])), one("none", json!([])), one("add", json!([5]))]]),
                json!([[3], { "faultCode": -32601, "faultString": "there is no method \"none\"" }, [5]]),
            ),
            (
                "system.describeMethods",
                json!([["add"]]),
                json!({ "methodList": [{ "name": "add", "purpose": "Adds.\n\nTwo numbers.", "signatures": [{
                    "params": [
                        { "name": "a", "type": "int", "description": "", "optional": false },
                        { "name": "b", "type": "int", "description": "", "optional": true },
                    ],
                    "returns": [{ "name": "", "type": "int", "description": "", "optional": false }],
                }] }] }),
            ),
        ] {
            assert_eq!(call(&registry, name, params), Ok(expected));
        }
        let capabilities = call(&registry, "system.getCapabilities", json!([])).unwrap();
        let names: Vec<&String> = capabilities.as_object().unwrap().keys().collect();
        assert_eq!(names, ["faults_interop", "introspection", "limits", "nil", "plain", MULTICALL]);
        assert_eq!(capabilities["plain"], json!({ "specUrl": "urn:plain", "specVersion": 1 }));
        assert_eq!(capabilities["limits"]["calls"], 3);
        let document = call(&registry, DISCOVER, json!([])).unwrap();
        assert_eq!(document["info"], json!({ "title": "Sums", "version": "1.2" }));
        assert_eq!(document["methods"].as_array().unwrap().len(), 9);
    }

    #[test]
    fn calls_invalid() {
        let registry = registry("");
        let four = json!([[1, 2, 3, 4]]);
        for (name, params, code, expected) in [
            ("system.methodHelp", json!(["ad"]), -32601, "there is no method \"ad\", did you mean \"add\"?"),
            (MULTICALL, four, -32600, "4 calls in one system.multicall, more than 3"),
            (
                "system.describeMethods",
                json!([["a", "b", "c", "d", "d"]]),
                -32600,
                "4 names of methods to describe, more than 3",
            ),
            ("system.describeMethods", json!([["x"]]), -32601, "there is no method \"x\""),
            (LIST_METHODS, json!([1]), -32602, "method \"system.listMethods\" takes 0 params, found 1"),
        ] {
            assert_eq!(call(&registry, name, params), Err(Fault::new(code, expected)));
        }
    }

    #[test]
    fn calls_of_a_multicall_invalid() {
        let registry = registry("");
        for (call_of, expected) in [
            (one(MULTICALL, json!([])), "system.multicall inside system.multicall"),
            (json!(1), "expected struct with members \"methodName\" and \"params\", found int"),
            (one("add", json!({})), "expected array as params, found struct"),
            (json!({ "methodName": 1 }), "expected string as methodName, found int"),
            (json!({ "methodName": "add" }), "expected member \"params\", found none"),
            (json!({ "params": [] }), "expected member \"methodName\", found none"),
        ] {
            let expected = json!([{ "faultCode": -32600, "faultString": expected }]);
            assert_eq!(call(&registry, MULTICALL, json!([[call_of]])), Ok(expected));
        }
    }
}
