//! The sites of requests: one for each method and route, or method and host, made at the first such
//! request. The number is bounded: names beyond the bound share one site.

use std::{
    cell::Cell,
    collections::HashMap,
    hash::{BuildHasherDefault, Hasher},
    sync::{
        Arc, OnceLock, PoisonError, RwLock,
        atomic::{AtomicU64, Ordering},
    },
};

use super::{http_site::HttpSite, method::Method};
use crate::{
    kernel::{
        metrics_table as names,
        stats::{Counter, Stats},
    },
    redact::Redactor,
};

pub(crate) use crate::kernel::bounded_names::OTHER;

/// The schemes that are distinguished.
pub(crate) const SCHEMES: [&str; 2] = ["http", "https"];

/// Longer names become [`OTHER`]: no client decides how long a label is.
const MAX_NAME: usize = 256;

const COLUMNS: usize = Method::COUNT * SCHEMES.len();

/// The sites of all routes, or of all hosts.
pub(crate) struct SiteTable {
    rows: RwLock<Rows>,
    /// Unique to this table.
    number: u64,
    max_names: usize,
    over_limit: Counter,
    redactor: Arc<Redactor>,
}

type Rows = HashMap<&'static str, &'static SiteRow, BuildHasherDefault<NameHasher>>;

/// Hashes eight bytes at a time. Collisions are no attack: the table is bounded, and each request
/// looks up one name.
#[derive(Default)]
struct NameHasher(u64);

impl NameHasher {
    fn mix(&mut self, word: u64) {
        self.0 = (self.0 ^ word)
            .wrapping_mul(0x9e37_79b9_7f4a_7c15)
            .rotate_left(29);
    }
}

impl Hasher for NameHasher {
    fn write(&mut self, bytes: &[u8]) {
        let (words, rest) = bytes.as_chunks::<8>();
        words
            .iter()
            .for_each(|word| self.mix(u64::from_le_bytes(*word)));
        rest.iter().for_each(|byte| self.mix(u64::from(*byte)));
    }

    fn finish(&self) -> u64 {
        // The map uses the highest and the lowest bits.
        self.0 ^ (self.0 >> 32)
    }
}

/// How many rows each thread caches.
const CACHED_ROWS: usize = 32;

thread_local! {
    /// The rows that the thread used last, each with the number of its table.
    static RECENT: [Cell<(u64, Option<&'static SiteRow>)>; CACHED_ROWS] =
        const { [const { Cell::new((0, None)) }; CACHED_ROWS] };
}

/// Returns the cache slot of a name.
fn slot_of(bytes: &[u8]) -> usize {
    let mut hasher = NameHasher::default();
    hasher.write(bytes);
    usize::try_from(hasher.finish() % 32).unwrap_or_default()
}

/// The sites of one name, by method and scheme.
struct SiteRow {
    name: &'static str,
    sites: [OnceLock<&'static HttpSite>; COLUMNS],
}

impl SiteTable {
    /// Returns a table of up to `max_names` names, which counts requests of further ones.
    pub(crate) fn new(label: &'static str, max_names: u32, stats: &Stats) -> SiteTable {
        static NUMBERS: AtomicU64 = AtomicU64::new(0);
        SiteTable {
            rows: RwLock::default(),
            number: NUMBERS.fetch_add(1, Ordering::Relaxed),
            max_names: usize::try_from(max_names).unwrap_or(usize::MAX),
            over_limit: stats.counter(names::OVER_LIMIT, &[("label", label)]),
            redactor: Arc::default(),
        }
    }

    /// Takes secrets out of new names by the rules of `redactor`: a name becomes a label.
    pub(crate) fn redacted_by(self, redactor: &Arc<Redactor>) -> SiteTable {
        SiteTable {
            redactor: redactor.clone(),
            ..self
        }
    }

    /// Returns the site of `name` (empty where there is none), a method, and an index in [`SCHEMES`].
    /// `make` makes the site, of `name` or of [`OTHER`].
    pub(crate) fn site(
        &self,
        name: &str,
        method: Method,
        scheme: usize,
        make: impl FnOnce(&'static str) -> HttpSite,
    ) -> Option<&'static HttpSite> {
        let name = if name.len() > MAX_NAME { OTHER } else { name };
        let row = self.find(name).unwrap_or_else(|| self.add(name));
        if row.name == OTHER {
            self.over_limit.add(1);
        }
        let site = row.sites.get(method.index() * SCHEMES.len() + scheme)?;
        Some(site.get_or_init(|| Box::leak(Box::new(make(row.name)))))
    }

    /// Returns the row of a name that was used before, as a rule from the thread's cache, without
    /// the lock.
    fn find(&self, name: &str) -> Option<&'static SiteRow> {
        let slot = slot_of(name.as_bytes());
        let recent = RECENT.try_with(|recent| recent.get(slot).map(Cell::get));
        if let Ok(Some((number, Some(row)))) = recent
            && number == self.number
            && row.name == name
        {
            return Some(row);
        }
        let rows = self.rows.read().unwrap_or_else(PoisonError::into_inner);
        let Some(row) = rows.get(name).copied() else {
            // A flood of new names must neither take the write lock nor evict cached rows.
            let other = rows.get(OTHER).copied();
            return other.filter(|_| !is_reserved(name) && self.is_full(&rows));
        };
        let row = Some(row);
        let _ = RECENT.try_with(|recent| {
            if let Some(cell) = recent.get(slot) {
                cell.set((self.number, row));
            }
        });
        row
    }

    /// Returns whether the table is full. The empty name and [`OTHER`] do not count.
    fn is_full(&self, rows: &Rows) -> bool {
        let reserved = ["", OTHER]
            .into_iter()
            .filter(|name| rows.contains_key(name));
        rows.len().saturating_sub(reserved.count()) >= self.max_names
    }

    #[cold]
    fn add(&self, name: &str) -> &'static SiteRow {
        let name = &*self.redactor.redact_label(name);
        let mut rows = self.rows.write().unwrap_or_else(PoisonError::into_inner);
        let full = self.is_full(&rows) && !is_reserved(name);
        let name = if full { OTHER } else { name };
        if let Some(row) = rows.get(name) {
            return row;
        }
        let name: &'static str = name.to_owned().leak();
        let row: &'static SiteRow = Box::leak(Box::new(SiteRow {
            name,
            sites: [const { OnceLock::new() }; COLUMNS],
        }));
        rows.insert(name, row);
        row
    }
}

fn is_reserved(name: &str) -> bool {
    name.is_empty() || name == OTHER
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kernel::operation::SpanKind;

    fn site(table: &SiteTable, name: &str, method: &str) -> &'static HttpSite {
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
    fn each_name_and_method_has_one_site() {
        let table = SiteTable::new("http_route", 10, &Stats::default());
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
    fn a_route_with_a_secret_becomes_a_label_without_it() {
        let table = SiteTable::new("http_route", 10, &Stats::default());
        let key = format!("/reset/ghp_{}", "aB3dE5".repeat(6));
        assert_eq!(
            site(&table, &key, "GET").site.function(),
            "/reset/[redacted]"
        );
        for route in [
            "/v1/token:refresh",
            "/users/:token/keys",
            "/reset/{password}",
        ] {
            assert_eq!(site(&table, route, "GET").site.function(), route);
        }
    }

    #[test]
    fn names_beyond_the_bound_share_one_site_and_are_counted() {
        let stats = Stats::default();
        let table = SiteTable::new("http_route", 2, &stats);
        let names = ["/a", "/b", "/c", "", "/d", "/a"];
        let sites = names.map(|name| site(&table, name, "GET").site.function());
        assert_eq!(sites, ["/a", "/b", OTHER, "", OTHER, "/a"]);
        let labels = [("label", "http_route")];
        let over = stats.counter(names::OVER_LIMIT, &labels);
        assert_eq!(over.get(), 2);
    }
}
