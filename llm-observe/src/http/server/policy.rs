//! The rules of `[http]`: which requests are observed, the outcome of each status, and which statuses
//! alert. Pure.

use std::time::Duration;

use llm_observe_config::Http as Config;

use crate::{
    http::{
        attributes::{HEADER_PREFIX, STATUS_ERROR},
        http_site::HttpSite,
    },
    kernel::{
        alert_rule::{AlertRule, TriggerSet},
        error_info::ErrorInfo,
        outcome::{ErrorClass, Outcome},
    },
};

/// The rules of `[http]`, parsed once.
#[derive(Debug)]
pub(crate) struct HttpPolicy {
    pub(crate) slow: Option<Duration>,
    pub(crate) sample: Option<f64>,
    /// What requests alert on. A status alerts only where [`HttpPolicy::alerts`] agrees.
    pub(crate) rules: &'static [AlertRule],
    /// The names of captured headers, each with the name of its attribute.
    pub(crate) headers: Vec<(String, &'static str)>,
    ignored: Vec<String>,
    statuses: Vec<StatusPattern>,
    timeouts: bool,
}

/// One status, or a class such as `5xx`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum StatusPattern {
    One(u16),
    /// The first digit.
    Class(u16),
}

impl StatusPattern {
    fn parse(word: &str) -> Option<StatusPattern> {
        match word.strip_suffix("xx") {
            Some(digit) => digit.parse().ok().map(StatusPattern::Class),
            None => word.parse().ok().map(StatusPattern::One),
        }
    }

    const fn matches(self, status: u16) -> bool {
        match self {
            StatusPattern::One(one) => one == status,
            StatusPattern::Class(digit) => digit == status / 100,
        }
    }
}

impl HttpPolicy {
    pub(crate) fn new(config: &Config) -> HttpPolicy {
        let attribute = |name: &String| -> (String, &'static str) {
            let name = name.to_ascii_lowercase();
            let attribute = format!("{HEADER_PREFIX}{name}").leak();
            (name, attribute)
        };
        let statuses: Vec<_> = config
            .alert_on
            .iter()
            .filter_map(|w| StatusPattern::parse(w))
            .collect();
        HttpPolicy {
            slow: config.slow,
            sample: (config.sample < 1.0).then_some(config.sample),
            rules: rules(config, &statuses),
            headers: config.headers.iter().map(attribute).collect(),
            ignored: config.ignore.clone(),
            timeouts: config.alert_on.iter().any(|word| word == "timeout"),
            statuses,
        }
    }

    /// Sets the rules of `[http]` on a new site.
    pub(crate) fn apply(&self, mut site: HttpSite) -> HttpSite {
        site.site.slow = self.slow;
        site.site.sample = self.sample;
        site.site.alerts = self.rules;
        site
    }

    /// Returns whether requests to `path` are not observed.
    pub(crate) fn ignores(&self, path: &str) -> bool {
        self.ignored
            .iter()
            .any(|ignored| match ignored.strip_suffix('*') {
                Some(prefix) => path.starts_with(prefix),
                None => path == ignored,
            })
    }

    /// Returns whether a failure alerts. A failure without a status counts as a 500.
    pub(crate) fn alerts(&self, outcome: Outcome, status: Option<u16>) -> bool {
        let status = status.unwrap_or(500);
        self.statuses.iter().any(|pattern| pattern.matches(status))
            || (self.timeouts && outcome == Outcome::Timeout)
    }

    /// Returns the failure that a status stands for; `None` for a success.
    ///
    /// 408 and 504 are timeouts: middleware that limits handlers usually answers with 408. Other 5xx
    /// are errors, and so is a 4xx that `alert_on` lists.
    pub(crate) fn failure(&self, status: u16) -> Option<(Outcome, ErrorInfo)> {
        let class = ErrorClass::of_status(status)?;
        let outcome = match class {
            ErrorClass::Timeout => Outcome::Timeout,
            _ if status >= 500 || self.alerts(Outcome::Error, Some(status)) => Outcome::Error,
            _ => return None,
        };
        let text = reason(status)
            .map_or_else(|| status.to_string(), |reason| format!("{status} {reason}"));
        Some((outcome, ErrorInfo::new(STATUS_ERROR, text, class)))
    }
}

/// Returns the alert rule of every site. It covers all triggers that any status needs.
fn rules(config: &Config, statuses: &[StatusPattern]) -> &'static [AlertRule] {
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
    // A handler that panics is answered with a 500.
    if statuses.iter().any(|pattern| pattern.matches(500)) {
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

    fn policy(config: &str) -> HttpPolicy {
        let config = llm_observe_config::Config::parse(config, "t.toml".as_ref()).unwrap();
        HttpPolicy::new(&config.http)
    }

    #[test]
    fn each_status_has_an_outcome() {
        let policy = policy("");
        let outcome = |status| policy.failure(status).map(|(o, e)| (o, e.class, e.message));
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
    fn only_listed_statuses_alert() {
        let policy = policy("[http]\nalert_on = [\"429\", \"5xx\", \"slow\"]");
        assert_eq!(policy.failure(429).unwrap().0, Outcome::Error);
        assert_eq!(policy.failure(404), None);
        for (status, alerts) in [(Some(429), true), (Some(503), true), (Some(404), false)] {
            assert_eq!(policy.alerts(Outcome::Error, status), alerts, "{status:?}");
        }
        assert!(policy.alerts(Outcome::Error, None), "as a 500");
        let on = policy.rules[0].on;
        assert!(on.intersects(TriggerSet::PANIC) && on.intersects(TriggerSet::SLOW));
        assert!(!on.intersects(TriggerSet::CANCELLED));
    }

    #[test]
    fn a_timeout_alerts_by_word_or_by_status() {
        let by_word = policy("[http]\nalert_on = [\"timeout\"]");
        assert!(by_word.alerts(Outcome::Timeout, Some(504)));
        assert!(!by_word.alerts(Outcome::Error, Some(500)));
        let by_status = policy("[http]\nalert_on = [\"504\"]");
        assert!(by_status.alerts(Outcome::Timeout, Some(504)));
        assert!(!by_status.rules[0].on.intersects(TriggerSet::PANIC));
        assert!(policy("").rules.is_empty());
    }

    #[test]
    fn paths_are_ignored_exactly_or_by_prefix() {
        let policy = policy("[http]\nignore = [\"/healthz\", \"/static/*\"]");
        assert!(policy.ignores("/healthz") && policy.ignores("/static/a/b.css"));
        assert!(!policy.ignores("/healthz/") && !policy.ignores("/static"));
        assert!(!policy.ignores("/"));
    }
}
