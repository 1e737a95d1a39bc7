//! A usual line takes no memory from the allocator on its caller's path, once the thread's buffers
//! have grown to it: through `LogWriter`, from an annotated call as text, as JSON and to a logger of
//! its own, with and without fields, and from a plain event; nor do the breadcrumbs that are kept of them
//! for an error tracker. Nor does a chunk of a model's answer, after the first one. One observer a
//! process, so one test.
//!
//! Not measured are the console, which is handed a copy, and `quality`, whose scores the recorder of
//! metrics keeps one by one.

#![allow(unsafe_code, reason = "an allocator that counts has no safe interface")]

use std::{
    alloc::{GlobalAlloc, Layout, System},
    cell::Cell,
    hint::black_box,
    time::{Duration, Instant},
};

use futures_util::{FutureExt, Stream, StreamExt, stream};
use llm_observe::{
    Observer,
    config::{Config, Secret, Sentry},
    genai::{Response, Usage},
    log::LogWriter,
    observe,
};
use llm_observe_tests::folder::Folder;
use tracing::Level;

/// The system's allocator; counts what each thread asks of it, so that the background threads of
/// the observer do not matter.
struct Counting;

thread_local! {
    static ASKED: Cell<u64> = const { Cell::new(0) };
}

fn count() {
    // A thread that is being torn down is none of those that are measured.
    let _ = ASKED.try_with(|asked| asked.set(asked.get() + 1));
}

// SAFETY: every call is passed on to the system's allocator as it is.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        count();
        // SAFETY: the caller keeps to the contract of `alloc`.
        unsafe { System.alloc(layout) }
    }

    unsafe fn alloc_zeroed(&self, layout: Layout) -> *mut u8 {
        count();
        // SAFETY: as in `alloc`.
        unsafe { System.alloc_zeroed(layout) }
    }

    unsafe fn realloc(&self, memory: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        count();
        // SAFETY: as in `alloc`.
        unsafe { System.realloc(memory, layout, size) }
    }

    unsafe fn dealloc(&self, memory: *mut u8, layout: Layout) {
        // SAFETY: as in `alloc`; the memory came from there.
        unsafe { System.dealloc(memory, layout) }
    }
}

#[global_allocator]
static ALLOCATOR: Counting = Counting;

#[observe(event = "as_text")]
fn as_text(n: u64) -> u64 {
    n + 1
}

#[observe(event = "as_json")]
fn as_json(n: u64) -> Result<u64, std::io::Error> {
    Ok(n + 1)
}

#[observe(event = "in_both")]
fn in_both(n: u64) -> u64 {
    n + 1
}

#[observe(event = "in_both", items = n, fields(model = %"a-model", name, ok = true), args(n))]
fn with_fields(n: u64, name: &str) -> u64 {
    n + name.len() as u64
}

#[observe(event = "in_both", fields(depth = "outer"))]
fn nested(n: u64) -> u64 {
    with_fields(n, "inner") + in_both(n)
}

struct Chunk(u64);

impl Response for Chunk {
    fn model(&self) -> Option<&str> {
        Some("a-model")
    }

    fn usage(&self) -> Option<Usage> {
        Some(Usage::new(1, self.0))
    }
}

#[observe(event = "chat", operation = chat, stream)]
fn chat(chunks: u64) -> impl Stream<Item = Chunk> {
    stream::iter((0..chunks).map(Chunk))
}

/// How many allocations the chunks after the first one take.
fn later_chunks(chunks: u64) -> u64 {
    let mut stream = Box::pin(chat(chunks));
    let mut next = || stream.next().now_or_never().flatten();
    assert!(next().is_some());
    let before = ASKED.get();
    for _ in 1..chunks {
        assert!(next().is_some());
    }
    ASKED.get() - before
}

/// How many allocations of this thread `rounds` of `line` take, after as many that do not count.
fn allocations(rounds: u64, mut line: impl FnMut(u64)) -> u64 {
    (0..rounds).for_each(&mut line);
    let before = ASKED.get();
    (0..rounds).for_each(&mut line);
    ASKED.get() - before
}

/// The most that a few calls take while a second ends: a part of their timestamps is then worked out.
fn most_in_a_second() -> u64 {
    let start = Instant::now();
    let mut most = 0;
    while start.elapsed() < Duration::from_millis(1_100) {
        most = most.max(allocations(100, |n| assert!(in_both(n) > n)));
        std::thread::sleep(Duration::from_millis(5));
    }
    most
}

const CONFIG: &str = r#"
[log]
level = "info"
console = "never"
backups = 100
[loggers.json]
file = "json.log"
format = "json"
events = ["as_json"]
exclusive = true
[loggers.own]
file = "own.json"
format = "json"
events = ["in_both"]
[loggers.events]
file = "events.json"
format = "json"
targets = ["events"]
[server]
listen = "off"
"#;

#[test]
fn a_usual_line_allocates_nothing_on_its_callers_path() {
    let folder = Folder::new();
    let mut config = Config::parse(CONFIG, "test.toml".as_ref()).unwrap();
    config.log.dir = folder.path().join("logs");
    // A tracker keeps what came before an error, and there is none.
    let dsn = folder.write("dsn", "http://public@127.0.0.1:1/42");
    config.trackers.sentry = Some(Sentry::new(Secret::File(dsn)));
    let mut writer_log = config.log.clone();
    writer_log.file = "writer.log".to_owned();
    let writer = LogWriter::open(&writer_log).unwrap();
    let observer = Observer::builder().config(config).install().unwrap();

    let one = allocations(1, |n| {
        black_box(Box::new(n));
    });
    assert_eq!(one, 1, "the counter counts");
    let rounds = 5_000;
    let call = |call: fn(u64) -> u64| allocations(rounds, |n| assert!(call(n) > n));
    let name = "a name";
    let found = [
        (
            "by hand",
            allocations(rounds, |_| writer.line(Level::INFO, b"user 7 signed in\n")),
        ),
        ("a call as text", call(as_text)),
        ("a call as JSON", call(|n| as_json(n).unwrap())),
        ("a call as both", call(in_both)),
        ("a call with fields", call(|n| with_fields(n, "a name"))),
        ("calls in a call", call(nested)),
        (
            "an event",
            allocations(rounds, |_| tracing::info!(target: "events", "text")),
        ),
        (
            "an event with a number",
            allocations(rounds, |n| tracing::info!(target: "events", n, "text")),
        ),
        (
            "an event with texts",
            allocations(rounds, |n| {
                tracing::info!(target: "events", name, shown = %n, debugged = ?Some(n), "text of {n}");
            }),
        ),
        ("a second of calls", most_in_a_second()),
        ("chunks of an answer", later_chunks(rounds)),
    ];
    assert!(found.iter().all(|(_, count)| *count == 0), "{found:?}");

    let flushed = observer.flush(Duration::from_secs(30));
    assert!(flushed.is_complete(), "{flushed:?}");
    assert_eq!(writer.wait(Duration::from_secs(30)), 0);
    assert_eq!(writer.lost(), 0);
    // What was measured was written.
    let lines = |name: &str| {
        let of =
            llm_observe::log::read::history(&folder.path().join("logs"), name, Default::default());
        of.unwrap().count() as u64
    };
    assert_eq!(lines("writer.log"), 2 * rounds);
    assert_eq!(lines("json.log"), 2 * rounds);
    assert_eq!(lines("events.json"), 3 * 2 * rounds);
    assert!(lines("own.json") > 5 * 2 * rounds);
}
