//! The example `chat_stream` from outside: its own checks, the lines of each end, and a server in place of the local
//! model.

use std::process::Output;

use crate::support::{
    Folder,
    mock::{Received, openai},
    printed,
};

fn lines<'a>(log: &'a str, start: &str) -> Vec<&'a str> {
    log.lines().filter(|line| line.contains(start)).collect()
}

fn once(folder: &Folder, variables: &[(&str, String)]) -> Output {
    let mut command = folder.command("chat_stream");
    let variables = variables.iter().map(|(name, value)| (*name, value));
    let output = command.arg("--once").envs(variables).output();
    output.expect("the example runs")
}

#[test]
fn each_end_of_a_stream_has_its_line() {
    let folder = Folder::new();
    let output = once(&folder, &[]);
    assert!(output.status.success(), "{}", printed(&output));
    let log = folder.log("app.log");
    for (end, level, input) in [
        ("ok", "INFO", 9),
        ("cancelled", "WARN", 9),
        ("timeout", "ERROR", 9),
    ] {
        let found = lines(&log, &format!("chat_answer {end} in "));
        let [line] = found.as_slice() else {
            panic!("one line of {end}: {log}");
        };
        assert!(line.contains(&format!(" - {level} - ")), "{line}");
        // What the model said of its words so far.
        assert!(line.contains(&format!(" in={input} out=")), "{line}");
        assert!(line.contains(" ttfc="), "{line}");
    }
    assert!(
        !log.contains("outbox"),
        "questions and answers are private: {log}"
    );
    // The request of the reader who left is one that was left.
    assert_eq!(lines(&log, "POST /chat 200 cancelled").len(), 1, "{log}");
}

#[tokio::test]
async fn a_server_answers_where_one_is_configured() {
    let received = Received::default();
    let variables = vec![
        ("OPENAI_BASE_URL", openai(received.clone()).await),
        ("OPENAI_API_KEY", "sk-test-of-the-example".to_owned()),
        ("OPENAI_CHAT_MODEL", "gpt-4o".to_owned()),
    ];
    let run = move || {
        let folder = Folder::new();
        let output = once(&folder, &variables);
        (folder, output)
    };
    let (folder, output) = tokio::task::spawn_blocking(run).await.expect("no panic");
    assert!(output.status.success(), "{}", printed(&output));
    let received = std::mem::take(&mut *received.lock().expect("no panic holds it"));
    assert_eq!(received.len(), 2);
    for (key, body) in received {
        assert_eq!(key, "Bearer sk-test-of-the-example");
        assert_eq!(body["stream_options"]["include_usage"], true, "{body}");
    }
    let log = folder.log("app.log");
    let whole = lines(&log, "chat_answer ok in ");
    let known = whole
        .iter()
        .all(|line| line.contains(" model=gpt-4o in=19 out=10 "));
    assert!(known && whole.len() == 1, "{log}");
    // What it had used is not known where an answer is left: OpenAI says so at its end.
    let left = lines(&log, "chat_answer cancelled in ");
    assert!(!left.is_empty() && !left[0].contains(" in="), "{log}");
}
