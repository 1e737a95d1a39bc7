//! The http module when its feature is off: there are no requests.

use llm_observe_config::Config;

use crate::kernel::stats::Stats;

#[path = "../http/metrics_table.rs"]
pub(crate) mod metrics_table;

pub(crate) use metrics_table::TABLE as METRICS;

#[derive(Debug)]
pub(crate) struct Http(());

impl Http {
    pub(crate) fn new(_: &Config, _: &Stats) -> Http {
        Http(())
    }
}
