//! The queue and the files against a model, whatever is done to them.

use proptest::prelude::*;

use super::{
    super::{
        parcel,
        queue::{NextDelivery, PendingParcel, Queue},
        store::{ParcelStore, StoredParcel},
    },
    queue::{SECOND, limits},
    *,
};

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
    store: Option<ParcelStore>,
    queue: Queue<StoredParcel>,
    now: u64,
    put: u64,
    delivered: Vec<Vec<u8>>,
    lost: u64,
}

impl Model {
    fn new() -> Model {
        let folder = Folder::new();
        let (store, opened) = ParcelStore::open(Some(&folder.path()), u64::MAX);
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

    fn give_up(&mut self, gone: Vec<PendingParcel<StoredParcel>>) {
        self.lost += gone.len() as u64;
        gone.iter().for_each(|entry| entry.stored.remove());
    }

    fn act(&mut self, action: Action) {
        match action {
            Action::Put {
                size,
                severity,
                key,
            } => {
                self.put += 1;
                // With a mark between, no two parcels have the same body.
                let body = format!("{}-", self.put).repeat(size / 4 + 1);
                let key = if key { "key" } else { "" };
                let mut parcel = parcel("a", &body).severity(severity).key(key);
                parcel.created = self.now;
                let head = parcel.without_body();
                let (stored, size, written) = self.store.as_ref().unwrap().write(parcel);
                written.unwrap();
                let gone = self.queue.push(PendingParcel::new(&head, size, stored));
                self.give_up(gone);
                assert!(self.queue.bytes() <= limits().max_bytes);
            }
            Action::Deliver(how) => self.deliver(how),
            Action::Restart => {
                // As after a kill: nothing but the files is left.
                self.store = None;
                wait_for_owner(&self.folder.path());
                let (store, opened) = ParcelStore::open(Some(&self.folder.path()), u64::MAX);
                opened.unwrap();
                let found = store.load();
                self.store = Some(store);
                self.lost += found.corrupt;
                self.queue = Queue::new(limits());
                for (parcel, size, path) in found.parcels {
                    let gone = self.queue.push(PendingParcel::new(
                        &parcel,
                        size,
                        StoredParcel::File(path, size),
                    ));
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
        let NextDelivery::Deliver(id) = self.queue.next("a", self.now) else {
            return;
        };
        let stored = self.queue.get(id).unwrap().stored.clone();
        let Some(parcel) = stored.read() else {
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
            self.delivered.push(parcel.body().to_vec());
        }
        let (done, _) = self.queue.settle(id, &how, self.now);
        if let Some(entry) = done {
            entry.stored.remove();
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
        let parcel = Parcel::new("a", Redacted::for_test(body)).key("k").category("c");
        let bytes = parcel::encode(&parcel);
        prop_assert_eq!(parcel::decode(&bytes), Some(parcel));
        let mut bad = bytes.clone();
        *at.get_mut(&mut bad) ^= 1 << bit;
        prop_assert_eq!(parcel::decode(&bad), None);
        prop_assert_eq!(parcel::decode(&bytes[..at.index(bytes.len())]), None);
    }
}
