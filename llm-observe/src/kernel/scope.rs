//! What is recorded on a call, by generated code at its start and at its end, and by the program
//! while it runs; and how its result is read.

use std::time::Duration;

use super::{
    context,
    error_info::ErrorInfo,
    extra::{AfterCall, Extra, SharedPlace},
    operation::{Operation, Shared},
    outcome::{ErrorClass, Outcome},
    probe::Verdict,
    user_text,
    value::Value,
};

/// What a call's operation can be reached through.
pub trait HasOperation {
    /// Returns what the call is besides a function call.
    fn operation(&mut self) -> Option<&mut (dyn Operation + 'static)>;
}

impl HasOperation for CallScope {
    fn operation(&mut self) -> Option<&mut (dyn Operation + 'static)> {
        self.extra.as_mut()?.operation.as_deref_mut()
    }
}

/// What is recorded on a call, and how it ends.
pub struct CallScope {
    pub(super) extra: Option<Box<Extra>>,
    pub(super) outcome: Outcome,
    /// Boxed, since it is large and seldom there.
    pub(super) error: Option<Box<ErrorInfo>>,
    pub(super) expected: bool,
}

impl CallScope {
    #[inline]
    pub(super) fn new(extra: Option<Box<Extra>>) -> CallScope {
        CallScope {
            extra,
            outcome: Outcome::Ok,
            error: None,
            expected: false,
        }
    }

    /// Lets `note` record on the call that runs on this thread.
    pub(crate) fn on_current(note: impl FnOnce(&mut CallScope)) {
        let taken = context::change(|current| current.site.map(|_| current.extra.take()));
        let Some(extra) = taken.flatten() else {
            return;
        };
        let mut scope = CallScope::new(extra);
        // Runs the program's own expressions: the thread's call must not be borrowed meanwhile.
        scope.read(note);
        context::change(|current| current.extra = scope.extra);
    }

    /// Lets `read` evaluate what is the program's own code in the attribute. A panic in it ends here,
    /// and what comes after it in the attribute is not recorded: without an observer it would not
    /// have run at all.
    pub fn read(&mut self, read: impl FnOnce(&mut CallScope)) {
        user_text::closure(|| read(self));
    }

    /// Makes the call an operation besides; `shared` is found by operations below it from now on. The
    /// call has to be the thread's own.
    pub(crate) fn perform(&mut self, operation: Box<dyn Operation>, shared: Shared) {
        let extra = self.extra.get_or_insert_with(Extra::from_pool);
        if extra.operation.is_some() {
            return;
        }
        extra.operation = Some(operation);
        extra.shared = Some(SharedPlace {
            outside: context::replace_shared(Some(shared.clone())),
            own: shared,
        });
    }

    /// Records a field.
    pub fn record(&mut self, name: &'static str, value: impl Into<Option<Value>>) {
        if let Some(value) = value.into() {
            self.extra
                .get_or_insert_with(Extra::from_pool)
                .fields
                .set(name, value);
        }
    }

    /// Sets the number of things processed.
    pub fn items(&mut self, count: impl Into<Option<u64>>) {
        if let Some(count) = count.into() {
            self.extra.get_or_insert_with(Extra::from_pool).items = Some(count);
        }
    }

    /// The same, where it is not set yet.
    pub(crate) fn items_unless_set(&mut self, count: u64) {
        let extra = self.extra.get_or_insert_with(Extra::from_pool);
        extra.items.get_or_insert(count);
    }

    /// Sets the score of the result. A score that is no number is not recorded.
    pub fn quality(&mut self, score: f64) {
        if score.is_finite() {
            self.extra.get_or_insert_with(Extra::from_pool).quality = Some(score);
        }
    }

    /// Returns whether it has ended well, as far as is known.
    pub(crate) fn is_ok(&self) -> bool {
        self.outcome == Outcome::Ok
    }

    /// Has `after` called once the call has ended well.
    pub(crate) fn after(&mut self, after: AfterCall) {
        let extra = self.extra.get_or_insert_with(Extra::from_pool);
        extra.after.push(after);
    }

    /// Sets the outcome that the returned value stands for.
    #[inline]
    pub fn verdict(&mut self, verdict: Verdict<'_>) {
        if let Verdict::Err(failure) = verdict {
            self.failed(Outcome::Error, failure.describe());
        }
    }

    /// Replaces the error's message: `err(Debug)`.
    pub fn error_as(&mut self, text: impl Into<Option<Value>>) {
        if let (Some(Value::Str(text)), Some(error)) = (text.into(), &mut self.error) {
            error.message = text;
        }
    }

    /// Marks the error as one that the attribute expects.
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
            let message = "the returned value counts as an error here".to_owned();
            let error = ErrorInfo::new("value", message, ErrorClass::Other);
            self.failed(Outcome::Error, error);
        }
    }

    /// Sets how it failed, where there is no returned value to read.
    pub(crate) fn failed(&mut self, outcome: Outcome, error: ErrorInfo) {
        self.outcome = outcome;
        self.error = Some(Box::new(error));
    }

    /// Makes the outcome `timeout`, whatever error was returned: the call ran into its limit.
    #[cold]
    pub(crate) fn timed_out(&mut self, limit: Duration) {
        self.outcome = Outcome::Timeout;
        let error = self.error.get_or_insert_with(|| {
            let message = format!("timed out after {limit:?}");
            Box::new(ErrorInfo::new("Elapsed", message, ErrorClass::Timeout))
        });
        error.class = ErrorClass::Timeout;
    }
}
