//! The span of a request in a `tracing` subscriber of the program. A process has one observer, so this
//! file has one test.

use std::{
    collections::BTreeMap,
    fmt::Debug,
    sync::{Arc, Mutex},
};

use axum::{Router, body::Body, http::StatusCode, routing::get};
use http::Request;
use http_body_util::BodyExt;
use llm_observe::{Observer, config::Config, http::layer};
use tower::ServiceExt;
use tracing::{
    Event, Metadata, Subscriber,
    field::{Field, Visit},
    span,
};

/// The spans by name, each with its recorded fields.
#[derive(Clone, Default)]
struct Spans(Arc<Mutex<Vec<(String, Recorded)>>>);

type Recorded = BTreeMap<String, String>;

struct Fields<'a>(&'a mut Recorded);

impl Visit for Fields<'_> {
    fn record_debug(&mut self, field: &Field, value: &dyn Debug) {
        let value = format!("{value:?}").trim_matches('"').to_owned();
        self.0.insert(field.name().to_owned(), value);
    }
}

impl Subscriber for Spans {
    fn enabled(&self, metadata: &Metadata<'_>) -> bool {
        metadata.target() == "llm_observe::http"
    }
    fn new_span(&self, span: &span::Attributes<'_>) -> span::Id {
        let mut fields = Recorded::new();
        span.record(&mut Fields(&mut fields));
        let mut all = self.0.lock().unwrap();
        all.push((span.metadata().name().to_owned(), fields));
        span::Id::from_u64(all.len() as u64)
    }
    fn record(&self, id: &span::Id, values: &span::Record<'_>) {
        let mut all = self.0.lock().unwrap();
        let (_, fields) = &mut all[usize::try_from(id.into_u64()).unwrap() - 1];
        values.record(&mut Fields(fields));
    }
    fn record_follows_from(&self, _: &span::Id, _: &span::Id) {}
    fn event(&self, _: &Event<'_>) {}
    fn enter(&self, _: &span::Id) {}
    fn exit(&self, _: &span::Id) {}
}

#[tokio::test]
async fn a_request_is_a_span_by_the_conventions() {
    let spans = Spans::default();
    tracing::subscriber::set_global_default(spans.clone()).unwrap();
    let mut config = Config::default();
    config.server.listen = None;
    config.log.console = llm_observe::config::Console::Never;
    config.log.dir = std::env::temp_dir().join(format!("llm-observe-spans-{}", std::process::id()));
    let folder = config.log.dir.clone();
    let observer = Observer::builder().config(config).install().unwrap();
    let app = Router::new()
        .route("/ask/{id}", get(async || StatusCode::BAD_GATEWAY))
        .layer(layer());
    let request = Request::get("/ask/42?token=hunter2hunter2")
        .header("user-agent", "curl/8.5")
        .header(
            "traceparent",
            "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
        );
    let answer = app
        .oneshot(request.body(Body::empty()).unwrap())
        .await
        .unwrap();
    answer.into_body().collect().await.unwrap();
    let all = spans.0.lock().unwrap().clone();
    drop(observer);
    let _ = std::fs::remove_dir_all(folder);
    let [(name, fields)] = all.as_slice() else {
        panic!("{all:?}")
    };
    assert_eq!(name, "GET /ask/{id}");
    for (field, value) in [
        ("event", "http_request"),
        ("trace_id", "0af7651916cd43dd8448eb211c80319c"),
        ("outcome", "error"),
        ("error.message", "502 Bad Gateway"),
        ("http.request.method", "GET"),
        ("http.route", "/ask/{id}"),
        ("http.response.status_code", "502"),
        ("url.path", "/ask/42"),
        ("url.query", "token=REDACTED"),
        ("user_agent.original", "curl/8.5"),
    ] {
        assert_eq!(
            fields.get(field).map(String::as_str),
            Some(value),
            "{field} of {fields:?}"
        );
    }
}
