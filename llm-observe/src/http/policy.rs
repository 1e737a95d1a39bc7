//! What `[http]` says: which requests are observed at all, how a status ends them, and which of
//! them alert. Pure.

use std::time::Duration;

use llm_observe_config::Http as Config;

use super::exchange::{HEADER, STATUS};
use crate::kernel::{
    alert_rule::{AlertRule, TriggerSet},
    error_info::ErrorInfo,
    outcome::{ErrorClass, Outcome},
};

/// The rules of `[http]`, read once.
#[derive(Debug)]
pub(crate) struct Policy {
    pub(crate) slow: Option<Duration>,
    pub(crate) sample: Option<f64>,
    /// What requests alert on; a failure of a status only where [`Policy::alerts`] says so.
    pub(crate) rules: &'static [AlertRule],
    /// Names of headers to keep, each with its attribute's.
    pub(crate) headers: Vec<(String, &'static str)>,
    ignored: Vec<String>,
    statuses: Vec<Statuses>,
    timeouts: bool,
}

/// A status, or a class of them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Statuses {
    One(u16),
    /// The first digit.
    Class(u16),
}

impl Statuses {
    fn read(word: &str) -> Option<Statuses> {
        match word.strip_suffix("xx") {
            Some(digit) => digit.parse().ok().map(Statuses::Class),
            None => word.parse().ok().map(Statuses::One),
        }
    }

    const fn has(self, status: u16) -> bool {
        match self {
            Statuses::One(one) => one == status,
            Statuses::Class(digit) => digit == status / 100,
        }
    }
}

impl Policy {
    pub(crate) fn new(config: &Config) -> Policy {
        let attribute = |name: &String| -> (String, &'static str) {
            let name = name.to_ascii_lowercase();
            let attribute = format!("{HEADER}{name}").leak();
            (name, attribute)
        };
        let statuses: Vec<_> = config
            .alert_on
            .iter()
            .filter_map(|w| Statuses::read(w))
            .collect();
        Policy {
            slow: config.slow,
            sample: (config.sample < 1.0).then_some(config.sample),
            rules: rules(config, &statuses),
            headers: config.headers.iter().map(attribute).collect(),
            ignored: config.ignore.clone(),
            timeouts: config.alert_on.iter().any(|word| word == "timeout"),
            statuses,
        }
    }

    /// Returns whether requests for `path` are not observed.
    pub(crate) fn ignores(&self, path: &str) -> bool {
        self.ignored
            .iter()
            .any(|ignored| match ignored.strip_suffix('*') {
                Some(prefix) => path.starts_with(prefix),
                None => path == ignored,
            })
    }

    /// Returns whether an end with that status, or without one, alerts. A request that failed
    /// without a status counts as one that ended in 500.
    pub(crate) fn alerts(&self, outcome: Outcome, status: Option<u16>) -> bool {
        let status = status.unwrap_or(500);
        self.statuses.iter().any(|known| known.has(status))
            || (self.timeouts && outcome == Outcome::Timeout)
    }

    /// Returns how a request with that status ended, and the error that it stands for.
    ///
    /// A server's fault (5xx) is an error; 504, and 408, which is what a limit on the handler is
    /// usually answered with, are timeouts; so is a 4xx an error that `alert_on` names. Any other
    /// status is what the client asked for.
    pub(crate) fn outcome(&self, status: u16) -> Option<(Outcome, ErrorInfo)> {
        let class = ErrorClass::of_status(status)?;
        let outcome = match class {
            ErrorClass::Timeout => Outcome::Timeout,
            _ if status >= 500 || self.alerts(Outcome::Error, Some(status)) => Outcome::Error,
            _ => return None,
        };
        let text = reason(status)
            .map_or_else(|| status.to_string(), |reason| format!("{status} {reason}"));
        Some((outcome, ErrorInfo::new(STATUS, text, class)))
    }
}

/// Returns the rules of a request's site: what any status may alert on, they have together.
fn rules(config: &Config, statuses: &[Statuses]) -> &'static [AlertRule] {
    let mut on: Vec<TriggerSet> = config
        .alert_on
        .iter()
        .filter_map(|word| match word.as_str() {
            "slow" => Some(TriggerSet::SLOW),
            "timeout" => Some(TriggerSet::TIMEOUT),
            "cancelled" => Some(TriggerSet::CANCELLED),
            "panic" => Some(TriggerSet::PANIC),
            _ => None,
        })
        .collect();
    if !statuses.is_empty() {
        on.push(TriggerSet::ERROR.or(TriggerSet::TIMEOUT));
    }
    // A handler that panicked is answered for with a 500.
    if statuses.iter().any(|known| known.has(500)) {
        on.push(TriggerSet::PANIC);
    }
    match on.into_iter().reduce(TriggerSet::or) {
        None => &[],
        Some(all) => Box::leak(Box::new([AlertRule::new(all)])),
    }
}

/// Returns the reason phrase of a status that stands for a failure (RFC 9110, section 15).
const fn reason(status: u16) -> Option<&'static str> {
    Some(match status {
        400 => "Bad Request",
        401 => "Unauthorized",
        402 => "Payment Required",
        403 => "Forbidden",
        404 => "Not Found",
        405 => "Method Not Allowed",
        408 => "Request Timeout",
        409 => "Conflict",
        410 => "Gone",
        413 => "Content Too Large",
        415 => "Unsupported Media Type",
        422 => "Unprocessable Content",
        429 => "Too Many Requests",
        500 => "Internal Server Error",
        501 => "Not Implemented",
        502 => "Bad Gateway",
        503 => "Service Unavailable",
        504 => "Gateway Timeout",
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn policy(config: &str) -> Policy {
        let config = llm_observe_config::Config::parse(config, "t.toml".as_ref()).unwrap();
        Policy::new(&config.http)
    }

    #[test]
    fn a_status_is_an_end() {
        let policy = policy("");
        let outcome = |status| policy.outcome(status).map(|(o, e)| (o, e.class, e.message));
        for fine in [101, 200, 304, 404, 429, 499] {
            assert_eq!(outcome(fine), None, "{fine}");
        }
        let end = |o, c, m: &str| Some((o, c, m.to_owned()));
        assert_eq!(
            outcome(503),
            end(
                Outcome::Error,
                ErrorClass::Unavailable,
                "503 Service Unavailable"
            )
        );
        assert_eq!(
            outcome(504),
            end(Outcome::Timeout, ErrorClass::Timeout, "504 Gateway Timeout")
        );
        assert_eq!(
            outcome(599),
            end(Outcome::Error, ErrorClass::Internal, "599")
        );
        assert_eq!(outcome(408).map(|end| end.0), Some(Outcome::Timeout));
    }

    #[test]
    fn a_listed_status_alerts_and_no_other() {
        let policy = policy("[http]\nalert_on = [\"429\", \"5xx\", \"slow\"]");
        assert_eq!(policy.outcome(429).unwrap().0, Outcome::Error);
        assert_eq!(policy.outcome(404), None);
        for (status, alerts) in [(Some(429), true), (Some(503), true), (Some(404), false)] {
            assert_eq!(policy.alerts(Outcome::Error, status), alerts, "{status:?}");
        }
        assert!(policy.alerts(Outcome::Error, None), "as a 500");
        let on = policy.rules[0].on;
        assert!(on.intersects(TriggerSet::PANIC) && on.intersects(TriggerSet::SLOW));
        assert!(!on.intersects(TriggerSet::CANCELLED));
    }

    #[test]
    fn a_timeout_alerts_by_its_word_or_its_status() {
        let by_word = policy("[http]\nalert_on = [\"timeout\"]");
        assert!(by_word.alerts(Outcome::Timeout, Some(504)));
        assert!(!by_word.alerts(Outcome::Error, Some(500)));
        let by_status = policy("[http]\nalert_on = [\"504\"]");
        assert!(by_status.alerts(Outcome::Timeout, Some(504)));
        assert!(!by_status.rules[0].on.intersects(TriggerSet::PANIC));
        assert!(policy("").rules.is_empty());
    }

    #[test]
    fn paths_are_ignored_whole_or_by_prefix() {
        let policy = policy("[http]\nignore = [\"/healthz\", \"/static/*\"]");
        assert!(policy.ignores("/healthz") && policy.ignores("/static/a/b.css"));
        assert!(!policy.ignores("/healthz/") && !policy.ignores("/static"));
        assert!(!policy.ignores("/"));
    }
}
