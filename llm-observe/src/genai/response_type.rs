//! Finds what a returned value says of itself as the answer of a model, by its type: in a `Result`, and
//! through what [`Response`] is implemented for, `Option`, `Box` and `Arc` among it. The trick is that of
//! `kernel/probe.rs`.

use super::Response;

/// A returned value, or an item of a stream, to be looked at.
pub struct Answer<'a, T: ?Sized>(pub &'a T);

// Not derived: that would ask `T` to be `Copy` too.
impl<T: ?Sized> Clone for Answer<'_, T> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<T: ?Sized> Copy for Answer<'_, T> {}

/// What the value says; implemented once for each number of `&`.
pub trait HasResponse<'a> {
    /// Returns the answer of a model; `None` where it is none.
    fn response(self) -> Option<&'a (dyn Response + 'a)>;
}

impl<'a, T: Response + 'a, E> HasResponse<'a> for &&Answer<'a, Result<T, E>> {
    #[inline]
    fn response(self) -> Option<&'a (dyn Response + 'a)> {
        let out: &'a Result<T, E> = self.0;
        out.as_ref().ok().map(|answer| answer as _)
    }
}

impl<'a, T: Response + 'a> HasResponse<'a> for &Answer<'a, T> {
    #[inline]
    fn response(self) -> Option<&'a (dyn Response + 'a)> {
        Some(self.0)
    }
}

impl<'a, T: ?Sized> HasResponse<'a> for Answer<'a, T> {
    #[inline]
    fn response(self) -> Option<&'a (dyn Response + 'a)> {
        None
    }
}

/// Returns what a returned value says of itself as the answer of a model.
#[macro_export]
#[doc(hidden)]
macro_rules! __response {
    ($out:expr) => {{
        use $crate::__private::response_type::HasResponse as _;
        #[allow(clippy::needless_borrow)]
        (&&$crate::__private::response_type::Answer($out)).response()
    }};
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;

    struct Said;

    impl Response for Said {
        fn model(&self) -> Option<&str> {
            Some("m")
        }
    }

    #[test]
    fn answers_are_found_in_what_is_around_them() {
        let found = |answer: Option<&dyn Response>| answer.and_then(Response::model) == Some("m");
        assert!(found(crate::__response!(&Said)));
        assert!(found(crate::__response!(&Some(Said))));
        let boxed = Box::new(Arc::new(Said));
        assert!(found(crate::__response!(&boxed)));
        let out: Result<Option<Arc<Said>>, String> = Ok(Some(Arc::new(Said)));
        assert!(found(crate::__response!(&out)));
        let out: Result<Said, String> = Err("no".into());
        assert!(!found(crate::__response!(&out)));
        let boxed: Box<dyn Response + Send> = Box::new(Said);
        assert!(found(crate::__response!(&boxed)));
    }

    #[test]
    fn anything_else_is_none() {
        assert!(crate::__response!(&7).is_none());
        assert!(crate::__response!("text").is_none());
        assert!(crate::__response!(&Ok::<u8, String>(1)).is_none());
    }
}
