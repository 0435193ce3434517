//! XML for readers: an element that is longer than a line has its children in lines of their own.

use memchr::memchr;

use super::literals::{WIDTH, new_line};

/// Indents a document. White space is added between elements alone, never where there is text. A document that is not
/// well-formed stays as it is.
pub(in crate::docs) fn indented(document: &str) -> String {
    let mut out = String::with_capacity(document.len() * 2);
    match Element::read(document) {
        Some((root, rest)) if rest.trim().is_empty() => {
            root.write(0, &mut out);
            out
        }
        _ => document.to_owned(),
    }
}

/// An element of a document: its whole text, its tags, and its children, if it has nothing else.
struct Element<'a> {
    whole: &'a str,
    start: &'a str,
    end: &'a str,
    children: Vec<Element<'a>>,
}

impl<'a> Element<'a> {
    /// Reads the element at the start of a text, and returns it with what follows; `None` if there is none.
    fn read(text: &'a str) -> Option<(Element<'a>, &'a str)> {
        Element::read_inside(text, 0)
    }

    fn read_inside(text: &'a str, depth: usize) -> Option<(Element<'a>, &'a str)> {
        const DEEPEST: usize = 200;
        let is_tag = text.strip_prefix('<').is_some_and(|name| name.starts_with(char::is_alphabetic));
        let start = (is_tag && depth < DEEPEST).then(|| memchr(b'>', text.as_bytes()).map(|at| &text[..=at]))??;
        let mut rest = &text[start.len()..];
        let mut children = Vec::new();
        if start.ends_with("/>") {
            return Some((Element { whole: start, start, end: "", children }, rest));
        }
        while let Some((child, after)) = Element::read_inside(rest, depth + 1) {
            children.push(child);
            rest = after;
        }
        let close = memchr(b'<', rest.as_bytes())?;
        // text beside children is not touched
        if !children.is_empty() && close > 0 {
            return None;
        }
        let end = &rest[close..=close + memchr(b'>', &rest.as_bytes()[close..])?];
        if !end.starts_with("</") {
            return None;
        }
        let after = &rest[close + end.len()..];
        Some((Element { whole: &text[..text.len() - after.len()], start, end, children }, after))
    }

    fn write(&self, indent: usize, out: &mut String) {
        match &self.children[..] {
            [] => *out += self.whole,
            _ if indent + self.whole.len() <= WIDTH => *out += self.whole,
            // one inside the other, as a value and its type, stand in one line
            [only] => {
                *out += self.start;
                only.write(indent, out);
                *out += self.end;
            }
            children => {
                *out += self.start;
                for child in children {
                    new_line(indent + 2, out);
                    child.write(indent + 2, out);
                }
                new_line(indent, out);
                *out += self.end;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_break_between_elements_alone() {
        let long = "x".repeat(70);
        for (document, expected) in [
            ("<a><b>1</b></a>".to_owned(), "<a><b>1</b></a>".to_owned()),
            (format!("<a><b> {long}</b><c/></a>"), format!("<a>\n  <b> {long}</b>\n  <c/>\n</a>")),
            (format!("<a><b><c>{long}</c><c> </c></b></a>"), format!("<a><b>\n  <c>{long}</c>\n  <c> </c>\n</b></a>")),
            (format!("<a>text<b>{long}</b></a>"), format!("<a>text<b>{long}</b></a>")),
            (format!("<a><b>{long}</b>text</a>"), format!("<a><b>{long}</b>text</a>")),
        ] {
            assert_eq!(indented(&document), expected);
        }
    }

    #[test]
    fn what_is_no_document_stays() {
        for text in ["", "text", "<a>", "<a></a> b", "</a>", "<", "<a><b></a>>", "<!-- <a></a> -->", "<é>"] {
            assert_eq!(indented(text), text);
        }
        let deep = "<a>".repeat(10_000) + &"</a>".repeat(10_000);
        assert_eq!(indented(&deep), deep);
    }
}
