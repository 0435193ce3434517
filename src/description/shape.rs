//! Shapes: what a JSON Schema says of a value, for people.

use std::borrow::Cow;
use std::cell::RefCell;
use std::collections::BTreeMap;
use std::sync::Arc;

use schemars::{Schema, SchemaGenerator};
use serde_json::{Map, Value as Json};

use crate::wire::Type;

/// A value that has a name: a param, or a member of a struct.
#[derive(Clone, Debug)]
pub(crate) struct Named {
    pub(crate) name: String,
    /// Markdown.
    pub(crate) help: String,
    /// Set if it may be left out; a param, together with all after it.
    pub(crate) optional: bool,
    pub(crate) shape: Shape,
}

/// The shape of a value and of its inside.
#[derive(Clone, Debug)]
pub(crate) struct Shape {
    pub(crate) wire: Type,
    /// The name of the type where it is defined, if it is.
    pub(crate) name: Option<String>,
    /// Set if it may also be nil.
    pub(crate) nullable: bool,
    /// Markdown.
    pub(crate) help: String,
    /// The shape of an array's items, or of a struct's members if they may have any names.
    pub(crate) items: Option<Box<Shape>>,
    /// The shapes of an array's items, if each has a place of its own.
    pub(crate) places: Vec<Shape>,
    /// The least number of an array's items.
    pub(crate) least_items: usize,
    /// The members of a struct.
    pub(crate) members: Arc<[Named]>,
    /// The values it may have, if they are listed.
    pub(crate) values: Vec<String>,
    /// The constraints on it, beside its type.
    pub(crate) constraints: Vec<Constraint>,
    /// The format of a string (JSON Schema), as `date`.
    pub(crate) format: Option<String>,
    /// The value that is given as an example, or else its default.
    pub(crate) example: Option<Json>,
    /// The alternatives, if it is one of several.
    pub(crate) alternatives: Vec<Shape>,
    /// Set if its inside is left out, because it contains itself.
    pub(crate) is_cut: bool,
}

/// A constraint on a value, beside its type.
#[derive(Clone, Debug)]
pub(crate) enum Constraint {
    Minimum(String),
    Maximum(String),
    /// In characters.
    MaxLength(String),
    Pattern(String),
    /// The value if it is left out, which is not a constraint.
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

    /// Returns the shape of any value of a type.
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
            format: None,
            example: None,
            alternatives: Vec::new(),
            is_cut: false,
        }
    }

    /// Adds members to a struct shape; any other shape is unchanged.
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
    /// The shapes that were read before: many methods have the same types.
    shapes: RefCell<BTreeMap<String, Shape>>,
}

impl Definitions {
    /// Takes the definitions that a [`generator`] has made so far.
    pub(crate) fn of(mut generator: SchemaGenerator) -> Definitions {
        Definitions { schemas: generator.take_definitions(true), shapes: RefCell::default() }
    }

    /// Reads the shape of a type's values from its JSON Schema.
    pub(super) fn shape(&self, schema: &Schema) -> Shape {
        ShapeReader { definitions: self, inside: Vec::new(), left: MAX_DEFINITIONS }.shape(schema.as_value())
    }

    /// Returns the schema that a schema refers to, and its name, if there is one.
    fn find<'a>(&'a self, schema: &'a Map<String, Json>) -> Option<(&'a str, &'a Json)> {
        let name = schema.get("$ref")?.as_str()?.strip_prefix("#/$defs/")?;
        Some((name, self.schemas.get(name)?))
    }
}

/// The most definitions read for one value: types that all refer to one another would fill any page.
const MAX_DEFINITIONS: usize = 200;

/// Joins alternatives into their common shape: nil makes it nullable, members and listed values are those of all, and
/// different types make it undefined.
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

/// Joins the members of several structs; those that not every struct requires are optional.
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
struct ShapeReader<'a> {
    definitions: &'a Definitions,
    /// The names of the definitions around the current place: one that refers to itself is read only once.
    inside: Vec<&'a str>,
    /// The number of definitions that may still be read.
    left: usize,
}

impl<'a> ShapeReader<'a> {
    fn shape(&mut self, schema: &'a Json) -> Shape {
        schema.as_object().map_or_else(|| Shape::of(Type::Undefined), |schema| self.object(schema))
    }

    fn object(&mut self, schema: &'a Map<String, Json>) -> Shape {
        let mut shape = match (self.definitions.find(schema), alternatives(schema)) {
            (Some((name, schema)), _) => self.definition(name, schema),
            (None, Some(alternatives)) => {
                // members beside the alternatives belong to each of them
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
        // a shape that was read inside another may have been cut where that one begins anew
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
            _ => {
                shape.values = values(schema);
                shape.format = schema.get("format").and_then(Json::as_str).map(str::to_owned);
            }
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

/// Returns the one `type` besides null, and whether null is another.
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
        // a reference back to a surrounding schema is a struct: only those can hold themselves
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
        ("string", Some(format)) if format == Type::DateTime.name() => Type::DateTime,
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
        // in quotes, or an empty string would not be seen
        schema.get("default").map(|value| Constraint::Default(value.to_string())),
    ];
    constraints.into_iter().flatten().collect()
}

/// Writes a value for readers, a string without quotes.
fn as_text(value: &Json) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn shape(schema: Json) -> Shape {
        let defined = json!({
            "Ball": { "type": "object", "properties": { "size": { "type": "integer" } }, "required": ["size"] },
            "Tree": { "type": "object", "properties": {
                "left": { "anyOf": [{ "$ref": "#/$defs/Tree" }, { "type": "null" }] },
            } },
        });
        let schemas = defined.as_object().cloned().unwrap();
        let definitions = Definitions { schemas, shapes: RefCell::default() };
        definitions.shape(&schema.try_into().unwrap())
    }

    fn type_name(schema: Json) -> String {
        let shape = shape(schema);
        format!("{}{}", shape.type_name(), if shape.nullable { " or nil" } else { "" })
    }

    #[test]
    fn wire_types_roundtrip() {
        for wire in [
            Type::Int,
            Type::I8,
            Type::Boolean,
            Type::String,
            Type::Double,
            Type::DateTime,
            Type::Base64,
            Type::Struct,
            Type::Array,
            Type::Nil,
            Type::Undefined,
        ] {
            assert_eq!(shape(wire.schema().to_value()).wire, wire);
        }
    }

    /// Keywords of JSON Schema 2020-12.
    #[test]
    fn schemas_spec() {
        for (schema, expected) in [
            (json!({ "type": "integer", "format": "uint32" }), "i8"),
            (json!({ "type": "integer", "format": "uint8" }), "int"),
            (json!({ "type": ["string", "null"] }), "string or nil"),
            (json!({ "type": ["string", "integer"] }), "any"),
            (json!({ "type": "array", "items": { "type": "boolean" } }), "array of boolean"),
            (json!({ "type": "array", "items": true }), "array"),
            (json!({ "type": "array", "items": { "$ref": "#/$defs/Ball" } }), "array of Ball"),
            (json!({ "type": "array", "prefixItems": [{ "type": "integer" }, true] }), "array of (int, any)"),
            (json!({ "type": "object", "additionalProperties": { "type": "number" } }), "struct of double"),
            (json!({ "$ref": "#/$defs/Ball" }), "Ball"),
            (json!({ "anyOf": [{ "$ref": "#/$defs/Ball" }, { "type": "null" }] }), "Ball or nil"),
            (json!({ "oneOf": [{ "type": "integer" }, { "type": "string" }] }), "any"),
            (json!({ "enum": ["a", "b"] }), "string"),
        ] {
            assert_eq!(type_name(schema.clone()), expected, "{schema}");
        }
        let listed = shape(json!({ "oneOf": [{ "const": "a" }, { "enum": ["b", "c"] }], "default": "b" }));
        assert_eq!((listed.wire, &listed.values[..]), (Type::String, &["a", "b", "c"].map(str::to_owned)[..]));
        assert_eq!(listed.example, Some(json!("b")));
        let bounded = shape(json!({ "type": "integer", "minimum": 1, "maximum": 9, "default": 2, "examples": [7] }));
        assert_eq!(format!("{:?}", bounded.constraints), r#"[Minimum("1"), Maximum("9"), Default("2")]"#);
        assert_eq!(bounded.example, Some(json!(7)));
    }

    #[test]
    fn examples_of_types_spec() {
        use schemars::JsonSchema;

        #[derive(JsonSchema)]
        #[schemars(example = 7)]
        #[allow(dead_code, reason = "only its schema is read")]
        struct Size(i32);
        #[derive(JsonSchema)]
        #[allow(dead_code, reason = "only its schema is read")]
        struct Guest {
            #[schemars(example = &"Ann", example = &"Bob")]
            name: String,
            size: Size,
        }
        let mut generator = crate::description::generator();
        let guest = generator.subschema_for::<Guest>();
        let shape = Definitions::of(generator).shape(&guest);
        let examples: Vec<_> = shape.members.iter().map(|member| member.shape.example.clone()).collect();
        assert_eq!(examples, [Some(json!("Ann")), Some(json!(7))]);
    }

    #[test]
    fn members_spec() {
        let ball = shape(json!({ "$ref": "#/$defs/Ball", "description": "round" }));
        assert_eq!((&ball.help[..], ball.members.len(), ball.members[0].optional), ("round", 1, false));
        let property =
            |name: &str| json!({ "properties": { "kind": { "const": name }, name: true }, "required": ["kind"] });
        let joined = shape(json!({ "oneOf": [property("a"), property("b")] }));
        let members: Vec<(&str, bool)> = joined.members.iter().map(|named| (&named.name[..], named.optional)).collect();
        assert_eq!(members, [("kind", false), ("a", true), ("b", true)]);
        assert_eq!(joined.members[0].shape.values, ["a", "b"]);
        let tree = shape(json!({ "$ref": "#/$defs/Tree" }));
        let left = &tree.members[0].shape;
        assert_eq!((left.type_name(), left.nullable, left.is_cut, tree.is_cut), ("Tree".into(), true, true, false));
    }

    #[test]
    fn schemas_invalid() {
        for schema in [
            json!(true),
            json!({}),
            json!({ "type": "colour" }),
            json!({ "type": 1 }),
            json!({ "type": [] }),
            json!({ "anyOf": 1 }),
        ] {
            let shape = shape(schema.clone());
            assert_eq!((shape.wire, shape.name, shape.members.len()), (Type::Undefined, None, 0), "{schema}");
        }
        let lost = shape(json!({ "$ref": "#/$defs/Nowhere" }));
        assert_eq!((lost.wire, lost.name), (Type::Struct, None));
    }
}
