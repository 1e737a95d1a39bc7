//! A guard around code of a user's: channels, trackers, destinations.

use std::panic::{AssertUnwindSafe, catch_unwind};

/// Runs code of a user's; `None` when it panics, so that no thread of ours ends by it.
pub(crate) fn caught<T>(run: impl FnOnce() -> T) -> Option<T> {
    catch_unwind(AssertUnwindSafe(run)).ok()
}
