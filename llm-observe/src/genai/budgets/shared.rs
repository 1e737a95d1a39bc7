//! What the calls and the thread share: what was spent here and elsewhere, and what follows from it.

use std::{
    collections::BTreeMap,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
};

use jiff::Timestamp;
use llm_observe_config::Config;

use super::{
    Budget, Spending,
    account::{self, Account, Key, Spent},
    store::Store,
};
use crate::{
    genai::{dollars::dollars, metrics::BUDGET_USED},
    kernel::{
        fork_mutex::ForkMutex,
        ids::TraceId,
        sink::{Sink, ThresholdReached},
    },
    metrics::Metrics,
    observer::Setup,
    redact::Redactor,
    warn::warn,
};

/// The budget of one event.
#[derive(Debug)]
pub(super) struct Limit {
    event: String,
    usd: f64,
    /// In microseconds.
    per: u64,
    per_text: String,
    /// Whether the event's alerts are suppressed.
    is_muted: bool,
}

/// All budgets of an observer.
pub(super) struct Shared {
    limits: Vec<Limit>,
    state: ForkMutex<State>,
    metrics: Arc<Metrics>,
    sinks: Vec<Arc<dyn Sink>>,
    redactor: Arc<Redactor>,
    /// Whether it was said that the folder cannot be written.
    said: AtomicBool,
}

#[derive(Debug, Default)]
struct State {
    /// What this process has spent, and its predecessors in the same slot.
    own: Account,
    others: Account,
    /// The latest call of each event.
    latest: BTreeMap<String, Latest>,
    is_changed: bool,
}

#[derive(Clone, Debug, Default)]
struct Latest {
    function: String,
    trace_id: TraceId,
}

impl State {
    fn total(&self, key: &Key) -> Spent {
        self.own.get(key).and(self.others.get(key))
    }
}

impl Shared {
    pub(super) fn new(setup: &Setup<'_>) -> Shared {
        Shared {
            limits: limits(setup.config),
            state: ForkMutex::default(),
            metrics: setup.metrics.clone(),
            sinks: setup.sinks.to_vec(),
            redactor: setup.redactor.clone(),
            said: AtomicBool::new(false),
        }
    }

    pub(super) fn has_limits(&self) -> bool {
        !self.limits.is_empty()
    }

    /// Adds what a call has cost to the budget of each of its events.
    pub(super) fn spend(&self, spending: &Spending<'_>, now: u64) {
        for limit in &self.limits {
            if spending.events.contains(&limit.event.as_str())
                && let Some(mut state) = self.state.lock()
            {
                let key = Key::at(&limit.event, limit.per, now);
                state.own.add(key.clone(), spending.usd, 0);
                state.own.forget_others(&key);
                state.is_changed = true;
                let latest = state.latest.entry(limit.event.clone()).or_default();
                spending.function.clone_into(&mut latest.function);
                latest.trace_id = spending.trace_id;
            }
        }
    }

    /// Adds what was spent in the slot of this process before.
    pub(super) fn join(&self, before: &Account) {
        if let Some(mut state) = self.state.lock() {
            state.own.join(before);
            state.is_changed = true;
        }
    }

    /// Returns the budget of an event.
    pub(super) fn budget(&self, event: &str, now: u64) -> Option<Budget> {
        let limit = self.limits.iter().find(|limit| limit.event == event)?;
        let key = Key::at(event, limit.per, now);
        Some(Budget {
            limit: limit.usd,
            spent: self.state.lock()?.total(&key).usd,
            ends: key.end(),
        })
    }

    /// Exchanges what was spent with other processes, and notices thresholds.
    pub(super) fn round(&self, now: u64, store: Option<&Store>) {
        if let Some(store) = store {
            self.write_changes(store);
            self.read_others(store, now);
        }
        for limit in &self.limits {
            self.look(limit, now, store);
        }
    }

    /// Writes what was spent here since the last time. Done before others are read: of two processes that
    /// reach a threshold together, one at least sees that.
    fn write_changes(&self, store: &Store) {
        let changed = self.state.lock().and_then(|mut state| {
            let changed = std::mem::take(&mut state.is_changed);
            changed.then(|| state.own.clone())
        });
        if let Some(own) = changed {
            self.write(store, &own);
        }
    }

    fn write(&self, store: &Store, own: &Account) {
        let Err(error) = store.write(own) else { return };
        if let Some(mut state) = self.state.lock() {
            state.is_changed = true;
        }
        if !self.said.swap(true, Ordering::Relaxed) {
            warn(&format!(
                "what was spent of budgets cannot be written: other processes and the next start do not \
                 know it: {error}"
            ));
        }
    }

    fn read_others(&self, store: &Store, now: u64) {
        let others = store.others(now);
        if let Some(mut state) = self.state.lock() {
            state.others = others;
        }
    }

    /// Shows what is used of a budget, and alerts where a threshold was reached.
    fn look(&self, limit: &Limit, now: u64, store: Option<&Store>) {
        let key = Key::at(&limit.event, limit.per, now);
        let Some(spent) = self.state.lock().map(|state| state.total(&key)) else {
            return;
        };
        let labels = [("event", &*limit.event), ("per", &*limit.per_text)];
        self.metrics
            .set(BUDGET_USED, &labels, spent.usd / limit.usd);
        if account::reached(spent.usd, limit.usd) & !spent.alerted == 0 {
            return;
        }
        // Without a lock that works, it is better alerted twice than never.
        let lock = match store.map(Store::lock_alerts) {
            // Another process alerts: looked at again in the next round.
            Some(Ok(None)) => return,
            Some(Ok(lock)) => lock,
            Some(Err(_)) | None => None,
        };
        if let Some(store) = store {
            self.read_others(store, now);
        }
        let reached = self.take_reached(limit, &key);
        if let Some(store) = store.filter(|_| reached.is_some()) {
            self.write_changes(store);
        }
        drop(lock);
        if let Some((spent, latest, bits)) = reached {
            self.alert(limit, &key, spent, &latest, bits, now);
        }
    }

    /// Returns the thresholds that nobody has alerted for yet, and notes that this process does. One that
    /// has spent nothing leaves it to the others.
    fn take_reached(&self, limit: &Limit, key: &Key) -> Option<(f64, Latest, u8)> {
        let mut state = self.state.lock()?;
        let spent = state.total(key);
        let reached = account::reached(spent.usd, limit.usd);
        let new = reached & !spent.alerted;
        if new == 0 || !state.own.contains(key) {
            return None;
        }
        state.own.add(key.clone(), 0.0, reached);
        state.is_changed = true;
        let latest = state.latest.get(&limit.event).cloned();
        Some((spent.usd, latest.unwrap_or_default(), new))
    }

    /// Alerts for the highest of some thresholds.
    fn alert(&self, limit: &Limit, key: &Key, usd: f64, latest: &Latest, bits: u8, now: u64) {
        let Some((percent, severity)) = account::highest(bits).filter(|_| !limit.is_muted) else {
            return;
        };
        let reached = ThresholdReached {
            event: limit.event.clone(),
            function: latest.function.clone(),
            trace_id: latest.trace_id,
            time: now,
            threshold: format!("{percent} % {} {}", limit.per_text, key.period),
            severity,
            message: message(limit, percent, usd, key.end()),
        };
        let reached = self.redactor.redacted(reached);
        for sink in &self.sinks {
            sink.reached(&reached);
        }
    }
}

fn limits(config: &Config) -> Vec<Limit> {
    let events = config.events.iter().flatten();
    let limits = events.filter_map(|(name, event)| {
        let budget = event.budget.as_ref()?;
        let per = u64::try_from(budget.per.as_micros()).unwrap_or(u64::MAX);
        Some(Limit {
            event: name.clone(),
            usd: budget.usd,
            per: per.max(1),
            per_text: budget.period_text(),
            is_muted: event.mute,
        })
    });
    limits.collect()
}

/// Returns what an alert says: `80 % used, $40.12 of $50.00 per 1d, until 2026-11-26 00:00 UTC`.
fn message(limit: &Limit, percent: u32, usd: f64, end: u64) -> String {
    let end = i64::try_from(end).ok();
    let end = end.and_then(|end| Timestamp::from_microsecond(end).ok());
    let until = end.map(|end| format!(", until {}", end.strftime("%Y-%m-%d %H:%M UTC")));
    let (spent, all) = (dollars(usd), dollars(limit.usd));
    let per = &limit.per_text;
    let until = until.unwrap_or_default();
    format!("{percent} % used, {spent} of {all} per {per}{until}")
}
