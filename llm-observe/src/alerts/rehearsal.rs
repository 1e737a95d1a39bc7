//! Alerts for tests: the same rules and the same policy, with nothing sent anywhere.

use std::{
    collections::HashMap,
    fmt,
    sync::{Arc, Mutex, PoisonError},
};

use llm_observe_config::Config;

use super::{
    Notice, Trigger,
    policy::{Policy, Seen, Timing},
    route::Routes,
};
use crate::{
    error::Error,
    kernel::{record::Record, sink::Sink},
    outbox::now_micros,
    redact::{Redacted, Redactor},
};

/// The channel that stands in where the configuration has none.
const ANY: &str = "any";

/// Collects the messages that would be sent.
pub(crate) struct Rehearsal {
    routes: Routes,
    redactor: Arc<Redactor>,
    state: Mutex<State>,
}

struct State {
    policy: Policy,
    told: Vec<(String, Notice)>,
}

impl Rehearsal {
    /// # Errors
    ///
    /// When the quiet hours of `[alerts]` make no sense.
    pub(crate) fn new(config: &Config, redactor: Arc<Redactor>) -> Result<Rehearsal, Error> {
        let mut channels: Vec<String> = config.channels.keys().cloned().collect();
        if channels.is_empty() {
            channels.push(ANY.to_owned());
        }
        let policy = Policy::new(Timing::new(&config.alerts)?, HashMap::new());
        let told = Vec::new();
        Ok(Rehearsal {
            routes: Routes::new(config, channels),
            redactor,
            state: Mutex::new(State { policy, told }),
        })
    }

    /// Returns the messages of all calls so far, each with the channel it would go to, as if
    /// their groups were complete.
    pub(crate) fn messages(&self) -> Vec<(String, Notice)> {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        let due = state.policy.due_now(now_micros());
        state.told.extend(due);
        state.told.clone()
    }
}

impl Sink for Rehearsal {
    fn record(&self, record: &Redacted<Record<'_>>) {
        for trigger in Trigger::of(record) {
            let seen = Seen::of(record, trigger, &self.redactor);
            let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
            for route in self.routes.of(record.site, &seen) {
                let (event, function) = (record.site.event, record.site.function());
                state.policy.see(event, function, &route, &seen);
            }
        }
    }
}

impl fmt::Debug for Rehearsal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Rehearsal").finish_non_exhaustive()
    }
}
