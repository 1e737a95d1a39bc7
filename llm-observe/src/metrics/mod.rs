//! Metrics of calls through the `metrics` facade: the cells that calls add to, and the recorder.
//!
//! A call adds to plain atomic cells of its own site; about once a second, and before every
//! scrape, [`Metrics::publish`] moves what they gained to the recorder. Knows no server.

mod both;
mod cells;
mod extremes;
mod later;
mod live;
mod operations;
mod publish;
#[cfg(test)]
mod publish_tests;
mod published;
mod recorder;
mod shard;
mod sums;

use std::{
    collections::BTreeMap,
    fmt,
    sync::{
        Arc, Mutex, OnceLock,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
    time::Instant,
};

use llm_observe_config::Config;
use metrics::{Key, Label, Recorder};
use metrics_exporter_prometheus::{PrometheusBuilder, PrometheusHandle};

pub(crate) use cells::SiteMetrics;
pub(crate) use operations::OperationMetrics;

use crate::{
    error::Error,
    kernel::{
        fork_mutex::ForkMutex,
        metric::Metric,
        metrics_table as names,
        operation::{Instruments, OperationSite},
        site::Site,
        site_map::SiteMap,
        stats::Stats,
    },
    warn::warn,
};
use cells::NewShards;
use publish::Publisher;
use recorder::{AllBounds, METADATA, RecorderHandle};
use sums::Sums;

/// The metrics of one observer.
pub(crate) struct Metrics {
    recorder: RecorderHandle,
    /// Renders our recorder.
    handle: PrometheusHandle,
    bounds: AllBounds,
    sites: SiteMap<Arc<SiteMetrics>>,
    /// The same, each at the place that its shards name.
    all: ForkMutex<Vec<Arc<SiteMetrics>>>,
    new_shards: Arc<NewShards>,
    /// By the address of their site.
    operations: ForkMutex<BTreeMap<usize, Arc<OperationMetrics>>>,
    stats: Arc<Stats>,
    sums: Sums,
    table: Vec<&'static Metric>,
    build_info: OnceLock<Key>,
    /// Whether the program may still install a recorder.
    awaited: AtomicBool,
    publisher: Mutex<Publisher>,
    /// How many values were recorded since the recorder digested the last ones.
    undigested: AtomicU64,
    /// When the first slot of the recent time began.
    start: Instant,
}

impl Metrics {
    /// Installs the Prometheus recorder for the program. Where one is installed already, both get
    /// the metrics, and the second value is `false`. `later`: the program may install one, and both
    /// get the metrics from then on.
    pub(crate) fn global(
        config: &Config,
        table: &[&'static Metric],
        stats: Arc<Stats>,
        later: bool,
    ) -> Result<(Metrics, bool), Error> {
        let recorder = recorder::prometheus(config, table)?;
        let handle = recorder.handle();
        if later && !later::is_installed() {
            let recorder = RecorderHandle::BesideLater(recorder);
            let metrics = Metrics::over(recorder, handle, config, table, stats);
            return Ok((metrics, true));
        }
        let recorder = match metrics::set_global_recorder(recorder) {
            Ok(()) => RecorderHandle::Global,
            Err(refused) => RecorderHandle::Beside(refused.into_inner()),
        };
        let ours = !recorder.is_foreign();
        let metrics = Metrics::over(recorder, handle, config, table, stats);
        Ok((metrics, ours))
    }

    /// Keeps the metrics to this observer. Buckets that cannot be used are left out: the
    /// configuration was checked.
    pub(crate) fn of_thread(
        config: &Config,
        table: &[&'static Metric],
        stats: Arc<Stats>,
    ) -> Metrics {
        let recorder = recorder::prometheus(config, table)
            .unwrap_or_else(|_| PrometheusBuilder::new().build_recorder());
        let handle = recorder.handle();
        Metrics::over(
            RecorderHandle::Scoped(recorder),
            handle,
            config,
            table,
            stats,
        )
    }

    fn over(
        recorder: RecorderHandle,
        handle: PrometheusHandle,
        config: &Config,
        table: &[&'static Metric],
        stats: Arc<Stats>,
    ) -> Metrics {
        recorder.with(|recorder| recorder::describe(table, recorder));
        Metrics {
            awaited: AtomicBool::new(matches!(recorder, RecorderHandle::BesideLater(_))),
            table: table.to_vec(),
            build_info: OnceLock::new(),
            recorder,
            handle,
            bounds: AllBounds::new(config, table),
            sites: SiteMap::default(),
            all: ForkMutex::default(),
            new_shards: Arc::default(),
            operations: ForkMutex::default(),
            stats,
            sums: Sums::default(),
            publisher: Mutex::default(),
            undigested: AtomicU64::new(0),
            start: Instant::now(),
        }
    }

    /// Returns the cells of `site`, made when they are new; its counters exist at 0 from then on.
    pub(crate) fn site(&self, site: &'static Site) -> Arc<SiteMetrics> {
        self.sites.get_or_make(site, || self.new_site(site))
    }

    fn new_site(&self, site: &'static Site) -> Arc<SiteMetrics> {
        let mut all = self.all.lock();
        // In a fork, where nobody publishes, it may have no place.
        let place = all.as_ref().map_or(usize::MAX, |all| all.len());
        let new = self.with_recorder(|recorder| {
            let bounds = self.bounds.of_calls();
            SiteMetrics::new(site, bounds, &self.new_shards, place, recorder)
        });
        let new = Arc::new(new);
        if let Some(all) = &mut all {
            all.push(new.clone());
        }
        new
    }

    /// Returns the cells of a site of operations, made when they are new.
    pub(crate) fn operations(&self, site: &'static OperationSite) -> Arc<OperationMetrics> {
        let new = || {
            let Instruments { duration, active } = *site.instruments();
            // Those of a program's own operation are in no table.
            let metrics: Vec<_> = [Some(duration), active].into_iter().flatten().collect();
            self.with_recorder(|recorder| recorder::describe(&metrics, recorder));
            Arc::new(OperationMetrics::new(site, self.bounds.of(duration)))
        };
        let Some(mut all) = self.operations.lock() else {
            // In a fork: one that nobody publishes.
            return new();
        };
        let address = std::ptr::from_ref(site).addr();
        all.entry(address).or_insert_with(new).clone()
    }

    /// Records one value of a histogram. For what happens seldom: it looks the series up.
    pub(crate) fn observe(
        &self,
        metric: &'static Metric,
        labels: &[(&'static str, &str)],
        value: f64,
    ) {
        let key = key(metric, labels);
        self.with_recorder(|r| r.register_histogram(&key, &METADATA).record(value));
    }

    /// Records so many values of a histogram whose mean is `mean`. All have to be in one bucket.
    pub(crate) fn observe_many(
        &self,
        metric: &'static Metric,
        labels: &[(&'static str, &str)],
        mean: f64,
        count: u64,
    ) {
        let key = key(metric, labels);
        let count = usize::try_from(count).unwrap_or(usize::MAX);
        self.with_recorder(|r| {
            let histogram = r.register_histogram(&key, &METADATA);
            histogram.record_many(mean, count);
        });
    }

    /// Returns bounds in nanoseconds, ascending, so that times between two of them are in one bucket of
    /// a metric's durations.
    pub(crate) fn bounds(&self, metric: &'static Metric) -> Vec<u64> {
        self.bounds.of(metric).nanos.to_vec()
    }

    /// Sets a gauge. For what happens seldom: it looks the series up.
    pub(crate) fn set(&self, metric: &'static Metric, labels: &[(&'static str, &str)], value: f64) {
        let key = key(metric, labels);
        self.with_recorder(|r| r.register_gauge(&key, &METADATA).set(value));
    }

    /// Sets `llm_observe_build_info`, whose labels say which build this is.
    pub(crate) fn build_info(&self, service: &str, environment: &str) {
        let labels = vec![
            Label::from_static_parts("version", env!("CARGO_PKG_VERSION")),
            Label::new("service", service.to_owned()),
            Label::new("environment", environment.to_owned()),
        ];
        // Set once: an observer is started once.
        let _ = self
            .build_info
            .set(Key::from_parts(names::BUILD_INFO.name, labels));
        self.set_build_info();
    }

    fn set_build_info(&self) {
        if let Some(key) = self.build_info.get() {
            self.with_recorder(|r| r.register_gauge(key, &METADATA).set(1.0));
        }
    }

    /// Returns whether the program has installed its recorder since the last time, and describes the
    /// metrics to it.
    fn has_come(&self) -> bool {
        let come = self.awaited.load(Ordering::Relaxed)
            && later::is_installed()
            && self.awaited.swap(false, Ordering::Relaxed);
        if come {
            self.with_recorder(|recorder| recorder::describe(&self.table, recorder));
            self.set_build_info();
            warn(
                "a metrics recorder was installed after init!() and gets the metrics too; /metrics, \
                 the live page and Observer::metrics() have those of llm-observe alone",
            );
        }
        come
    }

    /// Returns the metrics as Prometheus text, up to date. `None` only without the feature.
    pub(crate) fn render(&self) -> Option<String> {
        self.publish();
        let mut text = self.handle.render();
        self.write_sums(&mut text);
        Some(text)
    }

    /// Returns the slot of the recent time that is going on.
    fn slot(&self) -> u64 {
        self.start.elapsed().as_secs() / extremes::SLOT
    }

    /// Returns the sites of operations, by address.
    fn all_operations(&self) -> BTreeMap<usize, Arc<OperationMetrics>> {
        let all = self.operations.lock();
        all.map(|all| all.clone()).unwrap_or_default()
    }

    fn with_recorder<T>(&self, f: impl FnOnce(&dyn Recorder) -> T) -> T {
        self.recorder.with(f)
    }
}

fn key(metric: &'static Metric, labels: &[(&'static str, &str)]) -> Key {
    let labels = labels.iter();
    let labels = labels.map(|(k, v)| Label::new(*k, (*v).to_owned()));
    Key::from_parts(metric.name, labels.collect::<Vec<_>>())
}

impl fmt::Debug for Metrics {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Metrics").finish_non_exhaustive()
    }
}
