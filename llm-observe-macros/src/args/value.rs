//! The values of keys: read, then checked by the rules of the configuration file.

use std::time::Duration;

use llm_observe_config::{Severity, suggest, units, valid_event_name};
use proc_macro2::{Span, TokenStream};
use quote::{ToTokens, quote};
use syn::{Expr, ExprLit, Ident, Lit, LitStr, parse::ParseStream};

use super::syntax::{WrittenKey, expr, string_like};
use crate::errors::Errors;

/// A duration in nanoseconds, with its literal.
#[derive(Clone)]
pub(crate) struct Nanos {
    pub(crate) nanos: u64,
    pub(crate) span: Span,
}

/// A number from 0 to 1.
#[derive(Clone)]
pub(crate) struct Share(pub(crate) f64);

/// A level of `tracing`.
#[derive(Clone)]
pub(crate) enum Level {
    /// One of the five, by name or number.
    Named(&'static str),
    /// A constant of the user's.
    Const(Box<Expr>),
}

const LEVELS: [&str; 5] = ["trace", "debug", "info", "warn", "error"];
const SEVERITIES: [Severity; 4] = [
    Severity::Info,
    Severity::Warning,
    Severity::Error,
    Severity::Critical,
];

impl Level {
    /// Reads `= "info"`, `= INFO`, `= Level::INFO`, `= 3`, or a constant.
    pub(crate) fn after_eq(
        key: WrittenKey<'_>,
        input: ParseStream<'_>,
        errors: &mut Errors,
    ) -> syn::Result<Option<Level>> {
        let expr = expr(key, input)?;
        let wrong = |errors: &mut Errors, written: &str| {
            errors.on(&expr, one_of("level", written, &LEVELS));
            None
        };
        Ok(match &expr {
            Expr::Lit(ExprLit {
                lit: Lit::Str(text),
                ..
            }) => named(&text.value()).or_else(|| wrong(errors, &text.value())),
            Expr::Lit(ExprLit {
                lit: Lit::Int(number),
                ..
            }) => {
                let level = number
                    .base10_parse::<usize>()
                    .ok()
                    .and_then(|n| LEVELS.get(n.wrapping_sub(1)));
                level
                    .and_then(|l| named(l))
                    .or_else(|| wrong(errors, number.base10_digits()))
            }
            Expr::Path(path) => {
                let last = path.path.segments.last().map(|s| s.ident.to_string());
                let constant = Level::Const(Box::new(expr.clone()));
                Some(last.and_then(|name| named(&name)).unwrap_or(constant))
            }
            _ => wrong(errors, &expr.to_token_stream().to_string()),
        })
    }

    /// Returns it as an expression of the type `Level`.
    pub(crate) fn tokens(&self, runtime: &TokenStream) -> TokenStream {
        match self {
            Level::Named(name) => {
                let name = Ident::new(&name.to_uppercase(), Span::mixed_site());
                quote!(#runtime::Level::#name)
            }
            Level::Const(expr) => expr.to_token_stream(),
        }
    }
}

/// Reads `= "critical"`.
pub(crate) fn severity(
    key: WrittenKey<'_>,
    input: ParseStream<'_>,
    errors: &mut Errors,
) -> syn::Result<Option<Severity>> {
    let text = string_like(key, input)?;
    let severity = text.value().parse().ok();
    if severity.is_none() {
        let names = SEVERITIES.map(Severity::as_str);
        errors.on(&text, one_of("severity", &text.value(), &names));
    }
    Ok(severity)
}

/// Returns the message for a word that is not among those allowed.
pub(crate) fn one_of(what: &str, written: &str, allowed: &[&str]) -> String {
    match suggest(written, allowed.iter().copied()) {
        Some(near) => format!("unknown {what} `{written}`; did you mean `{near}`?"),
        None => format!(
            "unknown {what} `{written}`; it is one of {}",
            allowed.join(", ")
        ),
    }
}

/// Reads `= |value| ...`, or a path to a function.
pub(crate) fn closure(key: WrittenKey<'_>, input: ParseStream<'_>) -> syn::Result<Expr> {
    let expr = expr(key, input)?;
    match &expr {
        Expr::Closure(closure) if closure.inputs.len() != 1 => Err(syn::Error::new_spanned(
            closure,
            format!("`{key}` takes a closure with one parameter, the returned value"),
        )),
        Expr::Closure(_) | Expr::Path(_) | Expr::Group(_) | Expr::Paren(_) | Expr::Macro(_) => {
            Ok(expr)
        }
        _ => Err(syn::Error::new_spanned(
            &expr,
            format!("`{key}` takes a closure, such as `{}`", key.example),
        )),
    }
}

/// Reads `= true` or `= false`.
pub(crate) fn boolean(key: WrittenKey<'_>, input: ParseStream<'_>) -> syn::Result<bool> {
    match expr(key, input)? {
        Expr::Lit(ExprLit {
            lit: Lit::Bool(value),
            ..
        }) => Ok(value.value),
        other => Err(syn::Error::new_spanned(
            other,
            format!("`{key}` is `true` or `false`"),
        )),
    }
}

/// Reads `= "2s"`.
pub(crate) fn duration(
    key: WrittenKey<'_>,
    input: ParseStream<'_>,
    errors: &mut Errors,
) -> syn::Result<Option<Nanos>> {
    let text = string_like(key, input)?;
    Ok(nanos(key, &text, errors))
}

/// Returns the duration that a literal says.
pub(crate) fn nanos(key: WrittenKey<'_>, text: &LitStr, errors: &mut Errors) -> Option<Nanos> {
    match units::duration(&text.value()) {
        Ok(Duration::ZERO) => {
            errors.on(text, format_args!("`{key}` is zero; leave it out instead"));
            None
        }
        Ok(duration) => {
            let nanos = u64::try_from(duration.as_nanos()).unwrap_or(u64::MAX);
            Some(Nanos {
                nanos,
                span: text.span(),
            })
        }
        Err(error) => {
            errors.on(text, format_args!("`{key}` {error}"));
            None
        }
    }
}

/// Reads `= 0.25`.
pub(crate) fn share(
    key: WrittenKey<'_>,
    input: ParseStream<'_>,
    errors: &mut Errors,
) -> syn::Result<Option<Share>> {
    let expr = expr(key, input)?;
    let number = match &expr {
        Expr::Lit(ExprLit {
            lit: Lit::Float(f), ..
        }) => f.base10_parse().ok(),
        Expr::Lit(ExprLit {
            lit: Lit::Int(i), ..
        }) => i.base10_parse().ok(),
        _ => None,
    };
    let share = number.filter(|n: &f64| (0.0..=1.0).contains(n)).map(Share);
    if share.is_none() {
        errors.on(
            &expr,
            format_args!("`{key}` is a number from 0 to 1, such as `{}`", key.example),
        );
    }
    Ok(share)
}

/// Reads `= "embedding"`, an event's name.
pub(crate) fn event(
    key: WrittenKey<'_>,
    input: ParseStream<'_>,
    errors: &mut Errors,
) -> syn::Result<Option<LitStr>> {
    let text = string_like(key, input)?;
    if valid_event_name(&text.value()) {
        return Ok(Some(text));
    }
    errors.on(
        &text,
        "an event's name starts with a-z and goes on with a-z, 0-9, `_` or `.`, such as \"embedding\"",
    );
    Ok(None)
}

fn named(text: &str) -> Option<Level> {
    LEVELS
        .iter()
        .find(|level| level.eq_ignore_ascii_case(text))
        .map(|level| Level::Named(level))
}
