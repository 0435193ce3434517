//! What is known of a module's functions: told by its harness, completed from comments, kept between calls.

use serde::de::{Deserializer, Error};
use serde::{Deserialize, Serialize, Serializer};
use serde_json::Value as Json;

use crate::manifest::data_type::Cast;

/// The description of a module.
#[derive(Clone, Debug, Default, Deserialize, PartialEq, Serialize)]
#[serde(default)]
pub(super) struct ModuleDescription {
    /// In the order of the source.
    pub(super) functions: Vec<FunctionDescription>,
    /// The module, and what it has loaded from its folder.
    pub(super) files: Vec<String>,
    /// The interpreter's version.
    pub(super) version: String,
    /// The codes of the module's own exceptions, by the names of their classes.
    pub(super) codes: std::collections::BTreeMap<String, i32>,
    /// What the author should know.
    pub(super) notes: Vec<String>,
    /// What a script says of its service.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) script: Option<ScriptDescription>,
}

/// What a script says of its service.
#[derive(Clone, Debug, Default, Deserialize, PartialEq, Serialize)]
#[serde(default)]
pub(in crate::manifest) struct ScriptDescription {
    pub(in crate::manifest) title: Option<String>,
    pub(in crate::manifest) name: Option<String>,
    pub(in crate::manifest) documentation: Option<String>,
    /// Set if it may serve names that it does not list.
    pub(in crate::manifest) any: bool,
}

/// The description of a function.
#[derive(Clone, Debug, Default, Deserialize, PartialEq, Serialize)]
#[serde(default)]
pub(super) struct FunctionDescription {
    pub(super) name: String,
    /// The comment as it stands in the source; empty once it has been read.
    pub(super) doc: String,
    /// The line at which it begins, from 1.
    pub(super) line: Option<usize>,
    /// The function's own text; empty once it has been read.
    pub(super) source: String,
    /// Set if an export list of the module names it.
    pub(super) listed: bool,
    /// What it takes; `None` for anything, unchecked.
    pub(super) params: Option<Vec<ParamDescription>>,
    pub(super) returns: Option<TypeDescription>,
    /// The param that takes the context of a call.
    pub(super) context: Option<ContextParam>,
    /// Markdown; the first paragraph is the title.
    pub(super) help: String,
    pub(super) faults: Vec<(i32, String)>,
    /// Set if callers should stop using it, and what to call instead.
    pub(super) deprecated: Option<String>,
    pub(super) since: Option<String>,
    /// Calls in its comment that make sense.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(super) examples: Vec<ExampleDescription>,
    /// What the author should know.
    pub(super) notes: Vec<String>,
}

/// An example of a call, in a comment.
#[derive(Clone, Debug, Default, Deserialize, PartialEq, Serialize)]
#[serde(default)]
pub(super) struct ExampleDescription {
    /// By position, before those by name.
    pub(super) params: Vec<Json>,
    pub(super) named: Vec<(String, Json)>,
    pub(super) result: Option<Json>,
    /// The lines that it was read from.
    pub(super) text: String,
}

/// The param that takes the context of a call.
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize)]
pub(super) struct ContextParam {
    pub(super) name: String,
    /// Its position; `None` if it goes by name.
    #[serde(default)]
    pub(super) index: Option<usize>,
}

/// The description of a param.
#[derive(Clone, Debug, Default, Deserialize, PartialEq, Serialize)]
#[serde(default)]
pub(super) struct ParamDescription {
    pub(super) name: String,
    /// Markdown.
    pub(super) help: String,
    #[serde(rename = "type")]
    pub(super) of: Option<TypeDescription>,
    pub(super) optional: bool,
    /// What it is if it is left out, for people.
    pub(super) default: Option<Json>,
    pub(super) kind: ParamKind,
    /// Set if it cannot be passed by name.
    pub(super) positional: bool,
}

/// The way in which a param is passed.
#[derive(Clone, Copy, Debug, Default, Deserialize, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum ParamKind {
    #[default]
    Position,
    /// By its name only.
    Keyword,
    /// Any number of values at the end.
    Rest,
    /// Any names.
    Options,
}

/// The description of a type.
#[derive(Clone, Debug, Default, Deserialize, PartialEq, Serialize)]
#[serde(default, remote = "Self")]
pub(super) struct TypeDescription {
    /// A type by its name in manifests.
    #[serde(rename = "type")]
    pub(super) name: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) items: Option<Box<TypeDescription>>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(super) members: Vec<MemberDescription>,
    /// The type of all members of a struct whose members may have any names.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) values: Option<Box<TypeDescription>>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(super) choices: Vec<Json>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) minimum: Option<Json>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) maximum: Option<Json>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) max_length: Option<usize>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) pattern: Option<String>,
    /// Set if it may also be nil.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub(super) or_nil: bool,
    #[serde(skip_serializing_if = "String::is_empty")]
    pub(super) help: String,
    /// The type of the language that a value is to become, where the value itself does not tell.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) cast: Option<Cast>,
    /// Set if a string may also be octets, where the language knows no difference.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub(super) or_octets: bool,
}

/// The description of a member of a struct.
#[derive(Clone, Debug, Default, Deserialize, PartialEq, Serialize)]
#[serde(default)]
pub(super) struct MemberDescription {
    pub(super) name: String,
    #[serde(rename = "type")]
    pub(super) of: Option<TypeDescription>,
    pub(super) optional: bool,
    /// Markdown.
    pub(super) help: String,
}

impl TypeDescription {
    /// Returns the type of a name.
    pub(super) fn named(name: &str) -> TypeDescription {
        TypeDescription { name: name.to_owned(), ..TypeDescription::default() }
    }
}

impl<'de> Deserialize<'de> for TypeDescription {
    /// Reads the name of a type, or an object that describes one.
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<TypeDescription, D::Error> {
        match Json::deserialize(deserializer)? {
            Json::String(name) => Ok(TypeDescription::named(&name)),
            described => TypeDescription::deserialize(described).map_err(D::Error::custom),
        }
    }
}

impl Serialize for TypeDescription {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        TypeDescription::serialize(self, serializer)
    }
}
