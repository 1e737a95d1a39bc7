//! The costs of calls, from their tokens and the prices of genai-prices, a file, and the configuration.
//!
//! Prices are found once for each provider, model and day, by a thread of its own ([`worker`]). From then on a
//! cost is two look-ups and some arithmetic ([`plan`]). Until then the table itself is asked, which takes tens of
//! microseconds and gives the same. Nothing waits: neither for the thread nor for the table, which takes
//! tens of milliseconds to decode at the start of the program. A call that ends before is unpriced.

mod cache;
mod cost;
mod names;
mod plan;
mod rates;
mod table;
#[cfg(test)]
mod tests;
mod worker;

use std::{
    collections::BTreeMap,
    fmt,
    sync::{Arc, OnceLock},
    time::SystemTime,
};

use llm_observe_config as config;

pub use cost::{Cost, PriceSource};
pub use table::{PriceTable, TableSource};

use super::Usage;
use crate::{
    kernel::{metric::Metric, stats::Stats},
    observer::OperationKind,
    warn::warn,
};
use cache::{Cache, Known};
use plan::{Answer, Plan};
use rates::Rates;
use table::{Found, Table};
use worker::Worker;

/// The longest name, in bytes, that is looked up. Longer ones are made up, or no names.
const MOST_BYTES: usize = 256;

const PRICE_TABLE: &Metric = &Metric::gauge(
    "llm_observe_price_table_info",
    &["date", "source"],
    "Always 1; its labels say which prices of models are used: bundled ones or those of a file.",
);

/// What an observer keeps to price calls.
pub(crate) const KIND: OperationKind = OperationKind {
    setup: |setup| match setup.scoped {
        true => Arc::new(Prices::on_use(&setup.config.prices, setup.stats.clone())),
        false => Arc::new(Prices::start(&setup.config.prices, setup.stats.clone())),
    },
    metrics: &[PRICE_TABLE],
};

/// The prices of models.
///
/// ```
/// use std::time::SystemTime;
/// use llm_observe::{config, genai::{Cost, Prices, Usage}};
///
/// let prices = Prices::load(&config::Prices::default());
/// let usage = Usage::new(1_000, 100).with_cache_read(0);
/// let cost = prices.cost(Some("openai"), "gpt-4o-2024-08-06", &usage, SystemTime::now());
/// assert_eq!(cost.usd(), Some(0.0035));
///
/// let cost = prices.cost(Some("openai"), "a-model-of-mine", &usage, SystemTime::now());
/// assert_eq!(cost, Cost::Unpriced);
/// ```
pub struct Prices {
    known: Arc<KnownPrices>,
    /// `None` where the table is decoded by the first call that has a price, which waits for it.
    worker: Option<Worker>,
}

impl Prices {
    /// Reads and decodes the table, which takes tens of milliseconds. Where `file` of `[prices]` cannot be
    /// used, standard error says why, and the bundled table is used.
    #[must_use]
    pub fn load(config: &config::Prices) -> Prices {
        let prices = Prices::start(config, Arc::default());
        prices.known.load();
        prices
    }

    /// As [`Prices::load`], but the table is decoded in the background.
    pub(crate) fn start(config: &config::Prices, stats: Arc<Stats>) -> Prices {
        let mut prices = Prices::on_use(config, stats);
        prices.worker = Worker::start(prices.known.clone())
            .map_err(|error| warn(&format!("cannot start the thread of prices: {error}")))
            .ok();
        prices
    }

    /// As [`Prices::load`], but the table is decoded when the first cost is asked for: for tests, whose calls
    /// are all priced then, and which take no time for it when they have none.
    pub(crate) fn on_use(config: &config::Prices, stats: Arc<Stats>) -> Prices {
        Prices {
            known: Arc::new(KnownPrices {
                config: config.clone(),
                overrides: Overrides::new(config),
                table: OnceLock::new(),
                cache: Cache::default(),
                stats,
            }),
            worker: None,
        }
    }

    /// Returns the cost of a call that ended at `when`: `model` is the one that answered, or, where it is not
    /// known, the one that was asked for.
    ///
    /// It is unpriced when the model has no price, when a count that has a price is not known, when
    /// counts contradict each other, and while the table is not decoded yet. Counts of cached tokens and
    /// of reasoning that are not known count as 0: providers without such prices do not state them.
    #[must_use]
    pub fn cost(
        &self,
        provider: Option<&str>,
        model: &str,
        usage: &Usage,
        when: SystemTime,
    ) -> Cost {
        let provider = provider.filter(|provider| !provider.is_empty());
        if model.len() > MOST_BYTES || provider.is_some_and(|p| p.len() > MOST_BYTES) {
            let rates = self.known.overrides.find(model);
            return rates.map_or(Cost::Unpriced, |rates| overridden(rates, usage));
        }
        let known = self.known.cache.read(provider, model, |known| match known {
            Known::Unpriced => Some(Cost::Unpriced),
            Known::Override(rates) => Some(overridden(rates, usage)),
            Known::Planned(plan) => match plan.usd(usage, when) {
                Answer::Usd(usd) => Some(Cost::computed(usd, PriceSource::Table)),
                Answer::Ask => self.known.asked(provider, model, usage, when),
                Answer::Outdated => None,
            },
        });
        match known.flatten() {
            Some(cost) => cost,
            None => self.first_cost(provider, model, usage, when),
        }
    }

    /// The cost of a call whose model is not known yet, or not for this time.
    #[cold]
    fn first_cost(
        &self,
        provider: Option<&str>,
        model: &str,
        usage: &Usage,
        when: SystemTime,
    ) -> Cost {
        match &self.worker {
            Some(worker) => worker.want(provider, model, when),
            None => self.known.load(),
        }
        let cost = self.known.asked(provider, model, usage, when);
        cost.unwrap_or_default()
    }

    /// Returns which table is used; `None` while it is not decoded yet.
    #[must_use]
    pub fn table(&self) -> Option<PriceTable> {
        self.known.table.get().map(|table| table.about.clone())
    }

    /// Does now what the thread would do after a call of this model: for measurements.
    #[doc(hidden)]
    pub fn prepare(&self, provider: Option<&str>, model: &str, when: SystemTime) {
        self.known.load();
        self.known.learn(provider, model, when);
    }
}

impl fmt::Debug for Prices {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Prices")
            .field("table", &self.table())
            .finish_non_exhaustive()
    }
}

/// What the calls and the thread share.
struct KnownPrices {
    config: config::Prices,
    overrides: Overrides,
    table: OnceLock<Table>,
    cache: Cache,
    stats: Arc<Stats>,
}

impl KnownPrices {
    /// Decodes the table, unless it is.
    fn load(&self) {
        self.table.get_or_init(|| {
            let table = self.read();
            let labels = [
                ("date", table.about.date.as_str()),
                ("source", table.about.source.as_str()),
            ];
            self.stats.gauge(PRICE_TABLE, &labels).set(1);
            table
        });
    }

    fn read(&self) -> Table {
        let Some(file) = &self.config.file else {
            return Table::bundled();
        };
        Table::read(file).unwrap_or_else(|error| {
            let file = file.display();
            warn(&format!(
                "the prices of {file} are not used, but the bundled ones: {error}"
            ));
            Table::bundled()
        })
    }

    /// Returns the cost of a call without a plan; `None` while the table is not decoded.
    fn asked(
        &self,
        provider: Option<&str>,
        model: &str,
        usage: &Usage,
        when: SystemTime,
    ) -> Option<Cost> {
        if let Some(rates) = self.overrides.find(model) {
            return Some(overridden(rates, usage));
        }
        let table = self.table.get()?;
        Some(match self.find(table, provider, model) {
            Model::Unpriced => Cost::Unpriced,
            Model::Override(rates) => overridden(rates, usage),
            Model::Found(found) => {
                let usd = plan::asked(table, &found, usage, when);
                Cost::computed(usd, PriceSource::Table)
            }
        })
    }

    /// Notes what is to know of a model, unless it is known for that time.
    fn learn(&self, provider: Option<&str>, model: &str, when: SystemTime) {
        let nothing = Usage::default();
        let known = self.cache.read(provider, model, |known| match known {
            Known::Planned(plan) => plan.usd(&nothing, when) != Answer::Outdated,
            Known::Unpriced | Known::Override(_) => true,
        });
        let Some(table) = self.table.get().filter(|_| known != Some(true)) else {
            return;
        };
        let known = match self.find(table, provider, model) {
            Model::Unpriced => Known::Unpriced,
            Model::Override(rates) => Known::Override(*rates),
            Model::Found(found) => Known::Planned(Plan::new(table, &found, when)),
        };
        self.cache.write(provider, model, known);
    }

    fn find(&self, table: &Table, provider: Option<&str>, model: &str) -> Model<'_> {
        if let Some(rates) = self.overrides.find(model) {
            return Model::Override(rates);
        }
        let Some(found) = table.find(provider, model) else {
            return Model::Unpriced;
        };
        match self.overrides.find(&found.id) {
            Some(rates) => Model::Override(rates),
            None => Model::Found(found),
        }
    }
}

/// Where the prices of a model are.
enum Model<'o> {
    Unpriced,
    Override(&'o Rates),
    Found(Found),
}

fn overridden(rates: &Rates, usage: &Usage) -> Cost {
    Cost::computed(rates.usd(usage), PriceSource::Override)
}

/// The prices of the configuration, by model.
struct Overrides(BTreeMap<String, Rates>);

impl Overrides {
    fn new(config: &config::Prices) -> Overrides {
        let models = config.models.iter();
        Overrides(models.map(|(m, price)| (m.clone(), price.into())).collect())
    }

    fn find(&self, model: &str) -> Option<&Rates> {
        self.0.get(model)
    }
}
