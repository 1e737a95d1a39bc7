//! What a reader finds in the log files: calls and events, text and JSON, in the right files, with
//! the same trace id. One observer a process, so one test.

use std::{fs, path::PathBuf, time::Duration};

use llm_observe::{Observer, config::Config, observe};
use serde_json::Value;

#[observe(event = "embedding", items = texts.len(), fields(model = %"hashed 1"))]
fn embed(texts: &[&str]) -> Result<usize, std::io::Error> {
    tracing::info!(batch = texts.len(), "embedding a batch");
    log::warn!("an old library says hello");
    match texts {
        [] => Err(std::io::Error::other(
            "refused\n2026-01-01 00:00:00.000 - INFO - forged",
        )),
        texts => Ok(texts.len()),
    }
}

#[observe(event = "query", level = "debug")]
fn query() -> usize {
    embed(&["a", "b"]).unwrap_or_default()
}

struct Folder(PathBuf);

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

fn json_lines(text: &str) -> Vec<Value> {
    text.lines()
        .map(|line| serde_json::from_str(line).expect(line))
        .collect()
}

#[test]
fn lines_are_complete_and_in_their_files() {
    let folder =
        Folder(std::env::temp_dir().join(format!("llm-observe-lines-{}", std::process::id())));
    let text = format!(
        r#"
        [log]
        dir = {:?}
        level = "info"
        console = "never"
        [loggers.everything_as_json]
        file = "all.json"
        format = "json"
        [loggers.embedding]
        file = "embedding.log"
        events = ["embedding"]
        [loggers.errors]
        file = "errors.log"
        outcomes = ["error", "panic", "timeout"]
        [server]
        listen = "off"
        "#,
        folder.0
    );
    let config = Config::parse(&text, "test.toml".as_ref()).unwrap();
    let observer = Observer::builder().config(config).install().unwrap();
    query();
    embed(&[]).unwrap_err();
    tracing::debug!("too quiet to be written");
    let flushed = observer.flush(Duration::from_secs(10));
    assert!(flushed.is_complete(), "{flushed:?}");

    let app = fs::read_to_string(folder.0.join("app.log")).unwrap();
    let lines: Vec<&str> = app.lines().collect();
    assert_eq!(
        lines.len(),
        6,
        "two calls of embed with two events each; query is too quiet\n{app}"
    );
    assert!(
        lines.iter().all(|line| line.as_bytes()[23..26] == *b" - "),
        "{app}"
    );
    assert!(
        !app.lines().any(|line| line.starts_with("2026-01-01")),
        "forged a line:\n{app}"
    );
    let embedded = lines
        .iter()
        .find(|line| line.contains("embedding ok in "))
        .unwrap();
    assert!(
        embedded.contains(" - INFO - embedding ok in "),
        "{embedded}"
    );
    assert!(
        embedded.contains(" log_lines::embed items=2 model=\"hashed 1\" trace_id="),
        "{embedded}"
    );

    let errors = fs::read_to_string(folder.0.join("errors.log")).unwrap();
    assert_eq!(errors.lines().count(), 1, "{errors}");
    let embedding = fs::read_to_string(folder.0.join("embedding.log")).unwrap();
    assert_eq!(embedding.lines().count(), 2, "{embedding}");

    let all = json_lines(&fs::read_to_string(folder.0.join("all.json")).unwrap());
    assert_eq!(all.len(), 6);
    let call = all.iter().find(|line| line["outcome"] == "ok").unwrap();
    assert_eq!(call["event"], "embedding");
    assert_eq!(call["function"], "log_lines::embed");
    assert_eq!(call["fields"]["items"], 2);
    assert!(call["duration_ms"].as_f64().unwrap() > 0.0);
    let event = all
        .iter()
        .find(|line| line["message"] == "embedding a batch")
        .unwrap();
    assert_eq!(
        event["trace_id"], call["trace_id"],
        "an event inside a call belongs to its trace"
    );
    assert_eq!(event["span_id"], call["span_id"]);
    assert_eq!(event["fields"]["batch"], 2);
    let old = all.iter().find(|line| line["level"] == "WARN").unwrap();
    assert_eq!(old["message"], "an old library says hello");
    assert_eq!(old["target"], "log_lines");
    let failed = all.iter().find(|line| line["outcome"] == "error").unwrap();
    assert_eq!(failed["level"], "ERROR");
    assert_eq!(failed["error"]["class"], "other");
    assert!(
        failed["error"]["message"]
            .as_str()
            .unwrap()
            .starts_with("refused\n")
    );
}
