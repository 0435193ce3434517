//! Where the comment of a function stands, and what its own text says of its params.

use super::literal;
use crate::manifest::module::description::{FunctionDescription, ParamDescription, ParamKind};
use crate::manifest::module::language::Language;

/// The most lines of a comment.
const MAX_COMMENT: usize = 500;

/// The lines of a source.
pub(super) struct Lines<'s> {
    source: &'s str,
    lines: Vec<&'s str>,
}

impl<'s> Lines<'s> {
    pub(super) fn of(source: &'s str) -> Lines<'s> {
        Lines { source, lines: source.lines().collect() }
    }

    /// Returns the comment right above a function, with its marks; empty if there is none.
    pub(super) fn comment_of(&self, language: Language, function: &FunctionDescription) -> String {
        let index = match language {
            Language::JavaScript => self.line_of_javascript(function),
            Language::Perl => self.line_of_sub(function),
            _ => function.line.and_then(|line| line.checked_sub(1)),
        };
        match (language, index) {
            (_, None) | (Language::Python | Language::Php, _) => String::new(),
            (Language::JavaScript, Some(index)) => self.above(index, &["//", "*", "/*"]),
            (Language::Lua, Some(index)) => self.above(index, &["--"]),
            (Language::Ruby | Language::Perl, Some(index)) => self.above(index, &["#"]),
        }
    }

    /// Returns the lines above one that begin with one of `marks`. What belongs to the function may stand between.
    fn above(&self, index: usize, marks: &[&str]) -> String {
        let is_comment = |line: &&&str| marks.iter().any(|mark| line.trim_start().starts_with(mark));
        let above = self.lines.get(..index).unwrap_or_default();
        let between = above.iter().rev().take_while(|line| is_decoration(line)).count();
        let above = above.get(..above.len() - between).unwrap_or_default();
        // a block of C's may have lines without a mark
        if above.last().is_some_and(|line| line.trim_end().ends_with("*/")) && marks.contains(&"/*") {
            let begin = above.iter().rposition(|line| line.contains("/*")).unwrap_or(above.len());
            return above.get(begin..).unwrap_or_default().join("\n");
        }
        let count = above.iter().rev().take(MAX_COMMENT).take_while(is_comment).count();
        let comment = above.get(above.len() - count..).unwrap_or_default();
        let is_first_line = comment.first().is_some_and(|line| line.starts_with("#!"));
        let comment = comment.get(usize::from(is_first_line)..).unwrap_or_default().join("\n");
        // a header of the file is about no function
        let is_header = ["copyright", "license", "licence"].iter().any(|word| comment.to_lowercase().contains(word));
        if is_header && above.len() == count { String::new() } else { comment }
    }

    /// Finds the line at which a function of JavaScript begins, by its text.
    fn line_of_javascript(&self, function: &FunctionDescription) -> Option<usize> {
        let offset = match function.source.is_empty() {
            true => None,
            false => self.source.find(&function.source),
        };
        let counted = offset.map(|offset| self.source.get(..offset).unwrap_or_default().matches('\n').count());
        counted.or_else(|| function.line?.checked_sub(1))
    }

    /// Finds the line of a sub of Perl.
    fn line_of_sub(&self, function: &FunctionDescription) -> Option<usize> {
        let name = name_of_own(&function.name);
        // Perl itself knows the lines of first statements only; several packages may have subs of a name, and a script
        // other names for them
        let is_sub = |index: &usize| self.lines.get(*index).is_some_and(|line| name_of_sub(line).is_some());
        let told = function.line.and_then(|line| line.checked_sub(1)).filter(is_sub);
        told.or_else(|| self.lines.iter().position(|line| name_of_sub(line) == Some(name)))
    }

    /// Returns the params of a sub: those of its signature, or those that it takes from `@_` at its beginning.
    pub(super) fn params_of_perl(&self, function: &FunctionDescription) -> Option<Vec<ParamDescription>> {
        let line = self.line_of_sub(function)?;
        let next = self.lines.iter().skip(line + 1).position(|line| name_of_sub(line).is_some());
        let end = next.map_or(self.lines.len(), |next| line + 1 + next);
        let text = self.lines.get(line..end)?.join("\n");
        let (head, body) = text.split_once('{')?;
        let signature = head.split_once('(').and_then(|(_, rest)| rest.rsplit_once(')')).map(|(inner, _)| inner);
        match signature.filter(|inner| inner.trim().is_empty() || inner.contains(char::is_alphabetic)) {
            Some(signature) if head.contains('(') => Some(params_of_signature(signature)),
            _ => params_of_body(body),
        }
    }

    /// Adds the defaults that stand in the line of a method of Ruby.
    pub(super) fn add_ruby_defaults(&self, function: &mut FunctionDescription) {
        let Some(line) = function.line.and_then(|line| self.lines.get(line.checked_sub(1)?)) else { return };
        let Some(list) = line.split_once('(').and_then(|(_, rest)| balanced(rest, ')')) else { return };
        for part in divided(list, ',') {
            let named = part.split_once('=').or_else(|| part.split_once(':'));
            let Some((name, value)) = named.map(|(name, value)| (name.trim(), literal(value))) else { continue };
            let params = function.params.iter_mut().flatten();
            if let Some(param) = params.into_iter().find(|param| param.name == name && param.optional) {
                param.default = value;
            }
        }
    }
}

/// Tests for lines that belong to a function and stand before it: decorators, attributes.
fn is_decoration(line: &str) -> bool {
    let line = line.trim();
    line.starts_with('@') || line.starts_with("#[") || line == "export" || line == "export default"
}

/// Returns the name of a function without what stands before it in a script's names.
pub(super) fn name_of_own(name: &str) -> &str {
    name.rsplit('.').next().unwrap_or(name)
}

fn name_of_sub(line: &str) -> Option<&str> {
    let rest = line.trim_start().strip_prefix("sub ")?.trim_start();
    let end = rest.find(|letter: char| !letter.is_alphanumeric() && letter != '_').unwrap_or(rest.len());
    rest.get(..end)
}

/// Reads `$a, $b = 5, @rest`.
fn params_of_signature(signature: &str) -> Vec<ParamDescription> {
    let param = |part: &str| {
        let (name, default) = part.split_once(['=', '/', '|']).map_or((part, None), |(name, rest)| (name, Some(rest)));
        let kind = kind_of_sigil(name.trim())?;
        let default = default.map(|text| text.trim_start_matches(['=', '/', '|']));
        Some(ParamDescription {
            name: name.trim().get(1..)?.to_owned(),
            optional: default.is_some(),
            default: default.and_then(literal),
            kind,
            ..ParamDescription::default()
        })
    };
    without_object(divided(signature, ',').into_iter().filter_map(param).collect())
}

/// Reads `my ($a, $b) = @_;` and `my $a = shift;` at the beginning of a sub.
fn params_of_body(body: &str) -> Option<Vec<ParamDescription>> {
    let mut params: Vec<ParamDescription> = Vec::new();
    let mut takes_any = true;
    for statement in body.split(';').map(str::trim) {
        let code: Vec<&str> = statement.lines().filter(|line| !line.trim_start().starts_with('#')).collect();
        let code = code.join("\n");
        let Some((left, right)) = code.trim().strip_prefix("my ").and_then(|rest| rest.split_once('=')) else { break };
        let (left, right) = (left.trim(), right.trim());
        let names = left.strip_prefix('(').and_then(|rest| rest.strip_suffix(')')).unwrap_or(left);
        if right == "@_" {
            params.extend(divided(names, ',').into_iter().filter_map(perl_param));
        } else if right == "shift" || right.starts_with("shift ") || right.starts_with("shift(@_)") {
            params.extend(perl_param(names));
            let default = right.split_once("//").or_else(|| right.split_once("||")).map(|(_, default)| default);
            if let (Some(default), Some(param)) = (default, params.last_mut()) {
                (param.optional, param.default) = (true, literal(default));
            }
        } else {
            break;
        }
        takes_any = false;
    }
    if takes_any {
        return None;
    }
    let counts = ["scalar @_", "scalar(@_)", "@_ <", "@_ >", "@_ =="].iter().any(|count| body.contains(count));
    for param in &mut params {
        let left_out = ["//=", "||=", "//", "||"].iter().find_map(|operator| {
            let (_, rest) = body.split_once(&format!("${} {operator}", param.name))?;
            Some(rest.trim_start().split([';', ',', ']', ')', '}', '\n']).next().and_then(literal))
        });
        let is_looked_at =
            body.contains(&format!("defined ${}", param.name)) || body.contains(&format!("defined(${}", param.name));
        param.optional |= counts || is_looked_at || left_out.is_some();
        param.default = param.default.take().or(left_out.flatten());
    }
    Some(without_object(params))
}

fn perl_param(name: &str) -> Option<ParamDescription> {
    let name = name.trim();
    let kind = kind_of_sigil(name)?;
    Some(ParamDescription { name: name.get(1..)?.to_owned(), kind, ..ParamDescription::default() })
}

fn kind_of_sigil(name: &str) -> Option<ParamKind> {
    match name.chars().next()? {
        '$' => Some(ParamKind::Position),
        '@' | '%' => Some(ParamKind::Rest),
        _ => None,
    }
}

/// Leaves out the object or class that a method of Perl takes first.
fn without_object(mut params: Vec<ParamDescription>) -> Vec<ParamDescription> {
    if params.first().is_some_and(|param| ["self", "class"].contains(&&*param.name)) {
        params.remove(0);
    }
    params
}

/// Returns the params in the text of a function of JavaScript: `None` if it does not show them.
pub(super) fn params_of_javascript(text: &str) -> Option<Vec<ParamDescription>> {
    let text = text.trim_start();
    let text = text.strip_prefix("async").filter(|rest| rest.starts_with([' ', '('])).unwrap_or(text).trim_start();
    let word =
        text.find(|letter: char| !letter.is_alphanumeric() && letter != '_' && letter != '$').unwrap_or(text.len());
    let (name, rest) = text.split_at(word);
    if !name.is_empty() && rest.trim_start().starts_with("=>") {
        return Some(vec![ParamDescription { name: name.to_owned(), ..ParamDescription::default() }]);
    }
    let (_, rest) = text.split_once('(')?;
    let list = balanced(rest, ')')?;
    if rest.get(list.len()..)?.contains("[native code]") {
        return None;
    }
    let parts = divided(list, ',');
    let parts = parts.iter().map(|part| without_comments(part)).filter(|part| !part.trim().is_empty());
    Some(parts.enumerate().map(|(index, part)| javascript_param(part.trim(), index)).collect())
}

fn javascript_param(part: &str, index: usize) -> ParamDescription {
    let (name, default) = match divided(part, '=').as_slice() {
        [name] => (name.trim(), None),
        [name, ..] => (name.trim(), part.get(name.len() + 1..)),
        [] => (part, None),
    };
    let rest = name.strip_prefix("...");
    let plain = rest.unwrap_or(name).trim();
    let is_destructured = plain.starts_with(['{', '[']);
    ParamDescription {
        name: if is_destructured { format!("arg{}", index + 1) } else { plain.to_owned() },
        optional: default.is_some(),
        default: default.and_then(literal),
        kind: if rest.is_some() { ParamKind::Rest } else { ParamKind::Position },
        ..ParamDescription::default()
    }
}

/// Returns the text before a closing bracket whose opening one was taken off.
fn balanced(text: &str, close: char) -> Option<&str> {
    let mut scan = Scan::new();
    text.char_indices()
        .find(|(at, letter)| scan.step(text, *at, *letter) && scan.depth < 0 && *letter == close)
        .map(|(at, _)| &text[..at])
}

/// Splits a text at a separator outside of brackets, quotes and comments; `==` and `=>` are none.
fn divided(text: &str, separator: char) -> Vec<&str> {
    let mut scan = Scan::new();
    let (mut parts, mut begin) = (Vec::new(), 0);
    for (at, letter) in text.char_indices() {
        let is_code = scan.step(text, at, letter);
        let is_operator = separator == '=' && text[at..].starts_with("=>");
        if is_code && letter == separator && scan.depth == 0 && !is_operator {
            parts.push(&text[begin..at]);
            begin = at + letter.len_utf8();
        }
    }
    parts.push(&text[begin..]);
    parts
}

/// Where a scan of code is.
struct Scan {
    depth: i32,
    quote: Option<char>,
    is_escaped: bool,
    /// The end of a comment that it is in.
    comment: Option<usize>,
}

impl Scan {
    fn new() -> Scan {
        Scan { depth: 0, quote: None, is_escaped: false, comment: None }
    }

    /// Goes on by a letter. Returns `false` inside of quotes and comments.
    fn step(&mut self, text: &str, at: usize, letter: char) -> bool {
        if self.comment.is_some_and(|end| at < end) {
            return false;
        }
        self.comment = None;
        if let Some(quote) = self.quote {
            if self.is_escaped {
                self.is_escaped = false;
            } else if letter == '\\' {
                self.is_escaped = true;
            } else if letter == quote {
                self.quote = None;
            }
            return false;
        }
        let rest = &text[at..];
        let end = if rest.starts_with("/*") { Some("*/") } else { rest.starts_with("// ").then_some("\n") };
        if let Some(end) = end {
            self.comment = Some(rest.find(end).map_or(text.len(), |length| at + length + end.len()));
            return false;
        }
        match letter {
            '\'' | '"' | '`' => {
                self.quote = Some(letter);
                return false;
            }
            '(' | '[' | '{' => self.depth += 1,
            ')' | ']' | '}' => self.depth -= 1,
            _ => {}
        }
        true
    }
}

/// Returns code without its comments.
fn without_comments(text: &str) -> String {
    let mut scan = Scan::new();
    let kept = text.char_indices().filter(|(at, letter)| {
        scan.step(text, *at, *letter);
        scan.comment.is_none()
    });
    kept.map(|(_, letter)| letter).collect()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn shown(params: Option<Vec<ParamDescription>>) -> String {
        let param = |param: ParamDescription| {
            let kind = if param.kind == ParamKind::Rest { "..." } else { "" };
            let default = param.default.map_or(String::new(), |default| format!("={default}"));
            format!("{kind}{}{}{default}", param.name, if param.optional { "?" } else { "" })
        };
        params.map_or("unknown".into(), |params| params.into_iter().map(param).collect::<Vec<_>>().join(" "))
    }

    #[test]
    fn javascript() {
        for (text, params) in [
            ("function add(a, b = 5) { return a; }", "a b?=5"),
            ("async (a, {x, y} = {}, ...more) => a", "a arg2?={} ...more"),
            ("x => x / 2", "x"),
            ("async x => x", "x"),
            ("() => 1", ""),
            ("add(a /* one, two */, b = \"x,y\", c = f(1, 2)) {}", "a b?=\"x,y\" c?"),
            ("function (a = (b) => b, // text, more\n c) {}", "a? c"),
            ("*numbers(most) {}", "most"),
            ("function max() { [native code] }", "unknown"),
            ("function (", "unknown"),
            ("", "unknown"),
        ] {
            assert_eq!(shown(params_of_javascript(text)), params, "{text}");
        }
    }

    #[test]
    fn perl() {
        let function = FunctionDescription { name: "f".to_owned(), ..FunctionDescription::default() };
        for (text, params) in [
            ("sub f { my ($a, $b) = @_; $b //= 5; $a }", "a b?=5"),
            ("sub f {\n    my $self = shift;\n    my $a = shift;\n    my $b = shift // 'x';\n    1 }", "a b?=\"x\""),
            ("sub f ($a, $b = 5, @rest) { 1 }", "a b?=5 ...rest"),
            ("sub f($$) { my ($a, $b) = @_; }", "a b"),
            ("sub f { return $_[0] }", "unknown"),
            ("sub f () { 1 }", ""),
            ("sub f { my ($a, %more) = @_; }", "a ...more"),
            ("sub f { my ($a) = @_; return defined $a ? 1 : 0 }", "a?"),
        ] {
            assert_eq!(shown(Lines::of(text).params_of_perl(&function)), params, "{text}");
        }
    }

    #[test]
    fn comments_above() {
        let function = |name: &str, line: usize, source: &str| {
            serde_json::from_value::<FunctionDescription>(json!({ "name": name, "line": line, "source": source }))
                .unwrap()
        };
        let comment =
            |language, source: &str, function: FunctionDescription| Lines::of(source).comment_of(language, &function);
        assert_eq!(comment(Language::Ruby, "#!/usr/bin/ruby\n# A\n# B\ndef f\n", function("f", 4, "")), "# A\n# B");
        assert_eq!(comment(Language::Ruby, "# licence\n\ndef f\n", function("f", 3, "")), "");
        assert_eq!(comment(Language::Lua, "--- A\n-- B\nfunction f()\n", function("f", 3, "")), "--- A\n-- B");
        let source = "/** one */\nlet x;\n\n/**\n  A\n */\nexports.f = (a) => a;\n";
        assert_eq!(comment(Language::JavaScript, source, function("f", 0, "(a) => a")), "/**\n  A\n */");
        assert_eq!(comment(Language::Perl, "# A\nsub f { 1 }", function("f", 0, "")), "# A");
        assert_eq!(comment(Language::Ruby, "def f\n", function("f", 99, "")), "");
    }
}
