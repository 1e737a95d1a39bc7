//! Answers of models and what they say. The bodies are written after the providers' documents, which
//! `usage_formats` and `shapes` name; their values are made up.

use crate::genai::Usage;

/// One body, or one chunk of a stream.
pub(crate) struct Case {
    pub(crate) name: &'static str,
    pub(crate) body: &'static str,
    pub(crate) model: Option<&'static str>,
    pub(crate) id: Option<&'static str>,
    pub(crate) reasons: &'static [&'static str],
    pub(crate) usage: Option<Usage>,
    pub(crate) cost: Option<f64>,
    /// Whether the reader of HTTP bodies has to find the same. It reads the APIs that it recognises by
    /// their path: those of OpenAI and Anthropic. Of others it finds this or nothing.
    pub(crate) over_http: bool,
}

/// A count, or `_` for none.
macro_rules! count {
    (_) => {
        None
    };
    ($n:expr) => {
        Some($n)
    };
}

/// Input, output, read from the cache, written to it, reasoning.
macro_rules! tokens {
    ($input:tt $output:tt $read:tt $creation:tt $reasoning:tt) => {
        Some(Usage {
            input: count!($input),
            output: count!($output),
            cache_read: count!($read),
            cache_creation: count!($creation),
            reasoning: count!($reasoning),
        })
    };
}

const NOTHING: Case = Case {
    name: "",
    body: "",
    model: None,
    id: None,
    reasons: &[],
    usage: None,
    cost: None,
    over_http: true,
};

pub(crate) const CASES: &[Case] = &[
    Case {
        name: "OpenAI chat",
        body: r#"{"id":"chatcmpl-7","object":"chat.completion","created":1764000000,"model":"gpt-4o-2024-08-06","choices":[{"index":0,"message":{"role":"assistant","content":"Hi.","refusal":null},"logprobs":null,"finish_reason":"stop"},{"index":1,"message":{"role":"assistant","content":"Ah"},"finish_reason":"length"}],"usage":{"prompt_tokens":812,"completion_tokens":203,"total_tokens":1015,"prompt_tokens_details":{"cached_tokens":640,"audio_tokens":0,"cache_write_tokens":100},"completion_tokens_details":{"reasoning_tokens":64,"audio_tokens":0}},"service_tier":"default","system_fingerprint":"fp_1"}"#,
        model: Some("gpt-4o-2024-08-06"),
        id: Some("chatcmpl-7"),
        reasons: &["stop", "length"],
        usage: tokens!(812 203 640 100 64),
        ..NOTHING
    },
    Case {
        name: "OpenAI chat, a chunk with text",
        body: r#"{"id":"chatcmpl-7","object":"chat.completion.chunk","created":1764000000,"model":"gpt-4o","choices":[{"index":0,"delta":{"content":"Hi"},"finish_reason":null}],"usage":null}"#,
        model: Some("gpt-4o"),
        id: Some("chatcmpl-7"),
        ..NOTHING
    },
    Case {
        name: "OpenAI chat, the chunk with the reason",
        body: r#"{"id":"chatcmpl-7","object":"chat.completion.chunk","created":1764000000,"model":"gpt-4o","choices":[{"index":0,"delta":{},"finish_reason":"tool_calls"}]}"#,
        model: Some("gpt-4o"),
        id: Some("chatcmpl-7"),
        reasons: &["tool_calls"],
        ..NOTHING
    },
    Case {
        name: "OpenAI chat, the chunk with the usage",
        body: r#"{"id":"chatcmpl-7","object":"chat.completion.chunk","created":1764000000,"model":"gpt-4o","choices":[],"usage":{"prompt_tokens":9,"completion_tokens":12,"total_tokens":21}}"#,
        model: Some("gpt-4o"),
        id: Some("chatcmpl-7"),
        usage: tokens!(9 12 _ _ _),
        ..NOTHING
    },
    Case {
        name: "OpenAI completion",
        body: r#"{"id":"cmpl-1","object":"text_completion","created":1764000000,"model":"gpt-3.5-turbo-instruct","choices":[{"text":"x","index":0,"logprobs":null,"finish_reason":"length"}],"usage":{"prompt_tokens":5,"completion_tokens":7,"total_tokens":12}}"#,
        model: Some("gpt-3.5-turbo-instruct"),
        id: Some("cmpl-1"),
        reasons: &["length"],
        usage: tokens!(5 7 _ _ _),
        ..NOTHING
    },
    Case {
        name: "OpenAI embeddings",
        body: r#"{"object":"list","data":[{"object":"embedding","embedding":[0.25,-0.5],"index":0}],"model":"text-embedding-3-small","usage":{"prompt_tokens":8,"total_tokens":8}}"#,
        model: Some("text-embedding-3-small"),
        usage: tokens!(8 _ _ _ _),
        ..NOTHING
    },
    Case {
        name: "OpenAI responses",
        body: r#"{"id":"resp_1","object":"response","created_at":1764000000,"status":"completed","error":null,"incomplete_details":null,"model":"gpt-5-mini","output":[{"type":"message","id":"msg_9","status":"completed","role":"assistant","content":[]}],"usage":{"input_tokens":36,"input_tokens_details":{"cached_tokens":30},"output_tokens":87,"output_tokens_details":{"reasoning_tokens":64},"total_tokens":123},"metadata":{}}"#,
        model: Some("gpt-5-mini"),
        id: Some("resp_1"),
        reasons: &["completed"],
        usage: tokens!(36 87 30 _ 64),
        ..NOTHING
    },
    Case {
        name: "OpenAI responses, created",
        body: r#"{"type":"response.created","sequence_number":0,"response":{"id":"resp_1","object":"response","created_at":1764000000,"status":"in_progress","incomplete_details":null,"model":"gpt-5-mini","output":[],"usage":null}}"#,
        model: Some("gpt-5-mini"),
        id: Some("resp_1"),
        ..NOTHING
    },
    Case {
        name: "OpenAI responses, a delta",
        body: r#"{"type":"response.output_text.delta","sequence_number":4,"item_id":"msg_9","output_index":0,"content_index":0,"delta":"Hi"}"#,
        ..NOTHING
    },
    Case {
        name: "OpenAI responses, incomplete",
        body: r#"{"type":"response.incomplete","sequence_number":9,"response":{"id":"resp_1","object":"response","created_at":1764000000,"status":"incomplete","error":null,"incomplete_details":{"reason":"max_output_tokens"},"model":"gpt-5-mini","output":[],"usage":{"input_tokens":4,"input_tokens_details":{"cached_tokens":0},"output_tokens":16,"output_tokens_details":{"reasoning_tokens":16},"total_tokens":20}}}"#,
        model: Some("gpt-5-mini"),
        id: Some("resp_1"),
        reasons: &["max_output_tokens"],
        usage: tokens!(4 16 0 _ 16),
        ..NOTHING
    },
    Case {
        name: "OpenAI realtime",
        body: r#"{"type":"response.done","event_id":"e_1","response":{"id":"resp_2","object":"realtime.response","status":"completed","output":[],"usage":{"total_tokens":50,"input_tokens":30,"output_tokens":20,"input_token_details":{"cached_tokens":10,"text_tokens":30},"output_token_details":{"text_tokens":20}}}}"#,
        id: Some("resp_2"),
        reasons: &["completed"],
        usage: tokens!(30 20 10 _ _),
        ..NOTHING
    },
    Case {
        name: "Anthropic message",
        body: r#"{"id":"msg_1","type":"message","role":"assistant","model":"claude-sonnet-4-5-20250929","content":[{"type":"text","text":"Hi."}],"stop_reason":"end_turn","stop_sequence":null,"usage":{"input_tokens":12,"cache_creation_input_tokens":100,"cache_read_input_tokens":700,"cache_creation":{"ephemeral_5m_input_tokens":100,"ephemeral_1h_input_tokens":0},"output_tokens":203,"output_tokens_details":{"thinking_tokens":50},"service_tier":"standard"}}"#,
        model: Some("claude-sonnet-4-5-20250929"),
        id: Some("msg_1"),
        reasons: &["end_turn"],
        usage: tokens!(812 203 700 100 50),
        ..NOTHING
    },
    Case {
        name: "Anthropic message_start",
        body: r#"{"type":"message_start","message":{"id":"msg_1","type":"message","role":"assistant","model":"claude-haiku-4-5","content":[],"stop_reason":null,"stop_sequence":null,"usage":{"input_tokens":25,"cache_creation_input_tokens":0,"cache_read_input_tokens":5,"output_tokens":1}}}"#,
        model: Some("claude-haiku-4-5"),
        id: Some("msg_1"),
        usage: tokens!(30 1 5 0 _),
        ..NOTHING
    },
    Case {
        name: "Anthropic message_delta",
        body: r#"{"type":"message_delta","delta":{"stop_reason":"max_tokens","stop_sequence":null},"usage":{"output_tokens":15}}"#,
        reasons: &["max_tokens"],
        usage: tokens!(_ 15 _ _ _),
        ..NOTHING
    },
    Case {
        name: "Anthropic message_delta, cumulative",
        body: r#"{"type":"message_delta","delta":{"stop_reason":"end_turn","stop_sequence":null},"usage":{"input_tokens":25,"cache_creation_input_tokens":null,"cache_read_input_tokens":5,"output_tokens":15}}"#,
        reasons: &["end_turn"],
        usage: tokens!(30 15 5 _ _),
        ..NOTHING
    },
    Case {
        name: "Anthropic content_block_delta",
        body: r#"{"type":"content_block_delta","index":0,"delta":{"type":"text_delta","text":"Hi"}}"#,
        ..NOTHING
    },
    Case {
        name: "Gemini",
        body: r#"{"candidates":[{"content":{"parts":[{"text":"Hi."}],"role":"model"},"finishReason":"STOP","index":0}],"usageMetadata":{"promptTokenCount":20,"cachedContentTokenCount":8,"candidatesTokenCount":30,"toolUsePromptTokenCount":5,"thoughtsTokenCount":40,"totalTokenCount":95,"promptTokensDetails":[{"modality":"TEXT","tokenCount":20}]},"modelVersion":"gemini-2.5-flash","responseId":"r-1"}"#,
        model: Some("gemini-2.5-flash"),
        id: Some("r-1"),
        reasons: &["STOP"],
        usage: tokens!(25 70 8 _ 40),
        over_http: false,
        ..NOTHING
    },
    Case {
        name: "Gemini, a chunk of thoughts",
        body: r#"{"candidates":[{"content":{"parts":[{"text":"Hm","thought":true}],"role":"model"},"index":0}],"usageMetadata":{"promptTokenCount":20,"totalTokenCount":24,"thoughtsTokenCount":4},"modelVersion":"gemini-2.5-pro","responseId":"r-2"}"#,
        model: Some("gemini-2.5-pro"),
        id: Some("r-2"),
        usage: tokens!(20 4 _ _ 4),
        over_http: false,
        ..NOTHING
    },
    Case {
        name: "Gemini embedContent",
        body: r#"{"embedding":{"values":[0.25,-0.5]},"usageMetadata":{"promptTokenCount":6,"promptTokenDetails":[{"modality":"TEXT","tokenCount":6}]}}"#,
        usage: tokens!(6 _ _ _ _),
        over_http: false,
        ..NOTHING
    },
    Case {
        name: "Ollama chat",
        body: r#"{"model":"llama3.2","created_at":"2026-11-25T00:00:00Z","message":{"role":"assistant","content":"Hi."},"done":true,"done_reason":"stop","total_duration":5,"load_duration":1,"prompt_eval_count":26,"prompt_eval_duration":1,"eval_count":298,"eval_duration":3}"#,
        model: Some("llama3.2"),
        reasons: &["stop"],
        usage: tokens!(26 298 _ _ _),
        over_http: false,
        ..NOTHING
    },
    Case {
        name: "Ollama generate, a chunk",
        body: r#"{"model":"llama3.2","created_at":"2026-11-25T00:00:00Z","response":"The","done":false}"#,
        model: Some("llama3.2"),
        over_http: false,
        ..NOTHING
    },
    Case {
        name: "Ollama embed",
        body: r#"{"model":"all-minilm","embeddings":[[0.25,-0.5]],"total_duration":14,"load_duration":1,"prompt_eval_count":8}"#,
        model: Some("all-minilm"),
        usage: tokens!(8 _ _ _ _),
        over_http: false,
        ..NOTHING
    },
    Case {
        name: "Cohere chat",
        body: r#"{"id":"c-1","finish_reason":"COMPLETE","message":{"role":"assistant","content":[{"type":"text","text":"Hi."}]},"usage":{"billed_units":{"input_tokens":5.0,"output_tokens":418},"tokens":{"input_tokens":71,"output_tokens":418},"cached_tokens":64}}"#,
        id: Some("c-1"),
        reasons: &["COMPLETE"],
        usage: tokens!(5 418 _ _ _),
        over_http: false,
        ..NOTHING
    },
    Case {
        name: "Cohere chat, message-end",
        body: r#"{"type":"message-end","delta":{"finish_reason":"MAX_TOKENS","usage":{"tokens":{"input_tokens":71,"output_tokens":9}}}}"#,
        reasons: &["MAX_TOKENS"],
        usage: tokens!(71 9 _ _ _),
        over_http: false,
        ..NOTHING
    },
    Case {
        name: "Cohere embed",
        body: r#"{"id":"e-1","embeddings":{"float":[[0.25,-0.5]]},"texts":["hi"],"response_type":"embeddings_by_type","meta":{"api_version":{"version":"2"},"billed_units":{"input_tokens":2}}}"#,
        id: Some("e-1"),
        usage: tokens!(2 _ _ _ _),
        over_http: false,
        ..NOTHING
    },
    Case {
        name: "Bedrock Converse",
        body: r#"{"output":{"message":{"role":"assistant","content":[{"text":"Hi."}]}},"stopReason":"end_turn","usage":{"inputTokens":12,"outputTokens":203,"totalTokens":1015,"cacheReadInputTokens":700,"cacheWriteInputTokens":100},"metrics":{"latencyMs":551}}"#,
        reasons: &["end_turn"],
        usage: tokens!(812 203 700 100 _),
        over_http: false,
        ..NOTHING
    },
    Case {
        name: "Bedrock ConverseStream, metadata",
        body: r#"{"metadata":{"usage":{"inputTokens":30,"outputTokens":8,"totalTokens":38},"metrics":{"latencyMs":10}}}"#,
        usage: tokens!(30 8 _ _ _),
        over_http: false,
        ..NOTHING
    },
    Case {
        name: "Bedrock ConverseStream, messageStop",
        body: r#"{"messageStop":{"stopReason":"max_tokens"}}"#,
        reasons: &["max_tokens"],
        over_http: false,
        ..NOTHING
    },
    Case {
        name: "OpenRouter",
        body: r#"{"id":"gen-1","provider":"Fireworks","model":"moonshotai/kimi-k2","object":"chat.completion","created":1764000000,"choices":[{"index":0,"message":{"role":"assistant","content":"Hi."},"finish_reason":"stop","native_finish_reason":"stop"}],"usage":{"prompt_tokens":194,"completion_tokens":2,"total_tokens":196,"cost":0.0041,"is_byok":false,"cost_details":{"upstream_inference_cost":null},"prompt_tokens_details":{"cached_tokens":100,"cache_write_tokens":0},"completion_tokens_details":{"reasoning_tokens":0}}}"#,
        model: Some("moonshotai/kimi-k2"),
        id: Some("gen-1"),
        reasons: &["stop"],
        usage: tokens!(194 2 100 0 0),
        cost: Some(0.0041),
        ..NOTHING
    },
    Case {
        name: "OpenRouter with a key of one's own",
        body: r#"{"id":"gen-2","model":"openai/gpt-4o","choices":[],"usage":{"prompt_tokens":10,"completion_tokens":2,"total_tokens":12,"cost":0.25,"is_byok":true,"cost_details":{"upstream_inference_cost":4.75}}}"#,
        model: Some("openai/gpt-4o"),
        id: Some("gen-2"),
        usage: tokens!(10 2 _ _ _),
        cost: Some(5.0),
        ..NOTHING
    },
    Case {
        name: "Groq, the last chunk",
        body: r#"{"id":"chatcmpl-g","object":"chat.completion.chunk","created":1764000000,"model":"llama-3.3-70b-versatile","choices":[{"index":0,"delta":{},"finish_reason":"stop"}],"x_groq":{"id":"req_1","usage":{"queue_time":0.1,"prompt_tokens":44,"completion_tokens":6,"total_tokens":50,"total_time":0.2}}}"#,
        model: Some("llama-3.3-70b-versatile"),
        id: Some("chatcmpl-g"),
        reasons: &["stop"],
        usage: tokens!(44 6 _ _ _),
        ..NOTHING
    },
    Case {
        name: "DeepSeek",
        body: r#"{"id":"d-1","object":"chat.completion","created":1764000000,"model":"deepseek-reasoner","choices":[{"index":0,"finish_reason":"stop","message":{"role":"assistant","content":"Hi.","reasoning_content":"Hm."}}],"usage":{"prompt_tokens":100,"completion_tokens":20,"total_tokens":120,"prompt_cache_hit_tokens":64,"prompt_cache_miss_tokens":36,"completion_tokens_details":{"reasoning_tokens":12}}}"#,
        model: Some("deepseek-reasoner"),
        id: Some("d-1"),
        reasons: &["stop"],
        usage: tokens!(100 20 64 _ 12),
        ..NOTHING
    },
    Case {
        name: "Mistral",
        body: r#"{"id":"m-1","object":"chat.completion","created":1764000000,"model":"mistral-small-latest","choices":[{"index":0,"message":{"role":"assistant","content":"Hi.","tool_calls":null},"finish_reason":"stop"}],"usage":{"prompt_tokens":16,"completion_tokens":34,"total_tokens":50,"num_cached_tokens":8,"prompt_token_details":null}}"#,
        model: Some("mistral-small-latest"),
        id: Some("m-1"),
        reasons: &["stop"],
        usage: tokens!(16 34 8 _ _),
        ..NOTHING
    },
    Case {
        name: "Moonshot, the last chunk",
        body: r#"{"id":"k-1","object":"chat.completion.chunk","created":1764000000,"model":"kimi-k2","choices":[{"index":0,"delta":{},"finish_reason":"stop","usage":{"prompt_tokens":19,"completion_tokens":13,"total_tokens":32,"cached_tokens":16}}]}"#,
        model: Some("kimi-k2"),
        id: Some("k-1"),
        reasons: &["stop"],
        usage: tokens!(19 13 16 _ _),
        ..NOTHING
    },
    Case {
        name: "xAI, which counts reasoning in the total alone",
        body: r#"{"id":"x-1","object":"chat.completion","created":1764000000,"model":"grok-4","choices":[{"index":0,"message":{"role":"assistant","content":"101"},"finish_reason":"stop"}],"usage":{"prompt_tokens":32,"completion_tokens":9,"total_tokens":135,"prompt_tokens_details":{"text_tokens":32,"cached_tokens":6},"completion_tokens_details":{"reasoning_tokens":94},"cost_in_usd_ticks":37756000}}"#,
        model: Some("grok-4"),
        id: Some("x-1"),
        reasons: &["stop"],
        usage: tokens!(32 103 6 _ 94),
        cost: Some(0.003_775_6),
        ..NOTHING
    },
    Case {
        name: "Perplexity research",
        body: r#"{"id":"p-1","object":"chat.completion","created":1764000000,"model":"sonar-deep-research","choices":[{"index":0,"finish_reason":"stop","message":{"role":"assistant","content":"Hi."}}],"usage":{"prompt_tokens":33,"completion_tokens":700,"total_tokens":733,"citation_tokens":2000,"num_search_queries":18,"reasoning_tokens":7000,"cost":{"input_tokens_cost":0.1,"total_cost":0.75}}}"#,
        model: Some("sonar-deep-research"),
        id: Some("p-1"),
        reasons: &["stop"],
        usage: tokens!(33 7700 _ _ 7000),
        cost: Some(0.75),
        ..NOTHING
    },
    Case {
        name: "Anthropic's names in OpenAI's format, as LiteLLM has them",
        body: r#"{"id":"l-1","object":"chat.completion","created":1764000000,"model":"claude-sonnet-4-5","choices":[{"index":0,"message":{"role":"assistant","content":"Hi."},"finish_reason":"stop"}],"usage":{"prompt_tokens":812,"completion_tokens":203,"total_tokens":1015,"cache_read_input_tokens":700,"cache_creation_input_tokens":100}}"#,
        model: Some("claude-sonnet-4-5"),
        id: Some("l-1"),
        reasons: &["stop"],
        usage: tokens!(812 203 700 100 _),
        ..NOTHING
    },
    Case {
        name: "Voyage embeddings",
        body: r#"{"object":"list","data":[{"object":"embedding","embedding":[0.25],"index":0}],"model":"voyage-3","usage":{"total_tokens":10}}"#,
        model: Some("voyage-3"),
        usage: tokens!(10 _ _ _ _),
        ..NOTHING
    },
];

/// Returns the body of the case with this name.
#[cfg(any(feature = "async-openai-0_43", feature = "ollama-rs-0_3"))]
pub(crate) fn body(name: &str) -> &'static str {
    named(name).body
}

/// Asserts that the bodies of these cases, read as `T`, say what they say as JSON.
#[cfg(feature = "async-openai-0_43")]
pub(crate) fn agree<T: crate::genai::Response>(
    read: impl Fn(&'static str) -> serde_json::Result<T>,
    names: &[&str],
) {
    for name in names {
        let case = named(name);
        let typed = read(case.body).unwrap_or_else(|error| panic!("{name}: {error}"));
        assert_eq!(typed.model(), case.model, "{name}");
        assert_eq!(typed.id(), case.id, "{name}");
        assert_eq!(typed.usage(), case.usage, "{name}");
        let reasons = typed.finish_reasons();
        assert!(reasons.iter().eq(case.reasons.iter().copied()), "{name}");
    }
}

pub(crate) fn named(name: &str) -> &'static Case {
    CASES.iter().find(|case| case.name == name).unwrap()
}
