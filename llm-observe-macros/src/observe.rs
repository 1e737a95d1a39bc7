//! The passes of `#[observe]`, one after another. On a mistake the item is given back untouched,
//! beside the mistakes, so that one typo is one error.

use proc_macro2::TokenStream;
use quote::{ToTokens, quote};
use syn::parse2;

use crate::{
    args::{self, Args},
    check,
    config::{self, Loaded},
    errors::Errors,
    expand::{
        self,
        block::{self, BlockContext},
    },
    item::FnItem,
    runtime,
};

/// Returns what `#[observe(args)] item` expands to.
pub(crate) fn observe(args: TokenStream, item: TokenStream) -> TokenStream {
    let mut errors = Errors::default();
    let args = args::parse(args, &mut errors);
    let loaded = config::load(&mut errors);
    let expanded = expand(&args, &item, loaded.as_ref(), &mut errors);
    if errors.is_empty() {
        return expanded.unwrap_or(item);
    }
    let (item, errors) = (block::without_own_attributes(item), errors.to_tokens());
    quote!(#item #errors)
}

fn expand(
    args: &Args,
    item: &TokenStream,
    loaded: Option<&Loaded>,
    errors: &mut Errors,
) -> Option<TokenStream> {
    let runtime = runtime::path(args.krate.as_ref());
    let mut dependency = loaded.and_then(|loaded| loaded.dependency(&runtime));
    let mut each = |context: &BlockContext<'_>, function: FnItem, errors: &mut Errors| {
        check::function(
            context.args,
            &function,
            loaded.and_then(Loaded::config),
            errors,
        );
        match errors.is_empty() {
            true => expand::function(context, function, dependency.take()),
            false => function.into_token_stream(),
        }
    };
    let not_a_function = match parse2::<FnItem>(item.clone()) {
        Ok(function) => {
            check::alone(args, errors);
            let context = BlockContext {
                args,
                keeps_async: false,
            };
            return Some(each(&context, function, errors));
        }
        Err(error) => error,
    };
    let block = block::block(item, args, errors, &mut each);
    match block {
        Some(_) => check::block(args, errors),
        None => check::not_observable(item, not_a_function, errors),
    }
    block
}
