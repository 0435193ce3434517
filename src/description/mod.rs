//! What a method takes and gives, described: for `system.methodSignature`, `system.methodHelp` and the page.
//!
//! Everything here is derived from the JSON Schema of the Rust types, and built only when somebody asks.

pub(crate) mod bounds;
pub(crate) mod openrpc;

use std::borrow::Cow;
use std::cell::RefCell;
use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;

use schemars::generate::SchemaSettings;
use schemars::{Schema, SchemaGenerator, json_schema};
use serde_json::{Map, Value as Json};

use crate::wire::value::Value;

/// The generator whose schemas a [`Description`] is made of: types that are named stand once, as its definitions.
pub(crate) fn generator() -> SchemaGenerator {
    SchemaSettings::draft2020_12().into_generator()
}

/// A type of XML-RPC, as signatures name it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Type {
    /// `int`: 32 bits, signed.
    Int,
    /// `i8`: 64 bits, signed.
    I8,
    /// `boolean`.
    Boolean,
    /// `string`.
    String,
    /// `double`.
    Double,
    /// `dateTime.iso8601`.
    DateTime,
    /// `base64`.
    Base64,
    /// `struct`.
    Struct,
    /// `array`.
    Array,
    /// `nil`.
    Nil,
    /// `undefined`: any of them.
    Undefined,
}

impl Type {
    /// The name on the wire.
    pub fn name(self) -> &'static str {
        match self {
            Type::Int => "int",
            Type::I8 => "i8",
            Type::Boolean => "boolean",
            Type::String => "string",
            Type::Double => "double",
            Type::DateTime => "dateTime.iso8601",
            Type::Base64 => "base64",
            Type::Struct => "struct",
            Type::Array => "array",
            Type::Nil => "nil",
            Type::Undefined => "undefined",
        }
    }

    /// Returns the name for people: `any` for `undefined`, which reads like a mistake.
    pub(crate) fn in_words(self) -> &'static str {
        match self {
            Type::Undefined => "any",
            known => known.name(),
        }
    }

    /// The JSON Schema of a value of this type.
    pub(crate) fn schema(self) -> Schema {
        match self {
            Type::Int => json_schema!({ "type": "integer", "format": "int32" }),
            Type::I8 => json_schema!({ "type": "integer", "format": "int64" }),
            Type::Boolean => json_schema!({ "type": "boolean" }),
            Type::String => json_schema!({ "type": "string" }),
            Type::Double => json_schema!({ "type": "number", "format": "double" }),
            Type::DateTime => json_schema!({ "type": "string", "format": "dateTime.iso8601" }),
            Type::Base64 => json_schema!({ "type": "string", "contentEncoding": "base64" }),
            Type::Struct => json_schema!({ "type": "object" }),
            Type::Array => json_schema!({ "type": "array" }),
            Type::Nil => json_schema!({ "type": "null" }),
            Type::Undefined => json_schema!(true),
        }
    }

    /// Whether a value of the type `name` may stand where this type is declared: its own, an `int` for an `i8` or
    /// `double`, anything for `undefined`.
    pub(crate) fn accepts(self, name: &str) -> bool {
        match self {
            Type::Undefined => true,
            Type::I8 => matches!(name, "i8" | "int"),
            Type::Double => matches!(name, "double" | "int" | "i8"),
            _ => self.name() == name,
        }
    }
}

impl fmt::Display for Type {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// One way to call a method: the type of its result, and of its params in order.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Signature {
    /// The type of the result.
    pub returns: Type,
    /// The types of the params.
    pub params: Vec<Type>,
}

impl Signature {
    /// A signature.
    pub fn new(returns: Type, params: impl Into<Vec<Type>>) -> Signature {
        Signature { returns, params: params.into() }
    }

    /// As `system.methodSignature` lists it: the type of the result first.
    pub(crate) fn names(&self) -> Vec<&'static str> {
        std::iter::once(self.returns).chain(self.params.iter().copied()).map(Type::name).collect()
    }
}

/// What a method tells about itself, with the schemas as a generator makes them.
#[derive(Clone, Debug)]
pub(crate) struct Outline {
    /// Markdown; the first paragraph is the title.
    pub(crate) help: String,
    /// The ways to call it, one for each function behind it or signature declared for it; empty if unknown.
    pub(crate) functions: Vec<FunctionSchemas>,
    /// Whether there is more to tell of its params than their types.
    pub(crate) in_detail: bool,
    /// Codes of faults it may answer, and when it does, in Markdown.
    pub(crate) faults: Vec<(i32, String)>,
    /// Why not to call it any more, in Markdown; maybe empty.
    pub(crate) deprecated: Option<String>,
    /// The version of the service that had it first.
    pub(crate) since: Option<String>,
    /// Whether a call changes something that somebody may want to keep.
    pub(crate) is_unsafe: bool,
    /// Params of a call that makes sense, if they are given.
    pub(crate) example: Option<Vec<Value>>,
}

/// A function's arguments and result.
#[derive(Clone, Debug)]
pub(crate) struct FunctionSchemas {
    pub(crate) params: Vec<ParamSchema>,
    pub(crate) returns: Schema,
}

/// An argument of a function.
#[derive(Clone, Debug)]
pub(crate) struct ParamSchema {
    pub(crate) name: String,
    /// Markdown.
    pub(crate) help: String,
    /// May be left out, if all after it are.
    pub(crate) optional: bool,
    pub(crate) schema: Schema,
}

impl FunctionSchemas {
    /// How many params there must be.
    pub(crate) fn least(&self) -> usize {
        least(self.params.iter().map(|param| param.optional))
    }

    fn detail(&self, definitions: &Definitions) -> Detail {
        let param = |param: &ParamSchema| Named {
            name: param.name.clone(),
            help: param.help.clone(),
            optional: param.optional,
            shape: definitions.shape(&param.schema),
        };
        Detail { params: self.params.iter().map(param).collect(), returns: definitions.shape(&self.returns) }
    }
}

impl Outline {
    /// The first paragraph of the help, on one line.
    pub(crate) fn title(&self) -> String {
        title(&self.help)
    }

    /// The same for people; the definitions are those of the [`generator`] that made the schemas.
    pub(crate) fn into_description(self, name: impl Into<String>, definitions: &Definitions) -> Description {
        let Outline { help, functions, in_detail, faults, deprecated, since, is_unsafe, example } = self;
        let mut details = details(&functions, definitions);
        let signatures = signatures(&details);
        if !in_detail {
            details.clear();
        }
        Description { name: name.into(), help, signatures, details, faults, deprecated, since, is_unsafe, example }
    }
}

/// Functions for people, by the definitions of the generator that made their schemas.
pub(crate) fn details(functions: &[FunctionSchemas], definitions: &Definitions) -> Vec<Detail> {
    functions.iter().map(|function| function.detail(definitions)).collect()
}

/// The signatures of functions: one for each number of params that each may have.
pub(crate) fn signatures(details: &[Detail]) -> Vec<Signature> {
    let mut signatures: Vec<Signature> = details.iter().flat_map(Detail::signatures).collect();
    signatures.dedup();
    signatures
}

/// How many params there must be, if these may be left out: all up to the last that may not.
pub(crate) fn least(optional: impl DoubleEndedIterator<Item = bool> + ExactSizeIterator) -> usize {
    let all = optional.len();
    all - optional.rev().take_while(|optional| *optional).count()
}

fn title(help: &str) -> String {
    let paragraph = help.split("\n\n").next().unwrap_or_default();
    paragraph.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// A method, described.
#[derive(Clone, Debug, Default)]
pub(crate) struct Description {
    pub(crate) name: String,
    /// Markdown; the first paragraph is the title.
    pub(crate) help: String,
    /// The ways to call it; empty if unknown.
    pub(crate) signatures: Vec<Signature>,
    /// The same in detail, one for each function behind it; empty if it is declared by signatures alone.
    pub(crate) details: Vec<Detail>,
    /// Codes of faults it may answer, and when it does, in Markdown.
    pub(crate) faults: Vec<(i32, String)>,
    /// Why not to call it any more, in Markdown; maybe empty.
    pub(crate) deprecated: Option<String>,
    /// The version of the service that had it first.
    pub(crate) since: Option<String>,
    /// Whether a call changes something that somebody may want to keep.
    pub(crate) is_unsafe: bool,
    /// Params of a call that makes sense, if they are given.
    pub(crate) example: Option<Vec<Value>>,
}

impl Description {
    /// The first paragraph of the help, on one line.
    pub(crate) fn title(&self) -> String {
        title(&self.help)
    }
}

/// Params and result with their names, texts and members.
#[derive(Clone, Debug)]
pub(crate) struct Detail {
    pub(crate) params: Vec<Named>,
    pub(crate) returns: Shape,
}

impl Detail {
    /// One signature for each number of params there may be.
    fn signatures(&self) -> impl Iterator<Item = Signature> {
        let returns = self.returns.wire;
        let types: Vec<Type> = self.params.iter().map(|param| param.shape.wire).collect();
        let least = least(self.params.iter().map(|param| param.optional));
        (least..=types.len()).map(move |count| Signature::new(returns, &types[..count]))
    }
}

/// A value that has a name: a param, or a member of a struct.
#[derive(Clone, Debug)]
pub(crate) struct Named {
    pub(crate) name: String,
    /// Markdown.
    pub(crate) help: String,
    /// May be left out; a param, if all after it are.
    pub(crate) optional: bool,
    pub(crate) shape: Shape,
}

/// What a value looks like inside.
#[derive(Clone, Debug)]
pub(crate) struct Shape {
    pub(crate) wire: Type,
    /// What the type is called where it is defined, if it is.
    pub(crate) name: Option<String>,
    /// May also be nil.
    pub(crate) nullable: bool,
    /// Markdown.
    pub(crate) help: String,
    /// Of an array: what its items look like. Of a struct whose members have any names: what
    /// these look like.
    pub(crate) items: Option<Box<Shape>>,
    /// Of an array that has a place for each item: what those look like.
    pub(crate) places: Vec<Shape>,
    /// Of an array: how many items it has at least.
    pub(crate) least_items: usize,
    /// Of a struct: its members.
    pub(crate) members: Arc<[Named]>,
    /// The values it may have, if they are listed.
    pub(crate) values: Vec<String>,
    /// What else is asked of it, beside its type.
    pub(crate) constraints: Vec<Constraint>,
    /// One that is given as an example, or that it is if it is left out.
    pub(crate) example: Option<Json>,
    /// Where it is one of several alternatives: these.
    pub(crate) alternatives: Vec<Shape>,
    /// Whether there is more to it which is not told: it is inside of itself.
    pub(crate) is_cut: bool,
}

/// What is asked of a value beside its type.
#[derive(Clone, Debug)]
pub(crate) enum Constraint {
    Minimum(String),
    Maximum(String),
    /// In characters.
    MaxLength(String),
    Pattern(String),
    /// Not asked of it, but what it is when it is left out.
    Default(String),
}

impl Shape {
    /// Returns the name for people, as `array of Ball`: structs and enums with data by their own.
    pub(crate) fn type_name(&self) -> Cow<'_, str> {
        let is_known = |items: &&Shape| items.wire != Type::Undefined || items.name.is_some();
        match (self.wire, &self.name, self.items.as_deref().filter(is_known)) {
            (Type::Struct | Type::Undefined, Some(name), _) => name.into(),
            (wire, _, Some(items)) => format!("{wire} of {}", items.type_name()).into(),
            (wire, _, None) if !self.places.is_empty() => {
                let places: Vec<Cow<'_, str>> = self.places.iter().map(Shape::type_name).collect();
                format!("{wire} of ({})", places.join(", ")).into()
            }
            (wire, ..) => wire.in_words().into(),
        }
    }

    /// Any value of a type.
    pub(crate) fn of(wire: Type) -> Shape {
        Shape {
            wire,
            name: None,
            nullable: false,
            help: String::new(),
            items: None,
            places: Vec::new(),
            least_items: 0,
            members: Arc::default(),
            values: Vec::new(),
            constraints: Vec::new(),
            example: None,
            alternatives: Vec::new(),
            is_cut: false,
        }
    }

    /// A struct of these members and its own; what is none stays as it is.
    fn beside(self, members: &[Named]) -> Shape {
        match self.wire {
            Type::Struct => Shape { members: members.iter().chain(&*self.members).cloned().collect(), ..self },
            _ => self,
        }
    }
}

/// The schemas that others refer to, by their names.
#[derive(Debug, Default)]
pub(crate) struct Definitions {
    schemas: Map<String, Json>,
    /// Those that were read before: many methods have the same types.
    shapes: RefCell<BTreeMap<String, Shape>>,
}

impl Definitions {
    /// Those that a [`generator`] has made so far.
    pub(crate) fn of(mut generator: SchemaGenerator) -> Definitions {
        Definitions { schemas: generator.take_definitions(true), shapes: RefCell::default() }
    }

    /// What a type's JSON Schema says of its values.
    fn shape(&self, schema: &Schema) -> Shape {
        Reader { definitions: self, inside: Vec::new(), left: MOST_DEFINITIONS }.shape(schema.as_value())
    }

    /// The name of the schema that a schema refers to, and that one, unless there is none.
    fn find<'a>(&'a self, schema: &'a Map<String, Json>) -> Option<(&'a str, &'a Json)> {
        let name = schema.get("$ref")?.as_str()?.strip_prefix("#/$defs/")?;
        Some((name, self.schemas.get(name)?))
    }
}

/// How many definitions are read for one value: types that all refer to one another would fill any page.
const MOST_DEFINITIONS: usize = 200;

/// The common shape of alternatives: nil makes it nullable, members and listed values are those of all, and where they
/// differ there is no telling.
fn join(mut shapes: Vec<Shape>) -> Shape {
    let all = shapes.len();
    shapes.retain(|shape| shape.wire != Type::Nil);
    let nullable = shapes.len() < all;
    let mut shape = match &shapes[..] {
        [] => return Shape::of(Type::Nil),
        [shape] => shape.clone(),
        [first, others @ ..] if others.iter().all(|other| other.wire == first.wire) => {
            let is_listed = shapes.iter().all(|shape| !shape.values.is_empty());
            let mut values: Vec<String> = shapes.iter().flat_map(|shape| shape.values.clone()).collect();
            values.dedup();
            Shape {
                members: joined_members(&shapes),
                values: if is_listed { values } else { Vec::new() },
                alternatives: shapes.clone(),
                ..Shape::of(first.wire)
            }
        }
        _ => Shape { alternatives: shapes.clone(), ..Shape::of(Type::Undefined) },
    };
    shape.nullable |= nullable;
    shape
}

/// The members that some of several structs have; those that not all must have may be left out.
fn joined_members(shapes: &[Shape]) -> Arc<[Named]> {
    let mut joined: Vec<Named> = Vec::new();
    for member in shapes.iter().flat_map(|shape| &*shape.members) {
        match joined.iter_mut().find(|known| known.name == member.name) {
            None => joined.push(member.clone()),
            Some(known) if known.shape.values.is_empty() || member.shape.values.is_empty() => {
                known.shape.values.clear();
            }
            Some(known) => {
                let others = member.shape.values.iter().filter(|value| !known.shape.values.contains(value));
                let others: Vec<String> = others.cloned().collect();
                known.shape.values.extend(others);
            }
        }
    }
    for member in &mut joined {
        let must_be = |shape: &Shape| shape.members.iter().any(|own| own.name == member.name && !own.optional);
        member.optional = !shapes.iter().all(must_be);
    }
    joined.into()
}

/// Reads a schema, and those that it refers to.
struct Reader<'a> {
    definitions: &'a Definitions,
    /// The names of the definitions around the place that is read: one that refers to itself is read but once.
    inside: Vec<&'a str>,
    /// How many more definitions may be read.
    left: usize,
}

impl<'a> Reader<'a> {
    fn shape(&mut self, schema: &'a Json) -> Shape {
        schema.as_object().map_or_else(|| Shape::of(Type::Undefined), |schema| self.object(schema))
    }

    fn object(&mut self, schema: &'a Map<String, Json>) -> Shape {
        let mut shape = match (self.definitions.find(schema), alternatives(schema)) {
            (Some((name, schema)), _) => self.definition(name, schema),
            (None, Some(alternatives)) => {
                // members that stand beside the alternatives are of each
                let own = self.members(schema);
                join(alternatives.iter().map(|schema| self.shape(schema).beside(&own)).collect())
            }
            (None, None) => self.of_type(schema),
        };
        if let Some(Json::String(help)) = schema.get("description") {
            shape.help = help.clone();
        }
        shape.constraints.extend(constraints(schema));
        let example = schema.get("examples").and_then(|examples| examples.get(0));
        shape.example = example.or_else(|| schema.get("default")).cloned().or(shape.example);
        shape
    }

    fn definition(&mut self, name: &'a str, schema: &'a Json) -> Shape {
        if self.inside.contains(&name) || self.left == 0 {
            let is_struct = schema["type"] == "object" || schema.get("properties").is_some();
            let wire = if is_struct { Type::Struct } else { Type::Undefined };
            return Shape { name: Some(name.to_owned()), is_cut: true, ..Shape::of(wire) };
        }
        if let Some(shape) = self.definitions.shapes.borrow().get(name) {
            return shape.clone();
        }
        self.left -= 1;
        self.inside.push(name);
        let shape = self.shape(schema);
        self.inside.pop();
        let shape = Shape { name: shape.name.or_else(|| Some(name.to_owned())), ..shape };
        // what was read inside of another may have been cut where that one begins anew
        if self.inside.is_empty() {
            self.definitions.shapes.borrow_mut().insert(name.to_owned(), shape.clone());
        }
        shape
    }

    fn of_type(&mut self, schema: &'a Map<String, Json>) -> Shape {
        let (name, nullable) = json_type(schema);
        let mut shape = Shape::of(wire_type(name, schema));
        shape.nullable = nullable;
        match shape.wire {
            Type::Array => {
                shape.places = self.places(schema);
                let items = schema.get("items").filter(|items| items.is_object());
                shape.items = items.map(|items| Box::new(self.shape(items)));
                let least = schema.get("minItems").and_then(Json::as_u64).unwrap_or_default();
                shape.least_items = usize::try_from(least).unwrap_or(usize::MAX);
            }
            Type::Struct => {
                shape.members = self.members(schema);
                let others = schema.get("additionalProperties").filter(|others| others.is_object());
                shape.items = others.map(|others| Box::new(self.shape(others)));
            }
            _ => shape.values = values(schema),
        }
        shape
    }

    fn places(&mut self, schema: &'a Map<String, Json>) -> Vec<Shape> {
        let places = schema.get("prefixItems").and_then(Json::as_array);
        places.into_iter().flatten().map(|place| self.shape(place)).collect()
    }

    fn members(&mut self, schema: &'a Map<String, Json>) -> Arc<[Named]> {
        let required = schema.get("required").and_then(Json::as_array);
        let properties = schema.get("properties").and_then(Json::as_object);
        properties
            .into_iter()
            .flatten()
            .map(|(name, schema)| {
                let mut shape = self.shape(schema);
                Named {
                    name: name.clone(),
                    help: std::mem::take(&mut shape.help),
                    optional: !required.is_some_and(|required| required.iter().any(|entry| entry == name)),
                    shape,
                }
            })
            .collect()
    }
}

fn alternatives(schema: &Map<String, Json>) -> Option<&Vec<Json>> {
    ["anyOf", "oneOf"].iter().find_map(|keyword| schema.get(*keyword)).and_then(Json::as_array)
}

/// The one `type` besides null, and whether null is another.
fn json_type(schema: &Map<String, Json>) -> (&str, bool) {
    match schema.get("type") {
        Some(Json::String(name)) => (name, false),
        Some(Json::Array(names)) => {
            let mut others = names.iter().filter_map(Json::as_str).filter(|name| *name != "null");
            let nullable = names.iter().any(|name| name == "null");
            match (others.next(), others.next()) {
                (Some(name), None) => (name, nullable),
                _ => ("", nullable),
            }
        }
        // what refers back to a schema around it is a struct: only those can hold themselves
        _ if schema.contains_key("$ref") || schema.contains_key("properties") => ("object", false),
        _ if schema.contains_key("const") || schema.contains_key("enum") => ("string", false),
        _ => ("", false),
    }
}

fn wire_type(name: &str, schema: &Map<String, Json>) -> Type {
    let format = schema.get("format").and_then(Json::as_str);
    match (name, format) {
        ("integer", Some("int64" | "uint32" | "uint64" | "int" | "uint" | "int128" | "uint128")) => Type::I8,
        ("integer", _) => Type::Int,
        ("number", _) => Type::Double,
        ("boolean", _) => Type::Boolean,
        ("string", Some("dateTime.iso8601")) => Type::DateTime,
        ("string", _) if schema.contains_key("contentEncoding") => Type::Base64,
        ("string", _) => Type::String,
        ("array", _) => Type::Array,
        ("object", _) => Type::Struct,
        ("null", _) => Type::Nil,
        _ => Type::Undefined,
    }
}

fn values(schema: &Map<String, Json>) -> Vec<String> {
    let listed = schema.get("enum").and_then(Json::as_array).into_iter().flatten();
    listed.chain(schema.get("const")).filter(|value| !value.is_null()).map(as_text).collect()
}

fn constraints(schema: &Map<String, Json>) -> Vec<Constraint> {
    let written = |keyword: &str| schema.get(keyword).map(as_text);
    let constraints = [
        written("minimum").map(Constraint::Minimum),
        written("maximum").map(Constraint::Maximum),
        written("maxLength").map(Constraint::MaxLength),
        written("pattern").map(Constraint::Pattern),
        // in quotes, or an empty one would not be seen
        schema.get("default").map(|value| Constraint::Default(value.to_string())),
    ];
    constraints.into_iter().flatten().collect()
}

/// A value as people write it.
fn as_text(value: &Json) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
}
