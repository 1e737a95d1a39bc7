//! The log lines of sent requests: all attributes, and no text of a request or response. A process has
//! one observer, so this file has one test.

use std::time::Duration;

use llm_observe::{Observer, config::Config, http::client, observe};
use llm_observe_tests::{
    folder::Folder,
    listener::{Listener, Reply},
};
use serde_json::Value;

const ANSWER: &str = r#"{"id":"chatcmpl-1","model":"gpt-4o\nforged - INFO - line","choices":[{"message":{"content":"what was answered"},"finish_reason":"stop"}],"usage":{"prompt_tokens":19,"completion_tokens":10}}"#;

fn config(folder: &Folder) -> Config {
    let text = format!(
        r#"
        [log]
        dir = {:?}
        level = "debug"
        console = "never"
        [loggers.everything_as_json]
        file = "all.json"
        format = "json"
        [loggers.calls_out]
        file = "calls.log"
        events = ["http_call"]
        [server]
        listen = "off"
        "#,
        folder.path()
    );
    Config::parse(&text, "test.toml".as_ref()).unwrap()
}

#[observe(event = "asking")]
async fn ask(client: &reqwest_middleware::ClientWithMiddleware, url: &str) -> u16 {
    let request = client.post(url).bearer_auth("sk-proj-0123456789abcdefghij");
    let request = request.header("x-private", "a private header");
    let response = request.body("what was asked").send().await.unwrap();
    let status = response.status().as_u16();
    response.bytes().await.unwrap();
    status
}

#[tokio::test]
async fn lines_have_the_attributes_and_nothing_private() {
    let folder = Folder::new();
    let observer = Observer::builder()
        .config(config(&folder))
        .install()
        .unwrap();
    let headers = vec![
        ("Content-Type", "application/json".to_owned()),
        ("x-theirs", "a header of theirs".to_owned()),
    ];
    let listener = Listener::start(Reply::Status(200, headers, ANSWER.to_owned()))
        .script([Reply::status(429, "what was answered")]);
    let _ = rustls::crypto::ring::default_provider().install_default();
    let client = client::from_builder(reqwest::Client::builder().no_proxy()).unwrap();
    let url = listener.url("/v1/chat/completions?api-version=1&api-key=0123456789abcdef&x=%0a");
    let url = url.replace("http://", "http://user:password1@");
    assert_eq!(ask(&client, &url).await, 429);
    assert_eq!(ask(&client, &url).await, 200);
    assert!(observer.flush(Duration::from_secs(20)).is_complete());

    let (text, json) = (folder.read("calls.log"), folder.read("all.json"));
    let shown = listener.url("/v1/chat/completions?api-version=1&api-key=REDACTED&x=%0a");
    let lines: Vec<&str> = text.lines().collect();
    let [failed, fine] = &lines[..] else {
        panic!("{text}")
    };
    for part in [
        " - WARN - ",
        &format!("POST {shown} 429 in "),
        " error=\"429 Too Many Requests\" error.type=status error.class=rate_limit",
    ] {
        assert!(failed.contains(part), "{part} is not in {failed}");
    }
    for part in [
        " - DEBUG - ",
        &format!("POST {shown} 200 in "),
        &format!(" bytes_in={} ", ANSWER.len()),
        " bytes_out=14 ",
        " gen_ai.provider.name=openai ",
        " gen_ai.usage.input_tokens=19 gen_ai.usage.output_tokens=10 ",
    ] {
        assert!(fine.contains(part), "{part} is not in {fine}");
    }
    let objects: Vec<Value> = json
        .lines()
        .map(|line| serde_json::from_str(line).expect(line))
        .collect();
    let fine = objects
        .iter()
        .rfind(|line| line["event"] == "http_call")
        .unwrap();
    assert_eq!(fine["fields"]["url.full"], shown);
    assert_eq!(fine["fields"]["http.response.status_code"], 200);
    assert_eq!(fine["fields"]["gen_ai.usage.output_tokens"], 10);
    assert_eq!(
        fine["fields"]["gen_ai.response.model"],
        "gpt-4o\nforged - INFO - line"
    );
    for private in [
        "what was asked",
        "what was answered",
        "private header",
        "header of theirs",
        "0123456789abcdef",
        "password1",
    ] {
        for log in [&text, &json, &folder.read("app.log")] {
            assert!(!log.contains(private), "{private} in {log}");
        }
    }
}
