//! A model of local code, with three rules: after a tool it says what the tool said; a question with a calculation in
//! it goes to the calculator; any other to the search.
//!
//! Its tokens are words: those of the messages that it read, and those that it wrote. It refuses every third request,
//! so that there is something to try again.

use std::{
    error, fmt,
    sync::atomic::{AtomicU32, Ordering},
};

use async_openai::types::chat::{
    ChatChoice, ChatCompletionMessageToolCall, ChatCompletionMessageToolCalls,
    ChatCompletionRequestMessage, ChatCompletionRequestToolMessageContent,
    ChatCompletionRequestUserMessageContent, ChatCompletionResponseMessage, CompletionUsage,
    CreateChatCompletionResponse, FinishReason, FunctionCall,
};
use serde_json::json;

use crate::tools::{CALCULATE, SEARCH};

/// The model.
#[derive(Debug, Default)]
pub(crate) struct Rules {
    requests: AtomicU32,
}

impl Rules {
    /// Its name.
    pub(crate) const NAME: &str = "three-rules";

    /// Replies to the last message.
    ///
    /// # Errors
    /// Every third request is refused.
    pub(crate) fn reply(
        &self,
        messages: &[ChatCompletionRequestMessage],
    ) -> Result<CreateChatCompletionResponse, Busy> {
        if self.requests.fetch_add(1, Ordering::Relaxed) % 3 == 2 {
            return Err(Busy);
        }
        let texts: Vec<&str> = messages.iter().filter_map(text).collect();
        let read = texts.iter().map(|text| words(text)).sum();
        let last = texts.last().copied().unwrap_or_default();
        let (message, finish_reason, written) = match messages.last() {
            Some(ChatCompletionRequestMessage::Tool(_)) => say(&format!("The tool says: {last}")),
            _ => ask(last),
        };
        let choice = ChatChoice {
            message,
            finish_reason: Some(finish_reason),
            ..ChatChoice::default()
        };
        Ok(CreateChatCompletionResponse {
            model: Rules::NAME.to_owned(),
            choices: vec![choice],
            usage: Some(usage(read, written)),
            ..CreateChatCompletionResponse::default()
        })
    }
}

type Reply = (ChatCompletionResponseMessage, FinishReason, u32);

fn say(text: &str) -> Reply {
    let message = ChatCompletionResponseMessage {
        content: Some(text.to_owned()),
        ..ChatCompletionResponseMessage::default()
    };
    (message, FinishReason::Stop, words(text))
}

fn ask(question: &str) -> Reply {
    let (name, arguments) = match calculation(question) {
        Some(expression) => (CALCULATE, json!({"expression": expression})),
        None => (SEARCH, json!({"query": question})),
    };
    let function = FunctionCall {
        name: name.to_owned(),
        arguments: arguments.to_string(),
    };
    let written = 1 + words(&function.arguments);
    let call = ChatCompletionMessageToolCall {
        id: "call-1".to_owned(),
        function,
    };
    let message = ChatCompletionResponseMessage {
        tool_calls: Some(vec![ChatCompletionMessageToolCalls::Function(call)]),
        ..ChatCompletionResponseMessage::default()
    };
    (message, FinishReason::ToolCalls, written)
}

/// Returns the first `number operator number` of a text.
fn calculation(question: &str) -> Option<String> {
    let words: Vec<&str> = question
        .split_whitespace()
        .map(|word| word.trim_end_matches(['?', '.']))
        .collect();
    let is_number = |word: &str| word.parse::<i64>().is_ok();
    words.windows(3).find_map(|window| match window {
        [left, operator @ ("+" | "-" | "*" | "/"), right]
            if is_number(left) && is_number(right) =>
        {
            Some(format!("{left} {operator} {right}"))
        }
        _ => None,
    })
}

fn text(message: &ChatCompletionRequestMessage) -> Option<&str> {
    match message {
        ChatCompletionRequestMessage::User(message) => match &message.content {
            ChatCompletionRequestUserMessageContent::Text(text) => Some(text),
            ChatCompletionRequestUserMessageContent::Array(_) => None,
        },
        ChatCompletionRequestMessage::Tool(message) => match &message.content {
            ChatCompletionRequestToolMessageContent::Text(text) => Some(text),
            ChatCompletionRequestToolMessageContent::Array(_) => None,
        },
        _ => None,
    }
}

fn words(text: &str) -> u32 {
    u32::try_from(text.split_whitespace().count()).unwrap_or(u32::MAX)
}

fn usage(read: u32, written: u32) -> CompletionUsage {
    CompletionUsage {
        prompt_tokens: read,
        completion_tokens: written,
        total_tokens: read.saturating_add(written),
        ..CompletionUsage::default()
    }
}

/// The model takes no request now.
#[derive(Debug)]
pub(crate) struct Busy;

impl fmt::Display for Busy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("too many requests: every third one is refused")
    }
}

impl error::Error for Busy {}

#[cfg(test)]
mod tests {
    use async_openai::types::chat::ChatCompletionRequestUserMessage;

    use super::*;

    #[test]
    fn it_finds_calculations() {
        let found = calculation("What is 17 * 23?");
        assert_eq!(found.as_deref(), Some("17 * 23"));
        assert_eq!(calculation("What is lost - without 3 volumes?"), None);
    }

    #[test]
    fn every_third_request_is_refused() {
        let (rules, messages) = (
            Rules::default(),
            [ChatCompletionRequestUserMessage::from("1 + 1").into()],
        );
        let refused = [1, 2, 3, 4, 5, 6].map(|_| rules.reply(&messages).is_err());
        assert_eq!(refused, [false, false, true, false, false, true]);
    }
}
