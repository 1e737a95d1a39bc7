//! What the attribute expands to, one file for each kind, compared as formatted text.
//!
//! `UPDATE_EXPANSIONS=1 cargo test -p llm-observe-macros` writes them anew.

use std::{env, fs, path::PathBuf};

use proc_macro2::TokenStream;

use crate::observe::observe;

fn check(name: &str, args: &str, item: &str) {
    let parse = |text: &str| text.parse::<TokenStream>().unwrap();
    let expanded = observe(parse(args), parse(item));
    let file = syn::parse2(expanded.clone()).unwrap_or_else(|error| panic!("{error}: {expanded}"));
    let text = format!("// #[observe({args})]\n{}", prettyplease::unparse(&file));
    let folder = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("src/tests/expansions");
    let path = folder.join(format!("{name}.rs"));
    if env::var_os("UPDATE_EXPANSIONS").is_some() {
        fs::create_dir_all(folder).unwrap();
        fs::write(&path, &text).unwrap();
    }
    let kept = fs::read_to_string(&path).unwrap_or_default();
    assert_eq!(text, kept, "{} is not what is expanded now", path.display());
}

#[test]
fn sync() {
    check(
        "sync",
        "",
        "fn f(text: &str, n: u8) -> Result<u8, E> { g(text)?; Ok(n) }",
    );
}

#[test]
fn sync_with_everything() {
    check(
        "sync_everything",
        r#"event = "embedding", level = "debug", name = "x", target = "t", parent = &p,
           fields(user = %user.id, later, hits = |v| v.len()), args, items = text.len(), ret, err,
           alert_on_error, alert(on(slow, error), channel = "ops", after = 3, within = "1m", severity = "critical"),
           expected(E::A | E::B(_)), error_if = |v| v.is_err(), report = false, slow = "2s", stalled = "10s",
           sample = 0.5, quality = |v| v.score, min_quality = 0.5, crate = my::facade"#,
        "fn f(text: &str, all: Vec<u8>) -> Result<Answer, E> { g(text, all) }",
    );
}

#[test]
fn operations() {
    check(
        "operation",
        "operation = chat, provider = \"openai\", model = &request.model, usage = |answer| answer.usage, \
         input = &request.messages, output = |answer| &answer.text",
        "async fn f(request: Request) -> Result<Answer, E> { g(request).await }",
    );
    check(
        "operation_stream",
        "operation = chat, stream, usage = |chunk| chunk.usage, output = |chunk| chunk.text()",
        "fn f() -> impl Stream<Item = Chunk> { g() }",
    );
    check(
        "operation_tool",
        "operation = execute_tool, tool = %name",
        "fn f(name: &str) { g(name); }",
    );
}

#[test]
fn sync_without_an_outcome() {
    check("sync_unit", "", "fn f(&mut self) { self.n += 1; }");
    check("sync_never", "", "fn f() -> ! { loop {} }");
}

#[test]
fn parameters() {
    check(
        "parameters",
        "",
        "pub fn f(self, a: String, (b, _): (String, String), mut c: &str, _: String, unused: String) -> u8 { a; b; c; 1 }",
    );
}

#[test]
fn asynchronous() {
    check(
        "async",
        "",
        "pub async fn f<T: A>(&self, x: &T) -> Result<impl B, E> { g(x).await; h() }",
    );
    check("async_never", "", "async fn f() -> ! { loop {} }");
    check(
        "async_timeout",
        "timeout = \"1m30s\"",
        "async fn f(n: u8) -> Result<u8, E> { g(n).await }",
    );
    check(
        "async_under_another_macro",
        "",
        "#[tokio::main] async fn main() { g().await; }",
    );
}

#[test]
fn futures() {
    check(
        "future",
        "args",
        "fn f(n: u8) -> impl Future<Output = u8> + Send { let m = n; async move { m } }",
    );
    check(
        "future_boxed",
        "",
        "fn f(n: u8) -> Pin<Box<dyn Future<Output = u8> + Send>> { g(); Box::pin(async { 1 }) }",
    );
    check(
        "future_in_its_box",
        "args",
        "fn f(n: u8) -> Pin<Box<dyn Future<Output = u8> + Send>> { Box::pin(async move { let n = n; g(n).await }) }",
    );
}

#[test]
fn blocks() {
    check(
        "block",
        "event = \"store\", slow = \"1s\"",
        "impl Store { const N: u8 = { 1 }; fn a(&self) {} #[observe(slow = \"2s\")] fn b(&self) {} #[observe(skip)] fn c(&self) {} }",
    );
}

#[test]
fn bodies_in_the_function_itself() {
    check(
        "inline_guarded",
        "",
        "#[track_caller] fn f(n: usize) -> u8 { if n > 9 { return 0; } self.all[n] }",
    );
    check(
        "inline_value",
        "",
        "#[track_caller] fn f(n: usize) -> Result<u8, E> { assert!(n > 0); g(n) }",
    );
    check(
        "inline_argument",
        "ret",
        "fn f(n: usize) -> impl Fn(&str) -> usize { move |s| s.len() + n }",
    );
}

#[test]
fn a_type_of_any_name() {
    check("alias", "", "fn f(n: u8) -> Answer { g(n) }");
}
