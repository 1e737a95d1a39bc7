//! The live page: one HTML file that reads `/metrics` and draws a table. Knows no Rust.

/// The page.
pub(crate) const HTML: &str = include_str!("page.html");
