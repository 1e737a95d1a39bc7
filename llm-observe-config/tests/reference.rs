//! `reference.toml` is right, complete, and says the defaults that the code has.

use std::path::Path;

use llm_observe_config::{Config, Errors};

const REFERENCE: &str = include_str!("../reference.toml");

/// The keys that every channel has.
const SHARED: [&str; 2] = ["severities", "max_per_minute"];

fn parse(text: &str) -> Result<Config, Errors> {
    Config::parse(text, Path::new("reference.toml"))
}

/// Splits the reference into its tables: each header with its lines.
fn tables() -> Vec<(String, Vec<String>)> {
    let mut tables: Vec<(String, Vec<String>)> = Vec::new();
    for line in REFERENCE.lines() {
        if line.starts_with('[') {
            let header = line.split_once(']').unwrap().0;
            tables.push((format!("{header}]"), Vec::new()));
        } else if let Some((_, lines)) = tables.last_mut() {
            lines.push(line.to_owned());
        }
    }
    tables
}

/// Returns the key that a line sets, or sets in its comment.
fn key(line: &str) -> Option<&str> {
    let line = line.strip_prefix("# ").unwrap_or(line);
    let (key, _) = line.split_once(" = ")?;
    let word = |c: char| c.is_ascii_lowercase() || c == '_';
    (!key.is_empty() && key.chars().all(word)).then_some(key)
}

/// Returns the keys that the parser knows in a table, from its own message.
fn known(header: &str, lines: &[String]) -> Vec<String> {
    // Any other name in it is a model's.
    if header == "[prices]" {
        return vec!["file".to_owned()];
    }
    let text = format!("{header}\n{}\nzzzzzzzzzzzzzz = 1\n", lines.join("\n"));
    let errors = parse(&text).unwrap_err();
    let mut helps = errors.iter().filter_map(|problem| problem.help.as_deref());
    let known = helps.find_map(|help| help.strip_prefix("known here: "));
    let known = known.unwrap_or_else(|| panic!("{header}: {errors}"));
    known
        .split(", ")
        .map(|key| key.trim_matches('`').to_owned())
        .collect()
}

#[test]
fn parses_and_says_the_defaults() {
    let config = parse(REFERENCE).unwrap_or_else(|errors| panic!("{errors}"));
    let default = Config::default();
    assert_eq!(config.service, default.service);
    assert_eq!(config.log, default.log);
    assert_eq!(config.alerts, default.alerts);
    assert_eq!(config.server, default.server);
    assert_eq!(config.metrics, default.metrics);
    assert_eq!(config.traces, default.traces);
    assert_eq!(config.http, default.http);
    assert_eq!(config.redact, default.redact);
    assert_eq!(config.outbox, default.outbox);
}

#[test]
fn parses_with_every_example_switched_on() {
    let lines = REFERENCE.lines().map(|line| match key(line) {
        Some(_) => line.strip_prefix("# ").unwrap_or(line),
        None => line,
    });
    let text = lines.collect::<Vec<_>>().join("\n");
    let config = parse(&text).unwrap_or_else(|errors| panic!("{errors}"));
    assert!(config.log.max_age.is_some());
    assert!(config.traces.otlp.is_some());
}

#[test]
fn lists_every_key_of_every_table() {
    let tables = tables();
    for (header, lines) in &tables {
        // What every channel has stands under the first.
        let shared = |key: &str| header.starts_with("[channels.") && SHARED.contains(&key);
        // The inner table of the event stands under a header of its own.
        let listed = |wanted: &str| {
            lines.iter().any(|line| key(line) == Some(wanted))
                || shared(wanted)
                || tables
                    .iter()
                    .any(|(other, _)| *other == header.replace(']', &format!(".{wanted}]")))
        };
        for wanted in known(header, lines) {
            assert!(
                listed(&wanted),
                "{wanted} is missing in {header} of reference.toml"
            );
        }
    }
}

#[test]
fn lists_every_table() {
    let errors = parse("zzzzzzzzzzzzzz = 1\n").unwrap_err();
    let help = errors.iter().next().unwrap().help.clone().unwrap();
    let tables = tables();
    for table in help.strip_prefix("known here: ").unwrap().split(", ") {
        let start = format!("[{}", table.trim_matches('`'));
        assert!(
            tables.iter().any(|(header, _)| header.starts_with(&start)),
            "{start}"
        );
    }
    for tracker in ["sentry", "rollbar", "airbrake", "logrocket"] {
        let header = format!("[trackers.{tracker}]");
        assert!(tables.iter().any(|(other, _)| *other == header), "{header}");
    }
    for kind in ["slack", "email", "alertmanager", "pagerduty", "webhook"] {
        assert!(REFERENCE.contains(&format!("kind = \"{kind}\"")), "{kind}");
    }
}
