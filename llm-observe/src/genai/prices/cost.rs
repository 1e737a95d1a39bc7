//! The cost of a call, and where it comes from.

/// The cost of a call. What is not known is [`Cost::Unpriced`], never 0.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub enum Cost {
    /// The provider reported it, in US dollars.
    Reported(f64),
    /// It was computed from the call's tokens. It is 0 for a model that is free.
    Computed {
        /// In US dollars.
        usd: f64,
        /// The origin of the price.
        from: PriceSource,
    },
    /// The model, its price or a count of tokens that has a price is not known.
    #[default]
    Unpriced,
}

/// The origin of the price that a cost was computed with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PriceSource {
    /// The table, be it bundled or a file.
    Table,
    /// `[prices]` of the configuration.
    Override,
}

impl Cost {
    /// Returns the cost that a provider reported; `None` for a number that is no cost, such as -1 or NaN.
    #[must_use]
    pub fn reported(usd: f64) -> Option<Cost> {
        // An amount of -0.0 is 0.
        (usd.is_finite() && usd >= 0.0).then_some(Cost::Reported(usd.abs()))
    }

    /// Returns the amount in US dollars; `None` where it is not known.
    #[must_use]
    pub const fn usd(self) -> Option<f64> {
        match self {
            Cost::Reported(usd) | Cost::Computed { usd, .. } => Some(usd),
            Cost::Unpriced => None,
        }
    }

    /// Returns the value of `llm_observe.cost_source`: `provider`, `override` or `table`; `None` where the
    /// cost is not known.
    #[must_use]
    pub const fn source(self) -> Option<&'static str> {
        match self {
            Cost::Reported(_) => Some("provider"),
            Cost::Computed { from, .. } => Some(match from {
                PriceSource::Table => "table",
                PriceSource::Override => "override",
            }),
            Cost::Unpriced => None,
        }
    }

    pub(super) fn computed(usd: Option<f64>, from: PriceSource) -> Cost {
        usd.map_or(Cost::Unpriced, |usd| Cost::Computed { usd, from })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_no_cost_is_not_taken_as_reported() {
        assert_eq!(Cost::reported(0.25).and_then(Cost::usd), Some(0.25));
        assert_eq!(Cost::reported(-0.0), Some(Cost::Reported(0.0)));
        for wrong in [-1.0, f64::NAN, f64::INFINITY, f64::NEG_INFINITY] {
            assert_eq!(Cost::reported(wrong), None, "{wrong}");
        }
    }

    #[test]
    fn each_state_has_its_source() {
        assert_eq!(Cost::Reported(0.0).source(), Some("provider"));
        let computed = |from| Cost::computed(Some(0.0), from);
        assert_eq!(computed(PriceSource::Table).source(), Some("table"));
        assert_eq!(computed(PriceSource::Override).source(), Some("override"));
        assert_eq!(computed(PriceSource::Table).usd(), Some(0.0));
        assert_eq!(Cost::computed(None, PriceSource::Table), Cost::Unpriced);
        assert_eq!(
            (Cost::Unpriced.usd(), Cost::Unpriced.source()),
            (None, None)
        );
    }
}
