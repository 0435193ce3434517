//! The tags of phpDoc, JSDoc, YARD and LDoc, and the marks around comments.

/// A comment without its marks.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Block {
    /// What stands before the first tag.
    pub(super) text: String,
    pub(super) tags: Vec<Tag>,
}

/// A tag, and what follows it up to the next.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Tag {
    /// Its name, without `@`.
    pub(super) name: String,
    /// LDoc: what stands in brackets right behind the name.
    pub(super) modifiers: Option<String>,
    pub(super) text: String,
}

/// Takes the marks of a comment off its lines.
pub(super) fn unmarked(comment: &str) -> String {
    let comment = comment.trim();
    let block = comment.strip_prefix("/*").map(|inner| inner.strip_suffix("*/").unwrap_or(inner));
    let lines: Vec<&str> = match block {
        Some(inner) => inner.lines().map(|line| line.trim_start().trim_start_matches('*')).collect(),
        None => comment.lines().map(|line| line.trim_start().trim_start_matches(['/', '#', '-', '!'])).collect(),
    };
    let is_spaced = |line: &&&str| line.is_empty() || line.starts_with(' ');
    // one space behind the mark belongs to it
    let kept = lines.iter().map(|line| if is_spaced(&line) { line.get(1..).unwrap_or_default() } else { line });
    without_inline_tags(&kept.collect::<Vec<_>>().join("\n")).trim().to_owned()
}

/// Replaces `{@link x text}` by the text, and takes `{@inheritdoc}` away.
fn without_inline_tags(text: &str) -> String {
    let mut kept = String::new();
    let mut rest = text;
    while let Some((before, after)) = rest.split_once("{@") {
        kept.push_str(before);
        let Some((tag, behind)) = after.split_once('}') else {
            kept.push_str("{@");
            rest = after;
            break;
        };
        let mut words = tag.splitn(3, char::is_whitespace).skip(1);
        let (target, shown) = (words.next(), words.next());
        kept.push_str(shown.or(target).unwrap_or_default().trim());
        rest = behind;
    }
    kept.push_str(rest);
    kept
}

/// Splits a text at its tags: lines that begin with one. Inside of fenced code there are none.
pub(super) fn read(text: &str) -> Block {
    let mut block = Block::default();
    let mut is_code = false;
    for line in text.lines() {
        let begin = line.trim_start().strip_prefix('@').filter(|_| !is_code);
        is_code ^= line.trim_start().starts_with("```");
        let name = begin
            .map(|rest| rest.split(|letter: char| !letter.is_alphanumeric() && letter != '-').next().unwrap_or(rest));
        match (begin, name) {
            (Some(rest), Some(name)) if !name.is_empty() => {
                let rest = rest.get(name.len()..).unwrap_or_default();
                let (modifiers, rest) = match rest.starts_with('[').then(|| bracketed(rest, '[', ']')).flatten() {
                    Some((modifiers, rest)) => (Some(modifiers.to_owned()), rest),
                    None => (None, rest),
                };
                block.tags.push(Tag { name: name.to_owned(), modifiers, text: rest.trim_start().to_owned() });
            }
            _ => {
                let text = block.tags.last_mut().map_or(&mut block.text, |tag| &mut tag.text);
                if !text.is_empty() || !line.trim().is_empty() {
                    text.push_str(if text.is_empty() { "" } else { "\n" });
                    text.push_str(line.trim_end());
                }
            }
        }
    }
    for tag in &mut block.tags {
        tag.text = continued(&tag.text);
    }
    block.text = block.text.trim().to_owned();
    block
}

/// Takes off the indentation of the lines that continue a tag.
fn continued(text: &str) -> String {
    let mut lines = text.lines();
    let first = lines.next().unwrap_or_default().trim_end().to_owned();
    let rest = super::dedented(&lines.collect::<Vec<_>>());
    std::iter::once(first).chain(rest).collect::<Vec<_>>().join("\n").trim().to_owned()
}

/// Takes what stands in brackets off the front of a text. Brackets inside of it are minded.
pub(super) fn bracketed(text: &str, open: char, close: char) -> Option<(&str, &str)> {
    let text = text.trim_start();
    let inner = text.strip_prefix(open)?;
    let mut depth = 1;
    for (at, letter) in inner.char_indices() {
        if letter == open {
            depth += 1;
        } else if letter == close {
            depth -= 1;
            if depth == 0 {
                return Some((&inner[..at], &inner[at + close.len_utf8()..]));
            }
        }
    }
    None
}

/// Takes a type that is not in brackets of its own off the front of a text: up to a space outside of all brackets.
pub(super) fn leading_type(text: &str) -> (&str, &str) {
    let text = text.trim_start();
    let (mut depth, mut quote, mut last) = (0_i32, None, ' ');
    for (at, letter) in text.char_indices() {
        match (quote, letter) {
            (Some(open), _) if letter == open => quote = None,
            (Some(_), _) => {}
            (None, '"' | '\'') => quote = Some(letter),
            (None, '<' | '(' | '[' | '{') => depth += 1,
            (None, '>' | ')' | ']' | '}') => depth -= 1,
            (None, ' ' | '\t' | '\n') if depth <= 0 => {
                let rest = text[at..].trim_start();
                if !rest.starts_with('|') && last != '|' {
                    return (&text[..at], rest);
                }
            }
            (None, _) => {}
        }
        if !letter.is_whitespace() {
            last = letter;
        }
    }
    (text, "")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn marks() {
        for comment in ["/**\n * A\n *   b\n */", "// A\n//   b", "# A\n#   b", "--- A\n--   b", "/** A\n  *   b */"] {
            assert_eq!(unmarked(comment), "A\n  b", "{comment}");
        }
        assert_eq!(unmarked("/** {@inheritdoc} See {@link a.b the other}, {@see c}. {@ */"), "See the other, c. {@");
        assert_eq!(unmarked("---@param x integer"), "@param x integer");
        assert_eq!(unmarked(""), "");
    }

    #[test]
    fn tags() {
        let block = read("A\n\nB\n@param a one\n  two\n\n@tparam[opt=5] int b\n```\n@code\n```\n");
        assert_eq!(block.text, "A\n\nB");
        let tag = |name: &str, modifiers: Option<&str>, text: &str| Tag {
            name: name.into(),
            modifiers: modifiers.map(str::to_owned),
            text: text.into(),
        };
        let expected = [tag("param", None, "a one\ntwo"), tag("tparam", Some("opt=5"), "int b\n```\n@code\n```")];
        assert_eq!(block.tags, expected);
        assert_eq!(read("@").text, "@");
    }

    #[test]
    fn fronts() {
        assert_eq!(bracketed("{{a: T}} x", '{', '}'), Some(("{a: T}", " x")));
        assert_eq!(bracketed("{a", '{', '}'), None);
        assert_eq!(leading_type("array<string, int> $x"), ("array<string, int>", "$x"));
        assert_eq!(leading_type("'a b' | int x"), ("'a b' | int", "x"));
        assert_eq!(leading_type("é"), ("é", ""));
    }
}
