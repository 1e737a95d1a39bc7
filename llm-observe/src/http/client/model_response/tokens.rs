//! Parses the `usage` object of a response, whose names differ between providers.

use serde_json::Value;

/// The largest plausible count. Larger numbers are ignored.
const MAX_COUNT: u64 = 1 << 40;

/// The tokens of one call. A count that the provider did not report is `None`, never 0.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct TokenUsage {
    input: Option<u64>,
    output: Option<u64>,
    total: Option<u64>,
    cached: Option<u64>,
    reasoning: Option<u64>,
    /// Anthropic's `input_tokens` does not include the tokens that its cache read and wrote.
    separate_cache_read: Option<u64>,
    separate_cache_write: Option<u64>,
}

impl TokenUsage {
    /// Parses a `usage` object; `None` if it has no counts.
    pub(crate) fn parse(object: &[u8]) -> Option<TokenUsage> {
        let value: Value = serde_json::from_slice(object).ok()?;
        let usage = TokenUsage {
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
            separate_cache_read: first(&value, &["/cache_read_input_tokens"]),
            separate_cache_write: first(&value, &["/cache_creation_input_tokens"]),
        };
        (usage != TokenUsage::default()).then_some(usage)
    }

    /// Takes the counts that `later` has, and keeps the others.
    pub(crate) fn update(&mut self, later: TokenUsage) {
        let newer = |old: &mut Option<u64>, new: Option<u64>| *old = new.or(*old);
        newer(&mut self.input, later.input);
        newer(&mut self.output, later.output);
        newer(&mut self.total, later.total);
        newer(&mut self.cached, later.cached);
        newer(&mut self.reasoning, later.reasoning);
        newer(&mut self.separate_cache_read, later.separate_cache_read);
        newer(&mut self.separate_cache_write, later.separate_cache_write);
    }

    /// Returns all tokens of the input, including cached ones, as the conventions require.
    pub(crate) fn input(&self) -> Option<u64> {
        let separate = [self.separate_cache_read, self.separate_cache_write];
        let sum = |input| {
            separate
                .into_iter()
                .flatten()
                .fold(input, u64::saturating_add)
        };
        self.input
            .map(sum)
            .or_else(|| self.input_of_total(self.output))
    }

    /// Returns all tokens of the output, including those of reasoning.
    pub(crate) fn output(&self) -> Option<u64> {
        self.output
    }

    /// Returns the tokens of the input that the provider's cache supplied.
    pub(crate) fn cache_read(&self) -> Option<u64> {
        self.cached.or(self.separate_cache_read)
    }

    /// Returns the tokens of the input that were written to the provider's cache.
    pub(crate) fn cache_write(&self) -> Option<u64> {
        self.separate_cache_write
    }

    /// Returns the tokens of the output that were spent on reasoning.
    pub(crate) fn reasoning(&self) -> Option<u64> {
        self.reasoning
    }

    /// Returns the input where only the total is known, as in responses to embeddings.
    fn input_of_total(&self, output: Option<u64>) -> Option<u64> {
        self.total?.checked_sub(output.unwrap_or(0))
    }
}

fn first(value: &Value, pointers: &[&str]) -> Option<u64> {
    let mut counts = pointers.iter().filter_map(|pointer| value.pointer(pointer));
    counts.find_map(|count| count.as_u64().filter(|n| *n <= MAX_COUNT))
}
