//! A date and time without a zone.

use std::borrow::Cow;
use std::fmt;
use std::ops::Deref;
use std::str::FromStr;

use chrono::{Datelike, NaiveDate, NaiveDateTime, TimeDelta, Timelike};
use schemars::{JsonSchema, Schema, SchemaGenerator};
use serde::de::{self, Deserialize, Deserializer, Visitor};
use serde::ser::{Serialize, Serializer};

use crate::wire::Type;

/// A date and time that travels as `dateTime.iso8601`, in every protocol.
///
/// Written `YYYYMMDDTHH:MM:SS`, as the XML-RPC specification has it: no zone, no fraction. Read in every form that
/// clients send: `19980717T14:08:55`, `1998-07-17T14:08:55`, without colons, with a blank for the `T`, with a fraction,
/// and with a zone, which is applied: the value is then the time in UTC. A format without such a type, such as JSON,
/// gets it as a string, with the dashes that JavaScript's `Date` wants: `1998-07-17T14:08:55`.
///
/// # Example
///
/// ```
/// use rpcgi::DateTime;
///
/// let a: DateTime = "19980717T14:08:55".parse()?;
/// let b: DateTime = "1998-07-17T16:08:55.00+02:00".parse()?;
/// assert_eq!(a, b);
/// assert_eq!(b.to_string(), "19980717T14:08:55");
/// # Ok::<(), rpcgi::xmlrpc::ParseDateTimeError>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct DateTime(pub NaiveDateTime);

/// The error for a text that is not a date and time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ParseDateTimeError;

impl fmt::Display for ParseDateTimeError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("not a date and time of the form YYYYMMDDTHH:MM:SS")
    }
}

impl std::error::Error for ParseDateTimeError {}

impl DateTime {
    /// The name by which formats that have the type recognise it.
    pub(crate) const NAME: &'static str = "$rpcgi::DateTime";

    /// Octets of the written form.
    const LEN: usize = 17;

    /// Reads the date that a deserializer announced.
    pub(crate) fn from_text<'de, D: Deserializer<'de>>(deserializer: D) -> Result<DateTime, D::Error> {
        deserializer.deserialize_str(DateTimeVisitor)
    }

    /// Returns the written form, or `None` for a year that does not have four digits.
    pub(crate) fn format(&self) -> Option<[u8; DateTime::LEN]> {
        let (date, time) = (self.0.date(), self.0.time());
        let year = u32::try_from(date.year()).ok().filter(|year| *year <= 9999)?;
        let mut out = *b"yyyymmddThh:mm:ss";
        // chrono counts a leap second as nanoseconds beyond the 59th
        let second = time.second() + time.nanosecond() / 1_000_000_000;
        let fields = [year / 100, year % 100, date.month(), date.day(), time.hour(), time.minute(), second];
        for (at, field) in [0, 2, 4, 6, 9, 12, 15].into_iter().zip(fields) {
            out[at] = b'0' + (field / 10) as u8;
            out[at + 1] = b'0' + (field % 10) as u8;
        }
        Some(out)
    }
}

impl From<NaiveDateTime> for DateTime {
    fn from(value: NaiveDateTime) -> DateTime {
        DateTime(value)
    }
}

impl From<DateTime> for NaiveDateTime {
    fn from(value: DateTime) -> NaiveDateTime {
        value.0
    }
}

impl Deref for DateTime {
    type Target = NaiveDateTime;

    fn deref(&self) -> &NaiveDateTime {
        &self.0
    }
}

impl fmt::Display for DateTime {
    /// Writes the written form; chrono's own for a year that does not have four digits.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.format() {
            Some(text) => f.write_str(ascii(&text)),
            None => fmt::Display::fmt(&self.0, f),
        }
    }
}

impl FromStr for DateTime {
    type Err = ParseDateTimeError;

    fn from_str(text: &str) -> Result<DateTime, ParseDateTimeError> {
        parse(text.trim_ascii().as_bytes()).map(DateTime).ok_or(ParseDateTimeError)
    }
}

fn parse(text: &[u8]) -> Option<NaiveDateTime> {
    let mut rest = text;
    let (year, month, day) = parse_date(&mut rest)?;
    let [b'T' | b't' | b' ', time @ ..] = rest else {
        return None;
    };
    rest = time;
    let (hour, minute, second) = parse_time(&mut rest)?;
    let nanosecond = parse_fraction(&mut rest)?;
    let offset = parse_zone(rest)?;
    let leap = u32::from(second == 60);
    NaiveDate::from_ymd_opt(year as i32, month, day)?
        .and_hms_nano_opt(hour, minute, second - leap, nanosecond + leap * 1_000_000_000)?
        .checked_sub_signed(offset)
        .filter(|date| (0..=9999).contains(&date.year()))
}

/// Takes `count` digits off the front.
fn digits(rest: &mut &[u8], count: usize) -> Option<u32> {
    let (digits, after) = rest.split_at_checked(count)?;
    let mut number = 0;
    for digit in digits {
        number = number * 10 + u32::from(digit.checked_sub(b'0').filter(|digit| *digit < 10)?);
    }
    *rest = after;
    Some(number)
}

/// Takes `octet` off the front if it is there.
fn take(rest: &mut &[u8], octet: u8) -> bool {
    let found = rest.first() == Some(&octet);
    if found {
        *rest = &rest[1..];
    }
    found
}

/// Parses `YYYYMMDD` or `YYYY-MM-DD`.
fn parse_date(rest: &mut &[u8]) -> Option<(u32, u32, u32)> {
    let year = digits(rest, 4)?;
    let dashes = take(rest, b'-');
    let month = digits(rest, 2)?;
    if take(rest, b'-') != dashes {
        return None;
    }
    Some((year, month, digits(rest, 2)?))
}

/// Parses `HH:MM:SS` or `HHMMSS`.
fn parse_time(rest: &mut &[u8]) -> Option<(u32, u32, u32)> {
    let hour = digits(rest, 2)?;
    let colons = take(rest, b':');
    let minute = digits(rest, 2)?;
    if take(rest, b':') != colons {
        return None;
    }
    Some((hour, minute, digits(rest, 2)?))
}

/// Parses nothing, or a point or comma and at least one digit: nanoseconds.
fn parse_fraction(rest: &mut &[u8]) -> Option<u32> {
    if !(take(rest, b'.') || take(rest, b',')) {
        return Some(0);
    }
    let len = rest.iter().take_while(|octet| octet.is_ascii_digit()).count();
    let mut fraction = &rest[..len.min(9)];
    let written = fraction.len() as u32;
    *rest = &rest[len..];
    match written {
        0 => None,
        _ => Some(digits(&mut fraction, written as usize)? * 10_u32.pow(9 - written)),
    }
}

/// Parses nothing, `Z`, `+HH:MM`, `+HHMM` or `+HH`: how far local time is ahead of UTC.
fn parse_zone(mut rest: &[u8]) -> Option<TimeDelta> {
    let ahead = match rest.first() {
        None => return Some(TimeDelta::zero()),
        Some(b'Z' | b'z') => return (rest.len() == 1).then(TimeDelta::zero),
        Some(b'+') => 1,
        Some(b'-') => -1,
        Some(_) => return None,
    };
    rest = &rest[1..];
    let hours = digits(&mut rest, 2).filter(|hours| *hours < 24)?;
    let colon = take(&mut rest, b':');
    let minutes = match rest.is_empty() && !colon {
        true => 0,
        false => digits(&mut rest, 2).filter(|minutes| *minutes < 60)?,
    };
    rest.is_empty().then(|| TimeDelta::minutes(ahead * i64::from(hours * 60 + minutes)))
}

impl Serialize for DateTime {
    /// # Errors
    /// If the year does not have four digits.
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_newtype_struct(DateTime::NAME, &DateTimeText(self))
    }
}

/// The content: without dashes for a format that recognised the name, with them for all others.
struct DateTimeText<'a>(&'a DateTime);

impl Serialize for DateTimeText<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let Some(text) = self.0.format() else {
            return Err(serde::ser::Error::custom(format_args!("the year of {} has not four digits", self.0.0)));
        };
        match serializer.is_human_readable() {
            true => serializer.serialize_str(ascii(&with_dashes(&text))),
            false => serializer.serialize_str(ascii(&text)),
        }
    }
}

fn with_dashes(text: &[u8; DateTime::LEN]) -> [u8; DateTime::LEN + 2] {
    let mut out = *b"yyyy-mm-ddThh:mm:ss";
    out[..4].copy_from_slice(&text[..4]);
    out[5..7].copy_from_slice(&text[4..6]);
    out[8..].copy_from_slice(&text[6..]);
    out
}

/// Returns the text of octets that are digits and punctuation.
fn ascii(octets: &[u8]) -> &str {
    std::str::from_utf8(octets).unwrap_or_default()
}

impl<'de> Deserialize<'de> for DateTime {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<DateTime, D::Error> {
        deserializer.deserialize_newtype_struct(DateTime::NAME, DateTimeVisitor)
    }
}

struct DateTimeVisitor;

impl<'de> Visitor<'de> for DateTimeVisitor {
    type Value = DateTime;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(Type::DateTime.name())
    }

    fn visit_newtype_struct<D: Deserializer<'de>>(self, deserializer: D) -> Result<DateTime, D::Error> {
        DateTime::from_text(deserializer)
    }

    fn visit_str<E: de::Error>(self, text: &str) -> Result<DateTime, E> {
        text.parse().map_err(|error| E::custom(format_args!("\"{}\" is {error}", super::excerpt(text))))
    }
}

impl JsonSchema for DateTime {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> Cow<'static, str> {
        "DateTime".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        Type::DateTime.schema()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parse_takes_every_form_in_the_field() {
        for text in [
            "19980717T14:08:55",
            "1998-07-17T14:08:55",
            "1998-07-17 14:08:55",
            "19980717T140855",
            " 19980717T14:08:55\n",
            "19980717T14:08:55Z",
            "1998-07-17T14:08:55+00:00",
            "1998-07-17T16:08:55+0200",
            "1998-07-17T13:38:55-00:30",
            "1998-07-17T15:08:55+01",
        ] {
            assert_eq!(
                text.parse::<DateTime>().map(|date| date.to_string()),
                Ok("19980717T14:08:55".into()),
                "{text:?}"
            );
        }
    }

    #[test]
    fn fraction_is_kept_in_the_value_and_left_out_on_the_wire() {
        for (text, nanosecond) in
            [("19980717T14:08:55.5", 500_000_000), ("1998-07-17T14:08:55,1234567891Z", 123_456_789)]
        {
            let date: DateTime = text.parse().unwrap();
            assert_eq!(date.nanosecond(), nanosecond);
            assert_eq!(date.to_string(), "19980717T14:08:55");
        }
    }

    #[test]
    fn parse_invalid() {
        for text in [
            "",
            "now",
            "19980717",
            "19981317T14:08:55",
            "19980717T24:08:55",
            "19980717T14:60:55",
            "19980717T14:08:61",
            "1998-0717T14:08:55",
            "19980717T14:0855",
            "19980717T14:08:55.",
            "19980717T14:08:55+",
            "19980717T14:08:55+02:",
            "19980717T14:08:55ZZ",
            "99991231T23:59:59-05:00",
            "00000101T00:00:00+05:00",
            "19980717T14:08:55+24:00",
            "１９９８0717T14:08:55",
            "-19980717T14:08:55",
        ] {
            assert_eq!(text.parse::<DateTime>(), Err(ParseDateTimeError), "{text:?}");
        }
    }

    #[test]
    fn leap_second_roundtrip() {
        assert_eq!("19981231T23:59:60".parse::<DateTime>().unwrap().to_string(), "19981231T23:59:60");
    }

    #[test]
    fn years_without_four_digits_are_not_written() {
        let date = DateTime(NaiveDate::from_ymd_opt(12345, 1, 1).unwrap().and_hms_opt(0, 0, 0).unwrap());
        assert_eq!(
            serde_json::to_string(&date).unwrap_err().to_string(),
            "the year of +12345-01-01 00:00:00 has not four digits"
        );
    }
}
