//! The metrics module when its feature is off: the same methods, without effect.

use std::sync::Arc;

use llm_observe_config::Config;

use crate::{
    error::Error,
    kernel::{
        call::Ended,
        metric::{Metric, Tables},
        outcome::Outcome,
        record::Record,
        request::ModelCall,
        site::{RequestSite, Site},
        stats::Stats,
    },
};

#[derive(Debug)]
pub(crate) struct Metrics(());

impl Metrics {
    pub(crate) fn global(_: &Config, _: Tables, _: Arc<Stats>) -> Result<(Metrics, bool), Error> {
        Ok((Metrics(()), true))
    }

    pub(crate) fn of_thread(_: &Config, _: Tables, _: Arc<Stats>) -> Metrics {
        Metrics(())
    }

    pub(crate) fn site(&self, _: &'static Site) -> Arc<SiteMetrics> {
        Arc::new(SiteMetrics(()))
    }

    pub(crate) fn requests(&self, _: &'static RequestSite) -> Arc<RequestMetrics> {
        Arc::new(RequestMetrics(()))
    }

    pub(crate) fn observe(&self, _: &'static Metric, _: &[(&'static str, &str)], _: f64) {}

    pub(crate) fn model_call(&self, _: &ModelCall<'_>) {}

    pub(crate) fn build_info(&self, _: &str, _: &str) {}

    pub(crate) fn publish(&self) {}

    pub(crate) fn render(&self) -> Option<String> {
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

pub(crate) struct RequestMetrics(());

impl RequestMetrics {
    pub(crate) fn started(&self) {}

    pub(crate) fn ended(&self, _: Option<u16>, _: &Ended) {}
}
