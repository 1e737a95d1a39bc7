//! What the live page gets beyond a scrape: finer buckets than those that are exported, and the
//! exact shortest and longest call, so that it shows no percentile that no call has had.
//!
//! For each histogram of durations `NAME`, in the same text format: `NAME_live{over,upto}`, how
//! many calls took longer than `over` and at most `upto` seconds, and `NAME_min{window}` and
//! `NAME_max{window}`, where the window is `recent`, the last five minutes, or `start`. They are
//! read as they are drawn: a series that has not been written is 0.

use std::{
    fmt::{self, Write},
    sync::PoisonError,
};

use metrics::{Key, Label};

use super::{
    Metrics,
    cells::{Bounds, labels},
    extremes::{Extremes, Range},
    published::as_f64,
    shard::Sum,
};
use crate::kernel::metrics_table as names;

impl Metrics {
    /// Returns what a scrape gets, and what the live page needs beyond it.
    pub(crate) fn render_live(&self) -> Option<String> {
        let mut text = self.render()?;
        // Writing to a string does not fail.
        let _ = self.write_live(&mut text);
        Some(text)
    }

    fn write_live(&self, out: &mut String) -> fmt::Result {
        let all = self.all.lock().map(|all| all.clone()).unwrap_or_default();
        for site in &all {
            let published = site.published.lock();
            let published = published.unwrap_or_else(PoisonError::into_inner);
            if published.extremes.since_start().is_empty() {
                continue;
            }
            let key = Key::from_parts(names::DURATION.name, labels(site.site()));
            for series in published.timed.iter().flatten() {
                write_buckets(out, &key, site.bounds(), &series.done)?;
            }
            write_extremes(out, &key, &published.extremes, self.slot())?;
        }
        self.write_live_operations(out)
    }

    fn write_live_operations(&self, out: &mut String) -> fmt::Result {
        let all = self.all_operations();
        for operations in all.values() {
            for (key, series) in operations.series() {
                write_buckets(out, &key, operations.bounds(), &series.done)?;
                write_extremes(out, &key, &series.extremes, self.slot())?;
            }
        }
        Ok(())
    }
}

/// Writes the buckets in which there are calls. Those of several outcomes have the same labels:
/// the page adds them up.
fn write_buckets(out: &mut String, key: &Key, bounds: &Bounds, sums: &[Sum]) -> fmt::Result {
    for (at, sum) in sums.iter().enumerate().filter(|(_, sum)| sum.count > 0) {
        let lower = at.checked_sub(1).map_or(0, |below| bounds.of(below));
        let upper = match bounds.of(at) {
            u64::MAX => "+Inf".to_owned(),
            nanos => seconds(nanos).to_string(),
        };
        write_labels(out, key, "_live")?;
        let lower = seconds(lower);
        writeln!(out, "over=\"{lower}\",upto=\"{upper}\"}} {}", sum.count)?;
    }
    Ok(())
}

fn write_extremes(out: &mut String, key: &Key, extremes: &Extremes, slot: u64) -> fmt::Result {
    for (window, range) in [
        ("recent", extremes.recent(slot)),
        ("start", extremes.since_start()),
    ] {
        if range.is_empty() {
            continue;
        }
        let Range { min, max } = range;
        for (suffix, nanos) in [("_min", min), ("_max", max)] {
            write_labels(out, key, suffix)?;
            writeln!(out, "window=\"{window}\"}} {}", seconds(nanos))?;
        }
    }
    Ok(())
}

/// Writes the name and the labels of a series, and leaves the brace open.
fn write_labels(out: &mut String, key: &Key, suffix: &str) -> fmt::Result {
    write!(out, "{}{suffix}{{", key.name())?;
    for label in key.labels() {
        write_label(out, label)?;
    }
    Ok(())
}

pub(super) fn write_label(out: &mut String, label: &Label) -> fmt::Result {
    write!(out, "{}=\"", label.key())?;
    for c in label.value().chars() {
        match c {
            '\\' => out.push_str("\\\\"),
            '"' => out.push_str("\\\""),
            '\n' => out.push_str("\\n"),
            c => out.push(c),
        }
    }
    out.push_str("\",");
    Ok(())
}

fn seconds(nanos: u64) -> f64 {
    as_f64(nanos) / 1e9
}

#[cfg(test)]
mod tests {
    use llm_observe_config::Config;

    use super::*;
    use crate::kernel::{outcome::Outcome, site::Site};

    static SITE: Site = Site::new("e", "f", "m", "f.rs", 1, || "m::f");

    fn live(durations: &[(Outcome, u64)]) -> Vec<String> {
        let metrics = Metrics::of_thread(&Config::default(), names::TABLE, Default::default());
        let site = metrics.site(&SITE);
        for (outcome, nanos) in durations {
            site.started();
            site.ended(*outcome, *nanos);
        }
        let text = metrics.render_live().unwrap();
        let prefix = "llm_observe_call_duration_seconds_";
        let lines = text.lines().filter_map(|line| line.strip_prefix(prefix));
        let live = |line: &&str| ["live", "min", "max"].iter().any(|p| line.starts_with(p));
        lines.filter(live).map(str::to_owned).collect()
    }

    #[test]
    fn calls_of_microseconds_have_buckets_of_their_own_and_an_exact_range() {
        let calls = [
            (Outcome::Ok, 20_000),
            (Outcome::Ok, 21_000),
            (Outcome::Error, 3_000_100_000),
            (Outcome::Cancelled, 9_000_000_000),
        ];
        let labels = "event=\"e\",function=\"m::f\"";
        assert_eq!(
            live(&calls),
            [
                format!("live{{{labels},over=\"0.000015\",upto=\"0.00002\"}} 1"),
                format!("live{{{labels},over=\"0.00002\",upto=\"0.00003\"}} 1"),
                format!("live{{{labels},over=\"2.5\",upto=\"5\"}} 1"),
                format!("min{{{labels},window=\"recent\"}} 0.00002"),
                format!("max{{{labels},window=\"recent\"}} 3.0001"),
                format!("min{{{labels},window=\"start\"}} 0.00002"),
                format!("max{{{labels},window=\"start\"}} 3.0001"),
            ]
        );
        assert_eq!(live(&[]), [""; 0]);
    }

    #[test]
    fn labels_are_escaped() {
        let mut out = String::new();
        write_label(&mut out, &Label::new("a", "x\"y\\z\n")).unwrap();
        assert_eq!(out, "a=\"x\\\"y\\\\z\\n\",");
    }
}
