//! The one decision whether anybody is notified of a call: which of its triggers alert, and whether
//! it is reported. Pure; made once, at the end of the call, for alerts, trackers and test observers.

use llm_observe_config::Event;

use crate::kernel::{
    alert_rule::{AlertRule, TriggerSet},
    outcome::{ErrorClass, Outcome},
    site::Site,
};

/// The rules of one site: those of the attribute and of the event's table.
#[derive(Clone, Copy, Debug)]
pub(super) struct AlertPolicy {
    /// What the attribute's rules fire on, all together.
    rules: TriggerSet,
    /// Whether a rule of the attribute names errors: beyond `alert_on_error`, which asks for the
    /// failures that nobody expects.
    names_errors: bool,
    /// Whether the event's failures alert by its table.
    on_failure: bool,
    /// Whether the table mutes the event.
    muted: bool,
    /// Whether a limit is set from which on a running call is stalled.
    stalls: bool,
    /// Whether failures go to the error trackers.
    reports: bool,
}

/// The rule that `alert_on_error` stands for.
const ON_ERROR: AlertRule = AlertRule::new(TriggerSet::FAILURE);

/// What is known of a call's end.
#[derive(Clone, Copy, Debug)]
pub(super) struct End {
    pub(super) outcome: Outcome,
    /// The class of its error, where it has one.
    pub(super) class: Option<ErrorClass>,
    pub(super) expected: bool,
    pub(super) slow: bool,
    pub(super) low_quality: bool,
    /// Whether a failure may alert, as far as its operation is concerned.
    pub(super) may_alert: bool,
    /// Whether the call below that had the same failure was alerted for it.
    pub(super) alerted_below: bool,
    /// Whether the failure is dealt with by a call below, as far as reports are concerned.
    pub(super) passed_on: bool,
}

/// Who is notified of a call.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Decision {
    /// Which of its triggers alert.
    pub(super) alerts: TriggerSet,
    /// Whether it goes to the error trackers.
    pub(super) reported: bool,
    /// Whether the failure is dealt with as far as alerts are concerned: alerted, or muted on
    /// purpose. The call above does not alert for it again.
    pub(super) settled: bool,
}

impl AlertPolicy {
    pub(super) fn new(site: &Site, event: Option<&Event>) -> AlertPolicy {
        let limited = site.stalled.is_some() || event.is_some_and(|event| event.stalled.is_some());
        let rules = site.alerts.iter().map(|rule| rule.on);
        let named = |rule: &AlertRule| rule.on.intersects(TriggerSet::ERROR) && *rule != ON_ERROR;
        AlertPolicy {
            rules: rules.fold(TriggerSet::EMPTY, TriggerSet::or),
            names_errors: site.alerts.iter().any(named),
            on_failure: event.is_some_and(|event| event.alert_on_error),
            muted: event.is_some_and(|event| event.mute),
            stalls: limited,
            reports: site.report,
        }
    }

    /// Returns whether a stalled call alerts: to set the limit is to ask for it.
    pub(super) const fn alerts_stalled(&self) -> bool {
        !self.muted && (self.stalls || self.rules.intersects(TriggerSet::STALLED))
    }

    /// Returns whether an error that was expected by the call below is a failure here all the same:
    /// an `alert(on(error))` of this very function says so.
    pub(super) const fn overrides_expected(&self) -> bool {
        self.names_errors
    }

    /// Decides about a call that ended.
    pub(super) fn decide(&self, end: &End) -> Decision {
        let failure = failure_trigger(end.outcome);
        let wanted = !end.expected && self.wants_failure(failure, end);
        let mut alerts = TriggerSet::EMPTY;
        if wanted && !end.alerted_below {
            alerts = alerts.or(failure);
        }
        for (trigger, given) in [
            (TriggerSet::CANCELLED, end.outcome == Outcome::Cancelled),
            (TriggerSet::SLOW, end.slow),
            (TriggerSet::LOW_QUALITY, end.low_quality),
        ] {
            if given && self.rules.intersects(trigger) {
                alerts = alerts.or(trigger);
            }
        }
        Decision {
            alerts: if self.muted {
                TriggerSet::EMPTY
            } else {
                alerts
            },
            reported: self.reports && end.outcome.is_failure() && !end.expected && !end.passed_on,
            settled: end.alerted_below || wanted || (self.muted && !end.expected),
        }
    }

    fn wants_failure(&self, failure: TriggerSet, end: &End) -> bool {
        // A caller's mistake is no outage, unless a rule of this very function asks for it.
        let client_fault = end.class.is_some_and(ErrorClass::is_client_fault);
        let ruled = self.rules.intersects(failure)
            && (end.may_alert || failure.intersects(TriggerSet::PANIC));
        let listed = self.on_failure && !client_fault;
        !failure.is_empty() && (ruled || listed)
    }
}

/// Returns the trigger that a failed call gives; none for a call that did not fail.
const fn failure_trigger(outcome: Outcome) -> TriggerSet {
    match outcome {
        Outcome::Error => TriggerSet::ERROR,
        Outcome::Timeout => TriggerSet::TIMEOUT,
        Outcome::Panic => TriggerSet::PANIC,
        Outcome::Ok | Outcome::Cancelled => TriggerSet::EMPTY,
    }
}

/// Returns a call that ended so, of which nothing else is known.
#[cfg(test)]
const fn ended(outcome: Outcome, class: Option<ErrorClass>) -> End {
    End {
        outcome,
        class,
        expected: false,
        slow: false,
        low_quality: false,
        may_alert: true,
        alerted_below: false,
        passed_on: false,
    }
}

/// Returns what alerts of a call that ended so: for the tests of alerts.
#[cfg(test)]
pub(crate) fn alerts_of(
    site: &Site,
    event: Option<&Event>,
    outcome: Outcome,
    class: Option<ErrorClass>,
) -> TriggerSet {
    AlertPolicy::new(site, event)
        .decide(&ended(outcome, class))
        .alerts
}

#[cfg(test)]
mod tests {
    use super::*;

    const fn site(rules: &'static [AlertRule]) -> Site {
        Site::new("query", "query", "rag", "src/lib.rs", 1, || "rag::query").alerts(rules)
    }

    static RULED: Site = site(&[AlertRule::new(TriggerSet::FAILURE)]);
    static SLOW: Site = site(&[AlertRule::new(TriggerSet::SLOW)]);
    static PLAIN: Site = site(&[]);
    static NAMED: Site = site(&[AlertRule::new(TriggerSet::ERROR)]);

    fn failed(class: ErrorClass) -> End {
        ended(Outcome::Error, Some(class))
    }

    fn listed(mute: bool) -> Event {
        let mut event = Event::default();
        (event.alert_on_error, event.mute) = (true, mute);
        event
    }

    #[test]
    fn a_rule_or_the_events_table_asks_for_an_alert() {
        let end = failed(ErrorClass::Internal);
        let table = listed(false);
        for (site, event, alerts) in [
            (&RULED, None, TriggerSet::ERROR),
            (&PLAIN, Some(&table), TriggerSet::ERROR),
            (&PLAIN, None, TriggerSet::EMPTY),
            (&SLOW, None, TriggerSet::EMPTY),
        ] {
            let decision = AlertPolicy::new(site, event).decide(&end);
            assert_eq!(decision.alerts, alerts);
            assert_eq!(decision.settled, !alerts.is_empty());
        }
    }

    #[test]
    fn the_callers_mistake_alerts_by_a_rule_only() {
        let end = failed(ErrorClass::BadRequest);
        let table = listed(false);
        assert!(
            AlertPolicy::new(&PLAIN, Some(&table))
                .decide(&end)
                .alerts
                .is_empty()
        );
        assert!(
            !AlertPolicy::new(&RULED, Some(&table))
                .decide(&end)
                .alerts
                .is_empty()
        );
    }

    #[test]
    fn expected_muted_and_settled_failures_do_not_alert() {
        let policy = AlertPolicy::new(&RULED, None);
        let end = failed(ErrorClass::Internal);
        let expected = policy.decide(&End {
            expected: true,
            ..end
        });
        assert_eq!(
            (expected.alerts, expected.settled),
            (TriggerSet::EMPTY, false)
        );
        let below = policy.decide(&End {
            alerted_below: true,
            ..end
        });
        assert_eq!((below.alerts, below.settled), (TriggerSet::EMPTY, true));
        let muted = AlertPolicy::new(&RULED, Some(&listed(true))).decide(&end);
        assert_eq!((muted.alerts, muted.settled), (TriggerSet::EMPTY, true));
        let muted = AlertPolicy::new(&PLAIN, Some(&listed(true))).decide(&end);
        assert_eq!((muted.alerts, muted.settled), (TriggerSet::EMPTY, true));
    }

    #[test]
    fn only_a_rule_that_names_errors_overrides_what_a_call_below_expects() {
        let table = listed(false);
        for (site, overrides) in [
            (&NAMED, true),
            (&RULED, false),
            (&PLAIN, false),
            (&SLOW, false),
        ] {
            let policy = AlertPolicy::new(site, Some(&table));
            assert_eq!(policy.overrides_expected(), overrides, "{:?}", site.alerts);
        }
    }

    #[test]
    fn what_an_operation_vetoes_does_not_alert_unless_it_panicked() {
        let policy = AlertPolicy::new(&RULED, None);
        let vetoed = End {
            may_alert: false,
            ..failed(ErrorClass::Internal)
        };
        assert!(policy.decide(&vetoed).alerts.is_empty());
        let panicked = End {
            outcome: Outcome::Panic,
            ..vetoed
        };
        assert_eq!(policy.decide(&panicked).alerts, TriggerSet::PANIC);
    }

    #[test]
    fn a_slow_call_alerts_besides_its_end() {
        let end = End {
            outcome: Outcome::Cancelled,
            slow: true,
            ..failed(ErrorClass::Other)
        };
        let decision = AlertPolicy::new(&SLOW, None).decide(&end);
        assert_eq!(
            (decision.alerts, decision.settled),
            (TriggerSet::SLOW, false)
        );
    }

    #[test]
    fn failures_are_reported_once_where_they_began() {
        let policy = AlertPolicy::new(&PLAIN, None);
        let end = failed(ErrorClass::Internal);
        assert!(policy.decide(&end).reported);
        for silent in [
            End {
                expected: true,
                ..end
            },
            End {
                passed_on: true,
                ..end
            },
            End {
                outcome: Outcome::Cancelled,
                ..end
            },
            End {
                outcome: Outcome::Ok,
                ..end
            },
        ] {
            assert!(!policy.decide(&silent).reported, "{silent:?}");
        }
        static QUIET: Site = site(&[]).report(false);
        assert!(!AlertPolicy::new(&QUIET, None).decide(&end).reported);
    }
}
