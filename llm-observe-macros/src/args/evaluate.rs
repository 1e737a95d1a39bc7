//! `evaluate(name = "groundedness", with = path::to::async_fn, share = 0.05, of = |answer| ...)`.

use syn::{Expr, Ident, LitStr, parse::ParseStream};

use super::{
    syntax::{self, WrittenKey, string_like},
    value::{self, Share, one_of},
};
use crate::errors::Errors;

const PARTS: [&str; 4] = ["name", "with", "share", "of"];

/// One evaluator of a share of the results.
#[derive(Clone)]
pub(crate) struct Evaluate {
    pub(crate) name: LitStr,
    /// The async function.
    pub(crate) with: Expr,
    pub(crate) share: f64,
    /// What makes its argument of the result; `None`: the argument is a clone of it.
    pub(crate) of: Option<Expr>,
}

/// What is written so far.
#[derive(Default)]
struct Parts {
    name: Option<LitStr>,
    with: Option<Expr>,
    share: Option<Share>,
    of: Option<Expr>,
}

impl Evaluate {
    /// Reads the content of the parentheses; `None` after a mistake, which is reported.
    pub(super) fn parse(
        key: WrittenKey<'_>,
        input: ParseStream<'_>,
        errors: &mut Errors,
    ) -> syn::Result<Option<Evaluate>> {
        let mut parts = Parts::default();
        let seen = syntax::parts(input, errors, |part, errors| {
            parts.parse(part, input, errors)
        })?;
        for (part, example) in [
            ("name", "name = \"groundedness\""),
            ("with", "with = judge"),
            ("share", "share = 0.05"),
        ] {
            if seen.iter().all(|seen| seen != part) {
                errors.at(
                    key.span(),
                    format_args!("`{key}` needs `{part}`, such as `{example}`"),
                );
            }
        }
        Ok(parts.complete())
    }
}

impl Parts {
    fn parse(
        &mut self,
        part: &Ident,
        input: ParseStream<'_>,
        errors: &mut Errors,
    ) -> syn::Result<()> {
        let key = |example| WrittenKey {
            ident: part,
            example,
        };
        let written = part.to_string();
        match written.as_str() {
            "name" => {
                let name = string_like(key("name = \"groundedness\""), input)?;
                if name.value().trim().is_empty() {
                    errors.on(&name, "an evaluation needs a name");
                }
                self.name = Some(name);
            }
            "with" => self.with = Some(value::closure(key("with = judge"), input)?),
            "share" => self.share = value::share(key("share = 0.05"), input, errors)?,
            "of" => {
                self.of = Some(value::closure(
                    key("of = |answer| answer.text.clone()"),
                    input,
                )?)
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

    fn complete(self) -> Option<Evaluate> {
        Some(Evaluate {
            name: self.name?,
            with: self.with?,
            share: self.share?.0,
            of: self.of,
        })
    }
}
