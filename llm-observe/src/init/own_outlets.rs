//! Channels and trackers of the program's own, and what outlets are started as.

use std::sync::Arc;

use super::{Part, Settings};
use crate::{
    error::Error,
    kernel::{sink::Sink, stats::Stats},
    redact::Redactor,
};

/// Channels and trackers of the program's own.
#[derive(Default)]
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

/// Running outlets: the sinks that they get calls through, and what stops them.
pub(crate) type StartedOutlets = (Vec<Arc<dyn Sink>>, Box<dyn Part>);

/// Starts outlets; `None` when neither the configuration nor the program names one.
pub(crate) type StartOutlets = fn(
    &mut Settings,
    &mut OwnOutlets,
    &Arc<Redactor>,
    &Arc<Stats>,
) -> Result<Option<StartedOutlets>, Error>;
