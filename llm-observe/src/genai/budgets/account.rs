//! What was spent in which period, and which thresholds were reached. Pure: knows no clock and no file.

use std::collections::BTreeMap;

use crate::kernel::alert_rule::Severity;

/// The thresholds of a budget, as shares of it, and how bad each is. Each has a bit in [`Spent::alerted`].
pub(super) const THRESHOLDS: [(u32, Severity); 3] = [
    (50, Severity::Info),
    (80, Severity::Warning),
    (100, Severity::Critical),
];

/// How many periods of one budget are remembered: clocks may be set back.
const MOST_PERIODS: usize = 3;

/// A sum that is this close below a threshold has reached it: amounts are rounded as they add up.
const ROUNDING: f64 = 1.0 - 1e-9;

/// The most that is counted, in US dollars: sums stay finite.
const MOST_USD: f64 = 1e15;

/// One period of one budget.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Key {
    pub(super) event: String,
    /// The length of a period, in microseconds.
    pub(super) per: u64,
    /// How many periods lie between the Unix epoch and it.
    pub(super) period: u64,
}

impl Key {
    /// Returns the period that `now` is in.
    pub(super) fn at(event: &str, per: u64, now: u64) -> Key {
        Key {
            event: event.to_owned(),
            per,
            period: now.checked_div(per).unwrap_or_default(),
        }
    }

    /// Returns its end, in microseconds since the Unix epoch.
    pub(super) fn end(&self) -> u64 {
        self.period.saturating_add(1).saturating_mul(self.per)
    }

    /// Returns whether it is over for longer than clocks differ.
    pub(super) fn is_old(&self, now: u64) -> bool {
        self.end().saturating_add(self.per) <= now
    }
}

/// What was spent in a period.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(super) struct Spent {
    /// In US dollars: finite, and not negative.
    pub(super) usd: f64,
    /// A bit for each of [`THRESHOLDS`] that an alert was made for.
    pub(super) alerted: u8,
    /// Orders the periods by when they were last added to.
    touched: u64,
}

impl Spent {
    /// Returns what was spent here and elsewhere.
    pub(super) fn and(self, elsewhere: Spent) -> Spent {
        Spent {
            usd: self.usd + elsewhere.usd,
            alerted: self.alerted | elsewhere.alerted,
            touched: self.touched,
        }
    }
}

/// What was spent, by period.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Account {
    entries: BTreeMap<Key, Spent>,
    touches: u64,
}

impl Account {
    pub(super) fn get(&self, key: &Key) -> Spent {
        self.entries.get(key).copied().unwrap_or_default()
    }

    pub(super) fn contains(&self, key: &Key) -> bool {
        self.entries.contains_key(key)
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = (&Key, &Spent)> {
        self.entries.iter()
    }

    pub(super) fn len(&self) -> usize {
        self.entries.len()
    }

    /// Adds an amount. What is negative or no number is not added.
    pub(super) fn add(&mut self, key: Key, usd: f64, alerted: u8) {
        if !usd.is_finite() || usd < 0.0 {
            return;
        }
        self.touches += 1;
        let spent = self.entries.entry(key).or_default();
        spent.usd = (spent.usd + usd).min(MOST_USD);
        spent.alerted |= alerted;
        spent.touched = self.touches;
    }

    /// Adds all of `other`.
    pub(super) fn join(&mut self, other: &Account) {
        for (key, spent) in other.iter() {
            self.add(key.clone(), spent.usd, spent.alerted);
        }
    }

    /// Forgets the periods of the budget of `key` but for the last few that were added to, wherever the
    /// clock was then.
    pub(super) fn forget_others(&mut self, key: &Key) {
        let same = |other: &Key| other.event == key.event && other.per == key.per;
        let mut all: Vec<_> = self
            .iter()
            .filter(|(other, _)| same(other))
            .map(|(other, spent)| (spent.touched, other.clone()))
            .collect();
        all.sort();
        let surplus = all.len().saturating_sub(MOST_PERIODS);
        for (_, key) in all.into_iter().take(surplus) {
            self.entries.remove(&key);
        }
    }
}

/// Returns a bit for each threshold of a budget of `limit` that `usd` has reached.
pub(super) fn reached(usd: f64, limit: f64) -> u8 {
    let bits = THRESHOLDS.iter().enumerate();
    bits.filter(|(_, (percent, _))| usd >= limit * f64::from(*percent) / 100.0 * ROUNDING)
        .fold(0, |bits, (n, _)| bits | 1 << n)
}

/// Returns the highest of the thresholds whose bits are set.
pub(super) fn highest(bits: u8) -> Option<(u32, Severity)> {
    let all = THRESHOLDS.iter().enumerate().rev();
    let mut set = all.filter(|(n, _)| bits & 1 << n != 0);
    set.next().map(|(_, threshold)| *threshold)
}

#[cfg(test)]
mod tests {
    use super::*;

    const DAY: u64 = 24 * 3_600 * 1_000_000;

    #[test]
    fn a_day_begins_at_midnight_utc() {
        // 2026-11-25T23:59:59.999999Z and the moment after.
        let last = 1_795_651_200_000_000 - 1;
        let (day, next) = (Key::at("a", DAY, last), Key::at("a", DAY, last + 1));
        assert_eq!(day.period + 1, next.period);
        assert_eq!(day.end(), last + 1);
        assert!(!day.is_old(last + DAY) && day.is_old(last + 1 + DAY));
    }

    #[test]
    fn thresholds_are_reached_one_after_the_other() {
        for (usd, bits, top) in [
            (0.0, 0, None),
            (0.499_99, 0, None),
            (0.5, 1, Some(50)),
            (0.1 + 0.2 + 0.5, 3, Some(80)),
            (0.999_999_999_99, 7, Some(100)),
            (f64::MAX, 7, Some(100)),
        ] {
            assert_eq!(reached(usd, 1.0), bits, "{usd}");
            assert_eq!(highest(bits).map(|(percent, _)| percent), top);
        }
    }

    #[test]
    fn wrong_amounts_are_not_added_and_sums_stay_finite() {
        let mut account = Account::default();
        let key = Key::at("a", DAY, 0);
        for usd in [1.0, -5.0, f64::NAN, f64::INFINITY, -0.0] {
            account.add(key.clone(), usd, 0);
        }
        assert_eq!(account.get(&key).usd, 1.0);
        account.add(key.clone(), f64::MAX, 0);
        account.add(key.clone(), f64::MAX, 0);
        assert!(account.get(&key).usd.is_finite());
    }

    #[test]
    fn a_clock_that_jumps_finds_its_period_again() {
        let mut account = Account::default();
        let (today, far) = (
            Key::at("a", DAY, 20_000 * DAY),
            Key::at("a", DAY, DAY * 90_000),
        );
        account.add(today.clone(), 1.0, 1);
        account.add(far.clone(), 2.0, 0);
        account.forget_others(&far);
        assert_eq!(
            (account.get(&today).usd, account.get(&today).alerted),
            (1.0, 1)
        );
        for day in 20_001..20_004 {
            let key = Key::at("a", DAY, day * DAY);
            account.add(key.clone(), 1.0, 0);
            account.forget_others(&key);
        }
        assert_eq!(account.len(), MOST_PERIODS);
        assert!(!account.contains(&far));
    }
}
