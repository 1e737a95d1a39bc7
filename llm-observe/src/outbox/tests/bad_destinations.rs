//! Destinations that hang or panic.

use super::*;

/// A destination that never answers, or panics.
struct Bad(&'static str);

impl Destination for Bad {
    fn name(&self) -> &str {
        self.0
    }

    fn deliver<'a>(&'a self, _: &'a Parcel) -> DeliveryFuture<'a> {
        assert_ne!(self.0, "panics", "this destination panics");
        Box::pin(std::future::pending())
    }
}

#[test]
fn one_bad_destination_delays_no_other() {
    let (stats, destination) = (Arc::<Stats>::default(), ScriptedDestination::taking("good"));
    let to: Vec<Arc<dyn Destination>> = vec![
        Arc::new(Bad("stalls")),
        Arc::new(Bad("panics")),
        destination.clone(),
    ];
    let options = OutboxOptions {
        attempt_timeout: Duration::from_millis(100),
        ..options(None)
    };
    let outbox = Outbox::open(options, to, stats.clone()).unwrap();
    for name in ["stalls", "panics", "good"] {
        (0..10).for_each(|n| outbox.put(parcel(name, &format!("{n}"))));
    }
    let report = outbox.flush(Duration::from_secs(1));
    assert_eq!(destination.texts().len(), 10);
    assert_eq!(report.destinations[0].kept, 10);
    assert_eq!(count(&stats, "panics", "refused"), 10);
    drop(outbox);
    assert_eq!(
        count(&stats, "stalls", "dropped"),
        10,
        "what was in memory only is counted"
    );
}

/// A destination whose own code panics wherever it is called.
struct PanickingDestination;

impl Destination for PanickingDestination {
    fn name(&self) -> &str {
        "panicking"
    }

    fn deliver<'a>(&'a self, _: &'a Parcel) -> DeliveryFuture<'a> {
        panic!("deliver panics")
    }

    fn concurrency(&self) -> usize {
        panic!("concurrency panics")
    }

    fn lost(&self, _: &str, _: LossReason, _: u64) {
        panic!("lost panics")
    }
}

#[test]
fn a_destination_that_panics_harms_nothing_else() {
    let (stats, good) = (Arc::<Stats>::default(), ScriptedDestination::taking("good"));
    let to: Vec<Arc<dyn Destination>> = vec![Arc::new(PanickingDestination), good.clone()];
    let options = OutboxOptions {
        max_bytes: 1_000,
        ..options(None)
    };
    let outbox = Outbox::open(options, to, stats.clone()).unwrap();
    // The first one has no room: the destination is notified of its loss.
    outbox.put(parcel("panicking", &"x".repeat(2_000)));
    outbox.put(parcel("panicking", "1"));
    outbox.put(parcel("good", "2"));
    assert_eq!(outbox.flush(LONG).delivered(), 1);
    assert_eq!(good.texts(), ["2"]);
    assert_eq!(count(&stats, "panicking", "dropped"), 1);
    assert_eq!(count(&stats, "panicking", "refused"), 1);
}
