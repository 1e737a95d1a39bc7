//! The service itself: ingests documents once, then answers questions from them. Each stage is one
//! annotated function. Knows nothing of HTTP.

use std::fmt;
use std::sync::Arc;

use llm_observe::{genai::Usage, observe};

use crate::answer::{Answer, Draft, Evidence, Source, extractive_answer, quality};
use crate::corpus::{Chunk, Document, split};
use crate::embedding::{EmbedError, Embedder, HashedNgramEmbedder, Vector};
use crate::index::{Hit, Index};
use crate::openai::{OpenAi, OpenAiError};
use crate::text::words;

/// Texts in one embedding request. The API accepts up to 2,048.
pub(crate) const EMBEDDING_BATCH: usize = 64;
/// The most chunks that an answer is based on.
const TOP_CHUNKS: usize = 4;
/// The longest question, in characters.
const MAX_QUESTION: usize = 2_000;
const INSTRUCTIONS: &str = include_str!("instructions.txt");

/// A valid question.
#[derive(Debug, Clone)]
pub(crate) struct Question(String);

impl Question {
    /// Returns the trimmed question.
    ///
    /// # Errors
    /// It is empty, or longer than 2,000 characters.
    pub(crate) fn parse(text: &str) -> Result<Self, BadQuestion> {
        let text = text.trim();
        match text.chars().count() {
            0 => Err(BadQuestion::Empty),
            1..=MAX_QUESTION => Ok(Self(text.to_owned())),
            length => Err(BadQuestion::TooLong(length)),
        }
    }
}

/// Why a text is not a valid question.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum BadQuestion {
    Empty,
    TooLong(usize),
}

impl fmt::Display for BadQuestion {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Empty => f.write_str("the question is empty"),
            Self::TooLong(length) => {
                write!(
                    f,
                    "the question has {length} characters, at most {MAX_QUESTION} are taken"
                )
            }
        }
    }
}

impl std::error::Error for BadQuestion {}

/// Why a question could not be answered, or the documents could not be ingested.
#[derive(Debug)]
pub(crate) enum RagError {
    /// The documents have no text to search.
    NoText,
    Embedding(EmbedError),
    Chat(OpenAiError),
}

impl From<EmbedError> for RagError {
    fn from(error: EmbedError) -> Self {
        Self::Embedding(error)
    }
}

impl fmt::Display for RagError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::NoText => "the documents hold no text",
            Self::Embedding(_) => "cannot embed",
            Self::Chat(_) => "cannot phrase an answer",
        })
    }
}

impl std::error::Error for RagError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            Self::NoText => None,
            Self::Embedding(error) => Some(error),
            Self::Chat(error) => Some(error),
        }
    }
}

/// What writes the answer.
#[derive(Debug)]
enum Answerer {
    Extractive,
    Chat(Arc<OpenAi>),
}

impl Answerer {
    fn provider(&self) -> &'static str {
        match self {
            Self::Extractive => "local",
            Self::Chat(_) => "openai",
        }
    }

    fn model(&self) -> &str {
        match self {
            Self::Extractive => "extractive",
            Self::Chat(server) => server.chat_model(),
        }
    }

    /// Returns the tokens where they are known here: those of the local answerer are words. What a server
    /// took is in its response, which the observed client reads.
    fn usage(&self, question: &str, hits: &[Hit], draft: &Draft) -> Option<Usage> {
        let Self::Extractive = self else { return None };
        let count = |text: &str| words(text).count();
        let passages: usize = hits.iter().map(|hit| count(&hit.chunk.text)).sum();
        let read = u64::try_from(count(question) + passages).ok();
        Some(Usage::new(read, u64::try_from(count(&draft.text)).ok()))
    }
}

/// An index of documents that answers questions.
#[derive(Debug)]
pub(crate) struct Rag {
    index: Index,
    embedder: Embedder,
    answerer: Answerer,
}

impl Rag {
    /// Splits, embeds and indexes the documents. Embeds with `server`, or locally without one.
    ///
    /// # Errors
    /// The documents hold no text, or the server failed.
    #[observe(event = "ingest", items = documents.len())]
    pub(crate) async fn ingest(
        documents: &[Document],
        server: Option<Arc<OpenAi>>,
    ) -> Result<Self, RagError> {
        let chunks: Vec<Chunk> = documents.iter().flat_map(split).collect();
        if chunks.is_empty() {
            return Err(RagError::NoText);
        }
        let passages: Vec<String> = chunks.iter().map(Chunk::passage).collect();
        let (embedder, answerer) = match server {
            None => (
                Embedder::Local(HashedNgramEmbedder::fitted(&passages)),
                Answerer::Extractive,
            ),
            Some(server) => (
                Embedder::OpenAi(Arc::clone(&server)),
                Answerer::Chat(server),
            ),
        };
        let vectors = embed_all(&embedder, &passages).await?;
        Ok(Self {
            index: Index::new(chunks, vectors),
            embedder,
            answerer,
        })
    }

    /// Embeds questions with `server` from now on.
    pub(crate) fn embed_with(&mut self, server: Arc<OpenAi>) {
        self.embedder = Embedder::OpenAi(server);
    }

    /// Returns the number of chunks that are searched.
    pub(crate) fn chunks(&self) -> usize {
        self.index.len()
    }

    /// Answers a question from the documents.
    ///
    /// # Errors
    /// The question could not be embedded, or the answer not be phrased.
    #[observe(
        event = "query",
        quality = |answer| answer.quality,
        min_quality = 0.4,
        alert_on_error
    )]
    pub(crate) async fn ask(&self, question: &Question) -> Result<Answer, RagError> {
        let Question(text) = question;
        let vector = self
            .embedder
            .embed(std::slice::from_ref(text))
            .await?
            .concat();
        let hits = self.retrieve(&vector);
        let draft = self.answer(text, &hits).await?;
        let quality = quality(text, &draft, self.embedder.full_match());
        Ok(draft.into_answer(quality))
    }

    #[observe(
        event = "retrieval",
        operation = retrieval,
        data_source = "documents",
        items = self.index.len()
    )]
    fn retrieve(&self, question: &[f32]) -> Vec<Hit> {
        self.index.retrieve(question, TOP_CHUNKS)
    }

    #[observe(
        event = "answer",
        operation = chat,
        provider = self.answerer.provider(),
        model = self.answerer.model(),
        usage = |draft| self.answerer.usage(question, hits, draft),
        alert_on_error
    )]
    async fn answer(&self, question: &str, hits: &[Hit]) -> Result<Draft, RagError> {
        match &self.answerer {
            Answerer::Extractive => Ok(extractive_answer(question, hits)),
            Answerer::Chat(server) => chat_answer(server, question, hits).await,
        }
    }
}

async fn embed_all(embedder: &Embedder, passages: &[String]) -> Result<Vec<Vector>, EmbedError> {
    let mut vectors = Vec::with_capacity(passages.len());
    for batch in passages.chunks(EMBEDDING_BATCH) {
        vectors.extend(embedder.embed(batch).await?);
    }
    Ok(vectors)
}

async fn chat_answer(server: &OpenAi, question: &str, hits: &[Hit]) -> Result<Draft, RagError> {
    let passages: Vec<String> = hits.iter().map(|hit| hit.chunk.passage()).collect();
    let prompt = format!(
        "Passages:\n\n{}\n\nQuestion: {question}",
        passages.join("\n\n---\n\n")
    );
    let text = server
        .chat(INSTRUCTIONS, prompt)
        .await
        .map_err(RagError::Chat)?;
    let evidence = hits
        .iter()
        .zip(passages)
        .map(|(hit, text)| Evidence {
            source: Source::from(hit),
            text,
        })
        .collect();
    Ok(Draft { text, evidence })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn documents() -> Vec<Document> {
        let text = "# Rate limits\nA client that gets 429 waits for Retry-After.\n\
            # Logs\nLog files are rotated by size.\n";
        vec![Document {
            path: "a.md".into(),
            text: text.into(),
        }]
    }

    async fn ask(question: &str) -> Answer {
        let rag = Rag::ingest(&documents(), None)
            .await
            .expect("local code cannot fail");
        let question = Question::parse(question).expect("a question");
        rag.ask(&question).await.expect("local code cannot fail")
    }

    #[tokio::test]
    async fn a_question_is_answered_from_the_right_section() {
        let answer = ask("When are log files rotated?").await;
        assert_eq!(answer.answer, "Log files are rotated by size.");
        assert_eq!(
            answer.sources.first().map(|source| source.heading.as_str()),
            Some("Logs")
        );
        assert!(answer.quality > 0.9, "{}", answer.quality);
    }

    #[tokio::test]
    async fn a_question_out_of_scope_has_a_low_quality() {
        assert!(ask("Which wine goes with salmon?").await.quality < 0.2);
    }

    #[tokio::test]
    async fn documents_without_text_cannot_be_asked() {
        assert!(matches!(
            Rag::ingest(&[], None).await,
            Err(RagError::NoText)
        ));
    }

    #[test]
    fn questions_have_a_length() {
        assert_eq!(Question::parse(" \n").err(), Some(BadQuestion::Empty));
        let long = "a".repeat(MAX_QUESTION + 1);
        assert_eq!(
            Question::parse(&long).err(),
            Some(BadQuestion::TooLong(MAX_QUESTION + 1))
        );
        assert!(Question::parse(&"é".repeat(MAX_QUESTION)).is_ok());
    }
}
