//! What the calls of an event may cost in a period: `[events.NAME] budget`.
//!
//! A call adds its cost in memory. A thread exchanges the sums with other processes through a folder beside
//! the outbox, shows what is used in a metric, and hands thresholds to the sinks. In tests there is no thread
//! and no folder: each call does it.

mod account;
mod shared;
#[cfg(feature = "delivery")]
mod store;
#[cfg(not(feature = "delivery"))]
#[path = "../../absent/budget_store.rs"]
mod store;
mod worker;

#[cfg(all(test, feature = "delivery"))]
mod tests;

use std::{
    sync::Arc,
    time::{Duration, SystemTime, UNIX_EPOCH},
};

use shared::Shared;
use store::Store;
use worker::Worker;

use super::state::GenAiState;
use crate::{
    kernel::{clock, dispatch, fork_mutex::is_fork, ids::TraceId},
    observer::Setup,
    warn::warn,
};

/// What is used and left of the budget of an event in the running period: see [`budget`].
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Budget {
    limit: f64,
    spent: f64,
    /// In microseconds since the Unix epoch.
    ends: u64,
}

/// Returns the budget of an event, as `[events.NAME] budget` sets it; `None` without one, and without an
/// observer.
///
/// It counts what all processes have spent that share the folder of the outbox: this one's calls at once,
/// those of the others within about a second.
///
/// ```
/// use llm_observe::{genai::{self, Usage}, observe, testing};
///
/// #[observe(operation = chat, provider = "openai", model = "gpt-4o",
///           usage = |_| Usage::new(1_000, 100))]
/// fn answer(question: &str) -> String {
///     match genai::budget("answer") {
///         Some(budget) if budget.left_usd() <= 0.0 => "come back tomorrow".to_owned(),
///         _ => question.to_uppercase(),
///     }
/// }
///
/// let config = "[events.answer]\nbudget = { usd = 0.003, per = \"1d\" }\n";
/// let _seen = testing::observe_with(config).unwrap();
/// assert_eq!(answer("why?"), "WHY?");
/// let budget = genai::budget("answer").unwrap();
/// assert_eq!((budget.spent_usd(), budget.left_usd()), (0.0035, 0.0));
/// assert_eq!(answer("why?"), "come back tomorrow");
/// ```
#[must_use]
pub fn budget(event: &str) -> Option<Budget> {
    let now = clock::now_micros();
    dispatch::with_extension(|_, state: &GenAiState| state.budgets.shared.budget(event, now))
        .flatten()
}

impl Budget {
    /// Returns what the calls of a period may cost, in US dollars.
    #[must_use]
    pub const fn limit_usd(&self) -> f64 {
        self.limit
    }

    /// Returns what they have cost so far. Calls whose cost is not known count as nothing.
    #[must_use]
    pub const fn spent_usd(&self) -> f64 {
        self.spent
    }

    /// Returns what is left; 0 where more was spent.
    #[must_use]
    pub fn left_usd(&self) -> f64 {
        (self.limit - self.spent).max(0.0)
    }

    /// Returns the share that is used: 1 is all of it, and more is possible.
    #[must_use]
    pub fn used_ratio(&self) -> f64 {
        self.spent / self.limit
    }

    /// Returns when the period ends, and the next begins with nothing spent.
    #[must_use]
    pub fn ends(&self) -> SystemTime {
        let end = UNIX_EPOCH.checked_add(Duration::from_micros(self.ends));
        end.unwrap_or(UNIX_EPOCH)
    }
}

/// What a call has cost.
pub(super) struct Spending<'a> {
    /// The event of the call, and those of the operations around it, each once.
    pub(super) events: &'a [&'a str],
    pub(super) function: &'a str,
    pub(super) trace_id: TraceId,
    pub(super) usd: f64,
}

/// The budgets of an observer.
pub(super) struct Budgets {
    shared: Arc<Shared>,
    /// `None` in tests, and without budgets.
    worker: Option<Worker>,
}

impl Budgets {
    /// Opens the folder, where the configuration has a budget. One that cannot be used is no error.
    pub(super) fn start(setup: &Setup<'_>) -> Budgets {
        let shared = Arc::new(Shared::new(setup));
        let worker = match setup.scoped || !shared.has_limits() {
            true => None,
            false => work(&shared, setup),
        };
        let budgets = Budgets { shared, worker };
        // The metric is there from the start.
        if budgets.worker.is_none() {
            budgets.shared.round(clock::now_micros(), None);
        }
        budgets
    }

    /// Adds what a call has cost.
    pub(super) fn spend(&self, spending: &Spending<'_>) {
        if !self.shared.has_limits() {
            return;
        }
        let now = clock::now_micros();
        self.shared.spend(spending, now);
        // In a fork there is no thread either: its parent alerts.
        if self.worker.is_none() && !is_fork() {
            self.shared.round(now, None);
        }
    }

    /// Writes what was spent, and hands on what is to be alerted.
    pub(super) fn flush(&self, limit: Duration, last: bool) {
        if let Some(worker) = self.worker.as_ref().filter(|_| !is_fork()) {
            worker.flush(limit, last);
        }
    }
}

fn work(shared: &Arc<Shared>, setup: &Setup<'_>) -> Option<Worker> {
    let folder = setup.config.outbox.folder(&setup.config.log);
    let in_memory = |error: &dyn std::fmt::Display| {
        warn(&format!(
            "budgets are counted in the memory of this process alone, and anew after a restart: {error}"
        ));
    };
    let store = match Store::open(&folder, clock::now_micros()) {
        Ok((store, before)) => {
            shared.join(&before);
            Some(store)
        }
        Err(error) => {
            in_memory(&error);
            None
        }
    };
    shared.round(clock::now_micros(), store.as_ref());
    let worker = Worker::start(shared.clone(), folder, store);
    worker.map_err(|error| in_memory(&error)).ok()
}
