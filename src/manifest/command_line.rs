//! The words of a program's command line, with places for params. No shell ever sees them.

use std::ffi::OsString;
use std::os::unix::ffi::OsStringExt;

use super::call::{Param, refuse};
use super::encoding::ProgramEncoding;
use crate::method::Refusal;
use crate::wire::value::Value;

/// The most octets that Linux takes as one word (MAX_ARG_STRLEN, with the NUL at its end).
pub(super) const MAX_WORD: usize = (128 << 10) - 1;

/// A word of the command line.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Word(Vec<Piece>);

#[derive(Debug, PartialEq, Eq)]
enum Piece {
    Literal(String),
    /// By its index.
    Param(usize),
}

impl Word {
    /// Reads a word as it is written: `{name}` stands for a param, `{{` and `}}` for braces.
    ///
    /// # Errors
    /// A message with what is wrong, and a help that would mend it.
    pub(super) fn parse(text: &str, params: &[Param]) -> Result<Word, (String, Option<String>)> {
        let (mut pieces, mut literal) = (Vec::new(), String::new());
        let mut rest = text;
        while let Some(at) = rest.find(['{', '}']) {
            literal.push_str(&rest[..at]);
            let brace = &rest[at..at + 1];
            rest = &rest[at + 1..];
            if let Some(after) = rest.strip_prefix(brace) {
                literal.push_str(brace);
                rest = after;
                continue;
            }
            let name = match (brace, rest.find('}')) {
                ("{", Some(end)) => &rest[..end],
                _ => return Err((format!("there is a `{brace}` alone"), Some(braces_help()))),
            };
            rest = &rest[name.len() + 1..];
            if !literal.is_empty() {
                pieces.push(Piece::Literal(std::mem::take(&mut literal)));
            }
            pieces.push(Piece::Param(find(name, params)?));
        }
        literal.push_str(rest);
        if !literal.is_empty() || pieces.is_empty() {
            pieces.push(Piece::Literal(literal));
        }
        Ok(Word(pieces))
    }

    /// Returns the word, if it has no places.
    pub(super) fn literal(&self) -> Option<&str> {
        match &self.0[..] {
            [Piece::Literal(text)] => Some(text),
            _ => None,
        }
    }

    /// Returns the param that is the whole word, if there is one.
    pub(super) fn whole(&self) -> Option<usize> {
        match self.0[..] {
            [Piece::Param(index)] => Some(index),
            _ => None,
        }
    }

    /// Returns the params that it has places for.
    pub(super) fn params(&self) -> impl Iterator<Item = usize> {
        self.0.iter().filter_map(|piece| match piece {
            Piece::Literal(_) => None,
            Piece::Param(index) => Some(*index),
        })
    }

    /// Returns the word with arguments in its places; `None` if one of them was left out.
    fn fill(
        &self,
        params: &[Param],
        arguments: &[Option<Value>],
        encoding: ProgramEncoding,
        is_operand: bool,
    ) -> Result<Option<OsString>, Refusal> {
        let mut word = Vec::new();
        for piece in &self.0 {
            match piece {
                Piece::Literal(text) => word.extend_from_slice(&encoding.encode(text).map_err(Refusal::new)?),
                Piece::Param(index) => {
                    let (param, Some(argument)) = (&params[*index], &arguments[*index]) else { return Ok(None) };
                    let text = encoding.text_of(argument).map_err(|problem: String| refuse(*index, param, &problem))?;
                    let text = text.unwrap_or_default();
                    check(*index, param, argument, &text, word.is_empty() && !is_operand)?;
                    word.extend_from_slice(&text);
                }
            }
        }
        Ok(Some(OsString::from_vec(word)))
    }
}

/// Checks an argument that becomes a word, or a part of one; it must not be taken for an option.
fn check(index: usize, param: &Param, argument: &Value, text: &[u8], may_be_option: bool) -> Result<(), Refusal> {
    let problem = if text.contains(&0) {
        "expected a string without NUL, found one"
    } else if text.len() > MAX_WORD {
        "expected a string of at most 131071 octets, which is what a command line takes, found a longer one"
    } else if may_be_option && matches!(argument, Value::String(_)) && text.starts_with(b"-") && !param.leading_dash {
        "expected a string that does not begin with \"-\", found one that does"
    } else {
        return Ok(());
    };
    Err(refuse(index, param, problem))
}

/// Returns the command line with arguments in its places. A word is left out if one of its arguments was.
pub(super) fn fill(
    words: &[Word],
    params: &[Param],
    arguments: &[Option<Value>],
    encoding: ProgramEncoding,
) -> Result<Vec<OsString>, Refusal> {
    let mut is_operand = false;
    let mut filled = Vec::with_capacity(words.len());
    for word in words {
        filled.extend(word.fill(params, arguments, encoding, is_operand)?);
        // by convention nothing behind it is an option
        is_operand |= word.literal() == Some("--");
    }
    Ok(filled)
}

/// Finds the param of a place.
pub(super) fn find(name: &str, params: &[Param]) -> Result<usize, (String, Option<String>)> {
    if let Some(index) = params.iter().position(|param| param.name == name) {
        return Ok(index);
    }
    let near = super::mistake::did_you_mean(name, params.iter().map(|param| &param.name[..]));
    Err((format!("there is no param `{name}`"), Some(near.unwrap_or_else(braces_help))))
}

fn braces_help() -> String {
    "`{name}` stands for a param; write a literal brace twice: {{ or }}".into()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::manifest::data_type::DataType;
    use crate::wire::Type;

    fn params() -> Vec<Param> {
        let param = |name: &str, wire, leading_dash| Param {
            name: name.into(),
            of: DataType::of(wire),
            optional: false,
            default: None,
            own_default: None,
            leading_dash,
        };
        vec![param("a", Type::String, false), param("b", Type::Int, false), param("c", Type::String, true)]
    }

    fn filled(words: &[&str], arguments: &[Option<Value>]) -> Result<Vec<String>, String> {
        let params = params();
        let words: Vec<Word> = words.iter().map(|word| Word::parse(word, &params).unwrap()).collect();
        match fill(&words, &params, arguments, ProgramEncoding::UTF_8) {
            Ok(words) => Ok(words.into_iter().map(|word| word.into_string().unwrap()).collect()),
            Err(refusal) => Err(refusal.into_fault("m").message.trim_start_matches("method \"m\" ").to_owned()),
        }
    }

    fn string(text: &str) -> Option<Value> {
        Some(text.into())
    }

    #[test]
    fn places_are_filled() {
        let arguments = [string("{b} $(x)\n"), Some((-5).into()), None];
        for (word, expected) in [
            ("{a}", &["{b} $(x)\n"][..]),
            ("{b}", &["-5"]),
            ("x{a}y{b}", &["x{b} $(x)\ny-5"]),
            ("{{a}}", &["{a}"]),
            ("{{{b}}}", &["{-5}"]),
            ("", &[""]),
            ("--c={c}", &[]),
            ("{c}", &[]),
        ] {
            assert_eq!(filled(&[word], &arguments).unwrap(), expected, "{word}");
        }
    }

    #[test]
    fn options_are_not_for_the_caller_to_choose() {
        let refused = "param 1 \"a\": expected a string that does not begin with \"-\", found one that does";
        let dash = [string("-rf"), Some((-1).into()), string("-rf")];
        for words in [&["rm", "{a}"][..], &["rm", "{a}.txt"], &["rm", "--", "x", "-x{c}", "{b}", "{c}", "--"]] {
            let has_a = words.iter().any(|word| word.contains("{a}"));
            assert_eq!(filled(words, &dash).err(), has_a.then(|| refused.to_owned()), "{words:?}");
        }
        assert_eq!(filled(&["rm", "--", "{a}"], &dash).unwrap(), ["rm", "--", "-rf"]);
        assert_eq!(filled(&["rm", "./{a}"], &dash).unwrap(), ["rm", "./-rf"]);
        assert_eq!(filled(&["{c}{a}"], &[string("-rf"), None, string("")]).err().unwrap(), refused);
        assert_eq!(filled(&["{a}{c}"], &[string(""), None, string("-rf")]).unwrap(), ["-rf"]);
    }

    #[test]
    fn what_no_command_line_takes() {
        let nul = filled(&["x{a}"], &[string("a\0b"), None, None]);
        assert_eq!(nul.unwrap_err(), "param 1 \"a\": expected a string without NUL, found one");
        let long = filled(&["{a}"], &[string(&"a".repeat(MAX_WORD + 1)), None, None]).unwrap_err();
        assert!(long.starts_with("param 1 \"a\": expected a string of at most 131071 octets"), "{long}");
        assert!(filled(&["{a}"], &[string(&"a".repeat(MAX_WORD)), None, None]).is_ok());
    }

    #[test]
    fn words_invalid() {
        let error = |word: &str| Word::parse(word, &params()).unwrap_err();
        let near = ("there is no param `A`".to_owned(), Some(braces_help()));
        assert_eq!(error("{A}"), near);
        assert_eq!(error("{print $1}").0, "there is no param `print $1`");
        assert_eq!(error("{a").0, "there is a `{` alone");
        assert_eq!(error("a}").0, "there is a `}` alone");
        assert_eq!(error("{}").0, "there is no param ``");
    }
}
