//! Equal errors of an alert.

use super::trigger::Trigger;
use crate::kernel::outcome::ErrorClass;

/// Equal errors of an alert, with their number.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct ErrorGroup {
    /// The function that failed.
    pub function: String,
    /// The property of its calls that alerted.
    pub trigger: Trigger,
    /// The error's type; empty where there is no error.
    pub type_name: String,
    /// The error's text; for other triggers a description, such as how long the call took.
    pub message: String,
    /// The error's class.
    pub class: Option<ErrorClass>,
    /// How many calls failed with it.
    pub count: u64,
}

impl ErrorGroup {
    /// Returns the error's type, or the trigger's name where there is no error.
    pub(super) fn kind(&self) -> &str {
        match self.type_name.as_str() {
            "" => self.trigger.as_str(),
            name => name,
        }
    }

    /// Returns it in one line: "30 × rag::QueryError in rag::query: connection refused".
    #[must_use]
    pub fn line(&self) -> String {
        let kind = self.kind();
        let text = if self.message.is_empty() {
            String::new()
        } else {
            format!(": {}", self.message)
        };
        format!("{} × {kind} in {}{text}", self.count, self.function)
    }
}
