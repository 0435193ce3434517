//! Decoding of JSON values into Rust types.
//!
//! [`Guarded`] stands between `serde_json` and the Rust type, and enforces the rules of every format: the limits,
//! octets as base64, structs that are objects, and messages that say what was expected and what was found without names
//! of Rust types.

use std::borrow::Cow;
use std::cell::Cell;
use std::fmt;

use serde::de::{
    self, DeserializeSeed, Deserializer, Error as _, IgnoredAny, IntoDeserializer, MapAccess, SeqAccess, Unexpected,
    Visitor,
};

use super::JsonOptions;
use crate::wire::value::{Base64, DataError, MemberName, Variant, beyond_double, exactly, place, wire_error_impl};

/// The budget that the values of one text share.
pub(super) struct LimitGuard<'o> {
    depth_left: Cell<u32>,
    members_left: Cell<usize>,
    exceeded: Cell<Option<Limit>>,
    has_failed: Cell<bool>,
    /// Large doubles since the value began, which may have been integers.
    doubles: Cell<Doubles>,
    options: &'o JsonOptions,
}

/// The kinds of large doubles in a value. The library silently makes one of every integer beyond 64 bits, so the text
/// has to be read again.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Doubles {
    /// Set if one was read as a value of any type.
    pub(super) as_anything: bool,
    /// Set if one was read as a double.
    pub(super) as_doubles: bool,
    /// Set if one was read as an integer, which a whole double is too.
    pub(super) as_integers: bool,
}

#[derive(Clone, Copy)]
enum Limit {
    Depth,
    Members,
}

/// The type that a double was taken for.
enum NumberTarget {
    Double,
    Signed(i64),
    Unsigned(u64),
    /// An integer is wanted, but the double is not one.
    Nothing,
}

/// A limit was reached; the guard remembers which.
pub(super) struct OverLimit;

impl<'o> LimitGuard<'o> {
    pub(super) fn new(options: &'o JsonOptions) -> LimitGuard<'o> {
        LimitGuard {
            depth_left: Cell::new(options.limits.depth),
            members_left: Cell::new(options.limits.members),
            exceeded: Cell::new(None),
            has_failed: Cell::new(false),
            doubles: Cell::default(),
            options,
        }
    }

    /// Returns the message for the limit that was reached, if one was.
    #[cold]
    pub(super) fn exceeded(&self) -> Option<String> {
        let limits = &self.options.limits;
        self.exceeded.get().map(|limit| match limit {
            Limit::Depth => format!("arrays and structs nested deeper than {}", limits.depth),
            Limit::Members => format!("more than {} array items and struct members", limits.members),
        })
    }

    #[inline]
    pub(super) fn count_member(&self) -> Result<(), OverLimit> {
        match self.members_left.get().checked_sub(1) {
            Some(left) => {
                self.members_left.set(left);
                Ok(())
            }
            None => Err(self.exceed(Limit::Members)),
        }
    }

    /// Enters an array or struct.
    #[inline]
    fn enter(&self) -> Result<(), OverLimit> {
        match self.depth_left.get().checked_sub(1) {
            Some(left) => {
                self.depth_left.set(left);
                Ok(())
            }
            None => Err(self.exceed(Limit::Depth)),
        }
    }

    #[inline]
    fn leave(&self) {
        self.depth_left.set(self.depth_left.get() + 1);
    }

    /// Resets the guard for a new value. The one before may have ended in a panic.
    #[inline]
    pub(super) fn begin(&self) {
        self.depth_left.set(self.options.limits.depth);
        self.exceeded.set(None);
        self.has_failed.set(false);
        self.doubles.set(Doubles::default());
    }

    /// Returns the kinds of large doubles that the value has had.
    #[inline]
    pub(super) fn doubles(&self) -> Doubles {
        self.doubles.get()
    }

    /// Notes a failure of the library, even if the type it read for does not pass the error on.
    #[cold]
    fn failed<L>(&self, error: L) -> GuardedError<L> {
        self.has_failed.set(true);
        GuardedError::Library(error)
    }

    /// Returns whether the library has failed somewhere in the value.
    #[inline]
    pub(super) fn has_failed(&self) -> bool {
        self.has_failed.get()
    }

    /// Converts a double to the wanted type, and notes it if it may have been an integer.
    fn take_double(&self, value: f64, wanted: Wanted) -> NumberTarget {
        const EXACT: f64 = (1_u64 << 53) as f64;
        const LARGE: f64 = i64::MAX as f64;

        let mut doubles = self.doubles.get();
        let taken = match wanted {
            // a whole number is an int in JSON Schema
            Wanted::Integer { .. } if value.fract() == 0.0 && value.abs() < 2.0 * LARGE => {
                doubles.as_integers |= value.abs() >= EXACT;
                if value < LARGE { NumberTarget::Signed(value as i64) } else { NumberTarget::Unsigned(value as u64) }
            }
            Wanted::Integer { .. } => NumberTarget::Nothing,
            Wanted::Double => {
                doubles.as_doubles |= value.abs() >= LARGE;
                NumberTarget::Double
            }
            _ => {
                doubles.as_anything |= value.abs() >= LARGE;
                NumberTarget::Double
            }
        };
        self.doubles.set(doubles);
        taken
    }

    #[cold]
    fn exceed(&self, limit: Limit) -> OverLimit {
        self.exceeded.set(Some(limit));
        OverLimit
    }
}

impl OverLimit {
    /// Returns an error for serde to hand on. Its text is never read: the guard knows the limit.
    fn error<E: de::Error>(self) -> E {
        E::custom("over a limit")
    }
}

/// An error of the library below the guard, or of the Rust type above it.
pub(super) enum GuardedError<L> {
    Library(L),
    Data(DataError),
}

impl<L: de::Error> GuardedError<L> {
    pub(super) fn into_library(self) -> L {
        match self {
            GuardedError::Library(error) => error,
            GuardedError::Data(error) => L::custom(error),
        }
    }
}

impl<L> From<DataError> for GuardedError<L> {
    fn from(error: DataError) -> GuardedError<L> {
        GuardedError::Data(error)
    }
}

impl<L: fmt::Display> fmt::Display for GuardedError<L> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            GuardedError::Library(error) => error.fmt(f),
            GuardedError::Data(error) => error.fmt(f),
        }
    }
}

impl<L: fmt::Display> fmt::Debug for GuardedError<L> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl<L: fmt::Display> std::error::Error for GuardedError<L> {}

impl<L: fmt::Display> de::Error for GuardedError<L> {
    wire_error_impl!();
}

/// A deserializer under the guard.
pub(super) struct Guarded<'g, D> {
    inner: D,
    guard: &'g LimitGuard<'g>,
}

impl<'g, D> Guarded<'g, D> {
    #[inline]
    pub(super) fn new(inner: D, guard: &'g LimitGuard<'g>) -> Guarded<'g, D> {
        Guarded { inner, guard }
    }
}

impl<'de, 'g, D: Deserializer<'de>> Guarded<'g, D> {
    #[inline]
    fn visit<V: Visitor<'de>>(self, visitor: V, wanted: Wanted) -> Result<V::Value, GuardedError<D::Error>> {
        self.inner
            .deserialize_any(Guest { visitor, wanted, guard: self.guard })
            .map_err(|error| self.guard.failed(error))
    }
}

macro_rules! integers {
    ($($method:ident($type:ty)),*) => {$(
        #[inline]
        fn $method<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Self::Error> {
            self.visit(visitor, Wanted::Integer { min: <$type>::MIN as i64, max: <$type>::MAX as u64 })
        }
    )*};
}

impl<'de, D: Deserializer<'de>> Deserializer<'de> for Guarded<'_, D> {
    type Error = GuardedError<D::Error>;

    integers!(
        deserialize_i8(i8),
        deserialize_i16(i16),
        deserialize_i32(i32),
        deserialize_i64(i64),
        deserialize_u8(u8),
        deserialize_u16(u16),
        deserialize_u32(u32),
        deserialize_u64(u64)
    );

    /// Reads at most 64 bits, as in every format.
    fn deserialize_i128<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Self::Error> {
        self.visit(visitor, Wanted::Integer { min: i64::MIN, max: u64::MAX })
    }

    fn deserialize_u128<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Self::Error> {
        self.visit(visitor, Wanted::Integer { min: 0, max: u64::MAX })
    }

    #[inline]
    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Self::Error> {
        self.visit(visitor, Wanted::Anything)
    }

    #[inline]
    fn deserialize_f32<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Self::Error> {
        self.visit(visitor, Wanted::Double)
    }

    #[inline]
    fn deserialize_f64<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Self::Error> {
        self.visit(visitor, Wanted::Double)
    }

    fn deserialize_bytes<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Self::Error> {
        self.visit(visitor, Wanted::Octets)
    }

    fn deserialize_byte_buf<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Self::Error> {
        self.visit(visitor, Wanted::Octets)
    }

    #[inline]
    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Self::Error> {
        let guest = Guest { visitor, wanted: Wanted::Anything, guard: self.guard };
        self.inner.deserialize_option(guest).map_err(|error| self.guard.failed(error))
    }

    #[inline]
    fn deserialize_newtype_struct<V: Visitor<'de>>(
        self,
        name: &'static str,
        visitor: V,
    ) -> Result<V::Value, Self::Error> {
        let guest = Guest { visitor, wanted: Wanted::Anything, guard: self.guard };
        self.inner.deserialize_newtype_struct(name, guest).map_err(|error| self.guard.failed(error))
    }

    #[inline]
    fn deserialize_struct<V: Visitor<'de>>(
        self,
        _name: &'static str,
        _fields: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Self::Error> {
        self.visit(visitor, Wanted::Struct)
    }

    fn deserialize_enum<V: Visitor<'de>>(
        self,
        _name: &'static str,
        _variants: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Self::Error> {
        self.visit(EnumVisitor(visitor), Wanted::Anything)
    }

    #[inline]
    fn deserialize_ignored_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Self::Error> {
        self.inner.deserialize_ignored_any(visitor).map_err(|error| self.guard.failed(error))
    }

    serde::forward_to_deserialize_any! {
        bool char str string unit unit_struct seq tuple tuple_struct map identifier
    }
}

/// The type that Rust asked for, where the wire alone would decide differently.
#[derive(Clone, Copy)]
enum Wanted {
    Anything,
    Integer { min: i64, max: u64 },
    Double,
    Octets,
    Struct,
}

/// The placeholder for a refused number in a message. Only the text, which is not at hand there, has it as written.
pub(super) const AS_WRITTEN: &str = "$number";

/// A visitor under the guard.
struct Guest<'g, V> {
    visitor: V,
    wanted: Wanted,
    guard: &'g LimitGuard<'g>,
}

impl<'de, V: Visitor<'de>> Guest<'_, V> {
    #[inline]
    fn signed<E: de::Error>(self, value: i64) -> Result<V::Value, E> {
        match self.wanted {
            Wanted::Integer { min, .. } if value < min => Err(self.out_of_range(value)),
            Wanted::Integer { max, .. } if value > 0 && value.unsigned_abs() > max => Err(self.out_of_range(value)),
            Wanted::Double if exactly(value.into()).is_none() => Err(beyond_double(value.into())),
            _ => self.visitor.visit_i64::<DataError>(value).map_err(E::custom),
        }
    }

    #[inline]
    fn unsigned<E: de::Error>(self, value: u64) -> Result<V::Value, E> {
        match self.wanted {
            Wanted::Integer { max, .. } if value > max => Err(self.out_of_range(value)),
            Wanted::Double if exactly(value.into()).is_none() => Err(beyond_double(value.into())),
            _ => self.visitor.visit_u64::<DataError>(value).map_err(E::custom),
        }
    }

    #[cold]
    fn out_of_range<E: de::Error>(&self, value: impl fmt::Display) -> E {
        let (min, max) = match self.wanted {
            Wanted::Integer { min, max } => (min, max),
            _ => (i64::MIN, u64::MAX),
        };
        E::custom(format_args!("expected an integer from {min} to {max}, found {value}"))
    }

    #[inline]
    fn text<E: de::Error>(
        self,
        text: &str,
        visit: impl FnOnce(V) -> Result<V::Value, DataError>,
    ) -> Result<V::Value, E> {
        match self.wanted {
            Wanted::Octets => match Base64::decode(text) {
                Ok(octets) => self.visitor.visit_byte_buf::<DataError>(octets).map_err(E::custom),
                Err(_) => Err(E::custom(DataError::invalid_value(Unexpected::Str(text), &"base64"))),
            },
            Wanted::Integer { .. } if self.guard.options.large_integers_as_text => {
                match (text.parse(), text.parse(), text.parse::<i128>()) {
                    (Ok(value), _, _) => self.signed(value),
                    (_, Ok(value), _) => self.unsigned(value),
                    (_, _, Ok(value)) => Err(self.out_of_range(value)),
                    _ => visit(self.visitor).map_err(E::custom),
                }
            }
            _ => visit(self.visitor).map_err(E::custom),
        }
    }
}

impl<'de, V: Visitor<'de>> Visitor<'de> for Guest<'_, V> {
    type Value = V::Value;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.visitor.expecting(f)
    }

    #[inline]
    fn visit_bool<E: de::Error>(self, value: bool) -> Result<V::Value, E> {
        self.visitor.visit_bool::<DataError>(value).map_err(E::custom)
    }

    #[inline]
    fn visit_i64<E: de::Error>(self, value: i64) -> Result<V::Value, E> {
        self.signed(value)
    }

    #[inline]
    fn visit_u64<E: de::Error>(self, value: u64) -> Result<V::Value, E> {
        self.unsigned(value)
    }

    #[inline]
    fn visit_f64<E: de::Error>(self, value: f64) -> Result<V::Value, E> {
        match self.guard.take_double(value, self.wanted) {
            NumberTarget::Double => {}
            NumberTarget::Signed(value) => return self.signed(value),
            NumberTarget::Unsigned(value) => return self.unsigned(value),
            NumberTarget::Nothing => return Err(E::custom(format_args!("expected int, found double {AS_WRITTEN}"))),
        }
        self.visitor.visit_f64::<DataError>(value).map_err(E::custom)
    }

    #[inline]
    fn visit_str<E: de::Error>(self, text: &str) -> Result<V::Value, E> {
        self.text(text, |visitor| visitor.visit_str(text))
    }

    #[inline]
    fn visit_borrowed_str<E: de::Error>(self, text: &'de str) -> Result<V::Value, E> {
        self.text(text, |visitor| visitor.visit_borrowed_str(text))
    }

    #[inline]
    fn visit_unit<E: de::Error>(self) -> Result<V::Value, E> {
        self.visitor.visit_unit::<DataError>().map_err(E::custom)
    }

    #[inline]
    fn visit_none<E: de::Error>(self) -> Result<V::Value, E> {
        self.visitor.visit_none::<DataError>().map_err(E::custom)
    }

    #[inline]
    fn visit_some<D: Deserializer<'de>>(self, inner: D) -> Result<V::Value, D::Error> {
        self.visitor.visit_some(Guarded::new(inner, self.guard)).map_err(GuardedError::into_library)
    }

    #[inline]
    fn visit_newtype_struct<D: Deserializer<'de>>(self, inner: D) -> Result<V::Value, D::Error> {
        self.visitor.visit_newtype_struct(Guarded::new(inner, self.guard)).map_err(GuardedError::into_library)
    }

    #[inline]
    fn visit_seq<A: SeqAccess<'de>>(self, inner: A) -> Result<V::Value, A::Error> {
        if let Wanted::Struct = self.wanted {
            return Err(de::Error::custom("expected struct, found array"));
        }
        let guard = self.guard;
        guard.enter().map_err(OverLimit::error)?;
        let mut items = GuardedAccess::new(inner, guard);
        let value = self.visitor.visit_seq(&mut items).map_err(GuardedError::into_library);
        guard.leave();
        let value = value?;
        if items.inner.next_element::<IgnoredAny>()?.is_some() {
            return Err(de::Error::custom("expected the end of the array, found one more item"));
        }
        Ok(value)
    }

    #[inline]
    fn visit_map<A: MapAccess<'de>>(self, inner: A) -> Result<V::Value, A::Error> {
        let guard = self.guard;
        guard.enter().map_err(OverLimit::error)?;
        let value = self.visitor.visit_map(GuardedAccess::new(inner, guard)).map_err(GuardedError::into_library);
        guard.leave();
        value
    }
}

/// A visitor for an enum: a string is a variant without content; an object of one member, named for the variant, is a
/// variant with content.
struct EnumVisitor<V>(V);

impl<'de, V: Visitor<'de>> Visitor<'de> for EnumVisitor<V> {
    type Value = V::Value;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("string or struct of one member")
    }

    fn visit_str<E: de::Error>(self, name: &str) -> Result<V::Value, E> {
        self.0.visit_enum(name.into_deserializer())
    }

    fn visit_map<A: MapAccess<'de>>(self, mut members: A) -> Result<V::Value, A::Error> {
        let value = self.0.visit_enum(Variant(&mut members))?;
        match members.next_key::<IgnoredAny>()? {
            None => Ok(value),
            Some(_) => Err(de::Error::custom("expected struct of one member, found one more")),
        }
    }
}

/// The items of an array, or the members of an object, under the guard.
struct GuardedAccess<'g, 'de, A> {
    inner: A,
    guard: &'g LimitGuard<'g>,
    /// The number of items that were read.
    index: usize,
    /// The name of the current member.
    name: Cow<'de, str>,
}

impl<'g, A> GuardedAccess<'g, '_, A> {
    #[inline]
    fn new(inner: A, guard: &'g LimitGuard<'g>) -> Self {
        GuardedAccess { inner, guard, index: 0, name: Cow::Borrowed("") }
    }

    /// Returns the number of arrays and structs around this one.
    fn depth(&self) -> u32 {
        self.guard.options.limits.depth - self.guard.depth_left.get()
    }
}

impl<'de, A: SeqAccess<'de>> SeqAccess<'de> for GuardedAccess<'_, 'de, A> {
    type Error = GuardedError<A::Error>;

    #[inline]
    fn next_element_seed<T: DeserializeSeed<'de>>(&mut self, seed: T) -> Result<Option<T::Value>, Self::Error> {
        let depth = self.depth();
        let item = self.inner.next_element_seed(Seed { seed, guard: self.guard });
        self.index += 1;
        item.map_err(|error| {
            place::note_item(depth, self.index - 1);
            self.guard.failed(error)
        })
    }

    fn size_hint(&self) -> Option<usize> {
        self.inner.size_hint()
    }
}

impl<'de, A: MapAccess<'de>> MapAccess<'de> for GuardedAccess<'_, 'de, A> {
    type Error = GuardedError<A::Error>;

    #[inline]
    fn next_key_seed<T: DeserializeSeed<'de>>(&mut self, seed: T) -> Result<Option<T::Value>, Self::Error> {
        self.inner.next_key_seed(KeySeed { seed, name: &mut self.name }).map_err(|error| self.guard.failed(error))
    }

    #[inline]
    fn next_value_seed<T: DeserializeSeed<'de>>(&mut self, seed: T) -> Result<T::Value, Self::Error> {
        let depth = self.depth();
        self.inner.next_value_seed(Seed { seed, guard: self.guard }).map_err(|error| {
            place::note_member(depth, &self.name);
            self.guard.failed(error)
        })
    }

    fn size_hint(&self) -> Option<usize> {
        self.inner.size_hint()
    }
}

/// The seed of an item or a member.
struct Seed<'g, T> {
    seed: T,
    guard: &'g LimitGuard<'g>,
}

impl<'de, T: DeserializeSeed<'de>> DeserializeSeed<'de> for Seed<'_, T> {
    type Value = T::Value;

    #[inline]
    fn deserialize<D: Deserializer<'de>>(self, inner: D) -> Result<T::Value, D::Error> {
        self.guard.count_member().map_err(OverLimit::error)?;
        self.seed.deserialize(Guarded::new(inner, self.guard)).map_err(GuardedError::into_library)
    }
}

/// The seed of a member's name. Names are text; map keys of other types are read from it.
struct KeySeed<'n, 'de, T> {
    seed: T,
    /// The place to keep the name.
    name: &'n mut Cow<'de, str>,
}

impl<'de, T: DeserializeSeed<'de>> DeserializeSeed<'de> for KeySeed<'_, 'de, T> {
    type Value = T::Value;

    #[inline]
    fn deserialize<D: Deserializer<'de>>(self, inner: D) -> Result<T::Value, D::Error> {
        inner.deserialize_str(self)
    }
}

impl<'de, T: DeserializeSeed<'de>> Visitor<'de> for KeySeed<'_, 'de, T> {
    type Value = T::Value;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the name of a member")
    }

    #[inline]
    fn visit_borrowed_str<E: de::Error>(self, name: &'de str) -> Result<T::Value, E> {
        *self.name = Cow::Borrowed(name);
        self.seed.deserialize(MemberName::<DataError>::new(name.into())).map_err(E::custom)
    }

    #[inline]
    fn visit_str<E: de::Error>(self, name: &str) -> Result<T::Value, E> {
        *self.name = Cow::Owned(name.to_owned());
        self.seed.deserialize(MemberName::<DataError>::new(name.to_owned().into())).map_err(E::custom)
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use serde::de::DeserializeOwned;

    use super::*;
    use crate::service::Limits;
    use crate::wire::value::Value;

    #[derive(Debug, PartialEq, serde::Deserialize)]
    enum Figure {
        Point,
        Circle(f64),
        Square { side: i32 },
    }

    fn read<T: DeserializeOwned>(text: &str, guard: &LimitGuard<'_>) -> Result<T, String> {
        let read = T::deserialize(Guarded::new(&mut serde_json::Deserializer::from_str(text), guard));
        // the library adds a place
        read.map_err(|error| error.to_string()).map_err(|error| error.split(" at line ").next().unwrap().to_owned())
    }

    fn options(depth: u32, members: usize, large_integers_as_text: bool) -> JsonOptions {
        JsonOptions { limits: Limits { depth, members, ..Limits::default() }, large_integers_as_text }
    }

    fn refusal<T: DeserializeOwned>(text: &str) -> String {
        read::<T>(text, &LimitGuard::new(&options(64, 100, false))).err().unwrap_or_default()
    }

    #[test]
    fn values_roundtrip() {
        let options = options(64, 100, false);
        for text in [
            "null",
            "[]",
            "{}",
            "-9223372036854775808",
            "1.5e-7",
            r#"["a\"\\b",true,{"c":[1,2.5],"":null}]"#,
            r#""1998-07-17T14:08:55""#,
        ] {
            let value: Value = read(text, &LimitGuard::new(&options)).unwrap();
            assert_eq!(serde_json::to_string(&value).unwrap(), text);
        }
    }

    /// Whole numbers are integers (JSON Schema 2020-12, §6.1.1); octets are those of RFC 4648 §10.
    #[test]
    fn types_spec() {
        let options = options(64, 100, true);
        let guard = LimitGuard::new(&options);
        for (text, number) in [("100", 100), ("1e2", 100), ("100.0", 100), ("-0.0", 0), ("\"7\"", 7)] {
            assert_eq!(read(text, &guard), Ok(number), "{text}");
        }
        assert_eq!(read("\"18446744073709551615\"", &guard), Ok(u64::MAX));
        assert_eq!(read("18446744073709551615", &guard), Ok(u64::MAX));
        assert_eq!(read("\"\\u00fc\"", &guard), Ok('ü'));
        assert_eq!(read("\"Zm9vYg==\"", &guard), Ok(Base64(b"foob".to_vec())));
        assert_eq!(read("3", &guard), Ok(3.0));
        assert_eq!(read("[null,1]", &guard), Ok((None::<i32>, Some(1))));
        assert_eq!(read(r#"{"-7":[true]}"#, &guard), Ok(BTreeMap::from([(-7, [true])])));
        for (text, figure) in [
            (r#""Point""#, Figure::Point),
            (r#"{"Circle":1}"#, Figure::Circle(1.0)),
            (r#"{"Square":{"side":3}}"#, Figure::Square { side: 3 }),
        ] {
            assert_eq!(read(text, &guard), Ok(figure));
        }
    }

    #[test]
    fn types_invalid() {
        for (found, expected) in [
            (refusal::<i8>("128"), "expected an integer from -128 to 127, found 128"),
            (refusal::<u16>("-1"), "expected an integer from 0 to 65535, found -1"),
            (refusal::<i32>("\"7\""), "expected int, found string \"7\""),
            (refusal::<i32>("1.5"), "expected int, found double $number"),
            (refusal::<bool>("1"), "expected boolean, found int 1"),
            (
                refusal::<f64>("9007199254740993"),
                "expected double, found int 9007199254740993, which a double cannot hold exactly",
            ),
            (refusal::<Base64>("\"Zm9v!\""), "expected base64, found string \"Zm9v!\""),
            (refusal::<Vec<i32>>("{}"), "expected array, found struct"),
            (refusal::<(i32, i32)>("[1]"), "expected array of 2 items, found 1 items"),
            (refusal::<(i32,)>("[1,2]"), "expected the end of the array, found one more item"),
            (refusal::<Figure>("1"), "expected string or struct of one member, found int 1"),
            (refusal::<Figure>("{}"), "expected struct of one member, found an empty one"),
            (refusal::<Figure>(r#"{"Circle":1,"a":2}"#), "expected struct of one member, found one more"),
            (refusal::<Figure>(r#"{"Square":[3]}"#), "expected struct, found array"),
        ] {
            assert_eq!(found, expected);
        }
    }

    #[test]
    fn limits_invalid() {
        let options = options(2, 3, false);
        let guard = LimitGuard::new(&options);
        assert_eq!(read::<Value>("[[1]]", &guard).map(|_| ()), Ok(()));
        assert!(guard.exceeded().is_none());
        let guard = LimitGuard::new(&options);
        assert!(read::<Value>("[[[]]]", &guard).is_err());
        assert_eq!(guard.exceeded().as_deref(), Some("arrays and structs nested deeper than 2"));
        guard.begin();
        assert!(guard.exceeded().is_none());
        assert!(read::<Value>(r#"{"a":1,"b":2}"#, &guard).is_err());
        assert_eq!(guard.exceeded().as_deref(), Some("more than 3 array items and struct members"));
    }
}
