//! Numbers and times as messages show them.

use std::time::Duration;

use jiff::Timestamp;

use crate::outbox::Parcel;

/// The delay from which on a message shows it.
const STALE: Duration = Duration::from_secs(120);

/// Returns how late a delayed message is: `1 h 5 min late`.
pub(super) fn late(parcel: &Parcel) -> Option<String> {
    let age = parcel.age();
    (age >= STALE).then(|| format!("{} late", duration(age)))
}

/// Returns `1 call`, `37 calls`.
pub(super) fn calls(count: u64) -> String {
    if count == 1 {
        "1 call".to_owned()
    } else {
        format!("{count} calls")
    }
}

/// Returns the two largest units: `850 ms`, `12 s`, `4 min 10 s`, `3 h 5 min`, `2 d 1 h`.
pub(super) fn duration(duration: Duration) -> String {
    let (seconds, millis) = (duration.as_secs(), duration.as_millis());
    let two = |n: u64, large: &str, of: u64, small: &str| match n % of {
        0 => format!("{} {large}", n / of),
        rest => format!("{} {large} {rest} {small}", n / of),
    };
    match seconds {
        0 => format!("{millis} ms"),
        1..=59 => format!("{seconds} s"),
        60..=3599 => two(seconds, "min", 60, "s"),
        3600..=86_399 => two(seconds / 60, "h", 60, "min"),
        _ => two(seconds / 3600, "d", 24, "h"),
    }
}

/// Returns `2026-11-23 07:17:09 UTC`.
pub(super) fn time(micros: u64) -> String {
    match i64::try_from(micros)
        .ok()
        .and_then(|m| Timestamp::from_microsecond(m).ok())
    {
        Some(time) => time.strftime("%Y-%m-%d %H:%M:%S UTC").to_string(),
        None => String::new(),
    }
}
