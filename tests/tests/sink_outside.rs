//! A sink that a program brings itself: it gets every record, redacted, what is logged, and calls
//! that stall; one that panics harms nobody. One observer a process, so one test.

use std::{
    sync::{Arc, Mutex, mpsc},
    time::{Duration, Instant},
};

use llm_observe::{
    Observer, Outcome, Record,
    config::Config,
    observe,
    redact::Redacted,
    sink::{LogEvent, RunningCall, Sink},
};
use llm_observe_tests::folder::Folder;

#[derive(Clone, Default)]
struct Collects(Arc<Mutex<Vec<String>>>);

impl Collects {
    fn add(&self, text: String) {
        self.0.lock().unwrap().push(text);
    }

    fn all(&self) -> Vec<String> {
        self.0.lock().unwrap().clone()
    }
}

impl Sink for Collects {
    fn record(&self, record: &Redacted<Record<'_>>) {
        let error = record.error.map_or("", |error| error.message.as_str());
        let reported = record.is_reported();
        self.add(format!(
            "{} {} {error} {reported}",
            record.site.event, record.outcome
        ));
    }

    fn event(&self, event: &Redacted<LogEvent<'_>>) {
        self.add(format!(
            "{} {} {}",
            event.level,
            event.message,
            event.trace_id.is_none()
        ));
    }

    fn stalled(&self, call: &Redacted<RunningCall>) {
        self.add(format!("{} stalled", call.site.event));
    }

    fn unstalled(&self, call: &Redacted<RunningCall>) {
        self.add(format!("{} goes on", call.site.event));
    }
}

struct Panics;

impl Sink for Panics {
    fn record(&self, _: &Redacted<Record<'_>>) {
        panic!("a sink whose code is wrong");
    }

    fn event(&self, _: &Redacted<LogEvent<'_>>) {
        panic!("a sink whose code is wrong");
    }
}

#[observe(event = "query")]
fn query(fails: bool) -> Result<u8, std::io::Error> {
    tracing::info!("asks with api_key={}", "k".repeat(20));
    match fails {
        true => Err(std::io::Error::other("refused password=hunter2hunter2")),
        false => Ok(1),
    }
}

#[observe(event = "waits", stalled = "50ms")]
fn waits(until: &mpsc::Receiver<()>) {
    until.recv().unwrap();
}

#[test]
fn a_sink_of_the_programs_own_gets_everything_and_one_that_panics_harms_nobody() {
    let folder = Folder::new();
    let text = format!(
        "[log]\ndir = {:?}\nconsole = \"never\"\n[server]\nlisten = \"off\"\n",
        folder.path()
    );
    let sink = Collects::default();
    let observer = Observer::builder()
        .config(Config::parse(&text, "test.toml".as_ref()).unwrap())
        .sink(Panics)
        .sink(sink.clone())
        .install()
        .unwrap();
    query(false).unwrap();
    query(true).unwrap_err();
    tracing::warn!("outside of all calls");
    assert_eq!(
        sink.all(),
        [
            "INFO asks with api_key=[redacted] false",
            "query ok  false",
            "INFO asks with api_key=[redacted] false",
            "query error refused password=[redacted] true",
            "WARN outside of all calls true",
        ]
    );

    let (go, until) = mpsc::channel();
    let call = std::thread::spawn(move || waits(&until));
    let deadline = Instant::now() + Duration::from_secs(20);
    while !sink.all().contains(&"waits stalled".to_owned()) {
        assert!(
            Instant::now() < deadline,
            "it never stalls: {:?}",
            sink.all()
        );
        std::thread::sleep(Duration::from_millis(20));
    }
    go.send(()).unwrap();
    call.join().unwrap();
    let all = sink.all();
    assert!(all.contains(&"waits goes on".to_owned()), "{all:?}");
    assert!(
        all.contains(&format!("waits {}  false", Outcome::Ok)),
        "{all:?}"
    );
    assert!(observer.flush(Duration::from_secs(20)).is_complete());
    assert_eq!(
        folder.read("app.log").lines().count(),
        8,
        "{}",
        folder.read("app.log")
    );
}
