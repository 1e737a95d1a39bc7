//! `[alerts]`: when alerts are sent, repeated, resolved and suppressed.

use std::time::Duration;

use crate::channels;
use crate::names;
use crate::secret::Secret;
use crate::section::Section;
use crate::value;

/// The alert policy.
#[non_exhaustive]
#[derive(Clone, Debug, PartialEq)]
pub struct Alerts {
    /// How long the first alert waits for others of its group. Default: 2 s.
    pub group_wait: Duration,
    /// How long until an alert that is still firing is sent again. Default: 4 h.
    pub repeat: Duration,
    /// How long without a new occurrence until an alert is resolved. Default: 5 min.
    pub resolve_after: Duration,
    /// Whether a message says that an alert is resolved. Default: true.
    pub send_resolved: bool,
    /// Whether that message is also sent for a single failure that was not seen again. Channels that
    /// keep an alert open, such as `pagerduty`, get it in any case. Default: true.
    pub resolve_single: bool,
    /// The hours of the day in which only critical alerts are sent, such as `22:00-07:00`, as
    /// [`units::hours`](crate::units::hours) reads them. Default: none.
    pub quiet_hours: Option<String>,
    /// The URL that is called as long as the service runs. Default: none.
    pub heartbeat: Option<Secret>,
    /// How often `heartbeat` is called. Default: 1 min.
    pub heartbeat_every: Duration,
    /// A web page that alerts link to. Default: none.
    pub dashboard: Option<String>,
    /// The page of a trace, with `{trace_id}` where its id belongs. Default: none.
    pub trace_url: Option<String>,
    /// The channels of alerts that name no channel; empty: every channel.
    pub default_channels: Vec<String>,
}

impl Default for Alerts {
    fn default() -> Self {
        Self {
            group_wait: Duration::from_secs(2),
            repeat: Duration::from_secs(4 * 3600),
            resolve_after: Duration::from_secs(5 * 60),
            send_resolved: true,
            resolve_single: true,
            quiet_hours: None,
            heartbeat: None,
            heartbeat_every: Duration::from_secs(60),
            dashboard: None,
            trace_url: None,
            default_channels: Vec::new(),
        }
    }
}

impl Alerts {
    pub(crate) fn read(section: &Section<'_, '_>) -> Self {
        let mut alerts = Self::default();
        section.set("group_wait", &mut alerts.group_wait, value::duration);
        section.set("repeat", &mut alerts.repeat, value::some_duration);
        section.set(
            "resolve_after",
            &mut alerts.resolve_after,
            value::some_duration,
        );
        section.set("send_resolved", &mut alerts.send_resolved, value::boolean);
        section.set("resolve_single", &mut alerts.resolve_single, value::boolean);
        section.optional("quiet_hours", &mut alerts.quiet_hours, names::hours);
        section.optional("heartbeat", &mut alerts.heartbeat, value::secret);
        section.set(
            "heartbeat_every",
            &mut alerts.heartbeat_every,
            value::some_duration,
        );
        section.optional("dashboard", &mut alerts.dashboard, value::link);
        section.optional("trace_url", &mut alerts.trace_url, value::trace_link);
        channels::read_names(section, "default_channels", &mut alerts.default_channels);
        alerts
    }
}
