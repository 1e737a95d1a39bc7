//! An annotated function that is an operation of a model: what lines, spans, reports and metrics show of it.

mod notes;

use std::{any::Any, borrow::Cow, sync::Arc, time::Duration};

use super::{
    Cost, Usage,
    answer::{self, Answer},
    chunk_times::ChunkTimes,
    content::Content,
    dollars::dollars,
    kinds,
    ledger::Ledger,
    metrics::{RETRIEVAL_EMPTY, RETRIEVAL_TOP_SCORE},
    names,
    recorder::{EndedOperation, Taken},
    state::GenAiState,
};
pub use notes::*;

use crate::{
    kernel::{
        operation::{Attribute, AttributeValue, Chunk, Operation, OperationEnd, OperationFacts},
        outcome::{ErrorClass, Outcome},
    },
    redact::Redactor,
};

/// The largest score of a document that is recorded, in either direction.
const MOST_TOP_SCORE: f64 = 1e9;

/// What an operation is about, as its attribute says.
#[derive(Debug, Default)]
struct Subjects {
    provider: Option<String>,
    model: Option<String>,
    tool: Option<String>,
    agent: Option<String>,
    data_source: Option<String>,
}

/// An operation of a model, or around some.
#[derive(Debug)]
struct GenAi {
    facts: &'static OperationFacts,
    state: Arc<GenAiState>,
    ledger: Arc<Ledger>,
    about: Subjects,
    answer: Answer,
    /// The usage that the attribute's closure returned, and nothing else.
    stated: Answer,
    is_stream: bool,
    chunks: Option<Box<ChunkTimes>>,
    /// How many documents a search has found, and how well the best one fits.
    retrieved: Option<(u64, Option<f64>)>,
    /// Messages, where they are captured.
    content: Option<Box<Content>>,
    /// The label of the tenant that it is for, where that is one.
    tenant: Option<Arc<str>>,
    cost: Cost,
    /// As text lines have them.
    shown_cost: String,
    shown_first: String,
}

/// What a test sees of an operation.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Snapshot {
    pub(crate) usage: Option<Usage>,
    pub(crate) cost: Cost,
}

impl GenAi {
    fn new(facts: &'static OperationFacts, state: Arc<GenAiState>, ledger: Arc<Ledger>) -> GenAi {
        GenAi {
            facts,
            state,
            ledger,
            about: Subjects::default(),
            answer: Answer::default(),
            stated: Answer::default(),
            is_stream: false,
            chunks: None,
            retrieved: None,
            content: None,
            tenant: None,
            cost: Cost::Unpriced,
            shown_cost: String::new(),
            shown_first: String::new(),
        }
    }

    fn provider(&self) -> Option<&str> {
        self.about.provider.as_deref().or(self.answer.provider)
    }

    /// Returns what its span is named by besides the operation.
    fn subject(&self) -> Option<&str> {
        let about = &self.about;
        let subject = match self.facts.name {
            "retrieval" => &about.data_source,
            "execute_tool" => &about.tool,
            "create_agent" | "invoke_agent" => &about.agent,
            "invoke_workflow" => &None,
            _ => &about.model,
        };
        subject.as_deref()
    }

    /// Completes what is known of it.
    fn complete(&mut self, end: &OperationEnd) {
        if let Some(requests) = self.ledger.close() {
            self.answer.completed_by(*requests);
        }
        if self.stated.usage.is_some() {
            self.answer.usage = self.stated.usage;
        }
        // `gen_ai.tool.name` is required.
        if self.facts.name == kinds::EXECUTE_TOOL.name && self.about.tool.is_none() {
            self.about.tool = Some(end.event.to_owned());
        }
        let (provider, model) = (self.provider(), self.about.model.as_deref());
        self.cost = self.state.cost(provider, model, &self.answer);
        self.shown_cost = self.cost.usd().map(dollars).unwrap_or_default();
        self.shown_first = self.answer.first_chunk.map(seconds).unwrap_or_default();
    }

    /// What the value says by its type goes before `items` and `quality`.
    fn record_retrieval(&self, end: &OperationEnd) {
        let labels = [("event", end.event), ("function", end.function)];
        let documents = self.retrieved.map(|(documents, _)| documents).or(end.items);
        if let Some(documents) = documents {
            // At 0 from the first search on.
            let empty = self.state.stats.counter(RETRIEVAL_EMPTY, &labels);
            empty.add(u64::from(documents == 0));
        }
        let top_score = self
            .retrieved
            .and_then(|(_, top_score)| top_score)
            .or(end.quality);
        // A larger one would spoil the sum for ever.
        if let Some(score) = top_score.filter(|score| score.abs() <= MOST_TOP_SCORE) {
            self.state
                .metrics
                .observe(RETRIEVAL_TOP_SCORE, &labels, score);
        }
    }

    fn record(&self, end: &OperationEnd) {
        let error_type = self.error_type(end.outcome, end.class.unwrap_or(ErrorClass::Other));
        let ended = EndedOperation {
            operation: self.facts.name,
            provider: self.provider(),
            requested: self.about.model.as_deref(),
            answered: self.answer.model.as_deref(),
            server: &[],
            error_type: error_type.as_deref(),
            duration: end.duration,
            first_chunk: self.answer.first_chunk.filter(|_| self.is_stream),
            chunks: self.chunks.as_deref(),
        };
        let is_of_model = kinds::is_of_model(self.facts.name);
        let usage = self.answer.usage;
        let counts = (usage.is_some() || self.cost.usd().is_some()) && !self.ledger.is_counted();
        let taken = counts.then_some(Taken {
            event: end.event,
            usage,
            cost: self.cost,
            tenant: self.tenant.clone(),
        });
        if counts {
            self.ledger.mark_counted();
            if let Some(usd) = self.cost.usd() {
                self.ledger.spend(&self.state.budgets, usd);
            }
        }
        // The metrics of the conventions need a provider, which tools and workflows have none of.
        if is_of_model || ended.provider.is_some() || counts {
            ended.record_times(&self.state);
            if let Some(taken) = &taken {
                ended.record_taken(&self.state, taken);
            }
        }
        let is_missing = is_of_model && usage.is_none() && end.outcome == Outcome::Ok;
        if is_missing && !self.ledger.is_missed() {
            self.ledger.mark_missed();
            ended.missing(&self.state, end.event);
        }
    }
}

impl Operation for GenAi {
    fn attributes(&self, visit: &mut dyn FnMut(Attribute<'_>, AttributeValue<'_>)) {
        let mut text = |name: Attribute<'static>, value: Option<&str>| {
            if let Some(value) = value {
                visit(name, AttributeValue::text(value));
            }
        };
        let (about, answer) = (&self.about, &self.answer);
        let answered = Attribute::new(names::RESPONSE_MODEL);
        text(Attribute::new(names::OPERATION), Some(self.facts.name));
        text(Attribute::new(names::PROVIDER), self.provider());
        text(
            Attribute::new(names::REQUEST_MODEL).short("model"),
            about.model.as_deref(),
        );
        text(
            match about.model {
                Some(_) => answered,
                None => answered.short("model"),
            },
            answer.model.as_deref(),
        );
        text(
            Attribute::new(names::TOOL).short("tool"),
            about.tool.as_deref(),
        );
        text(
            Attribute::new(names::AGENT).short("agent"),
            about.agent.as_deref(),
        );
        text(
            Attribute::new(names::DATA_SOURCE).short("data_source"),
            about.data_source.as_deref(),
        );
        text(Attribute::new(names::RESPONSE_ID), answer.id.as_deref());
        let reasons = answer.finish_reasons.join(",");
        let reasons = Some(reasons.as_str()).filter(|reasons| !reasons.is_empty());
        text(Attribute::new(names::FINISH_REASONS), reasons);
        if self.is_stream {
            visit(
                Attribute::new(names::REQUEST_STREAM),
                AttributeValue::Bool(true),
            );
        }
        self.usage_attributes(visit);
        if let Some(usd) = self.cost.usd() {
            visit(Attribute::new(names::COST), AttributeValue::F64(usd));
        }
        if let Some(source) = self.cost.source() {
            visit(
                Attribute::new(names::COST_SOURCE),
                AttributeValue::Plain(source),
            );
        }
        if let Some(first) = answer.first_chunk {
            let first = AttributeValue::F64(first.as_secs_f64());
            visit(Attribute::new(names::FIRST_CHUNK), first);
        }
        self.content_attributes(visit);
        for (short, shown) in [("cost", &self.shown_cost), ("ttfc", &self.shown_first)] {
            if !shown.is_empty() {
                visit(Attribute::only_short(short), AttributeValue::Plain(shown));
            }
        }
    }

    fn span_name(&self) -> Option<Cow<'_, str>> {
        let operation = self.facts.name;
        Some(match self.subject() {
            Some(subject) => format!("{operation} {subject}").into(),
            None => operation.into(),
        })
    }

    fn chunk(&mut self, chunk: Chunk) {
        match (chunk.since_last(), &mut self.chunks) {
            (Some(time), Some(chunks)) => chunks.add(time),
            _ => {
                self.is_stream = true;
                self.answer.first_chunk = Some(chunk.since_start());
                self.chunks = Some(Box::new(ChunkTimes::new(&self.state.chunk_bounds)));
            }
        }
    }

    fn is_complete(&self) -> bool {
        !self.answer.finish_reasons.is_empty()
    }

    fn ended(&mut self, end: &OperationEnd) {
        self.complete(end);
        self.record(end);
        if self.facts.name == kinds::RETRIEVAL.name && end.outcome == Outcome::Ok {
            self.record_retrieval(end);
        }
    }

    fn redact(&mut self, redactor: &Redactor) {
        let about = &mut self.about;
        let names = [
            &mut about.provider,
            &mut about.model,
            &mut about.tool,
            &mut about.agent,
            &mut about.data_source,
        ];
        for name in names.into_iter().flatten() {
            answer::redact(name, redactor);
        }
        self.answer.redact(redactor);
        if let Some(content) = &mut self.content {
            let is_messages = !matches!(self.facts.name, "execute_tool" | "retrieval");
            let reason = self.answer.finish_reasons.first().map(String::as_str);
            content.finish(is_messages, reason, self.state.capture, redactor);
        }
    }

    fn snapshot(&self) -> Option<Arc<dyn Any + Send + Sync>> {
        Some(Arc::new(Snapshot {
            usage: self.answer.usage,
            cost: self.cost,
        }))
    }
}

impl GenAi {
    fn content_attributes(&self, visit: &mut dyn FnMut(Attribute<'_>, AttributeValue<'_>)) {
        let Some(content) = &self.content else { return };
        let [input, output] = names::content(self.facts.name);
        for (name, shown) in [
            (input, &content.shown_input),
            (output, &content.shown_output),
        ] {
            if !shown.is_empty() {
                visit(Attribute::new(name), AttributeValue::text(shown));
            }
        }
    }

    fn usage_attributes(&self, visit: &mut dyn FnMut(Attribute<'_>, AttributeValue<'_>)) {
        let usage = self.answer.usage.unwrap_or_default();
        let cache_creation = names::cache_creation(self.state.conventions);
        for (attribute, count) in [
            (Attribute::new(names::INPUT).short("in"), usage.input),
            (Attribute::new(names::OUTPUT).short("out"), usage.output),
            (Attribute::new(names::CACHE_READ), usage.cache_read),
            (Attribute::new(cache_creation), usage.cache_creation),
            (Attribute::new(names::REASONING), usage.reasoning),
        ] {
            if let Some(count) = count {
                visit(attribute, AttributeValue::U64(count));
            }
        }
    }
}

/// Returns a time as text lines have it: `310ms`, `1.2s`.
fn seconds(time: Duration) -> String {
    match time.as_secs_f64() {
        seconds if seconds >= 1.0 => format!("{seconds:.1}s"),
        _ => format!("{}ms", time.as_millis()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn operations_have_the_kinds_of_the_conventions() {
        let of = |name| kinds::ALL.iter().find(|facts| facts.name == name).unwrap();
        assert_eq!(of("chat").kind.as_str(), "client");
        assert_eq!(of("execute_tool").kind.as_str(), "internal");
        assert_eq!(kinds::ALL.len(), 9);
    }
}
