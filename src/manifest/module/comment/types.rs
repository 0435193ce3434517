//! Types as comments write them, each language in its way.

use std::collections::BTreeMap;

use serde_json::Value as Json;

use super::literal;
use crate::manifest::data_type::Cast;
use crate::manifest::module::description::{MemberDescription, TypeDescription};

/// The languages whose comments have types.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Notation {
    Python,
    Php,
    JavaScript,
    Ruby,
    Lua,
}

/// Types that a source names itself: `@typedef`.
pub(super) type Names = BTreeMap<String, TypeDescription>;

/// How deep types may be nested.
const MAX_DEPTH: usize = 32;

/// Reads a type; `None` if it may be anything, or is nothing that is known.
pub(super) fn read(notation: Notation, text: &str, names: &Names) -> Option<TypeDescription> {
    let text = text.trim().replace(":class:", "").replace(['`', '!'], "");
    let tokens = tokens(&text);
    // words of a list are one type in Ruby, and one of them may be nil
    let text = if notation == Notation::Python { python_in_words(&tokens) } else { tokens };
    let mut reader = Reader { notation, names, tokens: text, at: 0, depth: 0 };
    let of = reader.union()?;
    (reader.at == reader.tokens.len() && of.name != "any").then_some(of)
}

/// Splits a type into words, quoted texts, and marks.
fn tokens(text: &str) -> Vec<String> {
    let mut tokens = Vec::new();
    let mut letters = text.chars().peekable();
    while let Some(letter) = letters.next() {
        if letter.is_whitespace() {
            continue;
        }
        let mut token = String::from(letter);
        if letter == '"' || letter == '\'' {
            for next in letters.by_ref() {
                token.push(next);
                if next == letter {
                    break;
                }
            }
        } else if is_of_word(letter) {
            while let Some(next) = letters.next_if(|next| is_of_word(*next)) {
                token.push(next);
            }
            // `Array.<T>`
            let word = token.trim_end_matches('.').to_owned();
            token = if word.is_empty() { token } else { word };
        }
        tokens.push(token);
    }
    tokens
}

fn is_of_word(letter: char) -> bool {
    letter.is_alphanumeric() || "_.\\-$".contains(letter)
}

/// Makes one form of those that Python's docstrings have: `list of int`, `int or None`.
fn python_in_words(tokens: &[String]) -> Vec<String> {
    let mut formed: Vec<String> = Vec::new();
    let mut open = 0;
    for token in tokens {
        match token.as_str() {
            "of" => {
                formed.push("[".into());
                open += 1;
            }
            "or" => formed.push("|".into()),
            word => formed.push(word.to_owned()),
        }
    }
    formed.extend(std::iter::repeat_n("]".to_owned(), open));
    formed
}

/// A reader of a type.
struct Reader<'n> {
    notation: Notation,
    names: &'n Names,
    tokens: Vec<String>,
    at: usize,
    depth: usize,
}

impl Reader<'_> {
    fn peek(&self) -> &str {
        self.tokens.get(self.at).map(String::as_str).unwrap_or_default()
    }

    fn next(&mut self) -> String {
        let token = self.peek().to_owned();
        self.at += 1;
        token
    }

    fn take(&mut self, token: &str) -> bool {
        let is_there = self.peek() == token;
        self.at += usize::from(is_there);
        is_there
    }

    /// Reads alternatives.
    fn union(&mut self) -> Option<TypeDescription> {
        self.depth += 1;
        if self.depth > MAX_DEPTH {
            return None;
        }
        let mut parts = vec![self.single()?];
        while self.take("|") || self.notation == Notation::Ruby && self.depth == 1 && self.take(",") {
            parts.push(self.single()?);
        }
        self.depth -= 1;
        Some(one_of(parts))
    }

    /// Reads a type with what stands behind it: `T[]`, `T=`, `T?`.
    fn single(&mut self) -> Option<TypeDescription> {
        let is_nullable =
            matches!(self.notation, Notation::Php | Notation::JavaScript | Notation::Lua) && self.take("?");
        // a rest param of JavaScript
        while self.peek().starts_with("...") && self.peek().len() == 3 {
            self.at += 1;
        }
        let mut of = self.atom()?;
        for _ in 0..MAX_DEPTH {
            if self.peek() == "[" && self.tokens.get(self.at + 1).is_some_and(|next| next == "]") {
                self.at += 2;
                of = array_of(Some(of));
            } else if !(self.notation == Notation::JavaScript && self.take("=")
                || self.notation == Notation::Lua && self.take("?"))
            {
                break;
            }
        }
        of.or_nil |= is_nullable;
        Some(of)
    }

    fn atom(&mut self) -> Option<TypeDescription> {
        let token = self.next();
        match token.as_str() {
            "" => None,
            "(" => {
                let of = self.union()?;
                self.take(")").then_some(of)
            }
            "{" if self.notation == Notation::Lua => self.lua_table(),
            "{" if self.notation == Notation::Python => self.python_choices(),
            "{" => self.members("}"),
            ":" if self.notation == Notation::Ruby => {
                let name = self.next();
                Some(choice(Json::from(name)))
            }
            "*" => Some(TypeDescription::named("any")),
            text if text.starts_with(['"', '\'']) => literal(text).map(choice),
            number if number.starts_with(|first: char| first.is_ascii_digit() || first == '-') => {
                literal(number).map(choice)
            }
            word => {
                let word = word.trim_start_matches("...").to_owned();
                self.named(&word)
            }
        }
    }

    /// Reads what follows a name: its parts in brackets, or its members.
    fn named(&mut self, name: &str) -> Option<TypeDescription> {
        let short = name.rsplit(['\\', '.']).next().unwrap_or(name).to_owned();
        if self.notation == Notation::Php && self.peek() == "{" {
            self.at += 1;
            return self.members("}");
        }
        if self.notation == Notation::Ruby && self.take("{") {
            let key = self.union();
            let is_map = self.take("=") && self.take(">");
            let values = self.union();
            return (key.is_some() && is_map && self.take("}")).then(|| map_of(values));
        }
        let arguments = match self.peek() {
            "<" => self.arguments(">")?,
            "[" if self.notation == Notation::Python => self.arguments("]")?,
            "(" if self.notation == Notation::Ruby || self.notation == Notation::Lua => {
                self.arguments(")")?;
                Vec::new()
            }
            _ => Vec::new(),
        };
        if let Some(of) = self.names.get(name) {
            return Some(of.clone());
        }
        Some(self.known(&short, arguments).unwrap_or_else(|| TypeDescription::named("any")))
    }

    /// Reads types in brackets; `None` in a place that may be anything.
    fn arguments(&mut self, close: &str) -> Option<Vec<TypeDescription>> {
        self.at += 1;
        let mut arguments = Vec::new();
        while !self.take(close) {
            if self.at >= self.tokens.len() {
                return None;
            }
            if self.take("...") {
                continue;
            }
            // within brackets a comma is none of Ruby's alternatives
            self.depth += 1;
            arguments.push(self.union()?);
            self.depth -= 1;
            self.take(",");
        }
        Some(arguments)
    }

    /// Reads `{a: T, b?: U}` without its first bracket. Members without names are an array's.
    fn members(&mut self, close: &str) -> Option<TypeDescription> {
        let mut of = TypeDescription::named("struct");
        while !self.take(close) {
            if self.at >= self.tokens.len() {
                return None;
            }
            if self.take(",") || self.take(";") || self.take("...") {
                continue;
            }
            let name = self.next();
            let optional = self.take("?");
            if !(self.take(":") || self.take("=")) {
                // a list by places
                while !self.take(close) && self.at < self.tokens.len() {
                    self.at += 1;
                }
                return Some(TypeDescription::named("array"));
            }
            let inner = self.union()?;
            let name = name.trim_matches(['"', '\'']).to_owned();
            let is_known = inner.name != "any" || inner.or_nil;
            of.members.push(MemberDescription { name, of: is_known.then_some(inner), optional, help: String::new() });
        }
        Some(of)
    }

    /// Reads `{string,...}`, `{[string]=integer}`, `{x=number}` without the first bracket.
    fn lua_table(&mut self) -> Option<TypeDescription> {
        if self.take("[") {
            let key = self.union()?;
            if !(self.take("]") && self.take("=")) {
                return None;
            }
            let values = self.union()?;
            while self.take(",") || self.take("...") {}
            return self
                .take("}")
                .then(|| if key.name == "integer" { array_of(Some(values)) } else { map_of(Some(values)) });
        }
        let after = self.tokens.get(self.at + 1).map(String::as_str).unwrap_or_default();
        if ["=", ":", "?"].contains(&after) {
            return self.members("}");
        }
        let items = self.union()?;
        while self.at < self.tokens.len() && !self.take("}") {
            self.at += 1;
        }
        Some(array_of(Some(items)))
    }

    /// Reads `{'a', 'b'}` without the first bracket.
    fn python_choices(&mut self) -> Option<TypeDescription> {
        let mut parts = Vec::new();
        while !self.take("}") {
            if self.at >= self.tokens.len() {
                return None;
            }
            parts.push(choice(literal(&self.next())?));
            self.take(",");
        }
        Some(one_of(parts))
    }

    /// Returns the type of a name, with those in brackets behind it.
    fn known(&self, name: &str, mut arguments: Vec<TypeDescription>) -> Option<TypeDescription> {
        let first = |arguments: Vec<TypeDescription>| arguments.into_iter().next();
        if let Some(of) = self.container(name, &mut arguments) {
            return Some(of);
        }
        match (self.notation, name) {
            (Notation::JavaScript, "Promise") => first(arguments),
            (Notation::Python, "Optional") => first(arguments).map(|of| TypeDescription { or_nil: true, ..of }),
            (Notation::Python, "Union") => Some(one_of(arguments)),
            _ => scalar(self.notation, name).map(|of| bounded(of, &arguments)),
        }
    }

    fn container(&self, name: &str, arguments: &mut Vec<TypeDescription>) -> Option<TypeDescription> {
        use Notation::{JavaScript, Lua, Php, Python, Ruby};

        let last = |arguments: &mut Vec<TypeDescription>| arguments.pop();
        let is_array = match self.notation {
            Python => ["list", "List", "tuple", "Tuple", "set", "Set", "frozenset", "Sequence", "Iterable", "Iterator"]
                .contains(&name),
            Php => ["list", "non-empty-list", "array", "non-empty-array", "iterable", "Traversable", "Generator"]
                .contains(&name),
            JavaScript => {
                ["Array", "array", "ReadonlyArray", "Set", "Iterable", "AsyncIterable", "Generator"].contains(&name)
            }
            Ruby => ["Array", "Set", "Enumerable"].contains(&name),
            Lua => false,
        };
        let is_map = match self.notation {
            Python => ["dict", "Dict", "Mapping"].contains(&name),
            Php => ["array", "non-empty-array", "iterable"].contains(&name) && arguments.len() == 2,
            JavaScript => ["Record", "Object", "object", "Map"].contains(&name),
            Ruby => name == "Hash",
            Lua => name == "table" && arguments.len() == 2,
        };
        let key_is_number = arguments.len() == 2 && arguments.first().is_some_and(|key| key.name == "integer");
        let is_list = is_map && key_is_number && matches!(self.notation, Php | Lua);
        if is_list || is_array && !is_map {
            let is_bare_array = self.notation == Php && ["array", "iterable"].contains(&name) && arguments.is_empty();
            let is_tuple = self.notation == Python && arguments.len() > 1;
            return match is_bare_array {
                // it may as well be a struct
                true => Some(TypeDescription::named("any")),
                false => Some(array_of(if is_tuple { None } else { last(arguments) })),
            };
        }
        is_map.then(|| map_of(if arguments.len() == 2 { last(arguments) } else { None }))
    }
}

/// Returns the type of one of several: of nil and another, of several values, or else of anything.
fn one_of(parts: Vec<TypeDescription>) -> TypeDescription {
    let or_nil = parts.iter().any(|part| part.or_nil || part.name == "nil");
    let mut others: Vec<TypeDescription> = parts.into_iter().filter(|part| part.name != "nil").collect();
    let Some(mut of) = others.pop() else { return TypeDescription::named("nil") };
    let are_choices =
        |part: &TypeDescription| part.name == of.name && !part.choices.is_empty() && !of.choices.is_empty();
    if !others.is_empty() && others.iter().all(are_choices) {
        let choices = others.into_iter().flat_map(|part| part.choices);
        of.choices = choices.chain(of.choices).collect();
    } else if others.iter().any(|part| *part != of) {
        return TypeDescription::named("any");
    }
    TypeDescription { or_nil: of.name != "any" && or_nil, ..of }
}

fn choice(value: Json) -> TypeDescription {
    let name = match &value {
        Json::String(_) => "string",
        Json::Number(number) if number.is_i64() => "integer",
        Json::Number(_) => "double",
        Json::Bool(_) => return TypeDescription::named("boolean"),
        _ => return TypeDescription::named("any"),
    };
    TypeDescription { choices: vec![value], ..TypeDescription::named(name) }
}

fn array_of(items: Option<TypeDescription>) -> TypeDescription {
    let items = items.filter(|items| items.name != "any" || items.or_nil);
    TypeDescription { items: items.map(Box::new), ..TypeDescription::named("array") }
}

fn map_of(values: Option<TypeDescription>) -> TypeDescription {
    let values = values.filter(|values| values.name != "any" || values.or_nil);
    TypeDescription { values: values.map(Box::new), ..TypeDescription::named("struct") }
}

/// Adds the bounds of PHP's `int<0, max>`.
fn bounded(of: TypeDescription, arguments: &[TypeDescription]) -> TypeDescription {
    let [least, most] = arguments else { return of };
    let bound = |of: &TypeDescription| of.choices.first().filter(|value| value.is_i64()).cloned();
    TypeDescription { minimum: bound(least), maximum: bound(most), ..of }
}

fn scalar(notation: Notation, name: &str) -> Option<TypeDescription> {
    use Notation::{JavaScript, Lua, Php, Python, Ruby};

    let named = match (notation, name) {
        (Python, "int" | "integer") | (Php, "int" | "integer") | (JavaScript, "integer" | "int") => "integer",
        (Ruby, "Integer" | "Fixnum" | "Bignum") | (Lua, "integer" | "int") => "integer",
        (Python, "float" | "number" | "double") | (Php, "float" | "double") | (JavaScript, "number" | "Number") => {
            "double"
        }
        (Ruby, "Float" | "Numeric") | (Lua, "number") => "double",
        (Python, "str" | "string" | "text") | (JavaScript, "string" | "String") => "string",
        (Ruby, "String" | "Symbol") | (Lua, "string") => "string",
        (Python, "bool" | "boolean") | (Php, "bool" | "boolean" | "true" | "false") => "boolean",
        (JavaScript, "boolean" | "Boolean" | "bool" | "true" | "false") => "boolean",
        (Ruby, "Boolean" | "Bool" | "TrueClass" | "FalseClass" | "true" | "false") | (Lua, "boolean" | "bool") => {
            "boolean"
        }
        (Python, "bytes" | "bytearray") | (JavaScript, "Uint8Array" | "Buffer" | "ArrayBuffer") => "base64",
        (Python, "datetime" | "date") | (JavaScript, "Date") | (Ruby, "Time" | "DateTime" | "Date") => {
            "dateTime.iso8601"
        }
        (Php, "DateTimeInterface" | "DateTimeImmutable" | "DateTime") => "dateTime.iso8601",
        (Python, "None") | (Php, "null" | "void") | (JavaScript, "null" | "undefined" | "void") => "nil",
        (Ruby, "nil" | "void" | "NilClass") | (Lua, "nil") => "nil",
        (Php, "object" | "stdClass") => "struct",
        (Php, "positive-int") => {
            return Some(TypeDescription { minimum: Some(1.into()), ..TypeDescription::named("integer") });
        }
        (Php, "non-negative-int") => {
            return Some(TypeDescription { minimum: Some(0.into()), ..TypeDescription::named("integer") });
        }
        (Php, name) if name == "string" || name.ends_with("-string") => {
            return Some(TypeDescription { or_octets: true, ..TypeDescription::named("string") });
        }
        (JavaScript, "bigint" | "BigInt") => {
            return Some(TypeDescription { cast: Some(Cast::BigInt), ..TypeDescription::named("integer") });
        }
        _ => return None,
    };
    let cast = (notation == Ruby && name == "Date").then_some(Cast::Day);
    Some(TypeDescription { cast, ..TypeDescription::named(named) })
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    /// Shows a type in few words.
    fn shown(of: &TypeDescription) -> String {
        let mut text = match &*of.name {
            "array" => format!("[{}]", of.items.as_deref().map(shown).unwrap_or_default()),
            "struct" if of.members.is_empty() => format!("{{{}}}", of.values.as_deref().map(shown).unwrap_or_default()),
            "struct" => {
                let member = |member: &MemberDescription| {
                    let mark = if member.optional { "?" } else { "" };
                    format!("{}{mark}:{}", member.name, member.of.as_ref().map(shown).unwrap_or_default())
                };
                format!("{{{}}}", of.members.iter().map(member).collect::<Vec<_>>().join(" "))
            }
            name => name.to_owned(),
        };
        if !of.choices.is_empty() {
            text = json!(of.choices).to_string();
        }
        if of.or_nil { text + "?" } else { text }
    }

    #[test]
    fn all_notations() {
        use Notation::{JavaScript, Lua, Php, Python, Ruby};

        for (notation, text, expected) in [
            (Python, "int", "integer"),
            (Python, "list[int]", "[integer]"),
            (Python, "List[str]", "[string]"),
            (Python, "list of int", "[integer]"),
            (Python, "dict[str, int]", "{integer}"),
            (Python, "Optional[float]", "double?"),
            (Python, "int or None", "integer?"),
            (Python, "str | None", "string?"),
            (Python, "datetime.datetime", "dateTime.iso8601"),
            (Python, "{'a', 'b'}", "[\"a\",\"b\"]"),
            (Python, ":class:`int`", "integer"),
            (Python, "int or str", ""),
            (Python, "some words here", ""),
            (Php, "list<int>", "[integer]"),
            (Php, "int[]", "[integer]"),
            (Php, "array<string, int>", "{integer}"),
            (Php, "array<int, string>", "[string]"),
            (Php, "array{a: int, b?: array{c: float}}", "{a:integer b?:{c:double}}"),
            (Php, "'a'|'b'", "[\"a\",\"b\"]"),
            (Php, "?int", "integer?"),
            (Php, "string|null", "string?"),
            (Php, "array", ""),
            (Php, "mixed", ""),
            (Php, "\\DateTimeInterface", "dateTime.iso8601"),
            (Php, "array{int, string}", "[]"),
            (JavaScript, "number[]", "[double]"),
            (JavaScript, "Array<string>", "[string]"),
            (JavaScript, "Array.<string>", "[string]"),
            (JavaScript, "Record<string, number>", "{double}"),
            (JavaScript, "Object.<string, number>", "{double}"),
            (JavaScript, "{a: number, b?: string[]}", "{a:double b?:[string]}"),
            (JavaScript, "\"a\" | \"b\"", "[\"a\",\"b\"]"),
            (JavaScript, "?Date", "dateTime.iso8601?"),
            (JavaScript, "string=", "string"),
            (JavaScript, "...number", "double"),
            (JavaScript, "Promise<number[]>", "[double]"),
            (JavaScript, "(string|null)[]", "[string?]"),
            (JavaScript, "Bike", ""),
            (JavaScript, "*", ""),
            (Ruby, "Array<String>", "[string]"),
            (Ruby, "Hash{String => Integer}", "{integer}"),
            (Ruby, "Hash<String, Integer>", "{integer}"),
            (Ruby, "String, nil", "string?"),
            (Ruby, "Array<Hash{String => Float}>", "[{double}]"),
            (Ruby, ":a, :b", "[\"a\",\"b\"]"),
            (Ruby, "String, Integer", ""),
            (Lua, "{string,...}", "[string]"),
            (Lua, "{[string]=integer}", "{integer}"),
            (Lua, "{x=number,y=number}", "{x:double y:double}"),
            (Lua, "{x: number, y?: string}", "{x:double y?:string}"),
            (Lua, "?string|nil", "string?"),
            (Lua, "integer[]", "[integer]"),
            (Lua, "table<string, integer>", "{integer}"),
            (Lua, "table", ""),
        ] {
            let of = read(notation, text, &Names::new());
            assert_eq!(of.as_ref().map(shown).unwrap_or_default(), expected, "{notation:?} {text}");
        }
    }

    #[test]
    fn bounds_of_php() {
        let of = read(Notation::Php, "int<0, max>", &Names::new()).unwrap();
        assert_eq!((of.name.as_str(), of.minimum, of.maximum), ("integer", Some(0.into()), None));
    }

    #[test]
    fn nonsense_ends() {
        for text in
            ["", "{", "array{", "list<", "list<int", "((((", "[]", "'", "|", "a|", "{[", "é<é", "int<", "Hash{=>"]
        {
            for notation in [Notation::Python, Notation::Php, Notation::JavaScript, Notation::Ruby, Notation::Lua] {
                read(notation, text, &Names::new());
            }
        }
        read(Notation::Php, &"list<".repeat(10_000), &Names::new());
        read(Notation::Php, &"int[]".repeat(10_000), &Names::new());
    }
}
