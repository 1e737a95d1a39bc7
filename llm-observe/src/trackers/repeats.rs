//! Equal errors: the first is reported at once, those within a window after it as one report
//! with their number. Pure, over a clock that is a parameter.

use std::{
    collections::HashMap,
    hash::{BuildHasher, RandomState},
};

use super::report::Report;

/// How long equal errors are counted for one report, in microseconds.
pub(super) const WINDOW: u64 = 30 * 1_000_000;

/// How many different errors are tracked; beyond it each error is reported separately.
const MOST: usize = 20_000;

#[derive(Default)]
pub(super) struct Repeats {
    hasher: RandomState,
    seen: HashMap<u64, RepeatWindow>,
}

struct RepeatWindow {
    ends: u64,
    /// The latest report since the last one that was sent, with the number of all.
    gathered: Option<Report>,
}

impl Repeats {
    /// Returns the report to send now for equal errors, and keeps the number of the others.
    pub(super) fn pass(&mut self, report: Report, now: u64) -> Option<Report> {
        let key = self
            .hasher
            .hash_one((&report.function, &report.type_name, &report.message));
        if let Some(window) = self.seen.get_mut(&key) {
            window.gather(report);
            return None;
        }
        if self.seen.len() >= MOST {
            return Some(report);
        }
        let gathered = (report.count > 1).then(|| Report {
            count: report.count - 1,
            ..report.clone()
        });
        self.seen.insert(
            key,
            RepeatWindow {
                ends: now.saturating_add(WINDOW),
                gathered,
            },
        );
        Some(Report { count: 1, ..report })
    }

    /// Returns the reports that are due, and removes errors that did not occur within a window.
    pub(super) fn due(&mut self, now: u64) -> Vec<Report> {
        let mut due = Vec::new();
        self.seen.retain(|_, window| {
            if window.ends > now {
                return true;
            }
            window.ends = now.saturating_add(WINDOW);
            let gathered = window.gathered.take();
            let goes_on = gathered.is_some();
            due.extend(gathered);
            goes_on
        });
        due
    }

    /// Returns all reports, due or not.
    pub(super) fn all(&mut self) -> Vec<Report> {
        self.seen
            .values_mut()
            .filter_map(|window| window.gathered.take())
            .collect()
    }

    /// Returns when [`Repeats::due`] has to be called next.
    pub(super) fn wake(&self) -> Option<u64> {
        self.seen.values().map(|window| window.ends).min()
    }
}

impl RepeatWindow {
    fn gather(&mut self, report: Report) {
        let before = self.gathered.take().map_or(0, |gathered| gathered.count);
        self.gathered = Some(Report {
            count: before + report.count,
            ..report
        });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn report(message: &str, count: u64) -> Report {
        Report {
            message: message.to_owned(),
            count,
            ..Report::test()
        }
    }

    #[test]
    fn different_errors_all_pass_and_equal_ones_are_counted() {
        let mut repeats = Repeats::default();
        for n in 0..1000 {
            let passed = repeats.pass(report(&format!("{n}"), 1), 0);
            assert_eq!(passed.map(|r| r.count), Some(1));
        }
        assert_eq!(
            repeats.pass(report("again", 400), 0).map(|r| r.count),
            Some(1)
        );
        for _ in 0..100 {
            assert!(repeats.pass(report("again", 1), 1).is_none());
        }
        assert!(repeats.due(WINDOW - 1).is_empty());
        let due = repeats.due(WINDOW);
        assert_eq!(due.iter().map(|r| r.count).collect::<Vec<_>>(), [499]);
        assert!(repeats.due(2 * WINDOW).is_empty(), "nothing came since");
        assert_eq!(repeats.wake(), None, "what stayed away is forgotten");
    }
}
