//! One trace through everything that a call hands work to, and what its context shows on. One test reads
//! the lines of the process's observer; the others have scoped ones.

mod contexts;
mod hand_out;
mod lines;
mod remote;

use llm_observe::observe;

#[observe(event = "work", args(place))]
async fn work(place: &'static str) {
    tracing::info!(place, "working");
    tokio::task::yield_now().await;
}

#[observe(event = "work", args(place))]
fn work_now(place: &'static str) {
    tracing::info!(place, "working");
}

/// The names of the values of a context, and those of the test.
const IDS: [(&str, &str); 3] = [
    ("gen_ai.conversation.id", "c-1"),
    ("user.id", "u-1"),
    ("tenant", "acme"),
];
