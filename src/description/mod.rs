//! The description of a method's params and result: for `system.methodSignature`, `system.methodHelp` and the page.
//!
//! Everything here is derived from the JSON Schema of the Rust types, and built only on request.

pub(crate) mod bounds;
mod dialect;
pub(crate) mod openrpc;
mod shape;
mod signature;

use schemars::generate::SchemaSettings;
use schemars::{Schema, SchemaGenerator};

pub(crate) use self::dialect::{Dialect, Written};
pub(crate) use self::shape::{Constraint, Definitions, Named, Shape};
pub use self::signature::Signature;
use crate::wire::Type;
use crate::wire::value::Value;

/// Returns a generator of schemas for a [`Description`]: named types stand once, as its definitions.
pub(crate) fn generator() -> SchemaGenerator {
    SchemaSettings::draft2020_12().into_generator()
}

/// The description of a method, with the schemas as a generator makes them.
#[derive(Clone, Debug)]
pub(crate) struct Outline {
    /// Markdown; the first paragraph is the title.
    pub(crate) help: String,
    /// The ways to call it, one for each function behind it or signature declared for it; empty if unknown.
    pub(crate) functions: Vec<FunctionSchemas>,
    /// Set if more is known of its params than their types.
    pub(crate) in_detail: bool,
    /// Codes of faults it may answer, and when it does, in Markdown.
    pub(crate) faults: Vec<(i32, String)>,
    /// The reason not to call it any more, in Markdown; maybe empty.
    pub(crate) deprecated: Option<String>,
    /// The version of the service that introduced it.
    pub(crate) since: Option<String>,
    /// Set if a call changes something that users may want to keep.
    pub(crate) is_unsafe: bool,
    /// Calls that make sense; maybe none.
    pub(crate) examples: Vec<Example>,
}

/// A call that makes sense, as documentation shows it.
#[doc(hidden)]
#[derive(Clone, Debug, PartialEq)]
pub struct Example {
    pub params: Vec<Value>,
    /// The result, where it is known.
    pub result: Option<Value>,
}

impl Example {
    /// Makes an example of what a macro has written; `None` if one of its values cannot be sent.
    pub fn written<const N: usize>(params: [Option<Value>; N], result: Option<Option<Value>>) -> Option<Example> {
        let params = params.into_iter().collect::<Option<Vec<Value>>>()?;
        let result = match result {
            Some(result) => Some(result?),
            None => None,
        };
        Some(Example { params, result })
    }
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
    /// Set if it may be left out, together with all after it.
    pub(crate) optional: bool,
    pub(crate) schema: Schema,
}

impl FunctionSchemas {
    /// Returns the number of required params.
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
    /// Returns the first paragraph of the help, on one line.
    pub(crate) fn title(&self) -> String {
        title(&self.help)
    }

    /// Makes a description for readers; the definitions are those of the [`generator`] that made the schemas.
    pub(crate) fn into_description(self, name: impl Into<String>, definitions: &Definitions) -> Description {
        let Outline { help, functions, in_detail, faults, deprecated, since, is_unsafe, examples } = self;
        let mut details = details(&functions, definitions);
        let signatures = signatures(&details);
        if !in_detail {
            details.clear();
        }
        Description { name: name.into(), help, signatures, details, faults, deprecated, since, is_unsafe, examples }
    }
}

/// Describes functions for readers, by the definitions of the generator that made their schemas.
pub(crate) fn details(functions: &[FunctionSchemas], definitions: &Definitions) -> Vec<Detail> {
    functions.iter().map(|function| function.detail(definitions)).collect()
}

/// Describes methods by their outlines and the generator that made their schemas.
pub(crate) fn describe(outlines: Vec<(String, Outline)>, generator: SchemaGenerator) -> Vec<Description> {
    let definitions = Definitions::of(generator);
    outlines.into_iter().map(|(name, outline)| outline.into_description(name, &definitions)).collect()
}

/// Returns the signatures of functions: one for each number of params that each may have.
pub(crate) fn signatures(details: &[Detail]) -> Vec<Signature> {
    let mut signatures: Vec<Signature> = details.iter().flat_map(Detail::signatures).collect();
    signatures.dedup();
    signatures
}

/// Returns the number of required params: the position of the last one that is not optional.
pub(crate) fn least(optional: impl DoubleEndedIterator<Item = bool> + ExactSizeIterator) -> usize {
    let all = optional.len();
    all - optional.rev().take_while(|optional| *optional).count()
}

fn title(help: &str) -> String {
    let paragraph = help.split("\n\n").next().unwrap_or_default();
    paragraph.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// The description of a method.
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
    /// The reason not to call it any more, in Markdown; maybe empty.
    pub(crate) deprecated: Option<String>,
    /// The version of the service that introduced it.
    pub(crate) since: Option<String>,
    /// Set if a call changes something that users may want to keep.
    pub(crate) is_unsafe: bool,
    /// Calls that make sense; maybe none.
    pub(crate) examples: Vec<Example>,
}

impl Description {
    /// Returns the first paragraph of the help, on one line.
    pub(crate) fn title(&self) -> String {
        title(&self.help)
    }

    /// Returns the ways to call it as text: `math.pow(base: int, exponent?: int) → int`
    #[cfg(feature = "program")]
    pub(crate) fn calls(&self) -> Vec<String> {
        if self.details.is_empty() {
            return vec![format!("{}(...)", self.name)];
        }
        self.details.iter().map(|detail| detail.call(&self.name)).collect()
    }
}

/// Params and result with their names, texts and members.
#[derive(Clone, Debug)]
pub(crate) struct Detail {
    pub(crate) params: Vec<Named>,
    pub(crate) returns: Shape,
}

impl Detail {
    #[cfg(feature = "program")]
    fn call(&self, name: &str) -> String {
        let param = |param: &Named| {
            let mark = if param.optional { "?" } else { "" };
            format!("{}{mark}: {}", param.name, param.shape.type_name())
        };
        let params: Vec<String> = self.params.iter().map(param).collect();
        format!("{name}({}) → {}", params.join(", "), self.returns.type_name())
    }

    /// Returns one signature for each possible number of params.
    fn signatures(&self) -> impl Iterator<Item = Signature> {
        let returns = self.returns.wire;
        let types: Vec<Type> = self.params.iter().map(|param| param.shape.wire).collect();
        let least = least(self.params.iter().map(|param| param.optional));
        (least..=types.len()).map(move |count| Signature::new(returns, &types[..count]))
    }
}

#[cfg(test)]
mod tests {
    use schemars::JsonSchema;

    use super::*;

    fn param<T: JsonSchema>(name: &str, optional: bool, generator: &mut SchemaGenerator) -> ParamSchema {
        ParamSchema { name: name.into(), help: String::new(), optional, schema: generator.subschema_for::<T>() }
    }

    fn outline(functions: Vec<FunctionSchemas>, in_detail: bool) -> Outline {
        Outline {
            help: "Spins the\nwheel.\n\nMore.".into(),
            functions,
            in_detail,
            faults: vec![(7, "full".into())],
            deprecated: Some(String::new()),
            since: Some("1.2".into()),
            is_unsafe: true,
            examples: vec![Example { params: vec![1.into()], result: None }],
        }
    }

    #[derive(JsonSchema)]
    #[allow(dead_code, reason = "only its schema is read")]
    struct Ball {
        size: i32,
    }

    /// Describes a function that takes a ball, and may take a text.
    fn spin(in_detail: bool) -> Description {
        let mut generator = generator();
        let params =
            vec![param::<Ball>("ball", false, &mut generator), param::<Option<String>>("note", true, &mut generator)];
        let function = FunctionSchemas { params, returns: generator.subschema_for::<i64>() };
        assert_eq!(function.least(), 1);
        let mut described = describe(vec![("spin".into(), outline(vec![function], in_detail))], generator);
        described.remove(0)
    }

    #[test]
    fn outlines_roundtrip() {
        let described = spin(true);
        let original = outline(Vec::new(), true);
        assert_eq!((&described.name[..], &described.help), ("spin", &original.help));
        assert_eq!((described.faults, described.deprecated), (original.faults, original.deprecated));
        assert_eq!((described.since, described.is_unsafe), (original.since, original.is_unsafe));
        assert_eq!(described.examples, original.examples);
    }

    #[test]
    fn descriptions_spec() {
        let described = spin(true);
        assert_eq!(described.title(), "Spins the wheel.");
        let names: Vec<_> = described.signatures.iter().map(Signature::names).collect();
        assert_eq!(names, [vec!["i8", "struct"], vec!["i8", "struct", "string"]]);
        let [Detail { params, .. }] = &described.details[..] else { panic!("there is one function") };
        let told: Vec<_> = params.iter().map(|param| (&param.name[..], param.optional, param.shape.nullable)).collect();
        assert_eq!(told, [("ball", false, false), ("note", true, true)]);
        assert_eq!((params[0].shape.type_name(), &params[0].shape.members[0].name[..]), ("Ball".into(), "size"));
        let brief = spin(false);
        assert_eq!((brief.details.len(), brief.signatures.len()), (0, 2));
        for (optional, expected) in
            [(&[][..], 0), (&[true], 0), (&[false, true, true], 1), (&[true, false], 2), (&[true, false, true], 2)]
        {
            assert_eq!(least(optional.iter().copied()), expected, "{optional:?}");
        }
    }

    #[test]
    fn unknown_functions_invalid() {
        let described = outline(Vec::new(), true).into_description("x", &Definitions::default());
        assert_eq!((described.signatures.len(), described.details.len()), (0, 0));
        // definitions of another generator do not have the type
        let mut other = generator();
        let function = FunctionSchemas { params: Vec::new(), returns: other.subschema_for::<Ball>() };
        let described = outline(vec![function], true).into_description("x", &Definitions::default());
        let returns = &described.details[0].returns;
        assert_eq!((returns.wire, &returns.name, returns.members.len()), (Type::Struct, &None, 0));
        assert_eq!(title(""), "");
    }
}
