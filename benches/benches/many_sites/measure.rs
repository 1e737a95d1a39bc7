//! The measurements, whatever the number of sites.

use std::{
    fs,
    hint::black_box,
    thread,
    time::{Duration, Instant},
};

use llm_observe::{
    __private::Call,
    Observer, Site,
    config::{Config, Console},
};

/// How long the upkeep thread is watched.
const WATCHED: Duration = Duration::from_secs(10);

/// Installs an observer that counts and times calls, and measures what it costs.
pub(crate) fn all(sites: &[&'static Site]) {
    let mut config = Config::default();
    config.log.enabled = false;
    config.log.console = Console::Never;
    config.server.listen = None;
    println!("\n{} annotated functions", sites.len());
    let start = Instant::now();
    let observer = Observer::builder().config(config).install().unwrap();
    show("install", start.elapsed(), 1, "ms");
    publishing("publish, none called yet", || {});
    let start = Instant::now();
    calls(sites);
    show(
        "first call of each",
        start.elapsed(),
        sites.len(),
        "ns a call",
    );
    let start = Instant::now();
    for _ in 0..100 {
        calls(sites);
    }
    show(
        "later call of each",
        start.elapsed(),
        sites.len() * 100,
        "ns a call",
    );
    publishing("publish, all called before, none since", || {});
    publishing("publish, one called since", || calls(&sites[..1]));
    publishing("publish, all called since", || calls(sites));
    let start = Instant::now();
    let seen = llm_observe::testing::observe();
    calls(sites);
    show(
        "first call under a test observer",
        start.elapsed(),
        sites.len(),
        "ns a call",
    );
    drop(seen);
    let start = Instant::now();
    black_box(observer.metrics());
    show("scrape", start.elapsed(), 1, "ms");
}

fn calls(sites: &[&'static Site]) {
    for site in sites {
        black_box(Call::enter(site)).finish_ok();
    }
}

#[allow(clippy::cast_precision_loss, reason = "a number of calls")]
fn show(what: &str, took: Duration, among: usize, unit: &str) {
    let each = took.as_secs_f64() / among as f64;
    let value = if unit == "ms" { each * 1e3 } else { each * 1e9 };
    println!("{what:<45} {value:>9.1} {unit}");
}

/// Shows how much processor time the upkeep thread takes a second while `work` is done four times
/// a second.
fn publishing(what: &str, work: impl Fn()) {
    // What the work before has left is not to count.
    thread::sleep(Duration::from_millis(1_500));
    let Some(before) = upkeep() else {
        println!("{what:<45}      not measured on this platform");
        return;
    };
    let start = Instant::now();
    while start.elapsed() < WATCHED {
        work();
        thread::sleep(Duration::from_millis(250));
    }
    let took = upkeep().unwrap_or_default().saturating_sub(before);
    let each = took.as_secs_f64() / start.elapsed().as_secs_f64();
    println!("{what:<45} {:>9.2} ms of CPU a second", each * 1e3);
}

/// Returns the processor time of the observer's upkeep thread, where the system says it.
fn upkeep() -> Option<Duration> {
    fs::read_dir("/proc/self/task").ok()?.find_map(|task| {
        let task = task.ok()?.path();
        let name = fs::read_to_string(task.join("comm")).ok()?;
        let times = fs::read_to_string(task.join("schedstat")).ok()?;
        let running = times.split(' ').next()?.parse().ok()?;
        (name.trim() == "llm-observe").then(|| Duration::from_nanos(running))
    })
}
