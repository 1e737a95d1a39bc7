//! `alert(on(...), channel = ..., after = ..., within = ..., severity = ...)`.

use llm_observe_config::Severity;
use proc_macro2::Span;
use syn::{Ident, LitInt, LitStr, Token, ext::IdentExt, parse::ParseStream};

use super::syntax::{self, WrittenKey, inside, parens, string_like};
use super::value::{self, Nanos, one_of};
use crate::errors::Errors;

/// What an alert can fire on.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) struct Trigger {
    /// Its name in the attribute.
    pub(crate) name: &'static str,
    /// Its constant in the runtime.
    pub(crate) constant: &'static str,
}

const fn trigger(name: &'static str, constant: &'static str) -> Trigger {
    Trigger { name, constant }
}

const TRIGGERS: [Trigger; 7] = [
    trigger("error", "ERROR"),
    trigger("panic", "PANIC"),
    trigger("timeout", "TIMEOUT"),
    trigger("cancelled", "CANCELLED"),
    trigger("slow", "SLOW"),
    trigger("stalled", "STALLED"),
    trigger("low_quality", "LOW_QUALITY"),
];
const PARTS: [&str; 5] = ["on", "channel", "after", "within", "severity"];

/// One `alert(...)`.
#[derive(Clone, Default)]
pub(crate) struct Alert {
    pub(crate) on: Vec<(Trigger, Span)>,
    pub(crate) channel: Option<LitStr>,
    pub(crate) after: Option<u32>,
    pub(crate) within: Option<Nanos>,
    pub(crate) severity: Option<Severity>,
}

impl Alert {
    /// Reads the content of the parentheses.
    pub(crate) fn parse(
        key: WrittenKey<'_>,
        input: ParseStream<'_>,
        errors: &mut Errors,
    ) -> syn::Result<Alert> {
        let mut alert = Alert::default();
        let seen = syntax::parts(input, errors, |part, errors| {
            alert.part(part, input, errors)
        })?;
        if !seen.iter().any(|part| part == "on") {
            errors.at(
                key.span(),
                "`alert` needs what it fires on, such as `on(error, panic, timeout)`",
            );
        }
        if alert.within.is_some() && alert.after.is_none() {
            errors.at(
                key.span(),
                "`within` needs a number of calls, such as `after = 3`",
            );
        }
        Ok(alert)
    }

    fn part(
        &mut self,
        part: &Ident,
        input: ParseStream<'_>,
        errors: &mut Errors,
    ) -> syn::Result<()> {
        let written = part.to_string();
        match written.as_str() {
            "on" => self.on = triggers(part, input, errors)?,
            "channel" => {
                let key = with_example(part, "channel = \"ops\"");
                self.channel = Some(string_like(key, input)?);
            }
            "after" => self.after = after(part, input, errors)?,
            "within" => {
                let key = with_example(part, "within = \"1m\"");
                let text = string_like(key, input)?;
                self.within = value::nanos(key, &text, errors);
            }
            "severity" => {
                let key = with_example(part, "severity = \"critical\"");
                self.severity = value::severity(key, input, errors)?;
            }
            _ => {
                return Err(syn::Error::new(
                    part.span(),
                    one_of("key", &written, &PARTS),
                ));
            }
        }
        Ok(())
    }
}

fn with_example<'a>(ident: &'a Ident, example: &'static str) -> WrittenKey<'a> {
    WrittenKey { ident, example }
}

fn triggers(
    part: &Ident,
    input: ParseStream<'_>,
    errors: &mut Errors,
) -> syn::Result<Vec<(Trigger, Span)>> {
    let content = parens(with_example(part, "on(error, panic, timeout)"), input)?;
    let mut found: Vec<(Trigger, Span)> = Vec::new();
    let words = inside(content, |i| i.parse_terminated(Ident::parse_any, Token![,]))?;
    let none = words.is_empty();
    for word in words {
        let written = word.to_string();
        match TRIGGERS.into_iter().find(|trigger| trigger.name == written) {
            Some(on) if found.iter().any(|(f, _)| *f == on) => {
                errors.at(
                    word.span(),
                    format_args!("`{written}` is given twice; keep one"),
                );
            }
            Some(on) => found.push((on, word.span())),
            None => errors.at(
                word.span(),
                one_of("cause", &written, &TRIGGERS.map(|trigger| trigger.name)),
            ),
        }
    }
    if none {
        errors.at(
            part.span(),
            "`on` is empty; name what the alert fires on, such as `on(error)`",
        );
    }
    Ok(found)
}

fn after(part: &Ident, input: ParseStream<'_>, errors: &mut Errors) -> syn::Result<Option<u32>> {
    input.parse::<Token![=]>().map_err(|_| {
        syn::Error::new(
            part.span(),
            "`after` needs a number of calls, such as `after = 3`",
        )
    })?;
    let number: LitInt = input.parse().map_err(|e| {
        syn::Error::new(
            e.span(),
            "`after` is a whole number of calls, such as `after = 3`",
        )
    })?;
    let count = number.base10_parse::<u32>().ok().filter(|n| *n > 0);
    if count.is_none() {
        errors.on(
            &number,
            "`after` is a whole number of calls from 1, such as `after = 3`",
        );
    }
    Ok(count)
}
