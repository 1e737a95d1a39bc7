//! What calls of models take and cost.

#[cfg(feature = "genai")]
pub(crate) mod prices;
mod usage;

#[cfg(feature = "genai")]
pub use prices::{Cost, PriceSource, PriceTable, Prices, TableSource};
pub use usage::Usage;
