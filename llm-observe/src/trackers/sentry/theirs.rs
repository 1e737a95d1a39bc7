//! Sentry as the program has initialised it: events go through its own client as it is.
//!
//! The user's scope (tags, user, breadcrumbs, processors) is that of the failing thread; release,
//! environment, sampling, `before_send`, integrations and the transport are the client's. There is
//! no second client, and nothing of theirs is changed. What the client then does with an event is
//! its own affair: its transport tries once.

use std::{sync::Arc, time::Duration};

use sentry::{
    Client, Envelope, Hub,
    protocol::{Context, Event},
};

use super::{
    super::{Answer, Delivery, Destination, Origin, Parcel, Report, Scope, Tracker},
    CATEGORY, encode_with,
};

/// How long an event may take through the client's transport before the next one is handed over.
const PATIENCE: Duration = Duration::from_secs(10);

/// Returns the tracker over the program's own client; `None` where it has none that sends.
pub(crate) fn theirs(origin: Origin) -> Option<Arc<dyn Tracker>> {
    // The one that this thread has bound, else the one that new threads get.
    let mut hubs = [Hub::current(), Hub::main()].into_iter();
    let hub = hubs.find(|hub| client(hub).is_some())?;
    Some(over(hub, origin))
}

/// Returns the tracker over the client of that hub.
fn over(hub: Arc<Hub>, origin: Origin) -> Arc<dyn Tracker> {
    Arc::new(Theirs {
        hub,
        origin: Origin {
            service: origin.service,
            ..Origin::default()
        },
    })
}

/// The client of a hub that has one with a DSN and a transport.
fn client(hub: &Hub) -> Option<Arc<Client>> {
    hub.client().filter(|client| client.is_enabled())
}

struct Theirs {
    hub: Arc<Hub>,
    origin: Origin,
}

impl Destination for Theirs {
    fn name(&self) -> &str {
        "sentry"
    }

    fn deliver<'a>(&'a self, parcel: &'a Parcel) -> Answer<'a> {
        Box::pin(async move {
            let Some(client) = client(&self.hub) else {
                return Delivery::retry("the program's own Sentry client is closed");
            };
            let event = Envelope::from_slice(&parcel.body).ok();
            let Some(event) = event.and_then(|envelope| envelope.event().cloned()) else {
                return Delivery::refused("no event of Sentry");
            };
            // Their hooks and their transport may block.
            let handed = tokio::task::spawn_blocking(move || hand_over(&client, event)).await;
            match handed {
                Ok(()) => Delivery::Delivered,
                Err(_) => Delivery::refused("a hook of the program's own Sentry client panicked"),
            }
        })
    }
}

/// One after the other: the client's queue has room for 30.
fn hand_over(client: &Client, event: Event<'static>) {
    client.capture_event(event, None);
    client.flush(Some(PATIENCE));
}

impl Tracker for Theirs {
    fn encode(&self, report: &Report) -> Vec<u8> {
        encode_with(report, &self.origin, &|event| dressed(report, event))
    }

    fn category(&self) -> &str {
        CATEGORY
    }

    /// A snapshot: what the program changes later is of later events.
    fn scope(&self) -> Option<Scope> {
        Some(Scope::new(Hub::new_from_top(Hub::current())))
    }
}

/// Returns the event in the scope of its thread, where that leaves it.
fn dressed(report: &Report, event: Event<'static>) -> Option<Event<'static>> {
    let bare = Event { sdk: None, ..event };
    let hub = report.scope.as_ref().and_then(Scope::get::<Hub>);
    let Some(hub) = hub else { return Some(bare) };
    let mut dressed = None;
    hub.configure_scope(|scope| dressed = scope.apply_to_event(bare));
    let mut event = dressed?;
    let ours = report.trace_id.to_string();
    if !matches!(event.contexts.get("trace"), Some(Context::Trace(t)) if t.trace_id.to_string() == ours)
    {
        // Their trace is shown; the lines of the log have ours.
        event.extra.insert("trace_id".to_owned(), ours.into());
    }
    event
        .breadcrumbs
        .values
        .sort_by_key(|crumb| crumb.timestamp);
    Some(event)
}
