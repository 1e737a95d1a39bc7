//! A score of a call.

use crate::kernel::ids::{SpanId, TraceId};

/// Longer names, labels and explanations are cut.
const MOST_NAME: usize = 256;
const MOST_EXPLANATION: usize = 8 * 1024;

/// A score of a call, with what there is to say about it.
///
/// Later, of a call that has ended, such as a thumb from the user interface:
///
/// ```
/// use llm_observe::{Score, TraceId, observe, testing};
///
/// #[observe]
/// fn answer(question: &str) -> Option<String> {
///     // The user interface gets the trace id with the answer.
///     llm_observe::current().trace_id().map(|id| id.to_string())
/// }
///
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let seen = testing::observe();
/// let trace_id = answer("why?").ok_or("no observer")?;
///
/// // In the handler of the thumb:
/// let trace_id = TraceId::from_hex(&trace_id).ok_or("no trace id")?;
/// Score::new("thumbs", 1.0).trace(trace_id).event("answer").record();
/// # #[cfg(feature = "genai")]
/// assert_eq!(seen.events()[0].trace_id, seen.calls()[0].trace_id);
/// # Ok(())
/// # }
/// ```
///
/// Without [`Score::trace`] it is a score of the call that runs. It does nothing without an observer, and
/// without the feature `genai`.
#[derive(Clone, Debug, PartialEq)]
#[must_use = "a score is recorded by `record`"]
pub struct Score {
    pub(crate) name: String,
    pub(crate) value: f64,
    pub(crate) label: Option<String>,
    pub(crate) explanation: Option<String>,
    pub(crate) trace: Option<TraceId>,
    pub(crate) span: Option<SpanId>,
    pub(crate) event: Option<String>,
}

impl Score {
    /// Returns a score by that name, best from 0 to 1, where 1 is the best. The histogram has no other
    /// ones, and one that is infinite or no number is none.
    pub fn new(name: impl AsRef<str>, value: f64) -> Score {
        Score {
            name: cut(name.as_ref(), MOST_NAME),
            value,
            label: None,
            explanation: None,
            trace: None,
            span: None,
            event: None,
        }
    }

    /// Sets what the score stands for: `pass`, `relevant`.
    pub fn label(mut self, label: impl AsRef<str>) -> Score {
        self.label = Some(cut(label.as_ref(), MOST_NAME));
        self
    }

    /// Sets why it is so; 8 KiB of it are kept.
    pub fn explanation(mut self, explanation: impl AsRef<str>) -> Score {
        self.explanation = Some(cut(explanation.as_ref(), MOST_EXPLANATION));
        self
    }

    /// Makes it a score of a call in that trace, which may have ended.
    pub fn trace(mut self, trace_id: TraceId) -> Score {
        self.trace = Some(trace_id);
        self
    }

    /// Sets which call of the trace it is a score of.
    pub fn span(mut self, span_id: SpanId) -> Score {
        self.span = Some(span_id);
        self
    }

    /// Sets the event of that call, for the metric. Default: that of the call that runs, else `_other`.
    pub fn event(mut self, event: impl AsRef<str>) -> Score {
        self.event = Some(cut(event.as_ref(), MOST_NAME));
        self
    }

    /// Records it. One without a trace is not recorded where no call runs.
    pub fn record(self) {
        super::record(&self);
    }
}

/// Scores the call that runs: the innermost annotated one, also in work that was taken along from it.
///
/// ```
/// use llm_observe::{observe, testing};
///
/// #[observe]
/// fn answer(question: &str) -> String {
///     let answer = question.to_uppercase();
///     llm_observe::score("brevity", 1.0 / answer.len() as f64);
///     answer
/// }
///
/// let seen = testing::observe();
/// answer("why?");
/// # #[cfg(feature = "genai")]
/// assert_eq!(seen.events()[0].message, "gen_ai.evaluation.result");
/// ```
///
/// [`Score`] has a label and an explanation besides, and scores calls that have ended.
pub fn score(name: impl AsRef<str>, value: f64) {
    Score::new(name, value).record();
}

fn cut(text: &str, most: usize) -> String {
    crate::kernel::pool::prefix(text, most).to_owned()
}
