//! What a `Cargo.toml` says that a package depends on.

use std::collections::BTreeSet;

use toml::de::{DeTable, DeValue};

/// Returns the names of the packages that a manifest's own package depends on, on any target; `dev`: those
/// of its tests and examples too. What is no TOML depends on nothing.
#[must_use]
pub fn dependencies(manifest: &str, dev: bool) -> BTreeSet<String> {
    let (table, _) = DeTable::parse_recoverable(manifest);
    let manifest = table.get_ref();
    let targets = manifest.get("target").and_then(|t| t.get_ref().as_table());
    let targets = targets.into_iter().flatten();
    let targets = targets.filter_map(|(_, target)| target.get_ref().as_table());
    let mut names = BTreeSet::new();
    for table in std::iter::once(manifest).chain(targets) {
        add(table, "dependencies", &mut names);
        if dev {
            add(table, "dev-dependencies", &mut names);
        }
    }
    names
}

fn add(table: &DeTable<'_>, key: &str, names: &mut BTreeSet<String>) {
    let dependencies = table.get(key).and_then(|d| d.get_ref().as_table());
    for (name, dependency) in dependencies.into_iter().flatten() {
        let renamed = dependency.get_ref().get("package");
        let package = renamed.and_then(|package| match package.get_ref() {
            DeValue::String(package) => Some(package.as_ref()),
            _ => None,
        });
        names.insert(package.unwrap_or(name.get_ref()).to_owned());
    }
}

#[cfg(test)]
mod tests {
    use super::dependencies;

    const MANIFEST: &str = r#"
        [package]
        name = "service"
        [dependencies]
        log = "0.4"
        subscriber = { package = "tracing-subscriber", version = "0.3" }
        [target.'cfg(unix)'.dependencies]
        sentry.workspace = true
        [dev-dependencies]
        metrics-exporter-prometheus = "0.18"
        [build-dependencies]
        cc = "1"
    "#;

    #[test]
    fn dependencies_have_their_packages_names() {
        let names = |dev| dependencies(MANIFEST, dev).into_iter().collect::<Vec<_>>();
        let own = ["log", "sentry", "tracing-subscriber"];
        assert_eq!(names(false), own);
        let all = [
            "log",
            "metrics-exporter-prometheus",
            "sentry",
            "tracing-subscriber",
        ];
        assert_eq!(names(true), all);
        assert!(dependencies("no = [toml", true).is_empty());
    }
}
