//! Which module of a crate imports which, and the cycles in that.

use std::{
    collections::{BTreeMap, BTreeSet, VecDeque},
    fmt::Write,
    fs,
    path::Path,
};

use crate::source::{Import, Source};

/// The names from the crate's root to a module; empty for the root.
pub(crate) type ModulePath = Vec<String>;

/// The modules of one crate.
#[derive(Default)]
pub(crate) struct Modules {
    /// With its files: more than one where `cfg` chooses between them.
    by_path: BTreeMap<ModulePath, Vec<Module>>,
    /// The modules of the macros that are in the crate's root by `#[macro_export]`.
    macros: BTreeMap<String, ModulePath>,
}

struct Module {
    /// Relative to the crate's `src`.
    file: String,
    imports: Vec<Import>,
}

/// One import from one module of a crate to another.
#[derive(Clone, Debug)]
pub(crate) struct Edge {
    pub(crate) from: ModulePath,
    pub(crate) to: ModulePath,
    /// Where it is written, as `file:line`.
    pub(crate) at: String,
    from_file: String,
    to_file: String,
}

impl Edge {
    /// Returns an import that is written at `at`, of modules without files.
    pub(crate) fn new(from: ModulePath, to: ModulePath, at: &str) -> Edge {
        Edge {
            from,
            to,
            at: at.to_owned(),
            from_file: String::new(),
            to_file: String::new(),
        }
    }
}

impl Modules {
    /// Reads the crate whose sources are in `src`, from `lib.rs` on along its `mod` lines.
    ///
    /// # Panics
    ///
    /// When a module has no file.
    pub(crate) fn load(src: &Path) -> Modules {
        let mut modules = Modules::default();
        modules.load_file(src, Path::new("lib.rs"), Vec::new());
        modules
    }

    fn load_file(&mut self, src: &Path, file: &Path, path: ModulePath) {
        let text = fs::read_to_string(src.join(file));
        let text = text.unwrap_or_else(|error| panic!("{}: {error}", file.display()));
        let folder = file.parent().expect("a file is in a folder").to_owned();
        let own = ["lib.rs", "mod.rs"].iter().any(|name| file.ends_with(name));
        let children = if own { folder } else { file.with_extension("") };
        self.add(src, file, &children, path, Source::parse(&text));
    }

    fn add(&mut self, src: &Path, file: &Path, folder: &Path, path: ModulePath, source: Source) {
        for declared in source.modules {
            let child = [&path[..], std::slice::from_ref(&declared.name)].concat();
            if let Some(inline) = declared.inline {
                self.add(src, file, &folder.join(&declared.name), child, inline);
                continue;
            }
            let candidates = match &declared.path {
                Some(path) => vec![file.with_file_name(path)],
                None => vec![
                    folder.join(format!("{}.rs", declared.name)),
                    folder.join(&declared.name).join("mod.rs"),
                ],
            };
            let found = candidates.iter().find(|file| src.join(file).is_file());
            let found = found.unwrap_or_else(|| panic!("no file of {child:?}: {candidates:?}"));
            self.load_file(src, found, child);
        }
        let exported = source.macros.into_iter();
        self.macros
            .extend(exported.map(|name| (name, path.clone())));
        self.by_path.entry(path).or_default().push(Module {
            file: file.display().to_string(),
            imports: source.imports,
        });
    }

    /// Returns the modules.
    pub(crate) fn paths(&self) -> impl Iterator<Item = &ModulePath> {
        self.by_path.keys()
    }

    /// Returns every import of one module by another. An import of what a module re-exports is one
    /// of the module that has it.
    pub(crate) fn edges(&self) -> Vec<Edge> {
        let mut edges = Vec::new();
        for (from, modules) in &self.by_path {
            for module in modules {
                for import in &module.imports {
                    let to = self.resolve(from, &import.path, 0);
                    let Some(to) = to.filter(|to| to != from) else {
                        continue;
                    };
                    edges.extend(self.by_path[&to].iter().map(|target| Edge {
                        from: from.clone(),
                        to: to.clone(),
                        at: format!("{}:{}", module.file, import.line),
                        from_file: module.file.clone(),
                        to_file: target.file.clone(),
                    }));
                }
            }
        }
        edges
    }

    /// Returns the module that has the item at `path`, or `None` for what is no path of the crate.
    fn resolve(&self, from: &[String], path: &[String], depth: usize) -> Option<ModulePath> {
        let (mut here, mut rest) = (from.to_vec(), path);
        while let [first, tail @ ..] = rest {
            match first.as_str() {
                "crate" => here.clear(),
                "self" => {}
                "super" => drop(here.pop()),
                _ => break,
            }
            rest = tail;
        }
        let relative = rest.len() == path.len();
        while let [name, tail @ ..] = rest {
            let child = [&here[..], std::slice::from_ref(name)].concat();
            if self.by_path.contains_key(&child) {
                (here, rest) = (child, tail);
                continue;
            }
            if let Some(module) = self.macros.get(name).filter(|_| here.is_empty()) {
                return Some(module.clone());
            }
            let at_start = relative && rest.len() == path.len();
            let Some(target) = self.binding(&here, name, path) else {
                // A name alone that nothing here binds is another crate's, or a local one.
                return (!at_start).then_some(here);
            };
            let full = [target, tail].concat();
            return if depth < 16 {
                self.resolve(&here, &full, depth + 1)
            } else {
                None
            };
        }
        Some(here)
    }

    /// Returns the path that a `use` in `module` gives a name to, other than `path` itself.
    fn binding(&self, module: &[String], name: &str, path: &[String]) -> Option<&[String]> {
        let imports = self.by_path[module]
            .iter()
            .flat_map(|module| &module.imports);
        let mut found = imports.filter(|import| import.binds.as_deref() == Some(name));
        let found = found.find(|import| import.path != path)?;
        Some(&found.path)
    }
}

/// Returns the shortest cycles of the graph whose nodes `node` makes of files, each with its
/// imports; `None` of `node` leaves a file out. No node is in two of them.
pub(crate) fn cycles(
    edges: &[Edge],
    node: impl Fn(&ModulePath, &str) -> Option<String>,
) -> Vec<String> {
    let mut graph: BTreeMap<String, BTreeMap<String, &str>> = BTreeMap::new();
    for edge in edges {
        let ends = (
            node(&edge.from, &edge.from_file),
            node(&edge.to, &edge.to_file),
        );
        if let (Some(from), Some(to)) = ends
            && from != to
        {
            graph.entry(from).or_default().entry(to).or_insert(&edge.at);
        }
    }
    let mut found: Vec<_> = graph
        .keys()
        .filter_map(|node| cycle(&graph, node))
        .collect();
    found.sort_by_key(Vec::len);
    let mut reported = BTreeSet::new();
    found.retain(|cycle| {
        let new = cycle.iter().all(|node| !reported.contains(node));
        if new {
            reported.extend(cycle.iter().cloned());
        }
        new
    });
    found.iter().map(|cycle| describe(&graph, cycle)).collect()
}

type Graph<'a> = BTreeMap<String, BTreeMap<String, &'a str>>;

/// Returns the nodes of a shortest way from `start` back to it, `start` at both ends.
fn cycle(graph: &Graph<'_>, start: &str) -> Option<Vec<String>> {
    let mut before: BTreeMap<&str, &str> = BTreeMap::new();
    let mut queue = VecDeque::from([start]);
    while let Some(node) = queue.pop_front() {
        for next in graph.get(node).into_iter().flatten().map(|(next, _)| next) {
            if next == start {
                let back = std::iter::successors(Some(node), |node| before.get(node).copied());
                let mut way: Vec<_> = back.map(str::to_owned).collect();
                way.reverse();
                way.push(start.to_owned());
                return Some(way);
            }
            if !before.contains_key(next.as_str()) {
                before.insert(next, node);
                queue.push_back(next);
            }
        }
    }
    None
}

fn describe(graph: &Graph<'_>, cycle: &[String]) -> String {
    let mut text = cycle.join(" -> ");
    for pair in cycle.windows(2) {
        let at = graph[&pair[0]][&pair[1]];
        write!(text, "\n    {} imports {} at {at}", pair[0], pair[1]).expect("a string");
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A crate of these modules, each its own file.
    fn of(files: &[(&str, &str)]) -> Modules {
        let mut modules = Modules::default();
        for (name, text) in files {
            let path: ModulePath = match *name {
                "" => Vec::new(),
                name => name.split("::").map(str::to_owned).collect(),
            };
            let source = Source::parse(text);
            let exported = source.macros.into_iter();
            modules
                .macros
                .extend(exported.map(|name| (name, path.clone())));
            modules.by_path.entry(path).or_default().push(Module {
                file: name.to_string(),
                imports: source.imports,
            });
        }
        modules
    }

    fn edges(files: &[(&str, &str)]) -> Vec<(String, String)> {
        let edges = of(files).edges().into_iter();
        edges.map(|edge| (edge.from_file, edge.to_file)).collect()
    }

    fn all(_: &ModulePath, file: &str) -> Option<String> {
        Some(file.to_owned())
    }

    #[test]
    fn paths_lead_to_modules() {
        for (text, to) in [
            ("use crate::b::X;", Some("b")),
            ("use super::super::b;", Some("b")),
            ("use super::sibling::Y;", Some("a::sibling")),
            ("use super::Defined;", Some("a")),
            ("use super::*;", Some("a")),
            ("use crate::Root;", Some("")),
            ("use self::own::X;", Some("a::here::own")),
            ("use own::X;", Some("a::here::own")),
            ("fn f() { own::x() }", Some("a::here::own")),
            // What a face re-exports is in the module that has it, renamed or not.
            ("use super::Shown;", Some("a::sibling")),
            ("use crate::Face;", Some("a::sibling")),
            ("use crate::renamed::X;", Some("b")),
            ("fn f() { crate::exported!() }", Some("b")),
            ("use std::fmt;", None),
            ("fn f() { Vec::new() }", None),
        ] {
            let files = [
                ("", "pub use a::Shown as Face; use crate::b as renamed;"),
                ("a", "pub use self::sibling::Shown;"),
                ("a::here", text),
                ("a::here::own", ""),
                ("a::sibling", ""),
                ("b", "#[macro_export] macro_rules! exported { () => {} }"),
            ];
            let edges = edges(&files);
            let found = edges.iter().find(|(from, _)| from == "a::here");
            assert_eq!(found.map(|(_, to)| to.as_str()), to, "{text}");
        }
    }

    #[test]
    fn a_name_bound_before_is_followed() {
        let files = [
            ("a", "use crate::b; fn f() { b::x() }"),
            ("b", ""),
            ("", ""),
        ];
        assert_eq!(
            edges(&files),
            [("a".into(), "b".into()), ("a".into(), "b".into())]
        );
        let around = [
            ("a", "pub use crate::b::X;"),
            ("b", "pub use crate::a::X;"),
            ("", ""),
        ];
        assert!(edges(&around).is_empty(), "no end, and no answer");
    }

    #[test]
    fn a_cycle_is_named_with_its_imports() {
        let modules = of(&[
            ("", ""),
            ("a", "\nuse crate::b::B;"),
            ("b", "use crate::c::C;"),
            ("c", "\n\nuse crate::a::A;"),
            ("d", "use crate::a::A;"),
        ]);
        let expected = "a -> b -> c -> a\n    a imports b at a:2\n    b imports c at b:1\n    \
                        c imports a at c:3";
        assert_eq!(cycles(&modules.edges(), all), [expected]);
    }

    #[test]
    fn a_face_is_above_its_children() {
        let face = ("a", "pub use self::child::Child; pub struct Own;");
        let fine = of(&[
            ("", ""),
            face,
            ("a::child", "use super::sibling::S;"),
            ("a::sibling", ""),
        ]);
        assert!(cycles(&fine.edges(), all).is_empty());
        let wrong = of(&[("", ""), face, ("a::child", "use super::Own;")]);
        assert_eq!(cycles(&wrong.edges(), all).len(), 1);
    }

    #[test]
    fn nodes_can_be_folders() {
        let modules = of(&[
            ("", ""),
            ("a::x", "use crate::b::y::Y;"),
            ("a", "use crate::a::x::X;"),
            ("b", ""),
            ("b::y", "use crate::a::x::X;"),
        ]);
        let top = |path: &ModulePath, _: &str| path.first().cloned();
        assert_eq!(cycles(&modules.edges(), top).len(), 1);
        let only_a = |path: &ModulePath, _: &str| path.first().filter(|top| *top == "a").cloned();
        assert!(cycles(&modules.edges(), only_a).is_empty());
    }
}
