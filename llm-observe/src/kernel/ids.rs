//! The ids of a trace and of a span, as W3C Trace Context defines them.

use std::fmt;

/// A W3C trace id: 16 bytes, never all zero.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Default)]
pub struct TraceId(pub(crate) [u64; 2]);

/// A W3C span id: 8 bytes, never all zero.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Default)]
pub struct SpanId(pub(crate) u64);

impl TraceId {
    /// Returns a new random id.
    #[inline]
    pub(crate) fn random() -> TraceId {
        // One bit is given up for an id that is never zero.
        TraceId([fastrand::u64(..), fastrand::u64(..) | 1])
    }

    /// Returns whether this is the invalid, all-zero id.
    #[must_use]
    pub const fn is_none(self) -> bool {
        self.0[0] == 0 && self.0[1] == 0
    }
}

impl SpanId {
    /// Returns a new random id.
    #[inline]
    pub(crate) fn random() -> SpanId {
        SpanId(fastrand::u64(..) | 1)
    }

    /// Returns whether this is the invalid, all-zero id.
    #[must_use]
    pub const fn is_none(self) -> bool {
        self.0 == 0
    }
}

impl fmt::Display for TraceId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:016x}{:016x}", self.0[0], self.0[1])
    }
}

impl fmt::Display for SpanId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:016x}", self.0)
    }
}

impl fmt::Debug for TraceId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl fmt::Debug for SpanId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}
