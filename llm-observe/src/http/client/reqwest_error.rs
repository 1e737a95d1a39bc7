//! Recognises `reqwest`'s errors.

use std::{any::Any, error::Error};

use super::attempts::RetryReason;

/// Returns `error` and how the attempt ended, if it is an error of `reqwest`.
pub(super) fn recognise(error: &dyn Any) -> Option<(&(dyn Error + 'static), RetryReason)> {
    let error: &reqwest::Error = error.downcast_ref()?;
    let reason = match error {
        error if error.is_timeout() => RetryReason::Timeout,
        error if error.is_connect() => RetryReason::Connect,
        _ => RetryReason::Other,
    };
    Some((error, reason))
}
