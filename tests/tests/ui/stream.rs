//! `stream` on what returns no stream, or one whose type cannot be kept; keys that look at a value; limits.

use futures_util::{Stream, stream};
use llm_observe::observe;

#[observe(stream)]
fn number() -> impl Copy {
    1
}

#[observe(stream)]
fn named() -> stream::Empty<u32> {
    stream::empty()
}

#[observe(stream, quality = |n| *n)]
fn scored() -> impl Stream<Item = u32> {
    stream::empty()
}

#[observe(timeout(first = "1s"))]
async fn no_stream() -> std::io::Result<u32> {
    Ok(1)
}

#[observe(stream, timeout = "1s")]
fn one_limit() -> impl Stream<Item = u32> {
    stream::empty()
}

#[observe(stream, timeout(frist = "1s"))]
fn unknown_limit() -> impl Stream<Item = u32> {
    stream::empty()
}

#[observe(stream, timeout(first = "1s"))]
fn no_result() -> impl Stream<Item = u32> {
    stream::empty()
}

#[observe(stream)]
fn nothing() {}

fn main() {}
