//! What goes to Rollbar and Airbrake, beside what their own clients put on the wire.

use std::{error::Error, fmt, io, path::Path, process::Command, sync::OnceLock, time::Duration};

use llm_observe::{Observer, observe};
use llm_observe_tests::{
    folder::Folder,
    listener::{Listener, Reply, Request},
    peers,
};
use serde_json::Value;

const ROLLBAR: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/peers/rollbar_client.py");
const AIRBRAKE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/peers/airbrake_client.py");
/// What both servers answer: Airbrake wants an id, Rollbar no error.
const TAKEN: &str = r#"{"err":0,"result":{"uuid":"1"},"id":"1"}"#;

#[derive(Debug)]
struct NoAnswer(io::Error);

impl fmt::Display for NoAnswer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("no model answers")
    }
}

impl Error for NoAnswer {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        Some(&self.0)
    }
}

#[observe(event = "failing")]
fn fail() -> Result<(), NoAnswer> {
    log::info!("asking the model");
    let cause = io::Error::new(io::ErrorKind::ConnectionRefused, "connection refused");
    Err(NoAnswer(cause))
}

#[observe(event = "panicking")]
fn panics() {
    panic!("the model is gone")
}

/// What we sent of a failure, and of a panic.
struct Ours {
    rollbar: Vec<Request>,
    airbrake: Vec<Request>,
}

/// Reports both to both, once for all tests: a program has one observer.
fn ours() -> &'static Ours {
    static OURS: OnceLock<Ours> = OnceLock::new();
    OURS.get_or_init(|| {
        let listen = || Listener::start(Reply::status(200, TAKEN));
        let (rollbar, airbrake, folder) = (listen(), listen(), Folder::new());
        let (token, key) = (
            folder.write("token", "secret-token"),
            folder.write("key", "secret-key"),
        );
        let config = format!(
            "[service]\nname = \"rag\"\nenvironment = \"staging\"\nrelease = \"1.4.2\"\n\
             [log]\ndir = {:?}\nconsole = \"never\"\n[server]\nlisten = \"off\"\n\
             [trackers.rollbar]\naccess_token = \"file:{}\"\nurl = \"{}\"\n\
             [trackers.airbrake]\nproject_id = 42\nproject_key = \"file:{}\"\nurl = \"{}\"\n",
            folder.path(),
            token.display(),
            rollbar.url(""),
            key.display(),
            airbrake.url(""),
        );
        let config = folder.write("config.toml", &config);
        let observer = Observer::builder().config_file(config).install().unwrap();
        fail().unwrap_err();
        std::panic::catch_unwind(panics).unwrap_err();
        let flushed = observer.flush(Duration::from_secs(20));
        assert_eq!((flushed.delivered, flushed.kept), (4, 0));
        Ours {
            rollbar: rollbar.requests(),
            airbrake: airbrake.requests(),
        }
    })
}

/// Returns what a client of theirs sends of a failure.
fn theirs(python: &Path, script: &str, arguments: &[&str]) -> Request {
    let listener = Listener::start(Reply::status(200, TAKEN));
    let ended = Command::new(python)
        .arg(script)
        .arg(listener.url(""))
        .args(arguments)
        .output()
        .unwrap();
    assert!(
        ended.status.success(),
        "{}",
        String::from_utf8_lossy(&ended.stderr)
    );
    listener.requests().remove(0)
}

fn json(request: &Request) -> Value {
    serde_json::from_slice(&request.body).unwrap()
}

fn kind(value: &Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Bool(_) => "boolean",
        Value::Number(_) => "number",
        Value::String(_) => "string",
        Value::Array(_) => "array",
        Value::Object(_) => "object",
    }
}

/// Returns where two values of the same place have another type, and how many places both have.
fn differences(theirs: &Value, ours: &Value, at: &str, found: &mut Vec<String>) -> usize {
    if kind(theirs) != kind(ours) {
        found.push(format!("{at}: {} there, {} here", kind(theirs), kind(ours)));
    }
    match (theirs, ours) {
        (Value::Object(theirs), Value::Object(ours)) => {
            let both = theirs
                .iter()
                .filter_map(|(name, value)| Some((name, value, ours.get(name)?)));
            both.map(|(name, a, b)| 1 + differences(a, b, &format!("{at}.{name}"), found))
                .sum()
        }
        (Value::Array(theirs), Value::Array(ours)) => {
            let both = theirs.iter().zip(ours);
            both.map(|(a, b)| differences(a, b, &format!("{at}[]"), found))
                .sum()
        }
        _ => 0,
    }
}

fn assert_same_shape(theirs: &Value, ours: &Value, least: usize) {
    let mut found = Vec::new();
    let places = differences(theirs, ours, "", &mut found);
    assert!(
        found.is_empty(),
        "{found:#?}\nthere: {theirs:#}\nhere: {ours:#}"
    );
    assert!(
        places >= least,
        "only {places} in common\nthere: {theirs:#}\nhere: {ours:#}"
    );
}

/// Asserts that requests have the same line, and headers that are equal but for what they hold.
fn assert_same_way(theirs: &Request, ours: &Request, header: &str) {
    assert_eq!(theirs.line, ours.line);
    let (there, here) = (theirs.header("content-type"), ours.header("content-type"));
    assert_eq!(there, here);
    assert!(
        theirs.header(header).is_some() && ours.header(header).is_some(),
        "{header}"
    );
}

/// Asserts that there is text, a number, an object or a full array at that place.
fn has(value: &Value, path: &str) {
    let there = match value.pointer(path) {
        Some(Value::String(text)) => !text.is_empty(),
        Some(Value::Array(items)) => !items.is_empty(),
        Some(Value::Null) | None => false,
        Some(_) => true,
    };
    assert!(there, "no {path} in {value:#}");
}

#[test]
fn an_item_is_as_rollbars_own_client_sends_it() {
    let Some(python) = peers::python("rollbar", "rollbar") else {
        return;
    };
    let (theirs, ours) = (
        theirs(&python, ROLLBAR, &["secret-token"]),
        &ours().rollbar[0],
    );
    assert_same_way(&theirs, ours, "x-rollbar-access-token");
    assert_eq!(
        ours.header("x-rollbar-access-token"),
        theirs.header("x-rollbar-access-token")
    );
    let (theirs, ours) = (json(&theirs), json(ours));
    assert_same_shape(&theirs, &ours, 20);
    let text =
        |value: &Value, path: &str| value.pointer(path).unwrap().as_str().unwrap().to_owned();
    for same in [
        "/data/environment",
        "/data/level",
        "/data/code_version",
        "/data/body/trace_chain/0/exception/message",
        "/data/body/trace_chain/1/exception/message",
        "/data/custom/event",
    ] {
        assert_eq!(text(&ours, same), text(&theirs, same), "{same}");
    }
    let now = ours["data"]["timestamp"].as_u64().unwrap();
    assert!(
        now.abs_diff(theirs["data"]["timestamp"].as_u64().unwrap()) < 60,
        "seconds"
    );
}

/// docs.rollbar.com, "Create an item".
#[test]
fn what_rollbar_requires_is_there() {
    for request in &ours().rollbar {
        let item = json(request);
        for required in [
            "/data/environment",
            "/data/body/trace_chain/0/exception/class",
            "/data/notifier/name",
        ] {
            has(&item, required);
        }
        let traces = item["data"]["body"]["trace_chain"].as_array().unwrap();
        for trace in traces {
            assert!(trace["frames"].is_array(), "{trace:#}");
            for frame in trace["frames"].as_array().unwrap() {
                has(frame, "/filename");
            }
        }
        let level = item["data"]["level"].as_str().unwrap();
        assert!(["critical", "error", "warning", "info", "debug"].contains(&level));
        for crumb in item["data"]["body"]["telemetry"].as_array().unwrap() {
            [
                "/level",
                "/type",
                "/source",
                "/timestamp_ms",
                "/body/message",
            ]
            .iter()
            .for_each(|required| has(crumb, required));
        }
    }
    let panicked = json(&ours().rollbar[1]);
    assert_eq!(panicked["data"]["level"], "critical");
    has(&panicked, "/data/body/trace_chain/0/frames/0/lineno");
    let said = json(&ours().rollbar[0])["data"]["body"]["telemetry"].to_string();
    assert!(said.contains("asking the model"), "{said}");
}

#[test]
fn a_notice_is_as_airbrakes_own_client_sends_it() {
    let Some(python) = peers::python("pybrake", "pybrake") else {
        return;
    };
    let theirs = theirs(&python, AIRBRAKE, &["42", "secret-key"]);
    let ours = &ours().airbrake[0];
    assert_same_way(&theirs, ours, "authorization");
    assert_eq!(ours.header("authorization"), theirs.header("authorization"));
    let (theirs, ours) = (json(&theirs), json(ours));
    assert_same_shape(&theirs, &ours, 15);
    for same in [
        "/errors/0/message",
        "/errors/1/message",
        "/context/environment",
        "/params/event",
    ] {
        assert_eq!(ours.pointer(same), theirs.pointer(same), "{same}");
    }
}

/// docs.airbrake.io, "Create notice v3".
#[test]
fn what_airbrake_requires_is_there() {
    for request in &ours().airbrake {
        let notice = json(request);
        for required in [
            "/errors/0/type",
            "/errors/0/message",
            "/context/notifier/name",
            "/context/notifier/version",
            "/context/notifier/url",
        ] {
            has(&notice, required);
        }
        for error in notice["errors"].as_array().unwrap() {
            assert!(error["backtrace"].is_array(), "{error:#}");
        }
    }
    has(&json(&ours().airbrake[1]), "/errors/0/backtrace/0/line");
    let said = json(&ours().airbrake[0])["context"]["history"].to_string();
    assert!(said.contains("asking the model"), "{said}");
}

/// Shows that the comparison above can fail.
#[test]
fn another_type_in_the_same_place_is_found() {
    let theirs = serde_json::json!({"a": [{"line": 3, "only": 1}]});
    let ours = serde_json::json!({"a": [{"line": "3"}]});
    let mut found = Vec::new();
    assert_eq!(differences(&theirs, &ours, "", &mut found), 2);
    assert_eq!(found, [".a[].line: number there, string here"]);
}
