//! The response to a request, from its head to its last byte, and the ways it can end.

use std::{fmt, sync::Arc, time::Duration};

use http::{HeaderMap, StatusCode, header};

use super::{
    failure::RequestFailure,
    fields,
    metrics::{self, ModelCallEnd},
    model::ModelRequest,
    model_response::{ModelResponse, ModelResponseReader, UsageMissing},
    state::ClientState,
};
use crate::{
    http::{attributes::STATUS_ERROR, exchange::Exchange, http_site::HttpSite},
    kernel::{
        classify, clock,
        error_info::ErrorInfo,
        operation_call::OperationCall,
        outcome::{ErrorClass, Outcome},
    },
};

/// A response whose body has not ended. Dropped, it ends as its reader left it.
pub(crate) struct ClientResponse {
    call: OperationCall,
    state: Arc<ClientState>,
    site: &'static HttpSite,
    status: u16,
    /// When the head arrived: the time since the start, and the reading of the clock.
    head_at: (Duration, u64),
    bytes: u64,
    /// The length of the whole body, where it is known.
    expected_bytes: Option<u64>,
    /// Whether a reader has polled the body.
    has_reader: bool,
    model_request: Option<ModelRequest>,
    model_reader: Option<ModelResponseReader>,
    /// From the start to the first event of a stream.
    first_chunk: Option<Duration>,
}

/// How the body of a response ends.
enum BodyEnd {
    Complete,
    Broken(Box<RequestFailure>),
    /// The reader dropped it.
    Dropped,
}

/// How the call ends.
enum CallResult {
    Ok,
    Failed(Outcome, ErrorInfo),
    Cancelled,
}

impl ClientResponse {
    pub(super) fn new(
        call: OperationCall,
        state: Arc<ClientState>,
        site: &'static HttpSite,
        status: u16,
    ) -> ClientResponse {
        ClientResponse {
            head_at: (call.elapsed(), clock::ticks()),
            call,
            state,
            site,
            status,
            bytes: 0,
            expected_bytes: None,
            has_reader: false,
            model_request: None,
            model_reader: None,
            first_chunk: None,
        }
    }

    /// Sets the length of the whole body, where it is known.
    pub(super) fn expect_bytes(mut self, bytes: Option<u64>) -> ClientResponse {
        self.expected_bytes = bytes;
        self
    }

    /// Reads the body of a response to `request`, if that is a request to a model.
    pub(super) fn read_model_response(
        mut self,
        request: Option<ModelRequest>,
        headers: &HeaderMap,
    ) -> ClientResponse {
        let text = |name| headers.get(name).and_then(|value| value.to_str().ok());
        let (content_type, encoding) = (text(header::CONTENT_TYPE), text(header::CONTENT_ENCODING));
        self.model_request = request;
        self.model_reader = request.map(|_| ModelResponseReader::new(content_type, encoding));
        self
    }

    /// Records that a reader polls the body.
    pub(crate) fn note_reader(&mut self) {
        self.has_reader = true;
    }

    /// Counts and reads the next bytes of the body.
    pub(crate) fn note_data(&mut self, data: &[u8]) {
        if data.is_empty() {
            return;
        }
        if self.bytes == 0 {
            let elapsed = self.call.elapsed();
            if let Some(exchange) = self.call.operation::<Exchange>() {
                exchange.first_byte = Some(elapsed);
            }
        }
        self.bytes += u64::try_from(data.len()).unwrap_or(u64::MAX);
        if let Some(reader) = &mut self.model_reader {
            reader.feed(data);
            if self.first_chunk.is_none() && reader.has_begun() {
                self.first_chunk = Some(self.call.elapsed());
            }
        }
    }

    /// Counts bytes that are not in one piece, and gives up reading the body.
    pub(crate) fn note_unread_data(&mut self, bytes: usize) {
        self.bytes += u64::try_from(bytes).unwrap_or(u64::MAX);
        if let Some(reader) = &mut self.model_reader {
            *reader = ModelResponseReader::unread(UsageMissing::Unreadable);
        }
    }

    /// Returns whether the whole body has passed.
    pub(crate) fn is_complete(&self) -> bool {
        self.expected_bytes
            .is_some_and(|expected| self.bytes >= expected)
    }

    /// Ends it at its last byte.
    pub(crate) fn finish(mut self) {
        self.end(BodyEnd::Complete);
    }

    /// Ends it with the failure of its body.
    pub(crate) fn fail(mut self, failure: RequestFailure) {
        self.end(BodyEnd::Broken(Box::new(failure)));
    }

    fn end(&mut self, end: BodyEnd) {
        let complete = matches!(end, BodyEnd::Complete);
        // A retry layer may hold an unread response while it waits. That time is not the request's,
        // so an unread response ends with its head (allowed by the HTTP conventions).
        let (duration, at) = match end {
            BodyEnd::Dropped if !self.has_reader => self.head_at,
            _ => (self.call.elapsed(), clock::ticks()),
        };
        let reader = self.model_reader.take();
        let (model, missing) = reader.map_or_else(Default::default, ModelResponseReader::finish);
        let result = self.result(end, &model);
        // Readers of OpenAI's streams drop the body after the last event.
        let is_whole = complete || model.is_done;
        let (bytes, has_reader) = (self.bytes, self.has_reader);
        if let Some(exchange) = self.call.operation::<Exchange>() {
            exchange.response_bytes = has_reader.then_some(bytes);
        }
        fields::set_response(&mut self.call.extra().fields, &model, self.first_chunk);
        self.record_metrics(&result, &model, duration, missing.filter(|_| is_whole));
        match result {
            CallResult::Cancelled => self.call.end_cancelled(),
            CallResult::Failed(outcome, error) => self.call.end_at(Some((outcome, error)), at),
            CallResult::Ok => self.call.end_at(None, at),
        }
    }

    fn result(&self, end: BodyEnd, model: &ModelResponse) -> CallResult {
        let code = model.error_code.as_deref();
        match end {
            _ if self.status >= 400 => {
                CallResult::Failed(Outcome::Error, status_error(self.status, code))
            }
            BodyEnd::Broken(failure) => CallResult::Failed(failure.outcome, failure.error),
            // A stream that began with a successful status reports its failure in an event.
            _ if code.is_some() => CallResult::Failed(Outcome::Error, model_error(code)),
            // A reader that needs only the status may drop the body unread.
            BodyEnd::Dropped if self.has_reader && !self.is_complete() && !model.is_finished() => {
                CallResult::Cancelled
            }
            BodyEnd::Complete | BodyEnd::Dropped => CallResult::Ok,
        }
    }

    fn record_metrics(
        &self,
        result: &CallResult,
        model: &ModelResponse,
        duration: Duration,
        missing: Option<UsageMissing>,
    ) {
        let Some(request) = self.model_request else {
            return;
        };
        let end = ModelCallEnd {
            duration,
            first_chunk: self.first_chunk,
            error_type: match result {
                CallResult::Ok => None,
                CallResult::Cancelled => Some(Outcome::Cancelled.as_str().to_owned()),
                CallResult::Failed(..) if self.status >= 400 => Some(self.status.to_string()),
                CallResult::Failed(_, error) => Some(error.class.as_str().to_owned()),
            },
        };
        metrics::model_call(&self.state, self.site, request, model, &end);
        if let (CallResult::Ok, Some(reason)) = (result, missing) {
            metrics::usage_missing(&self.state, reason);
        }
    }
}

impl Drop for ClientResponse {
    fn drop(&mut self) {
        if self.call.is_observed() {
            self.end(BodyEnd::Dropped);
        }
    }
}

impl fmt::Debug for ClientResponse {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ClientResponse")
            .field("status", &self.status)
            .field("bytes", &self.bytes)
            .finish_non_exhaustive()
    }
}

/// Returns the error that a status stands for. A code in the body classifies it more exactly.
fn status_error(status: u16, code: Option<&str>) -> ErrorInfo {
    let reason = StatusCode::from_u16(status).ok();
    let reason = reason.and_then(|status| status.canonical_reason());
    let mut message = status.to_string();
    if let Some(reason) = reason {
        message.push(' ');
        message.push_str(reason);
    }
    if let Some(code) = code {
        message.push_str(": ");
        message.push_str(code);
    }
    let class = code.and_then(classify::of_text);
    let class = class.or_else(|| ErrorClass::of_status(status));
    ErrorInfo::new(STATUS_ERROR, message, class.unwrap_or(ErrorClass::Other))
}

/// Returns the error that a model's response with a successful status reports.
fn model_error(code: Option<&str>) -> ErrorInfo {
    let code = code.unwrap_or_default();
    let class = classify::of_text(code).unwrap_or(ErrorClass::Other);
    ErrorInfo::new("answer", code.to_owned(), class)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_code_in_the_body_refines_the_class_of_a_status() {
        let error = status_error(429, None);
        assert_eq!(error.message, "429 Too Many Requests");
        assert_eq!(error.class, ErrorClass::RateLimit);
        let error = status_error(429, Some("insufficient_quota"));
        assert_eq!(error.message, "429 Too Many Requests: insufficient_quota");
        assert_eq!(error.class, ErrorClass::BudgetExceeded);
        let error = status_error(400, Some("context_length_exceeded"));
        assert_eq!(error.class, ErrorClass::ContextWindowExceeded);
        assert_eq!(status_error(599, None).message, "599");
    }
}
