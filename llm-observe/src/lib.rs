//! Skeleton.
#[cfg(feature = "log")]
pub mod log;
