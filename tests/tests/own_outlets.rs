//! A channel and a tracker that a program brings itself, whose own deliveries are observed calls
//! that fail. One observer a process, so one test.

use std::{
    io,
    sync::{Arc, Mutex},
    time::Duration,
};

use llm_observe::{
    Observer,
    alerts::{Answer, Channel, Delivery, Destination, Notice, Parcel},
    config::Config,
    observe,
    trackers::{Report, Tracker},
};
use llm_observe_tests::folder::Folder;

const LIMIT: Duration = Duration::from_secs(20);

#[observe(event = "embedding", alert_on_error)]
fn embed() -> io::Result<()> {
    Err(io::Error::other("no embedding"))
}

/// Observed as the rest of the program is, and as broken as what it tells of.
#[observe(event = "sms", alert_on_error)]
async fn send(texts: &Mutex<Vec<String>>, parcel: &Parcel) -> io::Result<()> {
    let text = String::from_utf8_lossy(&parcel.body).into_owned();
    texts.lock().expect("no panic").push(text);
    Err(io::Error::other("no network"))
}

#[derive(Clone, Default)]
struct Own(&'static str, Arc<Mutex<Vec<String>>>);

impl Destination for Own {
    fn name(&self) -> &str {
        self.0
    }

    fn deliver<'a>(&'a self, parcel: &'a Parcel) -> Answer<'a> {
        Box::pin(async {
            match send(&self.1, parcel).await {
                Ok(()) => Delivery::Delivered,
                Err(error) => Delivery::refused(error.to_string()),
            }
        })
    }
}

impl Channel for Own {
    fn encode(&self, notice: &Notice) -> Vec<u8> {
        notice.title().into_bytes()
    }
}

impl Tracker for Own {
    fn encode(&self, report: &Report) -> Vec<u8> {
        report.event.clone().into_bytes()
    }
}

#[test]
fn its_own_failures_are_lines_and_counts_and_nothing_that_would_be_sent_again() {
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
    let told = |own: &Own| own.1.lock().unwrap().clone();
    assert_eq!(told(&sms), ["embedding failing"]);
    assert_eq!(told(&bugs), ["embedding"]);
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
