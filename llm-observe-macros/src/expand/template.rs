//! What the templates of a body have in common: the call's start, and the body in its forms.

use proc_macro2::{Group, Ident, Span, TokenStream};
use quote::{ToTokens, quote, quote_spanned};
use syn::{ReturnType, Type, spanned::Spanned};

use crate::{
    args::Args,
    returns::{self, Returns},
    runtime::path_at,
};

pub(super) struct Template<'a> {
    pub(super) site: TokenStream,
    /// What stands before the body: bindings of parameters, and what is recorded of them.
    pub(super) before: TokenStream,
    pub(super) block: &'a Group,
    pub(super) runtime: &'a TokenStream,
    pub(super) args: &'a Args,
    pub(super) returns: &'a Returns,
}

impl Template<'_> {
    pub(super) fn enter(&self, guard: &str) -> TokenStream {
        let Template { site, runtime, .. } = self;
        let guard = local(guard);
        match self.links() {
            None => quote!(#runtime::#guard::enter(#site)),
            Some(links) => quote!(#runtime::#guard::enter_linked(#site, #links)),
        }
    }

    /// `parent` and `follows_from`, evaluated when the function is called.
    pub(super) fn links(&self) -> Option<TokenStream> {
        let runtime = self.runtime;
        let parent = self
            .args
            .parent
            .as_ref()
            .map(|parent| quote!(.parent(#parent)));
        let causes = self
            .args
            .follows_from
            .as_ref()
            .map(|causes| quote!(.follows_from(#causes)));
        (parent.is_some() || causes.is_some())
            .then(|| quote!(#runtime::Links::new() #parent #causes))
    }

    /// The body as a closure that takes its captures with it, and has the function's return type.
    pub(super) fn closure(&self, output: &ReturnType) -> TokenStream {
        let braced = match self.before.is_empty() {
            true => self.block.to_token_stream(),
            false => {
                let (before, body) = (&self.before, self.body());
                quote!({ #before #body })
            }
        };
        match output {
            ReturnType::Default => quote!(move || -> () #braced),
            ReturnType::Type(arrow, ty) => {
                let mut ty = ty.clone();
                returns::infer_impls(&mut ty);
                quote!(move || #arrow #ty #braced)
            }
        }
    }

    /// The body to stand behind other statements: in its own braces, except that a lone
    /// expression goes without, where rustc would call them superfluous.
    pub(super) fn body(&self) -> TokenStream {
        match is_lone_expression(&self.block.stream()) {
            true => self.block.stream(),
            false => self.block.to_token_stream(),
        }
    }
}

/// A return that is never taken: it tells the compiler the type of an async block before it reads
/// the body, so that a value of the wrong type is reported where the user wrote it.
pub(super) fn type_hint(output: &Type, runtime: &TokenStream) -> TokenStream {
    let mut ty = output.clone();
    if returns::infer_impls(&mut ty) && matches!(ty, Type::Infer(_)) {
        return TokenStream::new();
    }
    let span = Span::mixed_site().located_at(output.span());
    let runtime = path_at(runtime, span);
    quote_spanned!(span=> if false { return #runtime::any::<#ty>(); })
}

/// Returns whether a body has one expression and no item, as far as its text tells.
pub(super) fn is_lone_expression(body: &TokenStream) -> bool {
    use proc_macro2::TokenTree;
    const ITEMS: [&str; 6] = ["struct", "enum", "union", "trait", "mod", "use"];
    !body.is_empty()
        && body.clone().into_iter().all(|token| match token {
            TokenTree::Punct(punct) => punct.as_char() != ';',
            TokenTree::Ident(ident) => ITEMS.iter().all(|item| ident != item),
            _ => true,
        })
}

pub(super) fn local(name: &str) -> Ident {
    Ident::new(name, Span::mixed_site())
}
