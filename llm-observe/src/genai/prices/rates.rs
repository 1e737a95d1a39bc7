//! The prices of a model's tokens at one time and for one size of input, and the arithmetic with them.
//! Pure: knows no table.

use llm_observe_config::Price;

use crate::genai::Usage;

/// US dollars per million tokens.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(super) struct Rates {
    /// US dollars for the call itself.
    pub(super) per_call: f64,
    pub(super) input: f64,
    /// Where they have none of their own, such tokens are priced as the other ones.
    pub(super) cache_read: Option<f64>,
    pub(super) cache_creation: Option<f64>,
    pub(super) output: f64,
    pub(super) reasoning: Option<f64>,
}

impl From<&Price> for Rates {
    fn from(price: &Price) -> Rates {
        Rates {
            input: price.input,
            cache_read: price.cache_read,
            cache_creation: price.cache_creation,
            output: price.output,
            ..Rates::default()
        }
    }
}

impl Rates {
    /// Returns the cost in US dollars; `None` when a count that has a price is not known, or when counts
    /// contradict each other.
    pub(super) fn usd(&self, usage: &Usage) -> Option<f64> {
        let parts = [
            (usage.cache_read, self.cache_read),
            (usage.cache_creation, self.cache_creation),
        ];
        let input = priced(usage.input, self.input, &parts)?;
        let output = priced(
            usage.output,
            self.output,
            &[(usage.reasoning, self.reasoning)],
        )?;
        let usd = self.per_call + (input + output) / 1e6;
        usd.is_finite().then_some(usd)
    }

    /// Returns whether a call costs nothing, whatever its tokens.
    pub(super) fn is_free(&self) -> bool {
        self.per_call == 0.0 && self.is_input_free() && self.is_output_free()
    }

    /// Returns whether input costs nothing, however much it is.
    pub(super) fn is_input_free(&self) -> bool {
        is_free(self.input, &[self.cache_read, self.cache_creation])
    }

    fn is_output_free(&self) -> bool {
        is_free(self.output, &[self.reasoning])
    }
}

fn is_free(rate: f64, parts: &[Option<f64>]) -> bool {
    rate == 0.0 && parts.iter().all(|part| part.is_none_or(|rate| rate == 0.0))
}

/// A part of the tokens, and its price where it has one of its own.
type Part = (Option<u64>, Option<f64>);

/// Returns millionths of US dollars for `total` tokens, of which `parts` have prices of their own.
#[allow(
    clippy::cast_precision_loss,
    reason = "prices are no more precise than a number of tokens up to 2^53"
)]
fn priced(total: Option<u64>, rate: f64, parts: &[Part]) -> Option<f64> {
    let Some(mut left) = total else {
        // A count that has no price is not needed: embeddings have no output.
        let has_price = |part: &Part| part.1.is_some_and(|rate| rate != 0.0);
        return (rate == 0.0 && !parts.iter().any(has_price)).then_some(0.0);
    };
    let mut sum = 0.0;
    for (tokens, rate) in parts {
        if let (Some(tokens), Some(rate)) = (tokens, rate) {
            left = left.checked_sub(*tokens)?;
            sum += *tokens as f64 * rate;
        }
    }
    Some(sum + left as f64 * rate)
}

#[cfg(test)]
mod tests {
    use super::*;

    const RATES: Rates = Rates {
        per_call: 0.0,
        input: 2.0,
        cache_read: Some(0.5),
        cache_creation: None,
        output: 10.0,
        reasoning: None,
    };

    #[test]
    fn parts_are_taken_out_of_the_whole() {
        let usage = Usage::new(1_000, 100)
            .with_cache_read(400)
            .with_reasoning(90);
        assert_eq!(
            RATES.usd(&usage),
            Some((600.0 * 2.0 + 400.0 * 0.5 + 1_000.0) / 1e6)
        );
        // Without a price of their own they cost what the others cost.
        let written = Usage::new(1_000, 100).with_cache_creation(1_000);
        assert_eq!(RATES.usd(&written), RATES.usd(&Usage::new(1_000, 100)));
        assert_eq!(RATES.usd(&Usage::new(0, 0)), Some(0.0));
    }

    #[test]
    fn what_has_a_price_and_is_not_known_leaves_a_call_unpriced() {
        assert_eq!(RATES.usd(&Usage::new(1_000, None)), None);
        assert_eq!(RATES.usd(&Usage::new(None, 1_000)), None);
        assert_eq!(RATES.usd(&Usage::default()), None);
        let embeddings = Rates {
            output: 0.0,
            ..RATES
        };
        assert_eq!(embeddings.usd(&Usage::new(1_000, None)), Some(0.002));
        let reasoning = Rates {
            reasoning: Some(1.0),
            ..embeddings
        };
        assert_eq!(reasoning.usd(&Usage::new(1_000, None)), None);
        let free = Rates::default();
        assert_eq!(free.usd(&Usage::default()), Some(0.0));
        assert!(free.is_free() && !embeddings.is_free() && !reasoning.is_free());
    }

    #[test]
    fn contradicting_and_huge_numbers_are_unpriced_or_finite() {
        let contradicting = Usage::new(1_000, 1).with_cache_read(1_001);
        assert_eq!(RATES.usd(&contradicting), None);
        // Both fit by themselves.
        let both = Rates {
            cache_creation: Some(1.0),
            ..RATES
        };
        let usage = Usage::new(1_000, 1)
            .with_cache_read(600)
            .with_cache_creation(600);
        assert_eq!(both.usd(&usage), None);
        let most = Usage::new(u64::MAX, u64::MAX).with_cache_read(u64::MAX);
        assert!(RATES.usd(&most).is_some_and(f64::is_finite));
        let dear = Rates {
            input: f64::MAX,
            ..RATES
        };
        assert_eq!(dear.usd(&most.with_cache_read(0)), None);
    }
}
