//! The live page: one HTML file that reads `/metrics?live` and draws tables. Knows no Rust.

/// The page.
pub(crate) const HTML: &str = include_str!("page.html");

#[cfg(test)]
mod tests {
    use super::HTML;

    #[test]
    fn it_asks_for_nothing_but_the_metrics() {
        let namespace = "http://www.w3.org/2000/svg";
        let rest = HTML.replace(namespace, "");
        for outside in ["http:", "https:", "src=", "url(", "@import", "//cdn"] {
            assert!(!rest.contains(outside), "{outside}");
        }
        assert_eq!(HTML.matches("fetch(").count(), 1);
        assert!(HTML.contains("fetch(\"/metrics?live\""));
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
