//! The answer to a request, from its head to its last byte, and the ways it can end.

use std::{fmt, sync::Arc, time::Duration};

use http::{HeaderMap, StatusCode, header};

use super::{
    fault::Fault,
    metrics::{self, ModelCallEnd},
    model::Asked,
    outgoing::exchange_of,
    record,
    usage::{Missing, Reader, Reading},
};
use crate::{
    http::{Http, exchange::STATUS, http_site::HttpSite},
    kernel::{
        call::Call,
        classify, clock,
        error_info::ErrorInfo,
        outcome::{ErrorClass, Outcome},
    },
};

/// An answer whose body is not at its end. Dropped, it ends as its reader left it.
pub(crate) struct Answer {
    call: Call,
    http: Arc<Http>,
    site: &'static HttpSite,
    status: u16,
    /// When its head was there: the time since the start, and the reading of the clock.
    head: (Duration, u64),
    bytes: u64,
    /// How many bytes there will be, where that is known.
    promised: Option<u64>,
    /// Whether anybody has asked for the body.
    wanted: bool,
    asked: Option<Asked>,
    reader: Option<Reader>,
    /// From the start to the first event of a stream.
    first_chunk: Option<Duration>,
}

/// How the body of an answer ends.
enum End {
    Complete,
    Broken(Box<Fault>),
    /// Its reader wants no more of it.
    Left,
}

/// How the call ends.
enum Verdict {
    Ok,
    Failed(Outcome, ErrorInfo),
    Cancelled,
}

impl Answer {
    pub(super) fn new(call: Call, http: Arc<Http>, site: &'static HttpSite, status: u16) -> Answer {
        Answer {
            head: (call.elapsed(), clock::ticks()),
            call,
            http,
            site,
            status,
            bytes: 0,
            promised: None,
            wanted: false,
            asked: None,
            reader: None,
            first_chunk: None,
        }
    }

    pub(super) fn promised(mut self, bytes: Option<u64>) -> Answer {
        self.promised = bytes;
        self
    }

    /// Has what a model says of itself read along.
    pub(super) fn of_model(mut self, asked: Option<Asked>, headers: &HeaderMap) -> Answer {
        let text = |name| headers.get(name).and_then(|value| value.to_str().ok());
        self.asked = asked;
        self.reader =
            asked.map(|_| Reader::new(text(header::CONTENT_TYPE), text(header::CONTENT_ENCODING)));
        self
    }

    /// Notes that somebody asks for the body.
    pub(crate) fn want(&mut self) {
        self.wanted = true;
    }

    /// Takes note of the next bytes of the body.
    pub(crate) fn saw(&mut self, data: &[u8]) {
        if data.is_empty() {
            return;
        }
        if self.bytes == 0 {
            let elapsed = self.call.elapsed();
            if let Some(exchange) = exchange_of(&mut self.call) {
                exchange.first_byte = Some(elapsed);
            }
        }
        self.bytes += u64::try_from(data.len()).unwrap_or(u64::MAX);
        if let Some(reader) = &mut self.reader {
            reader.feed(data);
            if self.first_chunk.is_none() && reader.has_begun() {
                self.first_chunk = Some(self.call.elapsed());
            }
        }
    }

    /// Takes note of bytes that cannot be looked at in one piece.
    pub(crate) fn lost(&mut self, bytes: usize) {
        self.bytes += u64::try_from(bytes).unwrap_or(u64::MAX);
        if self.reader.take().is_some() {
            self.reader = Some(Reader::unread(Missing::Unreadable));
        }
    }

    /// Returns whether all that was promised has come.
    pub(crate) fn is_complete(&self) -> bool {
        self.promised.is_some_and(|promised| self.bytes >= promised)
    }

    /// Ends it at its last byte.
    pub(crate) fn finish(mut self) {
        self.end(End::Complete);
    }

    /// Ends it broken off.
    pub(crate) fn broke(mut self, fault: Fault) {
        self.end(End::Broken(Box::new(fault)));
    }

    fn end(&mut self, end: End) {
        let complete = matches!(end, End::Complete);
        // By the HTTP conventions: when an answer whose body nobody reads is cleaned up has nothing
        // to do with the request. It may be after the wait for the next attempt.
        let (duration, at) = match end {
            End::Left if !self.wanted => self.head,
            _ => (self.call.elapsed(), clock::ticks()),
        };
        let reader = self.reader.take();
        let (reading, missing) = reader.map_or_else(Default::default, Reader::finish);
        let verdict = self.verdict(end, &reading);
        let (bytes, wanted) = (self.bytes, self.wanted);
        if let Some(exchange) = exchange_of(&mut self.call) {
            exchange.response_bytes = wanted.then_some(bytes);
        }
        record::answered(&mut self.call.extra().fields, &reading, self.first_chunk);
        self.count(&verdict, &reading, duration, missing.filter(|_| complete));
        if let Verdict::Cancelled = verdict {
            return self.call.cancelled();
        }
        let mut scope = self.call.take_scope();
        if let Verdict::Failed(outcome, error) = verdict {
            scope.failed(outcome, error);
        }
        self.call.end_at(scope, at);
    }

    fn verdict(&self, end: End, reading: &Reading) -> Verdict {
        let code = reading.error_code.as_deref();
        match end {
            _ if self.status >= 400 => {
                Verdict::Failed(Outcome::Error, status_error(self.status, code))
            }
            End::Broken(fault) => Verdict::Failed(fault.outcome, fault.error),
            // A stream that has begun well can only say in its events that it failed.
            _ if code.is_some() => Verdict::Failed(Outcome::Error, answer_error(code)),
            // Whoever looks at the status alone has what they wanted.
            End::Left if self.wanted && !self.is_complete() && !reading.is_over() => {
                Verdict::Cancelled
            }
            End::Complete | End::Left => Verdict::Ok,
        }
    }

    fn count(
        &self,
        verdict: &Verdict,
        reading: &Reading,
        duration: Duration,
        missing: Option<Missing>,
    ) {
        let Some(asked) = self.asked else { return };
        let ended = ModelCallEnd {
            duration,
            first_chunk: self.first_chunk,
            error_type: match verdict {
                Verdict::Ok => None,
                Verdict::Cancelled => Some(Outcome::Cancelled.as_str().to_owned()),
                Verdict::Failed(..) if self.status >= 400 => Some(self.status.to_string()),
                Verdict::Failed(_, error) => Some(error.class.as_str().to_owned()),
            },
        };
        metrics::model_call(&self.http, self.site, asked, reading, &ended);
        if let (Verdict::Ok, Some(why)) = (verdict, missing) {
            metrics::missing(&self.http, why);
        }
    }
}

impl Drop for Answer {
    fn drop(&mut self) {
        if self.call.is_observed() {
            self.end(End::Left);
        }
    }
}

impl fmt::Debug for Answer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Answer")
            .field("status", &self.status)
            .field("bytes", &self.bytes)
            .finish_non_exhaustive()
    }
}

/// Returns the error that a status stands for; a code in the body tells its class better.
fn status_error(status: u16, code: Option<&str>) -> ErrorInfo {
    let reason = StatusCode::from_u16(status).ok();
    let reason = reason.and_then(|status| status.canonical_reason());
    let mut message = status.to_string();
    for part in [reason, code.map(|_| ":"), code].into_iter().flatten() {
        if part != ":" {
            message.push(' ');
        }
        message.push_str(part);
    }
    let class = code.and_then(classify::of_text);
    let class = class.or_else(|| ErrorClass::of_status(status));
    ErrorInfo::new(STATUS, message, class.unwrap_or(ErrorClass::Other))
}

fn answer_error(code: Option<&str>) -> ErrorInfo {
    let code = code.unwrap_or_default();
    let class = classify::of_text(code).unwrap_or(ErrorClass::Other);
    ErrorInfo::new("answer", code.to_owned(), class)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_status_is_an_error_and_a_code_says_which() {
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
