//! The `#[observe]` attribute and `init!()` of llm-observe.
//!
//! Not for use alone: the crate `llm-observe` re-exports both macros, and what they expand to
//! names only its `__private` module. The files are passes, in this order: `args` (parse),
//! `item` (split the function, never its body), `normalize` (one shape of parameters), `check`
//! (what contradicts what), `expand` (print).

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
#[cfg(test)]
mod tests;

// The documentation is the runtime crate's: its examples need the runtime.
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
