use std::{
    collections::HashMap,
    path::PathBuf,
    sync::{Arc, Mutex, OnceLock},
    time::Duration,
};

use llm_observe_config::{self as config, Config};

mod channels;
mod restarts;
#[cfg(all(feature = "email", feature = "webhook"))]
mod tls;

use super::{
    policy::{AlertTiming, IncidentPolicy},
    *,
};
use crate::{
    kernel::{
        alert_rule::{AlertRule, TriggerSet},
        error_info::ErrorInfo,
        ids::{SpanId, TraceId},
        outcome::{ErrorClass, Outcome},
        record::Record,
        sink::Sink,
        site::Site,
        stats::Stats,
        value::Fields,
    },
    observer::alerts_of,
    outbox::{self, Outbox, OutboxOptions, now_micros, origin::Origin, tests::Folder},
    redact::Redacted,
};

/// A channel that records its notices.
#[derive(Default)]
struct RecordingChannel {
    notices: Mutex<Vec<Notice>>,
    down: OnceLock<()>,
    delivered: Mutex<usize>,
}

impl Destination for RecordingChannel {
    fn name(&self) -> &str {
        "ops"
    }

    fn deliver<'a>(&'a self, _: &'a Parcel) -> DeliveryFuture<'a> {
        Box::pin(async {
            if self.down.get().is_some() {
                return Delivery::retry("down");
            }
            *self.delivered.lock().unwrap() += 1;
            Delivery::Delivered
        })
    }
}

impl Channel for RecordingChannel {
    fn encode(&self, notice: &Redacted<Notice>) -> Redacted<Vec<u8>> {
        self.notices.lock().unwrap().push((**notice).clone());
        notice.as_ref().map(|notice| notice.title().into_bytes())
    }
}

static ALERTING: Site = site("query", &[AlertRule::new(TriggerSet::FAILURE)]);
static SILENT: Site = site("query", &[]);
static CANCELLED: Site = site("query", &[AlertRule::new(TriggerSet::CANCELLED)]);
static ELSEWHERE: Site = site(
    "query",
    &[AlertRule::new(TriggerSet::ERROR).channel("nowhere")],
);

const fn site(event: &'static str, rules: &'static [AlertRule]) -> Site {
    Site::new(event, "query", "rag", "src/lib.rs", 1, || "rag::query").alerts(rules)
}

fn error(message: &str, class: ErrorClass) -> ErrorInfo {
    ErrorInfo::new("rag::QueryError", message.to_owned(), class)
}

fn record<'a>(
    site: &'static Site,
    outcome: Outcome,
    error: Option<&'a ErrorInfo>,
) -> Redacted<Record<'a>> {
    let class = error.map(|error| error.class);
    let alerts = alerts_of(site, None, outcome, class);
    Redacted::for_test(Record {
        ok_level: tracing::Level::INFO,
        sampled: true,
        site,
        outcome,
        time: now_micros(),
        duration: Duration::from_millis(3),
        trace_id: TraceId::random(),
        span_id: SpanId::random(),
        parent_id: SpanId::default(),
        trace_flags: 1,
        error,
        fields: const { &Fields::EMPTY },
        items: None,
        chunks: None,
        quality: None,
        low_score: None,
        slow: false,
        expected: false,
        passed_on: false,
        request: None,
        operation: None,
        alerts,
        reported: true,
    })
}

/// The record of a call under the event's table of a configuration.
fn under<'a>(
    config: &Config,
    site: &'static Site,
    outcome: Outcome,
    error: Option<&'a ErrorInfo>,
) -> Redacted<Record<'a>> {
    let event = config
        .events
        .as_ref()
        .and_then(|events| events.get(site.event));
    let class = error.map(|error| error.class);
    let alerts = alerts_of(site, event, outcome, class);
    record(site, outcome, error).map(|record| Record { alerts, ..record })
}

fn config(text: &str) -> Config {
    Config::parse(text, std::path::Path::new("llm-observe.toml")).unwrap()
}

fn start(config: &Config, dir: Option<PathBuf>) -> (AlertSink, Outbox, Arc<RecordingChannel>) {
    start_with(config, dir, Arc::default())
}

fn start_with(
    config: &Config,
    dir: Option<PathBuf>,
    kept: Arc<RecordingChannel>,
) -> (AlertSink, Outbox, Arc<RecordingChannel>) {
    if let Some(dir) = &dir {
        outbox::tests::wait_for_owner(dir);
    }
    let stats = Arc::<Stats>::default();
    let settings = OutboxOptions {
        dir,
        ..OutboxOptions::default()
    };
    let outbox = Outbox::open(settings, vec![kept.clone() as _], stats.clone()).unwrap();
    let origin = Origin {
        service: "rag".into(),
        ..Origin::default()
    };
    let options = AlertOptions { config, origin };
    let channels = vec![kept.clone() as Arc<dyn Channel>];
    let alerts =
        AlertSink::start(options, channels, outbox.clone(), Arc::default(), &stats).unwrap();
    (alerts, outbox, kept)
}

const LONG: Duration = Duration::from_secs(20);

#[test]
fn a_hundred_thousand_equal_errors_from_many_threads_are_one_message() {
    let (alerts, outbox, kept) = start(&Config::default(), None);
    std::thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| {
                let error = error("connection refused", ErrorClass::Connection);
                for _ in 0..25_000 {
                    alerts.record(&record(&ALERTING, Outcome::Error, Some(&error)));
                }
            });
        }
    });
    assert!(alerts.flush(LONG));
    assert_eq!(outbox.flush(LONG).delivered(), 1);
    let notices = kept.notices.lock().unwrap();
    let notice = &notices[0];
    assert_eq!(
        (notice.count, notice.errors.len(), notice.errors[0].count),
        (100_000, 1, 100_000)
    );
    assert_eq!(
        (
            notice.event.as_str(),
            notice.service.as_str(),
            notice.trace_id.len()
        ),
        ("query", "rag", 32)
    );
    assert_eq!(notice.functions, ["rag::query"]);
}

#[test]
fn many_different_errors_are_one_message_that_counts_them_all() {
    let (alerts, _outbox, kept) = start(&Config::default(), None);
    for n in 0..10_000 {
        let error = error(&format!("error {n}"), ErrorClass::Other);
        alerts.record(&record(&ALERTING, Outcome::Error, Some(&error)));
    }
    assert!(alerts.flush(LONG));
    let notices = kept.notices.lock().unwrap();
    assert_eq!(notices.len(), 1);
    assert_eq!(notices[0].errors.len(), 10);
    let lost = alerts.counters.overflow.get();
    assert_eq!(notices[0].count + lost, 10_000, "{lost} beyond the bound");
}

#[test]
fn only_calls_with_a_rule_alert() {
    let (alerts, _outbox, kept) = start(&Config::default(), None);
    let error = error("boom", ErrorClass::Internal);
    let failed = || record(&ALERTING, Outcome::Error, Some(&error));
    for silent in [
        record(&SILENT, Outcome::Error, Some(&error)),
        record(&ALERTING, Outcome::Ok, None),
        record(&ALERTING, Outcome::Cancelled, None),
        failed().map(|failed| Record {
            alerts: TriggerSet::EMPTY,
            ..failed
        }),
    ] {
        alerts.record(&silent);
    }
    assert!(alerts.flush(LONG));
    assert_eq!(kept.notices.lock().unwrap().len(), 0);
    for (n, loud) in [
        failed(),
        record(&ALERTING, Outcome::Panic, Some(&error)),
        record(&ALERTING, Outcome::Timeout, Some(&error)),
        record(&CANCELLED, Outcome::Cancelled, None),
    ]
    .into_iter()
    .enumerate()
    {
        alerts.record(&loud);
        assert!(alerts.flush(LONG));
        assert_eq!(kept.notices.lock().unwrap().len(), n + 1);
    }
}

#[test]
fn the_configuration_alerts_mutes_and_ignores_caller_faults() {
    let asked = config("[events.query]\nalert_on_error = true\nrunbook = \"https://wiki/q\"\n");
    let (alerts, _outbox, kept) = start(&asked, None);
    for class in [
        ErrorClass::BadRequest,
        ErrorClass::NotFound,
        ErrorClass::ContentPolicy,
    ] {
        alerts.record(&under(
            &asked,
            &SILENT,
            Outcome::Error,
            Some(&error("no such document", class)),
        ));
    }
    assert!(alerts.flush(LONG));
    assert_eq!(kept.notices.lock().unwrap().len(), 0);
    alerts.record(&under(
        &asked,
        &SILENT,
        Outcome::Error,
        Some(&error("boom", ErrorClass::Internal)),
    ));
    assert!(alerts.flush(LONG));
    assert_eq!(
        kept.notices.lock().unwrap()[0].runbook.as_deref(),
        Some("https://wiki/q")
    );
    assert_eq!(
        kept.notices.lock().unwrap()[0].severity,
        config::Severity::Error
    );

    // An attribute asks for this very function: it alerts, as a warning.
    let (alerts, _outbox, kept) = start(&Config::default(), None);
    alerts.record(&record(
        &ALERTING,
        Outcome::Error,
        Some(&error("bad", ErrorClass::BadRequest)),
    ));
    assert!(alerts.flush(LONG));
    assert_eq!(
        kept.notices.lock().unwrap()[0].severity,
        config::Severity::Warning
    );

    let muted = config("[events.query]\nalert_on_error = true\nmute = true\n");
    let (alerts, _outbox, kept) = start(&muted, None);
    alerts.record(&under(
        &muted,
        &ALERTING,
        Outcome::Panic,
        Some(&error("boom", ErrorClass::Internal)),
    ));
    assert!(alerts.flush(LONG));
    assert_eq!(kept.notices.lock().unwrap().len(), 0);
}

#[test]
fn an_alert_without_a_channel_is_counted() {
    let (alerts, _outbox, kept) = start(&Config::default(), None);
    alerts.record(&record(
        &ELSEWHERE,
        Outcome::Error,
        Some(&error("boom", ErrorClass::Internal)),
    ));
    assert!(alerts.flush(LONG));
    assert_eq!(kept.notices.lock().unwrap().len(), 0);
    assert_eq!(alerts.counters.unrouted.get(), 1);
}

#[test]
fn secrets_do_not_leave() {
    let (alerts, _outbox, kept) = start(&Config::default(), None);
    let leak = error(
        "bad key sk-proj-abcdefghijklmnopqrstuv123",
        ErrorClass::Authentication,
    );
    alerts.record(&record(&ALERTING, Outcome::Error, Some(&leak)));
    assert!(alerts.flush(LONG));
    assert_eq!(
        kept.notices.lock().unwrap()[0].errors[0].message,
        "bad key [redacted]"
    );
}

#[test]
fn a_stalled_call_alerts_while_it_hangs_and_resolves_when_it_ends() {
    static STALLS: Site = site("query", &[AlertRule::new(TriggerSet::STALLED)]);
    let (alerts, _outbox, kept) = start(&Config::default(), None);
    let trace = TraceId::random();
    let running = crate::kernel::sink::RunningCall {
        site: &STALLS,
        trace_id: trace,
        span_id: crate::kernel::ids::SpanId(1),
        trace_flags: 1,
        duration: Duration::from_secs(10),
        fields: Fields::EMPTY,
        request: None,
        alerts: true,
    };
    let running = Redacted::for_test(running);
    alerts.stalled(&running);
    assert!(alerts.flush(LONG));
    alerts.unstalled(&running);
    assert!(alerts.flush(LONG));
    let notices = kept.notices.lock().unwrap();
    let statuses: Vec<_> = notices.iter().map(|n| (n.status, n.trigger)).collect();
    assert_eq!(
        statuses,
        [
            (NoticeStatus::Firing, Trigger::Stalled),
            (NoticeStatus::Resolved, Trigger::Stalled)
        ]
    );
    assert_eq!(notices[0].errors[0].message, "still running after 10 s");
}
