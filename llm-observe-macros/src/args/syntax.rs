//! The syntax that keys share: `key = value`, `key(...)`, and the error for a key without its value.

use std::fmt;

use proc_macro2::{Span, TokenStream};
use syn::{
    Expr, ExprLit, Ident, Lit, LitStr, Token,
    ext::IdentExt,
    parenthesized,
    parse::{ParseBuffer, ParseStream},
    spanned::Spanned,
    token,
};

use crate::errors::Errors;

/// A key as it was written, and an example of how it is written for messages.
#[derive(Clone, Copy)]
pub(crate) struct WrittenKey<'a> {
    pub(super) ident: &'a Ident,
    pub(super) example: &'static str,
}

impl WrittenKey<'_> {
    pub(super) fn span(&self) -> Span {
        self.ident.span()
    }
}

impl fmt::Display for WrittenKey<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self.ident, f)
    }
}

/// Reads the `=` behind a key.
pub(super) fn equals(key: WrittenKey<'_>, input: ParseStream<'_>) -> syn::Result<()> {
    if input.parse::<Option<Token![=]>>()?.is_some() {
        return Ok(());
    }
    let example = key.example;
    Err(syn::Error::new(
        key.span(),
        format!("`{key}` needs a value: `{example}`"),
    ))
}

/// Reads `= EXPR`.
pub(super) fn expr(key: WrittenKey<'_>, input: ParseStream<'_>) -> syn::Result<Expr> {
    equals(key, input)?;
    input.parse()
}

/// Reads `= "text"`.
pub(super) fn string_like(key: WrittenKey<'_>, input: ParseStream<'_>) -> syn::Result<LitStr> {
    equals(key, input)?;
    let example = key.example;
    match input.parse()? {
        Expr::Lit(ExprLit {
            lit: Lit::Str(text),
            ..
        }) => Ok(text),
        other => Err(syn::Error::new(
            other.span(),
            format!("`{key}` takes a string literal, such as `{example}`"),
        )),
    }
}

/// Reads the parentheses behind a key.
pub(super) fn parens<'a>(
    key: WrittenKey<'_>,
    input: ParseStream<'a>,
) -> syn::Result<ParseBuffer<'a>> {
    if !input.peek(token::Paren) {
        let example = key.example;
        return Err(syn::Error::new(
            key.span(),
            format!("write it as `{example}`"),
        ));
    }
    let content;
    parenthesized!(content in input);
    Ok(content)
}

/// Reads what is in parentheses. What a mistake leaves there is skipped: it would be a second one.
pub(super) fn inside<T>(
    content: ParseBuffer<'_>,
    read: impl FnOnce(ParseStream<'_>) -> syn::Result<T>,
) -> syn::Result<T> {
    let result = read(&content);
    if result.is_err() {
        content.parse::<TokenStream>()?;
    }
    result
}

/// Reads the parts in the parentheses of a key, each by `read`, and returns their names. One that is there
/// twice is reported.
pub(super) fn parts(
    input: ParseStream<'_>,
    errors: &mut Errors,
    mut read: impl FnMut(&Ident, &mut Errors) -> syn::Result<()>,
) -> syn::Result<Vec<Ident>> {
    let mut seen = Vec::new();
    while !input.is_empty() {
        let part = input.call(Ident::parse_any)?;
        if seen.contains(&part) {
            errors.at(
                part.span(),
                format_args!("`{part}` is given twice; keep one"),
            );
        }
        read(&part, errors)?;
        seen.push(part);
        if !input.is_empty() {
            input.parse::<Token![,]>()?;
        }
    }
    Ok(seen)
}
