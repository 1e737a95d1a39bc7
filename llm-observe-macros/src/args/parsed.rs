//! The parsed arguments of one attribute, and how a block's arguments combine with a function's own.

use proc_macro2::{Span, TokenStream};
use syn::{Expr, Ident, LitStr, Path};

use super::{
    alert::Alert,
    evaluate::Evaluate,
    field::{Arg, Field, Sigil, When},
    operation::Operation,
    stream_limits::StreamLimits,
    value::{Level, Nanos, Share},
};
use crate::returns::{Returns, Shape};

/// The parsed arguments of one attribute.
#[derive(Clone, Default)]
pub(crate) struct Args {
    /// Every key that was written, with its position.
    pub(super) written: Vec<(&'static str, Span)>,
    /// Whether something in it could not be read.
    pub(crate) has_mistakes: bool,
    pub(crate) krate: Option<Path>,
    pub(crate) event: Option<LitStr>,
    pub(crate) level: Option<Level>,
    pub(crate) name: Option<Expr>,
    pub(crate) target: Option<Expr>,
    pub(crate) parent: Option<Expr>,
    pub(crate) follows_from: Option<Expr>,
    pub(crate) fields: Vec<Field>,
    /// `args`: every argument; `args(...)`: just those.
    pub(crate) args: Option<Captured>,
    pub(crate) skip: Vec<Ident>,
    /// `skip` alone: leave this function of a block out.
    pub(crate) leave_out: bool,
    pub(crate) skip_all: bool,
    pub(crate) ret: Option<Returned>,
    pub(crate) err: Option<Returned>,
    pub(crate) alert_on_error: Option<bool>,
    pub(crate) alerts: Vec<Alert>,
    pub(crate) expected: Option<TokenStream>,
    pub(crate) ok_if: Option<Expr>,
    pub(crate) error_if: Option<Expr>,
    pub(crate) report: Option<bool>,
    pub(crate) slow: Option<Nanos>,
    pub(crate) stalled: Option<Nanos>,
    pub(crate) timeout: Option<Nanos>,
    /// Its calls end with the stream that it returns.
    pub(crate) stream: bool,
    pub(crate) stream_limits: StreamLimits,
    pub(crate) sample: Option<Share>,
    pub(crate) items: Option<Expr>,
    pub(crate) quality: Option<Expr>,
    pub(crate) min_quality: Option<Share>,
    pub(crate) evaluations: Vec<Evaluate>,
    pub(crate) operation: Operation,
}

/// Which arguments are captured.
#[derive(Clone)]
pub(crate) enum Captured {
    All,
    Just(Vec<Arg>),
}

/// How a returned value or an error is written down.
#[derive(Clone, Default)]
pub(crate) struct Returned {
    pub(crate) level: Option<Level>,
    pub(crate) sigil: Option<Sigil>,
}

impl Args {
    /// Returns where `key` was written, if it was.
    pub(crate) fn span_of(&self, key: &str) -> Option<Span> {
        self.written
            .iter()
            .find(|(k, _)| *k == key)
            .map(|(_, span)| *span)
    }

    /// Returns a block's arguments without those that make no sense for a function's return type.
    pub(crate) fn applicable_to(&self, returns: &Returns) -> Args {
        let mut args = self.clone();
        if returns.cannot_fail() {
            args.expected = None;
            args.err = None;
        }
        if returns.cannot_fail() || matches!(returns.shape, Shape::Sync | Shape::Either) {
            args.timeout = None;
        }
        if returns.is_empty() {
            (args.ok_if, args.error_if, args.ret) = (None, None, None);
            (args.quality, args.min_quality) = (None, None);
            (args.operation.usage, args.operation.output) = (None, None);
            args.evaluations.clear();
            args.items = args
                .items
                .filter(|items| !matches!(items, Expr::Closure(_)));
            args.fields
                .retain(|field| !matches!(field.when, When::End(_)));
        }
        args
    }

    /// Returns these arguments, with those of a block as defaults.
    pub(crate) fn with_defaults(mut self, block: &Args) -> Args {
        macro_rules! default {
            ($($field:ident)*) => {
                $(if self.$field.is_none() { self.$field.clone_from(&block.$field); })*
            };
        }
        default!(krate event level target parent follows_from args ret err alert_on_error
            expected ok_if error_if report slow stalled timeout sample items quality min_quality);
        self.fields
            .extend(inherited_fields(&self.fields, &block.fields));
        self.skip.extend(block.skip.iter().cloned());
        self.skip_all |= block.skip_all;
        self.has_mistakes |= block.has_mistakes;
        self.operation = self.operation.with_defaults(&block.operation);
        if self.evaluations.is_empty() {
            self.evaluations.clone_from(&block.evaluations);
        }
        if self.alerts.is_empty() {
            self.alerts.clone_from(&block.alerts);
        }
        self
    }
}

fn inherited_fields(own: &[Field], block: &[Field]) -> Vec<Field> {
    block
        .iter()
        .filter(|field| own.iter().all(|o| o.name != field.name))
        .cloned()
        .collect()
}
