//! Alerts for tests: the same rules and the same policy, but nothing is sent.

use std::{
    collections::HashMap,
    fmt,
    sync::{Mutex, PoisonError},
};

use llm_observe_config::Config;

use super::{
    notice::Notice,
    occurrences::Occurrences,
    policy::{AlertTiming, IncidentPolicy},
    routes::AlertRoutes,
    trigger::Trigger,
};
use crate::{
    error::Error,
    kernel::{
        record::Record,
        sink::{Sink, ThresholdReached},
    },
    outbox::now_micros,
    redact::Redacted,
};

/// The channel that stands in where the configuration has none.
const ANY: &str = "any";

/// Collects the messages that would be sent.
pub(crate) struct AlertRecorder {
    routes: AlertRoutes,
    state: Mutex<Recorded>,
}

struct Recorded {
    policy: IncidentPolicy,
    messages: Vec<(String, Notice)>,
}

impl AlertRecorder {
    /// # Errors
    ///
    /// When the quiet hours of `[alerts]` cannot be parsed.
    pub(crate) fn new(config: &Config) -> Result<AlertRecorder, Error> {
        let mut channels: Vec<String> = config.channels.keys().cloned().collect();
        if channels.is_empty() {
            channels.push(ANY.to_owned());
        }
        let recorded = Recorded {
            policy: IncidentPolicy::new(AlertTiming::new(&config.alerts)?, HashMap::new()),
            messages: Vec::new(),
        };
        Ok(AlertRecorder {
            routes: AlertRoutes::new(config, channels),
            state: Mutex::new(recorded),
        })
    }

    /// Returns the messages of all calls so far, each with the channel it would go to, as if
    /// their groups were complete.
    pub(crate) fn messages(&self) -> Vec<(String, Notice)> {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        let due = state.policy.due_now(now_micros());
        state.messages.extend(due);
        state.messages.clone()
    }

    fn ended(&self, record: &Record<'_>, trigger: Trigger) {
        let occurrences = Occurrences::of(record, trigger);
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        for route in self.routes.of(record.site, &occurrences) {
            let (event, function) = (record.site.event, record.site.function());
            state.policy.add(event, function, &route, &occurrences);
        }
    }
}

impl Sink for AlertRecorder {
    fn record(&self, record: &Redacted<Record<'_>>) {
        for trigger in Trigger::of(record) {
            self.ended(record, trigger);
        }
    }

    fn reached(&self, threshold: &Redacted<ThresholdReached>) {
        let reached: &ThresholdReached = threshold;
        let occurrences = Occurrences::of_threshold(reached);
        let (event, function) = (reached.event.as_str(), reached.function.as_str());
        let route = self.routes.of_threshold(event, reached.severity);
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        state.policy.add(event, function, &route, &occurrences);
    }
}

impl fmt::Debug for AlertRecorder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("AlertRecorder").finish_non_exhaustive()
    }
}
