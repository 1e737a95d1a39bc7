use std::collections::HashSet;

use super::*;
use crate::{
    outbox::{self, tests::Told},
    outcome::{Class, Outcome},
    record::{ErrorInfo, Fields, SpanId, TraceId},
    site::Site,
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

fn record<'a>(site: &'static Site, error: &'a ErrorInfo) -> Record<'a> {
    Record {
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
        exchange: None,
        quiet: false,
    }
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
    ErrorInfo::new("rag::QueryError", message.to_owned(), Class::Other)
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
    trackers.record(&Record {
        expected: true,
        ..record(&SITE, &error)
    });
    trackers.record(&Record {
        passed_on: true,
        ..record(&SITE, &error)
    });
    trackers.record(&Record {
        outcome: Outcome::Cancelled,
        ..record(&SITE, &error)
    });
    assert!(trackers.flush(LONG));
    outbox.flush(LONG);
    assert_eq!(texts(&told), Vec::<String>::new());
}
