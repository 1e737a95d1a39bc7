//! `operation = chat`, and the keys that say what the operation is about.

use proc_macro2::Span;
use syn::{Expr, ExprLit, Lit, parse::ParseStream};

use super::{
    field::{self, Sigil},
    syntax::{WrittenKey, equals, expr},
    value::one_of,
};
use crate::errors::Errors;

/// The operations of the GenAI conventions 1.41.1, by their `gen_ai.operation.name`.
const OPERATIONS: [&str; 9] = [
    "chat",
    "generate_content",
    "text_completion",
    "embeddings",
    "retrieval",
    "execute_tool",
    "create_agent",
    "invoke_agent",
    "invoke_workflow",
];

/// The keys whose values say what an operation is about, in the order in which they are evaluated.
pub(crate) const SUBJECTS: [&str; 5] = ["provider", "model", "tool", "agent", "data_source"];

/// What `operation` and its keys say of a call.
#[derive(Clone, Default)]
pub(crate) struct Operation {
    /// One of [`OPERATIONS`].
    pub(crate) name: Option<&'static str>,
    /// The values of [`SUBJECTS`] that are given.
    pub(crate) subjects: Vec<Subject>,
    /// The closure that returns the tokens of a result.
    pub(crate) usage: Option<Expr>,
    /// What the operation is given.
    pub(crate) input: Option<Expr>,
    /// The closure that returns what it answers of a result.
    pub(crate) output: Option<Expr>,
}

/// One of [`SUBJECTS`] with its value.
#[derive(Clone)]
pub(crate) struct Subject {
    pub(crate) key: &'static str,
    pub(crate) sigil: Option<Sigil>,
    pub(crate) value: Expr,
}

impl Operation {
    /// Reads `= chat`.
    pub(super) fn parse_name(
        &mut self,
        key: WrittenKey<'_>,
        input: ParseStream<'_>,
        errors: &mut Errors,
    ) -> syn::Result<()> {
        let expr = expr(key, input)?;
        let (written, quoted) = match &expr {
            Expr::Path(path) => (path.path.get_ident().map(ToString::to_string), false),
            Expr::Lit(ExprLit {
                lit: Lit::Str(text),
                ..
            }) => (Some(text.value()), true),
            _ => (None, false),
        };
        let Some(written) = written else {
            let message = format!("`{key}` is a name, such as `{}`", key.example);
            return Err(syn::Error::new_spanned(expr, message));
        };
        let known = OPERATIONS.into_iter().find(|name| *name == written);
        match known {
            Some(name) if quoted => errors.on(
                &expr,
                format_args!("`{key}` is a name without quotes: `{key} = {name}`"),
            ),
            Some(_) => self.name = known,
            None => errors.on(&expr, one_of("operation", &written, &OPERATIONS)),
        }
        Ok(())
    }

    /// Reads `= "openai"`, `= &request.model` or `= %model`.
    pub(super) fn parse_subject(
        &mut self,
        key: WrittenKey<'_>,
        input: ParseStream<'_>,
    ) -> syn::Result<()> {
        equals(key, input)?;
        let sigil = field::sigil(input)?;
        let value = input.parse()?;
        if let Some(key) = SUBJECTS.into_iter().find(|name| key.ident == name) {
            self.subjects.push(Subject { key, sigil, value });
        }
        Ok(())
    }

    /// Returns this, with what a block says where it says nothing itself.
    pub(super) fn with_defaults(mut self, block: &Operation) -> Operation {
        self.name = self.name.or(block.name);
        let own = self.subjects.clone();
        let is_own = |subject: &&Subject| own.iter().any(|o| o.key == subject.key);
        let inherited = block.subjects.iter().filter(|subject| !is_own(subject));
        self.subjects.extend(inherited.cloned());
        self.usage = self.usage.or_else(|| block.usage.clone());
        self.input = self.input.or_else(|| block.input.clone());
        self.output = self.output.or_else(|| block.output.clone());
        self
    }
}

/// Returns where the first key is that needs `operation`; `span_of` returns where a key is.
pub(crate) fn first_key(
    span_of: impl Fn(&'static str) -> Option<Span>,
) -> Option<(&'static str, Span)> {
    let keys = SUBJECTS.into_iter().chain(["usage", "input", "output"]);
    keys.filter_map(|key| Some((key, span_of(key)?))).next()
}
