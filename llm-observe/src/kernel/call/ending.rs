//! What is said of a call: recorded on it, and how its result is read.

use std::time::Duration;

use super::{Call, Extra};
use crate::kernel::{
    context,
    error_info::ErrorInfo,
    outcome::{ErrorClass, Outcome},
    probe::Verdict,
    value::Value,
};

/// What generated code says of a call, at its start and at its end.
pub struct Ending {
    pub(super) extra: Option<Box<Extra>>,
    pub(super) outcome: Outcome,
    /// Boxed, since it is large and seldom there.
    pub(super) error: Option<Box<ErrorInfo>>,
    pub(super) expected: bool,
}

impl Ending {
    #[inline]
    pub(super) fn of(extra: Option<Box<Extra>>) -> Ending {
        Ending {
            extra,
            outcome: Outcome::Ok,
            error: None,
            expected: false,
        }
    }

    /// Takes what has been recorded on `call` so far, to end it with.
    #[inline]
    pub(crate) fn take(call: &mut Call) -> Ending {
        Ending::of(call.extra.take())
    }

    /// Lets `note` record on the thread's call.
    pub(crate) fn on_current(note: impl FnOnce(&mut Ending)) {
        let Some(extra) = context::change(|current| current.site.map(|_| current.extra.take()))
        else {
            return;
        };
        let Some(extra) = extra else { return };
        let mut ending = Ending::of(extra);
        // Runs the user's expressions: the thread's call must not be borrowed meanwhile.
        note(&mut ending);
        context::change(|current| current.extra = ending.extra);
    }

    /// Records a field.
    pub fn record(&mut self, name: &'static str, value: impl Into<Option<Value>>) {
        if let Some(value) = value.into() {
            self.extra
                .get_or_insert_with(Extra::fresh)
                .fields
                .set(name, value);
        }
    }

    /// Sets the number of things processed.
    pub fn items(&mut self, count: impl Into<Option<u64>>) {
        if let Some(count) = count.into() {
            self.extra.get_or_insert_with(Extra::fresh).items = Some(count);
        }
    }

    /// Sets the score of the result. A score that is no number is not recorded.
    pub fn quality(&mut self, score: f64) {
        if score.is_finite() {
            self.extra.get_or_insert_with(Extra::fresh).quality = Some(score);
        }
    }

    /// Takes over what the returned value says of the outcome.
    #[inline]
    pub fn verdict(&mut self, verdict: Verdict<'_>) {
        if let Verdict::Err(failure) = verdict {
            self.outcome = Outcome::Error;
            self.error = Some(Box::new(failure.describe()));
        }
    }

    /// Writes the error in other words: `err(Debug)`.
    pub fn error_as(&mut self, text: impl Into<Option<Value>>) {
        if let (Some(Value::Str(text)), Some(error)) = (text.into(), &mut self.error) {
            error.message = text;
        }
    }

    /// Says that the error is one of those the attribute expects.
    pub fn expected(&mut self) {
        self.expected = true;
    }

    /// Lets a closure of the attribute decide: not `ok`, so an error.
    pub fn ok_if(&mut self, ok: bool) {
        self.error_if(!ok);
        if ok {
            self.outcome = Outcome::Ok;
            self.error = None;
        }
    }

    /// Lets a closure of the attribute decide that the value is an error.
    pub fn error_if(&mut self, error: bool) {
        if error && self.outcome == Outcome::Ok {
            self.outcome = Outcome::Error;
            let message = "the returned value counts as an error here".to_owned();
            let error = ErrorInfo::new("value", message, ErrorClass::Other);
            self.error = Some(Box::new(error));
        }
    }

    /// Says how it failed, where no returned value can tell.
    pub(crate) fn failed(&mut self, outcome: Outcome, error: ErrorInfo) {
        self.outcome = outcome;
        self.error = Some(Box::new(error));
    }

    /// Makes the outcome of a call that ran into its limit `timeout`, whatever error it returned.
    #[inline]
    pub(crate) fn mind_limit(&mut self) {
        let elapsed = self.extra.as_ref().and_then(|extra| extra.elapsed);
        if let Some(limit) = elapsed {
            self.timed_out(limit);
        }
    }

    #[cold]
    fn timed_out(&mut self, limit: Duration) {
        self.outcome = Outcome::Timeout;
        let error = self.error.get_or_insert_with(|| {
            let message = format!("timed out after {limit:?}");
            Box::new(ErrorInfo::new("Elapsed", message, ErrorClass::Timeout))
        });
        error.class = ErrorClass::Timeout;
    }
}
