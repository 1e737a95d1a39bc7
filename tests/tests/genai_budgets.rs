//! `[events.NAME] budget`, through the public API: in one process, and in several that share the folder of the
//! outbox. This test is the other processes itself.

use std::{
    env,
    io::{BufRead, BufReader, Write},
    process::{Child, ChildStdin, ChildStdout, Command, Stdio},
    time::Duration,
};

use llm_observe::{
    Observer,
    config::Config,
    genai::{self, Response},
    observe, testing,
};
use llm_observe_tests::{
    folder::Folder,
    listener::{Listener, Reply},
    wait,
};

const LIMIT: Duration = Duration::from_secs(60);
const CHILD: &str = "LLM_OBSERVE_TESTS_BUDGETS";

/// An answer whose provider says what it has cost.
struct Answer(f64);

impl Response for Answer {
    fn cost_usd(&self) -> Option<f64> {
        Some(self.0)
    }
}

#[observe(operation = chat, provider = "openai", model = "gpt-4o")]
fn answer(usd: f64) -> Answer {
    Answer(usd)
}

#[observe(event = "research", operation = invoke_agent)]
fn agent(usd: f64) {
    answer(usd);
    answer(usd);
}

const BUDGET: &str = "[events.answer]\nbudget = { usd = 1.0, per = \"365d\" }\n[events.research]\n";

fn titles(seen: &testing::TestObserver) -> Vec<String> {
    let alerts = seen.alerts();
    alerts.iter().map(|(_, alert)| alert.title()).collect()
}

#[test]
fn thresholds_alert_once_each_with_the_call_that_reached_them() {
    let seen = testing::observe_with(BUDGET).unwrap();
    let row = "llm_observe_budget_used_ratio{event=\"answer\",per=\"365d\"}";
    assert!(seen.metrics().contains(&format!("{row} 0\n")));
    for _ in 0..12 {
        answer(0.1);
    }
    let titles = titles(&seen);
    let begins = [
        "answer budget: 50 % used, $0.50 of $1.00 per 365d, until 20",
        "answer budget: 80 % used, $0.80 of $1.00 per 365d, until 20",
        "answer budget: 100 % used, $1.00 of $1.00 per 365d, until 20",
    ];
    assert_eq!(titles.len(), begins.len(), "{titles:#?}");
    for (title, begin) in titles.iter().zip(begins) {
        assert!(
            title.starts_with(begin) && title.ends_with(" UTC"),
            "{title}"
        );
    }
    let alerts = seen.alerts();
    let severities = alerts.iter().map(|(_, alert)| alert.severity.as_str());
    assert!(severities.eq(["info", "warning", "critical"]));
    let calls = seen.calls();
    assert_eq!(alerts[0].1.trace_id, calls[4].trace_id.to_string());
    assert_eq!(alerts[0].1.functions, ["genai_budgets::answer"]);
    let metrics = seen.metrics();
    let used = metrics.lines().find_map(|line| line.strip_prefix(row));
    assert!((used.unwrap().trim().parse::<f64>().unwrap() - 1.2).abs() < 1e-9);
}

#[test]
fn what_is_left_is_known_in_the_program() {
    assert_eq!(genai::budget("answer"), None, "without an observer");
    let seen = testing::observe_with(BUDGET).unwrap();
    assert_eq!(genai::budget("other"), None);
    answer(0.25);
    let budget = genai::budget("answer").unwrap();
    assert_eq!(
        (budget.limit_usd(), budget.spent_usd(), budget.left_usd()),
        (1.0, 0.25, 0.75)
    );
    assert_eq!(budget.used_ratio(), 0.25);
    assert!(budget.ends() > std::time::SystemTime::now());
    answer(2.0);
    let budget = genai::budget("answer").unwrap();
    assert_eq!((budget.left_usd(), budget.used_ratio()), (0.0, 2.25));
    assert_eq!(titles(&seen).len(), 1, "the highest threshold alone");
}

#[test]
fn a_budget_counts_what_is_spent_below_its_event() {
    let both = format!("{BUDGET}budget = {{ usd = 10.0, per = \"1d\" }}\n");
    let _seen = testing::observe_with(&both).unwrap();
    agent(0.25);
    for event in ["answer", "research"] {
        assert_eq!(genai::budget(event).unwrap().spent_usd(), 0.5, "{event}");
    }
}

#[test]
fn wrong_amounts_are_not_spent() {
    let _seen = testing::observe_with(BUDGET).unwrap();
    for usd in [-1.0, f64::NAN, f64::INFINITY, 0.0, 1e-12] {
        answer(usd);
    }
    assert_eq!(genai::budget("answer").unwrap().spent_usd(), 1e-12);
}

/// One of several processes.
struct Process {
    child: Child,
    input: ChildStdin,
    output: BufReader<ChildStdout>,
}

impl Process {
    fn start(folder: &Folder, slack: &Listener) -> Process {
        let mut child = Command::new(env::current_exe().unwrap())
            .args(["is_another_process", "--exact", "--nocapture"])
            .env(CHILD, folder.path())
            .env("SLACK_WEBHOOK_URL", slack.url("/services/T0/B0/x"))
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        Process {
            input: child.stdin.take().unwrap(),
            output: BufReader::new(child.stdout.take().unwrap()),
            child,
        }
    }

    /// Sends a line and returns the answer.
    fn ask(&mut self, line: &str) -> f64 {
        writeln!(self.input, "{line}").unwrap();
        loop {
            let mut answer = String::new();
            assert_ne!(self.output.read_line(&mut answer).unwrap(), 0, "{line}");
            // The harness of tests writes lines too.
            if let Some(spent) = answer.trim().strip_prefix("spent ") {
                return spent.parse().unwrap();
            }
        }
    }

    fn knows(&mut self, usd: f64) {
        wait::until("sum of all processes", LIMIT, || {
            ((self.ask("budget") - usd).abs() < 1e-9).then_some(())
        });
    }

    fn end(mut self) {
        writeln!(self.input, "end").unwrap();
        assert!(self.child.wait().unwrap().success());
    }
}

#[test]
fn is_another_process() {
    let Some(folder) = env::var_os(CHILD) else {
        return;
    };
    let text = format!(
        "[log]\nenabled = false\nconsole = \"never\"\n[server]\nlisten = \"off\"\n\
         [outbox]\ndir = {folder:?}\n[alerts]\ngroup_wait = \"10ms\"\n{BUDGET}"
    );
    let config = Config::parse(&text, "test.toml".as_ref()).unwrap();
    let observer = Observer::builder().config(config).install().unwrap();
    for line in std::io::stdin().lines() {
        let line = line.unwrap();
        match line.split_once(' ') {
            Some((_, usd)) => drop(answer(usd.parse().unwrap())),
            None if line == "end" => break,
            None => {}
        }
        let spent = genai::budget("answer").unwrap().spent_usd();
        println!("spent {spent}");
    }
    assert!(observer.shutdown(LIMIT).is_complete());
}

/// Returns what was told, in any order.
fn told(slack: &Listener) -> Vec<&'static str> {
    let requests = slack.requests();
    let texts: Vec<_> = requests.iter().map(|request| request.text()).collect();
    let all = ["50 % used", "80 % used", "100 % used"];
    let told = all.into_iter().flat_map(|percent| {
        let these = texts.iter().filter(move |text| text.contains(percent));
        these.map(move |_| percent)
    });
    told.collect()
}

#[test]
fn processes_share_a_budget_and_a_restart_goes_on() {
    let (folder, slack) = (Folder::new(), Listener::start(Reply::status(200, "ok")));
    let mut first = Process::start(&folder, &slack);
    assert_eq!(first.ask("spend 0.3"), 0.3);
    let mut second = Process::start(&folder, &slack);
    second.ask("spend 0.3");
    first.knows(0.6);
    second.knows(0.6);
    wait::until("alert", LIMIT, || {
        (told(&slack) == ["50 % used"]).then_some(())
    });

    // Killed: what it has spent counts all the same.
    first.child.kill().unwrap();
    first.child.wait().unwrap();
    second.end();
    let mut third = Process::start(&folder, &slack);
    third.knows(0.6);
    third.ask("spend 0.3");
    // Its end hands on what is to be alerted.
    third.end();
    let mut fourth = Process::start(&folder, &slack);
    fourth.knows(0.9);
    fourth.ask("spend 0.2");
    fourth.end();
    assert_eq!(told(&slack), ["50 % used", "80 % used", "100 % used"]);
}

#[test]
fn a_folder_full_of_strange_things_does_not_keep_a_process_from_counting() {
    let (folder, slack) = (Folder::new(), Listener::start(Reply::status(200, "ok")));
    let budgets = folder.path().join("budgets");
    std::fs::create_dir_all(budgets.join("0.lock")).unwrap();
    std::fs::create_dir_all(budgets.join("1.spent")).unwrap();
    std::fs::write(budgets.join("2.spent"), "llm-observe budgets 1 0\ntorn").unwrap();
    std::fs::write(budgets.join("3.spent"), [0xff; 4096]).unwrap();
    let mut process = Process::start(&folder, &slack);
    process.ask("spend 0.6");
    process.knows(0.6);
    process.end();
    assert_eq!(told(&slack), ["50 % used"]);
}
