//! The methods about methods: introspection, `system.multicall` and `rpc.discover`.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::sync::{Arc, Weak};

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::Serialize;
use serde::ser::Serializer;

use crate::call::{MULTICALL, Outcomes, Params, Reply, ValueSource, Values};
use crate::description::openrpc::{self, Info};
use crate::description::{Description, Shape};
use crate::method::Method;
use crate::method::registry::{Fallback, Registry};
use crate::service::Limits;
use crate::service::Request;
use crate::wire::fault::Fault;
use crate::wire::value::{FormatTypes, Members, Received, Value};

/// The abilities of a server that its methods do not show.
#[derive(Clone, Copy)]
pub(crate) struct Abilities {
    pub(crate) limits: Limits,
    /// Set if results may have nil.
    pub(crate) nil: bool,
}

const DISCOVER: &str = "rpc.discover";
const LIST_METHODS: &str = "system.listMethods";

const NAMES: [&str; 8] = [
    DISCOVER,
    "system.describeMethods",
    "system.getCapabilities",
    LIST_METHODS,
    "system.methodExist",
    "system.methodHelp",
    "system.methodSignature",
    MULTICALL,
];

/// The methods of this module, over the registry they are part of. Each is created on request: most calls need none.
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
        let known = NAMES.contains(&name);
        if known {
            self.switched_off.push(name.to_owned());
        }
        known
    }

    fn make(&self, name: &str, registry: Arc<Registry>) -> Option<Method> {
        let abilities = self.abilities;
        Some(match name {
            LIST_METHODS => {
                Method::new(LIST_METHODS, move || registry.names()).help("Lists the names of all methods.")
            }
            "system.methodHelp" => {
                Method::new("system.methodHelp", move |name: String| registry.describe(&name).map(|method| method.help))
                    .help("Tells what a method does.\n\nThe answer is Markdown; it is empty for a method without help.")
                    .params(["name"])
                    .example([LIST_METHODS.into()])
            }
            "system.methodSignature" => Method::new("system.methodSignature", move |name: String| {
                registry.describe(&name).map(|method| Signatures::of(&method))
            })
            .help(
                "Lists the signatures of a method.\n\nEach is an array of type names: that of the result, then those of \
                 the params. For a method whose signature is not known the answer is the string `undef`.",
            )
            .params(["name"])
            .example([LIST_METHODS.into()]),
            "system.methodExist" => {
                Method::new("system.methodExist", move |name: String| registry.contains(&name))
                    .help("Tells whether there is a method of this name.")
                    .params(["name"])
                    .example([LIST_METHODS.into()])
            }
            "system.describeMethods" => Method::new("system.describeMethods", move |names: Option<Vec<String>>| {
                describe_methods(&registry, names, abilities.limits.calls)
            })
            .help("Describes methods: all, or those of the given names.")
            .params(["names"])
            .example([Value::Array(vec![LIST_METHODS.into()])]),
            "system.getCapabilities" => {
                Method::new("system.getCapabilities", move || capabilities(&registry, abilities))
                    .help("Tells which protocols and extensions the server has, and which limits.")
            }
            MULTICALL => Method::new(MULTICALL, move |request: &Request, calls: Received| {
                multicall(&registry, request, calls, abilities.limits.calls)
            })
            .help(
                "Makes several calls at once.\n\nTakes an array of structs with the members `methodName` and `params`, \
                 an array. The answer has a place for each: an array of the one result, or a struct with the members \
                 `faultCode` and `faultString`. A call that fails does not stop the others.\n\nThere may be no more \
                 calls than `system.getCapabilities` tells, and none of this method itself; a batch of JSON-RPC may \
                 not have it.",
            )
            .params(["calls"])
            .example([Value::Array(vec![Value::Struct(Members::from([
                ("methodName", Value::from(LIST_METHODS)),
                ("params", Value::Array(Vec::new())),
            ]))])]),
            DISCOVER => {
                let info = self.info.clone();
                Method::new(DISCOVER, move |request: &Request| discover(&registry, &info, request))
                    .help("Describes the service for programs.\n\nThe answer is an OpenRPC document.")
            }
            _ => return None,
        })
    }
}

impl Fallback for System {
    fn method(&self, name: &str) -> Option<Method> {
        if self.switched_off.iter().any(|switched_off| switched_off == name) {
            return None;
        }
        self.make(name, self.registry.upgrade()?)
    }

    fn names(&self) -> Vec<String> {
        let switched_on = |name: &&str| !self.switched_off.iter().any(|switched_off| switched_off == name);
        NAMES.into_iter().filter(switched_on).map(str::to_owned).collect()
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
        None => registry.describe_all(),
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

fn describe_detail(detail: &crate::description::Detail) -> SignatureDescription {
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

fn describe_signature(signature: &crate::description::Signature) -> SignatureDescription {
    let value = |wire: &crate::wire::Type| ValueDescription {
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
struct Capability {
    spec_url: String,
    spec_version: i32,
    /// The numbers of the entry `limits`.
    #[serde(flatten)]
    numbers: BTreeMap<&'static str, i64>,
}

fn capabilities(registry: &Registry, abilities: Abilities) -> BTreeMap<&'static str, Capability> {
    let capability = |spec_url: &str, spec_version| Capability {
        spec_url: spec_url.to_owned(),
        spec_version,
        numbers: BTreeMap::new(),
    };
    let mut capabilities = BTreeMap::from([
        ("json-rpc", capability("https://www.jsonrpc.org/specification", 2)),
        ("xmlrpc", capability("http://www.xmlrpc.com/spec", 1)),
        ("faults_interop", capability("http://xmlrpc-epi.sourceforge.net/specs/rfc.fault_codes.php", 20_010_516)),
        ("limits", Capability { numbers: limits(&abilities.limits), ..capability("urn:rpcgi:limits", 1) }),
    ]);
    if registry.contains("system.methodSignature") {
        let url = "http://phpxmlrpc.sourceforge.net/doc-2/ch10.html";
        capabilities.insert("introspection", capability(url, 2));
    }
    if registry.contains(MULTICALL) {
        capabilities.insert(MULTICALL, capability("http://www.xmlrpc.com/discuss/msgReader$1208", 1));
    }
    if abilities.nil {
        capabilities.insert("nil", capability("http://www.ontosys.com/xml-rpc/extensions.php", 1));
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

fn multicall(registry: &Registry, request: &Request, calls: Received, limit: usize) -> Result<Outcomes, Fault> {
    let Received { values: calls, format } = calls;
    if calls.len() > limit {
        let message = format!("{} calls in one {MULTICALL}, more than {limit}", calls.len());
        return Err(Fault::new(Fault::INVALID_CALL, message));
    }
    Ok(Outcomes(calls.into_iter().map(|call| one_call(registry, request, call, format)).collect()))
}

fn one_call(registry: &Registry, request: &Request, call: Value, format: FormatTypes) -> Result<Reply, Fault> {
    let (name, params) = open_call(call).map_err(|message| Fault::new(Fault::INVALID_CALL, message))?;
    if name == MULTICALL {
        return Err(Fault::new(Fault::INVALID_CALL, format!("{MULTICALL} inside {MULTICALL}")));
    }
    registry.call(&name, request, Params::new(&mut ValueSource::new(Values::ByPosition(params), format)))
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
