//! What an OpenRPC document says of a service (<https://spec.open-rpc.org>), as a manifest says it.
//!
//! A document of somebody else may say anything: what a manifest cannot say is left out and told, and what a reference
//! names is looked for inside of the document alone.

use serde_json::{Map, Value as Json};

use super::text::{ExampleText, MethodText, ParamText, ServiceText, TypeText};

/// The most methods that are read, and the deepest types.
pub(super) const MAX_METHODS: usize = 5000;
const MAX_DEPTH: usize = 12;

/// The most examples of a method.
const MAX_EXAMPLES: usize = 20;

/// Tests whether a document is one of OpenRPC.
pub(super) fn is_one(document: &Json) -> bool {
    document.get("openrpc").is_some_and(Json::is_string) && document.get("methods").is_some_and(Json::is_array)
}

/// Reads a document, and notes what cannot be said in a manifest.
pub(super) fn read(document: &Json, notes: &mut Vec<String>) -> ServiceText {
    let info = &document["info"];
    let text = |name: &str| info[name].as_str().unwrap_or_default().trim().to_owned();
    let mut reader = Reader { document, notes, method: String::new() };
    let methods = document["methods"].as_array().map(Vec::as_slice).unwrap_or_default();
    if methods.len() > MAX_METHODS {
        reader.notes.push(format!("{} methods are more than {MAX_METHODS}: the others are left out", methods.len()));
    }
    let methods: Vec<MethodText> =
        methods.iter().take(MAX_METHODS).filter_map(|method| reader.method(method)).collect();
    ServiceText {
        title: text("title"),
        documentation: text("description"),
        version: Some(text("version")).filter(|version| !version.is_empty() && version != "0.0.0"),
        module: None,
        methods: without_duplicates(methods, notes),
    }
}

/// Leaves out methods whose names were there before.
pub(super) fn without_duplicates(methods: Vec<MethodText>, notes: &mut Vec<String>) -> Vec<MethodText> {
    let mut names = std::collections::BTreeSet::new();
    let mut is_new = |method: &MethodText| {
        let is_new = names.insert(method.name.clone());
        if !is_new {
            notes.push(format!("\"{}\" is there twice: the first counts", method.name.escape_debug()));
        }
        is_new
    };
    methods.into_iter().filter(|method| is_new(method)).collect()
}

/// Tests whether a manifest can have a method of this name; the service itself has `system.` methods and
/// `rpc.discover`.
pub(super) fn is_name(name: &str) -> bool {
    let is_known = |octet: u8| octet.is_ascii_alphanumeric() || b"_.:/-".contains(&octet);
    !name.is_empty() && name.len() <= 500 && name.bytes().all(is_known)
}

/// Makes the name of a param of any text.
pub(super) fn param_name(name: &str, index: usize) -> String {
    let name: String = name.chars().map(|letter| if letter.is_ascii_alphanumeric() { letter } else { '_' }).collect();
    match name.bytes().next() {
        None => format!("p{}", index + 1),
        Some(first) if first.is_ascii_digit() => format!("p_{name}"),
        Some(_) => name,
    }
}

struct Reader<'d> {
    document: &'d Json,
    notes: &'d mut Vec<String>,
    /// The name of the method that is read.
    method: String,
}

impl<'d> Reader<'d> {
    fn note(&mut self, text: &str) {
        let note = format!("{}: {text}", self.method.escape_debug());
        if !self.notes.contains(&note) {
            self.notes.push(note);
        }
    }

    fn method(&mut self, method: &'d Json) -> Option<MethodText> {
        let method = self.resolved(method)?;
        let name = method["name"].as_str().unwrap_or_default();
        name.clone_into(&mut self.method);
        if !is_name(name) {
            self.note("no method of a manifest can have this name, so it is left out");
            return None;
        }
        // every service has these
        if name.starts_with("rpc.") || crate::method::system::names().any(|own| own == name) {
            return None;
        }
        let summary = method["summary"].as_str().unwrap_or_default().trim();
        let description = method["description"].as_str().unwrap_or_default().trim();
        let (title, help) = titled(summary, description);
        let params = method["params"].as_array().map(Vec::as_slice).unwrap_or_default();
        let params: Vec<ParamText> =
            params.iter().enumerate().filter_map(|(index, param)| self.param(index, param)).collect();
        let faults = method["errors"].as_array().into_iter().flatten();
        let faults = faults.filter(|error| error.get("$ref").is_none()).filter_map(|error| {
            Some((error["code"].as_i64()?, error["message"].as_str().unwrap_or_default().to_owned()))
        });
        let returns = self.returns(&method["result"]);
        let examples = method["examples"].as_array().into_iter().flatten().take(MAX_EXAMPLES);
        let examples = examples.filter_map(|example| self.example(example, &method["params"])).collect();
        Some(MethodText {
            name: name.to_owned(),
            title,
            help,
            params: distinct(params),
            returns,
            faults: faults.collect(),
            examples,
            is_deprecated: method["deprecated"] == true,
            is_unsafe: method["x-unsafe"] == true,
            ..MethodText::default()
        })
    }

    fn param(&mut self, index: usize, param: &'d Json) -> Option<ParamText> {
        let param = self.resolved(param)?;
        let mut of = self.of_schema(&param["schema"], MAX_DEPTH);
        if let Some(help) = param["description"].as_str().or(param["summary"].as_str()) {
            help.trim().clone_into(&mut of.help);
        }
        let is_optional = param["required"] != true;
        // what may be left out may be nil as well
        of.or_nil &= !is_optional;
        let default = self.resolved(&param["schema"]).and_then(|schema| schema.get("default").cloned());
        let default = default.filter(|default| fits(&of, default));
        Some(ParamText {
            name: param_name(param["name"].as_str().unwrap_or_default(), index),
            of,
            is_optional,
            default,
        })
    }

    /// Reads an example: in order if its params are the first of the method's, and else by their names.
    fn example(&mut self, example: &'d Json, params: &'d Json) -> Option<ExampleText> {
        let example = self.resolved(example)?;
        let given = example["params"].as_array().map(Vec::as_slice).unwrap_or_default();
        let given: Vec<&Json> = given.iter().map(|param| self.resolved(param)).collect::<Option<_>>()?;
        let params: Vec<&Json> = params.as_array()?.iter().filter_map(|param| self.resolved(param)).collect();
        let is_in_order = given.iter().zip(&params).all(|(given, param)| given["name"] == param["name"]);
        let name = |given: &&Json| {
            let index = params.iter().position(|param| param["name"] == given["name"])?;
            Some((param_name(given["name"].as_str()?, index), given["value"].clone()))
        };
        let by_name: Option<Map<String, Json>> = given.iter().map(name).collect();
        let values = match by_name.filter(|_| !is_in_order) {
            Some(named) => named.into(),
            None => given.iter().map(|given| given["value"].clone()).collect(),
        };
        let result = match example.get("result") {
            Some(result) => self.resolved(result)?.get("value").cloned(),
            None => None,
        };
        if has_null(&values) || result.as_ref().is_some_and(has_null) {
            self.note("an example with null in it is left out: TOML has none");
            return None;
        }
        Some(ExampleText { params: values, result })
    }

    fn returns(&mut self, result: &'d Json) -> Option<TypeText> {
        let result = self.resolved(result)?;
        if result.is_null() {
            return Some(TypeText::named("nil"));
        }
        let mut of = self.of_schema(&result["schema"], MAX_DEPTH);
        if of.help.is_empty()
            && let Some(help) = result["description"].as_str()
        {
            help.trim().clone_into(&mut of.help);
        }
        Some(of).filter(|of| of.name != "any" || !of.help.is_empty())
    }

    /// Follows references inside of the document.
    fn resolved(&mut self, value: &'d Json) -> Option<&'d Json> {
        let mut value = value;
        for _ in 0..MAX_DEPTH {
            let Some(reference) = value.get("$ref").and_then(Json::as_str) else { return Some(value) };
            let Some(pointer) = reference.strip_prefix('#') else {
                self.note(&format!("\"{}\" is outside of the document, and is not fetched", reference.escape_debug()));
                return None;
            };
            match self.document.pointer(pointer) {
                Some(found) => value = found,
                None => {
                    self.note(&format!("\"{}\" is nowhere in the document", reference.escape_debug()));
                    return None;
                }
            }
        }
        self.note("a reference leads to itself");
        None
    }

    /// Reads a schema as a type; anything if a manifest has no word for it.
    fn of_schema(&mut self, schema: &'d Json, depth: usize) -> TypeText {
        let Some(schema) = self.resolved(schema).filter(|_| depth > 0) else { return TypeText::named("any") };
        let Some(object) = schema.as_object() else { return TypeText::named("any") };
        let choices = ["anyOf", "oneOf", "allOf"].iter().find_map(|keyword| object.get(*keyword)?.as_array());
        if let Some(choices) = choices {
            return self.of_choices(object, choices, depth);
        }
        let (name, or_nil) = type_name(object);
        let mut of = TypeText { or_nil, ..TypeText::named(name) };
        of.help = object.get("description").and_then(Json::as_str).unwrap_or_default().trim().to_owned();
        self.add_bounds(&mut of, object);
        match name {
            "array" => {
                let items = object.get("items").filter(|items| items.is_object());
                of.items = items.map(|items| Box::new(self.of_schema(items, depth - 1)));
            }
            "struct" => self.add_members(&mut of, object, depth),
            _ => {}
        }
        of
    }

    /// Reads what may be one of several: nil or something else, as a rule.
    fn of_choices(&mut self, object: &'d Map<String, Json>, choices: &'d [Json], depth: usize) -> TypeText {
        let is_nil = |choice: &&Json| choice["type"] == "null";
        let others: Vec<&Json> = choices.iter().filter(|choice| !is_nil(choice)).collect();
        let mut of = match others[..] {
            [only] => self.of_schema(only, depth - 1),
            _ => TypeText::named("any"),
        };
        of.or_nil |= of.name != "any" && others.len() < choices.len();
        if let Some(help) = object.get("description").and_then(Json::as_str) {
            help.trim().clone_into(&mut of.help);
        }
        of
    }

    fn add_bounds(&mut self, of: &mut TypeText, object: &Map<String, Json>) {
        let choices = object.get("enum").and_then(Json::as_array).cloned();
        let choices = choices.or_else(|| object.get("const").map(|only| vec![only.clone()]));
        let choices: Vec<Json> = choices.into_iter().flatten().filter(|choice| !choice.is_null()).collect();
        if !choices.is_empty() && choices.iter().all(|choice| fits(of, choice)) && of.name != "boolean" {
            of.keys.push(("choices", choices.into()));
        }
        for (keyword, key) in [("minimum", "minimum"), ("maximum", "maximum")] {
            let bound = object.get(keyword).filter(|bound| bound.is_number());
            if let Some(bound) = bound.filter(|_| ["int", "i8", "integer", "double"].contains(&&*of.name)) {
                of.keys.push((key, bound.clone()));
            }
        }
        if of.name != "string" {
            return self.add_example(of, object);
        }
        if let Some(length) = object.get("maxLength").and_then(Json::as_u64).filter(|length| *length < 1 << 40) {
            of.keys.push(("max_length", length.into()));
        }
        match object.get("pattern").and_then(Json::as_str) {
            Some(pattern) if regex_lite::Regex::new(pattern).is_ok() => of.keys.push(("pattern", pattern.into())),
            Some(pattern) => self.note(&format!("the pattern \"{}\" is left out", pattern.escape_debug())),
            None => {}
        }
        self.add_example(of, object);
    }

    fn add_example(&self, of: &mut TypeText, object: &Map<String, Json>) {
        let example = object.get("examples").and_then(|examples| examples.get(0)).or(object.get("example"));
        let is_choice = |example: &Json| {
            let choices = of.keys.iter().find(|(key, _)| *key == "choices").and_then(|(_, choices)| choices.as_array());
            choices.is_none_or(|choices| choices.contains(example))
        };
        if let Some(example) = example.filter(|example| fits(of, example) && is_choice(example)) {
            of.keys.push(("example", example.clone()));
        }
    }

    fn add_members(&mut self, of: &mut TypeText, object: &'d Map<String, Json>, depth: usize) {
        let properties = object.get("properties").and_then(Json::as_object);
        let required: Vec<&str> =
            object.get("required").and_then(Json::as_array).into_iter().flatten().filter_map(Json::as_str).collect();
        for (name, schema) in properties.into_iter().flatten() {
            let is_optional = !required.contains(&&**name);
            let mut member = self.of_schema(schema, depth - 1);
            member.or_nil &= !is_optional;
            of.members.push((name.clone(), member, is_optional));
        }
        let values = object.get("additionalProperties").filter(|values| values.is_object() && of.members.is_empty());
        of.values = values.map(|values| Box::new(self.of_schema(values, depth - 1)));
    }
}

/// Divides a description into a title and the rest of the help.
pub(super) fn titled(summary: &str, description: &str) -> (String, String) {
    let (first, rest) = description.split_once("\n\n").unwrap_or((description, ""));
    let on_one_line = |text: &str| text.split_whitespace().collect::<Vec<_>>().join(" ");
    match summary.is_empty() || on_one_line(first) == on_one_line(summary) {
        true => (on_one_line(first), rest.trim().to_owned()),
        false => (on_one_line(summary), description.to_owned()),
    }
}

/// Returns the type that a schema is of, and whether it may be nil too.
fn type_name(object: &Map<String, Json>) -> (&'static str, bool) {
    let text = |keyword: &str| object.get(keyword).and_then(Json::as_str).unwrap_or_default();
    let (name, or_nil) = match object.get("type") {
        Some(Json::String(name)) => (name.as_str(), false),
        Some(Json::Array(names)) => {
            let mut others = names.iter().filter_map(Json::as_str).filter(|name| *name != "null");
            match (others.next(), others.next()) {
                (Some(name), None) => (name, names.len() > 1),
                _ => return ("any", false),
            }
        }
        _ => match object.get("enum").and_then(|choices| choices.get(0)).or(object.get("const")) {
            Some(Json::String(_)) => ("string", false),
            Some(Json::Number(number)) if number.is_f64() => ("number", false),
            Some(Json::Number(_)) => ("integer", false),
            _ if object.contains_key("properties") => ("object", false),
            _ if object.contains_key("items") => ("array", false),
            _ => return ("any", false),
        },
    };
    let name = match (name, text("format")) {
        ("integer", "int32") => "int",
        ("integer", "int64") => "i8",
        ("integer", _) => "integer",
        ("number", _) => "double",
        ("boolean", _) => "boolean",
        ("string", "dateTime.iso8601") => "dateTime.iso8601",
        ("string", _) if text("contentEncoding") == "base64" => "base64",
        ("string", _) => "string",
        ("object", _) => "struct",
        ("array", _) => "array",
        ("null", _) => "nil",
        _ => "any",
    };
    (name, or_nil && name != "any")
}

/// Tests whether a scalar is a value of a type.
fn fits(of: &TypeText, value: &Json) -> bool {
    match &*of.name {
        "int" => value.as_i64().is_some_and(|number| i32::try_from(number).is_ok()),
        "i8" | "integer" => value.is_i64(),
        "double" => value.is_number(),
        "boolean" => value.is_boolean(),
        "string" => value.is_string(),
        _ => false,
    }
}

/// Tests whether there is a null in a value.
fn has_null(value: &Json) -> bool {
    match value {
        Json::Null => true,
        Json::Array(items) => items.iter().any(has_null),
        Json::Object(members) => members.values().any(has_null),
        _ => false,
    }
}

/// Gives params of the same name other ones.
pub(super) fn distinct(mut params: Vec<ParamText>) -> Vec<ParamText> {
    for index in 0..params.len() {
        if params[..index].iter().any(|before| before.name == params[index].name) {
            params[index].name = format!("{}_{}", params[index].name, index + 1);
        }
    }
    params
}
