//! Prints a function with the few lines that make its calls observed.
//!
//! The signature and the body are the user's own tokens. What is generated around them names
//! only the runtime's private module. Its variables have the hygiene of a macro's
//! definition, so that no name of the user's can clash with them.

pub(crate) mod block;

mod body;
mod boxed;
mod desugar;
mod finish;
mod inline;
mod site;
mod start;
mod stream;
mod template;

use proc_macro2::TokenStream;
use quote::{ToTokens, TokenStreamExt, quote};

use self::block::BlockContext;
use crate::{
    item::{Body, FnItem, braces_of},
    runtime,
};

/// Returns `function`, observed as `args` say. What is generated stays out of the documentation:
/// under rustdoc the function is printed as it was written.
pub(crate) fn function(
    context: &BlockContext<'_>,
    mut function: FnItem,
    dependency: Option<TokenStream>,
) -> TokenStream {
    if is_rustdoc() {
        return function.into_token_stream();
    }
    let Body::Block(inner, block) = function.body.clone() else {
        return function.into_token_stream();
    };
    let runtime = runtime::path(context.args.krate.as_ref());
    let content = body::body(context, &mut function, &block, &runtime);
    let FnItem {
        attrs,
        vis,
        defaultness,
        sig,
        ..
    } = &function;
    let mut tokens = TokenStream::new();
    tokens.append_all(attrs);
    tokens.extend(quote!(#vis #defaultness #sig));
    braces_of(&block, quote!(#(#inner)* #dependency #content)).to_tokens(&mut tokens);
    tokens
}

/// Returns whether rustdoc runs the expansion: it looks at signatures only.
fn is_rustdoc() -> bool {
    use std::sync::OnceLock;
    static RUSTDOC: OnceLock<bool> = OnceLock::new();
    *RUSTDOC.get_or_init(|| {
        std::env::current_exe()
            .is_ok_and(|exe| exe.file_stem().is_some_and(|stem| stem == "rustdoc"))
    })
}
