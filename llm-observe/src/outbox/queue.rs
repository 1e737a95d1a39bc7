//! What waits, in which order, and until when: pure bookkeeping over a clock that is a parameter.
//! Knows neither files nor threads.

use std::{
    collections::{BTreeMap, BTreeSet, HashMap},
    time::Duration,
};

use llm_observe_config::Severity;

use super::{Delivery, Parcel, micros};

/// After how many failures in a row a destination counts as down.
pub(super) const DOWN_AFTER: u32 = 5;

pub(super) type Id = u64;

/// One parcel that waits; `P` is where its body is.
#[derive(Debug)]
pub(super) struct Entry<P> {
    pub(super) destination: String,
    pub(super) severity: Severity,
    pub(super) created: u64,
    pub(super) key: String,
    pub(super) category: String,
    pub(super) size: u64,
    pub(super) place: P,
    attempts: u32,
    on_its_way: bool,
}

impl<P> Entry<P> {
    pub(super) fn new(parcel: &Parcel, size: u64, place: P) -> Entry<P> {
        Entry {
            destination: parcel.destination.clone(),
            severity: parcel.severity,
            created: parcel.created,
            key: parcel.key.clone(),
            category: parcel.category.clone(),
            size,
            place,
            attempts: 0,
            on_its_way: false,
        }
    }
}

/// What a destination is to do next.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Next {
    /// Deliver this.
    Deliver(Id),
    /// Nothing before that time.
    Wait(u64),
    /// Nothing until a parcel comes.
    Idle,
}

/// What has to be told of a settled attempt.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Turn {
    /// Nothing changed.
    Same,
    /// The destination counts as down from now on.
    Down,
    /// It works again.
    Up,
}

/// What waits of one category of a destination, and the wait that its failures cause.
#[derive(Debug, Default)]
struct Lane {
    /// The least often tried first, then the oldest.
    waiting: BTreeSet<(u32, Id)>,
    failures: u32,
    /// Until when the outbox itself waits.
    not_before: u64,
    /// Until when the destination asked it to wait.
    imposed: u64,
}

#[derive(Debug, Default)]
struct Line {
    keyed: usize,
    on_their_way: usize,
    lanes: HashMap<String, Lane>,
    /// Whether the destination counts as down.
    down: bool,
}

/// The limits that the queue keeps.
#[derive(Clone, Debug)]
pub(super) struct Limits {
    pub(super) max_bytes: u64,
    pub(super) max_age: Duration,
    pub(super) backoff: Duration,
    pub(super) backoff_max: Duration,
}

#[derive(Debug)]
pub(super) struct Queue<P> {
    limits: Limits,
    entries: HashMap<Id, Entry<P>>,
    lines: BTreeMap<String, Line>,
    /// The order in which they are given up for space.
    victims: BTreeSet<(Severity, u64, Id)>,
    bytes: u64,
    last: Id,
}

impl<P> Queue<P> {
    pub(super) fn new(limits: Limits) -> Queue<P> {
        Queue {
            limits,
            entries: HashMap::new(),
            lines: BTreeMap::new(),
            victims: BTreeSet::new(),
            bytes: 0,
            last: 0,
        }
    }

    /// Adds an entry and returns those that had to go for it: the least severe, then the oldest.
    /// An entry that alone is too large goes itself.
    pub(super) fn push(&mut self, entry: Entry<P>) -> Vec<Entry<P>> {
        self.last += 1;
        let id = self.last;
        let line = self.lines.entry(entry.destination.clone()).or_default();
        line.lane(&entry.category).waiting.insert((0, id));
        line.keyed += usize::from(!entry.key.is_empty());
        self.victims.insert((entry.severity, entry.created, id));
        self.bytes += entry.size;
        self.entries.insert(id, entry);
        self.shrink()
    }

    fn shrink(&mut self) -> Vec<Entry<P>> {
        let mut gone = Vec::new();
        while self.bytes > self.limits.max_bytes {
            let Some(id) = self.victims.first().map(|(_, _, id)| *id) else {
                break;
            };
            gone.extend(self.remove(id));
        }
        gone
    }

    /// Removes and returns what is too old to be delivered.
    pub(super) fn expire(&mut self, now: u64) -> Vec<Entry<P>> {
        let limit = self.limits.max_age;
        let old = self
            .victims
            .iter()
            .filter(|(_, created, _)| Parcel::is_older(*created, limit, now));
        let old: Vec<Id> = old.map(|(_, _, id)| *id).collect();
        old.into_iter().filter_map(|id| self.remove(id)).collect()
    }

    /// Returns what `destination` is to do at `now` (of the clock that [`Queue::settle`] is told
    /// too; it need not be the one that entries were created by); an entry to deliver is then on its way.
    pub(super) fn next(&mut self, destination: &str, now: u64) -> Next {
        let Some(line) = self.lines.get(destination) else {
            return Next::Idle;
        };
        let chosen = if line.keyed > 0 {
            self.newest(line, now)
        } else {
            line.oldest(now)
        };
        match chosen {
            Some(id) => {
                self.start(id);
                Next::Deliver(id)
            }
            None => line.opens(now).map_or(Next::Idle, Next::Wait),
        }
    }

    /// The first of the key that has the newest: an alert's messages stay in order.
    fn newest(&self, line: &Line, now: u64) -> Option<Id> {
        let mut firsts: HashMap<&str, (u64, u64, Id)> = HashMap::new();
        let mut singles = Vec::new();
        for (_, id) in line.open(now).flat_map(|lane| &lane.waiting) {
            let Some(entry) = self.entries.get(id) else {
                continue;
            };
            if entry.key.is_empty() {
                singles.push((entry.created, *id));
                continue;
            }
            let first = firsts
                .entry(&entry.key)
                .or_insert((entry.created, entry.created, *id));
            first.0 = first.0.max(entry.created);
            if (entry.created, *id) < (first.1, first.2) {
                (first.1, first.2) = (entry.created, *id);
            }
        }
        let keyed = firsts.into_values().max().map(|(_, _, id)| id);
        keyed.or_else(|| singles.into_iter().min().map(|(_, id)| id))
    }

    fn start(&mut self, id: Id) {
        let Some(entry) = self.entries.get_mut(&id) else {
            return;
        };
        entry.on_its_way = true;
        self.victims.remove(&(entry.severity, entry.created, id));
        if let Some(line) = self.lines.get_mut(&entry.destination) {
            line.lane(&entry.category)
                .waiting
                .remove(&(entry.attempts, id));
            line.on_their_way += 1;
        }
    }

    pub(super) fn get(&self, id: Id) -> Option<&Entry<P>> {
        self.entries.get(&id)
    }

    /// Takes note of how an attempt ended. Returns the entry when it is done with, and whether
    /// the destination went down or up by it.
    pub(super) fn settle(&mut self, id: Id, how: &Delivery, now: u64) -> (Option<Entry<P>>, Turn) {
        let limits = self.limits.clone();
        let Some(entry) = self.entries.get_mut(&id) else {
            return (None, Turn::Same);
        };
        let line = self.lines.entry(entry.destination.clone()).or_default();
        let lane = line.lane(&entry.category);
        match how {
            // A refusal is an answer: the destination is there.
            Delivery::Delivered | Delivery::Refused { .. } => {
                lane.recovered();
                let turn = line.turn();
                (self.remove(id), turn)
            }
            Delivery::Retry { after, .. } => {
                lane.failed(*after, now, &limits);
                entry.on_its_way = false;
                entry.attempts += 1;
                lane.waiting.insert((entry.attempts, id));
                line.on_their_way = line.on_their_way.saturating_sub(1);
                self.victims.insert((entry.severity, entry.created, id));
                (None, line.turn())
            }
        }
    }

    fn remove(&mut self, id: Id) -> Option<Entry<P>> {
        let entry = self.entries.remove(&id)?;
        self.bytes = self.bytes.saturating_sub(entry.size);
        self.victims.remove(&(entry.severity, entry.created, id));
        if let Some(line) = self.lines.get_mut(&entry.destination) {
            line.lane(&entry.category)
                .waiting
                .remove(&(entry.attempts, id));
            line.keyed -= usize::from(!entry.key.is_empty());
            line.on_their_way -= usize::from(entry.on_its_way);
        }
        Some(entry)
    }

    /// Forgets the waits that no destination asked for: the process is about to end.
    pub(super) fn hurry(&mut self) {
        let lanes = self
            .lines
            .values_mut()
            .flat_map(|line| line.lanes.values_mut());
        for lane in lanes {
            lane.not_before = 0;
        }
    }

    /// Returns how many wait for `destination`, those on their way included.
    pub(super) fn pending(&self, destination: &str) -> usize {
        self.lines
            .get(destination)
            .map_or(0, |line| line.waiting() + line.on_their_way)
    }

    /// Returns whether anything can still be delivered before `deadline`.
    pub(super) fn is_worth_waiting(&self, deadline: u64) -> bool {
        self.lines.values().any(|line| {
            line.on_their_way > 0 || line.open(deadline).any(|lane| !lane.waiting.is_empty())
        })
    }

    /// Returns every entry that waits or is on its way.
    pub(super) fn entries(&self) -> impl Iterator<Item = &Entry<P>> {
        self.entries.values()
    }

    #[cfg(test)]
    pub(super) fn bytes(&self) -> u64 {
        self.bytes
    }
}

impl Line {
    fn lane(&mut self, category: &str) -> &mut Lane {
        self.lanes.entry(category.to_owned()).or_default()
    }

    fn open(&self, now: u64) -> impl Iterator<Item = &Lane> {
        self.lanes.values().filter(move |lane| lane.opens() <= now)
    }

    fn oldest(&self, now: u64) -> Option<Id> {
        let firsts = self.open(now).filter_map(|lane| lane.waiting.first());
        firsts.min().map(|(_, id)| *id)
    }

    /// Returns when the next lane opens that is closed at `now` and has something waiting.
    fn opens(&self, now: u64) -> Option<u64> {
        let waiting = self.lanes.values().filter(|lane| !lane.waiting.is_empty());
        waiting.map(Lane::opens).filter(|at| *at > now).min()
    }

    /// Takes note of whether any lane keeps failing, and returns what changed by it.
    fn turn(&mut self) -> Turn {
        let down = self.lanes.values().any(|lane| lane.failures >= DOWN_AFTER);
        match (std::mem::replace(&mut self.down, down), down) {
            (false, true) => Turn::Down,
            (true, false) => Turn::Up,
            _ => Turn::Same,
        }
    }

    fn waiting(&self) -> usize {
        self.lanes.values().map(|lane| lane.waiting.len()).sum()
    }
}

impl Lane {
    fn opens(&self) -> u64 {
        self.not_before.max(self.imposed)
    }

    /// An answer ends the outbox's own wait; one that was asked for stands, whatever others that
    /// were on their way then got.
    fn recovered(&mut self) {
        self.failures = 0;
        self.not_before = 0;
    }

    fn failed(&mut self, after: Option<Duration>, now: u64, limits: &Limits) {
        self.failures = self.failures.saturating_add(1);
        let until = |wait| now.saturating_add(micros(wait));
        // The longer of two limits holds.
        self.not_before = self.not_before.max(until(backoff(self.failures, limits)));
        self.imposed = self.imposed.max(until(after.unwrap_or_default()));
    }
}

/// Doubles with each failure, and is shortened by up to a half at random, so that a fleet does
/// not come back all at once.
pub(super) fn backoff(failures: u32, limits: &Limits) -> Duration {
    let doublings = failures.saturating_sub(1).min(20);
    let full = limits
        .backoff
        .saturating_mul(1 << doublings)
        .min(limits.backoff_max);
    full.mul_f64(0.5 + fastrand::f64() / 2.0)
}
