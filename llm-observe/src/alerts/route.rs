//! Where an alert goes.

use std::time::Duration;

use crate::kernel::alert_rule::Severity;

/// Where one rule sends an alert, and from how many calls on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct AlertRoute {
    pub(super) channels: Vec<String>,
    pub(super) severity: Severity,
    pub(super) after: u32,
    pub(super) within: Duration,
}
