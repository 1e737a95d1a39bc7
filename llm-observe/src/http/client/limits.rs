//! The rate limits that providers state in the headers of their answers. Pure.
//!
//! OpenAI's form, which many speak: `x-ratelimit-remaining-tokens`, the reset as a duration
//! (`6m0s`). Anthropic's: `anthropic-ratelimit-input-tokens-remaining`, the reset as a date.

use std::time::Duration;

use jiff::Timestamp;

use crate::retry_after;

/// What is limited.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    Requests,
    Tokens,
    InputTokens,
    OutputTokens,
}

impl Kind {
    const ALL: [Kind; 4] = [
        Kind::Requests,
        Kind::Tokens,
        Kind::InputTokens,
        Kind::OutputTokens,
    ];

    pub(crate) const fn as_str(self) -> &'static str {
        match self {
            Kind::Requests => "requests",
            Kind::Tokens => "tokens",
            Kind::InputTokens => "input_tokens",
            Kind::OutputTokens => "output_tokens",
        }
    }

    fn of(name: &str) -> Option<Kind> {
        let mut all = Kind::ALL.into_iter();
        all.find(|kind| kind.as_str().split('_').eq(name.split('-')))
    }
}

/// What is said of a limit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Measure {
    /// How many there are in a period.
    Limit,
    /// How many are left of it.
    Remaining,
    /// How many seconds it is until all are there again.
    Reset,
}

impl Measure {
    fn of(name: &str) -> Option<Measure> {
        Some(match name {
            "limit" => Measure::Limit,
            "remaining" => Measure::Remaining,
            "reset" => Measure::Reset,
            _ => return None,
        })
    }
}

/// One number of a header.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Stated {
    pub(crate) kind: Kind,
    pub(crate) measure: Measure,
    pub(crate) value: i64,
}

impl Stated {
    /// Returns its place among all that can be stated of a host.
    pub(crate) fn place(self) -> usize {
        let kind = Kind::ALL.iter().position(|kind| *kind == self.kind);
        let measure = match self.measure {
            Measure::Limit => 0,
            Measure::Remaining => 1,
            Measure::Reset => 2,
        };
        kind.unwrap_or_default() * 3 + measure
    }
}

/// Returns what a header states of a rate limit, its name in lower case; `None` for every other
/// header, and for what is no number or time.
pub(crate) fn read(name: &str, value: &str, now: Timestamp) -> Option<Stated> {
    let (measure, kind) = match name.strip_prefix("x-ratelimit-") {
        Some(rest) => rest.split_once('-').unwrap_or((rest, "requests")),
        None => {
            let rest = name.strip_prefix("anthropic-ratelimit-")?;
            let (kind, measure) = rest.rsplit_once('-')?;
            (measure, kind)
        }
    };
    let (kind, measure) = (Kind::of(kind)?, Measure::of(measure)?);
    let value = match measure {
        Measure::Limit | Measure::Remaining => number(value)?,
        Measure::Reset => whole_seconds(time_until(value.trim(), now)?),
    };
    Some(Stated {
        kind,
        measure,
        value,
    })
}

/// Returns how many whole seconds `retry-after` asks for.
pub(crate) fn retry_after(value: &str, now: Timestamp) -> Option<i64> {
    retry_after::parse(value, now).map(whole_seconds)
}

fn number(value: &str) -> Option<i64> {
    value.trim().parse().ok().filter(|n| *n >= 0)
}

/// Rounds up: a limit is not over before it is.
fn whole_seconds(wait: Duration) -> i64 {
    let begun = u64::from(wait.subsec_nanos() > 0);
    i64::try_from(wait.as_secs().saturating_add(begun)).unwrap_or(i64::MAX)
}

/// Seconds from which on a number is a date: no limit lasts that long.
const EPOCH: f64 = 1e9;

/// Reads `1h2m3.5s`, a number of seconds, a Unix time, or a date of RFC 3339.
fn time_until(value: &str, now: Timestamp) -> Option<Duration> {
    match value.parse::<f64>() {
        Ok(seconds) if seconds < EPOCH => Duration::try_from_secs_f64(seconds).ok(),
        Ok(seconds) => {
            let then = Duration::try_from_secs_f64(seconds).ok()?;
            let then = i64::try_from(then.as_secs()).ok()?;
            Some(retry_after::until(Timestamp::from_second(then).ok()?, now))
        }
        Err(_) => duration(value).or_else(|| Some(retry_after::until(value.parse().ok()?, now))),
    }
}

/// Reads a duration as Go writes it.
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
    fn headers_of_providers() {
        use {Kind::*, Measure::*};
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
            let wanted = wanted.map(|(kind, measure, value)| Stated {
                kind,
                measure,
                value,
            });
            assert_eq!(read(name, value, now()), wanted, "{name}: {value}");
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
        fn whatever_a_header_says_nothing_panics(
            measure in "(limit|remaining|reset)", value in "[0-9a-z.:TZ+-]{0,24}", any in ".{0,40}",
        ) {
            for value in [value, any] {
                let stated = read(&format!("x-ratelimit-{measure}-tokens"), &value, now());
                prop_assert!(stated.is_none_or(|stated| stated.value >= 0));
                retry_after(&value, now());
            }
        }
    }
}
