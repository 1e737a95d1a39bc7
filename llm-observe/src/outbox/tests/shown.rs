//! What metrics and the log show of a destination.

use std::fmt;

use super::*;

#[test]
fn a_destination_that_keeps_failing_is_shown_as_down_until_it_answers() {
    let (stats, destination) = (Arc::<Stats>::default(), ScriptedDestination::down("a"));
    let to = vec![destination.clone() as Arc<dyn Destination>];
    let outbox = Outbox::open(options(None), to, stats.clone()).unwrap();
    let down = stats.gauge(
        crate::kernel::metrics_table::CIRCUIT_OPEN,
        &[("destination", "a")],
    );
    let until = |wanted: i64| {
        let start = Instant::now();
        while down.get() != wanted {
            assert!(start.elapsed() < LONG, "the gauge is {}", down.get());
            std::thread::sleep(Duration::from_millis(2));
        }
    };
    outbox.put(parcel("a", "1"));
    until(1);
    let report = outbox.flush(Duration::from_millis(1));
    assert_eq!((report.kept(), report.unsaved()), (1, 1), "in memory only");
    *destination.usual.lock().unwrap() = Delivery::Delivered;
    until(0);
}

#[test]
fn expired_parcels_are_dropped_and_counted() {
    let (folder, stats) = (Folder::new(), Arc::<Stats>::default());
    let limits = OutboxOptions {
        upkeep: Duration::from_millis(5),
        max_age: Duration::from_secs(3600),
        ..options(Some(folder.path()))
    };
    let to = vec![ScriptedDestination::down("a") as Arc<dyn Destination>];
    let outbox = Outbox::open(limits, to, stats.clone()).unwrap();
    let mut old = parcel("a", "old");
    old.created -= 3_601 * 1_000_000;
    outbox.put(old);
    outbox.put(parcel("a", "new"));
    let start = Instant::now();
    while count(&stats, "a", "expired") == 0 {
        assert!(start.elapsed() < LONG, "it is kept");
        std::thread::sleep(Duration::from_millis(5));
    }
    let report = outbox.flush(Duration::from_millis(1));
    assert_eq!((report.kept(), report.unsaved()), (1, 0));
    assert_eq!(files(&folder.path()).len(), 1);
}

#[test]
fn a_condition_is_logged_once() {
    let destination = super::super::delivery_log::DeliveryLog::default();
    let lines = said(|| {
        let retry = Delivery::retry("connection refused");
        destination.attempt(
            "ops",
            &retry,
            &super::super::destination_queue::Availability::Down,
        );
        for _ in 0..3 {
            let refused = Delivery::refused("HTTP 404: no_service");
            destination.attempt(
                "ops",
                &refused,
                &super::super::destination_queue::Availability::Unchanged,
            );
            destination.given_up("ops", "they are too old");
        }
        destination.attempt(
            "ops",
            &Delivery::Delivered,
            &super::super::destination_queue::Availability::Up,
        );
        destination.given_up("ops", "they are too old");
    });
    let count = |words: &str| lines.iter().filter(|line| line.contains(words)).count();
    assert_eq!(count("cannot be reached"), 1, "{lines:#?}");
    assert_eq!(count("refused for good"), 1);
    assert_eq!(count("can be reached again"), 1);
    assert_eq!(count("given up"), 2, "again after it worked");
}

/// Returns what `run` says on this thread through `tracing`.
fn said(run: impl FnOnce()) -> Vec<String> {
    use tracing::{Event, Metadata, field, span};

    struct Lines(Arc<Mutex<Vec<String>>>);

    impl tracing::Subscriber for Lines {
        fn enabled(&self, _: &Metadata<'_>) -> bool {
            true
        }

        fn new_span(&self, _: &span::Attributes<'_>) -> span::Id {
            span::Id::from_u64(1)
        }

        fn record(&self, _: &span::Id, _: &span::Record<'_>) {}

        fn record_follows_from(&self, _: &span::Id, _: &span::Id) {}

        fn event(&self, event: &Event<'_>) {
            let mut line = String::new();
            event.record(&mut |field: &field::Field, value: &dyn fmt::Debug| {
                line.push_str(&format!("{field}={value:?} "));
            });
            self.0.lock().unwrap().push(line);
        }

        fn enter(&self, _: &span::Id) {}

        fn exit(&self, _: &span::Id) {}
    }

    let lines = Arc::<Mutex<Vec<String>>>::default();
    tracing::subscriber::with_default(Lines(lines.clone()), run);
    lines.lock().unwrap().clone()
}
