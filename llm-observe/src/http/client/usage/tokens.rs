//! The `usage` object of an answer: names that differ from one provider to the other, one sum.

use serde_json::Value;

/// More than any answer has: a number beyond is not believed.
const MOST: u64 = 1 << 40;

/// The tokens of one call. What the provider did not say is `None`, never 0.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Usage {
    input: Option<u64>,
    output: Option<u64>,
    total: Option<u64>,
    cached: Option<u64>,
    reasoning: Option<u64>,
    /// Anthropic counts these beside `input_tokens`, not in it.
    cache_read_beside: Option<u64>,
    cache_write_beside: Option<u64>,
}

impl Usage {
    /// Reads a `usage` object; `None` for one that holds no count.
    pub(crate) fn parse(object: &[u8]) -> Option<Usage> {
        let value: Value = serde_json::from_slice(object).ok()?;
        let usage = Usage {
            input: first(&value, &["/prompt_tokens", "/input_tokens"]),
            output: first(&value, &["/completion_tokens", "/output_tokens"]),
            total: first(&value, &["/total_tokens"]),
            cached: first(
                &value,
                &[
                    "/prompt_tokens_details/cached_tokens",
                    "/input_tokens_details/cached_tokens",
                    "/prompt_cache_hit_tokens",
                ],
            ),
            reasoning: first(
                &value,
                &[
                    "/completion_tokens_details/reasoning_tokens",
                    "/output_tokens_details/reasoning_tokens",
                ],
            ),
            cache_read_beside: first(&value, &["/cache_read_input_tokens"]),
            cache_write_beside: first(&value, &["/cache_creation_input_tokens"]),
        };
        (usage != Usage::default()).then_some(usage)
    }

    /// Takes over what `later` says, and keeps what it does not.
    pub(crate) fn update(&mut self, later: Usage) {
        let newer = |old: &mut Option<u64>, new: Option<u64>| *old = new.or(*old);
        newer(&mut self.input, later.input);
        newer(&mut self.output, later.output);
        newer(&mut self.total, later.total);
        newer(&mut self.cached, later.cached);
        newer(&mut self.reasoning, later.reasoning);
        newer(&mut self.cache_read_beside, later.cache_read_beside);
        newer(&mut self.cache_write_beside, later.cache_write_beside);
    }

    /// Returns all tokens of the input, cached ones too, as the conventions want them.
    pub(crate) fn input(&self) -> Option<u64> {
        let beside = [self.cache_read_beside, self.cache_write_beside];
        let sum = |input| {
            beside
                .into_iter()
                .flatten()
                .fold(input, u64::saturating_add)
        };
        self.input
            .map(sum)
            .or_else(|| self.rest_of_total(self.output))
    }

    /// Returns all tokens of the output, reasoning too.
    pub(crate) fn output(&self) -> Option<u64> {
        self.output
    }

    /// Returns the tokens of the input that came from the provider's cache.
    pub(crate) fn cache_read(&self) -> Option<u64> {
        self.cached.or(self.cache_read_beside)
    }

    /// Returns the tokens of the input that went into the provider's cache.
    pub(crate) fn cache_write(&self) -> Option<u64> {
        self.cache_write_beside
    }

    /// Returns the tokens of the output that were spent on reasoning.
    pub(crate) fn reasoning(&self) -> Option<u64> {
        self.reasoning
    }

    /// An embedding that says its total only: there is no output then.
    fn rest_of_total(&self, output: Option<u64>) -> Option<u64> {
        self.total?.checked_sub(output.unwrap_or(0))
    }
}

fn first(value: &Value, places: &[&str]) -> Option<u64> {
    let mut counts = places.iter().filter_map(|place| value.pointer(place));
    counts.find_map(|count| count.as_u64().filter(|n| *n <= MOST))
}
