//! Processes that share a folder, in one process: each has a store and an account of its own.

use std::{
    fs,
    path::PathBuf,
    sync::{Arc, Mutex, PoisonError},
};

use llm_observe_config::Config;

use super::{Spending, shared::Shared, store::Store};
use crate::{
    genai::metrics,
    kernel::{
        ids::TraceId,
        record::Record,
        sink::{Sink, ThresholdReached},
    },
    metrics::Metrics,
    observer::Setup,
    redact::{Redacted, Redactor},
};

const DAY: u64 = 24 * 3_600 * 1_000_000;
/// Noon of a day.
const NOON: u64 = 20_000 * DAY + DAY / 2;
const BUDGET: &str = "[events.answer]\nbudget = { usd = 1.0, per = \"1d\" }\n";

struct Folder(PathBuf);

impl Folder {
    fn new() -> Folder {
        let name = format!("llm-observe-budgets-{:016x}", fastrand::u64(..));
        Folder(std::env::temp_dir().join(name))
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

#[derive(Default)]
struct Seen(Mutex<Vec<ThresholdReached>>);

impl Sink for Seen {
    fn record(&self, _: &Redacted<Record<'_>>) {}

    fn reached(&self, threshold: &Redacted<ThresholdReached>) {
        let mut seen = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        seen.push(ThresholdReached::clone(threshold));
    }
}

/// One process.
struct Process {
    shared: Shared,
    store: Option<Store>,
    seen: Arc<Seen>,
}

impl Process {
    fn start(folder: Option<&Folder>, now: u64) -> Process {
        Process::with(BUDGET, folder, now)
    }

    fn with(config: &str, folder: Option<&Folder>, now: u64) -> Process {
        let config = Config::parse(config, "x".as_ref()).unwrap();
        let stats = Arc::default();
        let metrics = Metrics::of_thread(&config, metrics::TABLE, Arc::clone(&stats));
        let seen = Arc::<Seen>::default();
        let sinks: Vec<Arc<dyn Sink>> = vec![seen.clone()];
        let shared = Shared::new(&Setup {
            config: &config,
            stats: &stats,
            metrics: &Arc::new(metrics),
            redactor: &Arc::new(Redactor::default()),
            sinks: &sinks,
            scoped: true,
        });
        let store = folder.map(|folder| {
            let (store, before) = Store::open(&folder.0, now).unwrap();
            shared.join(&before);
            store
        });
        Process {
            shared,
            store,
            seen,
        }
    }

    fn spend(&self, usd: f64, now: u64) {
        let spending = Spending {
            events: &["answer"],
            function: "rag::answer",
            trace_id: TraceId::default(),
            usd,
        };
        self.shared.spend(&spending, now);
        self.round(now);
    }

    fn round(&self, now: u64) {
        self.shared.round(now, self.store.as_ref());
    }

    fn spent(&self, now: u64) -> f64 {
        self.shared.budget("answer", now).unwrap().spent_usd()
    }

    fn alerts(&self) -> Vec<String> {
        let seen = self.seen.0.lock().unwrap();
        let text = |seen: &ThresholdReached| format!("{} {}", seen.severity.as_str(), seen.message);
        seen.iter().map(text).collect()
    }
}

#[test]
fn each_threshold_alerts_once_in_each_period() {
    let process = Process::start(None, NOON);
    for usd in [0.25, 0.25, 0.25, 0.05, 0.1, 0.1, 0.1] {
        process.spend(usd, NOON);
    }
    let used = |percent: &str, spent: &str, day: u32| {
        format!("{percent} % used, {spent} of $1.00 per 1d, until 2024-10-{day:02} 00:00 UTC")
    };
    let wanted = [
        format!("info {}", used("50", "$0.50", 5)),
        format!("warning {}", used("80", "$0.80", 5)),
        format!("critical {}", used("100", "$1.00", 5)),
    ];
    assert_eq!(process.alerts(), wanted);
    process.spend(0.85, NOON + DAY);
    assert_eq!(
        process.alerts()[3..],
        [format!("warning {}", used("80", "$0.85", 6))],
        "the highest alone"
    );
}

#[test]
fn processes_add_up_and_one_of_them_alerts() {
    let folder = Folder::new();
    let all: Vec<_> = (0..4)
        .map(|_| Process::start(Some(&folder), NOON))
        .collect();
    for process in &all {
        process.spend(0.2, NOON);
    }
    for process in &all {
        process.round(NOON);
        assert!((process.spent(NOON) - 0.8).abs() < 1e-9);
    }
    let alerts: Vec<_> = all.iter().flat_map(Process::alerts).collect();
    assert_eq!(alerts.len(), 2, "{alerts:?}");
    assert!(alerts[0].starts_with("info 50 %") && alerts[1].starts_with("warning 80 %"));
}

#[test]
fn a_restart_goes_on_and_dead_processes_count() {
    let folder = Folder::new();
    let (first, second) = (
        Process::start(Some(&folder), NOON),
        Process::start(Some(&folder), NOON),
    );
    first.spend(0.3, NOON);
    second.spend(0.3, NOON);
    assert_eq!(second.alerts().len(), 1);
    drop((first, second));
    let restarted = Process::start(Some(&folder), NOON);
    restarted.round(NOON);
    assert!((restarted.spent(NOON) - 0.6).abs() < 1e-9);
    restarted.spend(0.1, NOON);
    assert_eq!(restarted.alerts(), [""; 0], "alerted before");
    restarted.spend(0.1, NOON);
    assert_eq!(restarted.alerts().len(), 1);
}

#[test]
fn files_of_other_days_are_removed() {
    let folder = Folder::new();
    let all: Vec<_> = (0..3)
        .map(|_| Process::start(Some(&folder), NOON))
        .collect();
    for process in &all {
        process.spend(0.1, NOON);
    }
    drop(all);
    let files = || {
        let files = fs::read_dir(folder.0.join("budgets")).unwrap().flatten();
        let names = files.map(|file| file.file_name().into_string().unwrap());
        names.filter(|name| name.ends_with(".spent")).count()
    };
    assert_eq!(files(), 3);
    let later = Process::start(Some(&folder), NOON + 3 * DAY);
    later.round(NOON + 3 * DAY);
    assert_eq!((later.spent(NOON + 3 * DAY), files()), (0.0, 1));
}

#[test]
fn hostile_files_break_nothing() {
    let folder = Folder::new();
    let budgets = folder.0.join("budgets");
    fs::create_dir_all(budgets.join("1.spent")).unwrap();
    fs::create_dir_all(budgets.join("2.lock")).unwrap();
    for (name, text) in [
        ("0.spent", &b"llm-observe budgets 1 00000000\n1 2 3"[..]),
        ("3.spent", b"\xff\xfe\0"),
        ("4.spent", b""),
        ("0.new", b"torn"),
        ("alerts.json", b"{}"),
    ] {
        fs::write(budgets.join(name), text).unwrap();
    }
    #[cfg(unix)]
    std::os::unix::fs::symlink("/dev/zero", budgets.join("5.spent")).unwrap();
    let all: Vec<_> = (0..3)
        .map(|_| Process::start(Some(&folder), NOON))
        .collect();
    for process in &all {
        process.spend(0.2, NOON);
        process.round(NOON);
    }
    assert!(all[0].spent(NOON) >= 0.2);
    assert!(all[0].alerts().len() <= 1);
}

#[test]
fn clocks_that_jump_neither_alert_twice_nor_forget() {
    let folder = Folder::new();
    let process = Process::start(Some(&folder), NOON);
    process.spend(0.6, NOON);
    for now in [NOON + 400 * DAY, NOON - 9 * DAY, 0, u64::MAX, NOON] {
        process.round(now);
    }
    assert_eq!((process.spent(NOON), process.alerts().len()), (0.6, 1));
    process.spend(0.1, NOON - DAY);
    process.spend(0.1, NOON);
    assert!((process.spent(NOON) - 0.7).abs() < 1e-9);
    assert_eq!(process.alerts().len(), 1);
}

#[test]
fn a_muted_event_does_not_alert() {
    let config = format!("{BUDGET}mute = true\n");
    let process = Process::with(&config, None, NOON);
    process.spend(5.0, NOON);
    assert_eq!(process.alerts(), [""; 0]);
}

#[test]
fn a_process_that_has_spent_nothing_leaves_alerts_to_the_others() {
    let folder = Folder::new();
    let (spends, idle) = (
        Process::start(Some(&folder), NOON),
        Process::start(Some(&folder), NOON),
    );
    spends.shared.spend(
        &Spending {
            events: &["answer"],
            function: "rag::answer",
            trace_id: TraceId::default(),
            usd: 0.5,
        },
        NOON,
    );
    idle.round(NOON);
    spends.round(NOON);
    idle.round(NOON);
    assert_eq!((idle.alerts().len(), spends.alerts().len()), (0, 1));
}
