//! The body of an observed function, one template for each way a call can end.

use proc_macro2::{Group, Ident, Span, TokenStream, TokenTree};
use quote::{ToTokens, quote, quote_spanned};
use syn::{ReturnType, Token, Type, spanned::Spanned};

use super::{
    ending::Ending,
    returns::{self, Returns, Shape},
    site,
    start::{self, Start},
};
use crate::{args::Args, item::FnItem, normalize::normalize};

/// Returns what goes into the braces of `function`, and rewrites its signature to fit.
pub(crate) fn body(
    args: &Args,
    function: &mut FnItem,
    block: &Group,
    door: &TokenStream,
) -> TokenStream {
    let returns = Returns::of(&function.sig);
    let prologue = normalize(&mut function.sig, block);
    let Start {
        tokens: start,
        mut names,
    } = start::start(args, &prologue.names, door);
    if args.ret.is_some() {
        names.push("return".to_owned());
    }
    let lets = &prologue.tokens;
    let parts = Parts {
        site: site::site(args, &function.sig.ident, &names, door),
        before: quote!(#lets #start),
        block,
        door,
        args,
        returns: &returns,
    };
    match returns.shape {
        Shape::Sync => parts.sync(&function.sig.output),
        Shape::Async => parts.asynchronous(function),
        Shape::Future | Shape::Boxed => parts.sync(&function.sig.output),
    }
}

struct Parts<'a> {
    site: TokenStream,
    before: TokenStream,
    block: &'a Group,
    door: &'a TokenStream,
    args: &'a Args,
    returns: &'a Returns,
}

impl Parts<'_> {
    fn sync(&self, output: &ReturnType) -> TokenStream {
        let Parts {
            site, before, door, ..
        } = self;
        let call = local("__call");
        if self.returns.never() {
            // It can end only by a panic, and the guard's drop is that.
            let body = self.body();
            return quote!(let #call = #door::Call::enter(#site); #before #body);
        }
        let Ending { call: ending, out } = Ending::new();
        let end = Ending::new().tokens(self.args, self.returns, door);
        let end = match end.is_empty() {
            true => quote!(|_| {}),
            false => quote!(|#ending| { let #out = &#out; #end }),
        };
        let closure = self.closure(output);
        quote! {
            let #call = #door::Call::enter(#site);
            let #out = #door::call_once(#closure);
            #call.finish(#end);
            #out
        }
    }

    /// The body as a closure that takes its captures with it, and has the function's return type.
    fn closure(&self, output: &ReturnType) -> TokenStream {
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
    fn body(&self) -> TokenStream {
        if is_lone_expression(&self.block.stream()) {
            self.block.stream()
        } else {
            self.block.to_token_stream()
        }
    }

    fn asynchronous(&self, function: &mut FnItem) -> TokenStream {
        let Parts {
            site, before, door, ..
        } = self;
        let body = self.body();
        let edge = edge(&function.sig.output);
        let end = Ending::new().tokens(self.args, self.returns, door);
        let Ending { call: ending, out } = Ending::new();
        let end = match end.is_empty() {
            true => quote!(|_, _| {}),
            false => quote!(|#ending, #out| { #end }),
        };
        let observed = quote! {
            #door::Observed::new(#site, async move { #before #edge #body }, #end)
        };
        desugar(function, door);
        observed
    }
}

/// Turns `async fn f() -> T` into `fn f() -> impl Future<Output = T>`: one state machine and one
/// frame less. The `impl` has this crate's edition, 2024, and so captures what an `async fn` does.
fn desugar(function: &mut FnItem, door: &TokenStream) {
    function.sig.asyncness = None;
    let span = Span::mixed_site();
    let (arrow, mut ty) = match std::mem::replace(&mut function.sig.output, ReturnType::Default) {
        ReturnType::Default => (Token![->](span), syn::parse_quote!(())),
        ReturnType::Type(arrow, ty) => (arrow, ty),
    };
    returns::capture_all(&mut ty);
    let future = Type::Verbatim(quote!(impl #door::core::future::Future<Output = #ty>));
    function.sig.output = ReturnType::Type(arrow, Box::new(future));
}

/// A return that is never taken: it tells the compiler the type of an async block before it reads
/// the body, so that a value of the wrong type is reported where the user wrote it.
fn edge(output: &ReturnType) -> TokenStream {
    let (span, mut ty) = match output {
        ReturnType::Default => (Span::mixed_site(), syn::parse_quote!(())),
        ReturnType::Type(_, ty) => (Span::mixed_site().located_at(ty.span()), ty.clone()),
    };
    if returns::infer_impls(&mut ty) && matches!(*ty, Type::Infer(_)) {
        return TokenStream::new();
    }
    let result = local("__result");
    quote_spanned! {span=>
        #[allow(unreachable_code, clippy::diverging_sub_expression, clippy::needless_return)]
        if false {
            let #result: #ty = loop {};
            return #result;
        }
    }
}

/// Returns whether a body has one expression and no item, as far as its text tells.
fn is_lone_expression(body: &TokenStream) -> bool {
    const ITEMS: [&str; 6] = ["struct", "enum", "union", "trait", "mod", "use"];
    !body.is_empty()
        && body.clone().into_iter().all(|token| match token {
            TokenTree::Punct(punct) => punct.as_char() != ';',
            TokenTree::Ident(ident) => ITEMS.iter().all(|item| ident != item),
            _ => true,
        })
}

fn local(name: &str) -> Ident {
    Ident::new(name, Span::mixed_site())
}
