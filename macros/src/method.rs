//! `#[method]`.

use proc_macro2::TokenStream;
use quote::quote;
use syn::ext::IdentExt;
use syn::parse::Parser;
use syn::spanned::Spanned;
use syn::{Error, FnArg, Item, ItemFn};

use crate::function::{Errors, Function};
use crate::options::MethodOptions;

/// Returns the function as it is, and beside it a type of the same name that makes the method.
pub(crate) fn expand(options: TokenStream, item: TokenStream) -> TokenStream {
    let mut function = match function(item.clone()) {
        Ok(function) => function,
        Err(error) => {
            let error = error.into_compile_error();
            return quote!(#item #error);
        }
    };
    let published = publish(options, &mut function).unwrap_or_else(Error::into_compile_error);
    quote!(#function #published)
}

fn function(item: TokenStream) -> Result<ItemFn, Error> {
    match syn::parse2(item)? {
        Item::Fn(function) => Ok(function),
        Item::Impl(item) => {
            Err(Error::new(item.impl_token.span, "`#[method]` goes on a function: an `impl` block takes `#[service]`"))
        }
        item => Err(Error::new(item.span(), "`#[method]` goes on a function")),
    }
}

fn publish(options: TokenStream, function: &mut ItemFn) -> Result<TokenStream, Error> {
    let mut errors = Errors::default();
    let mut known = MethodOptions::default();
    if let Err(error) = syn::meta::parser(|meta| known.take(&meta, false)).parse2(options) {
        errors.add(error);
    }
    if let Some(FnArg::Receiver(receiver)) = function.sig.inputs.first() {
        let message = "`#[method]` goes on a function without `self`: put `#[service]` on the `impl` block around it";
        errors.add(Error::new(receiver.span(), message));
    }
    let taken = Function::take(&function.attrs, &mut function.sig);
    let taken = match (taken, errors.none()) {
        (Ok(taken), Ok(())) => taken,
        (Err(error), Ok(())) | (Ok(_), Err(error)) => return Err(error),
        (Err(more), Err(mut error)) => {
            error.combine(more);
            return Err(error);
        }
    };
    let (visibility, ident) = (&function.vis, &taken.ident);
    let name = known.name.as_ref().map_or_else(|| ident.unraw().to_string(), |name| name.value());
    let method = taken.constant(&name, &known)?;
    let conditions: Vec<_> = function.attrs.iter().filter(|attribute| attribute.path().is_ident("cfg")).collect();
    Ok(quote! {
        #(#conditions)*
        #[doc(hidden)]
        #[allow(non_camel_case_types, dead_code)]
        #visibility struct #ident {}

        #(#conditions)*
        impl ::rpcgi::__private::Published for #ident {
            fn method() -> ::rpcgi::Method #method
        }
    })
}
