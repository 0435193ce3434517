//! The option `example(a = 2, b = 3, result = 5)`: a call that makes sense, by the names of the arguments.

use proc_macro2::{Span, TokenStream};
use quote::{quote, quote_spanned};
use syn::ext::IdentExt;
use syn::meta::ParseNestedMeta;
use syn::parse::{Parse, ParseStream};
use syn::punctuated::Punctuated;
use syn::spanned::Spanned;
use syn::{Error, Expr, ExprLit, ExprUnary, GenericArgument, Ident, Lit, PathArguments, Result, Token, Type, UnOp};

use crate::function::{Argument, Errors};

/// An example as it is written.
pub(crate) struct Example {
    /// The place of the word `example`.
    span: Span,
    values: Vec<NamedValue>,
}

struct NamedValue {
    name: Ident,
    value: Expr,
}

impl Parse for NamedValue {
    fn parse(input: ParseStream<'_>) -> Result<NamedValue> {
        let name = input.call(Ident::parse_any)?;
        input.parse::<Token![=]>()?;
        Ok(NamedValue { name, value: input.parse()? })
    }
}

/// The meaning of a name in an example.
#[derive(Clone, Copy, PartialEq)]
enum Meaning {
    Argument(usize),
    Result,
}

impl Example {
    pub(crate) fn parse(meta: &ParseNestedMeta<'_>) -> Result<Example> {
        let content;
        syn::parenthesized!(content in meta.input);
        let values = Punctuated::<NamedValue, Token![,]>::parse_terminated(&content)?;
        Ok(Example { span: meta.path.span(), values: values.into_iter().collect() })
    }

    /// Returns the code that makes it.
    ///
    /// # Errors
    /// All names that are wrong, twice, or missing.
    pub(crate) fn tokens(&self, arguments: &[Argument]) -> Result<TokenStream> {
        let mut errors = Errors::default();
        let mut known: Vec<(Meaning, &Expr)> = Vec::new();
        for NamedValue { name, value } in &self.values {
            match meaning(name, arguments) {
                Some(meaning) if known.iter().any(|(before, _)| *before == meaning) => {
                    errors.add(Error::new(name.span(), format!("`{name}` has a value already")));
                }
                Some(meaning) => known.push((meaning, value)),
                None => errors.add(Error::new(name.span(), unknown(name, arguments))),
            }
        }
        let find = |meaning: Meaning| known.iter().find(|(found, _)| *found == meaning).map(|(_, value)| *value);
        let given = |index: usize| find(Meaning::Argument(index));
        let count = (0..arguments.len()).rev().find(|index| given(*index).is_some()).map_or(0, |last| last + 1);
        let mut params = Vec::new();
        for (index, argument) in arguments.iter().enumerate() {
            match given(index) {
                Some(value) => params.push(converted(value, Some(&argument.ty))),
                None if index < count && is_option(&argument.ty) => {
                    params.push(quote!(::std::option::Option::Some(::rpcgi::xmlrpc::Value::Nil)));
                }
                None if is_option(&argument.ty) => {}
                None => {
                    let message = format!("the example has no value for `{}`", argument.name());
                    errors.add(Error::new(self.span, message));
                }
            }
        }
        errors.none()?;
        let result = match find(Meaning::Result) {
            Some(value) => {
                let value = converted(value, None);
                quote!(::std::option::Option::Some(#value))
            }
            None => quote!(::std::option::Option::None),
        };
        Ok(quote!(::rpcgi::__private::Example::written([#(#params),*], #result)))
    }
}

/// Returns what a name stands for. `return` is always the result; `result` too, unless that is an argument.
fn meaning(name: &Ident, arguments: &[Argument]) -> Option<Meaning> {
    let text = name.unraw().to_string();
    let is_it = |argument: &Argument| argument.ident.unraw() == text || argument.name() == text;
    match arguments.iter().position(is_it) {
        Some(index) => Some(Meaning::Argument(index)),
        None => (text == "result" || text == "return").then_some(Meaning::Result),
    }
}

fn unknown(name: &Ident, arguments: &[Argument]) -> String {
    let names: Vec<String> = arguments.iter().map(|argument| format!("`{}`", argument.name())).collect();
    let result = if names.iter().any(|name| name == "`result`") { "`return`" } else { "`result`" };
    match names.is_empty() {
        true => format!("there is no argument `{name}`: expected {result}"),
        false => format!("there is no argument `{name}`: expected {} or {result}", names.join(", ")),
    }
}

/// Returns the code that makes an optional value of an expression. The expression has a type of its own: an argument's
/// type may be one that can only be read.
fn converted(value: &Expr, of: Option<&Type>) -> TokenStream {
    let span = value.span();
    if matches!(value, Expr::Path(path) if path.path.is_ident("None")) {
        // its type could not be inferred
        return quote_spanned!(span=> ::std::option::Option::Some(::rpcgi::xmlrpc::Value::Nil));
    }
    let value = with_suffix(value, of);
    quote_spanned!(span=> ::rpcgi::__private::example_value(&(#value)))
}

/// Gives an integer that has no type the one of the argument: it would be an `i32`, and too large for that or no
/// double.
fn with_suffix(value: &Expr, of: Option<&Type>) -> TokenStream {
    match value {
        Expr::Unary(ExprUnary { op: UnOp::Neg(minus), expr, .. }) => {
            let value = with_suffix(expr, of);
            quote!(#minus #value)
        }
        Expr::Lit(ExprLit { lit: Lit::Int(number), .. }) if number.suffix().is_empty() => {
            let suffix = of.and_then(number_type).unwrap_or_else(|| "i64".to_owned());
            let text = match suffix.starts_with('f') && number.base10_digits() == number.to_string().replace('_', "") {
                true => format!("{number}.0_{suffix}"),
                false => format!("{number}_{suffix}"),
            };
            let literal = text.parse::<proc_macro2::Literal>().map(|mut literal| {
                literal.set_span(number.span());
                quote!(#literal)
            });
            literal.unwrap_or_else(|_| quote!(#number))
        }
        value => quote!(#value),
    }
}

/// Returns the type of numbers that an argument is, or may be.
fn number_type(of: &Type) -> Option<String> {
    const NUMBERS: [&str; 14] =
        ["i8", "i16", "i32", "i64", "i128", "isize", "u8", "u16", "u32", "u64", "u128", "usize", "f32", "f64"];
    let Type::Path(path) = of else { return None };
    let last = path.path.segments.last()?;
    match &last.arguments {
        PathArguments::AngleBracketed(inner) if last.ident == "Option" => match inner.args.first()? {
            GenericArgument::Type(inner) => number_type(inner),
            _ => None,
        },
        _ => Some(last.ident.to_string()).filter(|name| NUMBERS.contains(&&**name)),
    }
}

/// Returns whether an argument may be left out.
fn is_option(of: &Type) -> bool {
    match of {
        Type::Path(path) => path.path.segments.last().is_some_and(|segment| segment.ident == "Option"),
        _ => false,
    }
}
