//! Where the runtime crate is, as generated code names it.

use proc_macro2::{Group, Span, TokenStream, TokenTree};
use quote::quote;
use syn::Path;

/// Returns the path of the runtime's private door: `::llm_observe::__private`, or the one that
/// `crate = path` gives.
pub(crate) fn door(krate: Option<&Path>) -> TokenStream {
    match krate {
        Some(path) => quote!(#path::__private),
        None => quote!(::llm_observe::__private),
    }
}

/// Returns the door's path as if it stood at `span`, so that what does not fit its functions is
/// reported there. What its words mean is still found where they come from.
pub(crate) fn door_at(door: &TokenStream, span: Span) -> TokenStream {
    let relocate = |mut token: TokenTree| {
        if let TokenTree::Group(group) = &token {
            token = Group::new(group.delimiter(), door_at(&group.stream(), span)).into();
        }
        token.set_span(token.span().located_at(span));
        token
    };
    door.clone().into_iter().map(relocate).collect()
}
