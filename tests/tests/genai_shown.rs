//! Where an operation of a model shows: text line, JSON line, span. A process has one observer, so this
//! file has one test.

use std::fs;

use futures_util::{Stream, StreamExt, stream};
use llm_observe::{
    Observer,
    config::Config,
    genai::{FinishReasons, Response, Usage},
    observe,
};
use llm_observe_tests::{folder::Folder, spans::Spans};
use serde_json::Value;

struct Chunk(&'static str);

impl Response for Chunk {
    fn model(&self) -> Option<&str> {
        Some("gpt-4o-2024-08-06")
    }

    fn finish_reasons(&self) -> FinishReasons<'_> {
        Some(self.0).filter(|reason| !reason.is_empty()).into()
    }

    fn usage(&self) -> Option<Usage> {
        Some(Usage::new(812, 203).with_cache_read(12))
    }

    fn cost_usd(&self) -> Option<f64> {
        Some(0.0041)
    }
}

#[observe(operation = chat, provider = "openai", model = "gpt-4o", stream)]
fn answer() -> impl Stream<Item = Chunk> {
    stream::iter([Chunk(""), Chunk("stop")])
}

#[observe(operation = execute_tool, tool = "lookup")]
fn lookup() -> u8 {
    1
}

fn config(folder: &Folder) -> Config {
    let text = format!(
        r#"
        [log]
        dir = {:?}
        console = "never"
        [loggers.all]
        file = "all.json"
        format = "json"
        [server]
        listen = "off"
        "#,
        folder.path()
    );
    Config::parse(&text, "test.toml".as_ref()).unwrap()
}

#[tokio::test]
async fn an_operation_shows_in_lines_and_spans() {
    let folder = Folder::new();
    let spans = Spans::new(|metadata| metadata.is_span());
    tracing::subscriber::set_global_default(spans.clone()).unwrap();
    let builder = Observer::builder().config(config(&folder));
    let observer = builder.install().unwrap();
    assert_eq!(answer().count().await, 2);
    lookup();
    drop(observer);

    let text = fs::read_to_string(folder.path().join("app.log")).unwrap();
    let line = text
        .lines()
        .find(|line| line.contains("answer ok in"))
        .unwrap();
    let shown = " model=gpt-4o in=812 out=203 cost=$0.0041 ttfc=";
    let (_, first) = line.split_once(shown).unwrap_or_else(|| panic!("{line}"));
    let (first, rest) = first.split_once(' ').unwrap();
    assert!(first.ends_with("ms") || first.ends_with('s'), "{line}");
    assert!(rest.starts_with("chunks=2 trace_id="), "{line}");
    assert!(text.contains(" tool=lookup "), "{text}");

    let json = fs::read_to_string(folder.path().join("all.json")).unwrap();
    let lines = json
        .lines()
        .map(|line| serde_json::from_str::<Value>(line).unwrap());
    let line = lines
        .into_iter()
        .find(|line| line["event"] == "answer")
        .unwrap();
    let fields = &line["fields"];
    assert_eq!(fields["gen_ai.operation.name"], "chat");
    assert_eq!(fields["gen_ai.request.model"], "gpt-4o");
    assert_eq!(fields["gen_ai.response.finish_reasons"], "stop");
    assert_eq!(fields["gen_ai.usage.input_tokens"], 812);
    assert_eq!(fields["gen_ai.usage.cache_read.input_tokens"], 12);
    assert_eq!(fields["gen_ai.usage.cost"], 0.0041);
    assert_eq!(fields["llm_observe.cost_source"], "provider");
    assert!(fields["gen_ai.response.time_to_first_chunk"].is_f64());

    let spans = spans.all();
    for (name, wanted) in [
        (
            "answer",
            [
                ("otel.name", "chat gpt-4o"),
                ("otel.kind", "client"),
                ("gen_ai.usage.output_tokens", "203"),
            ],
        ),
        (
            "lookup",
            [
                ("otel.name", "execute_tool lookup"),
                ("otel.kind", "internal"),
                ("gen_ai.tool.name", "lookup"),
            ],
        ),
    ] {
        let (_, fields) = spans.iter().find(|(span, _)| span == name).unwrap();
        for (field, value) in wanted {
            let found = fields.get(field).map(String::as_str);
            assert_eq!(found, Some(value), "{field} of {fields:?}");
        }
    }
}
