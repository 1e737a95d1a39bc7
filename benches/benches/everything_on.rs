//! Trace context, metrics and a JSON line in a file for each call.

use std::{
    hint::black_box,
    time::{Duration, Instant},
};

use llm_observe_benches::{candidate, compare, to_json_files};
use metrics::{counter, gauge, histogram};
use tracing_subscriber::{fmt::format::FmtSpan, layer::SubscriberExt};

const MODEL: &str = "text-embedding-3-small";
const QUESTION: &str = "What does the contract say about termination?";

type Out = Result<u64, std::io::Error>;

#[inline(never)]
fn plain(n: u64) -> Out {
    Ok(black_box(n).wrapping_mul(3))
}

#[llm_observe::observe(event = "bench")]
#[inline(never)]
fn observed(n: u64) -> Out {
    Ok(black_box(n).wrapping_mul(3))
}

#[tracing::instrument(skip_all)]
#[inline(never)]
fn instrumented(n: u64) -> Out {
    gauge!("in_flight", "function" => "instrumented").increment(1.0);
    let start = Instant::now();
    let out = plain(n);
    histogram!("duration_seconds", "function" => "instrumented")
        .record(start.elapsed().as_secs_f64());
    counter!("calls_total", "function" => "instrumented").increment(1);
    gauge!("in_flight", "function" => "instrumented").decrement(1.0);
    out
}

/// A call that records two texts: a model's name of 22 bytes, and a question of 45.
#[llm_observe::observe(event = "bench_texts", fields(model = black_box(MODEL), question = black_box(QUESTION)))]
#[inline(never)]
fn observed_texts(n: u64) -> Out {
    Ok(black_box(n).wrapping_mul(3))
}

#[tracing::instrument(skip_all, fields(model = black_box(MODEL), question = black_box(QUESTION)))]
#[inline(never)]
fn instrumented_texts(n: u64) -> Out {
    gauge!("in_flight", "function" => "instrumented_texts").increment(1.0);
    let start = Instant::now();
    let out = plain(n);
    histogram!("duration_seconds", "function" => "instrumented_texts")
        .record(start.elapsed().as_secs_f64());
    counter!("calls_total", "function" => "instrumented_texts").increment(1);
    gauge!("in_flight", "function" => "instrumented_texts").decrement(1.0);
    out
}

#[emit::span("bench {n}", n)]
#[inline(never)]
fn emitted(n: u64) -> Out {
    Ok(black_box(n).wrapping_mul(3))
}

fn main() {
    let dir = std::env::temp_dir().join(format!("llm-observe-bench-{}", std::process::id()));
    let observer = to_json_files(&dir.join("ours"));

    let (appender, _guard) =
        tracing_appender::non_blocking(tracing_appender::rolling::never(&dir, "tracing.log"));
    let json = tracing_subscriber::fmt::layer()
        .json()
        .with_span_events(FmtSpan::CLOSE)
        .with_writer(appender);
    let subscriber = tracing::Dispatch::new(tracing_subscriber::registry().with(json));
    let _emit = emit::setup()
        .emit_to(emit_file::set(dir.join("emit.log")).spawn())
        .init();

    let call = |f: fn(u64) -> Out| {
        move || {
            let _ = black_box(f(black_box(7)));
        }
    };
    compare(
        "everything on: trace context, metrics, a JSON line in a file",
        10,
        100_000,
        vec![
            candidate("llm-observe #[observe]", call(observed)),
            candidate("no attribute", call(plain)),
            candidate("#[instrument] + JSON + tracing-appender + metrics", || {
                tracing::dispatcher::with_default(&subscriber, || call(instrumented)());
            }),
            candidate("#[emit::span] + emit_file (no metrics)", call(emitted)),
            candidate("llm-observe #[observe], two texts", call(observed_texts)),
            candidate("#[instrument] + ... + metrics, two texts", || {
                tracing::dispatcher::with_default(&subscriber, || call(instrumented_texts)());
            }),
        ],
    );
    let flushed = observer.flush(Duration::from_secs(20));
    println!(
        "llm-observe: bytes still to be written {}",
        flushed.pending_bytes
    );
    drop(observer);
    let _ = std::fs::remove_dir_all(dir);
}
