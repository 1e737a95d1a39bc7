//! With no feature at all, the attribute still works and still opens spans.

use llm_observe_tests::outside::{Crate, target};

const TEMPORARY: &str = env!("CARGO_TARGET_TMPDIR");

const DEPENDENCIES: &str = r#"
llm-observe = { path = "LLM_OBSERVE", default-features = false }
tracing = { version = "0.1", default-features = false }
"#;

/// A subscriber that prints each new span's name, for the least of dependencies.
const MAIN: &str = r#"
use llm_observe::observe;
use tracing::{Event, Metadata, Subscriber, span};

#[observe(event = "embedding", items = words.len(), alert_on_error)]
fn embed(words: &[&str]) -> Result<usize, std::io::Error> {
    match words.len() {
        0 => Err(std::io::Error::other("nothing to embed")),
        n => Ok(n),
    }
}

struct Printer;

impl Subscriber for Printer {
    fn enabled(&self, _: &Metadata<'_>) -> bool {
        true
    }
    fn new_span(&self, span: &span::Attributes<'_>) -> span::Id {
        println!("span {}", span.metadata().name());
        span::Id::from_u64(1)
    }
    fn record(&self, _: &span::Id, _: &span::Record<'_>) {}
    fn record_follows_from(&self, _: &span::Id, _: &span::Id) {}
    fn event(&self, _: &Event<'_>) {}
    fn enter(&self, _: &span::Id) {}
    fn exit(&self, _: &span::Id) {}
}

fn main() -> Result<(), Box<dyn std::error::Error>> {
    println!("before {:?}", embed(&["a"]));
    tracing::subscriber::set_global_default(Printer)?;
    let observer = llm_observe::init!()?;
    println!("ok {:?}", embed(&["a", "b"]));
    println!("error {:?}", embed(&[]).map_err(|e| e.to_string()));
    println!("server {:?}", observer.listening());
    println!("metrics {:?}", observer.metrics());
    Ok(())
}
"#;

#[test]
fn without_features_calls_give_what_they_give_and_open_spans() {
    let ended = Crate::new("no_features", DEPENDENCIES, MAIN).run(target(TEMPORARY));
    assert!(ended.status.success(), "{ended}");
    // Its configuration asks for a server.
    let said = "llm-observe: [server] has no effect: turn on the feature `server` of llm-observe";
    assert!(ended.stderr.contains(said), "{ended}");
    let expected = [
        "before Ok(1)",
        "span embed",
        "ok Ok(2)",
        "span embed",
        r#"error Err("nothing to embed")"#,
        "server None",
        "metrics None",
    ];
    assert_eq!(
        ended.stdout.lines().collect::<Vec<_>>(),
        expected,
        "{ended}"
    );
}
