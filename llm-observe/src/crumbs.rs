//! What came before an error: the latest lines and calls of every thread, in rings of bounded
//! size, for trackers to show beside it.
//!
//! A thread writes to its own ring, so that nobody waits for anybody: a call costs a lock that is
//! free and a copy of 80 bytes, a line the copy of its text besides. Texts are put together only
//! when an error is reported. Rings are kept only while there is a tracker. Everything in here is
//! redacted already. It must not know what a tracker is.

use std::{
    cell::OnceCell,
    collections::VecDeque,
    fmt::Write,
    sync::{
        Arc, Mutex, PoisonError, Weak,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use tracing::Level;

use crate::{
    outcome::Outcome,
    record::{Record, TraceId, Value},
    site::Site,
};

/// How many of one error's crumbs are reported: the latest.
pub(crate) const MOST_REPORTED: usize = 30;
/// How many crumbs a thread keeps: those of a call that waits long must outlive many others.
const MOST_KEPT: usize = 512;
/// How many bytes of text a thread keeps.
const MOST_TEXT: usize = 32 * 1024;
/// The longest text of one crumb, in bytes.
const MOST_LINE: usize = 500;
/// How many threads are asked: a program with more has most of them idle.
const MOST_THREADS: usize = 256;

/// A line or a call from before an error.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Breadcrumb {
    /// When it was: microseconds since the Unix epoch.
    pub time: u64,
    /// Its level, [`Level::INFO`] or above.
    pub level: Level,
    /// The line's target, or the function that was called.
    pub category: String,
    /// What it says, cut at 500 bytes.
    pub message: String,
}

/// What a ring keeps of a line or a call.
struct Crumb {
    time: u64,
    trace: TraceId,
    level: Level,
    what: What,
    /// A line's target and message, or a call's error.
    text: Box<str>,
}

enum What {
    /// How many bytes of the text are the target.
    Line(usize),
    Call(&'static Site, Outcome, Duration),
}

/// One thread's crumbs, oldest first.
#[derive(Default)]
struct Ring {
    crumbs: VecDeque<Crumb>,
    /// A part of each crumb's trace, by itself: it is all that most of a search looks at.
    traces: VecDeque<u64>,
    text: usize,
}

type Shared = Arc<Mutex<Ring>>;

/// How many trackers want crumbs.
static WANTED: AtomicUsize = AtomicUsize::new(0);
static RINGS: Mutex<Vec<Weak<Mutex<Ring>>>> = Mutex::new(Vec::new());

thread_local! {
    static OWN: OnceCell<Shared> = const { OnceCell::new() };
}

/// Keeps crumbs for as long as it lives.
#[derive(Debug)]
pub(crate) struct Wanted(());

impl Wanted {
    pub(crate) fn new() -> Wanted {
        WANTED.fetch_add(1, Ordering::Relaxed);
        Wanted(())
    }
}

impl Drop for Wanted {
    fn drop(&mut self) {
        WANTED.fetch_sub(1, Ordering::Relaxed);
    }
}

/// Keeps a line, redacted already, where there is a tracker.
#[cfg_attr(
    not(feature = "log"),
    allow(dead_code, reason = "there are lines only with it")
)]
#[inline]
pub(crate) fn line(
    time: u64,
    level: Level,
    target: &str,
    message: &str,
    fields: &[(&'static str, Value)],
    trace: TraceId,
) {
    if level <= Level::INFO && WANTED.load(Ordering::Relaxed) != 0 {
        let (text, of_target) = text_of(target, message, fields);
        keep(Crumb {
            time,
            trace,
            level,
            what: What::Line(of_target),
            text: text.into_boxed_str(),
        });
    }
}

/// Keeps a call that has ended.
#[inline]
pub(crate) fn call(record: &Record<'_>) {
    let level = record.level();
    if level > Level::INFO {
        return;
    }
    let error = record.error.map(|error| start(&error.message, MOST_LINE));
    keep(Crumb {
        time: record.time,
        trace: record.trace_id,
        level,
        what: What::Call(record.site, record.outcome, record.duration),
        text: error.unwrap_or_default().into(),
    });
}

/// Returns the latest crumbs of that trace, from every thread, and those of this thread that are
/// of no trace, oldest first. A ring that is in use just now is passed over: nobody waits.
pub(crate) fn before(trace: TraceId) -> Vec<Breadcrumb> {
    let own = OWN.try_with(|own| own.get().cloned()).ok().flatten();
    let others: Vec<Shared> = {
        let rings = RINGS.lock().unwrap_or_else(PoisonError::into_inner);
        let living = rings.iter().rev().filter_map(Weak::upgrade);
        let is_own = |ring: &Shared| own.as_ref().is_some_and(|own| Arc::ptr_eq(own, ring));
        let others = living.filter(|ring| !is_own(ring));
        others.take(MOST_THREADS).collect()
    };
    let mut found = Vec::new();
    if let Some(own) = own {
        let own = own.lock().unwrap_or_else(PoisonError::into_inner);
        own.find(&[trace, TraceId::default()], &mut found);
    }
    for ring in others {
        if let Ok(ring) = ring.try_lock() {
            ring.find(&[trace], &mut found);
        }
    }
    found.sort_by_key(|crumb| crumb.time);
    found.drain(..found.len().saturating_sub(MOST_REPORTED));
    found
}

#[inline]
fn keep(crumb: Crumb) {
    // A thread that is being torn down keeps nothing more.
    let _ = OWN.try_with(|own| {
        let mut ring = own
            .get_or_init(register)
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        ring.push(crumb);
    });
}

#[cold]
fn register() -> Shared {
    let ring = Shared::default();
    let mut rings = RINGS.lock().unwrap_or_else(PoisonError::into_inner);
    rings.retain(|ring| ring.strong_count() > 0);
    rings.push(Arc::downgrade(&ring));
    ring
}

impl Ring {
    #[inline]
    fn push(&mut self, crumb: Crumb) {
        self.text += crumb.text.len();
        while self.crumbs.len() >= MOST_KEPT || self.text > MOST_TEXT {
            let Some(gone) = self.crumbs.pop_front() else {
                break;
            };
            self.traces.pop_front();
            self.text -= gone.text.len();
        }
        self.traces.push_back(crumb.trace.0[1]);
        self.crumbs.push_back(crumb);
    }

    /// Adds the latest crumbs of those traces to `found`.
    fn find(&self, traces: &[TraceId], found: &mut Vec<Breadcrumb>) {
        let keys = self.traces.iter().enumerate().rev();
        let near = keys.filter(|(_, key)| traces.iter().any(|trace| trace.0[1] == **key));
        let crumbs = near
            .filter_map(|(at, _)| self.crumbs.get(at))
            .filter(|crumb| traces.contains(&crumb.trace));
        let latest = crumbs.take(MOST_REPORTED).map(Crumb::told);
        // Of equal times, the order in which they were kept holds.
        found.extend(latest.collect::<Vec<_>>().into_iter().rev());
    }
}

impl Crumb {
    fn told(&self) -> Breadcrumb {
        let (category, message) = match self.what {
            What::Line(of_target) => {
                let (target, message) = self.text.split_at_checked(of_target).unwrap_or_default();
                (target.to_owned(), message.to_owned())
            }
            What::Call(site, outcome, duration) => {
                let mut message = format!("{} {outcome} in {duration:.1?}", site.event);
                if !self.text.is_empty() {
                    // Into memory: it does not fail.
                    let _ = write!(message, ": {}", self.text);
                }
                (site.function().to_owned(), message)
            }
        };
        Breadcrumb {
            time: self.time,
            level: self.level,
            category,
            message,
        }
    }
}

/// Returns the target, the message and the fields behind one another, and how long the target is.
fn text_of(target: &str, message: &str, fields: &[(&'static str, Value)]) -> (String, usize) {
    let target = start(target, MOST_LINE / 4);
    let mut text = String::with_capacity(target.len() + message.len().min(MOST_LINE));
    text.push_str(target);
    text.push_str(start(message, MOST_LINE));
    for (name, value) in fields {
        let room = (target.len() + MOST_LINE).saturating_sub(text.len());
        let Some(room) = room.checked_sub(name.len() + 2).filter(|room| *room > 0) else {
            break;
        };
        let value: &dyn std::fmt::Display = match value {
            Value::Str(long) => &start(long, room),
            other => other,
        };
        // Into memory: it does not fail.
        let _ = write!(text, " {name}={value}");
    }
    (text, target.len())
}

/// Returns the first bytes of a text, up to a whole character.
fn start(text: &str, most: usize) -> &str {
    let mut end = most.min(text.len());
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    text.get(..end).unwrap_or_default()
}

#[cfg(test)]
mod tests;
