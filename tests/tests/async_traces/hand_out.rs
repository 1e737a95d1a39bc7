//! A call that hands work to everything that there is.

use std::{
    sync::{Once, mpsc},
    thread,
    time::Duration,
};

use axum::{Router, routing::get};
use futures_util::{StreamExt, stream};
use llm_observe::{CurrentCallExt as _, context, continue_trace, current, http, observe};
use rayon::prelude::*;
use tokio::{
    net::TcpListener,
    sync::oneshot,
    task::{JoinHandle, JoinSet},
};

use super::{work, work_now};

/// A message of a queue: text and headers, as another process would get it.
pub(crate) struct Message {
    text: &'static str,
    traceparent: String,
    baggage: Option<String>,
}

/// Starts what another process would be, and returns its queue.
pub(crate) fn consumer() -> (mpsc::Sender<Message>, thread::JoinHandle<()>) {
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

pub(crate) async fn serve() -> String {
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
pub(crate) struct Outliving {
    pub(crate) release: oneshot::Sender<()>,
    pub(crate) task: JoinHandle<()>,
}

#[observe(event = "work", args(place))]
async fn outlive(place: &'static str, released: oneshot::Receiver<()>) {
    released.await.unwrap();
    tracing::info!(place, "working");
}

#[observe(event = "answer")]
pub(crate) async fn answer(url: String, queue: mpsc::Sender<Message>) -> Outliving {
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
