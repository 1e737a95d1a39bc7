//! `fields(...)`, `args(...)` and `skip(...)`: names, sigils and expressions.

use proc_macro2::Span;
use quote::{ToTokens, quote};
use syn::{Expr, Ident, LitStr, Token, ext::IdentExt, parse::ParseStream};

use crate::errors::Errors;

/// How a value is written down when it is not recorded as it is.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Sigil {
    /// `%`
    Display,
    /// `?`
    Debug,
}

/// When the value of a field is known.
#[derive(Clone)]
pub(crate) enum When {
    /// From the arguments, before the body runs.
    Start(Expr),
    /// From the returned value.
    End(Expr),
    /// Recorded by the body, if at all.
    Later,
}

/// One field.
#[derive(Clone)]
pub(crate) struct Field {
    pub(crate) name: String,
    pub(crate) span: Span,
    pub(crate) sigil: Option<Sigil>,
    pub(crate) when: When,
}

/// One captured argument.
#[derive(Clone)]
pub(crate) struct Arg {
    pub(crate) ident: Ident,
    pub(crate) sigil: Option<Sigil>,
}

/// Reads the content of `fields(...)`.
pub(crate) fn fields(input: ParseStream<'_>, errors: &mut Errors) -> syn::Result<Vec<Field>> {
    let mut fields: Vec<Field> = Vec::new();
    while !input.is_empty() {
        let field = field(input)?;
        if fields.iter().any(|f| f.name == field.name) {
            errors.at(
                field.span,
                format_args!("the field `{}` is given twice", field.name),
            );
        }
        fields.push(field);
        if !input.is_empty() {
            input.parse::<Token![,]>()?;
        }
    }
    Ok(fields)
}

/// Reads the content of `args(...)`.
pub(crate) fn args(input: ParseStream<'_>, errors: &mut Errors) -> syn::Result<Vec<Arg>> {
    let mut args: Vec<Arg> = Vec::new();
    while !input.is_empty() {
        let sigil = sigil(input)?;
        let ident = input.call(Ident::parse_any)?;
        if args.iter().any(|a| a.ident == ident) {
            errors.at(
                ident.span(),
                format_args!("the argument `{ident}` is given twice"),
            );
        }
        args.push(Arg { ident, sigil });
        if !input.is_empty() {
            input.parse::<Token![,]>().map_err(|e| {
                syn::Error::new(
                    e.span(),
                    "`args` takes names of arguments; other values go in `fields`",
                )
            })?;
        }
    }
    Ok(args)
}

/// Reads the content of `skip(...)`.
pub(crate) fn idents(input: ParseStream<'_>) -> syn::Result<Vec<Ident>> {
    Ok(input
        .parse_terminated(Ident::parse_any, Token![,])?
        .into_iter()
        .collect())
}

fn field(input: ParseStream<'_>) -> syn::Result<Field> {
    let shorthand = sigil(input)?;
    let span = input.span();
    let (name, expr) = name(input)?;
    if shorthand.is_some() {
        let value =
            expr.ok_or_else(|| syn::Error::new(span, "expected a variable after the sigil"))?;
        return Ok(Field {
            name,
            span,
            sigil: shorthand,
            when: When::Start(value),
        });
    }
    if input.parse::<Option<Token![=]>>()?.is_none() {
        return Ok(Field {
            name,
            span,
            sigil: None,
            when: When::Later,
        });
    }
    let sigil = sigil(input)?;
    Ok(Field {
        name,
        span,
        sigil,
        when: when(input.parse()?),
    })
}

/// Reads `user.id` or `"user id"`: the name, and the expression where it is a place.
fn name(input: ParseStream<'_>) -> syn::Result<(String, Option<Expr>)> {
    if input.peek(LitStr) {
        let text: LitStr = input.parse()?;
        return Ok((text.value(), None));
    }
    let first = input.call(Ident::parse_any)?;
    let mut name = first.unraw().to_string();
    let mut place = first.to_token_stream();
    while input.parse::<Option<Token![.]>>()?.is_some() {
        let part = input.call(Ident::parse_any)?;
        name.push('.');
        name.push_str(&part.unraw().to_string());
        place = quote!(#place.#part);
    }
    // A keyword names a field, and no place.
    Ok((name, syn::parse2(place).ok()))
}

fn when(value: Expr) -> When {
    match &value {
        Expr::Closure(_) => When::End(value),
        Expr::Path(path)
            if path
                .path
                .segments
                .last()
                .is_some_and(|s| s.ident == "Empty") =>
        {
            When::Later
        }
        _ => When::Start(value),
    }
}

pub(super) fn sigil(input: ParseStream<'_>) -> syn::Result<Option<Sigil>> {
    if input.parse::<Option<Token![%]>>()?.is_some() {
        return Ok(Some(Sigil::Display));
    }
    Ok(input.parse::<Option<Token![?]>>()?.map(|_| Sigil::Debug))
}
