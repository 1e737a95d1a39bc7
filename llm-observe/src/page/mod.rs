//! The live page: one HTML file that reads `/metrics` and draws tables. Knows no Rust.

/// The page.
pub(crate) const HTML: &str = include_str!("page.html");

#[cfg(test)]
mod tests {
    use super::HTML;
    use crate::{
        init::operations,
        kernel::metric::{Metric, MetricKind},
    };

    /// Returns the metric that a sample is of, and the label that its suffix adds.
    fn metric(sample: &str) -> (&'static Metric, &'static [&'static str]) {
        let suffixes: [(&str, &[&str]); 4] = [
            ("", &[]),
            ("_bucket", &["le"]),
            ("_sum", &[]),
            ("_count", &[]),
        ];
        let found = suffixes.into_iter().find_map(|(suffix, adds)| {
            let name = sample.strip_suffix(suffix)?;
            let metric = operations::metrics().into_iter().find(|m| m.name == name)?;
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
            for label in labels.split(", ").map(|label| label.trim_matches('"')) {
                assert!(known.contains(&label), "{name} has no label {label}");
            }
            names += 1;
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

    #[test]
    fn it_asks_for_nothing_but_the_metrics() {
        let namespace = "http://www.w3.org/2000/svg";
        let rest = HTML.replace(namespace, "");
        for outside in ["http:", "https:", "src=", "url(", "@import", "//cdn"] {
            assert!(!rest.contains(outside), "{outside}");
        }
        assert_eq!(HTML.matches("fetch(").count(), 1);
        assert!(HTML.contains("fetch(\"/metrics\""));
    }

    /// Label values come from outside: they must not become markup or code.
    #[test]
    fn what_it_reads_becomes_text_only() {
        for sink in [
            "innerHTML",
            "outerHTML",
            "insertAdjacentHTML",
            "document.write",
            "createContextualFragment",
            "DOMParser",
            "eval(",
            "Function(",
            "javascript:",
        ] {
            assert!(!HTML.contains(sink), "{sink}");
        }
    }
}
