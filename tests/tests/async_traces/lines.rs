//! The trace as the lines of a log file have it.

use std::time::Duration;

use llm_observe::{Observer, config::Config, context};
use llm_observe_tests::folder::Folder;
use serde_json::Value;

use super::{
    IDS,
    hand_out::{answer, consumer, serve},
    work_now,
};

/// The lines of the test.
struct Lines(Vec<Value>);

impl Lines {
    /// Returns the line of the call of that event, and of that place where there are several.
    #[track_caller]
    fn call(&self, event: &str, place: Option<&str>) -> &Value {
        let mut found = self.0.iter().filter(|line| {
            let is_there = place.is_none_or(|place| line["fields"]["place"] == place);
            line["event"] == event && is_there
        });
        let line = found
            .next()
            .unwrap_or_else(|| panic!("no {event} {place:?}"));
        assert!(found.next().is_none(), "one {event} {place:?}");
        line
    }

    /// Returns the line that was logged in the work at that place. Events of tests with observers of their own, which
    /// run at the same time, are in the file too.
    #[track_caller]
    fn logged(&self, place: &str) -> &Value {
        let span = &self.call("work", Some(place))["span_id"];
        let is_there = |line: &&Value| {
            line["message"] == "working"
                && line["fields"]["place"] == place
                && line["span_id"] == *span
        };
        self.0.iter().find(is_there).unwrap()
    }

    #[track_caller]
    fn assert_below(&self, child: &Value, parent: &Value) {
        assert_eq!(child["trace_id"], parent["trace_id"], "{child}");
        assert_eq!(child["parent_span_id"], parent["span_id"], "{child}");
        assert_eq!(child["trace_flags"], "01");
    }
}

#[track_caller]
fn assert_ids(line: &Value, expected: &[(&str, &str)]) {
    for (name, _) in IDS {
        let value = expected.iter().find(|(expected, _)| *expected == name);
        assert_eq!(
            line["fields"][name].as_str(),
            value.map(|(_, value)| *value),
            "{line}"
        );
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn one_trace_leads_through_all_that_a_call_hands_out() {
    let folder = Folder::new();
    let text = format!(
        "[log]\ndir = {:?}\nlevel = \"debug\"\nconsole = \"never\"\n\
         [loggers.all]\nfile = \"all.json\"\nformat = \"json\"\n[server]\nlisten = \"off\"\n\
         [http]\npropagate = [\"127.0.0.1\"]\nbaggage = [\"tenant\"]\n",
        folder.path()
    );
    let config = Config::parse(&text, "test.toml".as_ref()).unwrap();
    let observer = Observer::builder().config(config).install().unwrap();

    let (queue, consumer) = consumer();
    let outliving = answer(serve().await, queue).await;
    consumer.join().unwrap();
    outliving.release.send(()).unwrap();
    outliving.task.await.unwrap();
    assert!(observer.flush(Duration::from_secs(20)).is_complete());

    let text = folder.read("all.json");
    let parsed = text
        .lines()
        .map(|line| serde_json::from_str(line).expect(line));
    let lines = Lines(parsed.collect());
    lines_of_the_answer(&lines);
    lines_of_the_request(&lines);
    lines_of_what_was_lost(&lines);
    hostile_values(&observer, &folder);
}

fn lines_of_the_answer(lines: &Lines) {
    let answer = lines.call("answer", None);
    // The context is that of the work in it.
    assert_ids(answer, &[]);
    for place in [
        "spawn",
        "spawn_blocking",
        "join_set",
        "thread",
        "rayon_1",
        "rayon_2",
        "stream_1",
        "stream_2",
        "outlives",
    ] {
        let call = lines.call("work", Some(place));
        lines.assert_below(call, answer);
        assert_eq!(call["outcome"], "ok");
        assert_ids(call, &IDS);
        let logged = lines.logged(place);
        assert_eq!(
            (&logged["trace_id"], &logged["span_id"]),
            (&call["trace_id"], &call["span_id"])
        );
        assert_ids(logged, &IDS);
    }
    let received = lines.call("work", Some("channel"));
    lines.assert_below(received, answer);
    assert_ids(received, &[("tenant", "acme")]);
    // A call that outlives its parent ends after it, and is still below it.
    let order = |wanted: &Value| lines.0.iter().position(|line| line == wanted);
    assert!(order(answer) < order(lines.call("work", Some("outlives"))));
}

fn lines_of_the_request(lines: &Lines) {
    let answer = lines.call("answer", None);
    let (sent, received) = (
        lines.call("http_call", None),
        lines.call("http_request", None),
    );
    let work = lines.call("work", Some("http"));
    lines.assert_below(sent, answer);
    lines.assert_below(received, sent);
    lines.assert_below(work, received);
    assert_ids(sent, &IDS);
    for there in [received, work, lines.logged("http")] {
        assert_ids(there, &[("tenant", "acme")]);
        assert_eq!(there["request_id"], received["request_id"]);
    }
}

/// A call whose task has lost its context is a root of a trace of its own.
fn lines_of_what_was_lost(lines: &Lines) {
    let (answer, lost) = (lines.call("answer", None), lines.call("work", Some("lost")));
    assert_ne!(lost["trace_id"], answer["trace_id"]);
    assert_eq!(lost.get("parent_span_id"), None);
    assert_ids(lost, &[]);
}

const FORGED: &str = "u\n2026-11-23 07:17:09.123 - INFO - forged trace_id=1\u{1b}[31m\" a=\"1\r\n";

fn hostile_values(observer: &Observer, folder: &Folder) {
    let key = "sk-ant-api03-aBcDeFgHiJkLmNoPqRsTuVwXyZ0123456789aBcDeFgHiJkLmNoPqRsTuVwXyZ";
    context()
        .conversation(key)
        .user(FORGED)
        .tenant("t".repeat(100_000))
        .in_scope(|| work_now("hostile"));
    assert!(observer.flush(Duration::from_secs(20)).is_complete());
    let (text, json) = (folder.read("app.log"), folder.read("all.json"));
    for log in [&text, &json] {
        assert!(!log.contains(key), "redacted");
        assert!(!log.contains("\n2026-11-23"), "forged");
        assert!(!log.contains(&"t".repeat(257)), "bounded");
    }
    let lines: Vec<Value> = json
        .lines()
        .map(|line| serde_json::from_str(line).expect(line))
        .collect();
    let line = lines
        .iter()
        .rfind(|line| line["fields"]["place"] == "hostile")
        .unwrap();
    assert_eq!(line["fields"]["user.id"], FORGED);
    assert_eq!(line["fields"]["tenant"], "t".repeat(256));
}
