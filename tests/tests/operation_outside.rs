//! An operation that the toolkit knows nothing of, a message from a queue, written in this file
//! alone: it shows in lines, span, metrics, report and alert. One observer a process, so one test.

use std::{
    borrow::Cow,
    sync::{Arc, Mutex},
    time::Duration,
};

use llm_observe::{
    AlertRule, ErrorClass, Observer, Outcome, SpanId, TraceId, TriggerSet,
    alerts::{Channel, Notice},
    config::Config,
    observe,
    operation::{
        Attribute, AttributeValue, Buckets, Instruments, Metric, Operation, OperationCall,
        OperationSite, SpanKind, SummaryWriter, Unit,
    },
    outbox::{Delivery, DeliveryFuture, Destination, Parcel},
    redact::{Redacted, Redactor},
    testing,
    trackers::{Report, Tracker},
};
use llm_observe_tests::{folder::Folder, spans::Spans};

// ---- the operation

/// One message that is processed, by the messaging conventions of OpenTelemetry.
#[derive(Debug)]
struct Message {
    queue: &'static str,
    id: String,
    body: String,
    /// How often it was delivered before.
    retries: u64,
    status: Option<&'static str>,
}

impl Operation for Message {
    fn attributes(&self, visit: &mut dyn FnMut(Attribute<'_>, AttributeValue<'_>)) {
        let queue = Attribute::new("messaging.destination.name");
        visit(queue, AttributeValue::text(self.queue));
        let id = Attribute::new("messaging.message.id").short("message");
        visit(id, AttributeValue::text(&self.id));
        let retries = Attribute::new("messaging.message.retries").short("retries");
        visit(retries, AttributeValue::U64(self.retries));
        let body = Attribute::new("messaging.message.body").local();
        visit(body, AttributeValue::text(&self.body));
        if let Some(status) = self.status {
            let name = Attribute::new("messaging.settlement").label();
            visit(name, AttributeValue::text(status));
        }
    }

    fn summary(&self, outcome: Outcome, line: &mut dyn SummaryWriter) -> bool {
        line.literal("process ");
        line.text(self.queue);
        line.literal(" ");
        line.literal(self.status.unwrap_or(outcome.as_str()));
        true
    }

    fn failure(&self) -> Option<(Outcome, llm_observe::ErrorInfo)> {
        let status = self.status.filter(|status| *status == "dead_letter")?;
        let error = llm_observe::ErrorInfo::new("settlement", status, ErrorClass::Internal);
        Some((Outcome::Error, error))
    }

    fn is_bare_status(&self, error: &llm_observe::ErrorInfo) -> bool {
        error.type_name == "settlement"
    }

    fn location(&self) -> Option<Cow<'_, str>> {
        Some(self.queue.into())
    }

    fn redact(&mut self, redactor: &Redactor) {
        self.body = redactor.redact(&self.body).into_owned();
    }

    fn snapshot(&self) -> Option<Arc<dyn std::any::Any + Send + Sync>> {
        Some(Arc::new(self.body.clone()))
    }
}

static DURATION: Metric = Metric::histogram(
    "messaging_process_duration_seconds",
    &["messaging_destination_name"],
    Buckets::Durations(&[0.5, 5.0]),
    "How long messages took to process.",
)
.unit(Unit::Seconds);
static ACTIVE: Metric = Metric::gauge(
    "messaging_active_messages",
    &["messaging_destination_name"],
    "Messages that are being processed.",
);
static METRICS: Instruments = Instruments {
    duration: &DURATION,
    active: Some(&ACTIVE),
};

fn site() -> &'static llm_observe::Site {
    static SITE: std::sync::OnceLock<llm_observe::Site> = std::sync::OnceLock::new();
    SITE.get_or_init(|| {
        let operation = OperationSite::new(SpanKind::Consumer, &METRICS)
            .with_label("messaging_destination_name", "orders");
        llm_observe::Site::for_operation("message", "process orders", module_path!(), operation)
            .fields(&["messaging.destination.name", "messaging.message.id"])
            .alerts(const { &[AlertRule::new(TriggerSet::FAILURE)] })
    })
}

fn message(id: &str) -> Message {
    Message {
        queue: "orders",
        id: id.to_owned(),
        body: "pay with password=hunter2hunter2".to_owned(),
        retries: 1,
        status: None,
    }
}

#[observe(event = "order")]
fn order(fails: bool) -> Result<(), std::io::Error> {
    match fails {
        true => Err(std::io::Error::other("no such article")),
        false => Ok(()),
    }
}

/// Processes one message as a consumer would.
fn process(id: &str, fails: bool) {
    let parent = (
        TraceId::from_hex("0af7651916cd43dd8448eb211c80319c").unwrap(),
        SpanId::default(),
    );
    let mut call = OperationCall::start_below(site(), message(id), parent);
    let done = call.in_scope(|| order(fails));
    if let Some(message) = call.operation::<Message>() {
        message.status = Some(if done.is_ok() { "ack" } else { "dead_letter" });
    }
    call.finish();
}

// ---- what it is seen by

/// Keeps what it is given, as a channel and as a tracker.
#[derive(Clone)]
struct Keeps(&'static str, Arc<Mutex<Vec<String>>>);

impl Destination for Keeps {
    fn name(&self) -> &str {
        self.0
    }

    fn deliver<'a>(&'a self, parcel: &'a Parcel) -> DeliveryFuture<'a> {
        self.1
            .lock()
            .unwrap()
            .push(String::from_utf8_lossy(parcel.body()).into_owned());
        Box::pin(async { Delivery::Delivered })
    }
}

impl Channel for Keeps {
    fn encode(&self, notice: &Redacted<Notice>) -> Redacted<Vec<u8>> {
        let text = |notice: &Notice| format!("{} {:?}", notice.title(), notice.functions);
        notice.as_ref().map(|notice| text(notice).into_bytes())
    }
}

impl Tracker for Keeps {
    fn encode(&self, report: &Redacted<Report>) -> Redacted<Vec<u8>> {
        report
            .as_ref()
            .map(|report| format!("{report:?}").into_bytes())
    }
}

#[test]
fn a_protocol_of_ones_own_shows_everywhere() {
    let folder = Folder::new();
    let spans = Spans::new(|metadata| metadata.is_span());
    tracing::subscriber::set_global_default(spans.clone()).unwrap();
    let text = format!(
        "[log]\ndir = {:?}\nconsole = \"never\"\n[loggers.json]\nfile = \"all.json\"\nformat = \"json\"\n\
         [server]\nlisten = \"off\"\n",
        folder.path()
    );
    let (ops, bugs) = (Keeps("ops", Arc::default()), Keeps("bugs", Arc::default()));
    let observer = Observer::builder()
        .config(Config::parse(&text, "test.toml".as_ref()).unwrap())
        .metrics([&DURATION, &ACTIVE])
        .channel(ops.clone())
        .tracker(bugs.clone())
        .install()
        .unwrap();
    process("m-1", false);
    process("m-2", true);
    assert!(observer.flush(Duration::from_secs(20)).is_complete());

    // lines
    let lines = folder.read("app.log");
    let good = lines
        .lines()
        .find(|line| line.contains("message=m-1"))
        .expect(&lines);
    assert!(good.contains(" - INFO - process orders ack in "), "{good}");
    assert!(
        good.contains("retries=1") && good.ends_with("trace_id=0af7651916cd43dd8448eb211c80319c")
    );
    let json = folder.read("all.json");
    let bad = json
        .lines()
        .find(|line| line.contains("\"m-2\""))
        .expect(&json);
    let bad: serde_json::Value = serde_json::from_str(bad).unwrap();
    assert_eq!(bad["outcome"], "error");
    assert_eq!(bad["function"], "process orders");
    assert_eq!(bad["fields"]["messaging.destination.name"], "orders");
    assert_eq!(bad["fields"]["messaging.message.retries"], 1);
    assert_eq!(
        bad["error"]["chain"][0], "no such article",
        "the call below is the cause"
    );
    assert!(!json.contains("hunter2"), "redacted: {json}");

    // span
    let all = spans.all();
    let (_, fields) = all
        .iter()
        .find(|(name, _)| name == "process orders")
        .unwrap();
    assert_eq!(fields["messaging.destination.name"], "orders");
    assert_eq!(fields["trace_id"], "0af7651916cd43dd8448eb211c80319c");

    // metrics
    let metrics = observer.metrics().unwrap();
    for line in [
        "messaging_process_duration_seconds_count{messaging_destination_name=\"orders\",\
         messaging_settlement=\"ack\"} 1",
        "messaging_process_duration_seconds_count{messaging_destination_name=\"orders\",\
         messaging_settlement=\"dead_letter\",error_type=\"internal\"} 1",
        "messaging_process_duration_seconds_bucket{messaging_destination_name=\"orders\",\
         messaging_settlement=\"ack\",le=\"0.5\"} 1",
        "# HELP messaging_active_messages Messages that are being processed.",
        "messaging_active_messages{messaging_destination_name=\"orders\"} 0",
    ] {
        assert!(metrics.contains(line), "no {line} in {metrics}");
    }
    assert!(
        !metrics.contains("llm_observe_calls_total{event=\"message\""),
        "{metrics}"
    );

    // report and alert: the failure began in the function, which has no rule
    let reports = bugs.1.lock().unwrap().clone();
    assert_eq!(reports.len(), 1, "{reports:?}");
    assert!(reports[0].contains("no such article"), "{reports:?}");
    assert_eq!(
        *ops.1.lock().unwrap(),
        ["process orders failing [\"process orders\"]"]
    );

    // one of its own is reported with its attributes, but for what stays here
    let mut call = OperationCall::start(site(), message("m-3"));
    call.in_scope(|| ());
    call.fail(&std::io::Error::other("the broker hung up"));
    assert!(observer.flush(Duration::from_secs(20)).is_complete());
    let report = bugs.1.lock().unwrap().last().unwrap().clone();
    assert!(
        report.contains("messaging.message.id") && report.contains("m-3"),
        "{report}"
    );
    assert!(!report.contains("messaging.message.body"), "{report}");
}

#[test]
fn a_test_observer_sees_it_too() {
    let observer = testing::observe();
    process("m-4", false);
    drop(OperationCall::start(site(), message("m-5")));
    let calls = observer.calls_of("message");
    assert_eq!(calls[0].outcome, Outcome::Ok);
    assert_eq!(
        calls[0]
            .attribute("messaging.settlement")
            .unwrap()
            .to_string(),
        "ack"
    );
    assert_eq!(
        calls[0].operation::<String>().unwrap(),
        "pay with password=[redacted]"
    );
    assert_eq!(
        calls[1].outcome,
        Outcome::Cancelled,
        "dropped before its end"
    );
    assert_eq!(calls[0].site.kind(), SpanKind::Consumer);
    let below = observer.calls_of("order");
    assert_eq!(below[0].parent_id, calls[0].span_id);
    assert_eq!(observer.alerts().len(), 0);
}
