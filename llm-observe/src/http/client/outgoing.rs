//! A request from its start to the head of its answer: its call, made the thread's own while the
//! client works on it.

use std::{
    any::Any,
    future::Future,
    net::SocketAddr,
    panic::{AssertUnwindSafe, catch_unwind, resume_unwind},
    pin::Pin,
    sync::Arc,
    task::{Context, Poll, ready},
};

use http::{HeaderMap, HeaderName, HeaderValue};
use pin_project_lite::pin_project;
use tracing::Level;

use super::{
    answer::Answer,
    attempts::{Attempts, Reason},
    fault::Fault,
    metrics::{self, ModelCallEnd},
    model::Asked,
    record,
    target::{EVENT, Target},
    usage::Reading,
};
use crate::{
    http::{Http, exchange::Exchange, http_site::HttpSite, ids::TraceParent},
    kernel::{call::Call, context, dispatch, request_context::SAMPLED, value::Value},
};

const TRACE_PARENT: HeaderName = HeaderName::from_static("traceparent");
const TRACE_STATE: HeaderName = HeaderName::from_static("tracestate");

/// A request that has started and has no answer yet. Dropped, it is cancelled.
pub(crate) struct Outgoing {
    call: Call,
    http: Arc<Http>,
    site: &'static HttpSite,
    asked: Option<Asked>,
    attempts: Option<Attempts>,
}

impl Outgoing {
    /// Starts observing a request; `None` when nobody does.
    pub(crate) fn start(target: &Target<'_>, attempts: Option<Attempts>) -> Option<Outgoing> {
        let start = |shared: &Arc<dyn Any + Send + Sync>, _: &Http| {
            let http = shared.clone().downcast().ok()?;
            Outgoing::start_in(http, target, attempts)
        };
        dispatch::with_extension(start).flatten()
    }

    fn start_in(
        http: Arc<Http>,
        target: &Target<'_>,
        attempts: Option<Attempts>,
    ) -> Option<Outgoing> {
        let site = target.site(&http)?;
        let asked = Asked::of(target.method, target.host, target.path);
        let mut exchange = target.exchange(site);
        exchange.level = level(&http, asked.is_some());
        let mut call = Call::new(&site.site);
        let extra = call.extra();
        extra.operation = Some(Box::new(exchange));
        if let Some(asked) = asked {
            record::asked(&mut extra.fields, asked);
        }
        if let Some(retry) = attempts.as_ref().and_then(Attempts::begin) {
            let count = Value::U64(retry.count.into());
            extra.fields.set(record::RESENDS, count);
            metrics::retried(&http, site, retry);
        }
        call.ensure_started().then(|| Outgoing {
            call,
            http,
            site,
            asked,
            attempts,
        })
    }

    /// Returns whether the configuration lets `host` know of traces.
    pub(crate) fn propagates_to(&self, host: &str) -> bool {
        self.http.config.http.propagates_to(host)
    }

    /// Says in `headers` which trace the request belongs to, where the configuration lets `host`
    /// know, and nobody has said so before.
    pub(crate) fn propagate(&self, host: &str, headers: &mut HeaderMap) {
        if !self.propagates_to(host) || headers.contains_key(TRACE_PARENT) {
            return;
        }
        let (ids, request) = (self.call.ids(), context::request());
        let parent = TraceParent {
            trace: ids.trace,
            span: ids.span,
            flags: request.as_ref().map_or(SAMPLED, |request| request.flags),
        };
        let Ok(value) = HeaderValue::from_bytes(&parent.format()) else {
            return;
        };
        headers.insert(TRACE_PARENT, value);
        let state = request.as_ref().and_then(|request| request.state.as_ref());
        if let Some(state) = state.and_then(|state| HeaderValue::from_str(state).ok()) {
            headers.insert(TRACE_STATE, state);
        }
    }

    /// Runs `f` with the call as the thread's own.
    pub(crate) fn inside<T>(&mut self, f: impl FnOnce() -> T) -> T {
        let entered = self.call.enter();
        let done = catch_unwind(AssertUnwindSafe(f));
        entered.leave(&mut self.call);
        done.unwrap_or_else(|panic| {
            self.call.panicked();
            resume_unwind(panic)
        })
    }

    /// Takes note of the head of the answer; `promised` is how long its body says it is.
    pub(crate) fn answered(
        mut self,
        status: u16,
        headers: &HeaderMap,
        peer: Option<SocketAddr>,
        promised: Option<u64>,
    ) -> Answer {
        if let Some(exchange) = exchange_of(&mut self.call) {
            exchange.status = Some(status);
            exchange.peer = peer;
        }
        metrics::limits(&self.http, self.site, headers);
        self.note(match status {
            400.. => Reason::Status(status),
            _ => Reason::Other,
        });
        Answer::new(self.call, self.http, self.site, status)
            .promised(promised)
            .of_model(self.asked, headers)
    }

    /// Ends it without an answer.
    pub(crate) fn failed(mut self, fault: Fault) {
        self.note(fault.reason);
        let ended = ModelCallEnd {
            duration: self.call.elapsed(),
            first_chunk: None,
            error_type: Some(fault.error.class.as_str().to_owned()),
        };
        if let Some(asked) = self.asked {
            metrics::model_call(&self.http, self.site, asked, &Reading::default(), &ended);
        }
        let mut scope = self.call.take_scope();
        scope.failed(fault.outcome, fault.error);
        self.call.end(scope);
    }

    fn note(&self, reason: Reason) {
        if let Some(attempts) = &self.attempts {
            attempts.ended(reason);
        }
    }
}

/// Returns the exchange of a call that is one.
pub(super) fn exchange_of(call: &mut Call) -> Option<&mut Exchange> {
    let operation: &mut dyn Any = call.extra().operation.as_deref_mut()?;
    operation.downcast_mut()
}

/// Returns the level of the line when it goes well, where it is not that of the event.
///
/// A request is one of the steps of the call it is made in, which has a line of its own. A model
/// that is asked outside of every annotated function has no other line.
fn level(http: &Http, asks_model: bool) -> Option<Level> {
    let events = http.config.events.as_ref();
    let event = events.and_then(|events| events.get(EVENT));
    let is_set = event.is_some_and(|event| event.level.is_some());
    let is_step = || {
        let in_function = |call: &context::Current| call.site.is_some_and(|s| !s.is_operation());
        context::look(in_function).unwrap_or(false)
    };
    (!is_set && (!asks_model || is_step())).then_some(Level::DEBUG)
}

pin_project! {
    /// The future of an answer's head, worked on inside of its call.
    pub(crate) struct Awaiting<F> {
        // Dropped before the call, so that calls below it are recorded before it.
        #[pin]
        future: F,
        outgoing: Option<Outgoing>,
    }
}

impl<F> Awaiting<F> {
    pub(crate) fn new(future: F, outgoing: Option<Outgoing>) -> Awaiting<F> {
        Awaiting { future, outgoing }
    }
}

impl<F: Future> Future for Awaiting<F> {
    type Output = (F::Output, Option<Outgoing>);

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let this = self.project();
        let polled = match this.outgoing {
            Some(outgoing) => outgoing.inside(|| this.future.poll(cx)),
            None => this.future.poll(cx),
        };
        let output = ready!(polled);
        Poll::Ready((output, this.outgoing.take()))
    }
}
