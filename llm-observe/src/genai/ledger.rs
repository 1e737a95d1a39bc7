//! Who counts tokens: the innermost operation, once. An operation shares its ledger with those below it,
//! also in work that was taken along, and with the requests that are sent in it.

use std::sync::{
    Arc, Mutex, PoisonError,
    atomic::{AtomicBool, Ordering::Relaxed},
};

use super::{
    answer::Answer,
    budgets::{Budgets, Spending},
};
use crate::kernel::{context::Ambient, ids::TraceId, operation::Shared, site::Site};

/// What an operation knows of those below it.
#[derive(Debug)]
pub(crate) struct Ledger {
    /// The function of its call.
    site: Option<&'static Site>,
    /// The trace of its call.
    trace_id: TraceId,
    /// Whether it is a request to a model itself, and takes what observed requests hand up.
    takes: bool,
    parent: Option<Arc<Ledger>>,
    /// Whether an operation below has counted its tokens.
    counted: AtomicBool,
    /// Whether an operation below has counted that it knows none.
    missed: AtomicBool,
    handed: Mutex<Requests>,
}

/// What the requests of an operation have handed up.
#[derive(Debug, Default)]
struct Requests {
    closed: bool,
    answer: Option<Box<Answer>>,
}

impl Ledger {
    pub(super) fn new(
        (site, trace_id): (Option<&'static Site>, TraceId),
        takes: bool,
        above: Option<Shared>,
    ) -> Arc<Ledger> {
        Arc::new(Ledger {
            site,
            trace_id,
            takes,
            parent: above.and_then(|shared| shared.downcast().ok()),
            counted: AtomicBool::new(false),
            missed: AtomicBool::new(false),
            handed: Mutex::default(),
        })
    }

    /// Returns that of the operation in which `ambient` was the thread's.
    pub(super) fn of(ambient: &Ambient) -> Option<Arc<Ledger>> {
        ambient.shared.clone()?.downcast().ok()
    }

    /// Returns the event of its call.
    pub(super) fn event(&self) -> &'static str {
        self.site.map(|site| site.event).unwrap_or_default()
    }

    /// Adds what was spent in it: to the budgets of its event, and of those above, each once.
    pub(super) fn spend(&self, budgets: &Budgets, usd: f64) {
        let mut events = Vec::new();
        let mut next = Some(self);
        while let Some(ledger) = next {
            if !events.contains(&ledger.event()) {
                events.push(ledger.event());
            }
            next = ledger.parent.as_deref();
        }
        budgets.spend(&Spending {
            events: &events,
            function: self.site.map(Site::function).unwrap_or_default(),
            trace_id: self.trace_id,
            usd,
        });
    }

    /// Takes what a request to a model has answered; gives it back where the request has to count it
    /// itself.
    pub(super) fn hand_up(&self, answer: Box<Answer>) -> Result<(), Box<Answer>> {
        let mut handed = self.handed.lock().unwrap_or_else(PoisonError::into_inner);
        if !self.takes || handed.closed {
            return Err(answer);
        }
        match &mut handed.answer {
            Some(before) => before.followed_by(*answer),
            before @ None => *before = Some(answer),
        }
        Ok(())
    }

    /// Returns whether a request that had to count itself came after the end of an operation that would have
    /// taken it.
    pub(super) const fn would_have_taken(&self) -> bool {
        self.takes
    }

    /// Ends it: returns what was handed up. Later requests count for themselves.
    pub(super) fn close(&self) -> Option<Box<Answer>> {
        let mut handed = self.handed.lock().unwrap_or_else(PoisonError::into_inner);
        handed.closed = true;
        handed.answer.take()
    }

    /// Returns whether an operation below has counted its tokens.
    pub(super) fn is_counted(&self) -> bool {
        self.counted.load(Relaxed)
    }

    /// Returns whether an operation below has counted its tokens, or that they are not known.
    pub(super) fn is_missed(&self) -> bool {
        self.is_counted() || self.missed.load(Relaxed)
    }

    /// Tells it and those above it that tokens have been counted.
    pub(super) fn mark_counted(&self) {
        self.mark(|ledger| &ledger.counted);
    }

    /// Tells it and those above it that missing tokens have been counted.
    pub(super) fn mark_missed(&self) {
        self.mark(|ledger| &ledger.missed);
    }

    fn mark(&self, flag: impl Fn(&Ledger) -> &AtomicBool) {
        let mut next = Some(self);
        while let Some(ledger) = next {
            flag(ledger).store(true, Relaxed);
            next = ledger.parent.as_deref();
        }
    }
}
