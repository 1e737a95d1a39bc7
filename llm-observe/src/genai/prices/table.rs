//! The table of prices: the one file that names genai-prices, which has the data and the rules of it.

use std::{fmt, fs, io, path::Path, time::SystemTime};

use genai_prices::{Calculator, Error, PriceCalculation, PriceRequest, Usage, UsageKey};

use super::{names::forms, rates::Rates};

/// The day that the oldest data was published which a build can have: that of the version of genai-prices
/// in `Cargo.toml`. A build with a newer 0.2 has newer data.
const BUNDLED_DATE: &str = "2026-10-30";

/// A larger file is no table of prices: that of October 2026 has 0.8 MB.
const MOST_BYTES: u64 = 64 << 20;

/// The most output tokens that a price is asked for.
const OUTPUT: f64 = 1e6;

/// What has prices besides tokens, so that a model without prices of tokens is not taken as free.
const OTHER_UNITS: [UsageKey; 8] = [
    UsageKey::AUDIO_SECONDS,
    UsageKey::INPUT_AUDIO_SECONDS,
    UsageKey::OUTPUT_AUDIO_SECONDS,
    UsageKey::INPUT_CHARACTERS,
    UsageKey::INPUT_DOCUMENT_PAGES,
    UsageKey::INPUT_ANNOTATED_DOCUMENT_PAGES,
    UsageKey::INPUT_PIXELS,
    UsageKey::INPUT_TEXT_MESSAGES,
];

/// Which table of prices is in use.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct PriceTable {
    /// `YYYY-MM-DD`: of bundled data, the day it was published; of a file, the day it was last written.
    pub date: String,
    /// Where it comes from.
    pub source: TableSource,
}

/// Where a table of prices comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TableSource {
    /// It is built in.
    Bundled,
    /// It is `[prices] file`.
    File,
}

impl TableSource {
    /// Returns the value of the label `source`.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            TableSource::Bundled => "bundled",
            TableSource::File => "file",
        }
    }
}

/// The table.
pub(super) struct Table {
    data: Data,
    pub(super) about: PriceTable,
}

enum Data {
    Bundled(&'static Calculator),
    File(Box<Calculator>),
}

/// A model of the table, by names that it finds it with.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Found {
    provider: Option<String>,
    model: String,
    /// The table's own name of the model.
    pub(super) id: String,
}

impl Table {
    /// Returns the bundled table. Decodes it when it is the first: tens of milliseconds.
    pub(super) fn bundled() -> Table {
        Table {
            data: Data::Bundled(Calculator::bundled()),
            about: PriceTable {
                date: BUNDLED_DATE.to_owned(),
                source: TableSource::Bundled,
            },
        }
    }

    /// Reads a file.
    pub(super) fn read(path: &Path) -> Result<Table, String> {
        let text = |error: io::Error| error.to_string();
        let about = fs::metadata(path).map_err(text)?;
        if !about.is_file() {
            return Err("it is no file".to_owned());
        }
        if about.len() > MOST_BYTES {
            return Err(format!("it has more than {} MiB", MOST_BYTES >> 20));
        }
        let data = fs::read(path).map_err(text)?;
        let calculator = Calculator::from_json(&data).map_err(|error| error.to_string())?;
        if calculator.providers().next().is_none() {
            return Err("it has no provider".to_owned());
        }
        let date = about.modified().ok().and_then(day);
        Ok(Table {
            data: Data::File(Box::new(calculator)),
            about: PriceTable {
                date: date.unwrap_or_else(|| "unknown".to_owned()),
                source: TableSource::File,
            },
        })
    }

    /// Finds a model, by the names that it has or by other forms of them.
    pub(super) fn find(&self, provider: Option<&str>, model: &str) -> Option<Found> {
        let known = |name: &str| {
            let found = self.calculator().find_provider(Some(name), None);
            found.ok().flatten().map(|provider| provider.id())
        };
        let nothing = Usage::new();
        forms(provider, model, known)
            .into_iter()
            .find_map(|(provider, model)| {
                let priced = self
                    .calculator()
                    .calculate(&request(provider, model, &nothing));
                priced.ok().map(|priced| Found {
                    provider: provider.map(str::to_owned),
                    model: model.to_owned(),
                    id: priced.model_id,
                })
            })
    }

    /// Returns the prices of a model at `when` for calls with so much input. `None` where tokens have no
    /// price but something else has.
    pub(super) fn rates(&self, of: &Found, when: SystemTime, input: u64) -> Option<Rates> {
        #[allow(
            clippy::cast_precision_loss,
            reason = "prices change at far smaller numbers"
        )]
        let input = input as f64;
        let ask = |usage: &[(UsageKey, f64)]| self.ask(of, when, usage);
        let whole = [
            (UsageKey::INPUT_TOKENS, input),
            (UsageKey::OUTPUT_TOKENS, OUTPUT),
        ];
        let both = ask(&whole).ok()?;
        // A part has a price of its own where it cannot be more than the whole.
        let has_own = |whole, part| ask(&[(whole, 0.0), (part, 1.0)]).is_err();
        let of_input = |part: UsageKey| {
            let own = has_own(UsageKey::INPUT_TOKENS, part.clone());
            let ask = || ask(&[(UsageKey::INPUT_TOKENS, input), (part, input)]);
            own.then(|| Some(per_million(ask().ok()?.input_price, input)))
        };
        let of_output = |part: UsageKey| {
            let own = has_own(UsageKey::OUTPUT_TOKENS, part.clone());
            let [input, output] = whole.clone();
            let ask = || ask(&[input, output, (part, OUTPUT)]);
            own.then(|| Some(per_million(ask().ok()?.output_price, OUTPUT)))
        };
        let rates = Rates {
            per_call: ask(&[]).ok()?.total_price,
            input: per_million(both.input_price, input),
            cache_read: transposed(of_input(UsageKey::CACHE_READ_TOKENS))?,
            cache_creation: transposed(of_input(UsageKey::CACHE_WRITE_TOKENS))?,
            output: per_million(both.output_price, OUTPUT),
            reasoning: transposed(of_output(UsageKey::OUTPUT_REASONING_TOKENS))?,
        };
        let other = |unit| !ask(&[(unit, 3_600.0)]).is_ok_and(|priced| priced.total_price == 0.0);
        let free = rates.is_free() && OTHER_UNITS.into_iter().any(other);
        (!free).then_some(rates)
    }

    /// Returns numbers that change when any price of a model for calls with so much input does.
    pub(super) fn print(&self, of: &Found, when: SystemTime, input: u64) -> [Option<f64>; 3] {
        #[allow(clippy::cast_precision_loss, reason = "the same number each time")]
        let input = input as f64;
        let usage = [
            (UsageKey::INPUT_TOKENS, input),
            (UsageKey::CACHE_READ_TOKENS, input / 4.0),
            (UsageKey::CACHE_WRITE_TOKENS, input / 3.0),
            (UsageKey::OUTPUT_TOKENS, OUTPUT),
            (UsageKey::OUTPUT_REASONING_TOKENS, OUTPUT / 3.0),
        ];
        let priced = self.ask(of, when, &usage).ok();
        let parts = |of: &PriceCalculation| [of.input_price, of.output_price, of.total_price];
        priced.map_or([None; 3], |priced| parts(&priced).map(Some))
    }

    fn ask(
        &self,
        of: &Found,
        when: SystemTime,
        usage: &[(UsageKey, f64)],
    ) -> Result<PriceCalculation, Error> {
        let usage: Usage = usage.iter().cloned().collect();
        let request = request(of.provider.as_deref(), &of.model, &usage).with_timestamp(when);
        self.calculator().calculate(&request)
    }

    fn calculator(&self) -> &Calculator {
        match &self.data {
            Data::Bundled(calculator) => calculator,
            Data::File(calculator) => calculator,
        }
    }
}

impl fmt::Debug for Table {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.about.fmt(f)
    }
}

fn request<'r>(provider: Option<&'r str>, model: &'r str, usage: &'r Usage) -> PriceRequest<'r> {
    let request = PriceRequest::new(model, usage);
    match provider {
        Some(provider) => request.with_provider_id(provider),
        None => request,
    }
}

/// Returns the price of a million from that of `tokens`, without what multiplying and dividing added:
/// published prices have fewer digits.
fn per_million(usd: f64, tokens: f64) -> f64 {
    if tokens == 0.0 {
        return 0.0;
    }
    let exact = usd * 1e6 / tokens;
    format!("{exact:.13e}").parse().unwrap_or(exact)
}

/// `None` of a price that exists and cannot be asked for.
fn transposed(own: Option<Option<f64>>) -> Option<Option<f64>> {
    own.map_or(Some(None), |rate| rate.map(Some))
}

fn day(time: SystemTime) -> Option<String> {
    let time = jiff::Timestamp::try_from(time).ok()?;
    Some(time.strftime("%Y-%m-%d").to_string())
}
