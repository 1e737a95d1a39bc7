//! What is wrong with one value, before its position is known.

use toml::de::DeValue;

use crate::choice::UnknownWord;
use crate::message::did_you_mean;
use crate::syntax::Value;
use crate::units::UnitError;

/// What is wrong with one value. The message continues a sentence that starts with the key:
/// `must be ...`, `has no unit`.
#[derive(Debug)]
pub(crate) struct ValueError {
    pub(crate) message: String,
    pub(crate) help: Option<String>,
}

impl ValueError {
    pub(crate) fn new(message: impl Into<String>, help: impl Into<String>) -> Self {
        let (message, help) = (message.into(), Some(help.into()));
        Self { message, help }
    }

    /// Returns an error whose message already says what to write.
    pub(crate) fn bare(message: String) -> Self {
        let help = None;
        Self { message, help }
    }

    /// Returns the error for a value of the wrong type.
    pub(crate) fn wrong_type(expected: &str, value: &Value<'_>, help: &str) -> Self {
        let kind = match value.get_ref() {
            DeValue::Integer(_) => "an integer",
            DeValue::Array(_) => "a list",
            DeValue::String(_) => "a string",
            DeValue::Float(_) => "a number",
            DeValue::Boolean(_) => "a boolean",
            DeValue::Datetime(_) => "a date",
            DeValue::Table(_) => "a table",
        };
        Self::new(format!("must be {expected}, not {kind}"), help)
    }
}

impl From<UnitError> for ValueError {
    fn from(wrong: UnitError) -> Self {
        Self::new(wrong.message(), wrong.help())
    }
}

impl From<UnknownWord> for ValueError {
    fn from(wrong: UnknownWord) -> Self {
        let help = wrong.suggestion().map(did_you_mean);
        let message = wrong.message();
        Self { message, help }
    }
}
