//! Scores, evaluators and searches: what they record, and that a caller never pays for them.

mod evaluated;
mod scored;
mod searched;

use std::{
    future,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use llm_observe::{
    CurrentCallExt as _, Outcome, Score,
    genai::Retrieved,
    observe, score,
    testing::{self, Event, TestObserver},
};

use crate::{is_there, value};

const LONG: Duration = Duration::from_secs(30);

fn text(event: &Event, field: &str) -> Option<String> {
    event.field(field).map(ToString::to_string)
}

/// Returns the sum of scores and their number, of one name.
fn scores(seen: &TestObserver, name: &str) -> (f64, f64) {
    let (metrics, labels) = (seen.metrics(), [("name", name)]);
    let of = |part| {
        value(
            &metrics,
            &format!("llm_observe_evaluation_score_{part}"),
            &labels,
        )
    };
    (of("sum"), of("count"))
}
