//! `parent` and `follows_from`, as in `#[instrument]`, seen by a subscriber of the user's.

use std::{
    future::Future,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
};

use llm_observe::{Outcome, observe, testing};
use tracing::{
    Event, Metadata, Span, Subscriber,
    span::{Attributes, Id, Record},
};

#[observe(parent = above, follows_from = [cause.id()], target = "links", level = "debug")]
fn sync(above: &Span, cause: &Span) -> u8 {
    let _ = (above, cause);
    1
}

#[observe(parent = &above, follows_from = causes)]
async fn asynchronous(above: Span, causes: &[Span]) -> usize {
    drop(above);
    causes.len()
}

#[observe(parent = None)]
fn future() -> impl Future<Output = u8> {
    std::future::ready(3)
}

/// Gives each span an id.
#[derive(Clone, Default)]
struct Ids(Arc<AtomicU64>);

impl Subscriber for Ids {
    fn enabled(&self, _: &Metadata<'_>) -> bool {
        true
    }
    fn new_span(&self, _: &Attributes<'_>) -> Id {
        Id::from_u64(self.0.fetch_add(1, Ordering::Relaxed) + 1)
    }
    fn record(&self, _: &Id, _: &Record<'_>) {}
    fn record_follows_from(&self, _: &Id, _: &Id) {}
    fn event(&self, _: &Event<'_>) {}
    fn enter(&self, _: &Id) {}
    fn exit(&self, _: &Id) {}
}

#[test]
fn links_are_evaluated_and_change_nothing_else() {
    tracing::subscriber::with_default(Ids::default(), || {
        let seen = testing::observe();
        let (above, cause) = (tracing::info_span!("above"), tracing::info_span!("cause"));
        let runtime = tokio::runtime::Builder::new_current_thread()
            .build()
            .unwrap();
        assert_eq!(sync(&above, &cause), 1);
        assert_eq!(runtime.block_on(asynchronous(above, &[cause])), 1);
        assert_eq!(runtime.block_on(future()), 3);
        let calls = seen.calls();
        assert_eq!(calls.len(), 3);
        assert!(
            calls
                .iter()
                .all(|call| call.outcome == Outcome::Ok && call.parent_id.is_none())
        );
        assert_eq!(calls[0].site.target, "links");
    });
}
