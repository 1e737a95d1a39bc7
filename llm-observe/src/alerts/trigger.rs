//! The property of a call that caused an alert.

use crate::kernel::{alert_rule::TriggerSet, record::Record};

/// The property of a call that caused an alert.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[non_exhaustive]
pub enum Trigger {
    /// It returned an error.
    Error,
    /// It panicked.
    Panic,
    /// It exceeded its `timeout`.
    Timeout,
    /// It was dropped before it finished.
    Cancelled,
    /// It took longer than `slow`.
    Slow,
    /// It still runs after `stalled`.
    Stalled,
    /// Its quality was below `min_quality`.
    LowQuality,
    /// With it, the calls of its event have used a share of their budget.
    Budget,
}

impl Trigger {
    const ALL: [Trigger; 8] = [
        Trigger::Error,
        Trigger::Panic,
        Trigger::Timeout,
        Trigger::Cancelled,
        Trigger::Slow,
        Trigger::Stalled,
        Trigger::LowQuality,
        Trigger::Budget,
    ];

    /// Returns its name, as in `alert(on(...))`; `budget` is none of those.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Trigger::Error => "error",
            Trigger::Panic => "panic",
            Trigger::Timeout => "timeout",
            Trigger::Cancelled => "cancelled",
            Trigger::Slow => "slow",
            Trigger::Stalled => "stalled",
            Trigger::LowQuality => "low_quality",
            Trigger::Budget => "budget",
        }
    }

    /// Returns the set that contains it alone.
    pub(crate) const fn as_set(self) -> TriggerSet {
        match self {
            Trigger::Error => TriggerSet::ERROR,
            Trigger::Panic => TriggerSet::PANIC,
            Trigger::Timeout => TriggerSet::TIMEOUT,
            Trigger::Cancelled => TriggerSet::CANCELLED,
            Trigger::Slow => TriggerSet::SLOW,
            Trigger::Stalled => TriggerSet::STALLED,
            Trigger::LowQuality => TriggerSet::LOW_QUALITY,
            // No rule of an attribute asks for it.
            Trigger::Budget => TriggerSet::EMPTY,
        }
    }

    pub(super) const fn is_failure(self) -> bool {
        matches!(self, Trigger::Error | Trigger::Panic | Trigger::Timeout)
    }

    /// Returns the triggers of an ended call for which a rule asks for an alert.
    pub(super) fn of(record: &Record<'_>) -> impl Iterator<Item = Trigger> + use<> {
        let alerts = record.alerts();
        let all = Trigger::ALL.into_iter();
        all.filter(move |trigger| alerts.intersects(trigger.as_set()))
    }

    pub(super) fn from_name(name: &str) -> Option<Trigger> {
        Trigger::ALL
            .into_iter()
            .find(|trigger| trigger.as_str() == name)
    }

    /// Returns the verb of a title: "query is failing".
    pub(super) const fn verb(self) -> &'static str {
        match self {
            Trigger::Error => "failing",
            Trigger::Panic => "panicking",
            Trigger::Timeout => "timing out",
            Trigger::Cancelled => "being cancelled",
            Trigger::Slow => "slow",
            Trigger::Stalled => "stalled",
            Trigger::LowQuality => "of low quality",
            Trigger::Budget => "spending its budget",
        }
    }

    /// Returns what one such call is: "one failure".
    pub(super) const fn noun(self) -> &'static str {
        match self {
            Trigger::Error => "failure",
            Trigger::Panic => "panic",
            Trigger::Timeout => "timeout",
            Trigger::Cancelled => "cancelled call",
            Trigger::Slow => "slow call",
            Trigger::Stalled => "stalled call",
            Trigger::LowQuality => "call of low quality",
            Trigger::Budget => "threshold of its budget reached",
        }
    }
}
