//! Finds what a search returned, by its type: in a `Result`, and through what [`Retrieved`] is implemented
//! for. The trick is that of `kernel/probe.rs`.

use super::Retrieved;

/// A returned value to be looked at.
pub struct Found<'a, T: ?Sized>(pub &'a T);

// Not derived: that would ask `T` to be `Copy` too.
impl<T: ?Sized> Clone for Found<'_, T> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<T: ?Sized> Copy for Found<'_, T> {}

/// What was found; implemented once for each number of `&`.
pub trait HasRetrieved<'a> {
    /// Returns what a search has found; `None` where it is none.
    fn retrieved(self) -> Option<&'a (dyn Retrieved + 'a)>;
}

impl<'a, T: Retrieved + 'a, E> HasRetrieved<'a> for &&Found<'a, Result<T, E>> {
    fn retrieved(self) -> Option<&'a (dyn Retrieved + 'a)> {
        let out: &'a Result<T, E> = self.0;
        out.as_ref().ok().map(|found| found as _)
    }
}

impl<'a, T: Retrieved + 'a> HasRetrieved<'a> for &Found<'a, T> {
    fn retrieved(self) -> Option<&'a (dyn Retrieved + 'a)> {
        Some(self.0)
    }
}

impl<'a, T: ?Sized> HasRetrieved<'a> for Found<'a, T> {
    fn retrieved(self) -> Option<&'a (dyn Retrieved + 'a)> {
        None
    }
}

/// Returns what a returned value says of itself as the result of a search.
#[macro_export]
#[doc(hidden)]
macro_rules! __retrieved {
    ($out:expr) => {{
        use $crate::__private::retrieved_type::HasRetrieved as _;
        #[allow(clippy::needless_borrow)]
        (&&$crate::__private::retrieved_type::Found($out)).retrieved()
    }};
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;

    #[test]
    fn documents_are_found_in_what_is_around_them() {
        let found = |found: Option<&dyn Retrieved>| found.map(|f| (f.documents(), f.top_score()));
        let hits = vec![("a", 0.5_f32), ("b", 0.75), ("c", f32::NAN)];
        let two = Some((3, Some(0.75)));
        assert_eq!(found(crate::__retrieved!(&hits)), two);
        let out: Result<_, String> = Ok(Some(Arc::new(hits)));
        assert_eq!(found(crate::__retrieved!(&out)), two);
        let none: Option<Vec<(u8, f64)>> = None;
        assert_eq!(found(crate::__retrieved!(&none)), Some((0, None)));
        let failed: Result<Vec<(u8, f64)>, String> = Err("no".into());
        assert_eq!(found(crate::__retrieved!(&failed)), None);
        let numbers = vec![1, 2];
        assert_eq!(found(crate::__retrieved!(&numbers)), None);
    }
}
