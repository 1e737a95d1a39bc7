//! The example service from outside: exit status, output, HTTP interface and logs.

use std::io::{BufRead, BufReader};
use std::net::TcpListener;
use std::process::Output;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use axum::body::Bytes;
use axum::extract::State;
use axum::http::StatusCode;
use axum::routing::post;
use axum::{Json, Router};
use serde_json::{Value, json};

use crate::support::mock::{Received, openai, served};
use crate::support::{Folder, Running, printed};

/// How long a program may take to print its address.
const START: Duration = Duration::from_secs(30);

fn once(folder: &Folder, more: &[&str], variables: &[(&str, &str)]) -> Output {
    folder
        .command("rag_service")
        .args(["--once", "--listen", "127.0.0.1:0"])
        .args(more)
        .envs(variables.iter().copied())
        .output()
        .expect("the example runs")
}

fn lines_with<'a>(log: &'a str, part: &str) -> Vec<&'a str> {
    log.lines().filter(|line| line.contains(part)).collect()
}

/// Starts the example, and returns what follows `start` in the line that begins so.
async fn serving(folder: &Folder, start: &'static str) -> (Running, String) {
    let mut command = folder.command("rag_service");
    command
        .args(["--listen", "127.0.0.1:0"])
        .stderr(std::process::Stdio::null());
    let mut running = Running(command.spawn().expect("the example runs"));
    let out = running.0.stdout.take().expect("piped");
    let find = tokio::task::spawn_blocking(move || {
        let mut lines = BufReader::new(out).lines().map_while(Result::ok);
        let found =
            lines.find_map(|line| line.strip_prefix(start).map(str::trim).map(str::to_owned));
        // read on, so that the program does not block on a full pipe
        std::thread::spawn(move || lines.for_each(drop));
        found
    });
    let url = tokio::time::timeout(START, find)
        .await
        .expect("starts in time")
        .expect("no panic");
    (running, url.expect("it prints that line"))
}

/// What the example writes is its user's alone, and an orderly end leaves no buffer.
#[cfg(unix)]
#[tokio::test]
async fn its_logs_are_private_and_sigterm_leaves_only_log_files() {
    use std::os::unix::fs::PermissionsExt;

    let folder = Folder::new();
    let logs = folder.path().join("logs");
    let spools = || {
        let entries = std::fs::read_dir(&logs).expect("a folder of logs");
        let names = entries.map(|entry| entry.expect("an entry").file_name());
        let spools = names.filter(|name| name.to_string_lossy().ends_with(".spool"));
        spools.count()
    };
    let (mut running, _) = serving(&folder, "serving until ctrl-c").await;
    let mode = std::fs::metadata(&logs)
        .expect("there")
        .permissions()
        .mode();
    assert_eq!(mode & 0o777, 0o700);
    assert!(spools() <= 5, "one for each log file");
    running.terminate();
    let ended = tokio::task::spawn_blocking(move || running.0.wait());
    let ended = tokio::time::timeout(START, ended).await.expect("ends");
    let ended = ended.expect("no panic").expect("a child");
    assert!(ended.success(), "{ended}");
    assert_eq!(spools(), 0);
    assert!(folder.log("app.log").contains("ingest ok in"));
}

#[test]
fn once_answers_checks_its_own_metrics_and_ends() {
    let folder = Folder::new();
    let output = once(&folder, &[], &[]);
    assert!(output.status.success(), "{}", printed(&output));
    let err = String::from_utf8_lossy(&output.stderr);
    assert!(!err.contains("WARNING"), "{}", printed(&output));
    let out = String::from_utf8_lossy(&output.stdout);
    for part in [
        "wait as long as its Retry-After header says",
        "quality 0.00",
        "http://127.0.0.1:",
    ] {
        assert!(out.contains(part), "no {part:?} in {}", printed(&output));
    }
    for event in ["ingest", "embedding", "retrieval", "answer", "query"] {
        let row = out
            .lines()
            .find(|line| line.starts_with(&format!("{event} ")));
        assert!(row.is_some(), "no row of {event} in {}", printed(&output));
    }
}

#[test]
fn every_call_is_in_the_log_and_in_the_log_of_its_event() {
    let folder = Folder::new();
    let output = once(&folder, &[], &[]);
    assert!(output.status.success(), "{}", printed(&output));
    let app = folder.log("app.log");
    assert_eq!(lines_with(&app, "query ok in").len(), 5, "{app}");
    assert_eq!(lines_with(&app, "retrieval ok in").len(), 5, "{app}");
    assert_eq!(lines_with(&app, "ingest ok in").len(), 1, "{app}");
    let query = folder.log("query.log");
    assert_eq!(lines_with(&query, "query ok in").len(), 5, "{query}");
    assert_eq!(query.lines().count(), 5, "only queries: {query}");
    assert_eq!(folder.log("errors.log"), "");
    let access = folder.log("access.log");
    let asked = lines_with(&access, " - INFO - POST /ask 200 in ");
    assert_eq!((asked.len(), access.lines().count()), (5, 5), "{access}");
    let (_, id) = asked[0].split_once(" request_id=").expect("it has one");
    let (id, _) = id.split_once(' ').expect("followed by more");
    let of_request = lines_with(&app, id);
    // embedding, retrieval, answer, query, and the request
    assert_eq!(of_request.len(), 5, "{of_request:?}");
    assert!(!app.contains("salmon"), "a question is private: {app}");
}

#[test]
fn a_folder_of_documents_can_be_given() {
    let folder = Folder::new();
    let docs = folder.path().join("docs");
    std::fs::create_dir(&docs).expect("writable");
    let text = "# Wine\nWith grilled salmon goes a white wine.\n";
    std::fs::write(docs.join("wine.md"), text).expect("writable");
    let output = once(&folder, &["--docs", &docs.display().to_string()], &[]);
    assert!(output.status.success(), "{}", printed(&output));
    let out = String::from_utf8_lossy(&output.stdout);
    assert!(
        out.contains("A: With grilled salmon goes a white wine."),
        "{}",
        printed(&output)
    );
    assert!(
        out.contains("1 documents, 1 chunks"),
        "{}",
        printed(&output)
    );
}

#[test]
fn a_folder_that_is_not_there_ends_it_with_a_message() {
    let folder = Folder::new();
    let output = once(&folder, &["--docs", "nowhere"], &[]);
    assert_eq!(output.status.code(), Some(1), "{}", printed(&output));
    let err = String::from_utf8_lossy(&output.stderr);
    assert!(err.contains("cannot read nowhere"), "{}", printed(&output));
}

#[test]
fn a_port_that_is_taken_ends_it_with_a_message() {
    let folder = Folder::new();
    let taken = TcpListener::bind("127.0.0.1:0").expect("a free port");
    let address = taken.local_addr().expect("bound").to_string();
    let output = folder
        .command("rag_service")
        .args(["--once", "--listen", &address])
        .output()
        .expect("runs");
    assert_eq!(output.status.code(), Some(1), "{}", printed(&output));
    let err = String::from_utf8_lossy(&output.stderr);
    assert!(
        err.contains(&format!("cannot listen on {address}")),
        "{}",
        printed(&output)
    );
    assert!(err.contains("--listen"), "{}", printed(&output));
}

#[test]
fn an_unknown_argument_is_named() {
    let folder = Folder::new();
    let output = folder
        .command("rag_service")
        .arg("--onec")
        .output()
        .expect("runs");
    assert_eq!(output.status.code(), Some(1), "{}", printed(&output));
    assert!(String::from_utf8_lossy(&output.stderr).contains("`--onec`"));
}

#[test]
fn quickstart_checks_itself() {
    let folder = Folder::new();
    let output = folder.command("quickstart").output().expect("runs");
    assert!(output.status.success(), "{}", printed(&output));
    let app = folder.log("app.log");
    assert_eq!(lines_with(&app, "prompt ok in").len(), 1, "{app}");
    assert_eq!(
        lines_with(&folder.log("errors.log"), "connect").len(),
        1,
        "{app}"
    );
}

#[tokio::test]
async fn bad_input_has_its_status_and_good_input_an_answer() {
    let folder = Folder::new();
    let (_running, url) = serving(&folder, "service").await;
    // an error means that another test was first
    let _ = rustls::crypto::ring::default_provider().install_default();
    let client = reqwest::Client::builder()
        .no_proxy()
        .build()
        .expect("a client");
    let status = async |body: String| {
        client
            .post(&url)
            .body(body)
            .send()
            .await
            .expect("an answer")
            .status()
    };
    assert_eq!(
        status(r#"{"question": "  "}"#.into()).await,
        StatusCode::BAD_REQUEST
    );
    assert_eq!(status("{".into()).await, StatusCode::BAD_REQUEST);
    assert_eq!(
        status(r#"{"text": "a"}"#.into()).await,
        StatusCode::BAD_REQUEST
    );
    let long = format!(r#"{{"question": "{}"}}"#, "a".repeat(2_001));
    assert_eq!(status(long).await, StatusCode::BAD_REQUEST);
    assert_eq!(
        status("a".repeat(16 * 1024 + 1)).await,
        StatusCode::PAYLOAD_TOO_LARGE
    );

    let good = json!({"question": "What is written to a log by default, prompts or not?"});
    let response = client
        .post(&url)
        .json(&good)
        .send()
        .await
        .expect("an answer");
    assert_eq!(response.status(), StatusCode::OK);
    let answer: Value = response.json().await.expect("JSON");
    assert_eq!(
        answer["sources"][0]["path"], "prompt-privacy.md",
        "{answer}"
    );
    assert!(
        answer["quality"]
            .as_f64()
            .is_some_and(|q| q > 0.0 && q <= 1.0),
        "{answer}"
    );
    let health = client
        .get(url.replace("/ask", "/healthz"))
        .send()
        .await
        .expect("an answer");
    assert_eq!(health.status(), StatusCode::OK);
}

/// Runs the program without blocking the mock that serves it.
async fn once_beside(
    folder: Folder,
    more: Vec<&'static str>,
    variables: Vec<(&'static str, String)>,
) -> (Folder, Output) {
    let run = move || {
        let variables: Vec<_> = variables
            .iter()
            .map(|(name, value)| (*name, value.as_str()))
            .collect();
        let output = once(&folder, &more, &variables);
        (folder, output)
    };
    tokio::task::spawn_blocking(run).await.expect("no panic")
}

#[tokio::test]
async fn an_openai_compatible_server_embeds_and_answers() {
    let received = Received::default();
    let variables = vec![
        ("OPENAI_BASE_URL", openai(received.clone()).await),
        ("OPENAI_API_KEY", "sk-test-of-the-example".to_owned()),
        ("OPENAI_EMBEDDING_MODEL", "letters".to_owned()),
        ("OPENAI_CHAT_MODEL", "parrot".to_owned()),
    ];
    let (folder, output) = once_beside(Folder::new(), vec![], variables).await;
    assert!(output.status.success(), "{}", printed(&output));
    assert!(String::from_utf8_lossy(&output.stdout).contains("A: Said by the model."));
    let received = std::mem::take(&mut *received.lock().expect("no panic holds it"));
    assert!(
        received
            .iter()
            .all(|(key, _)| key == "Bearer sk-test-of-the-example")
    );
    let chats: Vec<&Value> = received
        .iter()
        .map(|(_, body)| body)
        .filter(|body| body["model"] == "parrot")
        .collect();
    assert_eq!(chats.len(), 5);
    let prompt = chats[0]["messages"][1]["content"]
        .as_str()
        .expect("a user's message");
    assert!(
        prompt.contains("Question: What should a client do"),
        "{prompt}"
    );
    assert!(received.iter().any(|(_, body)| body["model"] == "letters"));
    assert!(
        !folder.log("app.log").contains("sk-test"),
        "a key is never logged"
    );
}

#[tokio::test]
async fn what_its_models_take_is_counted_and_each_request_a_line() {
    let variables = vec![
        ("OPENAI_BASE_URL", openai(Received::default()).await),
        ("RUST_LOG", "llm_observe::http=debug,info".to_owned()),
    ];
    let (folder, output) = once_beside(Folder::new(), vec![], variables).await;
    assert!(output.status.success(), "{}", printed(&output));
    let log = folder.log("app.log");
    let embeddings = lines_with(&log, "/v1/embeddings 200 in ");
    assert!(!embeddings.is_empty(), "{log}");
    for line in embeddings {
        assert!(line.contains(" - DEBUG - POST http://"), "{line}");
        assert!(line.contains(" gen_ai.usage.input_tokens=1 "), "{line}");
    }
    assert_eq!(lines_with(&log, "/v1/chat/completions 200 in ").len(), 5);
}

#[tokio::test]
async fn a_server_that_refuses_the_key_ends_it_and_is_in_the_errors_log() {
    let refused = json!({"error": {"message": "Incorrect API key provided", "type": "authentication_error", "param": null, "code": "invalid_api_key"}});
    let refuse = move || async move { (StatusCode::UNAUTHORIZED, Json(refused)) };
    let url = served(Router::new().route("/v1/embeddings", post(refuse))).await + "/v1";
    let (folder, output) = once_beside(Folder::new(), vec![], vec![("OPENAI_BASE_URL", url)]).await;
    assert_eq!(output.status.code(), Some(1), "{}", printed(&output));
    let err = String::from_utf8_lossy(&output.stderr);
    assert!(
        err.contains("Incorrect API key provided"),
        "{}",
        printed(&output)
    );
    let errors = folder.log("errors.log");
    assert_eq!(lines_with(&errors, "embedding error").len(), 1, "{errors}");
    assert_eq!(lines_with(&errors, "ingest error").len(), 1, "{errors}");
}

#[tokio::test]
async fn a_broken_embedding_is_an_error_of_each_stage_it_passes() {
    let (folder, output) = once_beside(Folder::new(), vec!["--break-embedding"], vec![]).await;
    assert!(output.status.success(), "{}", printed(&output));
    assert!(String::from_utf8_lossy(&output.stdout).contains("502 Bad Gateway"));
    let errors = folder.log("errors.log");
    let embedding = lines_with(&errors, "embedding error");
    assert_eq!(embedding.len(), 5, "{errors}");
    assert!(
        embedding
            .iter()
            .all(|line| line.contains("error.class=connection")),
        "{errors}"
    );
    assert_eq!(lines_with(&errors, "query error").len(), 5, "{errors}");
}

#[tokio::test]
async fn five_failures_are_one_alert() {
    let messages: Arc<Mutex<Vec<Bytes>>> = Arc::default();
    let take = async |State(messages): State<Arc<Mutex<Vec<Bytes>>>>, body: Bytes| {
        messages.lock().expect("no panic holds it").push(body);
        "ok"
    };
    let slack = Router::new()
        .route("/hook", post(take))
        .with_state(messages.clone());
    let webhook = vec![("SLACK_WEBHOOK_URL", served(slack).await + "/hook")];
    let (_folder, output) = once_beside(Folder::new(), vec!["--break-embedding"], webhook).await;
    assert!(output.status.success(), "{}", printed(&output));
    let messages = std::mem::take(&mut *messages.lock().expect("no panic holds it"));
    let texts: Vec<_> = messages
        .iter()
        .map(|body| String::from_utf8_lossy(body))
        .collect();
    assert_eq!(texts.len(), 1, "five failures are one message: {texts:?}");
    assert!(texts[0].contains("embedding"), "{texts:?}");
}
