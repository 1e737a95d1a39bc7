//! The `#[observe]` attribute and `init!()` of llm-observe.
//!
//! Not for use alone: the crate `llm-observe` re-exports both macros, and what they expand to
//! names only its `__private` module. The files are passes, in this order: [`args`] (parse),
//! [`item`] (split the function, never its body), [`normalize`] (one shape of parameters),
//! [`check`] (what contradicts what), [`expand`] (print).

use proc_macro::TokenStream;

mod args;
mod check;
mod config;
mod errors;
mod expand;
mod init;
mod item;
mod normalize;
mod observe;
mod runtime;

/// Times, logs, counts, traces, and on failure reports and alerts every call of a function.
#[proc_macro_attribute]
pub fn observe(args: TokenStream, item: TokenStream) -> TokenStream {
    observe::observe(args.into(), item.into()).into()
}

/// Starts the observer of a program from the `llm-observe.toml` of its crate.
#[proc_macro]
pub fn init(input: TokenStream) -> TokenStream {
    init::init(input.into()).into()
}
