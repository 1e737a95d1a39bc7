//! The call of a received request, and the ways it can end.

use std::{any::Any, fmt};

use http::HeaderMap;

use super::{grpc, policy::HttpPolicy};
use crate::{
    http::{error_types, exchange::Exchange},
    kernel::{
        call::Call,
        classify,
        context::Ambient,
        describe,
        error_info::ErrorInfo,
        operation_call::OperationCall,
        outcome::{ErrorClass, Outcome},
        request_context::RequestContext,
        user_text,
    },
};

/// A received request that has started and not ended. Dropped, it ends as cancelled.
pub(crate) struct ServerCall {
    call: OperationCall,
    policy: &'static HttpPolicy,
    is_grpc: bool,
    grpc_status: Option<u16>,
}

impl ServerCall {
    /// Returns the request of a call that has started, whose work carries `ambient`.
    pub(crate) fn new(
        call: Call,
        ambient: Ambient,
        policy: &'static HttpPolicy,
        is_grpc: bool,
    ) -> ServerCall {
        ServerCall {
            call: OperationCall::over(call, ambient),
            policy,
            is_grpc,
            grpc_status: None,
        }
    }

    /// Takes the gRPC status from headers or trailers of the response.
    pub(crate) fn note_grpc_status(&mut self, headers: &HeaderMap) {
        if self.is_grpc && self.grpc_status.is_none() {
            self.grpc_status = grpc::status(headers);
        }
    }

    /// Returns whether a gRPC status may still follow after the body.
    pub(crate) fn awaits_grpc_status(&self) -> bool {
        self.is_grpc && self.grpc_status.is_none()
    }

    /// Returns the context that lines and calls during the request carry.
    pub(crate) fn request(&self) -> Option<&RequestContext> {
        self.call.request()
    }

    /// Runs `f` as work of the request; `Err` if it panics. `f` leaves its result in a variable of the
    /// caller, because returning it would move it three times.
    #[inline]
    pub(crate) fn run(&mut self, f: impl FnOnce()) -> Result<(), Box<dyn Any + Send>> {
        self.call.catch(f)
    }

    /// Lets `note` change the exchange.
    pub(crate) fn note(&mut self, note: impl FnOnce(&mut Exchange)) {
        if let Some(exchange) = self.call.operation() {
            note(exchange);
        }
    }

    /// Records the time to the first byte of the response.
    pub(crate) fn note_first_byte(&mut self) {
        let elapsed = self.call.elapsed();
        self.note(|exchange| exchange.first_byte = Some(elapsed));
    }

    fn status(&mut self) -> Option<u16> {
        self.call.operation::<Exchange>()?.status
    }

    /// Ends it with the outcome that its status stands for.
    pub(crate) fn finish(mut self) {
        let status = self.status();
        let grpc_failure = self.grpc_status.and_then(grpc::failure);
        let failure = grpc_failure.or_else(|| self.policy.failure(status?));
        match failure {
            Some((outcome, error)) => self.end(outcome, error),
            None => self.call.finish(),
        }
    }

    /// Ends it with `error`, whether it has a status or not.
    pub(crate) fn fail<E: fmt::Display + 'static>(self, error: &E) {
        self.end(Outcome::Error, described(error));
    }

    /// Ends it as panicked.
    pub(crate) fn panicked(mut self) {
        self.call.end_panicked();
    }

    fn end(mut self, outcome: Outcome, error: ErrorInfo) {
        // A response that breaks off after a successful status counts as one without a status.
        let status = self.status().filter(|status| *status >= 400);
        let alerts = self.policy.alerts(outcome, status);
        self.note(|exchange| exchange.alerts = alerts);
        self.call.end_with(outcome, error);
    }
}

/// Describes the error of a service or of a body, with its causes where its type has them. One of
/// which nothing is known is the service's own.
fn described<E: fmt::Display + 'static>(error: &E) -> ErrorInfo {
    let mut info = match error_types::as_error(error) {
        Some(known) => describe::error(error_types::type_name_of(known), known),
        None => {
            let message = user_text::display(error);
            let class = classify::of_text(&message).unwrap_or(ErrorClass::Internal);
            ErrorInfo::new(std::any::type_name::<E>(), message, class)
        }
    };
    if info.class == ErrorClass::Other {
        info.class = ErrorClass::Internal;
    }
    info
}
