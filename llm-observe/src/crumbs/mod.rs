//! What came before an error: the latest lines and calls of every thread, in rings of bounded
//! size, for trackers to show beside it.
//!
//! A thread writes to its own ring, so that nobody waits for anybody: a call costs a lock that is
//! free and a copy of some 80 bytes, a line the copy of its text besides, and neither allocates
//! once the thread has its ring. What a call says is put together only when an error is reported.
//! Rings are kept only while there is a tracker. Everything in here is redacted already. It must
//! not know what a tracker is.

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

use crate::kernel::{
    ids::TraceId, outcome::Outcome, record::Record, sink::LogEvent, site::Site, value::Value,
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

/// What a ring keeps of a line or a call, besides its text: a line's target and message, or a call's
/// error.
struct Crumb {
    time: u64,
    trace: TraceId,
    level: Level,
    what: What,
    /// How many bytes of text it has.
    text: usize,
}

enum What {
    /// How many bytes of the text are the target.
    Line(usize),
    Call(&'static Site, Outcome, Duration),
}

/// One thread's crumbs, oldest first. Nothing in it grows beyond what it starts with.
struct Ring {
    crumbs: VecDeque<Crumb>,
    /// A part of each crumb's trace, by itself: it is all that most of a search looks at.
    traces: VecDeque<u64>,
    /// The texts of all crumbs, one behind the other.
    texts: VecDeque<u8>,
    /// Where a line's text is put together.
    scratch: String,
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
#[inline]
pub(crate) fn line(event: &LogEvent<'_>) {
    if event.level <= Level::INFO && WANTED.load(Ordering::Relaxed) != 0 {
        keep(|ring| {
            let mut text = std::mem::take(&mut ring.scratch);
            let of_target = put_line(&mut text, event.target, event.message, event.fields);
            let what = What::Line(of_target);
            ring.push(event.time, event.trace_id, event.level, what, &text);
            ring.scratch = text;
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
    let what = What::Call(record.site, record.outcome, record.duration);
    let error = record.error.map(|error| start(&error.message, MOST_LINE));
    let text = error.unwrap_or_default();
    keep(|ring| ring.push(record.time, record.trace_id, level, what, text));
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
fn keep(put: impl FnOnce(&mut Ring)) {
    // A thread that is being torn down keeps nothing more.
    let _ = OWN.try_with(|own| {
        let ring = own.get_or_init(register).lock();
        put(&mut ring.unwrap_or_else(PoisonError::into_inner));
    });
}

#[cold]
fn register() -> Shared {
    let ring = Arc::new(Mutex::new(Ring::new()));
    let mut rings = RINGS.lock().unwrap_or_else(PoisonError::into_inner);
    rings.retain(|ring| ring.strong_count() > 0);
    rings.push(Arc::downgrade(&ring));
    ring
}

impl Ring {
    fn new() -> Ring {
        Ring {
            crumbs: VecDeque::with_capacity(MOST_KEPT),
            traces: VecDeque::with_capacity(MOST_KEPT),
            texts: VecDeque::with_capacity(MOST_TEXT),
            scratch: String::with_capacity(2 * MOST_LINE),
        }
    }

    #[inline]
    fn push(&mut self, time: u64, trace: TraceId, level: Level, what: What, text: &str) {
        while self.crumbs.len() >= MOST_KEPT || self.texts.len() + text.len() > MOST_TEXT {
            let Some(gone) = self.crumbs.pop_front() else {
                break;
            };
            self.traces.pop_front();
            self.texts.drain(..gone.text);
        }
        self.traces.push_back(trace.0[1]);
        self.texts.extend(text.as_bytes());
        self.crumbs.push_back(Crumb {
            time,
            trace,
            level,
            what,
            text: text.len(),
        });
    }

    /// Adds the latest crumbs of those traces to `found`.
    fn find(&self, traces: &[TraceId], found: &mut Vec<Breadcrumb>) {
        let mut end = self.texts.len();
        let mut latest = Vec::new();
        for (key, crumb) in self.traces.iter().zip(&self.crumbs).rev() {
            let at = end.saturating_sub(crumb.text);
            if traces.iter().any(|t| t.0[1] == *key) && traces.contains(&crumb.trace) {
                latest.push(crumb.told(&self.text(at, end)));
                if latest.len() == MOST_REPORTED {
                    break;
                }
            }
            end = at;
        }
        // Of equal times, the order in which they were kept holds.
        found.extend(latest.into_iter().rev());
    }

    fn text(&self, from: usize, to: usize) -> String {
        let bytes = self.texts.range(from..to.min(self.texts.len()));
        String::from_utf8(bytes.copied().collect()).unwrap_or_default()
    }
}

impl Crumb {
    fn told(&self, text: &str) -> Breadcrumb {
        let (category, message) = match self.what {
            What::Line(of_target) => {
                let (target, message) = text.split_at_checked(of_target).unwrap_or_default();
                (target.to_owned(), message.to_owned())
            }
            What::Call(site, outcome, duration) => {
                let mut message = format!("{} {outcome} in {duration:.1?}", site.event);
                if !text.is_empty() {
                    // Into memory: it does not fail.
                    let _ = write!(message, ": {text}");
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

/// Puts the target, the message and the fields behind one another, and returns how long the target
/// is.
fn put_line(
    text: &mut String,
    target: &str,
    message: &str,
    fields: &[(&'static str, Value)],
) -> usize {
    let target = start(target, MOST_LINE / 4);
    text.clear();
    text.push_str(target);
    text.push_str(start(message, MOST_LINE));
    for (name, value) in fields {
        let room = (target.len() + MOST_LINE).saturating_sub(text.len());
        let Some(room) = room.checked_sub(name.len() + 2).filter(|room| *room > 0) else {
            break;
        };
        text.push(' ');
        text.push_str(name);
        text.push('=');
        match value {
            Value::Str(value) => text.push_str(start(value, room)),
            // Into memory: it does not fail.
            other => drop(write!(text, "{other}")),
        }
    }
    target.len()
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
