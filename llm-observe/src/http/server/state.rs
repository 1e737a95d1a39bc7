//! What each observer keeps for received requests.

use std::sync::{
    Arc,
    atomic::{AtomicU64, Ordering},
};

use super::policy::HttpPolicy;
use crate::{http::sites::SiteTable, observer::Setup, redact::Redactor};

/// What an observer keeps for received requests.
pub(super) struct ServerState {
    /// Unique to the observer.
    pub(super) number: u64,
    pub(super) redactor: Arc<Redactor>,
    /// `'static`, as the sites that hold its rules are.
    pub(super) policy: &'static HttpPolicy,
    /// The LogRocket application whose sessions are linked.
    pub(super) logrocket_app: Option<String>,
    /// The sites of the server's routes.
    pub(super) routes: SiteTable,
}

impl ServerState {
    pub(super) fn new(setup: &Setup<'_>) -> ServerState {
        static NUMBERS: AtomicU64 = AtomicU64::new(0);
        let config = setup.config;
        let logrocket = config.trackers.logrocket.as_ref();
        ServerState {
            number: NUMBERS.fetch_add(1, Ordering::Relaxed),
            redactor: setup.redactor.clone(),
            policy: Box::leak(Box::new(HttpPolicy::new(&config.http))),
            logrocket_app: logrocket.map(|logrocket| logrocket.app.clone()),
            routes: SiteTable::new("http_route", config.metrics.max_label_values, setup.stats)
                .redacted_by(setup.redactor),
        }
    }
}
