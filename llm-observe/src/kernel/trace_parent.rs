//! The headers `traceparent` and `tracestate` (W3C Trace Context, level 1). Pure.

use std::fmt;

use super::ids::{SpanId, TraceId};

/// The value of a `traceparent` header.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct TraceParent {
    pub(crate) trace: TraceId,
    pub(crate) span: SpanId,
    pub(crate) flags: u8,
}

/// `00-`, 32 digits, `-`, 16 digits, `-`, 2 digits.
pub(crate) const LENGTH: usize = 55;

/// The longest `tracestate` that is passed on: the length that a participant must support at least
/// (W3C Trace Context, section 3.3.1.5).
pub(crate) const MAX_STATE: usize = 512;

impl TraceParent {
    /// Parses the header's value. `None` means that the header is invalid and a new trace starts.
    ///
    /// Digits are lower-case, neither id is all zero, and version 00 ends with its flags. Of a later
    /// version the known part is read (section 4.3).
    pub(crate) fn parse(value: &[u8]) -> Option<TraceParent> {
        let (own, rest) = value.split_at_checked(LENGTH)?;
        let version = hex(own.get(0..2)?)?;
        let ended = rest.is_empty() || (version > 0 && rest.starts_with(b"-"));
        let dashes = [2, 35, 52].iter().all(|at| own.get(*at) == Some(&b'-'));
        if version == 0xff || !ended || !dashes {
            return None;
        }
        let trace = TraceId([hex(own.get(3..19)?)?, hex(own.get(19..35)?)?]);
        let span = SpanId(hex(own.get(36..52)?)?);
        let flags = u8::try_from(hex(own.get(53..55)?)?).ok()?;
        (!trace.is_none() && !span.is_none()).then_some(TraceParent { trace, span, flags })
    }

    /// Returns the header's value.
    pub(crate) fn format(self) -> [u8; LENGTH] {
        let mut out = *b"00-00000000000000000000000000000000-0000000000000000-00";
        let [high, low] = self.trace.0;
        put_hex(out.get_mut(3..19), high);
        put_hex(out.get_mut(19..35), low);
        put_hex(out.get_mut(36..52), self.span.0);
        put_hex(out.get_mut(53..55), self.flags.into());
        out
    }
}

impl fmt::Display for TraceParent {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(std::str::from_utf8(&self.format()).unwrap_or_default())
    }
}

/// Returns the `tracestate` to pass on; `None` if it is too long or not a valid header value.
pub(crate) fn trace_state(value: &[u8]) -> Option<String> {
    let valid = (1..=MAX_STATE).contains(&value.len())
        && value.iter().all(|b| b.is_ascii_graphic() || *b == b' ');
    valid.then(|| String::from_utf8_lossy(value).into_owned())
}

/// Parses up to 16 lower-case digits.
fn hex(digits: &[u8]) -> Option<u64> {
    digits.iter().try_fold(0_u64, |number, digit| {
        let value = match digit {
            b'0'..=b'9' => digit - b'0',
            b'a'..=b'f' => digit - b'a' + 10,
            _ => return None,
        };
        Some(number << 4 | u64::from(value))
    })
}

fn put_hex(out: Option<&mut [u8]>, mut number: u64) {
    for digit in out.into_iter().flatten().rev() {
        let value = u8::try_from(number & 15).unwrap_or_default();
        *digit = if value < 10 {
            b'0' + value
        } else {
            b'a' + value - 10
        };
        number >>= 4;
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const GOOD: &str = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";

    #[test]
    fn the_recommendations_example_is_parsed() {
        let parsed = TraceParent::parse(GOOD.as_bytes()).unwrap();
        assert_eq!(parsed.trace.to_string(), "0af7651916cd43dd8448eb211c80319c");
        assert_eq!(parsed.span.to_string(), "b7ad6b7169203331");
        assert_eq!(parsed.flags, 1);
        let later = GOOD.replacen("00", "cc", 1) + "-what-the-future-will-be";
        assert!(TraceParent::parse(later.as_bytes()).is_some());
    }

    #[test]
    fn invalid_headers_are_refused() {
        for bad in [
            String::new(),
            GOOD.to_uppercase(),
            GOOD.replacen("00", "ff", 1),
            GOOD.to_owned() + "-",
            GOOD.to_owned() + " ",
            GOOD.replacen("00", "01", 1) + "x",
            GOOD.replace('-', "_"),
            GOOD.replace("b7ad6b7169203331", "0000000000000000"),
            GOOD.replace("0af7651916cd43dd8448eb211c80319c", &"0".repeat(32)),
            GOOD.replace("0af7", "0aF7"),
            GOOD.replace("-01", "-0g"),
            GOOD.replace("-01", "-\n1"),
            GOOD[..54].to_owned(),
        ] {
            assert_eq!(TraceParent::parse(bad.as_bytes()), None, "{bad:?}");
        }
    }

    proptest! {
        #[test]
        fn a_formatted_header_is_parsed_back(high: u64, low: u64, span: u64, flags: u8) {
            let trace = TraceId([high, low | 1]);
            let parent = TraceParent { trace, span: SpanId(span | 1), flags };
            prop_assert_eq!(TraceParent::parse(&parent.format()), Some(parent));
            prop_assert_eq!(TraceParent::parse(parent.to_string().as_bytes()), Some(parent));
        }

        #[test]
        fn any_input_is_safe(value: Vec<u8>) {
            let _ = TraceParent::parse(&value);
            let _ = trace_state(&value);
        }
    }
}
