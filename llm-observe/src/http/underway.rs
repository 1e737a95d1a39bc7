//! A request between its start and its end: its call, made the thread's while the request is worked
//! on, and the ways it can end.

use std::{
    any::Any,
    fmt,
    panic::{AssertUnwindSafe, catch_unwind},
    sync::Arc,
};

use http::HeaderMap;

use super::{grpc, policy::Policy, scope::Scope};
use crate::kernel::{
    call::{Call, Ending},
    classify, context,
    error_info::ErrorInfo,
    outcome::{ErrorClass, Outcome},
    request::{Exchange, Request},
};

/// A request that has started and not ended. Dropped, it is cancelled.
pub(crate) struct Underway {
    call: Call,
    /// What lines in it are marked with; the thread's while [`Underway::inside`] runs.
    request: Option<Arc<Request>>,
    policy: &'static Policy,
    /// Whether the request is one of gRPC, and the status of it that the answer had.
    grpc: (bool, Option<u16>),
}

impl Underway {
    /// Returns one over a call that has started.
    pub(crate) fn new(
        call: Call,
        request: Arc<Request>,
        policy: &'static Policy,
        grpc: bool,
    ) -> Underway {
        Underway {
            call,
            request: Some(request),
            policy,
            grpc: (grpc, None),
        }
    }

    /// Notes the status of gRPC in headers or trailers of the answer.
    pub(crate) fn saw(&mut self, headers: &HeaderMap) {
        if let (true, status) = &mut self.grpc {
            *status = status.or_else(|| grpc::status(headers));
        }
    }

    /// Returns whether what tells how it went may come behind the body.
    pub(crate) fn awaits_status(&self) -> bool {
        matches!(self.grpc, (true, None))
    }

    /// Returns the request that lines in it are marked with.
    pub(crate) fn request(&self) -> Option<&Request> {
        self.request.as_deref()
    }

    /// Runs `f` with the call and the request as the thread's own; `Err` when it panics. What it
    /// gives, it leaves in a place of the caller's: returned, it would be moved thrice.
    #[inline]
    pub(crate) fn inside(&mut self, f: impl FnOnce()) -> Result<(), Box<dyn Any + Send>> {
        let before = context::replace_request(self.request.take());
        let entered = self.call.enter();
        let done = catch_unwind(AssertUnwindSafe(f));
        entered.leave(&mut self.call);
        self.request = context::replace_request(before);
        done
    }

    /// Lets `note` write on the exchange, with the time that has passed.
    pub(crate) fn note(&mut self, note: impl FnOnce(&mut Exchange, &Call)) {
        if let Some(mut exchange) = self.call.extra().exchange.take() {
            note(&mut exchange, &self.call);
            self.call.extra().exchange = Some(exchange);
        }
    }

    fn status(&mut self) -> Option<u16> {
        let exchange = self.call.extra().exchange.as_ref();
        exchange.and_then(|exchange| exchange.status)
    }

    /// Ends it as its status says.
    pub(crate) fn finish(mut self) {
        let status = self.status();
        let of_grpc = self.grpc.1.and_then(grpc::outcome);
        let failure = of_grpc.or_else(|| self.policy.outcome(status?));
        self.end(failure);
    }

    /// Ends it as failed with `error`, after its status or without one.
    pub(crate) fn fail<E: fmt::Display + ?Sized>(mut self, error: &E) {
        let message = error.to_string();
        let class = classify::of_text(&message).unwrap_or(ErrorClass::Internal);
        let error = ErrorInfo::new(std::any::type_name::<E>(), message, class);
        self.end(Some((Outcome::Error, error)));
    }

    /// Ends it as panicked.
    pub(crate) fn panicked(mut self) {
        let _scope = Scope::enter(self.request.take());
        self.call.panicked();
    }

    fn end(&mut self, failure: Option<(Outcome, ErrorInfo)>) {
        if let Some((outcome, _)) = failure {
            let alerts = self.alerts(outcome);
            self.note(|exchange, _| exchange.alerts = alerts);
        }
        let _scope = Scope::enter(self.request.take());
        let mut ending = Ending::take(&mut self.call);
        if let Some((outcome, error)) = failure {
            ending.failed(outcome, error);
        }
        self.call.end(ending);
    }

    fn alerts(&mut self, outcome: Outcome) -> bool {
        // An answer that broke off after a good status failed as much as one without.
        let status = self.status().filter(|status| *status >= 400);
        self.policy.alerts(outcome, status)
    }
}

impl Drop for Underway {
    fn drop(&mut self) {
        if self.call.is_on() {
            let _scope = Scope::enter(self.request.take());
            self.call.cancelled();
        }
    }
}
