//! Comments with tags: phpDoc, JSDoc, YARD, LDoc.

use std::collections::BTreeMap;

use super::tags::{self, Tag};
use super::types::{self, Names, Notation};
use super::{Told, ToldParam, ToldResult, literal};
use crate::manifest::module::description::{MemberDescription, TypeDescription};

/// Reads a comment.
pub(super) fn read(notation: Notation, comment: &str, names: &Names) -> Told {
    let block = tags::read(&tags::unmarked(comment));
    let mut told = Told { help: block.text.trim().to_owned(), ..Told::default() };
    // LuaLS has the type behind the name, LDoc in a tag of its own
    let is_annotated = notation == Notation::Lua && comment.contains("---@");
    for tag in &block.tags {
        match &*tag.name {
            "param" | "arg" | "argument" | "tparam" | "string" | "int" | "number" | "bool" | "tab" => {
                if let Some(param) = param(notation, tag, is_annotated, names) {
                    add_param(param, &mut told);
                }
            }
            "return" | "returns" | "treturn" if told.returns.of.is_none() && told.returns.help.is_empty() => {
                told.returns = result(notation, tag, is_annotated, names);
            }
            "throws" | "throw" | "exception" | "raise" | "error" => told.raises.push(raised(notation, &tag.text)),
            "deprecated" => told.deprecated = Some(tag.text.clone()),
            "since" | "version" => told.since = Some(tag.text.clone()).filter(|text| !text.is_empty()),
            "example" | "usage" => told.code.push(tag.text.clone()),
            _ => {}
        }
    }
    told
}

/// Reads the types that a source of JavaScript names in its comments.
pub(super) fn typedefs(source: &str) -> Names {
    let mut names = BTreeMap::new();
    for comment in source.split("/**").skip(1).filter_map(|rest| rest.split("*/").next()) {
        if !comment.contains("@typedef") {
            continue;
        }
        let block = tags::read(&tags::unmarked(&format!("/**{comment}*/")));
        let mut last: Option<(String, TypeDescription)> = None;
        for tag in &block.tags {
            match (&*tag.name, &mut last) {
                ("typedef", _) => {
                    names.extend(last.take());
                    last = typedef(tag, &mut names);
                }
                ("property" | "prop", Some((_, of))) => {
                    of.members.extend(param(Notation::JavaScript, tag, false, &names).map(member_of));
                    // types that are made of others twice at each step would grow without end
                    if size(of) > MAX_SIZE {
                        of.members.clear();
                    }
                }
                _ => {}
            }
        }
        names.extend(last);
    }
    names
}

/// The most types inside of one that is named.
const MAX_SIZE: usize = 1000;

fn size(of: &TypeDescription) -> usize {
    let inner = of.items.iter().chain(&of.values).map(|of| &**of);
    1 + inner.chain(of.members.iter().filter_map(|member| member.of.as_ref())).map(size).sum::<usize>()
}

/// Reads a type and its name. Inside of itself it is a struct of any members.
fn typedef(tag: &Tag, names: &mut Names) -> Option<(String, TypeDescription)> {
    let (written, rest) = tags::bracketed(&tag.text, '{', '}').unwrap_or(("Object", &tag.text));
    let name = rest.split_whitespace().next()?.to_owned();
    names.insert(name.clone(), TypeDescription::named("struct"));
    let of = types::read(Notation::JavaScript, written, names).filter(|of| size(of) <= MAX_SIZE);
    Some((name, of.unwrap_or_else(|| TypeDescription::named("struct"))))
}

fn param(notation: Notation, tag: &Tag, is_annotated: bool, names: &Names) -> Option<ToldParam> {
    let text = tag.text.trim();
    let mut param = match notation {
        Notation::JavaScript | Notation::Python => javascript_param(text, names),
        Notation::Php => php_param(text, names),
        Notation::Ruby => ruby_param(text, names),
        Notation::Lua => lua_param(tag, is_annotated, names),
    }?;
    param.help = without_dash(&param.help).to_owned();
    Some(param)
}

/// `{T} [name=default] - help`
fn javascript_param(text: &str, names: &Names) -> Option<ToldParam> {
    let (written, rest) = tags::bracketed(text, '{', '}').unwrap_or(("", text));
    let of = types::read(Notation::JavaScript, written, names);
    let is_optional = written.ends_with('=');
    if let Some((inner, help)) = tags::bracketed(rest.trim_start(), '[', ']') {
        let (name, default) = inner.split_once('=').map_or((inner, None), |(name, default)| (name, literal(default)));
        return Some(ToldParam { name: name.trim().into(), help: help.trim().into(), of, optional: true, default });
    }
    let (name, help) = word(rest)?;
    Some(ToldParam { name: name.into(), help: help.into(), of, optional: is_optional, default: None })
}

/// `T $name help`
fn php_param(text: &str, names: &Names) -> Option<ToldParam> {
    let (written, rest) = if text.starts_with('$') { ("", text) } else { tags::leading_type(text) };
    let (name, help) = word(rest)?;
    let name = name.trim_start_matches(['&', '.']).strip_prefix('$')?;
    let of = types::read(Notation::Php, written, names);
    Some(ToldParam { name: name.into(), help: help.into(), of, ..ToldParam::default() })
}

/// `name [T] help`, or `[T] name help`
fn ruby_param(text: &str, names: &Names) -> Option<ToldParam> {
    let (written, name, help) = match tags::bracketed(text, '[', ']') {
        Some((written, rest)) => {
            let (name, help) = word(rest)?;
            (written, name, help)
        }
        None => {
            let (name, rest) = word(text)?;
            let (written, help) = tags::bracketed(rest, '[', ']').unwrap_or(("", rest));
            (written, name, help.trim())
        }
    };
    let of = types::read(Notation::Ruby, written, names);
    let name = name.trim_start_matches(['*', '&']).trim_end_matches(':');
    Some(ToldParam { name: name.into(), help: help.into(), of, ..ToldParam::default() })
}

/// `T name help` behind `tparam`, `name help` behind `param`, `name T help` with annotations
fn lua_param(tag: &Tag, is_annotated: bool, names: &Names) -> Option<ToldParam> {
    let modifiers = tag.modifiers.as_deref().unwrap_or_default();
    let modifier = |name: &str| {
        let of_name = |part: &&str| *part == name || part.strip_prefix(name).is_some_and(|rest| rest.starts_with('='));
        modifiers
            .split(',')
            .map(str::trim)
            .find(of_name)
            .map(|part| part.split_once('=').map_or("", |(_, value)| value))
    };
    let (written, name, help) = match &*tag.name {
        "tparam" => {
            let (written, rest) = tags::leading_type(&tag.text);
            let (name, help) = word(rest)?;
            (written, name, help)
        }
        "param" if is_annotated => {
            let (name, rest) = word(&tag.text)?;
            let (written, help) = tags::leading_type(rest);
            (written, name, help.trim())
        }
        of => {
            let (name, help) = word(&tag.text)?;
            (if of == "param" { modifier("type").unwrap_or_default() } else { of }, name, help)
        }
    };
    let optional = modifier("opt").or_else(|| modifier("optchain"));
    Some(ToldParam {
        name: name.trim_end_matches('?').into(),
        help: help.into(),
        of: types::read(Notation::Lua, written, names),
        optional: optional.is_some() || name.ends_with('?'),
        default: optional.and_then(literal),
    })
}

/// Adds a param, or a member of one: `point.x`, `points[].x`.
fn add_param(param: ToldParam, told: &mut Told) {
    let Some((whole, name)) = param.name.rsplit_once('.') else {
        told.params.push(param);
        return;
    };
    let mut places = whole.split('.');
    let first = places.next().unwrap_or_default();
    let named = |name: &str| name.trim_end_matches("[]").to_owned();
    let Some(known) = told.params.iter_mut().find(|known| known.name == named(first)) else { return };
    let of = known.of.get_or_insert_with(|| TypeDescription::named("struct"));
    let mut of = inside(of, first.ends_with("[]"));
    for place in places {
        let Some(member) = of.members.iter_mut().find(|member| member.name == named(place)) else { return };
        of = inside(member.of.get_or_insert_with(|| TypeDescription::named("struct")), place.ends_with("[]"));
    }
    of.name = "struct".into();
    let name = name.to_owned();
    of.members.push(MemberDescription { name, ..member_of(param) });
}

/// Returns the type of items, or that of the whole.
fn inside(of: &mut TypeDescription, is_item: bool) -> &mut TypeDescription {
    match is_item {
        true => of.items.get_or_insert_with(|| Box::new(TypeDescription::named("struct"))),
        false => of,
    }
}

fn member_of(param: ToldParam) -> MemberDescription {
    let ToldParam { name, help, of, optional, .. } = param;
    MemberDescription { name, help, of, optional }
}

fn result(notation: Notation, tag: &Tag, is_annotated: bool, names: &Names) -> ToldResult {
    let text = tag.text.trim();
    let (written, help) = match notation {
        Notation::JavaScript | Notation::Python => tags::bracketed(text, '{', '}').unwrap_or(("", text)),
        Notation::Ruby => tags::bracketed(text, '[', ']').unwrap_or(("", text)),
        Notation::Lua if tag.name == "return" && !is_annotated => ("", text),
        Notation::Php | Notation::Lua => tags::leading_type(text),
    };
    // LuaLS names results too
    let named = word(help).filter(|(_, rest)| is_annotated && !rest.is_empty());
    let help = named.map_or(help, |(_, rest)| rest);
    ToldResult { of: types::read(notation, written, names), help: without_dash(help.trim()).to_owned() }
}

/// Reads the class of an exception, and when it is raised.
fn raised(notation: Notation, text: &str) -> (String, String) {
    let brackets = match notation {
        Notation::JavaScript => tags::bracketed(text, '{', '}'),
        Notation::Ruby => tags::bracketed(text, '[', ']'),
        _ => None,
    };
    let (class, help) = brackets.or_else(|| word(text)).unwrap_or((text, ""));
    (class.trim().to_owned(), without_dash(help.trim()).to_owned())
}

/// Splits a word from what follows it.
fn word(text: &str) -> Option<(&str, &str)> {
    let text = text.trim_start();
    let end = text.find(char::is_whitespace).unwrap_or(text.len());
    Some((&text[..end], text[end..].trim())).filter(|(word, _)| !word.is_empty())
}

fn without_dash(text: &str) -> &str {
    text.strip_prefix("- ").unwrap_or(text).trim()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn members_of_params() {
        let comment = "/**\n * Moves.\n * @param {Object} point\n * @param {number} point.x - across\n \
                       * @param {{a: string}[]} all\n * @param {string} [all[].b]\n */";
        let told = read(Notation::JavaScript, comment, &Names::new());
        let point = told.params[0].of.as_ref().unwrap();
        assert_eq!((&*point.members[0].name, &*point.members[0].help), ("x", "across"));
        let items = told.params[1].of.as_ref().unwrap().items.as_ref().unwrap();
        assert_eq!(items.members.iter().map(|member| &*member.name).collect::<Vec<_>>(), ["a", "b"]);
        assert!(items.members[1].optional);
    }

    #[test]
    fn named_types() {
        let source =
            "/**\n * @typedef {Object} Bike\n * @property {string} name\n * @property {number} [price] an hour\n */\n";
        let told = read(Notation::JavaScript, "/** @param {Bike[]} bikes */", &typedefs(source));
        let bike = told.params[0].of.as_ref().unwrap().items.as_ref().unwrap();
        assert_eq!(bike.members.len(), 2);
        assert!(bike.members[1].optional && bike.members[1].help == "an hour");
    }

    #[test]
    fn forms() {
        for (notation, comment, name) in [
            (Notation::Php, "/** @param int ...$more others */", "more"),
            (Notation::Ruby, "# @param [Integer] more others", "more"),
            (Notation::Lua, "--- @int more others", "more"),
            (Notation::Lua, "---@param more? integer others", "more"),
        ] {
            let told = read(notation, comment, &Names::new());
            let ToldParam { name: found, help, of, .. } = &told.params[0];
            assert_eq!((&**found, &**help), (name, "others"), "{comment}");
            assert_eq!(of.as_ref().map(|of| &*of.name), Some("integer"), "{comment}");
        }
    }
}
