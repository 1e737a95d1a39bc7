//! The sites of requests: one for each method and route, or method and host, made when the first
//! such request comes. Bounded: what is beyond the bound shares one.

use std::{
    cell::Cell,
    collections::HashMap,
    hash::{BuildHasherDefault, Hasher},
    sync::{
        OnceLock, PoisonError, RwLock,
        atomic::{AtomicU64, Ordering},
    },
};

use super::{http_site::HttpSite, method::Method, policy::Policy};
use crate::kernel::{
    metrics_table as names,
    stats::{Counter, Stats},
};

/// What stands for all names beyond the bound.
pub(crate) const OTHER: &str = "_other";

/// The schemes that are distinguished.
pub(crate) const SCHEMES: [&str; 2] = ["http", "https"];

/// The longest name that is one of its own: no client decides how long a label gets.
const LONGEST: usize = 256;

const COLUMNS: usize = Method::COUNT * SCHEMES.len();

/// The sites of all names of one kind.
pub(crate) struct Table {
    rows: RwLock<Rows>,
    /// No other table has the same.
    number: u64,
    most: usize,
    over: Counter,
}

type Rows = HashMap<&'static str, &'static Row, BuildHasherDefault<Sum>>;

/// A hash of eight bytes at a time. Nobody gains from names that meet in it: the table is bounded, and
/// asked by one name a request.
#[derive(Default)]
struct Sum(u64);

impl Sum {
    fn mix(&mut self, word: u64) {
        self.0 = (self.0 ^ word)
            .wrapping_mul(0x9e37_79b9_7f4a_7c15)
            .rotate_left(29);
    }
}

impl Hasher for Sum {
    fn write(&mut self, bytes: &[u8]) {
        let (words, rest) = bytes.as_chunks::<8>();
        words
            .iter()
            .for_each(|word| self.mix(u64::from_le_bytes(*word)));
        rest.iter().for_each(|byte| self.mix(u64::from(*byte)));
    }

    fn finish(&self) -> u64 {
        // The table looks at the highest bits and at the lowest.
        self.0 ^ (self.0 >> 32)
    }
}

/// How many rows a thread keeps at hand.
const KEPT: usize = 32;

thread_local! {
    /// The rows that the thread used last, each with its table's number.
    static RECENT: [Cell<(u64, Option<&'static Row>)>; KEPT] =
        const { [const { Cell::new((0, None)) }; KEPT] };
}

/// Returns where something is kept among [`KEPT`].
fn slot_of(bytes: &[u8]) -> usize {
    let mut sum = Sum::default();
    sum.write(bytes);
    usize::try_from(sum.finish() % 32).unwrap_or_default()
}

/// The sites of one name, by method and scheme.
struct Row {
    name: &'static str,
    sites: [OnceLock<&'static HttpSite>; COLUMNS],
}

impl Table {
    /// Returns a table that takes `most` names and counts the uses of others.
    pub(crate) fn new(label: &'static str, most: u32, stats: &Stats) -> Table {
        static NUMBERS: AtomicU64 = AtomicU64::new(0);
        Table {
            rows: RwLock::default(),
            number: NUMBERS.fetch_add(1, Ordering::Relaxed),
            most: usize::try_from(most).unwrap_or(usize::MAX),
            over: stats.counter(names::OVER_LIMIT, &[("label", label)]),
        }
    }

    /// Returns the site of `name` (empty where there is none) for a method and a scheme, by its
    /// place in [`SCHEMES`]. `make` makes it, under its name or under [`OTHER`].
    pub(crate) fn site(
        &self,
        name: &str,
        method: Method,
        scheme: usize,
        make: impl FnOnce(&'static str) -> HttpSite,
    ) -> Option<&'static HttpSite> {
        let name = if name.len() > LONGEST { OTHER } else { name };
        let row = self.known(name).unwrap_or_else(|| self.add(name));
        if row.name == OTHER {
            self.over.add(1);
        }
        let place = row.sites.get(method.index() * SCHEMES.len() + scheme)?;
        Some(place.get_or_init(|| Box::leak(Box::new(make(row.name)))))
    }

    /// Returns the row of a name that has been there before: the thread's own, as a rule, so that
    /// threads do not meet at the lock.
    fn known(&self, name: &str) -> Option<&'static Row> {
        let place = slot_of(name.as_bytes());
        let recent = RECENT.try_with(|recent| recent.get(place).map(Cell::get));
        if let Ok(Some((number, Some(row)))) = recent
            && number == self.number
            && row.name == name
        {
            return Some(row);
        }
        let rows = self.rows.read().unwrap_or_else(PoisonError::into_inner);
        let Some(row) = rows.get(name).copied() else {
            // A flood of new names is not to meet at the lock for writing, nor to drive out others.
            let other = rows.get(OTHER).copied();
            return other.filter(|_| !is_own(name) && self.is_full(&rows));
        };
        let row = Some(row);
        let _ = RECENT.try_with(|recent| {
            if let Some(place) = recent.get(place) {
                place.set((self.number, row));
            }
        });
        row
    }

    /// Returns whether there are as many as there may be. Neither the empty name nor the one for the
    /// others counts among those from outside.
    fn is_full(&self, rows: &Rows) -> bool {
        let own = ["", OTHER].iter().filter(|own| rows.contains_key(**own));
        rows.len().saturating_sub(own.count()) >= self.most
    }

    #[cold]
    fn add(&self, name: &str) -> &'static Row {
        let mut rows = self.rows.write().unwrap_or_else(PoisonError::into_inner);
        let full = self.is_full(&rows) && !is_own(name);
        let name = if full { OTHER } else { name };
        if let Some(known) = rows.get(name) {
            return known;
        }
        let name: &'static str = name.to_owned().leak();
        let row: &'static Row = Box::leak(Box::new(Row {
            name,
            sites: [const { OnceLock::new() }; COLUMNS],
        }));
        rows.insert(name, row);
        row
    }
}

fn is_own(name: &str) -> bool {
    name.is_empty() || name == OTHER
}

impl Policy {
    /// Puts the rules of `[http]` on a site that has none yet.
    pub(crate) fn apply(&self, mut site: HttpSite) -> HttpSite {
        site.site.slow = self.slow;
        site.site.sample = self.sample;
        site.site.alerts = self.rules;
        site
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kernel::operation::SpanKind;

    fn site(table: &Table, name: &str, method: &str) -> &'static HttpSite {
        let method = Method::of(method);
        let make = |name: &'static str| {
            HttpSite::incoming(
                "http_request",
                name,
                method.as_str(),
                Some(name),
                Vec::new(),
            )
        };
        table.site(name, method, 0, make).unwrap()
    }

    #[test]
    fn a_name_and_a_method_are_one_site() {
        let table = Table::new("http_route", 10, &Stats::default());
        let ask = site(&table, "/ask", "GET");
        assert!(std::ptr::eq(ask, site(&table, "/ask", "GET")));
        assert!(!std::ptr::eq(ask, site(&table, "/ask", "POST")));
        assert!(!std::ptr::eq(ask, site(&table, "", "GET")));
        assert_eq!(
            (ask.site.function(), ask.site.kind()),
            ("/ask", SpanKind::Server)
        );
    }

    #[test]
    fn names_beyond_the_bound_are_one_and_counted() {
        let stats = Stats::default();
        let table = Table::new("http_route", 2, &stats);
        let names = ["/a", "/b", "/c", "", "/d", "/a"];
        let sites = names.map(|name| site(&table, name, "GET").site.function());
        assert_eq!(sites, ["/a", "/b", OTHER, "", OTHER, "/a"]);
        let labels = [("label", "http_route")];
        let over = stats.counter(names::OVER_LIMIT, &labels);
        assert_eq!(over.get(), 2);
    }
}
