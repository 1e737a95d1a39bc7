//! Every annotated function is known before its first call. One observer a process, so one test.

use llm_observe::{Observer, config::Config, observe};

mod inner {
    pub(crate) struct Store<T>(pub(crate) T);

    impl<T> Store<T> {
        #[llm_observe::observe(event = "retrieval")]
        #[expect(dead_code, reason = "never called, and known all the same")]
        pub(crate) fn search(&self) -> usize {
            1
        }
    }
}

#[observe(event = "embedding")]
async fn embed() {}

#[test]
fn counters_stand_at_0_from_the_start() {
    let text = "[log]\nenabled = false\nconsole = \"never\"\n[server]\nlisten = \"off\"\n";
    let config = Config::parse(text, "test.toml".as_ref()).unwrap();
    let observer = Observer::builder().config(config).install().unwrap();
    let metrics = observer.metrics().unwrap();
    llm_observe_tests::metrics::assert_documented(&metrics);
    for outcome in ["ok", "error", "timeout", "cancelled", "panic"] {
        for (event, function) in [
            ("embedding", "registered::embed"),
            ("retrieval", "registered::inner::Store::search"),
        ] {
            let series = format!(
                "llm_observe_calls_total{{event=\"{event}\",function=\"{function}\",outcome=\"{outcome}\"}} 0"
            );
            assert!(metrics.contains(&series), "no {series} in\n{metrics}");
        }
    }
    assert!(!metrics.contains("function=\"none\""));
    drop(embed());
    let _ = inner::Store(1).0;
}
