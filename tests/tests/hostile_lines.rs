//! Whatever a text holds, and wherever it comes in, it stays one value in one line, in text, in JSON
//! and on the console: it forges no line and controls no terminal. The program is this very test, in
//! a process of its own, since its standard error is looked at.

use std::{fs, path::Path, process::Command, time::Duration};

use llm_observe::{Observer, config::Config, observe};
use llm_observe_tests::folder::Folder;

/// Each ends a line somewhere, controls a terminal, reorders what is shown, or ends a JSON string.
const HOSTILE: [&str; 12] = [
    "a\nb",
    "a\r\n2026-11-23 07:17:09.123 - INFO - forged",
    "\u{1b}[2J\u{1b}]0;title\u{7}",
    "\u{9b}31mred",
    "next\u{85}line",
    "line\u{2028}paragraph\u{2029}separators",
    "nul\0del\u{7f}",
    "\u{202e}reversed\u{2066}isolated",
    "\",\"level\":\"ERROR\",\"x\":\"",
    "}\n{\"forged\":true}",
    "back\\slash \\",
    "\u{feff}\t\u{b}\u{c}\u{8}",
];

#[derive(Debug)]
struct Failure(String, Option<Box<Failure>>);

impl std::fmt::Display for Failure {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for Failure {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        self.1.as_deref().map(|cause| cause as _)
    }
}

#[observe(args(text))]
fn records(text: &str) -> usize {
    text.len()
}

#[observe(fields(shown = %text, debugged = ?text))]
fn fails(text: &str) -> Result<(), Failure> {
    let cause = Failure(text.to_owned(), None);
    Err(Failure(text.to_owned(), Some(Box::new(cause))))
}

#[observe]
fn panics(text: &str) {
    panic!("{text}");
}

/// Says it in every way there is; returns how many lines that is.
fn say(text: &str) -> usize {
    records(text);
    fails(text).unwrap_err();
    std::panic::catch_unwind(|| panics(text)).unwrap_err();
    tracing::info!("{text}");
    tracing::warn!(field = text, shown = %text, debugged = ?text, "an event");
    let error = Failure(text.to_owned(), None);
    tracing::error!(
        error = &error as &(dyn std::error::Error + 'static),
        "an event"
    );
    log::info!("{text}");
    log::error!(target: text, "an old library's target");
    8
}

const CONFIG: &str = r#"
[log]
level = "info"
console = "always"
[loggers.json]
file = "all.json"
format = "json"
[server]
listen = "off"
"#;

/// The program; does nothing unless it is told where to write.
#[test]
fn says_hostile_things() {
    let Some(dir) = std::env::var_os("HOSTILE_DIR") else {
        return;
    };
    std::panic::set_hook(Box::new(|_| ()));
    let mut config = Config::parse(CONFIG, "test.toml".as_ref()).unwrap();
    config.log.dir = dir.into();
    let observer = Observer::builder().config(config).install().unwrap();
    HOSTILE.iter().for_each(|text| assert_eq!(say(text), 8));
    assert!(observer.flush(Duration::from_secs(30)).is_complete());
}

/// Fails when the text holds anything but `lines` lines of harmless characters.
fn assert_harmless(what: &str, text: &str, lines: usize) {
    assert!(text.ends_with('\n'), "{what}");
    assert_eq!(text.lines().count(), lines, "{what}:\n{text}");
    let harmful = |c: char| {
        c != '\n' && c.is_control()
            || matches!(c, '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
    };
    let found = text.lines().find(|line| line.contains(harmful));
    assert_eq!(found, None, "{what}");
}

fn read(dir: &Path, name: &str) -> String {
    fs::read_to_string(dir.join(name)).unwrap()
}

#[test]
fn no_text_forges_a_line_or_controls_a_terminal() {
    let folder = Folder::new();
    let output = Command::new(std::env::current_exe().unwrap())
        .args(["says_hostile_things", "--exact", "--nocapture"])
        .env("HOSTILE_DIR", folder.path())
        .env("NO_COLOR", "1")
        .output()
        .unwrap();
    assert!(output.status.success(), "{output:?}");
    let said = HOSTILE.len() * 8;
    let text = read(folder.path(), "app.log");
    assert_harmless("text", &text, said);
    assert!(
        text.lines().all(|line| line.get(23..26) == Some(" - ")),
        "{text}"
    );
    assert_harmless("console", &String::from_utf8(output.stderr).unwrap(), said);
    let json = read(folder.path(), "all.json");
    assert_harmless("JSON", &json, said);
    let values: Vec<serde_json::Value> = json
        .lines()
        .map(|line| serde_json::from_str(line).expect(line))
        .collect();
    // And nothing is missing: what went in comes out.
    for text in HOSTILE {
        let shows = |value: &&serde_json::Value| {
            value["message"] == text
                || value["error"]["message"] == text && value["error"]["chain"][0] == text
                || value["fields"]["text"] == text
                || value["fields"]["field"] == text && value["fields"]["shown"] == text
                || value["fields"]["error"] == text
                || value["target"] == text
                || value["outcome"] == "panic" && value["error"]["message"] == text
        };
        assert_eq!(values.iter().filter(shows).count(), 8, "{text:?}");
    }
}
