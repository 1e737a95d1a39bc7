//! The one downcast that an error needs which may borrow: std's own asks for `'static`, and an
//! error that is recognised by its type has no such bound.
#![allow(
    unsafe_code,
    reason = "there is no safe downcast of an error that may borrow"
)]

use std::{error::Error, io, mem};

/// Returns the error as an [`io::Error`] if it is one.
pub(super) fn downcast<'a>(error: &'a (dyn Error + 'a)) -> Option<&'a io::Error> {
    // SAFETY: both are the same pointer and vtable. The longer bound is seen by `downcast_ref`
    // alone, which compares type ids: they say nothing of lifetimes, so that of an error which
    // borrows is compared as if it were `'static`. It is equal only for `io::Error` itself, which
    // has no lifetime to be wrong about. The crates `typeid` and `castaway` rest on the same.
    let unbounded =
        unsafe { mem::transmute::<&'a (dyn Error + 'a), &'a (dyn Error + 'static)>(error) };
    unbounded.downcast_ref()
}

#[cfg(test)]
mod tests {
    use std::fmt;

    use super::*;

    #[derive(Debug)]
    struct Borrowed<'a>(&'a str);

    impl fmt::Display for Borrowed<'_> {
        fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str(self.0)
        }
    }

    impl Error for Borrowed<'_> {}

    #[test]
    fn only_an_io_error_is_one() {
        let text = String::from("borrowed");
        assert!(downcast(&Borrowed(&text)).is_none());
        let io = io::Error::from(io::ErrorKind::TimedOut);
        assert_eq!(downcast(&io).unwrap().kind(), io::ErrorKind::TimedOut);
        let boxed: Box<dyn Error + '_> = Box::new(io);
        assert!(downcast(&*boxed).is_some());
        let boxed: Box<dyn Error + '_> = Box::new(Borrowed(&text));
        assert!(downcast(&*boxed).is_none());
    }
}
