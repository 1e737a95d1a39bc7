use std::io::Write;

use proptest::prelude::*;

use std::fs::File;

use super::*;

const TEXT: &str =
    "2026-11-23 07:17:09.123 - INFO - embedding ok in 12.3ms rag::embed k=v trace_id=abc";
const JSON: &str = r#"{"time":"2026-11-23T07:17:10.5Z","level":"ERROR","message":"m","event":"query","outcome":"error","trace_id":"def"}"#;

/// The same call, by other names.
const OTEL: &str = r#"{"Timestamp":"1795418230500000000","SeverityText":"ERROR","SeverityNumber":17,"Body":"m","TraceId":"def","EventName":"query","Attributes":{"llm_observe.outcome":"error","level":"mine"},"Resource":{}}"#;
const ECS: &str = r#"{"@timestamp":"2026-11-23T07:17:10.5Z","log.level":"ERROR","message":"m","event.action":"query","event.outcome":"failure","llm_observe.outcome":"error","trace.id":"def"}"#;

#[test]
fn a_json_line_is_read_by_each_set_of_names() {
    let [mut default, mut otel, mut ecs] =
        [JSON, OTEL, ECS].map(|text| parse::line(text.to_owned()).unwrap());
    for line in [&mut default, &mut otel, &mut ecs] {
        assert!(!std::mem::take(&mut line.text).is_empty());
    }
    assert_eq!(default.outcome.as_deref(), Some("error"));
    assert_eq!(default, otel);
    assert_eq!(default, ecs);
}

fn dir() -> PathBuf {
    let dir = std::env::temp_dir().join(format!("llm-observe-log-read-{:016x}", fastrand::u64(..)));
    fs::create_dir_all(&dir).unwrap();
    dir
}

#[test]
fn reads_rotated_compressed_and_live_in_order_and_reports_damage() {
    let dir = dir();
    let gz = File::create(dir.join("app.log.2026-11-23T08-00-00Z.9.gz")).unwrap();
    let mut gz = flate2::write::GzEncoder::new(gz, flate2::Compression::fast());
    writeln!(gz, "{TEXT}").unwrap();
    gz.finish().unwrap();
    // Rotated after a clock that was set back: later by number, earlier by name.
    fs::write(
        dir.join("app.log.2026-11-23T07-00-00Z.10"),
        format!("{JSON}\ngarbage\n"),
    )
    .unwrap();
    fs::write(dir.join("app.log"), format!("{TEXT}\n{{\"half")).unwrap();
    let items: Vec<_> = history(&dir, "app.log", Filter::default())
        .unwrap()
        .collect();
    let shape: Vec<_> = items
        .iter()
        .map(|item| match item {
            Item::Line(line) => line.event.clone().unwrap(),
            Item::Damaged { line, .. } => format!("damaged {line}"),
            Item::Waiting { lines } => format!("waiting {lines}"),
        })
        .collect();
    assert_eq!(
        shape,
        ["embedding", "query", "damaged 2", "embedding", "damaged 2"]
    );
    let errors = Filter {
        level: Some("warn".into()),
        since: Some(1_795_418_230_000_000),
        ..Filter::default()
    };
    let lines = history(&dir, "app.log", errors)
        .unwrap()
        .filter(|item| matches!(item, Item::Line(_)))
        .count();
    assert_eq!(lines, 1);
    let trace = Filter {
        trace_id: Some("abc".into()),
        outcome: Some("ok".into()),
        ..Filter::default()
    };
    assert_eq!(
        history(&dir, "app.log", trace)
            .unwrap()
            .filter(|item| matches!(item, Item::Line(_)))
            .count(),
        2
    );
    fs::remove_dir_all(dir).unwrap();
}

proptest! {
    #[test]
    fn any_bytes_are_read_to_the_end(bytes in proptest::collection::vec(any::<u8>(), 0..400), gz in any::<bool>()) {
        let dir = dir();
        let name = if gz { "app.log.2026-11-23T08-00-00Z.1.gz" } else { "app.log" };
        fs::write(dir.join(name), &bytes).unwrap();
        let items = history(&dir, "app.log", Filter::default()).unwrap().count();
        fs::remove_dir_all(&dir).unwrap();
        prop_assert!(items <= bytes.len() + 1);
    }
}
