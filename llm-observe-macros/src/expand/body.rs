//! The body of an observed function, one template for each way a call can end.

use proc_macro2::{Group, Ident, Span, TokenStream};
use quote::{quote, quote_spanned};
use syn::{ReturnType, Type, spanned::Spanned};

use super::{
    block::BlockContext,
    boxed,
    desugar::{desugar, wants_async},
    finish::FinishClosure,
    inline::{self, Form},
    site,
    start::{self, Start},
    stream,
    template::{Template, is_lone_expression, local, type_hint},
};
use crate::{
    item::FnItem,
    normalize::{Prologue, normalize},
    returns::{self, Returns, Shape},
    runtime::path_at,
};

/// Returns what goes into the braces of `function`, and rewrites its signature to fit.
pub(crate) fn body(
    context: &BlockContext<'_>,
    function: &mut FnItem,
    block: &Group,
    runtime: &TokenStream,
) -> TokenStream {
    let args = context.args;
    let returns = Returns::of(&function.sig);
    let inline = (!args.stream && inline::wanted(function, &returns))
        .then(|| inline::form(args, function, &returns, block, runtime))
        .flatten();
    let prologue = match inline {
        Some(_) => Prologue::of_signature(&function.sig, block),
        None => normalize(&mut function.sig, block),
    };
    let Start {
        tokens: start,
        names,
    } = start::start(args, &prologue.names, runtime);
    let lets = prologue.tokens;
    let template = Template {
        site: site::site(args, &function.sig.ident, &names, runtime),
        before: quote!(#lets #start),
        block,
        runtime,
        args,
        returns: &returns,
    };
    if args.stream {
        return stream::body(&template, function, context.keeps_async);
    }
    if let Some(form) = inline {
        return template.inline(form, &function.sig.output);
    }
    match returns.shape {
        Shape::Sync if returns.is_never() => template.endless(),
        Shape::Sync | Shape::Either => template.sync(&function.sig.output),
        Shape::Async if returns.is_never() => template.endless_async(),
        Shape::Async => {
            let observed = template.asynchronous();
            if context.keeps_async || wants_async(&function.attrs) {
                return quote!(#observed.await);
            }
            desugar(function, runtime);
            observed
        }
        Shape::Future => template.future(&function.sig.output),
        Shape::Boxed => template.boxed(&function.sig.output, &start),
    }
}

impl Template<'_> {
    /// A call that ends when the function returns.
    fn sync(&self, output: &ReturnType) -> TokenStream {
        let (runtime, out, closure) = (self.runtime, local("out"), self.closure(output));
        let (call, enter, end) = (local("__call"), self.enter("Call"), self.end_of_sync());
        quote! {
            let #call = #enter;
            let #out = #runtime::call_once(#closure);
            #end
        }
    }

    /// Ends the call with `out`, and returns it.
    fn end_of_sync(&self) -> TokenStream {
        let Template { runtime, .. } = self;
        let call = local("__call");
        let finish = FinishClosure::new();
        let end = finish.tokens(self.args, self.returns, runtime);
        let FinishClosure { call: finish, out } = finish;
        let span = FinishClosure::span(self.args);
        match self.returns.shape {
            _ if end.is_empty() => quote!(#call.finish_ok(); #out),
            Shape::Sync => {
                let note = quote_spanned!(span=> |#finish| { let #out = &#out; #end });
                quote!(#call.finish(#note); #out)
            }
            _ => {
                let note = quote_spanned!(span=> move |#finish, #out| { #end });
                quote!(#runtime::end!(#call, #out, #note))
            }
        }
    }

    /// The same with the body in the function itself, as what `form` says.
    fn inline(&self, form: Form, output: &ReturnType) -> TokenStream {
        let (call, enter) = (local("__call"), self.enter("InlineCall"));
        let before = &self.before;
        match form {
            Form::Guarded => {
                let (body, guard) = (self.body(), local("__guard"));
                quote!(let #guard = #enter; #before #body)
            }
            // Neither lint is about what the user wrote: without the attribute, a body that never
            // gets to its end is no part of another expression, and nothing comes after it.
            Form::Value => {
                let (out, body) = (local("out"), self.block);
                let ty = match output {
                    ReturnType::Default => quote!(()),
                    ReturnType::Type(_, ty) => quote!(#ty),
                };
                let (enter, end) = (self.enter("Call"), self.end_of_sync());
                quote! {
                    let #call = #enter;
                    #before
                    #[allow(clippy::diverging_sub_expression)]
                    let #out: #ty = #body;
                    #[allow(unreachable_code)]
                    let #out = { #end };
                    #out
                }
            }
            Form::Argument => {
                let (body, note) = (self.block, self.end());
                quote!(let mut #call = #enter; #before #call.end(#body, #note))
            }
        }
    }

    /// A sync call of type `!`: it can end only by a panic, which the guard's drop is.
    fn endless(&self) -> TokenStream {
        let (call, enter) = (local("__call"), self.enter("Call"));
        let (before, body) = (&self.before, self.body());
        quote!(let #call = #enter; #before #body)
    }

    /// A call that ends when the future of the body is done.
    fn asynchronous(&self) -> TokenStream {
        let Template {
            before, returns, ..
        } = self;
        let type_hint = returns
            .output
            .as_ref()
            .map(|ty| type_hint(ty, self.runtime));
        let body = self.body();
        self.observed(&quote!(async move { #before #type_hint #body }))
    }

    /// An async call of type `!`. That type cannot be named, an empty one can.
    fn endless_async(&self) -> TokenStream {
        let Template {
            before, runtime, ..
        } = self;
        let body = self.body();
        let type_hint = type_hint(
            &Type::Verbatim(quote!(#runtime::core::convert::Infallible)),
            runtime,
        );
        let observed = self.observed(&quote!(async move { #before #type_hint #body }));
        quote!(match #observed.await {})
    }

    fn observed(&self, future: &TokenStream) -> TokenStream {
        let Template { site, runtime, .. } = self;
        let (future, end) = (self.limited(future), self.end());
        match self.links() {
            None => quote!(#runtime::Observed::new(#site, #future, #end)),
            Some(links) => quote!(#runtime::Observed::linked(#site, #links, #future, #end)),
        }
    }

    /// A call that ends when the future that the function makes is done.
    fn future(&self, output: &ReturnType) -> TokenStream {
        let Template { site, runtime, .. } = self;
        let (make, end, output) = (self.closure(output), self.end(), self.output_of(output));
        let links = match self.links() {
            Some(links) => quote!(#runtime::Option::Some(#links)),
            None => quote!(#runtime::Option::None),
        };
        if self.args.timeout.is_none() {
            return quote!(#runtime::future::<#output, _, _>(#site, #links, #make, #end));
        }
        let future = local("__future");
        let limited = self.limited(&quote!(#future));
        quote! {
            #runtime::limited_future::<#output, _, _, _>(#site, #links, #make, |#future| #limited, #end)
        }
    }

    /// The same where that future is boxed; one in a `Box::pin(async move { .. })` stays in it.
    fn boxed(&self, output: &ReturnType, start: &TokenStream) -> TokenStream {
        let runtime = self.runtime;
        let Some(boxed) = boxed::only_statement(&self.block.stream()) else {
            if self.args.timeout.is_none() {
                return self.sync(output);
            }
            let future = self.future(output);
            return quote!(#runtime::Box::pin(#future));
        };
        let type_hint = type_hint(&self.output_of(output), runtime);
        let observed = boxed.replace(|head, block| {
            let body = if is_lone_expression(&block.stream()) {
                block.stream()
            } else {
                quote!(#block)
            };
            self.observed(&quote!(#head { #start #type_hint #body }))
        });
        let captures = &self.before;
        let captures = if start.is_empty() {
            captures.clone()
        } else {
            TokenStream::new()
        };
        quote!(#captures #observed)
    }

    /// The future, dropped at the limit of `timeout`. What makes the error is spanned at the
    /// limit, so that an error type that cannot be made from `Elapsed` is reported there.
    fn limited(&self, future: &TokenStream) -> TokenStream {
        let Some(timeout) = &self.args.timeout else {
            return future.clone();
        };
        let runtime = self.runtime;
        let span = Span::mixed_site().located_at(timeout.span);
        let (at, elapsed) = (path_at(runtime, span), Ident::new("__elapsed", span));
        let make = quote_spanned!(span=> #at::From::from(#elapsed));
        let nanos = timeout.nanos;
        quote_spanned!(span=> #at::Limited::new(#at::nanos(#nanos), #future, |#elapsed| #make))
    }

    fn end(&self) -> TokenStream {
        let finish = FinishClosure::new();
        let end = finish.tokens(self.args, self.returns, self.runtime);
        let (FinishClosure { call, out }, runtime) = (finish, self.runtime);
        match end.is_empty() {
            true => quote!(#runtime::nothing),
            false => {
                let span = FinishClosure::span(self.args);
                quote_spanned!(span=> move |#call, #out| { #end })
            }
        }
    }

    /// The output of the future as a type argument: as it is written, or that of what the type
    /// stands for.
    fn output_of(&self, returned: &ReturnType) -> Type {
        let runtime = self.runtime;
        let mut ty = match (&self.returns.output, returned) {
            (Some(output), _) => output.clone(),
            (None, ReturnType::Type(_, ty)) if matches!(self.returns.shape, Shape::Boxed) => {
                let span = Span::mixed_site().located_at(ty.span());
                let at = path_at(runtime, span);
                Type::Verbatim(quote_spanned!(span=> <#ty as #at::core::future::Future>::Output))
            }
            _ => syn::parse_quote!(_),
        };
        returns::infer_impls(&mut ty);
        ty
    }
}
