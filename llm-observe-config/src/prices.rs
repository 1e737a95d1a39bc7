//! `[prices]`: prices of models' tokens that override the built-in table.

use crate::section::Section;
use crate::value;

/// The price of a model in US dollars per million tokens. Each is finite and not negative.
#[non_exhaustive]
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Price {
    /// Input tokens.
    pub input: f64,
    /// Output tokens.
    pub output: f64,
    /// Input tokens read from the provider's cache; `None`: as `input`.
    pub cached_input: Option<f64>,
    /// Input tokens written to the provider's cache; `None`: as `input`.
    pub cache_write: Option<f64>,
}

impl Price {
    /// Returns a price that has no separate prices for cached tokens.
    pub const fn new(input: f64, output: f64) -> Self {
        Self {
            input,
            output,
            cached_input: None,
            cache_write: None,
        }
    }
}

impl Price {
    pub(crate) fn read(section: &Section<'_, '_>) -> Option<Self> {
        let (mut cached_input, mut cache_write) = (None, None);
        section.optional("cached_input", &mut cached_input, value::price);
        section.optional("cache_write", &mut cache_write, value::price);
        let input = section.required("input", "0.5", value::price);
        let output = section.required("output", "1.5", value::price);
        input.zip(output).map(|(input, output)| Self {
            input,
            output,
            cached_input,
            cache_write,
        })
    }
}
