//! `#[service]`.

use proc_macro2::{Span, TokenStream};
use quote::quote;
use syn::ext::IdentExt;
use syn::parse::Parser;
use syn::spanned::Spanned;
use syn::{Error, FnArg, Ident, ImplItem, ImplItemFn, Item, ItemImpl, ReceiverKind, ReturnType, Type, Visibility};

use crate::function::{Argument, Errors, Function};
use crate::options::{MethodOptions, RenameAll};

/// Returns the block as it is, and the code that makes a registry of its type.
pub(crate) fn expand(options: TokenStream, item: TokenStream) -> TokenStream {
    let mut block = match block(item.clone()) {
        Ok(block) => block,
        Err(error) => {
            let error = error.into_compile_error();
            return quote!(#item #error);
        }
    };
    let mut errors = Errors::default();
    let mut rename_all = RenameAll::default();
    if let Err(error) = syn::meta::parser(|meta| rename_all.take(&meta)).parse2(options) {
        errors.add(error);
    }
    let methods = methods(&mut block, rename_all, &mut errors);
    let errors = errors.into_tokens();
    if !errors.is_empty() {
        return quote!(#block #errors);
    }
    let registry = registry(&block, &methods);
    quote!(#block #registry)
}

fn block(item: TokenStream) -> Result<ItemImpl, Error> {
    match syn::parse2(item)? {
        Item::Impl(block) => match &block.trait_ {
            None => Ok(block),
            Some((path, _)) => {
                let message = "`#[service]` goes on the `impl` block of a type: functions of a trait have no `pub`, \
                               which chooses what is published";
                Err(Error::new(path.span(), message))
            }
        },
        Item::Fn(function) => Err(Error::new(
            function.sig.ident.span(),
            "`#[service]` goes on an `impl` block: a function takes `#[method]`",
        )),
        item => Err(Error::new(item.span(), "`#[service]` goes on an `impl` block")),
    }
}

/// Returns the code that makes each of the methods.
fn methods(block: &mut ItemImpl, rename_all: RenameAll, errors: &mut Errors) -> Vec<TokenStream> {
    let self_type = (*block.self_ty).clone();
    let mut methods = Vec::new();
    for item in &mut block.items {
        let ImplItem::Fn(function) = item else {
            continue;
        };
        match publish(function, &self_type, rename_all) {
            Ok(method) => methods.extend(method),
            Err(error) => errors.add(error),
        }
    }
    methods
}

/// Returns the code that makes a method of a function; `None` if it is not published.
fn publish(function: &mut ImplItemFn, self_type: &Type, rename_all: RenameAll) -> Result<Option<TokenStream>, Error> {
    let options = take_options(function)?;
    let is_public = matches!(function.vis, Visibility::Public(_));
    if let (false, Some(name)) = (is_public, &options.name) {
        return Err(Error::new(name.span(), "this function is not `pub`, so it is not published"));
    }
    if !is_public || options.skip || makes_self(&function.sig.output, self_type) {
        return Ok(None);
    }
    let receiver = check_receiver(function)?;
    let taken = Function::take(&function.attrs, &mut function.sig)?;
    let name = match &options.name {
        Some(name) => name.value(),
        None => rename_all.apply(&taken.ident.unraw().to_string()),
    };
    let ident = &taken.ident;
    let (idents, types): (Vec<_>, Vec<_>) =
        taken.arguments.iter().map(|Argument { ident, ty, .. }| (ident, ty)).unzip();
    let request = taken.request.iter();
    // names that no argument has
    let (service, caller) = (service_ident(), Ident::new("request", Span::mixed_site()));
    let passed = taken.request.as_ref().map(|_| quote!(#caller,));
    let called = if receiver { quote!(#service.#ident) } else { quote!(Self::#ident) };
    let (asynchronously, wait) = if taken.is_async { (quote!(async), quote!(.await)) } else { Default::default() };
    let closure = quote! {
        #asynchronously move |#(#caller: #request,)* #(#idents: #types),*| #called(#passed #(#idents),*) #wait
    };
    let method = taken.described(&name, &options, &closure)?;
    let clone = receiver.then(|| quote!(let #service = ::std::sync::Arc::clone(&#service);));
    let conditions = function.attrs.iter().filter(|attribute| attribute.path().is_ident("cfg"));
    Ok(Some(quote!(#(#conditions)* { #clone #method })))
}

fn take_options(function: &mut ImplItemFn) -> Result<MethodOptions, Error> {
    let mut options = MethodOptions::default();
    let mut taken = Ok(());
    function.attrs.retain(|attribute| {
        let is_ours = attribute.path().is_ident("method");
        if is_ours && taken.is_ok() {
            taken = attribute.parse_nested_meta(|meta| options.take(&meta, true));
        }
        !is_ours
    });
    taken.map(|()| options)
}

/// Returns whether the function has a receiver, which must be `&self`.
fn check_receiver(function: &ImplItemFn) -> Result<bool, Error> {
    let Some(FnArg::Receiver(receiver)) = function.sig.inputs.first() else {
        return Ok(false);
    };
    if matches!(receiver.kind, ReceiverKind::Reference(_, _, None)) {
        return Ok(true);
    }
    let message = "methods are called from several threads at once: take `&self`, and keep what changes in a `Mutex` \
                   or an atomic";
    Err(Error::new(receiver.span(), message))
}

/// Returns whether the function is a constructor.
fn makes_self(output: &ReturnType, self_type: &Type) -> bool {
    match output {
        ReturnType::Type(_, ty) => {
            **ty == *self_type || matches!(&**ty, Type::Path(path) if path.path.is_ident("Self"))
        }
        ReturnType::Default => false,
    }
}

/// Returns the name of the shared value, which no argument has.
fn service_ident() -> Ident {
    Ident::new("service", Span::mixed_site())
}

/// Returns the code of `From` for the registry, by way of a function in which `Self` means the same as in the block.
fn registry(block: &ItemImpl, methods: &[TokenStream]) -> TokenStream {
    let self_type = &block.self_ty;
    let (generics, _, bounds) = block.generics.split_for_impl();
    let service = service_ident();
    quote! {
        impl #generics #self_type #bounds {
            #[doc(hidden)]
            fn __into_registry(self) -> ::rpcgi::Registry {
                let #service = ::std::sync::Arc::new(self);
                ::rpcgi::Registry::from([#(#methods),*])
            }
        }

        impl #generics ::std::convert::From<#self_type> for ::rpcgi::Registry #bounds {
            fn from(service: #self_type) -> ::rpcgi::Registry {
                service.__into_registry()
            }
        }
    }
}
