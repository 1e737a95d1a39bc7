//! Embeds texts, locally or with an OpenAI-compatible server. The rest of the service gets unit vectors
//! and does not know their origin.

use std::fmt;
use std::sync::Arc;

use llm_observe::{genai::Usage, observe};

use crate::openai::{OpenAi, OpenAiError};
use crate::text::{stem, words};

/// A vector of length 1, so that the dot product of two is the cosine of their angle.
pub(crate) type Vector = Vec<f32>;

/// What embeds texts.
#[derive(Debug)]
pub(crate) enum Embedder {
    Local(HashedNgramEmbedder),
    OpenAi(Arc<OpenAi>),
}

impl Embedder {
    /// Returns one vector for each text, in order.
    ///
    /// # Errors
    /// The server failed, or did not return one vector for each text. The local embedder cannot fail.
    #[observe(
        event = "embedding",
        operation = embeddings,
        provider = self.provider(),
        model = self.model(),
        usage = |_| self.usage(texts),
        items = texts.len(),
        alert_on_error
    )]
    pub(crate) async fn embed(&self, texts: &[String]) -> Result<Vec<Vector>, EmbedError> {
        let vectors = match self {
            Self::Local(embedder) => texts.iter().map(|text| embedder.vector(text)).collect(),
            Self::OpenAi(server) => server.embeddings(texts).await?,
        };
        if vectors.len() == texts.len() {
            Ok(vectors.into_iter().map(normalised).collect())
        } else {
            Err(EmbedError::Count {
                asked: texts.len(),
                got: vectors.len(),
            })
        }
    }

    fn provider(&self) -> &'static str {
        match self {
            Self::Local(_) => "local",
            Self::OpenAi(_) => "openai",
        }
    }

    fn model(&self) -> &str {
        match self {
            Self::Local(_) => "hashed-ngrams",
            Self::OpenAi(server) => server.embedding_model(),
        }
    }

    /// Returns the tokens where they are known here: those of the local embedder are words. What a server
    /// took is in its response, which the observed client reads.
    fn usage(&self, texts: &[String]) -> Option<Usage> {
        let Self::Local(_) = self else { return None };
        let read: usize = texts.iter().map(|text| words(text).count()).sum();
        Some(Usage::new(u64::try_from(read).ok(), None))
    }

    /// Returns the least cosine at which a passage counts as a full match of a question.
    ///
    /// Not comparable between embedders. Hashed n-grams share little except the words themselves, so a
    /// third is high. Trained models put any two texts of one language well above zero.
    pub(crate) fn full_match(&self) -> f32 {
        match self {
            Self::Local(_) => 0.3,
            Self::OpenAi(_) => 0.5,
        }
    }
}

/// Why texts could not be embedded.
#[derive(Debug)]
pub(crate) enum EmbedError {
    Server(OpenAiError),
    Count { asked: usize, got: usize },
}

impl From<OpenAiError> for EmbedError {
    fn from(error: OpenAiError) -> Self {
        Self::Server(error)
    }
}

impl fmt::Display for EmbedError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Server(_) => f.write_str("the embedding server failed"),
            Self::Count { asked, got } => {
                write!(
                    f,
                    "the embedding server returned {got} vectors for {asked} texts"
                )
            }
        }
    }
}

impl std::error::Error for EmbedError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            Self::Server(error) => Some(error),
            Self::Count { .. } => None,
        }
    }
}

/// Returns the cosine of the angle of two unit vectors, -1 to 1.
pub(crate) fn cosine(left: &[f32], right: &[f32]) -> f32 {
    left.iter().zip(right).map(|(a, b)| a * b).sum()
}

/// Embeds without a model: word stems and the character trigrams in them, hashed into a fixed
/// number of signed buckets (feature hashing), each weighted by its rarity in the corpus.
///
/// It finds texts that share words or parts of words. It knows no synonyms and no meaning.
#[derive(Debug, Clone)]
pub(crate) struct HashedNgramEmbedder {
    /// Inverse document frequency of each bucket.
    rarity: Vec<f32>,
}

impl HashedNgramEmbedder {
    const BUCKETS: usize = 2_048;
    const WORD_WEIGHT: f32 = 1.0;
    const TRIGRAM_WEIGHT: f32 = 0.15;

    /// Derives the weight of each bucket from a corpus: ln((1 + n) / (1 + df)) + 1. A bucket that no
    /// text has weighs most; one that every text has weighs 1.
    pub(crate) fn fitted(texts: &[String]) -> Self {
        let mut frequency = vec![0_u32; Self::BUCKETS];
        for text in texts {
            let plain = Self {
                rarity: vec![1.0; Self::BUCKETS],
            }
            .weigh(text);
            for (count, weight) in frequency.iter_mut().zip(plain) {
                *count += u32::from(weight != 0.0);
            }
        }
        let total = texts.len() as f32;
        let rarity = frequency
            .iter()
            .map(|&df| ((1.0 + total) / (1.0 + df as f32)).ln() + 1.0)
            .collect();
        Self { rarity }
    }

    /// Returns the unit vector of a text, or the zero vector of a text without words.
    pub(crate) fn vector(&self, text: &str) -> Vector {
        normalised(self.weigh(text))
    }

    fn weigh(&self, text: &str) -> Vector {
        let mut vector = vec![0.0; Self::BUCKETS];
        for word in words(text).map(|word| stem(&word)) {
            self.add(&mut vector, "word", &word, Self::WORD_WEIGHT);
            for trigram in trigrams(&word) {
                self.add(&mut vector, "part", &trigram, Self::TRIGRAM_WEIGHT);
            }
        }
        // ten occurrences of a word do not weigh ten times as much
        vector
            .iter_mut()
            .for_each(|value: &mut f32| *value = value.signum() * value.abs().sqrt());
        vector
            .iter_mut()
            .zip(&self.rarity)
            .for_each(|(value, rarity)| *value *= rarity);
        vector
    }

    fn add(&self, vector: &mut [f32], kind: &str, feature: &str, weight: f32) {
        let hash = fnv1a(kind, feature);
        let bucket = usize::try_from(hash % Self::BUCKETS as u64).unwrap_or_default();
        // The sign is a bit that the bucket does not use. Two features in one bucket then cancel as
        // often as they add up, so collisions do not make texts similar.
        let sign = if hash >> 63 == 0 { 1.0 } else { -1.0 };
        if let Some(value) = vector.get_mut(bucket) {
            *value += sign * weight;
        }
    }
}

fn trigrams(word: &str) -> Vec<String> {
    let framed: Vec<char> = format!("<{word}>").chars().collect();
    framed
        .windows(3)
        .map(|window| window.iter().collect())
        .collect()
}

/// FNV-1a, 64 bits (RFC 9923): the same on every platform and in every run.
fn fnv1a(kind: &str, feature: &str) -> u64 {
    kind.bytes()
        .chain([0])
        .chain(feature.bytes())
        .fold(0xcbf2_9ce4_8422_2325, |hash, byte| {
            (hash ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01b3)
        })
}

fn normalised(mut vector: Vector) -> Vector {
    let length = cosine(&vector, &vector).sqrt();
    if length > 0.0 {
        vector.iter_mut().for_each(|value| *value /= length);
    }
    vector
}

#[cfg(test)]
mod tests {
    use super::*;

    const CORPUS: [&str; 4] = [
        "A client that receives 429 waits and retries with a growing delay.",
        "Log files are rotated by size, and old backups are removed.",
        "Prompts are private and are not written to the log.",
        "An embedding is a vector that stands for a text.",
    ];

    fn fitted() -> HashedNgramEmbedder {
        HashedNgramEmbedder::fitted(&CORPUS.map(str::to_owned))
    }

    #[test]
    fn a_text_is_most_like_itself() {
        let embedder = fitted();
        for text in CORPUS {
            let vector = embedder.vector(text);
            assert!((cosine(&vector, &vector) - 1.0).abs() < 1e-5);
        }
    }

    #[test]
    fn the_text_that_shares_words_is_nearest() {
        let embedder = fitted();
        for (question, best) in [
            ("How long does the client wait before it retries?", 0),
            ("When is a log file rotated?", 1),
            ("Are prompts private?", 2),
            ("What is an embedding vector?", 3),
        ] {
            let asked = embedder.vector(question);
            let score = |text: &str| cosine(&asked, &embedder.vector(text));
            let nearest =
                (0..CORPUS.len()).max_by(|&a, &b| score(CORPUS[a]).total_cmp(&score(CORPUS[b])));
            assert_eq!(nearest, Some(best), "{question}");
        }
    }

    #[test]
    fn texts_without_a_common_word_are_far_apart() {
        let embedder = fitted();
        let other = embedder.vector("Salmon pairs well with white wine");
        for text in CORPUS {
            assert!(cosine(&other, &embedder.vector(text)).abs() < 0.2, "{text}");
        }
    }

    #[test]
    fn a_text_without_a_word_is_the_zero_vector() {
        assert!(fitted().vector("?!").iter().all(|value| *value == 0.0));
    }

    #[test]
    fn the_hash_is_the_published_one() {
        // FNV-1a of "\0a" with an empty kind: computed by the recurrence in RFC 9923
        let step = |hash: u64, byte: u8| (hash ^ u64::from(byte)).wrapping_mul(1_099_511_628_211);
        assert_eq!(
            fnv1a("", "a"),
            step(step(14_695_981_039_346_656_037, 0), b'a')
        );
    }

    #[tokio::test]
    async fn the_local_embedder_returns_one_vector_a_text() {
        let texts = CORPUS.map(str::to_owned);
        let vectors = Embedder::Local(fitted())
            .embed(&texts)
            .await
            .expect("cannot fail");
        assert_eq!(vectors.len(), texts.len());
    }
}
