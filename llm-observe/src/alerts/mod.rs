//! From records to messages: which calls alert, when a message is due, and to which channels.
//!
//! A caller pays for an alert with one merge into a bounded set ([`Burst`]); a thread of its own
//! asks the [`policy`] and puts what is due into the outbox. Nothing that happens to a delivery
//! comes back here: alerts about alerts would never end.
//!
//! It must not know how a channel is reached.

#[cfg(feature = "alertmanager")]
pub(crate) mod alertmanager;
#[cfg(feature = "email")]
pub(crate) mod email;
pub(crate) mod heartbeat;
mod links;
mod notice;
#[cfg(feature = "pagerduty")]
pub(crate) mod pagerduty;
mod policy;
pub(crate) mod rehearsal;
mod route;
mod sending;
#[cfg(feature = "slack")]
pub(crate) mod slack;
mod state;
mod text;
#[cfg(feature = "webhook")]
pub(crate) mod webhook;

use std::{
    collections::{BTreeMap, HashMap},
    fmt,
    sync::{Arc, Mutex, PoisonError},
    thread::{self, JoinHandle},
    time::{Duration, Instant},
};

use llm_observe_config as config;

pub use crate::outbox::{Answer, Delivery, Destination, Parcel};
pub use notice::{Distinct, Held, Notice, Status, Trigger};
pub(crate) use text::{cut, rfc3339};

use crate::{
    error::Error,
    kernel::{
        metric_names as names,
        record::Record,
        sink::{RunningCall, Sink},
        site::Site,
        stats::{Counter, Stats},
    },
    outbox::{self, Outbox, burst::Burst, now_micros},
    redact::{Redacted, Redactor},
};
use links::Links;
use policy::{Policy, Timing};
use route::Routes;

/// How many different failures may wait for the policy; beyond it they are counted by function.
const MOST_DIFFERENT: usize = 4096;

/// How often the state of alerts is looked for that a process left which died beside this one.
const LOOK: Duration = Duration::from_secs(10);

/// A place that alerts go to. Users can write their own, and give it to
/// [`Builder::channel`](crate::Builder::channel):
///
/// ```
/// use llm_observe::alerts::{Answer, Channel, Delivery, Destination, Notice, Parcel};
///
/// /// A lamp that is red while something fails.
/// struct Lamp;
///
/// impl Channel for Lamp {
///     fn encode(&self, notice: &Notice) -> Vec<u8> {
///         notice.status.as_str().into()
///     }
/// }
///
/// impl Destination for Lamp {
///     fn name(&self) -> &str {
///         "lamp"
///     }
///
///     fn deliver<'a>(&'a self, parcel: &'a Parcel) -> Answer<'a> {
///         Box::pin(async move {
///             let colour: &[u8] = if parcel.body == b"resolved" { b"green" } else { b"red" };
///             match std::fs::write("/dev/lamp", colour) {
///                 Ok(()) => Delivery::Delivered,
///                 Err(error) => Delivery::retry(error.to_string()),
///             }
///         })
///     }
/// }
/// ```
pub trait Channel: Destination {
    /// Returns the message for `notice`, as [`Destination::deliver`] is to send it.
    fn encode(&self, notice: &Notice) -> Vec<u8>;

    /// Returns whether messages beyond the channel's rate become one digest. A channel that
    /// groups by itself, and has to see each alert resolve, returns `false`. Default: `true`.
    fn takes_digests(&self) -> bool {
        true
    }

    /// Returns how often the channel is to hear of an alert that goes on, besides
    /// `alerts.repeat`: where it forgets alerts that are not sent again. Such a channel takes
    /// alerts of the same event, trigger and severity for one, and hears of the end of the last
    /// one only. Default: never.
    fn refresh(&self) -> Option<Duration> {
        None
    }
}

/// Who is speaking.
#[derive(Clone, Debug, Default)]
#[non_exhaustive]
pub struct Origin {
    /// The service's name.
    pub service: String,
    /// The deployment environment.
    pub environment: String,
    /// The machine's name.
    pub host: String,
}

/// What alerts are made by.
#[derive(Debug)]
pub(crate) struct Settings<'a> {
    pub(crate) config: &'a config::Config,
    pub(crate) origin: Origin,
}

/// One kind of failure as it waits for the policy: the calls that failed alike.
struct Signal {
    site: &'static Site,
    seen: policy::Seen,
}

/// The running alerts: a sink of records, and the thread behind it.
pub(crate) struct Alerts {
    shared: Arc<Shared>,
    thread: Mutex<Option<JoinHandle<()>>>,
}

struct Shared {
    burst: Burst<Signal>,
    routes: Routes,
    channels: BTreeMap<String, Arc<dyn Channel>>,
    origin: Origin,
    links: Links,
    outbox: Outbox,
    redactor: Arc<Redactor>,
    overflow: Counter,
    unrouted: Counter,
    /// Failures of what delivers alerts.
    own: Counter,
    /// Messages whose channel panicked over them.
    panicked: Counter,
}

impl Alerts {
    /// Starts the thread; takes up the incidents that an earlier process had told of.
    ///
    /// # Errors
    ///
    /// When the quiet hours make no sense, or no thread can be started.
    pub(crate) fn start(
        settings: Settings<'_>,
        channels: Vec<Arc<dyn Channel>>,
        outbox: Outbox,
        redactor: Arc<Redactor>,
        stats: &Stats,
    ) -> Result<Alerts, Error> {
        let timing = Timing::new(&settings.config.alerts)?;
        let limits = policy::limits(&settings.config.channels, &channels);
        let channels: BTreeMap<_, _> = channels
            .into_iter()
            .map(|c| (c.name().to_owned(), c))
            .collect();
        let lost = |reason| stats.counter(names::ALERTS_LOST, &[("reason", reason)]);
        let shared = Arc::new(Shared {
            burst: Burst::new(MOST_DIFFERENT),
            routes: Routes::new(settings.config, channels.keys().cloned().collect()),
            channels,
            origin: settings.origin,
            links: Links::new(settings.config),
            outbox,
            redactor,
            overflow: lost("overflow"),
            unrouted: lost("no_channel"),
            own: lost("own"),
            panicked: lost("panicked"),
        });
        let policy = Policy::new(timing, limits);
        let work = shared.clone();
        let thread = thread::Builder::new()
            .name("llm-observe-alerts".to_owned())
            .spawn(move || work.run(policy))
            .map_err(|e| Error::with("cannot start the thread of alerts", e))?;
        Ok(Alerts {
            shared,
            thread: Mutex::new(Some(thread)),
        })
    }

    /// Puts what is due into the outbox now, without waiting for the group, within `limit`.
    pub(crate) fn flush(&self, limit: Duration) -> bool {
        self.shared.burst.flush(limit)
    }

    /// Returns a message to try a channel with.
    pub(crate) fn test_parcel(&self, channel: &str) -> Option<Parcel> {
        self.shared.test_parcel(channel)
    }
}

impl Drop for Alerts {
    fn drop(&mut self) {
        self.shared.burst.close();
        let thread = self
            .thread
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .take();
        if let Some(thread) = thread {
            // It does not panic; if it did, there is nothing left to do about it.
            let _ = thread.join();
        }
    }
}

impl Sink for Alerts {
    fn record(&self, record: &Redacted<Record<'_>>) {
        for trigger in Trigger::of(record) {
            self.shared.record(record, trigger);
        }
    }

    fn stalled(&self, running: &Redacted<RunningCall>) {
        let duration = running.duration;
        self.shared.add(running, 1, || {
            policy::Sample::plain(format!("still running after {}", text::duration(duration)))
        });
    }

    fn unstalled(&self, running: &Redacted<RunningCall>) {
        self.shared.add(running, -1, policy::Sample::default);
    }
}

impl fmt::Debug for Alerts {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Alerts").finish_non_exhaustive()
    }
}

impl Shared {
    fn record(&self, record: &Record<'_>, trigger: Trigger) {
        let class = record
            .error
            .map(|error| error.class)
            .filter(|_| trigger.is_failure());
        if outbox::is_delivering() {
            self.own.add(1);
            return;
        }
        let error = record.error.filter(|_| trigger.is_failure());
        let (kind, message) = error.map_or(("", ""), |e| (e.type_name, e.message.as_str()));
        let site = std::ptr::from_ref(record.site).addr();
        let first = || Signal {
            site: record.site,
            seen: policy::Seen::of(record, trigger, &self.redactor),
        };
        let again = |signal: &mut Signal| signal.seen.again(record.time);
        if !self
            .burst
            .add((site, trigger, class, kind, message), again, first)
        {
            self.overflow.add(1);
        }
    }

    /// Takes a call that hangs (1), or no longer does (-1).
    fn add(&self, running: &RunningCall, open: i64, sample: impl FnOnce() -> policy::Sample) {
        let (site, trace) = (running.site, running.trace_id);
        if !running.alerts() {
            return;
        }
        let request = running.request.as_ref();
        let seen = policy::Seen {
            open,
            session: request.and_then(|request| request.session_url.clone()),
            ..policy::Seen::at(now_micros(), Trigger::Stalled, trace, sample())
        };
        let address = std::ptr::from_ref(site).addr();
        let key = (address, Trigger::Stalled, trace, open);
        if !self.burst.add(
            key,
            |signal| signal.seen.again(now_micros()),
            || Signal { site, seen },
        ) {
            self.overflow.add(1);
        }
    }

    fn run(&self, mut policy: Policy) {
        state::restore(&self.outbox, &mut policy, now_micros());
        loop {
            let until = policy.wake().map(instant);
            let look = self.outbox.left().map(|_| Instant::now() + LOOK);
            let taken = self.burst.take(until.into_iter().chain(look).min());
            state::adopt(&self.outbox, &mut policy, now_micros());
            for signal in &taken.items {
                self.consider(signal, &mut policy);
            }
            let ending = taken.closed || taken.flush.is_some();
            let now = now_micros();
            let due = if ending {
                policy.due_now(now)
            } else {
                policy.due(now)
            };
            self.send(due, taken.closed, &mut policy);
            if let Some(asked) = taken.flush {
                self.burst.answer(asked);
            }
            if taken.closed {
                return;
            }
        }
    }

    fn consider(&self, signal: &Signal, policy: &mut Policy) {
        for route in self.routes.of(signal.site, &signal.seen) {
            if route.channels.is_empty() {
                self.unrouted.add(signal.seen.count);
            } else {
                policy.see(
                    signal.site.event,
                    signal.site.function(),
                    &route,
                    &signal.seen,
                );
            }
        }
    }
}

/// Returns when the wall clock will show `at`, at least a moment from now: a policy that is
/// asked too early is asked again.
fn instant(at: u64) -> Instant {
    let wait = at.saturating_sub(now_micros()).max(5_000);
    Instant::now() + Duration::from_micros(wait)
}

/// The severities and rates of channels, by name.
type ByName<T> = HashMap<String, T>;

#[cfg(test)]
mod tests;
#[cfg(all(test, feature = "email", feature = "webhook"))]
mod tls_tests;
