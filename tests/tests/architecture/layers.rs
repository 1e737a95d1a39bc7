//! The order of modules that `ARCHITECTURE.md` states, and the imports that break it.

use std::collections::{BTreeMap, BTreeSet};

use crate::graph::{Edge, ModulePath};

/// The modules in order, the top first; those of one line know nothing of each other.
pub(crate) struct Layers(Vec<Vec<String>>);

impl Layers {
    /// Returns the block of `document` that starts with this fence, such as "```layers".
    pub(crate) fn find(document: &str, fence: &str) -> Option<Layers> {
        let mut lines = document.lines().skip_while(|line| line.trim_end() != fence);
        lines.next()?;
        let block = lines.take_while(|line| !line.starts_with("```"));
        let names = |line: &str| line.split_whitespace().map(str::to_owned).collect();
        Some(Layers(block.map(names).collect()))
    }

    /// Returns what is wrong: modules that are not listed once, and imports that go upward.
    /// `module` returns the name that stands in the list for a path; `None` is the face above all.
    pub(crate) fn check<'p>(
        &self,
        paths: impl Iterator<Item = &'p ModulePath>,
        edges: &[Edge],
        module: impl Fn(&ModulePath) -> Position,
    ) -> Vec<String> {
        let mut rank: BTreeMap<&str, usize> = BTreeMap::new();
        let mut wrong = Vec::new();
        for (line, names) in self.0.iter().enumerate() {
            for name in names {
                if rank.insert(name, line).is_some() {
                    wrong.push(format!("`{name}` is listed twice"));
                }
            }
        }
        let there: BTreeSet<String> = paths.filter_map(|path| module(path).name()).collect();
        let listed: BTreeSet<String> = rank.keys().map(|name| (*name).to_owned()).collect();
        wrong.extend(
            there
                .difference(&listed)
                .map(|m| format!("`{m}` is not listed")),
        );
        wrong.extend(
            listed
                .difference(&there)
                .map(|m| format!("`{m}` is listed and is none")),
        );
        for edge in edges {
            let (from, to) = (module(&edge.from), module(&edge.to));
            if from == to || from == Position::Outside || to == Position::Outside {
                continue;
            }
            let upward = match (&from, &to) {
                (Position::Face, _) => false,
                (_, Position::Face) => true,
                (Position::Module(from), Position::Module(to)) => {
                    // One that is not listed is reported already.
                    let ranks = rank.get(to.as_str()).zip(rank.get(from.as_str()));
                    ranks.is_some_and(|(to, from)| to <= from)
                }
                _ => false,
            };
            if upward {
                wrong.push(format!(
                    "{} imports {} at {}",
                    show(&from),
                    show(&to),
                    edge.at
                ));
            }
        }
        // One line may import several names.
        wrong.dedup();
        wrong
    }
}

/// The position of a module relative to a list of layers.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Position {
    /// The file that shows the listed modules to others: above all of them.
    Face,
    /// One of the listed modules, or in it.
    Module(String),
    /// None that the list is about.
    Outside,
}

impl Position {
    /// Returns the position of `path` among the modules right below the module `above`.
    pub(crate) fn below(above: &[&str], path: &ModulePath) -> Position {
        if path.len() < above.len() || above.iter().zip(path).any(|(a, b)| a != b) {
            return Position::Outside;
        }
        match path.get(above.len()) {
            // `__private` is hidden from users, not from the list.
            Some(name) => Position::Module(name.trim_start_matches('_').to_owned()),
            None => Position::Face,
        }
    }

    fn name(self) -> Option<String> {
        match self {
            Position::Module(name) => Some(name),
            Position::Face | Position::Outside => None,
        }
    }
}

fn show(place: &Position) -> &str {
    match place {
        Position::Module(name) => name,
        Position::Face => "the face (lib.rs or mod.rs)",
        Position::Outside => "another module",
    }
}
