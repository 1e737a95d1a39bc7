//! The tokens of one answer, in the meaning of the OpenTelemetry GenAI conventions.

/// The tokens that an answer took. What is not known is `None`, never 0.
///
/// `input` includes the tokens read from a cache and those written to one. `output` includes those of
/// reasoning. Where a provider counts them apart, an implementation of `Response`
/// adds them.
///
/// ```
/// use llm_observe::genai::Usage;
///
/// let usage = Usage::new(812, 203).with_cache_read(640);
/// assert_eq!(usage.input, Some(812));
/// assert_eq!(usage.cache_read, Some(640));
/// assert_eq!(usage.reasoning, None);
///
/// // Only the input is known.
/// let usage = Usage::new(12, None);
/// ```
///
/// Numbers are taken as they are given. If they contradict each other, for example if more tokens are
/// read from a cache than there is input, they stay so; a price is then not computed from them.
#[non_exhaustive]
#[derive(Default, Clone, Copy, Debug, PartialEq)]
pub struct Usage {
    /// All tokens of the input, cached ones included (`gen_ai.usage.input_tokens`).
    pub input: Option<u64>,
    /// All tokens of the output, those of reasoning included (`gen_ai.usage.output_tokens`).
    pub output: Option<u64>,
    /// The part of the input that a provider's cache supplied (`gen_ai.usage.cache_read.input_tokens`).
    pub cache_read: Option<u64>,
    /// The part of the input that was written to a provider's cache
    /// (`gen_ai.usage.cache_creation.input_tokens`).
    pub cache_creation: Option<u64>,
    /// The part of the output that was spent on reasoning (`gen_ai.usage.reasoning.output_tokens`).
    pub reasoning: Option<u64>,
}

impl Usage {
    /// Returns the usage with these tokens of input and output.
    #[must_use]
    pub fn new(input: impl Into<Option<u64>>, output: impl Into<Option<u64>>) -> Usage {
        Usage {
            input: input.into(),
            output: output.into(),
            ..Usage::default()
        }
    }

    /// Sets the part of the input that was read from a cache.
    #[must_use]
    pub fn with_cache_read(mut self, tokens: impl Into<Option<u64>>) -> Usage {
        self.cache_read = tokens.into();
        self
    }

    /// Sets the part of the input that was written to a cache.
    #[must_use]
    pub fn with_cache_creation(mut self, tokens: impl Into<Option<u64>>) -> Usage {
        self.cache_creation = tokens.into();
        self
    }

    /// Sets the part of the output that was spent on reasoning.
    #[must_use]
    pub fn with_reasoning(mut self, tokens: impl Into<Option<u64>>) -> Usage {
        self.reasoning = tokens.into();
        self
    }

    /// Returns what is known after a later chunk of the same answer: the counts of `later`, and those of
    /// `self` that `later` does not have. Counts in a stream are totals so far, so they replace each
    /// other and are not added.
    ///
    /// ```
    /// use llm_observe::genai::Usage;
    ///
    /// let start = Usage::new(25, 1);
    /// let end = Usage::new(None, 15);
    /// assert_eq!(start.updated(end), Usage::new(25, 15));
    /// ```
    #[must_use]
    pub fn updated(self, later: Usage) -> Usage {
        Usage {
            input: later.input.or(self.input),
            output: later.output.or(self.output),
            cache_read: later.cache_read.or(self.cache_read),
            cache_creation: later.cache_creation.or(self.cache_creation),
            reasoning: later.reasoning.or(self.reasoning),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::Usage;

    #[test]
    fn nothing_is_known_until_it_is_said() {
        assert_eq!(Usage::new(None, None), Usage::default());
        assert_eq!(Usage::default().input, None);
        let all = Usage::new(10, 20)
            .with_cache_read(3)
            .with_cache_creation(4)
            .with_reasoning(5);
        assert_eq!(all.with_cache_read(None).cache_read, None);
        assert_eq!(all.updated(Usage::default()), all);
        assert_eq!(Usage::default().updated(all), all);
        assert_eq!(all.updated(Usage::new(0, None)).input, Some(0));
    }
}
