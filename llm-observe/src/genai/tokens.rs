//! What the closure of `usage` may return.

use super::Usage;

/// What can be the tokens of a result.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is no token usage",
    label = "`usage` takes a closure that returns `genai::Usage` or an `Option` of it"
)]
pub trait IntoUsage {
    /// Returns the usage.
    fn into_usage(self) -> Option<Usage>;
}

impl IntoUsage for Usage {
    fn into_usage(self) -> Option<Usage> {
        Some(self)
    }
}

impl IntoUsage for Option<Usage> {
    fn into_usage(self) -> Option<Usage> {
        self
    }
}

/// Applies the closure of `usage`.
#[inline]
pub fn tokens<T: ?Sized, U: IntoUsage>(value: &T, f: impl FnOnce(&T) -> U) -> Option<Usage> {
    f(value).into_usage()
}
