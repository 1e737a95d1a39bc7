//! `[prices]`: prices of models' tokens over the built-in table, and a file with a newer table.

use std::collections::BTreeMap;
use std::path::PathBuf;

use crate::named_tables::NamedTables;
use crate::names::check_model;
use crate::section::Section;
use crate::value;

/// `[prices]`.
#[non_exhaustive]
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Prices {
    /// A table in the format of genai-prices that is used in place of the bundled one.
    pub file: Option<PathBuf>,
    /// Prices by model, which go before those of either table.
    pub models: BTreeMap<String, Price>,
}

impl Prices {
    /// Returns whether nothing is configured.
    pub fn is_empty(&self) -> bool {
        self.file.is_none() && self.models.is_empty()
    }

    pub(crate) fn read(section: &Section<'_, '_>) -> Self {
        let mut file = None;
        section.optional(FILE, &mut file, value::path);
        let models = section.named_tables(
            &NamedTables {
                inner: &[],
                check: check_model,
                declare: &|_| (),
                read: &Price::read,
            },
            &[FILE],
        );
        Self { file, models }
    }
}

/// The key that is no model's name.
const FILE: &str = "file";

/// The price of a model in US dollars per million tokens. Each is finite and not negative.
#[non_exhaustive]
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Price {
    /// Input tokens.
    pub input: f64,
    /// Output tokens.
    pub output: f64,
    /// Input tokens read from the provider's cache; `None`: as `input`.
    pub cache_read: Option<f64>,
    /// Input tokens written to the provider's cache; `None`: as `input`.
    pub cache_creation: Option<f64>,
}

impl Price {
    /// Returns a price that has no separate prices for cached tokens.
    pub const fn new(input: f64, output: f64) -> Self {
        Self {
            input,
            output,
            cache_read: None,
            cache_creation: None,
        }
    }
}

impl Price {
    pub(crate) fn read(section: &Section<'_, '_>) -> Option<Self> {
        let (mut cache_read, mut cache_creation) = (None, None);
        section.optional("cache_read", &mut cache_read, value::price);
        section.optional("cache_creation", &mut cache_creation, value::price);
        let input = section.required("input", "0.5", value::price);
        let output = section.required("output", "1.5", value::price);
        input.zip(output).map(|(input, output)| Self {
            input,
            output,
            cache_read,
            cache_creation,
        })
    }
}
