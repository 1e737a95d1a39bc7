//! Makes the extractive answer from retrieved chunks, and scores every answer, also a model's. Pure.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use crate::index::Hit;
use crate::text::{content_words, sentences};

/// The answer when no document matches.
pub(crate) const NO_ANSWER: &str = "The documents do not answer this question.";
/// The longest extractive answer.
const MAX_SENTENCES: usize = 3;

/// The response of `POST /ask`.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Answer {
    pub(crate) answer: String,
    /// The sources, best first.
    pub(crate) sources: Vec<Source>,
    /// See [`quality`].
    pub(crate) quality: f64,
}

/// A source of an answer.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct Source {
    pub(crate) path: String,
    pub(crate) heading: String,
    /// Cosine of the question and the passage.
    pub(crate) score: f32,
}

impl From<&Hit> for Source {
    fn from(hit: &Hit) -> Self {
        Self {
            path: hit.chunk.path.clone(),
            heading: hit.chunk.heading.clone(),
            score: hit.score,
        }
    }
}

/// An answer's text, and the passages that support it.
#[derive(Debug, Default)]
pub(crate) struct Draft {
    pub(crate) text: String,
    pub(crate) evidence: Vec<Evidence>,
}

/// A passage that supports an answer.
#[derive(Debug)]
pub(crate) struct Evidence {
    pub(crate) source: Source,
    /// The words of the quotation and of its heading.
    pub(crate) text: String,
}

/// Answers with sentences quoted from the hits: first the one that shares most words with the question,
/// then those that add further words of it. Empty if none shares any.
pub(crate) fn extractive_answer(question: &str, hits: &[Hit]) -> Draft {
    let asked = content_words(question);
    let mut left: Vec<Candidate<'_>> = hits.iter().flat_map(candidates).collect();
    let mut covered = BTreeSet::new();
    let mut draft = Draft::default();
    while draft.evidence.len() < MAX_SENTENCES
        && let Some(best) = take_best(&mut left, &asked, &covered)
    {
        covered.extend(best.words.intersection(&asked).cloned());
        draft.push(&best);
    }
    draft
}

/// Scores an answer from 0 to 1, the product of three shares:
///
/// - coverage: the share of the question's content words that occur in the evidence,
/// - grounding: the share of the answer's content words that occur in the evidence (1 for a quotation),
/// - match: the best cosine among the evidence, as a share of `full_match`, at most 1.
///
/// It measures whether the documents cover the question, and whether the answer follows them. It does
/// not measure whether they are correct.
pub(crate) fn quality(question: &str, draft: &Draft, full_match: f32) -> f64 {
    let held: BTreeSet<String> = draft
        .evidence
        .iter()
        .flat_map(|evidence| content_words(&evidence.text))
        .collect();
    let best = draft
        .evidence
        .iter()
        .map(|evidence| evidence.source.score)
        .fold(0.0, f32::max);
    let matched = f64::from((best / full_match).clamp(0.0, 1.0));
    let coverage = share(&content_words(question), &held);
    let grounding = share(&content_words(&draft.text), &held);
    // more digits have no meaning
    (coverage * grounding * matched * 1_000.0).round() / 1_000.0
}

impl Draft {
    /// Returns the answer with its distinct sources.
    pub(crate) fn into_answer(self, quality: f64) -> Answer {
        let mut sources: Vec<Source> = Vec::new();
        for source in self.evidence.into_iter().map(|evidence| evidence.source) {
            if !sources.contains(&source) {
                sources.push(source);
            }
        }
        sources.sort_by(|a, b| b.score.total_cmp(&a.score));
        let answer = if self.text.is_empty() {
            NO_ANSWER.to_owned()
        } else {
            self.text
        };
        Answer {
            answer,
            sources,
            quality,
        }
    }

    fn push(&mut self, candidate: &Candidate<'_>) {
        if !self.text.is_empty() {
            self.text.push(' ');
        }
        self.text.push_str(&candidate.sentence);
        self.evidence.push(Evidence {
            source: Source::from(candidate.hit),
            text: format!("{} {}", candidate.hit.chunk.heading, candidate.sentence),
        });
    }
}

struct Candidate<'a> {
    hit: &'a Hit,
    sentence: String,
    /// Words of the sentence and of its heading.
    words: BTreeSet<String>,
    /// Words of the sentence alone.
    own: BTreeSet<String>,
}

fn candidates(hit: &Hit) -> impl Iterator<Item = Candidate<'_>> {
    sentences(&hit.chunk.text).into_iter().map(move |sentence| {
        let own = content_words(&sentence);
        let words = own
            .union(&content_words(&hit.chunk.heading))
            .cloned()
            .collect();
        Candidate {
            hit,
            sentence,
            words,
            own,
        }
    })
}

/// Removes and returns the candidate that adds most, if any adds a word of the question.
fn take_best<'a>(
    left: &mut Vec<Candidate<'a>>,
    asked: &BTreeSet<String>,
    covered: &BTreeSet<String>,
) -> Option<Candidate<'a>> {
    let (best, gain) = left
        .iter()
        .enumerate()
        .map(|(at, candidate)| (at, gain(candidate, asked, covered)))
        .max_by(|(_, a), (_, b)| a.total_cmp(b))?;
    (gain > 0.0).then(|| left.swap_remove(best))
}

/// New words of the question count fully in the sentence, and half in its heading. Nearer passages count
/// more. A sentence that shares no word with the question scores 0.
fn gain(candidate: &Candidate<'_>, asked: &BTreeSet<String>, covered: &BTreeSet<String>) -> f32 {
    let new = |words: &BTreeSet<String>| {
        words
            .iter()
            .filter(|word| asked.contains(*word) && !covered.contains(*word))
            .count() as f32
    };
    let own = new(&candidate.own);
    if own == 0.0 {
        0.0
    } else {
        (own + new(&candidate.words)) / 2.0 * candidate.hit.score
    }
}

/// Returns the share of `of` that is in `among`; 0 if `of` is empty.
fn share(of: &BTreeSet<String>, among: &BTreeSet<String>) -> f64 {
    if of.is_empty() {
        0.0
    } else {
        of.intersection(among).count() as f64 / of.len() as f64
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::corpus::Chunk;

    fn hit(heading: &str, text: &str, score: f32) -> Hit {
        let chunk = Chunk {
            path: "a.md".into(),
            heading: heading.into(),
            text: text.into(),
        };
        Hit { chunk, score }
    }

    fn hits() -> Vec<Hit> {
        vec![
            hit(
                "Rate limits",
                "Wait before the next request. Bananas are yellow.",
                0.6,
            ),
            hit("Retries", "A 429 carries a Retry-After header.", 0.4),
        ]
    }

    #[test]
    fn the_sentences_that_share_words_are_quoted_and_no_others() {
        let draft = extractive_answer("How long to wait after a 429 on a request?", &hits());
        assert_eq!(
            draft.text,
            "Wait before the next request. A 429 carries a Retry-After header."
        );
        assert_eq!(draft.evidence.len(), 2);
    }

    #[test]
    fn nothing_in_common_is_no_answer_of_quality_0() {
        let question = "Which wine goes with salmon?";
        let draft = extractive_answer(question, &hits());
        let quality = quality(question, &draft, 0.3);
        let answer = draft.into_answer(quality);
        assert_eq!((answer.answer.as_str(), answer.quality), (NO_ANSWER, 0.0));
        assert!(answer.sources.is_empty());
    }

    #[test]
    fn a_full_match_that_covers_the_question_scores_1() {
        let question = "Wait before the next request?";
        let draft = extractive_answer(question, &hits());
        assert!((quality(question, &draft, 0.3) - 1.0).abs() < 1e-9);
        assert!((quality(question, &draft, 1.0) - 0.6).abs() < 1e-6);
    }

    #[test]
    fn an_answer_that_leaves_its_evidence_scores_less() {
        let question = "Wait before the next request?";
        let mut draft = extractive_answer(question, &hits());
        draft.text.push_str(" Unicorns invented throttling.");
        let scored = quality(question, &draft, 0.3);
        assert!(scored > 0.3 && scored < 0.6, "{scored}");
    }

    #[test]
    fn a_question_of_stop_words_scores_0() {
        let draft = extractive_answer("What is it?", &hits());
        assert_eq!(quality("What is it?", &draft, 0.3), 0.0);
    }

    #[test]
    fn a_source_quoted_twice_is_named_once() {
        let one = [hit("Limits", "Wait long. Retry late. Ask again.", 0.5)];
        let draft = extractive_answer("wait retry ask?", &one);
        assert_eq!(draft.evidence.len(), 3);
        assert_eq!(draft.into_answer(1.0).sources.len(), 1);
    }
}
