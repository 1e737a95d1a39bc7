//! One trace through everything that a call hands work to, and what its context shows on. One test reads
//! the lines of the process's observer; the others have scoped ones.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, Once, mpsc},
    thread,
    time::Duration,
};

use axum::{Router, routing::get};
use futures_util::{StreamExt, stream};
use llm_observe::{
    CurrentCallExt as _, Observer, Outcome, Record, config::Config, context, continue_trace,
    current, http, observe, redact::Redacted, sink::Sink, testing,
};
use llm_observe_tests::folder::Folder;
use rayon::prelude::*;
use serde_json::Value;
use tokio::{
    net::TcpListener,
    sync::oneshot,
    task::{JoinHandle, JoinSet},
};

#[observe(event = "work", args(place))]
async fn work(place: &'static str) {
    tracing::info!(place, "working");
    tokio::task::yield_now().await;
}

#[observe(event = "work", args(place))]
fn work_now(place: &'static str) {
    tracing::info!(place, "working");
}

/// A message of a queue: text and headers, as another process would get it.
struct Message {
    text: &'static str,
    traceparent: String,
    baggage: Option<String>,
}

/// Starts what another process would be, and returns its queue.
fn consumer() -> (mpsc::Sender<Message>, thread::JoinHandle<()>) {
    let (queue, messages) = mpsc::channel::<Message>();
    let consumer = thread::spawn(move || {
        for message in messages {
            continue_trace(&message.traceparent)
                .baggage(message.baggage.unwrap_or_default())
                .in_scope(|| work_now(message.text));
        }
    });
    (queue, consumer)
}

async fn serve() -> String {
    let handler = async || {
        work("http").await;
        context().get("tenant").unwrap_or_default().to_owned()
    };
    let app = Router::new().route("/", get(handler)).layer(http::layer());
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move { axum::serve(listener, app).await });
    format!("http://{address}/")
}

async fn request(url: String) -> String {
    // The examples of this workspace turn `reqwest/rustls-no-provider` on for all of it.
    static PROVIDER: Once = Once::new();
    PROVIDER.call_once(|| {
        let _ = rustls::crypto::ring::default_provider().install_default();
    });
    let builder = reqwest::Client::builder()
        .no_proxy()
        .timeout(Duration::from_secs(30));
    let client = http::client::propagating(builder).unwrap();
    client.get(url).send().await.unwrap().text().await.unwrap()
}

/// A task that runs until the call that spawned it has ended.
struct Outliving {
    release: oneshot::Sender<()>,
    task: JoinHandle<()>,
}

#[observe(event = "work", args(place))]
async fn outlive(place: &'static str, released: oneshot::Receiver<()>) {
    released.await.unwrap();
    tracing::info!(place, "working");
}

#[observe(event = "answer")]
async fn answer(url: String, queue: mpsc::Sender<Message>) -> Outliving {
    let context = context().conversation("c-1").user("u-1").tenant("acme");
    context.scope(hand_out(url, queue)).await
}

async fn hand_out(url: String, queue: mpsc::Sender<Message>) -> Outliving {
    llm_observe::spawn(work("spawn")).await.unwrap();
    llm_observe::spawn_blocking(|| work_now("spawn_blocking"))
        .await
        .unwrap();

    let mut set = JoinSet::new();
    set.spawn(work("join_set").in_current_call());
    set.join_all().await;

    thread::spawn(current().wrap(|| work_now("thread")))
        .join()
        .unwrap();

    let places = ["rayon_1", "rayon_2"];
    places
        .par_iter()
        .copied()
        .for_each(current().wrap_fn(work_now));

    let chunks = stream::iter(["stream_1", "stream_2"])
        .then(work)
        .in_current_call();
    let chunks = tokio::spawn(chunks.count()).await.unwrap();
    assert_eq!(chunks, 2);

    let message = Message {
        text: "channel",
        traceparent: current().traceparent().unwrap(),
        baggage: current().baggage(),
    };
    queue.send(message).unwrap();

    assert_eq!(request(url).await, "acme", "the tenant is baggage");

    // Nothing is taken along.
    tokio::spawn(work("lost")).await.unwrap();

    let (release, released) = oneshot::channel();
    let task = llm_observe::spawn(outlive("outlives", released));
    Outliving { release, task }
}

/// The parents of spans, as records have them.
#[derive(Clone, Default)]
struct Parents(Arc<Mutex<HashMap<String, String>>>);

impl Sink for Parents {
    fn record(&self, record: &Redacted<Record<'_>>) {
        let (span, parent) = (record.span_id.to_string(), record.parent_id.to_string());
        self.0.lock().unwrap().insert(span, parent);
    }
}

/// The lines of the test, and the parents of their spans.
struct Lines {
    lines: Vec<Value>,
    parents: HashMap<String, String>,
}

impl Lines {
    /// Returns the line of the call of that event, and of that place where there are several.
    #[track_caller]
    fn call(&self, event: &str, place: Option<&str>) -> &Value {
        let mut found = self.lines.iter().filter(|line| {
            let is_there = place.is_none_or(|place| line["fields"]["place"] == place);
            line["event"] == event && is_there
        });
        let line = found
            .next()
            .unwrap_or_else(|| panic!("no {event} {place:?}"));
        assert!(found.next().is_none(), "one {event} {place:?}");
        line
    }

    /// Returns the event that was logged in that place.
    #[track_caller]
    fn logged(&self, place: &str) -> &Value {
        let is_there =
            |line: &&Value| line["message"] == "working" && line["fields"]["place"] == place;
        self.lines.iter().find(is_there).unwrap()
    }

    #[track_caller]
    fn assert_below(&self, child: &Value, parent: &Value) {
        assert_eq!(child["trace_id"], parent["trace_id"], "{child}");
        let span = child["span_id"].as_str().unwrap();
        assert_eq!(
            self.parents[span],
            parent["span_id"].as_str().unwrap(),
            "{child}"
        );
        if let Some(written) = child.get("parent_span_id") {
            assert_eq!(*written, parent["span_id"], "{child}");
        }
    }
}

const IDS: [(&str, &str); 3] = [
    ("gen_ai.conversation.id", "c-1"),
    ("user.id", "u-1"),
    ("tenant", "acme"),
];

#[track_caller]
fn assert_ids(line: &Value, expected: &[(&str, &str)]) {
    for (name, _) in IDS {
        let value = expected.iter().find(|(expected, _)| *expected == name);
        assert_eq!(
            line["fields"][name].as_str(),
            value.map(|(_, value)| *value),
            "{line}"
        );
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn one_trace_leads_through_all_that_a_call_hands_out() {
    let (folder, parents) = (Folder::new(), Parents::default());
    let text = format!(
        "[log]\ndir = {:?}\nlevel = \"debug\"\nconsole = \"never\"\n\
         [loggers.all]\nfile = \"all.json\"\nformat = \"json\"\n[server]\nlisten = \"off\"\n\
         [http]\npropagate = [\"127.0.0.1\"]\nbaggage = [\"tenant\"]\n",
        folder.path()
    );
    let config = Config::parse(&text, "test.toml".as_ref()).unwrap();
    let builder = Observer::builder().config(config).sink(parents.clone());
    let observer = builder.install().unwrap();

    let (queue, consumer) = consumer();
    let outliving = answer(serve().await, queue).await;
    consumer.join().unwrap();
    outliving.release.send(()).unwrap();
    outliving.task.await.unwrap();
    assert!(observer.flush(Duration::from_secs(20)).is_complete());

    let text = folder.read("all.json");
    let lines = Lines {
        lines: text
            .lines()
            .map(|line| serde_json::from_str(line).expect(line))
            .collect(),
        parents: parents.0.lock().unwrap().clone(),
    };
    lines_of_the_answer(&lines);
    lines_of_the_request(&lines);
    lines_of_what_was_lost(&lines);
    hostile_values(&observer, &folder);
}

fn lines_of_the_answer(lines: &Lines) {
    let answer = lines.call("answer", None);
    // The context is that of the work in it.
    assert_ids(answer, &[]);
    for place in [
        "spawn",
        "spawn_blocking",
        "join_set",
        "thread",
        "rayon_1",
        "rayon_2",
        "stream_1",
        "stream_2",
        "outlives",
    ] {
        let call = lines.call("work", Some(place));
        lines.assert_below(call, answer);
        assert_eq!(call["outcome"], "ok");
        assert_ids(call, &IDS);
        let logged = lines.logged(place);
        assert_eq!(
            (&logged["trace_id"], &logged["span_id"]),
            (&call["trace_id"], &call["span_id"])
        );
        assert_ids(logged, &IDS);
    }
    let received = lines.call("work", Some("channel"));
    lines.assert_below(received, answer);
    assert_ids(received, &[("tenant", "acme")]);
    // A call that outlives its parent ends after it, and is still below it.
    let order = |wanted: &Value| lines.lines.iter().position(|line| line == wanted);
    assert!(order(answer) < order(lines.call("work", Some("outlives"))));
}

fn lines_of_the_request(lines: &Lines) {
    let answer = lines.call("answer", None);
    let (sent, received) = (
        lines.call("http_call", None),
        lines.call("http_request", None),
    );
    let work = lines.call("work", Some("http"));
    lines.assert_below(sent, answer);
    lines.assert_below(received, sent);
    lines.assert_below(work, received);
    assert_ids(sent, &IDS);
    for there in [received, work, lines.logged("http")] {
        assert_ids(there, &[("tenant", "acme")]);
        assert_eq!(there["request_id"], received["request_id"]);
    }
}

/// A call whose task has lost its context is a root of a trace of its own.
fn lines_of_what_was_lost(lines: &Lines) {
    let (answer, lost) = (lines.call("answer", None), lines.call("work", Some("lost")));
    assert_ne!(lost["trace_id"], answer["trace_id"]);
    assert_eq!(
        lines.parents[lost["span_id"].as_str().unwrap()],
        "0".repeat(16)
    );
    assert_ids(lost, &[]);
}

const FORGED: &str = "u\n2026-11-23 07:17:09.123 - INFO - forged trace_id=1\u{1b}[31m\" a=\"1\r\n";

fn hostile_values(observer: &Observer, folder: &Folder) {
    let key = "sk-ant-api03-aBcDeFgHiJkLmNoPqRsTuVwXyZ0123456789aBcDeFgHiJkLmNoPqRsTuVwXyZ";
    context()
        .conversation(key)
        .user(FORGED)
        .tenant("t".repeat(100_000))
        .in_scope(|| work_now("hostile"));
    assert!(observer.flush(Duration::from_secs(20)).is_complete());
    let (text, json) = (folder.read("app.log"), folder.read("all.json"));
    for log in [&text, &json] {
        assert!(!log.contains(key), "redacted");
        assert!(!log.contains("\n2026-11-23"), "forged");
        assert!(!log.contains(&"t".repeat(257)), "bounded");
    }
    let lines: Vec<Value> = json
        .lines()
        .map(|line| serde_json::from_str(line).expect(line))
        .collect();
    let line = lines
        .iter()
        .rfind(|line| line["fields"]["place"] == "hostile")
        .unwrap();
    assert_eq!(line["fields"]["user.id"], FORGED);
    assert_eq!(line["fields"]["tenant"], "t".repeat(256));
}

#[tokio::test]
async fn a_scoped_observer_sees_all_that_is_taken_along() {
    #[observe]
    async fn hand_out_here() {
        llm_observe::spawn(work("spawn")).await.unwrap();
        llm_observe::spawn_blocking(|| work_now("blocking"))
            .await
            .unwrap();
        tokio::spawn(work("task").in_current_call()).await.unwrap();
        thread::spawn(current().wrap(|| work_now("thread")))
            .join()
            .unwrap();
        ["rayon"]
            .into_par_iter()
            .for_each(current().wrap_fn(work_now));
        tokio::spawn(
            stream::iter(["stream"])
                .then(work)
                .in_current_call()
                .count(),
        )
        .await
        .unwrap();
    }
    let observer = testing::observe();
    context().user("u-1").scope(hand_out_here()).await;
    let (parent, calls) = (
        &observer.calls_of("hand_out_here")[0],
        observer.calls_of("work"),
    );
    assert_eq!(calls.len(), 6);
    for call in calls {
        assert_eq!(
            (call.trace_id, call.parent_id),
            (parent.trace_id, parent.span_id)
        );
        assert_eq!(call.fields.get("user.id").unwrap().to_string(), "u-1");
    }
}

#[tokio::test]
async fn what_is_dropped_with_a_task_belongs_to_the_call_that_spawned_it() {
    #[observe]
    async fn give_up() {
        let waiting = llm_observe::spawn(async { waiting().await });
        tokio::task::yield_now().await;
        waiting.abort();
        assert!(waiting.await.unwrap_err().is_cancelled());
    }
    #[observe]
    async fn waiting() {
        std::future::pending::<()>().await;
    }
    let observer = testing::observe();
    give_up().await;
    let (waiting, parent) = (&observer.calls()[0], &observer.calls()[1]);
    assert_eq!(waiting.outcome, Outcome::Cancelled);
    assert_eq!(
        (waiting.trace_id, waiting.parent_id),
        (parent.trace_id, parent.span_id)
    );
}

#[test]
fn contexts_nest_and_end_with_their_scope() {
    let observer = testing::observe();
    let outer = context().user("u-1").tenant("acme");
    // Made outside: its own values are over those that surround its work.
    let elsewhere = context().user("u-2");
    outer.in_scope(|| {
        work_now("outer");
        context().conversation("c-1").in_scope(|| work_now("inner"));
        elsewhere.in_scope(|| work_now("elsewhere"));
        context().user("").in_scope(|| work_now("removed"));
        assert_eq!(context().get("user.id"), Some("u-1"));
    });
    work_now("after");
    let ids: Vec<_> = observer
        .calls()
        .iter()
        .map(|call| {
            let value = |name| {
                call.fields
                    .get(name)
                    .map(ToString::to_string)
                    .unwrap_or_default()
            };
            IDS.map(|(name, _)| value(name))
        })
        .collect();
    let expected = [
        ["", "u-1", "acme"],
        ["c-1", "u-1", "acme"],
        ["", "u-2", "acme"],
        ["", "", "acme"],
        ["", "", ""],
    ];
    assert_eq!(ids, expected);
}

/// What is in its scope still belongs to the call around it: errors that pass up are known again, and
/// values are recorded on it.
#[tokio::test]
async fn a_context_does_not_come_between_a_call_and_its_children() {
    #[observe]
    async fn outer() -> Result<(), std::io::Error> {
        let work = async {
            current().record("noted", 1);
            inner().await
        };
        context().tenant("acme").scope(work).await
    }
    #[observe]
    async fn inner() -> Result<(), std::io::Error> {
        Err(std::io::Error::other("refused"))
    }
    let observer = testing::observe();
    outer().await.unwrap_err();
    let (inner, outer) = (&observer.calls()[0], &observer.calls()[1]);
    assert_eq!(inner.parent_id, outer.span_id);
    assert!(outer.passed_on && !inner.passed_on);
    assert_eq!(outer.fields.get("noted").unwrap().to_string(), "1");
}

#[test]
fn the_other_side_gets_the_flags_and_the_state_of_the_trace() {
    #[observe]
    fn forward() -> (Option<String>, Option<String>) {
        (current().traceparent(), current().tracestate())
    }
    let observer = testing::observe();
    let received = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-00";
    let context = continue_trace(received).tracestate("vendor=1");
    let (traceparent, tracestate) = context.in_scope(forward);
    let call = &observer.calls()[0];
    assert_eq!(
        traceparent.unwrap(),
        format!("00-{}-{}-00", call.trace_id, call.span_id)
    );
    assert_eq!(tracestate.unwrap(), "vendor=1");
    // Outside of all calls the trace is passed on as it is.
    assert_eq!(
        context.in_scope(|| current().traceparent()).unwrap(),
        received
    );
    assert_eq!(
        context
            .tracestate("v".repeat(513))
            .in_scope(|| current().tracestate()),
        None
    );
    assert_eq!(current().traceparent(), None);
}

#[test]
fn an_invalid_traceparent_starts_a_new_trace() {
    #[observe]
    fn outer(traceparent: &[u8]) {
        continue_trace(traceparent)
            .tracestate("vendor=1")
            .in_scope(|| {
                assert_eq!(current().tracestate(), None);
                work_now("below");
            });
    }
    let observer = testing::observe();
    for traceparent in [
        "",
        "00",
        "00-00000000000000000000000000000000-b7ad6b7169203331-01",
        "00-0af7651916cd43dd8448eb211c80319c-0000000000000000-01",
        "ff-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
        "00-0AF7651916CD43DD8448EB211C80319C-b7ad6b7169203331-01",
        "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01\n",
        "00-ä",
    ] {
        outer(traceparent.as_bytes());
    }
    outer(&[0xff; 100]);
    let calls = observer.calls();
    assert_eq!(calls.len(), 18);
    for pair in calls.chunks(2) {
        assert!(pair[0].parent_id.is_none(), "{:?}", pair[0]);
        assert_ne!(pair[0].trace_id, pair[1].trace_id);
    }
}

#[tokio::test]
async fn baggage_never_breaks_a_request_and_only_named_keys_are_read() {
    let config = "[http]\nbaggage = [\"tenant\", \"user.id\"]\n";
    let observer = testing::observe_with(config).unwrap();
    let long = format!("tenant={}", "v".repeat(9_000));
    let late = "a=1,".repeat(64) + "tenant=late";
    let tests: [(&[&[u8]], Option<&str>, Option<&str>); 8] = [
        (&[b"tenant=acme,session=7"], Some("acme"), None),
        (&[b"tenant=a%20b", b"user.id=u-1"], Some("a b"), Some("u-1")),
        (
            &[b"tenant = acme;ttl=1 ,=,;,==,user.id"],
            Some("acme"),
            None,
        ),
        (
            &[b"tenant=%0a2026-11-23%20forged"],
            Some("\n2026-11-23 forged"),
            None,
        ),
        (&[b"\xff\xfe=\xff,tenant=\xff"], None, None),
        (&[b"Tenant=acme"], None, None),
        (&[long.as_bytes(), b"user.id=u-1"], None, None),
        (&[late.as_bytes()], None, None),
    ];
    for (headers, tenant, user) in tests {
        let app = Router::new()
            .route("/", get(async || work("http").await))
            .layer(http::layer());
        let mut request = ::http::Request::get("/");
        for header in headers {
            request = request.header("baggage", *header);
        }
        let request = request.body(axum::body::Body::empty()).unwrap();
        let response = tower::ServiceExt::oneshot(app, request).await.unwrap();
        assert_eq!(response.status(), 200);
        let call = observer.calls_of("work").pop().unwrap();
        let text = |name| call.fields.get(name).map(ToString::to_string);
        assert_eq!(text("tenant").as_deref(), tenant, "{headers:?}");
        assert_eq!(text("user.id").as_deref(), user, "{headers:?}");
        assert_eq!(text("session"), None);
    }
}

#[test]
fn without_an_observer_of_its_keys_no_baggage_is_carried() {
    let _observer = testing::observe();
    let received = continue_trace("").baggage("tenant=acme");
    assert_eq!(received.get("tenant"), None);
    assert_eq!(
        context().tenant("acme").in_scope(|| current().baggage()),
        None
    );
}
