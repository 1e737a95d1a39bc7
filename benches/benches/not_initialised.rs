//! An annotated function in a program that never calls `init!()`.

use std::hint::black_box;

use llm_observe_benches::{candidate, compare};

#[inline(never)]
fn plain(n: u64) -> Result<u64, std::io::Error> {
    Ok(black_box(n).wrapping_mul(3))
}

#[llm_observe::observe(event = "bench")]
#[inline(never)]
fn observed(n: u64) -> Result<u64, std::io::Error> {
    Ok(black_box(n).wrapping_mul(3))
}

#[tracing::instrument(skip_all)]
#[inline(never)]
fn instrumented(n: u64) -> Result<u64, std::io::Error> {
    Ok(black_box(n).wrapping_mul(3))
}

#[emit::span("bench")]
#[inline(never)]
fn emitted(n: u64) -> Result<u64, std::io::Error> {
    Ok(black_box(n).wrapping_mul(3))
}

fn main() {
    let call = |f: fn(u64) -> Result<u64, std::io::Error>| {
        move || {
            let _ = black_box(f(black_box(7)));
        }
    };
    compare(
        "annotated, not initialised",
        30,
        1_000_000,
        vec![
            candidate("llm-observe #[observe]", call(observed)),
            candidate("no attribute", call(plain)),
            candidate("tracing #[instrument], no subscriber", call(instrumented)),
            candidate("emit #[emit::span], not set up", call(emitted)),
        ],
    );
}
