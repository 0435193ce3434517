//! `rpc.discover`: an OpenRPC document.

use std::collections::BTreeMap;

use jsonschema::{Draft, Registry, Validator};
use rpcgi::{DateTime, Endpoint, Fault, Method, Request, Server, Service, Signature, Type, method, methods, xmlrpc};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Value as Json, json};

use crate::harness::Cgi;

/// OpenRPC's own schema of its documents.
fn validator() -> Validator {
    let read = |text: &str| {
        let mut schema: Json = serde_json::from_str(text).unwrap();
        // a dialect of its own, which is draft 7
        schema.as_object_mut().unwrap().remove("$schema");
        schema
    };
    let json_schema = read(include_str!("../openrpc/json-schema.json"));
    let registry = Registry::new()
        .draft(Draft::Draft7)
        .extend([("https://meta.json-schema.tools", &json_schema), ("https://meta.json-schema.tools/", &json_schema)])
        .unwrap()
        .prepare()
        .unwrap();
    let openrpc = read(include_str!("../openrpc/openrpc.json"));
    jsonschema::options().with_draft(Draft::Draft7).with_registry(&registry).build(&openrpc).unwrap()
}

#[track_caller]
fn assert_valid(document: &Json) {
    let validator = validator();
    let errors: Vec<String> =
        validator.iter_errors(document).map(|error| format!("{error} at {}", error.instance_path())).collect();
    assert!(errors.is_empty(), "{errors:#?}");
    // every reference leads somewhere
    for reference in references(document) {
        let pointer = reference.strip_prefix('#').unwrap_or_else(|| panic!("{reference} leads elsewhere"));
        assert!(document.pointer(pointer).is_some(), "{reference} leads nowhere");
    }
    // and every schema is one
    for schema in document.pointer("/components/schemas").unwrap().as_object().unwrap().values() {
        jsonschema::draft7::meta::validate(schema).unwrap();
    }
}

fn references(value: &Json) -> Vec<&str> {
    match value {
        Json::Array(items) => items.iter().flat_map(references).collect(),
        Json::Object(members) => {
            let own = members.get("$ref").and_then(Json::as_str);
            own.into_iter().chain(members.values().flat_map(references)).collect()
        }
        _ => Vec::new(),
    }
}

/// A course that can be booked.
#[derive(Serialize, Deserialize, JsonSchema)]
struct Course {
    /// What it is called.
    name: String,
    starts: Option<DateTime>,
    /// The courses that come before it.
    after: Vec<Course>,
    level: Level,
}

#[derive(Serialize, Deserialize, JsonSchema)]
enum Level {
    Easy,
    Hard { hours: u32 },
}

const TOO_LATE: i32 = 12;

/// Finds courses.
///
/// Slowly.
#[method(fault(TOO_LATE, "the year is *over*"), fault(-3, "no"))]
fn find(
    /// A word in the *name*.
    text: String,
    limit: Option<u32>,
) -> Vec<Course> {
    let course = Course { name: text, starts: None, after: Vec::new(), level: Level::Hard { hours: 1 } };
    std::iter::repeat_with(|| Course { after: Vec::new(), level: Level::Easy, name: course.name.clone(), ..course })
        .take(limit.unwrap_or(1) as usize)
        .collect()
}

fn endpoint() -> Endpoint {
    let dynamic = |_: &Request, _: Vec<xmlrpc::Value>| Ok::<_, Fault>(1);
    Server::new("Courses")
        .documentation("All of *them*.")
        .version("2.1")
        .methods(methods![find])
        .methods([
            Method::overload(
                "add",
                [
                    Method::new("add", |a: i32, b: i32| a + b).params(["a", "b"]),
                    Method::new("add", |a: f64, b: f64, c: Option<f64>| a + b + c.unwrap_or_default())
                        .params(["a", "b", "c"]),
                ],
            )
            .help("Adds."),
            Method::dynamic("anything", dynamic),
            Method::dynamic("declared", dynamic).signature(Signature::new(Type::Int, [Type::Undefined, Type::Base64])),
            Method::dynamic("declared.named", dynamic)
                .params(["a", "b"])
                .signature(Signature::new(Type::Int, [Type::Int, Type::String])),
            Method::new("gap", |_: Option<i32>, pair: (i32, String)| pair),
            Method::new("secret", || 1).hidden(),
        ])
        .method("map", |map: BTreeMap<String, Vec<(i32, Option<bool>)>>| map)
        .build()
        .unwrap()
}

fn discover(endpoint: &Endpoint) -> Json {
    let document = br#"{"jsonrpc": "2.0", "method": "rpc.discover", "id": 1}"#;
    let request = http::Request::post("/RPC2").header("Host", "example.org").body(document.to_vec()).unwrap();
    let answer: Json = serde_json::from_slice(&endpoint.handle(&request.into()).body).unwrap();
    answer["result"].clone()
}

#[test]
fn document() {
    let document = discover(&endpoint());
    assert_valid(&document);
    let mut wrong = document.clone();
    wrong["methods"][4]["params"][0]["required"] = "yes".into();
    assert!(!validator().is_valid(&wrong));
    assert_eq!(document["openrpc"], "1.3.2");
    assert_eq!(document["info"], json!({ "title": "Courses", "description": "All of *them*.", "version": "2.1" }));
    assert_eq!(document["servers"], json!([{ "name": "Courses", "url": "http://example.org/RPC2" }]));
    let methods = document["methods"].as_array().unwrap();
    let names: Vec<&str> = methods.iter().map(|method| method["name"].as_str().unwrap()).collect();
    assert_eq!(names[..5], ["add", "anything", "declared", "declared.named", "find"]);
    assert_eq!(names[5..8], ["gap", "map", "rpc.discover"]);
    assert!(!names.contains(&"secret") && names.contains(&"system.multicall"));
    let own = [json!({ "code": 12, "message": "the year is *over*" }), json!({ "code": -3, "message": "no" })];
    let shared = ["InvalidParams", "InternalError", "ApplicationError", "SystemError"]
        .map(|name| json!({ "$ref": format!("#/components/errors/{name}") }));
    let errors = [&own[..], &shared].concat();
    assert_eq!(
        methods[4],
        json!({
            "name": "find",
            "summary": "Finds courses.",
            "description": "Finds courses.\n\nSlowly.",
            "params": [
                { "name": "text", "required": true, "schema": { "type": "string" }, "description": "A word in the *name*." },
                {
                    "name": "limit",
                    "required": false,
                    "schema": { "type": ["integer", "null"], "format": "uint32", "minimum": 0 },
                },
            ],
            "result": {
                "name": "result",
                "schema": { "type": "array", "items": { "$ref": "#/components/schemas/Course" } },
            },
            "errors": errors,
        })
    );
    let course = &document["components"]["schemas"]["Course"];
    assert_eq!(course["description"], "A course that can be booked.");
    assert_eq!(course["properties"]["name"], json!({ "description": "What it is called.", "type": "string" }));
    assert_eq!(document["components"]["errors"]["InvalidParams"]["code"], -32602);
    // functions under one name, and what is known by signatures alone
    assert_eq!(methods[0]["summary"], "Adds.");
    assert_eq!(methods[0]["params"][0]["schema"]["anyOf"].as_array().unwrap().len(), 2);
    let required = |method: &Json| -> Vec<bool> {
        method["params"].as_array().unwrap().iter().map(|param| param["required"] == true).collect()
    };
    assert_eq!(required(&methods[0]), [true, true, false]);
    // by position none may be left out before one that may not
    assert_eq!(required(&methods[5]), [true, true]);
    assert_eq!(methods[5]["result"]["schema"]["items"][1], json!({ "type": "string" }), "as draft 7 has it");
    assert_eq!(methods[3]["params"][1], json!({ "name": "b", "required": true, "schema": { "type": "string" } }));
    assert_eq!(methods[1]["params"], json!([]));
    assert_eq!(methods[2]["params"][1]["schema"], json!({ "type": "string", "contentEncoding": "base64" }));
}

/// The same through XML-RPC, where the types of JSON Schema's values must have a place.
#[test]
fn document_by_xml_rpc() {
    let call = xmlrpc::call_to_vec("rpc.discover", &()).unwrap();
    let request = http::Request::post("/RPC2").header("Host", "example.org").body(call).unwrap();
    let response = endpoint().handle(&request.into());
    let document = xmlrpc::response_from_slice::<xmlrpc::Value>(&response.body).unwrap().unwrap();
    assert_eq!(serde_json::to_value(document).unwrap(), discover(&endpoint()));
}

#[test]
fn can_be_switched_off() {
    let endpoint = Server::new("Test").without("rpc.discover").build().unwrap();
    assert_eq!(discover(&endpoint), Json::Null);
}

/// The document of a program that people use.
#[test]
fn document_of_the_interop_example() {
    let body = r#"{"jsonrpc": "2.0", "method": "rpc.discover", "id": 1}"#;
    let answer = Cgi::post("interop", body).env("CONTENT_TYPE", "application/json").answer();
    let answer: Json = serde_json::from_str(&answer.body).unwrap();
    assert_valid(&answer["result"]);
    assert!(answer["result"]["methods"].as_array().unwrap().len() > 30);
}
