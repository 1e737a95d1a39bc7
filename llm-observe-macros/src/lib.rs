//! The `#[observe]` attribute and `init!()` of llm-observe.
//!
//! The crate `llm-observe` re-exports both macros, and their expansion names only its `__private`
//! module. Each file is a pass: `args` (parse), `item` (split the function, never its body),
//! `normalize` (one shape of parameters), `returns` (what a signature returns), `check` (find
//! contradictions), `expand` (print). A pass imports only passes before it.

use proc_macro::TokenStream;

mod args;
mod check;
mod config;
mod errors;
mod event;
mod expand;
mod init;
mod installs;
mod item;
mod normalize;
mod observe;
mod returns;
mod runtime;
#[cfg(test)]
mod tests;

#[doc = include_str!("../docs/observe.md")]
#[proc_macro_attribute]
pub fn observe(args: TokenStream, item: TokenStream) -> TokenStream {
    observe::observe(args.into(), item.into()).into()
}

#[doc = include_str!("../docs/init.md")]
#[proc_macro]
pub fn init(input: TokenStream) -> TokenStream {
    init::init(input.into()).into()
}
