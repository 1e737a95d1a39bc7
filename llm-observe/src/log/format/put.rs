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

pub(super) fn put_i64(out: &mut Vec<u8>, n: i64) {
    put(out, itoa::Buffer::new().format(n));
}

pub(super) fn put_f64(out: &mut Vec<u8>, n: f64) {
    put(out, zmij::Buffer::new().format(n));
}

pub(super) fn put_hex(out: &mut Vec<u8>, id: TraceId) {
    put_hex64(out, id.0[0]);
    put_hex64(out, id.0[1]);
}

/// Two hexadecimal digits.
pub(super) fn put_hex8(out: &mut Vec<u8>, n: u8) {
    let digits = hex_digits(n.into());
    out.extend_from_slice(digits.last_chunk::<2>().unwrap_or(b"00"));
}

/// Sixteen hexadecimal digits, eight at a time.
pub(super) fn put_hex64(out: &mut Vec<u8>, n: u64) {
    let mut text = [0; 16];
    let (high, low) = text.split_at_mut(8);
    high.copy_from_slice(&hex_digits(n >> 32));
    low.copy_from_slice(&hex_digits(n & 0xffff_ffff));
    out.extend_from_slice(&text);
}

/// The digits of the lower 32 bits: each in a byte of its own, and all made letters or digits by
/// the same few instructions.
const fn hex_digits(n: u64) -> [u8; 8] {
    const EACH: u64 = 0x0101_0101_0101_0101;
    let pairs = ((n << 16) | n) & 0x0000_ffff_0000_ffff;
    let bytes = ((pairs << 8) | pairs) & 0x00ff_00ff_00ff_00ff;
    let nibbles = ((bytes << 4) | bytes) & (0x0f * EACH);
    // 10 and more are 16 and more with 6 added: their fifth bit says so.
    let letters = ((nibbles + 6 * EACH) >> 4) & EACH;
    let ascii = nibbles + b'0' as u64 * EACH + letters * (b'a' - b'0' - 10) as u64;
    ascii.to_be_bytes()
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
