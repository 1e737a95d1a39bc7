//! Where the runtime crate is, as generated code names it.

use proc_macro2::TokenStream;
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
