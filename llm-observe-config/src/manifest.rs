//! What a `Cargo.toml` says that a package depends on.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use toml::de::{DeTable, DeValue};

/// Packages of these names are looked into by nobody: what they depend on they do not install.
const OWN: &str = "llm-observe";

/// Returns the names of the packages that the package in `folder` depends on, on any target, itself or through
/// packages that it names by their path; `dev`: those of its tests and examples too. A manifest that cannot
/// be read depends on nothing.
#[must_use]
pub fn dependencies(folder: &Path, dev: bool) -> BTreeSet<String> {
    let mut all = Dependencies::default();
    all.visit(folder, dev);
    all.names
}

#[derive(Default)]
struct Dependencies {
    names: BTreeSet<String>,
    visited: BTreeSet<PathBuf>,
}

impl Dependencies {
    fn visit(&mut self, folder: &Path, dev: bool) {
        let Ok(folder) = fs::canonicalize(folder) else {
            return;
        };
        if !self.visited.insert(folder.clone()) {
            return;
        }
        let Some(text) = read(&folder) else { return };
        let roots = folder.ancestors().filter_map(|at| Some((at, read(at)?)));
        let roots: Vec<(&Path, String)> = roots.collect();
        let mut roots = roots.iter().map(|(at, text)| (*at, parse(text)));
        let workspace = roots.find(|(_, manifest)| manifest.contains_key("workspace"));
        let workspace = workspace.as_ref().map(|(at, manifest)| (*at, manifest));
        let manifest = parse(&text);
        let targets = table(&manifest, "target").into_iter().flatten();
        let targets = targets.filter_map(|(_, target)| target.get_ref().as_table());
        for tables in std::iter::once(&manifest).chain(targets) {
            for key in ["dependencies", "dev-dependencies"] {
                if key == "dependencies" || dev {
                    self.add(&folder, table(tables, key), workspace);
                }
            }
        }
    }

    fn add(
        &mut self,
        folder: &Path,
        dependencies: Option<&DeTable<'_>>,
        workspace: Option<(&Path, &DeTable<'_>)>,
    ) {
        for (name, dependency) in dependencies.into_iter().flatten() {
            let name: &str = name.get_ref();
            let mut found = (folder, dependency.get_ref().as_table());
            if found.1.is_some_and(|own| own.contains_key("workspace")) {
                let inherited = workspace.and_then(|(at, manifest)| {
                    let all = table(table(manifest, "workspace")?, "dependencies")?;
                    Some((at, all.get(name)?.get_ref().as_table()))
                });
                found = inherited.unwrap_or(found);
            }
            let (at, dependency) = found;
            let of = |key| dependency.and_then(|dependency| string(dependency, key));
            let package = of("package").unwrap_or(name);
            if let Some(path) = of("path").filter(|_| !package.starts_with(OWN)) {
                self.visit(&at.join(path), false);
            }
            self.names.insert(package.to_owned());
        }
    }
}

fn read(folder: &Path) -> Option<String> {
    fs::read_to_string(folder.join("Cargo.toml")).ok()
}

fn parse(manifest: &str) -> DeTable<'_> {
    let (table, _) = DeTable::parse_recoverable(manifest);
    table.into_inner()
}

fn table<'a, 'i>(table: &'a DeTable<'i>, key: &str) -> Option<&'a DeTable<'i>> {
    table.get(key)?.get_ref().as_table()
}

fn string<'a>(table: &'a DeTable<'_>, key: &str) -> Option<&'a str> {
    match table.get(key)?.get_ref() {
        DeValue::String(text) => Some(text),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    struct Tree(PathBuf);

    impl Tree {
        fn new(name: &str, manifests: &[(&str, &str)]) -> Self {
            let name = format!("llm-observe-manifest-{}-{name}", std::process::id());
            let root = std::env::temp_dir().join(name);
            for (folder, text) in manifests {
                let folder = root.join(folder);
                fs::create_dir_all(&folder).unwrap();
                fs::write(folder.join("Cargo.toml"), text).unwrap();
            }
            Self(root)
        }

        fn names(&self, folder: &str, dev: bool) -> Vec<String> {
            dependencies(&self.0.join(folder), dev)
                .into_iter()
                .collect()
        }
    }

    impl Drop for Tree {
        fn drop(&mut self) {
            let _ = fs::remove_dir_all(&self.0);
        }
    }

    #[test]
    fn dependencies_have_their_packages_names() {
        let manifest = r#"
            [dependencies]
            log = "0.4"
            subscriber = { package = "tracing-subscriber", version = "0.3" }
            [target.'cfg(unix)'.dependencies]
            sentry = "0.49"
            [dev-dependencies]
            fern = "0.7"
            [build-dependencies]
            cc = "1"
        "#;
        let tree = Tree::new("names", &[("a", manifest), ("b", "no = [toml")]);
        let own = ["log", "sentry", "tracing-subscriber"];
        assert_eq!(tree.names("a", false), own);
        assert_eq!(tree.names("a", true), [&["fern"][..], &own].concat());
        assert!(tree.names("b", true).is_empty());
        assert!(tree.names("not there", true).is_empty());
    }

    #[test]
    fn packages_of_the_same_workspace_are_looked_into() {
        let root = r#"
            [workspace]
            members = ["service", "telemetry", "llm-observe"]
            [workspace.dependencies]
            telemetry = { path = "telemetry" }
            llm-observe = { path = "llm-observe" }
            spans = { package = "tracing-subscriber", version = "0.3" }
        "#;
        let service = "[dependencies]\ntelemetry.workspace = true\nllm-observe.workspace = true";
        let telemetry = r#"
            [dependencies]
            spans.workspace = true
            back = { package = "service", path = "../service" }
            [dev-dependencies]
            fern = "0.7"
        "#;
        let tree = Tree::new(
            "workspace",
            &[
                ("", root),
                ("service", service),
                ("telemetry", telemetry),
                ("llm-observe", "[dependencies]\nsentry = \"0.49\""),
            ],
        );
        let names = ["llm-observe", "service", "telemetry", "tracing-subscriber"];
        assert_eq!(tree.names("service", true), names);
    }
}
