use std::{thread, time::Instant};

use proptest::prelude::*;

use super::*;
use crate::kernel::{
    alert_rule::TriggerSet, error_info::ErrorInfo, ids::SpanId, outcome::ErrorClass, value::Fields,
};

fn line(
    time: u64,
    level: Level,
    target: &str,
    message: &str,
    fields: &[(&'static str, Value)],
    trace_id: TraceId,
) {
    let span_id = SpanId::default();
    super::line(&LogEvent {
        time,
        level,
        target,
        message,
        fields,
        trace_id,
        span_id,
        request: None,
    });
}

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
        error: None,
        fields: const { &Fields::EMPTY },
        items: None,
        quality: None,
        slow: false,
        expected: false,
        passed_on: false,
        alerts: TriggerSet::EMPTY,
        reported: true,
        request: None,
        operation: None,
    }
}

fn say(time: u64, message: &str, trace: TraceId) {
    line(time, Level::INFO, "rag::db", message, &[], trace);
}

fn messages(trace: TraceId) -> Vec<String> {
    before(trace)
        .into_iter()
        .map(|crumb| crumb.message)
        .collect()
}

/// Runs `test` on a thread whose ring is empty.
fn alone(test: impl FnOnce() + Send) {
    let _wanted = Wanted::new();
    thread::scope(|scope| scope.spawn(test).join().unwrap());
}

#[test]
fn lines_and_calls_of_the_trace_and_lines_of_none_are_told_in_order() {
    alone(|| {
        let (mine, other) = (TraceId::random(), TraceId::random());
        say(1, "starting", TraceId::default());
        say(2, "mine", mine);
        say(3, "of somebody else", other);
        call(&record(mine, 4));
        let error = ErrorInfo::new("E", "no route", ErrorClass::Connection);
        call(&Record {
            outcome: Outcome::Error,
            error: Some(&error),
            ..record(mine, 5)
        });
        let told = before(mine);
        let texts: Vec<_> = told
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
        assert_eq!((told[3].level, told[3].time), (Level::ERROR, 5));
    });
}

#[test]
fn a_trace_is_followed_over_threads_and_their_lines_of_no_trace_are_not() {
    alone(|| {
        let trace = TraceId::random();
        say(1, "here", trace);
        let (told, asked) = std::sync::mpsc::channel();
        let (done, end) = std::sync::mpsc::channel::<()>();
        thread::scope(|scope| {
            scope.spawn(move || {
                say(2, "there", trace);
                say(3, "of the other thread alone", TraceId::default());
                told.send(()).unwrap();
                // Its ring lives as long as it does.
                let _ = end.recv();
            });
            asked.recv().unwrap();
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
fn fields_are_told_and_details_are_not() {
    alone(|| {
        let trace = TraceId::random();
        let fields = [
            ("n", Value::U64(3)),
            ("name", Value::Str("x".repeat(9_000))),
        ];
        line(1, Level::WARN, "rag", "took", &fields, trace);
        line(2, Level::DEBUG, "rag", "detail", &[], trace);
        let told = before(trace);
        assert_eq!(told.len(), 1);
        assert!(told[0].message.starts_with("took n=3 name=xxx"));
        assert!(
            told[0].message.len() <= MOST_LINE + 40,
            "{}",
            told[0].message.len()
        );
    });
}

#[test]
fn the_latest_are_told_and_a_call_that_waits_finds_its_own_among_many() {
    alone(|| {
        let (slow, busy) = (TraceId::random(), TraceId::random());
        say(0, "asked the model", slow);
        (1..=500).for_each(|n| say(n, &n.to_string(), busy));
        assert_eq!(messages(slow), ["asked the model"]);
        let last: Vec<_> = (471..=500).map(|n| n.to_string()).collect();
        assert_eq!(messages(busy), last);
    });
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(16) })]

    #[test]
    fn a_ring_stays_small_whatever_is_said(lines in prop::collection::vec((("[a\u{e9}\u{1f600}]{0,6}", 0..120_usize).prop_map(|(part, times)| part.repeat(times)), 0..4_u64), 0..700)) {
        let mut ring = Ring::new();
        let room = |ring: &Ring| (ring.crumbs.capacity(), ring.traces.capacity(), ring.texts.capacity(), ring.scratch.capacity());
        let before = room(&ring);
        let mut kept = Vec::new();
        let mut text = String::new();
        for (n, (said, trace)) in lines.iter().enumerate() {
            let of_target = put_line(&mut text, "rag::db", said, &[]);
            prop_assert!(text.len() <= 7 + MOST_LINE && said.starts_with(&text[of_target..]));
            let trace = TraceId([1, *trace]);
            ring.push(n as u64, trace, Level::INFO, What::Line(of_target), &text);
            kept.push((n as u64, trace, text[of_target..].to_owned()));
            prop_assert!(ring.crumbs.len() <= MOST_KEPT && ring.texts.len() <= MOST_TEXT);
            prop_assert_eq!(ring.traces.len(), ring.crumbs.len());
        }
        let held: usize = ring.crumbs.iter().map(|crumb| crumb.text).sum();
        prop_assert_eq!(ring.texts.len(), held);
        prop_assert_eq!(room(&ring), before, "nothing has grown");
        let first = kept.len() - ring.crumbs.len();
        for wanted in 0..4 {
            let wanted = TraceId([1, wanted]);
            let mut found = Vec::new();
            ring.find(&[wanted], &mut found);
            let of_trace = kept[first..].iter().filter(|(_, trace, _)| *trace == wanted);
            let texts: Vec<_> = of_trace.map(|(time, _, text)| (*time, text.clone())).collect();
            let latest = &texts[texts.len().saturating_sub(MOST_REPORTED)..];
            let found: Vec<_> = found.into_iter().map(|crumb| (crumb.time, crumb.message)).collect();
            prop_assert_eq!(found.as_slice(), latest);
        }
    }
}

/// Says what a crumb costs: `cargo test --release -p llm-observe --lib crumbs -- --nocapture`.
#[test]
fn the_cost_is_said() {
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
        nanos("a line of 60 bytes", &|| say(1, &text, record.trace_id));
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
