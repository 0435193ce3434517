//! The forms of values: what a manifest may have under a key, in words, as a JSON Schema, and as what it is read into.

use std::ops::Range;
use std::time::Duration;

use serde_json::{Map, Value as Json};
use toml::Spanned;
use toml::de::{DeArray, DeTable, DeValue};

use super::data_type::INTEGER;
use super::mistake::{Mistakes, SpannedText, did_you_mean};
use crate::wire::Type;

/// A key of a table, described.
pub(super) struct Key {
    pub(super) name: &'static str,
    pub(super) about: &'static str,
    pub(super) kind: Kind,
}

/// The keys of a table: its own, and those of a table that it shares them with.
pub(super) struct Keys {
    pub(super) own: &'static [Key],
    pub(super) shared: Option<&'static Keys>,
    /// A suggestion for a key that is none of them, by its name and value.
    pub(super) suggest: fn(&str, &DeValue<'_>) -> Option<String>,
    /// The name under which the JSON Schema has it, for a table that can be inside itself.
    pub(super) definition: Option<&'static str>,
}

impl Keys {
    pub(super) fn iter(&self) -> Box<dyn Iterator<Item = &'static Key> + '_> {
        let shared = self.shared.into_iter().flat_map(|shared| shared.iter());
        Box::new(self.own.iter().chain(shared))
    }

    /// Finds the key of a name.
    fn find(&self, name: &str) -> Option<&'static Key> {
        let own = self.own.iter().find(|key| key.name == name);
        own.or_else(|| self.shared?.find(name))
    }
}

/// The form of a value.
pub(super) enum Kind {
    Text,
    Flag,
    /// A whole number, at least this and at most that.
    Count(i64, i64),
    /// Any number.
    Number,
    /// A duration.
    Seconds,
    /// A string, number or boolean.
    Scalar,
    Any,
    /// One of these words.
    Word(&'static [&'static str]),
    /// The name of a type.
    Type,
    List(&'static Kind),
    /// A table of these keys; a function, because types may be inside types.
    Table(fn() -> &'static Keys),
    /// A table whose keys are names of the author's choice.
    Named(&'static Kind),
    Either(&'static [Kind]),
}

/// A value of a form, and its place.
#[derive(Clone)]
pub(super) struct Written<T> {
    pub(super) value: T,
    pub(super) span: Range<usize>,
}

impl<T> Written<T> {
    /// Reads what a table has under a key, if it is of the form: anything else was noted as a mistake.
    pub(super) fn of<'t, F: Form<Value<'t> = T>>(table: &'t DeTable<'t>, key: &str) -> Option<Written<T>> {
        let value = table.get(key)?;
        Some(Written { value: F::read(value)?, span: value.span() })
    }
}

/// A form that values are read in.
pub(super) trait Form {
    type Value<'t>;

    fn read<'t>(value: &'t Spanned<DeValue<'t>>) -> Option<Self::Value<'t>>;
}

macro_rules! forms {
    ($($(#[$doc:meta])* $form:ident -> $value:ty: $read:expr;)*) => {$(
        $(#[$doc])*
        pub(super) struct $form;

        impl Form for $form {
            type Value<'t> = $value;

            fn read<'t>(value: &'t Spanned<DeValue<'t>>) -> Option<$value> {
                // a closure would not be general over the lifetime
                fn general<'t>(value: &'t Spanned<DeValue<'t>>) -> Option<$value> {
                    ($read)(value)
                }
                general(value)
            }
        }
    )*};
}

forms! {
    /// A string.
    AsText -> &'t str: |value: &'t Spanned<DeValue<'t>>| value.get_ref().as_str();
    /// `true` or `false`.
    AsFlag -> bool: |value: &'t Spanned<DeValue<'t>>| value.get_ref().as_bool();
    /// A whole number.
    AsCount -> usize: |value: &'t Spanned<DeValue<'t>>| integer(value).and_then(|number| usize::try_from(number).ok());
    /// A duration, in seconds.
    AsSeconds -> Duration: seconds;
    /// Strings.
    AsTexts -> Vec<SpannedText<'t>>: |value: &'t Spanned<DeValue<'t>>| {
        let text = |value: &'t Spanned<DeValue<'t>>| Some((value.get_ref().as_str()?, value.span()));
        Some(value.get_ref().as_array()?.iter().filter_map(text).collect())
    };
    /// The items of an array.
    AsItems -> &'t DeArray<'t>: |value: &'t Spanned<DeValue<'t>>| value.get_ref().as_array();
    /// A table under names of the author's choice.
    AsNamed -> &'t DeTable<'t>: |value: &'t Spanned<DeValue<'t>>| value.get_ref().as_table();
    /// A value that its reader looks into.
    AsAny -> &'t Spanned<DeValue<'t>>: Some;
}

/// Suggests the type that is most like an unknown one.
pub(super) fn near_type(word: &str) -> Option<String> {
    let synonym = Type::of_synonym(word).map(|of| format!("did you mean `{}`?", of.in_words()));
    let names: Vec<&str> = type_names().collect();
    synonym.or_else(|| did_you_mean(word, names.into_iter()))
}

/// Returns the names of all types that a manifest knows.
fn type_names() -> impl Iterator<Item = &'static str> {
    Type::names().chain([INTEGER])
}

/// Checks a value against its kind, and notes every mistake in it.
fn check(value: &Spanned<DeValue<'_>>, kind: &Kind, mistakes: &mut Mistakes) {
    let span = value.span();
    if !kind.takes(value.get_ref()) {
        let message = format!("expected {}, found {}", kind.expected(), found(value.get_ref()));
        return match (kind, value.get_ref()) {
            (Kind::Table(keys), found @ DeValue::String(_)) => match (keys().suggest)("", found) {
                Some(help) => mistakes.add_with_help(&span, message, help),
                None => mistakes.add(&span, message),
            },
            (Kind::List(_), DeValue::String(_)) => {
                mistakes.add_with_help(&span, message, "in brackets: [\"a\", \"b\"]")
            }
            _ => mistakes.add(&span, message),
        };
    }
    match (kind, value.get_ref()) {
        (Kind::Count(least, most), DeValue::Integer(_)) => match integer(value) {
            Some(number) if (*least..=*most).contains(&number) => {}
            _ => mistakes.add(&span, format!("expected a whole number from {least} to {most}")),
        },
        (Kind::Number, _) if !number(value).is_some_and(f64::is_finite) => {
            mistakes.add(&span, "expected a number of 64 bits");
        }
        (Kind::Seconds, _) if seconds(value).is_none() => {
            mistakes.add(&span, "expected a number of seconds, more than 0 and at most a year");
        }
        (Kind::Word(words), DeValue::String(word)) if !words.contains(&&**word) => {
            unknown_word(word, words, None, &span, mistakes);
        }
        (Kind::Type, DeValue::String(word)) if word != INTEGER && Type::of_name(word).is_none() => {
            let words: Vec<&str> = type_names().collect();
            unknown_word(word, &words, Type::of_synonym(word).map(Type::in_words), &span, mistakes);
        }
        (Kind::List(items), DeValue::Array(values)) => values.iter().for_each(|value| check(value, items, mistakes)),
        (Kind::Table(keys), DeValue::Table(table)) => check_table(table, keys(), mistakes),
        (Kind::Named(kind), DeValue::Table(table)) => {
            table.iter().for_each(|(_, value)| check(value, kind, mistakes));
        }
        (Kind::Either(kinds), found) => {
            if let Some(kind) = kinds.iter().find(|kind| kind.takes(found)) {
                check(value, kind, mistakes);
            }
        }
        _ => {}
    }
}

/// Checks a table whose keys are known.
pub(super) fn check_table(table: &DeTable<'_>, keys: &'static Keys, mistakes: &mut Mistakes) {
    for (name, value) in table {
        match keys.find(name.get_ref()) {
            Some(key) => check(value, &key.kind, mistakes),
            None => unknown(name, value, keys, mistakes),
        }
    }
}

/// Notes a word that is none of those that may stand here.
fn unknown_word(word: &str, words: &[&str], synonym: Option<&str>, span: &Range<usize>, mistakes: &mut Mistakes) {
    let expected = format!("expected one of {}, found \"{word}\"", listed(words));
    let help = synonym.map(|name| format!("did you mean `{name}`?"));
    match help.or_else(|| did_you_mean(word, words.iter().copied())) {
        Some(help) => mistakes.add_with_help(span, expected, help),
        None => mistakes.add(span, expected),
    }
}

fn unknown(
    name: &Spanned<impl AsRef<str>>,
    value: &Spanned<DeValue<'_>>,
    keys: &'static Keys,
    mistakes: &mut Mistakes,
) {
    let word = name.get_ref().as_ref();
    if let Some(help) = (keys.suggest)(word, value.get_ref()) {
        return mistakes.add_with_help(&name.span(), format!("there is no table `{word}` in a method"), help);
    }
    let names: Vec<&str> = keys.iter().map(|key| key.name).collect();
    let help = did_you_mean(word, names.iter().copied());
    let help = help.unwrap_or_else(|| format!("known here: {}", names.join(", ")));
    mistakes.add_with_help(&name.span(), format!("there is no key `{word}` here"), help);
}

impl Kind {
    /// Tests whether a value may be of this kind, by its type alone.
    fn takes(&self, value: &DeValue<'_>) -> bool {
        match self {
            Kind::Text | Kind::Word(_) | Kind::Type => matches!(value, DeValue::String(_)),
            Kind::Flag => matches!(value, DeValue::Boolean(_)),
            Kind::Count(..) => matches!(value, DeValue::Integer(_)),
            Kind::Number | Kind::Seconds => matches!(value, DeValue::Integer(_) | DeValue::Float(_)),
            Kind::Scalar => !matches!(value, DeValue::Array(_) | DeValue::Table(_)),
            Kind::Any => true,
            Kind::List(_) => matches!(value, DeValue::Array(_)),
            Kind::Table(_) | Kind::Named(_) => matches!(value, DeValue::Table(_)),
            Kind::Either(kinds) => kinds.iter().any(|kind| kind.takes(value)),
        }
    }

    /// Returns what is expected, in words.
    pub(super) fn expected(&self) -> String {
        match self {
            Kind::Text => "a string".into(),
            Kind::Flag => "true or false".into(),
            Kind::Count(..) => "a whole number".into(),
            Kind::Number => "a number".into(),
            Kind::Seconds => "a number of seconds".into(),
            Kind::Scalar => "a string, a number, true or false".into(),
            Kind::Any => "a value".into(),
            Kind::Word(words) => format!("one of {}", listed(words)),
            Kind::Type => format!("one of {}", listed(&type_names().collect::<Vec<_>>())),
            Kind::List(_) => "an array".into(),
            Kind::Table(_) | Kind::Named(_) => "a table".into(),
            Kind::Either(kinds) => kinds.iter().map(Kind::expected).collect::<Vec<_>>().join(", or "),
        }
    }

    /// Returns the JSON Schema of the values that it takes.
    fn schema(&self) -> Map<String, Json> {
        match self {
            Kind::Text => typed("string", vec![]),
            Kind::Flag => typed("boolean", vec![]),
            Kind::Count(least, most) => {
                typed("integer", vec![("minimum", (*least).into()), ("maximum", (*most).into())])
            }
            Kind::Number => typed("number", vec![]),
            Kind::Seconds => typed("number", vec![("exclusiveMinimum", 0.into()), ("maximum", YEAR.into())]),
            Kind::Any => keywords(vec![]),
            Kind::Scalar => keywords(vec![("type", vec!["string", "number", "boolean"].into())]),
            Kind::Word(words) => keywords(vec![("enum", (*words).into())]),
            Kind::List(items) => typed("array", vec![("items", items.schema().into())]),
            Kind::Type => keywords(vec![("enum", type_names().collect())]),
            Kind::Table(keys) => match keys().definition {
                Some(name) => keywords(vec![("$ref", format!("#/$defs/{name}").into())]),
                None => table_schema(keys()),
            },
            Kind::Named(kind) => typed("object", vec![("additionalProperties", kind.schema().into())]),
            Kind::Either(kinds) => keywords(vec![("anyOf", kinds.iter().map(Kind::schema).collect())]),
        }
    }
}

/// Returns the JSON Schema of a table.
pub(super) fn table_schema(keys: &'static Keys) -> Map<String, Json> {
    let property = |key: &Key| {
        let mut schema = key.kind.schema();
        schema.insert("description".into(), key.about.into());
        (key.name.to_owned(), Json::from(schema))
    };
    let properties: Map<String, Json> = keys.iter().map(property).collect();
    typed("object", vec![("properties", properties.into()), ("additionalProperties", false.into())])
}

/// Returns a JSON Schema of the type `name`, with keywords that say more.
fn typed(name: &str, mut more: Vec<(&str, Json)>) -> Map<String, Json> {
    more.insert(0, ("type", name.into()));
    keywords(more)
}

fn keywords(keywords: Vec<(&str, Json)>) -> Map<String, Json> {
    keywords.into_iter().map(|(keyword, value)| (keyword.to_owned(), value)).collect()
}

/// Returns the type of a value, in words.
fn found(value: &DeValue<'_>) -> &'static str {
    match value {
        DeValue::String(_) => "a string",
        DeValue::Integer(_) => "an integer",
        DeValue::Float(_) => "a float",
        DeValue::Boolean(_) => "a boolean",
        DeValue::Datetime(_) => "a date",
        DeValue::Array(_) => "an array",
        DeValue::Table(_) => "a table",
    }
}

fn listed(words: &[&str]) -> String {
    words.iter().map(|word| format!("\"{word}\"")).collect::<Vec<_>>().join(", ")
}

/// Seconds in a year: longer than any author means.
const YEAR: f64 = 31_536_000.0;

/// Reads an integer that fits 64 bits.
pub(super) fn integer(value: &Spanned<DeValue<'_>>) -> Option<i64> {
    let number = value.get_ref().as_integer()?;
    i64::from_str_radix(number.as_str(), number.radix()).ok()
}

/// Reads any number, as a double.
pub(super) fn number(value: &Spanned<DeValue<'_>>) -> Option<f64> {
    match value.get_ref() {
        DeValue::Float(number) => number.as_str().parse().ok(),
        _ => integer(value).map(|number| number as f64),
    }
}

/// Reads a duration in seconds.
pub(super) fn seconds(value: &Spanned<DeValue<'_>>) -> Option<Duration> {
    number(value).filter(|seconds| *seconds > 0.0 && *seconds <= YEAR).map(Duration::from_secs_f64)
}
