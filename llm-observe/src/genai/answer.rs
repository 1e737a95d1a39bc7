//! What is kept of the answers of models: bounded in size, and plausible.

use std::time::Duration;

use super::{FinishReasons, Response, Usage};
use crate::{kernel::pool::prefix, redact::Redactor};

/// The most bytes that are kept of a name, an id or a reason.
pub(super) const MAX_TEXT: usize = 256;

/// The largest plausible count of tokens. Larger ones are ignored, as if they were not known.
const MAX_COUNT: u64 = 1 << 40;

/// What is known of an answer. Unknown is absent.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Answer {
    pub(crate) model: Option<String>,
    pub(crate) id: Option<String>,
    pub(crate) finish_reasons: Vec<String>,
    pub(crate) usage: Option<Usage>,
    /// The cost that the provider reports.
    pub(crate) reported_usd: Option<f64>,
    /// The provider, where only the request says it.
    pub(crate) provider: Option<&'static str>,
    pub(crate) first_chunk: Option<Duration>,
}

impl Answer {
    /// Takes what an answer, or the next chunk of one, says. Nothing is copied of what is known already.
    #[inline]
    pub(super) fn take(&mut self, said: &dyn Response) {
        if self.model.is_none() {
            self.model = said.model().and_then(text);
        }
        if self.id.is_none() {
            self.id = said.id().and_then(text);
        }
        let reasons = said.finish_reasons();
        if !reasons.is_empty() {
            self.add_reasons(&reasons);
        }
        if let Some(usage) = said.usage() {
            self.take_usage(usage);
        }
        if let Some(usd) = said.cost_usd() {
            self.reported_usd = Some(usd);
        }
    }

    /// Takes the counts that are known and plausible. Those of a stream are totals so far.
    pub(super) fn take_usage(&mut self, usage: Usage) {
        let known = self.usage.unwrap_or_default().updated(plausible(usage));
        self.usage = Some(known).filter(|usage| *usage != Usage::default());
    }

    fn add_reasons(&mut self, reasons: &FinishReasons<'_>) {
        let room = FinishReasons::MAX.saturating_sub(self.finish_reasons.len());
        let new = reasons.iter().filter_map(text).take(room);
        self.finish_reasons.extend(new);
    }

    /// Takes the answer to a later request of the same operation: tokens and costs add up.
    pub(super) fn followed_by(&mut self, later: Answer) {
        self.usage = match (self.usage, later.usage) {
            (Some(a), Some(b)) => Some(sum(a, b)),
            (a, b) => a.or(b),
        };
        self.reported_usd = match (self.reported_usd, later.reported_usd) {
            (Some(a), Some(b)) => Some(a + b),
            (a, b) => a.or(b),
        };
        self.model = later.model.or(self.model.take());
        self.id = later.id.or(self.id.take());
        self.provider = later.provider.or(self.provider);
        self.first_chunk = later.first_chunk.or(self.first_chunk);
        if !later.finish_reasons.is_empty() {
            self.finish_reasons = later.finish_reasons;
        }
    }

    /// Takes what is not known from the requests that the operation has sent.
    pub(super) fn completed_by(&mut self, requests: Answer) {
        if self.usage.is_none() {
            self.usage = requests.usage;
            self.reported_usd = self.reported_usd.or(requests.reported_usd);
        }
        self.model = self.model.take().or(requests.model);
        self.id = self.id.take().or(requests.id);
        self.provider = requests.provider;
        self.first_chunk = self.first_chunk.or(requests.first_chunk);
        if self.finish_reasons.is_empty() {
            self.finish_reasons = requests.finish_reasons;
        }
    }

    pub(super) fn redact(&mut self, redactor: &Redactor) {
        let texts = self.model.iter_mut().chain(&mut self.id);
        texts
            .chain(&mut self.finish_reasons)
            .for_each(|text| redact(text, redactor));
    }
}

/// Takes secrets out of a text.
pub(super) fn redact(text: &mut String, redactor: &Redactor) {
    if let std::borrow::Cow::Owned(clean) = redactor.redact(text) {
        *text = clean;
    }
}

/// Returns a copy of a text that is there, of bounded length.
fn text(text: &str) -> Option<String> {
    (!text.is_empty()).then(|| prefix(text, MAX_TEXT).to_owned())
}

/// Returns the counts that may be true.
fn plausible(usage: Usage) -> Usage {
    let plausible = |count: Option<u64>| count.filter(|count| *count <= MAX_COUNT);
    Usage {
        input: plausible(usage.input),
        output: plausible(usage.output),
        cache_read: plausible(usage.cache_read),
        cache_creation: plausible(usage.cache_creation),
        reasoning: plausible(usage.reasoning),
    }
}

/// Returns the sum of two counts; the one that is known where the other is not.
fn sum(a: Usage, b: Usage) -> Usage {
    let sum = |a: Option<u64>, b: Option<u64>| match (a, b) {
        (Some(a), Some(b)) => Some(a.saturating_add(b)),
        (a, b) => a.or(b),
    };
    Usage {
        input: sum(a.input, b.input),
        output: sum(a.output, b.output),
        cache_read: sum(a.cache_read, b.cache_read),
        cache_creation: sum(a.cache_creation, b.cache_creation),
        reasoning: sum(a.reasoning, b.reasoning),
    }
}
