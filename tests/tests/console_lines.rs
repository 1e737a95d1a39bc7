//! Lines on the console, from a program in a process of its own: through pipes that are slow, full,
//! non-blocking or closed, by each set of names, and without any file.

use std::{
    collections::BTreeMap,
    fs,
    io::{BufRead, BufReader, PipeReader, Read, Write, pipe},
    process::{Child, ChildStderr, Stdio},
};

use llm_observe_tests::{folder::Folder, program};
use serde_json::Value;

const PROGRAM: &str = env!("CARGO_BIN_EXE_console_program");

/// JSON lines on standard output, and no file.
const CONTAINER: &str = "[service]\nname = \"rag\"\nenvironment = \"staging\"\nrelease = \"1.4.2\"\n\
     [server]\nlisten = \"off\"\n\
     [log]\nenabled = false\nconsole_format = \"json\"\nconsole_target = \"stdout\"\n";

/// A program that runs, whose standard output is a pipe.
struct Running {
    child: Child,
    stderr: BufReader<ChildStderr>,
    /// Its folder, which is empty at the start.
    folder: Folder,
    _config: Folder,
}

fn start(config: &str, steps: &[&str], stdout: impl Into<Stdio>) -> Running {
    let (folder, of_config) = (Folder::new(), Folder::new());
    let mut child = program::command(PROGRAM, &folder)
        .env("LLM_OBSERVE_CONFIG", of_config.write("config.toml", config))
        .env("HOSTNAME", "pod-7")
        .args(steps)
        .stdin(Stdio::piped())
        .stdout(stdout)
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let stderr = BufReader::new(child.stderr.take().unwrap());
    Running {
        child,
        stderr,
        folder,
        _config: of_config,
    }
}

impl Running {
    /// Waits for the step `say=WORD`, and returns the lines before it.
    fn said(&mut self, word: &str) -> String {
        let (end, mut before) = (format!("said {word}\n"), String::new());
        loop {
            let mut line = String::new();
            assert!(self.stderr.read_line(&mut line).unwrap() > 0, "{before}");
            if line == end {
                return before;
            }
            before.push_str(&line);
        }
    }

    /// Lets the step `wait` end.
    fn go_on(&mut self) {
        self.child.stdin.as_mut().unwrap().write_all(b"\n").unwrap();
    }

    /// Waits for its end; returns what else it said on standard error.
    fn end(mut self) -> (String, Folder) {
        let mut said = String::new();
        self.stderr.read_to_string(&mut said).unwrap();
        let status = self.child.wait().unwrap();
        assert!(status.success(), "{status}: {said}");
        (said, self.folder)
    }
}

/// Runs a program to its end; returns its standard output, its standard error and its folder.
fn run(config: &str, steps: &[&str]) -> (String, String, Folder) {
    let mut running = start(config, steps, Stdio::piped());
    let mut stdout = String::new();
    let mut from = running.child.stdout.take().unwrap();
    from.read_to_string(&mut stdout).unwrap();
    let (said, folder) = running.end();
    (stdout, said, folder)
}

fn json(text: &str) -> Vec<Value> {
    let parse = |line: &str| serde_json::from_str(line).unwrap_or_else(|e| panic!("{e}: {line}"));
    text.lines().map(parse).collect()
}

/// Returns the count that the program said under `name`, with that reason where it has one.
fn count(said: &str, name: &str, reason: &str) -> u64 {
    let of_name = |line: &&str| line.starts_with(&format!("{name}{{"));
    let reason = format!("reason=\"{reason}\"");
    let line = said
        .lines()
        .filter(of_name)
        .find(|line| !line.contains("reason=") || line.contains(&reason));
    line.unwrap_or_else(|| panic!("no {name} {reason} in {said}"))
        .rsplit(' ')
        .next()
        .and_then(|number| number.parse().ok())
        .unwrap()
}

const HANDED: &str = "llm_observe_log_lines_total";
const LOST: &str = "llm_observe_log_lines_lost_total";

/// Returns how many lines the notices among `lines` say are missing.
fn missing(lines: &[Value]) -> u64 {
    let messages = lines.iter().filter_map(|line| line["message"].as_str());
    let counts = messages.filter_map(|text| text.split_once(" lines are missing here: "));
    counts.map(|(n, _)| n.parse::<u64>().unwrap()).sum()
}

/// Returns the numbers of the calls of `lines`, in order.
fn numbers(lines: &[Value]) -> Vec<u64> {
    let fields = lines.iter().map(|line| &line["fields"]["number"]);
    fields.filter_map(Value::as_u64).collect()
}

#[test]
fn a_reader_that_is_late_gets_every_line_within_the_bound() {
    let steps = ["lines=5000", "say=handed", "wait", "flush=30000", "counts"];
    let (mut reader, writer) = pipe().unwrap();
    let mut running = start(CONTAINER, &steps, writer);
    // No call waits for the pipe: all return while nobody reads.
    running.said("handed");
    running.go_on();
    let mut text = String::new();
    reader.read_to_string(&mut text).unwrap();
    let lines = json(&text);
    assert_eq!(numbers(&lines), (0..5_000).collect::<Vec<_>>());
    let (said, _) = running.end();
    assert_eq!(count(&said, HANDED, ""), 5_000);
    assert_eq!(count(&said, LOST, "overflow"), 0);
}

#[test]
fn beyond_the_bound_lines_are_counted_and_the_stream_says_how_many() {
    let config = format!("{CONTAINER}buffer_bytes = \"64KiB\"\n");
    let steps = [
        "lines=5000",
        "counts",
        "say=handed",
        "wait",
        "flush=30000",
        "lines=10",
        "flush=30000",
        "counts",
    ];
    let (mut reader, writer) = pipe().unwrap();
    let mut running = start(&config, &steps, writer);
    let lost = count(&running.said("handed"), LOST, "overflow");
    assert!((3_000..5_000).contains(&lost), "{lost}");
    running.go_on();
    let mut text = String::new();
    reader.read_to_string(&mut text).unwrap();
    let lines = json(&text);
    assert_eq!(missing(&lines), lost);
    assert_eq!(numbers(&lines).len() as u64 + lost, 5_010);
    let notice = lines
        .iter()
        .find(|line| line["target"] == "llm_observe::log")
        .unwrap();
    assert_eq!(notice["level"], "WARN");
    assert_eq!(
        notice["service"], "rag",
        "an aggregator finds it with the others"
    );
    let (said, _) = running.end();
    assert_eq!(count(&said, LOST, "overflow"), lost);
}

/// Makes writes to a pipe fail that would block.
#[cfg(target_os = "linux")]
#[allow(
    unsafe_code,
    reason = "the standard library cannot set the flag of a pipe"
)]
fn unblock(writer: &std::io::PipeWriter) {
    use std::os::fd::AsRawFd;
    unsafe extern "C" {
        fn fcntl(fd: i32, command: i32, flags: i32) -> i32;
    }
    const F_SETFL: i32 = 4;
    const O_NONBLOCK: i32 = 0o4000;
    // SAFETY: sets the flags of an open file; no memory is passed.
    assert_eq!(unsafe { fcntl(writer.as_raw_fd(), F_SETFL, O_NONBLOCK) }, 0);
}

#[cfg(target_os = "linux")]
#[test]
fn a_non_blocking_pipe_gets_every_line_whole() {
    for target in ["stdout", "stderr"] {
        let config = CONTAINER.replace("stdout", target);
        let (mut reader, writer) = pipe().unwrap();
        unblock(&writer);
        let folder = Folder::new();
        let of_config = Folder::new();
        let mut command = program::command(PROGRAM, &folder);
        command
            .env(
                "LLM_OBSERVE_CONFIG",
                of_config.write("config.toml", &config),
            )
            .args(["lines=3000", "wait", "flush=30000"])
            .stdin(Stdio::piped());
        match target {
            "stdout" => command.stdout(writer),
            _ => command.stderr(writer),
        };
        let mut child = command.spawn().unwrap();
        drop(command);
        // The pipe is full long before: nobody has read from it.
        child.stdin.as_mut().unwrap().write_all(b"\n").unwrap();
        let mut text = String::new();
        reader.read_to_string(&mut text).unwrap();
        assert!(child.wait().unwrap().success());
        assert_eq!(
            numbers(&json(&text)),
            (0..3_000).collect::<Vec<_>>(),
            "{target}"
        );
    }
}

#[test]
fn lines_that_the_program_prints_itself_stay_whole() {
    let (stdout, _, _) = run(CONTAINER, &["among_own=2000", "flush=30000"]);
    let (own, ours): (Vec<&str>, Vec<&str>) = stdout
        .lines()
        .partition(|line| line.starts_with("own line "));
    let expected: Vec<String> = (0..2_000).map(|n| format!("own line {n}")).collect();
    assert_eq!(own, expected);
    assert_eq!(
        numbers(&json(&ours.join("\n"))),
        (0..2_000).collect::<Vec<_>>()
    );
}

#[test]
fn a_pipe_that_is_closed_ends_nothing_and_its_lines_are_counted() {
    let steps = ["wait", "lines=1000", "flush=30000", "counts"];
    let (reader, writer): (PipeReader, _) = pipe().unwrap();
    let mut running = start(CONTAINER, &steps, writer);
    drop(reader);
    running.go_on();
    let (said, _) = running.end();
    assert_eq!(count(&said, HANDED, ""), 1_000);
    assert_eq!(count(&said, LOST, "closed"), 1_000);
}

#[test]
fn the_end_of_the_program_writes_what_waits() {
    let (stdout, _, _) = run(CONTAINER, &["lines=5000"]);
    assert_eq!(numbers(&json(&stdout)), (0..5_000).collect::<Vec<_>>());
}

#[test]
fn the_profile_of_a_container_leaves_no_file() {
    let (stdout, said, folder) = run(CONTAINER, &["calls", "flush=30000"]);
    assert_eq!(json(&stdout).len(), 5);
    assert_eq!(said, "");
    assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 0);
}

/// `container` is what Podman and systemd set. The machine of this test may be one itself.
#[test]
fn in_a_container_the_console_has_the_lines_of_the_files() {
    let config = "[server]\nlisten = \"off\"\n[log]\nformat = \"json\"\n";
    let (folder, of_config) = (Folder::new(), Folder::new());
    let ended = program::run(
        program::command(PROGRAM, &folder)
            .env("LLM_OBSERVE_CONFIG", of_config.write("config.toml", config))
            .env("container", "podman")
            .args(["calls", "flush=30000"]),
    );
    assert!(ended.status.success(), "{ended}");
    assert_eq!(ended.stdout, "");
    assert_eq!(json(&ended.stderr).len(), 5);
    assert_eq!(ended.stderr, folder.read("logs/app.log"));
}

/// What a member of a JSON line may be.
#[derive(Clone, Copy, Debug)]
enum Kind {
    Text,
    /// A text of that many lowercase hexadecimal digits.
    Hex(usize),
    /// A whole number, as a number.
    Whole,
    /// A whole number, as a text.
    Digits,
    Number,
    Flag,
    Time,
    /// A text out of these.
    Word(&'static [&'static str]),
}

impl Kind {
    fn takes(self, value: &Value) -> bool {
        let text = value.as_str();
        match self {
            Kind::Text => text.is_some_and(|text| !text.is_empty()),
            Kind::Hex(digits) => text.is_some_and(|text| {
                text.len() == digits && text.bytes().all(|b| matches!(b, b'0'..=b'9' | b'a'..=b'f'))
            }),
            Kind::Whole => value.is_u64(),
            Kind::Digits => {
                text.is_some_and(|text| text.len() == 19 && text.parse::<u64>().is_ok())
            }
            Kind::Number => value.is_number(),
            Kind::Flag => value.is_boolean(),
            Kind::Time => text.is_some_and(|text| {
                text.len() == 27 && text.starts_with("20") && text.ends_with('Z')
            }),
            Kind::Word(words) => text.is_some_and(|text| words.contains(&text)),
        }
    }
}

const LEVELS: Kind = Kind::Word(&["INFO", "WARN", "ERROR"]);
const OUTCOMES: Kind = Kind::Word(&["ok", "error", "cancelled"]);

type Table<'a> = BTreeMap<&'a str, Kind>;

/// Fails when a member of `object` is not in the table, or is no such value.
fn check(object: &Value, table: &Table<'_>, line: &Value) {
    for (name, value) in object.as_object().unwrap_or_else(|| panic!("{line:#}")) {
        let kind = table.get(name.as_str());
        let kind = kind.unwrap_or_else(|| panic!("{name:?} is not in the table: {line:#}"));
        assert!(kind.takes(value), "{name:?} is no {kind:?}: {line:#}");
    }
}

/// Takes the member out of the object, for a table of its own.
fn take(line: &mut Value, name: &str) -> Value {
    line.as_object_mut()
        .unwrap()
        .remove(name)
        .unwrap_or_default()
}

/// The lines of one call of each kind, and a notice of lost lines, by those names: the outer call,
/// the inner one, the event in it, the failure and the dropped call.
fn lines_by(names: &str) -> [Value; 5] {
    let config = format!("{CONTAINER}json_names = \"{names}\"\n");
    let (stdout, _, _) = run(&config, &["calls", "flush=30000"]);
    let [event, inner, outer, failed, dropped] = json(&stdout).try_into().unwrap();
    [outer, inner, event, failed, dropped]
}

#[test]
fn lines_have_the_names_of_this_crate_by_default() {
    let [outer, inner, event, failed, dropped] = lines_by("default");
    for line in [&outer, &inner, &event, &failed, &dropped] {
        assert_eq!(line["service"], "rag");
        assert_eq!(line["environment"], "staging");
        assert_eq!(line["version"], "1.4.2");
        assert_eq!(line["host"], "pod-7");
        assert_eq!(line["trace_flags"], "01");
    }
    assert_eq!(inner["parent_span_id"], outer["span_id"]);
    assert_eq!(outer.get("parent_span_id"), None);
    assert_eq!(event["span_id"], inner["span_id"]);
    assert_eq!(failed["error"]["chain"][0], "connection refused");
    assert_eq!(dropped["outcome"], "cancelled");
}

/// The Logs Data Model of OpenTelemetry, specification 1.55, and the semantic conventions.
#[test]
fn lines_have_the_names_of_opentelemetry() {
    let top = Table::from([
        ("Timestamp", Kind::Digits),
        ("SeverityText", LEVELS),
        ("SeverityNumber", Kind::Whole),
        ("Body", Kind::Text),
        ("TraceId", Kind::Hex(32)),
        ("SpanId", Kind::Hex(16)),
        ("TraceFlags", Kind::Hex(2)),
        ("EventName", Kind::Text),
    ]);
    let resource = Table::from([
        ("service.name", Kind::Word(&["rag"])),
        ("service.version", Kind::Word(&["1.4.2"])),
        ("deployment.environment.name", Kind::Word(&["staging"])),
        ("host.name", Kind::Word(&["pod-7"])),
    ]);
    let attributes = Table::from([
        ("llm_observe.outcome", OUTCOMES),
        ("llm_observe.duration_ms", Kind::Number),
        ("llm_observe.parent_span_id", Kind::Hex(16)),
        ("llm_observe.items", Kind::Whole),
        ("code.function.name", Kind::Text),
        ("error.type", Kind::Word(&["connection"])),
        ("exception.type", Kind::Text),
        ("exception.message", Kind::Word(&["nobody answers"])),
        (
            "exception.stacktrace",
            Kind::Word(&["caused by: connection refused"]),
        ),
        ("model", Kind::Word(&["m-1"])),
        ("share", Kind::Number),
        ("cached", Kind::Flag),
        ("n", Kind::Whole),
        ("text", Kind::Word(&["a \"quoted\" text"])),
    ]);
    let all = lines_by("otel");
    for line in &all {
        let mut rest = line.clone();
        let of_resource = take(&mut rest, "Resource");
        assert_eq!(of_resource.as_object().unwrap().len(), resource.len());
        check(&of_resource, &resource, line);
        check(&take(&mut rest, "Attributes"), &attributes, line);
        let scope = take(&mut rest, "InstrumentationScope");
        assert!(
            scope.is_null() || scope["Name"] == "console_program",
            "{line:#}"
        );
        check(&rest, &top, line);
        let number = match line["SeverityText"].as_str().unwrap() {
            "INFO" => 9,
            "WARN" => 13,
            _ => 17,
        };
        assert_eq!(line["SeverityNumber"], number);
    }
    let [outer, inner, event, failed, _] = all;
    assert_eq!(
        inner["Attributes"]["llm_observe.parent_span_id"],
        outer["SpanId"]
    );
    assert_eq!(
        (&event["SpanId"], &event["Body"]),
        (&inner["SpanId"], &"inside".into())
    );
    assert_eq!(
        (&outer["EventName"], event.get("EventName")),
        (&"outer".into(), None)
    );
    assert!(failed["Attributes"].get("exception.type").is_some());
}

/// The Elastic Common Schema 8.11.
#[test]
fn lines_have_the_names_of_the_elastic_common_schema() {
    let top = Table::from([
        ("@timestamp", Kind::Time),
        ("log.level", LEVELS),
        ("log.logger", Kind::Word(&["console_program"])),
        ("log.origin.function", Kind::Text),
        ("message", Kind::Text),
        ("ecs.version", Kind::Word(&["8.11.0"])),
        ("service.name", Kind::Word(&["rag"])),
        ("service.version", Kind::Word(&["1.4.2"])),
        ("service.environment", Kind::Word(&["staging"])),
        ("host.hostname", Kind::Word(&["pod-7"])),
        ("event.dataset", Kind::Word(&["rag.log"])),
        ("event.action", Kind::Text),
        (
            "event.outcome",
            Kind::Word(&["success", "failure", "unknown"]),
        ),
        ("event.duration", Kind::Whole),
        ("trace.id", Kind::Hex(32)),
        ("span.id", Kind::Hex(16)),
        ("error.type", Kind::Text),
        ("error.message", Kind::Word(&["nobody answers"])),
        ("error.code", Kind::Word(&["connection"])),
        (
            "error.stack_trace",
            Kind::Word(&["caused by: connection refused"]),
        ),
        ("llm_observe.outcome", OUTCOMES),
        ("llm_observe.items", Kind::Whole),
        ("llm_observe.trace_flags", Kind::Hex(2)),
        ("llm_observe.parent_span_id", Kind::Hex(16)),
    ]);
    let labels = Table::from([
        ("model", Kind::Word(&["m-1"])),
        ("cached", Kind::Word(&["true"])),
        ("text", Kind::Word(&["a \"quoted\" text"])),
    ]);
    let numeric = Table::from([("share", Kind::Number), ("n", Kind::Whole)]);
    let all = lines_by("ecs");
    for line in &all {
        let mut rest = line.clone();
        for (name, table) in [("labels", &labels), ("numeric_labels", &numeric)] {
            let fields = take(&mut rest, name);
            if !fields.is_null() {
                check(&fields, table, line);
            }
        }
        check(&rest, &top, line);
        for name in ["@timestamp", "log.level", "message", "ecs.version"] {
            assert!(
                line.get(name).is_some(),
                "ECS logging requires {name}: {line:#}"
            );
        }
    }
    let [outer, inner, event, failed, dropped] = all;
    assert_eq!(inner["llm_observe.parent_span_id"], outer["span.id"]);
    assert_eq!(
        (&event["span.id"], &event["message"]),
        (&inner["span.id"], &"inside".into())
    );
    let outcomes = [&outer, &failed, &dropped].map(|line| line["event.outcome"].clone());
    assert_eq!(outcomes, ["success", "failure", "unknown"]);
}

/// A notice has the names of the lines around it.
#[test]
fn notices_have_those_names_too() {
    for (names, message, fields) in [
        (
            "otel",
            "Body",
            [
                "Timestamp",
                "SeverityNumber",
                "Resource",
                "InstrumentationScope",
            ],
        ),
        (
            "ecs",
            "message",
            ["@timestamp", "ecs.version", "service.name", "log.logger"],
        ),
    ] {
        let config = format!("{CONTAINER}buffer_bytes = \"64KiB\"\njson_names = \"{names}\"\n");
        let (mut reader, writer) = pipe().unwrap();
        let steps = ["lines=2000", "say=handed", "wait", "flush=30000"];
        let mut running = start(&config, &steps, writer);
        running.said("handed");
        running.go_on();
        let mut text = String::new();
        reader.read_to_string(&mut text).unwrap();
        running.end();
        let lines = json(&text);
        let is_notice = |line: &&Value| {
            let text = line[message].as_str().unwrap();
            text.contains(" lines are missing here: overflow")
        };
        let notice = lines.iter().find(is_notice).unwrap();
        for field in fields {
            assert!(notice.get(field).is_some(), "{field} in {notice:#}");
        }
    }
}

#[test]
fn text_has_no_colour_in_a_pipe() {
    let config = CONTAINER.replace("json", "text");
    let (stdout, _, _) = run(&config, &["calls", "flush=30000"]);
    assert!(!stdout.contains('\u{1b}'), "{stdout}");
    assert!(
        stdout.lines().all(|line| line.get(23..26) == Some(" - ")),
        "{stdout}"
    );
}
