//! Log files: lines in, rotated files out, nothing lost in between.
pub(crate) mod compress;
pub(crate) mod core;
pub(crate) mod disk;
#[cfg(test)]
mod engine_tests;
pub(crate) mod escape;
pub(crate) mod file;
#[cfg(test)]
mod model_tests;
pub mod read;
pub(crate) mod retention;
pub(crate) mod ring;
pub(crate) mod rotation;
pub(crate) mod settings;
pub(crate) mod spool;
pub(crate) mod target;
pub(crate) mod writer;
