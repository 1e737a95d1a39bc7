//! Time for calls: the CPU's time-stamp counter where it can be trusted, and the wall clock
//! derived from it, so that a call costs two counter reads and no system call.

use std::{
    sync::{
        OnceLock,
        atomic::{AtomicU64, Ordering},
    },
    time::{Duration, SystemTime, UNIX_EPOCH},
};

/// The calibrated counter and the instant all readings are relative to.
struct Counter {
    clock: quanta::Clock,
    origin: u64,
    /// Nanoseconds from the Unix epoch to `origin`, by the latest look at the system's clock.
    epoch: AtomicU64,
    /// Nanoseconds after `origin` of that look.
    looked: AtomicU64,
}

static COUNTER: OnceLock<Counter> = OnceLock::new();

/// How long the derived wall clock is trusted before the system's is read again.
const TRUST_NANOS: u64 = 1_000_000_000;

fn counter() -> &'static Counter {
    COUNTER.get_or_init(|| {
        let clock = quanta::Clock::new();
        let origin = clock.raw();
        Counter {
            clock,
            origin,
            epoch: AtomicU64::new(system_nanos()),
            looked: AtomicU64::new(0),
        }
    })
}

fn system_nanos() -> u64 {
    let since = SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .unwrap_or_default();
    u64::try_from(since.as_nanos()).unwrap_or(u64::MAX)
}

/// Reads the counter. Never 0.
#[inline]
pub(crate) fn ticks() -> u64 {
    counter().clock.raw().max(2)
}

/// Returns the nanoseconds between two readings, 0 when they are out of order.
#[inline]
pub(crate) fn nanos(start: u64, end: u64) -> u64 {
    counter().clock.delta_as_nanos(start, end)
}

/// Returns the time between two readings, 0 when they are out of order.
#[inline]
pub(crate) fn duration(start: u64, end: u64) -> Duration {
    Duration::from_nanos(nanos(start, end))
}

/// Returns the wall-clock time of a reading, in microseconds since the Unix epoch.
#[inline]
pub(crate) fn wall_micros(ticks: u64) -> u64 {
    let counter = counter();
    let at = counter.clock.delta_as_nanos(counter.origin, ticks);
    if at.saturating_sub(counter.looked.load(Ordering::Relaxed)) > TRUST_NANOS {
        look(counter);
    }
    counter.epoch.load(Ordering::Relaxed).saturating_add(at) / 1_000
}

/// Returns the time now, in microseconds since the Unix epoch.
pub(crate) fn now_micros() -> u64 {
    wall_micros(ticks())
}

/// Follows the system's clock, which may have been set or slewed.
#[cold]
fn look(counter: &Counter) {
    let at = counter
        .clock
        .delta_as_nanos(counter.origin, counter.clock.raw());
    counter
        .epoch
        .store(system_nanos().saturating_sub(at), Ordering::Relaxed);
    counter.looked.store(at, Ordering::Relaxed);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_wall_clock_is_the_systems() {
        let derived = now_micros();
        let system = system_nanos() / 1_000;
        assert!(derived.abs_diff(system) < 50_000, "{derived} {system}");
    }

    #[test]
    fn time_passes() {
        let start = ticks();
        let end = ticks();
        assert!(end >= start);
        assert_eq!(nanos(end.max(start + 1), start), 0);
    }
}
