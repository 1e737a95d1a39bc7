//! `Retry-After` (RFC 9110, section 10.2.3): how long a server asks clients to wait.

use std::time::Duration;

use jiff::{Timestamp, fmt::rfc2822};

/// The longest wait that a server can ask for.
const LONGEST: Duration = Duration::from_secs(24 * 3600);

/// Returns the wait that the header's value asks for at `now`, in seconds or as a date.
pub(crate) fn parse(value: &str, now: Timestamp) -> Option<Duration> {
    let value = value.trim();
    let wait = match value.parse::<f64>() {
        Ok(seconds) => Duration::try_from_secs_f64(seconds).ok()?,
        Err(_) => until(rfc2822::parse(value).ok()?.timestamp(), now),
    };
    Some(wait.min(LONGEST))
}

/// Returns the time from `now` to `then`, 0 when it has passed.
pub(crate) fn until(then: Timestamp, now: Timestamp) -> Duration {
    Duration::try_from(then.duration_since(now)).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn seconds_and_dates() {
        let now: Timestamp = "2026-11-23T07:00:00Z".parse().unwrap();
        for (value, seconds) in [
            ("2", Some(2.0)),
            (" 0.5 ", Some(0.5)),
            ("Mon, 23 Nov 2026 07:01:00 GMT", Some(60.0)),
            ("Mon, 23 Nov 2026 06:59:00 GMT", Some(0.0)),
            ("9999999999", Some(86_400.0)),
            ("-1", None),
            ("soon", None),
            ("NaN", None),
        ] {
            let wanted = seconds.map(Duration::from_secs_f64);
            assert_eq!(parse(value, now), wanted, "{value}");
        }
    }
}
