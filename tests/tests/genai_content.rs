//! `[genai] capture`: messages are recorded where it asks for them, redacted and cut, and nowhere otherwise.

use std::{
    cell::Cell,
    env,
    process::Command,
    sync::{Arc, Mutex},
};

use futures_util::{Stream, StreamExt, stream};
use llm_observe::{
    Observer, Record,
    config::Config,
    observe,
    redact::Redacted,
    sink::Sink,
    testing::{self, TestObserver},
};
use llm_observe_tests::folder::Folder;
use serde_json::{Value, json};

const BOTH: &str = "[genai]\ncapture = \"both\"\n";
const MARKER: &str = "zebra";
const CHILD: &str = "LLM_OBSERVE_TESTS_CONTENT";

thread_local! {
    static EVALUATED: Cell<usize> = const { Cell::new(0) };
}

fn evaluated<T>(value: T) -> T {
    EVALUATED.set(EVALUATED.get() + 1);
    value
}

struct Answer {
    text: String,
}

#[observe(operation = chat, provider = "openai", model = "gpt-4o",
          input = evaluated(question), output = |answer| evaluated(&answer.text))]
fn answer(question: &str) -> Result<Answer, String> {
    match question {
        "fail" => Err("no".to_owned()),
        question => Ok(Answer {
            text: question.to_uppercase(),
        }),
    }
}

#[observe(operation = chat, input = &messages, output = |answer| answer)]
async fn converse(messages: Vec<Value>) -> Value {
    json!({"role": "assistant", "content": format!("{} messages", messages.len())})
}

#[observe(operation = chat, stream, output = |chunk| evaluated(chunk.as_str()))]
fn words(text: &'static str) -> impl Stream<Item = Value> {
    stream::iter(text.split_inclusive(' ').map(Value::from))
}

#[observe(operation = execute_tool, tool = "weather", input = &city, output = |found| found)]
fn weather(city: Value) -> Value {
    assert!(city.is_object());
    json!({"degrees": 21})
}

#[observe(operation = chat, input = panics(), output = |answer| answer.as_str())]
fn survives() -> String {
    "fine".to_owned()
}

fn panics() -> String {
    panic!("in an expression of the attribute")
}

fn attribute(seen: &TestObserver, name: &str) -> Option<Value> {
    let calls = seen.calls();
    let value = calls.last()?.attribute(name)?.to_string();
    serde_json::from_str(&value).ok()
}

fn message(role: &str, text: &str) -> Value {
    json!([{"role": role, "parts": [{"type": "text", "content": text}]}])
}

const INPUT: &str = "gen_ai.input.messages";
const OUTPUT: &str = "gen_ai.output.messages";

#[tokio::test]
async fn nothing_is_evaluated_or_recorded_unless_asked_for() {
    for config in ["", "[genai]\ncapture = \"none\"\n"] {
        let seen = testing::observe_with(config).unwrap();
        EVALUATED.set(0);
        answer(MARKER).unwrap();
        assert_eq!(words("zebra zebra").count().await, 2);
        survives();
        assert_eq!(EVALUATED.get(), 0);
        for call in seen.calls() {
            let all = format!("{:?} {:?}", call.attributes, call.fields);
            assert!(!all.contains(MARKER) && !all.contains("ZEBRA"), "{all}");
            assert!(!all.contains("messages"), "{all}");
        }
    }
    EVALUATED.set(0);
    answer(MARKER).unwrap();
    assert_eq!(EVALUATED.get(), 0, "without an observer");
}

#[test]
fn each_side_is_asked_for_on_its_own() {
    for (capture, wanted) in [
        ("input", [true, false]),
        ("output", [false, true]),
        ("both", [true; 2]),
    ] {
        let seen = testing::observe_with(&format!("[genai]\ncapture = \"{capture}\"\n")).unwrap();
        EVALUATED.set(0);
        answer("why?").unwrap();
        let found = [INPUT, OUTPUT].map(|name| attribute(&seen, name));
        assert_eq!(found.each_ref().map(Option::is_some), wanted);
        assert_eq!(EVALUATED.get(), wanted.iter().filter(|side| **side).count());
    }
}

#[tokio::test]
async fn messages_have_the_form_of_the_conventions() {
    let seen = testing::observe_with(BOTH).unwrap();
    answer("why?").unwrap();
    assert_eq!(attribute(&seen, INPUT), Some(message("user", "why?")));
    assert_eq!(attribute(&seen, OUTPUT), Some(message("assistant", "WHY?")));
    converse(vec![json!({"role": "user", "content": "why?"})]).await;
    assert_eq!(attribute(&seen, INPUT), Some(message("user", "why?")));
    assert_eq!(
        attribute(&seen, OUTPUT),
        Some(message("assistant", "1 messages"))
    );
    answer("fail").err().unwrap();
    assert_eq!(attribute(&seen, OUTPUT), None, "an error is no message");
    weather(json!({"city": "Bern"}));
    let arguments = attribute(&seen, "gen_ai.tool.call.arguments");
    assert_eq!(arguments, Some(json!({"city": "Bern"})));
    let result = attribute(&seen, "gen_ai.tool.call.result");
    assert_eq!(result, Some(json!({"degrees": 21})));
}

#[tokio::test]
async fn a_stream_is_one_message_of_bounded_length() {
    let seen = testing::observe_with(BOTH).unwrap();
    assert_eq!(words("one two three").count().await, 3);
    assert_eq!(
        attribute(&seen, OUTPUT),
        Some(message("assistant", "one two three"))
    );
    let mut abandoned = words("one two three");
    abandoned.next().await;
    drop(abandoned);
    assert_eq!(attribute(&seen, OUTPUT), Some(message("assistant", "one ")));
    let short = testing::observe_with(&format!("{BOTH}capture_max_bytes = \"5B\"\n")).unwrap();
    assert_eq!(words("zéé two three").count().await, 3);
    assert_eq!(attribute(&short, OUTPUT), Some(message("assistant", "zéé")));
}

#[test]
fn secrets_are_out_before_a_message_is_cut() {
    let key = format!("sk-proj-{}", "aB3dE5".repeat(6));
    for max in [20, 30, 8_192] {
        let seen =
            testing::observe_with(&format!("{BOTH}capture_max_bytes = \"{max}B\"\n")).unwrap();
        answer(&format!("my key: {key}")).unwrap();
        let shown = attribute(&seen, INPUT).unwrap().to_string();
        assert!(
            shown.contains("my key") && !shown.contains("sk-proj-a"),
            "{shown}"
        );
    }
}

#[test]
fn a_panic_in_an_expression_is_not_the_caller_s() {
    let seen = testing::observe_with(BOTH).unwrap();
    assert_eq!(survives(), "fine");
    assert_eq!(seen.calls().len(), 1);
}

#[derive(Clone, Default)]
struct Attributes(Arc<Mutex<String>>);

impl Sink for Attributes {
    fn record(&self, record: &Redacted<Record<'_>>) {
        let mut all = self.0.lock().unwrap();
        if let Some(operation) = record.operation {
            operation.attributes(&mut |attribute, value| {
                *all += &format!("{} {:?}\n", attribute.name(), value);
            });
        }
    }
}

#[test]
fn is_a_program_of_its_own() {
    let Some(folder) = env::var_os(CHILD) else {
        return;
    };
    let capture = env::var("CAPTURE").unwrap();
    let text = format!(
        "[log]\ndir = {folder:?}\nformat = \"json\"\nconsole = \"never\"\n[server]\nlisten = \"off\"\n\
         [genai]\ncapture = \"{capture}\"\n"
    );
    let config = Config::parse(&text, "test.toml".as_ref()).unwrap();
    let seen = Attributes::default();
    let observer = Observer::builder()
        .config(config)
        .sink(seen.clone())
        .install()
        .unwrap();
    answer(MARKER).unwrap();
    drop(observer);
    print!("seen: {}", seen.0.lock().unwrap());
}

/// Returns whether messages are in what a program records, and in its log.
fn recorded(capture: &str, variable: Option<&str>) -> (bool, bool) {
    let folder = Folder::new();
    let mut program = Command::new(env::current_exe().unwrap());
    program
        .args(["is_a_program_of_its_own", "--exact", "--nocapture"])
        .env(CHILD, folder.path())
        .env("CAPTURE", capture);
    if let Some(variable) = variable {
        program.env(
            "OTEL_INSTRUMENTATION_GENAI_CAPTURE_MESSAGE_CONTENT",
            variable,
        );
    }
    let output = program.output().unwrap();
    assert!(output.status.success(), "{output:?}");
    let seen = String::from_utf8_lossy(&output.stdout).into_owned();
    let files = std::fs::read_dir(folder.path()).unwrap().flatten();
    let texts = files.map(|file| std::fs::read(file.path()).unwrap_or_default());
    let log: String = texts
        .map(|text| String::from_utf8_lossy(&text).into_owned())
        .collect();
    assert!(log.contains("gen_ai.operation.name"), "{log}");
    (seen.contains(MARKER), log.contains(MARKER))
}

#[test]
fn the_standard_variable_wins() {
    assert_eq!(recorded("none", None), (false, false));
    assert_eq!(recorded("both", None), (true, true));
    for on in ["true", "SPAN_AND_EVENT"] {
        assert_eq!(recorded("none", Some(on)), (true, true), "{on}");
    }
    for off in ["false", "NO_CONTENT", "perhaps"] {
        assert_eq!(recorded("both", Some(off)), (false, false), "{off}");
    }
}
