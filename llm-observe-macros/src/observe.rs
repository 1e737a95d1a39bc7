//! The passes of `#[observe]`, one after another. On a mistake the item is given back untouched,
//! beside the mistakes, so that one typo is one error.

use proc_macro2::TokenStream;
use quote::quote;
use syn::parse2;

use crate::{
    args::{self, Args},
    check, config,
    errors::Errors,
    expand,
    item::FnItem,
    runtime,
};

/// Returns what `#[observe(args)] item` expands to.
pub(crate) fn observe(args: TokenStream, item: TokenStream) -> TokenStream {
    let mut errors = Errors::default();
    let args = args::parse(args, &mut errors);
    let expanded = function(&args, &item, &mut errors);
    if errors.is_empty() {
        return expanded.unwrap_or(item);
    }
    let errors = errors.to_tokens();
    quote!(#item #errors)
}

fn function(args: &Args, item: &TokenStream, errors: &mut Errors) -> Option<TokenStream> {
    // What is no function at all is the compiler's to complain of.
    let function: FnItem = parse2(item.clone()).ok()?;
    let config = config::load(errors);
    check::function(
        args,
        &function,
        config.as_ref().and_then(config::Loaded::config),
        errors,
    );
    let door = runtime::door(args.krate.as_ref());
    let dependency = config.and_then(|loaded| loaded.dependency(&door));
    errors
        .is_empty()
        .then(|| expand::function(args, function, dependency))
}
