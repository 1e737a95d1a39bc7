//! Sentry as the program has initialised it: events go through the program's own client.
//!
//! The scope (tags, user, breadcrumbs, processors) is that of the failing thread; release,
//! environment, sampling, `before_send`, integrations and the transport are the client's. There is
//! no second client, and the program's one is not changed. Its transport tries once; what it loses
//! is not known here.

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use sentry::{
    Client, Envelope, Hub,
    protocol::{Context, Event},
};

use super::{envelope::encode_with, sdk::CATEGORY};
use crate::{
    outbox::{Delivery, DeliveryFuture, Destination, Parcel, origin::Origin},
    redact::Redacted,
    trackers::{report::Report, scope::TrackerScope, tracker::Tracker},
    warn::warn,
};

/// How long the client's transport may take for one event before it gets the next.
const FLUSH_TIMEOUT: Duration = Duration::from_secs(10);

/// Returns the tracker over the program's own client; `None` when it has none that sends.
pub(crate) fn existing_client(origin: Origin) -> Option<Arc<dyn Tracker>> {
    // The hub of this thread, else the one that new threads inherit.
    let mut hubs = [Hub::current(), Hub::main()].into_iter();
    let hub = hubs.find(|hub| client(hub).is_some())?;
    Some(over(hub, origin, false))
}

/// Returns the tracker over the client that the program may initialise later. What fails before is not
/// reported, and nothing is while the program has none that sends.
pub(crate) fn later_client(origin: Origin) -> Arc<dyn Tracker> {
    // The first thread that asks is the one whose hub new threads inherit.
    let _ = Hub::current();
    over(Hub::main(), origin, true)
}

/// Returns the tracker over the client of that hub.
fn over(hub: Arc<Hub>, origin: Origin, later: bool) -> Arc<dyn Tracker> {
    Arc::new(ExistingClient {
        hub,
        awaited: AtomicBool::new(later),
        origin: Origin {
            service: origin.service,
            ..Origin::default()
        },
    })
}

/// Returns the client of a hub, when it has a DSN and a transport.
fn client(hub: &Hub) -> Option<Arc<Client>> {
    hub.client().filter(|client| client.is_enabled())
}

struct ExistingClient {
    hub: Arc<Hub>,
    /// Whether the client may still come.
    awaited: AtomicBool,
    origin: Origin,
}

impl Destination for ExistingClient {
    fn name(&self) -> &str {
        "sentry"
    }

    fn deliver<'a>(&'a self, parcel: &'a Parcel) -> DeliveryFuture<'a> {
        Box::pin(async move {
            let Some(client) = client(&self.hub) else {
                return Delivery::retry("the program's own Sentry client is closed");
            };
            let event = Envelope::from_slice(parcel.body()).ok();
            let Some(event) = event.and_then(|envelope| envelope.event().cloned()) else {
                return Delivery::refused("no event of Sentry");
            };
            // The client's hooks and its transport may block.
            let handed = tokio::task::spawn_blocking(move || hand_over(&client, event)).await;
            match handed {
                Ok(()) => Delivery::Delivered,
                Err(_) => Delivery::refused("a hook of the program's own Sentry client panicked"),
            }
        })
    }
}

/// Flushes after each event: the client's queue has room for 30.
fn hand_over(client: &Client, event: Event<'static>) {
    client.capture_event(event, None);
    client.flush(Some(FLUSH_TIMEOUT));
}

impl Tracker for ExistingClient {
    fn encode(&self, report: &Redacted<Report>) -> Redacted<Vec<u8>> {
        let is_there = client(&self.hub).is_some();
        if is_there && self.awaited.swap(false, Ordering::Relaxed) {
            warn("Sentry was initialised after init!() and is used as it is");
        }
        let process = |report: &Report, event| is_there.then(|| in_scope(report, event)).flatten();
        report
            .as_ref()
            .map(|report| encode_with(report, &self.origin, &|event| process(report, event)))
    }

    fn category(&self) -> &str {
        CATEGORY
    }

    /// Returns a snapshot: later changes of the program apply to later events.
    fn scope(&self) -> Option<TrackerScope> {
        Some(TrackerScope::new(Hub::new_from_top(Hub::current())))
    }
}

/// Returns the event in the scope of its thread; `None` when a processor of the scope drops it.
fn in_scope(report: &Report, event: Event<'static>) -> Option<Event<'static>> {
    let bare = Event { sdk: None, ..event };
    let hub = report.scope.as_ref().and_then(TrackerScope::get::<Hub>);
    let Some(hub) = hub else { return Some(bare) };
    let mut processed = None;
    hub.configure_scope(|scope| processed = scope.apply_to_event(bare));
    let mut event = processed?;
    let ours = report.trace_id.to_string();
    if !matches!(event.contexts.get("trace"), Some(Context::Trace(t)) if t.trace_id.to_string() == ours)
    {
        // The event shows the trace of the program's scope; log lines have ours.
        event.extra.insert("trace_id".to_owned(), ours.into());
    }
    event
        .breadcrumbs
        .values
        .sort_by_key(|breadcrumb| breadcrumb.timestamp);
    Some(event)
}
