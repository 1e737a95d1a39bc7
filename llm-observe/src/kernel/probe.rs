//! What a returned value is, found by its type and not by how its type is spelled.
//!
//! The trick is autoref specialisation: `(&&&&&&Probe(out)).verdict()` is looked up for the
//! receiver as written, then with one `&` less, and so on. Each level below implements a trait of
//! its own for one number of `&`, from the most telling bound to none at all, so that the compiler
//! takes the first whose bounds hold: an `Error`, something that borrows as one (`anyhow::Error`,
//! `Box<dyn Error>`), `Display`, `Debug`, any `Result`, and at last any value. It sees through
//! type aliases because it works on types. In a generic function it can use only the bounds
//! written there.
//!
//! No level asks for a lifetime, because trait selection does not look at them: a level that holds
//! but for its `'static` would be taken, and then refused, for every error that borrows. Only the
//! sources of an error are `'static`, by what [`Error::source`] returns.

use std::{any::type_name, error::Error, fmt};

use super::{describe, error_info::ErrorInfo, user_text};

/// The outcome that a returned value stands for.
pub enum Verdict<'a> {
    /// It is no error.
    Ok,
    /// It is a `Result::Err`.
    Err(Failure<'a>),
}

/// An error, and as much as its type lets be known of it.
pub struct Failure<'a> {
    type_name: &'static str,
    known: Known<'a>,
}

enum Known<'a> {
    Error(&'a (dyn Error + 'a)),
    Display(&'a dyn fmt::Display),
    Debug(&'a dyn fmt::Debug),
    Nothing,
}

impl Failure<'_> {
    /// Describes the error: type, message, class and chain.
    #[cold]
    pub(crate) fn describe(&self) -> ErrorInfo {
        match self.known {
            Known::Error(error) => describe::error(self.type_name, error),
            Known::Display(error) => describe::text(self.type_name, user_text::display(error)),
            Known::Debug(error) => describe::text(self.type_name, user_text::debug(error)),
            Known::Nothing => describe::text(self.type_name, String::new()),
        }
    }
}

/// A returned value to be looked at.
pub struct Probe<'a, T: ?Sized>(pub &'a T);

// Not derived: that would ask `T` to be `Copy` too.
impl<T: ?Sized> Clone for Probe<'_, T> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<T: ?Sized> Copy for Probe<'_, T> {}

/// Values that stand for an outcome; implemented once for each number of `&`.
pub trait HasVerdict<'a> {
    /// Returns the outcome that the value stands for.
    fn verdict(self) -> Verdict<'a>;
}

macro_rules! level {
    ($(#[$doc:meta])* [$($refs:tt)*], $(for<$life:lifetime>)? [$($bound:tt)*], |$out:ident| $verdict:expr) => {
        $(#[$doc])*
        impl<'a, $($life: 'a,)? T, E> HasVerdict<'a> for $($refs)* Probe<'a, Result<T, E>> where $($bound)* {
            #[inline]
            fn verdict(self) -> Verdict<'a> {
                let $out: &'a Result<T, E> = self.0;
                $verdict
            }
        }
    };
}

#[inline]
fn failed<'a, T, E>(out: &'a Result<T, E>, known: impl FnOnce(&'a E) -> Known<'a>) -> Verdict<'a> {
    match out {
        Ok(_) => Verdict::Ok,
        Err(error) => Verdict::Err(Failure {
            type_name: type_name::<E>(),
            known: known(error),
        }),
    }
}

level!(
    /// An error by trait.
    [&&&&&&], [E: Error],
    |out| failed(out, |e| Known::Error(e))
);
level!(
    /// Something that borrows as a `Send + Sync` error, such as `anyhow::Error`.
    [&&&&&], for<'e> [E: AsRef<dyn Error + Send + Sync + 'e>],
    |out| failed(out, |e| Known::Error(e.as_ref()))
);
level!(
    /// Something that borrows as an error, such as `Box<dyn Error>`.
    [&&&&], for<'e> [E: AsRef<dyn Error + 'e>],
    |out| failed(out, |e| Known::Error(e.as_ref()))
);
level!(
    /// Something that can be displayed.
    [&&&], [E: fmt::Display],
    |out| failed(out, |e| Known::Display(e))
);
level!(
    /// Something that can be debugged.
    [&&], [E: fmt::Debug],
    |out| failed(out, |e| Known::Debug(e))
);
level!(
    /// Any other error.
    [&], [],
    |out| failed(out, |_| Known::Nothing)
);

// Any other value: no error.
impl<'a, T: ?Sized> HasVerdict<'a> for Probe<'a, T> {
    #[inline]
    fn verdict(self) -> Verdict<'a> {
        Verdict::Ok
    }
}

/// A returned value whose payload is wanted: `T` of `Ok(T)`, or the value itself.
pub struct Returned<'a, T: ?Sized>(pub &'a T);

// Not derived: that would ask `T` to be `Copy` too.
impl<T: ?Sized> Clone for Returned<'_, T> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<T: ?Sized> Copy for Returned<'_, T> {}

/// The payload of a returned value; implemented for two numbers of `&`, as [`HasVerdict`] is.
pub trait HasPayload<'a> {
    /// What it holds.
    type Value: ?Sized + 'a;
    /// Returns the payload, unless it is an error.
    fn ok_value(self) -> Option<&'a Self::Value>;
}

impl<'a, T: 'a, E> HasPayload<'a> for &Returned<'a, Result<T, E>> {
    type Value = T;
    #[inline]
    fn ok_value(self) -> Option<&'a T> {
        self.0.as_ref().ok()
    }
}

impl<'a, T: ?Sized + 'a> HasPayload<'a> for Returned<'a, T> {
    type Value = T;
    #[inline]
    fn ok_value(self) -> Option<&'a T> {
        Some(self.0)
    }
}

/// Returns the outcome that a returned value stands for.
#[macro_export]
#[doc(hidden)]
macro_rules! __verdict {
    ($out:expr) => {{
        use $crate::__private::probe::HasVerdict as _;
        #[allow(clippy::needless_borrow)]
        (&&&&&&$crate::__private::probe::Probe($out)).verdict()
    }};
}

/// Borrows the payload of a returned value.
#[macro_export]
#[doc(hidden)]
macro_rules! __ok_value {
    ($out:expr) => {{
        use $crate::__private::probe::HasPayload as _;
        #[allow(clippy::needless_borrow)]
        (&$crate::__private::probe::Returned($out)).ok_value()
    }};
}

#[cfg(test)]
mod tests {
    use std::io;

    use super::*;

    type Alias<T> = Result<T, io::Error>;

    fn message(verdict: Verdict<'_>) -> Option<(String, &'static str)> {
        match verdict {
            Verdict::Ok => None,
            Verdict::Err(failure) => {
                let info = failure.describe();
                Some((info.message, info.type_name))
            }
        }
    }

    #[derive(Debug)]
    struct OnlyDebug;
    struct Silent;

    #[test]
    fn errors_are_known_by_type() {
        let out: Alias<u8> = Err(io::Error::other("refused"));
        assert_eq!(message(crate::__verdict!(&out)).unwrap().0, "refused");
        let out: Result<u8, Box<dyn Error>> = Err("boxed".into());
        assert_eq!(message(crate::__verdict!(&out)).unwrap().0, "boxed");
        let out: Result<u8, Box<dyn Error + Send + Sync>> = Err("boxed".into());
        assert_eq!(message(crate::__verdict!(&out)).unwrap().0, "boxed");
        let out: Result<u8, String> = Err("text".into());
        assert_eq!(
            message(crate::__verdict!(&out)).unwrap(),
            ("text".into(), "alloc::string::String")
        );
        let out: Result<u8, OnlyDebug> = Err(OnlyDebug);
        assert_eq!(message(crate::__verdict!(&out)).unwrap().0, "OnlyDebug");
        let out: Result<u8, Silent> = Err(Silent);
        assert_eq!(message(crate::__verdict!(&out)).unwrap().0, "");
    }

    #[test]
    fn anything_else_is_no_error() {
        assert!(message(crate::__verdict!(&7)).is_none());
        assert!(message(crate::__verdict!(&None::<u8>)).is_none());
        assert!(message(crate::__verdict!(&Ok::<u8, String>(1))).is_none());
        assert!(message(crate::__verdict!("text")).is_none());
    }

    #[test]
    fn payloads_are_borrowed() {
        let out: Alias<u8> = Ok(7);
        assert_eq!(crate::__ok_value!(&out), Some(&7));
        assert_eq!(crate::__ok_value!(&8), Some(&8));
        let out: Alias<u8> = Err(io::Error::other("x"));
        assert_eq!(crate::__ok_value!(&out), None);
    }
}
