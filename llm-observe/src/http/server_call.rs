//! A request that came in, between its start and its end: the operation call of its exchange, and
//! the ways it can end.

use std::{any::Any, fmt, sync::Arc};

use http::HeaderMap;

use super::{exchange::Exchange, grpc, policy::Policy};
use crate::kernel::{
    call::Call,
    classify,
    error_info::ErrorInfo,
    operation_call::OperationCall,
    outcome::{ErrorClass, Outcome},
    request_context::RequestContext,
};

/// A request that has started and not ended. Dropped, it is cancelled.
pub(crate) struct ServerCall {
    call: OperationCall,
    policy: &'static Policy,
    /// Whether the request is one of gRPC, and the status of it that the answer had.
    grpc: (bool, Option<u16>),
}

impl ServerCall {
    /// Returns one over a call that has started.
    pub(crate) fn new(
        call: Call,
        request: Arc<RequestContext>,
        policy: &'static Policy,
        grpc: bool,
    ) -> ServerCall {
        ServerCall {
            call: OperationCall::over(call, Some(request)),
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

    /// Returns whether the status may still come, behind the body.
    pub(crate) fn awaits_status(&self) -> bool {
        matches!(self.grpc, (true, None))
    }

    /// Returns the request that lines in it are marked with.
    pub(crate) fn request(&self) -> Option<&RequestContext> {
        self.call.request()
    }

    /// Runs `f` with the call and the request as the thread's own; `Err` when it panics. What it
    /// returns, it leaves in a variable of the caller's: returned, it would be moved thrice.
    #[inline]
    pub(crate) fn inside(&mut self, f: impl FnOnce()) -> Result<(), Box<dyn Any + Send>> {
        self.call.catch(f)
    }

    /// Lets `note` write on the exchange.
    pub(crate) fn note(&mut self, note: impl FnOnce(&mut Exchange)) {
        if let Some(exchange) = self.call.operation() {
            note(exchange);
        }
    }

    /// Notes when the first byte of the answer was there.
    pub(crate) fn note_first_byte(&mut self) {
        let elapsed = self.call.elapsed();
        self.note(|exchange| exchange.first_byte = Some(elapsed));
    }

    fn status(&mut self) -> Option<u16> {
        self.call.operation::<Exchange>()?.status
    }

    /// Ends it as its status says.
    pub(crate) fn finish(mut self) {
        let status = self.status();
        let of_grpc = self.grpc.1.and_then(grpc::outcome);
        let failure = of_grpc.or_else(|| self.policy.outcome(status?));
        match failure {
            Some((outcome, error)) => self.end(outcome, error),
            None => self.call.finish(),
        }
    }

    /// Ends it as failed with `error`, after its status or without one.
    pub(crate) fn fail<E: fmt::Display + ?Sized>(self, error: &E) {
        let message = error.to_string();
        let class = classify::of_text(&message).unwrap_or(ErrorClass::Internal);
        let error = ErrorInfo::new(std::any::type_name::<E>(), message, class);
        self.end(Outcome::Error, error);
    }

    /// Ends it as panicked.
    pub(crate) fn panicked(mut self) {
        self.call.end_panicked();
    }

    fn end(mut self, outcome: Outcome, error: ErrorInfo) {
        // An answer that broke off after a good status failed as much as one without.
        let status = self.status().filter(|status| *status >= 400);
        let alerts = self.policy.alerts(outcome, status);
        self.note(|exchange| exchange.alerts = alerts);
        self.call.end_with(outcome, error);
    }
}
