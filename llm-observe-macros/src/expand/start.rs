//! Records the arguments before the body runs.

use proc_macro2::{Ident, Span, TokenStream};
use quote::{quote, quote_spanned};
use syn::{Attribute, Expr, ext::IdentExt, spanned::Spanned};

use crate::{
    args::{Args, Captured, Field, Sigil, When},
    normalize::Binding,
    runtime::path_at,
};

/// The statement that records the arguments, and the name of every field there may be.
#[derive(Default)]
pub(crate) struct Start {
    pub(crate) tokens: TokenStream,
    pub(crate) names: Vec<String>,
}

/// Returns the statement that records the arguments `names` as `args` ask for.
pub(crate) fn start(args: &Args, names: &[Binding], runtime: &TokenStream) -> Start {
    let call = Ident::new("call", Span::mixed_site());
    let captured = captured(args, names);
    let mut recorded: Vec<String> = captured
        .iter()
        .map(|c| c.name.ident.unraw().to_string())
        .collect();
    let mut tokens = operation(args, &call, runtime);
    tokens.extend(captured.iter().map(|c| c.record(&call, runtime)));
    for field in &args.fields {
        if !recorded.contains(&field.name) {
            recorded.push(field.name.clone());
        }
        if let When::Start(expr) = &field.when {
            tokens.extend(record(&call, field, &value(expr, field.sigil, runtime)));
        }
    }
    if args.ret.is_some() {
        recorded.push("return".to_owned());
    }
    if let Some(items) = args
        .items
        .as_ref()
        .filter(|items| !matches!(items, Expr::Closure(_)))
    {
        tokens.extend(quote!(#call.items(#runtime::items(#items));));
    }
    if !tokens.is_empty() {
        tokens = quote!(#runtime::start(|#call| { #tokens }););
    }
    Start {
        tokens,
        names: recorded,
    }
}

/// Returns the statements that say which operation the call is, and what it is about.
fn operation(args: &Args, call: &Ident, runtime: &TokenStream) -> TokenStream {
    let operation = &args.operation;
    let Some(name) = operation.name else {
        return TokenStream::new();
    };
    let name = Ident::new(&name.to_uppercase(), Span::mixed_site());
    let mut tokens = quote!(#runtime::genai::start(#call, &#runtime::genai::#name););
    for subject in &operation.subjects {
        let key = Ident::new(subject.key, Span::mixed_site());
        let value = value(&subject.value, subject.sigil, runtime);
        tokens.extend(quote!(#runtime::genai::#key(#call, #value);));
    }
    if let Some(input) = &operation.input {
        let span = Span::mixed_site().located_at(input.span());
        let at = path_at(runtime, span);
        let content = quote_spanned!(span=> #at::content!(#input));
        tokens.extend(quote!(#runtime::genai::input(#call, || #content);));
    }
    tokens
}

/// Returns the statement that records `value` under the field's name.
pub(crate) fn record(call: &Ident, field: &Field, value: &TokenStream) -> TokenStream {
    let name = &field.name;
    quote!(#call.record(#name, #value);)
}

/// Returns `expr` as a value to record.
fn value(expr: &Expr, sigil: Option<Sigil>, runtime: &TokenStream) -> TokenStream {
    let span = Span::mixed_site().located_at(expr.span());
    let (converter, runtime) = (converter(sigil), path_at(runtime, span));
    quote_spanned!(span=> #runtime::#converter(&(#expr)))
}

/// Returns the runtime's function that converts something to a value.
pub(crate) fn converter(sigil: Option<Sigil>) -> Ident {
    let name = match sigil {
        None => "value",
        Some(Sigil::Display) => "display",
        Some(Sigil::Debug) => "debug",
    };
    Ident::new(name, Span::mixed_site())
}

/// An argument to record.
struct Capture<'a> {
    name: &'a Binding,
    sigil: Option<Sigil>,
}

impl Capture<'_> {
    fn record(&self, call: &Ident, runtime: &TokenStream) -> TokenStream {
        let ident = &self.name.ident;
        let field = ident.unraw().to_string();
        let cfgs: &[Attribute] = &self.name.cfgs;
        let converter = converter(self.sigil);
        // An argument that cannot be written down is reported at the argument.
        let span = Span::mixed_site().located_at(ident.span());
        let runtime = path_at(runtime, span);
        let value = quote_spanned!(span=> #runtime::#converter(&#ident));
        quote!(#(#cfgs)* #call.record(#field, #value);)
    }
}

fn captured<'a>(args: &Args, names: &'a [Binding]) -> Vec<Capture<'a>> {
    // As in `#[instrument]`: what is no number or text by the look of its type goes by `Debug`.
    let by_type = |name: &Binding| (!name.plain).then_some(Sigil::Debug);
    match &args.args {
        None => Vec::new(),
        Some(Captured::All) => names
            .iter()
            .filter(|name| {
                !args.skip.contains(&name.ident) && args.fields.iter().all(|f| name.ident != f.name)
            })
            .map(|name| Capture {
                name,
                sigil: by_type(name),
            })
            .collect(),
        Some(Captured::Just(list)) => list
            .iter()
            .filter_map(|arg| {
                let name = names.iter().find(|name| name.ident == arg.ident)?;
                Some(Capture {
                    name,
                    sigil: arg.sigil.or_else(|| by_type(name)),
                })
            })
            .collect(),
    }
}
