//! The vector index: chunks with their vectors, searched linearly by cosine. Suitable for a few
//! thousand chunks. Does not know how vectors are made.

use crate::corpus::Chunk;
use crate::embedding::{Vector, cosine};

/// Chunks and their vectors.
#[derive(Debug, Default)]
pub(crate) struct Index {
    entries: Vec<(Chunk, Vector)>,
}

/// A chunk that a search found.
#[derive(Debug, Clone)]
pub(crate) struct Hit {
    pub(crate) chunk: Chunk,
    /// Cosine of the question and the chunk, -1 to 1.
    pub(crate) score: f32,
}

impl Index {
    pub(crate) fn new(chunks: Vec<Chunk>, vectors: Vec<Vector>) -> Self {
        Self {
            entries: chunks.into_iter().zip(vectors).collect(),
        }
    }

    /// Returns the number of chunks.
    pub(crate) fn len(&self) -> usize {
        self.entries.len()
    }

    /// Returns up to `limit` chunks nearest to `question`, best first. A cosine of 0 or less is no
    /// match.
    pub(crate) fn retrieve(&self, question: &[f32], limit: usize) -> Vec<Hit> {
        let mut scored: Vec<(f32, &Chunk)> = self
            .entries
            .iter()
            .map(|(chunk, vector)| (cosine(question, vector), chunk))
            .filter(|(score, _)| *score > 0.0)
            .collect();
        scored.sort_by(|(a, _), (b, _)| b.total_cmp(a));
        scored.truncate(limit);
        scored
            .into_iter()
            .map(|(score, chunk)| Hit {
                chunk: chunk.clone(),
                score,
            })
            .collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn chunk(text: &str) -> Chunk {
        Chunk {
            path: "a.md".into(),
            heading: String::new(),
            text: text.into(),
        }
    }

    fn index() -> Index {
        let chunks = ["up", "right", "left"].map(chunk).to_vec();
        Index::new(
            chunks,
            vec![vec![0.0, 1.0], vec![1.0, 0.0], vec![-1.0, 0.0]],
        )
    }

    #[test]
    fn the_nearest_come_first_and_the_opposite_not_at_all() {
        let found: Vec<String> = index()
            .retrieve(&[0.8, 0.6], 5)
            .into_iter()
            .map(|hit| hit.chunk.text)
            .collect();
        assert_eq!(found, ["right", "up"]);
    }

    #[test]
    fn no_more_than_asked_for() {
        assert_eq!(index().retrieve(&[0.8, 0.6], 1).len(), 1);
        assert_eq!(index().len(), 3);
    }
}
