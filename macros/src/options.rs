//! The options in the parentheses of the attributes.

use syn::meta::ParseNestedMeta;
use syn::{Error, Expr, LitStr, Result, Token};

use crate::example::Example;

/// Options of a method.
#[derive(Default)]
pub(crate) struct MethodOptions {
    pub(crate) name: Option<LitStr>,
    pub(crate) aliases: Vec<LitStr>,
    /// Codes and texts.
    pub(crate) faults: Vec<(Expr, LitStr)>,
    pub(crate) hidden: bool,
    /// The text that says what to call instead.
    pub(crate) deprecated: Option<LitStr>,
    pub(crate) since: Option<LitStr>,
    pub(crate) is_unsafe: bool,
    pub(crate) examples: Vec<Example>,
    pub(crate) skip: bool,
}

impl MethodOptions {
    /// Takes one option; `in_service` if the function is in a block and can be skipped.
    pub(crate) fn take(&mut self, meta: &ParseNestedMeta<'_>, in_service: bool) -> Result<()> {
        if meta.path.is_ident("name") {
            self.name = Some(meta.value()?.parse()?);
        } else if meta.path.is_ident("alias") {
            self.aliases.push(meta.value()?.parse()?);
        } else if meta.path.is_ident("fault") {
            let content;
            syn::parenthesized!(content in meta.input);
            let code = content.parse()?;
            content.parse::<Token![,]>()?;
            self.faults.push((code, content.parse()?));
        } else if meta.path.is_ident("hidden") {
            self.hidden = true;
        } else if meta.path.is_ident("deprecated") {
            self.deprecated = Some(meta.value()?.parse()?);
        } else if meta.path.is_ident("since") {
            self.since = Some(meta.value()?.parse()?);
        } else if meta.path.is_ident("unsafe") {
            self.is_unsafe = true;
        } else if meta.path.is_ident("example") {
            self.examples.push(Example::parse(meta)?);
        } else if meta.path.is_ident("skip") && in_service {
            self.skip = true;
        } else if in_service {
            return Err(meta.error("unknown option: expected `name = \"...\"`, `alias = \"...\"`, `fault(CODE, \"...\")`, `example(ARGUMENT = VALUE, result = VALUE)`, `hidden`, `deprecated = \"...\"`, `since = \"...\"`, `unsafe` or `skip`"));
        } else {
            return Err(meta.error(
                "unknown option: expected `name = \"...\"`, `alias = \"...\"`, `fault(CODE, \"...\")`, `example(ARGUMENT = VALUE, result = VALUE)`, `hidden`, `deprecated = \"...\"`, `since = \"...\"` or `unsafe`",
            ));
        }
        Ok(())
    }
}

/// The rule that makes the names of a service's methods from those of its functions.
#[derive(Clone, Copy, Default)]
pub(crate) enum RenameAll {
    #[default]
    AsWritten,
    Camel,
    Pascal,
    Snake,
    Kebab,
    ScreamingSnake,
}

impl RenameAll {
    /// Takes one option of a service.
    pub(crate) fn take(&mut self, meta: &ParseNestedMeta<'_>) -> Result<()> {
        if !meta.path.is_ident("rename_all") {
            return Err(meta.error("unknown option: expected `rename_all = \"...\"`"));
        }
        let rule: LitStr = meta.value()?.parse()?;
        *self = match &rule.value()[..] {
            "camelCase" => RenameAll::Camel,
            "PascalCase" => RenameAll::Pascal,
            "snake_case" => RenameAll::Snake,
            "kebab-case" => RenameAll::Kebab,
            "SCREAMING_SNAKE_CASE" => RenameAll::ScreamingSnake,
            _ => {
                let message = "unknown case: expected `camelCase`, `PascalCase`, `snake_case`, `kebab-case` or \
                               `SCREAMING_SNAKE_CASE`";
                return Err(Error::new(rule.span(), message));
            }
        };
        Ok(())
    }

    pub(crate) fn apply(self, name: &str) -> String {
        use heck::{ToKebabCase, ToLowerCamelCase, ToPascalCase, ToShoutySnakeCase, ToSnakeCase};

        match self {
            RenameAll::AsWritten => name.to_owned(),
            RenameAll::Camel => name.to_lower_camel_case(),
            RenameAll::Pascal => name.to_pascal_case(),
            RenameAll::Snake => name.to_snake_case(),
            RenameAll::Kebab => name.to_kebab_case(),
            RenameAll::ScreamingSnake => name.to_shouty_snake_case(),
        }
    }
}
