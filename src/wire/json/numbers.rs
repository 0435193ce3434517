//! Numbers as written in a text, and whether a double keeps all of their digits.

use super::typed::{AS_WRITTEN, Doubles};
use crate::wire::value::excerpt;

/// Returns the numbers of a valid JSON text, each with its place.
pub(super) fn of(text: &str) -> impl Iterator<Item = (usize, &str)> {
    let octets = text.as_bytes();
    let mut at = 0;
    std::iter::from_fn(move || {
        while let Some(octet) = octets.get(at) {
            match octet {
                b'"' => at = behind_string(octets, at),
                b'-' | b'0'..=b'9' => {
                    let start = at;
                    at += octets[at..].iter().take_while(|octet| is_of_number(**octet)).count();
                    return Some((start, &text[start..at]));
                }
                _ => at += 1,
            }
        }
        None
    })
}

/// Returns the place behind the string that begins here.
fn behind_string(octets: &[u8], start: usize) -> usize {
    let mut at = start + 1;
    loop {
        match octets.get(at) {
            Some(b'\\') => at += 2,
            Some(b'"') | None => return at + 1,
            Some(_) => at += 1,
        }
    }
}

fn is_of_number(octet: u8) -> bool {
    matches!(octet, b'-' | b'+' | b'.' | b'e' | b'E' | b'0'..=b'9')
}

/// Returns the number at an octet of a text, or just before it, for a message.
pub(super) fn around(text: &str, at: usize) -> &str {
    const MAX_DIGITS: usize = 100;

    let octets = text.as_bytes();
    let mut start = at.min(octets.len());
    while start > 0 && at - start < MAX_DIGITS && is_of_number(octets[start - 1]) {
        start -= 1;
    }
    let length = octets[start..].iter().take(MAX_DIGITS).take_while(|octet| is_of_number(**octet)).count();
    &text[start..start + length]
}

/// Returns the message for a double where an integer was expected. It shows the number as written, which may be an
/// integer of more than 64 bits.
pub(super) fn refused(message: &str, number: &str) -> String {
    let is_integer = number.bytes().all(|octet| octet == b'-' || octet.is_ascii_digit());
    if is_integer { too_wide(number) } else { message.replacen(AS_WRITTEN, &excerpt(number), 1) }
}

fn too_wide(number: &str) -> String {
    format!("expected an integer of at most 64 bits, found {}: a string can have it", excerpt(number))
}

/// Returns a message if a number has lost digits.
pub(super) fn loss(number: &str, doubles: Doubles) -> Option<String> {
    let is_integer = number.bytes().all(|octet| octet == b'-' || octet.is_ascii_digit());
    if !is_integer {
        // a number with an exponent or fraction is a double and loses nothing, unless it was taken for an integer
        return (doubles.as_integers && !is_exact(number))
            .then(|| format!("expected int, found double {}", excerpt(number)));
    }
    if number.parse::<i64>().is_ok() || number.parse::<u64>().is_ok() {
        return None;
    }
    // JavaScript writes a large double as its significant digits, then zeros
    let is_double = number.parse::<f64>().is_ok_and(|double| double.to_string() == number);
    match is_double && !doubles.as_anything && !doubles.as_integers {
        true => None,
        false => Some(too_wide(number)),
    }
}

/// Tests if a double is exactly the whole number that is written with an exponent or fraction.
fn is_exact(number: &str) -> bool {
    let Ok(double) = number.parse::<f64>() else { return false };
    if double.abs() < (1_u64 << 53) as f64 || double.fract() != 0.0 {
        return true;
    }
    let (mantissa, exponent) = number.split_once(['e', 'E']).unwrap_or((number, "0"));
    let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
    let Ok(exponent) = exponent.parse::<i32>() else { return false };
    let digits = format!("{whole}{fraction}");
    let zeros = exponent - fraction.len() as i32;
    // 64 bits have 20 digits
    let digits = match usize::try_from(zeros) {
        Ok(zeros) if zeros < 40 => digits + &"0".repeat(zeros),
        Ok(_) => return false,
        Err(_) => {
            let (kept, cut) = digits.split_at(digits.len().saturating_sub(zeros.unsigned_abs() as usize));
            if cut.bytes().any(|digit| digit != b'0') {
                return false;
            }
            kept.to_owned()
        }
    };
    digits.parse::<i128>().is_ok_and(|integer| integer == double as i128)
}

/// Refuses a text with an integer of more than 64 bits, for texts that the library reads alone.
///
/// # Errors
/// A message that shows the integer and says that a string can have it.
#[cfg(feature = "program")]
pub(crate) fn check(text: &str) -> Result<(), String> {
    let doubles = Doubles { as_anything: true, ..Doubles::default() };
    of(text).find_map(|(_, number)| loss(number, doubles)).map_or(Ok(()), Err)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_of_a_text() {
        let text = r#"{"a1": [-5, 2.5e3, "6\"7"], "b": 1e400,"c":0}"#;
        let found: Vec<&str> = of(text)
            .map(|(at, number)| {
                assert!(text[at..].starts_with(number));
                number
            })
            .collect();
        assert_eq!(found, ["-5", "2.5e3", "1e400", "0"]);
        assert_eq!(around("[12.50]", 6), "12.50");
        assert_eq!(around("[12.50]", 3), "12.50");
    }

    #[test]
    fn what_is_lost() {
        let any = Doubles { as_anything: true, ..Doubles::default() };
        let double = Doubles { as_doubles: true, ..Doubles::default() };
        let integer = Doubles { as_integers: true, ..Doubles::default() };
        for (number, doubles, is_lost) in [
            ("1e300", any, false),
            ("18446744073709551615", any, false),
            ("18446744073709551616", any, true),
            ("-9223372036854775809", any, true),
            ("100000000000000000000", any, true),
            ("100000000000000000000", double, false),
            ("100000000000000000001", double, true),
            ("1e18", integer, false),
            ("9007199254740992.0", integer, false),
            ("9007199254740993.0", integer, true),
            ("9007199254740993.0", double, false),
            ("9.007199254740993e15", integer, true),
        ] {
            assert_eq!(loss(number, doubles).is_some(), is_lost, "{number}");
        }
    }

    #[cfg(feature = "program")]
    #[test]
    fn texts_of_others() {
        assert!(check("[1, 2.5]").is_ok());
        let message = "expected an integer of at most 64 bits, found 18446744073709551616: a string can have it";
        assert_eq!(check("[18446744073709551616]"), Err(message.into()));
    }
}
