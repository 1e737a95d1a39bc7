//! Whether a scrape has the metrics of the documents: their kinds, help texts and labels, and no
//! others. That the documents agree with the program's own table, a test of the runtime shows.

use std::{collections::HashMap, fs, path::Path};

/// A row of a table of metrics.
struct Row {
    kind: String,
    /// Each label, and whether every series has it.
    labels: Vec<(String, bool)>,
    meaning: String,
}

/// Checks every line of a scrape.
///
/// # Panics
///
/// When a metric or a label is not in the documents, or one that every series has is missing.
pub fn assert_documented(scrape: &str) {
    let rows = documented();
    for line in scrape.lines().filter(|line| !line.is_empty()) {
        let mut words = line.splitn(4, ' ');
        match (words.next(), words.next(), words.next(), words.next()) {
            (Some("#"), Some("HELP"), Some(name), Some(help)) => {
                assert_eq!(row(&rows, name).meaning, help, "{name}");
            }
            (Some("#"), Some("TYPE"), Some(name), Some(kind)) => {
                assert_eq!(row(&rows, name).kind, kind, "{name}");
            }
            _ => assert_sample(&rows, line),
        }
    }
}

/// Returns the value of a series in a scrape.
pub fn value(scrape: &str, series: &str) -> Option<u64> {
    let line = scrape.lines().find(|line| line.starts_with(series))?;
    line.strip_prefix(series)?.trim().parse().ok()
}

fn assert_sample(rows: &HashMap<String, Row>, line: &str) {
    let (series, _) = line.rsplit_once(' ').expect(line);
    // Some metrics have no labels.
    let (sample, labels) = series.split_once('{').unwrap_or((series, "}"));
    let (labels, _) = labels.rsplit_once('}').expect(line);
    let row = row(rows, sample);
    let mut labels = names_of(labels);
    labels.retain(|label| !(label == "le" && sample.ends_with("_bucket")));
    for label in &labels {
        assert!(
            row.labels.iter().any(|(name, _)| name == label),
            "{label} in {line}"
        );
    }
    for (label, _) in row.labels.iter().filter(|(_, always)| *always) {
        assert!(labels.contains(label), "no {label} in {line}");
    }
}

/// Returns the names of `a="1",b="2"`.
fn names_of(labels: &str) -> Vec<String> {
    let mut names = Vec::new();
    let mut rest = labels;
    while let Some((name, value)) = rest.split_once("=\"") {
        names.push(name.trim_start_matches(',').to_owned());
        let end = value
            .char_indices()
            .scan(false, |escaped, (at, c)| {
                let ends = c == '"' && !*escaped;
                *escaped = c == '\\' && !*escaped;
                Some((at, ends))
            })
            .find_map(|(at, ends)| ends.then_some(at));
        rest = &value[end.expect(labels) + 1..];
    }
    names
}

/// Returns the row of a metric, or of the histogram that a sample is part of.
fn row<'a>(rows: &'a HashMap<String, Row>, sample: &str) -> &'a Row {
    let parts = ["_bucket", "_sum", "_count"];
    let histogram = parts
        .iter()
        .find_map(|part| rows.get(sample.strip_suffix(part)?));
    let histogram = histogram.filter(|row| row.kind == "histogram");
    let row = rows.get(sample).or(histogram);
    row.unwrap_or_else(|| panic!("{sample} is in no document"))
}

fn documented() -> HashMap<String, Row> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    let documents = [
        "README.md",
        "docs/genai.md",
        "docs/http.md",
        "docs/http_client.md",
        "docs/start_and_stop.md",
    ];
    let texts = documents.map(|document| fs::read_to_string(root.join(document)).unwrap());
    let tables = texts
        .iter()
        .flat_map(|text| text.split("<!-- metrics: ").skip(1));
    let rows = tables.flat_map(|table| {
        let (table, _) = table.split_once("<!-- /metrics -->").unwrap();
        table.lines().filter(|line| line.starts_with("| `"))
    });
    rows.map(read).collect()
}

fn read(line: &str) -> (String, Row) {
    let cells: Vec<&str> = line.trim_matches('|').split('|').map(str::trim).collect();
    let [name, kind, labels, meaning] = cells[..] else {
        panic!("{line}");
    };
    // Some metrics have none.
    let labels = labels.split(", ").filter(|label| !label.is_empty());
    let labels = labels.map(|label| {
        let (label, condition) = label.trim_start_matches('`').split_once('`').expect(line);
        (label.to_owned(), condition.is_empty())
    });
    let (kind, _) = kind.split_once(',').unwrap_or((kind, ""));
    let row = Row {
        kind: kind.to_owned(),
        labels: labels.collect(),
        meaning: meaning.to_owned(),
    };
    (name.trim_matches('`').to_owned(), row)
}

#[cfg(test)]
mod tests {
    use super::assert_documented;

    #[test]
    fn a_sample_with_its_labels_is_documented() {
        assert_documented(
            "llm_observe_errors_total{event=\"a\\\"b\",function=\"f\",class=\"c\"} 1\n",
        );
    }

    #[test]
    #[should_panic(expected = "no class in")]
    fn a_missing_label_is_found() {
        assert_documented("llm_observe_errors_total{event=\"e\",function=\"f\"} 1\n");
    }

    #[test]
    #[should_panic(expected = "more in")]
    fn a_label_that_no_document_has_is_found() {
        assert_documented("llm_observe_heartbeats_total{result=\"ok\",more=\"\"} 1\n");
    }

    #[test]
    #[should_panic(expected = "is in no document")]
    fn a_metric_that_no_document_has_is_found() {
        assert_documented("llm_observe_other_total{result=\"ok\"} 1\n");
    }
}
