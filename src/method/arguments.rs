//! The params of a call, on their way to becoming arguments.

use std::marker::PhantomData;

use schemars::JsonSchema;
use serde::de::{self, DeserializeOwned, DeserializeSeed, Deserializer, Visitor};

use super::refusal::unfit;
use super::{CallError, Metadata, Refusal};
use crate::call::{Mismatch, ParamError, ParamName, Params};
use crate::description::bounds::{Checker, checker_of, is_plain};
use crate::description::least;
use crate::wire::value::{DataError, Value, excerpt, place};

/// The params of a call, on their way to becoming arguments.
pub(crate) struct Arguments<'p, 'a, 'de> {
    about: &'p Metadata,
    /// The number of arguments.
    count: usize,
    /// Tells whether an argument may be left out.
    is_optional: &'p dyn Fn(usize) -> bool,
    params: Params<'a, 'de>,
    /// The index of the next argument.
    index: usize,
    found: usize,
}

impl<'p, 'a, 'de> Arguments<'p, 'a, 'de> {
    pub(crate) fn new(
        about: &'p Metadata,
        count: usize,
        is_optional: &'p dyn Fn(usize) -> bool,
        params: Params<'a, 'de>,
    ) -> Self {
        Arguments { about, count, is_optional, params, index: 0, found: 0 }
    }

    pub(super) fn next<T: DeserializeOwned + JsonSchema + 'static>(&mut self) -> Result<T, CallError> {
        let checker = if is_plain::<T>() { None } else { checker_of::<T>() };
        let argument = match checker {
            None => self.take(PhantomData)?,
            Some(checker) => self.next_checked(checker)?,
        };
        match argument {
            Some(argument) => Ok(argument),
            None => T::deserialize(MissingParam).map_err(|_| self.missing(self.index - 1)),
        }
    }

    /// Returns the next argument, if it is there, after a check of all its values.
    fn next_checked<T: DeserializeOwned>(&mut self, checker: &Checker) -> Result<Option<T>, CallError> {
        let Some(value) = self.take(PhantomData::<Value>)? else { return Ok(None) };
        let name = self.about.param_name(self.index - 1);
        if let Err((place, refusal)) = checker.check(&value) {
            return Err(unfit(name, Mismatch::new(refusal), &place).into());
        }
        let argument = T::deserialize(value.into_typed::<DataError>(self.params.format()));
        argument.map(Some).map_err(|error| unfit(name, Mismatch::new(error), &place::taken()).into())
    }

    /// Reads the next argument with a seed; `None` if it was left out and may be.
    #[cfg(feature = "program")]
    pub(crate) fn next_seeded<S: DeserializeSeed<'de>>(&mut self, seed: S) -> Result<Option<S::Value>, CallError> {
        match self.take(seed)? {
            None if !(self.is_optional)(self.index - 1) => Err(self.missing(self.index - 1)),
            argument => Ok(argument),
        }
    }

    /// Reads all that is left, if it has positions.
    #[cfg(feature = "program")]
    pub(crate) fn rest_seeded<S: DeserializeSeed<'de> + Copy>(&mut self, seed: S) -> Result<Vec<S::Value>, CallError> {
        let mut rest = Vec::new();
        while !self.params.by_name() {
            match self.take(seed)? {
                Some(value) => rest.push(value),
                None => break,
            }
        }
        Ok(rest)
    }

    /// Reads all that is left, if it has names.
    #[cfg(feature = "program")]
    pub(crate) fn options_seeded<S: DeserializeSeed<'de> + Copy>(
        &mut self,
        seed: S,
    ) -> Result<Vec<(String, S::Value)>, CallError> {
        let mut options: Vec<(String, S::Value)> = Vec::new();
        while let Some(name) = self.params.next_name()? {
            let is_known = (0..self.count).any(|index| self.about.param_name(index).is(&name));
            if is_known || options.iter().any(|(known, _)| *known == name) {
                return Err(self.not_taken(&name));
            }
            let param = ParamName { index: self.count, name: Some(&name) };
            place::begin();
            match self.params.next_seeded(param, seed) {
                Ok(Some(value)) => options.push((name, value)),
                Ok(None) => break,
                Err(ParamError::Document(fault)) => return Err(CallError::Fault(fault)),
                Err(ParamError::Mismatch(mismatch)) => return Err(unfit(param, mismatch, &place::taken()).into()),
            }
        }
        Ok(options)
    }

    /// Returns the next argument, if it is there.
    fn take<S: DeserializeSeed<'de>>(&mut self, seed: S) -> Result<Option<S::Value>, CallError> {
        let name = self.about.param_name(self.index);
        self.index += 1;
        place::begin();
        match self.params.next_seeded(name, seed) {
            Ok(argument) => {
                self.found += usize::from(argument.is_some());
                Ok(argument)
            }
            Err(ParamError::Document(fault)) => Err(CallError::Fault(fault)),
            Err(ParamError::Mismatch(mismatch)) => Err(unfit(name, mismatch, &place::taken()).into()),
        }
    }

    /// Reads the call to its end, and refuses params that are left: nothing runs before.
    pub(crate) fn finish(&mut self) -> Result<(), CallError> {
        if let Some(name) = self.params.next_name()? {
            return Err(self.not_taken(&name));
        }
        match self.params.finish()? {
            0 => Ok(()),
            left => Err(self.wrong_count(self.found + left)),
        }
    }

    #[cold]
    fn missing(&self, index: usize) -> CallError {
        match self.params.by_name() {
            true => CallError::Params(Refusal::missing(self.about.param_name(index))),
            false => self.wrong_count(self.found),
        }
    }

    /// Creates a refusal of a param with a name that no argument has, or that was there before.
    #[cold]
    fn not_taken(&self, found: &str) -> CallError {
        let is_known = (0..self.count).any(|index| self.about.param_name(index).is(found));
        let found = excerpt(found);
        let message = match is_known {
            true => format!("takes param \"{found}\" once, found it again"),
            false => format!("takes no param \"{found}\"{}", self.names()),
        };
        CallError::Params(Refusal { param: Some(found), ..Refusal::new(message) })
    }

    #[cold]
    fn wrong_count(&self, found: usize) -> CallError {
        let most = self.count;
        let least = least((0..most).map(self.is_optional));
        let count = if least == most { most.to_string() } else { format!("{least} to {most}") };
        let s = if most == 1 { "" } else { "s" };
        CallError::Params(Refusal::new(format!("takes {count} param{s}{}, found {found}", self.names())))
    }

    /// Returns the names of the arguments, in brackets.
    fn names(&self) -> String {
        let names = (0..self.count).filter_map(|index| self.about.param_name(index).name);
        let names: Vec<&str> = names.collect();
        if names.is_empty() { String::new() } else { format!(" ({})", names.join(", ")) }
    }
}

/// Returns whether a param of this type may be left out.
pub(super) fn is_optional<T: DeserializeOwned>() -> bool {
    T::deserialize(MissingParam).is_ok()
}

/// A stand-in for a param that was left out: `None` where an option is asked for, an error everywhere else.
struct MissingParam;

impl<'de> Deserializer<'de> for MissingParam {
    type Error = DataError;

    fn deserialize_any<V: Visitor<'de>>(self, _visitor: V) -> Result<V::Value, DataError> {
        Err(de::Error::custom("a param that is missing"))
    }

    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, DataError> {
        visitor.visit_none()
    }

    serde::forward_to_deserialize_any! {
        bool i8 i16 i32 i64 i128 u8 u16 u32 u64 u128 f32 f64 char str string bytes byte_buf unit unit_struct
        newtype_struct seq tuple tuple_struct map struct enum identifier ignored_any
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::call::{ValueParams, Values};
    use crate::method::Method;
    use crate::wire::fault::Fault;
    use crate::wire::value::{Members, WireTypes};

    #[derive(Debug, JsonSchema, PartialEq, serde::Deserialize)]
    struct Order {
        #[schemars(range(min = 1, max = 9))]
        seats: i32,
    }

    /// Takes an order and a note, which may be left out, for the method `book`.
    fn taken(values: Values, names: &[&'static str]) -> Result<(Order, Option<String>), Fault> {
        let method = Method::new("book", || 0).params(names.iter().copied());
        let mut source = ValueParams::new(values, WireTypes::All);
        let is_optional = |index: usize| index == 1;
        let mut arguments = Arguments::new(&method.about, 2, &is_optional, Params::new(&mut source));
        let mut take = || {
            let taken = (arguments.next()?, arguments.next()?);
            arguments.finish().map(|()| taken)
        };
        take().map_err(|failure: CallError| match failure {
            CallError::Params(refusal) => refusal.into_fault("book"),
            CallError::Fault(fault) => fault,
        })
    }

    fn order(seats: impl Into<Value>) -> Value {
        Members::from([("seats", seats)]).into()
    }

    fn named(members: impl IntoIterator<Item = (&'static str, Value)>) -> Values {
        Values::ByName(members.into_iter().map(|(name, value)| (name.to_owned(), value)).collect())
    }

    #[test]
    fn arguments_roundtrip() {
        let names = ["order", "note"];
        let note = || Value::from("late");
        for (values, has_note) in [
            (Values::ByPosition(vec![order(2)]), false),
            (Values::ByPosition(vec![order(2), Value::Nil]), false),
            (Values::ByPosition(vec![order(2), note()]), true),
            (named([("order", order(2))]), false),
            (named([("note", note()), ("order", order(2))]), true),
        ] {
            let expected = (Order { seats: 2 }, has_note.then(|| "late".to_owned()));
            assert_eq!(taken(values, &names), Ok(expected));
        }
        assert_eq!(taken(named([("p2", note()), ("p1", order(2))]), &[]).unwrap().1, Some("late".into()));
    }

    /// A param may be left out if its type has a `None`.
    #[test]
    fn optional_types_spec() {
        assert!(is_optional::<Option<i32>>() && is_optional::<Option<Vec<Value>>>());
        assert!(!is_optional::<i32>() && !is_optional::<Value>() && !is_optional::<()>());
    }

    #[test]
    fn params_invalid() {
        let names = ["order", "note"];
        for (values, names, expected, data) in [
            (Values::ByPosition(Vec::new()), &names[..], "takes 1 to 2 params (order, note), found 0", None),
            (
                Values::ByPosition(vec![order(2), "a".into(), 1.into(), 2.into()]),
                &[],
                "takes 1 to 2 params, found 4",
                None,
            ),
            (
                Values::ByPosition(vec![order(2), 1.into()]),
                &names,
                "param 2 \"note\": expected string, found int 1",
                Some(json!({ "param": "note" })),
            ),
            (
                Values::ByPosition(vec![order("a")]),
                &[],
                "param 1, in p1.seats: expected int, found string",
                Some(json!({ "param": "p1", "path": "p1.seats" })),
            ),
            (
                named([("note", "a".into())]),
                &names,
                "takes param \"order\", found none of that name",
                Some(json!({ "param": "order" })),
            ),
            (
                named([("order", order(2)), ("order", order(3))]),
                &names,
                "takes param \"order\" once, found it again",
                Some(json!({ "param": "order" })),
            ),
            (
                named([("order", order(2)), ("seat", 1.into())]),
                &names,
                "takes no param \"seat\" (order, note)",
                Some(json!({ "param": "seat" })),
            ),
        ] {
            let fault = taken(values, names).unwrap_err();
            assert_eq!(fault, Fault::new(-32602, format!("method \"book\" {expected}")));
            assert_eq!(fault.data(), data.as_ref());
        }
        let fault = taken(Values::ByPosition(vec![order(10)]), &names).unwrap_err();
        assert_eq!(fault.data(), Some(&json!({ "param": "order", "path": "order.seats" })));
        assert!(fault.message.starts_with("method \"book\" param 1 \"order\", in order.seats: "), "{fault}");
    }
}
