//! The prices of a model for the time around a call, ready for arithmetic: its tiers, and how long they
//! hold.
//!
//! The table does not show its tiers and dates; it prices one call. So they are found by asking it: where
//! the prices change with the size of the input, to the token, and when they change in the day, to a
//! quarter of an hour. Where a quarter of an hour has more than one price, the table is asked for each
//! call. Dates of prices begin at midnight UTC, and no plan goes beyond one.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use super::{
    rates::Rates,
    table::{Found, Table},
};
use crate::genai::Usage;

const DAY: i64 = 86_400;
const SLOT: i64 = 900;

/// Sizes of input between which prices are compared. A tier that begins and ends between two of them and
/// has the same prices on both sides is not found; upstream's data has none.
const SIZES: [u64; 14] = [
    1,
    1_000,
    4_000,
    16_000,
    50_000,
    110_000,
    150_000,
    225_000,
    300_000,
    600_000,
    1_100_000,
    4_000_000,
    1 << 30,
    MOST,
];

/// Larger inputs have the prices of this one: beyond it a double does not tell numbers apart.
const MOST: u64 = 1 << 53;

/// A model with more tiers has no plan.
const MOST_TIERS: usize = 32;

/// The least input of a tier, and its prices; `None` for a model whose price is not of tokens.
type Tier = (u64, Option<Rates>);

/// The prices of a model from one moment to another.
#[derive(Debug)]
pub(super) struct Plan {
    /// In seconds since 1970.
    from: i64,
    until: i64,
    /// From the smallest input; empty where the table has to be asked.
    tiers: Vec<Tier>,
}

/// The cost that a plan gives.
#[derive(Debug, PartialEq)]
pub(super) enum Answer {
    /// In US dollars; `None` is unpriced.
    Usd(Option<f64>),
    /// The plan does not know: the table does.
    Ask,
    /// The plan is for another time.
    Outdated,
}

impl Plan {
    /// Makes the plan for the time around `when`. Takes a millisecond or so.
    pub(super) fn new(table: &Table, of: &Found, when: SystemTime) -> Plan {
        let now = seconds(when);
        let tiers = tiers(|input| table.rates(of, when, input));
        let prints = |time: Option<SystemTime>| {
            let time = time?;
            let sizes = tiers.iter().map(|(least, _)| (*least).max(1));
            Some(
                sizes
                    .map(|size| table.print(of, time, size))
                    .collect::<Vec<_>>(),
            )
        };
        let expected = prints(Some(when));
        let is_same = |slot: i64| {
            let last = slot.saturating_add(SLOT - 1);
            let last =
                time(last).and_then(|last| last.checked_add(Duration::from_nanos(999_999_999)));
            prints(time(slot)) == expected && prints(last) == expected
        };
        let slot = now.saturating_sub(now.rem_euclid(SLOT));
        if !is_same(slot) || tiers.len() > MOST_TIERS {
            return Plan {
                from: slot,
                until: slot.saturating_add(SLOT),
                tiers: Vec::new(),
            };
        }
        let midnight = now.saturating_sub(now.rem_euclid(DAY));
        let next_midnight = midnight.saturating_add(DAY);
        let (mut from, mut until) = (slot, slot.saturating_add(SLOT));
        while from > midnight && is_same(from - SLOT) {
            from -= SLOT;
        }
        while until < next_midnight && is_same(until) {
            until += SLOT;
        }
        Plan { from, until, tiers }
    }

    /// Returns the cost of a call at `when`.
    pub(super) fn usd(&self, usage: &Usage, when: SystemTime) -> Answer {
        let now = seconds(when);
        if !(self.from..self.until).contains(&now) {
            return Answer::Outdated;
        }
        let tier = match (usage.input, self.tiers.as_slice()) {
            (_, []) => return Answer::Ask,
            (None, [(_, rates)]) => rates,
            // Without the size of the input it is not known which prices hold.
            (None, _) => return Answer::Usd(None),
            (Some(input), tiers) => {
                let reached = tiers.iter().rev().find(|(least, _)| *least <= input);
                match reached {
                    Some((_, rates)) => rates,
                    None => return Answer::Ask,
                }
            }
        };
        Answer::Usd(tier.as_ref().and_then(|rates| rates.usd(usage)))
    }
}

/// Returns the cost of one call by asking the table: as a plan would give it, and slower.
pub(super) fn asked(table: &Table, of: &Found, usage: &Usage, when: SystemTime) -> Option<f64> {
    let rates = match usage.input {
        Some(input) => table.rates(of, when, input.min(MOST)),
        None => {
            let (few, many) = (table.rates(of, when, 1), table.rates(of, when, MOST));
            few.filter(|_| few == many)
        }
    };
    rates?.usd(usage)
}

/// Returns the tiers of the prices that `at` gives by the size of the input.
fn tiers(at: impl Fn(u64) -> Option<Rates>) -> Vec<Tier> {
    let (zero, one) = (at(0), at(1));
    let output = |rates: Option<Rates>| rates.map(|rates| (rates.output, rates.reasoning));
    // No input has no price of input, so what else is priced decides whether it is a tier of its own.
    let mut tiers = match output(zero) == output(one) {
        true => vec![(0, one)],
        false => vec![(0, zero), (1, one)],
    };
    let mut below = (1, one);
    for size in SIZES {
        let above = (size, at(size));
        changes(below, above, &at, &mut tiers);
        below = above;
    }
    tiers
}

/// Adds each tier that begins after `below`, up to `above`.
fn changes(below: Tier, above: Tier, at: &impl Fn(u64) -> Option<Rates>, tiers: &mut Vec<Tier>) {
    if below.1 == above.1 || tiers.len() > MOST_TIERS {
        return;
    }
    if above.0 - below.0 <= 1 {
        tiers.push(above);
        return;
    }
    let size = below.0.midpoint(above.0);
    let middle = (size, at(size));
    changes(below, middle, at, tiers);
    changes(middle, above, at, tiers);
}

/// Returns whole seconds since 1970, negative before.
fn seconds(time: SystemTime) -> i64 {
    match time.duration_since(UNIX_EPOCH) {
        Ok(after) => i64::try_from(after.as_secs()).unwrap_or(i64::MAX),
        Err(error) => {
            let before = error.duration();
            let up = u64::from(before.subsec_nanos() > 0);
            let whole = i64::try_from(before.as_secs().saturating_add(up));
            whole.map_or(i64::MIN, |seconds| -seconds)
        }
    }
}

/// `None` where the system has no such time.
fn time(seconds: i64) -> Option<SystemTime> {
    let since = Duration::from_secs(seconds.unsigned_abs());
    match seconds >= 0 {
        true => UNIX_EPOCH.checked_add(since),
        false => UNIX_EPOCH.checked_sub(since),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rates(input: f64, output: f64) -> Option<Rates> {
        Some(Rates {
            input,
            output,
            ..Rates::default()
        })
    }

    #[test]
    fn tiers_are_found_to_the_token() {
        let at = |input: u64| match input {
            0..=199_999 => rates(1.0, 5.0),
            200_000..=524_288 => rates(2.0, 5.0),
            _ => rates(2.0, 8.0),
        };
        let found = tiers(at);
        assert_eq!(
            found,
            [
                (0, rates(1.0, 5.0)),
                (200_000, rates(2.0, 5.0)),
                (524_289, rates(2.0, 8.0))
            ]
        );
    }

    #[test]
    fn no_input_may_be_a_tier_of_its_own() {
        let at = |input: u64| match input {
            0 => rates(0.0, 1.0),
            _ => rates(1.0, 2.0),
        };
        assert_eq!(tiers(at), [(0, rates(0.0, 1.0)), (1, rates(1.0, 2.0))]);
        let same = |input: u64| rates(if input == 0 { 0.0 } else { 1.0 }, 2.0);
        assert_eq!(tiers(same), [(0, rates(1.0, 2.0))]);
    }

    #[test]
    fn prices_without_end_are_given_up() {
        #[allow(clippy::cast_precision_loss, reason = "any number")]
        let found = tiers(|input| rates(input as f64, 0.0));
        assert!(found.len() > MOST_TIERS && found.len() < 100);
    }

    #[test]
    fn seconds_go_below_1970_and_back() {
        for n in [0, 1, -1, 86_400, -86_401, 1 << 40] {
            assert_eq!(time(n).map(seconds), Some(n));
        }
        let half = UNIX_EPOCH - Duration::from_millis(500);
        assert_eq!(seconds(half), -1);
    }

    #[test]
    fn a_plan_is_for_its_time_and_its_inputs() {
        let plan = Plan {
            from: 0,
            until: 900,
            tiers: vec![(0, rates(1.0, 0.0)), (1_000, rates(2.0, 0.0))],
        };
        let usd = |usage: Usage, second| plan.usd(&usage, time(second).unwrap());
        assert_eq!(usd(Usage::new(999, None), 0), Answer::Usd(Some(0.000_999)));
        assert_eq!(usd(Usage::new(1_000, None), 899), Answer::Usd(Some(0.002)));
        assert_eq!(usd(Usage::new(None, 1), 0), Answer::Usd(None));
        for second in [-1, 900, 1 << 40] {
            assert_eq!(usd(Usage::new(1, None), second), Answer::Outdated);
        }
        let asking = Plan {
            tiers: Vec::new(),
            ..plan
        };
        assert_eq!(asking.usd(&Usage::new(1, 1), UNIX_EPOCH), Answer::Ask);
    }
}
