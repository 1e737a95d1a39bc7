//! When a message is due: thresholds, grouping, repeats, resolution, quiet hours, rates.
//!
//! Pure: it is given what alerted and the time (microseconds since the Unix epoch), and returns
//! the messages that are due for each channel. It must not know clocks, threads or channels.

mod fingerprint;
mod incident;
mod incidents;
mod limiter;
mod quiet_hours;
mod saved;
mod timing;

#[cfg(test)]
mod tests;

pub(super) use incidents::IncidentPolicy;
pub(super) use limiter::ChannelLimit;
pub(super) use saved::SavedState;
pub(super) use timing::AlertTiming;
