//! The rules of `alert(...)`: which calls alert, and where.

use std::time::Duration;

pub use llm_observe_config::Severity;

/// A set of triggers: the reasons for which a rule of `alert(on(...))` fires.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct TriggerSet(u8);

impl TriggerSet {
    /// Nothing.
    pub const EMPTY: TriggerSet = TriggerSet(0);
    /// The call returned an error.
    pub const ERROR: TriggerSet = TriggerSet(1);
    /// It panicked.
    pub const PANIC: TriggerSet = TriggerSet(1 << 1);
    /// It ran into its `timeout`.
    pub const TIMEOUT: TriggerSet = TriggerSet(1 << 2);
    /// It was dropped before it finished.
    pub const CANCELLED: TriggerSet = TriggerSet(1 << 3);
    /// It took longer than `slow`.
    pub const SLOW: TriggerSet = TriggerSet(1 << 4);
    /// It is still running after `stalled`.
    pub const STALLED: TriggerSet = TriggerSet(1 << 5);
    /// Its quality is under `min_quality`.
    pub const LOW_QUALITY: TriggerSet = TriggerSet(1 << 6);
    /// Error, panic or timeout: what `alert_on_error` stands for.
    pub const FAILURE: TriggerSet = TriggerSet(0b111);

    /// Returns the union of both sets.
    #[must_use]
    pub const fn or(self, other: TriggerSet) -> TriggerSet {
        TriggerSet(self.0 | other.0)
    }

    /// Returns whether the sets have a member in common.
    #[must_use]
    pub const fn intersects(self, other: TriggerSet) -> bool {
        self.0 & other.0 != 0
    }

    /// Returns whether the set has no member.
    #[must_use]
    pub const fn is_empty(self) -> bool {
        self.0 == 0
    }
}

/// One `alert(...)` of an attribute.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct AlertRule {
    /// What it fires on.
    pub on: TriggerSet,
    /// The channel it goes to; `None`: the event's channels.
    pub channel: Option<&'static str>,
    /// How many such calls within [`AlertRule::within`] it takes.
    pub after: u32,
    /// The window for [`AlertRule::after`].
    pub within: Duration,
    /// How bad it is.
    pub severity: Option<Severity>,
}

impl AlertRule {
    /// Returns a rule that fires at the first such call, to the event's channels.
    #[must_use]
    pub const fn new(on: TriggerSet) -> AlertRule {
        AlertRule {
            on,
            channel: None,
            after: 1,
            within: Duration::from_secs(60),
            severity: None,
        }
    }

    /// Sends it to that channel of the configuration.
    #[must_use]
    pub const fn channel(mut self, name: &'static str) -> AlertRule {
        self.channel = Some(name);
        self
    }

    /// Fires only at the `count`th such call within the window.
    #[must_use]
    pub const fn after(mut self, count: u32) -> AlertRule {
        self.after = count;
        self
    }

    /// Sets the window for `after`.
    #[must_use]
    pub const fn within(mut self, window: Duration) -> AlertRule {
        self.within = window;
        self
    }

    /// Sets how bad it is.
    #[must_use]
    pub const fn severity(mut self, severity: Severity) -> AlertRule {
        self.severity = Some(severity);
        self
    }
}
