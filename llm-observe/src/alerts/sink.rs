//! The sink of alerts, on the callers' side.

use std::{
    collections::{BTreeMap, HashMap},
    fmt,
    sync::Arc,
    time::Duration,
};

use llm_observe_config as config;

use super::{
    channel::Channel,
    handler::{AlertHandler, AlertSource, PendingAlert},
    links::AlertLinks,
    occurrences::{ErrorSample, Occurrences},
    parcels::ParcelEncoder,
    policy::{AlertTiming, ChannelLimit, IncidentPolicy},
    routes::AlertRoutes,
    text,
    trigger::Trigger,
};
use crate::{
    error::Error,
    kernel::{
        metrics_table as names,
        record::Record,
        similar::SimilarError,
        sink::{RunningCall, Sink, ThresholdReached},
        stats::{Counter, Stats},
    },
    outbox::{
        Outbox, Parcel, background::BackgroundWorker, caught, is_delivering, micros, now_micros,
        origin::Origin,
    },
    redact::{Redacted, Redactor},
};

/// How many different failures may wait for the policy; beyond it they are counted as lost.
const MOST_DIFFERENT: usize = 4096;

/// The rate, per minute, of a channel without a table in the configuration: one from code.
const DEFAULT_RATE: u32 = 20;

/// What alerts are configured by.
#[derive(Debug)]
pub(crate) struct AlertOptions<'a> {
    pub(crate) config: &'a config::Config,
    pub(crate) origin: Origin,
}

/// The running alerts: a sink of records, with a background worker.
pub(crate) struct AlertSink {
    worker: BackgroundWorker<PendingAlert>,
    encoder: Arc<ParcelEncoder>,
    pub(super) counters: AlertCounters,
}

/// What is lost, by reason.
#[derive(Clone)]
pub(super) struct AlertCounters {
    pub(super) overflow: Counter,
    pub(super) unrouted: Counter,
    /// Failures of what delivers alerts.
    pub(super) own: Counter,
    /// Messages whose channel panicked.
    pub(super) panicked: Counter,
}

impl AlertSink {
    /// Starts the worker, which restores the incidents of an earlier process.
    ///
    /// # Errors
    ///
    /// When the quiet hours cannot be parsed, or no thread can be started.
    pub(crate) fn start(
        options: AlertOptions<'_>,
        channels: Vec<Arc<dyn Channel>>,
        outbox: Outbox,
        redactor: Arc<Redactor>,
        stats: &Stats,
    ) -> Result<AlertSink, Error> {
        let timing = AlertTiming::new(&options.config.alerts)?;
        let policy = IncidentPolicy::new(timing, limits(&options.config.channels, &channels));
        let channels: BTreeMap<_, _> = channels
            .into_iter()
            .map(|c| (c.name().to_owned(), c))
            .collect();
        let routes = AlertRoutes::new(options.config, channels.keys().cloned().collect());
        let encoder = Arc::new(ParcelEncoder {
            channels,
            origin: options.origin,
            links: AlertLinks::new(options.config),
            routes: Arc::new(routes),
            redactor,
        });
        let counters = AlertCounters::new(stats);
        let handler = AlertHandler {
            policy,
            encoder: encoder.clone(),
            outbox,
            unrouted: counters.unrouted.clone(),
            panicked: counters.panicked.clone(),
        };
        Ok(AlertSink {
            worker: BackgroundWorker::start("llm-observe-alerts", MOST_DIFFERENT, handler)?,
            encoder,
            counters,
        })
    }

    /// Puts what is due into the outbox, and what waits for its group, within `limit`.
    pub(crate) fn flush(&self, limit: Duration) -> bool {
        self.worker.flush(limit)
    }

    /// Does what [`AlertSink::flush`] does, and ends the worker.
    pub(crate) fn close(&self, limit: Duration) -> bool {
        self.worker.close(limit)
    }

    /// Returns a message to test a channel with.
    pub(crate) fn test_parcel(&self, channel: &str) -> Option<Parcel> {
        self.encoder.test_parcel(channel)
    }

    fn ended(&self, record: &Record<'_>, trigger: Trigger) {
        let error = record.error.filter(|_| trigger.is_failure());
        if is_delivering() {
            self.counters.own.add(1);
            return;
        }
        let site = std::ptr::from_ref(record.site).addr();
        // Alerts list errors whose texts differ in numbers apart.
        let text = error.map(|error| error.message.as_str());
        let key = (site, trigger, text, error.map(SimilarError::from));
        let merge = |pending: &mut PendingAlert| pending.occurrences.count_one(record.time);
        let first = || PendingAlert {
            source: AlertSource::Site(record.site),
            occurrences: Occurrences::of(record, trigger),
        };
        if !self.worker.add(key, merge, first) {
            self.counters.overflow.add(1);
        }
    }

    /// Adds a call that stalled (1), or has ended after it had stalled (-1).
    fn stall(&self, call: &RunningCall, stalled: i64, sample: impl FnOnce() -> ErrorSample) {
        let (site, trace_id) = (call.site, call.trace_id);
        if !call.alerts() {
            return;
        }
        let request = call.request.as_ref();
        let key = (std::ptr::from_ref(site).addr(), trace_id, stalled);
        let merge = |pending: &mut PendingAlert| pending.occurrences.count_one(now_micros());
        let first = || PendingAlert {
            source: AlertSource::Site(site),
            occurrences: Occurrences {
                stalled,
                is_operation: site.is_operation(),
                session_url: request.and_then(|request| request.session_url.clone()),
                ..Occurrences::at(now_micros(), Trigger::Stalled, trace_id, sample())
            },
        };
        if !self.worker.add(key, merge, first) {
            self.counters.overflow.add(1);
        }
    }
}

impl Sink for AlertSink {
    fn record(&self, record: &Redacted<Record<'_>>) {
        if record.alerts().is_empty() {
            return;
        }
        for trigger in Trigger::of(record) {
            self.ended(record, trigger);
        }
    }

    fn stalled(&self, call: &Redacted<RunningCall>) {
        self.stall(call, 1, || {
            let duration = text::duration(call.duration);
            ErrorSample::plain(format!("still running after {duration}"))
        });
    }

    fn unstalled(&self, call: &Redacted<RunningCall>) {
        self.stall(call, -1, ErrorSample::default);
    }

    fn reached(&self, threshold: &Redacted<ThresholdReached>) {
        let reached: &ThresholdReached = threshold;
        let key = (reached.event.clone(), reached.threshold.clone());
        let merge = |pending: &mut PendingAlert| pending.occurrences.count_one(reached.time);
        let first = || PendingAlert {
            source: AlertSource::Event {
                event: reached.event.clone(),
                function: reached.function.clone(),
                severity: reached.severity,
            },
            occurrences: Occurrences::of_threshold(reached),
        };
        if !self.worker.add(key, merge, first) {
            self.counters.overflow.add(1);
        }
    }
}

impl fmt::Debug for AlertSink {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("AlertSink").finish_non_exhaustive()
    }
}

impl AlertCounters {
    fn new(stats: &Stats) -> AlertCounters {
        let lost = |reason| stats.counter(names::ALERTS_LOST, &[("reason", reason)]);
        AlertCounters {
            overflow: lost("overflow"),
            unrouted: lost("no_channel"),
            own: lost("own"),
            panicked: lost("panicked"),
        }
    }
}

/// Returns the rates of `channels`.
fn limits(
    tables: &BTreeMap<String, config::Channel>,
    channels: &[Arc<dyn Channel>],
) -> HashMap<String, ChannelLimit> {
    let limit = |channel: &Arc<dyn Channel>| {
        let most = tables
            .get(channel.name())
            .map_or(DEFAULT_RATE, |table| table.max_per_minute);
        let limit = ChannelLimit {
            per_minute: usize::try_from(most.max(1)).unwrap_or(usize::MAX),
            digests: caught(|| channel.takes_digests()).unwrap_or(true),
            refresh: caught(|| channel.refresh()).flatten().map(micros),
        };
        (channel.name().to_owned(), limit)
    };
    channels.iter().map(limit).collect()
}
