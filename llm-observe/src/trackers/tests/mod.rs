use std::{
    collections::HashSet,
    sync::{Arc, Mutex},
    time::Duration,
};

use super::{sink::MOST_DIFFERENT, *};
use crate::{
    breadcrumbs::Breadcrumbs,
    kernel::{
        alert_rule::TriggerSet,
        error_info::ErrorInfo,
        ids::{SpanId, TraceId},
        operation::{Attribute, AttributeValue, Operation},
        outcome::{ErrorClass, Outcome},
        record::Record,
        sink::Sink,
        site::Site,
        stats::Stats,
        value::Fields,
    },
    outbox::{Outbox, OutboxOptions, now_micros, tests::ScriptedDestination},
    redact::{Redacted, Redactor},
};

/// A tracker whose body is the report's text and number.
struct Plain(Arc<ScriptedDestination>);

impl Destination for Plain {
    fn name(&self) -> &str {
        self.0.name()
    }

    fn deliver<'a>(&'a self, parcel: &'a Parcel) -> DeliveryFuture<'a> {
        self.0.deliver(parcel)
    }
}

impl Tracker for Plain {
    fn encode(&self, report: &Redacted<Report>) -> Redacted<Vec<u8>> {
        let text = |report: &Report| format!("{} x{}", report.message, report.count);
        report.as_ref().map(|report| text(report).into_bytes())
    }
}

static SITE: Site = Site::new("query", "query", "rag", "src/lib.rs", 1, || "rag::query");
static NOT_REPORTED: Site =
    Site::new("query", "query", "rag", "src/lib.rs", 1, || "rag::other").report(false);

fn record<'a>(site: &'static Site, error: &'a ErrorInfo) -> Redacted<Record<'a>> {
    Redacted::for_test(Record {
        ok_level: tracing::Level::INFO,
        sampled: true,
        site,
        outcome: Outcome::Error,
        time: now_micros(),
        duration: Duration::from_millis(3),
        trace_id: TraceId::random(),
        span_id: SpanId::random(),
        parent_id: SpanId::default(),
        trace_flags: 1,
        error: Some(error),
        fields: const { &Fields::EMPTY },
        items: None,
        chunks: None,
        quality: None,
        low_score: None,
        slow: false,
        expected: false,
        passed_on: false,
        request: None,
        operation: None,
        alerts: TriggerSet::EMPTY,
        reported: site.report,
    })
}

fn start() -> (TrackerSink, Outbox, Arc<ScriptedDestination>) {
    let destination = ScriptedDestination::new("plain", Delivery::Delivered);
    let tracker: Arc<dyn Tracker> = Arc::new(Plain(destination.clone()));
    let stats = Arc::<Stats>::default();
    let outbox = Outbox::open(
        OutboxOptions::default(),
        vec![tracker.clone() as _],
        stats.clone(),
    )
    .unwrap();
    (
        TrackerSink::start(vec![tracker], outbox.clone(), Arc::default(), &stats).unwrap(),
        outbox,
        destination,
    )
}

fn error(message: &str) -> ErrorInfo {
    ErrorInfo::new("rag::QueryError", message.to_owned(), ErrorClass::Other)
}

/// Returns a text of letters: texts that differ in numbers alone are of the same error.
fn letters(n: usize) -> String {
    let digits = n.to_string().into_bytes();
    digits
        .into_iter()
        .map(|digit| char::from(digit + b'a' - b'0'))
        .collect()
}

const LONG: Duration = Duration::from_secs(30);

fn texts(destination: &ScriptedDestination) -> Vec<String> {
    destination
        .accepted
        .lock()
        .unwrap()
        .iter()
        .map(|body| String::from_utf8(body.clone()).unwrap())
        .collect()
}

#[test]
fn a_thousand_different_errors_in_a_burst_are_a_thousand_reports() {
    let (trackers, outbox, destination) = start();
    for n in 0..1000 {
        trackers.record(&record(&SITE, &error(&format!("error {}", letters(n)))));
    }
    assert!(trackers.flush(LONG));
    assert_eq!(outbox.flush(LONG).delivered(), 1000);
    assert_eq!(
        texts(&destination)
            .into_iter()
            .collect::<HashSet<_>>()
            .len(),
        1000
    );
}

#[test]
fn a_hundred_thousand_equal_errors_are_few_reports_that_count_them_all() {
    let (trackers, outbox, destination) = start();
    let error = error("boom");
    for _ in 0..100_000 {
        trackers.record(&record(&SITE, &error));
    }
    assert!(trackers.flush(LONG));
    outbox.flush(LONG);
    let texts = texts(&destination);
    assert_eq!(texts.len(), 2, "{texts:?}");
    assert_eq!(texts, ["boom x1", "boom x99999"]);
}

#[test]
fn calls_that_are_not_to_be_reported_are_not() {
    let (trackers, outbox, destination) = start();
    let error = error("boom");
    trackers.record(&record(&NOT_REPORTED, &error));
    trackers.record(&record(&SITE, &error).map(|record| Record {
        reported: false,
        ..record
    }));
    assert!(trackers.flush(LONG));
    outbox.flush(LONG);
    assert_eq!(texts(&destination), Vec::<String>::new());
}

/// A tracker whose code is wrong.
struct PanickingTracker(Arc<ScriptedDestination>);

impl Destination for PanickingTracker {
    fn name(&self) -> &str {
        "panicking"
    }

    fn deliver<'a>(&'a self, parcel: &'a Parcel) -> DeliveryFuture<'a> {
        self.0.deliver(parcel)
    }
}

impl Tracker for PanickingTracker {
    fn encode(&self, report: &Redacted<Report>) -> Redacted<Vec<u8>> {
        assert_ne!(report.message, "bad", "a mistake in a user's tracker");
        report
            .as_ref()
            .map(|report| report.message.clone().into_bytes())
    }

    fn scope(&self) -> Option<TrackerScope> {
        panic!("another one")
    }
}

/// A tracker whose `lost` panics, and whose `encode` waits for the test.
struct PanickingLost(SlowTracker);

impl Destination for PanickingLost {
    fn name(&self) -> &str {
        self.0.name()
    }

    fn deliver<'a>(&'a self, parcel: &'a Parcel) -> DeliveryFuture<'a> {
        self.0.deliver(parcel)
    }

    fn lost(&self, _: &str, _: LossReason, _: u64) {
        panic!("lost panics")
    }
}

impl Tracker for PanickingLost {
    fn encode(&self, report: &Redacted<Report>) -> Redacted<Vec<u8>> {
        self.0.encode(report);
        report
            .as_ref()
            .map(|report| report.message.clone().into_bytes())
    }
}

#[test]
fn a_tracker_whose_lost_panics_gets_the_next_report() {
    let (go, going) = std::sync::mpsc::channel();
    let (begin, begun) = std::sync::mpsc::channel();
    let destination = ScriptedDestination::new("slow", Delivery::Delivered);
    let tracker = Arc::new(PanickingLost(SlowTracker {
        destination: destination.clone(),
        begun: Mutex::new(begin),
        go: Mutex::new(going),
        heard: Mutex::default(),
    }));
    let stats = Arc::<Stats>::default();
    let to = vec![tracker.clone() as _];
    let outbox = Outbox::open(OutboxOptions::default(), to, stats.clone()).unwrap();
    let trackers =
        TrackerSink::start(vec![tracker], outbox.clone(), Arc::default(), &stats).unwrap();
    trackers.record(&record(&SITE, &error("first")));
    begun.recv().unwrap();
    for n in 0..MOST_DIFFERENT + 1 {
        trackers.record(&record(&SITE, &error(&format!("error {}", letters(n)))));
    }
    go.send(()).unwrap();
    assert!(trackers.flush(LONG));
    trackers.record(&record(&SITE, &error("next")));
    assert!(trackers.flush(LONG));
    outbox.flush(LONG);
    assert!(texts(&destination).contains(&"next".to_owned()));
}

#[test]
fn a_tracker_that_panics_loses_its_own_reports_and_they_are_counted() {
    let destination = ScriptedDestination::new("panicking", Delivery::Delivered);
    let tracker: Arc<dyn Tracker> = Arc::new(PanickingTracker(destination.clone()));
    let stats = Arc::<Stats>::default();
    let settings = OutboxOptions::default();
    let outbox = Outbox::open(settings, vec![tracker.clone() as _], stats.clone()).unwrap();
    let trackers =
        TrackerSink::start(vec![tracker], outbox.clone(), Arc::default(), &stats).unwrap();
    for message in ["good", "bad", "good again"] {
        trackers.record(&record(&SITE, &error(message)));
    }
    assert!(trackers.flush(LONG));
    assert_eq!(outbox.flush(LONG).delivered(), 2);
    assert_eq!(texts(&destination), ["good", "good again"]);
    let labels = [("reason", "panicked")];
    let lost = stats.counter(crate::kernel::metrics_table::REPORTS_LOST, &labels);
    assert_eq!(lost.get(), 1);
}

#[test]
fn a_failure_is_reported_with_its_breadcrumbs() {
    let (seen, shown) = std::sync::mpsc::channel();
    struct Seeing(
        Arc<ScriptedDestination>,
        Mutex<std::sync::mpsc::Sender<Report>>,
    );
    impl Destination for Seeing {
        fn name(&self) -> &str {
            self.0.name()
        }

        fn deliver<'a>(&'a self, parcel: &'a Parcel) -> DeliveryFuture<'a> {
            self.0.deliver(parcel)
        }
    }
    impl Tracker for Seeing {
        fn encode(&self, report: &Redacted<Report>) -> Redacted<Vec<u8>> {
            self.1.lock().unwrap().send((**report).clone()).unwrap();
            report.as_ref().map(|_| Vec::new())
        }
    }
    let destination = ScriptedDestination::new("seeing", Delivery::Delivered);
    let tracker: Arc<dyn Tracker> = Arc::new(Seeing(destination.clone(), Mutex::new(seen)));
    let stats = Arc::<Stats>::default();
    let settings = OutboxOptions::default();
    let outbox = Outbox::open(settings, vec![tracker.clone() as _], stats.clone()).unwrap();
    let trackers =
        TrackerSink::start(vec![tracker], outbox.clone(), Arc::default(), &stats).unwrap();
    let (below, above) = (error("no route"), error("no answer"));
    let first = record(&SITE, &below);
    trackers.record(&first);
    Breadcrumbs.record(&first);
    trackers.record(&record(&SITE, &above).map(|record| Record {
        trace_id: first.trace_id,
        ..record
    }));
    assert!(trackers.flush(LONG));
    let reports: Vec<Report> = shown.try_iter().collect();
    let breadcrumbs = |n: usize| {
        let breadcrumbs = reports[n].breadcrumbs.iter();
        breadcrumbs
            .map(|breadcrumb| breadcrumb.message.clone())
            .collect::<Vec<_>>()
    };
    assert_eq!(
        breadcrumbs(0),
        Vec::<String>::new(),
        "a call is no breadcrumb of its own report"
    );
    assert_eq!(breadcrumbs(1), ["query error in 3.0ms: no route"]);
    assert_eq!(
        outbox.flush(LONG).delivered(),
        0,
        "an empty body is not sent"
    );
}

/// A tracker that encodes only when the test lets it, and records what it is notified of.
struct SlowTracker {
    destination: Arc<ScriptedDestination>,
    begun: Mutex<std::sync::mpsc::Sender<()>>,
    go: Mutex<std::sync::mpsc::Receiver<()>>,
    heard: Mutex<u64>,
}

impl Destination for SlowTracker {
    fn name(&self) -> &str {
        self.destination.name()
    }

    fn deliver<'a>(&'a self, parcel: &'a Parcel) -> DeliveryFuture<'a> {
        self.destination.deliver(parcel)
    }

    fn lost(&self, _: &str, why: LossReason, count: u64) {
        assert_eq!(why, LossReason::Overflow);
        *self.heard.lock().unwrap() += count;
    }
}

impl Tracker for SlowTracker {
    fn encode(&self, report: &Redacted<Report>) -> Redacted<Vec<u8>> {
        if report.message == "first" {
            self.begun.lock().unwrap().send(()).unwrap();
            self.go.lock().unwrap().recv().unwrap();
        }
        report.as_ref().map(|_| Vec::new())
    }
}

#[test]
fn overflowing_reports_are_counted_and_the_trackers_notified() {
    let (go, going) = std::sync::mpsc::channel();
    let (begin, begun) = std::sync::mpsc::channel();
    let slow = Arc::new(SlowTracker {
        destination: ScriptedDestination::new("slow", Delivery::Delivered),
        begun: Mutex::new(begin),
        go: Mutex::new(going),
        heard: Mutex::default(),
    });
    let stats = Arc::<Stats>::default();
    let settings = OutboxOptions::default();
    let outbox = Outbox::open(settings, vec![slow.clone() as _], stats.clone()).unwrap();
    let trackers = TrackerSink::start(vec![slow.clone()], outbox, Arc::default(), &stats).unwrap();
    trackers.record(&record(&SITE, &error("first")));
    begun.recv().unwrap();
    for n in 0..MOST_DIFFERENT + 7 {
        trackers.record(&record(&SITE, &error(&format!("error {}", letters(n)))));
    }
    let labels = [("reason", "overflow")];
    let lost = stats
        .counter(crate::kernel::metrics_table::REPORTS_LOST, &labels)
        .get();
    go.send(()).unwrap();
    assert!(trackers.flush(LONG));
    assert_eq!(*slow.heard.lock().unwrap(), lost);
    assert_eq!(lost, 7);
}

/// An operation with an attribute that stays on this machine.
#[derive(Debug)]
struct AskOperation;

impl Operation for AskOperation {
    fn attributes(&self, visit: &mut dyn FnMut(Attribute<'_>, AttributeValue<'_>)) {
        visit(Attribute::new("ask.path"), AttributeValue::Str("/ask"));
        let question = AttributeValue::Str("what is it");
        visit(Attribute::new("ask.question").local(), question);
    }

    fn redact(&mut self, _: &Redactor) {}
}

#[test]
fn an_attribute_that_stays_on_the_machine_is_not_reported() {
    let failed = error("the model is gone");
    let record = Record {
        operation: Some(&AskOperation),
        ..record(&SITE, &failed).into_inner()
    };
    let report = format!("{:?}", Report::of(&record, &failed));
    assert!(report.contains("/ask"), "{report}");
    assert!(!report.contains("what is it"), "{report}");
}
