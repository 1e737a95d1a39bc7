//! Reads what a message is by its type: text, or what serialises. The trick is that of `kernel/probe.rs`.

#[cfg(feature = "genai")]
use serde::Serialize;

use crate::kernel::pool::prefix;

/// No message is longer, whatever the configuration says, and what is looked at beyond its end.
const MOST: usize = (1 << 20) + (1 << 12);

/// A message, or several, before secrets are taken out.
#[derive(Clone, Debug)]
pub enum RawContent {
    /// Text.
    Text(String),
    /// What serialises.
    #[cfg(feature = "genai")]
    Json(serde_json::Value),
    /// A value of that type, which is neither.
    Unknown(&'static str),
}

/// A value to be looked at.
pub struct Content<'a, T: ?Sized>(pub &'a T);

// Not derived: that would ask `T` to be `Copy` too.
impl<T: ?Sized> Clone for Content<'_, T> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<T: ?Sized> Copy for Content<'_, T> {}

/// What the value is; implemented once for each number of `&`.
pub trait HasContent {
    /// Returns the content.
    fn content(self) -> RawContent;
}

impl<T: AsRef<str> + ?Sized> HasContent for &&Content<'_, T> {
    fn content(self) -> RawContent {
        RawContent::Text(prefix(self.0.as_ref(), MOST).to_owned())
    }
}

#[cfg(feature = "genai")]
impl<T: Serialize + ?Sized> HasContent for &Content<'_, T> {
    fn content(self) -> RawContent {
        serde_json::to_value(self.0).map_or(
            RawContent::Unknown(std::any::type_name::<T>()),
            RawContent::Json,
        )
    }
}

impl<T: ?Sized> HasContent for Content<'_, T> {
    fn content(self) -> RawContent {
        RawContent::Unknown(std::any::type_name::<T>())
    }
}

/// Applies the closure of `output`; what it returns may borrow from the value.
pub fn said<'a, T: ?Sized, R>(value: &'a T, f: impl FnOnce(&'a T) -> R) -> R {
    f(value)
}

/// Returns what a message is.
#[macro_export]
#[doc(hidden)]
macro_rules! __content {
    ($message:expr) => {{
        use $crate::__private::content_type::HasContent as _;
        #[allow(clippy::needless_borrow)]
        (&&$crate::__private::content_type::Content(&$message)).content()
    }};
}
