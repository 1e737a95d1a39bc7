//! Equal errors, ids and measurements in their texts aside: the first is reported at once, those
//! within a window after it as one report
//! with their number. Pure, over a clock that is a parameter.

use std::{
    collections::HashMap,
    hash::{BuildHasher, RandomState},
};

use super::report::Report;
use crate::kernel::similar::SimilarError;

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
        let key = (&report.event, &report.function, similar(&report));
        let key = self.hasher.hash_one(key);
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

/// Returns what equal errors have in common.
fn similar(report: &Report) -> SimilarError<'_> {
    SimilarError {
        type_name: &report.type_name,
        class: report.class,
        message: &report.message,
        chain: &report.chain,
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
    use crate::kernel::outcome::ErrorClass;

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
            let letters = |digit: u8| char::from(digit + b'a' - b'0');
            let text: String = format!("{n}").bytes().map(letters).collect();
            let passed = repeats.pass(report(&text, 1), 0);
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

    #[test]
    fn a_wrapper_around_different_failures_is_no_repeat() {
        let mut repeats = Repeats::default();
        let mut pass = |class, cause: &str| {
            let report = Report {
                class,
                chain: vec![cause.to_owned()],
                ..report("the model failed", 1)
            };
            repeats.pass(report, 0).map(|r| (r.class, r.count))
        };
        for (class, cause) in [
            (ErrorClass::Authentication, "status 401, request req_01aB7x"),
            (ErrorClass::Internal, "status 500, request req_02aC7x"),
            (
                ErrorClass::ContextWindowExceeded,
                "status 400, context length",
            ),
            (ErrorClass::Internal, "the answer is empty"),
        ] {
            assert_eq!(pass(class, cause), Some((class, 1)));
        }
        let again = pass(ErrorClass::Internal, "status 500, request req_99zZ0q");
        assert_eq!(again, None);
    }
}
