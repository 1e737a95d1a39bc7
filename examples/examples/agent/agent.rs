//! The agent: chats with a model until it answers, and runs the tools that it asks for. Each kind of operation is one
//! annotated function. The agent's line has the tokens of all its chats; they are counted by the chats, once.

use std::{error, fmt, time::Duration};

use async_openai::types::chat::{
    ChatCompletionMessageToolCalls, ChatCompletionRequestAssistantMessage,
    ChatCompletionRequestMessage, ChatCompletionRequestSystemMessage,
    ChatCompletionRequestToolMessage, ChatCompletionRequestUserMessage, ChatCompletionTools,
    CreateChatCompletionRequest, CreateChatCompletionResponse, FunctionCall,
};
use llm_observe::{
    Elapsed,
    genai::{self, Usage},
    observe,
};

use crate::{
    local::{Busy, Rules},
    shared::server::{Server, ServerError},
    tools::{self, ToolError},
};

const INSTRUCTIONS: &str =
    "Answer in one sentence. Calculate and search with the tools; do not guess.";
/// How often a model is asked for one question.
const MAX_STEPS: usize = 5;
/// How often one request is made, and the wait before the second; it doubles.
const ATTEMPTS: u32 = 3;
const WAIT: Duration = Duration::from_millis(50);

/// What is asked.
#[derive(Debug)]
pub(crate) enum Model {
    Local(Rules),
    Server(Box<Server>),
}

/// A model with tools.
#[derive(Debug)]
pub(crate) struct Agent {
    pub(crate) model: Model,
}

/// An answer, and what it took.
#[derive(Debug, Default)]
pub(crate) struct Solved {
    pub(crate) answer: String,
    /// Chats that were answered.
    pub(crate) chats: u32,
    /// Attempts that failed before.
    pub(crate) retries: u32,
    pub(crate) tools: u32,
    pub(crate) failed_tools: u32,
    /// Tokens of the chats that said so.
    pub(crate) input: u32,
    pub(crate) output: u32,
}

impl Agent {
    /// Answers a question, with the tools that the model asks for.
    ///
    /// # Errors
    /// The budget is used up, or the model failed too often, or did not come to an answer.
    #[observe(
        event = "agent",
        operation = invoke_agent,
        agent = "assistant",
        provider = self.provider(),
        usage = |solved| Usage::new(u64::from(solved.input), u64::from(solved.output)),
        alert_on_error
    )]
    pub(crate) async fn solve(&self, question: &str) -> Result<Solved, AgentError> {
        // What all chats below this event may cost in a day, whoever ran them: `[events.agent]`.
        if genai::budget("agent").is_some_and(|budget| budget.left_usd() <= 0.0) {
            return Err(AgentError::Budget);
        }
        let mut messages = vec![
            ChatCompletionRequestSystemMessage::from(INSTRUCTIONS).into(),
            ChatCompletionRequestUserMessage::from(question).into(),
        ];
        let mut solved = Solved::default();
        for _ in 0..MAX_STEPS {
            let reply = self.chat_patiently(&messages, &mut solved).await?;
            let choice = reply.choices.into_iter().next();
            let message = choice.ok_or(AgentError::NoAnswer)?.message;
            let Some(calls) = message.tool_calls.filter(|calls| !calls.is_empty()) else {
                solved.answer = message.content.ok_or(AgentError::NoAnswer)?;
                return Ok(solved);
            };
            let asked = ChatCompletionRequestAssistantMessage {
                tool_calls: Some(calls.clone()),
                ..ChatCompletionRequestAssistantMessage::default()
            };
            messages.push(asked.into());
            messages.extend(
                calls
                    .iter()
                    .filter_map(|call| answer_call(call, &mut solved)),
            );
        }
        Err(AgentError::NoAnswer)
    }

    /// Asks again where that may help. Each attempt is a call of its own, and only one that got an answer has tokens.
    async fn chat_patiently(
        &self,
        messages: &[ChatCompletionRequestMessage],
        solved: &mut Solved,
    ) -> Result<CreateChatCompletionResponse, AgentError> {
        let mut wait = WAIT;
        let mut attempt = 1;
        loop {
            match self.chat(messages).await {
                Ok(reply) => {
                    solved.chats += 1;
                    let usage = reply.usage.as_ref();
                    solved.input += usage.map_or(0, |usage| usage.prompt_tokens);
                    solved.output += usage.map_or(0, |usage| usage.completion_tokens);
                    return Ok(reply);
                }
                Err(error) if attempt == ATTEMPTS || !error.may_pass() => {
                    return Err(AgentError::Chat(error));
                }
                Err(_) => {
                    solved.retries += 1;
                    attempt += 1;
                    tokio::time::sleep(wait).await;
                    wait *= 2;
                }
            }
        }
    }

    /// Asks the model once.
    #[observe(
        event = "chat",
        operation = chat,
        provider = self.provider(),
        model = self.model_name(),
        timeout = "1m"
    )]
    async fn chat(
        &self,
        messages: &[ChatCompletionRequestMessage],
    ) -> Result<CreateChatCompletionResponse, ChatError> {
        match &self.model {
            Model::Local(rules) => Ok(rules.reply(messages)?),
            Model::Server(server) => {
                let request = CreateChatCompletionRequest {
                    model: server.model.clone(),
                    messages: messages.to_vec(),
                    tools: Some(offered()?),
                    ..CreateChatCompletionRequest::default()
                };
                let reply = server.client.chat().create(request).await;
                Ok(reply.map_err(ServerError::from)?)
            }
        }
    }

    fn provider(&self) -> &'static str {
        match &self.model {
            Model::Local(_) => "local",
            Model::Server(_) => "openai",
        }
    }

    fn model_name(&self) -> &str {
        match &self.model {
            Model::Local(_) => Rules::NAME,
            Model::Server(server) => &server.model,
        }
    }
}

fn offered() -> Result<Vec<ChatCompletionTools>, ServerError> {
    serde_json::from_value(tools::offered()).map_err(ServerError::Answer)
}

/// Runs the tool that the model asks for. Its failure is told to the model, which may do without it.
fn answer_call(
    call: &ChatCompletionMessageToolCalls,
    solved: &mut Solved,
) -> Option<ChatCompletionRequestMessage> {
    // No tool of another kind is offered.
    let ChatCompletionMessageToolCalls::Function(call) = call else {
        return None;
    };
    let result = run_tool(&call.function);
    solved.tools += u32::from(result.is_ok());
    solved.failed_tools += u32::from(result.is_err());
    let content = result.unwrap_or_else(|error| format!("failed: {error}"));
    let message = ChatCompletionRequestToolMessage {
        content: content.into(),
        tool_call_id: call.id.clone(),
    };
    Some(message.into())
}

/// A model's mistakes are expected: they are counted and logged, nobody is woken.
#[observe(event = "tool", operation = execute_tool, tool = &call.name, expected(_))]
fn run_tool(call: &FunctionCall) -> Result<String, ToolError> {
    tools::run(&call.name, &call.arguments)
}

/// Why one request got no reply.
#[derive(Debug)]
pub(crate) enum ChatError {
    Busy(Busy),
    Server(ServerError),
    Late(Elapsed),
}

impl ChatError {
    /// Whether the same request may be answered later. `async-openai` has tried again itself.
    fn may_pass(&self) -> bool {
        matches!(self, ChatError::Busy(_) | ChatError::Late(_))
    }
}

impl From<Busy> for ChatError {
    fn from(busy: Busy) -> ChatError {
        ChatError::Busy(busy)
    }
}

impl From<ServerError> for ChatError {
    fn from(error: ServerError) -> ChatError {
        ChatError::Server(error)
    }
}

impl From<Elapsed> for ChatError {
    fn from(elapsed: Elapsed) -> ChatError {
        ChatError::Late(elapsed)
    }
}

impl fmt::Display for ChatError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the model did not reply")
    }
}

impl error::Error for ChatError {
    fn source(&self) -> Option<&(dyn error::Error + 'static)> {
        match self {
            ChatError::Busy(busy) => Some(busy),
            ChatError::Server(error) => Some(error),
            ChatError::Late(elapsed) => Some(elapsed),
        }
    }
}

/// Why a question has no answer.
#[derive(Debug)]
pub(crate) enum AgentError {
    Chat(ChatError),
    /// The model went on asking for tools, or said nothing.
    NoAnswer,
    /// There is no money left.
    Budget,
}

impl fmt::Display for AgentError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            AgentError::Chat(_) => "the agent's model failed",
            AgentError::NoAnswer => "the model came to no answer",
            AgentError::Budget => "the agent's budget is used up",
        })
    }
}

impl error::Error for AgentError {
    fn source(&self) -> Option<&(dyn error::Error + 'static)> {
        match self {
            AgentError::Chat(error) => Some(error),
            AgentError::NoAnswer | AgentError::Budget => None,
        }
    }
}
