use std::{
    thread,
    time::{Duration, Instant},
};

use tracing::Level;

use super::{ring::MOST_LINE, *};
use crate::{
    kernel::{
        alert_rule::TriggerSet,
        error_info::ErrorInfo,
        ids::{SpanId, TraceId},
        outcome::{ErrorClass, Outcome},
        record::Record,
        sink::{LogEvent, Sink},
        site::Site,
        value::{Fields, Value},
    },
    redact::Redacted,
};

static SITE: Site = Site::new("query", "query", "rag", "src/lib.rs", 1, || "rag::query");

fn record(trace: TraceId, time: u64) -> Record<'static> {
    Record {
        ok_level: Level::INFO,
        sampled: true,
        site: &SITE,
        outcome: Outcome::Ok,
        time,
        duration: Duration::from_millis(3),
        trace_id: trace,
        span_id: SpanId::random(),
        parent_id: SpanId::default(),
        trace_flags: 1,
        error: None,
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
        reported: true,
    }
}

fn log(time: u64, message: &str, trace: TraceId) {
    line(time, Level::INFO, "rag::db", message, &[], trace);
}

fn messages(trace: TraceId) -> Vec<String> {
    before(trace)
        .into_iter()
        .map(|breadcrumb| breadcrumb.message)
        .collect()
}

fn call(record: &Record<'_>) {
    Breadcrumbs.record(&Redacted::for_test(record.clone()));
}

fn line(
    time: u64,
    level: Level,
    target: &str,
    message: &str,
    fields: &[(&'static str, Value)],
    trace_id: TraceId,
) {
    Breadcrumbs.event(&Redacted::for_test(LogEvent {
        time,
        level,
        target,
        message,
        fields,
        trace_id,
        span_id: SpanId::default(),
        trace_flags: 1,
        request: None,
    }));
}

/// Runs `test` on a thread whose ring is empty.
fn alone(test: impl FnOnce() + Send) {
    thread::scope(|scope| scope.spawn(test).join().unwrap());
}

#[test]
fn lines_and_calls_of_the_trace_and_lines_of_no_trace_are_in_order() {
    alone(|| {
        let (mine, other) = (TraceId::random(), TraceId::random());
        log(1, "starting", TraceId::default());
        log(2, "mine", mine);
        log(3, "of somebody else", other);
        call(&record(mine, 4));
        let error = ErrorInfo::new("E", "no route", ErrorClass::Connection);
        call(&Record {
            outcome: Outcome::Error,
            error: Some(&error),
            ..record(mine, 5)
        });
        let found = before(mine);
        let texts: Vec<_> = found
            .iter()
            .map(|c| (c.category.as_str(), c.message.as_str()))
            .collect();
        assert_eq!(
            texts,
            [
                ("rag::db", "starting"),
                ("rag::db", "mine"),
                ("rag::query", "query ok in 3.0ms"),
                ("rag::query", "query error in 3.0ms: no route"),
            ]
        );
        assert_eq!((found[3].level, found[3].time), (Level::ERROR, 5));
    });
}

#[test]
fn a_trace_is_followed_across_threads_without_their_lines_of_no_trace() {
    alone(|| {
        let trace = TraceId::random();
        log(1, "here", trace);
        let (ready, started) = std::sync::mpsc::channel();
        let (done, end) = std::sync::mpsc::channel::<()>();
        thread::scope(|scope| {
            scope.spawn(move || {
                log(2, "there", trace);
                log(3, "of the other thread alone", TraceId::default());
                ready.send(()).unwrap();
                // Its ring lives as long as it does.
                let _ = end.recv();
            });
            started.recv().unwrap();
            // Tests that run beside this one may look at the other's ring in that very moment.
            let deadline = Instant::now() + Duration::from_secs(10);
            while messages(trace) != ["here", "there"] {
                assert!(Instant::now() < deadline, "{:?}", messages(trace));
            }
            drop(done);
        });
    });
}

#[test]
fn fields_are_kept_and_debug_lines_are_not() {
    alone(|| {
        let trace = TraceId::random();
        let fields = [
            ("n", Value::U64(3)),
            ("name", Value::Str("x".repeat(9_000))),
        ];
        line(1, Level::WARN, "rag", "took", &fields, trace);
        line(2, Level::DEBUG, "rag", "detail", &[], trace);
        let found = before(trace);
        assert_eq!(found.len(), 1);
        assert!(found[0].message.starts_with("took n=3 name=xxx"));
        assert!(
            found[0].message.len() <= MOST_LINE + 40,
            "{}",
            found[0].message.len()
        );
    });
}

#[test]
fn the_latest_are_reported_and_a_call_that_waits_finds_its_own_among_many() {
    alone(|| {
        let (slow, busy) = (TraceId::random(), TraceId::random());
        log(0, "asked the model", slow);
        (1..=500).for_each(|n| log(n, &n.to_string(), busy));
        assert_eq!(messages(slow), ["asked the model"]);
        let last: Vec<_> = (471..=500).map(|n| n.to_string()).collect();
        assert_eq!(messages(busy), last);
    });
}

/// Prints what a breadcrumb costs: `cargo test --release -p llm-observe --features full --lib
/// breadcrumbs -- --nocapture`.
#[test]
fn the_cost_is_printed() {
    const ROUNDS: u32 = 100_000;
    alone(|| {
        let record = record(TraceId::random(), 1);
        let text = "x".repeat(60);
        let nanos = |what: &str, run: &dyn Fn()| {
            (0..ROUNDS / 10).for_each(|_| run());
            let start = Instant::now();
            (0..ROUNDS).for_each(|_| run());
            println!(
                "{what}: {:.1} ns",
                start.elapsed().as_secs_f64() * 1e9 / f64::from(ROUNDS)
            );
        };
        nanos("a call", &|| call(&record));
        nanos("a line of 60 bytes", &|| log(1, &text, record.trace_id));
        let fields = [("n", Value::U64(3)), ("name", Value::Str("alice".into()))];
        nanos("a line with two fields", &|| {
            line(
                1,
                Level::INFO,
                "rag::db",
                "asked the model",
                &fields,
                record.trace_id,
            );
        });
        let start = Instant::now();
        (0..1000).for_each(|_| drop(before(record.trace_id)));
        println!("to collect 30 of 512: {:?}", start.elapsed() / 1000);
    });
}
