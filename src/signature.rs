//! What a method takes and gives, described: for `system.methodSignature`, `system.methodHelp` and the page.
//!
//! Everything here is derived from the JSON Schema of the Rust types, and built only when somebody asks.

use std::fmt;

use schemars::{Schema, json_schema};
use serde_json::{Map, Value as Json};

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

    /// One signature for each number of params there may be.
    fn signatures(&self) -> impl Iterator<Item = Signature> {
        let wire = |schema| Shape::from_schema(schema).wire;
        let returns = wire(&self.returns);
        let types: Vec<Type> = self.params.iter().map(|param| wire(&param.schema)).collect();
        (self.least()..=types.len()).map(move |count| Signature::new(returns, &types[..count]))
    }

    fn detail(&self) -> Detail {
        let param = |param: &ParamSchema| Param {
            name: param.name.clone(),
            help: param.help.clone(),
            optional: param.optional,
            shape: Shape::from_schema(&param.schema),
        };
        Detail { params: self.params.iter().map(param).collect(), returns: Shape::from_schema(&self.returns) }
    }
}

impl Outline {
    /// The first paragraph of the help, on one line.
    pub(crate) fn title(&self) -> String {
        title(&self.help)
    }

    /// The same for people. The schemas must be inline.
    pub(crate) fn into_description(self, name: impl Into<String>) -> Description {
        let details = match self.in_detail {
            true => self.functions.iter().map(FunctionSchemas::detail).collect(),
            false => Vec::new(),
        };
        let signatures = signatures(&self.functions);
        let Outline { help, faults, deprecated, .. } = self;
        Description { name: name.into(), help, signatures, details, faults, deprecated }
    }
}

/// The signatures of functions: one for each number of params that each may have.
pub(crate) fn signatures(functions: &[FunctionSchemas]) -> Vec<Signature> {
    let mut signatures: Vec<Signature> = functions.iter().flat_map(FunctionSchemas::signatures).collect();
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
    pub(crate) params: Vec<Param>,
    pub(crate) returns: Shape,
}

/// A param, described.
#[derive(Clone, Debug)]
pub(crate) struct Param {
    pub(crate) name: String,
    /// Markdown.
    pub(crate) help: String,
    /// May be left out, if all after it are.
    pub(crate) optional: bool,
    pub(crate) shape: Shape,
}

/// What a value looks like inside.
#[derive(Clone, Debug)]
pub(crate) struct Shape {
    pub(crate) wire: Type,
    /// May also be nil.
    pub(crate) nullable: bool,
    /// Markdown.
    pub(crate) help: String,
    /// Of an array: what its items look like, if they are all alike.
    pub(crate) items: Option<Box<Shape>>,
    /// Of a struct: its members.
    pub(crate) members: Vec<Member>,
    /// The values it may have, if they are listed.
    pub(crate) values: Vec<String>,
    /// What else is asked of it, beside its type.
    pub(crate) constraints: Vec<Constraint>,
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

/// A member of a struct, described.
#[derive(Clone, Debug)]
pub(crate) struct Member {
    pub(crate) name: String,
    /// Markdown.
    pub(crate) help: String,
    /// May be left out.
    pub(crate) optional: bool,
    pub(crate) shape: Shape,
}

impl Shape {
    fn of(wire: Type) -> Shape {
        let (members, values, constraints) = (Vec::new(), Vec::new(), Vec::new());
        Shape { wire, nullable: false, help: String::new(), items: None, members, values, constraints }
    }

    /// Derives the shape from a type's JSON Schema, whose subschemas are inline but for recursive ones.
    pub(crate) fn from_schema(schema: &Schema) -> Shape {
        match schema.as_object() {
            Some(schema) => Shape::from_object(schema),
            None => Shape::of(Type::Undefined),
        }
    }

    fn from_json(schema: &Json) -> Shape {
        schema.as_object().map_or_else(|| Shape::of(Type::Undefined), Shape::from_object)
    }

    fn from_object(schema: &Map<String, Json>) -> Shape {
        let mut shape = match alternatives(schema) {
            Some(alternatives) => Shape::from_alternatives(alternatives),
            None => Shape::from_type(schema),
        };
        if let Some(Json::String(help)) = schema.get("description") {
            shape.help = help.clone();
        }
        shape.constraints = constraints(schema);
        shape
    }

    /// The common shape of `anyOf` or `oneOf`: nil makes it nullable, listed strings are collected, and where the rest
    /// differ there is no telling.
    fn from_alternatives(alternatives: &[Json]) -> Shape {
        let mut shapes: Vec<Shape> = alternatives.iter().map(Shape::from_json).collect();
        let all = shapes.len();
        shapes.retain(|shape| shape.wire != Type::Nil);
        let nullable = shapes.len() < all;
        let mut shapes = shapes.into_iter();
        let Some(mut common) = shapes.next() else {
            return Shape::of(Type::Nil);
        };
        for shape in shapes {
            if shape.wire != common.wire {
                common = Shape::of(Type::Undefined);
                break;
            }
            common.values.extend(shape.values);
            common.members.extend(shape.members.into_iter().map(|member| Member { optional: true, ..member }));
        }
        if all > 1 + usize::from(nullable) {
            common.help.clear();
            for member in &mut common.members {
                member.optional = true;
            }
        }
        common.nullable |= nullable;
        common
    }

    fn from_type(schema: &Map<String, Json>) -> Shape {
        let (name, nullable) = type_name(schema);
        let mut shape = Shape::of(wire_type(name, schema));
        shape.nullable = nullable;
        match shape.wire {
            Type::Array => shape.items = items(schema).map(Box::new),
            Type::Struct => shape.members = members(schema),
            _ => shape.values = values(schema),
        }
        shape
    }
}

fn alternatives(schema: &Map<String, Json>) -> Option<&Vec<Json>> {
    ["anyOf", "oneOf"].iter().find_map(|keyword| schema.get(*keyword)).and_then(Json::as_array)
}

/// The one `type` besides null, and whether null is another.
fn type_name(schema: &Map<String, Json>) -> (&str, bool) {
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

fn items(schema: &Map<String, Json>) -> Option<Shape> {
    if let Some(items @ Json::Object(_)) = schema.get("items") {
        return Some(Shape::from_json(items));
    }
    // a tuple: described if all of its places look alike
    let places: Vec<Shape> = schema.get("prefixItems")?.as_array()?.iter().map(Shape::from_json).collect();
    let alike = places.windows(2).all(|pair| pair[0].wire == pair[1].wire);
    places.into_iter().next().filter(|_| alike)
}

fn members(schema: &Map<String, Json>) -> Vec<Member> {
    let required = schema.get("required").and_then(Json::as_array);
    let properties = schema.get("properties").and_then(Json::as_object);
    properties
        .into_iter()
        .flatten()
        .map(|(name, schema)| {
            let mut shape = Shape::from_json(schema);
            Member {
                name: name.clone(),
                help: std::mem::take(&mut shape.help),
                optional: !required.is_some_and(|required| required.iter().any(|entry| entry == name)),
                shape,
            }
        })
        .collect()
}

fn values(schema: &Map<String, Json>) -> Vec<String> {
    let listed = schema.get("enum").and_then(Json::as_array).into_iter().flatten();
    listed.chain(schema.get("const")).map(as_text).collect()
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
