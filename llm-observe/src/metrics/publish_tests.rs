//! That publishing what changed leaves nothing out.

use std::{sync::Arc, thread};

use llm_observe_config::Config;

use super::{Metrics, SiteMetrics};
use crate::kernel::{metrics_table as names, outcome::Outcome, site::Site, stats::Stats};

static SITE: Site = Site::new("e", "f", "m", "f.rs", 1, || "m::f").has_items();
static OTHER: Site = Site::new("e", "g", "m", "f.rs", 2, || "m::g");

const NANOS: u64 = 3_000_000;

fn metrics() -> (Metrics, Arc<SiteMetrics>) {
    let metrics = Metrics::of_thread(&Config::default(), names::TABLE, Arc::default());
    let site = metrics.site(&SITE);
    (metrics, site)
}

/// Returns a sample of the latest scrape; `None` where it is not there.
fn sample(metrics: &Metrics, name: &str, labels: &str) -> Option<u64> {
    let text = metrics.render().unwrap();
    let series = format!("{name}{{event=\"e\",function=\"m::f\"{labels}}} ");
    let line = text.lines().find_map(|line| line.strip_prefix(&series));
    line.map(|number| number.parse().unwrap())
}

fn calls(metrics: &Metrics, outcome: &str) -> u64 {
    let labels = format!(",outcome=\"{outcome}\"");
    sample(metrics, "llm_observe_calls_total", &labels).unwrap()
}

fn running(metrics: &Metrics) -> u64 {
    sample(metrics, "llm_observe_calls_in_flight", "").unwrap()
}

#[test]
fn counters_are_at_0_and_grow_with_each_scrape() {
    let (metrics, site) = metrics();
    assert_eq!((calls(&metrics, "ok"), running(&metrics)), (0, 0));
    for n in 1..4 {
        site.started();
        site.ended(Outcome::Ok, NANOS);
        assert_eq!((calls(&metrics, "ok"), running(&metrics)), (n, 0));
    }
    let count = "llm_observe_call_duration_seconds_count";
    assert_eq!(sample(&metrics, count, ",outcome=\"ok\""), Some(3));
    assert_eq!(sample(&metrics, count, ",outcome=\"error\""), None);
}

#[test]
fn a_call_that_ends_without_another_start_is_published() {
    let (metrics, site) = metrics();
    site.started();
    assert_eq!((calls(&metrics, "ok"), running(&metrics)), (0, 1));
    assert_eq!(running(&metrics), 1);
    site.ended(Outcome::Ok, NANOS);
    assert_eq!((calls(&metrics, "ok"), running(&metrics)), (1, 0));
}

#[test]
fn a_call_that_ends_on_another_thread_is_published() {
    let (metrics, site) = metrics();
    let start = site.clone();
    thread::spawn(move || start.started()).join().unwrap();
    assert_eq!(running(&metrics), 1);
    assert_eq!(running(&metrics), 1);
    let end = site.clone();
    thread::spawn(move || end.ended(Outcome::Cancelled, NANOS))
        .join()
        .unwrap();
    assert_eq!((calls(&metrics, "cancelled"), running(&metrics)), (1, 0));
}

#[test]
fn threads_that_have_ended_stay_counted_and_are_let_go() {
    let (metrics, site) = metrics();
    for n in 1..=20 {
        let call = site.clone();
        let thread = thread::spawn(move || {
            call.started();
            call.ended(Outcome::Panic, NANOS);
        });
        thread.join().unwrap();
        assert_eq!(calls(&metrics, "panic"), n);
    }
    assert_eq!((calls(&metrics, "panic"), running(&metrics)), (20, 0));
    assert_eq!(metrics.watched_shards(), 0);
}

/// What is counted of a call comes after its end was counted: a scrape may be in between.
#[test]
fn details_that_come_late_are_published() {
    let (metrics, site) = metrics();
    site.started();
    site.ended(Outcome::Ok, NANOS);
    assert_eq!(calls(&metrics, "ok"), 1);
    site.add(&site.items, 7);
    assert_eq!(sample(&metrics, "llm_observe_items_total", ""), Some(7));
    site.add(&site.slow, 1);
    assert_eq!(
        sample(&metrics, "llm_observe_slow_calls_total", ""),
        Some(1)
    );
}

#[test]
fn a_site_that_is_not_called_is_not_visited() {
    let (metrics, site) = metrics();
    let other = metrics.site(&OTHER);
    site.started();
    site.ended(Outcome::Ok, NANOS);
    metrics.publish();
    assert_eq!(metrics.changed(), [""; 0]);
    other.started();
    assert_eq!(metrics.changed(), ["m::g"]);
}

/// Every call that had ended before a scrape is in it, whatever the threads do meanwhile.
#[test]
fn scrapes_beside_running_threads_count_all() {
    const THREADS: u64 = 4;
    const CALLS: u64 = 20_000;
    let (metrics, site) = metrics();
    thread::scope(|scope| {
        let threads: Vec<_> = (0..THREADS)
            .map(|_| {
                scope.spawn(|| {
                    for _ in 0..CALLS {
                        site.started();
                        site.ended(Outcome::Ok, NANOS);
                    }
                })
            })
            .collect();
        while !threads.iter().all(thread::ScopedJoinHandle::is_finished) {
            metrics.publish();
        }
    });
    let all = THREADS * CALLS;
    assert_eq!((calls(&metrics, "ok"), running(&metrics)), (all, 0));
    let count = "llm_observe_call_duration_seconds_count";
    assert_eq!(sample(&metrics, count, ",outcome=\"ok\""), Some(all));
}

#[test]
fn numbers_of_the_toolkit_follow_their_value() {
    let stats = Arc::new(Stats::default());
    let metrics = Metrics::of_thread(&Config::default(), names::TABLE, stats.clone());
    let lines = |metrics: &Metrics| {
        let text = metrics.render().unwrap();
        let line = text
            .lines()
            .find(|line| line.starts_with("llm_observe_log_lines_total{"));
        line.map(|line| line.rsplit_once(' ').unwrap().1.to_owned())
    };
    assert_eq!(lines(&metrics), None);
    let counter = stats.counter(names::LOG_LINES, &[("logger", "app")]);
    assert_eq!(lines(&metrics).as_deref(), Some("0"));
    counter.add(3);
    assert_eq!(lines(&metrics).as_deref(), Some("3"));
    assert_eq!(lines(&metrics).as_deref(), Some("3"));
}
