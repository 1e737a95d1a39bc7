//! Durations, sizes and shares as people write them: `"1m30s"`, `"10MB"`, `0.25`.
//!
//! The arithmetic is exact: what a text does not say in whole nanoseconds or bytes is an error.

mod error;
mod scale;
#[cfg(test)]
mod tests;

use std::time::Duration;

use scale::Scale;

pub use error::UnitError;

/// The longest duration, 36,500 days: far enough to mean "never", and safe to add to any clock.
pub const MAX_DURATION: Duration = Duration::from_secs(36_500 * 86_400);

/// The largest size, 2^63 - 1 bytes, beyond which no file can grow.
pub const MAX_SIZE: u64 = i64::MAX as u64;

/// Nanoseconds of each unit, from the longest.
const DURATIONS: [(&str, u128); 8] = [
    ("w", 604_800_000_000_000),
    ("d", 86_400_000_000_000),
    ("h", 3_600_000_000_000),
    ("m", 60_000_000_000),
    ("s", 1_000_000_000),
    ("ms", 1_000_000),
    ("us", 1_000),
    ("ns", 1),
];

/// Bytes of each unit, from the largest.
const SIZES: [(&str, u128); 9] = [
    ("TiB", 1 << 40),
    ("TB", 1_000_000_000_000),
    ("GiB", 1 << 30),
    ("GB", 1_000_000_000),
    ("MiB", 1 << 20),
    ("MB", 1_000_000),
    ("KiB", 1 << 10),
    ("KB", 1_000),
    ("B", 1),
];

/// Other spellings, and the unit they stand for.
const DURATION_SPELLINGS: [(&str, &str); 14] = [
    ("sec", "s"),
    ("secs", "s"),
    ("second", "s"),
    ("seconds", "s"),
    ("min", "m"),
    ("mins", "m"),
    ("minute", "m"),
    ("minutes", "m"),
    ("hour", "h"),
    ("hours", "h"),
    ("day", "d"),
    ("days", "d"),
    ("µs", "us"),
    ("μs", "us"),
];

const SIZE_SPELLINGS: [(&str, &str); 4] = [("K", "KB"), ("M", "MB"), ("G", "GB"), ("T", "TB")];

/// Returns the duration written as `text`: numbers with the units `w`, `d`, `h`, `m`, `s`, `ms`,
/// `us`, `ns`, longest first, as in `2s`, `1.5s` or `1m30s`.
///
/// # Errors
///
/// When `text` is anything else, finer than a nanosecond, or longer than [`MAX_DURATION`].
pub fn duration(text: &str) -> Result<Duration, UnitError> {
    let scale = Scale {
        what: "duration",
        units: &DURATIONS,
        spellings: &DURATION_SPELLINGS,
        example: "write \"250ms\", \"2s\", \"1m30s\", \"4h\" or \"14d\"",
        finest: "a nanosecond",
        most: MAX_DURATION.as_nanos(),
        limit: "36500d",
    };
    let mut rest = text;
    let mut total = 0_u128;
    let mut coarsest = scale.units;
    loop {
        let (amount, unit, after) = scale.step(rest)?;
        let Some(index) = coarsest.iter().position(|(name, _)| *name == unit) else {
            return Err(scale.wrong(
                "has its units out of order",
                "longest first, such as \"1m30s\"",
            ));
        };
        coarsest = coarsest.get(index + 1..).unwrap_or_default();
        total = total.saturating_add(amount);
        if after.is_empty() {
            break;
        }
        rest = after;
    }
    scale.bounded(total)?;
    let nanos = u32::try_from(total % 1_000_000_000).unwrap_or(0);
    let secs = u64::try_from(total / 1_000_000_000).unwrap_or(u64::MAX);
    Ok(Duration::new(secs, nanos))
}

/// Returns the number of bytes written as `text`: one number with one of the units `B`, `KB`,
/// `MB`, `GB`, `TB` (powers of 1,000), `KiB`, `MiB`, `GiB`, `TiB` (powers of 1,024).
///
/// # Errors
///
/// When `text` is anything else, not a whole number of bytes, or more than [`MAX_SIZE`].
pub fn size(text: &str) -> Result<u64, UnitError> {
    let scale = Scale {
        what: "size",
        units: &SIZES,
        spellings: &SIZE_SPELLINGS,
        example: "write \"10MB\", \"64KiB\" or \"1GB\"",
        finest: "a byte",
        most: u128::from(MAX_SIZE),
        limit: "8000000TB",
    };
    let (amount, _, after) = scale.step(text)?;
    if !after.is_empty() {
        return Err(scale.wrong("is more than one number with its unit", scale.example));
    }
    scale.bounded(amount)?;
    Ok(u64::try_from(amount).unwrap_or(MAX_SIZE))
}

/// Returns `value` when it is a share, 0 to 1.
///
/// # Errors
///
/// When it is outside, or not a number.
pub fn share(value: f64) -> Result<f64, UnitError> {
    if (0.0..=1.0).contains(&value) {
        // -0.0 is within the range; what is printed should not have its sign.
        return Ok(value.abs());
    }
    let help = "write a number from 0 to 1, such as 0.25 for a quarter";
    Err(UnitError::new("is not a share", help))
}

/// Returns the start and the end of a span of hours such as `22:00-07:00`, each in minutes since
/// midnight; when the end is before the start, the span goes over midnight.
///
/// # Errors
///
/// When `text` is anything else, or the span is empty.
pub fn hours(text: &str) -> Result<(u16, u16), UnitError> {
    let help = "write the start and the end, such as \"22:00-07:00\"";
    let span = text.split_once('-');
    let span = span.and_then(|(from, to)| Some((minutes(from)?, minutes(to)?)));
    let (from, to) = span.ok_or_else(|| UnitError::new("is not a span of hours", help))?;
    if from == to {
        return Err(UnitError::new("is a span without length", help));
    }
    Ok((from, to))
}

/// Returns `duration` as [`duration()`] reads it, such as `1m30s`; `0s` for none.
pub fn duration_text(duration: Duration) -> String {
    let mut rest = duration.as_nanos();
    let mut text = String::new();
    // Weeks are read, but nobody expects "2w" for "14d".
    for (unit, nanos) in DURATIONS.iter().filter(|(unit, _)| *unit != "w") {
        if rest >= *nanos {
            text.push_str(&format!("{}{unit}", rest / nanos));
            rest %= nanos;
        }
    }
    if text.is_empty() {
        "0s".to_owned()
    } else {
        text
    }
}

/// Returns `bytes` as [`size`] reads it, in the largest unit that it is a whole number of.
pub fn size_text(bytes: u64) -> String {
    let bytes = u128::from(bytes);
    let whole = |(_, unit): &&(&str, u128)| bytes >= *unit && bytes.is_multiple_of(*unit);
    let fewest = SIZES
        .iter()
        .filter(whole)
        .min_by_key(|(_, unit)| bytes / unit);
    let (unit, scale) = fewest.copied().unwrap_or(("B", 1));
    format!("{}{unit}", bytes / scale)
}

fn minutes(text: &str) -> Option<u16> {
    let (hour, minute) = text.split_once(':')?;
    let number = |text: &str, most: u16| {
        let digits = text.len() == 2 && text.bytes().all(|byte| byte.is_ascii_digit());
        let value = text.parse().ok().filter(|value: &u16| *value <= most);
        value.filter(|_| digits)
    };
    Some(number(hour, 23)? * 60 + number(minute, 59)?)
}
