//! Log files: lines in, rotated files out, nothing lost in between.
pub(crate) mod escape;
