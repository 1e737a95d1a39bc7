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

impl TraceId {
    /// Returns the id that 32 hexadecimal digits stand for; `None` for any other text, and for the
    /// invalid id.
    #[must_use]
    pub fn from_hex(digits: &str) -> Option<TraceId> {
        let (high, low) = digits.split_at_checked(16)?;
        let id = TraceId([parse(high)?, parse(low)?]);
        (!id.is_none()).then_some(id)
    }
}

impl SpanId {
    /// Returns the id that 16 hexadecimal digits stand for; `None` for any other text, and for the
    /// invalid id.
    #[must_use]
    pub fn from_hex(digits: &str) -> Option<SpanId> {
        let id = SpanId(parse(digits)?);
        (!id.is_none()).then_some(id)
    }

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

/// Reads 16 hexadecimal digits.
fn parse(digits: &str) -> Option<u64> {
    // `from_str_radix` takes a sign.
    let is_hex = digits.len() == 16 && digits.bytes().all(|b| b.is_ascii_hexdigit());
    if is_hex {
        u64::from_str_radix(digits, 16).ok()
    } else {
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_round_trip_through_text_and_nothing_else_is_one() {
        let (trace, span) = (TraceId::random(), SpanId::random());
        assert_eq!(TraceId::from_hex(&trace.to_string()), Some(trace));
        assert_eq!(SpanId::from_hex(&span.to_string()), Some(span));
        for text in [
            "",
            "0",
            &"0".repeat(32),
            &"g".repeat(32),
            &"+".repeat(32),
            &"ä".repeat(16),
        ] {
            assert_eq!(TraceId::from_hex(text), None, "{text}");
            assert_eq!(SpanId::from_hex(text), None, "{text}");
        }
    }
}
