//! The call of a sent request, from its start to the head of the response.

use std::{
    any::Any,
    future::Future,
    net::SocketAddr,
    pin::Pin,
    sync::Arc,
    task::{Context, Poll, ready},
};

use http::{HeaderMap, HeaderName, HeaderValue};
use pin_project_lite::pin_project;
use tracing::Level;

use super::{
    attempts::{Attempts, RetryReason},
    failure::RequestFailure,
    fields,
    metrics::{self, ModelCallEnd},
    model::ModelRequest,
    model_response::ModelResponse,
    response::ClientResponse,
    state::ClientState,
    target::{EVENT, RequestTarget},
};
use crate::{
    http::{exchange::Exchange, http_site::HttpSite},
    kernel::{
        call::Call, context, dispatch, operation_call::OperationCall, trace_parent::TraceParent,
        value::Value,
    },
};

const TRACE_PARENT: HeaderName = HeaderName::from_static("traceparent");
const TRACE_STATE: HeaderName = HeaderName::from_static("tracestate");
const BAGGAGE: HeaderName = HeaderName::from_static("baggage");

/// A sent request that has no response yet. Dropped, it ends as cancelled.
pub(crate) struct ClientCall {
    /// With the request that it was made for: the body may be read in another task.
    call: OperationCall,
    state: Arc<ClientState>,
    site: &'static HttpSite,
    model_request: Option<ModelRequest>,
    attempts: Option<Attempts>,
}

impl ClientCall {
    /// Starts the call of a request; `None` without an observer.
    pub(crate) fn start(
        target: &RequestTarget<'_>,
        attempts: Option<Attempts>,
    ) -> Option<ClientCall> {
        let start = |shared: &Arc<dyn Any + Send + Sync>, _: &ClientState| {
            let state = shared.clone().downcast().ok()?;
            ClientCall::start_in(state, target, attempts)
        };
        dispatch::with_extension(start).flatten()
    }

    fn start_in(
        state: Arc<ClientState>,
        target: &RequestTarget<'_>,
        attempts: Option<Attempts>,
    ) -> Option<ClientCall> {
        let site = target.site(&state)?;
        let model_request = ModelRequest::of(target.method, target.host, target.path);
        let mut exchange = target.exchange(site);
        exchange.ok_level = ok_level(&state, model_request.is_some());
        let mut call = Call::new(&site.site);
        let extra = call.extra();
        extra.operation = Some(Box::new(exchange));
        if let Some(request) = model_request {
            fields::set_request(&mut extra.fields, request);
        }
        if let Some(retry) = attempts.as_ref().and_then(Attempts::begin) {
            let count = Value::U64(retry.count.into());
            extra.fields.set(fields::RESEND_COUNT, count);
            metrics::retried(&state, site, retry);
        }
        call.ensure_started().then(|| ClientCall {
            call: OperationCall::over(call, context::ambient()),
            state,
            site,
            model_request,
            attempts,
        })
    }

    /// Returns whether `[http] propagate` lists `host`.
    pub(crate) fn propagates_to(&self, host: &str) -> bool {
        self.state.config.http.propagates_to(host)
    }

    /// Adds `traceparent`, `tracestate` and `baggage` to `headers`, if `[http] propagate` lists `host` and
    /// there is no `traceparent` yet.
    pub(crate) fn propagate(&self, host: &str, headers: &mut HeaderMap) {
        if !self.propagates_to(host) || headers.contains_key(TRACE_PARENT) {
            return;
        }
        let ((trace, span), ambient) = (self.call.ids(), self.call.ambient());
        let flags = ambient.trace_flags();
        let parent = TraceParent { trace, span, flags };
        let Ok(value) = HeaderValue::from_bytes(&parent.format()) else {
            return;
        };
        headers.insert(TRACE_PARENT, value);
        let state = ambient.trace_state();
        if let Some(state) = state.and_then(|state| HeaderValue::from_str(state).ok()) {
            headers.insert(TRACE_STATE, state);
        }
        let carried = ambient.carried.as_ref();
        let baggage = carried.and_then(|carried| carried.baggage(dispatch::baggage_keys()));
        if let Some(baggage) = baggage.and_then(|baggage| HeaderValue::from_str(&baggage).ok()) {
            headers.entry(BAGGAGE).or_insert(baggage);
        }
    }

    /// Runs `f` as work of the call. A panic ends the call and is resumed.
    pub(crate) fn run<T>(&mut self, f: impl FnOnce() -> T) -> T {
        self.call.in_scope(f)
    }

    /// Records the head of the response. `expected_bytes` is the length of the body, where it is known.
    pub(crate) fn into_response(
        mut self,
        status: u16,
        headers: &HeaderMap,
        peer: Option<SocketAddr>,
        expected_bytes: Option<u64>,
    ) -> ClientResponse {
        if let Some(exchange) = self.call.operation::<Exchange>() {
            exchange.status = Some(status);
            exchange.peer = peer;
        }
        metrics::rate_limits(&self.state, self.site, headers);
        self.end_attempt(match status {
            400.. => RetryReason::Status(status),
            _ => RetryReason::Other,
        });
        ClientResponse::new(self.call, self.state, self.site, status)
            .expect_bytes(expected_bytes)
            .read_model_response(self.model_request, headers)
    }

    /// Ends it without a response.
    pub(crate) fn fail(self, failure: RequestFailure) {
        self.end_attempt(failure.reason);
        let end = ModelCallEnd {
            duration: self.call.elapsed(),
            first_chunk: None,
            error_type: Some(failure.error.class.as_str().to_owned()),
        };
        if let Some(request) = self.model_request {
            let response = ModelResponse::default();
            metrics::model_call(&self.state, self.site, request, &response, &end);
        }
        self.call.end_with(failure.outcome, failure.error);
    }

    fn end_attempt(&self, reason: RetryReason) {
        if let Some(attempts) = &self.attempts {
            attempts.ended(reason);
        }
    }
}

/// Returns the level of a successful request's line; `None` for the event's own.
///
/// A request is a step of the call that sends it, and that call has a line of its own. A request to a
/// model outside of every annotated function has no other line.
fn ok_level(state: &ClientState, is_model_request: bool) -> Option<Level> {
    let events = state.config.events.as_ref();
    let event = events.and_then(|events| events.get(EVENT));
    let is_set = event.is_some_and(|event| event.level.is_some());
    let is_step = || {
        let in_function = |call: &context::Current| call.site.is_some_and(|s| !s.is_operation());
        context::look(in_function).unwrap_or(false)
    };
    (!is_set && (!is_model_request || is_step())).then_some(Level::DEBUG)
}

pin_project! {
    /// The future of a response's head, polled as work of its call.
    pub(crate) struct SendFuture<F> {
        // Dropped before the call, so that calls made in it are recorded first.
        #[pin]
        future: F,
        call: Option<ClientCall>,
    }
}

impl<F> SendFuture<F> {
    pub(crate) fn new(future: F, call: Option<ClientCall>) -> SendFuture<F> {
        SendFuture { future, call }
    }
}

impl<F: Future> Future for SendFuture<F> {
    type Output = (F::Output, Option<ClientCall>);

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let this = self.project();
        let polled = match this.call {
            Some(call) => call.run(|| this.future.poll(cx)),
            None => this.future.poll(cx),
        };
        let output = ready!(polled);
        Poll::Ready((output, this.call.take()))
    }
}
