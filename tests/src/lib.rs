//! What the integration tests share: programs to run, folders to run them in, peers to run them
//! against. Knows the toolkit only from outside.

pub mod calls;
pub mod folder;
pub mod http;
pub mod metrics;
pub mod outside;
pub mod program;
pub mod spans;
pub mod wait;

pub use llm_observe_test_support::{listener, peers};

/// The examples of pages, run as doctests.
#[cfg(doctest)]
mod pages {
    #[doc = include_str!("../../docs/genai.md")]
    mod genai {}
}

/// The examples in the documentation of the macros, run as doctests here: they need the runtime,
/// which depends on the macros' crate.
#[cfg(doctest)]
mod macro_documentation {
    #[doc = include_str!("../../llm-observe-macros/docs/observe.md")]
    mod observe {}
    #[doc = include_str!("../../llm-observe-macros/docs/init.md")]
    mod init {}
}
