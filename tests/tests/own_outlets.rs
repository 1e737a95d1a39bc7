//! A channel and a tracker of a program's own, whose deliveries are observed calls that fail. One observer a process, so one test.

use std::{
    io,
    sync::{Arc, Mutex},
    time::Duration,
};

use llm_observe::{
    Observer,
    alerts::{Channel, Notice},
    config::Config,
    observe,
    outbox::{Delivery, DeliveryFuture, Destination, Parcel},
    redact::Redacted,
    trackers::{Report, Tracker},
};
use llm_observe_tests::folder::Folder;

const LIMIT: Duration = Duration::from_secs(20);

#[observe(event = "embedding", alert_on_error)]
fn embed() -> io::Result<()> {
    Err(io::Error::other("no embedding"))
}

/// Observed as the rest of the program is; it fails, too.
#[observe(event = "sms", alert_on_error)]
async fn send(texts: &Mutex<Vec<String>>, parcel: &Parcel) -> io::Result<()> {
    let text = String::from_utf8_lossy(parcel.body()).into_owned();
    texts.lock().expect("no panic").push(text);
    Err(io::Error::other("no network"))
}

#[derive(Clone, Default)]
struct Own(&'static str, Arc<Mutex<Vec<String>>>);

impl Destination for Own {
    fn name(&self) -> &str {
        self.0
    }

    fn deliver<'a>(&'a self, parcel: &'a Parcel) -> DeliveryFuture<'a> {
        Box::pin(async {
            match send(&self.1, parcel).await {
                Ok(()) => Delivery::Delivered,
                Err(error) => Delivery::refused(error.to_string()),
            }
        })
    }
}

impl Channel for Own {
    fn encode(&self, notice: &Redacted<Notice>) -> Redacted<Vec<u8>> {
        notice.as_ref().map(|notice| notice.title().into_bytes())
    }
}

impl Tracker for Own {
    fn encode(&self, report: &Redacted<Report>) -> Redacted<Vec<u8>> {
        report
            .as_ref()
            .map(|report| report.event.clone().into_bytes())
    }
}

#[test]
fn failures_of_deliveries_are_logged_and_counted_and_never_sent() {
    let folder = Folder::new();
    let text = format!(
        "[log]\ndir = {:?}\nconsole = \"never\"\n[server]\nlisten = \"off\"\n",
        folder.path()
    );
    let config = Config::parse(&text, "test.toml".as_ref()).unwrap();
    let (sms, bugs) = (Own("sms", Arc::default()), Own("bugs", Arc::default()));
    let observer = Observer::builder()
        .config(config)
        .channel(sms.clone())
        .tracker(bugs.clone())
        .install()
        .unwrap();
    embed().unwrap_err();
    for _ in 0..3 {
        assert!(observer.flush(LIMIT).is_complete());
    }
    let received = |own: &Own| own.1.lock().unwrap().clone();
    assert_eq!(received(&sms), ["embedding failing"]);
    assert_eq!(received(&bugs), ["embedding"]);
    let metrics = observer.metrics().unwrap();
    llm_observe_tests::metrics::assert_documented(&metrics);
    for line in [
        "llm_observe_alerts_lost_total{reason=\"own\"} 2",
        "llm_observe_reports_lost_total{reason=\"own\"} 2",
        "llm_observe_deliveries_total{destination=\"sms\",result=\"refused\"} 1",
        "llm_observe_deliveries_total{destination=\"bugs\",result=\"refused\"} 1",
    ] {
        assert!(metrics.contains(line), "no {line} in {metrics}");
    }
    let log = folder.read("app.log");
    let lines = log.lines().filter(|line| line.contains("sms error"));
    assert_eq!(lines.count(), 2, "{log}");
}
