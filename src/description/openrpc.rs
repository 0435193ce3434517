//! The OpenRPC document of a service (<https://spec.open-rpc.org>, 1.3): the description of its methods for programs.

use schemars::SchemaGenerator;
use schemars::generate::SchemaSettings;
use serde_json::{Map, Value as Json, json};

use crate::description::{FunctionSchemas, Outline, ParamSchema};
use crate::wire::fault::SHARED;

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
    method.into()
}

/// Merges the params and the results of functions under one name. OpenRPC has one list of params for a method: where
/// functions differ, it allows any of theirs.
fn merge(functions: &[FunctionSchemas]) -> (Json, Json) {
    let longest = functions.iter().max_by_key(|function| function.params.len());
    let least = functions.iter().map(FunctionSchemas::least).min().unwrap_or_default();
    let params = longest.map_or(&[][..], |function| &function.params);
    let params: Vec<Json> = params
        .iter()
        .enumerate()
        .map(|(index, longest)| {
            let same_place = functions.iter().filter_map(|function| function.params.get(index));
            param(longest, index < least, any_of(same_place.map(|param| param.schema.as_value())))
        })
        .collect();
    (params.into(), any_of(functions.iter().map(|function| function.returns.as_value())))
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
