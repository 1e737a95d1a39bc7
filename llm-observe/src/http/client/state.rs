//! What each observer keeps for sent requests.

use std::sync::Arc;

use llm_observe_config::Config;

use super::host_limits::HostLimits;
use crate::{http::sites::SiteTable, kernel::stats::Stats, observer::Setup};

/// What an observer keeps for sent requests.
pub(super) struct ClientState {
    pub(super) config: Config,
    pub(super) stats: Arc<Stats>,
    /// The sites of the hosts that requests are sent to.
    pub(super) hosts: SiteTable,
    /// The rate limits that hosts state.
    pub(super) limits: HostLimits,
}

impl ClientState {
    pub(super) fn new(setup: &Setup<'_>) -> ClientState {
        let (config, stats) = (setup.config, setup.stats);
        let limit = config.metrics.max_label_values;
        ClientState {
            config: config.clone(),
            stats: stats.clone(),
            hosts: SiteTable::new("server_address", limit, stats).redacted_by(setup.redactor),
            limits: HostLimits::default(),
        }
    }
}
