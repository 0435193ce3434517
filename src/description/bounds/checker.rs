//! The bounds in the schema of a Rust type, for its values and all that is inside them.
//!
//! Most types have none, and finding that out costs once in a process.

use std::any::TypeId;
use std::collections::BTreeMap;
use std::sync::{PoisonError, RwLock};

use regex_lite::Regex;
use schemars::JsonSchema;
use serde_json::{Map, Value as Json};

use super::{Bound, Bounds, Number};
use crate::description::generator;
use crate::wire::value::{Base64, DateTime, Value, excerpt};

/// The bounds of a type: of its values, and of all that is inside them.
#[derive(Debug)]
pub(crate) struct Checker {
    /// The type itself first. Types may contain themselves.
    nodes: Vec<SchemaNode>,
}

/// The bounds of a value somewhere inside.
#[derive(Debug, Default)]
struct SchemaNode {
    bounds: Bounds,
    /// The names of its types in JSON Schema; empty for any type.
    types: Vec<String>,
    members: Vec<(String, usize)>,
    required: Vec<String>,
    /// Of a map.
    values: Option<usize>,
    items: Option<usize>,
    /// Of a tuple.
    places: Vec<usize>,
    /// The nodes that all apply to it.
    all: Vec<usize>,
    /// The nodes of which one has to apply.
    any: Vec<usize>,
    /// The constants that it may be, as the tag of an enum with data; the type itself checks that.
    constants: Vec<Json>,
    /// The range of its integer type.
    natural: [Option<Number>; 2],
}

/// The checkers of types, as far as they were requested, by the types.
static CHECKERS: RwLock<BTreeMap<TypeId, Option<&'static Checker>>> = RwLock::new(BTreeMap::new());

/// Returns the checker of a type, if its values have bounds.
pub(crate) fn checker_of<T: JsonSchema + 'static>() -> Option<&'static Checker> {
    let id = TypeId::of::<T>();
    if let Some(known) = CHECKERS.read().unwrap_or_else(PoisonError::into_inner).get(&id) {
        return *known;
    }
    let checker = new::<T>();
    *CHECKERS.write().unwrap_or_else(PoisonError::into_inner).entry(id).or_insert(checker)
}

#[cold]
fn new<T: JsonSchema>() -> Option<&'static Checker> {
    let mut generator = generator();
    let schema = generator.subschema_for::<T>();
    let definitions = generator.take_definitions(false);
    if !may_ask(schema.as_value()) && !definitions.values().any(may_ask) {
        return None;
    }
    let checker = Checker::of_schema(schema.as_value(), &definitions)?;
    // there are at most as many as types
    Some(Box::leak(Box::new(checker)))
}

/// Tests if there may be a bound anywhere in a schema. Nearly all have none and are read no further, which a process of
/// one call notices.
fn may_ask(schema: &Json) -> bool {
    let is_bound = |(keyword, value): (&String, &Json), schema: &Map<String, Json>| match &keyword[..] {
        "minimum" | "maximum" => number(value).is_some_and(|number| !natural_range(schema).contains(&Some(number))),
        "minLength" | "maxLength" | "minItems" | "maxItems" | "pattern" | "exclusiveMinimum" | "exclusiveMaximum"
        | "enum" => true,
        "description" | "type" | "format" | "required" | "default" | "examples" | "title" => false,
        _ => may_ask(value),
    };
    match schema {
        Json::Object(members) => members.iter().any(|member| is_bound(member, members)),
        Json::Array(items) => items.iter().any(may_ask),
        _ => false,
    }
}

/// Tests if a type is one of those that never have bounds. The compiler knows the answer.
#[inline]
pub(crate) fn is_plain<T: 'static>() -> bool {
    macro_rules! is_one_of {
        ($($plain:ty),*) => {
            $(TypeId::of::<T>() == TypeId::of::<$plain>()
                || TypeId::of::<T>() == TypeId::of::<Option<$plain>>()
                || TypeId::of::<T>() == TypeId::of::<Vec<$plain>>()
                || TypeId::of::<T>() == TypeId::of::<Option<Vec<$plain>>>())||*
        };
    }
    is_one_of!(
        (),
        bool,
        char,
        i8,
        i16,
        i32,
        i64,
        isize,
        u8,
        u16,
        u32,
        u64,
        usize,
        f32,
        f64,
        String,
        Value,
        DateTime,
        Base64,
        Json
    )
}

impl Checker {
    /// Reads the bounds of a schema; `None` if there are none.
    fn of_schema(schema: &Json, definitions: &Map<String, Json>) -> Option<Checker> {
        let mut reader = CheckerBuilder { definitions, known: BTreeMap::new(), nodes: Vec::new() };
        reader.node(schema, false);
        let asks = reader.nodes.iter().any(|node| !node.bounds.are_none());
        asks.then_some(Checker { nodes: reader.nodes })
    }

    /// Checks a value.
    ///
    /// # Errors
    /// The place inside it, and what was expected and found there.
    pub(crate) fn check(&self, value: &Value) -> Result<(), (String, String)> {
        self.check_node(0, value)
    }

    fn check_node(&self, node: usize, value: &Value) -> Result<(), (String, String)> {
        let node = &self.nodes[node];
        if let Some(refusal) = node.bounds.refusal(value) {
            return Err((String::new(), refusal));
        }
        let inside = |step: String, node: Option<usize>, value: &Value| match node {
            Some(node) => self.check_node(node, value).map_err(|(place, refusal)| (step + &place, refusal)),
            None => Ok(()),
        };
        match value {
            Value::Array(items) => {
                for (index, item) in items.iter().enumerate() {
                    inside(format!("[{index}]"), node.places.get(index).copied().or(node.items), item)?;
                }
            }
            Value::Struct(members) => {
                for (name, member) in members {
                    let known = node.members.iter().find(|(known, _)| known == name).map(|(_, node)| *node);
                    inside(format!(".{}", excerpt(name)), known.or(node.values), member)?;
                }
            }
            _ => {}
        }
        node.all.iter().try_for_each(|node| self.check_node(*node, value))?;
        self.check_any(&node.any, value)
    }

    /// Checks a value by the first node that has its form, which is the one that serde reads. If none has, the type
    /// itself refuses the value; but serde reads an array as a struct there, whose members could not be checked.
    fn check_any(&self, any: &[usize], value: &Value) -> Result<(), (String, String)> {
        match any.iter().find(|node| self.fits(**node, value)) {
            Some(node) => self.check_node(*node, value),
            None if !any.is_empty() && matches!(value, Value::Array(_)) => {
                Err((String::new(), "expected struct, found array".to_owned()))
            }
            None => Ok(()),
        }
    }

    /// Tests if a value has the form of a node, whatever its bounds.
    fn fits(&self, node: usize, value: &Value) -> bool {
        let node = &self.nodes[node];
        let is = |name: &String| match &name[..] {
            "integer" => matches!(value, Value::Int(_)),
            "number" => matches!(value, Value::Int(_) | Value::Double(_)),
            "string" => matches!(value, Value::String(_) | Value::DateTime(_) | Value::Base64(_)),
            "boolean" => matches!(value, Value::Boolean(_)),
            "array" => matches!(value, Value::Array(_)),
            "object" => matches!(value, Value::Struct(_)),
            _ => *value == Value::Nil,
        };
        let is_constant = |constant: &Json| scalar(constant).as_ref() == Some(value);
        let has_members = |members: &crate::wire::value::Members| {
            let has = |name: &String| members.iter().any(|(known, _)| known == name);
            let fits = |(name, node): &(String, usize)| {
                members.iter().filter(|(known, _)| *known == name).all(|(_, member)| self.fits_scalar(*node, member))
            };
            node.required.iter().all(has) && node.members.iter().all(fits)
        };
        let [least, most] = node.natural;
        let is_beyond = Number::of(value).is_some_and(|number| {
            least.is_some_and(|least| number.is_below(least)) || most.is_some_and(|most| most.is_below(number))
        });
        !is_beyond
            && (node.types.is_empty() || node.types.iter().any(is))
            && (node.constants.is_empty() || node.constants.iter().any(is_constant))
            && !matches!(value, Value::Struct(members) if !has_members(members))
            && node.all.iter().all(|node| self.fits(*node, value))
    }

    /// Tests the same for a member that is a scalar: the contents of arrays and structs do not tell variants apart.
    fn fits_scalar(&self, node: usize, value: &Value) -> bool {
        matches!(value, Value::Array(_) | Value::Struct(_)) || self.fits(node, value)
    }
}

/// A reader of a schema and those that it refers to, each once.
struct CheckerBuilder<'a> {
    definitions: &'a Map<String, Json>,
    known: BTreeMap<&'a str, usize>,
    nodes: Vec<SchemaNode>,
}

impl<'a> CheckerBuilder<'a> {
    /// Makes the node of a schema; `is_type` is set for the definition of a type, which checks its own choices.
    fn node(&mut self, schema: &'a Json, is_type: bool) -> usize {
        let at = self.nodes.len();
        self.nodes.push(SchemaNode::default());
        if let Some(schema) = schema.as_object() {
            let node = self.read(schema, is_type);
            self.nodes[at] = node;
        }
        at
    }

    fn read(&mut self, schema: &'a Map<String, Json>, is_type: bool) -> SchemaNode {
        let list = |keyword: &str| schema.get(keyword).and_then(Json::as_array).into_iter().flatten();
        let texts = |keyword: &str| list(keyword).filter_map(Json::as_str).map(str::to_owned).collect::<Vec<_>>();
        let mut node =
            SchemaNode { bounds: bounds(schema, is_type), required: texts("required"), ..SchemaNode::default() };
        node.types = match schema.get("type") {
            Some(Json::String(name)) => vec![name.clone()],
            _ => texts("type"),
        };
        node.natural = natural_range(schema);
        node.constants = list("enum").chain(schema.get("const")).cloned().collect();
        node.all.extend(schema.get("$ref").and_then(Json::as_str).and_then(|name| self.definition(name)));
        for (name, member) in schema.get("properties").and_then(Json::as_object).into_iter().flatten() {
            let member = self.node(member, false);
            node.members.push((name.clone(), member));
        }
        // names that are numbers have a pattern
        let by_pattern =
            schema.get("patternProperties").and_then(Json::as_object).and_then(|values| values.values().next());
        let others = ["additionalProperties", "unevaluatedProperties"].iter().find_map(|keyword| schema.get(*keyword));
        let values = by_pattern.or(others.filter(|values| values.is_object()));
        node.values = values.map(|values| self.node(values, false));
        node.items = schema.get("items").filter(|items| items.is_object()).map(|items| self.node(items, false));
        node.places = list("prefixItems").map(|place| self.node(place, false)).collect();
        node.all.extend(list("allOf").map(|schema| self.node(schema, is_type)).collect::<Vec<_>>());
        for keyword in ["anyOf", "oneOf"] {
            node.any.extend(list(keyword).map(|schema| self.node(schema, true)).collect::<Vec<_>>());
        }
        node
    }

    fn definition(&mut self, reference: &'a str) -> Option<usize> {
        let name = reference.strip_prefix("#/$defs/")?;
        if let Some(known) = self.known.get(name) {
            return Some(*known);
        }
        let schema = self.definitions.get(name)?;
        // before it is read: it may contain itself
        self.known.insert(name, self.nodes.len());
        Some(self.node(schema, true))
    }
}

/// Returns the bounds of a value itself.
fn bounds(schema: &Map<String, Json>, is_type: bool) -> Bounds {
    let count =
        |keyword: &str| schema.get(keyword).and_then(Json::as_u64).and_then(|count| usize::try_from(count).ok());
    let number = |keyword: &str| schema.get(keyword).and_then(number);
    let exclusive = |number| Bound { number, is_exclusive: true };
    let is_natural = |bound: &Number| natural_range(schema).contains(&Some(*bound));
    let inclusive = |keyword: &str| number(keyword).filter(|number| !is_natural(number)).map(Bound::from);
    let listed = schema.get("enum").and_then(Json::as_array).filter(|_| !is_type);
    let mut choices: Vec<Value> = listed.into_iter().flatten().filter_map(scalar).collect();
    let is_nullable = schema.get("type").and_then(Json::as_array).is_some_and(|types| types.contains(&"null".into()));
    if is_nullable && !choices.is_empty() && !choices.contains(&Value::Nil) {
        choices.push(Value::Nil);
    }
    Bounds {
        choices,
        pattern: schema.get("pattern").and_then(Json::as_str).and_then(pattern),
        minimum: inclusive("minimum").or_else(|| number("exclusiveMinimum").map(exclusive)),
        maximum: inclusive("maximum").or_else(|| number("exclusiveMaximum").map(exclusive)),
        min_length: count("minLength"),
        max_length: count("maxLength"),
        // a tuple checks its length itself
        min_items: count("minItems").filter(|_| !schema.contains_key("prefixItems")),
        max_items: count("maxItems").filter(|_| !schema.contains_key("prefixItems")),
    }
}

fn pattern(pattern: &str) -> Option<Regex> {
    let read = Regex::new(pattern);
    if let Err(error) = &read {
        log::warn!("the pattern {} of a type is documented, but cannot be checked: {error}", excerpt(pattern));
    }
    read.ok()
}

/// Returns the range that an integer type checks itself, and that schemas repeat.
fn natural_range(schema: &Map<String, Json>) -> [Option<Number>; 2] {
    let range = |least: i64, most: i64| [Some(Number::Int(least)), Some(Number::Int(most))];
    match schema.get("format").and_then(Json::as_str) {
        Some("uint8") => range(0, u8::MAX.into()),
        Some("uint16") => range(0, u16::MAX.into()),
        Some("int8") => range(i8::MIN.into(), i8::MAX.into()),
        Some("int16") => range(i16::MIN.into(), i16::MAX.into()),
        Some(format) if format.starts_with("uint") => [Some(Number::Int(0)), None],
        _ => [None, None],
    }
}

fn number(number: &Json) -> Option<Number> {
    number.as_i64().map(Number::Int).or_else(|| number.as_f64().map(Number::Double))
}

/// Converts a scalar of a schema to a value.
fn scalar(value: &Json) -> Option<Value> {
    match value {
        Json::Bool(value) => Some(Value::Boolean(*value)),
        Json::String(text) => Some(Value::String(text.clone())),
        Json::Number(_) => Some(match number(value)? {
            Number::Int(value) => Value::Int(value),
            Number::Double(value) => Value::Double(value),
        }),
        Json::Null => Some(Value::Nil),
        Json::Array(_) | Json::Object(_) => None,
    }
}
