//! The metrics of operations, under the names and labels of their conventions.
//!
//! One [`OperationMetrics`] a site. What an end adds to the site's labels, such as a status and an
//! `error_type`, is a series of its own, of which a site has at most [`MOST_SERIES`].

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError},
};

use metrics::{Key, Label};

use super::{
    METADATA, Metrics,
    cells::{Bounds, Cells},
    publish::{Series, as_f64},
};
use crate::kernel::{
    operation::{Operation, OperationSite},
    outcome::{ErrorClass, Outcome},
};

/// How many series one site has; ends beyond it share one.
const MOST_SERIES: usize = 24;

/// The value of every label of what shares one.
const OTHER: &str = "_other";

/// The operations of one site whose ends have the same labels.
struct Ends {
    /// As [`Operation::series`] gives it; `None` for those that share one.
    series: Option<u64>,
    labels: Vec<Label>,
    cells: Cells,
    published: Mutex<Series>,
}

/// The metrics of one site of operations.
pub(crate) struct OperationMetrics {
    site: &'static OperationSite,
    started: Cells,
    /// In the order they came up first.
    ends: [OnceLock<Ends>; MOST_SERIES],
    other: OnceLock<Ends>,
    bounds: Arc<Bounds>,
}

impl OperationMetrics {
    pub(super) fn new(site: &'static OperationSite, bounds: Arc<Bounds>) -> OperationMetrics {
        OperationMetrics {
            site,
            started: Cells::new(bounds.clone()),
            ends: [const { OnceLock::new() }; MOST_SERIES],
            other: OnceLock::new(),
            bounds,
        }
    }

    /// Counts an operation that starts.
    pub(crate) fn started(&self) {
        self.started.started();
    }

    /// Counts an operation that ended.
    pub(crate) fn ended(
        &self,
        operation: Option<&dyn Operation>,
        outcome: Outcome,
        class: ErrorClass,
        nanos: u64,
    ) {
        let series = operation.map_or(0, |operation| operation.series(outcome, class));
        let labels = || of_end(operation, outcome, class);
        let ends = self.ends(series, labels);
        ends.cells.ended(Outcome::Ok, nanos);
    }

    fn ends(&self, series: u64, labels: impl Fn() -> Vec<Label>) -> &Ends {
        let known = self.ends.iter().find_map(|slot| {
            let ends = slot.get_or_init(|| self.new_ends(Some(series), labels()));
            (ends.series == Some(series)).then_some(ends)
        });
        known.unwrap_or_else(|| {
            self.other.get_or_init(|| {
                let same_names = labels().into_iter().map(|label| {
                    let (name, _) = label.into_parts();
                    Label::new(name, OTHER)
                });
                self.new_ends(None, same_names.collect())
            })
        })
    }

    #[cold]
    fn new_ends(&self, series: Option<u64>, labels: Vec<Label>) -> Ends {
        Ends {
            series,
            labels,
            cells: Cells::new(self.bounds.clone()),
            published: Mutex::new(Series::new(self.bounds.buckets())),
        }
    }

    fn all(&self) -> impl Iterator<Item = &Ends> {
        let slots = self.ends.iter().chain(std::iter::once(&self.other));
        slots.filter_map(OnceLock::get)
    }

    pub(super) fn bounds(&self) -> &Bounds {
        &self.bounds
    }

    /// Returns what has been published of each series, and its key.
    pub(super) fn series(&self) -> impl Iterator<Item = (Key, MutexGuard<'_, Series>)> {
        self.all().map(|ends| {
            let published = ends.published.lock();
            let published = published.unwrap_or_else(PoisonError::into_inner);
            (self.key(ends), published)
        })
    }

    fn key(&self, ends: &Ends) -> Key {
        let mut labels = labels(self.site, |_| true);
        labels.extend(ends.labels.iter().cloned());
        Key::from_parts(self.site.instruments().duration.name, labels)
    }
}

/// Returns the labels that an end adds to those of its site.
fn of_end(operation: Option<&dyn Operation>, outcome: Outcome, class: ErrorClass) -> Vec<Label> {
    let Some(operation) = operation else {
        return Vec::new();
    };
    let mut labels = Vec::new();
    operation.attributes(&mut |attribute, value| {
        if attribute.is_label() {
            let name = attribute.name().replace('.', "_");
            labels.push(Label::new(name, value.to_value().to_string()));
        }
    });
    let error_type = operation.error_type(outcome, class);
    labels.extend(error_type.map(|error_type| Label::new("error_type", error_type)));
    labels
}

fn labels(site: &OperationSite, wanted: impl Fn(&str) -> bool) -> Vec<Label> {
    let labels = site.labels().iter().filter(|(name, _)| wanted(name));
    labels
        .map(|(name, value)| Label::new(*name, value.clone()))
        .collect()
}

impl Metrics {
    pub(super) fn publish_operations(&self) {
        let all = self.all_operations();
        let mut active = BTreeMap::<(&'static str, Vec<Label>), u64>::new();
        for operations in all.values() {
            let ended = self.publish_ends(operations);
            if let Some(gauge) = operations.site.instruments().active {
                // Read after the ends: what ended meanwhile counts as running, not as -1.
                let started = operations.started.totals().started;
                let labels = labels(operations.site, |name| gauge.labels.contains(&name));
                *active.entry((gauge.name, labels)).or_default() += started.saturating_sub(ended);
            }
        }
        for ((name, labels), running) in active {
            let key = Key::from_parts(name, labels);
            self.with_recorder(|r| r.register_gauge(&key, &METADATA).set(as_f64(running)));
        }
    }

    /// Records what every series gained; returns how many operations have ended.
    fn publish_ends(&self, operations: &OperationMetrics) -> u64 {
        let mut ended = 0;
        for ends in operations.all() {
            let mut series = ends
                .published
                .lock()
                .unwrap_or_else(PoisonError::into_inner);
            let totals = ends.cells.totals();
            series.extremes.add(self.slot(), totals.range);
            let [sums, ..] = totals.timed;
            ended += sums.iter().map(|sum| sum.count).sum::<u64>();
            let key = || operations.key(ends);
            self.publish_durations(&operations.bounds, &sums, &mut series, key);
        }
        ended
    }
}
