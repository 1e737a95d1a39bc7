//! Numbers, durations and ids as bytes at the end of a line, without allocating.

use std::time::Duration;

use crate::kernel::ids::TraceId;

#[inline]
pub(super) fn put(out: &mut Vec<u8>, text: &str) {
    out.extend_from_slice(text.as_bytes());
}

pub(super) fn put_u64(out: &mut Vec<u8>, n: u64) {
    put(out, itoa::Buffer::new().format(n));
}

pub(super) fn put_f64(out: &mut Vec<u8>, n: f64) {
    put(out, zmij::Buffer::new().format(n));
}

pub(super) fn put_hex(out: &mut Vec<u8>, id: TraceId) {
    put_hex64(out, id.0[0]);
    put_hex64(out, id.0[1]);
}

pub(super) fn put_hex64(out: &mut Vec<u8>, n: u64) {
    let digit = |nibble: u8| {
        if nibble < 10 {
            b'0' + nibble
        } else {
            b'a' + nibble - 10
        }
    };
    let mut text = [0_u8; 16];
    for (pair, byte) in text.chunks_exact_mut(2).zip(n.to_be_bytes()) {
        if let [high, low] = pair {
            *high = digit(byte >> 4);
            *low = digit(byte & 15);
        }
    }
    out.extend_from_slice(&text);
}

/// Three significant digits and the unit that suits: `850ns`, `12.3us`, `4.57ms`, `75.2s`.
pub(super) fn put_duration(out: &mut Vec<u8>, nanos: u128) {
    let nanos = u64::try_from(nanos).unwrap_or(u64::MAX);
    let (unit, name) = match nanos {
        0..1_000 => return put_whole(out, nanos, "ns"),
        1_000..1_000_000 => (1_000, "us"),
        1_000_000..1_000_000_000 => (1_000_000, "ms"),
        _ => (1_000_000_000, "s"),
    };
    let whole = nanos / unit;
    let thousandths = nanos % unit * 1_000 / unit;
    put_u64(out, whole);
    match whole {
        0..10 => put_fraction(out, thousandths / 10, 2),
        10..100 => put_fraction(out, thousandths / 100, 1),
        _ => {}
    }
    put(out, name);
}

/// Milliseconds with what digits they have behind the point, to the nanosecond: `12.345`, `7`.
pub(super) fn put_millis(out: &mut Vec<u8>, duration: Duration) {
    put_u64(out, u64::try_from(duration.as_millis()).unwrap_or(u64::MAX));
    let mut rest = duration.subsec_nanos() % 1_000_000;
    if rest == 0 {
        return;
    }
    let mut digits = *b".000000";
    for digit in digits.iter_mut().skip(1).rev() {
        *digit += u8::try_from(rest % 10).unwrap_or_default();
        rest /= 10;
    }
    let zeros = digits.iter().rev().take_while(|digit| **digit == b'0');
    let length = digits.len() - zeros.count();
    out.extend_from_slice(digits.get(..length).unwrap_or_default());
}

fn put_whole(out: &mut Vec<u8>, n: u64, unit: &str) {
    put_u64(out, n);
    put(out, unit);
}

fn put_fraction(out: &mut Vec<u8>, n: u64, digits: u32) {
    out.push(b'.');
    if digits == 2 && n < 10 {
        out.push(b'0');
    }
    put_u64(out, n);
}
