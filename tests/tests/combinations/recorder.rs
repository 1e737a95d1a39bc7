//! A recorder of `metrics` of the program, before or after `init!()`.

use llm_observe::Observer;
use metrics_exporter_prometheus::{PrometheusBuilder, PrometheusHandle};

use crate::{CONFIG, called, run};

const BEFORE: &str = "a metrics recorder is installed already and gets the metrics too";
const AFTER: &str = "a metrics recorder was installed after init!() and gets the metrics too";

fn install() -> PrometheusHandle {
    PrometheusBuilder::new().install_recorder().unwrap()
}

/// Checks that both have our metrics, and each its own.
fn check(theirs: &PrometheusHandle, ours: &Observer, calls: u64) {
    metrics::counter!("theirs_total").increment(7);
    let own = ours.metrics().unwrap();
    let labels = "event=\"called\",function=\"combinations::called\"";
    let counted = format!("llm_observe_calls_total{{{labels},outcome=\"ok\"}} {calls}");
    let nothing = format!("llm_observe_calls_total{{{labels},outcome=\"panic\"}} 0");
    for text in [&own, &theirs.render()] {
        for line in [
            counted.as_str(),
            &nothing,
            "llm_observe_build_info{",
            "# HELP llm_observe_calls_total ",
        ] {
            assert!(text.contains(line), "no {line} in {text}");
        }
    }
    assert!(theirs.render().contains("theirs_total 7"));
    assert!(!own.contains("theirs_total"));
}

#[test]
fn one_before_gets_the_metrics_too() {
    run("recorder::before", CONFIG).says(BEFORE);
}

#[test]
#[ignore = "a process of its own"]
fn before() {
    let theirs = install();
    let observer = llm_observe::init!().unwrap();
    called();
    check(&theirs, &observer, 1);
}

#[test]
fn one_after_gets_the_metrics_too() {
    run("recorder::after", CONFIG).says(AFTER);
}

#[test]
#[ignore = "a process of its own"]
fn after() {
    let observer = llm_observe::init!().unwrap();
    called();
    // What was published before is not lost for theirs.
    assert!(observer.metrics().is_some());
    let theirs = install();
    called();
    check(&theirs, &observer, 2);
    let timed = "llm_observe_call_duration_seconds_count{event=\"called\"";
    assert!(theirs.render().contains(timed), "{}", theirs.render());
}

#[test]
fn metrics_of_the_program_are_served_where_it_has_no_recorder() {
    run("recorder::none", CONFIG).says_nothing();
}

#[test]
#[ignore = "a process of its own"]
fn none() {
    // As `init!()` does in a package that depends on no exporter.
    let observer = Observer::builder().install().unwrap();
    metrics::counter!("theirs_total").increment(7);
    assert!(observer.metrics().unwrap().contains("theirs_total 7"));
}
