//! The function behind a method: its checks, its documentation, and the code that describes it.

use proc_macro2::TokenStream;
use quote::{format_ident, quote, quote_spanned};
use syn::ext::IdentExt;
use syn::spanned::Spanned;
use syn::{
    Attribute, Error, Expr, ExprLit, FnArg, Ident, Lit, LitStr, Meta, Pat, PatType, ReturnType, Safety, Signature, Type,
};

use crate::example::Example;
use crate::options::MethodOptions;

/// A function that can be a method.
pub(crate) struct Function {
    pub(crate) ident: Ident,
    help: String,
    /// The type of the argument for the request.
    pub(crate) request: Option<Type>,
    pub(crate) arguments: Vec<Argument>,
    is_fallible: bool,
    pub(crate) is_async: bool,
    /// The type of its result, if that can be written elsewhere.
    result: Option<Type>,
    /// Set if its types name lifetimes, which have a meaning in the function alone.
    has_lifetimes: bool,
}

pub(crate) struct Argument {
    pub(crate) ident: Ident,
    pub(crate) ty: Type,
    help: String,
}

impl Argument {
    /// Returns the name that callers see.
    pub(crate) fn name(&self) -> String {
        let name = self.ident.unraw().to_string();
        // a leading underscore is for the compiler: it marks an argument as not used, and means nothing to callers
        let shown = name.trim_start_matches('_');
        if shown.is_empty() { name } else { shown.to_owned() }
    }
}

impl Function {
    /// Reads a function, and removes the documentation from its arguments, where the compiler does not allow it.
    ///
    /// # Errors
    /// All reasons why it cannot be a method, together.
    pub(crate) fn take(attributes: &[Attribute], signature: &mut Signature) -> Result<Function, Error> {
        let mut errors = Errors::default();
        check_qualifiers(signature, &mut errors);
        let mut function = Function {
            ident: signature.ident.clone(),
            help: documentation(attributes),
            request: None,
            arguments: Vec::new(),
            is_fallible: returns_result(&signature.output),
            is_async: signature.asyncness.is_some(),
            result: result(&signature.output),
            has_lifetimes: !signature.generics.params.is_empty(),
        };
        let mut first = true;
        for input in &mut signature.inputs {
            let FnArg::Typed(input) = input else { continue };
            let help = documentation(&input.attrs);
            input.attrs.retain(|attribute| !attribute.path().is_ident("doc"));
            match argument(input, help, first) {
                Ok(Some(argument)) => function.arguments.push(argument),
                Ok(None) => function.request = Some((*input.ty).clone()),
                Err(error) => errors.add(error),
            }
            first = false;
        }
        errors.none()?;
        Ok(function)
    }

    /// Returns the code that makes the method of a function itself.
    ///
    /// # Errors
    /// Examples that do not fit its arguments.
    pub(crate) fn constant(&self, name: &str, options: &MethodOptions) -> Result<TokenStream, Error> {
        let ident = &self.ident;
        let typed = quote!(&::rpcgi::__private::TypedFunction { function: #ident, marker: ::std::marker::PhantomData });
        self.method(name, options, &format_ident!("constant"), &typed)
    }

    /// Returns the code that makes the method of a closure around the function.
    ///
    /// # Errors
    /// Examples that do not fit its arguments.
    pub(crate) fn described(
        &self,
        name: &str,
        options: &MethodOptions,
        closure: &TokenStream,
    ) -> Result<TokenStream, Error> {
        self.method(name, options, &format_ident!("described"), closure)
    }

    fn method(
        &self,
        name: &str,
        options: &MethodOptions,
        make: &Ident,
        body: &TokenStream,
    ) -> Result<TokenStream, Error> {
        let Function { help, .. } = self;
        let params = self.arguments.iter().map(|argument| {
            let (name, help) = (argument.name(), &argument.help);
            quote!((::std::borrow::Cow::Borrowed(#name), ::std::borrow::Cow::Borrowed(#help)))
        });
        let MethodOptions { aliases, faults, hidden, deprecated, since, is_unsafe, examples, .. } = options;
        let maybe = |text: &Option<LitStr>| match text {
            Some(text) => quote!(::std::option::Option::Some(::std::borrow::Cow::Borrowed(#text))),
            None => quote!(::std::option::Option::None),
        };
        let (deprecated, since) = (maybe(deprecated), maybe(since));
        let faults = faults.iter().map(|(code, text)| quote!((#code, ::std::borrow::Cow::Borrowed(#text))));
        let examples = self.written(examples)?;
        let location = quote_spanned!(self.ident.span()=> ::std::panic::Location::caller());
        let kind = self.kind();
        let assertions = self.assertions();
        // so that the compiler's errors about its types point at the function
        let make = quote_spanned!(self.ident.span()=> ::rpcgi::Method::#make::<#kind, _, _>);
        Ok(quote! {{
            #assertions
            static METADATA: ::rpcgi::__private::Metadata = ::rpcgi::__private::Metadata {
                name: ::std::borrow::Cow::Borrowed(#name),
                help: ::std::borrow::Cow::Borrowed(#help),
                params: ::std::borrow::Cow::Borrowed(&[#(#params),*]),
                aliases: ::std::borrow::Cow::Borrowed(&[#(::std::borrow::Cow::Borrowed(#aliases)),*]),
                faults: ::std::borrow::Cow::Borrowed(&[#(#faults),*]),
                hidden: #hidden,
                deprecated: #deprecated,
                since: #since,
                is_unsafe: #is_unsafe,
                examples: #examples,
                location: #location,
            };
            #make(&METADATA, #body)
        }})
    }

    /// Returns the code of the examples.
    fn written(&self, examples: &[Example]) -> Result<TokenStream, Error> {
        if examples.is_empty() {
            return Ok(quote!(::rpcgi::__private::Examples::NONE));
        }
        let (mut written, mut errors) = (Vec::new(), Errors::default());
        for example in examples {
            match example.tokens(&self.arguments) {
                Ok(example) => written.push(example),
                Err(error) => errors.add(error),
            }
        }
        errors.none()?;
        Ok(quote!(::rpcgi::__private::Examples::Written(|| ::std::vec::Vec::from([#(#written),*]))))
    }

    /// Returns code that makes the compiler name what each type lacks, at the type, not just refuse the function.
    fn assertions(&self) -> TokenStream {
        if self.has_lifetimes {
            return TokenStream::new();
        }
        let arguments = self
            .arguments
            .iter()
            .map(|Argument { ty, .. }| quote_spanned!(ty.span()=> ::rpcgi::__private::argument::<#ty>();));
        let result = self.result.iter().map(
            |ty| quote_spanned!(ty.span()=> ::rpcgi::__private::Returned::<#ty>(::std::marker::PhantomData).check();),
        );
        quote! {
            #(#arguments)*
            {
                #[allow(unused_imports)]
                use ::rpcgi::__private::PlainReturn as _;
                #(#result)*
            }
        }
    }

    /// Returns the marker of the function's kind, where it can be seen; else the compiler infers it.
    fn kind(&self) -> TokenStream {
        let kind = match (self.is_fallible, &self.request) {
            (false, _) => quote!(_),
            (true, None) => quote!(::rpcgi::__private::Fallible),
            (true, Some(_)) => {
                quote!(::rpcgi::__private::WithRequest<::rpcgi::__private::Fallible>)
            }
        };
        if self.is_async { quote!(::rpcgi::__private::Async<#kind>) } else { kind }
    }
}

fn check_qualifiers(signature: &Signature, errors: &mut Errors) {
    if let (Some(asyncness), false) = (&signature.asyncness, cfg!(feature = "async")) {
        errors.add(Error::new(asyncness.span(), "an `async` method needs rpcgi's feature `async`"));
    }
    if let Safety::Unsafe(unsafety) = &signature.safety {
        errors.add(Error::new(unsafety.span(), "a method is called by strangers: it cannot be `unsafe`"));
    }
    let chosen = signature.generics.params.iter().find(|param| !matches!(param, syn::GenericParam::Lifetime(_)));
    if let Some(param) = chosen {
        let message = "a method has no generic parameters: its caller sends values, and cannot choose types";
        errors.add(Error::new(param.span(), message));
    }
}

/// Returns the argument, or `None` for the request.
fn argument(input: &PatType, help: String, first: bool) -> Result<Option<Argument>, Error> {
    match &*input.ty {
        Type::Reference(reference) if is_request(&reference.elem) => {
            if !first {
                return Err(Error::new(input.span(), "the request comes first, before the arguments of the call"));
            }
            if reference.mutability.is_some() {
                return Err(Error::new(input.ty.span(), "the request is only looked at: take it as `&Request`"));
            }
            return Ok(None);
        }
        Type::Reference(_) => {
            let message = "an argument is decoded from the call into a value of its own: take an owned type, \
                           as `String` for `&str` or `Vec<T>` for `&[T]`";
            return Err(Error::new(input.ty.span(), message));
        }
        Type::ImplTrait(_) => {
            let message = "an argument needs a type of its own: `impl Trait` leaves the choice to the caller, who \
                           sends values, and cannot choose types";
            return Err(Error::new(input.ty.span(), message));
        }
        _ => {}
    }
    match &*input.pat {
        Pat::Ident(pattern) => Ok(Some(Argument { ident: pattern.ident.clone(), ty: (*input.ty).clone(), help })),
        pattern => Err(Error::new(pattern.span(), "an argument needs a name, which callers see in the documentation")),
    }
}

fn is_request(ty: &Type) -> bool {
    match ty {
        Type::Path(path) => path.path.segments.last().is_some_and(|segment| segment.ident == "Request"),
        _ => false,
    }
}

/// Returns whether the result is a `Result` by its name, as `io::Result` is too.
fn returns_result(output: &ReturnType) -> bool {
    match output {
        ReturnType::Type(_, ty) => match &**ty {
            Type::Path(path) => path.path.segments.last().is_some_and(|segment| segment.ident == "Result"),
            _ => false,
        },
        ReturnType::Default => false,
    }
}

/// Returns the type of a function's result, if it can be written elsewhere.
fn result(output: &ReturnType) -> Option<Type> {
    match output {
        ReturnType::Type(_, ty) if !matches!(**ty, Type::ImplTrait(_)) => Some((**ty).clone()),
        _ => None,
    }
}

/// Returns the text of doc comments.
fn documentation(attributes: &[Attribute]) -> String {
    let lines = attributes.iter().filter_map(|attribute| match &attribute.meta {
        Meta::NameValue(meta) if meta.path.is_ident("doc") => match &meta.value {
            Expr::Lit(ExprLit { lit: Lit::Str(text), .. }) => Some(text.value()),
            _ => None,
        },
        _ => None,
    });
    let lines: Vec<String> = lines.map(|line| line.strip_prefix(' ').unwrap_or(&line).to_owned()).collect();
    lines.join("\n").trim().to_owned()
}

/// Errors found so far, which are reported together.
#[derive(Default)]
pub(crate) struct Errors(Option<Error>);

impl Errors {
    pub(crate) fn add(&mut self, error: Error) {
        match &mut self.0 {
            Some(errors) => errors.combine(error),
            None => self.0 = Some(error),
        }
    }

    pub(crate) fn none(self) -> Result<(), Error> {
        self.0.map_or(Ok(()), Err)
    }

    /// Returns the errors as code, empty if there are none.
    pub(crate) fn into_tokens(self) -> TokenStream {
        self.0.map(Error::into_compile_error).unwrap_or_default()
    }
}
