//! The metrics module when its feature is off: the same methods, without effect.

use std::sync::Arc;

use llm_observe_config::Config;

use crate::{
    error::Error,
    kernel::{
        metric::Metric,
        operation::{Operation, OperationSite},
        outcome::{ErrorClass, Outcome},
        record::Record,
        site::Site,
        stats::Stats,
    },
};

#[derive(Debug)]
pub(crate) struct Metrics(());

impl Metrics {
    pub(crate) fn global(
        _: &Config,
        _: &[&'static Metric],
        _: Arc<Stats>,
        _: bool,
    ) -> Result<(Metrics, bool), Error> {
        Ok((Metrics(()), true))
    }

    pub(crate) fn of_thread(_: &Config, _: &[&'static Metric], _: Arc<Stats>) -> Metrics {
        Metrics(())
    }

    pub(crate) fn site(&self, _: &'static Site) -> Arc<SiteMetrics> {
        Arc::new(SiteMetrics(()))
    }

    pub(crate) fn operations(&self, _: &'static OperationSite) -> Arc<OperationMetrics> {
        Arc::new(OperationMetrics(()))
    }

    pub(crate) fn observe(&self, _: &'static Metric, _: &[(&'static str, &str)], _: f64) {}

    pub(crate) fn set(&self, _: &'static Metric, _: &[(&'static str, &str)], _: f64) {}

    pub(crate) fn observe_many(
        &self,
        _: &'static Metric,
        _: &[(&'static str, &str)],
        _: f64,
        _: u64,
    ) {
    }

    pub(crate) fn bounds(&self, _: &'static Metric) -> Vec<u64> {
        Vec::new()
    }

    pub(crate) fn add_fraction(&self, _: &'static Metric, _: &[(&'static str, &str)], _: f64) {}

    pub(crate) fn build_info(&self, _: &str, _: &str) {}

    pub(crate) fn publish(&self) {}

    pub(crate) fn render(&self) -> Option<String> {
        None
    }

    pub(crate) fn render_live(&self) -> Option<String> {
        None
    }
}

pub(crate) struct SiteMetrics(());

impl SiteMetrics {
    #[inline]
    pub(crate) fn started(&self) {}

    #[inline]
    pub(crate) fn ended(&self, _: Outcome, _: u64) {}

    pub(crate) fn details(&self, _: &Record<'_>) {}
}

pub(crate) struct OperationMetrics(());

impl OperationMetrics {
    pub(crate) fn started(&self) {}

    pub(crate) fn ended(&self, _: Option<&dyn Operation>, _: Outcome, _: ErrorClass, _: u64) {}
}
