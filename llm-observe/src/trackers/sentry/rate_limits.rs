//! Sentry's rate limits: `X-Sentry-Rate-Limits` for each category, on any answer; else
//! `Retry-After` on 429; else 60 seconds. The longer of two limits applies.

use std::{
    sync::{Mutex, PoisonError},
    time::Duration,
};

use crate::outbox::{http::HttpReply, micros};

const HEADER: &str = "x-sentry-rate-limits";
/// The limit after a 429 without such a header.
const DEFAULT_LIMIT: Duration = Duration::from_secs(60);

/// The time before which errors must not be sent, in microseconds since the Unix epoch.
#[derive(Debug, Default)]
pub(super) struct RateLimits {
    until: Mutex<u64>,
}

impl RateLimits {
    /// Returns how long errors are still limited.
    pub(super) fn left(&self, now: u64) -> Option<Duration> {
        let until = *self.until.lock().unwrap_or_else(PoisonError::into_inner);
        let left = until.checked_sub(now).filter(|left| *left > 0);
        left.map(Duration::from_micros)
    }

    pub(super) fn learn(&self, reply: &HttpReply, now: u64) {
        let header = reply
            .headers
            .get(HEADER)
            .and_then(|value| value.to_str().ok());
        let limit = match header {
            Some(header) => of_errors(header),
            None if reply.status == 429 => Some(reply.retry_after().unwrap_or(DEFAULT_LIMIT)),
            None => None,
        };
        if let Some(limit) = limit {
            let mut until = self.until.lock().unwrap_or_else(PoisonError::into_inner);
            *until = (*until).max(now.saturating_add(micros(limit)));
        }
    }
}

/// Returns the longest limit in `60:transaction:key, 2700:default;error;security:organization`
/// that applies to errors. No category means all; unknown ones are ignored.
fn of_errors(header: &str) -> Option<Duration> {
    let limit = |limit: &str| {
        let mut parts = limit.trim().split(':');
        let seconds = parts.next()?.trim().parse::<f64>().ok()?;
        let categories = parts.next().unwrap_or_default().trim();
        let ours = categories.is_empty() || categories.split(';').any(|c| c.trim() == "error");
        Duration::try_from_secs_f64(seconds).ok().filter(|_| ours)
    };
    header.split(',').filter_map(limit).max()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_limits_of_errors_count_and_the_longest_holds() {
        let seconds = |header| of_errors(header).map(|d| d.as_secs());
        assert_eq!(
            seconds("60:transaction:key, 2700:default;error;security:organization"),
            Some(2700)
        );
        assert_eq!(seconds("60:transaction:key"), None);
        assert_eq!(seconds("60::organization, 30:error:key"), Some(60));
        assert_eq!(seconds("5"), Some(5));
        assert_eq!(seconds("garbage, :::, -1:error"), None);
    }

    #[test]
    fn a_shorter_limit_does_not_replace_a_longer_one() {
        let limits = RateLimits::default();
        let reply = |header: &'static str| HttpReply {
            status: 429,
            headers: [(HEADER.parse().unwrap(), header.parse().unwrap())]
                .into_iter()
                .collect(),
            body: String::new(),
        };
        limits.learn(&reply("100:error:key"), 0);
        limits.learn(&reply("10:error:key"), 0);
        assert_eq!(limits.left(0), Some(Duration::from_secs(100)));
        assert_eq!(limits.left(100_000_000), None);
        let plain = HttpReply {
            status: 429,
            headers: Default::default(),
            body: String::new(),
        };
        limits.learn(&plain, 100_000_000);
        assert_eq!(limits.left(100_000_000), Some(DEFAULT_LIMIT));
    }
}
