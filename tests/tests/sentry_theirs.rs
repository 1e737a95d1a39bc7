//! A program that has initialised Sentry by itself: its client is used as it is.

use std::{
    io,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use llm_observe::{Observer, observe};
use llm_observe_tests::folder::Folder;
use sentry::{
    Client, ClientOptions, Envelope, Hub, Transport, protocol::Context, test::TestTransport,
};

#[observe(event = "embedding")]
fn embed(text: &str) -> io::Result<usize> {
    log::info!("embedding {text:?}");
    let why = format!("no model answers {text:?}");
    Err(io::Error::new(io::ErrorKind::ConnectionRefused, why))
}

/// Sentry's test transport, which besides sees how many envelopes were ever on their way at once.
struct Counting {
    inner: Arc<TestTransport>,
    waiting: AtomicUsize,
    most: AtomicUsize,
}

impl Transport for Counting {
    fn send_envelope(&self, envelope: Envelope) {
        let waiting = self.waiting.fetch_add(1, Ordering::Relaxed) + 1;
        self.most.fetch_max(waiting, Ordering::Relaxed);
        self.inner.send_envelope(envelope);
    }

    fn flush(&self, _: Duration) -> bool {
        self.waiting.store(0, Ordering::Relaxed);
        true
    }
}

#[test]
fn events_go_through_the_programs_own_client_in_the_threads_own_scope() {
    let transport = Arc::new(Counting {
        inner: TestTransport::new(),
        waiting: AtomicUsize::new(0),
        most: AtomicUsize::new(0),
    });
    let seen = Arc::new(AtomicUsize::new(0));
    let counted = seen.clone();
    let options = ClientOptions::new()
        .dsn("https://public@sentry.invalid/1")
        .release("theirs@7")
        .environment("their-stage")
        .before_send(move |event| {
            counted.fetch_add(1, Ordering::Relaxed);
            (!event.tags.contains_key("drop")).then_some(event)
        })
        .transport(transport.clone());
    let theirs = Arc::new(Client::from(options));
    Hub::main().bind_client(Some(theirs.clone()));

    let folder = Folder::new();
    let config = format!(
        "[service]\nname = \"rag\"\nrelease = \"ours@1\"\n[log]\ndir = {:?}\nconsole = \"never\"\n[server]\nlisten = \"off\"\n",
        folder.path()
    );
    let config = folder.write("config.toml", &config);
    let observer = Observer::builder().config_file(config).install().unwrap();

    std::thread::spawn(|| {
        sentry::configure_scope(|scope| {
            scope.set_tag("tenant", "acme");
            scope.set_user(Some(sentry::User {
                id: Some("u-7".into()),
                ..sentry::User::default()
            }));
        });
        embed("a question").unwrap_err();
        sentry::with_scope(
            |scope| scope.set_tag("drop", "yes"),
            || embed("another").unwrap_err(),
        );
    })
    .join()
    .unwrap();
    for n in 0..100 {
        several(n).unwrap_err();
    }
    let flushed = observer.flush(Duration::from_secs(20));
    assert_eq!(flushed.kept, 0, "{flushed:?}");

    assert_eq!(
        transport.most.load(Ordering::Relaxed),
        1,
        "one after the other"
    );
    let envelopes = transport.inner.fetch_and_clear_envelopes();
    assert!(
        envelopes.iter().all(|envelope| envelope.event().is_some()),
        "no sessions, and nothing else"
    );
    let events: Vec<_> = envelopes
        .iter()
        .filter_map(|e| e.event().cloned())
        .collect();
    let of = |event: &str| {
        let of = events
            .iter()
            .filter(|e| e.tags.get("event").is_some_and(|t| t == event));
        of.cloned().collect::<Vec<_>>()
    };
    let embedding = of("embedding");
    assert_eq!(embedding.len(), 1, "`before_send` dropped the other");
    assert_eq!(of("several").len(), 100);
    assert_eq!(seen.load(Ordering::Relaxed), 102);

    let event = &embedding[0];
    assert_eq!(event.release.as_deref(), Some("theirs@7"));
    assert_eq!(event.environment.as_deref(), Some("their-stage"));
    assert_eq!(event.tags["tenant"], "acme");
    assert_eq!(event.tags["service"], "rag");
    assert_eq!(event.user.as_ref().unwrap().id.as_deref(), Some("u-7"));
    assert_ne!(event.sdk.as_ref().unwrap().name, "llm-observe");
    assert!(matches!(
        event.contexts.get("trace"),
        Some(Context::Trace(_))
    ));
    assert_eq!(
        event.exception.values.last().unwrap().value.as_deref(),
        Some("no model answers \"a question\"")
    );
    let breadcrumbs: Vec<_> = event
        .breadcrumbs
        .values
        .iter()
        .filter_map(|c| c.message.clone())
        .collect();
    assert_eq!(breadcrumbs, ["embedding \"a question\""]);

    drop(observer);
    let still = Hub::main().client().unwrap();
    assert!(
        Arc::ptr_eq(&theirs, &still) && still.is_enabled(),
        "nothing of theirs has changed"
    );
}

#[observe(event = "several")]
fn several(n: usize) -> Result<(), String> {
    Err(format!("failure {n}"))
}
