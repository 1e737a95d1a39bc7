//! `timeout(first = "10s", idle = "20s", total = "2m")`: the limits of a stream.

use proc_macro2::Span;
use syn::{Ident, parse::ParseStream};

use super::{
    syntax::{self, WrittenKey},
    value::{self, Nanos, one_of},
};
use crate::errors::Errors;

/// The limits of a stream, each optional.
#[derive(Clone, Default)]
pub(crate) struct StreamLimits {
    pub(crate) first: Option<Nanos>,
    pub(crate) idle: Option<Nanos>,
    pub(crate) total: Option<Nanos>,
    /// Where the first one was written; `None`: there is none.
    pub(crate) span: Option<Span>,
}

const NAMES: [&str; 3] = ["first", "idle", "total"];

impl StreamLimits {
    /// Reads what is in the parentheses.
    pub(super) fn parse(input: ParseStream<'_>, errors: &mut Errors) -> syn::Result<StreamLimits> {
        let mut limits = StreamLimits::default();
        if input.is_empty() {
            errors.at(
                input.span(),
                "name a limit: `timeout(first = \"10s\", idle = \"20s\", total = \"2m\")`",
            );
        }
        syntax::parts(input, errors, |ident, errors| {
            let key = WrittenKey {
                ident,
                example: "first = \"10s\"",
            };
            let limit = value::duration(key, input, errors)?;
            limits.set(ident, limit, errors);
            Ok(())
        })?;
        Ok(limits)
    }

    /// Returns the limit on what comes before the stream: the first item cannot come later.
    pub(crate) fn of_the_future(&self) -> Option<&Nanos> {
        let limits = [&self.first, &self.total];
        let limits = limits.into_iter().flatten();
        limits.min_by_key(|limit| limit.nanos)
    }

    fn set(&mut self, ident: &Ident, limit: Option<Nanos>, errors: &mut Errors) {
        let name = ident.to_string();
        let place = match name.as_str() {
            "first" => &mut self.first,
            "idle" => &mut self.idle,
            "total" => &mut self.total,
            _ => return errors.at(ident.span(), one_of("limit", &name, &NAMES)),
        };
        *place = limit;
        self.span.get_or_insert(ident.span());
    }
}
