//! A real server of the APIs of OpenAI and Anthropic, the proxy of LiteLLM with its mock responses: what is recorded of
//! functions that ask it through `async-openai`, and through `reqwest` with its JSON.

use std::{
    process::{Child, Command, Stdio},
    sync::Once,
    time::{Duration, Instant},
};

use async_openai::{
    Client,
    config::OpenAIConfig,
    error::OpenAIError,
    types::chat::{
        ChatCompletionRequestUserMessage, ChatCompletionResponseStream,
        ChatCompletionStreamOptions, CreateChatCompletionRequest, CreateChatCompletionResponse,
    },
};
use futures_util::{Stream, StreamExt, stream};
use llm_observe::{
    ErrorClass, Outcome,
    genai::Usage,
    observe,
    testing::{self, Call, TestObserver},
};
use llm_observe_tests::{folder::Folder, listener::Listener, metrics::assert_documented, peers};
use serde_json::{Value, json};

const MODELS: &str = include_str!("../peers/litellm.yaml");
/// How long the proxy may take to start: it imports a lot.
const START: Duration = Duration::from_secs(120);

/// The proxy; ends when dropped.
struct Proxy {
    child: Child,
    url: String,
    _folder: Folder,
}

impl Drop for Proxy {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn http() -> reqwest::Client {
    // The examples of this workspace turn `reqwest/rustls-no-provider` on for all of it.
    static PROVIDER: Once = Once::new();
    PROVIDER.call_once(|| {
        let _ = rustls::crypto::ring::default_provider().install_default();
    });
    let builder = reqwest::Client::builder().no_proxy();
    builder.timeout(Duration::from_secs(60)).build().unwrap()
}

async fn proxy() -> Option<Proxy> {
    let python = peers::litellm()?;
    let folder = Folder::new();
    let port = Listener::nobody().port().to_string();
    let config = folder.write("models.yaml", &MODELS.replace("PORT", &port));
    let child = Command::new(python)
        .args([
            "-c",
            "from litellm.proxy.proxy_cli import run_server; run_server()",
        ])
        .args([
            "--host",
            "127.0.0.1",
            "--port",
            &port,
            "--telemetry",
            "False",
            "--config",
        ])
        .arg(config)
        .current_dir(folder.path())
        .env("LITELLM_LOCAL_MODEL_COST_MAP", "True")
        .env(
            "LITELLM_DANGEROUSLY_PERMIT_WEAK_OR_UNSET_MASTER_KEY",
            "true",
        )
        .env("NO_PROXY", "127.0.0.1")
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let url = format!("http://127.0.0.1:{port}");
    let mut proxy = Proxy {
        child,
        url,
        _folder: folder,
    };
    let alive = format!("{}/health/liveliness", proxy.url);
    let deadline = Instant::now() + START;
    while http().get(&alive).send().await.is_err() {
        let ended = proxy.child.try_wait().unwrap();
        assert!(ended.is_none(), "the proxy has ended: {ended:?}");
        assert!(Instant::now() < deadline, "the proxy does not start");
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    Some(proxy)
}

type OpenAi = Client<OpenAIConfig>;

fn openai(proxy: &Proxy) -> OpenAi {
    let config = OpenAIConfig::new()
        .with_api_base(format!("{}/v1", proxy.url))
        .with_api_key("sk-none");
    Client::build(http(), config)
}

fn request(model: &str) -> CreateChatCompletionRequest {
    CreateChatCompletionRequest {
        model: model.to_owned(),
        messages: vec![ChatCompletionRequestUserMessage::from("why?").into()],
        ..CreateChatCompletionRequest::default()
    }
}

#[observe(event = "ask", operation = chat, provider = "openai", model = model)]
async fn ask(client: &OpenAi, model: &str) -> Result<CreateChatCompletionResponse, OpenAIError> {
    client.chat().create(request(model)).await
}

#[observe(event = "ask", operation = chat, provider = "openai", model = model, stream)]
async fn ask_streaming(
    client: &OpenAi,
    model: &str,
    include_usage: bool,
) -> Result<ChatCompletionResponseStream, OpenAIError> {
    let options = ChatCompletionStreamOptions {
        include_usage: Some(include_usage),
        include_obfuscation: None,
    };
    let request = CreateChatCompletionRequest {
        stream_options: Some(options),
        ..request(model)
    };
    client.chat().create_stream(request).await
}

fn message(model: &str, streams: bool) -> Value {
    let messages = json!([{"role": "user", "content": "why?"}]);
    json!({"model": model, "max_tokens": 100, "messages": messages, "stream": streams})
}

async fn post(url: &str, body: &Value) -> reqwest::Result<reqwest::Response> {
    let body = body.to_string();
    let request = http().post(url).header("content-type", "application/json");
    request.body(body).send().await?.error_for_status()
}

async fn json_of(response: reqwest::Response) -> reqwest::Result<Value> {
    let text = response.text().await?;
    Ok(serde_json::from_str(&text).unwrap())
}

/// Asks with JSON; `cost` gets what the proxy says that it cost, in a header that nobody else reads.
#[observe(event = "raw", operation = chat, provider = provider, model = model)]
async fn raw(
    url: &str,
    provider: &str,
    model: &str,
    cost: &mut Option<f64>,
) -> reqwest::Result<Value> {
    let response = post(url, &message(model, false)).await?;
    let header = response.headers().get("x-litellm-response-cost");
    *cost = header.and_then(|cost| cost.to_str().ok()?.parse().ok());
    json_of(response).await
}

#[observe(event = "raw", operation = embeddings, provider = "openai", model = "text-embedding-3-small")]
async fn embed(url: &str) -> reqwest::Result<Value> {
    let body = json!({"model": "text-embedding-3-small", "input": "why?"});
    json_of(post(url, &body).await?).await
}

#[observe(event = "raw", operation = chat, provider = "anthropic", model = model, stream)]
async fn raw_streaming(
    url: &str,
    model: &str,
) -> reqwest::Result<impl Stream<Item = reqwest::Result<Value>> + use<>> {
    let bytes = post(url, &message(model, true)).await?.bytes_stream();
    let mut rest = String::new();
    let events = bytes.map(move |bytes| match bytes {
        Err(error) => vec![Err(error)],
        Ok(bytes) => {
            rest.push_str(std::str::from_utf8(&bytes).unwrap());
            let whole = rest.rfind("\n\n").map_or(0, |at| at + 2);
            let events: String = rest.drain(..whole).collect();
            let data = events
                .lines()
                .filter_map(|line| line.strip_prefix("data: "));
            data.map(|data| Ok(serde_json::from_str(data).unwrap()))
                .collect()
        }
    });
    Ok(events.flat_map(stream::iter))
}

/// Returns the only call, with the metrics.
fn only(seen: &TestObserver) -> (Call, String) {
    let metrics = seen.metrics();
    assert_documented(&metrics);
    let mut calls = seen.calls();
    assert_eq!(calls.len(), 1);
    (calls.remove(0), metrics)
}

fn attribute(call: &Call, name: &str) -> Option<String> {
    call.attribute(name).map(ToString::to_string)
}

fn assert_close(a: Option<f64>, b: f64) {
    assert!(a.is_some_and(|a| (a - b).abs() < 1e-9), "{a:?} is not {b}");
}

/// One test, for the proxy takes ten seconds to start.
#[tokio::test]
async fn what_a_real_server_says_is_recorded() {
    let Some(proxy) = proxy().await else { return };
    let client = openai(&proxy);
    a_whole_answer(&client).await;
    a_streamed_answer(&client).await;
    a_streamed_answer_without_usage(&client).await;
    an_answer_that_is_left(&client).await;
    refusals(&proxy, &client).await;
    the_same_as_json(&proxy).await;
    anthropic(&proxy).await;
}

async fn a_whole_answer(client: &OpenAi) {
    let seen = testing::observe();
    let answer = ask(client, "gpt-4o").await.unwrap();
    let said = answer.usage.unwrap();
    let (call, metrics) = only(&seen);
    assert_eq!(call.outcome, Outcome::Ok);
    let usage = Usage::new(
        u64::from(said.prompt_tokens),
        u64::from(said.completion_tokens),
    );
    assert_eq!(call.usage(), Some(usage));
    assert_eq!(
        attribute(&call, "gen_ai.response.model").as_deref(),
        Some("gpt-4o")
    );
    assert_eq!(attribute(&call, "gen_ai.response.id"), Some(answer.id));
    assert_eq!(
        attribute(&call, "gen_ai.response.finish_reasons").as_deref(),
        Some("stop")
    );
    assert!(metrics.contains("gen_ai_client_operation_duration_seconds_count{"));
    assert!(!metrics.contains("time_to_first_chunk_seconds_count{"));
}

async fn a_streamed_answer(client: &OpenAi) {
    let seen = testing::observe();
    let chunks = ask_streaming(client, "gpt-4o", true).await.unwrap();
    let chunks: Vec<_> = chunks.map(Result::unwrap).collect().await;
    let said = chunks.iter().find_map(|chunk| chunk.usage.clone()).unwrap();
    let (call, metrics) = only(&seen);
    assert_eq!(
        (call.outcome, call.chunks),
        (Outcome::Ok, Some(chunks.len() as u64))
    );
    let usage = call.usage().unwrap();
    let tokens = [said.prompt_tokens, said.completion_tokens].map(|n| Some(u64::from(n)));
    assert_eq!([usage.input, usage.output], tokens);
    assert_eq!(
        attribute(&call, "gen_ai.response.finish_reasons").as_deref(),
        Some("stop")
    );
    let first = call
        .attribute("gen_ai.response.time_to_first_chunk")
        .unwrap();
    let first: f64 = first.to_string().parse().unwrap();
    assert!(
        first > 0.0 && first < call.duration.as_secs_f64(),
        "{first}"
    );
    assert!(metrics.contains("time_to_first_chunk_seconds_count{"));
}

async fn a_streamed_answer_without_usage(client: &OpenAi) {
    let seen = testing::observe();
    let chunks = ask_streaming(client, "gpt-4o", false).await.unwrap();
    chunks.count().await;
    let (call, metrics) = only(&seen);
    assert_eq!((call.outcome, call.usage()), (Outcome::Ok, None));
    assert!(
        metrics.contains("llm_observe_usage_missing_total{"),
        "{metrics}"
    );
    assert!(!metrics.contains("llm_observe_tokens_total{"), "{metrics}");
}

async fn an_answer_that_is_left(client: &OpenAi) {
    let seen = testing::observe();
    let mut chunks = ask_streaming(client, "gpt-4o", true).await.unwrap();
    chunks.next().await.unwrap().unwrap();
    drop(chunks);
    let (call, metrics) = only(&seen);
    assert_eq!((call.outcome, call.chunks), (Outcome::Cancelled, Some(1)));
    assert!(metrics.contains("error_type=\"cancelled\""), "{metrics}");
    assert!(
        !metrics.contains("llm_observe_usage_missing_total{"),
        "{metrics}"
    );
}

async fn refusals(proxy: &Proxy, client: &OpenAi) {
    let url = format!("{}/v1/chat/completions", proxy.url);
    for (model, class) in [
        ("limited", ErrorClass::RateLimit),
        ("broken", ErrorClass::Internal),
        ("too-long", ErrorClass::ContextWindowExceeded),
        ("nobody", ErrorClass::BadRequest),
    ] {
        let seen = testing::observe();
        // Of a status alone, the class is that of the status.
        raw(&url, "openai", model, &mut None).await.unwrap_err();
        let (call, metrics) = only(&seen);
        let class_of = |call: &Call| call.error.as_ref().map(|error| error.class);
        let by_status = match class {
            ErrorClass::ContextWindowExceeded => ErrorClass::BadRequest,
            other => other,
        };
        assert_eq!(
            (call.outcome, class_of(&call)),
            (Outcome::Error, Some(by_status)),
            "{model}"
        );
        assert!(
            metrics.contains(&format!("gen_ai_request_model=\"{model}\"")),
            "{metrics}"
        );
        // `async-openai` asks three times more, and waits between: once is enough.
        if class == ErrorClass::Internal {
            continue;
        }
        let seen = testing::observe();
        ask(client, model).await.unwrap_err();
        let (call, metrics) = only(&seen);
        assert_eq!(
            (call.outcome, class_of(&call)),
            (Outcome::Error, Some(class)),
            "{model}"
        );
        assert!(
            !metrics.contains("llm_observe_usage_missing_total{"),
            "{metrics}"
        );
    }
}

async fn the_same_as_json(proxy: &Proxy) {
    let seen = testing::observe();
    let mut cost = None;
    let url = format!("{}/v1/chat/completions", proxy.url);
    raw(&url, "openai", "gpt-4o", &mut cost).await.unwrap();
    let (call, _) = only(&seen);
    assert!(call.usage().is_some());
    assert_eq!(
        attribute(&call, "gen_ai.response.finish_reasons").as_deref(),
        Some("stop")
    );
    // Computed from another table of prices.
    assert_close(call.cost().usd(), cost.unwrap());

    let seen = testing::observe();
    let answer = embed(&format!("{}/v1/embeddings", proxy.url))
        .await
        .unwrap();
    let (call, _) = only(&seen);
    let input = answer["usage"]["prompt_tokens"].as_u64();
    assert_eq!(call.usage().and_then(|usage| usage.input), input);
    let model = attribute(&call, "gen_ai.response.model");
    assert_eq!(model.as_deref(), Some("text-embedding-3-small"));
}

async fn anthropic(proxy: &Proxy) {
    let url = format!("{}/v1/messages", proxy.url);
    let seen = testing::observe();
    let answer = raw(&url, "anthropic", "claude", &mut None).await.unwrap();
    let (call, _) = only(&seen);
    let said = |name: &str| answer["usage"][name].as_u64();
    let usage = call.usage().unwrap();
    assert_eq!(
        (usage.input, usage.output),
        (said("input_tokens"), said("output_tokens"))
    );
    assert_eq!(
        attribute(&call, "gen_ai.response.finish_reasons").as_deref(),
        Some("end_turn")
    );

    let seen = testing::observe();
    let events = raw_streaming(&url, "claude-through").await.unwrap();
    let events: Vec<Value> = events.map(Result::unwrap).collect().await;
    let delta = events
        .iter()
        .find(|event| event["type"] == "message_delta")
        .unwrap();
    let said = |name: &str| delta["usage"][name].as_u64();
    let (call, metrics) = only(&seen);
    assert_eq!(
        (call.outcome, call.chunks),
        (Outcome::Ok, Some(events.len() as u64))
    );
    let usage = call.usage().unwrap();
    assert_eq!(
        (usage.input, usage.output),
        (said("input_tokens"), said("output_tokens"))
    );
    assert_eq!(
        attribute(&call, "gen_ai.response.model").as_deref(),
        Some("claude-through")
    );
    assert_eq!(
        attribute(&call, "gen_ai.response.finish_reasons").as_deref(),
        Some("end_turn")
    );
    assert!(metrics.contains("time_to_first_chunk_seconds_count{"));

    let seen = testing::observe();
    raw(&url, "anthropic", "limited", &mut None)
        .await
        .unwrap_err();
    let (call, _) = only(&seen);
    assert_eq!(
        call.error.map(|error| error.class),
        Some(ErrorClass::RateLimit)
    );
}
