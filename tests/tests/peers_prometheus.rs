//! A running annotated program, scraped by the real Prometheus and read by its own checker.

use std::{
    io::Write,
    net::{SocketAddr, TcpListener},
    path::Path,
    process::{Command, Stdio},
};

use axum::{Router, body::Body, http::StatusCode, routing::get};
use http::Request;
use http_body_util::BodyExt;
use hyper_util::{client::legacy::Client, rt::TokioExecutor};
use llm_observe::http::client::Attempts;
use llm_observe_tests::{
    folder::Folder,
    http as client,
    listener::{Listener, Reply},
    peers,
    program::{LIMIT, Running, observed},
    wait,
};
use serde_json::Value;
use tower::{ServiceBuilder, ServiceExt};

const SUBJECT: &str = env!("CARGO_BIN_EXE_subject");
const CONFIG: &str = "[server]\nlisten = \"127.0.0.1:0\"\n[events.work]\nslow = \"1m\"\n\
                      [events.failing]\n[events.panicking]\n";

/// Starts the subject, which makes these calls and then serves, and returns where.
fn subject(folder: &Folder, calls: &[&str]) -> (Running, SocketAddr) {
    let mut command = observed(SUBJECT, folder, CONFIG);
    let command = command.arg("init").args(calls).args(["listening", "hold"]);
    let mut running = Running::start(command);
    let address = running.listening();
    (running, address)
}

#[test]
fn promtool_has_no_complaint() {
    let Some(promtool) = peers::find("promtool") else {
        return;
    };
    let folder = Folder::new();
    let (running, address) = subject(&folder, &["work", "fail", "panic"]);
    let scrape = client::get(address, "/metrics").unwrap();
    assert_eq!(scrape.status, 200);
    llm_observe_tests::metrics::assert_documented(&scrape.body);
    assert!(scrape.body.contains("\nllm_observe_calls_total{"));
    let (ok, said) = check(&promtool, &scrape.body);
    assert!(ok && said.is_empty(), "{said}\nof\n{}", scrape.body);
    let ended = running.end();
    assert!(ended.status.success(), "{ended}");
}

#[tokio::test]
async fn promtool_has_no_complaint_about_requests() {
    let Some(promtool) = peers::find("promtool") else {
        return;
    };
    let seen = llm_observe::testing::observe();
    let app = Router::new()
        .route("/ask", get(async || "an answer"))
        .route("/fails", get(async || StatusCode::BAD_GATEWAY))
        .layer(llm_observe::http::layer());
    for path in ["/ask", "/fails", "/nowhere"] {
        let request = Request::get(path).body(Body::empty()).unwrap();
        drop(app.clone().oneshot(request).await.unwrap());
    }
    let scrape = seen.metrics();
    llm_observe_tests::metrics::assert_documented(&scrape);
    assert!(scrape.contains("\nhttp_server_request_duration_seconds_bucket{"));
    assert!(scrape.contains("\nhttp_server_active_requests{"));
    let (ok, said) = check(&promtool, &scrape);
    assert!(ok && said.is_empty(), "{said}\nof\n{scrape}");
}

#[tokio::test]
async fn promtool_has_no_complaint_about_calls_out() {
    let Some(promtool) = peers::find("promtool") else {
        return;
    };
    let seen = llm_observe::testing::observe();
    let headers = vec![
        ("Content-Type", "text/event-stream".to_owned()),
        ("x-ratelimit-limit-tokens", "1000".to_owned()),
        ("x-ratelimit-remaining-tokens", "900".to_owned()),
        ("x-ratelimit-reset-tokens", "6m0s".to_owned()),
        ("retry-after", "1".to_owned()),
    ];
    let body = "data: {\"usage\":{\"prompt_tokens\":1,\"completion_tokens\":2}}\n\n";
    let listener = Listener::start(Reply::Status(200, headers, body.to_owned()))
        .script([Reply::status(503, "")]);
    let client = ServiceBuilder::new()
        .layer(llm_observe::http::client::layer())
        .service(Client::builder(TokioExecutor::new()).build_http::<Body>());
    let attempts = Attempts::default();
    for path in ["/v1/completions", "/v1/completions", "/v1/embeddings"] {
        let request = Request::post(listener.url(path)).extension(attempts.clone());
        let request = request.body(Body::empty()).unwrap();
        let response = client.clone().oneshot(request).await.unwrap();
        response.into_body().collect().await.unwrap();
    }
    let scrape = seen.metrics();
    llm_observe_tests::metrics::assert_documented(&scrape);
    for name in [
        "http_client_request_duration_seconds_bucket",
        "gen_ai_client_token_usage_bucket",
        "gen_ai_client_operation_duration_seconds_bucket",
        "gen_ai_client_operation_time_to_first_chunk_seconds_bucket",
        "llm_observe_http_client_retries_total",
        "llm_observe_ratelimit_limit",
        "llm_observe_ratelimit_remaining",
        "llm_observe_ratelimit_reset_seconds",
        "llm_observe_ratelimit_retry_after_seconds",
    ] {
        assert!(scrape.contains(&format!("\n{name}{{")), "{name}\n{scrape}");
    }
    let (ok, said) = check(&promtool, &scrape);
    assert!(ok && said.is_empty(), "{said}\nof\n{scrape}");
}

/// Shows that the check above can fail.
#[test]
fn promtool_complains_of_a_counter_without_its_suffix() {
    let Some(promtool) = peers::find("promtool") else {
        return;
    };
    let (ok, said) = check(&promtool, "# TYPE calls counter\ncalls 1\n");
    assert!(!ok && said.contains("calls"), "{said}");
}

fn check(promtool: &Path, scrape: &str) -> (bool, String) {
    let mut child = Command::new(promtool)
        .args(["check", "metrics"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut stdin = child.stdin.take().unwrap();
    stdin.write_all(scrape.as_bytes()).unwrap();
    drop(stdin);
    let output = child.wait_with_output().unwrap();
    let said = [output.stdout, output.stderr].concat();
    (
        output.status.success(),
        String::from_utf8_lossy(&said).into_owned(),
    )
}

#[test]
fn prometheus_scrapes_and_answers_with_the_counts() {
    let Some(prometheus) = peers::find("prometheus") else {
        return;
    };
    let folder = Folder::new();
    let calls = ["work", "work", "work", "fail", "panic"];
    let (running, target) = subject(&folder, &calls);
    let (_server, server) = serve(&prometheus, &folder, target);
    let of = |query| ask(server, query);

    assert_eq!(
        of("llm_observe_calls_total{event='work',outcome='ok'}"),
        3.0
    );
    assert_eq!(
        of("llm_observe_calls_total{event='work',outcome='error'}"),
        0.0
    );
    assert_eq!(
        of("llm_observe_calls_total{outcome='panic',event='panicking'}"),
        1.0
    );
    assert_eq!(of("sum(llm_observe_calls_total)"), 5.0);
    assert_eq!(of("llm_observe_errors_total{class='connection'}"), 1.0);
    assert_eq!(of("llm_observe_items_total{event='work'}"), 6.0);
    assert_eq!(of("sum(llm_observe_calls_in_flight)"), 0.0);
    // a panic has no duration
    assert_eq!(of("sum(llm_observe_call_duration_seconds_count)"), 4.0);
    let p99 = "histogram_quantile(0.99, sum by (le) \
               (llm_observe_call_duration_seconds_bucket{event='work'}))";
    assert!(of(p99) < 0.1, "{}", of(p99));
    assert_eq!(of("count(llm_observe_build_info)"), 1.0);
    let targets = client::get(server, "/api/v1/targets").unwrap().body;
    let targets: Value = serde_json::from_str(&targets).unwrap();
    let target = &targets["data"]["activeTargets"][0];
    assert_eq!(target["lastError"], "", "{target:#}");
    drop(running);
}

/// As docs/server.md shows: an address that others can reach, and the token in the scrape config.
#[test]
fn prometheus_scrapes_with_the_token() {
    let Some(prometheus) = peers::find("prometheus") else {
        return;
    };
    let folder = Folder::new();
    folder.write("token", "7f4e9c-token-of-the-test\n");
    let config = CONFIG.replace("127.0.0.1:0\"", "0.0.0.0:0\"\ntoken = \"file:token\"");
    let mut command = observed(SUBJECT, &folder, &config);
    let mut running = Running::start(command.args(["init", "work", "listening", "hold"]));
    let target = SocketAddr::from(([127, 0, 0, 1], running.listening().port()));
    let authorization = "authorization: {credentials_file: token}, ";
    let (_server, server) = serve_with(&prometheus, &folder, target, authorization);
    let ok = "llm_observe_calls_total{event='work',outcome='ok'}";
    assert_eq!(ask(server, ok), 1.0);
    drop(running);
}

/// Starts a Prometheus that scrapes `target`, and returns where it answers.
fn serve(prometheus: &Path, folder: &Folder, target: SocketAddr) -> (Running, SocketAddr) {
    serve_with(prometheus, folder, target, "")
}

/// Starts a Prometheus as [`serve`] does, with more keys in its scrape config.
fn serve_with(
    prometheus: &Path,
    folder: &Folder,
    target: SocketAddr,
    keys: &str,
) -> (Running, SocketAddr) {
    let config = format!(
        "global: {{scrape_interval: 200ms, scrape_timeout: 200ms}}\nscrape_configs:\n\
         - {{job_name: subject, {keys}static_configs: [{{targets: ['{target}']}}]}}\n"
    );
    folder.write("prometheus.yml", &config);
    let address = free_address();
    let server = Running::start(
        Command::new(prometheus)
            .current_dir(folder.path())
            .args(["--config.file=prometheus.yml", "--storage.tsdb.path=data"])
            .arg(format!("--web.listen-address={address}")),
    );
    let ready = || client::get(address, "/-/ready").is_ok_and(|r| r.status == 200);
    wait::until("ready Prometheus", LIMIT, || ready().then_some(()));
    (server, address)
}

/// Returns an address that nobody listens at.
fn free_address() -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    listener.local_addr().unwrap()
}

/// Returns the one value of a query, as soon as there is one.
fn ask(server: SocketAddr, query: &str) -> f64 {
    let path = format!("/api/v1/query?query={}", encode(query));
    wait::until(query, LIMIT, || {
        let answer = client::get(server, &path).ok()?.body;
        let answer: Value = serde_json::from_str(&answer).unwrap();
        assert_eq!(answer["status"], "success", "{answer:#}");
        let value = answer["data"]["result"][0]["value"][1].as_str()?;
        Some(value.parse().unwrap())
    })
}

/// Percent-encodes everything but letters and digits.
fn encode(text: &str) -> String {
    text.bytes()
        .map(|byte| match byte {
            b if b.is_ascii_alphanumeric() => char::from(b).to_string(),
            b => format!("%{b:02X}"),
        })
        .collect()
}
