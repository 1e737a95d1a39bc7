//! In-flight, count and duration of each call, and nothing else; all through the same recorder.

use std::{hint::black_box, time::Instant};

use llm_observe::config::Config;
use llm_observe_benches::{candidate, compare};
use metrics::{Counter, Gauge, Histogram, counter, gauge, histogram};

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

#[autometrics::autometrics(track_concurrency)]
#[inline(never)]
fn autometered(n: u64) -> Out {
    Ok(black_box(n).wrapping_mul(3))
}

#[inline(never)]
fn by_hand(n: u64) -> Out {
    gauge!("in_flight", "function" => "by_hand").increment(1.0);
    let start = Instant::now();
    let out = plain(n);
    let outcome = if out.is_ok() { "ok" } else { "error" };
    histogram!("duration_seconds", "function" => "by_hand", "outcome" => outcome)
        .record(start.elapsed().as_secs_f64());
    counter!("calls_total", "function" => "by_hand", "outcome" => outcome).increment(1);
    gauge!("in_flight", "function" => "by_hand").decrement(1.0);
    out
}

struct Handles {
    in_flight: Gauge,
    calls: Counter,
    duration: Histogram,
}

#[inline(never)]
fn by_cached_handles(handles: &Handles, n: u64) -> Out {
    handles.in_flight.increment(1.0);
    let start = Instant::now();
    let out = plain(n);
    handles.duration.record(start.elapsed().as_secs_f64());
    handles.calls.increment(1);
    handles.in_flight.decrement(1.0);
    out
}

fn main() {
    let mut config = Config::default();
    config.log.enabled = false;
    config.log.console = llm_observe::config::Console::Never;
    config.server.listen = None;
    let _observer = llm_observe::Observer::builder()
        .config(config)
        .install()
        .unwrap();
    let handles = Handles {
        in_flight: gauge!("in_flight", "function" => "cached"),
        calls: counter!("calls_total", "function" => "cached"),
        duration: histogram!("duration_seconds", "function" => "cached"),
    };
    let call = |f: fn(u64) -> Out| {
        move || {
            let _ = black_box(f(black_box(7)));
        }
    };
    compare(
        "metrics only: in-flight, count, duration histogram",
        20,
        200_000,
        vec![
            candidate("llm-observe #[observe]", call(observed)),
            candidate("no attribute", call(plain)),
            candidate("autometrics (metrics facade)", call(autometered)),
            candidate("`metrics` macros by hand", call(by_hand)),
            candidate("`metrics` handles cached by hand", || {
                let _ = black_box(by_cached_handles(&handles, black_box(7)));
            }),
        ],
    );
}
