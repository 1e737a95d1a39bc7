//! The table of metrics: that it makes sense, and that the documents and the live page agree with
//! it.
//!
//! `UPDATE_METRICS=1 cargo test -p llm-observe metrics` writes the tables of the documents anew.

use std::{collections::HashSet, env, fs, path::Path};

use super::operations;
use crate::{
    kernel::metric::{Buckets, Metric, MetricKind, Unit},
    page::HTML,
};

/// The documents with tables of metrics, from the root of the repository.
const DOCUMENTS: [&str; 5] = [
    "README.md",
    "docs/genai.md",
    "docs/http.md",
    "docs/http_client.md",
    "docs/start_and_stop.md",
];

/// Stands before a table, with the names of its metrics or, with a `*`, how they begin.
const START: &str = "<!-- metrics: ";
const END: &str = "<!-- /metrics -->";

fn all() -> impl Iterator<Item = &'static Metric> {
    operations::metrics().into_iter()
}

#[test]
fn every_row_makes_sense() {
    let mut names = HashSet::new();
    for metric in all() {
        let name = metric.name;
        assert!(names.insert(name), "{name} twice");
        assert_eq!(
            name.ends_with("_total"),
            metric.kind == MetricKind::Counter,
            "{name}"
        );
        assert_eq!(
            metric.kind == MetricKind::Histogram,
            metric.buckets != Buckets::None,
            "{name}"
        );
        assert!(metric.buckets.bounds().is_sorted_by(|a, b| a < b), "{name}");
        let seconds = name.ends_with("_seconds");
        assert_eq!(seconds, metric.unit == Unit::Seconds, "{name}");
        assert_eq!(
            name.ends_with("_bytes"),
            metric.unit == Unit::Bytes,
            "{name}"
        );
        assert!(
            metric.help.ends_with('.') && !metric.help.contains(['\n', '|']),
            "{name}"
        );
    }
}

#[test]
fn the_documents_have_the_tables() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    if !root.join("README.md").exists() || !root.join("docs").exists() {
        // The package alone, without its repository.
        return;
    }
    let mut shown = HashSet::new();
    for document in DOCUMENTS {
        let path = root.join(document);
        let text = fs::read_to_string(&path).unwrap();
        let updated = with_tables(&text, &mut shown);
        if env::var_os("UPDATE_METRICS").is_some() {
            fs::write(&path, &updated).unwrap();
        } else {
            assert!(
                text == updated,
                "{document} differs from the table of metrics: run \
                 `UPDATE_METRICS=1 cargo test -p llm-observe metrics`"
            );
        }
    }
    let missing: Vec<&str> = all()
        .map(|m| m.name)
        .filter(|name| !shown.contains(name))
        .collect();
    assert!(missing.is_empty(), "in no document: {missing:?}");
}

/// Returns a document with its tables written anew, and adds what they show to `shown`.
fn with_tables(text: &str, shown: &mut HashSet<&'static str>) -> String {
    let mut out = String::new();
    let mut rest = text;
    while let Some((before, from)) = rest.split_once(START) {
        let (wanted, table) = from.split_once(" -->").unwrap();
        let (_, after) = table.split_once(END).expect("a table that ends");
        let metrics: Vec<&Metric> = wanted.split(' ').flat_map(matching).collect();
        shown.extend(metrics.iter().map(|metric| metric.name));
        let rows: String = metrics.iter().map(|metric| row(metric)).collect();
        out.push_str(&format!(
            "{before}{START}{wanted} -->\n| name | kind | labels | meaning |\n|---|---|---|---|\n{rows}{END}"
        ));
        rest = after;
    }
    out + rest
}

fn matching(wanted: &str) -> Vec<&'static Metric> {
    let found: Vec<_> = match wanted.strip_suffix('*') {
        Some(prefix) => all().filter(|m| m.name.starts_with(prefix)).collect(),
        None => all().filter(|m| m.name == wanted).collect(),
    };
    assert!(!found.is_empty(), "no metric is named {wanted}");
    found
}

fn row(metric: &Metric) -> String {
    let Metric { name, help, .. } = metric;
    format!(
        "| `{name}` | {} | {} | {help} |\n",
        kind(metric),
        labels(metric)
    )
}

fn kind(metric: &Metric) -> String {
    let kind = metric.kind.as_str();
    match (metric.buckets.bounds(), metric.unit) {
        ([least, .., most], Unit::Seconds) => {
            format!("{kind}, {} to {most} s", thousandths(*least))
        }
        ([least, .., most], _) => format!("{kind}, {least} to {most}"),
        _ => kind.to_owned(),
    }
}

fn thousandths(seconds: f64) -> String {
    format!("{} ms", (seconds * 1e6).round() / 1e3)
}

fn labels(metric: &Metric) -> String {
    let always = metric.labels.iter().map(|label| format!("`{label}`"));
    let optional = metric
        .optional
        .iter()
        .map(|(label, when)| format!("`{label}` {when}"));
    always.chain(optional).collect::<Vec<_>>().join(", ")
}

/// Returns the metric that a sample is of, and the label that its suffix adds.
fn metric(sample: &str) -> (&'static Metric, &'static [&'static str]) {
    let suffixes: [(&str, &[&str]); 7] = [
        ("", &[]),
        // Of `/metrics?live`.
        ("_live", &["over", "upto"]),
        ("_min", &["window"]),
        ("_max", &["window"]),
        ("_bucket", &["le"]),
        ("_sum", &[]),
        ("_count", &[]),
    ];
    let found = suffixes.into_iter().find_map(|(suffix, adds)| {
        let name = sample.strip_suffix(suffix)?;
        let metric = all().find(|m| m.name == name)?;
        let whole = metric.kind == MetricKind::Histogram;
        (suffix.is_empty() != whole).then_some((metric, adds))
    });
    found.unwrap_or_else(|| panic!("no metric has samples named {sample}"))
}

#[test]
fn it_reads_metrics_of_the_table_by_labels_that_they_have() {
    let (_, rows) = HTML.split_once("const READ = new Map([").unwrap();
    let (rows, _) = rows.split_once("].map(").unwrap();
    let mut names = 0;
    for row in rows.split("\n  [\"").skip(1) {
        let (name, row) = row.split_once("\", [").unwrap();
        let (labels, _) = row.split_once(']').unwrap();
        let (metric, added) = metric(name);
        let optional = metric.optional.iter().map(|(label, _)| label);
        let known: Vec<&str> = metric
            .labels
            .iter()
            .chain(optional)
            .chain(added)
            .copied()
            .collect();
        names += 1;
        for label in labels.split(", ").map(|label| label.trim_matches('"')) {
            assert!(known.contains(&label), "{name} has no label {label}");
            // Some labels begin like metrics.
            names += usize::from(label.starts_with("gen_ai_"));
        }
    }
    // Nowhere else does the page name a metric.
    let of_metrics = |text: &&str| {
        [
            "llm_observe_",
            "http_server_request_",
            "http_client_request_",
            "gen_ai_",
        ]
        .iter()
        .any(|prefix| text.starts_with(prefix))
    };
    assert!(names > 10, "{names}");
    assert_eq!(
        HTML.split(['"', '\'', '`']).filter(of_metrics).count(),
        names
    );
}
