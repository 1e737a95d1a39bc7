//! From `async fn` to a function that returns one future, where no other macro wants the `async`.

use proc_macro2::{Span, TokenStream};
use quote::quote_spanned;
use syn::{Attribute, ReturnType, Token, Type, spanned::Spanned};

use crate::{item::FnItem, returns, runtime::path_at};

/// Attributes that leave an `async fn` as it is. Any other may be a macro that wants to see the
/// `async`, as `#[tokio::main]` and `#[async_trait]` do; `#[must_use]` on an `async fn` is about
/// what comes out of the future, and on another function about what it returns.
const PASSIVE: [&str; 16] = [
    "allow",
    "cfg",
    "cfg_attr",
    "cold",
    "deny",
    "deprecated",
    "diagnostic",
    "doc",
    "expect",
    "forbid",
    "inline",
    "rustfmt",
    "clippy",
    "no_mangle",
    "export_name",
    "warn",
];

/// Returns whether an attribute may want to see the `async`.
pub(crate) fn wants_async(attrs: &[Attribute]) -> bool {
    attrs.iter().any(|attr| {
        let first = attr.path().segments.first();
        first.is_none_or(|first| PASSIVE.iter().all(|passive| first.ident != passive))
    })
}

/// Turns `async fn f() -> T` into `fn f() -> impl Future<Output = T>`: one state machine and one
/// frame less. The `impl` has this crate's edition, 2024, and so captures what an `async fn` does.
pub(crate) fn desugar(function: &mut FnItem, runtime: &TokenStream) {
    function.sig.asyncness = None;
    let span = Span::mixed_site();
    let (arrow, mut ty) = match std::mem::replace(&mut function.sig.output, ReturnType::Default) {
        ReturnType::Default => (Token![->](span), syn::parse_quote!(())),
        ReturnType::Type(arrow, ty) => (arrow, ty),
    };
    returns::capture_all(&mut ty);
    // Where the type is written, so that an `impl Trait` in it that does not hold is reported there.
    let span = span.located_at(ty.span());
    let at = path_at(runtime, span);
    let future =
        Type::Verbatim(quote_spanned!(span=> impl #at::core::future::Future<Output = #ty>));
    function.sig.output = ReturnType::Type(arrow, Box::new(future));
}
