//! What is said of a call when its value is there: the outcome, and what is recorded of it.

use proc_macro2::{Ident, Span, TokenStream};
use quote::{quote, quote_spanned};
use syn::{Expr, spanned::Spanned};

use super::{returns::Returns, start::how};
use crate::{
    args::{Args, Sigil, When},
    runtime::door_at,
};

/// The variables of the closure that ends a call.
pub(crate) struct Ending {
    pub(crate) call: Ident,
    pub(crate) out: Ident,
}

impl Ending {
    pub(crate) fn new() -> Ending {
        let ident = |name| Ident::new(name, Span::mixed_site());
        Ending {
            call: ident("call"),
            out: ident("out"),
        }
    }

    /// Returns the statements that end a call, over `call: &mut Ending` and `out: &Output`.
    pub(crate) fn tokens(&self, args: &Args, returns: &Returns, door: &TokenStream) -> TokenStream {
        let Ending { call, out } = self;
        let mut tokens = TokenStream::new();
        if !returns.never_fails() {
            tokens.extend(quote!(#call.verdict(#door::verdict!(#out));));
        }
        if args
            .err
            .as_ref()
            .is_some_and(|err| err.sigil == Some(Sigil::Debug))
        {
            let error = Ident::new("error", Span::mixed_site());
            tokens.extend(quote! {
                if let #door::Result::Err(#error) = #out { #call.error_as(#door::debug(#error)); }
            });
        }
        tokens.extend(
            args.expected
                .as_ref()
                .map(|pattern| self.expected(pattern, door)),
        );
        for (method, closure) in [("ok_if", &args.ok_if), ("error_if", &args.error_if)] {
            let Some(closure) = closure else { continue };
            let method = Ident::new(method, Span::mixed_site());
            tokens.extend(quote!(#call.#method(#door::check(#out, #closure));));
        }
        tokens.extend(self.returned(args, door));
        tokens.extend(self.of_ok(args, door));
        tokens
    }

    // A `match`, because a pattern may have a guard; its `Err` is spanned at the pattern, so that
    // a pattern of the wrong type is the user's line.
    fn expected(&self, pattern: &TokenStream, door: &TokenStream) -> TokenStream {
        let Ending { call, out } = self;
        let span = Span::mixed_site().located_at(pattern.span());
        let door = door_at(door, span);
        let err = quote_spanned!(span=> #door::Result::Err);
        quote! {
            match #out {
                #err(#pattern) => #call.expected(),
                _ => {}
            }
        }
    }

    /// `ret` alone writes the whole value, with `err` only what `Ok` holds, as in `#[instrument]`.
    fn returned(&self, args: &Args, door: &TokenStream) -> Option<TokenStream> {
        let Ending { call, out } = self;
        let ret = args.ret.as_ref().filter(|_| args.err.is_none())?;
        let how = how(Some(ret.sigil.unwrap_or(Sigil::Debug)));
        Some(quote!(#call.record("return", #door::#how(#out));))
    }

    /// What is taken from the value of a call that is no error.
    fn of_ok(&self, args: &Args, door: &TokenStream) -> Option<TokenStream> {
        let Ending { call, out } = self;
        let value = Ident::new("value", Span::mixed_site());
        let mut tokens = TokenStream::new();
        if let Some(ret) = args.ret.as_ref().filter(|_| args.err.is_some()) {
            let how = how(Some(ret.sigil.unwrap_or(Sigil::Debug)));
            tokens.extend(quote!(#call.record("return", #door::#how(#value));));
        }
        if let Some(closure @ Expr::Closure(_)) = &args.items {
            let count = self.seen("count", closure, door);
            tokens.extend(quote!(#call.items(#count);));
        }
        if let Some(closure) = &args.quality {
            let score = self.seen("score", closure, door);
            tokens.extend(quote!(#call.quality(#score);));
        }
        for field in &args.fields {
            if let When::End(closure) = &field.when {
                let span = Span::mixed_site().located_at(closure.span());
                let (name, how, at) = (&field.name, how(field.sigil), door_at(door, span));
                let seen = self.seen("see", closure, door);
                let value = quote_spanned!(span=> #at::#how(&#seen));
                tokens.extend(quote!(#call.record(#name, #value);));
            }
        }
        if tokens.is_empty() {
            return None;
        }
        Some(quote! {
            if let #door::Option::Some(#value) = #door::ok_value!(#out) { #tokens }
        })
    }

    /// What `closure` makes of the value. Spanned at the closure, so that one that makes something
    /// of the wrong type is reported there.
    fn seen(&self, function: &str, closure: &Expr, door: &TokenStream) -> TokenStream {
        let span = Span::mixed_site().located_at(closure.span());
        let ident = |name| Ident::new(name, span);
        let (door, function, value) = (door_at(door, span), ident(function), ident("value"));
        quote_spanned!(span=> #door::#function(#value, #closure))
    }
}
