//! The OpenRPC document of a service (<https://spec.open-rpc.org>, 1.3): the description of its methods for programs.

use schemars::SchemaGenerator;
use schemars::generate::SchemaSettings;
use serde_json::{Map, Value as Json, json};

use crate::description::{Example, FunctionSchemas, Outline, ParamSchema};
use crate::wire::fault::SHARED;
use crate::wire::json;
use crate::wire::value::Value;

const VERSION: &str = "1.3.2";

/// The version of a service that has none.
pub(crate) const UNVERSIONED: &str = "0.0.0";

/// The service's entry in the document.
#[derive(Clone, Debug)]
pub(crate) struct Info {
    pub(crate) title: String,
    /// Markdown.
    pub(crate) description: String,
    /// The version of the service, not of OpenRPC.
    pub(crate) version: String,
}

/// Returns a generator of schemas for a document: named types stand once, among its components.
pub(crate) fn generator() -> SchemaGenerator {
    let settings = SchemaSettings::draft07();
    settings.with(|settings| settings.definitions_path = "/components/schemas".into()).into_generator()
}

/// Formats a document as text.
pub(crate) fn text(document: &Json) -> String {
    format!("{document:#}\n")
}

/// Makes the document of methods, which were outlined by the [`generator`]; `url` is where they are called.
pub(crate) fn document(
    info: &Info,
    url: Option<String>,
    methods: Vec<(String, Outline)>,
    mut generator: SchemaGenerator,
) -> Json {
    let methods: Vec<Json> =
        methods.into_iter().map(|(name, outline)| method(&name, outline, &mut generator)).collect();
    let mut document = json!({
        "openrpc": VERSION,
        "info": { "title": info.title, "version": info.version },
        "methods": methods,
        "components": { "schemas": generator.take_definitions(true), "errors": errors() },
    });
    if !info.description.is_empty() {
        document["info"]["description"] = info.description.clone().into();
    }
    if let Some(url) = url {
        document["servers"] = json!([{ "name": info.title, "url": url }]);
    }
    document
}

fn method(name: &str, outline: Outline, generator: &mut SchemaGenerator) -> Json {
    let title = outline.title();
    let errors = method_errors(&outline.faults);
    let mut functions = outline.functions;
    for function in &mut functions {
        let params = function.params.iter_mut().map(|param| &mut param.schema);
        for schema in params.chain([&mut function.returns]) {
            // the components have had these transforms
            generator.transforms_mut().for_each(|transform| transform.transform(schema));
        }
    }
    let names: Vec<String> = longest(&functions).iter().map(|param| param.name.clone()).collect();
    let (params, returns) = merge(&functions);
    let mut method = Map::new();
    method.insert("name".into(), name.into());
    if !title.is_empty() {
        method.insert("summary".into(), title.into());
        method.insert("description".into(), outline.help.into());
    }
    if outline.deprecated.is_some() {
        method.insert("deprecated".into(), true.into());
    }
    if outline.is_unsafe {
        method.insert("x-unsafe".into(), true.into());
    }
    method.insert("params".into(), params);
    method.insert("result".into(), json!({ "name": "result", "schema": returns }));
    method.insert("errors".into(), errors);
    if !outline.examples.is_empty() {
        method.insert("examples".into(), examples(&outline.examples, &names));
    }
    method.into()
}

/// Merges the params and the results of functions under one name. OpenRPC has one list of params for a method: where
/// functions differ, it allows any of theirs.
fn merge(functions: &[FunctionSchemas]) -> (Json, Json) {
    let least = functions.iter().map(FunctionSchemas::least).min().unwrap_or_default();
    let params: Vec<Json> = longest(functions)
        .iter()
        .enumerate()
        .map(|(index, longest)| {
            let same_place = functions.iter().filter_map(|function| function.params.get(index));
            param(longest, index < least, any_of(same_place.map(|param| param.schema.as_value())))
        })
        .collect();
    (params.into(), any_of(functions.iter().map(|function| function.returns.as_value())))
}

/// Returns the params of the function that has most.
fn longest(functions: &[FunctionSchemas]) -> &[ParamSchema] {
    let longest = functions.iter().max_by_key(|function| function.params.len());
    longest.map_or(&[], |function| &function.params)
}

/// Returns Example Pairing Objects. Their names are required, and tell no more than the number.
fn examples(examples: &[Example], names: &[String]) -> Json {
    let param = |(index, value): (usize, &Value)| {
        let name = names.get(index).cloned().unwrap_or_else(|| format!("p{}", index + 1));
        json!({ "name": name, "value": json::as_json(value) })
    };
    let pairing = |(index, example): (usize, &Example)| {
        let params: Vec<Json> = example.params.iter().enumerate().map(param).collect();
        let mut pairing = json!({ "name": format!("example {}", index + 1), "params": params });
        if let Some(result) = &example.result {
            pairing["result"] = json!({ "name": "result", "value": json::as_json(result) });
        }
        pairing
    };
    examples.iter().enumerate().map(pairing).collect()
}

fn param(param: &ParamSchema, required: bool, schema: Json) -> Json {
    let mut descriptor = json!({ "name": param.name, "required": required, "schema": schema });
    if !param.help.is_empty() {
        descriptor["description"] = param.help.clone().into();
    }
    descriptor
}

/// Returns one schema for any of several; for none, one that accepts everything.
fn any_of<'a>(schemas: impl Iterator<Item = &'a Json>) -> Json {
    let mut different: Vec<&Json> = Vec::new();
    for schema in schemas {
        if !different.contains(&schema) {
            different.push(schema);
        }
    }
    match different[..] {
        [] => true.into(),
        [schema] => schema.clone(),
        _ => json!({ "anyOf": different }),
    }
}

fn errors() -> Json {
    let error =
        |(name, code, message): (&str, i32, &str)| (name.to_owned(), json!({ "code": code, "message": message }));
    SHARED.into_iter().map(error).collect::<Map<_, _>>().into()
}

/// Returns a method's own faults, and the shared ones that it may answer too.
fn method_errors(faults: &[(i32, String)]) -> Json {
    let own = faults.iter().map(|(code, text)| json!({ "code": code, "message": text }));
    let shared = ["InvalidParams", "InternalError", "ApplicationError", "SystemError"].into_iter();
    own.chain(shared.map(|name| json!({ "$ref": format!("#/components/errors/{name}") }))).collect()
}

#[cfg(test)]
mod tests {
    use schemars::{JsonSchema, Schema};

    use super::*;

    #[derive(JsonSchema)]
    #[allow(dead_code, reason = "only its schema is read")]
    struct Ball {
        size: bool,
    }

    fn outline(functions: Vec<FunctionSchemas>) -> Outline {
        Outline {
            help: String::new(),
            functions,
            in_detail: true,
            faults: Vec::new(),
            deprecated: None,
            since: None,
            is_unsafe: false,
            examples: Vec::new(),
        }
    }

    fn function(names: &[&str], least: usize, schema: &Schema) -> FunctionSchemas {
        let param = |(index, name): (usize, &&str)| ParamSchema {
            name: (*name).to_owned(),
            help: if index == 0 { "the first".into() } else { String::new() },
            optional: index >= least,
            schema: schema.clone(),
        };
        FunctionSchemas { params: names.iter().enumerate().map(param).collect(), returns: schema.clone() }
    }

    fn info(description: &str) -> Info {
        Info { title: "Sums".into(), description: description.into(), version: UNVERSIONED.into() }
    }

    fn documented(outline: Outline) -> Json {
        document(&info(""), None, vec![("m".into(), outline)], generator())["methods"][0].clone()
    }

    #[test]
    fn documents_roundtrip() {
        let document = document(&info("All *sums*."), Some("http://h/".into()), Vec::new(), generator());
        assert_eq!(serde_json::from_str::<Json>(&text(&document)).unwrap(), document);
        assert!(text(&document).ends_with("}\n"));
    }

    /// Members of <https://spec.open-rpc.org>.
    #[test]
    fn documents_spec() {
        let mut generator = generator();
        let ball = generator.subschema_for::<Ball>();
        let methods = vec![("m".to_owned(), outline(vec![function(&["a", "b"], 1, &ball)]))];
        let document = document(&info("All *sums*."), Some("http://h/".into()), methods, generator);
        assert_eq!(document["openrpc"], "1.3.2");
        assert_eq!(document["info"], json!({ "title": "Sums", "version": "0.0.0", "description": "All *sums*." }));
        assert_eq!(document["servers"], json!([{ "name": "Sums", "url": "http://h/" }]));
        assert_eq!(document["components"]["schemas"]["Ball"]["properties"]["size"]["type"], "boolean");
        assert_eq!(document["components"]["errors"]["MethodNotFound"]["code"], -32601);
        let of_ball = json!({ "$ref": "#/components/schemas/Ball" });
        let expected = json!({
            "name": "m",
            "params": [
                { "name": "a", "required": true, "schema": of_ball, "description": "the first" },
                { "name": "b", "required": false, "schema": of_ball },
            ],
            "result": { "name": "result", "schema": of_ball },
            "errors": [
                { "$ref": "#/components/errors/InvalidParams" },
                { "$ref": "#/components/errors/InternalError" },
                { "$ref": "#/components/errors/ApplicationError" },
                { "$ref": "#/components/errors/SystemError" },
            ],
        });
        assert_eq!(document["methods"], json!([expected]));
    }

    #[test]
    fn methods_spec() {
        let (boolean, text) = (json!({ "type": "boolean" }), json!({ "type": "string" }));
        let schema = |json: &Json| Schema::try_from(json.clone()).unwrap();
        let date = Value::DateTime("20261124T12:00:00".parse().unwrap());
        let functions = vec![function(&["a"], 1, &schema(&boolean)), function(&["b", "c"], 2, &schema(&text))];
        let merged = documented(Outline {
            help: "Spins.\n\nMore.".into(),
            deprecated: Some(String::new()),
            is_unsafe: true,
            faults: vec![(7, "full".into())],
            examples: vec![
                Example { params: vec![true.into(), Value::Array(vec![1.5.into(), Value::Nil])], result: None },
                Example { params: Vec::new(), result: Some(date) },
            ],
            ..outline(functions)
        });
        assert_eq!((&merged["summary"], &merged["description"]), (&json!("Spins."), &json!("Spins.\n\nMore.")));
        assert_eq!((&merged["deprecated"], &merged["x-unsafe"]), (&json!(true), &json!(true)));
        assert_eq!(merged["errors"][0], json!({ "code": 7, "message": "full" }));
        let either = json!({ "anyOf": [boolean, text] });
        let expected = json!([
            { "name": "b", "required": true, "schema": either, "description": "the first" },
            { "name": "c", "required": false, "schema": text },
        ]);
        assert_eq!((&merged["params"], &merged["result"]["schema"]), (&expected, &either));
        let expected = json!([
            { "name": "example 1", "params": [{ "name": "b", "value": true }, { "name": "c", "value": [1.5, null] }] },
            { "name": "example 2", "params": [], "result": { "name": "result", "value": "2026-11-24T12:00:00" } },
        ]);
        assert_eq!(merged["examples"], expected);
    }

    #[test]
    fn unknown_functions_invalid() {
        let unknown = documented(outline(Vec::new()));
        assert_eq!((&unknown["params"], &unknown["result"]["schema"]), (&json!([]), &json!(true)));
        let members: Vec<&String> = unknown.as_object().unwrap().keys().collect();
        assert_eq!(members, ["name", "params", "result", "errors"]);
        let document = document(&info(""), None, Vec::new(), generator());
        assert!(document.get("servers").is_none() && document["info"].get("description").is_none());
    }
}
