//! Bounds of values beyond their types: of numbers and lengths, patterns, choices.
//!
//! They are shown on the page, and enforced: those of a manifest, and those in the schema of a Rust type.

mod checker;

use std::fmt;

use regex_lite::Regex;

pub(crate) use self::checker::{Checker, checker_of, is_plain};
use crate::wire::value::{Value, excerpt, text_of};

/// The bounds of one value, not of the values inside it.
#[derive(Clone, Debug, Default)]
pub(crate) struct Bounds {
    pub(crate) choices: Vec<Value>,
    pub(crate) pattern: Option<Regex>,
    pub(crate) minimum: Option<Bound>,
    pub(crate) maximum: Option<Bound>,
    /// In characters.
    pub(crate) min_length: Option<usize>,
    pub(crate) max_length: Option<usize>,
    pub(crate) min_items: Option<usize>,
    pub(crate) max_items: Option<usize>,
}

/// A bound of a number.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Bound {
    pub(crate) number: Number,
    /// Set if the number itself is beyond it.
    pub(crate) is_exclusive: bool,
}

impl From<Number> for Bound {
    fn from(number: Number) -> Bound {
        Bound { number, is_exclusive: false }
    }
}

/// A number as it is written.
#[derive(Clone, Copy, Debug, PartialEq, PartialOrd)]
pub(crate) enum Number {
    Int(i64),
    Double(f64),
}

impl Number {
    /// Returns the number of a value, if it is one.
    fn of(value: &Value) -> Option<Number> {
        match value {
            Value::Int(value) => Some(Number::Int(*value)),
            Value::Double(value) => Some(Number::Double(*value)),
            _ => None,
        }
    }

    pub(crate) fn as_double(self) -> f64 {
        match self {
            Number::Int(value) => value as f64,
            Number::Double(value) => value,
        }
    }

    fn is_below(self, other: Number) -> bool {
        match (self, other) {
            (Number::Int(a), Number::Int(b)) => a < b,
            (a, b) => a.as_double() < b.as_double(),
        }
    }
}

impl fmt::Display for Number {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Number::Int(value) => write!(f, "{value}"),
            Number::Double(value) => write!(f, "{value}"),
        }
    }
}

impl Bounds {
    fn are_none(&self) -> bool {
        let lengths = [self.min_length, self.max_length, self.min_items, self.max_items];
        self.choices.is_empty()
            && self.pattern.is_none()
            && self.minimum.is_none()
            && self.maximum.is_none()
            && lengths.iter().all(Option::is_none)
    }

    /// Returns what was expected and what came, if a value of the type is out of bounds.
    pub(crate) fn refusal(&self, value: &Value) -> Option<String> {
        if !self.choices.is_empty() && !self.choices.contains(value) {
            let choices: Vec<String> = self.choices.iter().map(written).collect();
            return Some(format!("expected {}, found {}", choices.join(" or "), written(value)));
        }
        match value {
            Value::Int(_) | Value::Double(_) => self.refusal_of_number(value),
            Value::String(text) => self.refusal_of_string(text),
            Value::Array(items) => {
                let count = items.len();
                let expected = beyond(count, self.min_items, self.max_items, "item")?;
                Some(format!("expected an array of {expected}, found {count}"))
            }
            _ => None,
        }
    }

    fn refusal_of_number(&self, value: &Value) -> Option<String> {
        let number = Number::of(value)?;
        if let Some(Bound { number: least, is_exclusive }) = self.minimum
            && (number.is_below(least) || is_exclusive && !least.is_below(number))
        {
            let words = if is_exclusive { "more than" } else { "at least" };
            return Some(format!("expected a number of {words} {least}, found {}", written(value)));
        }
        if let Some(Bound { number: most, is_exclusive }) = self.maximum
            && (most.is_below(number) || is_exclusive && !number.is_below(most))
        {
            let words = if is_exclusive { "less than" } else { "at most" };
            return Some(format!("expected a number of {words} {most}, found {}", written(value)));
        }
        None
    }

    fn refusal_of_string(&self, text: &str) -> Option<String> {
        if self.min_length.is_some() || self.max_length.is_some() {
            let count = text.chars().count();
            if let Some(expected) = beyond(count, self.min_length, self.max_length, "character") {
                return Some(format!("expected a string of {expected}, found {count}"));
            }
        }
        let pattern = self.pattern.as_ref().filter(|pattern| !pattern.is_match(text))?;
        Some(format!("expected a string that matches {}, found \"{}\"", pattern.as_str(), excerpt(text)))
    }
}

/// Returns the expected count in words, if there are too few or too many.
fn beyond(count: usize, least: Option<usize>, most: Option<usize>, unit: &str) -> Option<String> {
    let of = |bound: usize| format!("{bound} {unit}{}", if bound == 1 { "" } else { "s" });
    match (least.filter(|least| count < *least), most.filter(|most| count > *most)) {
        (Some(least), _) => Some(format!("at least {}", of(least))),
        (None, Some(most)) => Some(format!("at most {}", of(most))),
        (None, None) => None,
    }
}

/// Returns a scalar as messages write it.
fn written(value: &Value) -> String {
    match value {
        Value::String(text) => format!("\"{}\"", excerpt(text)),
        value => match text_of(value) {
            Some(text) => String::from_utf8_lossy(&text).into(),
            None => value.type_name().into(),
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn of_strings() {
        let bounds = Bounds { max_length: Some(3), ..Bounds::default() };
        assert_eq!(bounds.refusal(&"äöü".into()), None);
        assert_eq!(bounds.refusal(&"äöüß".into()).unwrap(), "expected a string of at most 3 characters, found 4");
        let bounds = Bounds { min_length: Some(1), ..Bounds::default() };
        assert_eq!(bounds.refusal(&"".into()).unwrap(), "expected a string of at least 1 character, found 0");
        let bounds = Bounds { pattern: Some(Regex::new("^[a-z]+$").unwrap()), ..Bounds::default() };
        assert_eq!(bounds.refusal(&"a\n".into()).unwrap(), "expected a string that matches ^[a-z]+$, found \"a\\n\"");
        let bounds = Bounds { choices: vec!["red".into(), "black".into()], ..Bounds::default() };
        assert_eq!(bounds.refusal(&"green".into()).unwrap(), "expected \"red\" or \"black\", found \"green\"");
    }

    #[test]
    fn of_numbers() {
        let between = |minimum: Bound, maximum: Bound| Bounds {
            minimum: Some(minimum),
            maximum: Some(maximum),
            ..Bounds::default()
        };
        let bounds = between(Number::Int(1).into(), Number::Double(9.5).into());
        for value in [Value::Int(1), Value::Int(9), Value::Double(9.5)] {
            assert_eq!(bounds.refusal(&value), None);
        }
        assert_eq!(bounds.refusal(&0.into()).unwrap(), "expected a number of at least 1, found 0");
        assert_eq!(bounds.refusal(&10.into()).unwrap(), "expected a number of at most 9.5, found 10");
        let exclusive = |number| Bound { number, is_exclusive: true };
        let bounds = between(exclusive(Number::Int(0)), exclusive(Number::Int(1)));
        assert_eq!(bounds.refusal(&0.5.into()), None);
        assert_eq!(bounds.refusal(&0.into()).unwrap(), "expected a number of more than 0, found 0");
        assert_eq!(bounds.refusal(&1.0.into()).unwrap(), "expected a number of less than 1, found 1");
    }
}
