//! A model of local code. It quotes the note that has the most words of the question, one word after the other.
//!
//! Its tokens are words, for it reads and writes nothing else: input is the words of the question, output the words
//! that it has written so far. It knows both and says so with each chunk, so that an answer that nobody read to its
//! end has its tokens too. Words are not the tokens of other models: do not compare them.

use std::time::Duration;

use async_openai::types::chat::{
    ChatChoiceStream, ChatCompletionStreamResponseDelta, CompletionUsage, FinishReason,
};
use futures_util::{Stream, StreamExt, stream};

use crate::{model::Chunk, notes};

/// Between two words.
const PACE: Duration = Duration::from_millis(30);
/// How far an answer gets that stalls.
const WORDS_BEFORE_STALL: usize = 3;

/// How the local model answers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Manner {
    Quotes,
    /// Falls silent in the middle of the answer, as an overloaded server does.
    Stalls,
}

impl Manner {
    /// Returns the name of the model.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Manner::Quotes => "quotes",
            Manner::Stalls => "quotes-stalls",
        }
    }

    /// Returns the one of that name.
    pub(crate) fn named(name: &str) -> Option<Manner> {
        let all = [Manner::Quotes, Manner::Stalls];
        all.into_iter().find(|manner| manner.name() == name)
    }
}

/// Answers a question.
pub(crate) fn answer(question: &str, manner: Manner) -> impl Stream<Item = Chunk> + use<> {
    let read = question.split_whitespace().count();
    let mut chunks = chunks(notes::nearest(question), read, manner);
    if manner == Manner::Stalls {
        chunks.truncate(WORDS_BEFORE_STALL);
    }
    let paced = stream::iter(chunks).then(async |chunk| {
        tokio::time::sleep(PACE).await;
        chunk
    });
    match manner {
        Manner::Quotes => paced.left_stream(),
        Manner::Stalls => paced.chain(stream::pending()).right_stream(),
    }
}

fn chunks(quote: &str, read: usize, manner: Manner) -> Vec<Chunk> {
    let words: Vec<&str> = quote.split_inclusive(' ').collect();
    let last = words.len();
    let words = words.into_iter().zip(1..);
    words
        .map(|(word, written)| chunk(word, written == last, usage(read, written), manner))
        .collect()
}

fn chunk(word: &str, is_last: bool, usage: CompletionUsage, manner: Manner) -> Chunk {
    let delta = ChatCompletionStreamResponseDelta {
        content: Some(word.to_owned()),
        ..ChatCompletionStreamResponseDelta::default()
    };
    let choice = ChatChoiceStream {
        delta,
        finish_reason: is_last.then_some(FinishReason::Stop),
        ..ChatChoiceStream::default()
    };
    Chunk {
        model: manner.name().to_owned(),
        choices: vec![choice],
        usage: Some(usage),
        ..Chunk::default()
    }
}

fn usage(read: usize, written: usize) -> CompletionUsage {
    let count = |words| u32::try_from(words).unwrap_or(u32::MAX);
    CompletionUsage {
        prompt_tokens: count(read),
        completion_tokens: count(written),
        total_tokens: count(read.saturating_add(written)),
        ..CompletionUsage::default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn it_quotes_a_note_and_knows_its_words() {
        let chunks: Vec<Chunk> = answer("what of the outbox without a volume", Manner::Quotes)
            .collect()
            .await;
        let words = chunks.iter().flat_map(|chunk| &chunk.choices);
        let text: String = words.filter_map(|c| c.delta.content.as_deref()).collect();
        assert!(text.starts_with("Without a volume"), "{text}");
        let last = chunks.last().expect("a note has words");
        assert_eq!(last.choices[0].finish_reason, Some(FinishReason::Stop));
        let usage = last.usage.as_ref().expect("it knows");
        assert_eq!(usage.prompt_tokens, 7);
        assert_eq!(
            usage.completion_tokens as usize,
            text.split_whitespace().count()
        );
    }
}
