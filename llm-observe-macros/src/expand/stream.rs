//! The body of a function with `stream`: its call ends when the stream does that it returns.

use proc_macro2::{Ident, Span, TokenStream};
use quote::{quote, quote_spanned};
use syn::spanned::Spanned;

use super::{
    desugar::{desugar, wants_async},
    finish::{output, usage},
    template::{Template, local, type_hint},
};
use crate::{
    item::FnItem,
    returns::{Shape, infer_impls, is_result},
    runtime::path_at,
};

/// Returns what goes into the braces, and rewrites the signature of an `async fn` to fit.
pub(super) fn body(
    template: &Template<'_>,
    function: &mut FnItem,
    keeps_async: bool,
) -> TokenStream {
    let runtime = template.runtime;
    let (call, out) = (local("__call"), local("out"));
    let enter = template.enter("StreamCall");
    let limits = limits(template);
    let end = end(template);
    match template.returns.shape {
        Shape::Async => {
            let hint = template
                .returns
                .output
                .as_ref()
                .map(|ty| type_hint(ty, runtime));
            let (before, body) = (&template.before, template.body());
            let inner = limited(template, &quote!(async move { #before #hint #body }));
            let outer = quote! {
                async move {
                    #limits
                    let mut #call = #enter;
                    let #out = #call.scope(#inner).await;
                    #end
                }
            };
            if keeps_async || wants_async(&function.attrs) {
                return quote!(#outer.await);
            }
            desugar(function, runtime);
            // Alone in the body, clippy would take it for an `async fn` that somebody wrote by hand.
            quote!(#runtime::core::convert::identity(#outer))
        }
        Shape::Sync | Shape::Either => {
            let make = template.closure(&function.sig.output);
            quote! {
                #limits
                let mut #call = #enter;
                let #out = #call.in_scope(#make);
                #end
            }
        }
        Shape::Future | Shape::Boxed => {
            let make = template.closure(&function.sig.output);
            let (future, is_boxed) = (local("__future"), template.returns.shape == Shape::Boxed);
            let inner = limited(template, &quote!(#future));
            let outer = quote! {
                async move {
                    let #out = #call.scope(#inner).await;
                    #end
                }
            };
            let outer = if is_boxed {
                quote!(#runtime::Box::pin(#outer))
            } else {
                outer
            };
            quote! {
                #limits
                let mut #call = #enter;
                let #future = #call.in_scope(#make);
                #outer
            }
        }
    }
}

/// What makes the returned stream the rest of the call.
fn end(template: &Template<'_>) -> TokenStream {
    let runtime = template.runtime;
    let (call, out) = (local("__call"), local("out"));
    let (scope, item) = (local("scope"), local("item"));
    let reads = chunk(template, &scope, &item);
    let note = quote!(move |#scope, #item| { #scope.verdict(#runtime::verdict!(#item)); #reads });
    let name = match template.returns.output.as_ref() {
        Some(ty) if !infer_impls(&mut ty.clone()) => "boxed_stream",
        _ => "stream",
    };
    // A type that cannot be observed is reported where it is written.
    let span = template
        .returns
        .output
        .as_ref()
        .map_or_else(Span::call_site, Spanned::span);
    let span = Span::mixed_site().located_at(span);
    let (at, macro_name) = (path_at(runtime, span), Ident::new(name, span));
    let failed = quote!(#call.verdict(#runtime::verdict!(&#out)););
    match make_item(template) {
        None => {
            let observed = quote_spanned!(span=> #at::#macro_name!(observe, #call, #out, #note));
            quote!(#failed #observed)
        }
        Some(make) => {
            let limits = local("__limits");
            let observed = quote_spanned!(span=> #at::#macro_name!(observe_limited, #call, #out, #limits, #make, #note));
            quote!(#failed #observed)
        }
    }
}

/// What is read of an item as a chunk of a model's answer.
fn chunk(template: &Template<'_>, scope: &Ident, item: &Ident) -> Option<TokenStream> {
    let (args, runtime) = (template.args, template.runtime);
    args.operation.name?;
    let usage = usage(args, scope, runtime);
    let output = output(args, scope, "output_chunk", runtime);
    let of_ok = (usage.is_some() || output.is_some()).then(|| {
        let value = local("value");
        quote! {
            if let #runtime::Option::Some(#value) = #runtime::ok_value!(#item) { #usage #output }
        }
    });
    Some(quote! {
        #scope.read(|#scope| {
            #runtime::genai::response(#scope, #runtime::response!(#item));
            #of_ok
        });
    })
}

/// The limits, from the start of the call.
fn limits(template: &Template<'_>) -> Option<TokenStream> {
    let limits = &template.args.stream_limits;
    limits.span?;
    let runtime = template.runtime;
    let set = [
        ("first", &limits.first),
        ("idle", &limits.idle),
        ("total", &limits.total),
    ];
    let set = set.into_iter().filter_map(|(name, limit)| {
        let (name, nanos) = (Ident::new(name, Span::mixed_site()), limit.as_ref()?.nanos);
        Some(quote!(.#name(#runtime::nanos(#nanos))))
    });
    let name = local("__limits");
    Some(quote!(let #name = #runtime::StreamLimits::start() #(#set)*;))
}

/// What makes an item of a limit that was reached.
fn make_item(template: &Template<'_>) -> Option<TokenStream> {
    let (elapsed, error) = error_of_limit(template)?;
    let (span, runtime) = (elapsed.span(), template.runtime);
    let at = path_at(runtime, span);
    Some(quote_spanned!(span=> |#elapsed| #at::Result::Err(#error)))
}

/// The name of an `Elapsed` and the error made from it, spanned where a limit is written: there an error
/// type is reported that cannot be made from it.
fn error_of_limit(template: &Template<'_>) -> Option<(Ident, TokenStream)> {
    let span = Span::mixed_site().located_at(template.args.stream_limits.span?);
    let (at, elapsed) = (
        path_at(template.runtime, span),
        Ident::new("__elapsed", span),
    );
    let error = quote_spanned!(span=> #at::From::from(#elapsed));
    Some((elapsed, error))
}

/// The future that comes before the stream, dropped at its limit where it can return an error.
fn limited(template: &Template<'_>, future: &TokenStream) -> TokenStream {
    let limit = template.args.stream_limits.of_the_future();
    let returns_result = template.returns.output.as_ref().is_some_and(is_result);
    let (Some(limit), Some(error), true) = (limit, error_of_limit(template), returns_result) else {
        return future.clone();
    };
    let (runtime, nanos) = (template.runtime, limit.nanos);
    let (elapsed, error) = error;
    quote!(#runtime::Limited::new(#runtime::nanos(#nanos), #future, |#elapsed| #error))
}
