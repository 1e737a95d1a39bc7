//! A program that has a metrics recorder of its own: ours goes on beside it. A process has one
//! recorder, so this file has one test.

use llm_observe::{Observer, config::Config, observe};
use llm_observe_tests::http::get;
use metrics_exporter_prometheus::PrometheusBuilder;

#[observe]
fn work(n: u64) -> Result<u64, String> {
    n.checked_add(1).ok_or_else(|| "too large".to_owned())
}

#[test]
fn both_recorders_have_our_metrics_and_ours_are_served() {
    let theirs = PrometheusBuilder::new().install_recorder().unwrap();
    metrics::counter!("theirs_total").increment(7);
    let text = "[log]\nenabled = false\n[server]\nlisten = \"127.0.0.1:0\"\n";
    let config = Config::parse(text, "test.toml".as_ref()).unwrap();
    let observer = Observer::builder().config(config).install().unwrap();
    for n in [1, 2, u64::MAX] {
        let _ = work(n);
    }
    let address = observer.listening().unwrap();
    let scrape = get(address, "/metrics").unwrap().body;
    let live = get(address, "/metrics?live").unwrap().body;
    let page = get(address, "/").unwrap().body;
    let own = observer.metrics().unwrap();
    let labels = "event=\"work\",function=\"metrics_beside::work\"";
    let counted = format!("llm_observe_calls_total{{{labels},outcome=\"ok\"}} 2");
    let timed = format!("llm_observe_call_duration_seconds_count{{{labels},outcome=\"error\"}} 1");
    for text in [&own, &scrape, &live, &theirs.render()] {
        for line in [counted.as_str(), &timed, "llm_observe_build_info{"] {
            assert!(text.contains(line), "no {line} in {text}");
        }
    }
    assert!(page.contains("llm-observe"), "{page}");
    assert!(
        live.contains("llm_observe_call_duration_seconds_max{"),
        "{live}"
    );
    assert!(!scrape.contains("seconds_max{"), "{scrape}");
    // The buckets are ours, whatever the other recorder makes of a histogram.
    let bucket = format!(
        "llm_observe_call_duration_seconds_bucket{{{labels},outcome=\"ok\",le=\"0.0005\"}}"
    );
    assert!(scrape.contains(&bucket), "{scrape}");
    assert!(theirs.render().contains("theirs_total 7"));
    assert!(!own.contains("theirs_total"));
}
