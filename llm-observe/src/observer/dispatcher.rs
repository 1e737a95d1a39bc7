//! An observer as the kernel sees it: its view of each site, and what it keeps for each kind of
//! operation.

use std::{
    any::{Any, TypeId},
    collections::HashMap,
    fmt,
    sync::Arc,
    time::Duration,
};

use super::{
    pipeline::Pipeline,
    setup::{Extension, OperationKind, Setup},
    site_view::SiteView,
};
use crate::{
    kernel::{
        dispatch::Dispatch, extra::SiteObserver, fork_mutex::ForkMutex, registry, site::Site,
    },
    own_thread::{deadline, left},
};

/// An observer, as the kernel dispatches to it.
pub(crate) struct Dispatcher {
    pipeline: Arc<Pipeline>,
    /// By type; there are a handful.
    extensions: Vec<(TypeId, Extension)>,
    kinds: Vec<OperationKind>,
    /// By address. Views know the pipeline, not the dispatcher: nothing holds itself.
    sites: ForkMutex<HashMap<usize, Arc<SiteView>>>,
}

impl Dispatcher {
    /// Returns the observer over `pipeline`, with what each of `kinds` keeps.
    pub(crate) fn new(pipeline: Pipeline, kinds: &[OperationKind]) -> Arc<Dispatcher> {
        Dispatcher::over(pipeline, kinds, false)
    }

    /// As [`Dispatcher::new`], for a test.
    pub(crate) fn scoped(pipeline: Pipeline, kinds: &[OperationKind]) -> Arc<Dispatcher> {
        Dispatcher::over(pipeline, kinds, true)
    }

    fn over(pipeline: Pipeline, kinds: &[OperationKind], scoped: bool) -> Arc<Dispatcher> {
        let setup = Setup {
            config: &pipeline.config,
            stats: &pipeline.stats,
            metrics: &pipeline.metrics,
            redactor: &pipeline.redactor,
            sinks: &pipeline.sinks,
            scoped,
        };
        let extensions: Vec<_> = kinds.iter().map(|kind| (kind.setup)(&setup)).collect();
        let extensions = extensions.into_iter();
        Arc::new(Dispatcher {
            pipeline: Arc::new(pipeline),
            extensions: extensions.map(|e| ((*e).type_id(), e)).collect(),
            kinds: kinds.to_vec(),
            sites: ForkMutex::default(),
        })
    }

    /// Returns what records go through.
    pub(crate) fn pipeline(&self) -> &Arc<Pipeline> {
        &self.pipeline
    }

    /// Has each kind of operation write what it keeps, all of them within `limit`.
    pub(crate) fn flush(&self, limit: Duration, last: bool) {
        let deadline = deadline(limit);
        for (kind, (_, extension)) in self.kinds.iter().zip(&self.extensions) {
            (kind.flush)(extension, left(deadline), last);
        }
    }

    /// Makes the metrics of every annotated function of the program, at 0.
    pub(crate) fn register_sites(&self) {
        for site in registry::all() {
            self.pipeline.metrics.site(site);
        }
    }
}

impl Dispatch for Dispatcher {
    fn site(&self, site: &'static Site) -> Arc<dyn SiteObserver> {
        let new = || Arc::new(SiteView::new(self.pipeline.clone(), site));
        let Some(mut sites) = self.sites.lock() else {
            // In a fork: one for this call.
            return new();
        };
        let address = std::ptr::from_ref(site).addr();
        sites.entry(address).or_insert_with(new).clone()
    }

    fn extension(&self, of: TypeId) -> Option<&Arc<dyn Any + Send + Sync>> {
        let mut known = self.extensions.iter();
        known.find(|(id, _)| *id == of).map(|(_, e)| e)
    }

    fn baggage_keys(&self) -> &'static [&'static str] {
        self.pipeline.baggage_keys
    }
}

impl fmt::Debug for Dispatcher {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Dispatcher").finish_non_exhaustive()
    }
}
