//! When to rotate, and how rotated files are named: pure functions over a clock and a listing.
//!
//! A rotated file is `app.log.2026-11-23T07-17-09Z.42`, with the suffix `.gz` once compressed.
//! The name starts with the live file's, so that `app.log*` is the whole history, and does not end
//! in `.log`, so that collectors of `*.log` do not read it twice. Nothing is ever renumbered, and
//! the order is that of the last number, not of the time: a clock that jumps back can neither
//! overwrite a file nor change the order.

use std::time::Duration;

use jiff::{Timestamp, tz::TimeZone};

use crate::options::{Rotation, Timezone};

/// A rotated file, by its name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Backup {
    pub(crate) name: String,
    pub(crate) len: u64,
    /// When it was rotated.
    pub(crate) at: Timestamp,
    pub(crate) sequence: u64,
    pub(crate) compressed: bool,
}

/// Returns the name of the live file `file` once it is rotated.
pub(crate) fn backup_name(file: &str, at: Timestamp, zone: &TimeZone, sequence: u64) -> String {
    let format = if *zone == TimeZone::UTC {
        "%Y-%m-%dT%H-%M-%SZ"
    } else {
        "%Y-%m-%dT%H-%M-%S%z"
    };
    format!(
        "{file}.{}.{sequence}",
        at.to_zoned(zone.clone()).strftime(format)
    )
}

/// Parses a name that [`backup_name`] made. Returns `None` for any other file.
pub(crate) fn parse_backup(file: &str, name: &str, len: u64) -> Option<Backup> {
    let rest = name.strip_prefix(file)?.strip_prefix('.')?;
    let (rest, compressed) = rest
        .strip_suffix(".gz")
        .map_or((rest, false), |rest| (rest, true));
    let (stamp, sequence) = rest.rsplit_once('.')?;
    let at = match stamp.strip_suffix('Z') {
        Some(utc) => jiff::civil::DateTime::strptime("%Y-%m-%dT%H-%M-%S", utc)
            .ok()?
            .to_zoned(TimeZone::UTC)
            .ok()?
            .timestamp(),
        None => Timestamp::strptime("%Y-%m-%dT%H-%M-%S%z", stamp).ok()?,
    };
    Some(Backup {
        name: name.to_owned(),
        len,
        at,
        sequence: sequence.parse().ok()?,
        compressed,
    })
}

/// Returns the number after the highest in use.
pub(crate) fn next_sequence(backups: &[Backup]) -> u64 {
    backups
        .iter()
        .map(|backup| backup.sequence)
        .max()
        .unwrap_or(0)
        .saturating_add(1)
}

/// The time that one file covers: `from` inclusive, `to` exclusive.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Period {
    pub(crate) from: Timestamp,
    pub(crate) to: Timestamp,
}

impl Period {
    /// Returns the hour or day of `now` in `zone`; all of time without rotation by time.
    pub(crate) fn of(rotation: Rotation, now: Timestamp, zone: &TimeZone) -> Self {
        match rotation {
            Rotation::Never => Self {
                from: Timestamp::MIN,
                to: Timestamp::MAX,
            },
            Rotation::Hourly => Self::hour(now, zone),
            Rotation::Daily => Self::day(now, zone).unwrap_or_else(|| Self::hour(now, zone)),
        }
    }

    /// Whole hours of the current offset: when clocks go back, the two equal hours have a period each.
    fn hour(now: Timestamp, zone: &TimeZone) -> Self {
        let offset = i64::from(zone.to_offset(now).seconds());
        let local = now.as_second().saturating_add(offset);
        let from = local
            .div_euclid(3600)
            .saturating_mul(3600)
            .saturating_sub(offset);
        let at = |second| Timestamp::from_second(second).unwrap_or(now);
        Self {
            from: at(from),
            to: at(from.saturating_add(3600)),
        }
    }

    /// From midnight to midnight: 23, 24 or 25 hours. Where midnight does not exist, from the first
    /// moment of the day.
    fn day(now: Timestamp, zone: &TimeZone) -> Option<Self> {
        let today = now.to_zoned(zone.clone());
        let from = today.start_of_day().ok()?.timestamp();
        let to = today.tomorrow().ok()?.start_of_day().ok()?.timestamp();
        Some(Self { from, to })
    }

    /// Returns whether a file of this period is to be rotated now. When the clock was set back, it is
    /// not: lines go on in the same file.
    pub(crate) fn is_over(&self, now: Timestamp) -> bool {
        now >= self.to
    }

    /// Returns whether the clock was set back by so much that this period is obsolete.
    pub(crate) fn is_far_ahead(&self, now: Timestamp) -> bool {
        let slack = Duration::from_secs(2 * 86_400);
        self.from > now && self.from.duration_since(now).unsigned_abs() > slack
    }
}

/// Returns the zone whose hours and days count.
pub(crate) fn zone(timezone: Timezone) -> TimeZone {
    match timezone {
        Timezone::Utc => TimeZone::UTC,
        Timezone::Local => TimeZone::system(),
    }
}

/// Returns how many lines of a batch fit into a file of `len` bytes. `ends` has where each line ends.
/// An empty file takes at least one line, however long.
pub(crate) fn fitting(len: u64, max_bytes: u64, ends: &[(usize, u64)]) -> usize {
    if max_bytes == 0 {
        return ends.len();
    }
    let room = max_bytes.saturating_sub(len);
    let fit = ends
        .iter()
        .take_while(|(end, _)| *end as u64 <= room)
        .count();
    if len == 0 {
        fit.max(1).min(ends.len())
    } else {
        fit
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn new_york() -> TimeZone {
        TimeZone::get("America/New_York").unwrap()
    }

    #[test]
    fn the_repeated_hour_is_two_hours() {
        let first: Timestamp = "2026-11-01T01:30:00-04:00".parse().unwrap();
        let second: Timestamp = "2026-11-01T01:30:00-05:00".parse().unwrap();
        let period = Period::of(Rotation::Hourly, first, &new_york());
        assert!(period.is_over(second));
        let (a, b) = (
            backup_name("a", first, &new_york(), 1),
            backup_name("a", second, &new_york(), 1),
        );
        assert_ne!(a, b);
    }

    #[test]
    fn the_long_day_is_one_day() {
        let morning: Timestamp = "2026-11-01T00:00:00-04:00".parse().unwrap();
        let evening: Timestamp = "2026-11-01T23:59:59-05:00".parse().unwrap();
        let period = Period::of(Rotation::Daily, morning, &new_york());
        assert!(!period.is_over(evening));
        assert_eq!(period.to.duration_since(period.from).as_hours(), 25);
    }

    proptest! {
        #[test]
        fn names_read_back(second in 0i64..4_000_000_000, sequence in any::<u64>(), local in any::<bool>(), gz in any::<bool>()) {
            let at = Timestamp::from_second(second).unwrap();
            let zone = if local { new_york() } else { TimeZone::UTC };
            let name = backup_name("app.log", at, &zone, sequence) + if gz { ".gz" } else { "" };
            let back = parse_backup("app.log", &name, 7).unwrap();
            prop_assert_eq!((back.at, back.sequence, back.compressed), (at, sequence, gz));
            prop_assert_eq!(parse_backup("app", &name, 7), None);
        }

        #[test]
        fn periods_hold_now_and_meet(second in 0i64..4_000_000_000, daily in any::<bool>(), zone in prop_oneof![Just("America/New_York"), Just("Asia/Kathmandu"), Just("Australia/Lord_Howe"), Just("America/Sao_Paulo")]) {
            let zone = TimeZone::get(zone).unwrap();
            let rotation = if daily { Rotation::Daily } else { Rotation::Hourly };
            let now = Timestamp::from_second(second).unwrap();
            let period = Period::of(rotation, now, &zone);
            prop_assert!(period.from <= now && now < period.to);
            prop_assert!(!period.is_over(now));
            prop_assert!(Period::of(rotation, period.to, &zone).from >= period.from);
        }

        #[test]
        fn only_whole_lines_that_fit(len in 0u64..500, max in 1u64..500, sizes in proptest::collection::vec(1usize..100, 1..20)) {
            let ends: Vec<_> = sizes.iter().scan(0, |sum, size| { *sum += size; Some((*sum, 0)) }).collect();
            let count = fitting(len, max, &ends);
            let bytes = count.checked_sub(1).map_or(0, |last| ends[last].0 as u64);
            prop_assert!(len + bytes <= max.max(len) || (len == 0 && count == 1));
            prop_assert!(len > 0 || count > 0);
        }
    }
}
