//! What comments tell of functions: their help, the types of their params and what these mean, their faults.
//!
//! | file | what it knows |
//! |---|---|
//! | `source` | where a comment stands, and the params in the text of a function |
//! | `docstring` | Python's comments: reST, Google, NumPy |
//! | `tagged` | those with tags: phpDoc, JSDoc, YARD, LDoc |
//! | `pod` | Perl's |
//! | `tags`, `types` | tags and types as the languages write them |

mod docstring;
mod pod;
mod source;
mod tagged;
mod tags;
mod types;

use std::collections::BTreeMap;

use serde_json::Value as Json;

use self::source::Lines;
use self::types::Notation;
use crate::manifest::module::description::{
    ContextParam, FunctionDescription, ModuleDescription, ParamDescription, ParamKind, TypeDescription,
};
use crate::manifest::module::language::Language;
use crate::manifest::module::usage;

/// What a comment tells of a function.
#[derive(Debug, Default)]
struct Told {
    /// Markdown, without what follows here.
    help: String,
    params: Vec<ToldParam>,
    returns: ToldResult,
    /// Classes of exceptions, and when they are raised.
    raises: Vec<(String, String)>,
    deprecated: Option<String>,
    since: Option<String>,
    /// Code of examples.
    code: Vec<String>,
}

/// What a comment tells of a param.
#[derive(Debug, Default)]
struct ToldParam {
    name: String,
    help: String,
    of: Option<TypeDescription>,
    optional: bool,
    default: Option<Json>,
}

/// What a comment tells of a result.
#[derive(Debug, Default)]
struct ToldResult {
    of: Option<TypeDescription>,
    help: String,
}

/// Completes what a harness has told of a module's functions by what stands in the source.
pub(super) fn complete(language: Language, source: &str, description: &mut ModuleDescription) {
    let lines = Lines::of(source);
    let names = if language == Language::JavaScript { tagged::typedefs(source) } else { BTreeMap::new() };
    let ModuleDescription { functions, codes, .. } = description;
    for function in functions {
        let comment = match function.doc.is_empty() {
            true => lines.comment_of(language, function),
            false => std::mem::take(&mut function.doc),
        };
        match language {
            Language::JavaScript => function.params = source::params_of_javascript(&function.source),
            Language::Perl if function.params.is_none() => function.params = lines.params_of_perl(function),
            Language::Ruby => lines.add_ruby_defaults(function),
            _ => {}
        }
        let mut told = match language {
            Language::Python => docstring::read(&comment),
            Language::Php => tagged::read(Notation::Php, &comment, &names),
            Language::JavaScript => tagged::read(Notation::JavaScript, &comment, &names),
            Language::Ruby => tagged::read(Notation::Ruby, &comment, &names),
            Language::Lua => tagged::read(Notation::Lua, &comment, &names),
            Language::Perl => pod::read(source, source::name_of_own(&function.name), &comment),
        };
        take_examples(language, function, &mut told);
        fill(language, function, told, codes);
        (function.doc, function.source) = (String::new(), String::new());
    }
}

/// Takes the param of the context out of those of a function, if its harness could not.
pub(super) fn take_context(function: &mut FunctionDescription, name: &str) {
    if function.context.is_some() {
        return;
    }
    let Some(params) = &mut function.params else { return };
    let Some(at) = params.iter().position(|param| param.name == name) else { return };
    let index = (params[at].kind == ParamKind::Position).then_some(at);
    params.remove(at);
    function.context = Some(ContextParam { name: name.to_owned(), index });
}

/// Takes the examples out of what a comment tells; code that is no example is help.
fn take_examples(language: Language, function: &mut FunctionDescription, told: &mut Told) {
    let FunctionDescription { name, examples, .. } = function;
    if language == Language::Python {
        told.help = usage::take_doctests(name, &told.help, examples);
    }
    for code in told.code.drain(..) {
        add_code(&usage::take(language, name, &code, examples), &mut told.help);
    }
}

/// Adds code to a help.
pub(in crate::manifest::module) fn add_code(code: &str, help: &mut String) {
    if !code.trim().is_empty() && !code.contains("```") {
        let space = if help.is_empty() { "" } else { "\n\n" };
        help.push_str(&format!("{space}```\n{}\n```", code.trim_matches('\n')));
    }
}

/// Adds what a comment tells to what is known.
fn fill(language: Language, function: &mut FunctionDescription, told: Told, codes: &BTreeMap<String, i32>) {
    function.help = told.help;
    function.deprecated = told.deprecated;
    function.since = told.since;
    function.faults = faults(told.raises, codes);
    function.returns = refined(language, function.returns.take(), told.returns.of);
    if !told.returns.help.is_empty() {
        let returns = function.returns.get_or_insert_with(|| TypeDescription::named("any"));
        returns.help = told.returns.help;
    }
    // in these languages only the comment knows whether a param may be left out
    let tells_optional = matches!(language, Language::JavaScript | Language::Lua);
    for known in told.params {
        let params = function.params.iter_mut().flatten();
        let Some(param) = params.into_iter().find(|param| param.name == known.name) else { continue };
        let ParamDescription { help, of, optional, default, .. } = param;
        *help = known.help;
        *of = refined(language, of.take(), known.of);
        if tells_optional {
            *optional |= known.optional;
            *default = default.take().or(known.default);
        }
    }
}

/// Returns the type that a language has, or else the one of the comment; that of PHP's comments says more.
fn refined(
    language: Language,
    own: Option<TypeDescription>,
    commented: Option<TypeDescription>,
) -> Option<TypeDescription> {
    let is_vague = |own: &TypeDescription| {
        let is_bare = own.items.is_none() && own.members.is_empty() && own.choices.is_empty();
        language == Language::Php && is_bare && ["array", "string", "integer", "any", "struct"].contains(&&*own.name)
    };
    match (own, commented) {
        (Some(own), Some(commented)) if is_vague(&own) => {
            let or_octets = own.or_octets || commented.or_octets;
            Some(TypeDescription { or_nil: own.or_nil || commented.or_nil, or_octets, ..commented })
        }
        (Some(own), _) => Some(own),
        (None, commented) => commented,
    }
}

/// Returns faults of the exceptions that have a code.
fn faults(raises: Vec<(String, String)>, codes: &BTreeMap<String, i32>) -> Vec<(i32, String)> {
    let fault = |(class, text): (String, String)| {
        let name = class.trim_matches('`').rsplit(['.', '\\', ':']).next().unwrap_or_default().to_owned();
        codes.get(&name).map(|code| (*code, if text.is_empty() { name } else { text }))
    };
    let mut faults: Vec<(i32, String)> = raises.into_iter().filter_map(fault).collect();
    faults.dedup_by_key(|(code, _)| *code);
    faults
}

/// Reads a literal of a language as a value, if it is one that a wire has.
fn literal(text: &str) -> Option<Json> {
    let text = text.trim();
    match text {
        "nil" | "None" | "undef" | "undefined" => return Some(Json::Null),
        "True" => return Some(true.into()),
        "False" => return Some(false.into()),
        _ => {}
    }
    if let Ok(value) = serde_json::from_str(text) {
        return Some(value);
    }
    let quoted =
        |quote: char| text.strip_prefix(quote)?.strip_suffix(quote).filter(|inner| !inner.contains(['\\', quote]));
    let quoted = quoted('\'').or_else(|| quoted('`').filter(|inner| !inner.contains("${")));
    let symbol =
        || text.strip_prefix(':').filter(|name| name.chars().all(|letter| letter.is_alphanumeric() || letter == '_'));
    let number =
        || text.replace('_', "").trim_start_matches('+').parse::<f64>().ok().filter(|number| number.is_finite());
    quoted.or_else(symbol).map(Json::from).or_else(|| number().map(Json::from))
}

/// Returns lines without the indentation that all of them have.
fn dedented(lines: &[&str]) -> Vec<String> {
    let depth = |line: &&&str| line.len() - line.trim_start().len();
    let margin = lines.iter().filter(|line| !line.trim().is_empty()).map(|line| depth(&line)).min().unwrap_or_default();
    lines.iter().map(|line| line.get(margin..).unwrap_or_default().trim_end().to_owned()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn described(language: Language, source: &str, functions: Json) -> ModuleDescription {
        let mut description: ModuleDescription =
            serde_json::from_value(serde_json::json!({ "functions": functions, "codes": { "NoBike": 42 } })).unwrap();
        complete(language, source, &mut description);
        description
    }

    #[test]
    fn all_languages() {
        let typed = |name: &str| Some(TypeDescription::named(name));
        let check = |language, source: &str, function: Json| {
            let description = described(language, source, serde_json::json!([function]));
            let function = &description.functions[0];
            assert_eq!(function.help, "Adds.\n\nMore.", "{language:?}");
            let params = function.params.as_ref().unwrap();
            assert_eq!((&*params[0].name, &*params[0].help), ("a", "the first"), "{language:?}");
            assert_eq!(params[0].of, typed("integer"), "{language:?}");
            assert!(params[1].optional && params[1].default == Some(5.into()), "{language:?}: {params:?}");
            assert_eq!(function.faults, [(42, "none left".to_owned())], "{language:?}");
            assert_eq!(function.returns.as_ref().map(|of| (&*of.name, &*of.help)), Some(("integer", "the sum")));
        };
        let params = serde_json::json!([{ "name": "a" }, { "name": "b", "optional": true, "default": 5 }]);
        let python = "Adds.\n\n    More.\n\n    :param int a: the first\n    :return: the sum\n    :rtype: int\n    \
                      :raises NoBike: none left\n    ";
        check(Language::Python, "", serde_json::json!({ "name": "add", "doc": python, "params": params }));
        let php = "/**\n * Adds.\n *\n * More.\n *\n * @param int $a the first\n * @return int the sum\n \
                   * @throws NoBike none left\n */";
        check(Language::Php, "", serde_json::json!({ "name": "add", "doc": php, "params": params }));
        let ruby = "# Adds.\n#\n# More.\n#\n# @param a [Integer] the first\n# @return [Integer] the sum\n\
                    # @raise [NoBike] none left\ndef add(a, b = 5) = a + b\n";
        let params = serde_json::json!([{ "name": "a" }, { "name": "b", "optional": true }]);
        check(Language::Ruby, ruby, serde_json::json!({ "name": "add", "line": 8, "params": params }));
        let javascript = "/**\n * Adds.\n *\n * More.\n *\n * @param {integer} a - the first\n \
                          * @returns {integer} the sum\n * @throws {NoBike} none left\n */\n";
        let text = "function add(a, b = 5) { return a + b; }";
        let source = format!("{javascript}export {text}\n");
        check(Language::JavaScript, &source, serde_json::json!({ "name": "add", "source": text, "line": 10 }));
        let lua = "--- Adds.\n--\n-- More.\n--\n-- @tparam integer a the first\n-- @tparam[opt=5] integer b\n\
                   -- @treturn integer the sum\n-- @raise NoBike none left\nfunction M.add(a, b)\n";
        let params = serde_json::json!([{ "name": "a" }, { "name": "b" }]);
        check(Language::Lua, lua, serde_json::json!({ "name": "add", "line": 9, "params": params }));
    }

    #[test]
    fn perl() {
        let source = "=head2 add\n\nAdds C<a>.\n\nMore.\n\n=cut\n\nsub add { my ($a, $b) = @_; $b //= 5; $a + $b }\n";
        let description = described(Language::Perl, source, serde_json::json!([{ "name": "add", "line": 9 }]));
        let function = &description.functions[0];
        assert_eq!(function.help, "Adds `a`.\n\nMore.");
        let params: Vec<(&str, bool, Option<Json>)> = function
            .params
            .iter()
            .flatten()
            .map(|param| (&*param.name, param.optional, param.default.clone()))
            .collect();
        assert_eq!(params, [("a", false, None), ("b", true, Some(5.into()))]);
    }

    #[test]
    fn contexts() {
        let param = |name: &str| ParamDescription { name: name.into(), ..ParamDescription::default() };
        let mut function =
            FunctionDescription { params: Some(vec![param("a"), param("request")]), ..Default::default() };
        take_context(&mut function, "request");
        assert_eq!(function.context, Some(ContextParam { name: "request".into(), index: Some(1) }));
        assert_eq!(function.params, Some(vec![param("a")]));
    }

    #[test]
    fn literals() {
        for (text, value) in [
            ("5", Some(Json::from(5))),
            ("'a b'", Some("a b".into())),
            (":red", Some("red".into())),
            ("1_000", Some(1000.0.into())),
            ("nil", Some(Json::Null)),
            ("[]", Some(Json::Array(Vec::new()))),
            ("f()", None),
            ("'it\\'s'", None),
        ] {
            assert_eq!(literal(text), value, "{text}");
        }
    }
}
