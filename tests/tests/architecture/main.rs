//! The import graph of the workspace: no cycle between files of the kernel, the schema, the macros
//! and the log writer; none between the top-level modules of the runtime; and no import against
//! the order that `ARCHITECTURE.md` states.
//!
//! Only code that is not for tests counts. A `mod` line is no import. `lib.rs` and a `mod.rs` that
//! re-export their children are above them: who imports a re-exported name imports the module that
//! has it.

mod graph;
mod layers;
mod source;

use std::fs;

use graph::{Edge, ModulePath, Modules, cycles};
use layers::{Layers, Position};
use llm_observe_tests::outside::root;

const RUNTIME: &str = "llm-observe/src";

#[test]
fn files_of_the_kernel_have_no_cycle() {
    let kernel = |_: &ModulePath, file: &str| file.starts_with("kernel/").then(|| file.to_owned());
    none(&cycles(&runtime().edges(), kernel));
}

#[test]
fn files_and_folders_of_http_have_no_cycle() {
    let edges = runtime().edges();
    none(&cycles(&edges, |_, file| {
        file.starts_with("http/").then(|| file.to_owned())
    }));
    none(&cycles(&edges, |path, _| match path.as_slice() {
        [top, part, ..] if top == "http" => Some(part.clone()),
        _ => None,
    }));
}

#[test]
fn files_of_the_schema_the_macros_and_the_log_writer_have_no_cycle() {
    for name in [
        "llm-observe-config",
        "llm-observe-macros",
        "llm-observe-log",
    ] {
        let edges = Modules::load(&root().join(name).join("src")).edges();
        assert!(!edges.is_empty(), "no imports found in {name}");
        none(&cycles(&edges, |_, file| Some(file.to_owned())));
    }
}

#[test]
fn top_level_modules_of_the_runtime_have_no_cycle() {
    let top = |path: &ModulePath, _: &str| path.first().cloned();
    none(&cycles(&runtime().edges(), top));
}

#[test]
fn imports_go_downward_in_the_order_of_the_document() {
    let document = fs::read_to_string(root().join("ARCHITECTURE.md")).expect("a document");
    let runtime = runtime();
    let edges = runtime.edges();
    let mut wrong = Vec::new();
    for (fence, above) in [("```layers", &[][..]), ("```layers kernel", &["kernel"])] {
        let layers = Layers::find(&document, fence);
        let layers = layers.unwrap_or_else(|| panic!("ARCHITECTURE.md has no block {fence}"));
        wrong.extend(layers_broken(&layers, &runtime, &edges, above));
    }
    none(&wrong);
}

fn layers_broken(
    layers: &Layers,
    modules: &Modules,
    edges: &[Edge],
    above: &[&str],
) -> Vec<String> {
    layers.check(modules.paths(), edges, |path| Position::below(above, path))
}

fn runtime() -> Modules {
    Modules::load(&root().join(RUNTIME))
}

#[track_caller]
fn none(wrong: &[String]) {
    assert!(wrong.is_empty(), "\n{}\n", wrong.join("\n"));
}

#[test]
fn an_import_against_the_order_is_found() {
    let document = "# x\n```layers\ntop\nmiddle private\nbottom\n```\n";
    let layers = Layers::find(document, "```layers").expect("a block");
    assert!(Layers::find(document, "```layers kernel").is_none());
    let names = ["top", "middle", "__private", "bottom"];
    let mut paths: Vec<ModulePath> = names.iter().map(|name| vec![(*name).to_owned()]).collect();
    paths.push(Vec::new());
    let edge = |from: &str, to: &str| {
        let path = |name: &str| name.split_whitespace().map(str::to_owned).collect();
        Edge::new(path(from), path(to), "file.rs:1")
    };
    let check =
        |edges: &[Edge]| layers.check(paths.iter(), edges, |path| Position::below(&[], path));
    let down = [
        ("", "top"),
        ("top", "bottom"),
        ("middle x", "middle y"),
        ("middle", "bottom"),
    ];
    none(&check(&down.map(|(from, to)| edge(from, to))));
    for (from, to, message) in [
        ("bottom", "top x", "bottom imports top at file.rs:1"),
        ("middle", "__private", "middle imports private at file.rs:1"),
        (
            "top",
            "",
            "top imports the face (lib.rs or mod.rs) at file.rs:1",
        ),
    ] {
        assert_eq!(check(&[edge(from, to)]), [message]);
    }
    paths.remove(0);
    let extra = [vec!["extra".to_owned()]];
    let both = layers.check(paths.iter().chain(&extra), &[], |path| {
        Position::below(&[], path)
    });
    assert_eq!(
        both,
        ["`extra` is not listed", "`top` is listed and is none"]
    );
}
