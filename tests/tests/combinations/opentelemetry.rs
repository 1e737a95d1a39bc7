//! A provider of OpenTelemetry of the program: annotated functions are spans of it.

use llm_observe::{Observer, observe};
use opentelemetry::{global, trace::TracerProvider};
use opentelemetry_sdk::trace::{InMemorySpanExporter, SdkTracerProvider, SpanData};
use tracing::Dispatch;
use tracing_subscriber::prelude::*;

use crate::{CONFIG, called, run};

/// The program's provider, and what it exports.
struct Theirs {
    provider: SdkTracerProvider,
    exported: InMemorySpanExporter,
}

impl Theirs {
    fn new() -> Theirs {
        let exported = InMemorySpanExporter::default();
        let provider = SdkTracerProvider::builder()
            .with_simple_exporter(exported.clone())
            .build();
        Theirs { provider, exported }
    }

    /// Installs the program's subscriber.
    fn subscribe(&self) {
        let tracer = self.provider.tracer("theirs");
        let spans = tracing_opentelemetry::layer().with_tracer(tracer);
        let registry = tracing_subscriber::registry().with(spans);
        registry.with(Observer::layer()).init();
    }

    /// Calls an annotated function in a span of the program, and returns that span, the function's, and
    /// that of the function which it calls.
    fn spans_of_a_call(&self) -> [SpanData; 3] {
        tracing::info_span!("request").in_scope(called);
        self.provider.force_flush().unwrap();
        let spans = self.exported.get_finished_spans().unwrap();
        ["request", "called", "inner"].map(|name| {
            let found = spans.iter().find(|span| span.name == name);
            found
                .unwrap_or_else(|| panic!("no {name} in {spans:?}"))
                .clone()
        })
    }

    fn check(&self) {
        let [request, called, inner] = self.spans_of_a_call();
        let trace = request.span_context.trace_id();
        for (child, parent) in [(&called, &request), (&inner, &called)] {
            assert_eq!(child.parent_span_id, parent.span_context.span_id());
            assert_eq!(child.span_context.trace_id(), trace);
        }
        let attribute = |key: &str| {
            let found = called.attributes.iter().find(|a| a.key.as_str() == key);
            found.map(|a| a.value.as_str().into_owned())
        };
        assert_eq!(attribute("event").as_deref(), Some("called"));
        assert_eq!(attribute("outcome").as_deref(), Some("ok"));
        let events = called.events.iter().map(|event| event.name.as_ref());
        assert!(
            events
                .into_iter()
                .any(|name| name.starts_with("called ok in"))
        );
    }
}

#[test]
fn a_provider_before_has_annotated_functions_as_spans() {
    let case = run("opentelemetry::before", CONFIG);
    case.logs(&["called ok in", "inner ok in"]);
}

#[test]
#[ignore = "a process of its own"]
fn before() {
    let theirs = Theirs::new();
    global::set_tracer_provider(theirs.provider.clone());
    theirs.subscribe();
    let _observer = llm_observe::init!().unwrap();
    theirs.check();
}

#[test]
fn a_provider_after_has_annotated_functions_as_spans() {
    let case = run("opentelemetry::after", CONFIG);
    case.logs(&["called ok in", "inner ok in"]);
}

#[test]
#[ignore = "a process of its own"]
fn after() {
    let _observer = llm_observe::init!().unwrap();
    let theirs = Theirs::new();
    global::set_tracer_provider(theirs.provider.clone());
    theirs.subscribe();
    theirs.check();
}

#[tracing::instrument]
#[observe]
fn both() {
    called();
}

#[test]
fn both_attributes_nest_and_stand_on_one_function() {
    run("opentelemetry::nested", CONFIG);
}

#[test]
#[ignore = "a process of its own"]
fn nested() {
    let _observer = llm_observe::init!().unwrap();
    let theirs = Theirs::new();
    theirs.subscribe();
    both();
    let spans = theirs.exported.get_finished_spans().unwrap();
    // In the order they ended.
    let names: Vec<_> = spans.iter().map(|span| span.name.as_ref()).collect();
    assert_eq!(names, ["inner", "called", "both", "both"]);
    for two in spans.windows(2) {
        assert_eq!(two[0].parent_span_id, two[1].span_context.span_id());
    }
}

#[test]
fn a_provider_without_a_subscriber_is_left_alone() {
    run("opentelemetry::alone", CONFIG).says_nothing();
}

#[test]
#[ignore = "a process of its own"]
fn alone() {
    let theirs = Theirs::new();
    global::set_tracer_provider(theirs.provider.clone());
    let _observer = llm_observe::init!().unwrap();
    called();
    drop(global::tracer("theirs"));
    assert!(theirs.exported.get_finished_spans().unwrap().is_empty());
    tracing::dispatcher::with_default(&Dispatch::none(), called);
}
