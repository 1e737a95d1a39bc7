//! Redaction as a type: what a sink or the outbox is given has been through a [`Redactor`].

use std::{fmt, ops::Deref};

use super::Redactor;

/// A value whose texts can be redacted in place.
pub trait Redact {
    /// Takes secrets out of every text in it that came from outside the program's source.
    fn redact(&mut self, redactor: &Redactor);
}

/// A value that has been redacted. Only a [`Redactor`] makes one, and what is derived from one
/// stays one.
#[derive(Clone, Copy, Default, PartialEq, Eq, Hash)]
pub struct Redacted<T>(T);

impl Redactor {
    /// Returns `value` with its secrets taken out.
    #[inline]
    pub fn redacted<T: Redact>(&self, mut value: T) -> Redacted<T> {
        value.redact(self);
        Redacted(value)
    }
}

impl<T> Redacted<T> {
    /// Returns `value` as it is, for tests.
    #[cfg(test)]
    pub(crate) const fn for_test(value: T) -> Redacted<T> {
        Redacted(value)
    }

    /// Returns a reference that carries the same promise.
    #[inline]
    pub const fn as_ref(&self) -> Redacted<&T> {
        Redacted(&self.0)
    }

    /// Returns what `derive` makes of the value: derived from redacted text, it is redacted.
    #[inline]
    pub fn map<U>(self, derive: impl FnOnce(T) -> U) -> Redacted<U> {
        Redacted(derive(self.0))
    }

    /// Returns the value, which no longer carries the promise.
    #[inline]
    pub fn into_inner(self) -> T {
        self.0
    }
}

impl<T> Deref for Redacted<T> {
    type Target = T;

    #[inline]
    fn deref(&self) -> &T {
        &self.0
    }
}

impl<T: fmt::Debug> fmt::Debug for Redacted<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&self.0, f)
    }
}
