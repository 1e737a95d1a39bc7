//! Errors of one wrapper type around different failures, at all three trackers.

use std::{fmt, time::Duration};

use llm_observe::{Observer, observe};
use llm_observe_tests::{
    folder::Folder,
    listener::{Listener, Reply},
};
use serde_json::Value;

const LIMIT: Duration = Duration::from_secs(30);

/// What a client of a hosted model returns.
#[derive(Debug)]
struct ApiError(String);

impl fmt::Display for ApiError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for ApiError {}

/// As `thiserror` makes it of `#[error("the model failed")] Model(#[from] ApiError)`.
#[derive(Debug)]
enum AskError {
    Model(ApiError),
}

impl fmt::Display for AskError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the model failed")
    }
}

impl std::error::Error for AskError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        let AskError::Model(error) = self;
        Some(error)
    }
}

#[observe(event = "ask")]
fn ask(answer: &str, n: u32) -> Result<(), AskError> {
    let request = n.wrapping_mul(2_654_435_761);
    Err(AskError::Model(ApiError(format!(
        "{answer} (request id: req_{request:08x}{n})"
    ))))
}

const ANSWERS: [(&str, &str); 3] = [
    ("status 401: incorrect key", "authentication"),
    ("status 500: the server had an error", "internal"),
    (
        "status 400: maximum context length is 8192 tokens",
        "context_window_exceeded",
    ),
];

/// How many failed calls were reported to a tracker, by error class and cause.
fn told(
    requests: &[String],
    parse: impl Fn(&Value) -> (String, String, u64),
) -> Vec<(String, String, u64)> {
    let mut told = Vec::<(String, String, u64)>::new();
    for text in requests {
        let lines = text.lines().rev();
        let body = lines.filter_map(|line| serde_json::from_str::<Value>(line).ok());
        let (class, cause, count) = parse(&body.max_by_key(|body| body.to_string().len()).unwrap());
        let cause = cause.split(" (").next().unwrap().to_owned();
        match told.iter_mut().find(|t| (&t.0, &t.1) == (&class, &cause)) {
            Some(known) => known.2 += count,
            None => told.push((class, cause, count)),
        }
    }
    told.sort();
    told
}

#[test]
fn each_failure_under_a_wrapper_is_reported_with_its_class_and_all_are_counted() {
    let servers = [(); 3].map(|()| Listener::start(Reply::status(200, "{}")));
    let folder = Folder::new();
    let [sentry, rollbar, airbrake] = servers.each_ref().map(Listener::address);
    let dsn = folder.write("dsn", &format!("http://public@{sentry}/42"));
    let key = folder.write("key", "k");
    let rollbar = folder.write("rollbar", &format!("http://{rollbar}"));
    let airbrake = folder.write("airbrake", &format!("http://{airbrake}"));
    let config = format!(
        "[log]\ndir = {:?}\nconsole = \"never\"\n[server]\nlisten = \"off\"\n\
         [trackers.sentry]\ndsn = \"file:{}\"\n\
         [trackers.rollbar]\naccess_token = \"file:{}\"\nurl = \"file:{}\"\n\
         [trackers.airbrake]\nproject_id = 1\nproject_key = \"file:{}\"\nurl = \"file:{}\"\n",
        folder.path(),
        dsn.display(),
        key.display(),
        rollbar.display(),
        key.display(),
        airbrake.display(),
    );
    let config = folder.write("config.toml", &config);
    let observer = Observer::builder().config_file(config).install().unwrap();
    for n in 0..100 {
        for (answer, _) in ANSWERS {
            ask(answer, n).unwrap_err();
        }
    }
    assert!(observer.flush(LIMIT).is_complete());

    let mut expected: Vec<_> = ANSWERS
        .map(|(cause, class)| (class.to_owned(), cause.to_owned(), 100))
        .into();
    expected.sort();
    let [sentry, rollbar, airbrake] = servers.each_ref().map(|server| {
        let requests = server.requests();
        assert!(requests.len() <= 9, "{} reports", requests.len());
        requests
            .iter()
            .map(|request| request.text())
            .collect::<Vec<_>>()
    });
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    let count = |value: &Value| value.as_u64().unwrap_or(1);
    let got = told(&sentry, |event| {
        let class = text(&event["tags"]["class"]);
        assert_eq!(event["fingerprint"][2], class, "{event:#}");
        let cause = text(&event["exception"]["values"][0]["value"]);
        (class, cause, count(&event["extra"]["occurrences"]))
    });
    assert_eq!(got, expected);
    let got = told(&rollbar, |item| {
        let (data, custom) = (&item["data"], &item["data"]["custom"]);
        let class = text(&custom["class"]);
        assert!(
            text(&data["fingerprint"]).ends_with(&format!("/{class}")),
            "{item:#}"
        );
        let cause = text(&data["body"]["trace_chain"][1]["exception"]["message"]);
        (class, cause, count(&custom["occurrences"]))
    });
    assert_eq!(got, expected);
    let got = told(&airbrake, |notice| {
        let params = &notice["params"];
        let cause = text(&notice["errors"][1]["message"]);
        (text(&params["class"]), cause, count(&params["occurrences"]))
    });
    assert_eq!(got, expected);
}
