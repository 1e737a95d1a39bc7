//! The durations of `[alerts]`.

use llm_observe_config as config;

use super::quiet_hours::QuietHours;
use crate::{error::Error, outbox::micros};

/// The durations of `[alerts]`, in microseconds.
#[derive(Clone, Debug)]
pub(in crate::alerts) struct AlertTiming {
    pub(in crate::alerts) group_wait: u64,
    pub(in crate::alerts) repeat: u64,
    pub(in crate::alerts) resolve_after: u64,
    pub(in crate::alerts) send_resolved: bool,
    /// Whether that is also sent for a single call that failed.
    pub(in crate::alerts) resolve_single: bool,
    pub(in crate::alerts) quiet_hours: Option<QuietHours>,
}

impl AlertTiming {
    /// # Errors
    ///
    /// When the quiet hours cannot be parsed.
    pub(in crate::alerts) fn new(alerts: &config::Alerts) -> Result<AlertTiming, Error> {
        let quiet_hours = alerts
            .quiet_hours
            .as_deref()
            .map(QuietHours::new)
            .transpose()?;
        Ok(AlertTiming {
            group_wait: micros(alerts.group_wait),
            repeat: micros(alerts.repeat),
            resolve_after: micros(alerts.resolve_after),
            send_resolved: alerts.send_resolved,
            resolve_single: alerts.resolve_single,
            quiet_hours,
        })
    }
}
