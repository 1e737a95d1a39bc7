//! The closure that reads the returned value: the outcome, and what is recorded of it.

use proc_macro2::{Ident, Span, TokenStream};
use quote::{quote, quote_spanned};
use syn::{Expr, spanned::Spanned};

use super::start::converter;
use crate::{
    args::{Args, Evaluate, Sigil, When},
    returns::Returns,
    runtime::path_at,
};

/// The variables of the closure that ends a call.
pub(crate) struct FinishClosure {
    pub(crate) call: Ident,
    pub(crate) out: Ident,
}

impl FinishClosure {
    pub(crate) fn new() -> FinishClosure {
        let ident = |name| Ident::new(name, Span::mixed_site());
        FinishClosure {
            call: ident("call"),
            out: ident("out"),
        }
    }

    /// Returns where the closure stands: at the first of the user's closures in it, so that one which
    /// uses an argument that the body has taken is reported there.
    pub(crate) fn span(args: &Args) -> Span {
        let items = args.items.as_ref();
        let fields = args.fields.iter().filter_map(|field| match &field.when {
            When::End(closure) => Some(closure),
            _ => None,
        });
        let closures = [
            args.ok_if.as_ref(),
            args.error_if.as_ref(),
            args.quality.as_ref(),
            args.operation.usage.as_ref(),
            args.operation.output.as_ref(),
        ];
        let evaluated = args.evaluations.iter();
        let evaluated = evaluated.filter_map(|evaluate| evaluate.of.as_ref());
        let first = closures
            .into_iter()
            .flatten()
            .chain(items.filter(|items| matches!(items, Expr::Closure(_))))
            .chain(fields)
            .chain(evaluated)
            .next();
        let span = Span::mixed_site();
        first.map_or(span, |closure| span.located_at(closure.span()))
    }

    /// Returns the statements that end a call, over `call: &mut CallScope` and `out: &Output`.
    pub(crate) fn tokens(
        &self,
        args: &Args,
        returns: &Returns,
        runtime: &TokenStream,
    ) -> TokenStream {
        let FinishClosure { call, out } = self;
        let mut verdict = TokenStream::new();
        if !returns.cannot_fail() {
            verdict.extend(quote!(#call.verdict(#runtime::verdict!(#out));));
        }
        let mut tokens = self.response(args, returns, runtime);
        if args
            .err
            .as_ref()
            .is_some_and(|err| err.sigil == Some(Sigil::Debug))
        {
            let error = Ident::new("error", Span::mixed_site());
            tokens.extend(quote! {
                if let #runtime::Result::Err(#error) = #out { #call.error_as(#runtime::debug(#error)); }
            });
        }
        tokens.extend(
            args.expected
                .as_ref()
                .map(|pattern| self.expected(pattern, runtime)),
        );
        for (method, closure) in [("ok_if", &args.ok_if), ("error_if", &args.error_if)] {
            let Some(closure) = closure else { continue };
            let method = Ident::new(method, Span::mixed_site());
            tokens.extend(quote!(#call.#method(#runtime::check(#out, #closure));));
        }
        tokens.extend(self.returned(args, runtime));
        tokens.extend(self.of_ok(args, runtime));
        if tokens.is_empty() {
            return verdict;
        }
        // What is the user's own code is evaluated where a panic in it does no harm.
        quote!(#verdict #call.read(|#call| { #tokens });)
    }

    /// What the value says of itself as the answer of a model.
    fn response(&self, args: &Args, returns: &Returns, runtime: &TokenStream) -> TokenStream {
        let FinishClosure { call, out } = self;
        match args.operation.name {
            Some(name) if !returns.is_empty() => {
                let found = (name == "retrieval").then(
                    || quote!(#runtime::genai::retrieved(#call, #runtime::retrieved!(#out));),
                );
                quote!(#runtime::genai::response(#call, #runtime::response!(#out)); #found)
            }
            _ => TokenStream::new(),
        }
    }

    // A `match`, because a pattern may have a guard; its `Err` is spanned at the pattern, so that
    // a pattern of the wrong type is the user's line.
    fn expected(&self, pattern: &TokenStream, runtime: &TokenStream) -> TokenStream {
        let FinishClosure { call, out } = self;
        let span = Span::mixed_site().located_at(pattern.span());
        let runtime = path_at(runtime, span);
        let err = quote_spanned!(span=> #runtime::Result::Err);
        quote! {
            match #out {
                #err(#pattern) => #call.expected(),
                _ => {}
            }
        }
    }

    /// `ret` alone writes the whole value, with `err` only what `Ok` holds, as in `#[instrument]`.
    fn returned(&self, args: &Args, runtime: &TokenStream) -> Option<TokenStream> {
        let FinishClosure { call, out } = self;
        let ret = args.ret.as_ref().filter(|_| args.err.is_none())?;
        let converter = converter(Some(ret.sigil.unwrap_or(Sigil::Debug)));
        Some(quote!(#call.record("return", #runtime::#converter(#out));))
    }

    /// What is taken from the value of a call that is no error.
    fn of_ok(&self, args: &Args, runtime: &TokenStream) -> Option<TokenStream> {
        let FinishClosure { call, out } = self;
        let value = Ident::new("value", Span::mixed_site());
        let mut tokens = TokenStream::new();
        if let Some(ret) = args.ret.as_ref().filter(|_| args.err.is_some()) {
            let converter = converter(Some(ret.sigil.unwrap_or(Sigil::Debug)));
            tokens.extend(quote!(#call.record("return", #runtime::#converter(#value));));
        }
        if let Some(closure @ Expr::Closure(_)) = &args.items {
            let count = applied("count", closure, runtime);
            tokens.extend(quote!(#call.items(#count);));
        }
        if let Some(closure) = &args.quality {
            let score = applied("score", closure, runtime);
            tokens.extend(quote!(#call.quality(#score);));
        }
        tokens.extend(usage(args, call, runtime));
        tokens.extend(output(args, call, "output", runtime));
        for field in &args.fields {
            if let When::End(closure) = &field.when {
                let span = Span::mixed_site().located_at(closure.span());
                let (name, converter, at) =
                    (&field.name, converter(field.sigil), path_at(runtime, span));
                let seen = applied("see", closure, runtime);
                let value = quote_spanned!(span=> #at::#converter(&#seen));
                tokens.extend(quote!(#call.record(#name, #value);));
            }
        }
        for evaluate in &args.evaluations {
            tokens.extend(evaluation(evaluate, call, runtime));
        }
        if tokens.is_empty() {
            return None;
        }
        Some(quote! {
            if let #runtime::Option::Some(#value) = #runtime::ok_value!(#out) { #tokens }
        })
    }
}

/// What `closure` makes of the value. Spanned at the closure, so that one that makes something
/// of the wrong type is reported there.
fn applied(function: &str, closure: &Expr, runtime: &TokenStream) -> TokenStream {
    let span = Span::mixed_site().located_at(closure.span());
    let ident = |name| Ident::new(name, span);
    let (runtime, function, value) = (path_at(runtime, span), ident(function), ident("value"));
    quote_spanned!(span=> #runtime::#function(#value, #closure))
}

/// The start of an evaluation of `value`. Spanned at the evaluator, so that a value that it cannot take is
/// reported there.
fn evaluation(evaluate: &Evaluate, call: &Ident, runtime: &TokenStream) -> TokenStream {
    let Evaluate {
        name, with, share, ..
    } = evaluate;
    let span = Span::mixed_site().located_at(with.span());
    let (at, value) = (path_at(runtime, span), Ident::new("value", span));
    let taken = match &evaluate.of {
        Some(closure) => applied("see", closure, runtime),
        None => quote_spanned!(span=> #at::genai::cloned(#value)),
    };
    quote_spanned!(span=> #at::genai::evaluate(#call, #name, #share, || #taken, #with);)
}

/// What the closure of `usage` returns for `value`, noted on `call`.
pub(super) fn usage(args: &Args, call: &Ident, runtime: &TokenStream) -> Option<TokenStream> {
    let usage = applied("tokens", args.operation.usage.as_ref()?, runtime);
    Some(quote!(#runtime::genai::usage(#call, #usage);))
}

/// What the closure of `output` returns for `value`, noted on `call` by the runtime's function `note`. It is not
/// evaluated where nobody captures it.
pub(super) fn output(
    args: &Args,
    call: &Ident,
    note: &str,
    runtime: &TokenStream,
) -> Option<TokenStream> {
    let said = applied("said", args.operation.output.as_ref()?, runtime);
    let note = Ident::new(note, Span::mixed_site());
    Some(quote!(#runtime::genai::#note(#call, || #runtime::content!(#said));))
}
