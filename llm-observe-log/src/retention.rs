//! Which rotated files to delete: a pure function over a listing and a clock.

use std::time::Duration;

use jiff::Timestamp;

use crate::rotation::Backup;

/// The limits of what is kept.
#[derive(Clone, Copy, Debug)]
pub(crate) struct RetentionLimits {
    pub(crate) backups: u32,
    pub(crate) max_age: Option<Duration>,
    pub(crate) max_total_bytes: Option<u64>,
}

/// Returns the files to delete, oldest first. `live` is the size of the live file, which counts
/// towards the total but is never deleted.
pub(crate) fn expired(
    backups: &[Backup],
    limits: &RetentionLimits,
    live: u64,
    now: Timestamp,
) -> Vec<Backup> {
    let mut newest_first = backups.to_vec();
    newest_first.sort_by_key(|backup| std::cmp::Reverse(backup.sequence));
    let mut total = live;
    let mut kept = 0u32;
    // Once a file expires, all older ones do: a gap in the history would look like a quiet hour.
    let first = newest_first.iter().position(|backup| {
        total = total.saturating_add(backup.len);
        kept = kept.saturating_add(1);
        kept > limits.backups
            || is_old(backup, limits, now)
            || limits.max_total_bytes.is_some_and(|max| total > max)
    });
    let mut gone = first
        .map(|first| newest_first.split_off(first))
        .unwrap_or_default();
    gone.reverse();
    gone
}

fn is_old(backup: &Backup, limits: &RetentionLimits, now: Timestamp) -> bool {
    let age = Duration::try_from(now.duration_since(backup.at)).unwrap_or_default();
    limits.max_age.is_some_and(|max| age > max)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn keeps_the_newest_within_every_limit(
            sizes in proptest::collection::vec((0u64..1000, 0i64..1_000_000), 0..20),
            backups in 0u32..10, age in proptest::option::of(0u64..1_000_000), total in proptest::option::of(0u64..5000), live in 0u64..1000,
        ) {
            let now = Timestamp::from_second(1_000_000).unwrap();
            let list: Vec<_> = sizes.iter().enumerate().map(|(i, &(len, at))| Backup {
                name: format!("{i}"), len, at: Timestamp::from_second(at).unwrap(), sequence: i as u64, compressed: false,
            }).collect();
            let limits = RetentionLimits { backups, max_age: age.map(Duration::from_secs), max_total_bytes: total };
            let gone = expired(&list, &limits, live, now);
            let kept: Vec<_> = list.iter().filter(|b| !gone.contains(b)).cloned().collect();
            prop_assert!(kept.len() <= backups as usize);
            prop_assert!(kept.iter().all(|b| !is_old(b, &limits, now)));
            prop_assert!(kept.is_empty() || total.is_none_or(|t| live + kept.iter().map(|b| b.len).sum::<u64>() <= t));
            prop_assert!(gone.iter().all(|g| kept.iter().all(|k| k.sequence > g.sequence)));
            prop_assert!(expired(&kept, &limits, live, now).is_empty());
            // Nothing goes that no limit asks for.
            if let Some(newest) = gone.last() {
                let more: Vec<_> = kept.iter().chain([newest]).cloned().collect();
                prop_assert!(!expired(&more, &limits, live, now).is_empty());
            }
        }
    }
}
