//! Which channels an alert goes to, and with which severity: the attribute's rules and the event's
//! table of the configuration.
//!
//! An error that is the caller's fault (a malformed request, a document that does not exist) is no
//! outage: `alert_on_error` of `[events.*]` ignores it, and a rule of an attribute, which names
//! this very function, lowers it to a warning unless the rule has a `severity`.

use std::{collections::BTreeMap, time::Duration};

use llm_observe_config::{Config, Event};

use super::{occurrences::Occurrences, route::AlertRoute, trigger::Trigger};
use crate::kernel::{
    alert_rule::{Severity, TriggerSet},
    outcome::ErrorClass,
    site::Site,
};

/// The rules of the configuration.
pub(super) struct AlertRoutes {
    events: BTreeMap<String, Event>,
    all: Vec<String>,
    default: Vec<String>,
    severities: BTreeMap<String, Vec<Severity>>,
}

impl AlertRoutes {
    pub(super) fn new(config: &Config, all: Vec<String>) -> AlertRoutes {
        let severities = config
            .channels
            .iter()
            .map(|(name, c)| (name.clone(), c.severities.clone()));
        AlertRoutes {
            events: config.events.clone().unwrap_or_default(),
            default: config.alerts.default_channels.clone(),
            severities: severities.collect(),
            all,
        }
    }

    /// Returns where occurrences at `site` go: one route for each rule that matches, without those
    /// that lead to the same channels.
    pub(super) fn of(&self, site: &Site, occurrences: &Occurrences) -> Vec<AlertRoute> {
        let event = self.events.get(site.event);
        let mut routes: Vec<AlertRoute> = Vec::new();
        let rules = site
            .alerts
            .iter()
            .filter(|rule| rule.on.intersects(occurrences.trigger.as_set()));
        for rule in rules {
            let severity = rule
                .severity
                .unwrap_or_else(|| severity(event, occurrences));
            let channels = match rule.channel {
                // Named by the rule itself: its own `severities` do not apply.
                Some(name) => self
                    .all
                    .iter()
                    .filter(|known| *known == name)
                    .cloned()
                    .collect(),
                None => self.channels(event, severity),
            };
            let route = AlertRoute {
                channels,
                severity,
                after: rule.after,
                within: rule.within,
            };
            if !routes.iter().any(|known| known.channels == route.channels) {
                routes.push(route);
            }
        }
        if routes.is_empty()
            && (event
                .is_some_and(|event| is_listed(event, occurrences.trigger, occurrences.class()))
                || is_stall(site, event, occurrences.trigger))
        {
            let severity = severity(event, occurrences);
            routes.push(AlertRoute {
                channels: self.channels(event, severity),
                severity,
                after: 1,
                within: Duration::ZERO,
            });
        }
        routes
    }

    /// Returns where a threshold of an event's budget goes.
    pub(super) fn of_threshold(&self, event: &str, severity: Severity) -> AlertRoute {
        AlertRoute {
            channels: self.channels(self.events.get(event), severity),
            severity,
            after: 1,
            within: Duration::ZERO,
        }
    }

    /// Returns the page with instructions for `event`.
    pub(super) fn runbook(&self, event: &str) -> Option<String> {
        self.events.get(event)?.runbook.clone()
    }

    /// Returns the event's channels, else the default ones, else all; of these the ones that take
    /// the severity.
    fn channels(&self, event: Option<&Event>, severity: Severity) -> Vec<String> {
        let own = event
            .map(|event| &event.channels)
            .filter(|own| !own.is_empty());
        let named = own.or(Some(&self.default).filter(|default| !default.is_empty()));
        let names = named.unwrap_or(&self.all).iter();
        names
            .filter(|name| self.all.contains(name) && self.takes(name, severity))
            .cloned()
            .collect()
    }

    fn takes(&self, channel: &str, severity: Severity) -> bool {
        self.severities
            .get(channel)
            .is_none_or(|all| all.is_empty() || all.contains(&severity))
    }
}

/// Returns whether it is a stalled call of a function with a limit: `stalled` implies the alert.
fn is_stall(site: &Site, event: Option<&Event>, trigger: Trigger) -> bool {
    let limited = site.stalled.is_some() || event.is_some_and(|event| event.stalled.is_some());
    trigger == Trigger::Stalled && limited
}

fn is_listed(event: &Event, trigger: Trigger, class: Option<ErrorClass>) -> bool {
    event.alert_on_error
        && TriggerSet::FAILURE.intersects(trigger.as_set())
        && !class.is_some_and(ErrorClass::is_client_fault)
}

fn severity(event: Option<&Event>, occurrences: &Occurrences) -> Severity {
    let usual = event.and_then(|event| event.severity).unwrap_or_default();
    if occurrences.class().is_some_and(ErrorClass::is_client_fault) {
        usual.min(Severity::Warning)
    } else {
        usual
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        alerts::occurrences::ErrorSample,
        kernel::{alert_rule::AlertRule, ids::TraceId},
    };

    const CHANNELS: &str = "
[channels.page]
kind = \"pagerduty\"
routing_key = \"env:KEY\"
severities = [\"critical\"]
[channels.slack]
kind = \"slack\"
webhook = \"env:HOOK\"
severities = [\"warning\", \"error\", \"critical\"]
[channels.mail]
kind = \"email\"
host = \"smtp.example.org\"
from = \"a@example.org\"
to = [\"b@example.org\"]
";

    fn routes(more: &str, site: &Site, class: Option<ErrorClass>) -> Vec<(Vec<String>, Severity)> {
        let text = format!("{CHANNELS}{more}");
        let config = Config::parse(&text, std::path::Path::new("x")).unwrap();
        let all = config.channels.keys().cloned().collect();
        let sample = ErrorSample {
            class,
            ..ErrorSample::default()
        };
        let occurrences = Occurrences::at(1, Trigger::Error, TraceId::default(), sample);
        let routes = AlertRoutes::new(&config, all).of(site, &occurrences);
        routes
            .into_iter()
            .map(|r| (r.channels, r.severity))
            .collect()
    }

    const fn site(rules: &'static [AlertRule]) -> Site {
        Site::new("query", "query", "rag", "src/lib.rs", 1, || "rag::query").alerts(rules)
    }

    #[test]
    fn a_severity_goes_to_the_channels_that_take_it() {
        static ASKED: Site = site(&[AlertRule::new(TriggerSet::FAILURE)]);
        for (severity, wanted) in [
            ("critical", &["mail", "page", "slack"][..]),
            ("error", &["mail", "slack"]),
            ("warning", &["mail", "slack"]),
            ("info", &["mail"]),
        ] {
            let event = format!("[events.query]\nseverity = \"{severity}\"\n");
            let found = routes(&event, &ASKED, Some(ErrorClass::Internal));
            assert_eq!(found[0].0, wanted, "{severity}");
        }
        // The caller's fault is no outage, however bad the event's failures are.
        let event = "[events.query]\nseverity = \"critical\"\n";
        let found = routes(event, &ASKED, Some(ErrorClass::BadRequest));
        assert_eq!(
            found,
            [(vec!["mail".into(), "slack".into()], Severity::Warning)]
        );
    }

    #[test]
    fn a_rule_goes_before_the_event_and_the_event_before_the_default() {
        static ASKED: Site = site(&[AlertRule::new(TriggerSet::ERROR)]);
        static NAMED: Site = site(&[
            AlertRule::new(TriggerSet::ERROR)
                .channel("page")
                .severity(Severity::Info),
            AlertRule::new(TriggerSet::ERROR),
        ]);
        let default = "[alerts]\ndefault_channels = [\"slack\"]\n";
        let event = format!("{default}[events.query]\nchannels = [\"mail\"]\n");
        let to = |more: &str, site: &Site| -> Vec<Vec<String>> {
            let found = routes(more, site, Some(ErrorClass::Internal));
            found.into_iter().map(|route| route.0).collect()
        };
        assert_eq!(to(default, &ASKED), [["slack"]]);
        assert_eq!(to(&event, &ASKED), [["mail"]]);
        assert_eq!(
            to(&event, &NAMED),
            [["page"], ["mail"]],
            "whatever severities it takes"
        );
    }
}
