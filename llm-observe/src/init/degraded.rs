//! Parts that could not start: said on standard error, shown as a metric, and tried again until they
//! work.
//!
//! The thread of upkeep does that about once a second; where there is none, a scrape and a flush do.

use std::{
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
    time::{Duration, Instant},
};

use super::{FlushReport, Part, reason::Reason};
use crate::{
    error::Error,
    kernel::{metrics_table as names, stats::Stats},
    warn::warn,
};

/// The wait before the second attempt; doubled with each further one.
const FIRST_WAIT: Duration = Duration::from_secs(1);
const LONGEST_WAIT: Duration = Duration::from_secs(60);

/// Starts a part, and then says what works again.
pub(crate) type Attempt = Box<dyn FnMut() -> Result<String, Error> + Send>;

/// The parts that are off.
pub(super) struct Degraded {
    stats: Arc<Stats>,
    parts: Mutex<Vec<OffPart>>,
    /// Whether a thread calls [`Degraded::round`].
    watched: AtomicBool,
}

struct OffPart {
    name: &'static str,
    reason: Reason,
    attempt: Attempt,
    wait: Duration,
    due: Instant,
    since: Instant,
}

impl Degraded {
    pub(super) fn new(stats: Arc<Stats>) -> Degraded {
        Degraded {
            stats,
            parts: Mutex::default(),
            watched: AtomicBool::new(false),
        }
    }

    /// Says that a thread calls [`Degraded::round`] from now on.
    pub(super) fn watch(&self) {
        self.watched.store(true, Ordering::Relaxed);
    }

    /// Tries all parts where no thread does.
    pub(super) fn try_unless_watched(&self) {
        if !self.watched.load(Ordering::Relaxed) {
            self.round(Instant::now() + LONGEST_WAIT);
        }
    }

    /// Says that a part is off. `effect` is what that means, `attempt` starts it later.
    pub(super) fn add(&self, name: &'static str, effect: &str, error: &Error, attempt: Attempt) {
        self.show(name, effect, error, "it is tried again");
        let now = Instant::now();
        let part = OffPart {
            name,
            reason: Reason::of(error),
            attempt,
            wait: FIRST_WAIT,
            due: now + FIRST_WAIT,
            since: now,
        };
        self.parts().push(part);
    }

    /// Says that a part is off until the program starts again.
    pub(super) fn add_for_good(&self, name: &'static str, effect: &str, error: &Error) {
        self.show(name, effect, error, "the next start tries it again");
    }

    fn show(&self, name: &'static str, effect: &str, error: &Error, then: &str) {
        warn(&format!("{effect}: {error}; {then}"));
        self.set(name, Reason::of(error), 1);
    }

    fn set(&self, part: &str, reason: Reason, value: i64) {
        let labels = [("part", part), ("reason", reason.as_str())];
        self.stats.gauge(names::DEGRADED, &labels).set(value);
    }

    /// Tries the parts that are due.
    pub(super) fn round(&self, now: Instant) {
        // Not locked meanwhile: a part that starts may say that a part of its own is off.
        let mut parts = std::mem::take(&mut *self.parts());
        parts.retain_mut(|part| part.due > now || !self.try_again(part, now));
        self.parts().append(&mut parts);
    }

    fn parts(&self) -> MutexGuard<'_, Vec<OffPart>> {
        self.parts.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Returns whether the part works.
    fn try_again(&self, part: &mut OffPart, now: Instant) -> bool {
        match (part.attempt)() {
            Ok(works) => {
                let seconds = part.since.elapsed().as_secs();
                warn(&format!("{works} (after {seconds} s)"));
                self.set(part.name, part.reason, 0);
                true
            }
            Err(error) => {
                self.set(part.name, part.reason, 0);
                part.reason = Reason::of(&error);
                self.set(part.name, part.reason, 1);
                part.wait = part.wait.saturating_mul(2).min(LONGEST_WAIT);
                part.due = now + part.wait;
                false
            }
        }
    }
}

/// The last part that is flushed: it tries what is off where nothing else does.
pub(super) struct TryAtFlush(pub(super) Arc<Degraded>);

impl Part for TryAtFlush {
    fn flush(&self, _: Duration, _: &mut FlushReport) {
        self.0.try_unless_watched();
    }

    /// What is off then stays so.
    fn stop(&self, _: Duration, _: &mut FlushReport) {}
}

#[cfg(test)]
mod tests {
    use std::{
        io::{self, ErrorKind},
        sync::atomic::AtomicUsize,
    };

    use super::*;

    fn error(kind: ErrorKind) -> Error {
        Error::with("cannot write", io::Error::from(kind))
    }

    #[test]
    fn a_part_is_tried_with_growing_waits_until_it_works() {
        let stats = Arc::new(Stats::default());
        let degraded = Degraded::new(stats.clone());
        let gauge = |reason: Reason| {
            let labels = [("part", "log"), ("reason", reason.as_str())];
            stats.gauge(names::DEGRADED, &labels).get()
        };
        let tried = Arc::new(AtomicUsize::new(0));
        let count = tried.clone();
        let attempt = move || match count.fetch_add(1, Ordering::Relaxed) {
            0..8 => Err(error(ErrorKind::ReadOnlyFilesystem)),
            _ => Ok("it works".to_owned()),
        };
        degraded.add(
            "log",
            "off",
            &error(ErrorKind::StorageFull),
            Box::new(attempt),
        );
        assert_eq!([Reason::NoSpace, Reason::ReadOnly].map(gauge), [1, 0]);
        let start = Instant::now();
        let mut times = Vec::new();
        for second in 0..400 {
            let before = tried.load(Ordering::Relaxed);
            degraded.round(start + Duration::from_secs(second));
            if tried.load(Ordering::Relaxed) > before {
                times.push(second);
                let off = i64::from(times.len() <= 8);
                assert_eq!([Reason::NoSpace, Reason::ReadOnly].map(gauge), [0, off]);
            }
        }
        assert_eq!(times, [1, 3, 7, 15, 31, 63, 123, 183, 243]);
    }
}
