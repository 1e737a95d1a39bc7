use std::collections::HashSet;

use super::*;
use crate::{
    kernel::{
        alert_rule::TriggerSet,
        error_info::ErrorInfo,
        ids::{SpanId, TraceId},
        operation::{Attribute, AttributeValue, Operation},
        outcome::{ErrorClass, Outcome},
        site::Site,
        value::Fields,
    },
    outbox::{self, tests::Told},
};

/// A tracker whose body is the report's text and number.
struct Plain(Arc<Told>);

impl Destination for Plain {
    fn name(&self) -> &str {
        self.0.name()
    }

    fn deliver<'a>(&'a self, parcel: &'a Parcel) -> Answer<'a> {
        self.0.deliver(parcel)
    }
}

impl Tracker for Plain {
    fn encode(&self, report: &Report) -> Vec<u8> {
        format!("{} x{}", report.message, report.count).into_bytes()
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
        error: Some(error),
        fields: const { &Fields::EMPTY },
        items: None,
        quality: None,
        slow: false,
        expected: false,
        passed_on: false,
        request: None,
        operation: None,
        alerts: TriggerSet::EMPTY,
        reported: site.report,
    })
}

fn start() -> (Trackers, Outbox, Arc<Told>) {
    let told = Told::new("plain", Delivery::Delivered);
    let tracker: Arc<dyn Tracker> = Arc::new(Plain(told.clone()));
    let stats = Arc::<Stats>::default();
    let outbox = Outbox::open(
        outbox::Settings::default(),
        vec![tracker.clone() as _],
        stats.clone(),
    )
    .unwrap();
    (
        Trackers::start(vec![tracker], outbox.clone(), Arc::default(), &stats).unwrap(),
        outbox,
        told,
    )
}

fn error(message: &str) -> ErrorInfo {
    ErrorInfo::new("rag::QueryError", message.to_owned(), ErrorClass::Other)
}

const LONG: Duration = Duration::from_secs(30);

fn texts(told: &Told) -> Vec<String> {
    told.took
        .lock()
        .unwrap()
        .iter()
        .map(|body| String::from_utf8(body.clone()).unwrap())
        .collect()
}

#[test]
fn a_thousand_different_errors_in_a_burst_are_a_thousand_reports() {
    let (trackers, outbox, told) = start();
    for n in 0..1000 {
        trackers.record(&record(&SITE, &error(&format!("error {n}"))));
    }
    assert!(trackers.flush(LONG));
    assert_eq!(outbox.flush(LONG).delivered(), 1000);
    assert_eq!(texts(&told).into_iter().collect::<HashSet<_>>().len(), 1000);
}

#[test]
fn a_hundred_thousand_equal_errors_are_few_reports_that_count_them_all() {
    let (trackers, outbox, told) = start();
    let error = error("boom");
    for _ in 0..100_000 {
        trackers.record(&record(&SITE, &error));
    }
    assert!(trackers.flush(LONG));
    outbox.flush(LONG);
    let texts = texts(&told);
    assert_eq!(texts.len(), 2, "{texts:?}");
    assert_eq!(texts, ["boom x1", "boom x99999"]);
}

#[test]
fn what_is_not_to_be_reported_is_not() {
    let (trackers, outbox, told) = start();
    let error = error("boom");
    trackers.record(&record(&NOT_REPORTED, &error));
    trackers.record(&record(&SITE, &error).map(|record| Record {
        reported: false,
        ..record
    }));
    assert!(trackers.flush(LONG));
    outbox.flush(LONG);
    assert_eq!(texts(&told), Vec::<String>::new());
}

/// A tracker whose code is wrong.
struct Panicking(Arc<Told>);

impl Destination for Panicking {
    fn name(&self) -> &str {
        "panicking"
    }

    fn deliver<'a>(&'a self, parcel: &'a Parcel) -> Answer<'a> {
        self.0.deliver(parcel)
    }
}

impl Tracker for Panicking {
    fn encode(&self, report: &Report) -> Vec<u8> {
        assert_ne!(report.message, "bad", "a mistake in a user's tracker");
        report.message.clone().into_bytes()
    }

    fn scope(&self) -> Option<Scope> {
        panic!("another one")
    }
}

#[test]
fn a_tracker_that_panics_loses_its_own_reports_and_they_are_counted() {
    let told = Told::new("panicking", Delivery::Delivered);
    let tracker: Arc<dyn Tracker> = Arc::new(Panicking(told.clone()));
    let stats = Arc::<Stats>::default();
    let settings = outbox::Settings::default();
    let outbox = Outbox::open(settings, vec![tracker.clone() as _], stats.clone()).unwrap();
    let trackers = Trackers::start(vec![tracker], outbox.clone(), Arc::default(), &stats).unwrap();
    for message in ["good", "bad", "good again"] {
        trackers.record(&record(&SITE, &error(message)));
    }
    assert!(trackers.flush(LONG));
    assert_eq!(outbox.flush(LONG).delivered(), 2);
    assert_eq!(texts(&told), ["good", "good again"]);
    let labels = [("reason", "panicked")];
    let lost = stats.counter("llm_observe_reports_lost_total", &labels);
    assert_eq!(lost.get(), 1);
}

#[test]
fn a_failure_is_reported_with_what_came_before_it() {
    let (seen, shown) = std::sync::mpsc::channel();
    struct Seeing(Arc<Told>, Mutex<std::sync::mpsc::Sender<Report>>);
    impl Destination for Seeing {
        fn name(&self) -> &str {
            self.0.name()
        }

        fn deliver<'a>(&'a self, parcel: &'a Parcel) -> Answer<'a> {
            self.0.deliver(parcel)
        }
    }
    impl Tracker for Seeing {
        fn encode(&self, report: &Report) -> Vec<u8> {
            self.1.lock().unwrap().send(report.clone()).unwrap();
            Vec::new()
        }
    }
    let told = Told::new("seeing", Delivery::Delivered);
    let tracker: Arc<dyn Tracker> = Arc::new(Seeing(told.clone(), Mutex::new(seen)));
    let stats = Arc::<Stats>::default();
    let settings = outbox::Settings::default();
    let outbox = Outbox::open(settings, vec![tracker.clone() as _], stats.clone()).unwrap();
    let trackers = Trackers::start(vec![tracker], outbox.clone(), Arc::default(), &stats).unwrap();
    let (below, above) = (error("no route"), error("no answer"));
    let first = record(&SITE, &below);
    trackers.record(&first);
    trackers.record(&record(&SITE, &above).map(|record| Record {
        trace_id: first.trace_id,
        ..record
    }));
    assert!(trackers.flush(LONG));
    let reports: Vec<Report> = shown.try_iter().collect();
    let crumbs = |n: usize| {
        let crumbs = reports[n].breadcrumbs.iter();
        crumbs
            .map(|crumb| crumb.message.clone())
            .collect::<Vec<_>>()
    };
    assert_eq!(crumbs(0), Vec::<String>::new(), "a call is none of its own");
    assert_eq!(crumbs(1), ["query error in 3.0ms: no route"]);
    assert_eq!(
        outbox.flush(LONG).delivered(),
        0,
        "an empty body is not sent"
    );
}

/// A tracker that works only when it is told to, and hears of what is lost.
struct Slow {
    told: Arc<Told>,
    begun: Mutex<std::sync::mpsc::Sender<()>>,
    go: Mutex<std::sync::mpsc::Receiver<()>>,
    heard: Mutex<u64>,
}

impl Destination for Slow {
    fn name(&self) -> &str {
        self.told.name()
    }

    fn deliver<'a>(&'a self, parcel: &'a Parcel) -> Answer<'a> {
        self.told.deliver(parcel)
    }

    fn lost(&self, _: &str, why: Lost, count: u64) {
        assert_eq!(why, Lost::Overflow);
        *self.heard.lock().unwrap() += count;
    }
}

impl Tracker for Slow {
    fn encode(&self, report: &Report) -> Vec<u8> {
        if report.message == "first" {
            self.begun.lock().unwrap().send(()).unwrap();
            self.go.lock().unwrap().recv().unwrap();
        }
        Vec::new()
    }
}

#[test]
fn more_than_memory_has_room_for_are_counted_and_the_trackers_hear_of_them() {
    let (go, going) = std::sync::mpsc::channel();
    let (begin, begun) = std::sync::mpsc::channel();
    let slow = Arc::new(Slow {
        told: Told::new("slow", Delivery::Delivered),
        begun: Mutex::new(begin),
        go: Mutex::new(going),
        heard: Mutex::default(),
    });
    let stats = Arc::<Stats>::default();
    let settings = outbox::Settings::default();
    let outbox = Outbox::open(settings, vec![slow.clone() as _], stats.clone()).unwrap();
    let trackers = Trackers::start(vec![slow.clone()], outbox, Arc::default(), &stats).unwrap();
    trackers.record(&record(&SITE, &error("first")));
    begun.recv().unwrap();
    for n in 0..MOST_DIFFERENT + 7 {
        trackers.record(&record(&SITE, &error(&format!("error {n}"))));
    }
    let labels = [("reason", "overflow")];
    let lost = stats
        .counter("llm_observe_reports_lost_total", &labels)
        .get();
    go.send(()).unwrap();
    assert!(trackers.flush(LONG));
    assert_eq!(*slow.heard.lock().unwrap(), lost);
    assert_eq!(lost, 7);
}

/// An operation with an attribute that stays on this machine.
#[derive(Debug)]
struct Asked;

impl Operation for Asked {
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
        operation: Some(&Asked),
        ..record(&SITE, &failed).into_inner()
    };
    let report = format!("{:?}", Report::of(&record, &failed));
    assert!(report.contains("/ask"), "{report}");
    assert!(!report.contains("what is it"), "{report}");
}
