//! Values as harnesses read and write them: JSON, with tags for what it has no word for.

use crate::manifest::data_type::{Cast, DataType};
use crate::service::Limits;
use crate::wire::json::{JsonOptions, JsonText, write_string};
use crate::wire::value::{Base64, DateTime, Members, Value};

/// The magnitude up to which a double holds every integer exactly.
const LARGEST_EXACT: u64 = 1 << 53;

/// The way in which values are written for a language.
#[derive(Clone, Copy, Debug)]
pub(super) struct TaggedWriter {
    /// Set if integers are doubles there: those beyond 2^53 get a tag.
    pub(super) has_doubles_alone: bool,
}

impl TaggedWriter {
    /// Appends a value that is described by `of`.
    pub(super) fn write(self, value: &Value, of: Option<&DataType>, out: &mut Vec<u8>) {
        let cast = of.and_then(|of| of.cast);
        match value {
            Value::Nil => out.extend_from_slice(b"null"),
            Value::Boolean(value) => out.extend_from_slice(if *value { b"true" } else { b"false" }),
            Value::Int(value) if self.is_tagged(*value, cast) => tag("$int", &value.to_string(), out),
            Value::Int(value) => out.extend_from_slice(itoa::Buffer::new().format(*value).as_bytes()),
            Value::Double(value) => out.extend_from_slice(zmij::Buffer::new().format_finite(*value).as_bytes()),
            Value::String(text) => write_string(text, out),
            Value::DateTime(DateTime(date)) if cast == Some(Cast::Day) => {
                tag("$day", &date.format("%Y-%m-%d").to_string(), out);
            }
            Value::DateTime(DateTime(date)) => tag("$date", &date.format("%Y-%m-%dT%H:%M:%S%.f").to_string(), out),
            Value::Base64(Base64(octets)) => {
                out.extend_from_slice(b"{\"$bytes\":\"");
                Base64::encode_into(octets, out);
                out.extend_from_slice(b"\"}");
            }
            Value::Array(items) => self.write_items(items, of.and_then(|of| of.items.as_deref()), out),
            Value::Struct(members) => self.write_members(members, of, out),
        }
    }

    fn is_tagged(self, value: i64, cast: Option<Cast>) -> bool {
        cast == Some(Cast::BigInt) || self.has_doubles_alone && value.unsigned_abs() > LARGEST_EXACT
    }

    fn write_items(self, items: &[Value], of: Option<&DataType>, out: &mut Vec<u8>) {
        out.push(b'[');
        for (index, item) in items.iter().enumerate() {
            if index > 0 {
                out.push(b',');
            }
            self.write(item, of, out);
        }
        out.push(b']');
    }

    fn write_members(self, members: &Members, of: Option<&DataType>, out: &mut Vec<u8>) {
        let is_like_a_tag = members.len() == 1;
        out.push(b'{');
        for (index, (name, value)) in members.into_iter().enumerate() {
            if index > 0 {
                out.push(b',');
            }
            match is_like_a_tag && name.starts_with('$') {
                true => write_string(&format!("${name}"), out),
                false => write_string(name, out),
            }
            out.push(b':');
            let described = of.and_then(|of| {
                let member = of.members.iter().find(|member| member.name == *name).map(|member| &member.of);
                member.or(of.values.as_deref())
            });
            self.write(value, described, out);
        }
        out.push(b'}');
    }
}

/// Appends an object of one member, whose name is a tag.
fn tag(name: &str, text: &str, out: &mut Vec<u8>) {
    out.extend_from_slice(format!("{{\"{name}\":\"{text}\"}}").as_bytes());
}

/// Reads a value that a harness has written.
///
/// # Errors
/// What is wrong with the text.
pub(super) fn read(text: &[u8], limits: Limits) -> Result<Value, String> {
    let options = JsonOptions { limits, large_integers_as_text: false };
    let mut json = JsonText::new(text, &options).map_err(|error| error.to_string())?;
    let value: Value = json.value().map_err(|error| error.to_string())?;
    match memchr::memmem::find(text, b"{\"$") {
        Some(_) => untag(value),
        None => Ok(value),
    }
}

/// Makes values of tags, from inside outwards.
fn untag(value: Value) -> Result<Value, String> {
    match value {
        Value::Array(items) => Ok(Value::Array(items.into_iter().map(untag).collect::<Result<_, _>>()?)),
        Value::Struct(members) if members.len() == 1 => {
            let mut members = members.into_iter();
            match members.next() {
                Some((name, value)) if name.starts_with('$') => of_tag(name, value),
                Some((name, value)) => Ok(Value::Struct(vec![(name, untag(value)?)].into())),
                None => Ok(Value::Struct(Members::new())),
            }
        }
        Value::Struct(members) => {
            let untagged = members.into_iter().map(|(name, value)| Ok((name, untag(value)?)));
            Ok(Value::Struct(untagged.collect::<Result<Vec<_>, String>>()?.into()))
        }
        scalar => Ok(scalar),
    }
}

fn of_tag(name: String, value: Value) -> Result<Value, String> {
    if name.starts_with("$$") {
        return Ok(Value::Struct(vec![(name[1..].to_owned(), untag(value)?)].into()));
    }
    let unknown = || format!("the tag {name} has a value that it cannot have");
    let Value::String(text) = value else { return Err(unknown()) };
    match &*name {
        "$date" => text.parse().map(Value::DateTime).map_err(|_| unknown()),
        "$bytes" => Base64::decode(&text).map(|octets| Value::Base64(Base64(octets))).map_err(|_| unknown()),
        "$int" => text.parse().map(Value::Int).map_err(|_| unknown()),
        _ => Err(unknown()),
    }
}
