//! Reads the arguments one after another, and goes on behind each mistake.

use proc_macro2::{Span, TokenStream};
use syn::{
    Ident, LitStr, Token,
    ext::IdentExt,
    parse::{ParseStream, Parser},
};

use super::{
    keys::{self, Key},
    parsed::Args,
    syntax::WrittenKey,
};
use crate::errors::Errors;

/// Returns the arguments that `tokens` say, and adds every mistake in them to `errors`.
pub(crate) fn parse(tokens: TokenStream, errors: &mut Errors) -> Args {
    let mut args = Args::default();
    let before = errors.count();
    let result = Parser::parse2(
        |input: ParseStream<'_>| all(input, &mut args, errors),
        tokens,
    );
    errors.take(result);
    args.has_mistakes = errors.count() > before;
    args
}

fn all(input: ParseStream<'_>, args: &mut Args, errors: &mut Errors) -> syn::Result<()> {
    while !input.is_empty() {
        if let Err(error) = one(input, args, errors) {
            errors.add(error);
            skip_argument(input)?;
        }
        if input.is_empty() {
            break;
        }
        if let Err(error) = input.parse::<Token![,]>() {
            errors.at(error.span(), "expected `,` before the next key");
            skip_argument(input)?;
            input.parse::<Option<Token![,]>>()?;
        }
    }
    Ok(())
}

fn one(input: ParseStream<'_>, args: &mut Args, errors: &mut Errors) -> syn::Result<()> {
    // `#[instrument("name")]` takes the name without a key, so it is taken here too.
    if args.written.is_empty() && input.peek(LitStr) {
        let name: LitStr = input.parse()?;
        args.written.push(("name", name.span()));
        args.name = Some(syn::parse_quote!(#name));
        return Ok(());
    }
    let ident = input.call(Ident::parse_any).map_err(|e| {
        syn::Error::new(e.span(), "expected a key, such as `event = \"embedding\"`")
    })?;
    let written = ident.unraw().to_string();
    let Some(key) = keys::find(&written) else {
        return Err(keys::unknown(&ident, &written));
    };
    note(key, ident.span(), args, errors);
    let written = WrittenKey {
        ident: &ident,
        example: key.example,
    };
    (key.parse)(written, input, args, errors)
}

fn note(key: &Key, span: Span, args: &mut Args, errors: &mut Errors) {
    if !key.repeats && args.span_of(key.name).is_some() {
        errors.at(
            span,
            format_args!("`{}` is given twice; keep one", key.name),
        );
    }
    args.written.push((key.name, span));
}

/// Skips what is left of an argument that could not be read.
fn skip_argument(input: ParseStream<'_>) -> syn::Result<()> {
    while !input.is_empty() && !input.peek(Token![,]) {
        input.parse::<proc_macro2::TokenTree>()?;
    }
    Ok(())
}
