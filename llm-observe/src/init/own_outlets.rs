//! Channels and trackers of the program's own, and what outlets are started as.

use std::sync::Arc;

use super::{Part, Settings, degraded::Attempt};
use crate::{
    error::Error,
    kernel::{sink::Sink, stats::Stats},
    redact::Redactor,
};

/// Channels and trackers of the program's own.
#[derive(Clone, Default)]
pub(crate) struct OwnOutlets {
    #[cfg(feature = "delivery")]
    pub(crate) channels: Vec<Arc<dyn crate::alerts::Channel>>,
    #[cfg(feature = "delivery")]
    pub(crate) trackers: Vec<Arc<dyn crate::trackers::Tracker>>,
}

#[cfg(feature = "delivery")]
impl OwnOutlets {
    /// Returns whether there is a channel.
    pub(crate) fn has_channels(&self) -> bool {
        !self.channels.is_empty()
    }
}

#[cfg(not(feature = "delivery"))]
impl OwnOutlets {
    /// Returns whether there is a channel: without deliveries there cannot be.
    pub(crate) const fn has_channels(&self) -> bool {
        false
    }
}

/// Running outlets.
pub(crate) struct StartedOutlets {
    /// What they get calls through.
    pub(crate) sinks: Vec<Arc<dyn Sink>>,
    /// What stops them.
    pub(crate) part: Box<dyn Part>,
    /// Why what waits is in memory only, and what tries its folder again.
    pub(crate) no_folder: Option<(Error, Attempt)>,
}

/// Starts outlets; `None` when neither the configuration nor the program names one.
pub(crate) type StartOutlets = fn(
    &mut Settings,
    &mut OwnOutlets,
    &Arc<Redactor>,
    &Arc<Stats>,
) -> Result<Option<StartedOutlets>, Error>;
