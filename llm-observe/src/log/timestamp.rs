//! The time at the start of a line. Each thread formats the part down to the second once a second;
//! only the digits of the fraction are formatted for each line.

use std::cell::RefCell;

use jiff::{Timestamp, tz::TimeZone};
use llm_observe_config::Timezone;

const PER_SECOND: u64 = 1_000_000;

/// A second and its text, `2026-11-23 07:17:09`, in UTC or in the zone of the machine.
struct Second {
    second: u64,
    local: bool,
    text: [u8; 19],
}

thread_local! {
    static LATEST: RefCell<Second> =
        const { RefCell::new(Second { second: u64::MAX, local: false, text: *b"0000-00-00 00:00:00" }) };
}

/// Appends `2026-11-23 07:17:09.123`, in UTC or in the zone of the machine.
pub(crate) fn text(out: &mut Vec<u8>, micros: u64, timezone: Timezone) {
    put_second(out, micros / PER_SECOND, timezone == Timezone::Local, b' ');
    out.push(b'.');
    put_digits::<3>(out, micros % PER_SECOND / 1_000);
}

/// Appends `2026-11-23T07:17:09.123456Z` (RFC 3339, UTC).
pub(crate) fn rfc3339(out: &mut Vec<u8>, micros: u64) {
    put_second(out, micros / PER_SECOND, false, b'T');
    out.push(b'.');
    put_digits::<6>(out, micros % PER_SECOND);
    out.push(b'Z');
}

fn put_second(out: &mut Vec<u8>, second: u64, local: bool, separator: u8) {
    let start = out.len();
    let cached = LATEST.try_with(|latest| {
        let mut latest = latest.borrow_mut();
        if latest.second != second || latest.local != local {
            *latest = Second {
                second,
                local,
                text: describe(second, local),
            };
        }
        out.extend_from_slice(&latest.text);
    });
    if cached.is_err() {
        out.extend_from_slice(&describe(second, local));
    }
    if let Some(between) = out.get_mut(start + 10) {
        *between = separator;
    }
}

fn describe(second: u64, local: bool) -> [u8; 19] {
    let zone = if local {
        TimeZone::system()
    } else {
        TimeZone::UTC
    };
    let at = Timestamp::from_second(i64::try_from(second).unwrap_or(i64::MAX))
        .unwrap_or(Timestamp::UNIX_EPOCH)
        .to_zoned(zone);
    let mut text = *b"0000-00-00 00:00:00";
    for (from, digits, number) in [
        (0, 4, i32::from(at.year())),
        (5, 2, at.month().into()),
        (8, 2, at.day().into()),
        (11, 2, at.hour().into()),
        (14, 2, at.minute().into()),
        (17, 2, at.second().into()),
    ] {
        let place = text.iter_mut().skip(from).take(digits).rev();
        place.fold(number, |rest, digit| {
            *digit = b'0' + u8::try_from(rest % 10).unwrap_or(0);
            rest / 10
        });
    }
    text
}

/// Appends the last `N` digits of `n`.
#[inline]
fn put_digits<const N: usize>(out: &mut Vec<u8>, mut n: u64) {
    let mut text = [b'0'; N];
    for digit in text.iter_mut().rev() {
        *digit += u8::try_from(n % 10).unwrap_or(0);
        n /= 10;
    }
    out.extend_from_slice(&text);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_forms() {
        let mut out = Vec::new();
        text(&mut out, 1_795_418_229_123_456, Timezone::Utc);
        out.push(b'|');
        rfc3339(&mut out, 1_795_418_229_123_456);
        let out = String::from_utf8(out).unwrap();
        assert_eq!(out, "2026-11-23 07:17:09.123|2026-11-23T07:17:09.123456Z");
    }
}
