//! The path of the runtime crate in generated code.

use proc_macro2::{Group, Span, TokenStream, TokenTree};
use quote::quote;
use syn::Path;

/// Returns the path of the runtime's private module: `::llm_observe::__private`, or the one that
/// `crate = path` gives.
pub(crate) fn path(krate: Option<&Path>) -> TokenStream {
    match krate {
        Some(path) => quote!(#path::__private),
        None => quote!(::llm_observe::__private),
    }
}

/// Returns the path `runtime` with its tokens located at `span`, so that a type error in a call of
/// its functions is reported there. Names still resolve where the tokens come from.
pub(crate) fn path_at(runtime: &TokenStream, span: Span) -> TokenStream {
    let relocate = |mut token: TokenTree| {
        if let TokenTree::Group(group) = &token {
            token = Group::new(group.delimiter(), path_at(&group.stream(), span)).into();
        }
        token.set_span(token.span().located_at(span));
        token
    };
    runtime.clone().into_iter().map(relocate).collect()
}
