//! Counts of tokens as a provider reports them, and what they mean in the conventions.

use serde_json::Value;

use super::usage_formats::{FORMATS, UsageFormat};
use crate::genai::Usage;

/// The largest plausible count. A larger one is absent.
const MAX_COUNT: u64 = 1 << 40;

/// Keys from one object to the next inner one.
pub(super) type Path = &'static [&'static str];

/// The tokens of one call, as reported. A count that the provider did not report is `None`, never 0.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct TokenCounts {
    pub(crate) input: Option<u64>,
    pub(crate) output: Option<u64>,
    pub(crate) total: Option<u64>,
    pub(crate) cache_read: Option<u64>,
    pub(crate) cache_creation: Option<u64>,
    pub(crate) reasoning: Option<u64>,
    /// Results of tools that are input and not counted in `input`.
    pub(crate) tool_results: Option<u64>,
    /// Whether `input` does not include what a cache supplied and took.
    pub(crate) cache_is_apart: bool,
    /// Whether `output` does not include `reasoning`.
    pub(crate) reasoning_is_apart: bool,
}

impl TokenCounts {
    /// Reads an object with counts, of whichever provider; `None` if it has none.
    pub(crate) fn of(object: &Value) -> Option<TokenCounts> {
        let format = FORMATS.iter().find(|format| format.is_of(object))?;
        format.read(object)
    }

    /// Takes the counts that `later` has, and keeps the others.
    #[cfg(feature = "http-client")]
    pub(crate) fn update(&mut self, later: TokenCounts) {
        let newer = |old: &mut Option<u64>, new: Option<u64>| *old = new.or(*old);
        newer(&mut self.input, later.input);
        newer(&mut self.output, later.output);
        newer(&mut self.total, later.total);
        newer(&mut self.cache_read, later.cache_read);
        newer(&mut self.cache_creation, later.cache_creation);
        newer(&mut self.reasoning, later.reasoning);
        newer(&mut self.tool_results, later.tool_results);
        self.cache_is_apart |= later.cache_is_apart;
        self.reasoning_is_apart |= later.reasoning_is_apart;
    }

    /// Returns the counts in the meaning of the conventions: `input` with all that was cached, `output`
    /// with all reasoning.
    pub(crate) fn usage(&self) -> Usage {
        Usage::new(self.all_input(), self.all_output())
            .with_cache_read(self.cache_read)
            .with_cache_creation(self.cache_creation)
            .with_reasoning(self.reasoning)
    }

    fn all_input(&self) -> Option<u64> {
        let cached =
            [self.cache_read, self.cache_creation].map(|n| n.filter(|_| self.cache_is_apart));
        let apart = cached.into_iter().chain([self.tool_results]).flatten();
        match self.input {
            Some(input) => Some(apart.fold(input, u64::saturating_add)),
            // Only the total is known, as in responses to embeddings.
            None => self.total?.checked_sub(self.output.unwrap_or(0)),
        }
    }

    fn all_output(&self) -> Option<u64> {
        let apart = self.reasoning.filter(|_| self.has_reasoning_apart());
        match (self.output, apart) {
            (Some(output), Some(apart)) => Some(output.saturating_add(apart)),
            (output, apart) => output.or(apart),
        }
    }

    /// xAI answers in OpenAI's format, and counts reasoning in the total alone.
    /// <https://docs.x.ai/docs/guides/reasoning>
    fn has_reasoning_apart(&self) -> bool {
        let sum = |parts: [Option<u64>; 3]| {
            parts
                .into_iter()
                .try_fold(0_u64, |sum, n| sum.checked_add(n?))
        };
        self.reasoning_is_apart
            || self.reasoning.is_some_and(|n| n > 0)
                && self.total.is_some()
                && sum([self.input, self.output, self.reasoning]) == self.total
    }
}

impl UsageFormat {
    fn is_of(&self, object: &Value) -> bool {
        self.marks.iter().any(|path| at(object, path).is_some())
    }

    fn read(&self, object: &Value) -> Option<TokenCounts> {
        let first = |paths: &[Path]| paths.iter().find_map(|path| count(at(object, path)?));
        let counts = TokenCounts {
            input: first(self.input),
            output: first(self.output),
            total: first(self.total),
            cache_read: first(self.cache_read),
            cache_creation: first(self.cache_creation),
            reasoning: first(self.reasoning),
            tool_results: first(self.tool_results),
            ..TokenCounts::default()
        };
        (counts != TokenCounts::default()).then_some(TokenCounts {
            cache_is_apart: self.cache_is_apart,
            reasoning_is_apart: self.reasoning_is_apart,
            ..counts
        })
    }
}

/// Returns what is at `path` below `value`; `null` is as good as nothing.
pub(super) fn at<'v>(value: &'v Value, path: &[&str]) -> Option<&'v Value> {
    let found = path.iter().try_fold(value, |value, key| value.get(key));
    found.filter(|found| !found.is_null())
}

/// Reads a count: an integer from 0 to [`MAX_COUNT`], however it is written (`12`, `12.0`, `1.2e1`).
/// Anything else is absent.
fn count(value: &Value) -> Option<u64> {
    let whole = || {
        let text = value.as_number()?.to_string();
        text.strip_suffix(".0")?.parse().ok()
    };
    let count = value.as_u64().or_else(whole)?;
    (count <= MAX_COUNT).then_some(count)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_count_is_a_plausible_integer_or_absent() {
        for (value, wanted) in [
            (json!(0), Some(0)),
            (json!(12), Some(12)),
            // JSON knows one kind of numbers, and Cohere documents its counts as `double`.
            (json!(12.0), Some(12)),
            (json!(1.2e1), Some(12)),
            (json!(MAX_COUNT), Some(MAX_COUNT)),
            (json!(MAX_COUNT + 1), None),
            (json!((1_u64 << 53) + 2), None),
            (json!(1e300), None),
            (json!(-1), None),
            (json!(-1.0), None),
            (json!(1.5), None),
            (json!("9"), None),
            (json!(null), None),
            (json!(true), None),
            (json!([9]), None),
        ] {
            assert_eq!(count(&value), wanted, "{value}");
        }
    }

    #[test]
    fn a_total_alone_is_input() {
        let usage = |value| TokenCounts::of(&value).map(|counts| counts.usage());
        assert_eq!(usage(json!({"total_tokens": 8})), Some(Usage::new(8, None)));
        assert_eq!(
            usage(json!({"completion_tokens": 3, "total_tokens": 8})),
            Some(Usage::new(5, 3))
        );
        // A total that is less than its part says nothing.
        assert_eq!(
            usage(json!({"completion_tokens": 9, "total_tokens": 8})),
            Some(Usage::new(None, 9))
        );
        assert_eq!(usage(json!({"total_tokens": -8})), None);
        assert_eq!(usage(json!({"other": 8})), None);
        assert_eq!(usage(json!(8)), None);
    }
}
