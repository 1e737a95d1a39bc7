//! Bursts of errors at the program's own observer, against a Sentry that has its troubles.

use std::{
    collections::{BTreeMap, HashSet},
    sync::OnceLock,
    time::Duration,
};

use llm_observe::{Observer, observe};
use llm_observe_tests::{
    folder::Folder,
    listener::{Listener, Reply},
};
use serde_json::Value;

const LIMIT: Duration = Duration::from_secs(60);
const DISTINCT: usize = 1_000;
const EQUAL: u64 = 100_000;

#[observe]
fn distinct(n: usize) -> Result<(), String> {
    Err(format!("failure {n}"))
}

#[observe]
fn equal() -> Result<(), String> {
    Err("no model answers".to_owned())
}

/// The events of both bursts, by function: each is reported to Sentry once, and the first requests
/// go wrong in every way.
fn events() -> &'static BTreeMap<String, Vec<Value>> {
    static EVENTS: OnceLock<BTreeMap<String, Vec<Value>>> = OnceLock::new();
    EVENTS.get_or_init(|| {
        let limit = vec![("X-Sentry-Rate-Limits", "1:error:key".to_owned())];
        let troubles = [
            Reply::status(500, ""),
            Reply::Close,
            Reply::Garbage,
            Reply::Status(429, limit, String::new()),
        ];
        let bad = troubles.len();
        let sentry = Listener::start(Reply::status(200, "{}")).script(troubles);
        let folder = Folder::new();
        let dsn = folder.write("dsn", &format!("http://public@{}/42", sentry.address()));
        let config = format!(
            "[log]\ndir = {:?}\nconsole = \"never\"\n[server]\nlisten = \"off\"\n\
             [trackers.sentry]\ndsn = \"file:{}\"\n",
            folder.path(),
            dsn.display()
        );
        let config = folder.write("config.toml", &config);
        let observer = Observer::builder().config_file(config).install().unwrap();
        std::thread::scope(|scope| {
            for thread in 0..4 {
                scope.spawn(move || {
                    (0..DISTINCT)
                        .filter(|n| n % 4 == thread)
                        .for_each(|n| drop(distinct(n).unwrap_err()));
                    (0..EQUAL / 4).for_each(|_| drop(equal().unwrap_err()));
                });
            }
        });
        // It returns early while a limit of Sentry's own holds.
        let deadline = std::time::Instant::now() + LIMIT;
        while observer.flush(LIMIT).kept > 0 {
            assert!(std::time::Instant::now() < deadline);
            std::thread::sleep(Duration::from_millis(50));
        }
        let requests = sentry.requests();
        let mut events = BTreeMap::<_, Vec<Value>>::new();
        for request in &requests[bad..] {
            let event: Value =
                serde_json::from_str(request.text().lines().nth(2).unwrap()).unwrap();
            let function = event["tags"]["function"].as_str().unwrap().to_owned();
            events.entry(function).or_default().push(event);
        }
        events
    })
}

#[test]
fn a_thousand_different_errors_in_a_burst_all_arrive() {
    let distinct = &events()["reports::distinct"];
    let texts = distinct.iter().map(|event| {
        let values = event["exception"]["values"].as_array().unwrap();
        values[0]["value"].as_str().unwrap().to_owned()
    });
    assert_eq!(texts.collect::<HashSet<_>>().len(), DISTINCT);
    let ids: HashSet<_> = distinct
        .iter()
        .map(|event| event["event_id"].to_string())
        .collect();
    assert_eq!(ids.len(), distinct.len());
    // One whose answer did not come through is sent again.
    assert!(distinct.len() <= DISTINCT + 2, "{}", distinct.len());
}

#[test]
fn a_hundred_thousand_equal_errors_are_few_reports_that_count_them_all() {
    let equal = &events()["reports::equal"];
    let count = |event: &Value| event["extra"]["occurrences"].as_u64().unwrap_or(1);
    assert_eq!(equal.iter().map(count).sum::<u64>(), EQUAL);
    assert!(equal.len() <= 8, "{} reports", equal.len());
}
