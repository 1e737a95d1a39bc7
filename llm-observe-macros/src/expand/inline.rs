//! When the body stands in the function itself and not in a closure: where a closure would lose the
//! caller's location, or the type that the function expects.
//!
//! It is no different then but for its parameters, which are dropped after the call has ended.

use proc_macro2::{Delimiter, Group, TokenStream, TokenTree};
use syn::{Attribute, Meta, ReturnType, Visibility};

use super::finish::FinishClosure;
use crate::{
    args::Args,
    item::FnItem,
    returns::{self, Returns, Shape},
};

/// How the body stands in the function.
#[derive(Clone, Copy)]
pub(crate) enum Form {
    /// As its last expression: it may leave in any way, and nothing is read of its value.
    Guarded,
    /// As the value of a variable.
    Value,
    /// As the argument of what reads its value, where the type has no name to give a variable.
    Argument,
}

/// Returns whether the function is one that a closure would change: `#[track_caller]` does not
/// reach into it, and the type of a returned closure's parameters is told by the function's own
/// return type alone.
pub(crate) fn wanted(function: &FnItem, returns: &Returns) -> bool {
    matches!(returns.shape, Shape::Sync | Shape::Either)
        && !returns.is_never()
        && (function.attrs.iter().any(is_track_caller)
            || may_inherit_track_caller(function)
            || returns_closure(&function.sig.output))
}

/// Returns whether the function may be a method of a trait, which hands its `#[track_caller]` on to
/// every implementation, as `Index` does.
fn may_inherit_track_caller(function: &FnItem) -> bool {
    matches!(function.vis, Visibility::Inherited)
        && function.sig.receiver().is_some()
        && !has_unnamed(&function.sig.output)
}

/// Returns whether the attribute is `#[track_caller]`, or `#[cfg_attr(.., track_caller)]`.
fn is_track_caller(attr: &Attribute) -> bool {
    let name = "track_caller";
    match &attr.meta {
        Meta::List(list) if attr.path().is_ident("cfg_attr") => {
            let mut tokens = list.tokens.clone().into_iter();
            tokens.any(|token| matches!(token, TokenTree::Ident(ident) if ident == name))
        }
        _ => attr.path().is_ident(name),
    }
}

fn returns_closure(output: &ReturnType) -> bool {
    match output {
        ReturnType::Default => false,
        ReturnType::Type(_, ty) => returns::has_closure(ty),
    }
}

/// Returns the form that the body allows. A value is read only where the body has one way out.
pub(crate) fn form(
    args: &Args,
    function: &FnItem,
    returns: &Returns,
    body: &Group,
    runtime: &TokenStream,
) -> Option<Form> {
    let reads = || {
        !FinishClosure::new()
            .tokens(args, returns, runtime)
            .is_empty()
    };
    match (
        may_leave_early(body.stream()),
        has_unnamed(&function.sig.output),
    ) {
        (false, false) => Some(Form::Value),
        (false, true) if reads() => Some(Form::Argument),
        (true, _) if reads() => None,
        _ => Some(Form::Guarded),
    }
}

fn has_unnamed(output: &ReturnType) -> bool {
    match output {
        ReturnType::Default => false,
        ReturnType::Type(_, ty) => returns::infer_impls(&mut ty.clone()),
    }
}

/// Macros of std that leave a function by a panic, if at all. Any other may have a `return` in it.
const CALM: [&str; 28] = [
    "assert",
    "assert_eq",
    "assert_ne",
    "cfg",
    "column",
    "concat",
    "dbg",
    "debug_assert",
    "debug_assert_eq",
    "debug_assert_ne",
    "env",
    "eprint",
    "eprintln",
    "file",
    "format",
    "format_args",
    "include_bytes",
    "include_str",
    "line",
    "matches",
    "module_path",
    "panic",
    "print",
    "println",
    "stringify",
    "todo",
    "unreachable",
    "vec",
];

/// Returns whether the body may leave before its end, by `return`, `?` or a macro.
fn may_leave_early(body: TokenStream) -> bool {
    let mut before: Option<String> = None;
    let mut tokens = body.into_iter().peekable();
    while let Some(token) = tokens.next() {
        let word = match &token {
            TokenTree::Ident(ident) => Some(ident.to_string()),
            _ => None,
        };
        let leaves = match &token {
            TokenTree::Ident(ident) => ident == "return" || ident == "become" || ident == "yield",
            TokenTree::Punct(punct) if punct.as_char() == '?' => true,
            TokenTree::Punct(punct) if punct.as_char() == '!' => {
                let is_macro = matches!(tokens.peek(), Some(TokenTree::Group(group)) if group.delimiter() != Delimiter::None);
                is_macro
                    && before.is_some_and(|name| !CALM.contains(&name.as_str()) && !is_word(&name))
            }
            TokenTree::Group(group) => may_leave_early(group.stream()),
            _ => false,
        };
        if leaves {
            return true;
        }
        before = word;
    }
    false
}

/// Returns whether a `!` behind that word negates: `if !(..)`, `return !(..)`.
fn is_word(name: &str) -> bool {
    ["if", "while", "match", "in", "else", "move", "break"].contains(&name)
}
