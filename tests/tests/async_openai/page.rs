use async_openai::{
    Client,
    config::OpenAIConfig,
    error::OpenAIError,
    types::chat::{ChatCompletionRequestUserMessage, CreateChatCompletionRequest},
};
use llm_observe::{http::client, observe};

fn openai(http: reqwest::Client, config: OpenAIConfig) -> Client<OpenAIConfig> {
    Client::build(http.clone(), config).with_http_service(client::async_openai(http))
}

#[observe(event = "answer")]
async fn answer(openai: &Client<OpenAIConfig>, question: &str) -> Result<String, OpenAIError> {
    let request = CreateChatCompletionRequest {
        model: "gpt-4.1-mini".to_owned(),
        messages: vec![ChatCompletionRequestUserMessage::from(question).into()],
        ..CreateChatCompletionRequest::default()
    };
    let response = openai.chat().create(request).await?;
    let choice = response.choices.into_iter().next();
    Ok(choice.and_then(|choice| choice.message.content).unwrap_or_default())
}
