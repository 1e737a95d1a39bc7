use proptest::prelude::*;

use super::*;

const JSON: &str = "application/json; charset=utf-8";
const EVENTS: &str = "text/event-stream";

fn read(content_type: &str, chunks: &[&[u8]]) -> (ModelResponse, Option<UsageMissing>) {
    let mut reader = ModelResponseReader::new(Some(content_type), None);
    for chunk in chunks {
        reader.feed(chunk);
    }
    reader.finish()
}

fn read_all(content_type: &str, body: &str) -> ModelResponse {
    read(content_type, &[body.as_bytes()]).0
}

/// Input, output, read from the cache, written to it, reasoning.
fn counts(response: &ModelResponse) -> [Option<u64>; 5] {
    let usage = response.usage.unwrap_or_default();
    [
        usage.input(),
        usage.output(),
        usage.cache_read(),
        usage.cache_write(),
        usage.reasoning(),
    ]
}

const CHAT: &str = r#"{
  "id": "chatcmpl-1", "object": "chat.completion", "model": "gpt-4o-2024-08-06",
  "choices": [
    {"index": 0, "message": {"role": "assistant", "content": "a \"usage\": {\"prompt_tokens\": 9} }] \\",
     "model": "wrong", "usage": "wrong"}, "logprobs": {"content": [{"usage": {"prompt_tokens": 7}}]},
     "finish_reason": "stop"},
    {"index": 1, "message": {"role": "assistant", "content": ""}, "finish_reason": "length"}],
  "usage": {"prompt_tokens": 19, "completion_tokens": 10, "total_tokens": 29,
    "prompt_tokens_details": {"cached_tokens": 4, "audio_tokens": 0},
    "completion_tokens_details": {"reasoning_tokens": 3}},
  "service_tier": "default", "system_fingerprint": null}"#;

#[test]
fn a_chat_completion() {
    let response = read_all(JSON, CHAT);
    assert_eq!(
        counts(&response),
        [Some(19), Some(10), Some(4), None, Some(3)]
    );
    assert_eq!(response.model.as_deref(), Some("gpt-4o-2024-08-06"));
    assert_eq!(response.id.as_deref(), Some("chatcmpl-1"));
    assert_eq!(response.finish_reasons, ["stop", "length"]);
    assert_eq!(response.error_code, None);
}

#[test]
fn responses_of_other_shapes() {
    for (body, wanted) in [
        (
            r#"{"object":"list","data":[{"embedding":[0.1,-2e-3],"index":0}],"model":"m","usage":{"prompt_tokens":8,"total_tokens":8}}"#,
            [Some(8), None, None, None, None],
        ),
        (
            r#"{"model":"m","usage":{"total_tokens":8}}"#,
            [Some(8), None, None, None, None],
        ),
        (
            r#"{"id":"resp_1","usage":{"input_tokens":36,"input_tokens_details":{"cached_tokens":30},"output_tokens":87,"output_tokens_details":{"reasoning_tokens":64}}}"#,
            [Some(36), Some(87), Some(30), None, Some(64)],
        ),
        // Anthropic's input does not include what its cache read and wrote.
        (
            r#"{"type":"message","stop_reason":"end_turn","usage":{"input_tokens":3,"cache_creation_input_tokens":100,"cache_read_input_tokens":20,"output_tokens":7}}"#,
            [Some(123), Some(7), Some(20), Some(100), None],
        ),
        // Invalid counts are ignored.
        (
            r#"{"usage":{"prompt_tokens":-1,"completion_tokens":1e3,"total_tokens":"9"}}"#,
            [None; 5],
        ),
        (r#"{"usage":{"prompt_tokens":99999999999999}}"#, [None; 5]),
        (r#"{"usage":null}"#, [None; 5]),
        (r#"[{"usage":{"prompt_tokens":1}}]"#, [None; 5]),
    ] {
        assert_eq!(counts(&read_all(JSON, body)), wanted, "{body}");
    }
}

#[test]
fn an_error_has_its_code_or_its_type() {
    let code = |body| read_all(JSON, body).error_code;
    let openai = r#"{"error":{"message":"code: \"no\"","type":"invalid_request_error","param":null,"code":"context_length_exceeded"}}"#;
    assert_eq!(code(openai).as_deref(), Some("context_length_exceeded"));
    let anthropic =
        r#"{"type":"error","error":{"type":"overloaded_error","message":"Overloaded"}}"#;
    assert_eq!(code(anthropic).as_deref(), Some("overloaded_error"));
    assert_eq!(code(r#"{"error":null,"code":"x"}"#), None);
}

#[test]
fn the_reason_for_missing_usage_is_known() {
    let missing = |content_type, encoding, body: &str| {
        let mut reader = ModelResponseReader::new(content_type, encoding);
        reader.feed(body.as_bytes());
        reader.finish().1
    };
    let some = r#"{"usage":{"prompt_tokens":1}}"#;
    assert_eq!(missing(Some(JSON), None, some), None);
    assert_eq!(missing(Some(JSON), Some("identity"), some), None);
    assert_eq!(
        missing(Some(JSON), Some("gzip"), some),
        Some(UsageMissing::Encoded)
    );
    assert_eq!(
        missing(Some("text/html"), None, some),
        Some(UsageMissing::ContentType)
    );
    assert_eq!(missing(None, None, some), Some(UsageMissing::ContentType));
    assert_eq!(missing(Some(JSON), None, "{}"), Some(UsageMissing::Absent));
    assert_eq!(
        missing(Some(EVENTS), None, "data: [DONE]\n\n"),
        Some(UsageMissing::Absent)
    );
    let large = format!(
        r#"{{"usage":{{"x":"{}","prompt_tokens":1}}}}"#,
        "x".repeat(9000)
    );
    assert_eq!(
        missing(Some(JSON), None, &large),
        Some(UsageMissing::Unreadable)
    );
}

const OPENAI_STREAM: &str = "\u{feff}: keep-alive\n\ndata: {\"id\":\"c1\",\"model\":\"gpt-4o\",\"choices\":[{\"index\":0,\"delta\":{\"content\":\"data: {\"},\"finish_reason\":null}],\"usage\":null}\n\ndata:{\"choices\":[{\"delta\":{},\"finish_reason\":\"stop\"}]}\n\ndata: {\"choices\":[],\n\
data: \"usage\":{\"prompt_tokens\":9,\"completion_tokens\":12}}\n\ndata: [DONE]\n\n";

const ANTHROPIC_STREAM: &str = "event: message_start\ndata: {\"type\":\"message_start\",\"message\":{\"id\":\"msg_1\",\"model\":\"claude\",\"content\":[],\"stop_reason\":null,\"usage\":{\"input_tokens\":25,\"cache_read_input_tokens\":5,\"output_tokens\":1}}}\n\nevent: ping\ndata: {\"type\": \"ping\"}\n\nevent: message_delta\ndata: {\"type\":\"message_delta\",\"delta\":{\"stop_reason\":\"end_turn\"},\"usage\":{\"output_tokens\":15}}\n\n";

#[test]
fn streams_of_events_with_every_kind_of_line_end() {
    for end in ["\n", "\r\n", "\r"] {
        let response = read_all(EVENTS, &OPENAI_STREAM.replace('\n', end));
        assert_eq!(
            counts(&response),
            [Some(9), Some(12), None, None, None],
            "{end:?}"
        );
        assert_eq!(response.model.as_deref(), Some("gpt-4o"));
        assert_eq!(response.id.as_deref(), Some("c1"));
        assert_eq!(response.finish_reasons, ["stop"]);
        let response = read_all(EVENTS, &ANTHROPIC_STREAM.replace('\n', end));
        assert_eq!(
            counts(&response),
            [Some(30), Some(15), Some(5), None, None],
            "{end:?}"
        );
        assert_eq!(response.id.as_deref(), Some("msg_1"));
        assert_eq!(response.finish_reasons, ["end_turn"]);
    }
}

#[test]
fn streams_of_other_shapes() {
    for (body, wanted) in [
        (
            "event: response.completed\ndata: {\"type\":\"response.completed\",\"response\":{\"id\":\"r\",\"usage\":{\"input_tokens\":3,\"output_tokens\":4}}}\n\n",
            [Some(3), Some(4)],
        ),
        (
            "data: {\"x_groq\":{\"usage\":{\"prompt_tokens\":3,\"completion_tokens\":4}}}\n\n",
            [Some(3), Some(4)],
        ),
        (
            "data: {\"choices\":[{\"usage\":{\"prompt_tokens\":3,\"completion_tokens\":4}}]}\n\n",
            [Some(3), Some(4)],
        ),
        // The last value counts, even where usage is repeated.
        (
            "data: {\"usage\":{\"prompt_tokens\":3,\"completion_tokens\":1}}\n\ndata: {\"usage\":{\"prompt_tokens\":3,\"completion_tokens\":9}}\n\n",
            [Some(3), Some(9)],
        ),
        // A truncated event does not affect the next, nor does a field of another name.
        (
            "data: {\"a\":\"\n\ndata: {\"usage\":{\"prompt_tokens\":3}}\n\n",
            [Some(3), None],
        ),
        ("datas: {\"usage\":{\"prompt_tokens\":3}}\n\n", [None, None]),
        ("id: {\"usage\":{\"prompt_tokens\":3}}\n\n", [None, None]),
    ] {
        let response = read_all(EVENTS, body);
        assert_eq!(counts(&response)[..2], wanted, "{body}");
    }
}

#[test]
fn a_response_is_finished_when_its_state_is_final() {
    let begun =
        "data: {\"type\":\"response.created\",\"response\":{\"status\":\"in_progress\"}}\n\n";
    assert!(!read_all(EVENTS, begun).is_finished());
    let body = format!("{begun}data: {{\"response\":{{\"status\":\"completed\"}}}}\n\n");
    assert_eq!(read_all(EVENTS, &body).finish_reasons, ["completed"]);
    assert!(!read_all(EVENTS, &ANTHROPIC_STREAM[..200]).is_finished());
    assert!(read_all(EVENTS, ANTHROPIC_STREAM).is_finished());
}

#[test]
fn a_stream_is_done_after_its_last_event() {
    for (body, done) in [
        ("data: {}\n\ndata: [DONE]\n\n", true),
        ("data:[DONE]\r\n", true),
        ("data: {}\n\n", false),
        ("data: [DONE", false),
        ("data: [DONE]?\n\n", false),
        ("data: \"[DONE]\"\n\n", false),
        ("event: [DONE]\n\n", false),
    ] {
        for length in [1, 3, 100] {
            let chunks: Vec<_> = body.as_bytes().chunks(length).collect();
            let response = read(EVENTS, &chunks).0;
            assert_eq!(response.is_done, done, "{body:?}");
            assert_eq!(response.is_finished(), done, "{body:?}");
        }
    }
}

#[test]
fn a_stream_begins_with_its_first_data() {
    let mut reader = ModelResponseReader::new(Some(EVENTS), None);
    reader.feed(b": hello\n\nevent: x\n");
    assert!(!reader.has_begun());
    reader.feed(b"data: {");
    assert!(reader.has_begun());
}

#[test]
fn an_error_in_a_stream_is_read() {
    let body =
        "event: error\ndata: {\"type\":\"error\",\"error\":{\"type\":\"overloaded_error\"}}\n\n";
    let response = read_all(EVENTS, body);
    assert_eq!(response.error_code.as_deref(), Some("overloaded_error"));
}

#[test]
fn escapes_in_a_value_are_decoded() {
    let response = read_all(JSON, r#"{"model":"a\"\u00e4\\","id":"x"}"#);
    assert_eq!(response.model.as_deref(), Some("a\"ä\\"));
    assert_eq!(response.id.as_deref(), Some("x"));
}

/// Cuts `body` at these positions.
fn cut<'a>(body: &'a [u8], places: &[usize]) -> Vec<&'a [u8]> {
    let mut places: Vec<usize> = places.iter().map(|p| p % (body.len() + 1)).collect();
    places.extend([0, body.len()]);
    places.sort_unstable();
    places
        .windows(2)
        .map(|pair| &body[pair[0]..pair[1]])
        .collect()
}

proptest! {
    #[test]
    fn chunk_boundaries_do_not_matter(
        places in proptest::collection::vec(any::<usize>(), 0..20),
        which in 0..5_usize,
    ) {
        let (content_type, body) = [
            (JSON, CHAT.to_owned()),
            (EVENTS, OPENAI_STREAM.to_owned()),
            (EVENTS, OPENAI_STREAM.replace('\n', "\r\n")),
            (EVENTS, ANTHROPIC_STREAM.replace('\n', "\r")),
            (JSON, r#"{"model":"a\\\"\u00e4","usage":{"prompt_tokens":1}}"#.to_owned()),
        ][which].clone();
        let whole = read(content_type, &[body.as_bytes()]);
        prop_assert!(whole.0.usage.is_some());
        let parts = read(content_type, &cut(body.as_bytes(), &places));
        prop_assert_eq!(whole, parts);
    }

    #[test]
    fn any_input_is_safe_and_memory_is_bounded(
        pieces in proptest::collection::vec(
            prop_oneof![
                proptest::collection::vec(any::<u8>(), 0..40),
                Just(b"\"usage\":{".to_vec()),
                Just(b"{\"model\":\"".to_vec()),
                Just(b"}]".to_vec()),
                Just(b"[[[[{".to_vec()),
                Just(b"\ndata:".to_vec()),
                Just(b"\r\n\r\n".to_vec()),
                Just(vec![b'x'; 3000]),
            ],
            0..60,
        ),
    ) {
        let bytes = pieces.concat();
        let (mut json, mut events) = (Scanner::default(), EventStream::default());
        for piece in &pieces {
            json.feed(piece, |_, _| {});
            events.feed(piece, |_, _| {});
            prop_assert!(json.buffered() <= 16 * 1024 && events.buffered() <= 16 * 1024);
        }
        for content_type in [JSON, EVENTS] {
            let whole = read(content_type, &[&bytes]);
            let parts: Vec<&[u8]> = pieces.iter().map(Vec::as_slice).collect();
            prop_assert_eq!(whole, read(content_type, &parts));
        }
    }

    #[test]
    fn usage_is_found_in_any_document(
        before in any_json(), after in any_json(), input in 0..1_000_000_u64,
    ) {
        let document = serde_json::json!({
            "a": before, "usage": {"prompt_tokens": input}, "b": after,
        });
        let body = serde_json::to_vec(&document).unwrap();
        let response = read(JSON, &[&body]).0;
        prop_assert_eq!(response.usage.and_then(|u| u.input()), Some(input));
    }
}

fn any_json() -> impl Strategy<Value = serde_json::Value> {
    use serde_json::Value;
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        "[ -~ä\\\\\"{}\\[\\]]{0,12}".prop_map(Value::from),
    ];
    leaf.prop_recursive(6, 40, 5, |inner| {
        prop_oneof![
            proptest::collection::vec(inner.clone(), 0..5).prop_map(Value::from),
            proptest::collection::vec(("(usage|model|[ -~]{0,5})", inner), 0..5)
                .prop_map(|pairs| Value::Object(pairs.into_iter().collect())),
        ]
    })
}
