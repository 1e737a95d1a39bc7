//! Durations, sizes and shares as people write them: `"1m30s"`, `"10MB"`, `0.25`.
//!
//! The arithmetic is exact: what a text does not say in whole nanoseconds or bytes is an error.

use std::fmt;
use std::time::Duration;

use crate::suggest::suggest;

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

/// What is wrong with a duration, a size, a share or a pair of hours, and what to write.
///
/// Its text never repeats what was written: that may be a misplaced secret.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UnitError {
    message: String,
    help: String,
}

impl UnitError {
    fn new(message: impl Into<String>, help: impl Into<String>) -> Self {
        let (message, help) = (message.into(), help.into());
        Self { message, help }
    }

    /// Returns what is wrong, such as `has no unit`.
    pub fn message(&self) -> &str {
        &self.message
    }

    /// Returns what to write, such as `write "2s"`.
    pub fn help(&self) -> &str {
        &self.help
    }
}

impl fmt::Display for UnitError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}; {}", self.message, self.help)
    }
}

impl std::error::Error for UnitError {}

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

/// One kind of quantity: its units, and how its errors speak.
struct Scale {
    what: &'static str,
    units: &'static [(&'static str, u128)],
    spellings: &'static [(&'static str, &'static str)],
    example: &'static str,
    finest: &'static str,
    most: u128,
    limit: &'static str,
}

impl Scale {
    fn wrong(&self, message: &str, help: &str) -> UnitError {
        UnitError::new(message, help)
    }

    /// Splits one number with its unit off `text`: its amount in the finest unit, its unit, and
    /// what follows.
    fn step<'t>(&self, text: &'t str) -> Result<(u128, &'static str, &'t str), UnitError> {
        let (number, rest) = split(text, |c| c.is_ascii_digit() || c == '.');
        let (unit, rest) = split(rest, |c| !c.is_ascii_digit() && c != '.');
        if number.is_empty() {
            return Err(self.wrong(&format!("is not a {}", self.what), self.example));
        }
        let (unit, scale) = self.unit(unit)?;
        Ok((self.amount(number, scale)?, unit, rest))
    }

    fn unit(&self, unit: &str) -> Result<(&'static str, u128), UnitError> {
        if unit.trim().is_empty() {
            return Err(self.wrong("has no unit", self.example));
        }
        if let Some(found) = self.units.iter().find(|(name, _)| *name == unit) {
            return Ok(*found);
        }
        let known = || self.units.iter().map(|(name, _)| *name);
        let bare = unit.trim();
        let same = known().find(|name| name.eq_ignore_ascii_case(bare));
        let spelled = self
            .spellings
            .iter()
            .find(|(other, _)| other.eq_ignore_ascii_case(bare));
        let meant = same
            .or(spelled.map(|(_, name)| *name))
            .or_else(|| suggest(bare, known()));
        let help = match meant {
            Some(meant) => format!("write `{meant}` right after the number"),
            None => self.example.to_owned(),
        };
        Err(self.wrong("has an unknown unit", &help))
    }

    /// Returns `number`, such as `1.5`, times `scale`, exactly.
    fn amount(&self, number: &str, scale: u128) -> Result<u128, UnitError> {
        let malformed = || self.wrong(&format!("is not a {}", self.what), self.example);
        let (whole, fraction) = match number.split_once('.') {
            Some((whole, fraction)) if !whole.is_empty() && !fraction.is_empty() => {
                (whole, fraction)
            }
            Some(_) => return Err(malformed()),
            None => (number, ""),
        };
        if fraction.contains('.') {
            return Err(malformed());
        }
        let whole = whole.parse::<u128>().unwrap_or(u128::MAX);
        let part = self.part(fraction.trim_end_matches('0'), scale)?;
        Ok(whole.saturating_mul(scale).saturating_add(part))
    }

    /// Returns `0.fraction` times `scale`, exactly.
    fn part(&self, fraction: &str, scale: u128) -> Result<u128, UnitError> {
        let finer = || {
            let message = format!("is finer than {}", self.finest);
            self.wrong(&message, "write fewer digits after the point")
        };
        if fraction.is_empty() {
            return Ok(0);
        }
        let length = u32::try_from(fraction.len())
            .ok()
            .filter(|length| *length <= 18);
        let divisor = 10_u128.pow(length.ok_or_else(finer)?);
        let scaled = fraction.parse::<u128>().unwrap_or(0).saturating_mul(scale);
        if scaled.is_multiple_of(divisor) {
            Ok(scaled / divisor)
        } else {
            Err(finer())
        }
    }

    fn bounded(&self, amount: u128) -> Result<(), UnitError> {
        if amount <= self.most {
            return Ok(());
        }
        let help = format!("write at most \"{}\"", self.limit);
        Err(self.wrong(&format!("is too large for a {}", self.what), &help))
    }
}

fn split(text: &str, matches: impl Fn(char) -> bool) -> (&str, &str) {
    let end = text.find(|c| !matches(c)).unwrap_or(text.len());
    text.split_at(end)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn durations_as_people_write_them() {
        let ms = Duration::from_millis;
        for (text, value) in [
            ("250ms", ms(250)),
            ("2s", ms(2_000)),
            ("1.5s", ms(1_500)),
            ("1m30s", ms(90_000)),
            ("4h", ms(4 * 3_600_000)),
            ("14d", ms(14 * 86_400_000)),
            ("2w", ms(14 * 86_400_000)),
            ("100us", Duration::from_micros(100)),
            ("0s", ms(0)),
            ("36500d", MAX_DURATION),
            ("0.000000001s", Duration::from_nanos(1)),
        ] {
            assert_eq!(duration(text), Ok(value), "{text}");
        }
    }

    #[test]
    fn wrong_durations_say_what_to_write() {
        let example = "write \"250ms\", \"2s\", \"1m30s\", \"4h\" or \"14d\"";
        for (text, message) in [
            ("2", format!("has no unit; {example}")),
            ("", format!("is not a duration; {example}")),
            ("soon", format!("is not a duration; {example}")),
            ("-2s", format!("is not a duration; {example}")),
            ("1..5s", format!("is not a duration; {example}")),
            ("1.s", format!("is not a duration; {example}")),
            (
                "2 s",
                "has an unknown unit; write `s` right after the number".into(),
            ),
            (
                "2S",
                "has an unknown unit; write `s` right after the number".into(),
            ),
            (
                "2sec",
                "has an unknown unit; write `s` right after the number".into(),
            ),
            (
                "5minutes",
                "has an unknown unit; write `m` right after the number".into(),
            ),
            (
                "5µs",
                "has an unknown unit; write `us` right after the number".into(),
            ),
            ("5parsec", format!("has an unknown unit; {example}")),
            (
                "30s1m",
                "has its units out of order; longest first, such as \"1m30s\"".into(),
            ),
            (
                "1s1s",
                "has its units out of order; longest first, such as \"1m30s\"".into(),
            ),
            (
                "0.5ns",
                "is finer than a nanosecond; write fewer digits after the point".into(),
            ),
            (
                "36501d",
                "is too large for a duration; write at most \"36500d\"".into(),
            ),
            (&"9".repeat(99), format!("has no unit; {example}")),
        ] {
            assert_eq!(duration(text).unwrap_err().to_string(), message, "{text}");
        }
        assert!(duration(&format!("{}s", "9".repeat(99))).is_err());
    }

    #[test]
    fn sizes_as_people_write_them() {
        for (text, value) in [
            ("10MB", 10_000_000),
            ("10MiB", 10 << 20),
            ("1GB", 1_000_000_000),
            ("8KiB", 8192),
            ("1.5KB", 1500),
            ("0.5KiB", 512),
            ("17B", 17),
            ("2TB", 2_000_000_000_000),
        ] {
            assert_eq!(size(text), Ok(value), "{text}");
        }
    }

    #[test]
    fn wrong_sizes_say_what_to_write() {
        let example = "write \"10MB\", \"64KiB\" or \"1GB\"";
        for (text, message) in [
            ("1000", format!("has no unit; {example}")),
            ("big", format!("is not a size; {example}")),
            (
                "10mb",
                "has an unknown unit; write `MB` right after the number".into(),
            ),
            (
                "10 MB",
                "has an unknown unit; write `MB` right after the number".into(),
            ),
            (
                "10M",
                "has an unknown unit; write `MB` right after the number".into(),
            ),
            (
                "1MB1KB",
                format!("is more than one number with its unit; {example}"),
            ),
            (
                "0.5B",
                "is finer than a byte; write fewer digits after the point".into(),
            ),
            (
                "9300000TB",
                "is too large for a size; write at most \"8000000TB\"".into(),
            ),
        ] {
            assert_eq!(size(text).unwrap_err().to_string(), message, "{text}");
        }
    }

    #[test]
    fn shares_are_from_0_to_1() {
        assert_eq!(share(0.25), Ok(0.25));
        assert!(share(-0.0).is_ok_and(f64::is_sign_positive));
        for wrong in [-0.1, 1.1, f64::NAN, f64::INFINITY] {
            assert!(share(wrong).is_err());
        }
    }

    #[test]
    fn hours_go_over_midnight() {
        assert_eq!(hours("22:00-07:00"), Ok((1320, 420)));
        assert_eq!(hours("00:00-23:59"), Ok((0, 1439)));
        for wrong in [
            "22-7",
            "24:00-07:00",
            "22:60-07:00",
            "22:00",
            "+2:00-07:00",
            "",
        ] {
            let message = hours(wrong).unwrap_err().to_string();
            assert_eq!(
                message,
                "is not a span of hours; write the start and the end, such as \"22:00-07:00\""
            );
        }
        assert!(hours("07:00-07:00").is_err());
    }

    proptest! {
        #[test]
        fn durations_round_trip(nanos in 0..=MAX_DURATION.as_nanos()) {
            let whole = u64::try_from(nanos / 1_000_000_000).unwrap();
            let value = Duration::new(whole, u32::try_from(nanos % 1_000_000_000).unwrap());
            prop_assert_eq!(duration(&duration_text(value)), Ok(value));
        }

        #[test]
        fn sizes_round_trip(bytes in 0..=MAX_SIZE, shift in 0_u32..63) {
            let bytes = bytes >> shift;
            prop_assert_eq!(size(&size_text(bytes)), Ok(bytes));
        }

        #[test]
        fn round_sizes_are_short(count in 1_u64..1000) {
            prop_assert_eq!(size_text(count * 1_000_000), if count.is_multiple_of(1000) {
                format!("{}GB", count / 1000)
            } else {
                format!("{count}MB")
            });
        }

        #[test]
        fn any_text_is_a_value_or_an_error(text in "\\PC*") {
            let _ = (duration(&text), size(&text), hours(&text));
        }

        #[test]
        fn nearly_right_text_is_a_value_or_an_error(text in "[0-9.wdhmsunKMGTiB:-]{0,40}") {
            let _ = (duration(&text), size(&text), hours(&text));
        }
    }
}
