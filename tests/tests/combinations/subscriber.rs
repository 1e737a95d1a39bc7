//! A subscriber of `tracing` or a logger of `log` of the program, before or after `init!()`.

use std::{fs, sync::Barrier, thread};

use llm_observe::Observer;
use llm_observe_tests::{program::LIMIT, wait::until};
use tracing::level_filters::LevelFilter;
use tracing_subscriber::{fmt, prelude::*};

use crate::{CONFIG, called, flush, run};

const BEFORE: &str = "a tracing subscriber is installed already and is used as it is";
const AFTER: &str = "a tracing subscriber was installed after init!() and is used as it is";
const CALLED: &str = "called ok in";

/// Says something by both facades and makes a call.
fn work() {
    tracing::info!("said");
    log::info!("noted");
    called();
}

#[test]
fn fmt_before_is_used_as_it_is() {
    let case = run("subscriber::fmt_before", CONFIG);
    case.says(BEFORE);
    case.prints(&["said", "noted", CALLED]);
    case.logs(&[CALLED]);
    case.does_not_log(&["said", "noted"]);
}

#[test]
#[ignore = "a process of its own"]
fn fmt_before() {
    fmt().init();
    let _observer = llm_observe::init!().unwrap();
    work();
}

#[test]
fn fmt_after_is_used_as_it_is() {
    let case = run("subscriber::fmt_after", CONFIG);
    case.says(AFTER);
    case.prints(&["said", "noted", CALLED]);
    case.logs(&[CALLED]);
    case.does_not_log(&["said", "noted"]);
}

#[test]
#[ignore = "a process of its own"]
fn fmt_after() {
    let _observer = llm_observe::init!().unwrap();
    fmt().init();
    work();
}

#[test]
fn fmt_after_calls_is_used_as_it_is() {
    let case = run("subscriber::fmt_after_calls", CONFIG);
    case.says(AFTER);
    case.prints(&["said", "noted"]);
    assert_eq!(case.log.matches(CALLED).count(), 3, "{}", case.log);
}

#[test]
#[ignore = "a process of its own"]
fn fmt_after_calls() {
    let _observer = llm_observe::init!().unwrap();
    called();
    log::info!("noted by nobody");
    tracing::debug!("below the level");
    thread::spawn(called).join().unwrap();
    fmt().init();
    work();
}

#[test]
fn beside_fmt_after_nothing_of_ours_is_left_in_tracing() {
    let case = run("subscriber::fmt_of_errors_after", CONFIG);
    case.says(AFTER);
    case.prints(&["seen"]);
    case.does_not_print(&["said"]);
}

#[test]
#[ignore = "a process of its own"]
fn fmt_of_errors_after() {
    let _observer = llm_observe::init!().unwrap();
    assert_eq!(LevelFilter::current(), LevelFilter::INFO, "that of [log]");
    fmt().with_max_level(LevelFilter::ERROR).init();
    // The upkeep thread finds it.
    until("level of the program's own", LIMIT, || {
        (LevelFilter::current() == LevelFilter::ERROR).then_some(())
    });
    work();
    tracing::error!("seen");
}

#[test]
fn fmt_with_our_layer_before_has_every_event_in_the_files() {
    let case = run("subscriber::layer_before", CONFIG);
    case.says_nothing();
    case.prints(&["said", "noted", CALLED]);
    case.logs(&["said", "noted", CALLED]);
    assert_eq!(case.log.matches(CALLED).count(), 1, "{}", case.log);
}

#[test]
#[ignore = "a process of its own"]
fn layer_before() {
    let registry = tracing_subscriber::registry().with(fmt::layer());
    registry.with(Observer::layer()).init();
    let _observer = llm_observe::init!().unwrap();
    work();
}

#[test]
fn fmt_with_our_layer_after_has_every_event_in_the_files() {
    let case = run("subscriber::layer_after", CONFIG);
    case.says_nothing();
    case.prints(&["said", "noted", CALLED]);
    case.logs(&["said", "noted", CALLED]);
    assert_eq!(case.log.matches(CALLED).count(), 1, "{}", case.log);
}

#[test]
#[ignore = "a process of its own"]
fn layer_after() {
    let _observer = llm_observe::init!().unwrap();
    let registry = tracing_subscriber::registry().with(fmt::layer());
    registry.with(Observer::layer()).init();
    work();
}

#[test]
fn a_program_without_one_has_every_event_from_the_first_in_the_files() {
    for name in ["subscriber::none", "subscriber::none_in_a_thread"] {
        let case = run(name, CONFIG);
        case.says_nothing();
        case.logs(&["said", "noted", CALLED]);
        assert_eq!(case.log.matches("said").count(), 2, "{}", case.log);
    }
}

#[test]
#[ignore = "a process of its own"]
fn none() {
    let _observer = llm_observe::init!().unwrap();
    work();
    thread::spawn(work).join().unwrap();
}

#[test]
#[ignore = "a process of its own"]
fn none_in_a_thread() {
    let _observer = llm_observe::init!().unwrap();
    thread::spawn(work).join().unwrap();
    work();
}

#[test]
fn no_first_event_is_lost_between_threads() {
    let case = run("subscriber::first_events", CONFIG);
    case.logs(&["first of 0", "first of 1", "first of 2", "first of 3"]);
}

#[test]
#[ignore = "a process of its own"]
fn first_events() {
    let _observer = llm_observe::init!().unwrap();
    let firsts: [fn(); 4] = [
        || tracing::info!("first of 0"),
        || tracing::info!("first of 1"),
        || tracing::info!("first of 2"),
        || tracing::info!("first of 3"),
    ];
    let barrier = Barrier::new(firsts.len());
    thread::scope(|scope| {
        for first in firsts {
            let barrier = &barrier;
            scope.spawn(move || {
                barrier.wait();
                first();
            });
        }
    });
}

#[test]
fn fmt_after_the_first_event_is_refused_and_every_event_is_in_the_files() {
    let case = run("subscriber::fmt_after_an_event", CONFIG);
    case.logs(&["early", "said", "noted", CALLED]);
}

#[test]
#[ignore = "a process of its own"]
fn fmt_after_an_event() {
    let _observer = llm_observe::init!().unwrap();
    tracing::info!("early");
    fmt().try_init().unwrap_err();
    work();
}

#[test]
fn fmt_after_the_first_event_works_when_the_configuration_leaves_it_to_the_program() {
    let config = CONFIG.replace("[log]\n", "[log]\nsubscriber = \"program\"\n");
    let case = run("subscriber::left_to_the_program", &config);
    case.says_nothing();
    case.prints(&["said", "noted", CALLED]);
    case.logs(&["said", "noted", CALLED]);
    case.does_not_log(&["early"]);
}

#[test]
#[ignore = "a process of its own"]
fn left_to_the_program() {
    let _observer = llm_observe::init!().unwrap();
    tracing::info!("early");
    let registry = tracing_subscriber::registry().with(fmt::layer());
    registry.with(Observer::layer()).init();
    work();
}

#[test]
fn without_an_event_records_of_log_are_taken_in_time() {
    let case = run("subscriber::only_log", CONFIG);
    case.says_nothing();
    case.logs(&["noted", CALLED]);
}

#[test]
#[ignore = "a process of its own"]
fn only_log() {
    let observer = llm_observe::init!().unwrap();
    let [log] = observer.log_files().try_into().unwrap();
    until("record of log", LIMIT, || {
        log::info!("noted");
        flush(&observer);
        let lines = fs::read_to_string(&log).unwrap();
        lines.contains("noted").then_some(())
    });
    called();
}

#[test]
fn ours_is_installed_at_once_when_the_configuration_says_so() {
    let config = CONFIG.replace("[log]\n", "[log]\nsubscriber = \"own\"\n");
    let case = run("subscriber::own", &config);
    case.says_nothing();
    case.logs(&["at once", "said", "noted", CALLED]);
}

#[test]
#[ignore = "a process of its own"]
fn own() {
    let _observer = llm_observe::init!().unwrap();
    log::info!("at once");
    fmt().try_init().unwrap_err();
    work();
}

#[test]
fn a_logger_of_log_keeps_its_records_in_either_order() {
    for name in ["subscriber::logger_before", "subscriber::logger_after"] {
        let case = run(name, CONFIG);
        case.says_nothing();
        case.prints(&["their logger: noted"]);
        case.logs(&["said", CALLED]);
        case.does_not_log(&["noted"]);
    }
}

/// Prints every record.
struct Prints;

impl log::Log for Prints {
    fn enabled(&self, _: &log::Metadata<'_>) -> bool {
        true
    }

    fn log(&self, record: &log::Record<'_>) {
        println!("their logger: {}", record.args());
    }

    fn flush(&self) {}
}

fn set_logger() {
    log::set_logger(&Prints).unwrap();
    log::set_max_level(log::LevelFilter::Info);
}

#[test]
#[ignore = "a process of its own"]
fn logger_before() {
    set_logger();
    let _observer = llm_observe::init!().unwrap();
    work();
}

#[test]
#[ignore = "a process of its own"]
fn logger_after() {
    let observer = llm_observe::init!().unwrap();
    set_logger();
    work();
    flush(&observer);
}

#[test]
fn without_a_log_the_subscriber_of_the_program_has_the_spans_in_either_order() {
    let config = CONFIG.replace("[log]\n", "[log]\nenabled = false\n");
    for name in ["subscriber::fmt_before", "subscriber::fmt_after"] {
        let case = run(name, &config);
        case.prints(&["said", "noted", CALLED]);
        case.says_nothing();
    }
}
