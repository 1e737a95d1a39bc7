use std::{
    collections::VecDeque,
    fs,
    path::{Path, PathBuf},
    sync::{Arc, Mutex},
    time::{Duration, Instant},
};

use llm_observe_config::Severity;

use super::*;
use crate::{kernel::stats::Stats, redact::Redacted};

mod bad_destinations;
#[cfg(unix)]
mod foreign_files;
mod model;
mod processes;
mod queue;
mod shown;

/// A folder of a test's own, removed at its end.
pub(crate) struct Folder(PathBuf);

impl Folder {
    pub(crate) fn new() -> Folder {
        let name = format!(
            "llm-observe-outbox-{}-{:016x}",
            std::process::id(),
            fastrand::u64(..)
        );
        Folder(std::env::temp_dir().join(name))
    }

    pub(crate) fn path(&self) -> PathBuf {
        self.0.clone()
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

pub(crate) use llm_observe_test_support::peers::skipped;

/// A destination that returns scripted results and records what it accepted.
pub(crate) struct ScriptedDestination {
    name: &'static str,
    script: Mutex<VecDeque<Delivery>>,
    usual: Mutex<Delivery>,
    pub(crate) accepted: Mutex<Vec<Vec<u8>>>,
    attempts: Mutex<Vec<Instant>>,
}

impl ScriptedDestination {
    pub(crate) fn new(name: &'static str, usual: Delivery) -> Arc<ScriptedDestination> {
        Arc::new(ScriptedDestination {
            name,
            script: Mutex::default(),
            usual: Mutex::new(usual),
            accepted: Mutex::default(),
            attempts: Mutex::default(),
        })
    }

    fn taking(name: &'static str) -> Arc<ScriptedDestination> {
        ScriptedDestination::new(name, Delivery::Delivered)
    }

    fn down(name: &'static str) -> Arc<ScriptedDestination> {
        ScriptedDestination::new(name, Delivery::retry("down"))
    }

    fn first(
        self: Arc<ScriptedDestination>,
        script: impl IntoIterator<Item = Delivery>,
    ) -> Arc<ScriptedDestination> {
        self.script.lock().unwrap().extend(script);
        self
    }

    fn texts(&self) -> Vec<String> {
        self.accepted
            .lock()
            .unwrap()
            .iter()
            .map(|b| String::from_utf8(b.clone()).unwrap())
            .collect()
    }
}

impl Destination for ScriptedDestination {
    fn name(&self) -> &str {
        self.name
    }

    fn deliver<'a>(&'a self, parcel: &'a Parcel) -> DeliveryFuture<'a> {
        Box::pin(async move {
            self.attempts.lock().unwrap().push(Instant::now());
            let scripted = self.script.lock().unwrap().pop_front();
            let how = scripted.unwrap_or_else(|| self.usual.lock().unwrap().clone());
            if how == Delivery::Delivered {
                self.accepted.lock().unwrap().push(parcel.body().to_vec());
            }
            how
        })
    }
}

fn options(dir: Option<PathBuf>) -> OutboxOptions {
    OutboxOptions {
        dir,
        attempt_timeout: Duration::from_secs(2),
        backoff: Duration::from_millis(5),
        backoff_max: Duration::from_millis(50),
        ..OutboxOptions::default()
    }
}

/// Waits a moment for the folder's owner to be gone: between fork and exec, a process that another
/// test starts holds every lock of this one.
pub(crate) fn wait_for_owner(folder: &Path) {
    for _ in 0..50 {
        let lock = fs::File::open(folder.join("0/owner.lock"));
        if lock.is_err() || lock.is_ok_and(|lock| lock.try_lock().is_ok()) {
            return;
        }
        std::thread::sleep(Duration::from_millis(2));
    }
}

fn open(folder: &Folder, to: &Arc<ScriptedDestination>, stats: &Arc<Stats>) -> Outbox {
    wait_for_owner(&folder.path());
    let to = vec![to.clone() as Arc<dyn Destination>];
    Outbox::open(options(Some(folder.path())), to, stats.clone()).unwrap()
}

fn count(stats: &Stats, destination: &str, result: &str) -> u64 {
    let labels = [("destination", destination), ("result", result)];
    stats
        .counter(crate::kernel::metrics_table::DELIVERIES, &labels)
        .get()
}

fn parcel(to: &str, body: &str) -> Parcel {
    Parcel::new(to, Redacted::for_test(body.as_bytes().to_vec()))
}

fn files(folder: &Path) -> Vec<PathBuf> {
    let mut found: Vec<_> = (0..4)
        .filter_map(|slot| fs::read_dir(folder.join(slot.to_string())).ok())
        .flat_map(|enattempts| enattempts.map(|e| e.unwrap().path()))
        .filter(|path| path.extension().is_some_and(|e| e == "parcel"))
        .collect();
    found.sort();
    found
}

const LONG: Duration = Duration::from_secs(20);

#[test]
fn a_delivered_parcel_is_removed_from_disk() {
    let (folder, stats, destination) = (
        Folder::new(),
        Arc::default(),
        ScriptedDestination::taking("a"),
    );
    let outbox = open(&folder, &destination, &stats);
    (0..50).for_each(|n| outbox.put(parcel("a", &format!("{n}"))));
    let report = outbox.flush(LONG);
    assert_eq!((report.delivered(), report.kept()), (50, 0));
    assert_eq!(
        destination.texts(),
        (0..50).map(|n| n.to_string()).collect::<Vec<_>>(),
        "oldest first"
    );
    assert!(files(&folder.path()).is_empty());
    assert_eq!(
        stats
            .gauge(
                crate::kernel::metrics_table::OUTBOX_PENDING,
                &[("destination", "a")]
            )
            .get(),
        0
    );
}

#[test]
fn a_failure_is_retried_and_a_refusal_is_not() {
    let (folder, stats) = (Folder::new(), Arc::default());
    let destination = ScriptedDestination::taking("a").first([
        Delivery::retry("down"),
        Delivery::retry("down"),
        Delivery::Delivered,
        Delivery::refused("no such channel"),
    ]);
    let outbox = open(&folder, &destination, &stats);
    outbox.put(parcel("a", "1"));
    outbox.flush(LONG);
    outbox.put(parcel("a", "2"));
    outbox.put(parcel("a", "3"));
    outbox.flush(LONG);
    assert_eq!(destination.texts(), ["1", "3"]);
    assert_eq!(
        (
            count(&stats, "a", "retried"),
            count(&stats, "a", "refused"),
            count(&stats, "a", "delivered")
        ),
        (2, 1, 2)
    );
}

#[test]
fn a_requested_wait_is_respected_and_a_flush_does_not_wait_for_it() {
    let (folder, stats) = (Folder::new(), Arc::default());
    let after = Some(Duration::from_millis(300));
    let destination = ScriptedDestination::taking("a").first([Delivery::Retry {
        after,
        reason: "429".into(),
    }]);
    let outbox = open(&folder, &destination, &stats);
    outbox.put(parcel("a", "1"));
    outbox.flush(LONG);
    let attempts = destination.attempts.lock().unwrap().clone();
    assert!(
        attempts[1] - attempts[0] >= Duration::from_millis(299),
        "{:?}",
        attempts[1] - attempts[0]
    );

    let hour = Some(Duration::from_secs(3600));
    destination
        .script
        .lock()
        .unwrap()
        .push_back(Delivery::Retry {
            after: hour,
            reason: "429".into(),
        });
    outbox.put(parcel("a", "2"));
    let start = Instant::now();
    let report = outbox.flush(Duration::from_secs(30));
    assert_eq!(report.kept(), 1);
    assert!(
        start.elapsed() < Duration::from_secs(10),
        "a flush does not wait in vain"
    );
}

#[test]
fn the_next_process_delivers_what_is_left_once() {
    let (folder, stats) = (Folder::new(), Arc::default());
    let outbox = open(&folder, &ScriptedDestination::down("a"), &stats);
    (0..20).for_each(|n| outbox.put(parcel("a", &format!("{n}"))));
    assert_eq!(outbox.flush(Duration::from_millis(50)).kept(), 20);
    drop(outbox);
    assert_eq!(files(&folder.path()).len(), 20);
    for wanted in [20, 0] {
        let destination = ScriptedDestination::taking("a");
        let outbox = open(&folder, &destination, &stats);
        outbox.flush(LONG);
        assert_eq!(destination.texts().len(), wanted);
    }
}

#[test]
fn a_folder_has_one_owner_at_a_time() {
    let (folder, stats) = (Folder::new(), Arc::default());
    let first = open(&folder, &ScriptedDestination::down("a"), &stats);
    first.put(parcel("a", "first"));
    let destination = ScriptedDestination::taking("a");
    let second = open(&folder, &destination, &stats);
    second.put(parcel("a", "second"));
    second.flush(LONG);
    assert_eq!(
        destination.texts(),
        ["second"],
        "what another process holds is not touched"
    );
    drop((first, second));
    let destination = ScriptedDestination::taking("a");
    open(&folder, &destination, &stats).flush(LONG);
    assert_eq!(destination.texts(), ["first"]);
}

#[test]
fn a_full_outbox_drops_the_least_severe_and_oldest_and_counts_them() {
    let stats = Arc::default();
    let destination = ScriptedDestination::down("a");
    let options = OutboxOptions {
        max_bytes: 5_000,
        ..options(None)
    };
    let outbox = Outbox::open(
        options,
        vec![destination.clone() as Arc<dyn Destination>],
        Arc::clone(&stats),
    )
    .unwrap();
    let body = "x".repeat(900);
    outbox.put(parcel("a", &format!("critical{body}")).severity(Severity::Critical));
    for n in 0..20 {
        outbox.put(parcel("a", &format!("{n}{body}")));
    }
    let kept = outbox.flush(Duration::from_millis(10)).kept();
    assert_eq!(kept + count(&stats, "a", "dropped"), 21);
    *destination.usual.lock().unwrap() = Delivery::Delivered;
    outbox.flush(LONG);
    let accepted = destination.texts();
    assert!(
        accepted.iter().any(|text| text.starts_with("critical")),
        "the most severe stays"
    );
    assert!(
        accepted.iter().any(|text| text.starts_with("19")),
        "the newest stays"
    );
    assert!(
        !accepted.iter().any(|text| text.starts_with("0x")),
        "the oldest goes"
    );
}

#[test]
fn two_destinations_cannot_share_a_name() {
    let to: Vec<Arc<dyn Destination>> = vec![
        ScriptedDestination::taking("a"),
        ScriptedDestination::taking("a"),
    ];
    let error = Outbox::open(options(None), to, Arc::default()).unwrap_err();
    assert!(
        error
            .to_string()
            .starts_with("two destinations are named `a`")
    );
}

#[test]
fn without_a_usable_folder_parcels_stay_in_memory() {
    let folder = Folder::new();
    fs::write(folder.path(), "a file is in the way").unwrap();
    let (stats, destination) = (Arc::default(), ScriptedDestination::taking("a"));
    let outbox = open(&folder, &destination, &stats);
    outbox.put(parcel("a", "1"));
    assert_eq!(outbox.flush(LONG).delivered(), 1);
    drop(outbox);
    fs::remove_file(folder.path()).unwrap();
}

#[test]
fn torn_and_corrupt_files_are_skipped_and_counted() {
    let (folder, stats) = (Folder::new(), Arc::default());
    let outbox = open(&folder, &ScriptedDestination::down("a"), &stats);
    (0..10).for_each(|n| outbox.put(parcel("a", &format!("parcel {n}"))));
    drop(outbox);
    let found = files(&folder.path());
    let change = |n: usize, f: &dyn Fn(&mut Vec<u8>)| {
        let mut bytes = fs::read(&found[n]).unwrap();
        f(&mut bytes);
        fs::write(&found[n], bytes).unwrap();
    };
    change(0, &|bytes| bytes.truncate(bytes.len() - 1));
    change(1, &|bytes| bytes.clear());
    change(2, &|bytes| *bytes.last_mut().unwrap() ^= 1);
    change(3, &|bytes| bytes[13] = 0xff);
    change(4, &|bytes| bytes.push(0));
    fs::write(found[0].with_extension("part"), "torn").unwrap();
    let destination = ScriptedDestination::taking("a");
    open(&folder, &destination, &stats).flush(LONG);
    assert_eq!(destination.texts().len(), 5);
    assert_eq!(count(&stats, "unknown", "corrupt"), 6);
}
