//! Channels that users wrote, as they may be.

use super::*;

/// A channel whose own delivery is an observed call that fails.
struct ObservedChannel {
    kept: RecordingChannel,
    alerts: OnceLock<std::sync::Weak<AlertSink>>,
}

impl Destination for ObservedChannel {
    fn name(&self) -> &str {
        "ops"
    }

    fn deliver<'a>(&'a self, _: &'a Parcel) -> DeliveryFuture<'a> {
        Box::pin(async {
            let alerts = self.alerts.get().and_then(std::sync::Weak::upgrade);
            let error = error("no route to Slack", ErrorClass::Connection);
            let failed = record(&ALERTING, Outcome::Error, Some(&error));
            alerts.unwrap().record(&failed);
            Delivery::refused("no route to Slack")
        })
    }
}

impl Channel for ObservedChannel {
    fn encode(&self, notice: &Redacted<Notice>) -> Redacted<Vec<u8>> {
        self.kept.encode(notice)
    }
}

#[test]
fn a_failed_delivery_is_not_an_alert() {
    let channel = Arc::new(ObservedChannel {
        kept: RecordingChannel::default(),
        alerts: OnceLock::new(),
    });
    let stats = Arc::<Stats>::default();
    let to = vec![channel.clone() as Arc<dyn Destination>];
    let outbox = Outbox::open(OutboxOptions::default(), to, stats.clone()).unwrap();
    let (config, origin) = (&Config::default(), Origin::default());
    let channels = vec![channel.clone() as Arc<dyn Channel>];
    let options = AlertOptions { config, origin };
    let alerts = AlertSink::start(options, channels, outbox.clone(), Arc::default(), &stats);
    let alerts = Arc::new(alerts.unwrap());
    channel.alerts.set(Arc::downgrade(&alerts)).unwrap();
    let boom = error("boom", ErrorClass::Internal);
    alerts.record(&record(&ALERTING, Outcome::Error, Some(&boom)));
    for _ in 0..3 {
        assert!(alerts.flush(LONG));
        assert_eq!(outbox.flush(LONG).kept(), 0);
    }
    let notices = channel.kept.notices.lock().unwrap();
    assert_eq!(notices.len(), 1);
    assert_eq!(notices[0].errors[0].message, "boom");
    assert_eq!(alerts.counters.own.get(), 1);
}

/// A channel of a user's that panics over some messages, and forgets alerts.
struct Refreshing(RecordingChannel, Duration);

impl Destination for Refreshing {
    fn name(&self) -> &str {
        "ops"
    }

    fn deliver<'a>(&'a self, parcel: &'a Parcel) -> DeliveryFuture<'a> {
        self.0.deliver(parcel)
    }
}

impl Channel for Refreshing {
    fn encode(&self, notice: &Redacted<Notice>) -> Redacted<Vec<u8>> {
        let text = notice.errors.first().map(|e| e.message.as_str());
        assert_ne!(text, Some("panic"), "this channel panics");
        self.0.encode(notice)
    }

    fn refresh(&self) -> Option<Duration> {
        Some(self.1)
    }
}

fn start_refreshing(down: bool) -> (AlertSink, Outbox, Arc<Refreshing>) {
    let refresh = match down {
        true => Duration::from_millis(5),
        // Not within the test: its messages are counted.
        false => Duration::from_secs(3600),
    };
    let channel = Arc::new(Refreshing(RecordingChannel::default(), refresh));
    if down {
        channel.0.down.set(()).unwrap();
    }
    let stats = Arc::<Stats>::default();
    let to = vec![channel.clone() as Arc<dyn Destination>];
    let outbox = Outbox::open(OutboxOptions::default(), to, stats.clone()).unwrap();
    let (config, origin) = (&Config::default(), Origin::default());
    let options = AlertOptions { config, origin };
    let channels = vec![channel.clone() as Arc<dyn Channel>];
    let alerts = AlertSink::start(options, channels, outbox.clone(), Arc::default(), &stats);
    (alerts.unwrap(), outbox, channel)
}

#[test]
fn a_channel_that_panics_on_one_message_gets_the_next() {
    let (alerts, outbox, channel) = start_refreshing(false);
    alerts.record(&record(
        &ALERTING,
        Outcome::Error,
        Some(&error("panic", ErrorClass::Other)),
    ));
    assert!(alerts.flush(LONG));
    assert_eq!(alerts.counters.panicked.get(), 1);
    let boom = error("boom", ErrorClass::Internal);
    alerts.record(&record(&ALERTING, Outcome::Error, Some(&boom)));
    assert!(alerts.flush(LONG));
    outbox.flush(LONG);
    let notices = channel.0.notices.lock().unwrap();
    assert_eq!(notices[0].errors[0].message, "boom");
}

#[test]
fn refreshes_of_an_unreachable_channel_are_pending_once() {
    let (alerts, outbox, channel) = start_refreshing(true);
    let boom = error("boom", ErrorClass::Internal);
    alerts.record(&record(&ALERTING, Outcome::Error, Some(&boom)));
    for _ in 0..20 {
        assert!(alerts.flush(LONG));
        std::thread::sleep(Duration::from_millis(6));
    }
    assert_eq!(outbox.flush(Duration::ZERO).kept(), 1);
    let notices = channel.0.notices.lock().unwrap();
    assert_eq!(notices.len(), 1, "{notices:#?}");
}
