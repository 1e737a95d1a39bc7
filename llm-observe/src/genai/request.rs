//! Requests to models that were observed as they were sent. The operation in which one was sent takes
//! its answer; without one, the request counts as an operation itself.

use std::{sync::Arc, time::Duration};

use super::{
    answer::Answer,
    budgets::Spending,
    ledger::Ledger,
    recorder::{EndedOperation, Taken},
    state::GenAiState,
};
use crate::kernel::{context::Ambient, dispatch, ids::TraceId};

/// A request to a model that is under way.
#[derive(Clone, Debug)]
pub(crate) struct ModelCall {
    /// `gen_ai.operation.name`.
    pub(crate) operation: &'static str,
    /// `gen_ai.provider.name`.
    pub(crate) provider: &'static str,
    state: Arc<GenAiState>,
}

/// How one ended.
pub(crate) struct ModelCallEnd<'a> {
    /// The event of the request.
    pub(crate) event: &'static str,
    pub(crate) answer: Answer,
    /// `server_address` and `server_port`, where they are known.
    pub(crate) server: &'a [(&'static str, String)],
    pub(crate) duration: Duration,
    pub(crate) error_type: Option<&'a str>,
    /// Whether it is known to have had no usage: it went well, and its whole answer has passed.
    pub(crate) is_whole: bool,
}

impl ModelCall {
    /// Returns the request of that operation to that provider; `None` without an observer.
    pub(crate) fn new(operation: &'static str, provider: &'static str) -> Option<ModelCall> {
        let state = dispatch::with_extension(|shared, _: &GenAiState| shared.clone().downcast());
        let state: Arc<GenAiState> = state?.ok()?;
        state.prepare();
        Some(ModelCall {
            operation,
            provider,
            state,
        })
    }

    /// Hands the answer to the operation in which the request was sent, or counts it. `ambient` is what
    /// the thread carried when it was sent.
    pub(crate) fn ended(&self, ambient: &Ambient, end: ModelCallEnd<'_>) {
        let ledger = Ledger::of(ambient);
        let ModelCallEnd { mut answer, .. } = end;
        answer.provider = Some(self.provider);
        let answer = match &ledger {
            Some(ledger) => ledger.hand_up(Box::new(answer)),
            None => Err(Box::new(answer)),
        };
        let Err(answer) = answer else { return };
        // The operation has ended, and has its times already: its stream was dropped, and its client reads on.
        let is_late = ledger.as_ref().is_some_and(|l| l.would_have_taken());
        if is_late && ledger.as_ref().is_some_and(|ledger| ledger.is_counted()) {
            return;
        }
        // The operation above is no request to a model, such as an agent: its event is counted.
        let event = ledger.as_ref().map_or(end.event, |ledger| ledger.event());
        let ended = EndedOperation {
            operation: self.operation,
            provider: Some(self.provider),
            requested: None,
            answered: answer.model.as_deref(),
            server: end.server,
            error_type: end.error_type,
            duration: end.duration,
            first_chunk: answer.first_chunk,
            chunks: None,
        };
        let taken = answer.usage.map(|usage| Taken {
            event,
            usage: Some(usage),
            cost: self.state.cost(Some(self.provider), None, &answer),
            tenant: self.state.tenant(ambient),
        });
        if !is_late {
            ended.record_times(&self.state);
        }
        if let Some(taken) = &taken {
            ended.record_taken(&self.state, taken);
        }
        if let Some(usd) = taken.as_ref().and_then(|taken| taken.cost.usd()) {
            let budgets = &self.state.budgets;
            match &ledger {
                Some(ledger) => ledger.spend(budgets, usd),
                None => budgets.spend(&Spending {
                    events: &[event],
                    function: event,
                    trace_id: TraceId::default(),
                    usd,
                }),
            }
        }
        if taken.is_some() {
            ledger.iter().for_each(|ledger| ledger.mark_counted());
        } else if end.is_whole && !is_late {
            ended.missing(&self.state, event);
            ledger.iter().for_each(|ledger| ledger.mark_missed());
        }
    }
}
