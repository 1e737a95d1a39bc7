//! The hours of the day in which only critical alerts are sent.

use jiff::{Timestamp, tz::TimeZone};
use llm_observe_config::units;

use crate::error::Error;

const MINUTE: u64 = 60 * 1_000_000;
const DAY: u64 = 24 * 60;

/// A span of the local day, possibly across midnight.
#[derive(Clone, Debug)]
pub(in crate::alerts) struct QuietHours {
    from: u64,
    to: u64,
    zone: TimeZone,
}

impl QuietHours {
    /// Parses `22:00-07:00`, in the system's time zone.
    pub(super) fn new(hours: &str) -> Result<QuietHours, Error> {
        QuietHours::in_zone(hours, TimeZone::system())
    }

    pub(super) fn in_zone(hours: &str, zone: TimeZone) -> Result<QuietHours, Error> {
        let (from, to) =
            units::hours(hours).map_err(|e| Error::with("alerts.quiet_hours", e.to_string()))?;
        Ok(QuietHours {
            from: u64::from(from),
            to: u64::from(to),
            zone,
        })
    }

    /// Returns the end of the quiet hours that contain `now`.
    pub(super) fn until(&self, now: u64) -> Option<u64> {
        let minute = self.minute_of_day(now)?;
        let quiet = if self.from < self.to {
            (self.from..self.to).contains(&minute)
        } else {
            minute >= self.from || minute < self.to
        };
        let left = (self.to + DAY - minute) % DAY;
        quiet.then(|| (now / MINUTE + left) * MINUTE)
    }

    fn minute_of_day(&self, now: u64) -> Option<u64> {
        let time = Timestamp::from_microsecond(i64::try_from(now).ok()?)
            .ok()?
            .to_zoned(self.zone.clone());
        u64::try_from(i64::from(time.hour()) * 60 + i64::from(time.minute())).ok()
    }
}
