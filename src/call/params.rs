//! Params: still in the document, each decoded when it is asked for, straight into its type.

use std::collections::HashSet;
use std::fmt;
use std::marker::PhantomData;

use serde::de::{Deserialize, DeserializeSeed};

use crate::wire::fault::Fault;
use crate::wire::json;
use crate::wire::value::{DataError, Value, WireTypes, excerpt};
use crate::wire::{Error, Position};

/// The params of a call, still in the document: each is decoded when it is asked for, straight into its type.
///
/// Methods get their params as arguments; this type stands between the document and the function.
pub struct Params<'a, 'de>(&'a mut (dyn ParamSource<'de> + 'a));

/// A source of params: a protocol's document, or values.
pub(crate) trait ParamSource<'de> {
    /// Returns whether the params have names; if not, they have positions.
    fn by_name(&self) -> bool {
        false
    }

    /// Returns the types that the format has.
    fn format(&self) -> WireTypes {
        WireTypes::All
    }

    /// Returns the name of a param that the method has not taken, if they have names.
    fn next_name(&mut self) -> Result<Option<String>, Fault> {
        Ok(None)
    }

    /// Gives the next param to `take`, or that of this name if they have names; `false` if there is none.
    fn next(&mut self, name: ParamName<'_>, take: &mut dyn TakeParam<'de>) -> Result<bool, ParamError>;

    /// Reads to the end of the call, and returns how many params the method did not ask for.
    fn finish(&mut self) -> Result<usize, Fault>;
}

/// The position and name of a requested param.
#[derive(Clone, Copy)]
pub(crate) struct ParamName<'a> {
    /// Its position, from 0.
    pub(crate) index: usize,
    pub(crate) name: Option<&'a str>,
}

impl ParamName<'_> {
    pub(crate) fn is(&self, name: &str) -> bool {
        match self.name {
            Some(own) => own == name,
            None => name.strip_prefix('p').is_some_and(|number| *number == (self.index + 1).to_string()),
        }
    }
}

impl fmt::Display for ParamName<'_> {
    /// Writes the name; a param without one is called by its position: `p1`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.name {
            Some(name) => f.write_str(name),
            None => write!(f, "p{}", self.index + 1),
        }
    }
}

/// A receiver of a param, which takes it from its source.
///
/// Any format can erase its deserializer. That costs a few calls for each value inside, which is little beside reading
/// XML, but several times the cost of reading JSON: so a JSON text is taken as it is.
pub(crate) trait TakeParam<'de> {
    fn take(&mut self, deserializer: &mut dyn erased_serde::Deserializer<'de>) -> Result<(), erased_serde::Error>;

    fn take_json(&mut self, text: &mut json::JsonText<'de>) -> Result<(), Error>;
}

/// A seed, and the value it made. The first param it is given uses it up.
struct Seeded<'de, S: DeserializeSeed<'de>> {
    seed: Option<S>,
    value: Option<S::Value>,
}

impl<'de, S: DeserializeSeed<'de>> TakeParam<'de> for Seeded<'de, S> {
    fn take(&mut self, deserializer: &mut dyn erased_serde::Deserializer<'de>) -> Result<(), erased_serde::Error> {
        if let Some(seed) = self.seed.take() {
            self.value = Some(seed.deserialize(deserializer)?);
        }
        Ok(())
    }

    fn take_json(&mut self, text: &mut json::JsonText<'de>) -> Result<(), Error> {
        if let Some(seed) = self.seed.take() {
            self.value = Some(text.seeded(seed)?);
        }
        Ok(())
    }
}

/// The reason a param could not be read.
pub(crate) enum ParamError {
    /// The document is broken.
    Document(Fault),
    /// The param is not what was asked for.
    Mismatch(Mismatch),
}

/// A param that is not what was asked for.
pub(crate) struct Mismatch {
    /// The text: what was expected, what was found, and the place.
    pub(crate) message: String,
    /// The place, for programs.
    pub(crate) position: Option<Position>,
}

impl Mismatch {
    pub(crate) fn new(message: impl fmt::Display) -> Mismatch {
        Mismatch { message: message.to_string(), position: None }
    }
}

impl fmt::Debug for Params<'_, '_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Params").finish_non_exhaustive()
    }
}

impl<'a, 'de> Params<'a, 'de> {
    pub(crate) fn new(source: &'a mut (dyn ParamSource<'de> + 'a)) -> Params<'a, 'de> {
        Params(source)
    }

    /// Returns whether the params have names; if not, they have positions.
    pub(crate) fn by_name(&self) -> bool {
        self.0.by_name()
    }

    /// Returns the next param, or that of this name; `None` if there is none.
    pub(crate) fn next<T: Deserialize<'de>>(&mut self, name: ParamName<'_>) -> Result<Option<T>, ParamError> {
        self.next_seeded(name, PhantomData)
    }

    /// Returns the same for a type that is known only at run time.
    pub(crate) fn next_seeded<S: DeserializeSeed<'de>>(
        &mut self,
        name: ParamName<'_>,
        seed: S,
    ) -> Result<Option<S::Value>, ParamError> {
        let mut param = Seeded { seed: Some(seed), value: None };
        self.0.next(name, &mut param)?;
        Ok(param.value)
    }

    /// Returns the types that the format has.
    pub(crate) fn format(&self) -> WireTypes {
        self.0.format()
    }

    /// Returns the name of a param that the method has not taken, if they have names.
    pub(crate) fn next_name(&mut self) -> Result<Option<String>, Fault> {
        self.0.next_name()
    }

    /// Reads to the end of the call, and returns how many params the method did not ask for.
    pub(crate) fn finish(&mut self) -> Result<usize, Fault> {
        self.0.finish()
    }

    /// Returns all params, to the end of the call.
    pub(crate) fn into_values(mut self) -> Result<Values, ParamError> {
        let values = match self.by_name() {
            true => Values::ByName(self.members()?),
            false => Values::ByPosition(self.items()?),
        };
        self.finish().map_err(ParamError::Document)?;
        Ok(values)
    }

    fn items(&mut self) -> Result<Vec<Value>, ParamError> {
        let mut values = Vec::new();
        while let Some(value) = self.next(ParamName { index: values.len(), name: None })? {
            values.push(value);
        }
        Ok(values)
    }

    fn members(&mut self) -> Result<Vec<(String, Value)>, ParamError> {
        let (mut members, mut names) = (Vec::new(), HashSet::new());
        while let Some(name) = self.next_name().map_err(ParamError::Document)? {
            if !names.insert(name.clone()) {
                let message = format!("param \"{}\" is there twice", excerpt(&name));
                return Err(ParamError::Mismatch(Mismatch::new(message)));
            }
            let value = self.next(ParamName { index: members.len(), name: Some(&name) })?;
            members.extend(value.map(|value| (name, value)));
        }
        Ok(members)
    }
}

/// The params of a call as values.
#[derive(Clone)]
pub(crate) enum Values {
    ByPosition(Vec<Value>),
    ByName(Vec<(String, Value)>),
}

/// A source of params that are values already.
pub(crate) struct ValueParams {
    left: Left,
    format: WireTypes,
}

enum Left {
    ByPosition(std::vec::IntoIter<Value>),
    ByName(Vec<(String, Value)>),
}

impl ValueParams {
    pub(crate) fn new(values: Values, format: WireTypes) -> ValueParams {
        let left = match values {
            Values::ByPosition(values) => Left::ByPosition(values.into_iter()),
            Values::ByName(members) => Left::ByName(members),
        };
        ValueParams { left, format }
    }

    /// Returns the next value, or that of this name.
    pub(crate) fn take(&mut self, name: ParamName<'_>) -> Option<Value> {
        match &mut self.left {
            Left::ByPosition(values) => values.next(),
            Left::ByName(members) => {
                let at = members.iter().position(|(member, _)| name.is(member))?;
                Some(members.remove(at).1)
            }
        }
    }
}

impl<'de> ParamSource<'de> for ValueParams {
    fn by_name(&self) -> bool {
        matches!(self.left, Left::ByName(_))
    }

    fn format(&self) -> WireTypes {
        self.format
    }

    fn next_name(&mut self) -> Result<Option<String>, Fault> {
        Ok(match &self.left {
            Left::ByPosition(_) => None,
            Left::ByName(members) => members.first().map(|(name, _)| name.clone()),
        })
    }

    fn next(&mut self, name: ParamName<'_>, take: &mut dyn TakeParam<'de>) -> Result<bool, ParamError> {
        let Some(value) = self.take(name) else {
            return Ok(false);
        };
        let deserializer = value.into_typed::<DataError>(self.format);
        match take.take(&mut <dyn erased_serde::Deserializer<'_>>::erase(deserializer)) {
            Ok(()) => Ok(true),
            Err(error) => Err(ParamError::Mismatch(Mismatch::new(error))),
        }
    }

    fn finish(&mut self) -> Result<usize, Fault> {
        Ok(match &self.left {
            Left::ByPosition(values) => values.len(),
            Left::ByName(members) => members.len(),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::call::{Reply, make_call};
    use crate::wire::value::{Base64, DateTime};

    fn by_name(members: &[(&str, i32)]) -> Values {
        Values::ByName(members.iter().map(|(name, value)| ((*name).to_owned(), Value::from(*value))).collect())
    }

    fn third(name: Option<&str>) -> ParamName<'_> {
        ParamName { index: 2, name }
    }

    fn told<T>(result: Result<T, ParamError>) -> Option<String> {
        match result.err()? {
            ParamError::Document(fault) => Some(fault.to_string()),
            ParamError::Mismatch(mismatch) => Some(mismatch.message),
        }
    }

    #[test]
    fn values_roundtrip() {
        let values = vec![Value::Int(1), "a".into(), Value::Nil, vec![Value::from(1.5)].into()];
        let mut source = ValueParams::new(Values::ByPosition(values.clone()), WireTypes::All);
        let mut params = Params::new(&mut source);
        let read: Vec<Value> = params.items().unwrap_or_default();
        assert_eq!((read, params.finish()), (values, Ok(0)));
        let mut source = ValueParams::new(by_name(&[("b", 1), ("a", 2)]), WireTypes::All);
        let read = Params::new(&mut source).members().unwrap_or_default();
        assert_eq!(read, [("b".to_owned(), 1.into()), ("a".to_owned(), 2.into())]);
    }

    #[test]
    fn names_spec() {
        assert_eq!((third(None).to_string(), third(Some("c")).to_string()), ("p3".into(), "c".into()));
        assert!(third(None).is("p3") && third(Some("c")).is("c"));
        for (name, other) in [(None, "p03"), (None, "p2"), (None, "3"), (Some("c"), "p3"), (Some("c"), "C")] {
            assert!(!third(name).is(other), "{other}");
        }
        let mut source = ValueParams::new(by_name(&[("b", 1), ("p3", 2), ("c", 3)]), WireTypes::All);
        let mut params = Params::new(&mut source);
        assert!(params.by_name());
        assert!(matches!(params.next::<i32>(third(Some("c"))), Ok(Some(3))));
        assert!(matches!(params.next::<i32>(third(Some("c"))), Ok(None)));
        assert!(matches!(params.next::<i32>(third(None)), Ok(Some(2))));
        assert_eq!(params.next_name(), Ok(Some("b".into())));
        assert_eq!(params.finish(), Ok(1));
        let texts = vec!["1998-07-17T14:08:55".into(), "Zm9v".into()];
        let mut source = ValueParams::new(Values::ByPosition(texts), WireTypes::Text);
        let mut params = Params::new(&mut source);
        assert_eq!((params.by_name(), params.format()), (false, WireTypes::Text));
        let date = params.next::<DateTime>(third(None));
        assert!(matches!(date, Ok(Some(date)) if date.to_string() == "19980717T14:08:55"));
        assert!(matches!(params.next::<Base64>(third(None)), Ok(Some(Base64(octets))) if octets == b"foo"));
    }

    #[test]
    fn params_invalid() {
        let mut source = ValueParams::new(Values::ByPosition(vec!["a".into(), "Zm9v".into()]), WireTypes::All);
        let mut params = Params::new(&mut source);
        for (found, expected) in [
            (told(params.next::<i32>(third(None))), "expected int, found string"),
            (told(params.next::<Base64>(third(None))), "expected base64, found string"),
        ] {
            assert_eq!(found, Some(expected.to_owned()));
        }
        let mut source = ValueParams::new(by_name(&[("a\n", 1), ("b", 1), ("a\n", 2)]), WireTypes::All);
        let found = told(Params::new(&mut source).into_values());
        assert_eq!(found, Some("param \"a\\n\" is there twice".to_owned()));
    }

    /// A source whose document breaks off.
    struct Broken;

    impl<'de> ParamSource<'de> for Broken {
        fn next(&mut self, _: ParamName<'_>, _: &mut dyn TakeParam<'de>) -> Result<bool, ParamError> {
            Ok(false)
        }

        fn finish(&mut self) -> Result<usize, Fault> {
            Err(Fault::new(Fault::NOT_WELL_FORMED, "no end"))
        }
    }

    #[test]
    fn documents_invalid() {
        let outcome = make_call(&|_, _| Ok(Reply::new(1)), "m", &mut Broken);
        assert_eq!(outcome.err(), Some(Fault::new(-32700, "no end")));
        let outcome = make_call(&|_, _| Err(Fault::new(7, "full")), "m", &mut Broken);
        assert_eq!(outcome.err(), Some(Fault::new(-32700, "no end")));
        assert_eq!(told(Params::new(&mut Broken).into_values()), Some("-32700: no end".to_owned()));
    }
}
