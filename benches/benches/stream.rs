//! What `stream` adds to each item of a stream of 1,000, with metrics and JSON lines on. Figures are for a
//! whole stream: divide by 1,000 for one item.

use std::{
    hint::black_box,
    pin::pin,
    task::{Context, Poll, Waker},
};

use futures_util::{Stream, StreamExt, stream};
use llm_observe::genai::{Response, Usage};
use llm_observe_benches::{candidate, compare, to_json_files};

const ITEMS: u32 = 1_000;

type Item = Result<u32, std::io::Error>;

#[inline(never)]
fn plain() -> impl Stream<Item = Item> {
    stream::iter(0..ITEMS).map(|n| Ok(black_box(n)))
}

#[llm_observe::observe(event = "bench", stream)]
#[inline(never)]
fn observed() -> impl Stream<Item = Item> {
    stream::iter(0..ITEMS).map(|n| Ok(black_box(n)))
}

struct Chunk(u32);

impl Response for Chunk {
    fn model(&self) -> Option<&str> {
        Some("a-model")
    }

    fn usage(&self) -> Option<Usage> {
        Some(Usage::new(100, u64::from(self.0)))
    }
}

#[inline(never)]
fn plain_chunks() -> impl Stream<Item = Result<Chunk, std::io::Error>> {
    stream::iter(0..ITEMS).map(|n| Ok(Chunk(black_box(n))))
}

#[llm_observe::observe(event = "bench", operation = chat, stream)]
#[inline(never)]
fn chunks() -> impl Stream<Item = Result<Chunk, std::io::Error>> {
    stream::iter(0..ITEMS).map(|n| Ok(Chunk(black_box(n))))
}

fn drain<T>(stream: impl Stream<Item = T>) {
    let mut stream = pin!(stream);
    let mut context = Context::from_waker(Waker::noop());
    while let Poll::Ready(Some(item)) = stream.as_mut().poll_next(&mut context) {
        let _ = black_box(item);
    }
}

fn main() {
    let dir = std::env::temp_dir().join(format!("llm-observe-bench-{}", std::process::id()));
    let observer = to_json_files(&dir);
    compare(
        "a stream of 1,000 items",
        20,
        1_000,
        vec![
            candidate("not annotated", || drain(plain())),
            candidate("#[observe(stream)]", || drain(observed())),
            candidate("chunks, not annotated", || drain(plain_chunks())),
            candidate("#[observe(operation = chat, stream)]", || drain(chunks())),
        ],
    );
    drop(observer);
    let _ = std::fs::remove_dir_all(dir);
}
