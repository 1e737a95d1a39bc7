use std::{
    collections::VecDeque,
    fs,
    path::Path,
    process::{Command, Stdio},
    sync::Mutex,
    time::Instant,
};

use llm_observe_config::Severity;
use proptest::prelude::*;

use super::{
    queue::{DOWN_AFTER, Entry, Limits, Next, Queue, Turn},
    store::{Place, Store},
    *,
};

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

/// A destination that answers as told and remembers what it took.
pub(crate) struct Told {
    name: &'static str,
    script: Mutex<VecDeque<Delivery>>,
    usual: Mutex<Delivery>,
    pub(crate) took: Mutex<Vec<Vec<u8>>>,
    tries: Mutex<Vec<Instant>>,
}

impl Told {
    pub(crate) fn new(name: &'static str, usual: Delivery) -> Arc<Told> {
        Arc::new(Told {
            name,
            script: Mutex::default(),
            usual: Mutex::new(usual),
            took: Mutex::default(),
            tries: Mutex::default(),
        })
    }

    fn taking(name: &'static str) -> Arc<Told> {
        Told::new(name, Delivery::Delivered)
    }

    fn down(name: &'static str) -> Arc<Told> {
        Told::new(name, Delivery::retry("down"))
    }

    fn first(self: Arc<Told>, script: impl IntoIterator<Item = Delivery>) -> Arc<Told> {
        self.script.lock().unwrap().extend(script);
        self
    }

    fn texts(&self) -> Vec<String> {
        self.took
            .lock()
            .unwrap()
            .iter()
            .map(|b| String::from_utf8(b.clone()).unwrap())
            .collect()
    }
}

impl Destination for Told {
    fn name(&self) -> &str {
        self.name
    }

    fn deliver<'a>(&'a self, parcel: &'a Parcel) -> Answer<'a> {
        Box::pin(async move {
            self.tries.lock().unwrap().push(Instant::now());
            let scripted = self.script.lock().unwrap().pop_front();
            let how = scripted.unwrap_or_else(|| self.usual.lock().unwrap().clone());
            if how == Delivery::Delivered {
                self.took.lock().unwrap().push(parcel.body.clone());
            }
            how
        })
    }
}

fn settings(dir: Option<PathBuf>) -> Settings {
    Settings {
        dir,
        attempt: Duration::from_secs(2),
        backoff: Duration::from_millis(5),
        backoff_max: Duration::from_millis(50),
        ..Settings::default()
    }
}

fn open(folder: &Folder, to: &Arc<Told>, stats: &Arc<Stats>) -> Outbox {
    let to = vec![to.clone() as Arc<dyn Destination>];
    Outbox::open(settings(Some(folder.path())), to, stats.clone()).unwrap()
}

fn count(stats: &Stats, destination: &str, result: &str) -> u64 {
    let labels = [("destination", destination), ("result", result)];
    stats.counter("llm_observe_deliveries_total", &labels).get()
}

fn parcel(to: &str, body: &str) -> Parcel {
    Parcel::new(to, body.as_bytes().to_vec())
}

fn files(folder: &Path) -> Vec<PathBuf> {
    let mut found: Vec<_> = (0..4)
        .filter_map(|slot| fs::read_dir(folder.join(slot.to_string())).ok())
        .flat_map(|entries| entries.map(|e| e.unwrap().path()))
        .filter(|path| path.extension().is_some_and(|e| e == "parcel"))
        .collect();
    found.sort();
    found
}

const LONG: Duration = Duration::from_secs(20);

#[test]
fn what_is_delivered_is_gone_from_the_disk() {
    let (folder, stats, told) = (Folder::new(), Arc::default(), Told::taking("a"));
    let outbox = open(&folder, &told, &stats);
    (0..50).for_each(|n| outbox.put(parcel("a", &format!("{n}"))));
    let report = outbox.flush(LONG);
    assert_eq!((report.delivered(), report.kept()), (50, 0));
    assert_eq!(
        told.texts(),
        (0..50).map(|n| n.to_string()).collect::<Vec<_>>(),
        "oldest first"
    );
    assert!(files(&folder.path()).is_empty());
    assert_eq!(
        stats
            .gauge("llm_observe_outbox_pending", &[("destination", "a")])
            .get(),
        0
    );
}

#[test]
fn a_failure_is_tried_again_and_a_refusal_is_not() {
    let (folder, stats) = (Folder::new(), Arc::default());
    let told = Told::taking("a").first([
        Delivery::retry("down"),
        Delivery::retry("down"),
        Delivery::Delivered,
        Delivery::refused("no such channel"),
    ]);
    let outbox = open(&folder, &told, &stats);
    outbox.put(parcel("a", "1"));
    outbox.flush(LONG);
    outbox.put(parcel("a", "2"));
    outbox.put(parcel("a", "3"));
    outbox.flush(LONG);
    assert_eq!(told.texts(), ["1", "3"]);
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
fn the_wait_that_a_destination_asks_for_is_kept_and_not_waited_for_at_the_end() {
    let (folder, stats) = (Folder::new(), Arc::default());
    let after = Some(Duration::from_millis(300));
    let told = Told::taking("a").first([Delivery::Retry {
        after,
        reason: "429".into(),
    }]);
    let outbox = open(&folder, &told, &stats);
    outbox.put(parcel("a", "1"));
    outbox.flush(LONG);
    let tries = told.tries.lock().unwrap().clone();
    assert!(
        tries[1] - tries[0] >= Duration::from_millis(299),
        "{:?}",
        tries[1] - tries[0]
    );

    let hour = Some(Duration::from_secs(3600));
    told.script.lock().unwrap().push_back(Delivery::Retry {
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
fn the_next_process_takes_up_what_is_left_and_delivers_it_once() {
    let (folder, stats) = (Folder::new(), Arc::default());
    let outbox = open(&folder, &Told::down("a"), &stats);
    (0..20).for_each(|n| outbox.put(parcel("a", &format!("{n}"))));
    assert_eq!(outbox.flush(Duration::from_millis(50)).kept(), 20);
    drop(outbox);
    assert_eq!(files(&folder.path()).len(), 20);
    for wanted in [20, 0] {
        let told = Told::taking("a");
        let outbox = open(&folder, &told, &stats);
        outbox.flush(LONG);
        assert_eq!(told.texts().len(), wanted);
    }
}

#[test]
fn a_folder_has_one_owner_at_a_time() {
    let (folder, stats) = (Folder::new(), Arc::default());
    let first = open(&folder, &Told::down("a"), &stats);
    first.put(parcel("a", "first"));
    let told = Told::taking("a");
    let second = open(&folder, &told, &stats);
    second.put(parcel("a", "second"));
    second.flush(LONG);
    assert_eq!(
        told.texts(),
        ["second"],
        "what another process holds is not touched"
    );
    drop((first, second));
    let told = Told::taking("a");
    open(&folder, &told, &stats).flush(LONG);
    assert_eq!(told.texts(), ["first"]);
}

#[test]
fn a_full_outbox_gives_up_the_least_severe_and_oldest_and_counts_them() {
    let stats = Arc::default();
    let told = Told::down("a");
    let settings = Settings {
        max_bytes: 5_000,
        ..settings(None)
    };
    let outbox = Outbox::open(
        settings,
        vec![told.clone() as Arc<dyn Destination>],
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
    *told.usual.lock().unwrap() = Delivery::Delivered;
    outbox.flush(LONG);
    let took = told.texts();
    assert!(
        took.iter().any(|text| text.starts_with("critical")),
        "the most severe stays"
    );
    assert!(
        took.iter().any(|text| text.starts_with("19")),
        "the newest stays"
    );
    assert!(
        !took.iter().any(|text| text.starts_with("0x")),
        "the oldest goes"
    );
}

/// A destination that never answers, or panics.
struct Bad(&'static str);

impl Destination for Bad {
    fn name(&self) -> &str {
        self.0
    }

    fn deliver<'a>(&'a self, _: &'a Parcel) -> Answer<'a> {
        assert_ne!(self.0, "panics", "this destination panics");
        Box::pin(std::future::pending())
    }
}

#[test]
fn one_bad_destination_delays_no_other() {
    let (stats, told) = (Arc::<Stats>::default(), Told::taking("good"));
    let to: Vec<Arc<dyn Destination>> = vec![
        Arc::new(Bad("stalls")),
        Arc::new(Bad("panics")),
        told.clone(),
    ];
    let settings = Settings {
        attempt: Duration::from_millis(100),
        ..settings(None)
    };
    let outbox = Outbox::open(settings, to, stats.clone()).unwrap();
    for name in ["stalls", "panics", "good"] {
        (0..10).for_each(|n| outbox.put(parcel(name, &format!("{n}"))));
    }
    let report = outbox.flush(Duration::from_secs(1));
    assert_eq!(told.texts().len(), 10);
    assert_eq!(report.destinations[0].kept, 10);
    assert_eq!(count(&stats, "panics", "refused"), 10);
    drop(outbox);
    assert_eq!(
        count(&stats, "stalls", "dropped"),
        10,
        "what was in memory only is counted"
    );
}

#[test]
fn two_destinations_cannot_have_one_name() {
    let to: Vec<Arc<dyn Destination>> = vec![Told::taking("a"), Told::taking("a")];
    let error = Outbox::open(settings(None), to, Arc::default()).unwrap_err();
    assert!(
        error
            .to_string()
            .starts_with("two destinations are named `a`")
    );
}

#[test]
fn a_folder_that_cannot_be_used_is_done_without() {
    let folder = Folder::new();
    fs::write(folder.path(), "a file is in the way").unwrap();
    let (stats, told) = (Arc::default(), Told::taking("a"));
    let outbox = open(&folder, &told, &stats);
    outbox.put(parcel("a", "1"));
    assert_eq!(outbox.flush(LONG).delivered(), 1);
    drop(outbox);
    fs::remove_file(folder.path()).unwrap();
}

#[test]
fn torn_and_corrupt_files_are_skipped_and_counted() {
    let (folder, stats) = (Folder::new(), Arc::default());
    let outbox = open(&folder, &Told::down("a"), &stats);
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
    let told = Told::taking("a");
    open(&folder, &told, &stats).flush(LONG);
    assert_eq!(told.texts().len(), 5);
    assert_eq!(count(&stats, "unknown", "corrupt"), 6);
}

/// Runs in a process of its own, which [`killed_with_work_left`] kills.
#[test]
fn child_that_is_killed() {
    let Ok(dir) = std::env::var("LLM_OBSERVE_TEST_OUTBOX") else {
        return;
    };
    let to: Vec<Arc<dyn Destination>> = vec![Told::down("a")];
    let outbox = Outbox::open(settings(Some(dir.into())), to, Arc::default()).unwrap();
    (0..5).for_each(|n| outbox.put(parcel("a", &format!("{n}")).key(format!("alert {n}"))));
    println!("put");
    std::thread::sleep(Duration::from_secs(60));
}

#[test]
fn killed_with_work_left_the_next_delivers_it_once() {
    use std::io::{BufRead, BufReader};

    let folder = Folder::new();
    let mut child = Command::new(std::env::current_exe().unwrap())
        .args([
            "--exact",
            "outbox::tests::child_that_is_killed",
            "--nocapture",
        ])
        .env("LLM_OBSERVE_TEST_OUTBOX", folder.path())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
    assert!(lines.any(|line| line.unwrap().ends_with("put")));
    child.kill().unwrap();
    child.wait().unwrap();
    for wanted in [5, 0] {
        let told = Told::taking("a");
        open(&folder, &told, &Arc::default()).flush(LONG);
        assert_eq!(told.texts().len(), wanted);
    }
}

// The queue over a manual clock.

fn limits() -> Limits {
    Limits {
        max_bytes: 10_000,
        max_age: Duration::from_secs(24 * 3600),
        backoff: Duration::from_secs(1),
        backoff_max: Duration::from_secs(300),
    }
}

const SECOND: u64 = 1_000_000;

fn entry(created: u64, key: &str, name: &'static str) -> Entry<&'static str> {
    let parcel = Parcel {
        created,
        ..parcel("a", "")
    }
    .key(key);
    Entry::new(&parcel, 10, name)
}

#[test]
fn after_an_hour_without_network_the_newest_alerts_come_first_each_in_order() {
    let mut queue = Queue::new(limits());
    queue.push(entry(SECOND, "old", "old fires"));
    queue.push(entry(2 * SECOND, "", "a report"));
    queue.push(entry(3 * SECOND, "new", "new fires"));
    queue.push(entry(1800 * SECOND, "old", "old resolves"));
    queue.push(entry(3500 * SECOND, "newest", "newest fires"));
    let mut now = SECOND;
    let mut tries = 0;
    while now < 3600 * SECOND {
        match queue.next("a", now) {
            Next::Deliver(id) => {
                tries += 1;
                queue.settle(id, &Delivery::retry("no network"), now);
            }
            Next::Wait(until) => now = until,
            Next::Idle => unreachable!("there is work"),
        }
    }
    assert!((12..60).contains(&tries), "{tries} tries in an hour");
    now += 300 * SECOND;
    let mut order = Vec::new();
    while let Next::Deliver(id) = queue.next("a", now) {
        order.push(queue.settle(id, &Delivery::Delivered, now).0.unwrap().place);
    }
    assert_eq!(
        order,
        [
            "newest fires",
            "old fires",
            "old resolves",
            "new fires",
            "a report"
        ]
    );
    assert_eq!((queue.pending("a"), queue.bytes()), (0, 0));
}

#[test]
fn a_limit_of_one_category_does_not_hold_another_and_the_longer_limit_holds() {
    let mut queue = Queue::new(limits());
    for category in ["error", "session"] {
        let parcel = parcel("a", "").category(category);
        queue.push(Entry::new(&parcel, 10, category));
    }
    let limited = |seconds| Delivery::Retry {
        after: Some(Duration::from_secs(seconds)),
        reason: String::new(),
    };
    let Next::Deliver(first) = queue.next("a", 0) else {
        panic!()
    };
    assert_eq!(queue.get(first).unwrap().place, "error");
    queue.settle(first, &limited(100), 0);
    let Next::Deliver(second) = queue.next("a", 0) else {
        panic!("the other category is free")
    };
    queue.settle(second, &Delivery::Delivered, 0);
    queue.hurry();
    assert_eq!(
        queue.next("a", 1),
        Next::Wait(100 * SECOND),
        "what the server asked for is kept"
    );
    assert!(!queue.is_worth_waiting(99 * SECOND) && queue.is_worth_waiting(100 * SECOND));
}

#[test]
fn a_destination_goes_down_after_some_failures_and_up_with_an_answer() {
    let mut queue = Queue::new(limits());
    queue.push(entry(0, "", "x"));
    let mut now = 0;
    for n in 1..=DOWN_AFTER + 2 {
        now += 3600 * SECOND;
        let Next::Deliver(id) = queue.next("a", now) else {
            panic!()
        };
        let (_, turn) = queue.settle(id, &Delivery::retry("x"), now);
        assert_eq!(turn == Turn::Down, n == DOWN_AFTER);
    }
    let Next::Deliver(id) = queue.next("a", now + 3600 * SECOND) else {
        panic!()
    };
    assert_eq!(queue.settle(id, &Delivery::Delivered, now).1, Turn::Up);
}

#[derive(Clone, Debug)]
enum Action {
    Put {
        size: usize,
        severity: Severity,
        key: bool,
    },
    Deliver(u8),
    Restart,
    Truncate(usize),
    Flip(usize),
    Later(u64),
}

fn action() -> impl Strategy<Value = Action> {
    let severity = prop::sample::select(vec![Severity::Info, Severity::Error, Severity::Critical]);
    prop_oneof![
        4 => (0..1500_usize, severity, any::<bool>()).prop_map(|(size, severity, key)| Action::Put { size, severity, key }),
        4 => any::<u8>().prop_map(Action::Deliver),
        1 => Just(Action::Restart),
        1 => any::<usize>().prop_map(Action::Truncate),
        1 => any::<usize>().prop_map(Action::Flip),
        1 => (0..10_u64 * 3600).prop_map(Action::Later),
    ]
}

/// The queue and the files in lock-step with the plainest model: a set of bodies, and what
/// became of each.
struct Model {
    folder: Folder,
    store: Option<Store>,
    queue: Queue<Place>,
    now: u64,
    put: u64,
    delivered: Vec<Vec<u8>>,
    lost: u64,
}

impl Model {
    fn new() -> Model {
        let folder = Folder::new();
        let (store, opened) = Store::open(Some(&folder.path()));
        opened.unwrap();
        Model {
            folder,
            store: Some(store),
            queue: Queue::new(limits()),
            now: 1_000_000 * SECOND,
            put: 0,
            delivered: Vec::new(),
            lost: 0,
        }
    }

    fn give_up(&mut self, gone: Vec<Entry<Place>>) {
        self.lost += gone.len() as u64;
        gone.iter().for_each(|entry| entry.place.remove());
    }

    fn act(&mut self, action: Action) {
        match action {
            Action::Put {
                size,
                severity,
                key,
            } => {
                self.put += 1;
                let body = self.put.to_string().repeat(size / 4 + 1);
                let key = if key { "key" } else { "" };
                let parcel = Parcel {
                    created: self.now,
                    ..parcel("a", &body)
                }
                .severity(severity)
                .key(key);
                let head = Parcel {
                    body: Vec::new(),
                    ..parcel.clone()
                };
                let (place, size, written) = self.store.as_ref().unwrap().write(parcel);
                written.unwrap();
                let gone = self.queue.push(Entry::new(&head, size, place));
                self.give_up(gone);
                assert!(self.queue.bytes() <= limits().max_bytes);
            }
            Action::Deliver(how) => self.deliver(how),
            Action::Restart => {
                // As after a kill: nothing but the files is left.
                self.store = None;
                let (store, opened) = Store::open(Some(&self.folder.path()));
                opened.unwrap();
                let found = store.load();
                self.store = Some(store);
                self.lost += found.corrupt;
                self.queue = Queue::new(limits());
                for (parcel, size, path) in found.parcels {
                    let gone = self
                        .queue
                        .push(Entry::new(&parcel, size, Place::File(path)));
                    self.give_up(gone);
                }
            }
            Action::Truncate(n) => self.damage(n, |bytes| bytes.truncate(bytes.len() / 2)),
            Action::Flip(n) => self.damage(n, |bytes| {
                let at = n % bytes.len();
                bytes[at] ^= 0x40;
            }),
            Action::Later(seconds) => {
                self.now += seconds * SECOND;
                let gone = self.queue.expire(self.now);
                self.give_up(gone);
            }
        }
    }

    fn deliver(&mut self, how: u8) {
        let Next::Deliver(id) = self.queue.next("a", self.now) else {
            return;
        };
        let place = self.queue.get(id).unwrap().place.clone();
        let Some(parcel) = place.read() else {
            let (gone, _) = self
                .queue
                .settle(id, &Delivery::refused("corrupt"), self.now);
            self.give_up(gone.into_iter().collect());
            return;
        };
        let how = match how % 4 {
            0 => Delivery::retry("x"),
            1 => Delivery::refused("x"),
            _ => Delivery::Delivered,
        };
        if how == Delivery::Delivered {
            self.delivered.push(parcel.body.clone());
        }
        let (done, _) = self.queue.settle(id, &how, self.now);
        if let Some(entry) = done {
            entry.place.remove();
            self.lost += u64::from(how != Delivery::Delivered);
        }
    }

    fn damage(&self, n: usize, f: impl Fn(&mut Vec<u8>)) {
        let found = files(&self.folder.path());
        let Some(path) = found.get(n % found.len().max(1)) else {
            return;
        };
        let mut bytes = fs::read(path).unwrap();
        if !bytes.is_empty() {
            f(&mut bytes);
            fs::write(path, bytes).unwrap();
        }
    }

    fn check(&self) {
        let pending = self.queue.pending("a") as u64;
        assert_eq!(
            self.put,
            self.delivered.len() as u64 + self.lost + pending,
            "each is delivered, kept or counted"
        );
        let mut once = self.delivered.clone();
        once.sort();
        once.dedup();
        assert_eq!(once.len(), self.delivered.len(), "none is delivered twice");
        assert_eq!(
            files(&self.folder.path()).len() as u64,
            pending,
            "files and queue agree"
        );
    }
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(96) })]

    #[test]
    fn every_parcel_is_delivered_kept_or_counted(actions in prop::collection::vec(action(), 1..60)) {
        let mut model = Model::new();
        for action in actions {
            model.act(action);
            model.check();
        }
    }

    #[test]
    fn no_file_decodes_to_another_parcel(body in prop::collection::vec(any::<u8>(), 0..200), at in any::<prop::sample::Index>(), bit in 0..8_u8) {
        let parcel = Parcel::new("a", body).key("k").category("c");
        let bytes = parcel::encode(&parcel);
        prop_assert_eq!(parcel::decode(&bytes), Some(parcel));
        let mut bad = bytes.clone();
        *at.get_mut(&mut bad) ^= 1 << bit;
        prop_assert_eq!(parcel::decode(&bad), None);
        prop_assert_eq!(parcel::decode(&bytes[..at.index(bytes.len())]), None);
    }
}
