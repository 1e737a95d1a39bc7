//! Filters and layers of the program around `Observer::layer()`.

use std::{
    io,
    sync::{Arc, Mutex},
};

use llm_observe::Observer;
use tracing::{level_filters::LevelFilter, subscriber::with_default};
use tracing_subscriber::{
    EnvFilter, Layer, Registry,
    fmt::{self, MakeWriter, format::FmtSpan},
    prelude::*,
    registry::LookupSpan,
    reload,
};

use crate::{CONFIG, called, flush, run};

const CALLED: &str = "called ok in";

/// Keeps what the program's own layer prints.
#[derive(Clone, Default)]
struct Printed(Arc<Mutex<Vec<u8>>>);

impl Printed {
    fn text(&self) -> String {
        String::from_utf8(self.0.lock().unwrap().clone()).unwrap()
    }

    fn layer<S>(&self) -> impl Layer<S> + use<S>
    where
        S: tracing::Subscriber + for<'a> LookupSpan<'a>,
    {
        fmt::layer().with_ansi(false).with_writer(self.clone())
    }
}

impl io::Write for Printed {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap().write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl<'a> MakeWriter<'a> for Printed {
    type Writer = Printed;

    fn make_writer(&'a self) -> Printed {
        self.clone()
    }
}

/// Says something at three levels, and makes a call.
fn work() {
    tracing::debug!("of debug");
    tracing::info!("of info");
    tracing::warn!("of warn");
    called();
}

/// Returns an observer that leaves the subscriber to the test.
fn observer() -> Observer {
    llm_observe::init!().unwrap()
}

/// Runs a case whose subscriber comes after the observer that its layer was made before.
fn case(name: &str) -> crate::Case {
    let config = CONFIG.replace("[log]\n", "[log]\nsubscriber = \"program\"\n");
    run(&format!("filters::{name}"), &config)
}

#[test]
fn a_filter_of_the_whole_subscriber_is_one_of_our_layer_too() {
    let case = case("global_filter");
    case.logs(&["of warn"]);
    case.does_not_log(&["of debug", "of info"]);
    // The lines of calls do not come from the subscriber.
    case.logs(&[CALLED]);
}

#[test]
#[ignore = "a process of its own"]
fn global_filter() {
    let observer = observer();
    let registry = tracing_subscriber::registry().with(EnvFilter::new("warn"));
    registry.with(Observer::layer()).init();
    work();
    flush(&observer);
}

#[test]
fn a_filter_of_another_layer_is_that_layers_alone() {
    let case = case("filter_of_another");
    case.logs(&["of info", "of warn", CALLED]);
    // The level of `[log]` holds besides.
    case.does_not_log(&["of debug"]);
}

#[test]
#[ignore = "a process of its own"]
fn filter_of_another() {
    let observer = observer();
    let printed = Printed::default();
    let filtered = printed.layer().with_filter(EnvFilter::new("warn"));
    let registry = tracing_subscriber::registry().with(filtered);
    registry.with(Observer::layer()).init();
    work();
    flush(&observer);
    let text = printed.text();
    assert!(
        text.contains("of warn") && !text.contains("of info"),
        "{text}"
    );
}

#[test]
fn a_filter_of_our_layer_is_ours_alone() {
    let case = case("filter_of_ours");
    case.logs(&["of warn", CALLED]);
    case.does_not_log(&["of debug", "of info"]);
}

#[test]
#[ignore = "a process of its own"]
fn filter_of_ours() {
    let observer = observer();
    let printed = Printed::default();
    let ours = Observer::layer().with_filter(EnvFilter::new("combinations=warn"));
    let registry = tracing_subscriber::registry().with(ours);
    registry.with(printed.layer()).init();
    work();
    flush(&observer);
    let text = printed.text();
    for seen in ["of debug", "of info", "of warn", CALLED] {
        assert!(text.contains(seen), "no {seen} in {text}");
    }
}

#[test]
fn a_filter_may_be_changed_while_the_program_runs() {
    for name in ["reloaded_filter", "reloaded_global_filter"] {
        let case = case(name);
        case.logs(&["after the change", CALLED]);
        case.does_not_log(&["before the change"]);
    }
}

fn say(when: &str) {
    tracing::info!("{when} the change");
}

#[test]
#[ignore = "a process of its own"]
fn reloaded_filter() {
    let observer = observer();
    let (filter, handle) = reload::Layer::new(LevelFilter::WARN);
    let ours = Observer::layer().with_filter(filter);
    tracing_subscriber::registry().with(ours).init();
    say("before");
    handle.reload(LevelFilter::INFO).unwrap();
    say("after");
    called();
    flush(&observer);
}

#[test]
#[ignore = "a process of its own"]
fn reloaded_global_filter() {
    let observer = observer();
    let (filter, handle) = reload::Layer::new(EnvFilter::new("off"));
    let registry = tracing_subscriber::registry().with(filter);
    registry.with(Observer::layer()).init();
    say("before");
    handle.reload(EnvFilter::new("info")).unwrap();
    say("after");
    called();
    flush(&observer);
}

#[test]
fn the_layer_may_be_optional_boxed_and_layered() {
    let case = case("shapes");
    case.logs(&["in some", "in a box", "in a list", "in layers", "reloaded"]);
    case.does_not_log(&["in none"]);
}

#[test]
#[ignore = "a process of its own"]
fn shapes() {
    let observer = observer();
    let registry = tracing_subscriber::registry;
    let some = registry().with(Some(Observer::layer()));
    with_default(some, || tracing::info!("in some"));
    let none = registry().with(None::<llm_observe::log::Layer>);
    with_default(none, || tracing::info!("in none"));
    let boxed: Box<dyn Layer<Registry> + Send + Sync> = Observer::layer().boxed();
    with_default(registry().with(boxed), || tracing::info!("in a box"));
    let list = vec![Observer::layer().with_filter(LevelFilter::INFO).boxed()];
    with_default(registry().with(list), || tracing::info!("in a list"));
    let layers = Printed::default()
        .layer::<Registry>()
        .and_then(Observer::layer());
    with_default(registry().with(layers), || tracing::info!("in layers"));
    let (reloaded, handle) = reload::Layer::new(None::<llm_observe::log::Layer>);
    with_default(registry().with(reloaded), || {
        handle.reload(Some(Observer::layer())).unwrap();
        tracing::info!("reloaded");
    });
    flush(&observer);
}

#[test]
fn annotated_functions_are_spans_of_fmt_in_the_right_order() {
    case("span_events").logs(&[CALLED]);
}

#[test]
#[ignore = "a process of its own"]
fn span_events() {
    let observer = observer();
    let printed = Printed::default();
    let spans = fmt::layer()
        .with_ansi(false)
        .with_span_events(FmtSpan::NEW | FmtSpan::CLOSE)
        .with_writer(printed.clone());
    tracing_subscriber::registry().with(spans).init();
    called();
    flush(&observer);
    let text = printed.text();
    let told: Vec<&str> = text
        .lines()
        .filter_map(|line| line.split_once("INFO ").map(|(_, told)| told))
        .collect();
    let expected = [
        ("called{event=\"called\"", "new"),
        ("called{event=\"called\"", "inner{event=\"inner\""),
        ("inner{event=\"inner\"", "inner ok in"),
        ("inner{event=\"inner\"", "close"),
        ("called{event=\"called\"", "called ok in"),
        ("called{event=\"called\"", "close"),
    ];
    assert_eq!(told.len(), expected.len(), "{text}");
    for (line, (span, what)) in told.iter().zip(expected) {
        assert!(
            line.starts_with("called{") || line.starts_with(span),
            "{line}"
        );
        assert!(
            line.contains(span) && line.contains(what),
            "{what} in {line}"
        );
    }
}
