//! Parses the rate limits that providers state in response headers. Pure.
//!
//! OpenAI's form, which many providers use, is `x-ratelimit-remaining-tokens`, with the reset as a
//! duration (`6m0s`). Anthropic's is `anthropic-ratelimit-input-tokens-remaining`, with the reset as
//! a date.

use std::time::Duration;

use jiff::Timestamp;

use crate::retry_after;

/// What is limited.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum LimitKind {
    Requests,
    Tokens,
    InputTokens,
    OutputTokens,
}

impl LimitKind {
    const ALL: [LimitKind; 4] = [
        LimitKind::Requests,
        LimitKind::Tokens,
        LimitKind::InputTokens,
        LimitKind::OutputTokens,
    ];

    pub(crate) const fn as_str(self) -> &'static str {
        match self {
            LimitKind::Requests => "requests",
            LimitKind::Tokens => "tokens",
            LimitKind::InputTokens => "input_tokens",
            LimitKind::OutputTokens => "output_tokens",
        }
    }

    fn of(name: &str) -> Option<LimitKind> {
        let mut all = LimitKind::ALL.into_iter();
        all.find(|kind| kind.as_str().split('_').eq(name.split('-')))
    }
}

/// Which value of a limit a header states.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum LimitMeasure {
    /// How many are allowed in a period.
    Limit,
    /// How many of them are left.
    Remaining,
    /// The time until all are available again, in seconds.
    Reset,
}

impl LimitMeasure {
    fn of(name: &str) -> Option<LimitMeasure> {
        Some(match name {
            "limit" => LimitMeasure::Limit,
            "remaining" => LimitMeasure::Remaining,
            "reset" => LimitMeasure::Reset,
            _ => return None,
        })
    }
}

/// One value of a rate limit, from one header.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct RateLimit {
    pub(crate) kind: LimitKind,
    pub(crate) measure: LimitMeasure,
    pub(crate) value: i64,
}

impl RateLimit {
    /// The number of different values: kinds times measures.
    pub(crate) const COUNT: usize = 12;

    /// Returns its index among all values, below [`RateLimit::COUNT`].
    pub(crate) fn index(self) -> usize {
        let kind = LimitKind::ALL.iter().position(|kind| *kind == self.kind);
        let measure = match self.measure {
            LimitMeasure::Limit => 0,
            LimitMeasure::Remaining => 1,
            LimitMeasure::Reset => 2,
        };
        kind.unwrap_or_default() * 3 + measure
    }
}

/// Parses a header, its name in lower case; `None` for other headers and for invalid values.
pub(crate) fn parse(name: &str, value: &str, now: Timestamp) -> Option<RateLimit> {
    let (measure, kind) = match name.strip_prefix("x-ratelimit-") {
        Some(rest) => rest.split_once('-').unwrap_or((rest, "requests")),
        None => {
            let rest = name.strip_prefix("anthropic-ratelimit-")?;
            let (kind, measure) = rest.rsplit_once('-')?;
            (measure, kind)
        }
    };
    let (kind, measure) = (LimitKind::of(kind)?, LimitMeasure::of(measure)?);
    let value = match measure {
        LimitMeasure::Limit | LimitMeasure::Remaining => number(value)?,
        LimitMeasure::Reset => whole_seconds(time_until(value.trim(), now)?),
    };
    Some(RateLimit {
        kind,
        measure,
        value,
    })
}

/// Returns the wait that `retry-after` asks for, in whole seconds.
pub(crate) fn retry_after(value: &str, now: Timestamp) -> Option<i64> {
    retry_after::parse(value, now).map(whole_seconds)
}

fn number(value: &str) -> Option<i64> {
    value.trim().parse().ok().filter(|n| *n >= 0)
}

/// Rounds up, so that a limit is not over early.
fn whole_seconds(wait: Duration) -> i64 {
    let fraction = u64::from(wait.subsec_nanos() > 0);
    i64::try_from(wait.as_secs().saturating_add(fraction)).unwrap_or(i64::MAX)
}

/// From this number of seconds on, a reset is a Unix time: no limit lasts that long.
const MIN_UNIX_TIME: f64 = 1e9;

/// Parses `1h2m3.5s`, a number of seconds, a Unix time, or a date by RFC 3339.
fn time_until(value: &str, now: Timestamp) -> Option<Duration> {
    match value.parse::<f64>() {
        Ok(seconds) if seconds < MIN_UNIX_TIME => Duration::try_from_secs_f64(seconds).ok(),
        Ok(seconds) => {
            let then = Duration::try_from_secs_f64(seconds).ok()?;
            let then = i64::try_from(then.as_secs()).ok()?;
            Some(retry_after::until(Timestamp::from_second(then).ok()?, now))
        }
        Err(_) => duration(value).or_else(|| Some(retry_after::until(value.parse().ok()?, now))),
    }
}

/// Parses a duration in Go's format.
fn duration(text: &str) -> Option<Duration> {
    let mut rest = text;
    let mut sum = Duration::ZERO;
    while !rest.is_empty() {
        let unit_at = rest.find(|c: char| c.is_ascii_alphabetic())?;
        let (number, tail) = rest.split_at_checked(unit_at)?;
        let end = tail
            .find(|c: char| !c.is_ascii_alphabetic())
            .unwrap_or(tail.len());
        let (unit, after) = tail.split_at_checked(end)?;
        let seconds = number.parse::<f64>().ok()? * seconds_of(unit)?;
        sum = sum.checked_add(Duration::try_from_secs_f64(seconds).ok()?)?;
        rest = after;
    }
    (!text.is_empty()).then_some(sum)
}

fn seconds_of(unit: &str) -> Option<f64> {
    Some(match unit {
        "us" => 1e-6,
        "ms" => 1e-3,
        "s" => 1.0,
        "m" => 60.0,
        "h" => 3600.0,
        "d" => 86_400.0,
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn now() -> Timestamp {
        "2026-11-23T07:00:00Z".parse().unwrap()
    }

    #[test]
    fn headers_of_providers_are_parsed() {
        use {LimitKind::*, LimitMeasure::*};
        for (name, value, wanted) in [
            (
                "x-ratelimit-limit-requests",
                "5000",
                Some((Requests, Limit, 5000)),
            ),
            (
                "x-ratelimit-remaining-tokens",
                " 159976 ",
                Some((Tokens, Remaining, 159_976)),
            ),
            (
                "x-ratelimit-reset-tokens",
                "6m0s",
                Some((Tokens, Reset, 360)),
            ),
            (
                "x-ratelimit-reset-requests",
                "12ms",
                Some((Requests, Reset, 1)),
            ),
            (
                "x-ratelimit-reset-requests",
                "1h2m3.2s",
                Some((Requests, Reset, 3724)),
            ),
            (
                "x-ratelimit-reset-requests",
                "7.5",
                Some((Requests, Reset, 8)),
            ),
            (
                "x-ratelimit-remaining",
                "59",
                Some((Requests, Remaining, 59)),
            ),
            (
                "x-ratelimit-reset",
                "1795417260",
                Some((Requests, Reset, 60)),
            ),
            (
                "anthropic-ratelimit-input-tokens-remaining",
                "0",
                Some((InputTokens, Remaining, 0)),
            ),
            (
                "anthropic-ratelimit-output-tokens-limit",
                "8000",
                Some((OutputTokens, Limit, 8000)),
            ),
            (
                "anthropic-ratelimit-tokens-reset",
                "2026-11-23T07:00:34Z",
                Some((Tokens, Reset, 34)),
            ),
            (
                "anthropic-ratelimit-requests-reset",
                "2026-11-23T06:00:00Z",
                Some((Requests, Reset, 0)),
            ),
            ("x-ratelimit-limit-tokens_usage_based", "1", None),
            ("x-ratelimit-remaining-requests", "many", None),
            ("x-ratelimit-remaining-requests", "-1", None),
            ("x-ratelimit-reset-requests", "5x", None),
            ("x-ratelimit-reset-requests", "", None),
            ("x-request-id", "1", None),
        ] {
            let wanted = wanted.map(|(kind, measure, value)| RateLimit {
                kind,
                measure,
                value,
            });
            assert_eq!(parse(name, value, now()), wanted, "{name}: {value}");
        }
    }

    #[test]
    fn waits_are_rounded_up() {
        assert_eq!(retry_after("0.2", now()), Some(1));
        assert_eq!(retry_after("20", now()), Some(20));
        assert_eq!(retry_after("later", now()), None);
    }

    proptest! {
        #[test]
        fn any_header_is_safe(
            measure in "(limit|remaining|reset)", value in "[0-9a-z.:TZ+-]{0,24}", any in ".{0,40}",
        ) {
            for value in [value, any] {
                let stated = parse(&format!("x-ratelimit-{measure}-tokens"), &value, now());
                prop_assert!(stated.is_none_or(|stated| stated.value >= 0));
                retry_after(&value, now());
            }
        }
    }
}
